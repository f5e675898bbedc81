//! poem and poem-openapi.

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Methods, Router, Text, Value, add_layers};
use super::{axum, layers, register, start};
use crate::parse::rust::ast::{Attribute, Literal, Token, TokenKind};

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    match (call.owner, call.last) {
        ("Route" | "RouteScheme" | "RouteDomain", "new") => {
            evaluator.constructed.insert(call.place, "poem");
            Some(Value::Router(Box::new(Router::new("poem", call.place))))
        }
        ("RouteMethod", "new") => Some(Value::Methods(Box::new(Methods { framework: "poem", ..Methods::default() }))),
        ("OpenApiService", "new") => {
            let mut router = Router::new("poem", call.place);
            if let Some(api) = arguments.first() {
                operations(evaluator, frame, &mut router, api);
            }
            Some(Value::Router(Box::new(router)))
        }
        ("poem_lambda", "run") => start::serve(evaluator, frame, call.place, arguments.first()?, None, false),
        ("StaticFilesEndpoint" | "EmbeddedFilesEndpoint", "new") => {
            Some(Value::Name("poem::StaticFilesEndpoint".to_string()))
        }
        _ => {
            let method = register::http_method(call.last)?;
            let who = answer(frame, arguments.first()?, call.written.first());
            let answers = vec![(method.to_string(), who, call.place)];
            Some(Value::Methods(Box::new(Methods { framework: "poem", answers, ..Methods::default() })))
        }
    }
}

/// Methods of routes and endpoints.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut router: Router<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        // `RouteDomain` has hosts where others have paths.
        "at" | "add" if is_host(arguments.first()) => {
            if let Some(Value::Router(inner)) = arguments.get(1) {
                router.absorb(&Text::literal(""), (**inner).clone());
            }
        }
        "http" | "https" | "fallback" | "custom" => {
            if let Some(Value::Router(inner)) = arguments.last() {
                router.absorb(&Text::literal(""), (**inner).clone());
            }
        }
        "at" => at(evaluator, frame, &mut router, call, &arguments),
        "nest" | "nest_no_strip" => {
            let prefix = match call.name {
                "nest" => path_text(arguments.first()),
                _ => Text::literal(""),
            };
            match arguments.get(1) {
                Some(Value::Router(inner)) => router.absorb(&prefix, (**inner).clone()),
                Some(value) => {
                    let path = super::paths::join(&path_text(arguments.first()).text, "/*path");
                    let name = match answer(frame, value, call.written.get(1)) {
                        Some(Answer::Library(name)) => name,
                        _ => "nested".to_string(),
                    };
                    router.entries.push(axum::library_entry(frame, call.place, "ANY", &path, &name));
                }
                None => {}
            }
        }
        "swagger_ui" | "rapidoc" | "redoc" | "openapi_explorer" | "spec_endpoint" | "spec_endpoint_yaml" => {
            let mut page = Router::new("poem", call.place);
            page.entries.push(axum::library_entry(frame, call.place, "GET", "", call.name));
            return Value::Router(Box::new(page));
        }
        "with" | "with_if" => {
            let (value, written) = (arguments.last(), call.written.last());
            let ids = layers::apply(evaluator, frame, value, written);
            if call.name == "with_if" {
                for id in &ids {
                    evaluator.layers[id.0].conditional = true;
                }
            }
            add_layers(&mut router.own_layers, &ids);
        }
        "around" | "before" | "after" => {
            let ids = layers::by_function(evaluator, frame, arguments.first(), call.written.first());
            add_layers(&mut router.own_layers, &ids);
        }
        "catch_error" | "catch_all_error" => {
            let who = arguments.first().and_then(|value| answer(frame, value, call.written.first()));
            router.fallback.get_or_insert((call.place, who));
        }
        _ => {}
    }
    Value::Router(Box::new(router))
}

fn is_host(value: Option<&Value<'_>>) -> bool {
    value.and_then(Value::text).is_some_and(|text| !text.text.contains('/') && text.text.contains('.'))
}

fn at<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    arguments: &[Value<'a>],
) {
    let path = path_text(arguments.first());
    match arguments.get(1) {
        Some(Value::Methods(methods)) => {
            router.entries.extend(register::entries(evaluator, frame, &path, methods, call.place));
        }
        Some(Value::Router(inner)) => router.absorb(&path, (**inner).clone()),
        Some(value) => {
            let answers = vec![("ANY".to_string(), answer(frame, value, call.written.get(1)), call.place)];
            let methods = Methods { framework: "poem", answers, ..Methods::default() };
            router.entries.extend(register::entries(evaluator, frame, &path, &methods, call.place));
        }
        None => {}
    }
}

/// Methods of `RouteMethod`.
pub fn methods<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut methods: Methods<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match (call.name, register::http_method(call.name)) {
        ("with", _) => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            add_layers(&mut methods.layers, &ids);
        }
        (_, Some(method)) => {
            let who = arguments.first().and_then(|value| answer(frame, value, call.written.first()));
            methods.answers.push((method.to_string(), who, call.place));
        }
        _ => {}
    }
    Value::Methods(Box::new(methods))
}

/// The operations of `#[OpenApi] impl Api`: `#[oai(path = "/x", method = "get")]` on its methods.
fn operations<'a>(evaluator: &mut Evaluator<'a>, frame: &Frame<'a>, router: &mut Router<'a>, api: &Value<'a>) {
    let ty = match api {
        Value::Tuple(values) => {
            for value in values {
                operations(evaluator, frame, router, value);
            }
            return;
        }
        Value::Struct(ty, _) => ty.clone(),
        Value::Name(name) => name.clone(),
        _ => return,
    };
    let functions = evaluator.names.methods_of(&ty).to_vec();
    for id in functions {
        let info = evaluator.info(id);
        let Some(attribute) = info.item.attributes.iter().find(|attribute| attribute.path.last() == "oai") else {
            continue;
        };
        let Some(path) = keyed(attribute, "path") else { continue };
        let prefix = prefix_of(evaluator, info.file, attribute);
        let methods: Vec<String> =
            keyed(attribute, "method").map(|method| method.to_ascii_uppercase()).into_iter().collect();
        let place = crate::scan::source::Place { file: info.file, span: attribute.span };
        let answers = methods.into_iter().map(|method| (method, Some(Answer::Function(id)), place)).collect();
        let methods = Methods { framework: "poem", answers, documented: true, ..Methods::default() };
        let path = Text::literal(&super::paths::join(&prefix, &path));
        router.entries.extend(register::entries(evaluator, frame, &path, &methods, place));
    }
}

/// `prefix_path` of the `#[OpenApi]` block that holds an attribute.
fn prefix_of(evaluator: &Evaluator<'_>, file: crate::scan::source::FileId, inside: &Attribute) -> String {
    let (_, parsed) = evaluator.context.repository.get(file);
    let crate::parse::Syntax::Rust(rust) = &parsed.syntax else { return String::new() };
    let mut prefix = String::new();
    crate::parse::rust::walk::items(&rust.items, &mut |item, _| {
        if item.span.holds(inside.span)
            && let Some(attribute) = item.attributes.iter().find(|attribute| attribute.path.last() == "OpenApi")
        {
            prefix = keyed(attribute, "prefix_path").unwrap_or_default();
        }
    });
    prefix
}

fn keyed(attribute: &Attribute, key: &str) -> Option<String> {
    register::arguments(&attribute.tokens).into_iter().find_map(|part| match part {
        [
            Token { kind: TokenKind::Ident(name), .. },
            Token { kind: TokenKind::Punct('='), .. },
            Token { kind: TokenKind::Literal(Literal::Text(text)), .. },
            ..,
        ] if name == key => Some(text.clone()),
        _ => None,
    })
}

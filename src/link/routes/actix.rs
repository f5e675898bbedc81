//! actix-web and ntex: applications, scopes, resources, attribute macros, `configure`.

use std::cell::RefCell;
use std::rc::Rc;

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Methods, Router, Text, Value, add_layers};
use super::{axum, layers, register, start};
use crate::parse::rust::ast::Expr;

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    let framework = call.family;
    match (call.owner, call.last) {
        ("App", "new") => {
            evaluator.constructed.insert(call.place, framework);
            Some(Value::Router(Box::new(Router::new(framework, call.place))))
        }
        ("HttpServer", "new") | ("web" | "server" | "ntex", "server") => {
            let application = evaluator.call_value(arguments.first()?, Vec::new());
            start::serve(evaluator, frame, call.place, &application, None, false)
        }
        ("SwaggerUi" | "Redoc" | "RapiDoc" | "Scalar", "new" | "with_url") => {
            Some(axum::documents(frame, call, arguments))
        }
        ("Files", "new") => Some(files(frame, call, arguments)),
        (_, "scope" | "resource") => {
            let text = path_text(arguments.first());
            let mut router = Router::new(framework, call.place);
            router.partial = !text.complete && !text.configured;
            router.prefix = text.text;
            Some(Value::Router(Box::new(router)))
        }
        (_, "redirect") => {
            let mut router = Router::new(framework, call.place);
            let path = path_text(arguments.first());
            router.entries.push(axum::library_entry(frame, call.place, "ANY", &path.text, "redirect"));
            Some(Value::Router(Box::new(router)))
        }
        (_, "to") => Some(methods_of(framework, "ANY", answer(frame, arguments.first()?, call.written.first()), call)),
        (_, "route") => Some(methods_of(framework, "ANY", None, call)),
        (_, "method") => {
            let source = evaluator.source(frame.file, call.written.first()?.span);
            let named = register::methods_in(source);
            Some(methods_of(framework, named.first().map_or("ANY", String::as_str), None, call))
        }
        ("guard", _) => Some(Value::Name("guard".to_string())),
        (owner, last) if matches!(owner, "web" | "" | "test_web") || owner == call.krate => {
            let method = register::http_method(last)?;
            arguments.is_empty().then(|| methods_of(framework, method, None, call))
        }
        _ => None,
    }
}

fn methods_of<'a>(framework: &'static str, method: &str, who: Option<Answer<'a>>, call: External<'_, 'a>) -> Value<'a> {
    let answers = vec![(method.to_string(), who, call.place)];
    Value::Methods(Box::new(Methods { framework, answers, ..Methods::default() }))
}

fn files<'a>(frame: &Frame<'a>, call: External<'_, 'a>, arguments: &[Value<'a>]) -> Value<'a> {
    let mut router = Router::new(call.family, call.place);
    let path = super::paths::join(&path_text(arguments.first()).text, "/{path}*");
    router.entries.push(axum::library_entry(frame, call.place, "GET", &path, "Files"));
    Value::Router(Box::new(router))
}

/// Methods of applications, scopes, resources and `ServiceConfig`.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut router: Router<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        "service" => {
            for (at, argument) in arguments.into_iter().enumerate() {
                service(evaluator, frame, &mut router, call, argument, call.written.get(at));
            }
        }
        "route" => route(evaluator, frame, &mut router, call, &arguments),
        "url" => {
            let path = path_text(arguments.first());
            if path.text.starts_with('/') {
                router.entries.push(axum::library_entry(frame, call.place, "GET", &path.text, "openapi"));
            }
        }
        // paperclip serves the document that it makes of the handlers.
        "with_json_spec_at" | "with_json_spec_v3_at" | "with_swagger_ui_at" | "with_rapidoc_at" => {
            let path = path_text(arguments.first());
            router.entries.push(axum::library_entry(frame, call.place, "GET", &path.text, "openapi"));
        }
        "configure" => return configure(evaluator, router, &arguments),
        "default_service" | "default" => {
            let who = match arguments.first() {
                Some(Value::Methods(methods)) => methods.answers.first().and_then(|(_, who, _)| who.clone()),
                Some(value) => answer(frame, value, call.written.first()),
                None => None,
            };
            router.fallback = Some((call.place, who));
        }
        "to" => {
            let who = arguments.first().and_then(|value| answer(frame, value, call.written.first()));
            let methods = Methods {
                framework: router.framework,
                answers: vec![("ANY".to_string(), who, call.place)],
                ..Methods::default()
            };
            router.entries.extend(register::entries(evaluator, frame, &Text::literal(""), &methods, call.place));
        }
        "guard" => {
            let source = call.written.first().map_or("", |written| evaluator.source(frame.file, written.span));
            router.methods = register::methods_in(source);
        }
        "wrap" | "wrap_fn" | "middleware" | "app_data" | "data" => {
            let ids = match call.name {
                "wrap" | "middleware" => layers::apply(evaluator, frame, arguments.first(), call.written.first()),
                "wrap_fn" => layers::by_function(evaluator, frame, arguments.first(), call.written.first()),
                _ => layers::known(arguments.first()),
            };
            add_layers(&mut router.own_layers, &ids);
        }
        _ => {}
    }
    Value::Router(Box::new(router))
}

fn configure<'a>(evaluator: &mut Evaluator<'a>, router: Router<'a>, arguments: &[Value<'a>]) -> Value<'a> {
    let shared = Rc::new(RefCell::new(router));
    if let Some(callee) = arguments.first() {
        match callee {
            Value::Name(name) => super::tokens::configure(evaluator, &shared, name),
            callee => {
                evaluator.call_value(callee, vec![Value::Shared(Rc::clone(&shared), String::new())]);
            }
        }
    }
    let changed = shared.borrow().clone();
    Value::Router(Box::new(changed))
}

/// Takes in what `service(..)` is given.
fn service<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    argument: Value<'a>,
    written: Option<&'a Expr>,
) {
    match argument {
        Value::Router(inner) => router.absorb(&Text::literal(""), *inner),
        Value::Tuple(values) | Value::List(values) => {
            for value in values {
                service(evaluator, frame, router, call, value, None);
            }
        }
        Value::Function(id) => attributed(evaluator, frame, router, id, written, call),
        _ => {}
    }
}

/// A handler whose attributes give method and path: `#[get("/x")]`.
fn attributed<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    id: super::super::names::FunctionId,
    written: Option<&'a Expr>,
    call: Method<'a>,
) {
    let info = evaluator.info(id);
    let place = written.map_or(call.place, |written| frame.place(written.span));
    let said = register::said_by(evaluator, info, "actix-web");
    for said in said {
        let Some(path) = said.path else { continue };
        let answers = said.methods.into_iter().map(|method| (method, Some(Answer::Function(id)), place)).collect();
        let methods = Methods { framework: router.framework, answers, layers: said.layers, ..Methods::default() };
        router.entries.extend(register::entries(evaluator, frame, &path, &methods, place));
    }
}

fn route<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    arguments: &[Value<'a>],
) {
    let (path, route) = match arguments {
        [path, route] => (path_text(Some(path)), route),
        [route] => (Text::literal(""), route),
        _ => return,
    };
    if let Value::Methods(methods) = route {
        router.entries.extend(register::entries(evaluator, frame, &path, methods, call.place));
    }
}

/// Methods of actix's `Route`.
pub fn route_method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut methods: Methods<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    let first = arguments.first();
    match call.name {
        "to" | "service" | "to_async" => {
            let who = first.and_then(|value| answer(frame, value, call.written.first()));
            for known in &mut methods.answers {
                known.1.clone_from(&who);
            }
        }
        "wrap" | "middleware" => {
            let ids = layers::apply(evaluator, frame, first, call.written.first());
            add_layers(&mut methods.layers, &ids);
        }
        "method" | "guard" => {
            let source = call.written.first().map_or("", |written| evaluator.source(frame.file, written.span));
            let named = register::methods_in(source);
            if let Some((_, who, place)) = methods.answers.first().cloned()
                && !named.is_empty()
            {
                methods.answers = named.into_iter().map(|method| (method, who.clone(), place)).collect();
            }
        }
        _ => {}
    }
    Value::Methods(Box::new(methods))
}

//! axum and what builds on it: aide, utoipa-axum, axum-extra, loco.

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Entry, Methods, Router, Text, Value, add_layers};
use super::{layers, register, start};
use crate::parse::rust::ast::{Expr, Literal, TokenKind};
use crate::scan::source::Place;

/// Constructors of routers and of handlers by method.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    match (call.owner, call.last) {
        ("Router" | "ApiRouter" | "OpenApiRouter", "new" | "default" | "with_openapi") => {
            evaluator.constructed.insert(call.place, "axum");
            Some(Value::Router(Box::new(Router::new("axum", call.place))))
        }
        ("Routes" | "AppRoutes", "new" | "empty" | "with_default_routes") => {
            evaluator.constructed.insert(call.place, "loco");
            Some(Value::Router(Box::new(loco_routes(frame, call))))
        }
        ("MethodRouter", "new") => Some(methods_value(Vec::new())),
        ("axum" | "serve", "serve") if call.krate == "axum" => {
            let address = start::address(arguments.get(..1).unwrap_or(&[]));
            start::serve(evaluator, frame, call.place, arguments.get(1)?, address, false)
        }
        ("lambda_http", "run") => start::serve(evaluator, frame, call.place, arguments.first()?, None, false),
        ("axum_server" | "Server", "bind" | "bind_rustls" | "bind_openssl" | "from_tcp" | "from_tcp_rustls") => {
            Some(start::bound(call.last, arguments))
        }
        ("SwaggerUi" | "Redoc" | "RapiDoc" | "Scalar", "new" | "with_url") => Some(documents(frame, call, arguments)),
        (_, "on" | "on_service") if call.krate == "axum" => {
            let methods = register::methods_in(evaluator.source(frame.file, call.written.first()?.span));
            let who = answer(frame, arguments.get(1)?, call.written.get(1));
            Some(methods_value(methods.into_iter().map(|method| (method, who.clone(), call.place)).collect()))
        }
        _ => method_constructor(frame, call, arguments),
    }
}

fn method_constructor<'a>(frame: &Frame<'a>, call: External<'_, 'a>, arguments: &[Value<'a>]) -> Option<Value<'a>> {
    let method = register::http_method(call.last)?;
    let module = matches!(call.owner, "routing" | "method_routing" | "method" | "") || call.owner == call.krate;
    if !module || arguments.is_empty() {
        return None;
    }
    let who = answer(frame, arguments.first()?, call.written.first());
    let mut methods = Methods { framework: "axum", ..Methods::default() };
    methods.answers.push((method.to_string(), who, call.place));
    methods.documented = call.krate == "aide";
    Some(Value::Methods(Box::new(methods)))
}

fn methods_value<'a>(answers: Vec<(String, Option<Answer<'a>>, Place)>) -> Value<'a> {
    Value::Methods(Box::new(Methods { framework: "axum", answers, ..Methods::default() }))
}

fn loco_routes<'a>(frame: &Frame<'a>, call: External<'_, 'a>) -> Router<'a> {
    let mut router = Router::new("loco", call.place);
    if call.last == "with_default_routes" {
        for path in ["/_ping", "/_health", "/_readiness"] {
            router.entries.push(library_entry(frame, call.place, "GET", path, "loco_rs::controller"));
        }
    }
    router
}

/// A route that a library answers.
pub fn library_entry<'a>(frame: &Frame<'a>, place: Place, method: &str, path: &str, name: &str) -> Entry<'a> {
    Entry {
        method: method.to_string(),
        path: path.to_string(),
        answer: Answer::Library(name.to_string()),
        place,
        layers: Vec::new(),
        development_only: frame.development,
        documented: false,
        partial: false,
    }
}

/// A user interface for an API document, at the path it is given.
pub fn documents<'a>(frame: &Frame<'a>, call: External<'_, 'a>, arguments: &[Value<'a>]) -> Value<'a> {
    let framework = if call.family == "axum" { "axum" } else { "actix-web" };
    let mut router = Router::new(framework, call.place);
    let text = match call.last {
        "with_url" => arguments.iter().find_map(|value| value.text().filter(|text| text.text.starts_with('/'))),
        _ => arguments.first().and_then(Value::text),
    };
    if let Some(text) = text {
        router.entries.push(library_entry(frame, call.place, "GET", &text.text, call.owner));
    }
    Value::Router(Box::new(router))
}

/// Methods of routers.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut router: Router<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        "route"
        | "route_with_tsr"
        | "route_service_with_tsr"
        | "api_route"
        | "api_route_with"
        | "api_route_docs"
        | "route_service"
        | "add" => {
            route(evaluator, frame, &mut router, call, &arguments);
        }
        "routes" | "add_routes" => routes(evaluator, frame, &mut router, call, arguments),
        "url" | "openapi" | "external_url_unchecked" => {
            let path = path_text(arguments.first());
            if path.text.starts_with('/') {
                router.entries.push(library_entry(frame, call.place, "GET", &path.text, "openapi"));
            }
        }
        "nest" | "nest_api_service" | "nest_service" | "nest_route" => {
            nest(evaluator, frame, &mut router, call, &arguments);
        }
        "merge" | "add_route" => merge(evaluator, &mut router, call, arguments),
        "prefix" => router.prefix = path_text(arguments.first()).text,
        "fallback" | "fallback_service" => {
            let inner =
                arguments.first().cloned().filter(|value| matches!(value, Value::Struct(..) | Value::Router(_)));
            if let Some(Value::Router(inner)) = inner.and_then(|value| served(evaluator, value, call.place)) {
                router.absorb(&Text::literal(""), *inner);
            }
            router.fallback =
                Some((call.place, arguments.first().and_then(|v| answer(frame, v, call.written.first()))));
        }
        "layer" | "route_layer" => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            router.cover(&ids);
        }
        "split_for_parts" => return Value::Tuple(vec![Value::Router(Box::new(router)), Value::Unknown]),
        name if name.starts_with("typed_") => typed(evaluator, frame, &mut router, call, &arguments),
        _ => {}
    }
    Value::Router(Box::new(router))
}

fn route<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    arguments: &[Value<'a>],
) {
    let path = path_text(arguments.first());
    let Some(value) = arguments.get(1) else { return };
    match value {
        Value::Methods(methods) => {
            let mut methods = (**methods).clone();
            methods.documented |= call.name.starts_with("api_route");
            router.entries.extend(register::entries(evaluator, frame, &path, &methods, call.place));
        }
        Value::Router(inner) => router.absorb(&path, (**inner).clone()),
        other => {
            let who = answer(frame, other, call.written.get(1));
            let methods = Methods {
                framework: "axum",
                answers: vec![("ANY".to_string(), who, call.place)],
                ..Methods::default()
            };
            router.entries.extend(register::entries(evaluator, frame, &path, &methods, call.place));
        }
    }
}

fn routes<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) {
    for argument in arguments {
        match argument {
            Value::List(values) => routes(evaluator, frame, router, call, values),
            Value::Methods(methods) => {
                let path = methods.path.clone().unwrap_or_default();
                router.entries.extend(register::entries(evaluator, frame, &path, &methods, call.place));
            }
            Value::Router(inner) => router.absorb(&Text::literal(""), *inner),
            _ => {}
        }
    }
}

fn nest<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    arguments: &[Value<'a>],
) {
    let prefix = path_text(arguments.first());
    let inner = arguments.get(1).cloned().unwrap_or_default();
    match served(evaluator, inner, call.place) {
        Some(Value::Router(inner)) => router.absorb(&prefix, *inner),
        Some(Value::Methods(methods)) => {
            let path = Text { text: super::paths::join(&prefix.text, "/{*path}"), ..prefix };
            router.entries.extend(register::entries(evaluator, frame, &path, &methods, call.place));
        }
        other => {
            let value = other.unwrap_or_default();
            let name = match answer(frame, &value, call.written.get(1)) {
                Some(Answer::Library(name)) => name,
                _ => call.name.to_string(),
            };
            if call.name == "nest_service" {
                let path = super::paths::join(&prefix.text, "/{*path}");
                router.entries.push(library_entry(frame, call.place, "ANY", &path, &name));
            }
        }
    }
}

/// The router inside a value: of a struct of the tree that is a `Service`, what its `call` hands requests to.
fn served<'a>(evaluator: &mut Evaluator<'a>, value: Value<'a>, place: Place) -> Option<Value<'a>> {
    let inside = |value: &Value<'a>| start::router_of(value, place).map(|router| Value::Router(Box::new(router)));
    let Value::Struct(ty, _) = &value else {
        return match value {
            Value::Tuple(_) | Value::List(_) => inside(&value),
            other => Some(other),
        };
    };
    let own = evaluator.names.methods_of(ty).iter().copied();
    let call = own.into_iter().find(|id| evaluator.info(*id).item.name == "call");
    let result = call.map(|call| evaluator.call(call, Some(value.clone()), Vec::new()));
    result.as_ref().and_then(inside).or_else(|| inside(&value)).or(Some(value))
}

fn merge<'a>(evaluator: &mut Evaluator<'a>, router: &mut Router<'a>, call: Method<'a>, arguments: Vec<Value<'a>>) {
    let none = Text::literal("");
    for argument in arguments {
        match argument {
            Value::Router(inner) => router.absorb(&none, *inner),
            Value::List(values) => merge(evaluator, router, call, values),
            Value::Struct(..) => {
                if let Some(Value::Router(inner)) = served(evaluator, argument, call.place) {
                    router.absorb(&none, *inner);
                }
            }
            _ => {}
        }
    }
}

/// Methods of `MethodRouter`.
pub fn methods<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut methods: Methods<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    let first = arguments.first();
    match call.name {
        "layer" | "route_layer" => {
            let ids = layers::apply(evaluator, frame, first, call.written.first());
            add_layers(&mut methods.layers, &ids);
        }
        "on" | "on_service" => {
            let source = call.written.first().map_or("", |written| evaluator.source(frame.file, written.span));
            let who = arguments.get(1).and_then(|value| answer(frame, value, call.written.get(1)));
            let named = register::methods_in(source).into_iter().map(|method| (method, who.clone(), call.place));
            methods.answers.extend(named);
        }
        "merge" => {
            if let Some(Value::Methods(other)) = first {
                methods.answers.extend(other.answers.clone());
            }
        }
        name => {
            if let (Some(method), Some(value)) = (register::http_method(name), first) {
                let who = answer(frame, value, call.written.first());
                methods.answers.push((method.to_string(), who, call.place));
            }
        }
    }
    Value::Methods(Box::new(methods))
}

/// `typed_get(handler)` of axum-extra: the path is an attribute of the handler's first parameter's type.
fn typed<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    arguments: &[Value<'a>],
) {
    let Some(method) = register::http_method(call.name.trim_start_matches("typed_")) else { return };
    let Some(Value::Function(id)) = arguments.first() else { return };
    let info = evaluator.info(*id);
    let path = info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref()).find_map(|ty| {
        let item = evaluator.names.item_at(&evaluator.names.resolve(info.module, &ty.path))?;
        let attribute = item.item.attributes.iter().find(|attribute| attribute.path.is("typed_path"))?;
        attribute.tokens.iter().find_map(|token| match &token.kind {
            TokenKind::Literal(Literal::Text(text)) => Some(Text::literal(text)),
            _ => None,
        })
    });
    let Some(path) = path else { return };
    let methods = Methods {
        framework: "axum",
        answers: vec![(method.to_string(), Some(Answer::Function(*id)), call.place)],
        ..Methods::default()
    };
    router.entries.extend(register::entries(evaluator, frame, &path, &methods, call.place));
}

/// The handlers of utoipa-axum's `routes!(a, b)`: method and path stand in their attributes.
pub fn routes_macro<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, handlers: &[&'a Expr]) -> Value<'a> {
    let mut all = Vec::new();
    for handler in handlers {
        let Value::Function(id) = evaluator.eval(frame, handler) else { continue };
        let info = evaluator.info(id);
        for said in register::said_by(evaluator, info, "axum") {
            let place = frame.place(handler.span);
            let answers = said.methods.into_iter().map(|method| (method, Some(Answer::Function(id)), place)).collect();
            let methods = Methods { framework: "axum", answers, path: said.path, documented: true, layers: Vec::new() };
            all.push(Value::Methods(Box::new(methods)));
        }
    }
    Value::List(all)
}

//! Rocket: attribute routes, mounts, catchers, fairings.

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Methods, Router, Text, Value, add_layers};
use super::{axum, layers, register, text};
use crate::parse::rust::ast::{Expr, ExprKind, MacroCall};

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    match (call.owner, call.last) {
        ("rocket" | "Rocket", "build" | "custom" | "ignite") => {
            evaluator.constructed.insert(call.place, "rocket");
            let mut router = Router::new("rocket", call.place);
            add_layers(&mut router.own_layers, &layers::known(arguments.first()));
            Some(Value::Router(Box::new(router)))
        }
        ("AdHoc", "on_ignite" | "try_on_ignite" | "on_attach") => {
            let router = Value::Router(Box::new(Router::new("rocket", call.place)));
            match evaluator.call_value(arguments.get(1)?, vec![router]) {
                Value::Router(stage) if !stage.entries.is_empty() || !stage.own_layers.is_empty() => {
                    Some(Value::Router(stage))
                }
                _ => None,
            }
        }
        ("Route", "new" | "ranked") => {
            let arguments = if call.last == "ranked" { arguments.get(1..)? } else { arguments };
            let written = call.written.get(call.written.len() - arguments.len()..)?;
            let methods = register::methods_in(evaluator.source(frame.file, written.first()?.span));
            let who = answer(frame, arguments.get(2)?, written.get(2));
            Some(Value::Methods(Box::new(Methods {
                framework: "rocket",
                answers: vec![(methods.into_iter().next()?, who, call.place)],
                path: Some(path_text(arguments.get(1))),
                ..Methods::default()
            })))
        }
        ("FileServer", _) => {
            let mut router = Router::new("rocket", call.place);
            router.entries.push(axum::library_entry(frame, call.place, "GET", "/<path..>", "FileServer"));
            Some(Value::Router(Box::new(router)))
        }
        (_, "make_swagger_ui" | "make_rapidoc") => {
            let mut router = Router::new("rocket", call.place);
            router.entries.push(axum::library_entry(frame, call.place, "GET", "/", call.last));
            Some(Value::Router(Box::new(router)))
        }
        _ => None,
    }
}

/// Methods of a rocket.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut router: Router<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        "mount" => {
            let base = path_text(arguments.first());
            if let Some(value) = arguments.into_iter().nth(1) {
                mount(evaluator, frame, &mut router, &base, value);
            }
        }
        "register" => {
            router.fallback.get_or_insert((call.place, None));
        }
        "attach" => match arguments.first() {
            // `AdHoc::on_ignite("..", |rocket| ..)` may mount routes.
            Some(Value::Router(stage)) => stage_of(&mut router, (**stage).clone()),
            first => {
                if let Some(stage) = ignited(evaluator, first, call) {
                    stage_of(&mut router, stage);
                }
                let ids = layers::apply(evaluator, frame, first, call.written.first());
                add_layers(&mut router.own_layers, &ids);
            }
        },
        "configure" => add_layers(&mut router.own_layers, &layers::known(arguments.first())),
        _ => {}
    }
    Value::Router(Box::new(router))
}

/// rocket_okapi's `mount_endpoints_and_merged_docs! { rocket, base, settings, "/users" => users::routes(), .. }`.
pub fn mount_merged<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, call: &'a MacroCall) -> Value<'a> {
    let plain: Vec<&'a Expr> =
        call.arguments.iter().filter(|argument| argument.name.is_none()).map(|argument| &argument.value).collect();
    let [rocket, base, ..] = plain.as_slice() else { return Value::Unknown };
    let Value::Router(mut router) = evaluator.eval(frame, rocket) else { return Value::Unknown };
    let base = evaluator.eval(frame, base);
    for argument in &call.arguments {
        let Some(path) = &argument.name else { continue };
        let prefix = text::concatenate(&[base.clone(), Value::Text(Text::literal(path))]);
        let value = evaluator.eval(frame, &argument.value);
        mount(evaluator, frame, &mut router, &path_text(Some(&prefix)), value);
    }
    if let ExprKind::Path(path) = &*rocket.kind {
        frame.set(path.last(), Value::Router(router));
    }
    Value::Unknown
}

/// Takes in what a stage mounts; its fairings see all requests.
fn stage_of<'a>(router: &mut Router<'a>, stage: Router<'a>) {
    add_layers(&mut router.own_layers, &stage.own_layers);
    router.absorb(&Text::literal(""), stage);
}

/// What a fairing of the tree mounts in its `on_ignite`.
fn ignited<'a>(evaluator: &mut Evaluator<'a>, fairing: Option<&Value<'a>>, call: Method<'a>) -> Option<Router<'a>> {
    let (Value::Struct(ty, _) | Value::Name(ty)) = fairing? else { return None };
    let names = evaluator.names;
    let ignite = names.methods_of(ty).iter().find(|id| evaluator.info(**id).item.name == "on_ignite")?;
    let router = Value::Router(Box::new(Router::new("rocket", call.place)));
    match evaluator.call(*ignite, fairing.cloned(), vec![router]) {
        Value::Router(stage) if !stage.entries.is_empty() => Some(*stage),
        _ => None,
    }
}

fn mount<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    base: &Text,
    value: Value<'a>,
) {
    match value {
        Value::List(values) | Value::Tuple(values) => {
            for value in values {
                mount(evaluator, frame, router, base, value);
            }
        }
        Value::Router(inner) => router.absorb(base, *inner),
        // What counts requests shows the counts too: `mount("/metrics", prometheus)`.
        Value::Layers(ids) => {
            let found = ids.iter().map(|id| &evaluator.layers[id.0]).find(|layer| layer.is("metrics"));
            if let Some((place, library)) = found.and_then(|layer| Some((layer.place?, layer.library.clone()))) {
                router.entries.push(axum::library_entry(frame, place, "GET", &base.text, &library));
            }
        }
        // A type that turns into routes: `impl Into<Vec<Route>>`.
        Value::Struct(ty, fields) => {
            let names = evaluator.names;
            let into = names.methods_of(&ty).iter().copied().find(|id| evaluator.info(*id).item.name == "into");
            if let Some(into) = into {
                let value = evaluator.call(into, Some(Value::Struct(ty, fields)), Vec::new());
                if matches!(value, Value::List(_) | Value::Methods(_)) {
                    mount(evaluator, frame, router, base, value);
                }
            }
        }
        Value::Methods(methods) => {
            let mut path = methods.path.clone().unwrap_or_default();
            // "/" under a base is the base itself, with its slash.
            path.text = super::paths::join(&base.text, &path.text);
            path.complete &= base.complete || !base.text.is_empty();
            let place = methods.answers.first().map(|(_, _, place)| *place);
            if let Some(place) = place {
                router.entries.extend(register::entries(evaluator, frame, &path, &methods, place));
            }
        }
        _ => {}
    }
}

/// The routes of `routes![a, b]`, which are `#[get("/x")]` on the functions.
pub fn routes_macro<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    handlers: &[&'a Expr],
    documented: bool,
) -> Value<'a> {
    let mut all = Vec::new();
    for handler in handlers {
        let Value::Function(id) = evaluator.eval(frame, handler) else { continue };
        let info = evaluator.info(id);
        for said in register::said_by(evaluator, info, "rocket") {
            let place = frame.place(handler.span);
            let answers = said.methods.into_iter().map(|method| (method, Some(Answer::Function(id)), place)).collect();
            all.push(Value::Methods(Box::new(Methods {
                framework: "rocket",
                answers,
                path: said.path,
                documented,
                layers: Vec::new(),
            })));
        }
    }
    Value::List(all)
}

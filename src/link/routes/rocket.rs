//! Rocket: attribute routes, mounts, catchers, fairings.

use super::calls::External;
use super::chains::{Method, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Methods, Router, Text, Value, add_layers};
use super::{axum, layers, register};
use crate::parse::rust::ast::Expr;

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
            Some(Value::Router(stage)) => router.absorb(&Text::literal(""), (**stage).clone()),
            first => {
                let ids = layers::apply(evaluator, frame, first, call.written.first());
                add_layers(&mut router.own_layers, &ids);
            }
        },
        "configure" => add_layers(&mut router.own_layers, &layers::known(arguments.first())),
        _ => {}
    }
    Value::Router(Box::new(router))
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

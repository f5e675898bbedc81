//! salvo: routers that are pushed into each other.

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Methods, Router, Text, Value, add_layers};
use super::{layers, paths, register};

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    if call.owner != "Router" || !matches!(call.last, "new" | "with_path" | "with_hoop" | "default" | "with_filter") {
        return None;
    }
    evaluator.constructed.insert(call.place, "salvo");
    let mut router = Router::new("salvo", call.place);
    match call.last {
        "with_path" => set_path(&mut router, &path_text(arguments.first())),
        "with_hoop" => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            add_layers(&mut router.own_layers, &ids);
        }
        _ => {}
    }
    Some(Value::Router(Box::new(router)))
}

fn set_path(router: &mut Router<'_>, path: &Text) {
    router.prefix = paths::join(&router.prefix, &path.text);
    router.partial |= !path.complete;
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
        "path" => set_path(&mut router, &path_text(arguments.first())),
        "push" | "append" | "unshift" => {
            for argument in arguments {
                push(&mut router, argument);
            }
        }
        "then" => {
            let Some(callee) = arguments.first() else { return Value::Router(Box::new(router)) };
            let before = router.clone();
            return match evaluator.call_value(callee, vec![Value::Router(Box::new(router))]) {
                Value::Router(changed) => Value::Router(changed),
                _ => Value::Router(Box::new(before)),
            };
        }
        "hoop" | "hoop_when" => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            if call.name == "hoop_when" {
                for id in &ids {
                    evaluator.layers[id.0].conditional = true;
                }
            }
            add_layers(&mut router.own_layers, &ids);
        }
        "catcher" => router.fallback = Some((call.place, None)),
        "goal" | "handle" => register_handler(evaluator, frame, &mut router, call, "ANY", &arguments),
        name => {
            if let (Some(method), false) = (register::http_method(name), arguments.is_empty()) {
                register_handler(evaluator, frame, &mut router, call, method, &arguments);
            }
        }
    }
    Value::Router(Box::new(router))
}

fn push<'a>(router: &mut Router<'a>, value: Value<'a>) {
    match value {
        Value::Router(inner) => router.absorb(&Text::literal(""), *inner),
        Value::List(values) => values.into_iter().for_each(|value| push(router, value)),
        _ => {}
    }
}

fn register_handler<'a>(
    evaluator: &Evaluator<'a>,
    frame: &Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    method: &str,
    arguments: &[Value<'a>],
) {
    let who = arguments.first().and_then(|value| answer(frame, value, call.written.first()));
    let answers = vec![(method.to_string(), who, call.place)];
    let methods = Methods { framework: "salvo", answers, ..Methods::default() };
    router.entries.extend(register::entries(evaluator, frame, &Text::literal(""), &methods, call.place));
}

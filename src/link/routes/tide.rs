//! tide: a server that is changed through `at(..)`.

use std::cell::RefCell;
use std::rc::Rc;

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Methods, Router, Shared, Text, Value, add_layers};
use super::{layers, paths, register};

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    _frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    _arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    let made = matches!((call.owner, call.last), ("tide" | "Server", "new" | "with_state"));
    made.then(|| {
        evaluator.constructed.insert(call.place, "tide");
        Value::Shared(Rc::new(RefCell::new(Router::new("tide", call.place))), String::new())
    })
}

/// Methods of servers and of `at(..)`.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    shared: Shared<'a>,
    prefix: String,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        "at" => {
            let prefix = paths::join(&prefix, &path_text(arguments.first()).text);
            return Value::Shared(shared, prefix);
        }
        "nest" => match arguments.first() {
            Some(Value::Shared(inner, _)) if !Rc::ptr_eq(inner, &shared) => {
                let inner = inner.borrow().clone();
                shared.borrow_mut().absorb(&Text::literal(&prefix), inner);
            }
            _ => {}
        },
        "with" => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            add_layers(&mut shared.borrow_mut().own_layers, &ids);
        }
        "serve_dir" | "serve_file" => {
            let path = if call.name == "serve_dir" { paths::join(&prefix, "/*path") } else { prefix.clone() };
            let entry = super::axum::library_entry(frame, call.place, "GET", &path, "tide::serve_dir");
            shared.borrow_mut().entries.push(entry);
        }
        name => {
            let method = if name == "all" { Some("ANY") } else { register::http_method(name) };
            if let (Some(method), Some(value)) = (method, arguments.first()) {
                let who = answer(frame, value, call.written.first());
                let answers = vec![(method.to_string(), who, call.place)];
                let methods = Methods { framework: "tide", answers, ..Methods::default() };
                let entries = register::entries(evaluator, frame, &Text::literal(&prefix), &methods, call.place);
                shared.borrow_mut().entries.extend(entries);
            }
        }
    }
    Value::Shared(shared, prefix)
}

//! warp: filters that are combined with `and` and `or`.

use super::calls::External;
use super::chains::{Method, answer, path_text};
use super::evaluate::{Evaluator, Frame};
use super::value::{Alternative, Answer, Entry, Router, Value, add_layers};
use super::{layers, paths, register};
use crate::parse::rust::ast::{Literal, MacroCall, TokenKind};
use crate::scan::source::Place;

/// Most alternatives that a filter is followed into.
const MAX_ALTERNATIVES: usize = 2_000;

/// Constructors of filters.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    if let ("warp", "service") = (call.owner, call.last) {
        // Handed to a server of hyper's.
        return super::start::serve(evaluator, frame, call.place, arguments.first()?, None, false);
    }
    if let ("warp", "serve") = (call.owner, call.last) {
        evaluator.constructed.insert(call.place, "warp");
        return arguments.first().cloned();
    }
    let mut one = Alternative::default();
    match (call.owner, call.last) {
        (_, "path") => {
            one.has_path = true;
            one.path = paths::join("/", &path_text(arguments.first()).text);
        }
        ("path", "end") => one.has_path = true,
        ("path", "param") => {
            one.has_path = true;
            one.path = "/{param}".to_string();
        }
        ("path", "tail" | "full" | "peek") => {
            one.has_path = call.last == "tail";
            one.path = if one.has_path { "/{*tail}".to_string() } else { String::new() };
        }
        ("fs", "dir" | "file") | ("warp", "fs") => {
            let path = if call.last == "dir" { "/{*path}" } else { "" };
            one = Alternative {
                path: path.to_string(),
                has_path: true,
                method: Some("GET".to_string()),
                answer: Some(Answer::Library("warp::fs".to_string())),
                place: Some(call.place),
                layers: Vec::new(),
            };
        }
        ("warp" | "method", method) if register::http_method(method).is_some() && arguments.is_empty() => {
            one.method = register::http_method(method).map(str::to_string);
        }
        ("warp", "any") | ("any", "any") => {}
        _ => return None,
    }
    if call.last == "any" {
        one.method = None;
    }
    Some(Value::Filter(vec![one]))
}

/// `warp::path!("a" / String / "b")`; with `..` at the end it is a prefix.
pub fn path_macro<'a>(_evaluator: &mut Evaluator<'a>, _frame: &mut Frame<'a>, call: &MacroCall) -> Value<'a> {
    let mut path = String::new();
    let mut named = false;
    for token in &call.tokens {
        match &token.kind {
            TokenKind::Literal(Literal::Text(text)) => {
                path = paths::join(&path, &format!("/{text}"));
                named = false;
            }
            TokenKind::Ident(_) if !named => {
                path.push_str("/{param}");
                named = true;
            }
            TokenKind::Punct('/') => named = false,
            _ => {}
        }
    }
    Value::Filter(vec![Alternative { path, has_path: true, ..Alternative::default() }])
}

/// Methods of filters.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut alternatives: Vec<Alternative<'a>>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        "and" => {
            if let Some(Value::Filter(others)) = arguments.into_iter().next() {
                alternatives = both(&alternatives, &others);
            }
        }
        "or" => {
            if let Some(Value::Filter(others)) = arguments.into_iter().next() {
                alternatives.extend(others);
            }
        }
        "map" | "and_then" | "then" | "untuple_one" => {
            let who = arguments.first().and_then(|value| answer(frame, value, call.written.first()));
            for one in alternatives.iter_mut().filter(|one| one.answer.is_none()) {
                if call.name != "untuple_one" {
                    one.answer.clone_from(&who);
                    one.place = Some(call.place);
                }
            }
        }
        "with" => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            for one in &mut alternatives {
                add_layers(&mut one.layers, &ids);
            }
        }
        _ => {}
    }
    alternatives.truncate(MAX_ALTERNATIVES);
    Value::Filter(alternatives)
}

fn both<'a>(first: &[Alternative<'a>], second: &[Alternative<'a>]) -> Vec<Alternative<'a>> {
    let mut all = Vec::new();
    for a in first {
        for b in second {
            if all.len() >= MAX_ALTERNATIVES {
                return all;
            }
            let mut one = a.clone();
            one.path = paths::join(&a.path, &b.path);
            one.has_path |= b.has_path;
            one.method = b.method.clone().or(one.method);
            // Only an answer that stands after a path is one; filters that extract something are mapped too.
            one.answer = b.answer.clone().filter(|_| b.has_path);
            one.place = b.place.or(a.place);
            add_layers(&mut one.layers, &b.layers);
            all.push(one);
        }
    }
    all
}

/// The routes of a filter that is served.
pub fn router<'a>(alternatives: &[Alternative<'a>], place: Place) -> Router<'a> {
    let mut router = Router::new("warp", place);
    for one in alternatives {
        let Some(who) = &one.answer else { continue };
        if !one.has_path && one.method.is_none() {
            router.fallback = Some((one.place.unwrap_or(place), Some(who.clone())));
            continue;
        }
        router.entries.push(Entry {
            method: one.method.clone().unwrap_or_else(|| "ANY".to_string()),
            path: one.path.clone(),
            answer: who.clone(),
            place: one.place.unwrap_or(place),
            layers: one.layers.clone(),
            development_only: false,
            documented: false,
            partial: false,
        });
    }
    router
}

//! Lists of routes: Rocket's `routes![..]` and vectors of routers that are appended and joined.

use super::evaluate::Evaluator;
use super::value::Value;
use super::{calls, text, unite};

/// A method of a list: its value, and the list after it where it changes the list.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    mut values: Vec<Value<'a>>,
    name: &str,
    arguments: Vec<Value<'a>>,
) -> (Value<'a>, Option<Value<'a>>) {
    match name {
        "append" | "extend" | "extend_from_slice" => {
            for argument in arguments {
                match argument {
                    Value::List(more) => values.extend(more),
                    Value::Unknown => {}
                    other => values.push(other),
                }
            }
            (Value::Unknown, Some(Value::List(values)))
        }
        "push" | "insert" | "push_back" => {
            values.extend(arguments.into_iter().filter(|value| !value.is_unknown()));
            (Value::Unknown, Some(Value::List(values)))
        }
        "concat" if !values.is_empty() && !values.iter().any(|value| matches!(value, Value::List(_))) => {
            (text::concatenate(&values), None)
        }
        "join" if !values.is_empty() => (join(&values, &arguments), None),
        "concat" | "flatten" => (Value::List(values.into_iter().flat_map(elements).collect()), None),
        "chain" => {
            values.extend(arguments.into_iter().flat_map(elements));
            (Value::List(values), None)
        }
        "zip" => (Value::List(zip(values, arguments)), None),
        "enumerate" => {
            (Value::List(values.into_iter().map(|value| Value::Tuple(vec![Value::Unknown, value])).collect()), None)
        }
        "fold" => (fold(evaluator, values, arguments), None),
        "map" | "for_each" | "flat_map" => {
            let Some(callee) = arguments.into_iter().next() else { return (Value::List(values), None) };
            let results = values.into_iter().map(|value| evaluator.call_value(&callee, vec![value]));
            (Value::List(results.collect()), None)
        }
        "first" | "last" | "pop" | "get" | "remove" | "next" | "swap_remove" => {
            (values.into_iter().fold(Value::Unknown, |a, b| unite::unite(evaluator, a, b)), None)
        }
        "len" | "is_empty" | "contains" => (Value::Unknown, None),
        _ => {
            calls::run_closures(evaluator, &arguments);
            (Value::List(values), None)
        }
    }
}

fn elements(value: Value<'_>) -> Vec<Value<'_>> {
    match value {
        Value::List(values) => values,
        Value::Unknown => Vec::new(),
        other => vec![other],
    }
}

/// Pairs; where one side is shorter or unknown, its elements are unknown.
fn zip<'a>(values: Vec<Value<'a>>, arguments: Vec<Value<'a>>) -> Vec<Value<'a>> {
    let others = arguments.into_iter().next().map(elements).unwrap_or_default();
    let length = values.len().max(others.len());
    let (mut values, mut others) = (values.into_iter(), others.into_iter());
    (0..length)
        .map(|_| Value::Tuple(vec![values.next().unwrap_or_default(), others.next().unwrap_or_default()]))
        .collect()
}

fn join<'a>(values: &[Value<'a>], arguments: &[Value<'a>]) -> Value<'a> {
    let separator = arguments.first().cloned().unwrap_or_default();
    let mut parts = Vec::new();
    for value in values {
        if !parts.is_empty() {
            parts.push(separator.clone());
        }
        parts.push(value.clone());
    }
    text::concatenate(&parts)
}

fn fold<'a>(evaluator: &mut Evaluator<'a>, values: Vec<Value<'a>>, arguments: Vec<Value<'a>>) -> Value<'a> {
    let mut arguments = arguments.into_iter();
    let (Some(mut all), Some(callee)) = (arguments.next(), arguments.next()) else { return Value::Unknown };
    for value in values.into_iter().take(200) {
        let before = all.clone();
        let result = evaluator.call_value(&callee, vec![all, value]);
        all = if result.is_unknown() { before } else { result };
    }
    all
}

//! Macro calls: route lists, strings, and whatever code their bodies hold.

use super::evaluate::{Evaluator, Frame};
use super::reparse::Rule;
use super::unite::unite;
use super::value::{Text, Value};
use super::{axum, rocket, text, warp};
use crate::parse::rust::ast::{Expr, MacroCall};

/// The value of a macro call.
pub fn call<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, call: &'a MacroCall) -> Value<'a> {
    match call.path.last() {
        "routes" | "openapi_get_routes" | "openapi_get_spec" | "openapi_get_routes_spec" => {
            let handlers: Vec<&'a Expr> = call.arguments.iter().map(|argument| &argument.value).collect();
            route_list(evaluator, frame, call, &handlers)
        }
        "mount_endpoints_and_merged_docs" => rocket::mount_merged(evaluator, frame, call),
        "catchers" => Value::Unknown,
        "vec" | "services" | "smallvec" | "array" => {
            Value::List(call.arguments.iter().map(|argument| evaluator.eval(frame, &argument.value)).collect())
        }
        "format" | "formatcp" | "const_format" => text::format(evaluator, frame, call),
        "concat" | "concatcp" | "concatc" => {
            let parts: Vec<Value<'a>> =
                call.arguments.iter().map(|argument| evaluator.eval(frame, &argument.value)).collect();
            text::concatenate(&parts)
        }
        "env" | "option_env" => Value::Text(Text { configured: true, ..Text::default() }),
        "path"
            if call.path.segments.first().is_some_and(|first| first == "warp") || is_warp(evaluator, frame, call) =>
        {
            warp::path_macro(evaluator, frame, call)
        }
        _ => other(evaluator, frame, call),
    }
}

fn is_warp<'a>(evaluator: &Evaluator<'a>, frame: &Frame<'a>, call: &MacroCall) -> bool {
    evaluator.resolve(frame, &call.path.segments).starts_with("warp::")
}

fn route_list<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: &'a MacroCall,
    handlers: &[&'a Expr],
) -> Value<'a> {
    let resolved = evaluator.resolve(frame, &call.path.segments);
    let krate = resolved.split("::").next().unwrap_or("");
    let is_rocket = match krate {
        "rocket" | "rocket_okapi" => true,
        "utoipa_axum" => false,
        _ => super::calls::package_family(evaluator, frame) == Some("rocket"),
    };
    if !is_rocket {
        return axum::routes_macro(evaluator, frame, handlers);
    }
    let documented = call.path.last().starts_with("openapi");
    // `openapi_get_routes_spec![settings: a, b]` names its settings first.
    let list = rocket::routes_macro(evaluator, frame, handlers, documented);
    match call.path.last() {
        "openapi_get_routes_spec" => Value::Tuple(vec![list, Value::Unknown]),
        _ => list,
    }
}

/// A macro of the tree runs its body; of any other, the arguments and the code that its tokens hold are evaluated.
fn other<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, call: &'a MacroCall) -> Value<'a> {
    let reparsed = evaluator.reparsed;
    if let Some(rules) = reparsed.rules(call.path.last()) {
        let arguments: Vec<Value<'a>> =
            call.arguments.iter().map(|argument| evaluator.eval(frame, &argument.value)).collect();
        let mut all = Value::Unknown;
        for rule in rules {
            let value = expand(evaluator, frame, rule, &arguments);
            all = unite(evaluator, all, value);
        }
        return all;
    }
    let mut found = Value::Unknown;
    let mut parts = Vec::new();
    for argument in &call.arguments {
        let value = evaluator.eval(frame, &argument.value);
        if found.is_unknown() && value.matters() {
            found = value.clone();
        }
        parts.push(value);
    }
    // `join!(a, b)` gives a tuple.
    if matches!(call.path.last(), "join" | "try_join") { Value::Tuple(parts) } else { found }
}

/// Runs a macro's body where it is called: names are those of the caller, places those of the definition.
fn expand<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    rule: &'a Rule,
    arguments: &[Value<'a>],
) -> Value<'a> {
    const MAX_SCOPES: usize = 100;
    if frame.scopes.len() > MAX_SCOPES {
        return Value::Unknown;
    }
    let outer = std::mem::replace(&mut frame.file, rule.file);
    let missing = std::iter::repeat_with(|| Value::Unknown);
    let values = arguments.iter().cloned().chain(missing);
    frame.scopes.push(rule.parameters.iter().cloned().zip(values).collect());
    let value = evaluator.block(frame, &rule.body);
    frame.scopes.pop();
    frame.file = outer;
    value
}

//! Template expressions: as much of Go templates as chart authors use to hand values through.

use std::sync::Arc;

use super::blocks::{Blocks, Guard};
use super::chart::Chart;
use crate::parse::document::{Node, Value};
use crate::scan::source::Span;

/// What an expression comes to.
#[derive(Clone, PartialEq, Debug)]
pub enum Known {
    /// This value.
    Value(Arc<Node>),
    /// Nothing: the values do not have it.
    Missing,
    /// Only an install tells.
    Unknown,
}

/// Where an expression stands.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The chart.
    pub chart: &'a Chart,
    /// The blocks of its template.
    pub blocks: &'a Blocks,
    /// How deep parentheses, variables and `with` have been followed.
    pub depth: usize,
}

/// Expressions nested deeper than this are left unknown.
const DEPTH: usize = 12;

fn text(text: impl Into<String>) -> Known {
    let value = Value::Text { text: text.into().into(), quoted: true };
    Known::Value(Arc::new(Node { span: Span::default(), value, tag: None }))
}

fn flag(flag: bool) -> Known {
    Known::Value(Arc::new(Node { span: Span::default(), value: Value::Flag(flag), tag: None }))
}

/// The value of a pipeline at an offset of the template.
pub fn evaluate(expression: &str, scope: &Scope<'_>, offset: usize) -> Known {
    if scope.depth > DEPTH {
        return Known::Unknown;
    }
    let scope = Scope { depth: scope.depth + 1, ..*scope };
    let mut stages = split(expression, '|').into_iter();
    let Some(first) = stages.next() else { return Known::Unknown };
    let mut value = command(first.trim(), None, &scope, offset);
    for stage in stages {
        value = command(stage.trim(), Some(value), &scope, offset);
    }
    value
}

/// Go's truth of a value.
pub fn truth(value: &Known) -> Guard {
    match value {
        Known::Unknown => Guard::Unknown,
        Known::Missing => Guard::No,
        Known::Value(node) if is_empty(node) => Guard::No,
        Known::Value(node) if node.is_unresolved() => Guard::Unknown,
        Known::Value(_) => Guard::Yes,
    }
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Null => true,
        Value::Flag(flag) => !flag,
        Value::Number(number) => *number == 0.0,
        Value::Text { text, .. } => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Unresolved(_) => false,
    }
}

/// Splits at a character outside quotes and parentheses.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    for (offset, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) if character == at && depth == 0 => {
                parts.push(&text[start..offset]);
                start = offset + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn words(text: &str) -> Vec<&str> {
    split(text, ' ').into_iter().map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// One command of a pipeline; the piped value is its last argument.
fn command(source: &str, piped: Option<Known>, scope: &Scope<'_>, offset: usize) -> Known {
    let words = words(source);
    let Some((name, rest)) = words.split_first() else { return Known::Unknown };
    let mut arguments: Vec<Known> = rest.iter().map(|word| operand(word, scope, offset)).collect();
    arguments.extend(piped);
    if arguments.is_empty() && !is_function(name) {
        return operand(name, scope, offset);
    }
    call(name, &arguments)
}

fn is_function(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !matches!(name, "true" | "false" | "nil")
}

fn call(name: &str, arguments: &[Known]) -> Known {
    let last = arguments.last().cloned().unwrap_or(Known::Unknown);
    match name {
        "default" => default(arguments),
        "coalesce" => coalesce(arguments),
        "required" | "toYaml" | "nindent" | "indent" | "toString" | "int" | "int64" | "float64" | "quote"
        | "squote" | "trim" | "tpl" | "toRawJson" | "toJson" | "nospace" => through(name, arguments, last),
        "lower" => map_text(&last, str::to_lowercase),
        "upper" => map_text(&last, str::to_uppercase),
        "trunc" => last,
        "trimSuffix" => suffix(arguments),
        "printf" => printf(arguments),
        "not" => match truth(&last) {
            Guard::Yes => flag(false),
            Guard::No => flag(true),
            Guard::Unknown => Known::Unknown,
        },
        "and" => logic(arguments, Guard::No),
        "or" => logic(arguments, Guard::Yes),
        "eq" | "ne" => equal(arguments, name == "eq"),
        "empty" => match truth(&last) {
            Guard::Yes => flag(false),
            Guard::No => flag(true),
            Guard::Unknown => Known::Unknown,
        },
        "ternary" => match (arguments, arguments.get(2).map(truth)) {
            ([yes, ..], Some(Guard::Yes)) => yes.clone(),
            ([_, no, ..], Some(Guard::No)) => no.clone(),
            _ => Known::Unknown,
        },
        _ => Known::Unknown,
    }
}

/// Functions that hand their value on; `tpl` takes the text first.
fn through(name: &str, arguments: &[Known], last: Known) -> Known {
    let value = if name == "tpl" { arguments.first().cloned().unwrap_or(Known::Unknown) } else { last };
    let templated = matches!(&value, Known::Value(node) if node.scalar().is_some_and(|text| text.contains("{{")));
    if name == "tpl" && templated { Known::Unknown } else { value }
}

fn default(arguments: &[Known]) -> Known {
    match arguments {
        [fallback, value] => match truth(value) {
            Guard::No => fallback.clone(),
            Guard::Yes => value.clone(),
            Guard::Unknown => Known::Unknown,
        },
        _ => Known::Unknown,
    }
}

fn coalesce(arguments: &[Known]) -> Known {
    for value in arguments {
        match truth(value) {
            Guard::Yes => return value.clone(),
            Guard::Unknown => return Known::Unknown,
            Guard::No => {}
        }
    }
    Known::Missing
}

fn map_text(value: &Known, change: fn(&str) -> String) -> Known {
    match value {
        Known::Value(node) => node.scalar().map_or(Known::Unknown, |value| text(change(&value))),
        other => other.clone(),
    }
}

fn suffix(arguments: &[Known]) -> Known {
    match arguments {
        [Known::Value(end), Known::Value(value)] => match (end.scalar(), value.scalar()) {
            (Some(end), Some(value)) => text(value.strip_suffix(&end).unwrap_or(&value)),
            _ => Known::Unknown,
        },
        _ => Known::Unknown,
    }
}

fn printf(arguments: &[Known]) -> Known {
    let scalars: Option<Vec<String>> = arguments
        .iter()
        .map(|argument| match argument {
            Known::Value(node) => node.scalar(),
            _ => None,
        })
        .collect();
    let Some((format, rest)) = scalars.as_deref().and_then(<[String]>::split_first) else { return Known::Unknown };
    let mut output = String::new();
    let mut values = rest.iter();
    let mut pieces = format.split('%');
    output.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let Some(tail) = piece.strip_prefix(['s', 'd', 'v']) else { return Known::Unknown };
        let Some(value) = values.next() else { return Known::Unknown };
        output.push_str(value);
        output.push_str(tail);
    }
    text(output)
}

/// `and` and `or`: the first value that decides, else the last.
fn logic(arguments: &[Known], decides: Guard) -> Known {
    let mut unknown = false;
    for value in arguments {
        match truth(value) {
            state if state == decides => return value.clone(),
            Guard::Unknown => unknown = true,
            _ => {}
        }
    }
    if unknown { Known::Unknown } else { arguments.last().cloned().unwrap_or(Known::Unknown) }
}

fn equal(arguments: &[Known], wanted: bool) -> Known {
    match arguments {
        [Known::Value(left), Known::Value(right), ..] => match (left.scalar(), right.scalar()) {
            (Some(left), Some(right)) => flag((left == right) == wanted),
            _ => Known::Unknown,
        },
        [Known::Missing, Known::Value(_)] | [Known::Value(_), Known::Missing] => flag(!wanted),
        _ => Known::Unknown,
    }
}

fn operand(word: &str, scope: &Scope<'_>, offset: usize) -> Known {
    if let Some(parenthesised) = word.strip_prefix('(') {
        let (body, path) = parenthesised.rsplit_once(')').unwrap_or((parenthesised, ""));
        return follow(evaluate(body, scope, offset), path);
    }
    if let Some(body) = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return text(body.replace("\\\"", "\""));
    }
    if let Some(body) = word.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        return text(body);
    }
    match word {
        "true" => return flag(true),
        "false" => return flag(false),
        "nil" => return Known::Missing,
        _ => {}
    }
    if let Ok(number) = word.parse::<f64>() {
        let value = Value::Number(number);
        return Known::Value(Arc::new(Node { span: Span::default(), value, tag: None }));
    }
    path(word, scope, offset)
}

fn path(word: &str, scope: &Scope<'_>, offset: usize) -> Known {
    let rooted = word.strip_prefix("$.").or_else(|| word.strip_prefix('.'));
    if let Some(rest) = rooted {
        let (head, tail) = rest.split_once('.').map_or((rest, ""), |(head, tail)| (head, tail));
        match head {
            "Values" => return follow_keys(scope.chart.values(), tail),
            "Chart" => return scope.chart.own(tail),
            "Release" | "Capabilities" | "Template" | "Files" | "Subcharts" => return Known::Unknown,
            _ => {}
        }
        return if word.starts_with("$.") { Known::Unknown } else { follow_keys(dot(scope, offset), rest) };
    }
    let Some((name, tail)) = word.starts_with('$').then(|| word.split_once('.').unwrap_or((word, ""))) else {
        return Known::Unknown;
    };
    match scope.blocks.variables.get(name) {
        Some(expression) if scope.depth < DEPTH => follow_keys(evaluate(expression, scope, offset), tail),
        _ => Known::Unknown,
    }
}

/// The value that `.` stands for inside `with` blocks.
fn dot(scope: &Scope<'_>, offset: usize) -> Known {
    let Some(chain) = scope.blocks.dot(offset) else { return Known::Unknown };
    let Some(last) = chain.last() else { return Known::Unknown };
    if last.starts_with('.') && !last.starts_with(".Values") && !last.starts_with(".Chart") {
        return Known::Unknown;
    }
    evaluate(last, scope, 0)
}

fn follow(value: Known, path: &str) -> Known {
    follow_keys(value, path.trim_start_matches('.'))
}

fn follow_keys(start: Known, path: &str) -> Known {
    let mut value = start;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        value = match value {
            Known::Value(node) if node.is_unresolved() => Known::Unknown,
            Known::Value(node) => node.entry(key).map_or(Known::Missing, |entry| Known::Value(entry.value.clone())),
            other => other,
        };
    }
    value
}

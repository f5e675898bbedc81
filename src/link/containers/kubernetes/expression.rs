//! Template expressions: as much of Go templates as chart authors use to hand values through.

use std::cell::Cell;
use std::sync::Arc;

use super::blocks::{Blocks, Guard};
use super::chart::Chart;
use super::named;
use crate::parse::document::{Entry, Node, Value};
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
    /// Steps that named templates may still take.
    pub steps: &'a Cell<usize>,
    /// Inside a named template: what it was called with.
    pub frame: Option<&'a Frame<'a>>,
}

/// What a named template works with.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// `$`: what it was called with.
    pub root: &'a Known,
    /// `.` where the expression stands.
    pub dot: &'a Known,
    /// Variables, the innermost last.
    pub variables: &'a [(String, Known)],
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
    match *name {
        "include" | "template" => return include(&arguments, scope),
        "tpl" => return tpl(&arguments, scope),
        _ => {}
    }
    if arguments.is_empty() && !is_function(name) {
        return operand(name, scope, offset);
    }
    call(name, &arguments)
}

/// What a named template of the chart prints.
fn include(arguments: &[Known], scope: &Scope<'_>) -> Known {
    let [Known::Value(name), dot, ..] = arguments else { return Known::Unknown };
    let template = name.text().and_then(|name| scope.chart.named(name));
    template.map_or(Known::Unknown, |parts| printed(parts, dot.clone(), scope))
}

fn printed(parts: &[named::Part], dot: Known, scope: &Scope<'_>) -> Known {
    match named::print(parts, dot, scope) {
        // A word of which only an install tells a part is not known; of a block the rest is.
        Some(printed) if printed.contains(named::OPEN) && !printed.trim().contains('\n') => Known::Unknown,
        Some(printed) => text(printed),
        None => Known::Unknown,
    }
}

/// A text as a template of its own.
fn tpl(arguments: &[Known], scope: &Scope<'_>) -> Known {
    let [template, dot, ..] = arguments else { return Known::Unknown };
    let Known::Value(node) = template else { return template.clone() };
    let Some(source) = node.scalar().filter(|source| source.contains("{{")) else { return template.clone() };
    named::parts(&source).map_or(Known::Unknown, |parts| printed(&parts, dot.clone(), scope))
}

fn is_function(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !matches!(name, "true" | "false" | "nil")
}

fn call(name: &str, arguments: &[Known]) -> Known {
    let last = arguments.last().cloned().unwrap_or(Known::Unknown);
    match name {
        "default" => default(arguments),
        "coalesce" => coalesce(arguments),
        "required" | "toYaml" | "indent" | "toString" | "int" | "int64" | "float64" | "quote" | "squote"
        | "nindent" | "toRawJson" | "toJson" | "nospace" | "deepCopy" => last,
        "lower" => map_text(&last, str::to_lowercase),
        "upper" => map_text(&last, str::to_uppercase),
        "trim" => trimmed(last),
        "omit" | "pick" => chosen(arguments, name == "pick"),
        "trunc" => last,
        "fromYaml" => match &last {
            Known::Value(node) => node.text().and_then(named::read_back).map_or(Known::Unknown, Known::Value),
            other => other.clone(),
        },
        "dict" => dict(arguments),
        "list" => list(arguments),
        "get" | "index" => arguments.iter().skip(1).fold(
            arguments.first().cloned().unwrap_or(Known::Unknown),
            |value, key| match key {
                Known::Value(key) => key.scalar().map_or(Known::Unknown, |key| step(value, &key)),
                _ => Known::Unknown,
            },
        ),
        "hasKey" => match arguments {
            [Known::Value(map), Known::Value(key)] if !map.is_unresolved() => {
                key.scalar().map_or(Known::Unknown, |key| flag(map.entry(&key).is_some()))
            }
            _ => Known::Unknown,
        },
        "contains" => texts(arguments, |part, whole| flag(whole.contains(part))),
        "hasPrefix" => texts(arguments, |part, whole| flag(whole.starts_with(part))),
        "hasSuffix" => texts(arguments, |part, whole| flag(whole.ends_with(part))),
        "trimPrefix" => texts(arguments, |part, whole| text(whole.strip_prefix(part).unwrap_or(whole))),
        "print" => joined(arguments),
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

fn dict(arguments: &[Known]) -> Known {
    let mut entries = Vec::new();
    for pair in arguments.chunks(2) {
        let [Known::Value(key), value] = pair else { return Known::Unknown };
        let Some(key) = key.scalar() else { return Known::Unknown };
        entries.push(Entry { key: key.into(), key_span: Span::default(), value: node_of(value) });
    }
    Known::Value(node(Value::Map(entries)))
}

fn list(arguments: &[Known]) -> Known {
    Known::Value(node(Value::List(arguments.iter().map(node_of).collect())))
}

fn node(value: Value) -> Arc<Node> {
    Arc::new(Node { span: Span::default(), value, tag: None })
}

fn node_of(value: &Known) -> Arc<Node> {
    match value {
        Known::Value(value) => value.clone(),
        Known::Missing => node(Value::Null),
        Known::Unknown => node(Value::Unresolved("{{ }}".into())),
    }
}

/// A function of two texts.
fn texts(arguments: &[Known], function: impl Fn(&str, &str) -> Known) -> Known {
    match arguments {
        [Known::Value(first), Known::Value(second)] => match (first.scalar(), second.scalar()) {
            (Some(first), Some(second)) => function(&first, &second),
            _ => Known::Unknown,
        },
        _ => Known::Unknown,
    }
}

fn joined(arguments: &[Known]) -> Known {
    let scalar = |argument: &Known| match argument {
        Known::Value(node) => node.scalar(),
        _ => None,
    };
    let parts: Option<Vec<String>> = arguments.iter().map(scalar).collect();
    parts.map_or(Known::Unknown, |parts| text(parts.concat()))
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

fn trimmed(value: Known) -> Known {
    match &value {
        Known::Value(node) => node.text().map_or(value.clone(), |own| text(own.trim())),
        _ => value,
    }
}

/// A map with the named keys alone, or without them.
fn chosen(arguments: &[Known], keep: bool) -> Known {
    let Some((Known::Value(map), keys)) = arguments.split_first() else {
        return arguments.first().cloned().unwrap_or(Known::Unknown);
    };
    let scalar = |key: &Known| match key {
        Known::Value(key) => key.scalar(),
        _ => None,
    };
    let Some(keys) = keys.iter().map(scalar).collect::<Option<Vec<String>>>() else { return Known::Unknown };
    match &map.value {
        Value::Map(entries) => {
            let named = |entry: &&Entry| keys.iter().any(|key| **key == *entry.key) == keep;
            Known::Value(node(Value::Map(entries.iter().filter(named).cloned().collect())))
        }
        _ => Known::Unknown,
    }
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

/// A path inside a named template.
fn path_in(frame: &Frame<'_>, word: &str) -> Known {
    if let Some(rest) = word.strip_prefix('.') {
        return follow_keys(frame.dot.clone(), rest);
    }
    let (name, tail) = word.split_once('.').unwrap_or((word, ""));
    match frame.variables.iter().rev().find(|(known, _)| known == name) {
        Some((_, value)) => follow_keys(value.clone(), tail),
        None if name == "$" => follow_keys(frame.root.clone(), tail),
        None => Known::Unknown,
    }
}

fn path(word: &str, scope: &Scope<'_>, offset: usize) -> Known {
    if let Some(frame) = scope.frame {
        return path_in(frame, word);
    }
    if word == "$" {
        return scope.chart.context();
    }
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
    let Some(last) = chain.last() else { return scope.chart.context() };
    if last.starts_with('.') && !last.starts_with(".Values") && !last.starts_with(".Chart") {
        return Known::Unknown;
    }
    evaluate(last, scope, 0)
}

fn follow(value: Known, path: &str) -> Known {
    follow_keys(value, path.trim_start_matches('.'))
}

fn follow_keys(start: Known, path: &str) -> Known {
    path.split('.').filter(|key| !key.is_empty()).fold(start, step)
}

/// What stands under a key.
fn step(value: Known, key: &str) -> Known {
    match value {
        Known::Value(node) if node.is_unresolved() => Known::Unknown,
        Known::Value(node) => node.entry(key).map_or(Known::Missing, |entry| Known::Value(entry.value.clone())),
        other => other,
    }
}

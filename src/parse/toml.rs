//! TOML: Cargo manifests, deny.toml, fly.toml and whatever else is written in it.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::document::{Entry, Node, Value};
use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// Keys with more dots than this are refused: each dot is a level of nesting.
const DOTS: usize = 256;

/// Reads one document; what stands beside a broken part is kept.
pub fn parse(text: &str) -> Parsed {
    if let Some(problem) = deep_key(text) {
        return Parsed { syntax: Syntax::None, comments: Vec::new(), problems: vec![problem] };
    }
    let offset = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = &text[offset..];
    let (table, errors) = DeTable::parse_recoverable(body);
    let mut root = map(table.get_ref(), offset);
    root.span = Span::new(0, text.len());
    Parsed {
        comments: comments(text),
        problems: errors
            .iter()
            .map(|error| {
                let range = error.span().unwrap_or(0..0);
                Problem {
                    span: Span::new(range.start + offset, range.end + offset),
                    message: error.message().to_string(),
                }
            })
            .collect(),
        syntax: Syntax::Documents(vec![root]),
    }
}

/// Each dot of a key nests a table, which the library does without a bound.
fn deep_key(text: &str) -> Option<Problem> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let key = line.split(['=', '"', '\'', '#']).next().unwrap_or(line);
        if key.bytes().filter(|byte| *byte == b'.').count() > DOTS {
            let span = Span::new(start, start + key.len());
            return Some(Problem {
                span,
                message: format!("this key has more than {DOTS} parts; the file was not read"),
            });
        }
        start += line.len();
    }
    None
}

/// Recursion is bounded: the library refuses values nested beyond 80, and keys are bounded above.
fn map(table: &DeTable<'_>, offset: usize) -> Node {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().as_ref().into(),
            key_span: shift(key.span(), offset),
            value: Arc::new(node(value.get_ref(), value.span(), offset)),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span);
    let span = entries.iter().map(|entry| entry.key_span.to(entry.value.span)).reduce(Span::to).unwrap_or_default();
    Node { span, value: Value::Map(entries), tag: None }
}

fn shift(range: std::ops::Range<usize>, offset: usize) -> Span {
    Span::new(range.start + offset, range.end + offset)
}

fn node(value: &DeValue<'_>, range: std::ops::Range<usize>, offset: usize) -> Node {
    let span = shift(range, offset);
    let plain = |value| Node { span, value, tag: None };
    match value {
        DeValue::String(text) => plain(Value::Text { text: text.as_ref().into(), quoted: true }),
        DeValue::Integer(integer) => plain(integer_value(integer.as_str(), integer.radix())),
        DeValue::Float(float) => plain(float.as_str().parse().map_or_else(|_| bare(float.as_str()), Value::Number)),
        DeValue::Boolean(flag) => plain(Value::Flag(*flag)),
        DeValue::Datetime(datetime) => plain(bare(&datetime.to_string())),
        DeValue::Array(array) => {
            plain(Value::List(array.iter().map(|item| Arc::new(node(item.get_ref(), item.span(), offset))).collect()))
        }
        DeValue::Table(table) => {
            let mut inner = map(table, offset);
            inner.span = if inner.entries().is_empty() { span } else { inner.span.to(span) };
            inner
        }
    }
}

fn bare(text: &str) -> Value {
    Value::Text { text: text.into(), quoted: false }
}

#[allow(clippy::cast_precision_loss)]
fn integer_value(digits: &str, radix: u32) -> Value {
    i64::from_str_radix(digits, radix).map_or_else(|_| bare(digits), |number| Value::Number(number as f64))
}

/// Comments of a TOML text: `#` outside strings.
fn comments(text: &str) -> Vec<Comment> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => {
                let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
                let line = text[at..end].trim_end_matches('\r');
                found.push(Comment { span: Span::new(at, at + line.len()), text: line[1..].to_string() });
                at = end;
            }
            b'"' | b'\'' => at = string_end(text, at),
            _ => at += 1,
        }
    }
    found
}

/// One past the end of the string that starts at `at`.
fn string_end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes[at];
    let long = bytes[at..].starts_with(&[quote; 3]);
    let mut next = at + if long { 3 } else { 1 };
    while next < bytes.len() {
        match bytes[next] {
            b'\\' if quote == b'"' => next += 2,
            b'\n' if !long => return next,
            byte if byte == quote && !long => return next + 1,
            byte if byte == quote && bytes[next..].starts_with(&[quote; 3]) => return next + 3,
            _ => next += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn document(text: &str) -> Node {
        match parse(text).syntax {
            Syntax::Documents(documents) => documents.into_iter().next().unwrap(),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn order_and_spans_are_those_of_the_text() {
        let text = "# ünï\nzeta = 1 # one\n[alpha.beta]\nurl = \"a#b\"\nlist = [0x10, 2.5, true]\n";
        let root = document(text);
        let keys: Vec<&str> = root.entries().iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["zeta", "alpha"]);
        let url = root.at(&["alpha", "beta", "url"]).unwrap();
        assert_eq!(&text[url.span.range()], "\"a#b\"");
        assert_eq!(root.at(&["alpha", "beta", "list"]).unwrap().items()[0].number(), Some(16.0));
        let comments: Vec<String> = parse(text).comments.into_iter().map(|comment| comment.text).collect();
        assert_eq!(comments, [" ünï", " one"]);
    }

    #[test]
    fn two_faults_leave_the_rest() {
        let parsed = parse("a = 1\nb = = 2\nc = 3\nd = [\n");
        assert!(parsed.problems.len() >= 2, "{:?}", parsed.problems);
        let root = document("a = 1\nb = = 2\nc = 3\nd = [\n");
        assert_eq!(root.get("a").unwrap().number(), Some(1.0));
        assert_eq!(root.get("c").unwrap().number(), Some(3.0));
    }

    #[test]
    fn duplicate_keys_are_reported() {
        assert!(!parse("a = 1\na = 2\n").problems.is_empty());
    }

    #[test]
    fn hostile_input_gives_problems() {
        let deep = format!("a = {}", "[".repeat(100_000));
        let dotted = format!("{}a = 1", "a.".repeat(100_000));
        let spread = format!("[{}a]", "a.".repeat(100_000));
        let inline = format!("a = {}", "{a=".repeat(100_000));
        for text in [deep, dotted, spread, inline, "a = \"open".to_string()] {
            assert!(!parse(&text).problems.is_empty(), "{}", &text[..20.min(text.len())]);
        }
    }

    #[test]
    fn byte_order_mark_and_line_ends() {
        let text = "\u{feff}a = \"x\" # c\r\nb = 2\r\n";
        let root = document(text);
        assert_eq!(&text[root.get("a").unwrap().span.range()], "\"x\"");
        assert_eq!(parse(text).comments[0].text, " c");
    }
}

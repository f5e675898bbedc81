//! JSON, and JSON with comments and trailing commas.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonc_parser::ast::{Comment as JsonComment, ObjectPropName, Value as Json};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ParseResult, parse_to_ast};

use super::document::{Duplicates, Entry, Node, Value};
use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// Reads one document. A file that is not JSON gives a problem and no document.
pub fn parse(text: &str) -> Parsed {
    let collect = CollectOptions { comments: CommentCollectionStrategy::Separate, tokens: false };
    let mut parsed = Parsed::default();
    // The library takes no byte order mark; as many blanks keep the offsets.
    let blanked = text.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"));
    let text = blanked.as_deref().unwrap_or(text);
    if text.trim().is_empty() {
        return parsed;
    }
    match parse_to_ast(text, &collect, &ParseOptions::default()) {
        Ok(result) => {
            parsed.comments = comments(&result);
            let mut duplicates = Duplicates::default();
            let documents = result.value.iter().map(|value| node(value, &mut duplicates)).collect();
            parsed.problems = duplicates.problems;
            parsed.syntax = Syntax::Documents(documents);
        }
        Err(error) => parsed.problems.push(Problem {
            span: span(error.range()),
            message: format!("this is no valid JSON: {}", lower_first(&error.kind().to_string())),
        }),
    }
    parsed
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn span(range: Range) -> Span {
    Span::new(range.start, range.end)
}

/// The library keys comments by the tokens around them, so that each comes twice.
fn comments(result: &ParseResult<'_>) -> Vec<Comment> {
    let lists = result.comments.iter().flat_map(|map| map.values()).flat_map(|list| list.iter());
    let sorted: BTreeMap<usize, Comment> = lists
        .map(|comment| {
            let (range, text) = match comment {
                JsonComment::Line(line) => (line.range, line.text),
                JsonComment::Block(block) => (block.range, block.text),
            };
            (range.start, Comment { span: span(range), text: text.to_string() })
        })
        .collect();
    sorted.into_values().collect()
}

/// Recursion is bounded: the library refuses nesting beyond 512.
fn node(value: &Json<'_>, duplicates: &mut Duplicates) -> Node {
    let converted = match value {
        Json::StringLit(literal) => Value::Text { text: literal.value.as_ref().into(), quoted: true },
        Json::NumberLit(literal) => number(literal.value),
        Json::BooleanLit(literal) => Value::Flag(literal.value),
        Json::NullKeyword(_) => Value::Null,
        Json::Array(array) => {
            Value::List(array.elements.iter().map(|element| Arc::new(node(element, duplicates))).collect())
        }
        Json::Object(object) => {
            let entries: Vec<Entry> = object
                .properties
                .iter()
                .map(|property| Entry {
                    key: property.name.as_str().into(),
                    key_span: match &property.name {
                        ObjectPropName::String(literal) => span(literal.range),
                        ObjectPropName::Word(word) => span(word.range),
                    },
                    value: Arc::new(node(&property.value, duplicates)),
                })
                .collect();
            duplicates.look(&entries);
            Value::Map(entries)
        }
    };
    Node { span: span(value.range()), value: converted, tag: None }
}

fn number(source: &str) -> Value {
    source.parse().map_or_else(|_| Value::Text { text: source.into(), quoted: false }, Value::Number)
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
    fn spans_are_bytes() {
        let text = "{\"naïve\": {\"key\": \"välue\"}, // note\n \"n\": 12,}";
        let parsed = parse(text);
        assert_eq!(parsed.comments[0].text, " note");
        assert_eq!(&text[parsed.comments[0].span.range()], "// note");
        let root = document(text);
        let value = root.at(&["naïve", "key"]).unwrap();
        assert_eq!(&text[value.span.range()], "\"välue\"");
        assert_eq!(root.get("n").unwrap().number(), Some(12.0));
    }

    #[test]
    fn duplicate_keys_are_reported() {
        let parsed = parse("{\"a\": 1, \"a\": 2}");
        assert_eq!(parsed.problems[0].message, "key `a` stands twice in one map");
        assert_eq!(parsed.problems[0].span, Span::new(9, 12));
    }

    #[test]
    fn hostile_input_gives_problems() {
        for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000), "\"open".to_string(), "{]".to_string()] {
            assert_eq!(parse(&text).problems.len(), 1);
        }
        assert!(parse("").problems.is_empty());
    }

    #[test]
    fn byte_order_mark_and_line_ends() {
        let text = "\u{feff}{\r\n\"a\": true\r\n}";
        let node = document(text);
        assert_eq!(node.get("a").unwrap().flag(), Some(true));
        assert_eq!(&text[node.entry("a").unwrap().key_span.range()], "\"a\"");
    }
}

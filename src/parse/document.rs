//! One tree for YAML, TOML and JSON documents, with the span of every key and value.

use std::sync::Arc;

use crate::scan::source::Span;

/// A value of a document.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Where the value stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
    /// A YAML tag such as `!Ref` or `!vault`.
    pub tag: Option<Box<str>>,
}

/// Kinds of values. Children are shared, so that a YAML alias costs nothing; walks over untrusted trees are bounded
/// because the reader stops expanding aliases at a budget.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Null, or a key without a value.
    Null,
    /// A boolean.
    Flag(bool),
    /// A number, with its text in the source.
    Number(f64),
    /// A string. `quoted` when it stood in quotes or a block scalar.
    Text {
        /// The string without quotes and escapes.
        text: Box<str>,
        /// In quotes or a block scalar.
        quoted: bool,
    },
    /// A value that only a template or a run settles: the source text, for example `{{ .Values.replicas }}`.
    Unresolved(Box<str>),
    /// A list.
    List(Vec<Arc<Node>>),
    /// A table; entries in order, keys may repeat (the reader reports it).
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub value: Arc<Node>,
}

impl Node {
    /// The value under a key of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &*entry.value)
    }

    /// The entry of a key of a map.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// The value under a path of keys: `node.at(&["spec", "template", "spec"])`.
    pub fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Entries of a map; empty for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Elements of a list; empty for anything else.
    pub fn items(&self) -> &[Arc<Node>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The string of a text value.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The number of a numeric value.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The boolean of a boolean value.
    pub fn flag(&self) -> Option<bool> {
        match self.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// Text, number or boolean as text; `None` for null, lists, maps and what is unresolved.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Text { text, .. } => Some(text.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Flag(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// Whether only a template or a run settles it.
    pub fn is_unresolved(&self) -> bool {
        matches!(self.value, Value::Unresolved(_))
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// Looks for keys that stand twice in one map.
#[derive(Debug, Default)]
pub struct Duplicates {
    /// What was found.
    pub problems: Vec<super::Problem>,
}

impl Duplicates {
    /// Looks at the entries of one map.
    pub fn look(&mut self, entries: &[Entry]) {
        let mut seen = std::collections::BTreeSet::new();
        for entry in entries {
            if !seen.insert(&*entry.key) {
                let message = format!("key `{}` stands twice in one map", entry.key.escape_debug());
                self.problems.push(super::Problem { span: entry.key_span, message });
            }
        }
    }
}

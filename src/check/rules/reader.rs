//! Reading a TOML file that a person wrote, with all its errors at once.

use std::ops::Range;
use std::sync::Arc;

use crate::check::settings::TomlError;
use crate::parse::document::{Entry, Node, Value};
use crate::parse::{Syntax, toml};
use crate::scan::source::Span;

/// Collects the errors of one file.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) path: String,
    text: Arc<str>,
    pub(crate) errors: Vec<TomlError>,
}

impl Reader {
    pub(crate) fn new(path: &str, text: &str) -> Reader {
        Reader { path: path.to_string(), text: Arc::from(text), errors: Vec::new() }
    }

    /// The whole document; syntax errors are collected.
    pub(crate) fn document(&mut self) -> Option<Node> {
        let parsed = toml::parse(&self.text);
        for problem in &parsed.problems {
            self.error(problem.span, problem.message.clone());
        }
        match parsed.syntax {
            Syntax::Documents(documents) if parsed.problems.is_empty() => documents.into_iter().next(),
            _ => None,
        }
    }

    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.error_at(span.range(), message.into(), None);
    }

    pub(crate) fn error_with(&mut self, span: Span, message: impl Into<String>, help: Option<String>) {
        self.error_at(span.range(), message.into(), help);
    }

    pub(crate) fn error_at(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        self.errors.push(TomlError { path: self.path.clone(), text: self.text.clone(), span, message, help });
    }

    /// Reports every key of a table that is not one of these.
    pub(crate) fn only_keys(&mut self, table: &Node, known: &[&str]) {
        for entry in table.entries() {
            if !known.contains(&&*entry.key) {
                self.unknown("key", entry, known.iter().copied());
            }
        }
    }

    /// An unknown name, with the nearest known one.
    pub(crate) fn unknown<'a>(&mut self, what: &str, entry: &Entry, known: impl Iterator<Item = &'a str>) {
        self.unknown_word(what, &entry.key, entry.key_span, known);
    }

    pub(crate) fn unknown_word<'a>(
        &mut self,
        what: &str,
        word: &str,
        span: Span,
        known: impl Iterator<Item = &'a str>,
    ) {
        let known: Vec<&str> = known.collect();
        let help = nearest(word, &known).map(|name| format!("did you mean `{name}`?"));
        let help = help.or_else(|| (known.len() <= 12).then(|| format!("known: {}", known.join(", "))));
        self.error_with(span, format!("unknown {what} `{word}`"), help);
    }

    /// The text under a key, which must be there.
    pub(crate) fn text(&mut self, table: &Node, key: &str) -> Option<String> {
        if table.entry(key).is_none() {
            self.error(Span::new(table.span.start as usize, table.span.start as usize), format!("`{key}` is missing"));
            return None;
        }
        self.optional_text(table, key)
    }

    /// The text under a key.
    pub(crate) fn optional_text(&mut self, table: &Node, key: &str) -> Option<String> {
        let entry = table.entry(key)?;
        let text = entry.value.text();
        if text.is_none() {
            self.error(entry.value.span, format!("`{key}` is a text"));
        }
        text.map(str::to_string)
    }

    /// The list of texts under a key; empty when there is none.
    pub(crate) fn texts(&mut self, table: &Node, key: &str) -> Vec<(String, Span)> {
        let Some(entry) = table.entry(key) else { return Vec::new() };
        if !matches!(entry.value.value, Value::List(_)) {
            self.error(entry.value.span, format!("`{key}` is a list of texts"));
        }
        let mut found = Vec::new();
        for item in entry.value.items() {
            match item.text() {
                Some(text) => found.push((text.to_string(), item.span)),
                None => self.error(item.span, format!("`{key}` is a list of texts")),
            }
        }
        found
    }

    /// One of some words under a key.
    pub(crate) fn word<T: Copy>(&mut self, table: &Node, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.optional_text(table, key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let span = table.get(key).map_or(Span::default(), |node| node.span);
            self.unknown_word(key, &text, span, words.iter().map(|(word, _)| *word));
        }
        found
    }

    /// The elements of a list, or the table itself where a list of one is written without brackets.
    pub(crate) fn tables<'n>(&mut self, node: &'n Node) -> Vec<&'n Node> {
        match &node.value {
            Value::List(items) => items.iter().map(|item| &**item).collect(),
            Value::Map(_) => vec![node],
            _ => {
                self.error(node.span, "a table or a list of tables is wanted here");
                Vec::new()
            }
        }
    }
}

/// The known name that is most like a word, where one is like it at all: a slip apart, or alike as a whole.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let one_slip = known.iter().find(|name| strsim::damerau_levenshtein(word, name) == 1);
    let scored = known.iter().map(|name| (strsim::jaro_winkler(word, name), name));
    let alike = || scored.filter(|(score, _)| *score > 0.8).max_by(|left, right| left.0.total_cmp(&right.0));
    one_slip.or_else(|| alike().map(|(_, name)| name)).copied()
}

//! Named templates of a chart (`define`), and the text that including one prints.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::blocks::Guard;
use super::expression::{Frame, Known, Scope, evaluate, truth};
use crate::link::Repository;
use crate::parse::document::{Entry, Node, Value};
use crate::parse::yaml::mask::{actions, inner};
use crate::parse::{Syntax, yaml};

/// Templates by name.
pub type Templates = BTreeMap<String, Arc<Vec<Part>>>;

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// An expression whose value is printed.
    Print(String),
    /// A variable that is set.
    Set {
        /// With its `$`.
        name: String,
        /// The expression.
        value: String,
    },
    /// Branches, of which the first that holds is printed.
    Block(Vec<Branch>),
}

/// A branch of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Branch {
    head: Head,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Head {
    If(String),
    With { names: Vec<String>, value: String },
    Range { names: Vec<String>, value: String },
    Else,
}

/// Steps that the templates of one expression may take.
pub const STEPS: usize = 20_000;
/// Text that one template may print.
const LENGTH: usize = 1 << 18;
/// Blocks that may stand in each other.
const DEPTH: usize = 40;
/// Stands in printed text for what only an install tells; a character that no chart uses.
pub const OPEN: char = '\u{e000}';

/// The named templates of the chart in a folder, those of the charts below it included.
pub fn templates(repository: &Repository, folder: &str) -> Templates {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let files = repository.files().map(|(file, _)| file).filter(|file| {
        let below = file.path.strip_prefix(&prefix);
        below.is_some_and(|rest| rest.starts_with("templates/") || rest.starts_with("charts/"))
            && [".tpl", ".yaml", ".yml", ".txt"].iter().any(|ending| file.path.ends_with(ending))
    });
    let mut all = Templates::new();
    // The chart's own come last in path order, and win.
    for file in files.filter(|file| file.text.contains("define")) {
        all.extend(defined(&file.text));
    }
    all
}

/// Templates that a text defines.
pub fn defined(text: &str) -> Templates {
    let mut reader = Reader::default();
    reader.read(text);
    reader.defined
}

/// The pieces of a text that is a template itself, as `tpl` takes it.
pub fn parts(text: &str) -> Option<Vec<Part>> {
    let mut reader = Reader::default();
    reader.read(text);
    (reader.open.is_empty() && !reader.broken).then_some(reader.parts)
}

#[derive(Default)]
struct Reader {
    parts: Vec<Part>,
    open: Vec<Open>,
    defined: Templates,
    broken: bool,
}

struct Open {
    define: Option<String>,
    branches: Vec<Branch>,
    head: Head,
    /// The pieces before the block.
    outer: Vec<Part>,
}

impl Reader {
    fn read(&mut self, text: &str) {
        let mut at = 0;
        let mut trim = false;
        for action in actions(text) {
            let range = action.span.range();
            let source = text.get(range.clone()).unwrap_or("");
            let before = text.get(at..range.start).unwrap_or("");
            self.text(before, trim, source.starts_with("{{-"));
            trim = source.ends_with("-}}");
            at = range.end;
            self.action(inner(source));
        }
        self.text(text.get(at..).unwrap_or(""), trim, false);
    }

    fn text(&mut self, text: &str, trim_start: bool, trim_end: bool) {
        let text = if trim_start { text.trim_start() } else { text };
        let text = if trim_end { text.trim_end() } else { text };
        if !text.is_empty() {
            self.parts.push(Part::Text(text.to_string()));
        }
    }

    fn action(&mut self, body: &str) {
        let (word, rest) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
        let rest = rest.trim();
        match word {
            _ if body.is_empty() || body.starts_with("/*") => {}
            "define" => self.begin(Some(rest.trim_matches(['"', '`']).to_string()), Head::Else),
            "if" => self.begin(None, Head::If(rest.to_string())),
            "with" | "range" => {
                let head = named_head(word, rest);
                self.begin(None, head);
            }
            "else" => self.otherwise(rest),
            "end" => self.end(),
            "block" | "break" | "continue" => self.broken = true,
            _ => match assignment(body) {
                Some((name, value)) => {
                    self.parts.push(Part::Set { name: name.to_string(), value: value.to_string() });
                }
                None => self.parts.push(Part::Print(body.to_string())),
            },
        }
    }

    fn begin(&mut self, define: Option<String>, head: Head) {
        self.broken |= self.open.len() > DEPTH;
        let outer = std::mem::take(&mut self.parts);
        self.open.push(Open { define, branches: Vec::new(), head, outer });
    }

    fn otherwise(&mut self, rest: &str) {
        let Some(open) = self.open.last_mut() else { return };
        let head = match rest.split_once(char::is_whitespace) {
            Some(("if", condition)) => Head::If(condition.trim().to_string()),
            Some(("with", value)) => named_head("with", value.trim()),
            _ => Head::Else,
        };
        let parts = std::mem::take(&mut self.parts);
        open.branches.push(Branch { head: std::mem::replace(&mut open.head, head), parts });
    }

    fn end(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        let parts = std::mem::replace(&mut self.parts, open.outer);
        match open.define {
            Some(name) if !self.broken => {
                self.defined.insert(name, Arc::new(parts));
            }
            Some(_) => self.broken = false,
            None => {
                open.branches.push(Branch { head: open.head, parts });
                self.parts.push(Part::Block(open.branches));
            }
        }
    }
}

/// Whether pieces set a variable, which is then not known after them.
fn sets(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Set { .. } => true,
        Part::Block(branches) => branches.iter().any(|branch| sets(&branch.parts)),
        _ => false,
    })
}

fn named_head(word: &str, rest: &str) -> Head {
    let (names, value) = match rest.split_once(":=") {
        Some((names, value)) => (names.split(',').map(|name| name.trim().to_string()).collect(), value.trim()),
        None => (Vec::new(), rest),
    };
    let value = value.to_string();
    if word == "with" { Head::With { names, value } } else { Head::Range { names, value } }
}

fn assignment(body: &str) -> Option<(&str, &str)> {
    let (name, value) = body.split_once(":=").or_else(|| body.split_once('='))?;
    let name = name.trim();
    (name.starts_with('$') && !name.contains(char::is_whitespace)).then(|| (name, value.trim()))
}

/// What a template prints with a value as its `.`; `None` where only an install tells which branches it takes.
pub fn print(parts: &[Part], dot: Known, scope: &Scope<'_>) -> Option<String> {
    let mut printer =
        Printer { scope: *scope, root: dot.clone(), dot, variables: Vec::new(), out: String::new(), depth: 0 };
    printer.parts(parts)?;
    Some(printer.out)
}

struct Printer<'a> {
    scope: Scope<'a>,
    root: Known,
    dot: Known,
    variables: Vec<(String, Known)>,
    out: String,
    depth: usize,
}

impl Printer<'_> {
    fn value(&self, expression: &str) -> Known {
        let frame = Frame { root: &self.root, dot: &self.dot, variables: &self.variables };
        evaluate(expression, &Scope { frame: Some(&frame), ..self.scope }, 0)
    }

    fn parts(&mut self, parts: &[Part]) -> Option<()> {
        if self.depth > DEPTH {
            return None;
        }
        self.depth += 1;
        let variables = self.variables.len();
        for part in parts {
            spend(self.scope.steps)?;
            match part {
                Part::Text(text) => self.out.push_str(text),
                Part::Print(expression) => self.print(expression)?,
                Part::Set { name, value } => {
                    let value = self.value(value);
                    self.set(name, value);
                }
                Part::Block(branches) => self.block(branches)?,
            }
            if self.out.len() > LENGTH {
                return None;
            }
        }
        self.variables.truncate(variables);
        self.depth -= 1;
        Some(())
    }

    fn set(&mut self, name: &str, value: Known) {
        match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.variables.push((name.to_string(), value)),
        }
    }

    /// Prints the first branch that holds; where only an install tells, that something may stand there.
    fn block(&mut self, branches: &[Branch]) -> Option<()> {
        let (printed, variables, depth) = (self.out.len(), self.variables.len(), self.depth);
        let dot = self.dot.clone();
        if self.branches(branches).is_some() {
            return Some(());
        }
        self.out.truncate(printed);
        self.variables.truncate(variables);
        self.depth = depth;
        self.dot = dot;
        if self.scope.steps.get() == 0 || branches.iter().any(|branch| sets(&branch.parts)) {
            return None;
        }
        self.leave_open(branches)
    }

    /// An entry or item that is not known, as deep as what the branches would print.
    fn leave_open(&mut self, branches: &[Branch]) -> Option<()> {
        let texts = branches.iter().flat_map(|branch| &branch.parts).filter_map(|part| match part {
            Part::Text(text) => Some(text),
            _ => None,
        });
        let first = texts.into_iter().find(|text| !text.trim().is_empty());
        let line_begins = self.out.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        match first {
            Some(text) if text.starts_with('\n') || line_begins => {
                let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
                let blanks = &line[..line.len() - line.trim_start().len()];
                let item = line.trim_start().starts_with('-');
                let open = if item { format!("- {OPEN}") } else { format!("{OPEN}: {OPEN}") };
                if text.starts_with('\n') {
                    self.out.push('\n');
                }
                self.out.push_str(blanks);
                self.out.push_str(&open);
            }
            _ => self.out.push(OPEN),
        }
        Some(())
    }

    fn branches(&mut self, branches: &[Branch]) -> Option<()> {
        for branch in branches {
            let taken = match &branch.head {
                Head::Else => {
                    self.parts(&branch.parts)?;
                    true
                }
                Head::If(condition) => {
                    let taken = holds(&self.value(condition))?;
                    if taken {
                        self.parts(&branch.parts)?;
                    }
                    taken
                }
                Head::With { names, value } => {
                    let value = self.value(value);
                    let taken = holds(&value)?;
                    if taken {
                        self.inside(value.clone(), names.first().map(|name| (name.clone(), value)), &branch.parts)?;
                    }
                    taken
                }
                Head::Range { names, value } => {
                    let value = self.value(value);
                    self.range(&value, names, &branch.parts)?
                }
            };
            if taken {
                return Some(());
            }
        }
        Some(())
    }

    fn inside(&mut self, dot: Known, named: Option<(String, Known)>, parts: &[Part]) -> Option<()> {
        let outer = std::mem::replace(&mut self.dot, dot);
        let variables = self.variables.len();
        self.variables.extend(named);
        self.parts(parts)?;
        self.variables.truncate(variables);
        self.dot = outer;
        Some(())
    }

    fn range(&mut self, value: &Known, names: &[String], parts: &[Part]) -> Option<bool> {
        if !holds(value)? {
            return Some(false);
        }
        let Known::Value(node) = value else { return None };
        let mut pairs: Vec<(Known, Known)> = match &node.value {
            Value::List(items) => {
                items.iter().enumerate().map(|(at, item)| (text(&at.to_string()), Known::Value(item.clone()))).collect()
            }
            Value::Map(entries) => {
                entries.iter().map(|entry| (text(&entry.key), Known::Value(entry.value.clone()))).collect()
            }
            _ => return None,
        };
        if matches!(node.value, Value::Map(_)) {
            pairs.sort_by_key(|(key, _)| match key {
                Known::Value(key) => key.scalar().unwrap_or_default(),
                _ => String::new(),
            });
        }
        for (key, value) in pairs {
            let variables = self.variables.len();
            match names {
                [item] => self.variables.push((item.clone(), value.clone())),
                [index, item, ..] => {
                    self.variables.push((index.clone(), key));
                    self.variables.push((item.clone(), value.clone()));
                }
                [] => {}
            }
            self.inside(value, None, parts)?;
            self.variables.truncate(variables);
        }
        Some(true)
    }

    fn print(&mut self, expression: &str) -> Option<()> {
        let value = self.value(expression);
        let mut printed = String::new();
        match &value {
            Known::Unknown => printed.push(OPEN),
            Known::Missing => {}
            Known::Value(node) => write(node, &mut printed),
        }
        match indent(expression) {
            Some((columns, line_first)) => {
                if line_first {
                    self.out.push('\n');
                }
                let blanks = " ".repeat(columns.min(200));
                let lines: Vec<String> = printed.trim_end().lines().map(|line| format!("{blanks}{line}")).collect();
                self.out.push_str(&lines.join("\n"));
            }
            None => self.out.push_str(&printed),
        }
        Some(())
    }
}

/// Takes one step of what is left.
fn spend(steps: &Cell<usize>) -> Option<()> {
    steps.set(steps.get().checked_sub(1)?);
    Some(())
}

fn holds(value: &Known) -> Option<bool> {
    match truth(value) {
        Guard::Yes => Some(true),
        Guard::No => Some(false),
        Guard::Unknown => None,
    }
}

fn text(text: &str) -> Known {
    Known::Value(plain(Value::Text { text: text.into(), quoted: true }))
}

fn plain(value: Value) -> Arc<Node> {
    Arc::new(Node { span: crate::scan::source::Span::default(), value, tag: None })
}

/// The columns by which `indent` or `nindent` at the end of a pipeline moves text, and whether a line break comes first.
fn indent(expression: &str) -> Option<(usize, bool)> {
    let last = expression.rsplit('|').next()?.trim();
    let (name, columns) = last.split_once(char::is_whitespace)?;
    let columns = columns.trim().parse().ok()?;
    match name {
        "nindent" => Some((columns, true)),
        "indent" => Some((columns, false)),
        _ => None,
    }
}

/// Writes a value as YAML: entries and items on lines of their own, what is inside them in flow style.
fn write(node: &Node, out: &mut String) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            for entry in entries {
                write_text(&entry.key, out);
                out.push_str(": ");
                write_flow(&entry.value, out, 0);
                out.push('\n');
            }
        }
        Value::List(items) if !items.is_empty() => {
            for item in items {
                out.push_str("- ");
                write_flow(item, out, 0);
                out.push('\n');
            }
        }
        Value::Text { text, .. } => out.push_str(text),
        Value::Map(_) | Value::List(_) | Value::Unresolved(_) => write_flow(node, out, 0),
        _ => out.push_str(&node.scalar().unwrap_or_default()),
    }
}

fn write_flow(node: &Node, out: &mut String, depth: usize) {
    match &node.value {
        _ if depth > DEPTH || out.len() > LENGTH => out.push(OPEN),
        Value::Map(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_text(&entry.key, out);
                out.push_str(": ");
                write_flow(&entry.value, out, depth + 1);
            }
            out.push('}');
        }
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_flow(item, out, depth + 1);
            }
            out.push(']');
        }
        Value::Text { text, .. } => write_text(text, out),
        Value::Unresolved(_) => out.push(OPEN),
        Value::Null => out.push_str("null"),
        _ => out.push_str(&node.scalar().unwrap_or_default()),
    }
}

fn write_text(text: &str, out: &mut String) {
    let quoted = serde_json::to_string(text).unwrap_or_default();
    out.push_str(&quoted);
}

/// Printed text as the YAML that it is; what only an install tells in it stays unresolved.
pub fn read_back(text: &str) -> Option<Arc<Node>> {
    let body = text.trim_end();
    let body = body.lines().position(|line| !line.trim().is_empty()).map_or("", |first| {
        let skipped: usize = body.split_inclusive('\n').take(first).map(str::len).sum();
        &body[skipped..]
    });
    if body.is_empty() {
        return Some(plain(Value::Null));
    }
    let parsed = yaml::parse(body);
    match parsed.syntax {
        Syntax::Documents(documents) if parsed.problems.is_empty() && documents.len() == 1 => {
            documents.into_iter().next().map(|node| opened(&node, 0))
        }
        _ => None,
    }
}

fn opened(node: &Node, depth: usize) -> Arc<Node> {
    let open = || Value::Unresolved("{{ }}".into());
    let value = match &node.value {
        _ if depth > DEPTH => open(),
        Value::Text { text, .. } if text.contains(OPEN) => open(),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|entry| Entry {
                    key: if entry.key.contains(OPEN) { "{{ }}".into() } else { entry.key.clone() },
                    key_span: entry.key_span,
                    value: opened(&entry.value, depth + 1),
                })
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|item| opened(item, depth + 1)).collect()),
        other => other.clone(),
    };
    Arc::new(Node { span: node.span, value, tag: node.tag.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_is_trimmed_where_actions_say_so() {
        let all = defined("{{- define \"a\" -}}\n x {{ .b }}\n{{- end }}\n{{ define \"c\" }}y{{ end }}");
        assert_eq!(all["a"].as_slice(), [Part::Text("x ".into()), Part::Print(".b".into())]);
        assert_eq!(all["c"].as_slice(), [Part::Text("y".into())]);
    }

    #[test]
    fn unbalanced_templates_are_left_out() {
        assert!(parts("{{ if .a }}x").is_none());
        assert!(parts("{{ end }}x{{ else }}").is_some());
        assert!(defined(&"{{ define \"a\" }}{{ if .b }}".repeat(5_000)).is_empty());
    }

    #[test]
    fn printed_values_read_back() {
        let node = read_back("\n\n  a: 1\n  \"b\": {\"c\": [1, \"x\"]}\n  d: v-\u{e000}\n").unwrap();
        assert_eq!(node.get("a").unwrap().number(), Some(1.0));
        assert_eq!(node.at(&["b", "c"]).unwrap().items()[1].text(), Some("x"));
        assert!(node.get("d").unwrap().is_unresolved());
        assert!(read_back("a: 1\n\u{e000}\nb: 2\n").is_none());
        let mut out = String::new();
        write(&node, &mut out);
        assert_eq!(out, "\"a\": 1\n\"b\": {\"c\": [1, \"x\"]}\n\"d\": \u{e000}\n");
    }
}

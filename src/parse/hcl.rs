//! HCL: Terraform, docker-bake, Packer. Blocks become nested maps, keyed by type and labels:
//! `resource "aws_ecs_service" "api" { .. }` is found at `["resource", "aws_ecs_service", "api"]`.
//!
//! An expression that only a run settles is `Unresolved` with its source text. A function that gives its argument in
//! another form (`jsonencode(..)`) is entered, with the function's name as tag; so are `concat`, the literal maps of
//! `merge`, and a list that goes through `for` only to leave something out.

pub mod settle;

use std::collections::BTreeSet;
use std::sync::Arc;

use hcl_edit::expr::{Expression, ForExpr, FuncCall, ObjectKey};
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use hcl_edit::{Span as HclSpan, parser, template};

use super::document::{Entry, Node, Value};
use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// Functions whose argument is what matters.
const TRANSPARENT: &[&str] =
    &["jsonencode", "yamlencode", "toset", "tolist", "tomap", "tostring", "tonumber", "sensitive", "nonsensitive"];

/// The tag of an unresolved text with expressions in it; its source stands without its quotes.
pub const TEMPLATE: &str = "template";

/// Reads a file. One that does not parse gives a problem and no document.
pub fn parse(text: &str) -> Parsed {
    let offset = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut parsed = Parsed { comments: comments(text), ..Parsed::default() };
    match parser::parse_body(&text[offset..]) {
        Ok(body) => {
            let reader = Reader { text, offset };
            let mut root = reader.body(&body);
            root.span = Span::new(offset, text.len());
            parsed.syntax = Syntax::Documents(vec![root]);
        }
        Err(error) => {
            let at = (offset + error.location().offset()).min(text.len());
            let message = format!("this is no valid HCL: {}", error.message());
            parsed.problems.push(Problem { span: Span::new(at, at), message });
        }
    }
    parsed
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
}

impl Reader<'_> {
    fn span(&self, node: &impl HclSpan) -> Span {
        let range = node.span().unwrap_or(0..0);
        Span::new(range.start + self.offset, range.end + self.offset)
    }

    /// Recursion here and below is bounded: the library refuses nesting beyond 64.
    fn body(&self, body: &Body) -> Node {
        let mut entries: Vec<Entry> = Vec::new();
        for structure in body.iter() {
            match structure {
                Structure::Attribute(attribute) => entries.push(self.attribute(attribute)),
                Structure::Block(block) => self.block(block, &mut entries),
            }
        }
        let span = entries.iter().map(|entry| entry.key_span.to(entry.value.span)).reduce(Span::to);
        Node { span: span.unwrap_or_default(), value: Value::Map(entries), tag: None }
    }

    fn attribute(&self, attribute: &Attribute) -> Entry {
        Entry {
            key: attribute.key.as_str().into(),
            key_span: self.span(&attribute.key),
            value: Arc::new(self.expression(&attribute.value)),
        }
    }

    /// Adds a block below its type and labels, beside earlier blocks of the same type.
    fn block(&self, block: &Block, entries: &mut Vec<Entry>) {
        let mut keys = vec![(block.ident.as_str(), self.span(&block.ident))];
        keys.extend(block.labels.iter().map(|label| {
            let span = match label {
                hcl_edit::structure::BlockLabel::Ident(ident) => self.span(ident),
                hcl_edit::structure::BlockLabel::String(string) => self.span(string),
            };
            (label.as_str(), span)
        }));
        let mut node = self.body(&block.body);
        node.span = self.span(block);
        insert(entries, &keys, node);
    }

    fn expression(&self, expression: &Expression) -> Node {
        let span = self.span(expression);
        let mut tag = None;
        let value = match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(flag) => Value::Flag(*flag.value()),
            Expression::Number(number) => number.value().as_f64().map_or(Value::Null, Value::Number),
            Expression::String(text) => Value::Text { text: text.as_str().into(), quoted: true },
            Expression::Array(array) => Value::List(array.iter().map(|item| Arc::new(self.expression(item))).collect()),
            Expression::Object(object) => {
                Value::Map(object.iter().map(|(key, value)| self.object_entry(key, value.expr())).collect())
            }
            Expression::Parenthesis(inner) => return Node { span, ..self.expression(inner.inner()) },
            Expression::HeredocTemplate(heredoc) => match literal(&heredoc.template) {
                Some(text) => Value::Text { text: text.into(), quoted: true },
                None => self.unresolved(span),
            },
            Expression::StringTemplate(_) => {
                tag = Some(TEMPLATE.into());
                let source = self.text.get(span.range()).unwrap_or("");
                let source = source.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(source);
                Value::Unresolved(source.into())
            }
            Expression::FuncCall(call) => return self.call(call, span),
            Expression::ForExpr(loop_) if is_filter(loop_) => {
                return Node { span, ..self.expression(&loop_.intro.collection_expr) };
            }
            _ => self.unresolved(span),
        };
        Node { span, value, tag }
    }

    fn call(&self, call: &FuncCall, span: Span) -> Node {
        let name = call.name.name.as_str();
        let only = call.args.get(0).filter(|_| call.args.len() == 1 && !call.args.expand_final());
        if let Some(argument) = only.filter(|_| TRANSPARENT.contains(&name)) {
            let inner = self.expression(argument);
            let tag = if inner.is_unresolved() { inner.tag } else { Some(name.into()) };
            return Node { span, value: inner.value, tag };
        }
        let joined = match name {
            "concat" if !call.args.expand_final() => self.concat(call),
            "merge" if !call.args.expand_final() => self.merge(call),
            _ => None,
        };
        match joined {
            Some(value) => Node { span, value, tag: Some(name.into()) },
            None => Node { span, value: self.unresolved(span), tag: None },
        }
    }

    /// The items of lists that are written here, one after the other; a list that is not is an item that nothing is
    /// known of.
    fn concat(&self, call: &FuncCall) -> Option<Value> {
        let lists: Vec<Node> = call.args.iter().map(|argument| self.expression(argument)).collect();
        let written = lists.iter().any(|list| matches!(list.value, Value::List(_)));
        let items = lists.into_iter().flat_map(|list| match list.value {
            Value::List(items) => items,
            _ => vec![Arc::new(list)],
        });
        written.then(|| Value::List(items.collect()))
    }

    /// The entries of maps that are all written here.
    fn merge(&self, call: &FuncCall) -> Option<Value> {
        let mut all: Vec<Entry> = Vec::new();
        for argument in call.args.iter() {
            let Value::Map(entries) = self.expression(argument).value else { return None };
            all.extend(entries);
        }
        Some(Value::Map(last_of_each(all)))
    }

    fn unresolved(&self, span: Span) -> Value {
        Value::Unresolved(self.text.get(span.range()).unwrap_or("").into())
    }

    fn object_entry(&self, key: &ObjectKey, value: &Expression) -> Entry {
        let (text, span): (Box<str>, Span) = match key {
            ObjectKey::Ident(ident) => (ident.as_str().into(), self.span(ident)),
            ObjectKey::Expression(expression) => {
                let span = self.span(expression);
                let source = self.text.get(span.range()).unwrap_or("");
                (expression.as_str().unwrap_or(source).into(), span)
            }
        };
        Entry { key: text, key_span: span, value: Arc::new(self.expression(value)) }
    }
}

/// The entries of several maps as one: the last of a name is the one that counts.
fn last_of_each(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut seen = BTreeSet::new();
    entries.reverse();
    entries.retain(|entry| seen.insert(entry.key.clone()));
    entries.reverse();
    entries
}

/// `[for item in list : item if ..]`: some of a list's items, as they are.
fn is_filter(loop_: &ForExpr) -> bool {
    let same = loop_.value_expr.as_variable().is_some_and(|name| name.as_str() == loop_.intro.value_var.as_str());
    same && loop_.key_expr.is_none() && loop_.cond.is_some()
}

/// The text of a template without interpolations.
fn literal(template: &template::Template) -> Option<String> {
    template.iter().map(|element| element.as_literal().map(|text| text.value().as_str())).collect()
}

fn insert(entries: &mut Vec<Entry>, keys: &[(&str, Span)], node: Node) {
    let Some(((key, key_span), rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        entries.push(Entry { key: (*key).into(), key_span: *key_span, value: Arc::new(node) });
        return;
    }
    let existing = entries.iter_mut().find(|entry| &*entry.key == *key);
    let inner = existing.and_then(|entry| Arc::get_mut(&mut entry.value)).and_then(|value| match &mut value.value {
        Value::Map(inner) => Some(inner),
        _ => None,
    });
    if let Some(inner) = inner {
        insert(inner, rest, node);
        return;
    }
    let span = key_span.to(node.span);
    let mut inner = Vec::new();
    insert(&mut inner, rest, node);
    let value = Arc::new(Node { span, value: Value::Map(inner), tag: None });
    entries.push(Entry { key: (*key).into(), key_span: *key_span, value });
}

/// `#`, `//` and `/* */` outside strings and heredocs.
fn comments(text: &str) -> Vec<Comment> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at = match rest {
            [b'"', ..] => string_end(bytes, at),
            [b'<', b'<', ..] => heredoc_end(text, at),
            [b'#', ..] => comment(text, at, 1, "\n", &mut found),
            [b'/', b'/', ..] => comment(text, at, 2, "\n", &mut found),
            [b'/', b'*', ..] => comment(text, at, 2, "*/", &mut found),
            _ => at + 1,
        };
    }
    found
}

fn comment(text: &str, at: usize, opening: usize, close: &str, found: &mut Vec<Comment>) -> usize {
    let body = at + opening;
    let end = text[body..].find(close).map_or(text.len(), |offset| body + offset);
    let closed = if close == "\n" { end } else { (end + close.len()).min(text.len()) };
    let trimmed = text[body..end].trim_end_matches('\r');
    let span_end = if close == "\n" { body + trimmed.len() } else { closed };
    found.push(Comment { span: Span::new(at, span_end), text: trimmed.to_string() });
    closed
}

/// One past the end of a string; quotes inside `${ }` belong to it.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    let mut braces = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'$' | b'%' if bytes.get(at + 1) == Some(&b'{') => {
                braces += 1;
                at += 1;
            }
            b'}' => braces = braces.saturating_sub(1),
            b'"' if braces == 0 => return at + 1,
            b'\n' if braces == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn heredoc_end(text: &str, start: usize) -> usize {
    let rest = &text[start + 2..];
    let name = rest.strip_prefix('-').unwrap_or(rest);
    let length = name.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(name.len());
    let delimiter = &name[..length];
    if delimiter.is_empty() {
        return start + 2;
    }
    let mut at = start + 2;
    for line in text[at..].split_inclusive('\n') {
        at += line.len();
        if line.trim() == delimiter {
            return at;
        }
    }
    start + 2
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

    const FILE: &str = "# töp\nresource \"aws_x\" \"a\" {\n  size = 3 // three\n  rule {\n    port = 80\n  }\n  rule {\n    port = 81\n  }\n  defs = jsonencode([{ name = \"app\", env = [{ name = \"A\", value = var.a }] }])\n  url  = \"https://${var.host}/#x\"\n  text = <<-EOT\n    # no comment\n  EOT\n}\nresource \"aws_x\" \"b\" {}\nlocals {\n  on = var.prod ? 2 : 1\n}\n";

    #[test]
    fn blocks_are_nested_maps() {
        assert_eq!(parse(FILE).problems, []);
        let root = document(FILE);
        let all = root.at(&["resource", "aws_x"]).unwrap();
        assert_eq!(all.entries().len(), 2);
        let a = all.get("a").unwrap();
        assert_eq!(a.get("size").unwrap().number(), Some(3.0));
        let ports: Vec<_> = a.entries().iter().filter(|entry| &*entry.key == "rule").collect();
        assert_eq!(ports[1].value.get("port").unwrap().number(), Some(81.0));
        let defs = a.get("defs").unwrap();
        assert_eq!(defs.tag.as_deref(), Some("jsonencode"));
        let env = &defs.items()[0].get("env").unwrap().items()[0];
        assert_eq!(env.get("name").unwrap().text(), Some("A"));
        assert_eq!(env.get("value").unwrap().value, Value::Unresolved("var.a".into()));
        assert_eq!(a.get("url").unwrap().value, Value::Unresolved("https://${var.host}/#x".into()));
        assert_eq!(&FILE[a.entry("url").unwrap().key_span.range()], "url");
        assert_eq!(root.at(&["locals", "on"]).unwrap().value, Value::Unresolved("var.prod ? 2 : 1".into()));
        assert!(a.get("text").unwrap().text().unwrap().contains("# no comment"));
        let comments: Vec<String> = parse(FILE).comments.into_iter().map(|comment| comment.text).collect();
        assert_eq!(comments, [" töp", " three"]);
    }

    #[test]
    fn hostile_input_gives_problems() {
        let deep = ["a = ".to_string() + &"[".repeat(100_000), "a {\n".repeat(20_000), "a = \"open".to_string()];
        for text in deep {
            assert_eq!(parse(&text).problems.len(), 1);
        }
        assert_eq!(document("\u{feff}a = 1\r\n").get("a").unwrap().number(), Some(1.0));
        assert_eq!(&"\u{feff}a = 1\r\n"[document("\u{feff}a = 1\r\n").get("a").unwrap().span.range()], "1");
        parse("");
    }
}

//! Texts of documents, and the matrix expressions in them.

use crate::parse::document::{Node, Value};

/// How many variants of one text are looked at.
const VARIANTS: usize = 32;

/// A scalar as text; what only a template settles as its source text.
pub fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Value::Unresolved(text) => Some(text.to_string()),
        _ => node.scalar(),
    }
}

/// The texts of a scalar or of the scalars of a list.
pub fn texts_of(node: &Node) -> Vec<String> {
    match node.items() {
        [] => text_of(node).into_iter().collect(),
        items => items.iter().filter_map(|item| text_of(item)).collect(),
    }
}

/// Whether a switch is on, or only known at run time; off when absent or false.
pub fn may_be_on(node: Option<&Node>) -> bool {
    node.is_some_and(|node| match text_of(node).as_deref() {
        Some("false" | "no" | "0" | "") | None => false,
        Some(_) => true,
    })
}

/// A text with each combination of the job's matrix values put in; the text itself where it names none.
pub fn variants(text: &str, matrix: Option<&Node>) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![text.to_string()];
    while let Some(next) = open.pop() {
        if done.len() >= VARIANTS {
            break;
        }
        match matrix.and_then(|matrix| first_axis(&next, matrix)) {
            Some((axis, values)) => {
                open.extend(values.iter().take(VARIANTS).map(|(value, row)| {
                    // The values of one row of `include` go together.
                    let rest = row.map_or(&[][..], Node::entries).iter().filter(|entry| *entry.key != *axis);
                    rest.fold(put_in(&next, &axis, value), |text, entry| put_in(&text, &entry.key, &entry.value))
                }));
            }
            None => done.push(next),
        }
    }
    done
}

/// A value of an axis, with the row of `include` that it comes from.
type Chosen<'n> = (&'n Node, Option<&'n Node>);

/// The first matrix axis that a text names, with the axis' values. A value may come from `include`.
fn first_axis<'n>(text: &str, matrix: &'n Node) -> Option<(String, Vec<Chosen<'n>>)> {
    let mut rest = text;
    while let Some(at) = rest.find("matrix.") {
        rest = &rest[at + "matrix.".len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let axis = &rest[..end];
        let listed = matrix.get(axis).map(|list| list.items()).unwrap_or_default();
        let mut values: Vec<Chosen<'_>> = listed.iter().map(|value| (&**value, None)).collect();
        let included = matrix.get("include").map(|list| list.items()).unwrap_or_default();
        values.extend(included.iter().filter_map(|row| Some((row.get(axis)?, Some(&**row)))));
        if !values.is_empty() {
            return Some((axis.to_string(), values));
        }
    }
    None
}

fn put_in(text: &str, axis: &str, value: &Node) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        let Some(length) = rest[at..].find("}}") else { break };
        let expression = rest[at + 3..at + length].trim();
        out.push_str(&rest[..at]);
        match value_of(expression, axis, value) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..at + length + 2]),
        }
        rest = &rest[at + length + 2..];
    }
    out.push_str(rest);
    // An expression that uses the axis in another way must not be expanded for ever.
    out.replace(&format!("matrix.{axis}"), &format!("matrix_{axis}"))
}

fn value_of(expression: &str, axis: &str, value: &Node) -> Option<String> {
    let path = expression.strip_prefix("matrix.")?.strip_prefix(axis)?;
    if path.is_empty() {
        return text_of(value).or(Some(String::new()));
    }
    let keys: Vec<&str> = path.strip_prefix('.')?.split('.').collect();
    Some(value.at(&keys).and_then(text_of).unwrap_or_default())
}

//! YAML, TOML, JSON and HCL: keys and their values, `name`/`value` pairs, `KEY=value` strings, Secret objects.

use std::sync::Arc;

use super::{Binding, Candidate};
use crate::link::secrets::setting::{Location, Setting};
use crate::link::secrets::shape::{self, Shape};
use crate::link::secrets::{checks, naming};
use crate::parse::document::{Node, Value};
use crate::scan::source::{Kind, SourceFile, Span};

/// Nodes that are looked at in one file; more than any file that people write has.
const MOST: usize = 200_000;

struct Walk<'s> {
    location: Location,
    file: &'s SourceFile,
    left: usize,
    found: Vec<Candidate>,
}

/// A state of Terraform or OpenTofu, or the copy of an older one: it holds every value in plain.
fn is_state(file: &SourceFile) -> bool {
    let name = file.name();
    name.ends_with(".tfstate") || name.contains(".tfstate.") && name.ends_with(".backup")
}

/// Why what SOPS encrypted is left.
pub const SOPS: &str = "SOPS encrypted it: it is there to be in git";

/// Why all of a document is left: what is encrypted at rest is there to be in git.
fn sealed(root: &Node) -> Option<&'static str> {
    if root.get("kind").and_then(Node::text) == Some("SealedSecret") {
        return Some("it is sealed for one cluster: it is there to be in git");
    }
    // A setting called `sops` is no metadata: SOPS always writes a message authentication code.
    root.get("sops").is_some_and(|metadata| metadata.get("mac").is_some()).then_some(SOPS)
}

/// The texts of a document that is encrypted.
pub fn encrypted(root: &Node) -> Vec<(&str, String, Span, &'static str)> {
    let mut found = Vec::new();
    let Some(reason) = sealed(root) else { return found };
    let mut next = vec![("", root)];
    while let Some((name, node)) = next.pop() {
        match &node.value {
            Value::Map(entries) => next.extend(entries.iter().map(|entry| (&*entry.key, &*entry.value))),
            Value::List(items) => next.extend(items.iter().map(|item| (name, &**item))),
            Value::Text { text, .. } => found.push((name, text.to_string(), node.span, reason)),
            _ => {}
        }
    }
    found
}

/// Candidates of all documents of a file.
pub fn candidates(roots: &[Node], file: &SourceFile, setting: &Setting) -> Vec<Candidate> {
    let mut walk = Walk { location: setting.location, file, left: MOST, found: Vec::new() };
    for root in roots {
        if sealed(root).is_some() {
            continue;
        }
        if is_state(file) {
            walk.state(root);
        }
        if root.get("kind").and_then(Node::text) == Some("Secret") && root.get("apiVersion").is_some() {
            walk.secret_object(root);
        } else {
            walk.node(root, &mut Vec::new());
        }
    }
    walk.found
}

impl Walk<'_> {
    // Depth is bounded by the readers.
    fn node(&mut self, node: &Node, path: &mut Vec<String>) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        match &node.value {
            Value::Map(entries) => {
                self.pair(node);
                for entry in entries {
                    path.push(entry.key.to_string());
                    self.node(&entry.value, path);
                    path.pop();
                }
            }
            Value::List(items) => self.list(items, path),
            Value::Text { text, .. } => self.scalar(path, text, node),
            Value::Number(_) => {
                let text = self.file.slice(node.span).to_string();
                self.scalar(path, &text, node);
            }
            // A default in `${NAME:-default}` is text; an expression of Terraform is not.
            Value::Unresolved(text) if self.file.kind != Kind::Hcl => self.scalar(path, text, node),
            _ => {}
        }
    }

    fn list(&mut self, items: &[Arc<Node>], path: &mut Vec<String>) {
        for item in items {
            match item.text().and_then(|text| text.split_once('=')) {
                Some((key, value)) if is_variable(key) => {
                    let span = tail(item.span, self.file.slice(item.span), value);
                    self.add(key, value, span, Binding::Set);
                }
                // A list under `secrets` names them, in compose files, pipelines and features alike.
                None if item
                    .text()
                    .is_some_and(|text| shape::of(text) != Shape::Random || naming::is_identifier(text)) => {}
                _ => self.node(item, path),
            }
        }
    }

    /// `{ name: X, value: Y }`, as lists of variables write it.
    fn pair(&mut self, node: &Node) {
        let name = node.get("name").or_else(|| node.get("Name")).or_else(|| node.get("key")).and_then(Node::text);
        let value = node.get("value").or_else(|| node.get("Value"));
        if let (Some(name), Some(value)) = (name, value)
            && let Some(text) = value.text()
        {
            self.add(name, text, value.span, Binding::Set);
        }
    }

    fn scalar(&mut self, path: &[String], text: &str, node: &Node) {
        let Some(name) = name_of(path) else { return };
        // A reference to a variable with a default comes back as unresolved text.
        self.add(&name, text, node.span, Binding::Set);
    }

    fn add(&mut self, name: &str, value: &str, span: Span, binding: Binding) {
        let mut candidate = Candidate::new(name, value, span, self.location);
        candidate.binding = binding;
        self.found.push(candidate);
    }

    /// Outputs and attributes that a state marks as sensitive are secrets whatever they are called, and so is what a
    /// resource that only makes passwords made.
    fn state(&mut self, root: &Node) {
        for output in root.get("outputs").map(Node::entries).unwrap_or_default() {
            if output.value.get("sensitive").and_then(Node::flag) == Some(true) {
                self.sensitive(&output.key, output.value.get("value"));
            }
        }
        for resource in root.get("resources").map(Node::items).unwrap_or_default() {
            let makes = resource.get("type").and_then(Node::text) == Some("random_password");
            for instance in resource.get("instances").map(Node::items).unwrap_or_default() {
                let Some(attributes) = instance.get("attributes") else { continue };
                for steps in instance.get("sensitive_attributes").map(Node::items).unwrap_or_default() {
                    let (name, node) = marked(attributes, steps);
                    self.sensitive(name, node);
                }
                if makes {
                    self.sensitive("result", attributes.get("result"));
                }
            }
        }
    }

    /// Every text below a node that is marked as sensitive.
    fn sensitive(&mut self, name: &str, node: Option<&Node>) {
        let Some(node) = node else { return };
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        match &node.value {
            Value::Text { text, .. } if !text.is_empty() && !plainly_public(name) => {
                self.add(&format!("{name}.secret"), text, node.span, Binding::Set);
            }
            Value::Map(entries) => entries.iter().for_each(|entry| self.sensitive(&entry.key, Some(&entry.value))),
            Value::List(items) => items.iter().for_each(|item| self.sensitive(name, Some(item))),
            _ => {}
        }
    }

    /// `data` of a Kubernetes Secret is base 64, `stringData` is not.
    fn secret_object(&mut self, root: &Node) {
        for (key, encoded) in [("data", true), ("stringData", false)] {
            for entry in root.get(key).map(Node::entries).unwrap_or_default() {
                let Some(text) = entry.value.text() else { continue };
                let decoded = if encoded {
                    checks::decode(text).and_then(|bytes| String::from_utf8(bytes).ok())
                } else {
                    Some(text.to_string())
                };
                // Every value of a Secret is one, whatever it is called; user names and hosts are not.
                let name = format!("{}.secret", entry.key);
                let name = if plainly_public(&entry.key) { entry.key.to_string() } else { name };
                if let Some(decoded) = decoded {
                    self.add(&name, decoded.trim_end_matches('\n'), entry.value.span, Binding::Set);
                }
            }
        }
    }
}

/// The attribute that the steps of a path lead to: `[{"type": "get_attr", "value": "password"}]`.
fn marked<'n>(attributes: &'n Node, steps: &'n Node) -> (&'n str, Option<&'n Node>) {
    let (mut name, mut at) = ("", Some(attributes));
    for step in steps.items() {
        let Some(value) = step.get("value") else { continue };
        // The position in a list is a number, in an object of its own.
        let inner = value.get("value").unwrap_or(value);
        match (inner.text(), inner.number()) {
            (Some(key), _) => {
                name = key;
                at = at.and_then(|node| node.get(key));
            }
            (_, Some(position)) => {
                let index = (0u32..).zip(at.map(Node::items).unwrap_or_default());
                at = index.filter(|(place, _)| f64::from(*place) == position).map(|(_, item)| &**item).next();
            }
            _ => at = None,
        }
    }
    (name, at)
}

fn plainly_public(key: &str) -> bool {
    let words = crate::link::secrets::naming::words(key);
    let last = words.last().map_or("", String::as_str);
    matches!(
        last,
        "user"
            | "username"
            | "host"
            | "hostname"
            | "port"
            | "name"
            | "url"
            | "uri"
            | "email"
            | "id"
            | "database"
            | "db"
            | "endpoint"
            | "region"
            | "bucket"
            | "crt"
            | "cert"
            | "ca"
            | "domain"
            | "address"
            | "addr"
            | "mode"
            | "level"
    )
}

/// The name of a value: its key, or the one above where the key only says that it is the value.
fn name_of(path: &[String]) -> Option<String> {
    let last = path.last()?;
    let generic = matches!(
        last.as_str(),
        "default" | "value" | "Value" | "default_value" | "defaultValue" | "Default" | "content"
    );
    if generic && path.len() >= 2 {
        return path.get(path.len() - 2).cloned();
    }
    // `auth.rootPassword` and `secret.key` are told by the last two; a longer path says less.
    match path {
        [.., before, last] if matches!(last.as_str(), "key" | "token") => Some(format!("{before}_{last}")),
        _ => Some(last.clone()),
    }
}

fn is_variable(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The span of what stands last in a list's string.
fn tail(span: Span, source: &str, value: &str) -> Span {
    match source.rfind(value) {
        Some(at) if !value.is_empty() => {
            let start = span.start as usize + at;
            Span::new(start, start + value.len())
        }
        _ => span,
    }
}

//! Walks over manifests: Kubernetes objects and compose services of the tree.

use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{Kind, SourceFile};

/// A Kubernetes object.
pub struct Object<'a> {
    /// Its file.
    pub file: &'a SourceFile,
    /// The whole object.
    pub node: &'a Node,
    /// Group of its apiVersion: `apps`, `monitoring.coreos.com`, empty for the core.
    pub group: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Where the kind stands.
    pub entry: &'a Entry,
}

/// How many nodes of one document are walked for texts.
const NODES: usize = 20_000;

/// All documents of YAML, JSON and TOML files.
pub fn documents(repository: &Repository) -> impl Iterator<Item = (&SourceFile, &Node)> {
    repository.files().flat_map(|(file, parsed)| {
        let documents = match &parsed.syntax {
            Syntax::Documents(documents) if file.kind != Kind::Hcl => documents.as_slice(),
            _ => &[],
        };
        documents.iter().map(move |node| (file, node))
    })
}

/// All Kubernetes objects, those inside a `List` too.
pub fn objects(repository: &Repository) -> Vec<Object<'_>> {
    let mut found = Vec::new();
    for (file, node) in documents(repository) {
        add(file, node, &mut found);
        if node.get("kind").and_then(Node::text) == Some("List") {
            for item in node.get("items").map(Node::items).unwrap_or_default() {
                add(file, item, &mut found);
            }
        }
    }
    found
}

fn add<'a>(file: &'a SourceFile, node: &'a Node, found: &mut Vec<Object<'a>>) {
    let version = node.get("apiVersion").map(source);
    let (Some(version), Some(entry)) = (version, node.entry("kind")) else { return };
    let Some(kind) = entry.value.text() else { return };
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    found.push(Object { file, node, group, kind, entry });
}

fn source(node: &Node) -> &str {
    match &node.value {
        Value::Text { text, .. } | Value::Unresolved(text) => text,
        _ => "",
    }
}

/// Services of compose files: name, body.
pub fn compose_services(repository: &Repository) -> Vec<(&SourceFile, &Entry)> {
    let of = |(file, node): (&'_ SourceFile, &'_ Node)| -> bool {
        let name = file.name();
        file.kind == Kind::Yaml
            && (name.contains("compose") || node.get("version").is_some())
            && node.get("services").is_some()
    };
    let roots = documents(repository).filter(|(file, node)| of((file, node)));
    roots
        .flat_map(|(file, node)| {
            let services = node.get("services").map(Node::entries).unwrap_or_default();
            services.iter().map(move |entry| (file, entry))
        })
        .collect()
}

/// The first text below a node that `wanted` takes.
pub fn text_with<'a>(node: &'a Node, wanted: &dyn Fn(&str) -> bool) -> Option<&'a Node> {
    let mut open = vec![node];
    let mut seen = 0;
    while let Some(node) = open.pop() {
        seen += 1;
        if seen > NODES {
            return None;
        }
        if matches!(node.value, Value::Text { .. } | Value::Unresolved(_)) && wanted(source(node)) {
            return Some(node);
        }
        open.extend(node.entries().iter().rev().map(|entry| &*entry.value));
        open.extend(node.items().iter().rev().map(|item| &**item));
    }
    None
}

/// Entries of a key anywhere below a node, in order.
pub fn entries_of<'a>(node: &'a Node, key: &str) -> Vec<&'a Entry> {
    let mut open = vec![node];
    let mut found = Vec::new();
    let mut seen = 0;
    while let Some(node) = open.pop() {
        seen += 1;
        if seen > NODES {
            break;
        }
        found.extend(node.entries().iter().filter(|entry| &*entry.key == key));
        open.extend(node.entries().iter().rev().map(|entry| &*entry.value));
        open.extend(node.items().iter().rev().map(|item| &**item));
    }
    found.sort_by_key(|entry| entry.key_span.start);
    found
}

//! Terraform resources with their variables' defaults put in.

use crate::facts::Attr;
use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{Kind, SourceFile, Span};

/// A resource or module call.
pub struct Resource<'a> {
    /// Its file.
    pub file: &'a SourceFile,
    /// `aws_db_instance`; `module` for a module call.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Where the type or name stands.
    pub span: Span,
    /// Its arguments and blocks.
    pub body: &'a Node,
    /// Documents of the same folder, for variables.
    folder: Vec<&'a Node>,
}

/// All resources and module calls of the tree.
pub fn resources(repository: &Repository) -> Vec<Resource<'_>> {
    let roots: Vec<(&SourceFile, &Node)> = repository
        .files()
        .filter(|(file, _)| file.kind == Kind::Hcl)
        .filter_map(|(file, parsed)| match &parsed.syntax {
            Syntax::Documents(documents) => Some((file, documents.first()?)),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for (file, root) in &roots {
        let folder: Vec<&Node> =
            roots.iter().filter(|(other, _)| other.folder() == file.folder()).map(|(_, root)| *root).collect();
        for kind in blocks(root, "resource").flat_map(|node| node.entries()) {
            for named in kind.value.entries() {
                found.push(Resource {
                    file,
                    kind: &kind.key,
                    name: &named.key,
                    span: named.key_span,
                    body: &named.value,
                    folder: folder.clone(),
                });
            }
        }
        for named in blocks(root, "module").flat_map(|node| node.entries()) {
            found.push(Resource {
                file,
                kind: "module",
                name: &named.key,
                span: named.key_span,
                body: &named.value,
                folder: folder.clone(),
            });
        }
    }
    found
}

fn blocks<'a>(node: &'a Node, key: &'a str) -> impl Iterator<Item = &'a Node> {
    node.entries().iter().filter(move |entry| &*entry.key == key).map(|entry| &*entry.value)
}

impl<'a> Resource<'a> {
    /// An argument below blocks, with a variable's default put in.
    pub fn at(&self, path: &[&str]) -> Option<&'a Node> {
        let node = self.body.at(path)?;
        let Value::Unresolved(source) = &node.value else { return Some(node) };
        let name = source.trim().strip_prefix("var.").filter(|name| !name.contains(['.', '[', ' ']));
        let default = name.and_then(|name| self.folder.iter().find_map(|root| root.at(&["variable", name, "default"])));
        Some(default.unwrap_or(node))
    }

    /// The entry of an argument.
    pub fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.body.entry(key)
    }

    /// A number, where written; a text of digits is one.
    pub fn number(&self, path: &[&str]) -> Attr<f64> {
        match self.at(path) {
            None => Attr::Unset,
            Some(node) => {
                let text = node.text().and_then(|text| text.parse().ok());
                node.number().or(text).map_or(Attr::Unknown, Attr::Known)
            }
        }
    }

    /// A switch, where written.
    pub fn flag(&self, path: &[&str]) -> Attr<bool> {
        match self.at(path) {
            None => Attr::Unset,
            Some(node) => {
                node.flag().or(node.text().and_then(|text| text.parse().ok())).map_or(Attr::Unknown, Attr::Known)
            }
        }
    }

    /// A text, where written.
    pub fn text(&self, path: &[&str]) -> Option<String> {
        self.at(path).and_then(Node::scalar)
    }
}

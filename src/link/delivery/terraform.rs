//! Terraform resources with the values of their variables put in: by the call of their module, by tfvars files, or by
//! their defaults.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::facts::Attr;
use crate::link::Repository;
use crate::link::configuration::words;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{Kind, SourceFile, Span};

/// How often a variable that is given by another variable is followed.
const DEPTH: usize = 6;

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
    /// What gives its variables their values.
    configuration: Rc<Configuration<'a>>,
}

/// All Terraform of the tree, by folder.
#[derive(Default)]
struct Configuration<'a> {
    /// Documents of each module.
    modules: BTreeMap<&'a str, Vec<&'a Node>>,
    /// Files of values with where they stand.
    values: Vec<(&'a SourceFile, &'a Node)>,
    /// Calls of a folder's module: the folder they stand in, and their arguments.
    calls: BTreeMap<String, Vec<(&'a str, &'a Node)>>,
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
    let configuration = Rc::new(Configuration::of(&roots));
    let mut found = Vec::new();
    for (file, root) in &roots {
        for kind in blocks(root, "resource").flat_map(|node| node.entries()) {
            let named = kind.value.entries().iter();
            found.extend(named.map(|named| Resource::new(file, &kind.key, named, &configuration)));
        }
        let calls = blocks(root, "module").flat_map(|node| node.entries());
        found.extend(calls.map(|named| Resource::new(file, "module", named, &configuration)));
    }
    found
}

fn blocks<'a>(node: &'a Node, key: &'a str) -> impl Iterator<Item = &'a Node> {
    node.entries().iter().filter(move |entry| &*entry.key == key).map(|entry| &*entry.value)
}

impl<'a> Configuration<'a> {
    fn of(roots: &[(&'a SourceFile, &'a Node)]) -> Configuration<'a> {
        let mut all = Configuration::default();
        for (file, root) in roots {
            if file.name().ends_with(".tfvars") {
                all.values.push((file, root));
                continue;
            }
            all.modules.entry(file.folder()).or_default().push(root);
            for call in blocks(root, "module").flat_map(|node| node.entries()) {
                let source = call.value.get("source").and_then(Node::text).filter(|source| source.starts_with('.'));
                if let Some(source) = source {
                    all.calls.entry(join(file.folder(), source)).or_default().push((file.folder(), &call.value));
                }
            }
        }
        all
    }

    /// What an expression of a folder's module gives, where it is a variable or a local value that can be followed.
    fn resolve(&self, folder: &str, node: &'a Node, depth: usize) -> &'a Node {
        let Value::Unresolved(source) = &node.value else { return node };
        let plain = |name: &&str| !name.is_empty() && !name.contains(['.', '[', ' ', '(']);
        let source = source.trim();
        if depth > DEPTH {
            return node;
        }
        if let Some(name) = source.strip_prefix("local.").filter(plain) {
            let local = self.in_module(folder, &["locals", name]);
            return local.map_or(node, |local| self.resolve(folder, local, depth + 1));
        }
        match source.strip_prefix("var.").filter(plain) {
            Some(name) => self.variable(folder, name, node, depth),
            None => node,
        }
    }

    fn variable(&self, folder: &str, name: &str, node: &'a Node, depth: usize) -> &'a Node {
        let default = || self.in_module(folder, &["variable", name, "default"]);
        let Some(calls) = self.calls.get(folder) else {
            return self.given(folder, name).or_else(default).unwrap_or(node);
        };
        let given = |(caller, body): &(&'a str, &'a Node)| {
            body.get(name).map(|value| self.resolve(caller, value, depth + 1)).or_else(default)
        };
        let mut values = calls.iter().map(given);
        let first = values.next().flatten();
        // Several calls that differ are several resources: which of them is meant cannot be told.
        let same = values.all(|value| value.map(|node| &node.value) == first.map(|node| &node.value));
        first.filter(|_| same).unwrap_or(node)
    }

    /// A value in the files that are read without being named, else in those of production.
    fn given(&self, folder: &str, name: &str) -> Option<&'a Node> {
        let below = |file: &SourceFile| folder.is_empty() || file.path.starts_with(&format!("{folder}/"));
        let find = |wanted: &dyn Fn(&SourceFile) -> bool| {
            let mut files = self.values.iter().filter(|(file, _)| wanted(file));
            files.find_map(|(_, root)| root.get(name))
        };
        let automatic = |file: &SourceFile| {
            file.folder() == folder && (file.name() == "terraform.tfvars" || file.name().ends_with(".auto.tfvars"))
        };
        let production = |file: &SourceFile| below(file) && words::in_name(file.name()) == Some("production");
        find(&automatic).or_else(|| find(&production))
    }

    fn in_module(&self, folder: &str, path: &[&str]) -> Option<&'a Node> {
        let (first, rest) = path.split_first()?;
        let documents = self.modules.get(folder)?;
        let entries = documents.iter().flat_map(|root| root.entries());
        entries.filter(|entry| &*entry.key == *first).find_map(|entry| entry.value.at(rest))
    }
}

/// A path relative to a folder, with `.` and `..` taken out.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

impl<'a> Resource<'a> {
    fn new(
        file: &'a SourceFile,
        kind: &'a str,
        named: &'a Entry,
        configuration: &Rc<Configuration<'a>>,
    ) -> Resource<'a> {
        let (name, span, body) = (&*named.key, named.key_span, &*named.value);
        Resource { file, kind, name, span, body, configuration: configuration.clone() }
    }

    /// Whether it calls a module of this tree, whose resources are read where they stand.
    pub fn calls_own_module(&self) -> bool {
        let source = self.body.get("source").and_then(Node::text).filter(|source| source.starts_with('.'));
        source.is_some_and(|source| self.configuration.modules.contains_key(&*join(self.file.folder(), source)))
    }

    /// An argument below blocks, with the value of a variable put in.
    pub fn at(&self, path: &[&str]) -> Option<&'a Node> {
        Some(self.configuration.resolve(self.file.folder(), self.body.at(path)?, 0))
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

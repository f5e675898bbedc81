//! Terraform resources with the values of their expressions put in, as far as the source settles them: variables by the
//! call of their module, by tfvars files, or by their defaults; local values, outputs of modules of the tree, and
//! what conditionals, templates and functions make of all these.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::facts::Attr;
use crate::link::Repository;
use crate::link::configuration::words;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::parse::hcl::settle::{named, settle};
use crate::scan::source::{Kind, SourceFile, Span};

/// How often a variable that is given by another variable is followed.
const DEPTH: usize = 8;

/// How many names are looked up for one argument.
const LOOKUPS: usize = 1000;

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
    /// Names that were looked up for the argument that is read now.
    lookups: Cell<usize>,
}

/// An expression with the folder of the module that it is written in.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    folder: &'a str,
    /// The expression.
    pub node: &'a Node,
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

    /// A node with the values of the expressions in it, as far as they are settled; it keeps its place.
    fn settled(&self, folder: &str, node: &'a Node) -> Cow<'a, Node> {
        self.lookups.set(0);
        if has_expressions(node) { Cow::Owned(self.deep(folder, node, 0)) } else { Cow::Borrowed(node) }
    }

    fn deep(&self, folder: &str, node: &Node, depth: usize) -> Node {
        let value = match &node.value {
            Value::Unresolved(_) => match settle(node, &|path| self.look_up(folder, path, depth)) {
                Some(value) => return placed(value, node.span),
                None => node.value.clone(),
            },
            Value::List(items) => {
                let joined = node.tag.as_deref() == Some("concat");
                let items = items.iter().flat_map(|item| match self.deep(folder, item, depth) {
                    // What stands between the lists of `concat` is a list as well.
                    Node { value: Value::List(inner), .. } if joined && item.is_unresolved() => inner,
                    item => vec![Arc::new(item)],
                });
                Value::List(items.collect())
            }
            Value::Map(entries) => {
                let entry =
                    |entry: &Entry| Entry { value: Arc::new(self.deep(folder, &entry.value, depth)), ..entry.clone() };
                Value::Map(entries.iter().map(entry).collect())
            }
            _ => return node.clone(),
        };
        Node { span: node.span, value, tag: node.tag.clone() }
    }

    fn look_up(&self, folder: &str, path: &[&str], depth: usize) -> Option<Value> {
        self.lookups.set(self.lookups.get() + 1);
        if depth >= DEPTH || self.lookups.get() > LOOKUPS {
            return None;
        }
        let value = |folder: &str, node: &Node| self.deep(folder, node, depth + 1).value;
        let found = match path {
            ["local", name] => value(folder, self.in_module(folder, &["locals", name])?),
            ["module", call, output] => {
                let (inner, node) = self.output(folder, call, output)?;
                value(inner, node)
            }
            ["var", name] => {
                let default = || self.in_module(folder, &["variable", name, "default"]).map(|node| value(folder, node));
                let Some(calls) = self.calls.get(folder) else {
                    return self.given(folder, name).map(|node| node.value.clone()).or_else(default);
                };
                let mut values = calls.iter().map(|(caller, body)| match body.get(name) {
                    Some(node) => Some(value(caller, node)),
                    None => default(),
                });
                let first = values.next().flatten()?;
                // Several calls that differ are several resources: which of them is meant cannot be told.
                values.all(|value| value.as_ref() == Some(&first)).then_some(first)?
            }
            _ => return None,
        };
        Some(found).filter(|value| !matches!(value, Value::Unresolved(_)))
    }

    /// The value of an output of a module of the tree, with the module's folder.
    fn output(&self, folder: &str, call: &str, output: &str) -> Option<(&'a str, &'a Node)> {
        let source =
            self.in_module(folder, &["module", call, "source"])?.text().filter(|text| text.starts_with('.'))?;
        let (inner, _) = self.modules.get_key_value(&*join(folder, source))?;
        Some((inner, self.in_module(inner, &["output", output, "value"])?))
    }

    /// The expressions that a name stands for, followed through names of names.
    fn origins(&self, from: Origin<'a>, depth: usize, found: &mut Vec<Origin<'a>>) {
        let names = named(from.node).unwrap_or_default();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let before = found.len();
        if depth < DEPTH && found.len() < LOOKUPS {
            let next: Vec<Origin<'a>> = self.next(from.folder, &names);
            next.into_iter().for_each(|next| self.origins(next, depth + 1, found));
        }
        if found.len() == before {
            found.push(from);
        }
    }

    /// What one name stands for.
    fn next(&self, folder: &'a str, names: &[&str]) -> Vec<Origin<'a>> {
        match names {
            ["local", name] => {
                self.in_module(folder, &["locals", name]).map(|node| Origin { folder, node }).into_iter().collect()
            }
            ["module", call, output] => {
                self.output(folder, call, output).map(|(folder, node)| Origin { folder, node }).into_iter().collect()
            }
            ["var", name] => {
                let calls = self.calls.get(folder).into_iter().flatten();
                let given = calls.filter_map(|(folder, body)| Some(Origin { folder, node: body.get(name)? }));
                let default = || self.in_module(folder, &["variable", name, "default"]);
                let given: Vec<Origin<'a>> = given.collect();
                if !given.is_empty() {
                    return given;
                }
                let found = self.given(folder, name).or_else(default);
                found.map(|node| Origin { folder, node }).into_iter().collect()
            }
            _ => Vec::new(),
        }
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

/// A value that is written elsewhere, as if all of it stood at one place.
fn placed(value: Value, span: Span) -> Node {
    let value = match value {
        Value::List(items) => {
            Value::List(items.iter().map(|item| Arc::new(placed(item.value.clone(), span))).collect())
        }
        Value::Map(entries) => {
            let here = entries.into_iter().map(|entry| Entry {
                key: entry.key,
                key_span: span,
                value: Arc::new(placed(entry.value.value.clone(), span)),
            });
            Value::Map(here.collect())
        }
        value => value,
    };
    Node { span, value, tag: None }
}

fn has_expressions(node: &Node) -> bool {
    match &node.value {
        Value::Unresolved(_) => true,
        Value::List(items) => items.iter().any(|item| has_expressions(item)),
        Value::Map(entries) => entries.iter().any(|entry| has_expressions(&entry.value)),
        _ => false,
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

    /// An argument below blocks, with the values of expressions put in; `None` where it is null.
    pub fn at(&self, path: &[&str]) -> Option<Cow<'a, Node>> {
        let mut node = self.body;
        for (at, key) in path.iter().enumerate() {
            if node.is_unresolved() {
                let settled = self.settled(node);
                return settled.at(&path[at..]).filter(|node| !node.is_null()).cloned().map(Cow::Owned);
            }
            node = node.get(key)?;
        }
        Some(self.settled(node)).filter(|node| !node.is_null())
    }

    /// A node of this resource with the values of expressions put in.
    pub fn settled(&self, node: &'a Node) -> Cow<'a, Node> {
        self.configuration.settled(self.file.folder(), node)
    }

    /// The expressions that a node of this resource stands for: itself, or what the names in it name in the end.
    pub fn origins(&self, node: &'a Node) -> Vec<Origin<'a>> {
        let mut found = Vec::new();
        self.configuration.origins(Origin { folder: self.file.folder(), node }, 0, &mut found);
        found
    }

    /// The resource of some kinds that a node refers to, by folder and name: `aws_lb_target_group.api.arn`.
    pub fn refers_to(&self, node: &'a Node, kinds: &[&str]) -> Option<(&'a str, String)> {
        self.origins(node).into_iter().find_map(|origin| {
            let Value::Unresolved(source) = &origin.node.value else { return None };
            let source = source.trim().trim_start_matches("${").trim_start();
            let (kind, rest) = source.split_once('.')?;
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
            kinds.contains(&kind).then_some((origin.folder, name))
        })
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
        self.at(path).and_then(|node| node.scalar())
    }
}

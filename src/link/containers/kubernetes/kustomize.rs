//! Kustomize: which resources an overlay takes in, and what its patches, images and replicas make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::chart::lay_over;
use super::pod::number;
use crate::facts::vocabulary::EnvironmentConfig;
use crate::link::Repository;
use crate::link::configuration::words::environment;
use crate::link::containers::{Deployment, join};
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{FileId, Span};

const NAMES: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Overlays that build on each other are followed so far.
const DEPTH: usize = 16;

#[derive(Debug)]
struct Overlay {
    file: FileId,
    folder: String,
    node: Arc<Node>,
    /// Folders of other overlays and paths of resources.
    resources: Vec<String>,
}

/// All overlays of the tree.
#[derive(Debug, Default)]
pub struct Overlays {
    overlays: BTreeMap<String, Overlay>,
    patches: BTreeSet<FileId>,
    /// For each resource file the overlays that are applied to it, innermost first.
    chains: BTreeMap<FileId, Vec<String>>,
    /// Documents of patch files, by file.
    patch_documents: BTreeMap<FileId, Vec<Node>>,
    paths: BTreeMap<String, FileId>,
}

fn texts(node: &Node, key: &str) -> Vec<String> {
    node.get(key).map_or(&[][..], Node::items).iter().filter_map(|item| item.text().map(str::to_string)).collect()
}

impl Overlays {
    /// Reads them.
    pub fn read(repository: &Repository) -> Overlays {
        let mut all = Overlays::default();
        for (file, parsed) in repository.files() {
            let Syntax::Documents(documents) = &parsed.syntax else { continue };
            all.paths.insert(file.path.clone(), file.id);
            let (true, Some(node)) = (NAMES.contains(&file.name()), documents.first()) else { continue };
            let folder = file.folder().to_string();
            let resources = ["resources", "bases", "components"]
                .iter()
                .flat_map(|key| texts(node, key))
                .map(|path| join(&folder, &path))
                .collect();
            let overlay = Overlay { file: file.id, folder: folder.clone(), node: Arc::new(node.clone()), resources };
            all.overlays.insert(folder, overlay);
        }
        all.find_patches(repository);
        all.find_chains();
        all
    }

    fn find_patches(&mut self, repository: &Repository) {
        let mut found = BTreeSet::new();
        for overlay in self.overlays.values() {
            let paths = patch_paths(&overlay.node).into_iter().map(|path| join(&overlay.folder, &path));
            found.extend(paths.filter_map(|path| self.paths.get(&path).copied()));
        }
        for file in &found {
            if let Syntax::Documents(documents) = &repository.get(*file).1.syntax {
                self.patch_documents.insert(*file, documents.clone());
            }
        }
        found.extend(self.overlays.values().map(|overlay| overlay.file));
        self.patches = found;
    }

    /// Overlays that no other takes in, the one nearest to production first.
    fn roots(&self) -> Vec<&Overlay> {
        let taken: BTreeSet<&String> = self.overlays.values().flat_map(|overlay| &overlay.resources).collect();
        let mut roots: Vec<&Overlay> =
            self.overlays.values().filter(|overlay| !taken.contains(&overlay.folder)).collect();
        roots.sort_by_key(|overlay| (rank(&overlay.folder), overlay.folder.clone()));
        roots
    }

    fn find_chains(&mut self) {
        let mut chains = BTreeMap::new();
        for root in self.roots() {
            self.walk(&root.folder, &mut Vec::new(), &mut chains);
        }
        self.chains = chains;
    }

    fn walk(&self, folder: &str, above: &mut Vec<String>, chains: &mut BTreeMap<FileId, Vec<String>>) {
        let Some(overlay) = self.overlays.get(folder) else { return };
        if above.len() > DEPTH || above.iter().any(|known| known == folder) {
            return;
        }
        above.push(folder.to_string());
        for resource in &overlay.resources {
            match self.paths.get(resource) {
                Some(file) => {
                    let chain: Vec<String> = above.iter().rev().cloned().collect();
                    chains.entry(*file).or_insert(chain);
                }
                None => self.walk(resource, above, chains),
            }
        }
        above.pop();
    }

    /// Whether a file is a patch or an overlay itself, not a manifest of its own.
    pub fn is_patch(&self, file: FileId) -> bool {
        self.patches.contains(&file)
    }

    /// A resource as its overlays make it, with the overlay's folder as its group.
    pub fn apply(&self, file: FileId, node: &Node) -> Option<(Arc<Node>, bool, String)> {
        let chain = self.chains.get(&file)?;
        let mut result = Arc::new(node.clone());
        for folder in chain {
            if let Some(overlay) = self.overlays.get(folder) {
                result = self.patched(&result, overlay);
            }
        }
        Some((result, false, chain.last().cloned().unwrap_or_default()))
    }

    fn patched(&self, node: &Arc<Node>, overlay: &Overlay) -> Arc<Node> {
        let mut result = node.clone();
        for patch in self.patch_nodes(overlay) {
            result = match patch {
                Patch::Merge(patch) if same_object(&result, &patch) => merge(&result, &patch, result.span),
                Patch::Operations(target, operations)
                    if target.as_ref().is_none_or(|target| targets(target, &result)) =>
                {
                    operations.iter().fold(result, |result, operation| operate(&result, operation))
                }
                _ => result,
            };
        }
        let name = result.at(&["metadata", "name"]).and_then(Node::text).unwrap_or("").to_string();
        for replica in overlay.node.get("replicas").map_or(&[][..], Node::items) {
            let count = replica.get("count").and_then(number);
            if let (Some(known), Some(count)) = (replica.get("name").and_then(Node::text), count)
                && known == name
            {
                result = set(&result, &["spec", "replicas"], &Value::Number(count), 0);
            }
        }
        images(&result, &overlay.node)
    }

    fn patch_nodes(&self, overlay: &Overlay) -> Vec<Patch> {
        let mut patches = Vec::new();
        let by_path = |path: &str| {
            let file = self.paths.get(&join(&overlay.folder, path));
            file.and_then(|file| self.patch_documents.get(file)).cloned().unwrap_or_default()
        };
        for path in texts(&overlay.node, "patchesStrategicMerge") {
            patches.extend(by_path(&path).into_iter().map(|node| Patch::Merge(Arc::new(node))));
        }
        for key in ["patches", "patchesJson6902"] {
            for item in overlay.node.get(key).map_or(&[][..], Node::items) {
                let documents = match (item.get("path").and_then(Node::text), item.get("patch").and_then(Node::text)) {
                    (Some(path), _) => by_path(path),
                    (_, Some(text)) => inline(text),
                    _ => continue,
                };
                let target = item.get("target").cloned().map(Arc::new);
                patches.extend(documents.into_iter().map(|node| match node.value {
                    Value::List(operations) => Patch::Operations(target.clone(), operations),
                    _ => Patch::Merge(Arc::new(node)),
                }));
            }
        }
        patches
    }
}

enum Patch {
    Merge(Arc<Node>),
    Operations(Option<Arc<Node>>, Vec<Arc<Node>>),
}

fn patch_paths(node: &Node) -> Vec<String> {
    let mut paths = texts(node, "patchesStrategicMerge");
    for key in ["patches", "patchesJson6902"] {
        let items = node.get(key).map_or(&[][..], Node::items);
        paths.extend(items.iter().filter_map(|item| item.get("path").and_then(Node::text).map(str::to_string)));
    }
    paths
}

fn inline(text: &str) -> Vec<Node> {
    match crate::parse::yaml::parse(text).syntax {
        Syntax::Documents(documents) => documents,
        _ => Vec::new(),
    }
}

fn rank(folder: &str) -> u8 {
    let words = folder.split(['/', '-', '_']).filter_map(|word| environment(word));
    let rank = |environment: &str| match environment {
        "production" => 0,
        "staging" => 2,
        _ => 3,
    };
    words.map(rank).fold(1, |_, last| last)
}

fn same_object(node: &Node, patch: &Node) -> bool {
    let field = |node: &Node, keys: &[&str]| node.at(keys).and_then(Node::scalar);
    field(node, &["kind"]) == field(patch, &["kind"])
        && field(node, &["metadata", "name"]) == field(patch, &["metadata", "name"])
}

fn targets(target: &Node, node: &Node) -> bool {
    let matches = |key: &str, keys: &[&str]| {
        let wanted = target.get(key).and_then(Node::text);
        wanted.is_none_or(|wanted| {
            node.at(keys).and_then(Node::text).is_some_and(|text| text == wanted || wanted == ".*")
        })
    };
    matches("kind", &["kind"]) && matches("name", &["metadata", "name"])
}

/// Keys by which elements of lists are matched in a strategic merge.
const MERGE_KEYS: &[&str] = &["name", "containerPort", "mountPath", "port"];

/// A strategic merge; what comes from the patch stands where the patched value stands.
fn merge(base: &Arc<Node>, patch: &Arc<Node>, span: Span) -> Arc<Node> {
    match (&base.value, &patch.value) {
        (Value::Map(known), Value::Map(changes)) => {
            let mut entries = known.clone();
            for change in changes {
                match entries.iter_mut().find(|entry| entry.key == change.key) {
                    Some(entry) => entry.value = merge(&entry.value, &change.value, entry.key_span),
                    None => entries.push(Entry { key_span: span, ..change.clone() }),
                }
            }
            Arc::new(Node { span: base.span, value: Value::Map(entries), tag: None })
        }
        (Value::List(known), Value::List(changes))
            if !known.is_empty() && changes.iter().all(|item| key_of(item).is_some()) =>
        {
            let mut items = known.clone();
            for change in changes {
                match items.iter_mut().find(|item| key_of(item) == key_of(change)) {
                    Some(item) => *item = merge(item, change, item.span),
                    None => items.push(moved(change, span)),
                }
            }
            Arc::new(Node { span: base.span, value: Value::List(items), tag: None })
        }
        _ => moved(patch, base.span),
    }
}

fn key_of(item: &Node) -> Option<(&'static str, String)> {
    MERGE_KEYS.iter().find_map(|key| item.get(key).and_then(Node::scalar).map(|value| (*key, value)))
}

fn moved(node: &Node, span: Span) -> Arc<Node> {
    let bare = Arc::new(Node { span, value: Value::Map(Vec::new()), tag: None });
    let moved = lay_over(&bare, &Arc::new(node.clone()));
    Arc::new(Node { span, value: moved.value.clone(), tag: node.tag.clone() })
}

/// One operation of a JSON patch on maps; list indices are followed.
fn operate(node: &Arc<Node>, operation: &Node) -> Arc<Node> {
    let field = |key: &str| operation.get(key).and_then(Node::text);
    let Some(path) = field("path") else { return node.clone() };
    let keys: Vec<String> = path.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    match (field("op"), operation.get("value")) {
        (Some("add" | "replace"), Some(value)) => set(node, &keys, &value.value, 0),
        (Some("remove"), _) => set(node, &keys, &Value::Null, 0),
        _ => node.clone(),
    }
}

/// A copy with another value under a path; the value stands where the nearest known key stands.
fn set(node: &Arc<Node>, keys: &[&str], value: &Value, depth: usize) -> Arc<Node> {
    const LEVELS: usize = 64;
    let Some((key, rest)) = keys.split_first() else {
        return Arc::new(Node { span: node.span, value: value.clone(), tag: None });
    };
    if depth > LEVELS {
        return node.clone();
    }
    let changed = match &node.value {
        Value::Map(entries) => {
            let mut entries = entries.clone();
            match entries.iter_mut().find(|entry| &*entry.key == *key) {
                Some(entry) => entry.value = set(&entry.value, rest, value, depth + 1),
                None => {
                    let empty = Arc::new(Node { span: node.span, value: Value::Map(Vec::new()), tag: None });
                    let inner = set(&empty, rest, value, depth + 1);
                    entries.push(Entry {
                        key: (*key).into(),
                        key_span: Span::new(node.span.start as usize, node.span.start as usize),
                        value: inner,
                    });
                }
            }
            Value::Map(entries)
        }
        Value::List(items) => {
            let mut items = items.clone();
            if let Some(item) = key.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                *item = set(item, rest, value, depth + 1);
            }
            Value::List(items)
        }
        other => other.clone(),
    };
    Arc::new(Node { span: node.span, value: changed, tag: node.tag.clone() })
}

/// Applies `images:`: new names, tags and digests.
fn images(node: &Arc<Node>, overlay: &Node) -> Arc<Node> {
    let changes = overlay.get("images").map_or(&[][..], Node::items);
    if changes.is_empty() { node.clone() } else { with_images(node, changes, 0) }
}

fn with_images(node: &Arc<Node>, changes: &[Arc<Node>], depth: usize) -> Arc<Node> {
    const LEVELS: usize = 64;
    let value = match &node.value {
        _ if depth > LEVELS => return node.clone(),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|entry| {
                    let value = match entry.value.text() {
                        Some(image) if &*entry.key == "image" => changed_image(&entry.value, image, changes),
                        _ => with_images(&entry.value, changes, depth + 1),
                    };
                    Entry { value, ..entry.clone() }
                })
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|item| with_images(item, changes, depth + 1)).collect()),
        _ => return node.clone(),
    };
    Arc::new(Node { span: node.span, value, tag: node.tag.clone() })
}

fn changed_image(node: &Arc<Node>, image: &str, changes: &[Arc<Node>]) -> Arc<Node> {
    let (name, tag, _) = crate::link::containers::known::split(image);
    let Some(change) = changes.iter().find(|change| change.get("name").and_then(Node::text) == Some(name)) else {
        return node.clone();
    };
    let field = |key: &str| change.get(key).and_then(Node::scalar);
    let new_name = field("newName").unwrap_or_else(|| name.to_string());
    let text = match (field("digest"), field("newTag")) {
        (Some(digest), _) => format!("{new_name}@{digest}"),
        (None, Some(tag)) => format!("{new_name}:{tag}"),
        (None, None) => tag.map_or(new_name.clone(), |tag| format!("{new_name}:{tag}")),
    };
    Arc::new(Node { span: node.span, value: Value::Text { text: text.into(), quoted: true }, tag: None })
}

/// Adds a fact for each overlay that is one of an environment.
pub fn emit_environments(deployment: &mut Deployment<'_, '_>) {
    let overlays = Overlays::read(deployment.context.repository);
    for overlay in overlays.overlays.values() {
        let folder = overlay.folder.rsplit('/').next().unwrap_or("");
        if let Some(name) = folder.split(['-', '_', '.']).find_map(environment) {
            let data = EnvironmentConfig { environment: name.into(), form: "overlay".into() };
            let fact = deployment.context.fact(data, overlay.file, Span::default());
            deployment.add(fact);
        }
    }
}

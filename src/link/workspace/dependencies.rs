//! Dependency tables of a manifest, with what they inherit from the workspace.

use std::collections::BTreeSet;

use super::{PackageDependency, join};
use crate::parse::document::{Entry, Node};

/// Tables with whether they are for development only.
const TABLES: &[(&str, bool)] = &[
    ("dependencies", false),
    ("dev-dependencies", true),
    ("build-dependencies", true),
    ("dev_dependencies", true),
    ("build_dependencies", true),
];

/// All dependencies of a manifest in `folder`. One that stands in a normal table too is no development dependency.
pub(super) fn read(folder: &str, manifest: &Node, workspace: Option<(&str, &Node)>) -> Vec<PackageDependency> {
    let targets = manifest.get("target").map_or(&[][..], Node::entries);
    let holders = std::iter::once(manifest).chain(targets.iter().map(|entry| &*entry.value));
    let mut all = Vec::new();
    for holder in holders {
        for (table, development) in TABLES {
            let entries = holder.get(table).map_or(&[][..], Node::entries);
            all.extend(entries.iter().map(|entry| one(folder, entry, *development, workspace)));
        }
    }
    let normal: BTreeSet<String> = all
        .iter()
        .filter(|dependency| !dependency.development)
        .map(|dependency| dependency.code_name.clone())
        .collect();
    all.retain(|dependency| !dependency.development || !normal.contains(&dependency.code_name));
    all
}

fn one(folder: &str, entry: &Entry, development: bool, workspace: Option<(&str, &Node)>) -> PackageDependency {
    let own = &*entry.value;
    let inherits = own.get("workspace").and_then(Node::flag) == Some(true);
    let shared = if inherits { workspace } else { None };
    let shared = shared.and_then(|(at, root)| Some((at, root.at(&["workspace", "dependencies", &entry.key])?)));
    let base = shared.map_or(own, |(_, node)| node);
    let text = |key| base.get(key).and_then(Node::text);
    let from = shared.map_or(folder, |(at, _)| at);
    let package = text("package").unwrap_or(&entry.key);
    let flag = |node: &Node| node.get("default-features").or_else(|| node.get("default_features")).and_then(Node::flag);
    PackageDependency {
        code_name: entry.key.replace('-', "_"),
        package: package.to_string(),
        version: base.text().or(text("version")).unwrap_or("*").to_string(),
        features: features(own, shared.map(|(_, node)| node)),
        no_default_features: flag(base) == Some(false) && flag(own) != Some(true),
        local: text("path").and_then(|path| join(from, path)),
        git: base.get("git").is_some(),
        development,
        optional: own.get("optional").and_then(Node::flag) == Some(true),
        span: entry.key_span,
    }
}

fn features(own: &Node, shared: Option<&Node>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for node in [Some(own), shared].into_iter().flatten() {
        let listed = node.get("features").map_or(&[][..], Node::items);
        all.extend(listed.iter().filter_map(|item| item.text()).map(str::to_string));
    }
    all.sort();
    all.dedup();
    all
}

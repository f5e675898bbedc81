//! Kubernetes: objects from plain manifests, Helm charts and Kustomize, and the facts they give.

pub mod blocks;
pub mod chart;
mod container;
mod expression;
mod ingress;
mod kustomize;
mod named;
mod network;
mod pod;
mod secret;
mod stop;
mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Deployment;
use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::{Node, Value};
use crate::scan::source::{FileId, Span};
use blocks::Guard;
use chart::{Chart, Rendering};
pub use pod::number;

/// An object of a manifest, with what is known put in.
#[derive(Clone, Debug)]
pub struct Object {
    /// Where it is written.
    pub file: FileId,
    /// Its document.
    pub node: Arc<Node>,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`, or the expression that gives it.
    pub name: String,
    /// Chart, overlay or folder that it belongs to: objects of one group refer to each other.
    pub group: String,
    /// A setting that is off by default switches it on.
    pub optional: bool,
    /// Probes that its chart's default values leave out.
    pub offers: Vec<Offer>,
}

/// A probe that the default values of a chart leave out.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its key in the template.
    pub key: Span,
    /// The object as it is when this is switched on.
    pub node: Arc<Node>,
}

/// A value under a key, where a template action beside it could have given it too.
#[derive(Clone, Copy, Debug)]
pub enum Found<'n> {
    /// There.
    Node(&'n Node),
    /// Not there.
    Absent,
    /// A template action may put it there.
    Unknown,
}

impl<'n> Found<'n> {
    /// Goes on below.
    pub fn then(self, key: &str) -> Found<'n> {
        match self {
            Found::Node(node) => lookup(node, key),
            other => other,
        }
    }
}

/// Looks a key up.
pub fn lookup<'n>(node: &'n Node, key: &str) -> Found<'n> {
    if node.is_unresolved() {
        return Found::Unknown;
    }
    match node.get(key) {
        Some(value) if value.is_null() => Found::Absent,
        Some(value) => Found::Node(value),
        None if node.entries().iter().any(|entry| entry.key.starts_with("{{")) => Found::Unknown,
        None => Found::Absent,
    }
}

/// Looks a path of keys up.
pub fn lookup_at<'n>(node: &'n Node, keys: &[&str]) -> Found<'n> {
    keys.iter().fold(Found::Node(node), |found, key| found.then(key))
}

/// Text, number or boolean of a node, or the source of an expression.
pub fn written(node: &Node) -> Option<String> {
    match &node.value {
        Value::Unresolved(text) => Some(text.to_string()),
        _ => node.scalar(),
    }
}

/// Adds the facts of all manifests.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let (objects, copies) = objects(deployment.context.repository);
    learn_images(deployment, &objects);
    let scaling = workload::Scaling::read(&objects);
    for object in &objects {
        if let Some(pod) = pod::pod_of(object) {
            workload::emit(deployment, object, &pod, &scaling, &objects);
        }
        secret::emit(deployment, object);
        ingress::emit(deployment, object, &objects);
        network::emit(deployment, object);
    }
    for copy in &copies {
        if let Some(pod) = pod::pod_of(copy) {
            container::emit_images(deployment, copy, &pod);
        }
    }
    workload::emit_scaling(deployment, &scaling);
    kustomize::emit_environments(deployment);
}

/// Whether any image is one of a service by its name: then what has no known name is something else.
fn learn_images(deployment: &mut Deployment<'_, '_>, objects: &[Object]) {
    let images = objects.iter().filter_map(pod::pod_of).flat_map(|pod| pod.images());
    let matched = images.into_iter().any(|image| deployment.owners.names_service(&image));
    deployment.owners.matched_image |= matched;
}

/// All objects of the tree, each once, and the copies that say nothing else but their images.
fn objects(repository: &Repository) -> (Vec<Object>, Vec<Object>) {
    let charts = chart::charts(repository);
    let overlays = kustomize::Overlays::read(repository);
    let mut objects = Vec::new();
    for (file, parsed) in repository.files() {
        let Syntax::Documents(documents) = &parsed.syntax else { continue };
        let chart = chart::chart_of(&charts, &file.path);
        if overlays.is_patch(file.id) || file.path.contains("/crds/") || is_test_hook_path(chart, &file.path) {
            continue;
        }
        let rendering = chart.map(|chart| Rendering::new(chart, &file.text));
        for node in documents.iter().filter(|node| is_object(node)) {
            objects.extend(object(file.id, node, chart, rendering.as_ref(), &overlays, file.folder()));
        }
    }
    copies_apart(objects)
}

fn is_test_hook_path(chart: Option<&Chart>, path: &str) -> bool {
    chart.is_some() && path.contains("/templates/tests/")
}

fn is_object(node: &Node) -> bool {
    node.get("apiVersion").is_some() && node.get("kind").and_then(Node::text).is_some()
}

fn object(
    file: FileId,
    node: &Node,
    chart: Option<&Chart>,
    rendering: Option<&Rendering<'_>>,
    overlays: &kustomize::Overlays,
    folder: &str,
) -> Option<Object> {
    let mut offers = Vec::new();
    let (node, optional, group) = match (chart, rendering) {
        (Some(chart), Some(rendering)) => {
            let start = node.span.start as usize;
            let optional = rendering.guard(start) == Guard::No;
            // A template that is off by default is read as it would be when it is on.
            let rendered = if optional { rendering.switched_on(start).render(node) } else { rendering.render(node) };
            if !optional {
                offers = offered(rendering, node);
            }
            let node = if rendered.entries().is_empty() { Arc::new(node.clone()) } else { rendered };
            (node, optional, format!("chart {}", chart.folder))
        }
        _ => overlays.apply(file, node).unwrap_or_else(|| (Arc::new(node.clone()), false, folder.to_string())),
    };
    let hook = node.at(&["metadata", "annotations", "helm.sh/hook"]).and_then(Node::text).unwrap_or("");
    if hook.split(',').any(|hook| hook.trim().starts_with("test")) {
        return None;
    }
    let kind = node.get("kind").and_then(Node::text)?.to_string();
    let name = node.at(&["metadata", "name"]).and_then(written).unwrap_or_default();
    Some(Object { file, node, kind, name, group, optional, offers })
}

/// The probes of a template that its chart's default values leave out.
fn offered(rendering: &Rendering<'_>, node: &Node) -> Vec<Offer> {
    const MOST: usize = 64;
    let mut keys = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let probes = node.entries().iter().filter(|entry| workload::is_probe(&entry.key));
        keys.extend(probes.map(|entry| entry.key_span));
        open.extend(node.entries().iter().map(|entry| &*entry.value));
        open.extend(node.items().iter().map(|item| &**item));
    }
    keys.retain(|key| rendering.guard(key.start as usize) == Guard::No);
    keys.sort_unstable_by_key(|key| key.start);
    keys.truncate(MOST);
    let on = |key: Span| Offer { key, node: rendering.switched_on(key.start as usize).render(node) };
    keys.into_iter().map(on).collect()
}

/// The same object in several files (an all-in-one manifest beside a base) is kept once, unless the copies differ in
/// more than their images: what each of these runs is still what somebody rolls out.
fn copies_apart(objects: Vec<Object>) -> (Vec<Object>, Vec<Object>) {
    let mut seen: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    objects.into_iter().partition(|object| {
        if object.name.is_empty() || object.name.contains("{{") {
            return true;
        }
        let signatures = seen.entry((object.kind.clone(), object.name.clone())).or_default();
        let signature = signature(object);
        let new = !signatures.contains(&signature);
        if new {
            signatures.push(signature);
        }
        new
    })
}

/// What rules could judge about an object, as text without places and images.
fn signature(object: &Object) -> String {
    let mut text = String::new();
    write_plain(&object.node, &mut text, 0);
    text
}

fn write_plain(node: &Node, text: &mut String, depth: usize) {
    const DEPTH: usize = 64;
    match &node.value {
        _ if depth > DEPTH => {}
        Value::Map(entries) => {
            for entry in entries {
                if matches!(&*entry.key, "image" | "namespace" | "labels" | "annotations" | "status") {
                    continue;
                }
                text.push_str(&entry.key);
                text.push('{');
                write_plain(&entry.value, text, depth + 1);
                text.push('}');
            }
        }
        Value::List(items) => items.iter().for_each(|item| write_plain(item, text, depth + 1)),
        _ => text.push_str(&written(node).unwrap_or_default()),
    }
}

/// The place of a key of an object, or of its `kind`.
pub fn place(object: &Object, keys: &[&str]) -> Span {
    let mut node = &*object.node;
    let mut span = object.node.entry("kind").map_or(object.node.span, |entry| entry.value.span);
    for key in keys {
        let Some(entry) = node.entry(key) else { break };
        span = entry.key_span;
        node = &entry.value;
    }
    span
}

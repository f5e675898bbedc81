//! GitHub Actions, and Gitea's and Forgejo's.

use super::super::expressions::{text_of, texts_of};
use super::super::model::{Action, Job, Pipeline, Step};
use crate::parse::document::{Entry, Node};
use crate::scan::source::{SourceFile, Span};

/// Reads a workflow.
pub fn read<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let root = documents.first();
    let jobs = root.and_then(|root| root.get("jobs")).map(Node::entries).unwrap_or_default();
    let folder = root.map(default_folder).unwrap_or_default();
    let called = root.and_then(events).and_then(|on| on.at(&["workflow_call", "inputs"]));
    let inputs = called.map(defaults).unwrap_or_default();
    Pipeline {
        file,
        system: "github-actions",
        triggers: root.and_then(events).map(event_names).unwrap_or_default(),
        version_input: root.and_then(events).and_then(version_input),
        jobs: jobs.iter().map(|entry| Job { inputs: inputs.clone(), ..job(entry, &folder) }).collect(),
    }
}

/// Reads the steps of a composite action.
pub fn composite(root: &Node) -> Job<'_> {
    let steps = root.at(&["runs", "steps"]).map(Node::items).unwrap_or_default();
    let inputs = root.get("inputs").map(defaults).unwrap_or_default();
    Job { steps: steps.iter().filter_map(|node| step(node, "")).collect(), inputs, ..Job::default() }
}

/// Inputs with the values they have when nobody gives one.
fn defaults(inputs: &Node) -> Vec<(String, String)> {
    let default = |entry: &Entry| Some((entry.key.to_string(), entry.value.get("default").and_then(text_of)?));
    inputs.entries().iter().filter_map(default).collect()
}

fn events(root: &Node) -> Option<&Node> {
    // YAML 1.1 reads the key `on` as true.
    root.get("on").or_else(|| root.get("true"))
}

/// Names of the events; a push of tags only is `tag`.
fn event_names(on: &Node) -> Vec<String> {
    let tags_only = |entry: &Entry| {
        &*entry.key == "push" && entry.value.get("tags").is_some() && entry.value.get("branches").is_none()
    };
    match on.entries() {
        [] => texts_of(on),
        entries => {
            entries.iter().map(|entry| if tags_only(entry) { "tag".into() } else { entry.key.to_string() }).collect()
        }
    }
}

/// The input of a manual start that names an image tag, version, commit or release to deploy.
fn version_input(on: &Node) -> Option<Span> {
    let inputs = on.at(&["workflow_dispatch", "inputs"])?.entries();
    let names = |key: &str| {
        let key = key.to_ascii_lowercase();
        key.split(['_', '-'])
            .any(|word| matches!(word, "tag" | "version" | "sha" | "commit" | "ref" | "release" | "revision" | "image"))
    };
    inputs.iter().find(|entry| names(&entry.key)).map(|entry| entry.key_span)
}

fn default_folder(node: &Node) -> String {
    let folder = node.at(&["defaults", "run", "working-directory"]).and_then(text_of);
    folder.map(|folder| super::super::resolve::join("", &folder)).unwrap_or_default()
}

fn job<'a>(entry: &'a Entry, folder: &str) -> Job<'a> {
    let node = &*entry.value;
    let own = default_folder(node);
    let folder = if own.is_empty() { folder } else { &own };
    let mut steps: Vec<Step<'a>> = Vec::new();
    let mut ids = Vec::new();
    for node in node.get("steps").map(Node::items).unwrap_or_default() {
        let Some(step) = step(node, folder) else { continue };
        ids.extend(node.get("id").and_then(text_of).map(|id| (id, steps.len())));
        steps.push(step);
    }
    steps.extend(reusable(node));
    Job {
        name: entry.key.to_string(),
        needs: node.get("needs").map(texts_of).unwrap_or_default(),
        calls: node.get("uses").and_then(text_of).and_then(|uses| uses.strip_prefix("./").map(str::to_string)),
        matrix: node.at(&["strategy", "matrix"]),
        environment: node.get("env"),
        outputs: node.get("outputs"),
        ids,
        steps,
        ..Job::default()
    }
}

/// A job that is a reusable workflow of another repository. One of this tree is read as its own pipeline.
fn reusable(node: &Node) -> Option<Step<'_>> {
    let uses = node.get("uses")?;
    let action = used(uses, node.get("with")).filter(|_| !uses.text().unwrap_or_default().starts_with("./"))?;
    Some(Step { name: String::new(), span: uses.span, folder: String::new(), action })
}

fn step<'a>(node: &'a Node, folder: &str) -> Option<Step<'a>> {
    let (span, action) = match (node.get("run"), node.get("uses")) {
        (Some(run), _) => (run.span, Action::Script(text_of(run)?)),
        (None, Some(uses)) => (uses.span, used(uses, node.get("with"))?),
        (None, None) => return None,
    };
    let own = node.get("working-directory").and_then(text_of);
    let folder = own.map_or(folder.to_string(), |own| super::super::resolve::join("", &own));
    Some(Step { name: node.get("name").and_then(text_of).unwrap_or_default(), span, folder, action })
}

fn used<'a>(uses: &'a Node, inputs: Option<&'a Node>) -> Option<Action<'a>> {
    let text = text_of(uses)?;
    let (name, reference) = text.split_once('@').unwrap_or((&text, ""));
    let (name, reference) = (name.trim_end_matches('/').to_string(), reference.trim().to_string());
    Some(Action::Use { name, reference, inputs, span: uses.span })
}

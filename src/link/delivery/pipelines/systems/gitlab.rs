//! GitLab CI.

use super::super::expressions::{text_of, texts_of};
use super::super::model::{Action, Job, Pipeline, Step};
use crate::parse::document::{Entry, Node};
use crate::scan::source::SourceFile;

/// Keys of the top level that are no jobs.
const RESERVED: &[&str] = &[
    "stages",
    "variables",
    "default",
    "include",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
    "spec",
];

/// Stages where the file names none.
const STAGES: &[&str] = &[".pre", "build", "test", "deploy", ".post"];

/// How many `extends` are followed.
const EXTENDS: usize = 8;

/// Reads a GitLab CI file.
pub fn read<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let mut jobs = Vec::new();
    for root in documents {
        let stages =
            root.get("stages").map(texts_of).unwrap_or_else(|| STAGES.iter().map(|s| (*s).to_string()).collect());
        let entries =
            root.entries().iter().filter(|entry| !RESERVED.contains(&&*entry.key) && !entry.key.starts_with('.'));
        jobs.extend(entries.filter(|entry| !entry.value.entries().is_empty()).map(|entry| job(root, entry, &stages)));
        jobs.extend(included(root));
    }
    super::pipeline(file, "gitlab", jobs)
}

fn job<'a>(root: &'a Node, entry: &'a Entry, stages: &[String]) -> Job<'a> {
    let stage = inherited(root, &entry.value, "stage").and_then(text_of).unwrap_or_else(|| "test".into());
    let needs = inherited(root, &entry.value, "needs").map(Node::items).unwrap_or_default();
    let steps = ["before_script", "script", "after_script"].iter().filter_map(|key| {
        let node = inherited(root, &entry.value, key)?;
        let action = Action::Script(flat(node).join("\n"));
        Some(Step { name: String::new(), span: node.span, folder: String::new(), action })
    });
    Job {
        name: entry.key.to_string(),
        needs: needs.iter().filter_map(|need| text_of(need).or_else(|| text_of(need.get("job")?))).collect(),
        stage: stages.iter().position(|known| *known == stage),
        matrix: None,
        calls: None,
        steps: steps.collect(),
    }
}

/// A key of a job, or of the job it extends.
fn inherited<'a>(root: &'a Node, job: &'a Node, key: &str) -> Option<&'a Node> {
    let mut open = vec![job];
    for _ in 0..EXTENDS {
        let job = open.pop()?;
        if let Some(found) = job.get(key) {
            return Some(found);
        }
        let bases = job.get("extends").map(texts_of).unwrap_or_default();
        open.extend(bases.iter().filter_map(|base| root.get(base)));
    }
    None
}

/// Lines of a script; lists inside (from anchors) are flattened one level.
fn flat(node: &Node) -> Vec<String> {
    match node.items() {
        [] => texts_of(node),
        items => items.iter().flat_map(|item| texts_of(item)).collect(),
    }
}

/// Templates of GitLab's own that scan dependencies.
fn included(root: &Node) -> Option<Job<'_>> {
    let include = root.get("include")?;
    let templates: Vec<&Node> = match include.items() {
        [] => vec![include],
        items => items.iter().map(|item| &**item).collect(),
    };
    let scanning = templates.into_iter().find_map(|node| {
        let template = node.get("template")?;
        text_of(template).filter(|name| name.contains("Dependency-Scanning")).map(|_| template)
    })?;
    let action = Action::Use {
        name: "gitlab/cargo-audit-template".into(),
        reference: String::new(),
        inputs: None,
        span: scanning.span,
    };
    let step = Step { name: String::new(), span: scanning.span, folder: String::new(), action };
    Some(Job { name: ".dependency-scanning".into(), steps: vec![step], ..Job::default() })
}

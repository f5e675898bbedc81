//! GitLab CI: the file at the root with all files of the tree that it includes, read as one.

use std::collections::BTreeSet;

use globset::Glob;

use super::super::expressions::{text_of, texts_of};
use super::super::model::{Action, Job, Pipeline, Step};
use super::super::resolve::join;
use crate::link::Repository;
use crate::parse::Syntax;
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

/// How many files one pipeline is made of.
const FILES: usize = 200;

/// How deep lists and references in scripts are followed.
const NESTING: usize = 8;

/// A file of the pipeline.
type Part<'a> = (&'a SourceFile, &'a [Node]);

/// Reads the pipelines of the tree: one for each file that has jobs.
pub fn read_all<'a>(repository: &'a Repository) -> Vec<Pipeline<'a>> {
    let parts = parts(repository);
    let roots: Vec<&Node> = parts.iter().flat_map(|(_, documents)| documents.iter()).collect();
    let named = roots.iter().find_map(|root| root.get("stages").map(texts_of));
    let stages = named.unwrap_or_else(|| STAGES.iter().map(|stage| (*stage).to_string()).collect());
    let pipeline = |(file, documents): Part<'a>| {
        let jobs = documents.iter().flat_map(|root| jobs(&roots, root, &stages)).collect();
        super::pipeline(file, "gitlab", jobs)
    };
    parts.into_iter().map(pipeline).collect()
}

/// Files of GitLab's by their names, and what they include.
fn parts(repository: &Repository) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<&SourceFile> = repository.tree.files.iter().filter(|file| super::is_gitlab(&file.path)).collect();
    while let Some(file) = open.pop() {
        if parts.len() >= FILES || !seen.insert(file.id) {
            continue;
        }
        let Syntax::Documents(documents) = &repository.get(file.id).1.syntax else { continue };
        open.extend(documents.iter().flat_map(|root| included_files(repository, root)));
        parts.push((file, documents));
    }
    parts.sort_by_key(|(file, _)| file.id);
    parts
}

/// What the `include` of a file and of its child pipelines names.
fn includes(root: &Node) -> Vec<&Node> {
    let children = root.entries().iter().filter_map(|entry| entry.value.at(&["trigger", "include"]));
    let named = root.get("include").into_iter().chain(children);
    let all = named.flat_map(|include| match include.items() {
        [] => vec![include],
        items => items.iter().map(|item| &**item).collect(),
    });
    all.collect()
}

fn included_files<'a>(repository: &'a Repository, root: &Node) -> Vec<&'a SourceFile> {
    let paths = includes(root).into_iter().filter_map(|node| text_of(node).or_else(|| text_of(node.get("local")?)));
    let mut files = Vec::new();
    for path in paths.filter(|path| !path.contains("://")) {
        let path = join("", &path);
        if !path.contains('*') {
            files.extend(repository.tree.find(&path));
        } else if let Ok(glob) = Glob::new(&path) {
            let glob = glob.compile_matcher();
            files.extend(repository.tree.files.iter().filter(|file| glob.is_match(&file.path)));
        }
    }
    files
}

fn jobs<'a>(roots: &[&'a Node], root: &'a Node, stages: &[String]) -> Vec<Job<'a>> {
    let entries = root.entries().iter().filter(|entry| !RESERVED.contains(&&*entry.key) && !entry.key.starts_with('.'));
    let entries = entries.filter(|entry| !entry.value.entries().is_empty());
    let mut jobs: Vec<Job<'a>> = entries.map(|entry| job(roots, entry, stages)).collect();
    jobs.extend(included(root));
    jobs.extend(elsewhere(root));
    jobs
}

fn job<'a>(roots: &[&'a Node], entry: &'a Entry, stages: &[String]) -> Job<'a> {
    let stage = inherited(roots, &entry.value, "stage").and_then(text_of).unwrap_or_else(|| "test".into());
    let needs = inherited(roots, &entry.value, "needs").map(Node::items).unwrap_or_default();
    let steps = ["before_script", "script", "after_script"].iter().filter_map(|key| {
        let node = inherited(roots, &entry.value, key)?;
        let mut lines = Vec::new();
        flatten(roots, node, NESTING, &mut lines);
        let action = Action::Script(lines.join("\n"));
        Some(Step { name: String::new(), span: node.span, folder: String::new(), action })
    });
    Job {
        name: entry.key.to_string(),
        needs: needs.iter().filter_map(|need| text_of(need).or_else(|| text_of(need.get("job")?))).collect(),
        stage: stages.iter().position(|known| *known == stage),
        steps: steps.collect(),
        ..Job::default()
    }
}

/// A key of a job, or of the jobs it extends: the last of several wins, as GitLab lays them over each other.
fn inherited<'a>(roots: &[&'a Node], job: &'a Node, key: &str) -> Option<&'a Node> {
    let mut open = vec![job];
    for _ in 0..EXTENDS * EXTENDS {
        let job = open.pop()?;
        if let Some(found) = job.get(key) {
            return Some(found);
        }
        let bases = job.get("extends").map(texts_of).unwrap_or_default();
        open.extend(bases.iter().filter_map(|base| roots.iter().find_map(|root| root.get(base))));
    }
    None
}

/// How many lines one script may have.
const LINES: usize = 5_000;

/// Lines of a script: lists inside it (from anchors) and `!reference [job, key]` are put in.
fn flatten<'a>(roots: &[&'a Node], node: &'a Node, depth: usize, lines: &mut Vec<String>) {
    if depth == 0 || lines.len() > LINES {
        return;
    }
    if node.tag.as_deref() == Some("!reference") {
        let keys = texts_of(node);
        if let [job, key, ..] = keys.as_slice()
            && let Some(found) = roots.iter().find_map(|root| root.get(job)).and_then(|job| inherited(roots, job, key))
        {
            flatten(roots, found, depth - 1, lines);
        }
        return;
    }
    match node.items() {
        [] => lines.extend(text_of(node)),
        items => items.iter().for_each(|item| flatten(roots, item, depth - 1, lines)),
    }
}

/// Pipelines of other repositories that a file includes: what they run is not seen.
fn elsewhere(root: &Node) -> Option<Job<'_>> {
    let steps: Vec<Step<'_>> = includes(root)
        .into_iter()
        .filter_map(|node| {
            let named = ["component", "remote", "project"].iter().find_map(|key| node.get(key)).unwrap_or(node);
            let file = node.get("file").map(texts_of).unwrap_or_default().join(" ");
            let what = format!("{} {file}", text_of(named)?);
            let remote = node.entries().iter().any(|entry| matches!(&*entry.key, "component" | "remote" | "project"));
            let action = Action::Elsewhere(what.trim().to_string());
            (remote || what.contains("://")).then(|| Step {
                name: String::new(),
                span: named.span,
                folder: String::new(),
                action,
            })
        })
        .collect();
    (!steps.is_empty()).then(|| Job { name: ".included".into(), steps, ..Job::default() })
}

/// Templates of GitLab's own that scan dependencies.
fn included(root: &Node) -> Option<Job<'_>> {
    let scanning = includes(root).into_iter().find_map(|node| {
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

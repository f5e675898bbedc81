//! CircleCI.

use std::collections::BTreeMap;

use super::super::expressions::{text_of, texts_of};
use super::super::model::{Action, Job, Pipeline, Step};
use crate::parse::document::{Entry, Node};
use crate::scan::source::{SourceFile, Span};

/// Reads `.circleci/config.yml`.
pub fn read<'a>(file: &'a SourceFile, documents: &'a [Node]) -> Pipeline<'a> {
    let Some(root) = documents.first() else { return super::pipeline(file, "circleci", Vec::new()) };
    let mut requires = required(root);
    let entries = root.get("jobs").map(Node::entries).unwrap_or_default();
    let mut jobs: Vec<Job<'a>> = entries
        .iter()
        .map(|entry| Job {
            name: entry.key.to_string(),
            needs: requires.remove(&*entry.key).map(|(needs, ..)| needs).unwrap_or_default(),
            steps: steps(root, &entry.value),
            ..Job::default()
        })
        .collect();
    // What is left are jobs of orbs, used straight from a workflow.
    jobs.extend(requires.into_iter().filter(|(name, _)| name.contains('/')).map(|(name, (needs, span, inputs))| Job {
        steps: vec![Step { name: String::new(), span, folder: String::new(), action: orb(&name, inputs, span) }],
        name,
        needs,
        ..Job::default()
    }));
    super::pipeline(file, "circleci", jobs)
}

type Required<'a> = BTreeMap<String, (Vec<String>, Span, Option<&'a Node>)>;

fn required(root: &Node) -> Required<'_> {
    let mut all = BTreeMap::new();
    for workflow in root.get("workflows").map(Node::entries).unwrap_or_default() {
        for job in workflow.value.get("jobs").map(Node::items).unwrap_or_default() {
            match job.entries().first() {
                Some(Entry { key, key_span, value }) => {
                    let needs = value.get("requires").map(texts_of).unwrap_or_default();
                    all.insert(key.to_string(), (needs, *key_span, Some(&**value)));
                }
                None => {
                    let name = text_of(job).unwrap_or_default();
                    all.entry(name).or_insert_with(|| (Vec::new(), job.span, None));
                }
            }
        }
    }
    all
}

/// How deep commands that are made of commands are followed.
const COMMANDS: usize = 8;

/// How many steps of one job are looked at.
const STEPS: usize = 5000;

fn steps<'a>(root: &'a Node, job: &'a Node) -> Vec<Step<'a>> {
    let mut found = Vec::new();
    let mut left = STEPS;
    add_steps(root, job.get("steps"), COMMANDS, &mut left, &mut found);
    found
}

/// Adds the steps of a list: those of commands of the file in their place, and those under a condition.
fn add_steps<'a>(root: &'a Node, list: Option<&'a Node>, depth: usize, left: &mut usize, found: &mut Vec<Step<'a>>) {
    for item in list.map(Node::items).unwrap_or_default() {
        if *left == 0 || depth == 0 {
            return;
        }
        *left -= 1;
        let entry = item.entries().first();
        let name = entry.map_or_else(|| text_of(item).unwrap_or_default(), |entry| entry.key.to_string());
        if let Some(entry) = entry.filter(|entry| matches!(&*entry.key, "when" | "unless")) {
            add_steps(root, entry.value.get("steps"), depth - 1, left, found);
        } else if let Some(command) = root.at(&["commands", &name, "steps"]) {
            add_steps(root, Some(command), depth - 1, left, found);
        } else {
            found.extend(step(item));
        }
    }
}

fn step(item: &Node) -> Option<Step<'_>> {
    let (folder, span, action) = match item.entries().first() {
        Some(entry) if &*entry.key == "run" => {
            let command = entry.value.get("command").unwrap_or(&entry.value);
            let folder = entry.value.get("working_directory").and_then(text_of).unwrap_or_default();
            (folder, command.span, Action::Script(text_of(command)?))
        }
        Some(entry) => (String::new(), entry.key_span, orb(&entry.key, Some(&entry.value), entry.key_span)),
        None => (String::new(), item.span, orb(&text_of(item)?, None, item.span)),
    };
    Some(Step { name: String::new(), span, folder, action })
}

fn orb<'a>(name: &str, inputs: Option<&'a Node>, span: Span) -> Action<'a> {
    Action::Use { name: name.to_string(), reference: String::new(), inputs, span }
}

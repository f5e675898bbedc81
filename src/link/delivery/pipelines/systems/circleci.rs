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
    let mut reader = Reader { root, left: STEPS, found: Vec::new() };
    reader
        .add(job.get("steps"), &Called { defaults: job.get("parameters"), given: None, outer: None, depth: COMMANDS });
    reader.found
}

/// A job or command, and the values of its parameters.
struct Called<'c, 'a> {
    defaults: Option<&'a Node>,
    given: Option<&'a Node>,
    outer: Option<&'c Called<'c, 'a>>,
    depth: usize,
}

impl<'a> Called<'_, 'a> {
    fn parameter(&self, name: &str) -> Option<&'a Node> {
        self.given.and_then(|given| given.get(name)).or_else(|| self.defaults?.get(name)?.get("default"))
    }

    /// A text with `<< parameters.NAME >>` of this command put in, and then of the one that calls it.
    fn put_in(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("<<") {
            out.push_str(before);
            let Some((expression, tail)) = after.split_once(">>") else {
                out.push_str("<<");
                rest = after;
                break;
            };
            let value = expression.trim().strip_prefix("parameters.").and_then(|name| self.parameter(name));
            match value.and_then(text_of) {
                Some(value) => out.push_str(&self.outer.map_or(value.clone(), |outer| outer.put_in(&value))),
                None => {
                    out.push_str("<<");
                    out.push_str(expression);
                    out.push_str(">>");
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

struct Reader<'a> {
    root: &'a Node,
    left: usize,
    found: Vec<Step<'a>>,
}

impl<'a> Reader<'a> {
    /// Adds the steps of a list: those of commands of the file in their place, and those under a condition.
    fn add(&mut self, list: Option<&'a Node>, called: &Called<'_, 'a>) {
        for item in list.map(Node::items).unwrap_or_default() {
            if self.left == 0 || called.depth == 0 {
                return;
            }
            self.left -= 1;
            self.item(item, called);
        }
    }

    fn item(&mut self, item: &'a Node, called: &Called<'_, 'a>) {
        let entry = item.entries().first();
        let name = entry.map_or_else(|| text_of(item).unwrap_or_default(), |entry| entry.key.to_string());
        let inside = |defaults, given| Called { defaults, given, outer: Some(called), depth: called.depth - 1 };
        match entry {
            Some(entry) if matches!(&*entry.key, "when" | "unless") => {
                let same = Called { depth: called.depth - 1, outer: called.outer, ..*called };
                self.add(entry.value.get("steps"), &same);
            }
            Some(entry) if &*entry.key == "steps" => {
                // A command may take the steps to run as a parameter.
                let name = text_of(&entry.value).unwrap_or_default();
                let name = name.trim_matches(['<', '>', ' ']).trim_start_matches("parameters.").to_string();
                let same = Called { depth: called.depth - 1, outer: called.outer, ..*called };
                self.add(called.parameter(&name), &same);
            }
            entry => match self.root.at(&["commands", &name]) {
                Some(command) => {
                    let given = entry.map(|entry| &*entry.value);
                    self.add(command.get("steps"), &inside(command.get("parameters"), given));
                }
                None => self.found.extend(step(item).map(|step| with_values(step, called))),
            },
        }
    }
}

fn with_values<'a>(step: Step<'a>, called: &Called<'_, 'a>) -> Step<'a> {
    match step.action {
        Action::Script(text) => Step { action: Action::Script(called.put_in(&text)), ..step },
        _ => step,
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

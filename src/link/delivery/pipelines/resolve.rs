//! Follows a step into what it runs: scripts of the tree, recipes, aliases, composite actions.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::commands::{self, Command, commands};
use super::expressions::{text_of, variants};
use super::model::{Action, Deed, Job, Kind, Step};
use super::{actions, called, systems};
use crate::facts::{Confidence, Related};
use crate::link::Context;
use crate::parse::document::Node;
use crate::scan::source::{Place, SourceFile, Span};

/// How deep scripts that call scripts are followed.
const DEPTH: usize = 6;

/// How many deeds of one step are told apart.
const DEEDS: usize = 500;

/// How many scripts and recipes are read for one step.
const SCRIPTS: usize = 200;

/// How many lines of a step are looked for in vain before its own place is given for the rest.
const MISSES: usize = 50;

/// Follows steps of pipelines through the tree.
pub struct Resolver<'a> {
    /// The tree and its services.
    pub context: &'a Context<'a>,
    /// How many actions and templates of the tree may still be entered.
    locals: Cell<usize>,
}

/// Where a script is being read, and what was found on the way.
struct Walk<'w> {
    /// Span in the pipeline's file that all deeds below are reported at.
    top: Option<Span>,
    /// The line of an inner script.
    related: Vec<Related>,
    /// Folder the commands run in.
    folder: String,
    depth: usize,
    /// Files and recipes that were read; each is read once for a step.
    visited: BTreeSet<String>,
    deeds: &'w mut Vec<Deed>,
}

/// A script with where it came from.
struct Script<'s> {
    text: &'s str,
    file: &'s SourceFile,
    /// Where in the file its text is looked for.
    from: u32,
}

/// How deep actions and templates of the tree that use each other are followed.
const LOCAL_DEPTH: usize = 4;

/// How many actions and templates of the tree are entered in all.
const LOCALS: usize = 5_000;

impl<'a> Resolver<'a> {
    /// A resolver for a tree.
    pub fn new(context: &'a Context<'a>) -> Resolver<'a> {
        Resolver { context, locals: Cell::new(LOCALS) }
    }

    /// What a step does, added to `deeds`.
    pub fn step(&self, file: &SourceFile, job: &Job<'_>, step: &Step<'_>, deeds: &mut Vec<Deed>) {
        self.step_at(file, job, step, LOCAL_DEPTH, deeds);
    }

    fn step_at(&self, file: &SourceFile, job: &Job<'_>, step: &Step<'_>, depth: usize, deeds: &mut Vec<Deed>) {
        let mut found = Vec::new();
        match &step.action {
            Action::Script(text) => {
                for variant in variants(text, job.matrix) {
                    let variant = put_inputs(&variant, &job.inputs);
                    self.script_of_step(file, step, text, &variant, &mut found);
                }
            }
            Action::Use { name, inputs, .. } if name.starts_with("./") => {
                self.local(step, name, *inputs, depth, &mut found);
            }
            Action::Elsewhere(what) => found.extend(actions::elsewhere(what, step.span)),
            Action::Use { .. } => actions::used(self, job, step, &mut found),
            Action::Plugin { image, settings } => actions::plugin(step, image, *settings, &mut found),
        }
        if found.is_empty() {
            found.extend(actions::by_step_name(step));
        }
        for deed in found {
            let known =
                |other: &Deed| other.kind == deed.kind && other.span == deed.span && other.command == deed.command;
            if !deeds.iter().any(known) {
                deeds.push(deed);
            }
        }
    }

    fn script_of_step(&self, file: &SourceFile, step: &Step<'_>, raw: &str, text: &str, deeds: &mut Vec<Deed>) {
        let mut walk = Walk {
            top: None,
            related: Vec::new(),
            folder: step.folder.clone(),
            depth: 0,
            visited: BTreeSet::new(),
            deeds,
        };
        let mut lines = Lines::new(file, step.span, raw, text);
        for command in commands(text) {
            walk.top = Some(lines.span_of(command.offset));
            self.command(&command, &Script { text, file, from: step.span.start }, &mut walk);
        }
    }

    fn script(&self, script: &Script<'_>, walk: &mut Walk<'_>) {
        if walk.depth >= DEPTH {
            return;
        }
        walk.depth += 1;
        for command in commands(script.text) {
            self.command(&command, script, walk);
        }
        walk.depth -= 1;
    }

    fn command(&self, command: &Command, script: &Script<'_>, walk: &mut Walk<'_>) {
        if let [cd, to, ..] = command.words.as_slice()
            && cd == "cd"
        {
            walk.folder = join(&walk.folder, to);
            return;
        }
        if walk.deeds.len() >= DEEDS {
            return;
        }
        if let Some((kind, words)) = commands::classify(&command.words) {
            let deed = self.deed(kind, words, command, script, walk);
            walk.deeds.push(deed);
        } else if let Some(inner) = commands::inner_script(&command.words) {
            let folder = walk.folder.clone();
            self.script(&Script { text: inner, ..*script }, walk);
            walk.folder = folder;
        } else if let Some(text) = put_assigned(script.text, &command.words) {
            self.script(&Script { text: &text, ..*script }, walk);
        } else {
            self.follow(command, walk);
        }
    }

    fn follow(&self, command: &Command, walk: &mut Walk<'_>) {
        for call in called::by(self.context.repository, &command.words, &walk.folder) {
            let mark = format!("{}:{}", call.file.path, call.offset);
            if walk.visited.len() >= SCRIPTS || !walk.visited.insert(mark) {
                continue;
            }
            let outer = (walk.folder.clone(), walk.related.clone());
            walk.folder.clone_from(&call.folder);
            let from = u32::try_from(call.offset).unwrap_or(u32::MAX);
            self.script(&Script { text: &call.script, file: call.file, from }, walk);
            (walk.folder, walk.related) = outer;
        }
    }

    fn deed(&self, kind: Kind, words: &[String], command: &Command, script: &Script<'_>, walk: &Walk<'_>) -> Deed {
        let here = find_line(script.file, script.from, line_at(script.text, command.offset));
        let nested = walk.depth > 0 && here.is_some();
        let inner = here.filter(|_| nested).map(|span| Place { file: script.file.id, span });
        let note = format!("runs `{}`", shortened(&command.line()));
        Deed {
            kind,
            command: shortened(&words.join(" ")),
            span: walk.top.unwrap_or_default(),
            confidence: Confidence::High,
            of_service: self.of_service(kind, words, &walk.folder),
            versioned_image: Some(kind == Kind::Publish && actions::names_version(&words.join(" "), script.text)),
            related: inner.map(|place| Related { place, note }).into_iter().chain(walk.related.clone()).collect(),
        }
    }

    /// `None` where the tests run inside an image or a program of the tree that is not read.
    fn of_service(&self, kind: Kind, words: &[String], folder: &str) -> Option<bool> {
        if !matches!(kind, Kind::Test | Kind::Audit) || self.context.workspace.packages.is_empty() {
            return Some(true);
        }
        let program = words.first().map_or("", String::as_str);
        let hidden = matches!(program, "docker" | "docker-compose" | "podman") || commands::is_xtask_of_all(words);
        if kind == Kind::Test && hidden {
            return None;
        }
        let manifest = words.iter().position(|word| word == "--manifest-path").and_then(|at| words.get(at + 1));
        let folder = manifest.map_or(folder.to_string(), |path| join(folder, path.trim_end_matches("Cargo.toml")));
        let reads_rust = kind == Kind::Audit || program.starts_with("cargo") || RUST_TESTERS.contains(&program);
        Some(reads_rust && self.covers_service(&folder))
    }

    /// Whether a command that runs in a folder sees the crates of a service: the folder holds them, or they hold it.
    pub fn covers_service(&self, folder: &str) -> bool {
        let services = self.context.services;
        let unknown = folder.contains(['$', '{']);
        unknown
            || services.is_empty()
            || services.iter().flat_map(|service| &service.crates).any(|at| related(at, folder))
    }

    /// The steps of a composite action or template of the tree, reported at the step that uses it.
    fn local(&self, step: &Step<'_>, name: &str, inputs: Option<&Node>, depth: usize, deeds: &mut Vec<Deed>) {
        let path = name.trim_start_matches("./").trim_end_matches('/');
        let left = self.locals.get();
        if depth == 0 || left == 0 {
            return;
        }
        self.locals.set(left - 1);
        let Some((file, mut job)) = systems::local(self.context.repository, path) else { return };
        let given = inputs.map(Node::entries).unwrap_or_default();
        // What is given comes first, and is found first.
        let given = given.iter().filter_map(|entry| Some((entry.key.to_string(), text_of(&entry.value)?)));
        job.inputs = given.chain(std::mem::take(&mut job.inputs)).collect();
        let mut inner = Vec::new();
        for inner_step in &job.steps {
            if inner.len() < DEEDS {
                self.step_at(file, &job, inner_step, depth - 1, &mut inner);
            }
        }
        for mut deed in inner {
            let note = format!("runs `{}`", deed.command);
            deed.related.insert(0, Related { place: Place { file: file.id, span: deed.span }, note });
            deed.span = step.span;
            deeds.push(deed);
        }
    }
}

/// A text with the values of `${{ inputs.NAME }}` put in.
fn put_inputs(text: &str, inputs: &[(String, String)]) -> String {
    if inputs.is_empty() || !text.contains("inputs.") {
        return text.to_string();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some((expression, tail)) = after.split_once("}}") else { break };
        out.push_str(before);
        let name = expression.trim().strip_prefix("inputs.");
        let value = name.and_then(|name| inputs.iter().find(|(known, _)| known == name));
        match value {
            Some((_, value)) => out.push_str(value),
            None => {
                out.push_str("${{");
                out.push_str(expression);
                out.push_str("}}");
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Programs other than cargo's that run tests of Rust code.
const RUST_TESTERS: &[&str] = &["cross", "bazel", "bazelisk", "buck2", "nix"];

fn related(one: &str, other: &str) -> bool {
    let inside = |outer: &str, inner: &str| {
        outer.is_empty()
            || outer == "."
            || inner == outer
            || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    inside(one, other) || inside(other, one)
}

/// Joins a folder and a relative path, `.` and `..` resolved.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("/")
}

/// A command whose program is a variable of the script, also where a function of the script runs it.
fn put_assigned(script: &str, words: &[String]) -> Option<String> {
    let hands_on = words.first().is_some_and(|name| is_function(script, name)) && script.contains("$@");
    let reach = if hands_on { words.len() } else { 1 };
    (0..reach).find_map(|at| {
        let value = assigned(script, &words[at]).or_else(|| (at > 0).then(|| words[at].clone()))?;
        let command = format!("{value} {}", words[at + 1..].join(" "));
        let known =
            at == 0 || commands(&command).first().is_some_and(|inner| commands::classify(&inner.words).is_some());
        known.then_some(command)
    })
}

/// Whether a script defines a function of this name.
fn is_function(script: &str, name: &str) -> bool {
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let head = |line: &str| {
        let line = line.trim_start();
        let (keyword, line) = line.strip_prefix("function ").map_or((false, line), |line| (true, line.trim_start()));
        let rest = line.strip_prefix(name).map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with("()") || keyword && rest.starts_with('{'))
    };
    plain && script.lines().any(head)
}

/// What a script assigns to the variable that a word names: the last `NAME=value` of it.
fn assigned(script: &str, word: &str) -> Option<String> {
    let name = word.strip_prefix('$')?.trim_matches(['{', '}']);
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let lines = script.lines().rev().filter(|_| plain);
    let values =
        lines.filter_map(|line| line.trim().trim_start_matches("export ").strip_prefix(name)?.strip_prefix('='));
    values.map(|value| value.trim().trim_matches(['"', '\'']).to_string()).find(|value| !value.starts_with('$'))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_string(),
    }
}

fn line_at(text: &str, offset: usize) -> &str {
    let from = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    text[from..].lines().next().unwrap_or("").trim()
}

/// Finds the lines of a step's commands in the pipeline's file, in order. Matrix values change a line but not its number.
struct Lines<'s> {
    file: &'s SourceFile,
    step: Span,
    raw: Vec<&'s str>,
    text: &'s str,
    /// Number of the line at `read`.
    number: usize,
    read: usize,
    /// From where the next line is looked for in the file.
    from: u32,
    misses: usize,
}

impl<'s> Lines<'s> {
    fn new(file: &'s SourceFile, step: Span, raw: &'s str, text: &'s str) -> Lines<'s> {
        Lines { file, step, raw: raw.lines().collect(), text, number: 0, read: 0, from: step.start, misses: 0 }
    }

    fn span_of(&mut self, offset: usize) -> Span {
        self.number += self.text.get(self.read..offset).map_or(0, |passed| passed.matches('\n').count());
        self.read = offset;
        let line = self.raw.get(self.number).map_or("", |line| line.trim());
        let found = if self.misses < MISSES { find_line(self.file, self.from, line) } else { None };
        match found {
            Some(span) => self.from = span.start,
            None => self.misses += 1,
        }
        found.unwrap_or(self.step)
    }
}

fn find_line(file: &SourceFile, from: u32, line: &str) -> Option<Span> {
    let from = from as usize;
    let at = file.text.get(from..)?.find(line).filter(|_| !line.is_empty())?;
    Some(Span::new(from + at, from + at + line.len()))
}

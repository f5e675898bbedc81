//! Follows a step into what it runs: scripts of the tree, recipes, aliases, composite actions.

use std::collections::BTreeSet;

use super::commands::{self, Command, commands};
use super::expressions::variants;
use super::model::{Action, Deed, Job, Kind, Step};
use super::{actions, called, systems};
use crate::facts::{Confidence, Related};
use crate::link::Context;
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

impl<'a> Resolver<'a> {
    /// What a step does, added to `deeds`.
    pub fn step(&self, file: &SourceFile, job: &Job<'_>, step: &Step<'_>, deeds: &mut Vec<Deed>) {
        let mut found = Vec::new();
        match &step.action {
            Action::Script(text) => {
                for variant in variants(text, job.matrix) {
                    self.script_of_step(file, step, text, &variant, &mut found);
                }
            }
            Action::Use { name, .. } if name.starts_with("./") => self.composite(step, name, &mut found),
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
        } else if let Some(assigned) = command.words.first().and_then(|word| assigned(script.text, word)) {
            let text = format!("{assigned} {}", command.words[1..].join(" "));
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

    fn of_service(&self, kind: Kind, words: &[String], folder: &str) -> bool {
        if !matches!(kind, Kind::Test | Kind::Audit) || self.context.workspace.packages.is_empty() {
            return true;
        }
        let program = words.first().map_or("", String::as_str);
        let manifest = words.iter().position(|word| word == "--manifest-path").and_then(|at| words.get(at + 1));
        let folder = manifest.map_or(folder.to_string(), |path| join(folder, path.trim_end_matches("Cargo.toml")));
        let reads_rust = kind == Kind::Audit || program.starts_with("cargo") || RUST_TESTERS.contains(&program);
        reads_rust && self.covers_service(&folder)
    }

    /// Whether a command that runs in a folder sees the crates of a service: the folder holds them, or they hold it.
    pub fn covers_service(&self, folder: &str) -> bool {
        let services = self.context.services;
        let unknown = folder.contains(['$', '{']);
        unknown
            || services.is_empty()
            || services.iter().flat_map(|service| &service.crates).any(|at| related(at, folder))
    }

    /// The steps of a composite action of the tree, reported at the step that uses it.
    fn composite(&self, step: &Step<'_>, name: &str, deeds: &mut Vec<Deed>) {
        let folder = name.trim_start_matches("./").trim_end_matches('/');
        let Some((file, job)) = systems::composite(self.context.repository, folder) else { return };
        let mut inner = Vec::new();
        for inner_step in &job.steps {
            // A composite action that uses another one of the tree is followed no further.
            if !matches!(&inner_step.action, Action::Use { name, .. } if name.starts_with("./")) {
                self.step(file, &job, inner_step, &mut inner);
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

/// What a script assigns to the variable that a word names: the last `NAME=value` of it.
fn assigned(script: &str, word: &str) -> Option<String> {
    let name = word.strip_prefix('$')?.trim_matches(['{', '}']);
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let lines = script.lines().rev().filter(|_| plain);
    let mut values =
        lines.filter_map(|line| line.trim().trim_start_matches("export ").strip_prefix(name)?.strip_prefix('='));
    values
        .next()
        .map(|value| value.trim().trim_matches(['"', '\'']).to_string())
        .filter(|value| !value.starts_with('$'))
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

//! Each file by itself: text to syntax, comments and problems. Pure, parallel, and never a panic.

pub mod dockerfile;
pub mod document;
pub mod env;
pub mod hcl;
pub mod hjson;
pub mod ini;
pub mod json;
pub mod markdown;
pub mod nginx;
pub mod rust;
pub mod sql;
pub mod toml;
pub mod yaml;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::scan::source::{FileId, Kind, Notice, SourceFile, Span, Tree};

/// A reader: the text of one file to what it said.
type Reader = fn(&str) -> Parsed;

/// Which reader takes which kind of file. Kinds without a row are read by the linker as plain text where it needs them.
const READERS: &[(Kind, Reader)] = &[
    (Kind::Rust, rust::parse),
    (Kind::CargoManifest, toml::parse),
    (Kind::CargoLock, toml::parse),
    (Kind::Toml, toml::parse),
    (Kind::Yaml, yaml::parse),
    (Kind::Json, json::parse),
    (Kind::Hjson, hjson::parse),
    (Kind::Hcl, hcl::parse),
    (Kind::Dockerfile, dockerfile::parse),
    (Kind::Env, env::parse),
    (Kind::SystemdUnit, ini::parse),
    (Kind::Properties, ini::parse),
    (Kind::Nginx, nginx::parse),
    (Kind::Caddyfile, nginx::parse_caddy),
    (Kind::Markdown, markdown::parse),
    (Kind::Sql, sql::parse),
];

/// Parses every file of a tree, in parallel; the result is indexed by `FileId`. A reader that panics loses its file
/// only: the notice says so and makes the run fail.
pub fn parse_all(tree: &Tree) -> (Vec<Parsed>, Vec<Notice>) {
    parse_where(tree, |_| true)
}

/// Parses the files that are wanted. Of a Rust file that is not, only comments with a directive for prodcheck are kept.
pub fn parse_where(tree: &Tree, wanted: impl Fn(&SourceFile) -> bool + Sync) -> (Vec<Parsed>, Vec<Notice>) {
    let parse = |file: &SourceFile| if wanted(file) { parse_file(file) } else { (skim(file), None) };
    let parsed: Vec<(Parsed, Option<Notice>)> = tree.files.par_iter().map(parse).collect();
    let mut notices = Vec::new();
    let mut all = Vec::with_capacity(parsed.len());
    for (file, (parsed, crash)) in tree.files.iter().zip(parsed) {
        notices.extend(problem_notices(file, &parsed.problems));
        notices.extend(crash);
        all.push(parsed);
    }
    (all, notices)
}

/// Problems of one file that are told one by one: what is broken all over is not read line by line by anyone.
const TOLD: usize = 25;

fn problem_notices(file: &SourceFile, problems: &[Problem]) -> Vec<Notice> {
    let notice = |problem: &Problem, message: String| Notice {
        path: file.path.clone(),
        line: Some(file.line_column(problem.span.start).line),
        message,
        fatal: false,
    };
    let mut notices: Vec<Notice> =
        problems.iter().take(TOLD).map(|problem| notice(problem, problem.message.clone())).collect();
    if let Some(next) = problems.get(TOLD) {
        notices.push(notice(next, format!("{} more problems from here on", problems.len() - TOLD)));
    }
    notices
}

/// Parses files that were left out before.
pub fn add(tree: &Tree, parsed: &mut [Parsed], wanted: &BTreeSet<FileId>) -> Vec<Notice> {
    let left: Vec<&SourceFile> = wanted.iter().map(|id| tree.file(*id)).collect();
    let left: Vec<&SourceFile> = left
        .into_iter()
        .filter(|file| parsed.get(file.id.0 as usize).is_some_and(|known| matches!(known.syntax, Syntax::None)))
        .collect();
    let added: Vec<(FileId, Parsed, Option<Notice>)> = left
        .par_iter()
        .map(|file| {
            let (parsed, crash) = parse_file(file);
            (file.id, parsed, crash)
        })
        .collect();
    let mut notices = Vec::new();
    for (id, file, crash) in added {
        notices.extend(problem_notices(tree.file(id), &file.problems));
        notices.extend(crash);
        parsed[id.0 as usize] = file;
    }
    notices
}

fn skim(file: &SourceFile) -> Parsed {
    let directed = file.kind == Kind::Rust && file.text.contains("prodcheck:");
    let comments = if directed { rust::lexer::scan(&file.text).comments } else { Vec::new() };
    Parsed { comments, ..Parsed::default() }
}

/// Whether a reader takes files of this kind.
pub fn has_reader(kind: Kind) -> bool {
    READERS.iter().any(|(known, _)| *known == kind)
}

/// Reads of a file what the search for secrets needs of it: of Rust that is its comments, which takes no tree of it.
/// A reader that crashes is the caller's to catch.
pub fn for_secrets(file: &SourceFile) -> Parsed {
    if file.kind == Kind::Rust {
        return Parsed { comments: rust::lexer::scan(&file.text).comments, ..Parsed::default() };
    }
    let reader = READERS.iter().find(|(kind, _)| *kind == file.kind);
    reader.map_or_else(Parsed::default, |(_, reader)| reader(&file.text))
}

fn parse_file(file: &SourceFile) -> (Parsed, Option<Notice>) {
    let Some((_, reader)) = READERS.iter().find(|(kind, _)| *kind == file.kind) else {
        return (Parsed::default(), None);
    };
    match catch_unwind(AssertUnwindSafe(|| reader(&file.text))) {
        Ok(parsed) => (parsed, None),
        Err(_) => {
            let message = "the reader of this file crashed: its contents are not judged".to_string();
            (Parsed::default(), Some(Notice { path: file.path.clone(), line: None, message, fatal: true }))
        }
    }
}

/// What one file said.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The syntax, or [`Syntax::None`] where no reader took the file.
    pub syntax: Syntax,
    /// Comments, for suppressions; in file order.
    pub comments: Vec<Comment>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// The syntax of a file, by reader.
#[derive(Clone, Debug, Default)]
pub enum Syntax {
    /// No reader took the file.
    #[default]
    None,
    /// Rust.
    Rust(Box<rust::ast::RustFile>),
    /// YAML (several documents), TOML, JSON, Hjson or HCL (one).
    Documents(Vec<document::Node>),
    /// A Dockerfile.
    Dockerfile(Box<dockerfile::Dockerfile>),
    /// A .env file.
    Env(Vec<env::EnvEntry>),
    /// A systemd unit, .ini or .properties file.
    Sections(Vec<ini::Section>),
    /// An nginx configuration.
    Nginx(Vec<nginx::Directive>),
    /// A Caddyfile.
    Caddy(Vec<nginx::Directive>),
    /// SQL.
    Sql(sql::SqlFile),
    /// Markdown.
    Markdown(Box<markdown::Markdown>),
}

/// A comment without its delimiters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// The whole comment with its delimiters.
    pub span: Span,
    /// The text inside.
    pub text: String,
}

/// Something a reader could not understand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What, in one sentence.
    pub message: String,
}

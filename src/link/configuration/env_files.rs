//! .env files, and whether git and images leave them out.

use std::sync::LazyLock;

use regex::Regex;

use super::contexts;
use super::ignores::{Rules, git_ignores};
use super::words;
use crate::facts::vocabulary::{EnvFile, IgnoreFile};
use crate::facts::{Attr, Confidence, Related};
use crate::link::{Context, Linked, Repository};
use crate::parse::Syntax;
use crate::parse::dockerfile::{Dockerfile, Instruction};
use crate::parse::env::EnvEntry;
use crate::scan::source::{Kind, Place, Role, SourceFile};

/// Words of a name that mark a sample to copy.
const SAMPLES: &[&str] = &[
    "example",
    "examples",
    "sample",
    "template",
    "tmpl",
    "tpl",
    "dist",
    "default",
    "defaults",
    "schema",
    "skel",
    "stub",
    "placeholder",
];

/// Adds .env files and what keeps them out of git; out of images where the project has to do with a .env at all.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let repository = context.repository;
    let files: Vec<&SourceFile> = repository.tree.files.iter().filter(|file| is_env_file(file)).collect();
    for file in &files {
        emit_env_file(context, file, linked);
    }
    let used = in_use(context, &files);
    emit_git(context, &files, used, linked);
    // What nobody has, no image copies.
    if !used {
        return;
    }
    let contexts = contexts::told(repository);
    for (file, parsed) in repository.files() {
        if let Syntax::Dockerfile(dockerfile) = &parsed.syntax
            && file.role == Role::Service
        {
            emit_docker(context, (file, dockerfile), contexts.get(&file.path), &files, linked);
        }
    }
}

fn is_env_file(file: &SourceFile) -> bool {
    // `.env.vault` and `.env.keys` belong to tools that encrypt; the first holds no plain value.
    file.kind == Kind::Env && !file.name().ends_with(".vault")
}

fn is_sample(file: &SourceFile) -> bool {
    let name = file.name().to_ascii_lowercase();
    name.split(['.', '_', '-']).any(|word| SAMPLES.contains(&word))
}

/// Words of a name that mark a file of values made up for tests and pipelines.
const MADE_UP: &[&str] = &["dummy", "fake", "mock", "mocks", "ci"];

/// A file beside tests or for them by name is theirs, as are those of pipelines; `.env.example` is a sample wherever it
/// stands.
fn role(file: &SourceFile) -> Role {
    let made_up = |word: &str| MADE_UP.contains(&word.to_ascii_lowercase().as_str());
    match file.role {
        _ if words::in_name(file.name()) == Some("test") => Role::Test,
        _ if file.name().split(['.', '_', '-']).any(made_up) => Role::Test,
        _ if file.folder().split('/').any(|folder| matches!(folder, "ci" | ".ci" | ".github" | ".circleci")) => {
            Role::Test
        }
        Role::Example | Role::Docs if is_sample(file) => Role::Service,
        role => role,
    }
}

/// The first entry with a value. What another variable gives, or what is encrypted, is none of the file's own.
fn first_value<'r>(repository: &'r Repository, file: &SourceFile) -> Option<&'r EnvEntry> {
    let Syntax::Env(entries) = &repository.get(file.id).1.syntax else { return None };
    let valued = |value: &str| !value.is_empty() && !value.starts_with('$') && !value.starts_with("encrypted:");
    entries.iter().find(|entry| valued(&entry.value) && !super::sops::is_encrypted(entry))
}

fn has_values(repository: &Repository, file: &SourceFile) -> bool {
    first_value(repository, file).is_some()
}

fn emit_env_file(context: &Context<'_>, file: &SourceFile, linked: &mut Linked) {
    let first = first_value(context.repository, file);
    let tracked = match file.tracked {
        Some(tracked) => Attr::Known(tracked),
        None if file.ignored => Attr::Known(false),
        None => Attr::Unknown,
    };
    let data = EnvFile {
        path: file.path.as_str().into(),
        tracked,
        has_values: first.is_some().into(),
        sample: is_sample(file).into(),
        environment: words::in_name(file.name()).map_or(Attr::Unset, Attr::from),
    };
    let span = first.map_or_else(|| file.line_span(1), |entry| entry.key_span);
    linked.facts.add(context.fact_in_role(data, file.id, span, role(file)));
}

static NAMES_ENV: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?m)(?:^|[\s`'"/=(!*])\.env(?:[\s`'"),.:;*]|$)"#).ok());

/// Whether anything in the project holds, names or loads a .env.
fn in_use(context: &Context<'_>, files: &[&SourceFile]) -> bool {
    let loads = |package: &crate::link::workspace::Package| {
        package
            .dependencies
            .iter()
            .any(|dependency| matches!(dependency.package.as_str(), "dotenv" | "dotenvy" | "dotenv-flow"))
    };
    let own = files.iter().any(|file| !matches!(file.role, Role::Vendored | Role::Test));
    own || context.workspace.packages.iter().any(loads) || context.repository.tree.files.iter().any(names_env)
}

fn names_env(file: &SourceFile) -> bool {
    let tells = matches!(
        file.kind,
        Kind::GitIgnore
            | Kind::DockerIgnore
            | Kind::Markdown
            | Kind::Just
            | Kind::Make
            | Kind::Shell
            | Kind::Yaml
            | Kind::Dockerfile
    );
    if !tells || matches!(file.role, Role::Vendored | Role::Test | Role::Example) {
        return false;
    }
    let loaded = (file.name() == ".envrc" || file.kind == Kind::Just) && file.text.contains("dotenv");
    loaded || NAMES_ENV.as_ref().is_some_and(|regex| regex.is_match(&file.text))
}

/// How many folders of .env files are looked at.
const HOMES: usize = 50;

/// Folders a .env belongs to: those with one or with a sample of one; else the root.
fn homes(files: &[&SourceFile]) -> Vec<String> {
    let own = files.iter().filter(|file| role(file) == Role::Service && in_service_folder(file));
    let mut homes: Vec<String> = own.map(|file| file.folder().to_string()).collect();
    homes.dedup();
    homes.truncate(HOMES);
    if homes.is_empty() { vec![String::new()] } else { homes }
}

fn in_service_folder(file: &SourceFile) -> bool {
    !file.folder().split('/').any(|folder| matches!(folder, "example" | "examples" | "sample" | "samples" | "docs"))
}

fn emit_git(context: &Context<'_>, files: &[&SourceFile], used: bool, linked: &mut Linked) {
    let repository = context.repository;
    let of = |home: &String| if home.is_empty() { ".env".to_string() } else { format!("{home}/.env") };
    let places: Vec<Option<Place>> = homes(files).iter().map(|home| git_ignores(repository, &of(home))).collect();
    let first = repository.tree.find(".gitignore").or_else(|| {
        repository.tree.files.iter().find(|file| file.kind == Kind::GitIgnore && file.role != Role::Vendored)
    });
    let place = places.iter().flatten().next().copied().or_else(|| Some(start(first?)));
    let Some(place) = place.or_else(|| repository.tree.files.first().map(start)) else { return };
    let data = IgnoreFile {
        kind: "git".into(),
        present: first.is_some().into(),
        ignores_env: places.iter().all(Option::is_some).into(),
        used: used.into(),
        ..IgnoreFile::default()
    };
    linked.facts.add(context.fact_in_role(data, place.file, place.span, Role::Service));
}

fn start(file: &SourceFile) -> Place {
    Place { file: file.id, span: file.line_span(1) }
}

fn emit_docker(
    context: &Context<'_>,
    (file, dockerfile): (&SourceFile, &Dockerfile),
    told: Option<&String>,
    files: &[&SourceFile],
    linked: &mut Linked,
) {
    let Some(copy) = dockerfile.instructions.iter().find(|instruction| copies_tree(instruction)) else { return };
    let repository = context.repository;
    let root = told.cloned().unwrap_or_else(|| context_folder(repository, file, dockerfile));
    let own = repository.tree.find(&format!("{}.dockerignore", file.path));
    let ignore = own.or_else(|| repository.tree.find(&below(&root, ".dockerignore")));
    let rules = ignore.map(Rules::of_docker);
    let covers = |path: &str| rules.as_ref().and_then(|rules| rules.decides(path)).filter(|(ignored, _)| *ignored);
    let covering = covers(".env");
    let tracked = files.iter().filter(|file| {
        file.tracked == Some(true) && !is_sample(file) && role(file) == Role::Service && has_values(repository, file)
    });
    let inside = |file: &&&SourceFile| relative(&file.path, &root).is_some_and(|path| covers(path).is_none());
    let copied = tracked.into_iter().find(|file| inside(file)).copied();
    let data = IgnoreFile {
        kind: "docker".into(),
        present: ignore.is_some().into(),
        ignores_env: covering.is_some().into(),
        tree_copied: true.into(),
        copies_tracked_env: copied.is_some().into(),
        used: true.into(),
    };
    let mut fact = context.fact(data, file.id, copy.span);
    // Which folder the image is built from is told by the command that builds it; the layout only suggests it.
    if told.is_none() && root != file.folder() {
        fact = fact.confidence(Confidence::Medium);
    }
    let note = "leaves `.env` out of the image".to_string();
    fact.related = covering.map(|(_, place)| Related { place, note }).into_iter().collect();
    if let Some(file) = copied {
        fact.related.push(Related { place: start(file), note: format!("`{}` is tracked and goes in", file.name()) });
    }
    linked.facts.add(fact);
}

fn copies_tree(instruction: &Instruction) -> bool {
    let whole = |word: &str| matches!(word, "." | "./" | "*" | "./*" | "/");
    let sources = instruction.words.split_last().map(|(_, sources)| sources).unwrap_or_default();
    matches!(instruction.keyword.as_str(), "COPY" | "ADD")
        && instruction.flag("from").is_none()
        && sources.iter().any(|word| whole(&word.text))
}

/// The folder an image is built from: the one from its own upwards that holds most of what it copies by name.
fn context_folder(repository: &Repository, file: &SourceFile, dockerfile: &Dockerfile) -> String {
    let copies = dockerfile
        .instructions
        .iter()
        .filter(|it| matches!(it.keyword.as_str(), "COPY" | "ADD") && it.flag("from").is_none());
    let named: Vec<&str> = copies
        .flat_map(|it| it.words.split_last().map(|(_, sources)| sources).unwrap_or_default())
        .map(|word| word.text.trim_start_matches("./").trim_matches('/'))
        .filter(|source| !source.is_empty() && !source.contains(['*', '$', '?']) && *source != ".")
        .collect();
    let held = |folder: &str| named.iter().filter(|source| exists(repository, &below(folder, source))).count();
    let manifest = |folder: &str| {
        ["Cargo.toml", "package.json", "go.mod"].iter().any(|name| repository.tree.find(&below(folder, name)).is_some())
    };
    let mut best = (0, false, file.folder().to_string());
    let mut folder = file.folder();
    loop {
        let score = (held(folder), manifest(folder));
        if score > (best.0, best.1) {
            best = (score.0, score.1, folder.to_string());
        }
        if folder.is_empty() {
            return best.2;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

fn exists(repository: &Repository, path: &str) -> bool {
    let files = &repository.tree.files;
    let at = files.partition_point(|file| file.path.as_str() < path);
    files.get(at).is_some_and(|file| file.path == path || file.path.starts_with(&format!("{path}/")))
}

fn below(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_string() } else { format!("{folder}/{path}") }
}

fn relative<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

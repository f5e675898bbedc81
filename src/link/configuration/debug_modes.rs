//! Settings of production's manifests and files that make the service run as in development.

use std::collections::BTreeSet;

use super::words;
use crate::facts::vocabulary::DebugMode;
use crate::facts::{Data, FactKind};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{Kind, Role, SourceFile, Span};

/// Variables that choose an environment and that a framework reads by itself, with its crate.
const OF_FRAMEWORKS: &[(&str, &str)] = &[
    ("ROCKET_PROFILE", "rocket"),
    ("ROCKET_ENV", "rocket"),
    ("LOCO_ENV", "loco-rs"),
    ("RAILS_ENV", "loco-rs"),
    ("NODE_ENV", "loco-rs"),
];

/// Last words of variables that choose an environment.
const CHOICES: &[&str] = &["ENV", "ENVIRONMENT", "MODE", "PROFILE", "STAGE"];

/// Adds them.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let known = variables(context, linked);
    for (file, parsed) in context.repository.files() {
        if file.role != Role::Service || words::in_name(file.name()).is_some_and(|name| name != "production") {
            continue;
        }
        let mut found: Vec<(String, String, Span, &'static str)> = Vec::new();
        match &parsed.syntax {
            Syntax::Dockerfile(dockerfile) => {
                let last = dockerfile.stages.last().map_or(&[][..], |stage| dockerfile.of_stage(stage));
                for instruction in last.iter().filter(|instruction| instruction.keyword == "ENV") {
                    for (name, value) in instruction.pairs() {
                        let value = value.unwrap_or("").to_string();
                        found.push((name.to_string(), value, instruction.span, "dockerfile"));
                    }
                }
            }
            Syntax::Documents(roots) => {
                for root in roots {
                    if let Some(by) = manifest(file, root) {
                        assignments(root, by, &mut found);
                    }
                    framework_file(file, root, &mut found);
                }
            }
            _ => {}
        }
        for (name, value, span, by) in found {
            if by == "file" || known.contains(&name) && is_development(&name, &value) {
                let data = DebugMode { name: name.into(), value: value.into(), by: by.into() };
                linked.facts.add(context.fact(data, file.id, span));
            }
        }
    }
}

/// Variables that the services read: in their code, or through their framework.
fn variables(context: &Context<'_>, linked: &Linked) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = linked
        .facts
        .of(FactKind::EnvRead)
        .filter_map(|(_, fact)| match &fact.data {
            Data::EnvRead(read) => read.name.known().cloned(),
            _ => None,
        })
        .collect();
    let depends = |krate: &str| context.workspace.packages.iter().any(|package| package.dependency(krate).is_some());
    known.extend(OF_FRAMEWORKS.iter().filter(|(_, krate)| depends(krate)).map(|(name, _)| (*name).to_string()));
    known
}

/// `APP_ENV=development`, `DEBUG=true`.
fn is_development(name: &str, value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let last = name.rsplit('_').next().unwrap_or(name);
    if last == "DEBUG" {
        return matches!(value.as_str(), "true" | "1" | "on" | "yes");
    }
    CHOICES.contains(&last) && matches!(value.as_str(), "dev" | "develop" | "development" | "debug" | "local")
}

/// Files that give a production service its environment.
fn manifest(file: &SourceFile, root: &Node) -> Option<&'static str> {
    // What stands in a folder of another environment is not production's.
    let elsewhere =
        file.folder().split('/').any(|part| words::environment(part).is_some_and(|name| name != "production"));
    match file.kind {
        Kind::Yaml if !elsewhere && root.get("apiVersion").is_some() && root.get("kind").is_some() => {
            Some("kubernetes")
        }
        Kind::Toml if file.name() == "fly.toml" || file.name() == "fly.production.toml" => Some("fly"),
        Kind::Json if !elsewhere && root.get("containerDefinitions").is_some() => Some("ecs"),
        _ => None,
    }
}

/// `NAME: value` and `{name: NAME, value: value}` anywhere in a document.
fn assignments(node: &Node, by: &'static str, found: &mut Vec<(String, String, Span, &'static str)>) {
    if let (Some(name), Some(value)) = (node.get("name").and_then(Node::text), node.get("value")) {
        found.push((name.to_string(), value.scalar().unwrap_or_default(), value.span, by));
    }
    for entry in node.entries() {
        let upper = !entry.key.chars().any(char::is_lowercase) && entry.key.len() > 2;
        match entry.value.scalar().filter(|_| upper) {
            Some(value) => found.push((entry.key.to_string(), value, entry.value.span, by)),
            None => assignments(&entry.value, by, found),
        }
    }
    node.items().iter().for_each(|item| assignments(item, by, found));
}

/// What a framework's own file for production switches on.
fn framework_file(file: &SourceFile, root: &Node, found: &mut Vec<(String, String, Span, &'static str)>) {
    let of_production = file.path.ends_with("config/production.yaml") || file.path.ends_with("config/production.yml");
    if let Some(value) = root.at(&["logger", "pretty_backtrace"]).filter(|_| of_production)
        && value.flag() == Some(true)
    {
        found.push(("logger.pretty_backtrace".to_string(), "true".to_string(), value.span, "file"));
    }
}

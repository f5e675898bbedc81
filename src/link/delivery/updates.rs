//! Tools that keep dependencies up to date: dependabot, renovate.

use crate::facts::vocabulary::DependencyUpdates;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{SourceFile, Span};

/// Adds them.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, parsed) in context.repository.files() {
        let root = match &parsed.syntax {
            Syntax::Documents(documents) => documents.first(),
            _ => None,
        };
        let found = match file.path.as_str() {
            ".github/dependabot.yml" | ".github/dependabot.yaml" => {
                root.map(|root| ("dependabot", dependabot(context, root)))
            }
            path if is_renovate(path) => Some(("renovate", (renovate_covers_cargo(&file.text), file.line_span(1)))),
            "package.json" => {
                root.and_then(|root| root.entry("renovate")).map(|entry| ("renovate", (true, entry.key_span)))
            }
            _ => None,
        };
        if let Some((tool, (covers_cargo, span))) = found {
            add(context, linked, file, (tool, covers_cargo, span));
        }
    }
}

fn add(context: &Context<'_>, linked: &mut Linked, file: &SourceFile, (tool, covers_cargo, span): (&str, bool, Span)) {
    let data = DependencyUpdates { tool: tool.into(), covers_cargo: covers_cargo.into() };
    linked.facts.add(context.fact(data, file.id, span));
}

fn dependabot(context: &Context<'_>, root: &Node) -> (bool, Span) {
    let updates = root.get("updates").map(Node::items).unwrap_or_default();
    let cargo = updates.iter().find(|update| {
        update.get("package-ecosystem").and_then(Node::text) == Some("cargo") && covers(context, update)
    });
    (
        cargo.is_some(),
        cargo.map_or(root.span, |update| {
            update.entry("package-ecosystem").map_or(update.span, |entry| entry.key_span.to(entry.value.span))
        }),
    )
}

/// Whether the folders of an update hold crates of a service: a workspace member stands below its root.
fn covers(context: &Context<'_>, update: &Node) -> bool {
    let mut folders: Vec<String> = update.get("directory").and_then(Node::scalar).into_iter().collect();
    folders.extend(
        update.get("directories").map(Node::items).unwrap_or_default().iter().filter_map(|folder| folder.scalar()),
    );
    let holds = |folder: &str| {
        let folder = folder.trim_matches('/').trim_start_matches("./");
        let crates = context.services.iter().flat_map(|service| &service.crates);
        folder.is_empty()
            || folder.contains('*')
            || context.services.is_empty()
            || crates
                .map(|at| at.trim_start_matches("./"))
                .any(|at| at == folder || at.starts_with(&format!("{folder}/")))
    };
    folders.is_empty() || folders.iter().any(|folder| holds(folder))
}

fn is_renovate(path: &str) -> bool {
    let name = path.strip_prefix(".github/").or_else(|| path.strip_prefix(".gitlab/")).unwrap_or(path);
    matches!(
        name,
        "renovate.json"
            | "renovate.json5"
            | ".renovaterc"
            | ".renovaterc.json"
            | ".renovaterc.json5"
            | "renovate.jsonc"
    )
}

/// Renovate covers cargo unless the configuration lists other managers only.
fn renovate_covers_cargo(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("enabledManagers") else { return true };
    rest.split(']').next().unwrap_or("").contains("cargo")
}

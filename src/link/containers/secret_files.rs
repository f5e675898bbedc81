//! Settings that a service also takes from a file named by `NAME_FILE`: the form of docker and Kubernetes secrets.

use std::sync::LazyLock;

use regex::Regex;

use super::secret_names;
use crate::facts::vocabulary::SecretsManager;
use crate::facts::{Confidence, Data, FactKind};
use crate::link::{Context, Linked};
use crate::scan::source::{FileId, Kind, Role, Span};

/// `format!("{key}_FILE")` and the like: every setting has a file form.
static GENERIC: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""\{\w*\}_FILE""#).ok());

/// Adds where the code reads secrets from files.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let named: Vec<(FileId, Span)> = linked
        .facts
        .of(FactKind::EnvRead)
        .filter(|(_, fact)| fact.role == Role::Service)
        .filter_map(|(_, fact)| match &fact.data {
            Data::EnvRead(read) => read.name.known().map(|name| (name, fact.place)),
            _ => None,
        })
        .filter(|(name, _)| names_secret_file(name))
        .map(|(_, place)| (place.file, place.span))
        .collect();
    let generic = generic(context);
    for (file, span) in named.into_iter().chain(generic) {
        let data = SecretsManager { system: "file".into(), by: "code".into() };
        linked.facts.add(context.fact(data, file, span).confidence(Confidence::Medium));
    }
}

/// Files that a cloud's own library looks for are identities of the machine, not secrets given by hand.
const OF_CLOUDS: &[&str] = &["AWS_", "GOOGLE_", "AZURE_", "KUBE"];

fn names_secret_file(name: &str) -> bool {
    if OF_CLOUDS.iter().any(|start| name.starts_with(start)) {
        return false;
    }
    let plain = name.strip_suffix("_FILE");
    plain.is_some_and(|plain| secret_names::is_secret(plain) || plain.ends_with("DATABASE_URL"))
}

fn generic(context: &Context<'_>) -> Vec<(FileId, Span)> {
    let Some(regex) = GENERIC.as_ref() else { return Vec::new() };
    let rust = context.repository.tree.files.iter();
    rust.filter(|file| file.kind == Kind::Rust && file.role == Role::Service && file.text.contains("_FILE\""))
        .filter_map(|file| regex.find(&file.text).map(|found| (file.id, Span::new(found.start(), found.end()))))
        .collect()
}

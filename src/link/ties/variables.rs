//! Variables that the code reads, against documents that name them and manifests that set them.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Attr, Data, FactKind};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::scan::source::{Kind, Role, SourceFile};

/// What is known of a variable outside the code.
#[derive(Clone, Copy, Default)]
struct Mention {
    documented: bool,
    set: bool,
}

/// Marks each variable that is read as documented and set, or not. Where no manifest sets any of them, nothing is
/// said about setting: they are set elsewhere.
pub fn tie(context: &Context<'_>, linked: &mut Linked) {
    let names: BTreeSet<String> =
        linked.facts.of(FactKind::EnvRead).filter_map(|(_, fact)| name_of(&fact.data)).collect();
    if names.is_empty() {
        return;
    }
    let mentions = mentions(context, &names);
    let any_set = mentions.values().any(|mention| mention.set);
    for fact in &mut linked.facts.all {
        let Some(name) = name_of(&fact.data) else { continue };
        let mention = mentions.get(&name).copied().unwrap_or_default();
        let Data::EnvRead(read) = &mut fact.data else { continue };
        let by_help = read.documented == Attr::Known(true);
        read.documented = Attr::Known(by_help || mention.documented || mention.set);
        if any_set {
            read.set = Attr::Known(mention.set);
        }
    }
}

fn name_of(data: &Data) -> Option<String> {
    match data {
        Data::EnvRead(read) => read.name.known().cloned(),
        _ => None,
    }
}

fn mentions(context: &Context<'_>, names: &BTreeSet<String>) -> BTreeMap<String, Mention> {
    let mut mentions: BTreeMap<String, Mention> = BTreeMap::new();
    for (file, parsed) in context.repository.files() {
        if file.role == Role::Vendored {
            continue;
        }
        let sets = sets_variables(file, &parsed.syntax);
        if !sets && !documents(file) {
            continue;
        }
        for word in
            file.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| names.contains(*word))
        {
            let mention = mentions.entry(word.to_string()).or_default();
            mention.documented = true;
            mention.set |= sets;
        }
    }
    mentions
}

fn documents(file: &SourceFile) -> bool {
    matches!(
        file.kind,
        Kind::Markdown
            | Kind::Env
            | Kind::Toml
            | Kind::Yaml
            | Kind::Json
            | Kind::Hjson
            | Kind::Just
            | Kind::Make
            | Kind::Text
    )
}

/// Manifests that give the running service its environment; pipelines and samples do not.
fn sets_variables(file: &SourceFile, syntax: &Syntax) -> bool {
    if !matches!(file.role, Role::Service | Role::Development) || file.path.starts_with(".github/") {
        return false;
    }
    match (file.kind, syntax) {
        (Kind::Dockerfile | Kind::SystemdUnit | Kind::Procfile | Kind::Hcl, _) => true,
        (Kind::Env, _) => !["example", "sample", "template", "dist"].iter().any(|word| file.name().contains(word)),
        (Kind::Yaml, Syntax::Documents(documents)) => documents.iter().any(|root| {
            let kubernetes = root.get("apiVersion").is_some() && root.get("kind").is_some();
            kubernetes || root.get("services").is_some() || file.name().starts_with("values")
        }),
        (Kind::Toml, _) => file.name().starts_with("fly."),
        _ => false,
    }
}

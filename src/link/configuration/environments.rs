//! Configuration for each environment, and code that switches between environments.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::words::{environment, in_name, production};
use crate::facts::Confidence;
use crate::facts::vocabulary::EnvironmentConfig;
use crate::link::needed::Words;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::rust::ast::{Item, ItemKind, Variant};
use crate::scan::source::{Kind, Role, SourceFile, Span};

/// Names of files that hold settings, before or after an environment's word.
const SETTINGS: &[&str] = &[
    "config",
    "configuration",
    "settings",
    "appsettings",
    "application",
    "app",
    "values",
    "compose",
    "docker",
    "fly",
    "env",
    "rocket",
    "vars",
    "deploy",
    "deployment",
    "default",
    "server",
    "service",
    "base",
    "render",
    "railway",
    "log4rs",
    "terraform",
    "main",
    "samconfig",
];

/// Folders of settings files that are called by their environment alone.
const SETTINGS_FOLDERS: &[&str] = &[
    "config",
    "configs",
    "configuration",
    "settings",
    "conf",
    "environments",
    "env",
    "envs",
    "vars",
    "tfvars",
    "values",
    "deploy",
    "profiles",
];

/// Folders with one folder an environment.
const ENVIRONMENT_FOLDERS: &[&str] = &[
    "overlays",
    "environments",
    "envs",
    "env",
    "stages",
    "clusters",
    "accounts",
    "live",
    "apps",
    "deploy",
    "terraform",
    "infra",
    "k8s",
    "kubernetes",
];

static PRODUCTION: LazyLock<Words> = LazyLock::new(|| Words::new(production().iter().copied(), true));

/// Whether a file of code can switch between environments: production stands in it as the name of a variant or as a
/// whole literal.
pub fn may_switch(file: &SourceFile) -> bool {
    let bytes = file.text.as_bytes();
    let names = |span: Span| {
        let (start, end) = (span.start as usize, span.end as usize);
        let quoted = start > 0 && bytes[start - 1] == b'"' && bytes.get(end) == Some(&b'"');
        quoted || bytes[start].is_ascii_uppercase()
    };
    let code = file.kind == Kind::Rust && file.role == Role::Service;
    code && PRODUCTION.places(&file.text).any(|(_, span)| names(span))
}

/// A variable whose name says that it holds the place of a settings file, read as a whole literal.
static CHOOSER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"\bvar(?:_os)?\(\s*"((?:[A-Z0-9]+_)*(?:SETTINGS|CONFIG|CONFIGURATION)(?:_FILE|_PATH|_LOCATION)?)"\s*\)"#,
    )
    .ok()
});

/// What reads a settings file.
const READERS: &[&str] = &[
    "File::with_name(",
    "File::from(",
    "Toml::file(",
    "Yaml::file(",
    "Json::file(",
    "toml::from_str(",
    "serde_yaml::from_",
    "serde_yml::from_",
    "serde_json::from_",
    "ron::from_str(",
];

/// Where code reads from a variable which settings file it loads.
fn chooses_file(file: &SourceFile) -> Option<Span> {
    if file.kind != Kind::Rust || file.role != Role::Service || !READERS.iter().any(|read| file.text.contains(read)) {
        return None;
    }
    let found = CHOOSER.as_ref()?.find(&file.text)?;
    let line = file.text[..found.start()].rsplit('\n').next().unwrap_or("");
    (!line.contains("//")).then(|| Span::new(found.start(), found.end()))
}

/// Whether a file holds the program's own settings, by its name: no compose, image or deployment file.
fn is_of_program(file: &SourceFile) -> bool {
    let name = file.name().to_ascii_lowercase();
    let mut words = name.split(['.', '_', '-']);
    words.any(|word| ["settings", "config", "configuration", "appsettings"].contains(&word))
}

/// Adds settings by environment and switches between environments.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut folders = BTreeSet::new();
    let mut own = BTreeSet::new();
    let mut chooser = None;
    for (file, parsed) in context.repository.files() {
        if matches!(file.role, Role::Vendored | Role::Generated | Role::Bench | Role::Docs | Role::BuildScript) {
            continue;
        }
        if let Some((environment, form)) = by_path(file, &mut folders) {
            // What tests call production is a rig of theirs.
            if file.role == Role::Test && environment != "test" {
                continue;
            }
            add(context, linked, file, file.line_span(1), (environment, form), Confidence::High);
            if form == "file" && is_of_program(file) {
                own.insert(environment);
            }
        } else if let Some(environment) = by_team(context, file) {
            add(context, linked, file, file.line_span(1), (environment, "file"), Confidence::High);
        }
        chooser = chooser.or_else(|| chooses_file(file).map(|span| (file, span)));
        match &parsed.syntax {
            Syntax::Rust(rust) if may_switch(file) => {
                let found = enum_of(&rust.items).map(|span| (span, Confidence::High));
                let found = found.or_else(|| matched(&file.text).map(|span| (span, Confidence::Medium)));
                if let Some((span, confidence)) = found {
                    add(context, linked, file, span, ("switch", "code"), confidence);
                }
            }
            Syntax::Documents(documents) if matches!(file.kind, Kind::Toml | Kind::Yaml) => {
                let keys = documents.iter().flat_map(|root| root.entries()).map(|entry| (&*entry.key, entry.key_span));
                if let Some(span) = profiles(file, keys) {
                    add(context, linked, file, span, ("switch", "file"), Confidence::High);
                }
            }
            _ => {}
        }
        if file.kind == Kind::Hcl
            && let Some(span) = by_stage(&file.text)
        {
            add(context, linked, file, span, ("switch", "workspace"), Confidence::High);
        }
    }
    // Files for two environments and a variable that says which is loaded: production's may stand elsewhere.
    if let Some((file, span)) = chooser.filter(|_| own.len() >= 2) {
        add(context, linked, file, span, ("switch", "file"), Confidence::Medium);
    }
}

static STAGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let compared = r#"\b(?:stage|environment|env|env_name)\s*[!=]=\s*"(?:prod|production|live|staging|stg|stage)""#;
    Regex::new(&format!(r"\bterraform\.workspace\b|{compared}")).ok()
});

/// Where Terraform gives an environment values of its own: by its workspace, or by comparing the stage it is given.
fn by_stage(text: &str) -> Option<Span> {
    let found = STAGE.as_ref()?.find(text)?;
    Some(Span::new(found.start(), found.end()))
}

fn add(
    context: &Context<'_>,
    linked: &mut Linked,
    file: &SourceFile,
    span: Span,
    what: (&str, &str),
    confidence: Confidence,
) {
    let data = EnvironmentConfig { environment: what.0.into(), form: what.1.into() };
    // `docker-compose.dev.yml` has the role of development; it still is configuration for an environment.
    let role = if matches!(file.role, Role::Development | Role::Test) { Role::Service } else { file.role };
    linked.facts.add(context.fact_in_role(data, file.id, span, role).confidence(confidence));
}

fn holds_settings(file: &SourceFile) -> bool {
    let by_kind = matches!(
        file.kind,
        Kind::Toml | Kind::Yaml | Kind::Json | Kind::Hjson | Kind::Env | Kind::Hcl | Kind::Properties | Kind::Text
    );
    let ending = file.name().rsplit('.').next().unwrap_or("");
    by_kind && (file.kind != Kind::Text || matches!(ending, "ron" | "conf" | "ini" | "tfvars"))
}

/// The environment and form that a file's path tells. Of a folder for an environment only the first file is named.
fn by_path(file: &SourceFile, folders: &mut BTreeSet<String>) -> Option<(&'static str, &'static str)> {
    if !holds_settings(file) || file.path.starts_with(".github/") {
        return None;
    }
    let parts: Vec<&str> = file.folder().split('/').collect();
    let parent = parts.last().copied().unwrap_or("").to_ascii_lowercase();
    for pair in parts.windows(2) {
        let inside = ENVIRONMENT_FOLDERS.contains(&pair[0].to_ascii_lowercase().as_str());
        if let Some(environment) = environment(pair[1]).filter(|_| inside) {
            let named = folders.insert(format!("{}/{}", pair[0], pair[1]));
            return named.then_some((environment, if pair[0] == "overlays" { "overlay" } else { "directory" }));
        }
    }
    let name = file.name().to_ascii_lowercase();
    let environment_word = in_name(&name)?;
    let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let alone = environment(stem).is_some()
        && (SETTINGS_FOLDERS.contains(&parent.as_str()) || name.ends_with(".tfvars") || name.ends_with(".env"));
    let with_word = name.split(['.', '_', '-']).any(|word| SETTINGS.contains(&word));
    let form = match () {
        () if name.ends_with("tfvars") || name.ends_with("tfvars.json") => "variables",
        () if name.starts_with("values") => "values",
        () => "file",
    };
    (alone || with_word).then_some((environment_word, form))
}

/// The environment of the team's own naming that a word of a settings file's path is.
fn by_team<'c>(context: &Context<'c>, file: &SourceFile) -> Option<&'c str> {
    let named = &context.catalog.environments;
    if named.is_empty() || !holds_settings(file) || file.path.starts_with(".github/") {
        return None;
    }
    let mut words = file.path.split(['/', '.', '_']);
    words.find_map(|word| named.iter().find(|name| name.eq_ignore_ascii_case(word))).map(String::as_str)
}

/// An enum of environments: production and at least one other.
fn enum_of(items: &[Item]) -> Option<Span> {
    let mut open: Vec<&Item> = items.iter().rev().collect();
    while let Some(item) = open.pop() {
        match &item.kind {
            ItemKind::Enum(variants) if is_environments(variants) => return Some(item.name_span),
            ItemKind::Module(Some(items)) if item.name != "tests" => open.extend(items.iter().rev()),
            _ => {}
        }
    }
    None
}

fn is_environments(variants: &[Variant]) -> bool {
    let known: BTreeSet<&str> = variants.iter().filter_map(|variant| environment(&variant.name)).collect();
    // A name without values is one of a list of environments; `Local { address }` beside `Production(url)` is no such list.
    let names_only = variants.iter().all(|variant| variant.fields.is_empty());
    known.contains("production") && known.len() >= 2 && variants.len() <= 8 && names_only
}

static ARMS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""([A-Za-z]{2,12})"\s*(?:=>|\|)"#).ok());

/// A match on the names of environments: production and at least one other.
fn matched(text: &str) -> Option<Span> {
    let regex = ARMS.as_ref()?;
    let found: Vec<(&str, Span)> = regex
        .captures_iter(text)
        .filter_map(|captures| captures.get(1))
        .filter_map(|word| Some((environment(word.as_str())?, Span::new(word.start(), word.end()))))
        .collect();
    let known: BTreeSet<&str> = found.iter().map(|(environment, _)| *environment).collect();
    let production = found.iter().find(|(environment, _)| *environment == "production")?;
    (known.len() >= 2).then_some(production.1)
}

/// Tables for environments in one settings file: `[development]` and `[production]`, or Rocket's `[debug]` and `[release]`.
fn profiles<'k>(file: &SourceFile, keys: impl Iterator<Item = (&'k str, Span)>) -> Option<Span> {
    let rocket = file.name() == "Rocket.toml";
    let of = |key: &str| if rocket && key == "release" { Some("production") } else { environment(key) };
    let found: Vec<(&str, Span)> = keys.filter_map(|(key, span)| Some((of(key)?, span))).collect();
    let production = found.iter().find(|(environment, _)| *environment == "production")?;
    let others = found.iter().any(|(environment, _)| *environment != "production");
    (others || rocket).then_some(production.1)
}

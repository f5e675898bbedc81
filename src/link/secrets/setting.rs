//! What kind of place a file is: where its values end up, and in which environment.

use super::judge;
use crate::parse::document::Node;
use crate::parse::{Parsed, Syntax};
use crate::scan::source::{Kind, SourceFile};

/// Kinds of places, in the words of the vocabulary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs)] // the words say it
pub enum Location {
    Code,
    Config,
    EnvFile,
    Image,
    Compose,
    Manifest,
    Ci,
    Sql,
    KeyFile,
    Document,
    Script,
}

impl Location {
    /// The word in facts.
    pub fn word(self) -> &'static str {
        match self {
            Location::Code | Location::Script => "code",
            Location::Config => "config",
            Location::EnvFile => "env-file",
            Location::Image => "image",
            Location::Compose | Location::Manifest => "manifest",
            Location::Ci => "ci",
            Location::Sql => "sql",
            Location::KeyFile => "key-file",
            Location::Document => "document",
        }
    }
}

/// What stage of a service's life a file is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Development, test, CI: nothing real.
    Development,
    /// Not said; what every environment starts from, or the only one there is.
    Common,
    /// Staging, production and others that are reached from outside.
    Live,
}

/// A file's place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Kind of place.
    pub location: Location,
    /// Name of its environment, where the path tells one.
    pub environment: Option<String>,
    /// Stage of that environment.
    pub stage: Stage,
    /// Somebody copies it and fills it in: an example, a template.
    pub sample: bool,
    /// Values in it are examples or translations: schemas, API documents, language files.
    pub examples: bool,
}

/// Words of a path and what environment they name.
const ENVIRONMENTS: &[(&str, &str, Stage)] = &[
    ("dev", "development", Stage::Development),
    ("develop", "development", Stage::Development),
    ("development", "development", Stage::Development),
    ("local", "local", Stage::Development),
    ("localhost", "local", Stage::Development),
    ("minikube", "local", Stage::Development),
    ("tilt", "local", Stage::Development),
    ("sandbox", "development", Stage::Development),
    ("test", "test", Stage::Development),
    ("tests", "test", Stage::Development),
    ("testing", "test", Stage::Development),
    ("e2e", "test", Stage::Development),
    ("ci", "test", Stage::Development),
    ("docker", "docker", Stage::Common),
    ("base", "base", Stage::Common),
    ("default", "base", Stage::Common),
    ("common", "base", Stage::Common),
    ("shared", "base", Stage::Common),
    ("stage", "staging", Stage::Live),
    ("staging", "staging", Stage::Live),
    ("stg", "staging", Stage::Live),
    ("preprod", "staging", Stage::Live),
    ("uat", "staging", Stage::Live),
    ("qa", "staging", Stage::Live),
    ("prod", "production", Stage::Live),
    ("production", "production", Stage::Live),
    ("prd", "production", Stage::Live),
    ("live", "production", Stage::Live),
];

const SAMPLES: &[&str] = &["example", "examples", "sample", "samples", "template", "tmpl", "dist", "tpl", "skeleton"];

const LANGUAGES: &[&str] =
    &["i18n", "l10n", "locale", "locales", "lang", "langs", "translations", "translation", "languages"];

/// Words of folders that the judgement of their files asks for, with those of environments and languages.
const FOLDERS: &[&str] = &[".github", "workflows", "actions", "templates", "docker"];

/// A path without what its folders are called, where no judgement asks for it: files that have the same are judged alike.
pub fn reading(path: &str) -> String {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut parts: Vec<&str> =
        folders.split('/').map(|folder| if is_read(&folder.to_ascii_lowercase()) { folder } else { "*" }).collect();
    parts.dedup();
    parts.push(name);
    parts.join("/")
}

fn is_read(folder: &str) -> bool {
    let is_known = |word: &str| {
        ENVIRONMENTS.iter().any(|(known, _, _)| *known == word)
            || LANGUAGES.contains(&word)
            || judge::FILLING.contains(&word)
    };
    FOLDERS.contains(&folder)
        || folder.split(['.', '-', '_', ' ']).any(is_known)
        || folder.contains("migration")
        || folder.starts_with("ci")
        || [".circleci", ".gitlab"].iter().any(|end| folder.ends_with(end))
}

/// The place of a file.
pub fn of(file: &SourceFile, parsed: &Parsed) -> Setting {
    let path = file.path.to_ascii_lowercase();
    let words: Vec<&str> = path.split(['/', '.', '-', '_', ' ']).filter(|word| !word.is_empty()).collect();
    let location = location(file, parsed, &path);
    let (environment, stage) = environment(&path, location);
    let language = words.iter().any(|word| LANGUAGES.contains(word));
    Setting {
        location,
        environment,
        stage,
        sample: file.name().to_ascii_lowercase().split(['.', '-', '_']).any(|word| SAMPLES.contains(&word)),
        examples: language || is_schema(parsed) || is_made(&path),
    }
}

/// The environment that a path names: by the file's name first, then by the nearest folder.
fn environment(path: &str, location: Location) -> (Option<String>, Stage) {
    let known = |part: &str| {
        let mut words = part.split(['.', '-', '_', ' ']).filter(|word| !word.is_empty());
        words.find_map(|word| ENVIRONMENTS.iter().find(|(known, _, _)| *known == word))
    };
    // What lies beside the workflows sets up what they start.
    if path.starts_with(".github/") && location != Location::Ci {
        return (Some("test".to_string()), Stage::Development);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let (name, folders) = parts.split_last().map_or(("", &[] as &[&str]), |(name, folders)| (*name, folders));
    // `docker-compose.yml` and `Dockerfile.dev` are named after the tool first.
    let name = name.strip_prefix("docker-").unwrap_or(name);
    if let Some((_, environment, stage)) = known(name) {
        return (Some((*environment).to_string()), *stage);
    }
    if location == Location::EnvFile {
        return (Some("local".to_string()), Stage::Common);
    }
    if location == Location::Code {
        return (None, Stage::Common);
    }
    let folder = folders.iter().rev().filter(|folder| **folder != "docker").find_map(|folder| known(folder));
    folder.map_or((None, Stage::Common), |(_, environment, stage)| (Some((*environment).to_string()), *stage))
}

fn location(file: &SourceFile, parsed: &Parsed, path: &str) -> Location {
    let by_kind = match file.kind {
        Kind::Rust | Kind::OtherCode | Kind::Html => Some(Location::Code),
        Kind::Env => Some(Location::EnvFile),
        Kind::Dockerfile => Some(Location::Image),
        Kind::Sql => Some(Location::Sql),
        Kind::Markdown => Some(Location::Document),
        Kind::Hcl | Kind::SystemdUnit => Some(Location::Manifest),
        Kind::Shell | Kind::Make | Kind::Just | Kind::Procfile => Some(Location::Script),
        _ => None,
    };
    if is_pipeline(path) {
        return Location::Ci;
    }
    by_kind.unwrap_or_else(|| of_document(file, parsed, path))
}

fn is_pipeline(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.starts_with(".github/workflows/")
        || path.contains("/.github/workflows/")
        || path.contains(".circleci/")
        || path.starts_with(".github/actions/")
        || path.contains(".gitlab/ci")
        || name.starts_with(".gitlab-ci")
        || name.starts_with("azure-pipelines")
        || name.starts_with("bitbucket-pipelines")
        || matches!(
            name,
            "jenkinsfile"
                | ".travis.yml"
                | ".drone.yml"
                | ".woodpecker.yml"
                | "cloudbuild.yaml"
                | "buildspec.yml"
                | "appveyor.yml"
                | ".cirrus.yml"
        )
}

fn of_document(file: &SourceFile, parsed: &Parsed, path: &str) -> Location {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Syntax::Documents(roots) = &parsed.syntax else {
        let key =
            [".pem", ".key", "id_rsa", "id_ed25519", "id_ecdsa", ".asc"].iter().any(|ending| name.ends_with(ending));
        return if key { Location::KeyFile } else { Location::Config };
    };
    if roots.iter().any(is_compose) && file.kind == Kind::Yaml {
        return Location::Compose;
    }
    let manifest = roots.iter().any(is_manifest)
        || path.contains("/templates/")
        || name.starts_with("values") && file.kind == Kind::Yaml
        || matches!(
            name,
            "fly.toml"
                | "render.yaml"
                | "app.json"
                | "app.yaml"
                | "railway.json"
                | "railway.toml"
                | "shuttle.toml"
                | "secrets.toml"
        );
    if manifest { Location::Manifest } else { Location::Config }
}

fn is_compose(root: &Node) -> bool {
    root.get("services").is_some_and(|services| {
        let described = |entry: &crate::parse::document::Entry| {
            ["image", "build", "environment", "ports", "command", "env_file"]
                .iter()
                .any(|key| entry.value.get(key).is_some())
        };
        services.entries().iter().any(described)
    })
}

fn is_manifest(root: &Node) -> bool {
    let has = |key: &str| root.get(key).is_some();
    (has("apiVersion") && has("kind"))
        || has("AWSTemplateFormatVersion")
        || has("containerDefinitions")
        || has("configMapGenerator")
        || has("secretGenerator")
}

/// Documents whose values are examples: OpenAPI, JSON schemas, query metadata, collections of requests.
fn is_schema(parsed: &Parsed) -> bool {
    let Syntax::Documents(roots) = &parsed.syntax else { return false };
    roots.iter().any(|root| {
        let has = |key: &str| root.get(key).is_some();
        has("openapi")
            || has("swagger")
            || has("$schema") && (has("properties") || has("definitions") || has("$defs"))
            || has("db_name") && has("describe")
            || has("asyncapi")
    })
}

/// Written by tools: lock files, bundles, snapshots.
fn is_made(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".lock")
        || name.ends_with(".snap")
        || name.contains(".min.")
        || name.ends_with(".map")
        || matches!(
            name,
            "package-lock.json"
                | "pnpm-lock.yaml"
                | "npm-shrinkwrap.json"
                | "go.sum"
                | "yarn.lock"
                | "flake.lock"
                | "composer.lock"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::source::{FileId, Role};
    use std::sync::{Arc, OnceLock};

    fn at(path: &str) -> SourceFile {
        SourceFile {
            id: FileId(0),
            path: path.to_string(),
            kind: Kind::Yaml,
            role: Role::Service,
            role_because: String::new(),
            tracked: Some(true),
            ignored: false,
            size: 0,
            text: Arc::from(""),
            lines: OnceLock::new(),
        }
    }

    #[test]
    fn a_path_and_its_reading_are_the_same_place() {
        let paths = [
            "a/templates/x.yaml",
            "templates/x.yaml",
            "deploy/prod/eu/x.yaml",
            "prod/docker/x.yaml",
            ".github/workflows/x.yaml",
            ".github/more/workflows/x.yaml",
            "a/.github/workflows/x.yaml",
            "a/.github/actions/x.yaml",
            ".github/actions/a/x.yaml",
            "my.circleci/x.yaml",
            ".github/store.json",
            "a/.github/store.json",
            ".gitlab/cinema/x.yaml",
            "web/Locales/de/x.yaml",
            "db/migrations/x.sql",
            "my-migrations-old/a/x.sql",
            "tools/data-seeder/src/x.rs",
            "src/a/b/x.rs",
            "x.rs",
        ];
        for path in paths {
            let read = reading(path);
            let (there, here) = (at(path), at(&read));
            assert_eq!(of(&there, &Parsed::default()), of(&here, &Parsed::default()), "{path} {read}");
            assert_eq!(judge::fills_in(&there), judge::fills_in(&here), "{path} {read}");
            assert_eq!(path.contains("migration"), read.contains("migration"), "{path} {read}");
        }
        assert_eq!(reading("a/b/c.rs"), reading("d/c.rs"));
        assert_ne!(reading("c.rs"), reading("a/d.rs"));
    }
}

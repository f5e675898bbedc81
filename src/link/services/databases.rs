//! Which databases a service uses: by dependencies that its code names.

use std::collections::BTreeSet;

use crate::link::Repository;
use crate::link::workspace::{Package, PackageDependency, Workspace};
use crate::scan::source::{FileId, Kind, Role, Span};

/// A database that is used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Used {
    pub engine: &'static str,
    pub library: String,
    /// Manifest and place of the dependency.
    pub manifest: FileId,
    pub span: Span,
}

/// Libraries for one engine.
const SINGLE: &[(&str, &str)] = &[
    ("tokio-postgres", "postgres"),
    ("postgres", "postgres"),
    ("deadpool-postgres", "postgres"),
    ("bb8-postgres", "postgres"),
    ("r2d2_postgres", "postgres"),
    ("cornucopia_async", "postgres"),
    ("mysql", "mysql"),
    ("mysql_async", "mysql"),
    ("rusqlite", "sqlite"),
    ("tokio-rusqlite", "sqlite"),
    ("deadpool-sqlite", "sqlite"),
    ("r2d2_sqlite", "sqlite"),
    ("libsql", "sqlite"),
    ("mongodb", "mongodb"),
    ("surrealdb", "surrealdb"),
    ("scylla", "scylla"),
    ("cdrs-tokio", "cassandra"),
    ("clickhouse", "clickhouse"),
    ("klickhouse", "clickhouse"),
    ("tiberius", "mssql"),
    ("neo4rs", "neo4j"),
    ("aws-sdk-dynamodb", "dynamodb"),
    ("firestore", "firestore"),
    ("arangors", "arangodb"),
    ("google-cloud-spanner", "spanner"),
    ("couchbase", "couchbase"),
];

/// Libraries for several engines: which one is used shows in features and in names in the code.
const SEVERAL: &[&str] = &[
    "sqlx",
    "diesel",
    "diesel-async",
    "diesel_async",
    "sea-orm",
    "ormlite",
    "rbatis",
    "toasty",
    "welds",
    "rocket_db_pools",
    "rocket_sync_db_pools",
];

/// Engines with words in features of a dependency and names in code.
const ENGINES: &[(&str, &[&str], &[&str])] = &[
    ("postgres", &["postgres"], &["Pg", "Postgres", "postgres"]),
    ("mysql", &["mysql"], &["MySql", "Mysql", "mysql"]),
    ("sqlite", &["sqlite"], &["Sqlite", "sqlite"]),
];

/// Databases of the service that is made of these packages.
pub(super) fn of(repository: &Repository, workspace: &Workspace, packages: &[&Package]) -> Vec<Used> {
    let texts = texts(repository, workspace, packages);
    let used = |code_name: &str| {
        let alone = format!("use {code_name};");
        texts.iter().any(|text| asks(text, code_name) || text.contains(&alone))
    };
    let mut found: Vec<Used> = Vec::new();
    for package in packages {
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.development) {
            for engine in engines(dependency, packages, &texts) {
                let known = found.iter().any(|other| other.engine == engine && other.library == dependency.package);
                if !known && used(&dependency.code_name) {
                    let library = dependency.package.clone();
                    found.push(Used { engine, library, manifest: package.manifest, span: dependency.span });
                }
            }
        }
    }
    found.sort();
    found
}

/// Names of a database library that code needs to convert errors and to name column types, and never to ask a database.
const PASSIVE: &[&str] = &["Error", "error", "FromRow", "Type", "types", "Encode", "Decode", "result"];

/// Whether a text names something of a library that takes part in asking a database.
fn asks(text: &str, code_name: &str) -> bool {
    let path = format!("{code_name}::");
    text.match_indices(&path).any(|(at, _)| {
        let part_of_a_name = text
            .get(..at)
            .and_then(|before| before.chars().next_back())
            .is_some_and(|c| c.is_alphanumeric() || c == '_');
        let rest = text.get(at + path.len()..).unwrap_or_default();
        let group = rest.strip_prefix('{').map(|group| group.split('}').next().unwrap_or(group));
        let first = |name: &str| {
            let name = name.trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            name.get(..end).unwrap_or_default().to_string()
        };
        let mut names = group.map_or_else(|| vec![rest], |group| group.split(',').collect()).into_iter().map(first);
        !part_of_a_name
            && names.any(|name| !name.is_empty() && !PASSIVE.contains(&name.as_str()) || rest.starts_with('*'))
    })
}

fn engines(dependency: &PackageDependency, packages: &[&Package], texts: &[&str]) -> Vec<&'static str> {
    if let Some((_, engine)) = SINGLE.iter().find(|(name, _)| *name == dependency.package) {
        return vec![engine];
    }
    if !SEVERAL.contains(&dependency.package.as_str()) {
        return Vec::new();
    }
    // Features may be asked for by any package of the service, for all of them.
    let same =
        packages.iter().flat_map(|package| &package.dependencies).filter(|other| other.package == dependency.package);
    let features: BTreeSet<&str> = same.flat_map(|other| &other.features).map(String::as_str).collect();
    let own: BTreeSet<&str> =
        packages.iter().filter_map(|package| package.active_features.as_ref()).flatten().map(String::as_str).collect();
    let by_feature =
        |words: &[&str]| words.iter().any(|word| features.iter().chain(&own).any(|feature| feature.contains(word)));
    let in_code = |names: &[&str]| names.iter().any(|name| texts.iter().any(|text| text.contains(name)));
    let named: Vec<_> = ENGINES.iter().filter(|(_, words, _)| by_feature(words)).collect();
    // Pools of a framework hold caches as well.
    if named.is_empty() && dependency.package.starts_with("rocket_") {
        return Vec::new();
    }
    let candidates: Vec<_> = if named.is_empty() { ENGINES.iter().collect() } else { named };
    let seen: Vec<&'static str> =
        candidates.iter().filter(|(.., names)| in_code(names)).map(|(engine, ..)| *engine).collect();
    match (seen.is_empty(), candidates.as_slice()) {
        (false, _) => seen,
        (true, [(only, ..)]) => vec![only],
        (true, _) => vec!["unknown"],
    }
}

/// Texts of the packages' own production code.
fn texts<'r>(repository: &'r Repository, workspace: &Workspace, packages: &[&Package]) -> Vec<&'r str> {
    let folders: BTreeSet<&str> = packages.iter().map(|package| package.folder.as_str()).collect();
    let files = repository.tree.files.iter().filter(|file| file.kind == Kind::Rust && file.role == Role::Service);
    let own = files.filter(|file| {
        workspace.package_of(&file.path).is_some_and(|package| folders.contains(package.folder.as_str()))
    });
    own.map(|file| &*file.text).collect()
}

#[cfg(test)]
mod tests {
    use super::asks;

    #[test]
    fn errors_and_column_types_alone_ask_no_database() {
        assert!(!asks("impl From<sqlx::Error> for Failure {}", "sqlx"));
        assert!(!asks("#[derive(sqlx::FromRow)] struct Row; use sqlx::{Error, types::Uuid};", "sqlx"));
        assert!(!asks("use my_sqlx::query;", "sqlx"));
        assert!(asks("sqlx::query(\"SELECT 1\")", "sqlx"));
        assert!(asks("use sqlx::{Error, PgPool};", "sqlx"));
        assert!(asks("use diesel::prelude::*;", "diesel"));
        assert!(asks("use sqlx::*;", "sqlx"));
    }
}

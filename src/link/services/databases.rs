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
const SEVERAL: &[&str] =
    &["sqlx", "diesel", "diesel-async", "diesel_async", "sea-orm", "ormlite", "rbatis", "toasty", "welds"];

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
        let (path, import) = (format!("{code_name}::"), format!("use {code_name}"));
        texts.iter().any(|text| text.contains(&path) || text.contains(&import))
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

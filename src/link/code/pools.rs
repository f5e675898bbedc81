//! Which database a pool is for, where its constructor does not say.

use std::collections::BTreeSet;

use super::found::Found;
use crate::facts::vocabulary::Pool;
use crate::facts::{Attr, Confidence, FactKind, Value};
use crate::link::names::{FunctionId, Names};
use crate::link::workspace::Package;
use crate::link::{Context, Linked};
use crate::scan::source::{FileId, Kind, Role};

/// Features and packages that name an engine.
const ENGINES: &[(&str, &str)] = &[
    ("postgres", "postgres"),
    ("tokio-postgres", "postgres"),
    ("deadpool-postgres", "postgres"),
    ("sqlx-postgres", "postgres"),
    ("mysql", "mysql"),
    ("mysql_async", "mysql"),
    ("sqlx-mysql", "mysql"),
    ("sqlite", "sqlite"),
    ("rusqlite", "sqlite"),
    ("sqlx-sqlite", "sqlite"),
];

/// Packages whose features say which engine they talk to.
const LIBRARIES: &[&str] = &["sqlx", "diesel", "diesel-async", "sea-orm", "deadpool-diesel"];

/// Completes the facts about pools.
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>], linked: &mut Linked) {
    own_pools(context, found, linked);
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Pool && !found.is_set("engine")) {
        // Such a pool holds anything, unless something in its package talks to a database.
        let generic = ["deadpool", "bb8", "r2d2"].contains(&found.entry.krate.as_str());
        let package = context.workspace.package_of(&context.repository.tree.file(found.stand.file).path);
        if generic && package.is_some_and(|package| !talks_to_database(package)) {
            found.data.set("of_database", Attr::Known(Value::Flag(false)));
        }
    }
    let is_generic = |found: &Found<'_>| ["deadpool", "bb8", "r2d2"].contains(&found.entry.krate.as_str());
    let unnamed = |found: &&mut Found<'_>| found.kind() == FactKind::Pool && !found.is_set("engine");
    for found in found.iter_mut().filter(unnamed).filter(|found| is_generic(found) && made_for_redis(context, found)) {
        found.data.set("engine", Attr::Known(Value::Text("redis".to_string())));
        found.data.set("of_database", Attr::Known(Value::Flag(false)));
    }
    let bounded = statements_are_bounded(context);
    for found in found.iter_mut().filter(|found| bounded && found.kind() == FactKind::Pool) {
        found.data.set("statement_timeout", Attr::Unknown);
    }
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Pool && !found.is_set("engine")) {
        let path = &context.repository.tree.file(found.stand.file).path;
        let engine = context.workspace.package_of(path).and_then(only_engine);
        if let Some(engine) = engine {
            found.data.set("engine", Attr::Known(Value::Text(engine.to_string())));
        }
    }
}

/// A pool whose connections a manager of one's own makes, in a function that speaks of Redis and of no database.
fn made_for_redis(context: &Context<'_>, found: &Found<'_>) -> bool {
    let Some(info) = found.stand.function.map(|function| context.names.function(function)) else { return false };
    let text = context.repository.tree.file(info.file).slice(info.item.span);
    let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
    names(&["Redis", "redis::"]) && !names(&["Postgres", "postgres", "Pg", "Mysql", "MySql", "Sqlite", "diesel"])
}

/// Whether code or a migration sets a statement timeout: in a hook, in options or in the address.
fn statements_are_bounded(context: &Context<'_>) -> bool {
    let files = context.repository.files().filter(|(source, _)| source.role == Role::Service);
    let mut read =
        files.filter(|(source, _)| matches!(source.kind, Kind::Rust | Kind::Sql | Kind::Env | Kind::Yaml | Kind::Toml));
    read.any(|(source, _)| source.text.contains("statement_timeout") || source.text.contains("max_execution_time"))
}

/// A connection that is opened in a method of a pool, or of a pool's manager, is opened for the pool.
fn own_pools(context: &Context<'_>, found: &mut [Found<'_>], linked: &mut Linked) {
    // A connection that the pool of a library opens through a hook is that pool's.
    let pools = found.iter().filter(|found| found.kind() == FactKind::Pool && !found.entry.part);
    let pooled: BTreeSet<FileId> = pools.map(|found| found.stand.file).collect();
    let mut known: Vec<String> = Vec::new();
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Connection) {
        let Some(info) = found.stand.function.map(|function| context.names.function(function)) else { continue };
        let of_manager = info.of_trait.as_deref().is_some_and(|of_trait| last(of_trait).contains("Manage"));
        let of_pool = |owner: &&str| of_manager || last(owner).ends_with("Pool");
        let own = info.self_type.as_deref().filter(of_pool);
        let Some(owner) = own.or_else(|| callers_of(context, info.id).find(of_pool)) else { continue };
        found.data.set("per_request", Attr::Known(Value::Flag(false)));
        if of_manager || pooled.contains(&found.stand.file) || known.iter().any(|known| known == owner) {
            continue;
        }
        known.push(owner.to_string());
        let engine = found.text("engine").map_or(Attr::Unset, Attr::Known);
        // How many connections it keeps is in its code.
        let pool = Pool {
            library: "own".into(),
            engine,
            max_size: Attr::Unknown,
            of_database: true.into(),
            ..Pool::default()
        };
        linked.facts.add(context.fact(pool, found.stand.file, found.span).confidence(Confidence::Medium));
    }
}

/// The types whose methods call a function.
fn callers_of<'a>(context: &Context<'a>, function: FunctionId) -> impl Iterator<Item = &'a str> {
    let names: &'a Names<'a> = context.names;
    let calls = move |id: FunctionId| names.calls(id).iter().any(|call| call.target == function);
    names.functions().iter().filter(move |info| calls(info.id)).filter_map(|info| info.self_type.as_deref())
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// Whether a package depends on anything that talks to a database.
fn talks_to_database(package: &Package) -> bool {
    package.dependencies.iter().filter(|dependency| !dependency.development).any(|dependency| {
        let name = dependency.package.as_str();
        LIBRARIES.contains(&name) || ENGINES.iter().any(|(word, _)| name.contains(word)) || name.contains("spanner")
    })
}

/// The engine of a package that can talk to one only.
fn only_engine(package: &Package) -> Option<&'static str> {
    let mut engines: Vec<&'static str> = Vec::new();
    for dependency in package.dependencies.iter().filter(|dependency| !dependency.development) {
        let features = dependency.features.iter().filter(|_| LIBRARIES.contains(&dependency.package.as_str()));
        for word in features.map(String::as_str).chain([dependency.package.as_str()]) {
            engines.extend(ENGINES.iter().filter(|(known, _)| *known == word).map(|(_, engine)| *engine));
        }
    }
    engines.sort_unstable();
    engines.dedup();
    match engines.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

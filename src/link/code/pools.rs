//! Which database a pool is for, where its constructor does not say.

use super::found::Found;
use crate::facts::{Attr, FactKind, Value};
use crate::link::Context;
use crate::link::workspace::Package;

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
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>]) {
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Pool && !found.is_set("engine")) {
        let path = &context.repository.tree.file(found.stand.file).path;
        let engine = context.workspace.package_of(path).and_then(only_engine);
        if let Some(engine) = engine {
            found.data.set("engine", Attr::Known(Value::Text(engine.to_string())));
        }
    }
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

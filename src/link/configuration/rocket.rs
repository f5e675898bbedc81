//! What Rocket.toml sets up: limits of bodies, pools of databases, shutdown.

use crate::facts::vocabulary::Middleware;
use crate::facts::{Attr, Data};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{FileId, Role};

/// Profiles that production uses, the strongest last.
const PROFILES: &[&str] = &["default", "release", "global"];

/// Crates that open pools that Rocket.toml configures, by their names in facts.
const POOLS: &[&str] = &["rocket_db_pools", "rocket_sync_db_pools"];

/// Adds limits, and completes pools and the shutdown of the services that each file configures.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, parsed) in context.repository.files() {
        let Syntax::Documents(roots) = &parsed.syntax else { continue };
        if file.name() != "Rocket.toml" || file.role != Role::Service {
            continue;
        }
        for profile in roots.iter().flat_map(|root| PROFILES.iter().filter_map(|name| root.get(name))) {
            limits(context, file.id, profile, linked);
            pools(context, file.id, profile, linked);
            shutdown(context, file.id, profile, linked);
        }
    }
}

fn limits(context: &Context<'_>, file: FileId, profile: &Node, linked: &mut Linked) {
    let Some(limits) = profile.get("limits").filter(|limits| !limits.entries().is_empty()) else { return };
    let json = limits.get("json").or_else(|| limits.get("form")).and_then(Node::scalar);
    let data = Middleware {
        kind: "body-limit".into(),
        library: "rocket".into(),
        covers: "all".into(),
        value: json.and_then(|text| super::bytes(&text)).map_or(Attr::Unknown, Attr::Known),
        ..Middleware::default()
    };
    linked.facts.add(context.fact(data, file, limits.span));
}

/// Size and timeout of each pool whose `database("name")` has a table.
fn pools(context: &Context<'_>, file: FileId, profile: &Node, linked: &mut Linked) {
    let Some(databases) = profile.get("databases") else { return };
    let services = context.services_of(file);
    for fact in &mut linked.facts.all {
        let Data::Pool(pool) = &mut fact.data else { continue };
        let of_rocket = pool.library.known().is_some_and(|library| POOLS.contains(&library.as_str()));
        if !of_rocket || fact.services.is_disjoint(&services) {
            continue;
        }
        let text = &context.repository.tree.file(fact.place.file).text;
        let before = text.get(..fact.place.span.end as usize).unwrap_or("");
        let name = before.rfind("database(\"").and_then(|at| before[at + 10..].split('"').next());
        let Some(table) = name.and_then(|name| databases.get(name)) else { continue };
        let set = |names: [&str; 2]| names.iter().find_map(|name| table.get(name));
        if let Some(size) = set(["max_connections", "pool_size"]) {
            pool.max_size = size.number().map_or(Attr::Unknown, Attr::Known);
        }
        if let Some(timeout) = set(["connect_timeout", "timeout"]) {
            pool.acquire_timeout = timeout.number().map_or(Attr::Unknown, Attr::Known);
        }
    }
}

/// `[default.shutdown]`: signals, and the seconds that requests in flight are given.
fn shutdown(context: &Context<'_>, file: FileId, profile: &Node, linked: &mut Linked) {
    let Some(node) = profile.get("shutdown") else { return };
    let services = context.services_of(file);
    let ctrl_c = node.get("ctrlc").and_then(Node::flag) != Some(false);
    for fact in &mut linked.facts.all {
        let Data::Shutdown(shutdown) = &mut fact.data else { continue };
        if shutdown.library != Attr::from("rocket") || fact.services.is_disjoint(&services) {
            continue;
        }
        if let Some(grace) = node.get("grace").and_then(Node::number) {
            shutdown.timeout = Attr::Known(grace + node.get("mercy").and_then(Node::number).unwrap_or(0.0));
        }
        let listed = node.get("signals").map(|signals| {
            let words = signals.items().iter().filter_map(|item| item.text());
            words.map(|word| format!("SIG{}", word.to_ascii_uppercase())).collect::<Vec<_>>()
        });
        if listed.is_none() && ctrl_c {
            continue;
        }
        let mut signals = listed.unwrap_or_else(|| vec!["SIGTERM".to_string()]);
        if ctrl_c {
            signals.push("SIGINT".to_string());
        }
        if signals.is_empty() {
            shutdown.drains = Attr::Known(false);
        }
        shutdown.signals = Attr::Known(signals);
    }
}

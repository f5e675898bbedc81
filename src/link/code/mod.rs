//! What the service's code sets up: logging, telemetry, shutdown, pools, clients, caches, sessions, authentication.
//!
//! [`walk`] and [`items`] find what the catalog speaks of; what takes more than a path and a chain of methods to tell is
//! added by the modules named after their subject.

mod bodies;
mod calls;
mod clients;
mod credentials;
mod environment;
mod flows;
mod found;
mod html;
mod items;
mod logging;
mod pools;
mod queues;
mod scope;
mod secrets;
mod sessions;
mod shutdown;
mod state;
mod transport;
mod validation;
mod values;
mod walk;

use std::collections::BTreeSet;

use super::catalog::{Catalog, Entry, Subject};
use super::demand::Demand;
use super::names::ModuleId;
use super::needed::{Asked, Mark, Rust};
use super::reach::Reach;
use super::{Context, Linked};
use crate::facts::{Attr, Data, FactKind};
use crate::scan::source::{FileId, Role};
use found::{Found, Stand};
use walk::Walk;

/// Kinds of facts that this part makes beside those of the catalog's entries.
pub const KINDS: &[FactKind] = &[
    FactKind::AppState,
    FactKind::Cache,
    FactKind::Channel,
    FactKind::ConfigSource,
    FactKind::DatabaseTransport,
    FactKind::EnvRead,
    FactKind::HtmlOutput,
    FactKind::InputFlow,
    FactKind::JobQueue,
    FactKind::LocalState,
    FactKind::PasswordHash,
    FactKind::Pool,
    FactKind::RandomSecret,
    FactKind::Scheduler,
    FactKind::SecretComparison,
    FactKind::Shutdown,
    FactKind::Validation,
];

/// Kinds that a body and the names in it tell, without who calls whom.
const LOCAL: &[FactKind] = &[
    FactKind::ConfigSource,
    FactKind::EnvRead,
    FactKind::HardcodedEndpoint,
    FactKind::SecretRotation,
    FactKind::SecretsManager,
];

/// Whether a demand asks nothing of this part but what stands in single bodies.
fn is_local(demand: &Demand, catalog: &Catalog) -> bool {
    demand.asks_only(LOCAL, KINDS) && catalog.entries().iter().all(|entry| demand.asks_only(LOCAL, &[entry.fact]))
}

/// What a file has to say for an entry to match in it: the last name, and for a function its module or type too.
fn mark(entry: &Entry) -> Option<Mark> {
    let name = entry.tail.last()?.clone();
    let before = entry.tail.iter().rev().nth(1).unwrap_or(&entry.krate);
    let function = entry.subject == Subject::Call && name.starts_with(char::is_lowercase) && !before.is_empty();
    Some(Mark { name, through: function.then(|| before.clone()) })
}

/// Which code this part reads where there is no service.
pub fn needed(asked: &Asked<'_>) -> Rust {
    if !is_local(asked.demand, asked.catalog) {
        return Rust::All;
    }
    let dependencies = || asked.workspace.packages.iter().flat_map(|package| &package.dependencies);
    let used = |krate: &str| {
        matches!(krate, "std" | "") || dependencies().any(|dependency| calls::same_crate(&dependency.package, krate))
    };
    let entries = asked.catalog.entries().iter().filter(|entry| asked.demand.asks(&[entry.fact]) && used(&entry.krate));
    let mut marks: BTreeSet<Mark> = entries.filter_map(mark).collect();
    marks.extend(environment::words().map(Mark::plain));
    Rust::Names(marks)
}

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    if context.repository.tree.files.is_empty() {
        return;
    }
    let mut found = find(context);
    if is_local(context.demand, context.catalog) {
        add(context, &found, linked);
        environment::look(context, linked);
        return;
    }
    let reach = Reach::find(context, linked);
    shutdown::complete(context, &mut found, linked);
    clients::complete(context, &mut found, &reach);
    pools::complete(context, &mut found, linked);
    state::complete(context, &mut found, &reach, linked);
    logging::complete(&mut found);
    sessions::complete(context, &mut found);
    html::complete(context, &mut found, linked);
    add(context, &found, linked);
    credentials::look(context, linked);
    flows::look(context, &reach, linked);
    environment::look(context, linked);
    queues::look(context, linked);
    secrets::look(context, linked);
    transport::look(context, linked);
    validation::look(context, &reach, linked);
    bodies::look(context, &reach, linked);
}

/// Adds what counts of what was found and asked for.
fn add(context: &Context<'_>, found: &[Found<'_>], linked: &mut Linked) {
    for found in found.iter().filter(|found| found.counts() && context.demand.asks(&[found.kind()])) {
        let mut fact = context.fact_in_role(found.data.clone(), found.stand.file, found.span, found.stand.role);
        fact.confidence = found.confidence;
        fact.is_default = found.entry.is_default;
        let grpc = matches!(&fact.data, Data::ApiDocument(document) if document.kind == Attr::from("grpc"));
        if grpc && !context.may_serve_grpc() {
            continue;
        }
        linked.facts.add(fact);
    }
}

/// Everything of the service's code that the catalog speaks of.
fn find<'a>(context: &Context<'a>) -> Vec<Found<'a>> {
    let stand = Stand { file: FileId(0), module: ModuleId(0), role: Role::Service, function: None };
    let mut walk = Walk::new(context, stand);
    for info in context.names.functions() {
        if Stand::of(info).role == Role::Service {
            walk.function(info.id);
        }
    }
    items::look(&mut walk);
    walk.keep_uncalled();
    walk.found
}

#[cfg(test)]
mod tests;

//! What the service's code sets up: logging, telemetry, shutdown, pools, clients, caches, sessions, authentication.
//!
//! [`walk`] and [`items`] find what the catalog speaks of; what takes more than a path and a chain of methods to tell is
//! added by the modules named after their subject.

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

use super::names::ModuleId;
use super::reach::Reach;
use super::{Context, Linked};
use crate::facts::{Attr, Data};
use crate::scan::source::{FileId, Role};
use found::{Found, Stand};
use walk::Walk;

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    if context.repository.tree.files.is_empty() {
        return;
    }
    let mut found = find(context);
    let reach = Reach::find(context, linked);
    shutdown::complete(context, &mut found, linked);
    clients::complete(context, &mut found, &reach);
    pools::complete(context, &mut found, linked);
    state::complete(context, &mut found, &reach, linked);
    logging::complete(&mut found);
    sessions::complete(context, &mut found);
    html::complete(context, &mut found, linked);
    for found in found.iter().filter(|found| found.counts()) {
        let mut fact = context.fact_in_role(found.data.clone(), found.stand.file, found.span, found.stand.role);
        fact.confidence = found.confidence;
        fact.is_default = found.entry.is_default;
        let grpc = matches!(&fact.data, Data::ApiDocument(document) if document.kind == Attr::from("grpc"));
        if grpc && !context.may_serve_grpc() {
            continue;
        }
        linked.facts.add(fact);
    }
    credentials::look(context, linked);
    flows::look(context, &reach, linked);
    environment::look(context, linked);
    queues::look(context, linked);
    secrets::look(context, linked);
    transport::look(context, linked);
    validation::look(context, &reach, linked);
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
    walk.found
}

#[cfg(test)]
mod tests;

//! Migrations, the schema they give, and the queries that use it.

mod changes;
mod code_migrations;
mod columns;
mod handed;
mod own_migrations;
mod queries;
mod runs;
mod sets;
mod sizes;
mod widening;

use std::collections::BTreeSet;

use super::{Context, Linked};
use crate::facts::{FactKind, ServiceId};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut sets = sets::find(context);
    handed::emit(context, &mut sets, linked);
    sets::emit(context, &sets, linked);
    code_migrations::emit(context, linked);
    own_migrations::emit(context, linked);
    changes::emit(context, &sets, linked);
    runs::emit(context, linked);
    share_runs(linked);
    let queries = queries::emit(context, linked);
    columns::emit(context, &sets, &queries, linked);
}

/// What runs migrations at the top of a tree of several services is nobody's own: it runs those of all.
fn share_runs(linked: &mut Linked) {
    let owners: BTreeSet<ServiceId> =
        linked.facts.of(FactKind::Migration).flat_map(|(_, fact)| fact.services.iter().copied()).collect();
    for fact in &mut linked.facts.all {
        if fact.data.kind() == FactKind::MigrationRun && fact.services.is_empty() {
            fact.services.clone_from(&owners);
        }
    }
}

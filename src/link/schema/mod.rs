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

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut sets = sets::find(context);
    handed::emit(context, &mut sets, linked);
    sets::emit(context, &sets, linked);
    code_migrations::emit(context, linked);
    own_migrations::emit(context, linked);
    changes::emit(context, &sets, linked);
    runs::emit(context, linked);
    let queries = queries::emit(context, linked);
    columns::emit(context, &sets, &queries, linked);
}

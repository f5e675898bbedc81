//! Migrations, the schema they give, and the queries that use it.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

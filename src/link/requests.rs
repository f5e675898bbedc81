//! What happens on request paths: panics, blocking calls, errors, prints, queries.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

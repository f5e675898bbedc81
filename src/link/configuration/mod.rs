//! Configuration: variables read, sources, .env families, environments, ignore files.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

//! Secrets that stand in the tree.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

//! What belongs together across files: probes and routes, variables read and set, images and services.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

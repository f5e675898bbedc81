//! What the service's code sets up: logging, telemetry, shutdown, pools, clients, caches, sessions, authentication.

mod calls;
mod found;
mod scope;
mod values;
mod walk;

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

//! Pipelines, platforms, cloud resources: how the service is built, tested, deployed and watched.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

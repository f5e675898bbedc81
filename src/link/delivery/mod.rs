//! Pipelines, platforms, cloud resources: how the service is built, tested, deployed and watched.

pub mod pipelines;

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    pipelines::emit(context, linked);
}

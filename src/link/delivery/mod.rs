//! Pipelines, platforms, cloud resources: how the service is built, tested, deployed and watched.

mod backups;
mod cloud;
mod manifests;
mod monitoring;
pub mod pipelines;
mod targets;
pub mod terraform;
mod updates;

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    pipelines::emit(context, linked);
    updates::emit(context, linked);
    targets::emit(context, linked);
    cloud::emit(context, linked);
    monitoring::emit(context, linked);
    backups::emit(context, linked);
}

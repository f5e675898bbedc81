//! Images, compose files, Kubernetes and Helm manifests, probes.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

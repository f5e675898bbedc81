//! Documents: README sections, runbooks, architecture, security contacts, API documents.

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

//! Documents: README sections, runbooks, architecture, security contacts, API documents.

mod api;
mod files;
mod sections;
mod subjects;

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    files::emit(context, linked);
    subjects::emit(context, linked);
    api::emit(context, linked);
}

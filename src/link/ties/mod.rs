//! What belongs together across files: probes and routes, variables read and set, grace periods and draining.

mod documents;
mod images;
mod probes;
mod stopping;
mod variables;

pub use images::tag_pattern;

use super::{Context, Linked};

/// Ties facts of different files together.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    probes::tie(context, linked);
    variables::tie(context, linked);
    documents::tie(context, linked);
    stopping::tie(context, linked);
    images::tie(context, linked);
}

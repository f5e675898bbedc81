//! What belongs together across files: probes and routes, variables read and set, grace periods and draining.

pub mod documents;
pub mod images;
pub mod migrations;
pub mod probes;
pub mod set;
pub mod stopping;
pub mod unused;
pub mod variables;

pub use images::tag_pattern;

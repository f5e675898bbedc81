//! The files under `rules/`, as the check loads them.

pub use crate::embedded::RULES;

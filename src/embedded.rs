//! The files under `rules/`, part of the binary.

/// Path below `rules/` and text of every TOML file there, sorted by path.
pub static RULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

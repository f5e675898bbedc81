//! Where an absence is shown.

use crate::facts::{FactKind, vocabulary};
use crate::scan::source::Kind;

/// A place that an absence can be shown at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// `[package]` of the service's Cargo.toml.
    Manifest,
    /// The readme.
    Readme,
    /// The first file of a kind.
    File(Kind),
    /// A pipeline's file.
    Workflow,
    /// The first fact of a kind.
    Fact(FactKind),
}

/// Anchors that are no facts.
const NAMED: &[(&str, Anchor)] = &[
    ("manifest", Anchor::Manifest),
    ("readme", Anchor::Readme),
    ("dockerfile", Anchor::File(Kind::Dockerfile)),
    ("gitignore", Anchor::File(Kind::GitIgnore)),
    ("workflow", Anchor::Workflow),
    ("client", Anchor::Fact(FactKind::OutboundClient)),
];

impl Anchor {
    /// The anchor of a name: one of the names above or a kind of fact.
    pub fn named(name: &str) -> Option<Anchor> {
        let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, anchor)| *anchor);
        named.or_else(|| vocabulary::schema(name).map(|schema| Anchor::Fact(schema.kind)))
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name).chain(vocabulary::SCHEMA.iter().map(|schema| schema.name))
    }
}

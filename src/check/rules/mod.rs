//! Rules as data: what a rule file says, checked against the vocabulary of facts.

mod anchor;
mod file;
mod read;
mod reader;
mod select;
mod template;

use std::collections::BTreeMap;

pub use anchor::Anchor;
pub(crate) use read::when_of;
pub(crate) use reader::Reader;
pub use select::{AttrPath, Attribute, Check, Common, Operand, Relation, Scalar, Select, Test, When};
pub use template::{Piece, Template};

use super::outcome::Severity;
use super::settings::TomlError;
use crate::facts::Confidence;

/// An error in a rule file, with its place.
pub type LoadError = TomlError;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, the name of its file.
    pub id: String,
    /// Item of the checklist.
    pub item: String,
    /// Part of the item that it decides; `None` for advice.
    pub part: Option<String>,
    /// What it counts for.
    pub severity: Severity,
    /// How sure it is where it matches certain facts.
    pub confidence: Confidence,
    /// The message of its findings.
    pub title: Template,
    /// The reason of a pass: `{count} queries, all bound`.
    pub shown: Option<Template>,
    /// What goes wrong in production.
    pub why: String,
    /// What to do, by framework; `default` for any.
    pub fixes: Vec<(String, Template)>,
    /// Links and names of standards.
    pub references: Vec<String>,
    /// Values that prodcheck.toml can change.
    pub params: BTreeMap<String, Scalar>,
    /// What must hold for the rule to apply.
    pub when: Option<When>,
    /// Facts that findings point to as related.
    pub related: Vec<(Select, String)>,
    /// What it asks.
    pub clause: Clause,
    /// A rule of the team's own.
    pub own: bool,
}

/// What a rule asks of the facts.
#[derive(Clone, Debug)]
pub enum Clause {
    /// Each match is a finding.
    Forbid {
        /// What must not be.
        matches: Vec<Select>,
        /// What was looked at.
        evidence: Vec<Select>,
    },
    /// What must hold for each of some facts.
    Each {
        /// Which facts.
        of: Select,
        /// What must hold.
        has: Test,
    },
    /// At least one of these must be there.
    Require {
        /// The alternatives.
        any: Vec<Select>,
        /// Where its absence is shown: the first that exists.
        anchors: Vec<Anchor>,
    },
}

/// All rules of a run, sorted by id.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// Reads the rule files among these files of a rules folder (path below it, and text). The catalog and the
    /// checklist are left out.
    ///
    /// # Errors
    /// All errors of all files.
    pub fn load(files: &[(&str, &str)]) -> Result<RuleSet, Vec<LoadError>> {
        let mut set = RuleSet::default();
        let rules = files.iter().filter(|(path, _)| is_rule(path));
        set.add(rules.copied(), false)?;
        Ok(set)
    }

    /// Adds rule files of the team's own.
    ///
    /// # Errors
    /// All errors of all files; an id that is taken is one.
    pub fn load_own(&mut self, files: &[(&str, &str)]) -> Result<(), Vec<LoadError>> {
        self.add(files.iter().copied(), true)
    }

    fn add<'a>(&mut self, files: impl Iterator<Item = (&'a str, &'a str)>, own: bool) -> Result<(), Vec<LoadError>> {
        let mut errors = Vec::new();
        for (path, text) in files {
            let mut reader = Reader::new(path, text);
            if let Some(rule) = file::read(&mut reader, own) {
                match self.rules.binary_search_by(|other| other.id.cmp(&rule.id)) {
                    Ok(_) => reader.error_at(0..0, format!("there is a rule `{}` already", rule.id), None),
                    Err(at) => self.rules.insert(at, rule),
                }
            }
            errors.extend(reader.errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// All rules, sorted by id.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of an id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id)).ok().map(|at| &self.rules[at])
    }

    /// Only the rule of this id, for trying one alone.
    pub fn only(&self, id: &str) -> RuleSet {
        RuleSet { rules: self.get(id).into_iter().cloned().collect() }
    }
}

fn is_rule(path: &str) -> bool {
    path.ends_with(".toml") && path != "checklist.toml" && !path.starts_with("catalog/")
}

#[cfg(test)]
mod tests;

//! What the user's configuration changes in a run: plain data that [`crate::config`] reads from prodcheck.toml.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::outcome::{Attestation, Severity};
use super::rules::Rule;

/// Settings of a run. The default changes nothing, on a day before every attestation's end.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The day that attestations are judged on; the clock is read in [`crate::cli`] only.
    pub today: jiff::civil::Date,
    /// What is set for rules, by rule id.
    pub rules: BTreeMap<String, RuleSetting>,
    /// Manual items that a person vouches for.
    pub attest: Vec<Attestation>,
    /// Findings that are allowed.
    pub allow: Vec<Allow>,
    /// Names of the environments that configuration is written for, where the team says them.
    pub environments: Vec<String>,
    /// The rules that run where only some are asked for.
    pub only: Option<BTreeSet<String>>,
}

impl Settings {
    /// Whether a rule runs.
    pub fn runs(&self, rule: &Rule) -> bool {
        let off = self.rules.get(&rule.id).is_some_and(|setting| setting.off);
        !off && self.only.as_ref().is_none_or(|only| only.contains(&rule.id))
    }
}

/// What is set for one rule.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RuleSetting {
    /// The rule does not run.
    pub off: bool,
    /// In place of the rule's own severity.
    pub severity: Option<Severity>,
    /// In place of the rule's `[params]` of these names.
    pub params: BTreeMap<String, toml::Value>,
}

/// `[[allow]]`: findings of a rule under some paths are suppressed.
#[derive(Clone, Debug)]
pub struct Allow {
    /// Rule id.
    pub rule: String,
    /// Where; every path when not given.
    pub path: Option<globset::GlobMatcher>,
    /// Why.
    pub reason: String,
    /// Until when it counts, its last day included; for good when not given.
    pub until: Option<jiff::civil::Date>,
    /// 1-based line in prodcheck.toml, for the notice when nothing matched.
    pub line: u32,
}

/// An error in a TOML file that a person wrote (a rule, the checklist, the catalog, prodcheck.toml), with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TomlError {
    /// The file as the user knows it.
    pub path: String,
    /// Its text, for the excerpt.
    pub text: Arc<str>,
    /// Where in it.
    pub span: Range<usize>,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to write instead: the nearest name, the allowed values.
    pub help: Option<String>,
}

impl std::fmt::Display for TomlError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let before = self.text.get(..self.span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        write!(to, "{}:{line}:{column}: {}", self.path, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(to, " ({help})"))
    }
}

impl std::error::Error for TomlError {}

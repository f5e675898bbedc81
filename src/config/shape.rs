//! What can stand in prodcheck.toml: the one home of its keys. The JSON Schema is derived from it, and the file is
//! checked against that schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::check::outcome::Severity;

/// Settings of prodcheck for a repository.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "prodcheck.toml")]
pub struct File {
    /// What is set for rules, by rule id: `off`, `on`, a severity, or a table.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Rule>")]
    pub rules: BTreeMap<Spanned<String>, Rule>,
    /// Rule files of the team's own: paths or patterns, from the folder of this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub rule_files: Vec<Spanned<String>>,
    /// What is scanned.
    #[serde(default)]
    pub scan: Scan,
    /// The environments that configuration is written for: `staging`, `production`.
    #[serde(default)]
    pub environments: Vec<String>,
    /// What the team's own crates mean: entries as in `rules/catalog`, by what they speak of.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Map<String, serde_json::Value>>>")]
    pub catalog: BTreeMap<String, Vec<Spanned<toml::Table>>>,
    /// Items that a person vouches for.
    #[serde(default)]
    pub attest: Vec<Attest>,
    /// Findings that are allowed.
    #[serde(default)]
    pub allow: Vec<Allow>,
}

/// What is scanned.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scan {
    /// Paths or patterns that are left out, from the scanned folder.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub exclude: Vec<Spanned<String>>,
}

/// What is set for a rule.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rule {
    /// In a word.
    Word(Word),
    /// In full.
    Table(RuleTable),
}

/// A setting in a word.
#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// The rule does not run.
    Off,
    /// It runs with its own severity.
    On,
    /// It runs as a note.
    Note,
    /// It runs as a warning.
    Warning,
    /// It runs as an error.
    Error,
}

impl Word {
    /// The rule does not run.
    pub fn is_off(self) -> bool {
        self == Word::Off
    }

    /// The severity that is set.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Word::Off | Word::On => None,
            Word::Note => Some(Severity::Note),
            Word::Warning => Some(Severity::Warning),
            Word::Error => Some(Severity::Error),
        }
    }
}

/// A setting in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RuleTable {
    /// Whether the rule runs.
    pub on: Option<bool>,
    /// In place of its own severity.
    pub severity: Option<Word>,
    /// In place of its own parameters.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub params: BTreeMap<String, toml::Value>,
}

/// A person vouches for an item.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attest {
    /// The item: `database/restore-tested`.
    #[schemars(with = "String")]
    pub item: Spanned<String>,
    /// Who vouches for it.
    pub by: String,
    /// The day on which it was seen to be so.
    #[schemars(with = "DateText")]
    pub on: Date,
    /// Where the proof is.
    pub evidence: Option<String>,
    /// The last day on which it counts.
    #[schemars(with = "DateText")]
    pub until: Date,
}

/// Findings of a rule are allowed.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Allow {
    /// The rule.
    #[schemars(with = "String")]
    pub rule: Spanned<String>,
    /// Where: a path or pattern from the scanned folder; everywhere without one.
    #[schemars(with = "Option<String>")]
    pub path: Option<Spanned<String>>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    #[schemars(with = "Option<DateText>")]
    pub until: Option<Date>,
}

/// How a day is written in the schema.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[allow(dead_code)] // only its schema is used
struct DateText(#[schemars(extend("format" = "date"))] String);

/// A day, as a TOML date or as text.
#[derive(Clone, Copy, Debug)]
pub struct Date(pub jiff::civil::Date);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        let text = match toml::Value::deserialize(from)? {
            toml::Value::Datetime(date) => date.to_string(),
            toml::Value::String(text) => text,
            _ => return Err(serde::de::Error::custom("expected a day, YYYY-MM-DD")),
        };
        text.parse().map(Date).map_err(|_| serde::de::Error::custom("expected a day, YYYY-MM-DD"))
    }
}

/// The JSON Schema.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}

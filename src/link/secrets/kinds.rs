//! Kinds of secrets that are known by their format: `rules/catalog/secrets/*.toml`.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::checks::{CHECKS, Check};
use crate::embedded::RULES;

/// A kind of secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its name in facts and fixtures.
    pub id: String,
    /// In words, without an article: `GitHub personal access token`.
    pub title: String,
    /// A text has to contain one of these, in any case, before the pattern is tried.
    pub keywords: Vec<String>,
    /// What it looks like; the first group that takes part is the secret where there is one.
    pub pattern: String,
    /// A check by name, see [`CHECKS`].
    #[serde(default)]
    pub check: Option<String>,
    /// Bits a character that the secret must have at least.
    #[serde(default)]
    pub entropy: f64,
    /// It may go over several lines.
    #[serde(default)]
    pub lines: bool,
    /// The provider's keys for its test mode: they open nothing real.
    #[serde(default)]
    pub test_mode: bool,
    /// The pattern alone is not sure.
    #[serde(default)]
    pub unsure: bool,
    /// It only names a key: without the secret that belongs to it nothing is open.
    #[serde(default)]
    pub id_only: bool,
    /// What the key opens and how to revoke it.
    pub revoke: String,
    /// Templates of values that must be found, see `sample::expand`.
    pub matches: Vec<String>,
    /// Templates of values that must not be found.
    #[serde(default)]
    pub not: Vec<String>,
    #[serde(skip)]
    regex: OnceLock<Option<Regex>>,
}

impl Kind {
    /// The compiled pattern.
    pub fn regex(&self) -> Option<&Regex> {
        let compiled = self.regex.get_or_init(|| {
            RegexBuilder::new(&self.pattern).unicode(false).multi_line(true).size_limit(8 << 20).build().ok()
        });
        compiled.as_ref()
    }

    /// Whether what passes its check is one of the kind for certain: a checksum is right, or a key is whole.
    pub fn proves(&self) -> bool {
        matches!(self.check.as_deref(), Some("crc62" | "pem"))
    }

    /// Its check.
    pub fn check(&self) -> Option<Check> {
        let name = self.check.as_deref()?;
        CHECKS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Vec<Kind>,
}

/// All kinds, with what finds their keywords.
#[derive(Debug, Default)]
pub struct Kinds {
    /// In order of the catalog.
    pub kinds: Vec<Kind>,
    /// Kind of each keyword.
    owners: Vec<usize>,
    finder: Option<AhoCorasick>,
    /// What is wrong with the catalog; a test keeps it empty.
    pub errors: Vec<String>,
}

impl Kinds {
    /// Reads the files of the catalog.
    pub fn load(files: &[(&str, &str)]) -> Kinds {
        let mut all = Kinds::default();
        for (path, text) in files.iter().filter(|(path, _)| path.starts_with("catalog/secrets/")) {
            match toml::from_str::<File>(text) {
                Ok(file) => all.kinds.extend(file.kind),
                Err(error) => all.errors.push(format!("{path}: {error}")),
            }
        }
        let mut words: Vec<&str> = Vec::new();
        for (at, kind) in all.kinds.iter().enumerate() {
            words.extend(kind.keywords.iter().map(String::as_str));
            all.owners.extend(kind.keywords.iter().map(|_| at));
        }
        let built = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).ascii_case_insensitive(true).build(words);
        match built {
            Ok(finder) => all.finder = Some(finder),
            Err(error) => all.errors.push(error.to_string()),
        }
        all
    }

    /// Calls `found` with each kind whose keyword stands at a place, in order of the text.
    pub fn each_keyword(&self, text: &str, mut found: impl FnMut(usize, std::ops::Range<usize>)) {
        let Some(finder) = &self.finder else { return };
        for hit in finder.find_overlapping_iter(text.as_bytes()) {
            if let Some(kind) = self.owners.get(hit.pattern().as_usize()) {
                found(*kind, hit.range());
            }
        }
    }
}

/// The kinds of the embedded catalog.
pub fn all() -> &'static Kinds {
    static ALL: OnceLock<Kinds> = OnceLock::new();
    ALL.get_or_init(|| Kinds::load(RULES))
}

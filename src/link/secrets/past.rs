//! Secrets of earlier commits: what versions of files are searched for, and the facts of what was found there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use rayon::prelude::*;

use super::search::{self, Hit};
use super::shape::{self, Shape};
use super::{key, naming, patterns, place, redact, setting, urls};
use crate::facts::vocabulary::PastSecret;
use crate::facts::{Confidence, Related};
use crate::link::{Context, Linked, Repository};
use crate::parse;
use crate::scan::history::{Search, Trace};
use crate::scan::source::{Kind, PastFile, Place, Role, SourceFile, Span};

/// The search for secrets in versions of files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Secrets;

impl Search for Secrets {
    /// What tests, examples and documents say is no secret; neither are bytes, but for key stores.
    fn wants(&self, path: &str, kind: Option<Kind>, role: Role) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let bytes = kind == Some(Kind::Binary) && !search::is_key_store(name);
        role == Role::Service && kind != Some(Kind::CargoLock) && !search::is_lock(name) && !bytes
    }

    /// A key store is known by its path.
    fn reading(&self, path: &str) -> String {
        let name = path.rsplit('/').next().unwrap_or(path);
        if search::is_key_store(name) { path.to_string() } else { setting::reading(path) }
    }

    fn may_hold(&self, _kind: Kind, lines: &str) -> bool {
        names_something(lines) || !urls::find(lines).is_empty() || !patterns::find(lines).is_empty()
    }

    fn traces(&self, file: &SourceFile) -> Vec<Trace> {
        if file.role != Role::Service {
            return Vec::new();
        }
        let trace = |hit: &Hit| {
            let (value, also) = key(hit);
            // An everyday word is no trace of itself: its whole line is.
            let span = if hit.judgement.distinctive { hit.span } else { line_of(file, hit.span) };
            Trace { key: format!("{value}\u{0}{also}"), span }
        };
        hits_of(file).iter().filter(|hit| counts(hit)).map(trace).collect()
    }
}

fn names_something(lines: &str) -> bool {
    static FINDER: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let finder = FINDER.get_or_init(|| AhoCorasick::builder().ascii_case_insensitive(true).build(naming::STEMS).ok());
    finder.as_ref().is_none_or(|finder| finder.is_match(lines))
}

fn line_of(file: &SourceFile, span: Span) -> Span {
    let line = file.line_span(file.line_column(span.start).line);
    let text = file.slice(line);
    let from = line.start as usize + (text.len() - text.trim_start().len());
    Span::new(from, from + text.trim().len())
}

/// All hits of a file, but for values that the file itself calls examples.
fn hits_of(file: &SourceFile) -> Vec<Hit> {
    let found = search::file(file, &parse::for_secrets(file));
    let examples = found.examples;
    found.hits.into_iter().filter(|hit| !hit.by_name || !examples.contains(&hit.value)).collect()
}

/// Whether production ran with it.
fn counts(hit: &Hit) -> bool {
    hit.role == Role::Service && !hit.judgement.development_only
}

fn is_weak_default(hit: &Hit) -> bool {
    hit.judgement.default_value && shape::of(&hit.value) != Shape::Random
}

/// Where a value was first committed.
#[derive(Clone, Debug)]
pub struct First {
    /// The commit's id.
    pub commit: String,
    /// Its day.
    pub introduced: String,
    /// The value in the file of then.
    pub place: Place,
}

impl First {
    fn of(past: &PastFile, hit: &Hit) -> First {
        let before = if past.commit.cut { " or before" } else { "" };
        let introduced = format!("{}{before}", past.commit.day);
        First { commit: past.commit.id.clone(), introduced, place: place(hit) }
    }
}

/// What the history holds.
pub(super) struct Past<'r> {
    repository: &'r Repository,
    /// By value; the oldest.
    first: BTreeMap<(String, String), Hit>,
    /// Places of the tree that have the same value and are no place where it counts.
    elsewhere: BTreeMap<(String, String), Vec<Place>>,
}

/// Secrets of the versions that the history's search kept.
pub(super) fn hits<'r>(repository: &'r Repository, masks: &mut Vec<Place>) -> Past<'r> {
    let found: Vec<Vec<Hit>> = repository.tree.past.par_iter().map(|past| hits_of(&past.file)).collect();
    let mut first: BTreeMap<(String, String), Hit> = BTreeMap::new();
    for hit in found.into_iter().flatten() {
        masks.push(place(&hit));
        // Versions come oldest first.
        if counts(&hit) {
            first.entry(key(&hit)).or_insert(hit);
        }
    }
    Past { repository, first, elsewhere: BTreeMap::new() }
}

impl Past<'_> {
    /// When a value of the tree was first committed. Where it stands in files that git does not track, or only where
    /// it does not count, it stays a secret of the history.
    pub(super) fn known(&mut self, hit: &Hit, group: &[Hit]) -> Option<First> {
        let key = key(hit);
        let old = self.first.get(&key)?;
        let first = First::of(self.repository.tree.past(old.file)?, old);
        if group.iter().any(|hit| hit.tracked && hit.role == Role::Service) {
            self.first.remove(&key);
            return Some(first);
        }
        self.elsewhere.insert(key, group.iter().map(place).collect());
        None
    }

    /// Adds the facts of what no tracked file has any more.
    pub(super) fn emit(self, context: &Context<'_>, linked: &mut Linked, examples: &BTreeSet<String>) {
        let public = Public::of(self.repository, self.first.values());
        let mut all: Vec<(&(String, String), &Hit)> = self.first.iter().collect();
        all.sort_by_key(|(_, hit)| (hit.file, hit.span));
        for (key, hit) in all {
            let Some(past) = self.repository.tree.past(hit.file) else { continue };
            let First { commit, introduced, .. } = First::of(past, hit);
            let places = self.elsewhere.get(key).map_or(&[] as &[Place], Vec::as_slice);
            let in_use: Vec<Place> = places.iter().filter(|place| !self.is_tracked(**place)).copied().collect();
            let is_public = places.len() > in_use.len() || examples.contains(&hit.value) || public.has(&hit.value);
            let data = PastSecret {
                kind: hit.kind.as_str().into(),
                title: hit.title.as_str().into(),
                name: hit.name.as_str().into(),
                redacted: redact(&hit.value).as_str().into(),
                location: hit.setting.location.word().into(),
                weak_default: is_weak_default(hit).into(),
                by_name: hit.by_name.into(),
                commit: commit.into(),
                introduced: introduced.into(),
                in_use: (!in_use.is_empty()).into(),
                revoke: hit.revoke.as_str().into(),
            };
            // What tests, examples or documents of today show opens nothing that matters.
            let confidence = if is_public { Confidence::Low } else { hit.judgement.confidence };
            let mut fact = context.fact_in_role(data, hit.file, hit.span, hit.role).confidence(confidence);
            let note = "the same value, in a file that git does not track".to_string();
            fact.related = in_use.into_iter().map(|place| Related { place, note: note.clone() }).collect();
            linked.facts.add(fact);
        }
    }

    fn is_tracked(&self, place: Place) -> bool {
        let file = self.repository.tree.file(place.file);
        file.tracked.unwrap_or(!file.ignored)
    }
}

/// Which values stand somewhere in tracked files of the tree, where no search takes them for secrets.
struct Public(BTreeSet<String>);

impl Public {
    fn of<'h>(repository: &Repository, hits: impl Iterator<Item = &'h Hit>) -> Public {
        let distinctive = hits.filter(|hit| hit.judgement.distinctive).map(|hit| hit.value.as_str());
        let values: Vec<&str> = distinctive.collect::<BTreeSet<&str>>().into_iter().collect();
        let Some(finder) = (!values.is_empty()).then(|| AhoCorasick::new(&values).ok()).flatten() else {
            return Public(BTreeSet::new());
        };
        let tracked: Vec<&SourceFile> =
            repository.tree.files.iter().filter(|file| file.tracked.unwrap_or(!file.ignored)).collect();
        let found = tracked.par_iter().map(|file| {
            let found = finder.find_overlapping_iter(file.text.as_bytes());
            found.map(|found| found.pattern().as_usize()).collect::<BTreeSet<usize>>()
        });
        let found: BTreeSet<usize> = found.reduce(BTreeSet::new, |left, right| &left | &right);
        Public(found.into_iter().filter_map(|at| values.get(at)).map(ToString::to_string).collect())
    }

    fn has(&self, value: &str) -> bool {
        self.0.contains(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use naming::Says;

    #[test]
    fn no_name_that_says_something_is_passed_over() {
        let names = [
            "JWT_SECRET",
            "signing_key",
            "db_passwd",
            "passphrase",
            "PWD",
            "pw",
            "psw",
            "pswd",
            "passcode",
            "apiKey",
            "pat",
            "bearer",
            "authorization",
            "credentials",
            "creds",
            "pepper",
            "sessionToken",
            "PGPASSWORD",
            "client-secret",
            "encryption_keys",
            "ACCESSTOKEN",
            "private_key",
        ];
        let spoken: Vec<&str> =
            names.into_iter().filter(|name| naming::says(name) != Says::Nothing || *name == "pw").collect();
        assert!(spoken.len() > 15, "{spoken:?}");
        for name in spoken {
            assert!(Secrets.may_hold(Kind::Rust, &format!("let {name} = \"x\";")), "{name}");
        }
        assert!(!Secrets.may_hold(Kind::Rust, "let total = \"a\".len();"));
    }
}

//! What known libraries' APIs mean, as data: `rules/catalog/*.toml`, and a team's own entries in the same form.

pub mod entry;
mod read;
pub mod versions;

use std::collections::HashMap;
use std::fmt;

use crate::facts::FactKind;
pub use entry::{Effect, EffectValue, Entry, Subject};

/// An entry that cannot be used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LoadError {
    /// The file.
    pub path: String,
    /// 1-based line in it.
    pub line: usize,
    /// What is wrong, one sentence.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// The loaded catalog.
#[derive(Debug, Default)]
pub struct Catalog {
    entries: Vec<Entry>,
    /// Entries by subject and last segment of their path (the crate for dependencies).
    index: HashMap<Subject, HashMap<String, Vec<usize>>>,
    /// Environments that the team says it has, beside the usual names.
    pub environments: Vec<String>,
}

impl Catalog {
    /// Reads files (path and text): all that is wrong with them, or the catalog.
    pub fn load(files: &[(&str, &str)]) -> Result<Catalog, Vec<LoadError>> {
        let (mut entries, mut errors) = (Vec::new(), Vec::new());
        for (path, text) in files {
            read::read(path, text, &mut entries, &mut errors);
        }
        if errors.is_empty() { Ok(Catalog::of(entries)) } else { Err(errors) }
    }

    /// Those of the embedded files that are catalog files: `catalog/<name>.toml`. Files in folders below are read by
    /// others (the kinds of secrets).
    pub fn files<'f>(embedded: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
        let direct = |path: &str| path.strip_prefix("catalog/").is_some_and(|name| !name.contains('/'));
        embedded.iter().filter(|(path, _)| direct(path)).copied().collect()
    }

    fn of(entries: Vec<Entry>) -> Catalog {
        let mut index: HashMap<Subject, HashMap<String, Vec<usize>>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let key = entry.tail.last().unwrap_or(&entry.krate).clone();
            index.entry(entry.subject).or_default().entry(key).or_default().push(at);
        }
        Catalog { entries, index, environments: Vec::new() }
    }

    /// All entries, in the order of the files.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether any entry of the subject ends with this segment: cheap, before a name is resolved.
    pub fn speaks_of(&self, subject: Subject, last: &str) -> bool {
        self.index.get(&subject).is_some_and(|names| names.contains_key(last))
    }

    /// Entries of a subject whose last segment is this.
    pub fn named(&self, subject: Subject, last: &str) -> impl Iterator<Item = &Entry> {
        let at = self.index.get(&subject).and_then(|names| names.get(last));
        at.into_iter().flatten().map(|at| &self.entries[*at])
    }

    /// Entries that an absolute path (`sqlx::postgres::PgPoolOptions::new`) means, whatever the version.
    pub fn at_path(&self, subject: Subject, path: &str) -> impl Iterator<Item = &Entry> {
        let segments: Vec<&str> = path.split("::").collect();
        let last = segments.last().copied().unwrap_or("");
        self.named(subject, last).filter(move |entry| matches_path(entry, segments[0], &segments[1..]))
    }

    /// Entries of one kind of fact at an absolute path: for parts of the linker that read code themselves.
    pub fn fact_at(&self, subject: Subject, path: &str, fact: FactKind) -> Option<&Entry> {
        self.at_path(subject, path).find(|entry| entry.fact == fact)
    }
}

/// Whether a crate and the rest of an absolute path are those of the entry.
pub fn matches_path(entry: &Entry, krate: &str, rest: &[&str]) -> bool {
    let significant = entry.significant();
    krate == entry.krate && ends_with(rest, significant) && (entry.names_type() || rest.len() == significant.len())
}

/// Whether a path that could not be resolved (an import by glob) looks like the entry's: only where it names a type,
/// because types' names are telling and functions' are not.
pub fn matches_unresolved(entry: &Entry, segments: &[&str]) -> bool {
    entry.names_type() && segments.len() == entry.significant().len() && ends_with(segments, entry.significant())
}

fn ends_with(segments: &[&str], tail: &[String]) -> bool {
    segments.len() >= tail.len() && segments[segments.len() - tail.len()..].iter().zip(tail).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests;

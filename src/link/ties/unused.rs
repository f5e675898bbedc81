//! Variables that .env files and their samples set, against everything that could read them.
//!
//! A name is read in more ways than by itself: a settings crate takes `APP_DATABASE__URL` apart and looks for a field
//! `url` of a field `database`. What any reader of the tree could mean counts as read.

use std::collections::BTreeSet;

use crate::facts::vocabulary::DocumentedVariable;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::env::EnvEntry;
use crate::scan::source::{FileId, Kind, Role, SourceFile};

/// Adds a fact for each variable of a .env file or sample of the service, most of which are read.
pub fn tie(context: &Context<'_>, linked: &mut Linked) {
    let files: Vec<(FileId, &[EnvEntry])> = context
        .repository
        .files()
        .filter(|(file, _)| of_service(file))
        .filter_map(|(file, parsed)| match &parsed.syntax {
            Syntax::Env(entries) => Some((file.id, entries.as_slice())),
            _ => None,
        })
        .collect();
    let wanted: BTreeSet<String> =
        files.iter().flat_map(|(_, entries)| *entries).flat_map(|entry| words_of(&entry.key)).collect();
    if wanted.is_empty() {
        return;
    }
    let seen = seen(context, &wanted);
    for (file, entries) in files {
        let read: Vec<bool> = entries.iter().map(|entry| is_read(&entry.key, &seen)).collect();
        // A file whose variables are mostly not read here is another program's.
        if read.iter().filter(|read| **read).count() * 2 < read.len() {
            continue;
        }
        for (entry, read) in entries.iter().zip(read) {
            let data = DocumentedVariable { name: entry.key.as_str().into(), read: read.into() };
            linked.facts.add(context.fact_in_role(data, file, entry.key_span, Role::Service));
        }
    }
}

/// A .env file or a sample of one, of the service by the folders it stands in.
fn of_service(file: &SourceFile) -> bool {
    let by_name = file.role == Role::Example && !file.folder().split('/').any(|folder| folder.contains("example"));
    file.kind == Kind::Env && (file.role == Role::Service || by_name)
}

/// The name, and the words of what is left of it behind each prefix, as fields are called.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![name.to_string()];
    words.extend(suffixes(name).flatten());
    words
}

/// What is left of a name behind each prefix, cut at `__` where a settings crate goes into a table.
fn suffixes(name: &str) -> impl Iterator<Item = Vec<String>> {
    let lower = name.to_ascii_lowercase();
    let starts: Vec<usize> = std::iter::once(0).chain(lower.match_indices('_').map(|(at, _)| at + 1)).collect();
    let fields = move |start: usize| -> Vec<String> {
        lower[start..].split("__").map(str::to_string).filter(|field| !field.is_empty()).collect()
    };
    starts.into_iter().map(fields).filter(|fields| !fields.is_empty())
}

fn is_read(name: &str, seen: &BTreeSet<&str>) -> bool {
    seen.contains(name) || suffixes(name).any(|fields| fields.iter().all(|field| seen.contains(field.as_str())))
}

/// The wanted words that stand anywhere in code, scripts, manifests and settings; documents only describe.
fn seen<'w>(context: &Context<'_>, wanted: &'w BTreeSet<String>) -> BTreeSet<&'w str> {
    let mut seen = BTreeSet::new();
    let readers = context.repository.tree.files.iter().filter(|file| {
        !matches!(file.kind, Kind::Env | Kind::Markdown | Kind::CargoLock | Kind::GitIgnore | Kind::DockerIgnore)
            && file.role != Role::Docs
    });
    for file in readers {
        for word in file.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
            seen.extend(wanted.get(word).map(String::as_str));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_by_itself_or_as_a_field_behind_a_prefix() {
        let seen = BTreeSet::from(["SHOP_TOKEN", "database", "url"]);
        assert!(is_read("SHOP_TOKEN", &seen));
        assert!(is_read("SHOP_DATABASE__URL", &seen));
        assert!(is_read("URL", &seen));
        assert!(!is_read("SHOP_DATABASE__PASSWORD", &seen));
        assert!(!is_read("OLD_MODE", &seen));
        assert!(!is_read("__", &seen));
    }
}

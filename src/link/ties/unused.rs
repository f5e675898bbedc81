//! Variables that .env files and their samples set, against everything that could read them.
//!
//! A name is read in more ways than by itself: a settings crate takes `APP_DATABASE__URL` apart and looks for a field
//! `url` of a field `database`. What any reader of the tree could mean counts as read.

use std::collections::BTreeSet;

use crate::facts::vocabulary::DocumentedVariable;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::env::EnvEntry;
use crate::parse::rust::lexer::{Lexer, RawKind};
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

/// The wanted words that stand anywhere in code, scripts, manifests and settings; documents only describe. A mere
/// constant of that name reads no variable: only what stands in a string counts then.
fn seen<'w>(context: &Context<'_>, wanted: &'w BTreeSet<String>) -> BTreeSet<&'w str> {
    let readers = context.repository.tree.files.iter().filter(|file| {
        !matches!(file.kind, Kind::Env | Kind::Markdown | Kind::CargoLock | Kind::GitIgnore | Kind::DockerIgnore)
            && file.role != Role::Docs
    });
    let readers: Vec<&SourceFile> = readers.collect();
    let rust = || readers.iter().filter(|file| file.kind == Kind::Rust);
    let constants: BTreeSet<&str> = rust().flat_map(|file| constants(&file.text, wanted)).collect();
    let mut seen = BTreeSet::new();
    for file in &readers {
        let words = words(&file.text).filter_map(|word| wanted.get(word)).map(String::as_str);
        let (mere, others): (Vec<&str>, Vec<&str>) =
            words.partition(|word| file.kind == Kind::Rust && constants.contains(word));
        seen.extend(others);
        if !mere.is_empty() {
            seen.extend(quoted(&file.text).filter_map(|word| wanted.get(word)).map(String::as_str));
        }
    }
    seen
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Words inside strings of Rust code; `{RETRIES}` puts the constant in.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let strings = Lexer::new(text).filter(|token| matches!(token.kind, RawKind::Text { .. }));
    strings.flat_map(|token| {
        let string = text.get(token.span.start as usize..token.span.end as usize).unwrap_or("");
        words(string).filter(move |word| {
            let before = &string[..word.as_ptr() as usize - string.as_ptr() as usize];
            !before.ends_with('{') || before.ends_with("${")
        })
    })
}

/// Wanted names of constants and statics that are given a plain value: `const RETRIES: u32 = 3;`. A call may look
/// a variable up by what it is given.
fn constants<'w>(text: &str, wanted: &'w BTreeSet<String>) -> Vec<&'w str> {
    let mut found = Vec::new();
    for keyword in ["const ", "static "] {
        for (at, _) in text.match_indices(keyword) {
            let rest = &text[at + keyword.len()..];
            let Some(name) = words(rest).next().filter(|name| rest.starts_with(*name)) else { continue };
            let Some(declared) = rest[name.len()..].strip_prefix(':') else { continue };
            let Some((_, value)) = declared.split(';').next().and_then(|declared| declared.split_once('=')) else {
                continue;
            };
            if !value.contains(['(', '{', '!']) {
                found.extend(wanted.get(name).map(String::as_str));
            }
        }
    }
    found
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

    #[test]
    fn constants_are_told_from_what_may_look_a_variable_up() {
        let wanted: BTreeSet<String> =
            ["RETRIES", "TOKEN", "SIZE", "MODE"].iter().map(|name| (*name).to_string()).collect();
        let code = "pub const RETRIES: u32 = 3;\nstatic TOKEN: Key = Key(\"T\");\nconst fn SIZE() {}\nconst MODE: &[u8; 2] = b\"ab\";";
        assert_eq!(constants(code, &wanted), ["RETRIES"]);
        assert_eq!(constants("static MODE: &str = \"M\";", &wanted), ["MODE"]);
        let quoted: Vec<&str> = quoted("call(RETRIES, \"TOKEN {MODE} ${HOME}\"); // SIZE").collect();
        assert_eq!(quoted, ["TOKEN", "HOME"]);
    }
}

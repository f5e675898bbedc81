//! Words for environments in names of files, folders, variants and values.

const WORDS: &[(&str, &[&str])] = &[
    ("development", &["dev", "develop", "development", "devel", "local", "debug", "localdev", "override"]),
    ("test", &["test", "tests", "testing", "ci", "e2e"]),
    ("staging", &["stage", "staging", "stg", "preprod", "preproduction", "uat", "qa", "sandbox", "canary"]),
    ("production", &["prod", "production", "prd", "live"]),
];

/// The environment that one word names.
pub fn environment(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(environment, _)| *environment)
}

/// The words that name production.
pub fn production() -> &'static [&'static str] {
    WORDS.iter().find(|(environment, _)| *environment == "production").map_or(&[], |(_, words)| words)
}

/// The environment that a file's name tells, by its words.
pub fn in_name(name: &str) -> Option<&'static str> {
    name.split(['.', '_', '-']).find_map(environment)
}

//! Formats of lines: shell scripts, Makefiles, .ini and systemd units.

use std::sync::OnceLock;

use regex::Regex;

use super::{Binding, Candidate};
use crate::link::secrets::setting::Setting;
use crate::parse::ini::Section;
use crate::scan::source::Span;

/// Longest line that is looked at: longer ones were not written by people.
pub const LONGEST: usize = 2_000;

/// Candidates of an .ini file or a unit; `Environment="A=b"` of a unit is taken apart.
pub fn sections(sections: &[Section], setting: &Setting) -> Vec<Candidate> {
    let mut found = Vec::new();
    for entry in sections.iter().flat_map(|section| &section.entries) {
        let bare = entry.value.trim_matches('"');
        match bare.split_once('=') {
            Some((name, value)) if entry.key == "Environment" => {
                found.push(Candidate::new(name, value, entry.value_span, setting.location));
            }
            _ => found.push(Candidate::new(&entry.key, bare.trim_matches('\''), entry.value_span, setting.location)),
        }
    }
    found
}

/// Assignments and options of shell lines.
pub fn shell(text: &str, setting: &Setting) -> Vec<Candidate> {
    static ASSIGNMENT: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern =
        r#"(?:^|[\s;&(])(?:export\s+)?(?:--)?([A-Za-z_][A-Za-z0-9_-]*)\s?:?=\s?("[^"\n]*"|'[^'\n]*'|[^\s"';&|)]+)"#;
    let Some(regex) = ASSIGNMENT.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    let mut found = Vec::new();
    for (at, line) in lines(text) {
        if line.trim_start().starts_with('#') {
            continue;
        }
        for captures in regex.captures_iter(line) {
            let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
            let bare = value.as_str().trim_matches(['"', '\'']);
            let start = at + value.start() + (value.len() - value.as_str().trim_start_matches(['"', '\'']).len());
            let mut candidate =
                Candidate::new(name.as_str(), bare, Span::new(start, start + bare.len()), setting.location);
            candidate.binding = Binding::Set;
            found.push(candidate);
        }
    }
    found
}

/// Lines of ordinary length with their places.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let split = text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    });
    split.filter(|(_, line)| line.len() <= LONGEST)
}

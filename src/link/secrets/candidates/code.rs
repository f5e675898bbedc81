//! Other languages and texts of no known format: quoted literals after a name.

use std::sync::OnceLock;

use regex::Regex;

use super::Candidate;
use super::lines::lines;
use crate::link::secrets::setting::Setting;
use crate::scan::source::Span;

/// Candidates by `name = "value"`, `name: "value"`, `"name": "value"` and `name => "value"`.
pub fn candidates(text: &str, setting: &Setting) -> Vec<Candidate> {
    static QUOTED: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern =
        r#"([A-Za-z_][A-Za-z0-9_.-]*)["'\]]{0,2}\s*(?::[^=\n"']{0,30})?(?:=>|:=|=|:)\s*["'`]([^"'`\n]{3,200})["'`]"#;
    let Some(regex) = QUOTED.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    let mut found = Vec::new();
    for (at, line) in lines(text).filter(|(_, line)| !is_comment(line)) {
        for captures in regex.captures_iter(line) {
            let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
            let span = Span::new(at + value.start(), at + value.end());
            found.push(Candidate::new(name.as_str(), value.as_str(), span, setting.location));
        }
    }
    found
}

/// A line that nothing reads. `#define` is none, nor is `#key`, which some formats have for a name.
fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    let rest = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#'));
    line.starts_with("//") || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

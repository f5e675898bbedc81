//! SQL: passwords of database roles, and accounts that a migration or seed creates.

use std::sync::OnceLock;

use regex::Regex;

use super::{Binding, Candidate};
use crate::link::secrets::setting::Location;
use crate::scan::source::Span;

/// Statements longer than this are dumps.
const LONGEST: usize = 20_000;

/// Candidates of a SQL file.
pub fn candidates(text: &str) -> Vec<Candidate> {
    let mut found = roles(text);
    found.extend(seeds(text));
    found
}

fn roles(text: &str) -> Vec<Candidate> {
    static ROLE: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = r"(?i)\b(?:PASSWORD|IDENTIFIED(?:\s+WITH\s+\w+)?\s+BY)\s+'([^'\n]{1,200})'";
    let Some(regex) = ROLE.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    let values = regex.captures_iter(text).filter_map(|captures| captures.get(1));
    let values = values.filter(|value| !in_comment(text, value.start()));
    let role = |value: regex::Match<'_>| {
        Candidate::new("role_password", value.as_str(), Span::new(value.start(), value.end()), Location::Sql)
    };
    values.map(role).collect()
}

/// `INSERT INTO users (.., password_hash, ..) VALUES ('..')`: the literals in the column of the password.
fn seeds(text: &str) -> Vec<Candidate> {
    static INSERT: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = r#"(?i)\bINSERT\s+INTO\s+["`\w.]*(?:user|account|admin|member|operator|login)\w*["`]?\s*\(([^)]{1,2000})\)\s*VALUES\s*\("#;
    let Some(regex) = INSERT.get_or_init(|| Regex::new(pattern).ok()) else { return Vec::new() };
    let mut found = Vec::new();
    for captures in regex.captures_iter(text) {
        let (Some(whole), Some(columns)) = (captures.get(0), captures.get(1)) else { continue };
        if in_comment(text, whole.start()) {
            continue;
        }
        let columns: Vec<String> =
            columns.as_str().split(',').map(|name| name.trim().trim_matches(['"', '`']).to_ascii_lowercase()).collect();
        let column =
            columns.iter().position(|name| name.contains("password") || name.contains("passwd") || name == "pass_hash");
        let Some(column) = column.filter(|column| !columns[*column].contains("salt")) else { continue };
        if let Some((span, value)) = value_at(text, whole.end(), column) {
            let mut candidate = Candidate::new(columns[column].clone(), value, span, Location::Sql);
            candidate.binding = Binding::Seeded;
            found.push(candidate);
        }
    }
    found
}

/// Whether `--` stands before a place in its line.
fn in_comment(text: &str, at: usize) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].contains("--")
}

/// The quoted literal at a position of a row that starts at `from`.
fn value_at(text: &str, from: usize, position: usize) -> Option<(Span, String)> {
    let bytes = text.as_bytes();
    let end = (from + LONGEST).min(bytes.len());
    let (mut at, mut index, mut depth) = (from, 0usize, 0usize);
    while at < end {
        match bytes[at] {
            b'\'' => {
                let close = quote_end(bytes, at + 1, end);
                if index == position && depth == 0 {
                    return Some((Span::new(at + 1, close), text.get(at + 1..close)?.to_string()));
                }
                at = close;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at += bytes[at..end].iter().position(|byte| *byte == b'\n').unwrap_or(end - at);
            }
            b'(' => depth += 1,
            b')' if depth == 0 => return None,
            b')' => depth -= 1,
            b',' if depth == 0 => index += 1,
            _ => {}
        }
        at += 1;
    }
    None
}

fn quote_end(bytes: &[u8], from: usize, end: usize) -> usize {
    let mut at = from;
    while at < end {
        if bytes[at] == b'\'' {
            if bytes.get(at + 1) != Some(&b'\'') {
                return at;
            }
            at += 1;
        }
        at += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_seeded_accounts() {
        let text = "CREATE ROLE app WITH LOGIN PASSWORD 'v1';\nINSERT INTO users (id, name, password_hash)\nVALUES (\n 'a', -- it's me\n 'b''c', 'v2');";
        let found: Vec<_> = candidates(text).into_iter().map(|found| (found.value, found.binding)).collect();
        assert_eq!(found, [("v1".to_string(), Binding::Set), ("v2".to_string(), Binding::Seeded)]);
        assert_eq!(candidates("-- insert into user_(name, password) values ('a', 'bleh');"), []);
        assert_eq!(candidates("INSERT INTO users (id, email) VALUES ('a', 'b')"), []);
    }
}

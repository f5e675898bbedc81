//! Whatever is quoted from the repository goes through here: secrets are masked, and characters that a terminal
//! would obey or that reorder text are escaped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::scan::source::{FileId, Place, Span, Tree};

/// Secrets of at least this many characters are hidden in prose as well, wherever they turn up.
const LEAST_SECRET: usize = 6;
/// How many characters of a long secret are left to recognise it by.
const LEFT_OPEN: usize = 4;

/// Masks secrets and escapes dangerous characters.
#[derive(Debug, Default)]
pub struct Quoter {
    spans: BTreeMap<FileId, Vec<Span>>,
    secrets: Option<AhoCorasick>,
}

impl Quoter {
    /// Knows the secret spans of all files.
    pub fn new(tree: &Tree, masks: &[Place]) -> Quoter {
        let mut spans: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
        let mut texts: Vec<&str> = Vec::new();
        for mask in masks {
            spans.entry(mask.file).or_default().push(mask.span);
            let text = tree.file(mask.file).slice(mask.span);
            if tells(text) {
                texts.push(text);
            }
        }
        for of_file in spans.values_mut() {
            of_file.sort_unstable();
            of_file.dedup();
        }
        texts.sort_unstable();
        texts.dedup();
        let secrets = (!texts.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok())
            .flatten();
        Quoter { spans, secrets }
    }

    /// A message, a name, a reason: secrets hidden, then escaped.
    pub fn prose(&self, text: &str) -> String {
        escape(&self.hide(text))
    }

    /// Hides the text of every known secret.
    pub fn hide(&self, text: &str) -> String {
        let Some(secrets) = &self.secrets else { return text.to_string() };
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for found in secrets.find_iter(text) {
            out.push_str(&text[from..found.start()]);
            out.push_str(&mask(&text[found.start()..found.end()]));
            from = found.end();
        }
        out.push_str(&text[from..]);
        out
    }

    /// A stretch of a file's text with its secrets masked character for character: same length in characters.
    pub fn stretch(&self, file: FileId, text: &str, stretch: Span) -> String {
        let piece = text.get(stretch.range()).unwrap_or("");
        let Some(spans) = self.spans.get(&file) else { return self.hide(piece) };
        let mut out = String::with_capacity(piece.len());
        let mut at = stretch.start;
        for span in spans.iter().filter(|span| span.start < stretch.end && span.end > stretch.start) {
            let (start, end) = (span.start.max(at), span.end.min(stretch.end));
            if start >= end {
                continue;
            }
            out.push_str(&self.hide(text.get(at as usize..start as usize).unwrap_or("")));
            out.push_str(&mask(text.get(start as usize..end as usize).unwrap_or("")));
            at = end;
        }
        out.push_str(&self.hide(text.get(at as usize..stretch.end as usize).unwrap_or("")));
        out
    }
}

/// Whether a secret can be told from an everyday word: hiding `postgres` in every sentence would help nobody.
fn tells(secret: &str) -> bool {
    secret.chars().count() >= LEAST_SECRET && !secret.chars().all(|letter| letter.is_ascii_lowercase())
}

/// Stars in place of a secret; a long one keeps its first characters. Line breaks stay, so that lines still count.
fn mask(secret: &str) -> String {
    let open = if secret.chars().count() >= 4 * LEFT_OPEN { LEFT_OPEN } else { 0 };
    let star = |(at, letter): (usize, char)| if at < open || letter == '\n' || letter == '\r' { letter } else { '*' };
    secret.chars().enumerate().map(star).collect()
}

/// Writes control characters and bidi overrides as `\u{..}`; tabs and line breaks become spaces.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\t' | '\n' | '\r' => out.push(' '),
            letter if is_dangerous(letter) => _ = write!(out, "\\u{{{:x}}}", letter as u32),
            letter => out.push(letter),
        }
    }
    out
}

/// Control characters, and those that reorder or hide text.
pub fn is_dangerous(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{061c}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_secret_is_masked_in_its_file_and_in_prose() {
        let secret = ["Hx9", "kQ2", "vL7pW4zT", "8mN3"].concat();
        let tree = samples::tree(&[("a.env", &format!("KEY={secret}\n"))]);
        let place = samples::place(&tree, "a.env", &secret);
        let quoter = Quoter::new(&tree, &[place]);
        let line = quoter.stretch(place.file, &tree.files[0].text, Span::new(0, tree.files[0].text.len()));
        assert_eq!(line, "KEY=Hx9k**************\n");
        assert_eq!(quoter.prose(&format!("`{secret}` is set")), "`Hx9k**************` is set");
    }

    #[test]
    fn a_short_secret_shows_nothing_and_a_word_is_left_alone_in_prose() {
        let tree = samples::tree(&[("a.env", "P=postgres\n")]);
        let place = samples::place(&tree, "a.env", "postgres");
        let quoter = Quoter::new(&tree, &[place]);
        assert_eq!(quoter.stretch(place.file, &tree.files[0].text, Span::new(0, 10)), "P=********");
        assert_eq!(quoter.prose("sqlx postgres"), "sqlx postgres");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(escape("a\u{1b}[31mb\u{202e}c\td"), "a\\u{1b}[31mb\\u{202e}c d");
    }
}

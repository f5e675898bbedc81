//! Finds secrets of known formats in a text.

use std::collections::BTreeMap;

use super::checks::Checked;
use super::kinds::{self, Kind};
use super::shape;
use crate::scan::source::Span;

/// A value that has the format of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The kind.
    pub kind: &'static Kind,
    /// Where the secret stands.
    pub span: Span,
    /// The check of the format, or the catalog, is not sure.
    pub unsure: bool,
}

/// Bytes on either side of a keyword that are looked at.
const REACH: usize = 1_024;
/// Bytes after the keyword of a kind that goes over several lines.
const LONG_REACH: usize = 16_384;

/// All matches in a text, in order of place.
pub fn find(text: &str) -> Vec<Match> {
    let all = kinds::all();
    let mut done: BTreeMap<usize, usize> = BTreeMap::new();
    let mut found: Vec<Match> = Vec::new();
    all.each_keyword(text, |at, keyword| {
        let kind = &all.kinds[at];
        let window = window(text, kind, &keyword);
        let from = done.get(&at).copied().unwrap_or(0).max(window.start);
        if from >= window.end || keyword.start < done.get(&at).copied().unwrap_or(0) {
            return;
        }
        done.insert(at, window.end);
        search(text, kind, from..window.end, &mut found);
    });
    found.sort_by_key(|found| (found.span.start, std::cmp::Reverse(found.span.end)));
    let mut kept: Vec<Match> = Vec::with_capacity(found.len());
    for next in found {
        let inside = kept.last().is_some_and(|last| next.span.start < last.span.end);
        if !inside {
            kept.push(next);
        }
    }
    kept
}

/// The line around a keyword, or the lines after it; bounded, so that one huge line costs no more than many.
fn window(text: &str, kind: &Kind, keyword: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let bytes = text.as_bytes();
    let least = keyword.start.saturating_sub(REACH);
    let start = bytes[least..keyword.start].iter().rposition(|byte| *byte == b'\n').map_or(least, |at| least + at + 1);
    let reach = if kind.lines { LONG_REACH } else { REACH };
    let most = (keyword.end + reach).min(bytes.len());
    if kind.lines {
        return start..most;
    }
    let end = bytes[keyword.end..most].iter().position(|byte| *byte == b'\n').map_or(most, |at| keyword.end + at);
    start..end
}

fn search(text: &str, kind: &'static Kind, window: std::ops::Range<usize>, found: &mut Vec<Match>) {
    let Some(regex) = kind.regex() else { return };
    let Some(bytes) = text.as_bytes().get(window.clone()) else { return };
    for captures in regex.captures_iter(bytes) {
        let Some(whole) = captures.get(0) else { continue };
        let part = captures.get(1).unwrap_or(whole);
        let span = Span::new(window.start + part.start(), window.start + part.end());
        found.extend(judge(text, kind, span));
    }
}

fn judge(text: &str, kind: &'static Kind, span: Span) -> Option<Match> {
    let value = text.get(span.range())?;
    if !stands_free(text, span) || shape::entropy(value) < kind.entropy {
        return None;
    }
    if !kind.lines && documented(value) {
        return None;
    }
    let checked = kind.check().map_or(Checked::Good, |check| check(value));
    match checked {
        Checked::Wrong => None,
        Checked::Good => Some(Match { kind, span, unsure: kind.unsure }),
        Checked::Unsure => Some(Match { kind, span, unsure: true }),
    }
}

/// No letter or digit goes on before or after.
fn stands_free(text: &str, span: Span) -> bool {
    let bytes = text.as_bytes();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (first, last) = (bytes.get(span.start as usize), bytes.get((span.end as usize).saturating_sub(1)));
    let before = (span.start as usize).checked_sub(1).and_then(|at| bytes.get(at));
    let after = bytes.get(span.end as usize);
    // `\n` and `\t` before a value are escapes, not letters.
    let escaped = (span.start as usize).checked_sub(2).and_then(|at| bytes.get(at)) == Some(&b'\\');
    let open = !(first.is_some_and(word) && before.is_some_and(word)) || escaped;
    open && !(last.is_some_and(word) && after.is_some_and(word))
}

/// Example values of documentation.
fn documented(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    if shape::is_placeholder(&lower) {
        return true;
    }
    let tail = lower.rsplit(['_', '-', '.']).next().unwrap_or(&lower);
    tail.len() >= 6 && shape::is_sequence(tail)
}

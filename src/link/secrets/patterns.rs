//! Finds secrets of known formats in a text.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::Checked;
use super::kinds::{self, Kind};
use super::{naming, shape};
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

/// The kind of a value that only the name it stands under tells, whatever stands between the two in the file.
pub fn named(name: &str, value: &str, span: Span) -> Option<Match> {
    if !(12..=400).contains(&value.len()) || value.contains(char::is_whitespace) {
        return None;
    }
    let mut words = naming::words(name).join("_");
    let all = kinds::all();
    let mut owners = BTreeSet::new();
    all.each_keyword(&words, |at, _| _ = owners.insert(at));
    if owners.is_empty() {
        return None;
    }
    words.push('=');
    let whole = Span::new(words.len(), words.len() + value.len());
    let text = words + value;
    let mut found = Vec::new();
    owners.iter().for_each(|at| search(&text, &all.kinds[*at], 0..text.len(), &mut found));
    found.into_iter().find(|found| found.span == whole).map(|found| Match { span, ..found })
}

/// Why a value that a pattern matched is none of its kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Miss {
    /// Letters or digits go on before or after it: it is a part of something longer.
    Joined,
    /// Bits a character that it has; the kind asks for more.
    Entropy(f64),
    /// An example value, as documentation writes them.
    Documented,
    /// Its structure or checksum is not that of the kind.
    Structure,
}

/// A stretch that a pattern matched, and what was made of it.
type Tried = (Span, Result<Match, Miss>);

fn search(text: &str, kind: &'static Kind, window: std::ops::Range<usize>, found: &mut Vec<Match>) {
    tried(text, kind, window, |(_, judged)| found.extend(judged));
}

fn tried(text: &str, kind: &'static Kind, window: std::ops::Range<usize>, mut each: impl FnMut(Tried)) {
    let Some(regex) = kind.regex() else { return };
    let Some(bytes) = text.as_bytes().get(window.clone()) else { return };
    for captures in regex.captures_iter(bytes) {
        let Some(whole) = captures.get(0) else { continue };
        // Each alternative may mark its secret by a group of its own.
        let part = (1..captures.len()).find_map(|group| captures.get(group)).unwrap_or(whole);
        let span = Span::new(window.start + part.start(), window.start + part.end());
        let all = Span::new(window.start + whole.start(), window.start + whole.end());
        let joined = is_inside_base64(text.as_bytes(), all).then_some(Err(Miss::Joined));
        each((span, joined.unwrap_or_else(|| judge(text, kind, span))));
    }
}

/// A kind whose keyword stands somewhere without a value of the kind.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    /// The kind.
    pub kind: &'static Kind,
    /// The keyword, or what the pattern matched.
    pub span: Span,
    /// Why what matched is none; `None` where only the keyword is there.
    pub miss: Option<Miss>,
}

/// What nearly is a value of a known kind within a stretch of a text, in order of the catalog, once for each kind and place.
pub fn near(text: &str, within: Span) -> Vec<Near> {
    let all = kinds::all();
    let touches = |span: &Span| span.start < within.end && span.end > within.start;
    let mut found: BTreeMap<(usize, Span), Near> = BTreeMap::new();
    all.each_keyword(text, |at, keyword| {
        let kind = &all.kinds[at];
        let word = Span::new(keyword.start, keyword.end);
        if !touches(&word) {
            return;
        }
        let mut matched = false;
        tried(text, kind, window(text, kind, &keyword), |(span, judged)| {
            matched = true;
            if let Err(miss) = judged
                && touches(&span)
            {
                found.insert((at, span), Near { kind, span, miss: Some(miss) });
            }
        });
        if !matched {
            found.insert((at, word), Near { kind, span: word, miss: None });
        }
    });
    found.into_values().collect()
}

fn judge(text: &str, kind: &'static Kind, span: Span) -> Result<Match, Miss> {
    let value = text.get(span.range()).ok_or(Miss::Joined)?;
    if !stands_free(text, span) {
        return Err(Miss::Joined);
    }
    let entropy = shape::entropy(value);
    if entropy < kind.entropy {
        return Err(Miss::Entropy(entropy));
    }
    let checked = kind.check().map_or(Checked::Good, |check| check(value));
    let proven = kind.proves() && checked == Checked::Good;
    if !proven && !kind.lines && documented(value) {
        return Err(Miss::Documented);
    }
    match checked {
        Checked::Wrong => Err(Miss::Structure),
        Checked::Good => Ok(Match { kind, span, unsure: kind.unsure }),
        Checked::Unsure => Ok(Match { kind, span, unsure: true }),
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

/// Letters of base 64 around a value that make it a piece of something longer.
const MOST_AROUND: usize = 24;

/// Whether a value is cut out of a stretch of base 64: any prefix turns up in one that is long enough.
fn is_inside_base64(bytes: &[u8], span: Span) -> bool {
    let letter = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let before = &bytes[..span.start as usize];
    let after = &bytes[(span.end as usize).min(bytes.len())..];
    let around = before.iter().rev().take(MOST_AROUND).take_while(letter).count()
        + after.iter().take(MOST_AROUND).take_while(letter).count();
    let is_padded = after.first() == Some(&b'=') && after.get(1).is_some_and(|next| b"=\"'\\".contains(next));
    around >= MOST_AROUND || is_padded
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

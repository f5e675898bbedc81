//! `.env` files: `KEY=value` lines, without any substitution.

use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// A line of a .env file that sets a variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnvEntry {
    /// The name.
    pub key: String,
    /// Where it stands.
    pub key_span: Span,
    /// The value without quotes; escapes are kept as they are.
    pub value: String,
    /// Where it stands, quotes included.
    pub value_span: Span,
    /// It stands in quotes.
    pub quoted: bool,
    /// `export` stands before it.
    pub exported: bool,
}

/// Reads all lines; one that sets nothing is a problem.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut entries = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |offset| at + offset);
        let line = &text[at..end];
        let start = at + line.len() - line.trim_start().len();
        let body = line.trim();
        let mut next = end + 1;
        if let Some(comment) = body.strip_prefix('#') {
            parsed.comments.push(Comment { span: Span::new(start, start + body.len()), text: comment.to_string() });
        } else if let Some(entry) = entry(text, start, start + body.len(), &mut parsed.comments) {
            next = next.max(line_after(text, entry.value_span.end as usize));
            entries.push(entry);
        } else if !body.is_empty() {
            let message = "this line sets no variable".to_string();
            parsed.problems.push(Problem { span: Span::new(start, start + body.len()), message });
        }
        at = next;
    }
    parsed.syntax = Syntax::Env(entries);
    parsed
}

fn line_after(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |offset| at + offset + 1)
}

fn entry(text: &str, start: usize, end: usize, comments: &mut Vec<Comment>) -> Option<EnvEntry> {
    let line = &text[start..end];
    let equals = line.find('=')?;
    let head = &line[..equals];
    let (exported, name) = match head.trim_start().strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => (true, rest.trim()),
        _ => (false, head.trim()),
    };
    let valid = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if !valid {
        return None;
    }
    let key_at = start + head.rfind(name)?;
    let rest = &line[equals + 1..];
    let value_at = start + equals + 1 + rest.len() - rest.trim_start().len();
    let quote = text[value_at..end].chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
    let closed = quote.and_then(|quote| quoted_end(text, value_at, quote));
    let quoted = closed.is_some();
    let value_end = closed.unwrap_or_else(|| bare_end(text, value_at, end));
    trailing_comment(text, value_end, end, comments);
    let inner = usize::from(quoted);
    let close = value_end.saturating_sub(inner);
    Some(EnvEntry {
        key: name.to_string(),
        key_span: Span::new(key_at, key_at + name.len()),
        value: text.get(value_at + inner..close).unwrap_or("").to_string(),
        value_span: Span::new(value_at, value_end),
        quoted,
        exported,
    })
}

/// One past the closing quote, which may stand on a later line. A value without one is read as it stands.
fn quoted_end(text: &str, start: usize, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, character) in text[start + 1..].char_indices() {
        match character {
            '\\' if !escaped && quote == '"' => escaped = true,
            _ if character == quote && !escaped => return Some(start + 1 + offset + 1),
            _ => escaped = false,
        }
    }
    None
}

/// An unquoted value ends at the line's end or before ` #`.
fn bare_end(text: &str, start: usize, line_end: usize) -> usize {
    let value = &text[start..line_end];
    let comment = value.find(" #").or_else(|| value.find("\t#")).unwrap_or(value.len());
    let comment = if value.starts_with('#') { 0 } else { comment };
    start + value[..comment].trim_end().len()
}

fn trailing_comment(text: &str, from: usize, to: usize, comments: &mut Vec<Comment>) {
    let Some(rest) = text.get(from..to) else { return };
    if let Some(comment) = rest.trim().strip_prefix('#') {
        let at = to - comment.len() - 1;
        comments.push(Comment { span: Span::new(at, to), text: comment.to_string() });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entries(text: &str) -> Vec<EnvEntry> {
        match parse(text).syntax {
            Syntax::Env(entries) => entries,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn keys_values_and_places() {
        let text = "# top\nexport A=1 # one\nB = \"x # y\"\nC='z'\nD=\nE=a#b\nF=\"two\nlines\"\nG=${A}-x\n";
        let all = entries(text);
        let pairs: Vec<(&str, &str)> = all.iter().map(|entry| (entry.key.as_str(), entry.value.as_str())).collect();
        let wanted =
            [("A", "1"), ("B", "x # y"), ("C", "z"), ("D", ""), ("E", "a#b"), ("F", "two\nlines"), ("G", "${A}-x")];
        assert_eq!(pairs, wanted);
        assert_eq!(&text[all[1].value_span.range()], "\"x # y\"");
        assert_eq!(&text[all[0].key_span.range()], "A");
        assert!(all[0].exported && !all[1].exported && all[1].quoted);
        let comments: Vec<String> = parse(text).comments.into_iter().map(|comment| comment.text).collect();
        assert_eq!(comments, [" top", " one"]);
    }

    #[test]
    fn hostile_input() {
        assert_eq!(parse("no value here\n").problems.len(), 1);
        assert_eq!(entries("\u{feff}A=1\r\nB=2\r\n").len(), 2);
        assert_eq!(entries("A=\"open\nB=2\n")[0].value, "\"open");
        assert!(entries("=x\n").is_empty());
        assert_eq!(entries("A=\"").len(), 1);
        parse(&"A=\"\\".repeat(50_000));
    }
}

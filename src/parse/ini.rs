//! Sections of `key = value` lines: systemd units, .ini and .properties files.

use super::{Comment, Parsed, Syntax};
use crate::scan::source::Span;

/// A section; the lines before the first header are a section without a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    /// Between the brackets.
    pub name: String,
    /// Its header line.
    pub span: Span,
    /// Its lines.
    pub entries: Vec<Setting>,
}

/// A `key = value` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub key_span: Span,
    /// The value; lines continued with `\` are joined.
    pub value: String,
    /// Where it stands.
    pub value_span: Span,
}

impl Section {
    /// The last value of a key: later lines win.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.entries.iter().rev().find(|setting| setting.key == key)
    }
}

/// Reads all lines; a line without `=` or `:` is a key without a value.
pub fn parse(text: &str) -> Parsed {
    let mut sections = vec![Section::default()];
    let mut comments = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while at < text.len() {
        let (start, end, next) = logical_line(text, at);
        at = next;
        let body = &text[start..end];
        if body.is_empty() {
            continue;
        }
        if let Some(comment) = body.strip_prefix(['#', ';', '!']) {
            comments.push(Comment { span: Span::new(start, end), text: comment.to_string() });
        } else if let Some(name) = body.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let span = Span::new(start, end);
            sections.push(Section { name: name.trim().to_string(), span, entries: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.entries.push(setting(body, start));
        }
    }
    Parsed { syntax: Syntax::Sections(sections), comments, problems: Vec::new() }
}

/// Start and end of the trimmed line at an offset, with the lines it is continued by, and the offset after it.
fn logical_line(text: &str, at: usize) -> (usize, usize, usize) {
    let mut end = at;
    loop {
        let break_at = text[end..].find('\n').map_or(text.len(), |offset| end + offset);
        let line = text[at..break_at].trim_end_matches('\r');
        let comment = line.trim_start().starts_with(['#', ';', '!']);
        end = break_at + 1;
        if comment || !line.ends_with('\\') || end >= text.len() {
            let body = text[at..break_at].trim();
            let start = at + text[at..break_at].len() - text[at..break_at].trim_start().len();
            return (start, start + body.len(), end);
        }
    }
}

fn setting(body: &str, start: usize) -> Setting {
    let split = body.find(['=', ':']).unwrap_or(body.len());
    let key = body[..split].trim_end();
    let rest = body.get(split + 1..).unwrap_or("");
    let value_at = start + body.len() - rest.trim_start().len();
    Setting {
        key: key.to_string(),
        key_span: Span::new(start, start + key.len()),
        value: rest.trim().replace("\\\r\n", " ").replace("\\\n", " "),
        value_span: Span::new(value_at, start + body.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_unit_is_read() {
        let text =
            "\u{feff}# unit\n[Service]\nExecStart=/bin/x \\\n  --flag\nUser = app\r\nExecStart=/bin/y\n[Install]\n";
        let Syntax::Sections(sections) = parse(text).syntax else { unreachable!() };
        let service = sections.iter().find(|section| section.name == "Service").unwrap();
        assert_eq!(service.entries[0].value, "/bin/x    --flag");
        assert_eq!(service.get("ExecStart").unwrap().value, "/bin/y");
        let user = service.get("User").unwrap();
        assert_eq!(&text[user.value_span.range()], "app");
        assert_eq!(parse(text).comments.len(), 1);
        assert_eq!(sections.len(), 3);
    }

    #[test]
    fn hostile_input() {
        for text in ["\\\n".repeat(50_000), "[".repeat(100_000), "=".to_string(), "a\\".to_string(), String::new()] {
            parse(&text);
        }
    }
}

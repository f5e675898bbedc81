//! Hjson: JSON for people, with comments, keys and strings without quotes, and commas where one likes.

use std::sync::Arc;

use super::document::{Duplicates, Entry, Node, Value};
use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// Deepest nesting that is read.
const DEEPEST: usize = 200;

/// Reads one document. What cannot be understood gives a problem and no document.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader { text, at: 0, comments: Vec::new(), duplicates: Duplicates::default() };
    let root = reader.root();
    let mut parsed = Parsed { comments: reader.comments, ..Parsed::default() };
    match root {
        Ok(root) => {
            parsed.problems = reader.duplicates.problems;
            parsed.syntax = Syntax::Documents(root.into_iter().collect());
        }
        Err(problem) => parsed.problems.push(problem),
    }
    parsed
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    comments: Vec<Comment>,
    duplicates: Duplicates,
}

impl<'t> Reader<'t> {
    /// The document: braces around the outermost map may be left out.
    fn root(&mut self) -> Result<Option<Node>, Problem> {
        self.blank();
        let root = match self.peek() {
            None => return Ok(None),
            Some(b'{' | b'[') => self.value(0)?,
            Some(_) => {
                let start = self.at;
                let entries = self.entries(None, 0)?;
                Node { span: Span::new(start, self.at), value: Value::Map(entries), tag: None }
            }
        };
        self.blank();
        if self.at < self.text.len() {
            Err(self.problem("something follows the document's end"))
        } else {
            Ok(Some(root))
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn problem(&self, what: &str) -> Problem {
        let end = self.at + self.rest().chars().next().map_or(0, char::len_utf8);
        Problem { span: Span::new(self.at, end), message: format!("this is no valid Hjson: {what}") }
    }

    /// Goes past blanks, commas that separate nothing, and comments.
    fn blank(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']).len();
            self.at += blanks;
            let rest = self.rest();
            let (length, open, close) = match () {
                () if rest.starts_with('#') => (line_length(rest), 1, 0),
                () if rest.starts_with("//") => (line_length(rest), 2, 0),
                () if rest.starts_with("/*") => match rest.find("*/") {
                    Some(end) => (end + 2, 2, 2),
                    None => (rest.len(), 2, 0),
                },
                () => return,
            };
            let text = rest.get(open..length - close).unwrap_or("").to_string();
            self.comments.push(Comment { span: Span::new(self.at, self.at + length), text });
            self.at += length;
        }
    }

    fn separator(&mut self) {
        self.blank();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.blank();
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        if depth > DEEPEST {
            return Err(self.problem("it nests too deep"));
        }
        let start = self.at;
        let value = match self.peek() {
            None => return Err(self.problem("a value is missing at its end")),
            Some(b'{') => {
                self.at += 1;
                Value::Map(self.entries(Some(b'}'), depth + 1)?)
            }
            Some(b'[') => {
                self.at += 1;
                Value::List(self.items(depth + 1)?)
            }
            Some(b'\'') if self.rest().starts_with("'''") => self.lines()?,
            Some(quote @ (b'"' | b'\'')) => Value::Text { text: self.quoted(quote)?.into(), quoted: true },
            Some(_) => return self.bare(),
        };
        Ok(Node { span: Span::new(start, self.at), value, tag: None })
    }

    fn entries(&mut self, close: Option<u8>, depth: usize) -> Result<Vec<Entry>, Problem> {
        let mut entries = Vec::new();
        loop {
            self.blank();
            match (self.peek(), close) {
                (None, None) => break,
                (None, Some(_)) => return Err(self.problem("a map is not closed")),
                (found, Some(_)) if found == close => {
                    self.at += 1;
                    break;
                }
                _ => {}
            }
            let (key, key_span) = self.key()?;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.problem("`:` is missing after a key"));
            }
            self.at += 1;
            self.blank();
            let value = Arc::new(self.value(depth)?);
            entries.push(Entry { key: key.into(), key_span, value });
            self.separator();
        }
        self.duplicates.look(&entries);
        Ok(entries)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Arc<Node>>, Problem> {
        let mut items = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                None => return Err(self.problem("a list is not closed")),
                Some(b']') => {
                    self.at += 1;
                    return Ok(items);
                }
                Some(_) => items.push(Arc::new(self.value(depth)?)),
            }
            self.separator();
        }
    }

    fn key(&mut self) -> Result<(String, Span), Problem> {
        let start = self.at;
        if let Some(quote @ (b'"' | b'\'')) = self.peek() {
            let key = self.quoted(quote)?;
            return Ok((key, Span::new(start, self.at)));
        }
        let length = self.rest().find(|letter: char| letter.is_whitespace() || ",:[]{}".contains(letter));
        let length = length.unwrap_or(self.rest().len());
        if length == 0 {
            return Err(self.problem("a key is missing"));
        }
        let key = self.rest()[..length].to_string();
        self.at += length;
        Ok((key, Span::new(start, self.at)))
    }

    /// A string in quotes on one line.
    fn quoted(&mut self, quote: u8) -> Result<String, Problem> {
        let body = self.rest().get(1..).unwrap_or("");
        let mut text = String::new();
        let mut letters = body.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\n' => break,
                '\\' => match letters.next().map(|(_, escaped)| escaped) {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some('b' | 'f') => text.push(' '),
                    Some('u') => {
                        let code = body.get(at + 2..at + 6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                        text.push(code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
                        (0..4).for_each(|_| {
                            letters.next();
                        });
                    }
                    Some(other) => text.push(other),
                    None => break,
                },
                _ if letter == char::from(quote) => {
                    self.at += 1 + at + 1;
                    return Ok(text);
                }
                _ => text.push(letter),
            }
        }
        Err(self.problem("a string is not closed"))
    }

    /// `'''` around several lines.
    fn lines(&mut self) -> Result<Value, Problem> {
        let body = &self.rest()[3..];
        let Some(end) = body.find("'''") else { return Err(self.problem("a string is not closed")) };
        let lines: Vec<&str> = body[..end].lines().map(str::trim).collect();
        self.at += end + 6;
        Ok(Value::Text { text: lines.join("\n").trim().into(), quoted: true })
    }

    /// A number, a word of JSON, or a string to the end of its line.
    fn bare(&mut self) -> Result<Node, Problem> {
        let line = &self.rest()[..line_length(self.rest())];
        if line.starts_with([',', ':', '}', ']']) {
            return Err(self.problem("a value is missing"));
        }
        let start = self.at;
        let end = ["//", "/*"].iter().filter_map(|mark| line.find(mark)).min().unwrap_or(line.len());
        let word = line[..end].split([',', '}', ']', '#']).next().unwrap_or("").trim_end();
        let known = match word {
            "true" => Some(Value::Flag(true)),
            "false" => Some(Value::Flag(false)),
            "null" => Some(Value::Null),
            _ if word.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
                word.parse().ok().map(Value::Number)
            }
            _ => None,
        };
        let (value, length) = match known {
            Some(value) => (value, word.len()),
            None => {
                let whole = line.trim_end();
                (Value::Text { text: whole.into(), quoted: false }, whole.len())
            }
        };
        self.at += length;
        Ok(Node { span: Span::new(start, self.at), value, tag: None })
    }
}

fn line_length(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn document(text: &str) -> Node {
        match parse(text).syntax {
            Syntax::Documents(documents) => documents.into_iter().next().unwrap(),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn keys_and_strings_need_no_quotes_and_lines_no_commas() {
        let text = "{\n  # the shop\n  database: {\n    user: shop // not to the end\n    port: 5432, host: 'db'\n  }\n  on: true\n  \"list\": [1, two\n \"three\"]\n  note: '''\n    a\n    b\n  '''\n}\n";
        let root = document(text);
        let user = root.at(&["database", "user"]).unwrap();
        assert_eq!(user.text(), Some("shop // not to the end"));
        assert_eq!(&text[user.span.range()], "shop // not to the end");
        assert_eq!(root.at(&["database", "port"]).unwrap().number(), Some(5432.0));
        assert_eq!(root.at(&["database", "host"]).unwrap().text(), Some("db"));
        assert_eq!(root.get("on").unwrap().flag(), Some(true));
        let list: Vec<Option<String>> = root.get("list").unwrap().items().iter().map(|item| item.scalar()).collect();
        assert_eq!(list, [Some("1".to_string()), Some("two".to_string()), Some("three".to_string())]);
        assert_eq!(root.get("note").unwrap().text(), Some("a\nb"));
        assert_eq!(parse(text).comments[0].text, " the shop");
    }

    #[test]
    fn the_outermost_braces_may_be_left_out() {
        let root = document("a: 1\nb: x y z\r\nc: \"q\\u0041\"\n");
        assert_eq!(root.get("b").unwrap().text(), Some("x y z"));
        assert_eq!(root.get("c").unwrap().text(), Some("qA"));
        assert!(parse("").problems.is_empty() && parse("# nothing\n").problems.is_empty());
    }

    #[test]
    fn hostile_input_gives_problems() {
        let deep = ["[".repeat(100_000), "{a:".repeat(100_000)];
        let broken = ["{a: \"open", "{a 1}", "{a: 1} b", "a: '''x", "{:1}", "[}", "a: }"];
        for text in deep.iter().map(String::as_str).chain(broken) {
            assert_eq!(parse(text).problems.len(), 1, "{}", &text[..text.len().min(20)]);
        }
    }
}

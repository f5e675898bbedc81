//! Directives with blocks: nginx (ended by `;`) and Caddy (ended by the line).

use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// Blocks nested deeper than this are not read: nothing real comes near.
const DEPTH: usize = 64;

/// A directive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// Its first word; in a Caddyfile a site's address or a matcher.
    pub name: String,
    /// Where that stands.
    pub name_span: Span,
    /// The words after it.
    pub arguments: Vec<Argument>,
    /// Its block; empty without one.
    pub block: Vec<Directive>,
    /// It has a block.
    pub opens: bool,
    /// From the name to `;` or the closing brace.
    pub span: Span,
}

/// A word after a directive's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Argument {
    /// Without quotes.
    pub text: String,
    /// With quotes.
    pub span: Span,
}

impl Directive {
    /// Text of an argument.
    pub fn argument(&self, index: usize) -> Option<&str> {
        self.arguments.get(index).map(|argument| argument.text.as_str())
    }

    /// Directives of a name in its block.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.block.iter().filter(move |directive| directive.name == name)
    }
}

/// Reads an nginx configuration.
pub fn parse(text: &str) -> Parsed {
    Reader::new(text, false).read()
}

/// Reads a Caddyfile.
pub fn parse_caddy(text: &str) -> Parsed {
    Reader::new(text, true).read()
}

/// An open block: the directive it belongs to and what it holds so far.
struct Frame {
    head: Option<Directive>,
    block: Vec<Directive>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    caddy: bool,
    words: Vec<Argument>,
    stack: Vec<Frame>,
    /// Blocks beyond the limit that are open.
    skipped: usize,
    parsed: Parsed,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, caddy: bool) -> Reader<'a> {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let stack = vec![Frame { head: None, block: Vec::new() }];
        Reader { text, at, caddy, words: Vec::new(), stack, skipped: 0, parsed: Parsed::default() }
    }

    fn read(mut self) -> Parsed {
        while let Some(byte) = self.text.as_bytes().get(self.at).copied() {
            self.step(byte);
        }
        self.end_directive(self.text.len());
        if self.stack.len() > 1 {
            let at =
                self.stack.last().and_then(|frame| frame.head.as_ref()).map_or(Span::default(), |head| head.name_span);
            self.problem(at, "this block is not closed");
        }
        while self.stack.len() > 1 {
            self.close(self.text.len());
        }
        let block = self.stack.pop().map(|frame| frame.block).unwrap_or_default();
        self.parsed.syntax = if self.caddy { Syntax::Caddy(block) } else { Syntax::Nginx(block) };
        self.parsed
    }

    fn problem(&mut self, span: Span, message: &str) {
        self.parsed.problems.push(Problem { span, message: message.to_string() });
    }

    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' if self.caddy => {
                self.end_directive(self.at);
                self.at += 1;
            }
            b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
            b'#' => self.comment(),
            b';' if !self.caddy => {
                self.at += 1;
                self.end_directive(self.at);
            }
            b'{' if self.opens_block() => {
                self.at += 1;
                self.open();
            }
            b'}' => {
                self.end_directive(self.at);
                self.at += 1;
                self.close_one();
            }
            _ => self.word(),
        }
    }

    /// In a Caddyfile `{$NAME}` and `{placeholder}` are words.
    fn opens_block(&self) -> bool {
        let next = self.text[self.at + 1..].chars().next();
        !self.caddy || next.is_none_or(char::is_whitespace)
    }

    fn comment(&mut self) {
        let end = self.text[self.at..].find('\n').map_or(self.text.len(), |offset| self.at + offset);
        let body = self.text[self.at..end].trim_end();
        let span = Span::new(self.at, self.at + body.len());
        self.parsed.comments.push(Comment { span, text: body[1..].to_string() });
        self.at = end;
    }

    fn word(&mut self) {
        let start = self.at;
        let first = self.text.as_bytes()[start];
        let (text, end) = if matches!(first, b'"' | b'\'' | b'`') { self.quoted(first) } else { self.bare() };
        self.at = end;
        self.words.push(Argument { text, span: Span::new(start, end) });
    }

    fn quoted(&mut self, quote: u8) -> (String, usize) {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' => at += 2,
                byte if byte == quote => return (self.text[self.at + 1..at].to_string(), at + 1),
                _ => at += 1,
            }
        }
        self.problem(Span::new(self.at, self.at + 1), "this quote is not closed");
        (self.text[self.at + 1..].to_string(), self.text.len())
    }

    /// A word without quotes; `${name}` in it is no block.
    fn bare(&self) -> (String, usize) {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        let mut braces = 0_usize;
        while at < bytes.len() {
            let begins = bytes[at] == b'{' && (self.caddy || at > 0 && bytes[at - 1] == b'$');
            match bytes[at] {
                b' ' | b'\t' | b'\r' | b'\n' => break,
                b';' if !self.caddy => break,
                b'{' if begins => braces += 1,
                b'}' if braces > 0 => braces -= 1,
                b'{' | b'}' => break,
                b'\\' => at += 1,
                _ => {}
            }
            at += 1;
        }
        let mut end = at.min(bytes.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let end = if end == self.at { end + 1 } else { end };
        (self.text[self.at..end].to_string(), end)
    }

    fn directive(&mut self, end: usize, opens: bool) -> Option<Directive> {
        let mut words = std::mem::take(&mut self.words).into_iter();
        let first = words.next()?;
        let span = Span::new(first.span.start as usize, end);
        let arguments = words.collect();
        Some(Directive { name: first.text, name_span: first.span, arguments, block: Vec::new(), opens, span })
    }

    fn end_directive(&mut self, end: usize) {
        if let Some(directive) = self.directive(end, false)
            && self.skipped == 0
            && let Some(frame) = self.stack.last_mut()
        {
            frame.block.push(directive);
        }
    }

    fn open(&mut self) {
        let head = self.directive(self.at, true);
        if self.stack.len() > DEPTH {
            if self.skipped == 0 {
                self.problem(
                    Span::new(self.at - 1, self.at),
                    "blocks are nested too deeply; what is in here was not read",
                );
            }
            self.skipped += 1;
            return;
        }
        let at = Span::new(self.at - 1, self.at);
        let head = head.unwrap_or(Directive {
            name: String::new(),
            name_span: at,
            arguments: Vec::new(),
            block: Vec::new(),
            opens: true,
            span: at,
        });
        self.stack.push(Frame { head: Some(head), block: Vec::new() });
    }

    fn close_one(&mut self) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else if self.stack.len() > 1 {
            self.close(self.at);
        } else {
            self.problem(Span::new(self.at - 1, self.at), "this brace closes nothing");
        }
    }

    fn close(&mut self, end: usize) {
        let Some(frame) = self.stack.pop() else { return };
        if let (Some(mut head), Some(parent)) = (frame.head, self.stack.last_mut()) {
            head.block = frame.block;
            head.span = Span::new(head.span.start as usize, end);
            parent.block.push(head);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn nginx(text: &str) -> Vec<Directive> {
        match parse(text).syntax {
            Syntax::Nginx(block) => block,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_server_block() {
        let text = "http {\n  server { # main\n    listen 443 ssl;\n    location ~* \\.(php)$ { return 301 https://$host${request_uri}; }\n    add_header X \"a; b\" always;\n  }\n}\n";
        assert_eq!(parse(text).problems, []);
        let root = nginx(text);
        let server = root[0].children("server").next().unwrap();
        assert_eq!(server.block[0].argument(1), Some("ssl"));
        let location = &server.block[1];
        assert_eq!(location.argument(1), Some("\\.(php)$"));
        assert_eq!(location.block[0].argument(1), Some("https://$host${request_uri}"));
        assert_eq!(server.block[2].argument(1), Some("a; b"));
        assert_eq!(&text[server.block[2].arguments[1].span.range()], "\"a; b\"");
        assert!(text[server.span.range()].ends_with('}'));
        assert_eq!(parse(text).comments[0].text, " main");
    }

    #[test]
    fn a_caddyfile() {
        let text = "{\n  email a@example.org\n}\n{$DOMAIN:localhost} {\n  header Strict-Transport-Security max-age=1\n  reverse_proxy app:{$PORT}\n}\n";
        assert_eq!(parse_caddy(text).problems, []);
        let Syntax::Caddy(root) = parse_caddy(text).syntax else { unreachable!() };
        assert_eq!(root[1].name, "{$DOMAIN:localhost}");
        assert_eq!(root[1].block[1].argument(0), Some("app:{$PORT}"));
    }

    #[test]
    fn hostile_input_gives_problems() {
        for text in ["a{".repeat(100_000), "}".repeat(10), "a \"open".to_string(), "a {".to_string()] {
            assert!(!parse(&text).problems.is_empty());
        }
        nginx("\u{feff}a b;\r\n\\");
        nginx("ä\\ü;");
    }
}

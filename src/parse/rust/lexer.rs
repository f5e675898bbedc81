//! A fast lexer of Rust text: comments, literals and nesting, without a parse.
//!
//! It never fails: what is not closed runs to the end of the file. Comments come from here (`proc_macro2` drops them),
//! and the depth of a file is known from here before any recursive parser sees it.

use super::ast::{Literal, Token, TokenKind};
use crate::parse::Comment;
use crate::scan::source::Span;

/// Kinds of raw tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RawKind {
    /// `// ..` or `/* .. */`.
    Comment,
    /// An identifier or keyword, raw ones (`r#type`) included.
    Ident,
    /// `'a`.
    Lifetime,
    /// A number.
    Number,
    /// A string of any prefix; the two lengths are those of what stands before and after its contents.
    Text {
        /// Bytes before the contents: prefix, hashes, quote.
        before: u8,
        /// Bytes after the contents.
        after: u8,
        /// No escapes inside.
        raw: bool,
        /// A byte string.
        bytes: bool,
    },
    /// A character or byte literal.
    Char,
    /// A punctuation character.
    Punct(u8),
    /// `(`, `[`, `{`.
    Open(u8),
    /// `)`, `]`, `}`.
    Close(u8),
}

/// A token with its place, borrowing nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RawToken {
    /// What it is.
    pub kind: RawKind,
    /// Where.
    pub span: Span,
}

impl RawToken {
    /// The span of a string's contents; the whole token for anything else.
    pub fn contents(&self) -> Span {
        match self.kind {
            RawKind::Text { before, after, .. } => {
                let (start, end) = (self.span.start as usize, self.span.end as usize);
                let from = (start + usize::from(before)).min(end);
                Span::new(from, end.saturating_sub(usize::from(after)).max(from))
            }
            _ => self.span,
        }
    }
}

/// Walks over the tokens of a text, comments included.
#[derive(Clone, Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    /// Starts after a byte order mark and a `#!` line.
    pub fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, at: prelude(text) }
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn end_of(&self, from: usize, class: Class) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while bytes.get(at).is_some_and(|byte| CLASSES[usize::from(*byte)] == class) {
            at += 1;
        }
        at
    }

    /// The place of the next byte that `find` looks for, from `at` on; the end of the text where there is none.
    fn next(&self, at: usize, find: impl Fn(&[u8]) -> Option<usize>) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or(&[]);
        find(rest).map_or(self.text.len(), |found| at + found)
    }

    fn line_comment(&self) -> usize {
        self.next(self.at, |rest| memchr::memchr(b'\n', rest))
    }

    fn block_comment(&self) -> usize {
        let mut depth = 0usize;
        let mut at = self.at;
        while at < self.text.len() {
            at = self.next(at, |rest| memchr::memchr2(b'/', b'*', rest));
            match (self.byte(at), self.byte(at + 1)) {
                (b'/', b'*') => {
                    depth += 1;
                    at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return at;
                    }
                }
                _ => at += 1,
            }
        }
        self.text.len()
    }

    /// A string whose opening quote is at `quote`; gives its end and whether it is closed.
    fn escaped_end(&self, quote: usize) -> (usize, bool) {
        let mark = self.byte(quote);
        let mut at = quote + 1;
        while at < self.text.len() {
            at = self.next(at, |rest| memchr::memchr2(b'\\', mark, rest));
            match self.byte(at) {
                b'\\' => at += 2,
                byte if byte == mark => return (at + 1, true),
                _ => {}
            }
        }
        (self.text.len(), false)
    }

    fn hashes_end(&self, from: usize) -> usize {
        let hashes = self.text.as_bytes().get(from..).unwrap_or(&[]).iter().take_while(|byte| **byte == b'#');
        from + hashes.count()
    }

    fn raw_end(&self, quote: usize, hashes: usize) -> (usize, bool) {
        let bytes = self.text.as_bytes();
        let mut at = quote + 1;
        while at < bytes.len() {
            at = self.next(at, |rest| memchr::memchr(b'"', rest));
            if at < bytes.len() && self.hashes_end(at + 1) >= at + 1 + hashes {
                return (at + 1 + hashes, true);
            }
            at += 1;
        }
        (bytes.len(), false)
    }

    /// A string at `self.at` with `prefix` letters before its hashes and quote, if there is one.
    fn string(&self, prefix: usize, raw: bool, bytes: bool) -> Option<(usize, RawKind)> {
        let hashes_at = self.at + prefix;
        let quote = if raw { self.hashes_end(hashes_at) } else { hashes_at };
        let hashes = quote - hashes_at;
        if self.byte(quote) != b'"' || hashes > 200 {
            return None;
        }
        let (end, closed) = if raw { self.raw_end(quote, hashes) } else { self.escaped_end(quote) };
        let before = u8::try_from(prefix + hashes + 1).unwrap_or(u8::MAX);
        let after = if closed { u8::try_from(hashes + 1).unwrap_or(u8::MAX) } else { 0 };
        Some((end, RawKind::Text { before, after, raw, bytes }))
    }

    fn word(&self) -> (usize, RawKind) {
        let string = match (self.byte(self.at), self.byte(self.at + 1)) {
            (b'r', _) => self.string(1, true, false),
            (b'b', b'r') => self.string(2, true, true),
            (b'c', b'r') => self.string(2, true, false),
            (b'b', b'\'') => return (self.escaped_end(self.at + 1).0, RawKind::Char),
            (b'b', _) => self.string(1, false, true),
            (b'c', _) => self.string(1, false, false),
            _ => None,
        };
        string.unwrap_or_else(|| {
            let raw = self.byte(self.at) == b'r' && self.byte(self.at + 1) == b'#';
            let from = if raw { self.at + 2 } else { self.at };
            (self.end_of(from, Class::Word).max(from), RawKind::Ident)
        })
    }

    fn quote(&self) -> (usize, RawKind) {
        let next = self.at + 1;
        if self.byte(next) == b'\\' {
            return (self.escaped_end(self.at).0, RawKind::Char);
        }
        let width = self.text.get(next..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        if self.byte(next + width) == b'\'' {
            return (next + width + 1, RawKind::Char);
        }
        (self.end_of(next, Class::Word), RawKind::Lifetime)
    }

    fn number(&self) -> usize {
        let mut at = self.end_of(self.at, Class::Word);
        if self.byte(at) == b'.' && self.byte(at + 1).is_ascii_digit() {
            at = self.end_of(at + 1, Class::Word);
        }
        at
    }

    fn token(&self) -> (usize, RawKind) {
        let first = self.byte(self.at);
        match (first, self.byte(self.at + 1)) {
            (b'/', b'/') => (self.line_comment(), RawKind::Comment),
            (b'/', b'*') => (self.block_comment(), RawKind::Comment),
            (b'"', _) => self.string(0, false, false).unwrap_or((self.at + 1, RawKind::Punct(first))),
            (b'\'', _) => self.quote(),
            (b'0'..=b'9', _) => (self.number(), RawKind::Number),
            (b'(' | b'[' | b'{', _) => (self.at + 1, RawKind::Open(first)),
            (b')' | b']' | b'}', _) => (self.at + 1, RawKind::Close(first)),
            _ if is_word(first) => self.word(),
            _ => (self.at + 1, RawKind::Punct(first)),
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = RawToken;

    fn next(&mut self) -> Option<RawToken> {
        self.at = self.end_of(self.at, Class::Blank);
        if self.at >= self.text.len() {
            return None;
        }
        let (end, kind) = self.token();
        let end = end.clamp(self.at + 1, self.text.len());
        let span = Span::new(self.at, end);
        self.at = end;
        Some(RawToken { kind, span })
    }
}

/// What a byte is to the lexer; a table is what makes it fast.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Blank,
    Other,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0u8;
    loop {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 {
            classes[byte as usize] = Class::Word;
        } else if byte.is_ascii_whitespace() {
            classes[byte as usize] = Class::Blank;
        }
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    classes
};

fn is_word(byte: u8) -> bool {
    matches!(CLASSES[usize::from(byte)], Class::Word)
}

/// Length of a byte order mark and a `#!` line, which are no Rust tokens.
pub fn prelude(text: &str) -> usize {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let rest = &text[mark..];
    let shebang = rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[');
    if shebang { mark + rest.find('\n').unwrap_or(rest.len()) } else { mark }
}

/// What one pass over the tokens says of a file.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Comments in order; doc comments are among them.
    pub comments: Vec<Comment>,
    /// Where the file nests deeper than a recursive parser should follow.
    pub too_deep: Option<Span>,
}

const BRACKETS: u32 = 256;
const ANGLES: u32 = 256;
/// Closures and function types nest without brackets that stay open.
const PIPES: u32 = 4_000;
/// Tokens between `;`, `,`, `=>` and braces: prefix operators, method and operator chains nest by these.
const CHAIN: u32 = 8_000;

#[derive(Default)]
struct Depth {
    brackets: u32,
    angles: u32,
    pipes: u32,
    chain: u32,
}

impl Depth {
    fn statement_ends(&mut self) {
        self.angles = 0;
        self.pipes = 0;
        self.chain = 0;
    }

    /// Counts a token; `before` is the punctuation character that stands directly before it.
    fn add(&mut self, kind: RawKind, before: Option<u8>) {
        self.chain += 1;
        match kind {
            RawKind::Open(bracket) => {
                self.brackets += 1;
                if bracket == b'{' {
                    self.statement_ends();
                }
            }
            RawKind::Close(bracket) => {
                self.brackets = self.brackets.saturating_sub(1);
                if bracket == b'}' {
                    self.statement_ends();
                }
            }
            RawKind::Punct(b';') => self.statement_ends(),
            RawKind::Punct(b',') => self.chain = 0,
            RawKind::Punct(b'<') => self.angles += 1,
            RawKind::Punct(b'|') => self.pipes += 1,
            RawKind::Punct(b'>') => match before {
                Some(b'-') => self.pipes += 1,
                Some(b'=') => self.chain = 0,
                _ => self.angles = self.angles.saturating_sub(1),
            },
            _ => {}
        }
    }

    fn over(&self) -> bool {
        self.brackets > BRACKETS || self.angles > ANGLES || self.pipes > PIPES || self.chain > CHAIN
    }
}

/// Collects comments and finds the first place that nests too deep.
pub fn scan(text: &str) -> Scan {
    let mut scan = Scan::default();
    let mut depth = Depth::default();
    let mut before = None;
    for token in Lexer::new(text) {
        if token.kind == RawKind::Comment {
            scan.comments.push(comment(text, token.span));
            continue;
        }
        depth.add(token.kind, before);
        before = match token.kind {
            RawKind::Punct(byte) => Some(byte),
            _ => None,
        };
        if scan.too_deep.is_none() && depth.over() {
            scan.too_deep = Some(token.span);
        }
    }
    scan
}

fn comment(text: &str, span: Span) -> Comment {
    let whole = text.get(span.range()).unwrap_or("");
    let inside = match whole.strip_prefix("/*") {
        Some(rest) => rest.strip_suffix("*/").unwrap_or(rest),
        None => whole.trim_start_matches('/').trim_end_matches('\r'),
    };
    Comment { span, text: inside.to_string() }
}

/// The tokens of a text without a parse, comments left out: fast, and good for files that do not parse.
pub fn lex(text: &str) -> Vec<Token> {
    Lexer::new(text).filter_map(|raw| Some(Token { kind: token_kind(text, &raw)?, span: raw.span })).collect()
}

fn token_kind(text: &str, raw: &RawToken) -> Option<TokenKind> {
    let slice = text.get(raw.span.range()).unwrap_or("");
    Some(match raw.kind {
        RawKind::Comment => return None,
        RawKind::Ident => match slice {
            "true" | "false" => TokenKind::Literal(Literal::Flag(slice == "true")),
            _ => TokenKind::Ident(slice.strip_prefix("r#").unwrap_or(slice).to_string()),
        },
        RawKind::Lifetime => TokenKind::Ident(slice.to_string()),
        RawKind::Number => TokenKind::Literal(number(slice)),
        RawKind::Text { raw: is_raw, bytes, .. } => {
            let inside = text.get(raw.contents().range()).unwrap_or("");
            let value = if is_raw { inside.to_string() } else { unescape(inside) };
            TokenKind::Literal(if bytes { Literal::Bytes(value) } else { Literal::Text(value) })
        }
        RawKind::Char => {
            let inside = slice.trim_start_matches('b').trim_matches('\'');
            TokenKind::Literal(Literal::Char(unescape(inside).chars().next().unwrap_or('\'')))
        }
        RawKind::Punct(byte) => TokenKind::Punct(char::from(byte)),
        RawKind::Open(byte) => TokenKind::Open(char::from(byte)),
        RawKind::Close(byte) => TokenKind::Close(char::from(byte)),
    })
}

fn number(slice: &str) -> Literal {
    let plain: String = slice.chars().filter(|character| *character != '_').collect();
    if plain.contains('.') {
        let end = plain.find('f').unwrap_or(plain.len());
        return Literal::Float(plain[..end].parse().unwrap_or(0.0));
    }
    let (radix, digits) = match plain.get(..2) {
        Some("0x") => (16, &plain[2..]),
        Some("0o") => (8, &plain[2..]),
        Some("0b") => (2, &plain[2..]),
        _ => (10, plain.as_str()),
    };
    let end = digits.find(|character: char| !character.is_digit(radix)).unwrap_or(digits.len());
    Literal::Integer(i128::from_str_radix(&digits[..end], radix).ok())
}

/// The value of a string's contents: escapes replaced, unknown ones kept as they are.
pub fn unescape(inside: &str) -> String {
    if !inside.contains('\\') {
        return inside.to_string();
    }
    let mut value = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        value.push_str(&rest[..at]);
        rest = escape(&rest[at + 1..], &mut value);
    }
    value.push_str(rest);
    value
}

/// Adds what the escape after a backslash means; gives what follows it.
fn escape<'t>(rest: &'t str, value: &mut String) -> &'t str {
    let Some(first) = rest.chars().next() else { return rest };
    let after = &rest[first.len_utf8()..];
    match first {
        'n' => value.push('\n'),
        't' => value.push('\t'),
        'r' => value.push('\r'),
        '0' => value.push('\0'),
        '\n' | '\r' => return after.trim_start(),
        'x' => return hex(after, 2, value),
        'u' => {
            let digits = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((digits, after)) = digits else { return after };
            let digits: String = digits.chars().filter(|character| *character != '_').collect();
            value.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
            return after;
        }
        other => value.push(other),
    }
    after
}

fn hex<'t>(rest: &'t str, length: usize, value: &mut String) -> &'t str {
    let Some(digits) = rest.get(..length) else { return rest };
    value.extend(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32));
    &rest[length..]
}

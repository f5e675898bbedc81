//! Tokens of SQL: words, quoted names, strings (dollar-quoted too), numbers, parameters, punctuation, comments.

use crate::parse::Comment;
use crate::scan::source::Span;

/// A token.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where.
    pub span: Span,
}

/// Kinds of tokens.
#[derive(Clone, PartialEq, Debug)]
pub enum TokenKind {
    /// A keyword or plain name, in lower case.
    Word(String),
    /// A quoted name.
    Quoted(String),
    /// A string.
    Text(String),
    /// A number.
    Number,
    /// `$1`, `?`, `:name`, `@name`.
    Parameter,
    /// One character of punctuation.
    Punct(char),
}

impl Token {
    /// The word in lower case; empty for anything but a plain word.
    pub fn word(&self) -> &str {
        match &self.kind {
            TokenKind::Word(word) => word,
            _ => "",
        }
    }

    /// The name, plain or quoted.
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(name) | TokenKind::Quoted(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it is this punctuation.
    pub fn is(&self, punct: char) -> bool {
        self.kind == TokenKind::Punct(punct)
    }
}

/// Tokens and comments of a text.
pub fn tokens(text: &str) -> (Vec<Token>, Vec<Comment>) {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), comments: Vec::new() };
    while lexer.at < text.len() {
        lexer.step();
    }
    (lexer.tokens, lexer.comments)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        match first {
            _ if first.is_whitespace() => self.at += first.len_utf8(),
            '-' if rest.starts_with("--") => self.comment(line(rest), 2, 0),
            '#' if rest.starts_with("# ") => self.comment(line(rest), 1, 0),
            '/' if rest.starts_with("/*") => self.comment(block(rest), 2, 2),
            '\'' => self.quoted('\'', TokenKind::Text),
            '"' => self.quoted('"', TokenKind::Quoted),
            '`' => self.quoted('`', TokenKind::Quoted),
            '$' => self.dollar(rest),
            '?' => self.push(1, TokenKind::Parameter),
            ':' | '@' if rest[1..].starts_with(|next: char| next.is_alphabetic() || next == '_') => {
                self.push(1 + word_length(&rest[1..]), TokenKind::Parameter);
            }
            ':' if rest.starts_with("::") => self.push(2, TokenKind::Punct(':')),
            _ if first.is_ascii_digit() => self.push(word_length(rest), TokenKind::Number),
            _ if first.is_alphabetic() || first == '_' => {
                let length = word_length(rest);
                self.push(length, TokenKind::Word(rest[..length].to_lowercase()));
            }
            _ => self.push(first.len_utf8(), TokenKind::Punct(first)),
        }
    }

    fn push(&mut self, length: usize, kind: TokenKind) {
        self.tokens.push(Token { kind, span: Span::new(self.at, self.at + length) });
        self.at += length;
    }

    fn comment(&mut self, length: usize, open: usize, close: usize) {
        let whole = &self.rest()[..length];
        let inside = whole.get(open..length.saturating_sub(close).max(open)).unwrap_or("");
        let span = Span::new(self.at, self.at + length);
        self.comments.push(Comment { span, text: inside.trim().to_string() });
        self.at += length;
    }

    /// A quoted string or name; a doubled quote stands for itself. An unclosed one ends with the text.
    fn quoted(&mut self, quote: char, kind: fn(String) -> TokenKind) {
        let rest = self.rest();
        let mut inside = String::new();
        let mut characters = rest.char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            if character != quote {
                inside.push(character);
            } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
                inside.push(quote);
                characters.next();
            } else {
                return self.push(at + 1, kind(inside));
            }
        }
        self.push(rest.len(), kind(inside));
    }

    /// `$1`, `$tag$ .. $tag$`.
    fn dollar(&mut self, rest: &str) {
        let tag = word_length(&rest[1..]);
        if rest[1 + tag..].starts_with('$') {
            let fence = &rest[..tag + 2];
            let body = &rest[fence.len()..];
            let end = body.find(fence).unwrap_or(body.len());
            let length = (fence.len() * 2 + end).min(rest.len());
            return self.push(length, TokenKind::Text(body[..end].to_string()));
        }
        self.push(1 + tag, TokenKind::Parameter);
    }
}

fn word_length(text: &str) -> usize {
    text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len())
}

fn line(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

fn block(text: &str) -> usize {
    text.find("*/").map_or(text.len(), |end| end + 2)
}

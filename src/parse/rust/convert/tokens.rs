//! Token streams and literals.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Maker;
use crate::parse::rust::ast::{Literal, Token, TokenKind};
use crate::scan::source::Span;

impl Maker<'_> {
    /// All tokens of a stream, groups flattened.
    pub fn tokens(&self, stream: TokenStream) -> Vec<Token> {
        let mut tokens = Vec::new();
        self.add_tokens(stream, &mut tokens);
        tokens
    }

    // Recursion is bounded by the nesting scan, which counts brackets.
    fn add_tokens(&self, stream: TokenStream, to: &mut Vec<Token>) {
        let mut quote: Option<Span> = None;
        for tree in stream {
            match tree {
                TokenTree::Group(group) => self.add_group(&group, to),
                TokenTree::Ident(ident) => {
                    let (text, span) = (name(&ident), self.span(ident.span()));
                    let token = match quote.take() {
                        Some(start) => Token { kind: TokenKind::Ident(format!("'{text}")), span: start.to(span) },
                        None => Token { kind: word(text), span },
                    };
                    to.push(token);
                }
                TokenTree::Punct(punct) if punct.as_char() == '\'' => quote = Some(self.span(punct.span())),
                TokenTree::Punct(punct) => {
                    to.push(Token { kind: TokenKind::Punct(punct.as_char()), span: self.span(punct.span()) });
                }
                TokenTree::Literal(value) => {
                    let span = self.span(value.span());
                    to.push(Token { kind: TokenKind::Literal(literal(&syn::Lit::new(value))), span });
                }
            }
        }
    }

    fn add_group(&self, group: &proc_macro2::Group, to: &mut Vec<Token>) {
        let brackets = match group.delimiter() {
            Delimiter::Parenthesis => Some(('(', ')')),
            Delimiter::Bracket => Some(('[', ']')),
            Delimiter::Brace => Some(('{', '}')),
            Delimiter::None => None,
        };
        if let Some((open, _)) = brackets {
            to.push(Token { kind: TokenKind::Open(open), span: self.span(group.span_open()) });
        }
        self.add_tokens(group.stream(), to);
        if let Some((_, close)) = brackets {
            to.push(Token { kind: TokenKind::Close(close), span: self.span(group.span_close()) });
        }
    }

    /// The span of a stream; empty at 0 for an empty one.
    pub fn stream_span(&self, stream: &TokenStream) -> Span {
        let mut trees = stream.clone().into_iter();
        let Some(first) = trees.next() else { return Span::default() };
        let span = self.span(first.span());
        trees.last().map_or(span, |last| span.to(self.span(last.span())))
    }
}

fn word(text: String) -> TokenKind {
    match text.as_str() {
        "true" => TokenKind::Literal(Literal::Flag(true)),
        "false" => TokenKind::Literal(Literal::Flag(false)),
        _ => TokenKind::Ident(text),
    }
}

/// A name without `r#`.
pub fn name(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_string).unwrap_or(text)
}

/// A literal's value.
pub fn literal(literal: &syn::Lit) -> Literal {
    match literal {
        syn::Lit::Str(text) => Literal::Text(text.value()),
        syn::Lit::ByteStr(bytes) => Literal::Bytes(String::from_utf8_lossy(&bytes.value()).into_owned()),
        syn::Lit::CStr(text) => Literal::Bytes(text.value().to_string_lossy().into_owned()),
        syn::Lit::Byte(byte) => Literal::Char(char::from(byte.value())),
        syn::Lit::Char(character) => Literal::Char(character.value()),
        syn::Lit::Int(number) => Literal::Integer(number.base10_parse().ok()),
        syn::Lit::Float(number) => Literal::Float(number.base10_parse().unwrap_or(0.0)),
        syn::Lit::Bool(flag) => Literal::Flag(flag.value),
        _ => Literal::Integer(None),
    }
}

//! Rust sources: our own plain tree of them, with byte spans.

pub mod ast;
mod convert;
mod expand;
pub mod lexer;
mod macros;
#[cfg(test)]
mod tests;
pub mod walk;

use std::str::FromStr;

use proc_macro2::{TokenStream, extra::invalidate_current_thread_spans};

use crate::parse::{Parsed, Problem, Syntax};
use crate::scan::source::Span;
use ast::RustFile;
use convert::Maker;
use expand::Macros;
pub use lexer::lex;

/// Parses a file. What does not parse comes back as tokens with a problem; spans are bytes of `text`.
pub fn parse(text: &str) -> Parsed {
    let scan = lexer::scan(text);
    let mut parsed = Parsed { comments: scan.comments, ..Parsed::default() };
    let file = match scan.too_deep {
        Some(span) => {
            let message = "nested too deep to be read: this Rust file is not judged".to_string();
            parsed.problems.push(Problem { span, message });
            RustFile { broken: true, ..RustFile::default() }
        }
        None => {
            let file = read(text, &mut parsed.problems);
            // Every span of this thread is dead from here on: nothing of syn may be left.
            invalidate_current_thread_spans();
            file
        }
    };
    parsed.syntax = Syntax::Rust(Box::new(file));
    parsed
}

fn read(text: &str, problems: &mut Vec<Problem>) -> RustFile {
    let base = lexer::prelude(text);
    let mut maker = Maker::new(text, base);
    let tokens = match TokenStream::from_str(&text[base..]) {
        Ok(tokens) => tokens,
        Err(error) => {
            problems.push(not_parsed(maker.span(error.span()), "cannot be split into tokens"));
            return RustFile { broken: true, ..RustFile::default() };
        }
    };
    match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(file) => {
            maker.macros = Macros::of(&file.items);
            let file = maker.file(&file);
            problems.extend(maker.problems());
            file
        }
        Err(error) => {
            problems.push(not_parsed(maker.span(error.span()), &error.to_string()));
            RustFile { broken: true, tokens: maker.tokens(tokens), ..RustFile::default() }
        }
    }
}

fn not_parsed(span: Span, why: &str) -> Problem {
    Problem { span, message: format!("not read as Rust, and not judged as code: {why}") }
}

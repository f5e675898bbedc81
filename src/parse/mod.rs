//! Each file by itself: text to syntax, comments and problems. Pure, parallel, and never a panic.

pub mod document;
pub mod rust;

use crate::scan::source::Span;

/// What one file said.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The syntax, or [`Syntax::None`] where no reader took the file.
    pub syntax: Syntax,
    /// Comments, for suppressions; in file order.
    pub comments: Vec<Comment>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// The syntax of a file, by reader.
#[derive(Clone, Debug, Default)]
pub enum Syntax {
    /// No reader took the file.
    #[default]
    None,
    /// Rust.
    Rust(Box<rust::ast::RustFile>),
    /// YAML (several documents), TOML or JSON (one).
    Documents(Vec<document::Node>),
}

/// A comment without its delimiters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// The whole comment with its delimiters.
    pub span: Span,
    /// The text inside.
    pub text: String,
}

/// Something a reader could not understand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What, in one sentence.
    pub message: String,
}

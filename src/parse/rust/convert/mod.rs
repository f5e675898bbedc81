//! From `syn`'s tree to ours.

pub mod expressions;
mod items;
pub mod patterns;
mod statements;
pub mod tokens;
mod types;

use std::cell::{Cell, RefCell};

use super::ast::{Attribute, RustFile};
use super::expand::Macros;
use crate::parse::Problem;
use crate::scan::source::Span;

/// Deepest nesting of expressions, types and patterns that is kept.
const DEEPEST: u32 = 1_500;

/// Makes our tree of one file.
#[derive(Debug)]
pub struct Maker<'t> {
    text: &'t str,
    base: usize,
    depth: Cell<u32>,
    cut: Cell<Option<Span>>,
    /// The file's own macros.
    pub macros: Macros,
    /// Macro bodies that were read as items, to be put beside the macro.
    pub lifted: RefCell<Vec<super::ast::Item>>,
}

impl<'t> Maker<'t> {
    /// For the text of a file whose first `base` bytes were not given to `syn`.
    pub fn new(text: &'t str, base: usize) -> Maker<'t> {
        let (depth, cut) = (Cell::new(0), Cell::new(None));
        Maker { text, base, depth, cut, macros: Macros::default(), lifted: RefCell::default() }
    }

    /// The whole file.
    pub fn file(&self, file: &syn::File) -> RustFile {
        RustFile {
            attributes: self.attributes(&file.attrs),
            items: self.items(&file.items),
            broken: false,
            tokens: Vec::new(),
        }
    }

    /// What was left out while the tree was made.
    pub fn problems(&self) -> Option<Problem> {
        let span = self.cut.get()?;
        Some(Problem { span, message: "an expression nests too deep here: its inside is not judged".to_string() })
    }

    /// A span in bytes of the file.
    pub fn span(&self, span: proc_macro2::Span) -> Span {
        let range = span.byte_range();
        Span::new(range.start + self.base, range.end + self.base)
    }

    /// Runs `make` one level deeper, or gives nothing when that is too deep.
    pub fn deeper<T>(&self, place: impl Fn() -> Span, make: impl FnOnce() -> T) -> Option<T> {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            if self.cut.get().is_none() {
                self.cut.set(Some(place()));
            }
            return None;
        }
        self.depth.set(depth + 1);
        let made = make();
        self.depth.set(depth);
        Some(made)
    }

    /// Attributes in order.
    pub fn attributes(&self, attributes: &[syn::Attribute]) -> Vec<Attribute> {
        attributes.iter().map(|attribute| self.attribute(attribute)).collect()
    }

    fn attribute(&self, attribute: &syn::Attribute) -> Attribute {
        let (value, tokens) = match &attribute.meta {
            syn::Meta::Path(_) => (None, Vec::new()),
            syn::Meta::List(list) => (None, self.tokens(list.tokens.clone())),
            syn::Meta::NameValue(pair) => (Some(self.expr(&pair.value)), Vec::new()),
        };
        Attribute {
            path: self.path(attribute.meta.path()),
            value,
            tokens,
            span: self.span(attribute.pound_token.span).to(self.span(attribute.bracket_token.span.close())),
        }
    }

    /// The span from the first attribute, if any, to `end`.
    pub fn span_with(&self, attributes: &[syn::Attribute], start: Span, end: Span) -> Span {
        let first = attributes.iter().find(|attribute| matches!(attribute.style, syn::AttrStyle::Outer));
        first.map_or(start, |first| self.span(first.pound_token.span)).to(end)
    }
}

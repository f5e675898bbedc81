//! Patterns.

use syn::Pat;

use super::Maker;
use super::tokens::{literal, name};
use crate::parse::rust::ast::{Parameter, Path, Pattern, PatternKind};
use crate::scan::source::Span;

impl Maker<'_> {
    /// A pattern.
    pub fn pattern(&self, pattern: &Pat) -> Pattern {
        let made = self.deeper(Span::default, || self.pattern_inside(pattern));
        made.unwrap_or(Pattern { span: Span::default(), kind: PatternKind::Other(Vec::new()) })
    }

    fn pattern_inside(&self, pattern: &Pat) -> Pattern {
        match pattern {
            Pat::Ident(ident) => self.binding(ident),
            Pat::Wild(wild) => Pattern { span: self.span(wild.underscore_token.span), kind: PatternKind::Wild },
            Pat::TupleStruct(parts) => {
                let path = self.qualified(parts.qself.as_ref(), &parts.path);
                let span = path.span.to(self.span(parts.paren_token.span.close()));
                Pattern { span, kind: PatternKind::TupleStruct(path, self.patterns(&parts.elems)) }
            }
            Pat::Struct(parts) => self.struct_pattern(parts),
            Pat::Tuple(tuple) => {
                let span = self.span(tuple.paren_token.span.join());
                Pattern { span, kind: PatternKind::Tuple(self.patterns(&tuple.elems)) }
            }
            Pat::Path(path) => {
                let path = self.qualified(path.qself.as_ref(), &path.path);
                Pattern { span: path.span, kind: PatternKind::Path(path) }
            }
            Pat::Lit(value) => {
                let span = self.span(value.lit.span());
                Pattern { span, kind: PatternKind::Literal(literal(&value.lit)) }
            }
            Pat::Or(cases) => {
                let cases: Vec<Pattern> = cases.cases.iter().map(|case| self.pattern(case)).collect();
                let span = cases.iter().map(|case| case.span).reduce(Span::to).unwrap_or_default();
                Pattern { span, kind: PatternKind::Or(cases) }
            }
            other => self.seen_through(other),
        }
    }

    /// Patterns that add nothing of their own.
    fn seen_through(&self, pattern: &Pat) -> Pattern {
        match pattern {
            Pat::Guard(guarded) => self.pattern(&guarded.pat),
            Pat::Paren(paren) => Pattern { span: self.span(paren.paren_token.span.join()), ..self.pattern(&paren.pat) },
            Pat::Reference(reference) => {
                let inner = self.pattern(&reference.pat);
                Pattern { span: self.span(reference.and_token.span).to(inner.span), ..inner }
            }
            Pat::Type(typed) => {
                let inner = self.pattern(&typed.pat);
                Pattern { span: inner.span.to(self.ty(&typed.ty).span), ..inner }
            }
            Pat::Slice(slice) => {
                let span = self.span(slice.bracket_token.span.join());
                Pattern { span, kind: PatternKind::Other(self.patterns(&slice.elems)) }
            }
            Pat::Rest(rest) => opaque(self.span(rest.dot2_token.spans[0]).to(self.span(rest.dot2_token.spans[1]))),
            Pat::Macro(call) => opaque(self.macro_span(&call.mac)),
            Pat::Range(range) => opaque(self.range(range).span),
            Pat::Const(block) => opaque(self.span(block.block.brace_token.span.join())),
            Pat::Verbatim(tokens) => opaque(self.stream_span(tokens)),
            _ => opaque(Span::default()),
        }
    }

    fn binding(&self, ident: &syn::PatIdent) -> Pattern {
        let text = name(&ident.ident);
        let mut span = self.span(ident.ident.span());
        let plain = ident.by_ref.is_none() && ident.mutability.is_none() && ident.subpat.is_none();
        // `None` and constants look like bindings; by convention only they start with a capital.
        if plain && text.starts_with(|first: char| first.is_ascii_uppercase()) {
            let path = Path { segments: vec![text], arguments: Vec::new(), span };
            return Pattern { span, kind: PatternKind::Path(path) };
        }
        let modifiers = [ident.by_ref.map(|token| token.span), ident.mutability.map(|token| token.span)];
        for modifier in modifiers.into_iter().flatten() {
            span = self.span(modifier).to(span);
        }
        if let Some((_, inner)) = &ident.subpat {
            span = span.to(self.pattern(inner).span);
        }
        Pattern { span, kind: PatternKind::Name(text) }
    }

    fn struct_pattern(&self, parts: &syn::PatStruct) -> Pattern {
        let path = self.qualified(parts.qself.as_ref(), &parts.path);
        let span = path.span.to(self.span(parts.brace_token.span.close()));
        let fields = parts.fields.iter().map(|field| (member(&field.member), self.pattern(&field.pat)));
        Pattern { span, kind: PatternKind::Struct(path, fields.collect()) }
    }

    fn patterns<P>(&self, patterns: &syn::punctuated::Punctuated<Pat, P>) -> Vec<Pattern> {
        patterns.iter().map(|pattern| self.pattern(pattern)).collect()
    }

    /// A closure's parameter.
    pub fn closure_parameter(&self, pattern: &Pat) -> Parameter {
        match pattern {
            Pat::Type(typed) => self.typed_parameter(typed),
            other => Parameter { pattern: self.pattern(other), ty: None, attributes: Vec::new() },
        }
    }

    /// A parameter with a type.
    pub fn typed_parameter(&self, typed: &syn::PatType) -> Parameter {
        Parameter {
            pattern: self.pattern(&typed.pat),
            ty: Some(self.ty(&typed.ty)),
            attributes: self.attributes(&typed.attrs),
        }
    }
}

fn opaque(span: Span) -> Pattern {
    Pattern { span, kind: PatternKind::Other(Vec::new()) }
}

/// A field's name or index.
pub fn member(member: &syn::Member) -> String {
    match member {
        syn::Member::Named(ident) => name(ident),
        syn::Member::Unnamed(index) => index.index.to_string(),
    }
}

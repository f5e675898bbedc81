//! Types and paths.

use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, TypeParamBound};

use super::Maker;
use super::tokens::name;
use crate::parse::rust::ast::{Path, Type};
use crate::scan::source::Span;

impl Maker<'_> {
    /// A type.
    pub fn ty(&self, ty: &syn::Type) -> Type {
        let made = self.deeper(Span::default, || self.ty_inside(ty));
        made.unwrap_or_default()
    }

    fn ty_inside(&self, ty: &syn::Type) -> Type {
        let mut made = self.outermost(ty);
        made.text = self.type_text(made.span);
        made
    }

    /// Path, arguments and span of a type, its text left empty.
    fn outermost(&self, ty: &syn::Type) -> Type {
        match ty {
            syn::Type::Path(path) => {
                let path = self.qualified(path.qself.as_ref(), &path.path);
                Type { path: path.segments, arguments: path.arguments, span: path.span, text: String::new() }
            }
            syn::Type::Reference(reference) => self.wrapped(self.span(reference.and_token.span), &reference.elem),
            syn::Type::Ptr(pointer) => self.wrapped(self.span(pointer.star_token.span), &pointer.elem),
            syn::Type::Group(group) => self.ty(&group.elem),
            syn::Type::Paren(paren) => Type { span: self.span(paren.paren_token.span.join()), ..self.ty(&paren.elem) },
            syn::Type::ImplTrait(bounded) => self.bounded(Some(self.span(bounded.impl_token.span)), &bounded.bounds),
            syn::Type::TraitObject(object) => {
                self.bounded(object.dyn_token.map(|token| self.span(token.span)), &object.bounds)
            }
            other => self.without_path(other),
        }
    }

    fn without_path(&self, ty: &syn::Type) -> Type {
        let (span, arguments) = match ty {
            syn::Type::Array(array) => (self.span(array.bracket_token.span.join()), vec![self.ty(&array.elem)]),
            syn::Type::Slice(slice) => (self.span(slice.bracket_token.span.join()), vec![self.ty(&slice.elem)]),
            syn::Type::Tuple(tuple) => {
                (self.span(tuple.paren_token.span.join()), tuple.elems.iter().map(|each| self.ty(each)).collect())
            }
            syn::Type::FnPtr(pointer) => {
                let end = self
                    .return_type(&pointer.output)
                    .map_or_else(|| self.span(pointer.paren_token.span.close()), |output| output.span);
                (self.span(pointer.fn_token.span).to(end), Vec::new())
            }
            syn::Type::Infer(infer) => (self.span(infer.underscore_token.span), Vec::new()),
            syn::Type::Never(never) => (self.span(never.bang_token.span), Vec::new()),
            syn::Type::Macro(call) => (self.macro_span(&call.mac), Vec::new()),
            syn::Type::Verbatim(tokens) => (self.stream_span(tokens), Vec::new()),
            _ => (Span::default(), Vec::new()),
        };
        Type { span, arguments, ..Type::default() }
    }

    fn wrapped(&self, start: Span, inner: &syn::Type) -> Type {
        let inner = self.ty(inner);
        Type { span: start.to(inner.span), ..inner }
    }

    fn bounded(&self, start: Option<Span>, bounds: &Punctuated<TypeParamBound, syn::Token![+]>) -> Type {
        let traits: Vec<Type> = bounds.iter().filter_map(|bound| self.bound(bound)).collect();
        let other = bounds.iter().filter_map(|bound| match bound {
            TypeParamBound::Lifetime(lifetime) => Some(self.span(lifetime.span())),
            TypeParamBound::PreciseCapture(capture) => Some(self.span(capture.gt_token.span)),
            TypeParamBound::Verbatim(tokens) => Some(self.stream_span(tokens)),
            _ => None,
        });
        let spans = start.into_iter().chain(traits.iter().map(|each| each.span)).chain(other);
        let span = spans.reduce(Span::to).unwrap_or_default();
        let path = traits.first().map(|first| first.path.clone()).unwrap_or_default();
        let arguments = if traits.len() == 1 {
            traits.into_iter().next().map(|only| only.arguments).unwrap_or_default()
        } else {
            traits
        };
        Type { path, arguments, span, text: String::new() }
    }

    /// The trait of a bound as a type.
    pub fn bound(&self, bound: &TypeParamBound) -> Option<Type> {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let path = self.path(&bound.path);
        let text = self.type_text(path.span);
        let span = bound.paren_token.map_or(path.span, |paren| self.span(paren.span.join()));
        Some(Type { path: path.segments, arguments: path.arguments, span, text })
    }

    /// The return type where one is written.
    pub fn return_type(&self, output: &ReturnType) -> Option<Type> {
        match output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    /// A path.
    pub fn path(&self, path: &syn::Path) -> Path {
        let written = path.segments.iter().map(|segment| name(&segment.ident));
        // `::name::x` is another crate's even beside a module called `name`: an empty segment stands before it. What
        // everybody calls by the same name needs no such care.
        let global = path.leading_colon.is_some()
            && path.segments.first().is_some_and(|first| !["std", "core", "alloc"].iter().any(|it| first.ident == it));
        let segments: Vec<String> = global.then(String::new).into_iter().chain(written).collect();
        let last = path.segments.iter().rev().find(|segment| !segment.arguments.is_empty());
        let arguments = last.map(|segment| self.arguments(&segment.arguments)).unwrap_or_default();
        let span = self.path_span(path, &arguments);
        Path { segments, arguments, span }
    }

    /// A path that may start with `<T as Trait>`.
    pub fn qualified(&self, of: Option<&syn::QSelf>, path: &syn::Path) -> Path {
        let mut made = self.path(path);
        if let Some(of) = of {
            let ty = self.ty(&of.ty);
            // In `<u8>::MAX` the colons belong to the type.
            made.segments.retain(|segment| !segment.is_empty());
            let mut segments = if ty.path.is_empty() { vec![ty.text.clone()] } else { ty.path };
            segments.extend(made.segments.drain(..).skip(of.position));
            made.segments = segments;
            made.span = self.span(of.lt_token.span).to(made.span);
        }
        made
    }

    /// The types are those already made of the last arguments: making them twice at each level would be exponential.
    fn path_span(&self, path: &syn::Path, types: &[Type]) -> Span {
        let Some(first) = path.segments.first() else { return Span::default() };
        let start = path.leading_colon.map_or(first.ident.span(), |colons| colons.spans[0]);
        let last = path.segments.last().unwrap_or(first);
        let end = match &last.arguments {
            PathArguments::None => self.span(last.ident.span()),
            PathArguments::AngleBracketed(arguments) => self.span(arguments.gt_token.span),
            PathArguments::Parenthesized(arguments) => {
                let close = self.span(arguments.paren_token.span.close());
                types.last().map_or(close, |last| close.to(last.span))
            }
        };
        self.span(start).to(end)
    }

    /// Type arguments: `<A, B>` gives both, `(A) -> B` both too; `Item = T` gives `T`.
    pub fn arguments(&self, arguments: &PathArguments) -> Vec<Type> {
        match arguments {
            PathArguments::None => Vec::new(),
            PathArguments::AngleBracketed(angles) => self.angles(angles),
            PathArguments::Parenthesized(parens) => {
                let inputs = parens.inputs.iter().map(|input| self.ty(&input.ty));
                inputs.chain(self.return_type(&parens.output)).collect()
            }
        }
    }

    /// The types among generic arguments.
    pub fn angles(&self, angles: &syn::AngleBracketedGenericArguments) -> Vec<Type> {
        let types = angles.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(self.ty(ty)),
            GenericArgument::AssocType(associated) => Some(self.ty(&associated.ty)),
            GenericArgument::Const(value) => {
                let span = self.expr(value).span;
                Some(Type { text: self.type_text(span), span, ..Type::default() })
            }
            _ => None,
        });
        types.collect()
    }

    /// The source of a type with its white space made regular.
    fn type_text(&self, span: Span) -> String {
        let source = self.text.get(span.range()).unwrap_or("");
        let mut text = String::with_capacity(source.len());
        let mut pending = false;
        for character in source.chars() {
            if character.is_whitespace() {
                pending = true;
                continue;
            }
            if pending && wants_space(&text, character) {
                text.push(' ');
            }
            pending = false;
            text.push(character);
        }
        text.replace(",>", ">").replace(",)", ")")
    }
}

/// Whether white space that stood between two characters of a type is kept.
fn wants_space(text: &str, next: char) -> bool {
    let last = text.chars().next_back().unwrap_or(' ');
    let word = |character: char| character.is_alphanumeric() || character == '_' || character == '\'';
    let loose = |character: char| matches!(character, '+' | '=' | '-');
    let closes = matches!(next, '>' | ')' | ',' | ';' | ']');
    (word(last) && (word(next) || matches!(next, '&' | '[' | '*' | '(')))
        || (matches!(last, ',' | ';' | ':') && !closes && !text.ends_with("::"))
        || loose(next)
        || loose(last)
        || (last == '>' && !closes && (word(next) || text.ends_with("->")))
}

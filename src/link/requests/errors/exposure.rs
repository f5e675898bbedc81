//! What the response of an error type shows of internal errors.

use super::internal;
use super::shown;
use super::types::ErrorType;
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::{FunctionInfo, ItemInfo};
use crate::link::requests::Part;
use crate::link::requests::body::{bare, each, inside_log, literal, macro_name, placeholders};
use crate::parse::rust::ast::{Expr, ExprKind, Field, ItemKind, MacroCall, Path, Pattern, PatternKind};
use crate::scan::source::{Place, Role, Span};

/// Adds what a type's response shows.
pub(super) fn look<'a>(
    part: &Part<'_, 'a>,
    ty: &ErrorType<'_, 'a>,
    types: &[ErrorType<'_, 'a>],
    found: &mut Vec<Fact>,
) {
    let Some(item) = ty.item else {
        return;
    };
    let names = part.context.names;
    let leaks = internal::shown_by(names, item, 0);
    if matches!(item.item.kind, ItemKind::Struct(_)) {
        conversions(part, ty, types, found);
        serialised(part, ty, found);
    }
    let Some(response) = ty.response else {
        // actix answers with Display.
        if let Some((variant, what)) =
            leaks.first().filter(|_| ty.block.of_trait.as_deref().is_some_and(|of| of.ends_with("ResponseError")))
        {
            let source = joined(&item.item.name, variant);
            add(part, ty.block.file, ty.block.block.for_type.span, what, &source, Confidence::Medium, found);
        }
        return;
    };
    let texts = internal::stringified(names, &ty.path);
    let info = names.function(response);
    for (span, what, source) in (Shown { part, item, subject: ty.subject, info, leaks, texts }).places() {
        add(part, info.file, span, what, &source, Confidence::High, found);
    }
}

/// What a function that is no part of an error type shows of an error of the tree that it is given under a name.
pub(super) fn of_parameter<'a>(
    part: &Part<'_, 'a>,
    info: &FunctionInfo<'a>,
    item: &ItemInfo<'a>,
    subject: &str,
) -> Vec<(Span, &'static str, String)> {
    let leaks = internal::shown_by(part.context.names, item, 0);
    if leaks.is_empty() {
        return Vec::new();
    }
    Shown { part, item, subject, info, leaks, texts: Vec::new() }.places()
}

/// `From` impls of a struct that becomes the body: text of an internal error in them goes out.
fn conversions(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>, types: &[ErrorType<'_, '_>], found: &mut Vec<Fact>) {
    let names = part.context.names;
    for block in names.impls().iter().filter(|block| block.self_type == ty.path && block.role == Role::Service) {
        let Some(of_trait) =
            block.block.of_trait.as_ref().filter(|of| of.path.last().is_some_and(|last| last == "From"))
        else {
            continue;
        };
        let Some((source, what)) =
            of_trait.arguments.first().and_then(|from| Some((from, internal::of_written(names, block, from)?)))
        else {
            continue;
        };
        for item in &block.block.items {
            let ItemKind::Function(function) = &item.kind else { continue };
            let (Some(body), Some(name)) = (&function.body, internal::parameter_name(function)) else { continue };
            let place = Place { file: block.file, span: item.name_span };
            let Some(holding) = names.function_holding(place) else { continue };
            each(body, &mut |expr, around| {
                let inside: Vec<&Expr> = around.iter().copied().chain([expr]).collect();
                if is_aside(around) || !shown::goes_out(part, types, holding, &inside) {
                    return;
                }
                if internal::shows_name(expr, name) {
                    add(part, block.file, expr.span, what, &source.text, Confidence::High, found);
                } else if hands_on(expr, name) {
                    add(part, block.file, expr.span, what, &source.text, Confidence::Medium, found);
                }
            });
        }
    }
}

/// Fields that hold an internal error, of a struct that is serialised whole.
fn serialised(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>, found: &mut Vec<Fact>) {
    let Some(item) = ty.item.filter(|_| shown::whole_shown(part, ty)) else { return };
    let ItemKind::Struct(fields) = &item.item.kind else { return };
    for field in fields.iter().filter(|field| !shown::is_skipped(field)) {
        if let Some(what) = internal::field_type(part.context.names, item, field, 0) {
            add(part, item.file, field.ty.span, what, &field.ty.text, Confidence::High, found);
        }
    }
}

/// `Self::from_err(&error)`: a constructor of the same type is given the whole error.
fn hands_on(expr: &Expr, name: &str) -> bool {
    let ExprKind::Call { function, arguments } = &*expr.kind else { return false };
    let own = crate::link::requests::body::called_path(function).is_some_and(|path| {
        path.segments.len() == 2 && path.last().starts_with(char::is_lowercase) && path.last().contains("err")
    });
    own && arguments.iter().any(|argument| matches!(&*bare(argument).kind, ExprKind::Path(path) if path.is(name)))
}

fn joined(name: &str, variant: &str) -> String {
    if variant.is_empty() { name.to_string() } else { format!("{name}::{variant}") }
}

fn add(
    part: &Part<'_, '_>,
    file: crate::scan::source::FileId,
    span: Span,
    what: &str,
    source: &str,
    sure: Confidence,
    found: &mut Vec<Fact>,
) {
    let data = vocabulary::ErrorExposure { what: what.into(), source: source.into() };
    found.push(part.fact(data, file, span, sure, None));
}

/// A value that is turned into text.
pub(super) struct Formatted<'e> {
    pub value: &'e Expr,
    pub debug: bool,
}

/// What an expression turns into text: `x.to_string()`, `format!("{x}")`, `json!({"message": x.to_string()})`.
pub(super) fn formatted(expr: &Expr) -> Vec<Formatted<'_>> {
    match &*expr.kind {
        ExprKind::MethodCall { receiver, method, arguments, .. } if method == "to_string" && arguments.is_empty() => {
            vec![Formatted { value: bare(receiver), debug: false }]
        }
        ExprKind::Macro(call)
            if matches!(call.path.last(), "format" | "format_args" | "write" | "writeln" | "anyhow" | "eyre") =>
        {
            in_format(call)
        }
        _ => Vec::new(),
    }
}

fn in_format(call: &MacroCall) -> Vec<Formatted<'_>> {
    let Some((message, _)) = call.message() else { return Vec::new() };
    let arguments: Vec<_> =
        call.arguments.iter().filter(|argument| literal(&argument.value) != Some(message)).collect();
    let shown = placeholders(message);
    let debug = shown.iter().any(|(_, debug)| *debug);
    arguments.into_iter().map(|argument| Formatted { value: bare(&argument.value), debug }).collect()
}

/// Names that a format string captures.
pub(super) fn captured(expr: &Expr) -> Vec<(String, bool)> {
    let Some((call, name)) = macro_name(expr) else { return Vec::new() };
    if !matches!(name, "format" | "format_args" | "write" | "writeln" | "anyhow") {
        return Vec::new();
    }
    let message = call.message().map_or("", |(message, _)| message);
    crate::link::requests::body::captures(message).into_iter().map(|(name, debug)| (name.to_string(), debug)).collect()
}

/// Calls whose arguments do not go into the body: logs, extensions, spans.
pub(super) fn is_aside(around: &[&Expr]) -> bool {
    inside_log(around)
        || around.iter().any(|outer| match &*outer.kind {
            ExprKind::MethodCall { method, .. } => {
                matches!(method.as_str(), "insert" | "record" | "capture" | "log" | "log_error")
            }
            ExprKind::Call { function, .. } => crate::link::requests::body::called_path(function).is_some_and(|path| {
                path.last() == "Extension" || path.last().starts_with("capture_") || path.last().contains("log")
            }),
            _ => false,
        })
}

/// A function that makes an answer of an error.
struct Shown<'r, 'c, 'a> {
    part: &'r Part<'c, 'a>,
    /// The error's type.
    item: &'r ItemInfo<'a>,
    /// What the error is called in the function.
    subject: &'r str,
    info: &'r FunctionInfo<'a>,
    /// Variants whose Display shows something.
    leaks: Vec<(String, &'static str)>,
    /// Variants whose text was made of an internal error.
    texts: Vec<String>,
}

impl<'a> Shown<'_, '_, 'a> {
    /// Where it shows what of which variant.
    fn places(&self) -> Vec<(Span, &'static str, String)> {
        let mut shown: Vec<(Span, &'static str, String)> = Vec::new();
        let Some(body) = &self.info.function.body else { return shown };
        each(body, &mut |expr, around| {
            if is_aside(around) {
                return;
            }
            for Formatted { value, debug } in formatted(expr) {
                shown.extend(self.value(value, debug, around).map(|(what, source)| (expr.span, what, source)));
            }
            for (name, debug) in captured(expr) {
                let seen = if name == self.subject { self.whole(around) } else { self.bound(&name, debug, around) };
                shown.extend(seen.map(|(what, source)| (expr.span, what, source)));
            }
            if let ExprKind::Path(path) = &*expr.kind
                && path.segments.len() == 1
            {
                shown.extend(self.text_of(path.last(), around).map(|source| (expr.span, "display", source)));
            }
        });
        shown
    }

    /// What the text of a value shows.
    fn value(&self, value: &Expr, debug: bool, around: &[&Expr]) -> Option<(&'static str, String)> {
        match &*value.kind {
            ExprKind::Path(path) if path.is(self.subject) => self.whole(around),
            ExprKind::Path(path) if path.segments.len() == 1 => self.bound(path.last(), debug, around),
            ExprKind::Field { base, name } if self.is_subject(base) => {
                let ItemKind::Struct(fields) = &self.item.item.kind else { return None };
                let field = fields.iter().find(|field| field.name == *name)?;
                self.field(field, debug, &self.item.item.name)
            }
            _ => None,
        }
    }

    fn field(&self, field: &Field, debug: bool, source: &str) -> Option<(&'static str, String)> {
        let what = internal::field_type(self.part.context.names, self.item, field, 0)?;
        let what = if debug && what == "display" { "debug" } else { what };
        Some((what, source.to_string()))
    }

    /// `self.to_string()`: Display of the variants that can get here.
    fn whole(&self, around: &[&Expr]) -> Option<(&'static str, String)> {
        let (listed, excluded) = self.arm(around);
        let possible = |variant: &str| {
            if listed.is_empty() {
                !excluded.iter().any(|other| other == variant)
            } else {
                listed.iter().any(|one| one == variant)
            }
        };
        let (variant, what) = self.leaks.iter().find(|(variant, _)| variant.is_empty() || possible(variant))?;
        Some((what, joined(&self.item.item.name, variant)))
    }

    /// Variants of the innermost arm around, and those of the arms beside it, of a match on self.
    fn arm(&self, around: &[&Expr]) -> (Vec<String>, Vec<String>) {
        for (at, outer) in around.iter().enumerate().rev() {
            let ExprKind::Match { on, arms } = &*outer.kind else { continue };
            let Some(inner) = around.get(at + 1).filter(|_| self.is_subject(on)) else { continue };
            let (mut listed, mut excluded) = (Vec::new(), Vec::new());
            for arm in arms {
                let into = if arm.body.span.holds(inner.span) { &mut listed } else { &mut excluded };
                variants(&arm.pattern, into);
            }
            return (listed, excluded);
        }
        (Vec::new(), Vec::new())
    }

    /// A name that a pattern around binds to a field of a variant, or to all of self.
    fn bound(&self, name: &str, debug: bool, around: &[&Expr]) -> Option<(&'static str, String)> {
        for (at, outer) in around.iter().enumerate().rev() {
            let pattern = match &*outer.kind {
                ExprKind::Match { on, arms } if self.is_subject(on) => {
                    let inner = around.get(at + 1)?;
                    &arms.iter().find(|arm| arm.body.span.holds(inner.span))?.pattern
                }
                ExprKind::If { condition, .. } => match &*condition.kind {
                    ExprKind::Let { pattern, value } if self.is_subject(value) => pattern,
                    _ => continue,
                },
                _ => continue,
            };
            if matches!(&pattern.kind, PatternKind::Name(whole) if whole == name) {
                return self.whole(around);
            }
            let (path, position) = binding(pattern, name)?;
            let field = self.variant_field(path, &position)?;
            return self.field(field, debug, &path.text());
        }
        None
    }

    fn variant_field(&self, path: &Path, position: &str) -> Option<&'a Field> {
        let item: &'a crate::parse::rust::ast::Item = self.item.item;
        match &item.kind {
            ItemKind::Enum(list) => {
                let variant = list.iter().find(|variant| variant.name == path.last())?;
                variant.fields.iter().find(|field| field.name == position)
            }
            ItemKind::Struct(fields) => fields.iter().find(|field| field.name == position),
            _ => None,
        }
    }

    fn is_subject(&self, expr: &Expr) -> bool {
        matches!(&*bare(expr).kind, ExprKind::Path(path) if path.is(self.subject))
    }

    /// A bound text that was made of an internal error.
    fn text_of(&self, name: &str, around: &[&Expr]) -> Option<String> {
        for (at, outer) in around.iter().enumerate().rev() {
            let ExprKind::Match { on, arms } = &*outer.kind else { continue };
            let Some(inner) = around.get(at + 1).filter(|_| self.is_subject(on)) else { continue };
            let arm = arms.iter().find(|arm| arm.body.span.holds(inner.span))?;
            let (path, _) = binding(&arm.pattern, name)?;
            return self.texts.iter().any(|variant| variant == path.last()).then(|| path.text());
        }
        None
    }
}

/// Names of the variants that a pattern lists.
fn variants(pattern: &Pattern, into: &mut Vec<String>) {
    match &pattern.kind {
        PatternKind::TupleStruct(path, _) | PatternKind::Struct(path, _) | PatternKind::Path(path) => {
            into.push(path.last().to_string())
        }
        PatternKind::Or(parts) | PatternKind::Other(parts) | PatternKind::Tuple(parts) => {
            parts.iter().for_each(|part| variants(part, into));
        }
        _ => {}
    }
}

/// The variant and field that a pattern binds to a name.
fn binding<'p>(pattern: &'p Pattern, name: &str) -> Option<(&'p Path, String)> {
    let binds = |part: &Pattern| matches!(&part.kind, PatternKind::Name(bound) if bound == name);
    match &pattern.kind {
        PatternKind::TupleStruct(path, parts) => {
            let at = parts.iter().position(binds)?;
            Some((path, at.to_string()))
        }
        PatternKind::Struct(path, parts) => {
            let (field, _) = parts.iter().find(|(_, part)| binds(part))?;
            Some((path, field.clone()))
        }
        PatternKind::Or(parts) | PatternKind::Other(parts) => parts.iter().find_map(|part| binding(part, name)),
        _ => None,
    }
}

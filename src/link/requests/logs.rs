//! Log statements: their level and what they log that is sensitive.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::Part;
use super::body::{each, each_in, is_log, literal, placeholders};
use super::sensitive::{self, Kind, names_in};
use crate::facts::{Attr, Confidence, Data, Fact, vocabulary};
use crate::link::names::{FunctionInfo, Scope};
use crate::parse::rust::ast::{
    Attribute, Expr, ExprKind, Literal, MacroArgument, MacroCall, Parameter, Path, Pattern, PatternKind, Token,
    TokenKind,
};
use crate::scan::source::Span;

/// Adds the log statements of a function, its own span included.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let logs = Logs { part, info, scope: OnceCell::new() };
    for attribute in info.item.attributes.iter().filter(|attribute| attribute.path.last() == "instrument") {
        logs.span_attribute(attribute, found);
    }
    let Some(body) = &info.function.body else { return };
    each(body, &mut |expr, around| match &*expr.kind {
        ExprKind::Macro(call) if is_log(call) => logs.call(call, around, found),
        ExprKind::MethodCall { method, arguments, method_span, .. } if method == "include_headers" => {
            let on =
                arguments.first().is_some_and(|value| matches!(&*value.kind, ExprKind::Literal(Literal::Flag(true))));
            if on && !part.hides_headers {
                let seen = BTreeMap::from([("headers".to_string(), Kind::Request)]);
                found.push(logs.fact("info", None, &seen, *method_span, Confidence::High));
            }
        }
        _ => {}
    });
}

struct Logs<'l, 'c, 'a> {
    part: &'l Part<'c, 'a>,
    info: &'l FunctionInfo<'a>,
    scope: OnceCell<Scope<'c, 'a>>,
}

/// Sensitive names with their kinds.
type Seen = BTreeMap<String, Kind>;

impl<'a> Logs<'_, '_, 'a> {
    fn scope(&self) -> &Scope<'_, 'a> {
        self.scope.get_or_init(|| self.part.context.names.scope(self.info.id))
    }

    fn call(&self, call: &MacroCall, around: &[&'a Expr], found: &mut Vec<Fact>) {
        let level = level(call);
        let message = call.message().map(|(text, _)| text.to_string());
        let mut seen = Seen::new();
        self.named_arguments(call, &mut seen);
        if let Some(message) = &message {
            self.format(call, message, &mut seen);
        }
        let personal = seen.values().all(|kind| *kind == Kind::Personal);
        let sure = match level {
            "debug" | "trace" if personal => Confidence::Low,
            "debug" | "trace" => Confidence::Medium,
            _ => Confidence::High,
        };
        let mut fact = self.fact(level, message, &seen, call.span, sure);
        if let Data::LogCall(log) = &mut fact.data {
            log.of_server_error = self.is_of_server_error(call, around).into();
        }
        found.push(fact);
    }

    /// In the branch of an error that answers that the server failed, with no louder log beside it.
    fn is_of_server_error(&self, call: &MacroCall, around: &[&'a Expr]) -> bool {
        let Some(branch) = around.iter().rev().find_map(|outer| branch_of_error(outer, call.span)) else {
            return false;
        };
        let text = self.part.context.repository.tree.file(self.info.file).slice(branch.span);
        let mut failed = false;
        each_in(branch, &mut |expr, _| {
            failed |= matches!(&*expr.kind, ExprKind::Path(path)
                if matches!(path.last(), "INTERNAL_SERVER_ERROR" | "InternalServerError"));
        });
        failed && !["error!", "warn!", "crit!"].iter().any(|word| text.contains(word))
    }

    fn fact(&self, level: &str, message: Option<String>, seen: &Seen, span: Span, sure: Confidence) -> Fact {
        let reached = self.part.reached(self.info, span);
        let kind = seen.values().min().map(|kind| kind.word().to_string());
        let data = vocabulary::LogCall {
            level: level.into(),
            message: message.into(),
            sensitive: if seen.is_empty() { Attr::Unset } else { Attr::Known(seen.keys().cloned().collect()) },
            sensitivity: kind.into(),
            in_request: reached.is_some().into(),
            of_server_error: false.into(),
        };
        self.part.fact(data, self.info.file, span, sure, None)
    }

    fn value(&self, expr: &Expr, debug: bool, seen: &mut Seen) {
        if let Some((name, kind)) = sensitive::of_value(self.part.context.names, self.scope(), expr, debug)
            && !(kind == Kind::Request && self.part.hides_headers)
        {
            seen.insert(name, kind);
        }
    }

    /// `email = %user.email`, `?config`, `"email" => &params.email`.
    fn named_arguments(&self, call: &MacroCall, seen: &mut Seen) {
        for argument in &call.arguments {
            if argument.name.is_none() && argument.sigil.is_none() {
                continue;
            }
            let before = seen.len();
            self.value(&argument.value, argument.sigil == Some('?'), seen);
            if seen.len() == before
                && let Some(name) = argument.name.as_deref()
            {
                self.named(name, &argument.value, seen);
            }
        }
    }

    /// A value without a telling name of its own under a telling key.
    fn named(&self, name: &str, value: &Expr, seen: &mut Seen) {
        let plain = matches!(&*super::body::bare(value).kind, ExprKind::Path(_) | ExprKind::Field { .. });
        let hidden = self
            .scope()
            .type_of(super::body::bare(value))
            .is_some_and(|ty| sensitive::hides(self.part.context.names, &ty));
        if let Some(kind) = sensitive::of_name(name).filter(|_| plain && !hidden) {
            seen.insert(name.to_string(), kind);
        }
    }

    /// The message's placeholders with the arguments that fill them.
    fn format(&self, call: &MacroCall, message: &str, seen: &mut Seen) {
        let position = call.arguments.iter().position(|argument| {
            argument.name.is_none() && literal(&argument.value).is_some_and(|text| text == message)
        });
        let after = call.arguments.get(position.map_or(usize::MAX, |at| at + 1)..).unwrap_or(&[]);
        let mut positional = after.iter().filter(|argument| argument.name.is_none());
        for (name, debug) in placeholders(message) {
            match name {
                "" => positional.next().iter().for_each(|argument| self.value(&argument.value, debug, seen)),
                name if name.starts_with(|first: char| first.is_ascii_digit()) => {
                    let at: usize = name.parse().unwrap_or(usize::MAX);
                    after.get(at).iter().for_each(|argument| self.value(&argument.value, debug, seen));
                }
                name => match named_argument(after, name) {
                    Some(value) => self.value(value, debug, seen),
                    None => self.value(&name_expr(name, call.span), debug, seen),
                },
            }
        }
    }

    /// `#[instrument(fields(email = %form.email))]`, and the arguments that it records when they are not skipped.
    fn span_attribute(&self, attribute: &Attribute, found: &mut Vec<Fact>) {
        let mut seen = Seen::new();
        field_names(&attribute.tokens).iter().for_each(|(name, value)| {
            let kind =
                sensitive::of_name(value).or_else(|| if value.is_empty() { None } else { sensitive::of_name(name) });
            if let Some(kind) = kind {
                seen.insert(if value.is_empty() { name.clone() } else { value.clone() }, kind);
            }
        });
        debugged(&attribute.tokens).iter().for_each(|value| self.value(value, true, &mut seen));
        if !names_in(attribute, "skip_all") {
            let skipped = |name: &str| skipped_names(&attribute.tokens).iter().any(|known| known == name);
            for parameter in &self.info.function.parameters {
                self.recorded(parameter, &skipped, &mut seen);
            }
        }
        if !seen.is_empty() {
            found.push(self.fact(span_level(&attribute.tokens), None, &seen, attribute.span, Confidence::High));
        }
    }

    fn recorded(&self, parameter: &Parameter, skipped: &dyn Fn(&str) -> bool, seen: &mut Seen) {
        let PatternKind::Name(name) = &parameter.pattern.kind else { return };
        if !skipped(name) {
            self.value(&name_expr(name, parameter.pattern.span), true, seen);
        }
    }
}

/// What an expression does with an error, where that holds a place: an `Err` arm, `if let Err`, `map_err`.
fn branch_of_error(outer: &Expr, place: Span) -> Option<&Expr> {
    let binds = |pattern: &Pattern| matches!(&pattern.kind, PatternKind::TupleStruct(path, _) if path.last() == "Err");
    let branch = match &*outer.kind {
        ExprKind::Match { arms, .. } => {
            &arms.iter().find(|arm| arm.body.span.holds(place)).filter(|arm| binds(&arm.pattern))?.body
        }
        // The whole of it: an `else` beside the branch may answer as well.
        ExprKind::If { condition, then, .. } => match &*condition.kind {
            ExprKind::Let { pattern, .. } if binds(pattern) && then.span.holds(place) => outer,
            _ => return None,
        },
        ExprKind::MethodCall { method, arguments, .. }
            if matches!(method.as_str(), "map_err" | "unwrap_or_else" | "or_else") =>
        {
            arguments.first()?
        }
        _ => return None,
    };
    branch.span.holds(place).then_some(branch)
}

fn level(call: &MacroCall) -> &'static str {
    let name = call.path.last();
    let of =
        |text: &str| LEVELS.iter().find(|(word, _)| text.to_ascii_lowercase().contains(word)).map(|(_, level)| *level);
    of(name)
        .or_else(|| {
            let mut words = call.tokens.iter().take(8).filter_map(|token| match &token.kind {
                TokenKind::Ident(word) => Some(word.as_str()),
                _ => None,
            });
            words.find_map(|word| {
                LEVELS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, level)| *level)
            })
        })
        .unwrap_or("info")
}

const LEVELS: &[(&str, &str)] = &[
    ("error", "error"),
    ("crit", "error"),
    ("warn", "warn"),
    ("info", "info"),
    ("debug", "debug"),
    ("trace", "trace"),
];

fn named_argument<'m>(arguments: &'m [MacroArgument], name: &str) -> Option<&'m Expr> {
    arguments.iter().find(|argument| argument.name.as_deref() == Some(name)).map(|argument| &argument.value)
}

/// A local's name as an expression.
fn name_expr(name: &str, span: Span) -> Expr {
    let path = Path { segments: vec![name.to_string()], arguments: Vec::new(), span };
    Expr { span, kind: Box::new(ExprKind::Path(path)) }
}

/// `name = value` pairs inside `fields(..)`: the value by the last name of its path; empty where there is none.
fn field_names(tokens: &[Token]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in group(tokens, "fields").split(|token| token.kind == TokenKind::Punct(',')) {
        let split = part.iter().position(|token| token.kind == TokenKind::Punct('='));
        let (name, value) = part.split_at(split.unwrap_or(part.len()));
        // A call may mask what it is given.
        let calls = value.iter().any(|token| matches!(token.kind, TokenKind::Open(_)));
        let ident = |tokens: &[Token]| {
            let mut words = tokens.iter().rev().filter_map(|token| match &token.kind {
                TokenKind::Ident(word) => Some(word.clone()),
                _ => None,
            });
            words.next().unwrap_or_default()
        };
        if !name.is_empty() && !calls {
            // `field::Empty` is filled in later, under the field's name.
            let value = Some(ident(value)).filter(|value| value != "Empty").unwrap_or_else(|| ident(name));
            found.push((ident(name), value));
        }
    }
    found
}

/// Values inside `fields(..)` that are written by Debug, as expressions: `name = ?value`, `?value.field`.
fn debugged(tokens: &[Token]) -> Vec<Expr> {
    let mut found = Vec::new();
    for part in group(tokens, "fields").split(|token| token.kind == TokenKind::Punct(',')) {
        let Some(at) = part.iter().position(|token| token.kind == TokenKind::Punct('?')) else { continue };
        let mut value: Option<Expr> = None;
        let plain = part[at + 1..].iter().all(|token| match &token.kind {
            TokenKind::Ident(word) => {
                value = Some(match value.take() {
                    Some(base) => {
                        let span = Span { start: base.span.start, end: token.span.end };
                        Expr { span, kind: Box::new(ExprKind::Field { base, name: word.clone() }) }
                    }
                    None => name_expr(word, token.span),
                });
                true
            }
            TokenKind::Punct('.') => true,
            _ => false,
        });
        found.extend(value.filter(|_| plain));
    }
    found
}

/// The level of `#[instrument(level = "trace")]` and `#[instrument(level = Level::TRACE)]`.
fn span_level(tokens: &[Token]) -> &'static str {
    let is_level = |token: &Token| matches!(&token.kind, TokenKind::Ident(word) if word == "level");
    let Some(at) = tokens.iter().position(is_level) else { return "info" };
    let value = tokens.get(at + 1..).unwrap_or_default().split(|token| token.kind == TokenKind::Punct(',')).next();
    let last = value.unwrap_or_default().iter().rev().find_map(|token| match &token.kind {
        TokenKind::Ident(word) | TokenKind::Literal(Literal::Text(word)) => Some(word.to_ascii_lowercase()),
        _ => None,
    });
    ["trace", "debug", "warn", "error"].into_iter().find(|level| last.as_deref() == Some(level)).unwrap_or("info")
}

fn skipped_names(tokens: &[Token]) -> Vec<String> {
    let words = group(tokens, "skip").iter().filter_map(|token| match &token.kind {
        TokenKind::Ident(word) => Some(word.clone()),
        _ => None,
    });
    words.collect()
}

/// The tokens in the parentheses after a word.
fn group<'t>(tokens: &'t [Token], word: &str) -> &'t [Token] {
    let is_word = |token: &Token| matches!(&token.kind, TokenKind::Ident(known) if known == word);
    let Some(start) = tokens.iter().position(is_word).map(|at| at + 2) else { return &[] };
    let mut depth = 1;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.kind {
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &tokens[start..at];
        }
    }
    &[]
}

//! Errors that a handler answers by itself: their text in the body, and answers without the service's error type.

use super::exposure::{captured, formatted, is_aside, of_parameter};
use super::shown::goes_out;
use super::types::{ErrorType, answers};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::FunctionInfo;
use crate::link::requests::Part;
use crate::link::requests::body::{bare, called_path, chain, chain_root, each, each_in, literal, macro_name};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Pattern, PatternKind, Statement};
use crate::scan::source::Span;

/// Adds what a function that requests reach says in its own error answers.
pub(super) fn look<'a>(
    part: &Part<'_, 'a>,
    info: &FunctionInfo<'a>,
    types: &[ErrorType<'_, 'a>],
    found: &mut Vec<Fact>,
) {
    let Some(body) = &info.function.body else { return };
    let inline = Inline { part, info, types };
    inline.helper(body, found);
    inline.told(body, found);
    each(body, &mut |expr, around| {
        if let Some((name, answer, from)) = error_branch(expr) {
            inline.branch(name, answer, inline.source(from), found);
        }
        if let ExprKind::Match { on, arms } = &*expr.kind {
            for arm in arms {
                if let Some(name) = err_name(&arm.pattern) {
                    inline.branch(name, &arm.body, inline.source(on), found);
                }
            }
        }
        inline.framework_error(expr, found);
        if part.reach.is_handler(info.id) && !is_aside(around) {
            inline.ad_hoc(expr, found);
        }
    });
}

struct Inline<'i, 'p, 'c, 'a> {
    part: &'i Part<'c, 'a>,
    info: &'i FunctionInfo<'a>,
    types: &'i [ErrorType<'p, 'a>],
}

/// `map_err(|error| answer)` and its like: the name, the answer, and what failed.
fn error_branch(expr: &Expr) -> Option<(&str, &Expr, &Expr)> {
    let ExprKind::MethodCall { receiver, method, arguments, .. } = &*expr.kind else { return None };
    if !matches!(method.as_str(), "map_err" | "unwrap_or_else" | "or_else") {
        return None;
    }
    let ExprKind::Closure { parameters, body, .. } = &*arguments.first()?.kind else { return None };
    let PatternKind::Name(name) = &parameters.first()?.pattern.kind else { return None };
    Some((name, body, receiver))
}

/// The name in `Err(name)`.
fn err_name(pattern: &Pattern) -> Option<&str> {
    match &pattern.kind {
        PatternKind::TupleStruct(path, parts) if path.last() == "Err" => match &parts.first()?.kind {
            PatternKind::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Words of an answer that say that the server failed.
const SERVER_FAULT: &[&str] = &[
    "INTERNAL_SERVER_ERROR",
    "InternalServerError",
    "SERVICE_UNAVAILABLE",
    "ServiceUnavailable",
    "BAD_GATEWAY",
    "BadGateway",
    "Status::internal",
    "Status::unavailable",
    "Status::unknown",
    "Status::data_loss",
    "from_u16(500",
    "InternalError",
    "internal_error(",
    "internal_server_error(",
];

/// Whether a text answers that the server failed.
pub(super) fn is_server_fault(text: &str) -> bool {
    SERVER_FAULT.iter().any(|word| text.contains(word))
}

impl<'a> Inline<'_, '_, '_, 'a> {
    fn text(&self, span: Span) -> &'a str {
        self.part.context.repository.tree.file(self.info.file).slice(span)
    }

    fn is_server_fault(&self, span: Span) -> bool {
        is_server_fault(self.text(span))
    }

    /// How sure it is that the error of an expression tells of the inside: what is awaited asks a database, a network or
    /// a file; an error of plain computing says little.
    fn source(&self, failed: &Expr) -> Confidence {
        let failed = self.bound(failed).unwrap_or(failed);
        let awaits = matches!(&*failed.kind, ExprKind::Await(_)) || self.text(failed.span).contains(".await");
        let called = called_path(failed).or_else(|| called_path(chain_root(failed)));
        let internal = called.is_some_and(|path| {
            let names = self.part.context.names;
            let target = names.function_at(&names.resolve_in(self.info.id, &path.segments));
            let error = target.and_then(|target| names.returned(target)).and_then(|ty| ty.arguments.get(1).cloned());
            error.is_some_and(|ty| super::internal::of_type(names, &ty, 0).is_some())
        });
        if awaits || internal { Confidence::High } else { Confidence::Low }
    }

    /// The value that the local at the root of a chain was bound to, where the chain starts from one.
    fn bound(&self, failed: &Expr) -> Option<&'a Expr> {
        let ExprKind::Path(path) = &*chain_root(failed).kind else { return None };
        let body = self.info.function.body.as_ref()?;
        body.statements.iter().find_map(|statement| match statement {
            Statement::Let { pattern, value: Some(value), .. } => {
                matches!(&pattern.kind, PatternKind::Name(name) if path.is(name)).then_some(value)
            }
            _ => None,
        })
    }

    /// The branch of an error: its text in an answer that says that the server failed.
    fn branch(&self, name: &str, answer: &'a Expr, sure: Confidence, found: &mut Vec<Fact>) {
        let strings = self.answers_text();
        if !self.is_server_fault(answer.span) && !strings {
            return;
        }
        each_in(answer, &mut |expr, around| {
            let shows = !formatted(expr).is_empty() || !captured(expr).is_empty();
            if shows && !self.is_kept(answer, expr.span) {
                self.shows(name, expr, around, sure, found);
            }
        });
    }

    /// Text that a local of the branch holds and that goes nowhere but into logs: `let text = format!(..)`.
    fn is_kept(&self, answer: &'a Expr, place: Span) -> bool {
        let mut bound: Vec<&str> = Vec::new();
        each_in(answer, &mut |outer, _| {
            let ExprKind::Block(block) = &*outer.kind else { return };
            bound.extend(block.statements.iter().filter_map(|statement| match statement {
                Statement::Let { pattern, value: Some(value), .. } if value.span.holds(place) => match &pattern.kind {
                    PatternKind::Name(name) => Some(name.as_str()),
                    _ => None,
                },
                _ => None,
            }));
        });
        let Some(name) = bound.last() else { return false };
        let mut used = false;
        each_in(answer, &mut |expr, around| {
            let named = matches!(&*expr.kind, ExprKind::Path(path) if path.is(name))
                || captured(expr).iter().any(|(captured, _)| captured == name);
            used |= named && expr.span.start > place.end && !is_aside(around);
        });
        !used
    }

    /// A handler of type `Result<_, String>`: the error is the body.
    fn answers_text(&self) -> bool {
        let returns = self.info.function.returns.as_ref();
        self.part.reach.is_handler(self.info.id)
            && returns.is_some_and(|ty| ty.path.last().is_some_and(|last| last == "Result"))
            && returns.and_then(|ty| ty.arguments.get(1)).is_some_and(|ty| ty.text == "String")
    }

    fn shows(&self, name: &str, expr: &'a Expr, around: &[&'a Expr], sure: Confidence, found: &mut Vec<Fact>) {
        if is_aside(around) || !goes_out(self.part, self.types, self.info.id, around) {
            return;
        }
        let is_name = |value: &Expr| matches!(&*value.kind, ExprKind::Path(path) if path.is(name));
        let by_value =
            formatted(expr).into_iter().find(|formatted| is_name(formatted.value)).map(|formatted| formatted.debug);
        let by_capture = || captured(expr).into_iter().find(|(captured, _)| captured == name).map(|(_, debug)| debug);
        if let Some(debug) = by_value.or_else(by_capture) {
            // Debug of whatever error is more than a client should read.
            let sure = if debug { sure.max(Confidence::Medium) } else { sure };
            self.add(expr.span, debug, name, sure, found);
        }
    }

    fn add(&self, span: Span, debug: bool, source: &str, sure: Confidence, found: &mut Vec<Fact>) {
        let Some(reached) = self.part.reached(self.info, span) else { return };
        let what = if debug { "debug" } else { "display" };
        let data = vocabulary::ErrorExposure { what: what.into(), source: source.into() };
        found.push(self.part.fact(data, self.info.file, span, sure, Some(reached)));
    }

    /// A function that makes an answer of any error it is given.
    fn helper(&self, body: &'a Block, found: &mut Vec<Fact>) {
        let returns = self.info.function.returns.as_ref().map_or("", |ty| ty.text.as_str());
        let answers = ["StatusCode", "HttpResponse", "Response", "actix_web::Error", "Custom<"]
            .iter()
            .any(|word| returns.contains(word));
        if !answers || !self.is_server_fault(body.span) || self.part.reach.is_handler(self.info.id) {
            return;
        }
        for parameter in &self.info.function.parameters {
            let PatternKind::Name(name) = &parameter.pattern.kind else { continue };
            let text = parameter.ty.as_ref().map_or("", |ty| ty.text.as_str());
            if text.contains("Error") || text.contains("anyhow") || text.len() <= 2 {
                each(body, &mut |expr, around| self.shows(name, expr, around, Confidence::High, found));
            }
        }
    }

    /// A function that makes an answer of an error of the tree whose Display shows what it wraps, whatever the status.
    fn told(&self, body: &'a Block, found: &mut Vec<Fact>) {
        let names = self.part.context.names;
        let returns = self.info.function.returns.as_ref();
        if !returns.is_some_and(|ty| answers(names, self.info.module, ty)) || self.part.reach.is_handler(self.info.id) {
            return;
        }
        for parameter in &self.info.function.parameters {
            let PatternKind::Name(name) = &parameter.pattern.kind else { continue };
            let Some(ty) = parameter.ty.as_ref().map(|ty| names.type_in(self.info.id, ty)) else { continue };
            let Some(item) = names.item_at(&ty.path) else { continue };
            for (span, what, source) in of_parameter(self.part, self.info, item, name) {
                let Some(reached) = self.part.reached(self.info, span).filter(|_| !is_only_logged(body, span)) else {
                    continue;
                };
                let data = vocabulary::ErrorExposure { what: what.into(), source: source.into() };
                found.push(self.part.fact(data, self.info.file, span, Confidence::High, Some(reached)));
            }
        }
    }

    /// actix's `ErrorInternalServerError(error)`: Display of the error is the body.
    fn framework_error(&self, expr: &'a Expr, found: &mut Vec<Fact>) {
        const FAULTS: &[&str] = &["ErrorInternalServerError", "ErrorServiceUnavailable", "ErrorBadGateway"];
        let named = |value: &Expr| called_path(value).is_some_and(|path| FAULTS.contains(&path.last()));
        match &*expr.kind {
            ExprKind::Call { function, arguments } if named(function) => {
                let constant = arguments.iter().all(|argument| literal(bare(argument)).is_some());
                if !constant
                    && arguments.iter().any(|argument| {
                        matches!(&*bare(argument).kind, ExprKind::Path(_)) || !formatted(argument).is_empty()
                    })
                {
                    self.add(expr.span, false, "error", Confidence::High, found);
                }
            }
            ExprKind::MethodCall { method, arguments, .. }
                if method == "map_err"
                    && arguments
                        .first()
                        .is_some_and(|value| matches!(&*value.kind, ExprKind::Path(_)) && named(value)) =>
            {
                self.add(arguments[0].span, false, "error", Confidence::High, found);
            }
            _ => {}
        }
    }

    /// A status or a string in place of the service's error type.
    fn ad_hoc(&self, expr: &Expr, found: &mut Vec<Fact>) {
        let name = self.info.item.name.to_ascii_lowercase();
        let by_purpose =
            ["health", "ready", "live", "alive", "fallback", "not_found", "404", "heartbeat", "ping", "status"];
        if by_purpose.iter().any(|word| name.contains(word)) {
            return;
        }
        let Some(form) = ad_hoc_form(expr) else { return };
        let data = vocabulary::AdHocError { form: form.into() };
        let reached = self.part.reached(self.info, expr.span);
        found.push(self.part.fact(data, self.info.file, expr.span, Confidence::High, reached));
    }
}

/// Text that a local of a body holds and that goes nowhere but into logs.
fn is_only_logged(body: &Block, place: Span) -> bool {
    let name = body.statements.iter().find_map(|statement| match statement {
        Statement::Let { pattern, value: Some(value), .. } if value.span.holds(place) => match &pattern.kind {
            PatternKind::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    });
    let Some(name) = name else { return false };
    let mut used = false;
    each(body, &mut |expr, around| {
        let named = matches!(&*expr.kind, ExprKind::Path(path) if path.is(name))
            || captured(expr).iter().any(|(captured, _)| captured == name);
        used |= named && expr.span.start > place.end && !is_aside(around);
    });
    !used
}

/// How an expression answers an error by itself.
fn ad_hoc_form(expr: &Expr) -> Option<&'static str> {
    match &*expr.kind {
        ExprKind::Tuple(parts) => {
            let tuple = parts.len() >= 2 && is_error_status(&parts[0]) && parts.last().is_some_and(is_text);
            tuple.then_some("tuple")
        }
        ExprKind::Call { function, arguments } => {
            let fails = called_path(function).is_some_and(|path| path.is("Err"));
            (fails && arguments.first().is_some_and(is_error_status)).then_some("status")
        }
        ExprKind::MethodCall { receiver, method, arguments, .. } => match method.as_str() {
            "ok_or" | "map_err" | "ok_or_else" => arguments.first().is_some_and(answers_status).then_some("status"),
            "finish" => is_actix_error(receiver).then_some("status"),
            "body" | "json" => is_actix_error(receiver).then_some("string"),
            _ => None,
        },
        _ => None,
    }
}

fn is_error_status(expr: &Expr) -> bool {
    let ExprKind::Path(path) = &*bare(expr).kind else { return false };
    let last = path.last();
    let of_status = path.segments.iter().any(|segment| matches!(segment.as_str(), "StatusCode" | "Status"));
    const GOOD: &[&str] =
        &["OK", "CREATED", "ACCEPTED", "NO_CONTENT", "Ok", "Created", "Accepted", "NoContent", "SERVICE_UNAVAILABLE"];
    let redirect = ["REDIRECT", "FOUND", "SEE_OTHER", "NOT_MODIFIED", "PARTIAL", "SWITCHING"]
        .iter()
        .any(|word| last.contains(word));
    of_status && !GOOD.contains(&last) && (last == "NOT_FOUND" || !redirect)
}

/// A closure that gives a bare status, or a status.
fn answers_status(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Closure { body, .. } => is_error_status(body),
        _ => is_error_status(expr),
    }
}

fn is_text(expr: &Expr) -> bool {
    let expr = bare(expr);
    literal(expr).is_some() || macro_name(expr).is_some_and(|(_, name)| name == "format") || !formatted(expr).is_empty()
}

/// `HttpResponse::BadRequest()....`
fn is_actix_error(receiver: &Expr) -> bool {
    let Some(path) = called_path(chain_root(receiver)) else { return false };
    const ERRORS: &[&str] = &[
        "BadRequest",
        "Unauthorized",
        "Forbidden",
        "NotFound",
        "Conflict",
        "UnprocessableEntity",
        "InternalServerError",
        "BadGateway",
    ];
    let of_response = path.segments.first().is_some_and(|first| first == "HttpResponse");
    of_response && ERRORS.contains(&path.last()) && chain(receiver).iter().all(|(method, _)| *method != "json")
}

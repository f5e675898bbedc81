//! What becomes of errors in request code: logged, swallowed, mapped away.

use super::inline;
use super::types::{reports, tracks};
use crate::facts::{Attr, Confidence, Data, Fact, FactKind, vocabulary};
use crate::link::Linked;
use crate::link::names::FunctionInfo;
use crate::link::requests::Part;
use crate::link::requests::body::{each, each_in};
use crate::link::requests::sensitive::names_in;
use crate::parse::rust::ast::{Expr, ExprKind, PatternKind};
use crate::scan::source::Span;

/// Adds how a function that requests reach handles errors.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let Some(body) = &info.function.body else { return };
    let text = |span: Span| part.context.repository.tree.file(info.file).slice(span);
    let mut add = |how: &str, span: Span, sure: Confidence, of_response: bool, answers_fault: bool| {
        let Some(reached) = part.reached(info, span) else { return };
        let for_all = of_response && reached.flow.first().is_some_and(|step| step.note.starts_with("middleware"));
        let data = vocabulary::ErrorHandling {
            how: how.into(),
            in_request: true.into(),
            for_all: for_all.into(),
            answers_fault: answers_fault.into(),
        };
        found.push(part.fact(data, info.file, span, sure, Some(reached)));
    };
    let instrumented = info
        .item
        .attributes
        .iter()
        .find(|attribute| attribute.path.last() == "instrument" && names_in(attribute, "err"));
    if let Some(attribute) = instrumented {
        add("logged", attribute.span, Confidence::High, false, false);
    }
    each(body, &mut |expr, around| {
        if reports(part, expr) {
            let branch = around.iter().rev().find_map(|outer| Some((failed(outer)?, branch(outer, expr.span))));
            if tracks(expr) || branch.is_some() {
                let of_response = branch.is_some_and(|(failed, _)| is_answer(text(failed.span)));
                let answers_fault = branch.is_some_and(|(_, answer)| inline::is_server_fault(text(answer)));
                add("logged", expr.span, Confidence::High, of_response || tracks(expr), answers_fault);
            }
        }
        if let Some(span) = mapped_away(part, info, expr) {
            add("mapped-away", span, Confidence::Medium, false, true);
        }
    });
}

/// Middleware of libraries that logs every error, unless a feature for it is switched off.
pub(super) fn by_middleware(part: &Part<'_, '_>, linked: &Linked, found: &mut Vec<Fact>) {
    for (_, fact) in linked.facts.of(FactKind::Middleware) {
        let Data::Middleware(middleware) = &fact.data else { continue };
        let file = part.context.repository.tree.file(fact.place.file);
        let dependency =
            part.context.workspace.package_of(&file.path).and_then(|package| package.dependency("tracing_actix_web"));
        let logs = middleware.library == Attr::from("tracing_actix_web")
            && dependency.is_none_or(|dependency| {
                !dependency.no_default_features
                    || dependency.features.iter().any(|feature| feature == "emit_event_on_error")
            });
        if logs {
            let data = vocabulary::ErrorHandling {
                how: "logged".into(),
                in_request: true.into(),
                for_all: true.into(),
                answers_fault: true.into(),
            };
            let mut logging = part.fact(data, fact.place.file, fact.place.span, fact.confidence, None);
            logging.services.clone_from(&fact.services);
            found.push(logging);
        }
    }
}

/// What failed, where an expression branches on an error: `map_err`, an `Err` arm, `if let Err`.
fn failed(expr: &Expr) -> Option<&Expr> {
    match &*expr.kind {
        ExprKind::MethodCall { receiver, method, .. } => {
            matches!(method.as_str(), "map_err" | "inspect_err" | "unwrap_or_else" | "or_else").then_some(receiver)
        }
        ExprKind::Match { on, arms } => arms.iter().any(|arm| binds_error(&arm.pattern)).then_some(on),
        ExprKind::If { condition, .. } => match &*condition.kind {
            ExprKind::Let { pattern, value } if binds_error(pattern) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

/// The part of an expression that branches on an error which a place inside it stands in: an arm, a closure, a block.
fn branch(outer: &Expr, inside: Span) -> Span {
    match &*outer.kind {
        ExprKind::MethodCall { receiver, .. } => Span { start: receiver.span.end, end: outer.span.end },
        ExprKind::Match { arms, .. } => {
            arms.iter().find(|arm| arm.body.span.holds(inside)).map_or(outer.span, |arm| arm.body.span)
        }
        ExprKind::If { then, .. } if then.span.holds(inside) => then.span,
        _ => outer.span,
    }
}

/// What the handlers below a middleware answered.
fn is_answer(text: &str) -> bool {
    ["response", "fut", "next", ".call(", "res."].iter().any(|word| text.contains(word))
}

fn binds_error(pattern: &crate::parse::rust::ast::Pattern) -> bool {
    matches!(&pattern.kind, PatternKind::TupleStruct(path, _) if path.last() == "Err")
}

/// `map_err(|_| ..)` to a 5xx answer, without a log.
fn mapped_away(part: &Part<'_, '_>, info: &FunctionInfo<'_>, expr: &Expr) -> Option<Span> {
    let ExprKind::MethodCall { method, method_span, arguments, .. } = &*expr.kind else { return None };
    let ExprKind::Closure { parameters, body, .. } = &*arguments.first().filter(|_| method == "map_err")?.kind else {
        return None;
    };
    let ignored = match &parameters.first()?.pattern.kind {
        PatternKind::Wild => true,
        PatternKind::Name(name) => name.starts_with('_'),
        _ => false,
    };
    let text = part.context.repository.tree.file(info.file).slice(body.span);
    let fault = ["INTERNAL_SERVER_ERROR", "InternalServerError"].iter().any(|word| text.contains(word));
    let mut logs = false;
    each_in(body, &mut |inner, _| logs |= reports(part, inner));
    (ignored && fault && !logs).then_some(*method_span)
}

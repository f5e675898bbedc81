//! What becomes of errors in request code: logged, swallowed, mapped away.

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
    let mut add = |how: &str, span: Span, sure: Confidence| {
        let Some(reached) = part.reached(info, span) else { return };
        let for_all = reached.flow.first().is_some_and(|step| step.note.starts_with("middleware"));
        let data = vocabulary::ErrorHandling { how: how.into(), in_request: true.into(), for_all: for_all.into() };
        found.push(part.fact(data, info.file, span, sure, Some(reached)));
    };
    let instrumented = info
        .item
        .attributes
        .iter()
        .find(|attribute| attribute.path.last() == "instrument" && names_in(attribute, "err"));
    if let Some(attribute) = instrumented {
        add("logged", attribute.span, Confidence::High);
    }
    each(body, &mut |expr, around| {
        if reports(expr) && (tracks(expr) || around.iter().any(|outer| is_error_branch(outer))) {
            add("logged", expr.span, Confidence::High);
        }
        if let Some(span) = mapped_away(part, info, expr) {
            add("mapped-away", span, Confidence::Medium);
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
            let data =
                vocabulary::ErrorHandling { how: "logged".into(), in_request: true.into(), for_all: true.into() };
            let mut logging = part.fact(data, fact.place.file, fact.place.span, fact.confidence, None);
            logging.services.clone_from(&fact.services);
            found.push(logging);
        }
    }
}

/// A closure of `map_err`, an `Err` arm, `if let Err`.
fn is_error_branch(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::MethodCall { method, .. } => {
            matches!(method.as_str(), "map_err" | "inspect_err" | "unwrap_or_else" | "or_else")
        }
        ExprKind::Match { arms, .. } => arms.iter().any(|arm| binds_error(&arm.pattern)),
        ExprKind::If { condition, .. } => {
            matches!(&*condition.kind, ExprKind::Let { pattern, .. } if binds_error(pattern))
        }
        _ => false,
    }
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
    each_in(body, &mut |inner, _| logs |= reports(inner));
    (ignored && fault && !logs).then_some(*method_span)
}

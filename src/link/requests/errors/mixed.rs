//! Error types whose variants answer in different formats.

use super::exposure::is_aside;
use super::types::ErrorType;
use crate::link::requests::Part;
use crate::link::requests::body::{bare, called_path, each, each_in, literal, macro_name};
use crate::parse::rust::ast::{Expr, ExprKind};

/// Whether some arms of the match that makes the responses answer with JSON and others with plain text.
pub(super) fn answers(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> bool {
    let names = part.context.names;
    let Some(body) = ty.response.and_then(|id| names.function(id).function.body.as_ref()) else { return false };
    let of_error = |on: &Expr| matches!(&*bare(on).kind, ExprKind::Path(path) if path.is(ty.subject));
    let (mut json, mut text) = (false, false);
    each(body, &mut |expr, _| {
        let ExprKind::Match { on, arms } = &*expr.kind else { return };
        if !of_error(on) {
            return;
        }
        for arm in arms {
            each_in(&arm.body, &mut |expr, around| {
                let format = if is_aside(around) { None } else { format(expr) };
                json |= format == Some("json");
                text |= format == Some("text");
            });
        }
    });
    json && text
}

/// The format of an expression that is a whole answer: `(StatusCode::CONFLICT, "taken")`, `builder.json(body)`.
fn format(expr: &Expr) -> Option<&'static str> {
    match &*expr.kind {
        ExprKind::Tuple(parts) => {
            let (first, last) = (parts.first()?, parts.last().filter(|_| parts.len() > 1)?);
            let ExprKind::Path(path) = &*first.kind else { return None };
            if !path.segments.iter().any(|segment| segment == "StatusCode") {
                return None;
            }
            let wrapped = matches!(&*last.kind, ExprKind::Call { function, .. }
                if called_path(function).is_some_and(|path| path.segments.iter().any(|segment| segment == "Json")));
            if wrapped { Some("json") } else { is_text(last).then_some("text") }
        }
        ExprKind::MethodCall { method, arguments, .. } => match (method.as_str(), arguments.as_slice()) {
            ("json", [_]) => Some("json"),
            ("body", [body]) => is_text(body).then_some("text"),
            _ => None,
        },
        _ => None,
    }
}

/// A string that is written down or made here, not one that may hold JSON.
fn is_text(expr: &Expr) -> bool {
    let written = |text: &str| !text.trim_start().starts_with(['{', '[', '<']);
    match &*expr.kind {
        ExprKind::MethodCall { receiver, method, arguments, .. } if method == "to_string" && arguments.is_empty() => {
            match literal(receiver) {
                Some(text) => written(text),
                None => matches!(&*receiver.kind, ExprKind::Path(_)),
            }
        }
        _ => match (literal(expr), macro_name(expr)) {
            (Some(text), _) => written(text),
            (_, Some((call, "format"))) => call.message().is_some_and(|(text, _)| written(text)),
            _ => false,
        },
    }
}

//! Request bodies that code reads by itself, up to a size.

use super::found::Stand;
use crate::facts::vocabulary::Middleware;
use crate::facts::{Attr, Confidence};
use crate::link::names::FunctionInfo;
use crate::link::reach::Reach;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Literal, Pattern, PatternKind, Statement};
use crate::parse::rust::walk;
use crate::scan::source::Role;

/// Functions that read a body and stop at a size: the body is the first argument, the size the second.
const READERS: &[(&str, &str)] = &[
    ("axum::body::to_bytes", "axum"),
    ("axum_core::body::to_bytes", "axum"),
    ("http_body_util::Limited::new", "http-body-util"),
    ("actix_web::body::to_bytes_limited", "actix-web"),
];

/// Adds the limits that stand in code which requests reach.
pub fn look(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    let judged = |info: &&FunctionInfo<'_>| Stand::of(info).role == Role::Service && reach.holds(info.id);
    for info in context.names.functions().iter().filter(judged) {
        let Some(body) = &info.function.body else { continue };
        walk::expressions(body, &mut |expr| {
            let ExprKind::Call { function, arguments } = &*expr.kind else { return };
            let (ExprKind::Path(path), [read, limit]) = (&*function.kind, arguments.as_slice()) else { return };
            let absolute = context.names.resolve_in(info.id, &path.segments);
            let Some((_, library)) = READERS.iter().find(|(reader, _)| *reader == absolute) else { return };
            if is_none(limit) || is_of_response(body, read) {
                return;
            }
            let value = match &*limit.kind {
                ExprKind::Literal(Literal::Integer(Some(number))) => Attr::Known(*number as f64),
                _ => Attr::Unknown,
            };
            let data = Middleware {
                kind: "body-limit".into(),
                library: (*library).into(),
                covers: "some".into(),
                value,
                conditional: false.into(),
                disabled: false.into(),
            };
            linked.facts.add(context.fact(data, info.file, expr.span).confidence(Confidence::Medium));
        });
    }
}

/// `usize::MAX` bounds nothing.
fn is_none(limit: &Expr) -> bool {
    matches!(&*limit.kind, ExprKind::Path(path) if path.last() == "MAX")
}

/// Whether what is read is a response's body, by the names of what it is taken from.
fn is_of_response(body: &Block, read: &Expr) -> bool {
    let mut answers = false;
    walk::expression(read, &mut |expr| {
        answers |= match &*expr.kind {
            ExprKind::Path(path) if path.segments.len() == 1 => {
                names_response(path.last())
                    || body.statements.iter().any(|statement| match statement {
                        Statement::Let { pattern, value: Some(value), .. } => {
                            binds(pattern, path.last()) && tells_response(value)
                        }
                        _ => false,
                    })
            }
            _ => false,
        };
    });
    answers
}

fn tells_response(value: &Expr) -> bool {
    let mut answers = false;
    walk::expression(value, &mut |expr| {
        answers |= match &*expr.kind {
            ExprKind::Path(path) => path.segments.iter().any(|segment| names_response(segment)),
            ExprKind::MethodCall { method, .. } => matches!(method.as_str(), "run" | "call" | "send" | "request"),
            _ => false,
        };
    });
    answers
}

fn names_response(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.contains("resp") || lower == "res" || lower.starts_with("res_")
}

fn binds(pattern: &Pattern, name: &str) -> bool {
    match &pattern.kind {
        PatternKind::Name(bound) => bound == name,
        PatternKind::Tuple(parts) => parts.iter().any(|part| binds(part, name)),
        _ => false,
    }
}

//! hyper by hand: `match (request.method(), request.uri().path()) { (&Method::GET, "/x") => .. }`.

use super::evaluate::{Evaluator, Frame};
use super::register;
use super::roots::Found;
use super::start;
use super::value::{Answer, Entry, Router, Value};
use crate::facts::Confidence;
use crate::parse::rust::ast::{Arm, Expr, ExprKind, Literal, Pattern, PatternKind};
use crate::parse::rust::walk;
use crate::scan::source::{Place, Role};

/// Adds servers for functions that route by hand, in services without other routes.
pub fn add(evaluator: &mut Evaluator<'_>, found: &mut Vec<Found>) {
    let mut routers = Vec::new();
    for info in evaluator.names.functions() {
        let Some(body) = &info.function.body else { continue };
        if info.role != Role::Service || !evaluator.source(info.file, body.span).contains("path()") {
            continue;
        }
        let place = Place { file: info.file, span: info.item.name_span };
        let mut router = Router::new("hyper", place);
        walk::expressions(body, &mut |expr| {
            if let ExprKind::Match { on, arms } = &*expr.kind
                && asks_method_and_path(on)
            {
                let entries = arms.iter().filter_map(|arm| entry(arm, info.id, info.file));
                router.entries.extend(entries);
            }
        });
        if !router.entries.is_empty() {
            routers.push((info, router));
        }
    }
    for (info, router) in routers {
        let services = evaluator.context.services_of(info.file);
        let routed = found.iter().any(|found| {
            !evaluator.servers[found.server].router.entries.is_empty() && !found.services.is_disjoint(&services)
        });
        if routed || services.is_empty() {
            continue;
        }
        let frame = Frame::new(info.module, info.file);
        let place = Place { file: info.file, span: info.item.name_span };
        start::serve(evaluator, &frame, place, &Value::Router(Box::new(router)), None, false);
        for server in std::mem::take(&mut evaluator.started) {
            found.push(Found { server, services: services.clone(), confidence: Confidence::Medium });
        }
    }
}

fn asks_method_and_path(on: &Expr) -> bool {
    let ExprKind::Tuple(parts) = &*on.kind else { return false };
    let asks = |expr: &Expr, name: &str| {
        let mut asked = false;
        walk::expression(expr, &mut |expr| {
            asked |= matches!(&*expr.kind, ExprKind::MethodCall { method, .. } if method == name);
        });
        asked
    };
    parts.len() == 2 && asks(&parts[0], "method") && asks(&parts[1], "path")
}

fn entry<'a>(
    arm: &'a Arm,
    id: super::super::names::FunctionId,
    file: crate::scan::source::FileId,
) -> Option<Entry<'a>> {
    let PatternKind::Tuple(parts) = &arm.pattern.kind else { return None };
    let [method, path] = parts.as_slice() else { return None };
    let path = literal(path)?;
    Some(Entry {
        method: method_of(method)?,
        path,
        answer: Answer::Function(id),
        place: Place { file, span: arm.pattern.span },
        layers: Vec::new(),
        development_only: false,
        documented: false,
        partial: false,
    })
}

fn literal(pattern: &Pattern) -> Option<String> {
    match &pattern.kind {
        PatternKind::Literal(Literal::Text(text)) => Some(text.clone()),
        PatternKind::Or(parts) | PatternKind::Other(parts) => parts.first().and_then(literal),
        _ => None,
    }
}

fn method_of(pattern: &Pattern) -> Option<String> {
    match &pattern.kind {
        PatternKind::Path(path) => register::http_method(&path.last().to_ascii_lowercase()).map(str::to_string),
        PatternKind::Wild => Some("ANY".to_string()),
        PatternKind::Or(parts) | PatternKind::Other(parts) => parts.first().and_then(method_of),
        _ => None,
    }
}

//! hyper by hand: `match (request.method(), request.uri().path()) { (&Method::GET, "/x") => .. }`, and paths alone:
//! `match request.uri().path() { "/x" => .. }`, `if request.uri().path() == "/x"`.

use std::collections::BTreeSet;

use super::evaluate::{Evaluator, Frame};
use super::register;
use super::roots::Found;
use super::start;
use super::value::{Answer, Entry, Router, Value};
use crate::facts::{Confidence, ServiceId};
use crate::parse::rust::ast::{Expr, ExprKind, Literal, Pattern, PatternKind};
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
        walk::expressions(body, &mut |expr| match &*expr.kind {
            ExprKind::Match { on, arms } if asks_method_and_path(on) => {
                let patterns = arms.iter().flat_map(|arm| alternatives(&arm.pattern));
                router.entries.extend(patterns.filter_map(|pattern| entry(pattern, info.id, info.file)));
            }
            ExprKind::Match { on, arms } if is_path(on) => {
                for arm in arms {
                    let paths = literals(&arm.pattern);
                    let entries =
                        paths.into_iter().map(|(path, span)| any(path, info.id, Place { file: info.file, span }));
                    router.entries.extend(entries);
                }
            }
            ExprKind::Binary { operator, left, right } if operator == "==" && is_path(left) => {
                if let ExprKind::Literal(Literal::Text(path)) = &*right.kind
                    && path.starts_with('/')
                {
                    router.entries.push(any(path.clone(), info.id, Place { file: info.file, span: expr.span }));
                }
            }
            _ => {}
        });
        if !router.entries.is_empty() {
            routers.push((info, router));
        }
    }
    let served = |found: &&Found| !evaluator.servers[found.server].router.entries.is_empty();
    let routed: BTreeSet<ServiceId> = found.iter().filter(served).flat_map(|found| found.services.clone()).collect();
    for (info, router) in routers {
        let services = evaluator.context.services_of(info.file);
        if services.is_empty() || !routed.is_disjoint(&services) {
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

/// `request.uri().path()`
fn is_path(expr: &Expr) -> bool {
    let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind else { return false };
    match method.as_str() {
        "path" => matches!(&*receiver.kind, ExprKind::MethodCall { method, .. } if method == "uri"),
        "as_str" | "trim_end_matches" => is_path(receiver),
        _ => false,
    }
}

/// A route for any method.
fn any<'a>(path: String, id: super::super::names::FunctionId, place: Place) -> Entry<'a> {
    Entry {
        method: "ANY".to_string(),
        path,
        answer: Answer::Function(id),
        place,
        layers: Vec::new(),
        development_only: false,
        documented: false,
        partial: false,
    }
}

/// The paths that a pattern names.
fn literals(pattern: &Pattern) -> Vec<(String, crate::scan::source::Span)> {
    match &pattern.kind {
        PatternKind::Literal(Literal::Text(text)) if text.starts_with('/') => vec![(text.clone(), pattern.span)],
        PatternKind::Or(parts) | PatternKind::Other(parts) => parts.iter().flat_map(literals).collect(),
        _ => Vec::new(),
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

fn alternatives(pattern: &Pattern) -> Vec<&Pattern> {
    match &pattern.kind {
        PatternKind::Or(parts) => parts.iter().flat_map(alternatives).collect(),
        _ => vec![pattern],
    }
}

fn entry<'a>(
    pattern: &'a Pattern,
    id: super::super::names::FunctionId,
    file: crate::scan::source::FileId,
) -> Option<Entry<'a>> {
    let PatternKind::Tuple(parts) = &pattern.kind else { return None };
    let [method, path] = parts.as_slice() else { return None };
    let entry = any(literal(path)?, id, Place { file, span: pattern.span });
    Some(Entry { method: method_of(method)?, ..entry })
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

//! Clients for other services: who bounds the time of their calls.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, Stand};
use crate::facts::{Attr, FactKind, Value};
use crate::link::Context;
use crate::link::reach::Reach;
use crate::parse::rust::ast::{Expr, ExprKind};
use crate::parse::rust::walk;
use crate::scan::source::Role;

/// Crates whose requests are sent with `.send()`.
const SENDERS: &[&str] = &["reqwest", "awc", "reqwest-middleware", "hyper-util", "hyper"];

/// Functions that end what takes too long.
const BOUNDS: &[&str] = &["timeout", "timeout_at", "timeout_future"];

/// Requests that a package sends, and how many of them have a timeout of their own.
#[derive(Clone, Copy, Default)]
struct Sent {
    all: usize,
    bounded: usize,
    /// `.request(..)` under a timeout: hyper's way to send.
    raw: usize,
}

/// Completes the facts about clients, pools and connections.
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>], reach: &Reach) {
    let sent = sent(context);
    for found in found.iter_mut() {
        match found.kind() {
            FactKind::OutboundClient => {
                per_request(found, reach);
                bounded_by_requests(context, found, &sent);
                switched_off_by_setting(found);
            }
            FactKind::Pool | FactKind::Connection => per_request(found, reach),
            _ => {}
        }
    }
    kept(context, found);
}

/// Connections are kept where no code of their package opens one in a request.
fn kept(context: &Context<'_>, found: &mut [Found<'_>]) {
    let group = |found: &Found<'_>| {
        let package = context.workspace.package_of(&context.repository.tree.file(found.stand.file).path);
        (package.map(|package| package.folder.clone()), found.text("engine"))
    };
    let opens = |found: &Found<'_>| found.data.get("per_request") == Some(Attr::Known(Value::Flag(true)));
    let connections = || found.iter().filter(|found| found.kind() == FactKind::Connection);
    let opened: BTreeSet<_> = connections().filter(|found| opens(found)).map(group).collect();
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Connection) {
        let kept = !opened.contains(&group(found));
        found.data.set("kept", Attr::Known(Value::Flag(kept)));
    }
}

fn per_request(found: &mut Found<'_>, reach: &Reach) {
    let per_request = !found.once && reach.certainly(found.stand.function);
    found.data.set("per_request", Attr::Known(Value::Flag(per_request)));
}

/// What a branch alone switches off, a setting switches off: nothing tells that production has it so.
fn switched_off_by_setting(found: &mut Found<'_>) {
    const NAME: &str = "accepts_any_certificate";
    if found.branched.contains(&NAME) {
        found.data.set(NAME, Attr::Unknown);
    }
}

/// A client without a timeout whose every request has one is bounded.
fn bounded_by_requests(context: &Context<'_>, found: &mut Found<'_>, sent: &BTreeMap<&str, Sent>) {
    let folder = context.workspace.package_of(&context.repository.tree.file(found.stand.file).path);
    let all = folder.and_then(|package| sent.get(package.folder.as_str())).copied().unwrap_or_default();
    let every = all.all > 0 && all.bounded == all.all;
    // hyper's client has no timeout of its own: what bounds its requests is always around them, often behind a setting.
    let by_hand = found.text("library").as_deref() == Some("hyper") && all.raw > 0;
    if !found.is_set("timeout") && (every || by_hand || found.timed) {
        found.data.set("timeout", Attr::Unknown);
    }
}

/// Requests by folder of the package.
fn sent<'a>(context: &Context<'a>) -> BTreeMap<&'a str, Sent> {
    let mut sent: BTreeMap<&str, Sent> = BTreeMap::new();
    for info in context.names.functions() {
        let Some(body) = info.function.body.as_ref().filter(|_| Stand::of(info).role == Role::Service) else {
            continue;
        };
        let Some(package) = context.workspace.package_of(&context.repository.tree.file(info.file).path) else {
            continue;
        };
        if !package.dependencies.iter().any(|dependency| SENDERS.contains(&dependency.package.as_str())) {
            continue;
        }
        let count = sent.entry(package.folder.as_str()).or_default();
        let mut bounded: Vec<*const Expr> = Vec::new();
        walk::expressions(body, &mut |expr| look(expr, count, &mut bounded));
    }
    sent
}

fn look(expr: &Expr, count: &mut Sent, bounded: &mut Vec<*const Expr>) {
    match &*expr.kind {
        // Everything below a timeout is bounded by it; outer expressions come first.
        ExprKind::Call { function, arguments } if is_bound(function) => {
            for argument in arguments {
                walk::expression(argument, &mut |inner| {
                    if is_send(inner) {
                        bounded.push(inner);
                    }
                    count.raw += usize::from(is_raw_request(inner));
                });
            }
        }
        ExprKind::MethodCall { receiver, .. } if is_send(expr) => {
            count.all += 1;
            let own = bounded.iter().any(|known| std::ptr::eq(*known, expr));
            count.bounded += usize::from(own || has_timeout(receiver));
        }
        _ => {}
    }
}

fn is_bound(function: &Expr) -> bool {
    matches!(&*function.kind, ExprKind::Path(path) if BOUNDS.contains(&path.last()))
}

/// `.send()` without an argument: channels send something.
fn is_send(expr: &Expr) -> bool {
    matches!(&*expr.kind, ExprKind::MethodCall { method, arguments, .. } if method == "send" && arguments.is_empty())
}

fn is_raw_request(expr: &Expr) -> bool {
    matches!(&*expr.kind, ExprKind::MethodCall { method, arguments, .. } if method == "request" && arguments.len() == 1)
}

fn has_timeout(expr: &Expr) -> bool {
    let mut expr = expr;
    while let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind {
        if method == "timeout" {
            return true;
        }
        expr = receiver;
    }
    false
}

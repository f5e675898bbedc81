//! Work that handlers hand over through a channel to a task that runs beside them.

use super::Part;
use super::body::each;
use crate::facts::vocabulary::JobQueue;
use crate::facts::{Confidence, Fact, FactKind};
use crate::link::Linked;
use crate::link::names::{FunctionInfo, Ty};
use crate::parse::rust::ast::{Expr, ExprKind};

/// Crates and modules of channels with many senders, whose messages one task takes in turn.
const CHANNELS: &[&str] = &[
    "tokio::sync::mpsc::",
    "flume::",
    "async_channel::",
    "kanal::",
    "crossbeam_channel::",
    "crossbeam::channel::",
    "std::sync::mpsc::",
    "futures::channel::mpsc::",
    "futures_channel::mpsc::",
    "loole::",
    "thingbuf::mpsc::",
];

/// Adds the first hand-over, where the service has no other queue. A channel that a handler makes for its own answer
/// (a stream, a socket) is none: its receiver lives on the request path.
pub(super) fn look(part: &Part<'_, '_>, linked: &Linked, found: &mut Vec<Fact>) {
    if linked.facts.of(FactKind::JobQueue).next().is_some() {
        return;
    }
    let judged = || part.context.names.functions().iter().filter(|info| part.is_judged(info));
    let beside = |info: &&FunctionInfo<'_>| !part.reach.holds(info.id);
    if !judged().filter(beside).any(|info| takes_in_turn(part, info)) {
        return;
    }
    for info in judged().filter(|info| part.reach.holds(info.id)) {
        let Some(body) = &info.function.body else { continue };
        let mut first = None;
        each(body, &mut |expr, _| {
            if first.is_none() && hands_over(part, info, expr) {
                first = Some(expr.span);
            }
        });
        if let Some(span) = first
            && let Some(reached) = part.reached(info, span)
        {
            let data = JobQueue { library: "own".into(), ..JobQueue::default() };
            found.push(part.fact(data, info.file, span, Confidence::Medium, Some(reached)));
            return;
        }
    }
}

/// `while let Some(job) = receiver.recv().await`, or the same in a `loop`.
fn takes_in_turn(part: &Part<'_, '_>, info: &FunctionInfo<'_>) -> bool {
    let Some(body) = &info.function.body else { return false };
    let mut found = false;
    each(body, &mut |expr, around| {
        let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind else { return };
        let repeats = |outer: &&Expr| matches!(&*outer.kind, ExprKind::Loop(_) | ExprKind::While { .. });
        if !found
            && matches!(method.as_str(), "recv" | "recv_async" | "recv_many")
            && around.iter().any(repeats)
            && part.context.names.scope(info.id).type_of(receiver).is_some_and(|ty| is_end(&ty, "Receiver"))
        {
            found = true;
        }
    });
    found
}

fn hands_over(part: &Part<'_, '_>, info: &FunctionInfo<'_>, expr: &Expr) -> bool {
    let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind else { return false };
    matches!(method.as_str(), "send" | "try_send" | "send_async" | "send_timeout" | "blocking_send")
        && part.context.names.scope(info.id).type_of(receiver).is_some_and(|ty| is_end(&ty, "Sender"))
}

/// Whether a type is one end of such a channel, maybe shared or locked.
fn is_end(ty: &Ty, end: &str) -> bool {
    match ty.held() {
        Some(held) => is_end(held, end),
        None => ty.last().ends_with(end) && CHANNELS.iter().any(|channel| ty.path.starts_with(channel)),
    }
}

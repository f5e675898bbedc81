//! Work that handlers hand over through a channel to a task that runs beside them.

use super::Part;
use super::body::{each, spawns};
use crate::facts::vocabulary::JobQueue;
use crate::facts::{Confidence, Fact, FactKind};
use crate::link::Linked;
use crate::link::names::{FunctionInfo, Ty};
use crate::parse::rust::ast::{Expr, ExprKind};
use crate::scan::source::Span;

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
/// (a stream, a socket) is none: its receiver lives on the request path; nor is one whose sender waits for the answer to
/// each message, unless the receiver takes many of them at once.
pub(super) fn look(part: &Part<'_, '_>, linked: &Linked, found: &mut Vec<Fact>) {
    if linked.facts.of(FactKind::JobQueue).next().is_some() {
        return;
    }
    let judged = || part.context.names.functions().iter().filter(|info| part.is_judged(info));
    let on_path = || judged().filter(|info| part.reach.holds(info.id));
    let beside = judged().filter(|info| !part.reach.holds(info.id));
    let taken = beside.map(|info| takes_in_turn(part, info)).max().unwrap_or_default();
    let sent = |info: &FunctionInfo<'_>| {
        let waits = taken != Taken::Many && waits_for_answers(part, info);
        first(info, |expr, _| !waits && hands_over(part, info, expr))
    };
    let queued = on_path().filter(|_| taken != Taken::Not).find_map(|info| Some((info, sent(info)?)));
    let accepted = || on_path().find_map(|info| Some((info, accepts(info)?)));
    if let Some((info, span)) = queued.or_else(accepted)
        && let Some(reached) = part.reached(info, span)
    {
        found.push(part.fact(own(), info.file, span, Confidence::Medium, Some(reached)));
        return;
    }
    // What a library calls is on no path that can be followed, but what is taken in batches is no answer to one request.
    let elsewhere = || judged().find_map(|info| Some((info, sent(info)?)));
    if let Some((info, span)) = Some(taken).filter(|taken| *taken == Taken::Many).and_then(|_| elsewhere()) {
        found.push(part.fact(own(), info.file, span, Confidence::Medium, None));
    }
}

fn own() -> JobQueue {
    JobQueue { library: "own".into(), ..JobQueue::default() }
}

/// Where in a function the first such expression stands.
fn first<'a>(info: &FunctionInfo<'a>, wanted: impl Fn(&'a Expr, &[&'a Expr]) -> bool) -> Option<Span> {
    let mut first = None;
    each(info.function.body.as_ref()?, &mut |expr, around| {
        if first.is_none() && wanted(expr, around) {
            first = Some(expr.span);
        }
    });
    first
}

/// How a task takes messages out of a channel.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Taken {
    /// It does not.
    #[default]
    Not,
    /// `while let Some(job) = receiver.recv().await`, or the same in a `loop`.
    OneByOne,
    /// As many as there are: `receiver.recv_many(..)`.
    Many,
}

fn takes_in_turn(part: &Part<'_, '_>, info: &FunctionInfo<'_>) -> Taken {
    let Some(body) = &info.function.body else { return Taken::Not };
    let mut taken = Taken::Not;
    each(body, &mut |expr, around| {
        let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind else { return };
        let repeats = |outer: &&Expr| matches!(&*outer.kind, ExprKind::Loop(_) | ExprKind::While { .. });
        let how = match method.as_str() {
            "recv" | "recv_async" => Taken::OneByOne,
            "recv_many" => Taken::Many,
            _ => return,
        };
        if taken < how
            && around.iter().any(repeats)
            && part.context.names.scope(info.id).type_of(receiver).is_some_and(|ty| is_end(&ty, "Receiver"))
        {
            taken = how;
        }
    });
    taken
}

/// A function that makes a channel for one answer: whoever sends a message waits for what becomes of it.
fn waits_for_answers(part: &Part<'_, '_>, info: &FunctionInfo<'_>) -> bool {
    let makes = |expr: &Expr| match &*expr.kind {
        ExprKind::Call { function, .. } => match &*function.kind {
            ExprKind::Path(path) if matches!(path.last(), "channel" | "oneshot") => {
                part.context.names.resolve_in(info.id, &path.segments).contains("oneshot")
            }
            _ => false,
        },
        _ => false,
    };
    first(info, |expr, _| makes(expr)).is_some()
}

/// A handler that starts a task and answers 202 Accepted: where it starts the task.
fn accepts(info: &FunctionInfo<'_>) -> Option<Span> {
    let compares = |outer: &&Expr| matches!(&*outer.kind, ExprKind::Binary { .. });
    first(info, |expr, around| match &*expr.kind {
        ExprKind::Path(path) if path.segments.len() > 1 => {
            matches!(path.last(), "ACCEPTED" | "Accepted") && !around.iter().any(compares)
        }
        _ => false,
    })?;
    first(info, |expr, _| spawns(expr))
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

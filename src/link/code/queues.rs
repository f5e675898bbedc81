//! Job queues and timers written by hand.

use std::collections::BTreeMap;

use super::found::Stand;
use crate::facts::vocabulary::{JobQueue, Scheduler};
use crate::facts::{Attr, Confidence, FactKind};
use crate::link::names::FunctionInfo;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Expr, ExprKind, ItemKind, Literal};
use crate::parse::rust::walk;
use crate::scan::source::Role;

/// Words of a trait's name that say that its types are jobs.
const JOBS: &[&str] = &["Job", "BackgroundJob", "BackgroundTask", "BackgroundWorker"];

/// Words of a function's or module's name that say that it works on a queue.
const WORKERS: &[&str] =
    &["queue", "worker", "workers", "job", "jobs", "gc", "garbage", "purge", "purger", "prune", "pruner", "reaper"];

/// Adds queues and timers.
pub fn look(context: &Context<'_>, linked: &mut Linked) {
    let known = linked.facts.of(FactKind::JobQueue).next().is_some();
    let mut timers: BTreeMap<String, ()> = BTreeMap::new();
    for info in context.names.functions().iter().filter(|info| Stand::of(info).role == Role::Service) {
        let Some(body) = &info.function.body else { continue };
        walk::expressions(body, &mut |expr| {
            if takes_jobs(expr) {
                linked.facts.add(context.fact(own_queue(), info.file, expr.span));
            }
            if let Some(worker) = spawned_worker(context, info, expr) {
                linked.facts.add(context.fact(own_queue(), info.file, worker.span).confidence(Confidence::Medium));
            }
            if is_timer(expr) && timers.insert(info.path.clone(), ()).is_none() {
                let data = Scheduler { library: "own".into(), exclusive: Attr::Unset };
                linked.facts.add(context.fact(data, info.file, expr.span).confidence(Confidence::Low));
            }
        });
    }
    if !known {
        traits(context, linked);
    }
}

fn own_queue() -> JobQueue {
    JobQueue { library: "own".into(), ..JobQueue::default() }
}

/// A statement that takes a row from a queue table.
fn takes_jobs(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Literal(Literal::Text(text)) => text.to_ascii_uppercase().contains("SKIP LOCKED"),
        ExprKind::MethodCall { method, .. } => method == "skip_locked",
        _ => false,
    }
}

/// `tokio::spawn(queue::work(..))`: a task that a function named after its queue runs in.
fn spawned_worker<'a>(context: &Context<'_>, info: &FunctionInfo<'_>, expr: &'a Expr) -> Option<&'a Expr> {
    let ExprKind::Call { function, arguments } = &*expr.kind else { return None };
    let spawns = matches!(&*function.kind, ExprKind::Path(path) if path.last() == "spawn");
    let argument = arguments.first().filter(|_| spawns)?;
    let calls = context.names.calls(info.id).iter().filter(|call| argument.span.holds(call.span));
    let mut named = calls.map(|call| &context.names.function(call.target).path);
    named.any(|path| path.rsplit("::").take(2).any(names_worker)).then_some(argument)
}

fn names_worker(name: &str) -> bool {
    name.split('_').any(|word| WORKERS.contains(&word))
}

/// `tokio::time::interval(..)`.
fn is_timer(expr: &Expr) -> bool {
    let ExprKind::Call { function, .. } = &*expr.kind else { return false };
    matches!(&*function.kind, ExprKind::Path(path) if matches!(path.last(), "interval" | "interval_at"))
}

/// Traits of jobs that types of the tree implement.
fn traits(context: &Context<'_>, linked: &mut Linked) {
    for info in context.names.items().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let implemented = || !context.names.methods_of_trait(&info.path).is_empty();
        if matches!(info.item.kind, ItemKind::Trait(_)) && JOBS.contains(&info.item.name.as_str()) && implemented() {
            let fact = context.fact(own_queue(), info.file, info.item.name_span);
            linked.facts.add(fact.confidence(Confidence::Medium));
        }
    }
}

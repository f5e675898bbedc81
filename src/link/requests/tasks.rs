//! Tasks that are spawned, and whether anybody sees how they end.

use super::Part;
use super::body::{dropped, each, each_in};
use super::sensitive::names_in;
use crate::facts::{Confidence, Fact, Related, vocabulary};
use crate::link::names::{FunctionId, FunctionInfo};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Statement};

/// Crates whose `spawn` starts a task.
const EXECUTORS: &[&str] = &["tokio", "actix_web", "actix_rt", "actix", "async_std", "ntex", "smol"];

/// Methods that give the future they are called on.
const WRAPS: &[&str] = &["instrument", "in_current_span", "with_subscriber", "boxed", "boxed_local", "with_context"];

/// Adds the tasks that a function spawns.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let Some(body) = &info.function.body else { return };
    let mut unseen_first: Option<Fact> = None;
    let dropped: Vec<_> = dropped(body).into_iter().map(|expr| expr.span).collect();
    each(body, &mut |expr, _| {
        let ExprKind::Call { function, arguments } = &*expr.kind else { return };
        let ExprKind::Path(path) = &*function.kind else { return };
        let Some(future) = arguments.first().filter(|_| matches!(path.last(), "spawn" | "spawn_local")) else { return };
        let resolved = part.context.names.resolve_in(info.id, &path.segments);
        let runs = resolved.split("::").any(|segment| EXECUTORS.contains(&segment)) && !resolved.contains("thread");
        if !runs {
            return;
        }
        let unseen = dropped.contains(&expr.span) && Task { part, info }.fails(future);
        let reached = part.reached(info, expr.span);
        let data = vocabulary::SpawnedTask { observed: (!unseen).into(), in_request: reached.is_some().into() };
        let mut fact = part.fact(data, info.file, path.span, Confidence::High, None);
        fact.flow = reached.map(|reached| reached.flow).unwrap_or_default();
        match &mut unseen_first {
            // A function that starts one after the other is one finding.
            Some(first) if unseen => {
                first.related.push(Related { place: fact.place, note: "and this one".to_string() })
            }
            None if unseen => unseen_first = Some(fact),
            _ => found.push(fact),
        }
    });
    found.extend(unseen_first);
}

struct Task<'t, 'c, 'a> {
    part: &'t Part<'c, 'a>,
    info: &'t FunctionInfo<'a>,
}

impl Task<'_, '_, '_> {
    /// Whether a future ends with an error that whoever drops its handle never sees.
    fn fails(&self, future: &Expr) -> bool {
        match &*future.kind {
            ExprKind::Async(block) => self.block_fails(block),
            ExprKind::MethodCall { receiver, method, .. } if WRAPS.contains(&method.as_str()) => self.fails(receiver),
            ExprKind::Call { .. } | ExprKind::MethodCall { .. } => self.called(future),
            _ => false,
        }
    }

    fn block_fails(&self, block: &Block) -> bool {
        if tries(block) {
            return true;
        }
        match block.statements.last() {
            Some(Statement::Expr { value, ended: false, .. }) => match &*value.kind {
                ExprKind::Await(inner) => self.fails(inner),
                _ => false,
            },
            _ => false,
        }
    }

    /// A function of the tree that gives an error and does not log it by itself.
    fn called(&self, call: &Expr) -> bool {
        let names = self.part.context.names;
        let mut sites = names.calls(self.info.id).iter().filter(|site| site.span == call.span && site.certain);
        sites.next().is_some_and(|site| self.gives_error(site.target))
    }

    fn gives_error(&self, target: FunctionId) -> bool {
        let info = self.part.context.names.function(target);
        let Some(returns) = &info.function.returns else { return false };
        let result = returns.path.last().is_some_and(|last| last.ends_with("Result"));
        let never = ["Infallible", "Result<!", ", !>"].iter().any(|word| returns.text.contains(word));
        let logged = info
            .item
            .attributes
            .iter()
            .any(|attribute| attribute.path.last() == "instrument" && names_in(attribute, "err"));
        let Some(body) = &info.function.body else { return false };
        result && !never && !logged && (tries(body) || makes_error(body))
    }
}

/// Whether a block leaves by `?`, outside closures and blocks of its own.
fn tries(block: &Block) -> bool {
    let mut found = false;
    each(block, &mut |expr, around| {
        let inner = around.iter().any(|outer| matches!(&*outer.kind, ExprKind::Closure { .. } | ExprKind::Async(_)));
        found |= !inner && matches!(&*expr.kind, ExprKind::Try(_));
    });
    found
}

fn makes_error(block: &Block) -> bool {
    let mut found = false;
    for statement in &block.statements {
        if let Statement::Expr { value, .. } = statement {
            each_in(value, &mut |expr, _| {
                found |= matches!(&*expr.kind, ExprKind::Call { function, .. }
                    if matches!(&*function.kind, ExprKind::Path(path) if path.is("Err")));
            });
        }
    }
    found
}

//! Loops that ask the database once for each element.

use std::collections::{BTreeMap, BTreeSet};

use super::Part;
use super::asks::Asks;
use super::body::{bare, chain, each, each_in, spawns};
use crate::facts::{Confidence, Fact, Related, vocabulary};
use crate::link::names::{FunctionId, FunctionInfo};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Literal, Pattern, PatternKind, Statement, TokenKind};
use crate::scan::source::{Place, Span};

/// A function that asks, and the functions that call it, are known this many calls away from a loop.
const CALLS_DEEP: usize = 2;

/// Calls that run the futures they are given, one for each element.
const JOINS: &[&str] = &["join_all", "try_join_all"];

/// Words in the name of what a loop goes through that say that each element is a place to ask, or many at once.
const FEW: &[&str] =
    &["chunk", "batch", "page", "shard", "pool", "replica", "region", "migration", "statement", "retr"];

/// Methods whose closure runs in some cases only.
const PERHAPS: &[&str] =
    &["or_else", "unwrap_or_else", "map_or_else", "map_or", "and_then", "then", "ok_or_else", "get_or_insert_with"];

/// Functions that always ask the database, themselves or by what they call, each with the place where it is asked.
#[derive(Debug, Default)]
pub(super) struct Asking {
    functions: BTreeMap<FunctionId, Place>,
}

impl Asking {
    /// Finds them in the services' code.
    pub(super) fn find(part: &Part<'_, '_>) -> Asking {
        let names = part.context.names;
        let mut functions: BTreeMap<FunctionId, Place> = BTreeMap::new();
        for info in names.functions().iter().filter(|info| part.is_judged(info)) {
            let Some(body) = &info.function.body else { continue };
            let asks = Asks::of(part, info);
            each(body, &mut |expr, around| {
                if asks.asks(expr) && is_certain(body, expr.span, around) {
                    functions.entry(info.id).or_insert(Place { file: info.file, span: expr.span });
                }
            });
        }
        for _ in 0..CALLS_DEEP {
            let known: BTreeSet<FunctionId> = functions.keys().copied().collect();
            for info in names.functions().iter().filter(|info| part.is_judged(info) && !known.contains(&info.id)) {
                let Some(body) = &info.function.body else { continue };
                let sites = names.calls(info.id).iter().filter(|site| site.certain && !site.by_reference);
                let asking: BTreeMap<Span, FunctionId> =
                    sites.filter(|site| known.contains(&site.target)).map(|site| (site.span, site.target)).collect();
                if asking.is_empty() {
                    continue;
                }
                each(body, &mut |expr, around| {
                    if let Some(target) = asking.get(&expr.span).filter(|_| is_certain(body, expr.span, around))
                        && let Some(place) = functions.get(target).copied()
                    {
                        functions.entry(info.id).or_insert(place);
                    }
                });
            }
        }
        Asking { functions }
    }

    /// Where a function asks, directly or in what it calls.
    pub(super) fn place(&self, function: FunctionId) -> Option<Place> {
        self.functions.get(&function).copied()
    }
}

/// Whether a place of a body is always come to: in no branch, no task of its own, after no early `return`.
fn is_certain(body: &Block, span: Span, around: &[&Expr]) -> bool {
    let branch = |outer: &&Expr| match &*outer.kind {
        ExprKind::If { condition, .. } => !condition.span.holds(span),
        ExprKind::Match { on, .. } => !on.span.holds(span),
        ExprKind::Binary { operator, left, .. } => matches!(operator.as_str(), "&&" | "||") && !left.span.holds(span),
        ExprKind::MethodCall { receiver, method, .. } => {
            PERHAPS.contains(&method.as_str()) && !receiver.span.holds(span)
        }
        ExprKind::While { .. } | ExprKind::For { .. } => true,
        _ => spawns(outer),
    };
    if around.iter().any(branch) {
        return false;
    }
    let mut returned = false;
    each(body, &mut |expr, _| {
        returned |= matches!(&*expr.kind, ExprKind::Return(_)) && expr.span.end <= span.start;
    });
    !returned
}

/// Adds the loops of a function that requests wait for: the first, with the others beside it.
pub(super) fn look<'a>(part: &Part<'_, 'a>, asking: &Asking, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let Some(body) = &info.function.body else { return };
    let asks = Asks::of(part, info);
    let mut first: Option<Fact> = None;
    each(body, &mut |expr, around| {
        let Some(repeated) = repeated(expr) else { return };
        if around.iter().any(|outer| spawns(outer)) || !part.waits_for(info, expr.span) {
            return;
        }
        let Some((name, span, place, sure)) = first_question(part, asking, info, &asks, repeated) else { return };
        // A loop that ends with its first success tries one after the other.
        if is_attempt(repeated) {
            return;
        }
        let Some(reached) = part.reached(info, span) else { return };
        if let Some(first) = &mut first {
            let place = Place { file: info.file, span };
            // Of loops inside of each other, the query is in both.
            if place != first.place {
                first.related.push(Related { place, note: format!("`{name}` in a loop as well") });
            }
            return;
        }
        let data = vocabulary::QueryLoop { name: name.into() };
        let mut fact = part.fact(data, info.file, span, sure, Some(reached));
        fact.related = place.into_iter().map(|place| Related { place, note: "the query".to_string() }).collect();
        first = Some(fact);
    });
    found.extend(first);
}

/// What an expression does once for each element of something that may hold many.
fn repeated(expr: &Expr) -> Option<&Expr> {
    match &*expr.kind {
        ExprKind::For { iterated, .. } => (!is_few(iterated)).then_some(expr),
        ExprKind::Call { function, arguments } => {
            let joins = matches!(&*function.kind, ExprKind::Path(path) if JOINS.contains(&path.last()));
            let mapped = arguments.first().filter(|_| joins)?;
            let ExprKind::MethodCall { receiver, method, .. } = &*mapped.kind else { return None };
            (method == "map" && !is_few(receiver)).then_some(mapped)
        }
        _ => None,
    }
}

/// A range, an array that is written out, a constant, pieces of many elements, or a few places to ask.
fn is_few(iterated: &Expr) -> bool {
    let methods = chain(iterated);
    let named_few = |name: &str| {
        let name = name.to_ascii_lowercase();
        FEW.iter().any(|word| name.contains(word))
    };
    if methods.iter().any(|(method, _)| named_few(method) || matches!(*method, "take" | "permutations")) {
        return true;
    }
    match &*bare(super::body::chain_root(iterated)).kind {
        ExprKind::Range { .. } | ExprKind::Array(_) | ExprKind::Repeat { .. } | ExprKind::Tuple(_) => true,
        ExprKind::Literal(Literal::Text(_)) => true,
        ExprKind::Path(path) => named_few(path.last()) || !path.last().chars().any(char::is_lowercase),
        ExprKind::Field { name, .. } => named_few(name),
        ExprKind::Call { function, .. } => {
            matches!(&*function.kind, ExprKind::Path(path) if path.segments.len() > 1 && matches!(path.last(), "iter" | "all" | "values" | "once"))
        }
        ExprKind::Macro(call) => {
            call.path.is("vec") && !call.tokens.iter().any(|token| matches!(token.kind, TokenKind::Punct(';')))
        }
        _ => false,
    }
}

/// A body that leaves the loop with `break` or `return` on its way of success.
fn is_attempt(repeated: &Expr) -> bool {
    let ExprKind::For { body, .. } = &*repeated.kind else { return false };
    let Some(Statement::Expr { value, .. }) = body.statements.last() else { return false };
    matches!(&*value.kind, ExprKind::Return(_) | ExprKind::Break(_))
}

type Question = (String, Span, Option<Place>, Confidence);

/// The first expression of what is repeated that asks.
fn first_question(
    part: &Part<'_, '_>,
    asking: &Asking,
    info: &FunctionInfo<'_>,
    asks: &Asks<'_>,
    repeated: &Expr,
) -> Option<Question> {
    let inside = match &*repeated.kind {
        ExprKind::For { body, .. } => body.span,
        ExprKind::MethodCall { arguments, .. } => arguments.first()?.span,
        _ => return None,
    };
    let mut first: Option<Question> = None;
    each_in(repeated, &mut |expr, around| {
        let left = |outer: &&Expr| leaves(outer) || is_fallback(outer, expr.span);
        if first.is_some() || !inside.holds(expr.span) || around.iter().any(left) {
            return;
        }
        if asks.asks(expr)
            && let ExprKind::MethodCall { method, method_span, .. } = &*expr.kind
        {
            first = Some((method.clone(), *method_span, None, Confidence::High));
        }
    });
    if first.is_some() {
        return first;
    }
    let names = part.context.names;
    let sites = names
        .calls(info.id)
        .iter()
        .filter(|site| inside.holds(site.span) && site.certain && !site.by_reference && !site.detached);
    let asked: BTreeMap<Span, (FunctionId, Place)> =
        sites.filter_map(|site| Some((site.span, (site.target, asking.place(site.target)?)))).collect();
    each_in(repeated, &mut |expr, around| {
        if let Some((target, place)) = asked.get(&expr.span)
            && first.is_none()
            && !around.iter().any(|outer| leaves(outer) || is_fallback(outer, expr.span))
        {
            first = Some((names.function(*target).item.name.clone(), expr.span, Some(*place), Confidence::High));
        }
    });
    first
}

/// The arm for what is not there: a cache that was asked before.
fn is_fallback(outer: &Expr, place: Span) -> bool {
    let ExprKind::Match { arms, .. } = &*outer.kind else { return false };
    let none = |pattern: &Pattern| match &pattern.kind {
        PatternKind::Path(path) => path.last() == "None",
        PatternKind::Name(name) => name == "None",
        _ => false,
    };
    arms.iter().any(|arm| arm.body.span.holds(place) && none(&arm.pattern))
}

/// What is not done once for each element: a task of its own, the value that a `return` or `break` leaves with.
fn leaves(outer: &Expr) -> bool {
    spawns(outer) || matches!(&*outer.kind, ExprKind::Return(_) | ExprKind::Break(_))
}

//! Answers of the database that a request throws away, errors with them.

use super::Part;
use super::asks::Asks;
use super::body::dropped;
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::FunctionInfo;
use crate::parse::rust::ast::{Expr, ExprKind};

/// Adds those of a function that requests reach: `let _ = query.execute(pool).await`, `query.execute(pool).await.ok();`.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let Some(body) = &info.function.body else { return };
    let asks = Asks::of(part, info);
    for expr in dropped(body) {
        let Some(asked) = thrown_away(expr).filter(|asked| asks.asks(asked)) else { continue };
        let ExprKind::MethodCall { method_span, .. } = &*asked.kind else { continue };
        let Some(reached) = part.reached(info, *method_span) else { continue };
        let data = vocabulary::ErrorHandling {
            how: "swallowed".into(),
            in_request: true.into(),
            for_all: false.into(),
            answers_fault: false.into(),
        };
        found.push(part.fact(data, info.file, *method_span, Confidence::High, Some(reached)));
    }
}

/// What is asked, where the statement looks at no part of the answer.
fn thrown_away(expr: &Expr) -> Option<&Expr> {
    match &*expr.kind {
        ExprKind::Await(inner) => thrown_away(inner),
        ExprKind::MethodCall { receiver, method, arguments, .. } if method == "ok" && arguments.is_empty() => {
            thrown_away(receiver)
        }
        // What a `?` lets out is no error that is thrown away.
        ExprKind::MethodCall { .. } => Some(expr),
        _ => None,
    }
}

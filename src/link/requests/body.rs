//! Walks over the production code of a body, with what stands around each expression.

use crate::link::names::visit::{self, Visit};
use crate::parse::rust::ast::{
    Arm, Attribute, Block, Expr, ExprKind, Literal, MacroCall, Path, PatternKind, Statement,
};

/// Visits every expression with those around it, outermost first. Code under a `cfg` that production does not have and
/// `if cfg!(debug_assertions)` are left out.
pub(super) fn each<'a>(block: &'a Block, visit: &mut dyn FnMut(&'a Expr, &[&'a Expr])) {
    Walk { around: Vec::new(), visit }.block(block);
}

/// The same below one expression.
pub(super) fn each_in<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr, &[&'a Expr])) {
    Walk { around: Vec::new(), visit }.expr(expr);
}

struct Walk<'a, 'v> {
    around: Vec<&'a Expr>,
    visit: &'v mut dyn FnMut(&'a Expr, &[&'a Expr]),
}

impl<'a> Visit<'a> for Walk<'a, '_> {
    fn expr(&mut self, expr: &'a Expr) {
        (self.visit)(expr, &self.around);
        self.around.push(expr);
        match &*expr.kind {
            ExprKind::If { condition, otherwise, .. } if is_debug_guard(condition) => {
                otherwise.iter().for_each(|otherwise| self.expr(otherwise));
            }
            _ => visit::walk_expr(self, expr),
        }
        self.around.pop();
    }

    fn statement(&mut self, statement: &'a Statement) {
        let attributes: &[Attribute] = match statement {
            Statement::Let { attributes, .. } | Statement::Expr { attributes, .. } => attributes,
            Statement::Item(_) => &[],
        };
        if in_production(attributes) {
            visit::walk_statement(self, statement);
        }
    }

    fn arm(&mut self, arm: &'a Arm) {
        if in_production(&arm.attributes) {
            visit::walk_arm(self, arm);
        }
    }
}

/// Expressions whose values are dropped: statements that end with a semicolon, `let _ = ..`, `let _name = ..`.
pub(super) fn dropped(block: &Block) -> Vec<&Expr> {
    struct Dropped<'a>(Vec<&'a Expr>);
    impl<'a> Visit<'a> for Dropped<'a> {
        fn statement(&mut self, statement: &'a Statement) {
            match statement {
                Statement::Expr { value, ended: true, .. } => self.0.push(value),
                Statement::Let { pattern, value: Some(value), .. } => match &pattern.kind {
                    PatternKind::Wild => self.0.push(value),
                    PatternKind::Name(name) if name.starts_with('_') => self.0.push(value),
                    _ => {}
                },
                _ => {}
            }
            visit::walk_statement(self, statement);
        }
    }
    let mut dropped = Dropped(Vec::new());
    dropped.block(block);
    dropped.0
}

/// A call that starts a task: nobody waits for what it is given.
pub(super) fn spawns(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Call { function, .. } => {
            matches!(&*function.kind, ExprKind::Path(path) if crate::link::names::detaches_by_name(path.last()))
        }
        ExprKind::MethodCall { method, .. } => crate::link::names::detaches_by_name(method),
        _ => false,
    }
}

fn in_production(attributes: &[Attribute]) -> bool {
    crate::link::names::in_production(attributes)
}

/// `cfg!(debug_assertions)`, alone or with more.
fn is_debug_guard(condition: &Expr) -> bool {
    match &*condition.kind {
        ExprKind::Macro(call) => call.path.is("cfg") && call.tokens.iter().any(|token| {
            matches!(&token.kind, crate::parse::rust::ast::TokenKind::Ident(word) if word == "debug_assertions" || word == "test")
        }) && !call.tokens.iter().any(|token| {
            matches!(&token.kind, crate::parse::rust::ast::TokenKind::Ident(word) if word == "not")
        }),
        ExprKind::Binary { operator, left, right } if operator == "&&" => is_debug_guard(left) || is_debug_guard(right),
        _ => false,
    }
}

/// A macro by the last segment of its path.
pub(super) fn macro_name(expr: &Expr) -> Option<(&MacroCall, &str)> {
    match &*expr.kind {
        ExprKind::Macro(call) => Some((call, call.path.last())),
        _ => None,
    }
}

/// Macros that log.
pub(super) const LOG_MACROS: &[&str] = &[
    "error",
    "warn",
    "info",
    "debug",
    "trace",
    "event",
    "log",
    "crit",
    "slog_error",
    "slog_warn",
    "slog_info",
    "slog_debug",
    "error_span",
    "warn_span",
    "info_span",
    "debug_span",
    "trace_span",
    "span",
];

/// Whether a macro call logs.
pub(super) fn is_log(call: &MacroCall) -> bool {
    LOG_MACROS.contains(&call.path.last())
}

/// Whether one of these is a log or print macro.
pub(super) fn inside_log(around: &[&Expr]) -> bool {
    around.iter().any(|expr| {
        macro_name(expr).is_some_and(|(call, name)| {
            is_log(call) || matches!(name, "println" | "eprintln" | "print" | "eprint" | "dbg")
        })
    })
}

/// The path that is called, of a call or a path on its own.
pub(super) fn called_path(expr: &Expr) -> Option<&Path> {
    match &*expr.kind {
        ExprKind::Path(path) => Some(path),
        ExprKind::Call { function, .. } => called_path(function),
        _ => None,
    }
}

/// The expression without references, awaits, `?`, and conversions that keep the value.
pub(super) fn bare(expr: &Expr) -> &Expr {
    match &*expr.kind {
        ExprKind::Reference(inner)
        | ExprKind::Await(inner)
        | ExprKind::Try(inner)
        | ExprKind::Unary { operand: inner, .. } => bare(inner),
        ExprKind::MethodCall { receiver, method, arguments, .. }
            if arguments.is_empty() && SAME.contains(&method.as_str()) =>
        {
            bare(receiver)
        }
        _ => expr,
    }
}

/// Methods that keep the value.
const SAME: &[&str] = &[
    "clone",
    "as_ref",
    "as_mut",
    "as_str",
    "as_deref",
    "to_owned",
    "to_string",
    "into",
    "borrow",
    "cloned",
    "copied",
    "as_bytes",
    "iter",
    "unwrap",
    "unwrap_or_default",
    "deref",
    "expose_secret",
    "expose",
    "reveal",
];

/// The innermost receiver of a chain of methods.
pub(super) fn chain_root(expr: &Expr) -> &Expr {
    let mut at = expr;
    while let ExprKind::MethodCall { receiver: inner, .. } | ExprKind::Await(inner) | ExprKind::Try(inner) = &*at.kind {
        at = inner;
    }
    at
}

/// Methods of a chain with their arguments, last first.
pub(super) fn chain(expr: &Expr) -> Vec<(&str, &[Expr])> {
    let mut found = Vec::new();
    let mut at = expr;
    loop {
        match &*at.kind {
            ExprKind::MethodCall { receiver, method, arguments, .. } => {
                found.push((method.as_str(), arguments.as_slice()));
                at = receiver;
            }
            ExprKind::Await(inner) | ExprKind::Try(inner) => at = inner,
            _ => return found,
        }
    }
}

/// The text of a string literal.
pub(super) fn literal(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

/// Names that a format string captures (`{name}`, `{name:?}`), with whether by Debug.
pub(super) fn captures(format: &str) -> Vec<(&str, bool)> {
    placeholders(format)
        .into_iter()
        .filter(|(name, _)| name.starts_with(|first: char| first.is_alphabetic() || first == '_'))
        .collect()
}

/// All placeholders: what stands before the colon, and whether it formats by Debug.
pub(super) fn placeholders(format: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let Some(end) = rest.find('}') else { break };
        let (name, how) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        found.push((name, how.contains('?')));
        rest = &rest[end + 1..];
    }
    found
}

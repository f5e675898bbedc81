//! Walks over the bodies of the tree, in source order.

use crate::parse::rust::ast::{Arm, Block, Expr, ExprKind, Item, MacroCall, Pattern, Statement};

/// What a walk sees. Every method goes on into what it was given by default; one that does more calls the `walk_*`
/// function of the same name. Items inside bodies are seen and not entered.
pub trait Visit<'a> {
    /// An expression.
    fn expr(&mut self, expr: &'a Expr) {
        walk_expr(self, expr);
    }

    /// A block.
    fn block(&mut self, block: &'a Block) {
        walk_block(self, block);
    }

    /// A statement.
    fn statement(&mut self, statement: &'a Statement) {
        walk_statement(self, statement);
    }

    /// An arm of a `match`.
    fn arm(&mut self, arm: &'a Arm) {
        walk_arm(self, arm);
    }

    /// A macro call.
    fn macro_call(&mut self, call: &'a MacroCall) {
        walk_macro(self, call);
    }

    /// A pattern that binds or tests; its parts are not visited one by one.
    fn pattern(&mut self, _pattern: &'a Pattern) {}

    /// An item inside a body.
    fn item(&mut self, _item: &'a Item) {}
}

/// Into the parts of an expression.
pub fn walk_expr<'a, V: Visit<'a> + ?Sized>(visit: &mut V, expr: &'a Expr) {
    match &*expr.kind {
        ExprKind::Path(_) | ExprKind::Literal(_) | ExprKind::Other => {}
        ExprKind::Call { function, arguments } => {
            visit.expr(function);
            all(visit, arguments);
        }
        ExprKind::MethodCall { receiver, arguments, .. } => {
            visit.expr(receiver);
            all(visit, arguments);
        }
        ExprKind::Macro(call) => visit.macro_call(call),
        ExprKind::Closure { parameters, body, .. } => {
            parameters.iter().for_each(|parameter| visit.pattern(&parameter.pattern));
            visit.expr(body);
        }
        ExprKind::Block(block) | ExprKind::Async(block) | ExprKind::Loop(block) => visit.block(block),
        ExprKind::Tuple(parts) | ExprKind::Array(parts) => all(visit, parts),
        ExprKind::Struct { fields, rest, .. } => {
            fields.iter().for_each(|(_, value)| visit.expr(value));
            optional(visit, rest.as_ref());
        }
        _ => walk_flow(visit, expr),
    }
}

fn walk_flow<'a, V: Visit<'a> + ?Sized>(visit: &mut V, expr: &'a Expr) {
    match &*expr.kind {
        ExprKind::If { condition, then, otherwise } => {
            visit.expr(condition);
            visit.block(then);
            optional(visit, otherwise.as_ref());
        }
        ExprKind::Match { on, arms } => {
            visit.expr(on);
            arms.iter().for_each(|arm| visit.arm(arm));
        }
        ExprKind::While { condition, body } => {
            visit.expr(condition);
            visit.block(body);
        }
        ExprKind::For { pattern, iterated, body } => {
            visit.expr(iterated);
            visit.pattern(pattern);
            visit.block(body);
        }
        ExprKind::Let { pattern, value } => {
            visit.expr(value);
            visit.pattern(pattern);
        }
        _ => walk_operator(visit, expr),
    }
}

fn walk_operator<'a, V: Visit<'a> + ?Sized>(visit: &mut V, expr: &'a Expr) {
    match &*expr.kind {
        ExprKind::Field { base: one, .. }
        | ExprKind::Unary { operand: one, .. }
        | ExprKind::Reference(one)
        | ExprKind::Cast { value: one, .. }
        | ExprKind::Await(one)
        | ExprKind::Try(one) => visit.expr(one),
        ExprKind::Index { base: left, index: right }
        | ExprKind::Assign { left, right }
        | ExprKind::Binary { left, right, .. }
        | ExprKind::Repeat { value: left, length: right } => {
            visit.expr(left);
            visit.expr(right);
        }
        ExprKind::Return(value) | ExprKind::Break(value) => optional(visit, value.as_ref()),
        ExprKind::Range { from, to } => {
            optional(visit, from.as_ref());
            optional(visit, to.as_ref());
        }
        _ => {}
    }
}

fn all<'a, V: Visit<'a> + ?Sized>(visit: &mut V, exprs: &'a [Expr]) {
    exprs.iter().for_each(|expr| visit.expr(expr));
}

fn optional<'a, V: Visit<'a> + ?Sized>(visit: &mut V, expr: Option<&'a Expr>) {
    if let Some(expr) = expr {
        visit.expr(expr);
    }
}

/// Into the statements of a block.
pub fn walk_block<'a, V: Visit<'a> + ?Sized>(visit: &mut V, block: &'a Block) {
    block.statements.iter().for_each(|statement| visit.statement(statement));
}

/// Into the parts of a statement.
pub fn walk_statement<'a, V: Visit<'a> + ?Sized>(visit: &mut V, statement: &'a Statement) {
    match statement {
        Statement::Let { pattern, value, otherwise, .. } => {
            optional(visit, value.as_ref());
            if let Some(block) = otherwise {
                visit.block(block);
            }
            visit.pattern(pattern);
        }
        Statement::Item(item) => visit.item(item),
        Statement::Expr { value, .. } => visit.expr(value),
    }
}

/// Into the parts of an arm.
pub fn walk_arm<'a, V: Visit<'a> + ?Sized>(visit: &mut V, arm: &'a Arm) {
    visit.pattern(&arm.pattern);
    optional(visit, arm.guard.as_ref());
    visit.expr(&arm.body);
}

/// Into the arguments of a macro call, and what it comes to.
pub fn walk_macro<'a, V: Visit<'a> + ?Sized>(visit: &mut V, call: &'a MacroCall) {
    call.arguments.iter().for_each(|argument| visit.expr(&argument.value));
    call.expansion.iter().for_each(|block| walk_block(visit, block));
}

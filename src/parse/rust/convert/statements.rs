//! Blocks and statements.

use syn::Stmt;

use super::Maker;
use super::expressions::made;
use crate::parse::rust::ast::{Block, Expr, ExprKind, Statement};

impl Maker<'_> {
    /// A block.
    pub fn block(&self, block: &syn::Block) -> Block {
        Block { statements: self.statements(&block.stmts), span: self.span(block.brace_token.span.join()) }
    }

    /// Statements in order; items that stand in macros come after the macro.
    pub fn statements(&self, statements: &[Stmt]) -> Vec<Statement> {
        let outside = self.lifted.take();
        let mut all = Vec::with_capacity(statements.len());
        for statement in statements {
            all.push(self.statement(statement));
            all.extend(self.lifted.take().into_iter().map(Statement::Item));
        }
        self.lifted.replace(outside);
        all
    }

    fn statement(&self, statement: &Stmt) -> Statement {
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Item(item) => Statement::Item(self.item(item)),
            Stmt::Expr(expr, semicolon) => Statement::Expr {
                value: self.expr(expr),
                ended: semicolon.is_some(),
                attributes: leading_attributes(expr).map(|list| self.attributes(list)).unwrap_or_default(),
            },
            Stmt::Macro(call) => {
                let made_call = self.macro_call(&call.mac);
                Statement::Expr {
                    value: made(made_call.span, ExprKind::Macro(made_call)),
                    ended: call.semi_token.is_some(),
                    attributes: self.attributes(&call.attrs),
                }
            }
        }
    }

    fn local(&self, local: &syn::Local) -> Statement {
        let (pattern, ty) = match &local.pat {
            syn::Pat::Type(typed) => (self.pattern(&typed.pat), Some(self.ty(&typed.ty))),
            other => (self.pattern(other), None),
        };
        let (value, otherwise) = match &local.init {
            Some(init) => {
                (Some(self.expr(&init.expr)), init.diverge.as_ref().and_then(|(_, other)| as_block(self.expr(other))))
            }
            None => (None, None),
        };
        Statement::Let { pattern, ty, value, otherwise, attributes: self.attributes(&local.attrs) }
    }
}

fn as_block(expr: Expr) -> Option<Block> {
    match *expr.kind {
        ExprKind::Block(block) => Some(block),
        _ => None,
    }
}

/// Attributes before an expression statement: `syn` hangs them on its leftmost operand.
fn leading_attributes(expr: &syn::Expr) -> Option<&[syn::Attribute]> {
    use syn::Expr as S;
    let mut at = expr;
    loop {
        at = match at {
            S::Assign(assign) => &assign.left,
            S::Binary(binary) => &binary.left,
            S::Cast(cast) => &cast.expr,
            _ => break,
        };
    }
    let attributes = match at {
        S::Await(inner) => &inner.attrs,
        S::Block(inner) => &inner.attrs,
        S::Call(inner) => &inner.attrs,
        S::Field(inner) => &inner.attrs,
        S::ForLoop(inner) => &inner.attrs,
        S::If(inner) => &inner.attrs,
        S::Index(inner) => &inner.attrs,
        S::Loop(inner) => &inner.attrs,
        S::Macro(inner) => &inner.attrs,
        S::Match(inner) => &inner.attrs,
        S::MethodCall(inner) => &inner.attrs,
        S::Path(inner) => &inner.attrs,
        S::Return(inner) => &inner.attrs,
        S::Try(inner) => &inner.attrs,
        S::Unary(inner) => &inner.attrs,
        S::Unsafe(inner) => &inner.attrs,
        S::While(inner) => &inner.attrs,
        _ => return None,
    };
    Some(attributes)
}

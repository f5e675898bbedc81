//! Expressions.

use syn::Expr as S;
use syn::punctuated::Punctuated;

use super::Maker;
use super::patterns::member;
use super::tokens::{literal, name};
use crate::parse::rust::ast::{Arm, Expr, ExprKind, Path};
use crate::scan::source::Span;

/// An expression from its parts.
pub fn made(span: Span, kind: ExprKind) -> Expr {
    Expr { span, kind: Box::new(kind) }
}

impl Maker<'_> {
    /// An expression.
    pub fn expr(&self, expr: &S) -> Expr {
        self.deeper(Span::default, || self.values(expr)).unwrap_or_else(|| made(Span::default(), ExprKind::Other))
    }

    fn boxed(&self, expr: Option<&S>) -> Option<Expr> {
        expr.map(|expr| self.expr(expr))
    }

    /// Expressions in order.
    pub fn exprs<P>(&self, exprs: &Punctuated<S, P>) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// Paths, literals, calls and what is made of them; anything else is passed on.
    fn values(&self, expr: &S) -> Expr {
        match expr {
            S::Path(path) => {
                let path = self.qualified(path.qself.as_ref(), &path.path);
                made(path.span, ExprKind::Path(path))
            }
            S::Lit(value) => made(self.span(value.lit.span()), ExprKind::Literal(literal(&value.lit))),
            S::Call(call) => {
                let function = self.expr(&call.func);
                let span = function.span.to(self.span(call.paren_token.span.close()));
                made(span, ExprKind::Call { function, arguments: self.exprs(&call.args) })
            }
            S::MethodCall(call) => self.method_call(call),
            S::Field(field) => {
                let base = self.expr(&field.base);
                let end = match &field.member {
                    syn::Member::Named(ident) => ident.span(),
                    syn::Member::Unnamed(index) => index.span,
                };
                made(base.span.to(self.span(end)), ExprKind::Field { base, name: member(&field.member) })
            }
            S::Index(index) => {
                let base = self.expr(&index.expr);
                let span = base.span.to(self.span(index.bracket_token.span.close()));
                made(span, ExprKind::Index { base, index: self.expr(&index.index) })
            }
            S::Macro(call) => {
                let call = self.macro_call(&call.mac);
                made(call.span, ExprKind::Macro(call))
            }
            S::Paren(paren) => Expr { span: self.span(paren.paren_token.span.join()), ..self.expr(&paren.expr) },
            S::Group(group) => self.expr(&group.expr),
            S::Await(awaited) => {
                let base = self.expr(&awaited.base);
                made(base.span.to(self.span(awaited.await_token.span)), ExprKind::Await(base))
            }
            S::Try(tried) => {
                let value = self.expr(&tried.expr);
                made(value.span.to(self.span(tried.question_token.span)), ExprKind::Try(value))
            }
            other => self.operators(other),
        }
    }

    fn method_call(&self, call: &syn::ExprMethodCall) -> Expr {
        let receiver = self.expr(&call.receiver);
        let span = receiver.span.to(self.span(call.paren_token.span.close()));
        let kind = ExprKind::MethodCall {
            receiver,
            method: name(&call.method),
            method_span: self.span(call.method.span()),
            turbofish: call.turbofish.as_ref().map(|angles| self.angles(angles)).unwrap_or_default(),
            arguments: self.exprs(&call.args),
        };
        made(span, kind)
    }

    fn operators(&self, expr: &S) -> Expr {
        match expr {
            S::Binary(binary) => {
                let (left, right) = (self.expr(&binary.left), self.expr(&binary.right));
                let operator = operator(&binary.op).to_string();
                made(left.span.to(right.span), ExprKind::Binary { operator, left, right })
            }
            S::Unary(unary) => {
                let operand = self.expr(&unary.expr);
                let (operator, start) = match unary.op {
                    syn::UnOp::Deref(token) => ('*', token.span),
                    syn::UnOp::Not(token) => ('!', token.span),
                    syn::UnOp::Neg(token) => ('-', token.span),
                    _ => ('?', proc_macro2::Span::call_site()),
                };
                made(self.span(start).to(operand.span), ExprKind::Unary { operator, operand })
            }
            S::Reference(reference) => {
                let inner = self.expr(&reference.expr);
                made(self.span(reference.and_token.span).to(inner.span), ExprKind::Reference(inner))
            }
            S::RawAddr(address) => {
                let inner = self.expr(&address.expr);
                made(self.span(address.and_token.span).to(inner.span), ExprKind::Reference(inner))
            }
            S::Cast(cast) => {
                let (value, ty) = (self.expr(&cast.expr), self.ty(&cast.ty));
                made(value.span.to(ty.span), ExprKind::Cast { value, ty })
            }
            S::Assign(assign) => {
                let (left, right) = (self.expr(&assign.left), self.expr(&assign.right));
                made(left.span.to(right.span), ExprKind::Assign { left, right })
            }
            S::Range(range) => self.range(range),
            S::Let(binding) => {
                let (pattern, value) = (self.pattern(&binding.pat), self.expr(&binding.expr));
                made(self.span(binding.let_token.span).to(value.span), ExprKind::Let { pattern, value })
            }
            other => self.collections(other),
        }
    }

    /// A range, also as a pattern.
    pub fn range(&self, range: &syn::ExprRange) -> Expr {
        let (from, to) = (self.boxed(range.start.as_deref()), self.boxed(range.end.as_deref()));
        let dots = match &range.limits {
            syn::RangeLimits::HalfOpen(token) => self.span(token.spans[0]).to(self.span(token.spans[1])),
            syn::RangeLimits::Closed(token) => self.span(token.spans[0]).to(self.span(token.spans[2])),
        };
        let start = from.as_ref().map_or(dots, |from| from.span.to(dots));
        let span = to.as_ref().map_or(start, |to| start.to(to.span));
        made(span, ExprKind::Range { from, to })
    }

    fn collections(&self, expr: &S) -> Expr {
        match expr {
            S::Tuple(tuple) => {
                made(self.span(tuple.paren_token.span.join()), ExprKind::Tuple(self.exprs(&tuple.elems)))
            }
            S::Array(array) => {
                made(self.span(array.bracket_token.span.join()), ExprKind::Array(self.exprs(&array.elems)))
            }
            S::Repeat(repeat) => {
                let kind = ExprKind::Repeat { value: self.expr(&repeat.expr), length: self.expr(&repeat.len) };
                made(self.span(repeat.bracket_token.span.join()), kind)
            }
            S::Struct(literal) => {
                let path = self.qualified(literal.qself.as_ref(), &literal.path);
                let span = path.span.to(self.span(literal.brace_token.span.close()));
                let fields = literal.fields.iter().map(|field| (member(&field.member), self.expr(&field.expr)));
                let fields = fields.collect();
                made(span, ExprKind::Struct { path, fields, rest: self.boxed(literal.rest.as_deref()) })
            }
            S::Closure(closure) => self.closure(closure),
            other => self.blocks(other),
        }
    }

    fn closure(&self, closure: &syn::ExprClosure) -> Expr {
        let body = self.expr(&closure.body);
        let first = [
            closure.constness.map(|token| token.span),
            closure.asyncness.map(|token| token.span),
            closure.capture.map(|token| token.span),
        ];
        let start = first.into_iter().flatten().next().unwrap_or(closure.inputs_begin.span);
        let span = self.span(start).to(body.span);
        let parameters = closure.inputs.iter().map(|input| self.closure_parameter(input)).collect();
        made(span, ExprKind::Closure { parameters, body, is_async: closure.asyncness.is_some() })
    }

    fn blocks(&self, expr: &S) -> Expr {
        match expr {
            S::Block(block) => self.braced(None, &block.block),
            S::Unsafe(block) => self.braced(Some(block.unsafe_token.span), &block.block),
            S::Const(block) => self.braced(Some(block.const_token.span), &block.block),
            S::TryBlock(block) => self.braced(Some(block.try_token.span), &block.block),
            S::Async(block) => {
                let body = self.block(&block.block);
                made(self.span(block.async_token.span).to(body.span), ExprKind::Async(body))
            }
            S::Loop(looped) => {
                let body = self.block(&looped.body);
                made(self.span(looped.loop_token.span).to(body.span), ExprKind::Loop(body))
            }
            S::While(looped) => {
                let (condition, body) = (self.expr(&looped.cond), self.block(&looped.body));
                made(self.span(looped.while_token.span).to(body.span), ExprKind::While { condition, body })
            }
            S::ForLoop(looped) => {
                let body = self.block(&looped.body);
                let span = self.span(looped.for_token.span).to(body.span);
                let (pattern, iterated) = (self.pattern(&looped.pat), self.expr(&looped.expr));
                made(span, ExprKind::For { pattern, iterated, body })
            }
            S::If(branch) => self.branch(branch),
            S::Match(matched) => {
                let span = self.span(matched.match_token.span).to(self.span(matched.brace_token.span.close()));
                let arms = matched.arms.iter().map(|arm| self.arm(arm)).collect();
                made(span, ExprKind::Match { on: self.expr(&matched.expr), arms })
            }
            other => self.jumps(other),
        }
    }

    fn braced(&self, start: Option<proc_macro2::Span>, block: &syn::Block) -> Expr {
        let body = self.block(block);
        let span = start.map_or(body.span, |start| self.span(start).to(body.span));
        made(span, ExprKind::Block(body))
    }

    fn branch(&self, branch: &syn::ExprIf) -> Expr {
        let (condition, then) = (self.expr(&branch.cond), self.block(&branch.then_branch));
        let otherwise = branch.else_branch.as_ref().map(|(_, other)| self.expr(other));
        let end = otherwise.as_ref().map_or(then.span, |other| other.span);
        let span = self.span(branch.if_token.span).to(then.span).to(end);
        made(span, ExprKind::If { condition, then, otherwise })
    }

    /// An arm of a `match`.
    pub fn arm(&self, arm: &syn::Arm) -> Arm {
        let guard = match &arm.pat {
            syn::Pat::Guard(guarded) => Some(self.expr(&guarded.guard)),
            _ => None,
        };
        Arm {
            pattern: self.pattern(&arm.pat),
            guard,
            body: self.expr(&arm.body),
            attributes: self.attributes(&arm.attrs),
        }
    }

    fn jumps(&self, expr: &S) -> Expr {
        match expr {
            S::Return(jump) => {
                let (start, value) = (self.span(jump.return_token.span), self.boxed(jump.expr.as_deref()));
                let span = value.as_ref().map_or(start, |value| start.to(value.span));
                made(span, ExprKind::Return(value))
            }
            S::Break(jump) => {
                let (start, value) = (self.span(jump.break_token.span), self.boxed(jump.expr.as_deref()));
                let span = value.as_ref().map_or(start, |value| start.to(value.span));
                made(span, ExprKind::Break(value))
            }
            // What a generator yields is judged like what it returns.
            S::Yield(jump) => {
                let (start, value) = (self.span(jump.yield_token.span), self.boxed(jump.expr.as_deref()));
                let span = value.as_ref().map_or(start, |value| start.to(value.span));
                made(span, ExprKind::Break(value))
            }
            S::Continue(jump) => made(self.span(jump.continue_token.span), ExprKind::Other),
            S::Infer(infer) => {
                let span = self.span(infer.underscore_token.span);
                made(span, ExprKind::Path(Path { segments: vec!["_".to_string()], arguments: Vec::new(), span }))
            }
            S::Verbatim(tokens) => made(self.stream_span(tokens), ExprKind::Other),
            _ => made(Span::default(), ExprKind::Other),
        }
    }
}

fn operator(operator: &syn::BinOp) -> &'static str {
    use syn::BinOp as B;
    match operator {
        B::Add(_) => "+",
        B::Sub(_) => "-",
        B::Mul(_) => "*",
        B::Div(_) => "/",
        B::Rem(_) => "%",
        B::And(_) => "&&",
        B::Or(_) => "||",
        B::BitXor(_) => "^",
        B::BitAnd(_) => "&",
        B::BitOr(_) => "|",
        B::Shl(_) => "<<",
        B::Shr(_) => ">>",
        B::Eq(_) => "==",
        B::Lt(_) => "<",
        B::Le(_) => "<=",
        B::Ne(_) => "!=",
        B::Ge(_) => ">=",
        B::Gt(_) => ">",
        B::AddAssign(_) => "+=",
        B::SubAssign(_) => "-=",
        B::MulAssign(_) => "*=",
        B::DivAssign(_) => "/=",
        B::RemAssign(_) => "%=",
        B::BitXorAssign(_) => "^=",
        B::BitAndAssign(_) => "&=",
        B::BitOrAssign(_) => "|=",
        B::ShlAssign(_) => "<<=",
        B::ShrAssign(_) => ">>=",
        _ => "?",
    }
}

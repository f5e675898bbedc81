//! Walks over the tree of a Rust file.
//!
//! The tree's depth is bounded where it is made, so these recurse.

use super::ast::{Attribute, Block, Expr, ExprKind, Function, Item, ItemKind, RustFile, Statement, Token, TokenKind};

/// What stands around an expression inside the block or expression that a walk started from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Inside {
    /// Closures around it.
    pub closures: u32,
    /// `async` blocks around it.
    pub asyncs: u32,
    /// Macro calls around it.
    pub macros: u32,
    /// Loops around it.
    pub loops: u32,
}

/// Visits every expression of a block, outer ones first, in source order: closures, `async` blocks and macro arguments
/// are entered, items inside the block are not (they are items of their own).
pub fn expressions<'a>(block: &'a Block, visit: &mut dyn FnMut(&'a Expr)) {
    expressions_inside(block, &mut |expr, _| visit(expr));
}

/// The same, with what stands around each expression.
pub fn expressions_inside<'a>(block: &'a Block, visit: &mut dyn FnMut(&'a Expr, Inside)) {
    walk_block(block, Inside::default(), visit);
}

/// Visits an expression and all that it holds.
pub fn expression<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    walk(expr, Inside::default(), &mut |expr, _| visit(expr));
}

/// The same, with what stands around each expression.
pub fn expression_inside<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr, Inside)) {
    walk(expr, Inside::default(), visit);
}

/// Visits every expression of a file: bodies, constants, statics, and those of all nested items.
pub fn file_expressions<'a>(file: &'a RustFile, visit: &mut dyn FnMut(&'a Expr)) {
    items(&file.items, &mut |item, _| item_expressions(item, visit));
}

/// Visits the expressions that belong to an item itself, not those of items inside it.
pub fn item_expressions<'a>(item: &'a Item, visit: &mut dyn FnMut(&'a Expr)) {
    match &item.kind {
        ItemKind::Function(Function { body: Some(body), .. }) => expressions(body, visit),
        ItemKind::Const(_, Some(value)) | ItemKind::Static(_, Some(value)) => expression(value, visit),
        ItemKind::Macro(call) => {
            for argument in &call.arguments {
                expression(&argument.value, visit);
            }
        }
        _ => {}
    }
}

/// Visits every item: those of nested modules, impl blocks, traits and function bodies too. The flag says that the item
/// is compiled for tests only.
pub fn items<'a>(list: &'a [Item], visit: &mut dyn FnMut(&'a Item, bool)) {
    for item in list {
        walk_item(item, false, visit);
    }
}

fn walk_item<'a>(item: &'a Item, test: bool, visit: &mut dyn FnMut(&'a Item, bool)) {
    let test = test || is_test(&item.attributes);
    visit(item, test);
    match &item.kind {
        ItemKind::Module(Some(items)) | ItemKind::Trait(items) => {
            items.iter().for_each(|item| walk_item(item, test, visit));
        }
        ItemKind::Impl(block) => block.items.iter().for_each(|item| walk_item(item, test, visit)),
        ItemKind::Function(Function { body: Some(body), .. }) => {
            for_each_block(body, &mut |block| {
                for statement in &block.statements {
                    if let Statement::Item(item) = statement {
                        walk_item(item, test, visit);
                    }
                }
            });
        }
        _ => {}
    }
}

/// Visits a block and every block inside its expressions.
fn for_each_block<'a>(block: &'a Block, visit: &mut dyn FnMut(&'a Block)) {
    visit(block);
    expressions(block, &mut |expr| match &*expr.kind {
        ExprKind::Block(inner) | ExprKind::Async(inner) | ExprKind::Loop(inner) => visit(inner),
        ExprKind::If { then, .. } => visit(then),
        ExprKind::While { body, .. } | ExprKind::For { body, .. } => visit(body),
        _ => {}
    });
}

/// `#[test]`, `#[tokio::test]`, `#[sqlx::test]`, `#[cfg(test)]` and `#[cfg(all(test, ..))]`.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match attribute.path.last() {
        "test" | "rstest" | "test_case" | "bench" => true,
        "cfg" => cfg_needs(&attribute.tokens, "test"),
        _ => false,
    })
}

/// Whether a `cfg` condition only holds where `name` does: `name` itself, or a member of `all(..)`.
pub fn cfg_needs(condition: &[Token], name: &str) -> bool {
    let is_ident = |token: &Token, text: &str| matches!(&token.kind, TokenKind::Ident(ident) if ident == text);
    match condition {
        [only] => is_ident(only, name),
        [first, Token { kind: TokenKind::Open(_), .. }, inner @ .., Token { kind: TokenKind::Close(_), .. }]
            if is_ident(first, "all") =>
        {
            split_commas(inner).into_iter().any(|part| cfg_needs(part, name))
        }
        [first, Token { kind: TokenKind::Open(_), .. }, inner @ .., Token { kind: TokenKind::Close(_), .. }]
            if is_ident(first, "any") =>
        {
            split_commas(inner).into_iter().all(|part| cfg_needs(part, name))
        }
        _ => false,
    }
}

/// Parts of a token list between commas that stand in no bracket; an empty last part is left out.
pub fn split_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close(_) => depth = depth.saturating_sub(1),
            TokenKind::Punct(',') if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

fn walk_block<'a>(block: &'a Block, inside: Inside, visit: &mut dyn FnMut(&'a Expr, Inside)) {
    for statement in &block.statements {
        match statement {
            Statement::Let { value, otherwise, .. } => {
                value.iter().for_each(|value| walk(value, inside, visit));
                otherwise.iter().for_each(|block| walk_block(block, inside, visit));
            }
            Statement::Expr { value, .. } => walk(value, inside, visit),
            Statement::Item(_) => {}
        }
    }
}

fn walk<'a>(expr: &'a Expr, inside: Inside, visit: &mut dyn FnMut(&'a Expr, Inside)) {
    visit(expr, inside);
    match &*expr.kind {
        ExprKind::Closure { body, .. } => {
            walk(body, Inside { closures: inside.closures + 1, ..inside }, visit);
        }
        ExprKind::Async(block) => walk_block(block, Inside { asyncs: inside.asyncs + 1, ..inside }, visit),
        ExprKind::Macro(call) => {
            let inside = Inside { macros: inside.macros + 1, ..inside };
            call.arguments.iter().for_each(|argument| walk(&argument.value, inside, visit));
            call.expansion.iter().for_each(|block| walk_block(block, inside, visit));
        }
        ExprKind::Block(block) => walk_block(block, inside, visit),
        ExprKind::Loop(_) | ExprKind::While { .. } | ExprKind::For { .. } => walk_loop(expr, inside, visit),
        ExprKind::If { condition, then, otherwise } => {
            walk(condition, inside, visit);
            walk_block(then, inside, visit);
            otherwise.iter().for_each(|other| walk(other, inside, visit));
        }
        ExprKind::Match { on, arms } => {
            walk(on, inside, visit);
            for arm in arms {
                arm.guard.iter().for_each(|guard| walk(guard, inside, visit));
                walk(&arm.body, inside, visit);
            }
        }
        _ => children(expr, &mut |child| walk(child, inside, visit)),
    }
}

fn walk_loop<'a>(expr: &'a Expr, inside: Inside, visit: &mut dyn FnMut(&'a Expr, Inside)) {
    let within = Inside { loops: inside.loops + 1, ..inside };
    match &*expr.kind {
        ExprKind::Loop(body) => walk_block(body, within, visit),
        ExprKind::While { condition, body } => {
            walk(condition, within, visit);
            walk_block(body, within, visit);
        }
        ExprKind::For { iterated, body, .. } => {
            walk(iterated, inside, visit);
            walk_block(body, within, visit);
        }
        _ => {}
    }
}

/// The direct operands of an expression that has no blocks, closures or macro arguments of its own.
fn children<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    match &*expr.kind {
        ExprKind::Call { function, arguments } => {
            visit(function);
            arguments.iter().for_each(visit);
        }
        ExprKind::MethodCall { receiver, arguments, .. } => {
            visit(receiver);
            arguments.iter().for_each(visit);
        }
        ExprKind::Struct { fields, rest, .. } => {
            fields.iter().for_each(|(_, value)| visit(value));
            rest.iter().for_each(visit);
        }
        ExprKind::Index { base: left, index: right }
        | ExprKind::Assign { left, right }
        | ExprKind::Binary { left, right, .. }
        | ExprKind::Repeat { value: left, length: right } => {
            visit(left);
            visit(right);
        }
        ExprKind::Field { base: value, .. }
        | ExprKind::Let { value, .. }
        | ExprKind::Unary { operand: value, .. }
        | ExprKind::Reference(value)
        | ExprKind::Cast { value, .. }
        | ExprKind::Await(value)
        | ExprKind::Try(value) => visit(value),
        ExprKind::Return(value) | ExprKind::Break(value) => value.iter().for_each(visit),
        ExprKind::Tuple(values) | ExprKind::Array(values) => values.iter().for_each(visit),
        ExprKind::Range { from, to } => from.iter().chain(to).for_each(visit),
        _ => {}
    }
}

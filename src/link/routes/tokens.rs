//! Route tables in attributes: `"/health" => get(health)`, `"/users" => sub(users::Api)`, on a struct that
//! `configure(..)` is given.

use super::super::names::ItemInfo;
use super::evaluate::{Evaluator, Frame};
use super::register;
use super::value::{Answer, Methods, Router, Shared, Text};
use crate::parse::rust::ast::{Literal, Token, TokenKind};
use crate::scan::source::Place;

/// Deepest nesting of tables.
const MAX_TABLES: usize = 12;

/// Takes in the tables of the struct that a path such as `Api::configure` names.
pub fn configure<'a>(evaluator: &mut Evaluator<'a>, shared: &Shared<'a>, path: &str) {
    let ty = path.rsplit_once("::").map_or(path, |(ty, _)| ty);
    let names = evaluator.names;
    let Some(item) = names.item_at(ty) else { return };
    let mut router = shared.borrow().clone();
    table_of(evaluator, &mut router, item, "", 0);
    *shared.borrow_mut() = router;
}

fn table_of<'a>(
    evaluator: &mut Evaluator<'a>,
    router: &mut Router<'a>,
    item: &'a ItemInfo<'a>,
    prefix: &str,
    depth: usize,
) {
    if depth >= MAX_TABLES {
        return;
    }
    for attribute in &item.item.attributes {
        if has_arrow(&attribute.tokens) {
            rows(evaluator, router, item, &attribute.tokens, prefix, depth);
        }
    }
}

fn has_arrow(tokens: &[Token]) -> bool {
    tokens.windows(3).any(|three| {
        matches!(&three[0].kind, TokenKind::Literal(Literal::Text(_)))
            && matches!(three[1].kind, TokenKind::Punct('='))
            && matches!(three[2].kind, TokenKind::Punct('>'))
    })
}

fn rows<'a>(
    evaluator: &mut Evaluator<'a>,
    router: &mut Router<'a>,
    item: &'a ItemInfo<'a>,
    tokens: &'a [Token],
    prefix: &str,
    depth: usize,
) {
    for (at, window) in tokens.windows(3).enumerate() {
        let [Token { kind: TokenKind::Literal(Literal::Text(path)), span }, equals, arrow] = window else { continue };
        if !matches!((&equals.kind, &arrow.kind), (TokenKind::Punct('='), TokenKind::Punct('>'))) {
            continue;
        }
        let path = super::paths::join(prefix, path);
        let place = Place { file: item.file, span: *span };
        for (name, inside) in calls(&tokens[at + 3..]) {
            row(evaluator, router, item, (&path, place), name, inside, depth);
        }
    }
}

fn row<'a>(
    evaluator: &mut Evaluator<'a>,
    router: &mut Router<'a>,
    item: &'a ItemInfo<'a>,
    (path, place): (&str, Place),
    name: &str,
    inside: &[Token],
    depth: usize,
) {
    let segments: Vec<String> = inside
        .iter()
        .filter_map(|token| match &token.kind {
            TokenKind::Ident(word) => Some(word.clone()),
            _ => None,
        })
        .collect();
    let resolved = evaluator.names.resolve(item.module, &segments);
    let Some(method) = register::http_method(name) else {
        let names = evaluator.names;
        if let Some(inner) = names.item_at(&resolved) {
            table_of(evaluator, router, inner, path, depth + 1);
        }
        return;
    };
    let who = match evaluator.names.function_at(&resolved) {
        Some(id) => Answer::Function(id),
        None => Answer::Library(resolved),
    };
    let methods = Methods {
        framework: router.framework,
        answers: vec![(method.to_string(), Some(who), place)],
        ..Methods::default()
    };
    let frame = Frame::new(item.module, item.file);
    router.entries.extend(register::entries(evaluator, &frame, &Text::literal(path), &methods, place));
}

/// The calls that a row's right side is: `get(a)`, or `[get(a), post(b)]`.
fn calls(tokens: &[Token]) -> Vec<(&str, &[Token])> {
    let tokens = match tokens.first().map(|token| &token.kind) {
        Some(TokenKind::Open('[')) => &tokens[1..],
        _ => return call(tokens).map(|(name, inside, _)| (name, inside)).into_iter().collect(),
    };
    let mut out = Vec::new();
    let mut at = 0;
    while let Some((name, inside, length)) = tokens.get(at..).and_then(call) {
        out.push((name, inside));
        at += length;
        match tokens.get(at).map(|token| &token.kind) {
            Some(TokenKind::Punct(',')) => at += 1,
            _ => break,
        }
    }
    out
}

fn call(tokens: &[Token]) -> Option<(&str, &[Token], usize)> {
    let [Token { kind: TokenKind::Ident(name), .. }, Token { kind: TokenKind::Open(_), .. }, rest @ ..] = tokens else {
        return None;
    };
    let mut depth = 1_usize;
    for (at, token) in rest.iter().enumerate() {
        match token.kind {
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((name, &rest[..at], at + 3));
        }
    }
    None
}

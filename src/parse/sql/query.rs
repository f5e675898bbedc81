//! What a query asks: tables, and the columns that decide which rows it touches.

use super::token::{Token, TokenKind};
use super::{Name, Query};

/// Words after which a name is no alias.
const CLAUSES: &[&str] = &[
    "where",
    "on",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "join",
    "natural",
    "using",
    "group",
    "order",
    "limit",
    "having",
    "union",
    "set",
    "values",
    "select",
    "returning",
    "for",
    "offset",
    "fetch",
    "window",
    "lateral",
    "as",
];

/// Words after which rows are no longer chosen by comparison.
const ENDS: &[&str] = &["group", "order", "limit", "returning", "having", "union", "set", "select", "from", "values"];

/// How deep queries inside queries are told apart.
const DEPTH: usize = 16;

pub(super) fn read(tokens: &[Token]) -> Query {
    read_at(tokens, 0)
}

fn read_at(tokens: &[Token], depth: usize) -> Query {
    let (own, inner) = if depth < DEPTH { apart(tokens) } else { (tokens.to_vec(), Vec::new()) };
    let mut query = flat(&own);
    query.nested = inner.into_iter().map(|tokens| read_at(tokens, depth + 1)).collect();
    query.bounded |= aggregates(tokens) || query.nested.iter().any(|inner| inner.bounded);
    query.filtered |= query.nested.iter().any(|inner| inner.filtered);
    query.star |= query.nested.iter().any(|inner| inner.star);
    query
}

/// The tokens without the queries in parentheses, and those queries. The parentheses stay.
fn apart(tokens: &[Token]) -> (Vec<Token>, Vec<&[Token]>) {
    let mut own = Vec::with_capacity(tokens.len());
    let mut inner = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        own.push(token.clone());
        at += 1;
        let opens = token.is('(') && tokens.get(at).is_some_and(|next| matches!(next.word(), "select" | "with"));
        if opens {
            let end = closing(tokens, at);
            inner.push(&tokens[at..end]);
            at = end;
        }
    }
    (own, inner)
}

/// Where the parenthesis closes inside which a token stands.
fn closing(tokens: &[Token], from: usize) -> usize {
    let mut open = 1usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        if token.is('(') {
            open += 1;
        } else if token.is(')') {
            open -= 1;
            if open == 0 {
                return at;
            }
        }
    }
    tokens.len()
}

/// A query without the ones inside it.
fn flat(tokens: &[Token]) -> Query {
    let mut query = Query { verb: tokens[0].word().to_string(), ..Query::default() };
    let mut choosing = false;
    for (at, token) in tokens.iter().enumerate() {
        match token.word() {
            "from" | "join" | "update" | "into" => table(tokens, at + 1, &mut query),
            "limit" | "fetch" => query.bounded = true,
            "where" => (choosing, query.filtered) = (true, true),
            "on" => choosing = true,
            word if ENDS.contains(&word) => choosing = false,
            _ if choosing => {
                query.named.extend(token.name().map(str::to_string));
                query.filters.extend(filter(tokens, at));
            }
            _ => {}
        }
    }
    query.star = tokens.windows(2).any(|pair| pair[0].word() == "select" && pair[1].is('*'));
    query
}

/// `count(*)` and its like straight after SELECT, without a GROUP BY.
fn aggregates(tokens: &[Token]) -> bool {
    const NAMES: &[&str] = &["count", "sum", "max", "min", "avg", "exists", "coalesce"];
    let first = tokens.get(1).map_or("", Token::word);
    tokens[0].word() == "select" && NAMES.contains(&first) && !tokens.iter().any(|token| token.word() == "group")
}

fn table(tokens: &[Token], mut at: usize, query: &mut Query) {
    while tokens.get(at).is_some_and(|token| ["only", "lateral"].contains(&token.word())) {
        at += 1;
    }
    let Some(mut name) = tokens.get(at).and_then(named) else { return };
    if CLAUSES.contains(&name.text.as_str()) {
        return;
    }
    while tokens.get(at + 1).is_some_and(|token| token.is('.')) {
        let Some(inner) = tokens.get(at + 2).and_then(named) else { return };
        (name, at) = (inner, at + 2);
    }
    at += 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.word() == "as"));
    let alias = tokens.get(at).and_then(Token::name).filter(|alias| !CLAUSES.contains(alias));
    query.tables.push((name, alias.map(str::to_string)));
}

fn named(token: &Token) -> Option<Name> {
    token.name().map(|text| Name { text: text.to_string(), span: token.span })
}

/// The column compared at `at`: a name followed by a comparison.
fn filter(tokens: &[Token], at: usize) -> Option<(Option<String>, Name)> {
    let name = named(&tokens[at])?;
    let follows = tokens.get(at + 1)?;
    let compared = match &follows.kind {
        TokenKind::Punct(punct) => matches!(punct, '=' | '<' | '>'),
        TokenKind::Word(word) => matches!(word.as_str(), "in" | "like" | "ilike" | "between"),
        _ => false,
    };
    let qualified = at >= 2 && tokens[at - 1].is('.');
    let qualifier = if qualified { tokens[at - 2].name().map(str::to_string) } else { None };
    let keyword = ["and", "or", "not", "where", "on", "when", "then", "case", "is"].contains(&name.text.as_str());
    (compared && !keyword).then_some((qualifier, name))
}

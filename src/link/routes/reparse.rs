//! Bodies of `macro_rules!` read as code: `$x` stands for a name, so that a router built inside a macro is a router.

use std::collections::BTreeMap;

use super::super::Repository;
use crate::parse::Syntax;
use crate::parse::rust;
use crate::parse::rust::ast::{Block, Expr, Item, ItemKind, Literal, Statement, Token, TokenKind};
use crate::parse::rust::walk;
use crate::scan::source::{FileId, Place, Role, SourceFile, Span};

/// A rule of a macro.
#[derive(Debug)]
pub struct Rule {
    /// File of the definition.
    pub file: FileId,
    /// Names of its parameters, in order.
    pub parameters: Vec<String>,
    /// Its body.
    pub body: Block,
}

/// Text that is read as code a second time: macro bodies by name, and expressions in attributes.
#[derive(Debug, Default)]
pub struct Reparsed {
    rules: BTreeMap<String, Vec<Rule>>,
    written: BTreeMap<Place, Expr>,
}

/// Words without which a macro has nothing to do with routes.
const WORDS: &[&str] = &["route", "service", "mount", "HttpServer", "Router", "App", "routes", "nest"];
/// Most macros that are read.
const MAX_MACROS: usize = 200;
/// Most expressions in attributes that are read.
const MAX_WRITTEN: usize = 2_000;

impl Reparsed {
    /// Reads the macros of service code that speak of routes.
    pub fn build(repository: &Repository) -> Reparsed {
        let mut reparsed = Reparsed::default();
        let mut count = 0;
        for (file, parsed) in repository.files() {
            let Syntax::Rust(tree) = &parsed.syntax else { continue };
            if file.role != Role::Service {
                continue;
            }
            walk::items(&tree.items, &mut |item, test| {
                if !test {
                    reparsed.attributes(file, item);
                }
                let ItemKind::MacroRules(tokens) = &item.kind else { return };
                let speaks = tokens
                    .iter()
                    .any(|token| matches!(&token.kind, TokenKind::Ident(word) if WORDS.contains(&word.as_str())));
                if test || !speaks || count >= MAX_MACROS {
                    return;
                }
                count += 1;
                let rules = rules(file, tokens);
                reparsed.rules.entry(item.name.clone()).or_default().extend(rules);
            });
        }
        reparsed
    }

    /// Reads the paths that attributes of a handler give as expressions.
    fn attributes(&mut self, file: &SourceFile, item: &Item) {
        if !matches!(item.kind, ItemKind::Function(_)) {
            return;
        }
        let routes = item.attributes.iter().filter(|attribute| {
            let last = attribute.path.last();
            last == "route" || super::register::http_method(last).is_some()
        });
        for attribute in routes {
            let mut key = "";
            for token in &attribute.tokens {
                match &token.kind {
                    TokenKind::Ident(word) => key = word,
                    TokenKind::Punct('=') => {}
                    TokenKind::Literal(Literal::Text(text))
                        if self.written.len() < MAX_WRITTEN && (key == "wrap" || may_be_expression(text)) =>
                    {
                        let place = Place { file: file.id, span: token.span };
                        self.written.extend(expression(&file.text, token.span, text).map(|expr| (place, expr)));
                        key = "";
                    }
                    _ => key = "",
                }
            }
        }
    }

    /// The expression that a literal in an attribute holds, where it is one.
    pub fn written(&self, place: Place) -> Option<&Expr> {
        self.written.get(&place)
    }

    /// The rules of a macro of the tree.
    pub fn rules(&self, name: &str) -> Option<&[Rule]> {
        self.rules.get(name).map(Vec::as_slice)
    }
}

/// Whether a path can be an expression: paths start with a slash, or are plain words.
fn may_be_expression(text: &str) -> bool {
    !text.starts_with('/') && !text.is_empty() && (!may_be_path(text) || text.contains(['.', '(']) || is_constant(text))
}

/// Whether the text of an expression can be a relative path too.
pub fn may_be_path(text: &str) -> bool {
    !text.contains("::") && !text.contains(['(', '&', '[', ' ', '"']) && !is_constant(text)
}

/// Whether text starts with a constant's name: `ROUTES.login`.
fn is_constant(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    first.len() > 1
        && first.starts_with(|c: char| c.is_ascii_uppercase())
        && first.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The expression inside a literal without escapes.
fn expression(source: &str, span: Span, text: &str) -> Option<Expr> {
    let written = source.get(span.range())?;
    let inside = written.find(text)?;
    let start = span.start as usize + inside;
    let block = code(source, start, start + text.len())?;
    match block.statements.into_iter().next()? {
        Statement::Expr { value, .. } => Some(value),
        _ => None,
    }
}

/// The rules of a macro: `(pattern) => { body }`, separated by semicolons.
fn rules(file: &SourceFile, tokens: &[Token]) -> Vec<Rule> {
    let groups = groups(tokens);
    groups.chunks_exact(2).filter_map(|pair| rule(file, tokens, &pair[0], &pair[1])).collect()
}

/// The top-level groups, as index ranges with their delimiters.
fn groups(tokens: &[Token]) -> Vec<std::ops::RangeInclusive<usize>> {
    let (mut out, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open(_) => {
                if depth == 0 {
                    from = at;
                }
                depth += 1;
            }
            TokenKind::Close(_) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    out.push(from..=at);
                }
            }
            _ => {}
        }
    }
    out
}

fn rule(
    file: &SourceFile,
    tokens: &[Token],
    pattern: &std::ops::RangeInclusive<usize>,
    body: &std::ops::RangeInclusive<usize>,
) -> Option<Rule> {
    let span = tokens.get(*body.start())?.span.to(tokens.get(*body.end())?.span);
    let body = block(&file.text, span)?;
    Some(Rule { file: file.id, parameters: parameters(&tokens[pattern.clone()]), body })
}

fn parameters(tokens: &[Token]) -> Vec<String> {
    let named = tokens.windows(2).filter_map(|pair| match (&pair[0].kind, &pair[1].kind) {
        (TokenKind::Punct('$'), TokenKind::Ident(name)) => Some(name.clone()),
        _ => None,
    });
    named.collect()
}

/// The code between the delimiters of a span, with its places unchanged: all else is blanked, and a function's head
/// stands before the opening delimiter.
fn block(text: &str, span: Span) -> Option<Block> {
    code(text, span.start as usize + 1, (span.end as usize).checked_sub(1)?)
}

/// The statements between two places.
fn code(text: &str, start: usize, end: usize) -> Option<Block> {
    const HEAD: &str = "fn m()";
    let head = start.checked_sub(HEAD.len() + 1)?;
    let inside = text.get(start..end)?;
    let blank = |part: &str| part.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect::<String>();
    let mut code = blank(text.get(..head)?);
    code.push_str(HEAD);
    code.push('{');
    code.push_str(&inside.replace('$', " "));
    code.push('}');
    let parsed = rust::parse(&code);
    let Syntax::Rust(tree) = parsed.syntax else { return None };
    let item = tree.items.into_iter().next()?;
    match item.kind {
        ItemKind::Function(function) => function.body,
        _ => None,
    }
}

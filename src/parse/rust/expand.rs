//! A file's own `macro_rules!`, written out where the same file calls them.
//!
//! What a call puts in for `$name` gets the place of that `$name`: the code that comes out lies in the definition as a
//! whole, so that each of its spans is one piece of the file.

use std::cell::Cell;
use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};

/// Deepest chain of macros that call each other.
const DEEPEST: u32 = 4;
/// Deepest nesting of brackets in what comes out.
const MAX_NESTING: usize = 60;
/// Most tokens that come out of all calls of a file.
const MAX_TOKENS: usize = 60_000;
/// Most tokens of one call that are matched.
const MAX_INPUT: usize = 2_000;

/// The macros that a file defines.
#[derive(Debug, Default)]
pub struct Macros {
    rules: HashMap<String, Vec<Rule>>,
    depth: Cell<u32>,
    made: Cell<usize>,
}

#[derive(Debug)]
struct Rule {
    pattern: Vec<Matcher>,
    body: Vec<TokenTree>,
}

/// A part of a rule's left side.
#[derive(Debug)]
enum Matcher {
    Token(TokenTree),
    Group(Delimiter, Vec<Matcher>),
    /// `$name:kind`
    Fragment(String, String),
    /// `$( .. ) separator operator`
    Repeat(Vec<Matcher>, Option<TokenTree>, char),
}

/// What names of a pattern stand for.
#[derive(Clone, Debug)]
enum Bound {
    One(Vec<TokenTree>),
    Many(Vec<Bindings>),
}

type Bindings = HashMap<String, Bound>;

/// What names stand for inside a repetition: its round's own, then those around it. A repetition of thousands of
/// rounds copies none of them.
#[derive(Clone, Copy)]
struct Scope<'b> {
    own: &'b Bindings,
    around: Option<&'b Scope<'b>>,
}

impl<'b> Scope<'b> {
    fn get(&self, name: &str) -> Option<&'b Bound> {
        self.own.get(name).or_else(|| self.around?.get(name))
    }
}

impl Macros {
    /// The macros that stand in items and modules of a file.
    pub fn of(items: &[syn::Item]) -> Macros {
        let mut macros = Macros::default();
        macros.collect(items);
        macros
    }

    fn collect(&mut self, items: &[syn::Item]) {
        for item in items {
            match item {
                syn::Item::Macro(defined) if defined.mac.path.is_ident("macro_rules") => {
                    if let Some(name) = &defined.ident {
                        self.rules.insert(name.unraw().to_string(), rules(&defined.mac.tokens));
                    }
                }
                syn::Item::Mod(module) => {
                    if let Some((_, items)) = &module.content {
                        self.collect(items);
                    }
                }
                _ => {}
            }
        }
    }

    /// What a call comes to, handed to `read` while deeper calls are counted; nothing where the file does not define
    /// the macro, no rule matches, or a bound is met. Without `whole`, expressions that do more than name something
    /// are left out, for a reader who sees them among the call's arguments.
    pub fn expanded<T>(
        &self,
        call: &syn::Macro,
        whole: bool,
        read: impl FnOnce(TokenStream) -> Option<T>,
    ) -> Option<T> {
        let rules = self.rules.get(&call.path.get_ident()?.unraw().to_string())?;
        let depth = self.depth.get();
        let input: Vec<TokenTree> = call.tokens.clone().into_iter().collect();
        if depth >= DEEPEST || input.len() > MAX_INPUT {
            return None;
        }
        let output = rules.iter().find_map(|rule| {
            let mut bindings = Bindings::new();
            let end = matched(&rule.pattern, &input, whole, &mut bindings)?;
            (end == input.len()).then(|| self.written(&rule.body, &bindings))
        })??;
        self.depth.set(depth + 1);
        let value = read(output.into_iter().collect());
        self.depth.set(depth);
        value
    }

    /// The body with its names filled in.
    fn written(&self, body: &[TokenTree], bindings: &Bindings) -> Option<Vec<TokenTree>> {
        let mut out = Vec::new();
        self.write(body, Scope { own: bindings, around: None }, 0, &mut out)?;
        Some(out)
    }

    fn write(&self, body: &[TokenTree], bindings: Scope<'_>, nesting: usize, out: &mut Vec<TokenTree>) -> Option<()> {
        let made = self.made.get() + body.len();
        if nesting > MAX_NESTING || made > MAX_TOKENS {
            return None;
        }
        self.made.set(made);
        let mut at = 0;
        while let Some(tree) = body.get(at) {
            at += 1;
            match (tree, body.get(at)) {
                (TokenTree::Punct(dollar), Some(TokenTree::Ident(name))) if dollar.as_char() == '$' => {
                    at += 1;
                    self.fill(name, bindings, out)?;
                }
                (TokenTree::Punct(dollar), Some(TokenTree::Group(group))) if dollar.as_char() == '$' => {
                    let (_, _, length) = repetition(&body[at + 1..])?;
                    let separator = (length == 2).then(|| body[at + 1].clone());
                    at += 1 + length;
                    self.repeat(group, separator.as_ref(), bindings, nesting, out)?;
                }
                (TokenTree::Group(group), _) => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    let mut filled = Vec::new();
                    self.write(&inside, bindings, nesting + 1, &mut filled)?;
                    let mut made = Group::new(group.delimiter(), filled.into_iter().collect());
                    made.set_span(group.span());
                    out.push(TokenTree::Group(made));
                }
                (other, _) => out.push(other.clone()),
            }
        }
        Some(())
    }

    fn fill(&self, name: &Ident, bindings: Scope<'_>, out: &mut Vec<TokenTree>) -> Option<()> {
        match bindings.get(&name.unraw().to_string()) {
            Some(Bound::One(tokens)) => {
                self.made.set(self.made.get() + tokens.len());
                out.extend(tokens.iter().map(|tree| placed(tree, name.span())));
            }
            Some(Bound::Many(_)) => return None,
            // `$crate`
            None => out.push(TokenTree::Ident(name.clone())),
        }
        Some(())
    }

    fn repeat(
        &self,
        group: &Group,
        separator: Option<&TokenTree>,
        bindings: Scope<'_>,
        nesting: usize,
        out: &mut Vec<TokenTree>,
    ) -> Option<()> {
        let body: Vec<TokenTree> = group.stream().into_iter().collect();
        let mut names = Vec::new();
        names_in(&body, &mut names);
        let rounds = names.iter().find_map(|name| match bindings.get(name) {
            Some(Bound::Many(rounds)) => Some(rounds),
            _ => None,
        })?;
        for (at, round) in rounds.iter().enumerate() {
            if at > 0 {
                out.extend(separator.cloned());
            }
            self.write(&body, Scope { own: round, around: Some(&bindings) }, nesting + 1, out)?;
        }
        Some(())
    }
}

/// A token at another place.
fn placed(tree: &TokenTree, span: Span) -> TokenTree {
    let mut tree = match tree {
        TokenTree::Group(group) => {
            let inside = group.stream().into_iter().map(|tree| placed(&tree, span)).collect();
            TokenTree::Group(Group::new(group.delimiter(), inside))
        }
        other => other.clone(),
    };
    tree.set_span(span);
    tree
}

fn names_in(body: &[TokenTree], names: &mut Vec<String>) {
    for (at, tree) in body.iter().enumerate() {
        match tree {
            TokenTree::Ident(name) if at > 0 && is_dollar(&body[at - 1]) => names.push(name.unraw().to_string()),
            TokenTree::Group(group) => names_in(&group.stream().into_iter().collect::<Vec<_>>(), names),
            _ => {}
        }
    }
}

fn is_dollar(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '$')
}

/// `(pattern) => { body }`, separated by semicolons.
fn rules(tokens: &TokenStream) -> Vec<Rule> {
    let groups: Vec<Group> = tokens
        .clone()
        .into_iter()
        .filter_map(|tree| match tree {
            TokenTree::Group(group) => Some(group),
            _ => None,
        })
        .collect();
    let pairs = groups.chunks_exact(2).filter_map(|pair| {
        let pattern: Vec<TokenTree> = pair[0].stream().into_iter().collect();
        Some(Rule { pattern: matchers(&pattern)?, body: pair[1].stream().into_iter().collect() })
    });
    pairs.collect()
}

/// Nothing for a pattern that is not understood.
fn matchers(pattern: &[TokenTree]) -> Option<Vec<Matcher>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(tree) = pattern.get(at) {
        at += 1;
        match (tree, pattern.get(at)) {
            (dollar, Some(TokenTree::Ident(name))) if is_dollar(dollar) => {
                let Some(TokenTree::Ident(kind)) = pattern.get(at + 2) else { return None };
                out.push(Matcher::Fragment(name.unraw().to_string(), kind.to_string()));
                at += 3;
            }
            (dollar, Some(TokenTree::Group(group))) if is_dollar(dollar) => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                let (separator, operator, length) = repetition(&pattern[at + 1..])?;
                out.push(Matcher::Repeat(matchers(&inside)?, separator.cloned(), operator));
                at += 1 + length;
            }
            (TokenTree::Group(group), _) => {
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                out.push(Matcher::Group(group.delimiter(), matchers(&inside)?));
            }
            (other, _) => out.push(Matcher::Token(other.clone())),
        }
    }
    Some(out)
}

/// Separator and operator after `$( .. )`, and how many tokens they are.
fn repetition(after: &[TokenTree]) -> Option<(Option<&TokenTree>, char, usize)> {
    let operator = |tree: &TokenTree| match tree {
        TokenTree::Punct(punct) if matches!(punct.as_char(), '*' | '+' | '?') => Some(punct.as_char()),
        _ => None,
    };
    match after {
        [first, ..] if operator(first).is_some() => Some((None, operator(first)?, 1)),
        [separator, second, ..] => Some((Some(separator), operator(second)?, 2)),
        _ => None,
    }
}

/// How many tokens of `input` a pattern takes from its start.
fn matched(pattern: &[Matcher], input: &[TokenTree], whole: bool, bindings: &mut Bindings) -> Option<usize> {
    let mut at = 0;
    for matcher in pattern {
        let rest = input.get(at..)?;
        at += match matcher {
            Matcher::Token(token) => same(token, rest.first()?).then_some(1)?,
            Matcher::Group(delimiter, inner) => match rest.first()? {
                TokenTree::Group(group) if group.delimiter() == *delimiter => {
                    let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                    (matched(inner, &inside, whole, bindings)? == inside.len()).then_some(1)?
                }
                _ => return None,
            },
            Matcher::Fragment(name, kind) => {
                let length = fragment(kind, rest)?;
                let tokens = if whole || !is_rich(kind, &rest[..length]) { rest[..length].to_vec() } else { nothing() };
                bindings.insert(name.clone(), Bound::One(tokens));
                length
            }
            Matcher::Repeat(inner, separator, operator) => {
                repeated((inner, separator.as_ref(), *operator), rest, whole, bindings)?
            }
        };
    }
    Some(at)
}

fn repeated(
    (inner, separator, operator): (&[Matcher], Option<&TokenTree>, char),
    input: &[TokenTree],
    whole: bool,
    bindings: &mut Bindings,
) -> Option<usize> {
    let mut rounds = Vec::new();
    let mut at = 0;
    while at < input.len() {
        let mut start = at;
        if let (Some(separator), false) = (separator, rounds.is_empty()) {
            if !same(separator, &input[at]) {
                break;
            }
            start += 1;
        }
        let mut round = Bindings::new();
        match matched(inner, input.get(start..)?, whole, &mut round) {
            Some(length) if length > 0 => {
                rounds.push(round);
                at = start + length;
            }
            _ => break,
        }
        if operator == '?' {
            break;
        }
    }
    if operator == '+' && rounds.is_empty() {
        return None;
    }
    let mut names = Vec::new();
    names_of(inner, &mut names);
    for name in names {
        bindings.insert(name, Bound::Many(rounds.clone()));
    }
    Some(at)
}

/// Whether a fragment is code that does something, rather than a name, a literal or a type.
fn is_rich(kind: &str, tokens: &[TokenTree]) -> bool {
    let acts = |tree: &TokenTree| match tree {
        TokenTree::Group(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == '?',
        _ => false,
    };
    matches!(kind, "expr" | "expr_2021" | "block" | "stmt") && tokens.iter().any(acts)
}

/// `{}`
fn nothing() -> Vec<TokenTree> {
    vec![TokenTree::Group(Group::new(Delimiter::Brace, TokenStream::new()))]
}

fn names_of(pattern: &[Matcher], names: &mut Vec<String>) {
    for matcher in pattern {
        match matcher {
            Matcher::Token(_) => {}
            Matcher::Fragment(name, _) => names.push(name.clone()),
            Matcher::Group(_, inner) | Matcher::Repeat(inner, ..) => names_of(inner, names),
        }
    }
}

fn same(a: &TokenTree, b: &TokenTree) -> bool {
    match (a, b) {
        (TokenTree::Ident(a), TokenTree::Ident(b)) => a == b,
        (TokenTree::Punct(a), TokenTree::Punct(b)) => a.as_char() == b.as_char(),
        (TokenTree::Literal(a), TokenTree::Literal(b)) => a.to_string() == b.to_string(),
        _ => false,
    }
}

/// How many tokens a fragment of a kind is, at the start of `input`.
fn fragment(kind: &str, input: &[TokenTree]) -> Option<usize> {
    let first = input.first();
    match kind {
        "ident" => matches!(first, Some(TokenTree::Ident(_))).then_some(1),
        "tt" => first.map(|first| if starts_lifetime(first) { 2 } else { 1 }),
        "lifetime" => first.filter(|first| starts_lifetime(first)).map(|_| 2),
        "literal" => match input {
            [TokenTree::Literal(_), ..] => Some(1),
            [TokenTree::Punct(minus), TokenTree::Literal(_), ..] if minus.as_char() == '-' => Some(2),
            [TokenTree::Ident(word), ..] if word == "true" || word == "false" => Some(1),
            _ => None,
        },
        "block" => matches!(first, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace).then_some(1),
        "vis" => read::<syn::Visibility>(input),
        "expr" | "expr_2021" => read::<syn::Expr>(input),
        "ty" => read::<syn::Type>(input),
        "path" => read::<syn::Path>(input),
        "item" => read::<syn::Item>(input),
        "meta" => read::<syn::Meta>(input),
        "stmt" => read::<syn::Stmt>(input),
        "pat" | "pat_param" => read::<Pattern>(input),
        _ => None,
    }
}

fn starts_lifetime(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '\'' && punct.spacing() == Spacing::Joint)
}

struct Pattern;

impl Parse for Pattern {
    fn parse(input: ParseStream<'_>) -> syn::Result<Pattern> {
        syn::Pat::parse_multi(input).map(|_| Pattern)
    }
}

/// How many tokens `T` is, at the start of `input`.
fn read<T: Parse>(input: &[TokenTree]) -> Option<usize> {
    let parser = |stream: ParseStream<'_>| {
        stream.parse::<T>()?;
        stream.parse::<TokenStream>()
    };
    let rest = parser.parse2(input.iter().cloned().collect()).ok()?;
    input.len().checked_sub(rest.into_iter().count())
}

//! Macro bodies: arguments where a body is a list of them, and the code that stands in the bodies of the others.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Ident, LitStr, Token};

use super::ast::{Attribute, Expr, ExprKind, Item, ItemKind, MacroArgument, MacroCall, Path};
use super::convert::Maker;
use super::convert::expressions::made;
use super::convert::tokens::name;
use crate::scan::source::Span;

/// How the body of a macro is read.
#[derive(Clone, Copy)]
enum Body {
    /// Comma-separated arguments.
    Arguments,
    /// `pattern = future, if condition => expression`, with `else => expression`.
    Select,
    /// `condition => expression`, `_ => expression`, each in braces or not.
    Choice,
    /// `if #[cfg(..)] { .. } else { .. }`.
    Configuration,
    /// A JSON value with expressions inside.
    Json,
    /// Statements, items, or nothing we know.
    Code,
}

const BODIES: &[(&str, Body)] = &[
    ("select", Body::Select),
    ("select_biased", Body::Select),
    ("cfg_select", Body::Choice),
    ("cfg_match", Body::Choice),
    ("cfg_if", Body::Configuration),
    ("json", Body::Json),
    ("json_internal", Body::Json),
    ("lazy_static", Body::Code),
    ("thread_local", Body::Code),
    ("stream", Body::Code),
    ("try_stream", Body::Code),
];

/// An argument as `syn` read it.
struct Argument {
    name: Option<String>,
    sigil: Option<char>,
    value: syn::Expr,
}

impl Maker<'_> {
    /// The whole call with its delimiters.
    pub fn macro_span(&self, call: &syn::Macro) -> Span {
        let close = match &call.delimiter {
            syn::MacroDelimiter::Paren(token) => token.span.close(),
            syn::MacroDelimiter::Brace(token) => token.span.close(),
            syn::MacroDelimiter::Bracket(token) => token.span.close(),
        };
        self.span(call.bang_token.span).to(self.span(close))
    }

    /// A macro call in expression or statement position.
    pub fn macro_call(&self, call: &syn::Macro) -> MacroCall {
        let made = self.item_call(call);
        let expansion = self.deeper(|| made.span, || self.expansion(call)).flatten();
        MacroCall { expansion, ..made }
    }

    /// A macro call without what it comes to.
    fn item_call(&self, call: &syn::Macro) -> MacroCall {
        let path = self.path(&call.path);
        let delimiter = match &call.delimiter {
            syn::MacroDelimiter::Paren(_) => '(',
            syn::MacroDelimiter::Brace(_) => '{',
            syn::MacroDelimiter::Bracket(_) => '[',
        };
        let span = path.span.to(self.macro_span(call));
        let arguments = self.deeper(|| span, || self.body(&path, delimiter, &call.tokens));
        MacroCall {
            arguments: arguments.unwrap_or_default(),
            expansion: None,
            tokens: self.tokens(call.tokens.clone()),
            path,
            delimiter,
            span,
        }
    }

    /// The code that a macro of this file comes to inside a function.
    fn expansion(&self, call: &syn::Macro) -> Option<super::ast::Block> {
        self.macros.expanded(call, false, |tokens| {
            let span = self.stream_span(&tokens);
            let statements = syn::Block::parse_within.parse2(tokens).ok()?;
            Some(super::ast::Block { statements: self.statements(&statements), span })
        })
    }

    /// The items that a macro of this file comes to, put beside the call.
    fn lift_expanded(&self, call: &syn::Macro, attributes: &[Attribute], within: Within) {
        let items = self.macros.expanded(call, true, |tokens| match within {
            Within::Module => many.parse2(tokens).ok().map(|items: Vec<syn::Item>| self.items(&items)),
            Within::Impl => many.parse2(tokens).ok().map(|items| self.impl_members(&items)),
            Within::Trait => many.parse2(tokens).ok().map(|items| self.trait_members(&items)),
        });
        for mut item in items.unwrap_or_default() {
            let conditions = attributes.iter().filter(|attribute| attribute.path.is("cfg"));
            item.attributes.extend(conditions.cloned());
            self.lifted.borrow_mut().push(item);
        }
    }

    /// The items that a macro of elsewhere is handed to add to them: `derived!(pub struct Order { .. }, "PartOfOrder");`.
    fn lift_wrapped(&self, tokens: &TokenStream) {
        const STARTS: &[&str] = &["struct", "enum"];
        let speaks = tokens
            .clone()
            .into_iter()
            .any(|tree| matches!(&tree, TokenTree::Ident(ident) if STARTS.iter().any(|start| ident == start)));
        if !speaks {
            return;
        }
        let first = || split(tokens, ',').into_iter().next();
        if let Some(items) = read_items(tokens).or_else(|| read_items(&first()?)) {
            let made = self.items(&items);
            self.lift(made);
        }
    }

    fn body(&self, path: &Path, delimiter: char, tokens: &TokenStream) -> Vec<MacroArgument> {
        let known = BODIES.iter().find(|(name, _)| *name == path.last()).map(|(_, body)| *body);
        let body = known.unwrap_or(if delimiter == '{' { Body::Code } else { Body::Arguments });
        match body {
            Body::Arguments => self.made_arguments(read_arguments(tokens).0),
            Body::Select => self.unnamed(select_arms(tokens)),
            Body::Choice => self.choices(tokens),
            Body::Configuration => self.configuration(tokens),
            Body::Json => self.json_arguments(tokens),
            Body::Code => self.code(tokens),
        }
    }

    fn made_arguments(&self, arguments: Vec<Argument>) -> Vec<MacroArgument> {
        let made = arguments.into_iter().map(|argument| MacroArgument {
            name: argument.name,
            sigil: argument.sigil,
            value: self.expr(&argument.value),
        });
        made.collect()
    }

    fn unnamed(&self, values: Vec<syn::Expr>) -> Vec<MacroArgument> {
        values.iter().map(|value| argument_of(self.expr(value))).collect()
    }

    /// Statements as one block; items are lifted out beside the macro; a list of arguments otherwise.
    fn code(&self, tokens: &TokenStream) -> Vec<MacroArgument> {
        if tokens.is_empty() {
            return Vec::new();
        }
        if let Some(items) = read_items(tokens) {
            let made = self.items(&items);
            self.lift(made);
            return Vec::new();
        }
        if let Ok(statements) = syn::Block::parse_within.parse2(tokens.clone()) {
            let block = super::ast::Block { statements: self.statements(&statements), span: self.stream_span(tokens) };
            return vec![argument_of(made(block.span, ExprKind::Block(block)))];
        }
        match read_arguments(tokens) {
            (arguments, true) => self.made_arguments(arguments),
            _ => Vec::new(),
        }
    }

    fn lift(&self, items: Vec<Item>) {
        self.lifted.borrow_mut().extend(items);
    }

    /// Arms of `cfg_select!`: items and expressions alike, each under its condition.
    fn choices(&self, tokens: &TokenStream) -> Vec<MacroArgument> {
        let mut arguments = Vec::new();
        for (condition, body) in choice_arms(tokens) {
            match read_items(&body) {
                Some(items) => self.lift_under(&condition, &items),
                None => arguments.extend(self.code(&body)),
            }
        }
        arguments
    }

    /// Branches of `cfg_if!`, each under its `#[cfg]`.
    fn configuration(&self, tokens: &TokenStream) -> Vec<MacroArgument> {
        let mut arguments = Vec::new();
        let mut condition = TokenStream::new();
        for tree in tokens.clone() {
            match tree {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                    condition = cfg_condition(&group);
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let body = group.stream();
                    match read_items(&body) {
                        Some(items) => self.lift_under(&condition, &items),
                        None => arguments.extend(self.code(&body)),
                    }
                    condition = TokenStream::new();
                }
                _ => {}
            }
        }
        arguments
    }

    /// Items of a conditional branch carry the condition as a `cfg` attribute of their own.
    fn lift_under(&self, condition: &TokenStream, items: &[syn::Item]) {
        let mut made = self.items(items);
        if !condition.is_empty() {
            let span = self.stream_span(condition);
            let path = Path { segments: vec!["cfg".to_string()], arguments: Vec::new(), span };
            let attribute = Attribute { path, value: None, tokens: self.tokens(condition.clone()), span };
            for item in &mut made {
                item.attributes.push(attribute.clone());
            }
        }
        self.lift(made);
    }

    fn json_arguments(&self, tokens: &TokenStream) -> Vec<MacroArgument> {
        let mut trees = tokens.clone().into_iter();
        if let (Some(TokenTree::Group(group)), None) = (trees.next(), trees.next())
            && group.delimiter() == Delimiter::Brace
        {
            let pairs = self.json_pairs(&group.stream());
            return pairs.into_iter().map(|(key, value)| named(key, value)).collect();
        }
        split(tokens, ',').iter().filter_map(|part| self.json_value(part)).map(argument_of).collect()
    }

    fn json_pairs(&self, tokens: &TokenStream) -> Vec<(String, Expr)> {
        let pairs = split(tokens, ',').into_iter().filter_map(|pair| {
            let mut trees = pair.into_iter().peekable();
            let mut key = Vec::new();
            while let Some(tree) = trees.next_if(|tree| !is_lone_colon(tree)) {
                // `a::b` as a key: two colons in a row belong together.
                key.push(tree);
            }
            trees.next();
            let value: TokenStream = trees.collect();
            Some((json_key(&key), self.json_value(&value)?))
        });
        pairs.collect()
    }

    fn json_value(&self, tokens: &TokenStream) -> Option<Expr> {
        let mut trees = tokens.clone().into_iter();
        let first = trees.next()?;
        let only = trees.next().is_none();
        match &first {
            TokenTree::Group(group) if only && group.delimiter() == Delimiter::Brace => {
                let span = self.span(group.span());
                let path = Path { segments: Vec::new(), arguments: Vec::new(), span };
                let fields = self.deeper(|| span, || self.json_pairs(&group.stream()))?;
                Some(made(span, ExprKind::Struct { path, fields, rest: None }))
            }
            TokenTree::Group(group) if only && group.delimiter() == Delimiter::Bracket => {
                let span = self.span(group.span());
                let parts = split(&group.stream(), ',');
                let items = self.deeper(|| span, || parts.iter().filter_map(|part| self.json_value(part)).collect())?;
                Some(made(span, ExprKind::Array(items)))
            }
            _ => syn::parse2::<syn::Expr>(tokens.clone()).ok().map(|value| self.expr(&value)),
        }
    }

    /// A macro in item position, or the definition of one.
    pub fn macro_item(
        &self,
        attributes: &[syn::Attribute],
        defined: Option<&proc_macro2::Ident>,
        call: &syn::Macro,
        within: Within,
    ) -> Item {
        let path = self.path(&call.path);
        let span = self.span_with(attributes, path.span, self.macro_span(call));
        let kind = if path.is("macro_rules") {
            ItemKind::MacroRules(self.tokens(call.tokens.clone()))
        } else {
            let attributes = self.attributes(attributes);
            let before = self.lifted.borrow().len();
            self.deeper(|| span, || self.lift_expanded(call, &attributes, within));
            let expanded = self.lifted.borrow().len() > before;
            if !expanded && matches!(within, Within::Module) && !matches!(call.delimiter, syn::MacroDelimiter::Brace(_))
            {
                self.deeper(|| span, || self.lift_wrapped(&call.tokens));
            }
            ItemKind::Macro(self.item_call(call))
        };
        Item {
            name: defined.map(name).unwrap_or_default(),
            name_span: defined.map_or(path.span, |ident| self.span(ident.span())),
            span,
            public: false,
            attributes: self.attributes(attributes),
            kind,
        }
    }
}

/// What a macro call in item position stands in.
#[derive(Clone, Copy)]
pub enum Within {
    /// A module or a file.
    Module,
    /// An `impl` block.
    Impl,
    /// A trait.
    Trait,
}

fn many<T: syn::parse::Parse>(input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    let mut all = Vec::new();
    while !input.is_empty() {
        all.push(input.parse()?);
    }
    Ok(all)
}

fn argument_of(value: Expr) -> MacroArgument {
    MacroArgument { name: None, sigil: None, value }
}

fn named(key: String, value: Expr) -> MacroArgument {
    MacroArgument { name: Some(key), sigil: None, value }
}

fn is_punct(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_lone_colon(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == proc_macro2::Spacing::Alone)
}

fn json_key(key: &[TokenTree]) -> String {
    match key {
        [TokenTree::Literal(literal)] => match syn::Lit::new(literal.clone()) {
            syn::Lit::Str(text) => text.value(),
            _ => literal.to_string(),
        },
        [TokenTree::Ident(ident)] => name(ident),
        _ => String::new(),
    }
}

/// Parts between separators at the outermost level; an empty last part is left out.
fn split(tokens: &TokenStream, separator: char) -> Vec<TokenStream> {
    let mut parts: Vec<Vec<TokenTree>> = vec![Vec::new()];
    for tree in tokens.clone() {
        if is_punct(&tree, separator) {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(tree);
        }
    }
    parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.into_iter().collect()).collect()
}

/// `cfg(condition)` inside `#[..]`: the condition.
fn cfg_condition(group: &Group) -> TokenStream {
    let condition = group.stream().into_iter().find_map(|tree| match tree {
        TokenTree::Group(inner) => Some(inner.stream()),
        _ => None,
    });
    condition.unwrap_or_default()
}

/// `condition => { body }` and `condition => body,`; the condition of `_` is empty.
fn choice_arms(tokens: &TokenStream) -> Vec<(TokenStream, TokenStream)> {
    let mut arms = Vec::new();
    let mut trees = tokens.clone().into_iter().peekable();
    while trees.peek().is_some() {
        let mut condition: Vec<TokenTree> = Vec::new();
        for tree in trees.by_ref() {
            if is_punct(&tree, '>') && condition.last().is_some_and(|last| is_punct(last, '=')) {
                condition.pop();
                break;
            }
            condition.push(tree);
        }
        let wild = matches!(condition.as_slice(), [TokenTree::Ident(ident)] if ident == "_");
        let condition = if wild { TokenStream::new() } else { condition.into_iter().collect() };
        let mut body = TokenStream::new();
        if let Some(TokenTree::Group(group)) = trees.next_if(is_braces) {
            body = group.stream();
            trees.next_if(|tree| is_punct(tree, ','));
        } else {
            body.extend(trees.by_ref().take_while(|tree| !is_punct(tree, ',')));
        }
        arms.push((condition, body));
    }
    arms
}

fn is_braces(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// A body that is items and nothing else: `static ref` of `lazy_static!` counts as `static`.
fn read_items(tokens: &TokenStream) -> Option<Vec<syn::Item>> {
    let mut plain: Vec<TokenTree> = Vec::new();
    for tree in tokens.clone() {
        let lazy = matches!(&tree, TokenTree::Ident(ident) if ident == "ref")
            && matches!(plain.last(), Some(TokenTree::Ident(before)) if before == "static");
        if !lazy {
            plain.push(tree);
        }
    }
    let items = items_of(plain.clone()).or_else(|| {
        // The last static of `thread_local!` may lack its semicolon.
        plain.iter().any(|tree| matches!(tree, TokenTree::Ident(ident) if ident == "static")).then_some(())?;
        plain.push(TokenTree::Punct(proc_macro2::Punct::new(';', proc_macro2::Spacing::Alone)));
        items_of(plain)
    })?;
    let real = items.iter().any(|item| !matches!(item, syn::Item::Macro(_) | syn::Item::Verbatim(_)));
    real.then_some(items)
}

fn items_of(trees: Vec<TokenTree>) -> Option<Vec<syn::Item>> {
    let parse = |input: ParseStream<'_>| {
        let mut items = Vec::new();
        while !input.is_empty() {
            items.push(input.parse::<syn::Item>()?);
        }
        Ok(items)
    };
    parse.parse2(trees.into_iter().collect()).ok()
}

/// Arms of `select!`: the future, the guard and the handler of each.
fn select_arms(tokens: &TokenStream) -> Vec<syn::Expr> {
    let parse = |input: ParseStream<'_>| {
        let mut values = Vec::new();
        if input.peek(Ident) && input.peek2(Token![;]) {
            input.parse::<Ident>()?; // `biased;`
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            if select_arm(input, &mut values).is_err() && !skip_past_comma(input) {
                break;
            }
        }
        input.step(|cursor| Ok(((), syn_end(*cursor))))?;
        Ok(values)
    };
    parse.parse2(tokens.clone()).unwrap_or_default()
}

fn syn_end(cursor: syn::buffer::Cursor<'_>) -> syn::buffer::Cursor<'_> {
    let mut at = cursor;
    while let Some((_, next)) = at.token_tree() {
        at = next;
    }
    at
}

fn select_arm(input: ParseStream<'_>, values: &mut Vec<syn::Expr>) -> syn::Result<()> {
    let arm = input.fork();
    let mut found = Vec::new();
    if arm.peek(Token![else]) || arm.peek(Token![default]) || (arm.peek(Ident) && arm.peek2(Token![=>])) {
        arm.call(Ident::parse_any)?;
    } else {
        syn::Pat::parse_multi_with_leading_vert(&arm)?;
        arm.parse::<Token![=]>()?;
        found.push(syn::Expr::parse_without_eager_brace(&arm)?);
        if arm.parse::<Option<Token![,]>>()?.is_some() {
            arm.parse::<Token![if]>()?;
            found.push(arm.parse()?);
        }
    }
    arm.parse::<Token![=>]>()?;
    found.push(syn::Expr::parse_with_earlier_boundary_rule(&arm)?);
    arm.parse::<Option<Token![,]>>()?;
    input.advance_to(&arm);
    values.append(&mut found);
    Ok(())
}

/// Goes past the next comma or semicolon; false at the end.
fn skip_past_comma(input: ParseStream<'_>) -> bool {
    let skipped = input.step(|cursor| {
        let mut at = *cursor;
        while let Some((tree, next)) = at.token_tree() {
            at = next;
            if is_punct(&tree, ',') || is_punct(&tree, ';') {
                return Ok((true, at));
            }
        }
        Ok((false, at))
    });
    skipped.unwrap_or(false)
}

/// Arguments of a list, and whether all of it was understood.
fn read_arguments(tokens: &TokenStream) -> (Vec<Argument>, bool) {
    let parse = |input: ParseStream<'_>| {
        let mut arguments = Vec::new();
        let mut whole = true;
        while !input.is_empty() {
            let one = input.fork();
            match argument(&one) {
                Ok(found) => {
                    input.advance_to(&one);
                    arguments.push(found);
                }
                Err(_) => whole = false,
            }
            let separated =
                input.parse::<Option<Token![,]>>()?.is_some() || input.parse::<Option<Token![;]>>()?.is_some();
            if !separated && !input.is_empty() {
                whole = false;
                skip_past_comma(input);
            }
        }
        Ok((arguments, whole))
    };
    parse.parse2(tokens.clone()).unwrap_or_default()
}

fn argument(input: ParseStream<'_>) -> syn::Result<Argument> {
    if let Some(name) = argument_name(input) {
        let sigil = sigil(input)?;
        return Ok(Argument { name: Some(name), sigil, value: input.parse()? });
    }
    let sigil = sigil(input)?;
    let value: syn::Expr = input.parse()?;
    let name = sigil.and_then(|_| dotted(&value));
    Ok(Argument { name, sigil, value })
}

fn sigil(input: ParseStream<'_>) -> syn::Result<Option<char>> {
    if input.parse::<Option<Token![%]>>()?.is_some() {
        return Ok(Some('%'));
    }
    Ok(input.parse::<Option<Token![?]>>()?.map(|_| '?'))
}

/// `user.id` of a shorthand `%user.id`.
fn dotted(value: &syn::Expr) -> Option<String> {
    let mut parts = Vec::new();
    let mut at = value;
    loop {
        match at {
            syn::Expr::Path(path) => {
                parts.push(path.path.get_ident()?.to_string());
                break;
            }
            syn::Expr::Field(field) => {
                parts.push(super::convert::patterns::member(&field.member));
                at = &field.base;
            }
            _ => return None,
        }
    }
    parts.reverse();
    Some(parts.join("."))
}

/// The name before `=`, `:` or `=>`; reads it only when it is one.
fn argument_name(input: ParseStream<'_>) -> Option<String> {
    let ahead = input.fork();
    let name = if ahead.peek(LitStr) {
        ahead.parse::<LitStr>().ok()?.value()
    } else {
        let mut name = Ident::parse_any(&ahead).ok()?.to_string();
        while ahead.peek(Token![.]) && !ahead.peek(Token![..]) {
            ahead.parse::<Token![.]>().ok()?;
            name.push('.');
            name.push_str(&Ident::parse_any(&ahead).ok()?.to_string());
        }
        name
    };
    let colon = ahead.peek(Token![:]) && !ahead.peek(Token![::]);
    if ahead.peek(Token![=>]) {
        ahead.parse::<Token![=>]>().ok()?;
    } else if ahead.peek(Token![=]) && !ahead.peek(Token![==]) {
        ahead.parse::<Token![=]>().ok()?;
    } else if colon {
        ahead.parse::<Token![:]>().ok()?;
    } else {
        return None;
    }
    input.advance_to(&ahead);
    Some(name.strip_prefix("r#").map(str::to_string).unwrap_or(name))
}

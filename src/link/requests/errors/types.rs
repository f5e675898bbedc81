//! Error types that become responses.

use std::collections::BTreeSet;

use super::{catchers, internal, mixed};
use crate::facts::{Attr, Confidence, Fact, vocabulary};
use crate::link::Repository;
use crate::link::names::{FunctionId, FunctionInfo, ImplInfo, ItemInfo, ModuleId, Names};
use crate::link::requests::Part;
use crate::link::requests::body::{called_path, each, is_log, macro_name};
use crate::parse::Syntax;
use crate::parse::rust::ast::{Expr, ExprKind, Item, ItemKind, Token, TokenKind, Type};
use crate::parse::rust::walk::items;
use crate::scan::source::{Place, Role, Span};

/// A type with the way it becomes a response.
pub(super) struct ErrorType<'p, 'a> {
    pub block: &'p ImplInfo<'a>,
    /// The error's absolute path.
    pub path: String,
    /// The type, where it is one of the tree.
    pub item: Option<&'p ItemInfo<'a>>,
    /// Methods of the impl.
    pub methods: Vec<FunctionId>,
    /// The method that makes the response; `None` where actix makes it of Display.
    pub response: Option<FunctionId>,
    /// What the error is called in it: `self`, or the parameter of a `From`.
    pub subject: &'a str,
}

impl ErrorType<'_, '_> {
    /// Whether a function is one of the impl's.
    pub fn holds(&self, info: &FunctionInfo<'_>) -> bool {
        self.methods.contains(&info.id)
    }
}

const TRAITS: &[&str] =
    &["IntoResponse", "ResponseError", "Responder", "Scribe", "Reply", "Reject", "WebResponseError"];
const WORDS: &[&str] = &["Error", "Err", "Rejection", "Failure", "Problem", "Fault", "Exception"];
const RESPONSES: &[&str] = &["into_response", "error_response", "respond_to", "as_response", "render", "write"];

/// Finds them in the services' code.
pub(super) fn find<'p, 'a>(part: &'p Part<'_, 'a>) -> Vec<ErrorType<'p, 'a>> {
    let names = part.context.names;
    let judged = |block: &&ImplInfo<'a>| {
        block.role == Role::Service && !block.development_only && !part.context.services_of(block.file).is_empty()
    };
    let blocks = names.impls().iter().filter(judged).filter(|block| becomes_response(block) && is_error(part, block));
    let of = |block: &'p ImplInfo<'a>| {
        let own = |id: &FunctionId| {
            let info = names.function(*id);
            info.file == block.file && block.item.span.holds(info.item.span)
        };
        let methods: Vec<FunctionId> = names.methods_of(&block.self_type).iter().copied().filter(own).collect();
        let response = methods.iter().copied().find(|id| RESPONSES.contains(&names.function(*id).item.name.as_str()));
        let path = block.self_type.clone();
        ErrorType { block, item: names.item_at(&path), path, methods, response, subject: "self" }
    };
    let mut types: Vec<ErrorType<'p, 'a>> = blocks.map(of).collect();
    let converted = names.impls().iter().filter(judged).filter_map(|block| converted(part, block));
    let converted: Vec<ErrorType<'p, 'a>> =
        converted.filter(|ty| !types.iter().any(|known| known.path == ty.path)).collect();
    types.extend(converted);
    types
}

/// `impl From<Error> for (StatusCode, Json<Body>)`: an error that becomes an answer without a type of its own.
fn converted<'p, 'a>(part: &'p Part<'_, 'a>, block: &'p ImplInfo<'a>) -> Option<ErrorType<'p, 'a>> {
    let names = part.context.names;
    let from = block.block.of_trait.as_ref().filter(|of| of.path.last().is_some_and(|last| last == "From"))?;
    let path = names.type_at(block.module, None, from.arguments.first()?).path;
    let item = names.item_at(&path)?;
    let named = WORDS.iter().any(|word| path.rsplit("::").next().is_some_and(|last| last.contains(word)));
    if !named || !answers(names, block.module, &block.block.for_type) {
        return None;
    }
    let function = block.block.items.iter().find_map(|item| match &item.kind {
        ItemKind::Function(function) => Some((function, item.name_span)),
        _ => None,
    });
    let (function, span) = function?;
    let subject = internal::parameter_name(function)?;
    let id = names.function_holding(Place { file: block.file, span })?;
    Some(ErrorType { block, path, item: Some(item), methods: vec![id], response: Some(id), subject })
}

/// Whether a type is an answer with a status and a body, `(StatusCode, Json<Body>)`, by an alias too.
pub(super) fn answers(names: &Names<'_>, module: ModuleId, ty: &Type) -> bool {
    let answer = |ty: &Type| {
        let status = ty.arguments.first().and_then(|first| first.path.last()).is_some_and(|last| last == "StatusCode");
        ty.path.is_empty() && status && ty.arguments.len() > 1
    };
    let aliased = || match names.item_at(&names.resolve(module, &ty.path)).map(|info| &info.item.kind) {
        Some(ItemKind::TypeAlias(Some(target))) => answer(target),
        _ => false,
    };
    answer(ty) || !ty.path.is_empty() && aliased()
}

fn becomes_response(block: &ImplInfo<'_>) -> bool {
    let last = block.of_trait.as_deref().and_then(|path| path.rsplit("::").next());
    last.is_some_and(|last| TRAITS.contains(&last))
}

/// By its name, or because it is one of std's errors, by hand or derived.
fn is_error(part: &Part<'_, '_>, block: &ImplInfo<'_>) -> bool {
    let text = &block.block.for_type.text;
    let named = WORDS.iter().any(|word| text.contains(word) || block.self_type.contains(word));
    let last = block.of_trait.as_deref().unwrap_or("");
    let implements = part.context.names.traits_of(&block.self_type).iter().any(|path| path.ends_with("Error"));
    let derived = || {
        let item = part.context.names.item_at(&block.self_type).map(|info| info.item);
        let derives =
            item.into_iter().flat_map(|item| &item.attributes).filter(|attribute| attribute.path.is("derive"));
        derives.flat_map(|attribute| &attribute.tokens).any(
            |token| matches!(&token.kind, TokenKind::Ident(word) if matches!(word.as_str(), "Error" | "Snafu" | "Fail")),
        )
    };
    named || implements || derived() || last.ends_with("ResponseError") || last.ends_with("Reject")
}

/// Adds their facts; those that only stand in the tokens of a macro too.
pub(super) fn add(part: &Part<'_, '_>, types: &[ErrorType<'_, '_>], found: &mut Vec<Fact>) {
    let mut facts: Vec<Fact> = types.iter().map(|ty| fact(part, ty)).collect();
    let known: Vec<_> = facts.iter().map(|fact| fact.place).collect();
    let new = |fact: &Fact| !known.iter().any(|place| place.file == fact.place.file);
    facts.extend(in_macros(part).into_iter().filter(new));
    mark_differing(&mut facts);
    facts.extend(catchers::find(part));
    found.extend(facts);
}

fn fact(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> Fact {
    let data = vocabulary::ErrorResponseType {
        name: ty
            .item
            .filter(|_| ty.subject != "self")
            .map_or(&ty.block.block.for_type.text, |info| &info.item.name)
            .clone()
            .into(),
        format: format(part, ty).map(str::to_string).into(),
        logs: logs(part, ty).into(),
        server_errors: server_errors(part, ty).into(),
        differs: false.into(),
        mixed: mixed::answers(part, ty).into(),
        framework: false.into(),
        converted: (ty.subject != "self").into(),
    };
    part.context.fact_in_role(data, ty.block.file, ty.block.block.for_type.span, Role::Service)
}

fn text<'p>(part: &'p Part<'_, '_>, ty: &ErrorType<'_, '_>) -> &'p str {
    part.context.repository.tree.file(ty.block.file).slice(ty.block.item.span)
}

/// Words in the impl that tell the format, first match wins.
pub(super) const FORMATS: &[(&str, &[&str])] = &[
    ("problem+json", &["problem+json", "ProblemDetails"]),
    ("json", &["Json(", ".json(", "json!", "application/json", "to_string(&", "Json::from"]),
    ("html", &["Html(", "Template", "text/html", "render"]),
    ("text", &["to_string()", ".body(", "String", "format!", "\""]),
];

fn format(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> Option<&'static str> {
    // actix makes a plain text of Display.
    if ty.response.is_none() {
        return Some("text");
    }
    if ty.subject != "self" {
        return written_format(part.context.names, ty.block.module, &ty.block.block.for_type);
    }
    let mut texts = vec![text(part, ty)];
    texts.extend(callees(part, ty).iter().map(|id| {
        let info = part.context.names.function(*id);
        part.context.repository.tree.file(info.file).slice(info.item.span)
    }));
    let known = FORMATS.iter().find(|(_, words)| words.iter().any(|word| texts.iter().any(|text| text.contains(word))));
    Some(known.map_or("empty", |(format, _)| format))
}

/// The format of an answer by its type: `(StatusCode, Json<Body>)`.
fn written_format(names: &Names<'_>, module: ModuleId, ty: &Type) -> Option<&'static str> {
    let aliased = names.item_at(&names.resolve(module, &ty.path)).map(|info| &info.item.kind);
    let parts = match aliased {
        Some(ItemKind::TypeAlias(Some(target))) if !ty.path.is_empty() => &target.arguments,
        _ => &ty.arguments,
    };
    match parts.last()?.path.last()?.as_str() {
        "Json" => Some("json"),
        "Html" => Some("html"),
        "String" | "str" => Some("text"),
        _ => None,
    }
}

/// Functions that the impl's methods call, two calls deep, the methods included.
pub(super) fn callees(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> BTreeSet<FunctionId> {
    let mut found: BTreeSet<FunctionId> = ty.methods.iter().copied().collect();
    for _ in 0..2 {
        let next: Vec<FunctionId> =
            found.iter().flat_map(|id| part.context.names.calls(*id)).map(|site| site.target).collect();
        found.extend(next);
    }
    found
}

fn logs(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> bool {
    let names = part.context.names;
    let mut functions = callees(part, ty);
    // Errors may be logged where they become this type.
    functions.extend(
        names
            .methods_of(&ty.path)
            .iter()
            .filter(|id| names.function(**id).of_trait.as_deref().is_some_and(|path| path.ends_with("From"))),
    );
    functions.iter().any(|id| logs_errors(part, names.function(*id)))
}

/// Whether a body logs at error or warning level, prints, or tells an error tracker.
pub(super) fn logs_errors(part: &Part<'_, '_>, info: &FunctionInfo<'_>) -> bool {
    let Some(body) = &info.function.body else { return false };
    let mut logs = false;
    each(body, &mut |expr, _| logs |= reports(part, expr));
    logs
}

/// A log statement for an error, or its like.
pub(super) fn reports(part: &Part<'_, '_>, expr: &Expr) -> bool {
    if let Some((call, name)) = macro_name(expr) {
        let level = call.tokens.iter().any(|token| matches!(&token.kind, TokenKind::Ident(word) if matches!(word.as_str(), "ERROR" | "WARN" | "Error" | "Warn")));
        return match name {
            "event" | "log" => level,
            "eprintln" => true,
            _ if part.log_macros.contains(name) => true,
            _ => is_log(call) && (name.contains("error") || name.contains("warn") || name.contains("crit")),
        };
    }
    tracks(expr)
}

/// A call that hands an error to an error tracker.
pub(super) fn tracks(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::MethodCall { method, .. } => method.starts_with("capture_"),
        ExprKind::Call { function, .. } => {
            called_path(function).is_some_and(|path| path.last().starts_with("capture_"))
        }
        _ => false,
    }
}

fn server_errors(part: &Part<'_, '_>, ty: &ErrorType<'_, '_>) -> bool {
    const WORDS: &[&str] = &[
        "INTERNAL_SERVER_ERROR",
        "InternalServerError",
        "SERVICE_UNAVAILABLE",
        "BAD_GATEWAY",
        "from_u16(500",
        "Status::new(500",
    ];
    let conversions = part.context.names.impls().iter().filter(|block| {
        block.self_type == ty.path && block.of_trait.as_deref().is_some_and(|path| path.ends_with("From"))
    });
    let texts = conversions.map(|block| part.context.repository.tree.file(block.file).slice(block.item.span));
    let own = std::iter::once(text(part, ty)).chain(texts).any(|text| WORDS.iter().any(|word| text.contains(word)));
    let holds = ty.item.is_some_and(|info| match &info.item.kind {
        ItemKind::Enum(variants) => variants
            .iter()
            .flat_map(|variant| &variant.fields)
            .any(|field| internal::field_type(part.context.names, info, field, 0).is_some()),
        _ => false,
    });
    own || holds
}

/// `impl ResponseError for X` in the tokens of an item macro that is no plain code (`cfg_if!`, `cfg_select!`).
fn in_macros(part: &Part<'_, '_>) -> Vec<Fact> {
    let mut found = Vec::new();
    for (file, parsed) in part.context.repository.files() {
        let crate::parse::Syntax::Rust(rust) = &parsed.syntax else { continue };
        if file.role != Role::Service || part.context.services_of(file.id).is_empty() {
            continue;
        }
        for item in &rust.items {
            if let Some((name, span, tokens)) = impl_in_tokens(item) {
                let data = vocabulary::ErrorResponseType {
                    name: name.into(),
                    format: Attr::Unknown,
                    logs: logs_in_tokens(tokens).into(),
                    server_errors: Attr::Unknown,
                    differs: false.into(),
                    mixed: Attr::Unset,
                    framework: false.into(),
                    converted: false.into(),
                };
                let fact = part.context.fact_in_role(data, file.id, span, Role::Service);
                found.push(fact.confidence(Confidence::Medium));
            }
        }
    }
    found
}

fn impl_in_tokens(item: &Item) -> Option<(String, Span, &[Token])> {
    let ItemKind::Macro(call) = &item.kind else { return None };
    let word = |token: &Token| match &token.kind {
        TokenKind::Ident(word) => Some(word.clone()),
        _ => None,
    };
    for (at, window) in call.tokens.windows(3).enumerate() {
        let [of_trait, for_word, name] = window else { continue };
        let is_response = word(of_trait).is_some_and(|word| TRAITS.contains(&word.as_str()));
        if is_response && word(for_word).as_deref() == Some("for") {
            return Some((word(name)?, name.span, &call.tokens[at..]));
        }
    }
    None
}

/// Macros of the project whose own code logs an error or hands it to an error tracker.
pub(in crate::link::requests) fn log_macros(repository: &Repository) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, parsed) in repository.files() {
        let Syntax::Rust(rust) = &parsed.syntax else { continue };
        if file.role != Role::Service || !file.text.contains("macro_rules!") {
            continue;
        }
        items(&rust.items, &mut |item, test| {
            let ItemKind::MacroRules(tokens) = &item.kind else { return };
            let tracks = |token: &Token| matches!(&token.kind, TokenKind::Ident(word) if word.starts_with("capture_"));
            if !test && (logs_in_tokens(tokens) || tokens.iter().any(tracks)) {
                found.insert(item.name.clone());
            }
        });
    }
    found
}

fn logs_in_tokens(tokens: &[Token]) -> bool {
    tokens.windows(2).any(|pair| {
        matches!(&pair[0].kind, TokenKind::Ident(word) if matches!(word.as_str(), "error" | "warn"))
            && pair[1].kind == TokenKind::Punct('!')
    })
}

/// Marks types of one service that answer in different formats.
fn mark_differing(facts: &mut [Fact]) {
    let format = |fact: &Fact| match &fact.data {
        crate::facts::Data::ErrorResponseType(data) => data.format.known().cloned(),
        _ => None,
    };
    let known: Vec<_> = facts.iter().map(|fact| (fact.services.clone(), format(fact))).collect();
    for (at, fact) in facts.iter_mut().enumerate() {
        let (services, own) = &known[at];
        let other = known.iter().any(|(of, format)| {
            let page = |format: &Option<String>| format.as_deref() == Some("html");
            let both = own.is_some() && format.is_some() && !page(own) && !page(format);
            both && format != own && of.intersection(services).next().is_some()
        });
        if let crate::facts::Data::ErrorResponseType(data) = &mut fact.data {
            data.differs = other.into();
        }
    }
}

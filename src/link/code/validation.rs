//! Validation written by hand, and which routes' input is validated.

use super::scope::held;
use crate::facts::vocabulary::Validation;
use crate::facts::{Attr, Confidence, Data, FactId, FactKind};
use crate::link::names::{FunctionId, FunctionInfo, ModuleId};
use crate::link::reach::Reach;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Attribute, ItemKind, TokenKind, Type};
use crate::scan::source::{FileId, Role, Span};

/// First words of functions that validate.
const VERBS: &[&str] = &["validate", "validated", "is_valid", "check_valid", "ensure_valid", "sanitize"];

/// Words of what is validated that is not what requests send, or tells who sends it.
const OTHERS: &[&str] = &[
    "token",
    "jwt",
    "signature",
    "session",
    "auth",
    "password",
    "claims",
    "csrf",
    "config",
    "settings",
    "args",
    "env",
];

/// Traits that a newtype is parsed by.
const PARSES: &[&str] = &["FromStr", "TryFrom", "FromParam", "Validate"];

/// Types that a newtype is parsed from.
const TEXTS: &[&str] = &["String", "str"];

/// Names of derives and extractors that validate.
const VALIDATES: &[&str] =
    &["Validate", "Validify", "Valid", "Validated", "ValidatedJson", "ValidatedForm", "ValidatedQuery", "Garde"];

/// Adds validation by hand, and says of each route whether its input is validated.
pub fn look(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    functions(context, reach, linked);
    newtypes(context, reach, linked);
    attributes(context, linked);
    routes(context, linked);
}

fn functions(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    for info in context.names.functions().iter().filter(|info| info.role == Role::Service && validates(info)) {
        if reach.holds(info.id) || takes_record(context, info) {
            let data = Validation { how: "own".into(), library: "own".into() };
            let fact = context.fact(data, info.file, info.item.name_span);
            linked.facts.add(fact.confidence(Confidence::Medium));
        }
    }
}

/// Attributes of fields and parameters that a framework validates by, with the word that says so: Rocket's forms,
/// poem-openapi's objects and parameters.
const ATTRIBUTES: &[(&str, &str)] = &[("field", "validate"), ("oai", "validator")];

fn validates_by(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        ATTRIBUTES.iter().any(|(path, word)| {
            attribute.path.is(path)
                && attribute.tokens.iter().any(|token| matches!(&token.kind, TokenKind::Ident(of) if of == word))
        })
    })
}

/// The attributes' own facts.
fn attributes(context: &Context<'_>, linked: &mut Linked) {
    let mut found: Vec<(FileId, Span)> = Vec::new();
    for info in context.names.items().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        if let ItemKind::Struct(fields) = &info.item.kind {
            let fields = fields.iter().filter(|field| validates_by(&field.attributes));
            found.extend(fields.take(1).map(|field| (info.file, field.span)));
        }
    }
    for info in context.names.functions().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let parameters = info.function.parameters.iter().filter(|parameter| validates_by(&parameter.attributes));
        found.extend(parameters.take(1).map(|parameter| (info.file, parameter.pattern.span)));
    }
    for (file, span) in found {
        let data = Validation { how: "validator".into(), library: "framework".into() };
        linked.facts.add(context.fact(data, file, span));
    }
}

/// Whether a type of the tree has fields that a framework validates.
fn has_validated_field(context: &Context<'_>, module: ModuleId, ty: &Type) -> bool {
    let item = context.names.item_at(&context.names.resolve(module, &held(ty).path));
    match item.map(|item| &item.item.kind) {
        Some(ItemKind::Struct(fields)) => fields.iter().any(|field| validates_by(&field.attributes)),
        _ => false,
    }
}

fn validates(info: &FunctionInfo<'_>) -> bool {
    let name = &info.item.name;
    let verb = |verb: &str| name.strip_prefix(verb).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    let takes = info.function.has_self || !info.function.parameters.is_empty();
    let path = info.path.to_lowercase();
    takes && VERBS.iter().any(|known| verb(known)) && !OTHERS.iter().any(|word| path.contains(word))
}

/// Whether a parameter is a record that is read from outside.
fn takes_record(context: &Context<'_>, info: &FunctionInfo<'_>) -> bool {
    let types = info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref());
    types.into_iter().any(|ty| derives(context, info.module, ty, &["Deserialize"]))
}

/// Whether a type of the tree derives one of these.
fn derives(context: &Context<'_>, module: ModuleId, ty: &Type, names: &[&str]) -> bool {
    let ty = held(ty);
    let Some(item) = context.names.item_at(&context.names.resolve(module, &ty.path)) else { return false };
    item.item.attributes.iter().filter(|attribute| attribute.path.is("derive")).any(|attribute| {
        let named = |kind: &TokenKind| matches!(kind, TokenKind::Ident(word) if names.contains(&word.as_str()));
        attribute.tokens.iter().any(|token| named(&token.kind))
    })
}

/// A struct around one field that is parsed from text.
fn newtypes(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    for info in context.names.impls().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let Some(of_trait) = &info.block.of_trait else { continue };
        let last = |ty: &Type| ty.path.last().cloned().unwrap_or_default();
        let parses = PARSES.contains(&last(of_trait).as_str());
        let from_text = of_trait.arguments.first().is_none_or(|from| TEXTS.contains(&last(from).as_str()));
        if !parses || !from_text || !is_newtype(context, &info.self_type) {
            continue;
        }
        let reached = context.names.methods_of(&info.self_type).iter().any(|method| reach.holds(*method));
        let confidence = if reached { Confidence::High } else { Confidence::Medium };
        let data = Validation { how: "newtype".into(), library: "own".into() };
        linked.facts.add(context.fact(data, info.file, info.block.for_type.span).confidence(confidence));
    }
}

fn is_newtype(context: &Context<'_>, ty: &str) -> bool {
    match context.names.item_at(ty).map(|item| &item.item.kind) {
        Some(ItemKind::Struct(fields)) => matches!(fields.as_slice(), [only] if only.name == "0"),
        _ => false,
    }
}

/// Says of routes that take input whether a type, an extractor or a call validates it.
fn routes(context: &Context<'_>, linked: &mut Linked) {
    let mut judged: Vec<(FactId, bool)> = Vec::new();
    for (id, fact) in linked.facts.of(FactKind::Route) {
        let Data::Route(route) = &fact.data else { continue };
        if !route.takes_input.is_true() || route.validated.is_set() {
            continue;
        }
        let handlers = route.handler.known().map(Vec::as_slice).unwrap_or_default();
        let functions: Vec<FunctionId> = handlers.iter().filter_map(|id| function_of(context, linked, *id)).collect();
        if !functions.is_empty() && functions.len() == handlers.len() {
            judged.push((id, functions.iter().all(|function| input_validated(context, *function))));
        }
    }
    for (id, validated) in judged {
        if let Some(Data::Route(route)) = linked.facts.all.get_mut(id.0 as usize).map(|fact| &mut fact.data) {
            route.validated = Attr::Known(validated);
        }
    }
}

fn function_of(context: &Context<'_>, linked: &Linked, handler: FactId) -> Option<FunctionId> {
    match &linked.facts.get(handler).data {
        Data::Handler(handler) => context.names.function_at(handler.name.known()?),
        _ => None,
    }
}

fn input_validated(context: &Context<'_>, function: FunctionId) -> bool {
    let info = context.names.function(function);
    let parameters = || info.function.parameters.iter();
    let types = parameters().filter_map(|parameter| parameter.ty.as_ref());
    types.into_iter().any(|ty| type_validates(context, info.module, ty))
        || parameters().any(|parameter| validates_by(&parameter.attributes))
        || calls_validation(context, function)
}

fn type_validates(context: &Context<'_>, module: ModuleId, ty: &Type) -> bool {
    let named = |ty: &Type| ty.path.last().is_some_and(|last| VALIDATES.contains(&last.as_str()));
    let own = context.names.resolve(module, &held(ty).path);
    named(ty)
        || has_validated_field(context, module, ty)
        || ty.arguments.iter().any(named)
        || is_newtype(context, &own)
        || derives(context, module, ty, VALIDATES)
}

/// Whether the handler or what it calls validates something.
fn calls_validation(context: &Context<'_>, function: FunctionId) -> bool {
    let mut open = vec![(function, 0)];
    let mut seen = std::collections::HashSet::new();
    while let Some((function, depth)) = open.pop() {
        if depth > 4 || !seen.insert(function) {
            continue;
        }
        let named = |name: &str| VERBS.iter().any(|verb| name.starts_with(verb));
        let outside = context.names.outside_calls(function).iter();
        if outside.into_iter().any(|call| named(call.path.rsplit("::").next().unwrap_or(""))) {
            return true;
        }
        for call in context.names.calls(function) {
            if named(&context.names.function(call.target).item.name) {
                return true;
            }
            open.push((call.target, depth + 1));
        }
    }
    false
}

//! Validation written by hand: functions that validate, and newtypes that can only be made by parsing.

use super::reach::Reach;
use crate::facts::Confidence;
use crate::facts::vocabulary::Validation;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::ItemKind;
use crate::scan::source::Role;

/// First words of functions that validate.
const VERBS: &[&str] = &["validate", "validated", "is_valid", "check_valid", "ensure_valid", "sanitize"];

/// Traits that a newtype is parsed by.
const PARSES: &[&str] = &["FromStr", "TryFrom", "FromParam", "Validate"];

/// Types that a newtype is parsed from.
const TEXTS: &[&str] = &["String", "str"];

/// Adds validation by hand.
pub fn look(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    functions(context, reach, linked);
    newtypes(context, reach, linked);
}

fn functions(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    for info in context.names.functions().iter().filter(|info| info.role == Role::Service) {
        let validates = VERBS
            .iter()
            .any(|verb| info.item.name.strip_prefix(verb).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')));
        let takes = info.function.has_self || !info.function.parameters.is_empty();
        if validates && takes && reach.may_hold(info.id) && !about_callers(&info.path) {
            let data = Validation { how: "own".into(), library: "own".into() };
            linked.facts.add(context.fact(data, info.file, info.item.name_span).confidence(Confidence::Medium));
        }
    }
}

/// Tokens, signatures and sessions are validated too, which is authentication.
fn about_callers(path: &str) -> bool {
    ["token", "jwt", "signature", "session", "auth", "password", "claims", "csrf"]
        .iter()
        .any(|word| path.to_lowercase().contains(word))
}

/// A struct around one field that is parsed from text, in code that requests reach.
fn newtypes(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    for info in context.names.impls().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let Some(of_trait) = &info.block.of_trait else { continue };
        let parses = of_trait.path.last().is_some_and(|name| PARSES.contains(&name.as_str()));
        let from_text = of_trait
            .arguments
            .first()
            .is_none_or(|from| from.path.last().is_some_and(|name| TEXTS.contains(&name.as_str())));
        if !parses || !from_text || !is_newtype(context, &info.self_type) {
            continue;
        }
        let reached = context.names.methods_of(&info.self_type).iter().any(|method| reach.holds(Some(*method)));
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

//! Types that hold secrets as text, and whether their Debug shows them.

use super::Part;
use super::sensitive::{self, Kind};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::{ItemInfo, Ty};
use crate::parse::rust::ast::{Field, ItemKind};
use crate::scan::source::Role;

/// Types of text and bytes.
const TEXTS: &[&str] = &["String", "str", "Vec", "Bytes"];

/// Adds them.
pub(super) fn look(part: &Part<'_, '_>, found: &mut Vec<Fact>) {
    for info in part.context.names.items() {
        let judged = info.role == Role::Service && !info.development_only;
        if !judged || part.context.services_of(info.file).is_empty() {
            continue;
        }
        let ItemKind::Struct(fields) = &info.item.kind else { continue };
        if is_other(info, fields, &part.context.repository.tree.file(info.file).path) {
            continue;
        }
        let secrets: Vec<&Field> = fields.iter().filter(|field| holds_secret(part, info, field)).collect();
        // The id of an access key is its public half, where the secret half stands beside it.
        let halved = fields.iter().any(|field| field.name.contains("secret"));
        let held = secrets
            .iter()
            .find(|field| !(halved && field.name.ends_with("access_key") && !field.name.contains("secret")));
        let Some(field) = held else { continue };
        let shown = sensitive::derives_debug(info) && !sensitive::is_skipped(field);
        let name = if field.name.starts_with(|first: char| first.is_ascii_digit()) {
            info.item.name.clone()
        } else {
            field.name.clone()
        };
        let data =
            vocabulary::SecretType { name: info.item.name.clone().into(), field: name.into(), shown: shown.into() };
        found.push(part.fact(data, info.file, info.item.name_span, Confidence::High, None));
    }
}

/// Words that begin a command about a secret, which then is named by its id.
const VERBS: &[&str] = &["disable", "enable", "revoke", "delete", "create", "generate", "rotate"];

/// Types that use the words for something else, and those that only describe the past.
fn is_other(info: &ItemInfo<'_>, fields: &[Field], path: &str) -> bool {
    let has = |words: &[&str]| fields.iter().any(|field| words.iter().any(|word| field.name.contains(word)));
    let log_probabilities = has(&["logprob", "log_prob"]) || info.item.name.to_ascii_lowercase().contains("logprob");
    let generated = info.item.name.ends_with("Token") && has(&["probability", "finish_reason"]);
    // `pwd` of a shell is its working directory.
    let shell = has(&["home", "shell", "cmd"]) && has(&["pwd"]);
    log_probabilities || generated || shell || path.contains("migration")
}

/// A field of text whose name, or the name of the type around it, says that it is secret.
fn holds_secret(part: &Part<'_, '_>, info: &ItemInfo<'_>, field: &Field) -> bool {
    let names = part.context.names;
    let tuple = field.name.starts_with(|first: char| first.is_ascii_digit());
    let named = sensitive::of_name(if tuple { &info.item.name } else { &field.name });
    let ty = names.type_at(info.module, Some(&info.path), &field.ty);
    let words: Vec<&str> = field.name.split('_').collect();
    let public = VERBS.contains(&words[0]) || words.iter().any(|word| matches!(*word, "sentry" | "queue" | "rum"));
    named == Some(Kind::Secret) && !public && is_text(&ty)
}

fn is_text(ty: &Ty) -> bool {
    let mut inner = ty;
    while let Some(held) =
        inner.held().or_else(|| if inner.last() == "Option" { inner.arguments.first() } else { None })
    {
        inner = held;
    }
    let bytes = inner.last() == "Vec" && inner.arguments.first().is_none_or(|element| element.last() != "u8");
    TEXTS.contains(&inner.last()) && !bytes
}

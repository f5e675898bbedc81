//! Settings that accept two keys at a time, so that one can replace the other without an outage.

use std::sync::LazyLock;

use crate::facts::Confidence;
use crate::facts::vocabulary::SecretRotation;
use crate::link::needed::Words;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::rust::ast::{Attribute, ExprKind, Field, Item, ItemKind, Literal};
use crate::scan::source::{Kind, Role, SourceFile, Span};

/// Words for the key that signs and for the one that is still, or already, accepted.
const PAIRS: &[(&str, &str)] = &[
    ("primary", "secondary"),
    ("current", "previous"),
    ("current", "old"),
    ("current", "next"),
    ("new", "old"),
    ("active", "previous"),
    ("", "previous"),
    ("", "old"),
    ("", "fallback"),
    ("", "secondary"),
];

/// Words that make a setting a secret or key.
const SECRETS: &[&str] = &["key", "keys", "secret", "secrets", "jwk", "pepper", "password"];

/// What the comment of a list of keys says that the list is for.
const WORDS: &[&str] =
    &["key rotation", "secret rotation", "rotating keys", "rotate keys", "rotate the key", "rotating the key"];

static OTHERS: LazyLock<Words> = LazyLock::new(|| Words::new(PAIRS.iter().map(|(_, other)| *other), false));

/// Whether a file of code can hold such a pair: a name in it says that it is another secret's partner.
pub fn may_pair(file: &SourceFile) -> bool {
    let is_partner = |name: &str| {
        let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
        has(SECRETS) && PAIRS.iter().any(|(_, other)| has(&[other]))
    };
    let code = file.kind == Kind::Rust && file.role == Role::Service;
    let documented = || file.text.contains("Vec<") && WORDS.iter().any(|words| file.text.contains(words));
    code && (OTHERS.identifiers(&file.text).any(is_partner) || documented())
}

/// Adds pairs of keys in settings.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, parsed) in context.repository.files().filter(|(file, _)| may_pair(file)) {
        let Syntax::Rust(rust) = &parsed.syntax else { continue };
        if let Some(span) = pair(&rust.items) {
            let data = SecretRotation { how: "key-set".into() };
            linked.facts.add(context.fact(data, file.id, span).confidence(Confidence::Medium));
        }
    }
}

fn pair(items: &[Item]) -> Option<Span> {
    let mut open: Vec<&Item> = items.iter().rev().collect();
    while let Some(item) = open.pop() {
        match &item.kind {
            ItemKind::Struct(fields) if holds_settings(&item.name) => {
                let found = fields.iter().find(|field| has_partner(&field.name, fields) || is_documented_list(field));
                if let Some(field) = found {
                    return Some(field.span);
                }
            }
            ItemKind::Module(Some(items)) if item.name != "tests" => open.extend(items.iter().rev()),
            _ => {}
        }
    }
    None
}

/// A user's old and new key in a request is a feature, not a setting.
fn holds_settings(name: &str) -> bool {
    ["Settings", "Config", "Configuration", "Options", "Args", "Env", "Secrets", "Keys"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// A list whose comment says that it holds several keys so that they can be rotated.
fn is_documented_list(field: &Field) -> bool {
    let says = |attribute: &Attribute| match attribute.value.as_ref().map(|value| &*value.kind) {
        Some(ExprKind::Literal(Literal::Text(text))) => {
            let text = text.to_lowercase();
            WORDS.iter().any(|words| text.contains(words))
        }
        _ => false,
    };
    field.ty.text.contains("Vec<")
        && field.attributes.iter().any(|attribute| attribute.path.is("doc") && says(attribute))
}

fn has_partner(name: &str, fields: &[Field]) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    if !words.iter().any(|word| SECRETS.contains(word)) {
        return false;
    }
    PAIRS.iter().filter(|(_, other)| words.contains(other)).any(|(one, other)| {
        let partner: Vec<&str> =
            words.iter().map(|word| if word == other { *one } else { word }).filter(|word| !word.is_empty()).collect();
        let prefix = partner.join("_");
        // `primary_jwk: Option<Jwk>` may stand beside `primary_jwk_kty` and others: the stem is enough.
        fields.iter().any(|field| field.name == prefix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> bool {
        match crate::parse::rust::parse(source).syntax {
            Syntax::Rust(rust) => pair(&rust.items).is_some(),
            _ => false,
        }
    }

    #[test]
    fn two_keys_of_one_name_are_a_set() {
        assert!(found("struct Settings { primary_jwk: String, secondary_jwk: Option<String> }"));
        assert!(found("mod a { pub struct AuthConfig { signing_key: String, previous_signing_key: Option<String> } }"));
        assert!(!found("struct Settings { primary_pool: u8, secondary_pool: u8 }"));
        assert!(!found("struct ChangePassword { old_password: String, new_password: String }"));
        assert!(!found("struct Settings { old_key: String }"));
    }

    #[test]
    fn a_list_of_keys_that_is_there_for_rotation_is_a_set() {
        assert!(found(
            "struct Config { /// Keys that still verify tokens\n/// (after key rotation).\n verifiers: Option<Vec<Key>> }"
        ));
        assert!(!found("struct Config { /// Verifies tokens; see key rotation in the manual.\n verifier: Key }"));
        assert!(!found("struct Config { /// Hosts to reach.\n hosts: Vec<Host> }"));
    }
}

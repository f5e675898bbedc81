//! Files whose values SOPS encrypts: there to be in git, with the day they were last changed.

use crate::facts::Confidence;
use crate::facts::vocabulary::{EncryptedSecrets, SecretsManager};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::parse::env::EnvEntry;
use crate::scan::source::{FileId, Span};

/// Whether a line of a .env file is SOPS's own, or holds a value that it encrypted.
pub fn is_encrypted(entry: &EnvEntry) -> bool {
    entry.key.starts_with("sops_") || entry.value.starts_with("ENC[")
}

/// Adds the files that SOPS encrypts, and SOPS as the manager where a file says so.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, parsed) in context.repository.files() {
        let text = &parsed.syntax;
        match text {
            Syntax::Documents(documents) if matches!(file.name(), ".sops.yaml" | ".sops.yml") => {
                let rules = documents.first().and_then(|root| root.entry("creation_rules"));
                if let Some(rules) = rules {
                    manager(context, linked, file.id, rules.key_span);
                }
            }
            Syntax::Documents(documents) => documents.iter().for_each(|root| document(context, linked, file.id, root)),
            Syntax::Env(entries) => dotenv(context, linked, file.id, entries),
            _ => {}
        }
    }
}

fn document(context: &Context<'_>, linked: &mut Linked, file: FileId, root: &Node) {
    let Some(metadata) = root.entry("sops") else { return };
    // A setting called `sops` is no metadata: SOPS always writes a message authentication code.
    if metadata.value.get("mac").is_none() {
        return;
    }
    let changed = metadata.value.entry("lastmodified");
    let day = changed.and_then(|entry| entry.value.scalar());
    encrypted(context, linked, file, changed.map_or(metadata.key_span, |entry| entry.value.span), day.as_deref());
    // What a Kubernetes object says of its secrets is read with the manifests.
    if root.get("apiVersion").is_none() {
        manager(context, linked, file, metadata.key_span);
    }
}

fn dotenv(context: &Context<'_>, linked: &mut Linked, file: FileId, entries: &[EnvEntry]) {
    let of = |name: &str| entries.iter().find(|entry| entry.key == name);
    let Some(mac) = of("sops_mac") else { return };
    let changed = of("sops_lastmodified");
    let span = changed.map_or(mac.key_span, |entry| entry.value_span);
    encrypted(context, linked, file, span, changed.map(|entry| entry.value.as_str()));
    manager(context, linked, file, mac.key_span);
}

fn encrypted(context: &Context<'_>, linked: &mut Linked, file: FileId, span: Span, changed: Option<&str>) {
    let day = changed.and_then(|text| text.get(..10)).filter(|day| is_day(day));
    let data = EncryptedSecrets {
        tool: "sops".into(),
        changed_on: day.map(str::to_string).into(),
        ..EncryptedSecrets::default()
    };
    linked.facts.add(context.fact(data, file, span));
}

/// `2026-01-31`
fn is_day(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() })
}

fn manager(context: &Context<'_>, linked: &mut Linked, file: FileId, span: Span) {
    let data = SecretsManager { system: "sops".into(), by: "manifest".into() };
    let mut fact = context.fact(data, file, span).confidence(Confidence::High);
    if fact.services.is_empty() {
        fact.services = (0u16..).map(crate::facts::ServiceId).take(context.services.len()).collect();
    }
    linked.facts.add(fact);
}

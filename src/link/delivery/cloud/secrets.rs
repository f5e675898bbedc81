//! Secrets in the cloud: managers, rotation, and secrets that a task gets in plain.

use super::super::manifests::entries_of;
use super::super::terraform::Resource;
use crate::facts::Data;
use crate::facts::vocabulary::{PlainSecretReference, SecretRotation, SecretsManager};
use crate::link::{Context, Linked};
use crate::parse::document::{Node, Value};
use crate::scan::source::Span;

fn add(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>, span: Span, data: impl Into<Data>) {
    linked.facts.add(context.fact(data, resource.file.id, span));
}

/// A secret in a manager's store.
pub fn manager(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let system = match resource.kind.split('_').next() {
        Some("aws") => "aws",
        Some("google") => "gcp",
        Some("azurerm") => "azure",
        _ => "vault",
    };
    let data = SecretsManager { system: system.into(), by: "manifest".into() };
    add(context, linked, resource, resource.span, data);
}

/// A parameter of SSM, when it is encrypted.
pub fn parameter(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if resource.text(&["type"]).as_deref() == Some("SecureString") {
        manager(context, linked, resource);
    }
}

/// A rotation schedule.
pub fn rotation(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    add(context, linked, resource, resource.span, SecretRotation { how: "resource".into() });
}

/// Containers of an ECS task: `secrets` come from a manager, secrets in `environment` are plain.
pub fn task(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    for entry in entries_of(resource.body, "secrets") {
        if let Some(item) = entry.value.items().iter().find(|item| item.get("valueFrom").is_some()) {
            let data = SecretsManager { system: "aws".into(), by: "manifest".into() };
            add(context, linked, resource, item.span, data);
        }
    }
    for entry in entries_of(resource.body, "environment") {
        for item in entry.value.items() {
            if let (Some(name), Some(value)) = (item.get("name").and_then(Node::text), item.get("value")) {
                plain(context, linked, resource, name, value, item.span);
            }
        }
    }
}

/// Variables of a function.
pub fn lambda(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let blocks = resource.body.entries().iter().filter(|entry| &*entry.key == "environment");
    for variables in blocks.filter_map(|block| block.value.get("variables")) {
        for entry in variables.entries() {
            plain(context, linked, resource, &entry.key, &entry.value, entry.key_span);
        }
    }
}

fn plain<'r>(
    context: &Context<'_>,
    linked: &mut Linked,
    resource: &Resource<'r>,
    name: &str,
    value: &'r Node,
    span: Span,
) {
    let named = names_secret(name) && carries_secret(value);
    if named || resource.origins(value).iter().any(|origin| holds_password(origin.node)) {
        let data = PlainSecretReference { name: name.into(), by: "task-environment".into() };
        add(context, linked, resource, span, data);
    }
}

/// An address with a user and a password in it, which the source puts together or writes out.
fn holds_password(node: &Node) -> bool {
    let source = match &node.value {
        Value::Unresolved(source) => source,
        Value::Text { text, .. } => text,
        _ => return false,
    };
    // What stands in `${ }` may have any letters, and is one value.
    let plain = crate::link::ties::tag_pattern(source);
    plain.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '"', ' ', ',']).next().unwrap_or("");
        let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty())
    })
}

/// Names that say a secret is in the variable.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).collect();
    let secret = words.iter().any(|word| {
        matches!(
            *word,
            "PASSWORD" | "PASSWD" | "SECRET" | "SECRETS" | "TOKEN" | "CREDENTIALS" | "PASSPHRASE" | "APIKEY" | "DSN"
        )
    });
    let key = name.ends_with("API_KEY")
        || name.ends_with("PRIVATE_KEY")
        || name.ends_with("SIGNING_KEY")
        || name.ends_with("ENCRYPTION_KEY")
        || name.ends_with("ACCESS_KEY");
    let elsewhere = ["PUBLIC", "FILE", "PATH", "ARN", "NAME", "TTL", "EXPIRY", "EXPIRATION", "LENGTH", "URL"]
        .iter()
        .any(|end| words.last() == Some(end));
    (secret || key) && !elsewhere
}

/// A literal or an expression; a reference to a secret's place (an ARN, a manager's path) is none.
fn carries_secret(value: &Node) -> bool {
    match &value.value {
        Value::Text { text, .. } => !text.is_empty() && !text.starts_with("arn:"),
        Value::Unresolved(source) => {
            !["arn", "secretsmanager", "ssm", "_path"].iter().any(|word| source.contains(word))
        }
        _ => false,
    }
}

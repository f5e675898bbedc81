//! Secrets managers that manifests wire, and secrets that stand in plain settings.

use super::pod::pod_of;
use super::{Object, place, written};
use crate::facts::Confidence;
use crate::facts::vocabulary::{PlainSecretReference, SecretsManager};
use crate::link::containers::{Deployment, secret_names};
use crate::parse::document::Node;
use crate::scan::source::Span;

/// Kinds whose existence wires a secrets manager, by the start of their API group and their kind.
const KINDS: &[(&str, &str, &str)] = &[
    ("external-secrets.io", "ExternalSecret", "external-secrets"),
    ("external-secrets.io", "ClusterExternalSecret", "external-secrets"),
    ("external-secrets.io", "SecretStore", "external-secrets"),
    ("external-secrets.io", "ClusterSecretStore", "external-secrets"),
    ("kubernetes-client.io", "ExternalSecret", "external-secrets"),
    ("bitnami.com", "SealedSecret", "sealed-secrets"),
    ("secrets.hashicorp.com", "VaultStaticSecret", "vault"),
    ("secrets.hashicorp.com", "VaultDynamicSecret", "vault"),
    ("secrets.hashicorp.com", "VaultAuth", "vault"),
    ("ricoberger.de", "VaultSecret", "vault"),
    ("onepassword.com", "OnePasswordItem", "1password"),
    ("secrets.infisical.com", "InfisicalSecret", "infisical"),
    ("secrets.doppler.com", "DopplerSecret", "doppler"),
    ("spv.no", "AzureKeyVaultSecret", "azure"),
];

/// Adds what an object says about secrets.
pub fn emit(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let version = object.node.get("apiVersion").and_then(Node::text).unwrap_or("");
    let by_kind = KINDS.iter().find(|(group, kind, _)| version.contains(group) && *kind == object.kind);
    if let Some((_, _, system)) = by_kind {
        manager(deployment, object, system, place(object, &[]));
    }
    if object.kind == "SecretProviderClass" {
        let provider = object.node.at(&["spec", "provider"]).and_then(written).unwrap_or_default();
        manager(deployment, object, &provider, place(object, &["spec", "provider"]));
    }
    if object.node.get("sops").is_some() {
        manager(deployment, object, "sops", place(object, &["sops"]));
    }
    if object.kind == "ConfigMap" {
        config_map(deployment, object);
    }
    pod(deployment, object);
}

fn manager(deployment: &mut Deployment<'_, '_>, object: &Object, system: &str, span: Span) {
    let data = SecretsManager { system: system.into(), by: "manifest".into() };
    let fact = deployment.context.fact(data, object.file, span);
    deployment.add(fact);
}

fn config_map(deployment: &mut Deployment<'_, '_>, object: &Object) {
    for entry in object.node.get("data").map_or(&[][..], Node::entries) {
        let value = entry.value.text().unwrap_or("");
        let unresolved = entry.value.is_unresolved();
        if secret_names::is_secret(&entry.key) && (unresolved || secret_names::is_value(value)) {
            plain(deployment, object, &entry.key, "configmap", entry.key_span, value);
        }
    }
}

fn plain(deployment: &mut Deployment<'_, '_>, object: &Object, name: &str, by: &str, span: Span, value: &str) {
    let data = PlainSecretReference { name: name.into(), by: by.into() };
    let fact = deployment.context.fact(data, object.file, span);
    let dummy = secret_names::is_dummy(value) || object.optional;
    deployment.add(if dummy { fact.confidence(Confidence::Low) } else { fact });
}

/// References of containers to Secret objects, and secrets given in plain beside them.
fn pod(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let Some(pod) = pod_of(object) else { return };
    let annotations = pod.metadata.and_then(|metadata| metadata.get("annotations"));
    for entry in annotations.map_or(&[][..], Node::entries) {
        if entry.key.starts_with("vault.hashicorp.com/agent-inject") {
            return manager(deployment, object, "vault", entry.key_span);
        }
    }
    for (container, _) in pod.containers() {
        if let Some(span) = reference(container) {
            manager(deployment, object, "kubernetes", span);
        }
        let image = container.get("image").and_then(written).unwrap_or_default();
        if !deployment.owners.of_image(&image).may_be_service() {
            continue;
        }
        for (name, value, span) in environment(container) {
            let literal = value.text().is_some_and(secret_names::is_value);
            if secret_names::is_secret(&name) && literal && !value.text().is_some_and(|text| text.contains("$(")) {
                plain(deployment, object, &name, "pod-environment", span, value.text().unwrap_or(""));
            }
        }
    }
    for volume in pod.pod.get("volumes").map_or(&[][..], Node::items) {
        if let Some(secret) = volume.entry("secret") {
            manager(deployment, object, "kubernetes", secret.key_span);
        }
    }
}

/// The first reference of a container to a Secret.
fn reference(container: &Node) -> Option<Span> {
    let env = container.get("env").map_or(&[][..], Node::items);
    let key = env.iter().find_map(|entry| entry.get("valueFrom").and_then(|from| from.entry("secretKeyRef")));
    let from = container.get("envFrom").map_or(&[][..], Node::items);
    key.or_else(|| from.iter().find_map(|source| source.entry("secretRef"))).map(|entry| entry.key_span)
}

fn environment(container: &Node) -> Vec<(String, &Node, Span)> {
    let entries = container.get("env").map_or(&[][..], Node::items);
    entries
        .iter()
        .filter_map(|entry| {
            let name = entry.get("name").and_then(written)?;
            let value = entry.get("value")?;
            Some((name, value, value.span))
        })
        .collect()
}

//! Ways into the cluster: where TLS ends, what is redirected, limited and added.

use super::{Object, place, written};
use crate::facts::vocabulary::{Https, Ingress, RateLimit, ResponseHeader};
use crate::facts::{Attr, Confidence, Fact};
use crate::link::containers::Deployment;
use crate::parse::document::Node;
use crate::scan::source::Span;

/// Adds what an object says about traffic.
pub fn emit(deployment: &mut Deployment<'_, '_>, object: &Object, all: &[Object]) {
    match object.kind.as_str() {
        "Ingress" => ingress(deployment, object, all),
        "Gateway" => gateway(deployment, object),
        "IngressRoute" | "HTTPProxy" | "Route" => route(deployment, object),
        "Middleware" | "MiddlewareTCP" => middleware(deployment, object),
        "Service" => load_balancer(deployment, object),
        "BackendTrafficPolicy" | "RateLimitPolicy" | "KongPlugin" | "KongClusterPlugin" | "EnvoyFilter" => {
            policy(deployment, object)
        }
        _ => {}
    }
}

/// Adds a fact for every service: which one stands behind an entry is seldom said by name.
fn add(deployment: &mut Deployment<'_, '_>, object: &Object, data: impl Into<crate::facts::Data>, span: Span) {
    let mut fact: Fact = deployment.context.fact(data, object.file, span);
    if fact.services.is_empty() {
        fact.services = deployment.owners.all();
        if fact.services.len() > 1 {
            fact.confidence = Confidence::Medium;
        }
    }
    if object.optional {
        fact.confidence = Confidence::Low;
    }
    deployment.add(fact);
}

fn way_in(deployment: &mut Deployment<'_, '_>, object: &Object, by: &str, tls: Option<Span>, redirects: Attr<bool>) {
    let data = Ingress {
        by: by.into(),
        tls: Attr::Known(tls.is_some()),
        redirects,
        optional: Attr::Known(object.optional),
        ..Ingress::default()
    };
    add(deployment, object, data, tls.unwrap_or_else(|| place(object, &["spec"])));
    if let Some(span) = tls
        && !object.optional
    {
        add(deployment, object, Https { by: "ingress".into() }, span);
    }
}

fn annotations(object: &Object) -> Vec<(&str, String, Span)> {
    let node = object.node.at(&["metadata", "annotations"]);
    node.map_or(&[][..], Node::entries)
        .iter()
        .filter_map(|entry| written(&entry.value).map(|value| (&*entry.key, value, entry.key_span)))
        .collect()
}

/// Annotations that end TLS without a `tls` block, by their ends.
const TLS_ANNOTATIONS: &[&str] = &[
    "certificate-arn",
    "managed-certificates",
    "pre-shared-cert",
    "aws-load-balancer-ssl-cert",
    "appgw-ssl-certificate",
];

/// Annotations that limit the rate, by their ends.
const LIMIT_ANNOTATIONS: &[&str] = &[
    "limit-rps",
    "limit-rpm",
    "limit-connections",
    "rate-limit",
    "rate-limit-requests",
    "rate-limit-average",
    "global-rate-limit",
];

fn ingress(deployment: &mut Deployment<'_, '_>, object: &Object, all: &[Object]) {
    if backends_are_others(deployment, object) {
        return;
    }
    let block = object.node.at(&["spec", "tls"]).filter(|tls| !tls.items().is_empty() || tls.is_unresolved());
    let annotations = annotations(object);
    let ends = |key: &str, known: &[&str]| known.iter().any(|end| key.ends_with(end));
    let by_annotation = annotations.iter().find(|(key, _, _)| ends(key, TLS_ANNOTATIONS)).map(|(_, _, span)| *span);
    let tls = block.map(|_| place(object, &["spec", "tls"])).or(by_annotation);
    let off = annotations.iter().any(|(key, value, _)| key.ends_with("ssl-redirect") && value == "false");
    let by = "kubernetes";
    way_in(deployment, object, by, tls, Attr::Known(tls.is_some() && !off));
    for (key, value, span) in &annotations {
        if ends(key, LIMIT_ANNOTATIONS) {
            limit(deployment, object, "ingress", *span);
        }
        if key.ends_with("snippet") {
            snippet(deployment, object, value, *span);
        }
        if key.ends_with("router.middlewares") {
            referenced_middlewares(deployment, object, value, *span, all);
        }
    }
}

/// Whether an ingress leads to other services of the tree only.
fn backends_are_others(deployment: &Deployment<'_, '_>, object: &Object) -> bool {
    let mut names = Vec::new();
    let rules = object.node.at(&["spec", "rules"]).map_or(&[][..], Node::items);
    for path in rules.iter().flat_map(|rule| rule.at(&["http", "paths"]).map_or(&[][..], Node::items)) {
        let backend = path.at(&["backend", "service", "name"]).or_else(|| path.at(&["backend", "serviceName"]));
        names.extend(backend.and_then(written));
    }
    !names.is_empty() && names.iter().all(|name| deployment.owners.is_other(name))
}

fn limit(deployment: &mut Deployment<'_, '_>, object: &Object, by: &str, span: Span) {
    let data = RateLimit { library: by.into(), by: by.into(), covers: "all".into() };
    add(deployment, object, data, span);
}

fn header(deployment: &mut Deployment<'_, '_>, object: &Object, name: &str, value: Attr<String>, by: &str, span: Span) {
    let name = name.to_ascii_lowercase();
    if name == "strict-transport-security" && !object.optional {
        add(deployment, object, Https { by: "hsts".into() }, span);
    }
    let data = ResponseHeader { name: name.into(), value, by: by.into(), covers: "all".into() };
    add(deployment, object, data, span);
}

/// nginx directives in an annotation.
fn snippet(deployment: &mut Deployment<'_, '_>, object: &Object, text: &str, span: Span) {
    for statement in text.split([';', '\n']) {
        let statement = statement.trim();
        if let Some(rest) = statement.strip_prefix("add_header ") {
            let (name, value) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let value = value.trim().trim_end_matches(" always").trim_matches(['"', '\'']);
            header(deployment, object, name, value.into(), "ingress", span);
        } else if let Some(rest) = statement.strip_prefix("more_set_headers ") {
            let (name, value) = rest.trim().trim_matches(['"', '\'']).split_once(':').unwrap_or(("", ""));
            header(deployment, object, name.trim(), value.trim().into(), "ingress", span);
        } else if statement.starts_with("limit_req ") {
            limit(deployment, object, "ingress", span);
        }
    }
}

/// Traefik middlewares named by an ingress are emitted where they stand; here only those that are not in the tree.
fn referenced_middlewares(
    deployment: &mut Deployment<'_, '_>,
    object: &Object,
    value: &str,
    span: Span,
    all: &[Object],
) {
    let names = value.split(',').map(|name| name.trim().split('@').next().unwrap_or("").to_string());
    let known = |name: &str| all.iter().any(|object| object.kind == "Middleware" && name.ends_with(&object.name));
    for name in names.filter(|name| !known(name)) {
        let lower = name.to_ascii_lowercase();
        if lower.contains("ratelimit") || lower.contains("rate-limit") {
            limit(deployment, object, "traefik", span);
        }
    }
}

fn gateway(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let listeners = object.node.at(&["spec", "listeners"]).or_else(|| object.node.at(&["spec", "servers"]));
    let mut tls = None;
    let mut redirects = false;
    for listener in listeners.map_or(&[][..], Node::items) {
        if let Some(entry) = listener.entry("tls") {
            redirects |= entry.value.get("httpsRedirect").and_then(Node::flag) == Some(true);
            let ends = entry.value.entries().iter().any(|entry| &*entry.key != "httpsRedirect");
            tls = tls.or(ends.then_some(entry.key_span));
        }
    }
    way_in(deployment, object, "kubernetes", tls, if redirects { Attr::Known(true) } else { Attr::Unknown });
}

fn route(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let keys: &[&str] = if object.kind == "HTTPProxy" { &["spec", "virtualhost", "tls"] } else { &["spec", "tls"] };
    let tls = object.node.at(keys).map(|_| place(object, keys));
    let by = if object.kind == "IngressRoute" { "traefik" } else { "kubernetes" };
    way_in(deployment, object, by, tls, Attr::Unknown);
}

/// Fields of a Traefik headers middleware with the header they set.
const TRAEFIK_HEADERS: &[(&str, &str)] = &[
    ("stsSeconds", "strict-transport-security"),
    ("contentTypeNosniff", "x-content-type-options"),
    ("frameDeny", "x-frame-options"),
    ("customFrameOptionsValue", "x-frame-options"),
    ("contentSecurityPolicy", "content-security-policy"),
    ("referrerPolicy", "referrer-policy"),
];

fn middleware(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let Some(spec) = object.node.get("spec") else { return };
    if let Some(entry) = spec.entry("rateLimit").or_else(|| spec.entry("inFlightReq")) {
        limit(deployment, object, "traefik", entry.key_span);
    }
    if let Some(entry) = spec.entry("redirectScheme")
        && entry.value.get("scheme").and_then(Node::text) == Some("https")
    {
        add(deployment, object, Https { by: "ingress".into() }, entry.key_span);
    }
    let Some(headers) = spec.get("headers") else { return };
    for entry in headers.entries() {
        if let Some((_, name)) = TRAEFIK_HEADERS.iter().find(|(field, _)| *field == &*entry.key) {
            header(deployment, object, name, entry.value.scalar().into(), "traefik", entry.key_span);
        }
    }
    for entry in headers.get("customResponseHeaders").map_or(&[][..], Node::entries) {
        header(deployment, object, &entry.key, entry.value.scalar().into(), "traefik", entry.key_span);
    }
}

fn load_balancer(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let annotations = annotations(object);
    let found = annotations.iter().find(|(key, _, _)| TLS_ANNOTATIONS.iter().any(|end| key.ends_with(end)));
    if let Some((_, _, span)) = found {
        way_in(deployment, object, "load-balancer", Some(*span), Attr::Unknown);
    }
}

fn policy(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let spec = object.node.get("spec").and_then(|spec| spec.entry("rateLimit")).map(|entry| entry.key_span);
    let plugin =
        object.node.get("plugin").filter(|plugin| plugin.text().is_some_and(|name| name.starts_with("rate-limiting")));
    let named = (object.kind == "RateLimitPolicy").then(|| place(object, &[]));
    let filter = (object.kind == "EnvoyFilter" && super::signature(object).contains("local_ratelimit"))
        .then(|| place(object, &[]));
    if let Some(span) = spec.or(plugin.map(|node| node.span)).or(named).or(filter) {
        limit(deployment, object, "gateway", span);
    }
}

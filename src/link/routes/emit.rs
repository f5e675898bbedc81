//! From servers to facts.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Context, Linked};
use super::evaluate::Evaluator;
use super::handlers::{HandlerFacts, Judged};
use super::known;
use super::layers::LayerUse;
use super::roots::Found;
use super::value::{Answer, Entry, LayerId};
use super::{paths, purpose, start};
use crate::facts::vocabulary::{
    Cors, Fallback, Https, LogContext, Middleware, PanicHandler, RateLimit, ResponseHeader, Route, Router, Server,
};
use crate::facts::{Attr, Confidence, Data, Fact, FactId, ServiceId};
use crate::scan::source::Place;

/// A server ready to be told: its routes with full paths.
#[derive(Debug)]
struct Told<'a> {
    found: Found,
    name: String,
    entries: Vec<Entry<'a>>,
    own_layers: Vec<LayerId>,
    /// Leading segments of most of its paths.
    shared: Vec<String>,
}

/// Adds all facts of the servers that were found.
pub fn emit<'a>(context: &Context<'_>, evaluator: &Evaluator<'a>, found: Vec<Found>, linked: &mut Linked) {
    let told = name_servers(evaluator, found);
    let mut judged = Judged::default();
    let mut handlers: BTreeMap<(Place, BTreeSet<ServiceId>), FactId> = BTreeMap::new();
    for told in &told {
        server_facts(context, evaluator, told, linked);
        for entry in &told.entries {
            let facts = judged.of(evaluator, &entry.answer, entry.place);
            let key = (facts.place, told.found.services.clone());
            let id = *handlers.entry(key).or_insert_with(|| {
                let fact = fact_at(context, facts.fact.clone(), facts.place, told);
                linked.facts.add(fact)
            });
            let fact = route_fact(context, evaluator, told, entry, &facts, id);
            linked.facts.add(fact);
            handler_extras(context, &facts, told, linked);
        }
    }
    layer_facts(context, evaluator, &told, linked);
    defaults(context, evaluator, &told, linked);
}

fn fact_at(context: &Context<'_>, data: impl Into<Data>, place: Place, told: &Told<'_>) -> Fact {
    let mut fact = context.fact(data, place.file, place.span);
    if !told.found.services.is_empty() {
        fact.services.clone_from(&told.found.services);
    }
    fact.confidence(told.found.confidence)
}

/// Servers with names that tell them apart; servers of one service with the same routes are one.
fn name_servers<'a>(evaluator: &Evaluator<'a>, found: Vec<Found>) -> Vec<Told<'a>> {
    let mut all: Vec<Told<'a>> = Vec::new();
    for found in found {
        let router = &evaluator.servers[found.server].router;
        let mut entries = router.seal();
        for entry in &mut entries {
            entry.path = paths::normal(&entry.path);
        }
        let entries = once(entries);
        let shared = shared_prefix(&entries);
        let same = |other: &&mut Told<'_>| {
            other.found.services == found.services
                && other.entries.len() == entries.len()
                && !entries.is_empty()
                && other.entries.iter().zip(&entries).all(|(a, b)| a.same(b))
        };
        if all.iter_mut().find(same).is_some() {
            continue;
        }
        let own_layers = router.own_layers.clone();
        all.push(Told { found, name: String::new(), entries, own_layers, shared });
    }
    let mut taken: BTreeSet<(BTreeSet<ServiceId>, String)> = BTreeSet::new();
    let mut order: Vec<usize> = (0..all.len()).collect();
    let minor = |at: usize| hint(evaluator, &all[at]) != "other";
    order.sort_by_key(|at| (minor(*at), std::cmp::Reverse(all[*at].entries.len()), *at));
    for at in order {
        let services = all[at].found.services.clone();
        let first = !taken.iter().any(|(of, name)| *of == services && name == "main");
        let wanted = if first { "main".to_string() } else { hint(evaluator, &all[at]) };
        let mut name = wanted.clone();
        let mut number = 2;
        while !taken.insert((services.clone(), name.clone())) {
            name = format!("{wanted}-{number}");
            number += 1;
        }
        all[at].name = name;
    }
    all.sort_by_key(|told| (told.found.services.clone(), told.name != "main"));
    all
}

/// One entry a registration: branches of a condition can register the same thing. What only one of them covers it with
/// does not certainly cover it.
fn once(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut seen: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let mut all: Vec<Entry<'_>> = Vec::with_capacity(entries.len());
    for entry in entries {
        let known = seen.entry((entry.method.clone(), entry.path.clone())).or_default();
        let again = |at: &&usize| {
            let other = &all[**at];
            other.place == entry.place || (!entry.partial && other.answers_like(&entry))
        };
        match known.iter().find(again).copied() {
            Some(at) => all[at].layers.retain(|layer| entry.layers.contains(layer)),
            None => {
                known.push(all.len());
                all.push(entry);
            }
        }
    }
    all
}

fn hint(evaluator: &Evaluator<'_>, told: &Told<'_>) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("metrics", "metrics"),
        ("prometheus", "metrics"),
        ("telemetry", "metrics"),
        ("management", "management"),
        ("admin", "management"),
        ("internal", "internal"),
        ("private", "internal"),
        ("health", "health"),
        ("grpc", "grpc"),
    ];
    let server = &evaluator.servers[told.found.server];
    if server.framework == "tonic" {
        return "grpc".to_string();
    }
    let metrics = |entry: &Entry<'_>| purpose::of(&entry.method, &entry.path, None, 0) == "metrics";
    if !told.entries.is_empty() && told.entries.iter().all(metrics) {
        return "metrics".to_string();
    }
    let text = server.hints.join(" ").to_ascii_lowercase();
    let found = WORDS.iter().find(|(word, _)| text.contains(word));
    found.map_or("other", |(_, name)| name).to_string()
}

/// The leading segments that at least three quarters of a server's paths have: its base. Well-known documents, metrics and
/// a fallback stand outside of it.
fn shared_prefix(entries: &[Entry<'_>]) -> Vec<String> {
    const FEWEST: usize = 4;
    if entries.len() < FEWEST {
        return Vec::new();
    }
    let paths: Vec<Vec<&str>> = entries.iter().map(|entry| paths::segments(&entry.path)).collect();
    paths::shared_prefix(&paths).into_iter().map(str::to_string).collect()
}

fn starts_with(path: &[&str], shared: &[String]) -> bool {
    path.len() >= shared.len() && path.iter().zip(shared).all(|(segment, known)| segment == known)
}

/// How many of a path's segments are its server's base.
fn based(told: &Told<'_>, path: &str) -> usize {
    if starts_with(&paths::segments(path), &told.shared) { told.shared.len() } else { 0 }
}

fn server_facts(context: &Context<'_>, evaluator: &Evaluator<'_>, told: &Told<'_>, linked: &mut Linked) {
    let server = &evaluator.servers[told.found.server];
    let address = server.address.as_ref();
    let data = Server {
        framework: server.framework.into(),
        version: version(context, server.framework, server.place).map_or(Attr::Unset, Attr::Known),
        address: address.filter(|text| text.complete && !text.text.is_empty()).map(|text| text.text.clone()).into(),
        port: match address {
            Some(text) => start::port(text).map_or(Attr::Unknown, Attr::Known),
            None => Attr::Unset,
        },
        configured: address.map(|text| text.configured || !text.complete).into(),
        tls: server.tls.into(),
        name: told.name.as_str().into(),
    };
    linked.facts.add(fact_at(context, data, server.place, told));
    if let Some(place) = server.router.places.first() {
        let data = Router { framework: server.framework.into() };
        linked.facts.add(fact_at(context, data, *place, told));
    }
    if server.tls {
        linked.facts.add(fact_at(context, Https { by: "app".into() }, server.place, told));
    }
    if let Some((place, who)) = &server.router.fallback {
        let library = match who {
            Some(Answer::Library(name)) if name.contains("::") => name.split("::").next().unwrap_or("own"),
            _ => "own",
        };
        linked.facts.add(fact_at(context, Fallback { library: library.into() }, *place, told));
    }
}

/// The version requirement of a framework in the package of a place, or in the service's other crates.
fn version(context: &Context<'_>, framework: &str, place: Place) -> Option<String> {
    let krate = match framework {
        "loco" => "loco_rs",
        "actix-web" => "actix_web",
        other => other,
    };
    let file = context.repository.tree.file(place.file);
    let own = context.workspace.package_of(&file.path);
    let in_package = |package: &super::super::workspace::Package| {
        package
            .dependencies
            .iter()
            .find(|dependency| dependency.code_name == krate && !dependency.development)
            .map(|found| found.version.clone())
    };
    own.and_then(in_package).or_else(|| context.workspace.packages.iter().find_map(in_package))
}

fn route_fact(
    context: &Context<'_>,
    evaluator: &Evaluator<'_>,
    told: &Told<'_>,
    entry: &Entry<'_>,
    facts: &HandlerFacts,
    handler: FactId,
) -> Fact {
    let layers: Vec<&LayerUse> =
        entry.layers.iter().chain(&told.own_layers).map(|id| &evaluator.layers[id.0]).collect();
    let mut kinds: Vec<String> =
        layers.iter().filter(|layer| !layer.silent).flat_map(|layer| layer.kinds.clone()).collect();
    kinds.sort();
    kinds.dedup();
    let library = match &entry.answer {
        Answer::Library(name) => Some(name.rsplit("::").next().unwrap_or(name)),
        _ => None,
    };
    let by_layer = kinds.iter().any(|kind| kind == "auth");
    let auth = if by_layer { Some(true) } else { facts.auth };
    let limited = kinds.iter().any(|kind| kind == "rate-limit") || facts.limits_rate.is_some();
    let name = facts.fact.name.known().map_or("", String::as_str);
    let changes = matches!(entry.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    let data = Route {
        method: entry.method.as_str().into(),
        path: entry.path.as_str().into(),
        handler: handler.into(),
        layers: kinds.into(),
        auth: auth.into(),
        purpose: purpose::of(&entry.method, &entry.path, library, based(told, &entry.path)).into(),
        changes_state: changes.into(),
        development_only: entry.development_only.into(),
        server: told.name.as_str().into(),
        documented: entry.documented.into(),
        rate_limited: limited.into(),
        authenticates: (changes && purpose::authenticates(&entry.path, name)).into(),
        takes_input: facts.takes_input.into(),
        validated: Attr::Unset,
    };
    let fact = fact_at(context, data, entry.place, told);
    if entry.partial { fact.confidence(Confidence::Medium) } else { fact }
}

fn handler_extras(context: &Context<'_>, facts: &HandlerFacts, told: &Told<'_>, linked: &mut Linked) {
    if let Some(place) = facts.limits_rate {
        let data = RateLimit { library: "own".into(), by: "app".into(), covers: "some".into() };
        add_once(linked, fact_at(context, data, place, told).confidence(Confidence::Medium));
    }
    if let Some(place) = facts.names_user {
        let data = LogContext { kind: "user".into(), library: "tracing".into() };
        add_once(linked, fact_at(context, data, place, told).confidence(Confidence::Medium));
    }
    if let Some(place) = facts.instrumented {
        let data = LogContext { kind: "span".into(), library: "tracing".into() };
        add_once(linked, fact_at(context, data, place, told));
    }
}

/// Adds a fact unless the same stands at the same place already.
fn add_once(linked: &mut Linked, fact: Fact) {
    let kind = fact.kind();
    let known = linked.facts.all.iter().rev().take(4_000).any(|other| {
        other.kind() == kind && other.place == fact.place && other.data == fact.data && other.services == fact.services
    });
    if !known {
        linked.facts.add(fact);
    }
}

/// How far a layer reaches: over all routes of a server but its health, metrics and document pages, or some.
fn coverage(told: &[Told<'_>], id: LayerId, services: &BTreeSet<ServiceId>) -> Option<&'static str> {
    let mut result = None;
    for told in told.iter().filter(|told| told.found.services == *services) {
        if told.own_layers.contains(&id) {
            return Some("all");
        }
        let plain = |entry: &&Entry<'_>| {
            !entry.development_only
                && purpose::of(&entry.method, &entry.path, None, based(told, &entry.path)) == "other"
        };
        let covers = |entry: &&Entry<'_>| entry.layers.contains(&id);
        if told.entries.iter().any(|entry| covers(&entry)) {
            let plain: Vec<&Entry<'_>> = told.entries.iter().filter(plain).collect();
            let covered = plain.iter().filter(|entry| covers(entry)).count();
            // A redirect or a static page outside of a layer does not make it one for some routes.
            if covered * 10 >= plain.len() * 9 {
                return Some("all");
            }
            result = Some("some");
        }
    }
    result
}

fn layer_facts(context: &Context<'_>, evaluator: &Evaluator<'_>, told: &[Told<'_>], linked: &mut Linked) {
    let groups: BTreeSet<BTreeSet<ServiceId>> = told.iter().map(|told| told.found.services.clone()).collect();
    for services in groups {
        let Some(of) = told.iter().find(|told| told.found.services == services) else { continue };
        for (at, layer) in evaluator.layers.iter().enumerate() {
            let Some(covers) = coverage(told, LayerId(at), &services) else { continue };
            let Some(place) = layer.place else { continue };
            if layer.silent {
                continue;
            }
            for fact in facts_of(layer, covers) {
                let mut fact = Fact { place, ..fact_at(context, fact, place, of) };
                let branch = layer.conditional && matches!(fact.data, Data::Cors(_));
                if layer.own || branch {
                    fact.confidence = fact.confidence.min(Confidence::Medium);
                }
                add_once(linked, fact);
            }
            header_facts(context, layer, covers, of, linked);
        }
    }
}

/// The facts of one layer, but its headers.
fn facts_of(layer: &LayerUse, covers: &'static str) -> Vec<Data> {
    let mut facts = Vec::new();
    for kind in &layer.kinds {
        let value = match (layer.value, layer.value_unknown) {
            (Some(value), _) => Attr::Known(value),
            (None, true) => Attr::Unknown,
            (None, false) => Attr::Unset,
        };
        facts.push(Data::Middleware(Middleware {
            kind: kind.as_str().into(),
            library: layer.library.as_str().into(),
            covers: covers.into(),
            value,
            conditional: layer.conditional.into(),
            disabled: layer.disabled.into(),
        }));
        let library = || Attr::from(layer.library.as_str());
        match kind.as_str() {
            "rate-limit" => {
                facts.push(Data::RateLimit(RateLimit { library: library(), by: "app".into(), covers: covers.into() }));
            }
            "catch-panic" => {
                facts.push(Data::PanicHandler(PanicHandler { kind: "layer".into(), library: library() }));
            }
            "request-id" => {
                facts.push(Data::LogContext(LogContext { kind: "request-id".into(), library: library() }));
            }
            "trace" => facts.push(Data::LogContext(LogContext { kind: "span".into(), library: library() })),
            "https-redirect" => facts.push(Data::Https(Https { by: "app".into() })),
            "error-handler" if layer.library == "actix_web" => {
                facts.push(Data::Fallback(Fallback { library: library() }));
            }
            "cors" => facts.extend(cors_fact(layer)),
            _ => {}
        }
    }
    facts
}

fn cors_fact(layer: &LayerUse) -> Option<Data> {
    let policy = layer.cors.as_ref()?;
    let origins = policy.origins?;
    Some(Data::Cors(Cors {
        origins: origins.into(),
        credentials: if policy.credentials_unknown { Attr::Unknown } else { policy.credentials.into() },
        library: layer.library.as_str().into(),
        development_only: layer.development.into(),
    }))
}

fn header_facts(context: &Context<'_>, layer: &LayerUse, covers: &'static str, told: &Told<'_>, linked: &mut Linked) {
    for (name, value, place) in &layer.headers {
        let data = ResponseHeader {
            name: name.as_str().into(),
            value: value.clone().into(),
            by: "app".into(),
            covers: covers.into(),
        };
        let mut fact = fact_at(context, data, *place, told);
        if layer.own {
            fact.confidence = fact.confidence.min(Confidence::Medium);
        }
        add_once(linked, fact);
        if name == "strict-transport-security" && !layer.conditional {
            add_once(linked, fact_at(context, Https { by: "hsts".into() }, *place, told));
        }
    }
}

/// What the frameworks do by themselves.
fn defaults(context: &Context<'_>, evaluator: &Evaluator<'_>, told: &[Told<'_>], linked: &mut Linked) {
    let mut done: BTreeSet<(BTreeSet<ServiceId>, &str)> = BTreeSet::new();
    for told in told {
        let server = &evaluator.servers[told.found.server];
        let framework = server.framework;
        if !done.insert((told.found.services.clone(), framework)) {
            continue;
        }
        let Some(version) = version(context, framework, server.place) else { continue };
        let shield_off =
            evaluator.layers.iter().any(|layer| layer.name.contains("Shield") && layer.name.ends_with("new"));
        let place = server.router.places.first().copied().unwrap_or(server.place);
        for default in known::defaults() {
            let off = default.unless.as_deref() == Some("shield-disabled") && shield_off;
            if default.framework == framework && default.versions.allows(&version) && !off {
                linked.facts.add(fact_at(context, default.data.clone(), place, told).by_default());
            }
        }
    }
}

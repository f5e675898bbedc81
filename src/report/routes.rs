//! The routes of each service as a table or JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::encode;
use super::quote::Quoter;
use crate::facts::vocabulary::Route;
use crate::facts::{Data, Fact, FactId, FactKind, Facts, ServiceId};
use crate::scan::source::Tree;

/// The routes of a service, or those of no service.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct OfService {
    /// The service's name; `null` for routes of no service.
    service: Option<String>,
    /// Folder of its Cargo.toml.
    #[serde(rename = "crate")]
    folder: Option<String>,
    /// Its routes, by path and method.
    routes: Vec<Listed>,
}

/// A route as it is listed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
struct Listed {
    path: String,
    method: String,
    handler: String,
    file: String,
    line: u32,
    layers: Vec<String>,
    auth: Option<bool>,
}

/// Routes by service; those of no service come last.
pub fn list(facts: &Facts, tree: &Tree, quoter: &Quoter) -> Vec<OfService> {
    let of = |wanted: &dyn Fn(&BTreeSet<ServiceId>) -> bool| {
        let routes = facts.of(FactKind::Route).filter(|(_, fact)| wanted(&fact.services));
        let mut listed: Vec<Listed> = routes.filter_map(|(_, fact)| one(fact, facts, tree, quoter)).collect();
        listed.sort();
        listed
    };
    let numbered = (0u16..).map(ServiceId).zip(&facts.services);
    let mut all: Vec<OfService> = numbered
        .map(|(id, service)| OfService {
            service: Some(quoter.prose(&service.name)),
            folder: Some(service.folder.clone()),
            routes: of(&|services| services.contains(&id)),
        })
        .collect();
    let rest = of(&BTreeSet::is_empty);
    if !rest.is_empty() {
        all.push(OfService { service: None, folder: None, routes: rest });
    }
    all
}

fn one(fact: &Fact, facts: &Facts, tree: &Tree, quoter: &Quoter) -> Option<Listed> {
    let Data::Route(route) = &fact.data else { return None };
    let (file, line) = tree.at(fact.place);
    let text = |attr: &crate::facts::Attr<String>, otherwise: &str| {
        quoter.prose(attr.known().map_or(otherwise, String::as_str))
    };
    Some(Listed {
        path: text(&route.path, "?"),
        method: text(&route.method, "ANY"),
        handler: quoter.prose(&handler(route, facts)),
        file,
        line,
        layers: route.layers.known().cloned().unwrap_or_default(),
        auth: route.auth.known().copied(),
    })
}

fn handler(route: &Route, facts: &Facts) -> String {
    let first: Option<&FactId> = route.handler.known().and_then(|links| links.first());
    match first.map(|id| &facts.get(*id).data) {
        Some(Data::Handler(handler)) => handler.name.known().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

/// The routes as JSON.
pub fn json(all: &[OfService]) -> String {
    encode::to_json(&serde_json::json!({ "services": all }))
}

/// The routes as a table.
pub fn table(all: &[OfService]) -> String {
    let mut out = String::new();
    for of in all {
        let name = of.service.as_deref().unwrap_or("no service");
        _ = writeln!(out, "{name} ({} routes)", of.routes.len());
        let path = width(&of.routes, |route| &route.path, 60);
        let handler = width(&of.routes, |route| &route.handler, 40);
        for route in &of.routes {
            let auth = match route.auth {
                Some(true) => "auth",
                Some(false) => "open",
                None => "?",
            };
            _ = writeln!(
                out,
                "  {:<7} {:<path$}  {:<handler$}  {auth:<4}  {}:{}{}",
                route.method,
                route.path,
                route.handler,
                route.file,
                route.line,
                if route.layers.is_empty() { String::new() } else { format!("  [{}]", route.layers.join(", ")) },
            );
        }
    }
    if all.is_empty() {
        out.push_str("no service and no routes\n");
    }
    out
}

fn width(routes: &[Listed], of: impl Fn(&Listed) -> &String, most: usize) -> usize {
    routes.iter().map(|route| of(route).chars().count()).max().unwrap_or(0).min(most)
}

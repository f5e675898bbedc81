//! The routes of a service as reports list them.

use super::outcome::RouteRow;
use crate::facts::{Attr, Data, Facts, ServiceId, vocabulary};
use crate::scan::source::Role;

/// Routes whose path is known, sorted by path and method.
pub fn of(facts: &Facts, service: ServiceId) -> Vec<RouteRow> {
    let of_service = facts.all.iter().filter(|fact| fact.services.contains(&service) && fact.role == Role::Service);
    let mut rows: Vec<RouteRow> = of_service
        .filter_map(|fact| {
            let Data::Route(route) = &fact.data else { return None };
            let fallback = route.purpose.known().is_some_and(|purpose| purpose == "fallback");
            let path = route.path.known().filter(|_| !fallback)?;
            Some(RouteRow {
                path: path.clone(),
                method: route.method.known().cloned().unwrap_or_else(|| "ANY".to_string()),
                handler: handler(facts, route),
                place: fact.place,
                layers: route.layers.known().cloned().unwrap_or_default(),
                auth: route.auth.known().copied(),
            })
        })
        .collect();
    rows.sort();
    rows.dedup();
    rows
}

fn handler(facts: &Facts, route: &vocabulary::Route) -> String {
    let Attr::Known(ids) = &route.handler else { return String::new() };
    let first = ids.first().and_then(|id| facts.all.get(id.0 as usize));
    match first.map(|fact| &fact.data) {
        Some(Data::Handler(handler)) => handler.name.known().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

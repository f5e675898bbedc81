//! API documents that are files, against the routes that are served.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Attr, Data, FactKind, ServiceId};
use crate::link::{Context, Linked};

/// A document of which fewer of its paths are served describes another program, or routes that were not understood.
const OWN: f64 = 0.7;

/// Marks paths that an OpenAPI file has and no route serves, and routes that it has.
pub fn tie(_context: &Context<'_>, linked: &mut Linked) {
    let routes: BTreeMap<String, BTreeSet<ServiceId>> = served(linked);
    if routes.is_empty() {
        return;
    }
    let mut covered: BTreeSet<String> = BTreeSet::new();
    for fact in &mut linked.facts.all {
        let Data::ApiDocument(document) = &mut fact.data else { continue };
        let by_file = document.kind.known().is_some_and(|kind| kind == "openapi")
            && document.by.known().is_some_and(|by| by == "file");
        let Some(paths) = document.paths.known().filter(|_| by_file).cloned() else { continue };
        let base = best_base(&paths, &routes);
        let (served, unserved): (Vec<String>, Vec<String>) =
            paths.into_iter().partition(|path| routes.contains_key(&format!("{base}{}", normal(path))));
        if ratio(served.len(), served.len() + unserved.len()) < OWN {
            continue;
        }
        covered.extend(served.iter().map(|path| format!("{base}{}", normal(path))));
        document.unserved = Attr::Known(unserved);
    }
    let services: BTreeSet<ServiceId> = covered.iter().filter_map(|path| routes.get(path)).flatten().copied().collect();
    mark(linked, &covered, &services);
}

/// Paths of all routes with the services that serve them.
fn served(linked: &Linked) -> BTreeMap<String, BTreeSet<ServiceId>> {
    let mut served: BTreeMap<String, BTreeSet<ServiceId>> = BTreeMap::new();
    for (_, fact) in linked.facts.of(FactKind::Route) {
        let Data::Route(route) = &fact.data else { continue };
        if let Some(path) = route.path.known() {
            served.entry(normal(path)).or_default().extend(&fact.services);
        }
    }
    served
}

/// Routes of the described services of which no annotation says whether they are documented.
fn mark(linked: &mut Linked, covered: &BTreeSet<String>, services: &BTreeSet<ServiceId>) {
    for fact in linked.facts.all.iter_mut().filter(|fact| !fact.services.is_disjoint(services)) {
        let Data::Route(route) = &mut fact.data else { continue };
        let path = route.path.known().map(|path| normal(path));
        if let Some(path) = path.filter(|_| !route.documented.is_set()) {
            route.documented = Attr::Known(covered.contains(&path));
        }
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

/// The start of the routes' paths below which most of a document's paths are served: empty, `/api`, `/api/v1`, ...
fn best_base(paths: &[String], routes: &BTreeMap<String, BTreeSet<ServiceId>>) -> String {
    let mut bases: BTreeSet<String> = BTreeSet::from([String::new()]);
    for route in routes.keys().take(500) {
        let segments: Vec<&str> = route.split('/').skip(1).collect();
        bases.extend((1..=3.min(segments.len())).map(|count| format!("/{}", segments[..count].join("/"))));
    }
    let score = |base: &String| {
        paths.iter().take(500).filter(|path| routes.contains_key(&format!("{base}{}", normal(path)))).count()
    };
    // The shortest of the best: `max_by_key` gives the last of equals.
    bases.into_iter().rev().max_by_key(score).unwrap_or_default()
}

/// A path with its parameters made alike: `/orders/{id}`, `/orders/:id` and `/orders/<id>` are one.
fn normal(path: &str) -> String {
    let segment = |segment: &str| match segment.chars().next() {
        Some('{' | ':' | '<' | '*') => "{}".to_string(),
        _ => segment.to_string(),
    };
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_matched_below_the_base_that_serves_most() {
        let routes = ["/api/v1/orders", "/api/v1/orders/:id", "/health"];
        let routes = routes.iter().map(|path| (normal(path), BTreeSet::new())).collect();
        let paths = vec!["/orders".to_string(), "/orders/{id}".to_string()];
        assert_eq!(best_base(&paths, &routes), "/api/v1");
        assert_eq!(best_base(&["/health".to_string()], &routes), "");
        assert_eq!(normal("/a/<b>/"), normal("/a/{c}"));
    }
}

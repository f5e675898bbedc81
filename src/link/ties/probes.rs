//! Probes and the routes they call: is the path served, does somebody listen on the port, what is the route for.

use std::collections::BTreeSet;

use crate::facts::vocabulary::Probe;
use crate::facts::{Attr, Data, Fact, FactId, FactKind, Facts, Related, ServiceId};
use crate::link::routes::paths::{is_parameter, is_unresolved, segments, serves, shared_prefix};
use crate::link::{Context, Linked};
use crate::scan::source::Kind;

/// Ties each probe of a service to its routes and servers.
pub fn tie(context: &Context<'_>, linked: &mut Linked) {
    let probes: Vec<FactId> = linked.facts.of(FactKind::Probe).map(|(id, _)| id).collect();
    let answering = Answering::of(&linked.facts);
    let mut called: Vec<(FactId, String)> = Vec::new();
    for id in probes {
        let Some(mut tied) = tied(&linked.facts, &answering, id) else { continue };
        if tied.served == Attr::Known(false) && in_proxy(context, &linked.facts, id) {
            tied.served = Attr::Unknown;
            tied.closest = None;
        }
        let fact = &mut linked.facts.all[id.0 as usize];
        if let Data::Probe(probe) = &mut fact.data {
            // What a probe of something else calls may be a route of ours by chance only; one that nobody sends by
            // default does not say what the route is for.
            if probe.of_service == Attr::Known(true) && !probe.optional.is_true() {
                called
                    .extend(tied.routes.iter().map(|route| (*route, probe.kind.known().cloned().unwrap_or_default())));
            }
            probe.served = tied.served;
            probe.port_open = tied.port_open;
            if !tied.routes.is_empty() {
                probe.route = Attr::Known(tied.routes);
            }
        }
        fact.related.extend(tied.closest);
    }
    name_routes(&mut linked.facts, &called);
}

/// Whether a reverse proxy of the repository speaks of a probe's path: it may answer it, or send it on as another.
fn in_proxy(context: &Context<'_>, facts: &Facts, id: FactId) -> bool {
    let Data::Probe(probe) = &facts.get(id).data else { return false };
    let Attr::Known(path) = &probe.path else { return false };
    let files = context.repository.tree.files.iter();
    files.filter(|file| matches!(file.kind, Kind::Nginx | Kind::Caddyfile)).any(|file| {
        let mut words =
            file.text.split(|letter: char| letter.is_whitespace() || matches!(letter, '{' | ';' | '"' | '*'));
        words.any(|word| word == path.as_str())
    })
}

/// What may answer a probe, looked up once: there may be as many probes as facts.
struct Answering {
    routes: Vec<FactId>,
    servers: Vec<FactId>,
    fallbacks: Vec<FactId>,
}

impl Answering {
    fn of(facts: &Facts) -> Answering {
        let all = |kind| facts.of(kind).map(|(id, _)| id).collect();
        Answering { routes: all(FactKind::Route), servers: all(FactKind::Server), fallbacks: all(FactKind::Fallback) }
    }
}

fn each<'f>(facts: &'f Facts, ids: &'f [FactId]) -> impl Iterator<Item = (FactId, &'f Fact)> {
    ids.iter().map(|id| (*id, facts.get(*id)))
}

struct Tied {
    served: Attr<bool>,
    port_open: Attr<bool>,
    routes: Vec<FactId>,
    closest: Option<Related>,
}

fn tied(facts: &Facts, answering: &Answering, id: FactId) -> Option<Tied> {
    let fact = facts.get(id);
    let Data::Probe(probe) = &fact.data else { return None };
    if probe.of_service == Attr::Known(false) {
        return None;
    }
    let routes = routes_of(facts, answering, &fact.services, &[]);
    let port_open = port_open(facts, answering, fact, probe);
    let Attr::Known(path) = &probe.path else {
        let served = if probe.path.is_set() { Attr::Unknown } else { Attr::Unset };
        return Some(Tied { served, port_open, routes: Vec::new(), closest: None });
    };
    let on_port = servers_on_port(facts, answering, &fact.services, probe);
    let mut matching = matching(facts, &routes_of(facts, answering, &fact.services, &on_port), path);
    // Where the server on the port is known, what others serve answers nothing there.
    if matching.is_empty() && on_port.is_empty() {
        matching = self::matching(facts, &routes, path);
    }
    // A route whose path is a setting may serve any path, and nobody can tell which.
    let before = matching.len();
    matching.retain(|route| path_of(facts, *route).is_some_and(|pattern| !is_unresolved(pattern)));
    if path.contains('$') && several_paths(facts, &matching) {
        // Every one that the variable can mean is served, and which one it means only an install tells.
        return Some(Tied { served: Attr::Known(true), port_open, routes: Vec::new(), closest: None });
    }
    let served = match (matching.is_empty(), before > 0) {
        (false, _) => Attr::Known(true),
        (true, true) => Attr::Unknown,
        (true, false) => not_served(facts, answering, fact, &routes, path),
    };
    let closest = if served == Attr::Known(false) { closest(facts, &routes, path) } else { None };
    Some(Tied { served, port_open, routes: matching, closest })
}

fn shares(services: &BTreeSet<ServiceId>, other: &BTreeSet<ServiceId>) -> bool {
    services.is_empty() || other.is_empty() || !services.is_disjoint(other)
}

/// Routes of these services that answer GET; only those of the servers named, where any are.
fn routes_of(facts: &Facts, answering: &Answering, services: &BTreeSet<ServiceId>, servers: &[String]) -> Vec<FactId> {
    each(facts, &answering.routes)
        .filter(|(_, fact)| shares(services, &fact.services))
        .filter(|(_, fact)| match &fact.data {
            Data::Route(route) => {
                let answers =
                    route.method.known().is_none_or(|method| matches!(method.as_str(), "GET" | "HEAD" | "ANY"));
                let here = servers.is_empty() || route.server.known().is_some_and(|name| servers.contains(name));
                answers && here
            }
            _ => false,
        })
        .map(|(id, _)| id)
        .collect()
}

fn path_of(facts: &Facts, route: FactId) -> Option<&str> {
    match &facts.get(route).data {
        Data::Route(route) => route.path.known().map(String::as_str),
        _ => None,
    }
}

/// Names of the servers whose port a probe calls.
fn servers_on_port(facts: &Facts, answering: &Answering, services: &BTreeSet<ServiceId>, probe: &Probe) -> Vec<String> {
    let Attr::Known(port) = probe.port else { return Vec::new() };
    each(facts, &answering.servers)
        .filter(|(_, fact)| shares(services, &fact.services))
        .filter_map(|(_, fact)| match &fact.data {
            Data::Server(server) if server.port == Attr::Known(port) => server.name.known().cloned(),
            _ => None,
        })
        .collect()
}

/// The routes that serve a path; the literal ones alone where there are any.
fn matching(facts: &Facts, routes: &[FactId], path: &str) -> Vec<FactId> {
    let base = base(facts, routes);
    let all: Vec<FactId> = routes
        .iter()
        .copied()
        .filter(|route| path_of(facts, *route).is_some_and(|pattern| takes(pattern, path, &base)))
        .collect();
    let main: Vec<FactId> = all.iter().copied().filter(|route| is_on_main(facts, *route)).collect();
    let all = if main.is_empty() { all } else { main };
    let literal: Vec<FactId> = all
        .iter()
        .copied()
        .filter(|route| {
            path_of(facts, *route).is_some_and(|pattern| !segments(pattern).iter().any(|part| is_parameter(part)))
        })
        .collect();
    if literal.is_empty() { all } else { literal }
}

/// Whether a route is of the process's main server: where several serve a path, that is the one meant.
fn is_on_main(facts: &Facts, route: FactId) -> bool {
    matches!(&facts.get(route).data, Data::Route(route) if route.server.known().is_some_and(|name| name == "main"))
}

/// The leading segments that most of these routes have.
fn base<'f>(facts: &'f Facts, routes: &[FactId]) -> Vec<&'f str> {
    let paths: Vec<Vec<&str>> = routes
        .iter()
        .filter_map(|route| path_of(facts, *route))
        .map(segments)
        .filter(|path| !path.is_empty())
        .collect();
    shared_prefix(&paths)
}

/// Whether routes have different paths.
fn several_paths(facts: &Facts, routes: &[FactId]) -> bool {
    routes.iter().filter_map(|route| path_of(facts, *route)).map(segments).collect::<BTreeSet<_>>().len() > 1
}

/// Whether a route takes a path whose variables may stand for anything; one in front only for what the service's routes
/// have in front, its base.
fn takes(pattern: &str, path: &str, base: &[&str]) -> bool {
    if !path.contains('$') {
        return serves(pattern, path);
    }
    let parts = segments(path);
    let open = |part: &&str| part.contains('$');
    if parts.first().is_some_and(open) {
        // A variable in front may hold a host, nothing, or several segments.
        let tail = &parts[1..];
        let whole = segments(pattern);
        let (front, behind) = whole.split_at(whole.len().saturating_sub(tail.len()));
        return !tail.is_empty() && tail.iter().all(|part| !open(part)) && behind == tail && base.starts_with(front);
    }
    let whole = segments(pattern);
    whole.len() == parts.len()
        && whole.iter().zip(&parts).all(|(pattern, part)| pattern == part || is_parameter(pattern) || open(part))
}

/// Not served for sure, unless some routes are not known or something answers every path.
fn not_served(facts: &Facts, answering: &Answering, fact: &Fact, routes: &[FactId], path: &str) -> Attr<bool> {
    let unresolved = path.contains('$');
    let dynamic = routes
        .iter()
        .any(|route| !matches!(&facts.get(*route).data, Data::Route(route) if route.path.known().is_some()));
    let fallback = each(facts, &answering.fallbacks).any(|(_, other)| shares(&fact.services, &other.services));
    let file_root = path == "/" && fallback;
    if routes.is_empty() || unresolved || dynamic || file_root { Attr::Unknown } else { Attr::Known(false) }
}

/// The health route that a missed path comes nearest to.
fn closest(facts: &Facts, routes: &[FactId], path: &str) -> Option<Related> {
    let wanted = segments(path);
    let health = |route: &&FactId| match &facts.get(**route).data {
        Data::Route(route) => {
            route.purpose.known().is_some_and(|purpose| matches!(purpose.as_str(), "health" | "liveness" | "readiness"))
        }
        _ => false,
    };
    let shared = |route: FactId| {
        let own = segments(path_of(facts, route).unwrap_or(""));
        wanted.iter().filter(|part| own.contains(part)).count()
    };
    let best = routes.iter().filter(health).copied().max_by_key(|route| (shared(*route), std::cmp::Reverse(*route)))?;
    let note = format!("closest route: GET {}", path_of(facts, best).unwrap_or(""));
    Some(Related { place: facts.get(best).place, note })
}

/// Whether somebody listens on the port that a probe calls.
fn port_open(facts: &Facts, answering: &Answering, fact: &Fact, probe: &Probe) -> Attr<bool> {
    if probe.port_open.is_set() {
        return probe.port_open.clone();
    }
    let Attr::Known(port) = probe.port else {
        return if probe.port.is_set() { Attr::Unknown } else { Attr::Unset };
    };
    let servers: Vec<(Option<f64>, bool)> = each(facts, &answering.servers)
        .filter(|(_, server)| shares(&fact.services, &server.services))
        .filter_map(|(_, server)| match &server.data {
            Data::Server(server) => Some((server.port.known().copied(), server.configured != Attr::Known(false))),
            _ => None,
        })
        .collect();
    let declared =
        probe.declared_ports.known().is_some_and(|ports| ports.iter().any(|known| known.parse() == Ok(port)));
    let fixed = !servers.is_empty() && servers.iter().all(|(known, configured)| known.is_some() && !configured);
    let by_balancer = probe.by.known().is_some_and(|by| by == "load-balancer");
    // A port that a task opens is of no use to a load balancer when the code binds another, whatever it is told.
    let bound_elsewhere = by_balancer && fixed;
    if declared && !bound_elsewhere || servers.iter().any(|(known, _)| *known == Some(port)) {
        return Attr::Known(true);
    }
    // A load balancer reaches what the task opens; with one server, what the task tells it is where it listens.
    let opened = probe.declared_ports.known().is_some_and(|ports| !ports.is_empty());
    if by_balancer && opened && servers.len() == 1 {
        return Attr::Known(false);
    }
    // Both the check and the server ask the environment of the container.
    let told = probe.port_configured == Attr::Known(true) && !servers.is_empty();
    match (fixed, told) {
        (true, _) => Attr::Known(false),
        (false, true) => Attr::Known(true),
        (false, false) => Attr::Unknown,
    }
}

/// A health route is for what the probes that call it ask; one that both kinds call stays what it was.
fn name_routes(facts: &mut Facts, called: &[(FactId, String)]) {
    let routes: BTreeSet<FactId> = called.iter().map(|(route, _)| *route).collect();
    for id in routes {
        let kinds: BTreeSet<&str> =
            called.iter().filter(|(route, _)| *route == id).map(|(_, kind)| kind.as_str()).collect();
        let purpose = match (kinds.contains("liveness"), kinds.contains("readiness")) {
            (true, false) => "liveness",
            (false, true) => "readiness",
            _ => "health",
        };
        if let Data::Route(route) = &mut facts.all[id.0 as usize].data
            && route.purpose.known().is_none_or(|known| matches!(known.as_str(), "health" | "other"))
        {
            route.purpose = purpose.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::{Attr, Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::link;
    use crate::link::trial::repository;

    /// Whether the port of an image's health check is open, by how the server gets its address.
    fn open(bound: &str, checked: &str) -> Attr<bool> {
        let main = format!(
            "use axum::{{Router, routing::get}}; async fn health() {{}}
            #[tokio::main] async fn main() {{ let app = Router::new().route(\"/health\", get(health));
                let listener = tokio::net::TcpListener::bind({bound}).await.unwrap(); axum::serve(listener, app).await.unwrap(); }}"
        );
        let image = format!(
            "FROM rust AS build\nRUN cargo build --release\nFROM debian\nCOPY --from=build /target/release/shop /shop\nHEALTHCHECK CMD curl -f http://localhost:{checked}/health\nENTRYPOINT [\"/shop\"]\n"
        );
        let manifest =
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\naxum = \"0.8\"\ntokio = \"1\"\n";
        let files = [("Cargo.toml", manifest), ("src/main.rs", main.as_str()), ("Dockerfile", image.as_str())];
        let linked = link(&repository(&files), &Catalog::default());
        let mut probes = linked.facts.of(FactKind::Probe).filter_map(|(_, fact)| match &fact.data {
            Data::Probe(probe) => Some(probe.port_open.clone()),
            _ => None,
        });
        probes.next().unwrap_or_default()
    }

    #[test]
    fn a_check_of_the_port_that_the_container_is_told_finds_it_open() {
        assert_eq!(open("settings().address", "${SHOP_PORT:-8888}"), Attr::Known(true));
        assert_eq!(open("settings().address", "8888"), Attr::Unknown);
        assert_eq!(open("\"0.0.0.0:3000\"", "${SHOP_PORT:-8888}"), Attr::Known(false));
        assert_eq!(open("\"0.0.0.0:3000\"", "3000"), Attr::Known(true));
    }

    #[test]
    fn a_route_whose_path_is_a_setting_is_no_health_route() {
        let main = "use axum::{Router, routing::get}; async fn metrics() {} async fn ping() {}
            #[tokio::main] async fn main() { let app = Router::new().route(&settings().endpoint, get(metrics)).route(\"/ping\", get(ping));
                let listener = tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(); axum::serve(listener, app).await.unwrap(); }";
        let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\naxum = \"0.8\"\n";
        let image = "FROM rust AS build\nRUN cargo build --release\nFROM debian\nCOPY --from=build /target/release/shop /shop\nHEALTHCHECK CMD curl -f http://localhost/healthz\nENTRYPOINT [\"/shop\"]\n";
        let files = [("Cargo.toml", manifest), ("src/main.rs", main), ("Dockerfile", image)];
        let linked = link(&repository(&files), &Catalog::default());
        for (_, fact) in linked.facts.of(FactKind::Probe) {
            assert!(matches!(&fact.data, Data::Probe(probe) if probe.served == Attr::Unknown), "{fact:?}");
        }
        let purposes = linked.facts.of(FactKind::Route).filter_map(|(_, fact)| match &fact.data {
            Data::Route(route) => route.purpose.known().cloned(),
            _ => None,
        });
        assert_eq!(purposes.collect::<Vec<_>>(), ["other", "liveness"]);
    }

    /// Whether the health check of a service with these routes finds one, and which.
    fn called(routes: &[&str], checked: &str) -> (Attr<bool>, Vec<String>) {
        let routes: Vec<String> = routes.iter().map(|path| format!(".route(\"{path}\", get(answer))")).collect();
        let main = format!(
            "use axum::{{Router, routing::get}}; async fn answer() {{}}
            #[tokio::main] async fn main() {{ let app = Router::new(){};
                let listener = tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(); axum::serve(listener, app).await.unwrap(); }}",
            routes.concat()
        );
        let image = "FROM rust AS build\nRUN cargo build --release\nFROM debian\nCOPY --from=build /target/release/shop /shop\nCOPY check.sh /\nHEALTHCHECK CMD /check.sh\nENTRYPOINT [\"/shop\"]\n";
        let script = format!("#!/bin/sh\ncurl --fail \"{checked}\" || exit 1\n");
        let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\naxum = \"0.8\"\n";
        let files = [("Cargo.toml", manifest), ("src/main.rs", &main), ("Dockerfile", image), ("check.sh", &script)];
        let linked = link(&repository(&files), &Catalog::default());
        let probe = linked.facts.of(FactKind::Probe).find_map(|(_, fact)| match &fact.data {
            Data::Probe(probe) => Some(probe.clone()),
            _ => None,
        });
        let probe = probe.unwrap_or_default();
        let routes = probe.route.known().cloned().unwrap_or_default();
        let path = |id: &crate::facts::FactId| super::path_of(&linked.facts, *id).unwrap_or("").to_string();
        (probe.served, routes.iter().map(path).collect())
    }

    #[test]
    fn a_variable_in_front_stands_for_the_base_of_the_service_or_nothing() {
        let found = |paths: &[&str]| (Attr::Known(true), paths.iter().map(|path| (*path).to_string()).collect());
        let mixed = ["/alive", "/api/alive", "/api/a", "/b", "/c"];
        assert_eq!(called(&mixed, "${base}/alive"), found(&["/alive"]));
        assert_eq!(called(&["/api/alive", "/api/a", "/api/b"], "${base}/alive"), found(&["/api/alive"]));
        assert_eq!(called(&["/admin/alive", "/a", "/b"], "${base}/alive"), (Attr::Unknown, vec![]));
        let both = ["/alive", "/api/alive", "/api/a", "/api/b", "/api/c"];
        assert_eq!(called(&both, "${base}/alive"), (Attr::Known(true), vec![]));
    }

    #[test]
    fn paths_with_variables() {
        let takes = |pattern: &str, path: &str| super::takes(pattern, path, &["api", "v1"]);
        assert!(takes("/alive", "${..}/alive"));
        assert!(takes("/api/alive", "${..}/alive"));
        assert!(!takes("/admin/alive", "${..}/alive"));
        assert!(!takes("/api/live", "${..}/alive"));
        assert!(takes("/{version}/health", "/v1/health"));
        assert!(takes("/api/v1/health", "/${PREFIX}/health"));
        assert!(!takes("/api/v2/health", "/${PREFIX}/health"));
        assert!(!takes("/health", "/api/health"));
    }
}

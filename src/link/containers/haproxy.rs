//! HAProxy's configurations: what its health checks call.

use super::Deployment;
use crate::facts::vocabulary::Probe;
use crate::facts::{Attr, Data, FactKind};
use crate::link::containers::owner::Owner;
use crate::scan::source::{Role, SourceFile, Span};

/// Keywords that open a section.
const SECTIONS: &[&str] = &[
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "peers",
    "resolvers",
    "mailers",
    "userlist",
    "cache",
    "program",
    "http-errors",
    "ring",
    "fcgi-app",
    "crt-store",
];

/// What a check asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Request {
    /// GET, or HEAD; other methods ask other routes.
    method: String,
    path: String,
    span: Span,
}

/// A section: its name, what its check asks for, and the servers that are checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Section {
    keyword: String,
    name: String,
    request: Option<Request>,
    checks_all: bool,
    /// Name and address.
    servers: Vec<(String, String)>,
}

/// Adds a probe for each backend whose servers are asked for a path.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let repository = deployment.context.repository;
    for (file, _) in repository.files().filter(|(file, _)| is_configuration(file)) {
        for section in sections(&file.text) {
            if let (Some(request), false) = (&section.request, section.servers.is_empty()) {
                probe(deployment, file, &section, request);
            }
        }
    }
}

fn is_configuration(file: &SourceFile) -> bool {
    let name = file.name().to_ascii_lowercase();
    let ending = [".cfg", ".conf"].iter().any(|ending| name.ends_with(ending));
    ending && (name.contains("haproxy") || file.folder().rsplit('/').next().is_some_and(|folder| folder == "haproxy"))
}

fn probe(deployment: &mut Deployment<'_, '_>, file: &SourceFile, section: &Section, request: &Request) {
    let (owner, role) = who(deployment, section);
    let asked = matches!(request.method.as_str(), "GET" | "HEAD");
    let plain = !request.path.contains(['$', '%', '{']);
    let data = Probe {
        kind: "health".into(),
        how: "http".into(),
        path: if asked && plain { request.path.as_str().into() } else { Attr::Unknown },
        by: "haproxy".into(),
        of_service: owner.of_service.clone(),
        ..Probe::default()
    };
    let role = role.filter(|_| file.role == Role::Service).unwrap_or(file.role);
    let fact = deployment.context.fact_in_role(data, file.id, request.span, role);
    deployment.add(owner.mark(fact));
}

/// Whose servers these are, by the compose service, else by the names; with what the compose file is for: a proxy in front
/// of a test rig's services is part of the rig.
fn who(deployment: &Deployment<'_, '_>, section: &Section) -> (Owner, Option<Role>) {
    let hosts: Vec<&str> = section.servers.iter().map(|(_, address)| host(address)).collect();
    if let Some((owner, role)) = hosts.iter().find_map(|host| of_compose(deployment, host)) {
        return (owner, Some(role));
    }
    let names = section.servers.iter().map(|(name, _)| name.as_str());
    let names = hosts.iter().copied().chain(names).chain([section.name.as_str()]);
    let named = names.into_iter().find_map(|name| deployment.owners.named(name));
    // What no name says to be ours may be anything behind the same proxy.
    (named.map_or_else(Owner::other, |services| Owner::of(services.clone())), None)
}

/// The compose service of a name, one that is deployed before one of a test rig.
fn of_compose(deployment: &Deployment<'_, '_>, host: &str) -> Option<(Owner, Role)> {
    let named = deployment.linked.facts.of(FactKind::ComposeService).filter_map(|(_, fact)| match &fact.data {
        Data::ComposeService(service) if service.name.known().is_some_and(|name| name == host) => Some((service, fact)),
        _ => None,
    });
    let (service, fact) = named.min_by_key(|(_, fact)| fact.role != Role::Service)?;
    let of_service = service.of_service.clone();
    Some((Owner { of_service, services: fact.services.clone(), confidence: fact.confidence }, fact.role))
}

fn host(address: &str) -> &str {
    let address = address.split_once('@').map_or(address, |(_, address)| address);
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}

/// The sections that check something, each with what it takes from the `defaults` before it.
fn sections(text: &str) -> Vec<Section> {
    let mut all = Vec::new();
    let mut defaults = Section::default();
    let mut current = Section::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let plain = line.split(" #").next().unwrap_or(line).trim();
        let words: Vec<&str> = plain.split_whitespace().collect();
        let Some(first) = words.first().filter(|word| !word.starts_with('#')) else { continue };
        if SECTIONS.contains(first) {
            close(&mut all, &mut defaults, std::mem::take(&mut current));
            let name = words.get(1).copied().unwrap_or("").to_string();
            let inherits = matches!(*first, "backend" | "listen");
            let base = if inherits { defaults.clone() } else { Section::default() };
            current = Section { keyword: (*first).to_string(), name, servers: Vec::new(), ..base };
        } else {
            read(&mut current, &words, Span::new(start, start + plain.len()));
        }
    }
    close(&mut all, &mut defaults, current);
    all
}

fn close(all: &mut Vec<Section>, defaults: &mut Section, section: Section) {
    match section.keyword.as_str() {
        "defaults" => *defaults = section,
        "backend" | "listen" => all.push(section),
        _ => {}
    }
}

fn read(section: &mut Section, words: &[&str], span: Span) {
    match words {
        ["no", "option", "httpchk", ..] => section.request = None,
        ["option", "httpchk", rest @ ..] => section.request = Some(asked(rest, span)),
        ["http-check", "send", rest @ ..] if section.request.is_some() => {
            let value = |key: &str| rest.windows(2).find(|pair| pair[0] == key).map(|pair| pair[1].to_string());
            let path = value("uri").unwrap_or_else(|| "/".to_string());
            section.request = Some(Request { method: value("meth").unwrap_or_else(|| "GET".into()), path, span });
        }
        ["default-server", rest @ ..] => section.checks_all |= rest.contains(&"check"),
        ["server" | "server-template", name, rest @ ..] => {
            let address = rest.iter().find(|word| word.contains([':', '.'])).or(rest.first());
            let checked = (section.checks_all || rest.contains(&"check")) && !rest.contains(&"no-check");
            if let (Some(address), true) = (address, checked) {
                section.servers.push(((*name).to_string(), (*address).to_string()));
            }
        }
        _ => {}
    }
}

/// `option httpchk`, `option httpchk URI`, `option httpchk METHOD URI [VERSION]`.
fn asked(words: &[&str], span: Span) -> Request {
    let (method, path) = match words {
        [] => ("OPTIONS", "/"),
        [path] => ("OPTIONS", *path),
        [method, path, ..] => (*method, *path),
    };
    let path = super::command::without_query(path);
    Request { method: method.to_ascii_uppercase(), path, span }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_what_the_backend_or_its_defaults_say() {
        let text = "global\n  daemon\ndefaults\n  mode http\n  option httpchk GET /health\n\nbackend shop # ours\n  server a shop:8080 check inter 5s\n  server b shop:8081\n\nlisten desk\n  bind *:90\n  option httpchk\n  http-check send meth HEAD uri /desk/ready ver HTTP/1.1\n  default-server check\n  server d 10.0.0.1:80\nbackend off\n  no option httpchk\n  server e e:80 check\nfrontend f\n  default_backend shop\n";
        let found = sections(text);
        let of = |section: &Section| {
            let request = section.request.as_ref().map(|request| format!("{} {}", request.method, request.path));
            let servers: Vec<&str> = section.servers.iter().map(|(_, address)| address.as_str()).collect();
            (section.name.clone(), request.unwrap_or_default(), servers.join(" "))
        };
        let expected =
            [("shop", "GET /health", "shop:8080"), ("desk", "HEAD /desk/ready", "10.0.0.1:80"), ("off", "", "e:80")];
        let expected = expected.map(|(name, request, servers)| (name.into(), request.into(), servers.into()));
        assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
        let span = found[0].request.as_ref().map(|request| request.span).unwrap_or_default();
        assert_eq!(&text[span.range()], "option httpchk GET /health");
    }
}

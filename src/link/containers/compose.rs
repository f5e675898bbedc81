//! Compose files: which of their services are ours, and what they say about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::images::Target;
use super::owner::Owner;
use super::variables::expand;
use super::{Deployment, command, images, known, names_port, port_of, tools};
use crate::facts::vocabulary::{
    ComposeService, Container, DeploymentStrategy, Https, InstanceCount, RateLimit, ResourceLimit, ResponseHeader,
    SecretsManager, SetVariable, StopGrace,
};
use crate::facts::{Attr, Confidence, Data};
use crate::link::Repository;
use crate::link::configuration::words;
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{FileId, Role, SourceFile, Span};

/// `extends` is followed so far.
const DEPTH: usize = 8;

/// A service of a compose file with what it extends put in.
struct Service<'a> {
    file: &'a SourceFile,
    name: &'a str,
    key: Span,
    node: Arc<Node>,
    owner: Owner,
    variables: &'a BTreeMap<String, String>,
}

/// Whether a document is a compose file's.
fn services_of(file: &SourceFile, node: &Node) -> Vec<Entry> {
    let name = file.name().to_ascii_lowercase();
    let named = name.contains("compose") || name.contains("stack");
    match node.get("services") {
        Some(services) if named && node.get("apiVersion").is_none() => services.entries().to_vec(),
        _ => Vec::new(),
    }
}

fn files(repository: &Repository) -> Vec<(&SourceFile, &Node)> {
    let documents = repository.files().filter_map(|(file, parsed)| match &parsed.syntax {
        Syntax::Documents(documents) => documents.first().map(|node| (file, node)),
        _ => None,
    });
    documents.filter(|(file, node)| !services_of(file, node).is_empty()).collect()
}

/// Stages that compose files build by name, by their Dockerfiles; those of test rigs and for development left out.
pub fn targets(deployment: &Deployment<'_, '_>) -> BTreeMap<FileId, Vec<Target>> {
    let mut targets: BTreeMap<FileId, Vec<Target>> = BTreeMap::new();
    for (file, node) in files(deployment.context.repository).into_iter().filter(|(file, _)| !is_test_rig(file)) {
        let variables = variables(deployment, file);
        for entry in services_of(file, node) {
            let extended = extended(deployment, file, node, &entry.value, 0);
            let Some(build) = extended.get("build") else { continue };
            let Some(name) = build.get("target").and_then(Node::scalar) else { continue };
            let (name, complete) = value(&name, &variables);
            let path = dockerfile_path(file, build, &variables).0;
            let Some(dockerfile) = deployment.context.repository.tree.find(&path) else { continue };
            let owner = build_owner(deployment, file, &entry.key, build, &variables);
            let named = targets.entry(dockerfile.id).or_default();
            let new = !named.iter().any(|known| known.name == name);
            if complete && new && owner.may_be_service() && !images::is_for_development(&name) {
                named.push(Target { name, owner });
            }
        }
    }
    targets
}

/// Learns what compose files build, then adds their facts.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let files = files(deployment.context.repository);
    for (file, node) in &files {
        let variables = variables(deployment, file);
        for entry in services_of(file, node) {
            learn_build(deployment, file, &entry, &variables);
        }
    }
    for (file, node) in files {
        let variables = variables(deployment, file);
        let entries = services_of(file, node);
        let mut services: Vec<Service<'_>> =
            entries.iter().map(|entry| service(deployment, file, node, entry, &variables)).collect();
        // Beside a service that is certainly ours, what could only be guessed is something else.
        let certain =
            |service: &Service<'_>| service.owner.of_service.is_true() && service.owner.confidence == Confidence::High;
        if services.iter().any(certain) {
            for service in services.iter_mut().filter(|service| !certain(service)) {
                service.owner = Owner::other();
            }
        }
        for service in &services {
            one(deployment, service);
        }
        secrets(deployment, file, node);
    }
}

/// Values of the .env file beside a compose file, which compose reads by itself.
fn variables(deployment: &Deployment<'_, '_>, file: &SourceFile) -> BTreeMap<String, String> {
    let path = super::join(file.folder(), ".env");
    let Some(env) = deployment.context.repository.tree.find(&path) else { return BTreeMap::new() };
    match &deployment.context.repository.get(env.id).1.syntax {
        Syntax::Env(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
        _ => BTreeMap::new(),
    }
}

fn value(text: &str, variables: &BTreeMap<String, String>) -> (String, bool) {
    let expanded = expand(text, &|name| variables.get(name).cloned());
    (expanded.text, expanded.complete)
}

/// Path of the Dockerfile that a service is built from.
fn dockerfile_path(file: &SourceFile, build: &Node, variables: &BTreeMap<String, String>) -> (String, String) {
    let field = |key: &str| build.get(key).and_then(Node::scalar).map(|text| value(&text, variables).0);
    let context = build.text().map(str::to_string).or_else(|| field("context")).unwrap_or_else(|| ".".to_string());
    let context = super::join(file.folder(), &context);
    let name = field("dockerfile").unwrap_or_else(|| "Dockerfile".to_string());
    (super::join(&context, &name), context)
}

fn build_owner(
    deployment: &Deployment<'_, '_>,
    file: &SourceFile,
    name: &str,
    build: &Node,
    variables: &BTreeMap<String, String>,
) -> Owner {
    let (path, context) = dockerfile_path(file, build, variables);
    if let Some(owner) = deployment.owners.dockerfile_at(&path) {
        let named = deployment.owners.named(name);
        return match named {
            Some(services) if owner.may_be_service() => Owner::of(services.clone()),
            _ => owner.clone(),
        };
    }
    if super::is_outside(&context) {
        return outside(deployment, name, &context);
    }
    match deployment.owners.of_folder(&format!("{context}/x")) {
        Some(services) => Owner::of(services),
        None => images::guessed(deployment.owners.of_names(&[name], None)),
    }
}

/// What is built from a folder outside the tree is something else, unless that folder holds the tree or it is called
/// as one of our services is.
fn outside(deployment: &Deployment<'_, '_>, name: &str, context: &str) -> Owner {
    let folder = context.rsplit('/').next().unwrap_or(context);
    let ours = [folder, name].iter().find_map(|name| deployment.owners.named(name));
    match ours {
        Some(services) => images::guessed(Owner::of(services.clone())),
        None if folder == ".." => images::guessed(deployment.owners.of_names(&[name], None)),
        None => Owner::other(),
    }
}

fn learn_build(
    deployment: &mut Deployment<'_, '_>,
    file: &SourceFile,
    entry: &Entry,
    variables: &BTreeMap<String, String>,
) {
    let (Some(build), Some(image)) = (entry.value.get("build"), entry.value.get("image").and_then(Node::text)) else {
        return;
    };
    let owner = build_owner(deployment, file, &entry.key, build, variables);
    let (image, _) = value(image, variables);
    deployment.owners.built.insert(known::split(&image).0.to_string(), owner);
}

fn service<'a>(
    deployment: &Deployment<'_, '_>,
    file: &'a SourceFile,
    root: &Node,
    entry: &'a Entry,
    variables: &'a BTreeMap<String, String>,
) -> Service<'a> {
    let node = extended(deployment, file, root, &entry.value, 0);
    let image = node.get("image").and_then(Node::text).map(|image| value(image, variables).0);
    let owner = match (node.get("build"), &image) {
        (Some(build), _) => build_owner(deployment, file, &entry.key, build, variables),
        (None, Some(image)) => deployment.owners.of_names(&[&entry.key], Some(image)),
        (None, None) if known::purpose(&entry.key).is_some() => Owner::other(),
        (None, None) => images::guessed(deployment.owners.of_names(&[&entry.key], None)),
    };
    Service { file, name: &entry.key, key: entry.key_span, node, owner, variables }
}

/// A service with what it extends, its own keys first.
fn extended(
    deployment: &Deployment<'_, '_>,
    file: &SourceFile,
    root: &Node,
    node: &Arc<Node>,
    depth: usize,
) -> Arc<Node> {
    let Some(extends) = node.get("extends") else { return node.clone() };
    let name = extends.text().or_else(|| extends.get("service").and_then(Node::text));
    let other = extends.get("file").and_then(Node::text).map(|path| super::join(file.folder(), path));
    let other = other.and_then(|path| deployment.context.repository.tree.find(&path));
    let base = match other {
        Some(other) => match &deployment.context.repository.get(other.id).1.syntax {
            Syntax::Documents(documents) => documents.first(),
            _ => None,
        },
        None => Some(root),
    };
    let target = base.and_then(|base| base.get("services")).and_then(|services| services.entry(name?));
    let Some(target) = target.filter(|_| depth < DEPTH) else { return node.clone() };
    let base_root = base.unwrap_or(root);
    let base = extended(deployment, other.unwrap_or(file), base_root, &target.value, depth + 1);
    let mut entries = node.entries().to_vec();
    for entry in base.entries() {
        if node.get(&entry.key).is_none() {
            entries.push(Entry { key_span: node.span, ..entry.clone() });
        }
    }
    Arc::new(Node { span: node.span, value: Value::Map(entries), tag: None })
}

fn add(deployment: &mut Deployment<'_, '_>, service: &Service<'_>, data: impl Into<Data>, span: Span) {
    let span = if span == Span::default() { service.key } else { span };
    let fact = deployment.context.fact(data, service.file.id, span);
    deployment.add(service.owner.mark(fact));
}

fn one(deployment: &mut Deployment<'_, '_>, service: &Service<'_>) {
    let image = service.node.get("image").and_then(Node::text).map(|image| value(image, service.variables));
    let text = image.as_ref().map(|(text, _)| text.clone());
    let store = text.as_deref().and_then(known::purpose).or_else(|| known::purpose(service.name));
    let purpose = if service.owner.of_service.is_true() { "app" } else { store.unwrap_or("app") };
    let data = ComposeService {
        name: service.name.into(),
        image: text.clone().into(),
        built: Attr::Known(service.node.get("build").is_some()),
        dockerfile: service
            .node
            .get("build")
            .map(|build| dockerfile_path(service.file, build, service.variables).0)
            .into(),
        purpose: purpose.into(),
        test_rig: Attr::Known(is_test_rig(service.file)),
        of_service: service.owner.of_service.clone(),
    };
    add(deployment, service, data, service.key);
    traefik(deployment, service);
    if !service.owner.may_be_service() || purpose != "app" {
        return;
    }
    container(deployment, service, image);
    health_check(deployment, service);
    set_variables(deployment, service);
    deploy(deployment, service);
}

fn is_test_rig(file: &SourceFile) -> bool {
    let environment = words::in_name(file.name());
    file.role != Role::Service || matches!(environment, Some("test" | "development"))
}

fn container(deployment: &mut Deployment<'_, '_>, service: &Service<'_>, image: Option<(String, bool)>) {
    let node = &service.node;
    let known_image = image.filter(|(_, complete)| *complete).map(|(text, _)| text);
    let built = node.get("build").is_some();
    let text = |key: &str| node.get(key).and_then(Node::scalar);
    let namespaces = [("network_mode", "network"), ("pid", "pid"), ("ipc", "ipc")];
    let namespaces = namespaces.iter().filter(|(key, _)| text(key).as_deref() == Some("host"));
    let namespaces: Vec<String> = namespaces.map(|(_, name)| (*name).to_string()).collect();
    let host = !namespaces.is_empty();
    let cpu = ["cpus", "cpu_quota", "cpu_count"].iter().any(|key| node.get(key).is_some());
    let words = |key: &str| {
        let list = node.get(key).map(|list| list.items().iter().filter_map(|item| item.scalar()).collect());
        Attr::<Vec<String>>::from(list)
    };
    let data = Container {
        name: service.name.into(),
        tag: known_image.as_deref().and_then(|image| known::split(image).1.map(str::to_string)).into(),
        mutable_tag: match &known_image {
            Some(image) if !built => Attr::Known(!known::names_version(image)),
            _ => Attr::Unset,
        },
        image: known_image.into(),
        limits: Attr::Known(limits(node).is_some()),
        requests: Attr::Known(node.at(&["deploy", "resources", "reservations"]).is_some()),
        privileged: Attr::Known(node.get("privileged").and_then(Node::flag) == Some(true)),
        read_only_root: Attr::Known(node.get("read_only").and_then(Node::flag) == Some(true)),
        non_root: match text("user") {
            Some(user) if user.contains('$') => Attr::Unknown,
            Some(user) => Attr::Known(!matches!(user.split(':').next(), Some("0" | "root"))),
            None => Attr::Known(false),
        },
        host_access: Attr::Known(host),
        host_namespaces: Some(namespaces).filter(|names| !names.is_empty()).into(),
        cpu_limit: Attr::Known(node.at(&["deploy", "resources", "limits", "cpus"]).is_some() || cpu),
        memory_limit: Attr::Known(
            node.at(&["deploy", "resources", "limits", "memory"]).is_some() || node.get("mem_limit").is_some(),
        ),
        drops_capabilities: words("cap_drop"),
        adds_capabilities: words("cap_add"),
        init: Attr::Known(false),
        workload: service.name.into(),
        by: "compose".into(),
        of_service: service.owner.of_service.clone(),
        ..Container::default()
    };
    add(deployment, service, data, service.key);
    if let Some(entry) = node.entry("stop_grace_period") {
        let seconds = entry.value.scalar().map(|text| value(&text, service.variables).0);
        let data = StopGrace {
            by: "compose".into(),
            workload: service.name.into(),
            seconds: seconds.and_then(|text| seconds_of(&text)).map_or(Attr::Unknown, Attr::Known),
            platform_default: Attr::Known(false),
            of_service: service.owner.of_service.clone(),
            ..StopGrace::default()
        };
        add(deployment, service, data, entry.key_span);
    }
}

/// Seconds of a duration such as `1m30s` or `500ms`.
fn seconds_of(text: &str) -> Option<f64> {
    const UNITS: &[(&str, f64)] = &[("h", 3600.0), ("ms", 0.001), ("us", 0.000_001), ("m", 60.0), ("s", 1.0)];
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| rest[digits..].starts_with(unit))?;
        seconds += number * factor;
        rest = &rest[digits + unit.len()..];
    }
    (!text.trim().is_empty()).then_some(seconds)
}

/// Where CPU or memory limits are set.
fn limits(node: &Node) -> Option<Span> {
    let limits = node.at(&["deploy", "resources"]).and_then(|resources| resources.entry("limits"));
    let old = ["mem_limit", "cpus", "cpu_quota", "cpu_count"].iter().find_map(|key| node.entry(key));
    limits.filter(|limits| !limits.value.entries().is_empty()).or(old).map(|entry| entry.key_span)
}

fn health_check(deployment: &mut Deployment<'_, '_>, service: &Service<'_>) {
    let Some(check) = service.node.get("healthcheck") else { return };
    let Some(test) = check.get("test") else { return };
    let words: Vec<String> = match test.text() {
        Some(text) => vec![text.to_string()],
        None => test.items().iter().filter_map(|word| word.scalar()).collect(),
    };
    if check.get("disable").and_then(Node::flag) == Some(true) || words.first().is_none_or(|word| word == "NONE") {
        return;
    }
    let words: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| !matches!(*word, "CMD" | "CMD-SHELL")).collect();
    // `$$` is how a compose file hands a variable to the shell.
    let line = words.join(" ").replace("$$", "$");
    let call: command::Call = deployment.call(service.file.id, &line, &service.owner);
    let environment = environment_of(deployment, service);
    let lookup = |text: &str| {
        let all = |name: &str| environment.get(name).or_else(|| service.variables.get(name)).cloned();
        let expanded = expand(text, &all);
        expanded.complete.then_some(expanded.text)
    };
    let mut probe = images::probe(&call, &lookup, ports(service, &environment), &service.owner, "health", "compose");
    images::with_tools(&mut probe, &line, |tools| has_tool(deployment, service, tools));
    add(deployment, service, probe, test.span);
}

/// Whether the image that a service is built to has one of these programs.
fn has_tool(deployment: &Deployment<'_, '_>, service: &Service<'_>, tools: &[String]) -> Attr<bool> {
    let Some(build) = service.node.get("build") else { return Attr::Unset };
    let path = dockerfile_path(service.file, build, service.variables).0;
    let Some(file) = deployment.context.repository.tree.find(&path) else { return Attr::Unset };
    let Syntax::Dockerfile(dockerfile) = &deployment.context.repository.get(file.id).1.syntax else {
        return Attr::Unset;
    };
    let target = build.get("target").and_then(Node::scalar).map(|name| value(&name, service.variables).0);
    let stage = match target {
        Some(name) => images::stage_named(dockerfile, &name),
        None => dockerfile.stages.last(),
    };
    stage.map_or(Attr::Unknown, |stage| tools::one_in_image(&images::View::new(dockerfile, stage), tools))
}

/// Variables that a service is given.
fn environment_of(deployment: &Deployment<'_, '_>, service: &Service<'_>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let files = service.node.get("env_file");
    let single = files.and_then(Node::text).map(str::to_string);
    let listed = files
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|file| file.text().or_else(|| file.get("path").and_then(Node::text)).map(str::to_string));
    for path in single.into_iter().chain(listed) {
        let found = deployment.context.repository.tree.find(&super::join(service.file.folder(), &path));
        if let Some(file) = found
            && let Syntax::Env(entries) = &deployment.context.repository.get(file.id).1.syntax
        {
            all.extend(entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())));
        }
    }
    let Some(environment) = service.node.get("environment") else { return all };
    let pairs = environment.items().iter().filter_map(|item| item.text()?.split_once('='));
    let mut given: Vec<(String, String)> = pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    given.extend(environment.entries().iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.scalar()?))));
    for (name, text) in given {
        let (text, complete) = value(&text, service.variables);
        if complete {
            all.insert(name, text);
        }
    }
    all
}

/// Adds the variables that the file itself gives to a service that is certainly ours.
fn set_variables(deployment: &mut Deployment<'_, '_>, service: &Service<'_>) {
    let certain = service.owner.of_service.is_true() && service.owner.confidence == Confidence::High;
    let Some(environment) = service.node.get("environment").filter(|_| certain) else { return };
    let items = environment.items().iter();
    let listed = items.filter_map(|item| Some((item.text()?.split('=').next()?.trim().to_string(), item.span)));
    let mapped = environment.entries().iter().map(|entry| (entry.key.to_string(), entry.key_span));
    for (name, span) in listed.chain(mapped).collect::<Vec<_>>() {
        let data =
            SetVariable { name: name.into(), read: Attr::Unset, by: "compose".into(), workload: service.name.into() };
        add(deployment, service, data, span);
    }
}

/// Ports inside the container: published, exposed, given by variables.
fn ports(service: &Service<'_>, environment: &BTreeMap<String, String>) -> Vec<String> {
    let mut ports = Vec::new();
    for key in ["ports", "expose"] {
        for item in service.node.get(key).map_or(&[][..], Node::items) {
            let text = item.scalar().or_else(|| item.get("target").and_then(Node::scalar));
            let inside = text.map(|text| value(&text, service.variables).0);
            let inside = inside.map(|text| text.split('/').next().unwrap_or("").to_string());
            ports.extend(inside.and_then(|text| port_of(&text)));
        }
    }
    ports.extend(environment.iter().filter(|(name, _)| names_port(name)).filter_map(|(_, value)| port_of(value)));
    ports.sort();
    ports.dedup();
    ports
}

fn deploy(deployment: &mut Deployment<'_, '_>, service: &Service<'_>) {
    let by = "compose";
    if let Some(span) = limits(&service.node) {
        add(deployment, service, ResourceLimit { by: by.into() }, span);
    }
    let replicas =
        service.node.get("deploy").and_then(|deploy| deploy.entry("replicas")).or_else(|| service.node.entry("scale"));
    if let Some(entry) = replicas {
        let count = entry.value.scalar().and_then(|text| value(&text, service.variables).0.parse().ok());
        let data = InstanceCount {
            count: count.map_or(Attr::Unknown, Attr::Known),
            by: by.into(),
            ..InstanceCount::default()
        };
        add(deployment, service, data, entry.key_span);
    }
    if let Some(entry) = service.node.get("deploy").and_then(|deploy| deploy.entry("update_config")) {
        let data = DeploymentStrategy { kind: "rolling".into(), by: by.into() };
        add(deployment, service, data, entry.key_span);
    }
}

fn secrets(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    let Some(entry) = node.entry("secrets").filter(|entry| !entry.value.entries().is_empty()) else { return };
    let data = SecretsManager { system: "docker".into(), by: "manifest".into() };
    let fact = deployment.context.fact(data, file.id, entry.key_span);
    deployment.add(fact);
}

/// Labels of a service as (key, value, place).
fn labels(node: &Node) -> Vec<(String, String, Span)> {
    let mut all = Vec::new();
    for labels in [node.get("labels"), node.at(&["deploy", "labels"])].into_iter().flatten() {
        for item in labels.items() {
            if let Some((key, value)) = item.text().and_then(|text| text.split_once('=')) {
                all.push((key.to_string(), value.to_string(), item.span));
            }
        }
        let entries = labels.entries().iter();
        all.extend(entries.filter_map(|entry| Some((entry.key.to_string(), entry.value.scalar()?, entry.key_span))));
    }
    all
}

/// Ends of Traefik labels that set a header.
const HEADER_LABELS: &[(&str, &str)] = &[
    ("headers.stsseconds", "strict-transport-security"),
    ("headers.contenttypenosniff", "x-content-type-options"),
    ("headers.framedeny", "x-frame-options"),
    ("headers.contentsecuritypolicy", "content-security-policy"),
];

/// What Traefik is told by labels, and by the arguments of its own service.
fn traefik(deployment: &mut Deployment<'_, '_>, service: &Service<'_>) {
    let mut found: Vec<(Data, Span)> = Vec::new();
    for (key, value, span) in labels(&service.node) {
        let key = key.to_ascii_lowercase();
        if !key.starts_with("traefik.") {
            continue;
        }
        if key.ends_with(".tls.certresolver") || (key.ends_with(".tls") && value == "true") {
            found.push((Https { by: "proxy".into() }.into(), span));
        }
        if key.contains(".ratelimit.") {
            found.push((
                RateLimit { library: "traefik".into(), by: "traefik".into(), covers: "all".into() }.into(),
                span,
            ));
        }
        if let Some((_, name)) = HEADER_LABELS.iter().find(|(end, _)| key.ends_with(end)) {
            let data = ResponseHeader {
                name: (*name).into(),
                value: value.into(),
                by: "traefik".into(),
                covers: "all".into(),
            };
            found.push((data.into(), span));
        }
    }
    for argument in service.node.get("command").map_or(&[][..], Node::items) {
        let text = argument.text().unwrap_or("").to_ascii_lowercase();
        if text.contains("redirections.entrypoint.scheme=https")
            || text.contains("redirections.entrypoint.to=websecure")
        {
            found.push((Https { by: "proxy".into() }.into(), argument.span));
        }
    }
    for (data, span) in found {
        let mut fact = deployment.context.fact(data, service.file.id, span);
        if fact.services.is_empty() {
            fact.services = deployment.owners.all();
        }
        deployment.add(fact);
    }
}

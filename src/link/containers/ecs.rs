//! ECS: task definitions as JSON and in Terraform, their checks, sizes and deployments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kubernetes::{number, written};
use super::owner::Owner;
use super::{Deployment, images, known, names_port, port_of, secret_names};
use crate::facts::vocabulary::{
    Container, DeploymentStrategy, PlainSecretReference, Probe, ResourceLimit, SecretsManager, StopGrace, Workload,
};
use crate::facts::{Attr, Confidence};
use crate::link::delivery::terraform::{Resource, resources};
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{FileId, Span};

/// Adds the facts of all tasks.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let repository = deployment.context.repository;
    for (file, parsed) in repository.files() {
        let Syntax::Documents(documents) = &parsed.syntax else { continue };
        let Some(node) = documents.first() else { continue };
        if let Some(containers) = node.get("containerDefinitions") {
            let family = node.get("family").and_then(written).unwrap_or_default();
            let sized = node.get("cpu").is_some() || node.get("memory").is_some();
            let task = Task { file: file.id, family: &family, sized, span: node.span, json: true };
            task.emit(deployment, containers.items());
        }
    }
    let resources = resources(repository);
    let mut tasks = Tasks::new();
    for resource in resources.iter().filter(|resource| resource.kind == TASK) {
        let running = terraform_task(deployment, resource);
        tasks.insert((resource.file.folder(), resource.name.to_string()), running);
    }
    let targets = targets(&resources, &tasks);
    for resource in &resources {
        match resource.kind {
            kind if GROUPS.contains(&kind) => target_group(deployment, resource, &targets),
            "aws_ecs_service" => service(deployment, resource),
            "module" if !resource.calls_own_module() => module(deployment, resource),
            _ => {}
        }
    }
}

const TASK: &str = "aws_ecs_task_definition";
const GROUPS: &[&str] = &["aws_lb_target_group", "aws_alb_target_group"];

/// A container of a task.
struct Running {
    name: String,
    owner: Owner,
    /// Ports it opens, where all of them are known.
    ports: Attr<Vec<String>>,
}

/// Containers of Terraform's task definitions, by folder and name of the definition.
type Tasks<'a> = BTreeMap<(&'a str, String), Vec<Running>>;

/// What a service of ECS registers with a target group.
struct Target {
    owner: Option<Owner>,
    /// The port of the container, which is the target's port whatever the group says.
    port: Attr<f64>,
    ports: Attr<Vec<String>>,
}

/// What is registered with each target group, by its folder and name.
fn targets<'a>(resources: &[Resource<'a>], tasks: &Tasks<'a>) -> BTreeMap<(&'a str, String), Target> {
    let mut targets = BTreeMap::new();
    for resource in resources.iter().filter(|resource| resource.kind == "aws_ecs_service") {
        let task = resource.body.get("task_definition").and_then(|node| resource.refers_to(node, &[TASK]));
        let running = task.and_then(|task| tasks.get(&task)).map_or(&[][..], Vec::as_slice);
        for block in resource.body.entries().iter().filter(|entry| &*entry.key == "load_balancer") {
            let group = block.value.get("target_group_arn").and_then(|node| resource.refers_to(node, GROUPS));
            let Some(group) = group else { continue };
            let name = block.value.get("container_name").and_then(|node| written(&resource.settled(node)));
            let port = block.value.get("container_port").and_then(|node| number_of(&resource.settled(node)));
            let container = chosen(running, name.as_deref(), port);
            let target = Target {
                owner: container.map(|container| container.owner.clone()),
                port: port.map_or(Attr::Unknown, Attr::Known),
                ports: container.map_or(Attr::Unknown, |container| container.ports.clone()),
            };
            // One group for several services: whose port is checked cannot be told.
            let unclear = Target { owner: None, port: Attr::Unknown, ports: Attr::Unknown };
            let target = if targets.contains_key(&group) { unclear } else { target };
            targets.insert(group, target);
        }
    }
    targets
}

/// The container that a service names; else the only one that opens the port, or the only one that is no sidecar.
fn chosen<'r>(running: &'r [Running], name: Option<&str>, port: Option<f64>) -> Option<&'r Running> {
    let only = |mut found: std::vec::IntoIter<&'r Running>| found.next().filter(|_| found.next().is_none());
    let all = |wanted: &dyn Fn(&Running) -> bool| -> std::vec::IntoIter<&'r Running> {
        running.iter().filter(|container| wanted(container)).collect::<Vec<_>>().into_iter()
    };
    let opens = |container: &Running| {
        let ports = container.ports.known();
        port.is_some_and(|port| ports.is_some_and(|ports| ports.iter().any(|known| known.parse() == Ok(port))))
    };
    name.and_then(|name| only(all(&|container| container.name == name)))
        .or_else(|| only(all(&opens)))
        .or_else(|| only(all(&|container| container.owner.may_be_service())))
}

/// Seconds that ECS gives a container that says nothing.
const STOP_TIMEOUT: f64 = 30.0;

struct Task<'a> {
    file: FileId,
    family: &'a str,
    /// CPU and memory are set for the whole task.
    sized: bool,
    span: Span,
    /// Its secrets are not read by who reads Terraform.
    json: bool,
}

impl Task<'_> {
    fn emit(&self, deployment: &mut Deployment<'_, '_>, containers: &[Arc<Node>]) -> Vec<Running> {
        let mut running = Vec::new();
        let mut main = Owner::other();
        for container in containers {
            let owner = self.owner(deployment, container, containers.len() == 1);
            self.container(deployment, container, &owner);
            self.health_check(deployment, container, &owner);
            if self.json {
                self.secrets(deployment, container, &owner);
            }
            let name = container.get("name").and_then(written).unwrap_or_default();
            running.push(Running { name, owner: owner.clone(), ports: opened(container) });
            if owner.may_be_service() && !main.of_service.is_true() {
                main = owner;
            }
        }
        let data = Workload {
            kind: "ecs-task".into(),
            name: self.family.into(),
            of_service: main.of_service.clone(),
            ..Workload::default()
        };
        let fact = deployment.context.fact(data, self.file, self.span);
        deployment.add(main.mark(fact));
        if self.sized && main.may_be_service() {
            let fact = deployment.context.fact(ResourceLimit { by: "ecs".into() }, self.file, self.span);
            deployment.add(main.mark(fact));
        }
        running
    }

    fn owner(&self, deployment: &Deployment<'_, '_>, container: &Node, alone: bool) -> Owner {
        let image = container.get("image");
        let text = image.and_then(Node::text);
        let name = container.get("name").and_then(written).unwrap_or_default();
        // A name such as `var.app_name` tells nothing; a sidecar is told by its name or image.
        let sidecar = known::purpose(&name).is_some() || name.contains("otel") || name.contains("sidecar");
        if sidecar && !alone {
            return Owner::other();
        }
        deployment.owners.of_names(&[&name, self.family], text)
    }

    fn container(&self, deployment: &mut Deployment<'_, '_>, node: &Node, owner: &Owner) {
        let image = node.get("image").and_then(Node::text);
        let has = |key: &str| field(node, key).is_some_and(|value| !value.is_null());
        let flag = |key: &str| {
            field(node, key).map_or(Attr::Known(false), |node| node.flag().map_or(Attr::Unknown, Attr::Known))
        };
        let data = Container {
            name: node.get("name").and_then(written).into(),
            tag: image.and_then(|image| known::split(image).1.map(str::to_string)).into(),
            mutable_tag: image.map_or(Attr::Unknown, |image| Attr::Known(!known::names_version(image))),
            image: image.map_or(Attr::Unknown, |image| Attr::Known(image.to_string())),
            limits: Attr::Known(self.sized || has("memory") || has("cpu")),
            requests: Attr::Known(has("memoryReservation") || has("cpu") || self.sized),
            privileged: flag("privileged"),
            read_only_root: flag("readonlyRootFilesystem"),
            non_root: match node.get("user").map(written) {
                Some(Some(user)) => Attr::Known(!matches!(user.split(':').next(), Some("0" | "root"))),
                Some(None) => Attr::Unknown,
                None => Attr::Known(false),
            },
            host_access: Attr::Known(false),
            cpu_limit: Attr::Known(self.sized),
            memory_limit: Attr::Known(self.sized || has("memory")),
            cpu_request: Attr::Known(self.sized || has("cpu")),
            memory_request: Attr::Known(self.sized || has("memory") || has("memoryReservation")),
            init: Attr::Known(false),
            workload: self.family.into(),
            by: "ecs".into(),
            of_service: owner.of_service.clone(),
            ..Container::default()
        };
        let span = node.entry("name").map_or(node.span, |entry| entry.key_span);
        let fact = deployment.context.fact(data, self.file, span);
        deployment.add(owner.mark(fact));
        if owner.may_be_service() {
            self.stop(deployment, node, owner, span);
        }
    }

    /// How long a container that is told to stop may go on.
    fn stop(&self, deployment: &mut Deployment<'_, '_>, node: &Node, owner: &Owner, span: Span) {
        let written = node.entry("stopTimeout").or_else(|| node.entry("stop_timeout"));
        let written = written.filter(|entry| !entry.value.is_null());
        let data = StopGrace {
            by: "ecs".into(),
            workload: self.family.into(),
            seconds: match written {
                Some(entry) => number_of(&entry.value).map_or(Attr::Unknown, Attr::Known),
                None => Attr::Known(STOP_TIMEOUT),
            },
            platform_default: Attr::Known(written.is_none()),
            of_service: owner.of_service.clone(),
            ..StopGrace::default()
        };
        let fact = deployment.context.fact(data, self.file, written.map_or(span, |entry| entry.key_span));
        deployment.add(owner.mark(fact));
    }

    fn health_check(&self, deployment: &mut Deployment<'_, '_>, node: &Node, owner: &Owner) {
        let Some(command) = field(node, "healthCheck").and_then(|check| check.get("command")) else { return };
        let words: Vec<String> = command.items().iter().filter_map(|word| written(word)).collect();
        let words: Vec<&str> =
            words.iter().map(String::as_str).filter(|word| !matches!(*word, "CMD" | "CMD-SHELL")).collect();
        let call = deployment.call(self.file, &words.join(" "), owner);
        let probe = images::probe(&call, &|text| Some(text.to_string()), ports(node), owner, "health", "ecs");
        let fact = deployment.context.fact(probe, self.file, command.span);
        deployment.add(owner.mark(fact));
    }

    fn secrets(&self, deployment: &mut Deployment<'_, '_>, node: &Node, owner: &Owner) {
        if let Some(entry) = node.entry("secrets").filter(|entry| !entry.value.items().is_empty()) {
            let data = SecretsManager { system: "aws".into(), by: "manifest".into() };
            let fact = deployment.context.fact(data, self.file, entry.key_span);
            deployment.add(owner.mark(fact));
        }
        for variable in node.get("environment").map_or(&[][..], Node::items) {
            let name = variable.get("name").and_then(written).unwrap_or_default();
            let value = variable.get("value").and_then(Node::text).unwrap_or("");
            if secret_names::is_secret(&name) && secret_names::is_value(value) || secret_names::holds_password(value) {
                let data = PlainSecretReference { name: name.into(), by: "task-environment".into() };
                let fact = deployment.context.fact(data, self.file, variable.span);
                deployment.add(owner.mark(fact));
            }
        }
    }
}

/// A key of a container in either spelling: `healthCheck`, or `health_check` as modules write it.
fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).or_else(|| {
        let spelled =
            key.chars().flat_map(|c| c.is_ascii_uppercase().then_some('_').into_iter().chain(c.to_lowercase()));
        node.get(&spelled.collect::<String>())
    })
}

/// Ports that a container opens or is told to listen on; unknown where one of them cannot be read.
fn opened(node: &Node) -> Attr<Vec<String>> {
    let mappings = field(node, "portMappings");
    let read = |node: &Node| field(node, "containerPort").and_then(number).is_some();
    let mapped = mappings.is_none_or(|list| !list.is_unresolved() && list.items().iter().all(|port| read(port)));
    let told = |variable: &Node| {
        let name = variable.get("name").and_then(written).unwrap_or_default();
        !names_port(&name) || variable.get("value").and_then(Node::scalar).is_some()
    };
    let environment = node.get("environment");
    let known = environment.is_none_or(|list| !list.is_unresolved() && list.items().iter().all(|item| told(item)));
    if mapped && known { Attr::Known(ports(node)) } else { Attr::Unknown }
}

fn ports(node: &Node) -> Vec<String> {
    let mappings = field(node, "portMappings").map_or(&[][..], Node::items);
    let mut ports: Vec<String> = mappings
        .iter()
        .filter_map(|mapping| field(mapping, "containerPort").and_then(number))
        .map(|port| port.to_string())
        .collect();
    for variable in node.get("environment").map_or(&[][..], Node::items) {
        let name = variable.get("name").and_then(written).unwrap_or_default();
        let value = variable.get("value").and_then(Node::scalar).filter(|_| names_port(&name));
        ports.extend(value.and_then(|value| port_of(&value)));
    }
    ports.sort();
    ports.dedup();
    ports
}

fn terraform_task(deployment: &mut Deployment<'_, '_>, resource: &Resource<'_>) -> Vec<Running> {
    let family = resource.text(&["family"]).unwrap_or_else(|| resource.name.to_string());
    let sized = resource.at(&["cpu"]).is_some() || resource.at(&["memory"]).is_some();
    let task = Task { file: resource.file.id, family: &family, sized, span: resource.span, json: false };
    let containers = resource.at(&["container_definitions"]);
    task.emit(deployment, containers.as_deref().map_or(&[][..], Node::items))
}

/// What modules of the registry run or check: a service of ECS, target groups of a load balancer.
fn module(deployment: &mut Deployment<'_, '_>, resource: &Resource<'_>) {
    let source = resource.text(&["source"]).unwrap_or_default();
    if source.contains("ecs") {
        let definitions = resource.at(&["container_definitions"]);
        for definition in definitions.as_deref().map_or(&[][..], Node::entries) {
            // The key is the container's name where it has none of its own.
            let mut entries = definition.value.entries().to_vec();
            if definition.value.get("name").is_none() {
                let text = Value::Text { text: definition.key.to_string().into(), quoted: true };
                let value = Arc::new(Node { span: definition.key_span, value: text, tag: None });
                entries.push(Entry { key: "name".into(), key_span: definition.key_span, value });
            }
            let container = Arc::new(Node { span: definition.key_span, value: Value::Map(entries), tag: None });
            let sized = resource.at(&["cpu"]).is_some() || resource.at(&["memory"]).is_some();
            let task =
                Task { file: resource.file.id, family: resource.name, sized, span: definition.key_span, json: true };
            task.emit(deployment, &[container]);
        }
        service(deployment, resource);
    }
    if source.contains("alb") || source.contains("load-balancer") {
        let groups = resource.at(&["target_groups"]);
        let groups = groups.as_deref();
        let listed = groups.map_or(&[][..], Node::items).iter().map(|group| (resource.name, &**group));
        let keyed = groups.map_or(&[][..], Node::entries).iter().map(|group| (&*group.key, &*group.value));
        for (name, group) in listed.chain(keyed).collect::<Vec<_>>() {
            if let Some(path) = group.at(&["health_check", "path"]) {
                let port = called(group.at(&["health_check", "port"]), None);
                check(deployment, resource, name, path, port, None);
            }
        }
    }
}

/// The check that a load balancer makes of its targets.
fn target_group(
    deployment: &mut Deployment<'_, '_>,
    resource: &Resource<'_>,
    targets: &BTreeMap<(&str, String), Target>,
) {
    let Some(path) = resource.at(&["health_check", "path"]) else { return };
    let port = resource.at(&["health_check", "port"]);
    let target = targets.get(&(resource.file.folder(), resource.name.to_string()));
    check(deployment, resource, resource.name, &path, called(port.as_deref(), target), target);
}

/// The port that is called: `traffic-port`, which is the default, is the one that the target is registered with. Where
/// that cannot be seen, it is the port that the traffic goes to, whatever it is.
fn called(port: Option<&Node>, target: Option<&Target>) -> Attr<f64> {
    match port {
        Some(port) if port.text() != Some("traffic-port") => number_of(port).map_or(Attr::Unknown, Attr::Known),
        _ => target.map_or(Attr::Unset, |target| target.port.clone()),
    }
}

fn check(
    deployment: &mut Deployment<'_, '_>,
    resource: &Resource<'_>,
    name: &str,
    path: &Node,
    port: Attr<f64>,
    target: Option<&Target>,
) {
    let by_name = || deployment.owners.of_names(&[name, resource.name], None);
    let owner = target.and_then(|target| target.owner.clone()).unwrap_or_else(by_name);
    let data = Probe {
        kind: "health".into(),
        how: "http".into(),
        path: path.text().map_or(Attr::Unknown, |path| Attr::Known(path.to_string())),
        port,
        by: "load-balancer".into(),
        of_service: owner.of_service.clone(),
        declared_ports: target.map_or(Attr::Unknown, |target| target.ports.clone()),
        ..Probe::default()
    };
    let fact = deployment.context.fact(data, resource.file.id, path.span);
    deployment.add(owner.mark(fact));
}

/// A number, or a text of digits.
fn number_of(node: &Node) -> Option<f64> {
    number(node).or_else(|| node.text()?.parse().ok())
}

/// How ECS replaces tasks, where it is written.
fn service(deployment: &mut Deployment<'_, '_>, resource: &Resource<'_>) {
    let controller = resource.entry("deployment_controller");
    let by_controller = resource.text(&["deployment_controller", "type"]);
    let percent =
        resource.entry("deployment_minimum_healthy_percent").or_else(|| resource.entry("deployment_maximum_percent"));
    let breaker = resource.entry("deployment_circuit_breaker");
    let waits = resource.entry("wait_for_steady_state").filter(|entry| entry.value.value == Value::Flag(true));
    let kind = if by_controller.as_deref() == Some("CODE_DEPLOY") { "blue-green" } else { "rolling" };
    let all_down = resource.number(&["deployment_minimum_healthy_percent"]) == Attr::Known(0.0);
    let kind = if all_down && kind == "rolling" { "recreate" } else { kind };
    let Some(entry) = controller.or(percent).or(breaker).or(waits) else { return };
    let owner = deployment.owners.of_names(&[resource.name], None);
    let data = DeploymentStrategy { kind: kind.into(), by: "ecs".into() };
    let mut fact = deployment.context.fact(data, resource.file.id, entry.key_span);
    fact.services = if owner.services.is_empty() { deployment.owners.all() } else { owner.services };
    deployment.add(fact.confidence(Confidence::Medium));
}

//! ECS: task definitions as JSON and in Terraform, their checks, sizes and deployments.

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
use crate::parse::document::{Node, Value};
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
    for resource in resources(repository) {
        match resource.kind {
            "aws_ecs_task_definition" => terraform_task(deployment, &resource),
            "aws_lb_target_group" | "aws_alb_target_group" => target_group(deployment, &resource),
            "aws_ecs_service" => service(deployment, &resource),
            _ => {}
        }
    }
}

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
    fn emit(&self, deployment: &mut Deployment<'_, '_>, containers: &[Arc<Node>]) {
        let mut main = Owner::other();
        for container in containers {
            let owner = self.owner(deployment, container, containers.len() == 1);
            self.container(deployment, container, &owner);
            self.health_check(deployment, container, &owner);
            if self.json {
                self.secrets(deployment, container, &owner);
            }
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
        let has = |key: &str| node.get(key).is_some_and(|value| !value.is_null());
        let flag =
            |key: &str| node.get(key).map_or(Attr::Known(false), |node| node.flag().map_or(Attr::Unknown, Attr::Known));
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
        if let Some(entry) = node.entry("stopTimeout").filter(|_| owner.may_be_service()) {
            let data = StopGrace {
                by: "ecs".into(),
                workload: self.family.into(),
                seconds: super::kubernetes::number(&entry.value).map_or(Attr::Unknown, Attr::Known),
                platform_default: Attr::Known(false),
                of_service: owner.of_service.clone(),
                ..StopGrace::default()
            };
            let fact = deployment.context.fact(data, self.file, entry.key_span);
            deployment.add(owner.mark(fact));
        }
    }

    fn health_check(&self, deployment: &mut Deployment<'_, '_>, node: &Node, owner: &Owner) {
        let Some(command) = node.at(&["healthCheck", "command"]) else { return };
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

fn ports(node: &Node) -> Vec<String> {
    let mappings = node.get("portMappings").map_or(&[][..], Node::items);
    let mut ports: Vec<String> = mappings
        .iter()
        .filter_map(|mapping| mapping.get("containerPort").and_then(number))
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

fn terraform_task(deployment: &mut Deployment<'_, '_>, resource: &Resource<'_>) {
    let family = resource.text(&["family"]).unwrap_or_else(|| resource.name.to_string());
    let sized = resource.at(&["cpu"]).is_some() || resource.at(&["memory"]).is_some();
    let task = Task { file: resource.file.id, family: &family, sized, span: resource.span, json: false };
    let containers = resource.at(&["container_definitions"]);
    task.emit(deployment, containers.map_or(&[][..], Node::items));
}

/// The check that a load balancer makes of its targets.
fn target_group(deployment: &mut Deployment<'_, '_>, resource: &Resource<'_>) {
    let Some(check) = resource.entry("health_check") else { return };
    let Some(path) = check.value.get("path") else { return };
    let port = resource.number(&["health_check", "port"]);
    let port = if port.is_set() { port } else { resource.number(&["port"]) };
    let owner = deployment.owners.of_names(&[resource.name], None);
    let declared = port.known().map(|port| port.to_string()).into_iter().collect();
    let data = Probe {
        kind: "health".into(),
        how: "http".into(),
        path: path.text().map_or(Attr::Unknown, |path| Attr::Known(path.to_string())),
        port: if port.is_set() { port } else { Attr::Unset },
        by: "load-balancer".into(),
        of_service: owner.of_service.clone(),
        declared_ports: Attr::Known(declared),
        ..Probe::default()
    };
    let fact = deployment.context.fact(data, resource.file.id, path.span);
    deployment.add(owner.mark(fact));
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

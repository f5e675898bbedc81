//! Platforms with a file of their own: Fly, Render, DigitalOcean App Platform, Railway, Heroku, App Engine.

use super::owner::Owner;
use super::{Deployment, command, images};
use crate::facts::vocabulary::{
    Autoscaler, DeploymentStrategy, Https, InstanceCount, Probe, ResourceLimit, SecretsManager,
};
use crate::facts::{Attr, Data};
use crate::parse::Syntax;
use crate::parse::document::{Entry, Node};
use crate::scan::source::{SourceFile, Span};

/// What reads a platform's file.
type Read = fn(&mut Deployment<'_, '_>, &SourceFile, &Node);

/// Whether a file's name is that of a platform's file.
type Named = fn(&str) -> bool;

/// Platforms by a test on the file's name and a key that its document must have.
const PLATFORMS: &[(Named, &str, Read)] = &[
    (is_fly, "app", fly),
    (is_fly, "http_service", fly),
    (is_fly, "services", fly),
    (|name| matches!(name, "render.yaml" | "render.yml"), "services", render),
    (
        |name| matches!(name, "spec.yaml" | "spec.yml" | "app.yaml" | "app.yml" | "do.yaml" | "deploy.template.yaml"),
        "services",
        app_platform,
    ),
    (|name| matches!(name, "deploy.template.yaml" | "deploy.template.yml"), "spec", app_platform_template),
    (|name| matches!(name, "railway.json" | "railway.toml"), "deploy", railway),
    (|name| name == "app.json", "formation", heroku),
    (|name| matches!(name, "app.yaml" | "app.yml"), "runtime", app_engine),
];

fn is_fly(name: &str) -> bool {
    name.starts_with("fly.") && name.ends_with(".toml")
}

/// Adds the facts of all platform files.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let repository = deployment.context.repository;
    for (file, parsed) in repository.files() {
        let Syntax::Documents(documents) = &parsed.syntax else { continue };
        let Some(node) = documents.first() else { continue };
        let found = PLATFORMS.iter().find(|(named, key, _)| named(file.name()) && node.get(key).is_some());
        if let Some((_, _, read)) = found
            && node.get("apiVersion").is_none()
        {
            read(deployment, file, node);
        }
    }
}

/// A component of a platform file: where it stands and whose it is.
struct Component<'a> {
    file: &'a SourceFile,
    platform: &'static str,
    owner: Owner,
}

impl Component<'_> {
    fn add(&self, deployment: &mut Deployment<'_, '_>, data: impl Into<Data>, span: Span) {
        let fact = deployment.context.fact(data, self.file.id, span);
        deployment.add(self.owner.mark(fact));
    }

    fn probe(&self, deployment: &mut Deployment<'_, '_>, path: &Node, port: Option<&Node>) {
        let Some(text) = path.text() else { return };
        let number = |node: &Node| node.number().or_else(|| node.text().and_then(|text| text.parse().ok()));
        let data = Probe {
            kind: "health".into(),
            how: "http".into(),
            path: command::without_query(text).into(),
            port: port.map_or(Attr::Unset, |port| number(port).map_or(Attr::Unknown, Attr::Known)),
            declared_ports: Attr::Known(port.and_then(number).map(|port| port.to_string()).into_iter().collect()),
            by: self.platform.into(),
            of_service: self.owner.of_service.clone(),
            ..Probe::default()
        };
        self.add(deployment, data, path.span);
    }

    fn count(&self, deployment: &mut Deployment<'_, '_>, entry: Option<&Entry>) {
        if let Some(entry) = entry {
            let data = InstanceCount {
                count: entry.value.number().map_or(Attr::Unknown, Attr::Known),
                by: self.platform.into(),
                ..InstanceCount::default()
            };
            self.add(deployment, data, entry.key_span);
        }
    }

    fn limit(&self, deployment: &mut Deployment<'_, '_>, entry: Option<&Entry>) {
        if let Some(entry) = entry {
            self.add(deployment, ResourceLimit { by: self.platform.into() }, entry.key_span);
        }
    }

    fn autoscaler(&self, deployment: &mut Deployment<'_, '_>, node: Option<&Entry>, min: &str, max: &str) {
        let Some(entry) = node else { return };
        let amount = |key: &str| {
            entry.value.get(key).map_or(Attr::Unset, |node| node.number().map_or(Attr::Unknown, Attr::Known))
        };
        let data =
            Autoscaler { min: amount(min), max: amount(max), by: self.platform.into(), optional: Attr::Known(false) };
        self.add(deployment, data, entry.key_span);
    }

    fn manager(&self, deployment: &mut Deployment<'_, '_>, span: Span) {
        let data = SecretsManager { system: self.platform.into(), by: "manifest".into() };
        self.add(deployment, data, span);
    }

    fn strategy(&self, deployment: &mut Deployment<'_, '_>, node: Option<&Node>) {
        let kind = match node.and_then(Node::text) {
            Some("rolling") => "rolling",
            Some("canary") => "canary",
            Some("bluegreen" | "blue-green") => "blue-green",
            Some("immediate") => "recreate",
            _ => return,
        };
        let span = node.map_or(Span::default(), |node| node.span);
        self.add(deployment, DeploymentStrategy { kind: kind.into(), by: self.platform.into() }, span);
    }
}

/// Whose a component is: by its name, the Dockerfile it is built from, the folder it is built in.
fn owner(
    deployment: &Deployment<'_, '_>,
    file: &SourceFile,
    name: Option<&str>,
    dockerfile: Option<&str>,
    folder: Option<&str>,
) -> Owner {
    if let Some(services) = name.and_then(|name| deployment.owners.named(name)) {
        return Owner::of(services.clone());
    }
    let path = dockerfile.map(|path| path.trim_start_matches("./"));
    let at = |path: &str| {
        deployment
            .owners
            .dockerfile_at(path)
            .or_else(|| deployment.owners.dockerfile_at(&super::join(file.folder(), path)))
    };
    if let Some(owner) = path.and_then(at) {
        return owner.clone();
    }
    let folder = folder.map_or_else(|| file.folder().to_string(), |folder| super::join("", folder));
    match deployment.owners.of_folder(&format!("{folder}/x")) {
        Some(services) => Owner::of(services),
        None => images::guessed(deployment.owners.of_names(&name.into_iter().collect::<Vec<_>>(), None)),
    }
}

fn fly(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    let name = node.get("app").and_then(Node::text);
    let dockerfile = node.at(&["build", "dockerfile"]).and_then(Node::text);
    let owner = owner(deployment, file, name, dockerfile, None);
    let fly = Component { file, platform: "fly", owner };
    let http = node.get("http_service");
    let services = node.get("services").map_or(&[][..], Node::items);
    let every: Vec<&Node> = http.into_iter().chain(services.iter().map(|service| &**service)).collect();
    for service in &every {
        let port = service.get("internal_port");
        for key in ["checks", "http_checks"] {
            for check in service.get(key).map_or(&[][..], Node::items) {
                if let Some(path) = check.get("path") {
                    fly.probe(deployment, path, port);
                }
            }
        }
        // A floor of one says nothing about how many run: Fly starts two by default.
        let floor = |entry: &&Entry| entry.value.number().is_none_or(|count| count >= 2.0);
        fly.count(deployment, service.entry("min_machines_running").filter(floor));
        fly_https(deployment, &fly, service);
    }
    for check in node.get("checks").map_or(&[][..], Node::entries) {
        if let Some(path) = check.value.get("path") {
            fly.probe(deployment, path, check.value.get("port"));
        }
    }
    let vm = node.get("vm");
    let sized = vm.is_some_and(|vm| !vm.items().is_empty() || !vm.entries().is_empty());
    fly.limit(deployment, node.entry("vm").filter(|_| sized));
    fly.strategy(deployment, node.at(&["deploy", "strategy"]));
}

fn fly_https(deployment: &mut Deployment<'_, '_>, fly: &Component<'_>, service: &Node) {
    let ports = service.get("ports").map_or(&[][..], Node::items);
    let forced = service.entry("force_https").or_else(|| ports.iter().find_map(|port| port.entry("force_https")));
    if let Some(entry) = forced.filter(|entry| entry.value.flag() == Some(true)) {
        fly.add(deployment, Https { by: "platform".into() }, entry.key_span);
    }
}

fn render(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    for service in node.get("services").map_or(&[][..], Node::items) {
        let text = |key: &str| service.get(key).and_then(Node::text);
        if !matches!(text("type"), Some("web" | "pserv" | "worker" | "private")) {
            continue;
        }
        let owner =
            owner(deployment, file, text("name"), text("dockerfilePath"), text("rootDir").or(text("dockerContext")));
        let component = Component { file, platform: "render", owner };
        if text("type") == Some("web") {
            component.add(
                deployment,
                Https { by: "platform".into() },
                service.entry("type").map_or(service.span, |entry| entry.key_span),
            );
        }
        if let Some(path) = service.get("healthCheckPath") {
            component.probe(deployment, path, None);
        }
        component.count(deployment, service.entry("numInstances"));
        component.autoscaler(deployment, service.entry("scaling"), "minInstances", "maxInstances");
        component.limit(deployment, service.entry("plan"));
        let kept = ["sync", "generateValue", "fromDatabase", "fromService", "fromGroup"];
        let variables = service.get("envVars").map_or(&[][..], Node::items);
        if let Some(variable) = variables.iter().find(|variable| kept.iter().any(|key| variable.get(key).is_some())) {
            component.manager(deployment, variable.span);
        }
    }
}

fn app_platform_template(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    if let Some(spec) = node.get("spec") {
        app_platform(deployment, file, spec);
    }
}

fn app_platform(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    for service in node.get("services").map_or(&[][..], Node::items) {
        let text = |key: &str| service.get(key).and_then(Node::text);
        let owner = owner(
            deployment,
            file,
            text("name"),
            text("dockerfile_path"),
            text("source_dir").filter(|dir| *dir != "." && *dir != "/"),
        );
        let component = Component { file, platform: "digitalocean", owner };
        if let Some(path) = service.at(&["health_check", "http_path"]) {
            let port = service.at(&["health_check", "port"]).or_else(|| service.get("http_port"));
            component.probe(deployment, path, port);
        }
        component.count(deployment, service.entry("instance_count"));
        component.autoscaler(deployment, service.entry("autoscaling"), "min_instance_count", "max_instance_count");
        component.limit(deployment, service.entry("instance_size_slug"));
        let own = service.get("envs").map_or(&[][..], Node::items);
        let shared = node.get("envs").map_or(&[][..], Node::items);
        let secret = own.iter().chain(shared).find(|variable| {
            let value = variable.get("value").and_then(Node::text).unwrap_or("");
            let bound =
                value.starts_with("${") && value.contains(".") && value.to_ascii_uppercase().contains("PASSWORD");
            bound
                || value.to_ascii_uppercase().contains(".DATABASE_URL}")
                || variable.get("type").and_then(Node::text) == Some("SECRET")
        });
        if let Some(variable) = secret {
            component.manager(deployment, variable.span);
        }
    }
}

fn railway(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    let dockerfile = node.at(&["build", "dockerfilePath"]).and_then(Node::text);
    let owner = owner(deployment, file, None, dockerfile, None);
    let component = Component { file, platform: "railway", owner };
    let Some(deploy) = node.get("deploy") else { return };
    if let Some(path) = deploy.get("healthcheckPath") {
        component.probe(deployment, path, None);
    }
    component.count(deployment, deploy.entry("numReplicas"));
}

fn heroku(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    let component = Component { file, platform: "heroku", owner: owner(deployment, file, None, None, None) };
    let web = node.at(&["formation", "web"]);
    component.count(deployment, web.and_then(|web| web.entry("quantity")));
    component.limit(deployment, web.and_then(|web| web.entry("size")));
    let generated = node
        .get("env")
        .map_or(&[][..], Node::entries)
        .iter()
        .find(|entry| entry.value.get("generator").and_then(Node::text) == Some("secret"));
    if let Some(entry) = generated {
        component.manager(deployment, entry.key_span);
    }
}

fn app_engine(deployment: &mut Deployment<'_, '_>, file: &SourceFile, node: &Node) {
    let owner = owner(deployment, file, node.get("service").and_then(Node::text), None, None);
    let component = Component { file, platform: "app-engine", owner };
    for key in ["liveness_check", "readiness_check"] {
        if let Some(path) = node.at(&[key, "path"]) {
            component.probe(deployment, path, None);
        }
    }
    component.autoscaler(deployment, node.entry("automatic_scaling"), "min_num_instances", "max_num_instances");
    component.count(deployment, node.get("manual_scaling").and_then(|scaling| scaling.entry("instances")));
    component.limit(deployment, node.entry("resources").or_else(|| node.entry("instance_class")));
    let secure = node.get("handlers").map_or(&[][..], Node::items).iter().find_map(|handler| handler.entry("secure"));
    if let Some(entry) = secure.filter(|entry| entry.value.text() == Some("always")) {
        component.add(deployment, Https { by: "platform".into() }, entry.key_span);
    }
}

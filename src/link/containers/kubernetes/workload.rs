//! Workloads, their containers and probes, and what scales and protects them.

use super::pod::{Pod, number, pod_in, ports, ports_open_ended};
use super::{Found, Object, Offer, container, lookup, lookup_at, network, place, stop, written};
use crate::facts::vocabulary::{Autoscaler, DeploymentStrategy, Probe, Workload};
use crate::facts::{Attr, Confidence};
use crate::link::containers::owner::Owner;
use crate::link::containers::{Deployment, images, names_port, port_of, tools};
use crate::parse::document::Node;

/// What scales and protects workloads.
#[derive(Debug, Default)]
pub struct Scaling<'o> {
    /// Autoscalers with the name of what they scale.
    autoscalers: Vec<(&'o Object, String)>,
    /// Disruption budgets.
    budgets: Vec<&'o Object>,
    /// Progressive deliveries with the name of what they deliver and how.
    deliveries: Vec<(&'o Object, String, &'static str)>,
}

impl<'o> Scaling<'o> {
    /// Collects them.
    pub fn read(objects: &'o [Object]) -> Scaling<'o> {
        let mut scaling = Scaling::default();
        for object in objects {
            let target = |keys: &[&str]| object.node.at(keys).and_then(written).unwrap_or_default();
            match object.kind.as_str() {
                "HorizontalPodAutoscaler" | "ScaledObject" => {
                    scaling.autoscalers.push((object, target(&["spec", "scaleTargetRef", "name"])));
                }
                "PodDisruptionBudget" => scaling.budgets.push(object),
                "Canary" => {
                    let blue_green = object.node.at(&["spec", "analysis", "iterations"]).is_some()
                        && object.node.at(&["spec", "analysis", "maxWeight"]).is_none();
                    let kind = if blue_green { "blue-green" } else { "canary" };
                    scaling.deliveries.push((object, target(&["spec", "targetRef", "name"]), kind));
                }
                _ => {}
            }
        }
        scaling
    }

    fn autoscaled(&self, object: &Object) -> Attr<bool> {
        let found = self.autoscalers.iter().find(|(scaler, target)| {
            *target == object.name && (!target.contains("{{") || scaler.group == object.group)
        });
        match found {
            Some((scaler, _)) => Attr::Known(!scaler.optional),
            None => Attr::Known(false),
        }
    }

    /// The disruption budgets that cover a workload's pods.
    fn protecting(&self, object: &Object, pod: &Pod<'_>) -> Vec<&Object> {
        let Some(labels) = pod.labels() else { return Vec::new() };
        let covers = |budget: &&&Object| {
            let selector = budget.node.at(&["spec", "selector", "matchLabels"]);
            selector.is_some_and(|selector| covers(selector, labels, budget.group == object.group))
        };
        self.budgets.iter().filter(covers).copied().collect()
    }

    fn delivery(&self, object: &Object) -> Option<&'static str> {
        self.deliveries.iter().find(|(_, target, _)| *target == object.name).map(|(_, _, kind)| *kind)
    }
}

/// Whether a selector's labels are all among a pod's; template actions are compared by their text without indents.
pub fn covers(selector: &Node, labels: &Node, same_group: bool) -> bool {
    let plain = |key: &str| key.split("| nindent").next().unwrap_or(key).replace("{{-", "{{").trim().to_string();
    !selector.entries().is_empty()
        && selector.entries().iter().all(|wanted| {
            if wanted.key.starts_with("{{") {
                let name = plain(&wanted.key);
                let include = name.contains("selectorLabels") && same_group;
                return include || labels.entries().iter().any(|label| plain(&label.key) == name);
            }
            labels.get(&wanted.key).and_then(written) == written(&wanted.value)
        })
}

/// Kinds that run to an end and serve nobody.
pub fn is_job(kind: &str) -> bool {
    matches!(kind, "Job" | "CronJob")
}

/// Adds a workload with its containers and probes.
pub fn emit(
    deployment: &mut Deployment<'_, '_>,
    object: &Object,
    pod: &Pod<'_>,
    scaling: &Scaling<'_>,
    all: &[Object],
) {
    if object.kind == "Service" && !is_knative(object) {
        return;
    }
    let owners: Vec<Owner> =
        pod.containers().iter().map(|(container, _)| container_owner(deployment, object, container)).collect();
    let main = owners.iter().zip(pod.containers()).filter(|(_, (_, init))| !init).map(|(owner, _)| owner);
    let owner = main.max_by_key(|owner| rank(owner)).cloned().unwrap_or_else(Owner::other);
    let owner = if is_job(&object.kind) { Owner { of_service: Attr::Known(false), ..owner } } else { owner };
    let data = workload(object, pod, scaling, &owner, all);
    let fact = deployment.context.fact(data, object.file, place(object, &["metadata", "name"]));
    deployment.add(owner.mark(optional(object, fact)));
    if !is_job(&object.kind) {
        stop::emit(deployment, object, pod, &owner);
    }
    for ((node, init), owner) in pod.containers().into_iter().zip(owners) {
        let owner = if is_job(&object.kind) { Owner { of_service: Attr::Known(false), ..owner } } else { owner };
        container::emit(deployment, object, pod, (node, init), &owner, all);
        if !init {
            probes(deployment, object, node, &owner, all);
        }
    }
    for offer in &object.offers {
        offered_probe(deployment, object, offer, all);
    }
}

fn is_knative(object: &Object) -> bool {
    object.node.get("apiVersion").and_then(Node::text).is_some_and(|version| version.starts_with("serving.knative.dev"))
}

/// What a default install leaves out is less sure.
pub fn optional(object: &Object, fact: crate::facts::Fact) -> crate::facts::Fact {
    if object.optional { fact.confidence(Confidence::Medium) } else { fact }
}

fn rank(owner: &Owner) -> u8 {
    match owner.of_service {
        Attr::Known(true) => 2,
        Attr::Known(false) => 0,
        _ => 1,
    }
}

/// Whose a container is, by its image, its name and its workload's.
pub fn container_owner(deployment: &Deployment<'_, '_>, object: &Object, container: &Node) -> Owner {
    let image = container.get("image").and_then(written).unwrap_or_default();
    let name = container.get("name").and_then(written).unwrap_or_default();
    let resolved = !image.contains("{{");
    let workload = object.name.as_str();
    deployment.owners.of_names(&[name.as_str(), workload], resolved.then_some(image.as_str()))
}

fn workload(object: &Object, pod: &Pod<'_>, scaling: &Scaling<'_>, owner: &Owner, all: &[Object]) -> Workload {
    let replicas = number_attr(lookup(pod.spec, "replicas"));
    let budgets = scaling.protecting(object, pod);
    let strategy = strategy(object, pod).or_else(|| scaling.delivery(object).map(|kind| Attr::Known(kind.to_string())));
    Workload {
        kind: object.kind.as_str().into(),
        name: object.name.as_str().into(),
        of_service: owner.of_service.clone(),
        max_unavailable_all: all_unavailable(pod, &replicas),
        replicas,
        autoscaled: scaling.autoscaled(object),
        strategy: strategy.unwrap_or_default(),
        grace_period: number_attr(lookup(pod.pod, "terminationGracePeriodSeconds")),
        pre_stop: pre_stop(pod),
        revision_history: number_attr(lookup(pod.spec, "revisionHistoryLimit")),
        disruption_budget: Attr::Known(!budgets.is_empty()),
        disruption_budget_optional: Attr::Known(!budgets.is_empty() && budgets.iter().all(|budget| budget.optional)),
        spread: spread(pod),
        persistent: Attr::Known(persistent(pod)),
        network_policy: Attr::Known(network::covered(object, pod, all)),
    }
}

pub fn number_attr(found: Found<'_>) -> Attr<f64> {
    match found {
        Found::Node(node) => number(node).map_or(Attr::Unknown, Attr::Known),
        Found::Absent => Attr::Unset,
        Found::Unknown => Attr::Unknown,
    }
}

fn strategy(object: &Object, pod: &Pod<'_>) -> Option<Attr<String>> {
    let key = if matches!(object.kind.as_str(), "StatefulSet" | "DaemonSet") { "updateStrategy" } else { "strategy" };
    let node = match lookup(pod.spec, key) {
        Found::Node(node) if !node.is_unresolved() => node,
        Found::Absent => return None,
        _ => return Some(Attr::Unknown),
    };
    let known = |kind: &str| Some(Attr::Known(kind.to_string()));
    let has = |key: &str| node.get(key).is_some();
    match node.get("type").map(|kind| kind.text()) {
        Some(Some("RollingUpdate")) => known("rolling"),
        Some(Some("Recreate")) => known("recreate"),
        Some(Some("OnDelete")) => known("on-delete"),
        Some(_) => Some(Attr::Unknown),
        None if has("canary") => known("canary"),
        None if has("blueGreen") => known("blue-green"),
        None if has("rollingUpdate") => known("rolling"),
        None if node.entries().is_empty() => None,
        None => Some(Attr::Unknown),
    }
}

fn all_unavailable(pod: &Pod<'_>, replicas: &Attr<f64>) -> Attr<bool> {
    let found = lookup_at(pod.spec, &["strategy", "rollingUpdate", "maxUnavailable"]);
    let Found::Node(node) = found else { return Attr::Known(false) };
    match (node.text(), number(node), replicas.known()) {
        (Some(text), _, _) if text.trim() == "100%" => Attr::Known(true),
        (_, Some(most), Some(replicas)) => Attr::Known(most > 0.0 && most >= *replicas),
        (Some(text), _, _) if text.ends_with('%') => Attr::Known(false),
        _ if node.is_unresolved() => Attr::Unknown,
        _ => Attr::Known(false),
    }
}

fn pre_stop(pod: &Pod<'_>) -> Attr<bool> {
    let mut unknown = false;
    for (container, _) in pod.containers() {
        match lookup_at(container, &["lifecycle", "preStop"]) {
            Found::Node(_) => return Attr::Known(true),
            Found::Unknown => unknown = true,
            Found::Absent => {}
        }
    }
    if unknown { Attr::Unknown } else { Attr::Known(false) }
}

fn spread(pod: &Pod<'_>) -> Attr<bool> {
    let constraints = lookup(pod.pod, "topologySpreadConstraints");
    let affinity = lookup_at(pod.pod, &["affinity", "podAntiAffinity"]);
    match (says(constraints), says(affinity)) {
        (Attr::Known(true), _) | (_, Attr::Known(true)) => Attr::Known(true),
        (Attr::Unknown, _) | (_, Attr::Unknown) => Attr::Unknown,
        _ => Attr::Known(false),
    }
}

/// Whether a list or map is there with something in it; what only an install gives may be empty.
fn says(found: Found<'_>) -> Attr<bool> {
    match found {
        Found::Node(node) if node.is_unresolved() => Attr::Unknown,
        Found::Node(node) => Attr::Known(!node.items().is_empty() || !node.entries().is_empty()),
        Found::Absent => Attr::Known(false),
        Found::Unknown => Attr::Unknown,
    }
}

fn persistent(pod: &Pod<'_>) -> bool {
    let claims = pod.spec.get("volumeClaimTemplates").is_some_and(|claims| !claims.items().is_empty());
    let volumes = pod.pod.get("volumes").map_or(&[][..], Node::items);
    claims || volumes.iter().any(|volume| volume.get("persistentVolumeClaim").is_some())
}

const PROBES: &[(&str, &str)] =
    &[("livenessProbe", "liveness"), ("readinessProbe", "readiness"), ("startupProbe", "startup")];

fn probes(deployment: &mut Deployment<'_, '_>, object: &Object, container: &Node, owner: &Owner, all: &[Object]) {
    for (key, kind) in PROBES {
        let Some(entry) = container.entry(key) else { continue };
        let Some(mut data) = probe(deployment, object, &entry.value, container, owner, all) else { continue };
        data.kind = (*kind).into();
        data.optional = Attr::Known(false);
        let path = entry.value.at(&["httpGet", "path"]).map(|path| path.span);
        let fact = deployment.context.fact(data, object.file, path.unwrap_or(entry.key_span));
        deployment.add(owner.mark(optional(object, fact)));
    }
}

/// Whether a key of a container is that of a probe.
pub fn is_probe(key: &str) -> bool {
    PROBES.iter().any(|(known, _)| *known == key)
}

/// Adds a probe that an install has to switch on: what it calls is known, and that nothing calls it by default.
fn offered_probe(deployment: &mut Deployment<'_, '_>, object: &Object, offer: &Offer, all: &[Object]) {
    let Some(pod) = pod_in(&object.kind, &offer.node) else { return };
    for (container, _) in pod.containers().into_iter().filter(|(_, init)| !init) {
        let Some(entry) = container.entries().iter().find(|entry| entry.key_span == offer.key) else { continue };
        let Some((_, kind)) = PROBES.iter().find(|(key, _)| *key == &*entry.key) else { continue };
        let owner = container_owner(deployment, object, container);
        let Some(mut data) = probe(deployment, object, &entry.value, container, &owner, all) else { continue };
        if data.how == Attr::Unknown {
            continue;
        }
        data.kind = (*kind).into();
        data.optional = Attr::Known(true);
        let path = entry.value.at(&["httpGet", "path"]).map(|path| path.span);
        let fact = deployment.context.fact(data, object.file, path.unwrap_or(entry.key_span));
        deployment.add(owner.mark(fact.confidence(Confidence::Medium)));
    }
}

fn probe(
    deployment: &Deployment<'_, '_>,
    object: &Object,
    node: &Node,
    container: &Node,
    owner: &Owner,
    all: &[Object],
) -> Option<Probe> {
    let declared = declared_ports(container, object, all);
    let base = Probe {
        by: "kubernetes".into(),
        of_service: owner.of_service.clone(),
        declared_ports: Attr::Known(declared),
        ..Probe::default()
    };
    if node.is_unresolved() {
        return Some(Probe { how: Attr::Unknown, path: Attr::Unknown, port: Attr::Unknown, ..base });
    }
    let unresolved = node.entries().iter().any(|entry| entry.key.starts_with("{{"));
    if let Some(http) = node.get("httpGet") {
        let path: Option<Attr<String>> = http.get("path").map(|path| path.text().map_or(Attr::Unknown, Attr::from));
        let path = match path {
            Some(Attr::Known(path)) => Attr::Known(super::super::command::without_query(&path)),
            Some(other) => other,
            None => Attr::Known("/".to_string()),
        };
        return Some(port(Probe { how: "http".into(), path, ..base }, http.get("port"), container));
    }
    if let Some(socket) = node.get("tcpSocket") {
        return Some(port(Probe { how: "tcp".into(), ..base }, socket.get("port"), container));
    }
    if let Some(grpc) = node.get("grpc") {
        return Some(port(Probe { how: "grpc".into(), ..base }, grpc.get("port"), container));
    }
    if let Some(command) = node.at(&["exec", "command"]) {
        let line: Vec<String> = command.items().iter().filter_map(|word| written(word)).collect();
        let line = line.join(" ");
        let call = deployment.call(object.file, &line, owner);
        let declared = base.declared_ports.known().cloned().unwrap_or_default();
        let mut probe = images::probe(&call, &|text| Some(text.to_string()), declared, owner, "", "kubernetes");
        images::with_tools(&mut probe, &line, |tools| tools::one_in_images(deployment, owner, tools));
        return Some(probe);
    }
    unresolved.then_some(Probe { how: Attr::Unknown, path: Attr::Unknown, port: Attr::Unknown, ..base })
}

/// Resolves a port by name through the container's ports.
fn port(mut probe: Probe, node: Option<&Node>, container: &Node) -> Probe {
    let Some(node) = node else { return probe };
    if let Some(number) = number(node) {
        probe.port = Attr::Known(number);
        return probe;
    }
    let Some(name) = node.text() else {
        probe.port = Attr::Unknown;
        return probe;
    };
    probe.port_name = name.into();
    let found = ports(container).into_iter().find(|(known, _)| known.as_deref() == Some(name));
    probe.port = match found {
        Some((_, Some(number))) => Attr::Known(number),
        Some((_, None)) => Attr::Unknown,
        None if ports_open_ended(container) => Attr::Unknown,
        // The API server refuses a probe on a port name that the container does not have.
        None => {
            probe.port_open = Attr::Known(false);
            Attr::Unset
        }
    };
    probe
}

/// Ports of a container and of its environment, also from the ConfigMaps it takes its environment from.
fn declared_ports(container: &Node, object: &Object, all: &[Object]) -> Vec<String> {
    let mut declared: Vec<String> =
        ports(container).into_iter().filter_map(|(_, number)| number).map(|number| number.to_string()).collect();
    for entry in container.get("env").map_or(&[][..], Node::items) {
        let name = entry.get("name").and_then(written).unwrap_or_default();
        let value = entry.get("value").and_then(Node::scalar);
        declared.extend(value.filter(|_| names_port(&name)).and_then(|value| port_of(&value)));
    }
    for source in container.get("envFrom").map_or(&[][..], Node::items) {
        let name = source.at(&["configMapRef", "name"]).and_then(written);
        let map = all
            .iter()
            .find(|map| map.kind == "ConfigMap" && Some(&map.name) == name.as_ref() && map.group == object.group);
        for entry in map.and_then(|map| map.node.get("data")).map_or(&[][..], Node::entries) {
            let value = entry.value.scalar().filter(|_| names_port(&entry.key));
            declared.extend(value.and_then(|value| port_of(&value)));
        }
    }
    declared.sort();
    declared.dedup();
    declared
}

/// Adds autoscalers and progressive deliveries.
pub fn emit_scaling(deployment: &mut Deployment<'_, '_>, scaling: &Scaling<'_>) {
    for (object, target) in &scaling.autoscalers {
        let spec = object.node.get("spec");
        let amount = |keys: [&str; 2]| {
            let found = keys.iter().find_map(|key| spec.and_then(|spec| spec.get(key)));
            found.map_or(Attr::Unset, |node| number(node).map_or(Attr::Unknown, Attr::Known))
        };
        let owner = deployment.owners.of_names(&[target.as_str()], None);
        let data = Autoscaler {
            min: amount(["minReplicas", "minReplicaCount"]),
            max: amount(["maxReplicas", "maxReplicaCount"]),
            by: if object.kind == "ScaledObject" { "keda" } else { "kubernetes" }.into(),
            optional: Attr::Known(object.optional),
        };
        let fact = deployment.context.fact(data, object.file, place(object, &["spec", "maxReplicas"]));
        if owner.may_be_service() {
            deployment.add(owner.mark(optional(object, fact)));
        }
    }
    for (object, target, kind) in &scaling.deliveries {
        let owner = deployment.owners.of_names(&[target.as_str()], None);
        let data = DeploymentStrategy { kind: (*kind).into(), by: "flagger".into() };
        let fact = deployment.context.fact(data, object.file, place(object, &["spec", "analysis"]));
        if owner.may_be_service() {
            deployment.add(owner.mark(optional(object, fact)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::{Attr, Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::link;
    use crate::link::trial::repository;

    /// Whether pods with these settings are spread, as a plain manifest and in a chart whose `zones` are empty.
    fn spread(pod: &str) -> Attr<bool> {
        let manifest = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers: [{{name: shop, image: \"acme/shop:1\"}}]\n{pod}"
        );
        let files = [
            ("shop/Chart.yaml", "name: shop\nversion: 1.0.0\n"),
            ("shop/values.yaml", "zones: []\ntwoZones: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1}]\n"),
            ("shop/templates/shop.yaml", manifest.as_str()),
        ];
        let linked = link(&repository(&files), &Catalog::default());
        let mut found = linked.facts.of(FactKind::Workload).filter_map(|(_, fact)| match &fact.data {
            Data::Workload(workload) => Some(workload.spread.clone()),
            _ => None,
        });
        found.next().unwrap_or_default()
    }

    #[test]
    fn replicas_are_spread_over_nodes_or_zones() {
        let zones = "      topologySpreadConstraints:\n        - topologyKey: topology.kubernetes.io/zone\n          maxSkew: 1\n          whenUnsatisfiable: ScheduleAnyway\n";
        assert_eq!(spread(zones), Attr::Known(true));
        assert_eq!(spread(&zones.replace("topology.kubernetes.io/zone", "kubernetes.io/hostname")), Attr::Known(true));
        let apart = "      affinity:\n        podAntiAffinity:\n          preferredDuringSchedulingIgnoredDuringExecution:\n            - weight: 1\n              podAffinityTerm: {topologyKey: topology.kubernetes.io/zone}\n";
        assert_eq!(spread(apart), Attr::Known(true));
        assert_eq!(spread(&apart.replace("podAntiAffinity", "podAffinity")), Attr::Known(false));
        assert_eq!(spread("      nodeSelector: {topology.kubernetes.io/zone: a}\n"), Attr::Known(false));
        assert_eq!(spread(""), Attr::Known(false));
        assert_eq!(spread("      topologySpreadConstraints: []\n"), Attr::Known(false));
        let given = |name: &str| {
            spread(&format!("      topologySpreadConstraints: {{{{- toYaml .Values.{name} | nindent 8 }}}}\n"))
        };
        assert_eq!((given("twoZones"), given("zones")), (Attr::Known(true), Attr::Known(false)));
        assert_eq!(given("zonesOfTheInstall | default .Release.Name"), Attr::Unknown);
    }
}

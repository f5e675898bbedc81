//! Pod templates: where each kind of workload keeps its own, and what its containers are told.

use std::sync::Arc;

use super::{Found, Object, lookup, written};
use crate::parse::document::Node;

/// The pod template of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Pod<'o> {
    /// The workload's `spec`.
    pub spec: &'o Node,
    /// The pod's `metadata`, where there is one.
    pub metadata: Option<&'o Node>,
    /// The pod's `spec`.
    pub pod: &'o Node,
}

/// Where kinds keep their pod template below `spec`.
const TEMPLATES: &[(&str, &[&str])] = &[
    ("Deployment", &["template"]),
    ("StatefulSet", &["template"]),
    ("DaemonSet", &["template"]),
    ("ReplicaSet", &["template"]),
    ("ReplicationController", &["template"]),
    ("Rollout", &["template"]),
    ("Job", &["template"]),
    ("CronJob", &["jobTemplate", "spec", "template"]),
    ("Service", &["template"]),
];

/// The pod template of an object that has one.
pub fn pod_of(object: &Object) -> Option<Pod<'_>> {
    pod_in(&object.kind, &object.node)
}

/// The same, of the document of an object of this kind.
pub fn pod_in<'o>(kind: &str, node: &'o Node) -> Option<Pod<'o>> {
    let spec = node.get("spec")?;
    if kind == "Pod" {
        return Some(Pod { spec, metadata: node.get("metadata"), pod: spec });
    }
    let (_, keys) = TEMPLATES.iter().find(|(known, _)| *known == kind)?;
    let template = spec.at(keys)?;
    Some(Pod { spec, metadata: template.get("metadata"), pod: template.get("spec")? })
}

impl<'o> Pod<'o> {
    /// Containers, with whether each runs only before the others.
    pub fn containers(&self) -> Vec<(&'o Arc<Node>, bool)> {
        let list = |key: &str| self.pod.get(key).map_or(&[][..], Node::items);
        let main = list("containers").iter().map(|container| (container, false));
        main.chain(list("initContainers").iter().map(|container| (container, true))).collect()
    }

    /// Images of its main containers.
    pub fn images(&self) -> Vec<String> {
        let main = self.containers().into_iter().filter(|(_, init)| !init);
        main.filter_map(|(container, _)| container.get("image").and_then(written)).collect()
    }

    /// A value of a label of the pod.
    pub fn labels(&self) -> Option<&'o Node> {
        self.metadata.and_then(|metadata| metadata.get("labels"))
    }
}

/// Named and numbered ports of a container, as written: (name, number).
pub fn ports(container: &Node) -> Vec<(Option<String>, Option<f64>)> {
    let list = container.get("ports").map_or(&[][..], Node::items);
    list.iter()
        .filter(|port| !port.is_unresolved())
        .map(|port| (port.get("name").and_then(written), port.get("containerPort").and_then(number)))
        .collect()
}

/// A number, also where it is written as text.
pub fn number(node: &Node) -> Option<f64> {
    node.number().or_else(|| node.text().and_then(|text| text.trim().parse().ok()))
}

/// Whether a template action may add ports.
pub fn ports_open_ended(container: &Node) -> bool {
    match lookup(container, "ports") {
        Found::Unknown => true,
        Found::Absent => false,
        Found::Node(ports) => {
            ports.is_unresolved()
                || ports.items().iter().any(|port| {
                    port.is_unresolved()
                        || port.get("name").is_some_and(Node::is_unresolved)
                        || port.get("containerPort").is_some_and(Node::is_unresolved)
                })
        }
    }
}

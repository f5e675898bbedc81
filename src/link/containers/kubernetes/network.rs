//! Network policies, and which workloads they select.

use super::pod::Pod;
use super::workload::{covers, optional};
use super::{Object, place};
use crate::facts::Attr;
use crate::facts::vocabulary::NetworkPolicy;
use crate::link::containers::Deployment;
use crate::parse::document::Node;

/// Kinds of policies, with the key of their selector.
const KINDS: &[(&str, &str)] = &[
    ("NetworkPolicy", "podSelector"),
    ("CiliumNetworkPolicy", "endpointSelector"),
    ("CiliumClusterwideNetworkPolicy", "endpointSelector"),
    ("GlobalNetworkPolicy", "selector"),
];

/// Adds a network policy.
pub fn emit(deployment: &mut Deployment<'_, '_>, object: &Object) {
    let Some(key) = selector_key(object) else { return };
    let spec = object.node.get("spec");
    let types: Vec<String> = spec
        .and_then(|spec| spec.get("policyTypes").or_else(|| spec.get("types")))
        .map_or(&[][..], Node::items)
        .iter()
        .filter_map(|item| item.text().map(str::to_ascii_lowercase))
        .collect();
    let limits = |direction: &str| {
        let written = spec.is_some_and(|spec| spec.get(direction).is_some());
        // A NetworkPolicy without policyTypes is one for ingress, and for egress where it has such rules.
        let plain = types.is_empty() && direction == "ingress" && key == "podSelector";
        Attr::Known(written || plain || types.iter().any(|kind| kind == direction))
    };
    let data = NetworkPolicy {
        name: object.name.as_str().into(),
        ingress: limits("ingress"),
        egress: limits("egress"),
        selects_all: Attr::Known(spec.and_then(|spec| spec.get(key)).is_some_and(selects_all)),
    };
    let mut fact = deployment.context.fact(data, object.file, place(object, &["metadata", "name"]));
    fact.services = deployment.owners.all();
    deployment.add(optional(object, fact));
}

fn selector_key(object: &Object) -> Option<&'static str> {
    KINDS.iter().find(|(kind, _)| *kind == object.kind).map(|(_, key)| *key)
}

/// An empty selector selects every pod.
fn selects_all(selector: &Node) -> bool {
    !selector.is_unresolved() && selector.entries().is_empty() && selector.text().is_none_or(|text| text == "all()")
}

/// Whether a policy that is on by default selects a workload's pods.
pub fn covered(object: &Object, pod: &Pod<'_>, all: &[Object]) -> bool {
    let namespace = |object: &Object| object.node.at(&["metadata", "namespace"]).and_then(super::written);
    all.iter().filter(|policy| !policy.optional).any(|policy| {
        let selector = selector_key(policy).and_then(|key| policy.node.at(&["spec", key]));
        let Some(selector) = selector.filter(|_| namespace(policy) == namespace(object)) else { return false };
        let same_group = policy.group == object.group;
        if selects_all(selector) {
            return same_group;
        }
        let labels = pod.labels().zip(selector.get("matchLabels"));
        labels.is_some_and(|(labels, selector)| covers(selector, labels, same_group))
    })
}

#[cfg(test)]
mod tests {
    use crate::facts::{Attr, Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::link;
    use crate::link::trial::repository;

    fn deployment(name: &str, label: &str, namespace: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  template:\n    metadata: {{labels: {{app: {label}}}}}\n    spec: {{containers: [{{name: a, image: \"acme/a:1\"}}]}}\n"
        )
    }

    fn policy(kind: &str, selector: &str) -> String {
        format!("apiVersion: x/v1\nkind: {kind}\nmetadata: {{name: p, namespace: live}}\nspec: {{{selector}}}\n")
    }

    /// Whether a policy selects the pods labelled `app: shop` of the namespace `live`, and those of two others.
    fn selected(policy: &str) -> [Attr<bool>; 3] {
        let manifests = [
            deployment("a-shop", "shop", "live"),
            deployment("b-desk", "desk", "live"),
            deployment("c-shop", "shop", "trial"),
            policy.to_string(),
        ];
        let linked = link(&repository(&[("deploy.yaml", &manifests.join("---\n"))]), &Catalog::default());
        let found = linked.facts.of(FactKind::Workload).filter_map(|(_, fact)| match &fact.data {
            Data::Workload(workload) => Some(workload.network_policy.clone()),
            _ => None,
        });
        let found: Vec<Attr<bool>> = found.collect();
        found.try_into().unwrap_or_default()
    }

    #[test]
    fn a_policy_selects_by_labels_in_its_own_namespace() {
        let known = |flags: [bool; 3]| flags.map(Attr::Known);
        let labels = |key: &str| format!("{key}: {{matchLabels: {{app: shop}}}}");
        assert_eq!(selected(&policy("NetworkPolicy", &labels("podSelector"))), known([true, false, false]));
        assert_eq!(selected(&policy("CiliumNetworkPolicy", &labels("endpointSelector"))), known([true, false, false]));
        assert_eq!(selected(&policy("NetworkPolicy", "podSelector: {}")), known([true, true, false]));
        assert_eq!(selected(&policy("GlobalNetworkPolicy", "selector: all()")), known([true, true, false]));
        assert_eq!(selected(&policy("NetworkPolicy", &labels("endpointSelector"))), known([false, false, false]));
        assert_eq!(selected(&policy("Service", &labels("podSelector"))), known([false, false, false]));
    }

    #[test]
    fn a_policy_limits_the_directions_that_it_names() {
        let directions = |spec: &str| {
            let linked = link(&repository(&[("policy.yaml", &policy("NetworkPolicy", spec))]), &Catalog::default());
            linked.facts.of(FactKind::NetworkPolicy).find_map(|(_, fact)| match &fact.data {
                Data::NetworkPolicy(policy) => Some((policy.ingress.is_true(), policy.egress.is_true())),
                _ => None,
            })
        };
        assert_eq!(directions("podSelector: {}"), Some((true, false)));
        assert_eq!(directions("podSelector: {}, egress: [{}]"), Some((true, true)));
        assert_eq!(directions("podSelector: {}, policyTypes: [Egress]"), Some((false, true)));
        assert_eq!(directions("podSelector: {}, policyTypes: [Ingress, Egress]"), Some((true, true)));
    }
}

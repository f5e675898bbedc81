//! Containers of pods: what they may use, and what holds them back.

use super::pod::Pod;
use super::workload::{container_owner, is_job, optional};
use super::{Found, Object, lookup, lookup_at, written};
use crate::facts::vocabulary::{Container, ImageCopy, SetVariable};
use crate::facts::{Attr, Confidence};
use crate::link::containers::owner::Owner;
use crate::link::containers::{Deployment, known};
use crate::parse::document::Node;

/// Adds a container, with whether it only runs before the others.
pub fn emit(
    deployment: &mut Deployment<'_, '_>,
    object: &Object,
    pod: &Pod<'_>,
    (node, init): (&Node, bool),
    owner: &Owner,
    all: &[Object],
) {
    let runs = image_of(node);
    let ranges = Ranges::of(object, all);
    let limit = |what: &str| either(amount(node, "limits", what), ranges.gives("default", what));
    let (cpu_limit, memory_limit) = (limit("cpu"), limit("memory"));
    let request = |what: &str, limit: &Attr<bool>| {
        let own = either(amount(node, "requests", what), ranges.gives("defaultRequest", what));
        // Kubernetes takes a limit without a request for the request.
        either(own, limit.is_true()).or_unknown(limit)
    };
    let (cpu_request, memory_request) = (request("cpu", &cpu_limit), request("memory", &memory_limit));
    let namespaces = ["hostNetwork", "hostPID", "hostIPC"].map(|key| flag(lookup(pod.pod, key)));
    let paths = host_paths(pod);
    let data = Container {
        name: node.get("name").and_then(written).into(),
        tag: runs.tag,
        mutable_tag: runs.mutable,
        image: runs.image,
        tag_published: Attr::Unset,
        limits: cpu_limit.clone().or(&memory_limit),
        requests: cpu_request.clone().or(&memory_request),
        cpu_limit,
        memory_limit,
        cpu_request,
        memory_request,
        privileged: flag(security(node, "privileged")),
        read_only_root: flag(security(node, "readOnlyRootFilesystem")),
        privilege_escalation: escalation(node),
        drops_capabilities: capabilities(node, "drop"),
        adds_capabilities: capabilities(node, "add"),
        account_token: account_token(pod, object, all),
        liveness: has(node, "livenessProbe"),
        readiness: has(node, "readinessProbe"),
        non_root: non_root(pod, node),
        host_access: if paths.is_empty() {
            namespaces.iter().fold(Attr::Known(false), |all, one| all.or(one))
        } else {
            Attr::Known(true)
        },
        host_namespaces: shared(&namespaces),
        host_paths: Some(paths).filter(|paths| !paths.is_empty()).into(),
        init: Attr::Known(init),
        workload: object.name.as_str().into(),
        by: "kubernetes".into(),
        of_service: owner.of_service.clone(),
    };
    let span = node.entry("name").map_or(node.span, |entry| entry.value.span);
    let fact = deployment.context.fact(data, object.file, span);
    deployment.add(owner.mark(optional(object, fact)));
    if owner.of_service.is_true() && owner.confidence == Confidence::High && !init {
        set_variables(deployment, object, node, owner);
    }
}

/// Adds the variables that a container of ours is given by name. One that a template makes has no name to point at.
fn set_variables(deployment: &mut Deployment<'_, '_>, object: &Object, node: &Node, owner: &Owner) {
    for entry in node.get("env").map_or(&[][..], Node::items) {
        let Some(named) = entry.get("name") else { continue };
        let text = &deployment.context.repository.tree.file(object.file).text;
        let Some(name) = named.text().filter(|name| text.get(named.span.range()).is_some_and(|at| at.contains(name)))
        else {
            continue;
        };
        let data = SetVariable {
            name: name.into(),
            read: Attr::Unset,
            by: "kubernetes".into(),
            workload: object.name.as_str().into(),
        };
        let fact = deployment.context.fact(data, object.file, named.span);
        deployment.add(owner.mark(optional(object, fact)));
    }
}

/// What a container runs.
struct Runs {
    image: Attr<String>,
    tag: Attr<String>,
    mutable: Attr<bool>,
}

fn image_of(node: &Node) -> Runs {
    let image = node.get("image").and_then(written);
    let Some(image) = image.filter(|image| !image.contains("{{") && !known::is_to_fill_in(image)) else {
        return Runs { image: Attr::Unknown, tag: Attr::Unknown, mutable: Attr::Unknown };
    };
    let tag = known::split(&image).1.map(str::to_string).into();
    Runs { tag, mutable: Attr::Known(!known::names_version(&image)), image: Attr::Known(image) }
}

/// Adds what the containers of a workload run that another manifest describes with the same words.
pub fn emit_images(deployment: &mut Deployment<'_, '_>, object: &Object, pod: &Pod<'_>) {
    for (node, init) in pod.containers() {
        let owner = container_owner(deployment, object, node);
        let owner = if is_job(&object.kind) { Owner { of_service: Attr::Known(false), ..owner } } else { owner };
        let runs = image_of(node);
        let data = ImageCopy {
            name: node.get("name").and_then(written).into(),
            image: runs.image,
            tag: runs.tag,
            mutable_tag: runs.mutable,
            tag_published: Attr::Unset,
            workload: object.name.as_str().into(),
            init: Attr::Known(init),
            of_service: owner.of_service.clone(),
        };
        let span = node.entry("name").map_or(node.span, |entry| entry.value.span);
        let fact = deployment.context.fact(data, object.file, span);
        deployment.add(owner.mark(optional(object, fact)));
    }
}

/// What two places say of a thing that one of them is enough for.
trait Either {
    /// True where one is, unknown where one may be.
    fn or(self, other: &Self) -> Self;
    /// Unknown instead of false where the other is unknown.
    fn or_unknown(self, other: &Self) -> Self;
}

impl Either for Attr<bool> {
    fn or(self, other: &Attr<bool>) -> Attr<bool> {
        if self.is_true() || other.is_true() { Attr::Known(true) } else { self.or_unknown(other) }
    }

    fn or_unknown(self, other: &Attr<bool>) -> Attr<bool> {
        if *other == Attr::Unknown && !self.is_true() { Attr::Unknown } else { self }
    }
}

fn either(own: Attr<bool>, elsewhere: bool) -> Attr<bool> {
    if elsewhere { Attr::Known(true) } else { own }
}

/// Whether an amount of CPU or memory is given.
fn amount(node: &Node, which: &str, what: &str) -> Attr<bool> {
    match lookup_at(node, &["resources", which]).then(what) {
        Found::Node(_) => Attr::Known(true),
        Found::Absent => Attr::Known(false),
        Found::Unknown => Attr::Unknown,
    }
}

/// The LimitRanges that stand with an object: they give its containers what they do not say themselves.
struct Ranges<'o>(Vec<&'o Node>);

impl<'o> Ranges<'o> {
    fn of(object: &Object, all: &'o [Object]) -> Ranges<'o> {
        let same = |other: &&Object| {
            other.kind == "LimitRange" && other.group == object.group && namespace(other) == namespace(object)
        };
        let limits = all.iter().filter(same).filter_map(|other| other.node.at(&["spec", "limits"]));
        let items = limits.flat_map(|limits| limits.items()).map(|item| &**item);
        Ranges(items.filter(|item| item.get("type").and_then(Node::text) == Some("Container")).collect())
    }

    fn gives(&self, key: &str, what: &str) -> bool {
        self.0.iter().any(|item| item.at(&[key, what]).is_some())
    }
}

fn namespace(object: &Object) -> Option<String> {
    object.node.at(&["metadata", "namespace"]).and_then(written)
}

fn security<'n>(container: &'n Node, key: &str) -> Found<'n> {
    lookup_at(container, &["securityContext", key])
}

fn flag(found: Found<'_>) -> Attr<bool> {
    match found {
        Found::Node(node) => node.flag().map_or(Attr::Unknown, Attr::Known),
        Found::Absent => Attr::Known(false),
        Found::Unknown => Attr::Unknown,
    }
}

fn has(container: &Node, key: &str) -> Attr<bool> {
    match lookup(container, key) {
        Found::Node(_) => Attr::Known(true),
        Found::Absent => Attr::Known(false),
        Found::Unknown => Attr::Unknown,
    }
}

/// Only `allowPrivilegeEscalation: false` forbids it; a privileged container escalates whatever is written.
fn escalation(container: &Node) -> Attr<bool> {
    match security(container, "allowPrivilegeEscalation") {
        _ if flag(security(container, "privileged")).is_true() => Attr::Known(true),
        Found::Node(node) => node.flag().map_or(Attr::Unknown, Attr::Known),
        Found::Absent => Attr::Known(true),
        Found::Unknown => Attr::Unknown,
    }
}

fn capabilities(container: &Node, which: &str) -> Attr<Vec<String>> {
    match security(container, "capabilities").then(which) {
        Found::Node(list) if list.items().iter().any(|item| item.is_unresolved()) => Attr::Unknown,
        Found::Node(list) if list.is_unresolved() => Attr::Unknown,
        Found::Node(list) => Attr::Known(list.items().iter().filter_map(|item| item.scalar()).collect()),
        Found::Absent => Attr::Unset,
        Found::Unknown => Attr::Unknown,
    }
}

/// Mounted unless the pod, or else its service account, says not to.
fn account_token(pod: &Pod<'_>, object: &Object, all: &[Object]) -> Attr<bool> {
    const KEY: &str = "automountServiceAccountToken";
    match lookup(pod.pod, KEY) {
        Found::Node(node) => return node.flag().map_or(Attr::Unknown, Attr::Known),
        Found::Unknown => return Attr::Unknown,
        Found::Absent => {}
    }
    let name = pod.pod.get("serviceAccountName").or_else(|| pod.pod.get("serviceAccount")).and_then(written);
    let name = name.unwrap_or_else(|| "default".to_string());
    let account = all.iter().find(|other| {
        other.kind == "ServiceAccount"
            && other.name == name
            && other.group == object.group
            && namespace(other) == namespace(object)
    });
    match account.map_or(Found::Absent, |account| lookup(&account.node, KEY)) {
        Found::Node(node) => node.flag().map_or(Attr::Unknown, Attr::Known),
        Found::Unknown => Attr::Unknown,
        Found::Absent => Attr::Known(true),
    }
}

/// By the container's own security context, else by the pod's.
fn non_root(pod: &Pod<'_>, container: &Node) -> Attr<bool> {
    let mut unknown = false;
    for context in [lookup(container, "securityContext"), lookup(pod.pod, "securityContext")] {
        match (context.then("runAsUser"), context.then("runAsNonRoot")) {
            (Found::Node(user), _) if super::number(user).is_some() => {
                return Attr::Known(super::number(user) != Some(0.0));
            }
            (_, Found::Node(non_root)) if non_root.flag().is_some() => {
                return Attr::Known(non_root.flag() == Some(true));
            }
            (Found::Absent, Found::Absent) => {}
            _ => unknown = true,
        }
    }
    if unknown { Attr::Unknown } else { Attr::Known(false) }
}

fn shared(namespaces: &[Attr<bool>; 3]) -> Attr<Vec<String>> {
    let names = ["network", "pid", "ipc"].iter().zip(namespaces).filter(|(_, shared)| shared.is_true());
    let names: Vec<String> = names.map(|(name, _)| (*name).to_string()).collect();
    match names.is_empty() {
        false => Attr::Known(names),
        true if namespaces.contains(&Attr::Unknown) => Attr::Unknown,
        true => Attr::Unset,
    }
}

fn host_paths(pod: &Pod<'_>) -> Vec<String> {
    let volumes = pod.pod.get("volumes").map_or(&[][..], Node::items).iter();
    let paths = volumes.filter_map(|volume| volume.get("hostPath"));
    paths.map(|path| path.get("path").and_then(written).unwrap_or_default()).collect()
}

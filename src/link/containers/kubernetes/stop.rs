//! How long pods that are told to stop may go on.

use super::pod::{Pod, number};
use super::workload::{number_attr, optional};
use super::{Found, Object, lookup, lookup_at, place, written};
use crate::facts::Attr;
use crate::facts::vocabulary::StopGrace;
use crate::link::containers::Deployment;
use crate::link::containers::owner::Owner;
use crate::parse::document::Node;

/// Seconds that Kubernetes gives a pod that says nothing.
const DEFAULT: f64 = 30.0;

/// Adds the grace period of a workload that runs a service, or may.
pub fn emit(deployment: &mut Deployment<'_, '_>, object: &Object, pod: &Pod<'_>, owner: &Owner) {
    if !owner.may_be_service() {
        return;
    }
    let written = number_attr(lookup(pod.pod, "terminationGracePeriodSeconds"));
    let data = StopGrace {
        by: "kubernetes".into(),
        workload: object.name.as_str().into(),
        platform_default: Attr::Known(!written.is_set()),
        seconds: if written.is_set() { written } else { Attr::Known(DEFAULT) },
        pre_stop_sleep: sleep(pod),
        of_service: owner.of_service.clone(),
        ..StopGrace::default()
    };
    let span = pod.pod.entry("terminationGracePeriodSeconds").map(|entry| entry.key_span);
    let span = span.unwrap_or_else(|| place(object, &["metadata", "name"]));
    let fact = deployment.context.fact(data, object.file, span);
    deployment.add(owner.mark(optional(object, fact)));
}

/// The longest sleep of the containers' preStop hooks; a hook that does something else takes an unknown time.
fn sleep(pod: &Pod<'_>) -> Attr<f64> {
    let mut longest = Attr::Unset;
    for (container, _) in pod.containers() {
        let hook = match lookup_at(container, &["lifecycle", "preStop"]) {
            Found::Absent => continue,
            Found::Unknown => return Attr::Unknown,
            Found::Node(hook) => hook,
        };
        match (hook_sleep(hook), longest.known()) {
            (None, _) => return Attr::Unknown,
            (Some(seconds), Some(known)) if seconds <= *known => {}
            (Some(seconds), _) => longest = Attr::Known(seconds),
        }
    }
    longest
}

fn hook_sleep(hook: &Node) -> Option<f64> {
    if let Some(seconds) = hook.at(&["sleep", "seconds"]) {
        return number(seconds);
    }
    let words: Vec<String> = hook.at(&["exec", "command"])?.items().iter().filter_map(|word| written(word)).collect();
    let line = words.join(" ");
    let line = ["/bin/sh -c ", "sh -c ", "/bin/bash -c ", "bash -c "]
        .iter()
        .find_map(|shell| line.strip_prefix(shell))
        .unwrap_or(&line);
    let (program, seconds) = line.trim().trim_end_matches(';').split_once(' ')?;
    matches!(program, "sleep" | "/bin/sleep" | "/usr/bin/sleep")
        .then(|| seconds.trim().trim_end_matches('s').parse().ok())?
}

//! Variables that compose files and manifests give to a container, against what reads them.
//!
//! Said only of services all of whose variables are known by name: who reads every variable, or those with a prefix, may
//! read any.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Attr, Data, FactId, FactKind, Facts, ServiceId};
use crate::link::{Context, Linked};
use crate::scan::source::{FileId, Kind, Role, SourceFile};

/// Sources of configuration that read the variables that they name, or set what others read.
const BY_NAME: &[&str] = &["clap", "dotenvy", "aws-config"];

/// Fills in whether each variable that is set is read.
pub fn tie(context: &Context<'_>, linked: &mut Linked) {
    let closed = closed(context, &linked.facts);
    let names = |fact: &crate::facts::Fact| match &fact.data {
        Data::SetVariable(variable) => variable.name.known().cloned(),
        _ => None,
    };
    let set: Vec<(FactId, String)> = linked
        .facts
        .of(FactKind::SetVariable)
        .filter(|(_, fact)| !fact.services.is_empty() && fact.services.is_subset(&closed))
        .filter_map(|(id, fact)| Some((id, names(fact)?)))
        .collect();
    if set.is_empty() {
        return;
    }
    let wanted: BTreeSet<&str> = set.iter().map(|(_, name)| name.as_str()).collect();
    let mut read = seen(context, &wanted);
    for (_, fact) in linked.facts.of(FactKind::EnvRead) {
        if let Data::EnvRead(variable) = &fact.data {
            read.extend(variable.name.known().and_then(|name| wanted.get(name.as_str())));
        }
    }
    let others = of_other_programs(&linked.facts, &set, &read);
    for (id, name) in &set {
        let fact = &mut linked.facts.all[id.0 as usize];
        if let Data::SetVariable(variable) = &mut fact.data
            && !others.contains(id)
        {
            variable.read = Attr::Known(read.contains(name.as_str()));
        }
    }
}

/// The services that read variables by their names only, and at least one.
fn closed(context: &Context<'_>, facts: &Facts) -> BTreeSet<ServiceId> {
    let mut reads: BTreeSet<ServiceId> = BTreeSet::new();
    let mut open: BTreeSet<ServiceId> = BTreeSet::new();
    for (_, fact) in facts.of(FactKind::EnvRead) {
        match &fact.data {
            Data::EnvRead(variable) if variable.name.known().is_none() => open.extend(&fact.services),
            _ => reads.extend(&fact.services),
        }
    }
    for (_, fact) in facts.of(FactKind::ConfigSource) {
        let Data::ConfigSource(source) = &fact.data else { continue };
        let environment = source.kind.known().is_some_and(|kind| kind == "environment");
        let by_name = source.library.known().is_some_and(|library| BY_NAME.contains(&library.as_str()));
        if environment && !by_name {
            // In a library of the workspace it may be any service's.
            match fact.services.is_empty() {
                true => return BTreeSet::new(),
                false => open.extend(&fact.services),
            }
        }
    }
    let all = (0..context.services.len()).filter_map(|at| u16::try_from(at).ok()).map(ServiceId);
    all.filter(|service| reads.contains(service) && !open.contains(service)).collect()
}

/// Variables of containers most of whose variables nothing reads: these run something else.
fn of_other_programs(facts: &Facts, set: &[(FactId, String)], read: &BTreeSet<&str>) -> BTreeSet<FactId> {
    let mut containers: BTreeMap<(FileId, String), Vec<(FactId, bool)>> = BTreeMap::new();
    for (id, name) in set {
        let fact = facts.get(*id);
        let Data::SetVariable(variable) = &fact.data else { continue };
        let workload = variable.workload.known().cloned().unwrap_or_default();
        containers.entry((fact.place.file, workload)).or_default().push((*id, read.contains(name.as_str())));
    }
    let other = |all: &&Vec<(FactId, bool)>| all.iter().filter(|(_, read)| *read).count() * 2 < all.len();
    containers.values().filter(other).flatten().map(|(id, _)| *id).collect()
}

/// The wanted names that stand in something that may read them: code, scripts, settings. A manifest sets a variable
/// by its name, and reads it with a `$` before.
fn seen<'w>(context: &Context<'_>, wanted: &BTreeSet<&'w str>) -> BTreeSet<&'w str> {
    let mut seen = BTreeSet::new();
    let of = |file: &SourceFile| {
        let silent = [Kind::Env, Kind::Markdown, Kind::CargoLock, Kind::GitIgnore, Kind::DockerIgnore];
        !silent.contains(&file.kind) && file.role != Role::Docs
    };
    for file in context.repository.tree.files.iter().filter(|file| of(file)) {
        let sets = matches!(file.kind, Kind::Yaml | Kind::Json);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut before = "";
        let mut rest = file.text.as_ref();
        while let Some(start) = rest.find(is_word) {
            before = if start > 0 { &rest[..start] } else { before };
            let end = rest[start..].find(|c| !is_word(c)).map_or(rest.len(), |length| start + length);
            if let Some(name) = wanted.get(&rest[start..end])
                && (!sets || ["$", "${", "$("].iter().any(|mark| before.ends_with(mark)))
            {
                seen.insert(*name);
            }
            rest = &rest[end..];
        }
    }
    seen
}

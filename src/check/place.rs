//! Where an absence is shown: the first anchor that exists.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::evaluate::Scope;
use super::rules::Anchor;
use crate::facts::{Data, Fact, FactKind, Service};
use crate::link::Repository;
use crate::scan::source::{FileId, Kind, Place, Role, SourceFile, Span};

/// Folders and files of pipelines.
const PIPELINES: &[&str] = &[
    ".github/workflows/",
    ".gitlab-ci.yml",
    ".circleci/",
    ".woodpecker",
    "Jenkinsfile",
    "azure-pipelines",
    ".drone.yml",
    ".travis.yml",
    ".buildkite/",
];

/// The place of the first anchor that exists; else the service's start, its manifest, or any file.
pub fn of(anchors: &[Anchor], scope: &Scope<'_>, service: Option<&Service>, repository: &Repository) -> Option<Place> {
    let files = Files { repository, folder: service.map_or("", |service| service.folder.as_str()) };
    let named = anchors.iter().find_map(|anchor| match anchor {
        Anchor::Fact(kind) => first_fact(scope, *kind),
        Anchor::Manifest => files.manifest(),
        Anchor::Readme => files.readme(),
        Anchor::Workflow => files.workflow(),
        Anchor::File(kind) => files.of_kind(*kind),
    });
    let started = service.map(|service| service.anchor);
    named.or(started).or_else(|| files.manifest()).or_else(|| files.readme()).or_else(|| files.any())
}

/// The first by place, so that it does not depend on the order of linking; of routers the one whose file registers most
/// routes: not that of a metrics listener.
fn first_fact(scope: &Scope<'_>, kind: FactKind) -> Option<Place> {
    let facts = scope.of(kind).filter(|(_, fact)| fact.role == Role::Service);
    if kind == FactKind::Workload {
        let other = |fact: &Fact| !matches!(&fact.data, Data::Workload(workload) if workload.of_service.is_true());
        return facts.min_by_key(|(_, fact)| (other(fact), fact.place)).map(|(_, fact)| fact.place);
    }
    if kind != FactKind::Router {
        return facts.map(|(_, fact)| fact.place).min();
    }
    let mut routes: BTreeMap<FileId, usize> = BTreeMap::new();
    scope.of(FactKind::Route).for_each(|(_, route)| *routes.entry(route.place.file).or_default() += 1);
    let registers = |place: &Place| routes.get(&place.file).copied().unwrap_or_default();
    facts.map(|(_, fact)| fact.place).min_by_key(|place| (Reverse(registers(place)), *place))
}

struct Files<'a> {
    repository: &'a Repository,
    folder: &'a str,
}

impl<'a> Files<'a> {
    fn all(&self) -> impl Iterator<Item = &'a SourceFile> + use<'a> {
        self.repository.tree.files.iter()
    }

    /// Of the service's folder, else the one nearest to the root.
    fn nearest(&self, wanted: impl Fn(&SourceFile) -> bool) -> Option<&'a SourceFile> {
        let folder = if self.folder == "." { "" } else { self.folder };
        let rank = |file: &&SourceFile| (file.folder() != folder, file.path.matches('/').count(), file.path.clone());
        self.all().filter(|file| wanted(file)).min_by_key(rank)
    }

    fn manifest(&self) -> Option<Place> {
        let file = self.nearest(|file| file.kind == Kind::CargoManifest)?;
        let at = ["[package]", "[workspace]"].iter().find_map(|head| file.text.find(head).map(|at| (at, head.len())));
        let span = at.map_or_else(|| file.line_span(1), |(at, length)| Span::new(at, at + length));
        Some(Place { file: file.id, span })
    }

    fn readme(&self) -> Option<Place> {
        self.nearest(|file| file.name().to_ascii_lowercase().starts_with("readme") && file.kind != Kind::Binary)
            .map(head)
    }

    fn workflow(&self) -> Option<Place> {
        self.all().find(|file| PIPELINES.iter().any(|start| file.path.starts_with(start))).map(head)
    }

    fn of_kind(&self, kind: Kind) -> Option<Place> {
        self.nearest(|file| file.kind == kind && file.role == Role::Service).map(head)
    }

    fn any(&self) -> Option<Place> {
        let text = self.all().find(|file| file.kind != Kind::Binary && !file.text.is_empty());
        text.or_else(|| self.all().next()).map(head)
    }
}

/// The first line with something on it.
fn head(file: &SourceFile) -> Place {
    let lines = file.text.lines().count();
    let first = file.text.lines().position(|line| !line.trim().is_empty()).unwrap_or(0).min(lines);
    Place { file: file.id, span: file.line_span(u32::try_from(first + 1).unwrap_or(1)) }
}

//! Facts about services and their packages.

use std::collections::{BTreeMap, BTreeSet};

use super::{databases, packages};
use crate::facts::{Attr, Data, Fact, FactKind, ServiceId, vocabulary};
use crate::link::workspace::{Package, PackageDependency, TargetKind};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::scan::source::{FileId, Role, SourceFile, Span};

/// Adds the facts of this part: services, databases, dependencies, lock files, the panic strategy.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (id, service) in (0u16..).map(ServiceId).zip(context.services) {
        let packages = packages(context.workspace, service);
        let databases = databases::of(context.repository, context.workspace, &packages);
        let engines: BTreeSet<String> = databases.iter().map(|database| database.engine.to_string()).collect();
        let frameworks = service.frameworks.iter().map(|words| words.split(' ').next().unwrap_or(words).to_string());
        let data = vocabulary::Service {
            name: service.name.clone().into(),
            frameworks: Attr::Known(frameworks.collect()),
            databases: Attr::Known(engines.into_iter().collect()),
            ..Default::default()
        };
        let mut fact = Fact::new(data, service.anchor, Role::Service);
        fact.services = BTreeSet::from([id]);
        linked.facts.add(fact);
        for used in databases {
            let data = vocabulary::Database { engine: used.engine.into(), library: used.library.into() };
            let mut fact = context.fact_in_role(data, used.manifest, used.span, Role::Service);
            fact.services = BTreeSet::from([id]);
            linked.facts.add(fact);
        }
    }
    for package in &context.workspace.packages {
        for dependency in &package.dependencies {
            linked.facts.add(context.fact(dependency_data(dependency), package.manifest, dependency.span));
        }
    }
    workspaces(context, linked);
}

fn dependency_data(dependency: &PackageDependency) -> vocabulary::Dependency {
    let source = match (&dependency.local, dependency.git) {
        (Some(_), _) => "path",
        (None, true) => "git",
        (None, false) => "registry",
    };
    vocabulary::Dependency {
        name: dependency.package.clone().into(),
        version: dependency.version.clone().into(),
        features: Attr::Known(dependency.features.clone()),
        source: source.into(),
        development: dependency.development.into(),
    }
}

/// Lock file and panic strategy of each workspace that holds a program.
fn workspaces(context: &Context<'_>, linked: &mut Linked) {
    let mut roots: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in &context.workspace.packages {
        roots.entry(&package.workspace).or_default().push(package);
    }
    for (folder, members) in roots {
        let service_role = |package: &&&Package| context.repository.tree.file(package.manifest).role == Role::Service;
        // A fuzzer's crate is a workspace of its own beside the one that is shipped.
        let fuzzes = |package: &&Package| package.dependencies.iter().any(|it| it.package == "libfuzzer-sys");
        let members: Vec<&Package> =
            members.iter().filter(service_role).copied().filter(|package| !fuzzes(package)).collect();
        let of_binary =
            members.iter().any(|package| package.targets.iter().any(|target| target.kind == TargetKind::Binary));
        let below = |name: &str| if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
        let Some(manifest) = context.repository.tree.find(&below("Cargo.toml")) else { continue };
        let services: BTreeSet<ServiceId> =
            members.iter().flat_map(|package| context.services_of(package.manifest)).collect();
        // Beside a service's workspace, another one's programs (inputs of tests, tools) are not what goes live.
        let beside = services.is_empty() && !context.services.is_empty();
        if of_binary && !beside {
            let lock = context.repository.tree.find(&below("Cargo.lock"));
            let mut fact = lock_fact(context, lock, manifest);
            fact.services.clone_from(&services);
            linked.facts.add(fact);
        }
        if let Some(mut fact) = panic_strategy(context, manifest.id) {
            fact.services = services;
            linked.facts.add(fact);
        }
    }
}

fn lock_fact(context: &Context<'_>, lock: Option<&SourceFile>, manifest: &SourceFile) -> Fact {
    let tracked = match lock.map(|file| file.tracked) {
        Some(Some(tracked)) => Attr::Known(tracked),
        Some(None) => Attr::Unknown,
        None => Attr::Known(false),
    };
    let data = vocabulary::Lockfile { present: lock.is_some().into(), tracked, of_binary: true.into() };
    context.fact(data, lock.unwrap_or(manifest).id, Span::default())
}

fn panic_strategy(context: &Context<'_>, manifest: FileId) -> Option<Fact> {
    let (_, parsed) = context.repository.get(manifest);
    let Syntax::Documents(documents) = &parsed.syntax else { return None };
    let value = documents.first()?.at(&["profile", "release", "panic"])?;
    let strategy = value.text()?;
    Some(context.fact(vocabulary::PanicStrategy { strategy: strategy.into() }, manifest, value.span))
}

/// Fills in what a service's fact says of facts that later parts have found.
pub fn complete(context: &Context<'_>, linked: &mut Linked) {
    for id in (0u16..).map(ServiceId).take(context.services.len()) {
        let seen = Seen::of(linked, id);
        let own =
            linked.facts.all.iter_mut().find(|fact| fact.kind() == FactKind::Service && fact.services.contains(&id));
        if let Some(Fact { data: Data::Service(service), .. }) = own {
            service.calls_out = seen.calls_out.into();
            service.serves_html = seen.serves_html.into();
            service.uses_cookies = seen.uses_cookies.into();
            service.changes_state = seen.changes_state.into();
            service.platforms = Attr::Known(seen.platforms.into_iter().collect());
        }
    }
}

#[derive(Default)]
struct Seen {
    calls_out: bool,
    serves_html: bool,
    uses_cookies: bool,
    changes_state: bool,
    platforms: BTreeSet<String>,
}

impl Seen {
    fn of(linked: &Linked, id: ServiceId) -> Seen {
        let mut seen = Seen::default();
        let of_service = |fact: &&Fact| fact.services.contains(&id) && fact.role == Role::Service;
        linked.facts.all.iter().filter(of_service).for_each(|fact| seen.look(&fact.data));
        seen
    }

    fn look(&mut self, data: &Data) {
        match data {
            Data::OutboundClient(_) => self.calls_out = true,
            Data::HtmlOutput(_) => self.serves_html = true,
            Data::Cookie(_) => self.uses_cookies = true,
            Data::SessionStore(_) => self.uses_cookies = true,
            Data::Authentication(found) if found.by_cookie.is_true() => self.uses_cookies = true,
            Data::Route(route) if route.changes_state.is_true() => self.changes_state = true,
            Data::DeploymentTarget(target) => self.platforms.extend(target.platform.known().cloned()),
            Data::Workload(_) => {
                self.platforms.insert("kubernetes".to_string());
            }
            Data::Image(image) if image.of_service.is_true() => {
                self.platforms.insert("docker".to_string());
            }
            Data::ComposeService(found) if found.built.is_true() => {
                self.platforms.insert("compose".to_string());
            }
            _ => {}
        }
    }
}

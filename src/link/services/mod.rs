//! Which services the repository holds, and which files belong to which.

mod databases;
mod emit;
mod starts;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::Repository;
use super::catalog::Catalog;
use super::names::{FunctionId, Names};
use super::workspace::{Package, TargetKind, Workspace};
use crate::facts::{Service, ServiceId, UnreadServer};
use crate::scan::source::{FileId, Kind, Place, Role};
pub use emit::{complete, emit};
pub use starts::Start;

/// Packages with a binary whose `main` reaches a server start, in itself or in crates it depends on. Where the call
/// graph ends before one (trait objects, macros), a start in code that no other service reaches counts too.
pub fn find(repository: &Repository, workspace: &Workspace, names: &Names<'_>, _catalog: &Catalog) -> Vec<Service> {
    let finder = Finder { repository, workspace, names, starts: starts::all(repository, workspace, names) };
    let programs: Vec<&Package> = workspace.packages.iter().filter(|package| finder.has_program(package)).collect();
    let mut found: BTreeMap<&str, Vec<&Start>> = BTreeMap::new();
    for package in &programs {
        let reached = finder.reached(package);
        if !reached.is_empty() {
            found.insert(&package.folder, reached);
        }
    }
    let claimed: BTreeSet<Place> = found.values().flatten().map(|start| start.place).collect();
    for package in programs {
        if !found.contains_key(package.folder.as_str()) {
            let unreached = finder.unreached(package, &claimed);
            if !unreached.is_empty() {
                found.insert(&package.folder, unreached);
            }
        }
    }
    found.iter().filter_map(|(folder, starts)| finder.service(workspace.at(folder)?, starts)).collect()
}

/// Whether there can be a service at all: a program, and a dependency on what servers are started with.
pub fn possible(workspace: &Workspace) -> bool {
    let program = workspace.packages.iter().any(|package| package.binaries().next().is_some());
    let mut dependencies = workspace.packages.iter().flat_map(|package| &package.dependencies);
    program && dependencies.any(starts::may_start)
}

/// Frameworks of servers that are not read: how their servers start and route is not known.
const UNREAD: &[&str] = &[
    "iron",
    "gotham",
    "nickel",
    "rouille",
    "tiny_http",
    "trillium",
    "dropshot",
    "rweb",
    "viz",
    "thruster",
    "pavex",
    "volo-http",
    "ohkami",
    "xitca-web",
    "may_minihttp",
    "astra",
    "simple-server",
    "saphir",
    "roa",
    "graphul",
];

/// A program of the tree that is built on a framework of servers that is not read.
pub fn unread(repository: &Repository, workspace: &Workspace) -> Option<UnreadServer> {
    let programs = workspace.packages.iter().filter(|package| {
        package.binaries().next().is_some() && repository.tree.file(package.manifest).role == Role::Service
    });
    programs.flat_map(|package| package.dependencies.iter().map(move |used| (package, used))).find_map(
        |(package, used)| {
            let server = UNREAD.contains(&used.package.as_str()) && !used.development;
            server.then(|| UnreadServer {
                program: package.name.clone(),
                framework: used.package.clone(),
                has_database: !databases::of(repository, workspace, &local(workspace, package)).is_empty(),
            })
        },
    )
}

/// A package and the packages of the tree that it depends on.
fn local<'w>(workspace: &'w Workspace, package: &'w Package) -> Vec<&'w Package> {
    let mut found = vec![package];
    let mut at = 0;
    while let Some(package) = found.get(at).copied() {
        let used = package.dependencies.iter().filter(|dependency| !dependency.development);
        for other in used.filter_map(|dependency| workspace.at(dependency.local.as_deref()?)) {
            if !found.iter().any(|seen| std::ptr::eq(*seen, other)) {
                found.push(other);
            }
        }
        at += 1;
    }
    found
}

/// Words in a package's name that tell a program for trying others out.
const RIGS: &[&str] = &["fuzz", "testbench", "bench", "stress", "loadtest", "load-test", "xtask"];

struct Finder<'r, 'a> {
    repository: &'r Repository,
    workspace: &'r Workspace,
    names: &'r Names<'a>,
    starts: Vec<Start>,
}

impl Finder<'_, '_> {
    fn has_program(&self, package: &Package) -> bool {
        let rig = RIGS.iter().any(|word| package.name.contains(word));
        !rig && package.binaries().any(|target| self.repository.tree.file(target.root).role == Role::Service)
    }

    /// Starts that a program of the package reaches, nearest first.
    fn reached(&self, package: &Package) -> Vec<&Start> {
        let mut open: VecDeque<FunctionId> = self.entries(package).into();
        let mut seen: BTreeSet<FunctionId> = open.iter().copied().collect();
        let by_function = self.starts_by_function();
        let mut found = Vec::new();
        while let Some(function) = open.pop_front() {
            found.extend(by_function.get(&function).into_iter().flatten().copied());
            for site in self.names.calls(function) {
                let info = self.names.function(site.target);
                if info.role != Role::Test && seen.insert(site.target) {
                    open.push_back(site.target);
                }
            }
        }
        found
    }

    fn starts_by_function(&self) -> HashMap<FunctionId, Vec<&Start>> {
        let mut by_function: HashMap<FunctionId, Vec<&Start>> = HashMap::new();
        for start in &self.starts {
            by_function.entry(start.function).or_default().push(start);
        }
        by_function
    }

    /// `main` of each program, and functions that an attribute makes one.
    fn entries(&self, package: &Package) -> Vec<FunctionId> {
        let roots: Vec<FileId> = package
            .targets
            .iter()
            .filter(|target| target.kind == TargetKind::Binary)
            .map(|target| target.root)
            .filter(|root| self.repository.tree.file(*root).role == Role::Service)
            .collect();
        let entry = |file: &FileId| -> Option<Vec<FunctionId>> {
            let module = self.names.module_of_file(*file)?;
            let functions = self.names.functions().iter().filter(|info| info.file == *file && info.module == module);
            Some(functions.filter(|info| starts::is_entry(info)).map(|info| info.id).collect())
        };
        roots.iter().filter_map(entry).flatten().collect()
    }

    /// Starts in code that is compiled into the package and that nothing is known to reach.
    fn unreached(&self, package: &Package, claimed: &BTreeSet<Place>) -> Vec<&Start> {
        let crates = crates_of(self.workspace, package);
        let compiled = |place: Place| {
            let path = &self.repository.tree.file(place.file).path;
            self.workspace.package_of(path).is_some_and(|package| crates.contains(&package.folder))
        };
        let free = self.starts.iter().filter(|start| !claimed.contains(&start.place));
        free.filter(|start| compiled(start.place)).collect()
    }

    fn service(&self, package: &Package, starts: &[&Start]) -> Option<Service> {
        // The server that people mean: not one for metrics or administration, HTTP before RPC.
        let anchor = starts.iter().min_by_key(|start| (start.is_side_server, start.framework == "tonic"))?;
        let crates = crates_of(self.workspace, package);
        let packages: Vec<&Package> = crates.iter().filter_map(|folder| self.workspace.at(folder)).collect();
        let mut frameworks: Vec<String> = Vec::new();
        let all = std::iter::once(anchor).chain(starts);
        for name in all.map(|start| starts::framework(start.framework, &packages)) {
            let words = match starts::version(name, &packages) {
                Some(version) => format!("{name} {version}"),
                None => name.to_string(),
            };
            if !frameworks.contains(&words) {
                frameworks.push(words);
            }
        }
        let databases = databases::of(self.repository, self.workspace, &packages);
        Some(Service {
            name: package.name.clone(),
            folder: dotted(&package.folder),
            crates: crates.iter().map(|folder| dotted(folder)).collect(),
            frameworks,
            databases: databases.iter().map(|database| format!("{}:{}", database.engine, database.library)).collect(),
            anchor: anchor.place,
        })
    }
}

/// A folder as reports name it.
fn dotted(folder: &str) -> String {
    if folder.is_empty() { ".".to_string() } else { folder.to_string() }
}

/// A folder as the workspace names it.
fn plain(folder: &str) -> &str {
    if folder == "." { "" } else { folder }
}

/// Folders of the crates that are compiled into a package: its own, then those of its dependencies.
fn crates_of(workspace: &Workspace, package: &Package) -> Vec<String> {
    let mut found = vec![package.folder.clone()];
    let mut at = 0;
    while at < found.len() {
        let dependencies = workspace.at(&found[at]).map_or(&[][..], |package| &package.dependencies);
        let mut local: Vec<&String> = dependencies
            .iter()
            .filter(|dependency| !dependency.development)
            .filter_map(|dependency| dependency.local.as_ref())
            .collect();
        local.sort();
        for folder in local {
            if !found.contains(folder) {
                found.push(folder.clone());
            }
        }
        at += 1;
    }
    found
}

/// The packages of a service, its own first.
pub(super) fn packages<'w>(workspace: &'w Workspace, service: &Service) -> Vec<&'w Package> {
    service.crates.iter().filter_map(|folder| workspace.at(plain(folder))).collect()
}

/// See [`super::Context::services_of`].
pub fn of_file(
    repository: &Repository,
    workspace: &Workspace,
    services: &[Service],
    file: FileId,
) -> BTreeSet<ServiceId> {
    let file = repository.tree.file(file);
    let only = || beside(&file.path, services);
    let Some(package) = workspace.package_of(&file.path) else { return only() };
    let folder = dotted(&package.folder);
    let owners = (0u16..).map(ServiceId).zip(services).filter(|(_, service)| service.crates.contains(&folder));
    let owners: BTreeSet<ServiceId> = owners.map(|(id, _)| id).collect();
    // A package at the root holds everything that stands outside other packages, deployment files too.
    let code = matches!(file.kind, Kind::Rust | Kind::CargoManifest);
    if owners.is_empty() && package.folder.is_empty() && !code { only() } else { owners }
}

/// The one service below the innermost folder around a file that holds any: deployment files stand beside what they
/// deploy. Several services there share nothing for certain.
fn beside(path: &str, services: &[Service]) -> BTreeSet<ServiceId> {
    let mut folder = path;
    while let Some((parent, _)) = folder.rsplit_once('/') {
        folder = parent;
        let inside = |service: &Service| service.folder == folder || service.folder.starts_with(&format!("{folder}/"));
        let found: Vec<ServiceId> =
            (0u16..).map(ServiceId).zip(services).filter(|(_, service)| inside(service)).map(|(id, _)| id).collect();
        match found.as_slice() {
            [] => {}
            [one] => return BTreeSet::from([*one]),
            _ => return BTreeSet::new(),
        }
    }
    if services.len() == 1 { BTreeSet::from([ServiceId(0)]) } else { BTreeSet::new() }
}

#[cfg(test)]
mod tests;

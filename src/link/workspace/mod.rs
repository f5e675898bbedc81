//! Packages of the tree: manifests, targets, features, dependencies.

mod dependencies;
mod features;
mod targets;

use std::collections::BTreeMap;

use super::Repository;
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{FileId, Kind, Role, Span};

/// All packages of the tree, sorted by folder.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Workspace {
    /// The packages.
    pub packages: Vec<Package>,
}

/// A package: a Cargo.toml with `[package]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Package {
    /// Package name.
    pub name: String,
    /// Folder relative to the root, empty for the root.
    pub folder: String,
    /// Its Cargo.toml.
    pub manifest: FileId,
    /// Its targets.
    pub targets: Vec<Target>,
    /// Dependencies of all tables, workspace inheritance resolved.
    pub dependencies: Vec<PackageDependency>,
    /// Features on by default (transitively within the package).
    pub default_features: Vec<String>,
    /// Features that the program is built with: on by default, asked for by packages of the tree that depend on it,
    /// or by a build command of the tree. `None` where a build command names features that reading cannot resolve.
    pub active_features: Option<Vec<String>>,
    /// Folder of the workspace root it belongs to; its own folder where it stands alone.
    pub workspace: String,
}

impl Package {
    /// Its library, where it has one.
    pub fn library(&self) -> Option<&Target> {
        self.targets.iter().find(|target| target.kind == TargetKind::Library)
    }

    /// Its binaries.
    pub fn binaries(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.kind == TargetKind::Binary)
    }

    /// The dependency that code calls by this name, tables of every kind included.
    pub fn dependency(&self, code_name: &str) -> Option<&PackageDependency> {
        self.dependencies.iter().find(|dependency| dependency.code_name == code_name)
    }
}

/// A target of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// lib, bin, test, example, bench or build-script.
    pub kind: TargetKind,
    /// Its name; for a library the crate name (`-` as `_`).
    pub name: String,
    /// Its root file.
    pub root: FileId,
}

/// Kinds of targets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Cargo's names
pub enum TargetKind {
    Library,
    Binary,
    Test,
    Example,
    Bench,
    BuildScript,
}

/// A dependency of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageDependency {
    /// Name in code (`-` as `_`, renames applied).
    pub code_name: String,
    /// Package name on the registry.
    pub package: String,
    /// Version requirement as written, `*` for none.
    pub version: String,
    /// Features asked for (workspace ones included).
    pub features: Vec<String>,
    /// `default-features = false`.
    pub no_default_features: bool,
    /// Folder of a path dependency that is a package of this tree.
    pub local: Option<String>,
    /// `git = ".."`.
    pub git: bool,
    /// In dev- or build-dependencies only.
    pub development: bool,
    /// Optional.
    pub optional: bool,
    /// Where its key stands in the manifest.
    pub span: Span,
}

impl Workspace {
    /// Reads all manifests of the tree.
    pub fn build(repository: &Repository) -> Workspace {
        let manifests = manifests(repository);
        let mut packages: Vec<Package> = manifests
            .iter()
            .filter_map(|(folder, manifest)| package(repository, &manifests, folder, manifest))
            .collect();
        packages.sort_by(|a, b| a.folder.cmp(&b.folder));
        let folders: Vec<String> = packages.iter().map(|package| package.folder.clone()).collect();
        for dependency in packages.iter_mut().flat_map(|package| &mut package.dependencies) {
            dependency.local = dependency.local.take().filter(|folder| folders.binary_search(folder).is_ok());
        }
        features::activate(repository, &manifests, &mut packages);
        Workspace { packages }
    }

    /// Name in code of the library of a package's folder.
    pub fn lib_name(&self, folder: Option<&str>) -> Option<String> {
        self.at(folder?)?.library().map(|target| target.name.clone())
    }

    /// The package of a folder.
    pub fn at(&self, folder: &str) -> Option<&Package> {
        let found = self.packages.binary_search_by(|package| package.folder.as_str().cmp(folder));
        found.ok().map(|at| &self.packages[at])
    }

    /// The package whose folder holds a path: the innermost.
    pub fn package_of(&self, path: &str) -> Option<&Package> {
        self.packages
            .iter()
            .filter(|package| {
                package.folder.is_empty()
                    || path.strip_prefix(&package.folder).is_some_and(|rest| rest.starts_with('/'))
            })
            .max_by_key(|package| package.folder.len())
    }
}

/// A manifest with its file.
#[derive(Clone, Copy, Debug)]
struct Manifest<'a> {
    file: FileId,
    root: &'a Node,
}

/// Manifests by folder. Other people's code is left out.
type Manifests<'a> = BTreeMap<&'a str, Manifest<'a>>;

fn manifests(repository: &Repository) -> Manifests<'_> {
    let mut found = Manifests::new();
    for (file, parsed) in repository.files() {
        let Syntax::Documents(documents) = &parsed.syntax else { continue };
        if file.kind == Kind::CargoManifest
            && file.role != Role::Vendored
            && let Some(root) = documents.first()
        {
            found.insert(file.folder(), Manifest { file: file.id, root });
        }
    }
    found
}

/// The root of the workspace that a folder belongs to: the nearest `[workspace]` at or above it.
fn workspace_root<'m>(
    manifests: &'m Manifests<'_>,
    folder: &str,
    manifest: &Manifest<'_>,
) -> Option<(String, &'m Node)> {
    if let Some(named) = manifest.root.at(&["package", "workspace"]).and_then(Node::text) {
        let folder = join(folder, named)?;
        let root = manifests.get(folder.as_str())?;
        return Some((folder, root.root));
    }
    let mut at = folder;
    loop {
        if let Some(above) = manifests.get(at)
            && above.root.get("workspace").is_some()
        {
            return Some((at.to_string(), above.root));
        }
        if at.is_empty() {
            return None;
        }
        at = at.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
}

fn package(
    repository: &Repository,
    manifests: &Manifests<'_>,
    folder: &str,
    manifest: &Manifest<'_>,
) -> Option<Package> {
    let name = manifest.root.at(&["package", "name"])?.text()?;
    let root = workspace_root(manifests, folder, manifest);
    let targets = targets::find(&repository.tree, folder, name, manifest.root);
    // A manifest without code (left over in another package's `src`) claims no files.
    if targets.is_empty() {
        return None;
    }
    Some(Package {
        name: name.to_string(),
        folder: folder.to_string(),
        manifest: manifest.file,
        targets,
        dependencies: dependencies::read(folder, manifest.root, root.as_ref().map(|(at, node)| (at.as_str(), *node))),
        default_features: features::by_default(manifest.root),
        active_features: None,
        workspace: root.map_or_else(|| folder.to_string(), |(at, _)| at),
    })
}

/// A relative path seen from a folder, without `.` and `..`; `None` where it leaves the tree.
fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests;

//! Packages of the tree: manifests, targets, features, dependencies.

use super::Repository;
use crate::scan::source::{FileId, Span};

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
    pub fn build(_repository: &Repository) -> Workspace {
        Workspace::default()
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

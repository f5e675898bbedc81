//! Targets of a package: what its manifest names, and what Cargo finds by itself.

use super::{Target, TargetKind, join};
use crate::parse::document::Node;
use crate::scan::source::{FileId, SourceFile, Tree};

/// A kind of target with its table, its folder and the switch for finding it.
struct Family {
    kind: TargetKind,
    table: &'static str,
    folder: &'static str,
    switch: &'static str,
}

const FAMILIES: &[Family] = &[
    Family { kind: TargetKind::Binary, table: "bin", folder: "src/bin", switch: "autobins" },
    Family { kind: TargetKind::Test, table: "test", folder: "tests", switch: "autotests" },
    Family { kind: TargetKind::Example, table: "example", folder: "examples", switch: "autoexamples" },
    Family { kind: TargetKind::Bench, table: "bench", folder: "benches", switch: "autobenches" },
];

/// Finds the targets; the library first.
pub(super) fn find(tree: &Tree, folder: &str, package: &str, manifest: &Node) -> Vec<Target> {
    let mut finder = Finder { tree, folder, package, manifest, targets: Vec::new() };
    finder.library();
    for family in FAMILIES {
        finder.named(family);
        finder.found(family);
    }
    finder.build_script();
    finder.targets
}

struct Finder<'a> {
    tree: &'a Tree,
    folder: &'a str,
    package: &'a str,
    manifest: &'a Node,
    targets: Vec<Target>,
}

impl Finder<'_> {
    fn file(&self, relative: &str) -> Option<FileId> {
        self.tree.find(&join(self.folder, relative)?).map(|file| file.id)
    }

    fn add(&mut self, kind: TargetKind, name: &str, root: Option<FileId>) {
        let Some(root) = root else { return };
        if !self.targets.iter().any(|target| target.root == root) {
            self.targets.push(Target { kind, name: name.to_string(), root });
        }
    }

    fn library(&mut self) {
        let table = self.manifest.get("lib");
        let name = table.and_then(|lib| lib.get("name")).and_then(Node::text).unwrap_or(self.package);
        let path = table.and_then(|lib| lib.get("path")).and_then(Node::text).unwrap_or("src/lib.rs");
        self.add(TargetKind::Library, &name.replace('-', "_"), self.file(path));
    }

    fn named(&mut self, family: &Family) {
        for table in self.manifest.get(family.table).map_or(&[][..], Node::items) {
            let Some(name) = table.get("name").and_then(Node::text) else { continue };
            let root = match table.get("path").and_then(Node::text) {
                Some(path) => self.file(path),
                None => self.usual_place(family, name),
            };
            self.add(family.kind, name, root);
        }
    }

    fn usual_place(&self, family: &Family, name: &str) -> Option<FileId> {
        let places = [format!("{}/{name}.rs", family.folder), format!("{}/{name}/main.rs", family.folder)];
        let found = places.iter().find_map(|place| self.file(place));
        if family.kind == TargetKind::Binary { found.or_else(|| self.file("src/main.rs")) } else { found }
    }

    fn found(&mut self, family: &Family) {
        if self.manifest.at(&["package", family.switch]).and_then(Node::flag) == Some(false) {
            return;
        }
        if family.kind == TargetKind::Binary {
            self.add(family.kind, self.package, self.file("src/main.rs"));
        }
        let Some(folder) = join(self.folder, family.folder) else { return };
        for file in below(self.tree, &folder) {
            let Some(rest) = file.path[folder.len() + 1..].strip_suffix(".rs") else { continue };
            let name = rest.strip_suffix("/main").unwrap_or(rest);
            if !name.contains('/') {
                self.add(family.kind, name, Some(file.id));
            }
        }
    }

    fn build_script(&mut self) {
        let setting = self.manifest.at(&["package", "build"]);
        if setting.and_then(Node::flag) == Some(false) {
            return;
        }
        let path = setting.and_then(Node::text).unwrap_or("build.rs");
        self.add(TargetKind::BuildScript, "build", self.file(path));
    }
}

/// Files in a folder, at any depth.
pub(super) fn below<'t>(tree: &'t Tree, folder: &str) -> impl Iterator<Item = &'t SourceFile> {
    let prefix = format!("{folder}/");
    let start = tree.files.partition_point(|file| file.path.as_str() < prefix.as_str());
    tree.files[start..].iter().take_while(move |file| file.path.starts_with(&prefix))
}

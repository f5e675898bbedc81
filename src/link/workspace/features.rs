//! Which features of the packages the program is built with.

use std::collections::{BTreeMap, BTreeSet};

use super::{Manifests, Package, TargetKind};
use crate::link::Repository;
use crate::parse::document::Node;
use crate::scan::source::{Kind, Role};

/// Features that `default` brings in, within the package.
pub(super) fn by_default(manifest: &Node) -> Vec<String> {
    let mut on = BTreeSet::new();
    let mut open = vec!["default".to_string()];
    while let Some(feature) = open.pop() {
        for part in parts(manifest, &feature) {
            if !part.contains(['/', ':']) && on.insert(part.to_string()) {
                open.push(part.to_string());
            }
        }
    }
    on.into_iter().collect()
}

fn parts<'m>(manifest: &'m Node, feature: &str) -> impl Iterator<Item = &'m str> {
    let listed = manifest.at(&["features", feature]).map_or(&[][..], Node::items);
    listed.iter().filter_map(|item| item.text())
}

/// Sets the active features of all packages: those that programs start with, carried along dependencies.
pub(super) fn activate(repository: &Repository, manifests: &Manifests<'_>, packages: &mut [Package]) {
    let built = builds(repository);
    let mut spread = Spread {
        at: packages.iter().enumerate().map(|(at, package)| (package.folder.as_str(), at)).collect(),
        packages,
        on: vec![BTreeSet::new(); packages.len()],
        open: Vec::new(),
    };
    spread.start(&built);
    spread.run(manifests);
    let on = spread.on;
    for (package, on) in packages.iter_mut().zip(on) {
        package.active_features = if built.unresolved { None } else { Some(on.into_iter().collect()) };
    }
}

struct Spread<'p> {
    packages: &'p [Package],
    at: BTreeMap<&'p str, usize>,
    on: Vec<BTreeSet<String>>,
    open: Vec<(usize, String)>,
}

impl Spread<'_> {
    fn start(&mut self, built: &Builds) {
        let mut asked: BTreeSet<&str> = BTreeSet::new();
        for package in self.packages {
            let local = package.dependencies.iter().filter(|dependency| !dependency.development);
            asked.extend(local.filter_map(|dependency| dependency.local.as_deref()));
        }
        for (at, package) in self.packages.iter().enumerate() {
            let program = package.targets.iter().any(|target| target.kind == TargetKind::Binary);
            if program || !asked.contains(package.folder.as_str()) {
                if !built.without_default {
                    self.switch(at, "default");
                }
                built.features.iter().for_each(|feature| self.switch(at, feature));
            }
            self.dependencies_of(at);
        }
    }

    fn switch(&mut self, at: usize, feature: &str) {
        if self.on[at].insert(feature.to_string()) {
            self.open.push((at, feature.to_string()));
        }
    }

    fn dependencies_of(&mut self, at: usize) {
        let packages = self.packages;
        for dependency in packages[at].dependencies.iter().filter(|dependency| !dependency.development) {
            let Some(to) = dependency.local.as_deref().and_then(|folder| self.at.get(folder).copied()) else {
                continue;
            };
            if !dependency.no_default_features {
                self.switch(to, "default");
            }
            dependency.features.iter().for_each(|feature| self.switch(to, feature));
        }
    }

    fn run(&mut self, manifests: &Manifests<'_>) {
        while let Some((at, feature)) = self.open.pop() {
            let packages = self.packages;
            let Some(manifest) = manifests.get(packages[at].folder.as_str()) else { continue };
            for part in parts(manifest.root, &feature) {
                match part.split_once('/') {
                    Some((name, of)) => self.forward(at, name.trim_end_matches('?'), of),
                    None => self.switch(at, part.strip_prefix("dep:").unwrap_or(part)),
                }
            }
        }
    }

    /// `name/of` in the features of a package.
    fn forward(&mut self, at: usize, name: &str, of: &str) {
        let packages = self.packages;
        let code_name = name.replace('-', "_");
        let local = packages[at].dependency(&code_name).and_then(|dependency| dependency.local.as_deref());
        self.switch(at, name);
        if let Some(to) = local.and_then(|folder| self.at.get(folder).copied()) {
            self.switch(to, of);
        }
    }
}

/// Features that build commands of the tree ask for.
#[derive(Debug, Default)]
struct Builds {
    features: BTreeSet<String>,
    /// A command names features that reading cannot resolve, or all of them.
    unresolved: bool,
    /// Every build command of the images leaves the default features out.
    without_default: bool,
}

fn builds(repository: &Repository) -> Builds {
    let mut builds = Builds { without_default: images_leave_default_out(repository), ..Builds::default() };
    let readable = |kind| matches!(kind, Kind::Dockerfile | Kind::Shell | Kind::Just | Kind::Make | Kind::Procfile);
    for file in repository.tree.files.iter().filter(|file| file.role == Role::Service && readable(file.kind)) {
        let joined = file.text.replace("\\\n", " ");
        for line in joined.lines().filter(|line| line.contains("cargo") && line.contains("--")) {
            if !line.trim_start().starts_with('#') {
                builds.line(line, &file.text);
            }
        }
    }
    builds
}

/// Whether the images are built without default features, all of them.
fn images_leave_default_out(repository: &Repository) -> bool {
    let files = repository.tree.files.iter();
    let images = files.filter(|file| file.role == Role::Service && file.kind == Kind::Dockerfile);
    let texts: Vec<String> = images.map(|file| file.text.replace("\\\n", " ").replace("\\\r\n", " ")).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| !line.trim_start().starts_with('#'));
    let commands = lines.flat_map(|line| line.split("&&")).flat_map(|part| part.split(';'));
    let builds = commands.filter(|command| {
        let words = command.split_whitespace().skip_while(|word| !word.ends_with("cargo")).skip(1);
        let mut words = words.filter(|word| !word.starts_with(['+', '-']));
        words.next().is_some_and(|word| matches!(word, "build" | "install" | "zigbuild" | "auditable"))
    });
    let without: Vec<bool> = builds.map(|command| command.contains("--no-default-features")).collect();
    !without.is_empty() && without.iter().all(|without| *without)
}

/// Commands of cargo that make what is shipped.
const BUILD_COMMANDS: &[&str] = &["build", "install", "chef", "zigbuild", "run", "auditable"];

impl Builds {
    fn line(&mut self, line: &str, text: &str) {
        let words: Vec<&str> = line.split([' ', '\t', '"', '\'', ',', '[', ']', ';', '&']).collect();
        if !words.iter().any(|word| BUILD_COMMANDS.contains(word)) {
            return;
        }
        self.unresolved |= words.contains(&"--all-features");
        // The option may stand several times.
        let options = line.replace(" -F ", " --features ");
        for after in options.split("--features").skip(1) {
            let value = after.trim_start_matches(['=', ' ', '"', '\'']);
            let value = value.split([' ', '"', '\'', ';', '&', '\\']).next().unwrap_or("");
            self.value(value, text);
        }
    }

    fn value(&mut self, value: &str, text: &str) {
        let Some(variable) = value.strip_prefix('$') else {
            self.features.extend(value.split(',').filter(|feature| !feature.is_empty()).map(str::to_string));
            return;
        };
        let name = variable.trim_matches(['{', '}']);
        let argument = text.lines().filter_map(|line| line.trim_start().strip_prefix("ARG ")).find_map(|argument| {
            let (known, value) = argument.trim().split_once('=')?;
            (known == name).then_some(value.trim_matches(['"', '\'']))
        });
        match argument {
            Some(value) if !value.contains('$') => {
                self.features.extend(value.split([',', ' ']).filter(|part| !part.is_empty()).map(str::to_string));
            }
            _ => self.unresolved = true,
        }
    }
}

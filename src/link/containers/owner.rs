//! Which service of the workspace an image, a Dockerfile or a container runs.

use std::collections::{BTreeMap, BTreeSet};

use super::known;
use crate::facts::{Attr, Confidence, Fact, ServiceId};
use crate::link::Context;
use crate::link::delivery::pipelines::Named;
use crate::link::workspace::TargetKind;
use crate::parse::Syntax;
use crate::scan::source::{FileId, Kind};

/// Who is run by something.
#[derive(Clone, PartialEq, Debug)]
pub struct Owner {
    /// It runs a service of this tree; unknown where several could be meant.
    pub of_service: Attr<bool>,
    /// Which ones.
    pub services: BTreeSet<ServiceId>,
    /// How sure.
    pub confidence: Confidence,
}

impl Owner {
    /// Something else: a database, a proxy, another language's service.
    pub fn other() -> Owner {
        Owner { of_service: Attr::Known(false), services: BTreeSet::new(), confidence: Confidence::High }
    }

    /// Certainly these services.
    pub fn of(services: BTreeSet<ServiceId>) -> Owner {
        Owner { of_service: Attr::Known(true), services, confidence: Confidence::High }
    }

    /// Cannot be told.
    pub fn unknown() -> Owner {
        Owner { of_service: Attr::Unknown, services: BTreeSet::new(), confidence: Confidence::Medium }
    }

    /// Whether it runs a service, or may.
    pub fn may_be_service(&self) -> bool {
        self.of_service != Attr::Known(false)
    }

    /// Gives a fact this owner's services and confidence.
    pub fn mark(&self, mut fact: Fact) -> Fact {
        fact.services = self.services.clone();
        fact.confidence = fact.confidence.min(self.confidence);
        fact
    }
}

/// What is known of the tree's services by name.
#[derive(Debug)]
pub struct Owners<'a> {
    context: &'a Context<'a>,
    /// Names that mean a service: package, folder, binaries.
    names: BTreeMap<String, BTreeSet<ServiceId>>,
    /// Names of folders that hold a Dockerfile of something else, and images that such files are built to.
    others: BTreeSet<String>,
    /// Owner of each Dockerfile, by its file.
    pub dockerfiles: BTreeMap<FileId, Owner>,
    /// Images that compose files or bake files build from a Dockerfile of the tree.
    pub built: BTreeMap<String, Owner>,
    /// A manifest names an image of a service: what it does not name is something else.
    pub matched_image: bool,
}

/// Package, folder and binary names in one spelling.
pub fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

impl<'a> Owners<'a> {
    /// Collects the names.
    pub fn new(context: &'a Context<'a>) -> Owners<'a> {
        let mut names: BTreeMap<String, BTreeSet<ServiceId>> = BTreeMap::new();
        for (at, service) in context.services.iter().enumerate() {
            let id = ServiceId(u16::try_from(at).unwrap_or(u16::MAX));
            let mut own = vec![service.name.clone()];
            own.extend(service.folder.rsplit('/').next().filter(|folder| *folder != ".").map(str::to_string));
            own.extend(binaries(context, &service.folder));
            for name in own {
                names.entry(normal(&name)).or_default().insert(id);
            }
        }
        Owners {
            context,
            names,
            others: BTreeSet::new(),
            dockerfiles: BTreeMap::new(),
            built: BTreeMap::new(),
            matched_image: false,
        }
    }

    /// All services.
    pub fn all(&self) -> BTreeSet<ServiceId> {
        (0..self.context.services.len()).map(|at| ServiceId(u16::try_from(at).unwrap_or(u16::MAX))).collect()
    }

    /// The only service, where there is one.
    fn only(&self) -> Option<BTreeSet<ServiceId>> {
        (self.context.services.len() == 1).then(|| self.all())
    }

    /// Services of a package, folder or binary name.
    pub fn named(&self, name: &str) -> Option<&BTreeSet<ServiceId>> {
        self.names.get(&normal(name))
    }

    /// Remembers whose a Dockerfile is.
    pub fn learn_dockerfile(&mut self, file: FileId, owner: Owner) {
        if owner.of_service == Attr::Known(false) {
            let folder = self.context.repository.tree.file(file).folder().rsplit('/').next().unwrap_or("");
            if !folder.is_empty() && self.named(folder).is_none() {
                self.others.insert(normal(folder));
            }
        }
        self.dockerfiles.insert(file, owner);
    }

    /// Remembers what pipelines build: whose an image is by its Dockerfile, and whose a Dockerfile is that says nothing
    /// of it, by the images built from it.
    pub fn learn_built(&mut self, built: &BTreeSet<Named>) {
        for Named { image, dockerfile } in built {
            let Some(file) = self.context.repository.tree.find(dockerfile).map(|file| file.id) else { continue };
            let services = self.named(&known::last_segment(image)).cloned().unwrap_or_default();
            let Some(owner) = self.dockerfiles.get_mut(&file) else { continue };
            if owner.of_service == Attr::Unknown && !services.is_empty() {
                *owner = Owner { confidence: Confidence::Medium, ..Owner::of(services) };
            } else if owner.of_service.is_true() && owner.confidence == Confidence::Medium {
                owner.services.extend(services);
            }
        }
        let mut unclear = BTreeSet::new();
        for Named { image, dockerfile } in built {
            let Some(owner) = self.dockerfile_at(dockerfile).cloned() else { continue };
            // A file that only copies what was compiled before may look like something else.
            let told =
                owner.of_service.is_true() || owner.of_service == Attr::Known(false) && !self.names_service(image);
            if !told {
                continue;
            }
            if self.built.get(image).is_some_and(|known| *known != owner) {
                unclear.insert(image);
            }
            self.built.insert(image.clone(), owner);
        }
        for image in unclear {
            self.built.remove(image);
        }
    }

    /// The owner of a Dockerfile by its path.
    pub fn dockerfile_at(&self, path: &str) -> Option<&Owner> {
        let file = self.context.repository.tree.find(path)?;
        self.dockerfiles.get(&file.id)
    }

    /// Whose an image is by its name.
    pub fn of_image(&self, image: &str) -> Owner {
        if let Some(owner) = self.built.get(known::split(image).0) {
            return owner.clone();
        }
        let segment = known::last_segment(image);
        if let Some(services) = self.named(&segment) {
            return Owner::of(services.clone());
        }
        let chore = CHORES.iter().any(|chore| normal(&segment).ends_with(chore));
        if chore || known::purpose(image).is_some() || self.others.contains(&normal(&segment)) {
            return Owner::other();
        }
        // `acme/shop-server` for the package `shop`, `shop-api` for `shop-api-server` and the like.
        if let Some((_, services)) = self.names.iter().find(|(name, _)| is_variant(&normal(&segment), name)) {
            return Owner { confidence: Confidence::Medium, ..Owner::of(services.clone()) };
        }
        self.by_elimination()
    }

    /// Something unnamed: the only service when nothing else was matched with it.
    fn by_elimination(&self) -> Owner {
        match self.only() {
            Some(_) if self.matched_image => Owner::other(),
            Some(services) => Owner { confidence: Confidence::Medium, ..Owner::of(services) },
            None => Owner::unknown(),
        }
    }

    /// Whether an image is one of a service by its name, exactly or with an addition.
    pub fn names_service(&self, image: &str) -> bool {
        let segment = known::last_segment(image);
        self.named(&segment).is_some() || self.names.keys().any(|name| is_variant(&normal(&segment), name))
    }

    /// Whose a container without a readable image is, by its own name and its workload's.
    pub fn of_names(&self, names: &[&str], image: Option<&str>) -> Owner {
        let by_image = image.filter(|image| !image.is_empty()).map(|image| self.of_image(image));
        if let Some(owner) = &by_image
            && (owner.of_service == Attr::Known(false) || owner.confidence == Confidence::High)
        {
            return owner.clone();
        }
        let by_name = names.iter().find_map(|name| self.named(name));
        if let Some(services) = by_name {
            return Owner::of(services.clone());
        }
        by_image.unwrap_or_else(|| self.by_elimination())
    }

    /// Whether a name is that of something else than a service of the tree.
    pub fn is_other(&self, name: &str) -> bool {
        self.named(name).is_none() && (self.others.contains(&normal(name)) || known::purpose(name).is_some())
    }

    /// Services of the crate whose folder holds a path, and of no other.
    pub fn of_folder(&self, path: &str) -> Option<BTreeSet<ServiceId>> {
        let package = self.context.workspace.package_of(path)?;
        let folder = if package.folder.is_empty() { "." } else { package.folder.as_str() };
        let found: BTreeSet<ServiceId> = self
            .context
            .services
            .iter()
            .enumerate()
            .filter(|(_, service)| service.folder == folder)
            .map(|(at, _)| ServiceId(u16::try_from(at).unwrap_or(u16::MAX)))
            .collect();
        (!found.is_empty()).then_some(found)
    }
}

/// Ends of names of images that prepare or try a service and are not it.
const CHORES: &[&str] = &[
    "-migrations",
    "-migration",
    "-migrate",
    "-migrator",
    "-setup",
    "-init",
    "-seed",
    "-tests",
    "-test",
    "-e2e",
    "-mock",
];

/// Suffixes that people add to a service's name for its image.
const SUFFIXES: &[&str] = &["server", "service", "api", "app", "backend", "web", "rs", "rust"];

fn is_variant(image: &str, name: &str) -> bool {
    let stripped = |text: &str, other: &str| {
        text.strip_prefix(other).and_then(|rest| rest.strip_prefix('-')).is_some_and(|rest| SUFFIXES.contains(&rest))
    };
    stripped(image, name) || stripped(name, image)
}

fn binaries(context: &Context<'_>, folder: &str) -> Vec<String> {
    let folder = if folder == "." { "" } else { folder };
    let package = context.workspace.packages.iter().find(|package| package.folder == folder);
    package
        .iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.kind == TargetKind::Binary)
        .map(|target| target.name.clone())
        .collect()
}

/// Whose a Dockerfile is: by what it builds, copies and starts, then by where it stands.
pub fn of_dockerfile(owners: &Owners<'_>, file: FileId) -> Owner {
    let (source, parsed) = owners.context.repository.get(file);
    let Syntax::Dockerfile(dockerfile) = &parsed.syntax else { return Owner::other() };
    let script: Vec<String> = dockerfile
        .instructions
        .iter()
        .filter(|instruction| matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ENTRYPOINT" | "CMD" | "ADD"))
        .map(crate::parse::dockerfile::Instruction::script)
        .collect();
    let script = script.join("\n");
    if owners.context.services.is_empty() {
        // Nothing serves requests here in Rust: what starts something is then what the repository ships.
        return if script.is_empty() { Owner::other() } else { Owner::of(BTreeSet::new()) };
    }
    let builds = builds_rust(&script);
    let names = named_targets(&script);
    let mut by_name = BTreeSet::new();
    for name in &names {
        by_name.extend(owners.named(name).into_iter().flatten().copied());
    }
    if !by_name.is_empty() && (builds || !names.is_empty()) {
        return Owner::of(by_name);
    }
    if !builds {
        return Owner::other();
    }
    match by_place(owners, source.folder()) {
        owner if owner.of_service == Attr::Unknown => by_argument(owners, &names).unwrap_or(owner),
        owner => owner,
    }
}

/// `cargo install --path $CRATE`: the services whose names are given to that argument where the image is built.
fn by_argument(owners: &Owners<'_>, names: &[String]) -> Option<Owner> {
    let arguments: BTreeSet<&str> = names.iter().filter_map(|name| variable(name)).collect();
    let mut found = BTreeSet::new();
    for file in &owners.context.repository.tree.files {
        let builds = matches!(file.kind, Kind::Yaml | Kind::Shell | Kind::Make | Kind::Just | Kind::Hcl | Kind::Json);
        if !builds || !arguments.iter().any(|argument| file.text.contains(*argument)) {
            continue;
        }
        for argument in &arguments {
            let given = given_to(&file.text, argument).filter_map(|value| owners.named(value.rsplit('/').next()?));
            found.extend(given.flatten().copied());
        }
    }
    (!found.is_empty()).then(|| Owner { confidence: Confidence::Medium, ..Owner::of(found) })
}

/// The name of a variable that a word is nothing but.
fn variable(word: &str) -> Option<&str> {
    let name = word.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(name)
}

/// Values of `NAME: value` and `NAME=value` in a text.
fn given_to<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    text.match_indices(name).filter_map(move |(at, _)| {
        let whole = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$' && c != '{';
        if !text[..at].chars().next_back().is_none_or(whole) {
            return None;
        }
        let rest = text[at + name.len()..].trim_start_matches(['"', '\'']);
        let rest = rest.strip_prefix([':', '='])?.trim_start_matches([' ', '"', '\'']);
        rest.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','))
            .next()
            .filter(|value| !value.is_empty())
    })
}

/// A Rust build whose names say nothing: the crate whose folder holds the file, the only service, or unknown.
fn by_place(owners: &Owners<'_>, folder: &str) -> Owner {
    let inside = if folder.is_empty() { "x".to_string() } else { format!("{folder}/x") };
    if let Some(services) = owners.of_folder(&inside) {
        return Owner::of(services);
    }
    let package = owners.context.workspace.package_of(&inside);
    if package.is_some_and(|package| !package.folder.is_empty()) {
        return Owner::other();
    }
    match owners.only() {
        Some(services) => Owner::of(services),
        None => Owner::unknown(),
    }
}

/// Whether a script compiles this tree's Rust code or copies what was compiled.
fn builds_rust(script: &str) -> bool {
    const BUILDERS: &[&str] = &[
        "cargo build",
        "cargo zigbuild",
        "cargo leptos build",
        "cargo auditable build",
        "cross build",
        "cargo run",
        "cargo chef cook",
    ];
    let words: Vec<&str> = script.split_whitespace().collect();
    let joined = words.join(" ");
    let cargo_options = words
        .windows(2)
        .any(|pair| pair[0].ends_with("cargo") && (pair[1].starts_with('+') || pair[1].starts_with('-')))
        && joined.contains(" build");
    let installs = joined
        .split("cargo install")
        .skip(1)
        .any(|rest| rest.split(['&', ';']).next().unwrap_or("").split(' ').any(|word| word.starts_with("--path")));
    BUILDERS.iter().any(|builder| joined.contains(builder))
        || cargo_options
        || installs
        || script.contains("/release/")
        || script.contains("musl/release")
}

/// Names after `--bin`, `-p`, `--package`, and the last segments of compiled files and of what is started.
fn named_targets(script: &str) -> Vec<String> {
    let mut names = Vec::new();
    let words: Vec<&str> = script.split_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        let following = words.get(at + 1).copied();
        let value = match *word {
            "--bin" | "-p" | "--package" | "--manifest-path" | "--path" => following,
            _ => word
                .strip_prefix("--bin=")
                .or_else(|| word.strip_prefix("--package="))
                .or_else(|| word.strip_prefix("--path="))
                .or_else(|| word.contains("/release/").then_some(*word))
                .or_else(|| (word.starts_with('/') || word.starts_with("./")).then_some(*word)),
        };
        let Some(value) = value else { continue };
        let value = value.trim_matches(|c: char| "\"',[]".contains(c)).trim_end_matches("/Cargo.toml");
        if let Some(name) = value.rsplit('/').next()
            && !name.is_empty()
        {
            names.push(name.to_string());
        }
    }
    // `ENTRYPOINT ["shop"]` and `CMD shop serve` start a binary by its bare name.
    names.extend(script.lines().filter_map(|line| {
        let first = line.trim_start_matches('[').split([',', ' ', ']']).next()?;
        let name = first.trim_matches(|c: char| "\"'".contains(c));
        (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)))
            .then(|| name.to_string())
    }));
    names
}

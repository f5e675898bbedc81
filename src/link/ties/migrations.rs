//! Migrations that an image runs, against what starts that image.

use std::collections::BTreeMap;

use super::images::plain;
use crate::facts::{Attr, Data, FactKind, Facts};
use crate::link::containers::known::{last_segment, split};
use crate::link::{Context, Linked};
use crate::scan::source::{FileId, Kind, Role, SourceFile};

/// Files by which a platform builds and starts an image.
const PLATFORMS: &[&str] = &[
    "fly.toml",
    "render.yaml",
    "render.yml",
    "railway.toml",
    "railway.json",
    "heroku.yml",
    "app.json",
    "app.yaml",
    "captain-definition",
    "nixpacks.toml",
];

/// Words of a command that starts a container.
const STARTS: &[&str] = &["docker run", "podman run", "nerdctl run", "kubectl run", "docker container run"];

/// Marks each run by an image with whether something starts the image.
pub fn tie(context: &Context<'_>, linked: &mut Linked) {
    let facts = &linked.facts;
    let files: Vec<FileId> = facts
        .of(FactKind::MigrationRun)
        .filter(|(_, fact)| matches!(&fact.data, Data::MigrationRun(run) if run.by == Attr::from("image")))
        .map(|(_, fact)| fact.place.file)
        .collect();
    let started: BTreeMap<FileId, Attr<bool>> =
        files.into_iter().map(|file| (file, started(context, facts, file))).collect();
    for fact in &mut linked.facts.all {
        if let Data::MigrationRun(run) = &mut fact.data
            && run.by == Attr::from("image")
            && let Some(started) = started.get(&fact.place.file)
        {
            run.started = started.clone();
        }
    }
}

fn started(context: &Context<'_>, facts: &Facts, dockerfile: FileId) -> Attr<bool> {
    let file = context.repository.tree.file(dockerfile);
    let own = facts.of(FactKind::Image).find_map(|(_, fact)| match &fact.data {
        Data::Image(image) if fact.place.file == dockerfile => Some(image.of_service.clone()),
        _ => None,
    });
    if own.as_ref().is_some_and(Attr::is_true) || is_named(facts, &file.path) || is_in_text(context, file) {
        return Attr::Known(true);
    }
    // Whose it is cannot be told: it may be the service's.
    if own == Some(Attr::Unknown) { Attr::Unknown } else { Attr::Known(false) }
}

/// Whether a compose file builds the Dockerfile, or a manifest names an image that is built from it.
fn is_named(facts: &Facts, path: &str) -> bool {
    let built: Vec<String> = facts
        .of(FactKind::ImageBuild)
        .filter_map(|(_, fact)| match &fact.data {
            Data::ImageBuild(build) if build.dockerfile == Attr::from(path) => {
                build.image.known().map(|name| plain(name))
            }
            _ => None,
        })
        .collect();
    // `acme/shop-migrations` is built from `migrations/Dockerfile`, whoever builds it.
    let migrates = path.to_ascii_lowercase().contains("migrat");
    let is_built =
        |image: &String| built.contains(&plain(split(image).0)) || migrates && last_segment(image).contains("migrat");
    facts.all.iter().any(|fact| match &fact.data {
        Data::ComposeService(service) => {
            service.dockerfile == Attr::from(path) || service.image.known().is_some_and(is_built)
        }
        Data::Container(container) => container.image.known().is_some_and(is_built),
        _ => false,
    })
}

/// Whether a platform's file names the Dockerfile, or a script or pipeline that names it starts containers.
fn is_in_text(context: &Context<'_>, dockerfile: &SourceFile) -> bool {
    let path = match dockerfile.path.rsplit_once('/') {
        None if dockerfile.name() == "Dockerfile" => return false,
        Some((folder, "Dockerfile")) => folder,
        _ => dockerfile.path.as_str(),
    };
    context.repository.tree.files.iter().filter(|file| !matches!(file.role, Role::Test | Role::Docs)).any(|file| {
        let platform = PLATFORMS.contains(&file.name());
        let runs = || {
            matches!(file.kind, Kind::Yaml | Kind::Shell | Kind::Just | Kind::Make)
                && STARTS.iter().any(|start| file.text.contains(start))
        };
        (platform || runs()) && file.text.contains(path)
    })
}

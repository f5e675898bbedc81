//! The CI systems: which files are theirs, and how their jobs read.

mod circleci;
mod containers;
mod github;
mod gitlab;
mod lists;
mod text;

use super::model::{Action, Job, Pipeline, Step};
use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{SourceFile, Span};

/// Reads the jobs of a file of one CI system.
type Read = for<'a> fn(&'a SourceFile, &'a [Node]) -> Pipeline<'a>;

/// A CI system by the files it reads.
struct System {
    matches: fn(&str) -> bool,
    read: Read,
}

const SYSTEMS: &[System] = &[
    System { matches: is_workflow, read: github::read },
    System { matches: |path| is_yaml(path, ".circleci/config"), read: circleci::read },
    System { matches: is_woodpecker, read: containers::woodpecker },
    System { matches: |path| is_yaml(path, ".drone"), read: containers::drone },
    System { matches: |path| path == ".travis.yml", read: lists::travis },
    System { matches: is_azure, read: lists::azure },
    System {
        matches: |path| path.starts_with(".buildkite/") && ends_as_yaml(path) || is_yaml(path, "buildkite"),
        read: lists::buildkite,
    },
    System { matches: |path| path == "bitbucket-pipelines.yml", read: lists::bitbucket },
    System { matches: |path| is_yaml(path, "cloudbuild"), read: lists::cloud_build },
    System { matches: |path| is_yaml(path, "buildspec"), read: lists::code_build },
    System { matches: |path| is_yaml(path, ".semaphore/semaphore"), read: lists::semaphore },
    System { matches: |path| path == ".cirrus.yml", read: lists::cirrus },
    System { matches: |path| is_yaml(path, "appveyor") || is_yaml(path, ".appveyor"), read: lists::appveyor },
    System { matches: is_jenkins, read: text::jenkins },
    System { matches: |path| path.starts_with(".builds/") && path.ends_with(".yml"), read: lists::sourcehut },
];

/// All pipelines of the tree, in path order.
pub fn read(repository: &Repository) -> Vec<Pipeline<'_>> {
    let mut pipelines = Vec::new();
    for (file, parsed) in repository.files() {
        let Some(system) = SYSTEMS.iter().find(|system| (system.matches)(&file.path)) else { continue };
        let documents = match &parsed.syntax {
            Syntax::Documents(documents) => documents.as_slice(),
            _ => &[],
        };
        pipelines.push((system.read)(file, documents));
    }
    pipelines.extend(gitlab::read_all(repository));
    pipelines.sort_by_key(|pipeline| pipeline.file.id);
    pipelines
}

/// What a step uses of its own tree, as a job with its file: a composite action of GitHub's by its folder, a template
/// of Azure's by its path.
pub fn local<'a>(repository: &'a Repository, path: &str) -> Option<(&'a SourceFile, Job<'a>)> {
    if !ends_as_yaml(path) {
        return composite(repository, path);
    }
    let file = repository.tree.find(path)?;
    let Syntax::Documents(documents) = &repository.get(file.id).1.syntax else { return None };
    let job = lists::azure(file, documents).jobs.into_iter().next()?;
    Some((file, job))
}

/// The steps of the composite action in a folder, as a job.
fn composite<'a>(repository: &'a Repository, folder: &str) -> Option<(&'a SourceFile, Job<'a>)> {
    let file =
        ["action.yml", "action.yaml"].iter().find_map(|name| repository.tree.find(&format!("{folder}/{name}")))?;
    let Syntax::Documents(documents) = &repository.get(file.id).1.syntax else { return None };
    Some((file, github::composite(documents.first()?)))
}

fn is_yaml(path: &str, stem: &str) -> bool {
    path.strip_prefix(stem).is_some_and(|ending| matches!(ending, ".yml" | ".yaml"))
}

fn ends_as_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

fn is_workflow(path: &str) -> bool {
    let folders = [".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/"];
    let name = folders.iter().find_map(|folder| path.strip_prefix(folder));
    name.is_some_and(|name| !name.contains('/') && ends_as_yaml(name))
}

fn is_gitlab(path: &str) -> bool {
    is_yaml(path, ".gitlab-ci")
        || (path.starts_with(".gitlab/") || path.starts_with(".gitlab-ci/")) && ends_as_yaml(path)
}

fn is_woodpecker(path: &str) -> bool {
    is_yaml(path, ".woodpecker") || path.starts_with(".woodpecker/") && ends_as_yaml(path)
}

fn is_azure(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    (name.starts_with("azure-pipelines") || name.starts_with(".azure-pipelines") || path.starts_with(".azuredevops/"))
        && ends_as_yaml(path)
}

fn is_jenkins(path: &str) -> bool {
    path == "Jenkinsfile"
        || path.starts_with("Jenkinsfile.")
        || path == "ci/Jenkinsfile"
        || path == ".jenkins/Jenkinsfile"
}

/// A step that runs a pipeline which is not in the tree.
fn elsewhere(what: &str, span: Span) -> Step<'_> {
    Step { name: String::new(), span, folder: String::new(), action: Action::Elsewhere(what.to_string()) }
}

/// A pipeline without triggers.
fn pipeline<'a>(file: &'a SourceFile, system: &'static str, jobs: Vec<Job<'a>>) -> Pipeline<'a> {
    Pipeline { file, system, triggers: Vec::new(), version_input: None, jobs }
}

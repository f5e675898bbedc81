//! What deployment files in folders called `examples`, `samples` or `demo` are for: by what uses them.
//!
//! The folder's name alone says little about a manifest. One that a pipeline applies, that an overlay or a delivery
//! tool of the service takes in, or that is the only way the repository is deployed is part of the service; a demo
//! that stands beside the real manifests is not. What was decided, and why, is kept with the file.

use std::collections::{BTreeMap, BTreeSet};

use super::role::{self, is_example_folder};
use super::source::{Kind, Role, SourceFile};

/// What a deployment file does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// Kubernetes objects, a chart, an overlay or Terraform: what only a deployment needs.
    Orchestrator,
    /// A compose file or a Dockerfile: development needs it as much.
    Container,
}

/// Commands that bring something into a cluster or account.
const APPLIES: &[&str] = &[
    "kubectl apply",
    "kubectl create",
    "kubectl replace",
    "kubectl kustomize",
    "kustomize build",
    "helm install",
    "helm upgrade",
    "helmfile",
    "terraform apply",
    "terraform -chdir",
    "tofu apply",
    "docker stack deploy",
    "skaffold run",
    "oc apply",
];

/// Words of a pipeline that brings up a cluster of its own to try things in.
const RIGS: &[&str] = &["kind create cluster", "kind-action", "minikube", "k3d", "k3s", "microk8s", "chart-testing"];

/// Settles the roles of deployment files in folders of examples.
pub(super) fn settle(files: &mut [SourceFile]) {
    let candidates: Vec<(usize, Form)> = (0..files.len())
        .filter(|at| files[*at].role == Role::Example && role::of_examples(files[*at].folder(), files[*at].kind))
        .filter_map(|at| Some((at, form_of(files, &files[at])?)))
        .collect();
    if candidates.is_empty() {
        return;
    }
    let uses = Uses::of(files);
    let decided: Vec<(usize, Role, String)> =
        candidates.into_iter().map(|(at, form)| uses.decide(files, at, form)).collect();
    for (at, role, because) in decided {
        files[at].role = role;
        files[at].role_because = because;
    }
}

/// The form of a deployment file; `None` for any other file.
fn form_of(files: &[SourceFile], file: &SourceFile) -> Option<Form> {
    match file.kind {
        Kind::Dockerfile => Some(Form::Container),
        Kind::Hcl if file.name().ends_with(".tf") => Some(Form::Orchestrator),
        Kind::Yaml if is_compose(file) => Some(Form::Container),
        Kind::Yaml if is_manifest(file) || chart_of(files, file).is_some() => Some(Form::Orchestrator),
        _ => None,
    }
}

fn is_compose(file: &SourceFile) -> bool {
    file.name().contains("compose") && file.text.lines().any(|line| line.trim_end() == "services:")
}

fn is_manifest(file: &SourceFile) -> bool {
    let starts = |key: &str| file.text.lines().any(|line| line.starts_with(key));
    is_overlay(file) || file.name() == "Chart.yaml" || starts("apiVersion:") && starts("kind:")
}

fn is_overlay(file: &SourceFile) -> bool {
    matches!(file.name(), "kustomization.yaml" | "kustomization.yml" | "Kustomization")
}

/// The folder of the chart that holds a file.
fn chart_of<'f>(files: &[SourceFile], file: &'f SourceFile) -> Option<&'f str> {
    let mut folder = file.folder();
    loop {
        if find(files, &join(folder, "Chart.yaml")).is_some() {
            return Some(folder);
        }
        folder = folder.rsplit_once('/')?.0;
    }
}

fn find<'f>(files: &'f [SourceFile], path: &str) -> Option<&'f SourceFile> {
    files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().map(|at| &files[at])
}

/// A path relative to a folder, with `.` and `..` taken out.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What the tree says of its deployment files.
#[derive(Debug, Default)]
struct Uses {
    /// Paths and folders that pipelines, overlays and delivery tools of the service name, with where.
    automated: BTreeMap<String, String>,
    /// Paths and folders that documents and scripts apply, with where.
    documented: BTreeMap<String, String>,
    /// An orchestrator's file that stands elsewhere.
    elsewhere: Option<String>,
    /// Any deployment file or code stands outside folders of examples.
    more_than_examples: bool,
    /// Names of the service's own packages and binaries.
    own: BTreeSet<String>,
}

impl Uses {
    fn of(files: &[SourceFile]) -> Uses {
        let mut uses = Uses::default();
        for file in files {
            match file.role {
                Role::Service => uses.read(files, file),
                Role::Docs if file.kind == Kind::Markdown => applied(file, &mut uses.documented),
                _ => {}
            }
        }
        uses
    }

    fn read(&mut self, files: &[SourceFile], file: &SourceFile) {
        match file.kind {
            Kind::CargoManifest => self.own.extend(names_of(&file.text)),
            Kind::Rust | Kind::OtherCode => self.more_than_examples = true,
            Kind::Shell | Kind::Make | Kind::Just => applied(file, &mut self.documented),
            _ => {}
        }
        let form = form_of(files, file);
        self.more_than_examples |= form.is_some();
        let deploys = form == Some(Form::Orchestrator) && (file.kind == Kind::Hcl || is_manifest(file));
        if deploys && !is_delivery(file) && self.elsewhere.is_none() {
            self.elsewhere = Some(file.path.clone());
        }
        if is_pipeline(file) && !is_rig(file) {
            applied(file, &mut self.automated);
            built(file, &mut self.automated);
        }
        taken_in(file, &mut self.automated);
    }

    fn decide(&self, files: &[SourceFile], at: usize, form: Form) -> (usize, Role, String) {
        let file = &files[at];
        let named = |known: &BTreeMap<String, String>| names(file).find_map(|name| known.get(name)).cloned();
        if let Some(by) = named(&self.automated) {
            return (at, Role::Service, format!("deployed by {by}"));
        }
        if !self.more_than_examples {
            return (at, Role::Service, "the repository holds nothing but examples".to_string());
        }
        if let Some(other) = &self.elsewhere {
            return (at, Role::Example, format!("in a folder of examples, beside {other}"));
        }
        if form == Form::Orchestrator && (self.own.is_empty() || self.runs_own(files, file)) {
            if let Some(by) = named(&self.documented) {
                return (at, Role::Service, format!("the only deployment of the repository, applied in {by}"));
            }
            if !self.own.is_empty() {
                return (at, Role::Service, "the only deployment of the repository, of its own image".to_string());
            }
        }
        (at, Role::Example, "in a folder of examples, and nothing deploys it".to_string())
    }

    /// Whether a file, or one of its chart or folder, runs an image that is called like a package of the service.
    fn runs_own(&self, files: &[SourceFile], file: &SourceFile) -> bool {
        let group = chart_of(files, file).unwrap_or(file.folder());
        let beside = files.iter().filter(|other| {
            other.kind == Kind::Yaml && other.path.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'))
        });
        beside.flat_map(|other| other.text.lines()).filter_map(image_in).any(|image| self.own.contains(&image))
    }
}

/// The paths by which a file can be named: its own, and the folders down from the first one of examples.
fn names(file: &SourceFile) -> impl Iterator<Item = &str> {
    let parents =
        std::iter::successors(Some(file.path.as_str()), |path| path.rsplit_once('/').map(|(parent, _)| parent));
    parents.take_while(|path| path.split('/').any(is_example_folder))
}

/// Names of packages and binaries in a Cargo.toml.
fn names_of(text: &str) -> impl Iterator<Item = String> {
    let values = text.lines().filter_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    values.map(|value| normal(value.trim().trim_matches(['"', '\''])))
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// The last part of the name of the image in a line of a manifest.
fn image_in(line: &str) -> Option<String> {
    let (key, value) = line.trim_start().trim_start_matches("- ").split_once(':')?;
    matches!(key.trim(), "image" | "repository").then_some(())?;
    let image = value.trim().trim_matches(['"', '\'']).rsplit('/').next()?;
    let name = image.split([':', '@']).next()?;
    (!name.is_empty()).then(|| normal(name))
}

fn is_pipeline(file: &SourceFile) -> bool {
    let path = file.path.as_str();
    path.contains(".github/workflows/")
        || path.contains(".gitea/workflows/")
        || path.starts_with(".circleci/")
        || path.starts_with(".woodpecker")
        || matches!(
            file.name(),
            ".gitlab-ci.yml" | "Jenkinsfile" | "azure-pipelines.yml" | ".drone.yml" | "cloudbuild.yaml"
        )
}

/// A pipeline that only tries things out.
fn is_rig(file: &SourceFile) -> bool {
    let words: Vec<&str> = file.name().split(['-', '_', '.']).collect();
    let by_name = ["test", "tests", "e2e", "example", "examples", "demo", "integration", "pr"];
    by_name.iter().any(|word| words.contains(word)) || RIGS.iter().any(|word| file.text.contains(word))
}

/// Argo CD and Flux objects, skaffold files: they say what is deployed from where.
fn is_delivery(file: &SourceFile) -> bool {
    const GROUPS: &[&str] = &["argoproj.io/", "toolkit.fluxcd.io/", "skaffold/"];
    file.kind == Kind::Yaml
        && file
            .text
            .lines()
            .any(|line| line.starts_with("apiVersion:") && GROUPS.iter().any(|group| line.contains(group)))
}

fn note(known: &mut BTreeMap<String, String>, file: &SourceFile, line: usize, path: &str) {
    if !path.is_empty() && path.split('/').any(is_example_folder) {
        known.entry(path.to_string()).or_insert_with(|| format!("{}:{}", file.path, line + 1));
    }
}

/// What a word of a command names: a path relative to the root or the file's folder, or the end of an address.
fn note_word(known: &mut BTreeMap<String, String>, file: &SourceFile, line: usize, word: &str) {
    let word = word.trim_matches(|c: char| "\"'`,;()[]".contains(c));
    let word = word.rsplit_once('=').map_or(word, |(_, value)| value);
    let word = word.split(['?', '#']).next().unwrap_or("");
    match word.split_once("://") {
        // `https://raw.githubusercontent.com/owner/name/main/examples/k8s.yaml`
        Some((_, rest)) => {
            let parts: Vec<&str> = rest.split('/').collect();
            if let Some(at) = parts.iter().position(|part| is_example_folder(part)) {
                note(known, file, line, &parts[at..].join("/"));
            }
        }
        None => {
            note(known, file, line, &join("", word));
            note(known, file, line, &join(file.folder(), word));
        }
    }
}

/// Paths in the commands that apply something; a command goes on after `\`.
fn applied(file: &SourceFile, known: &mut BTreeMap<String, String>) {
    let mut goes_on = false;
    for (at, line) in file.text.lines().enumerate() {
        if goes_on || APPLIES.iter().any(|command| line.contains(command)) {
            line.split_whitespace().for_each(|word| note_word(known, file, at, word));
            goes_on = line.trim_end().ends_with('\\');
        }
    }
}

/// Dockerfiles and contexts that a pipeline builds an image from and pushes.
fn built(file: &SourceFile, known: &mut BTreeMap<String, String>) {
    let pushes = file.text.contains("push: true") || file.text.contains("docker push") || file.text.contains("--push");
    for (at, line) in file.text.lines().enumerate().filter(|_| pushes) {
        let input =
            ["file:", "context:", "working-directory:"].iter().find_map(|key| line.trim_start().strip_prefix(key));
        match input {
            Some(value) => note_word(known, file, at, value.trim()),
            None if line.contains("docker build") || line.contains("docker buildx") => {
                line.split_whitespace().for_each(|word| note_word(known, file, at, word));
            }
            None => {}
        }
    }
}

/// What overlays, delivery tools and compose files of the service take in.
fn taken_in(file: &SourceFile, known: &mut BTreeMap<String, String>) {
    if file.kind != Kind::Yaml {
        return;
    }
    let (overlay, delivery, compose) = (is_overlay(file), is_delivery(file), is_compose(file));
    for (at, line) in file.text.lines().enumerate() {
        let line = line.trim_start().trim_start_matches("- ");
        let value = match line.split_once(": ") {
            None if overlay || compose => line,
            Some(("path" | "chart" | "chartPath" | "file", value)) if delivery || compose => value,
            _ => continue,
        };
        let value = value.trim().trim_matches(['"', '\'']);
        // Delivery tools count from the repository's root, the others from their own folder.
        note(known, file, at, &if delivery { join("", value) } else { join(file.folder(), value) });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{ScanOptions, scan};
    use super::*;

    const MANIFEST: &str = "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - image: ghcr.io/acme/shop:1.2.0\n";
    const CARGO: &str = "[package]\nname = \"shop\"\n";
    const COMPOSE: &str = "services:\n  shop:\n    build: ..\n";

    fn decided(files: &[(&str, &str)], path: &str) -> (Role, String) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tree = scan(folder.path(), &ScanOptions::default()).unwrap();
        let file = tree.find(path).unwrap();
        (file.role, file.role_because.clone())
    }

    fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let base = [("Cargo.toml", CARGO), ("src/main.rs", "fn main() {}\n"), ("examples/k8s/shop.yaml", MANIFEST)];
        base.into_iter().chain(more.iter().copied()).collect()
    }

    #[test]
    fn the_only_deployment_is_the_services() {
        let (role, because) = decided(&with(&[]), "examples/k8s/shop.yaml");
        assert_eq!(role, Role::Service, "{because}");
        let readme = ("README.md", "Install:\n\n    kubectl apply \\\n      -f examples/k8s/\n");
        let (role, because) = decided(&with(&[readme]), "examples/k8s/shop.yaml");
        assert_eq!(role, Role::Service);
        assert!(because.ends_with("applied in README.md:4"), "{because}");
    }

    #[test]
    fn a_demo_beside_the_real_manifests_is_a_demo() {
        let real = ("deploy/shop.yaml", MANIFEST);
        let readme = ("README.md", "kubectl apply -f examples/k8s/shop.yaml\n");
        let (role, because) = decided(&with(&[real, readme]), "examples/k8s/shop.yaml");
        assert_eq!(role, Role::Example);
        assert!(because.ends_with("beside deploy/shop.yaml"), "{because}");
    }

    #[test]
    fn what_runs_another_image_or_only_development_is_an_example() {
        let other = MANIFEST.replace("acme/shop", "acme/sidecar");
        let files = [("Cargo.toml", CARGO), ("src/main.rs", ""), ("examples/k8s/x.yaml", other.as_str())];
        assert_eq!(decided(&files, "examples/k8s/x.yaml").0, Role::Example);
        let compose = ("demo/docker-compose.yml", COMPOSE);
        let readme = ("README.md", "docker compose -f demo/docker-compose.yml up\n");
        assert_eq!(decided(&[("src/main.rs", ""), compose, readme], "demo/docker-compose.yml").0, Role::Example);
        assert_eq!(decided(&with(&[("examples/tests/x.yaml", MANIFEST)]), "examples/tests/x.yaml").0, Role::Example);
    }

    #[test]
    fn what_a_pipeline_deploys_is_the_services_and_what_it_tries_is_not() {
        let real = ("deploy/other.yaml", MANIFEST);
        let deploys =
            (".github/workflows/deploy.yml", "jobs:\n  a:\n    steps:\n      - run: kubectl apply -f examples/k8s\n");
        let (role, because) = decided(&with(&[real, deploys]), "examples/k8s/shop.yaml");
        assert_eq!((role, because.as_str()), (Role::Service, "deployed by .github/workflows/deploy.yml:4"));
        let tries = (".github/workflows/ci.yml", "# kind create cluster\n- run: kubectl apply -f examples/k8s\n");
        assert_eq!(decided(&with(&[real, tries]), "examples/k8s/shop.yaml").0, Role::Example);
    }

    #[test]
    fn what_an_overlay_or_a_delivery_tool_takes_in_is_the_services() {
        let overlay = ("deploy/kustomization.yaml", "resources:\n  - ../examples/k8s/shop.yaml\n");
        assert_eq!(decided(&with(&[overlay]), "examples/k8s/shop.yaml").0, Role::Service);
        let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    path: examples/k8s\n";
        let (role, because) =
            decided(&with(&[("ops/app.yaml", argo), ("ops/x.yaml", MANIFEST)]), "examples/k8s/shop.yaml");
        assert_eq!((role, because.as_str()), (Role::Service, "deployed by ops/app.yaml:5"));
    }

    #[test]
    fn a_repository_of_examples_is_what_it_is() {
        let files = [("demo/Dockerfile", "FROM alpine:3.20\n"), ("README.md", "# demos\n")];
        let (role, because) = decided(&files, "demo/Dockerfile");
        assert_eq!((role, because.as_str()), (Role::Service, "the repository holds nothing but examples"));
    }
}

//! Where the tree shows that the service is deployed to: platforms, GitOps, charts, infrastructure as code.

use super::manifests::{documents, objects};
use super::terraform;
use crate::facts::vocabulary::{DeploymentTarget, Rollback};
use crate::facts::{Attr, Confidence};
use crate::link::{Context, Linked};
use crate::parse::document::Node;
use crate::scan::source::{Kind, Role, SourceFile, Span};

/// Files that a platform reads: name, platform, and whether it deploys by itself when the tree changes.
const FILES: &[(&str, &str, bool)] = &[
    ("Procfile", "heroku", true),
    ("heroku.yml", "heroku", true),
    ("render.yaml", "render", true),
    ("railway.json", "railway", true),
    ("railway.toml", "railway", true),
    ("Shuttle.toml", "shuttle", false),
    ("captain-definition", "caprover", false),
    ("copilot.yml", "ecs", false),
    ("serverless.yml", "lambda", false),
    ("samconfig.toml", "lambda", false),
    ("skaffold.yaml", "kubernetes", false),
    ("azure.yaml", "azure", false),
    ("koyeb.yaml", "koyeb", true),
];

/// Terraform resources that run a container or a program.
const RUNNERS: &[(&str, &str)] = &[
    ("aws_ecs_service", "ecs"),
    ("aws_lambda_function", "lambda"),
    ("aws_apprunner_service", "app-runner"),
    ("google_cloud_run_service", "cloud-run"),
    ("google_cloud_run_v2_service", "cloud-run"),
    ("azurerm_container_app", "azure"),
    ("azurerm_linux_web_app", "azure"),
    ("helm_release", "helm"),
    ("kubernetes_deployment", "kubernetes"),
    ("digitalocean_app", "digitalocean"),
    ("nomad_job", "nomad"),
    ("fly_app", "fly"),
    ("heroku_app", "heroku"),
];

/// Adds deployment targets, and the ways back that they bring with them.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for file in &context.repository.tree.files {
        if let Some((_, platform, automatic)) = FILES.iter().find(|(name, ..)| file.name() == *name) {
            add(context, linked, file, file.line_span(1), (platform, *automatic));
        } else if file.kind == Kind::Toml && file.name().starts_with("fly.") {
            add(context, linked, file, file.line_span(1), ("fly", false));
        } else if file.name() == "project.toml" && file.text.contains("buildpacks") {
            add(context, linked, file, file.line_span(1), ("buildpacks", false));
        } else if file.kind == Kind::SystemdUnit && file.text.contains("ExecStart=") {
            add(context, linked, file, file.line_span(1), ("systemd", false));
        }
    }
    for (file, root) in documents(context.repository) {
        by_document(context, linked, file, root);
    }
    by_object(context, linked);
    for resource in terraform::resources(context.repository) {
        if let Some((_, platform)) = RUNNERS.iter().find(|(kind, _)| *kind == resource.kind) {
            add(context, linked, resource.file, resource.span, (platform, false));
        }
    }
}

fn add(context: &Context<'_>, linked: &mut Linked, file: &SourceFile, span: Span, (platform, automatic): (&str, bool)) {
    let environment = file.path.split(['/', '.', '-', '_']).find_map(environment);
    let data = DeploymentTarget {
        platform: platform.into(),
        environment: environment.map_or(Attr::Unset, Attr::from),
        automatic: automatic.into(),
    };
    linked.facts.add(context.fact(data, file.id, span));
}

fn environment(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "prod" | "production" => Some("production"),
        "staging" | "stage" => Some("staging"),
        "dev" | "development" | "local" => Some("development"),
        "test" | "e2e" | "ci" => Some("test"),
        _ => None,
    }
}

fn by_document(context: &Context<'_>, linked: &mut Linked, file: &SourceFile, root: &Node) {
    if let Some(span) = app_platform(root) {
        let automatic = root.get("services").map(Node::items).unwrap_or_default().iter().any(|service| {
            ["github", "gitlab", "git", "image"].iter().any(|source| {
                service
                    .at(&[source, "deploy_on_push"])
                    .is_some_and(|node| node.flag() == Some(true) || node.get("enabled").is_some())
            })
        });
        add(context, linked, file, span, ("digitalocean", automatic));
    }
    if matches!(file.name(), "app.yaml" | "app.yml") && root.get("runtime").is_some() {
        add(context, linked, file, root.span, ("app-engine", false));
    }
    if file.name() == "Chart.yaml"
        && root.get("apiVersion").is_some()
        && root.get("type").and_then(Node::text) != Some("library")
    {
        add(context, linked, file, file.line_span(1), ("helm", false));
    }
    if file.path.ends_with("config/deploy.yml") && root.get("image").is_some() && root.get("servers").is_some() {
        add(context, linked, file, file.line_span(1), ("kamal", false));
    }
    if root.get("Resources").is_some()
        && (root.get("AWSTemplateFormatVersion").is_some() || root.get("Transform").is_some())
    {
        add(context, linked, file, file.line_span(1), ("cloudformation", false));
    }
}

/// A DigitalOcean App Platform specification.
fn app_platform(root: &Node) -> Option<Span> {
    let services = root.entry("services")?;
    let own = services.value.items().iter().any(|service| {
        ["instance_size_slug", "http_port", "dockerfile_path", "instance_count"]
            .iter()
            .any(|key| service.get(key).is_some())
    });
    own.then_some(services.key_span)
}

fn by_object(context: &Context<'_>, linked: &mut Linked) {
    for object in objects(context.repository) {
        let target = match (object.group, object.kind) {
            ("argoproj.io", "Application" | "ApplicationSet") => Some(("argocd", true)),
            ("helm.toolkit.fluxcd.io", "HelmRelease") | ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
                Some(("flux", true))
            }
            ("serving.knative.dev", "Service") => Some(("cloud-run", false)),
            _ => None,
        };
        let Some(target) = target else { continue };
        let span = object.entry.key_span.to(object.entry.value.span);
        add(context, linked, object.file, span, target);
        if target.1 && object.file.role == Role::Service {
            // Both keep a history of what ran; git is the other half of the way back.
            let data = Rollback { how: "argo".into() };
            linked.facts.add(context.fact(data, object.file.id, span).confidence(Confidence::Medium));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::facts::{Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::{link, trial};

    fn platforms(name: &str, text: &str) -> Vec<String> {
        let linked = link(&trial::repository(&[(name, text)]), &Catalog::default());
        let targets = linked.facts.of(FactKind::DeploymentTarget).map(|(_, fact)| match &fact.data {
            Data::DeploymentTarget(target) => target.platform.known().unwrap().clone(),
            other => format!("{other:?}"),
        });
        targets.collect()
    }

    #[test]
    fn a_project_descriptor_is_built_by_buildpacks() {
        let descriptor = "[_]\nschema-version = \"0.2\"\n[[io.buildpacks.group]]\nid = \"paketo-community/rust\"\n";
        assert_eq!(platforms("project.toml", descriptor), ["buildpacks"]);
        assert!(platforms("project.toml", "[project]\nname = \"shop\"\n").is_empty());
    }

    #[test]
    fn files_of_platforms_are_targets() {
        assert_eq!(platforms("fly.staging.toml", "app = \"shop\"\n"), ["fly"]);
        assert_eq!(platforms("shop.service", "[Service]\nExecStart=/usr/bin/shop\n"), ["systemd"]);
    }
}

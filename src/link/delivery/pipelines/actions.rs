//! Shared actions, orbs, tasks and plugin images, and what they do.

use super::commands;
use super::expressions::{may_be_on, text_of, texts_of, variants};
use super::model::{Action, Deed, Job, Kind, Step};
use super::resolve::{Resolver, join};
use crate::facts::Confidence;
use crate::parse::document::Node;
use crate::scan::source::Span;

/// What a known action does, by the start of its name; inputs settle the rest.
const ACTIONS: &[(&str, Does)] = &[
    ("embarkstudios/cargo-deny-action", Does::Deny),
    ("rustsec/audit-check", Does::Plainly(Kind::Audit)),
    ("actions-rs/audit-check", Does::Plainly(Kind::Audit)),
    ("actions-rust-lang/audit", Does::Plainly(Kind::Audit)),
    ("google/osv-scanner-action", Does::Plainly(Kind::Audit)),
    ("actions/dependency-review-action", Does::Plainly(Kind::Audit)),
    ("aquasecurity/trivy-action", Does::Trivy),
    ("anchore/scan-action", Does::IfInput("path", Kind::Audit)),
    ("actions-rs/cargo", Does::Cargo("cargo")),
    ("clechasseur/rs-cargo", Does::Cargo("cargo")),
    ("houseabsolute/actions-rust-cross", Does::Cargo("cross")),
    ("actions-rs/tarpaulin", Does::Plainly(Kind::Test)),
    ("actions-rs/grcov", Does::Plainly(Kind::Test)),
    ("actions-rs/clippy", Does::Plainly(Kind::Lint)),
    ("docker/build-push-action", Does::Image),
    ("docker/bake-action", Does::Image),
    ("docker/github-builder", Does::Image),
    ("depot/build-push-action", Does::Image),
    ("depot/bake-action", Does::Image),
    ("useblacksmith/build-push-action", Does::Image),
    ("int128/kaniko-action", Does::Image),
    ("redhat-actions/buildah-build", Does::Plainly(Kind::Build)),
    ("redhat-actions/push-to-registry", Does::Plainly(Kind::Publish)),
    ("mr-smithers-excellent/docker-build-push", Does::Plainly(Kind::Publish)),
    ("elgohr/publish-docker-github-action", Does::Plainly(Kind::Publish)),
    ("softprops/action-gh-release", Does::IfInput("files", Kind::Publish)),
    ("ncipollo/release-action", Does::IfInput("artifacts", Kind::Publish)),
    ("svenstaro/upload-release-action", Does::Plainly(Kind::Publish)),
    ("taiki-e/upload-rust-binary-action", Does::Plainly(Kind::Publish)),
    ("goreleaser/goreleaser-action", Does::Plainly(Kind::Publish)),
    ("release-plz/action", Does::Plainly(Kind::Publish)),
    ("helm/chart-releaser-action", Does::Plainly(Kind::Publish)),
    ("katyo/publish-crates", Does::Plainly(Kind::Publish)),
    ("google-github-actions/deploy-cloudrun", Does::Plainly(Kind::Deploy)),
    ("google-github-actions/deploy-appengine", Does::Plainly(Kind::Deploy)),
    ("google-github-actions/create-cloud-deploy-release", Does::Plainly(Kind::Deploy)),
    ("azure/webapps-deploy", Does::Plainly(Kind::Deploy)),
    ("azure/container-apps-deploy-action", Does::Plainly(Kind::Deploy)),
    ("azure/k8s-deploy", Does::Plainly(Kind::Deploy)),
    ("azure/aci-deploy", Does::Plainly(Kind::Deploy)),
    ("aws-actions/amazon-ecs-deploy-task-definition", Does::Plainly(Kind::Deploy)),
    ("aws-actions/aws-cloudformation-github-deploy", Does::Plainly(Kind::Deploy)),
    ("aws-actions/aws-lambda-deploy", Does::Plainly(Kind::Deploy)),
    ("awslabs/amazon-app-runner-deploy", Does::Plainly(Kind::Deploy)),
    ("akhileshns/heroku-deploy", Does::Plainly(Kind::Deploy)),
    ("digitalocean/app_action", Does::Plainly(Kind::Deploy)),
    ("shuttle-hq/deploy-action", Does::Plainly(Kind::Deploy)),
    ("superfly/flyctl-actions", Does::IfInput("args", Kind::Deploy)),
    ("johnbeynon/render-deploy-action", Does::Plainly(Kind::Deploy)),
    ("cloudflare/wrangler-action", Does::Plainly(Kind::Deploy)),
    ("burnett01/rsync-deployments", Does::Plainly(Kind::Deploy)),
    ("easingthemes/ssh-deploy", Does::Plainly(Kind::Deploy)),
    ("appleboy/ssh-action", Does::Remote),
    ("dflook/terraform-apply", Does::Plainly(Kind::Deploy)),
    ("octopusdeploy/create-release-action", Does::Plainly(Kind::Deploy)),
    ("octopusdeploy/deploy-release-action", Does::Plainly(Kind::Deploy)),
    ("helm/kind-action", Does::Plainly(Kind::TestCluster)),
    ("engineerd/setup-kind", Does::Plainly(Kind::TestCluster)),
    ("medyagh/setup-minikube", Does::Plainly(Kind::TestCluster)),
    ("manusa/actions-setup-minikube", Does::Plainly(Kind::TestCluster)),
    ("absaoss/k3d-action", Does::Plainly(Kind::TestCluster)),
    ("nolar/setup-k3d-k3s", Does::Plainly(Kind::TestCluster)),
];

/// How an action's kind follows from its inputs.
#[derive(Clone, Copy)]
enum Does {
    /// Always this.
    Plainly(Kind),
    /// This, where the input is given.
    IfInput(&'static str, Kind),
    /// cargo-deny with a command.
    Deny,
    /// Trivy with a scan type.
    Trivy,
    /// A cargo-like program with `command` and `args`.
    Cargo(&'static str),
    /// Builds an image and perhaps pushes it.
    Image,
    /// Runs a script on another machine.
    Remote,
}

/// Words of an action's name that say what it does, where it is not known by name. Medium confidence.
const NAME_WORDS: &[(&str, Kind)] = &[
    ("terraform/apply", Kind::Deploy),
    ("terraform-apply", Kind::Deploy),
    ("rollback", Kind::Rollback),
    ("deploy", Kind::Deploy),
    ("cargo-audit", Kind::Audit),
    ("cargo-deny", Kind::Audit),
    ("upload-docker-image", Kind::Publish),
    ("publish-image", Kind::Publish),
    ("docker-publish", Kind::Publish),
    ("push-image", Kind::Publish),
    ("docker-push", Kind::Publish),
    ("build-and-push", Kind::Publish),
    ("build-push", Kind::Publish),
    ("cargo-test", Kind::Test),
    ("rust-test", Kind::Test),
    ("rust-ci", Kind::Test),
];

/// Words of an action's name that say it deploys something else than the service.
const OTHER_TARGETS: &[&str] = &[
    "pages",
    "docs",
    "preview",
    "storybook",
    "setup-",
    "install",
    "book",
    "website",
    "chromatic",
    "netlify",
    "vercel",
    "create-deployment",
    "status",
];

/// Adds what a used action does.
pub fn used(resolver: &Resolver<'_>, job: &Job<'_>, step: &Step<'_>, deeds: &mut Vec<Deed>) {
    let Action::Use { name, inputs, span, .. } = &step.action else { return };
    let lower = name.to_ascii_lowercase();
    let known = ACTIONS
        .iter()
        .find(|(start, _)| lower == *start || lower.strip_prefix(start).is_some_and(|rest| rest.starts_with('/')));
    let mut add = |kind: Kind, command: String, confidence: Confidence| {
        let keys = ["working-directory", "working_directory", "manifest-path", "path"];
        let own = keys.iter().find_map(|key| input(*inputs, key));
        let folder = own.map_or(step.folder.clone(), |at| join(&step.folder, at.trim_end_matches("Cargo.toml")));
        deeds.push(Deed {
            kind,
            command,
            span: *span,
            confidence,
            of_service: Some(!matches!(kind, Kind::Test | Kind::Audit) || resolver.covers_service(&folder)),
            versioned_image: versioned(kind, *inputs, known.is_some()),
            related: Vec::new(),
        });
    };
    match known {
        Some((_, Does::Cargo(program))) => {
            for (kind, command) in cargo_command(program, *inputs, job.matrix) {
                add(kind, command, Confidence::High);
            }
        }
        Some((_, Does::Remote)) => {
            if let Some((kind, command)) = remote_script(*inputs) {
                add(kind, command, Confidence::Medium);
            }
        }
        Some((_, does)) => {
            if let Some(kind) = kind_of(*does, *inputs) {
                add(kind, name.clone(), Confidence::High);
            }
        }
        None if reusable(&lower).is_some() && !named(&lower) => {
            deeds.extend(reusable(&lower).and_then(|file| elsewhere(file, *span)));
        }
        None => {
            // The owner's name says nothing of what an action does.
            let lower = lower.split_once('/').map_or(lower.as_str(), |(_, own)| own);
            let other = OTHER_TARGETS.iter().any(|word| lower.contains(word));
            if let Some((_, kind)) = NAME_WORDS.iter().find(|(word, _)| !other && lower.contains(word)) {
                add(*kind, name.clone(), Confidence::Medium);
            }
        }
    }
}

/// Words of a pipeline's name that say it may test.
const MAY_TEST: &[&str] = &[
    "ci",
    "cd",
    "test",
    "tests",
    "testing",
    "rust",
    "cargo",
    "build",
    "check",
    "checks",
    "pipeline",
    "pipelines",
    "main",
    "verify",
    "validate",
    "pr",
    "backend",
    "quality",
    "default",
    "common",
];

/// Words of a pipeline's name that say it does something else.
const OTHER_PIPELINES: &[&str] = &[
    "docs",
    "doc",
    "stale",
    "label",
    "labeler",
    "labels",
    "pages",
    "secret",
    "secrets",
    "sast",
    "codeql",
    "scan",
    "lint",
    "renovate",
    "notify",
    "changelog",
    "backport",
    "cla",
    "helm",
    "docker",
    "container",
    "image",
    "deploy",
    "release",
    "publish",
    "terraform",
    "sync",
    "issue",
    "issues",
    "assign",
    "triage",
    "cleanup",
    "node",
    "npm",
    "python",
    "go",
];

/// A pipeline that is not in the tree and may test the service: whether it does cannot be seen.
pub fn elsewhere(what: &str, span: Span) -> Option<Deed> {
    let name = what.split(['@', '?']).next().unwrap_or(what).to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let says = |list: &[&str]| words.iter().any(|word| list.contains(word));
    (says(MAY_TEST) && !says(OTHER_PIPELINES)).then(|| Deed {
        kind: Kind::Test,
        command: what.to_string(),
        span,
        confidence: Confidence::Medium,
        of_service: None,
        versioned_image: Some(false),
        related: Vec::new(),
    })
}

/// Whether a known word in an action's name says what it does.
fn named(lower: &str) -> bool {
    let own = lower.split_once('/').map_or(lower, |(_, own)| own);
    NAME_WORDS.iter().any(|(word, _)| own.contains(word))
}

/// The file of a reusable workflow of another repository.
fn reusable(name: &str) -> Option<&str> {
    name.split_once("/.github/workflows/").map(|(_, file)| file.trim_end_matches(".yml").trim_end_matches(".yaml"))
}

/// Whether an image is published under a version; an action that is not known and takes no tags chooses them itself.
fn versioned(kind: Kind, inputs: Option<&Node>, known: bool) -> Option<bool> {
    let tagged = inputs.is_some_and(|inputs| inputs.get("tags").or_else(|| inputs.get("tag")).is_some());
    match kind {
        Kind::Publish if !known && !tagged => None,
        Kind::Publish => Some(inputs.is_some_and(tags_name_version)),
        _ => Some(false),
    }
}

/// A step that says it deploys, whatever it runs to do so.
pub fn by_step_name(step: &Step<'_>) -> Option<Deed> {
    let name = step.name.to_lowercase();
    let says = name.split(|c: char| !c.is_alphanumeric()).next() == Some("deploy");
    let other = OTHER_TARGETS.iter().any(|word| name.contains(word));
    let (command, span) = match &step.action {
        Action::Use { name, span, .. } if !name.starts_with("actions/") => (name.clone(), *span),
        Action::Script(_) => (step.name.clone(), step.span),
        _ => return None,
    };
    (says && !other && !OTHER_TARGETS.iter().any(|word| command.to_lowercase().contains(word))).then(|| Deed {
        kind: Kind::Deploy,
        command,
        span,
        confidence: Confidence::Medium,
        of_service: Some(true),
        versioned_image: Some(false),
        related: Vec::new(),
    })
}

fn input(inputs: Option<&Node>, key: &str) -> Option<String> {
    inputs?.get(key).and_then(|node| match node.items() {
        [] => text_of(node),
        _ => Some(texts_of(node).join("\n")),
    })
}

fn kind_of(does: Does, inputs: Option<&Node>) -> Option<Kind> {
    match does {
        Does::Plainly(kind) => Some(kind),
        Does::IfInput(key, kind) => input(inputs, key).map(|_| kind),
        Does::Deny => {
            let command = input(inputs, "command").unwrap_or_else(|| "check".into());
            let words: Vec<String> = format!("cargo-deny {command}").split_whitespace().map(str::to_string).collect();
            commands::classify(&words).map(|(kind, _)| kind)
        }
        Does::Trivy => {
            let scan = input(inputs, "scan-type").unwrap_or_else(|| "image".into());
            let scanners = input(inputs, "scanners").or_else(|| input(inputs, "security-checks"));
            let packages = scanners.is_none_or(|list| list.contains("vuln"));
            (matches!(scan.as_str(), "fs" | "repo" | "rootfs") && packages).then_some(Kind::Audit)
        }
        Does::Image => Some(if pushes(inputs) { Kind::Publish } else { Kind::Build }),
        Does::Cargo(_) | Does::Remote => None,
    }
}

fn pushes(inputs: Option<&Node>) -> bool {
    let outputs = input(inputs, "outputs").or_else(|| input(inputs, "set")).unwrap_or_default();
    let registry = outputs.contains("push=true") || outputs.contains("type=registry") || outputs.contains(".push=");
    may_be_on(inputs.and_then(|inputs| inputs.get("push"))) || registry
}

fn cargo_command(program: &str, inputs: Option<&Node>, matrix: Option<&Node>) -> Vec<(Kind, String)> {
    let command = input(inputs, "command").unwrap_or_else(|| "build".into());
    let arguments = input(inputs, "args").unwrap_or_default();
    let lines = variants(&format!("{program} {command} {arguments}"), matrix);
    let kinds = lines.iter().filter_map(|line| {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        let (kind, words) = commands::classify(&words)?;
        Some((kind, words.iter().take(3).cloned().collect::<Vec<_>>().join(" ")))
    });
    kinds.collect()
}

/// A script on another machine that starts the service anew deploys it.
fn remote_script(inputs: Option<&Node>) -> Option<(Kind, String)> {
    let script = input(inputs, "script")?;
    let words = [
        "docker compose",
        "docker-compose",
        "docker run",
        "docker pull",
        "systemctl restart",
        "deploy",
        "kubectl",
        "docker stack",
    ];
    let line = script.lines().find(|line| words.iter().any(|word| line.contains(word)))?;
    Some((Kind::Deploy, line.trim().to_string()))
}

/// Plugin images of container-native CI systems, by a part of their name.
const PLUGINS: &[(&str, Kind)] = &[
    ("plugin-docker-buildx", Kind::Publish),
    ("plugins/docker", Kind::Publish),
    ("plugin-docker", Kind::Publish),
    ("plugins/buildx", Kind::Publish),
    ("plugins/kaniko", Kind::Publish),
    ("plugin-kaniko", Kind::Publish),
    ("plugins/ecr", Kind::Publish),
    ("plugins/gcr", Kind::Publish),
    ("plugins/gar", Kind::Publish),
    ("plugins/acr", Kind::Publish),
    ("plugin-release", Kind::Publish),
    ("plugins/github-release", Kind::Publish),
    ("plugins/gitea-release", Kind::Publish),
    ("drone-ssh", Kind::Deploy),
    ("drone-kubernetes", Kind::Deploy),
    ("drone-kubectl", Kind::Deploy),
    ("drone-helm", Kind::Deploy),
    ("plugin-deploy", Kind::Deploy),
];

/// Adds what a plugin image does with its settings.
pub fn plugin(step: &Step<'_>, image: &str, settings: Option<&Node>, deeds: &mut Vec<Deed>) {
    let Some((_, kind)) = PLUGINS.iter().find(|(name, _)| image.contains(name)) else { return };
    let rehearsal = ["dry_run", "dry-run"].iter().any(|key| {
        settings.and_then(|settings| settings.get(key)).and_then(text_of).is_some_and(|value| value == "true")
    });
    deeds.push(Deed {
        kind: if rehearsal { Kind::Build } else { *kind },
        command: image.to_string(),
        span: step.span,
        confidence: Confidence::High,
        of_service: Some(true),
        versioned_image: Some(*kind == Kind::Publish && !rehearsal && settings.is_some_and(tags_name_version)),
        related: Vec::new(),
    });
}

/// Whether the tags in an action's or plugin's inputs tell a version.
fn tags_name_version(inputs: &Node) -> bool {
    let keys = ["tags", "tag", "meta-tags", "set", "images", "auto_tag", "image"];
    let tags = keys.iter().filter_map(|key| inputs.get(key)).flat_map(texts_of).collect::<Vec<_>>().join("\n");
    let tags = dense(&tags);
    tags.lines().flat_map(|line| line.split([' ', ','])).any(is_versioned_reference)
        || tags.contains("type=")
        || tags == "true"
}

/// The text without blanks inside `${{ expressions }}`.
pub fn dense(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${{") {
        let length = rest[at..].find("}}").unwrap_or(rest.len() - at);
        out.push_str(&rest[..at]);
        out.extend(rest[at..at + length].chars().filter(|c| !c.is_whitespace()));
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// Whether a command that publishes an image names a version: a variable or a number in the tag.
pub fn names_version(command: &str, script: &str) -> bool {
    let image =
        ["docker", "podman", "buildah", "skopeo", "regctl", "crane"].iter().any(|program| command.starts_with(program));
    let all_tags = command.contains("--all-tags") || command.contains(" -a ");
    let tagged = |text: &str| text.split_whitespace().any(is_versioned_reference);
    let bake = command.contains(" bake") || command.contains("compose push");
    image && (tagged(command) || (all_tags || bake || command.contains('$')) && tagged(script))
}

/// `name:tag` whose tag is not a fixed word such as latest.
fn is_versioned_reference(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'', ',']);
    let word = word.rsplit_once("tags=").map_or(word, |(_, tags)| tags);
    let Some((name, tag)) = split_tag(word) else {
        // A whole reference or a bare tag that only the run knows: `${{ steps.meta.outputs.tags }}`, `${TAG}`.
        return ["meta", "version", "tag", "sha"].iter().any(|hint| word.to_ascii_lowercase().contains(hint))
            && word.contains('$');
    };
    let settled = tag.contains(['$', '{']);
    let number = tag.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    !name.starts_with("http") && (settled || number)
}

/// Splits `registry:5000/name:tag` at the tag's colon; expressions are not looked into.
fn split_tag(word: &str) -> Option<(&str, &str)> {
    let mut depth = 0i32;
    let mut colon = None;
    for (at, c) in word.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            '/' if depth <= 0 => colon = None,
            ':' if depth <= 0 => colon = Some(at),
            _ => {}
        }
    }
    colon.map(|at| (&word[..at], &word[at + 1..])).filter(|(name, tag)| !name.is_empty() && !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_a_version_when_it_is_one_or_the_run_gives_it() {
        for word in [
            "shop:1.2.0",
            "ghcr.io/me/shop:${{ github.sha }}",
            "$IMAGE:$VERSION",
            "${{ steps.meta.outputs.tags }}",
            "r:5000/a:v2",
        ] {
            assert!(is_versioned_reference(word), "{word}");
        }
        for word in ["shop:latest", "shop", "localhost:5000/shop", "shop:main", "https://a.b/c", "${IMAGE}"] {
            assert!(!is_versioned_reference(word), "{word}");
        }
    }

    #[test]
    fn pushing_commands_look_at_their_own_tag_first() {
        assert!(names_version("docker push shop:$VERSION", ""));
        assert!(!names_version("docker push shop:latest", "docker tag shop shop:$VERSION"));
        assert!(!names_version("cargo publish", "docker tag shop:$VERSION"));
    }
}

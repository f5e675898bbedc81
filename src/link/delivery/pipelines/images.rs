//! Images that pipelines build and publish: their names and tags, and the Dockerfiles they are built from.

use std::collections::BTreeSet;

use super::commands::{commands, is_redirection};
use super::expressions::{may_be_on, text_of, texts_of, variants};
use super::model::{Action, Deed, Job, Kind, Pipeline};
use super::told::{Told, with_assignments};
use super::{actions, systems};
use crate::facts::vocabulary::ImageBuild;
use crate::facts::{Attr, Fact};
use crate::link::Context;
use crate::link::containers::{join, known::split};
use crate::link::ties::tag_pattern;
use crate::parse::document::Node;
use crate::scan::source::{Role, Span};

/// Programs that publish images.
const PROGRAMS: &[&str] = &["docker", "podman", "buildah", "skopeo", "regctl", "crane", "nerdctl"];

/// Words of commands and actions that publish images in a way that is not read here.
const WORDS: &[&str] = &["image", "docker", "podman", "buildah", "kaniko", "bake", "push", "ko", "jib", "container"];

/// An image that a job builds or publishes.
#[derive(Clone, Debug)]
struct Made {
    span: Span,
    /// Name and tag as written; `None` stands for what cannot be read.
    reference: Option<String>,
    /// What it is built from.
    source: Source,
    published: bool,
}

/// What an image is built from, as far as the pipeline says it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
struct Source {
    /// Path of the Dockerfile.
    dockerfile: Option<String>,
    /// The stage that is built.
    target: Option<String>,
    /// Names of build arguments.
    arguments: Vec<String>,
}

/// The name of an image with the Dockerfile that a pipeline builds it from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Named {
    /// Name without a tag.
    pub image: String,
    /// Path of the Dockerfile.
    pub dockerfile: String,
}

/// All images whose names and Dockerfiles the pipelines of the tree tell.
pub fn named(context: &Context<'_>) -> BTreeSet<Named> {
    let mut found = BTreeSet::new();
    for pipeline in systems::read(context.repository) {
        for job in &pipeline.jobs {
            let told = Told::of(context, &pipeline, job);
            for made in made(job, &told) {
                let text = made.reference.map(|reference| tag_pattern(&reference));
                let Some((name, _, _)) = text.as_deref().map(split) else { continue };
                // A name without an owner is what a run calls an image for itself, to try things with.
                let told = name.contains('/') && !name.contains('*');
                if let Some(dockerfile) = made.source.dockerfile.filter(|_| told) {
                    found.insert(Named { image: name.to_string(), dockerfile });
                }
            }
        }
    }
    found
}

/// The images that a job builds or publishes; one with nothing known stands for what cannot be read.
pub fn facts(context: &Context<'_>, pipeline: &Pipeline<'_>, job: &Job<'_>, deeds: &[Deed]) -> Vec<Fact> {
    if pipeline.only_for_pull_requests() {
        return Vec::new();
    }
    let told = Told::of(context, pipeline, job);
    let mut found = made(job, &told);
    // What is only built matters by its Dockerfile.
    found.retain(|made| made.published || made.source.dockerfile.is_some());
    // A deed that publishes an image, at a step where none was read.
    let read: Vec<Span> = found.iter().filter(|made| made.published).map(|made| made.span).collect();
    let unread = deeds.iter().filter(|deed| deed.kind == Kind::Publish && of_image(&deed.command)).filter(|deed| {
        let within = |span: &Span| span.start <= deed.span.start && deed.span.end <= span.end;
        !read.iter().any(within)
    });
    let unread =
        unread.map(|deed| Made { span: deed.span, reference: None, source: Source::default(), published: true });
    found.extend(unread.collect::<Vec<_>>());
    let mut seen = BTreeSet::new();
    found.retain(|made| seen.insert((made.reference.clone(), made.source.clone(), made.published)));
    found.iter().map(|made| fact(context, pipeline, made)).collect()
}

fn of_image(command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.contains(&word)) && !lower.starts_with("cargo") && !lower.starts_with("git ")
}

fn fact(context: &Context<'_>, pipeline: &Pipeline<'_>, made: &Made) -> Fact {
    let text = made.reference.as_deref().map(tag_pattern);
    let (name, tag) = match text.as_deref().map(split) {
        Some((name, tag, _)) => (name.to_string(), tag.map(str::to_string)),
        None => ("*".to_string(), None),
    };
    let known = !name.contains('*');
    let data = ImageBuild {
        image: if known { Attr::Known(name) } else { Attr::Unknown },
        tag: match tag {
            Some(tag) => Attr::Known(tag),
            None if known => Attr::Known("latest".to_string()),
            None => Attr::Unknown,
        },
        dockerfile: made.source.dockerfile.clone().into(),
        target: made.source.target.clone().into(),
        arguments: Attr::Known(made.source.arguments.clone()),
        by: pipeline.system.into(),
        published: made.published.into(),
        ..ImageBuild::default()
    };
    context.fact_in_role(data, pipeline.file.id, made.span, Role::Service)
}

fn made(job: &Job<'_>, told: &Told) -> Vec<Made> {
    let mut found = Vec::new();
    for step in &job.steps {
        match &step.action {
            Action::Use { name, inputs: Some(inputs), span, .. } if name.contains("build-push-action") => {
                found.extend(by_action(job, told, inputs, *span));
            }
            Action::Script(text) => {
                for variant in variants(text, job.matrix) {
                    found.extend(by_script(&variant, told, &step.folder, step.span));
                }
            }
            _ => {}
        }
    }
    found
}

/// The separator of texts that get their matrix values together.
const CUT: &str = "\u{1}";

fn by_action(job: &Job<'_>, told: &Told, inputs: &Node, span: Span) -> Vec<Made> {
    let published = may_be_on(inputs.get("push"))
        || inputs.get("outputs").and_then(text_of).is_some_and(|outputs| outputs.contains("push=true"));
    let text = |key: &str| inputs.get(key).map(texts_of).unwrap_or_default().join("\n");
    let whole = ["context", "file", "target", "build-args", "tags"].map(text).join(CUT);
    let mut all = Vec::new();
    for variant in variants(&whole, job.matrix).iter().flat_map(|variant| told.put_in(variant)) {
        let parts: Vec<&str> = variant.split(CUT).collect();
        let [folder, file, target, arguments, tags] = parts.as_slice() else { continue };
        let source = Source {
            dockerfile: dockerfile("", folder.trim(), Some(file.trim()).filter(|file| !file.is_empty())),
            target: Some(target.trim().to_string()).filter(|target| !target.is_empty()),
            arguments: arguments.lines().filter_map(|line| Some(line.split_once('=')?.0.trim().to_string())).collect(),
        };
        for reference in references(tags) {
            all.push(Made { span, reference: Some(reference), source: source.clone(), published });
        }
    }
    all
}

/// Path of the Dockerfile of a build: `file` as the builder reads it, else the one in the context. `None` where the
/// context is not of this tree, or a run gives it.
fn dockerfile(cwd: &str, folder: &str, file: Option<&str>) -> Option<String> {
    let folder = folder.trim_start_matches("{{defaultContext}}").trim_start_matches(':');
    let path = match file {
        Some(file) => join(cwd, file),
        None => format!("{}/Dockerfile", join(cwd, folder)).trim_start_matches('/').to_string(),
    };
    let elsewhere = folder.contains("://") || folder.starts_with("git@") || folder == "-";
    let open = path.contains(['$', '*']) || file.is_some_and(|file| file.starts_with('/'));
    (!elsewhere && !open).then_some(path)
}

/// The words of a list of tags, blanks inside `${{ expressions }}` left out.
fn references(tags: &str) -> Vec<String> {
    let dense = actions::dense(tags);
    let words = dense.split(['\n', ',', ' ']).map(|word| word.trim().trim_matches(['"', '\'']).to_string());
    words.filter(|word| !word.is_empty()).collect()
}

/// What the commands of a script build and push.
fn by_script(script: &str, told: &Told, folder: &str, span: Span) -> Vec<Made> {
    let script = actions::dense(script);
    let mut all: Vec<Made> = Vec::new();
    for command in commands(&script) {
        let [program, rest @ ..] = command.words.as_slice() else { continue };
        if !PROGRAMS.contains(&program.as_str()) {
            continue;
        }
        let expand = |text: &String| -> Vec<String> {
            with_assignments(text, &script).iter().flat_map(|text| told.put_in(text)).collect()
        };
        let rest = match rest.first().map(String::as_str) {
            Some("buildx" | "image") => &rest[1..],
            _ => rest,
        };
        match rest.first().map(String::as_str) {
            Some("push") => {
                let named = rest[1..].iter().find(|word| !word.starts_with('-'));
                for reference in named.into_iter().flat_map(expand) {
                    let source = Source::default();
                    all.push(Made { span, reference: Some(reference), source, published: true });
                }
            }
            Some("build" | "bud") => {
                let asked = Asked::read(&rest[1..]);
                let one = |texts: Vec<String>| texts.into_iter().next().filter(|text| !text.contains('$'));
                let context = asked.context.as_ref().map(expand).and_then(one);
                let file = asked.file.as_ref().map(expand).map(one);
                let source = Source {
                    dockerfile: match (&context, &file) {
                        (_, Some(None)) | (None, _) => None,
                        (Some(context), file) => dockerfile(folder, context, file.as_ref().and_then(|f| f.as_deref())),
                    },
                    target: asked.target.as_ref().map(expand).and_then(one),
                    arguments: asked.arguments,
                };
                for reference in asked.tags.iter().flat_map(expand) {
                    all.push(Made {
                        span,
                        reference: Some(reference),
                        source: source.clone(),
                        published: asked.pushes,
                    });
                }
            }
            _ => {}
        }
    }
    carry_sources(&mut all);
    all
}

/// An image that is pushed after it was built is built from what it was built from.
fn carry_sources(all: &mut [Made]) {
    let built: Vec<(Option<String>, Source)> =
        all.iter().filter(|made| !made.published).map(|made| (made.reference.clone(), made.source.clone())).collect();
    for made in all.iter_mut().filter(|made| made.published && made.source == Source::default()) {
        if let Some((_, source)) = built.iter().find(|(reference, _)| *reference == made.reference) {
            made.source = source.clone();
        }
    }
}

/// The options of a build command that matter here.
#[derive(Default)]
struct Asked {
    tags: Vec<String>,
    file: Option<String>,
    target: Option<String>,
    arguments: Vec<String>,
    context: Option<String>,
    pushes: bool,
}

/// Options that stand alone.
const SWITCHES: &[&str] =
    &["--push", "--load", "--pull", "--no-cache", "--rm", "--force-rm", "--squash", "-q", "--quiet"];

impl Asked {
    fn read(words: &[String]) -> Asked {
        let mut asked = Asked::default();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            // What is read from or written to a file is no word of the command.
            if is_redirection(word) {
                break;
            }
            if !word.starts_with('-') || word == "-" {
                asked.context = Some(word.clone());
                continue;
            }
            if SWITCHES.contains(&word.as_str()) {
                asked.pushes |= word == "--push";
                continue;
            }
            let (option, value) = match word.split_once('=').filter(|_| word.starts_with("--")) {
                Some((option, value)) => (option, value.to_string()),
                None => {
                    let value = words.get(at).cloned().unwrap_or_default();
                    at += 1;
                    (word.as_str(), value)
                }
            };
            match option {
                "-t" | "--tag" => asked.tags.push(value),
                "-f" | "--file" => asked.file = Some(value),
                "--target" => asked.target = Some(value),
                "--build-arg" => asked.arguments.push(value.split('=').next().unwrap_or("").to_string()),
                "-o" | "--output" => asked.pushes |= value.contains("push=true") || value.contains("type=registry"),
                _ => {}
            }
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(script: &str, folder: &str) -> Vec<(String, Option<String>, bool)> {
        let all = by_script(script, &Told::default(), folder, Span::default());
        all.into_iter()
            .map(|made| (made.reference.unwrap_or_default(), made.source.dockerfile, made.published))
            .collect()
    }

    fn row(reference: &str, dockerfile: Option<&str>, published: bool) -> (String, Option<String>, bool) {
        (reference.to_string(), dockerfile.map(str::to_string), published)
    }

    #[test]
    fn commands_that_build() {
        assert_eq!(built("docker build -t shop .", ""), [row("shop", Some("Dockerfile"), false)]);
        assert_eq!(built("docker build -t shop . 2>&1", ""), [row("shop", Some("Dockerfile"), false)]);
        assert_eq!(
            built("docker build -t shop services/api", ""),
            [row("shop", Some("services/api/Dockerfile"), false)]
        );
        assert_eq!(
            built("docker build --pull -f docker/api.Dockerfile --build-arg BIN=api -t acme/api:1 ..", "deploy"),
            [row("acme/api:1", Some("deploy/docker/api.Dockerfile"), false)]
        );
        assert_eq!(
            built("docker buildx build --platform linux/amd64 --tag=acme/api:$TAG --push ./api", ""),
            [row("acme/api:$TAG", Some("api/Dockerfile"), true)]
        );
        assert_eq!(
            built("IMAGE=acme/api\ndocker build . -t $IMAGE:1\ndocker push ${IMAGE}:1", ""),
            [row("acme/api:1", Some("Dockerfile"), false), row("acme/api:1", Some("Dockerfile"), true)]
        );
        assert_eq!(built("docker build -t x https://example.com/acme/x.git", ""), [row("x", None, false)]);
        assert_eq!(built("docker build -t x -f $FILE .", ""), [row("x", None, false)]);
        assert_eq!(built("docker build -t x - < Dockerfile", "").first(), Some(&row("x", None, false)));
    }

    #[test]
    fn where_the_dockerfile_of_an_action_stands() {
        assert_eq!(dockerfile("", "", None).as_deref(), Some("Dockerfile"));
        assert_eq!(dockerfile("", "./api", None).as_deref(), Some("api/Dockerfile"));
        assert_eq!(dockerfile("", "./api", Some("./api/prod.Dockerfile")).as_deref(), Some("api/prod.Dockerfile"));
        assert_eq!(dockerfile("", "{{defaultContext}}:api", None).as_deref(), Some("api/Dockerfile"));
        assert_eq!(dockerfile("", "https://example.com/x.git", None), None);
        assert_eq!(dockerfile("", "${{inputs.context}}", None), None);
    }
}

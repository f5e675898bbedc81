//! Images that pipelines publish, by the names and tags they give them.

use std::collections::BTreeSet;

use super::commands::commands;
use super::expressions::{may_be_on, texts_of, variants};
use super::model::{Action, Deed, Job, Kind, Pipeline};
use crate::facts::vocabulary::ImageBuild;
use crate::facts::{Attr, Fact};
use crate::link::Context;
use crate::link::containers::known::split;
use crate::link::ties::tag_pattern;
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{Role, Span};

/// Programs that publish images.
const PROGRAMS: &[&str] = &["docker", "podman", "buildah", "skopeo", "regctl", "crane", "nerdctl"];

/// Words of commands and actions that publish images in a way that is not read here.
const WORDS: &[&str] = &["image", "docker", "podman", "buildah", "kaniko", "bake", "push", "ko", "jib", "container"];

/// The images that a job publishes; one with nothing known stands for what cannot be read.
pub fn published(context: &Context<'_>, pipeline: &Pipeline<'_>, job: &Job<'_>, deeds: &[Deed]) -> Vec<Fact> {
    if pipeline.only_for_pull_requests() {
        return Vec::new();
    }
    let mut found: Vec<(Span, Option<String>)> = Vec::new();
    for step in &job.steps {
        match &step.action {
            Action::Use { name, inputs: Some(inputs), span, .. }
                if name.contains("build-push-action") && may_be_on(inputs.get("push")) =>
            {
                let tags = inputs.get("tags").map(texts_of).unwrap_or_default().join("\n");
                let tags = variants(&tags, job.matrix).join("\n");
                found.extend(references(&tags).map(|reference| (*span, Some(reference))));
            }
            Action::Script(text) => {
                for variant in variants(text, job.matrix) {
                    found.extend(pushed(&variant).into_iter().map(|reference| (step.span, Some(reference))));
                }
            }
            _ => {}
        }
    }
    // A deed that publishes an image, at a step where none was read.
    let read: Vec<Span> = found.iter().map(|(span, _)| *span).collect();
    let unread = deeds.iter().filter(|deed| deed.kind == Kind::Publish && of_image(&deed.command)).filter(|deed| {
        let within = |span: &Span| span.start <= deed.span.start && deed.span.end <= span.end;
        !read.iter().any(within)
    });
    found.extend(unread.map(|deed| (deed.span, None)));
    let mut seen = BTreeSet::new();
    found.retain(|(_, reference)| seen.insert(reference.clone()));
    let settings = settings(context, pipeline);
    found.into_iter().map(|(span, reference)| fact(context, pipeline, span, reference.as_deref(), &settings)).collect()
}

fn of_image(command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| WORDS.contains(&word)) && !lower.starts_with("cargo") && !lower.starts_with("git ")
}

fn fact(
    context: &Context<'_>,
    pipeline: &Pipeline<'_>,
    span: Span,
    reference: Option<&str>,
    settings: &[(String, String)],
) -> Fact {
    let text = reference.map(|reference| with_settings(reference, settings)).map(|text| tag_pattern(&text));
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
        by: pipeline.system.into(),
        published: true.into(),
        ..ImageBuild::default()
    };
    context.fact_in_role(data, pipeline.file.id, span, Role::Service)
}

/// The words of a list of tags, blanks inside `${{ expressions }}` left out.
fn references(tags: &str) -> impl Iterator<Item = String> {
    let dense = super::actions::dense(tags);
    let words: Vec<String> =
        dense.split(['\n', ',', ' ']).map(|word| word.trim().trim_matches(['"', '\'']).to_string()).collect();
    words.into_iter().filter(|word| !word.is_empty())
}

/// What the commands of a script push.
fn pushed(script: &str) -> Vec<String> {
    let mut all = Vec::new();
    for command in commands(&super::actions::dense(script)) {
        let [program, rest @ ..] = command.words.as_slice() else { continue };
        if !PROGRAMS.contains(&program.as_str()) {
            continue;
        }
        match rest.first().map(String::as_str) {
            Some("push") => all.extend(rest[1..].iter().find(|word| !word.starts_with('-')).cloned()),
            Some("build" | "buildx") if rest.iter().any(|word| word == "--push") => {
                let named = rest.windows(2).filter(|pair| matches!(pair[0].as_str(), "-t" | "--tag"));
                all.extend(named.map(|pair| pair[1].clone()));
                all.extend(rest.iter().filter_map(|word| word.strip_prefix("--tag=")).map(str::to_string));
            }
            _ => {}
        }
    }
    all
}

/// Plain values of the pipeline's `env`.
fn settings(context: &Context<'_>, pipeline: &Pipeline<'_>) -> Vec<(String, String)> {
    let Syntax::Documents(documents) = &context.repository.get(pipeline.file.id).1.syntax else { return Vec::new() };
    let env = documents.first().and_then(|root| root.get("env")).map_or(&[][..], Node::entries);
    let plain = env.iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.scalar()?)));
    plain.filter(|(_, value)| !value.contains('$')).collect()
}

fn with_settings(text: &str, settings: &[(String, String)]) -> String {
    settings.iter().fold(text.to_string(), |text, (name, value)| {
        [format!("${{{{env.{name}}}}}"), format!("${{{name}}}"), format!("${name}")]
            .iter()
            .fold(text, |text, written| text.replace(written, value))
    })
}

//! What CI does: jobs and steps of every CI system, followed through the scripts and recipes they call.

mod actions;
mod called;
mod commands;
mod expressions;
mod images;
mod known;
mod model;
mod recipes;
mod resolve;
mod systems;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::vocabulary::{ActionUse, CiStep, Rollback};
use crate::facts::{Attr, Confidence, Data, Fact};
use crate::link::{Context, Linked};
use crate::scan::source::{Kind as FileKind, Role, SourceFile, Span};
pub use images::{Named, named};
use model::{Action, Deed, Job, Kind, Pipeline};
use resolve::Resolver;

/// Adds CI steps, uses of shared actions, and the ways back that pipelines show.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let resolver = Resolver::new(context);
    let pipelines: Vec<Read<'_>> = systems::read(context.repository)
        .into_iter()
        .map(|pipeline| {
            let deeds = pipeline.jobs.iter().map(|job| deeds_of_job(&resolver, &pipeline, job)).collect();
            Read { pipeline, deeds }
        })
        .collect();
    let after = Order::of(&pipelines);
    let mut seen = Seen::new();
    for (read, after) in pipelines.iter().zip(&after) {
        emit_pipeline(context, read, after, &mut seen, linked);
    }
    emit_scripts(context, &resolver, linked);
}

/// Scripts and recipes of the tree that publish images under names that tell their version, whoever runs them.
fn emit_scripts(context: &Context<'_>, resolver: &Resolver<'_>, linked: &mut Linked) {
    if context.services.is_empty() {
        return;
    }
    let is_script = |file: &&SourceFile| {
        let kind = matches!(file.kind, FileKind::Shell | FileKind::Make | FileKind::Just);
        // A pipeline's own folder holds the images that it runs in.
        let tools = file.path.split('/').any(|part| part.starts_with('.'));
        kind && !tools && file.role == Role::Service && resolver.covers_service(beside_scripts(file.folder()))
    };
    for file in context.repository.tree.files.iter().filter(is_script) {
        let publishes = |command: &commands::Command| {
            let kind = commands::classify(&command.words).map(|(kind, _)| kind);
            kind == Some(Kind::Publish) && actions::names_version(&command.line(), &file.text)
        };
        if let Some(command) = commands::commands(&file.text).into_iter().find(publishes) {
            let end = file.text[command.offset..].find('\n').map_or(file.text.len(), |at| command.offset + at);
            let data = Rollback { how: "versioned-image".into() };
            let fact = context.fact(data, file.id, Span::new(command.offset, end));
            linked.facts.add(fact.confidence(Confidence::Medium));
        }
    }
}

/// Folders that hold nothing but the scripts of the folder above.
const SCRIPTS: &[&str] = &["scripts", "script", "docker", "ci", "build", "bin", "tools", "hack", "deploy", "release"];

fn beside_scripts(folder: &str) -> &str {
    match folder.rsplit_once('/') {
        Some((above, last)) if SCRIPTS.contains(&last) => above,
        None if SCRIPTS.contains(&folder) => "",
        _ => folder,
    }
}

/// A pipeline with what each of its jobs does.
struct Read<'a> {
    pipeline: Pipeline<'a>,
    deeds: Vec<Vec<Deed>>,
}

fn emit_pipeline(context: &Context<'_>, read: &Read<'_>, after_tests: &[bool], seen: &mut Seen, linked: &mut Linked) {
    let Read { pipeline, deeds } = read;
    for (index, job) in pipeline.jobs.iter().enumerate() {
        emit_action_uses(context, pipeline, job, seen, linked);
        linked.facts.all.extend(images::facts(context, pipeline, job, &deeds[index]));
        let mut tests_before = after_tests[index];
        for deed in &deeds[index] {
            emit_deed(context, pipeline, deed, tests_before, linked);
            tests_before |= deed.kind == Kind::Test;
        }
    }
    emit_chosen_version(context, pipeline, deeds.iter().flatten(), linked);
}

/// How many deeds of one job are told apart.
const DEEDS: usize = 2000;

fn deeds_of_job(resolver: &Resolver<'_>, pipeline: &Pipeline<'_>, job: &Job<'_>) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for step in &job.steps {
        if deeds.len() < DEEDS {
            resolver.step(pipeline.file, job, step, &mut deeds);
        }
    }
    let rig = pipeline.of_tests() || deeds.iter().any(|deed| deed.kind == Kind::TestCluster);
    deeds.retain(|deed| match deed.kind {
        Kind::TestCluster => false,
        Kind::Deploy => !rig && !pipeline.only_for_pull_requests(),
        Kind::Publish => !pipeline.only_for_pull_requests(),
        _ => true,
    });
    deeds
}

/// Which jobs run after tests: by the jobs they wait for, stages, and the workflow that calls theirs.
struct Order<'r, 'a> {
    pipelines: &'r [Read<'a>],
    by_path: BTreeMap<&'r str, usize>,
    after: Vec<Vec<bool>>,
}

/// How many times the order is gone through: chains of calls and needs are no longer than this.
const ROUNDS: usize = 16;

impl<'r, 'a> Order<'r, 'a> {
    fn of(pipelines: &'r [Read<'a>]) -> Vec<Vec<bool>> {
        let by_path = pipelines.iter().enumerate().map(|(at, read)| (read.pipeline.file.path.as_str(), at)).collect();
        let after = pipelines.iter().map(|read| vec![read.pipeline.starts_after_another(); read.deeds.len()]).collect();
        let mut order = Order { pipelines, by_path, after };
        for _ in 0..ROUNDS {
            if !order.round() {
                break;
            }
        }
        order.after
    }

    fn tests(&self, at: usize, job: usize) -> bool {
        let in_job = |deeds: &Vec<Deed>| deeds.iter().any(|deed| deed.kind == Kind::Test);
        let called = self.pipelines[at].pipeline.jobs[job].calls.as_deref().and_then(|path| self.by_path.get(path));
        in_job(&self.pipelines[at].deeds[job]) || called.is_some_and(|at| self.pipelines[*at].deeds.iter().any(in_job))
    }

    /// The first stage in which a pipeline tests; the files of GitLab's are one pipeline.
    fn first_tested(&self, at: usize) -> Option<usize> {
        let system = self.pipelines[at].pipeline.system;
        let same = |other: usize| other == at || system == "gitlab" && self.pipelines[other].pipeline.system == system;
        let stages = (0..self.pipelines.len()).filter(|other| same(*other)).flat_map(|other| {
            let jobs = self.pipelines[other].pipeline.jobs.iter().enumerate();
            let tested = jobs.filter(move |(number, _)| self.tests(other, *number) || self.after[other][*number]);
            tested.filter_map(|(_, job)| job.stage)
        });
        stages.min()
    }

    fn round(&mut self) -> bool {
        let mut found = Vec::new();
        for (at, read) in self.pipelines.iter().enumerate() {
            let jobs = &read.pipeline.jobs;
            let index: BTreeMap<&str, usize> =
                jobs.iter().enumerate().map(|(at, job)| (job.name.as_str(), at)).collect();
            let first_tested = self.first_tested(at);
            for (number, job) in jobs.iter().enumerate() {
                let mut needs = job.needs.iter().filter_map(|need| index.get(need.as_str()).copied());
                let later = job.stage.zip(first_tested).is_some_and(|(stage, first)| first < stage);
                if self.after[at][number] || later || needs.any(|need| self.tests(at, need) || self.after[at][need]) {
                    found.push((at, number));
                    let called = job.calls.as_deref().and_then(|path| self.by_path.get(path));
                    found.extend(called.iter().flat_map(|at| (0..self.after[**at].len()).map(|number| (**at, number))));
                }
            }
        }
        let mut changed = false;
        for (at, number) in found {
            changed |= !std::mem::replace(&mut self.after[at][number], true);
        }
        changed
    }
}

/// A fact of a pipeline. Its role is that of a service's file whatever its name says: `test.yml` is CI, no test.
fn at_pipeline(context: &Context<'_>, data: impl Into<Data>, pipeline: &Pipeline<'_>, span: Span) -> Fact {
    context.fact_in_role(data, pipeline.file.id, span, Role::Service)
}

fn emit_deed(context: &Context<'_>, pipeline: &Pipeline<'_>, deed: &Deed, after_tests: bool, linked: &mut Linked) {
    let step = CiStep {
        kind: deed.kind.word().into(),
        system: pipeline.system.into(),
        command: deed.command.as_str().into(),
        after_tests: after_tests.into(),
        started_by: pipeline.triggers.clone().into(),
        of_service: deed.of_service.map_or(Attr::Unknown, Attr::Known),
    };
    let mut fact = at_pipeline(context, step, pipeline, deed.span).confidence(deed.confidence);
    fact.related = deed.related.clone();
    linked.facts.add(fact);
    if let Some((how, confidence)) = way_back(deed) {
        let rollback = Rollback { how: how.into() };
        let confidence = confidence.min(deed.confidence);
        linked.facts.add(at_pipeline(context, rollback, pipeline, deed.span).confidence(confidence));
    }
}

/// How a deed lets the team go back to an earlier version.
fn way_back(deed: &Deed) -> Option<(&'static str, Confidence)> {
    match (deed.kind, deed.versioned_image) {
        (Kind::Rollback, _) => Some(("workflow", Confidence::High)),
        (Kind::Publish, Some(true)) => Some(("versioned-image", Confidence::High)),
        // An action that publishes chooses the tags itself: that it names versions is likely and not seen.
        (Kind::Publish, None) => Some(("versioned-image", Confidence::Low)),
        _ => None,
    }
}

/// A pipeline that deploys a version the person who starts it names can deploy an earlier one.
fn emit_chosen_version<'d>(
    context: &Context<'_>,
    pipeline: &Pipeline<'_>,
    mut deeds: impl Iterator<Item = &'d Deed>,
    linked: &mut Linked,
) {
    let Some(span) = pipeline.version_input else { return };
    if deeds.any(|deed| deed.kind == Kind::Deploy) {
        let rollback = Rollback { how: "workflow".into() };
        linked.facts.add(at_pipeline(context, rollback, pipeline, span).confidence(Confidence::Medium));
    }
}

/// Actions with their references that were reported; one place is enough for each.
type Seen = BTreeSet<(String, String)>;

fn emit_action_uses(
    context: &Context<'_>,
    pipeline: &Pipeline<'_>,
    job: &Job<'_>,
    seen: &mut Seen,
    linked: &mut Linked,
) {
    for step in &job.steps {
        let Action::Use { name, reference, span, .. } = &step.action else { continue };
        let shared = pipeline.system == "github-actions" && !name.starts_with('.') && !name.starts_with("docker:");
        if !shared || !seen.insert((name.clone(), reference.clone())) {
            continue;
        }
        let data = ActionUse {
            name: name.as_str().into(),
            reference: reference.as_str().into(),
            pinned: is_commit(reference).into(),
            first_party: (name.starts_with("actions/") || name.starts_with("github/")).into(),
        };
        linked.facts.add(at_pipeline(context, data, pipeline, *span));
    }
}

fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

//! What CI does: jobs and steps of every CI system, followed through the scripts and recipes they call.

mod actions;
mod called;
mod commands;
mod expressions;
mod model;
mod recipes;
mod resolve;
mod systems;

use std::collections::BTreeMap;

use crate::facts::Confidence;
use crate::facts::vocabulary::{ActionUse, CiStep, Rollback};
use crate::link::{Context, Linked};
use model::{Action, Deed, Job, Kind, Pipeline};
use resolve::Resolver;

/// Adds CI steps, uses of shared actions, and the ways back that pipelines show.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let resolver = Resolver { context };
    for pipeline in systems::read(context.repository) {
        emit_pipeline(context, &resolver, &pipeline, linked);
    }
}

fn emit_pipeline(context: &Context<'_>, resolver: &Resolver<'_>, pipeline: &Pipeline<'_>, linked: &mut Linked) {
    let deeds: Vec<Vec<Deed>> = pipeline.jobs.iter().map(|job| deeds_of_job(resolver, pipeline, job)).collect();
    let tested = jobs_after_tests(pipeline, &deeds);
    for (index, job) in pipeline.jobs.iter().enumerate() {
        emit_action_uses(context, pipeline, job, linked);
        let mut tests_before = tested[index];
        for deed in &deeds[index] {
            emit_deed(context, pipeline, deed, tests_before, linked);
            tests_before |= deed.kind == Kind::Test;
        }
    }
    emit_chosen_version(context, pipeline, deeds.iter().flatten(), linked);
}

fn deeds_of_job(resolver: &Resolver<'_>, pipeline: &Pipeline<'_>, job: &Job<'_>) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for step in &job.steps {
        resolver.step(pipeline.file, job, step, &mut deeds);
    }
    let rig = deeds.iter().any(|deed| deed.kind == Kind::TestCluster);
    deeds.retain(|deed| match deed.kind {
        Kind::TestCluster => false,
        Kind::Deploy => !rig && !pipeline.only_for_pull_requests(),
        Kind::Publish => !pipeline.only_for_pull_requests(),
        _ => true,
    });
    deeds
}

/// For each job, whether a job it waits for (directly or not) tests, or the pipeline starts after one that does.
fn jobs_after_tests(pipeline: &Pipeline<'_>, deeds: &[Vec<Deed>]) -> Vec<bool> {
    let tests: Vec<bool> = deeds.iter().map(|deeds| deeds.iter().any(|deed| deed.kind == Kind::Test)).collect();
    let index: BTreeMap<&str, usize> =
        pipeline.jobs.iter().enumerate().map(|(at, job)| (job.name.as_str(), at)).collect();
    let mut after = vec![pipeline.starts_after_another(); pipeline.jobs.len()];
    // One round per job settles chains of any length.
    for _ in 0..pipeline.jobs.len().min(64) {
        let mut changed = false;
        for (at, job) in pipeline.jobs.iter().enumerate().filter(|(at, _)| !after[*at]).collect::<Vec<_>>() {
            let by_need = job.needs.iter().filter_map(|need| index.get(need.as_str()));
            let waits = by_need.copied().chain(earlier_stages(pipeline, job)).any(|need| tests[need] || after[need]);
            changed |= waits;
            after[at] = waits;
        }
        if !changed {
            break;
        }
    }
    after
}

fn earlier_stages<'p>(pipeline: &'p Pipeline<'_>, job: &'p Job<'_>) -> impl Iterator<Item = usize> + 'p {
    let other = pipeline.jobs.iter().enumerate();
    other.filter(move |(_, other)| other.stage.is_some() && other.stage < job.stage).map(|(at, _)| at)
}

fn emit_deed(context: &Context<'_>, pipeline: &Pipeline<'_>, deed: &Deed, after_tests: bool, linked: &mut Linked) {
    let step = CiStep {
        kind: deed.kind.word().into(),
        system: pipeline.system.into(),
        command: deed.command.as_str().into(),
        after_tests: after_tests.into(),
        of_service: deed.of_service.into(),
    };
    let mut fact = context.fact(step, pipeline.file.id, deed.span).confidence(deed.confidence);
    fact.related = deed.related.clone();
    linked.facts.add(fact);
    if let Some(how) = way_back(deed) {
        let rollback = Rollback { how: how.into() };
        linked.facts.add(context.fact(rollback, pipeline.file.id, deed.span).confidence(deed.confidence));
    }
}

/// How a deed lets the team go back to an earlier version.
fn way_back(deed: &Deed) -> Option<&'static str> {
    match deed.kind {
        Kind::Rollback => Some("workflow"),
        Kind::Publish if deed.versioned_image => Some("versioned-image"),
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
        linked.facts.add(context.fact(rollback, pipeline.file.id, span).confidence(Confidence::Medium));
    }
}

fn emit_action_uses(context: &Context<'_>, pipeline: &Pipeline<'_>, job: &Job<'_>, linked: &mut Linked) {
    for step in &job.steps {
        let Action::Use { name, reference, span, .. } = &step.action else { continue };
        if name.starts_with('.') || name.starts_with("docker:") {
            continue;
        }
        let data = ActionUse {
            name: name.as_str().into(),
            reference: reference.as_str().into(),
            pinned: is_commit(reference).into(),
            first_party: (name.starts_with("actions/") || name.starts_with("github/")).into(),
        };
        linked.facts.add(context.fact(data, pipeline.file.id, *span));
    }
}

fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

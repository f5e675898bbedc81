//! Secrets that stand in the tree: by the format of a provider's token, by a URL, or by the name of a literal.
//!
//! A value is compared in memory only: neither it nor a hash of it is written anywhere.

mod candidates;
mod checks;
mod detectors;
mod families;
mod judge;
pub mod kinds;
mod naming;
pub mod past;
mod patterns;
pub mod sample;
mod search;
mod setting;
mod shape;
#[cfg(test)]
mod tests;
mod urls;
pub mod why;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Context, Linked};
use crate::facts::vocabulary::{Secret, SecretCandidate};
use crate::facts::{Attr, Confidence, Related};
use crate::parse::Parsed;
use crate::scan::source::{Place, Role, SourceFile};
use search::{Found, Hit};

/// Literals that are none, as evidence that the search was made; more than this many say no more.
const MOST_EVIDENCE: usize = 500;

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let repository = context.repository;
    let pairs: Vec<(&SourceFile, &Parsed)> = repository.files().collect();
    let found: Vec<Found> = pairs.par_iter().map(|(file, parsed)| search::file(file, parsed)).collect();
    evidence(context, linked, &pairs, &found);
    let examples: BTreeSet<String> = found.iter().flat_map(|found| found.examples.iter().cloned()).collect();
    // What a checksum or a structure proves is one, whatever it is called.
    let example = |hit: &Hit| !hit.proven && examples.contains(&hit.value);
    let hits = found.into_iter().flat_map(|found| found.hits).filter(|hit| !example(hit));
    let hits: Vec<Hit> = hits.collect();
    linked.masks.extend(hits.iter().map(place));
    let mut past = past::hits(repository, &mut linked.masks);
    for group in groups(hits) {
        let first = group.first().and_then(|hit| past.known(hit, &group));
        add(context, linked, group, first);
    }
    past.emit(context, linked, &examples);
}

fn place(hit: &Hit) -> Place {
    Place { file: hit.file, span: hit.span }
}

/// A value for people: enough to recognise it, too little to use it.
pub fn redact(value: &str) -> String {
    let length = value.chars().count();
    let open = if length >= 16 { 4 } else { 0 };
    let start: String = value.chars().take(open).collect();
    format!("{start}****")
}

/// Hits of one value together, the place that matters most first.
fn groups(hits: Vec<Hit>) -> Vec<Vec<Hit>> {
    let mut by_value: BTreeMap<(String, String), Vec<Hit>> = BTreeMap::new();
    for hit in hits {
        by_value.entry(key(&hit)).or_default().push(hit);
    }
    let mut groups: Vec<Vec<Hit>> = by_value.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|hit| (weight(hit), hit.file, hit.span));
    }
    groups.sort_by_key(|group| group.first().map(|hit| (hit.file, hit.span)));
    groups
}

/// What makes two hits the same secret: the value, and for an everyday word the same name in the same kind of place.
fn key(hit: &Hit) -> (String, String) {
    let also = if hit.judgement.distinctive {
        String::new()
    } else {
        format!("{}:{:?}", naming::words(&hit.name).join("_"), hit.setting.location)
    };
    (hit.value.clone(), also)
}

fn weight(hit: &Hit) -> (bool, bool, bool, std::cmp::Reverse<Confidence>) {
    let judgement = &hit.judgement;
    (hit.role != Role::Service, !hit.tracked, judgement.development_only, std::cmp::Reverse(judgement.confidence))
}

fn add(context: &Context<'_>, linked: &mut Linked, group: Vec<Hit>, before: Option<past::First>) {
    let Some(first) = group.first() else { return };
    let shared = families::environments(context.repository, &group);
    let judgement = &first.judgement;
    let data = Secret {
        kind: first.kind.as_str().into(),
        title: first.title.as_str().into(),
        name: first.name.as_str().into(),
        redacted: redact(&first.value).as_str().into(),
        location: first.setting.location.word().into(),
        environment: first.setting.environment.clone().into(),
        development_only: judgement.development_only.into(),
        default_value: judgement.default_value.into(),
        shared_environments: if shared.len() >= 2 { Attr::Known(shared) } else { Attr::Unset },
        places: f64::from(u32::try_from(group.len()).unwrap_or(u32::MAX)).into(),
        tracked: first.tracked.into(),
        by_name: first.by_name.into(),
        revoke: first.revoke.as_str().into(),
        commit: before.as_ref().map(|before| before.commit.clone()).into(),
        introduced: before.as_ref().map(|before| before.introduced.clone()).into(),
    };
    let mut fact = context.fact_in_role(data, first.file, first.span, first.role).confidence(judgement.confidence);
    fact.related = group[1..].iter().map(related).collect();
    fact.related.extend(
        before
            .map(|before| Related { place: before.place, note: format!("in the history since {}", before.introduced) }),
    );
    linked.facts.add(fact);
}

fn related(hit: &Hit) -> Related {
    let note = match &hit.setting.environment {
        Some(environment) => format!("the same value, for {environment}"),
        None => "the same value".to_string(),
    };
    Related { place: Place { file: hit.file, span: hit.span }, note }
}

/// Literals that were looked at and are none; a file that was searched where there is no such literal.
fn evidence(context: &Context<'_>, linked: &mut Linked, pairs: &[(&SourceFile, &Parsed)], found: &[Found]) {
    let mut added = 0;
    for ((file, parsed), found) in pairs.iter().zip(found) {
        if file.role != Role::Service || found.none.is_empty() {
            continue;
        }
        let location = setting::of(file, parsed).location.word();
        for (span, reason) in &found.none {
            if added < MOST_EVIDENCE {
                added += 1;
                let data = SecretCandidate { reason: (*reason).into(), location: location.into() };
                linked.facts.add(context.fact(data, file.id, *span));
            }
        }
    }
    let searched = pairs.iter().filter(|(file, _)| !file.text.is_empty()).count();
    if added == 0
        && let Some((file, parsed)) = pairs.iter().find(|(file, _)| file.role == Role::Service && !file.text.is_empty())
    {
        let reason = format!("{searched} files searched, no credential beside development defaults");
        let location = setting::of(file, parsed).location.word();
        let data = SecretCandidate { reason: reason.as_str().into(), location: location.into() };
        linked.facts.add(context.fact(data, file.id, file.line_span(1)));
    }
}

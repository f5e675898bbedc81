//! Secrets that stand in the tree: by the format of a provider's token, by a URL, or by the name of a literal.
//!
//! A value is compared in memory only: neither it nor a hash of it is written anywhere.

mod candidates;
mod checks;
mod families;
mod judge;
pub mod kinds;
mod naming;
mod patterns;
pub mod sample;
mod setting;
mod shape;
#[cfg(test)]
mod tests;
mod urls;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::{Context, Linked};
use crate::facts::vocabulary::{Secret, SecretCandidate};
use crate::facts::{Attr, Confidence, Related};
use crate::parse::Parsed;
use crate::scan::source::{FileId, Kind, Place, Role, SourceFile, Span};
use candidates::{Binding, Candidate};
use judge::{Judgement, Verdict};
use setting::{Location, Setting};

/// Literals that are none, as evidence that the search was made; more than this many say no more.
const MOST_EVIDENCE: usize = 500;

/// A secret at one place.
#[derive(Clone, Debug)]
struct Hit {
    file: FileId,
    span: Span,
    value: String,
    name: String,
    kind: String,
    title: String,
    revoke: String,
    by_name: bool,
    role: Role,
    tracked: bool,
    setting: Setting,
    judgement: Judgement,
}

/// What one file gave.
#[derive(Default)]
struct Found {
    hits: Vec<Hit>,
    none: Vec<(Span, &'static str)>,
    examples: Vec<String>,
}

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let repository = context.repository;
    let pairs: Vec<(&SourceFile, &Parsed)> = repository.files().collect();
    let found: Vec<Found> = pairs.par_iter().map(|(file, parsed)| in_file(file, parsed)).collect();
    evidence(context, linked, &pairs, &found);
    let examples: BTreeSet<String> = found.iter().flat_map(|found| found.examples.iter().cloned()).collect();
    let hits =
        found.into_iter().flat_map(|found| found.hits).filter(|hit| !hit.by_name || !examples.contains(&hit.value));
    let hits: Vec<Hit> = hits.collect();
    linked.masks.extend(hits.iter().map(|hit| Place { file: hit.file, span: hit.span }));
    for group in groups(hits) {
        add(context, linked, group);
    }
}

/// A value for people: enough to recognise it, too little to use it.
pub fn redact(value: &str) -> String {
    let length = value.chars().count();
    let open = if length >= 16 { 4 } else { 0 };
    let start: String = value.chars().take(open).collect();
    format!("{start}****")
}

fn in_file(file: &SourceFile, parsed: &Parsed) -> Found {
    let mut found = Found::default();
    if file.text.is_empty() {
        found.hits.extend(key_store(file));
        return found;
    }
    if file.kind == Kind::CargoLock || is_lock(file.name()) {
        return found;
    }
    let setting = setting::of(file, parsed);
    let named = candidates::of(file, parsed, &setting);
    found.examples = candidates::examples(file);
    by_pattern(file, parsed, &setting, &named, &mut found);
    by_url(file, parsed, &setting, &named, &mut found);
    by_name(file, &setting, &named, &mut found);
    found.hits.sort_by_key(|hit| (hit.span.start, hit.span.end));
    found
}

fn is_lock(name: &str) -> bool {
    name.ends_with(".lock")
        || name.ends_with("-lock.json")
        || name.ends_with("-lock.yaml")
        || name.ends_with(".sum")
        || name.contains(".min.")
}

/// The named literal that holds a place.
fn around<'c>(named: &'c [Candidate], span: Span) -> Option<&'c Candidate> {
    named.iter().find(|candidate| candidate.span.start <= span.start && span.end <= candidate.span.end)
}

fn commented(parsed: &Parsed, span: Span) -> bool {
    let after = parsed.comments.partition_point(|comment| comment.span.end <= span.start);
    parsed.comments.get(after).is_some_and(|comment| comment.span.holds(span))
}

fn role_of(file: &SourceFile, regions: &candidates::Regions, span: Span) -> Role {
    if regions.is_test(span) { Role::Test } else { file.role }
}

fn tracked(file: &SourceFile) -> bool {
    file.tracked.unwrap_or(!file.ignored)
}

fn by_pattern(file: &SourceFile, parsed: &Parsed, setting: &Setting, named: &[Candidate], found: &mut Found) {
    let regions = candidates::regions(file);
    for hit in patterns::find(&file.text) {
        if let Some(reason) = harmless(file, parsed, setting, named, &hit) {
            found.none.push((hit.span, reason));
            continue;
        }
        let judgement = Judgement {
            confidence: if hit.unsure { Confidence::Medium } else { Confidence::High },
            development_only: hit.kind.test_mode || regions.is_development(hit.span),
            default_value: false,
            distinctive: true,
        };
        found.hits.push(Hit {
            file: file.id,
            span: hit.span,
            value: file.slice(hit.span).to_string(),
            name: around(named, hit.span).map_or_else(|| file.name().to_string(), |candidate| candidate.name.clone()),
            kind: hit.kind.id.clone(),
            title: hit.kind.title.clone(),
            revoke: hit.kind.revoke.clone(),
            by_name: false,
            role: role_of(file, &regions, hit.span),
            tracked: tracked(file),
            setting: setting.clone(),
            judgement,
        });
    }
}

/// Why a value of a known format is none here.
fn harmless(
    file: &SourceFile,
    parsed: &Parsed,
    setting: &Setting,
    named: &[Candidate],
    hit: &patterns::Match,
) -> Option<&'static str> {
    let called = around(named, hit.span).map_or("", |candidate| candidate.name.as_str());
    let example = setting.examples || matches!(called, "example" | "examples" | "x-example");
    if example || hit.unsure && (setting.sample || commented(parsed, hit.span)) {
        return Some("an example");
    }
    let elsewhere = hit.kind.id_only && setting.location == Location::Ci && file.text.contains("secrets.");
    elsewhere.then_some("the name of a key whose secret comes from a store")
}

fn by_url(file: &SourceFile, parsed: &Parsed, setting: &Setting, named: &[Candidate], found: &mut Found) {
    let regions = candidates::regions(file);
    for url in urls::find(&file.text) {
        if commented(parsed, url.span) || taken(&found.hits, url.span) {
            continue;
        }
        let candidate = around(named, url.span);
        let binding = candidate.map_or(Binding::Set, |candidate| candidate.binding);
        let idle = regions.is_development(url.span) || candidate.is_some_and(|candidate| candidate.development);
        let around = urls::Around { setting, idle, binding };
        match urls::judge(&url, &around) {
            Verdict::Secret(judgement) => found.hits.push(Hit {
                file: file.id,
                span: url.span,
                value: url.password.clone(),
                name: candidate
                    .map_or_else(|| format!("{}@{}", url.user, url.host), |candidate| candidate.name.clone()),
                kind: "url-password".to_string(),
                title: format!("password in a `{}` URL", url.scheme),
                revoke: "change the password of this account, then pass the URL in from outside".to_string(),
                by_name: false,
                role: role_of(file, &regions, url.span),
                tracked: tracked(file),
                setting: setting.clone(),
                judgement: lowered(judgement, file.role),
            }),
            Verdict::None(reason) => found.none.push((url.span, reason)),
            Verdict::Unnamed => {}
        }
    }
}

fn by_name(file: &SourceFile, setting: &Setting, named: &[Candidate], found: &mut Found) {
    for candidate in named {
        let span = candidate.span;
        if taken(&found.hits, span) {
            continue;
        }
        match judge::judge(candidate, file, setting) {
            Verdict::Unnamed => {}
            Verdict::None(reason) => found.none.push((span, reason)),
            Verdict::Secret(judgement) => found.hits.push(Hit {
                file: file.id,
                span,
                value: candidate.value.clone(),
                name: candidate.name.strip_suffix(".secret").unwrap_or(&candidate.name).to_string(),
                kind: "credential".to_string(),
                title: title(candidate).to_string(),
                revoke: "change it where it is accepted, then read it from the environment or a secrets manager"
                    .to_string(),
                by_name: true,
                role: if candidate.test { Role::Test } else { file.role },
                tracked: tracked(file),
                setting: Setting { location: candidate.location, ..setting.clone() },
                judgement: lowered(judgement, file.role),
            }),
        }
    }
}

/// What a developer's machine is set up with is nothing that production starts with.
fn lowered(judgement: Judgement, role: Role) -> Judgement {
    Judgement { development_only: judgement.development_only || role == Role::Development, ..judgement }
}

fn title(candidate: &Candidate) -> &'static str {
    match (candidate.binding, naming::says(&candidate.name)) {
        (Binding::Seeded, _) => "account with a password that is in the repository",
        (_, naming::Says::Password) => "password",
        (_, naming::Says::Secret) => "secret",
        _ => "token or key",
    }
}

fn taken(hits: &[Hit], span: Span) -> bool {
    hits.iter().any(|hit| hit.span.start < span.end && span.start < hit.span.end)
}

/// A key store that git tracks is one whatever is in it.
fn key_store(file: &SourceFile) -> Option<Hit> {
    let name = file.name().to_ascii_lowercase();
    let store = [".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk"].iter().any(|ending| name.ends_with(ending));
    if !store || file.size == 0 {
        return None;
    }
    let setting = Setting {
        location: Location::KeyFile,
        environment: None,
        stage: setting::Stage::Common,
        sample: false,
        examples: false,
    };
    Some(Hit {
        file: file.id,
        span: Span::default(),
        value: format!("file {}", file.path),
        name: file.name().to_string(),
        kind: "key-store".to_string(),
        title: "key store".to_string(),
        revoke: "replace the keys in it and revoke their certificates".to_string(),
        by_name: false,
        role: file.role,
        tracked: tracked(file),
        setting,
        judgement: Judgement {
            confidence: Confidence::Medium,
            development_only: false,
            default_value: false,
            distinctive: true,
        },
    })
}

/// Hits of one value together, the place that matters most first.
fn groups(hits: Vec<Hit>) -> Vec<Vec<Hit>> {
    let mut by_value: BTreeMap<(String, String), Vec<Hit>> = BTreeMap::new();
    for hit in hits {
        // An everyday word is the same secret only under the same name in the same kind of place.
        let also = if hit.judgement.distinctive {
            String::new()
        } else {
            format!("{}:{:?}", naming::words(&hit.name).join("_"), hit.setting.location)
        };
        by_value.entry((hit.value.clone(), also)).or_default().push(hit);
    }
    let mut groups: Vec<Vec<Hit>> = by_value.into_values().collect();
    for group in &mut groups {
        group.sort_by_key(|hit| (weight(hit), hit.file, hit.span));
    }
    groups.sort_by_key(|group| group.first().map(|hit| (hit.file, hit.span)));
    groups
}

fn weight(hit: &Hit) -> (bool, bool, bool, std::cmp::Reverse<Confidence>) {
    let judgement = &hit.judgement;
    (hit.role != Role::Service, !hit.tracked, judgement.development_only, std::cmp::Reverse(judgement.confidence))
}

fn add(context: &Context<'_>, linked: &mut Linked, group: Vec<Hit>) {
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
    };
    let mut fact = context.fact_in_role(data, first.file, first.span, first.role).confidence(judgement.confidence);
    fact.related = group[1..].iter().map(related).collect();
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
    for ((file, _), found) in pairs.iter().zip(found) {
        if file.role != Role::Service {
            continue;
        }
        for (span, reason) in &found.none {
            if added < MOST_EVIDENCE {
                added += 1;
                linked.facts.add(context.fact(SecretCandidate { reason: (*reason).into() }, file.id, *span));
            }
        }
    }
    let searched = pairs.iter().filter(|(file, _)| !file.text.is_empty()).count();
    if added == 0
        && let Some((file, _)) = pairs.iter().find(|(file, _)| file.role == Role::Service && !file.text.is_empty())
    {
        let reason = format!("{searched} files searched, no literal under a name that says secret");
        let data = SecretCandidate { reason: reason.as_str().into() };
        linked.facts.add(context.fact(data, file.id, file.line_span(1)));
    }
}

//! Stable identities of findings: no line numbers, no values of secrets.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::outcome::Finding;
use crate::facts::{FactKind, Facts};
use crate::scan::source::{FileId, Place, Span, Tree};

/// So much of a finding's source text, spaces aside, is part of its identity.
const LONGEST: usize = 200;

/// Gives every finding its fingerprint. They are sorted by place, so equal ones are told apart by their order.
pub fn assign(findings: &mut [Finding], facts: &Facts, tree: &Tree) {
    let secrets = secrets(facts);
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    for finding in findings {
        let identity = identity(finding, facts, tree, &secrets);
        let index = seen.entry(xxh3_64(identity.as_bytes())).or_default();
        let whole = format!("{identity}\u{1f}{index}");
        *index += 1;
        finding.fingerprint = format!("{:032x}", xxh3_128(whole.as_bytes()));
    }
}

/// An absence is known by its message and services, anything else by its file and source text.
fn identity(finding: &Finding, facts: &Facts, tree: &Tree, secrets: &BTreeMap<FileId, Vec<Span>>) -> String {
    let mut parts = vec![finding.rule.clone()];
    if finding.absence {
        let services = finding.services.iter().filter_map(|id| facts.services.get(usize::from(id.0)));
        parts.extend(services.map(|service| service.folder.clone()));
    } else {
        parts.push(tree.file(finding.place.file).path.clone());
        parts.push(evidence(finding.place, tree, secrets));
    }
    parts.push(finding.message.clone());
    parts.join("\u{1f}")
}

fn secrets(facts: &Facts) -> BTreeMap<FileId, Vec<Span>> {
    let mut spans: BTreeMap<FileId, Vec<Span>> = BTreeMap::new();
    for (_, fact) in facts.of(FactKind::Secret) {
        spans.entry(fact.place.file).or_default().push(fact.place.span);
    }
    spans
}

/// The text at a place with single spaces and without secrets.
fn evidence(place: Place, tree: &Tree, secrets: &BTreeMap<FileId, Vec<Span>>) -> String {
    let file = tree.file(place.file);
    let hidden: Vec<Span> = secrets.get(&place.file).cloned().unwrap_or_default();
    let overlaps = hidden.iter().any(|span| span.start < place.span.end && place.span.start < span.end);
    if overlaps {
        return String::new();
    }
    let words: Vec<&str> = file.slice(place.span).split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}

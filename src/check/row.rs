//! The row of an item: its verdict, parts, evidence and a reason in a few words.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::checklist::{Item, Silent};
use super::evaluate::Truth;
use super::judge::{Judged, Shown, decides};
use super::outcome::{PartRow, PartStatus, Row, Status};
use super::rules::{Rule, When};
use super::verdict::{self, Standing};
use super::words;
use crate::facts::{Fact, FactKind, UnreadServer};
use crate::scan::source::{FileId, Place};

/// A row names at most so many places.
const MOST_EVIDENCE: usize = 5;

/// A rule of the item with how it stands.
#[derive(Debug)]
pub struct Found<'r, 'f> {
    /// The rule.
    pub rule: &'r Rule,
    /// How it stands.
    pub judged: Judged<'f>,
    /// Numbers of its findings.
    pub numbers: Vec<usize>,
}

/// A part with the rules that decide it.
struct Part<'x, 'r, 'f> {
    name: &'r str,
    standing: Standing,
    rules: Vec<&'x Found<'r, 'f>>,
}

/// The row of an item whose conditions hold or are unknown. `has_rules`: some rule decides a part of the item, though
/// perhaps none that was chosen for this run.
pub fn of(item: &Item, applies: Truth, found: &[Found<'_, '_>], has_rules: bool) -> Row {
    let parts = parts(found);
    let mut row = empty(item);
    row.findings = found.iter().flat_map(|found| found.numbers.iter().copied()).collect();
    row.findings.sort_unstable();
    row.findings.dedup();
    if parts.is_empty() {
        (row.status, row.reason) = unjudged(item, has_rules);
        return row;
    }
    let standings: Vec<Standing> = parts.iter().map(|part| part.standing).collect();
    row.status = verdict::verdict(applies, item.silent, &standings);
    row.reason = reason(item, row.status, &parts);
    let of_parts: Vec<Vec<Place>> = parts.iter().map(|part| places(&evidence(part))).collect();
    let places = in_turn(&of_parts);
    row.evidence_count = places.len();
    row.evidence = places.into_iter().take(MOST_EVIDENCE).collect();
    row.parts = parts.iter().map(part_row).collect();
    row
}

/// The row of an item that does not apply.
pub fn not_applicable(item: &Item, reason: &str) -> Row {
    Row { status: Status::Na, reason: reason.to_string(), ..empty(item) }
}

/// The row of a service's item where there is no service. A program on a framework that is not read may well be one: of
/// that, manifests tell only whether there is a database.
pub fn without_service(item: &Item, unread: Option<&UnreadServer>) -> Row {
    let of_database = |when: &When| matches!(when, When::Fact(select) if select.kind == FactKind::Database);
    match unread {
        None => not_applicable(item, "no service found: no binary starts a server that is known"),
        Some(UnreadServer { program, framework, has_database }) => {
            let without = item.when.iter().find(|condition| !has_database && of_database(&condition.when));
            match without {
                Some(condition) => not_applicable(item, &condition.otherwise),
                None => {
                    Row { reason: format!("`{program}` is built on `{framework}`, which is not read"), ..empty(item) }
                }
            }
        }
    }
}

fn empty(item: &Item) -> Row {
    Row {
        item: item.id.clone(),
        section: item.id.split('/').next().unwrap_or_default().to_string(),
        title: item.title.clone(),
        status: Status::Unknown,
        reason: String::new(),
        parts: Vec::new(),
        evidence: Vec::new(),
        evidence_count: 0,
        findings: Vec::new(),
        attested: None,
    }
}

fn unjudged(item: &Item, has_rules: bool) -> (Status, String) {
    match (has_rules, item.silent) {
        (true, _) => (Status::Unknown, "its rules did not run".to_string()),
        (false, Silent::Manual) => (Status::Manual, ask(item)),
        (false, Silent::Missing) => (Status::Unknown, "not judged yet".to_string()),
    }
}

fn ask(item: &Item) -> String {
    let what = item.ask.as_deref().map(|ask| format!("{ask}, then ")).unwrap_or_default();
    format!("{what}vouch for it: prodcheck.toml [[attest]] item = \"{}\"", item.id)
}

fn parts<'x, 'r, 'f>(found: &'x [Found<'r, 'f>]) -> Vec<Part<'x, 'r, 'f>> {
    let mut names: Vec<&'r str> = Vec::new();
    for name in found.iter().filter_map(|found| found.rule.part.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let part = |name: &'r str| {
        let rules: Vec<_> = found.iter().filter(|found| found.rule.part.as_deref() == Some(name)).collect();
        let standings: Vec<Standing> =
            rules.iter().map(|found| Standing { status: found.judged.status, asks: found.judged.asks }).collect();
        Part { name, standing: verdict::part(&standings), rules }
    };
    names.into_iter().map(part).collect()
}

/// What is asked for shows a part; what was looked at does where nothing is asked for. Each fact once.
fn evidence<'f>(part: &Part<'_, '_, 'f>) -> Vec<Shown<'f>> {
    let rules = part.rules.iter().filter(|found| found.judged.asks || !part.standing.asks);
    let mut shown: Vec<Shown<'f>> = rules.flat_map(|found| found.judged.evidence.iter().copied()).collect();
    shown.sort_by_key(|shown| shown.order);
    let mut seen = BTreeSet::new();
    shown.retain(|shown| seen.insert((shown.fact.kind(), shown.fact.place)));
    shown
}

fn once<'f>(facts: impl Iterator<Item = &'f Fact>) -> Vec<&'f Fact> {
    let mut seen = BTreeSet::new();
    facts.filter(|fact| seen.insert((fact.kind(), fact.place))).collect()
}

/// Distinct places: what only a default establishes last, the most telling first, of those the ones in services before
/// those of other programs of the tree, and one of each file before a second of any, so that the few that are shown say
/// most.
fn places(shown: &[Shown<'_>]) -> Vec<Place> {
    let rank = |Shown { fact, order, weight }: &Shown<'_>| {
        (fact.is_default, *order, fact.services.is_empty(), Reverse(*weight), fact.place)
    };
    let mut ranked: Vec<(bool, usize, bool, Reverse<usize>, Place)> = shown.iter().map(rank).collect();
    ranked.sort_unstable();
    let mut seen = BTreeSet::new();
    ranked.retain(|(.., place)| seen.insert(*place));
    let mut of_file: BTreeMap<FileId, usize> = BTreeMap::new();
    let mut spread = Vec::with_capacity(ranked.len());
    for (is_default, order, elsewhere, weight, place) in ranked {
        let before = of_file.entry(place.file).or_default();
        spread.push((is_default, order, elsewhere, *before, weight, place));
        *before += 1;
    }
    spread.sort_unstable();
    spread.into_iter().map(|(.., place)| place).collect()
}

/// The first place of each list, then the second of each, and so on.
fn in_turn(parts: &[Vec<Place>]) -> Vec<Place> {
    let longest = parts.iter().map(Vec::len).max().unwrap_or_default();
    let turns = (0..longest).flat_map(|turn| parts.iter().filter_map(move |places| places.get(turn).copied()));
    let mut seen = BTreeSet::new();
    turns.filter(|place| seen.insert(*place)).collect()
}

fn part_row(part: &Part<'_, '_, '_>) -> PartRow {
    let mut findings: Vec<usize> = part.rules.iter().flat_map(|found| found.numbers.iter().copied()).collect();
    findings.sort_unstable();
    findings.dedup();
    let evidence = places(&evidence(part)).into_iter().take(MOST_EVIDENCE).collect();
    PartRow { part: part.name.to_string(), status: part.standing.status, evidence, findings }
}

fn reason(item: &Item, status: Status, parts: &[Part<'_, '_, '_>]) -> String {
    match status {
        Status::Pass => passed(parts),
        Status::Violated => violated(parts),
        Status::Missing => missing(parts),
        Status::Manual => ask(item),
        Status::Unknown => first_reason(parts, &[PartStatus::Unknown, PartStatus::Absent]),
        Status::Na | Status::Attested => nothing_to_judge(item, parts),
    }
}

/// What was looked for and not found.
fn nothing_to_judge(item: &Item, parts: &[Part<'_, '_, '_>]) -> String {
    match &item.looked_for {
        Some(what) => format!("looked for {what}: nothing to judge"),
        None => first_reason(parts, &[PartStatus::Na]),
    }
}

/// The rules' own words, and what facts show the parts of the other rules.
fn passed(parts: &[Part<'_, '_, '_>]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut facts: Vec<&Fact> = Vec::new();
    for part in parts {
        let own = part.rules.iter().filter(|found| !found.judged.evidence.is_empty());
        let said: Vec<&String> = own.filter_map(|found| found.judged.shown.as_ref()).collect();
        if said.is_empty() {
            facts.extend(evidence(part).iter().map(|shown| shown.fact));
        }
        for said in said.into_iter().filter(|said| !said.is_empty()) {
            if !words.contains(said) {
                words.push(said.clone());
            }
        }
    }
    let named = words::facts(&once(facts.into_iter()));
    words.extend([named].into_iter().filter(|named| !named.is_empty()));
    words.join("; ")
}

/// The parts that are there and those that are not; with a part that is contradicted, what contradicts it.
fn violated(parts: &[Part<'_, '_, '_>]) -> String {
    let broken = broken_words(parts);
    let named = |wanted: &[PartStatus]| -> Vec<&str> {
        let parts = parts.iter().filter(|part| wanted.contains(&part.standing.status));
        parts.map(|part| part.name).collect()
    };
    let there = named(&[PartStatus::Shown, PartStatus::Default]);
    let absent = named(&[PartStatus::Absent]);
    if absent.is_empty() {
        return broken.unwrap_or_default();
    }
    let total = parts.iter().filter(|part| part.standing.status != PartStatus::Na).count();
    let counted = format!("{} of {total} parts", there.len());
    let there = if there.is_empty() { String::new() } else { format!(": {}", there.join(", ")) };
    let said = format!("{counted}{there}; not {}", absent.join(", "));
    broken.map_or(said.clone(), |broken| format!("{broken}; {said}"))
}

fn broken_words(parts: &[Part<'_, '_, '_>]) -> Option<String> {
    let broken = parts.iter().filter(|part| part.standing.status == PartStatus::Broken);
    let rules = broken.flat_map(|part| &part.rules);
    let mut messages: Vec<&str> = rules
        .filter(|found| found.judged.status == PartStatus::Broken)
        .flat_map(|found| &found.judged.findings)
        .filter(|finding| decides(finding))
        .map(|finding| finding.message.as_str())
        .collect();
    let count = messages.len();
    messages.truncate(1);
    let first = messages.pop()?;
    Some(if count > 1 { format!("{first}, and {} more", count - 1) } else { first.to_string() })
}

fn missing(parts: &[Part<'_, '_, '_>]) -> String {
    let absent: Vec<&Part<'_, '_, '_>> =
        parts.iter().filter(|part| part.standing.status == PartStatus::Absent).collect();
    match absent[..] {
        [only] => {
            let rule = only.rules.iter().find(|found| found.judged.status == PartStatus::Absent);
            let message = rule.and_then(|found| found.judged.findings.first()).map(|finding| finding.message.clone());
            message.unwrap_or_else(|| first_reason(parts, &[PartStatus::Absent]))
        }
        _ => format!("none of {}", absent.iter().map(|part| part.name).collect::<Vec<_>>().join(", ")),
    }
}

fn first_reason(parts: &[Part<'_, '_, '_>], statuses: &[PartStatus]) -> String {
    let rules = parts.iter().flat_map(|part| &part.rules);
    let mut said = rules.filter(|found| statuses.contains(&found.judged.status) && !found.judged.reason.is_empty());
    said.next().map(|found| found.judged.reason.clone()).unwrap_or_else(|| "nothing to judge was found".to_string())
}

impl Row {
    /// Numbers of findings after sorting.
    pub(super) fn renumber(&mut self, new: &[usize]) {
        let parts = self.parts.iter_mut().map(|part| &mut part.findings);
        for list in parts.chain([&mut self.findings]) {
            for number in list.iter_mut() {
                *number = new[*number];
            }
            list.sort_unstable();
        }
    }

    /// Adds evidence and findings of another service's row of the same item and status.
    pub(super) fn take_from(&mut self, other: &Row) {
        self.findings.extend(&other.findings);
        self.findings.sort_unstable();
        self.findings.dedup();
        self.evidence_count += other.evidence_count;
        self.evidence = in_turn(&[std::mem::take(&mut self.evidence), other.evidence.clone()]);
        self.evidence.truncate(MOST_EVIDENCE);
    }
}

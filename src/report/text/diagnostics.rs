//! Findings: the worst first, in full as long as that helps, then in one line each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::style::{Look, Tone, flat};
use super::window::Window;
use crate::check::outcome::{Finding, Severity};
use crate::facts::Related;
use crate::report::Subject;
use crate::scan::source::Place;

/// Findings with their lines, over all rules and of one rule.
const MOST_IN_FULL: usize = 50;
const MOST_OF_A_RULE: usize = 5;
/// Items about steps that have been taken: they cannot be taken back, so one of a rule is shown, the newest.
pub(super) const HISTORY: &[&str] = &["database/migrations-safe", "database/migrations-reversible"];
/// Places named in `and N more places`.
const MOST_PLACES: usize = 8;
/// Findings in one line each; the JSON report has all.
const MOST_LINES: usize = 200;

/// All findings.
pub fn diagnostics(subject: &Subject<'_>, look: &Look) -> String {
    let mut findings: Vec<&Finding> = subject.shown().map(|(_, finding)| finding).collect();
    if findings.is_empty() {
        return "No findings.\n\n".to_string();
    }
    worst_first(&mut findings);
    let (history, findings): (Vec<&Finding>, Vec<&Finding>) =
        findings.into_iter().partition(|finding| is_history(finding));
    let mut blocks = blocks(&findings);
    blocks.extend(newest(&history));
    let mut out = String::new();
    let mut explained: BTreeSet<(&str, &str)> = BTreeSet::new();
    for block in blocks.iter().take(MOST_IN_FULL) {
        out.push_str(&match block {
            Block::One(finding, more) => in_full(subject, look, finding, more, &mut explained),
            Block::Absences(absences) => together(subject, look, absences),
        });
        out.push('\n');
    }
    let rest: Vec<&Finding> = blocks.iter().skip(MOST_IN_FULL).flat_map(Block::findings).collect();
    for finding in rest.iter().take(MOST_LINES) {
        out.push_str(&one_line(subject, look, finding));
    }
    if rest.len() > MOST_LINES {
        _ = writeln!(out, "and {} more (--format json has all)", rest.len() - MOST_LINES);
    }
    if !rest.is_empty() {
        out.push('\n');
    }
    out
}

/// What is shown as one.
enum Block<'a> {
    /// A finding, with those of its rule that are only named.
    One(&'a Finding, Vec<&'a Finding>),
    /// What is absent at one anchor.
    Absences(Vec<&'a Finding>),
}

impl<'a> Block<'a> {
    fn findings(&self) -> Vec<&'a Finding> {
        match self {
            Block::One(finding, more) => std::iter::once(*finding).chain(more.iter().copied()).collect(),
            Block::Absences(absences) => absences.clone(),
        }
    }
}

/// The worst first, and what one rule found together; findings come sorted by place.
fn worst_first(findings: &mut [&Finding]) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, finding) in findings.iter().enumerate() {
        first.entry(&finding.rule).or_insert(at);
    }
    findings.sort_by_key(|finding| {
        let together =
            if finding.absence { usize::MAX } else { first.get(finding.rule.as_str()).copied().unwrap_or(0) };
        (std::cmp::Reverse(finding.severity), together)
    });
}

fn is_history(finding: &Finding) -> bool {
    !finding.absence && HISTORY.contains(&finding.item.as_str())
}

/// A block for each rule: the last by path in full, the others named.
fn newest<'a>(history: &[&'a Finding]) -> Vec<Block<'a>> {
    let mut by_rule: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&'a Finding>> = BTreeMap::new();
    for finding in history {
        by_rule.entry((std::cmp::Reverse(finding.severity), &finding.rule)).or_default().push(finding);
    }
    let block = |mut of_rule: Vec<&'a Finding>| {
        of_rule.reverse();
        Block::One(of_rule[0], of_rule.split_off(1))
    };
    by_rule.into_values().map(block).collect()
}

fn blocks<'a>(findings: &[&'a Finding]) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut of_rule: BTreeMap<(&str, Severity), (usize, usize)> = BTreeMap::new();
    let mut at_anchor: BTreeMap<(Place, Severity), usize> = BTreeMap::new();
    for finding in findings {
        if finding.absence {
            let next = blocks.len();
            let at = *at_anchor.entry((finding.place, finding.severity)).or_insert(next);
            match blocks.get_mut(at) {
                Some(Block::Absences(absences)) => absences.push(finding),
                _ => blocks.push(Block::Absences(vec![finding])),
            }
            continue;
        }
        let (count, last) = of_rule.entry((&finding.rule, finding.severity)).or_insert((0, 0));
        *count += 1;
        if *count > MOST_OF_A_RULE
            && let Some(Block::One(_, more)) = blocks.get_mut(*last)
        {
            more.push(finding);
            continue;
        }
        *last = blocks.len();
        blocks.push(Block::One(finding, Vec::new()));
    }
    blocks
}

/// A finding with its lines. What is `explained` already for its rule is not said again.
fn in_full<'a>(
    subject: &Subject<'_>,
    look: &Look,
    finding: &'a Finding,
    more: &[&Finding],
    explained: &mut BTreeSet<(&'a str, &'a str)>,
) -> String {
    let mut out = heading(subject, look, finding);
    out.push_str(&window(subject, look, finding.place));
    out.push_str(&flow(subject, look, finding));
    for related in &finding.related {
        out.push_str(&labelled(subject, look, "see", &note_at(subject, related)));
    }
    for (label, text) in [("why", &finding.why), ("fix", &finding.fix)] {
        if explained.insert((&finding.rule, text)) {
            out.push_str(&labelled(subject, look, label, text));
        }
    }
    if !more.is_empty() {
        out.push_str(&look.wrap("  ", 4, &more_places(subject, more)));
    }
    out
}

fn window(subject: &Subject<'_>, look: &Look, place: Place) -> String {
    let name = crate::report::quote::escape(&subject.label(place));
    Window::around(subject.tree.file(place.file), subject.quoter, place.span, look).named(name).draw(look)
}

fn heading(subject: &Subject<'_>, look: &Look, finding: &Finding) -> String {
    let lead = format!("{}: ", look.severity(finding.severity, &finding.rule));
    look.wrap(&lead, 2, &flat(&subject.quoter.prose(&finding.message)))
}

fn labelled(subject: &Subject<'_>, look: &Look, label: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    look.wrap(&format!("  {}: ", look.paint(label, Tone::Mild)), 7, &flat(&subject.quoter.prose(text)))
}

fn note_at(subject: &Subject<'_>, related: &Related) -> String {
    format!("{} ({}:{})", related.note, subject.label(related.place), subject.line(related.place))
}

fn flow(subject: &Subject<'_>, look: &Look, finding: &Finding) -> String {
    if finding.flow.is_empty() {
        return String::new();
    }
    let steps: Vec<String> = finding.flow.iter().map(|step| note_at(subject, step)).collect();
    labelled(subject, look, "reached by", &steps.join(&format!(" {} ", look.arrow())))
}

fn more_places(subject: &Subject<'_>, more: &[&Finding]) -> String {
    let named: Vec<String> = more.iter().take(MOST_PLACES).map(|finding| at(subject, finding)).collect();
    let rest = if more.len() > MOST_PLACES { ", ..." } else { "" };
    let places = if more.len() == 1 { "place" } else { "places" };
    format!("and {} more {places}: {}{rest}", more.len(), named.join(", "))
}

fn at(subject: &Subject<'_>, finding: &Finding) -> String {
    let path = crate::report::quote::escape(&subject.label(finding.place));
    format!("{path}:{}", subject.line(finding.place))
}

/// Several absences at one anchor: the anchor is drawn once.
fn together(subject: &Subject<'_>, look: &Look, absences: &[&Finding]) -> String {
    let Some(first) = absences.first() else { return String::new() };
    let mut out = String::new();
    for finding in absences {
        out.push_str(&heading(subject, look, finding));
        if absences.len() > 1 {
            out.push_str(&labelled(subject, look, "fix", &finding.fix));
        }
    }
    out.push_str(&window(subject, look, first.place));
    if absences.len() == 1 {
        out.push_str(&labelled(subject, look, "why", &first.why));
        out.push_str(&labelled(subject, look, "fix", &first.fix));
    }
    out
}

fn one_line(subject: &Subject<'_>, look: &Look, finding: &Finding) -> String {
    let lead = format!("{} {}: ", look.severity(finding.severity, &finding.rule), at(subject, finding));
    look.wrap(&lead, 4, &flat(&subject.quoter.prose(&finding.message)))
}

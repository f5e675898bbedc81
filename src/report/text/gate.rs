//! The go-live gate in one line, and the most useful steps towards it.

use std::collections::BTreeSet;

use super::diagnostics::HISTORY;
use super::style::{Look, Tone, first_sentence};
use crate::check::outcome::{Finding, TickStatus};
use crate::report::Subject;

const MOST_STEPS: usize = 3;
const LONGEST_STEP: usize = 140;

/// The gate and the next steps.
pub fn gate(subject: &Subject<'_>, look: &Look) -> String {
    let mut out = String::new();
    let gate = &subject.outcome.gate;
    if !gate.is_empty() {
        out.push_str(&verdict(subject, look));
    }
    let steps = steps(subject);
    for (number, step) in (1..).zip(&steps) {
        let lead = if number == 1 { look.paint("Next:", Tone::Strong) } else { "     ".to_string() };
        out.push_str(&look.wrap(&format!("{lead} {number}. "), 9, step));
    }
    out
}

fn verdict(subject: &Subject<'_>, look: &Look) -> String {
    let gate = &subject.outcome.gate;
    let open: Vec<&str> =
        gate.iter().filter(|tick| tick.status == TickStatus::Open).map(|tick| tick.short.as_str()).collect();
    let applicable = gate.iter().filter(|tick| tick.status != TickStatus::Na).count();
    if open.is_empty() {
        let lead = format!("{} ", look.paint("Ready:", Tone::Good));
        return look.wrap(&lead, 2, &format!("all {applicable} ticks that apply are done"));
    }
    let lead = format!("{} ", look.paint("Not ready:", Tone::Bad));
    look.wrap(&lead, 2, &format!("{} of {applicable} ticks open ({})", open.len(), open.join(", ")))
}

/// What to do first: for an open tick before anything else, the worst first, one step an item.
fn steps(subject: &Subject<'_>) -> Vec<String> {
    let open = subject.outcome.gate.iter().filter(|tick| tick.status == TickStatus::Open);
    let open: Vec<&str> = open.flat_map(|tick| tick.items.iter().map(String::as_str)).collect();
    let rank = |finding: &Finding| open.iter().position(|item| *item == finding.item).unwrap_or(usize::MAX);
    let mut findings: Vec<&Finding> =
        subject.shown().map(|(_, finding)| finding).filter(|finding| !finding.fix.trim().is_empty()).collect();
    findings.sort_by_key(|finding| {
        let at = rank(finding);
        let is_open = at < usize::MAX && finding.part.is_some();
        let is_past = HISTORY.contains(&finding.item.as_str());
        (is_past, !is_open, std::cmp::Reverse(finding.severity), at, finding.part.is_none())
    });
    let mut items: BTreeSet<&str> = BTreeSet::new();
    let distinct = findings.into_iter().filter(|finding| items.insert(finding.item.as_str()));
    distinct.take(MOST_STEPS).map(|finding| step(subject, finding)).collect()
}

fn step(subject: &Subject<'_>, finding: &Finding) -> String {
    let fix = first_sentence(&subject.quoter.prose(&finding.fix), LONGEST_STEP);
    let path = crate::report::quote::escape(subject.path(finding.place));
    format!("{fix} ({path}:{})", subject.line(finding.place))
}

//! The verdict on an item: a pure function of how its parts stand.

use super::checklist::Silent;
use super::evaluate::Truth;
use super::outcome::{PartStatus, Status};

/// How one rule, or all rules of a part together, stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// How.
    pub status: PartStatus,
    /// It asks for something to be there (require, each), and does not only forbid.
    pub asks: bool,
}

/// How a part stands by the rules that share it: broken where one is, absent where what one asks for is, and shown by
/// what is asked for, else by what forbids looked at.
pub fn part(rules: &[Standing]) -> Standing {
    let has = |status: PartStatus| rules.iter().any(|rule| rule.status == status);
    let asked_has = |status: PartStatus| rules.iter().any(|rule| rule.asks && rule.status == status);
    let asks = rules.iter().any(|rule| rule.asks && rule.status != PartStatus::Na);
    let shown = if asks { asked_has(PartStatus::Shown) } else { has(PartStatus::Shown) };
    let default = if asks { asked_has(PartStatus::Default) } else { has(PartStatus::Default) };
    let status = match () {
        () if has(PartStatus::Broken) => PartStatus::Broken,
        () if has(PartStatus::Absent) => PartStatus::Absent,
        () if has(PartStatus::Unknown) => PartStatus::Unknown,
        () if shown => PartStatus::Shown,
        () if default => PartStatus::Default,
        () => PartStatus::Na,
    };
    Standing { status, asks }
}

/// The verdict, in the order that DESIGN.md gives. `applies` is what the item's conditions gave.
pub fn verdict(applies: Truth, silent: Silent, parts: &[Standing]) -> Status {
    let has = |status: PartStatus| parts.iter().any(|part| part.status == status);
    if applies == Truth::False {
        return Status::Na;
    }
    if has(PartStatus::Broken) {
        return Status::Violated;
    }
    if has(PartStatus::Absent) {
        let another_shown = parts.iter().any(|part| part.asks && part.status == PartStatus::Shown);
        return match (another_shown, applies, silent) {
            (true, _, _) => Status::Violated,
            (false, Truth::Unknown, _) => Status::Unknown,
            (false, _, Silent::Missing) => Status::Missing,
            (false, _, Silent::Manual) => Status::Manual,
        };
    }
    if has(PartStatus::Unknown) {
        return Status::Unknown;
    }
    if has(PartStatus::Shown) || has(PartStatus::Default) { Status::Pass } else { Status::Na }
}

/// From worst to best: which verdict of several services is the repository's.
pub const WORST_FIRST: &[Status] =
    &[Status::Violated, Status::Missing, Status::Unknown, Status::Manual, Status::Attested, Status::Pass, Status::Na];

/// Place in [`WORST_FIRST`].
pub fn rank(status: Status) -> usize {
    WORST_FIRST.iter().position(|other| *other == status).unwrap_or(WORST_FIRST.len())
}

#[cfg(test)]
mod tests {
    use super::PartStatus::{Absent, Broken, Default, Na, Shown, Unknown};
    use super::*;

    fn asks(status: PartStatus) -> Standing {
        Standing { status, asks: true }
    }

    fn forbids(status: PartStatus) -> Standing {
        Standing { status, asks: false }
    }

    #[test]
    fn rules_that_share_a_part() {
        let rows: &[(&str, &[Standing], Standing)] = &[
            ("one is broken", &[asks(Shown), forbids(Broken)], asks(Broken)),
            ("its require is absent", &[asks(Absent), forbids(Shown)], asks(Absent)),
            ("broken before absent", &[asks(Absent), forbids(Broken)], asks(Broken)),
            ("one is unknown", &[asks(Shown), forbids(Unknown)], asks(Unknown)),
            ("all that apply are shown", &[asks(Shown), asks(Na), forbids(Na)], asks(Shown)),
            ("a default stays one beside what was looked at", &[asks(Default), forbids(Shown)], asks(Default)),
            ("a default and more", &[asks(Default), asks(Shown)], asks(Shown)),
            ("forbids only", &[forbids(Shown), forbids(Na)], forbids(Shown)),
            ("what is asked for does not apply", &[asks(Na), forbids(Shown)], forbids(Shown)),
            ("none applies", &[asks(Na), forbids(Na)], forbids(Na)),
        ];
        for (name, rules, expected) in rows {
            assert_eq!(part(rules), *expected, "{name}");
        }
    }

    /// A row for every case of DESIGN.md's "Verdicts" and for the items of several parts of the rubric.
    #[test]
    fn every_case() {
        use Silent::{Manual, Missing};
        let yes = Truth::True;
        let rows: &[(&str, Truth, Silent, &[Standing], Status)] = &[
            ("1: no database", Truth::False, Missing, &[asks(Absent), forbids(Broken)], Status::Na),
            ("2: a forbid matched", yes, Missing, &[forbids(Broken)], Status::Violated),
            ("2: an each held for some only", yes, Missing, &[asks(Broken)], Status::Violated),
            ("2: before an absent part", yes, Missing, &[forbids(Broken), asks(Absent)], Status::Violated),
            ("2: before an unknown part", yes, Manual, &[forbids(Broken), asks(Unknown)], Status::Violated),
            ("3: nothing shows it", yes, Missing, &[asks(Absent)], Status::Missing),
            ("3: an each held for none", yes, Missing, &[asks(Absent), asks(Absent)], Status::Missing),
            ("3: only a person can tell", yes, Manual, &[asks(Absent)], Status::Manual),
            ("3: another part is shown", yes, Missing, &[asks(Absent), asks(Shown)], Status::Violated),
            (
                "3: another part is shown, of a person's item",
                yes,
                Manual,
                &[asks(Absent), asks(Shown)],
                Status::Violated,
            ),
            (
                "3: another part is settled by a default only",
                yes,
                Missing,
                &[asks(Absent), asks(Default)],
                Status::Missing,
            ),
            ("3: a forbid's evidence shows no part", yes, Missing, &[asks(Absent), forbids(Shown)], Status::Missing),
            ("3: before an unknown part", yes, Missing, &[asks(Absent), asks(Unknown)], Status::Missing),
            ("3: whether it applies is unknown", Truth::Unknown, Missing, &[asks(Absent)], Status::Unknown),
            ("4: a part is unknown", yes, Missing, &[asks(Unknown), asks(Shown)], Status::Unknown),
            ("5: all shown", yes, Missing, &[asks(Shown), asks(Shown)], Status::Pass),
            ("5: settled by a default", yes, Missing, &[asks(Default)], Status::Pass),
            ("5: some by a default", yes, Missing, &[asks(Default), asks(Shown)], Status::Pass),
            ("5: a part does not apply", yes, Missing, &[asks(Na), asks(Shown)], Status::Pass),
            ("5: shown, of a person's item", yes, Manual, &[asks(Shown)], Status::Pass),
            ("5: forbids only, with evidence", yes, Missing, &[forbids(Shown)], Status::Pass),
            ("5: forbids only, nothing looked at", yes, Missing, &[forbids(Na)], Status::Na),
            ("5: no part applies", yes, Missing, &[asks(Na), forbids(Na)], Status::Na),
            ("body-limits: size by default, no time", yes, Missing, &[asks(Default), asks(Absent)], Status::Missing),
            ("body-limits: size by default, time shown", yes, Missing, &[asks(Default), asks(Shown)], Status::Pass),
            ("body-limits: size set, no time", yes, Missing, &[asks(Shown), asks(Absent)], Status::Violated),
            ("body-limits: limit switched off", yes, Missing, &[asks(Broken), asks(Absent)], Status::Violated),
            (
                "headers: two of four",
                yes,
                Missing,
                &[asks(Shown), asks(Shown), asks(Absent), asks(Absent)],
                Status::Violated,
            ),
            ("headers: none", yes, Missing, &[asks(Absent); 4], Status::Missing),
            ("headers: all by default", yes, Missing, &[asks(Default); 4], Status::Pass),
            ("headers: some by default, one absent", yes, Missing, &[asks(Default), asks(Absent)], Status::Missing),
            (".env: git yes, docker no", yes, Missing, &[asks(Shown), asks(Absent), forbids(Na)], Status::Violated),
            (".env: no Dockerfile", yes, Missing, &[asks(Shown), asks(Na), forbids(Na)], Status::Pass),
            (".env: tracked", yes, Missing, &[asks(Shown), asks(Shown), forbids(Broken)], Status::Violated),
            ("automation: tests, no deployment", yes, Missing, &[asks(Shown), asks(Absent)], Status::Violated),
            ("automation: neither", yes, Missing, &[asks(Absent), asks(Absent)], Status::Missing),
            ("audit: lock file tracked, no audit", yes, Missing, &[asks(Absent), forbids(Shown)], Status::Missing),
            ("audit: audited, lock file not tracked", yes, Missing, &[asks(Shown), forbids(Broken)], Status::Violated),
            (
                "global-handler: panics by default, no fallback",
                yes,
                Missing,
                &[asks(Default), asks(Absent)],
                Status::Missing,
            ),
            ("pool-limits: size set, no timeout", yes, Missing, &[asks(Shown), asks(Absent)], Status::Violated),
            ("shutdown: drains by default", yes, Missing, &[asks(Default), forbids(Na)], Status::Pass),
            ("shutdown: ctrl-c only", yes, Missing, &[asks(Shown), forbids(Broken)], Status::Violated),
        ];
        for (name, applies, silent, parts, expected) in rows {
            assert_eq!(verdict(*applies, *silent, parts), *expected, "{name}");
        }
    }

    #[test]
    fn the_worst_comes_first() {
        let words: Vec<usize> = [Status::Violated, Status::Missing, Status::Unknown, Status::Na].map(rank).to_vec();
        assert_eq!(words, [0, 1, 2, 6]);
    }
}

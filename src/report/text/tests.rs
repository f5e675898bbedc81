#![allow(clippy::unwrap_used)]

use super::style::visible_width;
use super::*;
use crate::check::outcome::Status;
use crate::report::samples::{self, Sample};

const PLAIN: Look = Look { color: false, unicode: true, width: 100 };

#[test]
fn a_full_report() {
    insta::assert_snapshot!(report(&Sample::full().subject(), &PLAIN));
}

#[test]
fn without_unicode_every_character_is_ascii() {
    let look = Look { unicode: false, ..PLAIN };
    let mut sample = Sample::full();
    sample.outcome.findings[1].message = "a “probe” calls `/bücher` → nothing".to_string();
    let text = report(&sample.subject(), &look);
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("a \"probe\" calls `/b\\u{fc}cher` -> nothing"), "{text}");
}

#[test]
fn colour_changes_no_visible_character() {
    let sample = Sample::full();
    let colored = report(&sample.subject(), &Look { color: true, ..PLAIN });
    let plain = report(&sample.subject(), &PLAIN);
    assert!(colored.contains('\u{1b}') && !plain.contains('\u{1b}'));
    let widths = |text: &str| text.lines().map(visible_width).collect::<Vec<_>>();
    assert_eq!(widths(&colored), widths(&plain));
}

#[test]
fn a_narrow_terminal_is_respected() {
    let look = Look { width: 60, ..PLAIN };
    let text = report(&Sample::full().subject(), &look);
    let wide: Vec<&str> = text.lines().filter(|line| visible_width(line) > 72).collect();
    assert_eq!(wide, Vec::<&str>::new());
}

#[test]
fn no_secret_stands_in_the_report() {
    let sample = Sample::full();
    let text = report(&sample.subject(), &PLAIN);
    assert!(!text.contains(&sample.secret) && text.contains("Hx9k***"), "{text}");
}

#[test]
fn many_findings_of_a_rule_are_folded() {
    let mut sample = Sample::full();
    let one = sample.outcome.findings[1].clone();
    sample.outcome.findings = vec![one; 12];
    let text = report(&sample.subject(), &PLAIN);
    assert_eq!(text.matches("error[probe-path-not-served]").count(), 5);
    assert_eq!(text.matches("fix: ").count(), 1, "it is said once: {text}");
    assert!(text.contains("and 7 more places: deploy/api.yaml:3, "), "{text}");
}

#[test]
fn of_steps_that_were_taken_the_newest_is_shown() {
    let mut sample = Sample::full();
    let old = sample.outcome.findings[1].clone();
    let old = crate::check::outcome::Finding { item: "database/migrations-safe".into(), ..old };
    let place = samples::place(&sample.tree, "src/main.rs", "check()");
    let new = crate::check::outcome::Finding { place, ..old.clone() };
    sample.outcome.findings = vec![old, new];
    let text = report(&sample.subject(), &PLAIN);
    assert_eq!(text.matches("error[probe-path-not-served]").count(), 1);
    assert!(text.contains("╭─[src/main.rs:6:") && text.contains("and 1 more place: deploy/api.yaml:3"), "{text}");
}

#[test]
fn absences_at_one_anchor_are_one_block() {
    let mut sample = Sample::full();
    let one = sample.outcome.findings[2].clone();
    let other = crate::check::outcome::Finding { rule: "missing-timeout".into(), ..one.clone() };
    sample.outcome.findings = vec![one, other];
    let text = report(&sample.subject(), &PLAIN);
    assert_eq!(text.matches("╭─[src/main.rs:2:15]").count(), 1, "{text}");
    assert!(text.contains("warning[missing-rate-limit]") && text.contains("warning[missing-timeout]"));
}

#[test]
fn without_a_service_there_is_a_checklist_but_no_gate() {
    let mut sample = Sample::full();
    sample.outcome.services.clear();
    sample.outcome.gate.clear();
    let text = report(&sample.subject(), &PLAIN);
    assert!(text.contains("no service found") && text.contains("Go-live checklist: this repository"), "{text}");
    assert!(!text.contains("ready:") && !text.contains("Ready:"), "{text}");
}

#[test]
fn many_services_share_one_table() {
    let mut sample = Sample::full();
    let one = sample.outcome.services[0].clone();
    sample.outcome.services = vec![one; 5];
    let text = report(&sample.subject(), &PLAIN);
    assert_eq!(text.matches("Go-live checklist: the worst of 5 services").count(), 1, "{text}");
    assert_eq!(text.matches("  shop-api (.): 1 in order, 1 attested, 2 violated").count(), 5, "{text}");
}

#[test]
fn a_line_never_starts_with_a_blank_that_separated() {
    let look = Look { width: 20, ..PLAIN };
    assert_eq!(look.wrap("a: ", 2, "one two three four  five"), "a: one two three\n  four  five\n");
    assert_eq!(look.wrap("a: ", 2, "one two three fourr  five"), "a: one two three\n  fourr  five\n");
    assert_eq!(look.wrap("", 2, "one two three fourr  five"), "one two three fourr\n  five\n");
}

#[test]
fn with_everything_done_the_gate_says_ready() {
    let mut sample = Sample::full();
    sample.outcome.findings.clear();
    sample.outcome.gate.retain(|tick| tick.status != crate::check::outcome::TickStatus::Open);
    sample.outcome.services[0].checklist = vec![samples::row("health/liveness", Status::Pass, "GET /health")];
    let text = report(&sample.subject(), &PLAIN);
    assert!(text.contains("No findings.") && text.contains("Ready: all 1 ticks that apply are done"), "{text}");
}

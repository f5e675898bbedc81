//! What there is to know of a rule or an item, and the list of both.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use super::RuleDoc;
use super::text::style::{Look, Tone, flat, padded};
use super::{clause, encode};
use crate::check::checklist::{Checklist, Item, ItemScope, Silent};
use crate::check::outcome::Severity;
use crate::check::rules::{Rule, RuleSet};
use crate::facts::Confidence;

/// All of a rule.
pub fn rule(rule: &Rule, checklist: &Checklist, look: &Look) -> String {
    let document = RuleDoc::of(rule, None);
    let mut out = format!("{}: {}\n", look.severity(rule.severity, &rule.id), document.title);
    let title = checklist.item(&rule.item).map_or("", |item| item.title.as_str());
    let role = match &rule.part {
        Some(part) => format!("decides the part \"{part}\" of"),
        None => "is advice under".to_string(),
    };
    let confidence = word(rule.confidence);
    out.push_str(&look.wrap("  ", 2, &format!("{role} {} ({title}), {confidence} confidence", rule.item)));
    section(&mut out, look, "Why", &[flat(&rule.why)]);
    let fixes: Vec<String> = document.fixes.iter().map(|(of, fix)| with_framework(of, fix)).collect();
    section(&mut out, look, "Fix", &fixes);
    section(&mut out, look, "What it asks", &clause::in_words(rule));
    let params: Vec<String> = rule.params.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    section(&mut out, look, "Parameters", &params);
    section(&mut out, look, "References", &rule.references);
    _ = writeln!(out, "\n{}", look.paint("To allow a finding", Tone::Strong));
    _ = writeln!(out, "  on the line above it:   // prodcheck: allow({}) reason=\"...\"", rule.id);
    _ = writeln!(out, "  or in prodcheck.toml:   [[allow]]");
    for line in [format!("rule = \"{}\"", rule.id), "path = \"...\"".to_string(), "reason = \"...\"".to_string()] {
        _ = writeln!(out, "                          {line}");
    }
    look.fit(out)
}

fn with_framework(framework: &str, fix: &str) -> String {
    if framework == "default" { flat(fix) } else { format!("{framework}: {}", flat(fix)) }
}

fn section(out: &mut String, look: &Look, title: &str, paragraphs: &[String]) {
    if paragraphs.iter().all(String::is_empty) {
        return;
    }
    _ = writeln!(out, "\n{}", look.paint(title, Tone::Strong));
    for paragraph in paragraphs {
        out.push_str(&look.wrap("  ", 2, paragraph));
    }
}

/// All of an item.
pub fn item(item: &Item, checklist: &Checklist, rules: &RuleSet, look: &Look) -> String {
    let mut out = format!("{}: {}\n", look.paint(&item.id, Tone::Strong), item.title);
    let scope = match item.scope {
        ItemScope::Repository => "judged once for the repository",
        ItemScope::Service => "judged for each service",
    };
    let silent = match item.silent {
        Silent::Missing => "where nothing shows it, it is missing",
        Silent::Manual => "where nothing shows it, a person is asked",
    };
    let mut said = vec![format!("{scope}; {silent}")];
    said.extend(item.ask.iter().map(|ask| format!("asked of a person: {ask}")));
    said.extend(item.when.iter().map(|applies| format!("does not apply: {}", applies.otherwise)));
    let ticks = checklist.ticks.iter().filter(|tick| tick.items.contains(&item.id));
    said.extend(ticks.map(|tick| format!("gates the launch under: {}", tick.tick)));
    for line in said {
        out.push_str(&look.wrap("  ", 4, &line));
    }
    let rules: Vec<String> = rules.rules().iter().filter(|rule| rule.item == item.id).map(row).collect();
    section(&mut out, look, "Rules", &rules);
    if item.silent == Silent::Manual {
        _ = writeln!(out, "\n{}", look.paint("To attest it, in prodcheck.toml", Tone::Strong));
        let lines = [
            "[[attest]]".to_string(),
            format!("item = \"{}\"", item.id),
            "by = \"...\"".to_string(),
            "on = 2026-01-31".to_string(),
            "evidence = \"...\"".to_string(),
            "until = 2026-07-31".to_string(),
        ];
        for line in lines {
            _ = writeln!(out, "  {line}");
        }
    }
    look.fit(out)
}

fn row(rule: &Rule) -> String {
    let part = rule.part.as_ref().map_or("advice".to_string(), |part| format!("part \"{part}\""));
    let severity = severity(rule.severity);
    format!("{} ({severity}, {part}): {}", rule.id, super::plain_title(&rule.title.source))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

/// Items with their rules as a table.
pub fn table(checklist: &Checklist, rules: &RuleSet, look: &Look) -> String {
    let mut out = String::new();
    for (id, title) in &checklist.sections {
        _ = writeln!(out, "{} ({id})", look.paint(title, Tone::Strong));
        for item in checklist.items.iter().filter(|item| item.id.split('/').next() == Some(id)) {
            _ = writeln!(out, "  {}  {}", look.paint(&item.id, Tone::Mild), item.title);
            let rules: Vec<&Rule> = rules.rules().iter().filter(|rule| rule.item == item.id).collect();
            let widest = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            for rule in rules {
                let part = rule.part.as_deref().unwrap_or("advice");
                _ = writeln!(out, "      {}  {:<7}  {part}", padded(&rule.id, widest), severity(rule.severity));
            }
        }
    }
    look.fit(out)
}

/// An item in the JSON list.
#[derive(Serialize)]
struct ListedItem<'a> {
    item: &'a str,
    title: &'a str,
    rules: Vec<ListedRule<'a>>,
}

/// A rule in the JSON list.
#[derive(Serialize)]
struct ListedRule<'a> {
    rule: &'a str,
    part: Option<&'a str>,
    severity: Severity,
    confidence: Confidence,
    title: &'a str,
}

/// Items with their rules as JSON.
pub fn json(checklist: &Checklist, rules: &RuleSet) -> String {
    let items: Vec<ListedItem<'_>> = checklist.items.iter().map(|item| listed(item, rules)).collect();
    encode::to_json(&json!({ "items": items }))
}

fn listed<'a>(item: &'a Item, rules: &'a RuleSet) -> ListedItem<'a> {
    let of_item = rules.rules().iter().filter(|rule| rule.item == item.id);
    let rules = of_item.map(|rule| ListedRule {
        rule: &rule.id,
        part: rule.part.as_deref(),
        severity: rule.severity,
        confidence: rule.confidence,
        title: &rule.title.source,
    });
    ListedItem { item: &item.id, title: &item.title, rules: rules.collect() }
}

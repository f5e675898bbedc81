//! The table of rules: every rule that ran, the same table whatever was found.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::log::{Configuration, Help, Message, Rule, RuleProperties};
use super::{level, sentence};
use crate::check::outcome::{Finding, Severity};
use crate::report::{RuleDoc, plain_title};

/// What code scanning takes of a description.
const LONGEST: usize = 1000;
const MOST_CWES: usize = 3;

/// The table, sorted by id. A finding of a rule that is not in the documents gets a row of its own.
pub fn table(documents: &[RuleDoc], findings: &[&Finding]) -> Vec<Rule> {
    let mut rows: BTreeMap<String, Rule> = BTreeMap::new();
    for document in documents {
        rows.entry(document.id.clone()).or_insert_with(|| rule(document));
    }
    for finding in findings {
        rows.entry(finding.rule.clone()).or_insert_with(|| rule(&document_of(finding)));
    }
    rows.into_values().collect()
}

fn document_of(finding: &Finding) -> RuleDoc {
    RuleDoc {
        id: finding.rule.clone(),
        item: finding.item.clone(),
        part: finding.part.clone(),
        severity: finding.severity,
        confidence: finding.confidence,
        title: finding.rule.replace('-', " "),
        why: finding.why.clone(),
        fixes: vec![("default".to_string(), finding.fix.clone())],
        references: Vec::new(),
    }
}

fn rule(document: &RuleDoc) -> Rule {
    let short = plain_title(&document.title);
    let full = if document.why.trim().is_empty() { &short } else { &document.why };
    Rule {
        id: document.id.clone(),
        name: camel_case(&document.id),
        full_description: Message { text: cut(&sentence(full)) },
        short_description: Message { text: cut(&short) },
        help: Help { text: help_text(document), markdown: help_markdown(document) },
        help_uri: document.references.iter().find(|text| text.starts_with("https://")).cloned(),
        default_configuration: Configuration { level: level(document.severity) },
        properties: properties(document),
    }
}

fn properties(document: &RuleDoc) -> RuleProperties {
    let is_security = is_security(document);
    let (problem, security) = match document.severity {
        Severity::Error => ("error", "8.0"),
        Severity::Warning => ("warning", "5.5"),
        Severity::Note => ("recommendation", "2.5"),
    };
    RuleProperties {
        tags: tags(document, is_security),
        precision: document.confidence,
        problem_severity: problem,
        security_severity: is_security.then_some(security),
    }
}

/// Only what is about security is a security alert: a missing probe is none.
fn is_security(document: &RuleDoc) -> bool {
    matches!(document.section(), "security" | "secrets")
}

fn tags(document: &RuleDoc, is_security: bool) -> Vec<String> {
    let mut tags = vec!["production-readiness".to_string()];
    if !document.section().is_empty() {
        tags.push(document.section().to_string());
    }
    if is_security && document.section() != "security" {
        tags.push("security".to_string());
    }
    let weaknesses = document.references.iter().filter_map(|reference| reference.strip_prefix("CWE-"));
    tags.extend(weaknesses.take(MOST_CWES).map(|number| format!("external/cwe/cwe-{number}")));
    tags
}

fn camel_case(id: &str) -> String {
    id.split('-').map(capital).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_string();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn help_text(document: &RuleDoc) -> String {
    let mut text = sentence(&document.why);
    for (framework, fix) in &document.fixes {
        let of = if framework == "default" { String::new() } else { format!(" ({framework})") };
        _ = write!(text, "\nFix{of}: {}", sentence(fix));
    }
    _ = write!(text, "\nChecklist item: {}. To allow it: {}", document.item, allow_line(document));
    text
}

fn help_markdown(document: &RuleDoc) -> String {
    let mut text = format!("**Why.** {}\n", sentence(&document.why));
    for (framework, fix) in &document.fixes {
        let of = if framework == "default" { String::new() } else { format!(" ({framework})") };
        _ = write!(text, "\n**Fix{of}.** {}\n", sentence(fix));
    }
    let kind = if document.part.is_some() { "decides a part of" } else { "is advice under" };
    _ = write!(text, "\nThis rule {kind} the checklist item `{}`.\n", document.item);
    _ = write!(text, "\n**To allow it**, on the line above:\n\n```\n{}\n```\n", allow_line(document));
    if !document.references.is_empty() {
        text.push_str("\n**References**\n\n");
        for reference in &document.references {
            _ = writeln!(text, "- {reference}");
        }
    }
    text
}

fn allow_line(document: &RuleDoc) -> String {
    format!("// prodcheck: allow({}) reason=\"...\"", document.id)
}

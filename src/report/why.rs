//! Why each value of a line was or was not reported as a secret, as text or JSON.

use std::fmt::Write as _;

use serde::Serialize;

use super::quote::Quoter;
use super::text::style::{Look, Tone};
use super::{clause, encode};
use crate::check::evaluate::Scope;
use crate::check::outcome::{Finding, Outcome};
use crate::check::rules::{Rule, RuleSet};
use crate::check::settings::Settings;
use crate::check::unmet::{self, Unmet};
use crate::facts::{Attr, Confidence, Fact, FactKind, Facts, Value};
use crate::link::secrets::kinds;
use crate::link::secrets::why::{Fate, Line, Value as Seen};
use crate::scan::source::{Place, SourceFile, Tree};

/// What an answer is made from.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// The 1-based line.
    pub line: u32,
    /// The rule that was named; all rules about secrets without one.
    pub rule: Option<&'a Rule>,
    /// What was seen on the line.
    pub seen: &'a Line,
    /// All rules.
    pub rules: &'a RuleSet,
    /// What the user changes of them.
    pub settings: &'a Settings,
    /// The facts.
    pub facts: &'a Facts,
    /// The findings.
    pub outcome: &'a Outcome,
    /// The sources.
    pub tree: &'a Tree,
    /// Hides secrets.
    pub quoter: &'a Quoter,
}

/// The answer.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Answer {
    /// Relative path.
    path: String,
    /// 1-based line.
    line: u32,
    /// The rule that was named.
    rule: Option<String>,
    /// Why the file was not searched; `null` when it was.
    not_searched: Option<&'static str>,
    /// Values that were looked at, in order.
    values: Vec<Judged>,
    /// What nearly was a candidate.
    near: Vec<String>,
    /// What would have been a candidate, where there is none.
    would_be: Option<String>,
}

/// A value and what was made of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct Judged {
    /// 1-based line and column where it starts.
    line: u32,
    column: u32,
    name: Option<String>,
    /// Never the whole value.
    redacted: String,
    characters: usize,
    /// Bits a character, to one digit.
    entropy: f64,
    looks: String,
    seen_by: String,
    /// `secret`, `none` or `not-judged`.
    verdict: &'static str,
    reasons: Vec<String>,
    /// Of a secret.
    confidence: Option<Confidence>,
    /// Where the same value is reported, when that is another place.
    reported_at: Option<String>,
    rules: Vec<ByRule>,
    near: Vec<String>,
}

/// Whether a rule reports a secret.
#[derive(Clone, PartialEq, Debug, Serialize)]
struct ByRule {
    rule: String,
    reports: bool,
    reasons: Vec<String>,
}

/// Whether a rule is about secrets that stand in the repository: only of these there is something to say.
pub fn is_about_secrets(rule: &Rule) -> bool {
    unmet::forbids(rule, FactKind::Secret)
}

/// Makes the answer.
pub fn answer(asked: &Asked<'_>) -> Answer {
    let scope = Scope::new(asked.facts, asked.tree, None);
    let values: Vec<Judged> = asked.seen.values.iter().map(|value| judged(asked, value, &scope)).collect();
    let would_be = values.iter().all(|value| value.verdict == "not-judged") && asked.seen.unsearched.is_none();
    Answer {
        path: asked.file.path.clone(),
        line: asked.line,
        rule: asked.rule.map(|rule| rule.id.clone()),
        not_searched: asked.seen.unsearched,
        values,
        near: asked.seen.near.clone(),
        would_be: would_be.then(|| {
            format!(
                "a value is a candidate when it has the format of one of {} known kinds, when it is the password in a URL, \
                 or when it is a literal under a name that speaks of a password, secret, token or key",
                kinds::all().kinds.len()
            )
        }),
    }
}

fn judged(asked: &Asked<'_>, seen: &Seen, scope: &Scope<'_>) -> Judged {
    let at = asked.file.line_column(seen.span.start);
    let (verdict, reasons) = match &seen.fate {
        Fate::Passed(reason) => ("not-judged", vec![reason.clone()]),
        Fate::None(reason) => ("none", vec![reason.clone()]),
        Fate::Secret(reasons) => ("secret", reasons.clone()),
    };
    let place = Place { file: asked.file.id, span: seen.span };
    let fact = if verdict == "secret" { fact_at(asked.facts, place) } else { None };
    let mut said = Judged {
        line: at.line,
        column: at.column,
        name: (!seen.name.is_empty()).then(|| asked.quoter.prose(&seen.name)),
        redacted: asked.quoter.prose(&seen.redacted),
        characters: seen.length,
        entropy: (seen.entropy * 10.0).round() / 10.0,
        looks: seen.looks.clone(),
        seen_by: asked.quoter.prose(&seen.seen_by),
        verdict,
        reasons: reasons.iter().map(|reason| asked.quoter.prose(reason)).collect(),
        confidence: fact.map(|fact| fact.confidence),
        reported_at: None,
        rules: Vec::new(),
        near: seen.near.clone(),
    };
    match fact {
        Some(fact) => {
            said.reported_at = (fact.place != place).then(|| said_place(asked.tree, fact.place));
            said.rules = by_rules(asked, fact, scope);
        }
        None if verdict == "secret" => {
            said.reasons.push("code elsewhere calls the same value an example, so no rule sees it".to_string());
        }
        None => {}
    }
    said
}

/// The secret at a place: its own fact, or the one that has the place as another of the same value.
fn fact_at(facts: &Facts, place: Place) -> Option<&Fact> {
    let secrets = || facts.of(FactKind::Secret).map(|(_, fact)| fact);
    let elsewhere = |fact: &&Fact| fact.related.iter().any(|related| related.place == place);
    secrets().find(|fact| fact.place == place).or_else(|| secrets().find(elsewhere))
}

fn said_place(tree: &Tree, place: Place) -> String {
    let (path, line) = tree.at(place);
    format!("{path}:{line}")
}

/// What each rule makes of a secret: the one that was asked about and all that report it; all where none does.
fn by_rules(asked: &Asked<'_>, fact: &Fact, scope: &Scope<'_>) -> Vec<ByRule> {
    let about = asked.rules.rules().iter().filter(|rule| is_about_secrets(rule));
    let all: Vec<ByRule> = about.map(|rule| by_rule(asked, rule, fact, scope)).collect();
    let none_reports = all.iter().all(|by| !by.reports);
    let named = |by: &ByRule| asked.rule.is_some_and(|rule| rule.id == by.rule);
    let shown = |by: &ByRule| by.reports || named(by) || none_reports && asked.rule.is_none();
    all.into_iter().filter(shown).collect()
}

fn by_rule(asked: &Asked<'_>, rule: &Rule, fact: &Fact, scope: &Scope<'_>) -> ByRule {
    let finding = asked.outcome.findings.iter().find(|finding| finding.rule == rule.id && finding.place == fact.place);
    let unmet = unmet::of(rule, fact, scope, asked.settings);
    let reports = finding.is_some_and(|finding| finding.suppressed.is_none()) && unmet.is_empty();
    let mut reasons: Vec<String> = finding.and_then(suppressed).into_iter().collect();
    reasons.extend(unmet.iter().map(|unmet| in_words(unmet, fact)));
    if !reports && reasons.is_empty() {
        reasons.push("its item does not apply to this repository".to_string());
    }
    ByRule {
        rule: rule.id.clone(),
        reports,
        reasons: reasons.iter().map(|reason| asked.quoter.prose(reason)).collect(),
    }
}

fn suppressed(finding: &Finding) -> Option<String> {
    let by = finding.suppressed.as_ref()?;
    let place = if by.by == "comment" { "a comment" } else { "prodcheck.toml" };
    Some(format!("{place} allows it: {}", by.reason))
}

fn in_words(unmet: &Unmet<'_>, fact: &Fact) -> String {
    match unmet {
        Unmet::Off => "the rule is off in prodcheck.toml".to_string(),
        Unmet::Role => format!("the rule does not look at code with the role {}", fact.role.word()),
        Unmet::Attribute { path, asks, has } => {
            let has = match has {
                Attr::Unset => "not set".to_string(),
                Attr::Unknown => "not resolved".to_string(),
                Attr::Known(value) => format!("`{}`", plain(value)),
            };
            format!("it asks that {} {}; here it is {has}", clause::name(path), clause::check(asks))
        }
        Unmet::Several(test) => format!("it asks that {}", clause::test(test)),
        Unmet::Unsure => "confidence is low: shown with --pedantic only".to_string(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(list) => list.join(", "),
        Value::Links(_) => "a link".to_string(),
    }
}

/// The answer as JSON.
pub fn json(answer: &Answer) -> String {
    encode::to_json(answer)
}

/// The answer for people.
pub fn text(answer: &Answer, look: &Look) -> String {
    let mut out = format!("{}\n", look.paint(&format!("{}:{}", answer.path, answer.line), Tone::Strong));
    if let Some(reason) = answer.not_searched {
        out.push_str(&look.wrap("  ", 2, &format!("not searched: {reason}")));
    }
    for value in &answer.values {
        out.push('\n');
        value.write(&mut out, look);
    }
    if answer.not_searched.is_none() && answer.values.is_empty() {
        out.push_str("  no candidate on this line\n");
    }
    for near in &answer.near {
        out.push_str(&look.wrap("  ", 4, near));
    }
    if let Some(would_be) = &answer.would_be {
        out.push('\n');
        out.push_str(&look.wrap("  ", 2, would_be));
    }
    look.fit(out)
}

impl Judged {
    fn write(&self, out: &mut String, look: &Look) {
        let name = self.name.as_ref().map(|name| format!("`{name}` ")).unwrap_or_default();
        let verdict = match self.verdict {
            "secret" => look.paint("a secret", Tone::Bad),
            "none" => look.paint("no secret", Tone::Good),
            _ => look.paint("not judged", Tone::Faint),
        };
        let size = format!("{} characters, {:.1} bits each", self.characters, self.entropy);
        _ = writeln!(out, "  {}:{} {name}{} ({size}): {verdict}", self.line, self.column, self.redacted);
        let mut lines = vec![self.seen_by.clone()];
        if self.verdict != "not-judged" {
            lines.push(format!("the value {}", self.looks));
        }
        lines.extend(self.confidence.map(|confidence| format!("{} confidence", word(confidence))));
        lines.extend(self.reasons.iter().cloned());
        lines.extend(self.near.iter().cloned());
        lines.extend(
            self.reported_at.iter().map(|place| format!("the same value stands at {place}, where it is judged")),
        );
        lines.extend(self.rules.iter().map(ByRule::said));
        for line in lines {
            out.push_str(&look.wrap("    - ", 6, &line));
        }
    }
}

impl ByRule {
    fn said(&self) -> String {
        if self.reports {
            format!("reported by {}", self.rule)
        } else {
            format!("not reported by {}: {}", self.rule, self.reasons.join("; "))
        }
    }
}

fn word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}

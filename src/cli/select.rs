//! `--only` and `--skip`: which findings and rows of an outcome are shown and count.

use std::collections::{BTreeMap, BTreeSet};

use super::Stop;
use crate::check::outcome::{Finding, Outcome, Row};
use crate::config::nearest;
use crate::report::RuleDoc;

/// What the user chose; names of rules, items and sections.
#[derive(Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
    /// Items by rule, to show the row of an item when one of its rules is chosen.
    item_of: BTreeMap<String, String>,
}

impl Selection {
    /// Checks the names.
    ///
    /// # Errors
    /// Names that are no rule, item or section.
    pub fn new(only: &[String], skip: &[String], rules: &[RuleDoc], items: &[String]) -> Result<Selection, Stop> {
        let sections = items.iter().map(|item| section(item));
        let known: Vec<&str> =
            rules.iter().map(|rule| rule.id.as_str()).chain(items.iter().map(String::as_str)).chain(sections).collect();
        let unknown: Vec<String> = only
            .iter()
            .chain(skip)
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| say(name, &known))
            .collect();
        if !unknown.is_empty() {
            return Err(Stop::usage(unknown.join("\nprodcheck: ")));
        }
        let item_of = rules.iter().map(|rule| (rule.id.clone(), rule.item.clone())).collect();
        Ok(Selection { only: only.to_vec(), skip: skip.to_vec(), item_of })
    }

    fn is_everything(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    /// The rules that have to run, by id; `None` for all. The row of an item takes all rules of the item.
    pub fn rules(&self) -> Option<BTreeSet<String>> {
        let runs = |rule: &str, item: &str| self.takes_item(item) || self.takes(rule, item);
        let chosen = self.item_of.iter().filter(|(rule, item)| runs(rule, item)).map(|(rule, _)| rule.clone());
        (!self.is_everything()).then(|| chosen.collect())
    }

    fn takes_finding(&self, finding: &Finding) -> bool {
        self.takes(&finding.rule, &finding.item)
    }

    fn takes(&self, rule: &str, item: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == rule || name == item || name == section(item));
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// A row stays when its item is chosen, or a rule of it.
    fn takes_item(&self, item: &str) -> bool {
        let is = |name: &String| name == item || name == section(item);
        let of_rule = |name: &String| self.item_of.get(name).is_some_and(|of| of == item);
        (self.only.is_empty() || self.only.iter().any(|name| is(name) || of_rule(name))) && !self.skip.iter().any(is)
    }

    /// Leaves the chosen part of an outcome. A tick stays when all its items do: half a tick would say too much.
    pub fn apply(&self, outcome: &mut Outcome) {
        if self.is_everything() {
            return;
        }
        let mut new_index = Vec::with_capacity(outcome.findings.len());
        let mut kept = 0;
        for finding in &outcome.findings {
            let takes = self.takes_finding(finding);
            new_index.push(takes.then_some(kept));
            kept += usize::from(takes);
        }
        let mut at = 0;
        outcome.findings.retain(|_| {
            at += 1;
            new_index[at - 1].is_some()
        });
        self.rows(&mut outcome.checklist, &new_index);
        for service in &mut outcome.services {
            self.rows(&mut service.checklist, &new_index);
        }
        outcome.gate.retain(|tick| tick.items.iter().all(|item| self.takes_item(item)));
    }

    fn rows(&self, rows: &mut Vec<Row>, new_index: &[Option<usize>]) {
        rows.retain(|row| self.takes_item(&row.item));
        let moved = |findings: &mut Vec<usize>| {
            *findings = findings.iter().filter_map(|at| new_index.get(*at).copied().flatten()).collect();
        };
        for row in rows {
            moved(&mut row.findings);
            row.parts.iter_mut().for_each(|part| moved(&mut part.findings));
        }
    }
}

fn section(item: &str) -> &str {
    item.split_once('/').map_or(item, |(section, _)| section)
}

fn say(name: &str, known: &[&str]) -> String {
    let hint = nearest(name, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    format!("no rule, item or section is called `{name}`{}", hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::samples::Sample;

    fn selected(only: &[&str], skip: &[&str]) -> (Vec<String>, Vec<String>, usize) {
        let mut sample = Sample::full();
        let items: Vec<String> = sample.outcome.checklist.iter().map(|row| row.item.clone()).collect();
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        let selection = Selection::new(&owned(only), &owned(skip), &sample.rules, &items).unwrap();
        selection.apply(&mut sample.outcome);
        let outcome = &sample.outcome;
        for row in outcome.checklist.iter().chain(&outcome.services[0].checklist) {
            assert!(row.findings.iter().all(|at| outcome.findings[*at].item == row.item));
        }
        let rules = outcome.findings.iter().map(|finding| finding.rule.clone()).collect();
        (rules, outcome.checklist.iter().map(|row| row.item.clone()).collect(), outcome.gate.len())
    }

    #[test]
    fn only_a_rule_shows_its_findings_and_its_item() {
        let (rules, items, gate) = selected(&["missing-rate-limit"], &[]);
        assert_eq!((rules, items, gate), (vec!["missing-rate-limit".into()], vec!["security/rate-limiting".into()], 1));
    }

    #[test]
    fn a_skipped_section_is_gone_and_a_skipped_rule_leaves_its_item() {
        let (rules, items, _) = selected(&[], &["security", "hardcoded-secret"]);
        assert_eq!(rules, ["probe-path-not-served", "panic-in-request-path"]);
        assert!(items.iter().any(|item| item == "secrets/no-hardcoded"));
        assert!(!items.iter().any(|item| item.starts_with("security/")));
    }

    #[test]
    fn all_rules_of_a_shown_item_run() {
        let sample = Sample::full();
        let items: Vec<String> = sample.outcome.checklist.iter().map(|row| row.item.clone()).collect();
        let rules = |only: &str, skip: &[String]| {
            Selection::new(&[only.to_string()], skip, &sample.rules, &items).unwrap().rules().unwrap()
        };
        let of_item = |item: &str| {
            let own = sample.rules.iter().filter(|rule| rule.item == item);
            own.map(|rule| rule.id.clone()).collect::<BTreeSet<String>>()
        };
        assert_eq!(rules("missing-rate-limit", &[]), of_item("security/rate-limiting"));
        assert_eq!(rules("security/rate-limiting", &["missing-rate-limit".into()]), of_item("security/rate-limiting"));
        assert_eq!(Selection::new(&[], &[], &sample.rules, &items).unwrap().rules(), None);
    }

    #[test]
    fn unknown_names_are_errors_with_the_nearest_name() {
        let sample = Sample::full();
        let stop = Selection::new(&["hardcoded-secrets".to_string()], &[], &sample.rules, &[]).unwrap_err();
        assert_eq!(
            stop.message,
            "no rule, item or section is called `hardcoded-secrets`; did you mean `hardcoded-secret`?"
        );
    }
}

//! The whole check: every rule over every scope, a row for every item, and the gate.

use std::collections::{BTreeMap, BTreeSet};

use super::checklist::{Checklist, Item, ItemScope};
use super::evaluate::{Params, Scope, Truth};
use super::fingerprint;
use super::judge::{Judge, Judged};
use super::outcome::{Finding, Outcome, RouteRow, Row, ServiceOutcome, Status};
use super::row::{self, Found};
use super::rules::{Rule, RuleSet};
use super::settings::Settings;
use super::suppress::Suppressions;
use super::verdict::rank;
use super::{ages, gate, routes};
use crate::facts::{Service, ServiceId};
use crate::link::{Linked, Repository};
use crate::scan::source::{Notice, Place};

/// Judges a linked repository.
pub fn check(
    repository: &Repository,
    linked: &Linked,
    rules: &RuleSet,
    checklist: &Checklist,
    settings: &Settings,
) -> Outcome {
    let linked = &*ages::counted(linked, settings.today);
    let mut notices = Vec::new();
    let suppressions = Suppressions::read(repository, settings, &mut notices);
    let run = Run { repository, linked, rules, checklist, settings, suppressions: &suppressions };
    let mut findings = Findings::default();
    let services = run.services();
    let whole = run.repository_scope();
    let mut tables = vec![Vec::new(); services.len()];
    let mut rows = Vec::new();
    for item in &checklist.items {
        let judged = run.item(item, &services, &whole, &mut findings);
        for (table, row) in tables.iter_mut().zip(judged.services) {
            table.push(row);
        }
        rows.push(judged.repository);
    }
    run.rules_of_no_item(&whole, &mut findings);
    let ran: BTreeSet<&str> = run.chosen().map(|rule| rule.id.as_str()).collect();
    notices.extend(suppressions.unused(repository, rules, &ran));
    notices.extend(run.attestations_that_do_not_count());
    let places = findings.sort(repository);
    for row in rows.iter_mut().chain(tables.iter_mut().flatten()) {
        row.renumber(&places);
    }
    let mut findings = findings.list;
    fingerprint::assign(&mut findings, &linked.facts, &repository.tree);
    let outcomes = run.service_outcomes(tables);
    Outcome {
        gate: if outcomes.is_empty() { Vec::new() } else { gate::of(checklist, &rows) },
        stats: super::outcome::Stats {
            files: repository.tree.files.len(),
            routes: outcomes.iter().map(|service| service.routes.len()).sum(),
            facts: linked.facts.all.len(),
            rules: ran.len(),
            ..Default::default()
        },
        services: outcomes,
        checklist: rows,
        findings,
        notices,
        own_rules: Vec::new(),
    }
}

struct Run<'a> {
    repository: &'a Repository,
    linked: &'a Linked,
    rules: &'a RuleSet,
    checklist: &'a Checklist,
    settings: &'a Settings,
    suppressions: &'a Suppressions<'a>,
}

/// A scope with what titles and fixes need of it.
struct Where<'a> {
    scope: Scope<'a>,
    service: Option<(ServiceId, &'a Service)>,
    name: String,
    frameworks: Vec<String>,
}

/// The rows of one item.
struct ItemRows {
    services: Vec<Row>,
    repository: Row,
}

impl<'a> Run<'a> {
    fn services(&self) -> Vec<Where<'a>> {
        let facts = &self.linked.facts;
        let services = (0u16..).map(ServiceId).zip(&facts.services);
        services
            .map(|(id, service)| Where {
                scope: Scope::new(facts, &self.repository.tree, Some(id)),
                service: Some((id, service)),
                name: service.name.clone(),
                frameworks: service.frameworks.clone(),
            })
            .collect()
    }

    /// The repository goes by the name of its service when there is one only.
    fn repository_scope(&self) -> Where<'a> {
        let facts = &self.linked.facts;
        let mut frameworks: Vec<String> =
            facts.services.iter().flat_map(|service| service.frameworks.iter().cloned()).collect();
        frameworks.dedup();
        let name = match facts.services.as_slice() {
            [only] => only.name.clone(),
            _ => "the repository".to_string(),
        };
        Where { scope: Scope::new(facts, &self.repository.tree, None), service: None, name, frameworks }
    }

    /// Rules that run: those that are not off.
    fn chosen(&self) -> impl Iterator<Item = &'a Rule> {
        let settings = self.settings;
        self.rules.rules().iter().filter(move |rule| settings.runs(rule))
    }

    fn item(&self, item: &Item, services: &[Where<'a>], whole: &Where<'a>, findings: &mut Findings) -> ItemRows {
        if item.scope == ItemScope::Repository {
            let row = self.row(item, whole, findings);
            return ItemRows { services: vec![row.clone(); services.len()], repository: row };
        }
        let rows: Vec<Row> = services.iter().map(|service| self.row(item, service, findings)).collect();
        let repository = worst(&rows, services)
            .unwrap_or_else(|| row::without_service(item, self.linked.facts.unread_server.as_ref()));
        ItemRows { services: rows, repository }
    }

    fn row(&self, item: &Item, at: &Where<'a>, findings: &mut Findings) -> Row {
        let mut applies = Truth::True;
        for condition in &item.when {
            let truth = at.scope.when(&condition.when, &Params::new());
            if truth == Truth::False {
                return row::not_applicable(item, &condition.otherwise);
            }
            applies = applies.min(truth);
        }
        let of_item: Vec<&Rule> = self.chosen().filter(|rule| rule.item == item.id).collect();
        let left_out = self.rules.rules().iter().any(|rule| rule.item == item.id && rule.part.is_some());
        let mut found = Vec::new();
        for rule in of_item {
            let judged = self.judge(rule, at, applies);
            let numbers = judged.findings.iter().map(|finding| findings.add(finding.clone())).collect();
            found.push(Found { rule, judged, numbers });
        }
        let mut row = row::of(item, applies, &found, left_out);
        if row.status == Status::Manual {
            self.attest(item, &mut row, findings);
        }
        row
    }

    fn judge(&self, rule: &Rule, at: &'a Where<'_>, applies: Truth) -> Judged<'a> {
        let judge = Judge {
            scope: &at.scope,
            service: at.service,
            name: &at.name,
            frameworks: &at.frameworks,
            repository: self.repository,
            suppressions: self.suppressions,
        };
        judge.judge(rule, self.settings.rules.get(&rule.id), applies)
    }

    /// A person's word for what only a person can tell, until its day.
    fn attest(&self, item: &Item, row: &mut Row, findings: &mut Findings) {
        let given = self.settings.attest.iter().filter(|attestation| attestation.item == item.id);
        let Some(attestation) = given.max_by_key(|attestation| attestation.until) else { return };
        if attestation.until < self.settings.today {
            row.reason = format!("{} vouched for it until {}", attestation.by, attestation.until);
            return;
        }
        row.status = Status::Attested;
        row.reason = format!("{} on {}, until {}", attestation.by, attestation.on, attestation.until);
        row.attested = Some(attestation.clone());
        for number in &row.findings {
            findings.allow(*number, &row.reason);
        }
    }

    fn attestations_that_do_not_count(&self) -> Vec<Notice> {
        let wrong = self.settings.attest.iter().filter(|attestation| {
            let item = self.checklist.item(&attestation.item);
            item.is_none_or(|item| item.silent != super::checklist::Silent::Manual)
        });
        wrong
            .map(|attestation| Notice {
                path: "prodcheck.toml".into(),
                line: None,
                message: format!("[[attest]] {}: this is no item that a person vouches for", attestation.item),
                fatal: false,
            })
            .collect()
    }

    /// Rules of the team's own may speak of something that is no item: they advise on the repository.
    fn rules_of_no_item(&self, whole: &Where<'a>, findings: &mut Findings) {
        for rule in self.chosen().filter(|rule| self.checklist.item(&rule.item).is_none()) {
            for finding in self.judge(rule, whole, Truth::True).findings {
                findings.add(finding);
            }
        }
    }

    fn service_outcomes(&self, tables: Vec<Vec<Row>>) -> Vec<ServiceOutcome> {
        let facts = &self.linked.facts;
        let services = (0u16..).map(ServiceId).zip(&facts.services).zip(tables);
        services
            .map(|((id, service), checklist)| {
                let routes: Vec<RouteRow> = routes::of(facts, id);
                ServiceOutcome { service: service.clone(), routes, checklist }
            })
            .collect()
    }
}

/// The repository's row of an item of services: the worst, with the findings of all that are as bad.
fn worst(rows: &[Row], services: &[Where<'_>]) -> Option<Row> {
    let (at, first) = rows.iter().enumerate().min_by_key(|(at, row)| (rank(row.status), *at))?;
    let mut row = first.clone();
    for other in rows.iter().skip(at + 1).filter(|other| other.status == first.status) {
        row.take_from(other);
    }
    if rows.len() > 1 && !row.reason.is_empty() {
        row.reason = format!("{}: {}", services[at].name, row.reason);
    }
    Some(row)
}

/// Findings of all scopes, each once: what several services share is one finding.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    known: BTreeMap<(String, Place, String), usize>,
}

impl Findings {
    fn add(&mut self, finding: Finding) -> usize {
        let key = (finding.rule.clone(), finding.place, finding.message.clone());
        if let Some(number) = self.known.get(&key) {
            let known = &mut self.list[*number];
            known.services.extend(finding.services);
            known.services.sort();
            known.services.dedup();
            known.confidence = known.confidence.max(finding.confidence);
            return *number;
        }
        self.known.insert(key, self.list.len());
        self.list.push(finding);
        self.list.len() - 1
    }

    fn allow(&mut self, number: usize, reason: &str) {
        let finding = &mut self.list[number];
        if finding.absence && finding.suppressed.is_none() {
            finding.suppressed =
                Some(super::outcome::Suppressed { by: "configuration", reason: format!("attested: {reason}") });
        }
    }

    /// Sorts by path, place and rule; gives the new number of each old one.
    fn sort(&mut self, repository: &Repository) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        order.sort_by_cached_key(|at| {
            let finding = &self.list[*at];
            let path = repository.tree.file(finding.place.file).path.clone();
            (path, finding.place.span, finding.rule.clone(), finding.message.clone())
        });
        let mut new_numbers = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_numbers[*old] = new;
        }
        let mut sorted: Vec<Option<Finding>> = std::mem::take(&mut self.list).into_iter().map(Some).collect();
        self.list = order.iter().filter_map(|old| sorted[*old].take()).collect();
        new_numbers
    }
}

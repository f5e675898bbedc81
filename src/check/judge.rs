//! One rule over the facts of one scope: how it stands, its findings and its evidence.

use std::collections::BTreeSet;

use super::evaluate::{Params, Scope, Truth};
use super::outcome::{Finding, PartStatus, Severity};
use super::place;
use super::rules::{Clause, Piece, Rule, Select, Template, Test};
use super::settings::RuleSetting;
use super::suppress::Suppressions;
use super::words;
use crate::facts::{Attr, Confidence, Fact, FactKind, Related, Service, ServiceId, Value};
use crate::link::Repository;
use crate::scan::source::Place;

/// A finding points to at most so many related facts.
const MOST_RELATED: usize = 5;

/// What a rule is judged with.
#[derive(Debug)]
pub struct Judge<'a> {
    /// The facts.
    pub scope: &'a Scope<'a>,
    /// The service; none for the repository.
    pub service: Option<(ServiceId, &'a Service)>,
    /// What `{service}` says.
    pub name: &'a str,
    /// Frameworks, for the choice of a fix.
    pub frameworks: &'a [String],
    /// The sources.
    pub repository: &'a Repository,
    /// What is allowed.
    pub suppressions: &'a Suppressions<'a>,
}

/// How a rule stands in a scope.
#[derive(Debug)]
pub struct Judged<'a> {
    /// How.
    pub status: PartStatus,
    /// It asks for something to be there.
    pub asks: bool,
    /// Its findings, suppressed and unsure ones too.
    pub findings: Vec<Finding>,
    /// What shows it.
    pub evidence: Vec<Shown<'a>>,
    /// Why it is unknown or does not apply.
    pub reason: String,
    /// The rule's own words when it is shown.
    pub shown: Option<String>,
}

/// A fact that shows something.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The fact.
    pub fact: &'a Fact,
    /// How telling it is: by the order in which its rule names what it looks at, 0 first.
    pub order: usize,
    /// Of routers, how many routes their file registers: most say most.
    pub weight: usize,
}

/// What a match amounts to.
enum Match {
    Finding(Box<Finding>),
    Unknown(Place),
}

/// A rule with its parameters after configuration.
struct Asked<'r> {
    rule: &'r Rule,
    params: Params,
    severity: Severity,
    applies: Truth,
}

impl<'a> Judge<'a> {
    /// Judges a rule. `applies` is what the conditions of its item gave.
    pub fn judge(&self, rule: &Rule, setting: Option<&RuleSetting>, applies: Truth) -> Judged<'a> {
        let params = params(rule, setting);
        let when = rule.when.as_ref().map_or(Truth::True, |when| self.scope.when(when, &params));
        let severity = setting.and_then(|setting| setting.severity).unwrap_or(rule.severity);
        let asked = Asked { rule, params, severity, applies: when.min(applies) };
        if asked.applies == Truth::False {
            let reason = rule.when.as_ref().filter(|_| when == Truth::False).and_then(words::lacking);
            return Judged::na(!matches!(rule.clause, Clause::Forbid { .. }), reason.unwrap_or_default());
        }
        let mut judged = match &rule.clause {
            Clause::Forbid { matches, evidence } => self.forbid(&asked, matches, evidence),
            Clause::Each { of, has } => self.each(&asked, of, has),
            Clause::Require { any, anchors } => {
                self.require(&asked, any, place::of(anchors, self.scope, self.service.map(|(_, s)| s), self.repository))
            }
        };
        let count = judged.evidence.len();
        judged.shown = rule.shown.as_ref().map(|template| self.fill(template, None, count, &asked.params));
        judged
    }

    fn forbid(&self, asked: &Asked<'_>, matches: &[Select], evidence: &[Select]) -> Judged<'a> {
        let mut found = Vec::new();
        for select in matches {
            for (_, fact, truth) in self.scope.select(select, &asked.params) {
                found.extend(self.finding_at(asked, fact, truth));
            }
        }
        let looked_at = self.shown(evidence, asked);
        let (findings, unknown) = sort_out(found);
        let status = match () {
            () if findings.iter().any(decides) => PartStatus::Broken,
            () if unknown.is_some() => PartStatus::Unknown,
            () => shown_by(&looked_at),
        };
        let kinds = if evidence.is_empty() { matches } else { evidence };
        let reason = self.reason(status, unknown, kinds);
        Judged { status, asks: false, findings, evidence: looked_at, reason, shown: None }
    }

    fn each(&self, asked: &Asked<'_>, of: &Select, has: &Test) -> Judged<'a> {
        let mut found = Vec::new();
        let mut held = Vec::new();
        for (_, fact, truth) in self.scope.select(of, &asked.params) {
            match self.scope.test(fact, has, &asked.params) {
                Truth::True if fact.confidence > Confidence::Low => held.extend(self.with_links(of, fact, 0)),
                Truth::True => {}
                Truth::False => found.extend(self.finding_at(asked, fact, truth)),
                Truth::Unknown => found.extend(self.finding_at(asked, fact, Truth::Unknown)),
            }
        }
        let (findings, unknown) = sort_out(found);
        let failing = findings.iter().any(decides);
        let status = match () {
            () if failing && !held.is_empty() => PartStatus::Broken,
            () if failing => PartStatus::Absent,
            () if unknown.is_some() => PartStatus::Unknown,
            () => shown_by(&held),
        };
        let reason = self.reason(status, unknown, std::slice::from_ref(of));
        Judged { status, asks: true, findings, evidence: held, reason, shown: None }
    }

    fn require(&self, asked: &Asked<'_>, any: &[Select], anchor: Option<Place>) -> Judged<'a> {
        let evidence = self.shown(any, asked);
        let unknown = any
            .iter()
            .flat_map(|select| self.scope.select(select, &asked.params))
            .map(|(_, fact, _)| fact.place)
            .next();
        let mut judged = Judged {
            status: shown_by(&evidence),
            asks: true,
            findings: Vec::new(),
            evidence,
            reason: String::new(),
            shown: None,
        };
        if judged.status != PartStatus::Na {
            return judged;
        }
        if let Some(place) = unknown {
            judged.status = PartStatus::Unknown;
            judged.reason = self.reason(PartStatus::Unknown, Some(place), any);
            return judged;
        }
        judged.reason = format!("nothing found: {}", words::kinds(any));
        if asked.applies == Truth::Unknown {
            judged.status = PartStatus::Unknown;
            return judged;
        }
        let Some(place) = anchor else { return judged };
        let finding = self.finding(asked, None, place);
        judged.status = if decides(&finding) { PartStatus::Absent } else { PartStatus::Na };
        judged.findings.push(finding);
        judged
    }

    /// What selects are sure to match, in the order in which they stand; each fact once.
    fn shown(&self, selects: &[Select], asked: &Asked<'_>) -> Vec<Shown<'a>> {
        let mut shown = Vec::new();
        let mut seen = BTreeSet::new();
        for (order, select) in selects.iter().enumerate() {
            for (id, fact, truth) in self.scope.select(select, &asked.params) {
                if truth == Truth::True && fact.confidence > Confidence::Low && seen.insert(id) {
                    shown.extend(self.with_links(select, fact, order));
                }
            }
        }
        shown
    }

    /// A fact as evidence, after what the link that its select shows leads to.
    fn with_links(&self, select: &Select, fact: &'a Fact, order: usize) -> Vec<Shown<'a>> {
        let linked = match select.shows.and_then(|link| fact.data.get(link)) {
            Some(Attr::Known(Value::Links(targets))) => targets,
            _ => Vec::new(),
        };
        let later = usize::from(select.shows.is_some());
        let linked =
            linked.into_iter().map(|id| Shown { fact: self.scope.facts().get(id), order: order * 2, weight: 0 });
        linked.chain([Shown { fact, order: order * 2 + later, weight: self.weight(fact) }]).collect()
    }

    fn weight(&self, fact: &Fact) -> usize {
        let routes = || self.scope.of(FactKind::Route).filter(|(_, route)| route.place.file == fact.place.file);
        if fact.kind() == FactKind::Router { routes().count() } else { 0 }
    }

    /// A match as a finding, or as unknown where that is all it is. An unsure fact that is unresolved says nothing.
    fn finding_at(&self, asked: &Asked<'_>, fact: &Fact, truth: Truth) -> Option<Match> {
        if truth.min(asked.applies) == Truth::Unknown {
            return (fact.confidence > Confidence::Low).then_some(Match::Unknown(fact.place));
        }
        Some(Match::Finding(Box::new(self.finding(asked, Some(fact), fact.place))))
    }

    fn finding(&self, asked: &Asked<'_>, fact: Option<&Fact>, place: Place) -> Finding {
        let rule = asked.rule;
        let confidence = fact.map_or(rule.confidence, |fact| fact.confidence.min(rule.confidence));
        let absence = fact.is_none();
        let file = self.repository.tree.file(place.file);
        let mut related = fact.map(|fact| fact.related.clone()).unwrap_or_default();
        related.extend(self.related(asked));
        Finding {
            rule: rule.id.clone(),
            item: rule.item.clone(),
            part: rule.part.clone(),
            severity: asked.severity,
            confidence,
            message: self.fill(&rule.title, fact, 0, &asked.params),
            why: rule.why.clone(),
            fix: self.fix(rule, fact, &asked.params),
            place,
            related,
            flow: fact.map(|fact| fact.flow.clone()).unwrap_or_default(),
            services: self.service.iter().map(|(id, _)| *id).collect(),
            fingerprint: String::new(),
            suppressed: self.suppressions.of(&rule.id, place, file, absence),
            absence,
        }
    }

    fn related(&self, asked: &Asked<'_>) -> Vec<Related> {
        let mut related: Vec<Related> = Vec::new();
        for (select, note) in &asked.rule.related {
            let facts = self.scope.select(select, &asked.params);
            let sure = facts.into_iter().filter(|(_, _, truth)| *truth == Truth::True);
            related.extend(sure.map(|(_, fact, _)| Related { place: fact.place, note: note.clone() }));
        }
        related.sort();
        related.dedup();
        related.truncate(MOST_RELATED);
        related
    }

    fn fix(&self, rule: &Rule, fact: Option<&Fact>, params: &Params) -> String {
        let names = self.frameworks.iter().map(|framework| framework.split(' ').next().unwrap_or(framework));
        let named = names.chain(["default"]).find_map(|name| rule.fixes.iter().find(|(of, _)| of == name));
        named.map(|(_, template)| self.fill(template, fact, 0, params)).unwrap_or_default()
    }

    fn fill(&self, template: &Template, fact: Option<&Fact>, count: usize, params: &Params) -> String {
        let pieces = template.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Service => self.name.to_string(),
            Piece::Count => count.to_string(),
            Piece::Param(name) => params.get(name).map(ToString::to_string).unwrap_or_default(),
            Piece::Attribute(path) => fact.map_or_else(String::new, |fact| self.word(fact, path)),
        });
        pieces.collect()
    }

    fn word(&self, fact: &Fact, path: &super::rules::AttrPath) -> String {
        match self.scope.value_at(fact, path) {
            Attr::Known(value) => words::value(&value),
            Attr::Unset => "nothing".to_string(),
            Attr::Unknown => "something unresolved".to_string(),
        }
    }

    fn reason(&self, status: PartStatus, unknown: Option<Place>, kinds: &[Select]) -> String {
        match (status, unknown) {
            (PartStatus::Unknown, Some(place)) => {
                let (path, line) = self.repository.tree.at(place);
                format!("the {} at {path}:{line} cannot be resolved by reading", words::kinds(kinds))
            }
            (PartStatus::Na, _) => format!("no {} found", words::kinds(kinds)),
            _ => String::new(),
        }
    }
}

impl Judged<'_> {
    fn na(asks: bool, reason: String) -> Self {
        Judged { status: PartStatus::Na, asks, findings: Vec::new(), evidence: Vec::new(), reason, shown: None }
    }
}

/// Whether a finding counts for the status: an unsure one never does, and an allowed one does no more.
pub fn decides(finding: &Finding) -> bool {
    finding.confidence > Confidence::Low && finding.suppressed.is_none()
}

fn shown_by(facts: &[Shown<'_>]) -> PartStatus {
    match facts {
        [] => PartStatus::Na,
        _ if facts.iter().all(|shown| shown.fact.is_default) => PartStatus::Default,
        _ => PartStatus::Shown,
    }
}

/// Findings, and where something could not be told.
fn sort_out(found: Vec<Match>) -> (Vec<Finding>, Option<Place>) {
    let mut findings = Vec::new();
    let mut unknown = None;
    for one in found {
        match one {
            Match::Finding(finding) => findings.push(*finding),
            Match::Unknown(place) => unknown = Some(unknown.map_or(place, |other: Place| other.min(place))),
        }
    }
    (findings, unknown)
}

/// The parameters of a rule after configuration.
pub fn params(rule: &Rule, setting: Option<&RuleSetting>) -> Params {
    let mut params = rule.params.clone();
    for (name, value) in setting.iter().flat_map(|setting| &setting.params) {
        if let (Some(param), Some(value)) = (params.get_mut(name), super::rules::Scalar::from_toml(value)) {
            *param = value;
        }
    }
    params
}

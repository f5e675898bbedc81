//! The JSON report: the stable contract of DESIGN.md, with structs of its own.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Region, Subject, encode};
use crate::check::outcome::{self, PartStatus, Severity, Stats, Status, TickStatus};
use crate::facts::{Confidence, Related, ServiceId};
use crate::scan::source::Place;

/// Changes when a consumer has to change.
const SCHEMA_VERSION: u32 = 1;

/// The report of a run.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "prodcheck report")]
struct Report {
    /// Version of this format.
    schema_version: u32,
    /// What wrote the report.
    tool: Tool,
    /// The scanned folder as it was named.
    root: String,
    /// Rule files of the team's own, or a rules folder in place of the built-in one, that were used.
    own_rules: Vec<String>,
    /// The services that were found, by folder.
    services: Vec<Service>,
    /// The checklist for the whole repository: the worst verdict of its services.
    checklist: Vec<Row>,
    /// The ticks that gate the launch; empty without a service.
    gate: Vec<Tick>,
    /// Findings by path and place.
    findings: Vec<Finding>,
    /// What was not read or not understood.
    notices: Vec<Notice>,
    /// Counts.
    stats: Stats,
}

/// Name and version.
#[derive(Serialize, JsonSchema)]
struct Tool {
    /// `prodcheck`.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

/// A service.
#[derive(Serialize, JsonSchema)]
struct Service {
    /// Package name.
    name: String,
    /// Folder of its Cargo.toml, relative; `.` for the root.
    #[serde(rename = "crate")]
    folder: String,
    /// Web frameworks with version.
    frameworks: Vec<String>,
    /// Databases with the library that speaks to them.
    databases: Vec<String>,
    /// Routes by path and method.
    routes: Vec<Route>,
    /// The checklist for this service.
    checklist: Vec<Row>,
}

/// A route; one for each method.
#[derive(Serialize, JsonSchema)]
struct Route {
    /// `GET`, ..., or `ANY`.
    method: String,
    /// Full URL path.
    path: String,
    /// Name of the handler.
    handler: String,
    /// Where it is registered.
    file: String,
    /// 1-based line.
    line: u32,
    /// Kinds of layers that cover it.
    layers: Vec<String>,
    /// Behind authentication; `null` where that is not known.
    auth: Option<bool>,
}

/// The answer to an item of the checklist.
#[derive(Serialize, JsonSchema)]
struct Row {
    /// `section/name`.
    item: String,
    /// Section.
    section: String,
    /// Title for people.
    title: String,
    /// The verdict.
    status: Status,
    /// Why.
    reason: String,
    /// Its parts.
    parts: Vec<Part>,
    /// At most five places that show it.
    evidence: Vec<Evidence>,
    /// Fingerprints of findings.
    findings: Vec<String>,
    /// The attestation where there is one.
    attested: Option<Attested>,
}

/// A part of an item.
#[derive(Serialize, JsonSchema)]
struct Part {
    /// Its name.
    part: String,
    /// How it stands.
    status: PartStatus,
    /// What shows it.
    evidence: Vec<Evidence>,
    /// Fingerprints of findings.
    findings: Vec<String>,
}

/// A place that shows something.
#[derive(Serialize, JsonSchema)]
struct Evidence {
    /// Relative path.
    path: String,
    /// 1-based line.
    line: u32,
}

/// Somebody vouches for an item.
#[derive(Serialize, JsonSchema)]
struct Attested {
    /// Who.
    by: String,
    /// When, `YYYY-MM-DD`.
    on: String,
    /// Where the proof is.
    evidence: Option<String>,
    /// Until when it counts, `YYYY-MM-DD`.
    until: String,
}

/// One of the ticks that gate the launch.
#[derive(Serialize, JsonSchema)]
struct Tick {
    /// The checklist's words.
    tick: String,
    /// How it stands.
    status: TickStatus,
    /// Items under it.
    items: Vec<String>,
}

/// A finding.
#[derive(Serialize, JsonSchema)]
struct Finding {
    /// Rule id.
    rule: String,
    /// Item of the checklist.
    item: String,
    /// Part of the item that the rule decides; `null` for advice.
    part: Option<String>,
    /// Severity after configuration.
    severity: Severity,
    /// How sure.
    confidence: Confidence,
    /// What is wrong here.
    message: String,
    /// What goes wrong in production.
    why: String,
    /// What to do.
    fix: String,
    /// Names of the services it was found for; empty for the repository.
    services: Vec<String>,
    /// It says that something is not there; the place is where it would belong.
    absence: bool,
    /// Relative path.
    path: String,
    /// First digits of the commit whose version of the file is meant; `null` for the file as it is.
    commit: Option<String>,
    /// 1-based line.
    line: u32,
    /// 1-based column in Unicode code points.
    column: u32,
    /// Line of the end.
    end_line: u32,
    /// Column one past the end.
    end_column: u32,
    /// Other places that belong to it.
    related: Vec<Step>,
    /// How it is reached, first step first.
    flow: Vec<Step>,
    /// Stable identity without line numbers.
    fingerprint: String,
    /// Why it is suppressed; `null` when it is not.
    suppressed: Option<Suppressed>,
}

/// A place with a word about it.
#[derive(Serialize, JsonSchema)]
struct Step {
    /// Relative path.
    path: String,
    /// First digits of the commit whose version of the file is meant; `null` for the file as it is.
    commit: Option<String>,
    /// 1-based line.
    line: u32,
    /// 1-based column.
    column: u32,
    /// What is there.
    note: String,
}

/// Why a finding is suppressed.
#[derive(Serialize, JsonSchema)]
struct Suppressed {
    /// `comment` or `configuration`.
    by: &'static str,
    /// The reason that was given.
    reason: String,
}

/// Something that was not read or not understood.
#[derive(Serialize, JsonSchema)]
struct Notice {
    /// Relative path; empty for the run as a whole.
    path: String,
    /// 1-based line where that is known.
    line: Option<u32>,
    /// What happened, and what follows.
    message: String,
    /// The run ends with exit code 3.
    fatal: bool,
}

/// The report as JSON.
pub fn report(subject: &Subject<'_>) -> String {
    encode::to_json(&Writer { subject }.report())
}

/// The JSON Schema of the report.
pub fn schema() -> String {
    encode::to_json(&schemars::schema_for!(Report))
}

/// Turns the model into the structs above.
struct Writer<'a> {
    subject: &'a Subject<'a>,
}

impl Writer<'_> {
    fn report(&self) -> Report {
        let outcome = self.subject.outcome;
        Report {
            schema_version: SCHEMA_VERSION,
            tool: Tool { name: "prodcheck", version: env!("CARGO_PKG_VERSION") },
            root: self.subject.root.to_string(),
            own_rules: outcome.own_rules.clone(),
            services: outcome.services.iter().map(|service| self.service(service)).collect(),
            checklist: self.rows(&outcome.checklist),
            gate: outcome.gate.iter().map(tick).collect(),
            findings: self.subject.listed().map(|(_, finding)| self.finding(finding)).collect(),
            notices: outcome.notices.iter().map(|notice| self.notice(notice)).collect(),
            stats: outcome.stats,
        }
    }

    fn prose(&self, text: &str) -> String {
        self.subject.quoter.prose(text)
    }

    fn service(&self, of: &outcome::ServiceOutcome) -> Service {
        Service {
            name: self.prose(&of.service.name),
            folder: of.service.folder.clone(),
            frameworks: of.service.frameworks.iter().map(|name| self.prose(name)).collect(),
            databases: of.service.databases.iter().map(|name| self.prose(name)).collect(),
            routes: of.routes.iter().map(|route| self.route(route)).collect(),
            checklist: self.rows(&of.checklist),
        }
    }

    fn route(&self, route: &outcome::RouteRow) -> Route {
        Route {
            method: self.prose(&route.method),
            path: self.prose(&route.path),
            handler: self.prose(&route.handler),
            file: self.subject.path(route.place).to_string(),
            line: self.subject.line(route.place),
            layers: route.layers.clone(),
            auth: route.auth,
        }
    }

    fn rows(&self, rows: &[outcome::Row]) -> Vec<Row> {
        rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &outcome::Row) -> Row {
        Row {
            item: row.item.clone(),
            section: row.section.clone(),
            title: row.title.clone(),
            status: row.status,
            reason: self.prose(&row.reason),
            parts: row.parts.iter().map(|part| self.part(part)).collect(),
            evidence: self.evidence(&row.evidence),
            findings: self.fingerprints(&row.findings),
            attested: row.attested.as_ref().map(|attested| self.attested(attested)),
        }
    }

    fn part(&self, part: &outcome::PartRow) -> Part {
        Part {
            part: part.part.clone(),
            status: part.status,
            evidence: self.evidence(&part.evidence),
            findings: self.fingerprints(&part.findings),
        }
    }

    fn evidence(&self, places: &[Place]) -> Vec<Evidence> {
        let one =
            |place: &Place| Evidence { path: self.subject.path(*place).to_string(), line: self.subject.line(*place) };
        places.iter().map(one).collect()
    }

    fn fingerprints(&self, findings: &[usize]) -> Vec<String> {
        let all = findings.iter().filter_map(|at| self.subject.outcome.findings.get(*at));
        let sure = all.filter(|finding| self.subject.pedantic || finding.confidence > Confidence::Low);
        sure.map(|finding| finding.fingerprint.clone()).collect()
    }

    fn attested(&self, attested: &outcome::Attestation) -> Attested {
        Attested {
            by: self.prose(&attested.by),
            on: attested.on.to_string(),
            evidence: attested.evidence.as_deref().map(|text| self.prose(text)),
            until: attested.until.to_string(),
        }
    }

    fn finding(&self, finding: &outcome::Finding) -> Finding {
        let Region { start, end } = self.subject.region(finding.place);
        Finding {
            rule: finding.rule.clone(),
            item: finding.item.clone(),
            part: finding.part.clone(),
            severity: finding.severity,
            confidence: finding.confidence,
            message: self.prose(&finding.message),
            why: self.prose(&finding.why),
            fix: self.prose(&finding.fix),
            services: finding.services.iter().map(|id| self.service_name(*id)).collect(),
            absence: finding.absence,
            path: self.subject.path(finding.place).to_string(),
            commit: self.commit(finding.place),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            related: finding.related.iter().map(|related| self.step(related)).collect(),
            flow: finding.flow.iter().map(|related| self.step(related)).collect(),
            fingerprint: finding.fingerprint.clone(),
            suppressed: finding
                .suppressed
                .as_ref()
                .map(|why| Suppressed { by: why.by, reason: self.prose(&why.reason) }),
        }
    }

    fn service_name(&self, id: ServiceId) -> String {
        let service = self.subject.outcome.services.get(usize::from(id.0));
        service.map_or_else(String::new, |of| self.prose(&of.service.name))
    }

    fn step(&self, related: &Related) -> Step {
        let start = self.subject.region(related.place).start;
        Step {
            path: self.subject.path(related.place).to_string(),
            commit: self.commit(related.place),
            line: start.line,
            column: start.column,
            note: self.prose(&related.note),
        }
    }

    fn commit(&self, place: Place) -> Option<String> {
        self.subject.commit(place).map(|commit| commit.id.clone())
    }

    fn notice(&self, notice: &crate::scan::source::Notice) -> Notice {
        Notice {
            path: notice.path.clone(),
            line: notice.line,
            message: self.prose(&notice.message),
            fatal: notice.fatal,
        }
    }
}

fn tick(tick: &outcome::Tick) -> Tick {
    Tick { tick: tick.tick.clone(), status: tick.status, items: tick.items.clone() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::samples::Sample;

    #[test]
    fn a_full_report_fits_its_own_schema() {
        let sample = Sample::full();
        let mut json: serde_json::Value = serde_json::from_str(&report(&sample.subject())).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        json["tool"]["version"] = "any".into();
        insta::assert_json_snapshot!(json);
    }

    #[test]
    fn low_confidence_findings_are_left_out_unless_pedantic() {
        let mut sample = Sample::full();
        sample.outcome.findings[0].confidence = Confidence::Low;
        let count = |pedantic: bool| {
            let subject = Subject { pedantic, ..sample.subject() };
            let json: serde_json::Value = serde_json::from_str(&report(&subject)).unwrap();
            let listed = json["checklist"].as_array().unwrap().iter();
            let named: usize = listed.map(|row| row["findings"].as_array().unwrap().len()).sum();
            (json["findings"].as_array().unwrap().len(), named)
        };
        let (all, all_named) = count(true);
        assert_eq!(count(false), (all - 1, all_named - 1));
    }
}

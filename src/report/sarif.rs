//! SARIF 2.1.0, as code scanning takes it: one run, a real region for every result, GitHub's own fingerprints.

mod log;
mod rules;

use std::collections::BTreeMap;

use super::{Region, Subject, encode, linehash};
use crate::check::outcome::{Finding, Severity};
use crate::facts::{Related, ServiceId};
use crate::scan::source::{FileId, LineColumn, Notice, Place};
use log::*;

/// Results of one rule; code scanning takes 25,000 in all and shows 5,000.
const MOST_OF_A_RULE: usize = 1000;
const MOST_OF_ALL: usize = 25_000;
/// Related locations and steps of a flow that are worth showing.
const MOST_PLACES: usize = 100;
/// A region over more lines than this is cut to its first line.
const MOST_LINES: u32 = 10;

/// Choices of the user.
#[derive(Clone, Copy, Debug, Default)]
pub struct SarifOptions {
    /// Suppressed findings are written too, with their suppressions.
    pub include_suppressed: bool,
}

/// The report as SARIF.
pub fn report(subject: &Subject<'_>, options: SarifOptions) -> String {
    let mut writer = Writer { subject, hashes: BTreeMap::new() };
    encode::to_json(&writer.log(options))
}

struct Writer<'a> {
    subject: &'a Subject<'a>,
    hashes: BTreeMap<FileId, Vec<String>>,
}

impl Writer<'_> {
    fn log(&mut self, options: SarifOptions) -> Log {
        let findings: Vec<&Finding> = self
            .subject
            .listed()
            .map(|(_, finding)| finding)
            .filter(|finding| options.include_suppressed || finding.suppressed.is_none())
            .collect();
        let rules = rules::table(self.subject.rules, &findings);
        let results = self.results(&findings, &rules);
        Log {
            schema: "https://json.schemastore.org/sarif-2.1.0.json",
            version: "2.1.0",
            runs: [Run {
                tool: Tool { driver: driver(rules) },
                invocations: [self.invocation()],
                column_kind: "unicodeCodePoints",
                results,
            }],
        }
    }

    fn results(&mut self, findings: &[&Finding], rules: &[Rule]) -> Vec<SarifResult> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in findings {
            *counts.entry(&finding.rule).or_default() += 1;
        }
        let most = MOST_OF_A_RULE.min(MOST_OF_ALL / counts.len().max(1));
        let mut written: BTreeMap<&str, usize> = BTreeMap::new();
        let mut results = Vec::new();
        for finding in findings {
            let at = written.entry(&finding.rule).or_default();
            *at += 1;
            if *at > most {
                continue;
            }
            let left_out = if *at == most { counts[finding.rule.as_str()] - most } else { 0 };
            let index = rules.iter().position(|rule| rule.id == finding.rule);
            results.push(self.result(finding, index, left_out));
        }
        results
    }

    fn result(&mut self, finding: &Finding, rule_index: Option<usize>, left_out: usize) -> SarifResult {
        let region = self.narrow(finding);
        let hashed = self.subject.commit(finding.place).map_or(region.start_line, |_| self.subject.line(finding.place));
        let line_hash = self.line_hash(finding.place.file, hashed);
        let shown = &finding.related[..finding.related.len().min(MOST_PLACES)];
        SarifResult {
            rule_id: finding.rule.clone(),
            rule_index,
            level: level(finding.severity),
            message: Message { text: self.message(finding, shown, left_out) },
            locations: [Location { physical_location: self.physical(finding.place, region), id: None, message: None }],
            partial_fingerprints: Fingerprints { line_hash, own: finding.fingerprint.clone() },
            related_locations: (1..).zip(shown).map(|(id, related)| self.location(related, Some(id))).collect(),
            code_flows: self.code_flows(finding),
            suppressions: finding.suppressed.iter().map(|why| self.suppression(why)).collect(),
            properties: ResultProperties {
                services: finding.services.iter().map(|id| self.service(*id)).collect(),
                confidence: finding.confidence,
                item: finding.item.clone(),
                part: finding.part.clone(),
                absence: finding.absence,
                commit: self.subject.commit(finding.place).map(|commit| commit.id.clone()),
            },
        }
    }

    /// The first sentence is the finding: it is all that is shown where space is short.
    fn message(&self, finding: &Finding, related: &[Related], left_out: usize) -> String {
        let prose = |text: &str| self.subject.quoter.prose(text);
        let mut text = sentence(&prose(&finding.message));
        for more in [&finding.why, &finding.fix] {
            if !more.is_empty() {
                text.push(' ');
                text.push_str(&sentence(&prose(more)));
            }
        }
        if self.subject.commit(finding.place).is_some() {
            let (label, line) = (prose(&self.subject.label(finding.place)), self.subject.line(finding.place));
            text.push_str(&format!(" It stood at `{label}:{line}`."));
        }
        let links = (1..).zip(related).map(|(id, related)| format!("[{}]({id})", link_text(&prose(&related.note))));
        let links: Vec<String> = links.take(10).collect();
        if !links.is_empty() {
            text.push_str(&format!(" See {}.", links.join(", ")));
        }
        if left_out > 0 {
            text.push_str(&format!(" {left_out} more findings of this rule are not listed here."));
        }
        text
    }

    /// The region to mark. An absence is marked on one line, and nothing is marked over a whole screen.
    fn narrow(&self, finding: &Finding) -> SarifRegion {
        let Region { start, end } = self.region(finding.place);
        let is_wide = end.line - start.line >= MOST_LINES || (finding.absence && end.line > start.line);
        if !is_wide {
            return region(Region { start, end });
        }
        let file = self.subject.tree.file(finding.place.file);
        let end = file.line_column(file.line_span(start.line).end);
        let past = LineColumn { line: start.line, column: start.column.saturating_add(1) };
        region(Region { start, end: end.max(past) })
    }

    /// Where a place is shown. Code scanning shows a file as it is: a line of an earlier version would mark something
    /// else in it, so that its first line is marked, and the message tells the place. A file that is gone is not
    /// shown, and its path and line are those of then.
    fn region(&self, place: Place) -> Region {
        let tree = self.subject.tree;
        if tree.past(place.file).is_some() && tree.find(self.subject.path(place)).is_some() {
            let at = |column| LineColumn { line: 1, column };
            return Region { start: at(1), end: at(2) };
        }
        self.subject.region(place)
    }

    fn line_hash(&mut self, file: FileId, line: u32) -> String {
        let text = &self.subject.tree.file(file).text;
        let hashes = self.hashes.entry(file).or_insert_with(|| linehash::of_lines(text));
        hashes.get(line as usize - 1).cloned().unwrap_or_default()
    }

    fn physical(&self, place: Place, region: SarifRegion) -> PhysicalLocation {
        PhysicalLocation { artifact_location: self.artifact(self.subject.path(place)), region }
    }

    /// Paths go from the git top level, as code scanning reads them, whichever folder was scanned.
    fn artifact(&self, path: &str) -> ArtifactLocation {
        let prefix = self.subject.tree.git_prefix.as_deref().unwrap_or("").trim_end_matches('/');
        let whole = if prefix.is_empty() { path.to_string() } else { format!("{prefix}/{path}") };
        ArtifactLocation { uri: encode_path(&whole), uri_base_id: "%SRCROOT%" }
    }

    fn location(&self, related: &Related, id: Option<usize>) -> Location {
        Location {
            physical_location: self.physical(related.place, region(self.region(related.place))),
            id,
            message: Some(Message { text: self.subject.quoter.prose(&self.note(related)) }),
        }
    }

    /// A note, with the exact place where the location cannot be it.
    fn note(&self, related: &Related) -> String {
        match self.subject.commit(related.place) {
            Some(_) => {
                let (label, line) = (self.subject.label(related.place), self.subject.line(related.place));
                format!("{} (`{label}:{line}`)", related.note)
            }
            None => related.note.clone(),
        }
    }

    fn code_flows(&self, finding: &Finding) -> Vec<CodeFlow> {
        if finding.flow.is_empty() {
            return Vec::new();
        }
        let steps = finding.flow.iter().take(MOST_PLACES);
        let mut locations: Vec<FlowLocation> =
            steps.map(|step| FlowLocation { location: self.location(step, None) }).collect();
        let end = Related { place: finding.place, note: finding.message.clone() };
        if finding.flow.last().is_none_or(|last| last.place != end.place) {
            locations.push(FlowLocation { location: self.location(&end, None) });
        }
        vec![CodeFlow { thread_flows: [ThreadFlow { locations }] }]
    }

    fn suppression(&self, why: &crate::check::outcome::Suppressed) -> Suppression {
        Suppression {
            kind: if why.by == "comment" { "inSource" } else { "external" },
            status: "accepted",
            justification: self.subject.quoter.prose(&why.reason),
        }
    }

    fn service(&self, id: ServiceId) -> String {
        let service = self.subject.outcome.services.get(usize::from(id.0));
        service.map_or_else(String::new, |of| self.subject.quoter.prose(&of.service.name))
    }

    /// An unsuccessful run closes no alerts.
    fn invocation(&self) -> Invocation {
        let outcome = self.subject.outcome;
        let fatal = outcome.notices.iter().any(|notice| notice.fatal);
        Invocation {
            execution_successful: !fatal && outcome.stats.files_read > 0,
            tool_execution_notifications: outcome.notices.iter().map(|notice| self.notification(notice)).collect(),
        }
    }

    fn notification(&self, notice: &Notice) -> Notification {
        let location = (!notice.path.is_empty()).then(|| NotificationLocation {
            physical_location: NotificationPlace {
                artifact_location: self.artifact(&notice.path),
                region: notice.line.map(|line| LineRegion { start_line: line.max(1) }),
            },
        });
        Notification {
            level: if notice.fatal { "error" } else { "note" },
            message: Message { text: self.subject.quoter.prose(&notice.message) },
            locations: location.into_iter().collect(),
        }
    }
}

fn driver(rules: Vec<Rule>) -> Driver {
    Driver { name: "prodcheck", semantic_version: env!("CARGO_PKG_VERSION"), rules }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn region(Region { start, end }: Region) -> SarifRegion {
    SarifRegion {
        start_line: start.line.max(1),
        start_column: start.column.max(1),
        end_line: end.line.max(1),
        end_column: end.column.max(1),
    }
}

/// With a full stop, so that the first sentence ends where the finding ends.
fn sentence(text: &str) -> String {
    let text = text.trim();
    let ends = text.ends_with(['.', '!', '?', ':']);
    if ends || text.is_empty() { text.to_string() } else { format!("{text}.") }
}

fn link_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

/// A relative URI: everything but unreserved characters and slashes is percent-encoded.
fn encode_path(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => _ = write!(out, "%{other:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests;

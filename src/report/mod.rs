//! Text, JSON and SARIF, written from an outcome and the sources: pure functions to a string.

pub mod clause;
pub mod encode;
pub mod explain;
pub mod facts;
pub mod json;
pub mod linehash;
pub mod quote;
pub mod routes;
pub mod ruleschema;
#[cfg(test)]
pub mod samples;
pub mod sarif;
pub mod text;
pub mod why;

use crate::check::outcome::{Finding, Outcome, Severity};
use crate::check::rules::Rule;
use crate::facts::Confidence;
use crate::scan::source::{Commit, LineColumn, Place, Tree};
use quote::Quoter;

/// What every report is written from.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What the run found.
    pub outcome: &'a Outcome,
    /// The sources.
    pub tree: &'a Tree,
    /// Hides secrets and escapes what a terminal would obey.
    pub quoter: &'a Quoter,
    /// The rules that ran, sorted by id.
    pub rules: &'a [RuleDoc],
    /// Ids and titles of the checklist's sections.
    pub sections: &'a [(String, String)],
    /// The root as the user named it.
    pub root: &'a str,
    /// Low-confidence findings are shown as well.
    pub pedantic: bool,
}

/// What reports say of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleDoc {
    /// Its id.
    pub id: String,
    /// Item of the checklist.
    pub item: String,
    /// Part of the item that it decides; `None` for advice.
    pub part: Option<String>,
    /// Severity after configuration.
    pub severity: Severity,
    /// Its own confidence.
    pub confidence: Confidence,
    /// Its title with `{attributes}` as written.
    pub title: String,
    /// What goes wrong in production.
    pub why: String,
    /// What to do, by framework; `default` for any.
    pub fixes: Vec<(String, String)>,
    /// Links and names of standards.
    pub references: Vec<String>,
}

impl RuleDoc {
    /// What reports say of a rule; `severity` in place of its own where one is set.
    pub fn of(rule: &Rule, severity: Option<Severity>) -> RuleDoc {
        RuleDoc {
            id: rule.id.clone(),
            item: rule.item.clone(),
            part: rule.part.clone(),
            severity: severity.unwrap_or(rule.severity),
            confidence: rule.confidence,
            title: rule.title.source.clone(),
            why: rule.why.clone(),
            fixes: rule.fixes.iter().map(|(of, fix)| (of.clone(), fix.source.clone())).collect(),
            references: rule.references.clone(),
        }
    }

    /// The section of its item.
    pub fn section(&self) -> &str {
        self.item.split_once('/').map_or(self.item.as_str(), |(section, _)| section)
    }
}

/// A title without the braces of its `{attributes}`.
pub fn plain_title(title: &str) -> String {
    title.replace(['{', '}'], "").replace('_', " ")
}

/// A place in numbers for people; the end column is one past the last character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Where it starts.
    pub start: LineColumn,
    /// Where it ends.
    pub end: LineColumn,
}

impl<'a> Subject<'a> {
    /// Findings that a report shows: not suppressed, and sure enough.
    pub fn shown(&self) -> impl Iterator<Item = (usize, &'a Finding)> {
        self.listed().filter(|(_, finding)| finding.suppressed.is_none())
    }

    /// Findings that are sure enough to be listed, suppressed ones included.
    pub fn listed(&self) -> impl Iterator<Item = (usize, &'a Finding)> {
        let pedantic = self.pedantic;
        let all = self.outcome.findings.iter().enumerate();
        all.filter(move |(_, finding)| pedantic || finding.confidence > Confidence::Low)
    }

    /// Path of a place's file.
    pub fn path(&self, place: Place) -> &'a str {
        &self.tree.file(place.file).path
    }

    /// The same for people: with the commit before it where the file is one of the history.
    pub fn label(&self, place: Place) -> String {
        self.tree.label(place.file)
    }

    /// The commit of a place's file; `None` where that is one of the tree.
    pub fn commit(&self, place: Place) -> Option<&'a Commit> {
        self.tree.past(place.file).map(|past| &past.commit)
    }

    /// First line of a place.
    pub fn line(&self, place: Place) -> u32 {
        self.tree.file(place.file).line_column(place.span.start).line
    }

    /// A place in lines and columns. An empty span is widened to one column, so that the region is never empty.
    pub fn region(&self, place: Place) -> Region {
        let file = self.tree.file(place.file);
        let start = file.line_column(place.span.start);
        let mut end = file.line_column(place.span.end.max(place.span.start));
        if end <= start {
            end = LineColumn { line: start.line, column: start.column.saturating_add(1) };
        }
        Region { start, end }
    }
}

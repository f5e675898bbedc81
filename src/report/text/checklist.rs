//! The checklist as a table: a line for each item, with what shows it or breaks it.

use std::fmt::Write as _;

use super::style::{Look, Tone, flat, padded, visible_width};
use crate::check::outcome::{Finding, PartStatus, Row, Status};
use crate::facts::Confidence;
use crate::report::Subject;
use crate::report::quote::escape;
use crate::scan::source::Place;

/// Places named on a line.
const MOST_PLACES: usize = 2;
const WIDEST_TITLE: usize = 44;
/// With more services than this, the repository's table stands for theirs.
const MOST_TABLES: usize = 3;

/// A table for each service, or one for the repository.
pub fn checklist(subject: &Subject<'_>, look: &Look) -> String {
    let outcome = subject.outcome;
    if outcome.services.is_empty() {
        return table(subject, look, "this repository", &outcome.checklist);
    }
    if outcome.services.len() > MOST_TABLES {
        let name = format!("the worst of {} services", outcome.services.len());
        return table(subject, look, &name, &outcome.checklist) + &services(subject, look);
    }
    let mut out = String::new();
    for of in &outcome.services {
        let name = subject.quoter.prose(&of.service.name);
        let name = if outcome.services.len() > 1 { format!("{name} ({})", of.service.folder) } else { name };
        out.push_str(&table(subject, look, &name, &of.checklist));
    }
    out
}

/// A line for each service; its table is in the JSON report.
fn services(subject: &Subject<'_>, look: &Look) -> String {
    let mut out = format!("{}\n", look.paint("Services (--format json has the checklist of each)", Tone::Strong));
    for of in &subject.outcome.services {
        let name = subject.quoter.prose(&format!("{} ({})", of.service.name, of.service.folder));
        out.push_str(&look.wrap(&format!("  {name}: "), 4, &look.paint(&counts(&of.checklist), Tone::Faint)));
    }
    out + "\n"
}

fn table(subject: &Subject<'_>, look: &Look, name: &str, rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("{}\n", look.paint(&format!("Go-live checklist: {name}"), Tone::Strong));
    let widest = rows.iter().map(|row| row.title.chars().count()).max().unwrap_or(0).min(WIDEST_TITLE);
    for (number, rows) in (1..).zip(chapters(subject, rows)) {
        let Some(first) = rows.first() else { continue };
        _ = writeln!(out, "  {number} {}", look.paint(&section_title(subject, &first.section), Tone::Strong));
        for row in rows {
            out.push_str(&line(subject, look, row, widest));
        }
    }
    out.push_str(&look.wrap("  ", 2, &look.paint(&counts(rows), Tone::Faint)));
    out.push('\n');
    out
}

fn is_open(status: Status) -> bool {
    !matches!(status, Status::Pass | Status::Na | Status::Attested)
}

/// Rows under one heading: sections of one title share it.
fn chapters<'r>(subject: &Subject<'_>, rows: &'r [Row]) -> impl Iterator<Item = &'r [Row]> {
    let title = |row: &Row| section_title(subject, &row.section);
    rows.chunk_by(move |left, right| title(left) == title(right))
}

fn section_title(subject: &Subject<'_>, id: &str) -> String {
    let known = subject.sections.iter().find(|(section, _)| section == id);
    known.map_or_else(|| capital(id), |(_, title)| title.clone())
}

fn capital(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn line(subject: &Subject<'_>, look: &Look, row: &Row, widest: usize) -> String {
    let lead = format!("    {} {}  ", look.status(row.status), padded(&row.title, widest));
    let mut said = flat(&subject.quoter.prose(&row.reason));
    if row.status == Status::Manual && !said.contains("[[attest]]") {
        said = format!("{said}; attest it in prodcheck.toml: [[attest]] item = \"{}\"", row.item);
    }
    let parts = parts(look, row);
    let places = look.paint(&places(subject, row), Tone::Faint);
    for more in [parts, places] {
        if !more.is_empty() {
            said = if said.is_empty() { more } else { format!("{said}  {more}") };
        }
    }
    let indent = (widest + 8).min(look.width / 2);
    wrap_line(look, &lead, indent, &said)
}

/// On a narrow terminal the words go below the title.
fn wrap_line(look: &Look, lead: &str, indent: usize, said: &str) -> String {
    if look.width < 80 && visible_width(lead) + visible_width(said) > look.width {
        let title = format!("{}\n", lead.trim_end());
        return title + &look.wrap("        ", 8, said);
    }
    look.wrap(lead, indent, said)
}

/// Which part of an item is there and which is not: where they differ.
fn parts(look: &Look, row: &Row) -> String {
    let said: Vec<&crate::check::outcome::PartRow> =
        row.parts.iter().filter(|part| part.status != PartStatus::Na).collect();
    // Most reasons name the parts themselves.
    let is_said = said.iter().any(|part| row.reason.contains(&part.part));
    if said.len() < 2 || !is_open(row.status) || is_said {
        return String::new();
    }
    let marks: Vec<String> = said.iter().map(|part| format!("{} {}", look.part(part.status), part.part)).collect();
    format!("({})", marks.join(", "))
}

fn places(subject: &Subject<'_>, row: &Row) -> String {
    let of_findings = row.findings.iter().filter_map(|at| subject.outcome.findings.get(*at));
    let counts = |finding: &&Finding| finding.suppressed.is_none() && finding.confidence > Confidence::Low;
    let broken: Vec<Place> = of_findings.filter(counts).map(|finding| finding.place).collect();
    let (shown, count) = match row.status {
        Status::Violated | Status::Missing if !broken.is_empty() => (&broken, broken.len()),
        Status::Na | Status::Manual => return String::new(),
        _ => (&row.evidence, row.evidence_count.max(row.evidence.len())),
    };
    let mut named: Vec<String> = Vec::new();
    for place in shown {
        let at = format!("{}:{}", escape(&subject.label(*place)), subject.line(*place));
        if !named.contains(&at) && named.len() < MOST_PLACES {
            named.push(at);
        }
    }
    let rest = count.saturating_sub(shown.len().min(MOST_PLACES));
    if rest > 0 { format!("{} +{rest}", named.join(", ")) } else { named.join(", ") }
}

fn counts(rows: &[Row]) -> String {
    let words = [
        (Status::Pass, "in order"),
        (Status::Attested, "attested"),
        (Status::Violated, "violated"),
        (Status::Missing, "missing"),
        (Status::Unknown, "unknown"),
        (Status::Manual, "for a person"),
        (Status::Na, "not applicable"),
    ];
    let counted = words.iter().map(|(status, word)| (rows.iter().filter(|row| row.status == *status).count(), word));
    let said: Vec<String> =
        counted.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    said.join(", ")
}

//! What was scanned, and what was not read.

use std::fmt::Write as _;

use super::style::{Look, Tone};
use crate::check::outcome::ServiceOutcome;
use crate::facts::Confidence;
use crate::report::Subject;

/// Notices that are listed; the JSON report has all.
const MOST_NOTICES: usize = 10;

/// The first lines: version, services, counts.
pub fn header(subject: &Subject<'_>, look: &Look) -> String {
    let outcome = subject.outcome;
    let version = concat!("prodcheck ", env!("CARGO_PKG_VERSION"));
    let mut services: Vec<String> = outcome.services.iter().map(|of| service(subject, of)).collect();
    if services.is_empty() {
        services.push("no service found".to_string());
    }
    let mut counts = format!("{}, {}", counted(outcome.stats.files, "file"), counted(outcome.stats.routes, "route"));
    if outcome.stats.commits > 0 {
        _ = write!(counts, ", {}", counted(outcome.stats.commits, "commit"));
    }
    let mut out = String::new();
    let one_line = services.len() == 1 && version.len() + services[0].len() + counts.len() + 4 <= look.width;
    if one_line {
        _ = writeln!(out, "{}  {}  {counts}", look.paint(version, Tone::Strong), services[0]);
    } else {
        _ = writeln!(out, "{}  {counts}", look.paint(version, Tone::Strong));
        for service in &services {
            out.push_str(&look.wrap("  ", 4, service));
        }
    }
    if !outcome.own_rules.is_empty() {
        let names = subject.quoter.prose(&outcome.own_rules.join(", "));
        out.push_str(&look.wrap("", 2, &format!("with rules that are not built in: {names}")));
    }
    out.push('\n');
    out
}

fn service(subject: &Subject<'_>, of: &ServiceOutcome) -> String {
    let mut built_of = of.service.frameworks.clone();
    built_of.extend(of.service.databases.iter().map(|database| match database.split_once(':') {
        Some((engine, library)) => format!("{engine} ({library})"),
        None => database.clone(),
    }));
    let name = &of.service.name;
    let text = if built_of.is_empty() { name.clone() } else { format!("{name}: {}", built_of.join(", ")) };
    subject.quoter.prose(&text)
}

/// `1 file`, `2 files`.
pub fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What was not read or not understood, and which findings are not shown.
pub fn notices(subject: &Subject<'_>, look: &Look) -> String {
    let notices = &subject.outcome.notices;
    let mut out = String::new();
    let (fatal, other): (Vec<_>, Vec<_>) = notices.iter().partition(|notice| notice.fatal);
    for notice in &fatal {
        let lead = format!("{} ", look.paint("incomplete:", Tone::Bad));
        out.push_str(&look.wrap(&lead, 2, &subject.quoter.prose(&notice.to_string())));
    }
    for notice in other.iter().take(MOST_NOTICES) {
        let lead = format!("{} ", look.paint("notice:", Tone::Faint));
        out.push_str(&look.wrap(&lead, 2, &subject.quoter.prose(&notice.to_string())));
    }
    if other.len() > MOST_NOTICES {
        _ = writeln!(out, "and {} (--format json has all)", counted(other.len() - MOST_NOTICES, "more notice"));
    }
    out.push_str(&hidden(subject));
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn hidden(subject: &Subject<'_>) -> String {
    let suppressed = subject.listed().filter(|(_, finding)| finding.suppressed.is_some()).count();
    let all = &subject.outcome.findings;
    let unsure = all.iter().filter(|finding| finding.confidence == Confidence::Low).count();
    let mut said = Vec::new();
    if suppressed > 0 {
        said.push(format!("{} suppressed", counted(suppressed, "finding")));
    }
    if unsure > 0 && !subject.pedantic {
        said.push(format!("{} of low confidence not shown (--pedantic)", counted(unsure, "finding")));
    }
    if said.is_empty() { String::new() } else { format!("{}\n", said.join(", ")) }
}

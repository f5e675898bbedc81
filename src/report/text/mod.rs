//! The report for people: findings with the offending lines, the checklist, the gate, and what to do next.

mod checklist;
mod diagnostics;
mod gate;
mod header;
pub mod style;
pub mod toml;
mod window;

use super::Subject;
use style::Look;

/// The report as text.
pub fn report(subject: &Subject<'_>, look: &Look) -> String {
    let mut out = header::header(subject, look);
    out.push_str(&diagnostics::diagnostics(subject, look));
    out.push_str(&header::notices(subject, look));
    out.push_str(&checklist::checklist(subject, look));
    out.push_str(&gate::gate(subject, look));
    look.fit(out)
}

#[cfg(test)]
mod tests;

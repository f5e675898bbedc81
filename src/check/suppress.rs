//! Findings that a comment in the source or prodcheck.toml allows.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::outcome::Suppressed;
use super::rules::RuleSet;
use super::settings::Settings;
use crate::link::Repository;
use crate::scan::source::{FileId, Notice, Place, SourceFile};

/// `prodcheck: allow(rule-a, rule-b) reason="why"`.
static DIRECTIVE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^[\s/*#!<>;-]*prodcheck:\s*(?:(\w+)\s*\(([^)]*)\)\s*(?:reason\s*=\s*"([^"]*)")?)?"#).ok()
});

/// All that allows findings, and what of it was used.
#[derive(Debug)]
pub struct Suppressions<'a> {
    settings: &'a Settings,
    comments: Vec<Directive>,
    by_file: BTreeMap<FileId, Vec<usize>>,
    used_comments: RefCell<BTreeSet<(usize, String)>>,
    used_allows: RefCell<BTreeSet<usize>>,
}

/// A comment that allows.
#[derive(Debug)]
struct Directive {
    file: FileId,
    line: u32,
    /// Lines of findings it speaks of: its own, and the first line after the block of comments it stands in.
    lines: (u32, u32),
    rules: Vec<String>,
    reason: String,
}

impl<'a> Suppressions<'a> {
    /// Reads the directives of all comments; what is wrong with one becomes a notice.
    pub fn read(repository: &Repository, settings: &'a Settings, notices: &mut Vec<Notice>) -> Suppressions<'a> {
        let mut comments = Vec::new();
        for (file, parsed) in repository.files() {
            let lines: Vec<(u32, u32, &str)> = parsed
                .comments
                .iter()
                .map(|comment| {
                    let first = file.line_column(comment.span.start).line;
                    (first, file.line_column(comment.span.end).line, comment.text.as_str())
                })
                .collect();
            for (at, (line, _, text)) in lines.iter().enumerate() {
                match directive(text) {
                    Ok(None) => {}
                    Ok(Some((rules, reason))) => {
                        let alone = is_alone(file, *line);
                        let after = if alone { last_line_of_block(file, &lines[at..]) + 1 } else { *line };
                        let lines = (*line, after);
                        comments.push(Directive { file: file.id, line: *line, lines, rules, reason });
                    }
                    Err(problem) => notices.push(notice(file, *line, problem)),
                }
            }
        }
        let mut by_file: BTreeMap<FileId, Vec<usize>> = BTreeMap::new();
        for (at, comment) in comments.iter().enumerate() {
            by_file.entry(comment.file).or_default().push(at);
        }
        Suppressions { settings, comments, by_file, used_comments: RefCell::default(), used_allows: RefCell::default() }
    }

    /// What allows a finding of a rule at a place. An absence has no line of its own: a comment anywhere in the file
    /// that it is shown in counts.
    pub fn of(&self, rule: &str, place: Place, file: &SourceFile, absence: bool) -> Option<Suppressed> {
        self.by_comment(rule, place, file, absence).or_else(|| self.by_settings(rule, &file.path))
    }

    fn by_comment(&self, rule: &str, place: Place, file: &SourceFile, absence: bool) -> Option<Suppressed> {
        let comments = self.by_file.get(&place.file)?;
        let line = file.line_column(place.span.start).line;
        let at = *comments.iter().find(|at| {
            let comment = &self.comments[**at];
            let near = line == comment.lines.0 || line == comment.lines.1;
            (near || absence) && comment.rules.iter().any(|allowed| allowed == rule)
        })?;
        self.used_comments.borrow_mut().insert((at, rule.to_string()));
        Some(Suppressed { by: "comment", reason: self.comments[at].reason.clone() })
    }

    fn by_settings(&self, rule: &str, path: &str) -> Option<Suppressed> {
        let at = self.settings.allow.iter().position(|allow| {
            allow.rule == rule
                && allow.until.is_none_or(|until| until >= self.settings.today)
                && allow.path.as_ref().is_none_or(|glob| glob.is_match(path))
        })?;
        self.used_allows.borrow_mut().insert(at);
        Some(Suppressed { by: "configuration", reason: self.settings.allow[at].reason.clone() })
    }

    /// Notices of what allowed nothing. A rule that did not run says nothing about its directives.
    pub fn unused(&self, repository: &Repository, rules: &RuleSet, ran: &BTreeSet<&str>) -> Vec<Notice> {
        let mut notices = Vec::new();
        let used = self.used_comments.borrow();
        for (at, comment) in self.comments.iter().enumerate() {
            let file = repository.tree.file(comment.file);
            for rule in comment.rules.iter().filter(|rule| !used.contains(&(at, rule.to_string()))) {
                if rules.get(rule).is_none() {
                    notices.push(notice(file, comment.line, format!("`allow({rule})`: there is no such rule")));
                } else if ran.contains(rule.as_str()) {
                    let message = format!("`allow({rule})` allows nothing: no such finding here");
                    notices.push(notice(file, comment.line, message));
                }
            }
        }
        let used = self.used_allows.borrow();
        for (at, allow) in self.settings.allow.iter().enumerate().filter(|(at, _)| !used.contains(at)) {
            let over = allow.until.is_some_and(|until| until < self.settings.today);
            let message = match (over, ran.contains(allow.rule.as_str())) {
                (true, _) => format!("[[allow]] {}: its day is over, it counts no more", self.settings.allow[at].rule),
                (false, true) => format!("[[allow]] {} allows nothing: no such finding", allow.rule),
                (false, false) => continue,
            };
            notices.push(Notice { path: "prodcheck.toml".into(), line: Some(allow.line), message, fatal: false });
        }
        notices
    }
}

fn notice(file: &SourceFile, line: u32, message: impl Into<String>) -> Notice {
    Notice { path: file.path.clone(), line: Some(line), message: message.into(), fatal: false }
}

/// Whether nothing but a comment stands on a line.
fn is_alone(file: &SourceFile, line: u32) -> bool {
    file.slice(file.line_span(line)).trim_start().starts_with(['#', '/', '-', '<', '*', ';', '{'])
}

/// Last line of the comments that follow one another without a line of anything else.
fn last_line_of_block(file: &SourceFile, from: &[(u32, u32, &str)]) -> u32 {
    let mut last = from.first().map_or(0, |(_, last, _)| *last);
    for (first, end, _) in &from[1.min(from.len())..] {
        if *first != last + 1 || !is_alone(file, *first) {
            break;
        }
        last = *end;
    }
    last
}

/// The rules and the reason of a directive; `None` where a comment is none.
fn directive(text: &str) -> Result<Option<(Vec<String>, String)>, String> {
    let Some(found) = DIRECTIVE.as_ref().and_then(|regex| regex.captures(text)) else { return Ok(None) };
    let rules: Vec<String> = found
        .get(2)
        .map_or("", |list| list.as_str())
        .split(',')
        .map(|rule| rule.trim().to_string())
        .filter(|rule| !rule.is_empty())
        .collect();
    let reason = found.get(3).map_or("", |reason| reason.as_str()).trim();
    match found.get(1).map(|verb| verb.as_str()) {
        Some("allow") if !rules.is_empty() && !reason.is_empty() => Ok(Some((rules, reason.to_string()))),
        Some("allow") if !rules.is_empty() => {
            Err("this comment allows nothing: it gives no reason, write `prodcheck: allow(rule-id) reason=\"why\"`"
                .into())
        }
        _ => Err("not understood: write `prodcheck: allow(rule-id) reason=\"why\"`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_from_comments_only_as_they_are_written() {
        let allowed = |rules: &[&str], reason: &str| {
            Ok(Some((rules.iter().map(ToString::to_string).collect(), reason.to_string())))
        };
        assert_eq!(directive(r#" prodcheck: allow(a-b) reason="one pod""#), allowed(&["a-b"], "one pod"));
        assert_eq!(directive(r#" prodcheck:allow(a, b) reason = "x" "#), allowed(&["a", "b"], "x"));
        assert_eq!(directive("# a word about prodcheck: it is a linter"), Ok(None));
        assert_eq!(directive(" nothing"), Ok(None));
        assert!(directive(" prodcheck: allow(a)").is_err());
        assert!(directive(r#" prodcheck: allow() reason="x""#).is_err());
        assert!(directive(r#" prodcheck: ignore(a) reason="x""#).is_err());
        assert!(directive(r#" prodcheck: allow(a) reason=" ""#).is_err());
    }
}

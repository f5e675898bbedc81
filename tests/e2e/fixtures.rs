//! Every rule against its fixtures: `fixtures/<rule-id>/{bad*,good*}`.
//!
//! A fixture is copied to a temporary folder, `{{secret:KIND}}` is expanded, a git index is made of all files but
//! those that `untracked.txt` names, and the rule runs alone. A file `dot.NAME` becomes `.NAME`, so that git does not
//! take a fixture's .gitignore for our own. Findings are expected where a line carries `//~ rule-id`, `#~`, `--~` or
//! `<!--~ rule-id-->`, or where `expected.toml` has `[[finding]]` with `path` and `line`.
//!
//! A fixture with folders `commit-1`, `commit-2`, ... has a history: each holds the whole tree of one commit, the rest
//! of the fixture is what stands there now, and the history is searched.
//!
//! `FIXTURE=rule-id cargo test fixtures` runs those of one rule, and `FIXTURE=rule-id/bad` one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use prodcheck::check::asks;
use prodcheck::check::checklist::Checklist;
use prodcheck::check::embedded::RULES;
use prodcheck::check::outcome::{Finding, Outcome};
use prodcheck::check::rules::{Clause, Rule, RuleSet, When};
use prodcheck::check::settings::Settings;
use prodcheck::cli::pipeline::{self, Read};
use prodcheck::facts::{Confidence, FactKind};
use prodcheck::link::catalog::Catalog;
use prodcheck::link::demand::Demand;
use prodcheck::scan::ScanOptions;
use rayon::prelude::*;
use regex::Regex;

use super::samples;
use super::support::{commit, git};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// A place that a finding is expected at.
type Lines = BTreeSet<(String, u32)>;

#[test]
fn fixtures() {
    let wanted = std::env::var("FIXTURE").ok();
    let all = fixtures_below(Path::new(ROOT));
    let chosen: Vec<&String> =
        all.iter().filter(|name| wanted.as_ref().is_none_or(|wanted| is_of(name, wanted))).collect();
    assert!(!chosen.is_empty(), "no fixture is called {wanted:?}");
    let rules = RuleSet::load(RULES).unwrap();
    let bench = Bench { checklist: Checklist::load(RULES).unwrap(), catalog: catalog(), rules };
    let failures: Vec<String> =
        pipeline::on_deep_stack(|| chosen.par_iter().filter_map(|name| bench.run(name)).collect()).unwrap();
    assert!(failures.is_empty(), "{} of {} fixtures fail\n\n{}", failures.len(), chosen.len(), failures.join("\n\n"));
}

#[test]
fn every_rule_has_a_bad_and_a_good_fixture_and_every_fixture_a_rule() {
    let names = fixtures_below(Path::new(ROOT));
    let rules = RuleSet::load(RULES).unwrap();
    let mut wrong = Vec::new();
    for rule in rules.rules() {
        for kind in ["bad", "good"] {
            if !names.iter().any(|name| name.starts_with(&format!("{}/{kind}", rule.id))) {
                wrong.push(format!("{} has no {kind} fixture", rule.id));
            }
        }
    }
    let folders: BTreeSet<&str> = names.iter().map(|name| name.split('/').next().unwrap()).collect();
    wrong.extend(folders.iter().filter(|id| rules.get(id).is_none()).map(|id| format!("{id} is no rule")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_of(name: &str, wanted: &str) -> bool {
    name == wanted || name.starts_with(&format!("{wanted}/"))
}

fn catalog() -> Catalog {
    Catalog::load(&Catalog::files(RULES)).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// `rule-id/bad_something` of all fixtures, sorted.
fn fixtures_below(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for rule in folders(root) {
        for fixture in folders(&root.join(&rule)) {
            assert!(
                fixture.starts_with("bad") || fixture.starts_with("good"),
                "{rule}/{fixture}: neither bad nor good"
            );
            names.push(format!("{rule}/{fixture}"));
        }
    }
    names.sort();
    names
}

fn folders(of: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(of) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_dir());
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

struct Bench {
    rules: RuleSet,
    checklist: Checklist,
    catalog: Catalog,
}

impl Bench {
    /// Runs one fixture; what is wrong, where something is.
    fn run(&self, name: &str) -> Option<String> {
        let id = name.split('/').next().unwrap();
        let Some(rule) = self.rules.get(id) else { return Some(format!("{name}: there is no rule {id}")) };
        let folder = tempfile::tempdir().unwrap();
        let LaidOut { expected, has_history } = lay_out(&Path::new(ROOT).join(name), folder.path(), id);
        if expected.is_empty() == name.contains("/bad") {
            return Some(format!("{name}: {} findings are marked", expected.len()));
        }
        let options = ScanOptions { history: has_history.then(String::new), ..ScanOptions::default() };
        let alone = self.rules.only(id);
        let settings = Settings { today: jiff::civil::date(2026, 1, 1), ..Settings::default() };
        let judged = |demand: &Demand| {
            let read = pipeline::read(folder.path(), &options, &self.catalog, demand, |_| ()).unwrap();
            let outcome = prodcheck::check::check(&read.repository, &read.linked, &alone, &self.checklist, &settings);
            (read, outcome)
        };
        let (read, outcome) = judged(&Demand::everything());
        let mut wrong = differences(&expected, &outcome, &read);
        let asked = Demand::of(asks::kinds(&alone, &self.checklist, &settings));
        wrong.extend(changes(rule, &outcome, &judged(&asked).1));
        if wrong.is_empty() && read.notices.iter().all(|notice| !notice.fatal) {
            return None;
        }
        Some(explained(name, &wrong, &kinds_of(rule), &outcome, &read))
    }
}

/// What a run that reads and links only what the rule asks for says otherwise.
fn changes(rule: &Rule, whole: &Outcome, asked: &Outcome) -> Vec<String> {
    let says = |outcome: &Outcome| {
        let rows = outcome.checklist.iter().filter(|row| row.item == rule.item);
        let services = outcome.services.iter().map(|found| (&found.service, &found.routes));
        [
            format!("{:?}", outcome.findings),
            format!("{:?}", rows.collect::<Vec<_>>()),
            format!("{:?}", services.collect::<Vec<_>>()),
        ]
    };
    let pairs = says(whole).into_iter().zip(says(asked));
    let changed = pairs.filter(|(whole, asked)| whole != asked);
    changed.map(|(whole, asked)| format!("  of everything {whole}\n  of the rule's facts alone {asked}")).collect()
}

/// Lines where a finding is missing or not expected. An unsure finding is allowed where it is marked and not missed
/// nor minded elsewhere, because only `--pedantic` shows it.
fn differences(expected: &Lines, outcome: &Outcome, read: &Read) -> Vec<String> {
    let place = |finding: &Finding| read.repository.tree.at(finding.place);
    let open: Vec<&Finding> = outcome.findings.iter().filter(|finding| finding.suppressed.is_none()).collect();
    let all: Lines = open.iter().map(|finding| place(finding)).collect();
    let mut wrong: Vec<String> =
        expected.difference(&all).map(|(path, line)| format!("  missing     {path}:{line}")).collect();
    for finding in open.iter().filter(|finding| finding.confidence > Confidence::Low) {
        let (path, line) = place(finding);
        if !expected.contains(&(path.clone(), line)) {
            wrong.push(format!("  unexpected  {path}:{line}  {}", finding.message));
        }
    }
    wrong
}

fn explained(name: &str, wrong: &[String], kinds: &[FactKind], outcome: &Outcome, read: &Read) -> String {
    let mut text = format!("{name}\n{}\n", wrong.join("\n"));
    let services: Vec<&str> = read.linked.facts.services.iter().map(|service| service.name.as_str()).collect();
    writeln!(text, "  services    {}", services.join(", ")).unwrap();
    for notice in read.notices.iter().chain(&outcome.notices) {
        writeln!(text, "  notice      {notice}").unwrap();
    }
    for row in outcome.checklist.iter().filter(|row| !row.parts.is_empty()) {
        writeln!(text, "  verdict     {} {:?}: {}", row.item, row.status, row.reason).unwrap();
    }
    for kind in kinds {
        for (_, fact) in read.linked.facts.of(*kind).take(20) {
            let (path, line) = read.repository.tree.at(fact.place);
            writeln!(text, "  fact        {path}:{line} {:?} {:?} {:?}", fact.data, fact.role, fact.services).unwrap();
        }
    }
    text
}

/// Kinds of facts that a rule asks for.
fn kinds_of(rule: &prodcheck::check::rules::Rule) -> Vec<FactKind> {
    let mut kinds: Vec<FactKind> = match &rule.clause {
        Clause::Forbid { matches, evidence } => matches.iter().chain(evidence).map(|select| select.kind).collect(),
        Clause::Each { of, .. } => vec![of.kind],
        Clause::Require { any, .. } => any.iter().map(|select| select.kind).collect(),
    };
    let mut conditions: Vec<&When> = rule.when.iter().collect();
    while let Some(when) = conditions.pop() {
        match when {
            When::All(list) | When::Any(list) => conditions.extend(list),
            When::Not(inner) => conditions.push(inner),
            When::Fact(select) => kinds.push(select.kind),
        }
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

/// A fixture as it was laid out.
struct LaidOut {
    /// Lines that findings are expected at.
    expected: Lines,
    /// It has commits.
    has_history: bool,
}

/// Copies a fixture, with its commits first.
fn lay_out(from: &Path, to: &Path, id: &str) -> LaidOut {
    let mut expected = Lines::new();
    let mut untracked = BTreeSet::new();
    // What stands there now has no number.
    let mut trees: BTreeMap<Option<u32>, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for path in files_below(from) {
        let below = path.strip_prefix(from).unwrap().to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(&path).unwrap();
        match below.as_str() {
            "untracked.txt" => untracked.extend(String::from_utf8(bytes).unwrap().lines().map(str::to_string)),
            "expected.toml" => expected.extend(listed(&String::from_utf8(bytes).unwrap())),
            _ => {
                let (commit, below) = commit_of(&below);
                let below = below.replace("/dot.", "/.");
                let below = below.strip_prefix("dot.").map_or(below.clone(), |rest| format!(".{rest}"));
                let bytes = String::from_utf8(bytes).map_or_else(
                    |error| error.into_bytes(),
                    |text| {
                        let text = samples::expand(&text);
                        expected.extend(marked(&text, id).into_iter().map(|line| (below.clone(), line)));
                        text.into_bytes()
                    },
                );
                trees.entry(commit).or_default().push((below, bytes));
            }
        }
    }
    git(to, &["init", "-q"]);
    let now = trees.remove(&None).unwrap_or_default();
    let has_history = !trees.is_empty();
    for files in trees.into_values() {
        put(to, &files, &BTreeSet::new());
        commit(to, "2026-01-01T12:00:00+0000");
        git(to, &["rm", "-r", "-q", "."]);
    }
    put(to, &now, &untracked);
    if has_history {
        commit(to, "2026-01-01T12:00:00+0000");
    }
    LaidOut { expected, has_history }
}

/// The number of the commit that a file of a fixture belongs to, and its path in the tree.
fn commit_of(path: &str) -> (Option<u32>, &str) {
    let in_commit = path.strip_prefix("commit-").and_then(|rest| rest.split_once('/'));
    in_commit.and_then(|(number, path)| Some((Some(number.parse().ok()?), path))).unwrap_or((None, path))
}

/// Writes files and puts those that are tracked into the index.
fn put(to: &Path, files: &[(String, Vec<u8>)], untracked: &BTreeSet<String>) {
    for (path, bytes) in files {
        super::support::write(to, path, bytes);
    }
    let tracked = files.iter().map(|(path, _)| path.as_str()).filter(|path| !untracked.contains(*path));
    git(to, &["add", "-f", "--"].into_iter().chain(tracked).collect::<Vec<_>>());
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

static MARKER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?://|#|--)~\s*([a-z0-9, -]+)").unwrap());

/// Lines that carry the marker of a rule.
fn marked(text: &str, id: &str) -> Vec<u32> {
    let is_ours = |line: &str| {
        let found = MARKER.captures_iter(line).map(|found| found[1].trim_end_matches("--").to_string());
        found.flat_map(|ids| ids.split([',', ' ']).map(str::to_string).collect::<Vec<_>>()).any(|word| word == id)
    };
    (1u32..).zip(text.lines()).filter(|(_, line)| is_ours(line)).map(|(number, _)| number).collect()
}

/// Findings of an expected.toml.
fn listed(text: &str) -> Vec<(String, u32)> {
    let table: toml::Table = text.parse().unwrap();
    let findings = table["finding"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let line = finding["line"].as_integer().unwrap();
            (finding["path"].as_str().unwrap().to_string(), u32::try_from(line).unwrap())
        })
        .collect()
}

#[test]
fn markers_are_read_in_every_kind_of_comment() {
    let text = "a //~ x-y\nb #~ other, x-y\nc --~ x-y\n<!--~ x-y-->\n<!--~ x-y -->\n# x-y\n#~ x-y-z\n";
    assert_eq!(marked(text, "x-y"), [1, 2, 3, 4, 5]);
}

//! Runs the stages in order, each behind a net: a stage that crashes ends the run with what there is so far.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::rules::Basis;
use crate::check::outcome::Outcome;
use crate::check::settings::Settings;
use crate::link::catalog::Catalog;
use crate::link::demand::{Demand, Plan};
use crate::link::needed;
use crate::link::secrets::past::Secrets;
use crate::link::{Linked, Repository};
use crate::parse::Parsed;
use crate::scan::history::{History, Past};
use crate::scan::source::{Kind, Notice, SourceFile, Tree};
use crate::scan::{ScanError, ScanOptions};
use crate::{check, link, parse, scan};

/// Parsers recurse as deep as the nesting of a file, which is bounded for this much stack.
const STACK: usize = 64 << 20;

/// A repository with what linking established.
#[derive(Debug, Default)]
pub struct Read {
    /// Files and syntax.
    pub repository: Repository,
    /// Services and facts.
    pub linked: Linked,
    /// What was not read or not understood, of all stages so far.
    pub notices: Vec<Notice>,
    /// Commits of the history that were walked.
    pub commits: usize,
    /// Versions of files that were searched in them.
    pub versions: usize,
}

/// What a run is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Files are found and read.
    Reading,
    /// Earlier versions of files are searched: so many of so many.
    History(usize, usize),
    /// Files are parsed.
    Parsing,
    /// What they say is tied together.
    Linking,
    /// Rules are asked.
    Checking,
}

/// Runs something on a thread with a deep stack, in a pool of such threads for what it does in parallel.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().map_err(io::Error::other)?;
    Ok(pool.install(work))
}

/// Scans, parses and links what a demand takes; `stage` hears of each stage.
///
/// # Errors
/// When the root cannot be scanned, or its history not as it was asked for.
pub fn read(
    root: &Path,
    options: &ScanOptions,
    catalog: &Catalog,
    demand: &Demand,
    stage: impl Fn(Stage) + Sync,
) -> Result<Read, ScanError> {
    stage(Stage::Reading);
    let mut notices = Vec::new();
    let history = history(root, options, &mut notices)?;
    let mut tree = netted("scanning", &mut notices, || scan::scan(root, options).map(Some))
        .unwrap_or(Ok(None))?
        .unwrap_or_default();
    notices.append(&mut tree.notices);
    let past = history.map_or_else(Past::default, |history| {
        let heard = |done, all| stage(Stage::History(done, all));
        heard(0, 0);
        let search = || history.search(&tree, options, &Secrets, &heard);
        netted("searching the history", &mut notices, search).unwrap_or_default()
    });
    notices.extend(past.notices);
    tree.past = past.files;
    stage(Stage::Parsing);
    let everything = demand.is_everything();
    let wanted = |file: &SourceFile| everything || file.kind != Kind::Rust;
    let parsed = netted("parsing", &mut notices, || parse::parse_where(&tree, wanted));
    let (parsed, mut problems) = parsed.unwrap_or_else(|| (nothing_parsed(&tree), Vec::new()));
    notices.append(&mut problems);
    let mut repository = Repository { tree, parsed };
    let mut plan = Plan::everything();
    if !everything {
        let read = netted("parsing", &mut notices, || needed::read(&mut repository, catalog, demand));
        let (chosen, mut problems) = read.unwrap_or_else(|| (Plan::everything(), Vec::new()));
        notices.append(&mut problems);
        plan = chosen;
    }
    stage(Stage::Linking);
    let linked = netted("linking", &mut notices, || link::link_for(&repository, catalog, &plan));
    let mut linked = linked.unwrap_or_default();
    notices.append(&mut linked.notices);
    notices.sort();
    notices.dedup();
    Ok(Read { repository, linked, notices, commits: past.commits, versions: past.versions })
}

/// The history, where it is asked for; what is wrong with the question is said before anything is read.
fn history(root: &Path, options: &ScanOptions, notices: &mut Vec<Notice>) -> Result<Option<History>, ScanError> {
    let Some(range) = &options.history else { return Ok(None) };
    netted("opening the history", notices, || History::open(root, range)).transpose()
}

fn nothing_parsed(tree: &Tree) -> Vec<Parsed> {
    vec![Parsed::default(); tree.files.len()]
}

/// What a stage gives, or nothing and a notice that fails the run when it crashed.
fn netted<T>(stage: &str, notices: &mut Vec<Notice>, work: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(work));
    if result.is_err() {
        let message = format!("{stage} crashed, which is a defect of prodcheck: the report is not complete");
        notices.push(Notice { path: String::new(), line: None, message, fatal: true });
    }
    result.ok()
}

/// Checks what was read. The outcome has all notices and the counts of files.
pub fn check(read: &Read, basis: &Basis, settings: &Settings) -> Outcome {
    let mut notices = read.notices.clone();
    let outcome = netted("checking", &mut notices, || {
        check::check(&read.repository, &read.linked, &basis.rules, &basis.checklist, settings)
    });
    let mut outcome = outcome.unwrap_or_default();
    outcome.notices.append(&mut notices);
    outcome.notices.sort();
    outcome.notices.dedup();
    outcome.stats.files = read.repository.tree.files.len();
    outcome.stats.files_read = read.repository.tree.files.iter().filter(|file| is_read(file)).count();
    outcome.own_rules.clone_from(&basis.own_rules);
    outcome.stats.facts = read.linked.facts.all.len();
    outcome.stats.commits = read.commits;
    outcome.stats.versions = read.versions;
    outcome
}

/// Whether a reader other than Markdown's took the file.
fn is_read(file: &SourceFile) -> bool {
    let known = !matches!(file.kind, Kind::Markdown | Kind::Text | Kind::OtherCode | Kind::Binary);
    known && (file.size == 0 || !file.text.is_empty())
}

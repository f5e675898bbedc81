//! `prodcheck check`: the report, in one format or several, and the exit code.

use std::path::PathBuf;
use std::time::Instant;

use super::args::{CheckArgs, Format, FormatArg};
use super::pipeline::{self, Read};
use super::progress::Progress;
use super::rules::Basis;
use super::select::Selection;
use super::{Exit, Stop, output, rules, terminal};
use crate::check::asks;
use crate::check::outcome::Outcome;
use crate::check::settings::Settings;
use crate::facts::Confidence;
use crate::link::demand::Demand;
use crate::report::quote::Quoter;
use crate::report::sarif::SarifOptions;
use crate::report::{self, RuleDoc, Subject};
use crate::scan::{ScanError, ScanOptions};

/// Runs the command.
pub fn run(arguments: &CheckArgs) -> Result<Exit, Stop> {
    let started = Instant::now();
    let documents = documents(arguments)?;
    let basis = rules::basis(&arguments.path, &arguments.sources)?;
    let settings = Settings { today: today(arguments), ..basis.config.settings.clone() };
    let rules = documents_of(&basis, &settings);
    let items: Vec<String> = basis.checklist.items.iter().map(|item| item.id.clone()).collect();
    let selection = Selection::new(&arguments.only, &arguments.skip, &rules, &items)?;
    let settings = Settings { only: selection.rules(), ..settings };
    let options = ScanOptions {
        exclude: basis.config.exclude.clone(),
        history: arguments.history.range.clone(),
        ..ScanOptions::default()
    };
    let demand = demand(&basis, &settings);
    let progress = Progress::start();
    let run = pipeline::on_deep_stack(|| {
        let read = pipeline::read(&arguments.path, &options, &basis.catalog, &demand, |stage| progress.stage(stage))?;
        progress.stage(pipeline::Stage::Checking);
        let outcome = pipeline::check(&read, &basis, &settings);
        Ok((read, outcome))
    });
    progress.finish();
    let (read, mut outcome) = run?.map_err(cannot_scan)?;
    selection.apply(&mut outcome);
    let report = Report { arguments, basis: &basis, rules: &rules, read: &read, outcome: &outcome };
    report.write(&documents)?;
    let exit = exit(arguments, &outcome);
    say_end(&outcome, exit, started);
    // The process ends here: to give back each node of every tree by itself takes longer than some checks.
    std::mem::forget((read, outcome));
    Ok(exit)
}

fn today(arguments: &CheckArgs) -> jiff::civil::Date {
    arguments.today.unwrap_or_else(today_now)
}

/// The day by the clock.
pub fn today_now() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The facts that the chosen rules ask for; all where nothing is left out.
fn demand(basis: &Basis, settings: &Settings) -> Demand {
    match settings.only {
        Some(_) => Demand::of(asks::kinds(&basis.rules, &basis.checklist, settings)),
        None => Demand::everything(),
    }
}

/// What is to be written where; at most one document goes to standard output.
fn documents(arguments: &CheckArgs) -> Result<Vec<FormatArg>, Stop> {
    let mut documents = arguments.format.clone();
    if documents.is_empty() {
        documents.push(FormatArg::default());
    }
    let mut loose: Vec<&mut FormatArg> = documents.iter_mut().filter(|document| document.file.is_none()).collect();
    if loose.len() > 1 {
        return Err(Stop::usage(
            "two formats for standard output: give all but one of them a file, as in `--format sarif=report.sarif`",
        ));
    }
    match (loose.first_mut(), &arguments.output) {
        (Some(document), Some(file)) => document.file = Some(file.clone()),
        (None, Some(_)) => return Err(Stop::usage("--output has no report to write: every --format names a file")),
        _ => {}
    }
    let mut files: Vec<&PathBuf> = documents.iter().filter_map(|document| document.file.as_ref()).collect();
    files.sort_unstable();
    if files.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Stop::usage("two reports would be written to the same file"));
    }
    Ok(documents)
}

/// The rules as reports speak of them.
fn documents_of(basis: &Basis, settings: &Settings) -> Vec<RuleDoc> {
    let running = basis.rules.rules().iter().filter(|rule| !settings.rules.get(&rule.id).is_some_and(|set| set.off));
    running.map(|rule| RuleDoc::of(rule, settings.rules.get(&rule.id).and_then(|set| set.severity))).collect()
}

/// What reports are written from.
struct Report<'a> {
    arguments: &'a CheckArgs,
    basis: &'a Basis,
    rules: &'a [RuleDoc],
    read: &'a Read,
    outcome: &'a Outcome,
}

impl Report<'_> {
    fn write(&self, documents: &[FormatArg]) -> Result<(), Stop> {
        let tree = &self.read.repository.tree;
        let root = self.arguments.path.to_string_lossy();
        let subject = Subject {
            outcome: self.outcome,
            tree,
            quoter: &Quoter::new(tree, &self.read.linked.masks),
            rules: self.rules,
            sections: &self.basis.checklist.sections,
            root: &root,
            pedantic: self.arguments.pedantic,
        };
        for document in documents {
            let text = self.text(&subject, document);
            match &document.file {
                Some(file) => output::to_file(file, &text).map_err(|error| Stop::usage(error.to_string()))?,
                None => output::to_stdout(&text)?,
            }
        }
        Ok(())
    }

    fn text(&self, subject: &Subject<'_>, document: &FormatArg) -> String {
        match document.format {
            Format::Text => {
                report::text::report(subject, &terminal::look(&self.arguments.look, document.file.is_some()))
            }
            Format::Json => report::json::report(subject),
            Format::Sarif => {
                let include_suppressed = self.arguments.sarif_include_suppressed;
                report::sarif::report(subject, SarifOptions { include_suppressed })
            }
        }
    }
}

fn exit(arguments: &CheckArgs, outcome: &Outcome) -> Exit {
    if outcome.stats.files_read == 0 || outcome.notices.iter().any(|notice| notice.fatal) {
        return Exit::Incomplete;
    }
    let counts = |finding: &crate::check::outcome::Finding| {
        finding.suppressed.is_none()
            && finding.confidence > Confidence::Low
            && arguments.fail_on.is_reached_by(finding.severity)
    };
    if outcome.findings.iter().any(counts) { Exit::Findings } else { Exit::Clean }
}

fn say_end(outcome: &Outcome, exit: Exit, started: Instant) {
    if outcome.stats.files_read == 0 {
        output::say("prodcheck: nothing to scan: no file here that prodcheck reads");
    } else if exit == Exit::Incomplete {
        for notice in outcome.notices.iter().filter(|notice| notice.fatal) {
            output::say(&format!("prodcheck: {}", report::quote::escape(&notice.to_string())));
        }
    }
    let stats = outcome.stats;
    let history = match stats.commits {
        0 => String::new(),
        commits => format!(", {} versions of files in {commits} commits", stats.versions),
    };
    output::say(&format!("prodcheck: {} files{history} in {:.1} s", stats.files, started.elapsed().as_secs_f64()));
}

/// What follows from a root that cannot be scanned.
pub fn cannot_scan(error: ScanError) -> Stop {
    match error {
        ScanError::Missing(_) | ScanError::NotAFolder(_) | ScanError::History(_) => {
            Stop::usage(report::quote::escape(&error.to_string()))
        }
        ScanError::Unreadable(..) => Stop::incomplete(error.to_string()),
    }
}

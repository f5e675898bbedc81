//! `prodcheck check`: the report, in one format or several, and the exit code.

use std::path::PathBuf;
use std::time::Instant;

use super::args::{CheckArgs, Format, FormatArg};
use super::pipeline::{self, Read};
use super::progress::Progress;
use super::{Exit, Stop, output, rules, terminal};
use crate::check::outcome::Outcome;
use crate::check::settings::Settings;
use crate::facts::Confidence;
use crate::report::quote::Quoter;
use crate::report::{self, Subject};
use crate::scan::{ScanError, ScanOptions};

/// Runs the command.
pub fn run(arguments: &CheckArgs) -> Result<Exit, Stop> {
    let started = Instant::now();
    let documents = documents(arguments)?;
    let basis = rules::basis(&arguments.path, &arguments.sources)?;
    let settings = Settings { today: today(arguments), ..basis.config.settings.clone() };
    let options = ScanOptions { exclude: basis.config.exclude.clone(), ..ScanOptions::default() };
    let progress = Progress::start();
    let run = pipeline::on_deep_stack(|| {
        let read = pipeline::read(&arguments.path, &options, &basis.catalog, |stage| progress.stage(stage))?;
        progress.stage("checking");
        let outcome = pipeline::check(&read, &basis, &settings);
        Ok((read, outcome))
    });
    progress.finish();
    let (read, outcome) = run?.map_err(cannot_scan)?;
    write(arguments, &documents, &read, &outcome)?;
    let exit = exit(arguments, &outcome);
    say_end(&outcome, exit, started);
    Ok(exit)
}

fn today(arguments: &CheckArgs) -> jiff::civil::Date {
    arguments.today.unwrap_or_else(|| jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date())
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

fn write(arguments: &CheckArgs, documents: &[FormatArg], read: &Read, outcome: &Outcome) -> Result<(), Stop> {
    let tree = &read.repository.tree;
    let quoter = Quoter::new(tree, &[]);
    let root = arguments.path.to_string_lossy();
    let subject = Subject {
        outcome,
        tree,
        quoter: &quoter,
        rules: &[],
        sections: &[],
        root: &root,
        pedantic: arguments.pedantic,
    };
    let sarif = report::sarif::SarifOptions { include_suppressed: arguments.sarif_include_suppressed };
    for document in documents {
        let text = match document.format {
            Format::Text => report::text::report(&subject, &terminal::look(&arguments.look, document.file.is_some())),
            Format::Json => report::json::report(&subject),
            Format::Sarif => report::sarif::report(&subject, sarif),
        };
        match &document.file {
            Some(file) => output::to_file(file, &text).map_err(|error| Stop::usage(error.to_string()))?,
            None => output::to_stdout(&text)?,
        }
    }
    Ok(())
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
    output::say(&format!("prodcheck: {} files in {:.1} s", outcome.stats.files, started.elapsed().as_secs_f64()));
}

/// What follows from a root that cannot be scanned.
pub fn cannot_scan(error: ScanError) -> Stop {
    match error {
        ScanError::Missing(_) | ScanError::NotAFolder(_) => Stop::usage(error.to_string()),
        ScanError::Unreadable(..) => Stop::incomplete(error.to_string()),
    }
}

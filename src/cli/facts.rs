//! `prodcheck facts`: what was understood of a repository.

use super::args::{FactsArgs, ListFormat, Sources};
use super::pipeline::{self, Read};
use super::{Exit, Stop, output, rules};
use crate::config::nearest;
use crate::facts::vocabulary;
use crate::link::demand::Demand;
use crate::report::facts as report;
use crate::report::quote::{Quoter, escape};
use crate::scan::ScanOptions;
use std::path::Path;

/// Runs the command.
pub fn run(arguments: &FactsArgs) -> Result<Exit, Stop> {
    for kind in &arguments.kind {
        known_kind(kind)?;
    }
    let read = read(&arguments.path, &arguments.sources, arguments.history.range.clone())?;
    for notice in read.notices.iter().filter(|notice| notice.fatal) {
        output::say(&format!("prodcheck: {}", escape(&notice.to_string())));
    }
    let quoter = Quoter::new(&read.repository.tree, &read.linked.masks);
    let list = report::list(&read.linked.facts, &read.repository.tree, &quoter, &arguments.kind);
    output::to_stdout(&match arguments.format {
        ListFormat::Table => report::table(&list),
        ListFormat::Json => report::json(&list),
    })?;
    Ok(Exit::Clean)
}

/// A repository, read and linked, without a check.
pub fn read(path: &Path, sources: &Sources, history: Option<String>) -> Result<Read, Stop> {
    let basis = rules::basis(path, sources)?;
    let options = ScanOptions { exclude: basis.config.exclude.clone(), history, ..ScanOptions::default() };
    let read =
        pipeline::on_deep_stack(|| pipeline::read(path, &options, &basis.catalog, &Demand::everything(), |_| ()))?;
    read.map_err(super::check::cannot_scan)
}

fn known_kind(kind: &str) -> Result<(), Stop> {
    if vocabulary::schema(kind).is_some() {
        return Ok(());
    }
    let names = vocabulary::SCHEMA.iter().map(|schema| schema.name);
    let hint = nearest(kind, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Err(Stop::usage(format!("no kind of fact is called `{kind}`{hint}")))
}

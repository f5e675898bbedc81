//! `prodcheck routes`: the routes of each service.

use super::args::{ListFormat, RoutesArgs};
use super::{Exit, Stop, facts, output};
use crate::report::quote::Quoter;
use crate::report::routes as report;

/// Runs the command.
pub fn run(arguments: &RoutesArgs) -> Result<Exit, Stop> {
    let read = facts::read(&arguments.path, &arguments.sources, None)?;
    let quoter = Quoter::new(&read.repository.tree, &read.linked.masks);
    let list = report::list(&read.linked.facts, &read.repository.tree, &quoter);
    output::to_stdout(&match arguments.format {
        ListFormat::Table => report::table(&list),
        ListFormat::Json => report::json(&list),
    })?;
    Ok(Exit::Clean)
}

//! `prodcheck schema`: schemas of what the program reads and writes.

use super::args::{SchemaArgs, SchemaOf};
use super::{Exit, Stop, output};
use crate::{config, report};

/// Runs the command.
pub fn run(arguments: &SchemaArgs) -> Result<Exit, Stop> {
    output::to_stdout(&match arguments.of {
        SchemaOf::Report => report::json::schema(),
        SchemaOf::Config => report::encode::to_json(&config::schema()),
        SchemaOf::Rules => report::encode::to_json(&report::ruleschema::schema()),
        SchemaOf::Facts => report::facts::schema(),
    })?;
    Ok(Exit::Clean)
}

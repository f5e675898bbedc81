//! The command line: reads what the user said, runs the stages, writes documents and chooses the exit code.

pub mod args;
mod check;
mod explain;
mod facts;
mod output;
pub mod pipeline;
mod progress;
mod routes;
mod rules;
mod schema;
mod select;
mod terminal;
mod why;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Nothing at or above `--fail-on`.
    Clean,
    /// Findings.
    Findings,
    /// A usage or configuration error.
    Usage,
    /// Nothing to scan, or a run that could not finish.
    Incomplete,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
        })
    }
}

/// Why a command ends early: said on standard error.
#[derive(Debug)]
pub struct Stop {
    /// The exit code.
    pub exit: Exit,
    /// What to say.
    pub message: String,
}

impl Stop {
    /// A usage or configuration error.
    pub fn usage(message: impl Into<String>) -> Stop {
        Stop { exit: Exit::Usage, message: message.into() }
    }

    /// A run that could not finish.
    pub fn incomplete(message: impl Into<String>) -> Stop {
        Stop { exit: Exit::Incomplete, message: message.into() }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::incomplete(error.to_string())
    }
}

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // The notice of a crash is enough: a panic's own message could quote what the repository says.
    std::panic::set_hook(Box::new(|info| {
        let at = info.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        output::say(&format!("prodcheck: internal error at {at}"));
    }));
    match Cli::try_parse_from(arguments) {
        Ok(cli) => dispatch(cli).into(),
        Err(error) => said_by_clap(&error).into(),
    }
}

fn dispatch(cli: Cli) -> Exit {
    let result = match cli.command {
        None => check::run(&cli.check),
        Some(Command::Check(arguments)) => check::run(&arguments),
        Some(Command::Facts(arguments)) => facts::run(&arguments),
        Some(Command::Routes(arguments)) => routes::run(&arguments),
        Some(Command::Explain(arguments)) => explain::run(&arguments),
        Some(Command::List(arguments)) => explain::list(&arguments),
        Some(Command::Schema(arguments)) => schema::run(&arguments),
        Some(Command::Completions { shell }) => completions(shell),
    };
    result.unwrap_or_else(|stop| {
        output::say(&format!("prodcheck: {}", stop.message));
        stop.exit
    })
}

fn said_by_clap(error: &clap::Error) -> Exit {
    if error.print().is_err() || error.use_stderr() { Exit::Usage } else { Exit::Clean }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prodcheck", &mut script);
    output::to_stdout(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Clean)
}

//! What the user can say on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::check::outcome::Severity;

/// Tells a team whether its backend can go live: reads a repository and answers the go-live checklist with evidence.
#[derive(Parser, Debug)]
#[command(name = "prodcheck", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do; without one, `check`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The check, when no command is named.
    #[command(flatten)]
    pub check: CheckArgs,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 usage or configuration error; \
3 nothing to scan, or a run that could not finish. `prodcheck explain RULE` tells more about a finding.";

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check a repository (the default command).
    Check(CheckArgs),
    /// Print the facts that were understood of a repository.
    Facts(FactsArgs),
    /// Print the routes of each service, with their full paths.
    Routes(RoutesArgs),
    /// Explain a rule or an item of the checklist: why, what to do, how to allow it.
    Explain(ExplainArgs),
    /// List the checklist's items and the rules that judge them.
    List(ListArgs),
    /// Print a schema: of the JSON report, of prodcheck.toml, of rule files, of the facts that rules ask.
    Schema(SchemaArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// How output looks.
#[derive(Args, Clone, Debug, Default)]
pub struct Look {
    /// When to colour: on a terminal, always or never. NO_COLOR is respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorWhen,
    /// Draw with ASCII characters only.
    #[arg(long)]
    pub ascii: bool,
}

/// When to colour.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColorWhen {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where rules and settings come from.
#[derive(Args, Clone, Debug, Default)]
pub struct Sources {
    /// Read this file in place of prodcheck.toml at the root of PATH.
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Do not read prodcheck.toml.
    #[arg(long)]
    pub no_config: bool,
    /// Use the rules, catalog and checklist of this folder in place of the built-in ones (for authors of rules).
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// Whether and which commits are searched.
#[derive(Args, Clone, Debug, Default)]
pub struct HistoryArgs {
    /// Search the commits of the git history for secrets as well: of all branches and tags, or of a revision or range
    /// such as `main~50..main`.
    #[arg(
        long = "history",
        value_name = "RANGE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ""
    )]
    pub range: Option<String>,
}

/// Arguments of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// The repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Exit with 1 when there is a finding of this severity or above.
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// Show findings of low confidence as well.
    #[arg(long)]
    pub pedantic: bool,
    /// Only these rules, items or sections (repeatable, or separated by commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub only: Vec<String>,
    /// All but these rules, items or sections (repeatable, or separated by commas).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Format of the report: text, json or sarif; with `=FILE` into a file (repeatable).
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<FormatArg>,
    /// Write the report to this file, not to standard output.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Put suppressed findings into SARIF too, marked as such (code scanning shows them as open).
    #[arg(long)]
    pub sarif_include_suppressed: bool,
    /// Whether the history is searched.
    #[command(flatten)]
    pub history: HistoryArgs,
    /// Judge attestations as of this day, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", hide = true)]
    pub today: Option<jiff::civil::Date>,
    /// Where rules and settings come from.
    #[command(flatten)]
    pub sources: Sources,
    /// How output looks.
    #[command(flatten)]
    pub look: Look,
}

/// From which severity on a run fails.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FailOn {
    /// Errors.
    #[default]
    Error,
    /// Warnings and errors.
    Warning,
    /// Any finding.
    Note,
    /// No finding.
    Never,
}

impl FailOn {
    /// Whether a finding of this severity fails the run.
    pub fn is_reached_by(self, severity: Severity) -> bool {
        match self {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Note => true,
            FailOn::Never => false,
        }
    }
}

/// A format of the report.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// The stable contract for programs.
    Json,
    /// SARIF 2.1.0 for code review.
    Sarif,
}

/// `FORMAT` or `FORMAT=FILE`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FormatArg {
    /// The format.
    pub format: Format,
    /// The file; standard output or `--output` without one.
    pub file: Option<PathBuf>,
}

impl FromStr for FormatArg {
    type Err = String;

    fn from_str(text: &str) -> Result<FormatArg, String> {
        let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
        if file == Some("") {
            return Err("a file name is missing after `=`".to_string());
        }
        let format = Format::from_str(name, true).map_err(|_| "expected text, json or sarif".to_string())?;
        Ok(FormatArg { format, file: file.map(PathBuf::from) })
    }
}

/// Format of lists.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ListFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Arguments of `facts`.
#[derive(Args, Clone, Debug)]
pub struct FactsArgs {
    /// The repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Only facts of this kind (repeatable).
    #[arg(long, value_name = "KIND")]
    pub kind: Vec<String>,
    /// Whether the history is searched.
    #[command(flatten)]
    pub history: HistoryArgs,
    /// Table or JSON.
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
    /// Where rules and settings come from.
    #[command(flatten)]
    pub sources: Sources,
}

/// Arguments of `routes`.
#[derive(Args, Clone, Debug)]
pub struct RoutesArgs {
    /// The repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Table or JSON.
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
    /// Where rules and settings come from.
    #[command(flatten)]
    pub sources: Sources,
}

/// Arguments of `explain`.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// A rule (`missing-panic-handler`) or an item (`errors/global-handler`); without one, the list of both.
    pub name: Option<String>,
    /// Say why each value on this line was or was not reported as a secret, by the rule NAME or by any.
    #[arg(long, value_name = "PATH:LINE")]
    pub why: Option<String>,
    /// The repository that the path of --why lies in; the current folder without it.
    #[arg(long, value_name = "DIR", requires = "why")]
    pub root: Option<PathBuf>,
    /// Read this file in place of prodcheck.toml at the root of the repository.
    #[arg(long, value_name = "FILE", requires = "why")]
    pub config: Option<PathBuf>,
    /// Format of the answer to --why.
    #[arg(long, value_enum, default_value_t, requires = "why")]
    pub format: ListFormat,
    /// Use the rules of this folder in place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// How output looks.
    #[command(flatten)]
    pub look: Look,
}

/// Arguments of `list`.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// Table or JSON.
    #[arg(long, value_enum, default_value_t)]
    pub format: ListFormat,
    /// Use the rules of this folder in place of the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// How output looks.
    #[command(flatten)]
    pub look: Look,
}

/// Arguments of `schema`.
#[derive(Args, Clone, Debug)]
pub struct SchemaArgs {
    /// Of what.
    #[arg(value_enum)]
    pub of: SchemaOf,
}

/// What a schema can be printed of.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum SchemaOf {
    /// The JSON report.
    Report,
    /// prodcheck.toml.
    Config,
    /// Rule files.
    Rules,
    /// The facts that rules ask, with their attributes.
    Facts,
}

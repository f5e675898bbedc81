//! What a run found: the model that every report is written from.

use serde::Serialize;

use crate::facts::{Confidence, Related, Service, ServiceId};
use crate::scan::source::{Notice, Place};

/// How much a finding matters for the exit code.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Should be put right.
    Warning,
    /// Must be put right before going live.
    Error,
}

/// The answer to an item of the checklist.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The repository shows it.
    Pass,
    /// Something in the repository contradicts it.
    Violated,
    /// It applies and nothing shows it.
    Missing,
    /// It cannot be told from what was read.
    Unknown,
    /// It does not apply.
    Na,
    /// Only a person can tell.
    Manual,
    /// A person has told, in prodcheck.toml.
    Attested,
}

/// How a part of an item stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartStatus {
    /// There.
    Shown,
    /// There by a framework's default only.
    Default,
    /// Contradicted.
    Broken,
    /// Not there.
    Absent,
    /// Cannot be told.
    Unknown,
    /// Does not apply.
    Na,
}

/// One finding of one rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Rule id.
    pub rule: String,
    /// Item of the checklist.
    pub item: String,
    /// Part of the item that the rule decides; `None` for advice.
    pub part: Option<String>,
    /// Severity after configuration.
    pub severity: Severity,
    /// Lower of the rule's and of the facts' it rests on.
    pub confidence: Confidence,
    /// What is wrong here, one sentence.
    pub message: String,
    /// What goes wrong in production.
    pub why: String,
    /// What to do, for this service's framework.
    pub fix: String,
    /// Where.
    pub place: Place,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// How it is reached, first step first.
    pub flow: Vec<Related>,
    /// Services it was found for; empty for the repository.
    pub services: Vec<ServiceId>,
    /// Stable identity without line numbers; see DESIGN.md.
    pub fingerprint: String,
    /// Set when a comment or prodcheck.toml suppresses it.
    pub suppressed: Option<Suppressed>,
    /// It says that something is not there: `place` is an anchor, not the fault itself.
    pub absence: bool,
}

/// Why a finding is suppressed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Suppressed {
    /// `comment` or `configuration`.
    pub by: &'static str,
    /// The reason that was given.
    pub reason: String,
}

/// A part of an item in a checklist row.
#[derive(Clone, PartialEq, Debug)]
pub struct PartRow {
    /// Its name.
    pub part: String,
    /// How it stands.
    pub status: PartStatus,
    /// What shows it.
    pub evidence: Vec<Place>,
    /// Indices into [`Outcome::findings`].
    pub findings: Vec<usize>,
}

/// The answer to one item.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// `section/name`.
    pub item: String,
    /// Section id.
    pub section: String,
    /// Title for people.
    pub title: String,
    /// The verdict.
    pub status: Status,
    /// Why, in a few words.
    pub reason: String,
    /// Its parts.
    pub parts: Vec<PartRow>,
    /// At most five places that show it.
    pub evidence: Vec<Place>,
    /// How many places show it in all.
    pub evidence_count: usize,
    /// Indices into [`Outcome::findings`].
    pub findings: Vec<usize>,
    /// The attestation where there is one.
    pub attested: Option<Attestation>,
}

/// A manual item that a person vouches for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The item.
    pub item: String,
    /// Who.
    pub by: String,
    /// When, `YYYY-MM-DD`.
    pub on: jiff::civil::Date,
    /// Where the proof is.
    #[serde(default)]
    pub evidence: Option<String>,
    /// Until when it counts, `YYYY-MM-DD`.
    pub until: jiff::civil::Date,
}

/// A service with its checklist.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceOutcome {
    /// The service.
    pub service: Service,
    /// Its routes, sorted by path and method.
    pub routes: Vec<RouteRow>,
    /// All items in the checklist's order.
    pub checklist: Vec<Row>,
}

/// A route as reports list it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RouteRow {
    /// Full path pattern.
    pub path: String,
    /// GET, ..., ANY.
    pub method: String,
    /// Handler's name.
    pub handler: String,
    /// Where it is registered.
    pub place: Place,
    /// Kinds of layers that cover it.
    pub layers: Vec<String>,
    /// Behind authentication, where known.
    pub auth: Option<bool>,
}

/// One of the eleven ticks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// The article's words.
    pub tick: String,
    /// A word or two for the summary line.
    pub short: String,
    /// How it stands.
    pub status: TickStatus,
    /// Items under it.
    pub items: Vec<String>,
}

/// How a tick stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TickStatus {
    /// All items that apply pass or are attested.
    Done,
    /// At least one item is violated, missing, unknown or manual and not attested.
    Open,
    /// No item applies.
    Na,
}

/// Counts, never times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Stats {
    /// Files seen.
    pub files: usize,
    /// Files a reader other than Markdown's took.
    pub files_read: usize,
    /// Routes over all services.
    pub routes: usize,
    /// Facts.
    pub facts: usize,
    /// Rules that ran.
    pub rules: usize,
    /// Commits that were walked; 0 without `--history`.
    pub commits: usize,
    /// Earlier and present versions of files that were searched in them.
    pub versions: usize,
}

/// Everything a run found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// Services sorted by folder.
    pub services: Vec<ServiceOutcome>,
    /// The repository's checklist: the worst over its services.
    pub checklist: Vec<Row>,
    /// The gate; empty without a service.
    pub gate: Vec<Tick>,
    /// Findings, sorted by path, place and rule; suppressed and low-confidence ones included and marked.
    pub findings: Vec<Finding>,
    /// What was not read or understood.
    pub notices: Vec<Notice>,
    /// Counts.
    pub stats: Stats,
    /// Rule files of the team's own that were used.
    pub own_rules: Vec<String>,
}

//! Which subjects a document or a section of one is about.

use super::sections::{self, Section};
use crate::facts::Confidence;
use crate::facts::vocabulary::{Backup, Document, MigrationRollbackPlan, RestoreDrill, Rollback, SecretRotation};
use crate::link::{Context, Linked};
use crate::scan::source::{Role, SourceFile, Span};

/// Adds documents and sections by subject, and what documented procedures establish.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, markdown) in sections::documents(context) {
        let sections = sections::of(file, markdown);
        // Notes for coding assistants describe the code; they are no procedures for people on duty.
        let for_tools = FOR_TOOLS.contains(&file.name().to_ascii_lowercase().as_str());
        for subject in SUBJECTS.iter().filter(|subject| !for_tools || subject.name == "architecture") {
            if let Some((span, form, confidence)) = find(subject, file, &sections) {
                add(context, linked, file, span, (subject.name, form), confidence);
            }
        }
        for section in &sections {
            procedures(context, linked, file, section);
        }
        if let Some(section) = sections.iter().find(|section| invites_reports(section)) {
            add(context, linked, file, section.heading, ("security-contact", "section"), Confidence::Medium);
        }
        if let Some(span) = security_contact(file) {
            add(context, linked, file, span, ("security-contact", "file"), Confidence::High);
        }
    }
}

fn add(
    context: &Context<'_>,
    linked: &mut Linked,
    file: &SourceFile,
    span: Span,
    what: (&str, &str),
    confidence: Confidence,
) {
    let title = file.slice(span).trim_start_matches(['#', ' ']).lines().next().unwrap_or("").to_string();
    // A page that starts with settings of its site is called after its file.
    let title = if title.starts_with("---") { file.name().to_string() } else { title };
    let data = Document { subject: what.0.into(), title: title.into(), form: what.1.into() };
    linked.facts.add(context.fact_in_role(data, file.id, span, Role::Service).confidence(confidence));
}

const FOR_TOOLS: &[&str] = &["copilot-instructions.md", "agents.md", "claude.md", "gemini.md", "llms.txt"];

/// A subject by names of files, folders and headings.
struct Subject {
    name: &'static str,
    /// Stems of files that are about nothing else.
    files: &'static [&'static str],
    /// Folders whose documents are about nothing else.
    folders: &'static [&'static str],
    /// Headings: the title is this, or starts or ends with it.
    headings: &'static [&'static str],
    /// A section counts when this holds.
    enough: fn(&Section<'_>) -> bool,
}

const SUBJECTS: &[Subject] = &[
    Subject {
        name: "runbook",
        files: &[
            "runbook",
            "runbooks",
            "playbook",
            "troubleshooting",
            "operations",
            "operation",
            "ops",
            "operating",
            "operator-guide",
            "sre",
            "failure-modes",
            "day-2",
            "maintenance",
            "operation-notes",
            "operations-notes",
            "operational-notes",
            "ops-notes",
            "gotchas",
            "known-issues",
            "common-issues",
            "common-problems",
        ],
        folders: &["runbooks", "runbook", "playbooks", "operations", "ops-docs", "sre", "troubleshooting"],
        headings: &[
            "runbook",
            "runbooks",
            "playbook",
            "operations",
            "operational guide",
            "operations guide",
            "failure modes",
            "common issues",
            "common problems",
            "common production issues",
            "operational notes",
            "troubleshooting",
        ],
        enough: |section| section.says_how(),
    },
    Subject {
        name: "architecture",
        files: &[
            "architecture",
            "system-design",
            "design",
            "system_design",
            "architecture-overview",
            "arc42",
            "overview-of-the-architecture",
            "high-level-design",
            "hld",
        ],
        folders: &["architecture", "arc42", "c4"],
        headings: &[
            "architecture",
            "architecture overview",
            "system architecture",
            "high-level architecture",
            "high level architecture",
            "system design",
            "architectural overview",
            "design overview",
            "how it works",
            "components",
            "system overview",
            "technical design",
            "technical architecture",
            "project architecture",
            "software architecture",
            "solution architecture",
            "implementation details",
        ],
        enough: |section| section.words() >= 40 || section.diagram || section.image || section.steps() >= 3,
    },
    Subject {
        name: "incident",
        files: &[
            "incident",
            "incidents",
            "incident-response",
            "incident_response",
            "incident-management",
            "postmortem",
            "postmortem-template",
            "post-mortem",
        ],
        folders: &["incidents", "postmortems", "post-mortems", "incident-response"],
        headings: &[
            "incident response",
            "incident management",
            "incidents",
            "incident procedure",
            "incident process",
            "during an incident",
            "handling incidents",
            "in case of an incident",
            "disaster recovery",
        ],
        enough: |section| section.says_how(),
    },
    Subject {
        name: "on-call",
        files: &["oncall", "on-call", "on_call"],
        folders: &["oncall", "on-call"],
        headings: &["on-call", "on call", "oncall", "escalation", "paging", "escalation policy"],
        enough: |section| section.words() >= 20,
    },
    Subject {
        name: "deployment",
        files: &["deployment", "deploy", "deploying", "deployments", "production"],
        folders: &["deployment", "deploy"],
        headings: &[
            "deployment",
            "deploying",
            "deploy",
            "production deployment",
            "deploying to production",
            "how to deploy",
        ],
        enough: |section| section.says_how(),
    },
    Subject {
        name: "monitoring",
        files: &["monitoring", "observability", "metrics", "alerting", "alerts"],
        folders: &["monitoring", "observability"],
        headings: &["monitoring", "observability", "metrics", "alerting", "alerts"],
        enough: |section| section.says_how(),
    },
];

fn find(subject: &Subject, file: &SourceFile, sections: &[Section<'_>]) -> Option<(Span, &'static str, Confidence)> {
    let stem = file.name().rsplit_once('.').map_or(file.name(), |(stem, _)| stem).to_ascii_lowercase();
    let dashed = stem.replace('_', "-");
    let parent = file.folder().rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    let in_folder = subject.folders.contains(&parent.as_str()) && !matches!(stem.as_str(), "readme" | "index")
        || subject.folders.contains(&stem.as_str());
    // A page says in its own title that it is a runbook.
    let runbook = |title: &str| title.split(|c: char| !c.is_alphanumeric()).any(|word| word == "runbook");
    let titled = subject.name == "runbook" && sections.first().is_some_and(|section| runbook(&section.title));
    let by_name = subject.files.iter().any(|name| *name == stem || *name == dashed) || in_folder || titled;
    let substantial = file.text.split_whitespace().count() >= 40;
    // Products have features called operations: such pages are procedures only when they speak of what goes wrong.
    let broad = |word: &str| matches!(word, "operations" | "operation" | "ops" | "operating" | "maintenance");
    let feature = subject.name == "runbook" && !titled && (broad(&stem) || broad(&parent)) && !about_faults(&file.text);
    if by_name && substantial && !feature {
        return Some((file.line_span(1), "file", Confidence::High));
    }
    let told = |section: &&Section<'_>| {
        let of_feature = subject.name == "runbook"
            && section.title.split_whitespace().next_back().is_some_and(broad)
            && section.title.contains(' ')
            && !about_faults(section.body);
        let named = heading_is(subject, &section.title) && !of_feature && !is_of_feature(&section.title, &stem, file);
        (named || breaks(subject, section)) && (subject.enough)(section)
    };
    let section = sections.iter().find(told)?;
    let of_developers = DEVELOPERS.contains(&dashed.as_str());
    if subject.name == "runbook"
        && section.title.contains("troubleshoot")
        && of_developers
        && !about_production(section)
    {
        // Troubleshooting there is mostly about setting up a developer's machine.
        return None;
    }
    let form = if section.diagram || section.image { "diagram" } else { "section" };
    Some((section.heading, form, Confidence::Medium))
}

/// Documents for those who build, install and measure the program.
const DEVELOPERS: &[&str] = &[
    "readme",
    "contributing",
    "development",
    "developing",
    "developer-guide",
    "dev",
    "hacking",
    "building",
    "build",
    "install",
    "installation",
    "installing",
    "setup",
    "getting-started",
    "quickstart",
    "tutorial",
    "testing",
    "tests",
    "benchmarks",
    "benchmarking",
    "profiling",
    "load-testing",
    "debugging",
    "local-development",
];

/// "What to do if production breaks?": a runbook, and an incident procedure where it says when there is an incident.
fn breaks(subject: &Subject, section: &Section<'_>) -> bool {
    let asks = ["what to do if", "what to do when", "what to do in case"].iter().any(|ask| section.title.contains(ask));
    let broken = ["production", "prod ", "outage", "incident", "is down", "goes down", "service", "server", "deploy"];
    let breaks = asks && broken.iter().any(|word| section.title.contains(word));
    match subject.name {
        "runbook" => breaks,
        "incident" => breaks && section.body.to_lowercase().contains("incident"),
        _ => false,
    }
}

/// Whether a text speaks of faults and what to do then, in at least two ways.
fn about_faults(text: &str) -> bool {
    const FAULTS: &[&str] = &[
        "troubleshoot",
        "restart",
        "outage",
        "incident",
        "failure",
        "failing",
        "recover",
        "restore",
        "rollback",
        "roll back",
        "alert",
        "unhealthy",
        "on-call",
        "journalctl",
        "kubectl",
        "out of memory",
        "disk full",
        "stuck",
        "crash",
    ];
    let text = text.to_lowercase();
    FAULTS.iter().filter(|word| text.contains(**word)).count() >= 2
}

/// "How it works" in the guide to one feature describes that feature; at the head of a project it describes the system.
fn is_of_feature(title: &str, stem: &str, file: &SourceFile) -> bool {
    const HEADS: &[&str] = &[
        "readme",
        "index",
        "overview",
        "introduction",
        "intro",
        "about",
        "concepts",
        "internals",
        "design",
        "agents",
        "architecture",
        "contributing",
        "development",
        "hacking",
        "how-it-works",
        "topologies",
        "topology",
    ];
    const TOOLS: &[&str] = &["contrib", "scripts", "script", "tools", "dev", "local", "hack", "ci", "docker", "deploy"];
    let loose = title.contains("how it works") || title.trim() == "components";
    let of_tools = file.folder().split('/').any(|folder| TOOLS.contains(&folder));
    loose && (of_tools || !HEADS.contains(&stem))
}

fn about_production(section: &Section<'_>) -> bool {
    let body = section.body.to_lowercase();
    [
        "production",
        "pod",
        "kubectl",
        "restart the service",
        "replica",
        "outage",
        "latency",
        "journalctl",
        "docker logs",
        "systemctl",
    ]
    .iter()
    .any(|word| body.contains(word))
}

fn heading_is(subject: &Subject, title: &str) -> bool {
    let title = title.trim_matches(|c: char| !c.is_alphanumeric());
    let bare = title.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ' | ')'));
    subject.headings.iter().any(|heading| {
        bare == *heading
            || bare
                .strip_suffix(heading)
                .is_some_and(|rest| rest.ends_with(' ') && rest.split_whitespace().count() <= 2)
            || bare
                .strip_prefix(heading)
                .is_some_and(|rest| rest.starts_with([' ', ':']) && rest.split_whitespace().count() <= 2)
    })
}

/// Facts that a documented procedure establishes: the heading names the operation, the text says how.
fn procedures(context: &Context<'_>, linked: &mut Linked, file: &SourceFile, section: &Section<'_>) {
    let title = section.title.as_str();
    let body = section.body.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| body.contains(word));
    let titled = |words: &[&str]| words.iter().any(|word| title.contains(word));
    let mut put = |data: crate::facts::Data, subject: &str| {
        add(context, linked, file, section.heading, (subject, "section"), Confidence::Medium);
        linked
            .facts
            .add(context.fact_in_role(data, file.id, section.heading, Role::Service).confidence(Confidence::Medium));
    };
    // The copy of a script or a settings file is no backup of data.
    let of_data = [
        "database",
        "data",
        "dump",
        "postgres",
        "mysql",
        "mariadb",
        "sqlite",
        "volume",
        "wal",
        "db",
        "mysqldump",
        "mongodump",
        "restic",
        "borg",
    ];
    let backups = titled(&["backup", "back up", "backing up"]) && of_data.iter().any(|word| spoken(&body, word));
    if backups
        && (has(BACKUP_TOOLS)
            || has(&["nightly", "daily", "hourly", "every day", "every night", "automated", "scheduled"])
                && section.words() >= 20)
    {
        let point_in_time = Some(true).filter(|_| has(POINT_IN_TIME));
        put(
            Backup { how: "document".into(), point_in_time: point_in_time.into(), ..Backup::default() }.into(),
            "backup",
        );
    } else if titled(&["point-in-time", "point in time", "pitr", "wal archiving"]) && section.says_how() {
        put(Backup { how: "document".into(), point_in_time: true.into(), ..Backup::default() }.into(), "point-in-time");
    }
    if titled(&["restor", "recover"])
        && has(&[
            "drill",
            "test restore",
            "restore test",
            "rehears",
            "verify the restore",
            "tested restore",
            "practice",
        ])
        && section.says_how()
    {
        put(RestoreDrill { how: "document".into() }.into(), "restore");
    }
    let rolls_back = titled(&[
        "rollback",
        "roll back",
        "rolling back",
        "revert a deploy",
        "reverting a deploy",
        "revert the deploy",
        "reverting a release",
    ]);
    let migrations = titled(&["migration", "schema", "database"]) || file.path.contains("migrations/");
    if rolls_back && section.says_how() && !migrations {
        if has(&["drill", "rehears", "game day", "gameday", "practise a rollback", "test the rollback"]) {
            put(Rollback { how: "drill".into() }.into(), "rollback");
        }
        put(Rollback { how: "document".into() }.into(), "rollback");
    } else if (rolls_back || titled(&["revert"])) && migrations && section.says_how() {
        put(MigrationRollbackPlan { how: "document".into() }.into(), "migration-rollback");
    }
    let rotates = titled(&["rotat"])
        && (titled(&["secret", "key", "credential", "password", "certificate", "token"]) || title.trim() == "rotation");
    if rotates && section.says_how() && !file.path.to_ascii_lowercase().contains("api") {
        put(SecretRotation { how: "document".into() }.into(), "rotation");
    }
}

/// Whether a lower-case text has a word, alone or in the plural.
fn spoken(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|it| it == word || it.strip_suffix('s') == Some(word))
        || text.contains(&format!("{word}_"))
}

const BACKUP_TOOLS: &[&str] = &[
    "pg_dump",
    "pg_basebackup",
    "mysqldump",
    "mongodump",
    "wal-g",
    "pgbackrest",
    "barman",
    "restic",
    "litestream",
    "velero",
    "sqlite3 ",
    "snapshot",
    "xtrabackup",
    "borg",
];

const POINT_IN_TIME: &[&str] =
    &["point-in-time", "point in time", "pitr", "wal archiv", "archive_mode", "wal-g", "pgbackrest"];

/// A section on security that says where to report a weakness.
fn invites_reports(section: &Section<'_>) -> bool {
    let titled = ["security", "vulnerabilit", "responsible disclosure"].iter().any(|word| section.title.contains(word));
    let body = section.body.to_lowercase();
    let reports = body.contains("vulnerabilit") && body.contains("report");
    titled
        && reports
        && !body.contains("use this section to tell people")
        && (body.contains('@') || body.contains("advisor"))
}

/// A security policy that tells where to report: not the template a forge fills in.
fn security_contact(file: &SourceFile) -> Option<Span> {
    let policy = matches!(file.name().to_ascii_lowercase().as_str(), "security.md" | "security.adoc" | "security.rst");
    let text = file.text.to_lowercase();
    if text.contains("use this section to tell people") {
        return None;
    }
    let reports = text.contains("report") || text.contains("vulnerabilit") || text.contains("disclos");
    let reachable = text.contains('@') || text.contains("http") || text.contains("advisor") || text.contains("contact");
    let place = text.find('@').filter(|at| text.is_char_boundary(*at));
    let line = place.map_or(1, |at| u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(1));
    if policy {
        return (reports && reachable).then(|| file.line_span(line));
    }
    None
}

//! A hand-made run for the tests of the reports.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::{Arc, OnceLock};

use super::quote::Quoter;
use super::{RuleDoc, Subject};
use crate::check::outcome::*;
use crate::facts::{Confidence, Related, Service, ServiceId};
use crate::scan::source::{FileId, Kind, Notice, Place, Role, SourceFile, Span, Tree};

/// A tree of these files, in this order.
pub fn tree(files: &[(&str, &str)]) -> Tree {
    let file = |(at, (path, text)): (usize, &(&str, &str))| SourceFile {
        id: FileId(u32::try_from(at).unwrap()),
        path: (*path).to_string(),
        kind: Kind::Text,
        role: Role::Service,
        role_because: String::new(),
        tracked: Some(true),
        ignored: false,
        size: text.len() as u64,
        text: Arc::from(*text),
        lines: OnceLock::new(),
    };
    Tree { files: files.iter().enumerate().map(file).collect(), git_prefix: Some(String::new()), ..Tree::default() }
}

/// Where a text first stands in a file.
pub fn place(tree: &Tree, path: &str, text: &str) -> Place {
    let file = tree.files.iter().find(|file| file.path == path).unwrap();
    let start = file.text.find(text).unwrap();
    Place { file: file.id, span: Span::new(start, start + text.len()) }
}

/// A finding with little in it.
pub fn finding(rule: &str, item: &str, place: Place, message: &str) -> Finding {
    Finding {
        rule: rule.to_string(),
        item: item.to_string(),
        part: None,
        severity: Severity::Error,
        confidence: Confidence::High,
        message: message.to_string(),
        why: "the pod never becomes ready".to_string(),
        fix: "probe `/health`".to_string(),
        place,
        related: Vec::new(),
        flow: Vec::new(),
        services: vec![ServiceId(0)],
        fingerprint: format!("{rule}-{}", place.span.start),
        suppressed: None,
        absence: false,
    }
}

/// A row without parts.
pub fn row(item: &str, status: Status, reason: &str) -> Row {
    Row {
        item: item.to_string(),
        section: item.split('/').next().unwrap().to_string(),
        title: item.split('/').next_back().unwrap().replace('-', " "),
        status,
        reason: reason.to_string(),
        parts: Vec::new(),
        evidence: Vec::new(),
        evidence_count: 0,
        findings: Vec::new(),
        attested: None,
    }
}

/// A run with one of everything.
pub struct Sample {
    /// The sources.
    pub tree: Tree,
    /// What was found.
    pub outcome: Outcome,
    /// Masks.
    pub quoter: Quoter,
    /// The rules that ran.
    pub rules: Vec<RuleDoc>,
    /// Sections with their titles.
    pub sections: Vec<(String, String)>,
    /// A secret that must appear in no report.
    pub secret: String,
}

impl Sample {
    /// The run as reports take it.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            outcome: &self.outcome,
            tree: &self.tree,
            quoter: &self.quoter,
            rules: &self.rules,
            sections: &self.sections,
            root: ".",
            pedantic: false,
        }
    }

    /// One service; a finding with a flow, one on a secret, an absence and a suppressed one; every status.
    pub fn full() -> Sample {
        let secret = ["Hx9", "kQ2", "vL7pW4zT", "8mN3"].concat();
        let tree = sources(&secret);
        let at = |path: &str, text: &str| place(&tree, path, text);
        let mask = at(".env", &secret);
        let findings = findings(&tree, &secret);
        let outcome = Outcome {
            services: vec![service(&tree)],
            checklist: rows(&tree),
            gate: gate(),
            findings,
            notices: vec![Notice {
                path: "big.sql".into(),
                line: None,
                message: "over the size limit".into(),
                fatal: false,
            }],
            stats: Stats { files: 4, files_read: 3, routes: 1, facts: 9, rules: 4, ..Stats::default() },
            own_rules: Vec::new(),
        };
        let quoter = Quoter::new(&tree, &[mask]);
        let rules = outcome.findings.iter().map(rule_of).collect();
        let sections = vec![("secrets".to_string(), "Secrets and configuration".to_string())];
        Sample { tree, outcome, quoter, rules, sections, secret }
    }
}

fn sources(secret: &str) -> Tree {
    tree(&[
        (".env", &format!("# local\nKEY={secret}\n")),
        ("deploy/api.yaml", "readinessProbe:\n  httpGet:\n    path: /api/health\n    port: 8080\n"),
        (
            "src/main.rs",
            "fn main() {\n    let app = Router::new().route(\"/health\", get(health));\n}\n\nasync fn health() {\n\tcheck().unwrap();\n}\n",
        ),
    ])
}

fn findings(tree: &Tree, secret: &str) -> Vec<Finding> {
    let at = |path: &str, text: &str| place(tree, path, text);
    let router = at("src/main.rs", "Router::new()");
    let note = |place, note: &str| Related { place, note: note.to_string() };
    vec![
        Finding {
            severity: Severity::Error,
            services: Vec::new(),
            ..finding(
                "hardcoded-secret",
                "secrets/no-hardcoded",
                at(".env", secret),
                &format!("`{secret}` is a key in the open"),
            )
        },
        Finding {
            related: vec![note(at("src/main.rs", "\"/health\""), "closest route: GET /health")],
            part: Some("path is served".into()),
            ..finding(
                "probe-path-not-served",
                "health/probes-wired",
                at("deploy/api.yaml", "/api/health"),
                "readiness probe calls `/api/health`, which no route serves",
            )
        },
        Finding {
            absence: true,
            severity: Severity::Warning,
            ..finding("missing-rate-limit", "security/rate-limiting", router, "nothing limits the rate of requests")
        },
        Finding {
            absence: true,
            severity: Severity::Note,
            suppressed: Some(Suppressed { by: "comment", reason: "the proxy does it".into() }),
            ..finding("missing-headers", "security/headers", router, "no security headers")
        },
        Finding {
            flow: vec![note(at("src/main.rs", "health))"), "GET /health"), note(at("src/main.rs", "check()"), "calls")],
            severity: Severity::Warning,
            confidence: Confidence::Medium,
            ..finding(
                "panic-in-request-path",
                "errors/no-crash-paths",
                at("src/main.rs", "unwrap()"),
                "`unwrap` on what `check` gives panics in a request",
            )
        },
    ]
}

fn rows(tree: &Tree) -> Vec<Row> {
    let date = |text: &str| text.parse().unwrap();
    let attested = Attestation {
        item: "database/restore-tested".into(),
        by: "the database team".into(),
        on: date("2026-03-01"),
        evidence: Some("docs/drill.md".into()),
        until: date("2026-09-01"),
    };
    let part =
        PartRow { part: "path is served".into(), status: PartStatus::Broken, evidence: Vec::new(), findings: vec![1] };
    vec![
        Row { findings: vec![0], ..row("secrets/no-hardcoded", Status::Violated, "1 secret") },
        row("logging/structured", Status::Unknown, "not judged yet"),
        Row { findings: vec![2], ..row("security/rate-limiting", Status::Missing, "nothing found") },
        row("security/csrf", Status::Na, "no cookies"),
        Row {
            evidence: vec![place(tree, "src/main.rs", "\"/health\"")],
            evidence_count: 1,
            ..row("health/liveness", Status::Pass, "GET /health")
        },
        Row { parts: vec![part], findings: vec![1], ..row("health/probes-wired", Status::Violated, "1 of 2 parts") },
        row("deployment/rollback-tested", Status::Manual, "needs a person"),
        Row { attested: Some(attested), ..row("database/restore-tested", Status::Attested, "by the database team") },
    ]
}

fn service(tree: &Tree) -> ServiceOutcome {
    let anchor = place(tree, "src/main.rs", "main()");
    ServiceOutcome {
        service: Service {
            name: "shop-api".into(),
            folder: ".".into(),
            crates: vec![".".into()],
            frameworks: vec!["axum 0.8".into()],
            databases: vec!["postgres:sqlx".into()],
            anchor,
        },
        routes: vec![RouteRow {
            path: "/health".into(),
            method: "GET".into(),
            handler: "health".into(),
            place: place(tree, "src/main.rs", "\"/health\""),
            layers: vec!["trace".into()],
            auth: Some(false),
        }],
        checklist: rows(tree),
    }
}

fn gate() -> Vec<Tick> {
    let tick = |tick: &str, short: &str, status, item: &str| Tick {
        tick: tick.into(),
        short: short.into(),
        status,
        items: vec![item.into()],
    };
    vec![
        tick("Health check endpoints implemented", "health checks", TickStatus::Done, "health/liveness"),
        tick("Rate limiting in place", "rate limiting", TickStatus::Open, "security/rate-limiting"),
        tick("HTTPS enforced", "https", TickStatus::Na, "security/https"),
    ]
}

fn rule_of(finding: &Finding) -> RuleDoc {
    RuleDoc {
        id: finding.rule.clone(),
        item: finding.item.clone(),
        part: finding.part.clone(),
        severity: finding.severity,
        confidence: finding.confidence,
        title: "what is wrong with `{name}`".into(),
        why: finding.why.clone(),
        fixes: vec![("default".into(), finding.fix.clone())],
        references: vec!["CWE-798".into(), "https://example.com/probes".into()],
    }
}

//! Rules, facts and settings to an outcome, through the whole check.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::checklist::Checklist;
use super::outcome::{Attestation, Outcome, PartStatus, Status, TickStatus};
use super::rules::RuleSet;
use super::settings::{Allow, RuleSetting, Settings};
use crate::facts::vocabulary::{Database, Handler, Pool, Query, RateLimit, RestoreDrill, Route, Router};
use crate::facts::{Attr, Confidence, Data, Fact, FactId, Service, ServiceId};
use crate::link::trial::repository;
use crate::link::{Linked, Repository};
use crate::scan::source::{FileId, Place, Role, Span};

const CHECKLIST: &str = r#"
section = [{ id = "database", title = "Database" }, { id = "security", title = "Security" }]
item = [
    { id = "database/pooling", title = "pools", when = [{ fact = "database", otherwise = "no database" }] },
    { id = "database/restore-tested", title = "restore", scope = "repository", silent = "manual" },
    { id = "security/sql-injection", title = "queries" },
    { id = "security/rate-limiting", title = "rate limits" },
]
tick = [
    { tick = "a", short = "pools", items = ["database/pooling"] },
    { tick = "b", short = "restore", items = ["database/restore-tested"] },
]
"#;

const SIZE: &str = r#"
id = "size"
item = "database/pooling"
part = "size"
severity = "warning"
title = "{library} pool has no size"
why = "w"
fix = "f"
each = { fact = "pool", has = { max_size = { exists = true } } }
"#;

const DRILL: &str = r#"
id = "drill"
item = "database/restore-tested"
part = "drill"
severity = "note"
title = "no drill in `{service}`"
why = "w"
fix = "f"
require = { any = [{ fact = "restore_drill" }], anchor = ["pool", "manifest"] }
"#;

const BUILT: &str = r#"
id = "built"
item = "security/sql-injection"
part = "built"
severity = "error"
title = "built {form} query"
shown = "{count} queries, all bound"
why = "w"
fix = "f"
forbid = [{ fact = "query", where = { dynamic = true } }]
evidence = [{ fact = "query" }]
"#;

const LIMITED: &str = r#"
id = "limited"
item = "security/rate-limiting"
part = "limited"
severity = "warning"
title = "`{service}` has no limit"
why = "w"
fixes = { axum = "a layer", default = "a limit" }
require = { any = [{ fact = "rate_limit" }] }
"#;

/// A case: services, facts and settings over a small tree.
struct Case {
    repository: Repository,
    linked: Linked,
    settings: Settings,
}

impl Case {
    fn new(services: &[&str], code: &str) -> Case {
        let repository = repository(&[("Cargo.toml", "[package]\nname = \"shop\"\n"), ("src/main.rs", code)]);
        let mut linked = Linked::default();
        linked.facts.services = services
            .iter()
            .map(|name| Service {
                name: (*name).to_string(),
                folder: format!("services/{name}"),
                crates: Vec::new(),
                frameworks: vec!["axum 0.8".to_string()],
                databases: Vec::new(),
                anchor: Place { file: FileId(1), span: Span::new(0, 1) },
            })
            .collect();
        Case { repository, linked, settings: Settings { today: jiff::civil::date(2026, 5, 1), ..Settings::default() } }
    }

    /// Adds a fact on a line of src/main.rs to services.
    fn fact(&mut self, line: u32, services: &[u16], data: impl Into<Data>) -> &mut Fact {
        let span = self.repository.tree.file(FileId(1)).line_span(line);
        let mut fact = Fact::new(data, Place { file: FileId(1), span }, Role::Service);
        fact.services = services.iter().map(|id| ServiceId(*id)).collect::<BTreeSet<_>>();
        self.linked.facts.add(fact);
        self.linked.facts.all.last_mut().unwrap()
    }

    fn check(&self, rules: &[&str]) -> Outcome {
        let named: Vec<(String, &str)> = rules
            .iter()
            .map(|text| {
                let of =
                    |key: &str| text.split(&format!("{key} = \"")).nth(1).unwrap().split(['"', '/']).next().unwrap();
                (format!("{}/{}.toml", of("item"), of("id")), *text)
            })
            .collect();
        let files: Vec<(&str, &str)> = named.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let rules = RuleSet::load(&files).unwrap();
        let checklist = Checklist::load(&[("checklist.toml", CHECKLIST)]).unwrap();
        super::check(&self.repository, &self.linked, &rules, &checklist, &self.settings)
    }
}

fn status<'o>(outcome: &'o Outcome, item: &str) -> (Status, &'o str) {
    let row = outcome.checklist.iter().find(|row| row.item == item).unwrap();
    (row.status, &row.reason)
}

fn pool(size: Attr<f64>) -> Pool {
    Pool { library: "sqlx".into(), max_size: size, ..Pool::default() }
}

fn query(dynamic: Attr<bool>) -> Query {
    Query { form: "literal".into(), dynamic, ..Query::default() }
}

#[test]
fn each_is_shown_broken_absent_unknown_or_does_not_apply() {
    let rows: &[(&[Attr<f64>], Status, PartStatus)] = &[
        (&[Attr::Known(5.0), Attr::Unknown], Status::Pass, PartStatus::Shown),
        (&[Attr::Known(5.0), Attr::Unset], Status::Violated, PartStatus::Broken),
        (&[Attr::Unset, Attr::Unset], Status::Missing, PartStatus::Absent),
        (&[], Status::Na, PartStatus::Na),
    ];
    for (sizes, expected, part) in rows {
        let mut case = Case::new(&["shop"], "a\nb\nc\n");
        case.fact(3, &[0], Database::default());
        for (line, size) in (1u32..).zip(sizes.iter()) {
            case.fact(line, &[0], pool(size.clone()));
        }
        let outcome = case.check(&[SIZE]);
        let row = &outcome.services[0].checklist[0];
        assert_eq!((row.status, row.parts[0].status), (*expected, *part), "{sizes:?}");
        assert_eq!(outcome.findings.len(), sizes.iter().filter(|size| !size.is_set()).count());
    }
}

#[test]
fn an_item_that_does_not_apply_says_why_and_runs_no_rule() {
    let mut case = Case::new(&["shop"], "a\n");
    case.fact(1, &[0], pool(Attr::Unset));
    let outcome = case.check(&[SIZE]);
    assert_eq!(status(&outcome, "database/pooling"), (Status::Na, "no database"));
    assert!(outcome.findings.is_empty());
}

#[test]
fn forbids_pass_on_what_they_looked_at() {
    let mut case = Case::new(&["shop"], "a\nb\nc\n");
    assert_eq!(status(&case.check(&[BUILT]), "security/sql-injection").0, Status::Na);
    case.fact(1, &[0], query(Attr::Known(false)));
    case.fact(2, &[0], query(Attr::Unset));
    assert_eq!(status(&case.check(&[BUILT]), "security/sql-injection"), (Status::Pass, "2 queries, all bound"));
    case.fact(3, &[0], query(Attr::Unknown));
    let outcome = case.check(&[BUILT]);
    assert_eq!(
        status(&outcome, "security/sql-injection"),
        (Status::Unknown, "the query at src/main.rs:3 cannot be resolved by reading")
    );
    assert!(outcome.findings.is_empty());
    case.fact(1, &[0], query(Attr::Known(true)));
    let outcome = case.check(&[BUILT]);
    assert_eq!(status(&outcome, "security/sql-injection"), (Status::Violated, "built literal query"));
    assert_eq!(outcome.findings[0].message, "built literal query");
}

const LOOKED_AT: &str = r#"
id = "looked-at"
item = "security/sql-injection"
part = "built"
severity = "error"
title = "built"
why = "w"
fix = "f"
forbid = [{ fact = "query", where = { dynamic = true } }]
evidence = [
    { fact = "query" },
    { fact = "route", shows = "handler" },
    { fact = "router" },
]
"#;

#[test]
fn evidence_comes_in_the_order_of_its_rule_and_a_link_is_shown_before_its_fact() {
    let mut case = Case::new(&["shop"], "a\nb\nc\nd\n");
    case.fact(1, &[0], Router::default());
    case.fact(3, &[0], Handler::default());
    let handler = FactId(u32::try_from(case.linked.facts.all.len() - 1).unwrap());
    case.fact(2, &[0], Route { handler: Attr::Known(vec![handler]), ..Route::default() });
    case.fact(4, &[0], query(Attr::Known(false)));
    let outcome = case.check(&[LOOKED_AT]);
    let line = |place: &Place| case.repository.tree.at(*place).1;
    for checklist in [&outcome.services[0].checklist, &outcome.checklist] {
        let row = checklist.iter().find(|row| row.item == "security/sql-injection").unwrap();
        assert_eq!(row.evidence.iter().map(line).collect::<Vec<_>>(), [4, 3, 2, 1]);
    }
}

#[test]
fn unsure_findings_are_there_and_decide_nothing() {
    let mut case = Case::new(&["shop"], "a\nb\n");
    case.fact(1, &[0], query(Attr::Known(false)));
    case.fact(2, &[0], query(Attr::Known(true))).confidence = Confidence::Low;
    let outcome = case.check(&[BUILT]);
    assert_eq!(status(&outcome, "security/sql-injection").0, Status::Pass);
    assert_eq!(outcome.findings[0].confidence, Confidence::Low);
}

#[test]
fn what_only_an_unsure_fact_shows_is_unknown() {
    let mut case = Case::new(&["shop"], "a\n");
    case.fact(1, &[0], RateLimit::default()).confidence = Confidence::Low;
    assert_eq!(status(&case.check(&[LIMITED]), "security/rate-limiting").0, Status::Unknown);
}

#[test]
fn services_share_findings_and_the_worst_makes_the_repositorys_row() {
    let mut case = Case::new(&["api", "web"], "a\nb\n");
    case.fact(1, &[0, 1], query(Attr::Known(true)));
    case.fact(2, &[1], RateLimit { library: "governor".into(), ..RateLimit::default() });
    let outcome = case.check(&[BUILT, LIMITED]);
    let built: Vec<_> = outcome.findings.iter().filter(|finding| finding.rule == "built").collect();
    assert_eq!(built.len(), 1);
    assert_eq!(built[0].services, [ServiceId(0), ServiceId(1)]);
    assert_eq!(status(&outcome, "security/rate-limiting"), (Status::Missing, "api: `api` has no limit"));
    assert_eq!(outcome.services[1].checklist[3].reason, "rate limit: governor");
    let limit = outcome.findings.iter().find(|finding| finding.rule == "limited").unwrap();
    assert_eq!((limit.absence, limit.fix.as_str()), (true, "a layer"));
}

#[test]
fn without_a_service_only_the_repository_is_judged() {
    let mut case = Case::new(&[], "a\n");
    case.fact(1, &[], query(Attr::Known(true)));
    let outcome = case.check(&[BUILT, DRILL]);
    assert_eq!(status(&outcome, "security/sql-injection").0, Status::Na);
    assert_eq!(status(&outcome, "database/restore-tested").0, Status::Manual);
    assert!(outcome.gate.is_empty() && outcome.services.is_empty());
    assert_eq!(outcome.findings.len(), 1);
    let file = case.repository.tree.file(outcome.findings[0].place.file);
    assert_eq!((file.path.as_str(), file.slice(outcome.findings[0].place.span)), ("Cargo.toml", "[package]"));
}

#[test]
fn a_person_vouches_until_a_day() {
    let mut case = Case::new(&["shop"], "a\n");
    let attestation = |item: &str, until: &str| Attestation {
        item: item.to_string(),
        by: "ops".to_string(),
        on: "2026-01-01".parse().unwrap(),
        evidence: None,
        until: until.parse().unwrap(),
    };
    case.settings.attest = vec![attestation("database/restore-tested", "2026-05-01")];
    let outcome = case.check(&[DRILL]);
    assert_eq!(status(&outcome, "database/restore-tested").0, Status::Attested);
    assert!(outcome.findings[0].suppressed.is_some());
    assert_eq!(outcome.gate[1].status, TickStatus::Done);
    case.settings.attest = vec![attestation("database/restore-tested", "2026-04-30")];
    let outcome = case.check(&[DRILL]);
    assert_eq!(status(&outcome, "database/restore-tested"), (Status::Manual, "ops vouched for it until 2026-04-30"));
    assert_eq!(outcome.gate[1].status, TickStatus::Open);
    case.settings.attest = vec![attestation("security/rate-limiting", "2027-01-01")];
    assert_eq!(case.check(&[DRILL]).notices.len(), 1);
    case.fact(1, &[], RestoreDrill { how: "job".into() });
    assert_eq!(status(&case.check(&[DRILL]), "database/restore-tested").0, Status::Pass);
}

#[test]
fn comments_allow_on_their_line_and_the_line_after_their_block() {
    let code = "// prodcheck: allow(built) reason=\"a report\"\n// more\nb;\nc; // prodcheck: allow(built) reason=\"x\"\nd;\n\
                // prodcheck: allow(built) reason=\"stale\"\n\n// prodcheck: allow(bilt) reason=\"x\"\n// prodcheck: allow(built)\n";
    let mut case = Case::new(&["shop"], code);
    for line in [3, 4, 5] {
        case.fact(line, &[0], query(Attr::Known(true)));
    }
    let outcome = case.check(&[BUILT]);
    let suppressed: Vec<bool> = outcome.findings.iter().map(|finding| finding.suppressed.is_some()).collect();
    assert_eq!(suppressed, [true, true, false]);
    let lines: Vec<Option<u32>> = outcome.notices.iter().map(|notice| notice.line).collect();
    assert_eq!(lines, [Some(9), Some(6), Some(8)], "{:?}", outcome.notices);
    assert_eq!(status(&outcome, "security/sql-injection").0, Status::Violated);
}

#[test]
fn settings_allow_under_a_path_until_a_day() {
    let mut case = Case::new(&["shop"], "a\n");
    case.fact(1, &[0], query(Attr::Known(true)));
    let allow = |path: &str, until: Option<&str>| Allow {
        rule: "built".to_string(),
        path: Some(globset::Glob::new(path).unwrap().compile_matcher()),
        reason: "legacy".to_string(),
        until: until.map(|day| day.parse().unwrap()),
        line: 7,
    };
    case.settings.allow = vec![allow("src/**", Some("2026-05-01"))];
    let outcome = case.check(&[BUILT]);
    assert_eq!(outcome.findings[0].suppressed.as_ref().unwrap().reason, "legacy");
    assert!(outcome.notices.is_empty());
    for wrong in [allow("src/**", Some("2026-04-30")), allow("lib/**", None)] {
        case.settings.allow = vec![wrong];
        let outcome = case.check(&[BUILT]);
        assert!(outcome.findings[0].suppressed.is_none());
        assert_eq!(outcome.notices[0].line, Some(7));
    }
}

#[test]
fn a_rule_that_is_off_leaves_its_item_unjudged() {
    let mut case = Case::new(&["shop"], "a\n");
    case.settings.rules.insert("limited".to_string(), RuleSetting { off: true, ..RuleSetting::default() });
    let outcome = case.check(&[LIMITED, BUILT]);
    assert_eq!(status(&outcome, "security/rate-limiting"), (Status::Unknown, "its rules did not run"));
    assert_eq!(status(&outcome, "database/restore-tested").0, Status::Manual);
    assert_eq!(outcome.stats.rules, 1);
}

#[test]
fn fingerprints_survive_moved_lines_and_tell_twins_apart() {
    let prints = |code: &str, lines: &[u32]| -> Vec<String> {
        let mut case = Case::new(&["shop"], code);
        for line in lines {
            case.fact(*line, &[0], query(Attr::Known(true)));
        }
        case.check(&[BUILT]).findings.into_iter().map(|finding| finding.fingerprint).collect()
    };
    let before = prints("same\nsame\n", &[1, 2]);
    let after = prints("\n\nsame\n\n  same\n", &[3, 5]);
    assert_eq!(before, after);
    assert_ne!(before[0], before[1]);
}

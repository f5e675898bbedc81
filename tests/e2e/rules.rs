//! Rules of a test's own: exit codes by severity, suppressions, attestations, errors in rule files.

use std::path::Path;

use crate::support::{Run, prodcheck, prodcheck_in, service, tree, write};

const CHECKLIST: &str = r#"
[[section]]
id = "deployment"
title = "Deployment"

[[section]]
id = "database"
title = "Database"

[[item]]
id = "deployment/automation"
title = "something serves"
scope = "service"
silent = "missing"

[[item]]
id = "database/restore-tested"
title = "a restore was tested"
scope = "repository"
silent = "manual"

[[tick]]
tick = "A restore was tested"
short = "restore tested"
items = ["database/restore-tested"]
"#;

fn rule(severity: &str, attribute: &str) -> String {
    format!(
        r#"
id = "route-is-there"
item = "deployment/automation"
severity = "{severity}"
title = "`{{path}}` is served"
why = "it is a test"
fix = "take it away"
[[forbid]]
fact = "route"
where = {{ {attribute} = {{ exists = true }} }}
"#
    )
}

const RESTORE: &str = r#"
id = "missing-restore-test"
item = "database/restore-tested"
part = "restored"
severity = "note"
title = "no restore was tested"
why = "it is a test"
fix = "test it"
[require]
any = [{ fact = "database" }]
anchor = ["manifest"]
"#;

/// A service with a rules folder of its own.
fn with_rules(severity: &str) -> tempfile::TempDir {
    let folder = service();
    write(folder.path(), "own-rules/checklist.toml", CHECKLIST);
    write(folder.path(), "own-rules/deployment/route-is-there.toml", rule(severity, "path"));
    write(folder.path(), "own-rules/database/missing-restore-test.toml", RESTORE);
    for (path, text) in prodcheck::check::embedded::RULES {
        if path.starts_with("catalog/") {
            write(folder.path(), &format!("own-rules/{path}"), text);
        }
    }
    write(folder.path(), "prodcheck.toml", "[scan]\nexclude = [\"own-rules\"]\n");
    folder
}

fn run(folder: &Path, more: &[&str]) -> Run {
    let arguments: Vec<&str> = ["--rules", "own-rules", "--format", "json"].iter().chain(more).copied().collect();
    prodcheck_in(folder, &arguments)
}

fn rules_found(run: &Run) -> Vec<String> {
    let json = run.json();
    let findings = json["findings"].as_array().unwrap().iter().filter(|finding| finding["suppressed"].is_null());
    findings.map(|finding| finding["rule"].as_str().unwrap().to_string()).collect()
}

fn status(run: &Run, item: &str) -> String {
    let json = run.json();
    let row = json["checklist"].as_array().unwrap().iter().find(|row| row["item"] == item).cloned().unwrap();
    row["status"].as_str().unwrap().to_string()
}

#[test]
fn severities_and_fail_on_make_the_exit_code() {
    for (severity, codes) in [("error", [1, 1, 1, 0]), ("warning", [0, 1, 1, 0]), ("note", [0, 0, 1, 0])] {
        let folder = with_rules(severity);
        let got = ["error", "warning", "note", "never"].map(|fail_on| run(folder.path(), &["--fail-on", fail_on]).code);
        assert_eq!(got, codes, "{severity}");
    }
}

#[test]
fn a_rule_can_be_turned_off_and_change_its_severity() {
    let folder = with_rules("error");
    let config = |rules: &str| {
        write(folder.path(), "prodcheck.toml", format!("[scan]\nexclude = [\"own-rules\"]\n[rules]\n{rules}\n"))
    };
    config("route-is-there = \"off\"");
    let off = run(folder.path(), &[]);
    assert_eq!((off.code, rules_found(&off)), (0, vec!["missing-restore-test".to_string()]));
    config("route-is-there = \"note\"");
    let note = run(folder.path(), &[]);
    assert_eq!((note.code, rules_found(&note).len()), (0, 2));
    config("route-is-ther = \"note\"");
    let wrong = run(folder.path(), &[]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("there is no rule `route-is-ther`") && wrong.err.contains("did you mean `route-is-there`?")
    );
}

#[test]
fn only_and_skip_choose_what_counts() {
    let folder = with_rules("error");
    assert_eq!(rules_found(&run(folder.path(), &["--only", "route-is-there"])), ["route-is-there"]);
    assert_eq!(rules_found(&run(folder.path(), &["--only", "database"])), ["missing-restore-test"]);
    let skipped = run(folder.path(), &["--skip", "deployment/automation"]);
    assert_eq!((skipped.code, rules_found(&skipped)), (0, vec!["missing-restore-test".to_string()]));
    assert_eq!(skipped.json()["checklist"].as_array().unwrap().len(), 1);
}

#[test]
fn a_comment_or_the_configuration_allows_a_finding() {
    let folder = with_rules("error");
    let main = std::fs::read_to_string(folder.path().join("src/main.rs")).unwrap();
    let allowed = main.replace("    let app", "    // prodcheck: allow(route-is-there) reason=\"a test\"\n    let app");
    write(folder.path(), "src/main.rs", allowed);
    let by_comment = run(folder.path(), &[]);
    assert_eq!((by_comment.code, rules_found(&by_comment)), (0, vec!["missing-restore-test".to_string()]));
    let json = by_comment.json();
    let finding =
        json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "route-is-there").cloned();
    assert_eq!(finding.unwrap()["suppressed"], serde_json::json!({"by": "comment", "reason": "a test"}));
    write(folder.path(), "src/main.rs", main);
    let allow = "[scan]\nexclude = [\"own-rules\"]\n[[allow]]\nrule = \"route-is-there\"\npath = \"src\"\nreason = \"a test\"\n";
    write(folder.path(), "prodcheck.toml", allow);
    assert_eq!(run(folder.path(), &[]).code, 0);
    write(folder.path(), "prodcheck.toml", allow.replace("\"src\"", "\"other\""));
    let unused = run(folder.path(), &[]);
    assert_eq!(unused.code, 1);
    assert!(unused.notices().iter().any(|notice| notice.starts_with("prodcheck.toml: ")), "{:?}", unused.notices());
}

#[test]
fn an_attestation_counts_until_its_day() {
    let folder = with_rules("note");
    assert_eq!(status(&run(folder.path(), &[]), "database/restore-tested"), "manual");
    write(
        folder.path(),
        "prodcheck.toml",
        "[scan]\nexclude = [\"own-rules\"]\n[[attest]]\nitem = \"database/restore-tested\"\nby = \"us\"\non = 2026-01-10\nuntil = 2026-06-30\n",
    );
    let on = |day: &str| run(folder.path(), &["--today", day]);
    assert_eq!(status(&on("2026-06-30"), "database/restore-tested"), "attested");
    assert_eq!(on("2026-06-30").json()["gate"][0]["status"], "done");
    assert_eq!(status(&on("2026-07-01"), "database/restore-tested"), "manual");
    assert_eq!(on("2026-07-01").json()["gate"][0]["status"], "open");
}

#[test]
fn a_rule_with_an_unknown_attribute_is_an_error_with_its_place() {
    let folder = with_rules("error");
    write(folder.path(), "own-rules/deployment/route-is-there.toml", rule("error", "pathh"));
    let run = run(folder.path(), &[]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    for said in ["unknown attribute", "`pathh`", "route-is-there.toml:10:11", "did you mean `path`?"] {
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
}

#[test]
fn a_team_adds_rules_and_the_report_says_so() {
    let folder = service();
    write(folder.path(), "ops/route-is-there.toml", rule("note", "path"));
    write(folder.path(), "prodcheck.toml", "rule-files = [\"ops/*.toml\"]\n");
    let run = prodcheck_in(folder.path(), &["--format", "json"]);
    assert!(rules_found(&run).contains(&"route-is-there".to_string()), "{}", run.err);
    assert_eq!(run.json()["own_rules"], serde_json::json!(["ops/route-is-there.toml"]));
    assert!(prodcheck_in(folder.path(), &[]).out.contains("ops/route-is-there.toml"));
}

#[test]
fn a_team_describes_its_own_crates() {
    let folder = tree(&[
        ("Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[dependencies]\nhouse = \"1\"\n"),
        ("src/main.rs", "fn main() {\n    let _ = house::pool(3);\n}\n"),
        (
            "prodcheck.toml",
            "[[catalog.call]]\npath = \"house::pool\"\nfact = \"pool\"\nset = { library = \"house\" }\n",
        ),
    ]);
    let facts = prodcheck_in(folder.path(), &["facts", "--kind", "pool"]);
    assert!(facts.out.contains("library=\"house\""), "{}{}", facts.out, facts.err);
    write(folder.path(), "prodcheck.toml", "\n[[catalog.call]]\npath = \"house::pool\"\nfact = \"pol\"\n");
    let wrong = prodcheck_in(folder.path(), &["facts"]);
    assert!(wrong.code == 2 && wrong.err.contains("prodcheck.toml:2"), "{}", wrong.err);
}

#[test]
fn rules_and_items_are_explained_and_listed() {
    let folder = with_rules("error");
    let said = |name: &str| prodcheck_in(folder.path(), &["explain", name, "--rules", "own-rules"]).out;
    let rule = said("route-is-there");
    for word in ["it is a test", "take it away", "every `route` where `path` is set", "allow(route-is-there)"] {
        assert!(rule.contains(word), "{word}: {rule}");
    }
    let item = said("database/restore-tested");
    assert!(item.contains("missing-restore-test") && item.contains("[[attest]]"), "{item}");
    let unknown = prodcheck(&["explain", "hardcoded-secrt"]);
    assert_eq!(unknown.code, 2);
    let list = prodcheck_in(folder.path(), &["list", "--format", "json", "--rules", "own-rules"]).json();
    assert_eq!(list["items"][0]["rules"][0]["rule"], "route-is-there");
}

#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::outcome::Severity;

fn read(text: &str) -> Result<Config, Vec<TomlError>> {
    Config::read(FILE, text, Path::new("/nowhere"))
}

fn errors(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn everything_can_be_set() {
    let config = read(
        r#"
environments = ["staging", "production"]
[rules]
missing-rate-limit = "off"
print-as-logging = "error"
stale-secret = { severity = "note", params = { days = 30 } }
[scan]
exclude = ["legacy", "vendor/**/*.js"]
[[attest]]
item = "database/restore-tested"
by = "the database team"
on = 2026-03-01
evidence = "docs/drill.md"
until = "2026-09-01"
[[allow]]
rule = "hardcoded-secret"
path = "demo/"
reason = "a demo key"
[[catalog.call]]
path = "house::pool"
fact = "pool"
"#,
    )
    .unwrap();
    let settings = &config.settings;
    assert!(settings.rules["missing-rate-limit"].off);
    assert_eq!(settings.rules["print-as-logging"].severity, Some(Severity::Error));
    assert_eq!(settings.rules["stale-secret"].params["days"], toml::Value::Integer(30));
    assert!(config.exclude.is_match("legacy") && config.exclude.is_match("legacy/a/b.rs"));
    assert!(config.exclude.is_match("vendor/a/b.js") && !config.exclude.is_match("src/legacy"));
    assert_eq!(settings.attest[0].until.to_string(), "2026-09-01");
    let allow = settings.allow[0].path.as_ref().unwrap();
    assert!(allow.is_match("demo/keys.env") && !allow.is_match("src/demo.rs"));
    let entry = &config.catalog[0];
    assert!(entry.text.starts_with("[[call]]\n"), "{}", entry.text);
    assert!(config.wrong_entry(entry, "no".into()).to_string().starts_with("prodcheck.toml:19:1: no"));
}

#[test]
fn all_errors_are_reported_at_once_with_their_places() {
    let text = "enviroments = []\n[scan]\nexclude = \"legacy\"\n[rules]\na = \"of\"\nb = 3\n[[attest]]\nitem = \"x/y\"\non = \"soon\"\n";
    assert_eq!(
        errors(text),
        [
            "prodcheck.toml:1:1: unknown key `enviroments` (did you mean `environments`?)",
            "prodcheck.toml:3:11: expected a list, found a string",
            "prodcheck.toml:5:5: `of` is not possible here (did you mean `off`?)",
            "prodcheck.toml:6:5: expected a string or a table, found a whole number",
            "prodcheck.toml:7:1: `by` is missing",
            "prodcheck.toml:7:1: `until` is missing",
            "prodcheck.toml:9:6: `soon` is not a day (YYYY-MM-DD)",
        ]
    );
}

#[test]
fn broken_toml_is_an_error_with_its_place() {
    let found = errors("[rules\na = 1\n");
    assert!(found[0].starts_with("prodcheck.toml:1:7: "), "{found:?}");
}

#[test]
fn what_could_never_count_is_an_error() {
    let attest = "[[attest]]\nitem = \"a/b\"\nby = \"us\"\non = 2026-02-01\nuntil = 2026-01-01\n";
    let allow = "[[allow]]\nrule = \"r\"\nreason = \" \"\n";
    assert_eq!(
        errors(&format!("rule-files = [\"rules/*.toml\"]\n{attest}{allow}")),
        [
            "prodcheck.toml:3:8: attested on 2026-02-01 until 2026-01-01: it would never count",
            "prodcheck.toml:8:8: an allowance needs a reason",
            "prodcheck.toml:1:15: no rule file matches `rules/*.toml`",
        ]
    );
}

#[test]
fn names_have_to_exist() {
    let config = read("[rules]\nmissing-panic-handlr = \"off\"\n[[allow]]\nrule = \"todo\"\nreason = \"x\"\n").unwrap();
    let errors = config.unknown_names(&["missing-panic-handler", "todo"], &[]);
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        ["prodcheck.toml:2:1: there is no rule `missing-panic-handlr` (did you mean `missing-panic-handler`?)"]
    );
}

#[test]
fn rule_files_are_found_by_pattern() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("ops/rules")).unwrap();
    std::fs::write(folder.path().join("ops/rules/b.toml"), "id = \"b\"").unwrap();
    std::fs::write(folder.path().join("ops/rules/a.toml"), "id = \"a\"").unwrap();
    std::fs::write(folder.path().join("ops/rules/notes.md"), "").unwrap();
    let config = Config::read(FILE, "rule-files = [\"ops/rules\"]", folder.path()).unwrap();
    let names: Vec<&str> = config.rule_files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["ops/rules/a.toml", "ops/rules/b.toml"]);
}

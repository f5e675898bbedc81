#![allow(clippy::unwrap_used)]

use super::*;
use crate::check::checklist::Checklist;
use crate::check::embedded::RULES;

const GOOD: &str = r#"
id = "pool-limits-unset"
item = "database/pool-limits"
part = "size"
severity = "warning"
title = "the {library} pool of `{service}` has no size below {most}"
shown = "{count} pools are bounded"
why = "a spike takes every connection"
references = ["CWE-400"]

[fixes]
default = "set `max_connections`, as in `connect({url})`"
axum = "set it where the router is built"

[params]
most = 50

[when]
any = [{ fact = "database" }, { not = { fact = "service", where = { platforms = { contains = "fly" } } } }]

[each]
fact = "pool"
where = { of_database = true, not = { library = { matches = "^r2" } } }
has = { max_size = { exists = true, le = "$most" } }
roles = ["service", "example"]
"#;

fn messages(path: &str, text: &str) -> Vec<String> {
    RuleSet::load(&[(path, text)])
        .map_or_else(|errors| errors.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

/// The good rule with one thing changed.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    messages("database/pool-limits-unset.toml", &GOOD.replace(from, to))
}

#[test]
fn a_rule_says_what_it_says() {
    let set = RuleSet::load(&[
        ("database/pool-limits-unset.toml", GOOD),
        ("catalog/pools.toml", "not a rule"),
        ("checklist.toml", "not a rule"),
    ]);
    let set = set.unwrap();
    let rule = set.get("pool-limits-unset").unwrap();
    assert_eq!((rule.severity, rule.confidence), (Severity::Warning, Confidence::High));
    assert_eq!(rule.fixes.len(), 2);
    assert_eq!(rule.params["most"], Scalar::Number(50.0));
    let Clause::Each { of, .. } = &rule.clause else { unreachable!("{:?}", rule.clause) };
    assert_eq!(of.roles.len(), 2);
    assert_eq!(set.rules().len(), 1);
}

#[test]
fn every_error_names_its_place_and_the_nearest_name() {
    let rows: &[(&str, &str, &str)] = &[
        ("max_size = {", "max_sise = {", "24:9: unknown attribute of `pool` `max_sise` (did you mean `max_size`?)"),
        ("fact = \"pool\"", "fact = \"pol\"", "22:8: unknown fact `pol` (did you mean `pool`?)"),
        ("le = \"$most\"", "le = \"$moste\"", "24:42: unknown parameter `moste` (did you mean `most`?)"),
        ("le = \"$most\"", "le = \"many\"", "24:42: `many` is no value here: the attribute is a number"),
        ("le = \"$most\"", "les = 3", "24:37: unknown operator `les` (did you mean `le`?)"),
        ("exists = true,", "exists = 1,", "24:31: `exists` is true or false"),
        ("\"^r2\"", "\"(\"", "23:61: not a regular expression: unclosed group"),
        (
            "contains = \"fly\"",
            "matches = true",
            "19:93: `matches` is a regular expression on text, and this is a list",
        ),
        (
            "{ contains = \"fly\" }",
            "\"fly\"",
            "19:81: `fly` is no value here: the attribute is a list (use `contains`)",
        ),
        ("{library}", "{librari}", "6:9: unknown attribute of `pool` `librari` (did you mean `library`?)"),
        ("roles = [\"service\", \"example\"]", "shows = \"handler\"", "25:9: `pool` has no link to show"),
        ("[\"service\", \"example\"]", "[\"servise\"]", "25:10: unknown role `servise` (did you mean `service`?)"),
        ("severity = \"warning\"", "severity = \"warn\"", "5:12: unknown severity `warn` (did you mean `warning`?)"),
        ("severity = \"warning\"\n", "", "1:1: `severity` is missing"),
        ("database/pool-limits\"", "storage/pool-limits\"", "3:8: rules of `storage` lie in the folder `storage/`"),
        (
            "id = \"pool-limits-unset\"",
            "id = \"pool\"",
            "2:6: the rule `pool` is in a file named `pool-limits-unset.toml`",
        ),
        ("why =", "wy =", "8:1: unknown key `wy` (did you mean `why`?)"),
        ("default =", "other =", "11:1: `default` is missing: the fix for any other framework"),
    ];
    for (from, to, message) in rows {
        let found = changed(from, to);
        let wanted = format!("database/pool-limits-unset.toml:{message}");
        assert!(found.contains(&wanted), "{wanted}\n{found:#?}");
    }
}

#[test]
fn all_errors_come_at_once() {
    let text = GOOD.replace("max_size", "max_sise").replace("{library}", "{librari}").replace("why =", "wy =");
    assert_eq!(messages("database/pool-limits-unset.toml", &text).len(), 4);
}

#[test]
fn a_rule_has_exactly_one_clause() {
    let two = format!("{GOOD}\n[require]\nany = [{{ fact = \"pool\" }}]\n");
    assert!(messages("database/pool-limits-unset.toml", &two)[0].contains("here: each and require"));
    let none = changed("[each]", "[eache]");
    assert!(none.iter().any(|error| error.contains("here: none")), "{none:?}");
}

#[test]
fn deep_nesting_and_broken_files_are_errors() {
    let deep = format!("{}of_database = true{}", "not = { ".repeat(60), " }".repeat(60));
    assert!(!changed("of_database = true", &deep).is_empty());
    assert!(!messages("a/b.toml", "id = ").is_empty());
    assert!(!messages("a/b.toml", "").is_empty());
}

#[test]
fn built_in_rules_and_the_checklist_load() {
    let set = RuleSet::load(RULES).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    let checklist = Checklist::load(RULES).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(checklist.unwrap().strangers(&set.unwrap()), Vec::<String>::new());
}

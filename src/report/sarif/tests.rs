#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;
use crate::report::samples::{self, Sample};

fn log(sample: &Sample, include_suppressed: bool) -> Value {
    serde_json::from_str(&report(&sample.subject(), SarifOptions { include_suppressed })).unwrap()
}

fn result<'a>(log: &'a Value, rule: &str) -> &'a Value {
    let results = log["runs"][0]["results"].as_array().unwrap();
    results.iter().find(|result| result["ruleId"] == rule).unwrap()
}

fn schema_errors(log: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("../../../tests/data/sarif-2.1.0.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn a_full_log_fits_the_schema() {
    for include_suppressed in [false, true] {
        assert_eq!(schema_errors(&log(&Sample::full(), include_suppressed)), Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let mut log = log(&Sample::full(), false);
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    assert_eq!(schema_errors(&log).len(), 1);
}

#[test]
fn a_clean_run_has_results_and_all_rules() {
    let mut sample = Sample::full();
    sample.outcome.findings.clear();
    let log = log(&sample, false);
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), sample.rules.len());
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn a_result_has_a_region_a_fingerprint_and_links_to_its_related_places() {
    let log = log(&Sample::full(), false);
    let probe = result(&log, "probe-path-not-served");
    let expected = serde_json::json!({"startLine": 3, "startColumn": 11, "endLine": 3, "endColumn": 22});
    assert_eq!(probe["locations"][0]["physicalLocation"]["region"], expected);
    assert_eq!(probe["relatedLocations"][0]["id"], 1);
    let text = probe["message"]["text"].as_str().unwrap();
    assert!(text.starts_with("readiness probe calls `/api/health`, which no route serves. "), "{text}");
    assert!(text.ends_with("See [closest route: GET /health](1)."), "{text}");
    let hash = probe["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
    let yaml = "readinessProbe:\n  httpGet:\n    path: /api/health\n    port: 8080\n";
    assert_eq!(hash, linehash::of_lines(yaml)[2]);
}

#[test]
fn a_flow_ends_at_the_finding() {
    let log = log(&Sample::full(), false);
    let panic = result(&log, "panic-in-request-path");
    let steps = panic["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
    let lines: Vec<u64> = steps
        .iter()
        .map(|step| step["location"]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 6, 6]);
}

#[test]
fn only_security_rules_are_security_alerts() {
    let log = log(&Sample::full(), false);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let of = |id: &str| &rules.iter().find(|rule| rule["id"] == id).unwrap()["properties"];
    assert_eq!(of("hardcoded-secret")["security-severity"], "8.0");
    assert_eq!(of("missing-rate-limit")["security-severity"], "5.5");
    assert_eq!(of("probe-path-not-served").get("security-severity"), None);
    assert_eq!(of("probe-path-not-served")["problem.severity"], "error");
    let tags = of("probe-path-not-served")["tags"].as_array().unwrap();
    assert!(!tags.contains(&Value::from("security")), "{tags:?}");
}

#[test]
fn suppressed_findings_are_left_out_or_marked() {
    let sample = Sample::full();
    let rules = |log: &Value| log["runs"][0]["results"].as_array().unwrap().len();
    assert_eq!(rules(&log(&sample, false)), 4);
    let all = log(&sample, true);
    assert_eq!(rules(&all), 5);
    let suppression = &result(&all, "missing-headers")["suppressions"][0];
    assert_eq!(
        (suppression["kind"].as_str(), suppression["justification"].as_str()),
        (Some("inSource"), Some("the proxy does it"))
    );
}

#[test]
fn paths_go_from_the_git_top_level_and_are_encoded() {
    let mut sample = Sample::full();
    sample.tree.git_prefix = Some("back end/api".to_string());
    let log = log(&sample, false);
    let uri = &result(&log, "probe-path-not-served")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "back%20end/api/deploy/api.yaml");
    assert_eq!(encode_path("a:b/%#?ü"), "a%3Ab/%25%23%3F%C3%BC");
}

#[test]
fn a_rule_with_too_many_findings_says_how_many_are_left_out() {
    let mut sample = Sample::full();
    let one = sample.outcome.findings[0].clone();
    sample.outcome.findings = vec![one; MOST_OF_A_RULE + 7];
    let log = log(&sample, false);
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), MOST_OF_A_RULE);
    let last = results.last().unwrap()["message"]["text"].as_str().unwrap();
    assert!(last.ends_with("7 more findings of this rule are not listed here."), "{last}");
}

#[test]
fn an_absence_over_several_lines_is_marked_on_one() {
    let mut sample = Sample::full();
    let whole = samples::place(&sample.tree, "src/main.rs", "Router::new().route(\"/health\", get(health));\n}\n");
    sample.outcome.findings[2].place = whole;
    let log = log(&sample, false);
    let region = &result(&log, "missing-rate-limit")["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, serde_json::json!({"startLine": 2, "startColumn": 15, "endLine": 2, "endColumn": 59}));
}

#[test]
fn a_crash_is_no_successful_execution() {
    let mut sample = Sample::full();
    sample.outcome.notices[0].fatal = true;
    assert_eq!(log(&sample, false)["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn no_secret_stands_in_the_log() {
    let sample = Sample::full();
    let text = report(&sample.subject(), SarifOptions { include_suppressed: true });
    assert!(!text.contains(&sample.secret) && text.contains("Hx9k***"));
}

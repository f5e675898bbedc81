//! Each format against its schema, and no secret in any of them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{prodcheck, prodcheck_in, service, write};

fn errors(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn sarif_schema() -> Value {
    serde_json::from_str(include_str!("../data/sarif-2.1.0.schema.json")).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git").current_dir(folder).args(arguments).status().unwrap();
    assert!(status.success());
}

#[test]
fn the_json_report_fits_the_published_schema() {
    let folder = service();
    let report = prodcheck_in(folder.path(), &["--format", "json", "--pedantic"]).json();
    assert_eq!(errors(&prodcheck(&["schema", "report"]).json(), &report), Vec::<String>::new());
}

#[test]
fn the_sarif_report_fits_the_schema() {
    let folder = service();
    let report = prodcheck_in(folder.path(), &["--format", "sarif", "--pedantic"]).json();
    assert_eq!(errors(&sarif_schema(), &report), Vec::<String>::new());
    assert_eq!(report["runs"].as_array().unwrap().len(), 1);
    assert!(report["runs"][0]["results"].is_array());
}

#[test]
fn the_sarif_report_of_nothing_fits_the_schema_and_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let report = prodcheck_in(folder.path(), &["--format", "sarif"]).json();
    assert_eq!(errors(&sarif_schema(), &report), Vec::<String>::new());
    assert_eq!(report["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(report["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn sarif_paths_go_from_the_git_top_level() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    write(folder.path(), "backend/Dockerfile", "FROM rust:latest\nCOPY . .\n");
    write(folder.path(), "backend/broken.rs", "fn broken( {\n");
    git(folder.path(), &["add", "."]);
    let report = prodcheck_in(folder.path(), &["--format", "sarif", "backend"]).json();
    let run = &report["runs"][0];
    let notices = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().iter();
    let places =
        run["results"].as_array().unwrap().iter().chain(notices).flat_map(|with| with["locations"].as_array().unwrap());
    let uris: Vec<&str> =
        places.map(|place| place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap()).collect();
    assert!(!uris.is_empty() && uris.iter().all(|uri| uri.starts_with("backend/")), "{uris:?}");
}

//! Each format against its schema, and no secret in any of them.

use std::path::Path;
use std::process::Command;

use clap::ValueEnum as _;
use prodcheck::cli::args::Format;
use prodcheck::link::secrets::sample::sample;
use serde_json::Value;

use crate::support::{prodcheck, prodcheck_in, service, write};

pub fn errors(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

pub fn sarif_schema() -> Value {
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

/// Secrets are made up at run time: none stands in this repository.
fn secrets() -> Vec<String> {
    let token = sample("github-ghp", 7).unwrap();
    let password = ["c0rrect", "-h0rse-", "b4ttery"].concat();
    let key = ["AKIA", "Q3EGV6", "7TXJ2N5RWP"].concat();
    vec![token, password, key]
}

#[test]
fn no_secret_stands_whole_in_any_output() {
    let [token, password, key] = secrets().try_into().unwrap();
    let folder = service();
    git(folder.path(), &["init", "-q"]);
    write(
        folder.path(),
        ".env",
        format!("GITHUB_TOKEN={token}\nDATABASE_URL=postgres://shop:{password}@db.shop.io/shop\n"),
    );
    write(folder.path(), "src/keys.rs", format!("pub const AWS_ACCESS_KEY_ID: &str = \"{key}\"; // {key}\n"));
    write(
        folder.path(),
        "deploy/api.yaml",
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: api }}\nspec:\n  containers:\n    - name: api\n      image: shop\n      env:\n        - {{ name: TOKEN, value: {token} }}\n"
        ),
    );
    for (path, text) in [
        (
            "infra/terraform.tfstate",
            format!("{{\"outputs\": {{\"x\": {{\"value\": \"{password}\", \"sensitive\": true}}}}}}"),
        ),
        ("config/shop.hjson", format!("{{ smtp_password: {password}\n api_token: {token}\n}}\n")),
        // What does not parse is said in the parser's words, which like to quote.
        ("config/broken.toml", format!("api_token = \"{token}\nsmtp_password = {password}\n")),
        ("config/broken.json", format!("{{\"api_token\": \"{token}\" \"smtp_password\": {password}")),
        ("config/broken.yaml", format!("api_token: \"{token}\n  - smtp_password: {{ {password}\n")),
        ("config/broken.hjson", format!("{{ api_token \"{token}\" : {password}")),
        ("infra/broken.tf", format!("variable \"smtp_password\" {{ default = \"{password}\n api_token = {token}")),
        ("src/broken.rs", format!("const API_TOKEN: &str = \"{token}\" const SMTP_PASSWORD = \"{password}\";\n")),
        ("db/broken.sql", format!("CREATE ROLE shop PASSWORD '{password}; INSERT '{token}' (((\n")),
    ] {
        write(folder.path(), path, text);
    }
    git(folder.path(), &["add", "."]);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect::<Vec<String>>();
    let mut runs: Vec<Vec<String>> = Vec::new();
    for format in Format::value_variants() {
        let name = format.to_possible_value().unwrap().get_name().to_string();
        for more in
            [&["--pedantic"][..], &["--color", "always"], &["--sarif-include-suppressed"], &["--only", "secrets"]]
        {
            runs.push([words(&["--format", &name]), words(more)].concat());
        }
    }
    runs.extend([words(&["facts"]), words(&["facts", "--format", "json"]), words(&["routes"])]);
    for place in [".env:1", ".env:2", "src/keys.rs:1", "config/shop.hjson:1", "config/broken.toml:1", "src/broken.rs:1"]
    {
        runs.push(words(&["explain", "--why", place]));
        runs.push(words(&["explain", "--why", place, "--format", "json"]));
    }
    for arguments in runs {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = prodcheck_in(folder.path(), &arguments);
        assert!(run.code < 2, "{arguments:?} {}", run.err);
        for secret in [&token, &password, &key] {
            assert!(
                !run.out.contains(secret.as_str()) && !run.err.contains(secret.as_str()),
                "{arguments:?} {}",
                run.out
            );
        }
    }
    let findings =
        prodcheck_in(folder.path(), &["--only", "secrets", "--format", "json"]).json()["findings"].to_string();
    let seen = [
        ".env",
        "src/keys.rs",
        "deploy/api.yaml",
        "config/shop.hjson",
        "infra/terraform.tfstate",
        "config/broken.toml",
        "config/broken.json",
        "src/broken.rs",
        "db/broken.sql",
    ];
    for path in seen {
        let said = findings.contains(&format!("\"{path}\""));
        assert!(said, "the secret in {path} is not seen, so its mask is not tried: {findings}");
    }
}

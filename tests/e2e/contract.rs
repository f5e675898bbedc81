//! Exit codes, what goes to which stream, and the commands.

use std::path::Path;

use prodcheck::link::secrets::sample::sample;

use crate::support::{json_of, prodcheck, prodcheck_in, service, tree};

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    assert_eq!(prodcheck(&["--no-such-option"]).code, 2);
    assert_eq!(prodcheck(&["--format", "xml"]).code, 2);
    assert_eq!(prodcheck(&["--fail-on", "fatal"]).code, 2);
    let help = prodcheck(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(help.out.contains("--fail-on"));
    assert_eq!(prodcheck(&["--version"]).out, format!("prodcheck {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn check_is_the_default_command() {
    let folder = service();
    let path = folder.path().to_str().unwrap();
    let short = prodcheck(&["--format", "json", path]);
    let long = prodcheck(&["check", "--format", "json", path]);
    assert_eq!((short.code, short.out), (long.code, long.out));
    assert_eq!(json_of(folder.path()).json()["root"], path);
}

#[test]
fn a_run_gives_the_same_bytes_again() {
    let folder = service();
    for format in ["text", "json", "sarif"] {
        let once = prodcheck_in(folder.path(), &["--format", format]);
        let again = prodcheck_in(folder.path(), &["--format", format]);
        assert!(!once.out.is_empty() && once.out == again.out, "{format}");
    }
}

#[test]
fn every_format_has_the_same_exit_code() {
    let folder = service();
    let codes: Vec<i32> = ["text", "json", "sarif"]
        .iter()
        .map(|format| prodcheck_in(folder.path(), &["--format", format]).code)
        .collect();
    assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    assert_eq!(prodcheck_in(folder.path(), &["--fail-on", "never"]).code, 0);
}

#[test]
fn one_document_goes_to_standard_output_and_the_others_to_files() {
    let folder = service();
    let run =
        prodcheck_in(folder.path(), &["--format", "json", "--format", "sarif=out/../report.sarif", "--no-config"]);
    assert_eq!(run.code, 2, "a file in a folder that is not there");
    let run = prodcheck_in(folder.path(), &["--format", "json", "--format", "sarif=report.sarif"]);
    assert!(run.code < 2, "{}", run.err);
    run.json();
    let sarif = std::fs::read_to_string(folder.path().join("report.sarif")).unwrap();
    assert!(sarif.contains("\"version\": \"2.1.0\""));
    assert_eq!(prodcheck_in(folder.path(), &["--format", "json", "--format", "text"]).code, 2);
    let run = prodcheck_in(folder.path(), &["--format", "json", "--output", "report.json"]);
    assert_eq!(run.out, "");
    let json = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

#[test]
fn elapsed_time_goes_to_standard_error() {
    let folder = service();
    let run = prodcheck_in(folder.path(), &[]);
    assert!(run.err.contains(" files in ") && !run.out.contains(" files in "), "{}", run.err);
}

#[test]
fn text_for_a_pipe_has_no_colour_and_no_links() {
    let folder = service();
    let plain = prodcheck_in(folder.path(), &[]);
    assert!(!plain.out.contains('\u{1b}'), "{}", plain.out);
    let colored = prodcheck_in(folder.path(), &["--color", "always"]);
    assert!(colored.out.contains("\u{1b}[") && !colored.out.contains("\u{1b}]8"), "{}", colored.out);
    assert!(prodcheck_in(folder.path(), &["--ascii"]).out.is_ascii());
}

#[test]
fn unknown_names_are_usage_errors_with_the_nearest_name() {
    let folder = service();
    for arguments in [["--only", "securty"], ["--skip", "securty"]] {
        let run = prodcheck_in(folder.path(), &arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(run.err.contains("`securty`; did you mean `security`?"), "{}", run.err);
    }
    let run = prodcheck_in(folder.path(), &["facts", "--kind", "rout"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("did you mean `route`?"), "{}", run.err);
}

#[test]
fn facts_and_routes_are_printed() {
    let folder = service();
    let facts = prodcheck_in(folder.path(), &["facts", "--kind", "route"]);
    assert!(facts.code == 0 && facts.out.contains("path=\"/orders\""), "{}", facts.out);
    let routes = prodcheck_in(folder.path(), &["routes", "--format", "json"]).json();
    assert_eq!(routes["services"][0]["routes"][0]["path"], "/orders");
}

#[test]
fn every_schema_and_completion_script_is_printed() {
    for of in ["report", "config", "rules", "facts"] {
        assert!(prodcheck(&["schema", of]).json().is_object(), "{of}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(prodcheck(&["completions", shell]).out.contains("prodcheck"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_went_away_is_no_error() {
    use std::process::{Command, Stdio};
    let binary = assert_cmd::cargo::cargo_bin!("prodcheck");
    let mut run =
        Command::new(binary).args(["schema", "facts"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn a_repository_in_another_language_has_no_gate() {
    let folder = tree(&[("package.json", "{\"name\": \"shop\"}\n"), ("index.js", "console.log(1)\n")]);
    let run = json_of(folder.path());
    assert!(run.code < 2, "{}", run.err);
    let json = run.json();
    assert_eq!((json["services"].as_array().unwrap().len(), json["gate"].as_array().unwrap().len()), (0, 0));
    let text = prodcheck_in(folder.path(), &[]).out;
    assert!(text.contains("no service found") && !text.contains("eady:"), "{text}");
}

#[test]
fn a_server_of_a_framework_that_is_not_read_is_unknown_and_not_out_of_scope() {
    let manifest = |library: &str| {
        format!(
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{library} = \"0.6\"\n"
        )
    };
    let liveness = |library: &str| {
        let files = [("Cargo.toml", manifest(library)), ("src/main.rs", "fn main() {}\n".to_string())];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let json = json_of(tree(&files).path()).json();
        let row = json["checklist"].as_array().unwrap().iter().find(|row| row["item"] == "health/liveness").cloned();
        let row = row.unwrap();
        (row["status"].as_str().unwrap().to_string(), row["reason"].as_str().unwrap().to_string())
    };
    let (status, reason) = liveness("rouille");
    assert_eq!(status, "unknown");
    assert!(reason.contains("`shop`") && reason.contains("`rouille`"), "{reason}");
    assert_eq!(liveness("rayon").0, "na");
    let files = [("Cargo.toml", manifest("rouille")), ("src/main.rs", "fn main() {}\n".to_string())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let json = json_of(tree(&files).path()).json();
    let backups = json["checklist"].as_array().unwrap().iter().find(|row| row["item"] == "database/backups").cloned();
    assert_eq!(backups.unwrap()["reason"], "no database");
}

/// Findings and rows of one section, services with their routes.
fn of_section(report: &serde_json::Value, section: &str) -> serde_json::Value {
    let own = |list: &serde_json::Value| {
        let list = list.as_array().unwrap().iter();
        let own = list.filter(|entry| entry["item"].as_str().unwrap().split('/').next() == Some(section));
        own.cloned().collect::<Vec<_>>()
    };
    let services = report["services"].as_array().unwrap().iter();
    let services: Vec<_> = services
        .map(|service| serde_json::json!([service["name"], service["routes"], own(&service["checklist"])]))
        .collect();
    serde_json::json!([own(&report["findings"]), own(&report["checklist"]), services])
}

#[test]
fn a_section_alone_is_judged_as_in_the_whole_run() {
    let service = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop-api");
    let library = tree(&[
        ("Cargo.toml", "[package]\nname = \"shop-client\"\nversion = \"0.1.0\"\n"),
        ("src/lib.rs", "mod names;\nmod read;\npub fn key() -> Option<String> {\n    read::setting(names::KEY)\n}\n"),
        ("src/read.rs", "pub fn setting(name: &str) -> Option<String> {\n    std::env::var(name).ok()\n}\n"),
        ("src/names.rs", "pub const KEY: &str = \"SHOP_KEY\";\n"),
        ("src/mode.rs", "enum Mode {\n    Development,\n    Production,\n}\n"),
        ("src/other.rs", &format!("pub const API_TOKEN: &str = \"{}\";\n", sample("random", 3).unwrap())),
        ("README.md", "# shop-client\n"),
    ]);
    for root in [service, library.path().to_str().unwrap()] {
        let whole = json_of(Path::new(root)).json();
        let rows = whole["checklist"].as_array().unwrap().iter();
        let sections: std::collections::BTreeSet<&str> =
            rows.map(|row| row["item"].as_str().unwrap().split('/').next().unwrap()).collect();
        assert!(sections.len() > 5);
        for section in sections {
            let alone = prodcheck(&["--format", "json", "--only", section, root]).json();
            assert_eq!(of_section(&alone, section), of_section(&whole, section), "{root} {section}");
        }
    }
}

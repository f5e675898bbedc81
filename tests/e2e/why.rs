//! `prodcheck explain --why PATH:LINE`: what each value of a line was taken for, and why.

use crate::samples::expand;
use crate::support::{Run, prodcheck, prodcheck_in, service, write};

const CODE: &str = r#"
pub const JWT_SECRET: &str = "{{secret:password}}";
pub const CLIENT_TOKEN: &str = "changeme";
pub const ADMIN_PASSWORD: &str = "${ADMIN_PASSWORD}";
pub const GREETING: &str = "good morning";
pub const PASSWORD_HASH: &str = "{{secret:hex}}";
fn plain(x: u32) -> u32 { x + 1 }
pub const UPSTREAM: &str = "AKIAIOSFODNN7EXAMPLE";
// prodcheck: allow(hardcoded-credential) reason="revoked last year"
pub const OLD_API_TOKEN: &str = "{{secret:password#old}}";
fn port() -> String { std::env::var("SESSION_KEY").unwrap_or_else(|_| "{{secret:password#session}}".to_string()) }
#[cfg(test)]
mod tests {
    pub const TEST_TOKEN: &str = "{{secret:password#test}}";
}
"#;

fn repository() -> tempfile::TempDir {
    let folder = service();
    write(folder.path(), "src/keys.rs", expand(CODE));
    write(folder.path(), "deploy/api.sh", expand("export DB_PASSWORD=\"{{secret:password#shared}}\"\n"));
    write(folder.path(), "src/again.rs", expand("const DB_PASSWORD: &str = \"{{secret:password#shared}}\";\n"));
    write(folder.path(), "Cargo.lock", "version = 4\n");
    folder
}

/// The answer for a line of `src/keys.rs`, which holds no value whole.
fn why(arguments: &[&str], line: u32) -> Run {
    let folder = repository();
    let place = format!("src/keys.rs:{line}");
    let mut all = vec!["explain"];
    all.extend(arguments);
    all.extend(["--why", &place]);
    let run = prodcheck_in(folder.path(), &all);
    for secret in ["password", "password#old", "password#session", "password#test", "hex"] {
        let value = expand(&format!("{{{{secret:{secret}}}}}"));
        assert!(!run.out.contains(&value) && !run.err.contains(&value), "the value of {secret} is printed");
    }
    run
}

/// Text of the answer in one line, so that wrapping does not matter.
fn said(run: &Run) -> String {
    assert_eq!(run.code, 0, "{}", run.err);
    run.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says(arguments: &[&str], line: u32, parts: &[&str]) {
    let text = said(&why(arguments, line));
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_reported_secret_names_the_rule_and_what_spoke_of_it() {
    says(
        &["hardcoded-credential"],
        2,
        &["`JWT_SECRET`", "a secret", "speaks of a secret", "looks random", "reported by hardcoded-credential"],
    );
}

#[test]
fn a_rule_that_does_not_report_it_says_what_it_asks() {
    says(
        &["hardcoded-secret"],
        2,
        &[
            "not reported by hardcoded-secret: it asks that `by_name` is `false`; here it is `true`",
            "reported by hardcoded-credential",
        ],
    );
}

#[test]
fn what_is_no_secret_has_the_reason() {
    says(&[], 3, &["`CLIENT_TOKEN`", "no secret", "a placeholder"]);
    says(&[], 4, &["`ADMIN_PASSWORD`", "no secret", "a reference"]);
    says(&[], 6, &["`PASSWORD_HASH`", "not judged", "does not say that its value is secret"]);
    says(&[], 8, &["no secret", "example value, as documentation writes them"]);
}

#[test]
fn a_line_without_a_candidate_says_what_would_be_one() {
    says(&[], 5, &["`GREETING`", "not judged", "a value is a candidate when"]);
    says(&[], 7, &["no candidate on this line", "a value is a candidate when"]);
}

#[test]
fn suppressed_defaults_and_tests_are_told() {
    says(&[], 10, &["a secret", "not reported by hardcoded-credential: a comment allows it: revoked last year"]);
    says(&[], 11, &["`SESSION_KEY`", "stands in when nothing else is set", "reported by weak-default-secret"]);
    says(&[], 14, &["a secret", "role test", "does not look at code with the role test"]);
}

#[test]
fn the_same_value_elsewhere_is_named() {
    let folder = repository();
    let places = ["src/again.rs:1", "deploy/api.sh:1"].map(|place| {
        let run = prodcheck_in(folder.path(), &["explain", "--why", place]);
        said(&run)
    });
    let elsewhere = places.iter().filter(|text| text.contains("the same value stands at")).count();
    assert_eq!(elsewhere, 1, "{places:?}");
    assert!(places.iter().all(|text| text.contains("reported by hardcoded-credential")), "{places:?}");
}

#[test]
fn json_has_the_same_answer() {
    let json = why(&["hardcoded-credential", "--format", "json"], 2).json();
    let value = &json["values"][0];
    assert_eq!((json["line"].as_u64(), value["verdict"].as_str()), (Some(2), Some("secret")));
    assert_eq!(value["name"], "JWT_SECRET");
    assert_eq!(value["rules"][0]["rule"], "hardcoded-credential");
    assert_eq!(value["rules"][0]["reports"], true);
    let none = why(&["--format", "json"], 7).json();
    assert_eq!(none["values"].as_array().unwrap().len(), 0);
    assert!(none["would_be"].as_str().unwrap().contains("known kinds"));
}

#[test]
fn the_repository_can_be_named_and_a_column_may_follow() {
    let folder = repository();
    let root = folder.path().to_str().unwrap();
    let file = folder.path().join("src/keys.rs");
    for place in ["src/keys.rs:2".to_string(), "src/keys.rs:2:31".to_string(), format!("{}:2", file.display())] {
        let run = prodcheck(&["explain", "--why", &place, "--root", root]);
        assert!(said(&run).contains("reported by hardcoded-credential"), "{place}: {}", run.out);
    }
}

#[test]
fn files_that_are_not_searched_say_so() {
    let folder = repository();
    let run = prodcheck_in(folder.path(), &["explain", "--why", "Cargo.lock:1"]);
    assert!(said(&run).contains("not searched: lock files"), "{}", run.out);
}

#[test]
fn a_wrong_place_is_a_usage_error_that_says_what_is_wrong() {
    let folder = repository();
    let other = service();
    let outside = format!("{}:1", other.path().join("src/main.rs").display());
    let rows = [
        ("src/keys.rs", "--why wants PATH:LINE"),
        ("src/keys.rs:0", "--why wants PATH:LINE"),
        ("src/keys.rs:none", "--why wants PATH:LINE"),
        ("src/nothing.rs:1", "src/nothing.rs does not exist below ."),
        ("src/keys.rs:999", "src/keys.rs has 15 lines: there is no line 999"),
        ("src:1", "src is a folder"),
        (outside.as_str(), "name the repository with --root"),
    ];
    for (place, expected) in rows {
        let run = prodcheck_in(folder.path(), &["explain", "--why", place]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{place}");
        assert!(run.err.contains(expected), "{place}: {}", run.err);
    }
}

#[test]
fn a_rule_that_reports_no_secret_is_a_usage_error() {
    for (rule, expected) in [
        ("missing-panic-handler", "answers for the rules that report secrets"),
        ("hardcoded-secrets", "did you mean `hardcoded-secret`?"),
    ] {
        let run = why(&[rule], 2);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(run.err.contains(expected), "{}", run.err);
    }
    let run = prodcheck(&["explain", "hardcoded-secret", "--root", "."]);
    assert_eq!(run.code, 2, "--root without --why is an error");
}

#[test]
fn what_is_encrypted_as_it_stands_is_said() {
    let folder = service();
    let sops = "database_password: ENC[AES256_GCM,data:abc,iv:def,tag:ghi,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:x,type:str]\n";
    write(folder.path(), "config/production.yaml", sops);
    write(
        folder.path(),
        "config/live.env",
        "DATABASE_PASSWORD=ENC[AES256_GCM,data:abc,type:str]\nsops_mac=ENC[AES256_GCM,data:x]\n",
    );
    let sealed =
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData:\n    password: AgBy3i4OJSWK\n";
    write(folder.path(), "deploy/sealed.yaml", sealed);
    for (place, expected) in [
        ("config/production.yaml:1", "SOPS encrypted it"),
        ("config/live.env:1", "SOPS encrypted it"),
        ("deploy/sealed.yaml:5", "it is sealed for one cluster"),
    ] {
        let text = said(&prodcheck_in(folder.path(), &["explain", "--why", place]));
        assert!(text.contains(expected), "{place}: {text}");
    }
}

#[test]
fn settings_of_another_file_are_read() {
    let folder = repository();
    write(folder.path(), "other/settings.toml", "[scan]\nexclude = [\"src/keys.rs\"]\n");
    let run = prodcheck_in(folder.path(), &["explain", "--why", "src/keys.rs:2", "--config", "other/settings.toml"]);
    assert_eq!(run.code, 2, "{}", run.out);
    assert!(run.err.contains("prodcheck.toml excludes it"), "{}", run.err);
}

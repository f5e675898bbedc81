#![allow(clippy::unwrap_used)]

use crate::facts::{Attr, Confidence, Data, Fact};
use crate::link::catalog::Catalog;
use crate::link::link;
use crate::link::trial::repository;

/// Facts of a service whose one handler, `order`, has this body; items may follow it after `}`.
fn facts(body: &str) -> Vec<Fact> {
    let manifest = "[package]\nname = \"shop\"\n[dependencies]\naxum = \"0.8\"\ntokio = \"1\"\n";
    let code = format!(
        "use axum::{{Router, routing::get}};\nasync fn main() {{ let app = Router::new().route(\"/o\", get(order)); axum::serve(l, app).await; }}\n\
         async fn order(input: String, pool: sqlx::PgPool, headers: axum::http::HeaderMap) -> String {{ {body} }}"
    );
    let repository = repository(&[("Cargo.toml", manifest), ("src/main.rs", &code)]);
    link(&repository, &Catalog::default()).facts.all
}

/// Whether the unwraps of a body can fail, with how sure that is.
fn panics(body: &str) -> Vec<(bool, Confidence)> {
    let of = |fact: &Fact| match &fact.data {
        Data::Panic(panic) => Some((panic.fallible.is_true(), fact.confidence)),
        _ => None,
    };
    facts(body).iter().filter_map(of).collect()
}

#[test]
fn unwraps_of_what_cannot_fail_are_told_apart() {
    for safe in [
        "STATE.lock().unwrap();",
        "regex::Regex::new(\"a+\").unwrap();",
        "writeln!(text, \"x\").unwrap();",
        "input.split(',').next().unwrap();",
        "if input.is_empty() { return input; } input.chars().last().unwrap();",
        "tokio::spawn(work()).await.unwrap();",
        "serde_json::to_string(&input).unwrap();",
        "now.duration_since(UNIX_EPOCH).unwrap();",
        "Response::builder().status(200).body(input).unwrap();",
        "map.get(&input).expect(\"checked above\");",
        "date.and_hms_opt(0, 0, 0).unwrap();",
    ] {
        assert_eq!(panics(safe), [(false, Confidence::High)], "{safe}");
    }
}

#[test]
fn unwraps_of_input_networks_and_databases_can_fail() {
    for fallible in [
        "input.parse::<u32>().unwrap();",
        "pool.acquire().await.unwrap();",
        "serde_json::from_str::<Order>(&input).unwrap();",
        "let text = headers.get(\"x\").map(Header::to_str); uuid::Uuid::parse_str(&input).unwrap();",
        "let number = input.parse::<u32>(); number.unwrap();",
        "Response::builder().header(\"x\", format!(\"a{input}\")).body(input).unwrap();",
        "std::fs::read(&input).unwrap();",
    ] {
        assert_eq!(panics(fallible), [(true, Confidence::High)], "{fallible}");
    }
}

#[test]
fn what_only_might_fail_decides_nothing() {
    for unsure in ["map.get(&input).unwrap();", "self_made(input).unwrap();", "list.first().unwrap();"] {
        assert_eq!(panics(unsure), [(true, Confidence::Low)], "{unsure}");
    }
}

/// Sensitive names in the log statements of a body.
fn logged(body: &str) -> Vec<String> {
    let of = |fact: &Fact| match &fact.data {
        Data::LogCall(call) => call.sensitive.known().cloned(),
        _ => None,
    };
    facts(body).iter().filter_map(of).flatten().collect()
}

#[test]
fn sensitive_values_are_found_in_every_form_of_a_log() {
    for (body, names) in [
        ("let password = input; info!(\"{password}\");", vec!["password"]),
        ("let token = input; info!(\"{}\", token);", vec!["token"]),
        ("let token = input; info!(%token, \"text\");", vec!["token"]),
        ("warn!(\"{1} {0}\", user.id, user.email());", vec!["email"]),
        ("debug!(\"{:?}\", headers);", vec!["headers"]),
        ("info!(\"{:?}\", headers.get(\"authorization\"));", vec!["authorization"]),
        ("info!(\"token of {}\", user.id);", vec![]),
        ("info!(length = token.len(), \"the password is wrong\");", vec![]),
        ("info!(email = %mask(&email));", vec![]),
        ("let key: SecretString = input; info!(api_key = ?key);", vec![]),
    ] {
        assert_eq!(logged(body), names, "{body}");
    }
}

#[test]
fn a_struct_is_as_sensitive_as_the_fields_that_its_debug_shows() {
    let config = "} #[derive(Debug)] struct Config { port: u16, inner: Inner } #[derive(Debug)] struct Inner { secret: KIND }\
        fn other() { ";
    let shown = format!("let config = Config::load(); info!(?config); {}", config.replace("KIND", "String"));
    assert_eq!(logged(&shown), ["config.inner.secret"]);
    let hidden = format!("let config = Config::load(); info!(?config); {}", config.replace("KIND", "SecretString"));
    assert!(logged(&hidden).is_empty());
}

#[test]
fn blocking_calls_count_where_they_run() {
    let blocking = |body: &str| -> Vec<(bool, bool)> {
        let of = |fact: &Fact| match &fact.data {
            Data::BlockingCall(call) => Some((call.in_request.is_true(), call.offloaded.is_true())),
            _ => None,
        };
        facts(body).iter().filter_map(of).collect()
    };
    assert_eq!(blocking("std::fs::read(&input);"), [(true, false)]);
    let away = "tokio::task::spawn_blocking(move || std::fs::read(&input)).await;";
    assert_eq!(blocking(away), [(false, true), (false, true)], "the call, and where it is handed over");
    assert_eq!(blocking("tokio::task::spawn_blocking(move || pack(&input)).await;"), [(false, true)]);
    assert_eq!(blocking("tokio::fs::read(&input).await;"), []);
    assert_eq!(blocking("hasher.verify_password(&input, &hash);"), [(true, false)]);
    assert_eq!(blocking("} fn unused() { std::fs::read(\"x\"); "), []);
}

#[test]
fn prints_are_logs_where_requests_reach_them() {
    let prints = |body: &str| -> Vec<(Attr<bool>, Confidence)> {
        let of = |fact: &Fact| match &fact.data {
            Data::PrintCall(call) => Some((call.command_line.clone(), fact.confidence)),
            _ => None,
        };
        facts(body).iter().filter_map(of).collect()
    };
    assert_eq!(prints("eprintln!(\"lost\");"), [(Attr::Known(false), Confidence::High)]);
    assert_eq!(prints("} fn usage() { println!(\"usage\"); "), [(Attr::Known(true), Confidence::Low)]);
    assert_eq!(prints("if cfg!(debug_assertions) { println!(\"x\"); }"), []);
    let conversion =
        "impl From<sqlx::Error> for Lost { fn from(_: sqlx::Error) -> Lost { eprintln!(\"lost\"); Lost } } struct Lost;
        type Fallible<T> = Result<T, Lost>;";
    let by_question = |returns: &str| {
        prints(&format!(
            "find().ok(); String::new() }} fn find() -> {returns} {{ ask()?; Ok(1) }} {conversion} fn last() {{ "
        ))
    };
    assert_eq!(by_question("Result<u8, Lost>"), [(Attr::Known(false), Confidence::Medium)]);
    assert_eq!(by_question("Fallible<u8>"), [(Attr::Known(false), Confidence::Medium)]);
    assert_eq!(by_question("Result<u8, Other>"), [(Attr::Known(true), Confidence::Low)]);
}

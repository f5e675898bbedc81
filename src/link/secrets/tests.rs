#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use super::kinds;
use super::patterns;
use super::sample::{expand, sample};
use crate::facts::vocabulary::Secret;
use crate::facts::{Data, Fact, FactKind};
use crate::link::catalog::Catalog;
use crate::link::trial::repository;
use crate::link::{Linked, link};

/// The facts that linking these files gives.
fn linked(files: &[(&str, &str)]) -> Linked {
    let mut all = vec![("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n")];
    all.extend_from_slice(files);
    link(&repository(&all), &Catalog::default())
}

fn secrets(linked: &Linked) -> Vec<(&Fact, &Secret)> {
    linked
        .facts
        .of(FactKind::Secret)
        .filter_map(|(_, fact)| match &fact.data {
            Data::Secret(secret) => Some((fact, secret)),
            _ => None,
        })
        .collect()
}

/// Kind, location, whether it is for development only, of the one secret of a file.
fn only(path: &str, text: &str) -> Option<(String, String, bool)> {
    let linked = linked(&[(path, text)]);
    let found = secrets(&linked);
    assert!(found.len() <= 1, "{path}: {found:?}");
    let (_, secret) = found.first()?;
    Some((
        secret.kind.known().unwrap().clone(),
        secret.location.known().unwrap().clone(),
        secret.development_only.is_true(),
    ))
}

fn real(path: &str, text: &str) -> String {
    match only(path, text) {
        Some((_, location, false)) => location,
        other => panic!("{path}: {text}: {other:?}"),
    }
}

fn development(path: &str, text: &str) {
    assert!(matches!(only(path, text), Some((_, _, true))), "{path}: {text}: {:?}", only(path, text));
}

fn none(path: &str, text: &str) {
    assert_eq!(only(path, text), None, "{path}: {text}");
}

fn random() -> String {
    expand("{alnum:40}", 11)
}

#[test]
fn the_catalog_is_sound() {
    let all = kinds::all();
    assert_eq!(all.errors, Vec::<String>::new());
    assert!(all.kinds.len() >= 150, "{}", all.kinds.len());
    let ids: BTreeSet<&str> = all.kinds.iter().map(|kind| kind.id.as_str()).collect();
    assert_eq!(ids.len(), all.kinds.len());
    for kind in &all.kinds {
        assert!(kind.regex().is_some(), "{}", kind.id);
        assert!(kind.check.is_none() || kind.check().is_some(), "{}", kind.id);
        assert!(kind.entropy >= 2.5 || kind.check.is_some(), "{}: nothing keeps made-up values out", kind.id);
        // What it opens, then how to revoke it.
        assert!(kind.revoke.split("; ").filter(|part| part.len() >= 6).count() >= 2, "{}: {}", kind.id, kind.revoke);
        assert!(!kind.matches.is_empty() && kind.keywords.iter().all(|word| word.len() >= 2), "{}", kind.id);
    }
}

#[test]
fn every_kind_is_found_in_every_surrounding() {
    let mut missed = Vec::new();
    for kind in &kinds::all().kinds {
        for (at, template) in kind.matches.iter().enumerate() {
            for seed in 0..20u64 {
                let value = expand(template, seed * 31 + at as u64);
                let text = match seed % 4 {
                    0 => format!("first line\n{value}\nlast line\n"),
                    1 => format!("{value}\r\n"),
                    2 => format!("a: 1\n{value}"),
                    _ => value.clone(),
                };
                if patterns::find(&text).is_empty() {
                    missed.push((kind.id.as_str(), value));
                }
            }
        }
    }
    let kinds: BTreeSet<&str> = missed.iter().map(|(kind, _)| *kind).collect();
    // A random value that happens to look like a sequence or a word is let go: less than one in two hundred.
    let tries: usize = kinds::all().kinds.iter().map(|kind| kind.matches.len() * 20).sum();
    assert!(missed.len() * 200 <= tries, "{} of {tries}: {kinds:?}: {:?}", missed.len(), missed.first());
}

#[test]
fn what_must_not_match_does_not() {
    for kind in &kinds::all().kinds {
        for template in &kind.not {
            let value = expand(template, 5);
            assert!(patterns::find(&value).iter().all(|found| found.kind.id != kind.id), "{}: {value}", kind.id);
        }
    }
    for value in
        ["AKIAIOSFODNN7EXAMPLE", "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx", "ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        assert!(patterns::find(value).is_empty(), "{value}");
    }
}

#[test]
fn a_piece_of_base64_is_no_token() {
    let found = |template: &str| patterns::find(&expand(template, 7)).len();
    for token in ["EAA{alnum:150}", "AKIA{base32:16}"] {
        assert_eq!(found(&format!("key = \"{token}\"")), 1, "{token}");
        assert_eq!(found(&format!("https://shop.io/me/{token}")), 1, "{token}");
        assert_eq!(found(&format!("data = \"{token}/{{base64:44}}\"")), 0, "{token}");
        assert_eq!(found(&format!("data = \"{{alnum:40}}+{token}\"")), 0, "{token}");
        assert_eq!(found(&format!("data = \"{token}==\"")), 0, "{token}");
    }
}

#[test]
fn rust_literals() {
    let key = random();
    assert_eq!(real("src/a.rs", &format!("const JWT_SECRET: &str = \"{key}\";")), "code");
    assert_eq!(real("src/a.rs", "pub const DB_PASSWORD: &str = \"hunter2-Prod!2024\";"), "code");
    assert_eq!(
        real("src/a.rs", "fn k() -> EncodingKey { EncodingKey::from_secret(b\"my-little-signing-word\") }"),
        "code"
    );
    assert_eq!(real("src/a.rs", &format!("fn f() {{ let api_key = \"{key}\"; }}")), "code");
    none("src/a.rs", "const ACCESS_TOKEN: &str = \"access_token\";");
    none("src/a.rs", "const PASSWORD_FIELD: &str = \"hunter2-Prod!2024\";");
    none("src/a.rs", "fn f() { let password = \"password\"; }");
    none("src/a.rs", "fn f() { let secret = std::env::var(\"JWT_SECRET\"); }");
    none("src/a.rs", "fn f() { let token_error = \"The token has expired or is invalid\"; }");
    let linked = linked(&[("src/a.rs", &format!("#[cfg(test)] mod t {{ const JWT_SECRET: &str = \"{key}\"; }}"))]);
    assert_eq!(secrets(&linked)[0].0.role, crate::scan::source::Role::Test);
}

#[test]
fn defaults_of_rust_code() {
    for text in [
        "fn f() { std::env::var(\"JWT_SECRET\").unwrap_or_else(|_| \"secret\".to_string()) }",
        "fn default_admin_pwd() -> String { \"admin\".to_string() }",
        "impl Default for Settings { fn default() -> Settings { Settings { hash_secret: \"secret\".to_owned() } } }",
    ] {
        let linked = linked(&[("src/a.rs", text)]);
        let found = secrets(&linked);
        assert!(found.len() == 1 && found[0].1.default_value.is_true(), "{text}: {found:?}");
    }
    none(
        "src/a.rs",
        "impl Default for Settings { fn default() -> Settings { Settings { token_type: \"Bearer\".to_owned(), secret: String::new() } } }",
    );
}

#[test]
fn settings_files() {
    let key = random();
    assert_eq!(real("config.toml", "[database]\npassword = \"hunter2-Prod!2024\"\n"), "config");
    assert_eq!(
        real("configuration/base.yaml", "app:\n  hmac_secret: \"a-long-and-random-key-for-integrity\"\n"),
        "config"
    );
    assert_eq!(real(".env", &format!("JWT_SECRET = {key} # signs\n")), "env-file");
    development(".env", "POSTGRES_PASSWORD=pswd1234\n");
    development("config/local.yaml", "database:\n  password: hunter2-Prod\n");
    none(".env.example", &format!("JWT_SECRET={key}\n"));
    none("config.toml", "jwt_secret = \"${JWT_SECRET}\"\n");
    none("config.toml", "jwt_secret = \"changeme\"\n");
    none("features.toml", "[features]\nsecrets = [\"cookie/private\", \"cookie/key-expansion\"]\n");
    none("locales/de.json", "{\"password\": \"Passwort123\"}");
    none("openapi.yaml", "openapi: 3.0.0\ncomponents:\n  schemas:\n    a: { default: { password: hunter2-Prod } }\n");
}

#[test]
fn a_terraform_state_is_read_by_what_it_marks() {
    let key = random();
    let state = |outputs: &str, resources: &str| {
        format!("{{\"version\": 4, \"outputs\": {{{outputs}}}, \"resources\": [{resources}]}}")
    };
    let resource = |kind: &str, attributes: &str, marked: &str| {
        format!(
            "{{\"type\": \"{kind}\", \"instances\": [{{\"attributes\": {{{attributes}}}, \"sensitive_attributes\": [{marked}]}}]}}"
        )
    };
    let marked = "[{\"type\": \"get_attr\", \"value\": \"settings\"}, {\"type\": \"index\", \"value\": {\"value\": 1, \"type\": \"number\"}}, {\"type\": \"get_attr\", \"value\": \"content\"}]";
    let settings = format!("\"settings\": [{{\"content\": \"first\"}}, {{\"content\": \"{key}\"}}]");
    let plain = format!("\"zone\": \"{key}\"");
    for (path, text) in [
        ("infra/terraform.tfstate", state(&format!("\"x\": {{\"value\": \"{key}\", \"sensitive\": true}}"), "")),
        (
            "infra/terraform.tfstate.backup",
            state("", &resource("aws_db_instance", &format!("\"password\": \"{key}\""), "")),
        ),
        ("infra/a.tfstate", state("", &resource("local_thing", &settings, marked))),
        ("infra/a.tfstate", state("", &resource("random_password", &format!("\"result\": \"{key}\""), ""))),
    ] {
        assert_eq!(real(path, &text), "config", "{text}");
    }
    none("infra/a.tfstate", &state("", &resource("local_thing", &settings, "")));
    none("infra/a.tfstate", &state("", &resource("aws_zone", &plain, "")));
    none("infra/a.tfstate", &state("\"x\": {\"value\": \"shop\", \"type\": \"string\"}", ""));
}

#[test]
fn hjson_is_read_by_its_keys() {
    let key = random();
    assert_eq!(real("config/shop.hjson", &format!("{{\n  database: {{\n    password: {key}\n  }}\n}}\n")), "config");
    assert_eq!(real("config/shop.hjson", &format!("smtp_password: \"{key}\"\n")), "config");
    none("config/shop.hjson", &format!("{{\n  # password: {key}\n  id: {key}\n}}\n"));
}

#[test]
fn manifests_and_images() {
    let encoded = "aHVudGVyMi1Qcm9k";
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{ name: a }}\ndata:\n  DB_PASS: {encoded}\n  DB_USER: YXBwdXNlcg==\n"
    );
    assert_eq!(real("k8s/secret.yaml", &secret), "manifest");
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n  env:\n    - name: JWT_SECRET\n      value: {}\n",
        random()
    );
    assert_eq!(real("k8s/api.yaml", &deployment), "manifest");
    none(
        "k8s/api.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  env:\n    - name: JWT_SECRET\n      valueFrom: { secretKeyRef: { name: jwt-secret, key: jwt } }\n",
    );
    development(
        "docker-compose.yml",
        "services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_PASSWORD: postgres\n",
    );
    development(
        "docker-compose.yml",
        "services:\n  db:\n    image: postgres\n    environment:\n      - POSTGRES_PASSWORD=postgres\n",
    );
    assert_eq!(real("Dockerfile", "FROM alpine:3\nENV ADMIN_PASSWORD=admin\n"), "image");
    development("Dockerfile", "FROM alpine:3\nARG DB_PASSWORD=postgres\nRUN true\n");
    assert_eq!(
        real("main.tf", &format!("variable \"db_password\" {{\n  default = \"{}\"\n}}\n", random())),
        "manifest"
    );
    none("main.tf", "resource \"x\" \"y\" {\n  password = var.db_password\n}\n");
}

#[test]
fn pipelines_and_seeds() {
    let workflow =
        |line: &str| format!("on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    env:\n      {line}\n");
    assert_eq!(real(".github/workflows/ci.yml", &workflow(&format!("UPLOAD_TOKEN: {}", random()))), "ci");
    development(".github/workflows/ci.yml", &workflow("POSTGRES_PASSWORD: postgres"));
    none(".github/workflows/ci.yml", &workflow("UPLOAD_TOKEN: ${{ secrets.UPLOAD_TOKEN }}"));
    none(".github/workflows/ci.yml", &workflow("UPLOAD_TOKEN: ${{ steps.make-token.outputs.token }}"));
    let key_id = format!(
        "AWS_ACCESS_KEY_ID: {}\n      AWS_SECRET_ACCESS_KEY: ${{{{ secrets.AWS }}}}",
        sample("aws-access-key-id", 1).unwrap()
    );
    none(".github/workflows/ci.yml", &workflow(&key_id));
    let seed = "INSERT INTO users (name, password_hash) VALUES ('admin', '$argon2id$v=19$m=15000,t=2,p=1$abc$def');";
    assert_eq!(real("migrations/1_seed.sql", seed), "sql");
}

#[test]
fn one_value_is_one_secret() {
    let key = random();
    let env = format!("JWT_SECRET={key}\n");
    let linked = linked(&[
        (".env.staging", &env),
        (".env.production", &env),
        ("src/a.rs", &format!("const JWT_SECRET: &str = \"{key}\";")),
    ]);
    let found = secrets(&linked);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1.places.known(), Some(&3.0));
    assert_eq!(found[0].1.shared_environments.known().unwrap(), &["production", "staging"]);
    assert_eq!(found[0].0.related.len(), 2);
    assert_eq!(linked.masks.len(), 3);
    assert!(!format!("{:?}", linked.facts).contains(&key));
}

#[test]
fn a_common_file_counts_for_the_environments_beside_it() {
    let linked = linked(&[
        ("configuration/base.yaml", "app:\n  hmac_secret: \"a-long-and-random-key-for-integrity\"\n"),
        ("configuration/local.yaml", "app:\n  host: 127.0.0.1\n"),
        ("configuration/production.yaml", "app:\n  host: 0.0.0.0\n"),
    ]);
    assert_eq!(secrets(&linked)[0].1.shared_environments.known().unwrap(), &["development", "production"]);
}

/// Forms in which a value stands in files of twelve types, with the name `NAME` and the value `VALUE`.
const FORMS: &[(&str, &str)] = &[
    ("src/NUMBER.rs", "pub const NAME: &str = \"VALUE\";\n"),
    ("src/b/NUMBER.rs", "fn f() { let client = Client { name: \"VALUE\".to_string(), port: 1 }; }\n"),
    ("config/NUMBER.toml", "[service]\nport = 1\nname = \"VALUE\"\n"),
    ("config/NUMBER.yaml", "service:\n  port: 1\n  name: VALUE\n"),
    ("config/NUMBER.json", "{ \"service\": { \"port\": 1, \"name\": \"VALUE\" } }\n"),
    ("NUMBER/.env", "PORT=1\nNAME=VALUE\n"),
    ("config/NUMBER.properties", "port=1\nservice.name=VALUE\n"),
    ("NUMBER/Dockerfile", "FROM alpine:3\nENV NAME=VALUE\n"),
    ("k8s/NUMBER.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  env:\n    - name: NAME\n      value: \"VALUE\"\n"),
    ("infra/NUMBER.tf", "resource \"a\" \"b\" {\n  name = \"VALUE\"\n}\n"),
    ("deploy/NUMBER.sh", "#!/bin/sh\nexport NAME=\"VALUE\"\n"),
    ("web/NUMBER.ts", "const port = 1;\nexport const name = 'VALUE';\n"),
];

/// One file for each form; a value of a kind with a prefix of its own stands under a name that says nothing.
fn planted(name: &str, value: impl Fn(u64) -> String, first: u64) -> Vec<(String, String)> {
    let make = |(at, (path, text)): (u64, &(&str, &str))| {
        let number = first + at;
        let lower = name.to_ascii_lowercase();
        let text = text.replace("NAME", name).replace("name", &lower).replace("VALUE", &value(number));
        // `name:` is part of the form of a variable's entry.
        let text = text.replace(&format!("- {lower}: "), "- name: ");
        (path.replace("NUMBER", &format!("f{number}")), text)
    };
    (0u64..).zip(FORMS).map(make).collect()
}

fn found_in(files: &[(String, String)]) -> usize {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let linked = linked(&files);
    secrets(&linked)
        .iter()
        .filter(|(fact, secret)| !secret.development_only.is_true() && fact.confidence > crate::facts::Confidence::Low)
        .count()
}

#[test]
fn planted_tokens_are_found_in_files_of_all_types() {
    // Formats that stand by themselves: the others need the name of their provider beside them.
    let alone = |template: &str| !expand(template, 1).contains(['=', ':', ' ', '\n', '"', '\'', '$', '{']);
    let kinds =
        kinds::all().kinds.iter().filter(|kind| kind.matches.iter().all(|template| alone(template)) && !kind.test_mode);
    let mut files = Vec::new();
    for kind in kinds {
        files.extend(planted("CLIENT_VALUE", |seed| expand(&kind.matches[0], seed), files.len() as u64 * 7));
    }
    assert!(files.len() > 900, "{}", files.len());
    let found = found_in(&files);
    assert!(found * 100 >= files.len() * 98, "{found} of {}", files.len());
}

#[test]
fn planted_credentials_are_found_in_files_of_all_types() {
    let mut files = Vec::new();
    for name in ["JWT_SECRET", "API_TOKEN", "SESSION_KEY", "DB_PASSWORD", "MAIL_API_KEY"] {
        for round in 0..4 {
            files.extend(planted(name, |seed| expand("{alnum:32}", seed), files.len() as u64 * 5 + round));
        }
    }
    let found = found_in(&files);
    assert!(found * 100 >= files.len() * 98, "{found} of {}", files.len());
}

#[test]
fn lookalikes_are_not() {
    let values = [
        "${VALUE_FROM_OUTSIDE}",
        "changeme",
        "<your-secret>",
        "{uuid}",
        "sha256:{hex:64}",
        "$2b$12${alnum:53}",
        "/run/secrets/db",
        "https://accounts.example.org/token",
        "{{ .Values.secret }}",
        "your-secret-key-here",
        "xxxxxxxxxxxxxxxx",
        "Bearer",
    ];
    let mut files = Vec::new();
    for name in ["JWT_SECRET", "API_TOKEN"] {
        for value in values {
            files.extend(planted(name, |seed| expand(value, seed), files.len() as u64));
        }
    }
    for name in ["PUBLIC_KEY", "COMMIT", "CHECKSUM", "TOKEN_ID", "SECRET_NAME", "CACHE_KEY", "PASSWORD_HASH"] {
        files.extend(planted(name, |seed| expand("{hex:40}", seed), files.len() as u64));
    }
    let found = found_in(&files);
    assert!(found * 100 <= files.len() * 2, "{found} of {}", files.len());
}

#[test]
fn samples_can_be_made() {
    assert!(sample("github-ghp", 1).unwrap().starts_with("ghp_"));
    assert_ne!(sample("random", 1), sample("random", 2));
    assert_eq!(sample("no-such-kind", 1), None);
    assert_eq!(super::redact(&random()).chars().count(), 8);
    assert_eq!(super::redact("short"), "****");
}

#[test]
fn odd_texts_are_no_trouble() {
    let long = format!("password = \"{}\"", "a1B2".repeat(300_000));
    for text in ["", "\u{feff}", "://", "a://b:@c", "password=", "-----BEGIN PRIVATE KEY-----", &long] {
        linked(&[("a.txt", text), ("b.rs", text), ("c.yaml", text), ("d.sql", text), (".env", text), ("e.sh", text)]);
    }
}

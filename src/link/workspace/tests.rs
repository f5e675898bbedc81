#![allow(clippy::unwrap_used)]

use super::*;
use crate::link::trial::repository;

fn package_at<'w>(workspace: &'w Workspace, folder: &str) -> &'w Package {
    workspace.at(folder).unwrap()
}

#[test]
fn dependencies_inherit_from_the_workspace() {
    let root = "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\n\
        axum = { version = \"0.8\", features = [\"ws\"], default-features = false }\nstore = { path = \"crates/store\" }\n";
    let app = "[package]\nname = \"my-app\"\n[dependencies]\naxum = { workspace = true, features = [\"macros\"] }\n\
        store.workspace = true\nsql = { package = \"sqlx\", version = \"0.8\" }\n[dev-dependencies]\naxum = \"0.8\"\ntokio-test = \"1\"\n";
    let store = "[package]\nname = \"store\"\n";
    let files = [
        ("Cargo.toml", root),
        ("crates/app/Cargo.toml", app),
        ("crates/app/src/main.rs", ""),
        ("crates/store/Cargo.toml", store),
        ("crates/store/src/lib.rs", ""),
    ];
    let workspace = Workspace::build(&repository(&files));
    let app = package_at(&workspace, "crates/app");
    assert_eq!(app.workspace, "");
    let axum = app.dependency("axum").unwrap();
    assert_eq!((axum.version.as_str(), axum.features.join(" "), axum.development), ("0.8", "macros ws".into(), false));
    assert!(axum.no_default_features);
    assert_eq!(app.dependency("store").unwrap().local.as_deref(), Some("crates/store"));
    assert_eq!(app.dependency("sql").unwrap().package, "sqlx");
    assert!(app.dependency("tokio_test").unwrap().development);
}

#[test]
fn targets_are_found_as_cargo_finds_them() {
    let manifest = "[package]\nname = \"my-app\"\n[lib]\npath = \"src/core.rs\"\n[[bin]]\nname = \"admin\"\npath = \"tools/admin.rs\"\n";
    let files = [
        ("Cargo.toml", manifest),
        ("build.rs", ""),
        ("src/core.rs", ""),
        ("src/main.rs", ""),
        ("src/bin/worker.rs", ""),
        ("src/bin/sync/main.rs", ""),
        ("src/bin/sync/part.rs", ""),
        ("tools/admin.rs", ""),
        ("tests/api/main.rs", ""),
        ("tests/api/support.rs", ""),
        ("examples/small.rs", ""),
    ];
    let repository = repository(&files);
    let workspace = Workspace::build(&repository);
    let mut found: Vec<String> = package_at(&workspace, "")
        .targets
        .iter()
        .map(|target| format!("{:?} {} {}", target.kind, target.name, repository.tree.file(target.root).path))
        .collect();
    found.sort();
    let expected = [
        "Binary admin tools/admin.rs",
        "Binary my-app src/main.rs",
        "Binary sync src/bin/sync/main.rs",
        "Binary worker src/bin/worker.rs",
        "BuildScript build build.rs",
        "Example small examples/small.rs",
        "Library my_app src/core.rs",
        "Test api tests/api/main.rs",
    ];
    assert_eq!(found, expected);
}

#[test]
fn features_are_active_where_a_program_asks_for_them() {
    let app = "[package]\nname = \"app\"\n[features]\ndefault = [\"full\"]\nfull = [\"core/full\"]\nextra = []\ncloud = []\n\
        [dependencies]\ncore = { path = \"core\", default-features = false }\n";
    let core = "[package]\nname = \"core\"\n[features]\ndefault = [\"slow\"]\nfull = [\"db\"]\ndb = []\nslow = []\n";
    let files = [
        ("Cargo.toml", app),
        ("src/main.rs", ""),
        ("core/Cargo.toml", core),
        ("core/src/lib.rs", ""),
        ("Dockerfile", "FROM rust\nARG WHICH=cloud\nRUN cargo build \\\n  --release --features ${WHICH}\n"),
    ];
    let workspace = Workspace::build(&repository(&files));
    let active = |folder| package_at(&workspace, folder).active_features.clone().unwrap();
    assert!(active("").contains(&"full".to_string()) && active("").contains(&"cloud".to_string()));
    assert!(!active("").contains(&"extra".to_string()));
    assert!(active("core").contains(&"db".to_string()));
    assert!(!active("core").contains(&"slow".to_string()));
}

#[test]
fn default_features_are_off_where_every_image_leaves_them_out() {
    let app = "[package]\nname = \"app\"\n[features]\ndefault = [\"dev\"]\ndev = []\nprod = []\n";
    let active = |dockerfile: &str| {
        let files = [("Cargo.toml", app), ("src/main.rs", ""), ("Dockerfile", dockerfile)];
        let on = package_at(&Workspace::build(&repository(&files)), "").active_features.clone().unwrap();
        ["dev", "prod"].map(|feature| on.contains(&feature.to_string()))
    };
    let without = "RUN cargo build --release --no-default-features \\\n  --features prod\n";
    assert_eq!(active(&format!("FROM rust\n{without}")), [false, true]);
    assert_eq!(active(&format!("FROM rust\nRUN apt-get update && cargo +nightly build\n{without}")), [true, true]);
    assert_eq!(active("FROM rust\nRUN cargo build --release --features prod\n"), [true, true]);
    assert_eq!(active(&format!("FROM rust\n# RUN cargo build\n{without}")), [false, true]);
    let twice = "FROM rust\nRUN cargo build --no-default-features --features=prod --features=dev\n";
    assert_eq!(active(twice), [true, true]);
}

#[test]
fn features_that_reading_cannot_resolve_are_unknown() {
    let files = [
        ("Cargo.toml", "[package]\nname = \"app\"\n[features]\na = []\n"),
        ("src/main.rs", ""),
        ("Dockerfile", "FROM rust\nRUN cargo build --features \"$FEATURES\"\n"),
    ];
    assert_eq!(package_at(&Workspace::build(&repository(&files)), "").active_features, None);
}

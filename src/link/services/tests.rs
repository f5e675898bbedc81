#![allow(clippy::unwrap_used)]

use super::*;
use crate::facts::{Data, Facts};
use crate::link::trial::repository;
use crate::link::{Linked, link};

fn linked(files: &[(&str, &str)]) -> (crate::link::Repository, Linked) {
    let repository = repository(files);
    let linked = link(&repository, &Catalog::default());
    (repository, linked)
}

fn services(files: &[(&str, &str)]) -> Vec<Service> {
    linked(files).1.facts.services
}

const APP: &str = "[package]\nname = \"shop\"\n[dependencies]\naxum = \"0.8\"\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n";

#[test]
fn a_program_that_starts_a_server_is_a_service() {
    let main = "mod app; fn main() { app::run(); }";
    let app = "use sqlx::PgPool; pub fn run() { axum::serve(listener, router()); } pub fn metrics_server() { axum::serve(); }";
    let found = services(&[("Cargo.toml", APP), ("src/main.rs", main), ("src/app.rs", app)]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].folder.as_str()), ("shop", "."));
    assert_eq!(found[0].frameworks, ["axum 0.8"]);
    assert_eq!(found[0].databases, ["postgres:sqlx"]);
}

#[test]
fn libraries_tests_examples_and_mocks_are_none() {
    let start = "async fn main() { axum::serve(l, r).await; }";
    for files in [
        [("Cargo.toml", APP), ("src/lib.rs", start)],
        [("Cargo.toml", APP), ("examples/small.rs", start)],
        [("Cargo.toml", APP), ("tests/api.rs", start)],
        [("Cargo.toml", APP), ("src/main.rs", "fn main() { mock_server(); } fn mock_server() { axum::serve(l, r); }")],
        [
            ("Cargo.toml", APP),
            ("src/main.rs", "fn main() {} #[cfg(test)] mod tests { fn main() { axum::serve(l, r); } }"),
        ],
    ] {
        assert_eq!(services(&files), [], "{files:?}");
    }
}

#[test]
fn a_server_in_a_library_belongs_to_the_program_that_reaches_it() {
    let root = "[workspace]\nmembers = [\"*\"]\n";
    let server = "[package]\nname = \"server\"\n[dependencies]\ncore = { path = \"../core\" }\n";
    let tool = "[package]\nname = \"tool\"\n[dependencies]\ncore = { path = \"../core\" }\n";
    let core = "[package]\nname = \"core\"\n[dependencies]\nactix-web = \"4\"\n";
    let files = [
        ("Cargo.toml", root),
        ("server/Cargo.toml", server),
        ("server/src/main.rs", "fn main() { core::serve(); }"),
        ("tool/Cargo.toml", tool),
        ("tool/src/main.rs", "fn main() { core::list(); }"),
        ("core/Cargo.toml", core),
        ("core/src/lib.rs", "pub fn serve() { actix_web::HttpServer::new(app).run(); } pub fn list() {}"),
        ("deploy.yaml", "a: 1\n"),
    ];
    let (repository, linked) = linked(&files);
    let names: Vec<&str> = linked.facts.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["server"]);
    assert_eq!(linked.facts.services[0].crates, ["server", "core"]);
    assert_eq!(linked.facts.services[0].frameworks, ["actix-web 4"]);
    let workspace = Workspace::build(&repository);
    let owners = |path: &str| {
        of_file(&repository, &workspace, &linked.facts.services, repository.tree.find(path).unwrap().id).len()
    };
    assert_eq!((owners("core/src/lib.rs"), owners("tool/src/main.rs"), owners("deploy.yaml")), (1, 0, 1));
}

#[test]
fn a_start_that_the_call_graph_cannot_follow_counts() {
    let manifest = "[package]\nname = \"shop\"\n[dependencies]\nrocket = \"0.5\"\n";
    let main = "fn main() { run_all!(); } struct S; impl Plugin for S { fn go(&self) { rocket::build().launch(); } }";
    assert_eq!(services(&[("Cargo.toml", manifest), ("src/main.rs", main)]).len(), 1);
    let launch = "#[macro_use] extern crate rocket; #[launch] fn rocket() -> _ { make() }";
    assert_eq!(services(&[("Cargo.toml", manifest), ("src/main.rs", launch)]).len(), 1);
}

#[test]
fn manifests_give_facts() {
    let manifest = format!(
        "{APP}serde = {{ git = \"x\" }}\n[dev-dependencies]\ninsta = \"1\"\n[profile.release]\npanic = \"abort\"\n"
    );
    let files = [("Cargo.toml", manifest.as_str()), ("src/main.rs", "fn main() { axum::serve(l, r); }")];
    let (_, linked) = linked(&files);
    let facts: &Facts = &linked.facts;
    let dependency = |name: &str| {
        facts.all.iter().find_map(|fact| match &fact.data {
            Data::Dependency(found) if found.name == Attr::from(name) => Some(found.clone()),
            _ => None,
        })
    };
    assert_eq!(dependency("serde").unwrap().source, Attr::from("git"));
    assert!(dependency("insta").unwrap().development.is_true());
    assert!(
        facts
            .all
            .iter()
            .any(|fact| matches!(&fact.data, Data::PanicStrategy(found) if found.strategy == Attr::from("abort")))
    );
    let lock = facts.all.iter().find_map(|fact| match &fact.data {
        Data::Lockfile(found) => Some(found.clone()),
        _ => None,
    });
    assert_eq!(lock.unwrap().present, Attr::Known(false));
}

use crate::facts::Attr;

#[test]
fn a_helper_on_a_local_socket_is_none_beside_a_server_on_the_network() {
    let root = "[workspace]\nmembers = [\"*\"]\n";
    let tray = "[package]\nname = \"tray\"\n[dependencies]\ntonic = \"0.14\"\n";
    let local = "fn main() { let l = UnixListener::bind(path()); tonic::transport::Server::builder().serve(l); }";
    let either = "fn main() { let l = if local() { UnixListener::bind(path()) } else { TcpListener::bind(a) }; axum::serve(l, r); }";
    let server = ("server/Cargo.toml", APP);
    let files = |tray_main: &'static str, server_main: &'static str| {
        let tray = [("tray/Cargo.toml", tray), ("tray/src/main.rs", tray_main)];
        let found = services(&[("Cargo.toml", root), server, ("server/src/main.rs", server_main), tray[0], tray[1]]);
        found.iter().map(|service| service.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(files(local, "fn main() { axum::serve(l, r); }"), ["shop"]);
    assert_eq!(files(local, "fn main() {}"), ["tray"]);
    assert_eq!(files(local, either), ["shop"]);
}

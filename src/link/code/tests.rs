//! Every example of the catalog, through the whole pipeline.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::facts::{Attr, Facts, Value};
use crate::link::catalog::entry::Example;
use crate::link::catalog::{Catalog, Entry};
use crate::link::trial::repository;
use crate::link::{Repository, link};

/// What an item starts with; everything else is a statement.
const ITEMS: &[&str] =
    &["fn ", "async fn ", "pub fn ", "struct ", "trait ", "impl ", "mod ", "const ", "static ", "#[", "enum "];

fn catalog() -> Catalog {
    Catalog::load(&Catalog::files(crate::check::embedded::RULES)).unwrap()
}

/// Imports, items or statements: a main file.
fn program(code: &str) -> String {
    let mut rest = code.trim();
    let mut uses = String::new();
    while rest.starts_with("use ") {
        let (one, more) = rest.split_once(';').unwrap();
        writeln!(uses, "{one};").unwrap();
        rest = more.trim();
    }
    if ITEMS.iter().any(|item| rest.starts_with(item)) {
        return format!("{uses}{rest}\nfn main() {{}}\n");
    }
    format!("{uses}async fn example() {{ {rest}; }}\nfn main() {{}}\n")
}

fn manifest(name: &str, crates: &BTreeSet<&str>, entry: &Entry, example: &Example) -> String {
    let mut text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n");
    for krate in crates {
        let version = example.version.as_deref().filter(|_| *krate == entry.krate).unwrap_or("*");
        let features = if *krate == entry.krate { entry.features.clone() } else { Vec::new() };
        writeln!(text, "{krate} = {{ version = \"{version}\", features = {features:?} }}").unwrap();
    }
    text
}

fn examples(catalog: &Catalog) -> Vec<(&Entry, &Example)> {
    catalog.entries().iter().flat_map(|entry| entry.examples.iter().map(move |example| (entry, example))).collect()
}

/// A package for each example.
fn tree(catalog: &Catalog) -> Repository {
    let known =
        catalog.entries().iter().map(|entry| entry.krate.as_str()).filter(|krate| *krate != "std" && !krate.is_empty());
    let mut files = Vec::new();
    let crates: BTreeSet<&str> = known.chain(["axum", "tokio", "time", "tracing", "log", "serde"]).collect();
    for (at, (entry, example)) in examples(catalog).into_iter().enumerate() {
        files.push((format!("e{at}/Cargo.toml"), manifest(&format!("e{at}"), &crates, entry, example)));
        files.push((format!("e{at}/src/main.rs"), program(&example.code)));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    repository(&files)
}

fn same(expected: &Attr<Value>, found: &Attr<Value>) -> bool {
    match (expected, found) {
        (Attr::Known(Value::Number(a)), Attr::Known(Value::Number(b))) => (a - b).abs() < 1e-9,
        _ => expected == found,
    }
}

fn gives(entry: &Entry, example: &Example, facts: &Facts, repository: &Repository, folder: &str) -> Vec<String> {
    let here = |place| repository.tree.at(place).0.starts_with(folder);
    let of_kind: Vec<_> = facts.of(entry.fact).filter(|(_, fact)| here(fact.place)).map(|(_, fact)| fact).collect();
    let fits = |fact: &&&crate::facts::Fact| {
        example.gives.iter().all(|(name, value)| same(value, &fact.data.get(name).unwrap_or_default()))
    };
    if of_kind.iter().any(|fact| fits(&fact)) {
        Vec::new()
    } else {
        of_kind.iter().map(|fact| format!("{:?}", fact.data)).collect()
    }
}

#[test]
fn every_example_of_the_catalog_gives_what_it_says() {
    let catalog = catalog();
    let repository = tree(&catalog);
    let facts = link(&repository, &catalog).facts;
    let mut wrong = String::new();
    for (at, (entry, example)) in examples(&catalog).into_iter().enumerate() {
        let folder = format!("e{at}/");
        let set = |fact: &crate::facts::Fact| {
            entry.set.iter().all(|(name, value)| fact.data.get(name).as_ref() == Some(value))
        };
        let here = |fact: &crate::facts::Fact| repository.tree.at(fact.place).0.starts_with(&folder);
        let any = facts.of(entry.fact).any(|(_, fact)| here(fact) && (example.matches || set(fact)));
        let others = gives(entry, example, &facts, &repository, &folder);
        let (file, _) = &entry.origin;
        if any != example.matches || (example.matches && !others.is_empty()) {
            writeln!(wrong, "{file}:{}: `{}`\n    gives {others:?}", example.line, example.code).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_library_that_is_spoken_of_by_methods_has_an_example() {
    let catalog = catalog();
    let without: Vec<String> = catalog
        .entries()
        .iter()
        .filter(|entry| !entry.methods.is_empty() && !entry.part && entry.examples.is_empty())
        .map(|entry| format!("{}:{} {}", entry.origin.0, entry.origin.1, entry.tail.join("::")))
        .collect();
    // Other paths of an entry share its examples, so only entries as a whole are counted.
    let lines: BTreeSet<&(String, usize)> =
        catalog.entries().iter().filter(|entry| !entry.examples.is_empty()).map(|entry| &entry.origin).collect();
    assert!(lines.len() > 100, "{} entries have examples; without: {without:?}", lines.len());
}

fn facts_of(code: &str) -> Facts {
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\nreqwest = \"0.12\"\nsqlx = \"0.8\"\n";
    let facts = || link(&repository(&[("Cargo.toml", manifest), ("src/main.rs", code)]), &catalog()).facts;
    crate::cli::pipeline::on_deep_stack(facts).unwrap()
}

#[test]
fn functions_and_constants_that_need_themselves_come_to_an_end() {
    let facts = facts_of(
        "const A: u32 = B; const B: u32 = A + 1;\n\
         fn one() -> reqwest::ClientBuilder { two().timeout(std::time::Duration::from_secs(3)) }\n\
         fn two() -> reqwest::ClientBuilder { if true { one() } else { reqwest::Client::builder() } }\n\
         fn three() { sqlx::postgres::PgPoolOptions::new().max_connections(A); three(); }\n\
         fn main() { one(); three(); }",
    );
    let clients: Vec<_> = facts.of(crate::facts::FactKind::OutboundClient).collect();
    assert_eq!(clients.len(), 1);
    assert_eq!(clients[0].1.data.get("timeout"), Some(Attr::Known(Value::Number(3.0))));
    let pools: Vec<_> = facts.of(crate::facts::FactKind::Pool).collect();
    assert_eq!(pools[0].1.data.get("max_size"), Some(Attr::Unknown));
}

#[test]
fn a_chain_of_many_methods_is_one_builder() {
    let chain = ".user_agent(\"shop\")".repeat(200);
    let code = format!("fn main() {{ reqwest::Client::builder(){chain}.timeout(limit()).build(); }}");
    let facts = facts_of(&code);
    let clients: Vec<_> = facts.of(crate::facts::FactKind::OutboundClient).collect();
    assert_eq!(clients.len(), 1);
    assert_eq!(clients[0].1.data.get("timeout"), Some(Attr::Unknown));
}

#[test]
fn macros_of_the_file_are_looked_into() {
    let main = "macro_rules! setting { ($name:expr) => { std::env::var($name).ok() }; ($name:expr, $or:expr) => { std::env::var($name).unwrap_or_else(|_| $or.to_string()) } }
        macro_rules! client { ($name:ident) => { pub fn $name() -> reqwest::Client { reqwest::Client::new() } } }
        client!(first); client!(second);
        #[tokio::main] async fn main() { let port = setting!(\"PORT\"); let host = setting!(\"HOST\", \"0.0.0.0\"); axum::serve(l(), axum::Router::new()).await; }";
    let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\n[dependencies]\naxum = \"0.8\"\nreqwest = \"0.12\"\ntokio = \"1\"\n";
    let linked = link(&repository(&[("Cargo.toml", manifest), ("src/main.rs", main)]), &catalog());
    let mut read: Vec<String> = linked
        .facts
        .all
        .iter()
        .filter_map(|fact| match &fact.data {
            crate::facts::Data::EnvRead(read) => read.name.known().cloned(),
            _ => None,
        })
        .collect();
    read.sort();
    assert_eq!(read, ["HOST", "PORT"]);
    let clients = linked.facts.of(crate::facts::FactKind::OutboundClient).count();
    assert!(clients >= 1, "{clients}");
}

/// Every rule about secrets, in a tree without a service: no entry of the catalog makes them read all code.
#[test]
fn rules_about_secrets_ask_for_names_and_not_for_all_code() {
    use crate::check::{asks, checklist::Checklist, rules::RuleSet, settings::Settings};
    use crate::link::needed::{Asked, Rust};

    let rules = RuleSet::load(crate::check::embedded::RULES).unwrap();
    let checklist = Checklist::load(crate::check::embedded::RULES).unwrap();
    let of_secrets = rules.rules().iter().filter(|rule| rule.item.starts_with("secrets/"));
    let settings = Settings { only: Some(of_secrets.map(|rule| rule.id.clone()).collect()), ..Settings::default() };
    let demand = crate::link::demand::Demand::of(asks::kinds(&rules, &checklist, &settings));
    let (catalog, workspace) = (catalog(), crate::link::workspace::Workspace::default());
    let asked = Asked { demand: &demand, catalog: &catalog, workspace: &workspace, has_services: false };
    assert!(matches!(super::needed(&asked), Rust::Names(_)));
}

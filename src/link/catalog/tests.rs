#![allow(clippy::unwrap_used)]

use super::{Catalog, Subject};

const POOL: &str = r#"
[[call]]
path = ["sqlx::postgres::PgPoolOptions::new", "sqlx::pool::PoolOptions::new"]
fact = "pool"
set = { library = "sqlx" }
methods.max_connections = { attribute = "max_size" }
"#;

fn errors_of(text: &str) -> Vec<String> {
    let Err(errors) = Catalog::load(&[("catalog/own.toml", text)]) else { return Vec::new() };
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_type_is_found_under_every_module_of_its_crate() {
    let catalog = Catalog::load(&[("catalog/own.toml", POOL)]).unwrap();
    for (path, found) in [
        ("sqlx::postgres::PgPoolOptions::new", 1),
        ("sqlx::PgPoolOptions::new", 1),
        ("own::PgPoolOptions::new", 0),
        ("sqlx::postgres::PgPoolOptions::default", 0),
        ("sqlx::PoolOptions::new", 1),
    ] {
        assert_eq!(catalog.at_path(Subject::Call, path).count(), found, "{path}");
    }
}

#[test]
fn errors_point_into_the_toml() {
    let wrong = POOL.replace("max_size", "max_sise");
    assert_eq!(errors_of(&wrong), ["catalog/own.toml:6: fact `pool` has no attribute `max_sise`"]);
    let wrong = POOL.replace("\"pool\"", "\"pond\"");
    assert_eq!(errors_of(&wrong), ["catalog/own.toml:4: unknown fact `pond`"]);
    let wrong = POOL.replace("\"sqlx\" }", "5 }");
    assert_eq!(errors_of(&wrong), ["catalog/own.toml:5: `library` is a Text, and `5` is none"]);
    let wrong = POOL.replace("[[call]]", "[[cell]]");
    assert_eq!(errors_of(&wrong), ["catalog/own.toml:2: unknown kind of entry `cell`"]);
}

#[test]
fn every_wrong_entry_is_reported() {
    let twice = format!("{}{}", POOL.replace("max_size", "a"), POOL.replace("max_size", "b"));
    assert_eq!(errors_of(&twice).len(), 2);
}

#[test]
fn the_embedded_files_load() {
    let files = Catalog::files(crate::check::embedded::RULES);
    assert!(!files.is_empty());
    let errors = Catalog::load(&files).err().unwrap_or_default();
    assert!(errors.is_empty(), "{}", errors.iter().map(|error| format!("{error}\n")).collect::<String>());
}

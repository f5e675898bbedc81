//! The tables of known layers and of what frameworks do by default: `rules/catalog/routes/*.toml`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::super::catalog::versions::Range;
use crate::facts::{Attr, Data, Value};

/// One kind of layer that a name of a crate makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The crate in code.
    pub krate: String,
    /// The kind.
    pub kind: String,
}

#[derive(Deserialize)]
struct Layers {
    #[serde(rename = "crate")]
    crates: Vec<OfCrate>,
    methods: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct OfCrate {
    name: String,
    #[serde(flatten)]
    kinds: BTreeMap<String, Vec<String>>,
}

/// Known layers by name, and methods of stacks by name.
#[derive(Debug, Default)]
struct Tables {
    layers: BTreeMap<String, Vec<Known>>,
    methods: BTreeMap<String, String>,
}

/// A fact that a framework establishes without being asked.
#[derive(Debug)]
pub struct Default {
    /// The framework.
    pub framework: String,
    /// Versions that do it.
    pub versions: Range,
    /// What switches it off.
    pub unless: Option<String>,
    /// The fact.
    pub data: Data,
}

#[derive(Deserialize)]
struct Defaults {
    default: Vec<WrittenDefault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDefault {
    framework: String,
    versions: String,
    unless: Option<String>,
    fact: String,
    set: toml::Table,
}

const LAYERS: &str = include_str!("../../../rules/catalog/routes/middleware.toml");
const DEFAULTS: &str = include_str!("../../../rules/catalog/routes/defaults.toml");

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| read_layers().unwrap_or_default())
}

fn read_layers() -> Result<Tables, toml::de::Error> {
    let written: Layers = toml::from_str(LAYERS)?;
    let mut tables = Tables::default();
    for krate in written.crates {
        for (kind, names) in krate.kinds {
            for name in names {
                let known = Known { krate: krate.name.clone(), kind: kind.clone() };
                tables.layers.entry(name).or_default().push(known);
            }
        }
    }
    for (kind, names) in written.methods {
        tables.methods.extend(names.into_iter().map(|name| (name, kind.clone())));
    }
    Ok(tables)
}

/// The known layer that a resolved path makes. A path that is unresolved (imported by glob) matches by a type's name
/// where only one crate of the table has it.
pub fn layer(path: &str) -> Option<&'static Known> {
    let mut segments = path.split("::");
    let first = segments.next()?;
    let names = || path.split("::").filter_map(|segment| tables().layers.get(segment));
    if let Some(known) = names().flatten().find(|known| known.krate == first) {
        return Some(known);
    }
    if !first.starts_with(char::is_uppercase) {
        return None;
    }
    match names().next()?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The kind that a method of a stack adds.
pub fn stack_method(name: &str) -> Option<&'static str> {
    tables().methods.get(name).map(String::as_str)
}

/// What frameworks do by default.
pub fn defaults() -> &'static [Default] {
    static ALL: OnceLock<Vec<Default>> = OnceLock::new();
    ALL.get_or_init(|| read_defaults().unwrap_or_default())
}

fn read_defaults() -> Option<Vec<Default>> {
    let written: Defaults = toml::from_str(DEFAULTS).ok()?;
    written.default.into_iter().map(made).collect()
}

fn made(written: WrittenDefault) -> Option<Default> {
    let mut data = crate::facts::vocabulary::schema(&written.fact)?.kind.empty();
    for (name, value) in &written.set {
        let value = match value {
            toml::Value::String(text) => Value::Text(text.clone()),
            toml::Value::Integer(number) => Value::Number(*number as f64),
            toml::Value::Boolean(flag) => Value::Flag(*flag),
            _ => return None,
        };
        data.set(name, Attr::Known(value)).then_some(())?;
    }
    Some(Default {
        framework: written.framework,
        versions: Range::parse(&written.versions)?,
        unless: written.unless,
        data,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{defaults, layer, read_defaults, read_layers, stack_method};

    #[test]
    fn the_tables_are_read_whole() {
        assert!(read_layers().is_ok());
        assert_eq!(read_defaults().unwrap().len(), defaults().len());
        assert!(!defaults().is_empty());
    }

    #[test]
    fn layers_are_known_by_crate_and_name() {
        assert_eq!(layer("tower_http::timeout::TimeoutLayer::new").unwrap().kind, "timeout");
        assert_eq!(layer("actix_web::middleware::Logger::default").unwrap().kind, "logging");
        assert_eq!(layer("CatchPanicLayer::new").unwrap().kind, "catch-panic");
        assert_eq!(layer("own::TimeoutLayer::new"), None);
        assert_eq!(layer("Logger::default"), None);
        assert_eq!(stack_method("set_x_request_id"), Some("request-id"));
    }
}

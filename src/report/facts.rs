//! The facts as a table or JSON, and the vocabulary: how people trust and debug what rules see.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::encode;
use super::quote::Quoter;
use crate::facts::vocabulary::SCHEMA;
use crate::facts::{Attr, AttrType, Confidence, Fact, FactId, FactSchema, Facts, Value};
use crate::scan::source::Tree;

/// A fact as it is listed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Listed {
    /// Its number, which links point to.
    id: u32,
    /// Its kind.
    fact: &'static str,
    /// Relative path.
    path: String,
    /// The commit of the file, where it is one of the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// 1-based line.
    line: u32,
    /// 1-based column.
    column: u32,
    /// Role of the code it was found in.
    role: &'static str,
    /// Why the file has that role, where more than its name decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_because: Option<String>,
    /// How sure.
    confidence: Confidence,
    /// Only a framework's default establishes it.
    default: bool,
    /// Names of the services it belongs to.
    services: Vec<String>,
    /// Attributes that are set; an unresolved one is `{"unknown": true}`.
    attributes: Map<String, Json>,
}

/// Facts of these kinds (all without any), sorted by kind and place.
pub fn list(facts: &Facts, tree: &Tree, quoter: &Quoter, kinds: &[String]) -> Vec<Listed> {
    let wanted = |fact: &Fact| kinds.is_empty() || kinds.iter().any(|kind| kind == fact.kind().name());
    let numbered = (0u32..).map(FactId).zip(&facts.all);
    let mut listed: Vec<Listed> =
        numbered.filter(|(_, fact)| wanted(fact)).map(|(id, fact)| one(id, fact, facts, tree, quoter)).collect();
    let order = |listed: &Listed| SCHEMA.iter().position(|schema| schema.name == listed.fact);
    listed.sort_by_cached_key(|listed| (order(listed), listed.path.clone(), listed.line, listed.column, listed.id));
    listed
}

fn one(id: FactId, fact: &Fact, facts: &Facts, tree: &Tree, quoter: &Quoter) -> Listed {
    let file = tree.file(fact.place.file);
    let at = file.line_column(fact.place.span.start);
    let service = |id: &crate::facts::ServiceId| facts.services.get(usize::from(id.0)).map(|of| quoter.prose(&of.name));
    Listed {
        id: id.0,
        fact: fact.kind().name(),
        path: file.path.clone(),
        commit: tree.past(fact.place.file).map(|past| past.commit.id.clone()),
        line: at.line,
        column: at.column,
        role: fact.role.word(),
        role_because: Some(&file.role_because)
            .filter(|_| fact.role == file.role)
            .filter(|why| !why.is_empty())
            .map(|why| quoter.prose(why)),
        confidence: fact.confidence,
        default: fact.is_default,
        services: fact.services.iter().filter_map(service).collect(),
        attributes: attributes(fact, quoter),
    }
}

fn attributes(fact: &Fact, quoter: &Quoter) -> Map<String, Json> {
    let schema = schema_of(fact.kind().name());
    let mut set = Map::new();
    for attribute in schema.map_or(&[][..], |schema| schema.attributes) {
        match fact.data.get(attribute.name) {
            Some(Attr::Known(value)) => _ = set.insert(attribute.name.to_string(), known(&value, quoter)),
            Some(Attr::Unknown) => _ = set.insert(attribute.name.to_string(), json!({ "unknown": true })),
            Some(Attr::Unset) | None => {}
        }
    }
    set
}

fn schema_of(kind: &str) -> Option<&'static FactSchema> {
    SCHEMA.iter().find(|schema| schema.name == kind)
}

fn known(value: &Value, quoter: &Quoter) -> Json {
    match value {
        Value::Text(text) => Json::from(quoter.prose(text)),
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => Json::from(*number as i64),
        Value::Number(number) => Json::from(*number),
        Value::Flag(flag) => Json::from(*flag),
        Value::List(list) => list.iter().map(|text| Json::from(quoter.prose(text))).collect(),
        Value::Links(links) => json!({ "facts": links.iter().map(|id| id.0).collect::<Vec<_>>() }),
    }
}

/// The facts as JSON.
pub fn json(listed: &[Listed]) -> String {
    encode::to_json(&json!({ "facts": listed }))
}

fn place(fact: &Listed) -> String {
    let path = fact.commit.as_ref().map_or_else(|| fact.path.clone(), |commit| format!("{commit}:{}", fact.path));
    format!("{path}:{}", fact.line)
}

/// The facts as a table: a heading for each kind, a line for each fact.
pub fn table(listed: &[Listed]) -> String {
    let mut out = String::new();
    for group in listed.chunk_by(|left, right| left.fact == right.fact) {
        let Some(first) = group.first() else { continue };
        _ = writeln!(out, "{} ({})", first.fact, group.len());
        let places: Vec<String> = group.iter().map(place).collect();
        let width = places.iter().map(|place| place.chars().count()).max().unwrap_or(0).min(48);
        for (fact, place) in group.iter().zip(&places) {
            _ = writeln!(out, "  #{:<5} {place:<width$}  {}", fact.id, in_words(fact));
        }
    }
    if listed.is_empty() {
        out.push_str("no facts\n");
    }
    out
}

fn in_words(fact: &Listed) -> String {
    let mut words: Vec<String> =
        fact.attributes.iter().map(|(name, value)| format!("{name}={}", short(value))).collect();
    let marks = [
        (fact.default, "(default)".to_string()),
        (fact.role != "service" || fact.role_because.is_some(), role(fact)),
        (fact.confidence == Confidence::Medium, "(medium confidence)".to_string()),
        (fact.confidence == Confidence::Low, "(low confidence)".to_string()),
        (!fact.services.is_empty(), format!("[{}]", fact.services.join(", "))),
    ];
    words.extend(marks.into_iter().filter(|(applies, _)| *applies).map(|(_, mark)| mark));
    words.join(" ")
}

fn role(fact: &Listed) -> String {
    let because = fact.role_because.as_ref().map(|because| format!(": {because}")).unwrap_or_default();
    format!("(role {}{because})", fact.role)
}

fn short(value: &Json) -> String {
    match value {
        Json::Object(links) if links.contains_key("facts") => {
            let ids = links["facts"].as_array().into_iter().flatten();
            ids.map(|id| format!("#{id}")).collect::<Vec<_>>().join(",")
        }
        Json::Object(_) => "?".to_string(),
        other => other.to_string(),
    }
}

/// The vocabulary as JSON: every kind of fact with its attributes, types and definitions.
pub fn schema() -> String {
    let kinds: Vec<Json> = SCHEMA.iter().map(kind).collect();
    encode::to_json(&json!({ "facts": kinds }))
}

fn kind(schema: &FactSchema) -> Json {
    let attributes = schema.attributes.iter().map(|attribute| {
        (attribute.name.to_string(), json!({ "type": type_name(attribute.ty), "definition": attribute.doc.trim() }))
    });
    json!({
        "name": schema.name,
        "definition": schema.doc.trim(),
        "attributes": attributes.collect::<BTreeMap<String, Json>>(),
    })
}

fn type_name(ty: AttrType) -> String {
    match ty {
        AttrType::Text => "text".to_string(),
        AttrType::Number => "number".to_string(),
        AttrType::Flag => "flag".to_string(),
        AttrType::List => "list".to_string(),
        AttrType::Links(kind) => format!("links({})", kind.name()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::facts::vocabulary::{Pool, Route};
    use crate::report::samples;
    use crate::scan::source::Role;

    fn facts(tree: &Tree) -> Facts {
        let mut facts = Facts::default();
        let at = |text: &str| samples::place(tree, "src/main.rs", text);
        let pool = Pool { library: "sqlx".into(), max_size: Attr::Unknown, ..Pool::default() };
        facts.add(Fact::new(pool, at("connect"), Role::Test));
        let route = Route { path: "/a".into(), auth: Attr::Known(false), ..Route::default() };
        facts.add(Fact::new(route, at("/a"), Role::Service));
        facts
    }

    #[test]
    fn facts_are_listed_by_kind_with_what_is_set() {
        let tree = samples::tree(&[("src/main.rs", "connect();\nroute(\"/a\");\n")]);
        let listed = list(&facts(&tree), &tree, &Quoter::default(), &[]);
        assert_eq!(
            table(&listed),
            "route (1)\n  #1     src/main.rs:2  path=\"/a\" auth=false\n\
             pool (1)\n  #0     src/main.rs:1  library=\"sqlx\" max_size=? (role test)\n"
        );
        let routes = list(&facts(&tree), &tree, &Quoter::default(), &["route".to_string()]);
        assert_eq!(routes.len(), 1);
    }

    #[test]
    fn the_vocabulary_names_every_kind_with_a_definition() {
        let schema: Json = serde_json::from_str(&schema()).unwrap();
        let kinds = schema["facts"].as_array().unwrap();
        assert_eq!(kinds.len(), SCHEMA.len());
        assert!(kinds.iter().all(|kind| !kind["definition"].as_str().unwrap().is_empty()));
    }
}

//! The JSON Schema of a rule file, with the vocabulary that its conditions speak: for editors.

use serde_json::{Map, Value as Json, json};

use crate::facts::vocabulary::SCHEMA;
use crate::facts::{AttrSchema, AttrType, FactSchema};

/// The schema.
pub fn schema() -> Json {
    let mut definitions = Map::new();
    for fact in SCHEMA {
        definitions.insert(format!("where_{}", fact.name), conditions(fact));
    }
    definitions.insert("select".into(), json!({ "anyOf": SCHEMA.iter().map(select).collect::<Vec<_>>() }));
    definitions.insert(
        "selects".into(),
        json!({ "anyOf": [
        { "$ref": "#/$defs/select" },
        { "type": "array", "items": { "$ref": "#/$defs/select" } },
    ] }),
    );
    definitions.insert("when".into(), when());
    definitions.insert("check".into(), check());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "prodcheck rule",
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "item", "severity", "title", "why"],
        "oneOf": [{ "required": ["forbid"] }, { "required": ["each"] }, { "required": ["require"] }],
        "properties": properties(),
        "$defs": definitions,
    })
}

fn text(definition: &str) -> Json {
    json!({ "type": "string", "description": definition })
}

fn properties() -> Json {
    json!({
        "id": text("Lower-case words with dashes; the file is named after it."),
        "item": text("The item of the checklist, `section/name`."),
        "part": text("The part of the item that the rule decides; without it the rule only advises."),
        "severity": { "enum": ["error", "warning", "note"] },
        "confidence": { "enum": ["high", "medium", "low"] },
        "title": text("What is wrong, one sentence; `{attribute}` stands for an attribute of the fact."),
        "shown": text("The reason of a pass."),
        "why": text("What goes wrong in production, concretely."),
        "fix": text("What to do."),
        "fixes": { "type": "object", "additionalProperties": { "type": "string" }, "required": ["default"] },
        "references": { "type": "array", "items": { "type": "string" } },
        "params": { "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } },
        "when": { "$ref": "#/$defs/when" },
        "related": { "type": ["object", "array"] },
        "forbid": { "$ref": "#/$defs/selects" },
        "evidence": { "$ref": "#/$defs/selects" },
        "each": { "$ref": "#/$defs/select" },
        "require": {
            "type": "object",
            "additionalProperties": false,
            "required": ["any"],
            "properties": {
                "any": { "$ref": "#/$defs/selects" },
                "anchor": { "type": "array", "items": { "type": "string" } },
            },
        },
    })
}

/// Facts of one kind that pass a test. `has` belongs to `each`.
fn select(fact: &FactSchema) -> Json {
    let conditions = json!({ "$ref": format!("#/$defs/where_{}", fact.name) });
    json!({
        "type": "object",
        "description": fact.doc.trim(),
        "required": ["fact"],
        "additionalProperties": false,
        "properties": {
            "fact": { "const": fact.name },
            "where": conditions,
            "has": conditions,
            "roles": { "type": "array", "items": { "type": "string" } },
            "shows": text("A link: as evidence, what it leads to is named before the fact itself."),
        },
    })
}

fn conditions(fact: &FactSchema) -> Json {
    let mut properties: Map<String, Json> =
        fact.attributes.iter().map(|attribute| (attribute.name.to_string(), condition(attribute))).collect();
    for common in ["file", "default", "role"] {
        properties.insert(common.to_string(), json!({ "$ref": "#/$defs/check" }));
    }
    let nested = json!({ "anyOf": [{ "type": "object" }, { "type": "array", "items": { "type": "object" } }] });
    for combined in ["any", "all", "not"] {
        properties.insert(combined.to_string(), nested.clone());
    }
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^[a-z_]+\\.": { "$ref": "#/$defs/check" } },
        "additionalProperties": false,
    })
}

fn condition(attribute: &AttrSchema) -> Json {
    let ty = match attribute.ty {
        AttrType::Text => "text".to_string(),
        AttrType::Number => "number".to_string(),
        AttrType::Flag => "flag".to_string(),
        AttrType::List => "list".to_string(),
        AttrType::Links(kind) => format!("links to {}", kind.name()),
    };
    json!({ "$ref": "#/$defs/check", "description": format!("{} ({ty})", attribute.doc.trim()) })
}

fn when() -> Json {
    json!({ "anyOf": [{ "$ref": "#/$defs/select" }, {
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "any": { "type": "array", "items": { "$ref": "#/$defs/when" } },
            "all": { "type": "array", "items": { "$ref": "#/$defs/when" } },
            "not": { "anyOf": [
                { "$ref": "#/$defs/when" },
                { "type": "array", "items": { "$ref": "#/$defs/when" } },
            ] },
        },
    }] })
}

/// A value, or operators.
fn check() -> Json {
    let inner = json!({ "$ref": "#/$defs/check" });
    json!({ "anyOf": [
        { "type": ["string", "number", "boolean"] },
        { "type": "object", "additionalProperties": false, "properties": {
            "in": { "type": "array", "items": { "type": ["string", "number", "boolean"] } },
            "matches": { "type": "string", "description": "A regular expression." },
            "exists": { "type": "boolean", "description": "It is set, whatever to." },
            "contains": inner,
            "lt": inner, "le": inner, "gt": inner, "ge": inner,
            "not": inner,
            "any": { "type": "array", "items": inner },
            "all": { "type": "array", "items": inner },
        } },
    ] })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::check::embedded::RULES;

    #[test]
    fn every_built_in_rule_fits_the_schema() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for (path, text) in RULES {
            if *path == "checklist.toml" || path.starts_with("catalog/") {
                continue;
            }
            let rule: Json = toml::from_str(text).unwrap();
            let errors: Vec<String> = validator.iter_errors(&rule).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn an_unknown_attribute_does_not_fit() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let rule = |attribute: &str| {
            json!({
                "id": "a", "item": "b/c", "severity": "note", "title": "t", "why": "w", "fix": "f",
                "forbid": [{ "fact": "pool", "where": { attribute: true } }],
            })
        };
        assert!(validator.is_valid(&rule("of_database")) && !validator.is_valid(&rule("of_databse")));
    }
}

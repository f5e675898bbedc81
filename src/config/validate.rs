//! A TOML text against a JSON Schema as schemars derives it: every difference, with its place.

use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Source;
use crate::check::settings::TomlError;

/// Everything that is wrong with a text: its syntax, or else its keys and values.
pub fn against_schema(source: &Source, schema: &Json) -> Vec<TomlError> {
    let (table, broken) = DeTable::parse_recoverable(&source.text);
    if !broken.is_empty() {
        let error =
            |error: toml::de::Error| source.error(error.span().unwrap_or(0..0), error.message().to_string(), None);
        return broken.into_iter().map(error).collect();
    }
    let mut check = Check { source, schema, errors: Vec::new() };
    check.table(table.get_ref(), 0..0, schema);
    check.errors.sort_by_key(|error| error.span.start);
    check.errors
}

/// The name that is most like what was written, where one is like it at all.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = names.into_iter().map(|name| (strsim::jaro_winkler(written, name), name));
    scored.filter(|(score, _)| *score > 0.75).max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, name)| name)
}

struct Check<'a> {
    source: &'a Source,
    schema: &'a Json,
    errors: Vec<TomlError>,
}

impl<'a> Check<'a> {
    fn wrong(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        self.errors.push(self.source.error(span, message, help));
    }

    /// A schema with its reference followed.
    fn resolve(&self, schema: &'a Json) -> &'a Json {
        let target = schema.get("$ref").and_then(Json::as_str).and_then(|path| path.strip_prefix('#'));
        target.and_then(|path| self.schema.pointer(path)).unwrap_or(schema)
    }

    /// The schemas that a value may fit; one when there is no choice.
    fn choices(&self, schema: &'a Json) -> Vec<&'a Json> {
        let schema = self.resolve(schema);
        let several = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Json::as_array);
        match several {
            Some(several) => several.iter().flat_map(|one| self.choices(one)).collect(),
            None => vec![schema],
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &'a Json) {
        let choices = self.choices(schema);
        if choices.iter().any(|choice| choice.get("type").is_none() && choice.get("const").is_none()) {
            return;
        }
        match value.get_ref() {
            DeValue::String(text) if choices.iter().any(|choice| takes_text(choice)) => {
                self.text(text, value.span(), &choices);
            }
            DeValue::Table(table) => match of_type(&choices, "object") {
                Some(schema) => self.table(table, value.span(), schema),
                None => self.type_error(value, &choices),
            },
            DeValue::Array(array) => match of_type(&choices, "array") {
                Some(schema) => {
                    for one in array.iter() {
                        self.value(one, schema.get("items").unwrap_or(&Json::Null));
                    }
                }
                None => self.type_error(value, &choices),
            },
            DeValue::Boolean(_) if of_type(&choices, "boolean").is_some() => {}
            DeValue::Integer(_) if of_type(&choices, "integer").is_some() => {}
            DeValue::Datetime(date) if choices.iter().any(|choice| is_date(choice)) => {
                self.day(&date.to_string(), value.span());
            }
            _ => self.type_error(value, &choices),
        }
    }

    fn text(&mut self, text: &str, span: Range<usize>, choices: &[&Json]) {
        let words: Vec<&str> = choices.iter().flat_map(|choice| words(choice)).collect();
        let is_free = choices.iter().any(|choice| has_type(choice, "string") && self::words(choice).is_empty());
        if choices.iter().any(|choice| is_date(choice)) {
            self.day(text, span);
        } else if !is_free && !words.contains(&text) {
            let help = (!words.is_empty()).then(|| format!("one of {}", words.join(", ")));
            let help = nearest(text, words).map(|word| format!("did you mean `{word}`?")).or(help);
            self.wrong(span, format!("`{text}` is not possible here"), help);
        }
    }

    fn day(&mut self, text: &str, span: Range<usize>) {
        if text.parse::<jiff::civil::Date>().is_err() {
            self.wrong(span, format!("`{text}` is not a day"), Some("YYYY-MM-DD".to_string()));
        }
    }

    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, schema: &'a Json) {
        let none = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Json::as_object);
        let known = properties.unwrap_or(&none);
        let others = schema.get("additionalProperties");
        for (key, value) in table.iter() {
            let name: &str = key.get_ref();
            match (properties.and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.value(value, schema),
                (None, Some(Json::Bool(false))) => {
                    let help = nearest(name, known.keys().map(String::as_str));
                    let help = help.map_or_else(
                        || format!("possible keys: {}", known.keys().cloned().collect::<Vec<_>>().join(", ")),
                        |name| format!("did you mean `{name}`?"),
                    );
                    self.wrong(key.span(), format!("unknown key `{name}`"), Some(help));
                }
                (None, Some(schema)) => self.value(value, schema),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        for name in required.filter(|name| !table.contains_key(*name)) {
            self.wrong(span.clone(), format!("`{name}` is missing"), None);
        }
    }

    fn type_error(&mut self, value: &Spanned<DeValue<'_>>, choices: &[&Json]) {
        let mut wanted: Vec<&str> = Vec::new();
        for word in choices.iter().flat_map(|choice| types(choice)).map(in_toml) {
            if !wanted.contains(&word) {
                wanted.push(word);
            }
        }
        let message = format!("expected {}, found {}", wanted.join(" or "), in_toml(value.get_ref().type_str()));
        self.wrong(value.span(), message, None);
    }
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(one)) => vec![one.as_str()],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).filter(|word| *word != "null").collect(),
        _ => Vec::new(),
    }
}

fn has_type(schema: &Json, wanted: &str) -> bool {
    types(schema).contains(&wanted)
}

fn of_type<'a>(choices: &[&'a Json], wanted: &str) -> Option<&'a Json> {
    choices.iter().copied().find(|choice| has_type(choice, wanted))
}

/// The words that a schema of strings allows; none when it allows all.
fn words(schema: &Json) -> Vec<&str> {
    let list = schema.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    list.chain(schema.get("const").and_then(Json::as_str)).collect()
}

fn takes_text(schema: &Json) -> bool {
    has_type(schema, "string") || !words(schema).is_empty()
}

fn is_date(schema: &Json) -> bool {
    schema.get("format").and_then(Json::as_str) == Some("date")
}

fn in_toml(name: &str) -> &str {
    match name {
        "object" | "table" => "a table",
        "array" => "a list",
        "string" => "a string",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "float" | "number" => "a number",
        "datetime" => "a date",
        other => other,
    }
}

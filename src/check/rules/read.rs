//! Reading conditions: `{ fact, where, roles }` and the language of `where`, checked against the vocabulary.

use std::collections::BTreeMap;

use regex::Regex;

use super::reader::Reader;
use super::select::{AttrPath, Attribute, Check, Common, Operand, Relation, Scalar, Select, Test, When};
use crate::facts::{AttrType, FactKind, FactSchema, vocabulary};
use crate::parse::document::{Entry, Node, Value};
use crate::scan::source::{Role, Span};

/// Conditions inside conditions are refused beyond this depth.
const DEPTH: usize = 32;

/// The parameters of a rule, by name.
pub(crate) type Params = BTreeMap<String, Scalar>;

/// `{ fact, where, roles, shows }`.
pub(crate) fn select_of(reader: &mut Reader, node: &Node, params: &Params, more_keys: &[&str]) -> Option<Select> {
    let known: Vec<&str> = ["fact", "where", "roles", "shows"].iter().chain(more_keys).copied().collect();
    reader.only_keys(node, &known);
    let schema = schema_of(reader, node)?;
    let test = node.get("where").map_or(Some(Test::default()), |node| test_of(reader, schema, node, params, 0));
    let roles = roles_of(reader, node);
    let shows = shows_of(reader, schema, node);
    Some(Select { kind: schema.kind, test: test?, roles, shows })
}

fn shows_of(reader: &mut Reader, schema: &'static FactSchema, node: &Node) -> Option<&'static str> {
    let name = reader.optional_text(node, "shows")?;
    let links = schema.attributes.iter().filter(|attribute| matches!(attribute.ty, AttrType::Links(_)));
    let links: Vec<&'static str> = links.map(|attribute| attribute.name).collect();
    let link = links.iter().copied().find(|link| *link == name);
    let span = node.get("shows").map_or(node.span, |shows| shows.span);
    if links.is_empty() {
        reader.error(span, format!("`{}` has no link to show", schema.name));
    } else if link.is_none() {
        reader.unknown_word("link", &name, span, links.into_iter());
    }
    link
}

fn schema_of(reader: &mut Reader, node: &Node) -> Option<&'static FactSchema> {
    let name = reader.text(node, "fact")?;
    let schema = vocabulary::schema(&name);
    if schema.is_none() {
        let span = node.get("fact").map_or(node.span, |fact| fact.span);
        reader.unknown_word("fact", &name, span, vocabulary::SCHEMA.iter().map(|schema| schema.name));
    }
    schema
}

const ROLES: &[Role] = &[
    Role::Service,
    Role::Test,
    Role::Example,
    Role::Bench,
    Role::BuildScript,
    Role::Development,
    Role::Docs,
    Role::Generated,
    Role::Vendored,
];

fn roles_of(reader: &mut Reader, node: &Node) -> Vec<Role> {
    if node.get("roles").is_none() {
        return vec![Role::Service];
    }
    let mut roles = Vec::new();
    for (word, span) in reader.texts(node, "roles") {
        match ROLES.iter().find(|role| role.word() == word) {
            Some(role) => roles.push(*role),
            None => reader.unknown_word("role", &word, span, ROLES.iter().map(|role| role.word())),
        }
    }
    roles
}

/// A condition over facts: `{ fact, where }`, or any, all, not of such.
pub(crate) fn when_of(reader: &mut Reader, node: &Node, params: &Params, more_keys: &[&str]) -> Option<When> {
    when_at(reader, node, params, more_keys, 0)
}

fn when_at(reader: &mut Reader, node: &Node, params: &Params, more_keys: &[&str], depth: usize) -> Option<When> {
    if depth > DEPTH {
        reader.error(node.span, "conditions are nested too deeply");
        return None;
    }
    if node.get("fact").is_some() {
        return select_of(reader, node, params, more_keys).map(When::Fact);
    }
    let known: Vec<&str> = ["any", "all", "not"].iter().chain(more_keys).copied().collect();
    reader.only_keys(node, &known);
    let mut all = Vec::new();
    for entry in node.entries() {
        let inner = |reader: &mut Reader| -> Vec<When> {
            let tables: Vec<Node> = reader.tables(&entry.value).into_iter().cloned().collect();
            tables.iter().filter_map(|node| when_at(reader, node, params, &[], depth + 1)).collect()
        };
        match &*entry.key {
            "any" => all.push(When::Any(inner(reader))),
            "all" => all.push(When::All(inner(reader))),
            "not" => all.extend(inner(reader).into_iter().map(|when| When::Not(Box::new(when)))),
            _ => {}
        }
    }
    if all.is_empty() {
        reader.error(node.span, "a condition is `fact` with `where`, or any, all or not of such");
        return None;
    }
    Some(if all.len() == 1 { all.remove(0) } else { When::All(all) })
}

/// A `where` table.
pub(super) fn test_of(
    reader: &mut Reader,
    schema: &'static FactSchema,
    node: &Node,
    params: &Params,
    depth: usize,
) -> Option<Test> {
    if depth > DEPTH {
        reader.error(node.span, "conditions are nested too deeply");
        return None;
    }
    if !matches!(node.value, Value::Map(_)) {
        reader.error(node.span, "a condition is a table of attributes");
        return None;
    }
    let mut all = Vec::new();
    for entry in node.entries() {
        all.push(test_entry(reader, schema, entry, params, depth)?);
    }
    Some(Test::All(all))
}

fn test_entry(
    reader: &mut Reader,
    schema: &'static FactSchema,
    entry: &Entry,
    params: &Params,
    depth: usize,
) -> Option<Test> {
    if !["any", "all", "not"].contains(&&*entry.key) {
        let (path, ty) = attribute_of(reader, schema, &entry.key, entry.key_span)?;
        return check_of(reader, ty, &entry.value, params, depth).map(|check| Test::Attr(path, check));
    }
    let tables: Vec<Node> = reader.tables(&entry.value).into_iter().cloned().collect();
    let tests: Option<Vec<Test>> = tables.iter().map(|node| test_of(reader, schema, node, params, depth + 1)).collect();
    Some(match &*entry.key {
        "any" => Test::Any(tests?),
        "all" => Test::All(tests?),
        _ => Test::Not(Box::new(Test::All(tests?))),
    })
}

/// An attribute by name, links followed at dots.
pub(super) fn attribute_of(
    reader: &mut Reader,
    schema: &'static FactSchema,
    name: &str,
    span: Span,
) -> Option<(AttrPath, AttrType)> {
    let mut segments: Vec<&str> = name.split('.').collect();
    let last = segments.pop().unwrap_or_default();
    let mut links = Vec::new();
    let mut at = schema;
    for segment in segments {
        let (name, target) = link_of(reader, at, segment, span)?;
        links.push(name);
        at = schema_of_kind(target)?;
    }
    if let Some(attribute) = at.attributes.iter().find(|attribute| attribute.name == last) {
        return Some((AttrPath { links, last: Attribute::Own(attribute.name) }, attribute.ty));
    }
    if let Some((_, common)) = Common::ALL.iter().find(|(name, _)| *name == last) {
        let ty = if *common == Common::Default { AttrType::Flag } else { AttrType::Text };
        return Some((AttrPath { links, last: Attribute::Common(*common) }, ty));
    }
    let known = at.attributes.iter().map(|attribute| attribute.name).chain(Common::ALL.iter().map(|(name, _)| *name));
    reader.unknown_word(&format!("attribute of `{}`", at.name), last, span, known);
    None
}

fn link_of(reader: &mut Reader, schema: &FactSchema, name: &str, span: Span) -> Option<(&'static str, FactKind)> {
    let attribute = schema.attributes.iter().find(|attribute| attribute.name == name);
    match attribute.map(|attribute| (attribute.name, attribute.ty)) {
        Some((name, AttrType::Links(target))) => Some((name, target)),
        Some(_) => {
            reader.error(span, format!("`{name}` of `{}` is no link: nothing follows it", schema.name));
            None
        }
        None => {
            let what = format!("attribute of `{}`", schema.name);
            reader.unknown_word(&what, name, span, schema.attributes.iter().map(|attribute| attribute.name));
            None
        }
    }
}

fn schema_of_kind(kind: FactKind) -> Option<&'static FactSchema> {
    vocabulary::schema(kind.name())
}

/// What is asked of an attribute of a type.
fn check_of(reader: &mut Reader, ty: AttrType, node: &Node, params: &Params, depth: usize) -> Option<Check> {
    if depth > DEPTH {
        reader.error(node.span, "conditions are nested too deeply");
        return None;
    }
    if !matches!(node.value, Value::Map(_)) {
        return operand_of(reader, ty, node, params).map(Check::Equals);
    }
    let checks: Option<Vec<Check>> =
        node.entries().iter().map(|entry| operator_of(reader, ty, entry, params, depth)).collect();
    let mut checks = checks?;
    match checks.len() {
        0 => {
            reader.error(node.span, "an operator is wanted here: in, matches, exists, contains, lt, le, gt, ge, not");
            None
        }
        1 => checks.pop(),
        _ => Some(Check::All(checks)),
    }
}

const OPERATORS: &[&str] = &["in", "matches", "exists", "contains", "lt", "le", "gt", "ge", "not", "any", "all"];

fn operator_of(reader: &mut Reader, ty: AttrType, entry: &Entry, params: &Params, depth: usize) -> Option<Check> {
    let node = &*entry.value;
    match &*entry.key {
        "exists" => exists_of(reader, node),
        "in" => in_of(reader, ty, node, params),
        "matches" => matches_of(reader, ty, node),
        "contains" => contains_of(reader, ty, node, params, depth),
        "not" => check_of(reader, ty, node, params, depth + 1).map(|check| Check::Not(Box::new(check))),
        "any" | "all" => {
            let tables: Vec<Node> = reader.tables(node).into_iter().cloned().collect();
            let checks: Option<Vec<Check>> =
                tables.iter().map(|node| check_of(reader, ty, node, params, depth + 1)).collect();
            checks.map(|checks| if &*entry.key == "any" { Check::Any(checks) } else { Check::All(checks) })
        }
        name => match Relation::ALL.iter().find(|(known, _)| *known == name) {
            Some((_, relation)) => compare_of(reader, ty, *relation, node, params),
            None => {
                reader.unknown("operator", entry, OPERATORS.iter().copied());
                None
            }
        },
    }
}

fn exists_of(reader: &mut Reader, node: &Node) -> Option<Check> {
    if node.flag().is_none() {
        reader.error(node.span, "`exists` is true or false");
    }
    node.flag().map(Check::Exists)
}

fn in_of(reader: &mut Reader, ty: AttrType, node: &Node, params: &Params) -> Option<Check> {
    if !matches!(node.value, Value::List(_)) {
        reader.error(node.span, "`in` is a list of values");
        return None;
    }
    let operands: Option<Vec<Operand>> = node.items().iter().map(|item| operand_of(reader, ty, item, params)).collect();
    operands.map(Check::In)
}

fn matches_of(reader: &mut Reader, ty: AttrType, node: &Node) -> Option<Check> {
    let Some(pattern) = node.text().filter(|_| matches!(ty, AttrType::Text | AttrType::List)) else {
        reader.error(node.span, format!("`matches` is a regular expression on text, and this is {}", word_of(ty)));
        return None;
    };
    match Regex::new(pattern) {
        Ok(regex) => Some(Check::Matches(regex)),
        Err(error) => {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reader.error(node.span, format!("not a regular expression: {last}"));
            None
        }
    }
}

fn contains_of(reader: &mut Reader, ty: AttrType, node: &Node, params: &Params, depth: usize) -> Option<Check> {
    if !matches!(ty, AttrType::List | AttrType::Text) {
        reader.error(node.span, format!("`contains` is for text and lists, and this is {}", word_of(ty)));
        return None;
    }
    check_of(reader, AttrType::Text, node, params, depth + 1).map(|check| Check::Contains(Box::new(check)))
}

fn compare_of(reader: &mut Reader, ty: AttrType, relation: Relation, node: &Node, params: &Params) -> Option<Check> {
    if ty != AttrType::Number {
        reader.error(node.span, format!("only numbers compare, and this is {}", word_of(ty)));
        return None;
    }
    operand_of(reader, ty, node, params).map(|operand| Check::Compare(relation, operand))
}

fn operand_of(reader: &mut Reader, ty: AttrType, node: &Node, params: &Params) -> Option<Operand> {
    if let Some(name) = node.text().and_then(|text| text.strip_prefix('$')) {
        let Some(value) = params.get(name) else {
            reader.unknown_word("parameter", name, node.span, params.keys().map(String::as_str));
            return None;
        };
        return fits(reader, ty, value.clone(), node.span).map(|_| Operand::Param(name.to_string()));
    }
    let Some(value) = scalar_of(node) else {
        reader.error(node.span, format!("a single value is wanted here: the attribute is {}", word_of(ty)));
        return None;
    };
    fits(reader, ty, value, node.span).map(Operand::Value)
}

/// A single value of a document.
pub(super) fn scalar_of(node: &Node) -> Option<Scalar> {
    node.text()
        .map(|text| Scalar::Text(text.to_string()))
        .or_else(|| node.number().map(Scalar::Number))
        .or_else(|| node.flag().map(Scalar::Flag))
}

fn fits(reader: &mut Reader, ty: AttrType, value: Scalar, span: Span) -> Option<Scalar> {
    let fits = matches!(
        (ty, &value),
        (AttrType::Text, Scalar::Text(_)) | (AttrType::Number, Scalar::Number(_)) | (AttrType::Flag, Scalar::Flag(_))
    );
    if !fits {
        let help = matches!(ty, AttrType::List).then(|| "use `contains`".to_string());
        reader.error_with(span, format!("`{value}` is no value here: the attribute is {}", word_of(ty)), help);
    }
    fits.then_some(value)
}

fn word_of(ty: AttrType) -> &'static str {
    match ty {
        AttrType::Text => "text",
        AttrType::Number => "a number",
        AttrType::Flag => "true or false",
        AttrType::List => "a list",
        AttrType::Links(_) => "a link (ask for an attribute behind it, or `exists`)",
    }
}

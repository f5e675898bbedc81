//! Reading a rule file.

use std::collections::BTreeMap;

use super::anchor::Anchor;
use super::read::{Params, attribute_of, scalar_of, select_of, test_of, when_of};
use super::reader::Reader;
use super::select::Select;
use super::template::{Piece, Template, cut};
use super::{Clause, Rule};
use crate::check::outcome::Severity;
use crate::facts::{Confidence, FactKind, vocabulary};
use crate::parse::document::{Node, Value};
use crate::scan::source::Span;

const KEYS: &[&str] = &[
    "id",
    "item",
    "part",
    "severity",
    "confidence",
    "title",
    "shown",
    "why",
    "fix",
    "fixes",
    "references",
    "params",
    "when",
    "related",
    "forbid",
    "evidence",
    "each",
    "require",
];

const SEVERITIES: &[(&str, Severity)] =
    &[("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Note)];

const CONFIDENCES: &[(&str, Confidence)] =
    &[("high", Confidence::High), ("medium", Confidence::Medium), ("low", Confidence::Low)];

/// Reads the rule of a file; `None` after an error.
pub(super) fn read(reader: &mut Reader, own: bool) -> Option<Rule> {
    let root = reader.document()?;
    let before = reader.errors.len();
    reader.only_keys(&root, KEYS);
    let id = reader.text(&root, "id");
    let item = reader.text(&root, "item");
    check_names(reader, &root, id.as_deref(), item.as_deref(), own);
    let params = params_of(reader, &root);
    let clause = clause_of(reader, &root, &params);
    let kinds = kinds_of(&root);
    let names = Names { kinds: kinds.as_deref(), params: &params, counted: false, lenient: false };
    let title = template_of(reader, &root, "title", &names);
    let fixes = fixes_of(reader, &root, &Names { lenient: true, ..names });
    let shown = root
        .get("shown")
        .is_some()
        .then(|| template_of(reader, &root, "shown", &Names { kinds: Some(&[]), counted: true, ..names }));
    let why = reader.text(&root, "why");
    let rule = Rule {
        id: id.unwrap_or_default(),
        item: item.unwrap_or_default(),
        part: reader.optional_text(&root, "part"),
        severity: required_word(reader, &root, "severity", SEVERITIES).unwrap_or(Severity::Note),
        confidence: reader.word(&root, "confidence", CONFIDENCES).unwrap_or_default(),
        title: title.unwrap_or_default(),
        shown: shown.flatten(),
        why: why.unwrap_or_default(),
        fixes,
        references: reader.texts(&root, "references").into_iter().map(|(text, _)| text).collect(),
        when: root.get("when").and_then(|node| when_of(reader, node, &params, &[])),
        related: related_of(reader, &root, &params),
        params,
        clause: clause?,
        own,
    };
    (reader.errors.len() == before).then_some(rule)
}

fn required_word<T: Copy>(reader: &mut Reader, root: &Node, key: &str, words: &[(&str, T)]) -> Option<T> {
    if root.get(key).is_none() {
        reader.error(Span::default(), format!("`{key}` is missing"));
    }
    reader.word(root, key, words)
}

/// The file is named after its rule and lies in the folder of its item's section.
fn check_names(reader: &mut Reader, root: &Node, id: Option<&str>, item: Option<&str>, own: bool) {
    let path = reader.path.clone();
    let stem = path.rsplit('/').next().unwrap_or(&path).trim_end_matches(".toml");
    let span = |key: &str| root.get(key).map_or(Span::default(), |node| node.span);
    if let Some(id) = id {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            reader.error(span("id"), "an id is lower-case words with dashes");
        } else if id != stem {
            reader.error(span("id"), format!("the rule `{id}` is in a file named `{stem}.toml`"));
        }
    }
    let section = item.and_then(|item| item.split_once('/')).map(|(section, _)| section);
    match (item, section) {
        (Some(_), None) => reader.error(span("item"), "an item is `section/name`"),
        (_, Some(section)) if !own && !path.starts_with(&format!("{section}/")) => {
            reader.error(span("item"), format!("rules of `{section}` lie in the folder `{section}/`"));
        }
        _ => {}
    }
}

fn params_of(reader: &mut Reader, root: &Node) -> Params {
    let mut params = BTreeMap::new();
    let Some(table) = root.get("params") else { return params };
    for entry in table.entries() {
        match scalar_of(&entry.value) {
            Some(value) => {
                params.insert(entry.key.to_string(), value);
            }
            None => reader.error(entry.value.span, "a parameter is a text, a number or a boolean"),
        }
    }
    params
}

fn clause_of(reader: &mut Reader, root: &Node, params: &Params) -> Option<Clause> {
    let clauses: Vec<&str> =
        ["forbid", "each", "require"].into_iter().filter(|name| root.get(name).is_some()).collect();
    let [clause] = clauses[..] else {
        let found = if clauses.is_empty() { "none".to_string() } else { clauses.join(" and ") };
        reader.error(Span::default(), format!("a rule has exactly one of forbid, each and require; here: {found}"));
        return None;
    };
    if let Some(evidence) = root.entry("evidence").filter(|_| clause != "forbid") {
        reader.error(evidence.key_span, "`evidence` belongs to forbid: what each and require matched is evidence");
    }
    let node = root.get(clause)?;
    match clause {
        "forbid" => forbid_of(reader, root, node, params),
        "each" => each_of(reader, node, params),
        _ => require_of(reader, node, params),
    }
}

fn selects_of(reader: &mut Reader, node: &Node, params: &Params) -> Vec<Select> {
    let tables: Vec<Node> = reader.tables(node).into_iter().cloned().collect();
    tables.iter().filter_map(|node| select_of(reader, node, params, &[])).collect()
}

fn forbid_of(reader: &mut Reader, root: &Node, node: &Node, params: &Params) -> Option<Clause> {
    let matches = selects_of(reader, node, params);
    let evidence = root.get("evidence").map(|node| selects_of(reader, node, params)).unwrap_or_default();
    Some(Clause::Forbid { matches, evidence })
}

fn each_of(reader: &mut Reader, node: &Node, params: &Params) -> Option<Clause> {
    if !matches!(node.value, Value::Map(_)) {
        reader.error(node.span, "`[each]` is one table");
        return None;
    }
    let of = select_of(reader, node, params, &["has"])?;
    let schema = vocabulary::schema(of.kind.name())?;
    let Some(has) = node.get("has") else {
        reader.error(node.span, "`has` is missing: what must hold for each");
        return None;
    };
    let has = test_of(reader, schema, has, params, 0)?;
    Some(Clause::Each { of, has })
}

fn require_of(reader: &mut Reader, node: &Node, params: &Params) -> Option<Clause> {
    reader.only_keys(node, &["any", "anchor"]);
    let Some(any) = node.get("any") else {
        reader.error(node.span, "`any` is missing: the alternatives, `[{ fact = \"..\" }]`");
        return None;
    };
    let any = selects_of(reader, any, params);
    let mut anchors = Vec::new();
    for (name, span) in reader.texts(node, "anchor") {
        match Anchor::named(&name) {
            Some(anchor) => anchors.push(anchor),
            None => reader.unknown_word("anchor", &name, span, Anchor::names()),
        }
    }
    Some(Clause::Require { any, anchors })
}

/// Kinds of the facts that findings are made at, also where the rest of the clause is wrong.
fn kinds_of(root: &Node) -> Option<Vec<FactKind>> {
    let clause = root.get("forbid").or_else(|| root.get("each"));
    let Some(clause) = clause else { return root.get("require").map(|_| Vec::new()) };
    let one = [clause];
    let tables =
        clause.items().iter().map(|item| &**item).chain(one.into_iter().filter(|node| node.items().is_empty()));
    let kinds = tables.map(|table| {
        let name = table.get("fact").and_then(Node::text)?;
        vocabulary::schema(name).map(|schema| schema.kind)
    });
    kinds.collect()
}

/// What placeholders can name.
#[derive(Clone, Copy)]
struct Names<'a> {
    /// Kinds of the facts that it is filled from; `None` when they could not be read.
    kinds: Option<&'a [FactKind]>,
    params: &'a Params,
    counted: bool,
    lenient: bool,
}

fn template_of(reader: &mut Reader, table: &Node, key: &str, names: &Names<'_>) -> Option<Template> {
    let source = reader.text(table, key)?;
    let span = table.get(key).map_or(Span::default(), |node| node.span);
    template(reader, &source, span, names)
}

fn template(reader: &mut Reader, source: &str, span: Span, names: &Names<'_>) -> Option<Template> {
    let mut pieces = Vec::new();
    for piece in cut(source) {
        pieces.push(match piece {
            Err(text) => Piece::Text(text.to_string()),
            Ok((_, name)) => placeholder(reader, name, span, names)?,
        });
    }
    Some(Template { source: source.to_string(), pieces })
}

/// Braces around anything that is no name are text; in a fix, which may quote code, unknown names are text as well.
fn placeholder(reader: &mut Reader, name: &str, span: Span, names: &Names<'_>) -> Option<Piece> {
    let text = || Some(Piece::Text(format!("{{{name}}}")));
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte));
    match name {
        _ if !is_name => return text(),
        "service" => return Some(Piece::Service),
        "count" if names.counted => return Some(Piece::Count),
        _ if names.params.contains_key(name) => return Some(Piece::Param(name.to_string())),
        _ => {}
    }
    let errors = reader.errors.len();
    let piece = attribute_piece(reader, name, span, names);
    if piece.is_none() && names.lenient {
        reader.errors.truncate(errors);
        return text();
    }
    piece
}

fn attribute_piece(reader: &mut Reader, name: &str, span: Span, names: &Names<'_>) -> Option<Piece> {
    let kinds = names.kinds?;
    if kinds.is_empty() {
        let known = names.params.keys().map(String::as_str).chain(["service"]);
        reader.unknown_word("placeholder", name, span, known);
    }
    let mut path = None;
    for kind in kinds {
        let schema = vocabulary::schema(kind.name())?;
        path = Some(attribute_of(reader, schema, name, span)?.0);
    }
    path.map(Piece::Attribute)
}

/// `fix`, or `[fixes]` by framework.
fn fixes_of(reader: &mut Reader, root: &Node, names: &Names<'_>) -> Vec<(String, Template)> {
    let table = match (root.get("fix"), root.get("fixes")) {
        (Some(_), None) => {
            let fix = template_of(reader, root, "fix", names);
            return fix.map(|template| vec![("default".to_string(), template)]).unwrap_or_default();
        }
        (None, Some(table)) => table,
        (Some(_), Some(table)) => {
            reader.error(table.span, "either `fix` or `[fixes]`");
            return Vec::new();
        }
        (None, None) => {
            reader.error(Span::default(), "`fix` is missing");
            return Vec::new();
        }
    };
    if table.get("default").is_none() {
        reader.error(table.span, "`default` is missing: the fix for any other framework");
    }
    let mut fixes = Vec::new();
    for entry in table.entries() {
        let template = template_of(reader, table, &entry.key, names);
        fixes.extend(template.map(|template| (entry.key.to_string(), template)));
    }
    fixes
}

fn related_of(reader: &mut Reader, root: &Node, params: &Params) -> Vec<(Select, String)> {
    let Some(node) = root.get("related") else { return Vec::new() };
    let tables: Vec<Node> = reader.tables(node).into_iter().cloned().collect();
    let mut related = Vec::new();
    for table in &tables {
        let select = select_of(reader, table, params, &["note"]);
        let note = reader.text(table, "note");
        related.extend(select.zip(note));
    }
    related
}

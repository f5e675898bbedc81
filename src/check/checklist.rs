//! The checklist as data: sections, items, and the ticks of the gate.

use std::collections::BTreeSet;

use super::rules::{LoadError, Reader, RuleSet, When, when_of};
use crate::parse::document::Node;
use crate::scan::source::Span;

/// The checklist.
#[derive(Clone, Debug, Default)]
pub struct Checklist {
    /// Ids and titles of the sections.
    pub sections: Vec<(String, String)>,
    /// Items in order.
    pub items: Vec<Item>,
    /// The ticks of the gate.
    pub ticks: Vec<TickRule>,
}

/// An item.
#[derive(Clone, Debug)]
pub struct Item {
    /// `section/name`.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// What it is judged over.
    pub scope: ItemScope,
    /// What must hold for it to apply, with the reason when it does not.
    pub when: Vec<Applies>,
    /// What silence means.
    pub silent: Silent,
    /// What its rules look for, as people call it: the reason where they find nothing to judge.
    pub looked_for: Option<String>,
    /// What a person would do about it where silence means that a person is asked.
    pub ask: Option<String>,
}

/// A condition of an item.
#[derive(Clone, Debug)]
pub struct Applies {
    /// What must hold.
    pub when: When,
    /// Why the item does not apply otherwise.
    pub otherwise: String,
}

/// What an item is judged over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemScope {
    /// Once.
    Repository,
    /// For each service.
    Service,
}

/// What it means that nothing shows an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silent {
    /// It is not there.
    Missing,
    /// Only a person can tell.
    Manual,
}

/// A tick of the gate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TickRule {
    /// The article's words.
    pub tick: String,
    /// A word or two.
    pub short: String,
    /// Items under it.
    pub items: Vec<String>,
}

const SCOPES: &[(&str, ItemScope)] = &[("repository", ItemScope::Repository), ("service", ItemScope::Service)];
const SILENT: &[(&str, Silent)] = &[("missing", Silent::Missing), ("manual", Silent::Manual)];

impl Checklist {
    /// Reads `checklist.toml` among the files of a rules folder.
    ///
    /// # Errors
    /// All errors of the file.
    pub fn load(files: &[(&str, &str)]) -> Result<Checklist, Vec<LoadError>> {
        let (path, text) = files.iter().find(|(path, _)| *path == "checklist.toml").unwrap_or(&("checklist.toml", ""));
        let mut reader = Reader::new(path, text);
        let checklist = read(&mut reader).unwrap_or_default();
        if reader.errors.is_empty() { Ok(checklist) } else { Err(reader.errors) }
    }

    /// The item of an id.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// Rules whose item is none of the checklist's, as `rule: item`.
    pub fn strangers(&self, rules: &RuleSet) -> Vec<String> {
        let strange = rules.rules().iter().filter(|rule| self.item(&rule.item).is_none());
        strange.map(|rule| format!("{}: {}", rule.id, rule.item)).collect()
    }
}

fn read(reader: &mut Reader) -> Option<Checklist> {
    let root = reader.document()?;
    reader.only_keys(&root, &["section", "item", "tick"]);
    let mut checklist = Checklist::default();
    for node in list(reader, &root, "section") {
        reader.only_keys(&node, &["id", "title"]);
        checklist.sections.extend(reader.text(&node, "id").zip(reader.text(&node, "title")));
    }
    for node in list(reader, &root, "item") {
        checklist.items.extend(item(reader, &node));
    }
    for node in list(reader, &root, "tick") {
        checklist.ticks.extend(tick(reader, &node));
    }
    check_names(reader, &checklist);
    Some(checklist)
}

fn list(reader: &mut Reader, root: &Node, key: &str) -> Vec<Node> {
    let Some(node) = root.get(key) else {
        reader.error(Span::default(), format!("no `[[{key}]]`"));
        return Vec::new();
    };
    reader.tables(node).into_iter().cloned().collect()
}

fn item(reader: &mut Reader, node: &Node) -> Option<Item> {
    reader.only_keys(node, &["id", "title", "scope", "when", "silent", "looked_for", "ask"]);
    let id = reader.text(node, "id");
    let title = reader.text(node, "title");
    let scope = reader.word(node, "scope", SCOPES).unwrap_or(ItemScope::Service);
    let silent = reader.word(node, "silent", SILENT).unwrap_or(Silent::Missing);
    let looked_for = reader.optional_text(node, "looked_for");
    let ask = reader.optional_text(node, "ask");
    let when = node.get("when").map(|when| reader.tables(when).into_iter().cloned().collect()).unwrap_or_default();
    let when: Vec<Node> = when;
    let when = when.iter().filter_map(|node| applies(reader, node)).collect();
    Some(Item { id: id?, title: title?, scope, when, silent, looked_for, ask })
}

fn applies(reader: &mut Reader, node: &Node) -> Option<Applies> {
    let otherwise = reader.text(node, "otherwise");
    let when = when_of(reader, node, &Default::default(), &["otherwise"]);
    Some(Applies { when: when?, otherwise: otherwise? })
}

fn tick(reader: &mut Reader, node: &Node) -> Option<TickRule> {
    reader.only_keys(node, &["tick", "short", "items"]);
    let tick = reader.text(node, "tick");
    let short = reader.text(node, "short");
    let items = reader.texts(node, "items").into_iter().map(|(item, _)| item).collect();
    Some(TickRule { tick: tick?, short: short?, items })
}

fn check_names(reader: &mut Reader, checklist: &Checklist) {
    let sections: BTreeSet<&str> = checklist.sections.iter().map(|(id, _)| id.as_str()).collect();
    let mut items: BTreeSet<&str> = BTreeSet::new();
    for item in &checklist.items {
        let section = item.id.split_once('/').map_or("", |(section, _)| section);
        if !sections.contains(section) {
            reader.error(Span::default(), format!("the item `{}` is in no section", item.id));
        }
        if !items.insert(&item.id) {
            reader.error(Span::default(), format!("the item `{}` is there twice", item.id));
        }
    }
    for tick in &checklist.ticks {
        for item in tick.items.iter().filter(|item| !items.contains(item.as_str())) {
            reader.error(Span::default(), format!("the tick `{}` names `{item}`, which is no item", tick.short));
        }
    }
}

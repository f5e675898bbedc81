//! The schema that the migrations give, and which of its columns keys and queries rely on.

use std::collections::{BTreeMap, BTreeSet};

use super::queries::Literally;
use super::sets::{Set, up_statements};
use crate::facts::vocabulary;
use crate::facts::{Confidence, Fact, Related, ServiceId};
use crate::link::{Context, Linked};
use crate::parse::sql::{Action, Column, Constraint, Kind, Query};
use crate::scan::source::{FileId, Place};

/// A table after all migrations.
#[derive(Default)]
struct Table {
    columns: BTreeMap<String, State>,
    /// First columns of indexes, keys and unique constraints, with the name of an index that has one.
    led: BTreeSet<(String, String)>,
    /// Indexes that keep some rows only.
    partial: Vec<Partial>,
}

/// An index on a part of a table.
struct Partial {
    name: String,
    first: String,
    /// The columns that decide which rows it keeps.
    kept_by: Vec<String>,
}

/// A column after all migrations.
struct State {
    place: Place,
    foreign_key: bool,
    /// Where queries choose rows by it.
    queried: Vec<Place>,
}

/// The schema of one set.
#[derive(Default)]
struct Schema {
    tables: BTreeMap<String, Table>,
}

/// Adds a fact for each column that is a foreign key or that a literal query chooses rows by.
pub(super) fn emit(context: &Context<'_>, sets: &[Set], queries: &[Literally], linked: &mut Linked) {
    for set in sets {
        let mut schema = Schema::default();
        for entry in &set.entries {
            up_statements(context, entry).for_each(|statement| schema.apply(&statement.kind, entry.up));
        }
        // InnoDB makes an index for every foreign key that has none.
        if set.engine == Some("mysql") {
            schema.tables.values_mut().for_each(Table::lead_keys);
        }
        queries.iter().filter(|query| asks(context, sets, set, query)).for_each(|query| schema.mark(query));
        schema.emit(context, set, linked);
        schema.emit_sessions(context, set, queries, linked);
    }
}

/// Words of columns that hold a time.
const TIMES: &[&str] = &[
    "at",
    "expires",
    "expiry",
    "expiration",
    "valid",
    "until",
    "ttl",
    "created",
    "updated",
    "last",
    "time",
    "timestamp",
    "date",
    "age",
    "since",
    "issued",
    "seen",
    "published",
    "modified",
];

/// Columns that hold what a client shows.
const TOKENS: &[&str] = &["token", "token_hash", "session_token", "session_id", "session_key", "key", "hash", "secret"];

/// Columns that say whose it is.
const OWNERS: &[&str] = &["user_id", "account_id", "user", "account", "userid", "member_id", "customer_id"];

/// Whether a query asks the database of a set: a crate with migrations of its own asks no other's.
fn asks(context: &Context<'_>, sets: &[Set], set: &Set, query: &Literally) -> bool {
    let owner = |path: &str| context.workspace.package_of(path).map(|package| package.folder.as_str());
    let of_set = |set: &Set| owner(&format!("{}/x", set.folder)).filter(|folder| !folder.is_empty());
    let asking = owner(&context.repository.tree.file(query.place.file).path);
    let has_own = asking.is_some() && sets.iter().any(|other| of_set(other) == asking);
    !has_own || of_set(set) == asking
}

impl Schema {
    fn apply(&mut self, statement: &Kind, file: FileId) {
        match statement {
            Kind::CreateTable(created) if !created.temporary => {
                let table = self.tables.entry(created.table.text.clone()).or_default();
                created.columns.iter().for_each(|column| table.add(column, file));
                created.keys.iter().filter_map(|key| key.first()).for_each(|first| table.lead(first, ""));
                created.foreign_keys.iter().filter_map(|key| key.first()).for_each(|name| table.key(&name.text));
            }
            Kind::CreateIndex(index) if !index.partial => {
                let table = self.tables.entry(index.table.text.clone()).or_default();
                index.columns.first().into_iter().for_each(|first| table.lead(first, &index.name.text));
            }
            Kind::CreateIndex(index) => {
                let table = self.tables.entry(index.table.text.clone()).or_default();
                let (name, kept_by) = (index.name.text.clone(), index.kept_by.clone());
                let partial = index.columns.first().map(|first| Partial { name, first: first.clone(), kept_by });
                table.partial.extend(partial);
            }
            Kind::DropIndex { names, .. } => {
                let dropped = |name: &str| !name.is_empty() && names.iter().any(|dropped| dropped.text == name);
                for table in self.tables.values_mut() {
                    table.led.retain(|(_, name)| !dropped(name));
                    table.partial.retain(|index| !dropped(&index.name));
                }
            }
            Kind::DropTable { tables } => tables.iter().for_each(|table| drop(self.tables.remove(&table.text))),
            Kind::RenameTable { from, to } => self.rename(&from.text, &to.text),
            Kind::AlterTable { table, actions } => {
                actions.iter().for_each(|action| self.alter(&table.text, action, file))
            }
            _ => {}
        }
    }

    fn rename(&mut self, from: &str, to: &str) {
        if let Some(table) = self.tables.remove(from) {
            self.tables.insert(to.to_string(), table);
        }
    }

    fn alter(&mut self, name: &str, action: &Action, file: FileId) {
        if let Action::RenameTable(to) = action {
            return self.rename(name, &to.text);
        }
        let table = self.tables.entry(name.to_string()).or_default();
        match action {
            Action::AddColumn(column) => table.add(column, file),
            Action::DropColumn(column) => drop(table.columns.remove(&column.text)),
            Action::RenameColumn { from, to } => table.rename(&from.text, &to.text),
            Action::AddIndex(columns) => columns.first().into_iter().for_each(|first| table.lead(first, "")),
            Action::DropConstraint(dropped) => table.led.retain(|(_, name)| name.is_empty() || *name != dropped.text),
            Action::AddConstraint { name, using_index: Some(index), .. } => table.take_over(&index.text, &name.text),
            Action::AddConstraint { name, what, columns, .. } => {
                let Some(first) = columns.first() else { return };
                match what {
                    Constraint::ForeignKey => table.key(&first.text),
                    Constraint::PrimaryKey | Constraint::Unique => table.lead(&first.text, &name.text),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Marks the columns that a query chooses rows by, unless an index serves another condition on the same table.
    fn mark(&mut self, literal: &Literally) {
        for statement in &literal.statements {
            if let Kind::Query(query) = &statement.kind {
                self.mark_query(query, &[], literal.place);
            }
        }
    }

    /// Marks by a query inside others, the outermost first.
    fn mark_query(&mut self, query: &Query, around: &[&Query], place: Place) {
        let scopes: Vec<&Query> = around.iter().copied().chain([query]).collect();
        let chosen: Vec<(String, &str)> = query
            .filters
            .iter()
            .filter_map(|(qualifier, column)| {
                Some((self.table_of(&scopes, qualifier.as_deref(), &column.text)?, column.text.as_str()))
            })
            .collect();
        for (name, column) in &chosen {
            let Some(table) = self.tables.get_mut(name) else { continue };
            let of_table = || chosen.iter().filter(|(other, _)| other == name).map(|(_, by)| *by);
            let served = of_table().any(|by| by != *column && table.is_led(by))
                || of_table().any(|by| table.keeps_for(by, &query.named));
            if let Some(state) = table.columns.get_mut(*column).filter(|_| !served) {
                state.queried.push(place);
            }
        }
        query.nested.iter().for_each(|inner| self.mark_query(inner, &scopes, place));
    }

    /// The table that a column belongs to: by its qualifier, or the one table that has it, of the innermost query
    /// first and then of those around it.
    fn table_of(&self, scopes: &[&Query], qualifier: Option<&str>, column: &str) -> Option<String> {
        let named =
            |name: &str, alias: Option<&str>| qualifier.is_none_or(|wanted| alias == Some(wanted) || name == wanted);
        let fitting = |query: &&Query| {
            let tables = query.tables.iter().filter(|(name, alias)| named(&name.text, alias.as_deref()));
            let having = tables.filter(|(name, _)| {
                self.tables.get(&name.text).is_some_and(|table| table.columns.contains_key(column))
            });
            let names: Vec<String> = having.map(|(name, _)| name.text.clone()).collect();
            (!names.is_empty()).then_some(names)
        };
        let mut fitting = scopes.iter().rev().find_map(fitting)?.into_iter();
        let first = fitting.next()?;
        fitting.all(|other| other == first).then_some(first)
    }

    fn emit(&self, context: &Context<'_>, set: &Set, linked: &mut Linked) {
        for (name, table) in &self.tables {
            for (column, state) in
                table.columns.iter().filter(|(_, state)| state.foreign_key || !state.queried.is_empty())
            {
                let data = vocabulary::Column {
                    table: name.as_str().into(),
                    name: column.as_str().into(),
                    foreign_key: state.foreign_key.into(),
                    queried: (!state.queried.is_empty()).into(),
                    indexed: table.is_led(column).into(),
                    engine: set.engine.map(str::to_string).into(),
                };
                let mut fact = set.fact(context, data, state.place.file, state.place.span);
                fact.confidence = if state.foreign_key { Confidence::High } else { Confidence::Medium };
                let note = "a query chooses rows by it here".to_string();
                fact.related.extend(state.queried.first().map(|place| Related { place: *place, note }));
                if !state.foreign_key {
                    keep_to_asking(context, &state.queried, &mut fact);
                }
                linked.facts.add(fact);
            }
        }
    }
}

/// A column without an index hurts the services that ask by it, not the others of the same schema.
fn keep_to_asking(context: &Context<'_>, queried: &[Place], fact: &mut Fact) {
    let asking: BTreeSet<ServiceId> = queried.iter().flat_map(|place| context.services_of(place.file)).collect();
    let kept: BTreeSet<ServiceId> = fact.services.intersection(&asking).copied().collect();
    if !kept.is_empty() {
        fact.services = kept;
    }
}

impl Schema {
    /// Sessions that the service keeps in a table without any time: no lookup can tell that one is too old.
    fn emit_sessions(&self, context: &Context<'_>, set: &Set, queries: &[Literally], linked: &mut Linked) {
        for (name, table) in self.tables.iter().filter(|(name, _)| is_of_sessions(name)) {
            let token = TOKENS.iter().find_map(|token| table.columns.get(*token));
            let owned = OWNERS.iter().any(|owner| table.columns.contains_key(*owner));
            let timed = table.columns.keys().any(|column| column.split('_').any(|word| TIMES.contains(&word)));
            let Some(token) = token.filter(|_| owned && !timed && queries.iter().any(|query| query.fills(name))) else {
                continue;
            };
            let data = vocabulary::Token {
                kind: "opaque".into(),
                action: "issues".into(),
                expires: false.into(),
                ..vocabulary::Token::default()
            };
            linked
                .facts
                .add(set.fact(context, data, token.place.file, token.place.span).confidence(Confidence::Medium));
        }
    }
}

fn is_of_sessions(table: &str) -> bool {
    matches!(
        table,
        "session"
            | "sessions"
            | "user_session"
            | "user_sessions"
            | "login_session"
            | "login_sessions"
            | "auth_session"
            | "auth_sessions"
            | "auth_token"
            | "auth_tokens"
            | "access_token"
            | "access_tokens"
    )
}

impl Literally {
    /// Whether a query puts rows into a table.
    fn fills(&self, table: &str) -> bool {
        self.statements.iter().any(|statement| match &statement.kind {
            Kind::Query(query) => query.verb == "insert" && query.tables.iter().any(|(name, _)| name.text == table),
            _ => false,
        })
    }
}

impl Table {
    fn lead(&mut self, first: &str, name: &str) {
        self.led.insert((first.to_string(), name.to_string()));
    }

    /// Counts every foreign key as the start of an index.
    fn lead_keys(&mut self) {
        let keys = self.columns.iter().filter(|(_, state)| state.foreign_key);
        self.led.extend(keys.map(|(name, _)| (name.clone(), String::new())));
    }

    fn is_led(&self, column: &str) -> bool {
        self.led.iter().any(|(first, _)| first == column)
    }

    /// Whether an index on a part of the table serves a query by a column: the query names what decides the part.
    fn keeps_for(&self, column: &str, named: &[String]) -> bool {
        self.partial.iter().any(|index| index.first == column && index.kept_by.iter().all(|by| named.contains(by)))
    }

    fn add(&mut self, column: &Column, file: FileId) {
        let place = Place { file, span: column.name.span };
        let state = State { place, foreign_key: column.references, queried: Vec::new() };
        if column.key {
            self.lead(&column.name.text, "");
        }
        self.columns.entry(column.name.text.clone()).or_insert(state);
    }

    /// An index that a key takes over has the key's name from then on.
    fn take_over(&mut self, index: &str, key: &str) {
        if index.is_empty() || key.is_empty() {
            return;
        }
        let renamed = |(column, name): (String, String)| (column, if name == index { key.to_string() } else { name });
        self.led = std::mem::take(&mut self.led).into_iter().map(renamed).collect();
    }

    fn key(&mut self, column: &str) {
        if let Some(state) = self.columns.get_mut(column) {
            state.foreign_key = true;
        }
    }

    fn rename(&mut self, from: &str, to: &str) {
        if let Some(state) = self.columns.remove(from) {
            self.columns.insert(to.to_string(), state);
        }
        let led = std::mem::take(&mut self.led);
        let renamed = |first: String| if first == from { to.to_string() } else { first };
        self.led = led.into_iter().map(|(first, name)| (renamed(first), name)).collect();
    }
}

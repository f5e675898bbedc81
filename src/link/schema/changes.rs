//! What migrations change of tables that exist before them.

use std::collections::BTreeSet;

use super::sets::{Entry, Set, up_statements};
use super::widening::Types;
use crate::facts::vocabulary::SchemaChange;
use crate::link::{Context, Linked};
use crate::parse::sql::{Action, Constraint, Kind, Name, Statement};
use crate::scan::source::Span;

/// Adds a fact for each change to a table that an earlier migration made.
pub(super) fn emit(context: &Context<'_>, sets: &[Set], linked: &mut Linked) {
    for set in sets {
        let mut older: BTreeSet<String> = BTreeSet::new();
        let mut types = Types::default();
        for (index, entry) in set.entries.iter().enumerate() {
            let scope = Scope::of(context, set, entry, &older, index);
            for statement in up_statements(context, entry) {
                let text = context.repository.tree.file(entry.up).text.as_ref();
                for (span, mut change) in scope.changes(statement) {
                    if set.engine == Some("postgres") && is_widening(&types, text, &change, span) {
                        change.operation = "widen-type".into();
                    }
                    linked.facts.add(set.fact(context, change, entry.up, span));
                }
                types.learn(text, statement);
            }
            older.extend(scope.created);
        }
    }
}

/// A change of type that rewrites and breaks nothing.
fn is_widening(types: &Types, text: &str, change: &SchemaChange, span: Span) -> bool {
    let (Some(operation), Some(table), Some(column)) =
        (change.operation.known(), change.table.known(), change.column.known())
    else {
        return false;
    };
    operation == "change-type" && types.widens(text, table, &Name { text: column.clone(), span })
}

/// What is known of one migration while its statements are read.
pub(super) struct Scope<'a> {
    /// Tables of earlier migrations.
    older: &'a BTreeSet<String>,
    /// Tables that this migration makes.
    pub(super) created: BTreeSet<String>,
    engine: Option<&'static str>,
    in_transaction: Option<bool>,
    lock_timeout: bool,
    reviewed: Vec<Span>,
    /// The first migration changes nothing that is in use.
    first: bool,
}

impl<'a> Scope<'a> {
    /// The scope of statements that code hands over, for an engine if one is known.
    pub(super) fn written<'s>(
        statements: impl IntoIterator<Item = &'s Statement>,
        older: &'a BTreeSet<String>,
        index: usize,
        engine: Option<&'static str>,
    ) -> Scope<'a> {
        Scope {
            older,
            created: statements.into_iter().filter_map(created).collect(),
            engine,
            in_transaction: None,
            lock_timeout: false,
            reviewed: Vec::new(),
            first: index == 0,
        }
    }

    fn of(context: &Context<'_>, set: &Set, entry: &Entry, older: &'a BTreeSet<String>, index: usize) -> Scope<'a> {
        let created = up_statements(context, entry).filter_map(created);
        Scope {
            older,
            created: created.collect(),
            engine: set.engine,
            in_transaction: in_transaction(context, set, entry),
            lock_timeout: up_statements(context, entry)
                .any(|statement| matches!(&statement.kind, Kind::Set { name } if name == "lock_timeout")),
            reviewed: reviewed(context, entry),
            first: index == 0,
        }
    }

    pub(super) fn changes(&self, statement: &Statement) -> Vec<(Span, SchemaChange)> {
        let mut changes = Vec::new();
        match &statement.kind {
            Kind::CreateIndex(index) if self.exists(&index.table) => {
                let mut change = self.change("create-index", &index.table, &index.name, statement.span);
                change.concurrently = index.concurrently.into();
                changes.push((head(statement.span, index.table.span), change));
            }
            Kind::DropTable { tables } => {
                let dropped = tables.iter().filter(|table| self.exists(table));
                changes
                    .extend(dropped.map(|table| (table.span, self.change("drop-table", table, table, statement.span))));
            }
            Kind::RenameTable { from, .. } if self.exists(from) => {
                changes.push((from.span, self.change("rename-table", from, from, statement.span)));
            }
            Kind::AlterTable { table, actions } if self.exists(table) => {
                changes.extend(actions.iter().filter_map(|action| self.action(table, action, statement.span)));
                changes.extend(actions.iter().filter_map(|action| self.key(table, action, statement.span)));
            }
            _ => {}
        }
        changes
    }

    fn action(&self, table: &Name, action: &Action, span: Span) -> Option<(Span, SchemaChange)> {
        let change = |operation: &str, name: &Name| (name.span, self.change(operation, table, name, span));
        match action {
            Action::DropColumn(name) => Some(change("drop-column", name)),
            Action::RenameColumn { from, .. } => Some(change("rename-column", from)),
            Action::RenameTable(_) => Some(change("rename-table", table)),
            Action::ChangeType(name) => Some(change("change-type", name)),
            Action::SetNotNull(name) => Some(change("set-not-null", name)),
            Action::AddColumn(column) => {
                let (at, mut change) = change("add-column", &column.name);
                change.not_null = column.not_null.into();
                change.has_default = (column.default.is_some() || column.filled).into();
                change.volatile_default = column.default.as_deref().is_some_and(volatile).into();
                Some((at, change))
            }
            Action::AddConstraint {
                name,
                what: Constraint::ForeignKey | Constraint::Check,
                columns,
                not_valid,
                ..
            } => {
                let named = columns.first().filter(|_| name.text.is_empty()).unwrap_or(name);
                let (at, mut change) = change("add-constraint", named);
                change.not_valid = (*not_valid).into();
                Some((if named.text.is_empty() { table.span } else { at }, change))
            }
            _ => None,
        }
    }

    /// A unique constraint or primary key, for which the database builds an index unless it is given one.
    fn key(&self, table: &Name, action: &Action, span: Span) -> Option<(Span, SchemaChange)> {
        let (name, using_index) = match action {
            Action::AddConstraint {
                name,
                what: Constraint::Unique | Constraint::PrimaryKey,
                columns,
                using_index,
                ..
            } => {
                let named = columns.first().filter(|_| name.text.is_empty()).unwrap_or(name);
                (named, using_index.is_some())
            }
            Action::AddColumn(column) if column.key => (&column.name, false),
            _ => return None,
        };
        let mut change = self.change("add-key", table, name, span);
        change.using_index = using_index.into();
        Some((if name.text.is_empty() { table.span } else { name.span }, change))
    }

    fn change(&self, operation: &str, table: &Name, name: &Name, span: Span) -> SchemaChange {
        SchemaChange {
            operation: operation.into(),
            table: table.text.as_str().into(),
            column: name.text.as_str().into(),
            engine: self.engine.map(str::to_string).into(),
            in_transaction: self.in_transaction.into(),
            lock_timeout: self.lock_timeout.into(),
            reviewed: self.reviewed.iter().any(|reviewed| reviewed.holds(span)).into(),
            ..SchemaChange::default()
        }
    }

    /// Whether a table is there, with data perhaps, when this migration runs.
    fn exists(&self, table: &Name) -> bool {
        !self.first && self.older.contains(&table.text) && !self.created.contains(&table.text)
    }
}

/// The table that a statement makes or gives another name.
fn created(statement: &Statement) -> Option<String> {
    match &statement.kind {
        Kind::CreateTable(table) => Some(table.table.text.clone()),
        Kind::RenameTable { to, .. } => Some(to.text.clone()),
        Kind::AlterTable { actions, .. } => actions.iter().find_map(|action| match action {
            Action::RenameTable(to) => Some(to.text.clone()),
            _ => None,
        }),
        _ => None,
    }
}

fn head(statement: Span, to: Span) -> Span {
    Span { start: statement.start, end: to.end }
}

/// Functions that give another value for each row.
fn volatile(default: &str) -> bool {
    let name = default.split([' ', '(']).next().unwrap_or("");
    let called = default.contains('(');
    called
        && ["random", "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1mc", "clock_timestamp", "nextval"]
            .contains(&name)
}

/// Whether the tool runs this migration in a transaction.
fn in_transaction(context: &Context<'_>, set: &Set, entry: &Entry) -> Option<bool> {
    let tree = &context.repository.tree;
    let up = tree.file(entry.up);
    match set.tool? {
        "diesel" => {
            let metadata = tree.find(&format!("{}/metadata.toml", up.folder()));
            let off = metadata.is_some_and(|file| file.text.replace(' ', "").contains("run_in_transaction=false"));
            Some(!off)
        }
        "sqlx" => Some(!up.text.trim_start().starts_with("-- no-transaction")),
        _ => None,
    }
}

/// Stretches of a file that a comment marks as reviewed: between start and end marks, the statement after a line
/// mark, or the whole file.
fn reviewed(context: &Context<'_>, entry: &Entry) -> Vec<Span> {
    let (file, parsed) = context.repository.get(entry.up);
    let mut spans = Vec::new();
    let mut open = None;
    for comment in &parsed.comments {
        let text = comment.text.to_ascii_lowercase();
        if text.starts_with("safety-assured:start") || text.starts_with("safety_assured:start") {
            open = Some(comment.span.start);
        } else if text.starts_with("safety-assured:end") || text.starts_with("safety_assured:end") {
            spans.extend(open.take().map(|start| Span { start, end: comment.span.end }));
        } else if text.starts_with("squawk-ignore-file") {
            spans.push(Span::new(0, file.text.len()));
        } else if text.starts_with("squawk-ignore") {
            spans.extend(next_statement(context, entry, comment.span.end));
        }
    }
    spans
}

fn next_statement(context: &Context<'_>, entry: &Entry, after: u32) -> Option<Span> {
    up_statements(context, entry).map(|statement| statement.span).find(|span| span.start >= after)
}

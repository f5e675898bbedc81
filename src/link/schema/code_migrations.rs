//! Migrations written in Rust: types that implement sea-orm's `MigrationTrait`, one a file.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::Scope;
use super::sets;
use crate::facts::vocabulary::{Column, Migration, SchemaChange};
use crate::link::names::FunctionInfo;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Literal, Path};
use crate::parse::rust::walk;
use crate::parse::sql::{self, Statement};
use crate::scan::source::{FileId, Role, Span};

/// Builder methods that change a table, with the operation and the index of the changed column.
const CHANGES: &[(&str, &str)] = &[
    ("drop_column", "drop-column"),
    ("rename_column", "rename-column"),
    ("modify_column", "change-type"),
    ("add_foreign_key", "add-constraint"),
];

/// Methods that undo something; a down part without any of them does nothing.
const UNDOING: &[&str] = &[
    "drop_table",
    "drop_index",
    "alter_table",
    "drop_column",
    "rename_table",
    "rename_column",
    "execute",
    "drop_type",
    "execute_unprepared",
    "create_table",
    "drop_foreign_key",
    "delete",
    "exec",
    "create_index",
    "exec_stmt",
    "alter_type",
];

/// A migration's two functions.
#[derive(Default)]
struct Pair<'a> {
    up: Option<&'a FunctionInfo<'a>>,
    down: Option<&'a FunctionInfo<'a>>,
}

/// Adds the facts of this part.
pub(super) fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut older: BTreeSet<String> = BTreeSet::new();
    // Tables by the names that statements written out call them.
    let mut written: BTreeSet<String> = BTreeSet::new();
    let mut keys = Keys::default();
    let engine = sets::engine(context.workspace);
    for (index, (file, pair)) in pairs(context).into_iter().enumerate() {
        let Some(up) = pair.up else { continue };
        let data = Migration {
            tool: "sea-orm".into(),
            version: context.repository.tree.file(file).name().trim_end_matches(".rs").into(),
            has_down: pair.down.is_some_and(undoes).into(),
            run: true.into(),
            duplicate: false.into(),
            ..Migration::default()
        };
        linked.facts.add(context.fact_in_role(data, file, up.item.name_span, Role::Service));
        let Some(body) = &up.function.body else { continue };
        let created = tables(body, "create");
        let mut changed = changes(body, &created, &older);
        let source = context.repository.tree.file(file).text.as_ref();
        let texts = statements(body, source);
        let scope = Scope::written(texts.iter().flat_map(|text| &text.statements), &written, index);
        for text in &texts {
            let changes = text.statements.iter().flat_map(|statement| scope.changes(statement));
            changed.extend(changes.map(|(span, change)| (text.place(span), change)));
        }
        for (span, mut change) in changed {
            change.engine = engine.map(str::to_string).into();
            linked.facts.add(context.fact_in_role(change, file, span, Role::Service));
        }
        written.extend(scope.created);
        written.extend(created.iter().map(|table| snake(table)));
        older.extend(created);
        keys.read(body, file);
    }
    keys.emit(context, linked);
}

/// Statements that stand in a migration as text.
struct Text {
    /// The string.
    span: Span,
    /// Where its contents begin, if they stand in it as they are.
    from: Option<u32>,
    statements: Vec<Statement>,
}

impl Text {
    /// Where in the file a part of the statements stands.
    fn place(&self, part: Span) -> Span {
        self.from.map_or(self.span, |from| Span { start: from + part.start, end: from + part.end })
    }
}

fn statements(body: &Block, source: &str) -> Vec<Text> {
    let mut found = Vec::new();
    walk::expressions(body, &mut |expr| {
        if let ExprKind::Literal(Literal::Text(text)) = &*expr.kind {
            let written = source.get(expr.span.range()).and_then(|written| written.find(&**text));
            let from = written.and_then(|at| u32::try_from(at).ok()).map(|at| expr.span.start + at);
            found.push(Text { span: expr.span, from, statements: sql::fragment(text) });
        }
    });
    found
}

/// The name in the database of a table that `enum OrderLines { Table, .. }` stands for.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.trim_end_matches("Iden").chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    out
}

/// Foreign keys and first columns of indexes that all migrations make, by table and column.
#[derive(Default)]
struct Keys {
    foreign: BTreeMap<(String, String), (FileId, Span)>,
    led: BTreeSet<(String, String)>,
}

impl Keys {
    fn read(&mut self, body: &Block, file: FileId) {
        // Outer calls of a chain come first: only the whole chain is looked at.
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        walk::expressions(body, &mut |expr| {
            if matches!(&*expr.kind, ExprKind::MethodCall { .. }) && seen.insert(expr.span.start) {
                self.chain(&Chain::of(expr), file);
            }
        });
    }

    fn chain(&mut self, chain: &Chain<'_>, file: FileId) {
        match chain.start.as_deref() {
            Some("ForeignKey::create") => {
                if let Some(([table, column], span)) = chain.arguments("from") {
                    self.foreign.entry((owner(table), last(column))).or_insert((file, span));
                }
            }
            Some("Index::create") => {
                let table = chain.arguments("table").and_then(|(paths, _)| paths.first());
                let column = chain.arguments("col").and_then(|(paths, _)| paths.first());
                if let (Some(table), Some(column)) = (table, column) {
                    self.led.insert((owner(table), last(column)));
                }
            }
            Some("ColumnDef::new") if chain.has("unique_key") || chain.has("primary_key") => {
                let column = chain.new.first();
                self.led.extend(column.map(|column| (owner(column), last(column))));
            }
            _ => {}
        }
    }

    fn emit(&self, context: &Context<'_>, linked: &mut Linked) {
        for ((table, column), (file, span)) in &self.foreign {
            let data = Column {
                table: table.as_str().into(),
                name: column.as_str().into(),
                foreign_key: true.into(),
                queried: false.into(),
                indexed: self.led.contains(&(table.clone(), column.clone())).into(),
                ..Column::default()
            };
            linked.facts.add(context.fact_in_role(data, *file, *span, Role::Service));
        }
    }
}

/// The enum that names a table's columns, its usual ending left out.
fn owner(path: &Path) -> String {
    path.segments.first().map_or("", |first| first.trim_end_matches("Iden")).to_string()
}

fn last(path: &Path) -> String {
    path.last().to_string()
}

/// A builder chain: its constructor with its arguments, and the methods in order.
struct Chain<'a> {
    start: Option<String>,
    new: Vec<Path>,
    calls: Vec<(&'a str, Vec<Path>, Span)>,
}

impl<'a> Chain<'a> {
    fn of(mut expr: &'a Expr) -> Chain<'a> {
        let mut chain = Chain { start: start_of(expr), new: Vec::new(), calls: Vec::new() };
        while let ExprKind::MethodCall { receiver, method, method_span, arguments, .. } = &*expr.kind {
            chain.calls.insert(0, (method, paths(arguments), *method_span));
            expr = receiver;
        }
        if let ExprKind::Call { arguments, .. } = &*expr.kind {
            chain.new = paths(arguments);
        }
        chain
    }

    fn has(&self, method: &str) -> bool {
        self.calls.iter().any(|(name, ..)| *name == method)
    }

    /// The paths given to the first call of a method, and where that stands.
    fn arguments(&self, method: &str) -> Option<(&[Path], Span)> {
        self.calls.iter().find(|(name, ..)| *name == method).map(|(_, paths, span)| (paths.as_slice(), *span))
    }
}

fn paths(arguments: &[Expr]) -> Vec<Path> {
    let path = |argument: &Expr| match &*argument.kind {
        ExprKind::Path(path) => Some(path.clone()),
        _ => None,
    };
    arguments.iter().filter_map(path).collect()
}

/// Migrations by file, in the order of their files' names.
fn pairs<'a>(context: &'a Context<'_>) -> BTreeMap<FileId, Pair<'a>> {
    let mut pairs: BTreeMap<FileId, Pair<'a>> = BTreeMap::new();
    for function in context.names.functions() {
        let migrates = function.of_trait.as_deref().is_some_and(|name| name.ends_with("MigrationTrait"));
        if !migrates || function.role == Role::Test {
            continue;
        }
        let pair = pairs.entry(function.file).or_default();
        match function.item.name.as_str() {
            "up" => pair.up = Some(function),
            "down" => pair.down = Some(function),
            _ => {}
        }
    }
    pairs
}

fn undoes(down: &FunctionInfo<'_>) -> bool {
    let mut found = false;
    if let Some(body) = &down.function.body {
        walk::expressions(body, &mut |expr| {
            found |= matches!(&*expr.kind, ExprKind::MethodCall { method, .. } if UNDOING.contains(&method.as_str()));
        });
    }
    found
}

/// Tables of `Table::create()` chains and the like, by the first segment of their `.table(X::Table)`.
pub(super) fn tables(body: &Block, constructor: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk::expressions(body, &mut |expr| {
        if let Some((start, table, _)) = table_of(expr)
            && start == format!("Table::{constructor}")
        {
            found.insert(table);
        }
    });
    found
}

/// The constructor, table and place of a `.table(X::Table)` call in a builder chain.
fn table_of(expr: &Expr) -> Option<(String, String, Span)> {
    let ExprKind::MethodCall { receiver, method, arguments, .. } = &*expr.kind else { return None };
    if method != "table" {
        return None;
    }
    let ExprKind::Path(path) = &*arguments.first()?.kind else { return None };
    Some((start_of(receiver)?, path.segments.first()?.clone(), expr.span))
}

/// `Table::create` of `Table::create().if_not_exists()..`.
fn start_of(mut expr: &Expr) -> Option<String> {
    loop {
        match &*expr.kind {
            ExprKind::MethodCall { receiver, .. } => expr = receiver,
            ExprKind::Call { function, .. } => expr = function,
            ExprKind::Path(path) => {
                let from = path.segments.len().checked_sub(2)?;
                return Some(path.segments[from..].join("::"));
            }
            _ => return None,
        }
    }
}

pub(super) fn changes(body: &Block, created: &BTreeSet<String>, older: &BTreeSet<String>) -> Vec<(Span, SchemaChange)> {
    let mut found = Vec::new();
    let alters = tables(body, "alter");
    walk::expressions(body, &mut |expr| {
        if let Some((start, table, span)) = table_of(expr)
            && older.contains(&table)
            && !created.contains(&table)
        {
            let operation = match start.as_str() {
                "Index::create" => "create-index",
                "Table::drop" => "drop-table",
                "Table::rename" => "rename-table",
                _ => return,
            };
            found.push((span, change(operation, &table)));
        }
        let ExprKind::MethodCall { receiver, method, method_span, arguments, .. } = &*expr.kind else { return };
        let paths = paths(arguments);
        if matches!(method.as_str(), "from" | "from_tbl")
            && start_of(receiver).as_deref() == Some("ForeignKey::create")
            && let Some(table) = paths.first().and_then(|path| path.segments.first())
            && older.contains(table)
            && !created.contains(table)
        {
            let column = paths.get(1).map_or("?", |path| path.last());
            found.push((*method_span, SchemaChange { column: column.into(), ..change("add-constraint", table) }));
        }
        let altered = alters.iter().find(|table| older.contains(*table) && !created.contains(*table));
        if let (Some((_, operation)), Some(table)) = (CHANGES.iter().find(|(name, _)| name == method), altered) {
            // A local names the column only where the program runs.
            let named = paths.first().filter(|path| path.segments.len() > 1);
            let column = named.map_or("?".to_string(), last);
            found.push((*method_span, SchemaChange { column: column.into(), ..change(operation, table) }));
        }
        if let (Some(column), Some(table)) = (key_of(method, arguments), altered) {
            found.push((*method_span, SchemaChange { column: column.into(), ..change("add-key", table) }));
        }
    });
    found
}

/// The column that `add_column` adds with a key of its own.
fn key_of(method: &str, arguments: &[Expr]) -> Option<String> {
    if !matches!(method, "add_column" | "add_column_if_not_exists") {
        return None;
    }
    let mut expr = arguments.first()?;
    while let ExprKind::Reference(inner) = &*expr.kind {
        expr = inner;
    }
    let chain = Chain::of(expr);
    let is_key =
        chain.start.as_deref() == Some("ColumnDef::new") && (chain.has("unique_key") || chain.has("primary_key"));
    is_key.then(|| chain.new.first().map_or("?".to_string(), last))
}

fn change(operation: &str, table: &str) -> SchemaChange {
    SchemaChange {
        operation: operation.into(),
        table: table.into(),
        concurrently: false.into(),
        not_valid: false.into(),
        using_index: false.into(),
        reviewed: false.into(),
        lock_timeout: false.into(),
        ..SchemaChange::default()
    }
}

//! Migrations written in Rust: types that implement sea-orm's `MigrationTrait`, one a file.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::Scope;
use super::sets;
use crate::facts::vocabulary::{Column, Migration, SchemaChange};
use crate::link::names::{FunctionInfo, ModuleId};
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
        let owners = Owners { context, module: up.module };
        let created = owners.tables(body, "create");
        let mut changed = owners.changes(body, &created, &older);
        let source = context.repository.tree.file(file).text.as_ref();
        let texts = statements(body, source);
        let scope = Scope::written(texts.iter().flat_map(|text| &text.statements), &written, index, None);
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
        keys.read(&owners, body, file);
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

/// How a chain that makes a foreign key begins.
const FOREIGN_KEYS: &[&str] =
    &["ForeignKey::create", "ForeignKeyCreateStatement::new", "TableForeignKey::new", "TableForeignKey::create"];

impl Keys {
    fn read(&mut self, owners: &Owners<'_, '_>, body: &Block, file: FileId) {
        // Outer calls of a chain come first: only the whole chain is looked at.
        let mut seen: BTreeSet<u32> = BTreeSet::new();
        walk::expressions(body, &mut |expr| {
            if matches!(&*expr.kind, ExprKind::MethodCall { .. }) && seen.insert(expr.span.start) {
                self.chain(owners, &Chain::of(expr), file);
            }
        });
    }

    fn chain(&mut self, owners: &Owners<'_, '_>, chain: &Chain<'_>, file: FileId) {
        let Some(start) = chain.start.as_deref() else { return };
        match start {
            _ if FOREIGN_KEYS.contains(&start) => {
                if let Some((column, span)) = chain.foreign() {
                    let table = chain.first("from_tbl").unwrap_or(column);
                    self.foreign.entry((owners.of(table), last(column))).or_insert((file, span));
                }
            }
            "Index::create" | "IndexCreateStatement::new" => {
                if let Some(column) = chain.first("col") {
                    let table = chain.first("table").unwrap_or(column);
                    self.led.insert((owners.of(table), last(column)));
                }
            }
            "ColumnDef::new" if chain.has("unique_key") || chain.has("primary_key") => {
                let column = chain.new.first();
                self.led.extend(column.map(|column| (owners.of(column), last(column))));
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

/// Which tables the paths in a module's builder chains name.
pub(super) struct Owners<'c, 'a> {
    /// The tree.
    pub(super) context: &'c Context<'a>,
    /// Where the chains stand.
    pub(super) module: ModuleId,
}

impl Owners<'_, '_> {
    /// The table of `Posts::Id` and `Posts::Table` is `Posts`, a migration's own enum, its usual ending left out; the
    /// table of an entity's `Entity` and `Column::Id` is the entity's module.
    fn of(&self, path: &Path) -> String {
        let named = |owner: &str| owner.trim_end_matches("Iden").to_string();
        let (first, entity) = match path.segments.as_slice() {
            [.., module, last] if last == "Entity" => return named(module),
            [.., module, owner, _] if owner == "Column" => return named(module),
            [first] => (first, first == "Entity"),
            [first, ..] => (first, first == "Column"),
            [] => return String::new(),
        };
        if !entity {
            return named(first);
        }
        // A macro makes `Entity` and `Column` beside `Model`: an import by glob shows by that one only.
        let module_of = |segments: &[String], below: usize| {
            let resolved = self.context.names.resolve(self.module, segments);
            resolved.rsplit("::").nth(below).map(named)
        };
        let module = module_of(&path.segments, path.segments.len());
        module.or_else(|| module_of(&["Model".to_string()], 1)).unwrap_or_else(|| named(first))
    }
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

    fn first(&self, method: &str) -> Option<&Path> {
        self.arguments(method).and_then(|(paths, _)| paths.first())
    }

    /// The column of a foreign key: `.from(Table, Column)` or `.from_col(Column)`.
    fn foreign(&self) -> Option<(&Path, Span)> {
        match self.arguments("from") {
            Some(([_, column], span)) => Some((column, span)),
            _ => self.arguments("from_col").and_then(|(paths, span)| Some((paths.first()?, span))),
        }
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

impl Owners<'_, '_> {
    /// Tables of `Table::create()` chains and the like, by their `.table(X::Table)`.
    pub(super) fn tables(&self, body: &Block, constructor: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        walk::expressions(body, &mut |expr| {
            if let Some((start, table, _)) = self.table_of(expr)
                && start == format!("Table::{constructor}")
            {
                found.insert(table);
            }
        });
        found
    }

    /// Tables that another one takes the name of: `Table::rename().table(New, Old)`.
    fn rebuilt(&self, body: &Block) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        walk::expressions(body, &mut |expr| {
            if let ExprKind::MethodCall { receiver, method, arguments, .. } = &*expr.kind
                && method == "table"
                && start_of(receiver).as_deref() == Some("Table::rename")
                && let Some(ExprKind::Path(path)) = arguments.get(1).map(|to| &*to.kind)
            {
                found.insert(self.of(path));
            }
        });
        found
    }

    /// The table that a chain names before this call.
    fn table_in(&self, mut receiver: &Expr) -> Option<String> {
        loop {
            if let Some((_, table, _)) = self.table_of(receiver) {
                return Some(table);
            }
            let ExprKind::MethodCall { receiver: inner, .. } = &*receiver.kind else { return None };
            receiver = inner;
        }
    }

    /// The constructor, table and place of a `.table(X::Table)` call in a builder chain.
    fn table_of(&self, expr: &Expr) -> Option<(String, String, Span)> {
        let ExprKind::MethodCall { receiver, method, arguments, .. } = &*expr.kind else { return None };
        if method != "table" {
            return None;
        }
        let ExprKind::Path(path) = &*arguments.first()?.kind else { return None };
        Some((start_of(receiver)?, self.of(path), expr.span))
    }

    /// Changes of tables that earlier migrations made.
    pub(super) fn changes(
        &self,
        body: &Block,
        created: &BTreeSet<String>,
        older: &BTreeSet<String>,
    ) -> Vec<(Span, SchemaChange)> {
        let mut found = Vec::new();
        let alters = self.tables(body, "alter");
        let rebuilt = self.rebuilt(body);
        let added = added(body);
        walk::expressions(body, &mut |expr| {
            if let Some((start, table, span)) = self.table_of(expr)
                && older.contains(&table)
                && !created.contains(&table)
            {
                let operation = match start.as_str() {
                    "Index::create" => "create-index",
                    "Table::drop" if rebuilt.contains(&table) => return,
                    "Table::drop" => "drop-table",
                    "Table::rename" => "rename-table",
                    _ => return,
                };
                found.push((span, change(operation, &table)));
            }
            let ExprKind::MethodCall { receiver, method, method_span, arguments, .. } = &*expr.kind else { return };
            let paths = paths(arguments);
            if matches!(method.as_str(), "from" | "from_tbl")
                && start_of(receiver).is_some_and(|start| FOREIGN_KEYS.contains(&start.as_str()))
                && let Some(table) = paths.first().map(|path| self.of(path))
                && older.contains(&table)
                && !created.contains(&table)
            {
                let column = paths.get(1).map_or("?", |path| path.last());
                found.push((*method_span, SchemaChange { column: column.into(), ..change("add-constraint", &table) }));
            }
            let own = self.table_in(receiver);
            let mut candidates = alters.iter().filter(|table| own.as_ref().is_none_or(|own| own == *table));
            let altered = candidates.find(|table| older.contains(*table) && !created.contains(*table));
            let named = paths.first().filter(|path| path.segments.len() > 1);
            // What the same migration adds, nobody used yet.
            let temporary = named.is_some_and(|path| added.contains(&path.segments));
            if let (Some((_, operation)), Some(table), false) =
                (CHANGES.iter().find(|(name, _)| name == method), altered, temporary)
            {
                // A local names the column only where the program runs.
                let column = named.map(last).or_else(|| alias(arguments)).unwrap_or_else(|| "?".to_string());
                found.push((*method_span, SchemaChange { column: column.into(), ..change(operation, table) }));
            }
            if let (Some(column), Some(table)) = (key_of(method, arguments), altered) {
                found.push((*method_span, SchemaChange { column: column.into(), ..change("add-key", table) }));
            }
        });
        found
    }
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

/// Columns that a migration defines.
fn added(body: &Block) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    walk::expressions(body, &mut |expr| {
        if let ExprKind::Call { arguments, .. } = &*expr.kind
            && start_of(expr).as_deref() == Some("ColumnDef::new")
        {
            found.extend(paths(arguments).into_iter().map(|path| path.segments));
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

/// The name in `Alias::new("name")`.
fn alias(arguments: &[Expr]) -> Option<String> {
    let first = arguments.first()?;
    let ExprKind::Call { arguments, .. } = &*first.kind else { return None };
    let name = arguments.first().filter(|_| start_of(first).as_deref() == Some("Alias::new"))?;
    match &*name.kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text.clone()),
        _ => None,
    }
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

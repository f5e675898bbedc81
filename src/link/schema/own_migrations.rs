//! Migrations that a program keeps itself: statements in a list, and functions that go from one version to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::changes::Scope;
use super::code_migrations::Owners;
use crate::facts::vocabulary::{Migration, MigrationRun};
use crate::link::names::{FunctionId, FunctionInfo};
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Expr, ExprKind, Literal};
use crate::parse::rust::walk;
use crate::parse::sql::{self, Kind, Statement};
use crate::scan::source::{FileId, Place, Role, Span};

/// Names of functions that bring a schema to a version.
static STEP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:migrate|upgrade|migration)_(?:to_|from_)?(?:v|version_?)?\d+").ok());

/// Adds the facts of this part.
pub(super) fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut lists = BTreeMap::new();
    for item in context.names.items().iter().filter(|item| item.role == Role::Service) {
        if item.item.name.to_ascii_lowercase().contains("migration") {
            let mut texts = Vec::new();
            walk::item_expressions(item.item, &mut |expr| statement_of(item.file, expr, &mut texts));
            lists.insert(item.path.clone(), texts);
        }
    }
    lists.retain(|_, texts| texts.iter().any(|text| creates(&text.statements)));
    for texts in lists.values() {
        list(context, texts, linked);
    }
    users(context, &lists, linked);
    given(context, linked);
    steps(context, linked);
}

/// Functions that give the list of migrations: `fn migrations() -> Vec<(&'static str, Step)>` with statements in it.
fn given(context: &Context<'_>, linked: &mut Linked) {
    let named = |function: &&FunctionInfo<'_>| {
        let name = &function.item.name;
        function.role == Role::Service
            && (name == "migrations" || name.ends_with("_migrations"))
            && function.function.returns.as_ref().is_some_and(|ty| ty.text.contains(['[', '<']))
    };
    let mut ids = BTreeSet::new();
    for function in context.names.functions().iter().filter(named) {
        let Some(body) = &function.function.body else { continue };
        let (mut texts, mut of_library) = (Vec::new(), false);
        walk::expressions(body, &mut |expr| {
            // rusqlite_migration's, which has a reader of its own.
            of_library |= matches!(&*expr.kind, ExprKind::Path(path) if path.text().ends_with("M::up"));
            statement_of(function.file, expr, &mut texts);
        });
        if !of_library && texts.iter().any(|text| creates(&text.statements)) {
            list(context, &texts, linked);
            ids.insert(function.id);
        }
    }
    callers(context, &ids, linked);
}

/// A statement that stands in code.
struct Written {
    place: Place,
    statements: Vec<Statement>,
}

fn statement_of(file: FileId, expr: &Expr, texts: &mut Vec<Written>) {
    let ExprKind::Literal(Literal::Text(text)) = &*expr.kind else { return };
    let statements = sql::fragment(text);
    let is_schema = |statement: &Statement| !matches!(&statement.kind, Kind::Other(word) if !is_sql(word));
    if !statements.is_empty() && statements.iter().all(is_schema) {
        texts.push(Written { place: Place { file, span: expr.span }, statements });
    }
}

/// First words of statements that the reader of SQL does not take apart.
fn is_sql(word: &str) -> bool {
    ["create", "alter", "drop", "comment", "grant", "do", "truncate", "pragma", "analyze", "reindex"].contains(&word)
}

fn creates(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| matches!(statement.kind, Kind::CreateTable(_) | Kind::AlterTable { .. }))
}

fn list(context: &Context<'_>, texts: &[Written], linked: &mut Linked) {
    let mut older: BTreeSet<String> = BTreeSet::new();
    for (index, text) in texts.iter().enumerate() {
        linked.facts.add(context.fact(migration(&index.to_string()), text.place.file, text.place.span));
        let scope = Scope::written(&text.statements, &older, index, None);
        for change in text.statements.iter().flat_map(|statement| scope.changes(statement)) {
            linked.facts.add(context.fact(change.1, text.place.file, text.place.span));
        }
        older.extend(scope.created);
    }
}

fn migration(version: &str) -> Migration {
    Migration {
        tool: "own".into(),
        version: version.into(),
        has_down: false.into(),
        run: true.into(),
        duplicate: false.into(),
        ..Migration::default()
    }
}

/// Code that goes through a list runs its migrations.
fn users(context: &Context<'_>, lists: &BTreeMap<String, Vec<Written>>, linked: &mut Linked) {
    if lists.is_empty() {
        return;
    }
    for function in context.names.functions().iter().filter(|function| function.role == Role::Service) {
        let Some(body) = &function.function.body else { continue };
        let mut found: Option<Span> = None;
        walk::expressions(body, &mut |expr| {
            let ExprKind::Path(path) = &*expr.kind else { return };
            if found.is_none() && lists.contains_key(&context.names.resolve(function.module, &path.segments)) {
                found = Some(expr.span);
            }
        });
        if let Some(span) = found {
            run(context, function, span, linked);
        }
    }
}

fn run(context: &Context<'_>, function: &FunctionInfo<'_>, span: Span, linked: &mut Linked) {
    let by = super::runs::by_of_code(context, function.file);
    let data = MigrationRun { tool: "own".into(), by: by.into(), ..MigrationRun::default() };
    linked.facts.add(context.fact(data, function.file, span));
}

/// Functions that go from one version to the next, where at least one changes a schema.
fn steps(context: &Context<'_>, linked: &mut Linked) {
    let named = |function: &&FunctionInfo<'_>| {
        function.role == Role::Service
            && function.of_trait.is_none()
            && STEP.as_ref().is_some_and(|step| step.is_match(&function.item.name))
    };
    let mut files: BTreeMap<FileId, Vec<&FunctionInfo<'_>>> = BTreeMap::new();
    for function in context.names.functions().iter().filter(named) {
        files.entry(function.file).or_default().push(function);
    }
    for steps in files.values_mut() {
        steps.sort_by_key(|function| function.item.span);
        if !steps.iter().any(|function| changes_schema(context, function)) {
            continue;
        }
        let mut older: BTreeSet<String> = BTreeSet::new();
        for function in steps.iter() {
            step(context, function, &mut older, linked);
        }
        let ids: BTreeSet<FunctionId> = steps.iter().map(|function| function.id).collect();
        callers(context, &ids, linked);
    }
}

fn step(context: &Context<'_>, function: &FunctionInfo<'_>, older: &mut BTreeSet<String>, linked: &mut Linked) {
    linked.facts.add(context.fact(migration(&function.item.name), function.file, function.item.name_span));
    let Some(body) = &function.function.body else { return };
    let owners = Owners { context, module: function.module };
    let created = owners.tables(body, "create");
    for (span, change) in owners.changes(body, &created, older) {
        linked.facts.add(context.fact(change, function.file, span));
    }
    older.extend(created);
}

fn changes_schema(context: &Context<'_>, function: &FunctionInfo<'_>) -> bool {
    let Some(body) = &function.function.body else { return false };
    let owners = Owners { context, module: function.module };
    let mut found = !owners.tables(body, "create").is_empty() || !owners.tables(body, "alter").is_empty();
    walk::expressions(body, &mut |expr| {
        if let ExprKind::Literal(Literal::Text(text)) = &*expr.kind {
            found |= creates(&sql::fragment(text));
        }
    });
    found
}

/// The function that goes through the steps runs them.
fn callers(context: &Context<'_>, steps: &BTreeSet<FunctionId>, linked: &mut Linked) {
    for function in context.names.functions().iter().filter(|function| function.role == Role::Service) {
        let first = context.names.calls(function.id).iter().find(|site| steps.contains(&site.target));
        if let Some(site) = first.filter(|_| !steps.contains(&function.id)) {
            run(context, function, site.span, linked);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::facts::{Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::{link, trial};

    fn facts(code: &str, kind: FactKind) -> Vec<String> {
        let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\nsea-orm = \"1\"\n";
        let repository = trial::repository(&[("Cargo.toml", manifest), ("src/main.rs", code)]);
        let linked = link(&repository, &Catalog::default());
        let of_kind = linked.facts.of(kind).map(|(_, fact)| fact);
        of_kind
            .map(|fact| match &fact.data {
                Data::Migration(migration) => migration.version.known().unwrap().clone(),
                Data::MigrationRun(run) => run.by.known().unwrap().clone(),
                Data::SchemaChange(change) => change.operation.known().unwrap().clone(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn statements_in_a_list_are_migrations() {
        let code = r#"
            static MIGRATIONS: &[&str] = &["CREATE TABLE a (id int)", "CREATE TABLE b (id int);", "CREATE INDEX i ON a (id)"];
            fn main() { for migration in MIGRATIONS { apply(migration); } }
            fn apply(_: &str) {}
            static MIGRATION_WORDS: &[&str] = &["up", "down"];
        "#;
        assert_eq!(facts(code, FactKind::Migration), ["0", "1", "2"]);
        assert_eq!(facts(code, FactKind::MigrationRun), ["startup"]);
        assert_eq!(facts(code, FactKind::SchemaChange), ["create-index"]);
    }

    #[test]
    fn a_function_gives_the_list_of_migrations() {
        let code = r#"
            enum Step { Sql(&'static str), Code(fn()) }
            fn migrations() -> Vec<(&'static str, Step)> {
                let mut list = Vec::new();
                list.push(("first", Step::Sql("CREATE TABLE a (id int);")));
                list.push(("index", Step::Sql("CREATE INDEX i ON a (id);")));
                list.push(("fill", Step::Code(|| fill("UPDATE a SET id = 1"))));
                list
            }
            fn main() { for (name, step) in migrations() { apply(name, step); } }
            fn count_migrations() -> usize { 2 }
        "#;
        assert_eq!(facts(code, FactKind::Migration), ["0", "1", "2"]);
        assert_eq!(facts(code, FactKind::MigrationRun), ["startup"]);
        assert_eq!(facts(code, FactKind::SchemaChange), ["create-index"]);
    }

    #[test]
    fn functions_that_go_from_version_to_version_are_migrations() {
        let code = r#"
            fn migrate_to_v1(db: &Db) { db.execute("CREATE TABLE a (id int)"); }
            fn migrate_to_v2(db: &Db) { db.fill(); }
            fn migrate_user(db: &Db) { db.fill(); }
            fn main() { migrate_to_v1(&db); migrate_to_v2(&db); }
        "#;
        assert_eq!(facts(code, FactKind::Migration), ["migrate_to_v1", "migrate_to_v2"]);
        assert_eq!(facts(code, FactKind::MigrationRun), ["startup"]);
        let no_schema = "fn migrate_to_v1(a: &A) { a.fill(); }\nfn main() { migrate_to_v1(&a); }";
        assert!(facts(no_schema, FactKind::Migration).is_empty());
    }
}

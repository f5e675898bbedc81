//! Migrations that code hands to rusqlite_migration one by one: `M::up(..)` with its `.down(..)`, in the order of a list.

use std::collections::BTreeSet;

use super::changes::Scope;
use super::sets::{Set, first_line, statements};
use crate::facts::vocabulary::Migration;
use crate::link::containers::join;
use crate::link::names::ModuleId;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Expr, ExprKind, Literal};
use crate::parse::rust::walk;
use crate::parse::sql::{self, Statement};
use crate::scan::source::{FileId, Role, Span};

/// The name of the tool, which is its crate's.
const TOOL: &str = "rusqlite_migration";

/// Ties each migration to the file that it includes, and adds those whose statements stand in code.
pub(super) fn emit(context: &Context<'_>, sets: &mut [Set], linked: &mut Linked) {
    let names = context.names;
    for function in names.functions().iter().filter(|function| function.role == Role::Service) {
        let Some(body) = &function.function.body else { continue };
        let mut list = List::new(context, function.module, function.file);
        walk::expressions(body, &mut |expr| list.visit(expr));
        list.add(sets, linked);
    }
    for item in names.items().iter().filter(|item| item.role == Role::Service) {
        let mut list = List::new(context, item.module, item.file);
        walk::item_expressions(item.item, &mut |expr| list.visit(expr));
        list.add(sets, linked);
    }
}

/// What one function or item hands over.
struct List<'c, 'a> {
    context: &'c Context<'a>,
    module: ModuleId,
    file: FileId,
    /// Where the up parts begin that have a down part which does something.
    reversible: BTreeSet<u32>,
    handed: Vec<Handed>,
}

/// One migration.
struct Handed {
    span: Span,
    text: Text,
}

/// Where its statements stand.
enum Text {
    /// In a file of SQL.
    File(FileId),
    /// In a literal.
    Literal(Vec<Statement>),
    /// Somewhere else.
    Elsewhere,
}

impl<'c, 'a> List<'c, 'a> {
    fn new(context: &'c Context<'a>, module: ModuleId, file: FileId) -> List<'c, 'a> {
        List { context, module, file, reversible: BTreeSet::new(), handed: Vec::new() }
    }

    /// Outer calls come first: a `.down(..)` is seen before the `M::up(..)` that it is called on.
    fn visit(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::MethodCall { method, arguments, .. } if method.starts_with("down") => {
                let empty = arguments.first().is_some_and(|text| {
                    matches!(&*text.kind, ExprKind::Literal(Literal::Text(text)) if sql::fragment(text).is_empty())
                });
                if !empty {
                    self.reversible.insert(root(expr).span.start);
                }
            }
            ExprKind::Call { arguments, .. } if self.hands_over(expr) => {
                let text = arguments.first().map_or(Text::Elsewhere, |text| self.text(text));
                self.handed.push(Handed { span: expr.span, text });
            }
            _ => {}
        }
    }

    fn hands_over(&self, expr: &Expr) -> bool {
        let ExprKind::Call { function, .. } = &*expr.kind else { return false };
        let ExprKind::Path(path) = &*function.kind else { return false };
        matches!(path.last(), "up" | "up_with_hook") && {
            let resolved = self.context.names.resolve(self.module, &path.segments);
            resolved.strip_prefix(TOOL).is_some_and(|rest| rest.starts_with("::M::up"))
        }
    }

    fn text(&self, expr: &Expr) -> Text {
        match &*expr.kind {
            ExprKind::Literal(Literal::Text(text)) => Text::Literal(sql::fragment(text)),
            ExprKind::Macro(call) if call.path.last() == "include_str" => {
                let tree = &self.context.repository.tree;
                let folder = tree.file(self.file).folder();
                let path = call.message().map(|(path, _)| join(folder, path));
                path.and_then(|path| tree.find(&path)).map_or(Text::Elsewhere, |file| Text::File(file.id))
            }
            _ => Text::Elsewhere,
        }
    }

    fn add(&self, sets: &mut [Set], linked: &mut Linked) {
        let mut older: BTreeSet<String> = BTreeSet::new();
        for (index, handed) in self.handed.iter().enumerate() {
            let has_down = self.reversible.contains(&handed.span.start);
            if let Text::File(file) = handed.text
                && tie(sets, file, has_down)
            {
                continue;
            }
            let (file, span, statements) = match &handed.text {
                Text::File(file) => {
                    (*file, first_line(self.context, *file), statements(self.context.repository.get(*file).1))
                }
                Text::Literal(statements) => (self.file, handed.span, statements.as_slice()),
                Text::Elsewhere => (self.file, handed.span, &[][..]),
            };
            let data = Migration {
                tool: TOOL.into(),
                version: index.to_string().as_str().into(),
                has_down: has_down.into(),
                engine: "sqlite".into(),
                run: true.into(),
                duplicate: false.into(),
            };
            linked.facts.add(self.context.fact_in_role(data, file, span, Role::Service));
            let scope = Scope::written(statements, &older, index, Some("sqlite"));
            for (at, change) in statements.iter().flat_map(|statement| scope.changes(statement)) {
                // Places in a literal are those of its text.
                let at = if file == self.file { span } else { at };
                linked.facts.add(self.context.fact_in_role(change, file, at, Role::Service));
            }
            older.extend(scope.created);
        }
    }
}

/// Tells the set that a file belongs to how it is run; whether there is one.
fn tie(sets: &mut [Set], file: FileId, has_down: bool) -> bool {
    for set in sets {
        if let Some(entry) = set.entries.iter_mut().find(|entry| entry.up == file) {
            entry.down_in_code |= has_down;
            set.tool = Some(TOOL);
            return true;
        }
    }
    false
}

/// The innermost receiver of a chain of methods.
fn root(mut expr: &Expr) -> &Expr {
    while let ExprKind::MethodCall { receiver, .. } = &*expr.kind {
        expr = receiver;
    }
    expr
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::facts::{Data, FactKind};
    use crate::link::catalog::Catalog;
    use crate::link::{link, trial};

    const MANIFEST: &str =
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\nrusqlite_migration = \"2\"\n";

    /// The migrations by path, with whether each can be undone, and what runs them.
    fn migrations(files: &[(&str, &str)]) -> (Vec<(String, bool)>, Vec<String>) {
        let repository = trial::repository(&[&[("Cargo.toml", MANIFEST)], files].concat());
        let linked = link(&repository, &Catalog::default());
        let found = linked.facts.of(FactKind::Migration).map(|(_, fact)| match &fact.data {
            Data::Migration(migration) => {
                assert_eq!(migration.tool.known().unwrap(), "rusqlite_migration");
                (repository.tree.file(fact.place.file).path.clone(), *migration.has_down.known().unwrap())
            }
            other => unreachable!("{other:?}"),
        });
        let mut found: Vec<(String, bool)> = found.collect();
        found.sort();
        let runs = linked.facts.of(FactKind::MigrationRun).map(|(_, fact)| match &fact.data {
            Data::MigrationRun(run) => run.by.known().unwrap().clone(),
            other => unreachable!("{other:?}"),
        });
        (found, runs.collect())
    }

    #[test]
    fn included_files_are_tied_to_the_list() {
        let code = r#"
            use rusqlite_migration::{M, Migrations};
            fn main() {
                let list = Migrations::new(vec![
                    M::up(include_str!("../schema/one.sql")),
                    M::up_with_hook(include_str!("migrations/02-two.sql"), |tx| Ok(())).down("DROP TABLE b"),
                ]);
                list.to_latest(&mut connection).unwrap();
            }
        "#;
        let (found, runs) = migrations(&[
            ("src/main.rs", code),
            ("schema/one.sql", "CREATE TABLE a (id int);"),
            ("src/migrations/02-two.sql", "CREATE TABLE b (id int);"),
        ]);
        assert_eq!(found, [("schema/one.sql".into(), false), ("src/migrations/02-two.sql".into(), true)]);
        assert_eq!(runs, ["startup"]);
    }

    #[test]
    fn statements_in_the_list_are_migrations() {
        let code = r#"
            use rusqlite_migration::{M, Migrations};
            const STEPS: &[M<'static>] = &[M::up("CREATE TABLE a (id int)").down("DROP TABLE a"), M::up(OTHER).down("")];
            fn main() { own::M::up("CREATE TABLE c (id int)"); }
        "#;
        let (found, runs) = migrations(&[("src/main.rs", code)]);
        assert_eq!(found, [("src/main.rs".into(), false), ("src/main.rs".into(), true)]);
        assert!(runs.is_empty());
    }
}

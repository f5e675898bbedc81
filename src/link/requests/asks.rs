//! Expressions that ask a database.

use super::Part;
use super::body::{bare, called_path, chain, chain_root, macro_name};
use crate::link::names::FunctionInfo;
use crate::link::workspace::Package;
use crate::parse::rust::ast::{Expr, ExprKind};

/// Methods of sqlx that no other library of a service has.
const FETCHES: &[&str] = &["fetch", "fetch_one", "fetch_all", "fetch_optional", "execute_many", "fetch_many"];

/// Methods that run a statement on the connection they are given, by crate.
const ON_CONNECTION: &[(&str, &[&str])] = &[
    ("sqlx", &["execute"]),
    ("diesel", &["load", "get_result", "get_results", "first", "execute", "load_iter", "load_stream"]),
    (
        "sea-orm",
        &[
            "all",
            "one",
            "exec",
            "exec_with_returning",
            "exec_without_returning",
            "insert",
            "update",
            "delete",
            "save",
            "count",
        ],
    ),
];

/// Methods of clients that take a statement.
const OF_CLIENT: &[(&str, &[&str])] = &[
    ("tokio-postgres", &["query", "query_one", "query_opt", "query_typed"]),
    ("deadpool-postgres", &["query", "query_one", "query_opt", "query_typed"]),
    ("bb8-postgres", &["query", "query_one", "query_opt"]),
    ("mysql_async", &["exec", "exec_first", "exec_drop", "exec_map", "query_drop", "query_first"]),
    (
        "mongodb",
        &[
            "find_one",
            "insert_one",
            "update_one",
            "delete_one",
            "replace_one",
            "find_one_and_update",
            "count_documents",
        ],
    ),
];

/// Words in the name of what a statement runs on.
const CONNECTIONS: &[&str] =
    &["conn", "db", "pool", "tx", "trx", "txn", "transaction", "executor", "database", "client"];

/// What the package of a function talks to a database with.
pub(super) struct Asks<'a> {
    package: Option<&'a Package>,
}

impl<'a> Asks<'a> {
    pub(super) fn of(part: &Part<'_, 'a>, info: &FunctionInfo<'_>) -> Asks<'a> {
        let path = &part.context.repository.tree.file(info.file).path;
        Asks { package: part.context.workspace.package_of(path) }
    }

    fn depends(&self, name: &str) -> bool {
        self.package.is_some_and(|package| {
            package.dependencies.iter().any(|dependency| dependency.package == name && !dependency.development)
        })
    }

    /// Whether evaluating an expression runs a statement.
    pub(super) fn asks(&self, expr: &Expr) -> bool {
        let ExprKind::MethodCall { receiver, method, arguments, .. } = &*expr.kind else { return false };
        if self.depends("sqlx") && (FETCHES.contains(&method.as_str()) || method == "execute" && starts_query(receiver))
        {
            return arguments.len() == 1;
        }
        let known = |list: &[(&str, &[&str])]| {
            list.iter().any(|(krate, methods)| methods.contains(&method.as_str()) && self.depends(krate))
        };
        let on_connection = arguments.len() == 1 && names_connection(&arguments[0]) && known(ON_CONNECTION);
        on_connection
            || !arguments.is_empty() && names_connection(receiver) && known(OF_CLIENT)
            || method.ends_with("_one") && !arguments.is_empty() && self.depends("mongodb") && known(OF_CLIENT)
    }
}

/// `sqlx::query(..)`, `query_as!(..)` and their like at the root of a chain.
fn starts_query(receiver: &Expr) -> bool {
    let root = chain_root(receiver);
    let by_path = called_path(root).is_some_and(|path| path.last().contains("query"));
    by_path || macro_name(root).is_some_and(|(_, name)| name.contains("query"))
}

/// `&mut *conn`, `&self.pool`, `db.get_ref()`: what a statement runs on, by its name.
fn names_connection(expr: &Expr) -> bool {
    let inner = bare(expr);
    let name = match &*inner.kind {
        ExprKind::Path(path) => path.last().to_string(),
        ExprKind::Field { base, name } if name.starts_with(|first: char| first.is_ascii_digit()) => {
            return names_connection(base);
        }
        ExprKind::Field { name, .. } => name.clone(),
        ExprKind::MethodCall { receiver, method, .. } => {
            return words_of(method) || names_connection(chain(inner).last().map_or(receiver, |_| chain_root(inner)));
        }
        _ => return false,
    };
    words_of(&name)
}

fn words_of(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.split('_').any(|word| CONNECTIONS.iter().any(|known| word == *known || word.starts_with("conn")))
}

//! How many rows a query gives: by the method that fetches them, and by the chain of a query language.

use std::collections::HashMap;

use crate::facts::vocabulary::Query;
use crate::link::names::visit::{self, Visit};
use crate::parse::rust::ast::{Block, Expr, ExprKind, PatternKind, Statement};
use crate::parse::rust::walk;
use crate::scan::source::Span;

/// Methods of sqlx that fetch what a query gives.
const FETCHES: &[&str] = &["fetch_all", "fetch_one", "fetch_optional", "fetch", "execute"];

/// Methods that bound what a chain gives.
const BOUNDS: &[&str] =
    &["limit", "count", "paginate", "cursor_by", "page", "per_page", "find", "find_by_id", "select_only", "offset"];

/// Methods that choose rows.
const FILTERS: &[&str] = &[
    "filter",
    "or_filter",
    "filter_by",
    "having",
    "belongs_to",
    "belonging_to",
    "apply_if",
    "inner_join",
    "find_with_related",
    "find_also_related",
    "group_by",
    "distinct_on",
    "into_boxed",
    "find_related",
];

/// The method that fetches the rows of each query of a body, by where the query starts.
pub(super) fn fetched(body: &Block) -> HashMap<Span, &str> {
    let mut bound = Bound::default();
    bound.block(body);
    let mut found = HashMap::new();
    walk::expressions(body, &mut |expr| {
        let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind else { return };
        if FETCHES.contains(&method.as_str()) {
            let from = root(receiver);
            let value = match &*from.kind {
                ExprKind::Path(path) if path.segments.len() == 1 => bound.0.get(path.last()).copied(),
                _ => None,
            };
            found.insert(value.unwrap_or(from.span), method.as_str());
        }
    });
    found
}

/// Where the values of locals start.
#[derive(Default)]
struct Bound<'a>(HashMap<&'a str, Span>);

impl<'a> Visit<'a> for Bound<'a> {
    fn statement(&mut self, statement: &'a Statement) {
        if let Statement::Let { pattern, value: Some(value), .. } = statement
            && let PatternKind::Name(name) = &pattern.kind
        {
            self.0.insert(name, root(value).span);
        }
        visit::walk_statement(self, statement);
    }
}

/// What the fetching method says about a literal query that lists. Groups, distinct values and what a function gives
/// may be few.
pub(super) fn narrow(text: &str, method: Option<&str>, data: &mut Query) {
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
    let from_function = |pair: &[String]| matches!(pair[0].as_str(), "from" | "join") && pair[1].contains('(');
    if words.iter().any(|word| word == "group" || word == "distinct") || words.windows(2).any(from_function) {
        data.bounded = crate::facts::Attr::Unknown;
    }
    match method {
        Some("fetch_all" | "query") => {}
        Some("fetch_one" | "fetch_optional" | "execute" | "query_one" | "query_opt" | "query_row") => {
            data.lists = false.into();
        }
        // A stream is read row by row; what is fetched elsewhere is not seen.
        _ => data.lists = crate::facts::Attr::Unknown,
    }
}

/// What a chain of diesel or sea-orm tells: a whole table is only told from its `table` or `find()`.
pub(super) fn of_chain(library: &str, method: &str, receiver: &Expr, data: &mut Query) {
    let all = match library {
        "diesel" => matches!(method, "load" | "get_results" | "load_stream"),
        "sea-orm" => method == "all",
        _ => return,
    };
    data.lists = all.into();
    let methods = methods(receiver);
    let starts = match &*root(receiver).kind {
        ExprKind::Path(path) => library == "diesel" && path.last() == "table" && path.segments.len() > 1,
        ExprKind::Call { function, .. } => {
            matches!(&*function.kind, ExprKind::Path(path) if library == "sea-orm" && path.last() == "find")
        }
        _ => false,
    };
    if all && starts {
        data.bounded = methods.iter().any(|method| BOUNDS.contains(method)).into();
        data.filtered = methods.iter().any(|method| FILTERS.contains(method)).into();
    }
}

fn root(expr: &Expr) -> &Expr {
    let mut at = expr;
    while let ExprKind::MethodCall { receiver: inner, .. } | ExprKind::Await(inner) | ExprKind::Try(inner) = &*at.kind {
        at = inner;
    }
    at
}

fn methods(expr: &Expr) -> Vec<&str> {
    let mut found = Vec::new();
    let mut at = expr;
    while let ExprKind::MethodCall { receiver, method, .. } = &*at.kind {
        found.push(method.as_str());
        at = receiver;
    }
    found
}

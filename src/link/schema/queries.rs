//! Queries in code: literal ones, ones that macros check, ones that are built at run time.

use std::collections::HashMap;

use super::sizes;
use crate::facts::vocabulary::{Query, RuntimeSchema};
use crate::facts::{Confidence, Data, Fact};
use crate::link::names::FunctionInfo;
use crate::link::reach::Reach;
use crate::link::taint::{self, Taint, placeholders};
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{
    Block, Expr, ExprKind, Literal, MacroCall, Pattern, PatternKind, Statement as RustStatement,
};
use crate::parse::rust::walk;
use crate::parse::sql::{self, Kind, Statement};
use crate::scan::source::{FileId, Place, Role, Span};

/// A literal query with its parsed statements, for the columns it chooses by.
pub(super) struct Literally {
    /// Where the text stands.
    pub(super) place: Place,
    /// Its statements.
    pub(super) statements: Vec<Statement>,
}

/// Functions and macros that take a statement, by resolved path, with the index of the statement.
const TAKERS: &[(&str, &str, usize)] = &[
    ("sqlx", "query", 0),
    ("sqlx", "query_as", 0),
    ("sqlx", "query_scalar", 0),
    ("sqlx", "query_with", 0),
    ("sqlx", "query_as_with", 0),
    ("sqlx", "raw_sql", 0),
    ("sqlx", "query_unchecked", 0),
    ("diesel", "sql_query", 0),
    ("sea_orm", "from_string", 1),
    ("sea_orm", "from_sql_and_values", 1),
    ("sea_orm", "from_sql_and_values_unchecked", 1),
];

/// Methods that take a statement first, for clients that have no builder.
const CLIENTS: &[&str] = &[
    "tokio-postgres",
    "deadpool-postgres",
    "bb8-postgres",
    "postgres",
    "rusqlite",
    "tokio-rusqlite",
    "mysql_async",
    "mysql",
];
const CLIENT_METHODS: &[&str] = &[
    "query",
    "query_one",
    "query_opt",
    "execute",
    "batch_execute",
    "simple_query",
    "prepare",
    "query_row",
    "execute_batch",
    "query_raw",
    "query_drop",
    "exec",
];

/// Methods that run a query built in a query language of Rust's own.
const DSL: &[(&str, &[&str])] = &[
    ("diesel", &["load", "get_result", "get_results", "first", "execute", "load_stream"]),
    ("sea-orm", &["all", "one", "exec", "exec_with_returning", "paginate", "insert", "update", "delete"]),
    ("mongodb", &["find", "find_one", "insert_one", "update_one", "aggregate"]),
];

/// Adds the facts of this part and gives the literal queries.
pub(super) fn emit(context: &Context<'_>, linked: &mut Linked) -> Vec<Literally> {
    let mut literal = Vec::new();
    let reach = Reach::find(context, linked);
    let taint = Taint::find(context, &reach);
    for function in context.names.functions().iter().filter(|function| function.role == Role::Service) {
        let Some(body) = &function.function.body else { continue };
        let added = taint::additions(body);
        let fetched = sizes::fetched(body);
        let reader = Reader { context, function, body, added, fetched, reach: &reach, taint: &taint };
        walk::expressions(body, &mut |expr| reader.visit(expr, linked, &mut literal));
    }
    literal
}

/// Reads one function.
struct Reader<'a> {
    context: &'a Context<'a>,
    function: &'a FunctionInfo<'a>,
    body: &'a Block,
    /// What is added to texts after they got their names.
    added: Vec<(String, &'a Expr)>,
    /// The method that fetches what a query gives, by where the query starts.
    fetched: HashMap<Span, &'a str>,
    reach: &'a Reach,
    taint: &'a Taint,
}

/// What a statement is made of.
enum Text<'a> {
    Literal(&'a str, Span),
    Built(&'a MacroCall),
    /// Pieces that are put together by `+`, `push_str` and the like.
    Joined(Vec<&'a Expr>),
    Unknown,
}

impl<'a> Reader<'a> {
    fn visit(&self, expr: &'a Expr, linked: &mut Linked, literal: &mut Vec<Literally>) {
        if let Some((library, form, span, statement)) = self.taker(expr) {
            let client = match &*expr.kind {
                ExprKind::MethodCall { method, .. } => Some(method.as_str()),
                _ => None,
            };
            let method = client.or_else(|| self.fetched.get(&expr.span).copied());
            self.add(library, form, (span, method), statement, linked, literal);
        } else if let Some((library, span)) = self.dsl(expr) {
            let mut data =
                Query { library: library.into(), form: "dsl".into(), dynamic: false.into(), ..Query::default() };
            data.in_request = self.reach.waits_for(self.function.id).into();
            if let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind {
                sizes::of_chain(library, method, receiver, &mut data);
            }
            linked.facts.add(self.context.fact(data, self.function.file, span));
        }
    }

    /// A call that takes a statement: its library, form, place and statement.
    fn taker(&self, expr: &'a Expr) -> Option<(&'static str, &'static str, Span, &'a Expr)> {
        match &*expr.kind {
            ExprKind::Macro(call) => {
                let (library, index) = self.known(&self.resolve(&call.path.segments))?;
                let takes_type = call.path.last().starts_with("query_as");
                let argument = call.arguments.get(index + usize::from(takes_type))?;
                Some((library, "macro", call.path.span, &argument.value))
            }
            ExprKind::Call { function, arguments } => {
                let ExprKind::Path(path) = &*function.kind else { return None };
                let (library, index) = self.known(&self.resolve(&path.segments))?;
                Some((library, "literal", path.span, arguments.get(index)?))
            }
            ExprKind::MethodCall { receiver, method, method_span, arguments, .. }
                if method == "push" && self.is_builder(receiver) =>
            {
                Some(("sqlx", "piece", *method_span, arguments.first()?))
            }
            ExprKind::MethodCall { method, method_span, arguments, .. }
                if CLIENT_METHODS.contains(&method.as_str()) =>
            {
                let client = self.client()?;
                let statement = arguments.first()?;
                let sql = match self.text(statement, 0) {
                    Text::Literal(text, _) => is_sql(text),
                    Text::Built(call) => call.message().is_some_and(|(text, _)| is_sql(text)),
                    Text::Joined(pieces) => pieces.first().is_some_and(|piece| self.starts_sql(piece, 0)),
                    Text::Unknown => false,
                };
                sql.then_some((client, "literal", *method_span, statement))
            }
            _ => None,
        }
    }

    /// A `QueryBuilder`: what is pushed is text of the statement, what is bound is not.
    fn is_builder(&self, receiver: &Expr) -> bool {
        let made = taint::name_of(receiver).and_then(|name| self.local(name)).map(|value| &*value.kind);
        matches!(made, Some(ExprKind::Call { function, .. })
            if matches!(&*function.kind, ExprKind::Path(path) if path.segments.iter().any(|part| part == "QueryBuilder")))
    }

    fn starts_sql(&self, piece: &'a Expr, depth: usize) -> bool {
        if depth > 8 {
            return false;
        }
        match self.text(piece, 0) {
            Text::Literal(text, _) => is_sql(text),
            Text::Built(call) => call.message().is_some_and(|(text, _)| is_sql(text)),
            Text::Joined(pieces) => pieces.first().is_some_and(|first| self.starts_sql(first, depth + 1)),
            Text::Unknown => false,
        }
    }

    fn known(&self, path: &str) -> Option<(&'static str, usize)> {
        let last = path.rsplit("::").next()?;
        TAKERS
            .iter()
            .find(|(library, name, _)| *name == last && path.starts_with(library))
            .map(|(library, _, index)| (*library, *index))
    }

    fn resolve(&self, path: &[String]) -> String {
        self.context.names.resolve(self.function.module, path)
    }

    fn depends(&self, package: &str) -> bool {
        depends(self.context, self.function.file, package)
    }

    fn client(&self) -> Option<&'static str> {
        CLIENTS.iter().find(|client| self.depends(client)).copied()
    }

    fn dsl(&self, expr: &Expr) -> Option<(&'static str, Span)> {
        let ExprKind::MethodCall { method, method_span, arguments, .. } = &*expr.kind else { return None };
        let (library, _) =
            DSL.iter().find(|(library, methods)| methods.contains(&method.as_str()) && self.depends(library))?;
        (!arguments.is_empty()).then_some((*library, *method_span))
    }

    /// What a statement is, through references, conversions and locals of this function.
    fn text(&self, expr: &'a Expr, depth: usize) -> Text<'a> {
        if depth > 8 {
            return Text::Unknown;
        }
        match &*expr.kind {
            ExprKind::Literal(Literal::Text(text)) => Text::Literal(text, expr.span),
            ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, .. } => self.text(inner, depth + 1),
            ExprKind::MethodCall { receiver, method, .. }
                if ["as_str", "to_string", "to_owned", "into", "as_ref", "clone"].contains(&method.as_str()) =>
            {
                self.text(receiver, depth + 1)
            }
            ExprKind::Macro(call) if call.path.is("format") => Text::Built(call),
            ExprKind::Path(path) if path.segments.len() == 1 => self.named(path.last(), depth),
            ExprKind::Binary { operator, left, right } if operator == "+" => Text::Joined(vec![left, right]),
            ExprKind::Call { arguments, .. } if arguments.len() == 1 => self.text(&arguments[0], depth + 1),
            _ => Text::Unknown,
        }
    }

    /// A local, with what is added to it later.
    fn named(&self, name: &str, depth: usize) -> Text<'a> {
        let Some(value) = self.local(name) else { return Text::Unknown };
        let added: Vec<&'a Expr> = self.added.iter().filter(|(to, _)| to == name).map(|(_, value)| *value).collect();
        if added.is_empty() {
            return self.text(value, depth + 1);
        }
        Text::Joined(std::iter::once(value).chain(added).collect())
    }

    /// The value that the function binds to a name first.
    fn local(&self, name: &str) -> Option<&'a Expr> {
        self.body.statements.iter().find_map(|statement| match statement {
            RustStatement::Let { pattern, value: Some(value), .. } if binds(pattern, name) => Some(value),
            _ => None,
        })
    }

    fn add(
        &self,
        library: &str,
        form: &str,
        (span, fetched): (Span, Option<&str>),
        statement: &'a Expr,
        linked: &mut Linked,
        literal: &mut Vec<Literally>,
    ) {
        let mut data = Query { library: library.into(), form: form.into(), dynamic: false.into(), ..Query::default() };
        let mut confidence = Confidence::High;
        match self.text(statement, 0) {
            Text::Literal(..) if form == "piece" => return,
            Text::Literal(text, at) => {
                let statements = sql::fragment(text);
                shape(&statements, &mut data);
                if data.lists.is_true() {
                    sizes::narrow(text, fetched, &mut data);
                }
                data.text = text.into();
                self.runtime_schema(&statements, span, linked);
                literal.push(Literally { place: Place { file: self.function.file, span: at }, statements });
            }
            Text::Built(call) => {
                data.form = "built".into();
                confidence = self.built(call, &mut data);
            }
            Text::Joined(pieces) => {
                data.form = "built".into();
                confidence = self.joined(&pieces, &mut data);
            }
            Text::Unknown if self.taint.reaches(self.context, self.function, statement) => {
                data.form = "built".into();
                data.dynamic = true.into();
                confidence = self.verdict(true, false, &mut data);
            }
            Text::Unknown => data.form = "unknown".into(),
        }
        data.in_request = self.reach.waits_for(self.function.id).into();
        let mut fact: Fact = self.context.fact(data, self.function.file, span).confidence(confidence);
        if let Data::Query(query) = &fact.data
            && query.tainted.is_true()
        {
            fact.flow = self.taint.flow(self.function.id).0;
        }
        linked.facts.add(fact);
    }

    fn runtime_schema(&self, statements: &[Statement], span: Span, linked: &mut Linked) {
        let creates = |statement: &Statement| matches!(&statement.kind, Kind::CreateTable(table) if !table.temporary);
        if statements.iter().any(creates) && !self.function.path.contains("migrat") {
            let data = RuntimeSchema { what: "create table".into() };
            linked.facts.add(self.context.fact(data, self.function.file, span));
        }
    }

    /// Judges what goes into a built statement; gives how sure that is.
    fn built(&self, call: &MacroCall, data: &mut Query) -> Confidence {
        let Some((text, _)) = call.message() else { return Confidence::Low };
        let names = inserted(text, call);
        let varying: Vec<&Inserted<'_>> = names.iter().filter(|name| !self.constant(name)).collect();
        data.dynamic = (!varying.is_empty()).into();
        data.identifier_only = (!varying.is_empty() && identifiers_only(text)).into();
        let tainted = varying.iter().any(|name| match name {
            Inserted::Name(name) => self.taint.holds(self.function.id, name),
            Inserted::Value(expr) => self.taint.reaches(self.context, self.function, expr),
        });
        self.verdict(tainted, varying.is_empty(), data)
    }

    fn joined(&self, pieces: &[&Expr], data: &mut Query) -> Confidence {
        let varying: Vec<&&Expr> = pieces.iter().filter(|piece| !self.constant_text(piece)).collect();
        data.dynamic = (!varying.is_empty()).into();
        let tainted = varying.iter().any(|piece| self.taint.reaches(self.context, self.function, piece));
        self.verdict(tainted, varying.is_empty(), data)
    }

    fn verdict(&self, tainted: bool, constant: bool, data: &mut Query) -> Confidence {
        if !tainted {
            return if constant { Confidence::High } else { Confidence::Low };
        }
        data.tainted = true.into();
        let sure = self.taint.flow(self.function.id).1;
        if data.identifier_only.is_true() { sure.min(Confidence::Medium) } else { sure }
    }

    /// A piece of a statement without anything that varies.
    fn constant_text(&self, expr: &Expr) -> bool {
        match &*expr.kind {
            ExprKind::Binary { operator, left, right } if operator == "+" => {
                self.constant_text(left) && self.constant_text(right)
            }
            ExprKind::Call { arguments, .. } => arguments.iter().all(|argument| self.constant_text(argument)),
            ExprKind::MethodCall { receiver, method, .. }
                if ["to_string", "to_owned", "into"].contains(&method.as_str()) =>
            {
                self.constant_text(receiver)
            }
            ExprKind::Macro(call) if call.path.is("format") => {
                let text = call.message().map_or("", |(text, _)| text);
                inserted(text, call).iter().all(|name| self.constant(name))
            }
            ExprKind::Path(path) if path.segments.len() == 1 => {
                let value = self.local(path.last()).map(|value| &*value.kind);
                is_constant_name(path.last()) || matches!(value, Some(ExprKind::Literal(_)))
            }
            ExprKind::Reference(inner) => self.constant_text(inner),
            _ => self.constant_expr(expr),
        }
    }

    /// Whether an inserted value is a constant of the program: a literal, `UPPER_CASE`, a number.
    fn constant(&self, inserted: &Inserted<'_>) -> bool {
        match inserted {
            Inserted::Name(name) => {
                is_constant_name(name) || self.local(name).is_some_and(|value| self.constant_expr(value))
            }
            Inserted::Value(expr) => self.constant_expr(expr),
        }
    }

    fn constant_expr(&self, expr: &Expr) -> bool {
        match &*expr.kind {
            ExprKind::Literal(_) => true,
            ExprKind::Path(path) => is_constant_name(path.last()),
            ExprKind::Reference(inner) => self.constant_expr(inner),
            ExprKind::Macro(call) => ["include_str", "concat", "stringify"].contains(&call.path.last()),
            ExprKind::MethodCall { method, .. } => ["len", "count", "as_millis", "as_secs"].contains(&method.as_str()),
            ExprKind::Match { arms, .. } => arms.iter().all(|arm| self.constant_expr(&arm.body)),
            ExprKind::If { then, otherwise, .. } => {
                last(then).is_some_and(|value| self.constant_expr(value))
                    && otherwise.as_ref().is_some_and(|value| self.constant_expr(value))
            }
            ExprKind::Block(block) => last(block).is_some_and(|value| self.constant_expr(value)),
            _ => false,
        }
    }
}

fn last(block: &Block) -> Option<&Expr> {
    match block.statements.last() {
        Some(RustStatement::Expr { value, ended: false, .. }) => Some(value),
        _ => None,
    }
}

fn is_constant_name(name: &str) -> bool {
    name.len() > 1 && !name.chars().any(char::is_lowercase)
}

/// A value that a format string takes in.
enum Inserted<'a> {
    /// `{name}`.
    Name(String),
    /// An argument after the format string.
    Value(&'a Expr),
}

fn inserted<'a>(text: &str, call: &'a MacroCall) -> Vec<Inserted<'a>> {
    let named: Vec<&str> = call.arguments.iter().filter_map(|argument| argument.name.as_deref()).collect();
    let values = call.arguments.iter().skip(1).map(|argument| Inserted::Value(&argument.value));
    let inline = placeholders(text).filter(|name| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()));
    values.chain(inline.filter(|name| !named.contains(name)).map(|name| Inserted::Name(name.to_string()))).collect()
}

/// Whether every placeholder stands where a table, column or direction stands.
fn identifiers_only(text: &str) -> bool {
    const BEFORE: &[&str] = &[
        "from", "join", "into", "update", "table", "by", "index", "on", "schema", "database", "select", "column", "as",
        "asc", "desc", "only", "exists",
    ];
    let mut before = text.split('{').peekable();
    let mut all = true;
    while let Some(part) = before.next() {
        if before.peek().is_none() {
            break;
        }
        let part = part.split_once('}').map_or(part, |(_, rest)| rest).trim_end();
        let word = part.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("").to_ascii_lowercase();
        all &= BEFORE.contains(&word.as_str()) || part.ends_with(['"', '.', '`']);
    }
    all
}

fn binds(pattern: &Pattern, name: &str) -> bool {
    matches!(&pattern.kind, PatternKind::Name(bound) if bound == name)
}

fn is_sql(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("").to_ascii_lowercase();
    ["select", "insert", "update", "delete", "with", "create", "alter", "drop", "set", "truncate", "begin"]
        .contains(&first.as_str())
}

/// What the statements of a literal query tell about its size.
fn shape(statements: &[Statement], data: &mut Query) {
    let [Statement { kind: Kind::Query(query), .. }] = statements else { return };
    data.lists = (query.verb == "select" && !query.tables.is_empty()).into();
    data.bounded = query.bounded.into();
    data.filtered = query.filtered.into();
    data.select_star = query.star.into();
}

/// Whether the package of a file depends on a crate.
pub(super) fn depends(context: &Context<'_>, file: FileId, package: &str) -> bool {
    let path = &context.repository.tree.file(file).path;
    let owner = context.workspace.package_of(path);
    owner.is_some_and(|owner| {
        owner.dependencies.iter().any(|dependency| dependency.package == package && !dependency.development)
    })
}

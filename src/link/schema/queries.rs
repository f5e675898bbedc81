//! Queries in code: literal ones, ones that macros check, ones that are built at run time.

use crate::facts::vocabulary::{Query, RuntimeSchema};
use crate::facts::{Confidence, Fact};
use crate::link::names::FunctionInfo;
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
    for function in context.names.functions().iter().filter(|function| function.role == Role::Service) {
        let Some(body) = &function.function.body else { continue };
        let reader = Reader { context, function, body };
        walk::expressions(body, &mut |expr| reader.visit(expr, linked, &mut literal));
    }
    literal
}

/// Reads one function.
struct Reader<'a> {
    context: &'a Context<'a>,
    function: &'a FunctionInfo<'a>,
    body: &'a Block,
}

/// What a statement is made of.
enum Text<'a> {
    Literal(&'a str, Span),
    Built(&'a MacroCall),
    Unknown,
}

impl<'a> Reader<'a> {
    fn visit(&self, expr: &'a Expr, linked: &mut Linked, literal: &mut Vec<Literally>) {
        if let Some((library, form, span, statement)) = self.taker(expr) {
            let text = self.text(statement, 0);
            self.add(library, form, span, text, linked, literal);
        } else if let Some((library, span)) = self.dsl(expr) {
            let data = Query { library: library.into(), form: "dsl".into(), dynamic: false.into(), ..Query::default() };
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
            ExprKind::MethodCall { method, method_span, arguments, .. }
                if CLIENT_METHODS.contains(&method.as_str()) =>
            {
                let client = self.client()?;
                let statement = arguments.first()?;
                let sql = match self.text(statement, 0) {
                    Text::Literal(text, _) => is_sql(text),
                    Text::Built(call) => call.message().is_some_and(|(text, _)| is_sql(text)),
                    Text::Unknown => false,
                };
                sql.then_some((client, "literal", *method_span, statement))
            }
            _ => None,
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
            ExprKind::Path(path) if path.segments.len() == 1 => {
                self.local(path.last()).map_or(Text::Unknown, |value| self.text(value, depth + 1))
            }
            ExprKind::Call { arguments, .. } if arguments.len() == 1 => self.text(&arguments[0], depth + 1),
            _ => Text::Unknown,
        }
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
        span: Span,
        text: Text<'_>,
        linked: &mut Linked,
        literal: &mut Vec<Literally>,
    ) {
        let mut data = Query { library: library.into(), form: form.into(), dynamic: false.into(), ..Query::default() };
        let mut confidence = Confidence::High;
        match text {
            Text::Literal(text, at) => {
                let statements = sql::fragment(text);
                shape(&statements, &mut data);
                data.text = text.into();
                self.runtime_schema(&statements, span, linked);
                literal.push(Literally { place: Place { file: self.function.file, span: at }, statements });
            }
            Text::Built(call) => {
                data.form = "built".into();
                confidence = self.built(call, &mut data);
            }
            Text::Unknown => data.form = "unknown".into(),
        }
        let fact: Fact = self.context.fact(data, self.function.file, span).confidence(confidence);
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
        let inputs = request_inputs(self.function);
        let tainted = varying.iter().any(|name| inputs.contains(&name.root()));
        if tainted {
            data.tainted = true.into();
            return Confidence::High;
        }
        if varying.is_empty() { Confidence::High } else { Confidence::Low }
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

impl Inserted<'_> {
    /// The variable it starts from; empty where it is none.
    fn root(&self) -> String {
        match self {
            Inserted::Name(name) => name.clone(),
            Inserted::Value(expr) => root(expr),
        }
    }
}

fn root(expr: &Expr) -> String {
    match &*expr.kind {
        ExprKind::Path(path) if path.segments.len() == 1 => path.last().to_string(),
        ExprKind::Field { base, .. } => root(base),
        ExprKind::Reference(inner) | ExprKind::Try(inner) | ExprKind::Await(inner) => root(inner),
        ExprKind::MethodCall { receiver, .. } => root(receiver),
        _ => String::new(),
    }
}

fn inserted<'a>(text: &str, call: &'a MacroCall) -> Vec<Inserted<'a>> {
    let named: Vec<&str> = call.arguments.iter().filter_map(|argument| argument.name.as_deref()).collect();
    let values = call.arguments.iter().skip(1).map(|argument| Inserted::Value(&argument.value));
    let inline = placeholders(text).filter(|name| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()));
    values.chain(inline.filter(|name| !named.contains(name)).map(|name| Inserted::Name(name.to_string()))).collect()
}

/// Names between the braces of a format string; empty for `{}`.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(inside, _)| inside.split(':').next().unwrap_or("").trim())
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

/// Names that a handler's extractors bind: what comes from the request.
fn request_inputs(function: &FunctionInfo<'_>) -> Vec<String> {
    const EXTRACTORS: &[&str] =
        &["Path", "Query", "Json", "Form", "ValidatedJson", "Multipart", "Bytes", "RawQuery", "TypedHeader"];
    let mut names = Vec::new();
    for parameter in &function.function.parameters {
        let last = parameter.ty.as_ref().and_then(|ty| ty.path.last());
        if last.is_some_and(|last| EXTRACTORS.contains(&last.as_str())) {
            bound(&parameter.pattern, &mut names);
        }
    }
    names
}

fn bound(pattern: &Pattern, names: &mut Vec<String>) {
    match &pattern.kind {
        PatternKind::Name(name) => names.push(name.clone()),
        PatternKind::TupleStruct(_, inner)
        | PatternKind::Tuple(inner)
        | PatternKind::Or(inner)
        | PatternKind::Other(inner) => {
            inner.iter().for_each(|pattern| bound(pattern, names));
        }
        PatternKind::Struct(_, fields) => fields.iter().for_each(|(_, pattern)| bound(pattern, names)),
        _ => {}
    }
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
    data.lists = (query.verb == "select").into();
    data.bounded = query.bounded.into();
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

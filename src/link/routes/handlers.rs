//! Handlers: what they take, whether they ask dependencies, and how they answer.

use std::collections::{BTreeMap, BTreeSet};

use super::super::catalog::versions::Range;
use super::super::names::{FunctionId, FunctionInfo, ModuleId};
use super::behaviour::{self, Body};
use super::evaluate::Evaluator;
use super::value::Answer;
use crate::facts::vocabulary::Handler;
use crate::parse::rust::ast::{
    Attribute, Expr, ExprKind, Item, ItemKind, Literal, Parameter, PatternKind, Statement, TokenKind, Type,
};
use crate::scan::source::{FileId, Place, Role, Span};

/// A handler with what routes need to know of it.
#[derive(Clone, Debug)]
pub struct HandlerFacts {
    /// The fact.
    pub fact: Handler,
    /// Where it stands.
    pub place: Place,
    /// An extractor or its own code asks who calls; unknown for libraries' handlers.
    pub auth: Option<bool>,
    /// It takes a body, query or path input.
    pub takes_input: bool,
    /// A call in it limits the rate: where.
    pub limits_rate: Option<Place>,
    /// A span with the request's context is opened for it.
    pub instrumented: Option<Place>,
    /// The user is recorded in its span: where.
    pub names_user: Option<Place>,
}

/// Extractors of libraries that let only known callers through.
const AUTH_EXTRACTORS: &[&str] =
    &["BearerAuth", "BasicAuth", "Identity", "AuthBearer", "AuthBasic", "JwtClaims", "JWTAuth", "JWT"];
/// Extractors that carry input.
const INPUTS: &[&str] = &[
    "Json",
    "Form",
    "Query",
    "Path",
    "Multipart",
    "Bytes",
    "String",
    "RawBody",
    "Data",
    "ValidatedJson",
    "Valid",
    "JsonBody",
    "PathParam",
    "QueryParam",
    "TypedMultipart",
    "MultipartForm",
    "RawForm",
    "Garde",
    "WithRejection",
    "Payload",
    "JsonExtract",
];

/// What a handler is.
pub fn of<'a>(evaluator: &Evaluator<'a>, answer: &Answer<'a>, registered: Place) -> HandlerFacts {
    match answer {
        Answer::Function(id) => of_function(evaluator, *id),
        Answer::Closure(expr, module, file) => of_closure(evaluator, expr, *module, *file),
        Answer::Library(name) => HandlerFacts {
            fact: Handler { name: name.as_str().into(), ..Handler::default() },
            place: registered,
            auth: None,
            takes_input: false,
            limits_rate: None,
            instrumented: None,
            names_user: None,
        },
    }
}

fn of_function<'a>(evaluator: &Evaluator<'a>, id: FunctionId) -> HandlerFacts {
    let info = evaluator.info(id);
    let own = Body::of(evaluator, id);
    let types: Vec<&Type> = info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref()).collect();
    let extractors = extractors(evaluator, info);
    let mut bodies: Vec<Body<'a>> = own.into_iter().collect();
    bodies.extend(extractors.iter().flat_map(|extractor| extractor.bodies.iter().copied()));
    let mut facts = judged(evaluator, &bodies, own);
    facts.place = Place { file: info.file, span: info.item.name_span };
    facts.fact.name = info.path.as_str().into();
    facts.fact.inputs = types.iter().filter_map(|ty| input_name(ty)).collect::<Vec<String>>().into();
    if extractors.iter().any(|extractor| extractor.of_database) {
        facts.fact.checks_dependencies = true.into();
        facts.fact.constant = false.into();
        facts.fact.reports_failure = true.into();
    }
    if extractors.iter().any(|extractor| extractor.auth) || leaves_without_session(info) {
        facts.auth = Some(true);
    }
    let rocket = info.item.attributes.iter().any(|attribute| {
        super::register::http_method(attribute.path.last()).is_some() && !info.function.parameters.is_empty()
    });
    facts.takes_input = rocket && !types.is_empty() && inputs_by_name(&info.function.parameters, &info.item.attributes)
        || types.iter().any(|ty| ty.path.last().is_some_and(|last| INPUTS.contains(&last.as_str())) && !is_state(ty));
    if let Some(attribute) = info.item.attributes.iter().find(|attribute| attribute.path.last() == "instrument") {
        let place = Place { file: info.file, span: attribute.span };
        facts.instrumented = Some(place);
        if facts.names_user.is_none() && attribute.tokens.iter().any(|token| is_user(&token.kind)) {
            facts.names_user = Some(place);
        }
    }
    let result = info.function.returns.as_ref().is_some_and(|ty| ty.text.contains("Result"));
    if facts.fact.constant.is_true() && result && facts.fact.reports_failure.is_true() {
        facts.fact.constant = false.into();
    }
    facts
}

/// Whether a handler goes no further without a session: `let Some(session) = maybe_session else { return .. };`.
fn leaves_without_session(info: &FunctionInfo<'_>) -> bool {
    let Some(body) = &info.function.body else { return false };
    body.statements.iter().any(|statement| {
        let Statement::Let { pattern, value: Some(value), otherwise: Some(_), .. } = statement else { return false };
        let PatternKind::TupleStruct(_, parts) = &pattern.kind else { return false };
        let named = parts.iter().any(|part| matches!(&part.kind, PatternKind::Name(name) if name.contains("session")));
        // Not one that is looked up by an id that anybody may send.
        named && matches!(&*value.kind, ExprKind::Path(path) if path.last().contains("session"))
    })
}

/// Rocket: a parameter that the attribute's path or data names is input.
fn inputs_by_name(parameters: &[Parameter], attributes: &[crate::parse::rust::ast::Attribute]) -> bool {
    let texts: Vec<&str> = attributes
        .iter()
        .flat_map(|attribute| &attribute.tokens)
        .filter_map(|token| match &token.kind {
            TokenKind::Literal(Literal::Text(text)) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    parameters.iter().any(|parameter| match &parameter.pattern.kind {
        PatternKind::Name(name) => texts.iter().any(|text| text.contains(&format!("<{name}"))),
        _ => false,
    })
}

/// `web::Data<T>` of actix is state, not input.
fn is_state(ty: &Type) -> bool {
    ty.path.last().is_some_and(|last| last == "Data") && !ty.text.contains("rocket")
}

fn input_name(ty: &Type) -> Option<String> {
    let last = ty.path.last()?;
    let inner: Vec<&str> = ty.arguments.iter().filter_map(|inner| inner.path.last()).map(String::as_str).collect();
    Some(if inner.is_empty() { last.clone() } else { format!("{last}<{}>", inner.join(", ")) })
}

fn of_closure<'a>(evaluator: &Evaluator<'a>, expr: &'a Expr, module: ModuleId, file: FileId) -> HandlerFacts {
    let body = Body::expr(expr, module, file);
    let mut facts = judged(evaluator, &[body], Some(body));
    facts.place = Place { file, span: expr.span };
    facts.fact.name = "closure".into();
    facts
}

fn judged<'a>(evaluator: &Evaluator<'a>, bodies: &[Body<'a>], own: Option<Body<'a>>) -> HandlerFacts {
    let all = behaviour::reach(evaluator, bodies, 3);
    let mut seen = Seen::default();
    for body in &all {
        body.visit(&mut |expr| see(&mut seen, expr));
    }
    let constant = own.is_some_and(|own| is_constant(evaluator, &own));
    let does = behaviour::of(evaluator, bodies);
    let limits_rate = limiting(evaluator, &all, does.kinds().contains(&"rate-limit".to_string()));
    HandlerFacts {
        fact: Handler {
            checks_dependencies: (seen.asks_dependency && !constant).into(),
            constant: constant.into(),
            reports_failure: seen.fails.into(),
            ..Handler::default()
        },
        place: Place { file: FileId(0), span: Span::default() },
        auth: Some(does.kinds().contains(&"auth".to_string())),
        takes_input: false,
        limits_rate,
        instrumented: None,
        names_user: all.iter().find_map(names_user),
    }
}

/// Whether a token names the user of a request as a field of a span.
fn is_user(token: &TokenKind) -> bool {
    const NAMES: &[&str] = &["user_id", "userid", "uid", "user", "username", "account_id", "tenant_id"];
    match token {
        TokenKind::Ident(word) | TokenKind::Literal(Literal::Text(word)) => NAMES.contains(&word.as_str()),
        _ => false,
    }
}

/// Where a body puts the user into a span: `span.record("user_id", ..)`, `info_span!("..", user_id = ..)`.
fn names_user(body: &Body<'_>) -> Option<Place> {
    let mut found = None;
    body.visit(&mut |expr| {
        let names = match &*expr.kind {
            ExprKind::MethodCall { method, arguments, .. } if method == "record" => {
                let first = arguments.first().map(|first| &*first.kind);
                matches!(first, Some(ExprKind::Literal(literal)) if is_user(&TokenKind::Literal(literal.clone())))
            }
            ExprKind::Macro(call) if call.path.last().ends_with("span") => {
                call.tokens.iter().any(|token| is_user(&token.kind))
            }
            _ => false,
        };
        if names && found.is_none() {
            found = Some(Place { file: body.file, span: expr.span });
        }
    });
    found
}

/// The function that answers 429 and whose name says that it limits; or that fails with an error which becomes a 429.
fn limiting<'a>(evaluator: &Evaluator<'a>, all: &[Body<'a>], refuses: bool) -> Option<Place> {
    all.iter().find_map(|body| {
        let info = evaluator.info(body.function?);
        let name = info.item.name.to_ascii_lowercase();
        let says = name.contains("limit") || name.contains("throttle");
        let answers = || refuses && behaviour::of(evaluator, &[*body]).kinds().contains(&"rate-limit".to_string());
        (says && (answers() || fails_by_limit(evaluator, info)))
            .then_some(Place { file: info.file, span: info.item.name_span })
    })
}

/// Whether a function returns an error of the tree that speaks of a rate limit, and that error, or one that it is turned
/// into, is answered with 429.
fn fails_by_limit(evaluator: &Evaluator<'_>, info: &FunctionInfo<'_>) -> bool {
    let names = evaluator.names;
    let Some(error) = names.returned(info.id).filter(|ty| ty.last() == "Result").and_then(|mut ty| ty.arguments.pop())
    else {
        return false;
    };
    let speaks = |name: &str| {
        let lower = name.to_ascii_lowercase();
        ["ratelimit", "toomanyrequests", "throttl"].iter().any(|word| lower.contains(word))
    };
    let Some(item) = names.item_at(&error.path) else { return false };
    let of_limit = match &item.item.kind {
        ItemKind::Enum(variants) => variants.iter().any(|variant| speaks(&variant.name)),
        _ => false,
    };
    if !of_limit && !speaks(error.last()) {
        return false;
    }
    // `impl From<Error> for Answer`: what `?` makes of it.
    let becomes = names.impls().iter().filter(|block| {
        let from = block.block.of_trait.as_ref().filter(|of| of.path.last().is_some_and(|last| last == "From"));
        let source = from.and_then(|of| of.arguments.first());
        source.is_some_and(|source| names.type_at(block.module, None, source).path == error.path)
    });
    let mut types: Vec<&str> = becomes.map(|block| block.self_type.as_str()).collect();
    types.push(&error.path);
    types.into_iter().any(|ty| answers_429(evaluator, ty))
}

/// Whether the response of a type has the status 429.
fn answers_429(evaluator: &Evaluator<'_>, ty: &str) -> bool {
    const TRAITS: &[&str] = &["IntoResponse", "ResponseError", "Responder", "Writer", "Reply"];
    let names = evaluator.names;
    let made = names.methods_of(ty).iter().filter(|id| {
        let last = names.function(**id).of_trait.as_deref().and_then(|of| of.rsplit("::").next());
        last.is_some_and(|last| TRAITS.contains(&last))
    });
    made.filter_map(|id| Body::of(evaluator, *id)).any(|body| {
        let mut found = false;
        body.visit(&mut |expr| {
            found |= match &*expr.kind {
                ExprKind::Path(path) => matches!(path.last(), "TOO_MANY_REQUESTS" | "TooManyRequests"),
                ExprKind::MethodCall { method, .. } => method == "too_many_requests",
                ExprKind::Literal(Literal::Integer(number)) => *number == Some(429),
                _ => false,
            };
        });
        found
    })
}

#[derive(Default)]
struct Seen {
    asks_dependency: bool,
    fails: bool,
}

/// Methods that by themselves ask a dependency.
const ASKS: &[&str] = &[
    "ping",
    "fetch_one",
    "fetch_optional",
    "fetch_all",
    "acquire",
    "get_connection",
    "get_conn",
    "get_timeout",
    "get_multiplexed_async_connection",
    "get_multiplexed_tokio_connection",
    "health_check",
    "is_healthy",
    "check_health",
    "check_connection",
    "run_command",
    "query_one",
    "query_async",
    "simple_query",
    "get_result",
    "test_before_acquire",
];
/// Methods that ask a dependency where the receiver is one by its name.
const ASKS_OF: &[&str] = &[
    "check",
    "health",
    "execute",
    "get",
    "query",
    "begin",
    "send",
    "head",
    "is_connected",
    "status",
    "connect",
    "set",
    "batch_execute",
    "query_opt",
    "list_tables",
    "test",
    "load",
];
/// Names of dependencies.
const DEPENDENCIES: &[&str] = &[
    "pool",
    "db",
    "database",
    "conn",
    "connection",
    "redis",
    "cache",
    "mongo",
    "pg",
    "postgres",
    "sql",
    "client",
    "queue",
    "kafka",
    "nats",
    "amqp",
    "rabbit",
    "store",
    "storage",
    "repo",
    "repository",
    "http",
    "upstream",
    "scheduler",
    "elasticsearch",
    "s3",
];

fn see(seen: &mut Seen, expr: &Expr) {
    match &*expr.kind {
        ExprKind::MethodCall { receiver, method, .. } => {
            let of_dependency = || {
                let name = receiver_name(receiver).to_ascii_lowercase();
                name.split('_').any(|word| DEPENDENCIES.iter().any(|known| word == *known || word.starts_with(known)))
            };
            if ASKS.contains(&method.as_str()) || (ASKS_OF.contains(&method.as_str()) && of_dependency()) {
                seen.asks_dependency = true;
            }
            seen.fails |= method == "or_forward";
        }
        ExprKind::Literal(Literal::Text(text)) => {
            let upper = text.trim().to_ascii_uppercase();
            if upper == "SELECT 1"
                || upper.starts_with("SELECT 1 ")
                || upper.starts_with("SELECT 1;")
                || upper == "PING"
            {
                seen.asks_dependency = true;
            }
        }
        ExprKind::Literal(Literal::Integer(Some(500 | 503))) => seen.fails = true,
        ExprKind::Path(path) => match path.last() {
            // A guard of Rocket that forwards does not let the handler run.
            "Forward" => seen.fails = true,
            "SERVICE_UNAVAILABLE" | "INTERNAL_SERVER_ERROR" | "ServiceUnavailable" | "InternalServerError" | "Err" => {
                seen.fails = true;
            }
            _ => {}
        },
        ExprKind::Call { function, .. } => {
            if let ExprKind::Path(path) = &*function.kind
                && matches!(path.last(), "sql_query" | "health_check" | "check_health" | "ping")
            {
                seen.asks_dependency = true;
            }
        }
        ExprKind::Macro(call) if matches!(call.path.last(), "query" | "query_as" | "query_scalar") => {
            seen.asks_dependency = true;
        }
        ExprKind::Macro(call) if call.path.last().starts_with("err") || call.path.last() == "bail" => seen.fails = true,
        ExprKind::Try(_) => seen.fails = true,
        _ => {}
    }
}

/// The last name of what a method is called on: `self.state.db_pool` is `db_pool`.
fn receiver_name(expr: &Expr) -> &str {
    match &*expr.kind {
        ExprKind::Path(path) => path.last(),
        ExprKind::Field { name, base } => {
            if name.chars().all(|c| c.is_ascii_digit()) {
                receiver_name(base)
            } else {
                name
            }
        }
        ExprKind::MethodCall { receiver, method, .. } => {
            if matches!(
                method.as_str(),
                "clone" | "as_ref" | "get_ref" | "lock" | "read" | "write" | "as_mut" | "unwrap" | "borrow" | "inner"
            ) {
                receiver_name(receiver)
            } else {
                method
            }
        }
        ExprKind::Call { function, .. } => receiver_name(function),
        ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Reference(inner) => receiver_name(inner),
        ExprKind::Unary { operand, .. } => receiver_name(operand),
        _ => "",
    }
}

/// Whether a body asks nothing at run time: no await, no call into the tree that does more than that, no state.
fn is_constant<'a>(evaluator: &Evaluator<'a>, own: &Body<'a>) -> bool {
    let all = behaviour::reach(evaluator, &[*own], 2);
    let mut constant = true;
    for body in &all {
        body.visit(&mut |expr| match &*expr.kind {
            ExprKind::Await(_) | ExprKind::Try(_) => constant = false,
            ExprKind::MethodCall { method, .. } => {
                const ASKING: &[&str] =
                    &["check", "health", "execute", "query", "ping", "load", "is_ready", "is_healthy"];
                if ASKING.contains(&method.as_str()) || ASKS.contains(&method.as_str()) {
                    constant = false;
                }
            }
            ExprKind::If { .. } | ExprKind::Match { .. } => constant = false,
            _ => {}
        });
    }
    constant
}

/// An extractor of a handler.
struct Extractor<'a> {
    bodies: Vec<Body<'a>>,
    auth: bool,
    of_database: bool,
}

/// Before 0.5, actix-identity's extractor did not refuse those who are not known.
fn identity_lets_all_through(evaluator: &Evaluator<'_>, file: FileId) -> bool {
    let path = &evaluator.context.repository.tree.file(file).path;
    let Some(package) = evaluator.context.workspace.package_of(path) else { return false };
    let library = package.dependencies.iter().find(|dependency| dependency.code_name == "actix_identity");
    library.is_some_and(|library| Range::parse("<0.5").is_some_and(|range| range.allows(&library.version)))
}

/// The extractors of the tree's own types, and known ones of libraries.
fn extractors<'a>(evaluator: &Evaluator<'a>, info: &'a FunctionInfo<'a>) -> Vec<Extractor<'a>> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for ty in info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref()) {
        let last = ty.path.last().map_or("", String::as_str);
        // What may be absent lets everybody through.
        if last == "Option" || last == "Result" {
            continue;
        }
        if AUTH_EXTRACTORS.contains(&last) && !(last == "Identity" && identity_lets_all_through(evaluator, info.file))
            || ty.text.contains("Authorization<")
        {
            all.push(Extractor { bodies: Vec::new(), auth: true, of_database: false });
        }
        for candidate in std::iter::once(ty).chain(&ty.arguments) {
            let resolved = evaluator.names.resolve(info.module, &candidate.path);
            if seen.insert(resolved.clone()) {
                all.extend(of_type(evaluator, &resolved));
            }
        }
    }
    all
}

/// The bodies that make a value of a type from a request.
fn makers<'a>(evaluator: &Evaluator<'a>, ty: &str) -> Vec<Body<'a>> {
    let makes = |id: &&FunctionId| {
        let info = evaluator.info(**id);
        if info.role != Role::Service {
            return false;
        }
        let by_trait = info.of_trait.as_deref().is_some_and(|of| {
            of.rsplit("::")
                .next()
                .is_some_and(|last| last.starts_with("FromRequest") || last == "Extractible" || last == "ApiExtractor")
        });
        by_trait || info.item.name.starts_with("from_request")
    };
    evaluator.names.methods_of(ty).iter().filter(makes).filter_map(|id| Body::of(evaluator, *id)).collect()
}

/// Bodies with those of the guards without which they refuse: `request.guard::<User>()?`. What
/// `request.guard::<User>().succeeded()` asks may be absent.
fn with_guards<'a>(evaluator: &Evaluator<'a>, mut bodies: Vec<Body<'a>>) -> Vec<Body<'a>> {
    const MOST: usize = 20;
    let mut at = 0;
    while at < bodies.len() && bodies.len() < MOST {
        let body = bodies[at];
        at += 1;
        let (mut guards, mut optional) = (Vec::new(), BTreeSet::new());
        body.visit(&mut |expr| {
            let ExprKind::MethodCall { method, turbofish, receiver, .. } = &*expr.kind else { return };
            match method.as_str() {
                "succeeded" | "ok" | "is_success" | "unwrap_or_default" => {
                    let inner = match &*receiver.kind {
                        ExprKind::Await(inner) => inner,
                        _ => receiver,
                    };
                    optional.insert(inner.span);
                }
                "guard" if !optional.contains(&expr.span) => {
                    guards.extend(turbofish.iter().map(|ty| evaluator.names.resolve(body.module, &ty.path)));
                }
                _ => {}
            }
        });
        for made in guards.iter().flat_map(|ty| makers(evaluator, ty)) {
            if !bodies.iter().any(|known| known.function == made.function) {
                bodies.push(made);
            }
        }
    }
    bodies
}

/// poem-openapi's `#[derive(SecurityScheme)]`: whether it refuses those who are not known. A variant that is the
/// `fallback` lets them through.
fn security_scheme(item: &Item) -> Option<bool> {
    let says = |attributes: &[Attribute], name: &str, word: &str| {
        attributes.iter().filter(|attribute| attribute.path.is(name)).any(|attribute| {
            attribute.tokens.iter().any(|token| matches!(&token.kind, TokenKind::Ident(own) if own == word))
        })
    };
    if !says(&item.attributes, "derive", "SecurityScheme") {
        return None;
    }
    Some(match &item.kind {
        ItemKind::Enum(variants) => !variants.iter().any(|variant| says(&variant.attributes, "oai", "fallback")),
        _ => true,
    })
}

fn of_type<'a>(evaluator: &Evaluator<'a>, ty: &str) -> Option<Extractor<'a>> {
    // A type that a macro makes is known by its impls only; an alias of `Box<dyn ..>` is many types.
    if !ty.contains("::") {
        return None;
    }
    let item = evaluator.names.item_at(ty).map(|info| info.item);
    let attributes = item.map_or(&[][..], |item| &item.attributes);
    let database = attributes.iter().any(|attribute| matches!(attribute.path.last(), "database"));
    if let Some(refuses) = item.and_then(security_scheme) {
        return Some(Extractor { bodies: Vec::new(), auth: refuses, of_database: false });
    }
    let made = makers(evaluator, ty);
    if made.is_empty() && !database {
        return None;
    }
    let made = with_guards(evaluator, made);
    let does = behaviour::of(evaluator, &made);
    let last = ty.rsplit("::").next().unwrap_or("");
    let waits = made.iter().any(|body| {
        let mut waits = false;
        body.visit(&mut |expr| waits |= matches!(&*expr.kind, ExprKind::Await(_)));
        waits
    });
    let named = ["DbConn", "DbConnection", "Conn", "Connection", "DbWrapper"].iter().any(|name| last.ends_with(name));
    let mut asks = Seen::default();
    for body in behaviour::reach(evaluator, &made, 3) {
        body.visit(&mut |expr| see(&mut asks, expr));
    }
    let auth = does.asks_who() && (asks.fails || does.kinds().contains(&"auth".to_string()));
    Some(Extractor {
        bodies: made,
        auth,
        of_database: database || (named && (asks.asks_dependency || (waits && asks.fails))),
    })
}

/// Handlers by who answers, so that each is judged once.
#[derive(Debug, Default)]
pub struct Judged {
    functions: BTreeMap<FunctionId, HandlerFacts>,
}

impl Judged {
    /// What a handler is.
    pub fn of<'a>(&mut self, evaluator: &Evaluator<'a>, answer: &Answer<'a>, registered: Place) -> HandlerFacts {
        match answer {
            Answer::Function(id) => self.functions.entry(*id).or_insert_with(|| of_function(evaluator, *id)).clone(),
            other => of(evaluator, other, registered),
        }
    }
}

//! What hand-written layers do, by what stands in their code.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names::{FunctionId, ModuleId};
use super::cors::{self, Policy};
use super::evaluate::{Evaluator, Frame};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Literal, MacroCall, Statement, TokenKind};
use crate::parse::rust::walk;
use crate::scan::source::{FileId, Place, Role, Span};

/// The four headers of the checklist.
pub const FOUR: &[&str] =
    &["strict-transport-security", "x-content-type-options", "x-frame-options", "content-security-policy"];

/// Deepest chain of calls from a layer's own code.
const MAX_CALLS: usize = 3;
/// Most functions that are looked at for one layer.
const MAX_FUNCTIONS: usize = 60;

/// Whether a header is one that makes browsers safer.
pub fn is_security_header(name: &str) -> bool {
    const MORE: &[&str] = &[
        "referrer-policy",
        "permissions-policy",
        "x-xss-protection",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "cross-origin-embedder-policy",
    ];
    FOUR.contains(&name) || MORE.contains(&name)
}

/// A piece of code.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// A block or an expression.
    code: Code<'a>,
    /// Module it stands in.
    pub module: ModuleId,
    /// File it stands in.
    pub file: FileId,
    /// The function, where it is one.
    pub function: Option<FunctionId>,
}

#[derive(Clone, Copy, Debug)]
enum Code<'a> {
    Block(&'a Block),
    Expr(&'a Expr),
}

impl<'a> Body<'a> {
    /// The body of a function.
    pub fn of(evaluator: &Evaluator<'a>, id: FunctionId) -> Option<Body<'a>> {
        let info = evaluator.info(id);
        let block = info.function.body.as_ref()?;
        Some(Body { code: Code::Block(block), module: info.module, file: info.file, function: Some(id) })
    }

    /// The body of a closure.
    pub fn closure(expr: &'a Expr, frame: &Frame<'a>) -> Body<'a> {
        Body { code: Code::Expr(expr), module: frame.module, file: frame.file, function: None }
    }

    /// An expression.
    pub fn expr(expr: &'a Expr, module: ModuleId, file: FileId) -> Body<'a> {
        Body { code: Code::Expr(expr), module, file, function: None }
    }

    /// Its span.
    pub fn span(&self) -> Span {
        match self.code {
            Code::Block(block) => block.span,
            Code::Expr(expr) => expr.span,
        }
    }

    /// Visits all its expressions.
    pub fn visit(&self, see: &mut dyn FnMut(&'a Expr)) {
        match self.code {
            Code::Block(block) => walk::expressions(block, see),
            Code::Expr(expr) => walk::expression(expr, see),
        }
    }
}

/// What code does.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Behaviour {
    found: BTreeSet<&'static str>,
    /// Words that make a refusal one of authentication.
    speaks_of_auth: bool,
    /// It reads what only a known caller has: an `Authorization` header, a session, claims.
    reads_credentials: bool,
    refuses: bool,
    /// A function that it calls refuses, and speaks of authentication itself.
    asks_to_refuse: bool,
    /// It reads a token or key, not only a session that may be absent.
    reads_token: bool,
    /// What it calls turns errors of all kinds into responses, refusals among them.
    converts_to_refusal: bool,
    /// Its own body makes an id (a UUID, a ULID).
    makes_id: bool,
    /// Its own body puts something into the extensions of the request.
    marks_request: bool,
    /// Response headers that it sets.
    pub headers: Vec<(String, Option<String>, Place)>,
    /// CORS headers that it sets.
    pub cors: Option<Policy>,
}

impl Behaviour {
    /// Whether it reads what only a known caller has.
    pub fn asks_who(&self) -> bool {
        self.reads_credentials
    }

    /// As kinds of middleware.
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self.found.iter().map(|kind| (*kind).to_string()).collect();
        let refuses = self.refuses || (self.converts_to_refusal && self.reads_token);
        if (refuses && self.speaks_of_auth) || self.asks_to_refuse {
            kinds.push("auth".to_string());
        }
        // An id that travels with the request is a request id, whatever it is called.
        if self.makes_id && self.marks_request && !self.found.contains("request-id") {
            kinds.push("request-id".to_string());
        }
        kinds
    }
}

impl Behaviour {
    /// Takes in what a function does that is called. A refusal and a credential that stand in different functions have
    /// nothing to do with each other, and of sessions all kinds of code speak.
    fn called(&mut self, far: Behaviour) {
        self.asks_to_refuse |= far.refuses && far.speaks_of_auth;
        self.speaks_of_auth |= far.speaks_of_auth;
        self.reads_credentials |= far.reads_token;
        self.reads_token |= far.reads_token;
        self.found.extend(far.found);
        self.headers.extend(far.headers);
        self.cors = far.cors.or(self.cors.take());
    }
}

/// Functions of a type of the tree and of the types that they make.
pub fn of_type<'a>(evaluator: &Evaluator<'a>, ty: &str) -> Vec<FunctionId> {
    let mut types = vec![ty.to_string()];
    let mut functions = Vec::new();
    let mut at = 0;
    while at < types.len() && at < 4 {
        let own = evaluator.names.methods_of(&types[at]).to_vec();
        for id in own {
            functions.push(id);
            let Some(body) = Body::of(evaluator, id) else { continue };
            body.visit(&mut |expr| {
                if let ExprKind::Struct { path, .. } = &*expr.kind {
                    let made = evaluator.names.resolve(body.module, &path.segments);
                    if !types.contains(&made) && evaluator.names.item_at(&made).is_some() {
                        types.push(made);
                    }
                }
            });
        }
        at += 1;
    }
    functions
}

/// Bodies with those that they certainly call, to a small depth.
pub fn reach<'a>(evaluator: &Evaluator<'a>, bodies: &[Body<'a>], depth: usize) -> Vec<Body<'a>> {
    reach_until(evaluator, bodies, depth, &|_| false)
}

/// The same; what functions call at which `stop` holds is left out.
fn reach_until<'a>(
    evaluator: &Evaluator<'a>,
    bodies: &[Body<'a>],
    depth: usize,
    stop: &dyn Fn(FunctionId) -> bool,
) -> Vec<Body<'a>> {
    let mut all: Vec<(Body<'a>, usize)> = bodies.iter().map(|body| (*body, 0)).collect();
    let mut seen: BTreeSet<FunctionId> = bodies.iter().filter_map(|body| body.function).collect();
    let mut at = 0;
    while at < all.len() && all.len() < MAX_FUNCTIONS {
        let (body, level) = all[at];
        at += 1;
        if level >= depth || (level > 0 && body.function.is_some_and(stop)) {
            continue;
        }
        for target in called(evaluator, &body) {
            if seen.insert(target)
                && evaluator.info(target).role == Role::Service
                && let Some(next) = Body::of(evaluator, target)
            {
                all.push((next, level + 1));
            }
        }
    }
    all.into_iter().map(|(body, _)| body).collect()
}

/// Functions of the tree that a body calls: certainly, or as the only one that a method's name can mean.
fn called<'a>(evaluator: &Evaluator<'a>, body: &Body<'a>) -> Vec<FunctionId> {
    if let Some(id) = body.function {
        let sites: Vec<_> = evaluator.names.calls(id).iter().filter(|site| !site.by_reference).collect();
        let mut by_span: BTreeMap<Span, usize> = BTreeMap::new();
        for site in &sites {
            *by_span.entry(site.span).or_default() += 1;
        }
        let meant = sites.into_iter().filter(|site| site.certain || by_span.get(&site.span) == Some(&1));
        return meant.map(|site| site.target).collect();
    }
    let mut found = Vec::new();
    body.visit(&mut |expr| {
        if let ExprKind::Call { function, .. } = &*expr.kind
            && let ExprKind::Path(path) = &*function.kind
        {
            found.extend(evaluator.names.function_at(&evaluator.names.resolve(body.module, &path.segments)));
        }
    });
    found
}

/// What bodies and what they call do.
pub fn of<'a>(evaluator: &Evaluator<'a>, bodies: &[Body<'a>]) -> Behaviour {
    let mut behaviour = Behaviour::default();
    let all = reach_until(evaluator, bodies, MAX_CALLS, &|id| converts(evaluator, id));
    let spans = |body: &Body<'a>| {
        let attributes = body.function.map(|id| &evaluator.info(id).item.attributes);
        attributes.is_some_and(|all| all.iter().any(|attribute| attribute.path.last() == "instrument"))
    };
    if bodies.iter().any(spans) {
        behaviour.found.insert("trace");
    }
    for (at, body) in all.iter().enumerate() {
        // What is found far away says less: only the first bodies can be spans and logs of the layer.
        let own = at < bodies.len();
        if !own && body.function.is_some_and(|id| converts(evaluator, id)) {
            let mut of_errors = Behaviour::default();
            for body in reach(evaluator, &[*body], 1) {
                body.visit(&mut |expr| see(&mut of_errors, &body, false, expr));
            }
            behaviour.converts_to_refusal |= of_errors.refuses;
            continue;
        }
        if own {
            body.visit(&mut |expr| see(&mut behaviour, body, true, expr));
            continue;
        }
        let mut far = Behaviour::default();
        body.visit(&mut |expr| see(&mut far, body, false, expr));
        behaviour.called(far);
    }
    behaviour
}

/// Whether a function turns a value into another or into a response, whoever has made it: an error type's
/// `into_response` knows all refusals of the service, and says nothing of who calls it.
fn converts(evaluator: &Evaluator<'_>, id: FunctionId) -> bool {
    const TRAITS: &[&str] = &[
        "IntoResponse",
        "ResponseError",
        "Responder",
        "From",
        "TryFrom",
        "Into",
        "Display",
        "Debug",
        "Error",
        "Writer",
    ];
    let of_trait = evaluator.info(id).of_trait.as_deref();
    of_trait.and_then(|of| of.rsplit("::").next()).is_some_and(|last| TRAITS.contains(&last))
}

/// The headers that a body itself sets.
pub fn headers_of(body: &Body<'_>) -> Vec<(String, Option<String>, Place)> {
    let mut behaviour = Behaviour::default();
    body.visit(&mut |expr| see(&mut behaviour, body, true, expr));
    behaviour.headers
}

const REFUSALS: &[&str] = &[
    "UNAUTHORIZED",
    "Unauthorized",
    "FORBIDDEN",
    "Forbidden",
    "ErrorUnauthorized",
    "ErrorForbidden",
    "forbidden",
    "unauthorized",
    "unauthenticated",
];
const AUTH_WORDS: &[&str] = &[
    "authorization",
    "AUTHORIZATION",
    "bearer",
    "token",
    "jwt",
    "session",
    "cookie",
    "api_key",
    "apikey",
    "claims",
    "user",
    "credentials",
    "auth",
    "identity",
];

fn see<'a>(behaviour: &mut Behaviour, body: &Body<'a>, own: bool, expr: &'a Expr) {
    match &*expr.kind {
        ExprKind::Path(path) => see_path(behaviour, path.last(), &path.segments),
        ExprKind::Struct { path, .. } => see_path(behaviour, path.last(), &path.segments),
        ExprKind::Literal(literal) => see_literal(behaviour, literal),
        ExprKind::Tuple(parts) => {
            if let [name, value] = parts.as_slice()
                && let Some(name) = header_name(name)
                && is_security_header(&name)
            {
                set_header(behaviour, body, name, literal_in(value), expr.span);
            }
        }
        ExprKind::MethodCall { method, arguments, .. } => {
            see_method(behaviour, body, own, expr, method, arguments);
        }
        ExprKind::Call { function, .. } => {
            if let ExprKind::Path(path) = &*function.kind
                && own
            {
                if path.last() == "timeout" {
                    behaviour.found.insert("timeout");
                }
                behaviour.makes_id |= makes_id(&path.segments);
            }
        }
        ExprKind::Macro(call) if own => see_macro(behaviour, call),
        _ => {}
    }
}

/// `Uuid::new_v4`, `Uuid::now_v7`, `Ulid::new` and their like.
fn makes_id(segments: &[String]) -> bool {
    let [.., owner, last] = segments else { return false };
    matches!(owner.as_str(), "Uuid" | "Ulid" | "Ksuid")
        && (last.starts_with("new") || last.starts_with("now") || last == "generate")
}

fn see_macro(behaviour: &mut Behaviour, call: &MacroCall) {
    let found = match call.path.last() {
        "info_span" | "debug_span" | "error_span" | "warn_span" | "trace_span" | "span" => "trace",
        "counter" | "histogram" | "gauge" | "increment_counter" => {
            behaviour.found.insert("metrics");
            return;
        }
        // What only says that something went wrong is no log of requests.
        "info" | "debug" | "event" | "trace" => "logging",
        _ => return,
    };
    behaviour.found.insert(found);
    let identifies = call.tokens.iter().any(|token| match &token.kind {
        TokenKind::Ident(word) | TokenKind::Literal(Literal::Text(word)) => {
            ["request_id", "trace_id", "correlation_id", "x-request-id"].contains(&word.to_ascii_lowercase().as_str())
        }
        _ => false,
    });
    if identifies {
        behaviour.found.insert("request-id");
    }
}

fn see_path(behaviour: &mut Behaviour, last: &str, segments: &[String]) {
    if REFUSALS.contains(&last) {
        behaviour.refuses = true;
    }
    if matches!(last, "TOO_MANY_REQUESTS" | "TooManyRequests") {
        behaviour.found.insert("rate-limit");
    }
    if matches!(last, "PAYLOAD_TOO_LARGE" | "PayloadTooLarge" | "CONTENT_TOO_LARGE" | "ContentTooLarge") {
        behaviour.found.insert("body-limit");
    }
    let spoken = |segment: &String| {
        let lower = segment.to_ascii_lowercase().replace("user_agent", "").replace("useragent", "");
        AUTH_WORDS.iter().any(|word| lower.contains(&word.to_ascii_lowercase()))
    };
    if segments.iter().any(spoken) {
        behaviour.speaks_of_auth = true;
    }
    const CREDENTIALS: &[&str] =
        &["authorization", "bearer", "jwt", "claims", "session", "api_key", "apikey", "auth_token", "access_token"];
    let credential = |segment: &String| {
        let lower = segment.to_ascii_lowercase();
        CREDENTIALS.iter().any(|word| lower.contains(word))
    };
    if segments.iter().any(credential) {
        behaviour.reads_credentials = true;
        behaviour.reads_token |= !segments.iter().any(|segment| segment.to_ascii_lowercase().contains("session"));
    }
}

fn see_literal(behaviour: &mut Behaviour, literal: &Literal) {
    match literal {
        Literal::Text(text) => {
            let lower = text.to_ascii_lowercase();
            if ["authorization", "bearer ", "x-api-key"].iter().any(|word| lower.starts_with(word)) {
                behaviour.speaks_of_auth = true;
                behaviour.reads_credentials = true;
                behaviour.reads_token = true;
            }
        }
        Literal::Integer(Some(429)) => {
            behaviour.found.insert("rate-limit");
        }
        Literal::Integer(Some(413)) => {
            behaviour.found.insert("body-limit");
        }
        Literal::Integer(Some(401 | 403)) => behaviour.refuses = true,
        _ => {}
    }
}

/// Methods that set a header of a response (or of a list of headers).
const SETTERS: &[&str] = &[
    "insert",
    "append",
    "try_insert",
    "insert_header",
    "append_header",
    "set_raw_header",
    "adjoin_raw_header",
    "set_header",
    "header",
    "raw_header",
    "add_header",
    "add",
    "with_header",
    "entry",
];

fn see_method<'a>(
    behaviour: &mut Behaviour,
    body: &Body<'a>,
    own: bool,
    expr: &'a Expr,
    method: &str,
    arguments: &'a [Expr],
) {
    match method {
        "extensions_mut" if own => behaviour.marks_request = true,
        // A cookie that only the service itself can have made.
        "get_private" | "private_cookies" | "signed_cookies" => behaviour.reads_credentials = true,
        "too_many_requests" => {
            behaviour.found.insert("rate-limit");
        }
        "payload_too_large" | "content_too_large" => {
            behaviour.found.insert("body-limit");
        }
        "instrument" | "in_scope" if own => {
            behaviour.found.insert("trace");
        }
        _ if SETTERS.contains(&method) => {
            let pair = match arguments {
                [only] => match &*only.kind {
                    ExprKind::Tuple(parts) | ExprKind::Call { arguments: parts, .. } if parts.len() == 2 => {
                        (parts.first(), parts.get(1))
                    }
                    _ => (Some(only), None),
                },
                _ => (arguments.first(), arguments.get(1)),
            };
            if let (Some(name), value) = pair
                && let Some(name) = header_name(name)
            {
                set_header(behaviour, body, name, value.and_then(literal_in), expr.span);
            }
        }
        _ => {}
    }
}

fn set_header(behaviour: &mut Behaviour, body: &Body<'_>, name: String, value: Option<String>, span: Span) {
    let place = Place { file: body.file, span };
    match name.as_str() {
        "access-control-allow-origin" => {
            let credentials = behaviour.cors.as_ref().is_some_and(|policy| policy.credentials);
            behaviour.cors = Some(Policy { credentials, ..cors::by_header(value.as_deref()) });
            behaviour.found.insert("cors");
        }
        "access-control-allow-credentials" => {
            let mut policy =
                behaviour.cors.take().unwrap_or_else(|| Policy { origins: Some("configured"), ..Policy::default() });
            policy.credentials = value.as_deref() == Some("true");
            behaviour.cors = Some(policy);
        }
        "x-request-id" | "x-correlation-id" | "request-id" | "x-trace-id" => {
            behaviour.found.insert("request-id");
        }
        _ if is_security_header(&name) => {
            behaviour.found.insert("security-headers");
            if !behaviour.headers.iter().any(|(known, _, _)| *known == name) {
                behaviour.headers.push((name, value, place));
            }
        }
        _ => {}
    }
}

/// The header that an expression names: a constant (`header::X_FRAME_OPTIONS`), a literal, or a call on a literal.
pub fn header_name(expr: &Expr) -> Option<String> {
    match &*expr.kind {
        ExprKind::Path(path) => {
            let last = path.last();
            let constant =
                last.len() > 2 && last.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
            let camel = path.segments.len() > 1 && last.starts_with("Strict");
            match (constant, camel) {
                (true, _) => Some(last.trim_end_matches("_HEADER").to_ascii_lowercase().replace('_', "-")),
                (_, true) => Some("strict-transport-security".to_string()),
                _ => None,
            }
        }
        ExprKind::Literal(Literal::Text(text) | Literal::Bytes(text)) => {
            let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            plain.then(|| text.to_ascii_lowercase())
        }
        ExprKind::Call { arguments, .. } if arguments.len() == 1 => header_name(&arguments[0]),
        ExprKind::MethodCall { receiver, .. } => header_name(receiver),
        ExprKind::Reference(inner) | ExprKind::Try(inner) => header_name(inner),
        // `if report_only { REPORT_ONLY } else { POLICY }`: one of the four where there is one.
        ExprKind::If { then, otherwise, .. } => {
            let tail = |block: &Block| match block.statements.last() {
                Some(Statement::Expr { value, .. }) => header_name(value),
                _ => None,
            };
            let first = tail(then);
            let second = otherwise.as_ref().and_then(header_name);
            let known = |name: &Option<String>| name.as_deref().is_some_and(|name| FOUR.contains(&name));
            if known(&second) { second } else { first.or(second) }
        }
        ExprKind::Block(block) => match block.statements.last() {
            Some(Statement::Expr { value, .. }) => header_name(value),
            _ => None,
        },
        _ => None,
    }
}

/// The first string literal inside an expression.
pub fn literal_in(expr: &Expr) -> Option<String> {
    let mut found = None;
    walk::expression(expr, &mut |expr| {
        if let (None, ExprKind::Literal(Literal::Text(text))) = (&found, &*expr.kind) {
            found = Some(text.clone());
        }
    });
    found
}

/// Kinds of a layer of which only a name is known.
pub fn kinds_of_name(path: &str) -> Vec<String> {
    const WORDS: &[(&[&str], &str)] = &[
        (&["rate_limit", "ratelimit", "throttle", "governor"], "rate-limit"),
        (&["csrf", "xsrf"], "csrf"),
        (&["cors"], "cors"),
        (&["security_header", "securityheader", "secure_headers", "secureheaders", "helmet"], "security-headers"),
        (&["request_id", "requestid", "correlation_id", "correlationid"], "request-id"),
        (&["timeout"], "timeout"),
        (&["prometheus", "metrics"], "metrics"),
        (&["tracing", "trace_layer", "tracelayer"], "trace"),
        (&["session"], "session"),
        (
            &[
                "require_auth",
                "requireauth",
                "auth_middleware",
                "authmiddleware",
                "authenticat",
                "authoriz",
                "jwt",
                "require_login",
                "require_user",
                "require_admin",
                "auth_layer",
                "authlayer",
                "authguard",
                "auth_guard",
                "check_auth",
                "verify_token",
                "bearer",
            ],
            "auth",
        ),
    ];
    // A program's name is no user.
    let lower = path.to_ascii_lowercase().replace("user_agent", "").replace("useragent", "");
    let found = WORDS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word)));
    vec![found.map_or("other", |(_, kind)| *kind).to_string()]
}

#[cfg(test)]
mod tests {
    use super::kinds_of_name;

    #[test]
    fn names_tell_kinds() {
        assert_eq!(kinds_of_name("crate::RateLimitLayer"), ["rate-limit"]);
        assert_eq!(kinds_of_name("require_auth"), ["auth"]);
        assert_eq!(kinds_of_name("crate::author_filter"), ["other"]);
        assert_eq!(kinds_of_name("layers::require_user"), ["auth"]);
        assert_eq!(kinds_of_name("layers::require_user_agent"), ["other"]);
    }
}

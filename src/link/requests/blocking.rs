//! Calls that block their thread while a request is answered.

use super::Part;
use super::body::{called_path, chain, chain_root, each};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::FunctionInfo;
use crate::link::names::visit::{self, Visit};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Pattern, PatternKind, Statement};
use crate::scan::source::Span;

/// Calls by how their path starts and ends (either may be empty), with what blocks.
const CALLS: &[(&str, &str, &str)] = &[
    ("std::thread::sleep", "", "sleep"),
    ("std::fs::", "", "file"),
    ("tempfile::tempfile", "", "file"),
    ("tempfile::tempdir", "", "file"),
    ("tempfile::NamedTempFile::", "new", "file"),
    ("tempfile::NamedTempFile::", "new_in", "file"),
    ("tempfile::NamedTempFile::", "reopen", "file"),
    ("tempfile::TempDir::", "new", "file"),
    ("tempfile::TempDir::", "new_in", "file"),
    ("tempfile::Builder::", "tempfile", "file"),
    ("tempfile::Builder::", "tempdir", "file"),
    ("reqwest::blocking::get", "", "http"),
    ("reqwest::blocking::Client::", "execute", "http"),
    ("reqwest::blocking::Client::", "get", "http"),
    ("reqwest::blocking::Client::", "post", "http"),
    ("reqwest::blocking::Client::", "put", "http"),
    ("reqwest::blocking::Client::", "new", "http"),
    ("reqwest::blocking::ClientBuilder::", "new", "http"),
    ("reqwest::blocking::RequestBuilder::", "send", "http"),
    ("ureq::", "get", "http"),
    ("ureq::", "post", "http"),
    ("ureq::", "put", "http"),
    ("ureq::", "patch", "http"),
    ("ureq::", "delete", "http"),
    ("ureq::", "head", "http"),
    ("ureq::", "request", "http"),
    ("ureq::", "request_url", "http"),
    ("ureq::", "run", "http"),
    ("ureq::", "call", "http"),
    ("ureq::", "send", "http"),
    ("ureq::", "send_json", "http"),
    ("ureq::", "send_form", "http"),
    ("ureq::", "send_string", "http"),
    ("ureq::", "send_empty", "http"),
    ("minreq::", "", "http"),
    ("attohttpc::", "", "http"),
    ("bcrypt::", "hash", "hash"),
    ("bcrypt::", "verify", "hash"),
    ("bcrypt::", "hash_with_result", "hash"),
    ("bcrypt::", "hash_with_salt", "hash"),
    ("argon2::", "hash_password", "hash"),
    ("argon2::", "hash_password_into", "hash"),
    ("argon2::", "verify_password", "hash"),
    ("argon2::", "hash_encoded", "hash"),
    ("argon2::", "verify_encoded", "hash"),
    ("argon2::", "hash_raw", "hash"),
    ("pbkdf2::", "pbkdf2", "hash"),
    ("pbkdf2::", "pbkdf2_hmac", "hash"),
    ("ring::pbkdf2::", "derive", "hash"),
    ("ring::pbkdf2::", "verify", "hash"),
    ("scrypt::", "scrypt", "hash"),
    ("scrypt::", "scrypt_check", "hash"),
    ("djangohashers::", "check_password", "hash"),
    ("djangohashers::", "make_password", "hash"),
    ("password_auth::", "verify_password", "hash"),
    ("password_auth::", "generate_hash", "hash"),
    ("pwhash::", "verify", "hash"),
    ("r2d2::Pool::", "get", "database"),
    ("r2d2::Pool::", "get_timeout", "database"),
    ("diesel::r2d2::Pool::", "get", "database"),
    ("diesel::r2d2::Pool::", "get_timeout", "database"),
    ("futures::executor::", "block_on", "lock"),
    ("futures_executor::", "block_on", "lock"),
];

/// Types of std::fs by a bare name that an import by glob can bring in are not looked for: paths that only name things.
const HARMLESS: &[&str] =
    &["Permissions", "OpenOptions", "FileType", "Metadata", "DirBuilder", "DirEntry", "::clone", "::try_clone"];

/// Methods of `Result` and `Option`: the call before them is typed as what it gives, not as what wraps it.
const OF_RESULT: &[&str] = &[
    "unwrap",
    "unwrap_or",
    "unwrap_or_else",
    "unwrap_or_default",
    "expect",
    "ok",
    "err",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "and_then",
    "or_else",
    "is_ok",
    "is_err",
    "is_some",
    "is_none",
    "context",
    "with_context",
    "into_diagnostic",
];

/// Methods of password hashers, whatever their receiver's type.
const HASHERS: &[&str] = &["hash_password", "verify_password", "hash_password_simple", "hash_password_customized"];

/// Adds the blocking calls of a function that requests reach.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    for call in part.context.names.outside_calls(info.id) {
        let Some(what) = blocks(&call.path) else { continue };
        add(part, info, found, (what, &call.path, call.span, call.offloaded));
    }
    let Some(body) = &info.function.body else { return };
    each(body, &mut |expr, around| {
        if let Some((what, name)) = blocking_method(part, info, expr) {
            add(part, info, found, (what, &name, expr.span, around.iter().any(|outer| moves_away(outer))));
        }
        found.extend(offloads(part, info, expr));
    });
    let mut locks = Locks { held: Vec::new() };
    locks.block(body);
    for span in locks.held {
        let Some(reached) = part.reached(info, span) else { continue };
        let data = vocabulary::BlockingCall {
            what: "lock".into(),
            name: "lock".into(),
            in_request: reached.on_executor.into(),
            offloaded: false.into(),
            across_await: true.into(),
        };
        found.push(part.fact(data, info.file, span, Confidence::Medium, Some(reached)));
    }
}

/// Where a request hands work to threads that may block: `spawn_blocking(..)`, whatever the work is.
fn offloads(part: &Part<'_, '_>, info: &FunctionInfo<'_>, expr: &Expr) -> Option<Fact> {
    if !moves_away(expr) {
        return None;
    }
    let name = match &*expr.kind {
        ExprKind::Call { function, .. } => called_path(function)?.text(),
        ExprKind::MethodCall { method, .. } => method.clone(),
        _ => return None,
    };
    let data = vocabulary::BlockingCall {
        what: "offload".into(),
        name: name.as_str().into(),
        in_request: false.into(),
        offloaded: true.into(),
        across_await: false.into(),
    };
    let thread = name.ends_with("thread::spawn");
    let reached = part.reached(info, expr.span).filter(|_| !thread)?;
    Some(part.fact(data, info.file, expr.span, Confidence::Medium, Some(reached)))
}

fn add<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>, call: (&str, &str, Span, bool)) {
    let (what, name, span, offloaded) = call;
    let Some(reached) = part.reached(info, span) else { return };
    let away = offloaded || !reached.on_executor;
    let data = vocabulary::BlockingCall {
        what: what.into(),
        name: name.into(),
        in_request: (!away).into(),
        offloaded: away.into(),
        across_await: false.into(),
    };
    found.push(part.fact(data, info.file, span, Confidence::High, Some(reached)));
}

fn blocks(path: &str) -> Option<&'static str> {
    if HARMLESS.iter().any(|harmless| path.contains(harmless)) {
        return None;
    }
    let last = path.rsplit("::").next().unwrap_or(path);
    if OF_RESULT.contains(&last) {
        return None;
    }
    let known = CALLS.iter().find(|(start, end, _)| path.starts_with(start) && (end.is_empty() || *end == last));
    known.map(|(.., what)| *what)
}

/// Methods whose receiver's type the call graph does not know.
fn blocking_method(part: &Part<'_, '_>, info: &FunctionInfo<'_>, expr: &Expr) -> Option<(&'static str, String)> {
    let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind else { return None };
    let names = part.context.names;
    let known = || {
        names.calls(info.id).iter().any(|site| site.span == expr.span)
            || names.outside_calls(info.id).iter().any(|call| call.span == expr.span)
    };
    if HASHERS.contains(&method.as_str()) {
        return (!known()).then(|| ("hash", method.clone()));
    }
    if matches!(method.as_str(), "output" | "status" | "wait") {
        let root = called_path(chain_root(receiver))?;
        let path = names.resolve_in(info.id, &root.segments);
        return (path == "std::process::Command::new").then(|| ("process", "std::process::Command".to_string()));
    }
    None
}

/// Moves its argument to a thread where blocking is allowed.
fn moves_away(expr: &Expr) -> bool {
    let by_name = |name: &str| {
        ["spawn_blocking", "block_in_place", "run_blocking", "unblock"].iter().any(|word| name.contains(word))
    };
    match &*expr.kind {
        ExprKind::Call { function, .. } => called_path(function).is_some_and(|path| {
            by_name(path.last()) || path.text().ends_with("thread::spawn") || path.text().ends_with("web::block")
        }),
        ExprKind::MethodCall { method, .. } => by_name(method) || method == "interact",
        _ => false,
    }
}

/// Finds guards of std's locks that are held across an await.
struct Locks {
    held: Vec<Span>,
}

impl<'a> Visit<'a> for Locks {
    fn block(&mut self, block: &'a Block) {
        for (at, statement) in block.statements.iter().enumerate() {
            if let Some((name, span)) = guard(statement)
                && awaits_before_drop(&block.statements[at + 1..], name)
            {
                self.held.push(span);
            }
        }
        visit::walk_block(self, block);
    }
}

/// `let guard = x.lock().unwrap();`: std's locks give a result, tokio's are awaited.
fn guard(statement: &Statement) -> Option<(&str, Span)> {
    let Statement::Let { pattern: Pattern { kind: PatternKind::Name(name), .. }, value: Some(value), .. } = statement
    else {
        return None;
    };
    let methods = chain(value);
    let [(opened, _), (locked, arguments), ..] = methods.as_slice() else { return None };
    let locks = matches!(*locked, "lock" | "read" | "write") && arguments.is_empty();
    let plain = matches!(&*value.kind, ExprKind::MethodCall { receiver, .. } if matches!(&*receiver.kind, ExprKind::MethodCall { .. }));
    (locks && plain && matches!(*opened, "unwrap" | "expect")).then_some((name, value.span))
}

fn awaits_before_drop(rest: &[Statement], name: &str) -> bool {
    for statement in rest {
        let mut finder = AwaitOrDrop { name, awaits: false, drops: false };
        finder.statement(statement);
        if finder.drops {
            return false;
        }
        if finder.awaits {
            return true;
        }
    }
    false
}

struct AwaitOrDrop<'n> {
    name: &'n str,
    awaits: bool,
    drops: bool,
}

impl<'a> Visit<'a> for AwaitOrDrop<'_> {
    fn expr(&mut self, expr: &'a Expr) {
        match &*expr.kind {
            ExprKind::Await(_) => self.awaits = true,
            ExprKind::Call { function, arguments }
                if called_path(function).is_some_and(|path| path.last() == "drop") =>
            {
                self.drops |=
                    arguments.iter().any(|argument| called_path(argument).is_some_and(|path| path.is(self.name)));
            }
            // Another task or thread: its awaits are not this one's.
            ExprKind::Async(_) | ExprKind::Closure { .. } => return,
            _ => {}
        }
        visit::walk_expr(self, expr);
    }
}

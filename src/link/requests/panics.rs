//! Places that can panic while a request is answered.

use std::cell::OnceCell;

use super::Part;
use super::body::{chain, chain_root, each, literal, macro_name};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::{FunctionInfo, Scope};
use crate::link::taint::Taint;
use crate::parse::rust::ast::{Block, Expr, ExprKind, Path, Pattern, PatternKind, Statement};
use crate::scan::source::Span;

/// Whether a value can fail at run time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Judgement {
    /// It cannot, by what is seen here: a lock, a constant, a checked value.
    Safe,
    /// It can; how sure.
    Fallible(Confidence),
}

use Judgement::{Fallible, Safe};

const MACROS: &[(&str, &str, Judgement)] = &[
    ("panic", "panic", Fallible(Confidence::Low)),
    ("todo", "todo", Fallible(Confidence::High)),
    ("unimplemented", "unimplemented", Fallible(Confidence::Medium)),
    ("unreachable", "unreachable", Safe),
    ("assert", "assert", Fallible(Confidence::Low)),
    ("assert_eq", "assert", Fallible(Confidence::Low)),
    ("assert_ne", "assert", Fallible(Confidence::Low)),
];

/// Adds the panics of a function that requests reach.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let Some(body) = &info.function.body else { return };
    let judge = Judge { part, info, body, scope: OnceCell::new() };
    each(body, &mut |expr, around| {
        let Some((what, span, judgement)) = judge.panic(expr) else { return };
        let Some(reached) = part.reached(info, span) else { return };
        // A value that is made once, at first use, is as good as start-up code.
        let once =
            around.iter().any(|outer| chain(outer).first().is_some_and(|(method, _)| method.contains("get_or_init")));
        let deliberate = matches!(&*expr.kind, ExprKind::Macro(_));
        let (fallible, sure) = match judgement {
            Safe => (false, Confidence::High),
            // What one of several implementations leaves out, nobody may call.
            Fallible(_) if once || deliberate && reached.confidence < Confidence::High => (true, Confidence::Low),
            Fallible(_) if what == "panic" && around.iter().any(|outer| is_failure(outer)) => {
                (true, Confidence::Medium)
            }
            Fallible(sure) => (true, sure),
        };
        let data = vocabulary::Panic { what: what.into(), in_request: true.into(), fallible: fallible.into() };
        found.push(part.fact(data, info.file, span, sure, Some(reached)));
    });
}

/// A branch on an error: a panic in it is an unwrap in more words.
fn is_failure(expr: &Expr) -> bool {
    let binds = |pattern: &Pattern| matches!(&pattern.kind, PatternKind::TupleStruct(path, _) if path.last() == "Err");
    match &*expr.kind {
        ExprKind::MethodCall { method, .. } => matches!(method.as_str(), "unwrap_or_else" | "map_err" | "or_else"),
        ExprKind::Match { arms, .. } => arms.iter().any(|arm| binds(&arm.pattern)),
        ExprKind::If { condition, .. } => matches!(&*condition.kind, ExprKind::Let { pattern, .. } if binds(pattern)),
        _ => false,
    }
}

struct Judge<'j, 'c, 'a> {
    part: &'j Part<'c, 'a>,
    info: &'j FunctionInfo<'a>,
    body: &'a Block,
    scope: OnceCell<Scope<'c, 'a>>,
}

impl<'a> Judge<'_, '_, 'a> {
    fn panic(&self, expr: &'a Expr) -> Option<(&'static str, Span, Judgement)> {
        if let Some((call, name)) = macro_name(expr) {
            let (_, what, judgement) = MACROS.iter().find(|(known, ..)| *known == name)?;
            return Some((what, call.span, *judgement));
        }
        let ExprKind::MethodCall { receiver, method, method_span, arguments, .. } = &*expr.kind else { return None };
        let what = match (method.as_str(), arguments.len()) {
            ("unwrap" | "unwrap_err", 0) => "unwrap",
            ("expect" | "expect_err", 1) => "expect",
            _ => return None,
        };
        if self.is_active_value(receiver) {
            return None;
        }
        let stated = arguments.first().and_then(literal).is_some_and(states_invariant);
        let judgement = if stated || self.is_checked(receiver) { Safe } else { self.value(receiver, 0) };
        Some((what, *method_span, judgement))
    }

    /// sea-orm's `ActiveValue::unwrap` on a field of an active model is no `Option::unwrap`.
    fn is_active_value(&self, receiver: &Expr) -> bool {
        let ExprKind::Field { base, .. } = &*super::body::bare(receiver).kind else { return false };
        let package =
            self.part.context.workspace.package_of(&self.part.context.repository.tree.file(self.info.file).path);
        let sea_orm = package.is_some_and(|package| package.dependency("sea_orm").is_some());
        let known = self.scope.get_or_init(|| self.part.context.names.scope(self.info.id)).type_of(base);
        sea_orm && known.is_none_or(|ty| ty.last() == "ActiveModel")
    }

    fn text(&self, span: Span) -> &'a str {
        self.part.context.repository.tree.file(self.info.file).slice(span)
    }

    /// The same value is tested before: `is_some`, `is_empty`, `contains_key`, ...
    fn is_checked(&self, receiver: &Expr) -> bool {
        let root = super::body::bare(chain_root(receiver));
        let name: String = self.text(root.span).split_whitespace().collect();
        let name = name.trim_start_matches(['&', '*']);
        let whole: String = self.text(receiver.span).split_whitespace().collect();
        let whole = whole.trim_end_matches(".as_ref()").trim_end_matches(".clone()").trim_end_matches(".take()");
        if name.is_empty() {
            return false;
        }
        let before = Span { start: self.body.span.start, end: receiver.span.start };
        let before: String = self.text(before).split_whitespace().collect();
        let tested = |tests: &[&str], of: &str| tests.iter().any(|test| before.contains(&format!("{of}{test}")));
        tested(&[".is_some()", ".is_none()", ".is_ok()", ".is_err()", ".is_some_and("], whole)
            || tested(&[".is_empty()", ".len()", ".contains_key(", ".insert("], name)
            || before.contains(&format!("{whole}=Some("))
    }

    fn value(&self, expr: &'a Expr, depth: u32) -> Judgement {
        if depth > 8 {
            return Fallible(Confidence::Low);
        }
        if is_constant(expr) {
            return Safe;
        }
        match &*expr.kind {
            ExprKind::Reference(inner)
            | ExprKind::Unary { operand: inner, .. }
            | ExprKind::Cast { value: inner, .. } => self.value(inner, depth + 1),
            ExprKind::Await(inner) => self.awaited(inner),
            ExprKind::Macro(call) if matches!(call.path.last(), "write" | "writeln") => Safe,
            ExprKind::Call { function, arguments } => match &*function.kind {
                ExprKind::Path(path) => self.call(path, arguments),
                _ => Fallible(Confidence::Low),
            },
            ExprKind::MethodCall { receiver, method, arguments, .. } => self.method(receiver, method, arguments, depth),
            ExprKind::Path(path) if path.segments.len() == 1 => self.local(path.last(), expr.span, depth),
            _ => Fallible(Confidence::Low),
        }
    }

    /// A local is as fallible as what it was bound to last.
    fn local(&self, name: &str, before: Span, depth: u32) -> Judgement {
        self.bound(name, before).map_or(Fallible(Confidence::Low), |value| self.value(value, depth + 1))
    }

    /// What a local was bound to last before a place.
    fn bound(&self, name: &str, before: Span) -> Option<&'a Expr> {
        let mut bound = None;
        let mut finder = Bindings { name, before: before.start, bound: &mut bound };
        crate::link::names::visit::walk_block(&mut finder, self.body);
        bound
    }

    fn awaited(&self, inner: &'a Expr) -> Judgement {
        match &*inner.kind {
            // A task's failure is a panic or an abort of that task.
            ExprKind::Call { function, .. } => match &*function.kind {
                ExprKind::Path(path) if path.last().contains("spawn") || is_state_extractor(&path.text()) => Safe,
                ExprKind::Path(path) if path.last() == "timeout" => Fallible(Confidence::Medium),
                ExprKind::Path(path) => self.returned(path, Confidence::Medium),
                _ => Fallible(Confidence::Medium),
            },
            ExprKind::MethodCall { receiver, method, .. } => self.awaited_method(receiver, method),
            ExprKind::Path(path) if JOINED.iter().any(|word| path.last().contains(word)) => Safe,
            _ => Fallible(Confidence::Low),
        }
    }

    fn awaited_method(&self, receiver: &Expr, method: &str) -> Judgement {
        let semaphore = || {
            let text = self.text(receiver.span).to_ascii_lowercase();
            ["sem", "permit", "limit"].iter().any(|word| text.contains(word))
        };
        match method {
            "acquire" | "acquire_owned" | "acquire_many" if semaphore() => Safe,
            "extract_with_state" | "extract_parts_with_state" | "join" => Safe,
            "extract" | "recv" | "changed" | "send" if !is_client_chain(receiver) => Fallible(Confidence::Low),
            _ if REMOTE.contains(&method) => Fallible(Confidence::High),
            _ => Fallible(Confidence::Medium),
        }
    }

    /// What a function of the tree gives, else as sure as told.
    fn returned(&self, path: &Path, sure: Confidence) -> Judgement {
        let names = self.part.context.names;
        let target = names.function_at(&names.resolve_in(self.info.id, &path.segments));
        match target.and_then(|target| names.function(target).function.returns.as_ref()) {
            Some(returns) if returns.path.last().is_some_and(|last| last == "Option") => Fallible(Confidence::Low),
            Some(returns) if returns.text.contains("Infallible") => Safe,
            Some(_) => Fallible(Confidence::Medium),
            None => Fallible(sure),
        }
    }

    fn call(&self, path: &Path, arguments: &[Expr]) -> Judgement {
        let resolved = self.part.context.names.resolve_in(self.info.id, &path.segments);
        let text = resolved.as_str();
        let last = path.last();
        if matches!(last, "Some" | "Ok" | "new_from_slice")
            || is_state_extractor(text)
            || SERIALISERS.iter().any(|known| text.ends_with(known))
        {
            return Safe;
        }
        if PARSERS.contains(&last) || text.starts_with("std::fs::") || text.starts_with("serde_json::from") {
            return Fallible(Confidence::High);
        }
        // What another crate makes of a request's own data fails when the data is bad, unless it was checked before.
        let outside = path.segments.len() > 1 && self.part.context.names.function_at(text).is_none();
        let given = || {
            let taint = self.part.taint.get_or_init(|| Taint::find(self.part.context, self.part.reach));
            arguments.iter().any(|argument| taint.reaches(self.part.context, self.info, argument))
        };
        if matches!(last, "try_from" | "new") && !arguments.is_empty() {
            return Fallible(Confidence::Low);
        }
        self.returned(path, if outside && given() { Confidence::Medium } else { Confidence::Low })
    }

    fn method(&self, receiver: &'a Expr, method: &str, arguments: &'a [Expr], depth: u32) -> Judgement {
        let constant_arguments = || !arguments.is_empty() && arguments.iter().all(is_constant);
        match method {
            "lock" | "read" | "write" | "into_inner" | "get_mut" | "join" if arguments.is_empty() => Safe,
            "duration_since" | "try_lock" | "elapsed" => Safe,
            "next" | "next_back" | "last" if splits(receiver) => Safe,
            "try_into" if matches!(&*receiver.kind, ExprKind::Index { .. }) => Safe,
            "body" | "finish" | "build" => self.builder(receiver),
            "parse" if arguments.is_empty() => match &*receiver.kind {
                ExprKind::Path(path) if self.bound(path.last(), receiver.span).is_some_and(is_constant) => Safe,
                ExprKind::Match { .. } | ExprKind::If { .. } | ExprKind::Block(_) => Fallible(Confidence::Low),
                _ => Fallible(Confidence::High),
            },
            "to_str" if self.text(receiver.span).to_ascii_lowercase().contains("header") => Fallible(Confidence::High),
            "ok" | "as_ref" | "as_mut" | "as_deref" | "clone" | "cloned" | "copied" | "take" | "map_err" | "map" => {
                self.value(receiver, depth + 1)
            }
            "as_str" | "as_array" | "as_object" | "as_u64" | "as_i64" | "as_f64" | "as_bool" => {
                Fallible(Confidence::Medium)
            }
            _ if method.ends_with("_opt") && constant_arguments() => Safe,
            _ if REMOTE.contains(&method) && is_database_chain(receiver) => Fallible(Confidence::High),
            _ => Fallible(Confidence::Low),
        }
    }

    /// A response built of constants does not fail; header values made of run-time text can.
    fn builder(&self, receiver: &Expr) -> Judgement {
        let root = super::body::called_path(chain_root(receiver)).map(Path::text).unwrap_or_default();
        if !["Response", "Request", "http"].iter().any(|word| root.contains(word)) {
            return Fallible(Confidence::Low);
        }
        let formatted = |value: &Expr| macro_name(value).is_some_and(|(_, name)| name == "format");
        let dynamic = chain(receiver).iter().any(|(method, arguments)| {
            *method == "header" && arguments.get(1).is_some_and(|value| formatted(super::body::bare(value)))
        });
        if dynamic { Fallible(Confidence::High) } else { Safe }
    }
}

/// Names of locals that hold a task.
const JOINED: &[&str] = &["handle", "task", "join"];

/// Methods that ask a database, a network or a file, and can fail at any time.
const REMOTE: &[&str] = &[
    "acquire",
    "begin",
    "commit",
    "connect",
    "get_connection",
    "get_conn",
    "execute",
    "fetch",
    "fetch_one",
    "fetch_all",
    "fetch_optional",
    "query",
    "query_one",
    "query_opt",
    "save",
    "insert",
    "update",
    "delete",
    "find_one",
    "insert_one",
    "update_one",
    "delete_one",
    "load",
    "get_result",
    "get_results",
    "send",
    "json",
    "text",
    "bytes",
    "read_to_string",
    "write_all",
    "flush",
    "all",
    "one",
    "exec",
    "query_async",
    "invoke_async",
    "get",
    "create",
    "count",
    "reload",
];

/// Functions that read text or bytes that come from elsewhere.
const PARSERS: &[&str] = &[
    "parse_str",
    "from_str",
    "from_utf8",
    "from_slice",
    "from_reader",
    "decode",
    "parse_from_rfc3339",
    "from_bytes",
    "parse",
    "from_str_radix",
    "from_value",
    "from_hex",
];

const SERIALISERS: &[&str] = &[
    "serde_json::to_string",
    "serde_json::to_vec",
    "serde_json::to_value",
    "serde_json::to_string_pretty",
    "serde_urlencoded::to_string",
];

/// A message of `expect` that says why it cannot fail.
fn states_invariant(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    const WORDS: &[&str] = &[
        "poison",
        "infallible",
        "never fail",
        "cannot fail",
        "can't fail",
        "can not fail",
        "never ",
        "always",
        "unreachable",
        "hard-coded",
        "hardcoded",
        "hard coded",
        "static",
        "constant",
        "checked",
        "validated",
        "just ",
        "invariant",
        "guaranteed",
        "bug",
        "was not added",
        "can be ",
        "is valid",
        "valid regex",
        "must be",
        "mutex",
        "rwlock",
        "impossible",
        "compile time",
        "compile-time",
    ];
    WORDS.iter().any(|word| message.contains(word))
}

/// State that the router is built with is there or nothing works.
fn is_state_extractor(path: &str) -> bool {
    let of_request = path.ends_with("::from_request") || path.ends_with("::from_request_parts");
    of_request && (path.contains("Extension") || path.contains("State"))
}

fn splits(receiver: &Expr) -> bool {
    chain(receiver).iter().any(|(method, _)| method.contains("split") || *method == "char_indices")
}

fn is_client_chain(receiver: &Expr) -> bool {
    chain(receiver).iter().any(|(method, _)| {
        matches!(*method, "post" | "get" | "put" | "patch" | "delete" | "head" | "request" | "header" | "bearer_auth")
    })
}

fn is_database_chain(receiver: &Expr) -> bool {
    chain(receiver).iter().any(|(method, _)| {
        matches!(
            *method,
            "filter"
                | "select"
                | "bind"
                | "values"
                | "set"
                | "find"
                | "order"
                | "order_by"
                | "returning"
                | "on_conflict"
        )
    })
}

/// Words in a call that give another result each time or on each machine.
const IMPURE: &[&str] = &[
    "env", "var", "fs", "File", "open", "read", "connect", "bind", "now", "get", "fetch", "spawn", "Command", "random",
    "rng", "block_on", "query", "lookup", "load", "lock", "recv", "next", "default", "current", "args", "stdin",
    "take",
];

/// Made of literals and constants only, so that one run shows all.
fn is_constant(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Path(path) => path.last().starts_with(char::is_uppercase),
        ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, .. } | ExprKind::Cast { value: inner, .. } => {
            is_constant(inner)
        }
        ExprKind::Call { function, arguments } => match &*function.kind {
            ExprKind::Path(path) => {
                path.segments.iter().all(|segment| !IMPURE.contains(&segment.as_str()))
                    && arguments.iter().all(is_constant)
            }
            _ => false,
        },
        ExprKind::MethodCall { receiver, method, arguments, .. } => {
            !IMPURE.contains(&method.as_str()) && is_constant(receiver) && arguments.iter().all(is_constant)
        }
        ExprKind::Tuple(parts) | ExprKind::Array(parts) => parts.iter().all(is_constant),
        ExprKind::Binary { left, right, .. } => is_constant(left) && is_constant(right),
        ExprKind::Macro(call) => {
            matches!(call.path.last(), "concat" | "stringify" | "env" | "include_str" | "include_bytes")
        }
        _ => false,
    }
}

/// Finds what a name was bound to last before a place.
struct Bindings<'b, 'a> {
    name: &'b str,
    before: u32,
    bound: &'b mut Option<&'a Expr>,
}

impl<'a> crate::link::names::visit::Visit<'a> for Bindings<'_, 'a> {
    fn statement(&mut self, statement: &'a Statement) {
        if let Statement::Let { pattern: Pattern { kind: PatternKind::Name(name), span }, value: Some(value), .. } =
            statement
            && name == self.name
            && span.start < self.before
        {
            *self.bound = Some(value);
        }
        crate::link::names::visit::walk_statement(self, statement);
    }
}

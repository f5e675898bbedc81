//! Who calls whom.

use std::collections::HashSet;

use rayon::prelude::*;

use super::types::Locals;
use super::visit::{self, Visit};
use super::{CallSite, FunctionId, Names, OutsideCall, Ty};
use crate::parse::rust::ast::{Arm, Block, Expr, ExprKind, MacroCall, Pattern, Statement, Token, TokenKind};
use crate::scan::source::{Role, Span};

/// Finds the calls of all functions.
pub(super) fn find(names: &mut Names<'_>) {
    let ids: Vec<FunctionId> = names.functions.iter().map(|info| info.id).collect();
    let offloaders: HashSet<FunctionId> = ids.par_iter().copied().filter(|id| offloads_argument(names, *id)).collect();
    let found: Vec<Calls<'_, '_>> = ids.par_iter().map(|id| Calls::of(names, *id, &offloaders)).collect();
    let (calls, outside) = found.into_iter().map(|calls| (calls.calls, calls.outside)).unzip();
    names.calls = calls;
    names.outside = outside;
}

/// The names that a body binds, with their types.
pub(super) fn locals<'a>(names: &Names<'a>, id: FunctionId) -> Locals<'a> {
    Calls::of(names, id, &HashSet::new()).locals
}

/// A call through a trait leads to at most this many implementations.
const IMPLEMENTATIONS: usize = 12;

/// Method names that many types outside the tree have: never found by name alone.
const COMMON: &[&str] = &[
    "new",
    "get",
    "set",
    "clone",
    "from",
    "into",
    "default",
    "len",
    "is_empty",
    "insert",
    "push",
    "pop",
    "remove",
    "iter",
    "into_iter",
    "next",
    "map",
    "filter",
    "collect",
    "unwrap",
    "expect",
    "ok",
    "err",
    "and_then",
    "or_else",
    "to_string",
    "as_str",
    "as_ref",
    "as_mut",
    "as_bytes",
    "to_vec",
    "to_owned",
    "borrow",
    "lock",
    "read",
    "write",
    "send",
    "recv",
    "run",
    "start",
    "stop",
    "close",
    "open",
    "flush",
    "connect",
    "execute",
    "fetch",
    "fetch_one",
    "fetch_all",
    "fetch_optional",
    "begin",
    "commit",
    "rollback",
    "query",
    "bind",
    "build",
    "builder",
    "with",
    "update",
    "delete",
    "create",
    "save",
    "load",
    "find",
    "first",
    "last",
    "contains",
    "extend",
    "join",
    "split",
    "parse",
    "fmt",
    "eq",
    "cmp",
    "hash",
    "drop",
    "deref",
    "index",
    "call",
    "poll",
    "poll_ready",
    "layer",
    "route",
    "service",
    "handle",
    "serve",
    "spawn",
    "wait",
    "await",
    "abort",
    "body",
    "json",
    "text",
    "bytes",
    "status",
    "headers",
    "header",
    "uri",
    "method",
    "path",
    "name",
    "id",
    "key",
    "value",
    "values",
    "keys",
    "entry",
    "take",
    "replace",
    "append",
    "clear",
    "sort",
    "min",
    "max",
    "sum",
    "count",
    "any",
    "all",
    "add",
    "sub",
    "mul",
    "div",
    "not",
    "and",
    "or",
    "check",
    "validate",
    "verify",
    "encode",
    "decode",
    "finish",
    "init",
    "timeout",
    "limit",
    "offset",
    "filter_map",
    "flatten",
    "chain",
    "zip",
    "rev",
    "skip",
    "enumerate",
    "message",
    "source",
    "description",
    "write_all",
    "read_to_string",
    "error",
    "info",
    "debug",
    "warn",
    "trace",
    "record",
    "config",
    "url",
    "host",
    "port",
    "kind",
    "state",
    "data",
    "size",
    "result",
    "response",
    "request",
    "extract",
    "from_request",
    "into_response",
    "error_response",
    "status_code",
    "serialize",
    "deserialize",
    "visit",
    "apply",
    "process",
    "then",
];

/// Names of functions that move what they are given to a thread where blocking is allowed.
fn offloads_by_name(name: &str) -> bool {
    ["spawn_blocking", "block_in_place", "run_blocking", "unblock"].iter().any(|known| name.contains(known))
}

/// Names of functions that start what they are given as a task of its own.
pub(in crate::link) fn detaches_by_name(name: &str) -> bool {
    name.contains("spawn") && !offloads_by_name(name)
}

/// The same for resolved paths whose last segment does not tell.
fn offloads_by_path(path: &str) -> bool {
    let ends = ["thread::spawn", "web::block", "rayon::spawn", "rayon::scope", "rayon::join", "thread::scope"];
    ends.iter().any(|end| path.ends_with(end))
}

/// A wrapper: it takes a function or generic value and moves it to a blocking thread.
fn offloads_argument(names: &Names<'_>, id: FunctionId) -> bool {
    let function = names.function(id).function;
    let takes_closure = function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref()).any(|ty| {
        ty.text.contains("Fn")
            || ty.path.len() == 1 && ty.path[0].len() <= 2 && ty.path[0].starts_with(char::is_uppercase)
    });
    let Some(body) = function.body.as_ref().filter(|_| takes_closure) else { return false };
    let mut finder = OffloadFinder { found: false };
    visit::walk_block(&mut finder, body);
    finder.found
}

struct OffloadFinder {
    found: bool,
}

impl<'a> Visit<'a> for OffloadFinder {
    fn expr(&mut self, expr: &'a Expr) {
        self.found |= match &*expr.kind {
            ExprKind::Call { function, .. } => match &*function.kind {
                ExprKind::Path(path) => offloads_by_name(path.last()) || offloads_by_path(&path.text()),
                _ => false,
            },
            ExprKind::MethodCall { method, .. } => offloads_by_name(method),
            _ => false,
        };
        visit::walk_expr(self, expr);
    }
}

/// The calls of one function, while its body is walked.
struct Calls<'n, 'a> {
    names: &'n Names<'a>,
    id: FunctionId,
    offloaders: &'n HashSet<FunctionId>,
    locals: Locals<'a>,
    offloaded: bool,
    detached: bool,
    calls: Vec<CallSite>,
    outside: Vec<OutsideCall>,
}

impl<'n, 'a> Calls<'n, 'a> {
    fn of(names: &'n Names<'a>, id: FunctionId, offloaders: &'n HashSet<FunctionId>) -> Calls<'n, 'a> {
        let (calls, outside) = (Vec::new(), Vec::new());
        let mut found =
            Calls { names, id, offloaders, locals: Locals::new(), offloaded: false, detached: false, calls, outside };
        let info = names.function(id);
        for parameter in &info.function.parameters {
            // Which type stands behind `impl Trait` only the callers know.
            let known = parameter.ty.as_ref().filter(|ty| !ty.text.trim_start_matches("&mut ").contains("impl "));
            let ty = known.map(|ty| names.type_in(id, ty));
            names.bind(info.module, &mut found.locals, &parameter.pattern, ty);
        }
        if let Some(body) = &info.function.body {
            found.block(body);
        }
        found
    }

    fn type_of(&self, expr: &Expr) -> Option<Ty> {
        self.names.type_of(self.id, &self.locals, expr, 0)
    }

    fn bind(&mut self, pattern: &'a Pattern, ty: Option<Ty>) {
        let module = self.names.function(self.id).module;
        self.names.bind(module, &mut self.locals, pattern, ty);
    }

    fn site(&mut self, target: FunctionId, span: Span, certain: bool, by_reference: bool) {
        let (offloaded, detached) = (self.offloaded, self.detached);
        self.calls.push(CallSite { target, span, certain, offloaded, detached, by_reference });
    }

    /// A function named by a path; gives whether it moves its arguments to a blocking thread.
    fn path_call(&mut self, segments: &[String], span: Span) -> bool {
        let resolved = self.names.resolve_in(self.id, segments);
        let last = segments.last().map_or("", String::as_str);
        if let Some(target) = self.names.function_at(&resolved) {
            self.site(target, span, true, false);
            return self.offloaders.contains(&target) || offloads_by_name(last);
        }
        let implemented = self.through_trait(&resolved);
        for target in &implemented {
            self.site(*target, span, implemented.len() == 1, false);
        }
        let is_local = segments.len() == 1 && self.locals.contains_key(last);
        if implemented.is_empty() && !is_local {
            let offloads = offloads_by_name(last) || offloads_by_path(&resolved);
            self.outside.push(OutsideCall { path: resolved, span, offloaded: self.offloaded });
            return offloads;
        }
        false
    }

    /// `Trait::method(value)` and `Type::method` where the type only inherits it.
    fn through_trait(&self, resolved: &str) -> Vec<FunctionId> {
        let Some((owner, name)) = resolved.rsplit_once("::") else { return Vec::new() };
        let ty = Ty { path: owner.to_string(), arguments: Vec::new() };
        self.eligible(self.names.methods_on(&ty, name))
    }

    /// Drops test code where the caller is none, and what is too many.
    fn eligible(&self, mut found: Vec<FunctionId>) -> Vec<FunctionId> {
        let own = self.names.function(self.id).role;
        found.retain(|id| own != Role::Service || self.names.function(*id).role != Role::Test);
        found.truncate(IMPLEMENTATIONS);
        found
    }

    fn method_call(&mut self, receiver: &'a Expr, method: &str, arguments: usize, span: Span) -> bool {
        let ty = self.type_of(receiver);
        let found = ty.as_ref().map(|ty| self.eligible(self.names.methods_on(ty, method))).unwrap_or_default();
        for target in &found {
            self.site(*target, span, found.len() == 1, false);
        }
        if let Some(first) = found.first() {
            return self.offloaders.contains(first) || offloads_by_name(method);
        }
        match ty.as_ref().filter(|ty| ty.is_outside() || ty.path.is_empty()) {
            Some(ty) => self.outside_method(ty, method, span),
            None => {
                if let Some(target) = self.by_name(method, arguments) {
                    self.site(target, span, false, false);
                    return self.offloaders.contains(&target) || offloads_by_name(method);
                }
                offloads_by_name(method) || method == "interact"
            }
        }
    }

    fn outside_method(&mut self, ty: &Ty, method: &str, span: Span) -> bool {
        let mut inner = ty;
        while let Some(held) = inner.held() {
            inner = held;
        }
        let path = if inner.path.is_empty() { method.to_string() } else { format!("{}::{method}", inner.path) };
        let offloads = offloads_by_name(method) || method == "interact" || path.ends_with("thread::Builder::spawn");
        self.outside.push(OutsideCall { path, span, offloaded: self.offloaded });
        offloads
    }

    /// The only method of this name among the crates that this one can reach.
    fn by_name(&self, method: &str, arguments: usize) -> Option<FunctionId> {
        if COMMON.contains(&method) {
            return None;
        }
        let own = self.names.function(self.id);
        let reach = &self.names.crate_of_module(own.module).reach;
        let mut candidates = self.names.methods_named(method).iter().copied().filter(|id| {
            let info = self.names.function(*id);
            // A trait may be implemented in crates that this one cannot see.
            let near = info.of_trait.is_some() || reach.contains(&self.names.crate_of_module(info.module).package);
            let usable = own.role != Role::Service || info.role != Role::Test;
            near && usable && info.function.has_self && info.function.parameters.len() == arguments
        });
        let first = candidates.next()?;
        candidates.next().is_none().then_some(first)
    }

    /// A function passed as a value.
    fn reference(&mut self, segments: &[String], span: Span) {
        let local = segments.len() == 1 && self.locals.contains_key(segments[0].as_str());
        if local || segments.last().is_none_or(|last| last.starts_with(char::is_uppercase)) {
            return;
        }
        let resolved = self.names.resolve_in(self.id, segments);
        if let Some(target) = self.names.function_at(&resolved) {
            self.site(target, span, true, true);
        }
    }

    fn arguments(&mut self, arguments: &'a [Expr], offloads: bool, detaches: bool) {
        let outer = (self.offloaded, self.detached);
        self.offloaded |= offloads;
        self.detached |= detaches;
        arguments.iter().for_each(|argument| self.expr(argument));
        (self.offloaded, self.detached) = outer;
    }

    /// Calls in a macro whose body is no list of expressions: paths and methods followed by `(`.
    fn token_calls(&mut self, tokens: &'a [Token]) {
        let mut path: Vec<String> = Vec::new();
        let mut start = Span::default();
        let mut after_dot = false;
        for (at, token) in tokens.iter().enumerate() {
            match &token.kind {
                TokenKind::Ident(name) => {
                    if path.is_empty() {
                        start = token.span;
                        after_dot = at > 0 && tokens[at - 1].kind == TokenKind::Punct('.');
                    }
                    path.push(name.clone());
                }
                TokenKind::Punct(':') if !path.is_empty() => {}
                TokenKind::Open('(') if !path.is_empty() => {
                    self.token_call(&path, start.to(token.span), after_dot);
                    path.clear();
                }
                _ => path.clear(),
            }
            let next_joins =
                matches!(tokens.get(at + 1).map(|next| &next.kind), Some(TokenKind::Punct(':') | TokenKind::Open('(')));
            if matches!(token.kind, TokenKind::Ident(_)) && !next_joins {
                path.clear();
            }
        }
    }

    fn token_call(&mut self, path: &[String], span: Span, after_dot: bool) {
        if !after_dot {
            self.path_call(path, span);
            return;
        }
        let method = path.last().map_or("", String::as_str);
        let own = self.names.function(self.id);
        let reach = &self.names.crate_of_module(own.module).reach;
        let mut candidates = self.names.methods_named(method).iter().copied().filter(|id| {
            let info = self.names.function(*id);
            info.role == own.role && reach.contains(&self.names.crate_of_module(info.module).package)
        });
        if let (Some(target), None) = (candidates.next(), candidates.next())
            && !COMMON.contains(&method)
        {
            self.site(target, span, false, false);
        }
    }

    /// The type of the elements of what a loop goes through.
    fn element_type(&self, iterated: &Expr) -> Option<Ty> {
        self.type_of(iterated)?.arguments.first().cloned()
    }
}

impl<'a> Visit<'a> for Calls<'_, 'a> {
    fn expr(&mut self, expr: &'a Expr) {
        match &*expr.kind {
            ExprKind::Call { function, arguments } => {
                let (offloads, detaches) = match &*function.kind {
                    ExprKind::Path(path) => (self.path_call(&path.segments, expr.span), detaches_by_name(path.last())),
                    _ => {
                        self.expr(function);
                        (false, false)
                    }
                };
                self.arguments(arguments, offloads, detaches);
            }
            ExprKind::MethodCall { receiver, method, arguments, .. } => {
                self.expr(receiver);
                let offloads = self.method_call(receiver, method, arguments.len(), expr.span);
                self.arguments(arguments, offloads, detaches_by_name(method));
            }
            ExprKind::Path(path) => self.reference(&path.segments, expr.span),
            ExprKind::Closure { parameters, .. } => {
                for parameter in parameters {
                    let ty = parameter.ty.as_ref().map(|ty| self.names.type_in(self.id, ty));
                    self.bind(&parameter.pattern, ty);
                }
                visit::walk_expr(self, expr);
            }
            ExprKind::Let { pattern, value } => {
                self.expr(value);
                let ty = self.type_of(value);
                self.bind(pattern, ty);
            }
            ExprKind::For { pattern, iterated, body } => {
                self.expr(iterated);
                let ty = self.element_type(iterated);
                self.bind(pattern, ty);
                self.block(body);
            }
            ExprKind::Match { on, arms } => {
                self.expr(on);
                let ty = self.type_of(on);
                for arm in arms {
                    self.bind(&arm.pattern, ty.clone());
                    self.arm(arm);
                }
            }
            _ => visit::walk_expr(self, expr),
        }
    }

    fn statement(&mut self, statement: &'a Statement) {
        if let Statement::Let { pattern, ty, value, .. } = statement {
            visit::walk_statement(self, statement);
            let written = ty.as_ref().filter(|ty| ty.text != "_").map(|ty| self.names.type_in(self.id, ty));
            let ty = written.or_else(|| self.type_of(value.as_ref()?));
            self.bind(pattern, ty);
        } else {
            visit::walk_statement(self, statement);
        }
    }

    fn block(&mut self, block: &'a Block) {
        visit::walk_block(self, block);
    }

    fn arm(&mut self, arm: &'a Arm) {
        if let Some(guard) = &arm.guard {
            self.expr(guard);
        }
        self.expr(&arm.body);
    }

    fn macro_call(&mut self, call: &'a MacroCall) {
        if call.arguments.is_empty() {
            self.token_calls(&call.tokens);
        } else {
            visit::walk_macro(self, call);
        }
    }
}

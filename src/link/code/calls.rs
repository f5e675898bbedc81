//! Calls, methods, macros and struct literals that the catalog speaks of.

use super::found::{Found, FoundId};
use super::scope::{Carried, constructed, plain_name};
use super::walk::Walk;
use crate::facts::{Attr, AttrType, FactKind};
use crate::link::catalog::{Catalog, Effect, EffectValue, Entry, Subject, matches_path, matches_unresolved};
use crate::link::names::FunctionId;
use crate::link::workspace::PackageDependency;
use crate::parse::rust::ast::{Expr, ExprKind, MacroCall, Path};
use crate::scan::source::Span;

/// Functions whose closure runs once, whatever calls them.
const ONCE_TYPES: &[&str] = &["LazyLock", "Lazy", "OnceLock", "OnceCell", "Once", "LazyCell"];

/// The same as methods.
const ONCE_METHODS: &[&str] = &["get_or_init", "get_or_try_init", "call_once"];

/// Methods whose closure's value becomes the value.
const CALLBACKS: &[&str] =
    &["map", "and_then", "then", "map_or", "map_or_else", "unwrap_or_else", "or_else", "unwrap_or"];

/// Methods that call the function they are given, without arguments, for a value that is not there yet.
const MAKES: &[&str] = &["unwrap_or_else", "get_or_insert_with", "or_insert_with"];

/// Methods that give a value of the receiver's type, as far as types are followed.
const SAME_TYPE: &[&str] = &[
    "clone",
    "unwrap",
    "expect",
    "as_ref",
    "as_mut",
    "to_owned",
    "borrow",
    "get_ref",
    "into_inner",
    "lock",
    "read",
    "write",
    "unwrap_or_default",
    "ok",
    "ok_or",
    "ok_or_else",
    "map_err",
    "context",
    "with_context",
    "as_deref",
    "deref",
    "get_mut",
];

/// Methods that take a cookie away.
const REMOVALS: &[&str] = &["remove", "remove_private", "remove_cookie", "add_removal_cookie", "delete"];

/// Functions whose value is their argument's, wrapped.
const WRAPPERS: &[&str] =
    &["Some", "Ok", "Box", "Arc", "Rc", "Data", "ThinData", "State", "Extension", "Pin", "Mutex", "RwLock"];

impl<'c, 'a> Walk<'c, 'a> {
    pub(super) fn call(&mut self, expr: &'a Expr, function: &'a Expr, arguments: &'a [Expr]) -> Carried<'a> {
        let ExprKind::Path(path) = &*function.kind else {
            self.expr(function);
            self.arguments(arguments);
            return Carried::default();
        };
        let (once, timed) = (runs_once(path), is_timeout(path));
        self.body.once += usize::from(once);
        self.body.timed += usize::from(timed);
        let carried = if once {
            arguments.iter().map(|argument| self.made_by(argument)).collect()
        } else {
            self.arguments(arguments)
        };
        self.body.once -= usize::from(once);
        self.body.timed -= usize::from(timed);
        if let [name] = path.segments.as_slice()
            && self.body.scopes.get(name).is_some()
        {
            return Carried::default();
        }
        self.named_call(expr, path, arguments, carried)
    }

    fn named_call(
        &mut self,
        expr: &'a Expr,
        path: &'a Path,
        arguments: &'a [Expr],
        mut carried: Vec<Carried<'a>>,
    ) -> Carried<'a> {
        if is_wrapper(path) {
            return carried.drain(..).next().unwrap_or_default();
        }
        let absolute = self.resolve(&path.segments);
        if let Some(target) = self.context.names.function_at(&absolute) {
            let returned = self.function(target);
            let mut value = self.instantiate(target, &returned, expr.span, arguments);
            self.passed_through(target, &carried, &mut value);
            return value;
        }
        let mut value = Carried { ty: constructed(&absolute), ..Carried::default() };
        for entry in self.entries(Subject::Call, &absolute) {
            let id = self.find(entry, expr.span, arguments);
            self.merge_arguments(id, &entry.arguments, &carried);
            value.found.push((id, false));
        }
        value
    }

    /// What a function that is passed by its path gives when it is called: `LazyLock::new(Client::new)`.
    fn made_by(&mut self, argument: &'a Expr) -> Carried<'a> {
        match &*argument.kind {
            ExprKind::Path(path) if path.segments.len() > 1 => self.named_call(argument, path, &[], Vec::new()),
            _ => self.expr(argument),
        }
    }

    /// A function that takes a builder and gives one of the same type gives it on: `fn named(options: O) -> O`.
    fn passed_through(&self, target: FunctionId, given: &[Carried<'a>], value: &mut Carried<'a>) {
        let function = self.context.names.function(target).function;
        let Some(returns) = function.returns.as_ref().filter(|ty| !ty.path.is_empty()) else { return };
        for (parameter, carried) in function.parameters.iter().zip(given) {
            if parameter.ty.as_ref().is_some_and(|ty| ty.text == returns.text) {
                carried.found.iter().for_each(|(id, ended)| {
                    value.add(&Carried { found: vec![(*id, *ended)], ..Carried::default() });
                });
            }
        }
    }

    fn arguments(&mut self, arguments: &'a [Expr]) -> Vec<Carried<'a>> {
        arguments.iter().map(|argument| self.expr(argument)).collect()
    }

    pub(super) fn method_call(
        &mut self,
        expr: &'a Expr,
        receiver: &'a Expr,
        method: &'a str,
        arguments: &'a [Expr],
    ) -> Carried<'a> {
        let mut value = self.expr(receiver);
        value.expr = None;
        let once = ONCE_METHODS.contains(&method);
        self.body.once += usize::from(once);
        let makes = once || MAKES.contains(&method);
        let given: Vec<Carried<'a>> = arguments
            .iter()
            .map(
                |argument| {
                    if makes { self.made_by_argument(argument, &value) } else { self.argument(argument, &value) }
                },
            )
            .collect();
        self.body.once -= usize::from(once);
        if once || value.found.is_empty() && CALLBACKS.contains(&method) {
            given.iter().for_each(|carried| value.add(carried));
        }
        self.follow_with(&mut value, method, arguments, &given);
        self.cookies(method, &given);
        self.method_entries(&mut value, expr, method, arguments);
        if let Some(target) = self.method_of_tree(&value, method) {
            let returned = self.function(target);
            let called = self.instantiate(target, &returned, expr.span, arguments);
            value.add(&called);
            value.ty = called.ty;
        } else if !SAME_TYPE.contains(&method) && value.found.is_empty() {
            value.ty = None;
        }
        value
    }

    fn made_by_argument(&mut self, argument: &'a Expr, receiver: &Carried<'a>) -> Carried<'a> {
        match &*argument.kind {
            ExprKind::Path(_) => self.made_by(argument),
            _ => self.argument(argument, receiver),
        }
    }

    /// A closure that is passed to a method of a builder gets the builder: `.map(|builder| builder.timeout(..))`.
    fn argument(&mut self, argument: &'a Expr, receiver: &Carried<'a>) -> Carried<'a> {
        match &*argument.kind {
            ExprKind::Closure { parameters, body, .. } => self.closure(parameters, body, receiver),
            _ => self.expr(argument),
        }
    }

    fn method_of_tree(&self, receiver: &Carried<'a>, method: &str) -> Option<FunctionId> {
        let ty = receiver.ty.as_deref()?;
        let names = self.context.names;
        let named = |id: &&FunctionId| {
            names.functions().get(id.0 as usize).is_some_and(|function| function.item.name == method)
        };
        names.methods_of(ty).iter().find(named).copied()
    }

    /// A cookie that is removed is not set; Rocket's private cookies are HttpOnly and expire unless they say otherwise.
    fn cookies(&mut self, method: &str, given: &[Carried<'a>]) {
        let (removed, private) = (REMOVALS.contains(&method), method == "add_private");
        if !removed && !private {
            return;
        }
        for id in given.iter().flat_map(Carried::ids) {
            let found = &mut self.found[id];
            if found.kind() != FactKind::Cookie {
                continue;
            }
            found.absorbed |= removed;
            if private && found.entry.krate == "rocket" {
                found.private_by_default();
            }
        }
    }

    fn method_entries(&mut self, value: &mut Carried<'a>, expr: &'a Expr, method: &'a str, arguments: &'a [Expr]) {
        if !self.context.catalog.speaks_of(Subject::Method, method) {
            return;
        }
        let catalog: &'a Catalog = self.context.catalog;
        let ExprKind::MethodCall { receiver, .. } = &*expr.kind else { return };
        let mut known: Vec<&(String, usize)> = Vec::new();
        for entry in catalog.named(Subject::Method, method) {
            if known.contains(&&entry.origin) || !self.receives(entry, value) || !self.applies(entry) {
                continue;
            }
            known.push(&entry.origin);
            let id = self.find(entry, expr.span, arguments);
            self.found[id].receiver = Some(self.bound(receiver));
            value.found.push((id, false));
        }
    }

    /// Whether a value can be the receiver of a method entry.
    fn receives(&self, entry: &Entry, receiver: &Carried<'a>) -> bool {
        let depends = entry.krate.is_empty() || self.dependency(&entry.krate).is_some();
        let Some(ty) = receiver.ty.as_deref() else { return depends && entry.receivers.is_empty() };
        let last = ty.rsplit("::").next().unwrap_or(ty);
        let named = entry.receivers.is_empty() || entry.receivers.iter().any(|receiver| receiver == last);
        // A type of the tree can have the method from the library's trait, or one of its own.
        depends && named && self.method_of_tree(receiver, entry.tail.last().map_or("", String::as_str)).is_none()
    }

    pub(super) fn macro_call(&mut self, call: &'a MacroCall) -> Carried<'a> {
        let mut value = Carried::default();
        for argument in &call.arguments {
            value.add(&self.expr(&argument.value));
        }
        if let Some(expansion) = &call.expansion {
            value.add(&self.block(expansion));
        }
        if !self.context.catalog.speaks_of(Subject::Macro, call.path.last()) {
            return value;
        }
        let absolute = self.resolve(&call.path.segments);
        for entry in self.entries(Subject::Macro, &absolute) {
            let id = self.find(entry, call.span, &[]);
            self.found[id].arguments = call.arguments.iter().map(|argument| &argument.value).collect();
            value.found.push((id, false));
        }
        value
    }

    pub(super) fn struct_literal(
        &mut self,
        expr: &'a Expr,
        path: &'a Path,
        fields: &'a [(String, Expr)],
        rest: Option<&'a Expr>,
    ) -> Carried<'a> {
        let carried: Vec<Carried<'a>> = fields.iter().map(|(_, value)| self.expr(value)).collect();
        let base = rest.map(|rest| self.expr(rest)).unwrap_or_default();
        let absolute = self.resolve(&path.segments);
        let mut value = Carried { ty: Some(absolute.as_str().into()), ..Carried::default() };
        for entry in self.entries(Subject::Call, &absolute) {
            if entry.fields.is_empty() {
                continue;
            }
            let id = self.find(entry, expr.span, &[]);
            for ((name, expr), carried) in fields.iter().zip(&carried) {
                self.set_field(id, name, expr, carried);
            }
            for (other, _) in &base.found {
                self.absorb(id, *other, false);
            }
            value.found.push((id, false));
        }
        value
    }

    pub(super) fn set_field(&mut self, id: FoundId, name: &str, value: &'a Expr, carried: &Carried<'a>) {
        let entry = self.found[id].entry;
        if let Some(known) = entry.requires.iter().find(|required| *required == name) {
            self.found[id].methods.push((known, std::slice::from_ref(value)));
        }
        if let Some(effects) = entry.fields.get(name) {
            for effect in effects {
                self.effect(id, effect, std::slice::from_ref(value), std::slice::from_ref(carried));
            }
        }
        // `timeouts: Timeouts { wait: .. }` is the field `timeouts.wait`.
        if let ExprKind::Struct { fields, .. } = &*value.kind {
            for (inner, value) in fields {
                self.set_field(id, &format!("{name}.{inner}"), value, &Carried::default());
            }
        }
    }

    /// Applies a method to everything that a value carries.
    pub(super) fn follow(&mut self, value: &mut Carried<'a>, method: &'a str, arguments: &'a [Expr]) {
        self.follow_with(value, method, arguments, &[]);
    }

    fn follow_with(&mut self, value: &mut Carried<'a>, method: &'a str, arguments: &'a [Expr], given: &[Carried<'a>]) {
        for (id, ended) in &mut value.found {
            let entry = self.found[*id].entry;
            self.found[*id].methods.push((method, arguments));
            if !*ended && let Some(effects) = entry.methods.get(method) {
                for effect in effects {
                    self.effect(*id, effect, arguments, given);
                }
            }
            *ended |= entry.ends.iter().any(|end| end == method);
        }
    }

    fn merge_effect(&mut self, id: FoundId, effect: &Effect, given: &[Carried<'a>]) {
        let EffectValue::Merge { position, blind } = effect.value else { return };
        let others: Vec<FoundId> = given.get(position).map(|carried| carried.ids().collect()).unwrap_or_default();
        if blind && !self.carries_kind(id, given.get(position)) {
            self.found[id].unknown_rest();
        }
        for other in others {
            self.absorb(id, other, true);
        }
    }

    /// Whether a value is an object with a fact of the same kind.
    fn carries_kind(&self, id: FoundId, carried: Option<&Carried<'a>>) -> bool {
        let kind = self.found[id].kind();
        carried.is_some_and(|carried| carried.ids().any(|other| self.found[other].kind() == kind))
    }

    /// Takes over what another object's fact says; `over` what is set already too.
    fn absorb(&mut self, id: FoundId, other: FoundId, over: bool) {
        if id == other || self.found[other].kind() != self.found[id].kind() {
            return;
        }
        let data = self.found[other].data.clone();
        self.found[id].merge(&data, over);
        self.found[other].absorbed = true;
    }

    fn merge_arguments(&mut self, id: FoundId, effects: &[Effect], carried: &[Carried<'a>]) {
        effects.iter().for_each(|effect| self.merge_effect(id, effect, carried));
    }

    /// An argument that is a parameter of the function, for functions that only pass it on.
    fn parameter_of(&self, argument: Option<&'a Expr>, attribute: &'static str) -> Option<(usize, &'static str)> {
        // `Cookie::build((name, value))`.
        let argument = match &*argument?.kind {
            ExprKind::Tuple(parts) => parts.first()?,
            _ => argument?,
        };
        let name = plain_name(argument)?;
        let position = self.body.parameters.iter().position(|parameter| *parameter == name)?;
        Some((position, attribute))
    }

    pub(super) fn find(&mut self, entry: &'a Entry, span: Span, arguments: &'a [Expr]) -> FoundId {
        let id = self.found.len();
        self.found.push(Found {
            entry,
            data: entry.data(),
            stand: self.body.stand,
            span,
            arguments: arguments.iter().map(|argument| self.bound(argument)).collect(),
            receiver: None,
            methods: Vec::new(),
            confidence: entry.confidence,
            branched: Vec::new(),
            absorbed: false,
            once: self.body.once > 0,
            timed: self.body.timed > 0,
            parameter: None,
        });
        for effect in &entry.arguments {
            if !matches!(effect.value, EffectValue::Merge { .. }) {
                self.effect(id, effect, arguments, &[]);
            }
        }
        id
    }

    fn effect(&mut self, id: FoundId, effect: &Effect, arguments: &'a [Expr], given: &[Carried<'a>]) {
        let (Some(attribute), value) = (effect.attribute, &effect.value) else {
            return self.merge_effect(id, effect, given);
        };
        if effect.unless.is_some_and(|position| self.carries_kind(id, given.get(position))) {
            return;
        }
        let value = match value {
            EffectValue::Fixed(fixed) => fixed.clone(),
            EffectValue::Argument(position) => {
                let argument = arguments.get(*position);
                self.note_parameter(id, argument, attribute);
                let ty = self.found[id].attribute_type(attribute);
                effect.scaled(argument.map_or(Attr::Unknown, |argument| self.value(argument, ty)))
            }
            EffectValue::Merge { .. } => return,
        };
        let in_branch = self.body.branches > 0;
        self.found[id].set(attribute, value, in_branch);
    }

    fn note_parameter(&mut self, id: FoundId, argument: Option<&'a Expr>, attribute: &'static str) {
        let Some(parameter) = self.parameter_of(argument, attribute) else { return };
        let found = &mut self.found[id];
        let passed = found.kind() == FactKind::EnvRead || found.kind() == FactKind::Cookie && attribute == "name";
        if found.parameter.is_none()
            && passed
            && let Some(function) = found.stand.function
        {
            found.parameter = Some(parameter);
            self.parametric.entry(function).or_default().push(id);
        }
    }

    /// What a local that is passed was bound to.
    fn bound(&self, argument: &'a Expr) -> &'a Expr {
        let local = plain_name(argument).and_then(|name| self.body.scopes.get(name));
        local.and_then(|carried| carried.expr).unwrap_or(argument)
    }

    /// A function that only passes its parameter on (`fn var(name: &str)`) means at each call what it does inside.
    fn instantiate(
        &mut self,
        target: FunctionId,
        returned: &Carried<'a>,
        span: Span,
        arguments: &'a [Expr],
    ) -> Carried<'a> {
        let mut value = returned.clone();
        for inner in self.parametric.get(&target).cloned().unwrap_or_default() {
            let mut found = self.found[inner].clone();
            let Some((position, attribute)) = found.parameter.take() else { continue };
            self.instantiated.insert(inner);
            let argument = arguments.get(position);
            let text = argument.map_or(Attr::Unknown, |argument| self.value(argument, AttrType::Text));
            found.data.set(attribute, text);
            (found.stand, found.span) = (self.body.stand, span);
            let id = self.found.len();
            self.found.push(found);
            self.note_parameter(id, argument, attribute);
            value.found.retain(|(known, _)| *known != inner);
            value.found.push((id, false));
        }
        value
    }

    /// Entries that a resolved path means here.
    pub(super) fn entries(&self, subject: Subject, absolute: &str) -> Vec<&'a Entry> {
        let catalog: &'a Catalog = self.context.catalog;
        let (first, last) = (absolute.split("::").next().unwrap_or(""), absolute.rsplit("::").next().unwrap_or(""));
        if !catalog.speaks_of(subject, last) {
            return Vec::new();
        }
        let segments: Vec<&str> = absolute.split("::").collect();
        let krate = self.real_crate(first);
        let means = |entry: &&Entry| match &krate {
            Some(krate) => matches_path(entry, krate, &segments[1..]),
            None => matches_unresolved(entry, &segments) && self.dependency(&entry.krate).is_some(),
        };
        let found: Vec<&'a Entry> =
            catalog.named(subject, last).filter(means).filter(|entry| self.applies(entry)).collect();
        nearest(found, &segments[1..])
    }

    /// The name that a crate has for everybody; `None` where the path does not start with a crate from outside.
    fn real_crate(&self, code_name: &str) -> Option<String> {
        if matches!(code_name, "std" | "core" | "alloc") {
            return Some("std".to_string());
        }
        let dependencies = &self.body.package?.dependencies;
        // Names are resolved to the crates' own names; what could not be resolved has the name in code.
        let named = |dependency: &&PackageDependency| {
            same_crate(&dependency.package, code_name) || dependency.code_name == code_name
        };
        Some(dependencies.iter().find(named)?.package.replace('-', "_"))
    }

    /// The package's dependency on a crate, by the name that the crate has for everybody.
    fn dependency(&self, krate: &str) -> Option<&'a PackageDependency> {
        let dependencies = &self.body.package?.dependencies;
        dependencies.iter().find(|dependency| same_crate(&dependency.package, krate))
    }

    /// Whether the package's version and features of the crate are those that the entry speaks of.
    pub(super) fn applies(&self, entry: &Entry) -> bool {
        let Some(dependency) = self.dependency(&entry.krate) else { return entry.features.is_empty() };
        entry.versions.as_ref().is_none_or(|range| range.allows(&dependency.version))
            && (entry.features.is_empty() || entry.features.iter().any(|feature| dependency.features.contains(feature)))
    }
}

/// Entries name types under one module of their crate, and types are found under any. Of entries for types of the same
/// name, those whose module is meant are better; of one entry's paths, one is enough.
fn nearest<'a>(found: Vec<&'a Entry>, rest: &[&str]) -> Vec<&'a Entry> {
    let exact = |entry: &Entry| entry.tail.iter().map(String::as_str).eq(rest.iter().copied());
    let mut nearest: Vec<&'a Entry> = Vec::with_capacity(found.len());
    for entry in &found {
        let known = nearest.iter().any(|known| known.origin == entry.origin);
        let worse = !exact(entry) && found.iter().any(|other| other.fact == entry.fact && exact(other));
        if !known && !worse {
            nearest.push(entry);
        }
    }
    nearest
}

/// Whether a package's name is that of a crate in code.
pub(super) fn same_crate(package: &str, krate: &str) -> bool {
    package.len() == krate.len() && package.bytes().zip(krate.bytes()).all(|(a, b)| a == b || (a == b'-' && b == b'_'))
}

fn runs_once(path: &Path) -> bool {
    path.segments.iter().rev().take(2).any(|segment| ONCE_TYPES.contains(&segment.as_str()))
}

fn is_timeout(path: &Path) -> bool {
    matches!(path.last(), "timeout" | "timeout_at")
}

fn is_wrapper(path: &Path) -> bool {
    path.segments.iter().rev().take(2).any(|segment| WRAPPERS.contains(&segment.as_str()))
}

//! The evaluator: runs the code of a service symbolically, as far as routers, layers and paths are concerned.
//!
//! Branches all run and their values are united; loops run once (over known lists: once an element). What does not
//! matter is [`Value::Unknown`]. Depth, repetition and the number of steps are bounded.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::super::Context;
use super::super::names::{FunctionId, FunctionInfo, ModuleId, Names};
use super::layers::LayerUse;
use super::reparse::Reparsed;
use super::value::{Closure, Server, Text, Value};
use super::{calls, chains, macros, text, unite};
use crate::parse::rust::ast::{
    Attribute, Block, Expr, ExprKind, ItemKind, Parameter, Pattern, PatternKind, Statement, TokenKind,
};
use crate::scan::source::{FileId, Place, Role, Span};

/// Deepest chain of calls that is followed.
const MAX_CALLS: usize = 40;
/// Deepest nesting of expressions within all calls together.
const MAX_DEPTH: usize = 3_000;
/// Most expressions that are evaluated for one repository.
const MAX_STEPS: usize = 6_000_000;

/// Where evaluation stands.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The function whose body runs.
    pub function: Option<FunctionId>,
    /// Module that names are resolved in.
    pub module: ModuleId,
    /// File that spans belong to.
    pub file: FileId,
    /// Type of the `impl` around.
    pub self_type: Option<String>,
    /// Local names, innermost scope last.
    pub scopes: Vec<BTreeMap<String, Value<'a>>>,
    /// Values of `return`.
    pub returns: Vec<Value<'a>>,
    /// Branches around that a setting may decide.
    pub conditions: usize,
    /// Code that only development builds or environments run.
    pub development: bool,
}

impl<'a> Frame<'a> {
    /// A frame in a module, without names.
    pub fn new(module: ModuleId, file: FileId) -> Frame<'a> {
        Frame {
            function: None,
            module,
            file,
            self_type: None,
            scopes: vec![BTreeMap::new()],
            returns: Vec::new(),
            conditions: 0,
            development: false,
        }
    }

    /// A place in the file that is being evaluated.
    pub fn place(&self, span: Span) -> Place {
        Place { file: self.file, span }
    }

    /// The value of a local name.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// Sets a local name where it was defined.
    pub fn set(&mut self, name: &str, value: Value<'a>) {
        if let Some(slot) = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            *slot = value;
        } else {
            self.bind(name, value);
        }
    }

    /// Defines a local name in the innermost scope.
    pub fn bind(&mut self, name: &str, value: Value<'a>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_string(), value);
        }
    }

    /// Goes into code that only development runs; gives what it was before.
    fn develop(&mut self, development: bool) -> bool {
        let outer = self.development;
        self.development |= development;
        outer
    }

    fn captured(&self) -> BTreeMap<String, Value<'a>> {
        let mut all = BTreeMap::new();
        for scope in &self.scopes {
            let known = scope.iter().filter(|(_, value)| !matches!(value, Value::Unknown));
            all.extend(known.map(|(name, value)| (name.clone(), value.clone())));
        }
        all
    }
}

/// The evaluator with all it has found.
pub struct Evaluator<'a> {
    /// Files, names, services.
    pub context: &'a Context<'a>,
    /// The names.
    pub names: &'a Names<'a>,
    /// Macro bodies as code.
    pub reparsed: &'a Reparsed,
    /// Layers that were met.
    pub layers: Vec<LayerUse>,
    /// Servers that start.
    pub servers: Vec<Server<'a>>,
    /// Servers in the order they were started, for those who ask what a root starts.
    pub started: Vec<usize>,
    /// Functions that were entered.
    pub visited: BTreeSet<FunctionId>,
    /// Routers that were constructed, by place, with the framework.
    pub constructed: BTreeMap<Place, &'static str>,
    /// A bound cut the evaluation.
    pub cut: bool,
    memo: HashMap<FunctionId, Value<'a>>,
    stack: Vec<FunctionId>,
    /// The type that `Self` is in the next call: of a trait's default method, or of an impl for all types.
    as_type: Option<String>,
    /// Constants that are being evaluated, so that one that means itself ends.
    constants: Vec<String>,
    depth: usize,
    steps: usize,
}

impl<'a> Evaluator<'a> {
    /// An evaluator that has seen nothing.
    pub fn new(context: &'a Context<'a>, reparsed: &'a Reparsed) -> Evaluator<'a> {
        Evaluator {
            context,
            names: context.names,
            reparsed,
            layers: Vec::new(),
            servers: Vec::new(),
            started: Vec::new(),
            visited: BTreeSet::new(),
            constructed: BTreeMap::new(),
            cut: false,
            memo: HashMap::new(),
            stack: Vec::new(),
            as_type: None,
            constants: Vec::new(),
            depth: 0,
            steps: 0,
        }
    }

    /// Forgets results, so that what another root reaches is met again.
    pub fn fresh(&mut self) {
        self.memo.clear();
    }

    /// The function of an id.
    pub fn info(&self, id: FunctionId) -> &'a FunctionInfo<'a> {
        &self.names.functions()[id.0 as usize]
    }

    /// The source under a span.
    pub fn source(&self, file: FileId, span: Span) -> &'a str {
        self.context.repository.tree.file(file).slice(span)
    }

    /// The absolute path of a path in a frame, `Self` included.
    pub fn resolve(&self, frame: &Frame<'a>, segments: &[String]) -> String {
        if segments.first().is_some_and(|first| first == "Self")
            && let Some(own) = &frame.self_type
        {
            let rest = segments[1..].iter().map(|segment| format!("::{segment}"));
            return format!("{own}{}", rest.collect::<String>());
        }
        self.names.resolve(frame.module, segments)
    }

    /// Calls a function that stands in a trait or in an implementation for all types, with the type that is `Self` in it.
    pub fn call_on(
        &mut self,
        id: FunctionId,
        own: String,
        receiver: Option<Value<'a>>,
        arguments: Vec<Value<'a>>,
    ) -> Value<'a> {
        self.as_type = Some(own);
        self.call(id, receiver, arguments)
    }

    /// Calls a function of the tree.
    pub fn call(&mut self, id: FunctionId, receiver: Option<Value<'a>>, arguments: Vec<Value<'a>>) -> Value<'a> {
        let info = self.info(id);
        let as_type = self.as_type.take();
        let Some(body) = &info.function.body else { return Value::Unknown };
        if info.role != Role::Service || self.stack.contains(&id) || self.stack.len() >= MAX_CALLS {
            return Value::Unknown;
        }
        let plain = as_type.is_none()
            && !receiver.as_ref().is_some_and(Value::matters)
            && !arguments.iter().any(|value| value.matters() || decides(value, info));
        if plain && let Some(known) = self.memo.get(&id) {
            return known.clone();
        }
        let mut frame = Frame::new(info.module, info.file);
        frame.function = Some(id);
        frame.self_type = as_type.or_else(|| info.self_type.clone());
        frame.development = info.development_only;
        if let Some(receiver) = receiver {
            frame.bind("self", receiver);
        }
        let missing = std::iter::repeat_with(|| Value::Unknown);
        for (parameter, value) in info.function.parameters.iter().zip(arguments.into_iter().chain(missing)) {
            self.bind_parameter(&mut frame, parameter, value);
        }
        self.visited.insert(id);
        self.stack.push(id);
        let last = self.block(&mut frame, body);
        self.stack.pop();
        let value = frame.returns.into_iter().fold(last, |all, value| unite::unite(self, all, value));
        if plain {
            self.memo.insert(id, value.clone());
        }
        value
    }

    fn bind_parameter(&mut self, frame: &mut Frame<'a>, parameter: &'a Parameter, value: Value<'a>) {
        let value = match &value {
            Value::Unknown => calls::parameter(frame, parameter),
            _ => value,
        };
        self.bind_pattern(frame, &parameter.pattern, value);
    }

    /// Calls a closure.
    pub fn call_closure(&mut self, closure: &Closure<'a>, arguments: Vec<Value<'a>>) -> Value<'a> {
        let mut frame = Frame::new(closure.module, closure.file);
        frame.scopes = vec![closure.captured.clone(), BTreeMap::new()];
        frame.function = self.stack.last().copied();
        frame.self_type = frame.function.and_then(|id| self.info(id).self_type.clone());
        let missing = std::iter::repeat_with(|| Value::Unknown);
        for (parameter, value) in closure.parameters.iter().zip(arguments.into_iter().chain(missing)) {
            self.bind_parameter(&mut frame, parameter, value);
        }
        let last = self.eval(&mut frame, closure.body);
        frame.returns.into_iter().fold(last, |all, value| unite::unite(self, all, value))
    }

    /// Calls what a value is, where it is something to call.
    pub fn call_value(&mut self, callee: &Value<'a>, arguments: Vec<Value<'a>>) -> Value<'a> {
        match callee {
            Value::Function(id) => self.call(*id, None, arguments),
            Value::Closure(closure) if self.depth < MAX_DEPTH => self.call_closure(&closure.clone(), arguments),
            _ => Value::Unknown,
        }
    }

    /// Evaluates a block in a scope of its own.
    pub fn block(&mut self, frame: &mut Frame<'a>, block: &'a Block) -> Value<'a> {
        frame.scopes.push(BTreeMap::new());
        let mut last = Value::Unknown;
        for statement in &block.statements {
            last = self.statement(frame, statement);
        }
        frame.scopes.pop();
        last
    }

    fn statement(&mut self, frame: &mut Frame<'a>, statement: &'a Statement) -> Value<'a> {
        match statement {
            Statement::Let { pattern, value, otherwise, attributes, .. } => {
                let Some(development) = applies(attributes) else { return Value::Unknown };
                let outer = frame.develop(development);
                let mut value = value.as_ref().map_or(Value::Unknown, |value| self.eval(frame, value));
                if let Some(block) = otherwise {
                    self.block(frame, block);
                }
                frame.development = outer;
                if let (PatternKind::Name(name), true) = (&pattern.kind, has_cfg(attributes))
                    && let Some(before) = frame.scopes.last().and_then(|scope| scope.get(name)).cloned()
                {
                    value = unite::unite(self, before, value);
                }
                self.bind_pattern(frame, pattern, value);
                Value::Unknown
            }
            Statement::Expr { value, ended, attributes } => {
                let Some(development) = applies(attributes) else { return Value::Unknown };
                let outer = frame.develop(development);
                let result = self.eval(frame, value);
                frame.development = outer;
                if *ended { Value::Unknown } else { result }
            }
            Statement::Item(_) => Value::Unknown,
        }
    }

    /// Binds a pattern's names to the parts of a value.
    pub fn bind_pattern(&mut self, frame: &mut Frame<'a>, pattern: &'a Pattern, value: Value<'a>) {
        match &pattern.kind {
            PatternKind::Name(name) => frame.bind(name, value),
            PatternKind::Tuple(parts) => match value {
                Value::Tuple(values) if values.len() == parts.len() => {
                    for (part, value) in parts.iter().zip(values) {
                        self.bind_pattern(frame, part, value);
                    }
                }
                // A tuple whose other parts do not matter has collapsed to the one that does.
                Value::Unknown => self.bind_unknown(frame, parts),
                value => {
                    self.bind_unknown(frame, parts);
                    if let Some(first) = parts.first() {
                        self.bind_pattern(frame, first, value);
                    }
                }
            },
            PatternKind::TupleStruct(_, parts) if parts.len() == 1 => self.bind_pattern(frame, &parts[0], value),
            PatternKind::TupleStruct(_, parts) | PatternKind::Other(parts) => self.bind_unknown(frame, parts),
            PatternKind::Struct(_, fields) => {
                for (name, part) in fields {
                    let field = match &value {
                        Value::Struct(_, known) => known.get(name).cloned().unwrap_or_default(),
                        _ => Value::Unknown,
                    };
                    self.bind_pattern(frame, part, field);
                }
            }
            PatternKind::Or(parts) => {
                if let Some(first) = parts.first() {
                    self.bind_pattern(frame, first, value);
                }
            }
            PatternKind::Wild | PatternKind::Path(_) | PatternKind::Literal(_) => {}
        }
    }

    fn bind_unknown(&mut self, frame: &mut Frame<'a>, parts: &'a [Pattern]) {
        for part in parts {
            self.bind_pattern(frame, part, Value::Unknown);
        }
    }

    /// Evaluates an expression.
    pub fn eval(&mut self, frame: &mut Frame<'a>, expr: &'a Expr) -> Value<'a> {
        self.steps += 1;
        if self.depth >= MAX_DEPTH || self.steps >= MAX_STEPS {
            self.cut = true;
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.eval_kind(frame, expr);
        self.depth -= 1;
        value
    }

    /// Evaluates a list of expressions.
    pub fn eval_all(&mut self, frame: &mut Frame<'a>, all: &'a [Expr]) -> Vec<Value<'a>> {
        all.iter().map(|expr| self.eval(frame, expr)).collect()
    }

    fn eval_kind(&mut self, frame: &mut Frame<'a>, expr: &'a Expr) -> Value<'a> {
        match &*expr.kind {
            ExprKind::Path(path) => calls::path(self, frame, path),
            ExprKind::Literal(literal) => text::literal(literal),
            ExprKind::Call { function, arguments } => calls::call(self, frame, expr, function, arguments),
            ExprKind::MethodCall { .. } | ExprKind::Field { .. } | ExprKind::Await(_) | ExprKind::Try(_) => {
                chains::chain(self, frame, expr)
            }
            ExprKind::Macro(call) => macros::call(self, frame, call),
            ExprKind::Closure { parameters, body, .. } => Value::Closure(Rc::new(Closure {
                parameters,
                body,
                captured: frame.captured(),
                module: frame.module,
                file: frame.file,
            })),
            ExprKind::Block(block) | ExprKind::Async(block) | ExprKind::Loop(block) => self.block(frame, block),
            ExprKind::Struct { path, fields, rest } => {
                let path = self.resolve(frame, &path.segments);
                let mut known = BTreeMap::new();
                if let Some(rest) = rest
                    && let Value::Struct(_, fields) = self.eval(frame, rest)
                {
                    known = fields;
                }
                for (name, value) in fields {
                    let value = self.eval(frame, value);
                    known.insert(name.clone(), value);
                }
                calls::literal_struct(self, frame, expr, path, known)
            }
            ExprKind::If { condition, then, otherwise } => self.branch(frame, condition, then, otherwise.as_ref()),
            ExprKind::Match { on, arms } => {
                let on = self.eval(frame, on);
                let mut all = Value::Unknown;
                for arm in arms {
                    let Some(development) = applies(&arm.attributes) else { continue };
                    let outer = frame.develop(development);
                    frame.scopes.push(BTreeMap::new());
                    frame.conditions += 1;
                    self.bind_pattern(frame, &arm.pattern, on.clone());
                    let value = self.eval(frame, &arm.body);
                    frame.conditions -= 1;
                    frame.scopes.pop();
                    frame.development = outer;
                    all = unite::unite(self, all, value);
                }
                all
            }
            ExprKind::While { condition, body } => {
                frame.scopes.push(BTreeMap::new());
                self.eval(frame, condition);
                self.block(frame, body);
                frame.scopes.pop();
                Value::Unknown
            }
            ExprKind::For { pattern, iterated, body } => self.repeat(frame, pattern, iterated, body),
            ExprKind::Let { pattern, value } => {
                let value = self.eval(frame, value);
                self.bind_pattern(frame, pattern, value);
                Value::Unknown
            }
            ExprKind::Assign { left, right } => {
                let value = self.eval(frame, right);
                self.assign(frame, left, value);
                Value::Unknown
            }
            ExprKind::Binary { operator, left, right } => {
                let (left_value, right_value) = (self.eval(frame, left), self.eval(frame, right));
                if operator == "+="
                    && let ExprKind::Path(path) = &*left.kind
                {
                    let sum = text::binary("+", left_value, right_value);
                    frame.set(path.last(), sum);
                    return Value::Unknown;
                }
                text::binary(operator, left_value, right_value)
            }
            ExprKind::Unary { operand, .. } => self.eval(frame, operand),
            ExprKind::Reference(inner) | ExprKind::Cast { value: inner, .. } => self.eval(frame, inner),
            ExprKind::Return(value) => {
                if let Some(value) = value {
                    let value = self.eval(frame, value);
                    frame.returns.push(value);
                }
                Value::Unknown
            }
            ExprKind::Break(value) => value.as_ref().map_or(Value::Unknown, |value| self.eval(frame, value)),
            ExprKind::Tuple(parts) => Value::Tuple(self.eval_all(frame, parts)),
            ExprKind::Array(parts) => Value::List(self.eval_all(frame, parts)),
            ExprKind::Index { base, index } => {
                let base = self.eval(frame, base);
                self.index(frame, base, index)
            }
            ExprKind::Repeat { .. } | ExprKind::Range { .. } | ExprKind::Other => Value::Unknown,
        }
    }

    /// An element of a list, or a piece of a text.
    fn index(&mut self, frame: &mut Frame<'a>, base: Value<'a>, index: &'a Expr) -> Value<'a> {
        if let (Value::Text(text), ExprKind::Range { from, to }) = (&base, &*index.kind) {
            let mut bound = |bound: &'a Option<Expr>| {
                bound.as_ref().map(|bound| self.eval(frame, bound).text().and_then(text::number))
            };
            return text::slice(text, bound(from), bound(to));
        }
        let at = self.eval(frame, index).text().and_then(text::whole);
        match base {
            Value::List(mut values) => match at.filter(|at| *at < values.len()) {
                Some(at) => values.swap_remove(at),
                None => values.into_iter().fold(Value::Unknown, |a, b| unite::unite(self, a, b)),
            },
            _ => Value::Unknown,
        }
    }

    fn branch(
        &mut self,
        frame: &mut Frame<'a>,
        condition: &'a Expr,
        then: &'a Block,
        otherwise: Option<&'a Expr>,
    ) -> Value<'a> {
        frame.scopes.push(BTreeMap::new());
        self.eval(frame, condition);
        let development = is_development(self.source(frame.file, condition.span));
        let outer = frame.develop(development);
        frame.conditions += 1;
        let first = self.block(frame, then);
        frame.development = outer;
        frame.scopes.pop();
        let second = otherwise.map_or(Value::Unknown, |otherwise| self.eval(frame, otherwise));
        frame.conditions -= 1;
        unite::unite(self, first, second)
    }

    fn repeat(
        &mut self,
        frame: &mut Frame<'a>,
        pattern: &'a Pattern,
        iterated: &'a Expr,
        body: &'a Block,
    ) -> Value<'a> {
        let elements = match self.eval(frame, iterated) {
            Value::List(values) if !values.is_empty() => values,
            _ => vec![Value::Unknown],
        };
        for element in elements.into_iter().take(200) {
            frame.scopes.push(BTreeMap::new());
            self.bind_pattern(frame, pattern, element);
            self.block(frame, body);
            frame.scopes.pop();
        }
        Value::Unknown
    }

    fn assign(&mut self, frame: &mut Frame<'a>, left: &'a Expr, value: Value<'a>) {
        match &*left.kind {
            ExprKind::Path(path) if path.segments.len() == 1 => frame.set(path.last(), value),
            ExprKind::Field { base, name } => {
                if let ExprKind::Path(path) = &*base.kind
                    && let Some(Value::Struct(ty, mut fields)) = frame.get(path.last()).cloned()
                {
                    fields.insert(name.clone(), value);
                    frame.set(path.last(), Value::Struct(ty, fields));
                }
            }
            ExprKind::Unary { operand, .. } => self.assign(frame, operand, value),
            _ => {}
        }
    }

    /// A constant's or static's value by its absolute path.
    pub fn constant(&mut self, path: &str) -> Option<Value<'a>> {
        let names = self.names;
        let item = names.item_at(path)?;
        let (ItemKind::Const(_, Some(value)) | ItemKind::Static(_, Some(value))) = &item.item.kind else { return None };
        if self.constants.iter().any(|open| open == path) {
            return Some(Value::Unknown);
        }
        let mut frame = Frame::new(item.module, item.file);
        frame.self_type.clone_from(&item.owner);
        self.constants.push(path.to_string());
        let value = self.eval(&mut frame, value);
        self.constants.pop();
        Some(value)
    }

    /// A text that is set from outside, with a default.
    pub fn configured(default: Option<&Text>) -> Value<'a> {
        let text = default.map_or(String::new(), |text| text.text.clone());
        Value::Text(Text { complete: default.is_some_and(|text| text.complete), text, configured: true })
    }
}

/// Whether what a function gives depends on an argument: strings are made of strings, and handlers are registered by
/// functions of the tree's own (`fn get_page(handler: H) -> MethodRouter`).
fn decides(argument: &Value<'_>, info: &FunctionInfo<'_>) -> bool {
    match argument {
        Value::Text(_) => gives_text(info),
        Value::Function(_) | Value::Name(_) | Value::Struct(..) => gives_routes(info),
        _ => false,
    }
}

fn gives_routes(info: &FunctionInfo<'_>) -> bool {
    let Some(returns) = &info.function.returns else { return false };
    ["Rout", "Filter", "Endpoint", "Resource", "Scope", "Service"].iter().any(|name| returns.text.contains(name))
}

/// Whether a function gives a string, so that it is worth running again for other strings.
fn gives_text(info: &FunctionInfo<'_>) -> bool {
    let Some(returns) = &info.function.returns else { return false };
    ["String", "str", "Cow", "Path", "Uri", "Origin"].iter().any(|name| returns.text.contains(name))
}

/// Whether code under these attributes is compiled outside tests, and then whether only in development builds.
pub fn applies(attributes: &[Attribute]) -> Option<bool> {
    let mut development = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path.is("cfg")) {
        let words: Vec<&str> = attribute
            .tokens
            .iter()
            .filter_map(|token| match &token.kind {
                TokenKind::Ident(word) => Some(word.as_str()),
                _ => None,
            })
            .collect();
        match words.as_slice() {
            ["test"] => return None,
            ["debug_assertions"] => development = true,
            _ => {}
        }
    }
    Some(development)
}

fn has_cfg(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path.is("cfg"))
}

/// Whether a condition is true in development only, by its words.
fn is_development(condition: &str) -> bool {
    const WORDS: &[&str] = &[
        "debug_assertions",
        "Development",
        "is_dev",
        "is_development",
        "Env::Dev",
        "Environment::Dev",
        "\"development\"",
    ];
    let negated = condition.contains("!=") || condition.trim_start().starts_with('!') || condition.contains("not(");
    let either = condition.contains("||");
    !negated && !either && WORDS.iter().any(|word| condition.contains(word))
}

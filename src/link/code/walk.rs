//! One pass over the bodies of all functions: which expressions an entry of the catalog speaks of, and what the
//! methods called on their values add, through locals, branches, closures and functions that return a builder.

use std::collections::{HashMap, HashSet};

use super::found::{Found, FoundId, Stand};
use super::scope::{self, Carried, Scopes, TypeName};
use super::values::Values;
use crate::facts::{Attr, AttrType, FactKind, Value};
use crate::link::Context;
use crate::link::names::{FunctionId, FunctionInfo};
use crate::link::workspace::Package;
use crate::parse::rust::ast::{
    Block, Expr, ExprKind, ItemKind, Parameter, Path, Pattern, PatternKind, Statement, Type,
};

/// Calls are followed into functions of the tree this deep.
const CALL_DEPTH: usize = 24;

/// Walks bodies.
pub struct Walk<'c, 'a> {
    pub(super) context: &'c Context<'a>,
    /// What was found so far.
    pub found: Vec<Found<'a>>,
    /// Matches that a parameter of their function gives an attribute to, by function.
    pub(super) parametric: HashMap<FunctionId, Vec<FoundId>>,
    /// Those of them that a call was seen of.
    pub(super) instantiated: HashSet<FoundId>,
    pub(super) body: Body<'a>,
    returned: HashMap<FunctionId, Carried<'a>>,
    open: Vec<FunctionId>,
}

/// The body that is walked.
pub(super) struct Body<'a> {
    pub(super) stand: Stand,
    pub(super) package: Option<&'a Package>,
    pub(super) scopes: Scopes<'a>,
    /// Names of the function's parameters.
    pub(super) parameters: Vec<&'a str>,
    self_type: Option<TypeName>,
    returned: Carried<'a>,
    /// How many enclosing calls run their closure once.
    pub(super) once: usize,
    /// How many branches enclose the place.
    pub(super) branches: usize,
    /// How many enclosing calls end what takes too long.
    pub(super) timed: usize,
}

impl<'a> Body<'a> {
    fn new(context: &Context<'a>, stand: Stand) -> Body<'a> {
        let path = &context.repository.tree.file(stand.file).path;
        Body {
            stand,
            package: context.workspace.package_of(path),
            scopes: Scopes::default(),
            parameters: Vec::new(),
            self_type: None,
            returned: Carried::default(),
            once: 0,
            branches: 0,
            timed: 0,
        }
    }

    fn of(context: &Context<'a>, info: &'a FunctionInfo<'a>) -> Body<'a> {
        let mut body = Body::new(context, Stand::of(info));
        body.parameters = info.function.parameters.iter().map(|parameter| name_of(&parameter.pattern)).collect();
        body.self_type = info.self_type.as_deref().map(Into::into);
        body
    }
}

fn name_of(pattern: &Pattern) -> &str {
    match &pattern.kind {
        PatternKind::Name(name) => name,
        _ => "",
    }
}

impl<'c, 'a> Walk<'c, 'a> {
    /// A walk that found nothing yet, standing nowhere in particular.
    pub fn new(context: &'c Context<'a>, stand: Stand) -> Walk<'c, 'a> {
        let body = Body::new(context, stand);
        Walk {
            context,
            found: Vec::new(),
            parametric: HashMap::new(),
            instantiated: HashSet::new(),
            body,
            returned: HashMap::new(),
            open: Vec::new(),
        }
    }

    /// A cookie whose name comes by a parameter, made by a function of which no call was seen, stands for itself.
    pub fn keep_uncalled(&mut self) {
        for (id, found) in self.found.iter_mut().enumerate() {
            if found.kind() == FactKind::Cookie && !self.instantiated.contains(&id) {
                found.parameter = None;
            }
        }
    }

    /// Walks a function once and gives what its value carries.
    pub fn function(&mut self, id: FunctionId) -> Carried<'a> {
        if let Some(known) = self.returned.get(&id) {
            return known.clone();
        }
        let Some(info) = self.context.names.functions().get(id.0 as usize) else { return Carried::default() };
        if self.open.contains(&id) || self.open.len() >= CALL_DEPTH {
            return Carried::default();
        }
        self.open.push(id);
        let outer = std::mem::replace(&mut self.body, Body::of(self.context, info));
        let carried = self.function_body(info);
        self.body = outer;
        self.open.pop();
        self.returned.insert(id, carried.clone());
        carried
    }

    fn function_body(&mut self, info: &'a FunctionInfo<'a>) -> Carried<'a> {
        for parameter in &info.function.parameters {
            self.parameter(parameter);
        }
        let Some(body) = &info.function.body else { return Carried::default() };
        let mut value = self.block(body);
        value.add(&std::mem::take(&mut self.body.returned));
        value.ty = info.function.returns.as_ref().and_then(|ty| self.type_name(ty));
        value.expr = None;
        value
    }

    /// Walks an expression outside a function: the value of a constant or static.
    pub fn constant(&mut self, stand: Stand, value: &'a Expr) {
        let mut body = Body::new(self.context, stand);
        body.once = 1;
        let outer = std::mem::replace(&mut self.body, body);
        self.expr(value);
        self.body = outer;
    }

    fn parameter(&mut self, parameter: &'a Parameter) {
        let ty = parameter.ty.as_ref().and_then(|ty| self.type_name(ty));
        self.body.scopes.bind(&parameter.pattern, &Carried { ty, ..Carried::default() });
    }

    pub(super) fn block(&mut self, block: &'a Block) -> Carried<'a> {
        self.body.scopes.open();
        let mut value = Carried::default();
        for statement in &block.statements {
            value = self.statement(statement);
        }
        self.body.scopes.close();
        value
    }

    fn statement(&mut self, statement: &'a Statement) -> Carried<'a> {
        match statement {
            Statement::Let { pattern, ty, value, otherwise, .. } => {
                let mut carried = value.as_ref().map(|value| self.expr(value)).unwrap_or_default();
                if let Some(ty) = ty {
                    carried.ty = self.type_name(ty);
                }
                if let Some(otherwise) = otherwise {
                    self.block(otherwise);
                }
                carried.expr = value.as_ref();
                self.body.scopes.bind(pattern, &carried);
                Carried::default()
            }
            Statement::Expr { value, ended, .. } => {
                let carried = self.expr(value);
                if *ended { Carried::default() } else { carried }
            }
            // Functions inside functions are functions of their own.
            Statement::Item(_) => Carried::default(),
        }
    }

    /// Walks an expression and gives what its value carries.
    pub fn expr(&mut self, expr: &'a Expr) -> Carried<'a> {
        match &*expr.kind {
            ExprKind::Path(path) => self.path(path),
            ExprKind::Call { function, arguments } => self.call(expr, function, arguments),
            ExprKind::MethodCall { receiver, method, arguments, .. } => {
                self.method_call(expr, receiver, method, arguments)
            }
            ExprKind::Macro(call) => self.macro_call(call),
            ExprKind::Struct { path, fields, rest } => self.struct_literal(expr, path, fields, rest.as_ref()),
            ExprKind::Closure { parameters, body, .. } => self.closure(parameters, body, &Carried::default()),
            ExprKind::Assign { left, right } => self.assign(left, right),
            ExprKind::Try(inner) => {
                let mut carried = self.expr(inner);
                self.follow(&mut carried, "?", &[]);
                carried
            }
            ExprKind::Reference(inner) | ExprKind::Await(inner) => self.expr(inner),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Cast { value, .. } => self.expr(value),
            ExprKind::Field { base, name } => self.field(base, name),
            _ => self.control(expr),
        }
    }

    /// Blocks, branches and loops.
    fn control(&mut self, expr: &'a Expr) -> Carried<'a> {
        match &*expr.kind {
            ExprKind::Block(block) => self.block(block),
            ExprKind::Async(block) => {
                // A `return` in an async block is the block's, not the function's.
                let outer = std::mem::take(&mut self.body.returned);
                let mut value = self.block(block);
                value.add(&std::mem::replace(&mut self.body.returned, outer));
                value
            }
            ExprKind::Loop(body) => self.block(body),
            ExprKind::If { condition, then, otherwise } => self.branches(condition, then, otherwise.as_ref()),
            ExprKind::Match { on, arms } => {
                let subject = self.expr(on);
                let mut value = Carried::default();
                for arm in arms {
                    self.body.scopes.open();
                    self.body.scopes.bind(&arm.pattern, &subject);
                    if let Some(guard) = &arm.guard {
                        self.expr(guard);
                    }
                    self.body.branches += 1;
                    value.add(&self.expr(&arm.body));
                    self.body.branches -= 1;
                    self.body.scopes.close();
                }
                value
            }
            ExprKind::While { condition, body } => {
                self.branches(condition, body, None);
                Carried::default()
            }
            ExprKind::For { pattern, iterated, body } => {
                self.expr(iterated);
                self.body.scopes.open();
                self.body.scopes.bind(pattern, &Carried::default());
                self.block(body);
                self.body.scopes.close();
                Carried::default()
            }
            ExprKind::Let { pattern, value } => {
                let carried = self.expr(value);
                self.body.scopes.bind(pattern, &carried);
                Carried::default()
            }
            ExprKind::Return(value) => {
                let carried = value.as_ref().map(|value| self.expr(value)).unwrap_or_default();
                self.body.returned.add(&carried);
                Carried::default()
            }
            _ => self.parts(expr),
        }
    }

    fn branches(&mut self, condition: &'a Expr, then: &'a Block, otherwise: Option<&'a Expr>) -> Carried<'a> {
        self.body.scopes.open();
        self.expr(condition);
        self.body.branches += 1;
        let mut value = self.block(then);
        self.body.scopes.close();
        if let Some(otherwise) = otherwise {
            value.add(&self.expr(otherwise));
        }
        self.body.branches -= 1;
        value
    }

    /// Expressions whose value carries what their parts carry: tuples and arrays; or nothing.
    fn parts(&mut self, expr: &'a Expr) -> Carried<'a> {
        let mut value = Carried::default();
        match &*expr.kind {
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => {
                for part in parts {
                    value.add(&self.expr(part));
                }
            }
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Index { base, index } => {
                self.expr(base);
                self.expr(index);
            }
            ExprKind::Repeat { value: repeated, .. } => value = self.expr(repeated),
            ExprKind::Break(Some(given)) => value = self.expr(given),
            ExprKind::Range { from, to } => {
                for bound in [from, to].into_iter().flatten() {
                    self.expr(bound);
                }
            }
            _ => {}
        }
        value
    }

    fn path(&mut self, path: &'a Path) -> Carried<'a> {
        match path.segments.as_slice() {
            [name] if name == "self" => Carried { ty: self.body.self_type.clone(), ..Carried::default() },
            [name] if self.body.scopes.get(name).is_some() => self.body.scopes.get(name).cloned().unwrap_or_default(),
            _ => Carried { ty: self.static_type(path), ..Carried::default() },
        }
    }

    /// The type of a static or constant of the tree.
    fn static_type(&self, path: &Path) -> Option<TypeName> {
        let last = path.last();
        if last.is_empty() || last.contains(char::is_lowercase) {
            return None;
        }
        let item = self.context.names.item_at(&self.resolve(&path.segments))?;
        match &item.item.kind {
            ItemKind::Static(Some(ty), _) | ItemKind::Const(Some(ty), _) => {
                scope::type_name(self.context, item.module, ty)
            }
            _ => None,
        }
    }

    fn field(&mut self, base: &'a Expr, name: &str) -> Carried<'a> {
        let carried = self.expr(base);
        let ty = carried.ty.as_deref().and_then(|ty| super::scope::field_type(self.context, ty, name));
        // A field of an object is another object, but the parts of a tuple are what the tuple carries.
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            Carried { ty, ..carried }
        } else {
            Carried { ty, ..Carried::default() }
        }
    }

    pub(super) fn closure(&mut self, parameters: &'a [Parameter], body: &'a Expr, first: &Carried<'a>) -> Carried<'a> {
        self.body.scopes.open();
        let outer = std::mem::take(&mut self.body.returned);
        for (at, parameter) in parameters.iter().enumerate() {
            let mut carried = if at == 0 { first.clone() } else { Carried::default() };
            if let Some(ty) = &parameter.ty {
                carried.ty = self.type_name(ty);
            }
            self.body.scopes.bind(&parameter.pattern, &carried);
        }
        let mut value = self.expr(body);
        value.add(&std::mem::replace(&mut self.body.returned, outer));
        self.body.scopes.close();
        value
    }

    fn assign(&mut self, left: &'a Expr, right: &'a Expr) -> Carried<'a> {
        let carried = self.expr(right);
        match &*left.kind {
            ExprKind::Path(path) if path.segments.len() == 1 => self.body.scopes.assign(path.last(), &carried),
            ExprKind::Field { .. } => {
                if let Some((base, name)) = field_path(left) {
                    let owner = self.expr(base);
                    for (id, _) in owner.found {
                        self.set_field(id, &name, right, &carried);
                    }
                }
            }
            _ => {
                self.expr(left);
            }
        }
        Carried::default()
    }

    /// Stands elsewhere, outside every function.
    pub(super) fn stand(&mut self, stand: Stand) {
        let same_file = self.body.stand.file == stand.file;
        if same_file {
            self.body.stand = stand;
        } else {
            self.body = Body::new(self.context, stand);
        }
    }

    /// The absolute path that a path means here.
    pub(super) fn resolve(&self, path: &[String]) -> String {
        match self.body.stand.function {
            Some(function) => self.context.names.resolve_in(function, path),
            None => self.context.names.resolve(self.body.stand.module, path),
        }
    }

    pub(super) fn type_name(&self, ty: &Type) -> Option<TypeName> {
        scope::type_name(self.context, self.body.stand.module, ty)
    }

    /// What an expression is worth here.
    pub(super) fn value(&self, expr: &'a Expr, ty: AttrType) -> Attr<Value> {
        let scopes = &self.body.scopes;
        let locals = |name: &str| scopes.get(name).and_then(|carried| carried.expr);
        Values { context: self.context, module: self.body.stand.module, locals: &locals }.attribute(expr, ty)
    }
}

/// The local and the dotted name of `options.timeouts.wait`.
fn field_path(expr: &Expr) -> Option<(&Expr, String)> {
    let ExprKind::Field { base, name } = &*expr.kind else { return None };
    match field_path(base) {
        Some((owner, outer)) => Some((owner, format!("{outer}.{name}"))),
        None => Some((base, name.clone())),
    }
}

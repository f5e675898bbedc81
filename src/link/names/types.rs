//! Types of simple expressions: as much as it takes to find a method.

use std::collections::HashMap;

use super::{FunctionId, ModuleId, Names};
use crate::parse::rust::ast::{Expr, ExprKind, Field, Item, ItemKind, Path, Pattern, PatternKind, Type};

/// A type with its path resolved.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ty {
    /// Absolute path; empty for tuples, arrays and functions.
    pub path: String,
    /// Arguments; elements of a tuple.
    pub arguments: Vec<Ty>,
}

impl Ty {
    fn named(path: String) -> Ty {
        Ty { path, arguments: Vec::new() }
    }

    /// The last segment of the path.
    pub fn last(&self) -> &str {
        self.path.rsplit("::").next().unwrap_or("")
    }

    /// The type that methods of the type inside are found on, for types that only hold another.
    pub fn held(&self) -> Option<&Ty> {
        if HOLDERS.contains(&self.last()) { self.arguments.first() } else { None }
    }

    /// Whether it is a type of the standard library or another crate, or at least written like one.
    pub fn is_outside(&self) -> bool {
        self.path.contains("::") || PRELUDE.contains(&self.path.as_str())
    }
}

/// Types that dereference to, lock, extract or share another.
const HOLDERS: &[&str] = &[
    "Arc",
    "Rc",
    "Box",
    "Cow",
    "Pin",
    "Ref",
    "RefMut",
    "RefCell",
    "Mutex",
    "RwLock",
    "MutexGuard",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "OwnedMutexGuard",
    "OnceLock",
    "OnceCell",
    "LazyLock",
    "Lazy",
    "LazyCell",
    "ArcSwap",
    "Guard",
    "State",
    "Data",
    "Extension",
    "Json",
    "Path",
    "Query",
    "Form",
    "ReqData",
    "ThinData",
    "Valid",
    "WithRejection",
    "Object",
    "PooledConnection",
    "Saturating",
    "Spanned",
];

const PRELUDE: &[&str] = &[
    "String", "str", "Vec", "Option", "Result", "Box", "HashMap", "HashSet", "BTreeMap", "bool", "char", "u8", "u16",
    "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
];

/// Methods that give their receiver, or what it holds.
const SAME: &[&str] = &[
    "clone",
    "as_ref",
    "as_mut",
    "borrow",
    "borrow_mut",
    "to_owned",
    "lock",
    "read",
    "write",
    "get_ref",
    "get_mut",
    "into_inner",
    "deref",
    "by_ref",
    "load",
    "as_deref",
    "cloned",
    "await",
    "iter",
    "into_iter",
];

/// Methods that give what `Option` or `Result` holds.
const OPENED: &[&str] =
    &["unwrap", "expect", "unwrap_or", "unwrap_or_default", "unwrap_or_else", "context", "ok_or", "ok_or_else"];

/// Expressions nested deeper than this have no type here.
const DEPTH: u32 = 40;

/// Names of a body with their types; `None` for a local whose type is not known.
pub(super) type Locals<'a> = HashMap<&'a str, Option<Ty>>;

impl<'a> Names<'a> {
    /// A written type, resolved in a function (for `Self`).
    pub fn type_in(&self, function: FunctionId, ty: &Type) -> Ty {
        let info = self.function(function);
        self.type_at(info.module, info.self_type.as_deref().or(info.of_trait.as_deref()), ty)
    }

    /// A written type, resolved in a module, with what `Self` means there.
    pub fn type_at(&self, module: ModuleId, own: Option<&str>, ty: &Type) -> Ty {
        let path = match (ty.path.first().map(String::as_str), own) {
            (None, _) => String::new(),
            (Some("Self"), Some(own)) if ty.path.len() == 1 => own.to_string(),
            _ => self.resolve(module, &ty.path),
        };
        let mut arguments: Vec<Ty> = ty.arguments.iter().map(|argument| self.type_at(module, own, argument)).collect();
        if arguments.is_empty()
            && let Some(alias) = self.alias_of(module, ty)
        {
            arguments = alias.arguments.iter().map(|argument| self.type_at(module, own, argument)).collect();
        }
        Ty { path, arguments }
    }

    /// The right side of a type alias of the same module, for its arguments.
    fn alias_of(&self, module: ModuleId, ty: &Type) -> Option<&'a Type> {
        let [name] = ty.path.as_slice() else { return None };
        let info = self.item_at(&format!("{}::{name}", self.module_path(module)))?;
        match &info.item.kind {
            ItemKind::TypeAlias(Some(target)) if !target.path.ends_with(&ty.path) => Some(target),
            _ => None,
        }
    }

    /// The type of a field of a struct of the tree.
    pub fn field_type(&self, ty: &Ty, name: &str) -> Option<Ty> {
        let mut ty = ty;
        for _ in 0..6 {
            if let Some(info) = self.item_at(&ty.path)
                && let ItemKind::Struct(fields) = &info.item.kind
            {
                let field = fields.iter().find(|field| field.name == name)?;
                return Some(self.type_at(info.module, Some(&info.path), &field.ty));
            }
            ty = ty.held()?;
        }
        None
    }

    /// The type of an expression in a function's body.
    pub(super) fn type_of(&self, function: FunctionId, locals: &Locals<'_>, expr: &Expr, depth: u32) -> Option<Ty> {
        if depth > DEPTH {
            return None;
        }
        let of = |expr: &Expr| self.type_of(function, locals, expr, depth + 1);
        match &*expr.kind {
            ExprKind::Path(path) => self.type_of_path(function, locals, path),
            ExprKind::Field { base, name } => {
                let base = of(base)?;
                let element = name.parse().ok().filter(|_| base.path.is_empty());
                element.map_or_else(|| self.field_type(&base, name), |at: usize| base.arguments.get(at).cloned())
            }
            ExprKind::Call { function: called, arguments } => match &*called.kind {
                ExprKind::Path(path) => self.type_of_call(function, path, || of(arguments.first()?)),
                _ => None,
            },
            ExprKind::MethodCall { receiver, method, .. } => self.type_of_method(&of(receiver)?, method),
            ExprKind::Await(inner) | ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, operator: '*' } => {
                of(inner)
            }
            ExprKind::Try(inner) => of(inner)?.arguments.first().cloned(),
            ExprKind::Struct { path, .. } => Some(Ty::named(self.resolve_in(function, &path.segments))),
            ExprKind::Cast { ty, .. } => Some(self.type_in(function, ty)),
            ExprKind::Tuple(parts) => {
                let arguments = parts.iter().map(|part| of(part).unwrap_or_default()).collect();
                Some(Ty { path: String::new(), arguments })
            }
            _ => None,
        }
    }

    fn type_of_path(&self, function: FunctionId, locals: &Locals<'_>, path: &Path) -> Option<Ty> {
        if let [name] = path.segments.as_slice() {
            if name == "self" {
                let info = self.function(function);
                return info.self_type.clone().or_else(|| info.of_trait.clone()).map(Ty::named);
            }
            if let Some(known) = locals.get(name.as_str()) {
                return known.clone();
            }
        }
        let resolved = self.resolve_in(function, &path.segments);
        let info = self.item_at(&resolved).or_else(|| self.item_at(resolved.rsplit_once("::")?.0))?;
        match &info.item.kind {
            ItemKind::Const(Some(ty), _) | ItemKind::Static(Some(ty), _) => Some(self.type_at(info.module, None, ty)),
            ItemKind::Struct(_) | ItemKind::Enum(_) => Some(Ty::named(info.path.clone())),
            _ => None,
        }
    }

    fn type_of_call(&self, function: FunctionId, path: &Path, first: impl FnOnce() -> Option<Ty>) -> Option<Ty> {
        let resolved = self.resolve_in(function, &path.segments);
        if let Some(target) = self.function_at(&resolved) {
            return self.returned(target);
        }
        if let Some(item) = self.item_at(&resolved) {
            return matches!(item.item.kind, ItemKind::Struct(_)).then(|| Ty::named(item.path.clone()));
        }
        let (ty, name) = resolved.rsplit_once("::")?;
        let last = ty.rsplit("::").next()?;
        if HOLDERS.contains(&last) && matches!(name, "new" | "from" | "clone" | "pin") {
            return Some(Ty { path: ty.to_string(), arguments: vec![first()?] });
        }
        last.starts_with(char::is_uppercase).then(|| Ty::named(ty.to_string()))
    }

    /// What a function of the tree gives.
    pub fn returned(&self, function: FunctionId) -> Option<Ty> {
        let returns = self.function(function).function.returns.as_ref()?;
        Some(self.type_in(function, returns))
    }

    fn type_of_method(&self, receiver: &Ty, method: &str) -> Option<Ty> {
        if let Some(target) = self.method_on(receiver, method) {
            return self.returned(target);
        }
        if OPENED.contains(&method) {
            let opened = matches!(receiver.last(), "Option" | "Result");
            return if opened && !method.starts_with("ok") && method != "context" {
                receiver.arguments.first().cloned()
            } else {
                Some(receiver.clone())
            };
        }
        SAME.contains(&method).then(|| receiver.clone())
    }

    /// The one method of this name that a receiver of this type has, through what holds it.
    pub fn method_on(&self, receiver: &Ty, name: &str) -> Option<FunctionId> {
        match self.methods_on(receiver, name).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Methods that a call of `name` on a receiver of this type may mean: one for a type, all implementations for a trait.
    pub(super) fn methods_on(&self, receiver: &Ty, name: &str) -> Vec<FunctionId> {
        let mut ty = receiver;
        for _ in 0..6 {
            let found = self.own_methods(&ty.path, name);
            if !found.is_empty() {
                return found;
            }
            match ty.held() {
                Some(inner) => ty = inner,
                None => break,
            }
        }
        Vec::new()
    }

    fn own_methods(&self, path: &str, name: &str) -> Vec<FunctionId> {
        let named = |ids: &[FunctionId]| -> Vec<FunctionId> {
            ids.iter().copied().filter(|id| self.function(*id).item.name == name).collect()
        };
        let own = named(self.methods_of(path));
        if let Some(best) =
            own.iter().copied().find(|id| self.function(*id).of_trait.is_none()).or(own.first().copied())
        {
            return vec![best];
        }
        let by_trait = named(self.methods_of_trait(path));
        if !by_trait.is_empty() {
            return by_trait;
        }
        // Default methods of the traits that the type implements.
        let traits = self.traits_of(path).iter();
        let default = |of: &String| {
            let methods = named(self.methods_of_trait(of));
            methods.into_iter().find(|id| self.function(*id).self_type.is_none())
        };
        traits.filter_map(default).take(1).collect()
    }

    /// Binds the names of a pattern.
    pub(super) fn bind(&self, module: ModuleId, locals: &mut Locals<'a>, pattern: &'a Pattern, ty: Option<Ty>) {
        match &pattern.kind {
            PatternKind::Name(name) => {
                locals.insert(name, ty);
            }
            PatternKind::TupleStruct(path, parts) => self.bind_parts(module, locals, path, parts, ty),
            PatternKind::Struct(path, parts) => {
                let resolved = Ty::named(self.resolve(module, &path.segments));
                for (name, part) in parts {
                    let field = self.field_type(&resolved, name);
                    self.bind(module, locals, part, field);
                }
            }
            PatternKind::Tuple(parts) => {
                let elements = ty.filter(|ty| ty.path.is_empty()).map(|ty| ty.arguments).unwrap_or_default();
                for (at, part) in parts.iter().enumerate() {
                    self.bind(module, locals, part, elements.get(at).filter(|ty| !ty.path.is_empty()).cloned());
                }
            }
            PatternKind::Or(parts) => parts.iter().for_each(|part| self.bind(module, locals, part, ty.clone())),
            PatternKind::Other(parts) => {
                let only = if parts.len() == 1 { ty } else { None };
                parts.iter().for_each(|part| self.bind(module, locals, part, only.clone()));
            }
            PatternKind::Wild | PatternKind::Path(_) | PatternKind::Literal(_) => {}
        }
    }

    fn bind_parts(&self, module: ModuleId, locals: &mut Locals<'a>, path: &Path, parts: &'a [Pattern], ty: Option<Ty>) {
        let argument = |at: usize| ty.as_ref().and_then(|ty| ty.arguments.get(at)).cloned();
        let held = match path.last() {
            "Some" | "Ok" => Some(argument(0)),
            "Err" => Some(argument(1)),
            last if HOLDERS.contains(&last) => Some(argument(0)),
            _ => None,
        };
        let fields = if held.is_some() { &[][..] } else { self.tuple_fields(module, path) };
        for (at, part) in parts.iter().enumerate() {
            let known = held.clone().unwrap_or_else(|| Some(self.type_at(module, None, &fields.get(at)?.ty)));
            self.bind(module, locals, part, known);
        }
    }

    /// Fields of the tuple struct or variant that a pattern names.
    fn tuple_fields(&self, module: ModuleId, path: &Path) -> &'a [Field] {
        let resolved = self.resolve(module, &path.segments);
        let kind = |item: &'a Item| match &item.kind {
            ItemKind::Struct(fields) => Some(fields.as_slice()),
            ItemKind::Enum(variants) => variants
                .iter()
                .find(|variant| resolved.ends_with(&variant.name))
                .map(|variant| variant.fields.as_slice()),
            _ => None,
        };
        let item = self.item_at(&resolved).or_else(|| self.item_at(resolved.rsplit_once("::")?.0));
        item.and_then(|info| kind(info.item)).unwrap_or(&[])
    }
}

/// The names of a function's body with their types.
#[derive(Debug)]
pub struct Scope<'n, 'a> {
    names: &'n Names<'a>,
    function: FunctionId,
    locals: Locals<'a>,
}

impl Scope<'_, '_> {
    /// The type of an expression of the body.
    pub fn type_of(&self, expr: &Expr) -> Option<Ty> {
        self.names.type_of(self.function, &self.locals, expr, 0)
    }
}

impl<'a> Names<'a> {
    /// The names of a function's body, by its parameters and what its locals are bound to.
    pub fn scope(&self, function: FunctionId) -> Scope<'_, 'a> {
        Scope { names: self, function, locals: super::calls::locals(self, function) }
    }
}

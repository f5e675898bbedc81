//! Local names of a body, and what their values carry.

use std::rc::Rc;

use super::found::FoundId;
use crate::link::Context;
use crate::link::names::ModuleId;
use crate::parse::rust::ast::{Expr, ExprKind, ItemKind, Pattern, PatternKind, Type};

/// Absolute path of a type.
pub type TypeName = Rc<str>;

/// What the value of an expression carries.
#[derive(Clone, Default, Debug)]
pub struct Carried<'a> {
    /// Matches whose value it is, or is made of, each with whether its builder was finished.
    pub found: Vec<(FoundId, bool)>,
    /// Its type, where that is known; `Arc`, `State` and other wrappers peeled off.
    pub ty: Option<TypeName>,
    /// The expression that a local was bound to.
    pub expr: Option<&'a Expr>,
}

impl Carried<'_> {
    /// Carries what the other carries too.
    pub fn add(&mut self, other: &Carried<'_>) {
        for (id, ended) in &other.found {
            match self.found.iter_mut().find(|(known, _)| known == id) {
                Some((_, known)) => *known &= ended,
                None => self.found.push((*id, *ended)),
            }
        }
        if self.ty.is_none() {
            self.ty.clone_from(&other.ty);
        }
    }

    /// The matches.
    pub fn ids(&self) -> impl Iterator<Item = FoundId> + '_ {
        self.found.iter().map(|(id, _)| *id)
    }
}

/// Nested scopes; the innermost binding of a name wins.
#[derive(Default, Debug)]
pub struct Scopes<'a> {
    bound: Vec<(&'a str, Carried<'a>)>,
    marks: Vec<usize>,
}

impl<'a> Scopes<'a> {
    /// Enters a scope.
    pub fn open(&mut self) {
        self.marks.push(self.bound.len());
    }

    /// Leaves it and forgets its names.
    pub fn close(&mut self) {
        let mark = self.marks.pop().unwrap_or(0);
        self.bound.truncate(mark);
    }

    /// What a name is bound to.
    pub fn get(&self, name: &str) -> Option<&Carried<'a>> {
        self.bound.iter().rev().find(|(bound, _)| *bound == name).map(|(_, carried)| carried)
    }

    /// Binds all names of a pattern. A value that is taken apart is carried by all of its parts.
    pub fn bind(&mut self, pattern: &'a Pattern, carried: &Carried<'a>) {
        match &pattern.kind {
            PatternKind::Name(name) => self.bound.push((name, carried.clone())),
            PatternKind::TupleStruct(_, parts) | PatternKind::Tuple(parts) | PatternKind::Or(parts) => {
                // The type is that of what `Ok(x)`, `State(x)` wrap, which is peeled off types as well.
                let inner = Carried { expr: None, ..carried.clone() };
                parts.iter().for_each(|part| self.bind(part, &inner));
            }
            PatternKind::Struct(_, parts) => {
                parts.iter().for_each(|(_, part)| self.bind(part, &Carried::default()));
            }
            PatternKind::Other(parts) => parts.iter().for_each(|part| self.bind(part, &Carried::default())),
            PatternKind::Wild | PatternKind::Path(_) | PatternKind::Literal(_) => {}
        }
    }

    /// `name = value`: the name carries both, since either may reach what follows a branch.
    pub fn assign(&mut self, name: &str, carried: &Carried<'a>) {
        if let Some((_, bound)) = self.bound.iter_mut().rev().find(|(bound, _)| *bound == name) {
            bound.add(carried);
            bound.expr = None;
        }
    }
}

/// Types that only hold another.
const HOLDERS: &[&str] = &[
    "Arc",
    "Rc",
    "Box",
    "Option",
    "Result",
    "State",
    "Data",
    "Extension",
    "Mutex",
    "RwLock",
    "Pin",
    "LazyLock",
    "Lazy",
    "OnceLock",
    "OnceCell",
    "Cow",
    "Json",
    "Form",
    "Query",
    "Path",
    "Depot",
    "ThinData",
    "Ref",
];

/// The type inside of holders: `PgPool` of `State<Arc<PgPool>>`.
pub fn held(ty: &Type) -> &Type {
    let mut ty = ty;
    while let (Some(last), Some(first)) = (ty.path.last(), ty.arguments.first())
        && HOLDERS.contains(&last.as_str())
    {
        ty = first;
    }
    ty
}

/// The absolute path of what a type holds.
pub fn type_name(context: &Context<'_>, module: ModuleId, ty: &Type) -> Option<TypeName> {
    let ty = held(ty);
    let opaque = ty.path.is_empty() || ty.text.starts_with("impl ");
    if opaque { None } else { Some(context.names.resolve(module, &ty.path).into()) }
}

/// The type of a field of a struct of the tree.
pub fn field_type(context: &Context<'_>, ty: &str, name: &str) -> Option<TypeName> {
    let item = context.names.item_at(ty)?;
    let ItemKind::Struct(fields) = &item.item.kind else { return None };
    let field = fields.iter().find(|field| field.name == name)?;
    type_name(context, item.module, &field.ty)
}

/// The type that a constructor gives: `reqwest::Client` of `reqwest::Client::new`.
pub fn constructed(path: &str) -> Option<TypeName> {
    let (ty, _) = path.rsplit_once("::")?;
    let last = ty.rsplit("::").next()?;
    last.starts_with(char::is_uppercase).then(|| ty.into())
}

/// The name of an expression that is only a name, through references and conversions.
pub fn plain_name(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Path(path) if path.segments.len() == 1 => Some(path.last()),
        ExprKind::Reference(inner) => plain_name(inner),
        ExprKind::MethodCall { receiver, method, .. }
            if matches!(method.as_str(), "as_ref" | "into" | "clone" | "as_str" | "to_string" | "to_owned") =>
        {
            plain_name(receiver)
        }
        _ => None,
    }
}

//! A place in code that an entry of the catalog speaks of.

use crate::facts::{Attr, AttrType, Confidence, Data, FactKind, Value, vocabulary};
use crate::link::catalog::{Effect, Entry};
use crate::link::names::{FunctionId, FunctionInfo, ModuleId};
use crate::parse::rust::ast::Expr;
use crate::scan::source::{FileId, Role, Span};

/// Index of a [`Found`] in the walk that found it.
pub type FoundId = usize;

/// Where code stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stand {
    /// The file.
    pub file: FileId,
    /// The module.
    pub module: ModuleId,
    /// Role of the code.
    pub role: Role,
    /// The function; `None` for constants, statics and items.
    pub function: Option<FunctionId>,
}

/// A match of an entry, with all that its chain of methods said.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The fact so far.
    pub data: Data,
    /// Where.
    pub stand: Stand,
    /// The expression or item.
    pub span: Span,
    /// Arguments of the call.
    pub arguments: Vec<&'a Expr>,
    /// For a method: what it is called on.
    pub receiver: Option<&'a Expr>,
    /// Methods called on the value, in order, with their arguments.
    pub methods: Vec<(&'a str, &'a [Expr])>,
    /// How sure.
    pub confidence: Confidence,
    /// Attributes that were set in a branch.
    pub branched: Vec<&'static str>,
    /// Another object took its attributes over, or a recogniser made something better of it.
    pub absorbed: bool,
    /// Runs once whatever calls it: in a `LazyLock`, `OnceCell::get_or_init` and the like, or in a static.
    pub once: bool,
    /// Under a `timeout(..)` call.
    pub timed: bool,
    /// A parameter of the enclosing function, by position, gives this attribute.
    pub parameter: Option<(usize, &'static str)>,
}

impl Found<'_> {
    /// The kind of its fact.
    pub fn kind(&self) -> FactKind {
        self.entry.fact
    }

    /// An attribute as text where it is known.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.data.get(name) {
            Some(Attr::Known(Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// Whether an attribute is set, known or not.
    pub fn is_set(&self, name: &str) -> bool {
        self.data.get(name).is_some_and(|value| value.is_set())
    }

    /// Whether a method was called on it.
    pub fn called(&self, method: &str) -> bool {
        self.methods.iter().any(|(name, _)| *name == method)
    }

    /// The defaults of Rocket's private cookies.
    pub fn private_by_default(&mut self) {
        for (attribute, methods) in [("http_only", ["http_only", "set_http_only"]), ("expires", ["max_age", "expires"])]
        {
            if !methods.iter().any(|method| self.called(method)) {
                self.data.set(attribute, Attr::Known(Value::Flag(true)));
            }
        }
    }

    /// Whether one of the methods that its entry speaks of was called on it.
    pub fn called_method(&self) -> bool {
        self.methods.iter().any(|(name, _)| self.entry.methods.contains_key(*name))
    }

    /// Whether it is a fact by itself: no part of another object, and with all that its entry asks for.
    pub fn counts(&self) -> bool {
        let entry = self.entry;
        let required = entry.requires.is_empty() || entry.requires.iter().any(|name| self.called(name));
        let known = entry.known.iter().all(|name| matches!(self.data.get(name), Some(Attr::Known(_))));
        !self.absorbed && !entry.part && self.parameter.is_none() && required && known
    }

    /// Takes over what another object's fact says; `over` what is set already too.
    pub fn merge(&mut self, other: &Data, over: bool) {
        for attribute in attributes(self.entry.fact) {
            let value = other.get(attribute.name).unwrap_or_default();
            if value.is_set() && (over || !self.is_set(attribute.name)) {
                self.data.set(attribute.name, value);
            }
        }
    }

    /// Sets an attribute. What two branches set differently is known at run time only.
    pub fn set(&mut self, name: &'static str, value: Attr<Value>, in_branch: bool) {
        let differs = self.branched.contains(&name) && self.data.get(name).as_ref() != Some(&value);
        if in_branch && !self.branched.contains(&name) {
            self.branched.push(name);
        }
        self.data.set(name, if in_branch && differs { Attr::Unknown } else { value });
    }

    /// The type of an attribute of its fact.
    pub fn attribute_type(&self, name: &str) -> AttrType {
        let schema = attributes(self.entry.fact).iter().find(|schema| schema.name == name);
        schema.map_or(AttrType::Text, |schema| schema.ty)
    }

    /// Whatever the entry could set and nothing has set is unknown.
    pub fn unknown_rest(&mut self) {
        let entry = self.entry;
        let effects = entry.methods.values().chain(entry.fields.values()).flatten();
        for name in effects.filter_map(|effect| effect.attribute) {
            if !self.is_set(name) {
                self.data.set(name, Attr::Unknown);
            }
        }
    }
}

impl Stand {
    /// Where a function stands. What is compiled for development only is no service code.
    pub fn of(info: &FunctionInfo<'_>) -> Stand {
        let role = if info.development_only { Role::Development } else { info.role };
        Stand { file: info.file, module: info.module, role, function: Some(info.id) }
    }
}

impl Effect {
    /// A number times the effect's scale.
    pub fn scaled(&self, value: Attr<Value>) -> Attr<Value> {
        match value {
            Attr::Known(Value::Number(number)) => Attr::Known(Value::Number(number * self.scale)),
            other => other,
        }
    }
}

fn attributes(kind: FactKind) -> &'static [crate::facts::AttrSchema] {
    vocabulary::schema(kind.name()).map_or(&[], |schema| schema.attributes)
}

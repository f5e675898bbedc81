//! An entry of the catalog: what one API of a library means.

use std::collections::BTreeMap;

use super::versions::Range;
use crate::facts::{Attr, Confidence, Data, FactKind, Value};

/// What of the code an entry speaks of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// `[[call]]`: a function or constructor by its path, or a struct literal of that type.
    Call,
    /// `[[method]]`: a method by its name.
    Method,
    /// `[[macro]]`: a macro that is called.
    Macro,
    /// `[[attribute]]`: an attribute on an item.
    Attribute,
    /// `[[derive]]`: a derived trait.
    Derive,
    /// `[[type]]`: a type of a parameter or field.
    Type,
    /// `[[trait]]`: a trait that a type of the tree implements.
    Trait,
    /// `[[dependency]]`: a dependency of a package.
    Dependency,
}

impl Subject {
    /// All, with their names in TOML.
    pub const ALL: &'static [(&'static str, Subject)] = &[
        ("call", Subject::Call),
        ("method", Subject::Method),
        ("macro", Subject::Macro),
        ("attribute", Subject::Attribute),
        ("derive", Subject::Derive),
        ("type", Subject::Type),
        ("trait", Subject::Trait),
        ("dependency", Subject::Dependency),
    ];
}

/// An entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// What it speaks of.
    pub subject: Subject,
    /// Crate as code names it (`actix_web`); empty for a method of any crate.
    pub krate: String,
    /// The path's segments after the crate; a method's name; empty for a dependency.
    pub tail: Vec<String>,
    /// For a method: names of the receiver's type, where it must be one of them.
    pub receivers: Vec<String>,
    /// Versions of the crate that it speaks of.
    pub versions: Option<Range>,
    /// Cargo features of the dependency, one of which must be on.
    pub features: Vec<String>,
    /// The fact.
    pub fact: FactKind,
    /// Attributes that the entry alone sets.
    pub set: Vec<(&'static str, Attr<Value>)>,
    /// What the call's own arguments say.
    pub arguments: Vec<Effect>,
    /// What methods called on the value say, by method name.
    pub methods: BTreeMap<String, Vec<Effect>>,
    /// What fields of a struct literal, or assignments to them, say, by dotted field path.
    pub fields: BTreeMap<String, Vec<Effect>>,
    /// Methods that finish the builder: what follows is said of another object.
    pub ends: Vec<String>,
    /// Methods or fields, one of which must have been used; or what a recogniser must have seen (`in a request`).
    pub requires: Vec<String>,
    /// Attributes whose value must be known: the fact is about the value.
    pub known: Vec<&'static str>,
    /// It says something only where another object takes it over.
    pub part: bool,
    /// Only a framework's default establishes it.
    pub is_default: bool,
    /// How sure.
    pub confidence: Confidence,
    /// The examples of the entry.
    pub examples: Vec<Example>,
    /// File of the entry and 1-based line in it.
    pub origin: (String, usize),
}

/// What one call or field says of an attribute.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// The attribute; `None` only for [`EffectValue::Merge`].
    pub attribute: Option<&'static str>,
    /// Where its value comes from.
    pub value: EffectValue,
    /// A number is multiplied by this (milliseconds, kibibytes).
    pub scale: f64,
    /// It says nothing where this argument is an object with a fact of its own.
    pub unless: Option<usize>,
}

/// Where the value of an attribute comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum EffectValue {
    /// An argument of the call, by position; the value of a field.
    Argument(usize),
    /// Always this.
    Fixed(Attr<Value>),
    /// Another object that is passed as argument: its fact's attributes are this fact's. Where that object cannot be
    /// seen and `blind` is set, it may set anything.
    Merge {
        /// Position of the argument.
        position: usize,
        /// The object is sure to set attributes.
        blind: bool,
    },
}

/// A piece of code with what the entry must say of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Example {
    /// The code: statements of an async function, or items where it starts with one.
    pub code: String,
    /// Whether the entry must match.
    pub matches: bool,
    /// Attributes that the fact must have.
    pub gives: Vec<(&'static str, Attr<Value>)>,
    /// Version of the dependency in the example's manifest.
    pub version: Option<String>,
    /// 1-based line of the example.
    pub line: usize,
}

impl Entry {
    /// The fact with the attributes that the entry alone sets.
    pub fn data(&self) -> Data {
        let mut data = self.fact.empty();
        for (name, value) in &self.set {
            data.set(name, value.clone());
        }
        data
    }

    /// The segments that a path must end with: from the type on where the path names one, so that re-exports of the
    /// type under another module of its crate are the same; all of them for a free function.
    pub fn significant(&self) -> &[String] {
        let typed = self.tail.iter().position(|segment| segment.starts_with(char::is_uppercase));
        &self.tail[typed.unwrap_or(0)..]
    }

    /// Whether the path is that of a type or of something in one.
    pub fn names_type(&self) -> bool {
        self.tail.iter().any(|segment| segment.starts_with(char::is_uppercase))
    }
}

//! The language of `where`: what a rule can ask of a fact's attributes.

use regex::Regex;

use crate::facts::{FactKind, Value};
use crate::scan::source::Role;

/// Facts of one kind that pass a test.
#[derive(Clone, Debug)]
pub struct Select {
    /// The kind.
    pub kind: FactKind,
    /// The test; an empty [`Test::All`] passes everything.
    pub test: Test,
    /// Roles of the facts that are looked at.
    pub roles: Vec<Role>,
    /// A link: as evidence, the facts that it leads to are named before the fact itself.
    pub shows: Option<&'static str>,
}

/// A condition over the facts of a scope.
#[derive(Clone, Debug)]
pub enum When {
    /// All hold.
    All(Vec<When>),
    /// One holds.
    Any(Vec<When>),
    /// It does not hold.
    Not(Box<When>),
    /// At least one such fact exists.
    Fact(Select),
}

/// A test of one fact.
#[derive(Clone, Debug)]
pub enum Test {
    /// All hold.
    All(Vec<Test>),
    /// One holds.
    Any(Vec<Test>),
    /// It does not hold.
    Not(Box<Test>),
    /// A check of an attribute.
    Attr(AttrPath, Check),
}

impl Default for Test {
    fn default() -> Test {
        Test::All(Vec::new())
    }
}

/// An attribute, perhaps of a linked fact.
#[derive(Clone, PartialEq, Debug)]
pub struct AttrPath {
    /// Links that are followed.
    pub links: Vec<&'static str>,
    /// The attribute at the end.
    pub last: Attribute,
}

/// An attribute of a kind of fact, or one that every fact has.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Attribute {
    /// From the vocabulary.
    Own(&'static str),
    /// Of every fact.
    Common(Common),
}

/// What can be asked of every fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Common {
    /// Path of its file.
    File,
    /// Only a framework's default establishes it.
    Default,
    /// Its role.
    Role,
}

impl Common {
    /// Names in rules.
    pub const ALL: &'static [(&'static str, Common)] =
        &[("file", Common::File), ("default", Common::Default), ("role", Common::Role)];
}

/// A check of an attribute's value.
#[derive(Clone, Debug)]
pub enum Check {
    /// The value is this.
    Equals(Operand),
    /// The value is one of these.
    In(Vec<Operand>),
    /// The text matches; of a list, one element does.
    Matches(Regex),
    /// It is set, whatever to; an empty list is not.
    Exists(bool),
    /// The text contains this text; the list has such an element.
    Contains(Box<Check>),
    /// The number stands in this relation.
    Compare(Relation, Operand),
    /// The check does not hold.
    Not(Box<Check>),
    /// All hold.
    All(Vec<Check>),
    /// One holds.
    Any(Vec<Check>),
}

/// How numbers compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// Less than.
    Lt,
    /// At most.
    Le,
    /// Greater than.
    Gt,
    /// At least.
    Ge,
}

impl Relation {
    /// Names in rules.
    pub const ALL: &'static [(&'static str, Relation)] =
        &[("lt", Relation::Lt), ("le", Relation::Le), ("gt", Relation::Gt), ("ge", Relation::Ge)];

    /// Whether `left` stands in this relation to `right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Relation::Lt => left < right,
            Relation::Le => left <= right,
            Relation::Gt => left > right,
            Relation::Ge => left >= right,
        }
    }
}

/// What an attribute is compared with.
#[derive(Clone, PartialEq, Debug)]
pub enum Operand {
    /// A value written in the rule.
    Value(Scalar),
    /// A parameter of the rule.
    Param(String),
}

/// A single value.
#[derive(Clone, PartialEq, Debug)]
pub enum Scalar {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Flag(bool),
}

impl Scalar {
    /// Whether an attribute's value is this one.
    pub fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Scalar::Text(text), Value::Text(value)) => text == value,
            (Scalar::Number(number), Value::Number(value)) => (number - value).abs() < f64::EPSILON,
            (Scalar::Flag(flag), Value::Flag(value)) => flag == value,
            _ => false,
        }
    }

    /// As a value of `toml`, where it is one.
    pub fn from_toml(value: &toml::Value) -> Option<Scalar> {
        match value {
            toml::Value::String(text) => Some(Scalar::Text(text.clone())),
            #[allow(clippy::cast_precision_loss)]
            toml::Value::Integer(number) => Some(Scalar::Number(*number as f64)),
            toml::Value::Float(number) => Some(Scalar::Number(*number)),
            toml::Value::Boolean(flag) => Some(Scalar::Flag(*flag)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scalar::Text(text) => to.write_str(text),
            Scalar::Number(number) => write!(to, "{number}"),
            Scalar::Flag(flag) => write!(to, "{flag}"),
        }
    }
}

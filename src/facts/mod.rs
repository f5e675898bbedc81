//! The vocabulary of the program: what can be known of a service, independent of the language it was found in.
//!
//! A fact is a small record with a place. It says nothing about good or bad. [`vocabulary`] defines every kind of
//! fact and every attribute once; the schema that rules are checked against is derived from it.

pub mod vocabulary;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::scan::source::{Place, Role};
pub use vocabulary::{Data, FactKind};

/// Index of a fact in [`Facts::all`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FactId(pub u32);

/// Index of a service in [`Facts::services`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServiceId(pub u16);

/// How sure a fact or finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Shown with `--pedantic` only; decides nothing.
    Low,
    /// Probably so.
    Medium,
    /// As sure as reading can be.
    #[default]
    High,
}

/// The value of an attribute.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Attr<T> {
    /// The source does not set it.
    #[default]
    Unset,
    /// Set to this.
    Known(T),
    /// Set, to something that reading cannot resolve (a Helm value, a run-time bool).
    Unknown,
}

impl<T> Attr<T> {
    /// The value where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Attr::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Set at all, known or not.
    pub fn is_set(&self) -> bool {
        !matches!(self, Attr::Unset)
    }
}

impl Attr<bool> {
    /// Known and true.
    pub fn is_true(&self) -> bool {
        matches!(self, Attr::Known(true))
    }
}

impl<T> From<T> for Attr<T> {
    fn from(value: T) -> Attr<T> {
        Attr::Known(value)
    }
}

impl From<&str> for Attr<String> {
    fn from(value: &str) -> Attr<String> {
        Attr::Known(value.to_string())
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Attr<T> {
        value.map_or(Attr::Unset, Attr::Known)
    }
}

impl From<FactId> for Attr<Vec<FactId>> {
    fn from(value: FactId) -> Attr<Vec<FactId>> {
        Attr::Known(vec![value])
    }
}

/// An attribute's value without its static type, as rules and the catalog see it.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// A number; durations are in seconds, sizes in bytes.
    Number(f64),
    /// A boolean.
    Flag(bool),
    /// A list of strings.
    List(Vec<String>),
    /// Links to other facts.
    Links(Vec<FactId>),
}

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AttrType {
    /// A string.
    Text,
    /// A number.
    Number,
    /// A boolean.
    Flag,
    /// A list of strings.
    List,
    /// Links to facts of one kind.
    Links(FactKind),
}

/// What the vocabulary says of an attribute.
#[derive(Clone, Copy, Debug)]
pub struct AttrSchema {
    /// Its name in rules.
    pub name: &'static str,
    /// Its type.
    pub ty: AttrType,
    /// Its definition.
    pub doc: &'static str,
}

/// What the vocabulary says of a kind of fact.
#[derive(Clone, Copy, Debug)]
pub struct FactSchema {
    /// The kind.
    pub kind: FactKind,
    /// Its name in rules.
    pub name: &'static str,
    /// Its definition.
    pub doc: &'static str,
    /// Its attributes, in order of definition.
    pub attributes: &'static [AttrSchema],
}

/// A place with a word about it: related locations and steps of a flow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there.
    pub note: String,
}

/// A fact with all that every fact has.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    /// What it says.
    pub data: Data,
    /// Where it stands.
    pub place: Place,
    /// Role of the code or file it was found in; code under `cfg(test)` in a service file has the role test.
    pub role: Role,
    /// How sure.
    pub confidence: Confidence,
    /// Only a framework's default establishes it.
    pub is_default: bool,
    /// Services it belongs to; empty: the repository only.
    pub services: BTreeSet<ServiceId>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// How it is reached: handler first, then each call on the way.
    pub flow: Vec<Related>,
}

impl Fact {
    /// A certain fact of service code at a place, of no service yet.
    pub fn new(data: impl Into<Data>, place: Place, role: Role) -> Fact {
        Fact {
            data: data.into(),
            place,
            role,
            confidence: Confidence::High,
            is_default: false,
            services: BTreeSet::new(),
            related: Vec::new(),
            flow: Vec::new(),
        }
    }

    /// The same, less sure.
    pub fn confidence(mut self, confidence: Confidence) -> Fact {
        self.confidence = confidence;
        self
    }

    /// The same, as a framework's default.
    pub fn by_default(mut self) -> Fact {
        self.is_default = true;
        self
    }

    /// Its kind.
    pub fn kind(&self) -> FactKind {
        self.data.kind()
    }
}

/// A service of the repository.
#[derive(Clone, PartialEq, Debug)]
pub struct Service {
    /// Package name.
    pub name: String,
    /// Folder of its Cargo.toml relative to the root, `.` for the root.
    pub folder: String,
    /// Folders of the workspace crates that are compiled into it, its own first.
    pub crates: Vec<String>,
    /// Web frameworks with their version requirement: `axum 0.8`.
    pub frameworks: Vec<String>,
    /// Databases: `postgres:sqlx`.
    pub databases: Vec<String>,
    /// Where absences of the whole service are anchored: where its server starts.
    pub anchor: Place,
}

/// All facts of a repository with its services.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Services, sorted by folder.
    pub services: Vec<Service>,
    /// Facts, in the order they were found; a [`FactId`] is an index here.
    pub all: Vec<Fact>,
    /// What may be a service where none was found.
    pub unread_server: Option<UnreadServer>,
}

/// A program on a framework of servers that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadServer {
    /// Name of its package.
    pub program: String,
    /// Package name of the framework.
    pub framework: String,
    /// Its package and those of the tree that it depends on use a database.
    pub has_database: bool,
}

impl Facts {
    /// Adds a fact and gives its id.
    pub fn add(&mut self, fact: Fact) -> FactId {
        let id = FactId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(fact);
        id
    }

    /// The fact of an id.
    pub fn get(&self, id: FactId) -> &Fact {
        &self.all[id.0 as usize]
    }

    /// All facts of a kind with their ids.
    pub fn of(&self, kind: FactKind) -> impl Iterator<Item = (FactId, &Fact)> {
        (0u32..).map(FactId).zip(&self.all).filter(move |(_, fact)| fact.kind() == kind)
    }
}

//! Values that the evaluator of router expressions works with.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::names::{FunctionId, ModuleId};
use crate::parse::rust::ast::{Expr, Parameter};
use crate::scan::source::{FileId, Place};

/// Names of web frameworks as facts spell them.
pub type Framework = &'static str;

/// Index of a layer in the evaluator's list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LayerId(pub usize);

/// What an expression is, as far as routes are concerned.
#[derive(Clone, Debug, Default)]
pub enum Value<'a> {
    /// Nothing that matters here, or nothing that reading can tell.
    #[default]
    Unknown,
    /// A string or number as text.
    Text(Text),
    /// A router, application, scope, resource, or list of Rocket routes under a mount.
    Router(Box<Router<'a>>),
    /// Handlers by method, not yet at a path: axum's `MethodRouter`, actix's `Route`.
    Methods(Box<Methods<'a>>),
    /// Layers not yet applied.
    Layers(Vec<LayerId>),
    /// A router that is changed through a reference: actix's `ServiceConfig`, tide's server. With the prefix of a
    /// tide `at(..)`.
    Shared(Shared<'a>, String),
    /// A warp filter.
    Filter(Vec<Alternative<'a>>),
    /// A function of the tree.
    Function(FunctionId),
    /// A closure with what it captured.
    Closure(Rc<Closure<'a>>),
    /// A path that is no function of the tree, resolved as far as it goes.
    Name(String),
    /// A value of a struct: its type's path and those fields that matter.
    Struct(String, BTreeMap<String, Value<'a>>),
    /// A tuple.
    Tuple(Vec<Value<'a>>),
    /// A list.
    List(Vec<Value<'a>>),
    /// A server that was started, by its index, for the calls that say where it listens.
    Server(usize),
}

/// A router behind a reference.
pub type Shared<'a> = Rc<RefCell<Router<'a>>>;

/// A closure.
#[derive(Debug)]
pub struct Closure<'a> {
    /// Its parameters.
    pub parameters: &'a [Parameter],
    /// Its body.
    pub body: &'a Expr,
    /// Local names where it was made.
    pub captured: BTreeMap<String, Value<'a>>,
    /// Module it stands in.
    pub module: ModuleId,
    /// File it stands in.
    pub file: FileId,
}

/// A string as far as it is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text {
    /// The known text; what is unknown inside is a placeholder, what is unknown at the start is left out.
    pub text: String,
    /// Nothing is missing.
    pub complete: bool,
    /// It comes from the environment, settings or arguments, perhaps with `text` as default.
    pub configured: bool,
}

impl Text {
    /// A literal.
    pub fn literal(text: &str) -> Text {
        Text { text: text.to_string(), complete: true, configured: false }
    }
}

/// Who answers.
#[derive(Clone, Debug)]
pub enum Answer<'a> {
    /// A function of the tree.
    Function(FunctionId),
    /// A closure: its body and where it stands.
    Closure(&'a Expr, ModuleId, FileId),
    /// Something of a library, by name.
    Library(String),
}

/// A route as it is registered.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Upper-case method or `ANY`.
    pub method: String,
    /// Path relative to the router that holds it.
    pub path: String,
    /// Who answers.
    pub answer: Answer<'a>,
    /// Where it is registered.
    pub place: Place,
    /// Layers that cover it.
    pub layers: Vec<LayerId>,
    /// Only in development builds or environments.
    pub development_only: bool,
    /// Annotated for, or registered with, an API document.
    pub documented: bool,
    /// A prefix could not be resolved.
    pub partial: bool,
}

impl Entry<'_> {
    /// Whether two entries are the same registration.
    pub fn same(&self, other: &Entry<'_>) -> bool {
        self.place == other.place && self.method == other.method && self.path == other.path
    }

    /// Whether the same function of the tree answers under the same layers.
    pub fn answers_like(&self, other: &Entry<'_>) -> bool {
        let same = matches!((&self.answer, &other.answer), (Answer::Function(a), Answer::Function(b)) if a == b);
        same && self.layers == other.layers && self.development_only == other.development_only
    }
}

/// A router under construction.
#[derive(Clone, Debug)]
pub struct Router<'a> {
    /// The framework.
    pub framework: Framework,
    /// Prefix of all that is in it (scopes, resources, `with_path`).
    pub prefix: String,
    /// A prefix could not be resolved.
    pub partial: bool,
    /// Its routes.
    pub entries: Vec<Entry<'a>>,
    /// Layers that cover all routes, whenever they are added (actix, rocket, poem, salvo).
    pub own_layers: Vec<LayerId>,
    /// Methods that a guard or a path filter lets through.
    pub methods: Vec<String>,
    /// Who answers what no route takes.
    pub fallback: Option<(Place, Option<Answer<'a>>)>,
    /// Where it and what went into it were constructed, its own place first.
    pub places: Vec<Place>,
}

impl<'a> Router<'a> {
    /// An empty router.
    pub fn new(framework: Framework, place: Place) -> Router<'a> {
        Router {
            framework,
            prefix: String::new(),
            partial: false,
            entries: Vec::new(),
            own_layers: Vec::new(),
            methods: Vec::new(),
            fallback: None,
            places: vec![place],
        }
    }

    /// Its routes as seen from outside: with its prefix and the layers that cover all of it.
    pub fn seal(&self) -> Vec<Entry<'a>> {
        let mut entries = self.entries.clone();
        for entry in &mut entries {
            entry.path = super::paths::join(&self.prefix, &entry.path);
            entry.partial |= self.partial;
            add_layers(&mut entry.layers, &self.own_layers);
            if entry.method == "ANY" && self.methods.len() == 1 {
                entry.method.clone_from(&self.methods[0]);
            }
        }
        entries
    }

    /// Takes in another router under a prefix.
    pub fn absorb(&mut self, prefix: &Text, other: Router<'a>) {
        let mut entries = other.seal();
        for entry in &mut entries {
            entry.path = super::paths::join(&prefix.text, &entry.path);
            entry.partial |= !prefix.complete;
        }
        self.entries.extend(entries);
        for place in other.places {
            if !self.places.contains(&place) {
                self.places.push(place);
            }
        }
        if self.fallback.is_none() && prefix.text.trim_matches('/').is_empty() {
            self.fallback = other.fallback;
        }
    }

    /// Covers what is in it now.
    pub fn cover(&mut self, layers: &[LayerId]) {
        for entry in &mut self.entries {
            add_layers(&mut entry.layers, layers);
        }
    }
}

/// Adds layers that are not there yet.
pub fn add_layers(to: &mut Vec<LayerId>, layers: &[LayerId]) {
    for layer in layers {
        if !to.contains(layer) {
            to.push(*layer);
        }
    }
}

/// Handlers by method.
#[derive(Clone, Debug, Default)]
pub struct Methods<'a> {
    /// The framework that made it.
    pub framework: Framework,
    /// Method and handler, with where it was said.
    pub answers: Vec<(String, Option<Answer<'a>>, Place)>,
    /// Path where the handler's own attribute gives it (utoipa, rocket, actix macros).
    pub path: Option<Text>,
    /// Layers on it.
    pub layers: Vec<LayerId>,
    /// Annotated for an API document.
    pub documented: bool,
}

/// One alternative of a warp filter.
#[derive(Clone, Debug, Default)]
pub struct Alternative<'a> {
    /// Path so far.
    pub path: String,
    /// Whether any path filter took part.
    pub has_path: bool,
    /// Method.
    pub method: Option<String>,
    /// Who answers.
    pub answer: Option<Answer<'a>>,
    /// Where it answers.
    pub place: Option<Place>,
    /// Layers by `with`.
    pub layers: Vec<LayerId>,
}

/// A server that starts.
#[derive(Clone, Debug)]
pub struct Server<'a> {
    /// The framework.
    pub framework: Framework,
    /// Where it is started.
    pub place: Place,
    /// What it serves.
    pub router: Router<'a>,
    /// Address it is bound to, as far as known.
    pub address: Option<Text>,
    /// Serves TLS itself.
    pub tls: bool,
    /// Name of the function and variables around it, which tell servers apart.
    pub hints: Vec<String>,
}

impl<'a> Value<'a> {
    /// Its text.
    pub fn text(&self) -> Option<&Text> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says nothing.
    pub fn is_unknown(&self) -> bool {
        match self {
            Value::Unknown => true,
            Value::Tuple(values) | Value::List(values) => values.iter().all(Value::is_unknown),
            _ => false,
        }
    }

    /// Whether it is or holds a router, a handler table or layers: what calls must hand on.
    pub fn matters(&self) -> bool {
        match self {
            Value::Unknown | Value::Text(_) | Value::Name(_) | Value::Function(_) => false,
            Value::Tuple(values) | Value::List(values) => values.iter().any(Value::matters),
            Value::Struct(_, fields) => fields.values().any(Value::matters),
            _ => true,
        }
    }
}

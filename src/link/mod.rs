//! Ties files together: names, services, routes, and all facts that rules see.

pub mod catalog;
pub mod code;
pub mod configuration;
pub mod containers;
pub mod delivery;
pub mod demand;
pub mod documents;
pub mod names;
pub mod needed;
mod parts;
pub mod reach;
pub mod requests;
pub mod routes;
pub mod schema;
pub mod secrets;
pub mod services;
pub mod taint;
pub mod ties;
#[cfg(test)]
pub mod trial;
pub mod workspace;

use std::collections::BTreeSet;

use crate::facts::{Data, Fact, Facts, Service, ServiceId};
use crate::parse::{Parsed, Syntax};
use crate::scan::source::{FileId, Notice, Place, Role, SourceFile, Span, Tree};
use catalog::Catalog;
use demand::{Demand, Plan};
use names::Names;
pub use parts::{Part, Runs};
use workspace::Workspace;

/// The parsed tree: what every part of the linker reads.
#[derive(Debug, Default)]
pub struct Repository {
    /// The scanned files.
    pub tree: Tree,
    /// What each file said, by [`FileId`].
    pub parsed: Vec<Parsed>,
}

impl Repository {
    /// A file with what it said.
    pub fn get(&self, id: FileId) -> (&SourceFile, &Parsed) {
        static NOTHING: Parsed = Parsed { syntax: Syntax::None, comments: Vec::new(), problems: Vec::new() };
        // Earlier versions of files are no part of what is parsed.
        (self.tree.file(id), self.parsed.get(id.0 as usize).unwrap_or(&NOTHING))
    }

    /// All files with what they said, in path order.
    pub fn files(&self) -> impl Iterator<Item = (&SourceFile, &Parsed)> {
        self.tree.files.iter().zip(&self.parsed)
    }
}

/// What every part of the linker works with.
#[derive(Debug)]
pub struct Context<'a> {
    /// Files and syntax.
    pub repository: &'a Repository,
    /// Packages and targets.
    pub workspace: &'a Workspace,
    /// Names of the Rust code, resolved.
    pub names: &'a Names<'a>,
    /// What libraries mean.
    pub catalog: &'a Catalog,
    /// The services, sorted by folder.
    pub services: &'a [Service],
    /// What is asked for: a part may leave out what nobody wants.
    pub demand: &'a Demand,
}

impl Context<'_> {
    /// A fact at a span of a file, with the file's role and the services the file belongs to.
    pub fn fact(&self, data: impl Into<Data>, file: FileId, span: Span) -> Fact {
        self.fact_in_role(data, file, span, self.repository.tree.file(file).role)
    }

    /// The same with another role than the file's: code under `cfg(test)` in a service file.
    pub fn fact_in_role(&self, data: impl Into<Data>, file: FileId, span: Span, role: Role) -> Fact {
        let mut fact = Fact::new(data, Place { file, span }, role);
        fact.services = self.services_of(file);
        fact
    }

    /// Whether a service of the tree serves gRPC, or none is known: else protocol buffers describe what the services
    /// call, or a helper program beside them, and not their API.
    pub fn may_serve_grpc(&self) -> bool {
        let serves = |service: &crate::facts::Service| {
            service.frameworks.iter().any(|framework| framework.starts_with("tonic") || framework.contains("grpc"))
        };
        self.services.is_empty() || self.services.iter().any(serves)
    }

    /// Services that a file is compiled into or configures: by the crate folder that holds it. A file outside every
    /// crate folder belongs to all services when there is one service, and to none when there are several.
    pub fn services_of(&self, file: FileId) -> BTreeSet<ServiceId> {
        services::of_file(self.repository, self.workspace, self.services, file)
    }
}

/// Everything the linker established.
#[derive(Clone, Debug, Default)]
pub struct Linked {
    /// Services and facts.
    pub facts: Facts,
    /// What linking could not follow.
    pub notices: Vec<Notice>,
    /// Values that look like secrets, wherever they stand: never quoted whole.
    pub masks: Vec<Place>,
}

/// Links a parsed tree. Each part reads the [`Context`] and adds facts; later parts see earlier facts.
pub fn link(repository: &Repository, catalog: &Catalog) -> Linked {
    link_for(repository, catalog, &Plan::everything())
}

/// Links for what a plan asks of a tree that [`needed::read`] has read for it.
pub fn link_for(repository: &Repository, catalog: &Catalog, plan: &Plan) -> Linked {
    let workspace = Workspace::build(repository);
    let names =
        if plan.follows_calls { Names::build(repository, &workspace) } else { Names::uncalled(repository, &workspace) };
    let services = if plan.has_services { services::find(repository, &workspace, &names, catalog) } else { Vec::new() };
    let demand = &plan.demand;
    let context = Context { repository, workspace: &workspace, names: &names, catalog, services: &services, demand };
    let mut linked = Linked::default();
    for part in &plan.parts {
        (part.emit)(&context, &mut linked);
    }
    if services.is_empty() {
        linked.facts.unread_server = services::unread(repository, &workspace);
    }
    linked.facts.services = services;
    linked
}

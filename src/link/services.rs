//! Which services the repository holds, and which files belong to which.

use std::collections::BTreeSet;

use super::catalog::Catalog;
use super::names::Names;
use super::workspace::Workspace;
use super::{Context, Linked, Repository};
use crate::facts::{Service, ServiceId};
use crate::scan::source::FileId;

/// Packages with a binary whose `main` reaches a server start, in itself or in crates it depends on.
pub fn find(_repository: &Repository, _workspace: &Workspace, _names: &Names<'_>, _catalog: &Catalog) -> Vec<Service> {
    Vec::new()
}

/// See [`Context::services_of`].
pub fn of_file(
    _repository: &Repository,
    _workspace: &Workspace,
    services: &[Service],
    _file: FileId,
) -> BTreeSet<ServiceId> {
    if services.len() == 1 { BTreeSet::from([ServiceId(0)]) } else { BTreeSet::new() }
}

/// Adds the facts of this part: services, databases, dependencies, lock files.
pub fn emit(_context: &Context<'_>, _linked: &mut Linked) {}

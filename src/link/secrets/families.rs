//! In which environments a value is used: files of one folder that are named after environments belong together, and
//! what stands in the common one holds in all that do not set it anew.

use std::collections::BTreeSet;

use super::search::Hit;
use super::setting;
use crate::link::Repository;
use crate::scan::source::{Role, SourceFile};

/// Environments with this value, by name; those that are a developer's own count as one, those for tests not at all.
pub(super) fn environments(repository: &Repository, group: &[Hit]) -> Vec<String> {
    let real = group.iter().filter(|hit| hit.role == Role::Service && hit.tracked);
    let mut names = BTreeSet::new();
    for hit in real.filter(|hit| !hit.judgement.development_only || hit.setting.environment.is_some()) {
        match hit.setting.environment.as_deref() {
            Some("base") => names.extend(inheriting(repository, hit)),
            Some(environment) => names.extend(normal(environment)),
            None => {}
        }
    }
    let only_development = group.iter().all(|hit| hit.judgement.development_only);
    if only_development { Vec::new() } else { names.into_iter().collect() }
}

fn normal(environment: &str) -> Option<String> {
    match environment {
        "test" | "base" => None,
        "local" | "development" => Some("development".to_string()),
        other => Some(other.to_string()),
    }
}

/// Environments of the files beside a common one that do not set the same key.
fn inheriting(repository: &Repository, hit: &Hit) -> Vec<String> {
    let base = repository.tree.file(hit.file);
    let beside = |file: &&SourceFile| file.folder() == base.folder() && file.kind == base.kind && file.id != base.id;
    let mut names = Vec::new();
    for file in repository.tree.files.iter().filter(beside) {
        let (file, parsed) = repository.get(file.id);
        let environment = setting::of(file, parsed).environment;
        let anew = !hit.name.is_empty() && file.text.contains(hit.name.as_str());
        if !anew {
            names.extend(environment.as_deref().and_then(normal));
        }
    }
    names
}

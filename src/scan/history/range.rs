//! Which commits a range means.

use gix::revision::plumbing::Spec;
use gix::{ObjectId, Repository};

/// Where a walk starts, and what ends it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Tips {
    /// These and all before them.
    pub(super) include: Vec<ObjectId>,
    /// But not these, nor what is before them.
    pub(super) exclude: Vec<ObjectId>,
    /// References that lead to no commit that is here.
    pub(super) broken: usize,
}

/// What is wrong.
pub(super) enum Wrong {
    /// The range: its writer can put it right.
    Range(String),
    /// The repository.
    Repository(String),
}

/// The tips of a range; of all references and HEAD for an empty one.
pub(super) fn tips(repository: &Repository, range: &str) -> Result<Tips, Wrong> {
    if range.is_empty() {
        return all(repository);
    }
    let wrong =
        |why: &str| Wrong::Range(format!("`{range}` {why}; write a revision or a range, as in `main~50..main`"));
    let spec = repository.rev_parse(range).map_err(|_| wrong("names no commits of this repository"))?.detach();
    let commit = |id: ObjectId| {
        let object = repository.find_object(id).ok().and_then(|object| object.peel_to_commit().ok());
        object.map(|commit| commit.id).ok_or_else(|| wrong("names something that is no commit of this clone"))
    };
    let parents = |id: ObjectId| {
        let parents = repository.find_commit(commit(id)?).ok();
        let parents = parents.map(|of| of.parent_ids().map(gix::Id::detach).collect::<Vec<_>>());
        parents.ok_or_else(|| wrong("names something that is no commit of this clone"))
    };
    let mut tips = Tips::default();
    match spec {
        Spec::Include(id) => tips.include.push(commit(id)?),
        Spec::Range { from, to } => {
            tips.include.push(commit(to)?);
            tips.exclude.push(commit(from)?);
        }
        Spec::Merge { theirs, ours } => {
            let (theirs, ours) = (commit(theirs)?, commit(ours)?);
            tips.include.extend([theirs, ours]);
            let bases = repository.merge_bases_many(theirs, &[ours]).map_err(|_| wrong("has no common commits"))?;
            tips.exclude.extend(bases.into_iter().map(gix::Id::detach));
        }
        Spec::IncludeOnlyParents(id) => tips.include.extend(parents(id)?),
        Spec::ExcludeParents(id) => {
            tips.include.push(commit(id)?);
            tips.exclude.extend(parents(id)?);
        }
        Spec::Exclude(_) => return Err(wrong("only leaves commits out")),
    }
    Ok(tips)
}

fn all(repository: &Repository) -> Result<Tips, Wrong> {
    let unreadable = |error: gix::Error| Wrong::Repository(format!("its references cannot be read ({error})"));
    let mut tips = Tips::default();
    let platform = repository.references().map_err(unreadable)?;
    for reference in platform.all().map_err(unreadable)? {
        let Ok(mut reference) = reference else {
            tips.broken += 1;
            continue;
        };
        match reference.peel_to_kind(gix::objs::Kind::Commit) {
            Ok(object) => tips.include.push(object.id),
            // A tag of a tree or a file is whole, and no commit.
            Err(_) if reference.peel_to_id().is_ok_and(|id| id.header().is_ok()) => {}
            Err(_) => tips.broken += 1,
        }
    }
    if let Ok(head) = repository.head_commit() {
        tips.include.push(head.id);
    }
    tips.include.sort_unstable();
    tips.include.dedup();
    Ok(tips)
}

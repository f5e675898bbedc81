//! The commits of a range, parents before children.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::{ObjectId, Repository};

use super::range::Tips;
use crate::scan::source::Commit;

/// Digits of a commit's id that are shown.
const DIGITS: usize = 10;

/// A commit of the walk.
pub(super) struct Row {
    /// Its id.
    pub(super) id: ObjectId,
    /// Its tree.
    pub(super) tree: ObjectId,
    /// Its parents are not in this clone.
    pub(super) cut: bool,
}

/// A walk.
#[derive(Default)]
pub(super) struct Walk {
    /// Commits, a parent before its children, else the earlier before the later.
    pub(super) rows: Vec<Row>,
    /// Trees of the commits just outside of the range.
    pub(super) before: Vec<ObjectId>,
    /// Commits that cannot be read: what is before them is not seen.
    pub(super) unreadable: usize,
    /// The clone is shallow, and the walk came to where it is cut.
    pub(super) shallow: bool,
}

/// What a walk reads of a commit.
struct Read {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    seconds: i64,
}

/// Walks from the tips.
pub(super) fn walk(repository: &Repository, tips: &Tips) -> Walk {
    let shallow: HashSet<ObjectId> = repository
        .shallow_commits()
        .ok()
        .flatten()
        .map(|commits| commits.iter().copied().collect())
        .unwrap_or_default();
    let mut walk = Walk::default();
    let hidden: HashSet<ObjectId> =
        reach(repository, &tips.exclude, &HashSet::new(), &shallow, &mut walk).into_iter().map(|(id, _)| id).collect();
    let found = reach(repository, &tips.include, &hidden, &shallow, &mut walk);
    walk.shallow = found.iter().any(|(id, _)| shallow.contains(id));
    let mut before: Vec<ObjectId> =
        found.iter().flat_map(|(_, read)| &read.parents).filter(|parent| hidden.contains(*parent)).copied().collect();
    before.sort_unstable();
    before.dedup();
    walk.before = before.iter().filter_map(|id| read(repository, *id)).map(|commit| commit.tree).collect();
    walk.rows = in_order(found, &shallow);
    walk
}

/// All commits that can be reached, but for hidden ones.
fn reach(
    repository: &Repository,
    from: &[ObjectId],
    hidden: &HashSet<ObjectId>,
    shallow: &HashSet<ObjectId>,
    walk: &mut Walk,
) -> Vec<(ObjectId, Read)> {
    let mut seen: HashSet<ObjectId> = HashSet::new();
    let mut next: Vec<ObjectId> = from.to_vec();
    let mut found = Vec::new();
    while let Some(id) = next.pop() {
        if hidden.contains(&id) || !seen.insert(id) {
            continue;
        }
        let Some(mut commit) = read(repository, id) else {
            walk.unreadable += 1;
            continue;
        };
        if shallow.contains(&id) {
            commit.parents.clear();
        }
        next.extend(&commit.parents);
        found.push((id, commit));
    }
    found
}

fn read(repository: &Repository, id: ObjectId) -> Option<Read> {
    let object = repository.find_object(id).ok()?;
    let commit = object.try_to_commit_ref().ok()?;
    let seconds = commit.committer().ok().and_then(|committer| committer.time().ok()).map_or(0, |time| time.seconds);
    Some(Read { tree: commit.tree(), parents: commit.parents().collect(), seconds })
}

fn in_order(found: Vec<(ObjectId, Read)>, shallow: &HashSet<ObjectId>) -> Vec<Row> {
    let places: HashMap<ObjectId, usize> = found.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); found.len()];
    let mut waits_for = vec![0usize; found.len()];
    for (at, (_, commit)) in found.iter().enumerate() {
        for parent in commit.parents.iter().filter_map(|parent| places.get(parent)) {
            children[*parent].push(at);
            waits_for[at] += 1;
        }
    }
    let key = |at: usize| Reverse((found[at].1.seconds, found[at].0, at));
    let mut ready: BinaryHeap<_> = (0..found.len()).filter(|at| waits_for[*at] == 0).map(key).collect();
    let mut rows = Vec::with_capacity(found.len());
    while let Some(Reverse((_, id, at))) = ready.pop() {
        rows.push(Row { id, tree: found[at].1.tree, cut: shallow.contains(&id) });
        for child in &children[at] {
            waits_for[*child] -= 1;
            if waits_for[*child] == 0 {
                ready.push(key(*child));
            }
        }
    }
    rows
}

/// A commit for people.
pub(super) fn named(repository: &Repository, row: &Row, order: u32) -> Commit {
    let day = author_day(repository, row.id).unwrap_or_else(|| "an unknown day".to_string());
    Commit { order, id: row.id.to_hex_with_len(DIGITS).to_string(), day, cut: row.cut }
}

/// The day on the author's clock, as git shows it.
fn author_day(repository: &Repository, id: ObjectId) -> Option<String> {
    let object = repository.find_object(id).ok()?;
    let time = object.try_to_commit_ref().ok()?.author().ok()?.time().ok()?;
    let local = jiff::Timestamp::from_second(time.seconds.checked_add(i64::from(time.offset))?).ok()?;
    Some(local.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}

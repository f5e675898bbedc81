//! The search: all files in parallel, then for each thing that was found the oldest version that has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::commits::{self, Walk};
use super::follow::{Content, Followed, Reader, follow};
use super::open::{Opened, failed};
use super::versions::{File, Files, Version};
use super::{Heard, Past, Search};
use crate::scan::ScanOptions;
use crate::scan::source::{FileId, Notice, PastFile, Tree};

/// More versions than this are not kept, and no more text than this: the newest are.
const MOST_KEPT: usize = 1_000;
const MOST_BYTES: usize = 128 << 20;

/// Runs it.
pub(super) fn run(opened: &Opened, tree: &Tree, options: &ScanOptions, search: &dyn Search, heard: Heard<'_>) -> Past {
    let repository = opened.local();
    let walk = commits::walk(&repository, &opened.tips);
    let prefix = tree.git_prefix.as_deref().unwrap_or("");
    let mut files = Files::new(&repository, tree, options, search);
    walk.before.iter().for_each(|tree| files.add_before(*tree, prefix));
    for (order, row) in (0u32..).zip(&walk.rows) {
        files.add(row.tree, prefix, order);
    }
    let versions = files.versions();
    let mut notices = notices_of_the_walk(opened, &walk, &files);
    let files = std::mem::take(&mut files.list);
    let run = Run { opened, options, search, files: &files };
    let followed = run.follow(versions, heard);
    notices.extend(run.notices(&followed));
    let found = run.first_sightings(&followed, !opened.tips.exclude.is_empty());
    let (kept, more) = run.keep(&run.verified(&found), &walk, tree.files.len());
    notices.extend(more);
    Past { files: kept, commits: walk.rows.len(), versions, notices }
}

/// A version of one of the files.
type At = (usize, Version);

/// Where something was first seen, and where searching first found it.
#[derive(Clone, Copy)]
struct First {
    oldest: At,
    searched: At,
}

struct Run<'r> {
    opened: &'r Opened,
    options: &'r ScanOptions,
    search: &'r dyn Search,
    files: &'r [File],
}

impl Run<'_> {
    /// Calls `work` for each of a list in parallel, with a reader of the thread's own.
    fn each<I: Copy + Send + Sync, T: Send>(&self, list: &[I], work: impl Fn(&Reader<'_>, I) -> T + Sync) -> Vec<T> {
        let local = || self.opened.local();
        let one = |repository: &mut gix::Repository, item: &I| {
            let max_file_size = self.options.max_file_size;
            work(&Reader { repository, max_file_size, search: self.search }, *item)
        };
        list.par_iter().with_max_len(1).map_init(local, one).collect()
    }

    /// Follows all files, those with many versions first, so that no thread is left with one at the end.
    fn follow(&self, versions: usize, heard: Heard<'_>) -> Vec<Followed> {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.files[*at].versions.len()));
        let done = AtomicUsize::new(0);
        let tick = || heard(done.fetch_add(1, Ordering::Relaxed) + 1, versions);
        let followed = self.each(&order, |reader, at| follow(reader, &self.files[at], tick));
        let mut by_file: Vec<(usize, Followed)> = order.into_iter().zip(followed).collect();
        by_file.sort_by_key(|(at, _)| *at);
        by_file.into_iter().map(|(_, followed)| followed).collect()
    }

    /// Over all files, without what stood there before the range.
    fn first_sightings(&self, followed: &[Followed], bounded: bool) -> BTreeMap<String, First> {
        let mut first: BTreeMap<String, First> = BTreeMap::new();
        for (at, sighting) in followed.iter().enumerate().flat_map(|(at, of)| of.sightings.iter().map(move |s| (at, s)))
        {
            let here = First { oldest: (at, sighting.oldest), searched: (at, sighting.searched) };
            let known = first.entry(sighting.key.clone()).or_insert(here);
            let older = |left: At, right: At| if right.1.commit < left.1.commit { right } else { left };
            known.oldest = older(known.oldest, here.oldest);
            known.searched = older(known.searched, here.searched);
        }
        if bounded && !first.is_empty() {
            for key in self.before() {
                first.remove(&key);
            }
        }
        first
    }

    /// What stood there before the range.
    fn before(&self) -> BTreeSet<String> {
        let blobs = |(at, file): (usize, &File)| file.before.iter().map(move |blob| (at, *blob)).collect::<Vec<_>>();
        let all: Vec<_> = self.files.iter().enumerate().flat_map(blobs).collect();
        let keys = self.each(&all, |reader, (at, blob)| {
            let file = &self.files[at];
            let Content::File(read) = reader.read(file, blob) else { return Vec::new() };
            let traces = reader.traces(&read).unwrap_or_default();
            traces.into_iter().map(|trace| trace.key).collect::<Vec<_>>()
        });
        keys.into_iter().flatten().collect()
    }

    /// The oldest version with the text, where searching that version finds it; else the oldest that it was found in.
    fn verified(&self, first: &BTreeMap<String, First>) -> Vec<At> {
        let mut all: Vec<At> = first.values().map(|first| first.oldest).collect();
        all.sort_by_key(|(at, version)| (*at, version.commit));
        all.dedup();
        let found = self.each(&all, |reader, (at, version)| {
            let file = &self.files[at];
            let Content::File(read) = reader.read(file, version.blob) else { return BTreeSet::new() };
            let traces = reader.traces(&read).unwrap_or_default();
            traces.into_iter().map(|trace| trace.key).collect::<BTreeSet<String>>()
        });
        let found: BTreeMap<(usize, u32), BTreeSet<String>> =
            all.iter().map(|(at, version)| (*at, version.commit)).zip(found).collect();
        let of = |(key, first): (&String, &First)| {
            let (at, version) = first.oldest;
            let again = found.get(&(at, version.commit)).is_some_and(|keys| keys.contains(key));
            if again { first.oldest } else { first.searched }
        };
        let mut chosen: Vec<At> = first.iter().map(of).collect();
        chosen.sort_by_key(|(at, version)| (version.commit, *at));
        chosen.dedup();
        chosen
    }

    /// Reads what is kept, the newest first as long as there is room.
    fn keep(&self, chosen: &[At], walk: &Walk, first_id: usize) -> (Vec<PastFile>, Option<Notice>) {
        let repository = self.opened.local();
        let reader = Reader { repository: &repository, max_file_size: self.options.max_file_size, search: self.search };
        let mut kept: Vec<PastFile> = Vec::new();
        let mut bytes = 0;
        for (at, version) in chosen.iter().rev() {
            let file = &self.files[*at];
            let Some(row) = walk.rows.get(version.commit as usize) else { continue };
            let Content::File(read) = reader.read(file, version.blob) else { continue };
            bytes += read.text.len();
            if kept.len() >= MOST_KEPT || bytes > MOST_BYTES {
                break;
            }
            kept.push(PastFile { file: read, commit: commits::named(&repository, row, version.commit) });
        }
        let left_out = chosen.len() - kept.len();
        kept.reverse();
        for (at, past) in kept.iter_mut().enumerate() {
            past.file.id = FileId(u32::try_from(first_id + at).unwrap_or(u32::MAX));
        }
        let more = (left_out > 0).then(|| {
            said(&format!(
                "secrets in {left_out} more versions of files, older ones, are not listed: there are too many"
            ))
        });
        (kept, more)
    }

    fn notices(&self, followed: &[Followed]) -> Vec<Notice> {
        let count = |of: fn(&Followed) -> usize| followed.iter().map(of).sum::<usize>();
        let named = |of: fn(&Followed) -> usize| {
            let first = self.files.iter().zip(followed).find(|(_, followed)| of(followed) > 0);
            first.map_or(String::new(), |(file, _)| file.path.clone())
        };
        let mut notices = Vec::new();
        let large: fn(&Followed) -> usize = |of| of.large;
        if count(large) > 0 {
            let limit = self.options.max_file_size / 1024;
            notices.push(said(&format!(
                "the history has {} larger than {limit} KiB, such as of {}: not searched",
                versions(count(large)),
                named(large)
            )));
        }
        let unreadable: fn(&Followed) -> usize = |of| of.unreadable;
        if count(unreadable) > 0 {
            notices.push(said(&format!(
                "the history has {} whose object is missing or damaged, such as of {}: not searched",
                versions(count(unreadable)),
                named(unreadable)
            )));
        }
        let more: fn(&Followed) -> usize = |of| usize::from(of.more);
        if count(more) > 0 {
            notices.push(said(&format!("the history of {} has more secrets than are listed", named(more))));
        }
        let crashed: fn(&Followed) -> usize = |of| of.crashed;
        if count(crashed) > 0 {
            let message = format!(
                "a reader crashed on {} in the history, such as of {}: not searched, a defect of prodcheck",
                versions(count(crashed)),
                named(crashed)
            );
            notices.push(Notice { fatal: true, ..said(&message) });
        }
        notices
    }
}

fn versions(count: usize) -> String {
    counted(count, "version of a file", "versions of files")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn said(message: &str) -> Notice {
    Notice { path: String::new(), line: None, message: message.to_string(), fatal: false }
}

/// What the walk did not see.
fn notices_of_the_walk(opened: &Opened, walk: &Walk, files: &Files<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    if opened.tips.include.is_empty() && opened.tips.broken == 0 {
        notices.push(said("the repository has no commits: there is no history to search"));
    }
    if walk.shallow {
        notices.push(said(
            "the clone is shallow: what stood in commits before its cut is not known (`git fetch --unshallow` brings them)",
        ));
    }
    let lost = walk.unreadable + opened.tips.broken;
    if walk.unreadable > 0 && walk.rows.is_empty() {
        notices.push(failed("no commit can be read, the repository is damaged"));
    } else if lost > 0 {
        let message = format!(
            "missing or damaged in the history: {}; what is before is not searched",
            counted(lost, "commit or reference", "commits or references")
        );
        notices.push(Notice { fatal: true, ..said(&message) });
    }
    if files.unreadable > 0 {
        let message = format!(
            "missing or damaged in the history: {}; what stood inside is not searched",
            counted(files.unreadable, "folder", "folders")
        );
        notices.push(Notice { fatal: true, ..said(&message) });
    }
    if files.deep > 0 {
        let folders = counted(files.deep, "folder that is", "folders that are");
        notices.push(said(&format!("the history has {folders} nested too deeply: not entered")));
    }
    if files.odd_names > 0 {
        let names = counted(files.odd_names, "name that is not", "names that are not");
        notices.push(said(&format!("the history has {names} valid UTF-8: not searched")));
    }
    if let Some(first) = files.submodules.first() {
        let modules = counted(files.submodules.len(), "submodule", "submodules");
        notices.push(said(&format!("the history has {modules}, such as {first}: theirs is not searched")));
    }
    if files.cut {
        let message = "the history describes more files than are searched: some versions are left out";
        notices.push(Notice { fatal: true, ..said(message) });
    }
    notices
}

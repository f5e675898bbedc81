//! The search: all files in parallel, then for each thing that was found the oldest version that has it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::commits::{self, Walk};
use super::follow::{Content, Followed, Reader, Room, Sighting, follow};
use super::open::{Opened, failed};
use super::shared::{self, Others};
use super::versions::{File, Files};
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
    let mut files = std::mem::take(&mut files.list);
    let others = shared::share(&mut files, search);
    let (room, unpacked) = (Room::default(), AtomicUsize::new(0));
    let run = Run { opened, options, search, files: &files, room: &room, unpacked: &unpacked };
    let mut followed = run.follow(&others, heard);
    notices.extend(run.notices(&followed));
    let chosen = run.chosen(&mut followed, !opened.tips.exclude.is_empty());
    let (kept, more) = run.keep(chosen, &walk, tree.files.len());
    notices.extend(more);
    let unpacked = unpacked.load(Ordering::Relaxed);
    Past { files: kept, commits: walk.rows.len(), versions, unpacked, notices }
}

struct Run<'r> {
    opened: &'r Opened,
    options: &'r ScanOptions,
    search: &'r dyn Search,
    files: &'r [File],
    room: &'r Room,
    unpacked: &'r AtomicUsize,
}

impl<'r> Run<'r> {
    /// Calls `work` for each of a list in parallel, with a reader of the thread's own.
    fn each<I: Sync, T: Send>(&self, list: &[I], work: impl Fn(&Reader<'r>, &I) -> T + Sync) -> Vec<T> {
        list.par_iter().with_max_len(1).map_init(|| self.reader(), |reader, item| work(reader, item)).collect()
    }

    fn reader(&self) -> Reader<'r> {
        Reader {
            repository: self.opened.local(),
            files: self.files,
            max_file_size: self.options.max_file_size,
            search: self.search,
            unpacked: self.unpacked,
            room: (self.room, MOST_BYTES),
        }
    }

    /// Follows all files, those with many versions first, so that no thread is left with one at the end.
    fn follow(&self, others: &Others, heard: Heard<'_>) -> Vec<Followed<'r>> {
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.files[*at].versions.len()));
        let all = self.files.iter().map(|file| file.versions.len()).sum();
        let done = AtomicUsize::new(0);
        let tick = || heard(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        let followed = self.each(&order, |reader, at| follow(reader, *at, others, tick));
        let mut by_file: Vec<(usize, Followed<'r>)> = order.into_iter().zip(followed).collect();
        by_file.sort_by_key(|(at, _)| *at);
        by_file.into_iter().map(|(_, followed)| followed).collect()
    }

    /// The versions that first had each thing, oldest first, without what stood there before the range.
    fn chosen(&self, followed: &mut [Followed<'r>], bounded: bool) -> Vec<Sighting<'r>> {
        let mut first: BTreeMap<String, Sighting<'r>> = BTreeMap::new();
        for sighting in followed.iter_mut().flat_map(|of| of.sightings.drain(..)) {
            match first.entry(sighting.key.clone()) {
                Entry::Vacant(free) => _ = free.insert(sighting),
                Entry::Occupied(mut known) if place(&sighting) < place(known.get()) => _ = known.insert(sighting),
                Entry::Occupied(_) => {}
            }
        }
        followed.iter().flat_map(|of| &of.before).for_each(|key| _ = first.remove(key));
        if bounded && !first.is_empty() {
            self.before().iter().for_each(|key| _ = first.remove(key));
        }
        let mut chosen: Vec<Sighting<'r>> = first.into_values().collect();
        chosen.sort_by_key(place);
        chosen.dedup_by_key(|sighting| place(sighting));
        chosen
    }

    /// What stood there before the range.
    fn before(&self) -> BTreeSet<String> {
        let all = shared::before(self.files, self.search);
        let keys = self.each(&all, |reader, (blob, files)| {
            let read = reader.read(*blob, files.iter().copied());
            let traces = |at: &usize| match reader.file(*at, &read) {
                Content::File(file) => reader.traces(&file).unwrap_or_default(),
                Content::Large | Content::Unreadable => Vec::new(),
            };
            files.iter().flat_map(traces).map(|trace| trace.key).collect::<Vec<String>>()
        });
        keys.into_iter().flatten().collect()
    }

    /// Keeps what there is room for, the newest first. What was held is not unpacked again.
    fn keep(&self, chosen: Vec<Sighting<'r>>, walk: &Walk, first_id: usize) -> (Vec<PastFile>, Option<Notice>) {
        let reader = self.reader();
        let found = chosen.len();
        let mut kept: Vec<PastFile> = Vec::new();
        let mut bytes = 0;
        for Sighting { file: at, version, held, .. } in chosen.into_iter().rev() {
            let Some(row) = walk.rows.get(version.commit as usize) else { continue };
            let file = match held {
                Some(held) => held.file.clone(),
                None => match reader.file(at, &reader.read(version.blob, std::iter::once(at))) {
                    Content::File(file) => file,
                    Content::Large | Content::Unreadable => continue,
                },
            };
            bytes += file.text.len();
            if kept.len() >= MOST_KEPT || bytes > MOST_BYTES {
                break;
            }
            kept.push(PastFile { file, commit: commits::named(&reader.repository, row, version.commit) });
        }
        let left_out = found - kept.len();
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

    fn notices(&self, followed: &[Followed<'_>]) -> Vec<Notice> {
        let count = |of: fn(&Followed<'_>) -> usize| followed.iter().map(of).sum::<usize>();
        let named = |of: fn(&Followed<'_>) -> usize| {
            let first = self.files.iter().zip(followed).find(|(_, followed)| of(followed) > 0);
            first.map_or(String::new(), |(file, _)| file.path.clone())
        };
        let mut notices = Vec::new();
        let large: fn(&Followed<'_>) -> usize = |of| of.large;
        if count(large) > 0 {
            let limit = self.options.max_file_size / 1024;
            notices.push(said(&format!(
                "the history has {} larger than {limit} KiB, such as of {}: not searched",
                versions(count(large)),
                named(large)
            )));
        }
        let unreadable: fn(&Followed<'_>) -> usize = |of| of.unreadable;
        if count(unreadable) > 0 {
            notices.push(said(&format!(
                "the history has {} whose object is missing or damaged, such as of {}: not searched",
                versions(count(unreadable)),
                named(unreadable)
            )));
        }
        let more: fn(&Followed<'_>) -> usize = |of| usize::from(of.more);
        if count(more) > 0 {
            notices.push(said(&format!("the history of {} has more secrets than are listed", named(more))));
        }
        let crashed: fn(&Followed<'_>) -> usize = |of| of.crashed;
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

/// Older first.
fn place(sighting: &Sighting<'_>) -> (u32, usize) {
    (sighting.version.commit, sighting.file)
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

//! Finds and opens the repository of a folder.

use std::path::{Path, PathBuf};

use gix::open::Options;
use gix::{Repository, ThreadSafeRepository};

use super::range::{self, Tips};
use crate::scan::source::Notice;
use crate::scan::{ScanError, git};

/// No object over this many bytes is unpacked, whatever its header says.
const LARGEST_OBJECT: &str = "gitoxide.objects.allocLimit=268435456";
/// A replaced object is read as it is: what it was replaced by is no secret's end.
const AS_THEY_ARE: &str = "core.useReplaceRefs=false";
/// Bytes of unpacked objects that each thread keeps to unpack the next ones from.
const PACK_CACHE: usize = 32 << 20;

/// A repository with the commits that were asked for.
pub(super) struct Opened {
    repository: ThreadSafeRepository,
    /// Where the walk starts and ends.
    pub(super) tips: Tips,
}

impl Opened {
    /// A handle of this thread.
    pub(super) fn local(&self) -> Repository {
        let mut repository = self.repository.to_thread_local();
        let cache = || Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE)) as _;
        repository.objects.set_pack_cache(cache);
        repository
    }
}

/// Opens the repository that holds a folder, as git finds it.
pub(super) fn open(root: &Path, range: &str) -> Result<Result<Opened, Notice>, ScanError> {
    let Some((place, bare)) = find(root) else {
        return Ok(Err(failed("there is no git repository here")));
    };
    let options = Options::isolated()
        .with(gix::sec::Trust::Full)
        .open_path_as_is(bare)
        .config_overrides([LARGEST_OBJECT, AS_THEY_ARE]);
    let repository = match options.open(place) {
        Ok(repository) => repository,
        Err(error) => return Ok(Err(failed(&format!("the git repository cannot be opened ({})", deepest(&error))))),
    };
    let local = repository.to_thread_local();
    if local.common_dir().join("reftable").is_dir() {
        return Ok(Err(failed("the repository keeps its references in a reftable, which is not read")));
    }
    match range::tips(&local, range) {
        Ok(tips) => Ok(Ok(Opened { repository, tips })),
        Err(range::Wrong::Range(why)) => Err(ScanError::History(why)),
        Err(range::Wrong::Repository(why)) => Ok(Err(failed(&why))),
    }
}

/// What is really wrong stands at the end of the chain of reasons.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// The top level, or a bare repository's folder.
fn find(root: &Path) -> Option<(PathBuf, bool)> {
    let root = std::fs::canonicalize(root).ok()?;
    root.ancestors().find_map(|top| {
        let normal = git::git_directory(top).is_some();
        (normal || is_bare(top)).then(|| (top.to_path_buf(), !normal))
    })
}

fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// What was asked for could not be done at all: the run is not complete.
pub(super) fn failed(why: &str) -> Notice {
    let why = why.lines().next().unwrap_or(why);
    let message = format!("the history is not searched: {why}");
    Notice { path: String::new(), line: None, message, fatal: true }
}

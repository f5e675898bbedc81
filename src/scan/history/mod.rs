//! What stood in earlier commits: every blob that a file was is unpacked once and searched, and for what is found the
//! oldest version that has it is kept.
//!
//! The repository is opened by itself: no configuration but its own is read, no environment variable followed, nothing
//! run and nothing fetched. What the versions are searched for is not known here, see [`Search`].

#[cfg(feature = "git")]
mod commits;
#[cfg(feature = "git")]
mod follow;
#[cfg(feature = "git")]
mod open;
#[cfg(feature = "git")]
mod range;
#[cfg(feature = "git")]
mod search;
#[cfg(feature = "git")]
mod shared;
#[cfg(feature = "git")]
mod versions;

use std::path::Path;

use super::source::{Kind, Notice, PastFile, Role, SourceFile, Span, Tree};
use super::{ScanError, ScanOptions};

/// What versions of files are searched for.
pub trait Search: Sync {
    /// Whether files at a path are searched; `kind` as far as the name tells it.
    fn wants(&self, path: &str, kind: Option<Kind>, role: Role) -> bool;

    /// What a path decides of how a text there is judged: where two paths have the same, so has whatever is found.
    fn reading(&self, path: &str) -> String;

    /// Whether the lines that one version has and another has not can make a difference. Cheap, and true in doubt.
    fn may_hold(&self, kind: Kind, lines: &str) -> bool;

    /// What a version holds.
    fn traces(&self, file: &SourceFile) -> Vec<Trace>;
}

/// Something that a version of a file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// What it is; the same in two versions is one thing.
    pub key: String,
    /// The text that shows it.
    pub span: Span,
}

/// What a search of the history gave.
#[derive(Debug, Default)]
pub struct Past {
    /// Versions of files that hold something, oldest first.
    pub files: Vec<PastFile>,
    /// Commits that were walked.
    pub commits: usize,
    /// Versions of files that were searched.
    pub versions: usize,
    /// How often a blob was unpacked for them: once each, unless more of them hold something than there is room for.
    pub unpacked: usize,
    /// What was not read, and why.
    pub notices: Vec<Notice>,
}

/// A history that can be searched, or the reason why it cannot.
pub struct History {
    #[cfg(feature = "git")]
    opened: Result<open::Opened, Notice>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("History").finish_non_exhaustive()
    }
}

/// Hears how many of how many versions were searched.
pub type Heard<'a> = &'a (dyn Fn(usize, usize) + Sync);

#[cfg(feature = "git")]
impl History {
    /// Opens the repository that holds `root` and works out which commits a range means.
    ///
    /// # Errors
    /// When the range means no commits of this repository. A repository that is missing or damaged is a notice of the
    /// search: the rest of a run does not need it.
    pub fn open(root: &Path, range: &str) -> Result<History, ScanError> {
        Ok(History { opened: open::open(root, range)? })
    }

    /// Searches it.
    pub fn search(self, tree: &Tree, options: &ScanOptions, search: &dyn Search, heard: Heard<'_>) -> Past {
        match self.opened {
            Ok(opened) => search::run(&opened, tree, options, search, heard),
            Err(notice) => Past { notices: vec![notice], ..Past::default() },
        }
    }
}

#[cfg(not(feature = "git"))]
impl History {
    /// This build reads no history.
    ///
    /// # Errors
    /// Always.
    pub fn open(_root: &Path, _range: &str) -> Result<History, ScanError> {
        Err(ScanError::History("this prodcheck was built without its feature `git`, history is not available".into()))
    }

    /// Nothing.
    pub fn search(self, _tree: &Tree, _options: &ScanOptions, _search: &dyn Search, _heard: Heard<'_>) -> Past {
        Past::default()
    }
}

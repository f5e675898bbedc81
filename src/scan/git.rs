//! Which files git tracks, from its index; git itself is never run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::source::Notice;

/// What the index says about the scanned folder.
pub(super) struct Tracking {
    /// Tracked paths relative to the scanned root; `None` without a readable index.
    pub(super) paths: Option<BTreeSet<String>>,
    /// Folder of the root below the git top level; `None` outside git.
    pub(super) prefix: Option<String>,
}

impl Tracking {
    /// Reads the index of the repository that holds `root`.
    pub(super) fn of(root: &Path, notices: &mut Vec<Notice>) -> Tracking {
        let outside = Tracking { paths: None, prefix: None };
        let Ok(root) = std::fs::canonicalize(root) else { return outside };
        let Some((top, directory)) = root.ancestors().find_map(|top| Some((top, git_directory(top)?))) else {
            return outside;
        };
        let prefix = super::relative(top, &root).unwrap_or_default();
        match tracked(&directory.join("index")) {
            Ok(paths) => Tracking { paths: Some(below(&prefix, paths)), prefix: Some(prefix) },
            Err(why) => {
                let message = format!("the git index cannot be read ({why}): which files are tracked is not known");
                notices.push(Notice { path: String::new(), line: None, message, fatal: false });
                Tracking { paths: None, prefix: Some(prefix) }
            }
        }
    }
}

/// The git directory of a top level: `.git`, or where a `.git` file of a worktree or submodule points.
pub(super) fn git_directory(top: &Path) -> Option<PathBuf> {
    let dot_git = top.join(".git");
    if dot_git.is_dir() {
        return dot_git.join("HEAD").exists().then_some(dot_git);
    }
    let text = std::fs::read_to_string(&dot_git).ok()?;
    let path = text.strip_prefix("gitdir:")?.trim();
    Some(top.join(path))
}

fn below(prefix: &str, paths: Vec<String>) -> BTreeSet<String> {
    if prefix.is_empty() {
        return paths.into_iter().collect();
    }
    let prefix = format!("{prefix}/");
    paths.iter().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_string).collect()
}

#[cfg(feature = "git")]
fn tracked(index: &Path) -> Result<Vec<String>, String> {
    if !index.exists() {
        return Ok(Vec::new());
    }
    let options = gix_index::decode::Options::default();
    let file = gix_index::File::at(index, gix_hash::Kind::Sha1, true, options).map_err(|error| error.to_string())?;
    let backing = file.path_backing();
    Ok(file.entries().iter().map(|entry| entry.path_in(backing).to_string()).collect())
}

#[cfg(not(feature = "git"))]
fn tracked(_index: &Path) -> Result<Vec<String>, String> {
    Err("built without the `git` feature".to_string())
}

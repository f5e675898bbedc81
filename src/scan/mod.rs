//! Walks the tree: which files there are, of what kind and role, and which of them git tracks.
//!
//! The walk honours .gitignore, sees hidden files, and leaves `.git` out. Files that git tracks are read even where a
//! .gitignore rule covers them. Symbolic links are not followed: what they lead to inside the tree is read there.

mod git;
pub mod history;
mod kind;
mod read;
mod role;
pub mod source;
mod usage;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use globset::GlobSet;
use ignore::WalkBuilder;
use rayon::prelude::*;

use git::Tracking;
use source::{FileId, Kind, Notice, SourceFile, Tree};

/// Bounds of a scan and what it leaves out.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Files over this many bytes are not read.
    pub max_file_size: u64,
    /// Folders deeper than this are not entered.
    pub max_depth: usize,
    /// More files than this are not read.
    pub max_files: usize,
    /// Relative paths that are left out.
    pub exclude: GlobSet,
    /// The commits whose files are searched as well: a revision or a range, everything for an empty text.
    pub history: Option<String>,
}

impl Default for ScanOptions {
    fn default() -> ScanOptions {
        ScanOptions {
            max_file_size: 1 << 20,
            max_depth: 64,
            max_files: 200_000,
            exclude: GlobSet::empty(),
            history: None,
        }
    }
}

/// Why there is nothing to scan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScanError {
    /// The path does not exist.
    Missing(PathBuf),
    /// The path is not a folder.
    NotAFolder(PathBuf),
    /// The folder cannot be read: the system's reason.
    Unreadable(PathBuf, String),
    /// The history cannot be searched as it was asked for: why.
    History(String),
}

impl fmt::Display for ScanError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScanError::Missing(path) => write!(to, "{} does not exist", path.display()),
            ScanError::NotAFolder(path) => write!(to, "{} is not a folder", path.display()),
            ScanError::Unreadable(path, why) => write!(to, "{} cannot be read: {why}", path.display()),
            ScanError::History(why) => write!(to, "--history: {why}"),
        }
    }
}

impl std::error::Error for ScanError {}

/// Scans a folder.
///
/// # Errors
/// When the root is missing, not a folder, or cannot be listed. Everything below it that cannot be read is a notice.
pub fn scan(root: &Path, options: &ScanOptions) -> Result<Tree, ScanError> {
    check_root(root)?;
    let mut notices = Vec::new();
    let tracking = Tracking::of(root, &mut notices);
    let Walked { mut found, links } = walk(root, options, &mut notices);
    add_tracked(root, options, &tracking, &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    found.dedup_by(|left, right| left.path == right.path);
    if found.len() > options.max_files {
        notices.push(cut_notice(found.len(), options.max_files));
        found.truncate(options.max_files);
    }
    let read: Vec<_> = found
        .par_iter()
        .enumerate()
        .map(|(index, found)| source_file(root, index, found, &named(&found.path, &links), &tracking, options))
        .collect();
    let mut files = Vec::with_capacity(read.len());
    for (file, file_notices) in read {
        files.push(file);
        notices.extend(file_notices);
    }
    usage::settle(&mut files);
    notices.sort();
    let id = |path: &str| files.binary_search_by(|file: &SourceFile| file.path.as_str().cmp(path)).ok();
    let links = links.iter().filter_map(|(link, target)| Some((link.clone(), files[id(target)?].id))).collect();
    let root = root.to_path_buf();
    Ok(Tree { root, git_prefix: tracking.prefix, files, links, past: Vec::new(), notices })
}

/// Whether a root can be scanned at all.
///
/// # Errors
/// When it is missing, not a folder, or cannot be listed.
pub fn check_root(root: &Path) -> Result<(), ScanError> {
    let unreadable = |error: &std::io::Error| ScanError::Unreadable(root.to_path_buf(), error.to_string());
    match std::fs::metadata(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ScanError::Missing(root.to_path_buf())),
        Err(error) => Err(unreadable(&error)),
        Ok(metadata) if !metadata.is_dir() => Err(ScanError::NotAFolder(root.to_path_buf())),
        Ok(_) => std::fs::read_dir(root).map(drop).map_err(|error| unreadable(&error)),
    }
}

fn cut_notice(found: usize, limit: usize) -> Notice {
    let message = format!("{found} files found, only the first {limit} by path were read");
    Notice { path: String::new(), line: None, message, fatal: true }
}

/// What the walk saw.
#[derive(Default)]
struct Walked {
    found: Vec<Found>,
    /// Symbolic links to places inside the root, with what they lead to.
    links: Vec<(String, String)>,
}

/// The path by whose name a file is known: that of a link to it where its own does not tell what it is.
fn named(path: &str, links: &[(String, String)]) -> String {
    let link = || links.iter().find(|(link, target)| target == path && kind::by_name(link).is_some());
    let own = kind::by_name(path).is_some();
    if own { path.to_string() } else { link().map_or(path, |(link, _)| link).to_string() }
}

/// A file seen by the walk or named by the index.
struct Found {
    path: String,
    ignored: bool,
}

fn walk(root: &Path, options: &ScanOptions, notices: &mut Vec<Notice>) -> Walked {
    let exclude = options.exclude.clone();
    let base = root.to_path_buf();
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .ignore(false)
        .follow_links(false)
        .max_depth(Some(options.max_depth))
        .filter_entry(move |entry| {
            entry.file_name() != ".git" && relative(&base, entry.path()).is_none_or(|path| !exclude.is_match(path))
        })
        .build();
    let mut walked = Walked::default();
    for entry in walker {
        match entry {
            Ok(entry) => visit(root, &entry, options, &mut walked, notices),
            Err(error) => notices.push(walk_notice(root, &error)),
        }
    }
    walked
}

fn visit(root: &Path, entry: &ignore::DirEntry, options: &ScanOptions, walked: &mut Walked, notices: &mut Vec<Notice>) {
    let Some(kind) = entry.file_type() else { return };
    let Some(path) = relative(root, entry.path()) else {
        if entry.depth() > 0 {
            let path = entry.path().to_string_lossy().into_owned();
            notices.push(notice(&path, "its name is not valid UTF-8: not read"));
        }
        return;
    };
    if kind.is_file() {
        walked.found.push(Found { path, ignored: false });
    } else if kind.is_symlink() {
        match link_target(root, entry.path()) {
            Ok(target) => walked.links.extend(target.map(|target| (path, target))),
            Err(message) => notices.push(notice(&path, message)),
        }
    } else if kind.is_dir() && entry.depth() == options.max_depth {
        notices.push(notice(&path, "nested too deeply: not entered"));
    }
}

/// The relative path that a symbolic link leads to inside the root, where it is read; `None` for the root itself.
fn link_target(root: &Path, link: &Path) -> Result<Option<String>, &'static str> {
    let Ok(target) = std::fs::canonicalize(link) else {
        return Err("symbolic link that leads nowhere or in a circle: not read");
    };
    match std::fs::canonicalize(root) {
        Ok(root) if target.starts_with(&root) => Ok(relative(&root, &target)),
        _ => Err("symbolic link that leads out of the scanned folder: not read"),
    }
}

fn walk_notice(root: &Path, error: &ignore::Error) -> Notice {
    let (path, why) = match error {
        ignore::Error::WithPath { path, err } => (relative(root, path).unwrap_or_default(), err.to_string()),
        ignore::Error::WithDepth { err, .. } => return walk_notice(root, err),
        other => (String::new(), other.to_string()),
    };
    notice(&path, &format!("not read: {}", why.replace(&*root.to_string_lossy(), ".")))
}

fn notice(path: &str, message: &str) -> Notice {
    Notice { path: path.to_string(), line: None, message: message.to_string(), fatal: false }
}

/// Adds files that git tracks although a .gitignore rule covers them.
fn add_tracked(root: &Path, options: &ScanOptions, tracking: &Tracking, found: &mut Vec<Found>) {
    let Some(tracked) = &tracking.paths else { return };
    let seen: std::collections::BTreeSet<&str> = found.iter().map(|found| found.path.as_str()).collect();
    let missed: Vec<Found> = tracked
        .iter()
        .filter(|path| !seen.contains(path.as_str()) && !excluded(path, options))
        .filter(|path| std::fs::symlink_metadata(root.join(path)).is_ok_and(|metadata| metadata.is_file()))
        .map(|path| Found { path: path.clone(), ignored: true })
        .collect();
    found.extend(missed);
}

fn excluded(path: &str, options: &ScanOptions) -> bool {
    Path::new(path).ancestors().any(|part| !part.as_os_str().is_empty() && options.exclude.is_match(part))
}

fn source_file(
    root: &Path,
    index: usize,
    found: &Found,
    name: &str,
    tracking: &Tracking,
    options: &ScanOptions,
) -> (SourceFile, Vec<Notice>) {
    let named = kind::by_name(name);
    let mut contents = read::read(&root.join(&found.path), named == Some(Kind::Binary), options.max_file_size);
    if contents.binary && kind::is_text_by_name(name) {
        contents.problems.push((None, "holds NUL bytes, so it is no text: not read".to_string()));
    }
    let kind = match (contents.binary, named) {
        (true, _) => Kind::Binary,
        (false, Some(kind)) => kind,
        (false, None) => kind::by_content(&found.path, &contents.text),
    };
    let file = SourceFile {
        id: FileId(u32::try_from(index).unwrap_or(u32::MAX)),
        path: found.path.clone(),
        kind,
        role: role::of(&found.path, kind, &contents.text),
        role_because: String::new(),
        tracked: tracking.paths.as_ref().map(|tracked| tracked.contains(&found.path)),
        ignored: found.ignored,
        size: contents.size,
        text: Arc::from(contents.text),
        lines: OnceLock::new(),
    };
    let notices = contents.problems.into_iter().map(|(line, message)| Notice {
        path: found.path.clone(),
        line,
        message,
        fatal: false,
    });
    (file, notices.collect())
}

/// The path below the root with `/`; `None` for the root itself and for names that are not UTF-8.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let rest = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = rest.components().map(|part| part.as_os_str().to_str()).collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::source::{Kind, Role};
    use super::*;

    fn tree(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let tree = scan(folder.path(), &ScanOptions { max_file_size: 4096, ..ScanOptions::default() }).unwrap();
        (folder, tree)
    }

    fn roles(tree: &Tree) -> Vec<(&str, Kind, Role)> {
        tree.files.iter().map(|file| (file.path.as_str(), file.kind, file.role)).collect()
    }

    #[test]
    fn tells_kinds_and_roles() {
        let (_folder, tree) = tree(&[
            (".devcontainer/Dockerfile", b"FROM rust"),
            (".env.example", b"A=b"),
            (".github/workflows/ci.yml", b"on: push"),
            ("Cargo.toml", b"[package]"),
            ("README.md", b"# x"),
            ("api/index.html", b"<!DOCTYPE html>\n<head><meta name=\"generator\" content=\"a tool\">"),
            ("crates/docs/src/lib.rs", b"pub fn f() {}"),
            ("docker-compose.test.yml", b"services: {}"),
            ("docker/app.conf", b"server {\n location / {}\n}"),
            ("run", b"#!/usr/bin/env bash\n"),
            ("src/latest.rs", b"fn f() {}"),
            ("src/user_test.rs", b"fn f() {}"),
        ]);
        assert_eq!(
            roles(&tree),
            [
                (".devcontainer/Dockerfile", Kind::Dockerfile, Role::Development),
                (".env.example", Kind::Env, Role::Example),
                (".github/workflows/ci.yml", Kind::Yaml, Role::Service),
                ("Cargo.toml", Kind::CargoManifest, Role::Service),
                ("README.md", Kind::Markdown, Role::Docs),
                ("api/index.html", Kind::Html, Role::Generated),
                ("crates/docs/src/lib.rs", Kind::Rust, Role::Service),
                ("docker-compose.test.yml", Kind::Yaml, Role::Test),
                ("docker/app.conf", Kind::Nginx, Role::Service),
                ("run", Kind::Shell, Role::Service),
                ("src/latest.rs", Kind::Rust, Role::Service),
                ("src/user_test.rs", Kind::Rust, Role::Test),
            ]
        );
        assert!(tree.files.iter().all(|file| file.tracked.is_none()));
    }

    #[test]
    fn reads_what_it_can_and_says_what_it_cannot() {
        let (_folder, tree) = tree(&[
            (".gitignore", b"ignored\n"),
            ("big.yaml", &[b'a'; 5000]),
            ("ignored", b"x"),
            ("latin.txt", b"caf\xe9\n"),
            ("data.unknown", b"a\0b"),
            ("wide.sql", b"\xff\xfeS\0;\0"),
        ]);
        let text = |path: &str| tree.find(path).map(|file| file.text.to_string());
        assert_eq!(text("ignored"), None);
        assert_eq!(text("wide.sql").as_deref(), Some("S;"));
        assert_eq!(text("latin.txt").as_deref(), Some("caf\u{fffd}\n"));
        assert_eq!(tree.find("data.unknown").unwrap().kind, Kind::Binary);
        let notices: Vec<String> = tree.notices.iter().map(ToString::to_string).collect();
        assert_eq!(
            notices,
            [
                "big.yaml: larger than 4 KiB (4 KiB): not read",
                "latin.txt:1: not valid UTF-8: read with the invalid bytes replaced",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_tree_and_in_circles_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join("real"), "x").unwrap();
        link("real", "inside");
        link("/", "outside");
        link("circle", "circle");
        let tree = scan(folder.path(), &ScanOptions::default()).unwrap();
        let notices: Vec<&str> = tree.notices.iter().map(|notice| notice.path.as_str()).collect();
        assert_eq!(notices, ["circle", "outside"]);
        assert_eq!(tree.find("inside").map(|file| file.path.as_str()), Some("real"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_tells_what_a_file_is_whose_own_name_does_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("images")).unwrap();
        std::fs::write(folder.path().join("images/service"), "FROM debian:12\n").unwrap();
        std::os::unix::fs::symlink("images/service", folder.path().join("Dockerfile")).unwrap();
        let tree = scan(folder.path(), &ScanOptions::default()).unwrap();
        assert_eq!(roles(&tree), [("images/service", Kind::Dockerfile, Role::Service)]);
        assert_eq!(tree.find("Dockerfile").map(|file| file.path.as_str()), Some("images/service"));
    }

    #[test]
    fn roots_that_cannot_be_scanned_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(scan(&file, &ScanOptions::default()).unwrap_err(), ScanError::NotAFolder(file));
        let missing = folder.path().join("missing");
        assert_eq!(scan(&missing, &ScanOptions::default()).unwrap_err(), ScanError::Missing(missing));
    }
}

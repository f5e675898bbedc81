//! Every version that every file had: each folder of each commit is read once.

use std::collections::{BTreeSet, HashMap, HashSet};

use gix::objs::TreeRefIter;
use gix::{ObjectId, Repository};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::Search;
use crate::scan::source::{Kind, Role, Tree};
use crate::scan::{ScanOptions, kind, role};

/// More versions than this are not searched; the largest histories have some millions.
const MOST_VERSIONS: usize = 5_000_000;
/// More folders than this are not read: a small repository can describe more than any disk holds.
const MOST_FOLDERS: usize = 20_000_000;
/// More files than this are not told apart.
const MOST_PATHS: usize = 400_000;

/// A version of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Version {
    /// What it holds.
    pub(super) blob: ObjectId,
    /// Place of the first commit that has it there.
    pub(super) commit: u32,
}

/// A file with all its versions, oldest first.
pub(super) struct File {
    /// Relative to the scanned root.
    pub(super) path: String,
    /// By its name.
    pub(super) kind: Option<Kind>,
    /// Versions.
    pub(super) versions: Vec<Version>,
    /// What the commits before the range have there.
    pub(super) before: Vec<ObjectId>,
    /// What it is for, where more than its name decided that for the tree.
    pub(super) role: Option<Role>,
}

/// All files that are to be searched.
pub(super) struct Files<'a> {
    repository: &'a Repository,
    options: &'a ScanOptions,
    search: &'a dyn Search,
    decided: Decided<'a>,
    files: HashMap<String, Option<usize>>,
    seen: HashSet<u128>,
    folders: usize,
    versions: usize,
    /// The files.
    pub(super) list: Vec<File>,
    /// Folders that cannot be read.
    pub(super) unreadable: usize,
    /// Submodules.
    pub(super) submodules: BTreeSet<String>,
    /// Folders that are nested too deeply.
    pub(super) deep: usize,
    /// Names that are not UTF-8.
    pub(super) odd_names: usize,
    /// A bound ended the walk.
    pub(super) cut: bool,
}

/// What files of the tree are for, where more than their names decided: it holds for their earlier versions too.
struct Decided<'a> {
    roles: HashMap<&'a str, Role>,
    /// Folders with such a file of the service in them.
    folders: HashSet<&'a str>,
}

impl<'a> Decided<'a> {
    fn of(tree: &'a Tree) -> Decided<'a> {
        let files = || tree.files.iter().filter(|file| !file.role_because.is_empty());
        let of_service = files().filter(|file| file.role == Role::Service);
        let above = |path: &'a str| path.match_indices('/').map(move |(at, _)| &path[..at]);
        Decided {
            roles: files().map(|file| (file.path.as_str(), file.role)).collect(),
            folders: of_service.flat_map(|file| above(&file.path)).collect(),
        }
    }
}

/// What a folder is read for.
#[derive(Clone, Copy)]
enum For {
    /// To know what was there before the range.
    Before,
    /// The versions of a commit.
    Commit(u32),
}

impl<'a> Files<'a> {
    /// None yet.
    pub(super) fn new(
        repository: &'a Repository,
        tree: &'a Tree,
        options: &'a ScanOptions,
        search: &'a dyn Search,
    ) -> Files<'a> {
        Files {
            repository,
            options,
            search,
            decided: Decided::of(tree),
            files: HashMap::new(),
            seen: HashSet::new(),
            folders: 0,
            versions: 0,
            list: Vec::new(),
            unreadable: 0,
            submodules: BTreeSet::new(),
            deep: 0,
            odd_names: 0,
            cut: false,
        }
    }

    /// How many versions there are.
    pub(super) fn versions(&self) -> usize {
        self.versions
    }

    /// What stood there before the range: none of it is a version.
    pub(super) fn add_before(&mut self, tree: ObjectId, prefix: &str) {
        self.root(tree, prefix, For::Before);
    }

    /// Adds what a commit has and none before it had.
    pub(super) fn add(&mut self, tree: ObjectId, prefix: &str, commit: u32) {
        self.root(tree, prefix, For::Commit(commit));
    }

    /// Goes down to the scanned folder, which some commits do not have.
    fn root(&mut self, tree: ObjectId, prefix: &str, what: For) {
        let mut at = tree;
        for name in prefix.split('/').filter(|name| !name.is_empty()) {
            match self.child(at, name) {
                Some(child) => at = child,
                None => return,
            }
        }
        self.folder(at, "", 0, what);
    }

    fn child(&mut self, tree: ObjectId, name: &str) -> Option<ObjectId> {
        let Ok(object) = self.repository.find_object(tree) else {
            self.unreadable += usize::from(self.seen.insert(key(tree, 1, b"")));
            return None;
        };
        let entries = TreeRefIter::from_bytes(&object.data, self.repository.object_hash());
        let found = entries.filter_map(Result::ok).find(|entry| entry.filename == name.as_bytes());
        found.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid.to_owned())
    }

    fn folder(&mut self, tree: ObjectId, path: &str, depth: usize, what: For) {
        let place = xxh3_64(path.as_bytes());
        if self.cut || !self.seen.insert(key(tree, place, b"")) {
            return;
        }
        self.folders += 1;
        if depth > self.options.max_depth {
            self.deep += 1;
            return;
        }
        if self.folders > MOST_FOLDERS {
            self.cut = true;
            return;
        }
        let repository = self.repository;
        let Ok(object) = repository.find_object(tree) else {
            self.unreadable += 1;
            return;
        };
        if object.kind != gix::objs::Kind::Tree {
            self.unreadable += 1;
            return;
        }
        for entry in TreeRefIter::from_bytes(&object.data, repository.object_hash()) {
            let Ok(entry) = entry else {
                self.unreadable += 1;
                return;
            };
            let Ok(name) = std::str::from_utf8(entry.filename) else {
                self.odd_names += usize::from(self.seen.insert(key(entry.oid.to_owned(), place, entry.filename)));
                continue;
            };
            if entry.mode.is_tree() {
                let path = joined(path, name);
                if !self.is_left_out(&path) {
                    self.folder(entry.oid.to_owned(), &path, depth + 1, what);
                }
            } else if entry.mode.is_blob() && self.seen.insert(key(entry.oid.to_owned(), place, entry.filename)) {
                self.file(joined(path, name), entry.oid.to_owned(), what);
            } else if entry.mode.is_commit() {
                self.submodules.insert(joined(path, name));
            }
        }
    }

    /// Folders of tests, documents and the like have nothing that runs, whatever is in them.
    fn is_left_out(&self, path: &str) -> bool {
        let inside = format!("{path}/a.rs");
        let is_service = role::of(&inside, Kind::Rust, "") == Role::Service || self.decided.folders.contains(path);
        self.options.exclude.is_match(path) || !is_service
    }

    fn file(&mut self, path: String, blob: ObjectId, what: For) {
        let Some(at) = self.place(path) else { return };
        let Some(file) = self.list.get_mut(at) else { return };
        match what {
            For::Before => file.before.push(blob),
            For::Commit(_) if self.versions >= MOST_VERSIONS => self.cut = true,
            For::Commit(commit) => {
                self.versions += 1;
                file.versions.push(Version { blob, commit });
            }
        }
    }

    /// Where a file stands in the list; `None` for one that is not searched.
    fn place(&mut self, path: String) -> Option<usize> {
        if let Some(known) = self.files.get(&path) {
            return *known;
        }
        if self.files.len() >= MOST_PATHS {
            self.cut = true;
            return None;
        }
        let kind = kind::by_name(&path);
        let decided = self.decided.roles.get(path.as_str()).copied();
        let role = decided.unwrap_or_else(|| role::of(&path, kind.unwrap_or(Kind::Text), ""));
        let wanted = !self.options.exclude.is_match(&path) && self.search.wants(&path, kind, role);
        let at = wanted.then_some(self.list.len());
        if wanted {
            let (versions, before) = (Vec::new(), Vec::new());
            self.list.push(File { path: path.clone(), kind, versions, before, role: decided });
        }
        self.files.insert(path, at);
        at
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

/// A file or folder at a place, told apart from all others.
fn key(object: ObjectId, place: u64, name: &[u8]) -> u128 {
    let mut bytes = [0u8; 288];
    let id = object.as_slice();
    let end = id.len() + name.len();
    match bytes.get_mut(..end) {
        Some(room) => {
            room[..id.len()].copy_from_slice(id);
            room[id.len()..].copy_from_slice(name);
            xxh3_128_with_seed(room, place)
        }
        None => xxh3_128_with_seed(&[id, name].concat(), place),
    }
}

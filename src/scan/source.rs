//! What every later stage knows of a file: its path, kind, role and text.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Index of a file in [`Tree::files`]; those of [`Tree::past`] go on from there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// A half-open range of bytes in a file's text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end`; an inverted pair gives an empty span at `start`.
    pub fn new(start: usize, end: usize) -> Span {
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let end = u32::try_from(end).unwrap_or(u32::MAX).max(start);
        Span { start, end }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As a range of `usize`, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies inside this span.
    pub fn holds(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A span in a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// Where in it.
    pub span: Span,
}

/// What a file is written in, by name and content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)] // the names are those of the formats
pub enum Kind {
    Rust,
    CargoManifest,
    CargoLock,
    Toml,
    Yaml,
    Json,
    Hjson,
    Env,
    Dockerfile,
    Sql,
    Markdown,
    Hcl,
    Shell,
    Nginx,
    Caddyfile,
    Just,
    Make,
    Procfile,
    GitIgnore,
    DockerIgnore,
    SystemdUnit,
    Properties,
    Html,
    /// Other programming languages: read for secrets and by name only.
    OtherCode,
    /// Text of no known format.
    Text,
    /// Not text; only its name, size and tracking are known.
    Binary,
}

/// What a file is for. Rules see service files unless they say otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Role {
    /// Part of what runs, or of how it is built, configured and deployed.
    #[default]
    Service,
    /// Tests, fixtures, test harnesses.
    Test,
    /// Examples and samples.
    Example,
    /// Benchmarks.
    Bench,
    /// `build.rs`, xtasks and other code that runs at build time only.
    BuildScript,
    /// Set-up of a developer's machine: devcontainers, editor settings.
    Development,
    /// Documentation.
    Docs,
    /// Written by a tool.
    Generated,
    /// Somebody else's code kept in the tree.
    Vendored,
}

impl Role {
    /// The word for it in rules and reports.
    pub fn word(self) -> &'static str {
        match self {
            Role::Service => "service",
            Role::Test => "test",
            Role::Example => "example",
            Role::Bench => "bench",
            Role::BuildScript => "build-script",
            Role::Development => "development",
            Role::Docs => "docs",
            Role::Generated => "generated",
            Role::Vendored => "vendored",
        }
    }
}

/// A file of the scanned tree.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its place in [`Tree::files`].
    pub id: FileId,
    /// Relative to the scanned root, with `/`.
    pub path: String,
    /// What it is written in.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// Why it has that role, where more than its name decided.
    pub role_because: String,
    /// Whether git tracks it; `None` when there is no index to ask.
    pub tracked: Option<bool>,
    /// Whether a .gitignore rule covers it (a file may be both ignored and tracked).
    pub ignored: bool,
    /// Size on disk in bytes.
    pub size: u64,
    /// Its text; empty when it was not read (binary, over the size limit).
    pub text: Arc<str>,
    /// Byte offsets of line starts, made on first use.
    pub lines: OnceLock<Vec<u32>>,
}

/// A 1-based place for people; columns count Unicode code points.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineColumn {
    /// 1-based line.
    pub line: u32,
    /// 1-based column in code points.
    pub column: u32,
}

impl SourceFile {
    /// The last segment of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder of the file without a trailing slash; empty at the root.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The text under a span; empty where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX))).collect()
        })
    }

    /// Line and column of a byte offset.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let from = starts[line - 1] as usize;
        let mut to = (offset as usize).min(self.text.len());
        while to > from && !self.text.is_char_boundary(to) {
            to -= 1;
        }
        let column = self.text.get(from..to).map_or(0, |text| text.chars().count());
        LineColumn {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// The span of a 1-based line without its line break.
    pub fn line_span(&self, line: u32) -> Span {
        let starts = self.line_starts();
        let at = (line.max(1) as usize - 1).min(starts.len() - 1);
        let start = starts[at] as usize;
        let end = starts.get(at + 1).map_or(self.text.len(), |next| *next as usize);
        let text = self.text.get(start..end).unwrap_or("").trim_end_matches(['\n', '\r']);
        Span::new(start, start + text.len())
    }
}

/// Something that was not read or not understood, said to the user. It changes no exit code unless `fatal`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Notice {
    /// Relative path; empty for the run as a whole.
    pub path: String,
    /// 1-based line where that is known.
    pub line: Option<u32>,
    /// What happened and what follows from it.
    pub message: String,
    /// A reader that crashed, an unreadable root or a bound that cut linking: the run ends with exit code 3.
    pub fatal: bool,
}

impl fmt::Display for Notice {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.as_str(), self.line) {
            ("", _) => write!(to, "{}", self.message),
            (path, Some(line)) => write!(to, "{path}:{line}: {}", self.message),
            (path, None) => write!(to, "{path}: {}", self.message),
        }
    }
}

/// A commit of the repository's history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Its place in the history: a parent comes before its children.
    pub order: u32,
    /// The first digits of its id.
    pub id: String,
    /// Day of its author's clock, `YYYY-MM-DD`.
    pub day: String,
    /// Its parents are not in this clone: what it has may be older.
    pub cut: bool,
}

/// A file as it stood in a commit.
#[derive(Clone, Debug)]
pub struct PastFile {
    /// Path and text of then.
    pub file: SourceFile,
    /// The first commit that has this text at this path.
    pub commit: Commit,
}

/// The scanned tree: every file that was seen, sorted by path.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The scanned root as the user named it.
    pub root: PathBuf,
    /// Folder of the root below the git top level, with `/`; empty when it is the top level, `None` outside git.
    pub git_prefix: Option<String>,
    /// Files sorted by path; a [`FileId`] is an index here.
    pub files: Vec<SourceFile>,
    /// Symbolic links to files of the tree, by their own path.
    pub links: BTreeMap<String, FileId>,
    /// Versions of files in which the search of the history found something, oldest first; their ids go on from the
    /// files'.
    pub past: Vec<PastFile>,
    /// What was not read, and why.
    pub notices: Vec<Notice>,
}

impl Tree {
    /// The file of an id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        let at = id.0 as usize;
        self.files.get(at).unwrap_or_else(|| &self.past[at - self.files.len()].file)
    }

    /// The version of a file that an id means, where it is none of the tree.
    pub fn past(&self, id: FileId) -> Option<&PastFile> {
        (id.0 as usize).checked_sub(self.files.len()).and_then(|at| self.past.get(at))
    }

    /// A file's path for people; `commit:path`, as git writes it, for an earlier version.
    pub fn label(&self, id: FileId) -> String {
        let path = &self.file(id).path;
        self.past(id).map_or_else(|| path.clone(), |past| format!("{}:{path}", past.commit.id))
    }

    /// The file at a relative path, or that a symbolic link there leads to.
    pub fn find(&self, path: &str) -> Option<&SourceFile> {
        match self.files.binary_search_by(|file| file.path.as_str().cmp(path)) {
            Ok(at) => self.files.get(at),
            Err(_) => self.links.get(path).map(|id| self.file(*id)),
        }
    }

    /// `path:line` of a place.
    pub fn at(&self, place: Place) -> (String, u32) {
        let file = self.file(place.file);
        (file.path.clone(), file.line_column(place.span.start).line)
    }
}

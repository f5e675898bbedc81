//! One file through its versions, the newest first: what a version has in common with the next is not searched again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use gix::{ObjectId, Repository};

use super::versions::{File, Version};
use super::{Search, Trace};
use crate::scan::source::{FileId, Kind, SourceFile};
use crate::scan::{kind, read, role};

/// Lines around a change that belong to it: a name may stand some lines above its value.
const AROUND: usize = 4;
/// More things than this in one file are data, not secrets.
const MOST_OF_A_FILE: usize = 1_000;

/// Something found in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sighting {
    /// What it is.
    pub(super) key: String,
    /// The oldest version with the text that shows it.
    pub(super) oldest: Version,
    /// The oldest version in which it was found by searching.
    pub(super) searched: Version,
}

/// What one file gave.
#[derive(Default)]
pub(super) struct Followed {
    /// What was found.
    pub(super) sightings: Vec<Sighting>,
    /// Versions over the size that is read.
    pub(super) large: usize,
    /// Versions that cannot be read.
    pub(super) unreadable: usize,
    /// Versions that a reader crashed on.
    pub(super) crashed: usize,
    /// There is more in it than is kept.
    pub(super) more: bool,
}

/// Follows a file.
pub(super) fn follow(reader: &Reader<'_>, file: &File, mut heard: impl FnMut()) -> Followed {
    let mut following =
        Following { reader, file, newer: String::new(), tracked: BTreeMap::new(), followed: Followed::default() };
    for version in file.versions.iter().rev() {
        following.version(*version);
        heard();
    }
    let sightings = following.tracked.into_iter();
    let sightings =
        sightings.map(|(key, tracked)| Sighting { key, oldest: tracked.oldest, searched: tracked.searched });
    Followed { sightings: sightings.collect(), ..following.followed }
}

/// Something that is looked for in older versions.
struct Tracked {
    /// The text that shows it.
    text: String,
    /// Where the version before in the walk has it.
    at: Option<usize>,
    oldest: Version,
    searched: Version,
}

struct Following<'f> {
    reader: &'f Reader<'f>,
    file: &'f File,
    /// Text of the version that was looked at before.
    newer: String,
    tracked: BTreeMap<String, Tracked>,
    followed: Followed,
}

impl Following<'_> {
    fn version(&mut self, version: Version) {
        let file = match self.reader.read(self.file, version.blob) {
            Content::File(file) => file,
            Content::Large => return self.followed.large += 1,
            Content::Unreadable => return self.followed.unreadable += 1,
        };
        let same = Common::of(&file.text, &self.newer);
        for tracked in self.tracked.values_mut() {
            tracked.at = same.find(&tracked.text, tracked.at, &file.text, self.newer.len());
            if tracked.at.is_some() {
                tracked.oldest = version;
            }
        }
        let lines = if names_stand_apart(file.kind) { &file.text } else { same.changed_lines(&file.text) };
        if file.kind == Kind::Binary || self.reader.search.may_hold(file.kind, lines) {
            self.search(&file, version);
        }
        self.newer.clear();
        self.newer.push_str(&file.text);
    }

    fn search(&mut self, file: &SourceFile, version: Version) {
        let Some(traces) = self.reader.traces(file) else { return self.followed.crashed += 1 };
        for trace in traces {
            if self.tracked.len() >= MOST_OF_A_FILE && !self.tracked.contains_key(&trace.key) {
                self.followed.more = true;
                continue;
            }
            let text = file.slice(trace.span).to_string();
            let at = (!text.is_empty()).then_some(trace.span.start as usize);
            let new = || Tracked { text: String::new(), at: None, oldest: version, searched: version };
            let tracked = self.tracked.entry(trace.key).or_insert_with(new);
            (tracked.oldest, tracked.searched) = (version, version);
            if tracked.at.is_none() {
                (tracked.text, tracked.at) = (text, at);
            }
        }
    }
}

/// Formats in which a value's name may stand far above it.
fn names_stand_apart(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CargoManifest | Kind::Toml | Kind::Yaml | Kind::Json | Kind::Hcl | Kind::Dockerfile | Kind::Sql
    )
}

/// What the start and the end of a text have in common with another's.
struct Common {
    start: usize,
    end: usize,
}

impl Common {
    fn of(text: &str, other: &str) -> Common {
        let (text, other) = (text.as_bytes(), other.as_bytes());
        let start = same_bytes(text, other);
        let rest = |bytes: &[u8]| bytes.len() - start;
        let most = rest(text).min(rest(other));
        let ends = text.iter().rev().zip(other.iter().rev()).take(most);
        Common { start, end: ends.take_while(|(left, right)| left == right).count() }
    }

    /// Where a text stands that the other had at a place.
    fn find(&self, wanted: &str, at: Option<usize>, text: &str, other: usize) -> Option<usize> {
        if wanted.is_empty() {
            return None;
        }
        match at {
            Some(at) if at + wanted.len() <= self.start => Some(at),
            Some(at) if at >= other - self.end => Some(at + text.len() - other),
            _ => text.find(wanted),
        }
    }

    /// The lines that the other has not, with those around them.
    fn changed_lines<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.changed(text.as_bytes())).unwrap_or(text)
    }

    fn changed(&self, text: &[u8]) -> Range<usize> {
        let before = text[..self.start].iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
        let start = before.map(|(at, _)| at + 1).nth(AROUND).unwrap_or(0);
        let from = text.len() - self.end;
        let after = text[from..].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let end = after.map(|(at, _)| from + at + 1).nth(AROUND).unwrap_or(text.len());
        start..end
    }
}

fn same_bytes(left: &[u8], right: &[u8]) -> usize {
    const STEP: usize = 256;
    let steps = left.chunks_exact(STEP).zip(right.chunks_exact(STEP));
    let whole = steps.take_while(|(left, right)| left == right).count() * STEP;
    let rest = left[whole..].iter().zip(&right[whole..]);
    whole + rest.take_while(|(left, right)| left == right).count()
}

/// What a version is read as.
pub(super) enum Content {
    /// A file; without text where it is binary.
    File(SourceFile),
    /// It is over the size that is read.
    Large,
    /// The object is missing or damaged.
    Unreadable,
}

/// Reads versions and searches them.
pub(super) struct Reader<'r> {
    /// The repository.
    pub(super) repository: &'r Repository,
    /// Versions over this many bytes are not read.
    pub(super) max_file_size: u64,
    /// What they are searched for.
    pub(super) search: &'r dyn Search,
}

impl Reader<'_> {
    /// A version as a file of the tree would be read.
    pub(super) fn read(&self, file: &File, blob: ObjectId) -> Content {
        let Ok(header) = self.repository.find_header(blob) else { return Content::Unreadable };
        let (size, named) = (header.size(), file.kind);
        if named == Some(Kind::Binary) {
            return Content::File(source_file(file, Kind::Binary, size, String::new()));
        }
        if size > self.max_file_size {
            return Content::Large;
        }
        let Ok(object) = self.repository.find_object(blob) else { return Content::Unreadable };
        let contents = read::of_bytes(object.detach().data);
        let kind = match (contents.binary, named) {
            (true, _) => Kind::Binary,
            (false, Some(kind)) => kind,
            (false, None) => kind::by_content(&file.path, &contents.text),
        };
        Content::File(source_file(file, kind, size, contents.text))
    }

    /// What a version holds; `None` where a reader crashed.
    pub(super) fn traces(&self, file: &SourceFile) -> Option<Vec<Trace>> {
        catch_unwind(AssertUnwindSafe(|| self.search.traces(file))).ok()
    }
}

fn source_file(file: &File, kind: Kind, size: u64, text: String) -> SourceFile {
    SourceFile {
        id: FileId(u32::MAX),
        path: file.path.clone(),
        kind,
        role: file.role.unwrap_or_else(|| role::of(&file.path, kind, &text)),
        role_because: String::new(),
        tracked: Some(true),
        ignored: false,
        size,
        text: Arc::from(text),
        lines: OnceLock::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed<'t>(text: &'t str, newer: &str) -> &'t str {
        Common::of(text, newer).changed_lines(text)
    }

    #[test]
    fn only_lines_that_differ_and_those_around_are_left() {
        let lines = |from: usize, to: usize| (from..to).map(|at| format!("line {at}\n")).collect::<String>();
        let newer = lines(0, 100);
        assert_eq!(changed(&newer, ""), newer);
        let older = newer.replace("line 50\n", "line fifty\n");
        assert_eq!(changed(&older, &newer), format!("{}line fifty\n{}", lines(46, 50), lines(51, 55)));
        let older = format!("{}new\n", lines(0, 100));
        assert_eq!(changed(&older, &newer), format!("{}new\n", lines(96, 100)));
        // What one side repeats belongs to one end only.
        assert_eq!(changed("a\na\na\n", "a\na\n"), "a\na\na\n");
    }

    #[test]
    fn text_is_found_where_it_was_where_it_moved_and_where_it_changed_place() {
        let newer = "start SECRET middle end".to_string();
        let find = |older: &str| Common::of(older, &newer).find("SECRET", newer.find("SECRET"), older, newer.len());
        for older in ["start SECRET other", "longer start SECRET middle end", "middle SECRET start", "SECRET"] {
            assert_eq!(find(older), older.find("SECRET"), "{older}");
        }
        assert_eq!(find("start middle end"), None);
        assert_eq!(find(""), None);
        assert_eq!(Common::of("x", "").find("", Some(0), "x", 0), None, "an empty text is nowhere");
    }
}

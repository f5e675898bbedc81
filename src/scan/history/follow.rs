//! One file through its versions, the newest first: what a version has in common with the next is not searched again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use gix::{ObjectId, Repository};

use super::shared::{Other, Others};
use super::versions::{File, Version};
use super::{Search, Trace};
use crate::scan::source::{FileId, Kind, SourceFile};
use crate::scan::{kind, read, role};

/// Lines around a change that belong to it: a name may stand some lines above its value.
const AROUND: usize = 4;
/// More things than this in one file are data, not secrets.
const MOST_OF_A_FILE: usize = 1_000;

/// Something found in a file.
pub(super) struct Sighting<'r> {
    /// What it is.
    pub(super) key: String,
    /// The file.
    pub(super) file: usize,
    /// The oldest version with the text that shows it, where searching that version finds it; else the oldest in
    /// which it was found.
    pub(super) version: Version,
    /// That version, where there was room to keep it.
    pub(super) held: Option<Arc<Held<'r>>>,
}

/// What one file gave.
#[derive(Default)]
pub(super) struct Followed<'r> {
    /// What was found.
    pub(super) sightings: Vec<Sighting<'r>>,
    /// What was found where a blob of it stood before the range.
    pub(super) before: BTreeSet<String>,
    /// Versions over the size that is read.
    pub(super) large: usize,
    /// Versions that cannot be read.
    pub(super) unreadable: usize,
    /// Versions that a reader crashed on.
    pub(super) crashed: usize,
    /// There is more in it than is kept.
    pub(super) more: bool,
}

/// Follows a file; `others` has what else its blobs are judged for.
pub(super) fn follow<'r>(reader: &Reader<'r>, at: usize, others: &Others, mut heard: impl FnMut()) -> Followed<'r> {
    let mut following = Following { reader, at, newer: None, tracked: BTreeMap::new(), followed: Followed::default() };
    for version in reader.files[at].versions.iter().rev() {
        following.version(*version, others.get(&version.blob).map_or(&[], Vec::as_slice));
        heard();
    }
    if following.tracked.values().any(|tracked| following.is_unsure(tracked)) {
        following.search_newer();
    }
    let Following { tracked, mut followed, .. } = following;
    let sightings = tracked.into_iter();
    followed.sightings.extend(sightings.map(|(key, Tracked { version, held, .. })| Sighting {
        key,
        file: at,
        version,
        held,
    }));
    followed
}

/// Something that is looked for in older versions.
struct Tracked<'r> {
    /// The text that shows it.
    text: String,
    /// Where the version before in the walk has it.
    at: Option<usize>,
    /// The oldest version in which it was found by searching.
    version: Version,
    held: Option<Arc<Held<'r>>>,
}

/// The version that was looked at before.
struct Newer<'r> {
    version: Version,
    file: SourceFile,
    held: Option<Arc<Held<'r>>>,
    searched: bool,
}

struct Following<'f, 'r> {
    reader: &'f Reader<'r>,
    at: usize,
    newer: Option<Newer<'r>>,
    tracked: BTreeMap<String, Tracked<'r>>,
    followed: Followed<'r>,
}

impl<'r> Following<'_, 'r> {
    fn version(&mut self, version: Version, others: &[Other]) {
        let read = self.reader.read(version.blob, iter_of(self.at, others));
        others.iter().for_each(|other| self.beside(version.blob, *other, &read));
        let file = match self.reader.file(self.at, &read) {
            Content::File(file) => file,
            Content::Large => return self.followed.large += 1,
            Content::Unreadable => return self.followed.unreadable += 1,
        };
        let newer = self.newer.as_ref().map_or("", |newer| &newer.file.text);
        let (same, length) = (Common::of(&file.text, newer), newer.len());
        let find = |tracked: &Tracked<'_>| same.find(&tracked.text, tracked.at, &file.text, length);
        if self.tracked.values().any(|tracked| self.is_unsure(tracked) && find(tracked).is_none()) {
            self.search_newer();
        }
        for tracked in self.tracked.values_mut() {
            tracked.at = find(tracked);
        }
        let lines = if names_stand_apart(file.kind) { &file.text } else { same.changed_lines(&file.text) };
        let search = file.kind == Kind::Binary || self.reader.search.may_hold(file.kind, lines);
        self.newer = Some(Newer { version, file, held: None, searched: false });
        if search {
            self.search_newer();
        }
    }

    /// The version before in the walk is the oldest that has its text, and was not searched for it.
    fn is_unsure(&self, tracked: &Tracked<'_>) -> bool {
        let unsearched = self.newer.as_ref().is_some_and(|newer| !newer.searched);
        unsearched && tracked.at.is_some()
    }

    /// Searches the version that was looked at last.
    fn search_newer(&mut self) {
        let Some(newer) = self.newer.as_mut().filter(|newer| !newer.searched) else { return };
        newer.searched = true;
        let Some(traces) = self.reader.traces(&newer.file) else { return self.followed.crashed += 1 };
        if newer.held.is_none() && !traces.is_empty() {
            newer.held = self.reader.hold(&newer.file);
        }
        for trace in traces {
            if self.tracked.len() >= MOST_OF_A_FILE && !self.tracked.contains_key(&trace.key) {
                self.followed.more = true;
                continue;
            }
            let text = newer.file.slice(trace.span).to_string();
            let at = (!text.is_empty()).then_some(trace.span.start as usize);
            let new = || Tracked { text: String::new(), at: None, version: newer.version, held: None };
            let tracked = self.tracked.entry(trace.key).or_insert_with(new);
            tracked.version = newer.version;
            tracked.held.clone_from(&newer.held);
            if tracked.at.is_none() {
                (tracked.text, tracked.at) = (text, at);
            }
        }
    }

    /// Judges a blob for another path than that whose versions are followed.
    fn beside(&mut self, blob: ObjectId, other: Other, read: &Read) {
        // What cannot be read is counted once.
        let Content::File(file) = self.reader.file(other.file, read) else { return };
        if file.kind != Kind::Binary && !self.reader.search.may_hold(file.kind, &file.text) {
            return;
        }
        let Some(traces) = self.reader.traces(&file) else { return self.followed.crashed += 1 };
        self.followed.more |= traces.len() > MOST_OF_A_FILE;
        let keys = traces.into_iter().take(MOST_OF_A_FILE).map(|trace| trace.key);
        let Some(commit) = other.commit else { return self.followed.before.extend(keys) };
        let mut keys = keys.peekable();
        let held = keys.peek().and_then(|_| self.reader.hold(&file));
        let version = Version { blob, commit };
        let sighting = |key| Sighting { key, file: other.file, version, held: held.clone() };
        self.followed.sightings.extend(keys.map(sighting));
    }
}

fn iter_of(at: usize, others: &[Other]) -> impl Iterator<Item = usize> {
    std::iter::once(at).chain(others.iter().map(|other| other.file))
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

/// A blob as it was unpacked.
pub(super) struct Read {
    size: u64,
    text: Text,
}

enum Text {
    /// Nothing asks for it.
    Unasked,
    /// It is none.
    Bytes,
    Of(Arc<str>),
    Large,
    Unreadable,
}

impl Text {
    fn of(bytes: Vec<u8>) -> Text {
        let contents = read::of_bytes(bytes);
        if contents.binary { Text::Bytes } else { Text::Of(Arc::from(contents.text)) }
    }
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

/// Room for the text of what was found, so that it is not unpacked again.
#[derive(Default)]
pub(super) struct Room(AtomicUsize);

/// A version that something was found in. Its room is free again when nothing holds it.
pub(super) struct Held<'r> {
    /// The version.
    pub(super) file: SourceFile,
    room: &'r Room,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.file.text.len(), Ordering::Relaxed);
    }
}

/// Reads versions and searches them.
pub(super) struct Reader<'r> {
    /// The repository.
    pub(super) repository: Repository,
    /// All files.
    pub(super) files: &'r [File],
    /// Versions over this many bytes are not read.
    pub(super) max_file_size: u64,
    /// What they are searched for.
    pub(super) search: &'r dyn Search,
    /// How often a blob was unpacked.
    pub(super) unpacked: &'r AtomicUsize,
    /// Where what was found is kept, and how many bytes at most.
    pub(super) room: (&'r Room, usize),
}

impl<'r> Reader<'r> {
    /// Unpacks a blob that stood at some paths.
    pub(super) fn read(&self, blob: ObjectId, mut paths: impl Iterator<Item = usize>) -> Read {
        let Ok(header) = self.repository.find_header(blob) else { return Read { size: 0, text: Text::Unreadable } };
        let size = header.size();
        if paths.all(|at| self.files[at].kind == Some(Kind::Binary)) {
            // What names say to be bytes is not unpacked.
            return Read { size, text: Text::Unasked };
        }
        if size > self.max_file_size {
            return Read { size, text: Text::Large };
        }
        self.unpacked.fetch_add(1, Ordering::Relaxed);
        let text = match self.repository.find_object(blob) {
            Ok(object) => Text::of(object.detach().data),
            Err(_) => Text::Unreadable,
        };
        Read { size, text }
    }

    /// What was read as a file of the tree would be.
    pub(super) fn file(&self, at: usize, read: &Read) -> Content {
        let file = &self.files[at];
        let (kind, text) = match (&read.text, file.kind) {
            (Text::Unreadable, _) => return Content::Unreadable,
            (_, Some(Kind::Binary)) | (Text::Bytes, _) => (Kind::Binary, Arc::from("")),
            (Text::Large | Text::Unasked, _) => return Content::Large,
            (Text::Of(text), Some(kind)) => (kind, Arc::clone(text)),
            (Text::Of(text), None) => (kind::by_content(&file.path, text), Arc::clone(text)),
        };
        Content::File(source_file(file, kind, read.size, text))
    }

    /// What a version holds; `None` where a reader crashed.
    pub(super) fn traces(&self, file: &SourceFile) -> Option<Vec<Trace>> {
        catch_unwind(AssertUnwindSafe(|| self.search.traces(file))).ok()
    }

    /// Keeps a version, if there is room.
    fn hold(&self, file: &SourceFile) -> Option<Arc<Held<'r>>> {
        let (room, most) = self.room;
        let bytes = file.text.len();
        let fits = |used: usize| Some(used + bytes).filter(|used| *used <= most);
        room.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Arc::new(Held { file: file.clone(), room }))
    }
}

fn source_file(file: &File, kind: Kind, size: u64, text: Arc<str>) -> SourceFile {
    SourceFile {
        id: FileId(u32::MAX),
        path: file.path.clone(),
        kind,
        role: file.role.unwrap_or_else(|| role::of(&file.path, kind, &text)),
        role_because: String::new(),
        tracked: Some(true),
        ignored: false,
        size,
        text,
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

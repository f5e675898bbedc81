//! Blobs that stood at several paths: each is read for one of them, and judged for the others from the same text.

use std::collections::{BTreeMap, HashMap, HashSet};

use gix::ObjectId;

use super::Search;
use super::versions::{File, Version};
use crate::scan::role;
use crate::scan::source::Kind;

/// Another path that a blob is judged for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Other {
    /// Place of its file in the list.
    pub(super) file: usize,
    /// The first commit that has it there; `None` where it stood before the range.
    pub(super) commit: Option<u32>,
}

/// For blobs that are judged for more than the file that has them: what else they are judged for.
pub(super) type Others = HashMap<ObjectId, Vec<Other>>;

/// Where a blob stood: by commit, with what stood before the range last.
type Place = (ObjectId, Option<u32>, usize);

/// Leaves each blob to the file that had it first. Of the other paths those are kept that make another text of it:
/// where a path reads the same, what is found there was found in an older commit.
pub(super) fn share(files: &mut [File], search: &dyn Search) -> Others {
    let mut readings = Readings { search, known: HashMap::new(), of: vec![None; files.len()] };
    let mut places = places(files);
    places.sort_unstable_by_key(|(blob, commit, file)| (*blob, commit.is_none(), *commit, *file));
    let mut others = Others::new();
    let mut taken: HashSet<(usize, ObjectId)> = HashSet::new();
    for group in places.chunk_by(|left, right| left.0 == right.0).filter(|group| group.len() > 1) {
        let [(blob, Some(_), owner), rest @ ..] = group else { continue };
        let mut seen = vec![(readings.of(files, *owner), true)];
        for (_, commit, file) in rest {
            taken.insert((*file, *blob));
            let reading = (readings.of(files, *file), commit.is_some());
            if !seen.contains(&reading) {
                seen.push(reading);
                others.entry(*blob).or_default().push(Other { file: *file, commit: *commit });
            }
        }
    }
    for (at, file) in files.iter_mut().enumerate() {
        file.versions.retain(|version| !taken.contains(&(at, version.blob)));
        file.before.retain(|blob| !taken.contains(&(at, *blob)));
    }
    others
}

/// What is left of the time before the range, each blob once with the files that it is judged for.
pub(super) fn before(files: &[File], search: &dyn Search) -> Vec<(ObjectId, Vec<usize>)> {
    let mut readings = Readings { search, known: HashMap::new(), of: vec![None; files.len()] };
    let mut blobs: BTreeMap<ObjectId, Vec<usize>> = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        for blob in &file.before {
            let known = blobs.entry(*blob).or_default();
            let reading = readings.of(files, at);
            if known.iter().all(|other| readings.of(files, *other) != reading) {
                known.push(at);
            }
        }
    }
    blobs.into_iter().collect()
}

fn places(files: &[File]) -> Vec<Place> {
    let of_file = |(at, file): (usize, &File)| {
        let versions = file.versions.iter().map(move |Version { blob, commit }| (*blob, Some(*commit), at));
        versions.chain(file.before.iter().map(move |blob| (*blob, None, at))).collect::<Vec<Place>>()
    };
    files.iter().enumerate().flat_map(of_file).collect()
}

/// What a path makes of a text, by number.
struct Readings<'s> {
    search: &'s dyn Search,
    known: HashMap<String, u32>,
    of: Vec<Option<u32>>,
}

impl Readings<'_> {
    fn of(&mut self, files: &[File], at: usize) -> u32 {
        if let Some(Some(number)) = self.of.get(at) {
            return *number;
        }
        let file = &files[at];
        let role = file.role.unwrap_or_else(|| role::of(&file.path, file.kind.unwrap_or(Kind::Text), ""));
        let reading = format!("{:?} {:?} {role:?} {}", file.kind, file.role, self.search.reading(&file.path));
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let number = *self.known.entry(reading).or_insert(next);
        self.of[at] = Some(number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::history::Trace;
    use crate::scan::source::{Role, SourceFile};

    /// A path makes of a text what the folder at its start says.
    struct ByFolder;

    impl Search for ByFolder {
        fn wants(&self, _path: &str, _kind: Option<Kind>, _role: Role) -> bool {
            true
        }
        fn reading(&self, path: &str) -> String {
            path.split('/').next().unwrap_or_default().to_string()
        }
        fn may_hold(&self, _kind: Kind, _lines: &str) -> bool {
            true
        }
        fn traces(&self, _file: &SourceFile) -> Vec<Trace> {
            Vec::new()
        }
    }

    fn blob(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    fn file(path: &str, versions: &[(u8, u32)], before: &[u8]) -> File {
        let versions = versions.iter().map(|(of, commit)| Version { blob: blob(*of), commit: *commit }).collect();
        let before = before.iter().map(|of| blob(*of)).collect();
        File { path: path.to_string(), kind: None, versions, before, role: None }
    }

    #[test]
    fn a_blob_belongs_to_the_file_that_had_it_first_and_is_judged_once_for_each_reading() {
        let mut files = [
            file("a/new.rs", &[(1, 7), (2, 8)], &[]),
            file("a/old.rs", &[(1, 3)], &[]),
            file("b/copy.rs", &[(1, 9)], &[]),
            file("b/again.rs", &[(1, 9)], &[]),
        ];
        let others = share(&mut files, &ByFolder);
        let versions: Vec<usize> = files.iter().map(|file| file.versions.len()).collect();
        assert_eq!(versions, [1, 1, 0, 0]);
        assert_eq!(others.get(&blob(1)), Some(&vec![Other { file: 2, commit: Some(9) }]));
        assert_eq!(others.len(), 1);
    }

    #[test]
    fn what_stood_elsewhere_before_the_range_is_judged_with_the_version() {
        let mut files =
            [file("a/new.rs", &[(1, 7)], &[2]), file("a/old.rs", &[], &[1, 2]), file("b/old.rs", &[], &[2])];
        let others = share(&mut files, &ByFolder);
        assert_eq!(others.get(&blob(1)), Some(&vec![Other { file: 1, commit: None }]));
        assert_eq!(others.len(), 1);
        assert_eq!(before(&files, &ByFolder), [(blob(2), vec![0, 2])]);
    }
}

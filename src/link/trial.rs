//! Small trees for tests: written to a temporary folder, scanned and parsed as real ones are.
#![allow(clippy::unwrap_used)]

use super::Repository;
use crate::parse::parse_all;
use crate::scan::{ScanOptions, scan};

/// The parsed tree of these files (path and text).
pub fn repository(files: &[(&str, &str)]) -> Repository {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tree = scan(folder.path(), &ScanOptions::default()).unwrap();
    let (parsed, _) = parse_all(&tree);
    Repository { tree, parsed }
}

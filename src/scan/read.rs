//! Reads a file within bounds and gives its text, whatever its encoding.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// What a file holds.
#[derive(Default)]
pub(super) struct Contents {
    /// Its text; empty when it was not read.
    pub(super) text: String,
    /// It is not text.
    pub(super) binary: bool,
    /// Its size on disk.
    pub(super) size: u64,
    /// What could not be read, with a line where there is one.
    pub(super) problems: Vec<(Option<u32>, String)>,
}

/// Bytes looked at to tell text from binary, as git does.
const SNIFF: usize = 8000;

/// Reads a file of at most `limit` bytes. `known_binary` files are only measured.
pub(super) fn read(path: &Path, known_binary: bool, limit: u64) -> Contents {
    let mut contents =
        Contents { size: std::fs::metadata(path).map_or(0, |metadata| metadata.len()), ..Contents::default() };
    if known_binary {
        contents.binary = true;
        return contents;
    }
    match bytes_of(path, contents.size.min(limit)) {
        Err(error) => contents.problems.push((None, format!("not read: {}", error.kind()))),
        Ok(bytes) => fill(&mut contents, bytes, limit),
    }
    contents
}

/// What bytes that stand in no file of the tree hold.
#[cfg(feature = "git")]
pub(super) fn of_bytes(bytes: Vec<u8>) -> Contents {
    let size = bytes.len() as u64;
    let mut contents = Contents { size, ..Contents::default() };
    fill(&mut contents, bytes, size);
    contents
}

fn bytes_of(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or(0));
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fill(contents: &mut Contents, bytes: Vec<u8>, limit: u64) {
    if let Some((text, sound)) = utf16(&bytes) {
        contents.text = text;
        if !sound {
            contents.problems.push((None, "not valid UTF-16: read with the invalid parts replaced".to_string()));
        }
    } else if let Some(unit) = unmarked(&bytes[..bytes.len().min(SNIFF)]) {
        (contents.text, _) = units(&bytes, unit);
        contents.problems.push((None, "UTF-16 without a byte order mark: read as such".to_string()));
    } else if bytes[..bytes.len().min(SNIFF)].contains(&0) {
        contents.binary = true;
        return;
    } else {
        decode(contents, bytes);
    }
    if contents.size > limit {
        contents.text.clear();
        contents.problems =
            vec![(None, format!("larger than {} KiB ({} KiB): not read", limit / 1024, contents.size / 1024))];
    }
}

fn decode(contents: &mut Contents, bytes: Vec<u8>) {
    match String::from_utf8(bytes) {
        Ok(text) => contents.text = text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            contents.text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let message = "not valid UTF-8: read with the invalid bytes replaced".to_string();
            contents.problems.push((u32::try_from(line).ok(), message));
        }
    }
    if let Some(rest) = contents.text.strip_prefix('\u{feff}') {
        contents.text = rest.to_string();
    }
}

/// Text of a file with a UTF-16 byte order mark, and whether all of it is valid.
fn utf16(bytes: &[u8]) -> Option<(String, bool)> {
    let (mark, rest) = bytes.split_at_checked(2)?;
    match mark {
        [0xff, 0xfe] => Some(units(rest, u16::from_le_bytes)),
        [0xfe, 0xff] => Some(units(rest, u16::from_be_bytes)),
        _ => None,
    }
}

/// How two bytes make a unit of UTF-16.
type Unit = fn([u8; 2]) -> u16;

/// The text, and whether all of it is valid.
fn units(bytes: &[u8], unit: Unit) -> (String, bool) {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut sound = bytes.len().is_multiple_of(2);
    let decoded = char::decode_utf16(units).map(|unit| {
        sound &= unit.is_ok();
        unit.unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    let text = decoded.collect();
    (text, sound)
}

/// The order of bytes of UTF-16 without a mark: text in Latin letters has a zero in every second place, nearly, and
/// none in the others.
fn unmarked(head: &[u8]) -> Option<Unit> {
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let most = |count: usize| count >= 4 && count * 10 >= head.len() / 2 * 9;
    match (even, odd) {
        (0, odd) if most(odd) => Some(u16::from_le_bytes),
        (even, 0) if most(even) => Some(u16::from_be_bytes),
        _ => None,
    }
}

//! GitHub's `primaryLocationLineHash`: what its upload script computes for a result without one, unit for unit, so
//! that alerts keep their identity whichever way the report is uploaded.

use std::collections::HashMap;

/// Non-blank units that a hash sees.
const WINDOW: usize = 100;
const FACTOR: u64 = 37;
/// Stands for the end of the file.
const END: u16 = 0xFFFF;

/// The hash of every line of a text, the first line first.
pub fn of_lines(text: &str) -> Vec<String> {
    let (units, starts) = kept(text);
    let mut seen: HashMap<u64, u32> = HashMap::new();
    let mut hashes = Vec::with_capacity(starts.len());
    let mut window = Window::new(&units);
    for start in starts {
        let hash = window.at(start);
        let count = seen.entry(hash).or_insert(0);
        *count += 1;
        hashes.push(format!("{hash:x}:{count}"));
    }
    hashes
}

/// The units that count, and at which of them lines start. Blanks do not count, and every line break is one LF.
fn kept(text: &str) -> (Vec<u16>, Vec<usize>) {
    let mut units = Vec::with_capacity(text.len() + 1);
    let mut starts = vec![0];
    let mut after_cr = false;
    for unit in text.encode_utf16() {
        let is_lf_of_crlf = after_cr && unit == u16::from(b'\n');
        after_cr = unit == u16::from(b'\r');
        if unit == u16::from(b' ') || unit == u16::from(b'\t') || is_lf_of_crlf {
            continue;
        }
        let is_break = after_cr || unit == u16::from(b'\n');
        units.push(if is_break { u16::from(b'\n') } else { unit });
        if is_break {
            starts.push(units.len());
        }
    }
    units.push(END);
    (units, starts)
}

/// The polynomial hash of [`WINDOW`] units, moved along unit by unit.
struct Window<'a> {
    units: &'a [u16],
    at: usize,
    hash: u64,
    /// `FACTOR` to the power of `WINDOW`.
    leaving: u64,
}

impl<'a> Window<'a> {
    fn new(units: &'a [u16]) -> Window<'a> {
        let mut window = Window { units, at: 0, hash: 0, leaving: 1 };
        for at in 0..WINDOW {
            window.leaving = window.leaving.wrapping_mul(FACTOR);
            window.hash = window.hash.wrapping_mul(FACTOR).wrapping_add(window.unit(at));
        }
        window
    }

    /// Zeros follow the end.
    fn unit(&self, at: usize) -> u64 {
        self.units.get(at).map_or(0, |unit| u64::from(*unit))
    }

    /// The hash of the window that starts here; starts only grow.
    fn at(&mut self, start: usize) -> u64 {
        while self.at < start {
            let entering = self.unit(self.at + WINDOW);
            let left = self.unit(self.at).wrapping_mul(self.leaving);
            self.hash = self.hash.wrapping_mul(FACTOR).wrapping_add(entering).wrapping_sub(left);
            self.at += 1;
        }
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_has_one_line() {
        assert_eq!(of_lines(""), ["c129715d7a2bc9a3:1"]);
    }

    #[test]
    fn blanks_do_not_count() {
        let expected = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(of_lines(" a\nb\n  \t\tc\n d"), expected);
        assert_eq!(of_lines(" a\r\nb\r\n  \t\tc\r\n d"), expected);
        assert_eq!(of_lines(" a\rb\r  \t\tc\r d"), expected);
    }

    #[test]
    fn equal_lines_are_counted() {
        let expected = [
            "a7f2ff13bc495cf2:1",
            "a7f2ff13bc495cf2:2",
            "a7f2ff13bc495cf2:3",
            "a7f2ff13bc495cf2:4",
            "a7f2ff13bc495cf2:5",
            "a7f2ff13bc495cf2:6",
            "a7f2ff1481e87703:1",
            "a9cf91f7bbf1862b:1",
            "55ec222b86bcae53:1",
            "cc97dc7b1d7d8f7b:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(of_lines(&"Lorem ipsum dolor sit amet.\n".repeat(10)), expected);
    }

    #[test]
    fn a_blank_between_cr_and_lf_makes_two_lines() {
        assert_eq!(of_lines("a\r \nb").len(), 3);
        assert_eq!(of_lines("a\r\nb").len(), 2);
    }
}

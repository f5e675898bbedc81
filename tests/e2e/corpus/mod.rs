//! A made corpus: every kind of secret, planted in real-looking files of twelve types among twice as many look-alikes.
//!
//! To look at it, or to run another scanner on it, keep it in a folder that does not exist yet:
//! `PRODCHECK_CORPUS=DIR cargo test --test e2e corpus`. `DIR/files` is what is scanned; `DIR/truth.tsv` has path, line, kind or
//! class, and whether a secret stands there. `PRODCHECK_CORPUS_SEED=N` makes another corpus than the one of every run.

mod files;
mod lookalikes;
mod plants;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::{json_of, write};

/// Times that each kind is planted.
const TIMES: usize = 20;

/// A value under a name, and what it is.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Words of the name, lower case, joined by `_`.
    pub name: String,
    /// The value.
    pub value: String,
    /// The kind of secret, or the class of look-alike.
    pub label: String,
    /// It is a secret.
    pub secret: bool,
}

/// A file of the corpus with what stands where.
pub struct File {
    /// Relative path.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Line, label and whether a secret stands there.
    pub truth: Vec<(u32, String, bool)>,
}

/// Numbers without a pattern, the same in every run.
pub struct Numbers(u64);

impl Numbers {
    /// The next, below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn corpus(seed: u64) -> Vec<File> {
    let mut numbers = Numbers(20_240_229 + seed);
    let (mut plants, mut files) = plants::all(TIMES, seed);
    let secrets = plants.len() + files.iter().flat_map(|file| &file.truth).filter(|(_, _, secret)| *secret).count();
    plants.extend(lookalikes::all(secrets * 2, seed));
    for at in (1..plants.len()).rev() {
        plants.swap(at, numbers.below(at + 1));
    }
    files.extend(files::of(plants, &mut numbers));
    files
}

fn keep(folder: &Path, files: &[File]) {
    let mut truth = String::new();
    for file in files {
        write(&folder.join("files"), &file.path, &file.text);
        for (line, label, secret) in &file.truth {
            truth.push_str(&format!("{}\t{line}\t{label}\t{secret}\n", file.path));
        }
    }
    write(folder, "truth.tsv", truth);
}

/// What a scanner reports, by path and line, against what stands there.
struct Score {
    found: usize,
    missed: BTreeMap<String, usize>,
    wrong: BTreeMap<String, usize>,
}

fn score(files: &[File], reported: &BTreeSet<(String, u32)>) -> Score {
    let mut score = Score { found: 0, missed: BTreeMap::new(), wrong: BTreeMap::new() };
    let mut known = BTreeSet::new();
    for file in files {
        for (line, label, secret) in &file.truth {
            let place = (file.path.clone(), *line);
            match (secret, reported.contains(&place)) {
                (true, true) => score.found += 1,
                (true, false) => *score.missed.entry(label.clone()).or_default() += 1,
                (false, true) => *score.wrong.entry(label.clone()).or_default() += 1,
                (false, false) => {}
            }
            known.insert(place);
        }
    }
    let elsewhere = reported.iter().filter(|place| !known.contains(*place));
    elsewhere.for_each(|(path, line)| *score.wrong.entry(format!("{path}:{line}")).or_default() += 1);
    score
}

#[test]
#[allow(clippy::print_stdout)]
fn planted_secrets_are_found_and_lookalikes_are_not() {
    let seed = std::env::var("PRODCHECK_CORPUS_SEED").map_or(0, |seed| seed.parse().expect("the seed is a number"));
    let files = corpus(seed);
    let secrets = files.iter().flat_map(|file| &file.truth).filter(|(_, _, secret)| *secret).count();
    let lookalikes = files.iter().flat_map(|file| &file.truth).filter(|(_, _, secret)| !*secret).count();
    assert!(secrets > 4_000 && lookalikes >= secrets * 2, "{secrets} secrets, {lookalikes} look-alikes");
    let (folder, _temporary) = folder();
    keep(&folder, &files);
    let run = json_of(&folder.join("files"));
    let json = run.json();
    let findings = json["findings"].as_array().unwrap().iter();
    let reported: BTreeSet<(String, u32)> = findings
        .filter(|finding| finding["item"] == "secrets/no-hardcoded" && finding["confidence"] != "low")
        .map(|finding| {
            let line = u32::try_from(finding["line"].as_u64().unwrap()).unwrap();
            (finding["path"].as_str().unwrap().to_string(), line)
        })
        .collect();
    let score = score(&files, &reported);
    let wrong: usize = score.wrong.values().sum();
    // Shown with `--nocapture`.
    println!("{} of {secrets} found, {wrong} wrong of {}", score.found, score.found + wrong);
    println!("missed: {:?}\nwrong: {:?}", score.missed, score.wrong);
    assert!(score.found * 100 >= secrets * 98, "recall below 98 %: missed {:?}", score.missed);
    assert!(score.found * 100 >= (score.found + wrong) * 98, "precision below 98 %: wrong {:?}", score.wrong);
}

fn folder() -> (PathBuf, Option<tempfile::TempDir>) {
    match std::env::var_os("PRODCHECK_CORPUS") {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            assert!(!folder.exists(), "{} exists", folder.display());
            (folder, None)
        }
        None => {
            let temporary = tempfile::tempdir().unwrap();
            (temporary.path().to_path_buf(), Some(temporary))
        }
    }
}

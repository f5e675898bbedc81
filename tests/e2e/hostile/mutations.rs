//! Small changes to sound files, through the library: nothing crashes, and every place lies inside its file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use prodcheck::embedded::RULES;
use prodcheck::link::catalog::Catalog;
use prodcheck::link::{Linked, Repository, link};
use prodcheck::parse::document::{Node, Value};
use prodcheck::parse::{Syntax, parse_all};
use prodcheck::scan::source::{Place, SourceFile, Span, Tree};
use prodcheck::scan::{ScanOptions, scan};
use rayon::prelude::*;

use super::samples::SAMPLES;
use crate::support::{service, write};

/// Bytes that mean something in most formats.
const BYTES: &[u8] = b"{}[]()\"'`\\\n\t:#-&*!|>%@$=,.;<? \x00\xff\xc3x0";

/// The service with all samples.
fn sound() -> Tree {
    let folder = service();
    for sample in SAMPLES {
        write(folder.path(), sample.path, sample.text);
    }
    scan(folder.path(), &ScanOptions::default()).unwrap()
}

fn with_text(file: &SourceFile, bytes: &[u8]) -> SourceFile {
    let text = String::from_utf8_lossy(bytes);
    SourceFile { text: Arc::from(text.as_ref()), lines: OnceLock::new(), ..file.clone() }
}

/// Every cut, and at every byte another one in its place and the rest of its line twice or left out.
fn mutation(text: &str, number: usize) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let (at, way) = (number / 4, number % 4);
    let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
    let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
    Some(match way {
        0 => bytes[..at].to_vec(),
        1 => [&bytes[..at], &[BYTES[(at * 7 + 3) % BYTES.len()]], &rest[1..]].concat(),
        2 => [&bytes[..at], &rest[..line], rest].concat(),
        _ => [&bytes[..at], &rest[line..]].concat(),
    })
}

/// The tree with the same mutation of every file that `which` takes.
fn mutated(tree: &Tree, number: usize, which: impl Fn(&SourceFile) -> bool) -> Tree {
    let mutate = |file: &SourceFile| match mutation(&file.text, number) {
        Some(bytes) if which(file) => with_text(file, &bytes),
        _ => file.clone(),
    };
    Tree { files: tree.files.iter().map(mutate).collect(), ..tree.clone() }
}

fn read(tree: Tree, catalog: &Catalog) -> Result<(Repository, Linked), String> {
    let (parsed, notices) = parse_all(&tree);
    if let Some(crash) = notices.iter().find(|notice| notice.fatal) {
        return Err(format!("{}: {}", crash.path, crash.message));
    }
    let repository = Repository { tree, parsed };
    let linked = catch_unwind(AssertUnwindSafe(|| link(&repository, catalog)));
    linked.map(|linked| (repository, linked)).map_err(|_| "linking crashed".to_string())
}

/// What is wrong with the places of a read tree.
fn misplaced((repository, linked): &(Repository, Linked)) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, parsed) in repository.files() {
        let mut look = |what: &str, span: Span| {
            if file.text.get(span.range()).is_none() {
                wrong.push(format!("{}: {what} at {span:?} of {}", file.path, file.text.len()));
            }
        };
        parsed.problems.iter().for_each(|problem| look("problem", problem.span));
        parsed.comments.iter().for_each(|comment| look("comment", comment.span));
        if let Syntax::Documents(documents) = &parsed.syntax {
            let mut open: Vec<&Node> = documents.iter().collect();
            while let Some(node) = open.pop() {
                look("node", node.span);
                if let Value::Map(entries) = &node.value {
                    entries.iter().for_each(|entry| look("key", entry.key_span));
                    open.extend(entries.iter().map(|entry| &*entry.value));
                }
                open.extend(node.items().iter().map(|item| &**item));
            }
        }
    }
    let places = linked.facts.all.iter().flat_map(|fact| {
        let others = fact.related.iter().chain(&fact.flow).map(|related| related.place);
        std::iter::once(fact.place).chain(others).map(move |place| (format!("{:?}", fact.kind()), place))
    });
    let masks = linked.masks.iter().map(|place| ("mask".to_string(), *place));
    let outside = |place: Place| repository.tree.file(place.file).text.get(place.span.range()).is_none();
    let path = |place: Place| repository.tree.file(place.file).path.as_str();
    let outside = places.chain(masks).filter(|(_, place)| outside(*place));
    wrong.extend(outside.map(|(what, place)| format!("{}: {what} at {:?}", path(place), place.span)));
    wrong
}

fn faults(which: impl Fn(&SourceFile) -> bool + Sync) -> Vec<String> {
    let catalog = Catalog::load(&Catalog::files(RULES)).unwrap();
    let tree = sound();
    let longest = tree.files.iter().filter(|file| which(file)).map(|file| file.text.len()).max().unwrap();
    let fault = |number: usize| {
        let wrong = match read(mutated(&tree, number, &which), &catalog) {
            Ok(read) => misplaced(&read),
            Err(crash) => vec![crash],
        };
        (!wrong.is_empty()).then(|| format!("mutation {number}: {wrong:?}"))
    };
    (0..longest * 4).into_par_iter().filter_map(fault).collect()
}

fn of_the_service(file: &SourceFile) -> bool {
    SAMPLES.iter().all(|sample| sample.path != file.path)
}

#[test]
fn small_changes_to_any_file_crash_nothing_and_move_no_place_out_of_its_file() {
    assert_eq!(faults(|file| !of_the_service(file)), [""; 0]);
}

#[test]
fn small_changes_to_the_service_crash_nothing_and_move_no_place_out_of_its_file() {
    assert_eq!(faults(of_the_service), [""; 0]);
}

//! Every reader with every kind of hostile file: said where it was not read, and nothing beside it is lost.

mod circles;
mod mutations;
mod samples;

use std::collections::BTreeSet;

use crate::support::{Run, json_of, prodcheck, service, write};
use samples::{SAMPLES, Sample};

/// A run on a small service with one more file, which ends in time or is killed. What the service itself shows is still
/// there.
fn beside_a_service(sample: &Sample, text: impl AsRef<[u8]>) -> Run {
    let folder = service();
    write(folder.path(), sample.path, text);
    let run = json_of(folder.path());
    let name = sample.name;
    assert!(run.code < 2, "{name}: exit {}: {}", run.code, run.err);
    let json = run.json();
    assert_eq!(json["services"][0]["routes"][0]["path"], "/orders", "{name}: the route is lost");
    let findings = json["findings"].as_array().unwrap();
    let image =
        findings.iter().any(|finding| finding["rule"] == "unpinned-base-image" && finding["path"] == "Dockerfile");
    assert!(image, "{name}: the finding beside it is lost");
    run
}

/// Notices about the file.
fn notices(sample: &Sample, run: &Run) -> Vec<String> {
    let start = format!("{}: ", sample.path);
    run.notices().into_iter().filter(|notice| notice.starts_with(&start)).collect()
}

/// Each sample but those named, with a file made of it; the names of those without a notice about it.
fn unnoticed(make: impl Fn(&Sample) -> Option<Vec<u8>>) -> Vec<&'static str> {
    let tried = SAMPLES.iter().filter_map(|sample| Some((sample, make(sample)?)));
    let silent = tried.filter(|(sample, text)| notices(sample, &beside_a_service(sample, text)).is_empty());
    silent.map(|(sample, _)| sample.name).collect()
}

/// Facts of the file, as kind, line and attributes.
fn facts(sample: &Sample, text: &str) -> BTreeSet<String> {
    let folder = service();
    write(folder.path(), sample.path, text);
    let run = prodcheck(&["facts", "--format", "json", folder.path().to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}: {}", sample.name, run.err);
    let json = run.json();
    let own = json["facts"].as_array().unwrap().iter().filter(|fact| fact["path"] == sample.path);
    own.map(|fact| format!("{} {} {}", fact["fact"], fact["line"], fact["attributes"])).collect()
}

/// Samples whose facts change when their text is written in another way.
fn changed(write_so: impl Fn(&Sample) -> Option<String>) -> Vec<String> {
    let tried = SAMPLES.iter().filter_map(|sample| Some((sample, write_so(sample)?)));
    let differs = |(sample, text): (&Sample, String)| {
        let (plain, other) = (facts(sample, sample.text), facts(sample, &text));
        (plain != other).then(|| {
            let lost: Vec<_> = plain.difference(&other).collect();
            let new: Vec<_> = other.difference(&plain).collect();
            format!("{}: lost {lost:?} new {new:?}", sample.name)
        })
    };
    tried.filter_map(differs).collect()
}

#[test]
fn a_sound_file_has_no_notice() {
    for sample in SAMPLES {
        assert_eq!(notices(sample, &beside_a_service(sample, sample.text)), [""; 0], "{}", sample.name);
    }
}

#[test]
fn an_empty_file_and_one_of_comments_only_are_sound() {
    for sample in SAMPLES {
        let comments = format!("{}one\n{}two\n", sample.comment, sample.comment);
        for text in ["", "\n\n", "\u{feff}", &comments] {
            let said = notices(sample, &beside_a_service(sample, text));
            // A Dockerfile that builds nothing is none.
            let of_no_image = |notice: &String| sample.name == "Dockerfile" && notice.contains("at least one FROM");
            assert!(said.iter().all(of_no_image), "{}: {text:?}: {said:?}", sample.name);
        }
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let windows = |sample: &Sample| Some(sample.text.replace('\n', "\r\n"));
    assert_eq!(changed(windows), [""; 0]);
    let marked = |sample: &Sample| Some(format!("\u{feff}{}", sample.text));
    assert_eq!(changed(marked), [""; 0]);
}

/// Endings of formats in which a tab may not stand where blanks do.
const TABS_FORBIDDEN: &[&str] = &["yaml", "yml"];

#[test]
fn tabs_for_blanks_are_read_or_said() {
    for sample in SAMPLES {
        let tabs: Vec<String> = sample
            .text
            .lines()
            .map(|line| {
                let bare = line.trim_start_matches(' ');
                format!("{}{bare}", "\t".repeat((line.len() - bare.len()).div_ceil(2)))
            })
            .collect();
        let tabs = tabs.join("\n") + "\n";
        let run = beside_a_service(sample, &tabs);
        let indented = tabs.contains("\n\t");
        let forbidden = TABS_FORBIDDEN.iter().any(|ending| sample.path.ends_with(ending));
        if indented && forbidden {
            assert!(!notices(sample, &run).is_empty(), "{}: tabs are not said", sample.name);
        }
    }
}

#[test]
fn a_file_said_twice_over_is_read_or_said() {
    // Every key of a document twice: what a format forbids is a notice, and the rest of the run is unharmed.
    for sample in SAMPLES {
        beside_a_service(sample, format!("{}\n{}", sample.text, sample.text));
    }
}

#[test]
fn aliases_that_multiply_end() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", ")));
    }
    for sample in SAMPLES.iter().filter(|sample| TABS_FORBIDDEN.iter().any(|ending| sample.path.ends_with(ending))) {
        beside_a_service(sample, format!("{bomb}{}", sample.text));
    }
}

#[test]
fn comments_in_front_move_facts_down_only() {
    for sample in SAMPLES.iter().filter(|sample| !sample.comment.is_empty() && sample.name != "shell") {
        let commented = format!("{}one\n{}", sample.comment, sample.text);
        let below = facts(sample, &commented);
        assert_eq!(facts(sample, sample.text).len(), below.len(), "{}: {below:?}", sample.name);
    }
}

#[test]
fn bytes_that_are_no_text_are_a_notice() {
    let invalid = |sample: &Sample| Some([sample.text.as_bytes(), b"\xff\xfe\xc3\x28\n"].concat());
    assert_eq!(unnoticed(invalid), [""; 0]);
    let nul = |sample: &Sample| Some([&sample.text.as_bytes()[..10], b"\0", &sample.text.as_bytes()[10..]].concat());
    assert_eq!(unnoticed(nul), [""; 0]);
}

#[test]
fn a_file_of_50_megabytes_is_a_notice() {
    for sample in SAMPLES {
        let folder = service();
        let path = write(folder.path(), sample.path, sample.text.repeat(1000));
        std::fs::File::options().write(true).open(path).unwrap().set_len(50 << 20).unwrap();
        let run = json_of(folder.path());
        assert!(run.code < 2 && notices(sample, &run)[0].contains("larger than"), "{}: {}", sample.name, run.err);
    }
}

#[test]
fn a_file_of_half_a_megabyte_ends_in_time() {
    for sample in SAMPLES {
        beside_a_service(sample, sample.text.repeat(500_000 / sample.text.len()));
    }
}

#[test]
fn ten_thousand_levels_end_in_time() {
    for sample in SAMPLES {
        if let Some(deep) = sample.deep {
            beside_a_service(sample, deep(10_000));
        }
    }
}

#[test]
fn a_file_that_ends_inside_a_token_is_survived() {
    for sample in SAMPLES {
        for part in [3, 5, 8] {
            let cut = sample.text.floor_char_boundary(sample.text.len() * part / 9);
            beside_a_service(sample, &sample.text[..cut]);
        }
    }
}

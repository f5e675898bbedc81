//! Dockerfiles: `ENV` and `ARG`.

use super::{Binding, Candidate};
use crate::link::secrets::setting::Location;
use crate::parse::dockerfile::{Dockerfile, Instruction};

/// Candidates of a Dockerfile. What only an earlier stage has does not reach the image.
pub fn candidates(dockerfile: &Dockerfile) -> Vec<Candidate> {
    let last = dockerfile.stages.last().map_or(0, |stage| stage.from);
    let mut found = Vec::new();
    for (at, instruction) in dockerfile.instructions.iter().enumerate() {
        let argument = instruction.keyword == "ARG";
        if !argument && instruction.keyword != "ENV" {
            continue;
        }
        for mut candidate in pairs(instruction) {
            candidate.development = argument || at < last;
            candidate.binding = if argument { Binding::Default } else { Binding::Set };
            found.push(candidate);
        }
    }
    found
}

fn pairs(instruction: &Instruction) -> Vec<Candidate> {
    let span_of = |name: &str| {
        let word = instruction
            .words
            .iter()
            .find(|word| word.text.starts_with(name) && word.text[name.len()..].starts_with('='));
        word.or_else(|| instruction.words.get(1)).map_or(instruction.span, |word| word.span)
    };
    let pairs = instruction.pairs();
    let set = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    set.map(|(name, value)| Candidate::new(name, value, span_of(name), Location::Image)).collect()
}

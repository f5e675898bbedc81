//! Random values that are used as secrets.

use super::found::Stand;
use crate::facts::Confidence;
use crate::facts::vocabulary::RandomSecret;
use crate::link::names::FunctionInfo;
use crate::link::{Context, Linked};
use crate::scan::source::Role;

/// Generators by the beginning of the path of what is called, and whether their output can be predicted.
const GENERATORS: &[(&str, bool)] = &[
    ("fastrand::", false),
    ("oorandom::", false),
    ("nanorand::", false),
    ("rand::rngs::SmallRng::", false),
    ("rand::rngs::mock::", false),
    ("tinyrand::", false),
    ("rand_xorshift::", false),
    ("rand_xoshiro::", false),
    ("rand_pcg::", false),
    ("rand::rngs::OsRng", true),
    ("rand::thread_rng", true),
    ("rand::rng", true),
    ("rand::random", true),
    ("getrandom::", true),
    ("ring::rand::", true),
    ("aws_lc_rs::rand::", true),
    ("rand_chacha::", true),
];

/// Words of functions that make secrets.
const WORDS: &[&str] =
    &["token", "secret", "password", "salt", "session", "nonce", "otp", "csrf", "apikey", "credential", "key"];

/// Words of functions that make something.
const MAKES: &[&str] = &["generate", "gen", "new", "make", "create", "random", "rand", "issue"];

/// Adds the random values that functions named after secrets make.
pub fn look(context: &Context<'_>, linked: &mut Linked) {
    for info in context.names.functions().iter().filter(|info| Stand::of(info).role == Role::Service) {
        if !makes_secret(info) {
            continue;
        }
        for call in context.names.outside_calls(info.id) {
            if let Some((path, secure)) = GENERATORS.iter().find(|(path, _)| call.path.starts_with(path)) {
                let data = RandomSecret { generator: path.trim_end_matches(':').into(), secure: (*secure).into() };
                linked.facts.add(context.fact(data, info.file, call.span).confidence(Confidence::Medium));
                break;
            }
        }
    }
}

fn makes_secret(info: &FunctionInfo<'_>) -> bool {
    let has = |words: &[&str]| info.item.name.split('_').any(|word| words.contains(&word));
    has(WORDS) && has(MAKES)
}

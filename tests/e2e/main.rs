//! End-to-end tests: the binary, run as a user runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod contract;
mod corpus;
mod fixtures;
mod formats;
mod history;
mod hostile;
mod own;
mod rules;
mod samples;
mod settings;
mod support;
mod why;

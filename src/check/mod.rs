//! Rules (data) over facts: findings, and a verdict for each item of the checklist.

mod ages;
pub mod asks;
pub mod checklist;
pub mod embedded;
pub mod evaluate;
mod fingerprint;
mod gate;
mod judge;
pub mod outcome;
mod place;
mod routes;
mod row;
pub mod rules;
mod run;
pub mod settings;
mod suppress;
pub mod unmet;
mod verdict;
mod words;

pub use run::check;

#[cfg(test)]
mod tests;

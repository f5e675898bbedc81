//! Rules (data) over facts: findings, and a verdict for each item of the checklist.

pub mod embedded;
pub mod outcome;
pub mod settings;

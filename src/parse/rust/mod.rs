//! Rust sources: our own plain tree of them, with byte spans.

pub mod ast;

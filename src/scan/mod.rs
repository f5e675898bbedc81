//! Walks the tree: which files there are, of what kind and role, and which of them git tracks.

pub mod source;

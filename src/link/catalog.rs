//! What known libraries' APIs mean, as data.

/// The loaded catalog.
#[derive(Debug, Default)]
pub struct Catalog {}

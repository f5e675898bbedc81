//! The module trees of all targets, and the items in them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::cfg::Standing;
use super::visit::{self, Visit};
use super::{FunctionId, FunctionInfo, ImplInfo, ItemInfo, ModuleId, Names};
use crate::link::Repository;
use crate::link::workspace::{Package, Target, TargetKind, Workspace};
use crate::parse::Syntax;
use crate::parse::rust::ast::{
    Attribute, Block, ExprKind, Function, Impl, Item, ItemKind, Literal, TokenKind, UseLeaf,
};
use crate::scan::source::{FileId, Role};

/// A target with its root module and the crates its code can name.
#[derive(Debug)]
pub(super) struct Crate {
    pub root: ModuleId,
    /// Names of other crates in its code: the root module of a library of the tree, or the crate's own name.
    pub externs: BTreeMap<String, Extern>,
    /// Index of its package.
    pub package: usize,
    /// Packages of the tree that its code can reach, its own included.
    pub reach: BTreeSet<usize>,
}

/// What a crate's name leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Extern {
    /// A library of the tree.
    Local(ModuleId),
    /// Another crate, by its own name.
    Outside(String),
}

/// A module.
#[derive(Debug)]
pub(super) struct Module<'a> {
    pub path: String,
    pub parent: Option<ModuleId>,
    pub krate: usize,
    pub children: HashMap<&'a str, ModuleId>,
    /// Imported names with the paths they were imported by.
    pub uses: HashMap<&'a str, &'a [String]>,
    /// Folders of glob imports.
    pub globs: Vec<&'a [String]>,
    /// Names of functions and items; for a type alias, what it stands for.
    pub names: HashMap<&'a str, Option<&'a [String]>>,
    /// Names that only functions have: they start no path.
    pub functions: HashSet<&'a str>,
}

/// Builds everything but the calls.
pub(super) fn build<'a>(repository: &'a Repository, workspace: &Workspace) -> Names<'a> {
    let mut builder = Builder {
        repository,
        workspace,
        names: Names::default(),
        roots: HashMap::new(),
        taken: HashSet::new(),
        open: Vec::new(),
        functions: Vec::new(),
        blocks: Vec::new(),
        features: None,
    };
    builder.crates();
    builder.externs();
    builder.register();
    builder.names
}

/// A file whose items are still to be read.
struct Pending {
    file: FileId,
    module: ModuleId,
    /// Folder that `mod name;` looks in.
    folder: String,
    standing: Standing,
}

/// A function of a module, not yet with its path.
struct FoundFunction<'a> {
    item: &'a Item,
    function: &'a Function,
    module: ModuleId,
    file: FileId,
    standing: Standing,
    owner: Owner,
}

/// What a function stands in.
#[derive(Clone)]
enum Owner {
    /// A module.
    Module,
    /// Index into the impl blocks.
    Impl(usize),
    /// A trait or function of that absolute path.
    Item { path: String, is_trait: bool },
}

struct FoundImpl<'a> {
    item: &'a Item,
    block: &'a Impl,
    module: ModuleId,
    file: FileId,
    standing: Standing,
}

struct Builder<'a, 'w> {
    repository: &'a Repository,
    workspace: &'w Workspace,
    names: Names<'a>,
    /// Root modules by package and target.
    roots: HashMap<(usize, usize), ModuleId>,
    taken: HashSet<String>,
    open: Vec<Pending>,
    functions: Vec<FoundFunction<'a>>,
    blocks: Vec<FoundImpl<'a>>,
    features: Option<&'w [String]>,
}

/// Libraries claim a file that several targets include, then programs, then the rest.
const ORDER: &[TargetKind] = &[
    TargetKind::Library,
    TargetKind::Binary,
    TargetKind::BuildScript,
    TargetKind::Test,
    TargetKind::Bench,
    TargetKind::Example,
];

impl<'a, 'w> Builder<'a, 'w> {
    fn crates(&mut self) {
        let workspace = self.workspace;
        for kind in ORDER {
            for (at, package) in workspace.packages.iter().enumerate() {
                for (index, target) in package.targets.iter().enumerate().filter(|(_, target)| target.kind == *kind) {
                    self.target(at, package, index, target);
                }
            }
        }
    }

    fn target(&mut self, package_at: usize, package: &'w Package, index: usize, target: &Target) {
        if self.names.module_files.contains_key(&target.root) {
            return;
        }
        let file = self.repository.tree.file(target.root);
        let role = match (file.role, target.kind) {
            (Role::Service, TargetKind::Test) => Role::Test,
            (Role::Service, TargetKind::Bench) => Role::Bench,
            (Role::Service, TargetKind::Example) => Role::Example,
            (Role::Service, TargetKind::BuildScript) => Role::BuildScript,
            (role, _) => role,
        };
        let name = self.free_name(&target.name.replace('-', "_"));
        let krate = self.names.crates.len();
        let root = self.module(name, None, krate);
        let reach = BTreeSet::from([package_at]);
        self.names.crates.push(Crate { root, externs: BTreeMap::new(), package: package_at, reach });
        self.roots.insert((package_at, index), root);
        self.features = package.active_features.as_deref();
        self.names.module_files.insert(file.id, root);
        let standing = Standing { role, development_only: false };
        self.open.push(Pending { file: file.id, module: root, folder: file.folder().to_string(), standing });
        while let Some(pending) = self.open.pop() {
            self.file(&pending);
        }
    }

    /// A name for a crate that no other crate of the tree has: a program may be called as its library.
    fn free_name(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}#{number}"));
        let free = std::iter::once(name.to_string()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or_default();
        self.taken.insert(free.clone());
        free
    }

    fn module(&mut self, path: String, parent: Option<ModuleId>, krate: usize) -> ModuleId {
        let id = ModuleId(u32::try_from(self.names.modules.len()).unwrap_or(u32::MAX));
        self.names.modules.push(Module {
            path,
            parent,
            krate,
            children: HashMap::new(),
            uses: HashMap::new(),
            globs: Vec::new(),
            names: HashMap::new(),
            functions: HashSet::new(),
        });
        id
    }

    fn at(&mut self, module: ModuleId) -> &mut Module<'a> {
        &mut self.names.modules[module.0 as usize]
    }

    fn file(&mut self, pending: &Pending) {
        let repository = self.repository;
        let (_, parsed) = repository.get(pending.file);
        let Syntax::Rust(file) = &parsed.syntax else { return };
        let standing = pending.standing.of(&file.attributes, self.features);
        let place = Stand { module: pending.module, file: pending.file, folder: &pending.folder, standing };
        self.items(&file.items, place);
    }

    fn items(&mut self, items: &'a [Item], stand: Stand<'_>) {
        for item in items {
            let standing = stand.standing.of(&item.attributes, self.features);
            self.item(item, Stand { standing, ..stand });
        }
    }

    fn item(&mut self, item: &'a Item, stand: Stand<'_>) {
        match &item.kind {
            ItemKind::Module(inner) => self.child(item, inner.as_deref(), stand),
            ItemKind::Use(leaves) => self.imports(leaves, stand),
            ItemKind::ExternCrate(alias) => {
                let bound = alias.as_deref().unwrap_or(&item.name);
                let path = std::slice::from_ref(&item.name);
                self.at(stand.module).uses.entry(bound).or_insert(path);
            }
            ItemKind::Function(function) => self.function(item, function, stand, Owner::Module),
            ItemKind::Impl(block) => self.block(item, block, stand),
            ItemKind::Macro(call) if call.path.is("include") => self.included(&call.tokens, stand),
            ItemKind::Macro(call) => self.modules_in_macro(&call.tokens, stand),
            ItemKind::Struct(_) | ItemKind::Enum(_) | ItemKind::Const(..) | ItemKind::Static(..) => {
                self.plain(item, None, stand);
            }
            ItemKind::TypeAlias(ty) => {
                let target = ty.as_ref().map(|ty| ty.path.as_slice()).filter(|path| !path.is_empty());
                self.plain(item, target, stand);
            }
            ItemKind::Trait(inner) => {
                self.plain(item, None, stand);
                self.trait_items(item, inner, stand);
            }
            ItemKind::MacroRules(_) | ItemKind::Other => {}
        }
    }

    fn plain(&mut self, item: &'a Item, alias: Option<&'a [String]>, stand: Stand<'_>) {
        if item.name.is_empty() {
            return;
        }
        let path = format!("{}::{}", self.at(stand.module).path, item.name);
        let module = self.at(stand.module);
        if module.functions.remove(item.name.as_str()) {
            module.names.remove(item.name.as_str());
        }
        module.names.entry(&item.name).or_insert(alias);
        let info = ItemInfo {
            path: path.clone(),
            module: stand.module,
            file: stand.file,
            item,
            owner: None,
            role: stand.standing.role,
            development_only: stand.standing.development_only,
        };
        self.add_item(info);
    }

    fn add_item(&mut self, info: ItemInfo<'a>) {
        let known = self.names.item_paths.get(&info.path).map(|at| &self.names.items[*at]);
        let better = known.is_none_or(|known| !is_production(known.role, known.development_only));
        if better {
            self.names.item_paths.insert(info.path.clone(), self.names.items.len());
        }
        self.names.items.push(info);
    }

    /// The constants of an impl block, under the path of its type.
    fn constants(&mut self, block: &ImplInfo<'a>) {
        for item in &block.block.items {
            if !matches!(item.kind, ItemKind::Const(_, Some(_))) || block.self_type.is_empty() {
                continue;
            }
            self.add_item(ItemInfo {
                path: format!("{}::{}", block.self_type, item.name),
                module: block.module,
                file: block.file,
                item,
                owner: Some(block.self_type.clone()),
                role: block.role,
                development_only: block.development_only,
            });
        }
    }

    fn trait_items(&mut self, item: &'a Item, inner: &'a [Item], stand: Stand<'_>) {
        let path = format!("{}::{}", self.at(stand.module).path, item.name);
        for member in inner {
            if let ItemKind::Function(function) = &member.kind
                && function.body.is_some()
            {
                let standing = stand.standing.of(&member.attributes, self.features);
                let owner = Owner::Item { path: path.clone(), is_trait: true };
                self.function(member, function, Stand { standing, ..stand }, owner);
            }
        }
    }

    fn block(&mut self, item: &'a Item, block: &'a Impl, stand: Stand<'_>) {
        let at = self.blocks.len();
        let Stand { module, file, standing, .. } = stand;
        self.blocks.push(FoundImpl { item, block, module, file, standing });
        for member in &block.items {
            let standing = standing.of(&member.attributes, self.features);
            if let ItemKind::Function(function) = &member.kind {
                self.function(member, function, Stand { standing, ..stand }, Owner::Impl(at));
            }
        }
    }

    fn function(&mut self, item: &'a Item, function: &'a Function, stand: Stand<'_>, owner: Owner) {
        let Some(body) = &function.body else { return };
        if matches!(owner, Owner::Module) {
            let module = self.at(stand.module);
            if !module.names.contains_key(item.name.as_str()) {
                module.names.insert(&item.name, None);
                module.functions.insert(&item.name);
            }
        }
        let Stand { module, file, standing, .. } = stand;
        self.functions.push(FoundFunction { item, function, module, file, standing, owner });
        self.nested(body, stand);
    }

    /// Items inside a body: their names count as the module's where it has no such name itself.
    fn nested(&mut self, body: &'a Block, stand: Stand<'_>) {
        let mut nested = Nested { items: Vec::new() };
        visit::walk_block(&mut nested, body);
        for item in nested.items {
            let standing = stand.standing.of(&item.attributes, self.features);
            if !matches!(item.kind, ItemKind::Module(None)) {
                self.item(item, Stand { standing, ..stand });
            }
        }
    }

    fn imports(&mut self, leaves: &'a [UseLeaf], stand: Stand<'_>) {
        let module = self.at(stand.module);
        for leaf in leaves {
            match leaf.name.as_deref() {
                None => module.globs.push(&leaf.path),
                Some("_") => {}
                Some(name) if stand.standing.is_production() => {
                    module.uses.insert(name, &leaf.path);
                }
                Some(name) => {
                    module.uses.entry(name).or_insert(&leaf.path);
                }
            }
        }
    }

    fn child(&mut self, item: &'a Item, inner: Option<&'a [Item]>, stand: Stand<'_>) {
        let standing =
            if matches!(item.name.as_str(), "tests" | "test") { stand.standing.test() } else { stand.standing };
        let stand = Stand { standing, ..stand };
        match inner {
            Some(items) => {
                let folder = join(stand.folder, &item.name);
                let module = self.add_child(&item.name, stand);
                self.items(items, Stand { module, folder: &folder, ..stand });
            }
            None => self.child_file(&item.name, &item.attributes, stand),
        }
    }

    fn add_child(&mut self, name: &'a str, stand: Stand<'_>) -> ModuleId {
        let parent = self.at(stand.module);
        let (path, krate) = (format!("{}::{name}", parent.path), parent.krate);
        let module = self.module(path, Some(stand.module), krate);
        self.name_child(name, module, stand);
        module
    }

    fn name_child(&mut self, name: &'a str, module: ModuleId, stand: Stand<'_>) {
        let children = &mut self.at(stand.module).children;
        if stand.standing.is_production() {
            children.insert(name, module);
        } else {
            children.entry(name).or_insert(module);
        }
    }

    fn child_file(&mut self, name: &'a str, attributes: &'a [Attribute], stand: Stand<'_>) {
        let tree = &self.repository.tree;
        let own_folder = tree.file(stand.file).folder();
        let candidates = match path_attribute(attributes) {
            Some(path) => vec![join(own_folder, path), join(stand.folder, path)],
            None => vec![join(stand.folder, &format!("{name}.rs")), join(stand.folder, &format!("{name}/mod.rs"))],
        };
        let Some(file) = candidates.iter().find_map(|path| tree.find(&tidy(path))) else { return };
        if let Some(known) = self.names.module_files.get(&file.id).copied() {
            self.name_child(name, known, stand);
            return;
        }
        let module = self.add_child(name, stand);
        self.names.module_files.insert(file.id, module);
        let stem = file.name().strip_suffix(".rs").unwrap_or(file.name());
        let folder = if stem == "mod" { file.folder().to_string() } else { join(file.folder(), stem) };
        let standing = match (stand.standing.role, file.role) {
            (Role::Service, role) => Standing { role, ..stand.standing },
            _ => stand.standing,
        };
        self.open.push(Pending { file: file.id, module, folder, standing });
    }

    /// `include!("items.rs")`: the items of a file of the tree belong to this module.
    fn included(&mut self, tokens: &'a [crate::parse::rust::ast::Token], stand: Stand<'_>) {
        let [crate::parse::rust::ast::Token { kind: TokenKind::Literal(Literal::Text(path)), .. }] = tokens else {
            return;
        };
        let tree = &self.repository.tree;
        let Some(file) = tree.find(&tidy(&join(tree.file(stand.file).folder(), path))) else { return };
        if self.names.module_files.contains_key(&file.id) {
            return;
        }
        self.names.module_files.insert(file.id, stand.module);
        let (module, standing, folder) = (stand.module, stand.standing, file.folder().to_string());
        self.open.push(Pending { file: file.id, module, folder, standing });
    }

    /// `mod name;` inside a macro in item position (`cfg_if!` and the like).
    fn modules_in_macro(&mut self, tokens: &'a [crate::parse::rust::ast::Token], stand: Stand<'_>) {
        for window in tokens.windows(3) {
            if let [first, second, third] = window
                && matches!(&first.kind, TokenKind::Ident(word) if word == "mod")
                && let TokenKind::Ident(name) = &second.kind
                && third.kind == TokenKind::Punct(';')
            {
                self.child_file(name, &[], stand);
            }
        }
    }

    fn externs(&mut self) {
        let libraries = self.libraries();
        let closures = closures(self.workspace);
        for krate in &mut self.names.crates {
            let package = &self.workspace.packages[krate.package];
            krate.reach.clone_from(&closures[krate.package]);
            if let (Some(library), Some(target)) = (libraries.get(package.folder.as_str()), package.library()) {
                krate.externs.insert(target.name.clone(), Extern::Local(*library));
            }
            for dependency in &package.dependencies {
                let local = dependency.local.as_deref().and_then(|folder| libraries.get(folder));
                let outside = || Extern::Outside(outside_name(&dependency.code_name, &dependency.package));
                let to = local.map_or_else(outside, |module| Extern::Local(*module));
                let own_name = local.is_some() && dependency.code_name == dependency.package.replace('-', "_");
                let name = if own_name { self.workspace.lib_name(dependency.local.as_deref()) } else { None };
                krate.externs.insert(name.unwrap_or_else(|| dependency.code_name.clone()), to);
            }
        }
    }

    /// Root modules of libraries by package folder.
    fn libraries(&self) -> HashMap<&'w str, ModuleId> {
        let workspace = self.workspace;
        let mut found = HashMap::new();
        for (at, package) in workspace.packages.iter().enumerate() {
            let library = package.targets.iter().position(|target| target.kind == TargetKind::Library);
            if let Some(root) = library.and_then(|index| self.roots.get(&(at, index))) {
                found.insert(package.folder.as_str(), *root);
            }
        }
        found
    }

    /// Gives impl blocks and functions their absolute paths, now that imports can be resolved.
    fn register(&mut self) {
        for found in std::mem::take(&mut self.blocks) {
            let self_type = self.names.resolve(found.module, &found.block.for_type.path);
            let of_trait = found.block.of_trait.as_ref().map(|ty| self.names.resolve(found.module, &ty.path));
            if let Some(of_trait) = &of_trait {
                self.names.traits_by_type.entry(self_type.clone()).or_default().push(of_trait.clone());
            }
            let info = ImplInfo {
                self_type,
                of_trait,
                module: found.module,
                file: found.file,
                item: found.item,
                block: found.block,
                role: found.standing.role,
                development_only: found.standing.development_only,
            };
            self.constants(&info);
            self.names.impls.push(info);
        }
        for found in std::mem::take(&mut self.functions) {
            self.register_function(found);
        }
    }

    fn register_function(&mut self, found: FoundFunction<'a>) {
        let id = FunctionId(u32::try_from(self.names.functions.len()).unwrap_or(u32::MAX));
        let name = found.item.name.as_str();
        let (owner, self_type, of_trait) = match found.owner {
            Owner::Module => (self.at(found.module).path.clone(), None, None),
            Owner::Item { path, is_trait } => (path.clone(), None, is_trait.then_some(path)),
            Owner::Impl(at) => {
                let info = &self.names.impls[at];
                let named = if info.self_type.is_empty() { "_" } else { &info.self_type };
                (named.to_string(), Some(info.self_type.clone()), info.of_trait.clone())
            }
        };
        let path = format!("{owner}::{name}");
        let production = found.standing.is_production();
        let known = self.names.function_paths.get(&path).map(|id| self.names.function(*id));
        let better = known.is_none_or(|known| {
            let inherent = known.of_trait.is_some() && of_trait.is_none();
            let was = is_production(known.role, known.development_only);
            (production && !was) || (production == was && inherent)
        });
        if better {
            self.names.function_paths.insert(path.clone(), id);
        }
        if let Some(self_type) = self_type.as_ref().filter(|path| !path.is_empty()) {
            self.names.methods_by_type.entry(self_type.clone()).or_default().push(id);
        }
        if let Some(of_trait) = &of_trait {
            self.names.methods_by_trait.entry(of_trait.clone()).or_default().push(id);
        }
        if self_type.is_some() || of_trait.is_some() {
            self.names.methods_by_name.entry(name).or_default().push(id);
        }
        self.names.functions_by_file.entry(found.file).or_default().push(id);
        self.names.functions.push(FunctionInfo {
            id,
            path,
            module: found.module,
            file: found.file,
            item: found.item,
            function: found.function,
            self_type,
            of_trait,
            role: found.standing.role,
            development_only: found.standing.development_only,
        });
    }
}

/// Where items stand.
#[derive(Clone, Copy)]
struct Stand<'s> {
    module: ModuleId,
    file: FileId,
    folder: &'s str,
    standing: Standing,
}

fn is_production(role: Role, development_only: bool) -> bool {
    Standing { role, development_only }.is_production()
}

/// A dependency's crate by its own name: a rename in the manifest is undone.
fn outside_name(code_name: &str, package: &str) -> String {
    let own = package.replace('-', "_");
    if own == code_name { code_name.to_string() } else { own }
}

/// Packages that each package can reach over its dependencies, itself included.
fn closures(workspace: &Workspace) -> Vec<BTreeSet<usize>> {
    let at: HashMap<&str, usize> =
        workspace.packages.iter().enumerate().map(|(at, package)| (package.folder.as_str(), at)).collect();
    let direct: Vec<Vec<usize>> = workspace
        .packages
        .iter()
        .map(|package| {
            let local = package.dependencies.iter().filter_map(|dependency| dependency.local.as_deref());
            local.filter_map(|folder| at.get(folder).copied()).collect()
        })
        .collect();
    (0..direct.len()).map(|start| reached(&direct, start)).collect()
}

fn reached(direct: &[Vec<usize>], start: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        open.extend(direct[at].iter().copied().filter(|next| found.insert(*next)));
    }
    found
}

fn path_attribute(attributes: &[Attribute]) -> Option<&str> {
    let value = attributes.iter().find(|attribute| attribute.path.is("path"))?.value.as_ref()?;
    match &*value.kind {
        ExprKind::Literal(Literal::Text(path)) => Some(path),
        _ => None,
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

/// Without `.` and `..`.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Collects the items inside a body.
struct Nested<'a> {
    items: Vec<&'a Item>,
}

impl<'a> Visit<'a> for Nested<'a> {
    fn item(&mut self, item: &'a Item) {
        self.items.push(item);
    }
}

//! Which Rust files have to be parsed for what a run asks.
//!
//! Where there may be a service, all of them: what it is follows from who calls whom. Elsewhere a part says which files
//! can hold what it looks for, and only these are parsed, with what their names lead to.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use rayon::prelude::*;

use super::Repository;
use super::catalog::Catalog;
use super::demand::{Demand, Plan};
use super::services;
use super::workspace::{Target, TargetKind, Workspace};
use crate::parse::rust::ast::{Expr, ExprKind, Item, ItemKind, Path, PatternKind, RustFile, Type};
use crate::parse::rust::walk;
use crate::parse::{self, Syntax};
use crate::scan::source::{FileId, Kind, Notice, Role, SourceFile, Span, Tree};

/// What a part is asked, and of what repository.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Kinds of facts.
    pub demand: &'a Demand,
    /// What libraries mean.
    pub catalog: &'a Catalog,
    /// Packages of the tree.
    pub workspace: &'a Workspace,
    /// There may be services.
    pub has_services: bool,
}

/// Rust code that a part reads.
pub enum Rust {
    /// None, or its text only.
    None,
    /// Files that hold something, each by itself.
    Files(fn(&SourceFile) -> bool),
    /// Files of production code that name one of these, and what the names in them lead to.
    Names(BTreeSet<Mark>),
    /// All.
    All,
}

/// What a file has to say to name something.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// The name itself.
    pub name: String,
    /// The module or type that it is called or imported through, where it is a function: `env` of `env::var`.
    pub through: Option<String>,
}

impl Mark {
    /// A name that stands for itself.
    pub fn plain(name: impl Into<String>) -> Mark {
        Mark { name: name.into(), through: None }
    }

    /// Whether a text that has the name says where it comes from.
    fn is_led_to(&self, text: &str) -> bool {
        let Some(through) = &self.through else { return true };
        [format!("{through}::"), format!("{through} as ")].iter().any(|path| text.contains(path.as_str()))
    }
}

/// Finds marks in texts.
struct Marks<'m> {
    marks: Vec<&'m Mark>,
    words: Words,
}

impl<'m> Marks<'m> {
    fn new(marks: impl Iterator<Item = &'m Mark>) -> Marks<'m> {
        let marks: Vec<&Mark> = marks.collect();
        let words = Words::new(marks.iter().map(|mark| mark.name.as_str()), false);
        Marks { marks, words }
    }

    fn stand_in(&self, text: &str) -> bool {
        let mut seen = BTreeSet::new();
        self.words.places(text).any(|(which, _)| {
            // Marks of one name stand side by side.
            let name = &self.marks[which].name;
            seen.insert(which) && self.marks.iter().filter(|mark| mark.name == *name).any(|mark| mark.is_led_to(text))
        })
    }
}

/// Rounds in which names lead to further files.
const ROUNDS: usize = 6;

/// Reads the Rust files that a demand takes; all other files are parsed already.
pub fn read(repository: &mut Repository, catalog: &Catalog, demand: &Demand) -> (Plan, Vec<Notice>) {
    let workspace = Workspace::build(repository);
    let has_services = services::possible(&workspace);
    let asked = Asked { demand, catalog, workspace: &workspace, has_services };
    let mut plan = Plan::of(&asked);
    let asked = Asked { demand: &plan.demand, ..asked };
    let needs: Vec<Rust> = plan.parts.iter().map(|part| (part.rust)(&asked)).collect();
    let whole = has_services || needs.iter().any(|need| matches!(need, Rust::All));
    if whole {
        plan.follows_calls = true;
        let all = rust(&repository.tree).map(|file| file.id).collect();
        let notices = parse::add(&repository.tree, &mut repository.parsed, &all);
        return (plan, notices);
    }
    let mut notices = Vec::new();
    let mut marks = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for need in needs {
        match need {
            Rust::Files(holds) => wanted.extend(files_where(&repository.tree, holds)),
            Rust::Names(names) => marks.extend(names),
            Rust::None | Rust::All => {}
        }
    }
    if !marks.is_empty() {
        notices.extend(follow(repository, &workspace, marks));
    }
    notices.extend(parse::add(&repository.tree, &mut repository.parsed, &wanted));
    (plan, notices)
}

fn rust(tree: &Tree) -> impl Iterator<Item = &SourceFile> {
    tree.files.iter().filter(|file| file.kind == Kind::Rust)
}

fn files_where(tree: &Tree, holds: impl Fn(&SourceFile) -> bool + Sync) -> BTreeSet<FileId> {
    let files: Vec<&SourceFile> = rust(tree).collect();
    files.par_iter().filter(|file| holds(file)).map(|file| file.id).collect()
}

/// Parses the files that hold the marks, the modules they stand in, and what their names lead to.
fn follow(repository: &mut Repository, workspace: &Workspace, marks: BTreeSet<Mark>) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut known: BTreeSet<FileId> = BTreeSet::new();
    let mut names: BTreeSet<String> = marks.iter().map(|mark| mark.name.clone()).collect();
    let mut fresh = marks;
    for _ in 0..ROUNDS {
        let finder = Marks::new(fresh.iter());
        let holds = |file: &SourceFile| file.role == Role::Service && finder.stand_in(&file.text);
        let holding = files_where(&repository.tree, holds);
        let mut wanted = holding.clone();
        wanted.extend(holding.iter().flat_map(|id| around(&repository.tree, workspace, *id)));
        let wanted: BTreeSet<FileId> = wanted.difference(&known).copied().collect();
        notices.extend(parse::add(&repository.tree, &mut repository.parsed, &wanted));
        known.extend(&wanted);
        let mut led = Led { marks: &names, names: BTreeSet::new(), globs: BTreeSet::new() };
        for id in &holding {
            if let Syntax::Rust(file) = &repository.parsed[id.0 as usize].syntax {
                led.look(file);
            }
        }
        let (globs, found) = (led.globs, led.names);
        let behind = files_where(&repository.tree, |file| globs.contains(stem(file)) && !known.contains(&file.id));
        notices.extend(parse::add(&repository.tree, &mut repository.parsed, &behind));
        known.extend(&behind);
        fresh = found.into_iter().filter(|name| names.insert(name.clone())).map(Mark::plain).collect();
        if fresh.is_empty() {
            break;
        }
    }
    notices
}

/// The name of the module that a file is.
fn stem(file: &SourceFile) -> &str {
    let stem = file.name().strip_suffix(".rs").unwrap_or(file.name());
    match stem {
        "mod" | "lib" | "main" => file.folder().rsplit('/').find(|folder| *folder != "src").unwrap_or(stem),
        _ => stem,
    }
}

/// Files that may declare the module that a file is: those above it in its package, and the roots of its targets.
fn around(tree: &Tree, workspace: &Workspace, id: FileId) -> Vec<FileId> {
    let file = tree.file(id);
    let Some(package) = workspace.package_of(&file.path) else { return Vec::new() };
    let runs = |target: &&Target| matches!(target.kind, TargetKind::Library | TargetKind::Binary);
    let mut found: Vec<FileId> = package.targets.iter().filter(runs).map(|target| target.root).collect();
    let mut folder = file.folder();
    while folder.len() > package.folder.len() {
        let names = ["mod.rs", "lib.rs", "main.rs"].iter().map(|name| format!("{folder}/{name}"));
        let beside = std::iter::once(format!("{folder}.rs"));
        found.extend(names.chain(beside).filter_map(|path| tree.find(&path)).map(|file| file.id));
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    found
}

/// Names that decide what a call of a marked name means, and that other files hold.
struct Led<'m> {
    marks: &'m BTreeSet<String>,
    names: BTreeSet<String>,
    /// Last segments of the modules that are imported whole.
    globs: BTreeSet<String>,
}

impl Led<'_> {
    fn look(&mut self, file: &RustFile) {
        walk::items(&file.items, &mut |item, _| {
            self.imports(item);
            let mut speaks = false;
            let mut given: Vec<&Path> = Vec::new();
            walk::item_expressions(item, &mut |expr| {
                if let Some(arguments) = self.arguments(expr) {
                    speaks = true;
                    given.extend(arguments.iter().filter_map(path_of));
                }
            });
            if speaks {
                self.names
                    .extend(given.iter().map(|path| path.last()).filter(|name| is_constant(name)).map(str::to_string));
                self.function(item, &given);
            }
        });
    }

    fn imports(&mut self, item: &Item) {
        if let ItemKind::Use(leaves) = &item.kind {
            let globs = leaves.iter().filter(|leaf| leaf.name.is_none()).filter_map(|leaf| leaf.path.last());
            self.globs.extend(globs.filter(|name| !matches!(name.as_str(), "self" | "super" | "crate")).cloned());
        }
    }

    /// What a call of a marked name is given.
    fn arguments<'e>(&self, expr: &'e Expr) -> Option<&'e [Expr]> {
        match &*expr.kind {
            ExprKind::Call { function, arguments } => match &*function.kind {
                ExprKind::Path(path) if self.marks.contains(path.last()) => Some(arguments),
                _ => None,
            },
            ExprKind::MethodCall { method, arguments, .. } if self.marks.contains(method) => Some(arguments),
            _ => None,
        }
    }

    /// A function that passes on what it is given, or gives what was read: its callers say the rest.
    fn function(&mut self, item: &Item, given: &[&Path]) {
        let ItemKind::Function(function) = &item.kind else { return };
        let passes = function.parameters.iter().any(|parameter| match &parameter.pattern.kind {
            PatternKind::Name(name) => given.iter().any(|path| path.is(name)),
            _ => false,
        });
        if passes || function.returns.as_ref().is_some_and(carries) {
            self.names.insert(item.name.clone());
        }
    }
}

/// The path that an argument is, by reference or not; that of a function that is called to make it.
fn path_of(expr: &Expr) -> Option<&Path> {
    match &*expr.kind {
        ExprKind::Path(path) => Some(path),
        ExprKind::Reference(inner) => path_of(inner),
        _ => None,
    }
}

fn is_constant(name: &str) -> bool {
    name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `Option<String>` and the like: what a caller does with it is said of what was read.
fn carries(ty: &Type) -> bool {
    let last = |ty: &Type| ty.path.last().cloned().unwrap_or_default();
    let may_lack = last(ty) == "Option" || last(ty).ends_with("Result");
    may_lack && ty.arguments.first().is_some_and(|of| ["str", "String", "OsString", "Cow"].contains(&last(of).as_str()))
}

/// Finds whole words in texts.
#[derive(Debug)]
pub struct Words {
    finder: Option<AhoCorasick>,
}

impl Words {
    /// For these words; letters of any case where case is to be ignored.
    pub fn new<'w>(words: impl Iterator<Item = &'w str>, ignore_case: bool) -> Words {
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(ignore_case);
        Words { finder: builder.build(words).ok() }
    }

    /// Whether one of them stands in a text, with no letter or digit before or after it.
    pub fn stand_in(&self, text: &str) -> bool {
        self.places(text).next().is_some()
    }

    /// Where they stand so, with the number of the word.
    pub fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (usize, Span)> + 't {
        let bytes = text.as_bytes();
        let is_word = |at: usize| bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let all = self.finder.iter().flat_map(move |finder| finder.find_iter(bytes));
        let whole = all.filter(move |found| {
            let open = !is_word(found.start()) || found.start().checked_sub(1).is_none_or(|before| !is_word(before));
            open && !is_word(found.end())
        });
        whole.map(|found| (found.pattern().as_usize(), Span::new(found.start(), found.end())))
    }

    /// The identifiers of a text that hold one of them, whole or as a part.
    pub fn identifiers<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let bytes = text.as_bytes();
        let found = self.finder.iter().flat_map(move |finder| finder.find_iter(bytes));
        found.filter_map(move |found| {
            let before = bytes[..found.start()].iter().rev().take_while(|byte| is_word(byte)).count();
            let after = bytes[found.end()..].iter().take_while(|byte| is_word(byte)).count();
            text.get(found.start() - before..found.end() + after)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_through_its_module() {
        let marks = [Mark { name: "var".into(), through: Some("env".into()) }, Mark::plain("init")];
        let finder = Marks::new(marks.iter());
        for text in ["std::env::var(\"A\")", "use std::env::{self, var};", "use std::env as e; e::var(\"A\")", "init()"]
        {
            assert!(finder.stand_in(text), "{text}");
        }
        for text in ["let var = 1;", "env::vars()", "my_env.var(1)", "initial"] {
            assert!(!finder.stand_in(text), "{text}");
        }
    }

    #[test]
    fn names_that_tell_the_rest_are_followed() {
        let tree = crate::link::trial::repository(&[
            ("Cargo.toml", "[package]\nname = \"shop\"\n"),
            ("src/lib.rs", "mod read; mod user; mod far; mod names; mod other;"),
            (
                "src/read.rs",
                "use crate::names::KEY; pub fn fetch(name: &str) { std::env::var(name); std::env::var(KEY); }",
            ),
            ("src/user.rs", "pub fn pass(name: &str) { super::read::fetch(name) }"),
            ("src/far.rs", "pub fn far() { crate::user::pass(\"A\") }"),
            ("src/names.rs", "pub const KEY: &str = \"K\";"),
            ("src/other.rs", "pub fn other() {}"),
        ]);
        let parsed = vec![crate::parse::Parsed::default(); tree.tree.files.len()];
        let mut repository = Repository { parsed, ..tree };
        let mark = Mark { name: "var".into(), through: Some("env".into()) };
        let workspace = Workspace::default();
        follow(&mut repository, &workspace, BTreeSet::from([mark]));
        let read = repository.files().filter(|(_, parsed)| matches!(parsed.syntax, Syntax::Rust(_)));
        let read: Vec<&str> = read.map(|(file, _)| file.name()).collect();
        assert_eq!(read, ["far.rs", "names.rs", "read.rs", "user.rs"]);
    }

    #[test]
    fn words_stand_alone() {
        let words = Words::new(["var", "var_os", "#[arg"].into_iter(), false);
        assert!(words.stand_in("env::var(\"A\")") && words.stand_in("var_os") && words.stand_in("x#[arg(long)]"));
        assert!(!words.stand_in("vars variable my_var var_osx #[args") && !words.stand_in(""));
        let any_case = Words::new(["prod"].into_iter(), true);
        assert!(any_case.stand_in("\"PROD\" =>") && !any_case.stand_in("product"));
        assert_eq!(any_case.identifiers("a product_id of prod").collect::<Vec<_>>(), ["product_id", "prod"]);
    }
}

//! Which script or recipe of the tree a command calls.

use super::recipes::{self, Recipe};
use super::resolve::join;
use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{Kind, SourceFile};

/// A script that a command calls.
pub struct Call<'a> {
    /// Its file.
    pub file: &'a SourceFile,
    /// Its text.
    pub script: String,
    /// Where the text stands in the file.
    pub offset: usize,
    /// Folder it runs in.
    pub folder: String,
}

/// Finds what one program's words call.
type Find = for<'a> fn(&'a Repository, &[String], &str) -> Vec<Call<'a>>;

const CALLERS: &[(&str, Find)] = &[
    ("just", just),
    ("make", make),
    ("gmake", make),
    ("npm", npm),
    ("pnpm", npm),
    ("yarn", npm),
    ("bun", npm),
    ("cargo", cargo),
    ("task", taskfile),
    ("go-task", taskfile),
    ("mise", mise),
    ("earthly", earthly),
];

/// How many words of a wrapped command are tried as the start of the command inside.
const WRAPPED: usize = 12;

/// The scripts and recipes of the tree that a command calls, in the order they run.
pub fn by<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    for at in 0..words.len().min(WRAPPED) {
        let words = &words[at..];
        let program = words[0].rsplit('/').next().unwrap_or_default();
        if let Some((_, find)) = CALLERS.iter().find(|(name, _)| *name == program) {
            let calls = find(repository, &words[1..], folder);
            if !calls.is_empty() {
                return calls;
            }
        }
        if let Some(call) = script(repository, &words[0], folder) {
            if words.len() > 1 && runs_its_words(&call.script) {
                continue;
            }
            return vec![call];
        }
        // Only what stands behind options and wrappers is a command; `echo ./deploy.sh` is none.
        if matches!(
            program,
            "echo" | "printf" | "chmod" | "cat" | "cp" | "mv" | "rm" | "ls" | "test" | "[" | "git" | "curl"
        ) {
            return Vec::new();
        }
    }
    Vec::new()
}

fn script<'a>(repository: &'a Repository, word: &str, folder: &str) -> Option<Call<'a>> {
    let looks_so = word.ends_with(".sh") || word.ends_with(".bash") || word.starts_with("./") || word.contains("/");
    if !looks_so || word.contains(['$', '*', ':']) {
        return None;
    }
    let file = repository.tree.find(&join(folder, word)).or_else(|| repository.tree.find(&join("", word)))?;
    let shell = file.kind == Kind::Shell || file.text.starts_with("#!") && first_line(&file.text).contains("sh");
    shell.then(|| Call { file, script: file.text.to_string(), offset: 0, folder: folder.to_string() })
}

/// A script that sets something up and then runs the command that it is given: `exec "$@"`.
fn runs_its_words(script: &str) -> bool {
    let last = script.lines().map(str::trim).rfind(|line| !line.is_empty() && !line.starts_with('#'));
    matches!(last, Some("exec \"$@\"" | "\"$@\"" | "exec $@" | "$@" | "exec -- \"$@\""))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// Files of these names in a folder, then in those above it.
fn upwards<'a>(repository: &'a Repository, folder: &str, names: &[&str]) -> Option<&'a SourceFile> {
    let mut folder = folder;
    loop {
        let found = names.iter().find_map(|name| repository.tree.find(&join(folder, name)));
        if found.is_some() || folder.is_empty() {
            return found;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// Names of recipes among a runner's words: no options, no `NAME=value`.
fn names(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str).filter(|word| !word.starts_with(['-', '$']) && !word.contains('='))
}

fn call(file: &SourceFile, recipe: Recipe) -> Call<'_> {
    Call { file, script: recipe.script, offset: recipe.offset, folder: file.folder().to_string() }
}

/// A recipe and those it needs, needed ones first.
fn with_needs<'a>(file: &'a SourceFile, name: &str, find: fn(&str, &str) -> Option<Recipe>) -> Vec<Call<'a>> {
    let mut open = vec![name.to_string()];
    let mut seen = Vec::new();
    let mut calls = Vec::new();
    while let Some(name) = open.pop() {
        if seen.len() > 50 || seen.contains(&name) {
            continue;
        }
        if let Some(recipe) = find(&file.text, &name) {
            open.extend(recipe.needs.iter().cloned());
            calls.push(call(file, recipe));
        }
        seen.push(name);
    }
    calls.reverse();
    calls
}

/// How many justfiles one is made of.
const JUSTFILES: usize = 50;

fn just<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let value = |names: &[&str]| {
        let at = words.iter().position(|word| names.contains(&word.as_str()));
        at.and_then(|at| words.get(at + 1))
    };
    let named = value(&["--justfile", "-f"]).and_then(|path| repository.tree.find(&join(folder, path)));
    let usual = || upwards(repository, folder, &["justfile", "Justfile", ".justfile", "JUSTFILE"]);
    let Some(file) = named.or_else(usual) else { return Vec::new() };
    let files = justfiles(repository, file);
    let in_module = |name: &str| {
        let (module, recipe) = name.split_once("::")?;
        let file = recipes::just_modules(&file.text)
            .into_iter()
            .find_map(|(own, path)| (own == module).then(|| module_file(repository, file, module, path)).flatten())?;
        Some(with_needs(file, recipe, recipes::just)).filter(|calls| !calls.is_empty())
    };
    let recipe = |name: &str| {
        let own = files.iter().map(|part| just_calls(file, &files, part, name)).find(|calls| !calls.is_empty());
        own.or_else(|| in_module(name))
    };
    let all: Vec<&str> = names(words).collect();
    // `just module recipe` is `just module::recipe`.
    let paired = all.windows(2).map(|pair| format!("{}::{}", pair[0], pair[1]));
    let modules: Vec<Call<'a>> = paired.filter_map(|name| in_module(&name)).flatten().collect();
    all.into_iter().filter_map(recipe).flatten().chain(modules).collect()
}

/// A recipe of one of the files that make a justfile, with what it needs from any of them; it runs beside the first.
fn just_calls<'a>(main: &'a SourceFile, files: &[&'a SourceFile], part: &'a SourceFile, name: &str) -> Vec<Call<'a>> {
    let mut calls = with_needs(part, name, recipes::just);
    let needs = recipes::just(&part.text, name).map(|recipe| recipe.needs).unwrap_or_default();
    let elsewhere = needs.iter().filter(|need| recipes::just(&part.text, need).is_none());
    let needed = elsewhere.flat_map(|need| files.iter().flat_map(|file| with_needs(file, need, recipes::just)));
    let mut all: Vec<Call<'a>> = needed.collect();
    all.append(&mut calls);
    for call in &mut all {
        call.folder = main.folder().to_string();
    }
    all
}

/// A justfile with those it imports, then those beside it.
fn justfiles<'a>(repository: &'a Repository, file: &'a SourceFile) -> Vec<&'a SourceFile> {
    let mut files = vec![file];
    let mut at = 0;
    while let Some(file) = files.get(at).copied() {
        at += 1;
        for path in recipes::just_imports(&file.text) {
            let found = repository.tree.find(&join(file.folder(), path));
            files
                .extend(found.filter(|found| files.len() < JUSTFILES && !files.iter().any(|file| file.id == found.id)));
        }
    }
    let beside =
        repository.tree.files.iter().filter(|other| {
            other.folder() == file.folder() && (other.kind == Kind::Just || other.name().contains("just"))
        });
    let beside: Vec<&SourceFile> = beside.filter(|other| !files.iter().any(|file| file.id == other.id)).collect();
    files.extend(beside);
    files
}

fn module_file<'a>(
    repository: &'a Repository,
    file: &SourceFile,
    module: &str,
    path: Option<&str>,
) -> Option<&'a SourceFile> {
    let named = path.map(|path| vec![path.to_string(), format!("{path}/mod.just"), format!("{path}/justfile")]);
    let usual = || {
        [".just", "/mod.just", "/justfile", "/Justfile", "/.justfile"]
            .iter()
            .map(|end| format!("{module}{end}"))
            .collect()
    };
    named.unwrap_or_else(usual).iter().find_map(|path| repository.tree.find(&join(file.folder(), path)))
}

fn make<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let into = words.iter().position(|word| word == "-C").and_then(|at| words.get(at + 1));
    let folder = into.map_or(folder.to_string(), |into| join(folder, into));
    let Some(file) = upwards(repository, &folder, &["Makefile", "makefile", "GNUmakefile"]) else { return Vec::new() };
    names(words).flat_map(|name| with_needs(file, name, recipes::make)).collect()
}

fn document<'a>(repository: &'a Repository, file: &SourceFile) -> Option<&'a Node> {
    match &repository.get(file.id).1.syntax {
        Syntax::Documents(documents) => documents.first(),
        _ => None,
    }
}

fn npm<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let into = words.iter().position(|word| matches!(word.as_str(), "--prefix" | "-C" | "--dir" | "--cwd"));
    let folder = into.and_then(|at| words.get(at + 1)).map_or(folder.to_string(), |into| join(folder, into));
    let Some(file) = upwards(repository, &folder, &["package.json"]) else { return Vec::new() };
    let scripts = document(repository, file).and_then(|document| document.get("scripts"));
    let name = names(words).find(|word| !matches!(*word, "run" | "run-script"));
    let entry = scripts.zip(name).and_then(|(scripts, name)| scripts.entry(name));
    let found = entry.and_then(|entry| Some((entry, entry.value.text()?)));
    let to_call = |(entry, text): (&crate::parse::document::Entry, &str)| Call {
        file,
        script: text.to_string(),
        offset: entry.key_span.start as usize,
        folder: file.folder().to_string(),
    };
    found.map(to_call).into_iter().collect()
}

/// A task of cargo-make, or an alias of `.cargo/config.toml`.
fn cargo<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let mut plain = names(words).filter(|word| !word.starts_with('+'));
    match plain.next() {
        Some("make") => plain.next().map_or_else(Vec::new, |task| cargo_make(repository, task, folder)),
        Some(alias) => cargo_alias(repository, alias, folder).into_iter().collect(),
        None => Vec::new(),
    }
}

fn cargo_make<'a>(repository: &'a Repository, task: &str, folder: &str) -> Vec<Call<'a>> {
    let Some(file) = upwards(repository, folder, &["Makefile.toml"]) else { return Vec::new() };
    let Some(tasks) = document(repository, file).and_then(|document| document.get("tasks")) else { return Vec::new() };
    let mut open = vec![task.to_string()];
    let mut seen: Vec<String> = Vec::new();
    let mut calls = Vec::new();
    while let Some(name) = open.pop() {
        let Some(entry) = tasks.entry(&name).filter(|_| seen.len() < 50 && !seen.contains(&name)) else { continue };
        seen.push(name);
        let node = &entry.value;
        let needs = node.get("dependencies").map(|list| list.items()).unwrap_or_default();
        open.extend(needs.iter().filter_map(|need| need.scalar()));
        open.extend(node.get("run_task").and_then(Node::scalar));
        let command = node.get("command").and_then(Node::scalar);
        let arguments = node.get("args").map(super::expressions::texts_of).unwrap_or_default().join(" ");
        let script = node.get("script").map(|script| super::expressions::texts_of(script).join("\n"));
        let script = script.or(command.map(|command| format!("{command} {arguments}"))).unwrap_or_default();
        calls.push(Call { file, script, offset: entry.key_span.start as usize, folder: file.folder().to_string() });
    }
    calls
}

fn cargo_alias<'a>(repository: &'a Repository, alias: &str, folder: &str) -> Option<Call<'a>> {
    let file = upwards(repository, folder, &[".cargo/config.toml", ".cargo/config"])?;
    let entry = document(repository, file)?.get("alias")?.entry(alias)?;
    let words = super::expressions::texts_of(&entry.value).join(" ");
    // An alias that starts a crate of the tree (`run --package xtask --`) is a program, not a command.
    (!words.starts_with("run")).then(|| Call {
        file,
        script: format!("cargo {words}"),
        offset: entry.key_span.start as usize,
        folder: folder.to_string(),
    })
}

fn taskfile<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let Some(file) = upwards(repository, folder, &["Taskfile.yml", "Taskfile.yaml", "taskfile.yml"]) else {
        return Vec::new();
    };
    let tasks = document(repository, file).and_then(|document| document.get("tasks"));
    let entries = names(words).filter_map(|name| tasks?.entry(name));
    let to_call = |entry: &crate::parse::document::Entry| Call {
        file,
        script: task_script(&entry.value),
        offset: entry.key_span.start as usize,
        folder: file.folder().to_string(),
    };
    entries.map(to_call).collect()
}

fn task_script(task: &Node) -> String {
    let commands = task.get("cmds").or_else(|| task.get("cmd")).unwrap_or(task);
    let lines = match commands.items() {
        [] => super::expressions::texts_of(commands),
        items => items.iter().filter_map(|item| item.scalar().or_else(|| item.get("cmd")?.scalar())).collect(),
    };
    lines.join("\n")
}

fn mise<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let Some(file) = upwards(repository, folder, &["mise.toml", ".mise.toml"]) else { return Vec::new() };
    let tasks = document(repository, file).and_then(|document| document.get("tasks"));
    let name = names(words).find(|word| !matches!(*word, "run" | "r" | "exec" | "x"));
    let Some(entry) = tasks.zip(name).and_then(|(tasks, name)| tasks.entry(name)) else { return Vec::new() };
    let script = super::expressions::texts_of(entry.value.get("run").unwrap_or(&entry.value)).join("\n");
    vec![Call { file, script, offset: entry.key_span.start as usize, folder: file.folder().to_string() }]
}

fn earthly<'a>(repository: &'a Repository, words: &[String], folder: &str) -> Vec<Call<'a>> {
    let Some(file) = upwards(repository, folder, &["Earthfile"]) else { return Vec::new() };
    let targets = words.iter().filter_map(|word| word.strip_prefix('+'));
    let recipe = |target: &str| {
        let mut recipe = recipes::make(&file.text, target)?;
        let lines = recipe.script.lines().map(|line| line.strip_prefix("RUN ").unwrap_or(line));
        recipe.script = lines.collect::<Vec<_>>().join("\n");
        Some(call(file, recipe))
    };
    targets.filter_map(recipe).collect()
}

//! What a file is for, by its path below the scanned root and, for generated files, its first lines.

use super::source::{Kind, Role};

/// Words of a folder's or file's name (split at `-`, `_`, `.` and spaces) that tell a role, strongest first.
const WORDS: &[(Role, &[&str])] = &[
    (Role::Vendored, &["vendor", "vendored", "third_party", "thirdparty", "node_modules", "3rdparty"]),
    (
        Role::Test,
        &[
            "test",
            "tests",
            "testing",
            "testdata",
            "testkit",
            "testutil",
            "testutils",
            "fixture",
            "fixtures",
            "e2e",
            "mock",
            "mocks",
            "snapshots",
        ],
    ),
    (Role::Bench, &["bench", "benches", "benchmark", "benchmarks", "loadtest", "loadtests"]),
    (Role::Example, &["example", "examples", "sample", "samples", "demo", "demos"]),
    (Role::BuildScript, &["xtask", "xtasks"]),
    (Role::Generated, &["generated"]),
];

/// Whole folder names that tell a role.
const FOLDERS: &[(Role, &[&str])] = &[
    (Role::Vendored, &["third_party", "third-party", "node_modules"]),
    (Role::Test, &["__tests__", "__mocks__", "cypress", "playwright", "spec", "bdd"]),
    (Role::Development, &[".devcontainer", ".vscode", ".idea", ".gitpod", ".zed", ".husky"]),
    (Role::Docs, &["docs", "doc", "documentation", "book", "website"]),
    (Role::Generated, &["__generated__"]),
];

/// The role of a file.
pub(super) fn of(path: &str, kind: Kind, text: &str) -> Role {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let by_folder = folders.split('/').scan("", |parent, folder| Some((std::mem::replace(parent, folder), folder)));
    let by_folder = by_folder.filter(|(_, folder)| !folder.is_empty()).find_map(|(parent, folder)| {
        // A chart is called after what it installs, which may well be called a demo.
        folder_role(folder, kind).filter(|role| !(parent == "charts" && *role == Role::Example))
    });
    by_folder.or_else(|| name_role(name, kind)).or_else(|| generated(kind, text)).unwrap_or(match kind {
        Kind::Markdown => Role::Docs,
        _ => Role::Service,
    })
}

/// Whether folders say that they hold examples and nothing else.
pub(super) fn of_examples(folders: &str, kind: Kind) -> bool {
    let mut roles = folders.split('/').filter_map(|folder| folder_role(folder, kind)).peekable();
    roles.peek().is_some() && roles.all(|role| role == Role::Example)
}

/// Whether a folder's name says that it holds examples.
pub(super) fn is_example_folder(name: &str) -> bool {
    word_role(&name.to_ascii_lowercase()) == Some(Role::Example)
}

fn folder_role(folder: &str, kind: Kind) -> Option<Role> {
    let folder = folder.to_ascii_lowercase();
    let whole = FOLDERS.iter().find(|(_, names)| names.contains(&folder.as_str())).map(|(role, _)| *role);
    // A crate called `docs` is code: only documents and configuration in it are documentation.
    let whole = whole.filter(|role| !(*role == Role::Docs && kind == Kind::Rust));
    whole.or_else(|| word_role(&folder))
}

fn word_role(name: &str) -> Option<Role> {
    let words: Vec<&str> = name.split(['-', '_', '.', ' ']).collect();
    WORDS.iter().find(|(_, known)| words.iter().any(|word| known.contains(word))).map(|(role, _)| *role)
}

fn name_role(name: &str, kind: Kind) -> Option<Role> {
    let name = name.to_ascii_lowercase();
    if name == "build.rs" {
        return Some(Role::BuildScript);
    }
    match kind {
        Kind::Rust => rust_name_role(&name),
        Kind::Markdown | Kind::Sql => None,
        Kind::OtherCode => other_code_role(&name),
        Kind::Dockerfile => word_role(&name).or_else(|| development(&name)),
        Kind::Yaml if name.contains("compose") => word_role(&name).or_else(|| development(&name)),
        _ => word_role(&name).filter(|role| matches!(role, Role::Test | Role::Example)),
    }
}

/// In Rust only the words at the ends of a name tell: `user_test.rs`, `test_server.rs`, but not `latest_test_run.rs`.
fn rust_name_role(name: &str) -> Option<Role> {
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    let test = ["_test", "_tests"].iter().any(|end| stem.ends_with(end))
        || ["test_", "tests_"].iter().any(|start| stem.starts_with(start))
        || matches!(stem, "test" | "tests" | "testing");
    test.then_some(Role::Test)
}

/// The habits of other languages: `x_test.go`, `x.test.ts`, `x.spec.ts`, `test_x.py`, `XTest.java`, `x_spec.rb`.
fn other_code_role(name: &str) -> Option<Role> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let ends = ["_test", ".test", ".tests", ".spec", "_spec", "_tests", "tests", "test"];
    let test = ends.iter().any(|end| stem.ends_with(end)) || stem.starts_with("test_");
    test.then_some(Role::Test)
}

fn development(name: &str) -> Option<Role> {
    let words = ["dev", "develop", "development", "debug", "local", "override"];
    name.split(['-', '_', '.']).any(|word| words.contains(&word)).then_some(Role::Development)
}

fn generated(kind: Kind, text: &str) -> Option<Role> {
    let head = text.get(..text.floor_char_boundary(1024)).unwrap_or(text);
    // Pages of documentation tools and site generators say what made them.
    if kind == Kind::Html && head.contains("<meta name=\"generator\"") {
        return Some(Role::Generated);
    }
    if !matches!(kind, Kind::Rust | Kind::OtherCode | Kind::Yaml | Kind::Json) {
        return None;
    }
    let marked = head.lines().take(8).any(|line| {
        line.contains("@generated")
            || line.to_ascii_lowercase().contains("generated by") && line.contains("DO NOT EDIT")
            || line.contains("Code generated") && line.contains("DO NOT EDIT")
    });
    marked.then_some(Role::Generated)
}

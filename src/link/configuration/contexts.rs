//! The folder that each image is built from, as compose files, pipelines and build commands tell it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::link::Repository;
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{Kind, Role, SourceFile};

/// Build contexts by the path of the Dockerfile; paths below the scanned root. The first file that tells wins.
pub(super) fn told(repository: &Repository) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (file, parsed) in repository.files() {
        if file.role == Role::Vendored {
            continue;
        }
        match &parsed.syntax {
            Syntax::Documents(documents) if file.kind == Kind::Yaml => {
                for root in documents.iter() {
                    composed(repository, file, root, &mut found);
                    acted(repository, root, &mut found, 0);
                }
                commanded(repository, file, &mut found);
            }
            _ if matches!(file.kind, Kind::Just | Kind::Make | Kind::Shell) => commanded(repository, file, &mut found),
            _ => {}
        }
    }
    found
}

/// `build:` of a compose file's services.
fn composed(repository: &Repository, file: &SourceFile, root: &Node, found: &mut BTreeMap<String, String>) {
    let services = root.get("services").map(Node::entries).unwrap_or_default();
    for build in services.iter().filter_map(|service| service.value.get("build")) {
        let field = |key: &str| build.get(key).and_then(Node::scalar);
        let context = build.text().map(str::to_string).or_else(|| field("context")).unwrap_or_else(|| ".".to_string());
        let name = field("dockerfile").unwrap_or_else(|| "Dockerfile".to_string());
        add(repository, found, file.folder(), &context, &name, true);
    }
}

/// How deep steps of a pipeline lie at most.
const DEPTH: usize = 12;

/// Steps that use the action that builds and pushes images.
fn acted(repository: &Repository, node: &Node, found: &mut BTreeMap<String, String>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    if node.get("uses").and_then(Node::text).is_some_and(|action| action.contains("build-push-action")) {
        let input = |key: &str| node.at(&["with", key]).and_then(Node::scalar);
        let context = input("context").unwrap_or_else(|| ".".to_string());
        let file = input("file").unwrap_or_else(|| format!("{}/Dockerfile", context.trim_end_matches('/')));
        add(repository, found, "", &context, &file, false);
    }
    for child in node.entries().iter().map(|entry| &*entry.value).chain(node.items().iter().map(|item| &**item)) {
        acted(repository, child, found, depth + 1);
    }
}

static BUILD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:docker|podman|nerdctl|buildah)\s+(?:buildx\s+|image\s+)?(?:build|bud)\s+([^\n|;&]+)").ok()
});

/// `docker build -f FILE CONTEXT` in scripts and steps.
fn commanded(repository: &Repository, file: &SourceFile, found: &mut BTreeMap<String, String>) {
    let Some(regex) = BUILD.as_ref() else { return };
    if !file.text.contains("build") {
        return;
    }
    let text = file.text.replace("\\\r\n", " ").replace("\\\n", " ");
    for captures in regex.captures_iter(&text) {
        let words: Vec<&str> = captures
            .get(1)
            .map_or("", |words| words.as_str())
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '\'']))
            .collect();
        let Some(context) = positional(&words) else { continue };
        let flag = |names: &[&str]| {
            words.iter().enumerate().find_map(|(index, word)| match word.split_once('=') {
                Some((name, value)) if names.contains(&name) => Some(value.to_string()),
                None if names.contains(word) => words.get(index + 1).map(|word| (*word).to_string()),
                _ => None,
            })
        };
        let name = flag(&["-f", "--file"]).unwrap_or_else(|| format!("{}/Dockerfile", context.trim_end_matches('/')));
        // Scripts are started from the root or from their own folder; only one of them holds the Dockerfile.
        if !add(repository, found, "", context, &name, false) && !file.folder().is_empty() {
            add(repository, found, file.folder(), context, &name, false);
        }
    }
}

/// Flags whose value is a word of its own.
const VALUED: &[&str] = &[
    "-f",
    "--file",
    "-t",
    "--tag",
    "--build-arg",
    "--target",
    "--platform",
    "--label",
    "--secret",
    "--cache-from",
    "--cache-to",
    "--output",
    "-o",
    "--progress",
    "--builder",
    "--network",
    "--iidfile",
    "--metadata-file",
    "--ssh",
    "--add-host",
    "--build-context",
    "--shm-size",
    "--memory",
    "-m",
];

/// The last word that is neither a flag nor the value of one.
fn positional<'w>(words: &[&'w str]) -> Option<&'w str> {
    let mut found = None;
    let mut value = false;
    for word in words {
        if std::mem::take(&mut value) {
            continue;
        }
        value = VALUED.contains(word);
        if !word.starts_with('-') {
            found = Some(*word);
        }
    }
    found
}

/// Adds what names a Dockerfile of the tree. In compose the Dockerfile's path starts at the context, elsewhere where the
/// command runs.
fn add(
    repository: &Repository,
    found: &mut BTreeMap<String, String>,
    folder: &str,
    context: &str,
    name: &str,
    below_context: bool,
) -> bool {
    if [context, name].iter().any(|text| text.contains(['$', '{', '*']) || text.contains("://")) {
        return false;
    }
    let context = crate::link::containers::join(folder, context);
    let inside = format!("{context}/");
    if !context.is_empty() && !repository.tree.files.iter().any(|file| file.path.starts_with(&inside)) {
        return false;
    }
    let path = crate::link::containers::join(if below_context { &context } else { folder }, name);
    let Some(file) = repository.tree.find(&path).filter(|file| file.kind == Kind::Dockerfile) else { return false };
    found.entry(file.path.clone()).or_insert(context);
    true
}

#[cfg(test)]
mod tests {
    use super::positional;

    #[test]
    fn the_context_is_no_flags_value() {
        let of = |command: &str| positional(&command.split_whitespace().collect::<Vec<_>>()).map(str::to_string);
        assert_eq!(of("--check . -f docker/Dockerfile.debian"), Some(".".to_string()));
        assert_eq!(of("-t shop:1 --build-arg A=1 services"), Some("services".to_string()));
        assert_eq!(of("--pull -t shop:1"), None);
    }
}

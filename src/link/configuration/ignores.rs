//! What .gitignore and .dockerignore rules cover.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::link::Repository;
use crate::scan::source::{Kind, Place, SourceFile, Span};

/// The rules of one ignore file.
pub struct Rules<'a> {
    file: &'a SourceFile,
    matcher: Gitignore,
}

impl<'a> Rules<'a> {
    /// Rules of a .gitignore.
    pub fn of_git(file: &'a SourceFile) -> Rules<'a> {
        Rules::new(file, str::to_string)
    }

    /// Rules of a .dockerignore: patterns start at the root of the build context.
    pub fn of_docker(file: &'a SourceFile) -> Rules<'a> {
        Rules::new(file, anchored)
    }

    fn new(file: &'a SourceFile, translate: fn(&str) -> String) -> Rules<'a> {
        let mut builder = GitignoreBuilder::new(".");
        for line in file.text.trim_start_matches('\u{feff}').lines() {
            // A pattern that cannot be read covers nothing, as for git.
            let _ = builder.add_line(None, &translate(line));
        }
        Rules { file, matcher: builder.build().unwrap_or_else(|_| Gitignore::empty()) }
    }

    /// Whether a path below the file's folder is covered (`Some(true)`), let in again (`Some(false)`) or not spoken of;
    /// with the line that says so.
    pub fn decides(&self, path: &str) -> Option<(bool, Place)> {
        let found = self.matcher.matched_path_or_any_parents(path, false);
        let glob = found.inner()?;
        Some((found.is_ignore(), Place { file: self.file.id, span: line_of(self.file, glob.original()) }))
    }
}

fn anchored(line: &str) -> String {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return String::new();
    }
    let (sign, pattern) = line.strip_prefix('!').map_or(("", line), |pattern| ("!", pattern.trim_start()));
    let pattern = pattern.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
    format!("{sign}/{pattern}")
}

/// The line that a pattern was made from.
fn line_of(file: &SourceFile, pattern: &str) -> Span {
    let pattern = pattern.trim_start_matches(['!', '/']).trim();
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        let bare = line.trim().trim_start_matches(['!', '.', '/']).trim_end_matches('/');
        if bare == pattern.trim_start_matches('.').trim_end_matches('/') {
            return Span::new(at, at + line.trim_end().len());
        }
        at += line.len();
    }
    Span::new(0, 0)
}

/// Whether git's rules of the tree cover a path, with the line that decides: the innermost file that speaks of it.
pub fn git_ignores(repository: &Repository, path: &str) -> Option<Place> {
    let mut folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    loop {
        let name = if folder.is_empty() { ".gitignore".to_string() } else { format!("{folder}/.gitignore") };
        let file = repository.tree.find(&name).filter(|file| file.kind == Kind::GitIgnore);
        let below = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
        if let Some((ignored, place)) = file.and_then(|file| Rules::of_git(file).decides(below)) {
            return ignored.then_some(place);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::scan::source::{FileId, Role};

    fn file(text: &str) -> SourceFile {
        SourceFile {
            id: FileId(0),
            path: ".dockerignore".into(),
            kind: Kind::DockerIgnore,
            role: Role::Service,
            role_because: String::new(),
            tracked: None,
            ignored: false,
            size: 0,
            text: text.into(),
            lines: std::sync::OnceLock::new(),
        }
    }

    #[test]
    fn docker_patterns_start_at_the_context_and_the_last_one_wins() {
        let list = file("// Allow list\n*\n!src\n");
        assert!(Rules::of_docker(&list).decides(".env").unwrap().0);
        assert!(!Rules::of_docker(&list).decides("src/.env").unwrap().0);
        let root_only = file("target\n.env\n");
        assert!(Rules::of_docker(&root_only).decides(".env").unwrap().0);
        assert!(Rules::of_docker(&root_only).decides("app/.env").is_none());
        assert!(Rules::of_docker(&file("**/.env*\n")).decides("app/.env").unwrap().0);
        assert!(Rules::of_docker(&file("target\n")).decides(".env").is_none());
    }

    #[test]
    fn git_patterns_hold_at_any_depth_and_name_their_line() {
        let rules = file("/target\n.env*\n!.env.example\n");
        let (ignored, place) = Rules::of_git(&rules).decides("api/.env").unwrap();
        assert!(ignored);
        assert_eq!(rules.slice(place.span), ".env*");
        assert!(!Rules::of_git(&rules).decides(".env.example").unwrap().0);
        assert!(Rules::of_git(&rules).decides("src/main.rs").is_none());
    }
}

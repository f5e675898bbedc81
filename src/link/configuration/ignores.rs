//! What .gitignore and .dockerignore rules cover.

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use regex::Regex;

use crate::link::Repository;
use crate::scan::source::{Kind, Place, SourceFile, Span};

/// The rules of one ignore file.
pub struct Rules<'a> {
    file: &'a SourceFile,
    matcher: Matcher,
}

enum Matcher {
    Git(Gitignore),
    Docker(Vec<DockerPattern>),
}

impl<'a> Rules<'a> {
    /// Rules of a .gitignore.
    pub fn of_git(file: &'a SourceFile) -> Rules<'a> {
        let mut builder = GitignoreBuilder::new(".");
        for line in file.text.trim_start_matches('\u{feff}').lines() {
            // A pattern that cannot be read covers nothing, as for git.
            let _ = builder.add_line(None, line);
        }
        Rules { file, matcher: Matcher::Git(builder.build().unwrap_or_else(|_| Gitignore::empty())) }
    }

    /// Rules of a .dockerignore: patterns start at the root of the build context.
    pub fn of_docker(file: &'a SourceFile) -> Rules<'a> {
        let mut patterns = Vec::new();
        let mut at = 0;
        for line in file.text.split_inclusive('\n') {
            patterns.extend(DockerPattern::read(line, at));
            at += line.len();
        }
        Rules { file, matcher: Matcher::Docker(patterns) }
    }

    /// Whether a path below the file's folder is covered (`Some(true)`), let in again (`Some(false)`) or not spoken of;
    /// with the line that says so.
    pub fn decides(&self, path: &str) -> Option<(bool, Place)> {
        match &self.matcher {
            Matcher::Git(matcher) => {
                let found = matcher.matched_path_or_any_parents(path, false);
                let glob = found.inner()?;
                Some((found.is_ignore(), Place { file: self.file.id, span: line_of(self.file, glob.original()) }))
            }
            Matcher::Docker(patterns) => {
                let last = patterns.iter().rev().find(|pattern| pattern.covers(path))?;
                Some((!last.lets_in, Place { file: self.file.id, span: last.span }))
            }
        }
    }
}

/// A line of a .dockerignore. The last one that covers a path or a folder above it decides.
struct DockerPattern {
    lets_in: bool,
    form: Regex,
    span: Span,
}

impl DockerPattern {
    /// Reads the line that starts at an offset, as the builder does: only a line that begins with `#` is a comment.
    fn read(line: &str, at: usize) -> Option<DockerPattern> {
        let line = line.trim_start_matches('\u{feff}').trim_end();
        let pattern = line.trim_start();
        if line.starts_with('#') || pattern.is_empty() {
            return None;
        }
        let (lets_in, pattern) = pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest.trim_start()));
        let pattern = clean(pattern);
        // A lone dot covers nothing.
        if pattern.is_empty() {
            return None;
        }
        // A pattern that cannot be read covers nothing: the builder refuses the whole file.
        let form = Regex::new(&expression(&pattern)).ok()?;
        Some(DockerPattern { lets_in, form, span: Span::new(at, at + line.len()) })
    }

    fn covers(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).any(|part| self.form.is_match(part))
    }
}

/// A pattern without `.`, `..` and doubled or outer slashes.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The builder's form of a pattern: `*` stays within a name, `**` goes over any number of folders, none included.
fn expression(pattern: &str) -> String {
    let mut out = String::from("^");
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                letters.next_if_eq(&'/');
                out.push_str(if letters.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => {
                if let Some(next) = letters.next() {
                    out.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
                }
            }
            '[' | ']' => out.push(letter),
            letter => out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    out
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
        // The file, a path, and whether it stays out of the image; `None` where no line speaks of it.
        let table: &[(&str, &str, Option<bool>)] = &[
            ("*\n!src\n", ".env", Some(true)),
            ("*\n!src\n", "src/.env", Some(false)),
            ("// Allow list\n*\n", ".env", Some(true)),
            ("target\n.env\n", ".env", Some(true)),
            ("target\n.env\n", "app/.env", None),
            ("**/.env*\n", "app/.env", Some(true)),
            ("**/.env*\n", ".env.local", Some(true)),
            ("**/.env\n", "a/b/c/.env", Some(true)),
            ("**/.env\n", "a/b.env", None),
            ("target\n", ".env", None),
            // The order decides, not how exact a line is.
            ("a\n!a/b\n", "a/b", Some(false)),
            ("a\n!a/b\n", "a/b/.env", Some(false)),
            ("a\n!a/b\n", "a/c", Some(true)),
            ("!a/b\na\n", "a/b", Some(true)),
            ("!a/b/.env\na/b\n", "a/b/.env", Some(true)),
            ("a\n!a/b\na/b/.env\n", "a/b/.env", Some(true)),
            ("**\n!app/**\n**/.env\n", "app/.env", Some(true)),
            ("**\n!app/**\n**/.env\n", "app/main.rs", Some(false)),
            ("**/.env\n!**/.env\n", "x/.env", Some(false)),
            // A name stays a name, however deep.
            ("*.env\n", "prod.env", Some(true)),
            ("*.env\n", "config/prod.env", None),
            ("config/*\n", "config/a/.env", Some(true)),
            ("config/*/.env\n", "config/a/b/.env", None),
            ("config/**/.env\n", "config/a/b/.env", Some(true)),
            ("config/**/.env\n", "config/.env", Some(true)),
            ("config/**\n", "config/.env", Some(true)),
            (".en?\n", ".env", Some(true)),
            (".e[mn]v\n", ".env", Some(true)),
            ("/.env\n", ".env", Some(true)),
            ("./.env\n", ".env", Some(true)),
            ("a/../.env/\n", ".env", Some(true)),
            ("  .env  \r\n", ".env", Some(true)),
            ("#.env\n", ".env", None),
            ("\u{feff}.env", ".env", Some(true)),
            (".\n", ".env", None),
            ("[\n.env\n", ".env", Some(true)),
            ("! .env\n", ".env", Some(false)),
        ];
        for (text, path, expected) in table {
            let list = file(text);
            assert_eq!(Rules::of_docker(&list).decides(path).map(|(out, _)| out), *expected, "{text:?} and {path}");
        }
    }

    #[test]
    fn docker_patterns_name_their_line() {
        let list = file("# keys\n*\n!app\napp/.env\n");
        let (_, place) = Rules::of_docker(&list).decides("app/.env").unwrap();
        assert_eq!(list.slice(place.span), "app/.env");
        let (_, place) = Rules::of_docker(&list).decides("app/main.rs").unwrap();
        assert_eq!(list.slice(place.span), "!app");
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

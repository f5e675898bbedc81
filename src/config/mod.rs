//! `prodcheck.toml`: what a team sets for its repository. All that is wrong with it is reported at once.

mod shape;
mod validate;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::check::outcome::Attestation;
use crate::check::settings::{Allow, RuleSetting, Settings, TomlError};
pub use validate::nearest;

/// The file's name.
pub const FILE: &str = "prodcheck.toml";

/// The settings of a repository.
#[derive(Debug, Default)]
pub struct Config {
    /// What the check goes by; its day is not set here.
    pub settings: Settings,
    /// Paths that are not scanned.
    pub exclude: GlobSet,
    /// Rule files of the team's own: path and text.
    pub rule_files: Vec<(String, String)>,
    /// Catalog entries of the team's own.
    pub catalog: Vec<OwnEntry>,
    /// Names that have to exist among the rules and items.
    names: Vec<Name>,
    /// The file they stand in.
    source: Source,
}

/// A catalog entry of the team's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnEntry {
    /// A catalog file with this entry alone.
    pub text: String,
    /// Where it stands in prodcheck.toml.
    span: Range<usize>,
}

/// A file with its text.
#[derive(Clone, Debug, Default)]
struct Source {
    path: String,
    text: Arc<str>,
}

impl Source {
    fn error(&self, span: Range<usize>, message: String, help: Option<String>) -> TomlError {
        TomlError { path: self.path.clone(), text: Arc::clone(&self.text), span, message, help }
    }
}

/// A name with what it has to be the name of.
#[derive(Debug)]
struct Name {
    of: NameOf,
    name: String,
    span: Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NameOf {
    Rule,
    Item,
}

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read: path and reason.
    Unreadable(PathBuf, String),
    /// It says something wrong.
    Wrong(Vec<TomlError>),
}

impl Config {
    /// The configuration in `file`, or in prodcheck.toml at the root where there is one.
    ///
    /// # Errors
    /// When a file that was named is missing, and when anything in the file is wrong.
    pub fn load(root: &Path, file: Option<&Path>) -> Result<Config, ConfigError> {
        let (path, shown) = match file {
            Some(file) => (file.to_path_buf(), file.to_string_lossy().into_owned()),
            None => (root.join(FILE), FILE.to_string()),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let folder = path.parent().unwrap_or(root).to_path_buf();
                Config::read(&shown, &text, &folder).map_err(ConfigError::Wrong)
            }
            Err(error) if error.kind() == ErrorKind::NotFound && file.is_none() => Ok(Config::default()),
            // A root that is no folder is said when it is scanned.
            Err(error) if error.kind() == ErrorKind::NotADirectory && file.is_none() => Ok(Config::default()),
            Err(error) => Err(ConfigError::Unreadable(path, error.to_string())),
        }
    }

    /// Reads the text of a configuration; rule files are looked up from `folder`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(path: &str, text: &str, folder: &Path) -> Result<Config, Vec<TomlError>> {
        let source = Source { path: path.to_string(), text: Arc::from(text) };
        let errors = validate::against_schema(&source, &shape::schema());
        if !errors.is_empty() {
            return Err(errors);
        }
        let file: shape::File = toml::from_str(text)
            .map_err(|error| vec![source.error(error.span().unwrap_or(0..0), error.message().to_string(), None)])?;
        Reader { source, folder, errors: Vec::new() }.config(file)
    }

    /// Something wrong with a catalog entry, at the entry's place.
    pub fn wrong_entry(&self, entry: &OwnEntry, message: String) -> TomlError {
        self.source.error(entry.span.clone(), message, None)
    }

    /// The file's path as the user knows it.
    pub fn path(&self) -> &str {
        &self.source.path
    }

    /// What is wrong with the names of rules and items, given those that exist.
    pub fn unknown_names(&self, rules: &[&str], items: &[&str]) -> Vec<TomlError> {
        let mut errors = Vec::new();
        for Name { of, name, span } in &self.names {
            let (known, what) = match of {
                NameOf::Rule => (rules, "rule"),
                NameOf::Item => (items, "item of the checklist"),
            };
            if !known.contains(&name.as_str()) {
                let help = nearest(name, known.iter().copied()).map(|name| format!("did you mean `{name}`?"));
                errors.push(self.source.error(span.clone(), format!("there is no {what} `{name}`"), help));
            }
        }
        errors
    }
}

/// The JSON Schema of prodcheck.toml.
pub fn schema() -> serde_json::Value {
    shape::schema()
}

/// Turns the file's shape into settings.
struct Reader<'a> {
    source: Source,
    folder: &'a Path,
    errors: Vec<TomlError>,
}

impl Reader<'_> {
    fn config(mut self, file: shape::File) -> Result<Config, Vec<TomlError>> {
        let mut names = Vec::new();
        let mut settings = Settings { environments: file.environments, ..Settings::default() };
        for (id, rule) in file.rules {
            names.push(Name { of: NameOf::Rule, span: id.span(), name: id.get_ref().clone() });
            settings.rules.insert(id.into_inner(), setting(rule));
        }
        for attest in file.attest {
            names.push(Name { of: NameOf::Item, span: attest.item.span(), name: attest.item.get_ref().clone() });
            settings.attest.extend(self.attestation(attest));
        }
        for allow in file.allow {
            names.push(Name { of: NameOf::Rule, span: allow.rule.span(), name: allow.rule.get_ref().clone() });
            settings.allow.extend(self.allow(allow));
        }
        let exclude = self.exclude(&file.scan.exclude);
        let rule_files = file.rule_files.iter().flat_map(|pattern| self.rule_files(pattern)).collect();
        let catalog = catalog(file.catalog);
        if self.errors.is_empty() {
            Ok(Config { settings, exclude, rule_files, catalog, names, source: self.source })
        } else {
            Err(self.errors)
        }
    }

    fn wrong(&mut self, span: Range<usize>, message: String) {
        self.errors.push(self.source.error(span, message, None));
    }

    fn attestation(&mut self, attest: shape::Attest) -> Option<Attestation> {
        let (on, until) = (attest.on.0, attest.until.0);
        if until < on {
            self.wrong(attest.item.span(), format!("attested on {on} until {until}: it would never count"));
            return None;
        }
        Some(Attestation { item: attest.item.into_inner(), by: attest.by, on, evidence: attest.evidence, until })
    }

    fn allow(&mut self, allow: shape::Allow) -> Option<Allow> {
        let span = allow.rule.span();
        if allow.reason.trim().is_empty() {
            self.wrong(span, "an allowance needs a reason".to_string());
            return None;
        }
        let path = match &allow.path {
            None => None,
            Some(pattern) => Some(self.glob(pattern)?.compile_matcher()),
        };
        let until = allow.until.map(|date| date.0);
        let line = self.line(span.start);
        Some(Allow { rule: allow.rule.into_inner(), path, reason: allow.reason, until, line })
    }

    fn line(&self, at: usize) -> u32 {
        let breaks = self.source.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        u32::try_from(breaks + 1).unwrap_or(u32::MAX)
    }

    /// A pattern that matches a folder's contents as well where it names a folder.
    fn glob(&mut self, pattern: &toml::Spanned<String>) -> Option<Glob> {
        let written = pattern.get_ref().trim_start_matches("./").trim_end_matches('/');
        let both = format!("{{{written},{written}/**}}");
        match GlobBuilder::new(&both).literal_separator(true).build() {
            Ok(glob) => Some(glob),
            Err(error) => {
                self.wrong(pattern.span(), format!("not a pattern of paths: {}", error.kind()));
                None
            }
        }
    }

    fn exclude(&mut self, patterns: &[toml::Spanned<String>]) -> GlobSet {
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            if let Some(glob) = self.glob(pattern) {
                builder.add(glob);
            }
        }
        builder.build().unwrap_or_default()
    }

    fn rule_files(&mut self, pattern: &toml::Spanned<String>) -> Vec<(String, String)> {
        let Some(glob) = self.glob(pattern).map(|glob| glob.compile_matcher()) else { return Vec::new() };
        // The walk starts below the part of the pattern that is a plain folder.
        let plain: PathBuf = Path::new(pattern.get_ref().trim_start_matches("./"))
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']))
            .collect();
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(self.folder.join(plain)).sort_by_file_name().into_iter().flatten() {
            let path = entry.path().strip_prefix(self.folder).unwrap_or(entry.path());
            let is_rule = entry.file_type().is_file() && path.extension().is_some_and(|extension| extension == "toml");
            if !is_rule || !glob.is_match(path) {
                continue;
            }
            let shown = path.to_string_lossy().replace('\\', "/");
            match std::fs::read_to_string(entry.path()) {
                Ok(text) => files.push((shown, text)),
                Err(error) => self.wrong(pattern.span(), format!("{shown} cannot be read: {error}")),
            }
        }
        if files.is_empty() {
            self.wrong(pattern.span(), format!("no rule file matches `{}`", pattern.get_ref()));
        }
        files
    }
}

fn catalog(entries: BTreeMap<String, Vec<toml::Spanned<toml::Table>>>) -> Vec<OwnEntry> {
    let mut own = Vec::new();
    for (subject, list) in entries {
        for entry in list {
            let span = entry.span();
            let list = toml::Value::Array(vec![toml::Value::Table(entry.into_inner())]);
            own.push(OwnEntry { text: toml::Table::from_iter([(subject.clone(), list)]).to_string(), span });
        }
    }
    own
}

fn setting(rule: shape::Rule) -> RuleSetting {
    match rule {
        shape::Rule::Word(word) => {
            RuleSetting { off: word.is_off(), severity: word.severity(), ..RuleSetting::default() }
        }
        shape::Rule::Table(table) => RuleSetting {
            off: table.on == Some(false) || table.severity.is_some_and(shape::Word::is_off),
            severity: table.severity.and_then(shape::Word::severity),
            params: table.params,
        },
    }
}

#[cfg(test)]
mod tests;

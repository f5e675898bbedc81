//! What a run goes by: prodcheck.toml, the rules, the checklist and the catalog.

use std::path::Path;
use std::sync::Arc;

use walkdir::WalkDir;

use super::args::Sources;
use super::{Stop, terminal};
use crate::check::checklist::Checklist;
use crate::check::embedded;
use crate::check::rules::RuleSet;
use crate::check::settings::TomlError;
use crate::config::{Config, ConfigError};
use crate::link::catalog::Catalog;
use crate::report::text::toml;
use crate::scan;

/// Files of a rules folder: path below it, and text.
pub type Files = Vec<(String, String)>;

/// What a run goes by.
#[derive(Debug)]
pub struct Basis {
    /// prodcheck.toml.
    pub config: Config,
    /// What libraries mean.
    pub catalog: Catalog,
    /// The rules.
    pub rules: RuleSet,
    /// The checklist.
    pub checklist: Checklist,
    /// Rules that are not built in, as the report names them.
    pub own_rules: Vec<String>,
}

/// Loads everything; all that is wrong with any of it is said at once.
pub fn basis(root: &Path, sources: &Sources) -> Result<Basis, Stop> {
    scan::check_root(root).map_err(super::check::cannot_scan)?;
    let mut errors = Vec::new();
    let config = config(root, sources, &mut errors)?;
    let files = files(sources.rules.as_deref())?;
    let mut catalog = catalog(&files, &config, &mut errors);
    catalog.environments.clone_from(&config.settings.environments);
    let (rules, checklist) = judged(&files, &config, &mut errors);
    if !errors.is_empty() {
        return Err(wrong(&errors));
    }
    let mut own_rules: Vec<String> = config.rule_files.iter().map(|(path, _)| path.clone()).collect();
    own_rules.extend(sources.rules.iter().map(|folder| folder.to_string_lossy().into_owned()));
    Ok(Basis { config, catalog, rules, checklist, own_rules })
}

/// The rules and the checklist alone, for commands that read no repository.
pub fn built_in(folder: Option<&Path>) -> Result<(RuleSet, Checklist), Stop> {
    let mut errors = Vec::new();
    let loaded = judged(&files(folder)?, &Config::default(), &mut errors);
    if errors.is_empty() { Ok(loaded) } else { Err(wrong(&errors)) }
}

fn judged(files: &Files, config: &Config, errors: &mut Vec<TomlError>) -> (RuleSet, Checklist) {
    let files = borrowed(files);
    let before = errors.len();
    let mut rules = RuleSet::load(&files).unwrap_or_else(|wrong| {
        errors.extend(wrong);
        RuleSet::default()
    });
    if let Err(wrong) = rules.load_own(&borrowed(&config.rule_files)) {
        errors.extend(wrong);
    }
    let checklist = Checklist::load(&files).unwrap_or_else(|wrong| {
        errors.extend(wrong);
        Checklist::default()
    });
    // Names are judged against what could be read whole: else everything would be unknown.
    if errors.len() == before {
        let ids: Vec<&str> = rules.rules().iter().map(|rule| rule.id.as_str()).collect();
        let items: Vec<&str> = checklist.items.iter().map(|item| item.id.as_str()).collect();
        errors.extend(config.unknown_names(&ids, &items));
    }
    (rules, checklist)
}

fn config(root: &Path, sources: &Sources, errors: &mut Vec<TomlError>) -> Result<Config, Stop> {
    if sources.no_config {
        return Ok(Config::default());
    }
    match Config::load(root, sources.config.as_deref()) {
        Ok(config) => Ok(config),
        Err(ConfigError::Unreadable(path, why)) => {
            Err(Stop::usage(format!("{} cannot be read: {why}", path.display())))
        }
        Err(ConfigError::Wrong(wrong)) => {
            errors.extend(wrong);
            Ok(Config::default())
        }
    }
}

/// The files of a folder of rules, or the built-in ones.
pub fn files(folder: Option<&Path>) -> Result<Files, Stop> {
    let Some(folder) = folder else {
        return Ok(embedded::RULES.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect());
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|error| Stop::usage(format!("--rules: {error}")))?;
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| Stop::usage(format!("--rules: {}: {error}", path.display())))?;
        let below = path.strip_prefix(folder).unwrap_or(path);
        files.push((below.to_string_lossy().replace('\\', "/"), text));
    }
    if files.is_empty() {
        return Err(Stop::usage(format!("--rules: no rule files in {}", folder.display())));
    }
    Ok(files)
}

fn borrowed(files: &Files) -> Vec<(&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

fn catalog(files: &Files, config: &Config, errors: &mut Vec<TomlError>) -> Catalog {
    for entry in &config.catalog {
        if let Err(wrong) = Catalog::load(&[(config.path(), &entry.text)]) {
            errors.extend(wrong.into_iter().map(|error| config.wrong_entry(entry, error.message)));
        }
    }
    let all = borrowed(files);
    let built_in = Catalog::files(&all);
    let own = config.catalog.iter().map(|entry| (config.path(), entry.text.as_str()));
    let all: Vec<(&str, &str)> = built_in.iter().copied().chain(own).collect();
    Catalog::load(&all).unwrap_or_else(|wrong| {
        // The entries of prodcheck.toml are reported above, with their places.
        for error in wrong.into_iter().filter(|error| error.path != config.path()) {
            let text = built_in.iter().find(|(path, _)| *path == error.path).map_or("", |(_, text)| text);
            let span = line_range(text, error.line);
            errors.push(TomlError {
                path: error.path,
                text: Arc::from(text),
                span,
                message: error.message,
                help: None,
            });
        }
        Catalog::default()
    })
}

fn line_range(text: &str, line: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    start..start + length
}

/// Errors, drawn.
pub fn wrong(errors: &[TomlError]) -> Stop {
    let count = if errors.len() == 1 { "1 error".to_string() } else { format!("{} errors", errors.len()) };
    let drawn = toml::errors(errors, &terminal::for_errors());
    Stop::usage(format!("{count} in the configuration or rules\n\n{drawn}"))
}

//! The rules, the checklist and the catalog of a run: the built-in ones, or those of `--rules DIR`.

use std::fmt::Display;
use std::path::Path;

use walkdir::WalkDir;

use super::Stop;
use crate::check::embedded;
use crate::link::catalog::Catalog;

/// Files of a rules folder: path below it, and text.
pub type Files = Vec<(String, String)>;

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

/// The catalog of these files.
pub fn catalog(files: &Files) -> Result<Catalog, Stop> {
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Catalog::load(&Catalog::files(&borrowed)).map_err(|errors| all_of(&errors))
}

/// All errors at once.
pub fn all_of(errors: &[impl Display]) -> Stop {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Stop::usage(lines.join("\nprodcheck: "))
}

//! `prodcheck explain --why PATH:LINE`: why each value there was or was not reported as a secret.

use std::path::{Component, Path, PathBuf};

use super::args::{ExplainArgs, ListFormat, Sources};
use super::pipeline::{self, Read};
use super::{Exit, Stop, output, rules, terminal};
use crate::check::rules::{Rule, RuleSet};
use crate::check::settings::Settings;
use crate::config::nearest;
use crate::link::demand::Demand;
use crate::link::secrets::why;
use crate::report::quote::{Quoter, escape};
use crate::report::why as report;
use crate::scan::ScanOptions;
use crate::scan::source::SourceFile;

/// Answers.
pub fn run(arguments: &ExplainArgs, place: &str) -> Result<Exit, Stop> {
    let (path, line) = parse(place)?;
    let root = arguments.root.as_deref().unwrap_or(Path::new("."));
    let (config, rules) = (arguments.config.clone(), arguments.rules.clone());
    let sources = Sources { config, rules, ..Sources::default() };
    let basis = rules::basis(root, &sources)?;
    let rule = arguments.name.as_deref().map(|name| about_secrets(name, &basis.rules)).transpose()?;
    let settings = Settings { today: super::check::today_now(), ..basis.config.settings.clone() };
    let options = ScanOptions { exclude: basis.config.exclude.clone(), ..ScanOptions::default() };
    let run = pipeline::on_deep_stack(|| {
        let read = pipeline::read(root, &options, &basis.catalog, &Demand::everything(), |_| ())?;
        let outcome = pipeline::check(&read, &basis, &settings);
        Ok((read, outcome))
    });
    let (read, outcome) = run?.map_err(super::check::cannot_scan)?;
    if let Some(notice) = outcome.notices.iter().find(|notice| notice.fatal) {
        return Err(Stop::incomplete(escape(&notice.to_string())));
    }
    let tree = &read.repository.tree;
    let file = find(&read, root, path, line)?;
    let seen = why::line(&read.repository, file, line);
    let quoter = Quoter::new(tree, &read.linked.masks);
    let asked = report::Asked {
        file,
        line,
        rule,
        seen: &seen,
        rules: &basis.rules,
        settings: &settings,
        facts: &read.linked.facts,
        outcome: &outcome,
        tree,
        quoter: &quoter,
    };
    let answer = report::answer(&asked);
    output::to_stdout(&match arguments.format {
        ListFormat::Table => report::text(&answer, &terminal::look(&arguments.look, false)),
        ListFormat::Json => report::json(&answer),
    })?;
    Ok(Exit::Clean)
}

/// `PATH:LINE`; the column that findings are printed with may follow.
fn parse(place: &str) -> Result<(&str, u32), Stop> {
    let wrong = || Stop::usage(format!("--why wants PATH:LINE, such as `src/main.rs:12`, and got `{}`", escape(place)));
    let (before, last) = place.rsplit_once(':').ok_or_else(wrong)?;
    let last: u32 = last.parse().map_err(|_| wrong())?;
    let (path, line) = match before.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) => (path, line),
        None => (before, last),
    };
    if path.is_empty() || line == 0 { Err(wrong()) } else { Ok((path, line)) }
}

fn about_secrets<'r>(name: &str, rules: &'r RuleSet) -> Result<&'r Rule, Stop> {
    let about: Vec<&Rule> = rules.rules().iter().filter(|rule| report::is_about_secrets(rule)).collect();
    let ids = || about.iter().map(|rule| rule.id.as_str());
    if let Some(rule) = about.iter().find(|rule| rule.id == name) {
        return Ok(rule);
    }
    if rules.get(name).is_some() {
        let known = ids().collect::<Vec<_>>().join(", ");
        return Err(Stop::usage(format!("--why answers for the rules that report secrets, not for `{name}`: {known}")));
    }
    let hint = nearest(name, ids()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(Stop::usage(format!("no rule is called `{name}`{hint}")))
}

/// The file, by its path below the root as reports print it, or as the shell sees it.
fn find<'r>(read: &'r Read, root: &Path, path: &str, line: u32) -> Result<&'r SourceFile, Stop> {
    let tree = &read.repository.tree;
    let below = below_root(root, path);
    let names = [Some(plain(Path::new(path))), below.clone()];
    let Some(file) = names.iter().flatten().find_map(|name| tree.find(name)) else {
        let name = below.unwrap_or_else(|| path.to_string());
        return Err(not_read(read, root, path, &name));
    };
    let lines = u32::try_from(file.text.lines().count().max(1)).unwrap_or(u32::MAX);
    if line > lines {
        let count = if lines == 1 { "1 line".to_string() } else { format!("{lines} lines") };
        return Err(Stop::usage(format!("{} has {count}: there is no line {line}", escape(&file.path))));
    }
    let unread = file.text.is_empty().then(|| notice(read, &file.path)).flatten();
    unread.map_or(Ok(file), |message| Err(Stop::usage(format!("{} was not read: {message}", escape(&file.path)))))
}

fn notice(read: &Read, path: &str) -> Option<String> {
    read.notices.iter().find(|notice| notice.path == path).map(|notice| escape(&notice.message))
}

/// Why there is no such file among those that were read.
fn not_read(read: &Read, root: &Path, path: &str, name: &str) -> Stop {
    let (shown, shown_root) = (escape(path), escape(&root.to_string_lossy()));
    if let Some(message) = notice(read, name) {
        return Stop::usage(format!("{shown} was not read: {message}"));
    }
    let inside = below_root(root, &root.join(name).to_string_lossy()).is_some();
    Stop::usage(match std::fs::metadata(root.join(name)) {
        Ok(found) if inside && found.is_dir() => format!("{shown} is a folder: --why wants a file and a line"),
        Ok(_) if inside => {
            format!("{shown} is not among the files that a check reads: git ignores it, or prodcheck.toml excludes it")
        }
        _ if Path::new(path).exists() => format!("{shown} is not below {shown_root}: name the repository with --root"),
        _ => format!("{shown} does not exist below {shown_root}"),
    })
}

/// A path of the shell as the tree names it; `None` for one that does not lie below the root.
fn below_root(root: &Path, path: &str) -> Option<String> {
    let root = std::fs::canonicalize(root).ok()?;
    let full = std::fs::canonicalize(path).ok()?;
    full.strip_prefix(root).ok().map(plain)
}

/// With `/` and without `.`.
fn plain(path: &Path) -> String {
    let parts: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    parts.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_a_path_a_line_and_perhaps_a_column() {
        assert_eq!(parse("src/a.rs:12").unwrap(), ("src/a.rs", 12));
        assert_eq!(parse("src/a.rs:12:7").unwrap(), ("src/a.rs", 12));
        assert_eq!(parse("C:\\a.rs:3").unwrap(), ("C:\\a.rs", 3));
        for wrong in ["", "src/a.rs", "src/a.rs:", "src/a.rs:x", ":3", "src/a.rs:0", "src/a.rs:-1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

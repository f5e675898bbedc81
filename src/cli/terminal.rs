//! What the reader's terminal can show, as the environment tells.

use std::io::IsTerminal;

use super::args::{ColorWhen, Look as Wanted};
use crate::report::text::style::Look;

const NARROWEST: usize = 60;
const WIDEST: usize = 120;
/// For pipes and files.
const WIDTH: usize = 100;

/// How text is to look; `to_file` when it is not written to standard output.
pub fn look(wanted: &Wanted, to_file: bool) -> Look {
    let terminal = !to_file && std::io::stdout().is_terminal();
    let color = match wanted.color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => {
            terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    };
    let width = terminal.then(terminal_size::terminal_size).flatten();
    let width = width.map_or(WIDTH, |(columns, _)| usize::from(columns.0)).clamp(NARROWEST, WIDEST);
    Look { color, unicode: !wanted.ascii && speaks_utf8(), width }
}

/// How errors on standard error are to look.
pub fn for_errors() -> Look {
    let terminal = std::io::stderr().is_terminal();
    Look { color: terminal && !is_set("NO_COLOR"), unicode: speaks_utf8(), width: WIDTH }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The first of the three that is set decides.
fn speaks_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    let locale = locale.into_iter().find(|value| !value.is_empty());
    cfg!(windows) || locale.is_some_and(|locale| locale.to_lowercase().replace('-', "").contains("utf8"))
}

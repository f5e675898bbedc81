//! What is printed to standard output and error.

use std::collections::{BTreeSet, VecDeque};

use super::Part;
use super::body::{each, macro_name};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::{FunctionId, FunctionInfo};

const MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Words in a function's path that tell a command-line part.
const COMMAND_LINE: &[&str] =
    &["cli", "command", "usage", "help", "banner", "version", "args", "console", "prompt", "main"];

/// Adds all prints of the services' code.
pub(super) fn look(part: &Part<'_, '_>, found: &mut Vec<Fact>) {
    let serving = serving(part);
    for info in part.context.names.functions().iter().filter(|info| part.is_judged(info)) {
        let Some(body) = &info.function.body else { continue };
        each(body, &mut |expr, _| {
            let Some((call, name)) = macro_name(expr).filter(|(_, name)| MACROS.contains(name)) else { return };
            // `profiler::dbg!` is another crate's, and may come to nothing.
            if call.path.segments.len() > 1 && !matches!(call.path.segments[0].as_str(), "std" | "core") {
                return;
            }
            let reached = part.reached(info, call.span);
            let in_request = reached.is_some();
            let command_line = !in_request && (!serving.contains(&info.id) || is_command_line(info));
            let data = vocabulary::PrintCall {
                name: name.into(),
                command_line: command_line.into(),
                in_request: in_request.into(),
            };
            // Printing at start-up, perhaps before there is a logger, is in between.
            let sure = if in_request || name == "dbg" { Confidence::High } else { Confidence::Low };
            found.push(part.fact(data, info.file, call.span, sure, reached));
        });
    }
}

fn is_command_line(info: &FunctionInfo<'_>) -> bool {
    let path = info.path.to_ascii_lowercase();
    path.split("::").any(|segment| segment.split('_').any(|word| COMMAND_LINE.contains(&word)))
}

/// Functions that run in the serving process: what starts the servers, and all that those functions call.
fn serving(part: &Part<'_, '_>) -> BTreeSet<FunctionId> {
    let names = part.context.names;
    let starts = part.context.services.iter().filter_map(|service| names.function_holding(service.anchor));
    let mut found: BTreeSet<FunctionId> = starts.collect();
    let mut open: VecDeque<FunctionId> = found.iter().copied().collect();
    while let Some(function) = open.pop_front() {
        let next = names.calls(function).iter().map(|site| site.target);
        open.extend(next.filter(|target| found.insert(*target)));
    }
    found
}

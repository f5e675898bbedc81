//! What is printed to standard output and error.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Part;
use super::body::{each, macro_name};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::{FunctionId, FunctionInfo, Names};
use crate::parse::rust::ast::{ExprKind, ItemKind};

const MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Words in a function's path that tell a command-line part.
const COMMAND_LINE: &[&str] =
    &["cli", "command", "usage", "help", "banner", "version", "args", "console", "prompt", "main"];

/// Adds all prints of the services' code.
pub(super) fn look(part: &Part<'_, '_>, found: &mut Vec<Fact>) {
    let ways = Ways::of(part);
    let (serving, requested) = (serving(part, &ways), requested(part, &ways));
    for info in part.context.names.functions().iter().filter(|info| part.is_judged(info)) {
        let Some(body) = &info.function.body else { continue };
        each(body, &mut |expr, _| {
            let Some((call, name)) = macro_name(expr).filter(|(_, name)| MACROS.contains(name)) else { return };
            // `profiler::dbg!` is another crate's, and may come to nothing.
            if call.path.segments.len() > 1 && !matches!(call.path.segments[0].as_str(), "std" | "core") {
                return;
            }
            let reached = part.reached(info, call.span);
            let in_request = reached.is_some() || requested.contains(&info.id);
            let command_line = !in_request && (!serving.contains(&info.id) || is_command_line(info));
            let data = vocabulary::PrintCall {
                name: name.into(),
                command_line: command_line.into(),
                in_request: in_request.into(),
            };
            // Printing at start-up, perhaps before there is a logger, is in between.
            let sure = match (&reached, name) {
                (Some(_), _) | (_, "dbg") => Confidence::High,
                // Which of a type's conversions a `?` calls is not looked at.
                (None, _) if in_request => Confidence::Medium,
                (None, _) => Confidence::Low,
            };
            found.push(part.fact(data, info.file, call.span, sure, reached));
        });
    }
}

fn is_command_line(info: &FunctionInfo<'_>) -> bool {
    let path = info.path.to_ascii_lowercase();
    path.split("::").any(|segment| segment.split('_').any(|word| COMMAND_LINE.contains(&word)))
}

/// Functions that run in the serving process: what starts the servers, and all that those functions call.
fn serving(part: &Part<'_, '_>, ways: &Ways<'_, '_>) -> BTreeSet<FunctionId> {
    let names = part.context.names;
    let starts = part.context.services.iter().filter_map(|service| names.function_holding(service.anchor));
    ways.from(starts.collect())
}

/// Functions that run while a request is answered, those that only a `?` calls among them.
fn requested(part: &Part<'_, '_>, ways: &Ways<'_, '_>) -> BTreeSet<FunctionId> {
    let all = part.context.names.functions().iter().map(|info| info.id);
    ways.from(all.filter(|id| part.reach.holds(*id)).collect())
}

/// Where calls lead: to what they name, and by a `?` to the conversions into the error that a function returns.
struct Ways<'n, 'a> {
    names: &'n Names<'a>,
    conversions: BTreeMap<&'n str, Vec<FunctionId>>,
    /// Aliases of `Result` by name: their own paths, and those of their errors.
    aliases: BTreeMap<&'n str, Vec<(&'n str, String)>>,
}

impl<'n, 'a> Ways<'n, 'a> {
    fn of(part: &Part<'n, 'a>) -> Ways<'n, 'a> {
        let names = part.context.names;
        let mut conversions: BTreeMap<&str, Vec<FunctionId>> = BTreeMap::new();
        for info in names.functions().iter().filter(|info| info.item.name == "from") {
            let is_from = info.of_trait.as_deref().is_some_and(|path| path.rsplit("::").next() == Some("From"));
            if let Some(ty) = info.self_type.as_deref().filter(|_| is_from) {
                conversions.entry(ty).or_default().push(info.id);
            }
        }
        let mut aliases: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
        for info in names.items() {
            let ItemKind::TypeAlias(Some(target)) = &info.item.kind else { continue };
            let error = names.type_at(info.module, None, target).arguments.into_iter().nth(1);
            if let Some(error) = error.filter(|_| target.path.last().is_some_and(|name| name == "Result")) {
                aliases.entry(&info.item.name).or_default().push((&info.path, error.path));
            }
        }
        Ways { names, conversions, aliases }
    }

    /// The functions and all that they lead to.
    fn from(&self, mut found: BTreeSet<FunctionId>) -> BTreeSet<FunctionId> {
        let mut open: VecDeque<FunctionId> = found.iter().copied().collect();
        while let Some(function) = open.pop_front() {
            let called = self.names.calls(function).iter().map(|site| site.target);
            let next = called.chain(self.converted(function));
            open.extend(next.filter(|target| found.insert(*target)));
        }
        found
    }

    fn converted(&self, function: FunctionId) -> Vec<FunctionId> {
        let info = self.names.function(function);
        let mut propagates = false;
        if let Some(body) = info.function.body.as_ref().filter(|_| !self.conversions.is_empty()) {
            each(body, &mut |expr, _| propagates |= matches!(&*expr.kind, ExprKind::Try(_)));
        }
        let errors = if propagates { self.errors_of(info) } else { Vec::new() };
        errors.iter().filter_map(|error| self.conversions.get(error.as_str())).flatten().copied().collect()
    }

    /// Path of the error of the `Result` that a function returns: written out, or behind an alias, of which a crate
    /// may have several by one name.
    fn errors_of(&self, info: &FunctionInfo<'_>) -> Vec<String> {
        let Some(returns) = &info.function.returns else { return Vec::new() };
        if let Some(error) = self.names.type_in(info.id, returns).arguments.into_iter().nth(1) {
            return vec![error.path];
        }
        let of_crate = |path: &str| path.split("::").next() == info.path.split("::").next();
        let aliases = returns.path.last().and_then(|name| self.aliases.get(name.as_str()));
        let errors = aliases.into_iter().flatten().filter(|(alias, _)| of_crate(alias));
        errors.map(|(_, error)| error.clone()).collect()
    }
}

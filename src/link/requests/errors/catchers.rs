//! Functions that shape all errors: Rocket's catchers, warp's `recover`, actix's and axum's error handlers.

use super::types::{FORMATS, logs_errors};
use crate::facts::{Attr, Fact, vocabulary};
use crate::link::names::{FunctionId, FunctionInfo};
use crate::link::requests::Part;
use crate::link::requests::body::{called_path, each};
use crate::parse::rust::ast::ExprKind;
use crate::scan::source::Role;

/// Methods that are given one.
const TAKERS: &[&str] =
    &["recover", "error_handler", "default_handler_server", "default_handler", "catch_all_error", "set_error_handler"];

/// Their facts: they are what an error type is elsewhere.
pub(super) fn find(part: &Part<'_, '_>) -> Vec<Fact> {
    let names = part.context.names;
    let judged = names.functions().iter().filter(|info| part.is_judged(info));
    let mut found: Vec<FunctionId> = Vec::new();
    for info in judged {
        if is_catcher(info) {
            found.push(info.id);
        }
        found.extend(given(part, info));
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|id| fact(part, names.function(id))).collect()
}

/// `#[catch(404)]` of Rocket.
fn is_catcher(info: &FunctionInfo<'_>) -> bool {
    let attributes = info.item.attributes.iter().map(|attribute| attribute.path.text());
    attributes.into_iter().any(|path| matches!(path.as_str(), "catch" | "rocket::catch"))
}

/// Functions that a body gives to one of the methods.
fn given(part: &Part<'_, '_>, info: &FunctionInfo<'_>) -> Vec<FunctionId> {
    let names = part.context.names;
    let mut found = Vec::new();
    let Some(body) = &info.function.body else { return found };
    each(body, &mut |expr, _| {
        let ExprKind::MethodCall { method, arguments, .. } = &*expr.kind else { return };
        if TAKERS.contains(&method.as_str()) {
            let paths = arguments.iter().filter_map(called_path);
            found.extend(paths.filter_map(|path| names.function_at(&names.resolve_in(info.id, &path.segments))));
        }
    });
    found
}

fn fact(part: &Part<'_, '_>, info: &FunctionInfo<'_>) -> Fact {
    let names = part.context.names;
    let called = names.calls(info.id).iter().map(|site| names.function(site.target));
    let functions: Vec<&FunctionInfo<'_>> = std::iter::once(info).chain(called).collect();
    let texts = functions.iter().map(|info| part.context.repository.tree.file(info.file).slice(info.item.span));
    let text = texts.collect::<String>();
    let format = FORMATS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    let data = vocabulary::ErrorResponseType {
        name: info.item.name.clone().into(),
        format: format.map_or("empty", |(format, _)| format).into(),
        logs: functions.iter().any(|info| logs_errors(part, info)).into(),
        // A catcher is told the status only: the error is logged where it is still known.
        server_errors: (!is_catcher(info) && text.contains("INTERNAL_SERVER_ERROR")).into(),
        differs: false.into(),
        mixed: Attr::Unset,
        framework: false.into(),
        converted: false.into(),
    };
    part.context.fact_in_role(data, info.file, info.item.name_span, Role::Service)
}

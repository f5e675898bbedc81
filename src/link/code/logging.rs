//! Where the level of the logs comes from, once it is known what the set-up was given.

use super::found::Found;
use crate::facts::{Attr, FactKind, Value};
use crate::parse::rust::ast::{ExprKind, MacroCall, TokenKind};
use crate::parse::rust::walk;

/// Completes the facts about logging.
pub fn complete(found: &mut [Found<'_>]) {
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::LogSetup) {
        level_source(found);
        own_format(found);
    }
}

/// A level that is written down is fixed; one that is computed comes from configuration.
fn level_source(found: &mut Found<'_>) {
    let source = match (found.text("level_source").as_deref(), found.data.get("level")) {
        (Some("fixed" | "configuration"), Some(Attr::Known(_))) => "fixed",
        (Some("fixed" | "configuration"), Some(Attr::Unknown)) => "configuration",
        _ => return,
    };
    found.data.set("level_source", Attr::Known(Value::Text(source.to_string())));
}

/// A format closure that writes JSON: `.format(|out, message, record| out.finish(json!(..)))`.
fn own_format(found: &mut Found<'_>) {
    let formats = found.methods.iter().filter(|(name, _)| *name == "format").flat_map(|(_, arguments)| *arguments);
    let mut any = false;
    let mut json = false;
    for argument in formats {
        any = true;
        walk::expression(argument, &mut |expr| {
            json |= match &*expr.kind {
                ExprKind::Path(path) => path.segments.iter().any(|segment| segment == "serde_json"),
                ExprKind::Macro(call) => call.path.last() == "json" || writes_json(call),
                _ => false,
            };
        });
    }
    if any {
        found.data.set("structured", Attr::Known(Value::Flag(json)));
    }
}

/// A format string that begins like an object: `writeln!(out, "{{\"level\":..")`.
fn writes_json(call: &MacroCall) -> bool {
    call.tokens.iter().any(|token| match &token.kind {
        TokenKind::Literal(crate::parse::rust::ast::Literal::Text(text)) => text.starts_with("{{\""),
        _ => false,
    })
}

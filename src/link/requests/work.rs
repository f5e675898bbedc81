//! Work that takes long, and whether a request waits for it.

use std::cell::OnceCell;

use super::Part;
use super::body::{each, spawns};
use crate::facts::{Confidence, Fact, vocabulary};
use crate::link::names::{FunctionInfo, Scope};
use crate::parse::rust::ast::{Expr, ExprKind};
use crate::scan::source::Span;

/// Functions that take long, by the end of their resolved path.
const CALLS: &[(&str, &str)] = &[
    ("headless_chrome::Browser::new", "browser"),
    ("headless_chrome::Browser::default", "browser"),
    ("chromiumoxide::Browser::launch", "browser"),
    ("git2::Repository::clone", "clone"),
];

/// Traits whose `send` speaks SMTP.
const MAILERS: &[&str] = &["AsyncTransport", "Transport"];

/// Adds what takes long in a function.
pub(super) fn look<'a>(part: &Part<'_, 'a>, info: &FunctionInfo<'a>, found: &mut Vec<Fact>) {
    let Some(body) = &info.function.body else { return };
    let work = Work { part, info, scope: OnceCell::new() };
    let mut known: Vec<&'static str> = Vec::new();
    each(body, &mut |expr, around| {
        let Some((what, name, span)) = work.what(expr) else { return };
        let Some(reached) = part.reached(info, span) else { return };
        // Transports to choose from are one piece of work.
        if known.contains(&what) {
            return;
        }
        known.push(what);
        let waits = !around.iter().any(|outer| spawns(outer)) && part.waits_for(info, span);
        let data = vocabulary::LongWork { what: what.into(), name: name.into(), waited_for: waits.into() };
        found.push(part.fact(data, info.file, span, Confidence::High, Some(reached)));
    });
}

struct Work<'w, 'c, 'a> {
    part: &'w Part<'c, 'a>,
    info: &'w FunctionInfo<'a>,
    scope: OnceCell<Scope<'c, 'a>>,
}

impl<'a> Work<'_, '_, 'a> {
    fn what(&self, expr: &'a Expr) -> Option<(&'static str, String, Span)> {
        match &*expr.kind {
            ExprKind::Call { function, .. } => {
                let ExprKind::Path(path) = &*function.kind else { return None };
                let last = path.last();
                let (_, what) = CALLS.iter().find(|(known, _)| known.ends_with(last)).filter(|(known, _)| {
                    let resolved = self.part.context.names.resolve_in(self.info.id, &path.segments);
                    let (krate, ty) = (known.split("::").next(), known.rsplit("::").nth(1));
                    resolved.split("::").next() == krate && resolved.rsplit("::").nth(1) == ty
                })?;
                Some((what, path.text(), path.span))
            }
            ExprKind::MethodCall { receiver, method, method_span, arguments, .. } => {
                let what = match (method.as_str(), arguments.len()) {
                    ("send" | "send_raw", 1 | 2) if self.is_mailer(receiver) => "mail",
                    ("output" | "status", 0) if self.is_command(receiver) => "process",
                    _ => return None,
                };
                Some((what, method.clone(), *method_span))
            }
            _ => None,
        }
    }

    fn type_of(&self, expr: &Expr) -> String {
        let names = self.part.context.names;
        let ty = self.scope.get_or_init(|| names.scope(self.info.id)).type_of(expr);
        let mut ty = ty.unwrap_or_default();
        while let Some(held) = ty.held().cloned() {
            ty = held;
        }
        ty.path
    }

    /// A transport of lettre: by its type, or by its name where the file uses lettre's trait.
    fn is_mailer(&self, receiver: &Expr) -> bool {
        let ty = self.type_of(receiver);
        if !ty.is_empty() {
            return ty.starts_with("lettre::");
        }
        let names = self.part.context.names;
        let uses = MAILERS.iter().any(|of| {
            let resolved = names.resolve(self.info.module, &[(*of).to_string()]);
            resolved.starts_with("lettre::")
        });
        let text = self.part.context.repository.tree.file(self.info.file).slice(receiver.span).to_ascii_lowercase();
        uses && ["mail", "smtp", "transport"].iter().any(|word| text.contains(word))
    }

    /// A process that is waited for without blocking; one that blocks its thread is a blocking call.
    fn is_command(&self, receiver: &Expr) -> bool {
        let ty = self.type_of(super::body::chain_root(receiver));
        ["tokio::process::Command", "async_process::Command"].contains(&ty.as_str())
    }
}

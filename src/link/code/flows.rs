//! Request input that decides which file is opened, which command runs, which address is called or redirected to.

use crate::facts::vocabulary::InputFlow;
use crate::facts::{Confidence, Fact};
use crate::link::names::FunctionInfo;
use crate::link::reach::Reach;
use crate::link::taint::Taint;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Expr, ExprKind, MacroCall, PatternKind, Statement};
use crate::parse::rust::walk;
use crate::scan::source::Role;

/// How much of an argument the input must be to decide anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Share {
    /// Any part of it.
    Part,
    /// Its beginning: what comes first in an address names the host.
    Beginning,
}

/// Functions by the beginning of their resolved path, with the sink that their first argument is.
const CALLS: &[(&str, &str, Share)] = &[
    ("actix_files::NamedFile::open", "file", Share::Part),
    ("rocket::fs::NamedFile::open", "file", Share::Part),
    ("std::process::Command::new", "command", Share::Beginning),
    ("tokio::process::Command::new", "command", Share::Beginning),
    ("axum::response::Redirect::", "redirect", Share::Beginning),
    ("rocket::response::Redirect::", "redirect", Share::Beginning),
    ("poem::web::Redirect::", "redirect", Share::Beginning),
    ("actix_web::web::Redirect::", "redirect", Share::Beginning),
    ("reqwest::get", "address", Share::Beginning),
    ("reqwest::blocking::get", "address", Share::Beginning),
    ("ureq::get", "address", Share::Beginning),
    ("ureq::post", "address", Share::Beginning),
];

/// Functions of `std::fs` and `tokio::fs` that a path decides what they do.
const FILES: &[&str] = &[
    "open",
    "create",
    "read",
    "read_to_string",
    "write",
    "remove_file",
    "remove_dir_all",
    "read_dir",
    "copy",
    "rename",
    "create_dir_all",
];

/// Methods of HTTP clients whose first argument is an address.
const REQUESTS: &[&str] = &["get", "post", "put", "delete", "patch", "head"];

/// Locals are followed this far to what they were bound to.
const BINDINGS: usize = 8;

/// Methods that give a text in another form.
const SAME: &[&str] =
    &["as_str", "as_ref", "to_string", "to_owned", "clone", "unwrap", "into", "unwrap_or_default", "as_deref", "parse"];

/// Words of functions that say that the input is checked before it is used.
const CHECKS: &[&str] = &[
    "canonicalize",
    "starts_with",
    "components",
    "file_name",
    "sanitize",
    "is_safe",
    "normalize",
    "contains(\"..\")",
    "allowed",
    "whitelist",
    "allowlist",
    "host_str",
    "is_relative",
    "valid",
];

/// Adds the flows of all functions that request data reaches.
pub fn look(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    let taint = Taint::find(context, reach);
    let names = context.names;
    for info in names.functions().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let Some(body) = info.function.body.as_ref().filter(|_| reach.holds(info.id)) else { continue };
        let text = context.repository.tree.file(info.file).slice(info.item.span);
        if CHECKS.iter().any(|check| text.contains(check)) {
            continue;
        }
        let flows = Flows { context, reach, taint: &taint, info };
        walk::expressions(body, &mut |expr| linked.facts.all.extend(flows.of(expr)));
    }
}

/// Looks at one function.
struct Flows<'w, 'a> {
    context: &'w Context<'a>,
    reach: &'w Reach,
    taint: &'w Taint,
    info: &'w FunctionInfo<'a>,
}

impl Flows<'_, '_> {
    fn of(&self, expr: &Expr) -> Option<Fact> {
        let (name, sink) = match &*expr.kind {
            ExprKind::Call { function, arguments } => self.call(function, arguments)?,
            ExprKind::MethodCall { receiver, method, arguments, .. } => self.request(receiver, method, arguments)?,
            _ => return None,
        };
        let (flow, confidence) = self.taint.flow(self.info.id);
        let data = InputFlow { sink: sink.into(), name: name.into() };
        let mut fact = self.context.fact(data, self.info.file, expr.span);
        fact.confidence = if confidence == Confidence::High { Confidence::Medium } else { Confidence::Low };
        fact.flow = flow;
        Some(fact)
    }

    fn call(&self, function: &Expr, arguments: &[Expr]) -> Option<(String, &'static str)> {
        let ExprKind::Path(path) = &*function.kind else { return None };
        let first = arguments.first().filter(|_| path.segments.len() > 1)?;
        let absolute = self.context.names.resolve_in(self.info.id, &path.segments);
        let files = absolute.starts_with("std::fs::") || absolute.starts_with("tokio::fs::");
        let (sink, share) = if files && FILES.contains(&path.last()) {
            ("file", Share::Part)
        } else {
            CALLS.iter().find(|(known, ..)| absolute.starts_with(known)).map(|(_, sink, share)| (*sink, *share))?
        };
        self.decides(first, share).then_some((absolute, sink))
    }

    /// `client.get(url)`, where what it is called on is named after a client.
    fn request(&self, receiver: &Expr, method: &str, arguments: &[Expr]) -> Option<(String, &'static str)> {
        let [address] = arguments else { return None };
        let client = REQUESTS.contains(&method) && names_client(receiver);
        (client && self.decides(address, Share::Beginning)).then(|| (method.to_string(), "address"))
    }

    fn decides(&self, argument: &Expr, share: Share) -> bool {
        let begins = share == Share::Part || self.begins(argument, BINDINGS);
        begins && self.reaches(argument)
    }

    /// Whether a text begins with the input itself: a name that the handler takes in, and what is only another form of
    /// it. What comes to a function from another may have got its beginning there.
    fn begins(&self, argument: &Expr, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match &*argument.kind {
            ExprKind::Reference(inner) | ExprKind::Try(inner) | ExprKind::Await(inner) => self.begins(inner, depth),
            ExprKind::Field { base, .. } => self.begins(base, depth),
            ExprKind::MethodCall { receiver, method, .. } => {
                SAME.contains(&method.as_str()) && self.begins(receiver, depth)
            }
            ExprKind::Macro(call) => begins_with_value(call) && self.handles(),
            ExprKind::Path(path) if path.segments.len() == 1 => match self.bound(path.last()) {
                Some(value) => self.begins(value, depth),
                None => self.handles(),
            },
            _ => false,
        }
    }

    fn handles(&self) -> bool {
        self.reach.is_handler(self.info.id)
    }

    /// What a local is bound to.
    fn bound(&self, name: &str) -> Option<&Expr> {
        let mut found = None;
        let body = self.info.function.body.as_ref()?;
        for statement in &body.statements {
            if let Statement::Let { pattern, value: Some(value), .. } = statement
                && matches!(&pattern.kind, PatternKind::Name(known) if known == name)
            {
                found = Some(value);
            }
        }
        found
    }

    fn reaches(&self, argument: &Expr) -> bool {
        self.taint.reaches(self.context, self.info, argument)
    }
}

/// `format!("{base}/..")`: whether the first value is the input cannot be told from the text alone where there are more.
fn begins_with_value(call: &MacroCall) -> bool {
    let text = call.message().map_or("", |(text, _)| text);
    text.starts_with('{') && text.matches('{').count() == 1
}

fn names_client(expr: &Expr) -> bool {
    let name = match &*expr.kind {
        ExprKind::Path(path) => path.last(),
        ExprKind::Field { name, .. } => name,
        ExprKind::Reference(inner) => return names_client(inner),
        _ => return false,
    };
    let name = name.to_lowercase();
    name.split('_').any(|word| matches!(word, "client" | "http" | "reqwest"))
}

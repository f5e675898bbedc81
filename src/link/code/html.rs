//! What goes into HTML that code writes.

use super::found::Found;
use crate::facts::vocabulary::HtmlOutput;
use crate::facts::{Attr, FactKind, Value};
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Expr, ExprKind, Literal, MacroCall};
use crate::parse::rust::walk;
use crate::scan::source::{Kind, Role, Span};

/// Words of functions that escape or clean.
const CLEANS: &[&str] = &["escape", "encode", "sanitize", "clean", "ammonia", "render", "encode_text", "encode_safe"];

/// Marks in templates that put a value in as it is.
const RAW_MARKS: &[&str] =
    &["|safe", "| safe", "{{{", "{% autoescape false", "{% autoescape off", "|raw", "| raw", "<%-"];

/// Endings of templates.
const TEMPLATES: &[&str] = &[".html", ".tera", ".hbs", ".j2", ".jinja", ".jinja2", ".stpl", ".htm", ".handlebars"];

/// Completes the facts about HTML.
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>], linked: &mut Linked) {
    let mut engines = false;
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::HtmlOutput) {
        match found.text("engine").as_deref() {
            Some("format") => written(found),
            Some("body") => body(found),
            _ => engines = true,
        }
    }
    if engines {
        templates(context, linked);
    }
}

/// `.content_type("text/html").body(..)`
fn body(found: &mut Found<'_>) {
    let html = found.arguments.iter().any(|argument| says_html(argument));
    found.absorbed |= !html;
    found.arguments.clear();
    found.data.set("engine", Attr::Known(Value::Text("format".to_string())));
    written(found);
}

/// HTML from an expression: constant, put together, or what a function gave.
fn written(found: &mut Found<'_>) {
    let bodies = found.methods.iter().filter(|(name, _)| *name == "body").flat_map(|(_, arguments)| *arguments);
    let arguments: Vec<&Expr> = found.arguments.iter().copied().chain(bodies).collect();
    let (mut dynamic, mut cleaned, mut known) = (false, false, false);
    for argument in &arguments {
        known |= is_constant(argument);
        walk::expression(argument, &mut |expr| {
            dynamic |= puts_together(expr);
            cleaned |= cleans(expr);
        });
    }
    if dynamic || known {
        found.data.set("dynamic", Attr::Known(Value::Flag(dynamic)));
        found.data.set("escaped", Attr::Known(Value::Flag(!dynamic || cleaned)));
    }
}

fn is_constant(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Literal(_) => true,
        ExprKind::Macro(call) => matches!(call.path.last(), "include_str" | "include_bytes" | "concat"),
        ExprKind::Path(path) => path.last().chars().all(|letter| !letter.is_lowercase()),
        ExprKind::Reference(inner) => is_constant(inner),
        ExprKind::MethodCall { receiver, .. } => is_constant(receiver),
        _ => false,
    }
}

/// `format!` with a place for a value in text that has a tag.
fn puts_together(expr: &Expr) -> bool {
    let ExprKind::Macro(call) = &*expr.kind else { return false };
    call.path.last() == "format" && call.message().is_some_and(|(text, _)| text.contains('<') && has_place(text, call))
}

fn has_place(text: &str, call: &MacroCall) -> bool {
    text.replace("{{", "").replace("}}", "").contains('{') && !call.arguments.is_empty()
}

fn cleans(expr: &Expr) -> bool {
    let name = match &*expr.kind {
        ExprKind::Path(path) => path.text(),
        ExprKind::MethodCall { method, .. } => method.clone(),
        _ => return false,
    };
    name.split(['_', ':']).any(|word| CLEANS.contains(&word))
}

/// Values that templates put in as they are.
fn templates(context: &Context<'_>, linked: &mut Linked) {
    for (source, _) in context.repository.files().filter(|(source, _)| source.role == Role::Service) {
        let is_template = matches!(source.kind, Kind::Html | Kind::Text)
            && TEMPLATES.iter().any(|ending| source.path.ends_with(ending))
            && source.text.contains("{{")
            && !is_mail(&source.path);
        if !is_template {
            continue;
        }
        let marks = RAW_MARKS.iter().filter_map(|mark| source.text.find(mark).map(|at| Span::new(at, at + mark.len())));
        if let Some(span) = marks.min() {
            let data = HtmlOutput { engine: "template".into(), escaped: false.into(), dynamic: true.into() };
            linked.facts.add(context.fact(data, source.id, span).confidence(crate::facts::Confidence::Medium));
        }
    }
}

/// Mail is no page: no script runs in it.
fn is_mail(path: &str) -> bool {
    path.split(['/', '.', '_', '-']).any(|word| matches!(word, "email" | "emails" | "mail" | "mails"))
}

/// Whether an argument says that a response is HTML: `ContentType::html()`, `"text/html"`.
pub fn says_html(expr: &Expr) -> bool {
    let mut found = false;
    walk::expression(expr, &mut |expr| {
        found |= match &*expr.kind {
            ExprKind::Path(path) => {
                path.last() == "html" || path.last() == "TEXT_HTML_UTF_8" || path.last() == "TEXT_HTML"
            }
            ExprKind::Literal(Literal::Text(text)) => text.contains("text/html"),
            _ => false,
        };
    });
    found
}

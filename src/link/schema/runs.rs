//! Where migrations are run: in code, and by the commands of pipelines, images, release phases and scripts.

use std::sync::LazyLock;

use regex::Regex;

use crate::facts::vocabulary::MigrationRun;
use crate::link::names::ModuleId;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::dockerfile::Instruction;
use crate::parse::rust::ast::{Expr, ExprKind};
use crate::parse::rust::walk;
use crate::scan::source::{FileId, Kind, Role, SourceFile, Span};

/// Calls that run migrations, by the last segments of their path or by method name, with the crate that must be a
/// dependency.
const CALLS: &[(&str, &str)] = &[
    ("run_pending_migrations", "diesel"),
    ("run_next_migration", "diesel"),
    ("run_embedded_migrations", "diesel"),
    ("migrate", "sqlx"),
    ("up", "sea-orm"),
    ("fresh", "sea-orm"),
    ("runner", "refinery"),
    ("to_latest", "rusqlite_migration"),
];

/// Commands that run migrations, quotes, commas and brackets of exec forms taken out.
static COMMANDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        \b(?P<sqlx>sqlx\s+(?:migrate\s+run|database\s+(?:setup|reset)|db\s+(?:setup|reset)))
        | \b(?P<diesel>diesel\s+(?:migration\s+(?:run|redo)|database\s+(?:setup|reset)|setup))
        | \b(?P<seaorm>sea-orm-cli\s+migrate)
        | \b(?P<refinery>refinery\s+migrate)
        | \b(?P<other>dbmate\s+(?:up|migrate)|flyway\s+[^\n]*migrate|goose\s+[^\n]*\bup\b|atlas\s+migrate\s+apply|liquibase\s+update|alembic\s+upgrade|prisma\s+migrate\s+deploy)
        ",
    )
    .ok()
});

/// A program's own command that runs migrations.
static OWN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:--run-migrations\b|--migrate\b|\s(?:db\s+)?migrate\s*(?:up|run|--?[a-z-]+)?\s*(?:&&|;|$)|\s[\w/.-]+\s+migrate\b|[\w/.-]+\s+migrations?\s+(?:run|up|apply)\b)").ok()
});

/// Folders that the images of tools take migrations from (their documentation).
const LOOKED_INTO: &[&str] = &["/flyway/sql", "/liquibase/changelog"];

/// Adds the facts of this part.
pub(super) fn emit(context: &Context<'_>, linked: &mut Linked) {
    in_code(context, linked);
    for (file, _) in context.repository.files() {
        if let Some(by) = runner(file) {
            in_commands(context, file, by, linked);
        }
    }
}

fn in_code(context: &Context<'_>, linked: &mut Linked) {
    for function in context.names.functions() {
        let (Role::Service, Some(body)) = (function.role, &function.function.body) else { continue };
        walk::expressions(body, &mut |expr| visit(context, function.module, function.file, expr, linked));
    }
    for item in context.names.items().iter().filter(|item| item.role == Role::Service) {
        walk::item_expressions(item.item, &mut |expr| visit(context, item.module, item.file, expr, linked));
    }
}

fn visit(context: &Context<'_>, module: ModuleId, file: FileId, expr: &Expr, linked: &mut Linked) {
    let Some((tool, span)) = run_of(context, module, expr) else { return };
    if !depends(context, file, tool) {
        return;
    }
    let data = MigrationRun { tool: tool.into(), by: by_of_code(context, file).into(), ..MigrationRun::default() };
    linked.facts.add(context.fact(data, file, span));
}

/// The tool that an expression runs migrations with.
fn run_of(context: &Context<'_>, module: ModuleId, expr: &Expr) -> Option<(&'static str, Span)> {
    match &*expr.kind {
        ExprKind::Macro(call) => {
            let path = context.names.resolve(module, &call.path.segments);
            (path == "sqlx::migrate" || call.path.last() == "migrate" && path.starts_with("sqlx"))
                .then_some(("sqlx", call.path.span))
        }
        ExprKind::MethodCall { method, method_span, .. } if method.contains("migration") || method == "to_latest" => {
            known(method).map(|tool| (tool, *method_span))
        }
        ExprKind::Call { function, arguments } => match &*function.kind {
            ExprKind::Path(path) => {
                by_path(&context.names.resolve(module, &path.segments), arguments.len()).map(|tool| (tool, path.span))
            }
            _ => None,
        },
        _ => None,
    }
}

fn known(name: &str) -> Option<&'static str> {
    CALLS.iter().find(|(call, _)| *call == name).map(|(_, tool)| *tool)
}

fn by_path(path: &str, arguments: usize) -> Option<&'static str> {
    let mut segments = path.rsplit("::");
    let last = segments.next()?;
    let owner = segments.next().unwrap_or("");
    match last {
        "up" | "fresh" => (owner.ends_with("Migrator") && arguments > 0).then_some("sea-orm"),
        "runner" => (owner == "migrations").then_some("refinery"),
        "migrate" => None,
        _ => known(last),
    }
}

fn depends(context: &Context<'_>, file: FileId, tool: &str) -> bool {
    let path = &context.repository.tree.file(file).path;
    let Some(package) = context.workspace.package_of(path) else { return false };
    package.dependencies.iter().any(|dependency| dependency.package.starts_with(tool) && !dependency.development)
}

/// `command` where the code stands in a command-line part of the program.
pub(super) fn by_of_code(context: &Context<'_>, file: FileId) -> &'static str {
    let path = &context.repository.tree.file(file).path;
    let words = ["admin", "cli", "cmd", "command", "commands", "subcommand", "subcommands"];
    let command = path.split(['/', '.', '_', '-']).any(|part| words.contains(&part));
    if command { "command" } else { "startup" }
}

/// What kind of thing runs the commands in a file.
fn runner(file: &SourceFile) -> Option<&'static str> {
    if !matches!(file.role, Role::Service | Role::BuildScript) {
        return None;
    }
    let pipeline = file.path.starts_with(".github/")
        || file.path.contains("gitlab-ci")
        || file.path.contains("woodpecker")
        || file.path.starts_with(".circleci/")
        || file.path.contains("azure-pipelines")
        || file.path.contains(".buildkite");
    match file.kind {
        Kind::Procfile => Some("release"),
        Kind::Yaml if pipeline => Some("ci"),
        Kind::Yaml if file.name().contains("compose") => Some("compose"),
        Kind::Yaml => Some("job"),
        Kind::Dockerfile => Some("image"),
        Kind::Shell => Some("script"),
        Kind::Just | Kind::Make => Some("recipe"),
        Kind::Toml | Kind::Json if ["fly.toml", "app.json", "railway.toml", "railway.json"].contains(&file.name()) => {
            Some("release")
        }
        _ => None,
    }
}

fn in_commands(context: &Context<'_>, file: &SourceFile, by: &'static str, linked: &mut Linked) {
    let Some(commands) = COMMANDS.as_ref() else { return };
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let span = Span::new(start, start + line.trim_end().len());
        start += line.len();
        let text: String =
            line.trim().chars().map(|character| if "\"',[]".contains(character) { ' ' } else { character }).collect();
        // What lies in the folder that the tool's own image looks into, that image runs.
        if !text.starts_with('#') && LOOKED_INTO.iter().any(|folder| text.contains(folder)) {
            let data = MigrationRun { tool: "other".into(), by: by.into(), ..MigrationRun::default() };
            linked.facts.add(context.fact_in_role(data, file.id, span, Role::Service));
            continue;
        }
        if text.starts_with('#') || !text.contains("migrat") && !text.contains("setup") && !text.contains("up") {
            continue;
        }
        let Some(tool) = tool_of(commands, &text) else { continue };
        if by == "image" && is_of_build(context, file, span) {
            continue;
        }
        // A program's own `migrate` command is a run only where something starts it, not in a pipeline's prose.
        let own = tool == "own";
        let told = text.contains("migration run") || text.contains("migrations run");
        if own && !told && !matches!(by, "release" | "image" | "job" | "script") || installs(&text) {
            continue;
        }
        let data = MigrationRun { tool: tool.into(), by: by.into(), ..MigrationRun::default() };
        let mut fact = context.fact_in_role(data, file.id, span, Role::Service);
        if own {
            fact.confidence = crate::facts::Confidence::Medium;
        }
        linked.facts.add(fact);
    }
}

/// Whether a line of a Dockerfile runs while the image is built, and writes no script that runs later.
fn is_of_build(context: &Context<'_>, file: &SourceFile, line: Span) -> bool {
    let Syntax::Dockerfile(dockerfile) = &context.repository.get(file.id).1.syntax else { return false };
    let around = |instruction: &&Instruction| {
        let spans = std::iter::once(instruction.span).chain(instruction.heredocs.iter().map(|heredoc| heredoc.span));
        spans.into_iter().any(|span| span.start < line.end && line.start < span.end)
    };
    let instruction = dockerfile.instructions.iter().find(around);
    instruction.is_some_and(|instruction| instruction.keyword == "RUN" && !writes(&instruction.script()))
}

fn writes(script: &str) -> bool {
    script
        .split_once('>')
        .is_some_and(|(_, target)| !target.trim_start_matches(['>', '&']).trim_start().starts_with("/dev/"))
}

/// The tool that a line of commands runs migrations with.
fn tool_of(commands: &Regex, text: &str) -> Option<&'static str> {
    let known = commands.captures(text).and_then(|found| {
        ["sqlx", "diesel", "seaorm", "refinery", "other"].into_iter().find(|name| found.name(name).is_some())
    });
    let own = || OWN.as_ref().is_some_and(|own| own.is_match(text)).then_some("own");
    known.map(|tool| if tool == "seaorm" { "sea-orm" } else { tool }).or_else(own)
}

/// Lines that install a tool or say something about it.
fn installs(text: &str) -> bool {
    ["cargo install", "echo ", "name:", "- name", "ARG ", "mkdir", "COPY "].iter().any(|word| text.contains(word))
}

//! Documents that are not Markdown: security.txt, diagrams, decision records, images of the architecture.

use super::sections::{is_badge, speaks_for_service};
use crate::facts::Confidence;
use crate::facts::vocabulary::Document;
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::scan::source::{Role, SourceFile, Span};

/// Adds them.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut records = false;
    for (file, parsed) in context.repository.files() {
        if !matches!(file.role, Role::Service | Role::Docs) {
            continue;
        }
        if file.name() == "security.txt" && file.text.to_lowercase().contains("contact:") {
            add(context, linked, file, ("security-contact", "file"), Confidence::High);
        } else if is_diagram(file) && speaks_for_service(context, file) {
            add(context, linked, file, ("architecture", "diagram"), Confidence::Medium);
        } else if !records && is_decision(file) && speaks_for_service(context, file) {
            records = true;
            add(context, linked, file, ("adr", "file"), Confidence::High);
        }
        if let Syntax::Markdown(markdown) = &parsed.syntax
            && speaks_for_service(context, file)
        {
            embedded(context, linked, file, markdown);
        }
    }
}

fn add(context: &Context<'_>, linked: &mut Linked, file: &SourceFile, what: (&str, &str), confidence: Confidence) {
    let data = Document { subject: what.0.into(), title: file.name().into(), form: what.1.into() };
    linked.facts.add(context.fact_in_role(data, file.id, Span::new(0, 0), Role::Service).confidence(confidence));
}

/// Words that make an image or drawing one of the system.
const SYSTEM: &[&str] = &[
    "architecture",
    "arch",
    "system-design",
    "c4",
    "infrastructure",
    "topology",
    "components",
    "overview-diagram",
    "system",
];

fn is_diagram(file: &SourceFile) -> bool {
    let name = file.name().to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
    let source = matches!(ending, "puml" | "plantuml" | "mmd" | "drawio" | "dsl" | "d2" | "excalidraw");
    let image = matches!(ending, "png" | "svg" | "jpg" | "jpeg" | "webp" | "pdf") || source;
    let words: Vec<&str> = stem.split(['-', '_', '.', ' ']).collect();
    let named = SYSTEM.iter().any(|word| words.contains(word) || stem == *word) || stem.contains("architecture");
    image && named
}

fn is_decision(file: &SourceFile) -> bool {
    let folder = file.folder().rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    let stem = file.name().split('.').next().unwrap_or("").to_ascii_lowercase();
    matches!(folder.as_str(), "adr" | "adrs" | "decisions" | "decision-records" | "rfcs")
        && file.name().ends_with(".md")
        && !matches!(stem.as_str(), "template" | "index" | "readme" | "0000-template")
}

/// A drawing of at least two boxes with an arrow between them, no tree of folders and no table.
fn is_flow(text: &str) -> bool {
    let boxes = text.matches('┌').count().min(text.matches('┐').count()) >= 2
        || text.lines().filter(|line| line.matches("+--").count() >= 2).count() >= 2;
    boxes && ["►", "▶", "→", "◄", "◀", "▼", "-->", "──>", "->|", "<--"].iter().any(|arrow| text.contains(arrow))
}

/// A mermaid, PlantUML or drawn block of the system's parts, or an image whose text or name says architecture.
fn embedded(
    context: &Context<'_>,
    linked: &mut Linked,
    file: &SourceFile,
    markdown: &crate::parse::markdown::Markdown,
) {
    let drawn = markdown.code.iter().find(|block| match block.language.as_str() {
        "mermaid" => ["graph", "flowchart", "c4", "architecture", "block", "sequencediagram"]
            .iter()
            .any(|kind| block.text.trim_start().to_lowercase().starts_with(kind)),
        "plantuml" | "puml" | "structurizr" => true,
        "" | "text" | "txt" | "ascii" => is_flow(&block.text),
        _ => false,
    });
    let shown = markdown.links.iter().find(|link| {
        let words = format!("{} {}", link.text, link.target).to_lowercase();
        link.image
            && !is_badge(&link.target)
            && (words.contains("architecture") || words.contains("system design") || words.contains("-arch"))
    });
    let span = drawn.map(|block| block.span).or(shown.map(|link| link.span));
    if let Some(span) = span {
        let data = Document { subject: "architecture".into(), title: file.name().into(), form: "diagram".into() };
        linked.facts.add(context.fact_in_role(data, file.id, span, Role::Service).confidence(Confidence::Medium));
    }
}

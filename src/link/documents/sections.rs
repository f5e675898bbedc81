//! Markdown documents cut into sections, and which documents speak for the service.

use crate::link::Context;
use crate::parse::Syntax;
use crate::parse::markdown::{Link, Markdown};
use crate::scan::source::{Kind, Role, SourceFile, Span};

/// A heading with all that stands below it, sub-headings included.
pub struct Section<'a> {
    /// Its text in lower case.
    pub title: String,
    /// The heading.
    pub heading: Span,
    /// From the heading to the next one of its level or above.
    pub body: &'a str,
    /// Text of the code blocks inside.
    pub code: String,
    /// It holds an image.
    pub image: bool,
    /// It holds a diagram written as text: mermaid, plantuml, dot, or a drawing of lines and boxes.
    pub diagram: bool,
}

impl Section<'_> {
    /// It says how: commands, or at least two steps of a list, or a table.
    pub fn says_how(&self) -> bool {
        self.has_command() || self.steps() >= 2 || self.has_table()
    }

    /// It holds a code block, or a command in backticks.
    pub fn has_command(&self) -> bool {
        !self.code.trim().is_empty()
            || self.body.lines().any(|line| line.matches('`').count() >= 2 && inline_command(line))
    }

    /// Items of lists.
    pub fn steps(&self) -> usize {
        let bullet = |line: &str| line.starts_with("- ") || line.starts_with("* ") || numbered(line);
        self.body.lines().map(str::trim_start).filter(|line| bullet(line)).count()
    }

    fn has_table(&self) -> bool {
        self.body.lines().filter(|line| line.trim_start().starts_with('|')).count() >= 3
    }

    /// Words of prose.
    pub fn words(&self) -> usize {
        self.body.split_whitespace().count()
    }
}

fn numbered(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits) && line[digits..].starts_with(['.', ')'])
}

fn inline_command(line: &str) -> bool {
    line.split('`').skip(1).step_by(2).any(|code| code.contains(' ') && !code.contains(['{', '<']))
}

/// Cuts a document into its sections.
pub fn of<'a>(file: &'a SourceFile, markdown: &Markdown) -> Vec<Section<'a>> {
    let headings = &markdown.headings;
    let mut sections = Vec::with_capacity(headings.len());
    for (at, heading) in headings.iter().enumerate() {
        let next = headings[at + 1..].iter().find(|other| other.level <= heading.level);
        let end = next.map_or(file.text.len(), |next| next.span.start as usize);
        let inside = Span::new(heading.span.start as usize, end);
        let first = markdown.code.partition_point(|block| block.span.start < inside.start);
        let code = markdown.code[first..].iter().take_while(|block| block.span.start < inside.end);
        let drawn = |language: &str, text: &str| DIAGRAMS.contains(&language) || is_drawing(text);
        sections.push(Section {
            title: heading.text.to_lowercase(),
            heading: heading.span,
            body: file.slice(Span::new(heading.span.end as usize, end)),
            code: code.clone().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n"),
            image: images(markdown, inside).any(|link| !is_badge(&link.target)),
            diagram: code.clone().any(|block| drawn(&block.language, &block.text)),
        });
    }
    sections
}

fn images(markdown: &Markdown, inside: Span) -> impl Iterator<Item = &Link> {
    let first = markdown.links.partition_point(|link| link.span.start < inside.start);
    markdown.links[first..].iter().take_while(move |link| link.span.start < inside.end).filter(|link| link.image)
}

/// Languages of diagrams.
const DIAGRAMS: &[&str] =
    &["mermaid", "plantuml", "puml", "dot", "graphviz", "d2", "c4", "structurizr", "ditaa", "svgbob"];

/// A drawing of boxes and lines, or a tree of folders.
fn is_drawing(text: &str) -> bool {
    text.lines().filter(|line| line.contains(['┌', '└', '├', '│', '─', '▶', '▼'])).count() >= 3
        || text.lines().filter(|line| line.contains("+--") || line.contains("-->")).count() >= 2
}

/// A badge is no diagram.
pub fn is_badge(target: &str) -> bool {
    ["badge", "shields.io", "codecov", "/workflows/", "docs.rs", "crates.io", "deploybutton", "button"]
        .iter()
        .any(|word| target.contains(word))
}

/// Names of documents that are about the project's process, or are written for tools.
const OTHERS: &[&str] = &[
    "changelog",
    "changes",
    "history",
    "license",
    "licence",
    "code_of_conduct",
    "code-of-conduct",
    "pull_request_template",
    "issue_template",
    "summary",
    "authors",
    "contributors",
];

/// Markdown documents that speak for the service, with their sections. Those of tests, examples, vendored code, tools'
/// folders, other languages' packages and libraries beside the service do not.
pub fn documents<'a>(context: &'a Context<'a>) -> impl Iterator<Item = (&'a SourceFile, &'a Markdown)> {
    context.repository.files().filter_map(move |(file, parsed)| match &parsed.syntax {
        Syntax::Markdown(markdown) if speaks_for_service(context, file) => Some((file, &**markdown)),
        _ => None,
    })
}

/// Whether a file of any format is documentation of the service or of the repository.
pub fn speaks_for_service(context: &Context<'_>, file: &SourceFile) -> bool {
    let stem = file.name().split('.').next().unwrap_or("").to_ascii_lowercase();
    let tools = file
        .path
        .split('/')
        .any(|part| part.starts_with('.') && !matches!(part, ".github" | ".gitlab" | ".well-known"));
    let role = matches!(file.role, Role::Service | Role::Docs);
    let other = file.kind == Kind::Markdown && OTHERS.contains(&stem.as_str()) || file.path.contains("ISSUE_TEMPLATE");
    role && !tools && !other && !in_foreign_package(context, file) && !in_library(context, file)
}

/// In the folder of a package of another language that holds no Rust package of its own.
fn in_foreign_package(context: &Context<'_>, file: &SourceFile) -> bool {
    const MANIFESTS: &[&str] = &[
        "package.json",
        "go.mod",
        "pyproject.toml",
        "setup.py",
        "pom.xml",
        "build.gradle",
        "Gemfile",
        "composer.json",
        "mix.exs",
    ];
    let mut folder = file.folder();
    while !folder.is_empty() {
        let has = |name: &str| context.repository.tree.find(&format!("{folder}/{name}")).is_some();
        if has("Cargo.toml") {
            return false;
        }
        if MANIFESTS.iter().any(|name| has(name)) || has_dotnet_project(context, folder) {
            return !is_site(context, folder);
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    false
}

/// Whether a folder holds a documentation site: its package is what renders the pages, and the pages are the project's.
fn is_site(context: &Context<'_>, folder: &str) -> bool {
    const NAMES: &[&str] = &["docs", "doc", "documentation", "book", "handbook", "docs-site", "docsite", "wiki"];
    const SETTINGS: &[&str] = &[
        "docs.json",
        "mint.json",
        "mkdocs.yml",
        "mkdocs.yaml",
        "book.toml",
        "antora.yml",
        "docusaurus.config.js",
        "docusaurus.config.ts",
        "docusaurus.config.mjs",
        ".vitepress/config.js",
        ".vitepress/config.mts",
        ".vitepress/config.ts",
        "conf.py",
    ];
    let name = folder.rsplit('/').next().unwrap_or(folder).to_ascii_lowercase();
    NAMES.contains(&name.as_str())
        || SETTINGS.iter().any(|name| context.repository.tree.find(&format!("{folder}/{name}")).is_some())
}

/// A .NET solution or project, whose file is called as its author likes.
fn has_dotnet_project(context: &Context<'_>, folder: &str) -> bool {
    let project = |name: &str| [".sln", ".slnx", ".csproj", ".fsproj"].iter().any(|ending| name.ends_with(ending));
    context.repository.tree.files.iter().any(|file| project(file.name()) && file.folder() == folder)
}

/// In the folder of a crate that is no service and no part of one.
fn in_library(context: &Context<'_>, file: &SourceFile) -> bool {
    if context.services.is_empty() {
        return false;
    }
    let Some(package) = context.workspace.package_of(&file.path).filter(|package| !package.folder.is_empty()) else {
        return false;
    };
    let own = |folder: &String| folder.trim_start_matches("./") == package.folder;
    // A library crate's README is about that crate; only documents of the service's own folder are its documents.
    !context.services.iter().any(|service| own(&service.folder))
}

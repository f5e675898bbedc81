//! API documents that are files: OpenAPI, AsyncAPI, protocol buffers, GraphQL schemas, Postman, written references.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use super::sections::{self, documents, speaks_for_service};
use crate::facts::vocabulary::ApiDocument;
use crate::facts::{Attr, Confidence};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::parse::markdown::Markdown;
use crate::scan::source::{Role, SourceFile, Span};

/// Endpoints that a written reference must list to be one.
const ENDPOINTS: usize = 4;

/// Adds API documents.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, parsed) in context.repository.files() {
        if !matches!(file.role, Role::Service | Role::Docs | Role::Generated) {
            continue;
        }
        let found = match &parsed.syntax {
            Syntax::Documents(documents) => documents.first().and_then(of_document),
            _ => by_name(file),
        };
        if let Some((kind, span, paths)) = found {
            add(context, linked, file, span, (kind, paths), Confidence::High);
        }
    }
    for (file, markdown) in documents(context) {
        if let Some((span, paths)) = told(file, markdown) {
            add(context, linked, file, span, ("markdown", Attr::Known(paths)), Confidence::Medium);
        }
    }
    // A reference with a page for each endpoint is one document, told by its folder.
    let mut by_folder: BTreeMap<&str, Pages<'_>> = BTreeMap::new();
    for (file, _) in documents(context) {
        let (endpoints, span) = endpoints(&file.text);
        if endpoints.len() >= ENDPOINTS {
            let paths: Vec<String> = endpoints.into_iter().collect();
            add(context, linked, file, span, ("markdown", Attr::Known(paths)), Confidence::Medium);
        } else if !endpoints.is_empty()
            && let Some(folder) = reference_folder(file.folder())
        {
            let pages = by_folder.entry(folder).or_insert_with(|| (file, span, BTreeSet::new()));
            pages.2.extend(endpoints);
        }
    }
    for (file, span, endpoints) in by_folder.into_values().filter(|pages| pages.2.len() >= ENDPOINTS) {
        let paths: Vec<String> = endpoints.into_iter().collect();
        add(context, linked, file, span, ("markdown", Attr::Known(paths)), Confidence::Medium);
    }
}

/// The first page of a reference, where it names its first endpoint, and what all pages name.
type Pages<'a> = (&'a SourceFile, Span, BTreeSet<String>);

/// The part of a folder's path up to the component that says it is an API's reference.
fn reference_folder(folder: &str) -> Option<&str> {
    let mut end = 0;
    for part in folder.split('/') {
        end += part.len();
        let words = part.to_ascii_lowercase().replace('_', "-");
        if matches!(
            words.as_str(),
            "api" | "apis" | "api-reference" | "api-docs" | "rest-api" | "http-api" | "reference" | "endpoints"
        ) {
            return folder.get(..end);
        }
        end += 1;
    }
    None
}

type Paths = Attr<Vec<String>>;

fn add(
    context: &Context<'_>,
    linked: &mut Linked,
    file: &SourceFile,
    span: Span,
    what: (&str, Paths),
    confidence: Confidence,
) {
    if what.0 == "grpc" && !context.may_serve_grpc() {
        return;
    }
    let data = ApiDocument { kind: what.0.into(), by: "file".into(), paths: what.1, ..ApiDocument::default() };
    // Outside the service's own folders a document is another program's, or a client's copy.
    let own = speaks_for_service(context, file)
        || file.role == Role::Generated
        || what.0 == "grpc" && of_parts(context, file);
    let confidence = if own { confidence } else { Confidence::Low };
    linked.facts.add(context.fact_in_role(data, file.id, span, Role::Service).confidence(confidence));
}

/// Whether a file lies in a crate that a service is made of.
fn of_parts(context: &Context<'_>, file: &SourceFile) -> bool {
    let Some(package) = context.workspace.package_of(&file.path) else { return false };
    context.services.iter().any(|service| service.crates.contains(&package.folder))
}

fn of_document(root: &Node) -> Option<(&'static str, Span, Paths)> {
    let version = root.entry("openapi").or_else(|| root.entry("swagger"));
    if let (Some(version), Some(paths)) = (version, root.get("paths")) {
        let paths: Vec<String> = paths.entries().iter().map(|entry| entry.key.to_string()).collect();
        return (!paths.is_empty()).then_some(("openapi", version.key_span, Attr::Known(paths)));
    }
    if let (Some(version), Some(_)) = (root.entry("asyncapi"), root.get("channels")) {
        return Some(("asyncapi", version.key_span, Attr::Unset));
    }
    let schema = root.at(&["info", "schema"]).and_then(Node::text)?;
    let postman = schema.contains("getpostman.com") && root.get("item").is_some_and(|items| !items.items().is_empty());
    postman.then(|| ("postman", root.get("info").map_or(root.span, |info| info.span), Attr::Unset))
}

/// Interface definitions that other readers leave as text.
fn by_name(file: &SourceFile) -> Option<(&'static str, Span, Paths)> {
    let ending = file.name().rsplit('.').next().unwrap_or("");
    let find = |word: &str| file.text.lines().position(|line| line.trim_start().starts_with(word));
    let (kind, line) = match ending {
        "proto" => ("grpc", find("service ")?),
        "graphql" | "graphqls" | "gql" => ("graphql", find("type Query")?),
        _ => return None,
    };
    Some((kind, file.line_span(u32::try_from(line + 1).unwrap_or(1)), Attr::Unset))
}

/// Paths that a section on the API must name in prose to describe it.
const TOLD: usize = 3;

/// A section called after the API or its routes, or a page called so, that names paths in backticks and how to call
/// them: methods, payloads, or a table with a row for each.
fn told(file: &SourceFile, markdown: &Markdown) -> Option<(Span, Vec<String>)> {
    let stem = file.name().split('.').next().unwrap_or("").to_ascii_lowercase();
    let page = matches!(stem.as_str(), "routes" | "endpoints" | "api" | "api-reference" | "http-api" | "rest-api");
    sections::of(file, markdown).into_iter().enumerate().find_map(|(at, section)| {
        let title = section.title.trim_matches(|c: char| !c.is_alphanumeric());
        let named = TITLES.contains(&title) || page && at == 0;
        let paths = paths_of(section.body);
        let methods = METHODS.iter().filter(|method| section.body.contains(**method)).count();
        let rows = section.body.lines().filter(|line| line.starts_with('|') && line.contains("`/")).count();
        let says = methods >= 2 && !section.code.trim().is_empty() || rows >= TOLD;
        (named && says && paths.len() >= TOLD).then(|| (section.heading, paths.into_iter().collect()))
    })
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Headings of descriptions of an API.
const TITLES: &[&str] = &[
    "api",
    "api endpoints",
    "api reference",
    "api documentation",
    "api routes",
    "endpoints",
    "http api",
    "http endpoints",
    "json api",
    "rest api",
    "rest endpoints",
    "routes",
    "public routes",
    "using the api",
];

/// Paths in backticks: `/raw/:id`.
fn paths_of(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = quoted.map(|code| code.split_whitespace().next_back().unwrap_or(""));
    paths.filter(|path| path.starts_with('/') && !path.contains("//")).map(str::to_string).collect()
}

static ENDPOINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?m)\b(GET|POST|PUT|PATCH|DELETE)\b[`*|\s:]{1,6}(?:https?://[^\s/`]+)?(/[A-Za-z0-9_{}:<>./-]*)").ok()
});

/// Distinct endpoints that a text names by method and path, and where the first stands.
fn endpoints(text: &str) -> (BTreeSet<String>, Span) {
    let Some(regex) = ENDPOINT.as_ref() else { return (BTreeSet::new(), Span::default()) };
    let mut found = BTreeSet::new();
    let mut first = None;
    for captures in regex.captures_iter(text) {
        if let (Some(whole), Some(path)) = (captures.get(0), captures.get(2)) {
            first.get_or_insert(Span::new(whole.start(), whole.end()));
            found.insert(path.as_str().to_string());
        }
    }
    (found, first.unwrap_or_default())
}

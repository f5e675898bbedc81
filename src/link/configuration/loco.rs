//! What loco's configuration of production sets up: `config/production.yaml` beside a crate that depends on it.

use crate::facts::vocabulary::{Cors, JobQueue, Middleware, MigrationRun, Pool, ResponseHeader};
use crate::facts::{Attr, Data, Fact};
use crate::link::{Context, Linked};
use crate::parse::Syntax;
use crate::parse::document::Node;
use crate::scan::source::{Role, SourceFile, Span};

/// Headers of the presets of `secure_headers`.
const HEADERS: &[&str] =
    &["content-security-policy", "strict-transport-security", "x-content-type-options", "x-frame-options"];

/// Adds what the files say.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for (file, parsed) in context.repository.files() {
        let named = ["config/production.yaml", "config/production.yml"]
            .iter()
            .any(|name| file.path.strip_suffix(name).is_some_and(|folder| folder.is_empty() || folder.ends_with('/')));
        if !named || file.role != Role::Service {
            continue;
        }
        let package = context.workspace.package_of(&file.path);
        if package.is_none_or(|package| package.dependency("loco_rs").is_none()) {
            continue;
        }
        if let Syntax::Documents(roots) = &parsed.syntax {
            for root in roots {
                Read { context, file, linked }.root(root);
            }
        }
    }
}

struct Read<'r, 'c> {
    context: &'r Context<'c>,
    file: &'r SourceFile,
    linked: &'r mut Linked,
}

impl Read<'_, '_> {
    fn root(&mut self, root: &Node) {
        if let Some(database) = root.get("database") {
            self.database(database);
        }
        if let Some(logger) = root.get("logger") {
            self.logger(logger);
        }
        if let Some(middlewares) = root.at(&["server", "middlewares"]) {
            self.middlewares(middlewares);
        }
        if let Some(mode) = root.at(&["workers", "mode"]).filter(|mode| mode.text() == Some("BackgroundQueue")) {
            self.add(JobQueue { library: "loco".into(), ..JobQueue::default() }, mode.span);
        }
    }

    fn add(&mut self, data: impl Into<Data>, span: Span) {
        let fact: Fact = self.context.fact(data, self.file.id, span);
        self.linked.facts.add(fact);
    }

    fn database(&mut self, node: &Node) {
        let uri = node.get("uri").and_then(Node::text).unwrap_or("");
        let engines = [("postgres", "postgres"), ("sqlite", "sqlite"), ("mysql", "mysql")];
        let engine = engines.iter().find(|(scheme, _)| uri.contains(scheme)).map(|(_, engine)| (*engine).to_string());
        let pool = Pool {
            library: "sea-orm".into(),
            engine: engine.into(),
            max_size: number(node.get("max_connections"), 1.0),
            // Milliseconds, for a connection that is asked for as well.
            acquire_timeout: number(node.get("connect_timeout"), 0.001),
            of_database: true.into(),
            ..Pool::default()
        };
        self.add(pool, node.span);
        if let Some(migrate) = node.get("auto_migrate").filter(|node| node.flag() == Some(true)) {
            let run = MigrationRun { tool: "sea-orm".into(), by: "startup".into(), ..MigrationRun::default() };
            self.add(run, migrate.span);
        }
    }

    /// The format and level of the logger that the framework sets up.
    fn logger(&mut self, node: &Node) {
        let services = self.context.services_of(self.file.id);
        for fact in &mut self.linked.facts.all {
            let Data::LogSetup(setup) = &mut fact.data else { continue };
            if setup.library != Attr::from("loco") || fact.services.is_disjoint(&services) {
                continue;
            }
            if let Some(format) = node.get("format") {
                setup.structured = format.text().map_or(Attr::Unknown, |text| Attr::Known(text == "json"));
            }
            if let Some(level) = node.get("level") {
                // A template takes it from the environment.
                setup.level_source = if level.is_unresolved() { "environment".into() } else { "configuration".into() };
                setup.level = level.text().map_or(Attr::Unset, Attr::from);
            }
        }
    }

    fn middlewares(&mut self, node: &Node) {
        if let Some(limit) = node.at(&["limit_payload", "body_limit"]) {
            let text = limit.scalar().unwrap_or_default();
            let disabled = text == "disable";
            let value = if disabled { Attr::Unset } else { super::bytes(&text).map_or(Attr::Unknown, Attr::Known) };
            self.middleware("body-limit", value, disabled, limit.span);
        }
        if let Some(timeout) = node.get("timeout_request").filter(|node| is_enabled(node)) {
            let value = timeout.get("timeout").map_or(Attr::Known(5.0), |value| number(Some(value), 0.001));
            self.middleware("timeout", value, false, timeout.span);
        }
        if let Some(headers) = node.get("secure_headers").filter(|node| is_enabled(node)) {
            self.headers(headers);
        }
        if let Some(cors) = node.get("cors").filter(|node| is_enabled(node)) {
            self.cors(cors);
        }
    }

    fn middleware(&mut self, kind: &str, value: Attr<f64>, disabled: bool, span: Span) {
        let data = Middleware {
            kind: kind.into(),
            library: "loco".into(),
            covers: "all".into(),
            value,
            disabled: disabled.into(),
            ..Middleware::default()
        };
        self.add(data, span);
    }

    fn headers(&mut self, node: &Node) {
        let preset = node.get("preset").and_then(Node::text).unwrap_or("github");
        let own = node.get("overrides").map_or(&[][..], Node::entries);
        for name in HEADERS.iter().filter(|_| preset != "empty") {
            let written = own.iter().find(|entry| entry.key.eq_ignore_ascii_case(name));
            let data = ResponseHeader {
                name: (*name).into(),
                value: written.and_then(|entry| entry.value.text()).map_or(Attr::Unknown, Attr::from),
                by: "app".into(),
                covers: "all".into(),
            };
            self.add(data, node.span);
        }
        for entry in own.iter().filter(|_| preset == "empty") {
            let data = ResponseHeader {
                name: entry.key.to_ascii_lowercase().into(),
                value: entry.value.text().map_or(Attr::Unknown, Attr::from),
                by: "app".into(),
                covers: "all".into(),
            };
            self.add(data, entry.value.span);
        }
    }

    fn cors(&mut self, node: &Node) {
        let origins = node.get("allow_origins").map_or(&[][..], Node::items);
        let any = origins.is_empty() || origins.iter().any(|origin| matches!(origin.text(), Some("*" | "any")));
        let data = Cors {
            origins: if any { "any".into() } else { "list".into() },
            credentials: (node.get("allow_credentials").and_then(Node::flag) == Some(true)).into(),
            library: "loco".into(),
            development_only: false.into(),
        };
        self.add(data, node.span);
    }
}

fn is_enabled(node: &Node) -> bool {
    node.get("enable").and_then(Node::flag) == Some(true)
}

/// A number times a scale; unknown where a template gives it.
fn number(node: Option<&Node>, scale: f64) -> Attr<f64> {
    match node {
        None => Attr::Unset,
        Some(node) => node.number().map_or(Attr::Unknown, |number| Attr::Known(number * scale)),
    }
}

//! Sets of migration files: one folder, one order, one engine.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::facts::vocabulary::Migration;
use crate::facts::{Data, Fact};
use crate::link::workspace::{PackageDependency, Workspace};
use crate::link::{Context, Linked};
use crate::parse::sql::{Kind as StatementKind, Statement};
use crate::parse::{Parsed, Syntax};
use crate::scan::source::{FileId, Kind, Role, SourceFile, Span};

/// Migrations of one folder, oldest first.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// The folder.
    pub(super) folder: String,
    /// The tool its layout and the project's dependencies tell, if they do.
    pub(super) tool: Option<&'static str>,
    /// The engine, if its path or the project's dependencies tell.
    pub(super) engine: Option<&'static str>,
    /// Its migrations.
    pub(super) entries: Vec<Entry>,
}

/// One migration.
#[derive(Debug)]
pub(super) struct Entry {
    /// Sorts as the tool sorts; what stands before the first word of the name.
    pub(super) version: String,
    /// The file that migrates up.
    pub(super) up: FileId,
    /// The file that migrates down.
    pub(super) down: Option<FileId>,
    /// Where a down part begins in the up file (dbmate, goose).
    pub(super) down_marker: Option<u32>,
    /// Code hands a down part over with the up part.
    pub(super) down_in_code: bool,
}

/// How a set's files are laid out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Layout {
    /// `VERSION_name/up.sql`
    Folders,
    /// `VERSION_name.up.sql`
    Pairs,
    /// `VERSION_name.sql`
    Single,
    /// `V1__name.sql`
    Flyway,
}

static SINGLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\d+[-_.].*\.sql$|^\d{3,}\.sql$").ok());
static FLYWAY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[VR][\d_.]*__.*\.sql$").ok());
static DOWN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?mi)^--\s*(migrate:down|\+goose down|\+migrate down|rollback\b)").ok());

fn matches(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// All sets of the tree, in service and migration folders; test and example ones are left out.
pub(super) fn find(context: &Context<'_>) -> Vec<Set> {
    let mut sets: BTreeMap<(String, Layout), Vec<Entry>> = BTreeMap::new();
    for (file, _) in context.repository.files().filter(|(file, _)| is_candidate(file)) {
        if let Some((folder, layout, version)) = place_of(file) {
            let entry = Entry {
                version,
                up: file.id,
                down: down_of(context, file, layout),
                down_marker: DOWN.as_ref().and_then(|down| down.find(&file.text)).map(|at| offset(at.start())),
                down_in_code: false,
            };
            sets.entry((folder, layout)).or_default().push(entry);
        }
    }
    sets.into_iter().map(|((folder, layout), entries)| set(context, folder, layout, entries)).collect()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn is_candidate(file: &SourceFile) -> bool {
    file.kind == Kind::Sql && matches!(file.role, Role::Service | Role::Generated)
}

/// Folder, layout and version of a file that is the up part of a migration.
fn place_of(file: &SourceFile) -> Option<(String, Layout, String)> {
    let name = file.name();
    let folder = file.folder();
    if name.eq_ignore_ascii_case("up.sql") {
        let (parent, own) = folder.rsplit_once('/').unwrap_or(("", folder));
        return Some((parent.to_string(), Layout::Folders, version(own)));
    }
    if name.ends_with(".down.sql") || name.eq_ignore_ascii_case("down.sql") {
        return None;
    }
    if matches(&FLYWAY, name) {
        return Some((folder.to_string(), Layout::Flyway, version(name)));
    }
    let in_migrations = folder.to_ascii_lowercase().contains("migrat");
    if !in_migrations || !matches(&SINGLE, name) {
        return None;
    }
    let layout = if name.ends_with(".up.sql") { Layout::Pairs } else { Layout::Single };
    Some((folder.to_string(), layout, version(name)))
}

/// The part of a name that orders it: leading digits and separators, `V` left out.
fn version(name: &str) -> String {
    let name = name.trim_start_matches(['V', 'R']);
    let end = name.find(|character: char| !character.is_ascii_digit() && !"-_.".contains(character));
    name[..end.unwrap_or(name.len())].trim_end_matches(['-', '_', '.', ' ']).to_string()
}

fn down_of(context: &Context<'_>, file: &SourceFile, layout: Layout) -> Option<FileId> {
    let path = match layout {
        Layout::Folders => format!("{}/down.sql", file.folder()),
        Layout::Pairs => format!("{}.down.sql", file.path.strip_suffix(".up.sql")?),
        Layout::Flyway => {
            let undo = file.name().strip_prefix('V')?;
            format!("{}/U{undo}", file.folder())
        }
        Layout::Single => return None,
    };
    context.repository.tree.find(&path).map(|down| down.id)
}

fn set(context: &Context<'_>, folder: String, layout: Layout, mut entries: Vec<Entry>) -> Set {
    entries.sort_by(|left, right| order(context, left).cmp(&order(context, right)));
    let tool = tool(context.workspace, layout);
    let own = context.workspace.package_of(&format!("{folder}/x")).filter(|package| !package.folder.is_empty());
    let engine = engine_of_path(&folder)
        .or_else(|| engine_of_dependencies(own.iter().flat_map(|package| &package.dependencies)))
        .or_else(|| engine(context.workspace));
    Set { folder, tool, engine, entries }
}

/// The one engine that all packages of a workspace speak of.
pub(super) fn engine(workspace: &Workspace) -> Option<&'static str> {
    engine_of_dependencies(workspace.packages.iter().flat_map(|package| &package.dependencies))
}

/// Numbers by value, whatever their length, then by path.
fn order<'a>(context: &'a Context<'_>, entry: &Entry) -> (Vec<u64>, &'a str) {
    let numbers = entry.version.split(['-', '_', '.']).filter_map(|part| part.parse().ok()).collect();
    (numbers, context.repository.tree.file(entry.up).path.as_str())
}

/// The tool that runs such a layout, among those that the project depends on.
fn tool(workspace: &Workspace, layout: Layout) -> Option<&'static str> {
    let candidates: &[(&str, &str)] = match layout {
        Layout::Folders => &[
            ("diesel_migrations", "diesel"),
            ("diesel-async", "diesel"),
            ("diesel", "diesel"),
            ("rusqlite_migration", "rusqlite_migration"),
        ],
        Layout::Pairs | Layout::Single => {
            const TOOLS: &[(&str, &str)] = &[
                ("sqlx", "sqlx"),
                ("refinery", "refinery"),
                ("rusqlite_migration", "rusqlite_migration"),
                ("tokio-postgres-migration", "own"),
            ];
            TOOLS
        }
        Layout::Flyway => &[("refinery", "refinery")],
    };
    candidates.iter().find(|(package, _)| depends_on(workspace, package)).map(|(_, tool)| *tool)
}

/// Whether any package of the tree depends on a crate.
pub(super) fn depends_on(workspace: &Workspace, name: &str) -> bool {
    workspace.packages.iter().flat_map(|package| &package.dependencies).any(|dependency| dependency.package == name)
}

/// The engine that a folder's name tells: `db-sqlx-maria`, `mysql8`, `pg`, `postgresql/`.
pub(super) fn engine_of_path(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    const PARTS: &[(&str, &str)] = &[
        ("postgres", "postgres"),
        ("pgsql", "postgres"),
        ("mysql", "mysql"),
        ("mariadb", "mysql"),
        ("sqlite", "sqlite"),
        ("spanner", "spanner"),
        ("clickhouse", "clickhouse"),
    ];
    // Too short to be looked for inside other words: only as a word of their own, with or without a version.
    const WORDS: &[(&str, &str)] =
        &[("pg", "postgres"), ("psql", "postgres"), ("maria", "mysql"), ("libsql", "sqlite"), ("turso", "sqlite")];
    let by_part = PARTS.iter().find(|(part, _)| path.contains(part)).map(|(_, engine)| *engine);
    by_part.or_else(|| {
        let words = path.split(|c: char| !c.is_ascii_alphanumeric()).rev();
        let plain = |word: &str| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_string();
        let mut known = words.filter_map(|word| WORDS.iter().find(|(known, _)| plain(word) == *known));
        known.next().map(|(_, engine)| *engine)
    })
}

/// The one engine that features of dependencies and their names speak of.
fn engine_of_dependencies<'d>(dependencies: impl Iterator<Item = &'d PackageDependency>) -> Option<&'static str> {
    let mut engines: Vec<&'static str> = Vec::new();
    for dependency in dependencies {
        let own = engine_of_path(&dependency.package);
        let by_feature = dependency.features.iter().filter_map(|feature| engine_of_path(feature));
        let database = ["sqlx", "diesel", "diesel-async", "sea-orm", "refinery"].contains(&dependency.package.as_str());
        engines.extend(by_feature.filter(|_| database));
        engines.extend(own.filter(|_| !dependency.development));
    }
    engines.sort_unstable();
    engines.dedup();
    match engines.as_slice() {
        [engine] => Some(engine),
        _ => None,
    }
}

/// Statements of a migration's up part.
pub(super) fn up_statements<'a>(context: &'a Context<'_>, entry: &'a Entry) -> impl Iterator<Item = &'a Statement> {
    let end = entry.down_marker.unwrap_or(u32::MAX);
    statements(context.repository.get(entry.up).1).iter().filter(move |statement| statement.span.start < end)
}

/// The statements of a file of SQL.
pub(super) fn statements(parsed: &Parsed) -> &[Statement] {
    match &parsed.syntax {
        Syntax::Sql(file) => &file.statements,
        _ => &[],
    }
}

/// Adds a fact for each migration.
pub(super) fn emit(context: &Context<'_>, sets: &[Set], linked: &mut Linked) {
    for set in sets {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        set.entries.iter().for_each(|entry| *seen.entry(&entry.version).or_default() += 1);
        for entry in &set.entries {
            let data = Migration {
                tool: set.tool.map(str::to_string).into(),
                version: entry.version.as_str().into(),
                has_down: has_down(context, entry).into(),
                engine: set.engine.map(str::to_string).into(),
                run: set.tool.is_some().into(),
                duplicate: (seen.get(entry.version.as_str()).is_some_and(|count| *count > 1)).into(),
            };
            // A down part that is there and does nothing is what a reader has to see.
            let file = entry.down.filter(|_| data.has_down == false.into()).unwrap_or(entry.up);
            linked.facts.add(set.fact(context, data, file, first_line(context, file)));
        }
    }
}

impl Set {
    /// A fact of this set. A set at the top of a workspace belongs to all services: any may use a database through it.
    pub(super) fn fact(&self, context: &Context<'_>, data: impl Into<Data>, file: FileId, span: Span) -> Fact {
        let mut fact = context.fact_in_role(data, file, span, Role::Service);
        fact.services.extend(services_of_folder(context, &self.folder));
        fact
    }
}

fn services_of_folder(context: &Context<'_>, folder: &str) -> Vec<crate::facts::ServiceId> {
    let owned = context.workspace.package_of(&format!("{folder}/x")).is_some_and(|package| !package.folder.is_empty());
    if owned { Vec::new() } else { (0u16..).map(crate::facts::ServiceId).take(context.services.len()).collect() }
}

/// Where a fact about a whole file stands.
pub(super) fn first_line(context: &Context<'_>, file: FileId) -> Span {
    context.repository.tree.file(file).line_span(1)
}

/// Whether a down part does something: comments, SELECT 1 and transaction marks do not.
fn has_down(context: &Context<'_>, entry: &Entry) -> bool {
    let does = |statement: &Statement| match &statement.kind {
        StatementKind::Transaction | StatementKind::Set { .. } => false,
        StatementKind::Query(query) => {
            // Reading rows undoes nothing, whatever table they are read from.
            query.verb != "select" || calls(context, entry, statement)
        }
        _ => true,
    };
    let separate = entry.down.is_some_and(|down| statements(context.repository.get(down).1).iter().any(does));
    let marked = entry.down_marker.is_some_and(|start| {
        statements(context.repository.get(entry.up).1)
            .iter()
            .any(|statement| statement.span.start >= start && does(statement))
    });
    separate || marked || entry.down_in_code
}

/// `SELECT some_function(..)` does something, `SELECT 1` does not.
fn calls(context: &Context<'_>, entry: &Entry, statement: &Statement) -> bool {
    let file = context.repository.tree.file(entry.down.unwrap_or(entry.up));
    file.slice(statement.span).contains('(')
}

//! What the process keeps between requests, and what in it is a cache.

use std::collections::BTreeSet;

use super::found::Found;
use crate::facts::vocabulary::{AppState, Cache, LocalState};
use crate::facts::{Attr, Confidence, FactKind, Value};
use crate::link::names::{FunctionId, ItemInfo, ModuleId, Names};
use crate::link::reach::Reach;
use crate::link::{Context, Linked, Repository};
use crate::parse::rust::ast::{Expr, ExprKind, Field, ItemKind, TokenKind, Type};
use crate::parse::rust::walk;
use crate::scan::source::{Kind, Role, Span};

/// Types that several values of a kind are kept in.
const COLLECTIONS: &[&str] = &["HashMap", "BTreeMap", "Vec", "HashSet", "VecDeque", "IndexMap", "Slab", "BTreeSet"];

/// Types that let requests change what they hold.
const LOCKS: &[&str] = &["Mutex", "RwLock", "ArcSwap", "RefCell"];

/// Collections that are shared as they are.
const SHARED: &[&str] = &["DashMap", "DashSet", "SkipMap"];

/// Collections that drop what was not used for long or is old: caches, whatever they are called.
const BOUNDED: &[&str] = &[
    "LruCache",
    "CLruCache",
    "LRUCache",
    "LruMap",
    "LruTtlCache",
    "TtlCache",
    "TimedCache",
    "SizedCache",
    "TimedSizedCache",
    "ExpiringMap",
];

/// Methods that change what they are called on, or lock it to change it.
const WRITES: &[&str] =
    &["write", "lock", "insert", "push", "entry", "remove", "push_back", "get_mut", "retain", "clear"];

/// Words of names of what may be lost without harm.
const HARMLESS: &[&str] = &[
    "cache",
    "cached",
    "rate",
    "limit",
    "limiter",
    "buckets",
    "metrics",
    "stats",
    "counter",
    "counters",
    "pool",
    "config",
    "settings",
    "client",
    "clients",
    "connections",
    "sender",
    "senders",
    "tx",
    "rx",
    "handles",
    "tasks",
    "locks",
    "registry",
    "templates",
    "buffer",
    "queue",
    "workers",
    "inflight",
    "pending",
    "health",
    "errors",
    "logs",
    "routes",
    "router",
    "providers",
    "keys",
    "jwks",
];

/// Stores that several replicas share: where one of them can be chosen instead, the disk is for development.
const REMOTE: &[&str] = &["::S3", "AmazonS3", "GoogleCloudStorage", "::Gcs", "MicrosoftAzure", "::Azblob"];

/// Completes the facts about state, and adds what types tell.
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>], reach: &Reach, linked: &mut Linked) {
    let cached = redis_caches(context);
    for found in found.iter_mut() {
        match found.kind() {
            FactKind::LocalState => on_disk(context, found, reach),
            FactKind::Cache if found.text("library").as_deref() == Some("redis") => {
                let package = context.workspace.package_of(&context.repository.tree.file(found.stand.file).path);
                found.absorbed |= !package.is_some_and(|package| cached.contains(package.folder.as_str()));
            }
            FactKind::Cache if found.text("library").as_deref() == Some("http-header") => {
                found.absorbed |= found.stand.function.is_some_and(|function| answers_errors(context, function));
            }
            FactKind::Channel => {
                let in_request = reach.certainly(found.stand.function);
                found.data.set("in_request", Attr::Known(Value::Flag(in_request)));
            }
            _ => {}
        }
    }
    shared(context, reach, linked);
    if found.iter().any(|found| found.kind() == FactKind::Cache && found.counts()) {
        asked(context, reach, linked);
    }
    let written = written(context, reach);
    let names: &Names<'_> = context.names;
    for info in names.items().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        kept(context, info, &written, linked);
    }
}

/// Methods that read or fill a cache.
const ASKS: &[&str] = &[
    "get",
    "set",
    "insert",
    "put",
    "fetch",
    "get_with",
    "try_get_with",
    "get_or_insert_with",
    "get_or_fetch",
    "cache_get",
    "cache_set",
];

/// Adds where requests ask what is called a cache, once for a file, beside a cache that is set up somewhere.
fn asked(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    let mut known = BTreeSet::new();
    for info in context.names.functions().iter().filter(|info| info.role == Role::Service && reach.holds(info.id)) {
        let Some(body) = &info.function.body else { continue };
        walk::expressions(body, &mut |expr| {
            let ExprKind::MethodCall { receiver, method, method_span, .. } = &*expr.kind else { return };
            let asks = ASKS.contains(&method.as_str())
                && last_name(receiver).is_some_and(|name| name.to_ascii_lowercase().contains("cache"));
            if asks && known.insert(info.file) {
                let data = Cache { library: "asked".into(), bounded: Attr::Unset };
                linked.facts.add(context.fact(data, info.file, *method_span).confidence(Confidence::Medium));
            }
        });
    }
}

/// Types that give a handler what the router holds.
const GIVERS: &[&str] = &["State", "Data", "ThinData", "Extension"];

/// Adds the structs that handlers take as shared state.
fn shared(context: &Context<'_>, reach: &Reach, linked: &mut Linked) {
    let names: &Names<'_> = context.names;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for info in names.functions().iter().filter(|info| info.role == Role::Service && reach.is_handler(info.id)) {
        for given in info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref()) {
            if !given.path.last().is_some_and(|last| GIVERS.contains(&last.as_str())) {
                continue;
            }
            let held = given.arguments.first().and_then(|ty| struct_of(names, info.module, ty, ALIASES));
            let Some(item) = held else { continue };
            if item.role == Role::Service && known.insert(&item.path) {
                let data = AppState { name: item.item.name.as_str().into() };
                linked.facts.add(context.fact(data, item.file, item.item.name_span));
            }
        }
    }
}

/// How many aliases and `Arc`s a type is looked for behind.
const ALIASES: usize = 4;

/// The struct of the tree that a type is, is an alias of, or shares by `Arc`.
fn struct_of<'n, 't>(names: &'n Names<'t>, module: ModuleId, ty: &Type, depth: usize) -> Option<&'n ItemInfo<'t>> {
    let depth = depth.checked_sub(1)?;
    if ty.path.last().is_some_and(|last| last == "Arc") {
        return struct_of(names, module, ty.arguments.first()?, depth);
    }
    let item = names.item_at(&names.resolve(module, &ty.path))?;
    match &item.item.kind {
        ItemKind::Struct(_) => Some(item),
        ItemKind::TypeAlias(Some(of)) => struct_of(names, item.module, of, depth),
        _ => None,
    }
}

fn text_of<'t>(context: &Context<'t>, function: FunctionId) -> &'t str {
    let info = context.names.function(function);
    let repository: &'t Repository = context.repository;
    repository.tree.file(info.file).slice(info.item.span)
}

/// What an error's answer says of caching is about no data.
fn answers_errors(context: &Context<'_>, function: FunctionId) -> bool {
    let info = context.names.function(function);
    let of_errors = info.of_trait.as_deref().is_some_and(|name| name.ends_with("ResponseError"));
    of_errors || info.item.name == "error_response"
}

/// Files count where requests write them, and a local store where no shared one can be chosen instead.
fn on_disk(context: &Context<'_>, found: &mut Found<'_>, reach: &Reach) {
    let by_requests = found.entry.requires.iter().any(|name| name == "in a request");
    let text = found.stand.function.map_or("", |function| text_of(context, function));
    found.absorbed |= !by_requests && REMOTE.iter().any(|store| text.contains(store));
    if by_requests && reach.certainly(found.stand.function) && !found.once && !is_scratch(context, found) {
        found.methods.push(("in a request", &[]));
    }
}

/// Caches and temporary files may be lost.
fn is_scratch(context: &Context<'_>, found: &Found<'_>) -> bool {
    let path = &context.repository.tree.file(found.stand.file).path;
    let text = found.stand.function.map_or("", |function| text_of(context, function));
    let says = |word: &str| path.contains(word) || text.contains(word);
    ["cache", "caching", "temp", "tmp"].into_iter().any(says)
}

/// Packages in which a file speaks of Redis and of a cache: Redis also holds sessions, locks and queues.
fn redis_caches<'a>(context: &Context<'a>) -> BTreeSet<&'a str> {
    let mut packages = BTreeSet::new();
    for (source, _) in context.repository.files() {
        if source.kind != Kind::Rust || source.role != Role::Service {
            continue;
        }
        let redis = source.text.contains("redis") || source.text.contains("Redis");
        if redis && (source.text.contains("cache") || source.text.contains("Cache")) {
            packages.extend(context.workspace.package_of(&source.path).map(|package| package.folder.as_str()));
        }
    }
    packages
}

/// Fields and statics that requests change.
type Written<'t> = BTreeSet<&'t str>;

/// Names that functions which requests may reach lock to write, or put something into.
fn written<'t>(context: &Context<'t>, reach: &Reach) -> Written<'t> {
    let names: &'t Names<'t> = context.names;
    let mut written = Written::new();
    for info in names.functions().iter().filter(|info| info.role == Role::Service && reach.holds(info.id)) {
        let Some(body) = &info.function.body else { continue };
        walk::expressions(body, &mut |expr| {
            if let ExprKind::MethodCall { receiver, method, .. } = &*expr.kind
                && WRITES.contains(&method.as_str())
            {
                written.extend(last_name(receiver));
            }
        });
    }
    written
}

fn last_name(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Path(path) => Some(path.last()),
        ExprKind::Field { name, .. } => Some(name),
        ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, .. } => last_name(inner),
        _ => None,
    }
}

/// `PrometheusMetrics` as `prometheus_metrics`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
        before = letter;
    }
    snake
}

/// A static, or a field of a struct.
#[derive(Clone, Copy)]
struct Slot<'t> {
    info: &'t ItemInfo<'t>,
    name: &'t str,
    ty: &'t Type,
    span: Span,
}

/// Collections in statics and in the fields of shared state.
fn kept<'t>(context: &Context<'t>, info: &'t ItemInfo<'t>, written: &Written<'t>, linked: &mut Linked) {
    match &info.item.kind {
        ItemKind::Static(Some(ty), _) => {
            holds(context, Slot { info, name: &info.item.name, ty, span: info.item.name_span }, written, linked);
        }
        ItemKind::Struct(fields) => {
            for Field { name, ty, span, .. } in fields {
                holds(context, Slot { info, name, ty, span: *span }, written, linked);
            }
        }
        _ => {}
    }
}

fn holds<'t>(context: &Context<'t>, slot: Slot<'t>, written: &Written<'t>, linked: &mut Linked) {
    if is_bounded(slot.ty, 8) {
        let data = Cache { library: "own".into(), bounded: true.into() };
        linked.facts.add(context.fact(data, slot.info.file, slot.span).confidence(Confidence::Medium));
        return;
    }
    let Some(element) = element(context, slot.info.module, slot.ty, false, 8) else { return };
    let (name, owner) = (slot.name.to_lowercase(), snake(&slot.info.item.name));
    let mut words = name.split('_').chain(owner.split('_'));
    if name.contains("cache") || owner.contains("cache") {
        let data = Cache { library: "own".into(), bounded: Attr::Unset };
        linked.facts.add(context.fact(data, slot.info.file, slot.span).confidence(Confidence::Medium));
        return;
    }
    if words.any(|word| HARMLESS.contains(&word)) {
        return;
    }
    let of_sessions = holds_logins(&name, element.path.last().map_or("", String::as_str));
    let records = || written.contains(slot.name) && answered(context, slot.info, element);
    let kind = if of_sessions { Some("session") } else { records().then_some("user") };
    if let Some(kind) = kind {
        let data = LocalState { kind: kind.into(), place: "memory".into() };
        linked.facts.add(context.fact(data, slot.info.file, slot.span).confidence(Confidence::Medium));
    }
}

fn is_bounded(ty: &Type, depth: usize) -> bool {
    let own = ty.path.last().is_some_and(|last| BOUNDED.contains(&last.as_str()));
    own || depth > 0 && ty.arguments.iter().any(|argument| is_bounded(argument, depth - 1))
}

/// Whether what is kept are sessions of users who logged in: a `GeneratorSession` or `GameSession` is something else.
fn holds_logins(name: &str, element: &str) -> bool {
    const OF_USERS: &[&str] = &[
        "session", "sessions", "user", "auth", "login", "web", "admin", "account", "client", "data", "info", "state",
        "store", "entry", "record", "token", "map", "key", "id", "cookie", "active", "inner",
    ];
    let words = snake(element);
    if words.split('_').any(|word| matches!(word, "session" | "sessions")) {
        return words.split('_').all(|word| OF_USERS.contains(&word));
    }
    name.contains("sessions")
}

/// What a collection behind a lock holds.
fn element<'t>(context: &Context<'t>, module: ModuleId, ty: &'t Type, locked: bool, depth: usize) -> Option<&'t Type> {
    let depth = depth.checked_sub(1)?;
    let last = ty.path.last().map_or("", String::as_str);
    if SHARED.contains(&last) || (locked && COLLECTIONS.contains(&last)) {
        return ty.arguments.last();
    }
    let locked = locked || LOCKS.contains(&last);
    let inside = ty.arguments.iter().find_map(|argument| element(context, module, argument, locked, depth));
    inside.or_else(|| if locked { in_struct(context, module, ty, depth) } else { None })
}

/// The same of a struct of the tree that is kept behind a lock.
fn in_struct<'t>(context: &Context<'t>, module: ModuleId, ty: &Type, depth: usize) -> Option<&'t Type> {
    let names: &'t Names<'t> = context.names;
    let item = names.item_at(&names.resolve(module, &ty.path))?;
    match &item.item.kind {
        ItemKind::Struct(fields) => {
            fields.iter().find_map(|field| element(context, item.module, &field.ty, true, depth.min(2)))
        }
        _ => None,
    }
}

/// A record of the tree that is written into answers: it derives Serialize, and can be read from requests too.
fn answered(context: &Context<'_>, info: &ItemInfo<'_>, element: &Type) -> bool {
    let Some(item) = context.names.item_at(&context.names.resolve(info.module, &element.path)) else { return false };
    let derives = |word: &str| {
        item.item.attributes.iter().filter(|attribute| attribute.path.is("derive")).any(|attribute| {
            attribute.tokens.iter().any(|token| matches!(&token.kind, TokenKind::Ident(name) if name == word))
        })
    };
    matches!(item.item.kind, ItemKind::Struct(_)) && derives("Serialize") && derives("Deserialize")
}

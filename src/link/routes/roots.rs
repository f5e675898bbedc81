//! Where evaluation starts: mains, launch functions, and what no main reaches.

use std::collections::{BTreeMap, BTreeSet};

use super::super::names::{FunctionId, FunctionInfo};
use super::super::workspace::Package;
use super::calls;
use super::evaluate::{Evaluator, Frame};
use super::start;
use super::value::Value;
use crate::facts::{Confidence, ServiceId};
use crate::scan::source::{Place, Role};

/// A server with the services it belongs to.
#[derive(Clone, Debug)]
pub struct Found {
    /// Index in the evaluator's list.
    pub server: usize,
    /// Services.
    pub services: BTreeSet<ServiceId>,
    /// How sure its routes are served.
    pub confidence: Confidence,
}

/// Evaluates everything; gives the servers in the order of their places.
pub fn run(evaluator: &mut Evaluator<'_>) -> Vec<Found> {
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    // Routes are a service's: a repository without one is not evaluated, however large.
    if evaluator.context.services.is_empty() {
        return Vec::new();
    }
    let packages = &evaluator.context.workspace.packages;
    for package in packages {
        let services = services_of(evaluator, package);
        if services.is_empty() {
            continue;
        }
        for main in mains(evaluator, package) {
            evaluator.fresh();
            enter(evaluator, main);
            note(evaluator, &mut found, &services, Confidence::High);
        }
        for hook in hooks(evaluator, package) {
            enter(evaluator, hook);
            note(evaluator, &mut found, &services, Confidence::High);
        }
    }
    for function in unreached_starts(evaluator) {
        if evaluator.visited.contains(&function) {
            continue;
        }
        enter(evaluator, function);
        let services = evaluator.context.services_of(evaluator.info(function).file);
        note(evaluator, &mut found, &services, Confidence::High);
    }
    without_server(evaluator, &mut found);
    let mut all: Vec<Found> = found.into_values().collect();
    all.sort_by_key(|found| evaluator.servers[found.server].place);
    all
}

fn note(
    evaluator: &mut Evaluator<'_>,
    found: &mut BTreeMap<usize, Found>,
    services: &BTreeSet<ServiceId>,
    confidence: Confidence,
) {
    for server in std::mem::take(&mut evaluator.started) {
        let entry = found.entry(server).or_insert_with(|| Found { server, services: BTreeSet::new(), confidence });
        entry.services.extend(services);
        entry.confidence = entry.confidence.max(confidence);
    }
}

fn services_of(evaluator: &Evaluator<'_>, package: &Package) -> BTreeSet<ServiceId> {
    let folder = if package.folder.is_empty() { "." } else { &package.folder };
    let ids = (0u16..).map(ServiceId).zip(evaluator.context.services);
    let own: BTreeSet<ServiceId> = ids.filter(|(_, service)| service.folder == folder).map(|(id, _)| id).collect();
    if own.is_empty() { evaluator.context.services_of(package.manifest) } else { own }
}

/// The `main`s and launch functions of a package's binaries.
fn mains(evaluator: &Evaluator<'_>, package: &Package) -> Vec<FunctionId> {
    let roots: Vec<_> = package.binaries().map(|target| target.root).collect();
    let is_main = |info: &&FunctionInfo<'_>| {
        roots.contains(&info.file)
            && info.role == Role::Service
            && info.self_type.is_none()
            && (info.item.name == "main" || launches(info))
    };
    evaluator.names.functions().iter().filter(is_main).map(|info| info.id).collect()
}

fn launches(info: &FunctionInfo<'_>) -> bool {
    info.item.attributes.iter().any(|attribute| attribute.path.last() == "launch")
}

/// Functions that a framework calls with the routes: loco's `Hooks::routes`.
fn hooks(evaluator: &Evaluator<'_>, package: &Package) -> Vec<FunctionId> {
    let of_package = |info: &&FunctionInfo<'_>| {
        let path = &evaluator.context.repository.tree.file(info.file).path;
        let hook = info.of_trait.as_deref().is_some_and(|of| of.rsplit("::").next() == Some("Hooks"));
        hook && info.item.name == "routes"
            && evaluator.context.workspace.package_of(path).is_some_and(|own| own.folder == package.folder)
    };
    evaluator.names.functions().iter().filter(of_package).map(|info| info.id).collect()
}

/// Enters a function; where it gives a router to its framework by returning it, that is a server.
fn enter(evaluator: &mut Evaluator<'_>, id: FunctionId) {
    let info = evaluator.info(id);
    let value = evaluator.call(id, None, Vec::new());
    let hands_over = launches(info)
        || info.of_trait.is_some()
        || info
            .item
            .attributes
            .iter()
            .any(|attribute| attribute.path.segments.first().is_some_and(|first| first.starts_with("shuttle")));
    if hands_over && value.matters() {
        let place = Place { file: info.file, span: info.item.name_span };
        let mut frame = Frame::new(info.module, info.file);
        frame.function = Some(id);
        start::serve(evaluator, &frame, place, &value, None, false);
    }
}

/// Calls that start a server, in source.
const STARTS: &[&str] = &[
    "axum::serve",
    "HttpServer::new",
    "axum_server::",
    "Server::bind",
    "Server::new(",
    "warp::serve",
    ".launch()",
    ".listen(",
    "serve(",
    "Server::builder()",
    "web::server(",
    "HttpServer::",
];

/// Functions of service code that start a server and that no main reached.
fn unreached_starts(evaluator: &Evaluator<'_>) -> Vec<FunctionId> {
    let starts = |info: &&FunctionInfo<'_>| {
        let Some(body) = &info.function.body else { return false };
        if info.role != Role::Service || evaluator.visited.contains(&info.id) {
            return false;
        }
        let source = evaluator.source(info.file, body.span);
        STARTS.iter().any(|start| source.contains(start))
    };
    evaluator.names.functions().iter().filter(starts).map(|info| info.id).collect()
}

/// Services of which routes were found. Those of a gRPC server do not tell what an HTTP server beside it serves.
fn served(evaluator: &Evaluator<'_>, found: &BTreeMap<usize, Found>) -> BTreeSet<ServiceId> {
    let (mut http, mut grpc, mut silent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for found in found.values() {
        let router = &evaluator.servers[found.server].router;
        let of = match (router.framework == "tonic", router.entries.is_empty()) {
            (false, false) => &mut http,
            (true, false) => &mut grpc,
            (false, true) => &mut silent,
            (true, true) => continue,
        };
        of.extend(found.services.iter().copied());
    }
    http.extend(grpc.into_iter().filter(|service| !silent.contains(service)));
    http
}

/// For services of which no route was found: what builds routers and is used by nothing else that does.
fn without_server(evaluator: &mut Evaluator<'_>, found: &mut BTreeMap<usize, Found>) {
    let served = served(evaluator, found);
    let candidates: Vec<FunctionId> = evaluator
        .names
        .functions()
        .iter()
        .filter(|info| info.role == Role::Service && builds_routes(info))
        .filter(|info| {
            let services = evaluator.context.services_of(info.file);
            !services.is_empty() && services.iter().all(|service| !served.contains(service))
        })
        .map(|info| info.id)
        .collect();
    let mut used: BTreeSet<FunctionId> = BTreeSet::new();
    let mut values = Vec::new();
    for id in &candidates {
        evaluator.fresh();
        evaluator.visited.clear();
        let value = alone(evaluator, *id);
        used.extend(evaluator.visited.iter().filter(|visited| *visited != id));
        values.push((*id, value));
    }
    for (id, value) in values.into_iter().filter(|(id, _)| !used.contains(id)) {
        let info = evaluator.info(id);
        let place = Place { file: info.file, span: info.item.name_span };
        let mut frame = Frame::new(info.module, info.file);
        frame.function = Some(id);
        start::serve(evaluator, &frame, place, &value, None, false);
        let services = evaluator.context.services_of(info.file);
        note(evaluator, found, &services, Confidence::Medium);
    }
}

/// Evaluates a function with a router of its own for a `ServiceConfig` parameter.
fn alone<'a>(evaluator: &mut Evaluator<'a>, id: FunctionId) -> Value<'a> {
    let info = evaluator.info(id);
    let frame = Frame::new(info.module, info.file);
    let arguments: Vec<Value<'a>> =
        info.function.parameters.iter().map(|parameter| calls::parameter(&frame, parameter)).collect();
    let config = arguments.iter().find(|value| matches!(value, Value::Shared(..))).cloned();
    let value = evaluator.call(id, None, arguments);
    config.unwrap_or(value)
}

fn builds_routes(info: &FunctionInfo<'_>) -> bool {
    const TYPES: &[&str] = &[
        "Router",
        "ApiRouter",
        "OpenApiRouter",
        "Routes",
        "AppRoutes",
        "BoxedFilter",
        "Rocket",
        "Vec",
        "Route",
        "IntoEndpoint",
        "Filter",
        "Scope",
    ];
    let config = |ty: &crate::parse::rust::ast::Type| ty.path.last().is_some_and(|last| last == "ServiceConfig");
    if info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref()).any(config) {
        return true;
    }
    let Some(returns) = &info.function.returns else { return false };
    let words = returns.text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.into_iter().any(|word| TYPES.contains(&word))
}

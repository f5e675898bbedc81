//! Where servers are started.

use crate::link::Repository;
use crate::link::names::{FunctionInfo, ModuleId, Names};
use crate::link::workspace::{Package, PackageDependency, Workspace};
use crate::scan::source::{Place, Role, Span};

use super::FunctionId;

/// The start of a server.
#[derive(Clone, Debug)]
pub struct Start {
    /// Function that starts it.
    pub function: FunctionId,
    /// The framework's crate.
    pub framework: &'static str,
    /// The call or attribute.
    pub place: Place,
    /// By its name it serves metrics, administration or the like, not the service's own requests.
    pub is_side_server: bool,
    /// It listens on a socket in the file system: only programs of the same machine reach it.
    pub is_local: bool,
}

/// Calls that start a server: crate in code, how the rest of the path ends, framework.
const CALLS: &[(&str, &str, &str)] = &[
    ("axum", "serve", "axum"),
    ("axum", "Server::bind", "axum"),
    ("axum", "Server::builder", "axum"),
    ("axum", "Server::from_tcp", "axum"),
    ("axum", "Server::try_bind", "axum"),
    ("axum_server", "bind", "axum"),
    ("axum_server", "bind_rustls", "axum"),
    ("axum_server", "bind_openssl", "axum"),
    ("axum_server", "from_tcp", "axum"),
    ("axum_server", "from_tcp_rustls", "axum"),
    ("axum_server", "Server::bind", "axum"),
    ("actix_web", "HttpServer::new", "actix-web"),
    ("rocket", "build", "rocket"),
    ("rocket", "custom", "rocket"),
    ("rocket", "ignite", "rocket"),
    ("rocket", "Rocket::build", "rocket"),
    ("rocket", "Rocket::custom", "rocket"),
    ("warp", "serve", "warp"),
    ("poem", "Server::new", "poem"),
    ("poem", "Server::new_with_acceptor", "poem"),
    ("poem_lambda", "run", "poem"),
    ("salvo", "Server::new", "salvo"),
    ("salvo_core", "Server::new", "salvo"),
    ("actix_http", "HttpServiceBuilder::default", "actix-web"),
    ("actix_http", "HttpServiceBuilder::new", "actix-web"),
    ("actix_http", "HttpService::build", "actix-web"),
    ("ntex", "HttpServer::new", "ntex"),
    ("ntex", "web::server", "ntex"),
    ("ntex", "server::build", "ntex"),
    ("tide", "new", "tide"),
    ("tide", "with_state", "tide"),
    ("tide", "Server::new", "tide"),
    ("tide", "Server::with_state", "tide"),
    ("hyper", "Server::bind", "hyper"),
    ("hyper", "Server::builder", "hyper"),
    ("hyper", "Server::from_tcp", "hyper"),
    ("hyper", "Server::try_bind", "hyper"),
    ("hyper", "http1::Builder::new", "hyper"),
    ("hyper", "http2::Builder::new", "hyper"),
    ("hyper_util", "server::conn::auto::Builder::new", "hyper"),
    ("hyper_util", "auto::Builder::new", "hyper"),
    ("tonic", "Server::builder", "tonic"),
    ("loco_rs", "cli::main", "loco-rs"),
    ("gotham", "start", "gotham"),
    ("gotham", "start_with_num_threads", "gotham"),
    ("dropshot", "HttpServerStarter::new", "dropshot"),
    ("dropshot", "ServerBuilder::new", "dropshot"),
    ("viz", "serve", "viz"),
    ("xitca_web", "HttpServer::serve", "xitca-web"),
    ("rouille", "start_server", "rouille"),
    ("tiny_http", "Server::http", "tiny_http"),
    ("trillium_tokio", "run", "trillium"),
    ("trillium_tokio", "config", "trillium"),
    ("lambda_http", "run", "lambda_http"),
    ("jsonrpsee", "ServerBuilder::new", "jsonrpsee"),
    ("jsonrpsee", "Server::builder", "jsonrpsee"),
    ("pingora", "Server::new", "pingora"),
    ("pingora_core", "Server::new", "pingora"),
];

/// Attributes that make a function a program which serves: last two segments and crate.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("launch", "rocket"),
    ("rocket::launch", "rocket"),
    ("shuttle_runtime::main", "shuttle-runtime"),
    ("shuttle_service::main", "shuttle-service"),
    ("shuttle_axum::main", "axum"),
    ("shuttle_rocket::main", "rocket"),
];

/// Whether a dependency is a crate whose calls or attributes start servers.
pub(super) fn may_start(dependency: &PackageDependency) -> bool {
    let own = dependency.package.replace('-', "_");
    let is = |krate: &str| krate == own || krate == dependency.code_name;
    let calls = CALLS.iter().any(|(krate, ..)| is(krate));
    calls
        || ATTRIBUTES
            .iter()
            .any(|(path, krate)| is(&krate.replace('-', "_")) || path.split("::").next().is_some_and(is))
}

/// Words in a function's path that tell a server apart from the service's own.
const SIDE_SERVERS: &[&str] =
    &["metric", "prometheus", "admin", "management", "debug", "telemetry", "health", "temporary", "dummy", "pprof"];

/// Words in a function's path or name that tell a server for tests and trials.
const MOCKS: &[&str] = &[
    "mock",
    "fake",
    "stub",
    "test_server",
    "testing",
    "test_util",
    "testbench",
    "stress",
    "fuzz",
    "benchmark",
    "load_test",
];

/// Addresses that only the process itself can know: servers for its own use.
const OWN_USE: &[&str] = &["127.0.0.1:0\"", "localhost:0\"", "[127, 0, 0, 1], 0)", "Ipv4Addr::LOCALHOST, 0)"];

/// Starts in production code.
pub(super) fn all(repository: &Repository, workspace: &Workspace, names: &Names<'_>) -> Vec<Start> {
    let mut found = Vec::new();
    for info in names.functions().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let path = info.path.to_ascii_lowercase();
        let text = repository.tree.file(info.file).slice(info.item.span);
        if MOCKS.iter().any(|word| path.contains(word)) || OWN_USE.iter().any(|address| text.contains(address)) {
            continue;
        }
        let is_side_server = SIDE_SERVERS.iter().any(|word| path.contains(word));
        let is_local = text.contains("UnixListener") && !NETWORK.iter().any(|word| text.contains(word));
        let mut add = |framework, span: Span| {
            let place = Place { file: info.file, span };
            found.push(Start { function: info.id, framework, place, is_side_server, is_local });
        };
        for call in names.outside_calls(info.id) {
            if let Some(framework) = started(workspace, names, info.module, &call.path) {
                add(framework, call.span);
            }
        }
        for attribute in &info.item.attributes {
            let text = attribute.path.text();
            if let Some((_, framework)) = ATTRIBUTES.iter().find(|(known, _)| *known == text) {
                add(framework, attribute.span);
            }
        }
    }
    // Beside a server on the network, one on a local socket is a helper process of a desktop or command-line program.
    if found.iter().any(|start| !start.is_local && !start.is_side_server) {
        found.retain(|start| !start.is_local);
    }
    found
}

/// Words of a function that listens on the network.
const NETWORK: &[&str] = &["TcpListener", "TcpIncoming", "0.0.0.0"];

fn started(workspace: &Workspace, names: &Names<'_>, module: ModuleId, path: &str) -> Option<&'static str> {
    let (krate, rest) = path.split_once("::")?;
    let ends = |end: &str, rest: &str| rest == end || end.contains("::") && rest.ends_with(&format!("::{end}"));
    let known = CALLS.iter().find(|(known, end, _)| *known == krate && ends(end, rest));
    known.map(|(.., framework)| *framework).or_else(|| by_glob(workspace, names, module, path))
}

/// A type that came in through `use salvo::prelude::*`, or through a glob that the tree itself re-exports.
fn by_glob(workspace: &Workspace, names: &Names<'_>, module: ModuleId, path: &str) -> Option<&'static str> {
    let candidates = || CALLS.iter().filter(|(_, end, _)| *end == path && path.contains("::"));
    let imported = candidates().find(|(krate, ..)| names.glob_crates(module).any(|name| name == *krate));
    let used = |krate: &str| workspace.packages.iter().any(|package| package.dependency(krate).is_some());
    imported.or_else(|| candidates().find(|(krate, ..)| used(krate))).map(|(.., framework)| *framework)
}

/// `main`, or a function that an attribute makes the program.
pub(super) fn is_entry(info: &FunctionInfo<'_>) -> bool {
    let attribute = |known: &str| info.item.attributes.iter().any(|attribute| attribute.path.text() == known);
    info.item.name == "main" || ATTRIBUTES.iter().any(|(known, _)| attribute(known))
}

/// Frameworks that run on another's server: what the service is written in, where its crates depend on it.
const ON_TOP: &[(&str, &[&str])] = &[
    ("hyper", &["axum", "warp", "gotham"]),
    ("shuttle-runtime", &["axum", "actix-web", "rocket", "poem", "salvo", "warp", "tide"]),
    ("shuttle-service", &["axum", "actix-web", "rocket", "poem", "salvo", "warp", "tide"]),
];

/// The framework by the name that people use for it.
pub(super) fn framework(started: &'static str, packages: &[&Package]) -> &'static str {
    let above = ON_TOP.iter().find(|(below, _)| *below == started).map_or(&[][..], |(_, above)| above);
    let used = |name: &str| packages.iter().any(|package| requirement(name, package).is_some());
    above.iter().find(|name| used(name)).copied().unwrap_or(started)
}

fn requirement<'p>(name: &str, package: &'p Package) -> Option<&'p str> {
    let own = package.dependencies.iter().find(|dependency| dependency.package == name && !dependency.development);
    own.map(|dependency| dependency.version.as_str())
}

/// The version requirement of a framework in the first of the packages that names one.
pub(super) fn version(name: &str, packages: &[&Package]) -> Option<String> {
    let versions = packages.iter().filter_map(|package| requirement(name, package));
    versions.map(|version| version.trim_start_matches(['^', '=', '~', ' ']).to_string()).find(|version| version != "*")
}

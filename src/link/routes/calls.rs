//! Paths and calls: functions of the tree are entered, constructors of the frameworks make routers, and what is
//! unknown hands on the argument that matters.

use std::collections::BTreeMap;

use super::super::names::FunctionId;
use super::evaluate::{Evaluator, Frame};
use super::value::{Router, Text, Value};
use super::{actix, axum, layers, poem, rocket, salvo, start, text, tide, tonic, warp};
use crate::parse::rust::ast::{Expr, ExprKind, ItemKind, Parameter, Path};
use crate::scan::source::Place;

/// A call to something outside the tree.
#[derive(Clone, Copy, Debug)]
pub struct External<'e, 'a> {
    /// Framework family of the crate.
    pub family: &'static str,
    /// Crate as written.
    pub krate: &'e str,
    /// Segment before the last.
    pub owner: &'e str,
    /// Last segment.
    pub last: &'e str,
    /// Arguments as written.
    pub written: &'a [Expr],
    /// The call.
    pub place: Place,
}

/// A constructor table: gives a value where the family knows the call.
type Construct =
    for<'e, 'a> fn(&mut Evaluator<'a>, &mut Frame<'a>, External<'e, 'a>, &[Value<'a>]) -> Option<Value<'a>>;

/// Crates whose routers are understood, with their family.
const CRATES: &[(&str, &str)] = &[
    ("axum", "axum"),
    ("aide", "axum"),
    ("utoipa_axum", "axum"),
    ("axum_extra", "axum"),
    ("axum_server", "axum"),
    ("loco_rs", "axum"),
    ("hyper", "axum"),
    ("lambda_http", "axum"),
    ("axum_prometheus", "axum"),
    ("utoipa_swagger_ui", "axum"),
    ("utoipa_redoc", "axum"),
    ("utoipa_rapidoc", "axum"),
    ("utoipa_scalar", "axum"),
    ("actix_web", "actix-web"),
    ("actix_files", "actix-web"),
    ("utoipa_actix_web", "actix-web"),
    ("paperclip", "actix-web"),
    ("apistos", "actix-web"),
    ("ntex", "ntex"),
    ("ntex_files", "ntex"),
    ("rocket", "rocket"),
    ("rocket_okapi", "rocket"),
    ("poem", "poem"),
    ("poem_openapi", "poem"),
    ("poem_lambda", "poem"),
    ("salvo", "salvo"),
    ("salvo_core", "salvo"),
    ("warp", "warp"),
    ("tide", "tide"),
    ("tonic", "tonic"),
    ("tonic_web", "tonic"),
    ("tonic_health", "tonic"),
];

const CONSTRUCTS: &[(&str, Construct)] = &[
    ("axum", axum::construct),
    ("actix-web", actix::construct),
    ("ntex", actix::construct),
    ("rocket", rocket::construct),
    ("poem", poem::construct),
    ("salvo", salvo::construct),
    ("warp", warp::construct),
    ("tide", tide::construct),
    ("tonic", tonic::construct),
];

/// The framework family of a path, by its crate; where the path is unresolved (an import by glob), by the frameworks
/// that the package depends on.
pub fn family(evaluator: &Evaluator<'_>, frame: &Frame<'_>, resolved: &str) -> Option<&'static str> {
    let first = resolved.split("::").next().unwrap_or("");
    if let Some(family) = of_crate(first) {
        return Some(family);
    }
    let unresolved = !resolved.contains("::") || first.starts_with(char::is_uppercase) || first == "web";
    let by_glob = || evaluator.names.glob_crates(frame.module).find_map(of_crate);
    unresolved.then(|| by_glob().or_else(|| package_family(evaluator, frame))).flatten()
}

fn of_crate(name: &str) -> Option<&'static str> {
    // Forks of the generator of API documents carry their project's name in front.
    let name = if name.ends_with("_rocket_okapi") { "rocket_okapi" } else { name };
    CRATES.iter().find(|(krate, _)| *krate == name).map(|(_, family)| *family)
}

/// Crates of the table that are no frameworks themselves: depending on one says little.
const BESIDE: &[&str] = &[
    "hyper",
    "axum_extra",
    "axum_server",
    "axum_prometheus",
    "utoipa_swagger_ui",
    "utoipa_redoc",
    "utoipa_rapidoc",
    "utoipa_scalar",
];

/// The framework that the package of a frame's file depends on.
pub fn package_family(evaluator: &Evaluator<'_>, frame: &Frame<'_>) -> Option<&'static str> {
    let file = evaluator.context.repository.tree.file(frame.file);
    let package = evaluator.context.workspace.package_of(&file.path)?;
    let depends = |krate: &str| package.dependencies.iter().any(|dependency| dependency.code_name == krate);
    CRATES
        .iter()
        .filter(|(krate, _)| !BESIDE.contains(krate))
        .find(|(krate, _)| depends(krate))
        .map(|(_, family)| *family)
}

/// The value of a parameter that nothing is known of, by its type.
pub fn parameter<'a>(frame: &Frame<'a>, parameter: &Parameter) -> Value<'a> {
    let Some(ty) = &parameter.ty else { return Value::Unknown };
    let place = frame.place(parameter.pattern.span);
    let router = |framework| Router::new(framework, place);
    match ty.path.last().map(String::as_str) {
        Some("ServiceConfig") => {
            Value::Shared(std::rc::Rc::new(std::cell::RefCell::new(router("actix-web"))), String::new())
        }
        Some("Router" | "ApiRouter" | "OpenApiRouter") => Value::Router(Box::new(router("axum"))),
        Some("RoutesBuilder") => tonic::builder(place),
        Some("Rocket") => Value::Router(Box::new(router("rocket"))),
        Some("AppRoutes") => Value::Router(Box::new(router("loco"))),
        _ => Value::Unknown,
    }
}

/// The value of a path.
pub fn path<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, path: &'a Path) -> Value<'a> {
    if let [name] = path.segments.as_slice()
        && let Some(value) = frame.get(name)
    {
        return value.clone();
    }
    let resolved = evaluator.resolve(frame, &path.segments);
    if let Some(id) = function_at(evaluator, frame, &resolved) {
        return Value::Function(id);
    }
    if let Some(value) = evaluator.constant(&resolved) {
        return value;
    }
    match evaluator.names.item_at(&resolved).map(|item| &item.item.kind) {
        Some(ItemKind::Struct(_) | ItemKind::Enum(_)) => Value::Struct(resolved, BTreeMap::new()),
        _ => Value::Name(resolved),
    }
}

/// The value of a struct literal: of settings structs of the frameworks, and of the tree's own structs.
pub fn literal_struct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    expr: &'a Expr,
    path: String,
    fields: BTreeMap<String, Value<'a>>,
) -> Value<'a> {
    layers::from_struct(evaluator, frame, expr, &path, &fields).unwrap_or(Value::Struct(path, fields))
}

/// The value of a call.
pub fn call<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    expr: &'a Expr,
    function: &'a Expr,
    written: &'a [Expr],
) -> Value<'a> {
    let ExprKind::Path(path) = &*function.kind else {
        let callee = evaluator.eval(frame, function);
        let arguments = evaluator.eval_all(frame, written);
        return evaluator.call_value(&callee, arguments);
    };
    if let [name] = path.segments.as_slice()
        && let Some(callee) = frame.get(name).cloned()
    {
        let arguments = evaluator.eval_all(frame, written);
        return evaluator.call_value(&callee, arguments);
    }
    let resolved = evaluator.resolve(frame, &path.segments);
    let arguments = evaluator.eval_all(frame, written);
    // Its code is generated: where it stands in the tree, it is not entered.
    if let Some(service) = tonic::generated_service(&resolved, &arguments) {
        return service;
    }
    let target = target(evaluator, frame, expr, &resolved);
    if let Some((id, ty)) = for_all(evaluator, &resolved, target) {
        return evaluator.call_on(id, ty, None, arguments);
    }
    if let Some(id) = target {
        return enter(evaluator, id, arguments);
    }
    external(evaluator, frame, expr, &resolved, written, arguments)
}

/// The function at a path; where a module of that name hides it (`mod health; pub use health::*;`), the one inside.
fn function_at(evaluator: &Evaluator<'_>, frame: &Frame<'_>, path: &str) -> Option<FunctionId> {
    let names = evaluator.names;
    names
        .function_at(path)
        .or_else(|| {
            let last = path.rsplit("::").next().filter(|last| *last != path)?;
            let inside = format!("{path}::{last}");
            names.function_at(&inside).or_else(|| {
                let mut segments: Vec<String> = inside.split("::").map(str::to_string).collect();
                segments[0] = "crate".to_string();
                names.function_at(&names.resolve(frame.module, &segments))
            })
        })
        // `use webhook::webhook;` beside `mod webhook;`: the import's path starts at the module itself.
        .or_else(|| names.function_at(&format!("{}::{path}", names.module_path(frame.module))))
}

/// The function of the tree that a call means: by its path, or as the names' call graph has it.
fn target<'a>(evaluator: &Evaluator<'a>, frame: &Frame<'a>, expr: &Expr, resolved: &str) -> Option<FunctionId> {
    function_at(evaluator, frame, resolved).or_else(|| {
        let calls = evaluator.names.calls(frame.function?);
        calls.iter().find(|call| call.span == expr.span && call.certain).map(|call| call.target)
    })
}

/// `Page::route()` where `impl<T: Simple> Route for T` or the trait itself has the function: that function, and the type
/// that is `Self` in it. `known` is what the call is already known to mean.
fn for_all(evaluator: &Evaluator<'_>, resolved: &str, known: Option<FunctionId>) -> Option<(FunctionId, String)> {
    let names = evaluator.names;
    let (ty, function) = resolved.rsplit_once("::")?;
    let of_all = |id: FunctionId| {
        let info = evaluator.info(id);
        let on_itself = info.self_type.as_deref().is_some_and(|own| names.item_at(own).is_some());
        info.of_trait.is_some() && !on_itself && !info.function.has_self && info.function.body.is_some()
    };
    names.item_at(ty).filter(|item| matches!(item.item.kind, ItemKind::Struct(_) | ItemKind::Enum(_)))?;
    let found = match known {
        Some(id) => of_all(id).then_some(id),
        None => {
            let mut candidates = names.methods_named(function).iter().copied().filter(|id| of_all(*id));
            // Two such functions of one name: which one is meant is not told by the name.
            candidates.next().filter(|_| candidates.next().is_none())
        }
    };
    found.map(|id| (id, ty.to_string()))
}

fn enter<'a>(evaluator: &mut Evaluator<'a>, id: FunctionId, mut arguments: Vec<Value<'a>>) -> Value<'a> {
    let info = evaluator.info(id);
    let receiver = (info.function.has_self && !arguments.is_empty()).then(|| arguments.remove(0));
    let closures: Vec<Value<'a>> =
        arguments.iter().filter(|argument| matches!(argument, Value::Closure(_))).cloned().collect();
    let value = evaluator.call(id, receiver, arguments);
    if value.is_unknown() {
        return run_closures(evaluator, &closures);
    }
    value
}

/// Runs closures that are handed to something unknown; gives the first value that matters.
pub fn run_closures<'a>(evaluator: &mut Evaluator<'a>, values: &[Value<'a>]) -> Value<'a> {
    let mut found = Value::Unknown;
    for value in values.iter().filter(|value| matches!(value, Value::Closure(_))) {
        let result = evaluator.call_value(value, Vec::new());
        if found.is_unknown() && (result.matters() || result.text().is_some()) {
            found = result;
        }
    }
    found
}

fn external<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    expr: &'a Expr,
    resolved: &str,
    written: &'a [Expr],
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    let mut segments = resolved.rsplit("::");
    let last = segments.next().unwrap_or("");
    let owner = segments.next().unwrap_or("");
    let krate = resolved.split("::").next().unwrap_or("");
    if let Some(family) = family(evaluator, frame, resolved) {
        let call = External { family, krate, owner, last, written, place: frame.place(expr.span) };
        let constructs = CONSTRUCTS.iter().filter(|(name, _)| *name == family);
        for (_, construct) in constructs {
            if let Some(value) = construct(evaluator, frame, call, &arguments) {
                return value;
            }
        }
    }
    if let Some(value) = layers::from_call(evaluator, frame, expr, resolved, &arguments) {
        return value;
    }
    if let Some(value) = plain(owner, last, &arguments) {
        return value;
    }
    if let Some(value) = own_struct(evaluator, resolved) {
        return value;
    }
    hand_on(evaluator, arguments)
}

/// An associated function of a type of the tree that is derived or comes from a trait: a value of that type.
fn own_struct<'a>(evaluator: &Evaluator<'a>, resolved: &str) -> Option<Value<'a>> {
    let (ty, _) = resolved.rsplit_once("::")?;
    evaluator.names.item_at(resolved).or_else(|| evaluator.names.item_at(ty)).and_then(|item| {
        matches!(item.item.kind, ItemKind::Struct(_) | ItemKind::Enum(_))
            .then(|| Value::Struct(item.path.clone(), BTreeMap::new()))
    })
}

/// What is unknown hands on the argument that matters, and runs the closures it gets.
pub fn hand_on<'a>(evaluator: &mut Evaluator<'a>, arguments: Vec<Value<'a>>) -> Value<'a> {
    let result = run_closures(evaluator, &arguments);
    let matters = |value: &Value<'a>| value.matters() && !matches!(value, Value::Closure(_));
    arguments.into_iter().find(matters).unwrap_or(result)
}

/// Functions of the standard library that hand on or make values that paths, sizes and addresses consist of.
fn plain<'a>(owner: &str, last: &str, arguments: &[Value<'a>]) -> Option<Value<'a>> {
    let first = arguments.first().cloned();
    match (owner, last) {
        (_, "Some" | "Ok") | ("Box" | "Arc" | "Rc" | "Cow", _) => first,
        ("String" | "PathBuf" | "Ipv4Addr" | "Uri" | "Origin", _) if arguments.len() == 1 => first,
        ("SocketAddr", "from" | "new") | ("TcpListener" | "TcpIncoming", _) => {
            start::address(arguments).map(Value::Text).or(Some(Value::Unknown))
        }
        ("Vec", "new" | "with_capacity") => Some(Value::List(Vec::new())),
        ("Vec", "from") => first,
        ("Duration", _) => {
            let text = first.as_ref().and_then(Value::text)?.clone();
            let by = match last {
                "from_millis" => 0.001,
                "from_micros" => 0.000_001,
                "from_mins" => 60.0,
                "from_hours" => 3600.0,
                _ => 1.0,
            };
            Some(Value::Text(text::scaled(text, by)))
        }
        ("env" | "dotenvy" | "dotenv", "var" | "var_os") => {
            Some(Value::Text(Text { configured: true, ..Text::default() }))
        }
        _ => None,
    }
}

//! tonic: services become `POST /package.Service/Method`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::names::FunctionInfo;
use super::calls::External;
use super::chains::Method;
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Entry, LayerId, Router, Text, Value, add_layers};
use super::{axum, layers};
use crate::parse::Syntax;
use crate::parse::rust::ast::{Expr, Item, ItemKind, Literal, TokenKind};
use crate::scan::source::{Place, Role};

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    match (call.owner, call.last) {
        ("RoutesBuilder", "new" | "default") | ("Routes", "builder") => {
            evaluator.constructed.insert(call.place, "tonic");
            Some(builder(call.place))
        }
        ("Routes", "new") => {
            evaluator.constructed.insert(call.place, "tonic");
            let mut router = Router::new("tonic", call.place);
            let value = arguments.first()?;
            service(evaluator, frame, &mut router, call.place, value, call.written.first());
            Some(Value::Router(Box::new(router)))
        }
        ("Server", "builder") | ("Routes", "default") => {
            evaluator.constructed.insert(call.place, "tonic");
            Some(Value::Router(Box::new(Router::new("tonic", call.place))))
        }
        (_, "health_reporter") => {
            let mut health = Router::new("tonic", call.place);
            for method in ["Check", "Watch"] {
                let path = format!("/grpc.health.v1.Health/{method}");
                health.entries.push(axum::library_entry(frame, call.place, "POST", &path, "tonic_health"));
            }
            Some(Value::Tuple(vec![Value::Unknown, Value::Router(Box::new(health))]))
        }
        _ => None,
    }
}

/// A builder that functions are given to add services to.
pub fn builder<'a>(place: Place) -> Value<'a> {
    Value::Shared(Rc::new(RefCell::new(Router::new("tonic", place))), String::new())
}

/// Methods of the server's builder.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut router: Router<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    match call.name {
        "add_service" | "add_routes" | "add_optional_service" | "routes" => {
            for (argument, written) in arguments.into_iter().zip(call.written) {
                match argument {
                    Value::Router(inner) => router.absorb(&Text::literal(""), *inner),
                    Value::Shared(inner, _) => {
                        let inner = inner.borrow().clone();
                        router.absorb(&Text::literal(""), inner);
                    }
                    other => service(evaluator, frame, &mut router, call.place, &other, Some(written)),
                }
            }
        }
        "layer" => {
            let ids = layers::apply(evaluator, frame, arguments.first(), call.written.first());
            add_layers(&mut router.own_layers, &ids);
        }
        "timeout" => {
            let ids = match layers::method(evaluator, frame, Vec::new(), call, arguments) {
                Value::Layers(ids) => ids,
                _ => Vec::new(),
            };
            add_layers(&mut router.own_layers, &ids);
        }
        _ => {}
    }
    Value::Router(Box::new(router))
}

/// Field of a service's value that holds its implementation.
const IMPLEMENTATION: &str = "implementation";
/// Field of a service's value that holds the function which its requests pass first.
const INTERCEPTOR: &str = "interceptor";

/// Field of a service's value that holds the layers around it.
const LAYERS: &str = "layers";

fn fields_of<'v, 'a>(value: &'v Value<'a>) -> Option<&'v BTreeMap<String, Value<'a>>> {
    match value {
        Value::Struct(_, fields) if fields.contains_key(IMPLEMENTATION) => Some(fields),
        _ => None,
    }
}

/// A service under layers: `ServiceBuilder::new().layer(a).named_layer(service)`.
pub fn covered<'a>(value: Option<&Value<'a>>, ids: &[LayerId]) -> Option<Value<'a>> {
    let Some(Value::Struct(ty, fields)) = value.filter(|value| fields_of(value).is_some()) else { return None };
    let mut fields = fields.clone();
    let mut all = layers::known(fields.get(LAYERS));
    add_layers(&mut all, ids);
    fields.insert(LAYERS.to_string(), Value::Layers(all));
    Some(Value::Struct(ty.clone(), fields))
}

/// `pb::echo_server::EchoServer::new(implementation)`, whose code prost generates: not of the tree, most often.
pub fn generated_service<'a>(resolved: &str, arguments: &[Value<'a>]) -> Option<Value<'a>> {
    let (ty, function) = resolved.rsplit_once("::")?;
    let name = ty.rsplit("::").next()?.strip_suffix("Server")?;
    let made = !name.is_empty() && matches!(function, "new" | "from_arc" | "with_interceptor");
    let module = ty.rsplit("::").nth(1);
    if !made || module.is_none_or(|module| module != format!("{}_server", snake(name))) {
        return None;
    }
    let mut fields = BTreeMap::from([(IMPLEMENTATION.to_string(), arguments.first()?.clone())]);
    if let Some(interceptor) = arguments.get(1) {
        fields.insert(INTERCEPTOR.to_string(), interceptor.clone());
    }
    Some(Value::Struct(ty.to_string(), fields))
}

/// A service `XServer::new(implementation)`: the methods of the `impl X for ..` of the tree.
fn service<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: &mut Router<'a>,
    place: Place,
    value: &Value<'a>,
    written: Option<&'a Expr>,
) {
    let source = written.map_or("", |written| evaluator.source(frame.file, written.span));
    let mut words = source.split(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, implementation, interceptor) = match value {
        Value::Struct(ty, fields) if fields.contains_key(IMPLEMENTATION) => {
            let name = ty.rsplit("::").next().and_then(|last| last.strip_suffix("Server"));
            (name, fields.get(IMPLEMENTATION), fields.get(INTERCEPTOR))
        }
        other => {
            let name = words.find_map(|word| word.strip_suffix("Server").filter(|name| !name.is_empty()));
            (name, Some(other), None)
        }
    };
    let Some(name) = name else { return };
    let own = match implementation {
        Some(Value::Struct(ty, _)) => Some(ty.as_str()),
        _ => None,
    };
    let mut covered = layers::known(fields_of(value).and_then(|fields| fields.get(LAYERS)));
    let passed = interceptor.map(|value| layers::by_function(evaluator, frame, Some(value), written));
    add_layers(&mut covered, &passed.unwrap_or_default());
    for id in implementations(evaluator, frame, name, own) {
        let info = evaluator.info(id);
        let package = package(evaluator, name, info.of_trait.as_deref().unwrap_or_default());
        router.entries.push(Entry {
            method: "POST".to_string(),
            path: format!("/{package}{name}/{}", camel(&info.item.name)),
            answer: Answer::Function(id),
            place,
            layers: covered.clone(),
            development_only: frame.development,
            documented: true,
            partial: package.is_empty(),
        });
    }
}

/// The methods that implement a service: those of a type where it is known, else those of the program itself, else of
/// any crate.
fn implementations<'a>(
    evaluator: &Evaluator<'a>,
    frame: &Frame<'a>,
    name: &str,
    own: Option<&str>,
) -> Vec<super::super::names::FunctionId> {
    let module = format!("{}_server", snake(name));
    let implements = |info: &&FunctionInfo<'a>| {
        let Some(of_trait) = &info.of_trait else { return false };
        let mut segments = of_trait.rsplit("::");
        let (last, before) = (segments.next(), segments.next());
        last == Some(name) && before.is_none_or(|before| before == module) && info.function.has_self
    };
    let all: Vec<&FunctionInfo<'a>> = evaluator.names.functions().iter().filter(implements).collect();
    let typed = |info: &&&FunctionInfo<'a>| own.is_some() && info.self_type.as_deref() == own;
    let krate = evaluator.names.module_path(frame.module).split("::").next().unwrap_or("");
    let beside = |info: &&&FunctionInfo<'a>| info.path.split("::").next() == Some(krate) && info.role == Role::Service;
    let ids = |found: Vec<&&FunctionInfo<'a>>| found.into_iter().map(|info| info.id).collect::<Vec<_>>();
    let exact = ids(all.iter().filter(typed).collect());
    if !exact.is_empty() {
        return exact;
    }
    let near = ids(all.iter().filter(beside).collect());
    if !near.is_empty() {
        return near;
    }
    ids(all.iter().filter(|info| info.role == Role::Service).collect())
}

/// The protobuf package with a dot: of the generated code where it stands in the tree, else from
/// `tonic::include_proto!("package")` in the module that the trait's path goes through, or the only one.
fn package(evaluator: &mut Evaluator<'_>, name: &str, of_trait: &str) -> String {
    let module = of_trait.rsplit_once("::").map_or("", |(module, _)| module);
    if let Some(Value::Text(text)) = evaluator.constant(&format!("{module}::SERVICE_NAME"))
        && let Some((package, _)) = text.text.rsplit_once('.')
    {
        return format!("{package}.");
    }
    let mut packages = included(evaluator);
    let within = |path: &str| of_trait.strip_prefix(path).is_some_and(|rest| rest.starts_with("::"));
    let holding = packages.iter().filter(|(path, _)| within(path)).max_by_key(|(path, _)| path.len());
    if let Some((_, package)) = holding {
        // Services that are defined in code have a file each: `package.Service.rs`.
        let package = package.strip_suffix(&format!(".{name}")).unwrap_or(package);
        return format!("{package}.");
    }
    // A file that is a module and is included elsewhere too has another path there, with the same end.
    let module = module.rsplit_once("::").map_or("", |(module, _)| module);
    let shared = |path: &str| path.rsplit("::").zip(module.rsplit("::")).take_while(|(a, b)| a == b).count();
    let longest = packages.iter().map(|(path, _)| shared(path)).max().unwrap_or(0);
    packages.retain(|(path, _)| shared(path) == longest);
    packages.sort_by(|a, b| a.1.cmp(&b.1));
    packages.dedup_by(|a, b| a.1 == b.1);
    match packages.as_slice() {
        [(_, package)] => format!("{package}."),
        _ => String::new(),
    }
}

/// Modules that include generated code, by path, with the protobuf packages.
fn included(evaluator: &Evaluator<'_>) -> Vec<(String, String)> {
    let mut packages = Vec::new();
    for (file, parsed) in evaluator.context.repository.files() {
        let (Syntax::Rust(rust), Some(module)) = (&parsed.syntax, evaluator.names.module_of_file(file.id)) else {
            continue;
        };
        inclusions(&rust.items, evaluator.names.module_path(module), &mut packages);
    }
    packages
}

fn inclusions(items: &[Item], path: &str, packages: &mut Vec<(String, String)>) {
    for item in items {
        match &item.kind {
            ItemKind::Module(Some(inner)) => inclusions(inner, &format!("{path}::{}", item.name), packages),
            ItemKind::Macro(call) if call.path.last() == "include_proto" => {
                if let Some(TokenKind::Literal(Literal::Text(text))) = call.tokens.first().map(|token| &token.kind) {
                    let package = text.trim_start_matches('/').replace("r#", "");
                    packages.push((path.to_string(), package));
                }
            }
            ItemKind::Macro(call) if call.path.is("include") => {
                let texts: Vec<&str> = call
                    .tokens
                    .iter()
                    .filter_map(|token| match &token.kind {
                        TokenKind::Literal(Literal::Text(text)) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect();
                if let ["OUT_DIR", file] = texts.as_slice()
                    && let Some(package) = file.rsplit('/').next().and_then(|name| name.strip_suffix(".rs"))
                {
                    packages.push((path.to_string(), package.to_string()));
                }
            }
            _ => {}
        }
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn camel(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
        })
        .collect()
}

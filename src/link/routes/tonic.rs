//! tonic: services become `POST /package.Service/Method`.

use super::calls::External;
use super::chains::Method;
use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Entry, Router, Text, Value, add_layers};
use super::{axum, layers};
use crate::parse::Syntax;
use crate::parse::rust::ast::{ItemKind, Literal, TokenKind};
use crate::parse::rust::walk;

/// Constructors.
pub fn construct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    call: External<'_, 'a>,
    _arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    match (call.owner, call.last) {
        ("Server", "builder") | ("Routes" | "RoutesBuilder", "new" | "default" | "builder") => {
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
                    other => {
                        service(evaluator, frame, &mut router, call, &other, evaluator.source(frame.file, written.span))
                    }
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

/// A service `XServer::new(implementation)`: the methods of the `impl X for ..` of the tree.
fn service<'a>(
    evaluator: &Evaluator<'a>,
    frame: &Frame<'a>,
    router: &mut Router<'a>,
    call: Method<'a>,
    value: &Value<'a>,
    written: &str,
) {
    let words = written.split(|c: char| !c.is_alphanumeric() && c != '_');
    let Some(name) = words.filter_map(|word| word.strip_suffix("Server")).find(|name| !name.is_empty()) else { return };
    let own = match value {
        Value::Struct(ty, _) => Some(ty.as_str()),
        _ => None,
    };
    let module = format!("{}_server", snake(name));
    for info in evaluator.names.functions() {
        let Some(of_trait) = &info.of_trait else { continue };
        let mut segments = of_trait.rsplit("::");
        let (last, before) = (segments.next(), segments.next());
        let ours = last == Some(name)
            && before.is_none_or(|before| before == module)
            && info.function.has_self
            && own.is_none_or(|own| info.self_type.as_deref() == Some(own));
        if !ours {
            continue;
        }
        let package = package(evaluator, of_trait);
        router.entries.push(Entry {
            method: "POST".to_string(),
            path: format!("/{package}{name}/{}", camel(&info.item.name)),
            answer: Answer::Function(info.id),
            place: call.place,
            layers: Vec::new(),
            development_only: frame.development,
            documented: true,
            partial: package.is_empty(),
        });
    }
}

/// The protobuf package with a dot, from `tonic::include_proto!("package")`: of the module that the trait's path goes
/// through, or the only one.
fn package(evaluator: &Evaluator<'_>, of_trait: &str) -> String {
    let mut packages: Vec<(String, String)> = Vec::new();
    for (_, parsed) in evaluator.context.repository.files() {
        let Syntax::Rust(rust) = &parsed.syntax else { continue };
        let mut module = String::new();
        walk::items(&rust.items, &mut |item, _| match &item.kind {
            ItemKind::Module(Some(_)) => module.clone_from(&item.name),
            ItemKind::Macro(call) if call.path.last() == "include_proto" => {
                if let Some(TokenKind::Literal(Literal::Text(text))) = call.tokens.first().map(|token| &token.kind) {
                    packages.push((module.clone(), text.clone()));
                }
            }
            _ => {}
        });
    }
    packages.sort();
    packages.dedup_by(|a, b| a.1 == b.1);
    let through =
        packages.iter().find(|(module, _)| !module.is_empty() && of_trait.split("::").any(|part| part == module));
    match (through, packages.as_slice()) {
        (Some((_, package)), _) | (None, [(_, package)]) => format!("{package}."),
        _ => String::new(),
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

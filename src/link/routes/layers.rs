//! Layers: known ones by name, hand-written ones by what their code does.

use std::collections::BTreeMap;

use super::super::names::FunctionId;
use super::behaviour::{self, Body};
use super::chains::Method;
use super::cors::{self, Policy};
use super::evaluate::{Evaluator, Frame};
use super::known;
use super::text;
use super::tonic;
use super::value::{LayerId, Value, add_layers};
use crate::parse::rust::ast::{Expr, ExprKind, Path, Statement};
use crate::scan::source::Place;

/// A layer as it stands in the code.
#[derive(Clone, Debug, Default)]
pub struct LayerUse {
    /// Kinds of middleware that it is.
    pub kinds: Vec<String>,
    /// Crate, or `own`.
    pub library: String,
    /// Where it is made.
    pub place: Option<Place>,
    /// Its name in code.
    pub name: String,
    /// Seconds of a timeout, bytes of a limit.
    pub value: Option<f64>,
    /// It has a value that reading cannot resolve.
    pub value_unknown: bool,
    /// Applied only under a condition.
    pub conditional: bool,
    /// A protection that is switched off.
    pub disabled: bool,
    /// Only in development.
    pub development: bool,
    /// CORS policy.
    pub cors: Option<Policy>,
    /// Response headers that it sets: name, value, place.
    pub headers: Vec<(String, Option<String>, Place)>,
    /// It was made by hand.
    pub own: bool,
    /// Never reported: a stack, a wrapper.
    pub silent: bool,
}

impl LayerUse {
    /// Whether it is of a kind.
    pub fn is(&self, kind: &str) -> bool {
        self.kinds.iter().any(|own| own == kind)
    }
}

/// The layers that a value holds.
pub fn known(value: Option<&Value<'_>>) -> Vec<LayerId> {
    match value {
        Some(Value::Layers(ids)) => ids.clone(),
        Some(Value::Tuple(values) | Value::List(values)) => {
            let mut all = Vec::new();
            for value in values {
                add_layers(&mut all, &known(Some(value)));
            }
            all
        }
        _ => Vec::new(),
    }
}

fn add<'a>(evaluator: &mut Evaluator<'a>, frame: &Frame<'a>, mut layer: LayerUse) -> LayerId {
    if let Some(at) = evaluator.layers.iter().position(|known| known.place == layer.place && known.kinds == layer.kinds)
    {
        return LayerId(at);
    }
    layer.conditional |= frame.conditions > 0;
    layer.development |= frame.development;
    evaluator.layers.push(layer);
    LayerId(evaluator.layers.len() - 1)
}

/// The layers of an argument of `layer(..)`, `wrap(..)`, `attach(..)`, `with(..)`, `hoop(..)`.
pub fn apply<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    value: Option<&Value<'a>>,
    written: Option<&'a Expr>,
) -> Vec<LayerId> {
    let Some(written) = written else { return known(value) };
    let place = frame.place(written.span);
    match value {
        Some(Value::Layers(ids)) => ids.clone(),
        Some(Value::Tuple(values)) => {
            let parts: Vec<&'a Expr> = match &*written.kind {
                ExprKind::Tuple(parts) if parts.len() == values.len() => parts.iter().collect(),
                _ => values.iter().map(|_| written).collect(),
            };
            let mut all = Vec::new();
            for (value, part) in values.iter().zip(parts) {
                let ids = apply(evaluator, frame, Some(value), Some(part));
                add_layers(&mut all, &ids);
            }
            all
        }
        Some(Value::Function(_) | Value::Closure(_)) => by_function(evaluator, frame, value, Some(written)),
        Some(Value::Struct(ty, _)) => vec![own_type(evaluator, frame, ty, place)],
        Some(Value::Name(path)) => vec![by_name(evaluator, frame, path, place)],
        _ => {
            let path = root(written).map(|path| evaluator.resolve(frame, &path.segments)).unwrap_or_default();
            let path = evaluator.names.function_at(&path).and_then(|id| given(evaluator, id)).unwrap_or(path);
            vec![by_name(evaluator, frame, &path, place)]
        }
    }
}

/// The name of what a function of the tree gives: the type that it says, else what its last expression starts with.
fn given(evaluator: &Evaluator<'_>, id: FunctionId) -> Option<String> {
    let info = evaluator.info(id);
    let said = info.function.returns.as_ref().map(|ty| &ty.path).filter(|path| !path.is_empty());
    let path = said.or_else(|| match info.function.body.as_ref()?.statements.last()? {
        Statement::Expr { value, ended: false, .. } => root(value).map(|path| &path.segments),
        _ => None,
    })?;
    Some(evaluator.names.resolve_in(id, path))
}

/// The path that a chain of calls starts with.
fn root(expr: &Expr) -> Option<&Path> {
    let mut expr = expr;
    loop {
        expr = match &*expr.kind {
            ExprKind::Path(path) | ExprKind::Struct { path, .. } => return Some(path),
            ExprKind::Call { function, .. } => function,
            ExprKind::MethodCall { receiver, .. } => receiver,
            ExprKind::Field { base, .. } => base,
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Reference(inner) => inner,
            ExprKind::Unary { operand, .. } => operand,
            _ => return None,
        };
    }
}

/// A layer of which only a path is known: of a type of the tree, or by its name alone.
fn by_name<'a>(evaluator: &mut Evaluator<'a>, frame: &Frame<'a>, path: &str, place: Place) -> LayerId {
    let own = path.rsplit_once("::").map_or(path, |(ty, _)| ty);
    for candidate in [path, own] {
        if evaluator.names.item_at(candidate).is_some() {
            return own_type(evaluator, frame, candidate, place);
        }
    }
    let kinds = behaviour::kinds_of_name(path);
    let own = !path.contains("::") || path.starts_with(char::is_uppercase);
    let library = if own { "own" } else { path.split("::").next().unwrap_or("own") };
    let layer = LayerUse {
        kinds,
        library: library.to_string(),
        place: Some(place),
        name: path.to_string(),
        own,
        ..LayerUse::default()
    };
    add(evaluator, frame, layer)
}

/// A layer of a type of the tree: what its methods, and those of the service that it makes, do.
fn own_type<'a>(evaluator: &mut Evaluator<'a>, frame: &Frame<'a>, ty: &str, place: Place) -> LayerId {
    let functions = behaviour::of_type(evaluator, ty);
    own(evaluator, frame, functions, None, ty, place)
}

fn own<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &Frame<'a>,
    functions: Vec<FunctionId>,
    closure: Option<(&'a Expr, &Frame<'a>)>,
    name: &str,
    place: Place,
) -> LayerId {
    let mut bodies: Vec<Body<'a>> = functions.iter().filter_map(|id| Body::of(evaluator, *id)).collect();
    bodies.extend(closure.map(|(expr, frame)| Body::closure(expr, frame)));
    let behaviour = behaviour::of(evaluator, &bodies);
    let mut kinds = behaviour.kinds();
    if kinds.is_empty() || kinds == ["logging"] {
        kinds.extend(behaviour::kinds_of_name(name).into_iter().filter(|kind| kind != "other"));
    }
    if kinds.is_empty() {
        kinds.push("other".to_string());
    }
    kinds.dedup();
    let layer = LayerUse {
        kinds,
        library: "own".to_string(),
        place: Some(place),
        name: name.to_string(),
        cors: behaviour.cors,
        headers: behaviour.headers,
        own: true,
        ..LayerUse::default()
    };
    add(evaluator, frame, layer)
}

/// A layer that is a function or closure: `wrap_fn(f)`, `from_fn(f)`, `hoop(f)`.
pub fn by_function<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    value: Option<&Value<'a>>,
    written: Option<&'a Expr>,
) -> Vec<LayerId> {
    let Some(written) = written else { return Vec::new() };
    let place = frame.place(written.span);
    match value {
        Some(Value::Function(id)) => {
            let info = evaluator.info(*id);
            vec![own(evaluator, frame, vec![*id], None, &info.path, place)]
        }
        Some(Value::Closure(closure)) => {
            let mut inside = Frame::new(closure.module, closure.file);
            inside.function = frame.function;
            let place = inside.place(closure.body.span);
            vec![own(evaluator, frame, Vec::new(), Some((closure.body, &inside)), "", place)]
        }
        Some(Value::Layers(ids)) => ids.clone(),
        Some(Value::Name(path)) => vec![by_name(evaluator, frame, path, place)],
        Some(Value::Struct(ty, _)) => vec![own_type(evaluator, frame, ty, place)],
        _ => Vec::new(),
    }
}

/// The layer that a call of a library's constructor makes.
pub fn from_call<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    expr: &'a Expr,
    resolved: &str,
    arguments: &[Value<'a>],
) -> Option<Value<'a>> {
    let found = known::layer(resolved)?;
    let ExprKind::Call { function, arguments: written } = &*expr.kind else { return None };
    match found.kind.as_str() {
        "function" => {
            let ids = of_functions(evaluator, frame, function, arguments, written);
            return Some(Value::Layers(ids));
        }
        "stack" => return Some(Value::Layers(Vec::new())),
        "wrapper" => return Some(Value::Layers(wrapped(evaluator, frame, arguments, written))),
        "optional" | "condition" => {
            let mut ids = wrapped(evaluator, frame, arguments, written);
            if ids.is_empty() {
                ids = known(Some(&super::calls::run_closures(evaluator, arguments)));
            }
            for id in &ids {
                evaluator.layers[id.0].conditional = true;
            }
            return Some(Value::Layers(ids));
        }
        _ => {}
    }
    let router = arguments.iter().find(|argument| matches!(argument, Value::Router(_))).cloned();
    let layer = made(frame, expr, resolved, found, arguments);
    let id = add(evaluator, frame, layer);
    match router {
        Some(Value::Router(mut router)) => {
            router.cover(&[id]);
            Some(Value::Router(router))
        }
        _ => Some(Value::Layers(vec![id])),
    }
}

/// Layers among the arguments of a wrapper.
fn wrapped<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    arguments: &[Value<'a>],
    written: &'a [Expr],
) -> Vec<LayerId> {
    let mut all = Vec::new();
    for (argument, written) in arguments.iter().zip(written) {
        let ids = match argument {
            Value::Layers(ids) => ids.clone(),
            Value::Struct(..) => apply(evaluator, frame, Some(argument), Some(written)),
            _ => Vec::new(),
        };
        add_layers(&mut all, &ids);
    }
    all
}

fn of_functions<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    function: &'a Expr,
    arguments: &[Value<'a>],
    written: &'a [Expr],
) -> Vec<LayerId> {
    if let ExprKind::Path(path) = &*function.kind
        && let Some(ty) = path.arguments.first()
        && path.last().starts_with("from_extractor")
    {
        let ty = evaluator.resolve(frame, &ty.path);
        return vec![own_type(evaluator, frame, &ty, frame.place(function.span))];
    }
    // The function is the last argument that is one; the first is state.
    let callable = |value: &Value<'a>| matches!(value, Value::Function(_) | Value::Closure(_));
    let at = arguments.iter().rposition(callable).or(arguments.len().checked_sub(1));
    match at {
        Some(at) => by_function(evaluator, frame, arguments.get(at), written.get(at)),
        None => Vec::new(),
    }
}

fn made<'a>(
    frame: &Frame<'a>,
    expr: &'a Expr,
    resolved: &str,
    found: &known::Known,
    arguments: &[Value<'a>],
) -> LayerUse {
    let kind = found.kind.as_str();
    let last = resolved.rsplit("::").next().unwrap_or("");
    let place = frame.place(expr.span);
    let mut layer = LayerUse {
        kinds: vec![kind.to_string()],
        library: found.krate.clone(),
        place: Some(place),
        name: resolved.to_string(),
        disabled: last == "disable",
        ..LayerUse::default()
    };
    set_value(&mut layer, arguments);
    match kind {
        "cors" => layer.cors = Some(cors::constructed(&found.krate, last)),
        "header" | "hsts" => {
            layer.kinds = vec!["security-headers".to_string()];
            let ExprKind::Call { arguments, .. } = &*expr.kind else { return layer };
            let named = arguments.first().and_then(behaviour::header_name);
            let name = if kind == "hsts" { Some("strict-transport-security".to_string()) } else { named };
            match name {
                Some(name) => set_header(&mut layer, name, arguments.get(1).and_then(behaviour::literal_in), place),
                None => layer.kinds = vec!["other".to_string()],
            }
        }
        "headers" | "shield" => layer.kinds = vec!["other".to_string()],
        "headers-all" => {
            layer.kinds = vec!["security-headers".to_string()];
            for name in behaviour::FOUR {
                layer.headers.push(((*name).to_string(), None, place));
            }
        }
        "trace-id" => layer.kinds = vec!["trace".to_string(), "request-id".to_string()],
        "error-tracking" => layer.kinds = vec!["other".to_string()],
        _ => {}
    }
    layer
}

fn set_header(layer: &mut LayerUse, name: String, value: Option<String>, place: Place) {
    let own = match name.as_str() {
        "x-request-id" | "x-correlation-id" => "request-id",
        "access-control-allow-origin" => "cors",
        _ if behaviour::is_security_header(&name) => "security-headers",
        _ => "other",
    };
    if layer.kinds == ["other"] || layer.headers.is_empty() {
        layer.kinds = vec![own.to_string()];
    } else if own != "other" && !layer.is(own) {
        layer.kinds.push(own.to_string());
    }
    if name == "access-control-allow-origin" {
        layer.cors = Some(cors::by_header(value.as_deref()));
    }
    layer.headers.push((name, value, place));
}

fn set_value(layer: &mut LayerUse, arguments: &[Value<'_>]) {
    if !matches!(layer.kinds.first().map(String::as_str), Some("timeout" | "body-limit" | "concurrency-limit")) {
        return;
    }
    match arguments.iter().rev().find_map(|value| value.text().and_then(text::number)) {
        Some(number) => layer.value = Some(number),
        None if !arguments.is_empty() => layer.value_unknown = true,
        None => {}
    }
}

/// A layer made by a struct literal: `rocket_cors::CorsOptions { .. }`.
pub fn from_struct<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    expr: &'a Expr,
    path: &str,
    fields: &BTreeMap<String, Value<'a>>,
) -> Option<Value<'a>> {
    let found = known::layer(path)?;
    let mut layer = LayerUse {
        kinds: vec![found.kind.clone()],
        library: found.krate.clone(),
        place: Some(frame.place(expr.span)),
        name: path.to_string(),
        ..LayerUse::default()
    };
    if found.kind == "cors" {
        let mut policy = cors::constructed(&found.krate, "default");
        let source = evaluator.source(frame.file, expr.span);
        cors::by_fields(&mut policy, source, fields.keys().map(String::as_str));
        layer.cors = Some(policy);
    }
    Some(Value::Layers(vec![add(evaluator, frame, layer)]))
}

/// A method of a layer's builder, or of a stack.
pub fn method<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    mut ids: Vec<LayerId>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    if let "layer" | "service" | "named_layer" = call.name {
        if let Some(service) = tonic::covered(arguments.first(), &ids) {
            return service;
        }
        match arguments.first() {
            Some(Value::Router(router)) => {
                let mut router = router.clone();
                router.cover(&ids);
                return Value::Router(router);
            }
            value => {
                let more = apply(evaluator, frame, value, call.written.first());
                add_layers(&mut ids, &more);
                return Value::Layers(ids);
            }
        }
    }
    if let "option_layer" | "and_then" = call.name {
        let more = known(arguments.first());
        for id in &more {
            evaluator.layers[id.0].conditional = true;
        }
        add_layers(&mut ids, &more);
        return Value::Layers(ids);
    }
    if let "build_pair" | "pair" | "split" = call.name {
        return Value::Tuple(vec![Value::Layers(ids), Value::Unknown]);
    }
    // Only stacks hold several layers or none; a single layer's own methods set it up.
    let own_kind = match ids.as_slice() {
        [only] => evaluator.layers[only.0].kinds.first().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    if let Some(kind) = known::stack_method(call.name)
        && own_kind != kind
        && !matches!(own_kind.as_str(), "cors" | "rate-limit" | "body-limit" | "session")
    {
        ids.push(stacked(evaluator, frame, kind, call, &arguments));
        return Value::Layers(ids);
    }
    if let [only] = ids.as_slice() {
        configure(evaluator, frame, *only, call, &arguments);
    }
    Value::Layers(ids)
}

fn stacked<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &Frame<'a>,
    kind: &str,
    call: Method<'a>,
    arguments: &[Value<'a>],
) -> LayerId {
    let mut layer = LayerUse {
        kinds: vec![kind.to_string()],
        library: "tower".to_string(),
        place: Some(call.place),
        name: call.name.to_string(),
        ..LayerUse::default()
    };
    set_value(&mut layer, arguments);
    if kind == "header" {
        layer.kinds = vec!["other".to_string()];
        if let Some(name) = call.written.first().and_then(behaviour::header_name) {
            set_header(&mut layer, name, call.written.get(1).and_then(behaviour::literal_in), call.place);
        }
    }
    add(evaluator, frame, layer)
}

fn configure<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &Frame<'a>,
    id: LayerId,
    call: Method<'a>,
    arguments: &[Value<'a>],
) {
    let source = call.written.first().map_or("", |written| evaluator.source(frame.file, written.span));
    let layer = &mut evaluator.layers[id.0];
    if let Some(before) = layer.cors.clone() {
        let mut policy = before.clone();
        cors::method(&mut policy, call.name, source, arguments.first());
        if frame.conditions > 0 {
            // One of several branches: the most open one is what can happen. What only development opens is left out.
            layer.cors = Some(if frame.development { before } else { before.or_wider(policy) });
            layer.conditional = true;
        } else {
            layer.cors = Some(policy);
        }
        return;
    }
    match call.name {
        "limit" | "max_size" | "timeout" | "total_limit" => set_value(layer, arguments),
        "add" | "header" | "overriding" | "appending" | "insert" | "with_header" => {
            let pair = call.written.first().map(|first| match &*first.kind {
                ExprKind::Tuple(parts) => (parts.first(), parts.get(1)),
                _ => (Some(first), call.written.get(1)),
            });
            if let Some((Some(name), value)) = pair
                && let Some(name) = behaviour::header_name(name)
            {
                set_header(layer, name, value.and_then(behaviour::literal_in), call.place);
            }
        }
        "enable" if layer.name.contains("Shield") => {
            let hsts = source.contains("Hsts");
            if hsts {
                set_header(layer, "strict-transport-security".to_string(), None, call.place);
            }
        }
        _ => {}
    }
}

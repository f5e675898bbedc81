//! Chains of method calls, fields, `?` and `.await`: walked from their base, so that long builders need no deep stack.

use super::evaluate::{Evaluator, Frame};
use super::value::{Answer, Methods, Router, Text, Value};
use super::{actix, axum, calls, layers, lists, poem, rocket, salvo, start, text, tide, tonic, unite, warp};
use crate::parse::rust::ast::{Expr, ExprKind};
use crate::scan::source::{Place, Role, Span};

/// A method call on a value.
#[derive(Clone, Copy, Debug)]
pub struct Method<'a> {
    /// Its name.
    pub name: &'a str,
    /// Arguments as written.
    pub written: &'a [Expr],
    /// The whole call expression.
    pub expr: &'a Expr,
    /// The method's name with its arguments: the place of what it registers.
    pub place: Place,
}

/// Evaluates a chain.
pub fn chain<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, expr: &'a Expr) -> Value<'a> {
    let mut links = Vec::new();
    let mut base = expr;
    loop {
        base = match &*base.kind {
            ExprKind::MethodCall { receiver, .. } => {
                links.push(base);
                receiver
            }
            ExprKind::Field { base: inner, .. } => {
                links.push(base);
                inner
            }
            ExprKind::Await(inner) | ExprKind::Try(inner) | ExprKind::Reference(inner) => inner,
            _ => break,
        };
    }
    let mut value = evaluator.eval(frame, base);
    for link in links.into_iter().rev() {
        value = match &*link.kind {
            ExprKind::Field { name, .. } => field(value, name),
            ExprKind::MethodCall { method, method_span, arguments, .. } => {
                let end = Span { start: method_span.start, end: link.span.end };
                let call = Method { name: method, written: arguments, expr: link, place: frame.place(end) };
                method_call(evaluator, frame, value, call, base)
            }
            _ => value,
        };
    }
    value
}

fn field<'a>(value: Value<'a>, name: &str) -> Value<'a> {
    match value {
        Value::Struct(_, mut fields) => fields.remove(name).unwrap_or_default(),
        Value::Tuple(mut values) => match name.parse::<usize>() {
            Ok(at) if at < values.len() => values.swap_remove(at),
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}

fn method_call<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    value: Value<'a>,
    call: Method<'a>,
    base: &'a Expr,
) -> Value<'a> {
    let arguments = evaluator.eval_all(frame, call.written);
    if let Some(started) = start::by_method(evaluator, frame, &value, call, &arguments) {
        return started;
    }
    match value {
        Value::Router(router) => on_router(evaluator, frame, router, call, arguments),
        Value::Methods(methods) => on_methods(evaluator, frame, *methods, call, arguments),
        Value::Shared(shared, prefix) => {
            if shared.borrow().framework == "tide" {
                return tide::method(evaluator, frame, shared, prefix, call, arguments);
            }
            let router = shared.borrow().clone();
            if let Value::Router(changed) = on_router(evaluator, frame, Box::new(router), call, arguments) {
                *shared.borrow_mut() = *changed;
            }
            Value::Shared(shared, prefix)
        }
        Value::Layers(ids) => layers::method(evaluator, frame, ids, call, arguments),
        Value::Filter(alternatives) => warp::method(evaluator, frame, alternatives, call, arguments),
        Value::List(values) => {
            let (value, changed) = lists::method(evaluator, values, call.name, arguments);
            if let (Some(changed), ExprKind::Path(path)) = (changed, &*base.kind) {
                frame.set(path.last(), changed);
            }
            value
        }
        Value::Text(text) if target(evaluator, frame, call).is_none() => {
            let mut arguments = arguments;
            if arguments.iter().any(|argument| matches!(argument, Value::Closure(_))) {
                let given = calls::run_closures(evaluator, &arguments);
                if given.matters() {
                    return given;
                }
                if let Some(first @ Value::Closure(_)) = arguments.first_mut() {
                    *first = given;
                }
            }
            text::method(text, call.name, &arguments)
        }
        value => generic(evaluator, frame, value, call, arguments),
    }
}

fn on_router<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    router: Box<Router<'a>>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    // A method that the tree itself adds to routers (an extension trait).
    if let Some(id) = target(evaluator, frame, call)
        && evaluator.info(id).of_trait.is_some()
    {
        let before = router.clone();
        let value = evaluator.call(id, Some(Value::Router(router)), arguments);
        return if value.matters() { value } else { Value::Router(before) };
    }
    match router.framework {
        "axum" | "loco" => axum::method(evaluator, frame, *router, call, arguments),
        "actix-web" | "ntex" => actix::method(evaluator, frame, *router, call, arguments),
        "rocket" => rocket::method(evaluator, frame, *router, call, arguments),
        "poem" => poem::method(evaluator, frame, *router, call, arguments),
        "salvo" => salvo::method(evaluator, frame, *router, call, arguments),
        "tonic" => tonic::method(evaluator, frame, *router, call, arguments),
        _ => Value::Router(router),
    }
}

fn on_methods<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    methods: Methods<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    // What the tree itself adds to routes: `.authorize(action)` of an extension trait wraps them in a layer.
    if let Some(id) = extension(evaluator, call.name) {
        let before = methods.clone();
        let value = evaluator.call(id, Some(Value::Methods(Box::new(methods))), arguments);
        return if matches!(value, Value::Methods(_)) { value } else { Value::Methods(Box::new(before)) };
    }
    match methods.framework {
        "actix-web" | "ntex" => actix::route_method(evaluator, frame, methods, call, arguments),
        "poem" => poem::methods(evaluator, frame, methods, call, arguments),
        _ => axum::methods(evaluator, frame, methods, call, arguments),
    }
}

/// The method of a trait of the tree that is implemented for a framework's route.
fn extension(evaluator: &Evaluator<'_>, name: &str) -> Option<super::super::names::FunctionId> {
    const ROUTES: &[&str] = &["Route", "MethodRouter", "RouteMethod", "Resource"];
    let of_route = |ty: &str| ROUTES.contains(&ty.rsplit("::").next().unwrap_or(ty));
    let mut fitting = evaluator.names.functions().iter().filter(|info| {
        info.item.name == name
            && info.role == Role::Service
            && info.of_trait.is_some()
            && info.self_type.as_deref().is_some_and(of_route)
    });
    let first = fitting.next()?;
    fitting.next().is_none().then_some(first.id)
}

/// A method of a value that is none of the known kinds: of the tree where its call graph says so; else what matters
/// is handed on.
fn generic<'a>(
    evaluator: &mut Evaluator<'a>,
    frame: &mut Frame<'a>,
    value: Value<'a>,
    call: Method<'a>,
    arguments: Vec<Value<'a>>,
) -> Value<'a> {
    let mut result = Value::Unknown;
    let targets = targets(evaluator, frame, &value, call);
    let entered = !targets.is_empty();
    for id in targets {
        // In a trait's own method `Self` is the type of what it is called on.
        let given = match (&value, &evaluator.info(id).self_type) {
            (Value::Struct(ty, _), None) => evaluator.call_on(id, ty.clone(), Some(value.clone()), arguments.clone()),
            _ => evaluator.call(id, Some(value.clone()), arguments.clone()),
        };
        result = unite::unite(evaluator, result, given);
    }
    if result.matters() || result.text().is_some() {
        return result;
    }
    // A method that its own type does not have is one of what it is wrapped in: `Arc`, `Result`, a lock.
    let wrapped = matches!(value, Value::Struct(..)) && !entered;
    if wrapped || (value.matters() && !matches!(value, Value::Struct(..))) {
        calls::run_closures(evaluator, &arguments);
        return value;
    }
    calls::hand_on(evaluator, arguments)
}

/// The function of the tree that a method call certainly means.
fn target<'a>(
    evaluator: &Evaluator<'a>,
    frame: &Frame<'a>,
    call: Method<'a>,
) -> Option<super::super::names::FunctionId> {
    let calls = evaluator.names.calls(frame.function?);
    let mut found = calls.iter().filter(|site| site.span == call.expr.span && site.certain);
    found.next().map(|site| site.target)
}

/// The functions of the tree that a method call can mean: by the type of the receiver, then by the call graph.
fn targets<'a>(
    evaluator: &Evaluator<'a>,
    frame: &Frame<'a>,
    value: &Value<'a>,
    call: Method<'a>,
) -> Vec<super::super::names::FunctionId> {
    const MOST: usize = 4;
    if let Value::Struct(ty, _) = value {
        let own = evaluator.names.methods_of(ty).iter().copied();
        let own: Vec<_> = own.filter(|id| evaluator.info(*id).item.name == call.name).collect();
        if !own.is_empty() {
            return own;
        }
    }
    let Some(function) = frame.function else { return Vec::new() };
    let sites = evaluator.names.calls(function).iter().filter(|site| site.span == call.expr.span);
    let mut found: Vec<_> = sites.map(|site| site.target).collect();
    found.dedup();
    found.retain(|id| evaluator.info(*id).role == Role::Service);
    if found.len() > MOST { Vec::new() } else { found }
}

/// Who answers, from a handler argument's value.
pub fn answer<'a>(frame: &Frame<'a>, value: &Value<'a>, written: Option<&'a Expr>) -> Option<Answer<'a>> {
    match value {
        Value::Function(id) => Some(Answer::Function(*id)),
        Value::Closure(closure) => Some(Answer::Closure(closure.body, closure.module, closure.file)),
        Value::Name(name) => Some(Answer::Library(name.clone())),
        Value::Struct(name, _) => Some(Answer::Library(name.clone())),
        _ => written.map(|expr| match &*expr.kind {
            ExprKind::Path(path) => Answer::Library(path.text()),
            ExprKind::Call { function, .. } => match &*function.kind {
                ExprKind::Path(path) => Answer::Library(path.text()),
                _ => Answer::Closure(expr, frame.module, frame.file),
            },
            _ => Answer::Closure(expr, frame.module, frame.file),
        }),
    }
}

/// A path argument; an unknown one is an empty, incomplete text.
pub fn path_text(value: Option<&Value<'_>>) -> Text {
    value.and_then(Value::text).cloned().unwrap_or_default()
}

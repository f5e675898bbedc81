//! Which code runs while a request is answered, and how it is reached from a handler.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::names::visit::{self, Visit};
use super::names::{FunctionId, FunctionInfo, Names};
use super::{Context, Linked};
use crate::facts::{Attr, Confidence, Data, FactId, FactKind, Related};
use crate::parse::rust::ast::{Expr, ExprKind};
use crate::scan::source::{Place, Role, Span};

/// How a function is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    /// It answers requests itself: a handler, an extractor, middleware, the making of a response.
    Root(&'static str),
    /// Called from another function.
    Call { from: FunctionId, span: Span },
    /// Called from a handler that is a closure.
    Closure { at: Place, span: Span },
}

/// Functions that requests reach.
#[derive(Debug, Default)]
pub struct Reach {
    steps: BTreeMap<FunctionId, Step>,
    /// Reached over certain calls only.
    certain: BTreeSet<FunctionId>,
    /// Reached without leaving the threads of the executor.
    on_executor: BTreeSet<FunctionId>,
    /// Reached while the request waits, not in a task that was spawned.
    waited_for: BTreeSet<FunctionId>,
    /// Handlers that are closures.
    closures: Vec<Place>,
}

/// How a place is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Handler first, then each call on the way.
    pub flow: Vec<Related>,
    /// High over certain calls, medium where a method was found by its name.
    pub confidence: Confidence,
    /// On a thread of the executor, not under spawn_blocking and the like.
    pub on_executor: bool,
}

impl Reach {
    /// Follows the calls of all handlers that the linker found, and of what runs around them: extractors, middleware,
    /// responses. Where it found no handlers, functions that look like some.
    pub fn find(context: &Context<'_>, linked: &Linked) -> Reach {
        let names = context.names;
        let (mut roots, closures) = handlers(context, linked);
        if roots.is_empty() && closures.is_empty() {
            roots.extend(production(names).filter(|info| looks_like_handler(info)).map(|info| (info.id, "handler")));
        }
        roots.extend(around(context));
        let mut reach = Reach { closures, ..Reach::default() };
        reach.follow(names, &roots);
        reach
    }

    fn follow(&mut self, names: &Names<'_>, roots: &[(FunctionId, &'static str)]) {
        let mut search = Search { names, steps: BTreeMap::new(), open: VecDeque::new() };
        search.start(roots, &self.closures, |_| true);
        search.run(|site| site.certain);
        self.certain = search.steps.keys().copied().collect();
        search.open.extend(self.certain.iter().copied());
        search.run(|_| true);
        self.steps = search.steps;
        let mut on_executor = Search { names, steps: BTreeMap::new(), open: VecDeque::new() };
        on_executor.start(roots, &self.closures, |site| !site.offloaded);
        on_executor.run(|site| !site.offloaded);
        self.on_executor = on_executor.steps.into_keys().collect();
        let mut waited_for = Search { names, steps: BTreeMap::new(), open: VecDeque::new() };
        waited_for.start(roots, &self.closures, |site| !site.detached);
        waited_for.run(|site| !site.detached);
        self.waited_for = waited_for.steps.into_keys().collect();
    }

    /// Whether requests reach a function.
    pub fn holds(&self, function: FunctionId) -> bool {
        self.steps.contains_key(&function)
    }

    /// Whether requests reach a function over certain calls.
    pub fn certainly(&self, function: Option<FunctionId>) -> bool {
        function.is_some_and(|function| self.certain.contains(&function))
    }

    /// Whether a function answers requests itself.
    pub fn is_root(&self, function: FunctionId) -> bool {
        matches!(self.steps.get(&function), Some(Step::Root(_)))
    }

    /// Whether a function is a handler.
    pub fn is_handler(&self, function: FunctionId) -> bool {
        matches!(self.steps.get(&function), Some(Step::Root("handler")))
    }

    /// Whether requests reach it on a thread of the executor.
    pub fn on_executor(&self, function: FunctionId) -> bool {
        self.on_executor.contains(&function)
    }

    /// Whether a request waits for it: a way to it leads through no task that was spawned.
    pub fn waits_for(&self, function: FunctionId) -> bool {
        self.waited_for.contains(&function)
    }

    /// The way from a handler to a function: the handler first, then each call.
    pub fn flow(&self, names: &Names<'_>, function: FunctionId) -> Option<Vec<Related>> {
        let mut flow = Vec::new();
        let mut at = function;
        loop {
            let info = names.function(at);
            let called = |place| Related { place, note: format!("calls `{}`", info.item.name) };
            match self.steps.get(&at)? {
                Step::Root(what) => {
                    let place = Place { file: info.file, span: info.item.name_span };
                    flow.push(Related { place, note: format!("{what} `{}`", info.item.name) });
                    break;
                }
                Step::Call { from, span } => {
                    flow.push(called(Place { file: names.function(*from).file, span: *span }));
                    at = *from;
                }
                Step::Closure { at: place, span } => {
                    flow.push(called(Place { file: place.file, span: *span }));
                    flow.push(Related { place: *place, note: "handler".to_string() });
                    break;
                }
            }
        }
        flow.reverse();
        Some(flow)
    }

    /// How a place in a function is reached.
    pub fn of(&self, names: &Names<'_>, function: FunctionId, span: Span) -> Option<Reached> {
        if let Some(flow) = self.flow(names, function) {
            let certain = self.certain.contains(&function);
            let confidence = if certain { Confidence::High } else { Confidence::Medium };
            return Some(Reached { flow, confidence, on_executor: self.on_executor(function) });
        }
        let file = names.function(function).file;
        let closure = self.closures.iter().find(|place| place.file == file && place.span.holds(span))?;
        let flow = vec![Related { place: *closure, note: "handler".to_string() }];
        Some(Reached { flow, confidence: Confidence::High, on_executor: true })
    }
}

/// A breadth-first search over calls.
struct Search<'n, 'a> {
    names: &'n Names<'a>,
    steps: BTreeMap<FunctionId, Step>,
    open: VecDeque<FunctionId>,
}

impl Search<'_, '_> {
    fn start(
        &mut self,
        roots: &[(FunctionId, &'static str)],
        closures: &[Place],
        follows: impl Fn(&super::names::CallSite) -> bool,
    ) {
        for (root, what) in roots {
            self.reach(*root, Step::Root(what));
        }
        for place in closures {
            let Some(around) = self.names.function_holding(*place) else { continue };
            for site in self.names.calls(around).iter().filter(|site| place.span.holds(site.span) && follows(site)) {
                self.reach(site.target, Step::Closure { at: *place, span: site.span });
            }
        }
    }

    fn reach(&mut self, function: FunctionId, step: Step) {
        let info = self.names.function(function);
        if info.role == Role::Service && !info.development_only && !self.steps.contains_key(&function) {
            self.steps.insert(function, step);
            self.open.push_back(function);
        }
    }

    fn run(&mut self, follows: impl Fn(&super::names::CallSite) -> bool) {
        while let Some(from) = self.open.pop_front() {
            for site in self.names.calls(from).iter().filter(|site| follows(site)) {
                self.reach(site.target, Step::Call { from, span: site.span });
            }
        }
    }
}

/// Functions in what runs in production.
fn production<'n, 'a>(names: &'n Names<'a>) -> impl Iterator<Item = &'n FunctionInfo<'a>> {
    names.functions().iter().filter(|info| info.role == Role::Service && !info.development_only)
}

/// Handlers that the linker found: functions and closures. Those of development routes only are left out.
fn handlers(context: &Context<'_>, linked: &Linked) -> (Vec<(FunctionId, &'static str)>, Vec<Place>) {
    let development = development_handlers(linked);
    let (mut functions, mut closures) = (Vec::new(), Vec::new());
    for (id, fact) in linked.facts.of(FactKind::Handler) {
        let Data::Handler(handler) = &fact.data else { continue };
        if development.contains(&id) || fact.role != Role::Service {
            continue;
        }
        let holding = context.names.function_holding(fact.place);
        let own = holding.filter(|id| context.names.function(*id).item.name_span == fact.place.span);
        let by_name = || handler.name.known().and_then(|name| context.names.function_at(name));
        match own.or_else(by_name) {
            Some(function) => functions.push((function, "handler")),
            None if handler.name == Attr::from("closure") => closures.push(fact.place),
            None => {}
        }
    }
    functions.sort();
    functions.dedup();
    closures.sort();
    closures.dedup();
    (functions, closures)
}

fn development_handlers(linked: &Linked) -> BTreeSet<FactId> {
    let (mut development, mut production) = (BTreeSet::new(), BTreeSet::new());
    for (_, fact) in linked.facts.of(FactKind::Route) {
        if let Data::Route(route) = &fact.data {
            let side = if route.development_only.is_true() { &mut development } else { &mut production };
            side.extend(route.handler.known().into_iter().flatten().copied());
        }
    }
    &development - &production
}

/// Traits whose methods run for each request, with what they are.
const TRAITS: &[(&str, &str)] = &[
    ("FromRequest", "extractor"),
    ("FromRequestParts", "extractor"),
    ("OptionalFromRequestParts", "extractor"),
    ("OptionalFromRequest", "extractor"),
    ("Extractible", "extractor"),
    ("FromData", "extractor"),
    ("FromParam", "extractor"),
    ("FromForm", "extractor"),
    ("IntoResponse", "response"),
    ("IntoResponseParts", "response"),
    ("ResponseError", "response"),
    ("Responder", "response"),
    ("Scribe", "response"),
    ("Reply", "response"),
    ("Handler", "handler"),
    ("Endpoint", "handler"),
    ("Fairing", "middleware"),
    ("Middleware", "middleware"),
    ("AsyncAuthorizeRequest", "middleware"),
    ("AuthorizeRequest", "middleware"),
    ("Interceptor", "middleware"),
    ("Guard", "middleware"),
];

/// Functions that take middleware as a function.
const LAYERS: &[&str] = &[
    "from_fn",
    "from_fn_with_state",
    "map_request",
    "map_request_with_state",
    "map_response",
    "map_response_with_state",
    "from_extractor",
    "with_interceptor",
];

/// What runs around handlers.
fn around(context: &Context<'_>) -> Vec<(FunctionId, &'static str)> {
    let mut found = Vec::new();
    for info in production(context.names) {
        let of_trait = info.of_trait.as_deref().and_then(|path| path.rsplit("::").next()).unwrap_or("");
        let by_trait = TRAITS.iter().find(|(name, _)| *name == of_trait);
        // Fairings have hooks for the start, too.
        let per_request = !matches!(info.item.name.as_str(), "on_ignite" | "on_liftoff" | "on_shutdown" | "info");
        match by_trait {
            Some((_, what)) if info.self_type.is_some() && per_request => found.push((info.id, *what)),
            _ if is_service_call(info, of_trait) => found.push((info.id, "middleware")),
            _ if is_rpc(info) => found.push((info.id, "handler")),
            _ => {}
        }
        let mut layers = Layers { names: context.names, function: info.id, found: &mut found };
        if let Some(body) = &info.function.body {
            visit::walk_block(&mut layers, body);
        }
    }
    found
}

/// `call` of a tower or actix service.
fn is_service_call(info: &FunctionInfo<'_>, of_trait: &str) -> bool {
    of_trait == "Service" && info.item.name == "call" && info.self_type.is_some()
}

/// A method of a gRPC service: it takes a `Request` and gives a `Response` or a `Status`.
fn is_rpc(info: &FunctionInfo<'_>) -> bool {
    let takes = info.function.parameters.iter().filter_map(|parameter| parameter.ty.as_ref());
    let takes_request = takes.into_iter().any(|ty| ty.path.last().is_some_and(|last| last == "Request"));
    let gives =
        info.function.returns.as_ref().is_some_and(|ty| ty.text.contains("Status") && ty.text.contains("Response"));
    info.of_trait.is_some() && info.function.has_self && takes_request && gives
}

/// Collects functions that are passed to a layer.
struct Layers<'n, 'a> {
    names: &'n Names<'a>,
    function: FunctionId,
    found: &'n mut Vec<(FunctionId, &'static str)>,
}

impl<'a> Visit<'a> for Layers<'_, 'a> {
    fn expr(&mut self, expr: &'a Expr) {
        if let ExprKind::Call { function, arguments } = &*expr.kind
            && let ExprKind::Path(path) = &*function.kind
            && LAYERS.contains(&path.last())
        {
            for argument in arguments {
                if let ExprKind::Path(path) = &*argument.kind
                    && let Some(target) = self.names.function_at(&self.names.resolve_in(self.function, &path.segments))
                {
                    self.found.push((target, "middleware"));
                }
            }
        }
        visit::walk_expr(self, expr);
    }
}

/// Attributes that register a function as a handler.
const VERBS: &[&str] = &["get", "post", "put", "delete", "patch", "head", "options", "route", "handler", "endpoint"];

/// Types that only handlers take.
const EXTRACTORS: &[&str] = &[
    "Json",
    "State",
    "Query",
    "Form",
    "Extension",
    "HttpRequest",
    "Data",
    "Multipart",
    "Request",
    "Parts",
    "TypedHeader",
];

fn looks_like_handler(info: &FunctionInfo<'_>) -> bool {
    let by_attribute = info.item.attributes.iter().any(|attribute| {
        VERBS.contains(&attribute.path.last()) && !attribute.tokens.is_empty() && attribute.path.segments.len() <= 2
    });
    let by_type = info.function.is_async
        && !info.function.has_self
        && info
            .function
            .parameters
            .iter()
            .filter_map(|parameter| parameter.ty.as_ref())
            .any(|ty| ty.path.last().is_some_and(|last| EXTRACTORS.contains(&last.as_str())));
    by_attribute || by_type
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::link::catalog::Catalog;
    use crate::link::services;
    use crate::link::trial::repository;
    use crate::link::workspace::Workspace;

    fn flows(code: &str) -> Vec<(String, Vec<String>, bool)> {
        let manifest = "[package]\nname = \"app\"\n[dependencies]\naxum = \"0.8\"\n";
        let repository = repository(&[("Cargo.toml", manifest), ("src/main.rs", code)]);
        let workspace = Workspace::build(&repository);
        let names = Names::build(&repository, &workspace);
        let catalog = Catalog::default();
        let services = services::find(&repository, &workspace, &names, &catalog);
        let context = Context {
            repository: &repository,
            workspace: &workspace,
            names: &names,
            catalog: &catalog,
            services: &services,
            demand: &crate::link::demand::Demand::everything(),
        };
        let reach = Reach::find(&context, &Linked::default());
        let flow = |id| reach.flow(&names, id).unwrap_or_default().into_iter().map(|step| step.note).collect();
        let ids = names.functions().iter().map(|info| info.id);
        ids.map(|id| (names.function(id).item.name.clone(), flow(id), reach.on_executor(id))).collect()
    }

    fn flow_of(code: &str, name: &str) -> (Vec<String>, bool) {
        let (_, flow, on_executor) = flows(code).into_iter().find(|(known, ..)| known == name).unwrap();
        (flow, on_executor)
    }

    #[test]
    fn a_flow_starts_at_the_handler() {
        let code =
            "async fn create(State(s): State<S>) { store(); } fn store() { save(); } fn save() {} fn start_up() {}";
        assert_eq!(
            flow_of(code, "save"),
            (vec!["handler `create`".into(), "calls `store`".into(), "calls `save`".into()], true)
        );
        assert_eq!(flow_of(code, "start_up"), (vec![], false));
    }

    #[test]
    fn what_is_moved_to_a_blocking_thread_leaves_the_executor() {
        let code = "async fn login(Json(b): Json<B>) { tokio::task::spawn_blocking(|| verify()); } fn verify() {}";
        let (flow, on_executor) = flow_of(code, "verify");
        assert_eq!((flow.len(), on_executor), (2, false));
    }

    #[test]
    fn extractors_middleware_and_responses_are_part_of_a_request() {
        let code = "
            impl axum::extract::FromRequestParts<S> for User { async fn from_request_parts(p: &mut P) { a(); } }
            impl IntoResponse for Error { fn into_response(self) { b(); } }
            async fn guard(request: X) { c(); } fn router() { axum::middleware::from_fn(guard); }
            fn a() {} fn b() {} fn c() {}";
        for name in ["a", "b", "c"] {
            assert_eq!(flow_of(code, name).0.len(), 2, "{name}");
        }
        assert!(flow_of(code, "router").0.is_empty());
    }
}

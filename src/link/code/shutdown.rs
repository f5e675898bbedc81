//! Which signals stop the server, and whether it finishes the requests in flight.

use std::collections::{BTreeSet, HashMap};

use super::found::Found;
use crate::facts::vocabulary::Shutdown;
use crate::facts::{Attr, Confidence, FactKind, ServiceId, Value};
use crate::link::Context;
use crate::link::catalog::Subject;
use crate::link::names::{FunctionId, FunctionInfo};
use crate::link::{Linked, code::found::Stand};
use crate::parse::rust::ast::{Expr, ExprKind, Literal, Path};
use crate::parse::rust::walk;
use crate::scan::source::{Role, Span};

/// Calls from the awaited future are followed this far.
const DEPTH: usize = 8;

/// Signals by the words of the code.
type Signals = BTreeSet<&'static str>;

/// A place where a signal is awaited or a handler for it is set.
struct Site {
    function: FunctionId,
    span: Span,
    signals: Signals,
}

/// Completes the facts about shutdown.
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>], linked: &mut Linked) {
    let sites = Sites::find(context);
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Shutdown) {
        if found.entry.subject == Subject::Method {
            sites.signal(context, found);
        }
    }
    switched_off(context, found, &sites);
    undrained(context, found, &sites, linked);
}

/// All places of the service's code that wait for signals.
struct Sites {
    all: Vec<Site>,
    of: HashMap<FunctionId, Signals>,
    /// Functions that switch a framework's own handling off.
    switches: Vec<FunctionId>,
}

impl Sites {
    fn find(context: &Context<'_>) -> Sites {
        let mut sites = Sites { all: Vec::new(), of: HashMap::new(), switches: Vec::new() };
        for info in context.names.functions() {
            let Some(body) = info.function.body.as_ref().filter(|_| Stand::of(info).role == Role::Service) else {
                continue;
            };
            walk::expressions(body, &mut |expr| sites.look(context, info, expr));
        }
        sites
    }

    fn look(&mut self, context: &Context<'_>, info: &FunctionInfo<'_>, expr: &Expr) {
        let function = info.id;
        if switches_off(expr) {
            self.switches.push(function);
        }
        let mut signals = signals(expr);
        if signals.is_empty() {
            return;
        }
        if sets_handler(expr) && handles_termination(context, info) {
            signals.insert("SIGTERM");
        }
        self.of.entry(function).or_default().extend(&signals);
        match self.all.last_mut() {
            Some(last) if last.function == function => last.signals.extend(&signals),
            _ => self.all.push(Site { function, span: expr.span, signals }),
        }
    }

    /// Signals of the future that is passed, of what it calls, and, where it only waits for a message, of the program.
    fn signal(&self, context: &Context<'_>, found: &mut Found<'_>) {
        let mut signals = Signals::new();
        for argument in &found.arguments {
            signals.extend(self.within(context, found.stand.function, argument));
        }
        if signals.is_empty() {
            let own = owners(context, found.stand);
            let shared = |site: &&Site| {
                let info = context.names.function(site.function);
                !own.is_disjoint(&owners(context, Stand::of(info)))
            };
            signals = self.all.iter().filter(shared).flat_map(|site| site.signals.iter().copied()).collect();
            found.confidence = Confidence::Medium;
        }
        // Nothing ever asks for it: it is no way to stop.
        found.absorbed |= signals.is_empty();
        found.data.set("signals", Attr::Known(Value::List(words(&signals))));
    }

    fn within(&self, context: &Context<'_>, function: Option<FunctionId>, argument: &Expr) -> Signals {
        let mut found = Signals::new();
        walk::expression(argument, &mut |expr| found.extend(signals(expr)));
        let calls = function.map_or(&[][..], |function| context.names.calls(function));
        let mut open: Vec<(FunctionId, usize)> =
            calls.iter().filter(|call| argument.span.holds(call.span)).map(|call| (call.target, 0)).collect();
        let mut seen = BTreeSet::new();
        while let Some((function, depth)) = open.pop() {
            if depth > DEPTH || !seen.insert(function) {
                continue;
            }
            found.extend(self.of.get(&function).into_iter().flatten());
            open.extend(context.names.calls(function).iter().map(|call| (call.target, depth + 1)));
        }
        found
    }
}

/// A framework whose own handling is switched off drains only where the program stops it by hand.
fn switched_off(context: &Context<'_>, found: &mut [Found<'_>], sites: &Sites) {
    let mut by_hand = BTreeSet::new();
    for found in found.iter().filter(|found| found.kind() == FactKind::Shutdown) {
        if found.entry.subject == Subject::Method && found.counts() && drains(found) {
            by_hand.extend(owners(context, found.stand));
        }
    }
    for found in found.iter_mut().filter(|found| found.kind() == FactKind::Shutdown) {
        let undrained_stop = found.entry.subject == Subject::Method && !drains(found);
        let replaced = found.called("disable_signals") && !by_hand.is_disjoint(&owners(context, found.stand));
        found.absorbed |= undrained_stop || replaced;
        let rocket = found.text("library").as_deref() == Some("rocket");
        if rocket && !sites.switches.is_empty() && sites.all.is_empty() {
            found.data.set("drains", Attr::Known(Value::Flag(false)));
        }
    }
}

fn drains(found: &Found<'_>) -> bool {
    found.data.get("drains") == Some(Attr::Known(Value::Flag(true)))
}

/// A signal that is caught while nothing drains cuts requests off as the default would.
fn undrained(context: &Context<'_>, found: &[Found<'_>], sites: &Sites, linked: &mut Linked) {
    let mut known: BTreeSet<Owner> = BTreeSet::new();
    for found in found.iter().filter(|found| found.kind() == FactKind::Shutdown && found.counts()) {
        known.extend(owners(context, found.stand));
    }
    for site in &sites.all {
        let Some(info) = context.names.functions().get(site.function.0 as usize) else { continue };
        let fresh: Vec<Owner> =
            owners(context, Stand::of(info)).into_iter().filter(|owner| !known.contains(owner)).collect();
        if fresh.is_empty() {
            continue;
        }
        known.extend(fresh);
        let data = Shutdown {
            signals: words(&site.signals).into(),
            drains: false.into(),
            library: "own".into(),
            timeout: Attr::Unset,
        };
        linked.facts.add(context.fact(data, info.file, site.span).confidence(Confidence::Medium));
    }
}

/// Whose shutdown it is: services, or the package where no service is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Service(ServiceId),
    Package(String),
}

fn owners(context: &Context<'_>, stand: Stand) -> BTreeSet<Owner> {
    let services = context.services_of(stand.file);
    if !services.is_empty() {
        return services.into_iter().map(Owner::Service).collect();
    }
    let package = context.workspace.package_of(&context.repository.tree.file(stand.file).path);
    package.map(|package| Owner::Package(package.folder.clone())).into_iter().collect()
}

fn words(signals: &Signals) -> Vec<String> {
    signals.iter().map(ToString::to_string).collect()
}

/// The signals that an expression itself names.
fn signals(expr: &Expr) -> Signals {
    match &*expr.kind {
        ExprKind::Path(path) => of_path(path),
        ExprKind::MethodCall { method, .. } if method == "catch_signals" => Signals::from(["SIGINT", "SIGTERM"]),
        _ => Signals::new(),
    }
}

fn of_path(path: &Path) -> Signals {
    let owner = path.segments.iter().rev().nth(1).map_or("", String::as_str);
    match (owner, path.last()) {
        ("SignalKind", "terminate") | (_, "SIGTERM") => Signals::from(["SIGTERM"]),
        ("SignalKind", "interrupt") | (_, "ctrl_c" | "SIGINT") => Signals::from(["SIGINT"]),
        ("SignalKind", "quit") | (_, "SIGQUIT") => Signals::from(["SIGQUIT"]),
        ("ctrlc", "set_handler" | "try_set_handler") => Signals::from(["SIGINT"]),
        ("tokio_graceful", "default_signal") => Signals::from(["SIGINT", "SIGTERM"]),
        _ => Signals::new(),
    }
}

/// `ctrlc::set_handler(..)`
fn sets_handler(expr: &Expr) -> bool {
    let ExprKind::Path(path) = &*expr.kind else { return false };
    path.segments.iter().any(|segment| segment == "ctrlc") && path.last().contains("set_handler")
}

/// The ctrlc crate also takes SIGTERM where its feature `termination` is on.
fn handles_termination(context: &Context<'_>, info: &FunctionInfo<'_>) -> bool {
    let package = context.workspace.package_of(&context.repository.tree.file(info.file).path);
    let crates = package.into_iter().flat_map(|package| &package.dependencies);
    crates.into_iter().any(|dependency| {
        dependency.package == "ctrlc" && dependency.features.iter().any(|feature| feature == "termination")
    })
}

/// `config.shutdown.ctrlc = false`
fn switches_off(expr: &Expr) -> bool {
    let ExprKind::Assign { left, right } = &*expr.kind else { return false };
    let off = matches!(&*right.kind, ExprKind::Literal(Literal::Flag(false)));
    off && matches!(&*left.kind, ExprKind::Field { name, .. } if name == "ctrlc")
}

//! Routers, routes, handlers and the layers that cover them.
//!
//! The code of a service is evaluated symbolically from its mains ([`roots`], [`evaluate`]); the frameworks' builders
//! make routers ([`axum`], [`actix`], ...), layers are known by name or by what they do ([`layers`], [`behaviour`]),
//! and servers become facts ([`emit`]).

mod actix;
mod axum;
mod behaviour;
mod calls;
mod chains;
mod cors;
mod emit;
mod evaluate;
mod handlers;
mod headers;
mod hyper;
mod known;
mod layers;
mod lists;
mod macros;
pub mod paths;
mod poem;
mod purpose;
mod register;
mod reparse;
mod rocket;
mod roots;
mod salvo;
mod start;
mod text;
mod tide;
mod tokens;
mod tonic;
mod unite;
mod value;
mod warp;

use std::collections::BTreeMap;

use super::names::{FunctionId, Names};
use super::{Context, Linked};
use crate::check::outcome::RouteRow;
use crate::facts::{Data, FactId, FactKind, Facts, ServiceId};
use crate::scan::source::Notice;

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let reparsed = reparse::Reparsed::build(context.repository);
    let mut evaluator = evaluate::Evaluator::new(context, &reparsed);
    let mut found = roots::run(&mut evaluator);
    hyper::add(&mut evaluator, &mut found);
    if evaluator.cut {
        linked.notices.push(Notice {
            path: String::new(),
            line: None,
            message: "the code that builds routes is too large to be followed to its end: routes may be missing"
                .to_string(),
            fatal: true,
        });
    }
    emit::emit(context, &evaluator, found, linked);
    headers::emit(context, &evaluator, linked);
}

/// The routes of a service as reports list them, sorted by path and method.
pub fn route_rows(linked: &Linked, service: ServiceId) -> Vec<RouteRow> {
    let facts = &linked.facts;
    let of_service = facts.of(FactKind::Route).filter(|(_, fact)| fact.services.contains(&service));
    let mut rows: Vec<RouteRow> = of_service
        .filter_map(|(_, fact)| match &fact.data {
            Data::Route(route) => Some(RouteRow {
                path: route.path.known()?.clone(),
                method: route.method.known()?.clone(),
                handler: handler_name(facts, route.handler.known()),
                place: fact.place,
                layers: route.layers.known().cloned().unwrap_or_default(),
                auth: route.auth.known().copied(),
            }),
            _ => None,
        })
        .collect();
    rows.sort();
    rows.dedup();
    rows
}

fn handler_name(facts: &Facts, links: Option<&Vec<FactId>>) -> String {
    let name = links.and_then(|links| links.first()).and_then(|id| match &facts.get(*id).data {
        Data::Handler(handler) => handler.name.known().cloned(),
        _ => None,
    });
    name.unwrap_or_default()
}

/// The functions of the tree that are handlers, with their facts.
pub fn handler_functions(names: &Names<'_>, facts: &Facts) -> BTreeMap<FunctionId, FactId> {
    let places: BTreeMap<_, _> = facts.of(FactKind::Handler).map(|(id, fact)| (fact.place, id)).collect();
    let at = |file, span| places.get(&crate::scan::source::Place { file, span }).copied();
    let functions = names.functions().iter();
    functions.filter_map(|info| Some((info.id, at(info.file, info.item.name_span)?))).collect()
}

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

use super::{Context, Linked};
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

#[cfg(test)]
mod tests;

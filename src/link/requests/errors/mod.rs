//! Errors: the types that become responses, what they show, who logs them, and answers without such a type.

mod catchers;
mod exposure;
mod handling;
mod inline;
mod internal;
mod mixed;
mod shown;
mod types;

pub(super) use types::log_macros;

use std::collections::BTreeSet;

use super::Part;
use crate::facts::{Confidence, Fact, FactKind};
use crate::link::Linked;
use crate::link::names::FunctionId;

/// Adds the facts about errors.
pub(super) fn look(part: &Part<'_, '_>, linked: &Linked, found: &mut Vec<Fact>) {
    handling::by_middleware(part, linked, found);
    let types = types::find(part);
    types::add(part, &types, found);
    for ty in &types {
        exposure::look(part, ty, &types, found);
    }
    let before = found.len();
    for info in part.context.names.functions().iter().filter(|info| part.is_judged(info)) {
        handling::look(part, info, found);
        if !types.iter().any(|ty| ty.holds(info)) {
            inline::look(part, info, &types, found);
        }
    }
    let shaped = found.iter().any(|fact| fact.kind() == FactKind::ErrorResponseType);
    if shaped {
        excuse_few(part, &mut found[before..]);
    }
}

/// Where a service has an error type, a few handlers that answer otherwise are no second format.
fn excuse_few(part: &Part<'_, '_>, found: &mut [Fact]) {
    let names = part.context.names;
    let handlers =
        names.functions().iter().filter(|info| part.is_judged(info) && part.reach.is_handler(info.id)).count();
    let is_ad_hoc = |fact: &&mut Fact| fact.kind() == FactKind::AdHocError;
    let ad_hoc: BTreeSet<Option<FunctionId>> =
        found.iter_mut().filter(is_ad_hoc).map(|fact| names.function_holding(fact.place)).collect();
    if ad_hoc.len() * 4 < handlers {
        found.iter_mut().filter(is_ad_hoc).for_each(|fact| fact.confidence = Confidence::Low);
    }
}

//! Response headers that handlers set by hand, outside of layers.

use std::collections::BTreeSet;

use super::super::{Context, Linked};
use super::behaviour::{self, Body, FOUR};
use super::evaluate::Evaluator;
use crate::facts::vocabulary::ResponseHeader;
use crate::facts::{Confidence, Data, FactKind};
use crate::scan::source::{Place, Role};

/// Adds the headers of the checklist that service code sets somewhere and no layer was seen to set.
pub fn emit(context: &Context<'_>, evaluator: &Evaluator<'_>, linked: &mut Linked) {
    let known: BTreeSet<Place> = linked.facts.of(FactKind::ResponseHeader).map(|(_, fact)| fact.place).collect();
    for info in evaluator.names.functions() {
        let Some(body) = Body::of(evaluator, info.id) else { continue };
        let source = evaluator.source(info.file, body.span()).to_ascii_lowercase().replace('_', "-");
        if info.role != Role::Service || !FOUR.iter().any(|name| source.contains(name)) {
            continue;
        }
        for (name, value, place) in behaviour::headers_of(&body) {
            if !FOUR.contains(&name.as_str()) || known.contains(&place) {
                continue;
            }
            let data =
                ResponseHeader { name: name.into(), value: value.into(), by: "app".into(), covers: "some".into() };
            let fact = context.fact(Data::from(data), place.file, place.span);
            linked.facts.add(fact.confidence(Confidence::Medium));
        }
    }
}

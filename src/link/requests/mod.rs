//! What happens on request paths: panics, blocking calls, prints, logs, errors.

mod blocking;
mod body;
mod channels;
mod errors;
mod logs;
mod panics;
mod prints;
mod sensitive;

use super::names::FunctionInfo;
use super::reach::{Reach, Reached};
use super::{Context, Linked};
use crate::facts::{Confidence, Data, Fact};
use crate::scan::source::{FileId, Role, Span};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let reach = Reach::find(context, linked);
    let part = Part { context, reach: &reach };
    let mut found: Vec<Fact> = Vec::new();
    for info in context.names.functions().iter().filter(|info| part.is_judged(info)) {
        panics::look(&part, info, &mut found);
        blocking::look(&part, info, &mut found);
        logs::look(&part, info, &mut found);
    }
    prints::look(&part, &mut found);
    errors::look(&part, linked, &mut found);
    channels::look(&part, linked, &mut found);
    found.sort_by_key(|fact| (fact.place, fact.kind()));
    found.dedup_by(|a, b| a.place == b.place && a.data == b.data);
    for fact in found {
        linked.facts.add(fact);
    }
}

/// What all subjects of this part work with.
struct Part<'c, 'a> {
    context: &'c Context<'a>,
    reach: &'c Reach,
}

impl<'a> Part<'_, 'a> {
    /// Production code of a service.
    fn is_judged(&self, info: &FunctionInfo<'_>) -> bool {
        info.role == Role::Service && !info.development_only && !self.context.services_of(info.file).is_empty()
    }

    fn reached(&self, info: &FunctionInfo<'_>, span: Span) -> Option<Reached> {
        self.reach.of(self.context.names, info.id, span)
    }

    /// A fact in a function; the confidence is the lower of its own and of the way to it.
    fn fact(
        &self,
        data: impl Into<Data>,
        file: FileId,
        span: Span,
        sure: Confidence,
        reached: Option<Reached>,
    ) -> Fact {
        let mut fact = self.context.fact_in_role(data, file, span, Role::Service).confidence(sure);
        if let Some(reached) = reached {
            fact.confidence = fact.confidence.min(reached.confidence);
            fact.flow = reached.flow;
        }
        fact
    }
}

#[cfg(test)]
mod tests;

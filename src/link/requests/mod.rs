//! What happens on request paths: panics, blocking calls, prints, logs, errors.

mod asks;
mod blocking;
mod body;
mod channels;
mod errors;
mod logs;
mod loops;
mod panics;
mod prints;
mod secret_types;
mod sensitive;
mod swallowed;
mod tasks;
mod work;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::names::FunctionInfo;
use super::reach::{Reach, Reached};
use super::taint::Taint;
use super::{Context, Linked};
use crate::facts::{Confidence, Data, Fact};
use crate::scan::source::{FileId, Role, Span};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let reach = Reach::find(context, linked);
    let log_macros = errors::log_macros(context.repository);
    let part =
        Part { context, reach: &reach, log_macros, hides_headers: hides_headers(context), taint: OnceCell::new() };
    let mut found: Vec<Fact> = Vec::new();
    let asking = loops::Asking::find(&part);
    for info in context.names.functions().iter().filter(|info| part.is_judged(info)) {
        panics::look(&part, info, &mut found);
        blocking::look(&part, info, &mut found);
        logs::look(&part, info, &mut found);
        loops::look(&part, &asking, info, &mut found);
        swallowed::look(&part, info, &mut found);
        tasks::look(&part, info, &mut found);
        work::look(&part, info, &mut found);
    }
    prints::look(&part, &mut found);
    secret_types::look(&part, &mut found);
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
    /// Names of the project's own macros that log an error.
    log_macros: BTreeSet<String>,
    /// A layer marks headers as sensitive, whose Debug then leaves their values out.
    hides_headers: bool,
    /// Where request data goes, once somebody asks.
    taint: OnceCell<Taint>,
}

/// Whether tower-http's layer for it stands in the services' code.
fn hides_headers(context: &Context<'_>) -> bool {
    const LAYERS: &[&str] = &[
        "SetSensitiveHeadersLayer",
        "SetSensitiveRequestHeadersLayer",
        ".sensitive_headers(",
        ".sensitive_request_headers(",
    ];
    let files = context.repository.tree.files.iter().filter(|file| file.role == Role::Service);
    files.into_iter().any(|file| file.path.ends_with(".rs") && LAYERS.iter().any(|layer| file.text.contains(layer)))
}

impl<'a> Part<'_, 'a> {
    /// Production code of a service.
    fn is_judged(&self, info: &FunctionInfo<'_>) -> bool {
        info.role == Role::Service && !info.development_only && !self.context.services_of(info.file).is_empty()
    }

    /// Whether a request waits for what stands at a place in a function.
    fn waits_for(&self, info: &FunctionInfo<'_>, span: Span) -> bool {
        self.reach.waits_for(info.id) || !self.reach.holds(info.id) && self.reached(info, span).is_some()
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

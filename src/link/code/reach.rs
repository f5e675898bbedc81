//! Which functions run while a request is answered.

use std::collections::HashSet;

use crate::facts::{Data, FactKind};
use crate::link::names::FunctionId;
use crate::link::{Context, Linked};

/// Functions that handlers reach.
#[derive(Debug, Default)]
pub struct Reach {
    certain: HashSet<FunctionId>,
    possible: HashSet<FunctionId>,
}

impl Reach {
    /// Follows the calls of all handlers that the linker found.
    pub fn find(context: &Context<'_>, linked: &Linked) -> Reach {
        let names = context.names;
        let mut handlers: Vec<FunctionId> = Vec::new();
        for (_, fact) in linked.facts.of(FactKind::Handler) {
            let Data::Handler(handler) = &fact.data else { continue };
            let Some(name) = handler.name.known() else { continue };
            // A closure's place lies in the function that registers it, which is no request code.
            let held =
                || names.function_holding(fact.place).filter(|id| name.ends_with(&names.function(*id).item.name));
            handlers.extend(names.function_at(name).or_else(held));
        }
        Reach { certain: reached(context, &handlers, false), possible: reached(context, &handlers, true) }
    }

    /// Whether handlers are sure to be able to reach the function.
    pub fn holds(&self, function: Option<FunctionId>) -> bool {
        function.is_some_and(|function| self.certain.contains(&function))
    }

    /// Whether handlers may reach it, methods found by their name alone included.
    pub fn may_hold(&self, function: FunctionId) -> bool {
        self.possible.contains(&function)
    }
}

fn reached(context: &Context<'_>, from: &[FunctionId], possible: bool) -> HashSet<FunctionId> {
    let mut open = from.to_vec();
    let mut functions = HashSet::new();
    while let Some(function) = open.pop() {
        if functions.insert(function) {
            let calls = context.names.calls(function).iter().filter(|call| possible || call.certain);
            open.extend(calls.map(|call| call.target));
        }
    }
    functions
}

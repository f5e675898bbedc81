//! Which functions run while a request is answered.

use std::collections::HashSet;

use crate::facts::{Data, FactKind};
use crate::link::names::FunctionId;
use crate::link::{Context, Linked};

/// Functions that handlers reach.
#[derive(Debug, Default)]
pub struct Reach {
    functions: HashSet<FunctionId>,
}

impl Reach {
    /// Follows the calls of all handlers that the linker found.
    pub fn find(context: &Context<'_>, linked: &Linked) -> Reach {
        let names = context.names;
        let mut open: Vec<FunctionId> = Vec::new();
        for (_, fact) in linked.facts.of(FactKind::Handler) {
            let Data::Handler(handler) = &fact.data else { continue };
            let Some(name) = handler.name.known() else { continue };
            // A closure's place lies in the function that registers it, which is no request code.
            let held =
                || names.function_holding(fact.place).filter(|id| name.ends_with(&names.function(*id).item.name));
            open.extend(names.function_at(name).or_else(held));
        }
        let mut functions = HashSet::new();
        while let Some(function) = open.pop() {
            if functions.insert(function) {
                open.extend(names.calls(function).iter().filter(|call| call.certain).map(|call| call.target));
            }
        }
        Reach { functions }
    }

    /// Whether handlers reach the function.
    pub fn holds(&self, function: Option<FunctionId>) -> bool {
        function.is_some_and(|function| self.functions.contains(&function))
    }
}

//! Which facts a run asks for, and which parts of the linker make them.
//!
//! A part says which kinds of facts it makes (or completes) and which it reads. What nobody asks for is not made, and
//! Rust code that no part needs is not parsed.

use std::collections::BTreeSet;

use super::Part;
use super::needed::Asked;
use super::parts::PARTS;
use crate::facts::FactKind;

/// Kinds of facts that a run asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand {
    /// `None` asks for all.
    kinds: Option<BTreeSet<FactKind>>,
}

impl Demand {
    /// All kinds.
    pub fn everything() -> Demand {
        Demand { kinds: None }
    }

    /// These kinds and no other.
    pub fn of(kinds: impl IntoIterator<Item = FactKind>) -> Demand {
        Demand { kinds: Some(kinds.into_iter().collect()) }
    }

    /// Whether all kinds are asked for.
    pub fn is_everything(&self) -> bool {
        self.kinds.is_none()
    }

    /// Whether one of these kinds is asked for.
    pub fn asks(&self, kinds: &[FactKind]) -> bool {
        self.kinds.as_ref().is_none_or(|asked| kinds.iter().any(|kind| asked.contains(kind)))
    }

    /// Whether nothing but these kinds is asked for, of those that are in `among`.
    pub fn asks_only(&self, kinds: &[FactKind], among: &[FactKind]) -> bool {
        self.kinds
            .as_ref()
            .is_some_and(|asked| among.iter().filter(|kind| asked.contains(kind)).all(|kind| kinds.contains(kind)))
    }

    fn add(&mut self, kinds: &[FactKind]) {
        if let Some(asked) = &mut self.kinds {
            asked.extend(kinds);
        }
    }
}

/// Parts that run, with all that they are asked for: by rules, and by each other.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In order.
    pub parts: Vec<&'static Part>,
    /// What rules ask for and what the parts read of each other.
    pub demand: Demand,
    /// There may be services: who calls whom has to be known, and servers are looked for.
    pub has_services: bool,
    /// A part reads code as a whole, so that calls are followed.
    pub follows_calls: bool,
}

impl Plan {
    /// All parts, over all code.
    pub fn everything() -> Plan {
        let demand = Demand::everything();
        Plan { parts: PARTS.iter().collect(), demand, has_services: true, follows_calls: true }
    }

    /// The parts that a demand takes, and those whose facts these read.
    pub(super) fn of(asked: &Asked<'_>) -> Plan {
        let mut demand = asked.demand.clone();
        let mut chosen = vec![false; PARTS.len()];
        loop {
            let asked = Asked { demand: &demand, ..*asked };
            let next = PARTS.iter().zip(&chosen).position(|(part, chosen)| !chosen && part.is_asked(&asked));
            let Some(next) = next else { break };
            chosen[next] = true;
            demand.add(PARTS[next].reads);
        }
        let parts = PARTS.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(part, _)| part).collect();
        Plan { parts, demand, has_services: asked.has_services, follows_calls: asked.has_services }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::catalog::Catalog;
    use crate::link::workspace::Workspace;

    fn names(kinds: &[FactKind], has_services: bool) -> Vec<&'static str> {
        let demand = Demand::of(kinds.iter().copied());
        let (catalog, workspace) = (Catalog::default(), Workspace::default());
        let asked = Asked { demand: &demand, catalog: &catalog, workspace: &workspace, has_services };
        Plan::of(&asked).parts.iter().map(|part| part.name).collect()
    }

    #[test]
    fn what_nobody_asks_for_is_not_made() {
        assert_eq!(names(&[], false), ["secrets"]);
        assert_eq!(names(&[FactKind::Secret], true), ["routes", "secrets"]);
        assert_eq!(names(&[FactKind::Panic], false), ["secrets"]);
    }

    #[test]
    fn a_part_brings_the_parts_whose_facts_it_reads() {
        assert_eq!(names(&[FactKind::Probe], false), ["secrets", "containers", "probes"]);
        assert_eq!(names(&[FactKind::EnvRead], false), ["code", "secrets", "variables"]);
    }
}

//! Grace periods of deployment files against what the service's own draining may take.

use std::collections::BTreeSet;

use crate::facts::{Attr, Data, FactKind, Facts, ServiceId};
use crate::link::{Context, Linked};
use crate::scan::source::Role;

/// Fills in how long draining may take, and whether the grace period is enough for it.
pub fn tie(_context: &Context<'_>, linked: &mut Linked) {
    let drains: Vec<(BTreeSet<ServiceId>, f64)> = drains(&linked.facts);
    for fact in &mut linked.facts.all {
        let services = &fact.services;
        let Data::StopGrace(grace) = &mut fact.data else { continue };
        let own = drains.iter().filter(|(of, _)| of.iter().any(|service| services.contains(service)));
        let Some(drain) = own.map(|(_, seconds)| *seconds).reduce(f64::max) else { continue };
        grace.drain = Attr::Known(drain);
        grace.covers_drain = covers(&grace.seconds, &grace.pre_stop_sleep, drain);
    }
}

/// How long draining may take where the code says it in seconds.
fn drains(facts: &Facts) -> Vec<(BTreeSet<ServiceId>, f64)> {
    let shutdowns = facts.of(FactKind::Shutdown).filter(|(_, fact)| fact.role == Role::Service);
    let timeouts = shutdowns.filter_map(|(_, fact)| match &fact.data {
        Data::Shutdown(shutdown) if shutdown.drains.is_true() => {
            Some((fact.services.clone(), *shutdown.timeout.known()?))
        }
        _ => None,
    });
    timeouts.collect()
}

/// The hook runs within the grace period, before the signal is sent.
fn covers(grace: &Attr<f64>, sleep: &Attr<f64>, drain: f64) -> Attr<bool> {
    match (grace.known(), sleep) {
        (Some(grace), _) if *grace < drain => Attr::Known(false),
        (Some(grace), Attr::Known(sleep)) => Attr::Known(*grace >= sleep + drain),
        (Some(_), Attr::Unset) => Attr::Known(true),
        _ => Attr::Unknown,
    }
}

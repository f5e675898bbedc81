//! Why a rule that forbids facts of a kind does not report one of them.

use super::evaluate::{Params, Scope, Truth};
use super::judge;
use super::rules::{AttrPath, Check, Clause, Rule, Select, Test};
use super::settings::Settings;
use crate::facts::{Attr, Confidence, Fact, FactKind, Value};

/// A condition of a rule that a fact does not meet.
#[derive(Clone, Debug)]
pub enum Unmet<'r> {
    /// The rule is off in prodcheck.toml.
    Off,
    /// The rule does not look at code of the fact's role.
    Role,
    /// An attribute is not as the rule asks.
    Attribute {
        /// The attribute.
        path: &'r AttrPath,
        /// What the rule asks.
        asks: &'r Check,
        /// What the fact has.
        has: Attr<Value>,
    },
    /// A condition over several attributes does not hold.
    Several(&'r Test),
    /// The fact is not sure enough to count: shown with `--pedantic` only.
    Unsure,
}

/// Whether a rule forbids facts of a kind.
pub fn forbids(rule: &Rule, kind: FactKind) -> bool {
    selects(rule).iter().any(|select| select.kind == kind)
}

fn selects(rule: &Rule) -> &[Select] {
    match &rule.clause {
        Clause::Forbid { matches, .. } => matches,
        _ => &[],
    }
}

/// What keeps a rule from reporting a fact: of its alternatives the one that is nearest. Empty when nothing does.
pub fn of<'r>(rule: &'r Rule, fact: &Fact, scope: &Scope<'_>, settings: &Settings) -> Vec<Unmet<'r>> {
    if !settings.runs(rule) {
        return vec![Unmet::Off];
    }
    let params = judge::params(rule, settings.rules.get(&rule.id));
    let of_kind = selects(rule).iter().filter(|select| select.kind == fact.kind());
    let each = of_kind.map(|select| {
        let mut unmet = Vec::new();
        if !select.roles.contains(&fact.role) {
            unmet.push(Unmet::Role);
        }
        failing(&select.test, fact, scope, &params, &mut unmet);
        unmet
    });
    let mut nearest = each.min_by_key(Vec::len).unwrap_or_default();
    if nearest.is_empty() && fact.confidence.min(rule.confidence) == Confidence::Low {
        nearest.push(Unmet::Unsure);
    }
    nearest
}

fn failing<'r>(test: &'r Test, fact: &Fact, scope: &Scope<'_>, params: &Params, unmet: &mut Vec<Unmet<'r>>) {
    if scope.test(fact, test, params) == Truth::True {
        return;
    }
    match test {
        Test::All(list) => list.iter().for_each(|inner| failing(inner, fact, scope, params, unmet)),
        Test::Attr(path, asks) => unmet.push(Unmet::Attribute { path, asks, has: scope.value_at(fact, path) }),
        Test::Any(_) | Test::Not(_) => unmet.push(Unmet::Several(test)),
    }
}

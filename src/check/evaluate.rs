//! Three-valued logic over facts.

use std::collections::BTreeMap;

use super::rules::{AttrPath, Attribute, Check, Common, Operand, Scalar, Select, Test, When};
use crate::facts::{Attr, Confidence, Fact, FactId, FactKind, Facts, ServiceId, Value};
use crate::scan::source::Tree;

/// What a test can give.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It depends on what could not be resolved.
    Unknown,
    /// It holds.
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Truth {
        if holds { Truth::True } else { Truth::False }
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }
}

/// The least of them; true of none.
pub fn all(truths: impl Iterator<Item = Truth>) -> Truth {
    truths.min().unwrap_or(Truth::True)
}

/// The most of them; false of none.
pub fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    truths.max().unwrap_or(Truth::False)
}

/// The facts of a service or of the repository, by kind.
#[derive(Debug)]
pub struct Scope<'a> {
    facts: &'a Facts,
    tree: &'a Tree,
    by_kind: BTreeMap<FactKind, Vec<FactId>>,
}

impl<'a> Scope<'a> {
    /// Facts of a service; of the whole repository without one.
    pub fn new(facts: &'a Facts, tree: &'a Tree, service: Option<ServiceId>) -> Scope<'a> {
        let mut by_kind: BTreeMap<FactKind, Vec<FactId>> = BTreeMap::new();
        for (id, fact) in (0u32..).map(FactId).zip(&facts.all) {
            if service.is_none_or(|service| fact.services.contains(&service)) {
                by_kind.entry(fact.kind()).or_default().push(id);
            }
        }
        Scope { facts, tree, by_kind }
    }

    /// All facts of the repository, of this scope or not: links lead there.
    pub fn facts(&self) -> &'a Facts {
        self.facts
    }

    /// Facts of a kind in this scope.
    pub fn of(&self, kind: FactKind) -> impl Iterator<Item = (FactId, &'a Fact)> {
        let ids = self.by_kind.get(&kind).into_iter().flatten();
        ids.map(|id| (*id, self.facts.get(*id)))
    }

    /// The facts that a select looks at with what its test gives for each, those that fail left out.
    pub fn select(&self, select: &Select, params: &Params) -> Vec<(FactId, &'a Fact, Truth)> {
        self.of(select.kind)
            .filter(|(_, fact)| select.roles.contains(&fact.role))
            .map(|(id, fact)| (id, fact, self.test(fact, &select.test, params)))
            .filter(|(_, _, truth)| *truth != Truth::False)
            .collect()
    }

    /// Whether a condition holds. What rests on an unsure fact only is unknown.
    pub fn when(&self, when: &When, params: &Params) -> Truth {
        match when {
            When::All(list) => all(list.iter().map(|when| self.when(when, params))),
            When::Any(list) => any(list.iter().map(|when| self.when(when, params))),
            When::Not(when) => !self.when(when, params),
            When::Fact(select) => any(self.select(select, params).into_iter().map(|(_, fact, truth)| {
                if fact.confidence == Confidence::Low { truth.min(Truth::Unknown) } else { truth }
            })),
        }
    }

    /// Whether a fact passes a test.
    pub fn test(&self, fact: &Fact, test: &Test, params: &Params) -> Truth {
        match test {
            Test::All(list) => all(list.iter().map(|test| self.test(fact, test, params))),
            Test::Any(list) => any(list.iter().map(|test| self.test(fact, test, params))),
            Test::Not(test) => !self.test(fact, test, params),
            Test::Attr(path, wanted) => self.attribute(fact, &path.links, path.last, wanted, params),
        }
    }

    /// Through links: one linked fact that passes is enough, and no link is an attribute that is not set.
    fn attribute(&self, fact: &Fact, links: &[&str], last: Attribute, wanted: &Check, params: &Params) -> Truth {
        let Some((link, rest)) = links.split_first() else {
            return check(wanted, &self.value(fact, last), params);
        };
        match fact.data.get(link).unwrap_or_default() {
            Attr::Unknown => Truth::Unknown,
            Attr::Known(Value::Links(targets)) if !targets.is_empty() => {
                let targets = targets.iter().filter_map(|id| self.facts.all.get(id.0 as usize));
                any(targets.map(|target| self.attribute(target, rest, last, wanted, params)))
            }
            _ => check(wanted, &Attr::Unset, params),
        }
    }

    /// The value of an attribute of a fact.
    pub fn value(&self, fact: &Fact, attribute: Attribute) -> Attr<Value> {
        match attribute {
            Attribute::Own(name) => fact.data.get(name).unwrap_or_default(),
            Attribute::Common(Common::File) => Value::Text(self.tree.file(fact.place.file).path.clone()).into(),
            Attribute::Common(Common::Default) => Value::Flag(fact.is_default).into(),
            Attribute::Common(Common::Role) => Value::Text(fact.role.word().to_string()).into(),
        }
    }

    /// The value at the end of a path, through the first link of each step.
    pub fn value_at(&self, fact: &Fact, path: &AttrPath) -> Attr<Value> {
        let mut at = fact;
        for link in &path.links {
            match at.data.get(link).unwrap_or_default() {
                Attr::Known(Value::Links(targets)) if !targets.is_empty() => at = self.facts.get(targets[0]),
                Attr::Unknown => return Attr::Unknown,
                _ => return Attr::Unset,
            }
        }
        self.value(at, path.last)
    }
}

/// A rule's parameters after configuration.
pub type Params = BTreeMap<String, Scalar>;

/// Whether a value passes a check.
pub fn check(wanted: &Check, value: &Attr<Value>, params: &Params) -> Truth {
    match wanted {
        Check::Not(inner) => !check(inner, value, params),
        Check::All(list) => all(list.iter().map(|inner| check(inner, value, params))),
        Check::Any(list) => any(list.iter().map(|inner| check(inner, value, params))),
        Check::Exists(wanted) => Truth::from(exists(value) == *wanted),
        _ => match value {
            Attr::Unset => Truth::False,
            Attr::Unknown => Truth::Unknown,
            Attr::Known(value) => known(wanted, value, params),
        },
    }
}

/// An empty list is as good as none.
fn exists(value: &Attr<Value>) -> bool {
    match value {
        Attr::Unset => false,
        Attr::Known(Value::List(list)) => !list.is_empty(),
        Attr::Known(Value::Links(list)) => !list.is_empty(),
        _ => true,
    }
}

fn known(wanted: &Check, value: &Value, params: &Params) -> Truth {
    match (wanted, value) {
        (Check::Equals(operand), value) => is(operand, value, params).into(),
        (Check::In(operands), value) => operands.iter().any(|operand| is(operand, value, params)).into(),
        (Check::Matches(regex), Value::Text(text)) => regex.is_match(text).into(),
        (Check::Matches(regex), Value::List(list)) => list.iter().any(|text| regex.is_match(text)).into(),
        (Check::Contains(inner), Value::List(list)) => {
            any(list.iter().map(|text| check(inner, &Attr::Known(Value::Text(text.clone())), params)))
        }
        (Check::Contains(inner), Value::Text(text)) => contains(inner, text, params),
        (Check::Compare(relation, operand), Value::Number(number)) => match scalar(operand, params) {
            Some(Scalar::Number(other)) => relation.holds(*number, *other).into(),
            _ => Truth::False,
        },
        _ => Truth::False,
    }
}

fn contains(inner: &Check, text: &str, params: &Params) -> Truth {
    match inner {
        Check::Equals(operand) => match scalar(operand, params) {
            Some(Scalar::Text(part)) => text.contains(part.as_str()).into(),
            _ => Truth::False,
        },
        _ => check(inner, &Attr::Known(Value::Text(text.to_string())), params),
    }
}

fn is(operand: &Operand, value: &Value, params: &Params) -> bool {
    scalar(operand, params).is_some_and(|scalar| scalar.is(value))
}

fn scalar<'a>(operand: &'a Operand, params: &'a Params) -> Option<&'a Scalar> {
    match operand {
        Operand::Value(value) => Some(value),
        Operand::Param(name) => params.get(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::rules::Relation;

    const VALUES: &[Truth] = &[Truth::False, Truth::Unknown, Truth::True];

    #[test]
    fn the_logic_has_three_values() {
        use Truth::{False, True, Unknown};
        let table: Vec<(Truth, Truth)> = VALUES.iter().map(|value| (*value, !*value)).collect();
        assert_eq!(table, [(False, True), (Unknown, Unknown), (True, False)]);
        assert_eq!(all([True, Unknown].into_iter()), Unknown);
        assert_eq!(all([False, Unknown].into_iter()), False);
        assert_eq!(any([True, Unknown].into_iter()), True);
        assert_eq!(any([False, Unknown].into_iter()), Unknown);
        assert_eq!((all([].into_iter()), any([].into_iter())), (True, False));
    }

    #[test]
    fn each_check_on_what_is_set_unset_and_unresolved() {
        use Truth::{False, True, Unknown};
        let number = |value: f64| Check::Equals(Operand::Value(Scalar::Number(value)));
        let less = Check::Compare(Relation::Lt, Operand::Value(Scalar::Number(3.0)));
        let not = |check: Check| Check::Not(Box::new(check));
        let rows: &[(Check, [Truth; 3])] = &[
            (number(2.0), [True, False, Unknown]),
            (number(3.0), [False, False, Unknown]),
            (not(number(2.0)), [False, True, Unknown]),
            (less, [True, False, Unknown]),
            (Check::Exists(true), [True, False, True]),
            (Check::Exists(false), [False, True, False]),
            (not(Check::Exists(true)), [False, True, False]),
        ];
        for (wanted, expected) in rows {
            let values = [Attr::Known(Value::Number(2.0)), Attr::Unset, Attr::Unknown];
            let found = values.map(|value| check(wanted, &value, &Params::new()));
            assert_eq!(&found, expected, "{wanted:?}");
        }
    }

    #[test]
    fn lists_and_texts_contain() {
        let list = Attr::Known(Value::List(vec!["SIGTERM".into(), "SIGINT".into()]));
        let text = Attr::Known(Value::Text("a SIGTERM b".into()));
        let sigterm = Check::Contains(Box::new(Check::Equals(Operand::Param("signal".into()))));
        let params = Params::from([("signal".to_string(), Scalar::Text("SIGTERM".into()))]);
        assert_eq!(check(&sigterm, &list, &params), Truth::True);
        assert_eq!(check(&sigterm, &text, &params), Truth::True);
        assert_eq!(check(&sigterm, &Attr::Known(Value::List(Vec::new())), &params), Truth::False);
        assert_eq!(check(&Check::Exists(true), &Attr::Known(Value::List(Vec::new())), &params), Truth::False);
    }
}

//! What a rule asks, in words.

use crate::check::rules::{
    Anchor, AttrPath, Attribute, Check, Clause, Common, Operand, Relation, Rule, Select, Test, When,
};
use crate::scan::source::Role;

/// The clause of a rule and when it applies, a sentence each.
pub fn in_words(rule: &Rule) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(when) = &rule.when {
        said.push(format!("Applies where there is {}.", condition(when)));
    }
    match &rule.clause {
        Clause::Forbid { matches, evidence } => {
            said.push(format!("Reports {}.", either(matches, "every")));
            if !evidence.is_empty() {
                said.push(format!("Looks at {}.", either(evidence, "every")));
            }
        }
        Clause::Each { of, has } => said.push(format!("For every {}: {}.", select(of), test(has))),
        Clause::Require { any, anchors } => {
            said.push(format!("Wants {}.", either(any, "a")));
            let names: Vec<&str> = anchors.iter().filter_map(anchor_name).collect();
            if !names.is_empty() {
                said.push(format!("An absence is shown at the first of: {}.", names.join(", ")));
            }
        }
    }
    said
}

fn anchor_name(anchor: &Anchor) -> Option<&'static str> {
    Anchor::names().find(|name| Anchor::named(name) == Some(*anchor))
}

fn either(selects: &[Select], article: &str) -> String {
    let all: Vec<String> = selects.iter().map(|one| format!("{article} {}", select(one))).collect();
    all.join(", or ")
}

fn select(select: &Select) -> String {
    let mut said = format!("`{}`", select.kind.name());
    let tested = test(&select.test);
    if !tested.is_empty() {
        said.push_str(&format!(" where {tested}"));
    }
    if select.roles != [Role::Service] {
        let roles: Vec<&str> = select.roles.iter().map(|role| role.word()).collect();
        said.push_str(&format!(" (in {})", roles.join(", ")));
    }
    said
}

fn condition(when: &When) -> String {
    match when {
        When::All(list) => joined(list.iter().map(condition), " and "),
        When::Any(list) => joined(list.iter().map(condition), " or "),
        When::Not(inner) => format!("no {}", condition(inner)),
        When::Fact(fact) => format!("a {}", select(fact)).replace("no a ", "no "),
    }
}

/// A test in words.
pub fn test(of: &Test) -> String {
    match of {
        Test::All(list) => joined(list.iter().map(test), " and "),
        Test::Any(list) => bracketed(list.iter().map(test), " or "),
        Test::Not(inner) => format!("not ({})", test(inner)),
        Test::Attr(path, checked) => format!("{} {}", name(path), check(checked)),
    }
}

/// The name of an attribute, quoted.
pub fn name(path: &AttrPath) -> String {
    let last = match path.last {
        Attribute::Own(name) => name,
        Attribute::Common(common) => common_name(common),
    };
    let links: String = path.links.iter().map(|link| format!("{link}.")).collect();
    format!("`{links}{last}`")
}

fn common_name(common: Common) -> &'static str {
    Common::ALL.iter().find(|(_, known)| *known == common).map_or("", |(name, _)| name)
}

/// A check of an attribute in words.
pub fn check(of: &Check) -> String {
    match of {
        Check::Equals(operand) => format!("is {}", value(operand)),
        Check::In(operands) => format!("is one of {}", joined(operands.iter().map(value), ", ")),
        Check::Matches(regex) => format!("matches `{}`", regex.as_str()),
        Check::Exists(true) => "is set".to_string(),
        Check::Exists(false) => "is not set".to_string(),
        Check::Contains(inner) => format!("contains what {}", check(inner)),
        Check::Compare(relation, operand) => format!("is {} {}", relation_words(*relation), value(operand)),
        Check::Not(inner) => format!("not ({})", check(inner)),
        Check::All(list) => joined(list.iter().map(check), " and "),
        Check::Any(list) => bracketed(list.iter().map(check), " or "),
    }
}

fn relation_words(relation: Relation) -> &'static str {
    match relation {
        Relation::Lt => "less than",
        Relation::Le => "at most",
        Relation::Gt => "more than",
        Relation::Ge => "at least",
    }
}

fn value(operand: &Operand) -> String {
    match operand {
        Operand::Value(scalar) => format!("`{scalar}`"),
        Operand::Param(name) => format!("`${name}`"),
    }
}

fn joined(said: impl Iterator<Item = String>, between: &str) -> String {
    said.filter(|said| !said.is_empty()).collect::<Vec<_>>().join(between)
}

fn bracketed(said: impl Iterator<Item = String>, between: &str) -> String {
    let said: Vec<String> = said.filter(|said| !said.is_empty()).collect();
    if said.len() > 1 { format!("({})", said.join(between)) } else { said.join(between) }
}

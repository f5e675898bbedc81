//! Facts in a few words for people.

use super::rules::{Select, Test, When};
use crate::facts::{Attr, Fact, Value, vocabulary};

/// So many facts of one kind are named; more are counted.
const MOST_NAMED: usize = 2;

/// A value as words.
pub fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(list) => list.join(", "),
        Value::Links(links) => links.len().to_string(),
    }
}

/// The kinds that selects look for: `panic handler or middleware`.
pub fn kinds(selects: &[Select]) -> String {
    let mut words: Vec<String> = Vec::new();
    for select in selects {
        let word = select.kind.name().replace('_', " ");
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

/// What a condition that does not hold lacks: `no migration found`. A condition on what must not be there, or on what a
/// fact says, lacks nothing that has a name.
pub fn lacking(when: &When) -> Option<String> {
    let plain = |when: &When| match when {
        When::Fact(select) if matches!(&select.test, Test::All(tests) if tests.is_empty()) => Some(select.clone()),
        _ => None,
    };
    let selects: Vec<Select> = match when {
        When::Fact(_) => vec![plain(when)?],
        When::Any(list) => list.iter().map(plain).collect::<Option<_>>()?,
        When::All(_) | When::Not(_) => return None,
    };
    Some(format!("no {} found", kinds(&selects)))
}

/// What facts there are: `rate limit: tower_governor; 3 routes`.
pub fn facts(facts: &[&Fact]) -> String {
    let mut kinds: Vec<(&'static str, Vec<&Fact>)> = Vec::new();
    for fact in facts {
        let name = fact.kind().name();
        match kinds.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_kind)) => of_kind.push(fact),
            None => kinds.push((name, vec![fact])),
        }
    }
    let words: Vec<String> = kinds.iter().map(|(name, facts)| one_kind(&name.replace('_', " "), facts)).collect();
    words.join("; ")
}

fn one_kind(name: &str, facts: &[&Fact]) -> String {
    let mut says: Vec<String> = Vec::new();
    for said in facts.iter().filter_map(|fact| first_text(fact)) {
        if !says.contains(&said) {
            says.push(said);
        }
    }
    match (facts.len(), says.len()) {
        (1, 1) => format!("{name}: {}", says[0]),
        (1, _) => name.to_string(),
        (count, 1..=MOST_NAMED) => format!("{count} {}: {}", plural(name), says.join(", ")),
        (count, _) => format!("{count} {}", plural(name)),
    }
}

/// What an attribute that is a text says first.
fn first_text(fact: &Fact) -> Option<String> {
    let schema = vocabulary::schema(fact.kind().name())?;
    schema.attributes.iter().find_map(|attribute| match fact.data.get(attribute.name) {
        Some(Attr::Known(Value::Text(text))) if text.chars().count() <= 60 => Some(text),
        _ => None,
    })
}

/// The plural of a kind's name.
pub fn plural(name: &str) -> String {
    if let Some(stem) = name.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        return format!("{stem}ies");
    }
    if name.ends_with(['s', 'x']) || name.ends_with("ch") { format!("{name}es") } else { format!("{name}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::FactKind;

    #[test]
    fn a_condition_names_what_it_lacks_only_where_that_has_a_name() {
        let any = |kind| When::Fact(Select { kind, test: Test::All(Vec::new()), roles: Vec::new(), shows: None });
        assert_eq!(lacking(&any(FactKind::Migration)).as_deref(), Some("no migration found"));
        let either = When::Any(vec![any(FactKind::Pool), any(FactKind::Connection)]);
        assert_eq!(lacking(&either).as_deref(), Some("no pool or connection found"));
        assert_eq!(lacking(&When::Not(Box::new(any(FactKind::Pool)))), None);
        assert_eq!(lacking(&When::All(vec![any(FactKind::Pool)])), None);
    }

    #[test]
    fn plurals() {
        let words = ["query", "image", "authentication", "telemetry", "https", "fetch"].map(plural);
        assert_eq!(words, ["queries", "images", "authentications", "telemetries", "httpses", "fetches"]);
    }
}

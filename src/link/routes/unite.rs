//! The value of an expression whose branches give several values.

use std::collections::BTreeMap;

use super::evaluate::Evaluator;
use super::value::{LayerId, Router, Value, add_layers};

/// Both values as one: routers hold the routes of both, what is unknown gives way.
pub fn unite<'a>(evaluator: &mut Evaluator<'a>, first: Value<'a>, second: Value<'a>) -> Value<'a> {
    match (first, second) {
        (Value::Unknown, other) | (other, Value::Unknown) => other,
        (Value::Router(mut a), Value::Router(b)) => {
            unite_routers(evaluator, &mut a, *b);
            Value::Router(a)
        }
        (Value::Layers(mut a), Value::Layers(b)) => {
            mark_conditional(evaluator, &a, &b);
            add_layers(&mut a, &b);
            Value::Layers(a)
        }
        (Value::List(mut a), Value::List(b)) => {
            a.extend(b);
            Value::List(a)
        }
        (Value::Tuple(a), Value::Tuple(b)) if a.len() == b.len() => {
            Value::Tuple(a.into_iter().zip(b).map(|(a, b)| unite(evaluator, a, b)).collect())
        }
        (Value::Struct(ty, a), Value::Struct(other, b)) if ty == other => {
            Value::Struct(ty, unite_fields(evaluator, a, b))
        }
        (Value::Filter(mut a), Value::Filter(b)) => {
            a.extend(b);
            Value::Filter(a)
        }
        (Value::Methods(mut a), Value::Methods(b)) if a.path == b.path => {
            a.answers.extend(b.answers);
            Value::Methods(a)
        }
        (Value::Text(mut a), Value::Text(b)) => {
            if a != b {
                a.configured = true;
            }
            Value::Text(a)
        }
        (a, b) if b.matters() && !a.matters() => b,
        (a, _) => a,
    }
}

fn unite_fields<'a>(
    evaluator: &mut Evaluator<'a>,
    mut a: BTreeMap<String, Value<'a>>,
    b: BTreeMap<String, Value<'a>>,
) -> BTreeMap<String, Value<'a>> {
    for (name, value) in b {
        let before = a.remove(&name).unwrap_or_default();
        let both = unite(evaluator, before, value);
        a.insert(name, both);
    }
    a
}

fn unite_routers<'a>(evaluator: &mut Evaluator<'a>, a: &mut Router<'a>, b: Router<'a>) {
    for entry in b.entries {
        if let Some(at) = a.entries.iter().position(|known| known.same(&entry)) {
            mark_conditional(evaluator, &a.entries[at].layers, &entry.layers);
            add_layers(&mut a.entries[at].layers, &entry.layers);
        } else {
            a.entries.push(entry);
        }
    }
    mark_conditional(evaluator, &a.own_layers, &b.own_layers);
    add_layers(&mut a.own_layers, &b.own_layers);
    for place in b.places {
        if !a.places.contains(&place) {
            a.places.push(place);
        }
    }
    if a.fallback.is_none() {
        a.fallback = b.fallback;
    }
}

/// What only one branch applies is conditional.
fn mark_conditional(evaluator: &mut Evaluator<'_>, a: &[LayerId], b: &[LayerId]) {
    let only_one = a.iter().filter(|layer| !b.contains(layer)).chain(b.iter().filter(|layer| !a.contains(layer)));
    for layer in only_one {
        evaluator.layers[layer.0].conditional = true;
    }
}

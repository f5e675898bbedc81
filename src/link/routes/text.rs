//! Strings and numbers: literals, `format!`, concatenation, and the methods paths are built with.

use super::evaluate::{Evaluator, Frame};
use super::value::{Text, Value};
use crate::parse::rust::ast::{Literal, MacroArgument, MacroCall};

/// The value of a literal.
pub fn literal<'a>(literal: &Literal) -> Value<'a> {
    let text = match literal {
        Literal::Text(text) | Literal::Bytes(text) => text.clone(),
        Literal::Integer(Some(number)) => number.to_string(),
        Literal::Float(number) => number.to_string(),
        Literal::Char(c) => c.to_string(),
        Literal::Flag(flag) => flag.to_string(),
        Literal::Integer(None) => return Value::Unknown,
    };
    Value::Text(Text::literal(&text))
}

/// The value of an arithmetic expression, or of `+` on strings.
pub fn binary<'a>(operator: &str, left: Value<'a>, right: Value<'a>) -> Value<'a> {
    let (Some(a), Some(b)) = (left.text(), right.text()) else {
        return match (operator, left, right) {
            ("+", Value::Text(text), _) => Value::Text(Text { complete: false, ..text }),
            ("+", _, Value::Text(text)) => Value::Text(Text { complete: false, ..text }),
            _ => Value::Unknown,
        };
    };
    let configured = a.configured || b.configured;
    let complete = a.complete && b.complete;
    let text = match (number(a), number(b), operator) {
        (Some(a), Some(b), "*") => (a * b).to_string(),
        (Some(a), Some(b), "+") => (a + b).to_string(),
        (Some(a), Some(b), "-") => (a - b).to_string(),
        (Some(a), Some(b), "/") if b != 0.0 => (a / b).to_string(),
        (Some(a), Some(b), "<<") => (a * b.exp2()).to_string(),
        (_, _, "+") => format!("{}{}", a.text, b.text),
        _ => return Value::Unknown,
    };
    Value::Text(Text { text, complete, configured })
}

/// A text as number.
pub fn number(text: &Text) -> Option<f64> {
    text.complete.then(|| text.text.replace('_', "").parse().ok()).flatten()
}

/// A text as index.
pub fn whole(text: &Text) -> Option<usize> {
    text.complete.then(|| text.text.parse().ok()).flatten()
}

/// `text[from..to]`. Each bound is absent, unknown (`Some(None)`) or a number; with an unknown one, or one that does
/// not fit, nothing of the text is known to stay.
pub fn slice<'a>(text: &Text, from: Option<Option<f64>>, to: Option<Option<f64>>) -> Value<'a> {
    let position = |bound: Option<Option<f64>>, absent: usize| match bound {
        None => Some(absent),
        Some(number) => number.filter(|number| *number >= 0.0).and_then(|number| number.to_string().parse().ok()),
    };
    let piece = position(from, 0)
        .zip(position(to, text.text.len()))
        .filter(|_| text.complete)
        .and_then(|(from, to)| text.text.get(from..to));
    Value::Text(match piece {
        Some(piece) => Text { text: piece.to_string(), ..text.clone() },
        None => Text { text: String::new(), complete: false, configured: text.configured },
    })
}

/// Strings one after the other; what is unknown at the start is left out, and inside a placeholder.
pub fn concatenate<'a>(parts: &[Value<'_>]) -> Value<'a> {
    let mut all = Text { complete: true, ..Text::default() };
    for part in parts {
        match part.text() {
            Some(part) => push(&mut all, part),
            None => push_hole(&mut all, "value"),
        }
    }
    Value::Text(all)
}

fn push(to: &mut Text, part: &Text) {
    if part.complete || !part.text.is_empty() {
        to.text.push_str(&part.text);
    } else {
        push_hole(to, "value");
    }
    to.complete &= part.complete;
    to.configured |= part.configured;
}

fn push_hole(to: &mut Text, name: &str) {
    to.complete = false;
    if !to.text.trim_matches('/').is_empty() {
        to.text.push('{');
        to.text.push_str(name);
        to.text.push('}');
    }
}

/// `format!("..", ..)`.
pub fn format<'a>(evaluator: &mut Evaluator<'a>, frame: &mut Frame<'a>, call: &'a MacroCall) -> Value<'a> {
    let Some((pattern, _)) = call.message() else { return Value::Unknown };
    let positional: Vec<&MacroArgument> =
        call.arguments.iter().filter(|argument| argument.name.is_none()).skip(1).collect();
    let mut all = Text { complete: true, ..Text::default() };
    let mut next = 0;
    for piece in pieces(pattern) {
        match piece {
            Piece::Text(text) => all.text.push_str(&text),
            Piece::Hole(name) => {
                let argument = hole_argument(call, &positional, &name, &mut next);
                let value = match argument {
                    Some(argument) => evaluator.eval(frame, &argument.value),
                    None => frame.get(&name).cloned().unwrap_or_default(),
                };
                let value = match (&value, argument) {
                    (Value::Unknown, None) => constant_named(evaluator, frame, &name),
                    _ => value,
                };
                match value.text() {
                    Some(text) => push(&mut all, text),
                    None => push_hole(&mut all, if name.is_empty() { "value" } else { &name }),
                }
            }
        }
    }
    Value::Text(all)
}

fn constant_named<'a>(evaluator: &mut Evaluator<'a>, frame: &Frame<'a>, name: &str) -> Value<'a> {
    let path = evaluator.resolve(frame, &[name.to_string()]);
    evaluator.constant(&path).unwrap_or_default()
}

fn hole_argument<'m>(
    call: &'m MacroCall,
    positional: &[&'m MacroArgument],
    name: &str,
    next: &mut usize,
) -> Option<&'m MacroArgument> {
    if name.is_empty() {
        *next += 1;
        return positional.get(*next - 1).copied();
    }
    if let Ok(at) = name.parse::<usize>() {
        return positional.get(at).copied();
    }
    call.arguments.iter().find(|argument| argument.name.as_deref() == Some(name))
}

enum Piece {
    Text(String),
    Hole(String),
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut text = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                text.push(c);
            }
            '{' => {
                out.push(Piece::Text(std::mem::take(&mut text)));
                let inside: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let name = inside.split(':').next().unwrap_or("").trim().to_string();
                out.push(Piece::Hole(name));
            }
            c => text.push(c),
        }
    }
    out.push(Piece::Text(text));
    out
}

/// A method of a string or number.
pub fn method<'a>(text: Text, name: &str, arguments: &[Value<'a>]) -> Value<'a> {
    let argument = |at: usize| arguments.get(at).and_then(Value::text);
    let text = match name {
        "replace" | "replacen" => match (argument(0), argument(1)) {
            (Some(from), Some(to)) if !from.text.is_empty() => {
                Text { text: text.text.replace(&from.text, &to.text), ..text }
            }
            _ => text,
        },
        "trim_end_matches" | "strip_suffix" => match argument(0) {
            Some(end) if !end.text.is_empty() => {
                Text { text: text.text.trim_end_matches(end.text.as_str()).to_string(), ..text }
            }
            _ => text,
        },
        "trim_start_matches" | "strip_prefix" => match argument(0) {
            Some(start) if !start.text.is_empty() => {
                Text { text: text.text.trim_start_matches(start.text.as_str()).to_string(), ..text }
            }
            _ => text,
        },
        "to_lowercase" | "to_ascii_lowercase" => Text { text: text.text.to_lowercase(), ..text },
        "unwrap_or" | "unwrap_or_else" | "unwrap_or_default" | "or" | "map_or" if text.configured => {
            return match argument(0) {
                Some(default) if text.text.is_empty() => Evaluator::configured(Some(default)),
                _ => Value::Text(text),
            };
        }
        "len" if text.complete && !text.configured => Text::literal(&text.text.len().to_string()),
        "len" | "is_empty" | "split" | "chars" | "contains" | "starts_with" | "ends_with" | "bytes" | "lines" => {
            return Value::Unknown;
        }
        "megabytes" | "mebibytes" => scaled(text, 1024.0 * 1024.0),
        "kilobytes" | "kibibytes" => scaled(text, 1024.0),
        "gigabytes" | "gibibytes" => scaled(text, 1024.0 * 1024.0 * 1024.0),
        _ => text,
    };
    Value::Text(text)
}

/// A number multiplied.
pub fn scaled(text: Text, by: f64) -> Text {
    match number(&text) {
        Some(number) => Text { text: (number * by).to_string(), ..text },
        None => Text { complete: false, ..text },
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, Value, binary, concatenate};

    #[test]
    fn unknown_starts_are_left_out_and_unknown_middles_are_parameters() {
        let known = |text: &str| Value::Text(Text::literal(text));
        let start = concatenate(&[Value::Unknown, known("/api")]);
        assert_eq!(start.text().map(|text| text.text.as_str()), Some("/api"));
        let middle = concatenate(&[known("/api/"), Value::Unknown, known("/x")]);
        assert_eq!(middle.text().map(|text| (text.text.as_str(), text.complete)), Some(("/api/{value}/x", false)));
    }

    #[test]
    fn sizes_are_multiplied() {
        let value = binary("*", Value::Text(Text::literal("2")), Value::Text(Text::literal("1024")));
        assert_eq!(value.text().map(|text| text.text.as_str()), Some("2048"));
    }
}

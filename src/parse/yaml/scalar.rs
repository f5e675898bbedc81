//! What a plain scalar means: null, boolean, number or text.

use crate::parse::document::Value;

/// Digits beyond which a number would lose some.
const DIGITS: usize = 15;

/// The value of a scalar that stands without quotes and tag.
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ => number(text).map_or_else(|| Value::Text { text: text.into(), quoted: false }, Value::Number),
    }
}

/// Leading zeros and long runs of digits stay text: they are modes, ids and tags more often than amounts.
#[allow(clippy::cast_precision_loss)]
fn number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().map(|number| number as f64);
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = body.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    let zero_first = body.len() > 1 && body.starts_with('0') && body.as_bytes()[1].is_ascii_digit();
    if !plain || digits == 0 || digits > DIGITS || zero_first || body.starts_with(['e', 'E']) {
        return None;
    }
    text.parse().ok()
}

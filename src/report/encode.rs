//! Serialised JSON in which no character can reorder or hide what a person reads of it.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use super::quote::is_dangerous;

/// A value as indented JSON with a final line break.
pub fn to_json(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Escaping(PrettyFormatter::new()));
    // Writing plain data to memory fails for maps with keys that are no strings only, which no report has.
    if value.serialize(&mut serializer).is_err() {
        return String::from("null\n");
    }
    out.push(b'\n');
    String::from_utf8(out).unwrap_or_default()
}

/// Indents, and writes what [`is_dangerous`] as `\u` escapes: the value stays the same.
struct Escaping(PrettyFormatter<'static>);

/// Passes a call on to the formatter inside.
macro_rules! pass_on {
    ($( $name:ident ( $($argument:ident : $ty:ty)? ) )*) => { $(
        fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $argument: $ty)?) -> io::Result<()> {
            self.0.$name(writer $(, $argument)?)
        }
    )* };
}

impl Formatter for Escaping {
    pass_on! {
        begin_array() end_array() begin_array_value(first: bool) end_array_value()
        begin_object() end_object() begin_object_key(first: bool) begin_object_value() end_object_value()
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\u{7f}') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for letter in fragment.chars() {
            if is_dangerous(letter) {
                for unit in letter.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                write!(writer, "{letter}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dangerous_characters_are_escaped_and_keep_their_value() {
        let text = "a\u{202e}b \u{9b} é 🦀 \u{7f} \u{1b}";
        let json = to_json(&[text]);
        assert!(json.contains("\\u202e") && json.contains("\\u009b") && json.contains("é 🦀"), "{json}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
    }
}

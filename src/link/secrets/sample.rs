//! Makes values that look like secrets: no such value stands in the repository, tests and fixtures make them.

use super::checks;
use super::kinds;

/// A value of a kind of secret; the same for the same seed. `None` for a kind that is not known.
pub fn sample(kind: &str, seed: u64) -> Option<String> {
    let template = match kind {
        "password" => "Kx7{alnum:9}!Qz",
        "random" => "{alnum:40}",
        "hex" => "{hex:64}",
        "base64" => "{base64:44}",
        _ => kinds::all().kinds.iter().find(|known| known.id == kind)?.matches.first()?,
    };
    Some(expand(template, seed))
}

/// Fills in `{alnum:N}`, `{letters:N}`, `{upper:N}`, `{lower:N}`, `{digit:N}`, `{hex:N}`, `{HEX:N}`, `{base64:N}`, `{b64url:N}`,
/// `{base32:N}`, `{uuid}`, `{crc62}` (the checksum of the 30 characters before it), `{jwt}` and `{pem}`.
pub fn expand(template: &str, seed: u64) -> String {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d);
    (0..16).for_each(|_| {
        random.next();
    });
    let mut made = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        made.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let field =
            rest.split_once('}').and_then(|(field, after)| Some((field_value(field, &made, &mut random)?, after)));
        match field {
            Some((filled, after)) => {
                made.push_str(&filled);
                rest = after;
            }
            None => made.push('{'),
        }
    }
    made.push_str(rest);
    made
}

fn field_value(field: &str, before: &str, random: &mut Random) -> Option<String> {
    let (name, length) = field.split_once(':').unwrap_or((field, "0"));
    let length = length.parse().ok()?;
    let alphabet = match name {
        "alnum" => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "letters" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "upper" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "lower" => "abcdefghijklmnopqrstuvwxyz0123456789",
        "digit" => "1234567890",
        "hex" => "0123456789abcdef",
        "HEX" => "0123456789ABCDEF",
        "base64" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "b64url" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        "base32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "uuid" => {
            let part = |length, random: &mut Random| random.text("0123456789abcdef", length);
            let parts = [8, 4, 4, 4, 12].map(|length| part(length, random));
            return Some(parts.join("-"));
        }
        "crc62" => return Some(checks::crc62(before.get(before.len().checked_sub(30)?..)?)),
        "jwt" => return Some(jwt(random)),
        "pem" => return Some(pem_body(random)),
        _ => return None,
    };
    Some(random.text(alphabet, length))
}

fn jwt(random: &mut Random) -> String {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let subject = random.text("0123456789", 10);
    let header = engine.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = engine.encode(format!(r#"{{"sub":"{subject}","iat":1700000000}}"#));
    let signature = random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 43);
    format!("{header}.{claims}.{signature}")
}

fn pem_body(random: &mut Random) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let lines: Vec<String> = (0..6).map(|_| random.text(alphabet, 64)).collect();
    lines.join("\n")
}

/// Xorshift: good enough for values that only have to look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let count = letters.len() as u64;
        (0..length).map(|_| letters[usize::try_from(self.next() % count).unwrap_or(0)]).collect()
    }
}

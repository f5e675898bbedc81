//! Checks that a token's format makes possible: checksums and inner structure.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::shape;

/// What a check says of a value that matched a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checked {
    /// The structure is right.
    Good,
    /// Cannot be told; the match is less sure.
    Unsure,
    /// It is none of its kind.
    Wrong,
}

/// A check: the match and what the pattern captured.
pub type Check = fn(&str) -> Checked;

/// Checks by the name that the catalog uses.
pub const CHECKS: &[(&str, Check)] = &[
    ("crc62", ends_in_crc),
    ("jwt", is_jwt),
    ("pem", is_pem),
    ("base64-text", is_base64_text),
    ("basic-login", is_login),
    ("digits-and-letters", mixed),
    ("random-tail", random_tail),
];

/// The CRC-32 of a text in base 62, six characters.
pub fn crc62(text: &str) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// Tokens of 30 random characters and the checksum of these: without it, nobody gave them out.
fn ends_in_crc(value: &str) -> Checked {
    let body = value.rsplit('_').next().unwrap_or(value);
    match (body.get(..body.len().saturating_sub(6)), body.get(body.len().saturating_sub(6)..)) {
        (Some(random), Some(sum)) if random.len() >= 30 && crc62(random) == sum => Checked::Good,
        _ => Checked::Wrong,
    }
}

fn is_jwt(value: &str) -> Checked {
    let mut parts = value.split('.');
    let (Some(header), Some(_), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Checked::Wrong;
    };
    let Ok(header) = URL_SAFE_NO_PAD.decode(header) else { return Checked::Wrong };
    let known = serde_json::from_slice::<serde_json::Value>(&header).is_ok_and(|header| header.get("alg").is_some());
    if !known || shape::entropy(signature) < 3.0 {
        return Checked::Wrong;
    }
    Checked::Good
}

/// A key has some hundred characters of base 64; an example has three dots.
fn is_pem(value: &str) -> Checked {
    let body: String = value
        .replace("\\n", "\n")
        .lines()
        .filter(|line| !line.contains("-----") && !line.contains(':'))
        .flat_map(|line| {
            line.chars()
                .filter(|character| character.is_ascii_alphanumeric() || "+/".contains(*character))
                .collect::<Vec<_>>()
        })
        .collect();
    if body.len() < 40 || shape::is_sequence(&body) || shape::entropy(&body) < 3.5 {
        return Checked::Wrong;
    }
    Checked::Good
}

fn is_base64_text(value: &str) -> Checked {
    let decoded = decode(value).and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded {
        Some(text) if text.chars().all(|character| !character.is_control()) => Checked::Good,
        _ => Checked::Wrong,
    }
}

/// Base 64 of `user:password`.
fn is_login(value: &str) -> Checked {
    let decoded = decode(value).and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
        return Checked::Wrong;
    };
    let typed = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if typed(user) && typed(password) { Checked::Good } else { Checked::Wrong }
}

fn mixed(value: &str) -> Checked {
    let digits = value.bytes().any(|byte| byte.is_ascii_digit());
    let letters = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    if digits && letters { Checked::Good } else { Checked::Wrong }
}

/// Numbers in base 64 are full of zeros, to their end; a random value is not.
fn random_tail(value: &str) -> Checked {
    let tail = &value.as_bytes()[value.len().saturating_sub(40)..];
    if tail.windows(3).any(|three| three == b"AAA") { Checked::Wrong } else { Checked::Good }
}

/// Base 64 with or without padding.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    STANDARD.decode(&text).or_else(|_| STANDARD_NO_PAD.decode(&text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_zip_files() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc62("").len(), 6);
    }
}

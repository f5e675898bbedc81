//! Configuration: .env families, ignore files, environments.

mod contexts;
pub mod debug_modes;
pub mod env_files;
pub mod environments;
pub mod ignores;
pub mod key_sets;
pub mod loco;
pub mod rocket;
pub mod sops;
pub mod words;

/// Bytes of `5mb`, `1 MiB`, `64 kB`, `2097152`.
fn bytes(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..split].parse().ok()?;
    let unit = match text[split..].trim() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "kib" => 1024.0,
        "mb" => 1e6,
        "mib" => 1_048_576.0,
        "gb" => 1e9,
        "gib" => 1_073_741_824.0,
        _ => return None,
    };
    Some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("5mb", Some(5e6)),
            ("1 MiB", Some(1_048_576.0)),
            ("64 kB", Some(64_000.0)),
            ("12", Some(12.0)),
            ("x", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}

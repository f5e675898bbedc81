//! Values that look like secrets, made when tests run: none stands in the repository.

/// Kinds of secrets with the shape of a value: text as it is, `<N class>` for N characters of a class, and `<checksum>` for that of
/// the 30 characters before it.
const KINDS: &[(&str, &str)] = &[
    ("password", "<20 word>"),
    ("hex", "<64 hex>"),
    ("base64", "<43 word>="),
    ("aws-access-key", "AKIA<16 base32>"),
    ("aws-secret-key", "<40 word>"),
    ("gcp-api-key", "AIza<35 word>"),
    ("github-token", "ghp_<30 word><checksum>"),
    ("gitlab-token", "glpat-<20 word>"),
    ("slack-token", "xoxb-<12 digit>-<12 digit>-<24 word>"),
    ("stripe-key", "sk_live_<24 word>"),
    ("sendgrid-key", "SG.<22 word>.<43 word>"),
    ("twilio-key", "SK<32 hex>"),
    ("openai-key", "sk-proj-<20 word>T3BlbkFJ<20 word>"),
    ("anthropic-key", "sk-ant-api03-<93 word>AA"),
    ("npm-token", "npm_<30 word><checksum>"),
    ("segment-key", "<32 word>"),
    ("netlify-token", "nfp_<36 word>"),
    ("webhook-secret", "whsec_<32 word>"),
    ("pypi-token", "pypi-AgEIcHlwaS5vcmc<70 word>"),
    ("crates-io-token", "cio<32 word>"),
    ("telegram-token", "<10 digit>:AA<33 word>"),
    ("discord-token", "M<23 word>.<6 word>.<27 word>"),
    ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI<16 word>.<43 word>"),
];

/// Text with every `{{secret:KIND}}` replaced; the same kind gives the same value, and `KIND#2` another.
pub fn expand(text: &str) -> String {
    const OPEN: &str = "{{secret:";
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (kind, after) = after.split_once("}}").expect("a secret's placeholder ends with }}");
        out.push_str(before);
        out.push_str(&value(kind));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(kind: &str) -> String {
    let name = kind.split('#').next().unwrap();
    if name == "private-key" {
        return private_key(kind);
    }
    let known = KINDS.iter().find(|(known, _)| *known == name);
    let names = || KINDS.iter().map(|(name, _)| *name).chain(["private-key"]).collect::<Vec<_>>().join(", ");
    let (_, shape) = known.unwrap_or_else(|| panic!("no kind of secret is called {name}; known: {}", names()));
    let mut letters = Letters::of(kind);
    let mut out = String::new();
    let mut rest = *shape;
    while let Some((before, after)) = rest.split_once('<') {
        let (class, after) = after.split_once('>').unwrap();
        out.push_str(before);
        if class == "checksum" {
            out = prodcheck::link::secrets::sample::expand(&format!("{out}{{crc62}}"), 0);
            rest = after;
            continue;
        }
        let (count, class) = class.split_once(' ').unwrap();
        out.push_str(&letters.take(count.parse().unwrap(), class));
        rest = after;
    }
    out + rest
}

fn private_key(seed: &str) -> String {
    let mut letters = Letters::of(seed);
    let lines: Vec<String> = (0..6).map(|_| letters.take(64, "word")).collect();
    let kind = ["PRIVATE", "KEY"].join(" ");
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----", lines.join("\n"))
}

/// Characters without a pattern, the same for the same seed.
struct Letters(u64);

impl Letters {
    fn of(seed: &str) -> Letters {
        Letters(xxhash_rust::xxh3::xxh3_64(seed.as_bytes()))
    }

    fn take(&mut self, count: usize, class: &str) -> String {
        let from: &[u8] = match class {
            "digit" => b"0123456789",
            "hex" => b"0123456789abcdef",
            "base32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "word" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            other => panic!("no class of characters is called {other}"),
        };
        (0..count).map(|_| char::from(from[self.next() % from.len()])).collect()
    }

    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as usize
    }
}

#[test]
fn placeholders_become_values() {
    let text = expand("a = \"{{secret:aws-access-key}}\" b = {{secret:password}} c = {{secret:password#2}}");
    let words: Vec<&str> = text.split(' ').collect();
    assert!(words[2].starts_with("\"AKIA") && words[2].len() == 22, "{text}");
    assert_ne!(words[5], words[8]);
    assert_eq!(text, expand("a = \"{{secret:aws-access-key}}\" b = {{secret:password}} c = {{secret:password#2}}"));
}

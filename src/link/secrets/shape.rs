//! What a literal looks like, whatever name it is given.

/// What a value looks like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Shape {
    /// Nothing that could be a secret; the reason in words.
    Nothing(&'static str),
    /// Text that asks to be replaced: `changeme`, `<your-key>`.
    Placeholder,
    /// One of the passwords everybody knows: `password`, `admin`, `postgres`.
    Weak,
    /// Plain words: `my-super-secret`.
    Words,
    /// Something a person could have thought of: letters with digits or signs.
    Plain,
    /// Random-looking.
    Random,
}

/// Passwords that stand in every list.
const WEAK: &[&str] = &[
    "admin",
    "administrator",
    "root",
    "password",
    "passwd",
    "pass",
    "secret",
    "postgres",
    "mysql",
    "mariadb",
    "redis",
    "rabbitmq",
    "guest",
    "user",
    "username",
    "test",
    "testing",
    "dev",
    "develop",
    "development",
    "local",
    "localhost",
    "default",
    "letmein",
    "qwerty",
    "welcome",
    "master",
    "sa",
    "minio",
    "minioadmin",
    "mongo",
    "mongodb",
    "app",
    "docker",
    "demo",
    "pwd",
    "pg",
    "db",
    "database",
    "key",
    "token",
    "apikey",
    "foo",
    "bar",
    "foobar",
    "abc",
    "abcd",
    "hunter",
    "temp",
    "toor",
    "iloveyou",
    "monkey",
    "dragon",
];

/// Stretches that only text to be replaced has.
const PLACEHOLDERS: &[&str] = &[
    "changeit",
    "changeme",
    "change-me",
    "change_me",
    "changethis",
    "change-this",
    "change_this",
    "change this",
    "change me",
    "replace",
    "your-",
    "your_",
    "your ",
    "yourpassword",
    "yoursecret",
    "yourkey",
    "yourtoken",
    "youra",
    "example",
    "placeholder",
    "todo",
    "fixme",
    "tbd",
    "xxx",
    "***",
    "dummy",
    "fake",
    "sample",
    "insert",
    "redacted",
    "masked",
    "hidden",
    "goes-here",
    "goes_here",
    "goes here",
    "-here",
    "_here",
    " here",
    "put-",
    "put_",
    "enter-",
    "enter_",
    "fill-in",
    "fill_in",
    "fill in",
    "set-me",
    "set_me",
    "setme",
    "not-a-real",
    "not_a_real",
    "notreal",
    "not-real",
    "not-used",
    "unused",
    "ignored",
    "lorem",
    "some-secret",
    "some_secret",
    "somesecret",
    "mysecretkeyhere",
    "n/a",
    "to-be-",
    "to_be_",
    "not set",
    "not-set",
    "notset",
    "generate",
    "run openssl",
    "mock",
];

/// Beginnings of values that point elsewhere.
const REFERENCES: &[&str] = &[
    "${",
    "$(",
    "$",
    "{{",
    "{%",
    "<%",
    "%(",
    "#{",
    "@{",
    "!ref",
    "!sub",
    "arn:",
    "enc[",
    "vault:",
    "op://",
    "ssm:",
    "sm://",
    "gcp:",
    "awssm",
    "aws-sm",
    "secretsmanager:",
    "resolve:",
    "{cipher}",
    "ref+",
    "file:",
    "env:",
    "env(",
    "env.",
    "process.env",
    "os.environ",
    "os.getenv",
    "secrets.",
    "vars.",
    "var.",
    "local.",
    "data.",
    "module.",
    "output.",
    "@microsoft.keyvault",
    "projects/",
    "secretkeyref",
    "valuefrom",
    "sealed:",
    "pkcs11:",
    "age1",
    "/run/",
    "configmap:",
    "secret:",
    "keyring:",
    "akv:",
    "doppler:",
    "infisical:",
    "bws:",
];

const HASHES: &[&str] = &[
    "$2a$",
    "$2b$",
    "$2y$",
    "$argon2",
    "$scrypt$",
    "$pbkdf2",
    "$1$",
    "$5$",
    "$6$",
    "$y$",
    "{ssha",
    "{sha",
    "sha256:",
    "sha256-",
    "sha384-",
    "sha512-",
    "sha512:",
    "sha1:",
    "md5:",
    "pbkdf2_sha256$",
    "bcrypt:",
    "md5",
];

/// Words that are values of settings whose names sound secret: kinds of tokens, ways to authenticate, switches.
const SETTINGS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "empty",
    "bearer",
    "basic",
    "digest",
    "jwt",
    "opaque",
    "hs256",
    "hs384",
    "hs512",
    "rs256",
    "rs512",
    "es256",
    "eddsa",
    "ed25519",
    "optional",
    "required",
    "string",
    "text",
    "number",
    "boolean",
    "write",
    "read",
    "public",
    "private",
    "header",
    "cookie",
    "query",
    "body",
    "env",
    "file",
    "vault",
    "plain",
    "plaintext",
    "md5",
    "scram-sha-256",
    "trust",
    "hidden",
    "masked",
    "sensitive",
    "auto",
    "random",
    "inherit",
    "enabled",
    "disabled",
    "latest",
    "stable",
    "session",
    "client_credentials",
    "refresh_token",
    "access_token",
    "authorization_code",
    "mandatory",
    "always",
    "never",
    "any",
    "all",
    "bcrypt",
    "argon2",
    "argon2id",
    "scrypt",
    "pbkdf2",
    "sha256",
    "sha-256",
    "sha512",
    "aes-256-gcm",
    "client_secret_basic",
    "client_secret_post",
    "api_key",
    "apikey",
    "next",
    "current",
    "previous",
    "old",
    "new",
];

/// What a value looks like.
pub fn of(value: &str) -> Shape {
    let value = value.trim();
    if let Some(reason) = nothing(value) {
        return Shape::Nothing(reason);
    }
    let lower = value.to_ascii_lowercase();
    if is_placeholder(&lower) {
        return Shape::Placeholder;
    }
    if lower.len() >= 16 && lower.bytes().all(|byte| lower.starts_with(char::from(byte))) {
        return Shape::Placeholder;
    }
    let core = lower.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '!' | '@' | '#'));
    if WEAK.contains(&lower.as_str()) || WEAK.contains(&core) || core.is_empty() {
        return Shape::Weak;
    }
    if is_sequence(&lower) {
        return Shape::Placeholder;
    }
    if let Some(words) = encoded_words(value) {
        return match of(&words) {
            Shape::Nothing(_) => Shape::Words,
            shape => shape,
        };
    }
    if is_random(value) {
        return Shape::Random;
    }
    let words_only = lower.chars().all(|character| character.is_ascii_lowercase() || "-_. ".contains(character));
    if words_only { Shape::Words } else { Shape::Plain }
}

/// The plain words that a value is the base 64 of: no more of a secret than the words.
fn encoded_words(value: &str) -> Option<String> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok()?;
    let words = decoded.len() >= 6 && decoded.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_. ".contains(byte));
    String::from_utf8(decoded).ok().filter(|_| words)
}

/// Why a value cannot be a secret.
fn nothing(value: &str) -> Option<&'static str> {
    if value.len() < 3 {
        return Some("too short");
    }
    if value.len() > 4096 {
        return Some("too long for a credential");
    }
    let lower = value.to_ascii_lowercase();
    let starts = |list: &[&str]| list.iter().any(|start| lower.starts_with(start));
    if starts(HASHES) && value.len() > 12 {
        return Some("a hash or checksum");
    }
    if starts(REFERENCES) || value.contains("${") || value.contains("{{") || lower.contains("%(") {
        return Some("a reference");
    }
    if (value.starts_with('%') && value.ends_with('%')) || (value.starts_with('{') && value.ends_with('}')) {
        return Some("a reference");
    }
    if value.starts_with("-----BEGIN") || starts(&["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2", "age1"]) {
        return Some("a key format, judged by its pattern");
    }
    if SETTINGS.contains(&lower.as_str()) {
        return Some("a setting");
    }
    structured(value, &lower)
}

fn structured(value: &str, lower: &str) -> Option<&'static str> {
    if is_uuid(value) {
        return Some("a UUID");
    }
    if value.contains("://") || lower.starts_with("www.") || lower.starts_with("mailto:") {
        return Some("a URL");
    }
    let starts = ["/", "./", "../", "~/", "c:\\"].iter().any(|start| lower.starts_with(start));
    if starts && !value.contains('=') && !is_long_base64(value) {
        return Some("a path");
    }
    if ["rs", "pem", "key", "crt", "json", "yaml", "yml", "toml", "txt", "env", "html", "sql", "md", "p12", "jks"]
        .iter()
        .any(|ending| lower.strip_suffix(ending).is_some_and(|stem| stem.ends_with('.')))
    {
        return Some("a file name");
    }
    if value.contains('@') && value.rsplit('@').next().is_some_and(is_host) && !value.contains(' ') {
        return Some("an e-mail address");
    }
    let blanks = value.split_whitespace().count();
    if blanks >= 3 {
        return Some("a sentence");
    }
    let decimal = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b':');
    if decimal && value.contains(['.', ':']) {
        return Some("a number or address");
    }
    if value.starts_with('^') && value.ends_with('$') && value.contains('[') {
        return Some("a pattern");
    }
    if value.contains("::") || value.contains("()") || value.ends_with('(') || value.contains("=>") {
        return Some("code");
    }
    if value.contains("\n\n") || value.lines().count() > 3 {
        return Some("text of several lines");
    }
    None
}

/// Base 64 can start with a slash; a path of this length has more of them, a dot, a dash or words.
fn is_long_base64(value: &str) -> bool {
    let letters = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    let slashes = value.bytes().filter(|byte| *byte == b'/').count();
    letters && value.len() >= 40 && slashes * 10 <= value.len() && is_random(value)
}

fn is_host(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    labels.len() >= 2
        && labels
            .iter()
            .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        && labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// `8-4-4-4-12` hexadecimal digits.
pub fn is_uuid(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    parts.len() == 5
        && parts
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(part, length)| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Text that asks to be replaced.
pub fn is_placeholder(lower: &str) -> bool {
    if lower.starts_with('<') && lower.ends_with('>') || lower.starts_with('[') && lower.ends_with(']') {
        return true;
    }
    if lower.contains("...") || lower.contains('\u{2026}') {
        return true;
    }
    // A long random value contains any three letters sooner or later.
    let short = lower.len() <= 64;
    PLACEHOLDERS.iter().any(|part| if part.len() <= 4 { short && has_word(lower, part) } else { lower.contains(part) })
}

/// Whether `part` stands in the text without a letter or digit on either side.
fn has_word(text: &str, part: &str) -> bool {
    let bytes = text.as_bytes();
    let free = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let open = !part.starts_with(|first: char| first.is_ascii_alphanumeric());
    text.match_indices(part).any(|(at, found)| {
        let end = at + found.len();
        // Three in a row stand in random values too; four hardly do.
        let run = part == "xxx" && bytes.get(end) == Some(&b'x');
        let before = open || run || free(at.checked_sub(1));
        let ends = part.ends_with(['-', '_', ' ', '*']) || run;
        before && (ends || free(Some(end)))
    })
}

/// `aaaa`, `01234567`, `abcdef`: one step all the way, or few different characters.
pub fn is_sequence(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() < 4 {
        return false;
    }
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let different = seen.iter().filter(|seen| **seen).count();
    if different <= 2 || (bytes.len() >= 16 && different <= 4) {
        return true;
    }
    let steps = bytes.windows(2).filter(|pair| {
        let step = i16::from(pair[1]) - i16::from(pair[0]);
        (-1..=1).contains(&step) || (pair[0] == b'9' && matches!(pair[1], b'0' | b'a')) || pair == b"f0"
    });
    steps.count() * 10 >= (bytes.len() - 1) * 7
}

/// Bits a character.
pub fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    value.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let total = f64::from(u32::try_from(value.len().max(1)).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

/// Random-looking: no words, digits and letters mixed, enough different characters.
pub fn is_random(value: &str) -> bool {
    if value.len() < 12 || value.contains(' ') || !value.is_ascii() {
        return false;
    }
    let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    if hex {
        return value.len() >= 16 && digits >= 3 && letters >= 2 && entropy(value) >= 2.6;
    }
    if letters < 4 || entropy(value) < 3.0 {
        return false;
    }
    let mixed = digits >= 2 || changes(value) * 4 >= value.len();
    // Names change between capitals, small letters and digits at their words only; random text all the time.
    let restless = digits >= 2 && letter_changes(value) * 5 >= value.len() * 2;
    mixed && wordlike(value) < if restless { 0.8 } else { 0.56 }
}

/// How often the class of characters (lower, upper, digit, other) changes; what parts words changes nothing.
fn changes(value: &str) -> usize {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let parts = |byte: &u8| b"-_./: ".contains(byte);
    let pairs = value.as_bytes().windows(2).filter(|pair| !pair.iter().any(parts));
    pairs.filter(|pair| class(pair[0]) != class(pair[1])).count()
}

/// Changes between small letters, capitals and digits that follow each other directly.
fn letter_changes(value: &str) -> usize {
    let pairs = value.as_bytes().windows(2).filter(|pair| pair.iter().all(u8::is_ascii_alphanumeric));
    pairs.filter(|pair| std::str::from_utf8(pair).is_ok_and(|pair| changes(pair) == 1)).count()
}

/// Pairs of letters that words are made of.
const PAIRS: &str = "th he in er an re nd on en at ou ed ha to or it is hi es ng st ar te se me of le sa ve ro ra ri hr \
    ec ne nt ti al de as ea ic io ct li ns ll be ma el si om ur co us di la ta pe ch tr ac ce et ut ss so rs un lo wa ge \
    ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe \
    bl ab gh ty op wo sp ke da pr ay ho ey ck cr do up ap pi ot ag ef ob no ca ov od ei bo if ex ok gi ga ws sw rd ds br \
    by au bu ue ui ua au ks ki sk ly cl fo fr gr dr fl";

/// The share of pairs of letters that words are made of: about a third in random text, most of them in words.
fn wordlike(value: &str) -> f64 {
    let lower = value.to_ascii_lowercase();
    let pairs: Vec<&str> = (0..lower.len().saturating_sub(1))
        .filter_map(|at| lower.get(at..at + 2))
        .filter(|pair| pair.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect();
    if pairs.is_empty() {
        return 0.0;
    }
    let common = pairs.iter().filter(|pair| PAIRS.split_whitespace().any(|known| known == **pair)).count();
    f64::from(u32::try_from(common).unwrap_or(u32::MAX)) / f64::from(u32::try_from(pairs.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(length: usize) -> String {
        super::super::sample::expand(&format!("{{alnum:{length}}}"), 7)
    }

    #[test]
    fn values_by_shape() {
        let pairs = [
            ("${JWT_SECRET}", Shape::Nothing("a reference")),
            ("{{ .Values.secret }}", Shape::Nothing("a reference")),
            ("https://example.org/login", Shape::Nothing("a URL")),
            ("/run/secrets/db", Shape::Nothing("a reference")),
            ("/etc/keys/a", Shape::Nothing("a path")),
            ("key.pem", Shape::Nothing("a file name")),
            ("Bearer", Shape::Nothing("a setting")),
            ("The password is wrong", Shape::Nothing("a sentence")),
            ("changeme", Shape::Placeholder),
            ("<your-api-key>", Shape::Placeholder),
            ("c29tZSB3b3Jkcw==", Shape::Words),
            ("Y2hhbmdlLW1lLW5vdw==", Shape::Placeholder),
            ("your_secret_here", Shape::Placeholder),
            ("xxxxxxxx", Shape::Placeholder),
            ("00000000", Shape::Weak),
            ("abcdefgh", Shape::Placeholder),
            ("password", Shape::Weak),
            ("admin123", Shape::Weak),
            ("123456", Shape::Weak),
            ("my-super-secret", Shape::Words),
            ("pswd1234", Shape::Plain),
            ("hunter2-Prod!2024", Shape::Plain),
            ("super-secret-key-12345", Shape::Plain),
        ];
        for (value, shape) in pairs {
            assert_eq!(of(value), shape, "{value}");
        }
    }

    #[test]
    fn generated_keys_look_random() {
        let found = (0..200).filter(|seed| {
            let value = super::super::sample::expand("{alnum:32}", *seed);
            of(&value) == Shape::Random
        });
        assert!(found.count() >= 196);
        let hex = (0..200).filter(|seed| of(&super::super::sample::expand("{hex:40}", *seed)) == Shape::Random);
        assert!(hex.count() >= 199);
        assert_eq!(of(&random(40)), Shape::Random);
    }

    #[test]
    fn names_in_code_are_not_random() {
        for name in [
            "axum-jwt/aws-lc-rs",
            "MQTT_ZIPKIN_API_KEY_VAL",
            "AccessTokenRefreshHandlerFactory",
            "http2_prior_knowledge_v1",
            "X-Api-Key-V2-Header",
            "sha256WithRSA",
        ] {
            assert_ne!(of(name), Shape::Random, "{name}");
        }
    }
}

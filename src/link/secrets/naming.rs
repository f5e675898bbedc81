//! What a name says about its value.

/// How much a name says that its value is secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Says {
    /// Nothing.
    Nothing,
    /// It may be: `token`, `api_key`, `auth`.
    Maybe,
    /// It is a password.
    Password,
    /// It is a secret or a key that signs or encrypts.
    Secret,
}

/// Last words of a name that make it the name of something about a secret.
const ABOUT: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "dir",
    "folder",
    "url",
    "uri",
    "urls",
    "endpoint",
    "host",
    "header",
    "headers",
    "field",
    "fields",
    "type",
    "types",
    "kind",
    "length",
    "len",
    "size",
    "ttl",
    "expiry",
    "expires",
    "expire",
    "expiration",
    "expired",
    "lifetime",
    "duration",
    "timeout",
    "seconds",
    "secs",
    "minutes",
    "hours",
    "days",
    "ms",
    "millis",
    "count",
    "limit",
    "max",
    "min",
    "prefix",
    "suffix",
    "regex",
    "pattern",
    "format",
    "label",
    "labels",
    "hint",
    "message",
    "msg",
    "error",
    "err",
    "errors",
    "title",
    "text",
    "placeholder",
    "description",
    "desc",
    "help",
    "policy",
    "algorithm",
    "alg",
    "algo",
    "hash",
    "hashes",
    "hashed",
    "hasher",
    "digest",
    "fingerprint",
    "checksum",
    "salt",
    "cost",
    "rounds",
    "iterations",
    "version",
    "enabled",
    "disabled",
    "required",
    "optional",
    "env",
    "var",
    "variable",
    "column",
    "col",
    "table",
    "param",
    "params",
    "parameter",
    "query",
    "cookie",
    "scope",
    "scopes",
    "audience",
    "issuer",
    "subject",
    "provider",
    "manager",
    "store",
    "storage",
    "backend",
    "engine",
    "service",
    "client",
    "server",
    "handler",
    "route",
    "page",
    "form",
    "input",
    "button",
    "link",
    "template",
    "email",
    "mail",
    "reset",
    "change",
    "changed",
    "update",
    "updated",
    "status",
    "state",
    "valid",
    "invalid",
    "validator",
    "validation",
    "strength",
    "rule",
    "rules",
    "class",
    "schema",
    "example",
    "usage",
    "source",
    "location",
    "ref",
    "reference",
    "arn",
    "namespace",
    "at",
    "by",
    "mode",
    "method",
    "strategy",
    "encoding",
    "charset",
    "tag",
    "tags",
    "event",
    "action",
    "permission",
    "role",
    "group",
    "index",
    "mount",
    "volume",
    "selector",
    "operation",
    "resource",
    "rotation",
    "generator",
    "doc",
    "docs",
    "comment",
    "note",
    "kid",
    "alias",
    "domain",
    "region",
    "bucket",
    "project",
    "org",
    "username",
    "user",
    "login",
    "account",
    "sub",
    "exchange",
    "request",
    "response",
    "body",
    "claim",
    "claims",
    "payload",
    "test",
    "tests",
    "example",
    "names",
    "matcher",
    "display",
    "icon",
    "color",
    "colour",
    "position",
    "offset",
    "tokens",
    "limiter",
    "cache",
    "topic",
    "queue",
    "bytes",
    "chars",
    "characters",
    "separator",
    "delimiter",
    "char",
    "regexp",
    "exists",
    "missing",
    "present",
];

/// Words before `key` that make it a secret one.
const SECRET_KEYS: &[&str] = &[
    "secret",
    "private",
    "signing",
    "sign",
    "encryption",
    "encrypt",
    "crypto",
    "cipher",
    "aes",
    "hmac",
    "jwt",
    "session",
    "cookie",
    "master",
    "auth",
    "service",
    "role",
    "root",
    "admin",
    "app",
    "application",
    "csrf",
    "license",
    "jwk",
    "rsa",
    "ssh",
    "deploy",
    "webhook",
    "pepper",
    "salt",
];

/// Words before `key` that make it one for an interface.
const INTERFACE_KEYS: &[&str] =
    &["api", "access", "account", "storage", "write", "read", "integration", "user", "client", "rest"];

const PASSWORDS: &[&str] =
    &["password", "passwd", "passphrase", "pwd", "pass", "passcode", "pw", "psw", "pswd", "userpassword"];

/// Pieces of text, in any case: where none of them stands, no name says anything.
pub const STEMS: &[&str] =
    &["pass", "pwd", "pw", "psw", "secret", "key", "pepper", "token", "bearer", "cred", "auth", "pat", "hmac", "slice"];

/// Words that take away what the rest says: what is public, what is only counted, names of things in a list.
const NEVER: &[&str] = &[
    "public",
    "pub",
    "publishable",
    "csrf",
    "xsrf",
    "tokenizer",
    "tokenize",
    "tokenization",
    "token_type",
    "keyboard",
    "keyword",
    "keywords",
    "primary",
    "foreign",
    "partition",
    "sort",
    "idempotency",
    "idempotent",
    "cachekey",
    "hotkey",
    "host",
    "known",
    "placeholder",
    "bypass",
    "compass",
    "sitekey",
    "site",
    "recaptcha",
    "turnstile",
    "measurement",
    "posthog",
    "anon",
    "dsn",
];

/// Words of an identifier: `jwtSecret`, `JWT_SECRET`, `jwt-secret`, `auth.jwt.secret` and `jwt secret` give jwt, secret.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit())
                || before.is_some_and(char::is_uppercase) && after.is_some_and(|after| after.is_lowercase()));
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.extend(letter.to_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a name holds a stretch that every word about secrets has: most names do not, and are done with here.
fn may_say(name: &str) -> bool {
    let bytes = name.as_bytes();
    let starts = |at: usize, word: &str| {
        bytes.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    !name.is_ascii()
        || (0..bytes.len()).any(|at| match bytes[at].to_ascii_lowercase() {
            b'p' => ["pass", "pw", "psw", "pepper", "pat"].iter().any(|word| starts(at, word)),
            b's' => starts(at, "secret"),
            b'k' => starts(at, "key"),
            b't' => starts(at, "token"),
            b'b' => starts(at, "bearer"),
            b'c' => starts(at, "cred"),
            b'a' => starts(at, "auth"),
            _ => false,
        })
}

/// What a name says.
pub fn says(name: &str) -> Says {
    if !may_say(name) {
        return Says::Nothing;
    }
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((last, before)) = strip_numbers(&words).split_last().map(|(last, before)| (*last, before)) else {
        return Says::Nothing;
    };
    // Where a list or a stream goes on is no secret.
    let position = last == "token"
        && before.last().is_some_and(|word| matches!(*word, "page" | "next" | "continuation" | "cursor" | "resume"));
    if words.iter().any(|word| NEVER.contains(word)) || ABOUT.contains(&last) || position {
        return Says::Nothing;
    }
    of_last_word(last, before)
}

/// `API_KEY_2` and `token1` are named by the word before the number; `default`, `value` and `str` say nothing either.
fn strip_numbers<'w, 's>(words: &'w [&'s str]) -> &'w [&'s str] {
    let empty = |word: &&str| {
        word.bytes().all(|byte| byte.is_ascii_digit())
            || matches!(
                *word,
                "default"
                    | "value"
                    | "val"
                    | "str"
                    | "string"
                    | "literal"
                    | "raw"
                    | "prod"
                    | "production"
                    | "dev"
                    | "live"
                    | "fallback"
                    | "plain"
                    | "plaintext"
                    | "base64"
                    | "b64"
                    | "hex"
            )
    };
    let kept = words.len() - words.iter().rev().take_while(|word| empty(word)).count();
    &words[..kept]
}

fn of_last_word(last: &str, before: &[&str]) -> Says {
    let last = last.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let previous = before.last().copied().unwrap_or("");
    if PASSWORDS.contains(&last)
        || last.ends_with("password")
        || last.ends_with("passwd")
        || last.ends_with("passphrase")
    {
        // A bare `pass` is often a verb, a test's result or a pass of a compiler.
        return if matches!(last, "pass" | "pw") && before.is_empty() { Says::Maybe } else { Says::Password };
    }
    match last {
        "secret" | "secrets" | "clientsecret" | "secretkey" | "privatekey" | "pepper" => Says::Secret,
        _ if last.ends_with("secret") => Says::Secret,
        "key" | "keys" => key(previous, before),
        "apikey" | "accesskey" | "authkey" | "token" | "authtoken" | "accesstoken" | "apitoken" | "bearer"
        | "credential" | "credentials" | "creds" | "pat" => Says::Maybe,
        "auth" | "authorization" => Says::Maybe,
        _ if last.ends_with("token") || last.ends_with("apikey") => Says::Maybe,
        _ => Says::Nothing,
    }
}

fn key(previous: &str, before: &[&str]) -> Says {
    if SECRET_KEYS.contains(&previous) || before.contains(&"secret") {
        return Says::Secret;
    }
    // `SERVICE_PWD_KEY` holds what passwords are hashed with; `passwordKey` says under which key a password is kept.
    if matches!(previous, "pwd" | "passwd" | "pswd") {
        return Says::Maybe;
    }
    let interface = INTERFACE_KEYS.contains(&previous) || before.contains(&"api");
    if interface { Says::Maybe } else { Says::Nothing }
}

/// Whether a name is about signing or encrypting: a literal there opens everything.
pub fn signs(name: &str) -> bool {
    let words = words(name);
    ["jwt", "hmac", "signing", "sign", "session", "cookie", "encryption", "cipher", "aes", "token", "auth", "pepper"]
        .iter()
        .any(|word| words.iter().any(|own| own == word))
}

/// Whether a name speaks of analytics: the keys of such services are in every copy of the program.
pub fn counts(name: &str) -> bool {
    let words = words(name);
    ["segment", "amplitude", "mixpanel", "analytics", "telemetry", "heap", "plausible", "umami"]
        .iter()
        .any(|word| words.iter().any(|own| own == word))
}

/// Whether a value only says its own name again: `ACCESS_TOKEN = "access_token"`, `PASSWORD = "user.password"`.
pub fn repeats(name: &str, value: &str) -> bool {
    let (own, said) = (words(name), words(value));
    let inside = |some: &[String], all: &[String]| some.iter().all(|word| all.contains(word));
    !said.is_empty() && (inside(&said, &own) || (inside(&own, &said) && said.len() <= own.len() + 2))
}

/// Whether a value is a name of the kind that programs and settings use: `JWT_SECRET`, `X-Api-Key`, `user.token`.
pub fn is_identifier(value: &str) -> bool {
    let upper = value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let dotted =
        value.contains(['.', ':']) && value.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.:-".contains(&byte));
    let header = value.split('-').count() >= 2
        && value.split('-').all(|part| {
            part.starts_with(|first: char| first.is_ascii_uppercase())
                && part[1..].bytes().all(|byte| byte.is_ascii_lowercase())
        });
    (upper && value.contains('_')) || dotted || header || is_type_name(value)
}

/// `orders-db-credentials`, `api-tls`: words in a row as objects of a cluster are called, the last of which says what it holds.
pub fn names_an_object(value: &str) -> bool {
    let words: Vec<&str> = value.split('-').collect();
    let plain = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2
        && words.iter().all(plain)
        && words
            .last()
            .is_some_and(|last| matches!(*last, "credentials" | "creds" | "tls" | "cert" | "certs" | "config"))
}

/// `JwtDecoderLayer`: letters only, each capital followed by at least two small letters, a vowel in each word.
fn is_type_name(value: &str) -> bool {
    if !value.bytes().all(|letter| letter.is_ascii_alphabetic()) || !value.starts_with(|c: char| c.is_ascii_uppercase())
    {
        return false;
    }
    let starts: Vec<usize> =
        value.match_indices(|letter: char| letter.is_ascii_uppercase()).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([value.len()]);
    let word = |(start, end): (usize, usize)| {
        end - start >= 3 && value[start..end].contains(['a', 'e', 'i', 'o', 'u', 'y', 'w', 'A', 'E', 'I', 'O', 'U'])
    };
    starts.len() >= 2 && starts.iter().copied().zip(ends).all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_hold() {
        let pairs = [
            ("JWT_SECRET", Says::Secret),
            ("jwtSecret", Says::Secret),
            ("auth.hmac_key", Says::Secret),
            ("db_password", Says::Password),
            ("POSTGRES_PASSWORD", Says::Password),
            ("SHOP_SETUP__ADMIN_PWD", Says::Password),
            ("PGPASSWORD", Says::Password),
            ("SERVICE_PWD_KEY", Says::Maybe),
            ("APP_PASSWD_KEY", Says::Maybe),
            ("pass_key", Says::Nothing),
            ("passwordKey", Says::Nothing),
            ("apiKey", Says::Maybe),
            ("STRIPE_API_KEY", Says::Maybe),
            ("access_token", Says::Maybe),
            ("secret_key_base", Says::Nothing),
            ("password_hash", Says::Nothing),
            ("token_type", Says::Nothing),
            ("public_key", Says::Nothing),
            ("secret_name", Says::Nothing),
            ("primary_key", Says::Nothing),
            ("csrf_token", Says::Nothing),
            ("cache_key", Says::Nothing),
            ("next_page_token", Says::Nothing),
            ("page_admin_token", Says::Maybe),
            ("API_KEY_2", Says::Maybe),
            ("keyboard", Says::Nothing),
            ("default_admin_pwd", Says::Password),
            ("compass", Says::Nothing),
        ];
        for (name, expected) in pairs {
            assert_eq!(says(name), expected, "{name}");
        }
    }

    #[test]
    fn values_that_repeat_their_names() {
        assert!(repeats("ACCESS_TOKEN", "access_token"));
        assert!(repeats("RESET_PASSWORD", "reset-password"));
        assert!(repeats("PASSWORD", "user.password"));
        assert!(!repeats("JWT_SECRET", "my-super-secret-key-for-tokens"));
        assert!(is_identifier("JWT_SECRET") && is_identifier("X-Api-Key") && is_identifier("auth.token"));
        assert!(is_identifier("CasbinAxumLayer") && !is_identifier("xKzQpLwRtYbN"));
        assert!(!is_identifier("my-super-secret"));
    }
}

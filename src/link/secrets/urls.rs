//! URLs with a password in them.

use super::candidates::Binding;
use super::judge::{Judgement, Verdict};
use super::setting::{Location, Setting, Stage};
use super::shape::{self, Shape};
use crate::facts::Confidence;
use crate::scan::source::Span;

/// `scheme://user:password@host`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// `postgres`, `https`, ...
    pub scheme: String,
    /// Before the colon; may be empty.
    pub user: String,
    /// After it.
    pub password: String,
    /// Where the password stands.
    pub span: Span,
    /// Without the port.
    pub host: String,
}

/// All such URLs of a text.
pub fn find(text: &str) -> Vec<Url> {
    memchr::memmem::find_iter(text.as_bytes(), "://").filter_map(|at| url_at(text, at)).collect()
}

fn url_at(text: &str, at: usize) -> Option<Url> {
    let bytes = text.as_bytes();
    let scheme_letters = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = bytes[..at].iter().rev().take(24).take_while(|byte| scheme_letters(byte)).count();
    let scheme = text.get(at - length..at).filter(|scheme| !scheme.is_empty())?;
    let start = at + 3;
    let stops = |byte: &u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'/' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|' | b',' | b';')
    };
    let end = bytes[start..]
        .iter()
        .take(300)
        .position(stops)
        .map_or_else(|| (start + 300).min(bytes.len()), |length| start + length);
    let authority = text.get(start..end)?;
    let (account, host) = authority.rsplit_once('@')?;
    let (user, password) = account.split_once(':')?;
    let host = host.split([':', '?', '#']).next().unwrap_or(host);
    let from = start + user.len() + 1;
    let span = Span::new(from, from + password.len());
    let known = !password.is_empty() && !host.is_empty();
    known.then(|| Url {
        scheme: scheme.to_ascii_lowercase(),
        user: user.to_string(),
        password: password.to_string(),
        span,
        host: host.to_ascii_lowercase(),
    })
}

/// Where a URL stands, as far as it matters.
#[derive(Clone, Copy, Debug)]
pub struct Around<'s> {
    /// The file's place.
    pub setting: &'s Setting,
    /// Commented out, or in a development-only part.
    pub idle: bool,
    /// How it is bound, where a name is.
    pub binding: Binding,
}

/// Judges the password of a URL.
pub fn judge(url: &Url, around: &Around<'_>) -> Verdict {
    if around.setting.sample || around.setting.examples {
        return Verdict::None("an example");
    }
    if is_template(url) {
        return Verdict::None("a reference");
    }
    let shape = match shape::of(&url.password) {
        Shape::Nothing("too short") => Shape::Weak,
        Shape::Nothing(reason) => return Verdict::None(reason),
        Shape::Placeholder => return Verdict::None("a placeholder"),
        _ if url.password.eq_ignore_ascii_case(&url.user) => Shape::Weak,
        shape => shape,
    };
    if is_example_host(&url.host) {
        return Verdict::None("an example");
    }
    let guessed = matches!(shape, Shape::Weak | Shape::Words);
    let web = matches!(url.scheme.as_str(), "http" | "https" | "ftp" | "ws" | "wss");
    if web && guessed {
        return Verdict::None("plain words");
    }
    let location = around.setting.location;
    let development_only = around.idle
        || around.setting.stage == Stage::Development
        || {
            let runs = matches!(location, Location::Manifest | Location::Image) || around.setting.stage == Stage::Live;
            is_local(&url.host) && (guessed || shape == Shape::Plain) && (!runs || is_loopback(&url.host))
        }
        || location == Location::Ci;
    let confidence = if guessed || is_local(&url.host) { Confidence::Medium } else { Confidence::High };
    Verdict::Secret(Judgement {
        confidence,
        development_only,
        default_value: around.binding == Binding::Default && !development_only,
        distinctive: !guessed,
    })
}

fn is_template(url: &Url) -> bool {
    let marks = |text: &str| {
        text.contains(['{', '}', '$', '<', '>', '%', '*', '[', '(']) && !text.contains("%2") && !text.contains("%4")
    };
    marks(&url.password)
        || url.host.contains(['{', '$', '<', '[', '*'])
        || url.user.contains(['{', '$', '<'])
        || matches!(url.password.as_str(), "password" | "pass" | "pwd" | "PASSWORD" | "PASS" | "pw" | "passwd")
            && matches!(url.user.as_str(), "user" | "username" | "USER" | "USERNAME" | "login" | "uid")
            && !is_loopback(&url.host)
}

fn is_example_host(host: &str) -> bool {
    matches!(host, "host" | "hostname" | "server" | "domain" | "your-host" | "ip" | "address" | "xxx")
        || host.split('.').any(|label| matches!(label, "example" | "invalid" | "test") || label.starts_with("your"))
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "0.0.0.0" | "host.docker.internal" | "[")
        || host.starts_with("127.")
        || host.starts_with("[::1")
}

/// Reached from one machine or one compose network only.
fn is_local(host: &str) -> bool {
    is_loopback(host)
        || !host.contains('.')
        || host.ends_with(".local")
        || host.ends_with(".internal")
        || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::secrets::sample::expand;

    fn verdict(text: &str, location: Location) -> Verdict {
        let setting = Setting { location, environment: None, stage: Stage::Common, sample: false, examples: false };
        let around = Around { setting: &setting, idle: false, binding: Binding::Set };
        judge(&find(text)[0], &around)
    }

    #[test]
    fn parts_of_a_url() {
        let found = find("a = \"postgres://app:p1@db.internal:5432/x?y=1\" http://no.account/");
        assert_eq!((found.len(), found[0].password.as_str(), found[0].host.as_str()), (1, "p1", "db.internal"));
        assert_eq!(find("git@github.com:a/b https://a@b.c x://:@y"), []);
    }

    #[test]
    fn development_databases_are_told() {
        let development = |text, location| match verdict(text, location) {
            Verdict::Secret(judgement) => Some(judgement.development_only),
            _ => None,
        };
        assert_eq!(development("postgres://postgres:postgres@localhost/x", Location::Code), Some(true));
        assert_eq!(development("postgres://postgres:postgres@db/x", Location::Compose), Some(true));
        assert_eq!(development("postgres://postgres:postgres@db/x", Location::Manifest), Some(false));
        let real = format!("postgres://app:{}@db.acme-cloud.com/x", expand("{alnum:20}", 3));
        assert_eq!(development(&real, Location::Code), Some(false));
        assert_eq!(development("postgres://{user}:{pass}@{host}/x", Location::Code), None);
        assert_eq!(development("postgres://user:password@host/x", Location::Code), None);
        assert_eq!(development("https://user:pass@site.org/x", Location::Code), None);
    }
}

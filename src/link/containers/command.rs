//! What a health check's command calls: a URL through curl or wget, a port, a script of the tree, a subcommand of the
//! service's own binary.

use std::sync::LazyLock;

use regex::Regex;

use crate::parse::dockerfile::split_words;

/// What a check calls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Call {
    /// http, tcp, grpc or command.
    pub how: &'static str,
    /// Path with its variables; no query.
    pub path: Option<String>,
    /// Port as written.
    pub port: Option<String>,
    /// The command asks a database or cache, not a service.
    pub of_store: bool,
}

static URL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x) (?: https?:// | (?:^|[\s"'=]) (?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]) )
        (?P<host> (?: \$\{[^}]*\} | [^/\s"'|;)] )* ) (?P<path> / (?: \$\{[^}]*\} | [^\s"'|;)] )* )?"#,
    )
    .ok()
});

/// Commands that fetch a URL.
const FETCHERS: &[&str] =
    &["curl", "wget", "xh", "http", "httpie", "fetch", "httping", "python", "python3", "node", "bun", "busybox"];
/// Commands that ask a database, cache or queue whether it is up.
const STORES: &[&str] = &[
    "pg_isready",
    "redis-cli",
    "valkey-cli",
    "mysqladmin",
    "mysql",
    "mariadb-admin",
    "mariadb",
    "mongosh",
    "mongo",
    "psql",
    "rabbitmq-diagnostics",
    "rabbitmqctl",
    "kafka-topics",
    "kafka-topics.sh",
    "cqlsh",
    "nodetool",
    "clickhouse-client",
    "healthcheck.sh",
    "cockroach",
    "surreal",
    "etcdctl",
];

/// Reads a command line (or a whole script).
pub fn read(text: &str) -> Call {
    let words: Vec<String> = split_words(text, 0).into_iter().map(|(_, _, word)| word).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.rsplit('/').next().unwrap_or(word)));
    if has(&["grpc_health_probe", "grpc-health-probe", "grpcurl"]) {
        return Call { how: "grpc", port: trailing_port(&words), ..Call::default() };
    }
    if let Some(call) = url(text)
        && (has(FETCHERS) || text.contains("http"))
    {
        return call;
    }
    if has(&["nc", "ncat", "netcat"]) {
        return Call { how: "tcp", port: words.iter().rev().find_map(|word| numeric(word)), ..Call::default() };
    }
    if let Some(rest) = text.split("/dev/tcp/").nth(1) {
        let port =
            rest.split('/').nth(1).and_then(|port| numeric(port.split([' ', '\'', '"', ';']).next().unwrap_or("")));
        return Call { how: "tcp", port, ..Call::default() };
    }
    Call { how: "command", of_store: has(STORES), ..Call::default() }
}

fn numeric(word: &str) -> Option<String> {
    let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
    (!digits.is_empty() && digits.len() <= 5 && !word.contains('.')).then(|| digits.to_string())
}

fn trailing_port(words: &[String]) -> Option<String> {
    words.iter().find_map(|word| word.rsplit_once(':').and_then(|(_, port)| numeric(port)))
}

/// The first URL of a text.
pub fn url(text: &str) -> Option<Call> {
    let found = URL.as_ref()?.captures(text)?;
    let host = found.name("host").map_or("", |host| host.as_str());
    let raw = found.name("path").map_or("/", |path| path.as_str());
    let (port, base) = host_parts(host, found.get(0).map_or("", |all| all.as_str()));
    let path = without_query(&format!("{base}{raw}"));
    Some(Call { how: "http", path: Some(path), port, of_store: false })
}

/// A path without query and fragment; `${..}` may hold either character.
pub fn without_query(path: &str) -> String {
    let mut depth = 0_usize;
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'?' | b'#' if depth == 0 => return path[..at].to_string(),
            _ => {}
        }
    }
    path.to_string()
}

/// The port of `host:port`, and a variable that stands for more than the host.
fn host_parts(host: &str, all: &str) -> (Option<String>, String) {
    let host = host.rsplit('@').next().unwrap_or(host);
    let port = match split_port(host) {
        Some(port) => Some(port.to_string()),
        None if host.contains('$') => None,
        None if all.trim_start().starts_with("https") => Some("443".to_string()),
        None => Some("80".to_string()),
    };
    (port, String::new())
}

/// What stands after the last `:` outside `${..}`.
fn split_port(host: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut at = None;
    for (offset, byte) in host.bytes().enumerate() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => at = Some(offset + 1),
            _ => {}
        }
    }
    at.map(|at| &host[at..]).filter(|port| !port.is_empty())
}

/// A path that starts with a variable: `"${base_url}/alive"`, as scripts build it.
static VARIABLE_PATH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"["']?\$\{?\w+\}?(?P<path>(?:/[\w.-]+)+/?)["']?"#).ok());

/// Reads a script: a URL in it, or a path behind variables on a line that fetches.
pub fn read_script(text: &str) -> Call {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n");
    let fetches =
        |line: &str| FETCHERS.iter().any(|name| line.split([' ', '\t', '(', '`', ';', '|']).any(|word| word == *name));
    let literal = lines
        .iter()
        .filter(|line| fetches(line))
        .find_map(|line| url(line))
        .filter(|call| call.path.as_deref().is_some_and(|path| path != "/"));
    literal.or_else(|| behind_variable(&joined, &fetches)).unwrap_or_else(|| read(&joined))
}

/// Continuation lines belong to the fetching line before them.
fn behind_variable(text: &str, fetches: &dyn Fn(&str) -> bool) -> Option<Call> {
    let joined = text.replace("\\\n", " ");
    let regex = VARIABLE_PATH.as_ref()?;
    let line = joined.lines().find(|line| fetches(line))?;
    let path = regex.captures_iter(line).last()?.name("path")?.as_str().to_string();
    Some(Call { how: "http", path: Some(format!("${{..}}{path}")), port: None, of_store: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> (&'static str, Option<String>, Option<String>) {
        let call = read(text);
        (call.how, call.path, call.port)
    }

    #[test]
    fn urls_in_commands() {
        let http = |path: &str, port: &str| ("http", Some(path.to_string()), Some(port.to_string()));
        assert_eq!(call("curl -f http://localhost:8000/api/v1/health || exit 1"), http("/api/v1/health", "8000"));
        assert_eq!(call("wget --spider -q localhost:8080/health?full=1"), http("/health", "8080"));
        assert_eq!(
            call("curl -f http://localhost:${PORT:-8000}/__heartbeat__"),
            http("/__heartbeat__", "${PORT:-8000}")
        );
        assert_eq!(call("curl -fs http://127.0.0.1/"), http("/", "80"));
        assert_eq!(call("curl http://localhost/health;"), http("/health", "80"));
        assert_eq!(call("app healthcheck http://localhost:8071"), http("/", "8071"));
    }

    #[test]
    fn other_checks() {
        assert_eq!(call("nc -z localhost 8080"), ("tcp", None, Some("8080".into())));
        assert_eq!(call("grpc_health_probe -addr=:50051"), ("grpc", None, Some("50051".into())));
        assert!(read("pg_isready -U postgres").of_store);
        assert_eq!(call("/app/shop health").0, "command");
    }

    #[test]
    fn scripts() {
        let script = "#!/bin/sh\nbase=${B:-http://localhost}\ncurl --fail \"${base}/alive\" || exit 1\n";
        let call = read_script(script);
        assert_eq!(call.path.as_deref(), Some("${..}/alive"));
        assert_eq!(read_script("# http://x/y\ncurl http://localhost:80/z\n").path.as_deref(), Some("/z"));
    }
}

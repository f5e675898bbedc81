//! Route paths: joining, the parameter syntaxes of all frameworks, and whether a route serves a URL.

use std::collections::BTreeMap;

/// Joins a prefix and a path: exactly one slash between, no slash at the end of the prefix.
pub fn join(prefix: &str, path: &str) -> String {
    let prefix = prefix.trim_end_matches('/');
    match (prefix.is_empty(), path.is_empty()) {
        (true, true) => String::new(),
        (true, false) => path.to_string(),
        (false, true) => prefix.to_string(),
        (false, false) if path.starts_with('/') => format!("{prefix}{path}"),
        (false, false) => format!("{prefix}/{path}"),
    }
}

/// A full path as it is reported: a leading slash, no doubled slashes, regular expressions of parameters left out
/// (`{uid:[0-9]{1,10}}` is `{uid}`), but for the one that takes all the rest (`{path:.*}` is `{path}*`).
pub fn normal(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    let mut depth = 0_usize;
    let mut expression = false;
    for c in std::iter::once('/').chain(path.replace(":.*}", "}*").replace(":.+}", "}*").chars()) {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    expression = false;
                }
            }
            ':' if depth == 1 => expression = true,
            '/' if depth == 0 && out.ends_with('/') => continue,
            _ => {}
        }
        if !expression {
            out.push(c);
        }
    }
    out
}

/// Whether a route's path pattern takes a URL path; a query on either side is left out, a trailing slash matters to
/// neither.
pub fn serves(pattern: &str, url: &str) -> bool {
    let pattern = segments(pattern);
    let url = segments(url);
    for (at, segment) in pattern.iter().enumerate() {
        if is_rest(segment) {
            return url.len() >= at;
        }
        let Some(actual) = url.get(at) else { return false };
        if !is_parameter(segment) && segment != actual {
            return false;
        }
    }
    pattern.len() == url.len()
}

/// What stands for a path of which nothing is known: like a parameter it may be anything.
pub const UNRESOLVED: &str = "{unresolved}";

/// Whether nothing but the start of a path is known.
pub fn is_unresolved(pattern: &str) -> bool {
    segments(pattern).last() == Some(&UNRESOLVED)
}

/// The path's segments without its query.
pub fn segments(path: &str) -> Vec<&str> {
    let path = path.split(['?', '#']).next().unwrap_or("");
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// The leading segments that at least three quarters of these paths have.
pub fn shared_prefix<'p>(paths: &[Vec<&'p str>]) -> Vec<&'p str> {
    let mut shared: Vec<&str> = Vec::new();
    loop {
        let mut next: BTreeMap<&str, usize> = BTreeMap::new();
        let below = paths.iter().filter(|path| path.starts_with(&shared));
        for segment in below.filter_map(|path| path.get(shared.len())) {
            *next.entry(segment).or_default() += 1;
        }
        match next.into_iter().max_by_key(|(_, count)| *count) {
            Some((segment, count)) if count * 4 >= paths.len() * 3 => shared.push(segment),
            _ => return shared,
        }
    }
}

fn is_rest(segment: &str) -> bool {
    segment.starts_with('*')
        || segment.starts_with("{*")
        || (segment.starts_with('{') && segment.ends_with("}*"))
        || segment.starts_with("<**")
        || (segment.starts_with('<') && segment.ends_with("..>"))
}

/// Whether a segment of a pattern is (or holds) a parameter.
pub fn is_parameter(segment: &str) -> bool {
    segment.starts_with(':') || segment.contains(['{', '<', '*'])
}

#[cfg(test)]
mod tests {
    use super::{join, normal, serves};

    #[test]
    fn prefixes_are_joined_with_one_slash() {
        for (prefix, path, whole) in [
            ("/api", "/x", "/api/x"),
            ("/api/", "/x", "/api/x"),
            ("/api", "x", "/api/x"),
            ("", "/", "/"),
            ("/api", "", "/api"),
        ] {
            assert_eq!(join(prefix, path), whole);
        }
    }

    #[test]
    fn expressions_of_parameters_are_left_out() {
        assert_eq!(normal("//a/{uid:[0-9]{1,10}}/b"), "/a/{uid}/b");
        assert_eq!(normal("a/:id"), "/a/:id");
        assert_eq!(normal("/static/{path:.*}"), "/static/{path}*");
    }

    #[test]
    fn patterns_take_the_urls_they_mean() {
        for (pattern, url, taken) in [
            ("/health", "/health/", true),
            ("/{version}/health", "/v1/health", true),
            ("/a/:id", "/a/1?x=2", true),
            ("/f/<p..>", "/f/a/b", true),
            ("/f/{*rest}", "/f/a/b", true),
            ("/f/{rest}*", "/f/a/b", true),
            ("/health", "/healthz", false),
            ("/a/:id", "/a", false),
        ] {
            assert_eq!(serves(pattern, url), taken, "{pattern} {url}");
        }
    }
}

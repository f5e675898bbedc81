//! CORS policies: what the builders of the CORS layers say, and headers set by hand.

use super::value::Value;

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// any, mirror, list, configured; `None` lets no other origin in.
    pub origins: Option<&'static str>,
    /// Credentials are allowed.
    pub credentials: bool,
    /// Whether credentials are allowed cannot be told.
    pub credentials_unknown: bool,
}

impl Policy {
    /// The more open of two policies that branches give.
    pub fn or_wider(self, other: Policy) -> Policy {
        let rank = |policy: &Policy| match policy.origins {
            Some("any" | "mirror") => 3,
            Some("configured") => 2,
            Some(_) => 1,
            None => 0,
        };
        let credentials = self.credentials || other.credentials;
        let credentials_unknown = self.credentials_unknown || other.credentials_unknown;
        let wider = if rank(&other) > rank(&self) { other } else { self };
        Policy { credentials, credentials_unknown, ..wider }
    }
}

/// Constructors that say something: crate (empty: any), function, origins, credentials.
const CONSTRUCTORS: &[(&str, &str, &str, bool)] = &[
    ("actix_cors", "permissive", "mirror", true),
    ("ntex_cors", "default", "any", false),
    ("poem", "new", "any", false),
    ("rocket_cors", "default", "any", false),
    ("rocket_cors", "from_options", "any", false),
    ("", "very_permissive", "mirror", true),
    ("", "permissive", "any", false),
];

/// The policy that a constructor gives.
pub fn constructed(krate: &str, function: &str) -> Policy {
    let found = CONSTRUCTORS.iter().find(|(of, name, _, _)| (of.is_empty() || *of == krate) && *name == function);
    match found {
        Some((_, _, origins, credentials)) => {
            Policy { origins: Some(origins), credentials: *credentials, credentials_unknown: false }
        }
        None => Policy::default(),
    }
}

/// A method of a builder.
pub fn method(policy: &mut Policy, name: &str, source: &str, argument: Option<&Value<'_>>) {
    match name {
        "allow_any_origin" | "send_wildcard" => policy.origins = Some("any"),
        "allow_origin" | "allow_origins" | "allowed_origin" | "allowed_origins" => {
            policy.origins = Some(origins(source, argument));
        }
        "allowed_origin_fn" | "allow_origins_fn" | "allow_origin_regex" | "allow_origin_fn" => {
            policy.origins = Some(if source.contains("true") && !source.contains("==") { "mirror" } else { "list" });
        }
        "allow_credentials" | "supports_credentials" => {
            let given = argument.and_then(Value::text);
            match (source, given) {
                ("", _) | ("true", _) => policy.credentials = true,
                ("false", _) => policy.credentials = false,
                _ => policy.credentials_unknown = true,
            }
        }
        _ => {}
    }
}

fn origins(source: &str, argument: Option<&Value<'_>>) -> &'static str {
    let words: Vec<&str> = source.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let has = |word: &str| words.contains(&word);
    if has("Any") || has("any") || source.contains("\"*\"") || has("All") || has("all") {
        return "any";
    }
    if has("mirror_request") {
        return "mirror";
    }
    if has("predicate") || has("async_predicate") || source.contains("://") || source.contains('"') {
        return "list";
    }
    match argument {
        Some(Value::Text(text)) if text.complete && !text.configured && text.text == "*" => "any",
        Some(Value::Text(text)) if text.complete && !text.configured => "list",
        _ => "configured",
    }
}

/// Fields of a struct literal (rocket_cors).
pub fn by_fields<'f>(policy: &mut Policy, source: &str, fields: impl Iterator<Item = &'f str>) {
    for field in fields {
        match field {
            "allowed_origins" => {
                policy.origins = Some(
                    if source.contains("some_exact") || source.contains("some_regex") || source.contains("some(") {
                        "list"
                    } else if source.contains("AllowedOrigins::all") || source.contains("AllOrSome::All") {
                        "any"
                    } else {
                        "configured"
                    },
                );
            }
            "allow_credentials" => policy.credentials = source.contains("allow_credentials: true"),
            _ => {}
        }
    }
}

/// The policy of an `Access-Control-Allow-Origin` header that is set by hand.
pub fn by_header(value: Option<&str>) -> Policy {
    let origins = match value {
        Some("*") => "any",
        Some(_) => "list",
        None => "configured",
    };
    Policy { origins: Some(origins), ..Policy::default() }
}

#[cfg(test)]
mod tests {
    use super::{Policy, constructed, method};

    #[test]
    fn builders_say_who_may_call() {
        let mut policy = constructed("tower_http", "new");
        assert_eq!(policy, Policy::default());
        method(&mut policy, "allow_origin", "Any", None);
        method(&mut policy, "allow_credentials", "true", None);
        assert_eq!((policy.origins, policy.credentials), (Some("any"), true));
        method(&mut policy, "allow_origin", "\"https://shop.example\".parse::<HeaderValue>()?", None);
        assert_eq!(policy.origins, Some("list"));
        method(&mut policy, "allow_origin", "AllowOrigin::mirror_request()", None);
        assert_eq!(policy.origins, Some("mirror"));
    }

    #[test]
    fn the_more_open_branch_counts() {
        let any = Policy { origins: Some("any"), ..Policy::default() };
        let list = Policy { origins: Some("list"), credentials: true, ..Policy::default() };
        let both = any.or_wider(list);
        assert_eq!((both.origins, both.credentials), (Some("any"), true));
    }

    #[test]
    fn permissive_means_different_things() {
        assert!(constructed("actix_cors", "permissive").credentials);
        assert!(!constructed("tower_http", "permissive").credentials);
    }
}

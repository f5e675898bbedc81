//! What a route is for, by its path.

use super::paths;

/// Last segments that name a purpose; separators and case do not matter.
const NAMES: &[(&str, &str)] = &[
    ("health", "health"),
    ("healthz", "health"),
    ("healthcheck", "health"),
    ("healthchecks", "health"),
    ("healthchecker", "health"),
    ("heartbeat", "health"),
    ("status", "health"),
    ("statusz", "health"),
    ("live", "liveness"),
    ("livez", "liveness"),
    ("liveness", "liveness"),
    ("alive", "liveness"),
    ("isalive", "liveness"),
    ("lbheartbeat", "liveness"),
    ("ping", "liveness"),
    ("up", "liveness"),
    ("ready", "readiness"),
    ("readyz", "readiness"),
    ("readiness", "readiness"),
    ("isready", "readiness"),
    ("metrics", "metrics"),
    ("prometheus", "metrics"),
    ("openapi", "api-document"),
    ("openapijson", "api-document"),
    ("openapiyaml", "api-document"),
    ("swagger", "api-document"),
    ("swaggerui", "api-document"),
    ("swaggerjson", "api-document"),
    ("apidoc", "api-document"),
    ("apidocs", "api-document"),
    ("redoc", "api-document"),
    ("rapidoc", "api-document"),
    ("scalar", "api-document"),
];

/// Segments before a health name that do not make it another resource's health.
const PREFIXES: &[&str] = &[
    "api",
    "rest",
    "internal",
    "private",
    "public",
    "admin",
    "management",
    "actuator",
    "system",
    "sys",
    "monitoring",
    "monitor",
    "probe",
    "probes",
    "k8s",
    "kube",
    "health",
    "healthz",
    "healthcheck",
    "status",
    "server",
    "service",
    "app",
    "grpc",
    "http",
    "ops",
    "meta",
    "common",
    "core",
    "check",
    "checks",
    "utils",
    "general",
    "debug",
    "diagnostics",
];

/// The purpose of a route. `shared` is the number of its leading segments that are the base of its server.
pub fn of(method: &str, path: &str, library: Option<&str>, shared: usize) -> &'static str {
    if path.starts_with("/grpc.health.v1.Health/") {
        return "readiness";
    }
    if !matches!(method, "GET" | "HEAD" | "ANY") {
        return "other";
    }
    let segments = paths::segments(path);
    if library.is_some_and(|name| {
        ["SwaggerUi", "Redoc", "RapiDoc", "Scalar", "openapi", "swagger_ui", "redoc", "rapidoc", "spec_endpoint"]
            .contains(&name)
    }) {
        return "api-document";
    }
    let documents = |segment: &&str| matches!(plain(segment).as_str(), "apidoc" | "apidocs" | "swagger" | "swaggerui");
    if segments.iter().any(documents) {
        return "api-document";
    }
    // `/{status}` takes a status; it does not give the service's.
    let Some(last) = segments.last().filter(|last| !paths::is_parameter(last)) else { return "other" };
    let last = plain(last);
    let Some((_, purpose)) = NAMES.iter().find(|(name, _)| *name == last) else { return "other" };
    let before = segments[..segments.len() - 1].iter().skip(shared.min(segments.len() - 1));
    let of_service = before.into_iter().all(|segment| is_prefix(segment));
    if of_service || *purpose == "api-document" { purpose } else { "other" }
}

fn plain(segment: &str) -> String {
    segment.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

fn is_prefix(segment: &str) -> bool {
    let lower = plain(segment);
    let version = lower.strip_prefix('v').unwrap_or(&lower);
    let operations = |word: &str| {
        ["internal", "backstage", "actuator", "management", "admin", "ops", "private", "system"].contains(&word)
    };
    PREFIXES.contains(&lower.as_str())
        || segment.to_ascii_lowercase().split(['-', '_', '.']).any(operations)
        || paths::is_parameter(segment)
        || (!version.is_empty() && version.chars().all(|c| c.is_ascii_digit()))
}

/// Whether a route logs users in, registers them or resets passwords: by its path and its handler's name.
pub fn authenticates(path: &str, handler: &str) -> bool {
    const WORDS: &[&str] = &[
        "login",
        "signin",
        "logon",
        "register",
        "signup",
        "authenticate",
        "forgotpassword",
        "resetpassword",
        "passwordreset",
        "requestpasswordreset",
        "token",
        "refresh",
        "refreshtoken",
        "session",
        "sessions",
        "2fa",
        "otp",
        "verifyotp",
    ];
    let named = |segment: &str| WORDS.contains(&plain(segment).as_str());
    let segments = paths::segments(path);
    let last = segments.iter().rev().find(|segment| !paths::is_parameter(segment));
    let own = handler.rsplit("::").next().unwrap_or("");
    // A login of several steps names itself before the step: `/login/start`, `/auth/reset/step1`.
    const STEPS: &[&str] = &["login", "signin", "logon", "signup", "forgotpassword", "resetpassword", "passwordreset"];
    let plainly: Vec<String> = segments.iter().map(|segment| plain(segment)).collect();
    let has = |word: &str| plainly.iter().any(|segment| segment == word);
    if STEPS.iter().any(|word| has(word)) || has("auth") && (has("reset") || has("register")) {
        return true;
    }
    last.is_some_and(|last| named(last) && (plain(last) != "refresh" || path.contains("auth")))
        || [
            "login",
            "signin",
            "sign_in",
            "signup",
            "sign_up",
            "register_user",
            "login_user",
            "forgot_password",
            "reset_password",
        ]
        .contains(&own)
}

#[cfg(test)]
mod tests {
    use super::{authenticates, of};

    #[test]
    fn health_routes_are_told_by_name_and_place() {
        for (path, purpose) in [
            ("/internal-area/health", "health"),
            ("/images/health", "other"),
            ("/health", "health"),
            ("/api/v1/health", "health"),
            ("/{version}/health", "health"),
            ("/__lbheartbeat__", "liveness"),
            ("/__heartbeat__", "health"),
            ("/api/v1/health/ping", "liveness"),
            ("/readyz", "readiness"),
            ("/internal-backstage/health", "health"),
            ("/image/health", "other"),
            ("/orders/{id}/status", "other"),
            ("/metrics", "metrics"),
            ("/api-docs/openapi.json", "api-document"),
            ("/api/healthchecker", "health"),
        ] {
            assert_eq!(of("GET", path, None, 0), purpose, "{path}");
        }
        assert_eq!(of("POST", "/health", None, 0), "other");
        assert_eq!(of("GET", "/shop/health", None, 1), "health");
    }

    #[test]
    fn logins_are_told_by_path_or_handler() {
        assert!(authenticates("/users/login", "login"));
        assert!(authenticates("/x", "auth::sign_in"));
        assert!(authenticates("/auth/opaque/login/start", "start"));
        assert!(authenticates("/auth/reset/step1/{user}", "first_step"));
        assert!(!authenticates("/devices/{id}/reset", "reset"));
        assert!(!authenticates("/orders", "create"));
    }
}

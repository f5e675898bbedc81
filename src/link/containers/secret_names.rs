//! Which settings hold secrets, by their names, and which values are real.

/// Parts of names that mean a secret.
const SECRET: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "MASTER_KEY",
    "CREDENTIALS",
    "JWT_KEY",
    "DSN",
];

/// Parts of names that only speak about a secret.
const ABOUT: &[&str] = &[
    "FILE",
    "PATH",
    "DIR",
    "NAME",
    "TTL",
    "EXPIRY",
    "EXPIRES",
    "EXPIRATION",
    "LIFETIME",
    "DURATION",
    "LENGTH",
    "MIN",
    "MAX",
    "URL",
    "URI",
    "ENDPOINT",
    "ISSUER",
    "AUDIENCE",
    "ALGORITHM",
    "ALG",
    "PUBLIC",
    "ENABLED",
    "ENABLE",
    "DISABLE",
    "COST",
    "HEADER",
    "ROTATION",
    "TIMEOUT",
    "ID",
    "COUNT",
    "LIMIT",
    "TYPE",
    "POLICY",
    "SECONDS",
    "MINUTES",
    "HOURS",
    "DAYS",
    "SECS",
    "REGION",
    "PREFIX",
    "AGE",
    "RESET",
    "COOKIE",
    "MODE",
    "REQUIRED",
    "ALLOW",
    "ITERATIONS",
    "ARN",
    "HOST",
    "PORT",
];

/// Whether a setting of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let about = upper.split('_').any(|part| ABOUT.contains(&part));
    !about && SECRET.iter().any(|word| upper.contains(word)) && !upper.starts_with("POSTGRES_HOST_AUTH")
}

/// Whether a value is one, and no placeholder, reference or switch.
pub fn is_value(value: &str) -> bool {
    let value = value.trim();
    let reference = value.contains("${") || value.contains("$(") || value.contains("{{") || value.starts_with('$');
    let placeholder = value.starts_with('<') || value.starts_with("xxx") || value.starts_with("***");
    let switch =
        matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "none" | "null" | "0" | "1");
    !value.is_empty() && !reference && !placeholder && !switch
}

/// Values that everybody writes in a sample: they say that nobody has set the secret yet.
const DUMMIES: &[&str] = &[
    "password",
    "secret",
    "changeme",
    "change-me",
    "change_me",
    "postgres",
    "root",
    "admin",
    "guest",
    "example",
    "test",
    "token",
    "dummy",
    "placeholder",
    "default",
    "user",
    "minioadmin",
];

/// Whether a value is one of a sample.
pub fn is_dummy(value: &str) -> bool {
    DUMMIES.contains(&value.trim().to_ascii_lowercase().as_str())
}

/// Whether a value is a URL with a password in it.
pub fn holds_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or("");
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| is_value(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        for name in ["DB_PASSWORD", "jwt-secret", "STRIPE_API_KEY", "ACCESS_TOKEN", "app.secret"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["PASSWORD_MIN_LENGTH", "TOKEN_TTL", "SECRET_NAME", "JWT_PUBLIC_KEY", "DB_HOST", "PASSWORD_FILE"] {
            assert!(!is_secret(name), "{name}");
        }
        assert!(is_value("hunter2") && !is_value("${X}") && !is_value("$(X)") && !is_value("") && !is_value("<token>"));
        assert!(holds_password("postgres://app:pw@db/x") && !holds_password("postgres://app@db/x"));
    }
}

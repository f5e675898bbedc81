//! What looks like a secret and is none: placeholders, references, hashes, ids, public keys, names, data, near formats.

use prodcheck::link::secrets::sample::expand;

use super::Plant;

/// Class, names and values; every name goes with every value.
const CLASSES: &[(&str, &[&str], &[&str])] = &[
    (
        "placeholder",
        &["jwt_secret", "api_token", "stripe_secret_key", "db_password", "github_token", "session_key"],
        &[
            "changeme",
            "change-me-in-production",
            "your-api-key-here",
            "<your-token>",
            "xxxxxxxxxxxxxxxxxxxxxxxx",
            "REPLACE_ME",
            "TODO",
            "********",
            "insert-secret-here",
            "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
            "AKIAIOSFODNN7EXAMPLE",
            "your_jwt_secret_of_at_least_32_characters",
            "glpat-XXXXXXXXXXXXXXXXXXXX",
            "0000000000000000000000000000000000000000",
            "dummy-token",
            "not-a-real-key",
            "sk-...",
        ],
    ),
    (
        "reference",
        &["jwt_secret", "api_token", "db_password", "smtp_password", "encryption_key"],
        &[
            "${JWT_SECRET}",
            "$ORDERS_TOKEN",
            "{{ .Values.auth.secret }}",
            "vault:secret/data/orders#jwt",
            "op://prod/orders/jwt",
            "arn:aws:secretsmanager:eu-west-1:{digit:12}:secret:orders/jwt-{alnum:6}",
            "projects/orders-prod/secrets/jwt/versions/latest",
            "/run/secrets/jwt_secret",
            "file:///run/secrets/jwt",
            "ssm:/orders/prod/jwt",
            "env:ORDERS_SECRET",
            "ENC[AES256_GCM,data:{base64:24},iv:{base64:43}=,tag:{base64:22}==,type:str]",
            "@Microsoft.KeyVault(SecretUri=https://orders.vault.azure.net/secrets/jwt/{hex:32})",
        ],
    ),
    ("hash", &["commit", "git_sha", "build_revision"], &["{hex:40}"]),
    ("hash", &["checksum", "sha256", "archive_checksum", "model_fingerprint"], &["{hex:64}", "sha256:{hex:64}"]),
    ("hash", &["image_digest", "integrity"], &["sha256:{hex:64}", "sha512-{base64:86}==", "sha384-{base64:64}"]),
    (
        "hash",
        &["password_hash", "admin_password_hash", "login_dummy_hash"],
        &["$2b$12${alnum:53}", "$argon2id$v=19$m=19456,t=2,p=1${base64:22}${base64:43}"],
    ),
    ("hash", &["etag", "cache_version", "schema_md5"], &["{hex:32}"]),
    (
        "id",
        &["tenant_id", "client_id", "correlation_id", "azure_subscription_id", "project_uuid", "device_id"],
        &["{uuid}"],
    ),
    ("id", &["aws_account_id", "slack_channel", "hosted_zone_id"], &["{digit:12}", "C0{upper:9}", "Z0{upper:19}"]),
    ("id", &["stripe_price_id", "plan_id"], &["price_1{alnum:23}", "prod_{alnum:14}"]),
    ("id", &["twilio_account_sid"], &["AC{hex:32}"]),
    ("id", &["cloudflare_zone_id", "trace_id", "run_id"], &["{hex:32}"]),
    ("id", &["next_page_token", "continuation_token", "resume_token"], &["{b64url:48}", "{digit:19}"]),
    (
        "id",
        &["idempotency_key", "cache_key", "partition_key", "routing_key", "dedup_key", "encryption_key_id"],
        &["{hex:32}", "orders:{hex:16}"],
    ),
    ("id", &["object_key", "upload_key"], &["uploads/2024/{hex:32}.png"]),
    ("id", &["token_address", "contract", "wallet_address"], &["0x{hex:40}"]),
    (
        "id",
        &["key_fingerprint", "host_key_fingerprint"],
        &["SHA256:{base64:43}", "{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}:{hex:2}"],
    ),
    ("id", &["google_client_id"], &["{digit:12}-{lower:32}.apps.googleusercontent.com"]),
    ("id", &["record_id", "request_id", "jwt_key_id", "access_key_name"], &["{alnum:21}", "01{upper:24}"]),
    ("id", &["subnet", "vpc", "security_group"], &["subnet-0{hex:17}", "vpc-0{hex:17}", "sg-0{hex:17}"]),
    ("public key", &["stripe_publishable_key", "stripe_public_key"], &["pk_live_{alnum:24}"]),
    (
        "public key",
        &["deploy_public_key", "authorized_key"],
        &["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{base64:43} deploy@acme"],
    ),
    ("public key", &["sops_recipient", "backup_recipient"], &["age1{lower:58}"]),
    ("public key", &["recaptcha_site_key", "turnstile_site_key"], &["6L{alnum:38}", "0x4AAAAAAA{alnum:14}"]),
    (
        "public key",
        &["vapid_public_key", "jwt_public_key"],
        &["B{b64url:86}", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{base64:360}"],
    ),
    ("public key", &["posthog_project_key"], &["phc_{alnum:43}"]),
    ("public key", &["sentry_dsn"], &["https://{hex:32}@o{digit:6}.ingest.sentry.io/{digit:7}"]),
    ("name", &["secret_name", "credentials_secret"], &["orders-db-credentials", "orders-tls"]),
    ("name", &["token_header", "api_key_header"], &["X-Api-Key", "X-Orders-Token", "Authorization"]),
    ("name", &["auth_type", "token_type", "jwt_algorithm"], &["Bearer", "HS256", "client_credentials"]),
    (
        "name",
        &["password_field", "token_column", "api_key_env"],
        &["user.password", "access_token_hash", "ORDERS_API_KEY"],
    ),
    (
        "name",
        &["token_url", "password_reset_url", "secret_path", "key_file", "token_issuer"],
        &[
            "https://login.acme.io/oauth2/token",
            "/var/run/secrets/orders",
            "/etc/tls/server.key",
            "https://id.acme.io/",
        ],
    ),
    (
        "name",
        &["password_label", "password_policy", "token_error", "api_key_help"],
        &[
            "Enter your password",
            "at least 12 characters, one digit",
            "token expired or revoked",
            "Paste the key from your account page",
        ],
    ),
    ("name", &["cookie_name", "session_cookie", "csrf_cookie"], &["orders_session", "__Host-session", "XSRF-TOKEN"]),
    (
        "data",
        &["logo", "avatar", "icon"],
        &["data:image/png;base64,iVBORw0KGgo{base64:160}", "iVBORw0KGgo{base64:160}"],
    ),
    ("data", &["cursor", "page_state", "bloom_seed"], &["{b64url:48}", "{hex:32}"]),
    (
        "data",
        &["asset", "bundle", "download"],
        &["app.{hex:20}.js", "https://cdn.acme.io/{hex:40}/app.js", "orders-{hex:12}.tar.gz"],
    ),
    ("data", &["csp_hash", "test_vector"], &["sha256-{base64:43}=", "{hex:64}"]),
    ("data", &["tls_certificate", "ca_bundle"], &["MIIDdzCCAl+gAwIBAgIE{base64:200}"]),
    (
        "near format",
        &["token_pattern", "key_pattern", "secret_regex"],
        &[
            "ghp_[0-9A-Za-z]{36}",
            "^AKIA[A-Z2-7]{16}$",
            "sk_live_[0-9a-zA-Z]{24}",
            "^xox[bp]-[0-9]+-",
            "eyJ[A-Za-z0-9_-]+",
        ],
    ),
    (
        "near format",
        &["token_prefix", "key_hint", "token_suffix"],
        &[
            "ghp_",
            "sk_live_",
            "glpat-",
            "AKIA****************",
            "xoxb-****",
            "SG.{alnum:4}****",
            "npm_{alnum:4}...{alnum:4}",
        ],
    ),
    (
        "near format",
        &["client_value", "sample_output"],
        &["ghp_{alnum:36}", "npm_{alnum:36}", "ghp_{alnum:12}", "AIza{alnum:12}"],
    ),
    (
        "url",
        &["database_url", "upstream_url"],
        &[
            "postgres://${DB_USER}:${DB_PASSWORD}@db:5432/orders",
            "postgres://orders@db.prod.acme.io:5432/orders",
            "postgres://user:password@host:5432/database",
            "redis://cache.prod.acme.io:6379/0",
            "https://api.acme.io/v1/tokens?page=2",
            "mongodb://<user>:<password>@cluster0.mongodb.net/orders",
        ],
    ),
    ("url", &["test_database_url"], &["postgres://postgres:postgres@localhost:5432/orders_test"]),
    (
        "setting",
        &["password_min_length", "token_ttl_seconds", "max_tokens", "secret_rotation_days"],
        &["12", "3600", "4096", "90"],
    ),
    ("setting", &["require_password", "token_validation", "password_login"], &["true", "enabled", "optional"]),
];

/// So many look-alikes, every class and name and value in turn.
pub fn all(count: usize, seed: u64) -> Vec<Plant> {
    let mut pairs = Vec::new();
    for (class, names, values) in CLASSES {
        for (at, value) in values.iter().enumerate() {
            pairs.extend(names.iter().map(|name| (*class, *name, at, *value)));
        }
    }
    (0..count)
        .map(|at| {
            let (class, name, of, value) = pairs[at % pairs.len()];
            let seed = seed * 100_000_000 + 9_000_000 + at as u64;
            let label = format!("{class} {name}#{of}");
            Plant { name: name.to_string(), value: expand(value, seed), label, secret: false }
        })
        .collect()
}

//! What well-known images are, as tables.

/// What a third-party image is for, by the last segment of its name.
const PURPOSES: &[(&str, &[&str])] = &[
    (
        "database",
        &[
            "postgres",
            "postgresql",
            "postgis",
            "timescaledb",
            "timescaledb-ha",
            "pgvector",
            "mysql",
            "mysql-server",
            "mariadb",
            "percona",
            "mongo",
            "mongodb",
            "cockroach",
            "documentdb",
            "documentdb-local",
            "cassandra",
            "scylla",
            "surrealdb",
            "clickhouse-server",
            "clickhouse",
            "elasticsearch",
            "opensearch",
            "meilisearch",
            "qdrant",
            "neo4j",
            "influxdb",
            "mssql-server",
            "cloud-spanner-emulator",
            "emulator",
            "spilo",
            "spilo-15",
            "spilo-16",
            "dynamodb-local",
            "couchdb",
            "tidb",
            "yugabyte",
            "arangodb",
            "dgraph",
            "rqlite",
            "libsql-server",
            "sqld",
            "typesense",
            "milvus",
            "weaviate",
            "etcd",
        ],
    ),
    (
        "cache",
        &["redis", "redis-stack", "redis-stack-server", "redis-cluster", "valkey", "keydb", "dragonfly", "memcached"],
    ),
    (
        "queue",
        &[
            "rabbitmq",
            "kafka",
            "cp-kafka",
            "zookeeper",
            "cp-zookeeper",
            "redpanda",
            "nats",
            "nats-streaming",
            "pulsar",
            "pulsar-all",
            "activemq",
            "elasticmq",
            "elasticmq-native",
            "mosquitto",
            "emqx",
            "temporal",
            "auto-setup",
        ],
    ),
    (
        "proxy",
        &[
            "nginx",
            "nginx-unprivileged",
            "traefik",
            "caddy",
            "haproxy",
            "envoy",
            "openresty",
            "oauth2-proxy",
            "cloudsql-proxy",
            "cloud-sql-proxy",
            "gce-proxy",
            "cloudflared",
            "pgbouncer",
            "varnish",
            "kong",
            "nginx-proxy",
            "acme-companion",
            "swag",
            "nginx-proxy-manager",
            "tailscale",
        ],
    ),
    (
        "monitoring",
        &[
            "prometheus",
            "grafana",
            "loki",
            "promtail",
            "tempo",
            "jaeger",
            "all-in-one",
            "alertmanager",
            "node-exporter",
            "cadvisor",
            "opentelemetry-collector",
            "opentelemetry-collector-contrib",
            "aws-otel-collector",
            "otel-collector",
            "zipkin",
            "vector",
            "fluentd",
            "fluent-bit",
            "aws-for-fluent-bit",
            "agent",
            "datadog-agent",
            "mimir",
            "statsd",
            "graphite-statsd",
            "kibana",
            "logstash",
            "telegraf",
            "openobserve",
            "seq",
            "uptime-kuma",
            "postgres-exporter",
            "redis_exporter",
            "adot-collector",
            "quickwit",
            "otel-lgtm",
            "pushgateway",
        ],
    ),
    (
        "tool",
        &[
            "adminer",
            "pgadmin4",
            "phpmyadmin",
            "mailhog",
            "mailpit",
            "maildev",
            "mailcatcher",
            "minio",
            "mc",
            "localstack",
            "busybox",
            "alpine",
            "curl",
            "ubuntu",
            "debian",
            "bash",
            "wait-for-it",
            "dockerize",
            "keycloak",
            "vault",
            "consul",
            "watchtower",
            "git-sync",
            "swagger-ui",
            "redisinsight",
            "mongo-express",
            "azurite",
            "fake-gcs-server",
            "wiremock",
            "hydra",
            "kratos",
            "dex",
            "flyway",
            "liquibase",
            "migrate",
            "atlas",
            "dbmate",
            "node",
            "python",
            "selenium",
            "playwright",
            "k6",
            "hasura",
            "kubectl",
            "helm",
            "aws-cli",
            "cloud-sdk",
            "google-cloud-cli",
            "postfix",
            "exim-relay",
            "pict-rs",
            "imgproxy",
            "registry",
            "portainer",
            "portainer-ce",
            "kafka-ui",
            "schema-registry",
            "mockserver",
            "toxiproxy",
            "stripe-mock",
            "stripe-cli",
            "smtp4dev",
            "postgres-backup",
            "postgres-backup-local",
            "wal-g",
            "dind",
            "golang",
            "java",
            "openjdk",
            "ollama",
            "electric",
            "postgrest",
            "gotrue",
            "supabase",
            "storybook",
        ],
    ),
];

/// What a third-party image is for; `None` for an image that no table names.
pub fn purpose(image: &str) -> Option<&'static str> {
    let name = last_segment(image);
    let by_name = PURPOSES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(purpose, _)| *purpose);
    by_name.or_else(|| image.contains("bitnami/").then_some("tool"))
}

/// The last segment of an image's name without tag and digest, in lower case.
pub fn last_segment(image: &str) -> String {
    split(image).0.rsplit('/').next().unwrap_or("").to_ascii_lowercase()
}

/// Name, tag and digest of an image reference.
pub fn split(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    let name_start = rest.rfind('/').map_or(0, |at| at + 1);
    match rest[name_start..].find(':') {
        Some(at) => {
            (&rest[..name_start + at], Some(&rest[name_start + at + 1..]).filter(|tag| !tag.is_empty()), digest)
        }
        None => (rest, None, digest),
    }
}

/// Base images whose default user is root.
const ROOT: &[&str] = &[
    "debian",
    "ubuntu",
    "alpine",
    "busybox",
    "scratch",
    "fedora",
    "centos",
    "rockylinux",
    "almalinux",
    "amazonlinux",
    "archlinux",
    "leap",
    "tumbleweed",
    "photon",
    "wolfi-base",
    "rust",
    "node",
    "python",
    "golang",
    "ruby",
    "php",
    "openjdk",
    "eclipse-temurin",
    "buildpack-deps",
    "nginx",
    "httpd",
    "cargo-chef",
    "rust-musl-cross",
    "muslrust",
    "ubi",
    "ubi8",
    "ubi9",
    "ubi-minimal",
    "ubi-micro",
    "oraclelinux",
    "nixos",
    "nix",
    "bun",
    "deno",
    "base-debian11",
    "base-debian12",
    "cc-debian11",
    "cc-debian12",
    "cc-debian13",
    "static-debian11",
    "static-debian12",
    "static-debian13",
    "base-debian13",
    "static",
    "cc",
    "base",
    "cuda",
    "bash",
    "postgres",
    "redis",
    "bitnami",
    "minideb",
    "dotnet",
    "runtime",
    "aspnet",
    "sdk",
];

/// Whether a base image runs as root unless something says otherwise; `None` for an image nobody knows.
pub fn runs_as_root(image: &str) -> Option<bool> {
    let (name, tag, _) = split(image);
    let words = format!("{name}:{}", tag.unwrap_or("")).to_ascii_lowercase();
    let unprivileged = ["nonroot", "non-root", "rootless", "unprivileged"].iter().any(|word| words.contains(word));
    if unprivileged || words.starts_with("cgr.dev/chainguard/") || words.contains("bitnami/") {
        return Some(false);
    }
    let last = last_segment(image);
    let distroless = words.starts_with("gcr.io/distroless/");
    let generic = ["static", "cc", "base", "runtime", "sdk", "aspnet"].contains(&last.as_str());
    let known = distroless || (ROOT.contains(&last.as_str()) && (!generic || words.contains("microsoft")));
    known.then_some(true)
}

/// Parts of a tag that move to other images over time.
const FLOATING: &[&str] = &[
    "latest",
    "edge",
    "nightly",
    "rolling",
    "sid",
    "unstable",
    "testing",
    "stable",
    "main",
    "master",
    "dev",
    "develop",
    "development",
    "head",
    "canary",
    "next",
    "current",
    "lts",
    "mainline",
    "trunk",
    "beta",
    "alpha",
    "staging",
    "prod",
    "production",
    "release",
    "snapshot",
];

/// Names of releases of the distributions whose images are tagged by them.
const CODENAMES: &[&str] = &[
    "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "trusty", "xenial", "bionic", "focal",
    "jammy", "noble", "plucky", "questing",
];

/// Parts of a tag whose digits name an architecture.
const ARCHITECTURES: &[&str] = &[
    "x86", "64", "x64", "amd64", "arm64", "arm64v8", "arm32v7", "aarch64", "armv7", "armv6", "i386", "386", "s390x",
    "ppc64le",
];

/// Whether a part of an image reference is left to whoever deploys it: `<tag>`, `YOUR_REGISTRY`.
pub fn is_to_fill_in(image: &str) -> bool {
    let upper = image.to_ascii_uppercase();
    image.contains(['<', '>']) || ["YOUR_", "YOUR-", "CHANGEME", "REPLACE_ME"].iter().any(|word| upper.contains(word))
}

/// Whether an image reference names a version: a digest, or a tag that does not move to another release.
pub fn names_version(image: &str) -> bool {
    let (name, tag, digest) = split(image);
    let last = last_segment(image);
    let in_name = ["debian11", "debian12", "debian13"].iter().any(|release| last.ends_with(release));
    if digest.is_some() || (in_name && name.contains("distroless")) {
        return true;
    }
    let Some(tag) = tag.map(str::to_ascii_lowercase) else { return false };
    let parts: Vec<&str> = tag.split(['-', '.', '_']).collect();
    let dated = parts.iter().any(|part| part.len() >= 6 && part.bytes().all(|byte| byte.is_ascii_digit()));
    if dated || is_hash(&tag) {
        return true;
    }
    // `stable-1.97.1` and `1.0.0-alpha.85` name one release; `latest-rust-1.80` is the latest of something else.
    let release = |part: &str| {
        part.contains('.') && part.trim_start_matches('v').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let numbered = tag.split(['-', '_']).any(release) && !tag.starts_with("latest");
    if !numbered && parts.iter().any(|part| FLOATING.contains(part)) {
        return false;
    }
    let distribution = matches!(last.as_str(), "debian" | "ubuntu");
    parts.iter().any(|part| {
        let digits = part.bytes().any(|byte| byte.is_ascii_digit()) && !ARCHITECTURES.contains(part);
        digits || (distribution && CODENAMES.contains(part))
    })
}

/// A commit hash, perhaps behind `sha-`.
fn is_hash(tag: &str) -> bool {
    let hash = tag.rsplit('-').next().unwrap_or(tag);
    hash.len() >= 7
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && hash.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_split() {
        assert_eq!(split("localhost:5000/a/b:1@sha256:x"), ("localhost:5000/a/b", Some("1"), Some("sha256:x")));
        assert_eq!(split("localhost:5000/a"), ("localhost:5000/a", None, None));
        assert_eq!(purpose("docker.io/library/postgres:16"), Some("database"));
        assert_eq!(purpose("ghcr.io/acme/shop"), None);
    }

    #[test]
    fn versions_are_told_from_moving_tags() {
        for image in [
            "rust:1.80",
            "debian:bookworm-slim",
            "ubuntu:xenial",
            "alpine:3.20",
            "gcr.io/distroless/cc-debian12",
            "a@sha256:0",
            "debian:trixie-20240513-slim",
            "a/b:sha-0f3a9b1",
            "rust:1-slim",
            "debian:unstable-20240110",
            "a:v2",
            "rust-musl:x86_64-musl-stable-1.97.1",
            "a:1.0.0-alpha.85",
        ] {
            assert!(names_version(image), "{image}");
        }
        for image in [
            "rust",
            "rust:latest",
            "debian:sid-slim",
            "rust:slim-bookworm",
            "cargo-chef:latest-rust-1.80",
            "debian:stable-slim",
            "rust-musl-cross:x86_64-musl",
            "gcr.io/distroless/cc",
            "a:main",
            "rust:buster",
        ] {
            assert!(!names_version(image), "{image}");
        }
    }

    #[test]
    fn users_of_bases() {
        assert_eq!(runs_as_root("debian:bookworm-slim"), Some(true));
        assert_eq!(runs_as_root("gcr.io/distroless/cc-debian12:nonroot"), Some(false));
        assert_eq!(runs_as_root("gcr.io/distroless/static"), Some(true));
        assert_eq!(runs_as_root("registry.acme.example/platform/base:3"), None);
    }
}

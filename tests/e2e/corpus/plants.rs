//! Secrets of every kind of the catalog, and of those that only their name or a URL tells.

use prodcheck::link::secrets::kinds;
use prodcheck::link::secrets::sample::expand;

use super::{File, Plant};

/// Names under which credentials of no known format stand.
const NAMES: &[&str] = &[
    "jwt_secret",
    "session_secret",
    "db_password",
    "admin_password",
    "encryption_key",
    "webhook_secret",
    "internal_api_token",
    "smtp_password",
    "cookie_signing_key",
    "hmac_key",
    "partner_api_key",
    "oauth_client_secret",
];

/// Values of such credentials.
const VALUES: &[&str] = &["{alnum:32}", "{hex:64}", "{base64:43}=", "Kx7{alnum:9}!Qz", "{alnum:20}", "{b64url:43}"];

/// URLs with a password in them.
const URLS: &[(&str, &str)] = &[
    ("database_url", "postgres://orders:{alnum:20}@db.prod.acme.io:5432/orders"),
    ("mysql_url", "mysql://orders:{alnum:16}@mysql.prod.acme.io/orders"),
    ("mongo_uri", "mongodb+srv://orders:{alnum:24}@cluster0.a1b2c.mongodb.net/orders"),
    ("redis_url", "rediss://default:{alnum:32}@cache.prod.acme.io:6380/0"),
    ("amqp_url", "amqps://orders:{alnum:22}@mq.prod.acme.io/orders"),
    ("feed_url", "https://orders:{alnum:18}@feeds.acme.io/prices.xml"),
];

/// Kinds whose format is a whole line or file of its own: where they stand, `VALUE` for the sample.
const OWN: &[(&str, &[(&str, &str)])] = &[
    ("npmrc-auth", &[("web/N/.npmrc", "save-exact=true\nVALUE\n")]),
    ("npmrc-login", &[("web/N/.npmrc", "save-exact=true\nVALUE\n")]),
    ("docker-config-auth", &[("ops/N/docker/config.json", "{\n  \"credsStore\": \"\",\nVALUE\n}\n")]),
    (
        "private-key",
        &[
            ("certs/N/server.pem", "VALUE\n"),
            ("src/keys_N.rs", "//! Signs tokens.\npub const SIGNING: &str = \"VALUE\";\n"),
            ("deploy/N/tls.yaml", "settings:\n  tls: |\nVALUE\n"),
            ("config/N/keys.json", "{\n  \"signing\": \"VALUE\"\n}\n"),
        ],
    ),
    (
        "kubeconfig-key",
        &[("ops/N/kubeconfig.yaml", "apiVersion: v1\nkind: Config\nusers:\n  - name: admin\n    user:\n      VALUE\n")],
    ),
    (
        "kubernetes-token",
        &[(
            "ops/N/kubeadm.yaml",
            "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nbootstrapTokens:\n  - VALUE\n    ttl: 24h\n",
        )],
    ),
    ("putty-key", &[("ops/N/key.txt", "VALUE\n")]),
    ("jwk-private", &[("config/N/jwk.json", "{\n  \"keys\": [\n    VALUE\n  ]\n}\n")]),
    (
        "bearer-header",
        &[
            ("scripts/N/sync.sh", "#!/bin/sh\ncurl -sf -H \"VALUE\" https://api.acme.io/v1/orders\n"),
            ("tools/N/sync.py", "import requests\nrequests.get(URL, headers=parse(\"VALUE\"))\n"),
        ],
    ),
    ("basic-header", &[("scripts/N/push.sh", "#!/bin/sh\ncurl -sf -H \"VALUE\" https://api.acme.io/v1/orders\n")]),
    ("netrc-password", &[("ops/N/.netrc", "VALUE\n")]),
    ("pgpass-line", &[("ops/N/.pgpass", "VALUE\n")]),
    ("wireguard-key", &[("ops/N/wg0.conf", "[Interface]\nAddress = 10.0.0.2/32\nVALUE\n")]),
    ("wordpress-salt", &[("blog/N/config.php", "<?php\nVALUE\n")]),
    ("azure-sas-token", &[("scripts/N/copy.sh", "#!/bin/sh\ncurl -sf \"VALUE\" -o prices.csv\n")]),
];

/// Providers' keys for their test mode open nothing real.
fn counts(kind: &kinds::Kind) -> bool {
    !kind.test_mode
}

/// Every kind so many times: plants for any file, and files of their own.
pub fn all(times: usize, seed: u64) -> (Vec<Plant>, Vec<File>) {
    let mut plants = Vec::new();
    let mut files = Vec::new();
    let mut seed = 1_000 + seed * 100_000_000;
    for kind in kinds::all().kinds.iter().filter(|kind| counts(kind)) {
        for round in 0..times {
            seed += 1;
            let value = sample(kind, round, seed);
            match OWN.iter().find(|(id, _)| *id == kind.id) {
                Some((_, places)) => files.push(own(kind, places[round % places.len()], &value, seed)),
                None => plants.push(plant(kind, round, &value)),
            }
        }
    }
    for (at, name) in NAMES.iter().enumerate() {
        for round in 0..times {
            seed += 1;
            let value = expand(VALUES[(at + round) % VALUES.len()], seed);
            plants.push(Plant { name: (*name).to_string(), value, label: format!("named {name}"), secret: true });
        }
    }
    for (name, template) in URLS {
        for _ in 0..times {
            seed += 1;
            let value = expand(template, seed);
            plants.push(Plant { name: (*name).to_string(), value, label: format!("in a {name}"), secret: true });
        }
    }
    (plants, files)
}

fn sample(kind: &kinds::Kind, round: usize, seed: u64) -> String {
    match kind.id.as_str() {
        "basic-header" => format!("Authorization: Basic {}", base64(&expand("orders:{alnum:18}", seed))),
        "npmrc-login" => format!("_auth={}", base64(&expand("orders:{alnum:18}", seed))),
        "docker-config-auth" => {
            let auth = base64(&expand("orders:{alnum:20}", seed));
            format!("  \"auths\": {{ \"registry.acme.io\": {{ \"auth\": \"{auth}\" }} }}")
        }
        _ => expand(&kind.matches[round % kind.matches.len()], seed),
    }
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let sign = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at > three.len() { '=' } else { char::from(sign) });
        }
    }
    out
}

/// `NAME=value` and `NAME: value` come apart; a token that its format tells stands under names that say more or less.
fn plant(kind: &kinds::Kind, round: usize, sample: &str) -> Plant {
    let provider = kind.id.split('-').next().unwrap_or("client");
    let (name, value) = match sample.split_once(['=', ':']) {
        Some(("AccountKey", _)) => (
            "azure_storage_connection".to_string(),
            format!("DefaultEndpointsProtocol=https;AccountName=orders;{sample};EndpointSuffix=core.windows.net"),
        ),
        Some(("SharedAccessKey", _)) => (
            "azure_servicebus_connection".to_string(),
            format!("Endpoint=sb://orders.servicebus.windows.net/;SharedAccessKeyName=send;{sample}"),
        ),
        Some((name, value)) if is_name(name.trim()) && !value.is_empty() => {
            (name.trim().to_ascii_lowercase(), value.trim().to_string())
        }
        _ => {
            let names = [
                format!("{provider}_token"),
                format!("{provider}_auth"),
                format!("{provider}_api_key"),
                "upstream_auth".to_string(),
            ];
            (names[round % names.len()].clone(), sample.to_string())
        }
    };
    Plant { name, value, label: kind.id.clone(), secret: true }
}

fn is_name(text: &str) -> bool {
    text.len() >= 4
        && text.contains('_')
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && (text.bytes().all(|byte| !byte.is_ascii_lowercase()) || text.bytes().all(|byte| !byte.is_ascii_uppercase()))
}

fn own(kind: &kinds::Kind, (path, text): (&str, &str), sample: &str, seed: u64) -> File {
    let indented = path.ends_with(".yaml") && sample.contains('\n');
    let escaped = path.ends_with(".rs") || path.ends_with(".json") && sample.contains('\n');
    let sample = match () {
        () if indented => sample.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n"),
        () if escaped => sample.replace('\n', "\\n"),
        () => sample.to_string(),
    };
    let before = text.split("VALUE").next().unwrap_or("").matches('\n').count();
    let truth = vec![(u32::try_from(before + 1).unwrap(), kind.id.clone(), true)];
    File { path: path.replace('N', &seed.to_string()), text: text.replace("VALUE", &sample), truth }
}

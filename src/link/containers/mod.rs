//! Images, compose services, workloads and proxies: what runs the services of the tree, and how.

mod bake;
mod command;
mod compose;
mod ecs;
mod haproxy;
mod images;
pub mod known;
mod kubernetes;
mod owner;
mod platforms;
mod proxies;
pub mod secret_files;
mod secret_names;
mod tools;
mod variables;

pub(crate) use kubernetes::chart;

use crate::facts::Fact;
use crate::link::delivery::pipelines;
use crate::link::{Context, Linked};
use crate::scan::source::{FileId, Kind, Role};
use owner::{Owner, Owners};

/// Adds the facts of this part.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut deployment = Deployment { context, linked, owners: Owners::new(context) };
    let dockerfiles: Vec<FileId> = context
        .repository
        .files()
        .filter(|(file, parsed)| images::is_dockerfile(file, &parsed.syntax))
        .map(|(file, _)| file.id)
        .collect();
    images::learn(&mut deployment.owners, &dockerfiles);
    deployment.owners.learn_built(&pipelines::named(context));
    let targets = compose::targets(&deployment);
    for file in dockerfiles {
        images::emit(&mut deployment, file, targets.get(&file).map_or(&[][..], Vec::as_slice));
    }
    bake::emit(&mut deployment);
    compose::emit(&mut deployment);
    kubernetes::emit(&mut deployment);
    platforms::emit(&mut deployment);
    proxies::emit(&mut deployment);
    haproxy::emit(&mut deployment);
    ecs::emit(&mut deployment);
}

/// What every part of this module works with.
struct Deployment<'a, 'l> {
    context: &'a Context<'a>,
    linked: &'l mut Linked,
    owners: Owners<'a>,
}

impl Deployment<'_, '_> {
    fn add(&mut self, fact: Fact) {
        self.linked.facts.add(fact);
    }

    /// Names of an owner's services.
    fn service_names(&self, owner: &Owner) -> Option<String> {
        let names: Vec<&str> = owner
            .services
            .iter()
            .filter_map(|id| self.context.services.get(id.0 as usize))
            .map(|service| service.name.as_str())
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The text of a script of the tree that a command line starts: by its name, nearest to the file that names it.
    fn script_of(&self, file: FileId, line: &str) -> Option<String> {
        let home = self.context.repository.tree.file(file).folder();
        let words = line.split(|c: char| c.is_whitespace() || "\"',[]".contains(c)).filter(|word| !word.is_empty());
        for word in words {
            let name = word.rsplit('/').next().unwrap_or(word);
            let script = name.ends_with(".sh") || word.contains('/');
            if !script || name.is_empty() {
                continue;
            }
            let found = self
                .context
                .repository
                .tree
                .files
                .iter()
                .filter(|file| file.name() == name && file.role != Role::Test)
                .filter(|file| file.kind == Kind::Shell || file.text.starts_with("#!"))
                .max_by_key(|file| (common_prefix(file.folder(), home), std::cmp::Reverse(file.path.len())));
            if let Some(found) = found {
                return Some(found.text.to_string());
            }
        }
        None
    }

    /// What a health check's command line calls, through scripts and the service's own subcommands.
    fn call(&self, file: FileId, line: &str, owner: &Owner) -> command::Call {
        let call = command::read(line);
        if call.how == "http" && call.path.as_deref() != Some("/") {
            return call;
        }
        if let Some(script) = self.script_of(file, line) {
            return command::read_script(&script);
        }
        let subcommand = self.subcommand(line, owner);
        match subcommand {
            Some(path) => command::Call { how: "http", path: Some(path), port: call.port, of_store: false },
            None => call,
        }
    }

    /// The path that a subcommand of the service's own binary calls: a string of a file that names the subcommand.
    fn subcommand(&self, line: &str, owner: &Owner) -> Option<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| self.owners.named(word.rsplit('/').next().unwrap_or(word)).is_some())?;
        let name = words.get(at + 1).map_or("", |word| word.trim_start_matches('-')).replace('-', "");
        let name =
            if name.is_empty() || name.starts_with("http") { "health".to_string() } else { name.to_ascii_lowercase() };
        let crates: Vec<&str> = owner
            .services
            .iter()
            .filter_map(|id| self.context.services.get(id.0 as usize))
            .flat_map(|service| service.crates.iter().map(String::as_str))
            .collect();
        let rust = self.context.repository.tree.files.iter().filter(|file| {
            file.role == Role::Service
                && file.kind == Kind::Rust
                && crates.iter().any(|folder| *folder == "." || file.path.starts_with(&format!("{folder}/")))
        });
        let speaks = |text: &str| text.to_ascii_lowercase().replace('_', "").contains(&name);
        rust.filter(|file| speaks(file.name()) || speaks(&file.text)).find_map(|file| called_path(&file.text, &name))
    }
}

/// The first string that looks like the path of a health route, near the place that names the subcommand.
fn called_path(text: &str, name: &str) -> Option<String> {
    let words = ["health", "alive", "ready", "live", "ping", "status", "heartbeat"];
    let strings = text.split('"').skip(1).step_by(2);
    strings
        .filter_map(|string| string.find('/').map(|at| (string, at)))
        .filter_map(|(string, _)| {
            let path = string.split_once("://").map_or(string, |(_, rest)| rest);
            let path = path.find('/').map(|at| &path[at..])?;
            let plain =
                path.len() > 1 && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte));
            let health = words.iter().any(|word| path.to_ascii_lowercase().contains(word)) || path.contains(name);
            let fetched = string.starts_with("http") || string.starts_with('{') || string.starts_with('/');
            (plain && health && fetched).then(|| path.to_string())
        })
        .next()
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(left, right)| left == right).count()
}

/// Words of names whose port or address is that of something that the service calls.
const CALLED: &[&str] = &[
    "POSTGRES",
    "POSTGRESQL",
    "PG",
    "PGBOUNCER",
    "DB",
    "DATABASE",
    "SQL",
    "MYSQL",
    "MARIADB",
    "MSSQL",
    "REDIS",
    "VALKEY",
    "CACHE",
    "MEMCACHED",
    "MEMCACHE",
    "MONGO",
    "MONGODB",
    "CASSANDRA",
    "SCYLLA",
    "CLICKHOUSE",
    "NEO4J",
    "ELASTIC",
    "ELASTICSEARCH",
    "OPENSEARCH",
    "MEILISEARCH",
    "TYPESENSE",
    "QDRANT",
    "KAFKA",
    "ZOOKEEPER",
    "RABBITMQ",
    "RABBIT",
    "AMQP",
    "NATS",
    "MQTT",
    "PULSAR",
    "BROKER",
    "QUEUE",
    "SMTP",
    "IMAP",
    "MAIL",
    "MAILER",
    "EMAIL",
    "LDAP",
    "S3",
    "MINIO",
    "ETCD",
    "CONSUL",
    "VAULT",
    "STATSD",
    "GRAPHITE",
    "INFLUX",
    "INFLUXDB",
    "SYSLOG",
    "FLUENTD",
    "LOKI",
    "JAEGER",
    "ZIPKIN",
    "OTLP",
    "OTEL",
    "COLLECTOR",
    "SENTRY",
    "UPSTREAM",
    "BACKEND",
    "REMOTE",
    "PEER",
    "CLIENT",
    "TARGET",
    "PROXY",
];

/// Whether a variable's name says that it holds a port or an address that the service itself listens on.
fn names_port(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let parts: Vec<&str> = upper.split(['_', '.', '-']).collect();
    let port = parts.iter().any(|part| matches!(*part, "PORT" | "ADDR" | "ADDRESS" | "BIND" | "LISTEN"));
    let bound = parts.iter().any(|part| matches!(*part, "BIND" | "LISTEN"));
    port && (bound || !parts.iter().any(|part| CALLED.contains(part)))
}

/// The port in `8080`, `0.0.0.0:8080`, `:8080`.
fn port_of(value: &str) -> Option<String> {
    let port = value.trim().rsplit(':').next().unwrap_or("");
    (!port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())).then(|| port.to_string())
}

/// A path relative to a folder, with `.` and `..` taken out; one that climbs out of the tree keeps the `..` that lead
/// there, and is no path of the tree.
pub(crate) fn join(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// Whether a joined path is outside the tree.
pub(crate) fn is_outside(path: &str) -> bool {
    path == ".." || path.starts_with("../")
}

#[cfg(test)]
mod tests {
    use super::{is_outside, join, names_port};

    #[test]
    fn the_port_of_a_store_is_not_one_that_the_service_listens_on() {
        for own in
            ["PORT", "HTTP_PORT", "APP__SERVER__PORT", "BIND_ADDRESS", "listen.addr", "TELEMETRY_PROMETHEUS_PORT"]
        {
            assert!(names_port(own), "{own}");
        }
        for called in
            ["POSTGRES_PORT", "REDIS_PORT", "DB_PORT", "APP_DATABASE__PORT", "SMTP_PORT", "AUTH_REDIS_ADDR_READ"]
        {
            assert!(!names_port(called), "{called}");
        }
        assert!(names_port("PROXY_LISTEN_ADDR"));
        assert!(!names_port("PUBLIC_URL"));
    }

    #[test]
    fn a_path_that_climbs_out_of_the_tree_is_none_of_it() {
        for (folder, relative, joined) in [
            ("", "./shop", "shop"),
            ("deploy", "..", ""),
            ("deploy/local", "../../shop/.", "shop"),
            ("", "../desk", "../desk"),
            ("deploy", "../../../desk/..", "../.."),
        ] {
            assert_eq!(join(folder, relative), joined);
            assert_eq!(is_outside(&join(folder, relative)), joined.starts_with(".."), "{joined}");
        }
    }
}

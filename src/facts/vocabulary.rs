//! Every kind of fact and every attribute, defined once.
//!
//! `text`, `number`, `flag` and `list` are the attribute types; `links(kind)` points to other facts. Durations are
//! in seconds and sizes in bytes. Words that a text attribute can hold stand in its definition.

use super::{Attr, AttrSchema, AttrType, FactId, FactSchema, Value};

macro_rules! rust_type {
    (text) => { String };
    (number) => { f64 };
    (flag) => { bool };
    (list) => { Vec<String> };
    (links) => { Vec<FactId> };
}

macro_rules! attr_type {
    (text) => {
        AttrType::Text
    };
    (number) => {
        AttrType::Number
    };
    (flag) => {
        AttrType::Flag
    };
    (list) => {
        AttrType::List
    };
    (links $target:ident) => {
        AttrType::Links(FactKind::$target)
    };
}

macro_rules! variant {
    (text $value:tt) => { Value::Text $value };
    (number $value:tt) => { Value::Number $value };
    (flag $value:tt) => { Value::Flag $value };
    (list $value:tt) => { Value::List $value };
    (links $value:tt) => { Value::Links $value };
}

macro_rules! vocabulary {
    ($( $(#[doc = $doc:literal])+ $name:ident $Type:ident {
        $( $(#[doc = $adoc:literal])+ $attr:ident : $ty:ident $(($target:ident))? , )*
    } )*) => {
        /// Kinds of facts.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FactKind { $( $(#[doc = $doc])+ $Type, )* }

        $(
            $(#[doc = $doc])+
            #[derive(Clone, PartialEq, Debug, Default)]
            pub struct $Type { $( $(#[doc = $adoc])+ pub $attr: Attr<rust_type!($ty)>, )* }

            impl From<$Type> for Data {
                fn from(data: $Type) -> Data { Data::$Type(data) }
            }
        )*

        /// What a fact says.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Data { $( $(#[doc = $doc])+ $Type($Type), )* }

        impl FactKind {
            /// Its name in rules.
            pub fn name(self) -> &'static str {
                match self { $( FactKind::$Type => stringify!($name), )* }
            }

            /// An empty fact of this kind.
            pub fn empty(self) -> Data {
                match self { $( FactKind::$Type => Data::$Type($Type::default()), )* }
            }
        }

        impl Data {
            /// The kind.
            pub fn kind(&self) -> FactKind {
                match self { $( Data::$Type(_) => FactKind::$Type, )* }
            }

            /// The attribute of this name; `None` where the kind has no such attribute.
            #[allow(unused_variables)]
            pub fn get(&self, name: &str) -> Option<Attr<Value>> {
                match self { $( Data::$Type(data) => match name {
                    $( stringify!($attr) => Some(match &data.$attr {
                        Attr::Unset => Attr::Unset,
                        Attr::Unknown => Attr::Unknown,
                        Attr::Known(value) => Attr::Known(variant!($ty (value.clone()))),
                    }), )*
                    _ => None,
                }, )* }
            }

            /// Sets an attribute; false where the kind has no such attribute or its type differs.
            #[allow(unused_variables)]
            pub fn set(&mut self, name: &str, to: Attr<Value>) -> bool {
                match self { $( Data::$Type(data) => match name {
                    $( stringify!($attr) => match to {
                        Attr::Unset => { data.$attr = Attr::Unset; true }
                        Attr::Unknown => { data.$attr = Attr::Unknown; true }
                        Attr::Known(variant!($ty (value))) => { data.$attr = Attr::Known(value); true }
                        Attr::Known(_) => false,
                    }, )*
                    _ => false,
                }, )* }
            }
        }

        /// The whole vocabulary, in order of definition.
        pub static SCHEMA: &[FactSchema] = &[ $( FactSchema {
            kind: FactKind::$Type,
            name: stringify!($name),
            doc: concat!($($doc),+),
            attributes: &[ $( AttrSchema {
                name: stringify!($attr),
                ty: attr_type!($ty $($target)?),
                doc: concat!($($adoc),+),
            }, )* ],
        }, )* ];
    };
}

/// The schema of a kind of fact by its name in rules.
pub fn schema(name: &str) -> Option<&'static FactSchema> {
    SCHEMA.iter().find(|schema| schema.name == name)
}

vocabulary! {
    // ---- the service -------------------------------------------------------------------------------------------

    /// A service of the repository; one fact a service.
    service Service {
        /// Package name.
        name: text,
        /// Web frameworks by crate name.
        frameworks: list,
        /// Engines of the databases it uses: postgres, mysql, sqlite, mongodb, redis, ...
        databases: list,
        /// Calls other services over the network.
        calls_out: flag,
        /// Writes HTML.
        serves_html: flag,
        /// Sets or reads cookies.
        uses_cookies: flag,
        /// Has state-changing routes.
        changes_state: flag,
        /// Platforms its deployment files name: kubernetes, compose, docker, heroku, fly, ecs, ...
        platforms: list,
    }

    /// A database that the service uses, seen in its code or dependencies.
    database Database {
        /// postgres, mysql, sqlite, mongodb, surrealdb, ...; redis only where it is the primary store.
        engine: text,
        /// The crate: sqlx, diesel, sea-orm, ...
        library: text,
    }

    /// A dependency of a package of the service.
    dependency Dependency {
        /// Crate name.
        name: text,
        /// Version requirement as written.
        version: text,
        /// Cargo features switched on.
        features: list,
        /// registry, git or path.
        source: text,
        /// A dev- or build-dependency.
        development: flag,
    }

    /// A Cargo.lock, or the place of one that is not there (a workspace root with a binary).
    lockfile Lockfile {
        /// It is in the tree.
        present: flag,
        /// Git tracks it.
        tracked: flag,
        /// It locks a binary.
        of_binary: flag,
    }

    // ---- HTTP ---------------------------------------------------------------------------------------------------

    /// A server that listens: where it is started.
    server Server {
        /// axum, actix-web, rocket, warp, poem, salvo, ntex, tide, hyper, tonic, loco.
        framework: text,
        /// Version requirement of the framework.
        version: text,
        /// Literal address or port where there is one.
        address: text,
        /// Port where it can be resolved (literal or default of a setting).
        port: number,
        /// Address or port comes from environment, settings or arguments.
        configured: flag,
        /// Serves over TLS itself.
        tls: flag,
        /// main, metrics, management, ...: several servers of a process are told apart.
        name: text,
    }

    /// The construction of a router or application: where layers are added.
    router Router {
        /// The framework.
        framework: text,
    }

    /// A route that the service serves; one fact a method.
    route Route {
        /// GET, POST, ...; ANY.
        method: text,
        /// Full path pattern from the server's root.
        path: text,
        /// The handler.
        handler: links(Handler),
        /// Layers and guards that cover it, by kind of middleware.
        layers: list,
        /// An authentication layer, guard or extractor covers it.
        auth: flag,
        /// health, liveness, readiness, metrics, api-document, fallback, other. `health`: a health route that no
        /// name or probe tells apart further.
        purpose: text,
        /// POST, PUT, PATCH or DELETE.
        changes_state: flag,
        /// Only served in development builds or environments.
        development_only: flag,
        /// Which server serves it (`server.name`).
        server: text,
        /// In the API document or annotated for one.
        documented: flag,
        /// Its own code or a layer limits the rate.
        rate_limited: flag,
        /// Logs users in, registers them or resets passwords.
        authenticates: flag,
        /// Takes a body, query or path input.
        takes_input: flag,
        /// Its inputs are validated.
        validated: flag,
    }

    /// A function that answers requests.
    handler Handler {
        /// Name with its module path.
        name: text,
        /// Extractors it takes, by type name.
        inputs: list,
        /// It asks a database, cache or other dependency (itself, in a callee or through an extractor).
        checks_dependencies: flag,
        /// It gives a constant answer.
        constant: flag,
        /// It answers with a failure status when its check fails.
        reports_failure: flag,
    }

    /// A layer, middleware, fairing or wrap on a router.
    middleware Middleware {
        /// timeout, body-limit, trace, request-id, catch-panic, cors, security-headers, rate-limit, auth, csrf,
        /// compression, load-shed, concurrency-limit, session, metrics, error-handler, https-redirect, logging,
        /// normalize-path, other.
        kind: text,
        /// Crate it comes from; `own` when hand-written.
        library: text,
        /// all or some routes.
        covers: text,
        /// Its value where it has one: seconds of a timeout, bytes of a limit.
        value: number,
        /// Applied only in some environments or behind a setting.
        conditional: flag,
        /// A protection that is switched off (`DefaultBodyLimit::disable()`).
        disabled: flag,
    }

    /// What answers requests that no route takes.
    fallback Fallback {
        /// The framework or `own`.
        library: text,
    }

    /// What happens on a termination signal.
    shutdown Shutdown {
        /// Signals that start it: SIGTERM, SIGINT, ...
        signals: list,
        /// Requests in flight are finished first.
        drains: flag,
        /// axum, actix-web, rocket, own, ...
        library: text,
        /// Seconds that draining may take.
        timeout: number,
    }

    /// A response header that the service or its proxy sets.
    response_header ResponseHeader {
        /// Lower-case name: strict-transport-security, ...
        name: text,
        /// Value where it is literal.
        value: text,
        /// app, nginx, ingress, caddy, traefik, page (a meta tag), ...
        by: text,
        /// all, some (a handler or some routes).
        covers: text,
    }

    /// A CORS policy.
    cors Cors {
        /// any, mirror (the request's origin is sent back), list, configured.
        origins: text,
        /// Credentials are allowed.
        credentials: flag,
        /// Crate or `own`.
        library: text,
        /// Only in development.
        development_only: flag,
    }

    /// A cookie that is set.
    cookie Cookie {
        /// Name where it is literal.
        name: text,
        /// `Secure`.
        secure: flag,
        /// `HttpOnly`.
        http_only: flag,
        /// strict, lax, none.
        same_site: text,
        /// It expires.
        expires: flag,
        /// It holds a session or token.
        session: flag,
    }

    /// Authentication that is set up or used.
    authentication Authentication {
        /// password, jwt, oauth, session, api-key, basic, mtls, hawk, signature.
        mechanism: text,
        /// Crate; `own` when hand-written.
        library: text,
        /// In a cookie.
        by_cookie: flag,
    }

    /// A password hash, or a check of one.
    password_hash PasswordHash {
        /// argon2, bcrypt, scrypt, pbkdf2, sha256, md5, ...
        algorithm: text,
        /// Crate.
        library: text,
    }

    /// A secret (token, key, hash) compared with `==` or `!=`.
    secret_comparison SecretComparison {
        /// What is compared.
        name: text,
    }

    /// A token that is issued or a check of one.
    token Token {
        /// jwt, opaque, api-key.
        kind: text,
        /// issues, checks.
        action: text,
        /// It expires, or expiry is checked.
        expires: flag,
        /// Signature or claims are checked.
        verified: flag,
    }

    /// A CSRF protection.
    csrf_protection CsrfProtection {
        /// token, origin-check, same-site, custom-header.
        how: text,
        /// Crate; `own`.
        library: text,
    }

    /// A random value used as a secret.
    random_secret RandomSecret {
        /// The generator.
        generator: text,
        /// It is cryptographically secure.
        secure: flag,
    }

    /// A limit on the rate of requests, in the application or at its proxy.
    rate_limit RateLimit {
        /// Crate, proxy or `own`.
        library: text,
        /// app, nginx, ingress, traefik, caddy, gateway, waf.
        by: text,
        /// all or some routes.
        covers: text,
    }

    /// Input that is validated: a call, derive, extractor or parsing newtype.
    validation Validation {
        /// validator, garde, newtype, extractor, own, schema, ...
        how: text,
        /// Crate; `own`.
        library: text,
    }

    /// Request input that reaches a call where it decides what is opened, run, called or shown.
    input_flow InputFlow {
        /// file, command, address, redirect.
        sink: text,
        /// The call.
        name: text,
    }

    /// HTML that the service writes.
    html_output HtmlOutput {
        /// askama, tera, maud, handlebars, minijinja, format, ...
        engine: text,
        /// Values in it are escaped.
        escaped: flag,
        /// A value that is not a constant goes into it.
        dynamic: flag,
    }

    /// HTTPS that is enforced somewhere.
    https Https {
        /// app, ingress, proxy, platform, load-balancer, hsts.
        by: text,
    }

    // ---- logging, monitoring, errors ------------------------------------------------------------------------------

    /// The set-up of logging.
    log_setup LogSetup {
        /// tracing-subscriber, env_logger, fern, slog, log4rs, bunyan, ...
        library: text,
        /// It can write JSON (or OTLP, bunyan, logfmt), perhaps behind a setting.
        structured: flag,
        /// environment, configuration, fixed.
        level_source: text,
        /// Default or fixed level.
        level: text,
    }

    /// A log statement.
    log_call LogCall {
        /// error, warn, info, debug, trace.
        level: text,
        /// The constant part of the message.
        message: text,
        /// What it logs that is sensitive, by name: password, token, authorization, email, ...
        sensitive: list,
        /// secret, personal, request (whole bodies or headers), configuration.
        sensitivity: text,
        /// Reachable from a handler.
        in_request: flag,
        /// In the branch of an error that answers that the server failed, with no louder log beside it.
        of_server_error: flag,
    }

    /// A type that holds a secret as text.
    secret_type SecretType {
        /// Type name.
        name: text,
        /// The field that holds it.
        field: text,
        /// Its derived Debug shows it.
        shown: flag,
    }

    /// print!, println!, eprint!, eprintln! or dbg!.
    print_call PrintCall {
        /// The macro.
        name: text,
        /// In a command-line part of the program (usage, subcommand, start-up failure before exit).
        command_line: flag,
        /// Reachable from a handler.
        in_request: flag,
    }

    /// Context that is attached to the logs of a request.
    log_context LogContext {
        /// request-id, trace-id, span, user.
        kind: text,
        /// Crate; `own`.
        library: text,
    }

    /// Export of metrics, traces or errors.
    telemetry Telemetry {
        /// metrics, traces, errors, profiles.
        kind: text,
        /// Crate or tool.
        library: text,
        /// Error tracker that also alerts (Sentry, Rollbar, ...).
        alerts: flag,
    }

    /// Monitoring of the infrastructure.
    infrastructure_monitor InfrastructureMonitor {
        /// node-exporter, service-monitor, dashboard, cloud, container-insights, agent, ...
        kind: text,
        /// A setting that is off by default switches it on.
        optional: flag,
    }

    /// An alert rule.
    alert_rule AlertRule {
        /// Name.
        name: text,
        /// prometheus, grafana, cloudwatch, terraform, datadog, pagerduty, ...
        system: text,
        /// Its runbook's address.
        runbook: text,
        /// That runbook is a file of the tree (where the address says so).
        runbook_exists: flag,
    }

    /// An error type that becomes a response.
    error_response_type ErrorResponseType {
        /// Type name.
        name: text,
        /// json, text, empty, html, problem+json.
        format: text,
        /// It logs server errors on the way out, or where they become this type.
        logs: flag,
        /// It can answer 5xx.
        server_errors: flag,
        /// Another error type of the service answers in another format.
        differs: flag,
        /// Some of its own variants answer with JSON and others with plain text.
        mixed: flag,
        /// The framework's own error type.
        framework: flag,
        /// It becomes an answer by a `From` for a tuple of a status and a body: whoever calls that may have logged it.
        converted: flag,
    }

    /// Text of an internal error that goes into a response.
    error_exposure ErrorExposure {
        /// display, debug, sql, panic, backtrace.
        what: text,
        /// Type or expression that is exposed.
        source: text,
    }

    /// An error on the way to a response or in request code, and what becomes of it.
    error_handling ErrorHandling {
        /// logged, swallowed (`let _ =`, `.ok()`), mapped-away (`map_err(|_| ..)` to a 5xx without a log).
        how: text,
        /// Reachable from a handler.
        in_request: flag,
        /// In middleware, so that it holds for every request.
        for_all: flag,
        /// In a branch that answers that the server failed (5xx).
        answers_fault: flag,
    }

    /// An ad-hoc error answer: a bare status or string instead of the service's error type.
    ad_hoc_error AdHocError {
        /// status, string, tuple.
        form: text,
    }

    /// What catches panics: catch-panic layer, panic hook, framework, error tracker.
    panic_handler PanicHandler {
        /// layer, hook, framework, tracker.
        kind: text,
        /// Crate; `own`.
        library: text,
    }

    /// A place that can panic.
    panic Panic {
        /// unwrap, expect, panic, unreachable, todo, unimplemented, index, assert.
        what: text,
        /// Reachable from a handler.
        in_request: flag,
        /// The value can fail at run time (no lock, constant, or checked value).
        fallible: flag,
    }

    /// `panic = "abort"` of a build profile.
    panic_strategy PanicStrategy {
        /// abort or unwind.
        strategy: text,
    }

    /// A task that is spawned.
    spawned_task SpawnedTask {
        /// Its handle is awaited, joined or kept, or it ends without an error that only its handle would tell.
        observed: flag,
        /// Reachable from a handler.
        in_request: flag,
    }

    // ---- configuration --------------------------------------------------------------------------------------------

    /// Where configuration comes from.
    config_source ConfigSource {
        /// std::env, dotenvy, envy, config, figment, clap, own, ...
        library: text,
        /// environment, file, arguments, database.
        kind: text,
        /// It chooses by environment (dev, staging, production).
        per_environment: flag,
    }

    /// A variable that the code reads.
    env_read EnvRead {
        /// Its name.
        name: text,
        /// Literal default.
        default: text,
        /// It fails without the variable.
        required: flag,
        /// Its name says that it is secret.
        secret: flag,
        /// A document, sample file or manifest names it.
        documented: flag,
        /// A manifest sets it.
        set: flag,
    }

    /// A variable that a compose file or manifest gives to a container of the service.
    set_variable SetVariable {
        /// Its name.
        name: text,
        /// Something of this repository reads it; unset where the service also reads variables whose names are not
        /// known, by a prefix or all of them.
        read: flag,
        /// compose, kubernetes.
        by: text,
        /// Name of the workload or compose service.
        workload: text,
    }
    /// A variable that a .env file of the service or a sample of one sets.
    documented_variable DocumentedVariable {
        /// Its name.
        name: text,
        /// Something of this repository reads it, by its name or as a field of its settings.
        read: flag,
    }

    /// A literal host, address or port in code where configuration belongs.
    hardcoded_endpoint HardcodedEndpoint {
        /// The literal.
        value: text,
        /// bind-address, database-url, service-url, port.
        kind: text,
    }

    /// A setting that makes production run as development does: verbose errors, debug pages.
    debug_mode DebugMode {
        /// The variable or setting.
        name: text,
        /// Its value.
        value: text,
        /// dockerfile, kubernetes, fly, ecs, file.
        by: text,
    }

    /// Configuration for one environment, or a switch between environments.
    environment_config EnvironmentConfig {
        /// development, test, staging, production; `switch` for code that chooses.
        environment: text,
        /// file, directory, values, overlay, variables, code, workspace.
        form: text,
    }

    /// A .env file (not a sample).
    env_file EnvFile {
        /// Relative path.
        path: text,
        /// Git tracks it.
        tracked: flag,
        /// It holds at least one value.
        has_values: flag,
        /// Placeholder or sample file by name.
        sample: flag,
        /// Environment its name tells.
        environment: text,
    }

    /// How a .env is kept out of git or out of an image; there where the project names, loads or holds a .env.
    ignore_file IgnoreFile {
        /// git or docker.
        kind: text,
        /// The file is there.
        present: flag,
        /// It covers .env.
        ignores_env: flag,
        /// For docker: an image copies the whole tree.
        tree_copied: flag,
        /// For docker: a .env that git tracks would be copied.
        copies_tracked_env: flag,
        /// Something in the tree names, loads or holds a .env.
        used: flag,
    }

    /// A secret that stands in the tree.
    secret Secret {
        /// Kind from the catalog, or `credential` when judged by name.
        kind: text,
        /// Kind in words.
        title: text,
        /// Name it is assigned to.
        name: text,
        /// Redacted form for people.
        redacted: text,
        /// code, config, env-file, image, manifest, ci, sql, key-file, document.
        location: text,
        /// Environment its file is for.
        environment: text,
        /// Development-only default that production does not start with.
        development_only: flag,
        /// A default that production starts with when nothing is set.
        default_value: flag,
        /// In environments with the same value, by name.
        shared_environments: list,
        /// Number of places with this value.
        places: number,
        /// Git tracks the file.
        tracked: flag,
        /// Its name tells it, not its format.
        by_name: flag,
        /// What the key opens and how to revoke it.
        revoke: text,
        /// First commit that has the value, where the history was searched.
        commit: text,
        /// Day of that commit on its author's clock; `or before` follows where the clone's history is cut there.
        introduced: text,
    }

    /// A secret that stood in an earlier commit and in no file that git tracks today, seen by `--history`. It is a fact
    /// of the version of the file that had it first.
    past_secret PastSecret {
        /// Kind from the catalog, or `credential` when judged by name.
        kind: text,
        /// Kind in words.
        title: text,
        /// Name it was assigned to.
        name: text,
        /// Redacted form for people.
        redacted: text,
        /// code, config, env-file, image, manifest, ci, sql, key-file, document.
        location: text,
        /// A word that stood in when nothing was set: everybody can guess it, and there is nothing to revoke.
        weak_default: flag,
        /// Its name tells it, not its format.
        by_name: flag,
        /// First commit that has the value.
        commit: text,
        /// Day of that commit on its author's clock; `or before` follows where the clone's history is cut there.
        introduced: text,
        /// A file that git does not track has the same value today: it is in use.
        in_use: flag,
        /// What the key opens and how to revoke it.
        revoke: text,
    }

    /// A literal that was looked at as a possible secret and is none; the evidence that the search was made.
    secret_candidate SecretCandidate {
        /// Why it is none.
        reason: text,
        /// As of a secret.
        location: text,
    }

    /// Secrets that come from a manager or platform store.
    secrets_manager SecretsManager {
        /// vault, aws, gcp, azure, sops, sealed-secrets, external-secrets, kubernetes, docker, file, fly, ci, ...
        system: text,
        /// code, manifest, ci, image.
        by: text,
    }

    /// A file whose secrets are encrypted where they stand.
    encrypted_secrets EncryptedSecrets {
        /// sops.
        tool: text,
        /// The day its values were last changed: `2026-01-31`.
        changed_on: text,
        /// Days from then to the day of the check; known to rules only.
        age_days: number,
    }

    /// A secret passed as plain configuration (ConfigMap, task environment).
    plain_secret_reference PlainSecretReference {
        /// Variable name.
        name: text,
        /// configmap, task-environment, compose, ...
        by: text,
    }

    /// Rotation of secrets: a resource, several accepted keys, a procedure.
    secret_rotation SecretRotation {
        /// resource, key-set, document, schedule.
        how: text,
    }

    // ---- database -------------------------------------------------------------------------------------------------

    /// A connection pool.
    pool Pool {
        /// sqlx, deadpool, bb8, r2d2, sea-orm, diesel, mongodb, redis, ...
        library: text,
        /// postgres, mysql, sqlite, redis, ...
        engine: text,
        /// Largest number of connections, where written.
        max_size: number,
        /// Seconds to wait for a connection, where written.
        acquire_timeout: number,
        /// Statement timeout in seconds, where written.
        statement_timeout: number,
        /// Made in a request.
        per_request: flag,
        /// Of the main database (not of a cache).
        of_database: flag,
    }

    /// A single connection opened without a pool.
    connection Connection {
        /// Crate.
        library: text,
        /// postgres, mysql, sqlite, redis, ...
        engine: text,
        /// Opened in a request.
        per_request: flag,
        /// Opened at start-up and kept, as all connections of its package to this engine are.
        kept: flag,
        /// Transport security: none, unverified, verified.
        tls: text,
    }

    /// How connections to the database are secured, where code or an address says it.
    database_transport DatabaseTransport {
        /// none, optional, required.
        tls: text,
        /// What says it.
        how: text,
    }

    /// A query in code.
    query Query {
        /// Crate.
        library: text,
        /// literal, macro, dsl, built.
        form: text,
        /// Text where it is literal.
        text: text,
        /// Non-constant text goes into the statement.
        dynamic: flag,
        /// That text comes from request input.
        tainted: flag,
        /// Only a table or column name is dynamic.
        identifier_only: flag,
        /// Reachable from a handler.
        in_request: flag,
        /// A SELECT whose rows are all fetched.
        lists: flag,
        /// It has a LIMIT, gives an aggregate or fetches one row.
        bounded: flag,
        /// It has a condition.
        filtered: flag,
        /// `SELECT *`.
        select_star: flag,
    }

    /// A loop in a request that asks the database once for each element.
    query_loop QueryLoop {
        /// The function or method that asks.
        name: text,
    }

    /// A migration file or directory.
    migration Migration {
        /// sqlx, diesel, refinery, sea-orm, ...
        tool: text,
        /// Its version as text.
        version: text,
        /// It has a down migration that does something.
        has_down: flag,
        /// Engine it is for.
        engine: text,
        /// A tool runs its directory.
        run: flag,
        /// Another migration of the same directory has the same version.
        duplicate: flag,
    }

    /// Where migrations are run.
    migration_run MigrationRun {
        /// Tool.
        tool: text,
        /// startup, command, release, job, ci, image, script.
        by: text,
        /// Behind a setting that is off by default.
        off_by_default: flag,
        /// Something starts the image whose command it is: a manifest, compose file, platform, script or pipeline, or
        /// it is the service's own; unset for what no image runs.
        started: flag,
    }

    /// A documented plan for rolling migrations back.
    migration_rollback_plan MigrationRollbackPlan {
        /// Where: document or tool setting.
        how: text,
    }

    /// A schema created by the program instead of a migration.
    runtime_schema RuntimeSchema {
        /// Statement or call.
        what: text,
    }

    /// A change that a migration makes to a table that exists before it.
    schema_change SchemaChange {
        /// create-index, drop-column, rename-column, rename-table, drop-table, add-column, set-not-null,
        /// change-type, widen-type (a change of type that keeps what is stored), add-constraint, add-key (a unique
        /// constraint or primary key), lock-table, update.
        operation: text,
        /// Table.
        table: text,
        /// Column, index or constraint.
        column: text,
        /// Engine.
        engine: text,
        /// Index built concurrently.
        concurrently: flag,
        /// In a transaction.
        in_transaction: flag,
        /// New column is NOT NULL.
        not_null: flag,
        /// New column has a default.
        has_default: flag,
        /// That default is volatile.
        volatile_default: flag,
        /// Constraint is NOT VALID first.
        not_valid: flag,
        /// Key takes over an index that is there.
        using_index: flag,
        /// A lock timeout is set.
        lock_timeout: flag,
        /// Marked as reviewed in the file (`safety-assured` and the like), or by a tool's start date.
        reviewed: flag,
    }

    /// A column of the migrated schema that foreign keys, WHERE or JOIN use.
    column Column {
        /// Table.
        table: text,
        /// Column.
        name: text,
        /// It is a foreign key.
        foreign_key: flag,
        /// Queries filter or join by it.
        queried: flag,
        /// An index starts with it.
        indexed: flag,
        /// Engine.
        engine: text,
    }

    /// Backups that are configured or documented.
    backup Backup {
        /// cronjob, operator, managed, velero, litestream, script, document, ...
        how: text,
        /// Days kept.
        retention_days: number,
        /// Point-in-time recovery or WAL archiving.
        point_in_time: flag,
    }

    /// A test or drill of a restore.
    restore_drill RestoreDrill {
        /// job, script, document.
        how: text,
    }

    // ---- calls out, blocking, state -----------------------------------------------------------------------------------

    /// A client for other services.
    outbound_client OutboundClient {
        /// Crate.
        library: text,
        /// Seconds until it gives up, known or not; unset: no timeout.
        timeout: number,
        /// Connect timeout in seconds.
        connect_timeout: number,
        /// Made in a request.
        per_request: flag,
        /// Retries or a breaker around it.
        retries: flag,
        /// It does not check the peer's certificate or host name.
        accepts_any_certificate: flag,
    }

    /// A call that blocks its thread.
    blocking_call BlockingCall {
        /// sleep, file, http, hash, lock, process, database; offload: where work is handed to threads that may block.
        what: text,
        /// The call.
        name: text,
        /// In async code reachable from a handler.
        in_request: flag,
        /// Under spawn_blocking, block_in_place or on a thread of its own.
        offloaded: flag,
        /// A lock guard held across an await.
        across_await: flag,
    }

    /// A type of the tree that handlers share: what the router is given as its state.
    app_state AppState {
        /// The type.
        name: text,
    }

    /// State kept in memory or on local disk between requests.
    local_state LocalState {
        /// session, user, cache, upload, sqlite, rate-limit.
        kind: text,
        /// memory, disk.
        place: text,
    }

    /// A store of sessions.
    session_store SessionStore {
        /// memory, cookie, redis, database.
        store: text,
        /// Crate.
        library: text,
        /// Sessions expire.
        expires: flag,
    }

    /// A cache.
    cache Cache {
        /// moka, redis, memcached, http-header, cdn, own; asked: where requests read or fill one, ...
        library: text,
        /// Entries expire or are bounded.
        bounded: flag,
    }

    /// Work that runs outside requests from a queue.
    job_queue JobQueue {
        /// Crate, or own table or channel.
        library: text,
        /// A job is taken off the queue before it is done, so that one that fails is not tried again.
        at_most_once: flag,
    }

    /// Work on a timer inside the process.
    scheduler Scheduler {
        /// Crate or `own`.
        library: text,
        /// It takes a lock or lease, so that replicas do not repeat it.
        exclusive: flag,
    }

    /// Work of a request that takes long.
    long_work LongWork {
        /// mail, process, browser, clone.
        what: text,
        /// The call.
        name: text,
        /// The request waits for it; it is no task of its own.
        waited_for: flag,
    }

    /// A channel.
    channel Channel {
        /// Bounded.
        bounded: flag,
        /// Reachable from a handler.
        in_request: flag,
    }

    // ---- deployment -------------------------------------------------------------------------------------------------

    /// The final stage of a Dockerfile that builds the service.
    image Image {
        /// Base image of the final stage with ARGs resolved.
        base: text,
        /// Its tag.
        tag: text,
        /// Pinned by digest.
        digest: flag,
        /// User it runs as; unset: the base image's.
        user: text,
        /// It runs as root (user root or 0, or nothing sets one and the base image does not).
        root: flag,
        /// Number of stages.
        stages: number,
        /// exec or shell form of the entry point.
        entrypoint_form: text,
        /// It builds in debug mode.
        debug_build: flag,
        /// It runs the service of this repository; others are tools and bases.
        of_service: flag,
        /// Which crate folder or binary it builds.
        builds: text,
        /// Its final stage holds the compiler: cargo runs in it, or its base is a Rust image.
        compiles: flag,
    }

    /// An image of elsewhere that a stage of a Dockerfile starts from.
    base_image BaseImage {
        /// The image with ARGs resolved.
        image: text,
        /// Its tag names a version, or a digest pins it.
        names_version: flag,
        /// The Dockerfile builds the service.
        of_service: flag,
    }

    /// An image that a bake file builds or a pipeline publishes.
    image_build ImageBuild {
        /// Its name without the tag.
        image: text,
        /// The tag it gets; `*` stands for what only the run knows.
        tag: text,
        /// Path of the Dockerfile, where the source tells.
        dockerfile: text,
        /// bake, or the CI system.
        by: text,
        /// Name of the target.
        target: text,
        /// Names of the build arguments that are given.
        arguments: list,
        /// A pipeline pushes it to a registry.
        published: flag,
        /// It runs a service of this repository.
        of_service: flag,
    }

    /// A service of a compose file.
    compose_service ComposeService {
        /// Name.
        name: text,
        /// Image with its tag.
        image: text,
        /// Built from this tree.
        built: flag,
        /// Path of the Dockerfile that it is built from.
        dockerfile: text,
        /// app, database, cache, proxy, monitoring, tool.
        purpose: text,
        /// Test rig or development set-up, by name and place.
        test_rig: flag,
        /// It runs a service of this repository.
        of_service: flag,
    }

    /// A Kubernetes workload, ECS service, Nomad job or the like.
    workload Workload {
        /// Deployment, StatefulSet, DaemonSet, Rollout, Job, CronJob, ecs-service, ...
        kind: text,
        /// Name.
        name: text,
        /// It runs the service (and not its database or tools).
        of_service: flag,
        /// Replicas written down.
        replicas: number,
        /// An autoscaler scales it.
        autoscaled: flag,
        /// rolling, recreate, canary, blue-green; unset: nothing is written.
        strategy: text,
        /// maxUnavailable allows all to be down.
        max_unavailable_all: flag,
        /// Seconds of terminationGracePeriodSeconds.
        grace_period: number,
        /// It has a preStop hook.
        pre_stop: flag,
        /// Revisions kept; 0 forbids a rollback.
        revision_history: number,
        /// A disruption budget covers it, by default or where a setting switches it on.
        disruption_budget: flag,
        /// The disruption budget is there only where a setting that is off by default switches it on.
        disruption_budget_optional: flag,
        /// Spread over nodes or zones.
        spread: flag,
        /// It has a persistent volume of its own.
        persistent: flag,
        /// A network policy selects its pods.
        network_policy: flag,
    }

    /// Rules for the traffic of pods: a NetworkPolicy, or Cilium's or Calico's own kind.
    network_policy NetworkPolicy {
        /// Name.
        name: text,
        /// It limits what may reach the pods.
        ingress: flag,
        /// It limits what the pods may reach.
        egress: flag,
        /// It selects every pod of its namespace.
        selects_all: flag,
    }

    /// How long a service that is told to stop may go on before it is killed.
    stop_grace StopGrace {
        /// kubernetes, compose, ecs.
        by: text,
        /// Name of the workload, service or task.
        workload: text,
        /// Seconds from the first signal, written or by the platform's default.
        seconds: number,
        /// The platform's default, not written down.
        platform_default: flag,
        /// Seconds of them that a preStop hook sleeps.
        pre_stop_sleep: number,
        /// Seconds that the service's own draining may take.
        drain: number,
        /// They are enough for the hook and the draining.
        covers_drain: flag,
        /// It stops a service of this repository.
        of_service: flag,
    }

    /// A container of a manifest that repeats a workload of another manifest with nothing but images changed: its
    /// settings are the other's `container` fact.
    image_copy ImageCopy {
        /// Name of the container.
        name: text,
        /// Image with its tag.
        image: text,
        /// Its tag.
        tag: text,
        /// The tag moves: latest, a branch, none.
        mutable_tag: flag,
        /// The pipelines of this repository publish this tag; unset where none publishes the image.
        tag_published: flag,
        /// Name of the workload.
        workload: text,
        /// An init container.
        init: flag,
        /// It runs the service.
        of_service: flag,
    }
    /// A container of a workload or task.
    container Container {
        /// Name.
        name: text,
        /// Image with its tag.
        image: text,
        /// Its tag; unset when none is written.
        tag: text,
        /// The tag can change what it means (latest, a branch, none) and no digest pins it.
        mutable_tag: flag,
        /// A pipeline of this repository publishes its image under this tag; unset where that cannot be told.
        tag_published: flag,
        /// CPU or memory limits are set.
        limits: flag,
        /// CPU or memory is requested; a limit alone is a request too.
        requests: flag,
        /// Privileged.
        privileged: flag,
        /// Root file system is read-only.
        read_only_root: flag,
        /// Runs as non-root by its security context.
        non_root: flag,
        /// Host network, PID or IPC namespace, or a host path.
        host_access: flag,
        /// Namespaces of the host that it shares: network, pid, ipc.
        host_namespaces: list,
        /// Paths of the host that its pod mounts.
        host_paths: list,
        /// CPU is limited.
        cpu_limit: flag,
        /// Memory is limited.
        memory_limit: flag,
        /// CPU is requested; a limit alone is a request too.
        cpu_request: flag,
        /// Memory is requested; a limit alone is a request too.
        memory_request: flag,
        /// Its processes may gain more privileges than they start with (nothing sets allowPrivilegeEscalation to false).
        privilege_escalation: flag,
        /// Capabilities that are taken from it.
        drops_capabilities: list,
        /// Capabilities that it is given.
        adds_capabilities: list,
        /// The token of its service account is mounted.
        account_token: flag,
        /// It has a liveness probe.
        liveness: flag,
        /// It has a readiness probe.
        readiness: flag,
        /// It only runs before the others start.
        init: flag,
        /// Name of its workload, task or service.
        workload: text,
        /// kubernetes, ecs, compose, ...
        by: text,
        /// Of the service.
        of_service: flag,
    }

    /// A health check that a deployment file makes.
    probe Probe {
        /// liveness, readiness, startup, health.
        kind: text,
        /// http, command, tcp, grpc.
        how: text,
        /// Path it calls.
        path: text,
        /// Port it calls.
        port: number,
        /// The port is a setting, `${PORT:-8080}`, and what is known of it is the default.
        port_configured: flag,
        /// Name of the port it calls, where it calls one by name.
        port_name: text,
        /// Ports that its container or image declares or is given by its environment.
        declared_ports: list,
        /// kubernetes, docker, compose, fly, render, ecs, load-balancer, haproxy, ...
        by: text,
        /// The service serves this path.
        served: flag,
        /// Its port is one that the service or container listens on.
        port_open: flag,
        /// The route.
        route: links(Route),
        /// It checks the service (not its database).
        of_service: flag,
        /// Program that it starts inside the image to call the path: curl, wget; several where it tries one after another.
        tool: text,
        /// The image has this program; unset or unknown where its content is not known for sure.
        tool_in_image: flag,
        /// Its workload has it only where a setting that is off by default switches it on.
        optional: flag,
    }

    /// A way in: Ingress, Gateway route, proxy server block, load balancer listener.
    ingress Ingress {
        /// kubernetes, nginx, caddy, traefik, load-balancer, ...
        by: text,
        /// TLS ends here.
        tls: flag,
        /// Plain HTTP is redirected or refused.
        redirects: flag,
        /// It accepts SSL, TLS 1.0 or TLS 1.1.
        weak_tls: flag,
        /// A setting that is off by default switches it on.
        optional: flag,
    }

    /// An autoscaler.
    autoscaler Autoscaler {
        /// Least replicas.
        min: number,
        /// Most replicas.
        max: number,
        /// kubernetes, keda, cloud, fly, ...
        by: text,
        /// A setting that is off by default switches it on.
        optional: flag,
    }

    /// A number of instances on a platform without workload manifests (fly, compose, ECS, App Platform).
    instance_count InstanceCount {
        /// Instances.
        count: number,
        /// An autoscaler may start more.
        autoscaled: flag,
        /// Platform.
        by: text,
    }

    /// CPU or memory limits outside Kubernetes (compose deploy limits, ECS task sizes, fly vm).
    resource_limit ResourceLimit {
        /// Platform.
        by: text,
    }

    /// A deployment strategy.
    deployment_strategy DeploymentStrategy {
        /// rolling, recreate, canary, blue-green.
        kind: text,
        /// kubernetes, ecs, fly, argo, flagger, compose, platform, document.
        by: text,
    }

    /// A way back: versioned images, rollback workflow, documented steps.
    rollback Rollback {
        /// versioned-image, workflow, helm, argo, document, platform, drill.
        how: text,
    }

    /// What CI does, a fact a step that matters.
    ci_step CiStep {
        /// test, build, lint, audit, publish, deploy, migrate, rollback, restore, backup.
        kind: text,
        /// github-actions, gitlab, circleci, woodpecker, jenkins, azure, buildkite, travis, drone, ...
        system: text,
        /// Command or action.
        command: text,
        /// Its job waits for tests (in its needs, or in the same job after them).
        after_tests: flag,
        /// Events that start its pipeline: push, tag, release, schedule, workflow_dispatch, ...
        started_by: list,
        /// It works on code of the service's own language or tree (of several languages in one repository).
        of_service: flag,
    }

    /// A use of a shared action or orb.
    action_use ActionUse {
        /// Name.
        name: text,
        /// Reference as written.
        reference: text,
        /// Pinned to a full commit hash.
        pinned: flag,
        /// The CI system's own action.
        first_party: flag,
    }

    /// A tool that audits dependencies outside CI steps: dependabot, renovate, deny.toml.
    dependency_updates DependencyUpdates {
        /// dependabot, renovate, ...
        tool: text,
        /// It covers cargo.
        covers_cargo: flag,
    }

    /// Deployment by a platform or tool that the tree shows: Procfile, fly.toml, ArgoCD, Flux, Terraform, ...
    deployment_target DeploymentTarget {
        /// heroku, fly, render, railway, digitalocean, argocd, flux, terraform, kubernetes, helm, compose, ecs,
        /// cloud-run, shuttle, systemd, ...
        platform: text,
        /// production, staging, development, test.
        environment: text,
        /// The platform deploys by itself when the tree or the image changes.
        automatic: flag,
    }

    /// A database that infrastructure as code or a platform's file runs.
    managed_database ManagedDatabase {
        /// Resource type: aws_db_instance, google_sql_database_instance, ...
        kind: text,
        /// Name.
        name: text,
        /// Days that automated backups are kept; 0 switches them off.
        retention_days: number,
        /// It cannot be deleted by mistake.
        deletion_protection: flag,
        /// Reachable from the internet.
        public: flag,
        /// A standby stands in another zone.
        multi_zone: flag,
    }

    // ---- documents ----------------------------------------------------------------------------------------------------

    /// A document or a section of one that is about one of the subjects below.
    document Document {
        /// readme, api, runbook, architecture, incident, security-contact, on-call, adr, backup, restore, point-in-time,
        /// rollback, rotation, migration-rollback, deployment, monitoring.
        subject: text,
        /// Title of the document or section.
        title: text,
        /// file, section, diagram, generated.
        form: text,
    }

    /// An API document or what generates one.
    api_document ApiDocument {
        /// openapi, asyncapi, graphql, grpc, postman, markdown.
        kind: text,
        /// Crate or `file`.
        by: text,
        /// Paths in it.
        paths: list,
        /// Paths in it that no route serves, where most of its paths are served.
        unserved: list,
    }
}

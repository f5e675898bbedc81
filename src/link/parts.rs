//! The parts of the linker in order: which facts each makes, which it reads, and what of the Rust code it needs.

use super::needed::{Asked, Rust};
use super::{Context, Linked};
use super::{code, configuration, containers, delivery, documents, requests, routes, schema, secrets, services, ties};
use crate::facts::FactKind;

/// A part of the linker.
#[derive(Debug)]
pub struct Part {
    /// Its name, for tests.
    pub name: &'static str,
    /// Kinds of facts that it adds or completes.
    pub makes: &'static [FactKind],
    /// Kinds that it adds or completes only where there is a service.
    pub of_services: &'static [FactKind],
    /// It makes what entries of the catalog speak of, too.
    pub by_catalog: bool,
    /// Kinds of other parts' facts that it reads.
    pub reads: &'static [FactKind],
    /// When it runs.
    pub runs: Runs,
    /// The Rust code it needs where no service was found.
    pub rust: fn(&Asked<'_>) -> Rust,
    /// Adds the facts.
    pub emit: fn(&Context<'_>, &mut Linked),
}

/// When a part runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Runs {
    /// When its facts are asked for.
    Asked,
    /// And wherever there is a service, since reports list what it makes.
    ForServices,
    /// Always.
    Always,
}

impl Part {
    /// Whether a demand takes it.
    pub(super) fn is_asked(&self, asked: &Asked<'_>) -> bool {
        self.runs == Runs::Always
            || asked.has_services && (self.runs == Runs::ForServices || asked.demand.asks(self.of_services))
            || asked.demand.asks(self.makes)
            || self.by_catalog && asked.catalog.entries().iter().any(|entry| asked.demand.asks(&[entry.fact]))
    }
}

const IDLE: Part = Part {
    name: "",
    makes: &[],
    of_services: &[],
    by_catalog: false,
    reads: &[],
    runs: Runs::Asked,
    rust: |_| Rust::None,
    emit: |_, _| (),
};

/// All parts. A part reads what parts before it made.
pub const PARTS: &[Part] = &[
    Part {
        name: "packages",
        makes: &[FactKind::Dependency, FactKind::Lockfile, FactKind::PanicStrategy],
        of_services: &[FactKind::Service, FactKind::Database],
        emit: services::emit,
        ..IDLE
    },
    Part {
        name: "routes",
        makes: &[FactKind::ResponseHeader],
        of_services: &[
            FactKind::Server,
            FactKind::Router,
            FactKind::Route,
            FactKind::Handler,
            FactKind::Middleware,
            FactKind::Fallback,
            FactKind::Cors,
            FactKind::RateLimit,
            FactKind::Https,
            FactKind::LogContext,
            FactKind::PanicHandler,
        ],
        runs: Runs::ForServices,
        rust: |_| Rust::All,
        emit: routes::emit,
        ..IDLE
    },
    Part {
        name: "code",
        makes: code::KINDS,
        of_services: &[FactKind::Middleware, FactKind::Route],
        by_catalog: true,
        reads: &[FactKind::Handler, FactKind::Route],
        rust: code::needed,
        emit: code::emit,
        ..IDLE
    },
    Part {
        name: "requests",
        makes: &[],
        of_services: &[
            FactKind::AdHocError,
            FactKind::BlockingCall,
            FactKind::ErrorExposure,
            FactKind::ErrorHandling,
            FactKind::ErrorResponseType,
            FactKind::JobQueue,
            FactKind::LogCall,
            FactKind::LongWork,
            FactKind::Panic,
            FactKind::PrintCall,
            FactKind::QueryLoop,
            FactKind::SecretType,
            FactKind::SpawnedTask,
        ],
        reads: &[FactKind::Handler, FactKind::JobQueue, FactKind::Middleware, FactKind::Route],
        rust: |_| Rust::All,
        emit: requests::emit,
        ..IDLE
    },
    Part {
        name: "debug modes",
        makes: &[FactKind::DebugMode],
        reads: &[FactKind::EnvRead],
        emit: configuration::debug_modes::emit,
        ..IDLE
    },
    Part {
        name: "env files",
        makes: &[FactKind::EnvFile, FactKind::IgnoreFile],
        emit: configuration::env_files::emit,
        ..IDLE
    },
    Part {
        name: "environments",
        makes: &[FactKind::EnvironmentConfig],
        rust: |_| Rust::Files(configuration::environments::may_switch),
        emit: configuration::environments::emit,
        ..IDLE
    },
    Part {
        name: "key sets",
        makes: &[FactKind::SecretRotation],
        rust: |_| Rust::Files(configuration::key_sets::may_pair),
        emit: configuration::key_sets::emit,
        ..IDLE
    },
    Part {
        name: "encrypted files",
        makes: &[FactKind::EncryptedSecrets, FactKind::SecretsManager],
        emit: configuration::sops::emit,
        ..IDLE
    },
    Part {
        name: "loco's configuration",
        makes: &[
            FactKind::Cors,
            FactKind::JobQueue,
            FactKind::LogSetup,
            FactKind::Middleware,
            FactKind::MigrationRun,
            FactKind::Pool,
            FactKind::ResponseHeader,
        ],
        emit: configuration::loco::emit,
        ..IDLE
    },
    Part {
        name: "Rocket's configuration",
        makes: &[FactKind::Middleware, FactKind::Pool, FactKind::Shutdown],
        emit: configuration::rocket::emit,
        ..IDLE
    },
    Part {
        name: "secrets",
        makes: &[FactKind::Secret, FactKind::SecretCandidate],
        // Excerpts hide every secret, whatever the finding is.
        runs: Runs::Always,
        emit: secrets::emit,
        ..IDLE
    },
    Part {
        name: "schema",
        makes: &[
            FactKind::Column,
            FactKind::Migration,
            FactKind::MigrationRun,
            FactKind::Query,
            FactKind::RuntimeSchema,
            FactKind::SchemaChange,
            FactKind::Token,
        ],
        rust: |_| Rust::All,
        emit: schema::emit,
        ..IDLE
    },
    Part {
        name: "containers",
        makes: &[
            FactKind::Autoscaler,
            FactKind::BaseImage,
            FactKind::ComposeService,
            FactKind::Container,
            FactKind::DeploymentStrategy,
            FactKind::EnvironmentConfig,
            FactKind::Https,
            FactKind::Image,
            FactKind::ImageBuild,
            FactKind::ImageCopy,
            FactKind::Ingress,
            FactKind::InstanceCount,
            FactKind::NetworkPolicy,
            FactKind::PlainSecretReference,
            FactKind::Probe,
            FactKind::RateLimit,
            FactKind::ResourceLimit,
            FactKind::ResponseHeader,
            FactKind::SecretsManager,
            FactKind::SetVariable,
            FactKind::StopGrace,
            FactKind::Workload,
        ],
        emit: containers::emit,
        ..IDLE
    },
    Part {
        name: "secret files",
        makes: &[FactKind::SecretsManager],
        reads: &[FactKind::EnvRead],
        emit: containers::secret_files::emit,
        ..IDLE
    },
    Part {
        name: "delivery",
        makes: &[
            FactKind::ActionUse,
            FactKind::AlertRule,
            FactKind::Autoscaler,
            FactKind::Backup,
            FactKind::CiStep,
            FactKind::DependencyUpdates,
            FactKind::DeploymentTarget,
            FactKind::Https,
            FactKind::ImageBuild,
            FactKind::InfrastructureMonitor,
            FactKind::Ingress,
            FactKind::InstanceCount,
            FactKind::ManagedDatabase,
            FactKind::PlainSecretReference,
            FactKind::RateLimit,
            FactKind::ResponseHeader,
            FactKind::RestoreDrill,
            FactKind::Rollback,
            FactKind::SecretRotation,
            FactKind::SecretsManager,
        ],
        emit: delivery::emit,
        ..IDLE
    },
    Part {
        name: "documents",
        makes: &[
            FactKind::ApiDocument,
            FactKind::Backup,
            FactKind::Document,
            FactKind::MigrationRollbackPlan,
            FactKind::RestoreDrill,
            FactKind::Rollback,
            FactKind::SecretRotation,
        ],
        emit: documents::emit,
        ..IDLE
    },
    Part {
        name: "services",
        of_services: &[FactKind::Service],
        reads: &[
            FactKind::Authentication,
            FactKind::ComposeService,
            FactKind::Cookie,
            FactKind::DeploymentTarget,
            FactKind::HtmlOutput,
            FactKind::Image,
            FactKind::OutboundClient,
            FactKind::Route,
            FactKind::SessionStore,
            FactKind::Workload,
        ],
        emit: services::complete,
        ..IDLE
    },
    Part {
        name: "probes",
        makes: &[FactKind::Probe],
        of_services: &[FactKind::Route],
        reads: &[FactKind::Fallback, FactKind::Probe, FactKind::Route, FactKind::Server],
        emit: ties::probes::tie,
        ..IDLE
    },
    Part { name: "variables", makes: &[FactKind::EnvRead], emit: ties::variables::tie, ..IDLE },
    Part {
        name: "api documents",
        makes: &[FactKind::ApiDocument],
        of_services: &[FactKind::Route],
        reads: &[FactKind::ApiDocument, FactKind::Route],
        emit: ties::documents::tie,
        ..IDLE
    },
    Part {
        name: "stopping",
        of_services: &[FactKind::StopGrace],
        reads: &[FactKind::StopGrace, FactKind::Shutdown],
        emit: ties::stopping::tie,
        ..IDLE
    },
    Part {
        name: "image tags",
        makes: &[FactKind::Container, FactKind::ImageCopy],
        reads: &[FactKind::Container, FactKind::ImageBuild, FactKind::ImageCopy],
        emit: ties::images::tie,
        ..IDLE
    },
    Part {
        name: "migrations of images",
        makes: &[FactKind::MigrationRun],
        reads: &[
            FactKind::ComposeService,
            FactKind::Container,
            FactKind::Image,
            FactKind::ImageBuild,
            FactKind::MigrationRun,
        ],
        emit: ties::migrations::tie,
        ..IDLE
    },
    Part { name: "unused variables", makes: &[FactKind::DocumentedVariable], emit: ties::unused::tie, ..IDLE },
    Part {
        name: "set variables",
        makes: &[FactKind::SetVariable],
        reads: &[FactKind::ConfigSource, FactKind::EnvRead, FactKind::SetVariable],
        emit: ties::set::tie,
        ..IDLE
    },
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use rayon::prelude::*;

    use super::*;
    use crate::embedded::RULES;
    use crate::link::Repository;
    use crate::link::catalog::Catalog;
    use crate::link::demand::Demand;
    use crate::link::names::Names;
    use crate::link::workspace::Workspace;
    use crate::parse::parse_all;
    use crate::scan::{ScanOptions, scan};

    /// Fixtures of all rules, a few of each: trees of every shape.
    fn trees() -> Vec<PathBuf> {
        let folders = |of: &Path| {
            let mut found: Vec<PathBuf> = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).collect();
            found.sort();
            found
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        folders(&root).iter().flat_map(|rule| folders(rule).into_iter().take(3)).collect()
    }

    /// What parts made and did not say that they make.
    fn unsaid(tree: &Path, catalog: &Catalog) -> BTreeSet<String> {
        let tree = scan(tree, &ScanOptions::default()).unwrap();
        let (parsed, _) = parse_all(&tree);
        let repository = Repository { tree, parsed };
        let workspace = Workspace::build(&repository);
        let names = Names::build(&repository, &workspace);
        let services = services::find(&repository, &workspace, &names, catalog);
        assert!(services.is_empty() || services::possible(&workspace), "{:?}", repository.tree.root);
        let demand = Demand::everything();
        let context = Context {
            repository: &repository,
            workspace: &workspace,
            names: &names,
            catalog,
            services: &services,
            demand: &demand,
        };
        let mut linked = Linked::default();
        let mut unsaid = BTreeSet::new();
        for part in PARTS {
            let before = linked.facts.all.len();
            (part.emit)(&context, &mut linked);
            for fact in &linked.facts.all[before..] {
                let kind = fact.kind();
                let by_catalog = part.by_catalog && catalog.entries().iter().any(|entry| entry.fact == kind);
                let of_service = !services.is_empty() && part.of_services.contains(&kind);
                if !part.makes.contains(&kind) && !by_catalog && !of_service {
                    let whose = if services.is_empty() { "no service" } else { "a service" };
                    unsaid.insert(format!("{} makes {} of {whose}", part.name, kind.name()));
                }
            }
        }
        unsaid
    }

    #[test]
    fn parts_say_what_they_make() {
        let catalog = Catalog::load(&Catalog::files(RULES)).unwrap();
        let work = || trees().par_iter().flat_map_iter(|tree| unsaid(tree, &catalog)).collect();
        let unsaid: BTreeSet<String> = crate::cli::pipeline::on_deep_stack(work).unwrap();
        assert_eq!(unsaid, BTreeSet::new());
    }
}

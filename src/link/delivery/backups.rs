//! Backups of the database in manifests, scripts, pipelines and server settings.

use super::manifests::{compose_services, documents, objects, text_with};
use crate::facts::vocabulary::{Backup, RestoreDrill};
use crate::facts::{Attr, Confidence, Data, FactKind};
use crate::link::{Context, Linked};
use crate::parse::document::Node;
use crate::scan::source::{Kind, Role, SourceFile, Span};

/// Programs that back a database up.
const DUMPERS: &[&str] = &[
    "pg_dump",
    "pg_dumpall",
    "pg_basebackup",
    "mysqldump",
    "mariadb-dump",
    "mongodump",
    "wal-g",
    "wal-e",
    "pgbackrest",
    "barman",
    "litestream",
    "xtrabackup",
    "sqlite3 .backup",
];

/// Images that do nothing but back databases up.
const IMAGES: &[&str] = &[
    "postgres-backup",
    "pg-backup",
    "pgbackups",
    "db-backup",
    "mysql-backup",
    "mariadb-backup",
    "mongodb-backup",
    "pgbackrest",
    "wal-g",
    "litestream",
    "docker-volume-backup",
    "backup-postgres",
    "postgresql-backup",
    "pgbackweb",
    "restic",
];

/// Adds backups and drills.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut out = Out { context, linked };
    out.pipelines();
    for object in objects(context.repository) {
        out.object(&object);
    }
    for (file, service) in compose_services(context.repository) {
        out.compose(file, service.key_span, &service.value);
    }
    for (file, root) in documents(context.repository) {
        out.document(file, root);
    }
    for file in &context.repository.tree.files {
        out.file(file);
    }
}

struct Out<'c, 'l> {
    context: &'c Context<'c>,
    linked: &'l mut Linked,
}

fn backup(how: &str, point_in_time: bool) -> Backup {
    Backup { how: how.into(), retention_days: Attr::Unset, point_in_time: Some(true).filter(|_| point_in_time).into() }
}

fn dumps(text: &str) -> bool {
    DUMPERS.iter().any(|program| text.contains(program))
}

impl Out<'_, '_> {
    fn add(&mut self, file: &SourceFile, span: Span, data: impl Into<Data>, confidence: Confidence) {
        self.linked.facts.add(self.context.fact(data, file.id, span).confidence(confidence));
    }

    /// A pipeline that dumps on a schedule, and one that restores under a name that says why.
    fn pipelines(&mut self) {
        let mut found: Vec<(FactKind, crate::scan::source::Place)> = Vec::new();
        for (_, fact) in self.linked.facts.of(FactKind::CiStep) {
            let Data::CiStep(step) = &fact.data else { continue };
            let scheduled =
                step.started_by.known().is_some_and(|events| events.iter().any(|event| event == "schedule"));
            let name = self.context.repository.tree.file(fact.place.file).name().to_ascii_lowercase();
            match step.kind.known().map(String::as_str) {
                Some("backup") if scheduled || name.contains("backup") => found.push((FactKind::Backup, fact.place)),
                Some("restore") if scheduled || name.contains("restore") || name.contains("drill") => {
                    found.push((FactKind::RestoreDrill, fact.place));
                }
                _ => {}
            }
        }
        for (kind, place) in found {
            let data: Data = match kind {
                FactKind::Backup => backup("job", false).into(),
                _ => RestoreDrill { how: "job".into() }.into(),
            };
            let file = self.context.repository.tree.file(place.file);
            self.add(file, place.span, data, Confidence::High);
        }
    }

    fn object(&mut self, object: &super::manifests::Object<'_>) {
        let span = object.entry.key_span.to(object.entry.value.span);
        let spec = object.node.get("spec");
        let has = |path: &[&str]| spec.and_then(|spec| spec.at(path)).is_some();
        let found = match (object.group, object.kind) {
            ("velero.io", "Schedule") => Some(backup("velero", false)),
            ("postgresql.cnpg.io", "ScheduledBackup") => Some(backup("operator", true)),
            ("postgresql.cnpg.io", "Cluster") if has(&["backup"]) || has(&["plugins"]) => {
                Some(backup("operator", true))
            }
            ("acid.zalan.do", "postgresql") if has(&["enableLogicalBackup"]) => Some(backup("operator", false)),
            ("postgres-operator.crunchydata.com", "PostgresCluster") if has(&["backups"]) => {
                Some(backup("operator", true))
            }
            ("pgv2.percona.com", "PerconaPGCluster") if has(&["backups"]) => Some(backup("operator", true)),
            ("pxc.percona.com", "PerconaXtraDBCluster") if has(&["backup", "schedule"]) => {
                Some(backup("operator", false))
            }
            ("psmdb.percona.com", "PerconaServerMongoDB") if has(&["backup", "tasks"]) => {
                Some(backup("operator", false))
            }
            ("stackgres.io", "SGCluster") if has(&["configurations", "backups"]) => Some(backup("operator", true)),
            ("kubedb.com" | "stash.appscode.com" | "core.kubestash.com", "BackupConfiguration") => {
                Some(backup("operator", false))
            }
            (_, "CronJob") => self.cron_job(object.node),
            _ => None,
        };
        if let Some(data) = found {
            self.add(object.file, span, data, Confidence::High);
        }
    }

    fn cron_job(&self, node: &Node) -> Option<Backup> {
        let spec = node.get("spec")?;
        let image = text_with(spec, &|text| IMAGES.iter().any(|image| text.contains(image)));
        let command = text_with(spec, &|text| dumps(text) || text.contains("backup.sh"));
        image.or(command).map(|_| backup("cronjob", false))
    }

    fn compose(&mut self, file: &SourceFile, span: Span, service: &Node) {
        let image = service.get("image").and_then(Node::scalar).unwrap_or_default();
        let by_image = IMAGES.iter().any(|name| image.contains(name));
        let commands = ["command", "entrypoint"].iter().filter_map(|key| service.get(key));
        let by_command = commands.into_iter().any(|node| text_with(node, &|text| dumps(text)).is_some());
        if by_image || by_command {
            let continuous = image.contains("litestream") || image.contains("wal-g") || image.contains("pgbackrest");
            self.add(file, span, backup("script", continuous), Confidence::High);
        }
    }

    fn document(&mut self, file: &SourceFile, root: &Node) {
        let replicas = root.get("dbs").map(Node::items).unwrap_or_default();
        let litestream = file.name().contains("litestream")
            && replicas.iter().any(|db| db.get("replicas").is_some() || db.get("replica").is_some());
        if litestream {
            self.add(file, file.line_span(1), backup("litestream", true), Confidence::High);
        }
        let databases = root.entry("databases").filter(|_| root.get("services").is_some());
        let managed =
            databases.and_then(|entry| entry.value.items().iter().find(|database| kept_by_platform(database)));
        if let Some(database) = managed {
            self.add(file, database.span, backup("managed", false), Confidence::Medium);
        }
        for resource in root.get("Resources").map(Node::entries).unwrap_or_default() {
            let days = resource.value.at(&["Properties", "BackupRetentionPeriod"]).and_then(Node::number);
            if let Some(days) = days.filter(|days| *days > 0.0) {
                let data = Backup { how: "managed".into(), retention_days: days.into(), point_in_time: true.into() };
                self.add(file, resource.key_span, data, Confidence::High);
            }
        }
    }

    fn file(&mut self, file: &SourceFile) {
        let name = file.name().to_ascii_lowercase();
        if file.kind == Kind::Shell && file.role == Role::Service {
            self.script(file, &name);
        }
        if matches!(name.as_str(), "pgbackrest.conf" | ".pgbackrest.conf") {
            self.add(file, file.line_span(1), backup("pgbackrest", true), Confidence::High);
        }
        if name.ends_with(".conf") {
            self.archiving(file);
        }
        if name.starts_with("crontab") || file.path.contains("cron.d/") {
            let line =
                file.text.lines().position(|line| !line.starts_with('#') && (dumps(line) || line.contains("backup")));
            if let Some(line) = line {
                self.add(
                    file,
                    file.line_span(u32::try_from(line + 1).unwrap_or(1)),
                    backup("cronjob", false),
                    Confidence::High,
                );
            }
        }
    }

    /// A script of the tree: one that dumps and is called a backup, one that restores and checks.
    fn script(&mut self, file: &SourceFile, name: &str) {
        let line = |wanted: &dyn Fn(&str) -> bool| {
            let at = file.text.lines().position(|line| !line.trim_start().starts_with('#') && wanted(line))?;
            Some(file.line_span(u32::try_from(at + 1).unwrap_or(1)))
        };
        let called = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if called(&["backup", "back-up", "snapshot"])
            && let Some(span) = line(&dumps)
        {
            self.add(
                file,
                span,
                backup("script", file.text.contains("wal-g") || file.text.contains("pgbackrest")),
                Confidence::Medium,
            );
        }
        let restores = |line: &str| {
            ["pg_restore", "psql", "mysql ", "mongorestore", "litestream restore", "backup-fetch"]
                .iter()
                .any(|word| line.contains(word))
        };
        if called(&["restore"])
            && called(&["test", "drill", "verify", "check"])
            && let Some(span) = line(&restores)
        {
            self.add(file, span, RestoreDrill { how: "script".into() }, Confidence::High);
        }
    }

    /// WAL archiving in the settings of a PostgreSQL server.
    fn archiving(&mut self, file: &SourceFile) {
        let set = |line: &&str, key: &str| line.trim_start().starts_with(key) && line.contains('=');
        let on = file
            .text
            .lines()
            .any(|line| set(&line, "archive_mode") && (line.contains("on") || line.contains("always")));
        let command = file.text.lines().position(|line| set(&line, "archive_command") && !line.contains("''"));
        if let Some(line) = command.filter(|_| on) {
            let span = file.line_span(u32::try_from(line + 1).unwrap_or(1));
            self.add(file, span, backup("wal-archive", true), Confidence::High);
        }
    }
}

/// A database in a platform's specification that the platform backs up: production plans, not development ones.
fn kept_by_platform(database: &Node) -> bool {
    let production = database.get("production").and_then(Node::flag) == Some(true);
    let plan =
        database.get("plan").and_then(Node::text).is_some_and(|plan| !plan.contains("free") && !plan.contains("dev"));
    production || plan
}

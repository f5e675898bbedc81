//! Managed databases and their backups.

use super::super::terraform::Resource;
use crate::facts::Attr;
use crate::facts::vocabulary::{Backup, ManagedDatabase};
use crate::link::{Context, Linked};
use crate::scan::source::Span;

fn managed(
    context: &Context<'_>,
    linked: &mut Linked,
    resource: &Resource<'_>,
    retention: Attr<f64>,
    protection: Attr<bool>,
) {
    let data = ManagedDatabase {
        kind: resource.kind.into(),
        name: resource.name.into(),
        retention_days: retention,
        deletion_protection: protection,
        public: resource.flag(&["publicly_accessible"]),
        multi_zone: multi_zone(resource),
    };
    linked.facts.add(context.fact(data, resource.file.id, resource.span));
}

/// Whether a standby stands in another zone, where the source says so.
fn multi_zone(resource: &Resource<'_>) -> Attr<bool> {
    let regional = |text: String| text == "REGIONAL";
    let flag = resource.flag(&["multi_az"]);
    let types = [resource.text(&["availability_type"]), resource.text(&["settings", "availability_type"])];
    let azure = resource.text(&["high_availability", "mode"]).map(|mode| mode == "ZoneRedundant");
    let by_type = types.into_iter().flatten().map(regional).next().or(azure);
    match (flag, by_type) {
        (Attr::Unset, Some(known)) => Attr::Known(known),
        (Attr::Unset, None) => match resource.at(&["instances"]) {
            Some(instances) if !instances.entries().is_empty() => Attr::Known(instances.entries().len() > 1),
            _ => Attr::Unset,
        },
        (flag, _) => flag,
    }
}

fn backup(
    context: &Context<'_>,
    linked: &mut Linked,
    resource: &Resource<'_>,
    span: Span,
    days: Attr<f64>,
    point_in_time: Attr<bool>,
) {
    let data = Backup { how: "managed".into(), retention_days: days, point_in_time };
    linked.facts.add(context.fact(data, resource.file.id, span));
}

fn span_of(resource: &Resource<'_>, key: &str) -> Span {
    resource.entry(key).map_or(resource.span, |entry| entry.key_span.to(entry.value.span))
}

/// A retention that is written and not zero is a backup.
fn by_retention(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>, key: &str, point_in_time: bool) {
    let days = resource.number(&[key]);
    if days.is_set() && days.known() != Some(&0.0) {
        backup(context, linked, resource, span_of(resource, key), days, Some(true).filter(|_| point_in_time).into());
    }
}

/// RDS and Aurora: automated backups bring recovery to any second of the window.
pub fn rds(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if !matches!(resource.kind, "aws_db_instance" | "aws_rds_cluster") {
        return;
    }
    let retention = resource.number(&["backup_retention_period"]);
    managed(context, linked, resource, retention, resource.flag(&["deletion_protection"]));
    by_retention(context, linked, resource, "backup_retention_period", true);
}

/// Cloud SQL.
pub fn cloud_sql(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let block = ["settings", "backup_configuration"];
    let days = resource.number(&[block[0], block[1], "backup_retention_settings", "retained_backups"]);
    managed(context, linked, resource, days.clone(), resource.flag(&["deletion_protection"]));
    let enabled = resource.flag(&[block[0], block[1], "enabled"]);
    if enabled.is_set() && enabled.known() != Some(&false) {
        let recovery = resource.flag(&[block[0], block[1], "point_in_time_recovery_enabled"]);
        let span = resource.at(&block).map_or(resource.span, |node| node.span);
        backup(context, linked, resource, span, days, recovery);
    }
}

/// AlloyDB.
pub fn alloy(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    managed(context, linked, resource, Attr::Unset, resource.flag(&["deletion_protection"]));
    let continuous = resource.flag(&["continuous_backup_config", "enabled"]);
    let automated = resource.flag(&["automated_backup_policy", "enabled"]);
    if automated.is_true() || continuous.is_true() {
        let days = resource.number(&["continuous_backup_config", "recovery_window_days"]);
        backup(context, linked, resource, resource.span, days, continuous);
    }
}

/// Azure's managed PostgreSQL and MySQL.
pub fn azure(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    managed(context, linked, resource, resource.number(&["backup_retention_days"]), Attr::Unset);
    by_retention(context, linked, resource, "backup_retention_days", true);
}

/// Cosmos DB.
pub fn cosmos(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if let Some(kind) = resource.text(&["backup", "type"]) {
        backup(context, linked, resource, resource.span, Attr::Unset, (kind == "Continuous").into());
    }
}

/// MongoDB Atlas.
pub fn atlas(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let enabled =
        ["backup_enabled", "cloud_backup", "provider_backup_enabled"].iter().any(|key| resource.flag(&[key]).is_true());
    if enabled || resource.kind == "mongodbatlas_cloud_backup_schedule" {
        backup(context, linked, resource, resource.span, Attr::Unset, resource.flag(&["pit_enabled"]));
    }
}

/// DynamoDB.
pub fn dynamo(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if resource.flag(&["point_in_time_recovery", "enabled"]).is_true() {
        backup(context, linked, resource, resource.span, Attr::Unset, true.into());
    }
}

/// AWS Backup.
pub fn backup_plan(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let days = resource.number(&["rule", "lifecycle", "delete_after"]);
    backup(context, linked, resource, resource.span, days, resource.flag(&["rule", "enable_continuous_backup"]));
}

/// A module that runs a database, by its source; only what the call sets is known.
pub fn module(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let source = resource.text(&["source"]).unwrap_or_default();
    let database =
        ["rds", "aurora", "sql-db", "cloudsql", "postgres", "mysql"].iter().any(|word| source.contains(word));
    if !database || resource.calls_own_module() {
        return;
    }
    let block = "backup_configuration";
    let written =
        |keys: [&[&str]; 3]| keys.iter().map(|key| resource.number(key)).find(Attr::is_set).unwrap_or_default();
    let retention = written([&["backup_retention_period"], &["backup_retention_days"], &[block, "retained_backups"]]);
    managed(context, linked, resource, retention.clone(), resource.flag(&["deletion_protection"]));
    by_retention(context, linked, resource, "backup_retention_period", true);
    by_retention(context, linked, resource, "backup_retention_days", true);
    if resource.flag(&[block, "enabled"]).is_true() {
        let recovery = resource.flag(&[block, "point_in_time_recovery_enabled"]);
        backup(context, linked, resource, span_of(resource, block), retention, recovery);
    }
}

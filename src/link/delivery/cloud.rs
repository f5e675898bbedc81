//! Cloud resources of Terraform: databases with their backups, secrets, alarms, load balancers, task environments.

mod databases;
mod secrets;
mod traffic;
mod watching;

use super::terraform::{Resource, resources};
use crate::link::{Context, Linked};

/// What one kind of resource shows.
type Show = fn(&Context<'_>, &mut Linked, &Resource<'_>);

/// Kinds of resources by the start of their name. A kind may have several rows.
const KINDS: &[(&str, Show)] = &[
    ("aws_db_instance", databases::rds),
    ("aws_rds_cluster", databases::rds),
    ("google_sql_database_instance", databases::cloud_sql),
    ("google_alloydb_cluster", databases::alloy),
    ("azurerm_postgresql_flexible_server", databases::azure),
    ("azurerm_mysql_flexible_server", databases::azure),
    ("azurerm_postgresql_server", databases::azure),
    ("azurerm_cosmosdb_account", databases::cosmos),
    ("mongodbatlas_", databases::atlas),
    ("aws_dynamodb_table", databases::dynamo),
    ("aws_backup_plan", databases::backup_plan),
    ("module", databases::module),
    ("module", traffic::module),
    ("module", traffic::service_module),
    ("aws_secretsmanager_secret_rotation", secrets::rotation),
    ("aws_secretsmanager_secret", secrets::manager),
    ("aws_ssm_parameter", secrets::parameter),
    ("google_secret_manager_secret", secrets::manager),
    ("azurerm_key_vault_secret", secrets::manager),
    ("vault_", secrets::manager),
    ("aws_ecs_task_definition", secrets::task),
    ("aws_lambda_function", secrets::lambda),
    ("aws_lb_listener", traffic::listener),
    ("aws_alb_listener", traffic::listener),
    ("aws_wafv2_", traffic::waf),
    ("google_compute_security_policy", traffic::waf),
    ("aws_appautoscaling_target", traffic::autoscaling),
    ("google_compute_region_autoscaler", traffic::autoscaling),
    ("aws_ecs_service", traffic::instances),
    ("google_cloud_run_v2_service", traffic::cloud_run),
    ("azurerm_linux_web_app", traffic::web_app),
    ("azurerm_container_app", traffic::container_app),
    ("", watching::watch),
];

/// Adds what cloud resources show.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    for resource in resources(context.repository) {
        for (start, show) in KINDS {
            if resource.kind.starts_with(start) {
                show(context, linked, &resource);
            }
        }
    }
}

//! Alarms and dashboards of the cloud.

use super::super::terraform::Resource;
use crate::facts::Attr;
use crate::facts::vocabulary::{AlertRule, InfrastructureMonitor};
use crate::link::{Context, Linked};
use crate::parse::document::{Node, Value};
use crate::scan::source::Span;

/// Resources that alert.
const ALERTS: &[(&str, &str)] = &[
    ("aws_cloudwatch_metric_alarm", "cloudwatch"),
    ("aws_cloudwatch_composite_alarm", "cloudwatch"),
    ("google_monitoring_alert_policy", "google"),
    ("google_monitoring_uptime_check_config", "google"),
    ("azurerm_monitor_metric_alert", "azure"),
    ("azurerm_monitor_scheduled_query_rules_alert", "azure"),
    ("azurerm_monitor_scheduled_query_rules_alert_v2", "azure"),
    ("azurerm_monitor_activity_log_alert", "azure"),
    ("datadog_monitor", "datadog"),
    ("newrelic_nrql_alert_condition", "newrelic"),
    ("newrelic_alert_condition", "newrelic"),
    ("grafana_rule_group", "grafana"),
    ("sentry_issue_alert", "sentry"),
    ("sentry_metric_alert", "sentry"),
    ("honeycombio_trigger", "honeycomb"),
    ("digitalocean_monitor_alert", "digitalocean"),
    ("digitalocean_uptime_alert", "digitalocean"),
    ("betteruptime_monitor", "betteruptime"),
    ("uptimerobot_monitor", "uptimerobot"),
    ("checkly_check", "checkly"),
];

/// Resources that watch the infrastructure.
const MONITORS: &[(&str, &str)] = &[
    ("aws_cloudwatch_dashboard", "dashboard"),
    ("google_monitoring_dashboard", "dashboard"),
    ("grafana_dashboard", "dashboard"),
    ("datadog_dashboard", "dashboard"),
    ("datadog_dashboard_json", "dashboard"),
    ("newrelic_one_dashboard", "dashboard"),
    ("azurerm_portal_dashboard", "dashboard"),
    ("azurerm_dashboard_grafana", "dashboard"),
    ("azurerm_monitor_workspace", "cloud"),
    ("azurerm_log_analytics_workspace", "cloud"),
    ("aws_prometheus_workspace", "cloud"),
    ("aws_grafana_workspace", "dashboard"),
];

/// Adds what a resource watches.
pub fn watch(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if let Some((_, system)) = ALERTS.iter().find(|(kind, _)| *kind == resource.kind) {
        if resource.kind == "grafana_rule_group" {
            grafana_rules(context, linked, resource);
        } else {
            let data = AlertRule { name: named(resource).into(), system: (*system).into(), ..AlertRule::default() };
            linked.facts.add(context.fact(data, resource.file.id, resource.span));
        }
    }
    if resource.kind == "azurerm_monitor_alert_prometheus_rule_group" {
        azure_rules(context, linked, resource);
    }
    if let Some((_, kind)) = MONITORS.iter().find(|(kind, _)| *kind == resource.kind) {
        monitor(context, linked, resource, resource.span, kind);
    }
    if resource.kind == "grafana_dashboard"
        && let Some(json) = resource.at(&["config_json"])
    {
        panel_alerts(context, linked, resource, &json);
    }
    insights(context, linked, resource);
}

/// What an alert is called where it rings, else its name in the source.
fn named(resource: &Resource<'_>) -> String {
    let keys = ["alarm_name", "display_name", "title", "name"];
    keys.iter().find_map(|key| resource.text(&[key])).unwrap_or_else(|| resource.name.to_string())
}

/// The rules of a group of Grafana's, each with its name and runbook.
fn grafana_rules(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    for rule in resource.body.entries().iter().filter(|entry| &*entry.key == "rule") {
        let text = |node: &Node| node.scalar().map_or(Attr::Unknown, Attr::Known);
        let node = resource.settled(&rule.value);
        let annotations = node.get("annotations");
        let runbook = ["runbook_url", "runbook"].iter().find_map(|key| annotations?.get(key));
        let data = AlertRule {
            name: node.get("name").map_or(Attr::Unset, text),
            system: "grafana".into(),
            runbook: match runbook {
                Some(runbook) => text(runbook),
                None if annotations.is_some_and(Node::is_unresolved) => Attr::Unknown,
                None => Attr::Unset,
            },
            ..AlertRule::default()
        };
        linked.facts.add(context.fact(data, resource.file.id, rule.key_span));
    }
}

fn alert(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>, span: Span, system: &str) {
    let data = AlertRule { name: resource.name.into(), system: system.into(), ..AlertRule::default() };
    linked.facts.add(context.fact(data, resource.file.id, span));
}

fn monitor(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>, span: Span, kind: &str) {
    let data = InfrastructureMonitor { kind: kind.into(), optional: Attr::Known(false) };
    linked.facts.add(context.fact(data, resource.file.id, span));
}

/// A rule group of Azure's Prometheus: its rules alert or only record.
fn azure_rules(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    for rule in resource.body.entries().iter().filter(|entry| &*entry.key == "rule") {
        if rule.value.get("alert").is_some() {
            alert(context, linked, resource, rule.key_span, "prometheus");
        }
    }
}

/// Alerts inside the panels of a dashboard.
fn panel_alerts(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>, json: &Node) {
    let found = super::super::manifests::entries_of(json, "alert")
        .into_iter()
        .filter(|entry| !entry.value.entries().is_empty());
    for entry in found {
        alert(context, linked, resource, entry.key_span, "grafana");
    }
    if let Value::Text { text, .. } = &json.value
        && text.contains("\"alert\": {")
    {
        alert(context, linked, resource, json.span, "grafana");
    }
}

/// Monitoring that is a switch of another resource.
fn insights(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let text = resource.file.slice(resource.body.span);
    let container_insights =
        resource.kind == "aws_ecs_cluster" && text.contains("containerInsights") && text.contains("enabled");
    let database =
        matches!(resource.kind, "aws_db_instance" | "aws_rds_cluster" | "aws_rds_cluster_instance" | "module")
            && (resource.number(&["monitoring_interval"]).known().is_some_and(|seconds| *seconds > 0.0)
                || resource.flag(&["performance_insights_enabled"]).is_true());
    let cluster = resource.kind == "azurerm_kubernetes_cluster"
        && (text.contains("oms_agent") || text.contains("monitor_metrics"))
        || resource.kind == "google_container_cluster" && text.contains("monitoring_config");
    for (found, kind) in [(container_insights, "container-insights"), (database, "cloud"), (cluster, "cloud")] {
        if found {
            monitor(context, linked, resource, resource.span, kind);
        }
    }
}

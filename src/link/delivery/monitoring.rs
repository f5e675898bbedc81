//! Monitoring and alerting in manifests: Prometheus, Grafana, exporters, agents.

use super::manifests::{compose_services, documents, entries_of, objects};
use crate::facts::vocabulary::{AlertRule, InfrastructureMonitor};
use crate::facts::{Attr, Confidence};
use crate::link::containers::chart::{self, Chart};
use crate::link::{Context, Linked};
use crate::parse::document::{Entry, Node};
use crate::scan::source::{Role, SourceFile, Span};

/// Images that watch machines and containers, by a part of their name.
const AGENTS: &[(&str, &str)] = &[
    ("node-exporter", "node-exporter"),
    ("node_exporter", "node-exporter"),
    ("cadvisor", "cadvisor"),
    ("netdata", "agent"),
    ("datadog/agent", "agent"),
    ("datadog-agent", "agent"),
    ("telegraf", "agent"),
    ("newrelic/infrastructure", "agent"),
    ("grafana/agent", "agent"),
    ("grafana/alloy", "agent"),
    ("kube-state-metrics", "kube-state-metrics"),
    ("dcgm-exporter", "exporter"),
    ("postgres-exporter", "exporter"),
    ("postgres_exporter", "exporter"),
    ("glances", "agent"),
    ("beszel", "agent"),
];

/// Adds what is found.
pub fn emit(context: &Context<'_>, linked: &mut Linked) {
    let mut out = Out { context, linked, charts: chart::charts(context.repository) };
    for object in objects(context.repository) {
        out.object(&object);
    }
    for (file, service) in compose_services(context.repository) {
        let image = service.value.get("image").and_then(Node::scalar).unwrap_or_default();
        if let Some((_, kind)) = AGENTS.iter().find(|(name, _)| image.contains(name)) {
            out.monitor(file, service.key_span, kind, Confidence::High);
        }
    }
    for (file, root) in documents(context.repository) {
        out.document(file, root);
    }
}

struct Out<'c, 'l> {
    context: &'c Context<'c>,
    linked: &'l mut Linked,
    charts: Vec<Chart>,
}

impl Out<'_, '_> {
    fn monitor(&mut self, file: &SourceFile, span: Span, kind: &str, confidence: Confidence) {
        let optional = chart::is_off_by_default(&self.charts, file, span.start as usize);
        let data = InfrastructureMonitor { kind: kind.into(), optional: Attr::Known(optional) };
        self.linked.facts.add(self.context.fact(data, file.id, span).confidence(confidence));
    }

    fn alert(&mut self, file: &SourceFile, span: Span, name: Option<String>, system: &str, runbook: Option<String>) {
        let exists = runbook.as_deref().and_then(|address| self.runbook_exists(address));
        let data = AlertRule {
            name: name.into(),
            system: system.into(),
            runbook: runbook.into(),
            runbook_exists: exists.map_or(Attr::Unset, Attr::Known),
        };
        self.linked.facts.add(self.context.fact(data, file.id, span));
    }

    /// Whether the file that a runbook's address names is in the tree; `None` for other addresses.
    fn runbook_exists(&self, address: &str) -> Option<bool> {
        let path = address.split(['#', '?']).next().unwrap_or(address);
        let below = path.split_once("/blob/").or_else(|| path.split_once("/tree/")).map(|(_, rest)| rest);
        let path = below.and_then(|rest| rest.split_once('/')).map_or(path, |(_, path)| path);
        let named = path.ends_with(".md") && (below.is_some() || !path.contains("://"));
        let path = path.trim_start_matches("./").trim_start_matches('/');
        named.then(|| self.context.repository.tree.find(path).is_some())
    }

    fn object(&mut self, object: &super::manifests::Object<'_>) {
        let span = object.entry.key_span.to(object.entry.value.span);
        match object.kind {
            "ServiceMonitor" | "PodMonitor" | "VMServiceScrape" | "VMPodScrape" => {
                self.monitor(object.file, span, "service-monitor", Confidence::High);
            }
            "PodMonitoring" => self.monitor(object.file, span, "service-monitor", Confidence::High),
            "GrafanaDashboard" => self.monitor(object.file, span, "dashboard", Confidence::High),
            "PrometheusRule" | "VMRule" => {
                for group in object.node.at(&["spec", "groups"]).map(Node::items).unwrap_or_default() {
                    self.rules(object.file, group);
                }
                // A chart's rules may come from a template that only rendering gives.
                if object.file.text.contains("alert:") && !entries_of(object.node, "alert").iter().any(|_| true) {
                    self.alert(object.file, span, None, "prometheus", None);
                }
            }
            "ConfigMap" => {
                let dashboard = object.node.at(&["metadata", "labels", "grafana_dashboard"]).is_some();
                if dashboard {
                    self.monitor(object.file, span, "dashboard", Confidence::High);
                }
            }
            "DaemonSet" | "Deployment" => {
                let images = entries_of(object.node, "image");
                let agent = images
                    .iter()
                    .filter_map(|image| image.value.scalar())
                    .find_map(|image| AGENTS.iter().find(|(name, _)| image.contains(name)).map(|(_, kind)| *kind));
                if let Some(kind) = agent {
                    self.monitor(object.file, span, kind, Confidence::High);
                }
            }
            _ => {}
        }
    }

    fn rules(&mut self, file: &SourceFile, group: &Node) {
        for rule in group.get("rules").map(Node::items).unwrap_or_default() {
            let runbook = ["runbook_url", "runbook"].iter().find_map(|key| rule.at(&["annotations", key])?.scalar());
            if let Some(alert) = rule.entry("alert") {
                self.alert(file, alert.key_span.to(alert.value.span), alert.value.scalar(), "prometheus", runbook);
            } else if let (Some(title), Some(_)) = (rule.entry("title"), rule.get("condition")) {
                self.alert(file, title.key_span.to(title.value.span), title.value.scalar(), "grafana", runbook);
            }
        }
    }

    fn document(&mut self, file: &SourceFile, root: &Node) {
        if root.get("apiVersion").is_some_and(|_| root.get("kind").is_some()) {
            return;
        }
        for group in root.get("groups").map(Node::items).unwrap_or_default() {
            self.rules(file, group);
        }
        if let Some(entry) = root.entry("scrape_configs") {
            self.scrapes(file, entry);
        }
        self.dashboard(file, root);
        self.cloud_formation(file, root);
        let alerts = root.entry("alerts").filter(|_| root.get("services").is_some());
        if let Some(entry) = alerts.filter(|entry| entry.value.items().iter().any(|alert| alert.get("rule").is_some()))
        {
            self.alert(file, entry.key_span, None, "digitalocean", None);
        }
    }

    fn scrapes(&mut self, file: &SourceFile, entry: &Entry) {
        let jobs = entry.value.items().iter().filter_map(|job| job.entry("job_name"));
        let machine = jobs.clone().find(|job| {
            let name = job.value.scalar().unwrap_or_default().to_ascii_lowercase();
            ["node", "cadvisor", "docker", "host", "kubelet"].iter().any(|word| name.contains(word))
        });
        match machine {
            Some(job) => self.monitor(file, job.key_span.to(job.value.span), "node-exporter", Confidence::High),
            None if jobs.count() > 0 && file.role == Role::Service => {
                self.monitor(file, entry.key_span, "service-monitor", Confidence::Medium);
            }
            None => {}
        }
    }

    /// A Grafana dashboard as JSON, alerts in its panels included.
    fn dashboard(&mut self, file: &SourceFile, root: &Node) {
        let body = root.get("dashboard").unwrap_or(root);
        let Some(panels) = body.entry("panels").or_else(|| body.entry("rows")) else { return };
        if body.get("schemaVersion").is_none() && body.get("templating").is_none() {
            return;
        }
        self.monitor(file, panels.key_span, "dashboard", Confidence::High);
        for entry in
            entries_of(&panels.value, "alert").into_iter().filter(|entry| entry.value.get("conditions").is_some())
        {
            let name = entry.value.get("name").and_then(Node::scalar);
            self.alert(file, entry.key_span, name, "grafana", None);
        }
    }

    fn cloud_formation(&mut self, file: &SourceFile, root: &Node) {
        for resource in root.get("Resources").map(Node::entries).unwrap_or_default() {
            match resource.value.get("Type").and_then(Node::text) {
                Some("AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm") => {
                    let name = resource.value.at(&["Properties", "AlarmName"]).and_then(Node::scalar);
                    let name = name.unwrap_or_else(|| resource.key.to_string());
                    self.alert(file, resource.key_span, Some(name), "cloudwatch", None);
                }
                Some("AWS::CloudWatch::Dashboard") => {
                    self.monitor(file, resource.key_span, "dashboard", Confidence::High)
                }
                _ => {}
            }
        }
    }
}

//! Ways in and numbers of instances: listeners, firewalls, autoscalers.

use super::super::terraform::Resource;
use crate::facts::vocabulary::{Autoscaler, Https, Ingress, InstanceCount, RateLimit, ResponseHeader};
use crate::facts::{Attr, Confidence, Data};
use crate::link::{Context, Linked};
use crate::parse::document::Node;

fn add(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>, data: impl Into<Data>) {
    linked.facts.add(context.fact(data, resource.file.id, resource.span));
}

/// A listener of a load balancer: TLS ends here, or plain HTTP is redirected.
pub fn listener(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if !matches!(resource.kind, "aws_lb_listener" | "aws_alb_listener") {
        return;
    }
    let protocol = resource.text(&["protocol"]).unwrap_or_default();
    let tls = resource.at(&["certificate_arn"]).is_some() || matches!(protocol.as_str(), "HTTPS" | "TLS");
    let redirects = resource.text(&["default_action", "redirect", "protocol"]).as_deref() == Some("HTTPS")
        || resource.text(&["default_action", "type"]).as_deref() == Some("redirect");
    add(
        context,
        linked,
        resource,
        Ingress { by: "load-balancer".into(), tls: tls.into(), redirects: redirects.into(), ..Ingress::default() },
    );
    if tls || redirects {
        add(context, linked, resource, Https { by: "load-balancer".into() });
    }
    let hsts = resource.text(&["routing_http_response_strict_transport_security_header_value"]);
    if let Some(value) = hsts {
        let data = ResponseHeader {
            name: "strict-transport-security".into(),
            value: value.into(),
            by: "ingress".into(),
            covers: "all".into(),
        };
        add(context, linked, resource, data);
    }
}

/// Listeners of a load balancer that a module of the registry makes.
pub fn module(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let source = resource.text(&["source"]).unwrap_or_default();
    if !(source.contains("alb") || source.contains("load-balancer")) || resource.calls_own_module() {
        return;
    }
    let lists = ["https_listeners", "http_tcp_listeners", "listeners"].map(|key| resource.at(&[key]));
    let keyed = lists[2].as_deref().map_or(&[][..], Node::entries).iter().map(|entry| &*entry.value);
    let listed = lists.iter().flatten().flat_map(|list| list.items()).map(|item| &**item);
    for listener in keyed.chain(listed) {
        let text = |keys: &[&str]| listener.at(keys).and_then(Node::text).unwrap_or("");
        let tls = listener.get("certificate_arn").is_some() || matches!(text(&["protocol"]), "HTTPS" | "TLS");
        let redirects = text(&["redirect", "protocol"]) == "HTTPS" || text(&["action_type"]) == "redirect";
        let data =
            Ingress { by: "load-balancer".into(), tls: tls.into(), redirects: redirects.into(), ..Ingress::default() };
        add(context, linked, resource, data);
        if tls || redirects {
            add(context, linked, resource, Https { by: "load-balancer".into() });
        }
    }
}

/// What a module of the registry that runs a service of ECS is told about the number of its tasks.
pub fn service_module(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let source = resource.text(&["source"]).unwrap_or_default();
    if !source.contains("ecs") || resource.calls_own_module() {
        return;
    }
    instances(context, linked, resource);
    let (min, max) = (resource.number(&["autoscaling_min_capacity"]), resource.number(&["autoscaling_max_capacity"]));
    if (min.is_set() || max.is_set()) && resource.flag(&["enable_autoscaling"]) != Attr::Known(false) {
        add(context, linked, resource, Autoscaler { min, max, by: "cloud".into(), ..Autoscaler::default() });
    }
}

/// A web application firewall with a rule on rates.
pub fn waf(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let text = resource.file.slice(resource.body.span);
    if ["rate_based_statement", "rate_limit_options", "throttle"].iter().any(|word| text.contains(word)) {
        add(
            context,
            linked,
            resource,
            RateLimit { library: resource.kind.into(), by: "waf".into(), covers: "all".into() },
        );
    }
}

/// An autoscaler of the cloud.
pub fn autoscaling(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let first = |paths: [&[&str]; 2]| match resource.number(paths[0]) {
        Attr::Unset => resource.number(paths[1]),
        number => number,
    };
    let data = Autoscaler {
        min: first([&["min_capacity"], &["autoscaling_policy", "min_replicas"]]),
        max: first([&["max_capacity"], &["autoscaling_policy", "max_replicas"]]),
        by: "cloud".into(),
        ..Autoscaler::default()
    };
    add(context, linked, resource, data);
}

/// Tasks of an ECS service.
pub fn instances(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    let count = resource.number(&["desired_count"]);
    if count.is_set() {
        add(context, linked, resource, InstanceCount { count, by: "ecs".into(), ..InstanceCount::default() });
    }
}

/// Cloud Run ends TLS and redirects by itself; its scaling is written here.
pub fn cloud_run(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    linked.facts.add(
        context.fact(Https { by: "platform".into() }, resource.file.id, resource.span).confidence(Confidence::Medium),
    );
    let path = ["template", "scaling"];
    let max = resource.number(&[path[0], path[1], "max_instance_count"]);
    if max.is_set() {
        let min = resource.number(&[path[0], path[1], "min_instance_count"]);
        add(context, linked, resource, Autoscaler { min, max, by: "cloud".into(), ..Autoscaler::default() });
    }
}

/// App Service with HTTPS only.
pub fn web_app(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if resource.flag(&["https_only"]).is_true() {
        add(context, linked, resource, Https { by: "platform".into() });
    }
}

/// Azure Container Apps.
pub fn container_app(context: &Context<'_>, linked: &mut Linked, resource: &Resource<'_>) {
    if resource.at(&["ingress"]).is_some() && !resource.flag(&["ingress", "allow_insecure_connections"]).is_true() {
        add(context, linked, resource, Https { by: "platform".into() });
    }
    let max = resource.number(&["template", "max_replicas"]);
    if max.is_set() {
        add(
            context,
            linked,
            resource,
            Autoscaler {
                min: resource.number(&["template", "min_replicas"]),
                max,
                by: "cloud".into(),
                ..Autoscaler::default()
            },
        );
    }
}

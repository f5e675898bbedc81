//! nginx configurations and Caddyfiles in front of a service.

use super::Deployment;
use crate::facts::vocabulary::{Https, Ingress, RateLimit, ResponseHeader};
use crate::facts::{Attr, Confidence, Data};
use crate::parse::Syntax;
use crate::parse::nginx::Directive;
use crate::scan::source::{FileId, Span};

/// Adds the facts of all proxy configurations.
pub fn emit(deployment: &mut Deployment<'_, '_>) {
    let repository = deployment.context.repository;
    let of_pipeline =
        |path: &str| path.starts_with(".circleci/") || path.starts_with(".github/") || path.starts_with(".gitlab/");
    for (file, parsed) in repository.files().filter(|(file, _)| !of_pipeline(&file.path)) {
        match &parsed.syntax {
            Syntax::Nginx(block) => nginx(deployment, file.id, block),
            Syntax::Caddy(block) => caddy(deployment, file.id, block),
            _ => {}
        }
    }
}

fn add(deployment: &mut Deployment<'_, '_>, file: FileId, data: impl Into<Data>, span: Span) {
    let mut fact = deployment.context.fact(data, file, span);
    if fact.services.is_empty() {
        // A proxy stands in front of what its upstreams name, which is seldom a crate's name.
        fact.services = deployment.owners.all();
        if fact.services.len() > 1 {
            fact.confidence = Confidence::Medium;
        }
    }
    deployment.add(fact);
}

/// All directives below some, outermost first; the reader bounds their depth.
fn walk<'d>(block: &'d [Directive], visit: &mut dyn FnMut(&'d Directive)) {
    for directive in block {
        visit(directive);
        walk(&directive.block, visit);
    }
}

fn nginx(deployment: &mut Deployment<'_, '_>, file: FileId, root: &[Directive]) {
    let mut all = Vec::new();
    walk(root, &mut |directive| all.push(directive));
    let forwards = |directive: &&Directive| {
        matches!(directive.name.as_str(), "proxy_pass" | "uwsgi_pass" | "fastcgi_pass" | "grpc_pass")
    };
    if !all.iter().any(forwards) {
        return;
    }
    let servers: Vec<&&Directive> =
        all.iter().filter(|directive| directive.name == "server" && directive.opens).collect();
    for server in servers {
        nginx_server(deployment, file, server);
    }
    for directive in all {
        match directive.name.as_str() {
            "limit_req" => limit(deployment, file, "nginx", directive.span),
            "add_header" => {
                let name = directive.argument(0).unwrap_or("");
                header(deployment, file, name, directive.argument(1), "nginx", directive.span);
            }
            _ => {}
        }
    }
}

fn nginx_server(deployment: &mut Deployment<'_, '_>, file: FileId, server: &Directive) {
    let listens: Vec<&Directive> = server.children("listen").collect();
    let secure =
        |listen: &&&Directive| listen.arguments.iter().any(|argument| matches!(argument.text.as_str(), "ssl" | "quic"));
    let tls = listens.iter().find(secure).map(|listen| listen.span);
    let old = server.children("ssl").find(|ssl| ssl.argument(0) == Some("on")).map(|ssl| ssl.span);
    let tls = tls.or(old);
    let mut redirect = None;
    walk(&server.block, &mut |directive| {
        let to_https = directive.arguments.iter().any(|argument| argument.text.starts_with("https://"));
        if matches!(directive.name.as_str(), "return" | "rewrite") && to_https {
            redirect = Some(directive.span);
        }
    });
    let data = Ingress {
        by: "nginx".into(),
        tls: Attr::Known(tls.is_some()),
        redirects: Attr::Known(redirect.is_some()),
        weak_tls: Attr::Known(weak_tls(server)),
        ..Ingress::default()
    };
    add(deployment, file, data, server.name_span);
    if let Some(span) = tls.or(redirect) {
        add(deployment, file, Https { by: "proxy".into() }, span);
    }
}

fn weak_tls(server: &Directive) -> bool {
    let weak = |text: &str| matches!(text, "SSLv2" | "SSLv3" | "TLSv1" | "TLSv1.1");
    server.children("ssl_protocols").flat_map(|line| &line.arguments).any(|argument| weak(&argument.text))
}

fn limit(deployment: &mut Deployment<'_, '_>, file: FileId, by: &str, span: Span) {
    let data = RateLimit { library: by.into(), by: by.into(), covers: "all".into() };
    add(deployment, file, data, span);
}

fn header(deployment: &mut Deployment<'_, '_>, file: FileId, name: &str, value: Option<&str>, by: &str, span: Span) {
    let name = name.to_ascii_lowercase();
    if name == "strict-transport-security" {
        add(deployment, file, Https { by: "hsts".into() }, span);
    }
    let data = ResponseHeader {
        name: name.into(),
        value: value.map(str::to_string).into(),
        by: by.into(),
        covers: "all".into(),
    };
    add(deployment, file, data, span);
}

/// A site on a name gets a certificate and a redirect by itself; `http://`, `:80` and local names do not.
fn has_certificate(address: &str) -> bool {
    let bare = address.trim_end_matches(',');
    let plain = bare.starts_with("http://") || bare.starts_with(':') || bare.ends_with(":80") || bare.is_empty();
    let local = ["localhost", "127.0.0.1", "0.0.0.0", "(", "@", "import"].iter().any(|start| bare.starts_with(start));
    let variable_default_plain = bare.contains(":http://") || bare.contains(":localhost") || bare.contains("::80");
    !plain && !local && !variable_default_plain && bare.contains(['.', '{'])
}

fn caddy(deployment: &mut Deployment<'_, '_>, file: FileId, root: &[Directive]) {
    for site in root.iter().filter(|site| site.opens && !site.name.is_empty()) {
        let mut all = Vec::new();
        walk(&site.block, &mut |directive| all.push(directive));
        if !all.iter().any(|directive| directive.name == "reverse_proxy") {
            continue;
        }
        let addresses =
            std::iter::once(site.name.as_str()).chain(site.arguments.iter().map(|argument| argument.text.as_str()));
        let tls = addresses.into_iter().any(has_certificate) || all.iter().any(|directive| directive.name == "tls");
        let data =
            Ingress { by: "caddy".into(), tls: Attr::Known(tls), redirects: Attr::Known(tls), ..Ingress::default() };
        add(deployment, file, data, site.name_span);
        if tls {
            add(deployment, file, Https { by: "proxy".into() }, site.name_span);
        }
        for directive in all {
            caddy_directive(deployment, file, directive);
        }
    }
}

fn caddy_directive(deployment: &mut Deployment<'_, '_>, file: FileId, directive: &Directive) {
    match directive.name.as_str() {
        "rate_limit" => limit(deployment, file, "caddy", directive.span),
        "header" if directive.opens => {
            for line in directive.block.iter().filter(|line| !line.name.starts_with('-')) {
                header(
                    deployment,
                    file,
                    line.name.trim_start_matches(['+', '?']),
                    line.argument(0),
                    "caddy",
                    line.span,
                );
            }
        }
        "header" => {
            let words: Vec<&str> = directive.arguments.iter().map(|argument| argument.text.as_str()).collect();
            let skip = usize::from(words.first().is_some_and(|word| word.starts_with(['/', '*', '@'])));
            if let Some(name) = words.get(skip).filter(|name| !name.starts_with('-')) {
                header(deployment, file, name, words.get(skip + 1).copied(), "caddy", directive.span);
            }
        }
        _ => {}
    }
}

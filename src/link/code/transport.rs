//! How connections to the database are secured: what code chooses and what addresses say.

use super::found::Stand;
use crate::facts::Confidence;
use crate::facts::vocabulary::DatabaseTransport;
use crate::link::names::FunctionInfo;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Block, Expr, ExprKind, Literal};
use crate::parse::rust::walk;
use crate::scan::source::{Role, Span};

/// Crates that bring TLS to a client of Postgres that has none of its own.
const CONNECTORS: &[&str] = &[
    "postgres-native-tls",
    "postgres-openssl",
    "tokio-postgres-rustls",
    "tokio-postgres-native-tls",
    "postgres-rustls",
    "tokio-postgres-generic-rustls",
];

/// Names of modes by the last two segments of their paths.
const MODES: &[(&str, &str, &str)] = &[
    ("PgSslMode", "Disable", "none"),
    ("PgSslMode", "Allow", "optional"),
    ("PgSslMode", "Prefer", "optional"),
    ("PgSslMode", "Require", "required"),
    ("PgSslMode", "VerifyCa", "required"),
    ("PgSslMode", "VerifyFull", "required"),
    ("MySqlSslMode", "Disabled", "none"),
    ("MySqlSslMode", "Preferred", "optional"),
    ("MySqlSslMode", "Required", "required"),
    ("MySqlSslMode", "VerifyCa", "required"),
    ("MySqlSslMode", "VerifyIdentity", "required"),
    ("MakeTlsConnector", "new", "required"),
    ("MakeRustlsConnect", "new", "required"),
];

/// Adds what the services' code says.
pub fn look(context: &Context<'_>, linked: &mut Linked) {
    for info in context.names.functions().iter().filter(|info| Stand::of(info).role == Role::Service) {
        let Some(body) = &info.function.body else { continue };
        let mut choices: Vec<(&'static str, String, &Expr)> = Vec::new();
        walk::expressions(body, &mut |expr| {
            if let Some((tls, how)) = choice(context, info, expr) {
                choices.push((tls, how, expr));
            }
        });
        // Several modes in one function, and those of a branch, are chosen from at run time, by what is configured.
        let several = choices.iter().any(|(tls, ..)| *tls != choices[0].0);
        let branches = branches(body);
        for (tls, how, expr) in choices {
            let chosen = several || branches.iter().any(|branch| branch.holds(expr.span));
            let tls = if chosen && tls == "none" { "optional" } else { tls };
            let data = DatabaseTransport { tls: tls.into(), how: how.into() };
            linked.facts.add(context.fact(data, info.file, expr.span).confidence(Confidence::High));
        }
    }
}

/// Branches and arms of a body.
fn branches(body: &Block) -> Vec<Span> {
    let mut found = Vec::new();
    walk::expressions(body, &mut |expr| match &*expr.kind {
        ExprKind::If { then, otherwise, .. } => {
            found.push(then.span);
            found.extend(otherwise.as_ref().map(|otherwise| otherwise.span));
        }
        ExprKind::Match { arms, .. } => found.extend(arms.iter().map(|arm| arm.body.span)),
        _ => {}
    });
    found
}

fn choice(context: &Context<'_>, info: &FunctionInfo<'_>, expr: &Expr) -> Option<(&'static str, String)> {
    match &*expr.kind {
        ExprKind::Path(path) if path.last() == "NoTls" => {
            let resolved = context.names.resolve(info.module, &path.segments);
            let of_client = resolved.contains("postgres");
            let file = &context.repository.tree.file(info.file).path;
            let package = context.workspace.package_of(file)?;
            let other = package.dependencies.iter().any(|dependency| CONNECTORS.contains(&&*dependency.package));
            of_client.then(|| (if other { "optional" } else { "none" }, "NoTls".to_string()))
        }
        ExprKind::Path(path) => {
            let [.., ty, name] = path.segments.as_slice() else { return None };
            let (.., tls) = MODES.iter().find(|(of, known, _)| of == ty && known == name)?;
            Some((tls, format!("{ty}::{name}")))
        }
        ExprKind::Literal(Literal::Text(text)) => {
            let database = ["postgres://", "postgresql://", "mysql://"].iter().any(|scheme| text.starts_with(scheme));
            let word = ["sslmode=", "ssl-mode="].iter().find_map(|key| {
                let after = &text[text.find(key)? + key.len()..];
                Some(after.split(['&', ' ']).next().unwrap_or(""))
            })?;
            let tls = match word.to_ascii_lowercase().as_str() {
                "disable" | "disabled" => "none",
                "allow" | "prefer" | "preferred" => "optional",
                _ => "required",
            };
            let local = ["@localhost", "@127.0.0.1", "@[::1]", "@/"].iter().any(|host| text.contains(host));
            (database && !local).then(|| (tls, format!("sslmode={word}")))
        }
        _ => None,
    }
}

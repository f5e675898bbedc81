//! Authentication written by hand: secrets compared with `==`, passwords under a fast hash.

use super::found::Stand;
use crate::facts::vocabulary::{PasswordHash, SecretComparison};
use crate::facts::{Attr, Confidence};
use crate::link::names::FunctionInfo;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Expr, ExprKind, Literal, Parameter, Pattern, PatternKind, Statement};
use crate::parse::rust::walk;
use crate::scan::source::{Role, Span};

/// Names of secrets, by their last words.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "password_hash",
    "hashed_password",
    "secret",
    "secret_key",
    "client_secret",
    "api_key",
    "apikey",
    "api_token",
    "auth_token",
    "access_token",
    "refresh_token",
    "bearer_token",
    "admin_token",
    "authorization_token",
    "expected_token",
    "provided_token",
    "signature",
    "hmac",
];

/// Words of a second field that repeats the first, or of a comparison that is no check of a caller.
const REPEATS: &[&str] = &[
    "confirm",
    "previous",
    "current",
    "default",
    "confirmation",
    "repeat",
    "again",
    "verify",
    "check",
    "new",
    "old",
    "retype",
    "csrf",
    "state",
];

/// Methods that give the same secret in another form.
const SAME: &[&str] = &[
    "as_bytes",
    "as_str",
    "as_ref",
    "as_deref",
    "to_string",
    "to_bytes",
    "expose_secret",
    "secret",
    "clone",
    "trim",
    "unwrap",
    "unsecure",
    "to_vec",
    "as_slice",
    "to_owned",
    "into_inner",
    "inner",
];

/// Fast hashes, by the crate and type of their functions.
const FAST: &[(&str, &str)] = &[
    ("md5", "md5"),
    ("md5::Md5", "md5"),
    ("md_5", "md5"),
    ("sha1", "sha1"),
    ("sha_1", "sha1"),
    ("sha256", "sha256"),
    ("sha2::Sha256", "sha256"),
    ("sha2::Sha512", "sha512"),
    ("sha2::Sha224", "sha224"),
    ("sha2::Sha384", "sha384"),
    ("sha3", "sha3"),
    ("blake3", "blake3"),
    ("openssl::sha", "sha256"),
    ("ring::digest", "sha256"),
];

/// Slow hashes: what comes before them may be fast.
const SLOW: &[&str] =
    &["argon2", "bcrypt", "scrypt", "pbkdf2", "ring::pbkdf2", "rust_argon2", "password_auth", "password_hash"];

/// Adds what service functions do by hand.
pub fn look(context: &Context<'_>, linked: &mut Linked) {
    for info in context.names.functions().iter().filter(|info| Stand::of(info).role == Role::Service) {
        comparisons(context, info, linked);
        fast_hash(context, info, linked);
    }
}

fn comparisons(context: &Context<'_>, info: &FunctionInfo<'_>, linked: &mut Linked) {
    // `eq` compares whatever the type holds.
    let Some(body) = info.function.body.as_ref().filter(|_| info.item.name != "eq" && info.item.name != "ne") else {
        return;
    };
    let mut found: Vec<(Span, &str)> = Vec::new();
    let mut refusing: Vec<Span> = Vec::new();
    walk::expressions(body, &mut |expr| match &*expr.kind {
        ExprKind::Match { on, arms } => {
            let guarded = arms.iter().filter_map(|arm| Some((arm, arm.guard.as_ref()?)));
            for (arm, guard) in guarded {
                if admits(&arm.body) && of_credentials(on) && compares_bound(&arm.pattern, guard) {
                    found.push((guard.span, "authorization"));
                }
                if refuses(context.repository.tree.file(info.file).slice(arm.body.span)) {
                    refusing.push(guard.span);
                }
            }
        }
        ExprKind::Binary { operator, left, right } if operator == "==" || operator == "!=" => {
            found.extend(compared(left, right).map(|name| (expr.span, name)));
        }
        _ => {}
    });
    // Who gives this very secret is refused: nobody comes in by the comparison.
    found.retain(|(span, _)| !refusing.iter().any(|guard| guard.holds(*span)));
    for (span, name) in found {
        let data = SecretComparison { name: name.into() };
        linked.facts.add(context.fact(data, info.file, span).confidence(Confidence::Medium));
    }
}

/// An arm that lets a caller through: `Ok(())`, `true`, `Some(user)`.
fn admits(body: &Expr) -> bool {
    match &*body.kind {
        ExprKind::Literal(Literal::Flag(flag)) => *flag,
        ExprKind::Call { function, .. } => {
            matches!(&*function.kind, ExprKind::Path(path) if matches!(path.last(), "Ok" | "Some"))
        }
        ExprKind::Block(block) => match block.statements.last() {
            Some(Statement::Expr { value, .. }) => admits(value),
            _ => false,
        },
        ExprKind::Await(inner) | ExprKind::Try(inner) => admits(inner),
        ExprKind::MethodCall { method, .. } => matches!(method.as_str(), "run" | "call"),
        _ => false,
    }
}

/// The text of an arm that turns a caller away.
fn refuses(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.trim() == "false" || ["unauthorized", "forbidden", "err("].iter().any(|word| lower.contains(word))
}

/// `headers.get(AUTHORIZATION)`: the header by which a caller says who it is.
fn of_credentials(on: &Expr) -> bool {
    const HEADERS: &[&str] = &["authorization", "proxy_authorization", "x_api_key"];
    match &*on.kind {
        ExprKind::MethodCall { method, arguments, .. } if method == "get" => arguments.first().is_some_and(|name| {
            let name = match &*name.kind {
                ExprKind::Path(path) => path.last().to_ascii_lowercase(),
                ExprKind::Literal(Literal::Text(text)) => text.to_ascii_lowercase().replace('-', "_"),
                _ => String::new(),
            };
            HEADERS.contains(&name.as_str())
        }),
        ExprKind::MethodCall { receiver, .. } => of_credentials(receiver),
        _ => false,
    }
}

/// `Some(actual) if actual == self.expected`: all of the header against a value that is kept.
fn compares_bound(pattern: &Pattern, guard: &Expr) -> bool {
    let PatternKind::TupleStruct(_, parts) = &pattern.kind else { return false };
    let Some(PatternKind::Name(bound)) = parts.first().map(|part| &part.kind) else { return false };
    let ExprKind::Binary { operator, left, right } = &*guard.kind else { return false };
    let is_bound = |side: &Expr| matches!(&*side.kind, ExprKind::Path(path) if path.is(bound));
    let is_kept = |side: &Expr| owner_of(side).is_some();
    operator == "==" && (is_bound(left) && is_kept(right) || is_bound(right) && is_kept(left))
}

/// The name of the secret that two expressions compare.
fn compared<'a>(left: &'a Expr, right: &'a Expr) -> Option<&'a str> {
    // Two fields of one object: a password and its repetition, two settings that must differ.
    if owner_of(left).is_some_and(|owner| owner_of(right) == Some(owner)) {
        return None;
    }
    let (left, right) = match (name_of(left), name_of(right)) {
        (Some(left), Some(right)) => (left, right),
        (Some(name), None) => return given(name, getter(right)?),
        (None, Some(name)) => return given(name, getter(left)?),
        (None, None) => return None,
    };
    if repeats(left) || repeats(right) {
        return None;
    }
    [left, right].into_iter().find(|name| is_secret(name))
}

/// The local whose field an expression is.
fn owner_of(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Field { base, .. } => match &*base.kind {
            ExprKind::Path(path) => Some(path.last()),
            _ => owner_of(base),
        },
        ExprKind::MethodCall { receiver, method, .. } if SAME.contains(&method.as_str()) => owner_of(receiver),
        ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, .. } => owner_of(inner),
        _ => None,
    }
}

/// A setting that is compared with what a caller's credentials give: `credentials.token() == settings.admin_token`.
fn given<'a>(name: &'a str, getter: &str) -> Option<&'a str> {
    const GIVEN: &[&str] = &["token", "password", "secret", "api_key", "key"];
    let checks = GIVEN.contains(&getter) && !repeats(name) && !matches!(name, "signature" | "hmac");
    (checks && is_secret(name)).then_some(name)
}

fn repeats(name: &str) -> bool {
    name.split('_').any(|word| REPEATS.contains(&word))
}

/// The name of a method without arguments.
fn getter(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::MethodCall { receiver, method, arguments, .. } if arguments.is_empty() => {
            if SAME.contains(&method.as_str()) { getter(receiver) } else { Some(method) }
        }
        ExprKind::Reference(inner) | ExprKind::Unary { operand: inner, .. } => getter(inner),
        _ => None,
    }
}

fn is_secret(name: &str) -> bool {
    SECRETS.iter().any(|secret| name == *secret || name.strip_suffix(secret).is_some_and(|rest| rest.ends_with('_')))
}

/// The last name of a value; `None` for literals, constants and variants, which are compared with kinds of things.
fn name_of(expr: &Expr) -> Option<&str> {
    match &*expr.kind {
        ExprKind::Path(path) => Some(path.last()).filter(|name| name.starts_with(char::is_lowercase)),
        ExprKind::Field { name, .. } => Some(name),
        ExprKind::MethodCall { receiver, method, .. } if SAME.contains(&method.as_str()) => name_of(receiver),
        ExprKind::Call { function, arguments } => match (&*function.kind, arguments.as_slice()) {
            (ExprKind::Path(path), [only]) if path.is("Some") => name_of(only),
            (ExprKind::Path(path), _) => Some(path.last()),
            _ => None,
        },
        ExprKind::Reference(inner) | ExprKind::Try(inner) | ExprKind::Await(inner) => name_of(inner),
        ExprKind::Unary { operand, .. } => name_of(operand),
        ExprKind::Index { base, .. } => name_of(base),
        ExprKind::Literal(Literal::Text(_)) => None,
        _ => None,
    }
}

/// A fast hash in a function about passwords.
fn fast_hash(context: &Context<'_>, info: &FunctionInfo<'_>, linked: &mut Linked) {
    let about = is_password(&info.item.name) || info.function.parameters.iter().any(names_password);
    if !about || ["pwned", "breach", "hibp"].iter().any(|word| info.item.name.contains(word)) {
        return;
    }
    let calls = context.names.outside_calls(info.id);
    if calls.iter().any(|call| SLOW.iter().any(|slow| call.path.starts_with(slow))) {
        return;
    }
    for call in calls {
        let within = |path: &str| call.path.strip_prefix(path).is_some_and(|rest| rest.starts_with("::"));
        if let Some((library, algorithm)) = FAST.iter().find(|(path, _)| within(path)) {
            let data = PasswordHash {
                algorithm: (*algorithm).into(),
                library: Attr::Known(library.split("::").next().unwrap_or(library).to_string()),
            };
            linked.facts.add(context.fact(data, info.file, call.span).confidence(Confidence::Medium));
            return;
        }
    }
}

fn names_password(parameter: &Parameter) -> bool {
    matches!(&parameter.pattern.kind, PatternKind::Name(name) if is_password(name))
}

fn is_password(name: &str) -> bool {
    name.split('_').any(|word| matches!(word, "password" | "passwd" | "pwd" | "passphrase"))
}

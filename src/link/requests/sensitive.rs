//! Which names and types hold what must not be logged.

use super::body::{bare, called_path, macro_name};
use crate::link::names::{ItemInfo, Names, Scope, Ty};
use crate::parse::rust::ast::{Attribute, Expr, ExprKind, Field, ItemKind, TokenKind};

/// Kinds of what is sensitive, worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Secret,
    Request,
    Configuration,
    Personal,
}

impl Kind {
    /// Its word in the vocabulary.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Secret => "secret",
            Kind::Request => "request",
            Kind::Configuration => "configuration",
            Kind::Personal => "personal",
        }
    }
}

/// Words that make a name secret: the last words of it, split at `_`.
const SECRET: &[&[&str]] = &[
    &["password"],
    &["passwd"],
    &["pwd"],
    &["passphrase"],
    &["secret"],
    &["credential"],
    &["credentials"],
    &["authorization"],
    &["api", "key"],
    &["apikey"],
    &["private", "key"],
    &["signing", "key"],
    &["secret", "key"],
    &["access", "key"],
    &["encryption", "key"],
    &["master", "key"],
    &["sym", "key"],
    &["symmetric", "key"],
    &["auth", "key"],
    &["token"],
    &["jwt"],
    &["bearer"],
    &["cookie"],
    &["otp"],
    &["totp"],
    &["password", "hash"],
    &["database", "url"],
    &["db", "url"],
    &["redis", "url"],
    &["dsn"],
    &["connection", "string"],
    &["auth", "header"],
    &["password", "hint"],
    &["session", "key"],
    &["client", "secret"],
    &["cvv"],
    &["card", "number"],
];

/// The same for personal data.
const PERSONAL: &[&[&str]] = &[
    &["email"],
    &["mail", "address"],
    &["email", "address"],
    &["e", "mail"],
    &["phone"],
    &["phone", "number"],
    &["ssn"],
    &["iban"],
    &["date", "of", "birth"],
    &["birthday"],
    &["passport", "number"],
];

/// Words before or in a name that say that it is none, or no longer.
const HARMLESS: &[&str] = &[
    "masked",
    "redacted",
    "filtered",
    "hashed",
    "obfuscated",
    "sanitized",
    "anonymized",
    "scrubbed",
    "has",
    "is",
    "no",
    "num",
    "count",
    "max",
    "min",
    "total",
    "missing",
    "invalid",
    "next",
    "page",
    "continuation",
    "sync",
    "cancellation",
    "cancel",
    "csrf",
    "type",
    "encrypted",
    "dummy",
    "unused",
    "prev",
    "stop",
    "fencing",
    "shutdown",
    "public",
];

/// What a name holds, by its words.
pub(super) fn of_name(name: &str) -> Option<Kind> {
    let words = words(name);
    if words.iter().any(|word| HARMLESS.contains(&word.as_str())) {
        return None;
    }
    let ends = |known: &&[&str]| {
        words.len() >= known.len() && words[words.len() - known.len()..].iter().zip(known.iter()).all(|(a, b)| a == b)
    };
    if SECRET.iter().any(&ends) {
        Some(Kind::Secret)
    } else if PERSONAL.iter().any(ends) {
        Some(Kind::Personal)
    } else {
        None
    }
}

/// `accessToken`, `access_token` and `user.email` in lower-case words; of a dotted name only the last part.
fn words(name: &str) -> Vec<String> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut words = vec![String::new()];
    let mut lower = false;
    for letter in last.chars() {
        if matches!(letter, '_' | '-') || letter.is_uppercase() && lower {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        lower = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Types that hide what they hold when they are formatted.
const HIDING: &[&str] = &[
    "Secret",
    "SecretString",
    "SecretBox",
    "SecretVec",
    "SensitiveString",
    "Sensitive",
    "Redacted",
    "Hidden",
    "Protected",
    "Masked",
    "Zeroizing",
    "SensitiveUrl",
    "bool",
    "usize",
    "u32",
    "u64",
    "i32",
    "i64",
    "Uuid",
    "StatusCode",
    "Duration",
    "Instant",
];

/// What a value that is formatted holds: its name with the kind. `debug`: by Debug, so a struct shows its fields.
pub(super) fn of_value(names: &Names<'_>, scope: &Scope<'_, '_>, expr: &Expr, debug: bool) -> Option<(String, Kind)> {
    let inner = bare(expr);
    if let Some((call, name)) = macro_name(inner) {
        let first = call.arguments.iter().skip(1).find_map(|argument| of_value(names, scope, &argument.value, debug));
        return if name == "format" { first } else { None };
    }
    let name = value_name(inner)?;
    let ty = scope.type_of(inner);
    let exposed = matches!(&*expr.kind, ExprKind::MethodCall { method, .. } if method.starts_with("expose"));
    if !exposed && ty.as_ref().is_some_and(|ty| hides(names, ty)) {
        return None;
    }
    if let Some(kind) = of_name(&name) {
        return Some((name, kind));
    }
    if debug && is_request_headers(scope, inner) {
        return Some((name, Kind::Request));
    }
    if debug { of_debug(names, &name, ty.as_ref()) } else { None }
}

/// All headers of a request, `Authorization` and `Cookie` among them: `request.headers()`, `parts.headers`.
fn is_request_headers(scope: &Scope<'_, '_>, expr: &Expr) -> bool {
    const REQUESTS: &[&str] = &["Request", "HttpRequest", "ServiceRequest", "RequestParts", "RequestHead", "Parts"];
    let of = match &*expr.kind {
        ExprKind::MethodCall { receiver, method, arguments, .. } if method == "headers" && arguments.is_empty() => {
            receiver
        }
        ExprKind::Field { base, name } if name == "headers" => base,
        _ => return false,
    };
    // The parts of a response have the same name.
    let parts = |ty: &Ty| ty.last() == "Parts" && !ty.path.contains("request");
    scope.type_of(bare(of)).is_some_and(|ty| REQUESTS.contains(&ty.last()) && !parts(&ty))
}

/// The name of a local, field or getter.
fn value_name(expr: &Expr) -> Option<String> {
    match &*expr.kind {
        ExprKind::Path(path) => Some(path.last().to_string()),
        ExprKind::Field { base, name } if name.starts_with(|first: char| first.is_ascii_digit()) => {
            value_name(bare(base))
        }
        ExprKind::Field { name, .. } => Some(name.clone()),
        ExprKind::MethodCall { receiver, method, arguments, .. } => getter_name(receiver, method, arguments),
        ExprKind::Call { arguments, .. } if arguments.len() == 1 => {
            let path = called_path(expr)?;
            matches!(path.last(), "Some" | "debug" | "display").then(|| value_name(bare(&arguments[0])))?
        }
        _ => None,
    }
}

fn getter_name(receiver: &Expr, method: &str, arguments: &[Expr]) -> Option<String> {
    match arguments {
        [] if matches!(method, "headers" | "len" | "is_some" | "is_none" | "is_empty" | "is_ok" | "is_err") => {
            (method == "headers").then(|| method.to_string())
        }
        [] => Some(method.to_string()),
        // `headers.get("authorization")`, `headers.get(AUTHORIZATION)`.
        [key] if method == "get" => {
            let name = match super::body::literal(key) {
                Some(text) => text.to_string(),
                None => called_path(key)?.last().to_string(),
            };
            let headers =
                value_name(bare(receiver)).is_some_and(|name| name.contains("header") || name.contains("cookies"));
            headers.then_some(name)
        }
        _ => None,
    }
}

/// A whole value by Debug: headers, a request, or a struct of the tree whose derived Debug shows sensitive fields.
fn of_debug(names: &Names<'_>, name: &str, ty: Option<&Ty>) -> Option<(String, Kind)> {
    let ty = ty.filter(|_| !words(name).iter().any(|word| HARMLESS.contains(&word.as_str())))?;
    let mut inner = ty;
    while let Some(held) = inner.held().or_else(|| option_argument(inner)) {
        inner = held;
    }
    if inner.last() == "HeaderMap" {
        return Some((name.to_string(), Kind::Request));
    }
    let (field, kind) = sensitive_field(names, inner, 0)?;
    let words = words(inner.last());
    let configuration = words
        .iter()
        .any(|word| matches!(word.as_str(), "config" | "configuration" | "settings" | "options" | "args" | "opt"));
    let kind = if configuration && kind == Kind::Secret { Kind::Configuration } else { kind };
    Some((format!("{name}.{field}"), kind))
}

fn option_argument(ty: &Ty) -> Option<&Ty> {
    if matches!(ty.last(), "Option" | "Vec" | "Result") { ty.arguments.first() } else { None }
}

/// The first sensitive field that a derived Debug of a type of the tree shows, through the types of its fields.
pub(super) fn sensitive_field(names: &Names<'_>, ty: &Ty, depth: u32) -> Option<(String, Kind)> {
    let info = names.item_at(&ty.path).filter(|_| depth < 3)?;
    let ItemKind::Struct(fields) = &info.item.kind else { return None };
    if !derives_debug(info) {
        return None;
    }
    let mut found: Vec<(String, Kind)> =
        fields.iter().filter_map(|field| shown_field(names, info, field, depth)).collect();
    found.sort_by_key(|(_, kind)| *kind);
    found.into_iter().next()
}

fn shown_field(names: &Names<'_>, info: &ItemInfo<'_>, field: &Field, depth: u32) -> Option<(String, Kind)> {
    let ty = names.type_at(info.module, Some(&info.path), &field.ty);
    if is_skipped(field) || hides(names, &ty) {
        return None;
    }
    if let Some(kind) = of_name(&field.name) {
        return Some((field.name.clone(), kind));
    }
    let mut inner = &ty;
    while let Some(held) = inner.held().or_else(|| option_argument(inner)) {
        inner = held;
    }
    let (name, kind) = sensitive_field(names, inner, depth + 1)?;
    Some((format!("{}.{name}", field.name), kind))
}

/// Whether an attribute leaves a field out of Debug.
pub(super) fn is_skipped(field: &Field) -> bool {
    field.attributes.iter().any(|attribute| {
        matches!(attribute.path.last(), "debug" | "derivative" | "educe" | "debug_stub") && !attribute.tokens.is_empty()
    })
}

/// A type that shows nothing of what it holds, or that holds no text.
pub(super) fn hides(names: &Names<'_>, ty: &Ty) -> bool {
    let mut inner = ty;
    while let Some(held) = inner.held().or_else(|| option_argument(inner)) {
        inner = held;
    }
    let last = inner.last();
    let says = ["Secret", "Sensitive", "Redact", "Mask", "SecUtf8", "SecStr", "SecVec", "Encrypted"];
    if HIDING.contains(&last) || names.item_at(&inner.path).is_none() && says.iter().any(|word| last.contains(word)) {
        return true;
    }
    // A struct of the tree with a Debug or Display of its own, or none.
    names.item_at(&inner.path).is_some_and(|info| matches!(info.item.kind, ItemKind::Struct(_)) && !derives_debug(info))
}

/// Whether Debug is derived, so that it shows every field.
pub(super) fn derives_debug(info: &ItemInfo<'_>) -> bool {
    info.item.attributes.iter().any(|attribute| attribute.path.is("derive") && names_in(attribute, "Debug"))
}

/// Whether an identifier stands in an attribute.
pub(super) fn names_in(attribute: &Attribute, name: &str) -> bool {
    attribute.tokens.iter().any(|token| matches!(&token.kind, TokenKind::Ident(word) if word == name))
}

#[cfg(test)]
mod tests {
    use super::{Kind, of_name};

    #[test]
    fn names_tell_what_they_hold() {
        for name in
            ["password", "user.password", "accessToken", "api_key", "DATABASE_URL", "auth_header", "password_hash"]
        {
            assert_eq!(of_name(name), Some(Kind::Secret), "{name}");
        }
        for name in ["email", "user_email", "subscriber_email", "phone_number"] {
            assert_eq!(of_name(name), Some(Kind::Personal), "{name}");
        }
        for name in [
            "token_id",
            "masked_email",
            "token_count",
            "has_password",
            "page_token",
            "key",
            "secret_name",
            "email_id",
            "tokens",
        ] {
            assert_eq!(of_name(name), None, "{name}");
        }
    }
}

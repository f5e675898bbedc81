//! Cookies that hold sessions, and tokens that expire.

use super::found::Found;
use super::scope::type_name;
use crate::facts::{Attr, Confidence, FactKind, Value};
use crate::link::Context;
use crate::link::catalog::Subject;
use crate::parse::rust::ast::{Expr, ExprKind, Field, ItemKind, Literal, PatternKind, Type};

/// Words of the names of cookies that hold a session or token.
const SESSION_WORDS: &[&str] =
    &["session", "sess", "sid", "uid", "token", "jwt", "auth", "login", "refresh", "access", "admin", "id", "user"];

/// Names of the claim that a token expires by.
const EXPIRY: &[&str] = &["exp", "expires_at", "expiry", "expiration", "expires"];

/// Completes the facts about cookies and tokens.
pub fn complete(context: &Context<'_>, found: &mut [Found<'_>]) {
    let verified = found.iter().any(|found| {
        found.kind() == FactKind::Token && found.data.get("verified") == Some(Attr::Known(Value::Flag(true)))
    });
    for found in found.iter_mut() {
        match found.kind() {
            FactKind::Cookie => {
                found.absorbed |= stays_inside(context, found);
                holds_session(context, found);
                dressed_beside(context, found);
                secure_where_served(found);
            }
            FactKind::Authentication if found.entry.subject == Subject::Method && found.is_set("by_cookie") => {
                found.absorbed |= !found.arguments.first().is_some_and(|name| reads_session(name));
            }
            FactKind::Token => token(context, found, verified),
            _ => {}
        }
    }
}

/// A cookie that is put into a jar which its function makes and keeps, to sign or to check a text, is sent to nobody.
fn stays_inside(context: &Context<'_>, found: &Found<'_>) -> bool {
    let Some(info) = found.stand.function.map(|function| context.names.function(function)) else { return false };
    let text = context.repository.tree.file(info.file).slice(info.item.span);
    let answers = info.function.returns.as_ref().is_none_or(|ty| {
        ["Cookie", "Jar", "Response", "impl ", "Redirect", "Header"].iter().any(|word| ty.text.contains(word))
    });
    let given = info
        .function
        .parameters
        .iter()
        .filter_map(|parameter| parameter.ty.as_ref())
        .any(|ty| ["Jar", "Cookies", "Response", "Request"].iter().any(|word| ty.text.contains(word)));
    text.contains("CookieJar::new()") && !answers && !given
}

fn holds_session(context: &Context<'_>, found: &mut Found<'_>) {
    if found.is_set("session") {
        return;
    }
    let source = context.repository.tree.file(found.stand.file);
    let path = source.path.to_lowercase();
    let session = match found.data.get("name") {
        Some(Attr::Known(Value::Text(name))) => names_session(&name),
        // A name in a constant of another crate: the file tells.
        _ => names_session(&path) || names_session_cookie(&source.text) || keeps_secrets(&source.text),
    };
    found.data.set("session", Attr::Known(Value::Flag(session)));
}

/// Whether a file names a session's cookie: `SESSION_COOKIE_NAME`.
fn names_session_cookie(text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words
        .map(str::to_lowercase)
        .any(|word| word.contains("cookie") && (word.contains("session") || word.contains("auth")))
}

/// Whether a file keeps cookies in a jar that encrypts or signs them: who needs that, knows callers by them.
fn keeps_secrets(text: &str) -> bool {
    ["PrivateCookieJar", "SignedCookieJar", "PrivateCookies", "SignedCookies", "add_private("]
        .iter()
        .any(|jar| text.contains(jar))
}

/// A cookie whose name is not told here may get its attributes from a function beside it that all cookies go through:
/// `fn apply(&self, mut cookie: Cookie) { cookie.set_http_only(true); .. }`.
fn dressed_beside(context: &Context<'_>, found: &mut Found<'_>) {
    if matches!(found.data.get("name"), Some(Attr::Known(_))) || !found.is_set("session") {
        return;
    }
    let text = &context.repository.tree.file(found.stand.file).text;
    let mut dressed = false;
    for (attribute, setter) in [("secure", ".set_secure("), ("http_only", ".set_http_only(")] {
        let plain = found.data.get(attribute) == Some(Attr::Known(Value::Flag(false)));
        if plain && text.contains(setter) && !text.contains(&format!("{setter}false")) {
            found.data.set(attribute, Attr::Known(Value::Flag(true)));
            dressed = true;
        }
    }
    let site = ["Strict", "Lax"].iter().find(|site| {
        text.contains(&format!(".set_same_site(SameSite::{site}"))
            || text.contains(&format!(".set_same_site(Some(SameSite::{site}"))
    });
    if let (Some(site), None | Some(Attr::Unset)) = (site, found.data.get("same_site")) {
        found.data.set("same_site", Attr::Known(Value::Text(site.to_ascii_lowercase())));
        dressed = true;
    }
    if dressed {
        found.confidence = found.confidence.min(Confidence::Medium);
    }
}

/// Whether the service serves HTTPS is often known at run time only, and its cookies follow.
fn secure_where_served(found: &mut Found<'_>) {
    if found.data.get("secure") == Some(Attr::Unknown) {
        found.data.set("secure", Attr::Known(Value::Flag(true)));
        found.confidence = found.confidence.min(Confidence::Medium);
    }
}

/// A cookie that is read under a name that says session: `request.cookie(AUTH_COOKIE)`.
fn reads_session(name: &Expr) -> bool {
    match &*name.kind {
        ExprKind::Literal(Literal::Text(text)) => names_session(text),
        ExprKind::Path(path) => names_session(path.last()),
        ExprKind::Reference(inner) => reads_session(inner),
        _ => false,
    }
}

fn names_session(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or(name).to_lowercase();
    name.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| SESSION_WORDS.contains(&word))
}

fn token(context: &Context<'_>, found: &mut Found<'_>, verified: bool) {
    // What is decoded without a key beside a real check is looked at before it is checked.
    if found.data.get("verified") == Some(Attr::Known(Value::Flag(false))) && verified && !found.called_method() {
        found.confidence = Confidence::Low;
    }
    let unchecked = found.text("action").as_deref() == Some("checks")
        && found.data.get("expires") == Some(Attr::Known(Value::Flag(false)));
    if unchecked && checks_by_hand(context, found) {
        found.data.set("expires", Attr::Unset);
    }
    let issues = found.text("action").as_deref() == Some("issues");
    // An expiry that only the run knows is one.
    if issues && found.data.get("expires") == Some(Attr::Unknown) {
        found.data.set("expires", Attr::Known(Value::Flag(true)));
    }
    if issues && !found.is_set("expires") {
        let claims = found.receiver.or_else(|| found.arguments.get(1).copied());
        if let Some(expires) = claims.and_then(|claims| claims_expire(context, found, claims)) {
            found.data.set("expires", Attr::Known(Value::Flag(expires)));
        }
    }
}

/// `if now > claims.exp`: the function looks at the claim itself.
fn checks_by_hand(context: &Context<'_>, found: &Found<'_>) -> bool {
    let Some(function) = found.stand.function.map(|function| context.names.function(function)) else { return false };
    let text = context.repository.tree.file(function.file).slice(function.item.span);
    EXPIRY.iter().any(|claim| text.contains(&format!(".{claim}")))
}

/// Whether claims have an expiry; `None` where their type is not of the tree.
fn claims_expire(context: &Context<'_>, found: &Found<'_>, claims: &Expr) -> Option<bool> {
    match &*claims.kind {
        ExprKind::Reference(inner) => claims_expire(context, found, inner),
        ExprKind::Struct { path, .. } => fields_of(context, found, &path.segments).and_then(expire),
        ExprKind::Call { function, .. } => match &*function.kind {
            ExprKind::Path(path) if path.segments.len() > 1 => {
                fields_of(context, found, &path.segments[..path.segments.len() - 1]).and_then(expire)
            }
            _ => None,
        },
        ExprKind::Path(path) if path.segments.len() == 1 => {
            let ty = parameter_type(context, found, path.last())?;
            fields_of(context, found, &ty.path).and_then(expire)
        }
        _ => None,
    }
}

fn parameter_type<'a>(context: &Context<'a>, found: &Found<'_>, name: &str) -> Option<&'a Type> {
    let names: &'a crate::link::names::Names<'a> = context.names;
    let function = names.function(found.stand.function?).function;
    let named = |pattern: &PatternKind| matches!(pattern, PatternKind::Name(known) if known == name);
    function.parameters.iter().find(|parameter| named(&parameter.pattern.kind))?.ty.as_ref()
}

fn fields_of<'a>(context: &Context<'a>, found: &Found<'_>, path: &[String]) -> Option<&'a [Field]> {
    let ty = Type { path: path.to_vec(), ..Type::default() };
    let names: &'a crate::link::names::Names<'a> = context.names;
    let item = names.item_at(&type_name(context, found.stand.module, &ty)?)?;
    match &item.item.kind {
        ItemKind::Struct(fields) => Some(fields),
        _ => None,
    }
}

/// Fields that are flattened may hold anything.
fn expire(fields: &[Field]) -> Option<bool> {
    let flattened = |field: &Field| {
        field.attributes.iter().any(|attribute| {
            attribute.path.is("serde")
                && attribute.tokens.iter().any(
                    |token| matches!(&token.kind, crate::parse::rust::ast::TokenKind::Ident(word) if word == "flatten"),
                )
        })
    };
    let named = fields.iter().any(|field| EXPIRY.contains(&field.name.as_str()));
    if named { Some(true) } else { (!fields.iter().any(flattened)).then_some(false) }
}

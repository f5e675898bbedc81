//! Variables that attributes of fields name: clap's `env`, envconfig's `from`.

use super::found::Stand;
use crate::facts::Attr;
use crate::facts::vocabulary::{ConfigSource, EnvRead};
use crate::link::names::ModuleId;
use crate::link::{Context, Linked};
use crate::parse::rust::ast::{Attribute, Field, ItemKind, Literal, Token, TokenKind};
use crate::scan::source::{FileId, Role, Span};

/// Attributes of fields that can name a variable, with the key they do it by.
const ATTRIBUTES: &[(&str, &str)] =
    &[("arg", "env"), ("clap", "env"), ("structopt", "env"), ("envconfig", "from"), ("env", "name")];

/// Keys that give a default.
const DEFAULTS: &[&str] = &["default_value", "default_value_t", "default"];

/// Beginnings of such attributes in the text of a file.
pub fn words() -> impl Iterator<Item = &'static str> {
    ["#[arg", "#[clap", "#[structopt", "#[envconfig", "#[env"].into_iter()
}

/// Adds the variables that fields name.
pub fn look(context: &Context<'_>, linked: &mut Linked) {
    for info in context.names.items().iter().filter(|info| info.role == Role::Service && !info.development_only) {
        let stand = Stand { file: info.file, module: info.module, role: info.role, function: None };
        match &info.item.kind {
            ItemKind::Struct(of) => fields(context, stand, of, linked),
            ItemKind::Enum(variants) => {
                variants.iter().for_each(|variant| fields(context, stand, &variant.fields, linked))
            }
            _ => {}
        }
    }
}

fn fields(context: &Context<'_>, stand: Stand, fields: &[Field], linked: &mut Linked) {
    for field in fields {
        for attribute in &field.attributes {
            let known = ATTRIBUTES.iter().find(|(name, _)| attribute.path.is(name));
            if let Some(variable) = known.and_then(|(_, key)| variable(context, stand.module, field, attribute, key)) {
                emit(context, stand.file, field, attribute, variable, linked);
            }
        }
    }
}

fn emit(
    context: &Context<'_>,
    file: FileId,
    field: &Field,
    attribute: &Attribute,
    name: Attr<String>,
    linked: &mut Linked,
) {
    let optional = matches!(field.ty.path.last().map(String::as_str), Some("Option" | "Vec" | "bool"));
    let default = DEFAULTS.iter().find_map(|key| value_of(&attribute.tokens, key));
    let has_default = default.is_some();
    let data = EnvRead {
        name,
        default: match default {
            Some(Value::Text(text)) => Attr::Known(text),
            Some(_) => Attr::Unknown,
            None => Attr::Unset,
        },
        required: (!optional && !has_default).into(),
        documented: if says_what(field, attribute) { Attr::Known(true) } else { Attr::Unset },
        ..EnvRead::default()
    };
    let span: Span = attribute.span;
    linked.facts.add(context.fact(data, file, span));
    let source = ConfigSource { library: "clap".into(), kind: "environment".into(), per_environment: Attr::Unset };
    linked.facts.add(context.fact(source, file, span));
}

/// `--help` names the variable and says what it is for: by a doc comment of the field, or by `help = ".."`.
fn says_what(field: &Field, attribute: &Attribute) -> bool {
    let by_clap = matches!(attribute.path.last(), "arg" | "clap" | "structopt");
    let commented = field.attributes.iter().any(|attribute| attribute.path.is("doc"));
    by_clap && (commented || ["help", "long_help"].iter().any(|key| value_of(&attribute.tokens, key).is_some()))
}

/// The variable of `env`, `env = "NAME"` or `env = CONST`; the upper-cased field where none is written.
fn variable(
    context: &Context<'_>,
    module: ModuleId,
    field: &Field,
    attribute: &Attribute,
    key: &str,
) -> Option<Attr<String>> {
    match value_of(&attribute.tokens, key)? {
        Value::None => Some(Attr::Known(field.name.to_uppercase())),
        Value::Text(text) => Some(Attr::Known(text)),
        Value::Name(path) => {
            let item = context.names.item_at(&context.names.resolve(module, &path));
            let text = item.and_then(|item| match &item.item.kind {
                ItemKind::Const(_, Some(value)) => match &*value.kind {
                    crate::parse::rust::ast::ExprKind::Literal(Literal::Text(text)) => Some(text.clone()),
                    _ => None,
                },
                _ => None,
            });
            Some(text.map_or(Attr::Unknown, Attr::Known))
        }
        Value::Other => Some(Attr::Unknown),
    }
}

/// What stands after a key.
enum Value {
    None,
    Text(String),
    Name(Vec<String>),
    Other,
}

/// The value of `key = value` among an attribute's tokens, at its outermost level.
fn value_of(tokens: &[Token], key: &str) -> Option<Value> {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close(_) => depth = depth.saturating_sub(1),
            TokenKind::Ident(word) if depth == 0 && word == key && starts(tokens, at) => {
                return Some(after(&tokens[at + 1..]));
            }
            _ => {}
        }
    }
    None
}

fn starts(tokens: &[Token], at: usize) -> bool {
    at == 0 || tokens[at - 1].kind == TokenKind::Punct(',')
}

fn after(tokens: &[Token]) -> Value {
    match tokens {
        [first, ..] if first.kind != TokenKind::Punct('=') => Value::None,
        [] => Value::None,
        [_, value, rest @ ..] => match &value.kind {
            TokenKind::Literal(Literal::Text(text)) => Value::Text(text.clone()),
            TokenKind::Literal(Literal::Integer(Some(number))) => Value::Text(number.to_string()),
            TokenKind::Ident(first) => Value::Name(path(first, rest)),
            _ => Value::Other,
        },
        [_] => Value::Other,
    }
}

fn path(first: &str, rest: &[Token]) -> Vec<String> {
    let mut path = vec![first.to_string()];
    for token in rest {
        match &token.kind {
            TokenKind::Punct(':') => {}
            TokenKind::Ident(name) => path.push(name.clone()),
            _ => break,
        }
    }
    path
}

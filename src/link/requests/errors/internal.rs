//! Which error types hold what clients should not read, and whose Display shows it.

use super::exposure::{captured, formatted};
use crate::link::names::{ImplInfo, ItemInfo, Names, Ty};
use crate::link::requests::body::{called_path, each, inside_log, placeholders};
use crate::parse::rust::ast::{
    Attribute, Expr, ExprKind, Field, Function, ItemKind, Literal, PatternKind, TokenKind, Type, Variant,
};

/// Errors of these crates tell of databases.
const DATABASES: &[&str] = &[
    "sqlx",
    "diesel",
    "diesel_async",
    "sea_orm",
    "mongodb",
    "redis",
    "deadpool",
    "deadpool_postgres",
    "deadpool_redis",
    "bb8",
    "bb8_redis",
    "r2d2",
    "tokio_postgres",
    "postgres",
    "mysql",
    "mysql_async",
    "rusqlite",
    "scylla",
    "surrealdb",
    "sqlx_core",
];

/// Errors of these tell of files, networks and the program itself.
const INSIDES: &[&str] = &[
    "anyhow",
    "eyre",
    "color_eyre",
    "reqwest",
    "hyper",
    "hyper_util",
    "lettre",
    "lapin",
    "rdkafka",
    "object_store",
    "tera",
    "askama",
    "handlebars",
    "config",
    "aws_sdk_s3",
    "aws_sdk_dynamodb",
    "aws_sdk_sqs",
    "argon2",
    "bcrypt",
    "tonic",
    "async_nats",
    "rumqttc",
    "openssl",
    "rustls",
    "tokio",
    "ureq",
    "isahc",
    "awc",
    "error_stack",
    "color_eyre",
];

/// What an error of this type would show: sql, display; `None` for what clients may read.
pub(super) fn of_type(names: &Names<'_>, ty: &Ty, depth: u32) -> Option<&'static str> {
    if depth > 4 {
        return None;
    }
    let krate = ty.path.split("::").next().unwrap_or("");
    if DATABASES.contains(&krate) {
        return Some("sql");
    }
    let io = ty.path.starts_with("std::io::") || ty.path == "io::Error";
    if INSIDES.contains(&krate) || io {
        return Some("display");
    }
    if matches!(ty.last(), "Box" | "Arc")
        && let Some(inner) = ty.arguments.first()
    {
        let dynamic = matches!(inner.path.as_str(), "Error" | "std::error::Error" | "core::error::Error");
        return if dynamic { Some("display") } else { of_type(names, inner, depth + 1) };
    }
    names.item_at(&ty.path).and_then(|info| shown_by(names, info, depth + 1).first().map(|(_, what)| *what))
}

/// Variants of an error type (an empty name for a struct) whose Display shows something internal, with what.
pub(super) fn shown_by(names: &Names<'_>, info: &ItemInfo<'_>, depth: u32) -> Vec<(String, &'static str)> {
    match &info.item.kind {
        ItemKind::Enum(variants) => {
            let shown = |variant: &Variant| {
                let what = shown_fields(names, info, &variant.attributes, &variant.fields, depth)?;
                Some((variant.name.clone(), what))
            };
            variants.iter().filter_map(shown).collect()
        }
        ItemKind::Struct(fields) => shown_fields(names, info, &info.item.attributes, fields, depth)
            .map(|what| (String::new(), what))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// What `#[error("...")]` shows of a variant's fields.
fn shown_fields(
    names: &Names<'_>,
    info: &ItemInfo<'_>,
    attributes: &[Attribute],
    fields: &[Field],
    depth: u32,
) -> Option<&'static str> {
    let error = attributes.iter().find(|attribute| matches!(attribute.path.last(), "error" | "display"))?;
    let words: Vec<&TokenKind> = error.tokens.iter().map(|token| &token.kind).collect();
    let of = |field: &Field| field_type(names, info, field, depth);
    if words.iter().any(|word| matches!(word, TokenKind::Ident(word) if word == "transparent")) {
        return fields.first().and_then(of);
    }
    let text = words.iter().find_map(|word| match word {
        TokenKind::Literal(Literal::Text(text)) => Some(text.as_str()),
        _ => None,
    })?;
    let shown = placeholders(text);
    let positional = shown.iter().any(|(name, _)| name.is_empty());
    fields.iter().enumerate().find_map(|(at, field)| {
        let named = shown.iter().any(|(name, _)| *name == field.name || name.parse() == Ok(at));
        let by_argument = positional
            && words.iter().any(|word| match word {
                TokenKind::Ident(word) => *word == field.name,
                TokenKind::Literal(Literal::Integer(Some(number))) => usize::try_from(*number) == Ok(at),
                _ => false,
            });
        if named || by_argument { of(field) } else { None }
    })
}

/// What a field would show.
pub(super) fn field_type(names: &Names<'_>, info: &ItemInfo<'_>, field: &Field, depth: u32) -> Option<&'static str> {
    of_type(names, &names.type_at(info.module, Some(&info.path), &field.ty), depth)
}

/// What a written type would show.
pub(super) fn of_written(names: &Names<'_>, block: &ImplInfo<'_>, ty: &Type) -> Option<&'static str> {
    of_type(names, &names.type_at(block.module, Some(&block.self_type), ty), 0)
}

/// Variants that hold text which `From` impls make of internal errors: `Internal(error.to_string())`.
pub(super) fn stringified(names: &Names<'_>, self_type: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in names.impls().iter().filter(|block| block.self_type == self_type) {
        let Some(of_trait) = &block.block.of_trait else { continue };
        let from = of_trait.path.last().is_some_and(|last| last == "From");
        let internal = of_trait.arguments.first().and_then(|ty| of_written(names, block, ty));
        if from && internal.is_some() {
            found.extend(block.block.items.iter().flat_map(|item| variants_with_text(&item.kind)));
        }
    }
    found
}

/// `Variant(parameter.to_string())` and `Variant(format!(.., parameter))` in a `from`.
fn variants_with_text(item: &ItemKind) -> Vec<String> {
    let ItemKind::Function(function) = item else { return Vec::new() };
    let (Some(body), Some(name)) = (&function.body, parameter_name(function)) else { return Vec::new() };
    let mut found = Vec::new();
    each(body, &mut |expr, around| {
        if !shows_name(expr, name) || inside_log(around) {
            return;
        }
        let made = around.iter().rev().find_map(|outer| match &*outer.kind {
            ExprKind::Call { function, .. } => called_path(function).map(|path| path.last()),
            ExprKind::Struct { path, .. } => Some(path.last()),
            _ => None,
        });
        found.extend(made.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_string));
    });
    found
}

/// The name of a function's first parameter.
pub(super) fn parameter_name(function: &Function) -> Option<&str> {
    match &function.parameters.first()?.pattern.kind {
        PatternKind::Name(name) => Some(name),
        _ => None,
    }
}

/// Whether an expression makes text of a name.
pub(super) fn shows_name(expr: &Expr, name: &str) -> bool {
    let by_value =
        formatted(expr).iter().any(|formatted| matches!(&*formatted.value.kind, ExprKind::Path(path) if path.is(name)));
    by_value || captured(expr).iter().any(|(captured, _)| captured == name)
}

//! Registrations: entries from paths and handlers, and what attributes on handlers say of method and path.

use super::super::names::FunctionInfo;
use super::evaluate::{Evaluator, Frame};
use super::layers;
use super::paths;
use super::reparse;
use super::value::{Answer, Entry, Framework, LayerId, Methods, Text, Value, add_layers};
use crate::parse::rust::ast::{Attribute, Literal, Token, TokenKind};
use crate::scan::source::{Place, Span};

/// Method names in builders and attributes, with what they mean.
const METHODS: &[(&str, &str)] = &[
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("trace", "TRACE"),
    ("connect", "CONNECT"),
    ("any", "ANY"),
];

/// The HTTP method that a builder's name means (`get`, `post_service`, `put_with`).
pub fn http_method(name: &str) -> Option<&'static str> {
    let plain = name.strip_suffix("_service").or_else(|| name.strip_suffix("_with")).unwrap_or(name);
    METHODS.iter().find(|(lower, _)| *lower == plain).map(|(_, method)| *method)
}

/// HTTP methods named in a piece of source: `MethodFilter::GET.or(MethodFilter::POST)`, `Method::PUT`, `guard::Get()`.
pub fn methods_in(source: &str) -> Vec<String> {
    let words = source.split(|c: char| !c.is_ascii_alphanumeric());
    let known = words.filter_map(|word| {
        let lower = word.to_ascii_lowercase();
        METHODS.iter().find(|(name, _)| *name == lower && lower != "any").map(|(_, method)| (*method).to_string())
    });
    let mut methods: Vec<String> = known.collect();
    methods.dedup();
    methods
}

/// The entries of handlers at a path.
pub fn entries<'a>(
    evaluator: &Evaluator<'a>,
    frame: &Frame<'a>,
    path: &Text,
    methods: &Methods<'a>,
    place: Place,
) -> Vec<Entry<'a>> {
    let entry = |(method, answer, said): &(String, Option<Answer<'a>>, Place)| {
        let answer = answer.clone().unwrap_or_else(|| Answer::Library(String::new()));
        let info = match &answer {
            Answer::Function(id) => Some(evaluator.info(*id)),
            _ => None,
        };
        Entry {
            method: method.clone(),
            path: if path.text.is_empty() && !path.complete {
                paths::UNRESOLVED.to_string()
            } else {
                path.text.clone()
            },
            development_only: frame.development || info.is_some_and(|info| info.development_only),
            documented: methods.documented || info.is_some_and(|info| is_documented(info)),
            answer,
            // Methods that were made elsewhere keep the place where the path is registered.
            place: if methods.answers.len() > 1 && said.file == place.file && place.span.holds(said.span) {
                *said
            } else {
                place
            },
            layers: methods.layers.clone(),
            partial: !path.complete && !path.configured,
        }
    };
    methods.answers.iter().map(entry).collect()
}

/// Attributes that put a handler into a generated API document.
fn is_documented(info: &FunctionInfo<'_>) -> bool {
    const OURS: &[&str] =
        &["utoipa", "openapi", "api_v2_operation", "api_operation", "oai", "aide_annotate", "endpoint"];
    info.item
        .attributes
        .iter()
        .any(|attribute| attribute.path.segments.iter().any(|segment| OURS.contains(&segment.as_str())))
}

/// What an attribute says of a route.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Methods; empty where it names none.
    pub methods: Vec<String>,
    /// The path.
    pub path: Option<Text>,
    /// Layers that it wraps the handler in.
    pub layers: Vec<LayerId>,
}

/// What the attributes on a handler say: one element an attribute, with the methods and path of each.
pub fn said_by<'a>(evaluator: &mut Evaluator<'a>, info: &'a FunctionInfo<'a>, framework: Framework) -> Vec<Said> {
    let mut all = Vec::new();
    for attribute in &info.item.attributes {
        let last = attribute.path.last();
        let utoipa = attribute.path.segments.first().is_some_and(|first| first == "utoipa") && last == "path";
        let relevant = match framework {
            "axum" => utoipa,
            _ => !utoipa && (http_method(last).is_some() || last == "route"),
        };
        if relevant {
            all.push(read(evaluator, info, attribute, http_method(last)));
        }
    }
    all
}

fn read<'a>(
    evaluator: &mut Evaluator<'a>,
    info: &'a FunctionInfo<'a>,
    attribute: &'a Attribute,
    method: Option<&str>,
) -> Said {
    let mut said = Said { methods: method.map(str::to_string).into_iter().collect(), path: None, ..Said::default() };
    for (at, part) in arguments(&attribute.tokens).into_iter().enumerate() {
        match part {
            [Token { kind: TokenKind::Literal(Literal::Text(text)), span }, ..] if at == 0 || said.path.is_none() => {
                said.path = Some(written_path(evaluator, info, text, *span));
            }
            [Token { kind: TokenKind::Ident(key), .. }, Token { kind: TokenKind::Punct('='), .. }, rest @ ..] => {
                keyed(evaluator, info, key, rest, &mut said);
            }
            [Token { kind: TokenKind::Ident(key), .. }, Token { kind: TokenKind::Open(_), .. }, rest @ ..]
                if key == "method" =>
            {
                said.methods.extend(rest.iter().filter_map(word).filter_map(http_method).map(str::to_string));
            }
            [Token { kind: TokenKind::Ident(word), .. }] if at == 0 => {
                said.methods.extend(http_method(&word.to_ascii_lowercase()).map(str::to_string));
            }
            _ => {}
        }
    }
    said
}

fn keyed<'a>(evaluator: &mut Evaluator<'a>, info: &'a FunctionInfo<'a>, key: &str, rest: &[Token], said: &mut Said) {
    match (key, rest) {
        ("path" | "uri", [Token { kind: TokenKind::Literal(Literal::Text(text)), span }, ..]) => {
            said.path = Some(written_path(evaluator, info, text, *span));
        }
        ("wrap", [Token { kind: TokenKind::Literal(Literal::Text(_)), span }, ..]) => {
            let reparsed = evaluator.reparsed;
            let Some(expr) = reparsed.written(Place { file: info.file, span: *span }) else { return };
            let mut frame = Frame::new(info.module, info.file);
            let value = evaluator.eval(&mut frame, expr);
            let ids = layers::apply(evaluator, &mut frame, Some(&value), Some(expr));
            add_layers(&mut said.layers, &ids);
        }
        ("path", path) => {
            let segments: Vec<String> = path.iter().filter_map(word).map(str::to_string).collect();
            let resolved = evaluator.names.resolve(info.module, &segments);
            let value = evaluator.constant(&resolved);
            said.path = Some(value.as_ref().and_then(|value| value.text()).cloned().unwrap_or_default());
        }
        ("method", [Token { kind: TokenKind::Literal(Literal::Text(text)), .. }, ..]) => {
            said.methods.push(text.to_ascii_uppercase());
        }
        ("method", [Token { kind: TokenKind::Ident(word), .. }, ..]) => said.methods.push(word.to_ascii_uppercase()),
        _ => {}
    }
}

/// A path that an attribute gives as a literal. Some macros take an expression as its text
/// (`path = "crate::ROUTES.login"`): what it gives, or nothing, but never the expression itself.
fn written_path<'a>(evaluator: &mut Evaluator<'a>, info: &'a FunctionInfo<'a>, text: &str, span: Span) -> Text {
    let reparsed = evaluator.reparsed;
    let Some(expr) = reparsed.written(Place { file: info.file, span }) else { return Text::literal(text) };
    let mut frame = Frame::new(info.module, info.file);
    match evaluator.eval(&mut frame, expr) {
        Value::Text(given) => given,
        // A relative path can look like a name: `users.json`.
        Value::Name(_) | Value::Unknown if reparse::may_be_path(text) => Text::literal(text),
        _ => Text::default(),
    }
}

fn word(token: &Token) -> Option<&str> {
    match &token.kind {
        TokenKind::Ident(word) => Some(word),
        _ => None,
    }
}

/// Tokens split at commas outside of all delimiters.
pub fn arguments(tokens: &[Token]) -> Vec<&[Token]> {
    let mut out = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close(_) => depth = depth.saturating_sub(1),
            TokenKind::Punct(',') if depth == 0 => {
                out.push(&tokens[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(&tokens[from..]);
    out
}

//! Texts with `{attributes}`.

use super::select::AttrPath;

/// A text with places for attributes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Template {
    /// As written.
    pub source: String,
    /// Its pieces in order.
    pub pieces: Vec<Piece>,
}

/// A piece of a template.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// `{service}`: the service's name.
    Service,
    /// `{count}`: how many facts were looked at.
    Count,
    /// A parameter of the rule.
    Param(String),
    /// An attribute of the fact.
    Attribute(AttrPath),
}

/// A text cut at its braces: text, or the name in a pair of braces with its offset.
pub(super) fn cut(source: &str) -> Vec<Result<(usize, &str), &str>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        if open > 0 {
            pieces.push(Err(&rest[..open]));
        }
        let offset = source.len() - rest.len() + open;
        pieces.push(Ok((offset, &rest[open + 1..open + length])));
        rest = &rest[open + length + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Err(rest));
    }
    pieces
}

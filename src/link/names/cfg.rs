//! What `cfg` attributes say of an item: whether production has it.

use crate::parse::rust::ast::{Attribute, Literal, Token, TokenKind};
use crate::scan::source::Role;

/// How an item stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    /// Role of the code.
    pub role: Role,
    /// Not in a production build, and no test either.
    pub development_only: bool,
}

impl Standing {
    /// Of an item with these attributes inside code of this standing.
    pub fn of(self, attributes: &[Attribute], features: Option<&[String]>) -> Standing {
        let mut standing = self;
        for attribute in attributes {
            if attribute.path.is("cfg") {
                standing = standing.under(&attribute.tokens, features);
            } else if is_test_attribute(attribute) {
                standing = standing.test();
            }
        }
        standing
    }

    fn under(self, condition: &[Token], features: Option<&[String]>) -> Standing {
        let holds = |test| Condition { tokens: condition, at: 0, features, test }.all();
        match (holds(false), holds(true)) {
            (true, _) => self,
            (false, true) => self.test(),
            (false, false) => {
                Standing { development_only: self.development_only || self.role == Role::Service, ..self }
            }
        }
    }

    /// The same as test code.
    pub fn test(self) -> Standing {
        let role = if self.role == Role::Service { Role::Test } else { self.role };
        Standing { role, ..self }
    }

    /// Part of what runs in production.
    pub fn is_production(self) -> bool {
        self.role == Role::Service && !self.development_only
    }
}

/// `#[test]`, `#[tokio::test]`, `#[sqlx::test]`, `#[rstest]`, ...
fn is_test_attribute(attribute: &Attribute) -> bool {
    matches!(
        attribute.path.last(),
        "test" | "rstest" | "test_case" | "bench" | "quickcheck" | "proptest" | "wasm_bindgen_test"
    )
}

/// Reads a condition as a production build on Linux answers it.
struct Condition<'t> {
    tokens: &'t [Token],
    at: usize,
    features: Option<&'t [String]>,
    test: bool,
}

impl<'t> Condition<'t> {
    /// All of a comma-separated list up to a closing delimiter.
    fn all(mut self) -> bool {
        self.list().into_iter().all(|holds| holds)
    }

    fn peek(&self) -> Option<&'t TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn list(&mut self) -> Vec<bool> {
        let mut all = Vec::new();
        while let Some(kind) = self.peek() {
            match kind {
                TokenKind::Close(_) => break,
                TokenKind::Ident(name) => {
                    self.at += 1;
                    all.push(self.one(name));
                }
                _ => self.at += 1,
            }
        }
        all
    }

    fn one(&mut self, name: &str) -> bool {
        match self.peek() {
            Some(TokenKind::Open(_)) => {
                self.at += 1;
                let inner = self.list();
                self.at += 1;
                match name {
                    "not" => !inner.first().copied().unwrap_or(false),
                    "any" => inner.contains(&true),
                    _ => !inner.contains(&false),
                }
            }
            Some(TokenKind::Punct('=')) => {
                self.at += 1;
                let value = self.peek();
                self.at += 1;
                self.setting(name, value)
            }
            _ => self.flag(name),
        }
    }

    fn flag(&self, name: &str) -> bool {
        match name {
            "test" | "doctest" => self.test,
            "debug_assertions" | "windows" | "miri" | "kani" | "loom" | "fuzzing" | "coverage" | "doc" | "false" => {
                false
            }
            _ => true,
        }
    }

    fn setting(&self, name: &str, value: Option<&TokenKind>) -> bool {
        let Some(TokenKind::Literal(Literal::Text(value))) = value else { return true };
        match name {
            "feature" => self.features.is_none_or(|on| on.iter().any(|feature| feature == value)),
            "target_os" => value == "linux",
            "target_family" => value == "unix",
            _ => true,
        }
    }
}

/// Whether production compiles code with these attributes, as far as `cfg` says; features count as on.
pub fn in_production(attributes: &[Attribute]) -> bool {
    attributes.is_empty()
        || Standing { role: Role::Service, development_only: false }.of(attributes, None).is_production()
}

//! String literals of Rust code and the names they are bound to, from tokens alone: as fast as lexing.

use super::{Binding, Candidate, Regions};
use crate::link::secrets::naming;
use crate::link::secrets::setting::Location;
use crate::parse::rust::lexer::{Lexer, RawKind, RawToken, unescape};
use crate::scan::source::Span;

/// Calls that only wrap or convert what they are given.
const WRAPPERS: &[&str] = &[
    "from",
    "new",
    "into",
    "Some",
    "Ok",
    "Secret",
    "SecretString",
    "SecretBox",
    "Zeroizing",
    "Borrowed",
    "to_owned",
    "from_str",
    "from_static",
    "Owned",
    "Arc",
    "Box",
    "to_vec",
    "String",
    "Password",
    "from_string",
    "from_bytes",
];

/// Calls that take what stands in when nothing is set.
const DEFAULTS: &[&str] = &[
    "unwrap_or",
    "unwrap_or_else",
    "or",
    "or_else",
    "map_or",
    "map_or_else",
    "default_value",
    "default_value_t",
    "default_value_os",
    "with_default",
    "env_or",
    "env_or_default",
    "get_env_or",
    "var_or",
    "or_insert",
    "or_insert_with",
    "get_or",
    "var_or_default",
    "env_var_or",
    "get_env",
    "env_get_or",
    "set_default",
];

/// Calls whose argument is a key that signs or encrypts.
const KEYS: &[&str] = &["from_secret", "from_base64_secret", "new_from_slice", "derive_from", "set_key", "from_slice"];

/// Types on which these calls take a key.
const KEY_TYPES: &[&str] =
    &["EncodingKey", "DecodingKey", "Hmac", "Key", "HmacSha256", "HmacSha512", "HS256Key", "HS512Key"];

/// Candidates of a file.
#[cfg(test)]
fn candidates(text: &str) -> Vec<Candidate> {
    Code::new(text).candidates()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RegionKind {
    Test,
    Development,
    Default,
}

/// Tokens between the braces of an item.
struct Region {
    kind: RegionKind,
    from: usize,
    to: usize,
}

impl Region {
    fn holds(&self, at: usize) -> bool {
        self.from <= at && at < self.to
    }
}

/// The tokens of a file: read once for all that is asked of them.
pub struct Code<'t> {
    text: &'t str,
    tokens: Vec<RawToken>,
    /// For each opening bracket the one that closes it, 0 for any other token.
    closes: Vec<u32>,
    regions: Vec<Region>,
    trials: Vec<Span>,
    /// Comments in order.
    pub comments: Vec<Span>,
}

impl<'t> Code<'t> {
    /// Reads a text.
    pub fn new(text: &'t str) -> Code<'t> {
        let mut tokens: Vec<RawToken> = Vec::with_capacity(text.len() / 5);
        let mut comments = Vec::new();
        let mut open: Vec<u32> = Vec::new();
        let mut closes = Vec::with_capacity(text.len() / 5);
        for token in Lexer::new(text) {
            let at = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
            match token.kind {
                RawKind::Comment => {
                    comments.push(token.span);
                    continue;
                }
                RawKind::Open(_) => open.push(at),
                RawKind::Close(_) => {
                    if let Some(start) = open.pop() {
                        closes[start as usize] = at;
                    }
                }
                _ => {}
            }
            tokens.push(token);
            closes.push(0);
        }
        let mut code = Code { text, tokens, closes, regions: Vec::new(), trials: Vec::new(), comments };
        code.regions = code.find_regions();
        let helpers = code.find_helpers();
        code.regions.extend(helpers);
        code.trials = code.find_trials();
        code
    }

    /// Literals with the names they stand under.
    pub fn candidates(&self) -> Vec<Candidate> {
        let literals = (0..self.tokens.len()).filter(|at| self.is_text(*at));
        let found = literals.filter_map(|at| {
            let mut candidate = self.candidate(at)?;
            let inside = |kind| self.regions.iter().any(|region| region.kind == kind && region.holds(at));
            candidate.test = inside(RegionKind::Test) || self.trials.iter().any(|span| span.holds(candidate.span));
            candidate.development = inside(RegionKind::Development);
            if candidate.binding == Binding::Set && inside(RegionKind::Default) {
                candidate.binding = Binding::Default;
            }
            Some(candidate)
        });
        found.collect()
    }

    /// Parts that are not compiled into what production runs.
    pub fn regions(&self) -> Regions {
        let mut regions = Regions::default();
        for region in &self.regions {
            let end = self.tokens.get(region.to).or(self.tokens.last()).map_or(0, |token| token.span.end as usize);
            let span = Span::new(self.tokens[region.from].span.start as usize, end);
            match region.kind {
                RegionKind::Test => regions.test.push(span),
                RegionKind::Development => regions.development.push(span),
                RegionKind::Default => {}
            }
        }
        regions.test.extend(&self.trials);
        regions
    }

    /// Literals that code gives as examples: `#[schema(example = "..")]`, `.insert("example", "..")`,
    /// `json!({"example": ".."})`.
    pub fn examples(&self) -> Vec<String> {
        let given = (0..self.tokens.len()).filter(|at| self.is_text(*at) && self.is_example(*at));
        given.map(|at| self.value(at)).collect()
    }

    fn word(&self, at: usize) -> &'t str {
        self.tokens.get(at).and_then(|token| self.text.get(token.span.range())).unwrap_or("")
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.word(at) == text
    }

    fn is_ident(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == RawKind::Ident)
    }

    fn value(&self, at: usize) -> String {
        let Some(token) = self.tokens.get(at) else { return String::new() };
        let inside = self.text.get(token.contents().range()).unwrap_or("");
        match token.kind {
            RawKind::Text { raw: false, .. } => unescape(inside),
            _ => inside.to_string(),
        }
    }

    fn is_text(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| matches!(token.kind, RawKind::Text { .. }))
    }

    /// The arguments of types that are there to try something with: `TestValue::Single("..")`, `FakeToken("..")`.
    fn find_trials(&self) -> Vec<Span> {
        const WORDS: [&str; 7] = ["Test", "Fake", "Mock", "Dummy", "Sample", "Example", "Fixture"];
        let is_trial = |word: &str| {
            let rest = WORDS.iter().find_map(|known| word.strip_prefix(known));
            rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
        };
        let mut found = Vec::new();
        for at in (0..self.tokens.len()).filter(|at| self.is_ident(*at) && is_trial(self.word(*at))) {
            let mut open = at + 1;
            while self.is(open, ":") && self.is(open + 1, ":") && self.is_ident(open + 2) {
                open += 3;
            }
            if self.is(open, "(")
                && let Some(close) = self.close_of(open)
            {
                let (start, end) = (self.tokens[open].span.start, self.tokens[close].span.end);
                found.push(Span::new(start as usize, end as usize));
            }
        }
        found
    }

    /// Whether `example` stands before a literal: as the name it is set to, or as the literal just before in the same call.
    fn is_example(&self, literal: usize) -> bool {
        const CALLED: [&str; 3] = ["example", "examples", "x-example"];
        for at in (literal.saturating_sub(24)..literal).rev() {
            match self.word(at) {
                ";" | "{" | "}" | "#" => return false,
                "=" => return at.checked_sub(1).is_some_and(|name| CALLED.contains(&self.word(name))),
                _ if self.is_text(at) => return CALLED.contains(&self.value(at).as_str()),
                _ => {}
            }
        }
        false
    }

    /// Items for tests, for development and the bodies of `impl Default`.
    fn find_regions(&self) -> Vec<Region> {
        let mut regions = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let kind = match token.kind {
                RawKind::Punct(b'#') if self.is(at + 1, "[") => self.attribute_kind(at + 2),
                RawKind::Ident if self.is(at, "Default") && self.is(at + 1, "for") && configures(self.word(at + 2)) => {
                    Some(RegionKind::Default)
                }
                _ => None,
            };
            if let Some(kind) = kind
                && let Some(to) = self.item_end(at)
            {
                regions.push(Region { kind, from: at, to });
            }
        }
        regions
    }

    /// Functions that are called after tests, and that only tests of this file call.
    fn find_helpers(&self) -> Vec<Region> {
        let is_named = |at: usize| self.is(at, "fn") && self.is_ident(at + 1) && names_test(self.word(at + 1));
        let named: Vec<usize> = (0..self.tokens.len()).filter(|at| is_named(*at)).collect();
        let helper = |from: usize| Some(Region { kind: RegionKind::Test, from, to: self.item_end(from)? });
        let only_tests = |from: &usize| {
            let calls = self.calls_of(self.word(from + 1));
            let in_test = |at: &usize| self.regions.iter().any(|of| of.kind == RegionKind::Test && of.holds(*at));
            !calls.is_empty() && calls.iter().all(in_test)
        };
        named.into_iter().filter(only_tests).filter_map(helper).collect()
    }

    /// Where a function is called or named by a path, attributes left out.
    fn calls_of(&self, name: &str) -> Vec<usize> {
        let mut calls = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let inner = usize::from(self.is(at + 1, "!"));
            if self.is(at, "#") && self.is(at + 1 + inner, "[") {
                at = self.close_of(at + 1 + inner).unwrap_or(at);
            } else if self.is(at, name) && self.is_ident(at) {
                let before = |word: &str| at > 0 && self.is(at - 1, word);
                if !before("fn") && (self.is(at + 1, "(") || before(":") || before(".")) {
                    calls.push(at);
                }
            }
            at += 1;
        }
        calls
    }

    /// What an attribute, from the token after its bracket, says of its item.
    fn attribute_kind(&self, at: usize) -> Option<RegionKind> {
        let close = self.close_of(at - 1)?;
        let has = |wanted: &str| (at..close).any(|at| self.is(at, wanted));
        let conditional = self.is(at, "cfg") && !has("not") && !has("any");
        // `feature = "test_mode"`: a build with it is made for tests.
        let feature = |at: usize| {
            self.is_text(at)
                && self.is(at - 2, "feature")
                && naming::words(&self.value(at))
                    .iter()
                    .any(|word| matches!(word.as_str(), "test" | "tests" | "testing"))
        };
        let for_tests = || has("test") || (at + 2..close).any(feature);
        if close > at && self.is(close - 1, "test") || conditional && for_tests() {
            return Some(RegionKind::Test);
        }
        (conditional && has("debug_assertions")).then_some(RegionKind::Development)
    }

    /// The bracket that closes the one at `open`.
    fn close_of(&self, open: usize) -> Option<usize> {
        self.closes.get(open).map(|close| *close as usize).filter(|close| *close > open)
    }

    /// Where the item ends that starts at `at`: its closing brace or semicolon, attributes passed over.
    fn item_end(&self, at: usize) -> Option<usize> {
        let mut at = at;
        while at < self.tokens.len() {
            match self.tokens[at].kind {
                RawKind::Open(b'{') => return self.close_of(at),
                RawKind::Open(_) => at = self.close_of(at)?,
                RawKind::Punct(b';') => return Some(at),
                RawKind::Close(_) => return Some(at),
                _ => {}
            }
            at += 1;
        }
        Some(self.tokens.len())
    }

    /// The candidate of the literal at `at`, if a name speaks of it.
    fn candidate(&self, at: usize) -> Option<Candidate> {
        let (name, binding) = self.binding(at, at)?;
        let span = self.tokens[at].contents();
        let mut candidate = Candidate::new(name, self.value(at), span, Location::Code);
        candidate.binding = binding;
        Some(candidate)
    }

    /// The name of what starts at token `start` and holds the literal `literal`.
    fn binding(&self, start: usize, literal: usize) -> Option<(String, Binding)> {
        let mut start = start;
        // Wrappers and references around the literal, a few at most.
        for _ in 0..6 {
            let before = start.checked_sub(1)?;
            match self.word(before) {
                "&" | "*" | "mut" | "return" => start = before,
                "(" => match self.call_before(before) {
                    Call::Wrapper(from) => start = from,
                    Call::Other(found) => return self.called(before, &found, literal),
                    Call::None => start = before,
                },
                "|" => return self.closure_default(before),
                "=" => return self.assigned(before),
                ":" => return self.field(before),
                "{" => return self.body(before),
                "," => return self.second_argument(before, literal),
                _ => return None,
            }
        }
        None
    }

    /// The callee before an opening parenthesis.
    fn call_before(&self, open: usize) -> Call {
        let Some(last) = open.checked_sub(1) else { return Call::None };
        let bang = self.is(last, "!");
        let Some(last) = (if bang { last.checked_sub(1) } else { Some(last) }) else { return Call::None };
        if !self.is_ident(last) {
            return Call::None;
        }
        let mut from = last;
        while from >= 3 && self.is(from - 1, ":") && self.is(from - 2, ":") && self.is_ident(from - 3) {
            from -= 3;
        }
        let is_method = from.checked_sub(1).is_some_and(|before| self.is(before, "."));
        let name = self.word(last);
        let of = if from < last { self.word(last - 3) } else { "" };
        let key = KEY_TYPES.contains(&of) && (KEYS.contains(&name) || matches!(name, "from" | "new"));
        if !is_method && !bang && !key && WRAPPERS.contains(&name) {
            return Call::Wrapper(from);
        }
        Call::Other(Callee { name: name.to_string(), from, is_method, key })
    }

    /// The literal is the first argument of a call.
    fn called(&self, open: usize, callee: &Callee, literal: usize) -> Option<(String, Binding)> {
        let name = callee.name.as_str();
        if callee.key || name == "from_secret" {
            return Some(("signing_key".to_string(), Binding::Set));
        }
        if DEFAULTS.contains(&name) {
            return self.defaulted(callee);
        }
        let _ = (open, literal);
        if callee.is_method && naming::says(name) != naming::Says::Nothing {
            return Some((name.to_string(), Binding::Set));
        }
        (name == "bearer_auth").then(|| ("bearer_token".to_string(), Binding::Set))
    }

    /// `.unwrap_or("..")` and its like: the name is what the chain reads, or what its value is bound to.
    fn defaulted(&self, callee: &Callee) -> Option<(String, Binding)> {
        let mut at = callee.from;
        let mut named: Option<String> = None;
        for _ in 0..60 {
            let Some(before) = at.checked_sub(1) else { break };
            at = before;
            match self.word(at) {
                ";" | "{" | "}" | "=" => break,
                "," if !self.inside_call(at, callee.from) => break,
                _ if self.is_text(at) && named.is_none() => {
                    let text = self.value(at);
                    if naming::says(&text) != naming::Says::Nothing {
                        named = Some(text);
                    }
                }
                word if self.is_ident(at)
                    && named.is_none()
                    && !self.is_taken_apart(at)
                    && naming::says(word) != naming::Says::Nothing =>
                {
                    named = Some(word.to_string());
                }
                _ => {}
            }
        }
        let bound = || match self.word(at) {
            "=" => self.assigned(at).map(|(name, _)| name),
            ":" => self.field(at).map(|(name, _)| name),
            _ => None,
        };
        named.or_else(bound).map(|name| (name, Binding::Default))
    }

    /// `secret.split_once(':')`: what stands in for a part of a value does not stand in for the value.
    fn is_taken_apart(&self, at: usize) -> bool {
        const PARTS: [&str; 8] = ["split", "rsplit", "strip_", "chars", "lines", "bytes", "find", "rfind"];
        self.is(at + 1, ".") && PARTS.iter().any(|part| self.word(at + 2).starts_with(part))
    }

    /// Whether a bracket opens before `at` that is closed before `end`: the comma stands between arguments of a call.
    fn inside_call(&self, at: usize, end: usize) -> bool {
        let mut depth = 0i32;
        for token in &self.tokens[at..end] {
            match token.kind {
                RawKind::Open(_) => depth += 1,
                RawKind::Close(_) => depth -= 1,
                _ => {}
            }
        }
        depth < 0
    }

    /// `|_| "..".to_string()` inside a call for defaults.
    fn closure_default(&self, bar: usize) -> Option<(String, Binding)> {
        let mut at = bar;
        for _ in 0..6 {
            at = at.checked_sub(1)?;
            if self.is(at, "(") {
                let Call::Other(callee) = self.call_before(at) else { return None };
                return if DEFAULTS.contains(&callee.name.as_str()) { self.defaulted(&callee) } else { None };
            }
        }
        None
    }

    /// `const NAME: T = ..`, `let name = ..`, `self.name = ..`, `default_value = ..` of an attribute, `name == ..`.
    fn assigned(&self, equals: usize) -> Option<(String, Binding)> {
        let before = equals.checked_sub(1)?;
        if self.is(before, "=") || self.is(before, "!") {
            let left = before.checked_sub(1).filter(|left| self.is_ident(*left))?;
            return Some((self.word(left).to_string(), Binding::Compared));
        }
        if self.is_ident(before) {
            let name = self.word(before);
            if matches!(name, "default_value" | "default_value_t" | "default" | "default_missing_value") {
                return self.attribute_default(before);
            }
            if !self.has_type_before(before) {
                return Some((name.to_string(), binding_of(name)));
            }
        }
        self.typed_name(before).map(|name| {
            let binding = binding_of(&name);
            (name, binding)
        })
    }

    fn has_type_before(&self, at: usize) -> bool {
        let mut at = at;
        for _ in 0..12 {
            let Some(before) = at.checked_sub(1) else { return false };
            match self.word(before) {
                ":" => return true,
                "&" | "<" | ">" | "'" | "static" | "mut" | "," => at = before,
                word if word.starts_with('\'') => at = before,
                _ if self.is_ident(before) && !matches!(self.word(before), "let" | "const" | "static") => at = before,
                _ => return false,
            }
        }
        false
    }

    /// `NAME: some::Type<..> =`: the name before the single colon.
    fn typed_name(&self, from: usize) -> Option<String> {
        let mut at = from;
        for _ in 0..24 {
            let colon = self.is(at, ":");
            let double = at > 0 && self.is(at - 1, ":") || self.is(at + 1, ":");
            if colon && !double {
                let name = at.checked_sub(1).filter(|name| self.is_ident(*name))?;
                return Some(self.word(name).to_string());
            }
            if matches!(self.word(at), ";" | "{" | "}" | "(") {
                return None;
            }
            // The length of an array type stands behind a semicolon.
            let array = self.is(at, "]") && at >= 4 && self.is(at - 2, ";");
            at = at.checked_sub(if array { 4 } else { 1 })?;
        }
        None
    }

    /// `#[arg(env = "NAME", default_value = "..")] field: T`.
    fn attribute_default(&self, at: usize) -> Option<(String, Binding)> {
        let mut close = at;
        let mut depth = 0i32;
        while close < self.tokens.len() && depth > -2 {
            match self.tokens[close].kind {
                RawKind::Open(_) => depth += 1,
                RawKind::Close(_) => depth -= 1,
                _ => {}
            }
            close += 1;
            if close > at + 200 {
                return None;
            }
        }
        // Further attributes, then `pub name :`.
        let mut field = close;
        while self.is(field, "#") {
            field = self.close_of(field + 1)? + 1;
        }
        while matches!(self.word(field), "pub" | "(" | "crate" | ")" | "super") {
            field += 1;
        }
        let named = self.is_ident(field) && self.is(field + 1, ":");
        named.then(|| (self.word(field).to_string(), Binding::Default))
    }

    /// `name: ".."` in a struct literal or macro.
    fn field(&self, colon: usize) -> Option<(String, Binding)> {
        let name = colon.checked_sub(1)?;
        if self.is(name, ":") || !(self.is_ident(name) || self.is_text(name)) {
            return None;
        }
        let text = if self.is_text(name) { self.value(name) } else { self.word(name).to_string() };
        Some((text, Binding::Set))
    }

    /// `fn default_password() -> String { ".." }`.
    fn body(&self, brace: usize) -> Option<(String, Binding)> {
        let mut at = brace;
        for _ in 0..16 {
            at = at.checked_sub(1)?;
            if self.is(at, "fn") {
                let name = self.word(at + 1);
                return Some((name.to_string(), binding_of(name)));
            }
            if matches!(self.word(at), ";" | "{" | "}" | "=" | "|") && !(self.is(at, ">")) {
                return None;
            }
        }
        None
    }

    /// `set_var("NAME", "..")`, `set_default("name", "..")`, `insert("name", "..")`.
    fn second_argument(&self, comma: usize, _literal: usize) -> Option<(String, Binding)> {
        let first = comma.checked_sub(1)?;
        let open = first.checked_sub(1)?;
        if !self.is_text(first) || !self.is(open, "(") {
            return None;
        }
        let Call::Other(callee) = self.call_before(open) else { return None };
        let name = self.value(first);
        match callee.name.as_str() {
            "set_var" | "insert" | "set_override" => Some((name, Binding::Set)),
            other if DEFAULTS.contains(&other) => Some((name, Binding::Default)),
            _ => None,
        }
    }
}

/// Whether the defaults of a type are what a program starts with: those of a request or record fill in a form.
fn configures(ty: &str) -> bool {
    const PARTS: &[&str] = &[
        "config",
        "conf",
        "configuration",
        "settings",
        "setting",
        "options",
        "opts",
        "opt",
        "args",
        "arguments",
        "setup",
        "database",
        "db",
        "connection",
        "credentials",
        "server",
        "env",
        "environment",
        "secrets",
        "auth",
        "jwt",
        "smtp",
        "redis",
        "app",
        "cli",
        "params",
        "state",
        "security",
        "session",
        "token",
        "keys",
    ];
    naming::words(ty).iter().any(|word| PARTS.contains(&word.as_str()))
}

/// A name may say itself that its value stands in for what is not set.
fn binding_of(name: &str) -> Binding {
    let lower = name.to_ascii_lowercase();
    let default = lower.starts_with("default") || lower.ends_with("_default") || lower.contains("fallback");
    if default { Binding::Default } else { Binding::Set }
}

enum Call {
    Wrapper(usize),
    Other(Callee),
    None,
}

struct Callee {
    name: String,
    from: usize,
    is_method: bool,
    key: bool,
}

/// `test`, `test_key`, `key_for_tests`; but not `latest`.
fn names_test(name: &str) -> bool {
    let words = naming::words(name);
    let ends = [words.first(), words.last()];
    ends.into_iter().flatten().any(|word| matches!(word.as_str(), "test" | "tests" | "testing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String, Binding)> {
        candidates(text).into_iter().map(|found| (found.name, found.value, found.binding)).collect()
    }

    fn one(text: &str, name: &str, binding: Binding) {
        let all = found(text);
        let expected = (name.to_string(), "v".to_string(), binding);
        assert!(all.contains(&expected), "{text}: {all:?}");
    }

    #[test]
    fn literals_and_their_names() {
        one("const JWT_SECRET: &str = \"v\";", "JWT_SECRET", Binding::Set);
        one("static KEY: &'static [u8; 3] = b\"v\";", "KEY", Binding::Set);
        one("const A_SECRET: Option<&str> = Some(\"v\");", "A_SECRET", Binding::Set);
        one("fn f() { let password = \"v\".to_string(); }", "password", Binding::Set);
        one("fn f() { let password: String = String::from(\"v\"); }", "password", Binding::Set);
        one("fn f() { self.api_key = SecretString::from(\"v\"); }", "api_key", Binding::Set);
        one("fn f() { C { db_password: \"v\".into(), x: 1 } }", "db_password", Binding::Set);
        one(
            "impl Default for Conf { fn default() -> Conf { Conf { secret: \"v\".to_owned() } } }",
            "secret",
            Binding::Default,
        );
        one("fn default_admin_pwd() -> String { \"v\".to_string() }", "default_admin_pwd", Binding::Default);
        one(
            "fn f() { env::var(\"JWT_SECRET\").unwrap_or_else(|_| \"v\".to_string()) }",
            "JWT_SECRET",
            Binding::Default,
        );
        one("fn f() { let s = env::var(\"JWT_SECRET\").unwrap_or(\"v\".into()); }", "JWT_SECRET", Binding::Default);
        one("fn f() { let jwt_secret = load(1).unwrap_or(\"v\".into()); }", "jwt_secret", Binding::Default);
        one(
            "#[derive(Parser)] struct A { #[arg(long, env = \"S\", default_value = \"v\")] pub jwt_secret: String }",
            "jwt_secret",
            Binding::Default,
        );
        one("fn f() { EncodingKey::from_secret(b\"v\") }", "signing_key", Binding::Set);
        one("fn f() { Hmac::<Sha256>::new(1); HmacSha256::new_from_slice(b\"v\") }", "signing_key", Binding::Set);
        one("fn f() { PgConnectOptions::new().password(\"v\") }", "password", Binding::Set);
        one("fn f() { std::env::set_var(\"API_TOKEN\", \"v\") }", "API_TOKEN", Binding::Set);
        one("fn f() { config.set_default(\"jwt.secret\", \"v\") }", "jwt.secret", Binding::Default);
        one("fn f() { if token == \"v\" { } }", "token", Binding::Compared);
    }

    #[test]
    fn literals_without_a_name() {
        for text in [
            "fn f() { get(\"v\") }",
            "fn f() { println!(\"v\") }",
            "fn f() { x.get(\"v\") }",
            "fn f() { match x { \"v\" => 1 } }",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn tests_and_development_builds_are_told() {
        let text = "#[cfg(test)] mod tests { const A: &str = \"v\"; } #[cfg(debug_assertions)] const B: &str = \"v\"; #[cfg(not(test))] const C: &str = \"v\";";
        let flags: Vec<_> = candidates(text).into_iter().map(|found| (found.test, found.development)).collect();
        assert_eq!(flags, [(true, false), (false, true), (false, false)]);
    }

    #[test]
    fn functions_that_only_tests_call_are_theirs() {
        let tests = |text: &str| candidates(text).into_iter().map(|found| found.test).collect::<Vec<_>>();
        let helper = "impl Keys { fn test() -> Keys { Keys { token: \"v\" } } }";
        let called = "#[cfg(test)] mod tests { #[tokio::test(threads = 2)] async fn a() { Keys::test(); } }";
        assert_eq!(tests(&format!("{helper} {called}")), [true]);
        assert_eq!(tests(&format!("{helper} fn main() {{ Keys::test(); }} {called}")), [false], "production calls it");
        assert_eq!(tests(&format!("{helper} #[test] fn b() {{}}")), [false], "nothing that is seen calls it");
        let other = helper.replace("test()", "latest()");
        assert_eq!(
            tests(&format!("{other} {}", called.replace("::test();", "::latest();"))),
            [false],
            "its name is another"
        );
    }
}

//! Literals that names say are secret, format by format.

mod code;
mod documents;
mod image;
mod lines;
mod rust;
mod sql;

use super::setting::{Location, Setting};
use crate::link::configuration::sops::is_encrypted;
use crate::parse::{Parsed, Syntax};
use crate::scan::source::{Kind, SourceFile, Span};

/// Values of documents and .env files that are encrypted as they stand, each with its name and the reason to leave it.
pub fn encrypted(parsed: &Parsed) -> Vec<(&str, String, Span, &'static str)> {
    match &parsed.syntax {
        Syntax::Documents(roots) => roots.iter().flat_map(documents::encrypted).collect(),
        Syntax::Env(entries) => {
            let own = entries.iter().filter(|entry| is_encrypted(entry));
            own.map(|entry| (entry.key.as_str(), entry.value.clone(), entry.value_span, documents::SOPS)).collect()
        }
        _ => Vec::new(),
    }
}

/// How a value is bound to its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Binding {
    /// Written as the value.
    Set,
    /// Used when nothing else is set.
    Default,
    /// Compared with.
    Compared,
    /// An account that a migration or seed creates.
    Seeded,
}

/// A literal with the name it stands under.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// The name.
    pub name: String,
    /// The value that a program would see.
    pub value: String,
    /// Where it stands.
    pub span: Span,
    /// How it is bound.
    pub binding: Binding,
    /// What kind of place it stands in.
    pub location: Location,
    /// Compiled for tests only.
    pub test: bool,
    /// Only used in development: behind `cfg(debug_assertions)`, in a build stage, a CI service.
    pub development: bool,
}

impl Candidate {
    /// A value that is set, at the file's location.
    pub fn new(name: impl Into<String>, value: impl Into<String>, span: Span, location: Location) -> Candidate {
        Candidate {
            name: name.into(),
            value: value.into(),
            span,
            binding: Binding::Set,
            location,
            test: false,
            development: false,
        }
    }
}

/// Parts of a file that do not run in production.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Regions {
    /// Compiled for tests only.
    pub test: Vec<Span>,
    /// Compiled for development builds only.
    pub development: Vec<Span>,
}

impl Regions {
    /// Whether a place is compiled for tests only.
    pub fn is_test(&self, span: Span) -> bool {
        self.test.iter().any(|region| region.holds(span))
    }

    /// Whether a place is compiled for development builds only.
    pub fn is_development(&self, span: Span) -> bool {
        self.development.iter().any(|region| region.holds(span))
    }
}

/// A file as what follows reads it: Rust by its tokens, parsed or not, so that no result depends on a parse.
pub struct Reading<'f> {
    file: &'f SourceFile,
    parsed: &'f Parsed,
    code: Option<rust::Code<'f>>,
}

impl<'f> Reading<'f> {
    /// Reads a file.
    pub fn new(file: &'f SourceFile, parsed: &'f Parsed) -> Reading<'f> {
        let code = (file.kind == Kind::Rust).then(|| rust::Code::new(&file.text));
        Reading { file, parsed, code }
    }

    /// Parts that do not run in production; only Rust tells.
    pub fn regions(&self) -> Regions {
        self.code.as_ref().map(rust::Code::regions).unwrap_or_default()
    }

    /// Values that the file itself calls examples.
    pub fn examples(&self) -> Vec<String> {
        let code = self.code.as_ref().filter(|_| self.file.text.contains("example"));
        code.map(rust::Code::examples).unwrap_or_default()
    }

    /// Whether a place is commented out.
    pub fn is_commented(&self, span: Span) -> bool {
        let holds = |comment: Option<Span>| comment.is_some_and(|comment| comment.holds(span));
        match &self.code {
            Some(code) => {
                let after = code.comments.partition_point(|comment| comment.end <= span.start);
                holds(code.comments.get(after).copied())
            }
            None => {
                let comments = &self.parsed.comments;
                let after = comments.partition_point(|comment| comment.span.end <= span.start);
                holds(comments.get(after).map(|comment| comment.span))
            }
        }
    }

    /// All candidates.
    pub fn candidates(&self, setting: &Setting) -> Vec<Candidate> {
        of(self.file, self.parsed, self.code.as_ref(), setting)
    }
}

fn of(file: &SourceFile, parsed: &Parsed, code: Option<&rust::Code<'_>>, setting: &Setting) -> Vec<Candidate> {
    let mut found = match (&parsed.syntax, file.kind) {
        (_, Kind::Rust) => code.map(rust::Code::candidates).unwrap_or_default(),
        (Syntax::Documents(roots), _) => documents::candidates(roots, file, setting),
        (Syntax::Dockerfile(dockerfile), _) => image::candidates(dockerfile),
        (Syntax::Env(entries), _) => {
            let entries = entries.iter().filter(|entry| !entry.value.is_empty());
            entries.map(|entry| Candidate::new(&entry.key, &entry.value, entry.value_span, setting.location)).collect()
        }
        (Syntax::Sections(sections), _) => lines::sections(sections, setting),
        (_, Kind::Sql) => sql::candidates(&file.text),
        (_, Kind::Shell | Kind::Make | Kind::Just | Kind::Procfile) => lines::shell(&file.text, setting),
        (_, Kind::Env) => lines::shell(&file.text, setting),
        (_, Kind::OtherCode | Kind::Text | Kind::Html) => code::candidates(&file.text, setting),
        _ => Vec::new(),
    };
    let defaults = defaults_in(&found);
    found.extend(defaults);
    found
}

/// `${NAME:-default}` and `${NAME:default}`: what stands in when nothing is set.
fn defaults_in(found: &[Candidate]) -> Vec<Candidate> {
    let mut inner = Vec::new();
    for candidate in found.iter().filter(|candidate| candidate.value.contains("${")) {
        let Some((_, rest)) = candidate.value.split_once("${") else { continue };
        // `${{ .. }}` is an expression of a pipeline.
        let Some((body, _)) = rest.split_once('}').filter(|_| !rest.starts_with('{')) else { continue };
        let default = body.split_once(":-").or_else(|| body.split_once('-')).or_else(|| body.split_once(':'));
        let Some((variable, value)) = default else { continue };
        if value.is_empty() || value.starts_with('?') {
            continue;
        }
        let mut default = candidate.clone();
        default.value = value.to_string();
        default.binding = Binding::Default;
        if default.name.is_empty() {
            default.name = variable.to_string();
        }
        inner.push(default);
    }
    inner
}

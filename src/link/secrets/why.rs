//! Why each value of a line was taken for a secret or not: the search again, with its reasons kept.

use super::candidates::{self, Binding, Candidate, Reading};
use super::judge::{self, Verdict};
use super::naming::{self, Says};
use super::patterns::{self, Miss, Near};
use super::search::{self, Hit};
use super::setting::{self, Location, Setting, Stage};
use super::shape::{self, Shape};
use super::{redact, urls};
use crate::link::Repository;
use crate::parse::Parsed;
use crate::scan::source::{Role, SourceFile, Span};

/// What was seen on a line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    /// Why the file was not searched at all.
    pub unsearched: Option<&'static str>,
    /// Values that were looked at, in order of place.
    pub values: Vec<Value>,
    /// What nearly was a candidate, a sentence each.
    pub near: Vec<String>,
}

/// A value that was looked at.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// Where it stands.
    pub span: Span,
    /// The name it stands under; empty without one.
    pub name: String,
    /// Enough of it to recognise it.
    pub redacted: String,
    /// Characters.
    pub length: usize,
    /// Bits a character.
    pub entropy: f64,
    /// What it looks like, in words.
    pub looks: String,
    /// What made it a candidate, in words.
    pub seen_by: String,
    /// What was made of it.
    pub fate: Fate,
    /// Formats that it nearly has, and why it has not.
    pub near: Vec<String>,
}

/// What was made of a value.
#[derive(Clone, PartialEq, Debug)]
pub enum Fate {
    /// No name speaks of it and it has no known format: it was not judged.
    Passed(String),
    /// It is none, for this reason.
    None(String),
    /// It is a secret, for these reasons.
    Secret(Vec<String>),
}

/// Most kinds whose keyword alone stands on a line that are named.
const MOST_NEAR: usize = 5;

/// What was seen on a 1-based line of a file.
pub fn line(repository: &Repository, file: &SourceFile, line: u32) -> Line {
    let (_, parsed) = repository.get(file.id);
    if let Some(reason) = search::unsearched(file) {
        return Line { unsearched: Some(reason), ..Line::default() };
    }
    let place = if file.text.is_empty() { Span::new(0, 1) } else { file.line_span(line) };
    let seen = Seen::of(file, parsed, place);
    let mut values = seen.secrets();
    seen.encrypted(&mut values);
    seen.dropped(&mut values);
    seen.passed(&mut values);
    let near = seen.near(&mut values);
    values.sort_by_key(|value| (value.span.start, value.span.end));
    Line { unsearched: None, values, near }
}

/// A file as the search saw it.
struct Seen<'s> {
    file: &'s SourceFile,
    parsed: &'s Parsed,
    setting: Setting,
    named: Vec<Candidate>,
    found: search::Found,
    /// The line.
    place: Span,
}

impl<'s> Seen<'s> {
    fn of(file: &'s SourceFile, parsed: &'s Parsed, place: Span) -> Seen<'s> {
        let setting = setting::of(file, parsed);
        let named = Reading::new(file, parsed).candidates(&setting);
        Seen { file, parsed, setting, named, found: search::file(file, parsed), place }
    }

    /// An empty span at the start of a line is on it: a key store has no text.
    fn is_here(&self, span: Span) -> bool {
        let (start, end) = (self.place.start, self.place.end.max(self.place.start + 1));
        span.start < end && (span.end > start || span.start == start)
    }

    fn secrets(&self) -> Vec<Value> {
        let here = self.found.hits.iter().filter(|hit| self.is_here(hit.span));
        here.map(|hit| {
            let seen_by = match (hit.by_name, hit.kind.as_str()) {
                (true, _) => self.by_name(&hit.name, self.candidate(hit.span)),
                (_, "url-password") => format!("it stands as a {}", hit.title),
                (_, "key-store") => "the ending of the file's name is that of a key store".to_string(),
                _ => format!("its format is known: {}", hit.title),
            };
            Value { fate: Fate::Secret(self.reasons(hit)), ..value(hit.span, &hit.name, &hit.value, seen_by) }
        })
        .collect()
    }

    fn reasons(&self, hit: &Hit) -> Vec<String> {
        let judgement = &hit.judgement;
        let mut said = Vec::new();
        if !hit.by_name && patterns::find(&self.file.text).iter().any(|found| found.span == hit.span && found.unsure) {
            said.push("the format alone is not sure, or its checksum is not right".to_string());
        }
        if judgement.default_value {
            said.push("what is around it or its name says that it stands in when nothing else is set".to_string());
        }
        if judgement.development_only {
            said.push(format!("for development only: {}", self.development(hit)));
        }
        if hit.role != Role::Service {
            said.push(format!("it stands in code with the role {}", hit.role.word()));
        }
        if !hit.tracked {
            said.push("git does not track the file".to_string());
        }
        if !hit.proven && self.found.examples.contains(&hit.value) {
            said.push("this file calls the same value an example".to_string());
        }
        said
    }

    /// Why production does not start with it.
    fn development(&self, hit: &Hit) -> &'static str {
        let candidate = self.candidate(hit.span);
        let region = Reading::new(self.file, self.parsed).regions().is_development(hit.span);
        match () {
            () if self.file.role == Role::Development => "the file sets up a developer's machine",
            () if region || candidate.is_some_and(|candidate| candidate.development) => {
                "it is in a part that production does not have: a debug build, an earlier build stage, a build argument"
            }
            () if self.setting.stage == Stage::Development => "the path names an environment for development or tests",
            () if hit.kind == "url-password" => "an everyday account of a database on this machine or beside it",
            () if self.setting.location == Location::Ci => "a pipeline starts the services that it opens itself",
            () if !hit.by_name => "a key of the provider's test mode",
            () => "an everyday value, as set-ups for development have",
        }
    }

    fn dropped(&self, values: &mut Vec<Value>) {
        let formats = patterns::find(&self.file.text);
        let addresses = urls::find(&self.file.text);
        let here: Vec<_> = self.found.none.iter().filter(|(span, _)| self.is_here(*span)).collect();
        for (span, reason) in here {
            let candidate = self.candidate(*span);
            let format = formats.iter().find(|found| found.span == *span);
            let url = addresses.iter().find(|url| url.span == *span);
            let name = candidate.map_or("", |candidate| candidate.name.as_str());
            let seen_by = match (format, url) {
                (Some(found), _) => format!("its format is known: {}", found.kind.title),
                (None, Some(url)) => format!("it stands as a password in a `{}` URL", url.scheme),
                _ => self.by_name(name, candidate),
            };
            let text = candidate.map_or_else(|| self.file.slice(*span), |candidate| candidate.value.as_str());
            // A reader can give the same literal under two names.
            if values.iter().all(|known| known.span != *span) {
                let fate = Fate::None(self.meaning(reason));
                values.push(Value { fate, ..value(*span, name, text, seen_by) });
            }
        }
        for url in addresses.iter().filter(|url| self.is_here(url.span)) {
            let comments = &self.parsed.comments;
            let commented = comments.iter().any(|comment| comment.span.holds(url.span));
            if commented && !covered(values, url.span) {
                let seen_by = format!("it stands as a password in a `{}` URL", url.scheme);
                let fate = Fate::None("it is in a comment: nothing runs with it".to_string());
                values.push(Value { fate, ..value(url.span, "", &url.password, seen_by) });
            }
        }
    }

    /// Values of documents that are encrypted as they stand.
    fn encrypted(&self, values: &mut Vec<Value>) {
        for (name, text, span, reason) in candidates::encrypted(self.parsed) {
            if self.is_here(span) && !covered(values, span) && !text.is_empty() {
                let seen_by = format!("it stands under the name `{name}`");
                values.push(Value { fate: Fate::None(reason.to_string()), ..value(span, name, &text, seen_by) });
            }
        }
    }

    /// Literals that no name speaks of.
    fn passed(&self, values: &mut Vec<Value>) {
        for candidate in self.named.iter().filter(|candidate| self.is_here(candidate.span)) {
            let unnamed = judge::judge(candidate, self.file, &self.setting) == Verdict::Unnamed;
            if !unnamed || covered(values, candidate.span) || candidate.value.is_empty() {
                continue;
            }
            let seen_by = format!("it stands under the name `{}`", candidate.name);
            let fate = Fate::Passed(format!(
                "`{}` does not say that its value is secret, as `{}` would",
                candidate.name, "api_token"
            ));
            values.push(Value { fate, ..value(candidate.span, &candidate.name, &candidate.value, seen_by) });
        }
    }

    /// Formats that something on the line nearly has: said of the value where there is one.
    fn near(&self, values: &mut Vec<Value>) -> Vec<String> {
        let mut loose = Vec::new();
        let settled = values.iter().any(|value| matches!(value.fate, Fate::Secret(_)));
        for near in patterns::near(&self.file.text, self.place) {
            let within = |value: &&mut Value| value.span.start <= near.span.start && near.span.end <= value.span.end;
            match values.iter_mut().find(within) {
                Some(value) if matches!(value.fate, Fate::Secret(_)) => {}
                Some(value) if near.miss.is_some() && matches!(value.fate, Fate::Passed(_)) => {
                    value.seen_by = format!("its format is nearly that of {}", near.kind.title);
                    value.fate = Fate::None(said(&near));
                }
                Some(value) => value.near.push(said(&near)),
                None if near.miss.is_some() => {
                    let seen_by = format!("its format is nearly that of {}", near.kind.title);
                    let fate = Fate::None(said(&near));
                    values.push(Value { fate, ..value(near.span, "", self.file.slice(near.span), seen_by) });
                }
                None if settled => {}
                None => loose.push(said(&near)),
            }
        }
        loose.dedup();
        loose.truncate(MOST_NEAR);
        loose
    }

    fn candidate(&self, span: Span) -> Option<&Candidate> {
        let exactly = || self.named.iter().filter(|candidate| candidate.span == span);
        let speaks = |candidate: &&Candidate| naming::says(&candidate.name) != Says::Nothing;
        let around = || self.named.iter().find(|candidate| candidate.span.holds(span));
        exactly().find(speaks).or_else(|| exactly().next()).or_else(around)
    }

    fn by_name(&self, name: &str, candidate: Option<&Candidate>) -> String {
        if candidate.is_some_and(|candidate| candidate.binding == Binding::Seeded) {
            return format!("an account is created with it as `{name}`");
        }
        if name == "signing_key" {
            return "it is given to a call that takes a key".to_string();
        }
        let of = match naming::says(name) {
            Says::Password => "a password",
            Says::Secret => "a secret, or a key that signs or encrypts",
            _ => "a token or key",
        };
        format!("its name `{name}` speaks of {of}")
    }

    /// A reason of the search in a sentence.
    fn meaning(&self, reason: &str) -> String {
        let more = match reason {
            "an example" if self.setting.sample => "the file's name says that it is a sample to be filled in",
            "an example" if self.setting.examples => "values of schemas, translations and generated files are examples",
            "an example" => "its host, its key or the comment around it says so",
            "a placeholder" => "text that asks to be replaced opens nothing",
            "plain words" => "words are too weak a sign under this name in this kind of file",
            "a name" => "the value is a name itself, of a variable, a header or a key",
            "a reference" => "the value comes from elsewhere when the program runs",
            "a hash or checksum" => "what it was made from cannot be read from it",
            "a setting" => "one of the words that settings with such names take",
            "too short" => "a credential has three characters or more",
            "compared with a word" => "the code compares with it, and it is no random value",
            "a default that opens nothing" => "an everyday word under a name that may mean something else",
            _ => "",
        };
        if more.is_empty() { reason.to_string() } else { format!("{reason}: {more}") }
    }
}

fn covered(values: &[Value], span: Span) -> bool {
    values.iter().any(|value| value.span.start < span.end && span.start < value.span.end)
}

fn value(span: Span, name: &str, text: &str, seen_by: String) -> Value {
    Value {
        span,
        name: name.to_string(),
        redacted: redact(text),
        length: text.chars().count(),
        entropy: shape::entropy(text),
        looks: looks(text),
        seen_by,
        fate: Fate::None(String::new()),
        near: Vec::new(),
    }
}

fn looks(text: &str) -> String {
    match shape::of(text) {
        Shape::Nothing(reason) => format!("is {reason}"),
        Shape::Placeholder => "is a placeholder".to_string(),
        Shape::Weak => "is one of the passwords everybody knows".to_string(),
        Shape::Words => "is plain words".to_string(),
        Shape::Plain => "is something a person could think of".to_string(),
        Shape::Random => "looks random".to_string(),
    }
}

fn said(near: &Near) -> String {
    let title = &near.kind.title;
    match near.miss {
        None => format!("a keyword of {title} stands here, but nothing of its format"),
        Some(Miss::Joined) => format!("no {title}: it is a part of something longer"),
        Some(Miss::Entropy(has)) => {
            format!("no {title}: {has:.1} bits a character, and a real one has at least {:.1}", near.kind.entropy)
        }
        Some(Miss::Documented) => format!("no {title}: an example value, as documentation writes them"),
        Some(Miss::Structure) => format!("no {title}: its structure or checksum is not that of one"),
    }
}

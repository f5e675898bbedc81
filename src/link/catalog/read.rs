//! TOML to entries, checked against the vocabulary; every error names its line.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value as Toml};

use super::LoadError;
use super::entry::{Effect, EffectValue, Entry, Example, Subject};
use super::versions::Range;
use crate::facts::{Attr, AttrSchema, AttrType, Confidence, FactSchema, Value, vocabulary};

/// A catalog file: lists of entries by subject.
type RawFile = BTreeMap<Spanned<String>, Vec<Spanned<RawEntry>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    path: Option<Strings>,
    name: Option<Strings>,
    #[serde(rename = "crate")]
    krate: Option<Strings>,
    receiver: Option<Strings>,
    versions: Option<Spanned<String>>,
    #[serde(default)]
    features: Vec<String>,
    fact: Spanned<String>,
    #[serde(default)]
    set: BTreeMap<String, Spanned<Toml>>,
    #[serde(default)]
    unknown: Vec<Spanned<String>>,
    #[serde(default)]
    arguments: BTreeMap<String, Spanned<Toml>>,
    #[serde(default)]
    methods: BTreeMap<String, Spanned<Toml>>,
    #[serde(default)]
    fields: BTreeMap<String, Spanned<Toml>>,
    #[serde(default)]
    ends: Vec<String>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    known: Vec<Spanned<String>>,
    #[serde(default)]
    part: bool,
    #[serde(default)]
    default: bool,
    confidence: Option<Spanned<String>>,
    #[serde(default)]
    matches: Vec<Spanned<Toml>>,
    #[serde(default)]
    not: Vec<Spanned<Toml>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Strings {
    One(String),
    Many(Vec<String>),
}

impl Strings {
    fn list(self) -> Vec<String> {
        match self {
            Strings::One(one) => vec![one],
            Strings::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEffect {
    attribute: Option<String>,
    argument: Option<usize>,
    value: Option<Toml>,
    #[serde(default)]
    unknown: bool,
    merge: Option<usize>,
    scale: Option<f64>,
    unless: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    code: String,
    #[serde(default)]
    gives: BTreeMap<String, Toml>,
    version: Option<String>,
}

/// Reads one file. Entries that are wrong are left out and reported.
pub fn read(path: &str, text: &str, entries: &mut Vec<Entry>, errors: &mut Vec<LoadError>) {
    let lines = Lines { path, text };
    let raw: RawFile = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            errors.push(lines.error(at, error.message()));
            return;
        }
    };
    for (key, list) in raw {
        let Some((_, subject)) = Subject::ALL.iter().find(|(name, _)| name == key.get_ref()) else {
            errors.push(lines.error(key.span().start, &format!("unknown kind of entry `{}`", key.get_ref())));
            continue;
        };
        for entry in list {
            let at = entry.span().start;
            match Reader::of(&lines, at, &entry.get_ref().fact) {
                Ok(reader) => match reader.entry(*subject, entry.into_inner()) {
                    Ok(found) => entries.extend(found),
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(error),
            }
        }
    }
}

struct Lines<'a> {
    path: &'a str,
    text: &'a str,
}

impl Lines<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn error(&self, at: usize, message: &str) -> LoadError {
        LoadError { path: self.path.to_string(), line: self.line(at), message: message.to_string() }
    }
}

/// Reads one entry whose kind of fact is known.
struct Reader<'a> {
    lines: &'a Lines<'a>,
    at: usize,
    schema: &'static FactSchema,
}

type Read<T> = Result<T, LoadError>;

impl<'a> Reader<'a> {
    fn of(lines: &'a Lines<'a>, at: usize, fact: &Spanned<String>) -> Read<Reader<'a>> {
        match vocabulary::schema(fact.get_ref()) {
            Some(schema) => Ok(Reader { lines, at, schema }),
            None => Err(lines.error(fact.span().start, &format!("unknown fact `{}`", fact.get_ref()))),
        }
    }

    fn fail<T>(&self, at: usize, message: String) -> Read<T> {
        Err(self.lines.error(at, &message))
    }

    fn entry(&self, subject: Subject, raw: RawEntry) -> Read<Vec<Entry>> {
        let paths = self.paths(subject, &raw)?;
        let template = Entry {
            subject,
            krate: String::new(),
            tail: Vec::new(),
            versions: self.versions(raw.versions.as_ref())?,
            features: raw.features,
            fact: self.schema.kind,
            set: self.set(&raw.set, &raw.unknown)?,
            arguments: self.arguments(&raw.arguments)?,
            methods: self.effects(&raw.methods)?,
            fields: self.effects(&raw.fields)?,
            ends: raw.ends,
            requires: raw.requires,
            known: self.names(&raw.known)?,
            part: raw.part,
            is_default: raw.default,
            confidence: self.confidence(raw.confidence.as_ref())?,
            examples: self.examples(&raw.matches, &raw.not)?,
            receivers: raw.receiver.map(Strings::list).unwrap_or_default(),
            origin: (self.lines.path.to_string(), self.lines.line(self.at)),
        };
        // Examples belong to the first of an entry's paths: one of them is enough to prove the entry.
        let mut entries = Vec::with_capacity(paths.len());
        for (krate, tail) in paths {
            let examples = if entries.is_empty() { template.examples.clone() } else { Vec::new() };
            entries.push(Entry { krate, tail, examples, ..template.clone() });
        }
        Ok(entries)
    }

    fn paths(&self, subject: Subject, raw: &RawEntry) -> Read<Vec<(String, Vec<String>)>> {
        let list = |strings: &Option<Strings>| match strings {
            Some(Strings::One(one)) => vec![one.clone()],
            Some(Strings::Many(many)) => many.clone(),
            None => Vec::new(),
        };
        let (paths, names, crates) = (list(&raw.path), list(&raw.name), list(&raw.krate));
        let found: Vec<(String, Vec<String>)> = match subject {
            Subject::Method => {
                let crates = if crates.is_empty() { vec![String::new()] } else { crates };
                let pair = |krate: &String| {
                    let krate = code_name(krate);
                    names.iter().map(move |name| (krate.clone(), vec![name.clone()])).collect::<Vec<_>>()
                };
                crates.iter().flat_map(pair).collect()
            }
            Subject::Dependency => crates.iter().map(|krate| (code_name(krate), Vec::new())).collect(),
            _ => paths.iter().filter_map(|path| split(path)).collect(),
        };
        let needed = match subject {
            Subject::Method => "name",
            Subject::Dependency => "crate",
            _ => "path",
        };
        if found.is_empty() {
            return self.fail(self.at, format!("the entry needs `{needed}` (a path starts with its crate)"));
        }
        Ok(found)
    }

    fn versions(&self, text: Option<&Spanned<String>>) -> Read<Option<Range>> {
        let Some(text) = text else { return Ok(None) };
        match Range::parse(text.get_ref()) {
            Some(range) => Ok(Some(range)),
            None => self.fail(text.span().start, format!("`{}` is no range such as `>=0.6, <0.8`", text.get_ref())),
        }
    }

    fn confidence(&self, text: Option<&Spanned<String>>) -> Read<Confidence> {
        let Some(text) = text else { return Ok(Confidence::High) };
        match text.get_ref().as_str() {
            "high" => Ok(Confidence::High),
            "medium" => Ok(Confidence::Medium),
            "low" => Ok(Confidence::Low),
            other => self.fail(text.span().start, format!("confidence is high, medium or low, not `{other}`")),
        }
    }

    fn attribute(&self, name: &str, at: usize) -> Read<&'static AttrSchema> {
        let found = self.schema.attributes.iter().find(|attribute| attribute.name == name);
        match found {
            Some(attribute) => Ok(attribute),
            None => self.fail(at, format!("fact `{}` has no attribute `{name}`", self.schema.name)),
        }
    }

    fn value(&self, attribute: &AttrSchema, value: &Toml, at: usize) -> Read<Attr<Value>> {
        let typed = match (attribute.ty, value) {
            (AttrType::Text, Toml::String(text)) => Some(Value::Text(text.clone())),
            (AttrType::Number, Toml::Integer(number)) => Some(Value::Number(*number as f64)),
            (AttrType::Number, Toml::Float(number)) => Some(Value::Number(*number)),
            (AttrType::Flag, Toml::Boolean(flag)) => Some(Value::Flag(*flag)),
            (AttrType::List, Toml::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_string)).collect::<Option<_>>().map(Value::List)
            }
            _ => None,
        };
        match typed {
            Some(value) => Ok(Attr::Known(value)),
            None => self.fail(at, format!("`{}` is a {:?}, and `{value}` is none", attribute.name, attribute.ty)),
        }
    }

    fn set(
        &self,
        set: &BTreeMap<String, Spanned<Toml>>,
        unknown: &[Spanned<String>],
    ) -> Read<Vec<(&'static str, Attr<Value>)>> {
        let mut values = Vec::with_capacity(set.len());
        for (name, value) in set {
            let at = value.span().start;
            let attribute = self.attribute(name, at)?;
            values.push((attribute.name, self.value(attribute, value.get_ref(), at)?));
        }
        values.extend(self.names(unknown)?.into_iter().map(|name| (name, Attr::Unknown)));
        Ok(values)
    }

    fn names(&self, raw: &[Spanned<String>]) -> Read<Vec<&'static str>> {
        raw.iter().map(|name| Ok(self.attribute(name.get_ref(), name.span().start)?.name)).collect()
    }

    fn arguments(&self, raw: &BTreeMap<String, Spanned<Toml>>) -> Read<Vec<Effect>> {
        let mut effects = Vec::new();
        for (position, value) in raw {
            let at = value.span().start;
            let Ok(position) = position.parse::<usize>() else {
                return self.fail(at, format!("`arguments.{position}` is no position"));
            };
            for mut effect in self.effect_list(value)? {
                if matches!(effect.value, EffectValue::Argument(_)) {
                    effect.value = EffectValue::Argument(position);
                }
                effects.push(effect);
            }
        }
        Ok(effects)
    }

    fn effects(&self, raw: &BTreeMap<String, Spanned<Toml>>) -> Read<BTreeMap<String, Vec<Effect>>> {
        raw.iter().map(|(name, value)| Ok((name.clone(), self.effect_list(value)?))).collect()
    }

    fn effect_list(&self, value: &Spanned<Toml>) -> Read<Vec<Effect>> {
        let at = value.span().start;
        match value.get_ref() {
            Toml::Array(items) => items.iter().map(|item| self.effect(item, at)).collect(),
            one => Ok(vec![self.effect(one, at)?]),
        }
    }

    fn effect(&self, value: &Toml, at: usize) -> Read<Effect> {
        let raw: RawEffect = match value.clone().try_into() {
            Ok(raw) => raw,
            Err(error) => return self.fail(at, error.message().to_string()),
        };
        let scale = raw.scale.unwrap_or(1.0);
        if let Some(position) = raw.merge {
            return Ok(Effect {
                attribute: None,
                value: EffectValue::Merge { position, blind: raw.unknown },
                scale,
                unless: None,
            });
        }
        let Some(name) = raw.attribute else {
            return self.fail(at, "an effect needs `attribute` or `merge`".to_string());
        };
        let attribute = self.attribute(&name, at)?;
        let value = match (&raw.value, raw.unknown) {
            (Some(value), _) => EffectValue::Fixed(self.value(attribute, value, at)?),
            (None, true) => EffectValue::Fixed(Attr::Unknown),
            (None, false) => EffectValue::Argument(raw.argument.unwrap_or(0)),
        };
        Ok(Effect { attribute: Some(attribute.name), value, scale, unless: raw.unless })
    }

    fn examples(&self, matches: &[Spanned<Toml>], not: &[Spanned<Toml>]) -> Read<Vec<Example>> {
        let mut examples = Vec::new();
        for (list, expected) in [(matches, true), (not, false)] {
            for example in list {
                examples.push(self.example(example, expected)?);
            }
        }
        Ok(examples)
    }

    fn example(&self, value: &Spanned<Toml>, matches: bool) -> Read<Example> {
        let at = value.span().start;
        let line = self.lines.line(at);
        if let Toml::String(code) = value.get_ref() {
            return Ok(Example { code: code.clone(), matches, gives: Vec::new(), version: None, line });
        }
        let raw: RawExample = match value.get_ref().clone().try_into() {
            Ok(raw) => raw,
            Err(error) => return self.fail(at, error.message().to_string()),
        };
        let mut gives = Vec::new();
        for (name, value) in &raw.gives {
            let attribute = self.attribute(name, at)?;
            let expected = match value.as_str() {
                Some("<unknown>") => Attr::Unknown,
                Some("<unset>") => Attr::Unset,
                _ => self.value(attribute, value, at)?,
            };
            gives.push((attribute.name, expected));
        }
        Ok(Example { code: raw.code, matches, gives, version: raw.version, line })
    }
}

/// The name of a crate in code.
fn code_name(krate: &str) -> String {
    krate.replace('-', "_")
}

/// Crate and the rest of a path; `None` for a path of one segment.
fn split(path: &str) -> Option<(String, Vec<String>)> {
    let mut segments = path.split("::");
    let krate = segments.next()?;
    let tail: Vec<String> = segments.map(str::to_string).collect();
    (!tail.is_empty()).then(|| (code_name(krate), tail))
}

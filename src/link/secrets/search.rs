//! Searches one file, in three passes: formats of providers, URLs, names. What one pass found the next leaves alone.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::candidates::{Binding, Candidate, Reading, Regions};
use super::judge::{self, Judgement, Verdict};
use super::setting::{self, Location, Setting};
use super::{detectors, naming, patterns, urls};
use crate::facts::Confidence;
use crate::parse::Parsed;
use crate::scan::source::{FileId, Kind, Role, SourceFile, Span};

/// A secret at one place.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The file.
    pub file: FileId,
    /// Where the value stands.
    pub span: Span,
    /// The value as a program would see it.
    pub value: String,
    /// The name it stands under.
    pub name: String,
    /// Kind in facts.
    pub kind: String,
    /// Kind in words.
    pub title: String,
    /// What it opens and how to revoke it.
    pub revoke: String,
    /// Its name tells it, not its format.
    pub by_name: bool,
    /// The structure of its format was checked: it is one of its kind for certain.
    pub proven: bool,
    /// Role of the code it stands in.
    pub role: Role,
    /// Git tracks the file.
    pub tracked: bool,
    /// The place.
    pub setting: Setting,
    /// How it was judged.
    pub judgement: Judgement,
}

/// What one file gave.
#[derive(Default)]
pub struct Found {
    /// Secrets in order.
    pub hits: Vec<Hit>,
    /// Literals that are none, with the reason.
    pub none: Vec<(Span, &'static str)>,
    /// Values that the file calls examples.
    pub examples: Vec<String>,
}

/// Searches a file.
pub fn file(file: &SourceFile, parsed: &Parsed) -> Found {
    if file.text.is_empty() {
        return Found { hits: key_store(file).into_iter().collect(), ..Found::default() };
    }
    if unsearched(file).is_some() {
        return Found::default();
    }
    let setting = setting::of(file, parsed);
    let reading = Reading::new(file, parsed);
    let mut named = reading.candidates(&setting);
    named.sort_by_key(|candidate| (candidate.span.start, candidate.span.end));
    let found = Found { examples: reading.examples(), ..Found::default() };
    let taken = BTreeMap::new();
    let regions = OnceCell::new();
    let mut search = Search { file, reading: &reading, setting: &setting, named: &named, regions, taken, found };
    patterns::find(&file.text).iter().for_each(|found| search.pattern(found));
    urls::find(&file.text).iter().for_each(|url| search.url(url));
    named.iter().for_each(|candidate| search.named(candidate));
    search.found.hits.sort_by_key(|hit| (hit.span.start, hit.span.end));
    search.found
}

/// Why a file is not searched.
pub fn unsearched(file: &SourceFile) -> Option<&'static str> {
    let lock = file.kind == Kind::CargoLock || is_lock(file.name());
    lock.then_some("lock files, lists of checksums and minified files are not searched")
}

/// Files that tools write: the hashes in them are no secrets.
pub fn is_lock(name: &str) -> bool {
    let ends = [".lock", "-lock.json", "-lock.yaml", ".sum"].iter().any(|ending| name.ends_with(ending));
    ends || name.contains(".min.")
}

struct Search<'s> {
    file: &'s SourceFile,
    reading: &'s Reading<'s>,
    setting: &'s Setting,
    /// Sorted by place.
    named: &'s [Candidate],
    regions: OnceCell<Regions>,
    /// Start and end of what was found; none overlaps another.
    taken: BTreeMap<u32, u32>,
    found: Found,
}

impl<'s> Search<'s> {
    fn regions(&self) -> &Regions {
        self.regions.get_or_init(|| self.reading.regions())
    }

    /// The named literal that holds a place.
    fn around(&self, span: Span) -> Option<&'s Candidate> {
        let after = self.named.partition_point(|candidate| candidate.span.start <= span.start);
        self.named[..after].iter().rev().take(4).find(|candidate| span.end <= candidate.span.end)
    }

    fn commented(&self, span: Span) -> bool {
        self.reading.is_commented(span)
    }

    fn role(&self, span: Span) -> Role {
        if self.regions().is_test(span) { Role::Test } else { self.file.role }
    }

    fn is_taken(&self, span: Span) -> bool {
        self.taken.range(..span.end).next_back().is_some_and(|(_, end)| *end > span.start)
    }

    fn hit(&self, span: Span, value: &str, judgement: Judgement) -> Hit {
        // What a developer's machine is set up with is nothing that production starts with.
        let development_only = judgement.development_only || self.file.role == Role::Development;
        Hit {
            file: self.file.id,
            span,
            value: value.to_string(),
            name: String::new(),
            kind: String::new(),
            title: String::new(),
            revoke: String::new(),
            by_name: false,
            proven: false,
            role: self.file.role,
            tracked: tracked(self.file),
            setting: self.setting.clone(),
            judgement: Judgement { development_only, ..judgement },
        }
    }

    fn add(&mut self, hit: Hit) {
        self.taken.insert(hit.span.start, hit.span.end);
        self.found.hits.push(hit);
    }

    fn pattern(&mut self, found: &patterns::Match) {
        let value = self.file.slice(found.span).to_string();
        self.known(found, &value);
    }

    /// A value of a known format, as a program would see it.
    fn known(&mut self, found: &patterns::Match, value: &str) {
        if let Some(reason) = self.harmless(found) {
            self.found.none.push((found.span, reason));
            return;
        }
        let called = self.around(found.span).map_or("", |candidate| candidate.name.as_str());
        // A key that counts how a program is used is in every copy of the program.
        let counts = found.unsure && self.setting.location == Location::Code && naming::counts(called);
        let judgement = Judgement {
            confidence: match () {
                () if counts => Confidence::Low,
                () if found.unsure => Confidence::Medium,
                () => Confidence::High,
            },
            development_only: found.kind.test_mode || self.regions().is_development(found.span),
            default_value: false,
            distinctive: true,
        };
        let name = self.around(found.span).map_or(self.file.name(), |candidate| &candidate.name);
        self.add(Hit {
            name: name.to_string(),
            kind: found.kind.id.clone(),
            title: found.kind.title.clone(),
            revoke: found.kind.revoke.clone(),
            proven: found.kind.proves() && !found.unsure,
            role: self.role(found.span),
            ..self.hit(found.span, value, judgement)
        });
    }

    /// Why a value of a known format is none here.
    fn harmless(&self, found: &patterns::Match) -> Option<&'static str> {
        let called = self.around(found.span).map_or("", |candidate| candidate.name.as_str());
        let proven = found.kind.proves() && !found.unsure;
        let named = || naming::words(called).iter().any(|word| matches!(word.as_str(), "example" | "examples"));
        let example = self.setting.examples || !proven && named();
        if example || found.unsure && (self.setting.sample || self.commented(found.span)) {
            return Some("an example");
        }
        if detectors::matches(&self.file.text, self.file.slice(found.span)) {
            return Some("an example beside the pattern that finds it");
        }
        // Templates of workflows lie anywhere.
        let store = if self.setting.location == Location::Ci { "secrets." } else { "${{ secrets." };
        let elsewhere = found.kind.id_only && self.file.text.contains(store);
        elsewhere.then_some("the name of a key whose secret comes from a store")
    }

    fn url(&mut self, url: &urls::Url) {
        if self.commented(url.span) || self.is_taken(url.span) {
            return;
        }
        let candidate = self.around(url.span);
        let binding = candidate.map_or(Binding::Set, |candidate| candidate.binding);
        let development = candidate.is_some_and(|candidate| candidate.development);
        let idle = development || self.regions().is_development(url.span);
        let judgement = match urls::judge(url, &urls::Around { setting: self.setting, idle, binding }) {
            Verdict::Secret(judgement) => judgement,
            Verdict::None(reason) => return self.found.none.push((url.span, reason)),
            Verdict::Unnamed => return,
        };
        let name = candidate.map_or_else(|| format!("{}@{}", url.user, url.host), |candidate| candidate.name.clone());
        self.add(Hit {
            name,
            kind: "url-password".to_string(),
            title: format!("password in a `{}` URL", url.scheme),
            revoke: "change the password of this account, then pass the URL in from outside".to_string(),
            role: self.role(url.span),
            ..self.hit(url.span, &url.password, judgement)
        });
    }

    fn named(&mut self, candidate: &Candidate) {
        let span = candidate.span;
        if self.is_taken(span) {
            return;
        }
        if let Some(found) = patterns::named(&candidate.name, &candidate.value, span) {
            return self.known(&found, &candidate.value);
        }
        let judgement = match judge::judge(candidate, self.file, self.setting) {
            Verdict::Secret(judgement) => judgement,
            Verdict::None(reason) => return self.found.none.push((span, reason)),
            Verdict::Unnamed => return,
        };
        let revoke = "change it where it is accepted, then read it from the environment or a secrets manager";
        self.add(Hit {
            name: candidate.name.strip_suffix(".secret").unwrap_or(&candidate.name).to_string(),
            kind: "credential".to_string(),
            title: title(candidate).to_string(),
            revoke: revoke.to_string(),
            by_name: true,
            role: if candidate.test { Role::Test } else { self.file.role },
            setting: Setting { location: candidate.location, ..self.setting.clone() },
            ..self.hit(span, &candidate.value, judgement)
        });
    }
}

fn tracked(file: &SourceFile) -> bool {
    file.tracked.unwrap_or(!file.ignored)
}

fn title(candidate: &Candidate) -> &'static str {
    match (candidate.binding, naming::says(&candidate.name)) {
        (Binding::Seeded, _) => "account with a password that is in the repository",
        (_, naming::Says::Password) => "password",
        (_, naming::Says::Secret) => "secret",
        _ => "token or key",
    }
}

/// Files whose format is made to keep keys.
pub fn is_key_store(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk"].iter().any(|ending| name.ends_with(ending))
}

/// A key store that git tracks is one whatever is in it.
fn key_store(file: &SourceFile) -> Option<Hit> {
    if !is_key_store(file.name()) || file.size == 0 {
        return None;
    }
    let setting = Setting {
        location: Location::KeyFile,
        environment: None,
        stage: setting::Stage::Common,
        sample: false,
        examples: false,
    };
    let judgement = Judgement {
        confidence: Confidence::Medium,
        development_only: file.role == Role::Development,
        default_value: false,
        distinctive: true,
    };
    Some(Hit {
        file: file.id,
        span: Span::default(),
        value: format!("file {}", file.path),
        name: file.name().to_string(),
        kind: "key-store".to_string(),
        title: "key store".to_string(),
        revoke: "replace the keys in it and revoke their certificates".to_string(),
        by_name: false,
        proven: true,
        role: file.role,
        tracked: tracked(file),
        setting,
        judgement,
    })
}

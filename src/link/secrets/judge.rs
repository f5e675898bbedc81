//! Whether a literal is a secret, by its name, its shape and where it stands.

use super::candidates::{Binding, Candidate};
use super::checks;
use super::naming::{self, Says};
use super::setting::{Location, Setting, Stage};
use super::shape::{self, Shape};
use crate::facts::Confidence;
use crate::scan::source::{Kind, SourceFile};

/// What was made of a literal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// No name speaks of it: not looked at.
    Unnamed,
    /// It is none, for this reason.
    None(&'static str),
    /// It is one.
    Secret(Judgement),
}

/// How a secret was judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// How sure.
    pub confidence: Confidence,
    /// Production does not start with it.
    pub development_only: bool,
    /// Production starts with it when nothing is set.
    pub default_value: bool,
    /// The same text elsewhere is the same secret; everyday words are not.
    pub distinctive: bool,
}

fn secret(confidence: Confidence, shape: Shape) -> Verdict {
    Verdict::Secret(Judgement {
        confidence,
        development_only: false,
        default_value: false,
        distinctive: matches!(shape, Shape::Random | Shape::Plain),
    })
}

fn development(shape: Shape) -> Verdict {
    match secret(Confidence::Medium, shape) {
        Verdict::Secret(judgement) => Verdict::Secret(Judgement { development_only: true, ..judgement }),
        other => other,
    }
}

fn default(confidence: Confidence, shape: Shape) -> Verdict {
    match secret(confidence, shape) {
        Verdict::Secret(judgement) => Verdict::Secret(Judgement { default_value: true, ..judgement }),
        other => other,
    }
}

/// A literal as the rules for a location see it.
struct Case<'c> {
    candidate: &'c Candidate,
    /// The name without what a reader added.
    name: &'c str,
    says: Says,
    shape: Shape,
    stage: Stage,
    file: &'c SourceFile,
}

/// Judges a named literal.
pub fn judge(candidate: &Candidate, file: &SourceFile, setting: &Setting) -> Verdict {
    let says = naming::says(&candidate.name);
    if candidate.binding == Binding::Seeded {
        return seeded(candidate, file);
    }
    if says == Says::Nothing {
        return Verdict::Unnamed;
    }
    if setting.examples || setting.sample {
        return Verdict::None("an example");
    }
    let shape = match shape::of(&candidate.value) {
        // What signs is a key, however much it reads like a sentence.
        Shape::Nothing("a sentence") if candidate.name == "signing_key" => Shape::Words,
        Shape::Random => decoded(&candidate.value).unwrap_or(Shape::Random),
        shape => shape,
    };
    if let Shape::Nothing(reason) = shape {
        return Verdict::None(reason);
    }
    let name = candidate.name.strip_suffix(".secret").unwrap_or(&candidate.name);
    let case = Case { candidate, name, says, shape, stage: setting.stage, file };
    let by_location: fn(&Case<'_>) -> Verdict = match candidate.location {
        Location::Code if file.kind == Kind::Rust => rust,
        Location::Code => other_code,
        Location::Config => config,
        Location::EnvFile => env_file,
        Location::Compose => compose,
        Location::Manifest => manifest,
        Location::Image => image,
        Location::Ci => pipeline,
        Location::Sql => sql,
        Location::Script => script,
        Location::KeyFile | Location::Document => return Verdict::None("documentation"),
    };
    by_location(&case)
}

/// An account with a password that everybody who reads the repository knows, or can guess at leisure.
fn seeded(candidate: &Candidate, file: &SourceFile) -> Verdict {
    let value = candidate.value.trim();
    let dynamic =
        value.len() < 4 || value.starts_with('$') && !value.starts_with("$2") && !value.starts_with("$argon2");
    if dynamic || matches!(shape::of(value), Shape::Nothing("a reference") | Shape::Placeholder) {
        return Verdict::None("no real password");
    }
    let migration = file.path.to_ascii_lowercase().contains("migration");
    if migration { secret(Confidence::Medium, Shape::Random) } else { development(Shape::Random) }
}

/// What a value in base 64 hides, where that is words: `dGVzdCBzZWNyZXQ=` is no more random than they are.
fn decoded(value: &str) -> Option<Shape> {
    let text = String::from_utf8(checks::decode(value)?).ok()?;
    let spoken = text.len() >= 8 && text.chars().all(|of| of.is_ascii_alphabetic() || " -_.,".contains(of));
    spoken.then(|| match shape::of(&text) {
        Shape::Nothing(_) | Shape::Plain => Shape::Words,
        shape => shape,
    })
}

impl Case<'_> {
    /// Its name says password or secret.
    fn sure_name(&self) -> bool {
        self.says >= Says::Password
    }

    /// The value is a name itself, or its own name.
    fn is_name(&self) -> bool {
        naming::is_identifier(&self.candidate.value)
            || naming::names_an_object(&self.candidate.value)
            || (self.shape != Shape::Random && naming::repeats(self.name, &self.candidate.value))
    }

    fn value_words(&self) -> usize {
        naming::words(&self.candidate.value).len()
    }

    fn random(&self) -> Verdict {
        // Keys that programs hand out to count their use are meant to be seen.
        if naming::counts(self.name) {
            return secret(Confidence::Low, self.shape);
        }
        let sure = self.sure_name() || self.candidate.value.len() >= 20;
        secret(if sure { Confidence::High } else { Confidence::Medium }, self.shape)
    }
}

/// Words of the paths of programs that make up data or load for a system that somebody tries out.
pub const FILLING: &[&str] = &["seeder", "seeders", "simulator", "loadgen", "playground"];

/// Programs that make up data or load for a system that somebody tries out.
pub fn fills_in(file: &SourceFile) -> bool {
    file.path.to_ascii_lowercase().split(['/', '-', '_', '.']).any(|word| FILLING.contains(&word))
}

fn rust(case: &Case<'_>) -> Verdict {
    if case.candidate.development || fills_in(case.file) {
        return development(case.shape);
    }
    match case.candidate.binding {
        Binding::Default => rust_default(case),
        Binding::Compared => match case.shape {
            Shape::Random | Shape::Plain if !case.is_name() => secret(Confidence::Medium, case.shape),
            _ => Verdict::None("compared with a word"),
        },
        _ => rust_value(case),
    }
}

/// The program starts with it unless somebody sets another.
fn rust_default(case: &Case<'_>) -> Verdict {
    let value = &case.candidate.value;
    if naming::is_identifier(value) || value.contains('_') && naming::repeats(case.name, value) {
        return Verdict::None("a name");
    }
    match (case.says, case.shape) {
        (Says::Secret, _) => default(Confidence::High, case.shape),
        (Says::Password, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Says::Password, _) => default(Confidence::Medium, case.shape),
        (_, Shape::Random) => default(Confidence::High, case.shape),
        (_, Shape::Plain) => default(Confidence::Medium, case.shape),
        _ => Verdict::None("a default that opens nothing"),
    }
}

fn rust_value(case: &Case<'_>) -> Verdict {
    let signs = case.says == Says::Secret && naming::signs(case.name);
    let given = case.name == "signing_key";
    if !given && case.is_name() {
        return Verdict::None("a name");
    }
    match case.shape {
        Shape::Random => case.random(),
        Shape::Plain if case.sure_name() => secret(Confidence::Medium, case.shape),
        Shape::Plain => secret(Confidence::Low, case.shape),
        Shape::Words if signs && case.value_words() >= 2 => secret(Confidence::Medium, case.shape),
        _ if given => secret(Confidence::Medium, case.shape),
        Shape::Weak if signs => secret(Confidence::Medium, case.shape),
        Shape::Placeholder => Verdict::None("a placeholder"),
        _ => Verdict::None("plain words"),
    }
}

fn other_code(case: &Case<'_>) -> Verdict {
    match case.shape {
        Shape::Random if case.is_name() => Verdict::None("a name"),
        Shape::Random => secret(Confidence::Medium, case.shape),
        Shape::Plain if case.sure_name() => secret(Confidence::Low, case.shape),
        _ => Verdict::None("plain words"),
    }
}

fn config(case: &Case<'_>) -> Verdict {
    let signs = case.says == Says::Secret && (naming::signs(case.name) || case.value_words() >= 3);
    match (case.stage, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Stage::Development, _) => development(case.shape),
        (_, Shape::Random) => case.random(),
        (_, Shape::Plain) if case.sure_name() => secret(Confidence::Medium, case.shape),
        (_, Shape::Plain) => secret(Confidence::Low, case.shape),
        (_, Shape::Words) if signs && !case.is_name() => secret(Confidence::Medium, case.shape),
        (Stage::Live, Shape::Weak | Shape::Words) if case.says == Says::Password => {
            secret(Confidence::Medium, case.shape)
        }
        (_, _) if case.says == Says::Password => development(case.shape),
        _ => Verdict::None("plain words"),
    }
}

fn env_file(case: &Case<'_>) -> Verdict {
    match (case.stage, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Stage::Development, _) => development(case.shape),
        (_, Shape::Random) => case.random(),
        (Stage::Live, _) if case.sure_name() => secret(Confidence::Medium, case.shape),
        (_, Shape::Plain) if case.says == Says::Secret => secret(Confidence::Medium, case.shape),
        _ => development(case.shape),
    }
}

fn compose(case: &Case<'_>) -> Verdict {
    match (case.stage, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Stage::Development, _) => development(case.shape),
        (Stage::Live, Shape::Random) => case.random(),
        (_, Shape::Random) => secret(Confidence::Medium, case.shape),
        (Stage::Live, _) if case.sure_name() => secret(Confidence::Medium, case.shape),
        _ => development(case.shape),
    }
}

/// Kubernetes, Helm, Terraform and platform files: what they hold is what runs.
fn manifest(case: &Case<'_>) -> Verdict {
    let in_secret = case.name.len() < case.candidate.name.len();
    // `secret: db-credentials` names a Secret object; only inside one it is a value.
    let own = naming::says(case.name);
    let password = own == Says::Password || in_secret && own != Says::Nothing;
    match (case.stage, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Stage::Development, _) => development(case.shape),
        (_, Shape::Random) => case.random(),
        // `passwordKey: password`, as charts say under which key of a Secret the password stands.
        (_, Shape::Weak | Shape::Words) if naming::words(case.name).last().is_some_and(|last| last == "key") => {
            Verdict::None("a name")
        }
        (_, Shape::Plain) if password => secret(Confidence::Medium, case.shape),
        (_, Shape::Plain) if own == Says::Secret => secret(Confidence::Low, case.shape),
        (_, Shape::Weak | Shape::Words) if password => secret(Confidence::Medium, case.shape),
        _ => Verdict::None("plain words"),
    }
}

fn image(case: &Case<'_>) -> Verdict {
    match (case.stage, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Stage::Development, _) => development(case.shape),
        (_, Shape::Random) if case.candidate.development => secret(Confidence::Medium, case.shape),
        (_, Shape::Random) => case.random(),
        _ if case.is_name() && case.says != Says::Password => Verdict::None("a name"),
        _ if case.candidate.development => development(case.shape),
        _ if case.sure_name() => secret(Confidence::Medium, case.shape),
        _ => Verdict::None("plain words"),
    }
}

/// Passwords and signing keys of a pipeline open the services that it starts itself; tokens open others.
fn pipeline(case: &Case<'_>) -> Verdict {
    match (case.says, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Says::Maybe, Shape::Random) => secret(Confidence::Medium, case.shape),
        _ => development(case.shape),
    }
}

fn script(case: &Case<'_>) -> Verdict {
    match (case.stage, case.shape) {
        (_, Shape::Placeholder) => Verdict::None("a placeholder"),
        (Stage::Development, _) => development(case.shape),
        (_, Shape::Random) => secret(Confidence::Medium, case.shape),
        (Stage::Live, Shape::Plain) if case.sure_name() => secret(Confidence::Medium, case.shape),
        _ => development(case.shape),
    }
}

fn sql(case: &Case<'_>) -> Verdict {
    let migration = case.file.path.to_ascii_lowercase().contains("migration");
    match case.shape {
        Shape::Placeholder => Verdict::None("a placeholder"),
        Shape::Random => secret(Confidence::Medium, case.shape),
        _ if migration => secret(Confidence::Medium, case.shape),
        _ => development(case.shape),
    }
}

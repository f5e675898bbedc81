//! Images: what the stages of each Dockerfile are that are built.

use std::collections::{BTreeMap, BTreeSet};

use super::owner::{Owner, Owners, of_dockerfile};
use super::variables::expand;
use super::{Deployment, command, known, tools};
use crate::facts::vocabulary::{BaseImage, Image, Probe};
use crate::facts::{Attr, Confidence};
use crate::link::configuration::words;
use crate::parse::Syntax;
use crate::parse::dockerfile::{Dockerfile, Instruction, Stage, Word};
use crate::scan::source::{FileId, SourceFile, Span};

/// Learns whose each Dockerfile is, before anything that is built from one is looked at.
pub fn learn(owners: &mut Owners<'_>, files: &[FileId]) {
    for file in files {
        let owner = of_dockerfile(owners, *file);
        owners.learn_dockerfile(*file, owner);
    }
}

/// Whether a file is a Dockerfile that is built as it stands, not the template of one.
pub fn is_dockerfile(file: &SourceFile, syntax: &Syntax) -> bool {
    let name = file.name().to_ascii_lowercase();
    let template = [".j2", ".tmpl", ".template", ".in", ".erb", ".hbs"].iter().any(|end| name.ends_with(end));
    matches!(syntax, Syntax::Dockerfile(_)) && !template
}

/// A stage that something builds by its name instead of the last one, and whose service it is then.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name of the stage, or its number.
    pub name: String,
    /// Who is run by it.
    pub owner: Owner,
}

/// Adds the images of a Dockerfile with their health checks: its last stage, and what is built by name.
pub fn emit(deployment: &mut Deployment<'_, '_>, file: FileId, targets: &[Target]) {
    let (_, parsed) = deployment.context.repository.get(file);
    let Syntax::Dockerfile(dockerfile) = &parsed.syntax else { return };
    let Some(last) = dockerfile.stages.last() else { return };
    let owner = deployment.owners.dockerfiles.get(&file).cloned().unwrap_or_else(Owner::other);
    let named = targets.iter().filter_map(|target| Some((stage_named(dockerfile, &target.name)?, &target.owner)));
    let mut built: Vec<(&Stage, &Owner)> = named.filter(|(stage, _)| stage.from != last.from).collect();
    // Beside a stage that is deployed by its name, a last one that says to be for development is not what runs.
    if built.is_empty() || !last.name.as_deref().is_some_and(is_for_development) {
        built.insert(0, (last, &owner));
    }
    let mut checks = BTreeSet::new();
    for (stage, owner) in built {
        let view = View::new(dockerfile, stage);
        image(deployment, file, &view, owner);
        if view.last("HEALTHCHECK").is_some_and(|check| checks.insert(check.span)) {
            health_check(deployment, file, &view, owner);
        }
    }
    bases(deployment, file, &View::new(dockerfile, last), &owner);
}

/// The stage of a name, or of a number.
pub fn stage_named<'d>(file: &'d Dockerfile, name: &str) -> Option<&'d Stage> {
    let named = |stage: &&Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
    file.stages.iter().find(named).or_else(|| file.stages.get(name.parse::<usize>().ok()?))
}

/// Whether the name of a stage says that nobody deploys it.
pub fn is_for_development(name: &str) -> bool {
    matches!(words::in_name(name), Some("development" | "test"))
}

/// The final stage with the stages below it and the variables that it sees.
pub struct View<'d> {
    dockerfile: &'d Dockerfile,
    /// Stages from the outermost base to the final one.
    chain: Vec<&'d Stage>,
    globals: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
}

impl<'d> View<'d> {
    /// Looks at a Dockerfile from one of its stages.
    pub fn new(dockerfile: &'d Dockerfile, last: &'d Stage) -> View<'d> {
        let globals = arguments(dockerfile.before_stages(), &BTreeMap::new());
        let mut chain = vec![last];
        while let Some(base) = base_stage(dockerfile, chain[chain.len() - 1], &globals) {
            chain.push(base);
        }
        chain.reverse();
        let mut view = View { dockerfile, chain, globals, variables: BTreeMap::new() };
        view.variables = arguments(&view.instructions(), &view.globals);
        view
    }

    /// Its instructions and those of the stages below, in order.
    pub fn instructions(&self) -> Vec<&'d Instruction> {
        self.chain.iter().flat_map(|stage| self.dockerfile.of_stage(stage)).collect()
    }

    fn last(&self, keyword: &str) -> Option<&'d Instruction> {
        self.instructions().into_iter().rev().find(|instruction| instruction.keyword == keyword)
    }

    /// The image of elsewhere that it starts from, and whether that is all known.
    pub fn base(&self) -> (String, bool) {
        let image = self.chain.first().map_or("", |stage| stage.image.as_str());
        let expanded = expand(image, &|name| self.globals.get(name).cloned());
        (expanded.text, expanded.complete)
    }

    /// A text with its variables put in; `None` where one is not known.
    pub fn value(&self, text: &str) -> Option<String> {
        let expanded = expand(text, &|name| self.variables.get(name).cloned());
        expanded.complete.then_some(expanded.text)
    }

    /// Ports it exposes or is told by its environment.
    pub fn ports(&self) -> Vec<String> {
        let exposed = self.instructions().into_iter().filter(|instruction| instruction.keyword == "EXPOSE");
        let mut ports: Vec<String> = exposed
            .flat_map(|instruction| &instruction.words)
            .filter_map(|word| self.value(&word.text))
            .map(|port| port.split('/').next().unwrap_or("").to_string())
            .collect();
        ports.extend(
            self.variables
                .iter()
                .filter(|(name, _)| super::names_port(name))
                .filter_map(|(_, value)| super::port_of(value)),
        );
        ports.sort();
        ports.dedup();
        ports
    }
}

/// Values of `ARG` and `ENV` in order; an `ARG` without a default takes the global one.
fn arguments<'i>(
    instructions: impl IntoIterator<Item = &'i (impl std::borrow::Borrow<Instruction> + 'i)>,
    globals: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for instruction in instructions {
        let instruction = instruction.borrow();
        if !matches!(instruction.keyword.as_str(), "ARG" | "ENV") {
            continue;
        }
        for (name, value) in instruction.pairs() {
            let value = match value {
                Some(value) => {
                    let expanded = expand(value, &|name| known.get(name).cloned());
                    expanded.complete.then_some(expanded.text)
                }
                None => globals.get(name).cloned(),
            };
            match value {
                Some(value) => known.insert(name.to_string(), value),
                None => known.remove(name),
            };
        }
    }
    known
}

/// The earlier stage that a stage starts from.
fn base_stage<'d>(file: &'d Dockerfile, stage: &Stage, globals: &BTreeMap<String, String>) -> Option<&'d Stage> {
    let image = expand(&stage.image, &|name| globals.get(name).cloned()).text;
    let earlier = file.stages.iter().filter(|other| other.from < stage.from);
    earlier.rev().find(|other| other.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&image)))
}

fn image(deployment: &mut Deployment<'_, '_>, file: FileId, view: &View<'_>, owner: &Owner) {
    let (base, base_known) = view.base();
    let (_, tag, digest) = known::split(&base);
    let user = view.last("USER").and_then(|instruction| instruction.words.first());
    let user_value = user.map(|word| view.value(&word.text));
    let root = root(deployment, view, file, user_value.as_ref(), base_known.then_some(base.as_str()));
    let place = place(view, user);
    let data = Image {
        tag: if base_known { tag.map(str::to_string).into() } else { Attr::Unknown },
        digest: if base_known { Attr::Known(digest.is_some()) } else { Attr::Unknown },
        user: match user_value {
            Some(Some(user)) => Attr::Known(user),
            Some(None) => Attr::Unknown,
            None => Attr::Unset,
        },
        root,
        #[allow(clippy::cast_precision_loss)]
        stages: Attr::Known(view.dockerfile.stages.len() as f64),
        entrypoint_form: entrypoint_form(view).into(),
        debug_build: debug_build(view.dockerfile),
        of_service: owner.of_service.clone(),
        compiles: Attr::Known(compiles(view)),
        builds: deployment.service_names(owner).into(),
        base: if base_known { Attr::Known(base) } else { Attr::Unknown },
    };
    let fact = deployment.context.fact(data, file, place);
    deployment.add(owner.mark(fact));
}

/// Where the stage's user is set, else the stage itself. A user that comes from a stage below is every stage's above it.
fn place(view: &View<'_>, user: Option<&Word>) -> Span {
    let Some(stage) = view.chain.last() else { return Span::default() };
    let is_last = view.dockerfile.stages.last().is_some_and(|last| last.from == stage.from);
    let own = |word: &&Word| is_last || view.dockerfile.of_stage(stage).iter().any(|one| one.words.contains(word));
    user.filter(own).map_or(stage.image_span, |word| word.span)
}

/// Programs by which an entry script gives up root.
const DROPPERS: &[&str] = &["gosu", "su-exec", "setpriv", "runuser", "s6-setuidgid", "chroot --userspec"];

fn root(
    deployment: &Deployment<'_, '_>,
    view: &View<'_>,
    file: FileId,
    user: Option<&Option<String>>,
    base: Option<&str>,
) -> Attr<bool> {
    let by_user = match user {
        Some(Some(user)) => {
            let name = user.split(':').next().unwrap_or("");
            Attr::Known(matches!(name, "root" | "0"))
        }
        Some(None) => Attr::Unknown,
        None => base.and_then(known::runs_as_root).map_or(Attr::Unknown, Attr::Known),
    };
    let entry = view.last("ENTRYPOINT").or_else(|| view.last("CMD"));
    let script = entry.and_then(|entry| deployment.script_of(file, &entry.text)).unwrap_or_default();
    let drops =
        DROPPERS.iter().any(|name| script.contains(name) || entry.is_some_and(|entry| entry.text.contains(name)));
    if by_user.is_true() && drops { Attr::Known(false) } else { by_user }
}

/// Whether a stage starts from an image of elsewhere.
fn is_outside(view: &View<'_>, stage: &Stage) -> bool {
    base_stage(view.dockerfile, stage, &view.globals).is_none()
}

/// Whether a stage's base image is known and names no version.
fn floats(view: &View<'_>, stage: &Stage) -> bool {
    let image = expand(&stage.image, &|name| view.globals.get(name).cloned());
    image.complete && image.text != "scratch" && !known::names_version(&image.text)
}

/// A fact for each image of elsewhere that a stage starts from, at its FROM.
fn bases(deployment: &mut Deployment<'_, '_>, file: FileId, view: &View<'_>, owner: &Owner) {
    for stage in view.dockerfile.stages.iter().filter(|stage| is_outside(view, stage)) {
        let image = expand(&stage.image, &|name| view.globals.get(name).cloned());
        let data = BaseImage {
            names_version: if image.complete { Attr::Known(!floats(view, stage)) } else { Attr::Unknown },
            image: if image.complete { Attr::Known(image.text) } else { Attr::Unknown },
            of_service: owner.of_service.clone(),
        };
        let fact = deployment.context.fact(data, file, stage.image_span);
        deployment.add(owner.mark(fact));
    }
}

/// exec, or shell where a shell stands between the signals and the service.
fn entrypoint_form(view: &View<'_>) -> Option<String> {
    let entry = view.last("ENTRYPOINT").filter(|entry| !entry.words.is_empty()).or_else(|| view.last("CMD"))?;
    let text = entry.text.trim();
    let by_shell = match (entry.exec, entry.words.as_slice()) {
        (false, _) => !text.starts_with("exec ") && !text.contains("&& exec ") && !text.contains("; exec "),
        (true, [shell, option, script, ..]) => {
            let shell = shell.text.rsplit('/').next().unwrap_or("");
            matches!(shell, "sh" | "bash" | "ash" | "dash")
                && option.text.ends_with('c')
                && !script.text.contains("exec ")
        }
        (true, _) => false,
    };
    Some(if by_shell { "shell" } else { "exec" }.to_string())
}

/// cargo runs in the final stage, or the final stage starts from a Rust image.
fn compiles(view: &View<'_>) -> bool {
    let base = view.base().0;
    let rust = known::last_segment(&base) == "rust" || base.contains("cargo-chef") || base.contains("rust-musl");
    let runs = view.instructions().into_iter().filter(|instruction| instruction.keyword == "RUN");
    rust || runs
        .into_iter()
        .any(|run| run.script().contains("cargo build") || run.script().contains("cargo install --path"))
}

/// A build without optimisation is the only one.
fn debug_build(file: &Dockerfile) -> Attr<bool> {
    let variables = arguments(&file.instructions, &BTreeMap::new());
    let scripts: Vec<String> = file.instructions.iter().map(Instruction::script).collect();
    let mut debug = false;
    for line in scripts.iter().flat_map(|script| script.split(['\n', ';'])).flat_map(|line| line.split("&&")) {
        let Some(command) = line.split_once("cargo build").or_else(|| line.split_once("cargo run")) else { continue };
        let expanded = expand(command.1, &|name| variables.get(name).cloned());
        let optimised = ["--release", " -r", "--profile", "--out-dir"].iter().any(|word| expanded.text.contains(word));
        let dev = expanded.text.contains("--profile dev") || expanded.text.contains("--profile=dev");
        if !expanded.complete || expanded.text.contains("$(") || line.contains('$') && optimised {
            return Attr::Unknown;
        }
        if optimised && !dev {
            return Attr::Known(false);
        }
        debug = true;
    }
    let copies_release = scripts.iter().any(|script| script.contains("/release/") || script.contains("install --path"));
    Attr::Known(debug && !copies_release)
}

fn health_check(deployment: &mut Deployment<'_, '_>, file: FileId, view: &View<'_>, owner: &Owner) {
    let Some(check) = view.last("HEALTHCHECK") else { return };
    if check.words.first().is_none_or(|word| word.text.eq_ignore_ascii_case("none")) {
        return;
    }
    let text = check.text.trim();
    let text = text.strip_prefix("CMD").or_else(|| text.strip_prefix("cmd")).unwrap_or(text).trim();
    let words = serde_json::from_str::<Vec<String>>(text);
    let line = words.map_or_else(|_| text.to_string(), |words| words.join(" "));
    let call = deployment.call(file, &line, owner);
    let ports = view.ports();
    let mut data = probe(&call, &|text| view.value(text), ports, owner, "health", "docker");
    with_tools(&mut data, &line, |tools| tools::one_in_image(view, tools));
    let fact = deployment.context.fact(data, file, check.span);
    deployment.add(owner.mark(fact));
}

/// A probe from what a command calls.
pub fn probe(
    call: &command::Call,
    expand: &dyn Fn(&str) -> Option<String>,
    ports: Vec<String>,
    owner: &Owner,
    kind: &str,
    by: &str,
) -> Probe {
    let of_service = if call.of_store { Attr::Known(false) } else { owner.of_service.clone() };
    Probe {
        kind: kind.into(),
        how: call.how.into(),
        path: call.path.as_ref().map(|path| expand(path).unwrap_or_else(|| path.clone())).into(),
        port: match &call.port {
            Some(port) => expand(port).and_then(|port| port.parse().ok()).map_or(Attr::Unknown, Attr::Known),
            None => Attr::Unset,
        },
        declared_ports: Attr::Known(ports),
        by: by.into(),
        of_service,
        port_configured: call.port.as_ref().map(|port| port.contains('$')).into(),
        ..Probe::default()
    }
}

/// Says which programs a probe needs inside the image, and whether it has one of them.
pub fn with_tools(probe: &mut Probe, line: &str, has: impl FnOnce(&[String]) -> Attr<bool>) {
    let tools = tools::called(line);
    if !tools.is_empty() {
        probe.tool_in_image = has(&tools);
        probe.tool = tools.join(" or ").into();
    }
}

/// Lowers the confidence of an owner that was only guessed.
pub fn guessed(mut owner: Owner) -> Owner {
    owner.confidence = owner.confidence.min(Confidence::Medium);
    owner
}

//! CI files that are programs: Jenkinsfiles, declarative and scripted. Their stages, shell steps and calls of the
//! Docker and Kubernetes plugins are read; their logic is not.

use super::super::model::{Action, Job, Pipeline, Step};
use crate::link::containers::known::split;
use crate::parse::document::Node;
use crate::scan::source::{SourceFile, Span};

/// How many calls of one name are read.
const MOST: usize = 500;

const QUOTES: &[&str] = &["'''", "\"\"\"", "'", "\""];

/// Reads a Jenkinsfile: a job for each stage, one after the other.
pub fn jenkins<'a>(file: &'a SourceFile, _documents: &'a [Node]) -> Pipeline<'a> {
    let reader = Reader { text: &file.text, code: code(&file.text) };
    let stages = reader.stages();
    let mut steps: Vec<(usize, Step<'a>)> = reader.shell();
    steps.extend(reader.plugins());
    steps.sort_by_key(|(at, _)| *at);
    let mut jobs: Vec<Job<'a>> = Vec::new();
    for (at, step) in steps {
        let stage = stages.iter().filter(|stage| stage.holds(at)).max_by_key(|stage| stage.from);
        let (name, number) = stage.map_or(("pipeline", 0), |stage| (stage.name, stage.number));
        match jobs.iter_mut().find(|job| job.stage == Some(number) && job.name == name) {
            Some(job) => job.steps.push(step),
            None => jobs.push(Job { name: name.to_string(), stage: Some(number), steps: vec![step], ..Job::default() }),
        }
    }
    // The steps of a shared library are functions of another repository.
    let library = ["@Library", "library(", "library '", "library \""].iter().find_map(|word| file.text.find(word));
    if let Some(at) = library.filter(|_| jobs.is_empty()) {
        let steps = vec![super::elsewhere("shared library pipeline", Span::new(at, at + "library".len()))];
        jobs.push(Job { name: "pipeline".into(), steps, ..Job::default() });
    }
    let pushed = reader.starts_at_pushes();
    Pipeline {
        triggers: pushed.then(|| "push".to_string()).into_iter().collect(),
        ..super::pipeline(file, "jenkins", jobs)
    }
}

/// A `stage('Name') { ... }`.
struct Stage<'t> {
    name: &'t str,
    /// Its order; what stands side by side in `parallel` shares one.
    number: usize,
    from: usize,
    to: usize,
}

impl Stage<'_> {
    fn holds(&self, at: usize) -> bool {
        self.from <= at && at < self.to
    }
}

struct Reader<'t> {
    text: &'t str,
    /// The text with comments and the insides of strings blanked out, byte for byte.
    code: String,
}

/// Calls of plugins, by the end of their name, with what is done in words that the reader of commands knows. `{}` is
/// the first string of the call.
const PLUGINS: &[(&str, &str)] = &[
    ("docker.build", "docker build -t {} ."),
    (".push", "docker push {}"),
    ("kubernetesDeploy", "kubectl apply -f {}"),
    ("kubernetesApply", "kubectl apply -f {}"),
    ("openshiftDeploy", "oc rollout latest {}"),
    ("helmDeploy", "helm upgrade --install {}"),
    ("cfPush", "cf push {}"),
    ("ecsDeploy", "aws ecs update-service --service {}"),
];

impl<'t> Reader<'t> {
    /// Whether the file itself says that pushes start it: by a trigger, or by a stage that is only for a branch. Where
    /// it says nothing, the server's settings decide, and they are not in the tree.
    fn starts_at_pushes(&self) -> bool {
        let triggers = ["githubPush", "pollSCM", "bitbucketPush", "gitlabPush", "giteaPush"];
        let of_branch = |at: usize| {
            let block = self.block_after(at + "when".len()).and_then(|(from, to)| self.code.get(from..to));
            block.is_some_and(|block| block.split(|c: char| !c.is_alphanumeric()).any(|word| word == "branch"))
        };
        triggers.iter().any(|word| !self.words(word).is_empty()) || self.words("when").into_iter().any(of_branch)
    }

    /// Stages in order. Those of one `parallel` share a number: none of them comes after another.
    fn stages(&self) -> Vec<Stage<'t>> {
        let parallel: Vec<(usize, usize)> =
            self.words("parallel").into_iter().filter_map(|at| self.region(at + "parallel".len())).collect();
        let mut stages: Vec<Stage<'t>> = Vec::new();
        for at in self.words("stage") {
            let Some((name, end)) = self.string_at(at + "stage".len()) else { continue };
            let Some((from, to)) = self.block_after(end) else { continue };
            let side = parallel.iter().find(|(from, to)| *from < at && at < *to);
            let beside = side.and_then(|(from, _)| stages.iter().find(|stage| stage.from > *from));
            let number = beside.map_or(stages.len() + 1, |stage| stage.number);
            stages.push(Stage { name, number, from, to });
        }
        stages
    }

    /// Places of a word in the code; one that begins with a dot is a method of anything.
    fn words(&self, word: &str) -> Vec<usize> {
        let name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let bytes = self.code.as_bytes();
        let alone = |at: &usize| {
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            let joined = before.is_some_and(|byte| name(byte) || *byte == b'.') && !word.starts_with('.');
            !joined && !bytes.get(at + word.len()).is_some_and(name)
        };
        self.code.match_indices(word).map(|(at, _)| at).filter(alone).take(MOST).collect()
    }

    /// What belongs to a call: all between its parentheses or braces, or the rest of its line.
    fn region(&self, from: usize) -> Option<(usize, usize)> {
        let rest = self.code.get(from..)?;
        let start = from + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match self.code.as_bytes().get(start)? {
            b'(' => Some((start, self.closes(start, b'(', b')'))),
            b'{' => Some((start, self.closes(start, b'{', b'}'))),
            _ => Some((start, start + self.code.get(start..)?.find('\n').unwrap_or(self.code.len() - start))),
        }
    }

    fn closes(&self, open: usize, opens: u8, closes: u8) -> usize {
        let mut depth = 0usize;
        for (at, byte) in self.code.bytes().enumerate().skip(open) {
            if byte == opens {
                depth += 1;
            } else if byte == closes {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
        }
        self.code.len()
    }

    /// The block that opens next, if nothing but blanks, quotes and `)` stands before it.
    fn block_after(&self, from: usize) -> Option<(usize, usize)> {
        let open = from + self.code.get(from..)?.find('{')?;
        let between = self.code.get(from..open)?;
        let opens = between.chars().all(|c| c.is_whitespace() || ")'\"".contains(c));
        opens.then(|| (open, self.closes(open, b'{', b'}')))
    }

    /// The string that starts at a place, behind blanks and `(`, with where it ends.
    fn string_at(&self, from: usize) -> Option<(&'t str, usize)> {
        let rest = self.code.get(from..)?;
        let start = from + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '(', '[']).len();
        let quote = QUOTES.iter().find(|quote| self.code[start..].starts_with(**quote))?;
        let inside = start + quote.len();
        let length = self.code.get(inside..)?.find(quote)?;
        Some((self.text.get(inside..inside + length)?, inside + length))
    }

    /// The string of a call: behind a named argument where the call has it, else its first one.
    fn string_of(&self, after: usize, argument: &str) -> Option<(&'t str, usize)> {
        let (from, to) = self.region(after)?;
        let region = self.code.get(from..to)?;
        let named = (!argument.is_empty()).then(|| region.find(argument)).flatten();
        match named {
            Some(at) => self.string_at(from + at + argument.len()),
            None => self.string_at(from + region.find(['\'', '"'])?),
        }
    }

    /// The strings of `sh`, `bat` and `powershell` steps.
    fn shell(&self) -> Vec<(usize, Step<'static>)> {
        let words = ["sh", "bat", "powershell"].into_iter();
        let places = words.flat_map(|word| self.words(word).into_iter().map(move |at| (at, at + word.len())));
        let steps = places.filter_map(|(at, after)| {
            let (script, end) = self.string_of(after, "script:")?;
            Some((at, step(Span::new(end - script.len(), end), script.to_string())))
        });
        steps.collect()
    }

    /// Calls of the Docker and Kubernetes plugins, as the commands that do the same.
    fn plugins(&self) -> Vec<(usize, Step<'static>)> {
        let built = self.words("docker.build").first().copied();
        let image = built.and_then(|at| self.string_of(at + "docker.build".len(), "")).map_or("", |(image, _)| image);
        let (name, _, _) = split(image);
        let mut found = Vec::new();
        for (call, command) in PLUGINS {
            // `.push` of what is no image pushes onto a list.
            for at in self.words(call).into_iter().filter(|_| *call != ".push" || !image.is_empty()) {
                let argument = self.string_of(at + call.len(), "").map_or("", |(text, _)| text);
                let argument = match (*call, argument) {
                    (".push", "") => image.to_string(),
                    (".push", tag) => format!("{name}:{tag}"),
                    (_, text) => text.to_string(),
                };
                found.push((at, step(Span::new(at, at + call.len()), command.replace("{}", &argument))));
            }
        }
        found
    }
}

fn step(span: Span, script: String) -> Step<'static> {
    Step { name: String::new(), span, folder: String::new(), action: Action::Script(script) }
}

/// The text with comments and the insides of strings blanked out; every byte keeps its place, quotes stay.
fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let quote = [&b"'''"[..], b"\"\"\"", b"'", b"\""].into_iter().find(|quote| rest.starts_with(quote));
        if rest.starts_with(b"//") {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length);
            blank(&mut out, at, end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end =
                rest.windows(2).skip(2).position(|pair| pair == b"*/").map_or(bytes.len(), |length| at + length + 4);
            blank(&mut out, at, end.min(bytes.len()));
            at = end;
        } else if let Some(quote) = quote {
            let inside = at + quote.len();
            let end = closing(bytes, inside, quote);
            blank(&mut out, inside, end);
            at = end + quote.len();
        } else {
            at += 1;
        }
    }
    // What is blanked is whole characters, for quotes and comment marks are ASCII.
    String::from_utf8(out).unwrap_or_default()
}

fn blank(out: &mut [u8], from: usize, to: usize) {
    for byte in out.iter_mut().take(to).skip(from).filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Where a string closes: at its quote, or for a short one at the end of its line.
fn closing(bytes: &[u8], from: usize, quote: &[u8]) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'\n' if quote.len() == 1 => return at,
            _ if bytes[at..].starts_with(quote) => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Vec<(String, usize, Vec<String>)> {
        let tree = crate::report::samples::tree(&[("Jenkinsfile", text)]);
        let pipeline = jenkins(&tree.files[0], &[]);
        let script = |step: &Step<'_>| match &step.action {
            Action::Script(text) => text.trim().to_string(),
            _ => String::new(),
        };
        let job = |job: &Job<'_>| (job.name.clone(), job.stage.unwrap(), job.steps.iter().map(script).collect());
        pipeline.jobs.iter().map(job).collect()
    }

    fn job(name: &str, stage: usize, scripts: &[&str]) -> (String, usize, Vec<String>) {
        (name.to_string(), stage, scripts.iter().map(|script| (*script).to_string()).collect())
    }

    const DECLARATIVE: &str = r#"pipeline {
  agent any // sh 'not run'
  stages {
    stage('Test') {
      parallel {
        stage('unit') { steps { sh 'cargo test' } }
        stage('lint') { steps { sh(label: 'lint', script: "cargo clippy") } }
      }
    }
    stage('Deploy') {
      when { branch 'main' }
      steps {
        sh '''
          kubectl apply -f k8s
        '''
        kubernetesDeploy(
          configs: 'k8s/*.yaml',
          kubeconfigId: 'prod')
      }
    }
  }
}
"#;

    const SCRIPTED: &str = r#"node {
  def app
  stage("Build") {
    app = docker.build("acme/shop:${env.BUILD_ID}")
  }
  stage('Push') {
    docker.withRegistry('https://r.example') {
      app.push("v1")
      app.push()
    }
  }
  sh returnStatus: true, script: 'make deploy'
}
"#;

    #[test]
    fn a_declarative_pipeline_is_its_stages() {
        let expected = [
            job("unit", 2, &["cargo test"]),
            job("lint", 2, &["cargo clippy"]),
            job("Deploy", 4, &["kubectl apply -f k8s", "kubectl apply -f k8s/*.yaml"]),
        ];
        assert_eq!(read(DECLARATIVE), expected);
    }

    #[test]
    fn a_scripted_pipeline_builds_and_pushes_its_image() {
        let expected = [
            job("Build", 1, &["docker build -t acme/shop:${env.BUILD_ID} ."]),
            job("Push", 2, &["docker push acme/shop:v1", "docker push acme/shop:${env.BUILD_ID}"]),
            job("pipeline", 0, &["make deploy"]),
        ];
        assert_eq!(read(SCRIPTED), expected);
    }

    #[test]
    fn broken_files_end() {
        for text in ["stage('a' {", "sh '''", "/* sh 'x'", "stage(\"ä\") { sh \"ö", "parallel(", "sh(", "docker.build"]
        {
            read(text);
        }
        read(&"stage('a') {".repeat(3000));
    }
}

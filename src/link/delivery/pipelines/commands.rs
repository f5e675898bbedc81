//! Shell commands: cutting a script into them, and what the known ones do.

use super::known::{LOOSE, REHEARSALS, TABLE, WRAPPERS};
use super::model::Kind;

/// A command of a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its words without quotes; variable assignments in front are left out.
    pub words: Vec<String>,
    /// Byte offset of its first word in the script.
    pub offset: usize,
}

impl Command {
    /// The words as one line.
    pub fn line(&self) -> String {
        self.words.join(" ")
    }
}

/// Cuts a script into its commands: by line, `;`, `&&`, `||`, `|` and `&`, outside quotes; comments are left out.
pub fn commands(script: &str) -> Vec<Command> {
    commands_below(script, 0)
}

/// Substitutions inside substitutions are read this deep.
const SUBSTITUTIONS: usize = 4;

fn commands_below(script: &str, depth: usize) -> Vec<Command> {
    let mut cutter = Cutter { script, depth, ..Cutter::default() };
    cutter.run();
    cutter.commands
}

#[derive(Default)]
struct Cutter<'s> {
    script: &'s str,
    commands: Vec<Command>,
    words: Vec<String>,
    word: Option<(String, usize)>,
    start: usize,
    /// The next word is the file of a redirection in front of the command.
    target: bool,
    /// How many substitutions it stands in.
    depth: usize,
}

impl Cutter<'_> {
    fn run(&mut self) {
        let mut chars = self.script.char_indices().peekable();
        let mut quote = None;
        while let Some((at, c)) = chars.next() {
            match (quote, c) {
                (_, '\\') if quote != Some('\'') => match chars.next() {
                    Some((_, '\n')) | None => {}
                    Some((_, '\r')) => {
                        chars.next_if(|(_, next)| *next == '\n');
                    }
                    Some((_, next)) => self.push(at, next),
                },
                (Some(open), _) if c == open => quote = None,
                (Some(_), _) => self.push(at, c),
                (None, '\'' | '"') => {
                    quote = Some(c);
                    self.word.get_or_insert((String::new(), at));
                }
                (None, '#') if self.word.is_none() => while chars.next_if(|(_, next)| *next != '\n').is_some() {},
                // `${{ expression }}` and `$(command)` stay one word: what they give is not known.
                (None, '$') if matches!(chars.peek(), Some((_, '{' | '('))) => self.opaque(at, &mut chars),
                (None, '&') if self.redirects() || matches!(chars.peek(), Some((_, '>'))) => self.push(at, c),
                (None, '\n' | ';' | '&' | '|') => self.end_command(),
                (None, ' ' | '\t' | '\r' | '(' | ')') => self.end_word(),
                (None, _) => self.push(at, c),
            }
        }
        self.end_command();
    }

    fn opaque(&mut self, at: usize, chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
        self.push(at, '$');
        let mut depth = 0usize;
        for (at, c) in chars.by_ref() {
            match c {
                '{' | '(' => depth += 1,
                '}' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.push(at, c);
            if depth == 0 {
                break;
            }
        }
    }

    fn push(&mut self, at: usize, c: char) {
        self.word.get_or_insert((String::new(), at)).0.push(c);
    }

    /// Whether the word so far ends with `>` or `<`: the `&` behind it belongs to it.
    fn redirects(&self) -> bool {
        self.word.as_ref().is_some_and(|(word, _)| word.ends_with(['>', '<']))
    }

    fn end_word(&mut self) {
        let Some((word, at)) = self.word.take() else { return };
        let starts = self.words.is_empty();
        if starts && (std::mem::take(&mut self.target) || SHELL_WORDS.contains(&word.as_str())) {
            return;
        }
        if starts && is_assignment(&word) {
            self.commands.extend(substituted(&word, at, self.depth));
            return;
        }
        if starts && is_redirection(&word) {
            self.target = word.ends_with(['>', '<']);
            return;
        }
        if starts {
            self.start = at;
        }
        self.words.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
        self.target = false;
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.commands.push(Command { words, offset: self.start });
        }
    }
}

/// Words in front of a command that do not change what it does.
const SHELL_WORDS: &[&str] = &[
    "if", "then", "else", "elif", "do", "while", "!", "{", "}", "time", "exec", "sudo", "command", "nohup", "-", "@",
    "env",
];

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The commands of `NAME=$(command)`.
fn substituted(word: &str, at: usize, depth: usize) -> Vec<Command> {
    let inner = word.split_once("=$(").and_then(|(_, rest)| rest.strip_suffix(')')).filter(|_| depth < SUBSTITUTIONS);
    let inner = inner.map(|inner| commands_below(inner, depth + 1)).unwrap_or_default();
    inner.into_iter().map(|command| Command { offset: at, ..command }).collect()
}

/// `>&2`, `2>errors.txt`, `>`: no word of the command.
pub fn is_redirection(word: &str) -> bool {
    word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&').starts_with(['>', '<'])
}

/// What a command does, and the words that do it where a wrapper stands before them.
pub fn classify(words: &[String]) -> Option<(Kind, &[String])> {
    let program = program(words.first()?);
    if let Some(kind) = direct(program, words) {
        return Some((kind, words));
    }
    if !WRAPPERS.contains(&program) {
        return None;
    }
    let inner = (1..words.len())
        .find_map(|at| direct(self::program(&words[at]), &words[at..]).map(|kind| (kind, &words[at..])));
    let tests = || inner_script(words).is_none() && runs_tests_of_compose(program, words);
    inner.or_else(|| tests().then_some((Kind::Test, words)))
}

/// Whether a text names tests: a file, service or stage of that name, not a folder.
fn names_tests(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    name.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "test" | "tests" | "tester" | "testing"))
}

/// `docker compose run tests`, `docker compose -f compose.test.yml up`: the tests run in a container of their own.
fn runs_tests_of_compose(program: &str, words: &[String]) -> bool {
    let composes = program == "docker-compose"
        || matches!(program, "docker" | "podman") && words.get(1).is_some_and(|word| word == "compose");
    let at = words.iter().position(|word| matches!(word.as_str(), "run" | "up"));
    let background = words.iter().any(|word| matches!(word.as_str(), "-d" | "--detach" | "--wait"));
    composes && !background && at.is_some() && words.iter().skip(1).any(|word| names_tests(word))
}

/// `cargo xtask ci`: a program of the tree that runs whatever its authors call CI.
pub fn is_xtask_of_all(words: &[String]) -> bool {
    matches!(words, [cargo, xtask, ci, ..] if cargo == "cargo" && xtask == "xtask" && ci == "ci")
}

/// The shell text in the arguments of `bash -c`, `nix-shell --run`, `ssh host` and their like.
pub fn inner_script(words: &[String]) -> Option<&str> {
    let wrapper = words.first().is_some_and(|word| WRAPPERS.contains(&program(word)));
    let script = words.iter().skip(1).find(|word| word.contains(char::is_whitespace));
    script.filter(|_| wrapper).map(String::as_str)
}

/// A program's name without its folder and a `cargo.exe`-like ending.
fn program(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

fn direct(program: &str, words: &[String]) -> Option<Kind> {
    // What stands behind a lone `--` belongs to the program that the command starts.
    let own: Vec<&str> = words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
    if own.iter().any(|word| REHEARSALS.contains(word)) {
        return None;
    }
    let plain: Vec<&str> = own.iter().skip(1).filter(|word| !word.starts_with(['-', '+'])).copied().collect();
    let kind = TABLE.iter().find(|(pattern, _)| matches(pattern, program, &plain)).map(|(_, kind)| *kind)?;
    refine(kind, program, &own, &plain)
}

fn matches(pattern: &str, program: &str, plain: &[&str]) -> bool {
    let mut wanted = pattern.split(' ');
    if wanted.next() != Some(program) {
        return false;
    }
    // `cargo hack` runs a command over features: its own options, with their values, stand before the command.
    if pattern.starts_with("cargo hack ") && plain.first() == Some(&"hack") {
        return wanted.skip(1).all(|want| plain.contains(&want));
    }
    if LOOSE.contains(&program) {
        let mut words = plain.iter().take(8);
        return wanted.all(|want| words.any(|word| *word == want));
    }
    wanted.enumerate().all(|(at, want)| match want.strip_suffix(':') {
        Some(_) => plain.get(at).is_some_and(|word| word.starts_with(want)),
        None => plain.get(at) == Some(&want),
    })
}

fn refine(kind: Kind, program: &str, own: &[&str], plain: &[&str]) -> Option<Kind> {
    match kind {
        Kind::Build if pushes(own) => Some(Kind::Publish),
        Kind::Build if program == "nix" && own.iter().any(|word| builds_checks(word)) => Some(Kind::Test),
        Kind::Build if matches!(program, "docker" | "podman") && target(own).is_some_and(names_tests) => {
            Some(Kind::Test)
        }
        Kind::Test if plain.first() == Some(&"llvm-cov") && plain.get(1) == Some(&"report") => None,
        Kind::Test if plain.first() == Some(&"llvm-cov") && matches!(plain.get(1), Some(&("clean" | "show-env"))) => {
            None
        }
        Kind::Audit if plain.contains(&"deny") || program == "cargo-deny" => {
            checks_advisories(plain).then_some(Kind::Audit)
        }
        Kind::Audit if program == "trivy" => scans_packages(own).then_some(Kind::Audit),
        // Restarting a local database is no deployment; a deployment over ssh is found inside its script.
        Kind::Deploy if program == "systemctl" => {
            let unit = plain.get(1).copied().unwrap_or_default();
            let local = ["postgres", "mysql", "redis", "docker", "mariadb", "mongo", "nginx", "ssh"];
            (!local.iter().any(|name| unit.starts_with(name))).then_some(Kind::Deploy)
        }
        Kind::TestCluster if program == "k3s" && plain.is_empty() => None,
        kind => Some(kind),
    }
}

/// `.#checks.system.name`, `.#shop-tests`: what is built there is what ran the tests.
fn builds_checks(word: &str) -> bool {
    let attribute = word.split_once('#').map(|(_, attribute)| attribute);
    attribute.is_some_and(|attribute| {
        attribute.starts_with("checks") || names_tests(attribute.rsplit('.').next().unwrap_or(attribute))
    })
}

/// The stage that an image build stops at.
fn target<'w>(own: &[&'w str]) -> Option<&'w str> {
    let at = own.iter().position(|word| *word == "--target");
    let apart = at.and_then(|at| own.get(at + 1)).copied();
    apart.or_else(|| own.iter().find_map(|word| word.strip_prefix("--target=")))
}

fn pushes(own: &[&str]) -> bool {
    own.iter().any(|word| {
        matches!(*word, "--push" | "--push=true") || word.contains("type=registry") || word.contains("push=true")
    })
}

fn checks_advisories(plain: &[&str]) -> bool {
    let lists = ["advisories", "bans", "licenses", "sources", "all"];
    let named: Vec<&&str> = plain.iter().filter(|word| lists.contains(*word)).collect();
    plain.contains(&"check") && (named.is_empty() || named.iter().any(|w| matches!(**w, "advisories" | "all")))
}

fn scans_packages(own: &[&str]) -> bool {
    let scanners = own.iter().position(|word| matches!(*word, "--scanners" | "--security-checks"));
    scanners.and_then(|at| own.get(at + 1)).is_none_or(|list| list.contains("vuln"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn kind(line: &str) -> Option<Kind> {
        let commands = commands(line);
        classify(&commands.first().unwrap().words).map(|(kind, _)| kind)
    }

    #[test]
    fn scripts_are_cut_outside_quotes_and_comments() {
        let redirected: Vec<String> = commands("a 2>&1 >&2 b\n>>$log c & d").iter().map(Command::line).collect();
        assert_eq!(redirected, ["a 2>&1 >&2 b", "c", "d"]);
        let script =
            "A=1 cargo test \\\n  --all # not this && that\necho 'a && b' && cargo build; if ! cargo fmt; then x; fi";
        let lines: Vec<String> = commands(script).iter().map(Command::line).collect();
        assert_eq!(lines, ["cargo test --all", "echo a && b", "cargo build", "cargo fmt", "x", "fi"]);
    }

    #[test]
    fn offsets_point_at_the_first_word() {
        let script = "set -e\nFOO=bar cargo test";
        let found = commands(script);
        assert_eq!(&script[found[1].offset..found[1].offset + 5], "cargo");
    }

    #[test]
    fn known_commands_have_their_kind() {
        for (line, wanted) in [
            (">&2 skopeo copy \"docker-archive:$1\" \"docker://$image:$tag\"", Some(Kind::Publish)),
            ("> build.log cargo test", Some(Kind::Test)),
            ("cargo test > log.txt 2>&1 && true", Some(Kind::Test)),
            ("cargo test &> log.txt", Some(Kind::Test)),
            ("found=$(nix build .#shop-tests --print-out-paths)", Some(Kind::Test)),
            ("nix build .#shop", Some(Kind::Build)),
            ("manifest-tool push from-spec spec.yaml", Some(Kind::Publish)),
            ("cargo test --workspace", Some(Kind::Test)),
            ("cargo +nightly test", Some(Kind::Test)),
            ("cargo nextest run -E 'not test(x)'", Some(Kind::Test)),
            ("cargo test --no-run", None),
            ("cargo install cargo-audit", None),
            ("cargo install --locked cargo-nextest", None),
            ("cargo llvm-cov report --html", None),
            ("cargo hack llvm-cov --no-report nextest", Some(Kind::Test)),
            ("cargo hack --features queue llvm-cov nextest", Some(Kind::Test)),
            ("cargo hack check --each-feature", None),
            ("cargo deny check licenses", None),
            ("cargo deny check", Some(Kind::Audit)),
            ("cargo deny --all-features check bans advisories", Some(Kind::Audit)),
            ("nix develop --command cargo test", Some(Kind::Test)),
            ("docker compose run --rm app cargo test", Some(Kind::Test)),
            ("docker buildx build --push -t x .", Some(Kind::Publish)),
            ("docker build -t x .", Some(Kind::Build)),
            ("kubectl -n prod apply -f k8s/", Some(Kind::Deploy)),
            ("kubectl apply --dry-run=client -f k8s/", None),
            ("terraform -chdir=infra apply -auto-approve", Some(Kind::Deploy)),
            ("cargo run -- test", None),
            ("cargo publish --workspace --dry-run", None),
            ("sudo systemctl start postgresql.service", None),
            ("echo cargo test", None),
            ("trivy fs --scanners misconfig .", None),
            ("trivy fs .", Some(Kind::Audit)),
            ("trivy image app:latest", None),
            ("docker build --target test .", Some(Kind::Test)),
            ("docker buildx build --target=runtime .", Some(Kind::Build)),
            ("docker compose -f compose.test.yml up --exit-code-from app", Some(Kind::Test)),
            ("docker compose run --rm tests", Some(Kind::Test)),
            ("docker compose -f compose.test.yml up -d", None),
            ("docker compose -f tests/compose.yml up", None),
            ("docker compose run tests sh -c 'cd web && npm ci'", None),
            ("docker compose up app", None),
            ("nix build .#checks.x86_64-linux.all", Some(Kind::Test)),
            ("cargo xtask test --all", Some(Kind::Test)),
        ] {
            assert_eq!(kind(line), wanted, "{line}");
        }
    }

    #[test]
    fn quotes_that_never_end_and_lone_backslashes_are_read() {
        for script in ["'", "\"a\\", "$(", "${{", "\\", "a | | b &&"] {
            let _ = commands(script);
        }
        assert_eq!(commands("echo \"unclosed").len(), 1);
    }
}

//! Shell commands: cutting a script into them, and what the known ones do.

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
    let mut cutter = Cutter { script, ..Cutter::default() };
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

    fn end_word(&mut self) {
        let Some((word, at)) = self.word.take() else { return };
        let starts = self.words.is_empty();
        if starts && (is_assignment(&word) || SHELL_WORDS.contains(&word.as_str())) {
            return;
        }
        if starts {
            self.start = at;
        }
        self.words.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
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

/// Programs that run the command in their arguments.
const WRAPPERS: &[&str] = &[
    "nix",
    "nix-shell",
    "nix-develop",
    "devbox",
    "mise",
    "docker",
    "docker-compose",
    "podman",
    "timeout",
    "env",
    "xvfb-run",
    "doppler",
    "op",
    "infisical",
    "sops",
    "dotenvx",
    "dotenv",
    "poetry",
    "pipenv",
    "uv",
    "bundle",
    "sudo",
    "su",
    "bash",
    "sh",
    "zsh",
    "ssh",
    "retry",
    "flox",
    "direnv",
    "script",
    "sccache",
    "wait-for-it",
    "with-env",
    "chroot",
    "runuser",
];

/// Programs whose command may come after values of their own flags.
const LOOSE: &[&str] = &[
    "kubectl",
    "helm",
    "docker",
    "podman",
    "terraform",
    "tofu",
    "terragrunt",
    "aws",
    "gcloud",
    "az",
    "flyctl",
    "fly",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "argocd",
    "pulumi",
    "nomad",
    "oc",
    "docker-compose",
    "sqlx",
    "heroku",
    "doctl",
    "nix",
    "diesel",
];

/// What commands do: the words that tell it, and the kind.
const TABLE: &[(&str, Kind)] = &[
    ("cargo test", Kind::Test),
    ("cargo t", Kind::Test),
    ("cargo nextest run", Kind::Test),
    ("cargo nextest r", Kind::Test),
    ("cargo llvm-cov", Kind::Test),
    ("cargo tarpaulin", Kind::Test),
    ("cargo insta test", Kind::Test),
    ("cargo hack test", Kind::Test),
    ("cargo hack nextest", Kind::Test),
    ("cargo hack llvm-cov", Kind::Test),
    ("cargo careful test", Kind::Test),
    ("cargo miri test", Kind::Test),
    ("cargo mutants", Kind::Test),
    ("cargo pgrx test", Kind::Test),
    ("cargo component test", Kind::Test),
    ("cargo loco test", Kind::Test),
    ("cargo-tarpaulin", Kind::Test),
    ("cargo-nextest", Kind::Test),
    ("cross test", Kind::Test),
    ("cargo-hack test", Kind::Test),
    ("bazel test", Kind::Test),
    ("bazelisk test", Kind::Test),
    ("buck2 test", Kind::Test),
    ("nix flake check", Kind::Test),
    ("npm test", Kind::Test),
    ("pnpm test", Kind::Test),
    ("yarn test", Kind::Test),
    ("bun test", Kind::Test),
    ("go test", Kind::Test),
    ("pytest", Kind::Test),
    ("tox", Kind::Test),
    ("jest", Kind::Test),
    ("vitest", Kind::Test),
    ("playwright test", Kind::Test),
    ("mvn test", Kind::Test),
    ("mvn verify", Kind::Test),
    ("gradle test", Kind::Test),
    ("gradlew test", Kind::Test),
    ("dotnet test", Kind::Test),
    ("mix test", Kind::Test),
    ("rspec", Kind::Test),
    ("phpunit", Kind::Test),
    ("cargo build", Kind::Build),
    ("cargo b", Kind::Build),
    ("cargo zigbuild", Kind::Build),
    ("cargo lambda build", Kind::Build),
    ("cargo leptos build", Kind::Build),
    ("cargo auditable build", Kind::Build),
    ("cargo rustc", Kind::Build),
    ("cross build", Kind::Build),
    ("docker build", Kind::Build),
    ("docker buildx build", Kind::Build),
    ("docker buildx bake", Kind::Build),
    ("docker compose build", Kind::Build),
    ("docker-compose build", Kind::Build),
    ("podman build", Kind::Build),
    ("buildah bud", Kind::Build),
    ("buildah build", Kind::Build),
    ("nix build", Kind::Build),
    ("nix-build", Kind::Build),
    ("bazel build", Kind::Build),
    ("go build", Kind::Build),
    ("npm run build", Kind::Build),
    ("cargo clippy", Kind::Lint),
    ("cargo fmt", Kind::Lint),
    ("rustfmt", Kind::Lint),
    ("cargo audit", Kind::Audit),
    ("cargo-audit", Kind::Audit),
    ("cargo deny", Kind::Audit),
    ("cargo-deny", Kind::Audit),
    ("cargo vet", Kind::Audit),
    ("trivy fs", Kind::Audit),
    ("trivy filesystem", Kind::Audit),
    ("trivy repo", Kind::Audit),
    ("trivy repository", Kind::Audit),
    ("osv-scanner", Kind::Audit),
    ("grype dir:", Kind::Audit),
    ("docker push", Kind::Publish),
    ("docker image push", Kind::Publish),
    ("docker compose push", Kind::Publish),
    ("docker-compose push", Kind::Publish),
    ("docker manifest push", Kind::Publish),
    ("docker buildx imagetools create", Kind::Publish),
    ("podman push", Kind::Publish),
    ("podman manifest push", Kind::Publish),
    ("buildah push", Kind::Publish),
    ("skopeo copy", Kind::Publish),
    ("regctl image copy", Kind::Publish),
    ("crane push", Kind::Publish),
    ("crane copy", Kind::Publish),
    ("crane cp", Kind::Publish),
    ("oras push", Kind::Publish),
    ("helm push", Kind::Publish),
    ("cargo publish", Kind::Publish),
    ("cargo release", Kind::Publish),
    ("cargo dist host", Kind::Publish),
    ("dist host", Kind::Publish),
    ("release-plz release", Kind::Publish),
    ("goreleaser release", Kind::Publish),
    ("gh release create", Kind::Publish),
    ("gh release upload", Kind::Publish),
    ("gcloud builds submit", Kind::Publish),
    ("az acr build", Kind::Publish),
    ("cargo deb publish", Kind::Publish),
    ("cachix push", Kind::Publish),
    ("kubectl apply", Kind::Deploy),
    ("kubectl set image", Kind::Deploy),
    ("kubectl rollout restart", Kind::Deploy),
    ("kubectl patch deployment", Kind::Deploy),
    ("oc apply", Kind::Deploy),
    ("oc rollout", Kind::Deploy),
    ("helm upgrade", Kind::Deploy),
    ("helm install", Kind::Deploy),
    ("helmfile apply", Kind::Deploy),
    ("helmfile sync", Kind::Deploy),
    ("helmwave up", Kind::Deploy),
    ("kustomize edit set image", Kind::Deploy),
    ("flyctl deploy", Kind::Deploy),
    ("fly deploy", Kind::Deploy),
    ("terraform apply", Kind::Deploy),
    ("tofu apply", Kind::Deploy),
    ("terragrunt apply", Kind::Deploy),
    ("terragrunt run-all apply", Kind::Deploy),
    ("pulumi up", Kind::Deploy),
    ("cdk deploy", Kind::Deploy),
    ("sam deploy", Kind::Deploy),
    ("serverless deploy", Kind::Deploy),
    ("sls deploy", Kind::Deploy),
    ("sst deploy", Kind::Deploy),
    ("ansible-playbook", Kind::Deploy),
    ("aws ecs update-service", Kind::Deploy),
    ("aws ecs deploy", Kind::Deploy),
    ("aws lambda update-function-code", Kind::Deploy),
    ("aws cloudformation deploy", Kind::Deploy),
    ("aws apprunner start-deployment", Kind::Deploy),
    ("aws elasticbeanstalk update-environment", Kind::Deploy),
    ("aws deploy create-deployment", Kind::Deploy),
    ("ecs-deploy", Kind::Deploy),
    ("eb deploy", Kind::Deploy),
    ("copilot deploy", Kind::Deploy),
    ("copilot svc deploy", Kind::Deploy),
    ("gcloud run deploy", Kind::Deploy),
    ("gcloud run services update", Kind::Deploy),
    ("gcloud run services replace", Kind::Deploy),
    ("gcloud app deploy", Kind::Deploy),
    ("gcloud deploy releases create", Kind::Deploy),
    ("gcloud functions deploy", Kind::Deploy),
    ("gcloud compute instances update-container", Kind::Deploy),
    ("az containerapp update", Kind::Deploy),
    ("az containerapp up", Kind::Deploy),
    ("az webapp deploy", Kind::Deploy),
    ("az webapp config container set", Kind::Deploy),
    ("azd deploy", Kind::Deploy),
    ("azd up", Kind::Deploy),
    ("heroku container:release", Kind::Deploy),
    ("git push heroku", Kind::Deploy),
    ("git push dokku", Kind::Deploy),
    ("git push piku", Kind::Deploy),
    ("dokku git:from-image", Kind::Deploy),
    ("railway up", Kind::Deploy),
    ("railway redeploy", Kind::Deploy),
    ("shuttle deploy", Kind::Deploy),
    ("cargo shuttle deploy", Kind::Deploy),
    ("cargo lambda deploy", Kind::Deploy),
    ("render deploys create", Kind::Deploy),
    ("koyeb service update", Kind::Deploy),
    ("koyeb app deploy", Kind::Deploy),
    ("nomad job run", Kind::Deploy),
    ("nomad run", Kind::Deploy),
    ("argocd app sync", Kind::Deploy),
    ("argocd app set", Kind::Deploy),
    ("flux reconcile", Kind::Deploy),
    ("docker stack deploy", Kind::Deploy),
    ("docker service update", Kind::Deploy),
    ("doctl apps create-deployment", Kind::Deploy),
    ("doctl apps update", Kind::Deploy),
    ("kamal deploy", Kind::Deploy),
    ("skaffold run", Kind::Deploy),
    ("waypoint up", Kind::Deploy),
    ("octopus release create", Kind::Deploy),
    ("octopus release deploy", Kind::Deploy),
    ("octo create-release", Kind::Deploy),
    ("colmena apply", Kind::Deploy),
    ("wrangler deploy", Kind::Deploy),
    ("wrangler publish", Kind::Deploy),
    ("nixos-rebuild switch", Kind::Deploy),
    ("systemctl restart", Kind::Deploy),
    ("sqlx migrate run", Kind::Migrate),
    ("sqlx database setup", Kind::Migrate),
    ("sqlx db setup", Kind::Migrate),
    ("cargo sqlx migrate run", Kind::Migrate),
    ("cargo sqlx database setup", Kind::Migrate),
    ("diesel migration run", Kind::Migrate),
    ("diesel setup", Kind::Migrate),
    ("diesel database setup", Kind::Migrate),
    ("sea-orm-cli migrate", Kind::Migrate),
    ("sea migrate", Kind::Migrate),
    ("cargo loco db migrate", Kind::Migrate),
    ("refinery migrate", Kind::Migrate),
    ("dbmate up", Kind::Migrate),
    ("dbmate migrate", Kind::Migrate),
    ("flyway migrate", Kind::Migrate),
    ("liquibase update", Kind::Migrate),
    ("atlas migrate apply", Kind::Migrate),
    ("goose up", Kind::Migrate),
    ("alembic upgrade", Kind::Migrate),
    ("prisma migrate deploy", Kind::Migrate),
    ("kubectl rollout undo", Kind::Rollback),
    ("helm rollback", Kind::Rollback),
    ("argocd app rollback", Kind::Rollback),
    ("heroku rollback", Kind::Rollback),
    ("heroku releases:rollback", Kind::Rollback),
    ("kamal rollback", Kind::Rollback),
    ("nomad job revert", Kind::Rollback),
    ("gcloud run services update-traffic", Kind::Rollback),
    ("docker service rollback", Kind::Rollback),
    ("pg_dump", Kind::Backup),
    ("pg_dumpall", Kind::Backup),
    ("pg_basebackup", Kind::Backup),
    ("mysqldump", Kind::Backup),
    ("mongodump", Kind::Backup),
    ("wal-g backup-push", Kind::Backup),
    ("pgbackrest backup", Kind::Backup),
    ("barman backup", Kind::Backup),
    ("restic backup", Kind::Backup),
    ("aws rds create-db-snapshot", Kind::Backup),
    ("pg_restore", Kind::Restore),
    ("mongorestore", Kind::Restore),
    ("wal-g backup-fetch", Kind::Restore),
    ("pgbackrest restore", Kind::Restore),
    ("barman recover", Kind::Restore),
    ("restic restore", Kind::Restore),
    ("aws rds restore-db-instance-from-db-snapshot", Kind::Restore),
    ("aws rds restore-db-instance-to-point-in-time", Kind::Restore),
    ("kind create cluster", Kind::TestCluster),
    ("k3d cluster create", Kind::TestCluster),
    ("minikube start", Kind::TestCluster),
    ("microk8s", Kind::TestCluster),
    ("k3s", Kind::TestCluster),
    ("ct install", Kind::TestCluster),
];

/// Flags that turn a command into a rehearsal of itself.
const REHEARSALS: &[&str] =
    &["--dry-run", "--dry-run=client", "--dry-run=server", "--no-run", "--list", "-h", "--help", "--version", "-V"];

/// What a command does, and the words that do it where a wrapper stands before them.
pub fn classify(words: &[String]) -> Option<(Kind, &[String])> {
    let program = program(words.first()?);
    if let Some(kind) = direct(program, words) {
        return Some((kind, words));
    }
    if !WRAPPERS.contains(&program) {
        return None;
    }
    (1..words.len()).find_map(|at| direct(self::program(&words[at]), &words[at..]).map(|kind| (kind, &words[at..])))
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

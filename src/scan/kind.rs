//! What a file is written in: by name first, by content where the name does not tell.

use super::source::Kind;

/// Whole names, lower case.
const NAMES: &[(&str, Kind)] = &[
    ("cargo.toml", Kind::CargoManifest),
    ("cargo.lock", Kind::CargoLock),
    ("dockerfile", Kind::Dockerfile),
    ("containerfile", Kind::Dockerfile),
    ("caddyfile", Kind::Caddyfile),
    ("justfile", Kind::Just),
    (".justfile", Kind::Just),
    ("makefile", Kind::Make),
    ("gnumakefile", Kind::Make),
    ("procfile", Kind::Procfile),
    (".gitignore", Kind::GitIgnore),
    (".dockerignore", Kind::DockerIgnore),
    (".npmrc", Kind::Properties),
    (".pypirc", Kind::Properties),
    (".netrc", Kind::Properties),
    (".envrc", Kind::Shell),
    ("jenkinsfile", Kind::OtherCode),
    ("rakefile", Kind::OtherCode),
    ("gemfile", Kind::OtherCode),
    ("pipfile", Kind::Toml),
    ("poetry.lock", Kind::Toml),
    ("kubeconfig", Kind::Yaml),
    ("nginx.conf", Kind::Nginx),
];

/// Endings after the last dot, lower case.
const ENDINGS: &[(&str, Kind)] = &[
    ("rs", Kind::Rust),
    ("toml", Kind::Toml),
    ("yaml", Kind::Yaml),
    ("yml", Kind::Yaml),
    ("json", Kind::Json),
    ("jsonc", Kind::Json),
    ("json5", Kind::Json),
    ("tfstate", Kind::Json),
    ("hjson", Kind::Hjson),
    ("sql", Kind::Sql),
    ("ddl", Kind::Sql),
    ("md", Kind::Markdown),
    ("mdx", Kind::Markdown),
    ("markdown", Kind::Markdown),
    ("tf", Kind::Hcl),
    ("tfvars", Kind::Hcl),
    ("hcl", Kind::Hcl),
    ("sh", Kind::Shell),
    ("bash", Kind::Shell),
    ("zsh", Kind::Shell),
    ("just", Kind::Just),
    ("mk", Kind::Make),
    ("dockerfile", Kind::Dockerfile),
    ("containerfile", Kind::Dockerfile),
    ("dockerignore", Kind::DockerIgnore),
    ("nginx", Kind::Nginx),
    ("properties", Kind::Properties),
    ("ini", Kind::Properties),
    ("cfg", Kind::Properties),
    ("html", Kind::Html),
    ("htm", Kind::Html),
    ("hbs", Kind::Html),
    ("tera", Kind::Html),
    ("askama", Kind::Html),
    ("jinja", Kind::Html),
    ("jinja2", Kind::Html),
];

const CODE: &[&str] = &[
    "js",
    "mjs",
    "cjs",
    "ts",
    "mts",
    "tsx",
    "jsx",
    "vue",
    "svelte",
    "py",
    "go",
    "java",
    "kt",
    "kts",
    "scala",
    "rb",
    "php",
    "c",
    "h",
    "cc",
    "cpp",
    "hpp",
    "cs",
    "fs",
    "swift",
    "m",
    "ex",
    "exs",
    "erl",
    "hs",
    "lua",
    "pl",
    "pm",
    "r",
    "dart",
    "clj",
    "groovy",
    "gradle",
    "zig",
    "nix",
    "proto",
    "graphql",
    "gql",
    "jsonnet",
    "libsonnet",
    "ps1",
    "css",
    "scss",
    "less",
    "bicep",
    "cue",
    "rego",
    "tpl",
    "j2",
    "erb",
    "puml",
    "plantuml",
    "mmd",
];

const BINARY: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "tiff", "avif", "pdf", "zip", "gz", "tgz", "bz2", "xz", "zst",
    "7z", "rar", "tar", "jar", "war", "wasm", "so", "dylib", "dll", "exe", "a", "o", "rlib", "woff", "woff2", "ttf",
    "otf", "eot", "mp3", "mp4", "mov", "avi", "webm", "ogg", "wav", "flac", "sqlite", "db", "parquet", "pack", "idx",
    "crate", "psd", "ai", "sketch", "class", "pyc", "bin", "dat", "mmdb", "jks", "p12", "pfx", "keystore",
];

/// The kind that a path's name tells.
pub(super) fn by_name(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if let Some((_, kind)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*kind);
    }
    if is_env(&name) {
        return Some(Kind::Env);
    }
    // `terraform.tfstate.backup`, `terraform.tfstate.1700000000.backup`.
    if name.contains(".tfstate.") && name.ends_with(".backup") {
        return Some(Kind::Json);
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if (name.starts_with("dockerfile.") || name.starts_with("containerfile."))
        && !matches!(ending, "j2" | "md" | "tpl" | "erb" | "dockerignore")
    {
        return Some(Kind::Dockerfile);
    }
    by_ending(ending)
}

/// Whether a path's name promises text: NUL bytes in such a file are a fault, and not what it is.
pub(super) fn is_text_by_name(path: &str) -> bool {
    let settings = [".conf", ".service", ".socket", ".timer", ".txt"];
    by_name(path).is_some_and(|kind| kind != Kind::Binary) || settings.iter().any(|ending| path.ends_with(ending))
}

fn by_ending(ending: &str) -> Option<Kind> {
    if let Some((_, kind)) = ENDINGS.iter().find(|(known, _)| *known == ending) {
        return Some(*kind);
    }
    if CODE.contains(&ending) {
        return Some(Kind::OtherCode);
    }
    BINARY.contains(&ending).then_some(Kind::Binary)
}

/// `.env`, `.env.production`, `.env_docker`, `prod.env`, `env.template`: variables, one a line.
fn is_env(name: &str) -> bool {
    let family = [".env.", ".env_", ".env-"].iter().any(|start| name.starts_with(start));
    let sample = ["env.example", "env.sample", "env.template", "env.dist"].contains(&name);
    let code = name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "rs" | "ts" | "js" | "py" | "sh"));
    name == ".env" || ((family || name.ends_with(".env") || sample) && !code)
}

/// The kind of a file whose name does not tell.
pub(super) fn by_content(path: &str, text: &str) -> Kind {
    let head = text.get(..text.floor_char_boundary(4096)).unwrap_or(text);
    let first = head.lines().next().unwrap_or("");
    if first.starts_with("#!") && ["sh", "bash", "zsh", "dash", "ash"].iter().any(|shell| first.contains(shell)) {
        return Kind::Shell;
    }
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    if ["[Unit]", "[Service]", "[Timer]"].iter().any(|section| head.lines().any(|line| line.trim() == *section)) {
        return Kind::SystemdUnit;
    }
    if matches!(ending, "conf" | "template" | "vhost" | "") && is_nginx(path, head) {
        return Kind::Nginx;
    }
    if ending == "conf" { Kind::Properties } else { Kind::Text }
}

fn is_nginx(path: &str, head: &str) -> bool {
    let directive = ["server {", "location /", "upstream ", "proxy_pass ", "add_header "];
    let count = directive.iter().filter(|directive| head.contains(**directive)).count();
    count >= 2 || (count >= 1 && path.contains("nginx"))
}

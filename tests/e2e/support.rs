//! Runs the binary on small trees.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// A folder with these files.
pub fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

/// Writes a file and the folders above it.
pub fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// A small axum service.
pub fn service() -> tempfile::TempDir {
    tree(&[
        (
            "Cargo.toml",
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\naxum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }\n",
        ),
        (
            "src/main.rs",
            "use axum::{Router, routing::get};\n\n#[tokio::main]\nasync fn main() {\n    let app = Router::new().route(\"/orders\", get(orders));\n    let listener = tokio::net::TcpListener::bind(\"0.0.0.0:3000\").await.unwrap();\n    axum::serve(listener, app).await.unwrap();\n}\n\nasync fn orders() -> &'static str {\n    \"none\"\n}\n",
        ),
        ("Dockerfile", "FROM rust:latest\nCOPY . .\nCMD [\"shop\"]\n"),
    ])
}

/// Runs git in a folder, without any configuration but the repository's own; gives what it printed.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    git_at(folder, "2026-01-01T12:00:00+0000", arguments)
}

fn git_at(folder: &Path, day: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=shop", "-c", "user.email=shop@shop.io", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_DATE", day)
        .env("GIT_COMMITTER_DATE", day)
        .env_remove("GIT_DIR")
        .output()
        .expect("git is needed to make repositories");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// Commits what is in the index, on a day.
pub fn commit(folder: &Path, day: &str) {
    git_at(folder, day, &["commit", "-q", "--allow-empty", "-m", "shop"]);
}

/// What a run said.
pub struct Run {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Run {
    /// Standard output as JSON: fails unless it is exactly one document.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.out, self.err))
    }

    /// Messages of the notices in a JSON report, as `path: message`.
    pub fn notices(&self) -> Vec<String> {
        let json = self.json();
        let notices = json["notices"].as_array().unwrap().iter();
        notices
            .map(|notice| format!("{}: {}", notice["path"].as_str().unwrap(), notice["message"].as_str().unwrap()))
            .collect()
    }
}

/// Runs the binary with these arguments in a folder.
pub fn prodcheck_in(folder: &Path, arguments: &[&str]) -> Run {
    let output: Output = Command::new(assert_cmd::cargo::cargo_bin!("prodcheck"))
        .current_dir(folder)
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .timeout(std::time::Duration::from_secs(300))
        .output()
        .unwrap();
    Run {
        code: output.status.code().expect("the program was killed by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the binary with these arguments.
pub fn prodcheck(arguments: &[&str]) -> Run {
    prodcheck_in(&std::env::temp_dir(), arguments)
}

/// The JSON report of a folder.
pub fn json_of(folder: &Path) -> Run {
    prodcheck(&["--format", "json", folder.to_str().unwrap()])
}

//! Programs that a health check calls inside an image, and whether the image can have them.
//!
//! Said only of bases whose content is known, and of images in which nothing is done that could bring a program in.

use super::images::View;
use super::{Deployment, known};
use crate::facts::Attr;
use crate::link::containers::owner::Owner;
use crate::parse::Syntax;
use crate::parse::dockerfile::{Instruction, split_words};
use crate::scan::source::Role;

/// Programs that fetch a URL, which images bring or do not.
const TOOLS: &[&str] = &["curl", "wget"];

/// The programs among [`TOOLS`] that a check's command line starts; none where something else could answer in their
/// place.
pub fn called(line: &str) -> Vec<String> {
    let line = shell_script(line);
    let mut tools: Vec<String> = Vec::new();
    for command in line.split(['|', '&', ';', '\n']).map(str::trim).filter(|command| !command.is_empty()) {
        let words = words(command);
        let Some(first) = words.iter().find(|word| !is_assignment(word)) else { continue };
        let name = program(first);
        match TOOLS.iter().find(|tool| **tool == name) {
            Some(tool) if !tools.iter().any(|known| known == tool) => tools.push((*tool).to_string()),
            Some(_) => {}
            None if matches!(name, "exit" | "false" | "kill" | "grep" | "true" | "jq") => {}
            None => return Vec::new(),
        }
    }
    tools
}

/// The script of `sh -c "script"`, else the line.
fn shell_script(line: &str) -> &str {
    let line = line.trim();
    let shells = ["/bin/sh", "sh", "/bin/bash", "bash", "/bin/ash", "ash"];
    let script = shells.iter().find_map(|shell| line.strip_prefix(shell)?.trim_start().strip_prefix("-c "));
    script.map_or(line, |script| script.trim().trim_matches(['"', '\'']))
}

fn words(command: &str) -> Vec<String> {
    split_words(command, 0).into_iter().map(|(_, _, word)| word).collect()
}

fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or("");
    word.contains('=') && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether an image has one of these programs.
pub fn one_in_image(view: &View<'_>, tools: &[String]) -> Attr<bool> {
    let mut all = Attr::Known(false);
    for tool in tools {
        match in_image(view, tool) {
            Attr::Known(true) => return Attr::Known(true),
            Attr::Known(false) => {}
            _ => all = Attr::Unknown,
        }
    }
    if tools.is_empty() { Attr::Unset } else { all }
}

/// Whether every image that runs these services has one of these programs; unknown where they differ.
pub fn one_in_images(deployment: &Deployment<'_, '_>, owner: &Owner, tools: &[String]) -> Attr<bool> {
    let runs = |other: &Owner| other.may_be_service() && !other.services.is_disjoint(&owner.services);
    let mut all: Option<Attr<bool>> = None;
    for (file, _) in deployment.owners.dockerfiles.iter().filter(|(_, other)| runs(other)) {
        let (source, parsed) = deployment.context.repository.get(*file);
        let (Role::Service, Syntax::Dockerfile(dockerfile)) = (source.role, &parsed.syntax) else { continue };
        let Some(last) = dockerfile.stages.last() else { continue };
        let one = one_in_image(&View::new(dockerfile, last), tools);
        if all.as_ref().is_some_and(|all| *all != one) {
            return Attr::Unknown;
        }
        all = Some(one);
    }
    all.unwrap_or(Attr::Unset)
}

fn in_image(view: &View<'_>, tool: &str) -> Attr<bool> {
    let Some(in_base) = in_base(view, tool) else { return Attr::Unknown };
    let mut unknown = false;
    for instruction in view.instructions() {
        match brings(view, instruction, tool) {
            Attr::Known(true) => return Attr::Known(true),
            Attr::Known(false) => {}
            _ => unknown = true,
        }
    }
    match (in_base, unknown) {
        (true, _) => Attr::Known(true),
        (false, true) => Attr::Unknown,
        (false, false) => Attr::Known(false),
    }
}

/// Whether a base image has a program; `None` for one whose content is not known for sure.
fn in_base(view: &View<'_>, tool: &str) -> Option<bool> {
    let (base, complete) = view.base();
    let (name, tag, _) = known::split(&base);
    if !complete {
        return None;
    }
    if name.starts_with("gcr.io/distroless/") {
        // The debug variants have busybox, which has no curl.
        return Some(tool == "wget" && tag.is_some_and(|tag| tag.contains("debug")));
    }
    let official = ["docker.io/library/", "docker.io/", "library/"].iter().find_map(|start| name.strip_prefix(start));
    match official.unwrap_or(name) {
        "scratch" | "debian" | "ubuntu" => Some(false),
        "alpine" | "busybox" => Some(tool == "wget"),
        _ => None,
    }
}

/// Whether an instruction brings a program in; unknown where it may.
fn brings(view: &View<'_>, instruction: &Instruction, tool: &str) -> Attr<bool> {
    match instruction.keyword.as_str() {
        "RUN" => installs(view, &instruction.script(), tool),
        "COPY" | "ADD" => copies(instruction, tool),
        _ => Attr::Known(false),
    }
}

/// Commands that bring no program in.
const HARMLESS: &[&str] = &[
    "rm",
    "mkdir",
    "useradd",
    "groupadd",
    "adduser",
    "addgroup",
    "usermod",
    "chown",
    "chmod",
    "chgrp",
    "ln",
    "update-ca-certificates",
    "set",
    "echo",
    "touch",
    "ldconfig",
    "true",
    "printf",
    "locale-gen",
    "test",
    "ldd",
    "strip",
    "sed",
    "find",
    "setcap",
    "cat",
    "id",
    "ls",
    "exit",
];

/// Packages of Debian and Alpine that come without curl and wget, also with what they recommend.
const PLAIN_PACKAGES: &[&str] = &[
    "ca-certificates",
    "openssl",
    "tzdata",
    "tini",
    "dumb-init",
    "gosu",
    "su-exec",
    "netbase",
    "adduser",
    "procps",
    "passwd",
    "locales",
    "sqlite3",
    "sqlite",
    "zlib1g",
    "netcat-openbsd",
    "netcat-traditional",
    "iputils-ping",
    "musl",
    "zlib",
    "gcompat",
    "pkg-config",
];

fn installs(view: &View<'_>, script: &str, tool: &str) -> Attr<bool> {
    let mut unknown = false;
    for command in script.split(['|', '&', ';', '\n']).map(str::trim) {
        let words = words(command);
        let names = |name: &str| words.iter().any(|word| program(word) == name);
        let installer = ["apt-get", "apt", "apk"].iter().any(|name| names(name));
        let adds = installer && ["install", "add"].iter().any(|verb| names(verb));
        match words.first().map(|word| program(word)) {
            None => {}
            Some(_) if adds => {
                let packages: Vec<Option<String>> = words.iter().map(|word| view.value(word)).collect();
                if packages.iter().flatten().any(|word| is_package(word, tool)) {
                    return Attr::Known(true);
                }
                unknown |= !packages.iter().all(|word| word.as_deref().is_some_and(is_plain_word));
            }
            Some(_) if installer => {}
            Some(first) if HARMLESS.contains(&first) => {}
            Some(_) => unknown = true,
        }
    }
    if unknown { Attr::Unknown } else { Attr::Known(false) }
}

fn is_package(word: &str, name: &str) -> bool {
    word.split(['=', ':', '~']).next() == Some(name)
}

/// A word of an install command that brings no program but its own: an option, or a package that is known to be plain.
fn is_plain_word(word: &str) -> bool {
    let name = word.split(['=', ':', '~']).next().unwrap_or(word);
    let of_command = ["apt-get", "apt", "apk", "install", "add", "sudo"].contains(&name);
    let library = name.starts_with("lib") && !name.contains('/') && name != "libreoffice";
    of_command || name.starts_with('-') || library || PLAIN_PACKAGES.contains(&name) || is_assignment(word)
}

/// Folders in which programs stand, and those above them.
const PROGRAM_FOLDERS: &[&str] =
    &["", "/usr", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local", "/usr/local/bin"];

fn copies(instruction: &Instruction, tool: &str) -> Attr<bool> {
    let words: Vec<&str> = instruction.words.iter().map(|word| word.text.as_str()).collect();
    if words.iter().any(|word| program(word).split(['.', '-']).any(|part| part == tool)) {
        return Attr::Known(true);
    }
    let Some((to, from)) = words.split_last() else { return Attr::Known(false) };
    let into_programs = PROGRAM_FOLDERS.contains(&to.trim_end_matches('/'));
    // A file of the tree itself is not such a program; what another stage or image holds in a folder may be.
    let elsewhere = instruction.flag("from").is_some() || instruction.keyword == "ADD";
    let file = |path: &str| path.contains("/release/") || program(path).contains('.');
    let open = elsewhere && into_programs && !from.iter().all(|path| file(path));
    let open = open || from.iter().any(|path| elsewhere && PROGRAM_FOLDERS.contains(&path.trim_end_matches('/')));
    if open { Attr::Unknown } else { Attr::Known(false) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn has(dockerfile: &str, tool: &str) -> Attr<bool> {
        let Syntax::Dockerfile(file) = crate::parse::dockerfile::parse(dockerfile).syntax else { return Attr::Unset };
        in_image(&View::new(&file, file.stages.last().unwrap()), tool)
    }

    #[test]
    fn programs_of_a_check() {
        let tools = |line: &str| called(line).join(" ");
        assert_eq!(tools("curl -f http://localhost/health || exit 1"), "curl");
        assert_eq!(tools("/usr/bin/wget -qO- localhost:80/health | grep ok"), "wget");
        assert_eq!(tools("sh -c \"curl -f localhost/a || wget -q localhost/a\""), "curl wget");
        assert_eq!(tools("curl -f localhost/a || /app/shop health"), "");
        assert_eq!(tools("/app/shop curl"), "");
    }

    #[test]
    fn bases_bring_what_is_known_of_them() {
        for (base, curl, wget) in [
            ("scratch", Some(false), Some(false)),
            ("debian:trixie-slim", Some(false), Some(false)),
            ("docker.io/library/ubuntu:24.04", Some(false), Some(false)),
            ("alpine:3.22", Some(false), Some(true)),
            ("gcr.io/distroless/cc-debian12:nonroot", Some(false), Some(false)),
            ("gcr.io/distroless/cc-debian12:debug-nonroot", Some(false), Some(true)),
            ("rust:1.91", None, None),
            ("ghcr.io/acme/debian", None, None),
            ("${BASE}", None, None),
        ] {
            let file = format!("FROM {base}\nCOPY --from=build /src/target/release/shop /usr/local/bin/\n");
            let of = |known: Option<bool>| known.map_or(Attr::Unknown, Attr::Known);
            assert_eq!((has(&file, "curl"), has(&file, "wget")), (of(curl), of(wget)), "{base}");
        }
    }

    #[test]
    fn what_an_image_is_given() {
        for (line, found) in [
            ("RUN apt-get update && apt-get install -y curl ca-certificates", Attr::Known(true)),
            ("RUN apt-get update \\\n && apt-get install -y --no-install-recommends \\\n  curl=8.1", Attr::Known(true)),
            ("RUN apt-get install -y libssl3 ca-certificates && rm -rf /var/lib/apt/lists/*", Attr::Known(false)),
            ("RUN useradd --system app", Attr::Known(false)),
            ("RUN apt-get install -y $PACKAGES", Attr::Unknown),
            ("ARG P=curl\nRUN apt-get install -y $P", Attr::Known(true)),
            ("RUN apt-get install -y git", Attr::Unknown),
            ("RUN ./setup.sh", Attr::Unknown),
            ("RUN <<END\napt-get update\napt-get install -y curl\nEND", Attr::Known(true)),
            ("COPY --from=fetch /usr/bin/curl /usr/bin/curl", Attr::Known(true)),
            ("COPY --from=fetch /out/ /", Attr::Unknown),
            ("COPY --from=fetch /usr/local/bin /opt", Attr::Unknown),
            ("COPY config /etc/shop", Attr::Known(false)),
        ] {
            assert_eq!(has(&format!("FROM debian:trixie-slim\n{line}\n"), "curl"), found, "{line}");
        }
        let stages = "FROM debian:trixie-slim AS base\nRUN apt-get install -y curl\nFROM base\nUSER 1\n";
        assert_eq!(has(stages, "curl"), Attr::Known(true));
    }
}

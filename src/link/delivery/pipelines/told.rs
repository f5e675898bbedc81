//! What the expressions of a job stand for: variables, outputs of its steps and of the jobs it waits for.
//!
//! A value may be told in several places, one for each way through a script: all of them are kept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::actions::dense;
use super::expressions::{text_of, texts_of};
use super::model::{Action, Job, Pipeline};
use crate::link::Context;
use crate::parse::Syntax;
use crate::parse::document::Node;

/// How many values one name may have, and how often values are put into values.
const VALUES: usize = 16;
const ROUNDS: usize = 4;

/// How long a text may get.
const LENGTH: usize = 10_000;

/// `echo "name=value" >> $GITHUB_OUTPUT`, and the old `::set-output name=..::value`.
static WRITES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?m)(?:echo|printf)\s+(?:-[en]+\s+)?["']?(?:::set-output\s+name=)?([A-Za-z_][\w-]*)(?:=|::)([^\n]*?)["']?(?:\s*(?:>>|\|\s*tee\s+-a)\s*["']?\$\{?(GITHUB_OUTPUT|GITHUB_ENV)\}?["']?|\s*$)"#,
    )
    .ok()
});

/// `NAME=value` at the start of a line of a script.
static ASSIGNMENTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?m)^[ \t]*(?:export[ \t]+|local[ \t]+)?([A-Za-z_]\w*)=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"';&|]*))"#)
        .ok()
});

/// Values by the expression that names them, without blanks: `env.NAME`, `steps.id.outputs.name`.
#[derive(Default)]
pub struct Told {
    values: BTreeMap<String, Vec<String>>,
}

impl Told {
    /// What is told to a job of a pipeline.
    pub fn of(context: &Context<'_>, pipeline: &Pipeline<'_>, job: &Job<'_>) -> Told {
        let mut told = Told::default();
        told.variables(root(context, pipeline).and_then(|root| root.get("env")));
        for need in pipeline.jobs.iter().filter(|other| job.needs.contains(&other.name)) {
            let mut own = Told::default();
            own.variables(need.environment);
            own.steps(need);
            for output in need.outputs.map_or(&[][..], Node::entries) {
                let value = text_of(&output.value).unwrap_or_default();
                for value in own.put_in(&value) {
                    told.add(format!("needs.{}.outputs.{}", need.name, output.key), value);
                }
            }
        }
        told.variables(job.environment);
        told.steps(job);
        told
    }

    fn add(&mut self, name: String, value: String) {
        let values = self.values.entry(name).or_default();
        if values.len() < VALUES && !values.contains(&value) {
            values.push(value);
        }
    }

    fn variables(&mut self, environment: Option<&Node>) {
        for entry in environment.map_or(&[][..], Node::entries) {
            if let Some(value) = text_of(&entry.value) {
                // The innermost value is the one that counts.
                self.values.remove(&format!("env.{}", entry.key));
                self.add(format!("env.{}", entry.key), value);
            }
        }
    }

    fn steps(&mut self, job: &Job<'_>) {
        for (number, step) in job.steps.iter().enumerate() {
            let id = job.ids.iter().find(|(_, at)| *at == number).map(|(id, _)| id.as_str());
            match &step.action {
                Action::Script(script) => self.script(id, script),
                Action::Use { name, inputs: Some(inputs), .. } if name == "docker/metadata-action" => {
                    if let Some(id) = id {
                        self.metadata(id, inputs);
                    }
                }
                _ => {}
            }
        }
    }

    fn script(&mut self, id: Option<&str>, script: &str) {
        let Some(writes) = &*WRITES else { return };
        let script = dense(script);
        for write in writes.captures_iter(&script) {
            let (name, value) = (&write[1], &write[2]);
            let old = write[0].contains("::set-output");
            let name = match (write.get(3).map(|to| to.as_str()), id) {
                (Some("GITHUB_ENV"), _) => format!("env.{name}"),
                (Some(_), Some(id)) => format!("steps.{id}.outputs.{name}"),
                (None, Some(id)) if old => format!("steps.{id}.outputs.{name}"),
                _ => continue,
            };
            for value in with_assignments(value, &script) {
                self.add(name.clone(), value);
            }
        }
    }

    /// Tags that docker/metadata-action makes: every image with every kind of tag.
    fn metadata(&mut self, id: &str, inputs: &Node) {
        let list = |key: &str| lines(inputs.get(key));
        let flavor = list("flavor").join(",");
        let part = |name: &str| flavor.split(',').find_map(|part| part.trim().strip_prefix(name).map(str::to_string));
        let (prefix, suffix) = (part("prefix=").unwrap_or_default(), part("suffix=").unwrap_or_default());
        let mut tags: Vec<String> = Vec::new();
        let kinds = list("tags");
        for kind in &kinds {
            tags.extend(tag_of(kind, &prefix, &suffix));
        }
        let auto = part("latest=").is_none_or(|latest| latest != "false");
        if kinds.is_empty() {
            // Branches, tags and pull requests.
            tags.push(format!("{prefix}${{any}}{suffix}"));
        } else if auto && kinds.iter().any(|kind| kind.contains("type=semver") || kind.contains("event=tag")) {
            tags.push("latest".to_string());
        }
        let images: Vec<String> = list("images").iter().map(|line| image_of(line)).collect();
        for image in images {
            for tag in &tags {
                self.add(format!("steps.{id}.outputs.tags"), format!("{image}:{tag}"));
            }
        }
        for tag in tags {
            self.add(format!("steps.{id}.outputs.version"), tag);
        }
    }

    /// A text with what is told put in: one text for each value; what is not told stays as it stands.
    pub fn put_in(&self, text: &str) -> Vec<String> {
        let mut open = vec![dense(text)];
        for _ in 0..ROUNDS {
            let mut next: Vec<String> = Vec::new();
            let mut changed = false;
            for text in open {
                match self.first(&text) {
                    Some((range, values)) => {
                        changed = true;
                        next.extend(
                            values
                                .iter()
                                .take(VALUES)
                                .map(|value| format!("{}{}{}", &text[..range.start], dense(value), &text[range.end..])),
                        );
                    }
                    None => next.push(text),
                }
                next.retain(|text| text.len() < LENGTH);
                next.truncate(VALUES * 4);
            }
            open = next;
            if !changed {
                break;
            }
        }
        open
    }

    /// The first reference of a text whose values are told.
    fn first(&self, text: &str) -> Option<(std::ops::Range<usize>, &[String])> {
        let mut at = 0;
        while let Some(start) = text[at..].find('$').map(|offset| at + offset) {
            let rest = &text[start + 1..];
            let (name, length) = match (rest.strip_prefix("{{"), rest.strip_prefix('{')) {
                (Some(inner), _) => {
                    let end = inner.find("}}").unwrap_or(inner.len());
                    (inner[..end].to_string(), end + 5)
                }
                (None, Some(inner)) => {
                    let end = inner.find('}').unwrap_or(inner.len());
                    (format!("env.{}", &inner[..end]), end + 3)
                }
                (None, None) => {
                    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
                    (format!("env.{}", &rest[..end]), end + 1)
                }
            };
            let end = (start + length).min(text.len());
            if let Some(values) = self.values.get(&name).filter(|values| !values.is_empty()) {
                return Some((start..end, values));
            }
            at = end.max(start + 1);
        }
        None
    }
}

fn root<'a>(context: &Context<'a>, pipeline: &Pipeline<'_>) -> Option<&'a Node> {
    match &context.repository.get(pipeline.file.id).1.syntax {
        Syntax::Documents(documents) => documents.first(),
        _ => None,
    }
}

/// The lines of an input that holds one value a line; comments and blanks left out.
fn lines(node: Option<&Node>) -> Vec<String> {
    let text = node.map(texts_of).unwrap_or_default().join("\n");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_string).collect()
}

/// `name=ghcr.io/acme/shop,enable=..` or the name alone.
fn image_of(line: &str) -> String {
    let name = line.split(',').find_map(|part| part.trim().strip_prefix("name="));
    name.unwrap_or_else(|| line.split(',').next().unwrap_or(line)).trim().to_string()
}

/// The tag that a line of metadata-action's `tags` gives; `${any}` stands for what the run fills in.
fn tag_of(line: &str, prefix: &str, suffix: &str) -> Option<String> {
    let part = |name: &str| line.split(',').find_map(|part| part.trim().strip_prefix(name).map(str::to_string));
    if part("enable=").is_some_and(|on| on == "false") {
        return None;
    }
    let kind = part("type=").unwrap_or_else(|| "raw".to_string());
    let own = match kind.as_str() {
        "raw" => part("value=").unwrap_or_else(|| line.to_string()),
        "sha" => "${any}".to_string(),
        // `v{{version}}` is `v` and what the run knows.
        "semver" | "pep440" | "match" | "schedule" => part("pattern=").map_or("${any}".to_string(), |pattern| {
            let braces = pattern.contains("{{");
            if braces { pattern.replace("{{", "${").replace("}}", "}") } else { "${any}".to_string() }
        }),
        _ => "${any}".to_string(),
    };
    let default = match (kind.as_str(), part("event=").as_deref()) {
        ("sha", _) => "sha-",
        ("ref", Some("pr")) => "pr-",
        _ => prefix,
    };
    let before = part("prefix=").unwrap_or_else(|| default.to_string());
    let after = part("suffix=").unwrap_or_else(|| suffix.to_string());
    Some(format!("{before}{own}{after}"))
}

/// A text with the variables put in that a script assigns once; one it assigns several times stands for any value.
pub fn with_assignments(text: &str, script: &str) -> Vec<String> {
    let Some(assignments) = &*ASSIGNMENTS else { return vec![text.to_string()] };
    let mut told = Told::default();
    for found in assignments.captures_iter(script) {
        let value = [2, 3, 4].iter().find_map(|group| found.get(*group)).map_or("", |value| value.as_str());
        // What refers to itself, or comes from a command, is known to the run alone.
        let own = value.contains(&format!("${}", &found[1])) || value.contains(&format!("${{{}", &found[1]));
        let value = if own || value.contains("$(") || value.contains('`') { "${any}" } else { value };
        told.add(format!("env.{}", &found[1]), value.to_string());
    }
    told.put_in(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_and_variables_of_scripts() {
        let mut told = Told::default();
        told.script(
            Some("v"),
            "TAG=v$(date +%s)\nNAME=\"ghcr.io/acme/shop\"\necho \"tag=$TAG\" >> $GITHUB_OUTPUT\necho image=$NAME >> \"$GITHUB_OUTPUT\"\necho 'REGISTRY=ghcr.io' >> ${GITHUB_ENV}\necho \"::set-output name=old::1.2\"\necho nothing=here",
        );
        assert_eq!(told.put_in("${{ steps.v.outputs.image }}:${{steps.v.outputs.tag}}"), ["ghcr.io/acme/shop:${any}"]);
        assert_eq!(told.put_in("$REGISTRY/x:${{ steps.v.outputs.old }}"), ["ghcr.io/x:1.2"]);
        assert_eq!(told.put_in("${REGISTRY}/${OTHER}"), ["ghcr.io/${OTHER}"]);
        assert_eq!(told.put_in("${{ steps.v.outputs.nothing }}"), ["${{steps.v.outputs.nothing}}"]);
    }

    #[test]
    fn both_ways_through_a_script_are_kept() {
        let mut told = Told::default();
        told.script(
            Some("v"),
            "if x; then\n echo tag=latest >> $GITHUB_OUTPUT\nelse\n echo tag=edge >> $GITHUB_OUTPUT\nfi",
        );
        assert_eq!(told.put_in("${{ steps.v.outputs.tag }}"), ["latest", "edge"]);
    }

    #[test]
    fn tags_of_the_metadata_action() {
        let tag = |line: &str| tag_of(line, "", "");
        assert_eq!(tag("type=raw,value=latest").as_deref(), Some("latest"));
        assert_eq!(tag("type=semver,pattern=v{{version}}").as_deref(), Some("v${version}"));
        assert_eq!(tag("type=sha").as_deref(), Some("sha-${any}"));
        assert_eq!(tag("type=sha,prefix=,format=long").as_deref(), Some("${any}"));
        assert_eq!(tag("type=ref,event=branch,suffix=-alpine").as_deref(), Some("${any}-alpine"));
        assert_eq!(tag("type=ref,event=pr").as_deref(), Some("pr-${any}"));
        assert_eq!(tag("type=raw,value=x,enable=false"), None);
        assert_eq!(tag("nightly").as_deref(), Some("nightly"));
        assert_eq!(image_of("name=ghcr.io/acme/shop,enable=true"), "ghcr.io/acme/shop");
    }
}

//! Recipes that pipelines call by name: just, make, npm scripts, cargo-make, Taskfiles, mise tasks.

/// A recipe's commands with the byte offset of their text in its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipe {
    /// The commands.
    pub script: String,
    /// Offset of the recipe in its file.
    pub offset: usize,
    /// Recipes it runs first.
    pub needs: Vec<String>,
}

/// A recipe of a justfile; `{{ name }}` of the file's own assignments are put in.
pub fn just(text: &str, name: &str) -> Option<Recipe> {
    let mut recipe = indented(text, |head| {
        let head = head.trim_start_matches('@');
        let (before, after) = head.split_once(':')?;
        let called = before.split_whitespace().next()?;
        (called == name && !after.starts_with('=')).then(|| words(after))
    })?;
    recipe.script = lines_without(&recipe.script, &['@', '-']);
    for (key, value) in assignments(text, ":=") {
        recipe.script = replace_braced(&recipe.script, key, value);
    }
    Some(recipe)
}

/// A target of a Makefile; `$(NAME)` of the file's own assignments are put in.
pub fn make(text: &str, name: &str) -> Option<Recipe> {
    let mut recipe = indented(text, |head| {
        let (before, after) = head.split_once(':')?;
        let named = before.split_whitespace().any(|target| target == name);
        (named && !after.starts_with('=')).then(|| words(after.split(';').next().unwrap_or("")))
    })?;
    recipe.script = lines_without(&recipe.script, &['@', '-', '+']);
    for (key, value) in assignments(text, ":=").chain(assignments(text, "?=")).chain(assignments(text, "=")) {
        recipe.script = recipe.script.replace(&format!("$({key})"), value).replace(&format!("${{{key}}}"), value);
    }
    Some(recipe)
}

/// The lines under the first head line that `wanted` takes, as long as they are indented.
fn indented(text: &str, wanted: impl Fn(&str) -> Option<Vec<String>>) -> Option<Recipe> {
    let mut offset = 0;
    let mut found: Option<Recipe> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.starts_with([' ', '\t']);
        match &mut found {
            Some(recipe) if indent => recipe.script.push_str(line),
            Some(recipe) if line.trim().is_empty() => recipe.script.push('\n'),
            Some(_) => break,
            None if indent || line.starts_with('#') => {}
            None => found = wanted(line.trim_end()).map(|needs| Recipe { script: String::new(), offset, needs }),
        }
        offset += line.len();
    }
    found
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| !word.starts_with(['(', '&', '|', '#'])).map(str::to_string).collect()
}

fn lines_without(script: &str, prefixes: &[char]) -> String {
    let lines = script.lines().map(|line| line.trim_start().trim_start_matches(prefixes));
    lines.collect::<Vec<_>>().join("\n")
}

fn assignments<'t>(text: &'t str, operator: &'static str) -> impl Iterator<Item = (&'t str, &'t str)> {
    text.lines().filter(|line| !line.starts_with([' ', '\t', '#'])).filter_map(move |line| {
        let (name, value) = line.split_once(operator)?;
        let name = name.trim().trim_start_matches("export ").trim();
        let plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        plain.then(|| (name, value.trim().trim_matches(['"', '\''])))
    })
}

fn replace_braced(script: &str, key: &str, value: &str) -> String {
    script.replace(&format!("{{{{ {key} }}}}"), value).replace(&format!("{{{{{key}}}}}"), value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_just_recipe_has_its_lines_needs_and_variables() {
        let text = "runner := \"cargo nextest\"\n\n# docs\ntest-all *ARGS: build\n    @{{ runner }} run\n\n    cargo test --doc\nbuild:\n  cargo build\n";
        let recipe = just(text, "test-all").unwrap();
        assert_eq!(recipe.script.trim(), "cargo nextest run\n\ncargo test --doc");
        assert_eq!(recipe.needs, ["build"]);
        assert!(just(text, "runner").is_none());
        assert!(just(text, "test").is_none());
    }

    #[test]
    fn a_make_target_has_its_lines_needs_and_variables() {
        let text = "IMAGE ?= shop\n.PHONY: push\npush: image\n\t-docker push $(IMAGE):$(TAG)\n";
        let recipe = make(text, "push").unwrap();
        assert_eq!(recipe.script, "docker push shop:$(TAG)");
        assert_eq!(recipe.needs, ["image"]);
    }
}

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

/// Paths of the files that a justfile imports.
pub fn just_imports(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| statement(line, "import")).map(unquoted).collect()
}

/// Modules of a justfile, with the path of their file where it is given.
pub fn just_modules(text: &str) -> Vec<(&str, Option<&str>)> {
    text.lines().filter_map(|line| statement(line, "mod")).map(module).collect()
}

fn module(rest: &str) -> (&str, Option<&str>) {
    let (name, path) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    (name, Some(unquoted(path)).filter(|path| !path.is_empty()))
}

/// What follows a keyword of a justfile, which `?` makes optional.
fn statement<'l>(line: &'l str, keyword: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(keyword)?;
    let rest = rest.strip_prefix('?').unwrap_or(rest);
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

/// A target of a Makefile; `$(NAME)` of the file's own assignments and `$(call NAME)` of its `define`s are put in.
pub fn make(text: &str, name: &str) -> Option<Recipe> {
    let mut recipe = indented(text, |head| {
        let (before, after) = head.split_once(':')?;
        let named = before.split_whitespace().any(|target| target == name);
        (named && !after.starts_with('=')).then(|| words(after.split(';').next().unwrap_or("")))
    })?;
    recipe.script = lines_without(&with_definitions(text, &recipe.script), &['@', '-', '+']);
    for (key, value) in assignments(text, ":=").chain(assignments(text, "?=")).chain(assignments(text, "=")) {
        recipe.script = recipe.script.replace(&format!("$({key})"), value).replace(&format!("${{{key}}}"), value);
    }
    Some(recipe)
}

/// How often definitions that use definitions are put in.
const NESTED: usize = 4;

/// Scripts longer than this are not made longer.
const LONGEST: usize = 1 << 16;

/// A recipe whose lines that are nothing but `$(call NAME)` or `$(NAME)` are the lines of that `define`.
fn with_definitions(text: &str, script: &str) -> String {
    let mut script = script.to_string();
    for _ in 0..NESTED {
        let lines: Vec<&str> = script.lines().map(|line| definition(text, line).unwrap_or(line)).collect();
        let next = lines.join("\n");
        if next == script || next.len() > LONGEST {
            break;
        }
        script = next;
    }
    script
}

/// The body of the `define` that a line uses.
fn definition<'t>(text: &'t str, line: &str) -> Option<&'t str> {
    let used = line.trim().trim_start_matches(['@', '-', '+']);
    let used = used.strip_prefix("$(").or_else(|| used.strip_prefix("${"))?.strip_suffix([')', '}'])?;
    let used = used.strip_prefix("call ").unwrap_or(used);
    let name = used.split(',').next().unwrap_or("").trim();
    let mut offset = 0;
    let mut start = None;
    for line in text.split_inclusive('\n') {
        let mut words = line.split_whitespace();
        match (start, words.next()) {
            (Some(start), Some("endef")) => return text.get(start..offset).map(|body| body.trim_end_matches('\n')),
            (None, Some("define")) if words.next().is_some_and(|word| word == name) => {
                start = Some(offset + line.len())
            }
            _ => {}
        }
        offset += line.len();
    }
    None
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

/// The lines without their indent and the marks in front of commands; a line that goes on keeps what follows as it is.
fn lines_without(script: &str, prefixes: &[char]) -> String {
    let mut goes_on = false;
    let lines = script.lines().map(|line| {
        let continues = std::mem::replace(&mut goes_on, line.ends_with('\\'));
        if continues { line } else { line.trim_start().trim_start_matches(prefixes) }
    });
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

    #[test]
    fn what_a_make_target_calls_is_defined_elsewhere() {
        let text = "define run_tests ## all of them\n\tcd core && \\\n\t\tcargo test --workspace\nendef\n\ndefine all\n$(call run_tests)\n@echo done\nendef\n\ntest: build\n\t@$(call all, quick)\n\t$(call gone)\n";
        let recipe = make(text, "test").unwrap();
        assert_eq!(recipe.script, "cd core && \\\n\t\tcargo test --workspace\necho done\n$(call gone)");
        assert!(make(text, "run_tests").is_none());
    }

    #[test]
    fn a_definition_that_uses_itself_ends() {
        let text = "define again\n$(call again)\n$(call again)\nendef\nx:\n\t$(call again)\n";
        assert!(make(text, "x").unwrap().script.lines().count() <= 1 << NESTED);
    }
}

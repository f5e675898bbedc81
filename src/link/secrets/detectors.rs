//! Programs that look for secrets themselves: a value beside the regular expression that finds it is an example of it.

use regex::Regex;

/// Longest expression that is tried.
const LONGEST: usize = 400;

/// Whether a text writes down a regular expression that is specific to values like this one.
pub(super) fn matches(text: &str, value: &str) -> bool {
    let expressions = quoted(text).filter(|quoted| quoted.len() <= LONGEST && is_expression(quoted));
    expressions
        .into_iter()
        .any(|expression| finds(expression, value) || finds(&expression.replace("\\\\", "\\"), value))
}

/// Texts between quotes on one line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| {
        let mark = if line.contains('"') { '"' } else { '\'' };
        line.split(mark).skip(1).step_by(2)
    })
}

/// It has a class of characters and says how many.
fn is_expression(text: &str) -> bool {
    text.contains('[') && text.contains(']') && text.contains(['{', '+', '*'])
}

/// It takes the whole value, and no value of the same shape that begins otherwise: `[A-Za-z0-9_]{40}` tells nothing.
fn finds(expression: &str, value: &str) -> bool {
    let Ok(regex) = Regex::new(expression) else { return false };
    let whole = |text: &str| regex.find(text).is_some_and(|found| found.as_str() == text);
    let start: usize = value.chars().take(3).map(char::len_utf8).sum();
    whole(value) && !whole(&format!("zqx{}", &value[start..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_value_beside_its_own_expression_is_an_example() {
        let value = format!("shp_{}", "a1B2".repeat(5));
        let table = |expression: &str| format!("(\"Shop token\", \"{expression}\", \"{value}\"),");
        assert!(matches(&table("shp_[A-Za-z0-9]{20}"), &value));
        assert!(matches(&table("\\\\bshp_[A-Za-z0-9]{20}\\\\b"), &value));
        assert!(!matches(&table("[A-Za-z0-9_]{20,}"), &value));
        assert!(!matches(&table("xyz_[A-Za-z0-9]{20}"), &value));
    }
}

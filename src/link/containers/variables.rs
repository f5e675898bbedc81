//! `$NAME`, `${NAME}`, `${NAME:-default}` in Dockerfiles and compose files.

/// A text with its variables replaced as far as they are known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expanded {
    /// The text; what is not known stays as it was written.
    pub text: String,
    /// Every variable was known.
    pub complete: bool,
}

/// Replaces variables. `lookup` gives a value, or `None` where it is not known.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Expanded {
    let mut expanded = Expanded { text: String::with_capacity(text.len()), complete: true };
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            expanded.text.push('$');
            rest = after;
            continue;
        }
        let Some((name, modifier, length)) = reference(rest) else {
            expanded.text.push('$');
            rest = &rest[1..];
            continue;
        };
        match value(name, modifier, lookup) {
            Some(value) => expanded.text.push_str(&value),
            None => {
                expanded.text.push_str(&rest[..length]);
                expanded.complete = false;
            }
        }
        rest = &rest[length..];
    }
    expanded.text.push_str(rest);
    expanded
}

/// Name, modifier and length of the reference a text starts with.
fn reference(text: &str) -> Option<(&str, &str, usize)> {
    let word = |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let body = &text[1..];
    if let Some(inner) = body.strip_prefix('{') {
        let close = closing(inner)?;
        let name = word(&inner[..close]);
        return (name > 0).then(|| (&inner[..name], &inner[name..close], close + 3));
    }
    let length = word(body);
    (length > 0).then(|| (&body[..length], "", length + 1))
}

/// Where the brace closes that was opened before this text; inner references are stepped over.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            b'\n' => return None,
            _ => {}
        }
    }
    None
}

fn value(name: &str, modifier: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let known = lookup(name);
    let fallback = |text: &str| {
        // A default may hold references of its own; one level is what people write.
        let inner = if text.contains("${") { None } else { Some(text.to_string()) };
        inner.or_else(|| {
            let (name, modifier, length) = reference(text)?;
            let default = modifier.strip_prefix(":-").or(modifier.strip_prefix('-')).filter(|_| length == text.len());
            lookup(name).or_else(|| default.map(str::to_string))
        })
    };
    if let Some(default) = modifier.strip_prefix(":-") {
        return known.filter(|value| !value.is_empty()).or_else(|| fallback(default));
    }
    if let Some(default) = modifier.strip_prefix('-') {
        return known.or_else(|| fallback(default));
    }
    if let Some(other) = modifier.strip_prefix(":+").or_else(|| modifier.strip_prefix('+')) {
        return known.map(|_| other.to_string());
    }
    known.filter(|_| modifier.is_empty() || modifier.starts_with([':', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> (String, bool) {
        let lookup = |name: &str| (name == "A").then(|| "1".to_string());
        let expanded = expand(source, &lookup);
        (expanded.text, expanded.complete)
    }

    #[test]
    fn references_are_replaced() {
        assert_eq!(text("x$A-${A}y"), ("x1-1y".into(), true));
        assert_eq!(text("${B:-d}/${B-${C:-e}}"), ("d/e".into(), true));
        assert_eq!(text("${B}:$$A"), ("${B}:$A".into(), false));
        assert_eq!(text("${A:?must be set} $ ${"), ("1 $ ${".into(), true));
        assert_eq!(text("${A:+yes}"), ("yes".into(), true));
    }
}

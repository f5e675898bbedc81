//! Tags that deployment files name against the tags that pipelines publish.

use crate::facts::{Attr, Data, FactKind, Facts};
use crate::link::containers::known::split;
use crate::link::{Context, Linked};

/// A text with `*` for what only a run knows: `v${VERSION}` is `v*`.
pub fn tag_pattern(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = match after.chars().next() {
            Some('{' | '(') => closing(after),
            _ => after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len()),
        };
        out.push('*');
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

fn closing(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Whether a tag is one that a pattern stands for.
fn matches(pattern: &str, tag: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| tag.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Marks containers whose tag the pipelines publish, or do not. Where a pipeline publishes an image whose name cannot
/// be read, it may be this one, and nothing is said.
pub fn tie(_context: &Context<'_>, linked: &mut Linked) {
    let Some(published) = published(&linked.facts) else { return };
    for fact in &mut linked.facts.all {
        let (image, of_service, says) = match &mut fact.data {
            Data::Container(container) => (&container.image, &container.of_service, &mut container.tag_published),
            Data::ImageCopy(copy) => (&copy.image, &copy.of_service, &mut copy.tag_published),
            _ => continue,
        };
        let (Some(image), true) = (image.known(), of_service.is_true()) else { continue };
        let (name, Some(tag), None) = split(image) else { continue };
        let name = plain(name);
        let tags: Vec<&String> = published.iter().filter(|(of, _)| *of == name).map(|(_, tag)| tag).collect();
        if !tags.is_empty() {
            *says = Attr::Known(tags.iter().any(|pattern| matches(pattern, tag)));
        }
    }
}

/// Names and tags of all images that pipelines publish; `None` where one cannot be read.
fn published(facts: &Facts) -> Option<Vec<(String, String)>> {
    let builds = facts.of(FactKind::ImageBuild).filter_map(|(_, fact)| match &fact.data {
        Data::ImageBuild(build) if build.published.is_true() => Some(build),
        _ => None,
    });
    builds.map(|build| Some((plain(build.image.known()?), build.tag.known()?.clone()))).collect()
}

/// A name without what every registry client adds by itself.
pub(super) fn plain(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").or_else(|| name.strip_prefix("index.docker.io/")).unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_run_knows_stands_for_anything() {
        assert_eq!(tag_pattern("v${VERSION}"), "v*");
        assert_eq!(tag_pattern("${{github.sha}}-$ARCH.x"), "*-*.x");
        assert_eq!(tag_pattern("$(git rev-parse ${X})"), "*");
        assert_eq!(tag_pattern("${open"), "*");
        assert!(matches("v*", "v1.2") && !matches("v*", "1.2"));
        assert!(matches("*", "anything") && matches("latest", "latest") && !matches("latest", "latest2"));
        assert!(matches("a*b*c", "axbyc") && !matches("a*b*c", "axyc"));
    }
}

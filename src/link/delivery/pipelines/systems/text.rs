//! CI files that are programs: Jenkinsfiles. Their shell steps are read, their logic is not.

use super::super::model::{Action, Job, Pipeline, Step};
use crate::parse::document::Node;
use crate::scan::source::{SourceFile, Span};

/// Reads a Jenkinsfile: the strings of its `sh` steps, in order.
pub fn jenkins<'a>(file: &'a SourceFile, _documents: &'a [Node]) -> Pipeline<'a> {
    let text = &*file.text;
    let mut steps = Vec::new();
    let mut from = 0;
    while let Some((span, script)) = next_shell(text, from) {
        from = span.end as usize;
        steps.push(Step { name: String::new(), span, folder: String::new(), action: Action::Script(script) });
    }
    // The steps of a shared library are functions of another repository.
    let library = ["@Library", "library(", "library '", "library \""].iter().find_map(|word| text.find(word));
    if let Some(at) = library.filter(|_| steps.is_empty()) {
        steps.push(super::elsewhere("shared library pipeline", Span::new(at, at + "library".len())));
    }
    super::pipeline(file, "jenkins", vec![Job { name: "pipeline".into(), steps, ..Job::default() }])
}

/// The next string behind `sh`, `bat` or `script:`.
fn next_shell(text: &str, from: usize) -> Option<(Span, String)> {
    let mut from = from;
    loop {
        let at = from + text.get(from..)?.find("sh")?;
        from = at + 2;
        let starts = text[..at].ends_with(|c: char| c.is_whitespace() || c == '{' || c == ';');
        let rest = text[from..].trim_start_matches([' ', '(']);
        let rest = rest
            .split_once("script:")
            .filter(|(before, _)| before.len() < 40 && !before.contains('\n'))
            .map_or(rest, |(_, rest)| rest.trim_start());
        if !starts || !rest.starts_with(['\'', '"']) {
            continue;
        }
        let quote = ["'''", "\"\"\"", "'", "\""].iter().find(|quote| rest.starts_with(**quote))?;
        let start = text.len() - rest.len() + quote.len();
        let length = text[start..].find(quote)?;
        return Some((Span::new(start, start + length), text[start..start + length].to_string()));
    }
}

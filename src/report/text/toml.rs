//! Errors in TOML files that a person wrote, with their lines.

use std::sync::{Arc, OnceLock};

use super::style::{Look, Tone};
use super::window::Window;
use crate::check::settings::TomlError;
use crate::report::quote::{Quoter, escape};
use crate::scan::source::{FileId, Kind, Role, SourceFile, Span};

/// Errors that are drawn; more would push the first off the screen.
const MOST: usize = 50;

/// All errors.
pub fn errors(errors: &[TomlError], look: &Look) -> String {
    let drawn: Vec<String> = errors.iter().take(MOST).map(|error| one(error, look)).collect();
    let mut out = drawn.join("\n");
    if errors.len() > MOST {
        out.push_str(&format!("\nand {} more errors\n", errors.len() - MOST));
    }
    look.fit(out)
}

fn one(error: &TomlError, look: &Look) -> String {
    let file = SourceFile {
        id: FileId(0),
        path: error.path.clone(),
        kind: Kind::Toml,
        role: Role::Service,
        role_because: String::new(),
        tracked: None,
        ignored: false,
        size: error.text.len() as u64,
        text: Arc::clone(&error.text),
        lines: OnceLock::new(),
    };
    let mut out = look.wrap(&format!("{}: ", look.paint("error", Tone::Bad)), 2, &escape(&error.message));
    let span = Span::new(error.span.start, error.span.end);
    out.push_str(&Window::around(&file, &Quoter::default(), span, look).draw(look));
    if let Some(help) = &error.help {
        out.push_str(&look.wrap(&format!("  {}: ", look.paint("help", Tone::Mild)), 8, &escape(help)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_drawn_with_its_line_and_help() {
        let error = TomlError {
            path: "prodcheck.toml".into(),
            text: Arc::from("[scan]\nexclud = []\n"),
            span: 7..13,
            message: "unknown key `exclud`".into(),
            help: Some("did you mean `exclude`?".into()),
        };
        let drawn = errors(&[error], &Look { color: false, unicode: true, width: 80 });
        assert_eq!(
            drawn,
            "error: unknown key `exclud`\n   ╭─[prodcheck.toml:2:1]\n 1 │ [scan]\n 2 │ exclud = []\n   · ──────\n   ╰────\n  help: did you mean `exclude`?\n"
        );
    }
}

//! The lines around a place, drawn by miette. It gets these lines only: it walks the source that it is given.

use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::style::Look;
use crate::report::quote::{Quoter, escape, is_dangerous};
use crate::scan::source::{LineColumn, SourceFile, Span};

/// Columns that the drawing takes beside the source.
const FRAME: usize = 12;
/// Lines before and after the marked one.
const AROUND: u32 = 1;

/// Some lines of a file with the place that is marked in them.
#[derive(Debug)]
pub struct Window {
    /// `path`.
    name: String,
    /// The lines, ready to be shown.
    text: String,
    /// What is marked in `text`.
    label: Range<usize>,
    /// Line of the file that `text` starts with, from 0.
    first_line: usize,
    /// Where the marked place starts in the file.
    at: LineColumn,
}

impl Window {
    /// The lines around a place. A place over several lines is marked on its first.
    pub fn around(file: &SourceFile, quoter: &Quoter, place: Span, look: &Look) -> Window {
        let at = file.line_column(place.start);
        let end = file.text.trim_end_matches(['\n', '\r']).len();
        let last = file.line_column(u32::try_from(end).unwrap_or(u32::MAX)).line.max(at.line);
        let first = at.line.saturating_sub(AROUND).max(1);
        let most = look.width.saturating_sub(FRAME).max(40);
        let (mut text, mut label) = (String::new(), 0..0);
        for line in first..=(at.line + AROUND).min(last) {
            let span = file.line_span(line);
            let shown = quoter.stretch(file.id, &file.text, span);
            if line == at.line {
                label = push_marked(&mut text, &shown, marked(place, span, &file.text), most);
            } else {
                push_plain(&mut text, &shown, most);
            }
            text.push('\n');
        }
        Window { name: escape(&file.path), text, label, first_line: first as usize - 1, at }
    }

    /// The same under another name than the file's path.
    pub fn named(self, name: String) -> Window {
        Window { name, ..self }
    }

    /// The drawing.
    pub fn draw(self, look: &Look) -> String {
        let theme = GraphicalTheme {
            characters: if look.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
            styles: if look.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(look.width);
        let mut drawn = String::new();
        let corner = if look.unicode { '╭' } else { ',' };
        if handler.render_report(&mut drawn, &Excerpt(self)).is_err() {
            return String::new();
        }
        // The handler always writes a message above the source; ours stands there already.
        let start = drawn.lines().position(|line| line.trim_start().starts_with(corner)).unwrap_or(0);
        drawn.lines().skip(start).map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// Which characters of a line are marked, counted in characters.
fn marked(span: Span, line: Span, text: &str) -> Range<usize> {
    let count = |from: u32, to: u32| text.get(from as usize..to as usize).map_or(0, |piece| piece.chars().count());
    let start = count(line.start, span.start.clamp(line.start, line.end));
    let end = count(line.start, span.end.clamp(line.start, line.end));
    start..end.max(start)
}

fn push_plain(out: &mut String, line: &str, most: usize) {
    let mut letters = line.chars();
    for letter in letters.by_ref().take(most) {
        push(out, letter);
    }
    if letters.next().is_some() {
        out.push('…');
    }
}

/// Adds a line around its marked characters, cut on both sides where it is long; gives the marked range in `out`.
fn push_marked(out: &mut String, line: &str, marked: Range<usize>, most: usize) -> Range<usize> {
    let letters: Vec<char> = line.chars().collect();
    let (mut from, mut to) = (0, letters.len());
    if letters.len() > most {
        from = marked.start.saturating_sub(most / 3);
        to = letters.len().min(from + most);
        from = to.saturating_sub(most).min(from);
    }
    if from > 0 {
        out.push('…');
    }
    let mut label = out.len()..out.len();
    for (at, letter) in (from..).zip(&letters[from..to]) {
        if at == marked.start {
            label.start = out.len();
        }
        push(out, *letter);
        if at < marked.end {
            label.end = out.len();
        }
    }
    if marked.start >= to {
        label.start = out.len();
    }
    if to < letters.len() {
        out.push('…');
    }
    label.start..label.end.max(label.start)
}

fn push(out: &mut String, letter: char) {
    if letter != '\t' && is_dangerous(letter) {
        out.push_str(&letter.escape_unicode().to_string());
    } else {
        out.push(letter);
    }
}

/// The window as miette wants it.
#[derive(Debug)]
struct Excerpt(Window);

impl std::fmt::Display for Excerpt {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt {}

impl Diagnostic for Excerpt {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = &self.0.label;
        Some(Box::new(std::iter::once(LabeledSpan::new(None, label.start, label.len()))))
    }
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Without context it is the marked place that is asked for: the heading names it.
        let (line, column) = match (before, after) {
            (0, 0) => (self.at.line as usize - 1, self.at.column as usize - 1),
            _ => (inner.line() + self.first_line, inner.column()),
        };
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            line,
            column,
            inner.line_count(),
        );
        Ok(Box::new(contents))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::report::samples;

    const PLAIN: Look = Look { color: false, unicode: false, width: 80 };

    fn draw(path: &str, text: &str, mark: &str) -> String {
        let tree = samples::tree(&[(path, text)]);
        let place = samples::place(&tree, path, mark);
        Window::around(&tree.files[0], &Quoter::default(), place.span, &PLAIN).draw(&PLAIN)
    }

    #[test]
    fn the_line_is_shown_with_its_neighbours_and_real_numbers() {
        let text = "a\n".repeat(40) + "before\n\tthe fault here\nafter\nmore\n";
        let drawn = draw("src/a.rs", &text, "fault");
        let expected = "    ,-[src/a.rs:42:6]\n 41 | before\n 42 |     the fault here\n    :         ^^^^^\n 43 | after\n    `----\n";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}fault{}\n", "x".repeat(3000), "y".repeat(3000));
        let drawn = draw("min.js", &text, "fault");
        assert!(drawn.contains("…xxx") && drawn.contains("fault") && drawn.contains("yyy…"), "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() < 84), "{drawn}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_the_mark_still_fits() {
        let drawn = draw("a.yaml", "k: \u{202e}\u{1b}[2J fault\n", "fault");
        assert!(drawn.contains(" k: \\u{202e}\\u{1b}[2J fault"), "{drawn}");
        assert!(!drawn.contains('\u{1b}') && drawn.contains("^^^^^"), "{drawn}");
    }

    #[test]
    fn a_place_at_the_end_of_a_file_is_drawn() {
        for text in ["a\nb\n", "a\r\nb", "\n", "é\n\n"] {
            let tree = samples::tree(&[("a.txt", text)]);
            for at in 0..=text.len() {
                let span = Span::new(at, at + 1);
                let drawn = Window::around(&tree.files[0], &Quoter::default(), span, &PLAIN).draw(&PLAIN);
                let line = tree.files[0].line_column(span.start).line;
                assert!(drawn.contains(&format!("a.txt:{line}:")), "{text:?} {at}: {drawn}");
            }
        }
    }

    #[test]
    fn empty_places_and_empty_files_are_drawn() {
        let tree = samples::tree(&[("README.md", "")]);
        let drawn = Window::around(&tree.files[0], &Quoter::default(), Span::new(0, 0), &PLAIN).draw(&PLAIN);
        assert!(drawn.contains("README.md:1:1"), "{drawn}");
    }
}

//! How text looks: width, colour, characters.

use std::fmt::Write as _;

use owo_colors::{OwoColorize, Style};
use unicode_width::UnicodeWidthStr;

use crate::check::outcome::{PartStatus, Severity, Status};

/// What the reader's terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Colours are written.
    pub color: bool,
    /// Characters beyond ASCII are written.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// What a stretch of text is, for its colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Must be put right.
    Bad,
    /// Should be put right.
    Doubtful,
    /// In order.
    Good,
    /// Beside the point.
    Faint,
    /// A heading.
    Strong,
    /// A note.
    Mild,
}

impl Look {
    /// Text in its colour.
    pub fn paint(&self, text: &str, tone: Tone) -> String {
        if !self.color || text.is_empty() {
            return text.to_string();
        }
        let style = match tone {
            Tone::Bad => Style::new().red().bold(),
            Tone::Doubtful => Style::new().yellow(),
            Tone::Good => Style::new().green(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Mild => Style::new().cyan(),
        };
        text.style(style).to_string()
    }

    /// The mark of a verdict.
    pub fn status(&self, status: Status) -> String {
        let (unicode, ascii, tone) = match status {
            Status::Pass | Status::Attested => ("✔", "+", Tone::Good),
            Status::Violated => ("✖", "x", Tone::Bad),
            Status::Missing => ("!", "!", Tone::Doubtful),
            Status::Unknown => ("?", "?", Tone::Doubtful),
            Status::Na => ("–", "-", Tone::Faint),
            Status::Manual => ("☐", "o", Tone::Mild),
        };
        self.paint(if self.unicode { unicode } else { ascii }, tone)
    }

    /// The mark of a part.
    pub fn part(&self, status: PartStatus) -> String {
        self.status(match status {
            PartStatus::Shown | PartStatus::Default => Status::Pass,
            PartStatus::Broken => Status::Violated,
            PartStatus::Absent => Status::Missing,
            PartStatus::Unknown => Status::Unknown,
            PartStatus::Na => Status::Na,
        })
    }

    /// `error[rule]`.
    pub fn severity(&self, severity: Severity, rule: &str) -> String {
        let (word, tone) = match severity {
            Severity::Error => ("error", Tone::Bad),
            Severity::Warning => ("warning", Tone::Doubtful),
            Severity::Note => ("note", Tone::Mild),
        };
        self.paint(&format!("{word}[{rule}]"), tone)
    }

    /// The arrow between the steps of a flow.
    pub fn arrow(&self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// What may be written: without unicode, what has no ASCII form is escaped.
    pub fn fit(&self, text: String) -> String {
        if self.unicode || text.is_ascii() {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                letter if letter.is_ascii() => out.push(letter),
                '…' => out.push_str("..."),
                '→' => out.push_str("->"),
                '–' | '—' => out.push('-'),
                '‘' | '’' => out.push('\''),
                '“' | '”' => out.push('"'),
                letter => _ = write!(out, "\\u{{{:x}}}", letter as u32),
            }
        }
        out
    }

    /// Words in lines of the look's width: the first line after `first`, the others after as many blanks as `indent`.
    /// Runs of blanks inside a line stay.
    pub fn wrap(&self, first: &str, indent: usize, text: &str) -> String {
        let mut out = String::from(first);
        let mut column = visible_width(first);
        let mut is_fresh = true;
        for word in text.trim().split(' ') {
            let width = visible_width(word);
            if is_fresh && word.is_empty() {
                continue;
            }
            if !is_fresh && column + 1 + width > self.width {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                column = indent;
                is_fresh = true;
            }
            if !is_fresh {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += width;
            is_fresh = false;
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
        out
    }
}

/// A text in one line without runs of blanks.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Columns that a text takes, colours not counted.
pub fn visible_width(text: &str) -> usize {
    if !text.contains('\u{1b}') {
        return text.width();
    }
    let mut width = 0;
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        width += rest[..at].width();
        rest = rest[at..].find('m').map_or("", |end| &rest[at + end + 1..]);
    }
    width + rest.width()
}

/// A text with blanks up to a width.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(visible_width(text))))
}

/// The first sentence of a text, cut at a number of characters.
pub fn first_sentence(text: &str, most: usize) -> String {
    let text = text.trim();
    let end = text.match_indices(". ").map(|(at, _)| at).find(|at| !text[..*at].ends_with("e.g")).unwrap_or(text.len());
    let sentence = text[..end].trim_end_matches(['.', ' ']);
    if sentence.chars().count() <= most {
        return sentence.to_string();
    }
    let cut: String = sentence.chars().take(most).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole))
}

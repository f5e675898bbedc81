//! Markdown: headings, links, code blocks and comments, with their places.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{Comment, Parsed, Syntax};
use crate::scan::source::Span;

/// A Markdown document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Markdown {
    /// Headings in order.
    pub headings: Vec<Heading>,
    /// Links and images in order.
    pub links: Vec<Link>,
    /// Fenced and indented code blocks in order.
    pub code: Vec<CodeBlock>,
}

/// A heading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Without markup.
    pub text: String,
    /// The whole heading.
    pub span: Span,
}

/// A link or an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// Its text.
    pub text: String,
    /// An image.
    pub image: bool,
    /// The whole link.
    pub span: Span,
}

/// A code block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeBlock {
    /// First word after the fence; empty without one.
    pub language: String,
    /// Its lines.
    pub text: String,
    /// The whole block.
    pub span: Span,
}

/// What is open while events are read.
enum Open {
    Heading(Heading),
    Link(Link),
    Code(CodeBlock),
}

/// Reads a document. Any text is Markdown, so there are no problems.
pub fn parse(text: &str) -> Parsed {
    let mut document = Markdown::default();
    let mut comments = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let span = Span::new(range.start, range.end);
        match event {
            Event::Start(tag) => open.extend(begin(tag, span)),
            Event::End(TagEnd::Heading(_) | TagEnd::Link | TagEnd::Image | TagEnd::CodeBlock) => {
                end(&mut open, &mut document);
            }
            Event::Text(piece) | Event::Code(piece) => open.iter_mut().for_each(|item| item.push(&piece)),
            Event::SoftBreak | Event::HardBreak => open.iter_mut().for_each(|item| item.push(" ")),
            Event::Html(html) | Event::InlineHtml(html) => comment(&html, span, &mut comments),
            _ => {}
        }
    }
    Parsed { syntax: Syntax::Markdown(Box::new(document)), comments, problems: Vec::new() }
}

fn begin(tag: Tag<'_>, span: Span) -> Option<Open> {
    let link = |target: &str, image| Open::Link(Link { target: target.to_string(), text: String::new(), image, span });
    match tag {
        Tag::Heading { level, .. } => Some(Open::Heading(Heading { level: level as u8, text: String::new(), span })),
        Tag::Link { dest_url, .. } => Some(link(&dest_url, false)),
        Tag::Image { dest_url, .. } => Some(link(&dest_url, true)),
        Tag::CodeBlock(kind) => {
            let language = match &kind {
                CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or("").to_string(),
                CodeBlockKind::Indented => String::new(),
            };
            Some(Open::Code(CodeBlock { language, text: String::new(), span }))
        }
        _ => None,
    }
}

impl Open {
    fn push(&mut self, piece: &str) {
        match self {
            Open::Heading(heading) => heading.text.push_str(piece),
            Open::Link(link) => link.text.push_str(piece),
            Open::Code(code) => code.text.push_str(piece),
        }
    }
}

fn end(open: &mut Vec<Open>, document: &mut Markdown) {
    match open.pop() {
        Some(Open::Heading(heading)) => document.headings.push(heading),
        Some(Open::Link(link)) => document.links.push(link),
        Some(Open::Code(code)) => document.code.push(code),
        None => {}
    }
}

/// A comment may come in several events; the one that holds both ends is enough for suppressions.
fn comment(html: &str, span: Span, comments: &mut Vec<Comment>) {
    let Some(start) = html.find("<!--") else { return };
    let Some(length) = html[start..].find("-->") else { return };
    let from = span.start as usize + start;
    let text = html[start + 4..start + length].to_string();
    comments.push(Comment { span: Span::new(from, from + length + 3), text });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headings_links_code() {
        let text = "# Héad `x`\n\nSee [the *docs*](docs/a.md) and ![d](d.svg).\n\n<!-- note -->\n\n```sh title\ncargo test\n```\n";
        let parsed = parse(text);
        let Syntax::Markdown(document) = parsed.syntax else { unreachable!() };
        assert_eq!(document.headings[0].text, "Héad x");
        assert_eq!(document.headings[0].level, 1);
        assert_eq!(document.links[0].target, "docs/a.md");
        assert_eq!(document.links[0].text, "the docs");
        assert!(document.links[1].image);
        assert_eq!(document.code[0].language, "sh");
        assert_eq!(document.code[0].text, "cargo test\n");
        assert!(text[document.code[0].span.range()].starts_with("```sh"));
        assert_eq!(parsed.comments[0].text, " note ");
        assert_eq!(&text[parsed.comments[0].span.range()], "<!-- note -->");
    }

    #[test]
    fn hostile_input() {
        for text in ["[".repeat(100_000), ">".repeat(50_000), "*a ".repeat(50_000), "\u{feff}# x\r\n".to_string()] {
            parse(&text);
        }
    }
}

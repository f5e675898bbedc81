//! Template actions (`{{ }}`, `{% %}`) replaced by text of the same length, so that what is left is YAML and every
//! position stays exact.

use crate::scan::source::Span;

/// A template action of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// With its delimiters.
    pub span: Span,
    /// It steers (`if`, `end`, an assignment, a comment) and prints nothing.
    pub control: bool,
}

/// An action that prints lines of YAML where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insertion {
    /// The action.
    pub span: Span,
    /// Column at which its lines come out.
    pub indent: usize,
}

/// A text whose actions are masked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Masked {
    /// As many bytes as the source.
    pub text: String,
    /// Spans that stand inside scalars or keys, in order.
    pub filled: Vec<Span>,
    /// Actions on lines of their own that print YAML, in order.
    pub insertions: Vec<Insertion>,
    /// It held actions at all.
    pub template: bool,
}

impl Masked {
    /// Whether an action stands inside a span.
    pub fn touches(&self, span: Span) -> bool {
        let first = self.filled.partition_point(|filled| filled.end <= span.start);
        self.filled.get(first).is_some_and(|filled| filled.start < span.end)
            || self
                .insertions
                .get(self.insertions.partition_point(|insertion| insertion.span.start < span.start))
                .is_some_and(|insertion| span.holds(insertion.span))
    }
}

/// Masks the actions of a text.
pub fn mask(text: &str) -> Masked {
    let actions = actions(text);
    let mut masked = Masked { template: !actions.is_empty(), ..Masked::default() };
    let mut bytes = text.as_bytes().to_vec();
    for group in lines(text, &actions) {
        mask_line(text, group, &mut bytes, &mut masked);
    }
    masked.text = String::from_utf8(bytes).unwrap_or_default();
    masked
}

/// Actions of a text in order. `${{ }}` is an expression of a CI system and no template.
pub fn actions(text: &str) -> Vec<Action> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('{')).map(|offset| at + offset) {
        at = open + 1;
        if open > 0 && bytes[open - 1] == b'$' {
            continue;
        }
        let end = match bytes.get(open + 1) {
            Some(b'{') => action_end(text, open + 2, "}}"),
            Some(b'%') => action_end(text, open + 2, "%}"),
            _ => None,
        };
        if let Some(end) = end {
            let control = bytes[open + 1] == b'%' || is_control(inner(&text[open..end]));
            found.push(Action { span: Span::new(open, end), control });
            at = end;
        }
    }
    found
}

/// An action without its delimiters and trim markers.
pub fn inner(action: &str) -> &str {
    let start = action.trim_start_matches(['{', '%']);
    let start = start.strip_prefix(['-', '+']).unwrap_or(start);
    let end = start.trim_end_matches(['}', '%']);
    end.strip_suffix(['-', '+']).unwrap_or(end).trim()
}

/// One past the closing delimiter; quotes and comments inside are stepped over.
fn action_end(text: &str, from: usize, close: &str) -> Option<usize> {
    let rest = text.get(from..)?;
    let body = rest.trim_start_matches(['-', ' ']);
    if body.starts_with("/*") {
        let comment = text.len() - body.len();
        let after = comment + text.get(comment..)?.find("*/")?;
        return text.get(after..)?.find(close).map(|offset| after + offset + close.len());
    }
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'`' => at = quoted_end(bytes, at)?,
            _ if bytes[at..].starts_with(close.as_bytes()) => return Some(at + close.len()),
            _ => at += 1,
        }
    }
    None
}

fn quoted_end(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = bytes[at];
    let mut next = at + 1;
    while next < bytes.len() {
        match bytes[next] {
            b'\\' if quote == b'"' => next += 2,
            b'\n' if quote == b'"' => return Some(next),
            byte if byte == quote => return Some(next + 1),
            _ => next += 1,
        }
    }
    None
}

const CONTROL: &[&str] =
    &["if", "else", "end", "range", "with", "define", "block", "break", "continue", "fail", "required", "set", "unset"];

fn is_control(inner: &str) -> bool {
    let first = inner.split(|character: char| character.is_whitespace() || character == '(').next().unwrap_or("");
    let assigns = first.starts_with('$')
        && inner[first.len()..].trim_start().strip_prefix([':', '=']).is_some_and(|rest| !rest.starts_with('}'));
    inner.starts_with("/*") || inner.is_empty() || assigns || CONTROL.contains(&first)
}

/// A run of lines joined by the actions in them.
struct Group<'a> {
    line: Span,
    actions: &'a [Action],
}

/// Groups actions by the lines they touch.
fn lines<'a>(text: &str, actions: &'a [Action]) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    let mut first = 0;
    while first < actions.len() {
        let start = text[..actions[first].span.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let mut last = first;
        let mut end = line_end(text, actions[first].span.end as usize);
        while actions.get(last + 1).is_some_and(|next| (next.span.start as usize) < end) {
            last += 1;
            end = line_end(text, actions[last].span.end as usize);
        }
        groups.push(Group { line: Span::new(start, end), actions: &actions[first..=last] });
        first = last + 1;
    }
    groups
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |offset| from + offset)
}

fn mask_line(text: &str, group: Group<'_>, bytes: &mut [u8], masked: &mut Masked) {
    if outside(text, &group).iter().all(|part| part.trim().is_empty()) {
        return mask_alone(text, &group, bytes, masked);
    }
    if begins_a_branch(text, &group) {
        return mask_branch(text, &group, bytes, masked);
    }
    for (at, action) in group.actions.iter().enumerate() {
        let before = text[group.line.start as usize..action.span.start as usize].trim();
        let last = at + 1 == group.actions.len();
        let after = text[action.span.end as usize..group.line.end as usize].trim();
        let ends = last && (after.is_empty() || after.starts_with('#'));
        if action.control && (before.is_empty() || ends) {
            blank(bytes, action.span);
        } else if ends && before.ends_with(':') && block_follows(text, &group) {
            blank(bytes, action.span);
            masked.insertions.push(insertion(text, &group, action.span));
        } else {
            fill(bytes, action.span, masked);
        }
    }
}

/// Lines of actions only become empty ones: a line of blanks could be deeper than the block scalar it stands in.
fn mask_alone(text: &str, group: &Group<'_>, bytes: &mut [u8], masked: &mut Masked) {
    bytes[group.line.range()].fill(b'\n');
    for action in group.actions.iter().filter(|action| !action.control) {
        masked.insertions.push(insertion(text, group, action.span));
    }
    let otherwise = group.actions.iter().any(|action| inner(&text[action.span.range()]).starts_with("else"));
    let next = group.line.end as usize + 1;
    let end = if next < text.len() { line_end(text, next) } else { next };
    if otherwise && text.get(next..end).is_some_and(|line| matches!(line.trim(), "{}" | "[]")) {
        bytes[next..end].fill(b'\n');
    }
}

/// Whether a line starts with `if` or the like and goes on: what follows stands deeper than it comes out.
fn begins_a_branch(text: &str, group: &Group<'_>) -> bool {
    let Some(first) = group.actions.first().filter(|action| action.control) else { return false };
    let before = text[group.line.start as usize..first.span.start as usize].trim();
    let after = text[first.span.end as usize..group.line.end as usize].trim();
    before.is_empty() && !after.is_empty() && !after.starts_with('#')
}

/// Such a line is a key as a whole when a block follows it, else one entry that only a run settles.
fn mask_branch(text: &str, group: &Group<'_>, bytes: &mut [u8], masked: &mut Masked) {
    let start = group.actions.first().map_or(group.line.start, |action| action.span.start);
    let parts = outside(text, group);
    let tail = parts.last().map_or("", |part| part.trim());
    let last = if tail.is_empty() { parts.len().checked_sub(2).map_or("", |at| parts[at].trim()) } else { tail };
    let colon = last.ends_with(':').then(|| text[..group.line.end as usize].rfind(':')).flatten();
    let colon =
        colon.filter(|at| *at > start as usize && group.actions.iter().all(|action| !action.span.range().contains(at)));
    match colon {
        Some(colon) => {
            fill(bytes, Span::new(start as usize, colon), masked);
            blank(bytes, Span::new(colon + 1, group.line.end as usize));
        }
        None => {
            bytes[group.line.range()].fill(b'\n');
            let end = text[..group.line.end as usize].trim_end().len();
            masked.insertions.push(insertion(text, group, Span::new(start as usize, end)));
        }
    }
}

fn fill(bytes: &mut [u8], span: Span, masked: &mut Masked) {
    bytes[span.range()].fill(b'x');
    masked.filled.push(span);
}

/// The text of a group beside its actions.
fn outside<'t>(text: &'t str, group: &Group<'_>) -> Vec<&'t str> {
    let starts = std::iter::once(group.line.start).chain(group.actions.iter().map(|action| action.span.end));
    let ends = group.actions.iter().map(|action| action.span.start).chain(std::iter::once(group.line.end));
    starts.zip(ends).map(|(start, end)| &text[start as usize..end as usize]).collect()
}

fn blank(bytes: &mut [u8], span: Span) {
    for byte in &mut bytes[span.range()] {
        if *byte != b'\n' && *byte != b'\r' {
            *byte = b' ';
        }
    }
}

/// Whether the next line with content is indented deeper than the group's line: then the action prints the first
/// lines of a block that goes on.
fn block_follows(text: &str, group: &Group<'_>) -> bool {
    let own = column(&text[group.line.range()]);
    let rest = &text[group.line.end as usize..];
    rest.lines()
        .map(str::trim_end)
        .find(|line| !line.trim_start().is_empty() && !line.trim_start().starts_with(['#', '{']))
        .is_some_and(|line| column(line) > own)
}

/// Column of the first character of a line that is neither blank nor the dash of a list.
fn column(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn insertion(text: &str, group: &Group<'_>, span: Span) -> Insertion {
    let source = &text[span.range()];
    let written = ["nindent", "indent"].iter().find_map(|word| {
        let rest = source.split_once(word)?.1.trim_start();
        rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
    });
    Insertion { span, indent: written.unwrap_or((span.start - group.line.start) as usize) }
}

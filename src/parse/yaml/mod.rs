//! YAML, also with template actions in it (Helm, Jinja): events of the library to our own tree, without recursion.

pub mod mask;
mod scalar;

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span as YamlSpan, StructureStyle, Tag};

use super::document::{Duplicates, Entry, Node, Value};
use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;
use mask::{Insertion, Masked};

/// Nodes that aliases and merge keys of one file may add before they are cut: a bomb multiplies, a real file shares.
const EXPANSION: usize = 100_000;
/// Nesting that aliases may add up to; the parser's own limit is 255.
const DEPTH: usize = 512;

/// Reads all documents of a file. What stands before a fault is kept, and reading goes on at the next document.
pub fn parse(text: &str) -> Parsed {
    let masked = mask::mask(text);
    let mut reader = Reader { source: text, masked: &masked, ..Reader::empty(&masked) };
    let mut from = 0;
    while let Some(next) = reader.documents_from(from) {
        from = next;
    }
    let mut problems = reader.problems;
    problems.append(&mut reader.duplicates.problems);
    problems.sort_by_key(|problem| problem.span);
    Parsed { syntax: Syntax::Documents(reader.documents), comments: reader.comments, problems }
}

fn options() -> Options {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    // A run of commented-out settings is normal in a values file.
    options.max_buffered_comment_events = 100_000;
    options.simple_key_max_lookahead = 8192;
    options
}

/// A node with what its anchor needs to know.
#[derive(Clone)]
struct Built {
    node: Arc<Node>,
    size: usize,
    depth: usize,
}

/// An open collection.
struct Frame {
    start: usize,
    end: usize,
    anchor: usize,
    tag: Option<Box<str>>,
    block: bool,
    kind: Open,
    size: usize,
    depth: usize,
    /// A template action stands in it, so that keys may repeat in branches.
    templated: bool,
    /// Insertions that come after the child that is still open.
    later: Vec<Insertion>,
}

enum Open {
    List(Vec<Arc<Node>>),
    Map { entries: Vec<Entry>, key: Option<(Box<str>, Span)> },
}

struct Reader<'a> {
    source: &'a str,
    masked: &'a Masked,
    base: usize,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Built>,
    documents: Vec<Node>,
    comments: Vec<Comment>,
    problems: Vec<Problem>,
    duplicates: Duplicates,
    insertion: usize,
    /// Insertions met where the next node decides where they belong.
    waiting: Vec<&'a Insertion>,
    expanded: usize,
    cut: bool,
}

impl<'a> Reader<'a> {
    fn empty(masked: &'a Masked) -> Reader<'a> {
        Reader {
            source: "",
            masked,
            base: 0,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            documents: Vec::new(),
            comments: Vec::new(),
            problems: Vec::new(),
            duplicates: Duplicates::default(),
            insertion: 0,
            waiting: Vec::new(),
            expanded: 0,
            cut: false,
        }
    }

    /// Reads documents from a byte offset; gives the offset of the next document after a fault.
    fn documents_from(&mut self, from: usize) -> Option<usize> {
        self.base = from;
        self.anchors.clear();
        let masked = self.masked;
        let text = masked.text.get(from..)?;
        for event in Parser::new_from_str_with_options(text, options()) {
            match event {
                Ok((event, span)) => self.event(event, span),
                Err(error) => return self.fault(&error),
            }
        }
        None
    }

    fn fault(&mut self, error: &ScanError) -> Option<usize> {
        let at = (self.base + error.marker().byte_offset().unwrap_or(0)).min(self.source.len());
        let line_end = self.source.get(at..).and_then(|rest| rest.find('\n')).map_or(self.source.len(), |to| at + to);
        let message = format!("this is no valid YAML: {}", error.info().lines().next().unwrap_or(""));
        self.problems.push(Problem { span: Span::new(at, line_end), message });
        while !self.stack.is_empty() {
            self.close(at);
        }
        self.waiting.clear();
        let next = self.source.get(at..)?.find("\n---")?;
        Some(at + next + 1)
    }

    fn span(&self, span: &YamlSpan) -> Span {
        let start = self.base + span.start.byte_offset().unwrap_or(0);
        let end = self.base + span.end.byte_offset().unwrap_or(0);
        Span::new(start, end)
    }

    fn event(&mut self, event: Event<'_>, at: YamlSpan) {
        let span = self.span(&at);
        if let Event::Comment(..) = event {
            let text = self.source.get(span.range()).unwrap_or("").trim_end();
            let text = text.strip_prefix('#').unwrap_or(text).to_string();
            self.comments.push(Comment { span, text });
            return;
        }
        self.insert_before(span.start as usize);
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), span),
            Event::SequenceStart(style, anchor, tag) => {
                self.open(Open::List(Vec::new()), style, anchor, tag.as_deref(), span);
            }
            Event::MappingStart(style, anchor, tag) => {
                let kind = Open::Map { entries: Vec::new(), key: None };
                self.open(kind, style, anchor, tag.as_deref(), span);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end as usize),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::UnresolvedAlias(name) => {
                self.problem(span, format!("alias `{}` has no anchor", name.escape_debug()));
                self.add_value(Value::Null, span);
            }
            Event::DocumentEnd => {
                self.waiting.clear();
                self.anchors.clear();
            }
            _ => {}
        }
    }

    fn problem(&mut self, span: Span, message: String) {
        self.problems.push(Problem { span, message });
    }

    fn open(&mut self, kind: Open, style: StructureStyle, anchor: usize, tag: Option<&Tag>, span: Span) {
        let mut frame = Frame {
            start: span.start as usize,
            end: span.start as usize,
            anchor,
            tag: tag.and_then(tag_text),
            block: style == StructureStyle::Block,
            kind,
            size: 1,
            depth: 0,
            templated: false,
            later: Vec::new(),
        };
        for insertion in std::mem::take(&mut self.waiting) {
            frame.insert(self.source, insertion);
        }
        self.stack.push(frame);
    }

    fn close(&mut self, end: usize) {
        let Some(mut frame) = self.stack.pop() else { return };
        let end = if frame.block { frame.end } else { end };
        let value = match std::mem::replace(&mut frame.kind, Open::List(Vec::new())) {
            Open::List(items) => Value::List(items),
            Open::Map { mut entries, key } => {
                if let Some((key, key_span)) = key {
                    let value = Arc::new(Node { span: Span::new(end, end), value: Value::Null, tag: None });
                    entries.push(Entry { key, key_span, value });
                }
                self.merge(&mut entries);
                if !frame.templated && !self.holds_action(frame.start, end) {
                    self.duplicates.look(&entries);
                }
                Value::Map(entries)
            }
        };
        let node = Node { span: Span::new(frame.start, end), value, tag: frame.tag };
        self.add(Built { node: Arc::new(node), size: frame.size, depth: frame.depth + 1 }, frame.anchor);
    }

    /// Whether template actions stand between two offsets: keys may then repeat in branches.
    fn holds_action(&self, start: usize, end: usize) -> bool {
        self.masked.template
            && self.source.get(start..end).is_some_and(|text| text.contains("{{") || text.contains("{%"))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, span: Span) {
        let source = self.source.get(span.range()).unwrap_or("");
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        // A branch that begins or ends inside a string decides what the string says; in a block its lines stay apart.
        let branches = !block && source.contains("{{");
        let touched = self.masked.template && (branches || self.masked.touches(span));
        if self.key_expected() {
            let key: Box<str> = if touched { source.trim_matches(['"', '\'']).into() } else { text.into() };
            self.set_key(key, span);
            return;
        }
        let core = tag.is_some_and(|tag| tag.handle() == "tag:yaml.org,2002:");
        let plain = style == ScalarStyle::Plain;
        let value = if touched {
            Value::Unresolved(source.trim_matches(['"', '\'']).into())
        } else if plain && !core {
            scalar::plain(text)
        } else {
            Value::Text { text: text.into(), quoted: !plain }
        };
        let (value, waiting) = self.waiting_value(value, block, span);
        // A block scalar of nothing but an action ends before it: it stands where the action does.
        let span = waiting.filter(|_| source.trim().is_empty()).unwrap_or(span);
        let trimmed = self.source.get(span.range()).map_or(0, |source| source.trim_end().len());
        let span = Span::new(span.start as usize, span.start as usize + trimmed);
        let node = Node { span, value, tag: tag.and_then(tag_text) };
        self.add(Built { node: Arc::new(node), size: 1, depth: 1 }, anchor);
    }

    /// An empty value or block of text before which an action prints lines is what the action prints.
    fn waiting_value(&mut self, value: Value, block: bool, span: Span) -> (Value, Option<Span>) {
        let waiting = std::mem::take(&mut self.waiting);
        match waiting.first() {
            Some(insertion) if block || matches!(value, Value::Null) => {
                let end = if block { span.end } else { insertion.span.end };
                let span = Span { start: insertion.span.start, end: end.max(insertion.span.end) };
                let text = self.source.get(span.range()).unwrap_or("");
                (Value::Unresolved(text.trim_end().into()), Some(span))
            }
            _ => (value, None),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let Some(built) = self.anchors.get(&anchor).cloned() else {
            self.problem(span, "this alias stands inside its own anchor".to_string());
            return self.add_value(Value::Null, span);
        };
        self.expanded = self.expanded.saturating_add(built.size);
        if self.expanded > EXPANSION || self.stack.len() + built.depth > DEPTH {
            self.cut_expansion(span);
            return self.add_value(Value::Null, span);
        }
        if self.key_expected() {
            let key = built.node.scalar().unwrap_or_default();
            return self.set_key(key.into(), span);
        }
        self.add(built, 0);
        self.reach(span.end as usize);
    }

    fn cut_expansion(&mut self, span: Span) {
        if !self.cut {
            self.cut = true;
            self.problem(span, format!("aliases expand to more than {EXPANSION} nodes; the rest is read as empty"));
        }
    }

    fn add_value(&mut self, value: Value, span: Span) {
        if self.key_expected() {
            return self.set_key("".into(), span);
        }
        self.add(Built { node: Arc::new(Node { span, value, tag: None }), size: 1, depth: 1 }, 0);
    }

    fn key_expected(&self) -> bool {
        matches!(self.stack.last().map(|frame| &frame.kind), Some(Open::Map { key: None, .. }))
    }

    fn set_key(&mut self, text: Box<str>, span: Span) {
        if let Some(frame) = self.stack.last_mut() {
            frame.end = frame.end.max(span.end as usize);
            if let Open::Map { key, .. } = &mut frame.kind {
                *key = Some((text, span));
            }
        }
    }

    /// The innermost collection reaches at least to this offset.
    fn reach(&mut self, end: usize) {
        if let Some(frame) = self.stack.last_mut() {
            frame.end = frame.end.max(end);
        }
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, built: Built, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, built.clone());
        }
        let Built { node, size, depth } = built;
        let Some(frame) = self.stack.last_mut() else {
            if !node.is_null() {
                self.documents.push(Arc::unwrap_or_clone(node));
            }
            return;
        };
        frame.size = frame.size.saturating_add(size);
        frame.depth = frame.depth.max(depth);
        if node.span.start as usize >= frame.start {
            frame.end = frame.end.max(node.span.end as usize);
        }
        match &mut frame.kind {
            Open::List(items) => items.push(node),
            Open::Map { entries, key } => match key.take() {
                Some((key, key_span)) => entries.push(Entry { key, key_span, value: node }),
                // A collection as a key: its text stands for it.
                None => *key = Some((self.source.get(node.span.range()).unwrap_or("").into(), node.span)),
            },
        }
        for insertion in std::mem::take(&mut frame.later) {
            frame.insert(self.source, &insertion);
        }
    }

    /// Applies `<<`: keys of the merged maps that the map does not have itself.
    fn merge(&mut self, entries: &mut Vec<Entry>) {
        if !entries.iter().any(|entry| &*entry.key == "<<") {
            return;
        }
        let merges: Vec<Entry> = entries.extract_if(.., |entry| &*entry.key == "<<").collect();
        let mut present: std::collections::BTreeSet<Box<str>> = entries.iter().map(|entry| entry.key.clone()).collect();
        for merge in merges {
            let maps: Vec<&Node> = match &merge.value.value {
                Value::List(items) => items.iter().map(|item| &**item).collect(),
                _ => vec![&*merge.value],
            };
            for entry in maps.iter().flat_map(|map| map.entries()) {
                self.expanded = self.expanded.saturating_add(1);
                if self.expanded > EXPANSION {
                    return self.cut_expansion(merge.key_span);
                }
                if present.insert(entry.key.clone()) {
                    entries.push(entry.clone());
                }
            }
            if merge.value.is_unresolved() {
                entries.push(merge);
            }
        }
    }

    /// Places the insertions that stand before an offset.
    fn insert_before(&mut self, offset: usize) {
        let masked = self.masked;
        while let Some(insertion) = masked.insertions.get(self.insertion) {
            if insertion.span.start as usize >= offset {
                return;
            }
            self.insertion += 1;
            self.place(insertion);
        }
    }

    fn place(&mut self, insertion: &'a Insertion) {
        let source = self.source;
        let waits = self.stack.last().is_none_or(|frame| matches!(frame.kind, Open::Map { key: Some(_), .. }));
        if waits {
            self.waiting.push(insertion);
            return;
        }
        let column = |frame: &Frame| frame.start - source[..frame.start].rfind('\n').map_or(0, |at| at + 1);
        let at = self.stack.iter().rposition(|frame| frame.block && column(frame) <= insertion.indent).unwrap_or(0);
        let deeper = self.stack.get(at).is_some_and(|frame| column(frame) < insertion.indent);
        if at + 1 < self.stack.len() {
            self.stack[at].later.push(insertion.clone());
        } else if let Some(frame) = self.stack.get_mut(at)
            && !(deeper && frame.fill_last(source, insertion))
        {
            frame.insert(source, insertion);
        }
    }
}

impl Frame {
    /// Adds what an action prints as an entry or item of its own.
    fn insert(&mut self, source: &str, insertion: &Insertion) {
        self.templated = true;
        let text = source.get(insertion.span.range()).unwrap_or("");
        let value = Arc::new(Node { span: insertion.span, value: Value::Unresolved(text.into()), tag: None });
        match &mut self.kind {
            Open::List(items) => items.push(value),
            Open::Map { entries, .. } => entries.push(Entry { key: text.into(), key_span: insertion.span, value }),
        }
    }

    /// Makes an action the value of the last key, where that has none of its own.
    fn fill_last(&mut self, source: &str, insertion: &Insertion) -> bool {
        let Open::Map { entries, .. } = &mut self.kind else { return false };
        let Some(last) = entries.last_mut() else { return false };
        let empty = match &last.value.value {
            Value::Null => true,
            Value::Text { quoted, .. } => {
                *quoted && source.get(last.value.span.range()).is_some_and(|text| !text.starts_with(['"', '\'']))
            }
            _ => false,
        };
        if empty {
            let text = source.get(insertion.span.range()).unwrap_or("");
            last.value = Arc::new(Node { span: insertion.span, value: Value::Unresolved(text.into()), tag: None });
        }
        empty
    }
}

/// A tag that is not one of YAML's own types, as written.
fn tag_text(tag: &Tag) -> Option<Box<str>> {
    let own = tag.handle() == "tag:yaml.org,2002:";
    (!own).then(|| format!("{}{}", tag.handle(), tag.suffix()).into())
}

#[cfg(test)]
mod tests;

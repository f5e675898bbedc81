//! Dockerfiles, read line by line so that a fault in one instruction loses that instruction only.
//!
//! `parse-dockerfile` says whether the file is valid; it stops at the first fault, so the instructions are read here.

use super::{Comment, Parsed, Problem, Syntax};
use crate::scan::source::Span;

/// A Dockerfile.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Dockerfile {
    /// All instructions in order.
    pub instructions: Vec<Instruction>,
    /// Its stages in order; instructions before the first `FROM` belong to none.
    pub stages: Vec<Stage>,
}

/// An instruction with its continuation lines.
#[derive(Clone, PartialEq, Debug)]
pub struct Instruction {
    /// `FROM`, `RUN`, ... in upper case.
    pub keyword: String,
    /// Where the keyword stands.
    pub keyword_span: Span,
    /// The whole instruction, heredocs excluded.
    pub span: Span,
    /// `--name=value` before the arguments.
    pub flags: Vec<Flag>,
    /// Arguments as one text: continuations joined, comments between them dropped.
    pub text: String,
    /// Arguments as words: elements of the JSON form, else split at blanks outside quotes, quotes dropped.
    pub words: Vec<Word>,
    /// The arguments stand in JSON form.
    pub exec: bool,
    /// Heredocs of `RUN`, `COPY` and `ADD`.
    pub heredocs: Vec<Heredoc>,
}

/// A flag of an instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flag {
    /// Without dashes.
    pub name: String,
    /// After `=`.
    pub value: Option<String>,
    /// The whole flag.
    pub span: Span,
}

/// A word with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// Without quotes.
    pub text: String,
    /// With quotes.
    pub span: Span,
}

/// A heredoc.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heredoc {
    /// Its lines.
    pub text: String,
    /// Where its lines stand.
    pub span: Span,
}

/// A stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// The image or earlier stage it starts from, as written.
    pub image: String,
    /// Where that stands.
    pub image_span: Span,
    /// `AS name`.
    pub name: Option<String>,
    /// Index of its `FROM` in [`Dockerfile::instructions`].
    pub from: usize,
    /// One past its last instruction.
    pub to: usize,
}

impl Dockerfile {
    /// Instructions of a stage, its `FROM` included.
    pub fn of_stage(&self, stage: &Stage) -> &[Instruction] {
        self.instructions.get(stage.from..stage.to).unwrap_or(&[])
    }

    /// Instructions before the first `FROM`.
    pub fn before_stages(&self) -> &[Instruction] {
        let end = self.stages.first().map_or(self.instructions.len(), |stage| stage.from);
        &self.instructions[..end]
    }
}

impl Instruction {
    /// The value of a flag.
    pub fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|flag| flag.name == name).and_then(|flag| flag.value.as_deref())
    }

    /// `NAME=value` pairs of `ARG`, `ENV` and `LABEL`; `ENV NAME value` too.
    pub fn pairs(&self) -> Vec<(&str, Option<&str>)> {
        if let (true, [first, second, ..]) = (self.keyword == "ENV", self.words.as_slice())
            && !first.text.contains('=')
        {
            return vec![(first.text.as_str(), Some(second.text.as_str()))];
        }
        let pair = |word: &'_ Word| word.text.find('=');
        self.words
            .iter()
            .map(|word| match pair(word) {
                Some(at) => (&word.text[..at], Some(&word.text[at + 1..])),
                None => (word.text.as_str(), None),
            })
            .collect()
    }

    /// Everything a shell runs here: the arguments and the heredocs.
    pub fn script(&self) -> String {
        let heredocs = self.heredocs.iter().map(|heredoc| heredoc.text.as_str());
        std::iter::once(self.text.as_str()).chain(heredocs).collect::<Vec<_>>().join("\n")
    }
}

/// Reads a Dockerfile.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader::new(text);
    while reader.at < text.len() {
        reader.instruction();
    }
    let stages = stages(&reader.file.instructions);
    reader.file.stages = stages;
    if reader.problems.is_empty()
        && !text.trim().is_empty()
        && let Err(error) = parse_dockerfile::parse(text.trim_start_matches('\u{feff}'))
    {
        reader.fault(&error);
    }
    Parsed { syntax: Syntax::Dockerfile(Box::new(reader.file)), comments: reader.comments, problems: reader.problems }
}

fn stages(instructions: &[Instruction]) -> Vec<Stage> {
    let froms: Vec<usize> = (0..instructions.len()).filter(|at| instructions[*at].keyword == "FROM").collect();
    let ends = froms.iter().skip(1).copied().chain(std::iter::once(instructions.len()));
    froms
        .iter()
        .zip(ends)
        .filter_map(|(&from, to)| {
            let words = &instructions[from].words;
            let image = words.first()?;
            let name = words.get(1).filter(|word| word.text.eq_ignore_ascii_case("as")).and(words.get(2));
            Some(Stage {
                image: image.text.clone(),
                image_span: image.span,
                name: name.map(|word| word.text.clone()),
                from,
                to,
            })
        })
        .collect()
}

/// Joined continuation lines, with the offset of each byte in the file.
#[derive(Default)]
struct Logical {
    text: String,
    offsets: Vec<u32>,
}

impl Logical {
    fn push(&mut self, text: &str, offset: usize) {
        self.text.push_str(text);
        self.offsets.extend((offset..offset + text.len()).map(|at| u32::try_from(at).unwrap_or(u32::MAX)));
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let first = self.offsets.get(start).or(self.offsets.last()).copied().unwrap_or(0);
        let last = end.checked_sub(1).and_then(|at| self.offsets.get(at)).map_or(first, |at| at + 1);
        Span { start: first, end: last.max(first) }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    escape: char,
    file: Dockerfile,
    comments: Vec<Comment>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Reader<'a> {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Reader {
            text,
            at,
            escape: escape(&text[at..]),
            file: Dockerfile::default(),
            comments: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Takes the next physical line without its line break: its text and offset.
    fn line(&mut self) -> (&'a str, usize) {
        let start = self.at;
        let end = self.text[start..].find('\n').map_or(self.text.len(), |offset| start + offset);
        self.at = (end + 1).min(self.text.len().max(end));
        if end == self.text.len() {
            self.at = end;
        }
        (self.text[start..end].trim_end_matches('\r'), start)
    }

    fn comment(&mut self, line: &str, start: usize) -> bool {
        let trimmed = line.trim_start();
        let Some(text) = trimmed.strip_prefix('#') else { return false };
        let from = start + line.len() - trimmed.len();
        self.comments.push(Comment { span: Span::new(from, start + line.len()), text: text.to_string() });
        true
    }

    fn instruction(&mut self) {
        let (line, start) = self.line();
        if line.trim().is_empty() || self.comment(line, start) {
            return;
        }
        let mut logical = Logical::default();
        let mut next = Some((line, start));
        while let Some((line, start)) = next.take() {
            let body = line.trim_end();
            let Some(joined) = body.strip_suffix(self.escape) else {
                logical.push(body, start);
                break;
            };
            logical.push(joined, start);
            next = self.continuation();
        }
        let mut instruction = read(&logical);
        if matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") {
            for (delimiter, strip) in heredoc_names(&instruction.text) {
                let heredoc = self.heredoc(&delimiter, strip, instruction.span);
                instruction.heredocs.push(heredoc);
            }
        }
        self.file.instructions.push(instruction);
    }

    /// The next line of a continued instruction; comments and blank lines between are dropped.
    fn continuation(&mut self) -> Option<(&'a str, usize)> {
        while self.at < self.text.len() {
            let (line, start) = self.line();
            if !line.trim().is_empty() && !self.comment(line, start) {
                return Some((line, start));
            }
        }
        None
    }

    fn heredoc(&mut self, delimiter: &str, strip: bool, of: Span) -> Heredoc {
        let start = self.at;
        while self.at < self.text.len() {
            let (line, line_start) = self.line();
            let candidate = if strip { line.trim_start_matches('\t') } else { line };
            if candidate == delimiter {
                let text = self.text[start..line_start].to_string();
                return Heredoc { text, span: Span::new(start, line_start) };
            }
        }
        self.problems
            .push(Problem { span: of, message: format!("heredoc `{}` is not closed", delimiter.escape_debug()) });
        Heredoc { text: self.text[start..].to_string(), span: Span::new(start, self.text.len()) }
    }

    fn fault(&mut self, error: &parse_dockerfile::Error) {
        let line = error.line().saturating_sub(1);
        let start: usize = self.text.split_inclusive('\n').take(line).map(str::len).sum();
        let length = self.text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
        let words = error.to_string();
        let words = words.lines().next().unwrap_or("").split(" at line").next().unwrap_or("").to_string();
        let message = format!("this is no valid Dockerfile: {words}");
        self.problems.push(Problem { span: Span::new(start, start + length), message });
    }
}

/// The escape character, which a directive in the first comments may change.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some(comment) = line.trim_start().strip_prefix('#') else { break };
        let Some((name, value)) = comment.split_once('=') else { break };
        if name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`" {
            return '`';
        }
    }
    '\\'
}

fn read(logical: &Logical) -> Instruction {
    let text = &logical.text;
    let start = text.len() - text.trim_start().len();
    let end = text[start..].find(char::is_whitespace).map_or(text.len(), |offset| start + offset);
    let mut at = end;
    let mut flags = Vec::new();
    while let Some((from, to)) = next_flag(text, at) {
        let body = &text[from + 2..to];
        let (name, value) = body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value.to_string())));
        flags.push(Flag { name: name.to_string(), value, span: logical.span(from, to) });
        at = to;
    }
    at += text[at..].len() - text[at..].trim_start().len();
    let exec = exec_words(logical, at);
    Instruction {
        keyword: text[start..end].to_ascii_uppercase(),
        keyword_span: logical.span(start, end),
        span: logical.span(start, text.len()),
        flags,
        text: text[at..].to_string(),
        exec: exec.is_some(),
        words: exec.unwrap_or_else(|| shell_words(logical, at)),
        heredocs: Vec::new(),
    }
}

fn next_flag(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let from = at + rest.len() - rest.trim_start().len();
    let word = &text[from..];
    let named = word.strip_prefix("--").is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()));
    named.then(|| (from, word.find(char::is_whitespace).map_or(text.len(), |length| from + length)))
}

/// The elements of a JSON array of strings.
fn exec_words(logical: &Logical, from: usize) -> Option<Vec<Word>> {
    let rest = logical.text[from..].trim_end();
    if !rest.starts_with('[') || !rest.ends_with(']') {
        return None;
    }
    let elements: Vec<String> = serde_json::from_str(rest).ok()?;
    let mut words = Vec::new();
    let mut at = from;
    for text in elements {
        let start = at + logical.text[at..].find('"')?;
        let end = string_end(&logical.text, start);
        words.push(Word { text, span: logical.span(start, end) });
        at = end;
    }
    Some(words)
}

fn string_end(text: &str, start: usize) -> usize {
    let mut escaped = false;
    for (offset, byte) in text.bytes().enumerate().skip(start + 1) {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => return offset + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

fn shell_words(logical: &Logical, from: usize) -> Vec<Word> {
    split_words(&logical.text, from)
        .into_iter()
        .map(|(start, end, text)| Word { text, span: logical.span(start, end) })
        .collect()
}

/// Words of a shell-like text from an offset: start, end and the word without quotes.
pub fn split_words(text: &str, from: usize) -> Vec<(usize, usize, String)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut start = None;
    let mut quote = None;
    let mut chars = text[from..].char_indices();
    while let Some((offset, character)) = chars.next() {
        let at = from + offset;
        match (quote, character) {
            (None, _) if character.is_whitespace() => {
                if let Some(start) = start.take() {
                    words.push((start, at, std::mem::take(&mut word)));
                }
                continue;
            }
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None | Some('"'), '\\') => word.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => word.push(character),
        }
        start.get_or_insert(at);
    }
    if let Some(start) = start {
        words.push((start, text.len(), word));
    }
    words
}

/// Names of the heredocs that a line opens, and whether leading tabs are dropped.
fn heredoc_names(text: &str) -> Vec<(String, bool)> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("<<") {
        rest = &rest[at + 2..];
        if let Some(here_string) = rest.strip_prefix('<') {
            rest = here_string;
            continue;
        }
        let strip = rest.starts_with('-');
        let name = rest.strip_prefix('-').unwrap_or(rest);
        let name = name.strip_prefix(['"', '\'']).unwrap_or(name);
        let word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
        let length = name.find(|character| !word(character)).unwrap_or(name.len());
        if name.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            names.push((name[..length].to_string(), strip));
        }
        rest = &name[length..];
    }
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read_file(text: &str) -> Dockerfile {
        match parse(text).syntax {
            Syntax::Dockerfile(file) => *file,
            other => unreachable!("{other:?}"),
        }
    }

    const FILE: &str = "# syntax=docker/dockerfile:1\nARG TAG=1.80\nFROM --platform=$BUILDPLATFORM rust:${TAG} as builder\nRUN cargo build \\\n  # why\n\n  --release && \\\n  strip x\nCOPY <<EOF /etc/x\nUSER nobody\nEOF\nFROM gcr.io/distroless/cc\nENV A=1 B=\"two words\"\nENV PORT 8080\nCOPY --from=builder /x /x\nHEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1\nUSER 10001:10001\nENTRYPOINT [\"/x\", \"--flag\"]\nCMD run \"it\"\n";

    #[test]
    fn instructions_stages_and_places() {
        let file = read_file(FILE);
        assert_eq!(parse(FILE).problems, []);
        let stages: Vec<(&str, Option<&str>)> =
            file.stages.iter().map(|stage| (stage.image.as_str(), stage.name.as_deref())).collect();
        assert_eq!(stages, [("rust:${TAG}", Some("builder")), ("gcr.io/distroless/cc", None)]);
        assert_eq!(file.before_stages()[0].pairs(), [("TAG", Some("1.80"))]);
        let builder = file.of_stage(&file.stages[0]);
        assert_eq!(builder[0].flag("platform"), Some("$BUILDPLATFORM"));
        assert_eq!(builder[1].text, "cargo build   --release &&   strip x");
        assert_eq!(&FILE[builder[1].words[2].span.range()], "--release");
        assert_eq!(builder[2].heredocs[0].text, "USER nobody\n");
        let last = file.of_stage(&file.stages[1]);
        assert_eq!(last[1].pairs(), [("A", Some("1")), ("B", Some("two words"))]);
        assert_eq!(last[2].pairs(), [("PORT", Some("8080"))]);
        let entry = last.iter().find(|instruction| instruction.keyword == "ENTRYPOINT").unwrap();
        assert!(entry.exec);
        assert_eq!(&FILE[entry.words[1].span.range()], "\"--flag\"");
        let command = last.last().unwrap();
        assert!(!command.exec);
        assert_eq!(command.words[1].text, "it");
    }

    #[test]
    fn another_escape_and_line_ends() {
        let file = read_file("# escape=`\r\nFROM a`\r\n  AS b\r\nRUN c:\\x\r\n");
        assert_eq!(file.stages[0].name.as_deref(), Some("b"));
        assert_eq!(file.instructions[1].text, "c:\\x");
    }

    #[test]
    fn faults_are_said_and_the_rest_is_read() {
        let parsed = parse("FROM a\nFROBNICATE x\nUSER b\n");
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].span, Span::new(7, 19));
        assert_eq!(read_file("FROM a\nFROBNICATE x\nUSER b\n").instructions[2].keyword, "USER");
        let open = parse("FROM a\nRUN cat <<EOF\nUSER b\n");
        assert_eq!(open.problems[0].message, "heredoc `EOF` is not closed");
    }

    #[test]
    fn hostile_input_gives_no_panic() {
        let inputs =
            ["\\".repeat(100_000), "FROM ".repeat(50_000), "\n\\\n".repeat(50_000), "RUN <<A <<B <<<C <<".into()];
        for text in inputs {
            parse(&text);
        }
        assert_eq!(read_file("\u{feff}FROM a\n").stages.len(), 1);
        assert_eq!(read_file("FROM a\nCMD [\"x\\\"\", ").instructions.len(), 2);
        assert!(read_file("").instructions.is_empty());
    }
}

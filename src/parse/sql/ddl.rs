//! Statements that define or change a schema.

use super::token::{Token, TokenKind};
use super::{Action, Column, Constraint, CreateIndex, CreateTable, Kind, Name};

/// A place in the tokens of a statement.
pub(super) struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(tokens: &'a [Token]) -> Cursor<'a> {
        Cursor { tokens, at: 0 }
    }

    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn word(&self) -> &'a str {
        self.peek().map_or("", Token::word)
    }

    /// Steps over the words if they come next, in this order.
    fn eat(&mut self, words: &[&str]) -> bool {
        let fits = words
            .iter()
            .enumerate()
            .all(|(ahead, word)| self.tokens.get(self.at + ahead).is_some_and(|token| token.word() == *word));
        if fits {
            self.at += words.len();
        }
        fits
    }

    /// Steps over any of the words, as often as they come.
    fn skip(&mut self, words: &[&str]) {
        while words.contains(&self.word()) {
            self.at += 1;
        }
    }

    /// A name with its schema left out; empty where none comes.
    fn name(&mut self) -> Name {
        let mut name = Name::default();
        while let Some(token) = self.peek() {
            let Some(text) = token.name() else { break };
            name = Name { text: text.to_string(), span: token.span };
            self.at += 1;
            if !self.peek().is_some_and(|token| token.is('.')) {
                break;
            }
            self.at += 1;
        }
        name
    }

    /// The tokens inside the parentheses that open here.
    fn group(&mut self) -> Option<&'a [Token]> {
        if !self.peek()?.is('(') {
            return None;
        }
        let start = self.at + 1;
        let mut depth = 0usize;
        while let Some(token) = self.peek() {
            depth = depth + usize::from(token.is('(')) - usize::from(token.is(')'));
            self.at += 1;
            if depth == 0 {
                return Some(&self.tokens[start..self.at - 1]);
            }
        }
        Some(&self.tokens[start..])
    }

    fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or(&[])
    }
}

/// Cuts at commas that stand in no parentheses.
pub(super) fn list(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0isize;
    tokens
        .split(|token| {
            depth += isize::from(token.is('(')) - isize::from(token.is(')'));
            token.is(',') && depth == 0
        })
        .filter(|part| !part.is_empty())
        .collect()
}

fn has(tokens: &[Token], words: &[&str]) -> bool {
    tokens.windows(words.len()).any(|window| window.iter().zip(words).all(|(token, word)| token.word() == *word))
}

pub(super) fn create(part: &[Token]) -> Kind {
    let mut cursor = Cursor::new(part);
    cursor.eat(&["create"]);
    let temporary = ["temporary", "temp"].contains(&cursor.word());
    cursor.skip(&[
        "or",
        "replace",
        "temporary",
        "temp",
        "unlogged",
        "global",
        "local",
        "unique",
        "fulltext",
        "spatial",
    ]);
    match cursor.word() {
        "table" => create_table(cursor, temporary),
        "index" => create_index(cursor, part),
        other => Kind::Other(format!("create {other}").trim_end().to_string()),
    }
}

fn create_table(mut cursor: Cursor<'_>, temporary: bool) -> Kind {
    cursor.eat(&["table"]);
    cursor.eat(&["if", "not", "exists"]);
    let mut created = CreateTable { table: cursor.name(), temporary, ..CreateTable::default() };
    match cursor.group() {
        Some(group) => list(group).into_iter().for_each(|entry| table_entry(entry, &mut created)),
        None => created.derived = true,
    }
    created.derived |= created.columns.is_empty();
    Kind::CreateTable(created)
}

fn table_entry(entry: &[Token], created: &mut CreateTable) {
    let mut cursor = Cursor::new(entry);
    match constraint(&mut cursor) {
        Some((_, Constraint::ForeignKey, columns)) => created.foreign_keys.push(columns),
        Some((_, Constraint::PrimaryKey | Constraint::Unique, columns)) => created.keys.push(texts(&columns)),
        Some(_) => {}
        None if ["index", "key", "like", "fulltext", "exclude", "period"].contains(&cursor.word()) => {
            created.derived |= cursor.word() == "like";
            if let Some(columns) = index_columns(entry) {
                created.keys.push(columns);
            }
        }
        None => created.columns.push(column(&mut cursor)),
    }
}

fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}

/// A table constraint with its name, kind and columns, if one comes.
fn constraint(cursor: &mut Cursor<'_>) -> Option<(Name, Constraint, Vec<Name>)> {
    let start = cursor.at;
    let name = if cursor.eat(&["constraint"]) { cursor.name() } else { Name::default() };
    let kind = if cursor.eat(&["foreign", "key"]) {
        Constraint::ForeignKey
    } else if cursor.eat(&["primary", "key"]) {
        Constraint::PrimaryKey
    } else if cursor.eat(&["unique"]) {
        cursor.skip(&["key", "index", "nulls", "not", "distinct"]);
        Constraint::Unique
    } else if cursor.eat(&["check"]) {
        Constraint::Check
    } else if cursor.at > start {
        Constraint::Other
    } else {
        return None;
    };
    let takes_index = cursor.word() == "using";
    if kind != Constraint::Check && !takes_index && !cursor.peek().is_some_and(|token| token.is('(')) {
        cursor.name();
    }
    let columns = cursor.group().map(column_names).unwrap_or_default();
    Some((name, kind, columns))
}

fn column_names(group: &[Token]) -> Vec<Name> {
    list(group).into_iter().map(|part| Cursor::new(part).name()).collect()
}

/// Columns of an index: the first name of each part, an empty string for an expression.
fn index_columns(tokens: &[Token]) -> Option<Vec<String>> {
    let open = tokens.iter().position(|token| token.is('('))?;
    let group = Cursor { tokens, at: open }.group()?;
    let column = |part: &[Token]| {
        let expression =
            part.get(1).is_some_and(|token| token.is('(')) || part.first().is_some_and(|token| token.is('('));
        if expression { String::new() } else { part[0].name().unwrap_or("").to_string() }
    };
    Some(list(group).into_iter().map(column).collect())
}

fn column(cursor: &mut Cursor<'_>) -> Column {
    let name = cursor.name();
    let rest = cursor.rest();
    let default = rest.iter().position(|token| token.word() == "default").map(|at| default_text(&rest[at + 1..]));
    let filled = ["serial", "bigserial", "smallserial", "identity", "auto_increment", "autoincrement", "generated"];
    Column {
        name,
        not_null: has(rest, &["not", "null"]) || has(rest, &["primary", "key"]),
        default,
        key: has(rest, &["primary", "key"]) || has(rest, &["unique"]),
        references: has(rest, &["references"]),
        filled: rest.iter().any(|token| filled.contains(&token.word())),
    }
}

/// The first few tokens of a default as text: `now ( )`, `0`, `text`.
fn default_text(tokens: &[Token]) -> String {
    let piece = |token: &Token| match &token.kind {
        TokenKind::Word(word) => word.clone(),
        TokenKind::Quoted(name) => name.clone(),
        TokenKind::Text(_) => "text".to_string(),
        TokenKind::Number => "number".to_string(),
        TokenKind::Parameter => "?".to_string(),
        TokenKind::Punct(punct) => punct.to_string(),
    };
    tokens.iter().take(3).map(piece).collect::<Vec<_>>().join(" ")
}

fn create_index(mut cursor: Cursor<'_>, part: &[Token]) -> Kind {
    cursor.eat(&["index"]);
    let inplace = has(part, &["inplace"]) || has(part, &["online"]);
    let concurrently = cursor.eat(&["concurrently"]) || inplace;
    cursor.eat(&["if", "not", "exists"]);
    let name = if cursor.word() == "on" { Name::default() } else { cursor.name() };
    while cursor.peek().is_some() && !cursor.eat(&["on"]) {
        cursor.at += 1;
    }
    cursor.eat(&["only"]);
    let table = cursor.name();
    let rest = cursor.rest();
    let columns = index_columns(rest).unwrap_or_default();
    let partial = is_partial(rest, columns.first().map_or("", String::as_str));
    let kept_by = if partial { condition(rest) } else { Vec::new() };
    Kind::CreateIndex(CreateIndex { name, table, columns, concurrently, partial, kept_by })
}

/// The columns that the WHERE of an index names.
fn condition(rest: &[Token]) -> Vec<String> {
    const WORDS: &[&str] =
        &["and", "or", "not", "is", "in", "null", "true", "false", "between", "like", "any", "distinct"];
    let Some(at) = rest.iter().position(|token| token.word() == "where") else { return Vec::new() };
    let condition = &rest[at + 1..];
    let is_column = |at: usize, name: &str| {
        let casts = at > 0 && condition[at - 1].is(':');
        let calls = condition.get(at + 1).is_some_and(|next| next.is('('));
        !WORDS.contains(&name) && !casts && !calls
    };
    let names = condition.iter().enumerate().filter_map(|(at, token)| Some((at, token.name()?)));
    names.filter(|(at, name)| is_column(*at, name)).map(|(_, name)| name.to_string()).collect()
}

/// Whether a WHERE keeps rows out that a lookup by the first column would ask for: `first IS NOT NULL` does not.
fn is_partial(rest: &[Token], first: &str) -> bool {
    let Some(at) = rest.iter().position(|token| token.word() == "where") else { return false };
    let bare = |token: &&Token| !token.is('(') && !token.is(')');
    let condition: Vec<&str> = rest[at + 1..].iter().filter(bare).map(|token| token.name().unwrap_or("")).collect();
    condition != [first, "is", "not", "null"]
}

pub(super) fn drop_index(part: &[Token]) -> Kind {
    let mut cursor = Cursor::new(part);
    cursor.eat(&["drop", "index"]);
    let concurrently = cursor.eat(&["concurrently"]);
    cursor.eat(&["if", "exists"]);
    Kind::DropIndex { names: column_names(cursor.rest()), concurrently }
}

pub(super) fn drop_table(part: &[Token]) -> Kind {
    let mut cursor = Cursor::new(part);
    cursor.eat(&["drop", "table"]);
    cursor.eat(&["if", "exists"]);
    Kind::DropTable { tables: column_names(cursor.rest()) }
}

pub(super) fn rename_table(part: &[Token]) -> Kind {
    let mut cursor = Cursor::new(part);
    cursor.eat(&["rename", "table"]);
    let from = cursor.name();
    cursor.eat(&["to"]);
    Kind::RenameTable { from, to: cursor.name() }
}

pub(super) fn set_name(part: &[Token]) -> String {
    let mut cursor = Cursor::new(part);
    cursor.eat(&["set"]);
    cursor.skip(&["local", "session", "global"]);
    cursor.name().text
}

pub(super) fn alter_table(part: &[Token]) -> Kind {
    let mut cursor = Cursor::new(part);
    cursor.eat(&["alter", "table"]);
    cursor.eat(&["if", "exists"]);
    cursor.eat(&["only"]);
    let table = cursor.name();
    let actions = list(cursor.rest()).into_iter().map(action).collect();
    Kind::AlterTable { table, actions }
}

fn action(part: &[Token]) -> Action {
    let mut cursor = Cursor::new(part);
    let first = cursor.word();
    cursor.at += 1;
    match first {
        "add" => add(&mut cursor, part),
        "drop" => drop_action(&mut cursor),
        "rename" => rename(&mut cursor),
        "alter" => alter_column(&mut cursor),
        "change" => change(&mut cursor),
        "modify" => {
            cursor.skip(&["column"]);
            Action::ChangeType(cursor.name())
        }
        _ => other(part),
    }
}

fn other(part: &[Token]) -> Action {
    Action::Other(Name { text: part[0].word().to_string(), span: part[0].span })
}

fn add(cursor: &mut Cursor<'_>, part: &[Token]) -> Action {
    if let Some((name, what, columns)) = constraint(cursor) {
        let not_valid = has(part, &["not", "valid"]);
        // Behind a list of columns, `USING INDEX TABLESPACE` says where the new index is kept.
        let using_index = (columns.is_empty() && cursor.eat(&["using", "index"])).then(|| cursor.name());
        return Action::AddConstraint { name, what, columns, not_valid, using_index };
    }
    if ["index", "key", "fulltext", "spatial"].contains(&cursor.word()) {
        return Action::AddIndex(index_columns(part).unwrap_or_default());
    }
    cursor.eat(&["column"]);
    cursor.eat(&["if", "not", "exists"]);
    Action::AddColumn(column(cursor))
}

fn drop_action(cursor: &mut Cursor<'_>) -> Action {
    if cursor.eat(&["constraint"]) || cursor.eat(&["foreign", "key"]) || cursor.eat(&["index"]) || cursor.eat(&["key"])
    {
        cursor.eat(&["if", "exists"]);
        return Action::DropConstraint(cursor.name());
    }
    if cursor.eat(&["primary", "key"]) {
        return Action::DropConstraint(Name::default());
    }
    cursor.eat(&["column"]);
    cursor.eat(&["if", "exists"]);
    Action::DropColumn(cursor.name())
}

fn rename(cursor: &mut Cursor<'_>) -> Action {
    if cursor.eat(&["to"]) || cursor.eat(&["as"]) {
        return Action::RenameTable(cursor.name());
    }
    if ["constraint", "index", "key"].contains(&cursor.word()) {
        cursor.at += 1;
        return Action::Other(cursor.name());
    }
    cursor.eat(&["column"]);
    let from = cursor.name();
    cursor.eat(&["to"]);
    Action::RenameColumn { from, to: cursor.name() }
}

fn alter_column(cursor: &mut Cursor<'_>) -> Action {
    cursor.eat(&["column"]);
    let name = cursor.name();
    if cursor.eat(&["set", "not", "null"]) {
        return Action::SetNotNull(name);
    }
    if cursor.eat(&["type"]) || cursor.eat(&["set", "data", "type"]) {
        return Action::ChangeType(name);
    }
    Action::Other(name)
}

/// MySQL's `CHANGE [COLUMN] old new type`.
fn change(cursor: &mut Cursor<'_>) -> Action {
    cursor.skip(&["column"]);
    let from = cursor.name();
    let to = cursor.name();
    if from.text == to.text { Action::ChangeType(from) } else { Action::RenameColumn { from, to } }
}

//! SQL of any dialect: statements with what they do to a schema or ask of it.
//!
//! Own and token-based, because one reader has to take PostgreSQL, MySQL and SQLite, go on after a statement it does
//! not know, and read fragments of queries in code. It has no recursion. What it does not know is [`Kind::Other`].

mod ddl;
mod query;
mod token;

use super::{Parsed, Syntax};
use crate::scan::source::Span;
pub use token::{Token, TokenKind, tokens};

/// A file of statements.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SqlFile {
    /// Statements in order.
    pub statements: Vec<Statement>,
}

/// A statement without its semicolon.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// Where.
    pub span: Span,
    /// What it does.
    pub kind: Kind,
}

/// A name as it is used: lower case where it was not quoted, without its schema.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// What a statement does.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the names are those of SQL
pub enum Kind {
    CreateTable(CreateTable),
    AlterTable {
        table: Name,
        actions: Vec<Action>,
    },
    CreateIndex(CreateIndex),
    DropIndex {
        names: Vec<Name>,
        concurrently: bool,
    },
    DropTable {
        tables: Vec<Name>,
    },
    RenameTable {
        from: Name,
        to: Name,
    },
    /// SELECT, INSERT, UPDATE or DELETE, common table expressions included.
    Query(Query),
    /// `SET name = value`.
    Set {
        name: String,
    },
    /// BEGIN, COMMIT and their like.
    Transaction,
    /// Anything else, by its first word in lower case.
    Other(String),
}

/// A table that is created.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreateTable {
    /// Its name.
    pub table: Name,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Keys, unique constraints and indexes of the table: their columns in order.
    pub keys: Vec<Vec<String>>,
    /// Foreign keys of the table: their columns.
    pub foreign_keys: Vec<Vec<Name>>,
    /// Made by `CREATE TABLE .. AS` or `LIKE`: its columns are not known.
    pub derived: bool,
    /// `CREATE TEMPORARY TABLE`.
    pub temporary: bool,
}

/// A column that is created.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// NOT NULL.
    pub not_null: bool,
    /// Its default in lower case, where it has one.
    pub default: Option<String>,
    /// PRIMARY KEY or UNIQUE.
    pub key: bool,
    /// REFERENCES another table.
    pub references: bool,
    /// GENERATED, IDENTITY or SERIAL: the database fills it.
    pub filled: bool,
}

/// One action of an ALTER TABLE.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the names are those of SQL
pub enum Action {
    AddColumn(Column),
    DropColumn(Name),
    RenameColumn {
        from: Name,
        to: Name,
    },
    RenameTable(Name),
    ChangeType(Name),
    SetNotNull(Name),
    /// A constraint; `columns` of a key or foreign key.
    AddConstraint {
        name: Name,
        what: Constraint,
        columns: Vec<Name>,
        not_valid: bool,
        /// The index that `UNIQUE USING INDEX` or `PRIMARY KEY USING INDEX` takes over.
        using_index: Option<Name>,
    },
    /// MySQL's `ADD INDEX`.
    AddIndex(Vec<String>),
    DropConstraint(Name),
    Other(Name),
}

/// Kinds of constraints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the names are those of SQL
pub enum Constraint {
    ForeignKey,
    Check,
    Unique,
    PrimaryKey,
    Other,
}

/// An index that is created.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CreateIndex {
    /// Its name.
    pub name: Name,
    /// Its table.
    pub table: Name,
    /// Its columns in order; an expression is an empty string.
    pub columns: Vec<String>,
    /// CONCURRENTLY, ONLINE or ALGORITHM = INPLACE.
    pub concurrently: bool,
    /// It has a WHERE that leaves rows out which a lookup by its first column asks for.
    pub partial: bool,
    /// The columns that this WHERE names.
    pub kept_by: Vec<String>,
}

/// A query.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Query {
    /// select, insert, update, delete, with.
    pub verb: String,
    /// Tables with their aliases, those of queries inside it left out.
    pub tables: Vec<(Name, Option<String>)>,
    /// Every name in WHERE and ON, compared or not (`deleted_at IS NULL`), those of queries inside it left out.
    pub named: Vec<String>,
    /// Columns compared in WHERE and ON, with their qualifiers, those of queries inside it left out.
    pub filters: Vec<(Option<String>, Name)>,
    /// The queries in parentheses inside it.
    pub nested: Vec<Query>,
    /// It has a LIMIT or FETCH FIRST, or gives an aggregate without a GROUP BY.
    pub bounded: bool,
    /// `SELECT *`.
    pub star: bool,
    /// It has a WHERE.
    pub filtered: bool,
}

/// Statements over this many tokens are seed data and dumps: only their first words are read.
const LONGEST: usize = 20_000;

/// Reads a file.
pub fn parse(text: &str) -> Parsed {
    let (tokens, comments) = tokens(text);
    let statements = statements(&tokens);
    Parsed { syntax: Syntax::Sql(SqlFile { statements }), comments, problems: Vec::new() }
}

/// Reads the statements of a fragment, as in a string of code.
pub fn fragment(text: &str) -> Vec<Statement> {
    statements(&tokens(text).0)
}

fn statements(tokens: &[Token]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for part in tokens.split(|token| token.is(';')) {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        let span = first.span.to(last.span);
        let kind = if part.len() > LONGEST { Kind::Other(first.word().to_string()) } else { kind(part) };
        statements.push(Statement { span, kind });
    }
    statements
}

fn kind(part: &[Token]) -> Kind {
    let first = part[0].word();
    let second = part.get(1).map_or("", Token::word);
    match (first, second) {
        ("create", _) => ddl::create(part),
        ("alter", "table") => ddl::alter_table(part),
        ("drop", "table") => ddl::drop_table(part),
        ("drop", "index") => ddl::drop_index(part),
        ("rename", "table") => ddl::rename_table(part),
        ("select" | "insert" | "update" | "delete" | "with" | "replace", _) => Kind::Query(query::read(part)),
        ("set", _) => Kind::Set { name: ddl::set_name(part) },
        ("begin" | "commit" | "rollback" | "start" | "end", _) => Kind::Transaction,
        (other, _) => Kind::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;

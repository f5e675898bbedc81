//! Types of columns as migrations go by: a change of type that keeps every value as it is stored is none to fear.

use std::collections::BTreeMap;

use crate::parse::sql::{Action, Kind, Name, Statement};

/// Types that the columns of a set's tables have so far, by table and column.
#[derive(Default)]
pub(super) struct Types(BTreeMap<(String, String), Type>);

/// A character type with its limit.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Type {
    name: String,
    limit: Option<u32>,
}

impl Types {
    /// Takes in what a statement says.
    pub(super) fn learn(&mut self, text: &str, statement: &Statement) {
        match &statement.kind {
            Kind::CreateTable(created) => {
                created.columns.iter().for_each(|column| self.set(text, &created.table, &column.name));
            }
            Kind::AlterTable { table, actions } => {
                for action in actions {
                    match action {
                        Action::AddColumn(column) => self.set(text, table, &column.name),
                        Action::ChangeType(name) => self.set(text, table, name),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, text: &str, table: &Name, column: &Name) {
        if let Some(ty) = written(text, column) {
            self.0.insert((table.text.clone(), column.text.clone()), ty);
        }
    }

    /// Whether PostgreSQL takes a new type without reading the table: a longer or no limit on characters.
    pub(super) fn widens(&self, text: &str, table: &str, column: &Name) -> bool {
        let Some(before) = self.0.get(&(table.to_string(), column.text.clone())) else { return false };
        let Some(after) = written(text, column).filter(|_| before.name == "varchar") else { return false };
        match (after.name.as_str(), before.limit, after.limit) {
            ("text", ..) | ("varchar", _, None) => true,
            ("varchar", Some(before), Some(after)) => after >= before,
            _ => false,
        }
    }
}

/// The type that stands after a column's name.
fn written(text: &str, column: &Name) -> Option<Type> {
    let rest = text.get(column.span.end as usize..)?;
    let end = rest.find(';').unwrap_or(rest.len());
    let rest = rest[..end].to_ascii_lowercase();
    let rest = rest.trim_start_matches(['"', '`']).trim_start();
    let rest = ["set data type", "type"].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest).trim_start();
    let (name, rest) = match rest.strip_prefix("character varying") {
        Some(rest) => ("varchar", rest),
        None => rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())),
    };
    let limit = rest.trim_start().strip_prefix('(').and_then(|rest| rest.split(')').next()?.trim().parse().ok());
    (!name.is_empty()).then(|| Type { name: name.to_string(), limit })
}

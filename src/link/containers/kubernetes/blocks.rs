//! The blocks of a Helm template (`if`, `with`, `range`, `define`) and what their conditions come to.

use std::collections::BTreeMap;

use super::expression::{Known, Scope, evaluate, truth};
use crate::parse::yaml::mask::{actions, inner};

/// What a condition comes to with the chart's default values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// Rendered.
    Yes,
    /// Not rendered.
    No,
    /// Only an install tells.
    Unknown,
}

/// A branch of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Region {
    start: usize,
    end: usize,
    parent: Option<usize>,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// The condition, and those of earlier branches, which must have failed.
    If { condition: Option<String>, earlier: Vec<String> },
    /// The value that `.` is inside.
    With(String),
    /// What is iterated over.
    Range(String),
    /// A named template: nothing of it is rendered where it stands.
    Define,
}

/// All blocks of a template, and the variables that it assigns once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Blocks {
    regions: Vec<Region>,
    /// Variables with the expression they are set to; those set twice are left out.
    pub variables: BTreeMap<String, String>,
}

impl Blocks {
    /// Reads the blocks of a template.
    pub fn read(text: &str) -> Blocks {
        let mut blocks = Blocks::default();
        let mut open: Vec<usize> = Vec::new();
        let mut assigned: BTreeMap<String, usize> = BTreeMap::new();
        for action in actions(text) {
            let body = inner(text.get(action.span.range()).unwrap_or(""));
            let (start, end) = (action.span.start as usize, action.span.end as usize);
            let (word, rest) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
            match word {
                "if" | "with" | "range" | "define" | "block" => {
                    let parent = open.last().copied();
                    open.push(blocks.regions.len());
                    blocks.regions.push(Region { start: end, end: text.len(), parent, kind: kind(word, rest.trim()) });
                }
                "else" => blocks.next_branch(&mut open, start, end, rest.trim(), text.len()),
                "end" => {
                    if let Some(at) = open.pop() {
                        blocks.regions[at].end = start;
                    }
                }
                _ => blocks.assign(body, &mut assigned),
            }
        }
        blocks
    }

    fn next_branch(&mut self, open: &mut Vec<usize>, start: usize, end: usize, rest: &str, length: usize) {
        let Some(at) = open.pop() else { return };
        self.regions[at].end = start;
        let mut earlier = match &self.regions[at].kind {
            Kind::If { condition, earlier } => earlier.iter().chain(condition).cloned().collect(),
            Kind::With(value) | Kind::Range(value) => vec![value.clone()],
            Kind::Define => Vec::new(),
        };
        earlier.truncate(16);
        let condition = rest.strip_prefix("if").map(|condition| condition.trim().to_string());
        let parent = self.regions[at].parent;
        open.push(self.regions.len());
        self.regions.push(Region { start: end, end: length, parent, kind: Kind::If { condition, earlier } });
    }

    fn assign(&mut self, body: &str, assigned: &mut BTreeMap<String, usize>) {
        let Some((name, value)) = body.split_once(":=").or_else(|| body.split_once('=')) else { return };
        let name = name.trim();
        if !name.starts_with('$') || name.contains(char::is_whitespace) {
            return;
        }
        let times = assigned.entry(name.to_string()).or_insert(0);
        *times += 1;
        if *times == 1 {
            self.variables.insert(name.to_string(), value.trim().to_string());
        } else {
            self.variables.remove(name);
        }
    }

    fn innermost(&self, offset: usize) -> Option<usize> {
        let mut at = self.regions.partition_point(|region| region.start <= offset).checked_sub(1);
        while let Some(index) = at {
            if self.regions[index].end > offset {
                return at;
            }
            at = self.before(index);
        }
        None
    }

    /// The region to look at after one that ended: the branch before it shares its parent, so the parent is next.
    fn before(&self, index: usize) -> Option<usize> {
        self.regions[index].parent
    }

    /// What `.` is at an offset, as an expression: that of the innermost `with`; `None` inside `range`.
    pub fn dot(&self, offset: usize) -> Option<Vec<String>> {
        let mut at = self.innermost(offset);
        let mut chain = Vec::new();
        while let Some(index) = at {
            match &self.regions[index].kind {
                Kind::With(value) => chain.push(value.clone()),
                Kind::Range(_) => return None,
                _ => {}
            }
            at = self.regions[index].parent;
        }
        chain.reverse();
        Some(chain)
    }

    /// Whether what stands at an offset is rendered. The blocks around `on` are taken to be switched on, and with them
    /// all that have the same condition.
    pub fn guard(&self, offset: usize, on: Option<usize>, scope: &Scope<'_>) -> Guard {
        let switched = on.map_or_else(Vec::new, |on| self.conditions(on));
        let mut at = self.innermost(offset);
        let mut state = Guard::Yes;
        while let Some(index) = at {
            let region = &self.regions[index];
            if on.is_some_and(|on| region.start <= on && on < region.end) && region.kind != Kind::Define {
                at = region.parent;
                continue;
            }
            match self.region_guard(region, &switched, scope) {
                Guard::No => return Guard::No,
                Guard::Unknown => state = Guard::Unknown,
                Guard::Yes => {}
            }
            at = region.parent;
        }
        state
    }

    /// The conditions of the blocks around an offset.
    fn conditions(&self, offset: usize) -> Vec<&str> {
        let mut at = self.innermost(offset);
        let mut conditions = Vec::new();
        while let Some(index) = at {
            if let Kind::If { condition: Some(condition), .. } | Kind::With(condition) = &self.regions[index].kind {
                conditions.push(condition.as_str());
            }
            at = self.regions[index].parent;
        }
        conditions
    }

    fn region_guard(&self, region: &Region, switched: &[&str], scope: &Scope<'_>) -> Guard {
        let holds = |condition: &str| {
            if switched.contains(&condition) { Guard::Yes } else { truth(&evaluate(condition, scope, region.start)) }
        };
        match &region.kind {
            Kind::Define => Guard::No,
            Kind::With(value) => holds(value),
            Kind::Range(value) => match evaluate(value, scope, region.start) {
                Known::Missing => Guard::No,
                value => truth(&value),
            },
            Kind::If { condition, earlier } => {
                let mut state = condition.as_deref().map_or(Guard::Yes, holds);
                for other in earlier {
                    match holds(other) {
                        Guard::Yes => return Guard::No,
                        Guard::Unknown if state == Guard::Yes => state = Guard::Unknown,
                        _ => {}
                    }
                }
                state
            }
        }
    }
}

fn kind(word: &str, rest: &str) -> Kind {
    let value = rest.split_once(":=").map_or(rest, |(_, value)| value).trim().to_string();
    match word {
        "with" => Kind::With(value),
        "range" => Kind::Range(value),
        "define" => Kind::Define,
        "block" => Kind::If { condition: None, earlier: Vec::new() },
        _ => Kind::If { condition: Some(rest.to_string()), earlier: Vec::new() },
    }
}

//! Version requirements, as far as the catalog needs them: does what a manifest asks for fall into a range?

/// A range of versions: all comparisons hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Range(Vec<(Operator, Version)>);

/// `major.minor.patch`, missing parts as 0.
type Version = [u64; 3];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operator {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("<=", Operator::LessEqual),
    (">=", Operator::GreaterEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

impl Range {
    /// Reads `>=0.6, <0.8`; every part needs an operator.
    pub fn parse(text: &str) -> Option<Range> {
        text.split(',').map(comparison).collect::<Option<Vec<_>>>().map(Range)
    }

    /// Whether the oldest version that a manifest's requirement allows is in the range. `*` and what is no version
    /// (a git or path dependency) count as the newest.
    pub fn allows(&self, requirement: &str) -> bool {
        let version = oldest(requirement).unwrap_or([u64::MAX; 3]);
        self.0.iter().all(|(operator, bound)| match operator {
            Operator::Less => version < *bound,
            Operator::LessEqual => version <= *bound,
            Operator::Greater => version > *bound,
            Operator::GreaterEqual => version >= *bound,
            Operator::Equal => version == *bound,
        })
    }
}

fn comparison(text: &str) -> Option<(Operator, Version)> {
    let text = text.trim();
    let (sign, operator) = OPERATORS.iter().find(|(sign, _)| text.starts_with(sign))?;
    Some((*operator, numbers(&text[sign.len()..])?))
}

fn oldest(requirement: &str) -> Option<Version> {
    let first = requirement.split(',').map(str::trim).find(|part| !part.starts_with('<'))?;
    numbers(first.trim_start_matches(['^', '~', '=', '>', ' ']))
}

fn numbers(text: &str) -> Option<Version> {
    let text = text.trim();
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(())?;
    let mut version = [0; 3];
    for (at, part) in text.split('.').take(3).enumerate() {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        version[at] = digits.parse().unwrap_or(0);
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Range;

    #[test]
    fn a_requirement_is_judged_by_its_oldest_version() {
        let range = Range::parse(">=0.6, <0.8").unwrap();
        for (requirement, allowed) in
            [("0.7", true), ("^0.6.1", true), ("0.8", false), ("=0.5.9", false), (">=0.6,<0.9", true), ("0", false)]
        {
            assert_eq!(range.allows(requirement), allowed, "{requirement}");
        }
    }

    #[test]
    fn an_open_requirement_is_the_newest() {
        assert!(Range::parse(">=0.6").unwrap().allows("*"));
        assert!(!Range::parse("<0.6").unwrap().allows("*"));
    }

    #[test]
    fn a_range_without_operator_is_refused() {
        assert_eq!(Range::parse("0.6"), None);
    }
}

//! `prodcheck explain` and `prodcheck list`.

use super::args::{ExplainArgs, ListArgs, ListFormat};
use super::{Exit, Stop, output, rules, terminal};
use crate::config::nearest;
use crate::report::explain;

/// Explains a rule or an item.
pub fn run(arguments: &ExplainArgs) -> Result<Exit, Stop> {
    if let Some(place) = &arguments.why {
        return super::why::run(arguments, place);
    }
    let look = terminal::look(&arguments.look, false);
    let (rules, checklist) = rules::built_in(arguments.rules.as_deref())?;
    let Some(name) = &arguments.name else {
        output::to_stdout(&explain::table(&checklist, &rules, &look))?;
        return Ok(Exit::Clean);
    };
    let said = match (rules.get(name), checklist.item(name)) {
        (Some(rule), _) => explain::rule(rule, &checklist, &look),
        (None, Some(item)) => explain::item(item, &checklist, &rules, &look),
        (None, None) => {
            let known = rules.rules().iter().map(|rule| rule.id.as_str());
            let known = known.chain(checklist.items.iter().map(|item| item.id.as_str()));
            let hint = nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Stop::usage(format!("no rule or item is called `{name}`{hint}")));
        }
    };
    output::to_stdout(&said)?;
    Ok(Exit::Clean)
}

/// Lists items and rules.
pub fn list(arguments: &ListArgs) -> Result<Exit, Stop> {
    let (rules, checklist) = rules::built_in(arguments.rules.as_deref())?;
    output::to_stdout(&match arguments.format {
        ListFormat::Table => explain::table(&checklist, &rules, &terminal::look(&arguments.look, false)),
        ListFormat::Json => explain::json(&checklist, &rules),
    })?;
    Ok(Exit::Clean)
}

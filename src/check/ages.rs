//! How old things are that carry a date: the one place where facts meet the day of the check.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::facts::{Attr, Data, FactKind};
use crate::link::Linked;

/// The facts with the ages of those that carry a date, counted to the day of the check.
pub fn counted(linked: &Linked, today: Date) -> Cow<'_, Linked> {
    if linked.facts.of(FactKind::EncryptedSecrets).next().is_none() {
        return Cow::Borrowed(linked);
    }
    let mut linked = linked.clone();
    for fact in &mut linked.facts.all {
        let Data::EncryptedSecrets(secrets) = &mut fact.data else { continue };
        let Some(changed) = secrets.changed_on.known().and_then(|day| day.parse::<Date>().ok()) else { continue };
        let days = changed.until(today).map(|span| f64::from(span.get_days()));
        // A date after the day of the check is somebody's clock, not an age.
        secrets.age_days = days.ok().filter(|days| *days >= 0.0).map_or(Attr::Unknown, Attr::Known);
    }
    Cow::Owned(linked)
}

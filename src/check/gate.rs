//! The eleven ticks before going live.

use super::checklist::Checklist;
use super::outcome::{Row, Status, Tick, TickStatus};

/// The gate over the repository's rows.
pub fn of(checklist: &Checklist, rows: &[Row]) -> Vec<Tick> {
    let ticks = checklist.ticks.iter().map(|tick| {
        let statuses = tick.items.iter().filter_map(|item| rows.iter().find(|row| row.item == *item));
        let status = tick_status(statuses.map(|row| row.status));
        Tick { tick: tick.tick.clone(), short: tick.short.clone(), status, items: tick.items.clone() }
    });
    ticks.collect()
}

fn tick_status(statuses: impl Iterator<Item = Status>) -> TickStatus {
    let mut tick = TickStatus::Na;
    for status in statuses {
        match status {
            Status::Na => {}
            Status::Pass | Status::Attested => tick = TickStatus::Done,
            Status::Violated | Status::Missing | Status::Unknown | Status::Manual => return TickStatus::Open,
        }
    }
    tick
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_open_while_one_item_is() {
        let of = |statuses: &[Status]| tick_status(statuses.iter().copied());
        assert_eq!(of(&[Status::Pass, Status::Attested, Status::Na]), TickStatus::Done);
        assert_eq!(of(&[Status::Na, Status::Na]), TickStatus::Na);
        for open in [Status::Violated, Status::Missing, Status::Unknown, Status::Manual] {
            assert_eq!(of(&[Status::Pass, open, Status::Na]), TickStatus::Open, "{open:?}");
        }
    }
}

use migrator_model::{Block, Options};
use proptest::prelude::*;

use super::*;
use crate::embedded::{Embedded, Migration as Embed};
use crate::history::{AppliedMigration, Event, History};
use crate::plan::{divergence, survey};

/// Everything handed over at once, as it would be without portions.
fn whole(survey: &Survey, target: Target, out_of_order: bool) -> Result<Vec<i64>, Obstacle> {
    let disagree = |error: refinery::Error| Obstacle::Disagreement(error.to_string());
    let mut known = Vec::new();
    let mut applied = Vec::new();
    for entry in &survey.entries {
        let (Some(number), Some(migration)) = (entry.number, entry.migration) else { continue };
        let goes_below = entry.state == State::HalfDone || (entry.state == State::OutOfOrder && out_of_order);
        let prefix = if goes_below { 'U' } else { 'V' };
        known.push(Migration::unapplied(&format!("{prefix}{number}__m"), &migration.checksum).map_err(disagree)?);
        if entry.applied.is_some() {
            let mut row = Migration::unapplied(&format!("V{number}__m"), &migration.checksum).map_err(disagree)?;
            row.set_applied();
            applied.push(row);
        }
    }
    run(&known, applied, target)
}

fn set(numbers: &[i64]) -> &'static Embedded {
    let migration = |number: &i64| {
        let (version, file) = (format!("{number:02}"), format!("{number:02}_m.sql"));
        let block = Block::new(0..0, Options::new(), Vec::new().into());
        Embed::new(version.into(), *number, "m".into(), file.into(), "".into(), format!("c{number}").into(), block)
    };
    Box::leak(Box::new(Embedded::new("".into()).with_migrations(numbers.iter().map(migration).collect())))
}

/// What the history says of a version, by a number.
fn tell(history: &mut History, number: i64, what: u8) {
    let version = format!("{number:02}");
    let (spelled, checksum) = match what {
        0..=3 => (version.clone(), Some(format!("c{number}"))),
        4 => (version.clone(), None),
        5 => (version.clone(), Some("other".to_owned())),
        6 => (number.to_string(), None),
        _ => (String::new(), None),
    };
    if what <= 6 {
        history.applied.push(AppliedMigration {
            version: spelled.into(),
            checksum: checksum.map(String::into),
            ..AppliedMigration::default()
        });
    }
    if what >= 6 {
        history.events.push(Event {
            action: if what == 8 { "down" } else { "up" }.to_owned(),
            version: Some(version),
            attempt: Some(1),
            statement: Some(1),
            outcome: "failed".to_owned(),
            ..Event::default()
        });
    }
}

proptest! {
    /// Portions after the newest applied version give what all versions at once give, obstacles included, whatever the history says:
    /// also where `divergence` would have refused it before.
    #[test]
    fn portions_plan_as_the_whole_does(
        known in prop::collection::btree_set(0_i64..24, 0..20),
        rows in prop::collection::btree_map(0_i64..30, 0_u8..9, 0..20),
        keep in 0_usize..20,
        portion in 1_usize..6,
        out_of_order: bool,
        limit in prop::option::of(0_i64..24),
    ) {
        let known: Vec<i64> = known.into_iter().collect();
        let mut history = History { exists: true, complete: true, ..History::default() };
        // Most of what is applied is a prefix, as everywhere.
        known.iter().take(keep).filter(|number| !rows.contains_key(number)).for_each(|number| tell(&mut history, *number, 0));
        rows.iter().for_each(|(number, what)| tell(&mut history, *number, *what));
        let set = set(&known);
        let survey = survey(set, &history);
        let target = limit.map_or(Target::Newest, Target::Version);
        let numbers = |entries: Vec<&Entry>| entries.iter().filter_map(|entry| entry.number).collect::<Vec<_>>();
        let portions = pending_in(portion, &survey, target, out_of_order).map(numbers);
        let whole = whole(&survey, target, out_of_order);
        if divergence::refuse(set, &survey, Some(crate::history::Direction::Up), out_of_order).is_ok() {
            prop_assert_eq!(&portions, &whole);
        }
        // Unless the target ends it before.
        if limit.is_none() {
            prop_assert_eq!(portions.is_ok(), whole.is_ok());
        }
    }
}

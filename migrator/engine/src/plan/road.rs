//! On which of its roads a binary meets a database: from a baseline, or by the migrations that it stands for. Pure.
//!
//! A database keeps to the road that it has begun: it has run those texts, in that order, and is rolled back by them. Everything else
//! is asked of one road, as if there were no other.

use std::collections::BTreeSet;

use crate::embedded::{Embedded, Migration};
use crate::history::{AppliedMigration, Direction, History};

/// The road that a history has begun, of those of [`Embedded::roads`]; the first, where nothing has been applied.
pub(crate) fn of_history(roads: &[&'static Embedded], history: &History) -> &'static Embedded {
    let progress = history.progress();
    let begun = progress.iter().filter(|(_, progress)| progress.direction == Direction::Up);
    let begun = begun.filter_map(|(version, _)| version.parse().ok());
    let applied = |migration: &Migration| {
        let is_it = |row: &AppliedMigration| {
            row.version == migration.version && row.checksum.as_deref() == Some(&*migration.checksum)
        };
        history.applied.iter().any(is_it)
    };
    let numbers = history.applied.iter().filter_map(|row| row.number()).chain(begun).collect();
    choose(roads, &numbers, applied)
}

/// The road of a set that a history has begun; it lives as long as the process.
pub fn begun(set: &'static Embedded, history: &History) -> &'static Embedded {
    if set.squashed.is_empty() { set } else { of_history(&all(set), history) }
}

/// The road of a set that leads through these versions; it lives as long as the process.
pub fn through(set: &'static Embedded, versions: impl IntoIterator<Item = i64>) -> &'static Embedded {
    if set.squashed.is_empty() {
        return set;
    }
    choose(&all(set), &versions.into_iter().collect(), |_| false)
}

/// The road of those that never were on another: what other tools have applied, they have applied from the first migration on.
pub(crate) fn original(roads: &[&'static Embedded]) -> Option<&'static Embedded> {
    roads.last().copied()
}

/// Every road of a set, which live as long as it does.
pub(crate) fn all(set: &'static Embedded) -> Vec<&'static Embedded> {
    let others = set.roads().into_iter().skip(1).map(|road| &*Box::leak(Box::new(road)));
    std::iter::once(set).chain(others).collect()
}

/// `numbers` are the versions that a database has, `applied` says of a baseline whether it is among them by its checksum.
fn choose(
    roads: &[&'static Embedded],
    numbers: &BTreeSet<i64>,
    applied: impl Fn(&Migration) -> bool,
) -> &'static Embedded {
    let [newest, .., original] = *roads else { return roads[0] };
    let start = |road: &'static Embedded| road.migrations.first();
    let mut from_a_baseline = roads.iter().copied().take(roads.len() - 1);
    if let Some(road) = from_a_baseline.clone().find(|road| start(road).is_some_and(&applied)) {
        return road;
    }
    let Some(smallest) = numbers.first() else { return newest };
    // Other tools record no checksums: a history that begins with the version of a baseline has not run what that stands for.
    let is_start = |road: &&'static Embedded| start(road).is_some_and(|first| first.number == *smallest);
    if let Some(road) = from_a_baseline.find(is_start) {
        return road;
    }
    match start(newest) {
        Some(first) if *smallest > first.number => newest,
        _ => original,
    }
}

#[cfg(test)]
mod tests {
    use migrator_model::{Block, Options, Squashed};

    use super::*;
    use crate::history::Event;

    fn migration(version: &str, name: &str) -> Migration {
        let (number, checksum) = (version.parse().unwrap(), format!("{name}{version}"));
        let [version, name] = [version, name].map(str::to_owned);
        let block = Block::new(0..0, Options::new(), Vec::new().into());
        Migration::new(version.into(), number, name.into(), "".into(), "x".into(), checksum.into(), block)
    }

    /// Squashed at 3 and again at 5; the newest is 6.
    fn twice() -> Vec<&'static Embedded> {
        let squashed = [("1", "m"), ("2", "m"), ("3", "m"), ("3", "a"), ("4", "m"), ("5", "m")];
        let squashed =
            squashed.map(|(version, name)| Squashed::new(migration(version, name)).with_baseline(name == "a"));
        let set = Embedded::new("".into())
            .with_migrations(vec![migration("5", "b"), migration("6", "m")].into())
            .with_squashed(squashed.to_vec().into());
        all(Box::leak(Box::new(set)))
    }

    /// Rows `<version><name>` with the checksum of that migration, `<version>?` without one, `<version>!` half-done.
    fn check(rows: &str, expected: &str) {
        let mut history = History::default();
        for word in rows.split_whitespace() {
            let (version, name) = word.split_at(word.len() - 1);
            let checksum = (name != "?").then(|| format!("{name}{version}"));
            let version = version.to_owned();
            match name {
                "!" => history.events.push(Event {
                    action: "up".into(),
                    version: Some(version),
                    statement: Some(1),
                    outcome: "done".into(),
                    ..Event::default()
                }),
                _ => history.applied.push(AppliedMigration {
                    version: version.into(),
                    checksum: checksum.map(String::into),
                    ..AppliedMigration::default()
                }),
            }
        }
        let road = of_history(&twice(), &history);
        assert_eq!(road.migrations.first().unwrap().label(), expected, "{rows}");
    }

    #[test]
    fn a_database_keeps_to_the_road_that_it_has_begun() {
        check("", "5_b");
        check("5b", "5_b");
        check("5b 6m", "5_b");
        check("3a", "3_a");
        check("3a 4m 5m 6m", "3_a");
        check("1m", "1_m");
        check("1m 2m 3m", "1_m");
        check("1m 2m 3m 4m 5m 6m", "1_m");
    }

    #[test]
    fn without_checksums_the_smallest_version_decides() {
        check("5? 6?", "5_b");
        check("3? 4?", "3_a");
        check("1? 2? 3? 4? 5?", "1_m");
    }

    #[test]
    fn what_does_not_fit_is_judged_on_the_road_that_it_looks_most_like() {
        check("5x", "5_b");
        check("3x 4m", "3_a");
        check("1x", "1_m");
        // Rows of no known migration beside a baseline.
        check("0x 5b", "5_b");
        check("6m", "5_b");
        check("4m", "1_m");
        check("1!", "1_m");
        check("5!", "5_b");
    }
}

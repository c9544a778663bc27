//! What `cargo xtask squash` has replaced: migrations that only databases which began with them still run.

use std::borrow::Cow;

use crate::coded::coded;
use crate::{List, Migration, Set};

/// A line of `squashed.txt`, with the file of `squashed/` that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Squashed {
    /// The migration. Where its file is gone, it has neither a text nor a statement.
    pub migration: Migration,
    /// Whether it was a baseline itself: it stood for every migration up to its version.
    pub is_baseline: bool,
}

coded!(Squashed { migration, is_baseline });

impl Squashed {
    /// A migration that was written by hand.
    pub const fn new(migration: Migration) -> Squashed {
        Squashed { migration, is_baseline: false }
    }

    /// Whether its file is there: without it, it can neither be applied nor rolled back.
    pub fn has_text(&self) -> bool {
        self.migration.has_text()
    }
}

crate::builders!(Squashed {
    with_baseline: is_baseline: bool,
});

impl Set {
    /// The baseline that stands for the squashed migrations: it has the version of the last of them.
    pub fn baseline(&self) -> Option<&Migration> {
        let last = self.squashed.last()?.migration.number;
        self.migrations.iter().find(|migration| migration.number == last)
    }

    /// The ways from an empty database to the newest version, the one of a new database first: each is this set with other
    /// migrations. The last begins with the first migration that was ever written; the ones between with an earlier baseline.
    ///
    /// A database keeps to the road that it has begun.
    pub fn roads(&self) -> Vec<Set> {
        let mut roads = vec![self.clone()];
        let Some(last) = self.squashed.last().map(|squashed| squashed.migration.number) else { return roads };
        let baselines = self.squashed.iter().rev().filter(|squashed| squashed.is_baseline).map(Some);
        for start in baselines.chain([None]) {
            let from = start.map(|baseline| baseline.migration.number);
            let is_on = |squashed: &&Squashed| {
                !squashed.is_baseline && from.is_none_or(|from| squashed.migration.number > from)
            };
            let squashed = start.into_iter().chain(self.squashed.iter().filter(is_on));
            let rest = self.migrations.iter().filter(|migration| migration.number > last);
            let migrations: List<Migration> =
                Cow::Owned(squashed.map(|squashed| &squashed.migration).chain(rest).cloned().collect());
            roads.push(Set { migrations, ..self.clone() });
        }
        roads
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, Options};

    fn migration(version: &str, name: &str) -> Migration {
        let (version, name) = (version.to_owned(), name.to_owned());
        let number = version.parse().unwrap();
        let block = Block::new(0..0, Options::new(), Vec::new().into());
        Migration::new(version.into(), number, name.into(), "".into(), "x".into(), "".into(), block)
    }

    fn set(migrations: &[&str], squashed: &[(&str, &str)]) -> Set {
        let name = |version: &str| if squashed.last().is_some_and(|(last, _)| *last == version) { "b" } else { "m" };
        let migrations = migrations.iter().map(|version| migration(version, name(version))).collect();
        let one = |(version, name): &(&str, &str)| {
            Squashed::new(migration(version, name)).with_baseline(name.starts_with('b'))
        };
        Set::new("".into()).with_migrations(migrations).with_squashed(squashed.iter().map(one).collect())
    }

    fn roads(set: &Set) -> Vec<String> {
        let road = |road: Set| road.migrations.iter().map(Migration::label).collect::<Vec<_>>().join(" ");
        set.roads().into_iter().map(road).collect()
    }

    #[test]
    fn a_set_that_was_never_squashed_has_one_road() {
        let set = set(&["1", "2"], &[]);
        assert_eq!(roads(&set), ["1_m 2_m"]);
        assert_eq!(set.baseline(), None);
    }

    #[test]
    fn each_baseline_begins_a_road() {
        let once = set(&["3", "4"], &[("1", "m"), ("2", "m"), ("3", "m")]);
        assert_eq!(roads(&once), ["3_b 4_m", "1_m 2_m 3_m 4_m"]);
        assert_eq!(once.baseline().map(Migration::label).as_deref(), Some("3_b"));
        let twice = set(&["4", "5"], &[("1", "m"), ("2", "m"), ("2", "b1"), ("3", "m"), ("4", "m")]);
        assert_eq!(roads(&twice), ["4_b 5_m", "2_b1 3_m 4_m 5_m", "1_m 2_m 3_m 4_m 5_m"]);
    }
}

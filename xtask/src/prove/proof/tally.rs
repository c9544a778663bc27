//! Whether an up and its down have left a database as it was, proved from what the server counts, at the cost of what was changed.
//!
//! The server counts every row that a session inserts into a catalog, updates and deletes in it, also what is rolled back: never
//! less than there was. It is told apart from all that was there before by its key, an OID higher than any in use. That makes a
//! proof, if nothing else writes to the catalogs of the database:
//!
//! - Before the up no row of any catalog has such a key.
//! - The up deletes no row, and inserts as many as have such a key after it. So each of them is new, none was rolled back, and no
//!   row has gone.
//! - The down inserts none, deletes as many as the up has inserted, and none with such a key is left. Each of those was deleted, which makes
//!   the whole number: so no other was.
//! - Where either updates rows, no row is left that a transaction since has written. So it has updated only what is gone. Where
//!   neither does, there is nothing to look for.
//!
//! Where nothing was inserted nothing is new, so only the other catalogs are looked at.
//!
//! Then every catalog holds the very rows that it held. An up that runs no one's code makes the same of the same rows but for what
//! depends on the time, such as `DEFAULT 'now'::timestamptz`: that is in an expression, and the expressions are compared.
//! Counts that are too high, of another session or of work that was rolled back, only make an equation fail.
//! Whatever is not certain here is found out by reading the schema.

/// What is known of one catalog for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Catalog {
    pub(super) oid: u32,
    pub(super) name: String,
    /// All databases of the server share it.
    pub(super) shared: bool,
    /// The column of OIDs that an index begins with, by which new rows are found.
    pub(super) key: Option<String>,
    /// Its columns that hold expressions.
    pub(super) expressions: Vec<String>,
}

/// How many rows the server has counted in one catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) inserted: i64,
    pub(super) updated: i64,
    pub(super) deleted: i64,
}

/// What the session that applies has written, as the server counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counters {
    /// In the order of the catalogs.
    pub(super) written: Vec<Written>,
    /// What decides whether counters can be compared: whether the server counts, and when they were set to zero.
    pub(super) counting: Counting,
    /// No transaction that has not ended has a lower number.
    pub(super) next: u32,
}

/// Whether two counters can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counting {
    pub(super) on: bool,
    /// When the counters of the database, and of what all databases share, were set to zero.
    pub(super) since: String,
}

/// What the catalogs hold that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct New {
    /// How many rows have a key above the one that was asked for; `None`: the catalog has no such key.
    pub(super) rows: Vec<Option<i64>>,
    /// The expressions in them, without the OIDs.
    pub(super) expressions: String,
    /// The highest key that is in use, in all catalogs that have one.
    pub(super) top: u32,
    /// There are event triggers, whose functions run in every statement.
    pub(super) event_triggers: bool,
    /// Which version of the row in `pg_database` is that of this database.
    pub(super) database: String,
}

/// Both at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) counters: Counters,
    pub(super) new: New,
}

impl Counters {
    /// The places of the catalogs into which something was inserted since.
    pub(super) fn added_since(&self, before: &Counters) -> Vec<usize> {
        let pairs = self.written.iter().zip(&before.written).enumerate();
        pairs.filter(|(_, (now, then))| now.inserted != then.inserted).map(|(at, _)| at).collect()
    }
}

impl New {
    /// What is found in the catalogs of these places; into the others nothing was inserted.
    pub(super) fn with(&self, places: &[usize], found: New) -> New {
        let mut rows = self.rows.clone();
        for (&at, count) in places.iter().zip(&found.rows) {
            rows[at] = *count;
        }
        let event_triggers = self.event_triggers || found.event_triggers;
        New { rows, event_triggers, top: self.top.max(found.top), ..found }
    }
}

impl Tally {
    /// The same as a start: no key is above the highest one.
    pub(super) fn into_start(mut self) -> Tally {
        for rows in self.new.rows.iter_mut().flatten() {
            *rows = 0;
        }
        self
    }
}

/// What an up or a down did to one catalog.
struct Change<'a> {
    catalog: &'a Catalog,
    written: Written,
    /// New rows after it.
    new: Option<i64>,
}

impl Tally {
    /// Whether new rows can be told from old ones from here on.
    pub(super) fn is_start(&self) -> bool {
        self.counters.counting.on && !self.new.event_triggers && self.new.rows.iter().flatten().all(|&rows| rows == 0)
    }

    /// What was done since; `None`: that cannot be told.
    fn since<'a>(
        &'a self,
        before: &'a Tally,
        catalogs: &'a [Catalog],
    ) -> Option<impl Iterator<Item = Change<'a>> + use<'a>> {
        let is_comparable = self.counters.counting == before.counters.counting
            && self.counters.counting.on
            && !self.new.event_triggers
            && self.new.database == before.new.database;
        let changes = catalogs.iter().zip(&self.counters.written).zip(&before.counters.written).zip(&self.new.rows);
        let change = |(((catalog, now), then), new): (((&'a Catalog, &Written), &Written), &Option<i64>)| Change {
            catalog,
            written: now.since(*then),
            new: *new,
        };
        is_comparable.then(|| changes.map(change))
    }
}

impl Written {
    fn since(self, before: Written) -> Written {
        Written {
            inserted: self.inserted - before.inserted,
            updated: self.updated - before.updated,
            deleted: self.deleted - before.deleted,
        }
    }
}

impl Change<'_> {
    /// The catalog is shared and untouched.
    fn is_shared_and_untouched(&self) -> bool {
        self.catalog.shared && self.written == Written::default()
    }

    /// All that was written is new rows, and all of them are there.
    fn only_adds(&self) -> bool {
        let Written { inserted, deleted, .. } = self.written;
        self.is_shared_and_untouched() || !self.catalog.shared && deleted == 0 && self.new.unwrap_or(0) == inserted
    }

    /// As many rows as the up has inserted are gone, and no new one is left.
    fn takes(&self, inserted: i64) -> bool {
        let Written { inserted: again, deleted, .. } = self.written;
        let takes = again == 0 && deleted == inserted && self.new.unwrap_or(0) == 0;
        self.is_shared_and_untouched() || !self.catalog.shared && takes
    }
}

/// Whether an up, from `before` to `after`, has done nothing but add rows that can be told from the others, apart from updates.
pub(super) fn only_adds(catalogs: &[Catalog], before: &Tally, after: &Tally) -> bool {
    let is_complete = [before, after]
        .iter()
        .all(|tally| tally.counters.written.len() == catalogs.len() && tally.new.rows.len() == catalogs.len());
    is_complete
        && before.is_start()
        && after.since(before, catalogs).is_some_and(|mut changes| changes.all(|change| change.only_adds()))
}

/// Whether a down, to `back`, has taken what such an up has added, and nothing else, apart from updates: the catalogs in which there
/// were some. `None`: that cannot be told.
pub(super) fn takes_it_back<'a>(
    catalogs: &'a [Catalog],
    (before, after, back): (&Tally, &Tally, &Tally),
) -> Option<Vec<&'a Catalog>> {
    if !only_adds(catalogs, before, after) {
        return None;
    }
    let mut updated = Vec::new();
    for ((change, up), catalog) in back.since(after, catalogs)?.zip(after.since(before, catalogs)?).zip(catalogs) {
        if !change.takes(up.written.inserted) {
            return None;
        }
        if change.written.updated != 0 || up.written.updated != 0 {
            updated.push(catalog);
        }
    }
    Some(updated)
}

/// Whether the second up, from `back` to `again`, has done to the same rows what the first has done, from `before` to `after`.
pub(super) fn is_the_same_again(
    catalogs: &[Catalog],
    (before, after): (&Tally, &Tally),
    (back, again): (&Tally, &Tally),
) -> bool {
    let (Some(first), Some(second)) = (after.since(before, catalogs), again.since(back, catalogs)) else {
        return false;
    };
    only_adds(catalogs, back, again)
        && first.map(|change| change.written).eq(second.map(|change| change.written))
        && after.new.rows == again.new.rows
        && after.new.expressions == again.new.expressions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two catalogs with keys, one without, and one that all databases share.
    fn catalogs() -> Vec<Catalog> {
        let catalog = |name: &str, key: Option<&str>, shared| Catalog {
            oid: 0,
            name: name.into(),
            shared,
            key: key.map(str::to_owned),
            expressions: Vec::new(),
        };
        vec![
            catalog("pg_class", Some("oid"), false),
            catalog("pg_attribute", Some("attrelid"), false),
            catalog("pg_unknown", None, false),
            catalog("pg_authid", None, true),
        ]
    }

    type Rows = [(i64, i64, i64); 4];

    fn tally(written: Rows, rows: [i64; 2]) -> Tally {
        let written = written.map(|(inserted, updated, deleted)| Written { inserted, updated, deleted }).to_vec();
        let counting = Counting { on: true, since: "2026".into() };
        Tally {
            counters: Counters { written, counting, next: 700 },
            new: New {
                rows: vec![Some(rows[0]), Some(rows[1]), None, None],
                expressions: "a".into(),
                top: 16_400,
                event_triggers: false,
                database: "1(0,1)".into(),
            },
        }
    }

    /// Before, after, back and again: a table with two columns, on counters that are not at zero.
    fn trip() -> [Tally; 4] {
        [
            tally([(9, 4, 3), (7, 5, 1), (2, 2, 2), (1, 1, 1)], [0, 0]),
            tally([(10, 4, 3), (9, 6, 1), (2, 2, 2), (1, 1, 1)], [1, 2]),
            tally([(10, 4, 4), (9, 7, 3), (2, 2, 2), (1, 1, 1)], [0, 0]),
            tally([(11, 4, 4), (11, 8, 3), (2, 2, 2), (1, 1, 1)], [1, 2]),
        ]
    }

    /// The catalogs in which none must be left, where the whole trip is proved.
    fn proof([before, after, back, again]: &[Tally; 4]) -> Option<Vec<String>> {
        let catalogs = catalogs();
        let updated = takes_it_back(&catalogs, (before, after, back))?;
        is_the_same_again(&catalogs, (before, after), (back, again))
            .then(|| updated.iter().map(|catalog| catalog.name.clone()).collect())
    }

    #[test]
    fn what_was_added_and_is_gone_is_proved_but_for_updates() {
        assert_eq!(proof(&trip()), Some(vec!["pg_attribute".to_owned()]));
        let nothing = tally([(9, 4, 3), (7, 5, 1), (2, 2, 2), (1, 1, 1)], [0, 0]);
        let nothing = [nothing.clone(), nothing.clone(), nothing.clone(), nothing];
        assert_eq!(proof(&nothing), Some(Vec::new()));
    }

    #[test]
    fn nothing_is_proved_where_one_equation_fails() {
        type Spoil = fn(&mut [Tally; 4]);
        let spoilt: &[(&str, Spoil)] = &[
            ("the up deletes a row, and all that follows adds up", |trip| {
                trip[1..].iter_mut().for_each(|tally| tally.counters.written[0].deleted += 1);
            }),
            ("the up inserts a row that cannot be told from older ones", |trip| {
                trip[1..].iter_mut().for_each(|tally| tally.counters.written[0].inserted += 1);
            }),
            ("and the down deletes as many", |trip| {
                trip[1..].iter_mut().for_each(|tally| tally.counters.written[0].inserted += 1);
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[0].deleted += 1);
            }),
            ("the same in a catalog without a key", |trip| {
                trip[1..].iter_mut().for_each(|tally| tally.counters.written[2].inserted += 1);
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[2].deleted += 1);
            }),
            ("the down deletes a row more", |trip| {
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[1].deleted += 1);
            }),
            ("the down deletes an older row in place of a new one", |trip| trip[2].new.rows[1] = Some(1)),
            ("the down inserts", |trip| {
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[0].inserted += 1);
            }),
            ("the down inserts and deletes", |trip| {
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[0].inserted += 1);
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[0].deleted += 1);
            }),
            ("the up changes what databases share", |trip| {
                trip[1..].iter_mut().for_each(|tally| tally.counters.written[3].updated += 1);
            }),
            ("the down changes it", |trip| {
                trip[2..].iter_mut().for_each(|tally| tally.counters.written[3].deleted += 1);
            }),
            ("the second up does less", |trip| {
                trip[3].counters.written[1].inserted -= 1;
                trip[3].new.rows[1] = Some(1);
            }),
            ("the second up updates more", |trip| trip[3].counters.written[0].updated += 1),
            ("the second up writes another expression", |trip| trip[3].new.expressions = "b".into()),
            ("there are new rows already", |trip| trip[0].new.rows[0] = Some(1)),
            ("the counters have been set to zero", |trip| trip[2].counters.counting.since = "2027".into()),
            ("the server does not count", |trip| {
                trip.iter_mut().for_each(|tally| tally.counters.counting.on = false);
            }),
            ("there are event triggers", |trip| trip[0].new.event_triggers = true),
            ("the database itself was changed", |trip| trip[1].new.database = "2(0,2)".into()),
            ("there are other catalogs", |trip| {
                trip[2].new.rows.pop();
            }),
        ];
        for (what, spoil) in spoilt {
            let mut trip = trip();
            spoil(&mut trip);
            assert_eq!(proof(&trip), None, "{what}");
        }
    }
}

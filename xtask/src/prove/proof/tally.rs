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
//! Then every catalog holds the very rows that it held. An up that runs no one's code makes the same of the same rows but for what depends
//! on the time, such as `DEFAULT 'now'::timestamptz`: that is in an expression, and the expressions are compared.
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
    /// The highest key that is in use.
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

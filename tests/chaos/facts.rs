//! What is in a database, read past the migrator.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::scenario::{Effect, MIGRATIONS, Migration, REPEATABLES, Unit};
use crate::server::{Row, Session};

/// A row of the event log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) action: String,
    pub(crate) version: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) statement: Option<i32>,
    pub(crate) outcome: String,
    pub(crate) detail: Option<String>,
    /// The transaction that wrote the row.
    pub(crate) xid: String,
}

/// What is in the database of a point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Version and transaction of each row of the state table, in the order of the versions.
    pub(crate) applied: Vec<(String, String)>,
    pub(crate) events: Vec<Event>,
    /// Marker and transaction of each row of the ledger.
    pub(crate) ledger: Vec<(String, String)>,
    /// The indexes that migrations make, by name: whether they are valid.
    pub(crate) indexes: BTreeMap<String, bool>,
}

/// What the events say about a unit of a `transaction:false` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorded {
    NotBegun,
    Open,
    Done,
}

impl Facts {
    /// Reads them in one snapshot.
    pub(crate) fn read(session: &Session) -> Facts {
        session.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        let there = |table: &str| session.value(&format!("SELECT to_regclass('{table}') IS NOT NULL")) == "t";
        let mut facts = Facts::default();
        if there("public.schema_migrations") {
            facts.applied =
                pairs(session.rows("SELECT version, xmin FROM public.schema_migrations ORDER BY version::bigint"));
        }
        if there("public.schema_migration_events") {
            let rows = session.rows(
                "SELECT action, version, name, statement, outcome, detail, xmin FROM public.schema_migration_events ORDER BY id",
            );
            facts.events = rows.into_iter().map(event).collect();
        }
        facts.ledger = pairs(session.rows("SELECT marker, txid::xid FROM chaos.ledger"));
        let indexes = session.rows(
            "SELECT c.relname, i.indisvalid AND i.indisready AND i.indislive FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
             WHERE c.relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)",
        );
        facts.indexes = pairs(indexes).into_iter().map(|(name, valid)| (name, valid == "t")).collect();
        session.rows("COMMIT");
        facts
    }

    pub(crate) fn is_applied(&self, version: &str) -> bool {
        self.applied.iter().any(|(applied, _)| applied == version)
    }

    /// The transactions that wrote this marker.
    pub(crate) fn marks(&self, marker: &str) -> Vec<&str> {
        self.ledger.iter().filter(|(written, _)| written == marker).map(|(_, xid)| &**xid).collect()
    }

    /// The events by which a repeatable was recorded.
    pub(crate) fn repeatable_events(&self, name: &str) -> Vec<&Event> {
        let matching = |event: &&Event| {
            event.action == "repeatable" && event.outcome == "done" && event.name.as_deref() == Some(name)
        };
        self.events.iter().filter(matching).collect()
    }

    /// The events by which a migration as a whole was recorded.
    pub(crate) fn migration_events(&self, version: &str) -> Vec<&Event> {
        self.events_of(version, None).filter(|event| event.action == "up" && event.outcome == "done").collect()
    }

    fn events_of(&self, version: &str, statement: Option<i32>) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.version.as_deref() == Some(version) && event.statement == statement)
    }

    /// The events that say that a unit is done.
    pub(crate) fn done_events(&self, version: &str, unit: &Unit) -> Vec<&Event> {
        let says_done = |event: &&Event| match &*event.action {
            "up" => event.outcome == "done",
            _ => event.detail.as_deref() == Some("applied"),
        };
        self.events_of(version, Some(unit.statement)).filter(says_done).collect()
    }

    pub(crate) fn recorded(&self, version: &str, unit: &Unit) -> Recorded {
        if !self.done_events(version, unit).is_empty() {
            Recorded::Done
        } else if self.events_of(version, Some(unit.statement)).next().is_some() {
            Recorded::Open
        } else {
            Recorded::NotBegun
        }
    }

    /// Whether the part is in the database, whatever the events say.
    pub(crate) fn is_there(&self, effect: Effect) -> bool {
        match effect {
            Effect::Ledger(marker) => !self.marks(marker).is_empty(),
            Effect::Index(name) => self.indexes.get(name) == Some(&true),
            Effect::NoIndex(name) => !self.indexes.contains_key(name),
        }
    }

    /// The migration that was begun and not finished, and the statement whose end is not recorded.
    pub(crate) fn half_done(&self) -> Option<(&'static Migration, Option<i32>)> {
        let begun = |migration: &&Migration| {
            migration.units.iter().any(|unit| self.recorded(migration.version, unit) != Recorded::NotBegun)
        };
        let migration = MIGRATIONS.iter().filter(|migration| !self.is_applied(migration.version)).find(begun)?;
        let open = migration.units.iter().find(|unit| self.recorded(migration.version, unit) == Recorded::Open);
        Some((migration, open.map(|unit| unit.statement)))
    }

    /// Whether everything has been recorded.
    pub(crate) fn is_complete(&self) -> bool {
        MIGRATIONS.iter().all(|migration| self.is_applied(migration.version))
            && REPEATABLES.iter().all(|(name, _)| !self.repeatable_events(name).is_empty())
    }
}

fn pairs(rows: Vec<Row>) -> Vec<(String, String)> {
    let pair = |row: Row| {
        let mut columns = row.into_iter().map(Option::unwrap_or_default);
        (columns.next().unwrap_or_default(), columns.next().unwrap_or_default())
    };
    rows.into_iter().map(pair).collect()
}

fn event(row: Row) -> Event {
    let mut columns = row.into_iter();
    let mut next = || columns.next().flatten();
    Event {
        action: next().unwrap_or_default(),
        version: next(),
        name: next(),
        statement: next().and_then(|number| number.parse().ok()),
        outcome: next().unwrap_or_default(),
        detail: next(),
        xid: next().unwrap_or_default(),
    }
}

/// Every object of the user's schemas, one line each: what a dump of the schema would show.
pub(crate) fn schema(session: &Session) -> String {
    let users = "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'";
    let sql = format!(
        "SELECT format('relation %I.%I %s %s rls=%s', n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity) AS line \
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {users} \
         UNION ALL SELECT format('column %I.%I %s %I %s null=%s default=%s', n.nspname, c.relname, a.attnum, a.attname, \
             format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) \
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
           LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND {users} \
         UNION ALL SELECT format('constraint %I.%s %s', n.nspname, o.conname, pg_get_constraintdef(o.oid)) \
           FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace WHERE {users} \
         UNION ALL SELECT format('index %s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid AND i.indisready) \
           FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {users} \
         UNION ALL SELECT format('view %I.%I %s', n.nspname, c.relname, pg_get_viewdef(c.oid)) \
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND {users} \
         UNION ALL SELECT format('function %s', pg_get_functiondef(p.oid)) \
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind IN ('f', 'p') AND {users} \
         UNION ALL SELECT format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled) \
           FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND {users} \
         UNION ALL SELECT format('policy %I on %I.%I using %s', p.polname, n.nspname, c.relname, pg_get_expr(p.polqual, p.polrelid)) \
           FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {users} \
         UNION ALL SELECT format('label %I.%I %s %L', n.nspname, t.typname, e.enumsortorder, e.enumlabel) \
           FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {users} \
         ORDER BY 1"
    );
    let line = |row: Row| row.into_iter().flatten().collect::<String>() + "\n";
    session.rows(&sql).into_iter().map(line).collect()
}

/// How long the server is given to notice that a client is gone.
const NOTICED: Duration = Duration::from_secs(60);

/// Waits until nobody else is in the database, and returns who is still there after a generous time.
pub(crate) fn wait_for_quiet(session: &Session) -> Vec<String> {
    let others = "SELECT format('%s %s %s: %s', pid, application_name, state, query) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let begun = Instant::now();
    loop {
        let rows = session.rows(others);
        if rows.is_empty() || begun.elapsed() > NOTICED {
            return rows.into_iter().map(|row| row.into_iter().flatten().collect()).collect();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What must never be left behind: advisory locks and prepared transactions.
pub(crate) fn left_behind(session: &Session) -> Vec<String> {
    let rows = session.rows(
        "SELECT format('advisory lock of process %s', pid) FROM pg_locks WHERE locktype = 'advisory' \
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         UNION ALL SELECT format('prepared transaction %s', gid) FROM pg_prepared_xacts WHERE database = current_database()",
    );
    rows.into_iter().map(|row| row.into_iter().flatten().collect()).collect()
}

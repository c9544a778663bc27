//! What is in a database, read past the migrator.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::scenario::{Effect, MIGRATIONS, Migration, REPEATABLES, SEED, Unit, Way};
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

impl Event {
    /// A migration as a whole went that way; `stamp` and `adopt`: it counts as up, although nothing was run.
    fn ends(&self) -> Option<Way> {
        match &*self.action {
            _ if self.outcome != "done" || self.statement.is_some() || self.version.is_none() => None,
            "up" | "stamp" | "adopt" => Some(Way::Up),
            "down" => Some(Way::Down),
            _ => None,
        }
    }

    /// It says that a statement of a `transaction:false` block is done.
    fn says_done(&self) -> bool {
        match &*self.action {
            "resolve" => self.detail.as_deref() == Some("applied"),
            _ => self.outcome == "done",
        }
    }
}

/// One way of one migration, from its first statement to its end.
#[derive(Debug, Clone)]
pub(crate) struct Cycle<'a> {
    /// The way of its events; up, if only a stamp ends it.
    pub(crate) way: Way,
    /// What was recorded of its statements.
    statements: Vec<&'a Event>,
    /// The event of the migration as a whole.
    pub(crate) end: Option<&'a Event>,
}

impl<'a> Cycle<'a> {
    /// Whether anything of it was run: neither a stamp nor an adoption runs anything.
    pub(crate) fn is_run(&self) -> bool {
        self.end.is_none_or(|end| !matches!(&*end.action, "stamp" | "adopt"))
    }

    /// The events that say that a unit is done.
    pub(crate) fn done_events(&self, unit: &Unit) -> Vec<&'a Event> {
        let of_unit = |event: &&&Event| event.statement == Some(unit.statement) && event.says_done();
        self.statements.iter().filter(of_unit).copied().collect()
    }

    pub(crate) fn recorded(&self, unit: &Unit) -> Recorded {
        if !self.done_events(unit).is_empty() {
            Recorded::Done
        } else if self.statements.iter().any(|event| event.statement == Some(unit.statement)) {
            Recorded::Open
        } else {
            Recorded::NotBegun
        }
    }
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
             WHERE c.relnamespace = 'public'::regnamespace AND i.indrelid IS DISTINCT FROM to_regclass('public.schema_migration_events') \
             AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)",
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

    /// The events by which a migration as a whole was recorded, and which way it went.
    pub(crate) fn ends(&self, version: &str) -> Vec<(Way, &Event)> {
        let of_version = self.events.iter().filter(|event| event.version.as_deref() == Some(version));
        of_version.filter_map(|event| Some((event.ends()?, event))).collect()
    }

    /// Those of that way, without stamps.
    pub(crate) fn went(&self, version: &str, way: Way) -> Vec<&Event> {
        let events = self.ends(version).into_iter().map(|(_, event)| event);
        events.filter(|event| event.action == way.word()).collect()
    }

    /// The events by which a seed was recorded.
    pub(crate) fn seed_events(&self) -> Vec<&Event> {
        let is_seed = |event: &&Event| event.action == "seed" && event.outcome == "done";
        self.events.iter().filter(is_seed).filter(|event| event.name.as_deref() == Some(SEED)).collect()
    }

    /// The decisions of a person.
    pub(crate) fn decisions(&self) -> Vec<&Event> {
        self.events.iter().filter(|event| event.action == "resolve").collect()
    }

    /// The ways that a migration has gone, one after the other; the last one may not have ended.
    pub(crate) fn cycles(&self, version: &str) -> Vec<Cycle<'_>> {
        let mut cycles = Vec::new();
        let fresh = || Cycle { way: Way::Up, statements: Vec::new(), end: None };
        let mut cycle = fresh();
        for event in self.events.iter().filter(|event| event.version.as_deref() == Some(version)) {
            if event.statement.is_some() {
                if event.action == "down" {
                    cycle.way = Way::Down;
                }
                cycle.statements.push(event);
            } else if let Some(way) = event.ends() {
                let statements = std::mem::take(&mut cycle.statements);
                cycles.push(Cycle { way, statements, end: Some(event) });
                cycle = fresh();
            }
        }
        if !cycle.statements.is_empty() {
            cycles.push(cycle);
        }
        cycles
    }

    /// Whether a unit's effect is in the database more often than the events say: of one whose end is not recorded.
    pub(crate) fn is_there(&self, version: &str, way: Way, unit: &Unit) -> bool {
        match unit.effect {
            Effect::Ledger(marker) => {
                let cycles = self.cycles(version);
                let cycles = cycles.iter().filter(|cycle| cycle.way == way);
                self.marks(marker).len() > cycles.map(|cycle| cycle.done_events(unit).len()).sum()
            }
            Effect::Index(name) => self.indexes.get(name) == Some(&true),
            Effect::NoIndex(name) => !self.indexes.contains_key(name),
        }
    }

    /// The migration that was begun and not finished, which way, and the statement whose end is not recorded.
    pub(crate) fn half_done(&self) -> Option<(&'static Migration, Way, Option<i32>)> {
        MIGRATIONS.iter().find_map(|migration| {
            let cycle = self.cycles(migration.version).pop().filter(|cycle| cycle.end.is_none())?;
            let mut units = migration.units(cycle.way).iter();
            let open = units.find(|unit| cycle.recorded(unit) == Recorded::Open);
            Some((migration, cycle.way, open.map(|unit| unit.statement)))
        })
    }

    /// Whether the first so many migrations are recorded, and nothing else, nor half of anything.
    pub(crate) fn has_rows(&self, first: usize) -> bool {
        let recorded = self.applied.iter().map(|(version, _)| &**version);
        recorded.eq(MIGRATIONS[..first].iter().map(|migration| migration.version)) && self.half_done().is_none()
    }

    /// Whether everything is recorded, each repeatable after the last migration.
    pub(crate) fn is_complete(&self) -> bool {
        let mut repeatables = REPEATABLES.iter();
        self.has_rows(MIGRATIONS.len()) && repeatables.all(|(name, _)| self.is_current(name))
    }

    /// Whether a repeatable was recorded after the last migration.
    pub(crate) fn is_current(&self, name: &str) -> bool {
        let last = self.events.iter().rposition(|event| matches!(&*event.action, "up" | "down" | "stamp" | "adopt"));
        let mut since = self.events[last.map_or(0, |last| last + 1)..].iter();
        since
            .any(|event| event.action == "repeatable" && event.outcome == "done" && event.name.as_deref() == Some(name))
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
         UNION ALL SELECT format('column %I.%I %s %I %s null=%s default=%s', n.nspname, c.relname, \
             row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname, \
             format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) \
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
           LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped AND {users} \
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

//! Looks at the catalogs and the locks: what was there, what is held on it now, what has happened to it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryRow};

use super::{Effect, Mode};
use crate::connect::rows;
use crate::sql::{Tables, literal};

/// What the server calls a relation whatever its name.
pub(super) type Oid = u32;

/// What has been proved about the rows of relations, by their names.
pub(super) type Validated = BTreeMap<Oid, Vec<String>>;

/// A relation that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    name: String,
    /// Whether it is an index: nobody asks for it by itself.
    index: bool,
    file: Option<String>,
    /// How often it was read as a whole; an index is not read, but used.
    scans: u64,
    lock: Option<Mode>,
    dropped: bool,
}

/// What is true at one moment: relations by oid, and what is proved about their rows.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    relations: BTreeMap<Oid, Relation>,
    /// Constraints and columns, each by its relation and a key.
    proved: BTreeSet<(Oid, String)>,
}

/// Everything that every row of a table is known to satisfy: its relation, a key that survives renaming, its name.
/// Release 18 has a constraint for each NOT NULL, which can be not valid.
const PROVED: &str = "SELECT conrelid::text AS oid, 'constraint ' || oid AS key, CASE WHEN contype = 'n' THEN 'NOT NULL of ' || \
     (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) ELSE conname END AS name \
     FROM pg_catalog.pg_constraint WHERE contype IN ('c', 'f', 'n') AND convalidated AND conrelid >= 16384 {constraints} \
     UNION ALL SELECT attrelid::text, 'column ' || attnum, 'NOT NULL of ' || attname FROM pg_catalog.pg_attribute \
     WHERE attnotnull AND attnum > 0 AND NOT attisdropped AND attrelid >= 16384 \
     AND pg_catalog.current_setting('server_version_num')::int < 180000 {columns}";

impl State {
    /// The relations that are there, without those of the server and of the history.
    pub(super) async fn read(client: &Client, tables: &Tables) -> Result<State, tokio_postgres::Error> {
        let statement = format!(
            "SELECT c.oid::text AS oid, c.oid::pg_catalog.regclass::text AS name, \
             CASE WHEN c.relkind <> 'S' THEN pg_catalog.pg_relation_filenode(c.oid)::text END AS file, c.relkind IN ('i', 'I') AS index, \
             CASE WHEN c.relkind NOT IN ('i', 'I') THEN pg_catalog.pg_stat_get_xact_numscans(c.oid) END::text AS scans FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I', 'v', 'f', 'S') \
             AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
             AND c.oid NOT IN ({}::pg_catalog.regclass, {}::pg_catalog.regclass)",
            literal(&tables.state),
            literal(&tables.events)
        );
        let relation = |row: &SimpleQueryRow| {
            let (name, index) = (text(row, "name"), row.get("index") == Some("t"));
            let file = row.get("file").map(str::to_owned);
            (oid(row), Relation { name, index, file, scans: scans(row), lock: None, dropped: false })
        };
        let relations = rows(client.simple_query(&statement).await?).iter().map(relation).collect();
        let proved = PROVED.replace("{constraints}", "").replace("{columns}", "");
        let proved = rows(client.simple_query(&proved).await?);
        let proved = proved.iter().map(|row| (oid(row), text(row, "key"))).collect();
        Ok(State { relations, proved })
    }

    /// Without what was not there at an earlier moment.
    pub(super) fn only(mut self, there: &State) -> State {
        self.relations.retain(|oid, _| there.relations.contains_key(oid));
        self
    }

    /// The relations of `before` as they are now, and the locks that this very session holds on them; with what each statement since
    /// `before` has proved about their rows.
    pub(super) async fn locked(before: &State, client: &Client) -> Result<(State, Validated), tokio_postgres::Error> {
        const HELD: &str = "SELECT relation FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted";
        let statement = "SELECT l.relation::text AS oid, pg_catalog.string_agg(DISTINCT l.mode, ' ') AS modes, \
             max(CASE WHEN c.relkind <> 'S' THEN pg_catalog.pg_relation_filenode(l.relation)::text END) AS file, count(c.oid)::text AS there, \
             max(CASE WHEN c.relkind NOT IN ('i', 'I') THEN pg_catalog.pg_stat_get_xact_numscans(l.relation) END)::text AS scans \
             FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation \
             WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted GROUP BY l.relation";
        let mut now = before.clone();
        for row in rows(client.simple_query(statement).await?) {
            let Some(relation) = now.relations.get_mut(&oid(&row)) else { continue };
            relation.lock = Mode::strongest(row.get("modes").unwrap_or_default());
            relation.scans = scans(&row);
            relation.dropped = row.get("there") == Some("0");
            if let Some(file) = row.get("file") {
                relation.file = Some(file.to_owned());
            }
        }
        now.find_replaced(before, client).await?;
        let mut validated = Validated::new();
        let of_locked = |column: &str| format!("AND {column} IN ({HELD})");
        let proved =
            PROVED.replace("{constraints}", &of_locked("conrelid")).replace("{columns}", &of_locked("attrelid"));
        for row in rows(client.simple_query(&proved).await?) {
            let (oid, key) = (oid(&row), text(&row, "key"));
            if now.proved.insert((oid, key)) {
                validated.entry(oid).or_default().push(text(&row, "name"));
            }
        }
        Ok((now, validated))
    }

    /// The locks of another session on these relations, added to what `seen` knows of it.
    pub(super) async fn watch(
        &self,
        client: &Client,
        pid: i32,
        seen: &mut BTreeMap<Oid, Mode>,
    ) -> Result<(), tokio_postgres::Error> {
        let statement = format!(
            "SELECT relation::text AS oid, pg_catalog.string_agg(DISTINCT mode, ' ') AS modes FROM pg_catalog.pg_locks \
             WHERE pid = {pid} AND locktype = 'relation' AND granted GROUP BY relation"
        );
        for row in rows(client.simple_query(&statement).await?) {
            let oid = oid(&row);
            let Some(mode) = Mode::strongest(row.get("modes").unwrap_or_default()) else { continue };
            if self.relations.contains_key(&oid) {
                let strongest = seen.entry(oid).or_insert(mode);
                *strongest = mode.max(*strongest);
            }
        }
        Ok(())
    }

    /// A dropped relation whose name is there again was built anew: `ALTER COLUMN TYPE` does so with indexes.
    async fn find_replaced(&mut self, before: &State, client: &Client) -> Result<(), tokio_postgres::Error> {
        let dropped = |(oid, relation): &(&Oid, &mut Relation)| {
            relation.dropped && before.relations.get(oid).is_some_and(|before| !before.dropped)
        };
        for (_, relation) in self.relations.iter_mut().filter(dropped) {
            let statement = format!("SELECT pg_catalog.to_regclass({})::text AS name", literal(&relation.name));
            let found = rows(client.simple_query(&statement).await?);
            if found.first().is_some_and(|row| row.get("name").is_some()) {
                relation.dropped = false;
                relation.file = None;
            }
        }
        Ok(())
    }

    /// Every relation that something has happened to between two moments of one transaction.
    pub(super) fn effects(&self, now: &State, validated: &Validated) -> Vec<Effect> {
        let effect = |(oid, after): (&Oid, &Relation)| {
            let before = self.relations.get(oid)?;
            let lock = after.lock?;
            let scanned = after.scans > before.scans;
            // A column that is new and NOT NULL is proved by nothing that takes time.
            let validated = validated.get(oid).filter(|_| scanned).cloned().unwrap_or_default();
            (before != after).then(|| Effect {
                relation: before.name.clone(),
                lock,
                taken: before.lock < after.lock,
                rewritten: before.file != after.file,
                scanned,
                validated,
                dropped: after.dropped && !before.dropped,
            })
        };
        now.relations.iter().filter_map(effect).collect()
    }

    /// The same of a statement that was looked at from outside: `seen` are the locks, `now` is how it left the database.
    pub(super) fn effects_seen(&self, now: &State, seen: &BTreeMap<Oid, Mode>, concurrent: bool) -> Vec<Effect> {
        let effect = |(oid, before): (&Oid, &Relation)| {
            // One that has taken the place of another under its name is the other, built anew.
            let replaced = || now.has(&before.name);
            let rewritten = now.relations.get(oid).map_or_else(replaced, |after| after.file != before.file);
            let dropped = !rewritten && !now.relations.contains_key(oid);
            // Nothing is written anew or dropped without this lock; the eye was too slow for it.
            let needed = (rewritten || dropped).then_some(Mode::AccessExclusive);
            let mut lock = seen.get(oid).copied().max(needed)?;
            if concurrent && before.index {
                // It is invalid before anybody could have to wait for it.
                lock = lock.min(Mode::ShareUpdateExclusive);
            }
            let relation = before.name.clone();
            Some(Effect { relation, lock, taken: true, rewritten, scanned: false, validated: Vec::new(), dropped })
        };
        self.relations.iter().filter_map(effect).collect()
    }

    /// Whether a relation of that name was there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.relations.values().any(|relation| relation.name == name)
    }

    /// The name that the server shows for a relation as it is written in a statement; itself, if there is none.
    pub(super) async fn name_of(client: &Client, written: &str) -> Result<String, tokio_postgres::Error> {
        let statement = format!("SELECT pg_catalog.to_regclass({})::text AS name", literal(written));
        let found = rows(client.simple_query(&statement).await?);
        Ok(found.first().and_then(|row| row.get("name")).unwrap_or(written).to_owned())
    }

    /// The table of an index as it is written in a statement.
    pub(super) async fn table_of(client: &Client, index: &str) -> Result<String, tokio_postgres::Error> {
        let statement = format!(
            "SELECT indrelid::pg_catalog.regclass::text AS name FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass({})",
            literal(index)
        );
        let found = rows(client.simple_query(&statement).await?);
        Ok(found.first().and_then(|row| row.get("name")).map_or_else(|| format!("the table of {index}"), str::to_owned))
    }
}

fn oid(row: &SimpleQueryRow) -> Oid {
    row.get("oid").and_then(|oid| oid.parse().ok()).unwrap_or(0)
}

fn text(row: &SimpleQueryRow, column: &str) -> String {
    row.get(column).unwrap_or_default().to_owned()
}

fn scans(row: &SimpleQueryRow) -> u64 {
    row.get("scans").and_then(|scans| scans.parse().ok()).unwrap_or(0)
}

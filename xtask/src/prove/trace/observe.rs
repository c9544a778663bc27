//! Looks at the catalogs and the locks: what was there, what is held on it now, what has happened to it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryRow};

use super::effect::strongest;
use migrator_engine::client::{Tables, literal, ours, rows};
use migrator_engine::locks::Effect;
use migrator_sql::LockMode;

/// What the server calls a relation whatever its name.
pub(super) type Oid = u32;

/// When something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// In the open transaction of a migration, whose search path is put back.
    Inside,
    /// Between two transactions.
    Between,
}

/// The rows of a question of ours, in which the migration's search path and that of the role decide nothing.
async fn ask(client: &Client, moment: Moment, question: &str) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    let safe = ours(question);
    let message = match moment {
        Moment::Inside => format!(
            "SAVEPOINT migrator_look; {safe}; ROLLBACK TO SAVEPOINT migrator_look; RELEASE SAVEPOINT migrator_look"
        ),
        Moment::Between => safe,
    };
    Ok(rows(client.simple_query(&message).await?))
}

/// A relation that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    name: String,
    /// The table of an index: no one asks for an index by itself.
    table: Option<Oid>,
    file: Option<String>,
    /// How often it was read as a whole; an index is not read, but used.
    scans: u64,
    lock: Option<LockMode>,
    /// There is nothing of that oid any more.
    gone: bool,
}

/// The relations that are there, by oid, and what is proved about their rows. Kept up to date from transaction to
/// transaction by looking at what each has locked: reading everything anew would take longer than most migrations.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    relations: BTreeMap<Oid, Relation>,
    /// Constraints and columns, each by its relation and a key.
    proved: BTreeSet<(Oid, String)>,
    /// The names of the schemas: renaming one renames relations that no one has locked.
    schemas: String,
    /// Something has run since whose reading was not counted here.
    uncounted: bool,
}

/// Everything that every row of a table is known to satisfy: its relation, a key that survives renaming, its name.
/// Release 18 has a constraint for each NOT NULL, which can be not valid.
const PROVED: &str = "SELECT conrelid::text AS oid, 'constraint ' || oid AS key, CASE WHEN contype = 'n' THEN 'NOT NULL of ' || \
     (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) ELSE conname END AS name \
     FROM pg_catalog.pg_constraint WHERE contype IN ('c', 'f', 'n') AND convalidated AND conrelid >= 16384 {constraints} \
     UNION ALL SELECT attrelid::text, 'column ' || attnum, 'NOT NULL of ' || attname FROM pg_catalog.pg_attribute \
     WHERE attnotnull AND attnum > 0 AND NOT attisdropped AND attrelid >= 16384 \
     AND pg_catalog.current_setting('server_version_num')::int < 180000 {columns}";

/// The relations of people: not those of the server. A sequence has a file, but what is written there is no table.
const RELATIONS: &str = "SELECT c.oid::text AS oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, \
     CASE WHEN c.relkind <> 'S' THEN pg_catalog.pg_relation_filenode(c.oid)::text END AS file, \
     CASE WHEN c.relkind IN ('r', 'p', 'm') THEN pg_catalog.pg_stat_get_xact_numscans(c.oid)::text END AS scans, \
     i.indrelid::text AS table FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
     WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I', 'v', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The oids that this session has locked.
const HELD: &str = "SELECT relation FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted";

const SCHEMAS: &str =
    "SELECT pg_catalog.string_agg(oid || ' ' || nspname, ' ' ORDER BY oid) AS schemas FROM pg_catalog.pg_namespace";

impl State {
    /// The relations that are there, without those of the server and of the history.
    pub(super) async fn read(client: &Client, moment: Moment, tables: &Tables) -> Result<State, tokio_postgres::Error> {
        let mut state = State::default();
        state.add(client, moment, tables, ("", &proved(false))).await?;
        state.schemas = State::schemas(client, moment).await?;
        Ok(state)
    }

    /// Adds the relations that the condition lets through, and what is proved.
    async fn add(
        &mut self,
        client: &Client,
        moment: Moment,
        tables: &Tables,
        (relations, proved): (&str, &str),
    ) -> Result<(), tokio_postgres::Error> {
        let history = format!(
            "AND c.oid NOT IN ({}::pg_catalog.regclass, {}::pg_catalog.regclass)",
            literal(&tables.state),
            literal(&tables.events)
        );
        for row in ask(client, moment, &format!("{RELATIONS} {history} {relations}")).await? {
            let (name, file) = (text(&row, "name"), row.get("file").map(str::to_owned));
            let table = row.get("table").and_then(|table| table.parse().ok());
            let scans = scans(&row);
            self.relations.insert(oid(&row), Relation { name, table, file, scans, lock: None, gone: false });
        }
        let proved = ask(client, moment, proved).await?;
        self.proved.extend(proved.iter().map(|row| (oid(row), text(row, "key"))));
        Ok(())
    }

    async fn schemas(client: &Client, moment: Moment) -> Result<String, tokio_postgres::Error> {
        Ok(ask(client, moment, SCHEMAS).await?.first().map(|row| text(row, "schemas")).unwrap_or_default())
    }

    /// A transaction has begun: nothing is locked, and how often the server says that a relation was read counts from here.
    pub(super) async fn begin(&mut self, client: &Client, tables: &Tables) -> Result<(), tokio_postgres::Error> {
        if State::schemas(client, Moment::Inside).await? != self.schemas {
            let now = State::read(client, Moment::Inside, tables).await?.only(self);
            *self = State { uncounted: self.uncounted, ..now };
        }
        // What earlier transactions of this session have read is in there until the server takes it away, at any moment
        // between two transactions.
        let read = self.relations.iter().filter(|(_, relation)| relation.scans > 0).map(|(oid, _)| oid.to_string());
        let read = match self.uncounted {
            true => None,
            // Asking for all would take as long as there are relations, before each migration.
            false => Some(read.collect::<Vec<_>>().join(", ")),
        };
        for relation in self.relations.values_mut() {
            (relation.scans, relation.lock) = (0, None);
        }
        let which = match read.as_deref() {
            None => "oid >= 16384".to_owned(),
            Some("") => return Ok(()),
            Some(oids) => format!("oid IN ({oids})"),
        };
        let counted = format!(
            "SELECT oid::text AS oid, pg_catalog.pg_stat_get_xact_numscans(oid)::text AS scans FROM pg_catalog.pg_class \
             WHERE {which} AND relkind IN ('r', 'p', 'm') AND pg_catalog.pg_stat_get_xact_numscans(oid) > 0"
        );
        for row in ask(client, Moment::Inside, &counted).await? {
            if let Some(relation) = self.relations.get_mut(&oid(&row)) {
                relation.scans = scans(&row);
            }
        }
        Ok(())
    }

    /// Statements are about to run after which no one looks: what they read is not known until everything is read anew.
    pub(super) fn lose_count(&mut self) {
        self.uncounted = true;
    }

    /// A statement has run in the open transaction: what it has done to the relations that are known.
    pub(super) async fn look(&mut self, client: &Client) -> Result<Vec<Effect>, tokio_postgres::Error> {
        let statement = "SELECT l.relation::text AS oid, pg_catalog.string_agg(DISTINCT l.mode, ' ') AS modes, \
             pg_catalog.max(CASE WHEN c.relkind <> 'S' THEN pg_catalog.pg_relation_filenode(l.relation)::text END) AS file, \
             pg_catalog.count(c.oid)::text AS there, \
             pg_catalog.max(CASE WHEN c.relkind NOT IN ('i', 'I') THEN pg_catalog.pg_stat_get_xact_numscans(l.relation) END)::text AS scans \
             FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation \
             WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted GROUP BY l.relation ORDER BY l.relation";
        let mut changed = Vec::new();
        for row in ask(client, Moment::Inside, statement).await? {
            let (oid, lock) = (oid(&row), strongest(row.get("modes").unwrap_or_default()));
            let (Some(before), Some(lock)) = (self.relations.get(&oid), lock) else { continue };
            let mut after = Relation { lock: Some(lock), scans: scans(&row), ..before.clone() };
            after.gone = row.get("there") == Some("0");
            if let Some(file) = row.get("file") {
                after.file = Some(file.to_owned());
            }
            // `ALTER COLUMN TYPE` makes indexes anew, sometimes of the same file.
            let mut dropped = after.gone && !before.gone;
            if let Some(table) = before.table.filter(|_| dropped)
                && let Some(file) = file_of_index(client, &before.name, table).await?
            {
                (dropped, after.file) = (false, Some(file));
            }
            if after != *before {
                changed.push((oid, before.clone(), lock, dropped));
                self.relations.insert(oid, after);
            }
        }
        let proves = changed.iter().any(|(_, _, lock, _)| *lock >= LockMode::ShareUpdateExclusive);
        let mut validated = if proves { self.prove(client).await? } else { BTreeMap::new() };
        let effect = |(oid, before, lock, dropped): (Oid, Relation, LockMode, bool)| {
            let after = self.relations.get(&oid)?;
            let scanned = after.scans > before.scans;
            // A column that is new and NOT NULL is proved by nothing that takes time.
            let validated = validated.remove(&oid).filter(|_| scanned).unwrap_or_default();
            let (taken, rewritten) = (before.lock < after.lock, before.file != after.file);
            let mut effect = Effect::lock(before.name, lock);
            (effect.index, effect.taken, effect.rewritten) = (before.table.is_some(), taken, rewritten);
            (effect.scanned, effect.validated, effect.dropped) = (scanned, validated, dropped);
            Some(effect)
        };
        Ok(changed.into_iter().filter_map(effect).collect())
    }

    /// What has been proved since the last time about what is locked, by relation.
    async fn prove(&mut self, client: &Client) -> Result<BTreeMap<Oid, Vec<String>>, tokio_postgres::Error> {
        let mut new: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
        for row in ask(client, Moment::Inside, &proved(true)).await? {
            if self.proved.insert((oid(&row), text(&row, "key"))) {
                new.entry(oid(&row)).or_default().push(text(&row, "name"));
            }
        }
        Ok(new)
    }

    /// The open transaction is about to end: what it has locked is known from here on as it is now, also what is new.
    pub(super) async fn end(&mut self, client: &Client, tables: &Tables) -> Result<(), tokio_postgres::Error> {
        self.relations.retain(|_, relation| !relation.gone);
        // Indexes move to another schema with their table without being locked.
        let relations = format!(
            "AND c.oid = ANY (ARRAY({HELD} UNION SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = ANY (ARRAY({HELD}))))"
        );
        self.add(client, Moment::Inside, tables, (&relations, &proved(true))).await
    }

    /// The locks of another session on these relations, added to what `seen` knows of it.
    pub(super) async fn watch(
        &self,
        client: &Client,
        pid: i32,
        seen: &mut BTreeMap<Oid, LockMode>,
    ) -> Result<(), tokio_postgres::Error> {
        let statement = format!(
            "SELECT relation::text AS oid, pg_catalog.string_agg(DISTINCT mode, ' ') AS modes FROM pg_catalog.pg_locks \
             WHERE pid = {pid} AND locktype = 'relation' AND granted GROUP BY relation"
        );
        for row in ask(client, Moment::Between, &statement).await? {
            let oid = oid(&row);
            let Some(mode) = strongest(row.get("modes").unwrap_or_default()) else { continue };
            if self.relations.contains_key(&oid) {
                let strongest = seen.entry(oid).or_insert(mode);
                *strongest = mode.max(*strongest);
            }
        }
        Ok(())
    }

    /// What a statement has done that was looked at from outside: `seen` are its locks, `now` is how it left the database.
    pub(super) fn effects_seen(&self, now: &State, seen: &BTreeMap<Oid, LockMode>, concurrent: bool) -> Vec<Effect> {
        let effect = |(oid, before): (&Oid, &Relation)| {
            // One that has taken the place of another under its name is the other, built anew.
            let replaced = || now.has(&before.name);
            let rewritten = now.relations.get(oid).map_or_else(replaced, |after| after.file != before.file);
            let dropped = !rewritten && !now.relations.contains_key(oid);
            // Nothing is written anew or dropped without this lock; the eye was too slow for it.
            let needed = (rewritten || dropped).then_some(LockMode::AccessExclusive);
            let mut lock = seen.get(oid).copied().max(needed)?;
            if concurrent && before.table.is_some() {
                // It is invalid before anyone could have to wait for it.
                lock = lock.min(LockMode::ShareUpdateExclusive);
            }
            let mut effect = Effect::lock(before.name.clone(), lock);
            (effect.index, effect.rewritten, effect.dropped) = (before.table.is_some(), rewritten, dropped);
            Some(effect)
        };
        self.relations.iter().filter_map(effect).collect()
    }

    /// Without what an earlier moment did not know.
    pub(super) fn only(mut self, there: &State) -> State {
        self.relations.retain(|oid, _| there.relations.contains_key(oid));
        self
    }

    /// What is there.
    pub(super) fn oids(&self) -> BTreeSet<Oid> {
        self.relations.keys().copied().collect()
    }

    /// The names of those of them that are there.
    pub(super) fn names(&self, of: &BTreeSet<Oid>) -> BTreeSet<String> {
        of.iter().filter_map(|oid| self.relations.get(oid)).map(|relation| relation.name.clone()).collect()
    }

    /// Whether a relation of that name was there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.relations.values().any(|relation| relation.name == name)
    }

    /// Whether an index of that name was there.
    pub(super) fn has_index(&self, name: &str) -> bool {
        self.relations.values().any(|relation| relation.name == name && relation.table.is_some())
    }

    /// The qualified name of a relation as it is written in a statement; as it is written, if there is none.
    pub(super) async fn name_of(client: &Client, written: &str) -> Result<String, tokio_postgres::Error> {
        let found = qualified(client, written, "{oid}").await?;
        Ok(found.unwrap_or_else(|| written.to_owned()))
    }

    /// The table of an index as it is written in a statement.
    pub(super) async fn table_of(client: &Client, index: &str) -> Result<String, tokio_postgres::Error> {
        let found =
            qualified(client, index, "(SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {oid})").await?;
        Ok(found.unwrap_or_else(|| format!("the table of {index}")))
    }
}

/// The question for what is proved, of everything or of what is locked.
fn proved(held: bool) -> String {
    let of = |column: &str| if held { format!("AND {column} = ANY (ARRAY({HELD}))") } else { String::new() };
    PROVED.replace("{constraints}", &of("conrelid")).replace("{columns}", &of("attrelid"))
}

/// The name of a relation whose oid is that of another one as it is written, or follows from it. What is written means what it means under
/// the migration's search path.
async fn qualified(client: &Client, written: &str, which: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let means = format!("SELECT pg_catalog.to_regclass({})::pg_catalog.oid AS oid", literal(written));
    let found = rows(client.simple_query(&means).await?);
    let Some(oid) = found.first().and_then(|row| row.get("oid")) else { return Ok(None) };
    let statement = format!(
        "SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {}",
        which.replace("{oid}", oid)
    );
    let found = ask(client, Moment::Between, &statement).await?;
    Ok(found.first().and_then(|row| row.get("name")).map(str::to_owned))
}

/// The file of the index of that name, if the table has one. By the catalogs alone: the migration's role need not be able to use the
/// schema.
async fn file_of_index(client: &Client, name: &str, table: Oid) -> Result<Option<String>, tokio_postgres::Error> {
    let statement = format!(
        "SELECT pg_catalog.pg_relation_filenode(c.oid)::text AS file FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE i.indrelid = {table} AND pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) = {}",
        literal(name)
    );
    let found = ask(client, Moment::Inside, &statement).await?;
    Ok(found.first().and_then(|row| row.get("file")).map(str::to_owned))
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

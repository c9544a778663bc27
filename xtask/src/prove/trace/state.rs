//! What was there before a migration, and what the open transaction does to it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, Error};

use super::effect::strongest;
use super::question::{self, FILE, Look, NAME, OF_PEOPLE, Oid, Seen, by_index, list, oid, text};
use migrator_engine::client::{Tables, literal, ours, rows};
use migrator_engine::locks::Effect;
use migrator_sql::LockMode;

/// A relation that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Relation {
    name: String,
    /// The table of an index: no one asks for an index by itself.
    table: Option<Oid>,
    file: Option<String>,
}

/// What the open transaction has done to one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Touched {
    lock: Option<LockMode>,
    file: Option<String>,
    /// How often it was read as a whole; an index is not read, but used.
    scans: u64,
    /// There is nothing of that oid any more.
    gone: bool,
}

/// The relations that are there, by oid, and what is proved about their rows. Kept up to date from transaction to
/// transaction by looking at what each has locked: reading everything anew would take longer than most migrations.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    relations: BTreeMap<Oid, Relation>,
    /// There too, and not read yet.
    unread: BTreeSet<Oid>,
    /// Constraints and columns, each by its relation and a key.
    proved: BTreeSet<(Oid, String)>,
    schemas: String,
    has_event_triggers: bool,
    /// What the open transaction has locked.
    touched: BTreeMap<Oid, Touched>,
    /// How often the server says that a relation was read before this transaction.
    scans: BTreeMap<Oid, u64>,
}

/// The rows of a question of ours between two transactions, in which the search path of the role decides nothing.
pub(super) async fn ask(client: &Client, question: &str) -> Result<Vec<tokio_postgres::SimpleQueryRow>, Error> {
    Ok(rows(client.simple_query(&ours(question)).await?))
}

/// The oids of the history's tables, as far as they are there.
pub(super) async fn history(client: &Client, tables: &Tables) -> Result<Vec<Oid>, Error> {
    let question = format!(
        "SELECT oid::text AS oid FROM pg_catalog.pg_class WHERE oid IN (pg_catalog.to_regclass({}), pg_catalog.to_regclass({}))",
        literal(&tables.state),
        literal(&tables.events)
    );
    Ok(ask(client, &question).await?.iter().map(oid).collect())
}

impl State {
    /// The relations that are there, without those of the server and of the history.
    pub(super) async fn read(client: &Client, history: &[Oid]) -> Result<State, Error> {
        let mut state = State::default();
        let history = if history.is_empty() { String::new() } else { format!("AND c.oid NOT IN ({})", list(history)) };
        state.add(&ask(client, &relations(&history)).await?);
        state.add_proved(&ask(client, &question::proved(">= 16384")).await?);
        let look = Look::of(&ask(client, &question::schemas()).await?);
        (state.schemas, state.has_event_triggers) = (look.schemas, look.has_event_triggers);
        Ok(state)
    }

    /// Reads what is known to be there and no more.
    pub(super) async fn load(&mut self, client: &Client) -> Result<(), Error> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let which = format!("= ANY (ARRAY[{}]::pg_catalog.oid[])", list(&self.unread));
        let relations = relations(&format!("AND c.oid {which}"));
        let found = rows(client.simple_query(&by_index(&relations)).await?);
        let proved = rows(client.simple_query(&by_index(&question::proved(&which))).await?);
        self.add(&found);
        self.add_proved(&proved);
        self.unread.clear();
        Ok(())
    }

    /// Reads these tables and their indexes again, and no more: nothing else has changed since it was read.
    pub(super) async fn refresh(&mut self, client: &Client, tables: &BTreeSet<Oid>) -> Result<(), Error> {
        let is_of = |oid: &Oid, relation: &Relation| {
            tables.contains(oid) || relation.table.is_some_and(|table| tables.contains(&table))
        };
        self.relations.retain(|oid, relation| !is_of(oid, relation));
        self.proved.retain(|(oid, _)| !tables.contains(oid));
        let which = format!("= ANY (ARRAY[{}]::pg_catalog.oid[])", list(tables));
        let of_tables = format!(
            "AND (c.oid {which} OR c.oid IN (SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid {which}))"
        );
        self.add(&ask(client, &relations(&of_tables)).await?);
        self.add_proved(&ask(client, &question::proved(&which)).await?);
        Ok(())
    }

    fn add(&mut self, rows: &[tokio_postgres::SimpleQueryRow]) {
        for row in rows {
            let name = text(row, "name").unwrap_or_default().to_owned();
            let table = text(row, "of").and_then(|table| table.parse().ok());
            self.relations.insert(oid(row), Relation { name, table, file: text(row, "file").map(str::to_owned) });
        }
    }

    fn add_proved(&mut self, rows: &[tokio_postgres::SimpleQueryRow]) {
        let key = |row| text(row, "key").unwrap_or_default().to_owned();
        self.proved.extend(rows.iter().map(|row| (oid(row), key(row))));
    }

    /// Whether a statement may do more to the session than its text says.
    pub(super) fn has_event_triggers(&self) -> bool {
        self.has_event_triggers
    }

    /// A transaction begins: nothing is locked.
    pub(super) fn begin(&mut self) {
        self.scans.clear();
        for (oid, touched) in std::mem::take(&mut self.touched) {
            match self.relations.get_mut(&oid).filter(|_| !touched.gone) {
                Some(relation) => relation.file = touched.file,
                None => {
                    self.relations.remove(&oid);
                }
            }
        }
    }

    /// What earlier transactions of this session have read, where the server has not been asked to forget it.
    pub(super) fn count_from(&mut self, rows: &[tokio_postgres::SimpleQueryRow]) {
        self.scans = rows.iter().map(|row| (oid(row), question::scans(row))).collect();
    }

    /// Whether something that was there is locked, and not only to read it.
    pub(super) fn is_locked(&self, look: &Look) -> bool {
        let counts = |seen: &&Seen| seen.lock.is_some_and(|lock| lock >= LockMode::RowExclusive);
        look.relations.iter().filter(counts).any(|seen| self.knows(seen.oid))
    }

    fn knows(&self, oid: Oid) -> bool {
        self.relations.contains_key(&oid) || self.unread.contains(&oid)
    }

    /// A transaction has ended that has changed nothing that was there: what it has locked and is new is there from here on.
    pub(super) fn grow(&mut self, look: &Look) -> Renamed {
        let new = look.relations.iter().map(|seen| seen.oid).filter(|oid| !self.knows(*oid)).collect::<Vec<_>>();
        self.unread.extend(new);
        self.rename(look)
    }

    /// What has been done to the relations that are known, since the last look at the open transaction.
    pub(super) fn look(&mut self, look: &Look) -> Vec<(Oid, Effect)> {
        let mut proved = self.prove(look);
        let mut effects = Vec::new();
        for (seen, lock) in look.locked() {
            let Some(relation) = self.relations.get(&seen.oid) else { continue };
            let (before, mut after) = self.touch(relation, seen, lock);
            let mut dropped = after.gone && !before.gone;
            if dropped && let Some(replacement) = replacement(relation, look) {
                // `ALTER COLUMN TYPE` makes indexes anew, sometimes of the same file.
                (dropped, after.file) = (false, replacement.file.clone());
            }
            if after == before {
                continue;
            }
            let mut effect = Effect::lock(relation.name.clone(), lock);
            (effect.index, effect.taken) = (relation.table.is_some(), before.lock < after.lock);
            (effect.rewritten, effect.dropped) = (before.file != after.file, dropped);
            effect.scanned = after.scans > before.scans;
            // A column that is new and NOT NULL is proved by nothing that takes time.
            effect.validated = proved.remove(&seen.oid).filter(|_| effect.scanned).unwrap_or_default();
            effects.push((seen.oid, effect));
            self.touched.insert(seen.oid, after);
        }
        effects
    }

    /// What was done to a relation before the look, and what is now.
    fn touch(&self, relation: &Relation, seen: &Seen, lock: LockMode) -> (Touched, Touched) {
        let untouched = || Touched {
            file: relation.file.clone(),
            scans: self.scans.get(&seen.oid).copied().unwrap_or(0),
            ..Touched::default()
        };
        let before = self.touched.get(&seen.oid).cloned().unwrap_or_else(untouched);
        let file = seen.file.clone().or_else(|| before.file.clone());
        let after = Touched { lock: Some(lock), file, scans: seen.scans, gone: !seen.there };
        (before, after)
    }

    /// Whether something has been done to a relation that is known, since the last look at the open transaction.
    pub(super) fn is_touched(&self, look: &Look) -> bool {
        look.locked().any(|(seen, lock)| {
            let known = self.relations.get(&seen.oid);
            known.is_some_and(|relation| {
                let (before, after) = self.touch(relation, seen, lock);
                before != after
            })
        })
    }

    /// The server goes on counting when what was counted is rolled back.
    pub(super) fn count_on(&mut self, rows: &[tokio_postgres::SimpleQueryRow]) {
        for row in rows {
            let (oid, scans) = (oid(row), question::scans(row));
            self.scans.insert(oid, scans);
            if let Some(touched) = self.touched.get_mut(&oid) {
                touched.scans = scans;
            }
        }
    }

    /// What has been proved since the last time, by relation.
    fn prove(&mut self, look: &Look) -> BTreeMap<Oid, Vec<String>> {
        let mut new: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
        for (oid, key, name) in &look.proved {
            if self.proved.insert((*oid, key.clone())) {
                new.entry(*oid).or_default().push(name.clone());
            }
        }
        new
    }

    /// The transaction that was looked at has ended: what it has locked is known from here on as it was then, also what is new.
    /// Returns what is.
    pub(super) fn end(&mut self, look: &Look) -> (Vec<Oid>, Renamed) {
        self.begin();
        let mut new = Vec::new();
        for Seen { oid, name, table, file, .. } in &look.relations {
            let Some(name) = name.clone() else { continue };
            if self.relations.insert(*oid, Relation { name, table: *table, file: file.clone() }).is_none() {
                new.push(*oid);
            }
        }
        (new, self.rename(look))
    }

    fn rename(&mut self, look: &Look) -> Renamed {
        self.has_event_triggers = look.has_event_triggers;
        if self.schemas == look.schemas {
            return Renamed(false);
        }
        let before = std::mem::replace(&mut self.schemas, look.schemas.clone());
        let now: BTreeMap<&str, &str> = look.schemas.lines().filter_map(|line| line.split_once(' ')).collect();
        let is_other = |(oid, name): (&str, &str)| now.get(oid).is_some_and(|now| *now != name);
        Renamed(before.lines().filter_map(|line| line.split_once(' ')).any(is_other))
    }

    /// The locks of another session on these relations, added to what `seen` knows of it.
    pub(super) async fn watch(
        &self,
        client: &Client,
        pid: i32,
        seen: &mut BTreeMap<Oid, LockMode>,
    ) -> Result<(), Error> {
        let statement = format!(
            "SELECT relation::text AS oid, pg_catalog.string_agg(DISTINCT mode, ' ') AS modes FROM pg_catalog.pg_locks \
             WHERE pid = {pid} AND locktype = 'relation' AND granted GROUP BY relation"
        );
        for row in ask(client, &statement).await? {
            let oid = oid(&row);
            let Some(mode) = text(&row, "modes").and_then(strongest) else { continue };
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

    /// The tables of the indexes among some effects, by the names of the indexes.
    pub(super) fn tables_of<'e>(&self, effects: impl Iterator<Item = (Oid, &'e Effect)>) -> BTreeMap<String, String> {
        let table = |(oid, effect): (Oid, &Effect)| {
            let by_name = || self.relations.values().find(|relation| relation.name == effect.relation);
            let index = self.relations.get(&oid).or_else(by_name)?;
            let table = self.relations.get(&index.table?)?;
            Some((effect.relation.clone(), table.name.clone()))
        };
        effects.filter(|(_, effect)| effect.index).filter_map(table).collect()
    }

    /// Whether an index of that name was there.
    pub(super) fn has_index(&self, name: &str) -> bool {
        self.relations.values().any(|relation| relation.name == name && relation.table.is_some())
    }
}

/// Whether schemas have other names: then relations have, which no one has locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) struct Renamed(pub(super) bool);

/// The index that has taken the place of one that is gone.
fn replacement<'l>(gone: &Relation, look: &'l Look) -> Option<&'l Seen> {
    gone.table?;
    look.relations.iter().find(|seen| seen.there && seen.table == gone.table && seen.name.as_ref() == Some(&gone.name))
}

fn relations(condition: &str) -> String {
    format!(
        "SELECT c.oid::text AS oid, {NAME} AS name, {FILE} AS file, i.indrelid::text AS of FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid \
         WHERE {OF_PEOPLE} {condition}"
    )
}

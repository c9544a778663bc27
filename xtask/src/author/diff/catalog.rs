//! One read of a database: its facts, its dump, what depends on what.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::path::Path;

use anyhow::{Context as _, Result};
use migrator_engine::client::{Connection, Tables, failed, query};
use migrator_engine::facts::{Facts, catalog};
use migrator_engine::{ConnectionTarget, Error};
use tokio::task::spawn_blocking;
use tokio_postgres::SimpleQueryRow;

use super::column::Column;
use super::entry::{self, Entry};
use super::key::{Key, TABLES};
use super::relation::Relation;
use crate::author::pg_dump;

/// What pg_depend says of an edge: `n` normal, `a` automatic, `i` internal, ...
pub(crate) type Edge = (Key, char);

/// A database.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Its facts, without owners.
    pub(crate) facts: Facts,
    /// The entries of its dump, in order.
    pub(crate) entries: Vec<Entry>,
    /// Which object each entry is, or says something about.
    pub(crate) keys: Vec<Option<Key>>,
    /// What `names.sql` notes of an object.
    pub(crate) notes: BTreeMap<Key, String>,
    /// Of each relation, in order.
    pub(crate) columns: BTreeMap<String, Vec<Column>>,
    pub(crate) relations: BTreeMap<String, Relation>,
    /// Of each enum, in order.
    pub(crate) labels: BTreeMap<String, Vec<String>>,
    /// What is no relation and no part of one, as comments name it: `function app.f(integer)`.
    pub(crate) identities: BTreeSet<String>,
    /// From which type the server converts to which.
    pub(crate) casts: BTreeSet<(String, String)>,
    /// Constraints that a table has because another one has them.
    pub(crate) inherited: BTreeSet<Key>,
    /// Of wrappers, servers, foreign tables and their columns, by name.
    pub(crate) options: BTreeMap<Key, BTreeMap<String, String>>,
    /// What the owner of an object may do, by the letter of its class.
    pub(crate) everything: BTreeMap<String, BTreeSet<String>>,
    /// Every object.
    known: BTreeSet<Key>,
    /// The relation of each name.
    by_name: BTreeMap<String, Key>,
    /// The names of indexes and constraints, whatever table they are of.
    indexes: BTreeSet<String>,
    /// Which entries are an object itself.
    own: BTreeMap<Key, Vec<usize>>,
    /// Where the first entry of an object is.
    places: BTreeMap<Key, usize>,
    needs: BTreeMap<Key, BTreeSet<Edge>>,
    dependents: BTreeMap<Key, BTreeSet<Edge>>,
}

/// A foreign key that follows from another one is no fact.
const INHERITED: &str = "SELECT conrelid::regclass::text AS object, quote_ident(conname) AS part FROM pg_constraint \
    WHERE conrelid <> 0 AND contype IN ('c', 'n') AND coninhcount > 0 AND NOT conislocal";

const EVERYTHING: &str = "SELECT class, privilege_type AS privilege FROM unnest('{r,s,f,T,n,F,S}'::text[]) class \
    CROSS JOIN LATERAL aclexplode(acldefault(class::\"char\", 10)) WHERE grantee = 10";

const NONE: &BTreeSet<Edge> = &BTreeSet::new();

impl Catalog {
    /// Reads a database; writes nothing. `programs`: where pg_dump is. The history's tables are left out.
    ///
    /// # Errors
    /// A lost connection, a catalog that the role may not read, a kind of object that the facts do not know, pg_dump.
    pub async fn read(
        connection: &Connection,
        target: &ConnectionTarget,
        tables: &Tables,
        programs: &Path,
    ) -> Result<Catalog> {
        let history = [tables.state.clone(), tables.events.clone()];
        let (target, programs) = (target.clone(), programs.to_owned());
        // Beside our own questions: each keeps a processor of its own busy.
        let dumped = spawn_blocking(move || dump(&target, &programs, history));
        let mut facts = connection.facts(tables).await?;
        facts.refuse_unknown(&[])?;
        facts.ignore(&[], false);
        let mut read = Catalog { facts, ..Catalog::default() };
        let described = read.describe(connection).await;
        read.entries = entry::read(&dumped.await.unwrap_or_else(|panic| resume_unwind(panic.into_panic()))?);
        let [names, depends] = described?;
        read.connect(&names, &depends);
        Ok(read)
    }

    /// Asks the catalogs; the names of all objects and what depends on what, which are for [`Catalog::connect`].
    async fn describe(&mut self, connection: &Connection) -> Result<[Vec<SimpleQueryRow>; 2], Error> {
        let doing = "reading the schema";
        let client = connection.client();
        client.batch_execute(catalog::BEGIN).await.map_err(|error| failed(doing, error))?;
        let names = query(client, doing, include_str!("names.sql")).await?;
        let depends = "SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype FROM pg_depend WHERE deptype <> 'e'";
        let depends = query(client, doing, depends).await?;
        let columns = query(client, doing, include_str!("columns.sql")).await?;
        let relations = query(client, doing, include_str!("relations.sql")).await?;
        let identities = query(client, doing, include_str!("identities.sql")).await?;
        self.identities = identities.iter().filter_map(|row| row.get(0).map(str::to_owned)).collect();
        let casts = "SELECT format_type(castsource, NULL), format_type(casttarget, NULL) FROM pg_cast";
        let casts = query(client, doing, casts).await?;
        let pair = |row: &SimpleQueryRow| Some((row.get(0)?.to_owned(), row.get(1)?.to_owned()));
        self.casts = casts.iter().filter_map(pair).collect();
        let labels = query(client, doing, include_str!("labels.sql")).await?;
        let inherited = query(client, doing, INHERITED).await?;
        let options = query(client, doing, include_str!("options.sql")).await?;
        let everything = query(client, doing, EVERYTHING).await?;
        client.batch_execute("ROLLBACK").await.map_err(|error| failed(doing, error))?;
        let text = |row: &SimpleQueryRow, name: &str| row.get(name).unwrap_or_default().to_owned();
        for row in &columns {
            self.columns.entry(text(row, "object")).or_default().push(Column::read(row));
        }
        for row in &relations {
            self.relations.insert(text(row, "object"), Relation::read(row));
        }
        for row in &labels {
            self.labels.entry(text(row, "object")).or_default().push(text(row, "label"));
        }
        let key = |row: &SimpleQueryRow, kind: &str| Key::new(&text(row, "object"), kind, &text(row, "part"));
        self.inherited = inherited.iter().map(|row| key(row, "constraint")).collect();
        for row in &options {
            let options = self.options.entry(key(row, &text(row, "kind"))).or_default();
            options.insert(text(row, "name"), text(row, "value"));
        }
        for row in &everything {
            self.everything.entry(text(row, "class")).or_default().insert(text(row, "privilege"));
        }
        Ok([names, depends])
    }

    /// Gives rows of the catalogs their names, entries their objects, and objects what they depend on.
    fn connect(&mut self, names: &[SimpleQueryRow], depends: &[SimpleQueryRow]) {
        let number =
            |row: &SimpleQueryRow, at: usize| row.get(at).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        let mut known: BTreeMap<(u32, u32, u32), Key> = BTreeMap::new();
        for row in names {
            let text = |at: usize| row.get(at).unwrap_or_default();
            let key = Key::new(text(3), text(4), text(5));
            if !text(6).is_empty() {
                self.notes.insert(key.clone(), text(6).to_owned());
            }
            known.insert((number(row, 0), number(row, 1), number(row, 2)), key);
        }
        let own: Vec<Option<Key>> =
            self.entries.iter().map(|entry| known.get(&(entry.class, entry.oid, 0)).cloned()).collect();
        let by_id: BTreeMap<u32, &Key> =
            self.entries.iter().zip(&own).filter_map(|(entry, key)| Some((entry.id, key.as_ref()?))).collect();
        let of_another = |entry: &Entry| entry.needs.iter().find_map(|id| by_id.get(id).map(|key| (*key).clone()));
        let keys = self.entries.iter().zip(&own).map(|(entry, own)| match entry.class {
            0 => of_another(entry),
            _ => own.clone(),
        });
        self.keys = keys.collect();
        self.know(known.values().cloned().collect());
        for (place, (key, entry)) in self.keys.iter().zip(&self.entries).enumerate() {
            if let Some(key) = key {
                self.places.entry(key.clone()).or_insert(place);
                if entry.class != 0 {
                    self.own.entry(key.clone()).or_default().push(place);
                }
            }
        }
        let place = |row: &SimpleQueryRow, at: usize| {
            let (class, oid, part) = (number(row, at), number(row, at + 1), number(row, at + 2));
            known.get(&(class, oid, part)).or_else(|| known.get(&(class, oid, 0))).cloned()
        };
        let column_of = known.values().filter(|key| key.kind == "column");
        let tables: BTreeMap<&str, &Key> = known
            .values()
            .filter(|key| key.part.is_empty() && (key.is(TABLES) || key.is(&["view", "materialized-view", "type"])))
            .map(|key| (key.object.as_str(), key))
            .collect();
        let contained: Vec<(Key, Key)> =
            column_of.filter_map(|key| Some((key.clone(), (*tables.get(key.object.as_str())?).clone()))).collect();
        for (column, table) in contained {
            self.edge(column, table, 'i');
        }
        for row in depends {
            if let (Some(key), Some(needed)) = (place(row, 0), place(row, 3)) {
                self.edge(key, needed, row.get(6).and_then(|letter| letter.chars().next()).unwrap_or('n'));
            }
        }
    }

    fn know(&mut self, known: BTreeSet<Key>) {
        for kind in ["table", "view", "materialized-view", "foreign-table", "type"] {
            for key in known.iter().filter(|key| key.kind == kind && key.part.is_empty()) {
                self.by_name.entry(key.object.clone()).or_insert_with(|| key.clone());
            }
        }
        let with_index = known.iter().filter(|key| key.is(&["index", "constraint"]));
        self.indexes = with_index.map(|key| key.part.clone()).collect();
        self.known = known;
    }

    /// A database of which no server is needed. `made`: of each entry its object, and what that depends on.
    #[cfg(test)]
    pub(crate) fn made(facts: Facts, made: Vec<(Entry, Key, Vec<Key>)>, more: Vec<Key>) -> Catalog {
        let mut catalog = Catalog { facts, ..Catalog::default() };
        let known = made.iter().map(|(_, key, _)| key.clone()).chain(more.iter().cloned()).collect();
        catalog.know(known);
        for (place, (entry, key, needed)) in made.into_iter().enumerate() {
            catalog.entries.push(entry);
            catalog.keys.push(Some(key.clone()));
            catalog.places.insert(key.clone(), place);
            catalog.own.insert(key.clone(), vec![place]);
            for needed in needed {
                let kind = if needed.object == key.object { 'a' } else { 'n' };
                catalog.edge(key.clone(), needed, kind);
            }
        }
        for column in more {
            let table = Key::new(&column.object, "table", "");
            catalog.edge(column, table, 'i');
        }
        catalog
    }

    fn edge(&mut self, key: Key, needed: Key, kind: char) {
        // A relation is made of its columns, not the other way round.
        if key == needed || (needed.kind == "column" && needed.object == key.object && key.part.is_empty()) {
            return;
        }
        self.dependents.entry(needed.clone()).or_default().insert((key.clone(), kind));
        self.needs.entry(key).or_default().insert((needed, kind));
    }

    pub(crate) fn needs(&self, key: &Key) -> &BTreeSet<Edge> {
        self.needs.get(key).unwrap_or(NONE)
    }

    pub(crate) fn dependents(&self, key: &Key) -> &BTreeSet<Edge> {
        self.dependents.get(key).unwrap_or(NONE)
    }

    pub(crate) fn note(&self, key: &Key) -> &str {
        self.notes.get(key).map_or("", String::as_str)
    }

    pub(crate) fn column(&self, table: &str, name: &str) -> Option<&Column> {
        self.columns.get(table)?.iter().find(|column| column.name == name)
    }

    /// The relation of that name, whatever kind it is of.
    pub(crate) fn relation_key(&self, object: &str) -> Option<Key> {
        self.by_name.get(object).cloned()
    }

    /// The place of an object in the dump: of its own first entry, else of the relation that it is in.
    pub(crate) fn place(&self, key: &Key) -> usize {
        let of_relation = || self.places.get(&self.relation_key(&key.object)?);
        self.places.get(key).or_else(of_relation).copied().unwrap_or(self.entries.len())
    }

    /// The entries that are the object itself, not what is said about it.
    pub(crate) fn own_entries(&self, key: &Key) -> impl Iterator<Item = &Entry> {
        self.own.get(key).into_iter().flatten().filter_map(|place| self.entries.get(*place))
    }

    /// Whether there is such an object.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.known.contains(key)
    }

    /// Whether an index or a constraint has that name.
    pub(crate) fn has_index(&self, name: &str) -> bool {
        self.indexes.contains(name)
    }

    /// The constraint that requires a column, where that is an object with a name: from PostgreSQL 18 on.
    pub(crate) fn requires(&self, table: &str, column: &str) -> Option<&Key> {
        let note = format!("NOT NULL {column}");
        let is_it = |key: &&Key| {
            let rest = self.note(key).strip_prefix(&note);
            key.kind == "constraint" && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        self.parts(table).find(is_it)
    }

    /// The object of that name, and what is in it.
    pub(crate) fn parts(&self, object: &str) -> impl Iterator<Item = &Key> {
        self.known.range(Key::new(object, "", "")..).take_while(move |key| key.object == object)
    }

    /// Every object.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Key> {
        self.known.iter()
    }
}

/// The schema as pg_dump writes it, with the numbers of its table of contents.
fn dump(target: &ConnectionTarget, programs: &Path, without: [String; 2]) -> Result<String> {
    let dumped = pg_dump::schema(target, programs, without, true)?;
    let text = String::from_utf8(dumped).context("the dump is not UTF-8")?;
    let is_key = |line: &&str| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ");
    Ok(text.split_inclusive('\n').filter(is_key).collect())
}

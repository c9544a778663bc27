//! The data of a database at one moment: every row of its tables as text, positions of sequences, values of enums.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, SimpleQueryRow};

use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{Tables, failed, identifier, literal, ours, query, rows};

/// Tables with more rows are not read, only counted.
const READ: usize = 20_000;

const DOING: &str = "reading the data of a scratch database";

/// The number of an object, as text.
pub(super) type Oid = String;

/// All of it.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) tables: BTreeMap<Oid, Table>,
    pub(super) sequences: BTreeMap<Oid, Sequence>,
    pub(super) enums: BTreeMap<Oid, Enum>,
}

/// A table or a partition. A partitioned table has no rows of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) is_partitioned: bool,
    /// The topmost table that it is a partition of; itself, where it is none.
    pub(super) root: Oid,
    /// By number.
    pub(super) columns: BTreeMap<i32, Column>,
    /// The values of each row, in the order of the columns; none, where there are too many.
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// How many there are.
    pub(super) count: usize,
}

/// A column of a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Column {
    pub(super) name: String,
    /// With its schema, where it is not the server's own.
    pub(super) type_name: String,
    /// The type that its values are of, and of their elements.
    pub(super) types: [Oid; 2],
    /// Computed from other columns.
    pub(super) is_generated: bool,
    /// Part of a key, or numbered by the server: it says which row this is, not what is in it.
    pub(super) is_key: bool,
}

/// A sequence.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    pub(super) schema: String,
    pub(super) name: String,
    /// `None`: it has not given a number yet.
    pub(super) position: Option<i64>,
    /// It belongs to a column.
    pub(super) is_owned: bool,
}

/// An enum.
#[derive(Debug, Clone)]
pub(super) struct Enum {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) labels: Vec<String>,
}

impl Table {
    /// The values of a column that are not NULL; which of the columns that is, by its number.
    pub(super) fn values(&self, number: i32) -> Vec<&str> {
        let Some(index) = self.columns.keys().position(|known| *known == number) else { return Vec::new() };
        self.rows.iter().filter_map(|row| row.get(index)?.as_deref()).collect()
    }

    /// Whether its rows were read.
    pub(super) fn is_read(&self) -> bool {
        self.rows.len() == self.count
    }

    /// Its name in statements.
    pub(super) fn sql(&self) -> String {
        format!("{}.{}", identifier(&self.schema), identifier(&self.name))
    }
}

/// Reads everything that is there but for these tables.
///
/// # Errors
/// A lost connection, the server's refusal.
pub(super) async fn read(database: &Database, but: &BTreeSet<Oid>) -> Result<State, Error> {
    database.locked.put_back(None).await.map_err(|error| failed(DOING, error))?;
    let client = database.locked.client();
    let mut state = catalog(client, database.locked.tables()).await?;
    state.tables.retain(|oid, _| !but.contains(oid));
    for table in state.tables.values_mut().filter(|table| !table.is_partitioned) {
        let name = table.sql();
        let columns: Vec<String> = table.columns.values().map(|column| identifier(&column.name)).collect();
        let select = format!("SELECT {} FROM ONLY {name}", columns.join(", "));
        let counted = query(client, DOING, &format!("SELECT count(*) FROM ONLY {name}")).await?;
        table.count = counted.first().and_then(|row| row.get(0)?.parse().ok()).unwrap_or(0);
        if !(1..=READ).contains(&table.count) {
            continue;
        }
        let read = query(client, DOING, &select).await?;
        let values = |row: &SimpleQueryRow| (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect();
        table.rows = read.iter().map(values).collect();
    }
    Ok(state)
}

/// The values of a column in the type that it had before; `None`: they have no such form, or the type is gone.
pub(super) async fn in_type(client: &Client, table: &Table, column: &str, type_name: &str) -> Option<Vec<String>> {
    let (name, column) = (table.sql(), identifier(column));
    for value in [format!("{column}::{type_name}"), format!("{column}::text::{type_name}")] {
        let select = format!("SELECT {value} FROM ONLY {name} WHERE {column} IS NOT NULL");
        if let Ok(messages) = client.simple_query(&ours(&select)).await {
            return Some(rows(messages).iter().filter_map(|row| row.get(0)).map(str::to_owned).collect());
        }
    }
    None
}

/// The objects, without their rows.
async fn catalog(client: &Client, tables: &Tables) -> Result<State, Error> {
    // What is not there is NULL, and no `NOT IN` is true of a list with NULL.
    let own = format!("to_regclass({}), to_regclass({})", literal(&tables.state), literal(&tables.events));
    let own = format!("ALL (array_remove(ARRAY[{own}]::oid[], NULL))");
    let (tables, sequences) = (read_tables(client, &own).await?, read_sequences(client, &own).await?);
    Ok(State { tables, sequences, enums: read_enums(client).await? })
}

/// A condition: an object of people, in that schema. What an extension brought along is its own.
fn of_people(class: &str, object: &str, schema: &str) -> String {
    format!(
        "{schema} !~ '^pg_' AND {schema} <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend e \
         WHERE e.deptype = 'e' AND e.classid = '{class}'::regclass AND e.objid = {object})"
    )
}

/// A column of a row, as text; NULL is empty.
pub(super) fn text(row: &SimpleQueryRow, column: &str) -> String {
    row.get(column).unwrap_or_default().to_owned()
}

async fn read_tables(client: &Client, own: &str) -> Result<BTreeMap<Oid, Table>, Error> {
    let columns = format!(
        "SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind, coalesce(pg_partition_root(c.oid)::oid, c.oid) AS root, \
         a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attgenerated <> '' AS generated, \
         t.oid AS typid, t.typelem, a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) ~ '^nextval', false) \
           OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f') AND a.attnum = ANY (k.conkey)) AS key \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         LEFT JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid <> {own} AND {} ORDER BY 2, 3, a.attnum",
        of_people("pg_class", "c.oid", "n.nspname")
    );
    let mut tables: BTreeMap<Oid, Table> = BTreeMap::new();
    for row in query(client, DOING, &columns).await? {
        let table = tables.entry(text(&row, "oid")).or_insert_with(|| Table {
            schema: text(&row, "schema"),
            name: text(&row, "name"),
            is_partitioned: row.get("relkind") == Some("p"),
            root: text(&row, "root"),
            ..Table::default()
        });
        let Some(number) = row.get("attnum").and_then(|number| number.parse().ok()) else { continue };
        let column = Column {
            name: text(&row, "attname"),
            type_name: text(&row, "type"),
            types: [text(&row, "typid"), text(&row, "typelem")],
            is_generated: row.get("generated") == Some("t"),
            is_key: row.get("key") == Some("t"),
        };
        table.columns.insert(number, column);
    }
    Ok(tables)
}

async fn read_sequences(client: &Client, own: &str) -> Result<BTreeMap<Oid, Sequence>, Error> {
    let statement = format!(
        "SELECT c.oid, n.nspname AS schema, c.relname AS name, pg_sequence_last_value(c.oid) AS position, \
         EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype IN ('a', 'i') AND o.refobjsubid > 0) AS owned, \
         EXISTS (SELECT FROM pg_depend o WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype IN ('a', 'i') AND NOT o.refobjid <> {own}) AS ours \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND {}",
        of_people("pg_class", "c.oid", "n.nspname")
    );
    let mut sequences = BTreeMap::new();
    for row in query(client, DOING, &statement).await?.into_iter().filter(|row| row.get("ours") != Some("t")) {
        let position = row.get("position").and_then(|position| position.parse().ok());
        let is_owned = row.get("owned") == Some("t");
        let sequence = Sequence { schema: text(&row, "schema"), name: text(&row, "name"), position, is_owned };
        sequences.insert(text(&row, "oid"), sequence);
    }
    Ok(sequences)
}

/// The enums that are there.
///
/// # Errors
/// A lost connection, the server's refusal.
pub(super) async fn read_enums(client: &Client) -> Result<BTreeMap<Oid, Enum>, Error> {
    let statement = format!(
        "SELECT t.oid, n.nspname AS schema, t.typname AS name, e.enumlabel AS label FROM pg_type t \
         JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid WHERE {} ORDER BY t.oid, e.enumsortorder",
        of_people("pg_type", "t.oid", "n.nspname")
    );
    let mut enums: BTreeMap<Oid, Enum> = BTreeMap::new();
    for row in query(client, DOING, &statement).await? {
        let entry = enums.entry(text(&row, "oid"));
        let known = entry.or_insert_with(|| Enum {
            schema: text(&row, "schema"),
            name: text(&row, "name"),
            labels: Vec::new(),
        });
        known.labels.push(text(&row, "label"));
    }
    Ok(enums)
}

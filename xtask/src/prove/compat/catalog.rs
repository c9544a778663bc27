//! Which columns of which tables take no NULL.

use std::collections::BTreeMap;

use migrator_engine::Error;
use migrator_engine::client::query;
use tokio_postgres::Client;

use super::plan::Null;

/// A table, partitioned or not.
#[derive(Debug, Default)]
struct Table {
    schema: String,
    name: String,
    /// How many columns it has or had.
    columns: usize,
    /// The numbers of those that it had.
    dropped: Vec<usize>,
    /// A trigger may fill what an INSERT leaves out.
    filled: bool,
    /// By number.
    not_null: BTreeMap<usize, Column>,
}

/// A column that takes no NULL.
#[derive(Debug)]
struct Column {
    name: String,
    /// It is computed: no INSERT gives it a value.
    generated: bool,
}

/// The tables of one database.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    by_oid: BTreeMap<u32, Table>,
    by_name: BTreeMap<(String, String), u32>,
}

impl Catalog {
    /// Reads what is there now.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn read(client: &Client) -> Result<Catalog, Error> {
        let mut catalog = Catalog::default();
        for row in query(client, "reading the tables", include_str!("catalog.sql")).await? {
            let text = |column: &str| row.get(column).unwrap_or_default();
            let (Ok(oid), Ok(columns)) = (text("oid").parse(), text("columns").parse()) else { continue };
            let table = catalog.by_oid.entry(oid).or_insert_with(|| Table {
                schema: text("schema").to_owned(),
                name: text("name").to_owned(),
                columns,
                dropped: text("dropped").split(',').filter_map(|number| number.parse().ok()).collect(),
                filled: text("filled") == "t",
                not_null: BTreeMap::new(),
            });
            catalog.by_name.insert((table.schema.clone(), table.name.clone()), oid);
            let Ok(number) = text("number").parse() else { continue };
            table
                .not_null
                .insert(number, Column { name: text("column").to_owned(), generated: text("generated") == "t" });
        }
        Ok(catalog)
    }

    /// Whether the column takes no NULL; `None`: it is not a table's.
    pub(super) fn not_null(&self, table: u32, column: i16) -> Option<bool> {
        let table = self.by_oid.get(&table)?;
        Some(usize::try_from(column).is_ok_and(|number| table.not_null.contains_key(&number)))
    }

    /// Whether it is no column any more: every INSERT leaves it NULL.
    pub(super) fn is_dropped(&self, null: &Null) -> bool {
        let oid = self.by_name.get(&(null.schema.clone(), null.table.clone()));
        oid.and_then(|oid| self.by_oid.get(oid)).is_some_and(|table| table.dropped.contains(&null.number))
    }

    /// The table and the column that an INSERT leaves NULL and that takes no NULL; `None`: it takes it, or a trigger may fill it.
    pub(super) fn required(&self, null: &Null) -> Option<(String, String)> {
        let oid = self.by_name.get(&(null.schema.clone(), null.table.clone()))?;
        let table = self.by_oid.get(oid).filter(|table| !table.filled && table.columns == null.of)?;
        let column = table.not_null.get(&null.number).filter(|column| !column.generated)?;
        Some((format!("{}.{}", table.schema, table.name), column.name.clone()))
    }
}

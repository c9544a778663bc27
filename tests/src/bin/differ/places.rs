//! Where rows are: whether a table or a column that both schemas have by name was kept, or dropped and made anew.

use std::collections::BTreeMap;

use anyhow::Result;
use migrator_xtask::engine::client::{Connection, query};

/// The tables that hold rows and their columns, by name, with the numbers that the server has for them: those never change, and what is
/// made anew gets others. Generated columns hold nothing of their own.
const QUESTION: &str = "SELECT c.oid::regclass::text AS relation, a.name AS part, c.oid || ' ' || a.number AS number \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (SELECT '' AS name, 0 AS number \
    UNION ALL SELECT attname, attnum FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') a \
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'ops')";

/// Of a database.
pub(crate) struct Places(BTreeMap<String, String>);

impl Places {
    /// Reads a database.
    ///
    /// # Errors
    /// A lost connection.
    pub(crate) async fn read(connection: &Connection) -> Result<Places> {
        let client = connection.client();
        client.batch_execute("SET search_path = pg_catalog").await?;
        let rows = query(client, "reading where rows are", QUESTION).await?;
        let places = rows.iter().map(|row| {
            let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
            (format!("{}.{}", text("relation"), text("part")).trim_end_matches('.').to_owned(), text("number"))
        });
        Ok(Places(places.collect()))
    }

    /// What is here and wanted by name, and is not there any more afterwards, or is another one.
    pub(crate) fn destroyed(&self, wanted: &Places, after: &Places) -> Vec<String> {
        let is_gone =
            |(name, number): &(&String, &String)| wanted.0.contains_key(*name) && after.0.get(*name) != Some(number);
        self.0.iter().filter(is_gone).map(|(name, _)| name.clone()).collect()
    }
}

//! Whether a database is back where it was, proved by its catalogs without reading what they mean.
//!
//! The server never changes a row in place that says what a schema is: it writes a new version of it, with the number of the
//! transaction that did so. Where every catalog has as many rows as before, and none of them is of a later transaction, they are the
//! very same rows, and so is everything that follows from them. The reverse does not hold: a column that is added and dropped
//! again leaves a trace, and then the schema has to be read.

use futures_util::future::join3;
use tokio_postgres::{Client, Statement};

use migrator_engine::Error;
use migrator_engine::client::{OURS, failed, ours, rows};

/// What the catalogs held at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// The number of the first transaction that had not ended.
    next: u32,
    /// Every catalog and its number of rows.
    counts: String,
}

/// Marks one database again and again.
#[derive(Default)]
pub(super) struct Marker {
    prepared: Option<Statement>,
    /// What this user may not read, no one can prove for him.
    blind: bool,
}

/// All but what `ANALYZE` and large objects leave behind, which is data.
const CATALOGS: &str = "SELECT relname AS name, pg_catalog.has_table_privilege(oid, 'SELECT') AS readable FROM pg_catalog.pg_class \
     WHERE relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND relkind = 'r' \
     AND relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject', 'pg_largeobject_metadata') ORDER BY relname";

/// So many transactions may have begun since a mark; where there are more, that is not certain any more. It is compared with each row.
const MOST_TRANSACTIONS: u32 = 100;

/// So many may begin while that is found out.
const MEANWHILE: u32 = 8;

const DOING: &str = "counting the rows of the catalogs";

impl Marker {
    /// What the catalogs hold now. `None`: not all of them may be read.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn mark(&mut self, client: &Client) -> Result<Option<Mark>, Error> {
        let Some((mark, _)) = self.look(client, &[]).await? else { return Ok(None) };
        Ok(Some(mark))
    }

    /// Whether nothing has changed since, for certain.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn unchanged(&mut self, client: &Client, since: &Mark) -> Result<bool, Error> {
        let begun = next(client).await.map_err(|error| failed(DOING, error))?;
        // Some more may begin before the rows are looked at.
        let count = begun.wrapping_sub(since.next).saturating_add(MEANWHILE);
        if count > MOST_TRANSACTIONS {
            return Ok(false);
        }
        let later: Vec<String> = (0..count).map(|at| since.next.wrapping_add(at).to_string()).collect();
        let Some((now, new)) = self.look(client, &later).await? else { return Ok(false) };
        Ok(new == 0 && now.counts == since.counts && now.next.wrapping_sub(since.next) <= count)
    }

    /// The marks, and how many rows are of these transactions.
    async fn look(&mut self, client: &Client, of: &[String]) -> Result<Option<(Mark, i64)>, Error> {
        if self.blind {
            return Ok(None);
        }
        let lost = |error: tokio_postgres::Error| failed(DOING, error);
        if self.prepared.is_none() {
            match question(client).await.map_err(lost)? {
                Some(text) => self.prepared = Some(prepare(client, &text).await.map_err(lost)?),
                None => self.blind = true,
            }
        }
        let Some(statement) = &self.prepared else { return Ok(None) };
        // The three are on their way before the first is answered.
        let (begin, of) = (begin(), format!("{{{}}}", of.join(",")));
        let (begun, answer, ended) =
            join3(client.batch_execute(&begin), client.query_one(statement, &[&of]), client.batch_execute("ROLLBACK"))
                .await;
        let row = begun.and(answer).map_err(lost)?;
        ended.map_err(lost)?;
        let next: String = row.try_get(0).map_err(lost)?;
        let mark = Mark { next: next.parse().unwrap_or(0), counts: row.try_get(1).map_err(lost)? };
        Ok(Some((mark, row.try_get(2).map_err(lost)?)))
    }
}

/// Opens a transaction in which the role's search path decides nothing.
fn begin() -> String {
    format!("BEGIN READ ONLY; {}", OURS.join("; "))
}

/// Under the path under which it will run: under another the server would look its names up again.
async fn prepare(client: &Client, text: &str) -> Result<Statement, tokio_postgres::Error> {
    client.batch_execute(&begin()).await?;
    let statement = client.prepare(text).await;
    client.batch_execute("ROLLBACK").await?;
    statement
}

/// The number of the first transaction that has not ended.
const NEXT: &str =
    "(pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint & 4294967295)::text AS next";

async fn next(client: &Client) -> Result<u32, tokio_postgres::Error> {
    let rows = rows(client.simple_query(&ours(&format!("SELECT {NEXT}"))).await?);
    Ok(rows.first().and_then(|row| row.get("next")).and_then(|next| next.parse().ok()).unwrap_or(0))
}

/// One statement over all catalogs; it is given the numbers of transactions. `None`: not all of them may be read.
async fn question(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let catalogs = rows(client.simple_query(&ours(CATALOGS)).await?);
    if catalogs.iter().any(|row| row.get("readable") != Some("t")) {
        return Ok(None);
    }
    let count = |name: &str| {
        format!(
            "SELECT '{name}' AS name, pg_catalog.count(*) AS rows, pg_catalog.count(*) FILTER \
             (WHERE xmin = ANY ((SELECT $1::text::pg_catalog.xid[])::pg_catalog.xid[])) AS new FROM pg_catalog.{name}"
        )
    };
    let counts: Vec<String> = catalogs.iter().filter_map(|row| row.get("name")).map(count).collect();
    Ok(Some(format!(
        "SELECT {NEXT}, pg_catalog.string_agg(name || ' ' || rows, ' ' ORDER BY name) AS counts, \
         pg_catalog.sum(new)::bigint AS new FROM ({}) counted",
        counts.join(" UNION ALL ")
    )))
}

//! `stats`: how large the tables of a database are and how busy; writes nothing, and reads nothing that is in them.
//!
//! No history is read: the role need not be allowed to read any table.

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryRow};

use crate::connect::{connect, failed, number, query, text};
use crate::conninfo::ConnectionTarget;
use crate::error::{Error, ErrorKind};
use crate::facts::catalog::BEGIN;
use crate::migrator::Migrator;
use crate::stats::{Activity, Family, MOST_TABLES, Statements, Stats, Table};
use crate::words::count;

const SERVER: &str = include_str!("stats/server.sql");
const TABLES: &str = include_str!("stats/tables.sql");

/// For messages.
const DOING: &str = "reading the statistics";

/// Reads everything at one moment.
pub(crate) async fn run(migrator: &Migrator, target: &ConnectionTarget) -> Result<Stats, Error> {
    let connection = connect(target, migrator.release.version, migrator.notices()).await?;
    let client = &connection.client;
    client.batch_execute(BEGIN).await.map_err(|error| failed(DOING, error))?;
    let read = read(client, connection.major).await;
    // Ends the transaction also where a question has failed.
    let ended = client.batch_execute("ROLLBACK").await;
    let stats = read?;
    ended.map_err(|error| failed(DOING, error))?;
    Ok(stats)
}

async fn read(client: &Client, major: i32) -> Result<Stats, Error> {
    let rows = query(client, DOING, SERVER).await?;
    let server = rows.first().ok_or_else(|| strange("it has no row for this database"))?;
    let role = text(server, "role").unwrap_or_default();
    let mut left_out = Vec::new();
    if text(server, "sees_all").as_deref() != Some("t") {
        left_out.push(format!(
            "transactions of other roles: `{role}` may not see them; `GRANT pg_read_all_stats TO {role}` lets it"
        ));
    }
    let statements = statements(client, server, &mut left_out).await?;
    let rows = query(client, DOING, &TABLES.replace("{most}", &MOST_TABLES.to_string())).await?;
    let tables = rows.iter().map(table).collect::<Result<Vec<Table>, Error>>()?;
    let there = rows.first().and_then(|row| number::<usize>(row, "there")).unwrap_or(0);
    if there > tables.len() {
        left_out.push(format!("{} smaller tables: {MOST_TABLES} are written at most", there - tables.len()));
    }
    let denied = rows.iter().filter(|row| text(row, "no_statistics").as_deref() == Some("denied")).count();
    if denied > 0 {
        left_out.push(format!(
            "the statistics of the columns of {}, marked by `no_statistics`: `{role}` may not read them",
            count(denied, "table")
        ));
    }
    let locked = tables.iter().filter(|table| table.bytes.is_none()).count();
    if locked > 0 {
        left_out.push(format!(
            "the sizes of {}, whose `bytes` is null: another session has locked them",
            count(locked, "table")
        ));
    }
    Ok(Stats {
        format: crate::stats::FORMAT,
        server: text(server, "server").unwrap_or_default(),
        major: major.into(),
        taken_at: text(server, "taken_at").unwrap_or_default(),
        database: text(server, "database").unwrap_or_default(),
        counted_minutes: number(server, "counted_minutes"),
        longest_transaction_seconds: number(server, "longest").unwrap_or(0.0),
        statements,
        left_out,
        tables,
    })
}

fn strange(what: &str) -> Error {
    Error::other(format!("the server's answer while {DOING} is not understood: {what}"))
}

/// One row, whose columns and indexes are JSON.
fn table(row: &SimpleQueryRow) -> Result<Table, Error> {
    let name = text(row, "name").unwrap_or_default();
    let json = |column: &str| serde_json::from_str::<Value>(row.get(column).unwrap_or("[]"));
    let read = || -> Result<Table, serde_json::Error> {
        let columns: Vec<_> = serde_json::from_value(json("columns")?)?;
        Ok(Table {
            kind: serde_json::from_value(text(row, "kind").into())?,
            partition_of: text(row, "partition_of"),
            rows: number(row, "rows").unwrap_or(-1),
            pages: number(row, "pages").unwrap_or(0),
            bytes: number(row, "bytes"),
            toast_bytes: number(row, "toast_bytes"),
            width: Table::width_of(&columns),
            no_statistics: serde_json::from_value(text(row, "no_statistics").into())?,
            activity: activity(row),
            indexes: serde_json::from_value(json("indexes")?)?,
            columns,
            name: name.clone(),
        })
    };
    read().map_err(|error| strange(&format!("{error} (table `{name}`)")).caused_by(error))
}

fn activity(row: &SimpleQueryRow) -> Activity {
    let count = |column| number(row, column).unwrap_or(0);
    Activity {
        sequential_scans: count("sequential_scans"),
        index_scans: count("index_scans"),
        inserted: count("inserted"),
        updated: count("updated"),
        deleted: count("deleted"),
    }
}

/// What `pg_stat_statements` has counted. Its texts stay on the server, where only their first words are looked at.
async fn statements(
    client: &Client,
    server: &SimpleQueryRow,
    left_out: &mut Vec<String>,
) -> Result<Option<Statements>, Error> {
    let Some(view) = text(server, "statements") else {
        left_out.push("statements: the extension `pg_stat_statements` is not in this database".to_owned());
        return Ok(None);
    };
    let minutes = match text(server, "info") {
        Some(info) => format!("(SELECT (extract(epoch FROM now() - stats_reset) / 60)::numeric(20, 1) FROM {info})"),
        // Before release 14 the server does not say.
        None => "NULL".to_owned(),
    };
    let toplevel = if text(server, "has_toplevel").as_deref() == Some("t") { "AND s.toplevel" } else { "" };
    let question = format!(
        "SELECT f.family, sum(f.calls)::int8 AS calls, {minutes} AS minutes FROM (SELECT s.calls, CASE \
         WHEN s.query = '<insufficient privilege>' THEN 'unreadable' \
         WHEN w.word IN ('select', 'insert', 'update', 'delete', 'merge', 'with', 'copy') THEN w.word ELSE 'other' END AS family \
         FROM {view} s CROSS JOIN LATERAL (SELECT lower(substring(s.query FROM '^[[:space:](]*([A-Za-z]+)')) AS word) w \
         WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) {toplevel}) f GROUP BY f.family ORDER BY f.family"
    );
    // It cannot be asked where the server was started without its library.
    client.batch_execute("SAVEPOINT statements").await.map_err(|error| failed(DOING, error))?;
    let answer = query(client, DOING, &question).await;
    client.batch_execute("ROLLBACK TO SAVEPOINT statements").await.map_err(|error| failed(DOING, error))?;
    let rows = match answer {
        Ok(rows) => rows,
        Err(error) if matches!(error.kind(), ErrorKind::Server { .. }) => {
            left_out.push(format!("statements: {}", error.kind().cause()));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let family = |row: &SimpleQueryRow| Family {
        family: text(row, "family").unwrap_or_default(),
        calls: number(row, "calls").unwrap_or(0),
    };
    let minutes = rows.first().and_then(|row| number(row, "minutes"));
    Ok(Some(Statements { minutes, families: rows.iter().map(family).collect() }))
}

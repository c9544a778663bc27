//! Down blocks as they were recorded when a migration was applied.

use migrator_model::Text;

use crate::connect::{Connection, query, text};
use crate::error::Error;
use crate::history::History;
use crate::recorded;
use crate::sql::{Tables, is_text};

/// Reads the recorded down blocks of migrations that were edited since, and adds them to the history.
///
/// # Errors
/// A lost connection. Exit code 8 where other roles may write to the log: its SQL would run with this user's rights.
pub(crate) async fn read_downs(
    connection: &Connection,
    tables: &Tables,
    history: &mut History,
    versions: &[String],
    allowed: &[Text],
) -> Result<(), Error> {
    if versions.is_empty() || !history.has_recorded_downs {
        return Ok(());
    }
    let of_log = history.writers.iter().filter(|(table, _)| *table == tables.events).flat_map(|(_, writers)| writers);
    if let Some(other) = of_log.clone().find(|writer| !allowed.iter().any(|role| *role == **writer)) {
        let message =
            format!("cannot trust the down blocks recorded in `{}`: `{other}` can write to it", tables.events);
        return Err(Error::refused(message).help(format!(
            "run `REVOKE ALL ON {} FROM {other}`, or list the role under `writers` in [history] of db/migrator.toml",
            tables.events
        )));
    }
    for version in versions {
        let statement = format!(
            "SELECT name, checksum, down_block FROM {} WHERE {} AND action IN ('up', 'stamp', 'adopt') AND outcome = 'done' \
             AND statement IS NULL ORDER BY id DESC LIMIT 1",
            tables.events,
            is_text("version", version)
        );
        let rows = query(&connection.client, "reading a recorded down block", &statement).await?;
        let Some(row) = rows.first() else { continue };
        let (name, checksum) = (text(row, "name").unwrap_or_default(), text(row, "checksum").unwrap_or_default());
        let block = text(row, "down_block").and_then(|block| recorded::decode(version, &name, &checksum, &block));
        // What the state table says was applied is what must be rolled back.
        let is_applied =
            history.applied.iter().any(|row| row.version == *version && row.checksum.as_deref() == Some(&*checksum));
        if let Some(migration) = block.filter(|_| is_applied) {
            history.recorded.insert(version.clone(), migration);
        }
    }
    Ok(())
}

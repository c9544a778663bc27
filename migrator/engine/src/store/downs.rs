//! Down blocks as they were recorded when a migration was applied.

use migrator_model::Text;

use crate::connect::{Connection, query, text};
use crate::error::Error;
use crate::history::{History, RecordedDown, Unrecorded};
use crate::recorded::{self, Unread};
use crate::sql::{Tables, is_text};

/// Reads the recorded down blocks of migrations that the binary does not have, or not as they were applied, and adds them to the
/// history.
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
    if let Some(other) = foreign_writer(tables, history, allowed) {
        let message =
            format!("cannot trust the down blocks recorded in `{}`: `{other}` can write to it", tables.events);
        return Err(Error::refused(message).help(format!(
            "run `REVOKE ALL ON {} FROM {other}`, or list the role under `writers` in [history] of db/migrator.toml",
            tables.events
        )));
    }
    for version in versions {
        match read_down(connection, tables, history, version).await? {
            Ok(down) => drop(history.recorded.insert(version.clone(), down)),
            Err(why) => drop(history.unrecorded.insert(version.clone(), why)),
        }
    }
    Ok(())
}

/// A role that can write to the log and is not listed.
pub(crate) fn foreign_writer<'h>(tables: &Tables, history: &'h History, allowed: &[Text]) -> Option<&'h str> {
    let of_log = history.writers.iter().filter(|(table, _)| *table == tables.events).flat_map(|(_, writers)| writers);
    of_log.map(String::as_str).find(|writer| !allowed.iter().any(|role| role == writer))
}

async fn read_down(
    connection: &Connection,
    tables: &Tables,
    history: &History,
    version: &str,
) -> Result<Result<RecordedDown, Unrecorded>, Error> {
    let statement = format!(
        "SELECT name, checksum, down_block, release, to_char(timezone('UTC', at), 'YYYY-MM-DD HH24:MI:SS') AS at_utc FROM {} \
         WHERE {} AND action IN ('up', 'stamp', 'adopt') AND outcome = 'done' AND statement IS NULL ORDER BY id DESC LIMIT 1",
        tables.events,
        is_text("version", version)
    );
    let rows = query(&connection.client, "reading a recorded down block", &statement).await?;
    let Some(row) = rows.first() else { return Ok(Err(Unrecorded::Nothing)) };
    let [name, checksum, at] = ["name", "checksum", "at_utc"].map(|column| text(row, column).unwrap_or_default());
    let Some(block) = text(row, "down_block") else { return Ok(Err(Unrecorded::Nothing)) };
    // What the state table says was applied is what must be rolled back.
    let is_applied =
        history.applied.iter().any(|row| row.version == *version && row.checksum.as_deref() == Some(&*checksum));
    if !is_applied {
        return Ok(Err(Unrecorded::OtherContent));
    }
    Ok(match recorded::decode(version, &name, &checksum, &block) {
        Ok(migration) => Ok(RecordedDown { migration, at, release: text(row, "release") }),
        Err(Unread::NoDown) => Err(Unrecorded::NoDown),
        Err(Unread::OtherForm) => Err(Unrecorded::OtherForm),
    })
}

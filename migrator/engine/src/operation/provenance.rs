//! How a database came to what `status` shows: what was recorded without running, and when each repeatable was last applied.

use crate::connect::{number, query, text};
use crate::error::Error;
use crate::history::{LastApplied, Provenance};
use crate::session::Session;
use crate::sql::{EVENT_KEY, literal, newest_first};

/// Asks the event log; a few steps of its index.
pub(crate) async fn run(session: &Session) -> Result<Provenance, Error> {
    let mut provenance = Provenance::default();
    // Another tool has no event log, and an empty one says nothing.
    if session.history.newest_event == 0 {
        return Ok(provenance);
    }
    let (client, tables) = (&session.connection.client, &session.tables);
    let (state, events) = (&tables.state, &tables.events);
    // A migration that was rolled back and applied since has a younger row; a column that the table lacks is found in `absent`.
    let unrun = format!(
        "SELECT rows.version, e.action FROM (SELECT NULL::timestamptz AS applied_at) AS absent, \
         LATERAL (SELECT version::text AS version, applied_at::timestamptz AS applied_at FROM {state}) AS rows \
         JOIN {events} e ON e.version::text = rows.version AND e.at >= rows.applied_at \
         WHERE e.action COLLATE \"C\" IN ('stamp', 'adopt') AND e.outcome = 'done'"
    );
    for row in query(client, "reading what was recorded without running", &unrun).await? {
        provenance.unrun.extend(text(&row, "version").zip(text(&row, "action")));
    }
    let names: Vec<String> =
        session.embedded().repeatables.iter().map(|script| format!("({})", literal(&script.name))).collect();
    if names.is_empty() {
        return Ok(provenance);
    }
    let last = format!(
        "SELECT of.name AS of, e.* FROM (VALUES {}) AS of(name), LATERAL (\
         SELECT to_char(timezone('UTC', at), 'YYYY-MM-DD HH24:MI:SS') AS at_utc, actor, duration_ms, release FROM {events} \
         WHERE (action COLLATE \"C\", {EVENT_KEY}) BETWEEN ('repeatable', of.name) AND ('repeatable', of.name) AND outcome = 'done' \
         ORDER BY {} LIMIT 1) AS e",
        names.join(", "),
        newest_first()
    );
    for row in query(client, "reading when repeatables were applied", &last).await? {
        let applied = LastApplied {
            at: text(&row, "at_utc"),
            by: text(&row, "actor"),
            execution_ms: number(&row, "duration_ms"),
            release: text(&row, "release"),
        };
        provenance.repeatables.extend(text(&row, "of").map(|name| (name, applied)));
    }
    Ok(provenance)
}

//! How a session takes the lock and reads the history: in one turn, or else one after the other.

use std::time::Duration;

use crate::connect::{Connection, Server};
use crate::error::Error;
use crate::event::{Event, Waiting};
use crate::history::History;
use crate::migrator::Migrator;
use crate::peers::Holder;
use crate::sql::{SessionSettings, Tables};
use crate::store::Extent;
use crate::{lock, store};

/// What the server says about itself, and the history.
pub(super) type Read = Result<(Server, History), Error>;

/// Sets the session up, takes the lock and reads the history in one turn; `None` where a part of that has not succeeded, such as
/// the lock of another migrator.
pub(super) async fn at_once(
    connection: &Connection,
    tables: &Tables,
    settings: &SessionSettings,
    extent: Extent,
    wait: Duration,
) -> Option<Read> {
    // Each is sent when it is polled first, in this order, and the server does the one after the other.
    let ready = connection.set_up(settings);
    let taken = lock::attempt(connection, tables);
    let read = store::look(connection, tables, extent, wait.min(store::LONGEST_WAIT));
    let (ready, taken, read) = futures_util::future::join3(ready, taken, read).await;
    // Where setting up was cut short and done again, the others may have run before it.
    (ready.is_ok() && taken.is_ok_and(|taken| taken)).then_some(read)
}

/// The same, one after the other, waiting for the lock.
pub(super) async fn one_by_one(
    migrator: &Migrator,
    connection: &mut Connection,
    tables: &Tables,
    settings: &SessionSettings,
    extent: Extent,
    wait: Duration,
) -> Read {
    connection.set_up(settings).await?;
    let waiting = |holder: &Holder, waited| {
        migrator.tell(Event::Waiting(Waiting::Lock { holder, waited, limit: wait }));
    };
    lock::acquire(connection, tables, wait, waiting).await?;
    store::look(connection, tables, extent, wait.min(store::LONGEST_WAIT)).await
}

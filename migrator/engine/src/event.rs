//! The events of an operation while it works, and the observer that hears them.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::error::DbError;

use crate::audit::Answer;
use crate::facts::Difference;
use crate::history::Direction;
use crate::peers::Holder;

/// Listens to the operations of a [`Migrator`](crate::Migrator).
///
/// Events come in order, each before the operation continues; a slow observer delays the work.
pub trait Observer: Send + Sync {
    /// Something has happened.
    fn event(&self, event: &Event<'_>);
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn event(&self, event: &Event<'_>) {
        (**self).event(event);
    }
}

/// What has happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A session is open.
    Connected {
        /// Where to, without the password.
        target: &'a str,
        /// The server that answered: `db1:5432`.
        host: &'a str,
        /// How long it took.
        took: Duration,
        /// The requested `sslmode`.
        sslmode: &'a str,
    },
    /// The history has been read.
    HistoryRead {
        /// The state table, qualified and quoted.
        table: &'a str,
        /// How many migrations are applied.
        applied: usize,
        /// How many events were read: those that decide.
        events: usize,
    },
    /// An operation is going to write to this database.
    WritesTo {
        /// The server: `db1:5432`.
        host: &'a str,
        /// The database.
        database: &'a str,
        /// The user who writes.
        user: &'a str,
        /// The release of PostgreSQL: `17.2`.
        version: &'a str,
        /// The environment of the database.
        environment: Option<&'a str>,
    },
    /// A warning that does not stop the work.
    Warning(&'a str),
    /// A newer release has applied these versions, which this binary does not know.
    Ahead(&'a [String]),
    /// The operation waits.
    Waiting(Waiting<'a>),
    /// The migration lock is held by this session.
    Locked {
        /// The key of the advisory lock.
        key: i64,
        /// The time waited.
        waited: Duration,
        /// This session's process on the server.
        pid: i32,
    },
    /// A step has begun; [`Event::Ended`] follows, however it ends.
    Started {
        /// `003_add_x`, or a repeatable's or a seed's name.
        step: &'a str,
        /// Its number in the plan, from 1.
        number: usize,
        /// How many steps the plan has.
        of: usize,
    },
    /// A step is on its way to the server, as one message.
    Sent {
        /// `003_add_x`, or a repeatable's name.
        step: &'a str,
        /// The length of the message.
        bytes: usize,
    },
    /// A statement that runs outside a transaction is on its way to the server.
    Statement {
        /// `003_add_x`.
        step: &'a str,
        /// Its number in the block, from 1.
        number: usize,
    },
    /// A statement of a block outside a transaction is done.
    Reached {
        /// `003_add_x`.
        step: &'a str,
        /// Its number in the block, from 1.
        number: usize,
        /// How many statements the block has.
        of: usize,
    },
    /// A notice of the server about the running step.
    Notice(Notice<'a>),
    /// What the server does for the running step: which session blocks it, how far an index build is.
    Progress {
        /// `003_add_x`, or a repeatable's name.
        step: &'a str,
        /// One sentence.
        text: &'a str,
        /// The same as data.
        doing: Doing<'a>,
    },
    /// What an interrupted run has left is repaired.
    Healing {
        /// `003_add_x`.
        step: &'a str,
        /// One sentence.
        text: &'a str,
    },
    /// A step is retried: another session held what it needs.
    Retrying {
        /// `003_add_x`, or a repeatable's or a seed's name.
        step: &'a str,
        /// What the server said, and which session was in the way.
        reason: &'a str,
        /// The time until the next try.
        pause: Duration,
        /// What the server says, as its code.
        sqlstate: Option<&'a str>,
        /// The session that was in the way, where it was seen.
        blocker: Option<&'a Holder>,
        /// The number of that try, from 2.
        attempt: u32,
        /// The time since the first try.
        waited: Duration,
        /// How long it is tried again.
        limit: Duration,
    },
    /// A step is done, and durable.
    Applied(&'a Applied),
    /// The step that was started last has ended, successfully or not.
    Ended,
    /// The connection was lost; the operation checks what was committed.
    ConnectionLost {
        /// What the server or the network says.
        reason: &'a str,
    },
    /// After a lost connection: everything, or the rest, was already done.
    FoundDone {
        /// What another migrator has done meanwhile; empty: this run has done everything.
        by_others: &'a [String],
        /// It is a seed.
        is_seed: bool,
    },
    /// A migration that this binary does not have, or not as it was applied, is rolled back by its recorded down block.
    RollsBackRecorded {
        /// `003_add_x`.
        step: &'a str,
        /// When it was recorded, in UTC, to the second: `2026-11-20 14:02:31`.
        at: &'a str,
        /// True: a newer release has applied it. False: it was edited since.
        is_newer: bool,
        /// The release that applied it.
        release: Option<&'a str>,
    },
    /// The data checks have run before or after an `up`.
    Checked {
        /// `before` or `after`.
        when: &'a str,
        /// The answers that are not clean.
        open: &'a [Answer],
    },
    /// The schema equals the compiled one.
    NoDrift,
    /// The schema is not compared with the compiled one.
    DriftSkipped {
        /// Why not.
        reason: &'a str,
    },
    /// After an `up`: the schema differs from the compiled one.
    Drifted(&'a [Difference]),
}

/// What an operation waits for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Waiting<'a> {
    /// Another session holds the migration lock.
    Lock {
        /// Which one.
        holder: &'a Holder,
        /// The time waited so far; the event comes again about once a second.
        waited: Duration,
        /// How long it waits.
        limit: Duration,
    },
    /// This run's own lost session still holds the migration lock.
    OldSession {
        /// The lost session.
        holder: &'a Holder,
    },
    /// The server is not back after a lost connection.
    Server {
        /// The time until the next try.
        pause: Duration,
    },
    /// The server does not accept connections yet.
    Connection {
        /// Where to, without the password.
        target: &'a str,
        /// What the server or the network says.
        reason: &'a str,
        /// The ways out.
        help: &'a [String],
    },
}

/// What the server does for a step.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Doing<'a> {
    /// Nothing: the step waits for a lock.
    Waits {
        /// Who blocks it.
        holder: &'a Holder,
    },
    /// It builds an index.
    BuildsIndex {
        /// The phase, as the server calls it.
        phase: &'a str,
        /// The blocks that are done in this phase.
        done: i64,
        /// The blocks of this phase.
        total: i64,
    },
}

/// A notice or a warning of the server.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Notice<'a> {
    /// `NOTICE`, `WARNING`, ...
    pub severity: &'a str,
    /// Its SQLSTATE.
    pub code: &'a str,
    /// What it says.
    pub message: &'a str,
    /// What belongs to it.
    pub detail: Option<&'a str>,
    /// What to do.
    pub hint: Option<&'a str>,
}

impl<'a> From<&'a DbError> for Notice<'a> {
    fn from(error: &'a DbError) -> Notice<'a> {
        Notice {
            severity: error.severity(),
            code: error.code().code(),
            message: error.message(),
            detail: error.detail(),
            hint: error.hint(),
        }
    }
}

/// A step that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// `003_add_x`, or a repeatable's name.
    pub step: String,
    /// The version; `None`: it is a repeatable.
    pub version: Option<String>,
    /// Which way a migration went; `None`: it is a repeatable.
    pub direction: Option<Direction>,
    /// How long it took.
    pub took: Duration,
}

//! Sessions and statements of your own beside the operations: what the developer's tasks are made of.
//!
//! A statement in [`ours`] is safe from whatever another user has planted in a schema of `search_path`; a failure becomes an
//! error with [`failed`], in the words of the operations.

pub use crate::adopt::history_tables;
pub use crate::connect::{Connection, failed, query, rows, said};
pub use crate::sql::{OURS, Tables, identifier, literal, ours, plain_identifier, unquoted};

use tokio_postgres::Client;

use crate::apply::{Body, Place, Subject, describe, run_alone};
use crate::connect::connect;
use crate::conninfo::ConnectionTarget;
use crate::embedded::{Block, Migration, Statement, StatementKind};
use crate::error::Error;
use crate::facts::Facts;
use crate::migrator::Migrator;
use crate::session::{Locked, Session};
use crate::sql::{insert_state, session};

impl Migrator {
    /// The tables in which its history is kept.
    pub fn tables(&self) -> Tables {
        Tables::new(&self.embedded.settings)
    }

    /// Opens a session without reading a history in it, such as in the maintenance database. The server's notices go nowhere.
    ///
    /// # Errors
    /// No connection.
    pub async fn open(&self, target: &ConnectionTarget) -> Result<Connection, Error> {
        connect(target, self.release.version, std::sync::Arc::new(|_| {})).await
    }
}

impl Connection {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The major release of the server; 0: it did not say.
    pub fn major(&self) -> i32 {
        self.major
    }

    /// The facts of the live schema without the history's own tables, whatever the history is; writes nothing.
    ///
    /// # Errors
    /// Same as for [`Session::facts`].
    pub async fn facts(&self, tables: &Tables) -> Result<Facts, Error> {
        Facts::read(self, tables).await
    }

    /// Runs a file of SQL verbatim, as one message: all of it or nothing. `starts` are the bytes at which its statements start; they
    /// place an error that the server gives no position for, and may be empty.
    ///
    /// # Errors
    /// What the server refuses, with its place in the file.
    pub async fn load(&self, file: String, text: String, starts: &[usize]) -> Result<(), Error> {
        self.load_in_parts(file, text, starts, starts.len()).await
    }

    /// Runs a file of SQL verbatim, in transactions of at most `size` statements. A transaction costs the server more per statement
    /// the more locks it holds: this is for a large file on a database that is thrown away when one of them fails. `starts` are the
    /// bytes at which its statements start.
    ///
    /// # Errors
    /// What the server refuses, with its place in the file; what is before that transaction is there.
    pub async fn load_in_parts(&self, file: String, text: String, starts: &[usize], size: usize) -> Result<(), Error> {
        let (whole, size) = (body(file, text, starts), size.max(1));
        let mut begin = 0;
        for next in (size..whole.statements.len()).step_by(size).chain([whole.statements.len()]) {
            let end = whole.statements.get(next).map_or(whole.text.len(), |statement| statement.range.start);
            let part = Body { range: begin..end, ..whole.clone() };
            begin = end;
            let Err(mut failure) = run_alone(&self.client, &part).await else { continue };
            if whole.statements.is_empty() && matches!(failure.place, Place::AtCommit) {
                failure.place = Place::Own;
            }
            let error = describe(&Subject::other(format!("the load of `{}`", whole.file)), &failure, None);
            return Err(failure.explain(error));
        }
        Ok(())
    }
}

/// A file that can be run; its text lives until the process ends, as that of compiled files does.
fn body(file: String, text: String, starts: &[usize]) -> Body {
    let statements = statements(starts, text.len());
    Body { file: file.leak(), range: 0..text.len(), text: text.leak(), statements: statements.leak() }
}

/// The statements of a text of `length` bytes, of which only the starts are known.
pub fn statements(starts: &[usize], length: usize) -> Vec<Statement> {
    let ends = starts.iter().skip(1).copied().chain([length]);
    let statement =
        |(&start, end): (&usize, usize)| Statement::new(start..end.max(start), StatementKind::Plain, "".into());
    starts.iter().zip(ends).map(statement).collect()
}

impl Session {
    /// Where the session is connected to.
    pub fn target(&self) -> &ConnectionTarget {
        &self.target
    }

    /// The tables of the history.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}

impl Locked {
    /// Where the session is connected to.
    pub fn target(&self) -> &ConnectionTarget {
        &self.executor.target
    }

    /// The tables of the history.
    pub fn tables(&self) -> &Tables {
        &self.executor.tables
    }

    /// Resets the session to what a block, or statements of your own, may rely on, as the operations do before each step.
    ///
    /// # Errors
    /// The errors of the client.
    pub async fn put_back(&self, block: Option<&Block>) -> Result<(), tokio_postgres::Error> {
        self.client().batch_execute(&self.reset(block)).await
    }

    /// What [`Locked::put_back`] sends. A session is still as it leaves it after statements that are all
    /// [`StatementKind::Neutral`], where there are no event triggers.
    pub fn reset(&self, block: Option<&Block>) -> String {
        session(&self.executor.session(block))
    }

    /// The statement that records a migration as applied, for a transaction of your own; it runs within [`ours`].
    pub fn record(&self, migration: &Migration) -> String {
        let label = (&*migration.version, &*migration.name, &*migration.checksum);
        insert_state(&self.executor.tables, &self.executor.run, label, None)
    }
}

//! One transaction as one message: fence, the file's SQL verbatim, the history's rows, COMMIT.

use std::ops::Range;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::failure::{Failure, Place};
use crate::embedded::Statement;
use crate::excerpt::byte_of_character;
use crate::sql::{SessionSettings, session};

/// The part of a file that is run.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// The file's path in messages.
    pub(crate) file: &'static str,
    /// The file's whole text.
    pub(crate) text: &'static str,
    /// The bytes of it that are sent.
    pub(crate) range: Range<usize>,
    /// The statements in that range.
    pub(crate) statements: &'static [Statement],
}

/// A message and the way back from a place in it to a place in the file.
pub(crate) struct Message {
    text: String,
    /// How many commands stand before the body: `BEGIN` and the fence.
    before: usize,
    /// Where the body stands in the message.
    at: usize,
    body: Body,
}

/// Opens every transaction of ours, whatever the role's defaults are.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

impl Message {
    /// `BEGIN`, the fence, the body, `after`, `COMMIT`.
    pub(crate) fn new(fence: Vec<String>, body: Body, after: Vec<String>) -> Message {
        Message::opened_by(BEGIN, fence, body, after)
    }

    /// The same with another opening statement: a `transaction:false` block writes its own.
    pub(crate) fn opened_by(begin: &str, fence: Vec<String>, body: Body, after: Vec<String>) -> Message {
        let before = 1 + fence.len();
        let mut text = format!("{begin};\n{};\n", fence.join(";\n"));
        let at = text.len();
        text.push_str(&body.text[body.range.clone()]);
        // The line end closes a comment on the last line. A migration may have changed its role or its durability:
        // the history's rows are written by the migrator, and durably.
        text.push_str("\n;\nRESET SESSION AUTHORIZATION; RESET ROLE; SET LOCAL synchronous_commit = on;\n");
        text.push_str(&after.join(";\n"));
        text.push_str(";\nCOMMIT");
        Message { text, before, at, body }
    }

    /// Sends it behind the session's reset, without waiting in between, and waits for its end.
    pub(crate) async fn send(&self, client: &Client, settings: SessionSettings) -> Result<(), Failure> {
        let reset = session(&settings);
        let (reset, outcome) = futures_util::future::join(client.batch_execute(&reset), run(client, &self.text)).await;
        let failed = match (reset, outcome) {
            (Ok(()), Ok(())) => return Ok(()),
            (Err(error), _) => Failure::new(error, Place::Own),
            (_, Err((error, completed))) => {
                let place = self.place(&error, completed);
                Failure::new(error, place)
            }
        };
        if !failed.lost {
            // What is left is a failed transaction, or, where the whole message could not be parsed, none.
            let _ = client.batch_execute("ROLLBACK").await;
        }
        Err(failed)
    }

    /// Sends it into the session as it is, which a `transaction:false` block has set up.
    pub(crate) async fn send_in_session(&self, client: &Client) -> Result<(), Failure> {
        let Err((error, completed)) = run(client, &self.text).await else { return Ok(()) };
        let place = self.place(&error, completed);
        let failed = Failure::new(error, place);
        if !failed.lost {
            let _ = client.batch_execute("ROLLBACK").await;
        }
        Err(failed)
    }

    fn place(&self, error: &tokio_postgres::Error, completed: usize) -> Place {
        let position = match error.as_db_error().and_then(|error| error.position()) {
            Some(ErrorPosition::Original(position)) => Some(*position as usize),
            _ => None,
        };
        let sent = self.body.range.len();
        if let Some(position) = position {
            let byte = byte_of_character(&self.text, position.saturating_sub(1));
            if (self.at..=self.at + sent).contains(&byte) {
                return self.in_file(self.body.range.start + byte - self.at);
            }
        }
        if completed < self.before {
            return Place::Fence(completed);
        }
        let inside = self.body.statements.iter().filter(|s| self.body.range.contains(&s.range.start));
        match inside.clone().nth(completed - self.before) {
            Some(statement) => self.in_file(statement.range.start),
            None => Place::AtCommit,
        }
    }

    fn in_file(&self, byte: usize) -> Place {
        Place::Body(super::failure::InFile { file: self.body.file, text: self.body.text, byte })
    }
}

/// Runs a message, throwing its rows away as they stream; with the error comes the number of completed commands.
async fn run(client: &Client, message: &str) -> Result<(), (tokio_postgres::Error, usize)> {
    let mut completed = 0;
    let stream = client.simple_query_raw(message).await.map_err(|error| (error, 0))?;
    let mut stream = std::pin::pin!(stream);
    loop {
        match stream.try_next().await {
            Ok(Some(SimpleQueryMessage::CommandComplete(_))) => completed += 1,
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => return Err((error, completed)),
        }
    }
}

/// Runs one statement of a file outside a transaction, verbatim.
pub(crate) async fn run_alone(client: &Client, body: &Body) -> Result<(), Failure> {
    let message = Message { text: body.text[body.range.clone()].to_owned(), before: 0, at: 0, body: body.clone() };
    match run(client, &message.text).await {
        Ok(()) => Ok(()),
        Err((error, completed)) => {
            let place = message.place(&error, completed);
            Err(Failure::new(error, place))
        }
    }
}

//! One transaction as one message: fence, the file's SQL verbatim, the history's rows, COMMIT.

use std::ops::Range;
use std::pin::Pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryStream};

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

/// A message that is not sent yet.
pub(crate) struct Message {
    text: String,
    layout: Layout,
}

/// The way back from a place in a message to a place in the file. It does without the message's text: a large one need
/// not be kept until the answer is there.
struct Layout {
    /// How many commands stand before the body: `BEGIN` and the fence.
    before: usize,
    /// How many characters stand before the body.
    at: usize,
    body: Body,
    /// How many commands of ours stand between the body and `COMMIT`.
    behind: usize,
}

/// Opens every transaction of ours, whatever the role's defaults are.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// When a commit becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Before the server answers.
    AtOnce,
    /// With the next commit that is: the write-ahead log is flushed in order.
    WithTheNext,
}

impl Durability {
    fn synchronous_commit(self) -> &'static str {
        match self {
            Durability::AtOnce => "on",
            Durability::WithTheNext => "off",
        }
    }
}

impl Message {
    /// `BEGIN`, the fence, the body, `after`, `COMMIT`.
    pub(crate) fn new(fence: Vec<String>, body: Body, after: Vec<String>, durability: Durability) -> Message {
        Message::opened_by(BEGIN, fence, body, after, durability)
    }

    /// The same with another opening statement: a `transaction:false` block writes its own.
    pub(crate) fn opened_by(
        begin: &str,
        fence: Vec<String>,
        body: Body,
        after: Vec<String>,
        durability: Durability,
    ) -> Message {
        let before = 1 + fence.len();
        let reset = ["RESET SESSION AUTHORIZATION", "RESET ROLE", "SET LOCAL synchronous_commit = "];
        let behind = reset.len() + after.len();
        let head = format!("{begin};\n{};\n", fence.join(";\n"));
        let at = head.chars().count();
        let rows: usize = after.iter().map(String::len).sum();
        let mut text = String::with_capacity(head.len() + body.range.len() + rows + 256);
        text.push_str(&head);
        text.push_str(&body.text[body.range.clone()]);
        // The line end closes a comment on the last line. A migration may have changed its role or its durability:
        // the history's rows are written by the migrator, and as durably as it says.
        text.push_str("\n;\n");
        text.push_str(&reset.join("; "));
        text.push_str(durability.synchronous_commit());
        let after = after.join(";\n");
        if planted("history-outside") {
            text.push_str(&format!(";\nCOMMIT;\n{after}"));
        } else {
            text.push_str(&format!(";\n{after};\nCOMMIT"));
        }
        Message { text, layout: Layout { before, at, body, behind } }
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Sends it behind the session's reset and returns without waiting for an answer.
    pub(crate) async fn start(self, client: &Client, settings: SessionSettings) -> Result<InFlight, Failure> {
        let own = |error| Failure::new(error, Place::Own);
        // Both calls return as soon as the request is queued; the answers are read from the streams.
        let reset = Box::pin(client.simple_query_raw(&session(&settings)).await.map_err(own)?);
        let answer = Box::pin(client.simple_query_raw(&self.text).await.map_err(own)?);
        Ok(InFlight { layout: self.layout, reset, answer })
    }

    /// Sends it and waits for its end; the session is never left inside a transaction.
    pub(crate) async fn send(self, client: &Client, settings: SessionSettings) -> Result<(), Failure> {
        let outcome = self.start(client, settings).await?.finish().await;
        if outcome.is_err() {
            rollback(client).await;
        }
        outcome
    }

    /// Sends it into the session as it is, which a `transaction:false` block has set up.
    pub(crate) async fn send_in_session(&self, client: &Client) -> Result<(), Failure> {
        let Err((error, completed)) = run(client, &self.text).await else { return Ok(()) };
        let place = self.layout.place(&error, completed);
        let failed = Failure::new(error, place);
        rollback(client).await;
        Err(failed)
    }
}

impl Layout {
    fn place(&self, error: &tokio_postgres::Error, completed: usize) -> Place {
        let position = match error.as_db_error().and_then(|error| error.position()) {
            Some(ErrorPosition::Original(position)) => Some(*position as usize),
            _ => None,
        };
        // The server counts the message's characters from 1.
        let inside = position.and_then(|position| position.checked_sub(1 + self.at));
        if let Some(inside) = inside {
            let sent = &self.body.text[self.body.range.clone()];
            let byte = byte_of_character(sent, inside);
            if byte < sent.len() || sent.chars().count() == inside {
                return self.in_file(self.body.range.start + byte);
            }
        }
        if completed < self.before {
            return Place::Fence(completed);
        }
        let inside = self.body.statements.iter().filter(|s| self.body.range.contains(&s.range.start));
        let completed = completed - self.before;
        match inside.clone().nth(completed) {
            Some(statement) => self.in_file(statement.range.start),
            None if completed < inside.count() + self.behind => Place::Recording,
            None => Place::AtCommit,
        }
    }

    fn in_file(&self, byte: usize) -> Place {
        Place::Body(super::failure::InFile { file: self.body.file, text: self.body.text, byte })
    }
}

/// A message that was sent and not answered yet.
pub(crate) struct InFlight {
    layout: Layout,
    reset: Pin<Box<SimpleQueryStream>>,
    answer: Pin<Box<SimpleQueryStream>>,
}

impl InFlight {
    /// Waits for the answer.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        if let Err((error, _)) = drain(&mut self.reset).await {
            // Where the reset fails, the session is in a failed transaction: so does everything behind it.
            let _ = drain(&mut self.answer).await;
            return Err(Failure::new(error, Place::Own));
        }
        let Err((error, completed)) = drain(&mut self.answer).await else { return Ok(()) };
        let place = self.layout.place(&error, completed);
        let failure = Failure::new(error, place);
        if planted("commit-ignored") && (failure.lost || matches!(failure.place, Place::Recording | Place::AtCommit)) {
            return Ok(());
        }
        Err(failure)
    }
}

/// Ends whatever transaction a failure has left. Where the whole message could not be parsed there is none; a session
/// that is gone has none either.
pub(crate) async fn rollback(client: &Client) {
    let _ = client.batch_execute("ROLLBACK").await;
}

/// Reads an answer to its end, throwing the rows away as they stream; with the error comes the number of completed
/// commands.
async fn drain(stream: &mut Pin<Box<SimpleQueryStream>>) -> Result<(), (tokio_postgres::Error, usize)> {
    let mut completed = 0;
    loop {
        match stream.try_next().await {
            Ok(Some(SimpleQueryMessage::CommandComplete(_))) => completed += 1,
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => return Err((error, completed)),
        }
    }
}

async fn run(client: &Client, message: &str) -> Result<(), (tokio_postgres::Error, usize)> {
    let stream = client.simple_query_raw(message).await.map_err(|error| (error, 0))?;
    drain(&mut Box::pin(stream)).await
}

/// Runs one statement of a file outside a transaction, verbatim.
pub(crate) async fn run_alone(client: &Client, body: &Body) -> Result<(), Failure> {
    let Err((error, completed)) = run(client, &body.text[body.range.clone()]).await else { return Ok(()) };
    let place = Layout { before: 0, at: 0, body: body.clone(), behind: 0 }.place(&error, completed);
    Err(Failure::new(error, place))
}

/// Whether a defect is switched on by which the chaos suite proves that it can fail: in the tests' own build of the engine.
#[cfg(feature = "planted-bugs")]
fn planted(defect: &str) -> bool {
    std::env::var("MIGRATOR_PLANTED_BUG").is_ok_and(|name| name == defect)
}

/// The migrator that ships cannot have any.
#[cfg(not(feature = "planted-bugs"))]
const fn planted(_defect: &str) -> bool {
    false
}

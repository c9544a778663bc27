//! One transaction as one message: fence, the file's SQL verbatim, the history's rows, COMMIT.

use std::ops::Range;
use std::pin::Pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryStream};

use super::failure::{Failure, Place};
use crate::embedded::{Statement, StatementKind};
use crate::excerpt::byte_of_character;
use crate::planted::planted;
use crate::sql::{OURS, SessionSettings, Short, session};

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

/// Maps a place in a message back to a place in the file, without the message's text: a large one need
/// not be kept until the answer arrives.
struct Layout {
    body: Body,
    /// The parts of the body in the order in which they are sent: what sets the transaction's characteristics, the rest.
    parts: [Part; 2],
    /// How many commands the fence has, `BEGIN` not counted; it is between the two parts.
    fence: usize,
    /// How many commands of ours are between the body and `COMMIT`.
    after: usize,
    /// It is a [`Message::short`] one.
    is_short: bool,
}

/// A part of the body in a message.
struct Part {
    /// How many characters are before it.
    at: usize,
    /// Bytes of the file.
    range: Range<usize>,
}

/// Opens every transaction of ours, whatever the role's defaults are.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// When a commit becomes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Before the server answers.
    AtOnce,
    /// With the next durable commit: the write-ahead log is flushed in order.
    WithTheNext,
}

impl Durability {
    pub(super) fn synchronous_commit(self) -> &'static str {
        match self {
            Durability::AtOnce => "on",
            Durability::WithTheNext => "off",
        }
    }
}

impl Message {
    /// `BEGIN`, the fence, the body, `after`, `COMMIT`.
    pub(crate) fn new(fence: Vec<String>, body: Body, after: Vec<String>, durability: Durability) -> Message {
        Message::opened_by(BEGIN, fence, body, Vec::new(), after, durability)
    }

    /// The same for a statement or a unit of a `transaction:false` block: `begin` may be the block's own, and `capture` keeps
    /// the state of its session.
    pub(crate) fn opened_by(
        begin: &str,
        fence: Vec<String>,
        body: Body,
        capture: Vec<String>,
        after: Vec<String>,
        durability: Durability,
    ) -> Message {
        // What follows is the migrator's own, as its own user: only for this transaction, as the session may have to live on.
        let synchronous = format!("SET LOCAL synchronous_commit = {}", durability.synchronous_commit());
        let mut tail = capture;
        tail.extend(["SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE"].map(str::to_owned));
        tail.extend(OURS.map(str::to_owned));
        tail.push(synchronous);
        let rows: usize = after.iter().map(String::len).sum();
        // The server refuses to set a transaction's characteristics after its first query, which would be the fence's.
        let lead = body.range.start..end_of_characteristics(&body);
        let rest = lead.end..body.range.end;
        let (head, fence_text) = (format!("{begin};\n"), format!("\n;\n{};\n", fence.join(";\n")));
        let mut text = String::with_capacity(head.len() + fence_text.len() + body.range.len() + rows + 512);
        text.push_str(&head);
        text.push_str(&body.text[lead.clone()]);
        text.push_str(&fence_text);
        text.push_str(&body.text[rest.clone()]);
        let before_lead = head.chars().count();
        let before_rest = before_lead + body.text[lead.clone()].chars().count() + fence_text.chars().count();
        // The line end closes a comment on the last line.
        text.push_str("\n;\n");
        text.push_str(&tail.join("; "));
        let layout = Layout {
            parts: [Part { at: before_lead, range: lead }, Part { at: before_rest, range: rest }],
            fence: fence.len(),
            after: tail.len() + after.len(),
            is_short: false,
            body,
        };
        let after = after.join(";\n");
        if planted("history-outside") {
            text.push_str(&format!(";\nCOMMIT;\n{after}"));
        } else {
            text.push_str(&format!(";\n{after};\nCOMMIT"));
        }
        Message { text, layout }
    }

    /// The same with a fence and rows that the session has prepared, around a body that leaves the session as it is. The session
    /// is as the reset has left it, which says how a transaction is.
    pub(crate) fn short(body: Body, Short { fence, rows }: &Short) -> Message {
        let head = format!("BEGIN;\n{fence};\n");
        let sql = &body.text[body.range.clone()];
        let (start, at) = (body.range.start, head.chars().count());
        // The line end closes a comment on the last line.
        let rows_and_end = rows.join(";\n");
        let end = if planted("history-outside") {
            format!("COMMIT;\n{rows_and_end}")
        } else {
            format!("{rows_and_end};\nCOMMIT")
        };
        let text = format!("{head}{sql}\n;\n{end}");
        let parts = [Part { at, range: start..start }, Part { at, range: body.range.clone() }];
        Message { text, layout: Layout { body, parts, fence: 1, after: rows.len(), is_short: true } }
    }

    /// A statement of a `transaction:false` block with its event, in a transaction of its own.
    pub(crate) fn in_block(
        fence: Vec<String>,
        body: Body,
        capture: Vec<String>,
        event: String,
        durability: Durability,
    ) -> Message {
        Message::opened_by(BEGIN, fence, body, capture, vec![event], durability)
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Sends it after messages of ours, each a transaction of its own, and returns without waiting for an answer.
    pub(crate) async fn start(self, client: &Client, before: &[String]) -> Result<InFlight, Failure> {
        // Each call returns as soon as the request is queued; the answers are read from the streams.
        let mut queued = Vec::with_capacity(before.len());
        for message in before {
            queued.push(start(client, message).await?);
        }
        Ok(InFlight { layout: self.layout, before: queued, answer: start(client, &self.text).await? })
    }

    /// Sends it after the session's reset and waits for its end; the session is never left inside a transaction.
    pub(crate) async fn send(self, client: &Client, settings: SessionSettings) -> Result<(), Failure> {
        let outcome = self.start(client, &[session(&settings)]).await?.finish().await;
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
    /// The body is all that is sent.
    fn alone(body: &Body) -> Layout {
        let start = body.range.start;
        let parts = [Part { at: 0, range: start..start }, Part { at: 0, range: body.range.clone() }];
        Layout { body: body.clone(), parts, fence: 0, after: 0, is_short: false }
    }

    fn place(&self, error: &tokio_postgres::Error, completed: usize) -> Place {
        let position = match error.as_db_error().and_then(|error| error.position()) {
            Some(ErrorPosition::Original(position)) => Some(*position as usize),
            _ => None,
        };
        // The server counts the message's characters from 1.
        let byte = position.and_then(|position| self.parts.iter().find_map(|part| part.byte(&self.body, position - 1)));
        if let Some(byte) = byte {
            return self.in_file(byte);
        }
        // In order: `BEGIN`, what sets its characteristics, the fence, the rest, the history, `COMMIT`.
        let [lead, rest] = [0, 1].map(|part| self.statements_in(&self.parts[part].range));
        let Some(in_lead) = completed.checked_sub(1) else { return Place::Fence(0) };
        if let Some(statement) = lead.get(in_lead) {
            return self.in_file(statement.range.start);
        }
        let in_fence = in_lead - lead.len();
        if in_fence < self.fence {
            return Place::Fence(1 + in_fence);
        }
        let in_rest = in_fence - self.fence;
        match rest.get(in_rest) {
            Some(statement) => self.in_file(statement.range.start),
            None if in_rest < rest.len() + self.after => Place::Recording,
            None => Place::AtCommit,
        }
    }

    fn statements_in(&self, range: &Range<usize>) -> Vec<&'static Statement> {
        self.body.statements.iter().filter(|statement| range.contains(&statement.range.start)).collect()
    }

    fn in_file(&self, byte: usize) -> Place {
        Place::Body(super::failure::InFile { file: self.body.file, text: self.body.text, byte })
    }
}

impl Part {
    /// The byte of the file at a character of the message; `None`, if it is in another part.
    fn byte(&self, body: &Body, character: usize) -> Option<usize> {
        let inside = character.checked_sub(self.at)?;
        let sent = &body.text[self.range.clone()];
        let byte = byte_of_character(sent, inside);
        (byte < sent.len() || !sent.is_empty() && sent.chars().count() == inside).then_some(self.range.start + byte)
    }
}

/// Where the statements end that set the transaction's characteristics, with other `SET`s among them; the start of the body,
/// if it does not begin with any.
fn end_of_characteristics(body: &Body) -> usize {
    let inside = body.statements.iter().filter(|statement| body.range.contains(&statement.range.start));
    let sets = |statement: &&Statement| {
        let word = body.text.get(statement.range.start..statement.range.start + 3);
        statement.kind.is_session() || word.is_some_and(|word| word.eq_ignore_ascii_case("set"))
    };
    let characteristics = inside.take_while(sets).filter(|statement| statement.kind == StatementKind::SetTransaction);
    characteristics.last().map_or(body.range.start, |statement| statement.range.end)
}

/// A message that was sent and not answered yet.
pub(crate) struct InFlight {
    layout: Layout,
    /// The answers to what was sent before it.
    before: Vec<Answer>,
    answer: Answer,
}

/// The answer to a message that was sent.
pub(crate) type Answer = Pin<Box<SimpleQueryStream>>;

/// Sends a message without waiting for the answer.
pub(crate) async fn start(client: &Client, message: &str) -> Result<Answer, Failure> {
    let answer = client.simple_query_raw(message).await.map_err(|error| Failure::new(error, Place::Own))?;
    Ok(Box::pin(answer))
}

impl InFlight {
    /// Waits for the answer.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        let mut failed = None;
        for answer in &mut self.before {
            // The first one to fail leaves the session in a failed transaction: so does everything after it.
            let outcome = drain(answer).await;
            failed = failed.or(outcome.err().map(|(error, _)| error));
        }
        if let Some(error) = failed {
            let _ = drain(&mut self.answer).await;
            return Err(Failure::new(error, Place::Own));
        }
        let Err((error, completed)) = drain(&mut self.answer).await else { return Ok(()) };
        let place = self.layout.place(&error, completed);
        let mut failure = Failure::new(error, place);
        let is_ours = matches!(failure.place, Place::Fence(_) | Place::Recording);
        failure.in_short = self.layout.is_short && is_ours && !failure.lost;
        if planted("commit-ignored") && (failure.lost || matches!(failure.place, Place::Recording | Place::AtCommit)) {
            return Ok(());
        }
        Err(failure)
    }
}

/// Ends whatever transaction a failure has left. Where the whole message could not be parsed, none is open; a session
/// that is gone has none either.
pub(crate) async fn rollback(client: &Client) {
    let _ = client.batch_execute("ROLLBACK").await;
}

/// Reads an answer to its end, dropping the rows as they stream; an error comes with the number of completed
/// commands.
pub(crate) async fn drain(stream: &mut Answer) -> Result<(), (tokio_postgres::Error, usize)> {
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
    let place = Layout::alone(body).place(&error, completed + 1);
    Err(Failure::new(error, place))
}

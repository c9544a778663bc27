//! Messages that are sent without waiting for the answers to those before them.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::{Client, Error, SimpleQueryRow, SimpleQueryStream};

use migrator_engine::client::rows;

/// What is on its way to the server, and what comes back.
pub(super) struct Queue<'c> {
    client: &'c Client,
    sent: VecDeque<Pin<Box<SimpleQueryStream>>>,
}

impl<'c> Queue<'c> {
    /// Nothing is on its way.
    pub(super) fn new(client: &'c Client) -> Queue<'c> {
        Queue { client, sent: VecDeque::new() }
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: &str) -> Result<(), Error> {
        self.sent.push_back(Box::pin(self.client.simple_query_raw(message).await?));
        Ok(())
    }

    /// Waits for the answer to the oldest message; its rows are of no interest.
    pub(super) async fn done(&mut self) -> Result<(), Error> {
        let Some(mut answer) = self.sent.pop_front() else { return Ok(()) };
        while answer.try_next().await?.is_some() {}
        Ok(())
    }

    /// Waits for the answers to all messages; the rows of the last one.
    ///
    /// # Errors
    /// The first message that failed: those after it in the same transaction fail too, and say less.
    pub(super) async fn finish(mut self) -> Result<Vec<SimpleQueryRow>, Error> {
        while self.sent.len() > 1 {
            self.done().await?;
        }
        match self.sent.pop_front() {
            Some(answer) => Ok(rows(answer.try_collect().await?)),
            None => Ok(Vec::new()),
        }
    }
}

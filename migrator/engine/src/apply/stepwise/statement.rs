//! A statement that runs outside a transaction: "started", the statement verbatim, "done".

use std::time::Instant;

use super::block::Run;
use crate::apply::failure::Failure;
use crate::apply::healing::{self, Next};
use crate::apply::patience::pause;
use crate::apply::transaction::run_alone;
use crate::apply::watch;
use crate::embedded::{Statement, StatementKind};
use crate::event::Event;
use crate::history::OpenStatement;
use crate::sql::NewEvent;
use crate::units::Unit;

impl Run<'_> {
    /// started, the statement verbatim, done; again while other sessions hold the locks that it needs.
    pub(super) async fn statement(
        &self,
        unit: &Unit,
        statement: &Statement,
        mut open: Option<OpenStatement>,
    ) -> Result<(), Failure> {
        let label = self.migration.label();
        let mut patience = self.patience();
        loop {
            let here = (self.migration, self.block);
            if healing::prepare(self.executor, here, statement, open.as_ref()).await? == Next::Done {
                return self.record(&self.event(unit, "done")).await;
            }
            self.record(&self.event(unit, "started")).await?;
            let begun = Instant::now();
            let outcome = watch::while_running(self.executor, &label, self.send(unit, &statement.kind)).await;
            let duration_ms = Some(begun.elapsed().as_millis());
            let Err(mut failure) = outcome else {
                let done = NewEvent { duration_ms, ..self.event(unit, "done") };
                // It has run, but no row says so.
                return self.record(&done).await.map_err(|failure| Failure { in_doubt: true, ..failure });
            };
            // DO and CALL may have committed a part before they failed: their outcome stays open until a person decides.
            failure.in_doubt = statement.kind == StatementKind::MayCommit;
            if failure.lost || failure.in_doubt {
                return Err(failure);
            }
            let detail = failure.summary();
            self.record(&NewEvent { detail: Some(&detail), duration_ms, ..self.event(unit, "failed") }).await?;
            if !pause(self.executor, &label, &failure, &mut patience).await {
                return Err(failure);
            }
            let number = i32::try_from(unit.number).unwrap_or(i32::MAX);
            open = Some(OpenStatement { number, checksum: unit.checksum.clone(), failed: true, detail: Some(detail) });
        }
    }

    /// Sends a statement as it is written.
    async fn send(&self, unit: &Unit, kind: &StatementKind) -> Result<(), Failure> {
        let client = &self.executor.connection.client;
        self.executor.tell(Event::Statement { step: &self.migration.label(), number: unit.number });
        let body = self.body(unit);
        let sent = run_alone(client, &body);
        if kind.is_concurrent() {
            healing::without_lock_timeout(self.executor, self.block, sent).await
        } else {
            sent.await
        }
    }
}

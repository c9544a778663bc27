//! One file of `db/tests`: before, up, after, down, rolled back, up again, after.

use std::collections::BTreeSet;

use migrator_build::{DataTest, Expected, Moment, TestStatement};
use migrator_diagnostic::{Diagnostic, Level, Place, Source};
use tokio_postgres::Client;
use tokio_postgres::error::ErrorPosition;

use super::ladder::{self, Ladder};
use super::query::{self, Returned};
use super::table;
use crate::prove::scratch::Database;
use migrator_engine::Error;
use migrator_engine::client::{failed, said};
use migrator_engine::embedded::Migration;
use migrator_engine::words::count;

/// Runs a test in a database of its own; `index` is that of the migration. Returns what failed, each as it is shown.
///
/// # Errors
/// An earlier migration does not go up, a lost connection.
pub(in crate::prove) async fn run(
    ladder: &mut Ladder<'_>,
    test: &DataTest,
    (index, migration): (usize, &Migration),
) -> Result<Vec<String>, Error> {
    let mut database = ladder.database(index).await?;
    let mut run =
        Run { test, source: Source::new(&*test.file, &*test.text), failures: Vec::new(), told: BTreeSet::new() };
    let outcome = run.all(&mut database, migration).await;
    ladder.leave(database).await;
    outcome.map(|()| run.failures)
}

/// A test that runs.
struct Run<'t> {
    test: &'t DataTest,
    source: Source,
    failures: Vec<String>,
    /// Where the statements are whose failure is told: the second time it would be the same.
    told: BTreeSet<usize>,
}

impl Run<'_> {
    async fn all(&mut self, database: &mut Database, migration: &Migration) -> Result<(), Error> {
        let label = migration.label();
        if !self.prepare(database, &label).await? {
            return Ok(());
        }
        if let Err(error) = ladder::up(database, migration).await {
            self.step_failed(&format!("with these rows, {label} does not go up"), &error);
            return Ok(());
        }
        self.assert(database, Moment::After, &format!("after {label}")).await?;
        if migration.down.is_none() {
            return Ok(());
        }
        if let Err(error) = ladder::down(database).await {
            self.step_failed(&format!("with these rows, {label} cannot be rolled back"), &error);
            return Ok(());
        }
        self.assert(database, Moment::RolledBack, &format!("after the rollback of {label}")).await?;
        if let Err(error) = ladder::up(database, migration).await {
            self.step_failed(&format!("with these rows, {label} does not go up again after its rollback"), &error);
            return Ok(());
        }
        self.assert(database, Moment::After, &format!("after {label} went up again")).await
    }

    /// Puts the rows in place; false: a statement fails.
    async fn prepare(&mut self, database: &Database, label: &str) -> Result<bool, Error> {
        let client = begin(database).await?;
        let statements = self.test.block(Moment::Before).map_or(&[][..], |block| &block.statements);
        for statement in statements {
            if let Err(error) = query::run(client, self.sql(statement)).await {
                let title = format!("before {label}: the statement fails");
                self.refused(statement, &title, error)?;
                client.batch_execute("ROLLBACK").await.map_err(lost)?;
                return Ok(false);
            }
        }
        let committed = client.batch_execute("COMMIT").await;
        if let (Err(error), Some(last)) = (committed, statements.last()) {
            self.refused(last, &format!("before {label}: the rows are refused at COMMIT"), error)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Asks every question of a moment. What a statement writes is there for those after it, and undone at the end.
    async fn assert(&mut self, database: &Database, moment: Moment, when: &str) -> Result<(), Error> {
        let Some(block) = self.test.block(moment) else { return Ok(()) };
        let client = begin(database).await?;
        for statement in &block.statements {
            client.batch_execute("SAVEPOINT asserted").await.map_err(lost)?;
            match query::run(client, self.sql(statement)).await {
                Ok(returned) => self.judge(statement, &returned, when),
                Err(error) => {
                    let expected = matches!((&statement.expected, error.code()), (Some(Expected::Error(expected)), Some(code)) if expected == code.code());
                    if !expected {
                        self.refused(statement, &format!("{when}: the statement fails"), error)?;
                    }
                    client.batch_execute("ROLLBACK TO SAVEPOINT asserted").await.map_err(lost)?;
                }
            }
        }
        client.batch_execute("ROLLBACK").await.map_err(lost)
    }

    fn sql(&self, statement: &TestStatement) -> &str {
        &self.test.text[statement.range.clone()]
    }

    fn judge(&mut self, statement: &TestStatement, returned: &Returned, when: &str) {
        let (columns, rows) = (&returned.columns, &returned.rows);
        let rows_of = |number: usize| count(number, "row");
        let failure = match &statement.expected {
            None if returned.count == 0 => None,
            None => {
                let title = format!("{when}: {}, and there must be none", rows_of(returned.count));
                Some((title, table::rows(columns, rows, returned.count)))
            }
            Some(Expected::Rows { columns: names, rows: expected }) if names == columns && expected == rows => None,
            Some(Expected::Rows { columns: names, rows: expected }) => {
                let what = if names == columns { rows_of(expected.len()) } else { "columns".to_owned() };
                let title = format!("{when}: not the expected {what}");
                Some((title, table::difference((names, expected), (columns, rows), returned.count)))
            }
            Some(Expected::Error(state)) => {
                Some((format!("{when}: the statement succeeds, and must fail with {state}"), Vec::new()))
            }
        };
        if let Some((title, lines)) = failure {
            self.fail(statement, 0, &title, ("", &lines));
        }
    }

    /// A refusal of the server, shown where it points to.
    ///
    /// # Errors
    /// The connection is lost.
    fn refused(&mut self, statement: &TestStatement, title: &str, error: tokio_postgres::Error) -> Result<(), Error> {
        let Some(server) = error.as_db_error().filter(|server| !matches!(server.severity(), "FATAL" | "PANIC")) else {
            return Err(lost(error));
        };
        let at = match server.position() {
            Some(ErrorPosition::Original(at)) => {
                let sql = self.sql(statement);
                let character = (*at as usize).saturating_sub(1);
                sql.char_indices().nth(character).map_or(sql.len(), |(byte, _)| byte)
            }
            _ => 0,
        };
        let detail: Vec<String> = server.detail().map(|detail| format!("DETAIL: {detail}")).into_iter().collect();
        self.fail(statement, at, title, (&said(&error), &detail));
        Ok(())
    }

    /// At a byte of the statement, with a label there and lines below.
    fn fail(&mut self, statement: &TestStatement, at: usize, title: &str, (label, lines): (&str, &[String])) {
        if !self.told.insert(statement.range.start) {
            return;
        }
        let byte = statement.range.start + at;
        let (line, _) = self.source.position(byte);
        let start = self.source.line_start(byte);
        let text = self.source.text[start..].lines().next().unwrap_or_default();
        let place = Place::Line { file: &self.test.file, line, text, byte: byte - start };
        let notes: Vec<String> = if lines.is_empty() { Vec::new() } else { vec![lines.join("\n")] };
        let diagnostic = Diagnostic { level: Level::Error, code: None, title, place, label, notes: &notes, help: &[] };
        self.failures.push(diagnostic.render(false));
    }

    fn step_failed(&mut self, title: &str, error: &Error) {
        self.failures.push(format!("{}: {title}\n{}", self.test.file, error.render(false).trim_end()));
    }
}

/// Opens a transaction in a session as a migration finds it.
async fn begin(database: &Database) -> Result<&Client, Error> {
    database.locked.put_back(None).await.map_err(lost)?;
    let client = database.locked.client();
    client.batch_execute("BEGIN").await.map_err(lost)?;
    Ok(client)
}

fn lost(error: tokio_postgres::Error) -> Error {
    failed("running the tests with data", error)
}

//! The schema of a scratch database as one text that the server writes, for comparing it after every migration.
//!
//! Two equal texts are two equal schemas; only where they differ is a text taken apart. That, and a statement that is planned
//! once for many readings, is what makes three readings for each migration bearable.

use futures_util::future::join3;
use tokio_postgres::{Client, Statement};

use migrator_engine::Error;
use migrator_engine::client::{Tables, failed};
use migrator_engine::facts::{Fact, Facts, catalog};

/// The facts at one moment, as [`catalog::listing`] writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading(String);

impl Reading {
    /// Takes the text apart.
    ///
    /// # Errors
    /// A text of another form: a defect of ours.
    pub(super) fn facts(&self) -> Result<Facts, Error> {
        let mut rest = self.0.as_str();
        let mut facts = Vec::new();
        while !rest.is_empty() {
            let (fact, behind) = first_fact(rest).ok_or_else(|| {
                Error::other("the server returned the facts of the schema in an unknown form")
                    .help("this is a bug in migrator: please report it")
            })?;
            facts.push(fact);
            rest = behind;
        }
        Ok(facts.into_iter().collect())
    }
}

/// `6 5 0 6 public...`: four lengths in bytes, each with a space after it, then the four fields.
fn first_fact(text: &str) -> Option<(Fact, &str)> {
    let mut rest = text;
    let mut lengths = [0_usize; 4];
    for length in &mut lengths {
        let (number, behind) = rest.split_once(' ')?;
        *length = number.parse().ok()?;
        rest = behind;
    }
    let mut field = |length: usize| {
        let (field, behind) = (rest.get(..length)?, rest.get(length..)?);
        rest = behind;
        Some(field.to_owned())
    };
    let [object, kind, part, definition] = lengths;
    let fact = Fact { object: field(object)?, kind: field(kind)?, part: field(part)?, definition: field(definition)? };
    Some((fact, rest))
}

/// Asks one database again and again.
///
/// For a session of its own: between migrations everything that was prepared in theirs is thrown away.
#[derive(Default)]
pub(super) struct Reader {
    /// The statement, and how long the answer was when it was planned.
    prepared: Option<(Statement, usize)>,
}

const DOING: &str = "reading the schema";

impl Reader {
    /// What the schema is at this moment; writes nothing.
    ///
    /// # Errors
    /// A lost connection, the server's refusal.
    pub(super) async fn read(
        &mut self,
        client: &Client,
        version_number: i32,
        tables: &Tables,
    ) -> Result<Reading, Error> {
        let statement = match &self.prepared {
            Some((statement, _)) => statement.clone(),
            None => {
                let text = catalog::listing(version_number / 10_000, tables);
                prepare(client, &text).await.map_err(|error| failed(DOING, error))?
            }
        };
        // The three are on their way before the first is answered.
        let (begun, answer, ended) = join3(
            client.batch_execute(catalog::BEGIN),
            client.query_one(&statement, &[]),
            client.batch_execute("ROLLBACK"),
        )
        .await;
        let row = begun.and(answer).map_err(|error| failed(DOING, error))?;
        ended.map_err(|error| failed(DOING, error))?;
        let text: String = row.try_get(0).map_err(|error| failed(DOING, error))?;
        let unknown: bool = row.try_get(1).map_err(|error| failed(DOING, error))?;
        if unknown {
            Reading(text.clone()).facts()?.refuse_unknown(&[])?;
        }
        let planned_for = self.prepared.take().map_or(text.len(), |(_, length)| length);
        // A plan for a few objects is a bad one for many.
        if text.len() / 2 <= planned_for {
            self.prepared = Some((statement, planned_for));
        }
        Ok(Reading(text))
    }
}

/// Under the settings under which it will run: the server makes another plan when the search path has changed.
async fn prepare(client: &Client, text: &str) -> Result<Statement, tokio_postgres::Error> {
    client.batch_execute(catalog::BEGIN).await?;
    let statement = client.prepare(text).await;
    client.batch_execute("ROLLBACK").await?;
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_apart_by_the_lengths_in_bytes() {
        let definition = "1 2 3 4 'ä'\n\u{1}";
        let length = definition.len();
        let text = format!("8 5 0 6 public.atableLOGGED8 8 1 {length} public.bfunctionx{definition}");
        let fact = |object: &str, kind: &str, part: &str, definition: &str| Fact {
            object: object.into(),
            kind: kind.into(),
            part: part.into(),
            definition: definition.into(),
        };
        let expected =
            [fact("public.a", "table", "", "LOGGED"), fact("public.b", "function", "x", definition)].into_iter();
        assert_eq!(Reading(text).facts().unwrap(), expected.collect());
        assert_eq!(Reading(String::new()).facts().unwrap(), Facts::default());
    }

    #[test]
    fn a_text_that_ends_too_early_is_refused() {
        for text in ["8 5 0 6 public.atableLOG", "8 5 0", "8 5 x 6 public.atableLOGGED", "1 0 0 0 ä"] {
            let error = Reading(text.into()).facts().unwrap_err();
            expect_test::expect![[r#"
                error: the server returned the facts of the schema in an unknown form
                  = help: this is a bug in migrator: please report it"#]]
            .assert_eq(error.render(false).trim_end());
        }
    }
}

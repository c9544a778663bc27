//! Differences that are none to the client of a query, as the server can say.

use migrator_engine::Error;
use migrator_engine::client::Connection;
use migrator_sql::{Sql, Words, lex};

use super::application;
use super::case::Case;
use super::description::{Description, Difference, Standing};
use super::judgement::{Asker, Break};
use super::query::Query;
use super::survey;
use crate::prove::scratch::Database;

/// Takes them out of the breaks. `seen`: what the queries are before and after; the database is the one after.
///
/// # Errors
/// A lost connection.
pub(super) async fn accept(
    breaks: &mut Vec<Break>,
    case: &Case<'_>,
    seen: (&[Standing], &[Standing]),
    database: &Database,
) -> Result<(), Error> {
    let mut session = None;
    for found in breaks.iter_mut() {
        let Asker::Query(index) = found.asker else { continue };
        let (Standing::Works(was), Standing::Works(is)) = (&seen.0[index], &seen.1[index]) else { continue };
        if session.is_none() {
            session = Some(application::open(&database.context, case.role).await?);
        }
        let Some(session) = &session else { continue };
        let query = &case.queries[index];
        of_parameters(session, query, was, &mut found.differences).await?;
        of_nulls(session, query, (was, is), &mut found.differences).await?;
    }
    breaks.retain(|found| !found.differences.is_empty());
    Ok(())
}

/// A client that names the types of its parameters itself (sqlx) is not asked which types the server would choose.
async fn of_parameters(
    session: &Connection,
    query: &Query,
    was: &Description,
    differences: &mut Vec<Difference>,
) -> Result<(), Error> {
    let is_type = |difference: &Difference| matches!(difference, Difference::ParameterType { .. });
    if query.declared.is_some()
        && differences.iter().any(is_type)
        && survey::takes(session.client(), &query.text, &was.types).await?
    {
        differences.retain(|difference| !is_type(difference));
    }
    Ok(())
}

/// A column that takes NULL now gives none where the query asks for other rows, or has just written a value there itself.
async fn of_nulls(
    session: &Connection,
    query: &Query,
    (was, is): (&Description, &Description),
    differences: &mut Vec<Difference>,
) -> Result<(), Error> {
    let returns_its_own = is_plain_insert(&query.text) && was.newly_null(is).is_empty();
    let mut kept = Vec::with_capacity(differences.len());
    for difference in differences.drain(..) {
        let is_none = match &difference {
            Difference::Nullable { .. } if returns_its_own => true,
            Difference::Nullable { number, .. } => {
                survey::is_never_null(session.client(), &query.text, is.columns.len(), number - 1).await?
            }
            _ => false,
        };
        if !is_none {
            kept.push(difference);
        }
    }
    *differences = kept;
    Ok(())
}

/// An INSERT that returns nothing but the rows that it has written: a NULL in one of them was refused before, so its client gives none.
fn is_plain_insert(text: &str) -> bool {
    let tokens = lex(text).tokens;
    let words = Words::new(text, &tokens);
    // ON CONFLICT DO UPDATE returns a row that was there.
    matches!(Sql::of(&words), Sql::Insert(_)) && !(words.has("conflict") && words.has("update"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_that_updates_returns_what_was_there() {
        assert!(is_plain_insert("INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING RETURNING *"));
        assert!(!is_plain_insert("INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1 RETURNING *"));
        assert!(!is_plain_insert("WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM x"));
    }
}

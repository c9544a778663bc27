//! Functions, procedures and triggers in PL/pgSQL and the like: the server reads their statements only when it comes to them.

use migrator_engine::Error;
use migrator_engine::client::{Connection, query};
use migrator_sql::{Words, lex};

/// One of them.
#[derive(Debug)]
pub(super) struct Procedure {
    /// With its schema.
    pub(super) name: String,
    body: String,
    is_plpgsql: bool,
}

/// Reads all that are there, apart from those of extensions.
///
/// # Errors
/// A lost connection.
pub(super) async fn read(connection: &Connection) -> Result<Vec<Procedure>, Error> {
    let rows = query(connection.client(), "reading the procedures", include_str!("procedures.sql")).await?;
    let procedure = |row: &tokio_postgres::SimpleQueryRow| Procedure {
        name: row.get("name").unwrap_or_default().to_owned(),
        body: row.get("body").unwrap_or_default().to_owned(),
        is_plpgsql: row.get("is_plpgsql") == Some("t"),
    };
    Ok(rows.iter().map(procedure).collect())
}

impl Procedure {
    /// Whether it may use something of one of these names. Where it makes a statement at run time, or takes a row as a whole, it may use
    /// what it does not name.
    pub(super) fn may_use(&self, names: &[String]) -> bool {
        if !self.is_plpgsql || mentions(&self.body, names) {
            return true;
        }
        let tokens = lex(&self.body).tokens;
        let words = Words::new(&self.body, &tokens);
        let is_row = |at: usize| {
            let is_returned = at.checked_sub(1).is_some_and(|before| words.is(before, "return"));
            words.is_any(at, &["new", "old"]) && words.at(at + 1) != "." && !is_returned
        };
        (0..tokens.len()).any(|at| words.is(at, "execute") || is_star(&words, at) || is_row(at))
    }
}

/// Whether a query or a body may take all columns of a row without their names: `*`, but not `count(*)`. A product is taken for it.
pub(super) fn has_star(text: &str) -> bool {
    let tokens = lex(text).tokens;
    let words = Words::new(text, &tokens);
    (0..tokens.len()).any(|at| is_star(&words, at))
}

fn is_star(words: &Words<'_>, at: usize) -> bool {
    let is_count = at > 0 && words.at(at - 1) == "(" && words.at(at + 1) == ")";
    words.at(at) == "*" && !is_count
}

/// Whether a text has one of the names as a word, in whatever case, also in a string or a comment.
pub(super) fn mentions(text: &str, names: &[String]) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let text = text.to_lowercase();
    names.iter().map(|name| name.to_lowercase()).any(|name| match name.chars().all(is_part) {
        true => text.split(|c| !is_part(c)).any(|word| word == name),
        false => text.contains(&name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_may_be_all_columns() {
        assert!(has_star("SELECT t.* FROM t") && has_star("SELECT * FROM t"));
        assert!(!has_star("SELECT count(*), '*' FROM t -- *"));
    }

    #[test]
    fn a_body_that_names_it_or_takes_rows_as_a_whole_may_use_it() {
        let names = ["users".to_owned(), "Full name".to_owned()];
        let may_use = |body: &str, is_plpgsql| {
            Procedure { name: String::new(), body: body.to_owned(), is_plpgsql }.may_use(&names)
        };
        for body in [
            "BEGIN PERFORM 1 FROM core.Users; END",
            "BEGIN x := r.\"full name\"; END",
            "BEGIN EXECUTE format('DELETE FROM %I', t); END",
            "BEGIN INSERT INTO log SELECT NEW.*; RETURN NEW; END",
            "BEGIN INSERT INTO log VALUES (to_jsonb(OLD)); RETURN NULL; END",
        ] {
            assert!(may_use(body, true), "{body}");
        }
        for body in
            ["BEGIN NEW.updated_at := now(); RETURN NEW; END", "BEGIN SELECT count(*) INTO n FROM user_names; END"]
        {
            assert!(!may_use(body, true) && may_use(body, false), "{body}");
        }
    }
}

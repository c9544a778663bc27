//! Which procedures of a db directory end transactions: a `CALL` of any other is an ordinary statement.

use std::collections::HashMap;

use migrator_sql::{Kind, Words, lex, split};

use crate::source::Source;

/// The procedures that the directory creates, by their unqualified names in lower case.
#[derive(Debug, Default)]
pub(crate) struct Procedures {
    may_commit: HashMap<String, bool>,
}

impl Procedures {
    /// The procedures that these files create.
    pub(crate) fn of<'a>(sources: impl Iterator<Item = &'a Source>) -> Procedures {
        let mut procedures = Procedures::default();
        for source in sources.filter(|source| mentions_procedure(&source.text)) {
            let lexed = lex(&source.text);
            split(&source.text, &lexed.tokens).iter().for_each(|words| procedures.take(words));
        }
        procedures
    }

    fn take(&mut self, words: &Words<'_>) {
        let kind = words.skip(1, &["or", "replace"]);
        if words.is(0, "create") && words.is(kind, "procedure") {
            // One of several procedures with that name is enough.
            *self.may_commit.entry(name(words, kind + 1)).or_default() |= ends_transaction(words);
        }
    }

    /// True if the `CALL` may end its transaction: the procedure does, or is unknown.
    pub(crate) fn may_commit(&self, call: &Words<'_>) -> bool {
        self.may_commit.get(&name(call, 1)).copied().unwrap_or(true)
    }
}

fn mentions_procedure(text: &str) -> bool {
    text.as_bytes().windows(9).any(|window| window.eq_ignore_ascii_case(b"procedure"))
}

/// The last part of the name at an index.
fn name(words: &Words<'_>, index: usize) -> String {
    words.at(words.behind_name(index).saturating_sub(1)).trim_matches('"').to_lowercase()
}

/// True if the body of a `DO` or of a procedure contains a `COMMIT`, a `ROLLBACK` or a `CALL`.
pub(crate) fn ends_transaction(words: &Words<'_>) -> bool {
    let language = words.find("language").map(|at| words.at(at + 1).trim_matches(['"', '\'']).to_lowercase());
    let mut bodies = words.tokens.iter().filter(|token| matches!(token.kind, Kind::Dollar | Kind::Text | Kind::Escape));
    match language.as_deref() {
        Some("sql") => false,
        Some("plpgsql") | None => bodies.any(|body| ends_in_plpgsql(body.text(words.text))),
        Some(_) => bodies.any(|body| {
            let body = body.text(words.text).to_lowercase();
            body.contains("commit") || body.contains("rollback")
        }),
    }
}

fn ends_in_plpgsql(literal: &str) -> bool {
    let body = match literal.strip_prefix('$') {
        Some(rest) => {
            let tag = rest.find('$').map_or(0, |at| at + 2);
            literal.get(tag..literal.len().saturating_sub(tag)).unwrap_or_default()
        }
        None => literal.trim_start_matches(['e', 'E']).trim_matches('\''),
    };
    let lexed = lex(body);
    let words = Words::new(body, &lexed.tokens);
    let starts = |at: usize| {
        at == 0 || [";", ">>"].contains(&words.at(at - 1)) || words.is_any(at - 1, &["begin", "then", "else", "loop"])
    };
    (0..words.tokens.len()).any(|at| words.is_any(at, &["commit", "rollback", "call"]) && starts(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_which_calls_may_commit() {
        let text = "CREATE PROCEDURE core.plain() LANGUAGE plpgsql AS $$BEGIN
                        CREATE TEMP TABLE x (committed bool) ON COMMIT DROP; -- COMMIT
                        RAISE NOTICE 'COMMIT;'; UPDATE t SET commit = true;
                    END$$;
                    CREATE OR REPLACE PROCEDURE ends() LANGUAGE plpgsql AS $x$BEGIN UPDATE t SET a = 1; COMMIT; END$x$;
                    CREATE PROCEDURE quoted() LANGUAGE plpgsql AS 'BEGIN IF a THEN ROLLBACK; END IF; END';
                    CREATE PROCEDURE nested() LANGUAGE plpgsql AS $$BEGIN LOOP CALL ends(); END LOOP; END$$;
                    CREATE PROCEDURE in_sql() LANGUAGE sql AS 'INSERT INTO t VALUES (1)';
                    CREATE PROCEDURE atomic() BEGIN ATOMIC INSERT INTO t VALUES (1); END;
                    CREATE PROCEDURE python() LANGUAGE plpython3u AS 'plpy.commit()';";
        let procedures = Procedures::of([Source::new("x", text)].iter());
        for (call, may_commit) in [
            ("CALL plain()", false),
            ("CALL core.\"plain\" ()", false),
            ("CALL ends()", true),
            ("CALL quoted()", true),
            ("CALL nested()", true),
            ("CALL in_sql()", false),
            ("CALL atomic()", false),
            ("CALL python()", true),
            ("CALL unknown()", true),
        ] {
            assert_eq!(procedures.may_commit(&Words::new(call, &lex(call).tokens)), may_commit, "{call}");
        }
    }
}

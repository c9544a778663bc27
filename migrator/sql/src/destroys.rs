//! Whether a statement destroys data: what it takes is in no other place of the database afterwards.
//!
//! In doubt it does: the answer decides whether a backup is asked for. Not counted are an `UPDATE` with a condition, which is how a
//! backfill is written, and what a function does that a query calls, which no text shows.

use crate::alter_table::{AlterTable, ColumnChange, TableChange};
use crate::drop::Drop;
use crate::lexer::{Kind, lex};
use crate::name::{Name, Object};
use crate::object_kind::ObjectKind;
use crate::sql::Sql;
use crate::statements::split;
use crate::words::Words;

/// How deep a text in a text is read: `DO`, `EXECUTE '...'`, and what that holds.
const DEEPEST: usize = 3;

/// Those of the statements of one block that destroy data, by their index. What the same block has made before is no loss.
pub fn destroying(statements: &[Words<'_>]) -> Vec<usize> {
    let mut made: Vec<Object> = Vec::new();
    let mut found = Vec::new();
    for (index, words) in statements.iter().enumerate() {
        let sql = Sql::of(words);
        let targets = sql.targets();
        let of_tables = !matches!(&sql, Sql::Drop(dropped) if dropped.kind != ObjectKind::Table);
        let is_new = of_tables && !targets.is_empty() && targets.iter().all(|target| made.contains(target));
        if !is_new && destroys(words, &sql) {
            found.push(index);
        }
        // With `IF NOT EXISTS` it may have been there.
        if let Sql::CreateTable(_) = sql {
            made.extend(sql.created().filter(|_| !words.has("exists")));
        }
    }
    found
}

fn destroys(words: &Words<'_>, sql: &Sql<'_>) -> bool {
    match sql {
        Sql::Truncate { .. } | Sql::Delete(_) | Sql::Call => true,
        Sql::Update(rows) => !rows.are_filtered(),
        Sql::Drop(dropped) => drops_data(words, dropped),
        Sql::AlterTable(altered) => alters_away(altered),
        // An attribute of a composite type is a part of every value of it.
        Sql::Alter { kind: ObjectKind::Type, .. } => {
            (2..words.tokens.len()).any(|at| words.is_any(at, &["drop", "alter"]) && words.is(at + 1, "attribute"))
        }
        Sql::Merge { .. } => words.has("delete"),
        Sql::With { main: Some(main), .. } => destroys(words, main) || deletes_inside(words),
        Sql::Do => words.tokens.iter().any(|token| {
            matches!(token.kind, Kind::Dollar | Kind::Text | Kind::Escape) && code_destroys(token.text(words.text), 0)
        }),
        // What is made runs later, if at all.
        Sql::Create(_) | Sql::CreateOnTable(_) | Sql::Comment => false,
        _ => deletes_inside(words),
    }
}

/// `WITH gone AS (DELETE FROM ...)`, `EXPLAIN ANALYZE DELETE FROM ...`, `COPY (DELETE FROM ...) TO`
fn deletes_inside(words: &Words<'_>) -> bool {
    (0..words.tokens.len()).any(|at| words.is(at, "delete") && words.is(at + 1, "from"))
}

fn drops_data(words: &Words<'_>, dropped: &Drop<'_>) -> bool {
    use ObjectKind as K;
    if words.is(1, "owned") {
        return true;
    }
    match dropped.kind {
        K::Table | K::Sequence | K::Extension | K::Database | K::Tablespace => true,
        // Their rows are elsewhere, or can be computed again; what hangs on them is of the same kinds.
        K::View | K::MaterializedView | K::Index | K::ForeignTable => false,
        kind if kind.is_on_table() => false,
        // A schema that is not empty, a type that a column has.
        _ => words.has("cascade"),
    }
}

fn alters_away(altered: &AlterTable<'_>) -> bool {
    altered.actions.iter().any(|action| match action.change {
        TableChange::DropColumn(_) => true,
        TableChange::AlterColumn { column, change: ColumnChange::Type { new, using } } => {
            !keeps_values(&column, &new, using.as_ref())
        }
        _ => false,
    })
}

/// Whether every value of a column is still there in its new type: text of any length takes all of them. Of a number or a time no
/// one can tell without the old type.
fn keeps_values(column: &Name<'_>, new: &Words<'_>, using: Option<&Words<'_>>) -> bool {
    let is_text = new.is(0, "text") || new.is(0, "varchar") || new.start_with(&["character", "varying"]);
    let is_limited = ["(", "["].iter().any(|bracket| [1, 2].iter().any(|&at| new.at(at) == *bracket));
    let is_cast = using.is_none_or(|using| match Name::read(using, 0) {
        Some((name, end)) => {
            let rest = using.joined(end..using.tokens.len()).to_lowercase();
            name.object() == column.object() && ["", "::text", "::varchar"].contains(&&*rest)
        }
        None => false,
    });
    is_text && !is_limited && is_cast
}

/// Whether the text of a `DO` block holds the words of what destroys data, or runs what is put together first.
fn code_destroys(literal: &str, depth: usize) -> bool {
    let body = match literal.strip_prefix('$') {
        Some(rest) => {
            let tag = rest.find('$').map_or(0, |at| at + 2);
            literal.get(tag..literal.len() - tag).unwrap_or_default()
        }
        None => literal.trim_start_matches(['e', 'E', 'u', 'U', '&']).trim_matches('\''),
    };
    let lexed = lex(body);
    split(body, &lexed.tokens).iter().any(|words| {
        (0..words.tokens.len()).any(|at| {
            let token = words.tokens[at];
            let is_text = matches!(token.kind, Kind::Text | Kind::Dollar | Kind::Escape);
            is_destruction(words, at) || is_text && depth < DEEPEST && code_destroys(token.text(body), depth + 1)
        })
    })
}

/// The words of a destruction, wherever they are: a body is not a list of statements.
fn is_destruction(words: &Words<'_>, at: usize) -> bool {
    const GONE: &[&str] = &[
        "table",
        "schema",
        "column",
        "sequence",
        "extension",
        "owned",
        "type",
        "domain",
        "attribute",
        "if",
        "cascade",
    ];
    let is_literal = |at: usize| {
        words.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Text | Kind::Dollar | Kind::Escape))
    };
    let is_written =
        |at: usize| is_literal(at) || words.is(at, "format") && words.at(at + 1) == "(" && is_literal(at + 2);
    words.is(at, "drop") && (words.is_any(at + 1, GONE) || is_in_alter_table(words, at))
        || words.is(at, "delete") && words.is(at + 1, "from")
        || words.is(at, "truncate")
        || words.is(at, "call")
        || words.is(at, "update") && !words.has("where") && words.has("set")
        || words.is(at, "type") && is_in_alter_table(words, at)
        || words.is(at, "execute") && !words.is_any(at + 1, &["function", "procedure", "on"]) && !is_written(at + 1)
}

/// `ALTER TABLE t DROP c`: the word before the name may be left out.
fn is_in_alter_table(words: &Words<'_>, at: usize) -> bool {
    let harmless = ["constraint", "not", "default", "expression", "identity"];
    (0..at).any(|start| words.is(start, "alter") && words.is(start + 1, "table")) && !words.is_any(at + 1, &harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[usize]) {
        let lexed = lex(text);
        assert_eq!(destroying(&split(text, &lexed.tokens)), expected, "{text}");
    }

    #[test]
    fn finds_what_takes_data() {
        for text in [
            "DROP TABLE t",
            "drop table if exists a.t, b",
            "DROP SCHEMA s CASCADE",
            "DROP TYPE mood CASCADE",
            "DROP DOMAIN d CASCADE",
            "DROP SEQUENCE s",
            "DROP EXTENSION postgis",
            "DROP OWNED BY app",
            "DROP FUNCTION f() CASCADE",
            "TRUNCATE t",
            "TRUNCATE TABLE ONLY t RESTART IDENTITY",
            "DELETE FROM t",
            "DELETE FROM ONLY t WHERE id = 1",
            "UPDATE t SET a = NULL",
            "WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO archive SELECT * FROM gone",
            "WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM x)",
            "WITH x AS (SELECT 1) UPDATE t SET a = 1",
            "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
            "EXPLAIN ANALYZE DELETE FROM t",
            "COPY (DELETE FROM t RETURNING *) TO '/tmp/t'",
            "ALTER TABLE t DROP c",
            "ALTER TABLE t ADD d int, DROP COLUMN IF EXISTS c CASCADE",
            "ALTER TABLE t ALTER c TYPE int USING c::int",
            "ALTER TABLE t ALTER c TYPE varchar(10)",
            "ALTER TABLE t ALTER c TYPE text USING left(c, 3)",
            "ALTER TABLE t ALTER c SET DATA TYPE text[]",
            "ALTER TYPE pair DROP ATTRIBUTE a",
            "ALTER TYPE pair ALTER ATTRIBUTE a TYPE int",
            "CALL archive()",
            "DO $$ BEGIN DELETE FROM t; END $$",
            "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$",
            "DO $$ BEGIN EXECUTE format('DROP TABLE %I', x); END $$",
            "DO $$ BEGIN EXECUTE command; END $$",
            "DO 'BEGIN ALTER TABLE t DROP c; END'",
            "DO $$ BEGIN ALTER TABLE t ALTER c TYPE int; END $$",
        ] {
            check(text, &[0]);
        }
    }

    #[test]
    fn lets_the_rest_pass() {
        for text in [
            "CREATE TABLE t (id int)",
            "DROP VIEW v CASCADE",
            "DROP INDEX CONCURRENTLY i",
            "DROP FUNCTION f()",
            "DROP TYPE mood",
            "DROP SCHEMA s",
            "DROP TRIGGER x ON t",
            "DROP POLICY p ON t",
            "ALTER TABLE t DROP CONSTRAINT c",
            "ALTER TABLE t ALTER c DROP NOT NULL, ALTER c DROP DEFAULT",
            "ALTER TABLE t ALTER c TYPE text",
            "ALTER TABLE t ALTER c TYPE text USING c::text",
            "ALTER TABLE t ALTER c SET DATA TYPE character varying",
            "ALTER TYPE pair ADD ATTRIBUTE b int",
            "ALTER TYPE mood ADD VALUE 'x'",
            "UPDATE t SET a = 1 WHERE a IS NULL",
            "INSERT INTO t SELECT 'delete from x'",
            "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t'",
            "CREATE RULE r AS ON DELETE TO t DO INSTEAD DELETE FROM u",
            "CREATE TABLE u (a int REFERENCES t ON DELETE CASCADE)",
            "GRANT DELETE, TRUNCATE ON t TO app",
            "COMMENT ON TABLE t IS 'DROP TABLE t'",
            "DO $$ BEGIN EXECUTE format('CREATE INDEX %I ON t (a)', x); END $$",
            "DO $$ BEGIN ALTER TABLE t DROP CONSTRAINT c; END $$",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn what_the_block_has_made_is_no_loss() {
        check("CREATE TABLE t (a int); INSERT INTO t VALUES (1); DELETE FROM t; DROP TABLE t", &[]);
        check("CREATE TEMP TABLE t AS SELECT 1; TRUNCATE t, u", &[1]);
        check("CREATE TABLE IF NOT EXISTS t (a int); DROP TABLE t", &[1]);
        check("DROP TABLE t; CREATE TABLE t (a int); ALTER TABLE t DROP a", &[0]);
    }
}

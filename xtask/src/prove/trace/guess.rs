//! Whether a migration is worth a look after each statement: a guess from its text, which costs time where it is wrong, and nothing else.

use std::collections::BTreeSet;

use migrator_engine::embedded::Migration;
use migrator_sql::{Object, ObjectKind, Sql, TableChange, Words, lex};

/// Whether its statements seem to lock only what the migration itself makes. What it has locked is asked all the same, once.
pub(super) fn makes_new_things_only(migration: &Migration) -> bool {
    let statements = &migration.up.statements;
    guesses(statements.iter().map(|statement| &migration.text[statement.range.clone()])).all(|is_new| is_new)
}

/// Of each statement whether it seems to lock only what those before it have made.
pub(super) fn guesses<'t>(statements: impl Iterator<Item = &'t str>) -> impl Iterator<Item = bool> {
    let mut made = BTreeSet::new();
    statements.map(move |text| {
        let lexed = lex(text);
        let words = Words::new(text, &lexed.tokens);
        let sql = Sql::of(&words);
        let is_new = locks_only(&sql, &made) || !made.is_empty() && words.is_any(0, &["grant", "revoke"]);
        made.extend(sql.made().map(key));
        is_new
    })
}

/// Names can be compared, objects cannot.
fn key(object: Object) -> String {
    object.to_string()
}

fn locks_only(sql: &Sql<'_>, made: &BTreeSet<String>) -> bool {
    let all = |objects: Vec<Object>| objects.into_iter().all(|object| made.contains(&key(object)));
    match sql {
        Sql::CreateTable(table) => {
            let referenced = table.elements.iter().filter_map(|element| element.references());
            let parents = table.partition_of.into_iter().chain(table.inherits);
            // A table may refer to itself.
            all(referenced
                .chain(parents)
                .map(|name| name.object())
                .filter(|other| *other != table.name.object())
                .collect())
        }
        Sql::AlterTable(altered) => {
            let referenced = altered.actions.iter().filter_map(|action| match &action.change {
                TableChange::Add(element) => element.references(),
                _ => None,
            });
            all(referenced.chain([altered.table]).map(|name| name.object()).collect())
                && altered.actions.iter().all(|action| !matches!(action.change, TableChange::AttachPartition { .. }))
        }
        Sql::CreateIndex(_) | Sql::CreateOnTable(_) | Sql::Insert(_) => all(sql.targets()),
        Sql::Alter { kind: ObjectKind::Sequence, .. } => all(sql.targets()),
        Sql::Create(created) => {
            use ObjectKind::{Function, Schema, Sequence, Type, View};
            matches!(created.kind, Function | Schema | Sequence | Type | View)
        }
        Sql::Comment => !made.is_empty(),
        Sql::CreateDomain(_) | Sql::AlterDefaultPrivileges => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_is_judged_by_those_before_it() {
        let statements =
            ["CREATE TABLE b (id int)", "ALTER TABLE a ADD x int", "CREATE INDEX ON b (id)", "CREATE INDEX ON a (x)"];
        assert_eq!(guesses(statements.into_iter()).collect::<Vec<_>>(), [true, false, true, false]);
    }

    #[test]
    fn what_touches_something_else_is_looked_at_statement_by_statement() {
        for (statements, expected) in [
            (&["CREATE TABLE a (id int)", "CREATE INDEX ON a (id)", "COMMENT ON TABLE a IS 'x'"][..], true),
            (&["CREATE TABLE s.a (up int REFERENCES s.a)", "INSERT INTO s.a VALUES (1)"], true),
            (&["CREATE TABLE a (id int)", "CREATE TABLE b (id int REFERENCES a)"], true),
            (&["CREATE TABLE a (id int)", "ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES a"], true),
            (&["CREATE TABLE a (id int)", "ALTER TABLE a ADD FOREIGN KEY (id) REFERENCES b"], false),
            (&["CREATE TABLE b (id int REFERENCES a)"], false),
            (&["CREATE TABLE b PARTITION OF a DEFAULT"], false),
            (&["CREATE TABLE b () INHERITS (a)"], false),
            (&["CREATE INDEX ON a (id)"], false),
            (
                &[
                    "CREATE SEQUENCE s",
                    "CREATE TABLE a (id int)",
                    "ALTER SEQUENCE s OWNED BY a.id",
                    "GRANT SELECT ON a TO b",
                ],
                true,
            ),
            (&["ALTER SEQUENCE s AS bigint"], false),
            (&["GRANT SELECT ON a TO b"], false),
            (&["CREATE TYPE t AS ENUM ('a')", "CREATE VIEW v AS SELECT 1"], true),
            (&["CREATE TABLE b (id int)", "DROP TABLE a"], false),
            (&["SELECT f()"], false),
            (&["DO $$BEGIN END$$"], false),
        ] {
            assert_eq!(guesses(statements.iter().copied()).all(|is_new| is_new), expected, "{statements:?}");
        }
    }
}

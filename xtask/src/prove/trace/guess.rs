//! Whether a migration is worth a look after each statement: a guess from its text, which costs time where it is wrong, and nothing else.

use std::collections::BTreeSet;

use migrator_engine::embedded::Migration;
use migrator_sql::{Object, ObjectKind, Sql, TableChange, Words, lex};

/// Whether its statements seem to lock only what the migration itself makes. What it has locked is asked all the same, once.
pub(super) fn makes_new_things_only(migration: &Migration) -> bool {
    let statements = &migration.up.statements;
    make_new_things_only(statements.iter().map(|statement| &migration.text[statement.range.clone()]))
}

fn make_new_things_only<'t>(mut statements: impl Iterator<Item = &'t str>) -> bool {
    let mut made = BTreeSet::new();
    statements.all(|text| {
        let lexed = lex(text);
        let sql = Sql::of(&Words::new(text, &lexed.tokens));
        let is_new = locks_only(&sql, &made);
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
            (&["CREATE TYPE t AS ENUM ('a')", "CREATE VIEW v AS SELECT 1"], true),
            (&["CREATE TABLE b (id int)", "DROP TABLE a"], false),
            (&["SELECT f()"], false),
            (&["DO $$BEGIN END$$"], false),
        ] {
            assert_eq!(make_new_things_only(statements.iter().copied()), expected, "{statements:?}");
        }
    }
}

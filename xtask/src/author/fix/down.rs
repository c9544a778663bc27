//! What the down block does about something, to be taken out of it or made fit for live traffic.

use std::ops::Range;

use migrator_sql::{ObjectKind, Sql, TableChange, Words};

use super::edit::{Edit, part};
use super::remedy::Undo;
use super::source::{Side, Source, Statement};

/// Where the down block does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The statement.
    pub(super) statement: usize,
    /// Which of its elements, such as the names of `DROP INDEX a, b`.
    pub(super) element: usize,
    /// By itself, without a semicolon, with `CONCURRENTLY` where that is possible.
    pub(super) text: String,
    /// The same as edits of the statement, if that does nothing else.
    pub(super) edits: Vec<Edit>,
    /// It cannot run in a transaction.
    pub(super) alone: bool,
}

/// The elements of a statement that can be taken out one by one.
pub(super) fn elements(statement: &Statement<'_>) -> Vec<Range<usize>> {
    match &statement.sql {
        Sql::AlterTable(altered) => altered.actions.iter().map(|action| action.words.range()).collect(),
        Sql::Drop(_) => names(&statement.words).iter().map(Words::range).collect(),
        _ => vec![statement.words.range()],
    }
}

fn names<'t>(words: &Words<'t>) -> Vec<Words<'t>> {
    words.elements(words.skip(words.skip(2, &["concurrently"]), &["if", "exists"]))
}

/// The first statement that does it.
pub(super) fn find(source: &Source<'_>, down: &Side<'_>, undo: &Undo) -> Option<Found> {
    down.statements.iter().enumerate().find_map(|(at, statement)| {
        let found = match undo {
            Undo::DropIndex(index) => drops_index(statement, |name| name.is(index)),
            Undo::MakeIndex(index) => makes_index(source, statement, |name| name.is(index)),
            Undo::DropConstraint(table, name) => of_table(source, statement, |object, change| {
                let dropped = |dropped: &str| dropped == name && object.is(table);
                matches!(change, TableChange::DropConstraint(called) if dropped(&called.object().name))
            }),
            Undo::Attach(partition) => of_table(source, statement, |_, change| {
                matches!(change, TableChange::AttachPartition { partition: other, .. } if other.object().is(partition))
            }),
        };
        found.map(|found| Found { statement: at, ..found })
    })
}

fn drops_index(statement: &Statement<'_>, is_meant: impl Fn(&migrator_sql::Object) -> bool) -> Option<Found> {
    let Sql::Drop(dropped) = &statement.sql else { return None };
    let words = &statement.words;
    if dropped.kind != ObjectKind::Index || words.has("cascade") {
        return None;
    }
    let element = dropped.names.iter().position(|name| is_meant(&name.object()))?;
    let exists = if words.has("exists") { "IF EXISTS " } else { "" };
    let text = format!("DROP INDEX CONCURRENTLY {exists}{}", dropped.names[element].as_written());
    let edit = Edit::insert(words.tokens[1].end(), " CONCURRENTLY");
    let edits = if dropped.concurrently { Vec::new() } else { vec![edit] };
    Some(Found { statement: 0, element, text, edits, alone: true })
}

fn makes_index(
    source: &Source<'_>,
    statement: &Statement<'_>,
    is_meant: impl Fn(&migrator_sql::Object) -> bool,
) -> Option<Found> {
    let Sql::CreateIndex(index) = &statement.sql else { return None };
    // An index is made in the schema of its table.
    index.name.filter(|name| is_meant(&migrator_sql::Object::named(name.object().name)))?;
    let words = &statement.words;
    let at = words.skip(1, &["unique"]);
    let edit = Edit::insert(words.tokens.get(at)?.end(), " CONCURRENTLY");
    let edits = if index.concurrently { Vec::new() } else { vec![edit] };
    let text = part(source.text, words.range(), &edits)?;
    Some(Found { statement: 0, element: 0, text, edits, alone: true })
}

fn of_table(
    source: &Source<'_>,
    statement: &Statement<'_>,
    is_meant: impl Fn(&migrator_sql::Object, &TableChange<'_>) -> bool,
) -> Option<Found> {
    let Sql::AlterTable(altered) = &statement.sql else { return None };
    let table = altered.table.object();
    let element = altered.actions.iter().position(|action| is_meant(&table, &action.change))?;
    let before = source.text[statement.words.start()..altered.actions[0].words.start()].trim_end();
    let text = format!("{before} {}", &source.text[altered.actions[element].words.range()]);
    Some(Found { statement: 0, element, text, edits: Vec::new(), alone: false })
}

#[cfg(test)]
mod tests {
    use migrator_sql::Object;

    use super::*;
    use crate::author::fix::testing::with_source;

    #[track_caller]
    fn check(down: &str, undo: Undo, expected: Option<(&str, usize)>) {
        let text = format!("-- migrate:up\nSELECT 1;\n\n-- migrate:down\n{down}\n");
        with_source(&text, |source| {
            let found = find(source, source.down.as_ref().unwrap(), &undo);
            let found = found.as_ref().map(|found| (found.text.as_str(), found.element));
            assert_eq!(found, expected, "{down}");
        });
    }

    fn named(name: &str) -> Object {
        Object::named(name.to_owned())
    }

    #[test]
    fn what_takes_something_back_is_found() {
        let index = || Undo::DropIndex(named("i"));
        check("DROP INDEX core.i;", index(), Some(("DROP INDEX CONCURRENTLY core.i", 0)));
        check("drop index if exists a, i", index(), Some(("DROP INDEX CONCURRENTLY IF EXISTS i", 1)));
        check("DROP INDEX i CASCADE;", index(), None);
        check("DROP TABLE i;", index(), None);
        let made = || Undo::MakeIndex(named("i").in_schema("core"));
        let sql = "CREATE UNIQUE INDEX CONCURRENTLY i ON core.t (a)";
        check("CREATE UNIQUE INDEX i ON core.t (a);", made(), Some((sql, 0)));
        let dropped = || Undo::DropConstraint(named("t"), "c".to_owned());
        let sql = "ALTER TABLE ONLY core.t DROP CONSTRAINT c";
        check("ALTER TABLE ONLY core.t\n    DROP a,\n    DROP CONSTRAINT c;", dropped(), Some((sql, 1)));
        check("ALTER TABLE core.u DROP CONSTRAINT c;", dropped(), None);
    }
}

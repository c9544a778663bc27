//! What a statement takes from the release that still runs: names that its queries may have.

use migrator_sql::{AlterTable, ColumnChange, ObjectKind, Sql, TableChange, Words};

/// What a release that still runs does not get any more, after one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How that can break the release.
    pub takes: Takes,
    /// The tables, views or sequences, without schema, as the catalog has them.
    pub objects: Vec<String>,
    /// Their columns that are meant; none: the objects as a whole.
    pub columns: Vec<String>,
    /// `CASCADE`: what depends on it is gone too, whatever that is called.
    pub cascades: bool,
}

/// How a statement can break the release that still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// The names are gone: what asks for them fails.
    Objects,
    /// The default is gone: an INSERT without the column writes NULL, or fails.
    Default,
    /// The type is another one, and the table is rewritten, whoever asks for it.
    Type,
}

impl Taken {
    /// `None`: a server cannot say who uses it. Clients know constraints by the name in an error, and labels of an enum by their rows.
    pub(crate) fn of(sql: &Sql<'_>, words: &Words<'_>, takes: Takes) -> Option<Taken> {
        let cascades = words.has("cascade");
        let whole = |objects| Some(Taken { takes, objects, columns: Vec::new(), cascades });
        match sql {
            Sql::AlterTable(altered) => of_table(altered, takes, cascades),
            Sql::Drop(dropped) if !dropped.names.is_empty() => {
                whole(dropped.names.iter().map(|name| name.object().name).collect())
            }
            Sql::Alter { kind, name: Some(name), renames: true, .. } if is_relation(*kind) => {
                let at = words.find("rename")?;
                words.is(at + 1, "to").then(|| whole(vec![name.object().name]))?
            }
            _ => None,
        }
    }
}

fn of_table(altered: &AlterTable<'_>, takes: Takes, cascades: bool) -> Option<Taken> {
    let (mut columns, mut is_whole) = (Vec::new(), false);
    for action in &altered.actions {
        match action.change {
            TableChange::DropColumn(column) | TableChange::RenameColumn { from: column, .. } => columns.push(column),
            TableChange::AlterColumn { column, change: ColumnChange::Type { .. } | ColumnChange::Other } => {
                columns.push(column);
            }
            TableChange::Rename(_) => is_whole = true,
            TableChange::RenameConstraint { .. } => return None,
            _ => {}
        }
    }
    if columns.is_empty() && !is_whole {
        return None;
    }
    let columns = if is_whole { Vec::new() } else { columns.iter().map(|column| column.object().name).collect() };
    Some(Taken { takes, objects: vec![altered.table.object().name], columns, cascades })
}

fn is_relation(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence | ObjectKind::ForeignTable)
}

#[cfg(test)]
mod tests {
    use migrator_sql::lex;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&[&str], &[&str])>) {
        let tokens = lex(text).tokens;
        let words = Words::new(text, &tokens);
        let taken = Taken::of(&Sql::of(&words), &words, Takes::Objects);
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let expected = expected.map(|(objects, columns)| (owned(objects), owned(columns)));
        assert_eq!(taken.map(|taken| (taken.objects, taken.columns)), expected, "{text}");
    }

    #[test]
    fn names_are_those_that_are_gone() {
        check("ALTER TABLE core.T DROP a, DROP COLUMN IF EXISTS \"B c\"", Some((&["t"], &["a", "B c"])));
        check("ALTER TABLE t RENAME a TO b", Some((&["t"], &["a"])));
        check("ALTER TABLE t RENAME TO u", Some((&["t"], &[])));
        check("ALTER TABLE t ALTER a DROP DEFAULT", Some((&["t"], &["a"])));
        check("ALTER TABLE t ALTER a TYPE bigint", Some((&["t"], &["a"])));
        check("DROP TABLE IF EXISTS a, s.b CASCADE", Some((&["a", "b"], &[])));
        check("ALTER VIEW v RENAME TO w", Some((&["v"], &[])));
        check("ALTER SEQUENCE s RENAME TO t", Some((&["s"], &[])));
    }

    #[test]
    fn of_what_no_query_shows_nothing_is_known() {
        check("ALTER TABLE t RENAME CONSTRAINT a TO b", None);
        check("ALTER VIEW v RENAME COLUMN a TO b", None);
        check("ALTER TYPE mood RENAME VALUE 'a' TO 'b'", None);
        check("ALTER TYPE mood RENAME TO m", None);
        check("CREATE TABLE t ()", None);
    }
}

//! NOT NULL without a lock that lasts: by a constraint that is NOT VALID at first.

use super::ways::{Ways, name, parts, take};
use crate::author::diff::work::Act;

/// The statements for a column.
pub(super) struct Present {
    /// Adds what is to be validated.
    pub(super) add: String,
    /// Proves it for the rows that are there, while others read and write them.
    pub(super) validate: String,
    /// Requires the column, now that it is proved.
    pub(super) set: Vec<String>,
    /// Takes back what was added, before it was proved.
    pub(super) drop: String,
    /// Lets the column be NULL again.
    pub(super) unset: String,
}

/// Of a column. A NOT NULL that has a name, from PostgreSQL 18 on, is taken out of the way up and takes the place of a check.
pub(super) fn present(ways: &mut Ways<'_>, table: &str, column: &str) -> Present {
    let alter = |what: String| format!("ALTER TABLE {table} {what}");
    let unset = alter(format!("ALTER COLUMN {column} DROP NOT NULL"));
    if let Some(key) = ways.to.requires(table, column).cloned() {
        take(&mut ways.up, |statement| statement.key == key && statement.act == Act::Make);
        take(&mut ways.down, |statement| statement.key == key && statement.act == Act::Drop);
        let (part, note) = (&key.part, ways.to.note(&key));
        return Present {
            add: alter(format!("ADD CONSTRAINT {part} {note} NOT VALID")),
            validate: alter(format!("VALIDATE CONSTRAINT {part}")),
            set: Vec::new(),
            drop: alter(format!("DROP CONSTRAINT {part}")),
            unset,
        };
    }
    let check = presence(table, column);
    let drop = alter(format!("DROP CONSTRAINT {check}"));
    Present {
        add: alter(format!("ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID")),
        validate: alter(format!("VALIDATE CONSTRAINT {check}")),
        set: vec![alter(format!("ALTER COLUMN {column} SET NOT NULL")), drop.clone()],
        drop,
        unset,
    }
}

/// The name of the check that a column has a value in every row.
pub(crate) fn presence(table: &str, column: &str) -> String {
    name(&[parts(table).1, column], "_is_present")
}

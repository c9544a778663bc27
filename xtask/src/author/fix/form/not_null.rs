//! `SET NOT NULL` of a column of which a valid CHECK says that it holds: no row is read under the lock.

use migrator_sql::{ColumnChange, TableChange};

use super::constraint::validated;
use crate::author::diff::presence;
use crate::author::fix::edit::Edit;
use crate::author::fix::remedy::{Back, Case, Outcome, Part, Presence, Remedy, Stage};

pub(super) fn by_check(case: Case<'_, '_>) -> Outcome {
    let (altered, places) = case.actions()?;
    let (alter, table) = (case.alter_table(), altered.table.as_written());
    let mut remedy = Remedy::default();
    for at in places {
        let action = &altered.actions[at];
        let TableChange::AlterColumn { column, change: ColumnChange::SetNotNull } = action.change else {
            return Err("no column is required here".to_owned());
        };
        let Steps { constraint, called, parts } = steps(&alter, &table, &column.as_written());
        remedy.edits.push(Edit::replace(action.words.range(), format!("ADD {constraint}")));
        remedy.parts.extend(parts);
        let drop = format!("DROP CONSTRAINT {called}");
        let statement = format!("{alter} {drop}");
        remedy.presences.push(Presence {
            table: altered.table.object(),
            column: column.object().name,
            drop,
            statement,
        });
    }
    Ok(remedy)
}

/// How a column comes to be NOT NULL.
pub(super) struct Steps {
    /// The CHECK, `NOT VALID`, as `ADD` takes it.
    pub(super) constraint: String,
    /// Its name.
    pub(super) called: String,
    /// It is validated, relied on, and dropped.
    pub(super) parts: [Part; 2],
}

/// `alter`: the beginning of a statement about the table.
pub(super) fn steps(alter: &str, table: &str, column: &str) -> Steps {
    let called = presence(table, column);
    let constraint = format!("CONSTRAINT {called} CHECK ({column} IS NOT NULL) NOT VALID");
    let validate = Part { down: Vec::new(), ..validated(alter, &called, &constraint) };
    let require = Part {
        stage: Stage::Require,
        does: "validate".to_owned(),
        up: vec![format!("{alter} ALTER COLUMN {column} SET NOT NULL"), format!("{alter} DROP CONSTRAINT {called}")],
        down: vec![
            Back::Write(format!("{alter} ADD {constraint}")),
            Back::Write(format!("{alter} ALTER COLUMN {column} DROP NOT NULL")),
        ],
    };
    Steps { constraint, called, parts: [validate, require] }
}

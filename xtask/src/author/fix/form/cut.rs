//! Statements that hold a lock for no one in a file of their own.

use migrator_sql::{Sql, TableChange};

use crate::author::fix::remedy::{Case, Outcome, Part, Remedy, Stage};

/// In a file of its own, and what follows it as well.
pub(super) fn apart(case: Case<'_, '_>) -> Outcome {
    match case.source.up.transaction {
        true => Ok(Remedy { cut: true, ..Remedy::default() }),
        false => Err("the block begins and ends its transactions itself".to_owned()),
    }
}

/// Work on rows: in a file of its own; what validates constraints that were there before can wait for a further one.
pub(super) fn rows(case: Case<'_, '_>) -> Outcome {
    let Sql::AlterTable(altered) = &case.statement.sql else { return apart(case) };
    let alter = case.alter_table();
    let mut remedy = Remedy::default();
    for (at, action) in altered.actions.iter().enumerate() {
        if let TableChange::ValidateConstraint(name) = action.change {
            let up = vec![format!("{alter} VALIDATE CONSTRAINT {}", name.as_written())];
            remedy.parts.push(Part { stage: Stage::Validate, does: "validate".to_owned(), up, down: Vec::new() });
            remedy.actions.push(at);
        }
    }
    Ok(remedy)
}

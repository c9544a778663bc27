//! What a transaction holds and does around one of its statements.

use migrator_sql::{Drop, LockMode, Object, ObjectKind, Sql, TableChange};

use crate::lock;
use crate::site::Site;

/// True for what takes as long as the table is large.
pub(crate) fn works_on_rows(site: &Site<'_>, sql: &Sql<'_>) -> bool {
    match sql {
        Sql::AlterTable(altered) => {
            let validates = |change: &TableChange<'_>| matches!(change, TableChange::ValidateConstraint(_));
            site.is_live(&altered.table.object()) && altered.actions.iter().any(|action| validates(&action.change))
        }
        Sql::Update(_) | Sql::Delete(_) | Sql::Merge { .. } | Sql::Copy => true,
        Sql::Insert(rows) => rows.come_from_a_table(),
        Sql::With { changes_rows, .. } => *changes_rows,
        _ => false,
    }
}

/// The tables in use that statements before keep from being read or, by `LOCK`, from being written.
pub(crate) fn locks_before<'s>(site: &Site<'s>) -> impl Iterator<Item = (Object, LockMode)> + use<'s> {
    let site = *site;
    let blocks = |sql: &Sql<'_>, mode: LockMode| {
        locks_exclusively(sql) || matches!(sql, Sql::Lock { .. }) && mode.blocks_writes()
    };
    site.earlier().filter_map(move |sql| {
        let mode = lock::on_target(sql).filter(|mode| blocks(sql, *mode))?;
        Some((site.live_target(sql)?, mode))
    })
}

/// A table in use that the statement locks against its writers at least.
pub(crate) fn locks_live(site: &Site<'_>, sql: &Sql<'_>) -> Option<Object> {
    let is_other =
        matches!(sql, Sql::Refresh { .. } | Sql::Alter { .. } | Sql::AlterTable(_) | Sql::AlterDomain { .. });
    let stops = !is_other && lock::on_target(sql).is_some_and(LockMode::blocks_writes);
    if stops || locks_exclusively(sql) { site.live_target(sql) } else { None }
}

/// True for what takes the strongest lock there is on a table, and keeps it to the end of the transaction.
fn locks_exclusively(sql: &Sql<'_>) -> bool {
    let of_table = match sql {
        Sql::AlterTable(_) | Sql::Truncate { .. } | Sql::Lock { .. } => true,
        Sql::Drop(Drop { kind, .. }) => matches!(
            kind,
            ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::Index | ObjectKind::Trigger | ObjectKind::Policy
        ),
        _ => false,
    };
    of_table && lock::on_target(sql) == Some(LockMode::AccessExclusive)
}

/// True if the statement adds this constraint to the table.
pub(crate) fn adds_constraint(sql: &Sql<'_>, table: &Object, name: &str) -> bool {
    match sql {
        Sql::AlterTable(altered) => {
            altered.table.object().is(table) && altered.actions.iter().any(|action| action.adds_constraint(name))
        }
        _ => false,
    }
}

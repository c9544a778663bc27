//! Partitions: made beside their table and attached, and detached `CONCURRENTLY`.

use migrator_sql::{Sql, TableChange};

use super::name;
use crate::author::fix::edit::Edit;
use crate::author::fix::remedy::{Back, Case, Outcome, Remedy, Undo};

pub(super) fn detach(case: Case<'_, '_>) -> Outcome {
    let (altered, places) = case.actions()?;
    let action = &altered.actions[places[0]];
    let TableChange::DetachPartition { partition, finalize: false, .. } = action.change else {
        return Err("no partition is detached here".to_owned());
    };
    let back = vec![Back::Take(Undo::Attach(partition.object()), None)];
    let does = format!("detach_{}", name::in_file_name(&partition.object().name));
    let edit = Edit::insert(action.words.range().end, " CONCURRENTLY");
    Ok(Remedy { alone: Some((does, back)), in_order: case.is_relied_on(), ..Remedy::edits(vec![edit]) })
}

/// Waits for no one's queries: the table is made like its parent, and attached.
pub(super) fn attach(case: Case<'_, '_>) -> Outcome {
    let words = case.words();
    let Sql::CreateTable(created) = &case.statement.sql else { return Err("no table is created here".to_owned()) };
    let parent = created.partition_of.ok_or("its parent is not named")?;
    let others = ["with", "tablespace", "using"].iter().any(|word| words.find(word).is_some_and(|at| at > 2));
    if !words.is(1, "table") || created.if_not_exists || created.partitioned || !created.elements.is_empty() || others {
        return Err("it says more of the partition than its bounds".to_owned());
    }
    let from = words.find("partition").ok_or("its parent is not named")?;
    let bounds = words.find("for").or_else(|| words.find("default")).ok_or("its bounds are not said")?;
    if words.at(from + 2).is_empty() || words.at(bounds.saturating_sub(1)) == ")" {
        return Err("it says more of the partition than its bounds".to_owned());
    }
    let bounds = &case.source.text[case.start_of(bounds)..words.range().end];
    let (parent, table) = (parent.as_written(), created.name.as_written());
    let edit = Edit::replace(case.start_of(from)..words.range().end, format!("(LIKE {parent} INCLUDING ALL)"));
    let after = vec![format!("ALTER TABLE {parent} ATTACH PARTITION {table} {bounds}")];
    Ok(Remedy { after, ..Remedy::edits(vec![edit]) })
}

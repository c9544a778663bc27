//! What has to be written into our own history.

use std::collections::{BTreeMap, BTreeSet};

use super::explain::Explained;
use crate::embedded::{Embedded, Migration, Script};
use crate::history::{AppliedMigration, History};
use crate::plan::{self, Obstacle, Target};

/// What to write, and what is left to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Migrations to record, ascending.
    pub(crate) new: Vec<&'static Migration>,
    /// Migrations that have a row already, which does not say what was applied.
    pub(crate) unmarked: Vec<&'static Migration>,
    /// How many were recorded before.
    pub(crate) already: usize,
    /// Repeatables to record.
    pub(crate) repeatables: Vec<&'static Script>,
    /// What is not applied, above everything that is.
    pub(crate) pending: Vec<&'static Migration>,
    /// What is not applied, below something that is.
    pub(crate) out_of_order: Vec<&'static Migration>,
    /// What our history took over earlier, and the other one does not list any more.
    pub(crate) withdrawn: Vec<&'static Migration>,
    /// What we have rolled back, and the other one still lists.
    pub(crate) rolled_back: Vec<&'static Migration>,
}

impl Decision {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.new.is_empty() && self.unmarked.is_empty() && self.repeatables.is_empty()
    }
}

/// Compares what the other tool has applied with our own history. `is_ours`: both are the same table.
///
/// # Errors
/// Our history does not fit the binary.
pub(crate) fn decide(
    set: &'static Embedded,
    history: &History,
    explained: &Explained,
    is_ours: bool,
) -> Result<Decision, Obstacle> {
    let mut history = history.clone();
    let listed: BTreeSet<i64> = explained.applied.iter().map(|migration| migration.number).collect();
    if is_ours {
        // The other tool may have applied one since ours was read.
        let known: BTreeSet<i64> = history.applied.iter().filter_map(AppliedMigration::number).collect();
        for migration in explained.applied.iter().filter(|migration| !known.contains(&migration.number)) {
            let version = migration.version.to_string();
            history.applied.push(AppliedMigration { version: version.into(), ..AppliedMigration::default() });
        }
    }
    // Refuses what does not fit; in what order the rest would run does not matter here.
    plan::up(set, &history, Target::Newest, true)?;
    let rows: BTreeMap<i64, &AppliedMigration> =
        history.applied.iter().filter_map(|row| Some((row.number()?, row))).collect();
    let mut decision = Decision::default();
    for migration in &explained.applied {
        match rows.get(&migration.number) {
            None => decision.new.push(migration),
            Some(row) if row.checksum.is_none() => decision.unmarked.push(migration),
            Some(_) => decision.already += 1,
        }
    }
    let is_due = |script: &&&'static Script| history.is_due(script);
    decision.repeatables = explained.repeatables.iter().filter(is_due).copied().collect();
    let is_applied =
        |migration: &&'static Migration| rows.contains_key(&migration.number) || listed.contains(&migration.number);
    let newest = set.migrations.iter().filter(is_applied).map(|migration| migration.number).max();
    for migration in set.migrations.iter().filter(|migration| !is_applied(migration)) {
        let is_below = newest.is_some_and(|newest| migration.number < newest);
        if is_below { decision.out_of_order.push(migration) } else { decision.pending.push(migration) }
    }
    if !is_ours {
        let last = last_actions(&history);
        let was = |migration: &Migration, actions: &[&str]| {
            last.get(&*migration.version).is_some_and(|action| actions.contains(action))
        };
        let is_withdrawn = |migration: &&Migration| {
            explained.known.contains(&migration.number)
                && rows.contains_key(&migration.number)
                && !listed.contains(&migration.number)
                && was(migration, &["adopt", "stamp"])
        };
        decision.withdrawn = set.migrations.iter().filter(is_withdrawn).collect();
        decision.rolled_back = decision.new.iter().copied().filter(|migration| was(migration, &["down"])).collect();
    }
    Ok(decision)
}

/// What our log says last of each version: `up`, `down`, `stamp` or `adopt`.
fn last_actions(history: &History) -> BTreeMap<&str, &str> {
    let whole = history.events.iter().filter(|event| event.outcome == "done" && event.statement.is_none());
    whole.filter_map(|event| Some((event.version.as_deref()?, &*event.action))).collect()
}

//! What destroys data runs only after a backup, where the environment says so.

use crate::embedded::{Script, Text};
use crate::error::Error;
use crate::history::History;
use crate::migrator::Migrator;
use crate::plan::Plan;

/// How many of the statements are named.
const SHOWN: usize = 8;

/// Refuses a plan that destroys data where the environment requires a backup and no one has named it.
pub(super) fn require(
    migrator: &Migrator,
    history: &History,
    plan: &Plan,
    reference: Option<&str>,
) -> Result<(), Error> {
    let steps = plan.steps.iter().map(|step| (step.label(), step.destroys()));
    refuse(migrator, history, steps, reference)
}

/// The same of a seed.
pub(super) fn require_for(
    migrator: &Migrator,
    history: &History,
    seed: &Script,
    reference: Option<&str>,
) -> Result<(), Error> {
    refuse(migrator, history, [(format!("seed {}", seed.name), &*seed.destroys)].into_iter(), reference)
}

fn refuse<'t>(
    migrator: &Migrator,
    history: &History,
    steps: impl Iterator<Item = (String, &'t [Text])>,
    reference: Option<&str>,
) -> Result<(), Error> {
    let Some(policy) = migrator.policy(history).filter(|policy| policy.backup) else { return Ok(()) };
    if given(reference).is_some() {
        return Ok(());
    }
    let found: Vec<String> =
        steps.flat_map(|(label, destroys)| destroys.iter().map(move |what| format!("{label}, {what}"))).collect();
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("the environment `{}` requires a backup before data is destroyed", policy.name);
    let mut error = Error::refused(message);
    for what in found.iter().take(SHOWN) {
        error = error.note(what.clone());
    }
    if found.len() > SHOWN {
        error = error.note(format!("and {} more", found.len() - SHOWN));
    }
    Err(error
        .note("nothing was changed")
        .help("make a backup, then run the command again with `--backup-reference \"WHAT, WHERE\"`, which the history records"))
}

/// A reference that says something.
pub(super) fn given(reference: Option<&str>) -> Option<&str> {
    reference.map(str::trim).filter(|reference| !reference.is_empty())
}

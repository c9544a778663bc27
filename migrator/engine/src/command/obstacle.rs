//! Obstacles of planning as errors.

use crate::error::{Error, Exit};
use crate::plan::{Divergence, Obstacle};

impl From<Obstacle> for Error {
    fn from(obstacle: Obstacle) -> Error {
        match obstacle {
            Obstacle::Diverged(found) => diverged(&found),
            Obstacle::InDoubt { migration, statement } => Error::new(
                Exit::InDoubt,
                format!("migration {} is in doubt: statement {statement} was started, and nobody knows how it ended", migration.label()),
            )
            .note(format!("the statement is in `{}`", migration.file))
            .help(format!(
                "look whether its effect is in the database, then run `migrator resolve {version} --statement {statement} --applied`, or `--retry` to run it again",
                version = migration.version
            )),
            Obstacle::NoSuchVersion(version) => {
                Error::new(Exit::Usage, format!("cannot go to version {version}: it is not one of this binary's that fits"))
                    .help("`migrator status` shows the versions; `up --to` takes one of this binary, `down --to` an applied one or 0")
            }
            Obstacle::NoWayBack(migration) => {
                Error::new(Exit::Refused, format!("cannot roll back {}: it has no down block", migration.label()))
                    .note(format!("nothing was rolled back; the file is `{}`", migration.file))
                    .help("write its `-- migrate:down` block (it may be added at any time), or go on with a new migration")
            }
            Obstacle::Disagreement(cause) => {
                Error::new(Exit::Other, format!("the planner contradicts itself: {cause}"))
                    .help("nothing was changed; this is a defect of migrator: please report it with the output of `migrator status --json`")
            }
        }
    }
}

/// One divergence is its own headline; several are listed.
fn diverged(found: &[Divergence]) -> Error {
    if let [only] = found {
        let (what, way_out) = only.describe();
        return Error::new(Exit::Diverged, format!("history and binary diverge: {what}")).help(way_out);
    }
    let mut error = Error::new(Exit::Diverged, format!("history and binary diverge in {} places", found.len()));
    let mut help: Vec<String> = Vec::new();
    for divergence in found {
        let (what, way_out) = divergence.describe();
        error = error.note(what);
        if !help.contains(&way_out) {
            help.push(way_out);
        }
    }
    help.into_iter().fold(error, Error::help)
}

//! Obstacles of planning as errors.

use crate::error::{Error, ErrorKind};
use crate::plan::{Divergence, Obstacle};

impl From<Obstacle> for Error {
    fn from(obstacle: Obstacle) -> Error {
        match obstacle {
            Obstacle::Diverged(found) => diverged(found),
            Obstacle::InDoubt { migration, statement } => Error::in_doubt(format!("migration {} is in doubt: statement {statement} was started, and nobody knows how it ended", migration.label()),
            )
            .note(format!("the statement is in `{}`", migration.file))
            .help(format!(
                "look whether its effect is in the database, then run `migrator resolve {version} --statement {statement} --applied`, or `--retry` to run it again",
                version = migration.version
            )),
            Obstacle::NoSuchVersion(version) => {
                Error::usage(format!("cannot go to version {version}: it is not one of this binary's that fits"))
                    .help("`migrator status` shows the versions; `up --to` takes one of this binary, `down --to` an applied one or 0")
            }
            Obstacle::NoWayBack(migration) => {
                Error::refused(format!("cannot roll back {}: it has no down block", migration.label()))
                    .note(format!("nothing was rolled back; the file is `{}`", migration.file))
                    .help("write its `-- migrate:down` block (it may be added at any time), or go on with a new migration")
            }
            Obstacle::Disagreement(cause) => {
                Error::other(format!("the planner contradicts itself: {cause}"))
                    .help("nothing was changed; this is a defect of migrator: please report it with the output of `migrator status --json`")
            }
        }
    }
}

/// One divergence is its own headline; several are listed.
fn diverged(places: Vec<Divergence>) -> Error {
    if let [only] = &places[..] {
        let (what, way_out) = only.describe();
        let message = format!("history and binary diverge: {what}");
        return Error::from(ErrorKind::Diverged { message, places }).help(way_out);
    }
    let message = format!("history and binary diverge in {} places", places.len());
    let mut error = Error::from(ErrorKind::Diverged { message, places: places.clone() });
    let mut help: Vec<String> = Vec::new();
    for divergence in &places {
        let (what, way_out) = divergence.describe();
        error = error.note(what);
        if !help.contains(&way_out) {
            help.push(way_out);
        }
    }
    help.into_iter().fold(error, Error::help)
}

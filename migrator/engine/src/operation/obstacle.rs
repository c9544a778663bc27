//! Turns obstacles of planning into errors.

use crate::account::{Account, Failed, State};
use crate::embedded::{Direction, Migration};
use crate::error::{Error, ErrorKind};
use crate::plan::{Divergence, Obstacle};

impl From<Obstacle> for Error {
    fn from(obstacle: Obstacle) -> Error {
        match obstacle {
            Obstacle::Diverged(found) => diverged(found),
            Obstacle::InDoubt { migration, statement } => Error::in_doubt(format!("migration {} is in doubt: statement {statement} was started, and its outcome is unknown", migration.label()),
            )
            .note(format!("the statement is in `{}`", migration.file))
            .account_for(in_doubt(migration, statement))
            .help(format!(
                "check whether its effect is in the database, then run `migrator resolve {version} --statement {statement} --applied`, or `--retry` to run it again",
                version = migration.version
            )),
            Obstacle::NoSuchVersion(version) => {
                Error::usage(format!("cannot go to version {version}: it is not a valid target"))
                    .help("`migrator status` shows the versions; `up --to` takes one of this binary, `down --to` an applied one or 0")
            }
            Obstacle::Squashed { migration, baseline } => Error::usage(format!(
                "cannot go to version {}: {} stands for it, and this database begins there",
                migration.version,
                baseline.label()
            ))
            .help(format!("go to {} or a later version; `migrator status` shows them", baseline.version)),
            Obstacle::NoText { migration, direction } => no_text(migration, direction),
            Obstacle::NoDownBlock(migration) => {
                Error::refused(format!("cannot roll back {}: it has no down block", migration.label()))
                    .note(format!("nothing was rolled back; the file is `{}`", migration.file))
                    .help("write its `-- migrate:down` block (you may add it at any time), or write a new migration instead")
            }
            Obstacle::Disagreement(cause) => {
                Error::other(format!("the planner contradicts itself: {cause}"))
                    .help("nothing was changed; this is a bug in migrator: please report it with the output of `migrator status --json`")
            }
        }
    }
}

/// A statement was begun, and no one knows how it ended.
fn in_doubt(migration: &Migration, statement: i32) -> Account {
    let step = Failed::migration(&migration.version, migration.label(), Direction::Up, State::HalfDone);
    let step = step.at(usize::try_from(statement).ok());
    Account { step: Some(step), in_doubt: vec![migration.label()], ..Account::default() }
}

/// Of a squashed migration, nothing but the checksum is left.
fn no_text(migration: &Migration, direction: Direction) -> Error {
    let what = match direction {
        Direction::Up => "apply",
        Direction::Down => "roll back",
    };
    Error::refused(format!(
        "cannot {what} {}: it is squashed, and this binary does not hold its SQL",
        migration.label()
    ))
    .note(format!("the file `{}` was deleted before this release was built", migration.file))
    .help("run the migrator of a release that still holds it first, or restore the file with git and build again")
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

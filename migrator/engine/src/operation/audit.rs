//! `audit`: run the compiled data checks; writes nothing.

use crate::audit::{Answer, ask};
use crate::connect::Connection;
use crate::error::{Error, Exit};
use crate::event::Event;
use crate::migrator::Migrator;
use crate::session::Session;
use crate::words::list;

/// The results of the data checks.
pub struct AuditReport {
    pub(crate) answers: Vec<Answer>,
}

impl AuditReport {
    /// Whether all checks ran and none found anything.
    pub fn is_clean(&self) -> bool {
        self.answers.iter().all(Answer::is_clean)
    }

    /// The exit code for the worst result.
    pub fn exit(&self) -> Exit {
        verdict(&self.answers)
    }
}

/// Refuses the name of a check that is not embedded.
pub(crate) fn known(migrator: &Migrator, name: Option<&str>) -> Result<(), Error> {
    let scripts = &*migrator.embedded.checks;
    if let Some(name) = name
        && !scripts.iter().any(|script| script.name == name)
    {
        let names: Vec<String> = scripts.iter().map(|script| format!("`{}`", script.name)).collect();
        return Err(Error::usage(format!("there is no check `{name}` in this binary"))
            .help(format!("checks in this binary: {}", list(&names))));
    }
    Ok(())
}

/// Runs one check, or all of them.
pub(crate) async fn run(session: &Session, name: Option<&str>) -> Result<AuditReport, Error> {
    let embedded = session.migrator.embedded;
    known(&session.migrator, name)?;
    let chosen = embedded.checks.iter().filter(|script| name.is_none_or(|name| name == script.name));
    Ok(AuditReport { answers: ask(&session.connection.client, &embedded.settings, chosen).await? })
}

/// The exit code of the worst answer.
fn verdict(answers: &[Answer]) -> Exit {
    answers.iter().map(Answer::exit).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done)
}

/// Runs the checks before or after an `up`, and reports what they found.
pub(super) async fn around(migrator: &Migrator, connection: &Connection, when: &str) -> Result<Exit, Error> {
    let embedded = migrator.embedded;
    let answers = ask(&connection.client, &embedded.settings, embedded.checks.iter()).await?;
    let verdict = verdict(&answers);
    let open: Vec<Answer> = answers.into_iter().filter(|answer| !answer.is_clean()).collect();
    migrator.tell(Event::Checked { when, open: &open });
    Ok(verdict)
}

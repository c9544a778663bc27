//! `audit`: what the compiled checks say about the data; writes nothing.

use crate::audit::{Answer, ask};
use crate::connect::Connection;
use crate::error::{Error, Exit};
use crate::event::Event;
use crate::migrator::Migrator;
use crate::session::Session;
use crate::words::list;

/// What the data checks have answered.
pub struct AuditReport {
    pub(crate) answers: Vec<Answer>,
}

impl AuditReport {
    /// Whether no check found anything and all of them could be run.
    pub fn is_clean(&self) -> bool {
        self.answers.iter().all(Answer::is_clean)
    }

    /// The exit code that the worst of the answers deserves.
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
            .help(format!("there is: {}", list(&names))));
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

/// The worst of the answers.
fn verdict(answers: &[Answer]) -> Exit {
    answers.iter().map(Answer::exit).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done)
}

/// The checks before or after an `up`: what they found is told.
pub(super) async fn around(migrator: &Migrator, connection: &Connection, when: &str) -> Result<Exit, Error> {
    let embedded = migrator.embedded;
    let answers = ask(&connection.client, &embedded.settings, embedded.checks.iter()).await?;
    let verdict = verdict(&answers);
    let open: Vec<Answer> = answers.into_iter().filter(|answer| !answer.is_clean()).collect();
    migrator.tell(Event::Checked { when, open: &open });
    Ok(verdict)
}

//! `audit`: what the compiled checks say about the data; writes nothing.

use crate::audit::{Answer, ask, json, text};
use crate::command::Context;
use crate::connect::Connection;
use crate::error::{Error, Exit};
use crate::output::{self, list, rendered};

/// The arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator audit || echo \"somebody has to look at the data\"")]
pub(crate) struct Args {
    /// One check only; all of them by default.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// For programs.
    #[arg(long)]
    pub json: bool,
}

/// Asks and prints.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let scripts = context.embedded.checks;
    if let Some(name) = &args.name
        && !scripts.iter().any(|script| script.name == name)
    {
        let names: Vec<String> = scripts.iter().map(|script| format!("`{}`", script.name)).collect();
        return Err(Error::new(Exit::Usage, format!("there is no check `{name}` in this binary"))
            .help(format!("there is: {}", list(&names))));
    }
    let session = context.open().await?;
    let chosen = scripts.iter().filter(|script| args.name.as_deref().is_none_or(|name| name == script.name));
    let answers = ask(&session.connection.client, &context.embedded.settings, chosen).await?;
    if args.json {
        output::json(&json(&answers));
    } else {
        rendered(&text(&answers, context.progress.color().on_stdout()));
    }
    Ok(verdict(&answers))
}

/// The worst of the answers.
fn verdict(answers: &[Answer]) -> Exit {
    answers.iter().map(Answer::exit).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done)
}

/// The checks before or behind an `up`: what they found is shown on stderr.
pub(crate) async fn around(context: &Context, connection: &Connection, when: &str) -> Result<Exit, Error> {
    let answers = ask(&connection.client, &context.embedded.settings, context.embedded.checks.iter()).await?;
    let verdict = verdict(&answers);
    let open: Vec<Answer> = answers.into_iter().filter(|answer| !answer.is_clean()).collect();
    if open.is_empty() {
        context.progress.say(&format!("the checks find nothing {when}"));
    } else {
        context.progress.warn(&format!("the checks {when}:\n{}", text(&open, false)));
    }
    Ok(verdict)
}

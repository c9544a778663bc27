//! `reset`: drop, create, up, and, if asked, seed. Development builds only.

use clap::Parser;

use crate::command::development::{self, Guard};
use crate::command::{Context, seed, up};
use crate::error::{Error, Exit};
use crate::output::result;

/// The arguments of `reset`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask migrate reset --seed development --yes")]
pub(crate) struct Args {
    /// Run this seed afterwards.
    #[arg(long, value_name = "NAME")]
    pub seed: Option<String>,
    /// What must be said before anything is destroyed.
    #[command(flatten)]
    pub guard: Guard,
}

/// Drops, creates, applies, seeds.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    if let Some(name) = &args.seed
        && !context.embedded.seeds.iter().any(|script| script.name == name)
    {
        return Err(Error::new(Exit::Usage, format!("there is no seed `{name}` in this binary"))
            .help("nothing was dropped; `migrator list` shows the seeds"));
    }
    let target = context.target()?;
    let connection = development::maintenance(context, &target).await?;
    development::permit(context, &connection, &target, &args.guard, "reset").await?;
    development::drop(&connection, &target).await?;
    development::create(&connection, &target).await?;
    result(&format!("dropped and created database `{}`", target.database()));
    up::run(context, &typed::<up::Args>(&[])?).await?;
    if let Some(name) = &args.seed {
        seed::run(context, &typed::<seed::Args>(&[name])?).await?;
    }
    Ok(Exit::Done)
}

/// Another command's arguments with its own defaults, as if they had been typed.
fn typed<A: clap::Args>(words: &[&str]) -> Result<A, Error> {
    #[derive(Debug, Parser)]
    struct Typed<A: clap::Args> {
        #[command(flatten)]
        args: A,
    }
    let words = std::iter::once("reset").chain(words.iter().copied());
    Typed::try_parse_from(words).map(|typed| typed.args).map_err(|error| Error::new(Exit::Usage, error.to_string()))
}

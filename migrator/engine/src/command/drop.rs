//! `drop`: the database itself. Development builds only.

use crate::command::Context;
use crate::command::development::{self, Guard};
use crate::error::{Error, Exit};
use crate::output::result;

/// The arguments of `drop`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask migrate drop --yes")]
pub(crate) struct Args {
    /// What must be said before anything is destroyed.
    #[command(flatten)]
    pub guard: Guard,
}

/// Drops it.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = context.target()?;
    let connection = development::maintenance(context, &target).await?;
    development::permit(context, &connection, &target, &args.guard, "drop").await?;
    development::drop(&connection, &target).await?;
    result(&format!("dropped database `{}`", target.database()));
    Ok(Exit::Done)
}

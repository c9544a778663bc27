//! `drop`: the database itself.

use crate::database::guard::{self, Guard};
use crate::developer::Context;
use crate::maintenance;
use migrator_engine::output::result;
use migrator_engine::{Error, Exit};

/// The arguments of `drop`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask migrate drop --yes")]
pub struct Args {
    /// What must be said before anything is destroyed.
    #[command(flatten)]
    pub guard: Guard,
}

/// Drops it.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = context.target.clone();
    let connection = maintenance::connect(context, &target).await?;
    guard::permit(context, &connection, &target, &args.guard, "drop").await?;
    maintenance::drop(&connection, &target).await?;
    result(&format!("dropped database `{}`", target.database()));
    Ok(Exit::Done)
}

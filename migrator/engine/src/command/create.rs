//! `create`: the database itself. Development builds only.

use crate::command::{Context, development};
use crate::error::{Error, Exit};
use crate::output::result;

/// The arguments of `create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask migrate create --if-missing")]
pub(crate) struct Args {
    /// Succeed in silence if it is there.
    #[arg(long)]
    pub if_missing: bool,
}

/// Creates it.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let target = context.target()?;
    let connection = development::maintenance(context, &target).await?;
    if development::exists(&connection, &target).await? {
        if args.if_missing {
            return Ok(Exit::Done);
        }
        return Err(Error::other(format!("cannot create `{}`: it is there already", target.database()))
            .help("pass --if-missing, or start afresh with `reset`"));
    }
    development::create(&connection, &target).await?;
    result(&format!("created database `{}`", target.database()));
    Ok(Exit::Done)
}

//! From the parsed command line to its command.

use std::sync::Arc;

use crate::cli::{Cli, Command};
use crate::command::*;
use crate::error::{Error, Exit};
use crate::migrator::Migrator;
use crate::output::Terminal;

/// Runs a command.
///
/// # Errors
/// Whatever the command could not do.
pub(crate) async fn dispatch(cli: Cli, migrator: Migrator, terminal: Arc<Terminal>) -> Result<Exit, Error> {
    let context = Context { migrator, terminal, database_url: cli.global.database_url };
    let exit = match cli.command {
        Command::Up(args) => up::run(&context, &args).await?,
        Command::Down(args) => down::run(&context, &args).await?,
        Command::Redo(args) => redo::run(&context, &args).await?,
        Command::Plan(args) => plan::run(&context, &args).await?,
        Command::Status(args) => status::run(&context, &args).await?,
        Command::Audit(args) => audit::run(&context, &args).await?,
        Command::Drift(args) => drift::run(&context, &args).await?,
        Command::Seed(args) => seed::run(&context, &args).await?,
        Command::Stamp(args) => stamp::run(&context, &args).await?,
        Command::Resolve(args) => resolve::run(&context, &args).await?,
        Command::Environment(args) => environment::run(&context, &args).await?,
        Command::Show(args) => show::run(&context, &args)?,
        Command::List(args) => list::run(&context, &args),
        Command::Wait(args) => wait::run(&context, &args).await?,
        Command::Version(args) => version::run(&context, &args),
    };
    Ok(exit)
}

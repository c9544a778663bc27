//! `create`: the database itself.

use crate::developer::Context;
use crate::maintenance;
use migrator_engine::output::result;
use migrator_engine::{Error, Exit};

/// The arguments of `create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask migrate create --if-missing")]
pub struct Args {
    /// Do nothing if the database exists
    #[arg(long)]
    pub if_missing: bool,
}

/// Creates it.
pub async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let name = context.target.database();
    match maintenance::create_missing(context).await? {
        true => result(&format!("created database `{name}`")),
        false if args.if_missing => {}
        false => {
            return Err(Error::other(format!("cannot create database `{name}`: it exists already"))
                .help("pass `--if-missing`, or start afresh with `reset`"));
        }
    }
    Ok(Exit::Done)
}

//! The commands, one file each; [`context`] is what they share.
//!
//! A command is added with its file, its line in [`Command`] and one in [`Command::run`].

mod adopt;
mod audit;
mod completions;
mod config;
mod context;
mod down;
mod drift;
mod environment;
mod help;
mod history;
mod list;
mod man;
mod plan;
mod redo;
mod resolve;
mod seed;
mod show;
mod stamp;
mod stats;
mod status;
mod up;
mod version;
mod wait;
mod wait_lock;

use crate::error::{Error, Exit};
use crate::operation::PlanOptions;
pub(crate) use context::Program;
pub(crate) use help::print as print_help;

/// The commands.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one value per process")]
pub(crate) enum Command {
    /// Apply what is pending.
    Up(up::Args),
    /// Roll back, newest first.
    Down(down::Args),
    /// Roll back the newest migration and apply it again.
    Redo(redo::Args),
    /// Show what `up` would do; writes nothing.
    Plan(plan::Args),
    /// Show what is applied and what is not; writes nothing.
    Status(status::Args),
    /// Show the event log: what was done, when, and by whom; writes nothing.
    History(history::Args),
    /// Run the compiled data checks; writes nothing.
    Audit(audit::Args),
    /// Compare the live schema with the compiled one; writes nothing.
    Drift(drift::Args),
    /// Write how large the tables are and how busy, as JSON; writes nothing to the database.
    Stats(stats::Args),
    /// Run a compiled seed file.
    Seed(seed::Args),
    /// Record migrations as applied without running them.
    Stamp(stamp::Args),
    /// Take over what another tool has applied, as its own history says it.
    Adopt(adopt::Args),
    /// Settle a statement whose outcome is unknown.
    Resolve(resolve::Args),
    /// Show or record the environment of this database.
    Environment(environment::Args),
    /// Show the SQL of a migration in this binary.
    Show(show::Args),
    /// List the migrations in this binary.
    List(list::Args),
    /// Wait until the server accepts connections to the database.
    Wait(wait::Args),
    /// Show the settings in force and where each comes from.
    Config(config::Args),
    /// Show the release, commit and digest of this binary.
    Version(version::Args),
    /// Print the completions for a shell.
    Completions(completions::Args),
    /// Print a man page, or write one for each command.
    Man(man::Args),
    /// Explain a command, the code of a problem, or a hazard.
    Help(help::Args),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// Whatever it could not do.
    pub(crate) async fn run(self, program: &Program) -> Result<Exit, Error> {
        let context = || program.context();
        match self {
            Command::Up(args) => up::run(&context()?, &args).await,
            Command::Down(args) => down::run(&context()?, &args).await,
            Command::Redo(args) => redo::run(&context()?, &args).await,
            Command::Plan(args) => plan::run(&context()?, &args).await,
            Command::Status(args) => status::run(&context()?, &args).await,
            Command::History(args) => history::run(&context()?, &args).await,
            Command::Audit(args) => audit::run(&context()?, &args).await,
            Command::Drift(args) => drift::run(&context()?, &args).await,
            Command::Stats(args) => stats::run(&context()?, &args).await,
            Command::Seed(args) => seed::run(&context()?, &args).await,
            Command::Stamp(args) => stamp::run(&context()?, &args).await,
            Command::Adopt(args) => adopt::run(&context()?, &args).await,
            Command::Resolve(args) => resolve::run(&context()?, &args).await,
            Command::Environment(args) => environment::run(&context()?, &args).await,
            Command::Show(args) => show::run(&context()?, &args),
            Command::List(args) => Ok(list::run(&context()?, &args)),
            Command::Wait(args) => wait::run(&context()?, &args).await,
            Command::Config(_) => config::run(program, &context()?),
            Command::Version(args) => version::run(program, &args),
            Command::Completions(args) => Ok(completions::run(program, &args)),
            Command::Man(args) => man::run(program, &args),
            Command::Help(args) => help::run(program, &args),
        }
    }

    /// Whether it connects to a database.
    pub(crate) fn connects(&self) -> bool {
        !matches!(
            self,
            Command::Show(_)
                | Command::List(_)
                | Command::Config(_)
                | Command::Version(_)
                | Command::Completions(_)
                | Command::Man(_)
                | Command::Help(_)
        )
    }

    /// What it plans to apply, if anything.
    pub(crate) fn plans(&self) -> Option<PlanOptions> {
        match self {
            Command::Up(args) => Some(args.options().planning()),
            _ => None,
        }
    }

    /// Whether it applies migrations.
    pub(crate) fn applies(&self) -> bool {
        matches!(self, Command::Up(args) if !args.dry_run)
    }

    /// Whether it changes a database: what it has done is true, also where it cannot say so.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Command::Up(_) | Command::Down(_) | Command::Seed(_) | Command::Stamp(_) | Command::Resolve(_) => true,
            Command::Adopt(args) => !args.dry_run,
            Command::Environment(args) => args.changes(),
            _ => false,
        }
    }
}

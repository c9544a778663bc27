//! The command line's types, and nothing else: what each command does stands in [`crate::command`].

use clap::{Args, Parser, Subcommand};

use crate::command;
use crate::operation::PlanOptions;
use crate::output::Color;

/// Applies the PostgreSQL migrations that are compiled into this binary.
#[derive(Debug, Parser)]
#[command(name = "migrator", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done or nothing to do, 1 --check, audit or drift found something, 2 usage, 3 a migration failed, \
    4 history and binary diverge, 5 locked by somebody else, 6 no connection, 7 in doubt, 8 refused by policy, 9 anything else.\n\n\
    Example: DATABASE_URL=postgresql://deploy@db/crm migrator up"
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the help shows the options of every command: below a command's own.
const GLOBAL: &str = "Global options";

/// Options of every command, also of those that a program beside the migrator has.
#[derive(Debug, Args)]
#[group(skip)]
#[non_exhaustive]
pub struct Global {
    /// Where to connect: `postgresql://user:password@host:5432/database`; else PGHOST, PGPORT, PGDATABASE, PGUSER, ...
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", help_heading = GLOBAL)]
    pub database_url: Option<String>,
    /// Print results and errors only.
    #[arg(long, short, global = true, env = "MIGRATOR_QUIET", help_heading = GLOBAL)]
    pub quiet: bool,
    /// Say how it connected, what the history says and what is sent.
    #[arg(long, short, global = true, env = "MIGRATOR_VERBOSE", conflicts_with = "quiet", help_heading = GLOBAL)]
    pub verbose: bool,
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = GLOBAL)]
    pub color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "one value per process")]
pub(crate) enum Command {
    /// Apply what is pending.
    Up(command::up::Args),
    /// Roll back, newest first.
    Down(command::down::Args),
    /// Roll back the newest migration and apply it again.
    Redo(command::redo::Args),
    /// Show what `up` would do; writes nothing.
    Plan(command::plan::Args),
    /// Show what is applied and what is not; writes nothing.
    Status(command::status::Args),
    /// Ask the compiled checks about the data; writes nothing.
    Audit(command::audit::Args),
    /// Compare the live schema with the one that is compiled in; writes nothing.
    Drift(command::drift::Args),
    /// Run a compiled seed file.
    Seed(command::seed::Args),
    /// Record migrations as applied without running them.
    Stamp(command::stamp::Args),
    /// Decide about a statement whose outcome nobody knows.
    Resolve(command::resolve::Args),
    /// Show or record which environment this database is.
    Environment(command::environment::Args),
    /// Show the SQL of a migration that is inside this binary.
    Show(command::show::Args),
    /// List the migrations that are inside this binary.
    List(command::list::Args),
    /// Wait until the server accepts connections to the database.
    Wait(command::wait::Args),
    /// Show release, commit and digest of this binary.
    Version(command::version::Args),
}

impl Command {
    /// Whether it connects to a database.
    pub(crate) fn connects(&self) -> bool {
        !matches!(self, Command::Show(_) | Command::List(_) | Command::Version(_))
    }

    /// What it applies, if it applies anything.
    pub(crate) fn applies(&self) -> Option<PlanOptions> {
        match self {
            Command::Up(args) if !args.dry_run => Some(args.options().planning()),
            _ => None,
        }
    }

    /// Whether it changes a database: what it has done is true, also where it cannot say so.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Command::Up(_) | Command::Down(_) | Command::Seed(_) | Command::Stamp(_) | Command::Resolve(_) => true,
            Command::Environment(args) => args.changes(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        fn check(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Example: "), "{help}");
            command.get_subcommands_mut().filter(|command| command.get_name() != "help").for_each(check);
        }
        let mut cli = Cli::command();
        cli.build();
        check(&mut cli);
    }
}

//! The command line as a whole: what every command has. The commands are in [`crate::command`].

use clap::{Args, Parser};

use crate::command::Command;
use crate::output::Color;

/// Applies the PostgreSQL migrations that are compiled into this binary.
#[derive(Debug, Parser)]
#[command(name = "migrator", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done or nothing to do, 1 --check, audit or drift found something, 2 usage, 3 a migration failed, \
    4 history and binary diverge, 5 locked by another migrator, 6 no connection, 7 in doubt, 8 refused by policy, 9 anything else.\n\n\
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

/// The heading in the help, below a command's own options.
const GLOBAL: &str = "Global options";

/// Options of every command, also of those that a program beside the migrator has.
#[derive(Debug, Args)]
#[group(skip)]
#[non_exhaustive]
pub struct Global {
    /// Where to connect: `postgresql://user:password@host:5432/database`; otherwise from PGHOST, PGPORT, PGDATABASE, PGUSER, ...
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", help_heading = GLOBAL)]
    pub database_url: Option<String>,
    /// Print results and errors only.
    #[arg(long, short, global = true, env = "MIGRATOR_QUIET", help_heading = GLOBAL)]
    pub quiet: bool,
    /// Print how it connects, what the history contains, and what it sends.
    #[arg(long, short, global = true, env = "MIGRATOR_VERBOSE", conflicts_with = "quiet", help_heading = GLOBAL)]
    pub verbose: bool,
    /// Print JSON: one object per line, the last one with the result or the error.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = GLOBAL)]
    pub color: Color,
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

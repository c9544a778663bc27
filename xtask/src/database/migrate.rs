//! `cargo xtask migrate` and its short forms.

mod arguments;
mod help;
mod switch;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::CommandFactory as _;
use migrator_engine::{ConnectionTarget, Embedded, Error, Exit, Global, Request, Terminal, answer, parse};

use crate::child;
use crate::database::{create, drop, reset};
use crate::developer::{self, Context};
use crate::environment::Environment;
use crate::maintenance;
use crate::migrator;
use crate::output;
use crate::prove::{dump, locks, stamp};
use crate::workspace::Workspace;
use arguments::Arguments;
pub(crate) use help::{help, is_short};
use migrator_postgres::{Cluster, Installation, Status, TemporaryServer, remove_postgres_variables};
use switch::switched_on;

/// Switches off what `--no-dump` switches off.
const NO_DUMP: &str = "MIGRATOR_NO_DUMP";

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The database is DATABASE_URL (the environment, then .env), else the workspace's own PostgreSQL, \
                        which is started if need be. The exit code is the migrator's.\n\n\
                        The migrator is built first, with the SQL that is on disk; the first build takes minutes.\n\n\
                        After `up` and `reset` on the workspace's own database, db/schema.sql and the facts are updated as \
                        by `cargo xtask dump`, unless they are of another release of PostgreSQL. To skip this, pass \
                        `--no-dump` or set MIGRATOR_NO_DUMP=1.\n\n\
                        `plan --locks` runs what is pending on a scratch copy of the schema, on a throwaway server. `stamp --to V \
                        --verify` makes the schema of that version there, and compares it with the database first.\n\n\
                        Example: cargo xtask migrate plan --locks\n\
                        Example: cargo xtask migrate --env test up"
)]
pub struct Args {
    /// Also read .env.NAME, which takes precedence over .env
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Do not update db/schema.sql and the facts
    #[arg(long)]
    no_dump: bool,
    /// The migrator's command and its arguments, such as `up --to 3`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    rest: Vec<OsString>,
}

/// Arguments of a short form: all of them are the migrator's, but for `--env NAME` and `--no-dump`.
#[derive(Debug, clap::Args)]
#[command(after_help = "`--help` shows the migrator's own help.\n\n\
                        Example: cargo xtask up\n\
                        Example: cargo xtask reset --seed development --yes\n\
                        Example: cargo xtask status --env test")]
pub struct Rest {
    /// The migrator's arguments; `--env NAME` also reads .env.NAME, `--no-dump` does not update db/schema.sql
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<OsString>,
}

/// `cargo xtask up ...` and the like.
pub(crate) fn short(command: &str, rest: Rest) -> Result<ExitCode> {
    let rest = std::iter::once(command.into()).chain(rest.rest).collect();
    run(Args { env: None, no_dump: false, rest })
}

/// What the tasks do by themselves, on the db directory as it is on disk; everything else is the migrator's.
#[derive(Debug, clap::Parser)]
#[command(name = "migrate", bin_name = "cargo xtask migrate", disable_help_subcommand = true)]
struct Line {
    /// Options of every command of the migrator.
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Create the database
    Create(create::Args),
    /// Drop the database
    Drop(drop::Args),
    /// Drop, create and migrate the database
    Reset(reset::Args),
    /// Show what `up` would do, and with --locks what it locks
    Plan(locks::Args),
    /// Record migrations as applied where the schema is that of their version
    Stamp(stamp::Args),
    #[command(external_subcommand)]
    Migrator(#[expect(dead_code, reason = "the migrator gets the whole line")] Vec<OsString>),
}

/// The workspace's own server, running.
struct Own {
    url: String,
    data_directory: PathBuf,
}

/// Does what the tasks do by themselves, else builds the migrator and becomes it; where something is left to do after it, runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    let arguments = Arguments::divide(args.rest)?;
    let is_of_tasks = is_of_tasks(&arguments.rest);
    if !is_of_tasks && let Some(exit) = answer(arguments.rest.iter().cloned()) {
        // No one waits minutes for a build to read a help text.
        return Ok(ExitCode::from(exit as u8));
    }
    let line = match is_of_tasks {
        true => match parse::<Line>(std::iter::once(OsString::from("migrate")).chain(arguments.rest.iter().cloned())) {
            Ok(line) => Some(line),
            Err(exit) => return Ok(ExitCode::from(exit as u8)),
        },
        false => None,
    };
    let workspace = Workspace::locate()?;
    let environment = Environment::read(&workspace.root, args.env.as_deref().or(arguments.env.as_deref()))?;
    let no_dump = args.no_dump || arguments.no_dump || switched_on(NO_DUMP, environment.get(NO_DUMP).as_deref())?;
    match line {
        Some(line) => by_itself(&workspace, &environment, line, no_dump),
        None => become_migrator(&workspace, &environment, &arguments.rest, no_dump),
    }
}

/// Whether a line, also an invalid one, asks for a task and not for a command of the migrator.
pub(crate) fn is_of_tasks(words: &[OsString]) -> bool {
    let line = std::iter::once(OsString::from("migrate")).chain(words.iter().cloned());
    // Help is of the command that it is asked of.
    let without_help = |command: clap::Command| command.disable_help_flag(true);
    let command = without_help(Line::command()).mut_subcommands(without_help).ignore_errors(true);
    let Ok(matches) = command.try_get_matches_from(line) else { return false };
    match matches.subcommand_name() {
        Some("create" | "drop" | "reset") => true,
        // The migrator knows the newest schema itself.
        Some("stamp") => {
            let has = |option: &str| words.iter().any(|word| word == option);
            has("--verify") && !has("--all")
        }
        Some("plan") => ["--locks", "--help", "-h"].iter().any(|own| words.iter().any(|word| word == own)),
        _ => false,
    }
}

/// A task on a database, with the library.
fn by_itself(workspace: &Workspace, environment: &Environment, line: Line, no_dump: bool) -> Result<ExitCode> {
    let embedded = migrator::load_and_warn(workspace)?;
    let is_on = |name| switched_on(name, environment.get(name).as_deref());
    let quiet = line.global.quiet || is_on("MIGRATOR_QUIET")?;
    let terminal = Terminal::new(quiet, line.global.verbose || is_on("MIGRATOR_VERBOSE")?, line.global.color);
    let given = line.global.database_url.filter(|url| !url.is_empty()).or_else(|| environment.get("DATABASE_URL"));
    let (target, own) = where_to(workspace, environment, given.as_deref())?;
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            terminal.fail(&error, error.exit() as u8);
            return Ok(ExitCode::from(error.exit() as u8));
        }
    };
    if own.is_some() && matches!(line.task, Task::Plan(_) | Task::Stamp(_)) {
        create_missing(embedded, &target)?;
    }
    let mut context = Context::new(embedded, terminal, target, environment.get("MIGRATOR_ENV"));
    if matches!(line.task, Task::Reset(_) | Task::Plan(_) | Task::Stamp(_)) {
        context = context.release(workspace.release()?);
    }
    context.own = own.map(|own| own.data_directory);
    context.changes = !matches!(line.task, Task::Plan(_));
    Ok(match line.task {
        Task::Create(args) => developer::run(context, async |context| create::run(context, &args).await),
        Task::Drop(args) => developer::run(context, async |context| drop::run(context, &args).await),
        Task::Reset(args) => {
            let schema = workspace.db().join(dump::SCHEMA);
            let ended = developer::run(context, async |context| reset::run(context, &args, &schema).await);
            if ended == ExitCode::SUCCESS && !no_dump && is_own(workspace, given.as_deref())? {
                refresh(workspace, embedded);
            }
            ended
        }
        Task::Plan(args) => {
            let url = args.scratch_url.clone();
            beside(context, environment, url.as_deref(), async |context, there| {
                locks::run(context, &args, there).await
            })?
        }
        Task::Stamp(args) => {
            let url = args.scratch_url.clone();
            beside(context, environment, url.as_deref(), async |context, there| {
                stamp::run(context, &args, there).await
            })?
        }
        Task::Migrator(_) => bail!("this is a command of the migrator"),
    })
}

/// What needs scratch databases, on the server that was named or on one that ends with it.
fn beside(
    context: Context,
    environment: &Environment,
    url: Option<&str>,
    work: impl AsyncFnOnce(&Context, &Context) -> Result<Exit, Error>,
) -> Result<ExitCode> {
    let server = match url {
        Some(_) => None,
        None => Some(TemporaryServer::start().context("failed to start the throwaway server")?),
    };
    Ok(developer::run(context, async |context| {
        let scratch = match &server {
            Some(server) => context.on(server)?,
            None => {
                let target = ConnectionTarget::read(url, |name| environment.get(name))?;
                // Others may use that server, be it the workspace's own.
                Context { own: None, ..context.at(target) }
            }
        };
        work(context, &scratch).await
    }))
}

fn become_migrator(
    workspace: &Workspace,
    environment: &Environment,
    arguments: &[OsString],
    no_dump: bool,
) -> Result<ExitCode> {
    let given = environment.get("DATABASE_URL");
    let request = Request::read(arguments.iter().cloned());
    let (connects, url, plans, applies) = match request {
        Some(request) => (request.connects, request.database_url, request.plans, request.applies),
        None => (false, None, None, false),
    };
    if connects && url.is_none() && given.is_none() {
        // A machine without PostgreSQL is told before it builds for minutes, not afterwards.
        Installation::find()?;
    }
    let Some(fresh) = migrator::build(workspace)? else {
        if output::is_json() {
            bail!("the migrator could not be built; what cargo said is on stderr");
        }
        return Ok(ExitCode::from(output::FAILED));
    };
    let mut migrator = Command::new(&fresh.executable);
    migrator.envs(environment.additions()).args(arguments);
    let mut target = None;
    if connects {
        let (read, own) = where_to(workspace, environment, url.as_deref().or(given.as_deref()))?;
        target = match own {
            Some(own) => {
                remove_postgres_variables(&mut migrator);
                migrator.env("DATABASE_URL", &own.url);
                let target = read?;
                create_missing(fresh.embedded, &target)?;
                Some(target)
            }
            // What is wrong with it, the migrator says.
            None => read.ok(),
        };
    }
    let updates = applies && url.is_none();
    if let (Some(options), Some(target)) = (plans, target) {
        refuse_empty(fresh.embedded, target, options.to)?;
    }
    // It says how it ended.
    output::hand_over();
    let shown = fresh.executable.display();
    if no_dump || !updates || !is_own(workspace, given.as_deref())? {
        // We become the migrator: its exit code, its signals and its terminal are ours without a detour.
        let error = migrator.exec();
        return Err(error).with_context(|| format!("failed to run `{shown}`"));
    }
    let ended = child::run(&mut migrator).with_context(|| format!("failed to run `{shown}`"))?;
    if ended == 0 {
        refresh(workspace, fresh.embedded);
    }
    Ok(ExitCode::from(ended))
}

/// Brings the committed schema up to date.
fn refresh(workspace: &Workspace, embedded: &'static Embedded) {
    if let Err(error) = dump::refresh(workspace, embedded) {
        output::note(format!(
            "warning: db/schema.sql and the facts could not be updated: {}\nhelp: run `cargo xtask dump` \
             to try again, or pass `--no-dump` to skip this",
            output::describe(&error)
        ));
    }
}

/// Where a URL leads; without one, the workspace's own database, on its server, which is started.
fn where_to(
    workspace: &Workspace,
    environment: &Environment,
    url: Option<&str>,
) -> Result<(Result<ConnectionTarget, Error>, Option<Own>)> {
    if url.is_some() {
        return Ok((ConnectionTarget::read(url, |name| environment.get(name)), None));
    }
    let own = own_cluster(workspace)?;
    Ok((ConnectionTarget::read(Some(&own.url), |_| None), Some(own)))
}

/// Starts the workspace's own server.
fn own_cluster(workspace: &Workspace) -> Result<Own> {
    let cluster = Cluster::of_workspace(&workspace.root)?;
    let was_running = matches!(cluster.status()?, Status::Running(_));
    let running = cluster.start()?;
    if !was_running {
        output::note("started this workspace's PostgreSQL; `cargo xtask db stop` stops it");
    }
    Ok(Own { url: running.url(running.database()), data_directory: running.data_directory().to_owned() })
}

/// Creates the database on it, where it is not there.
fn create_missing(embedded: &'static Embedded, target: &ConnectionTarget) -> Result<()> {
    let context = Context::new(embedded, Terminal::silent(), target.clone(), None);
    developer::block_on(maintenance::create_missing(&context))??;
    Ok(())
}

/// In development an empty up block is an unfinished file: once it is applied, it cannot be changed any more.
fn refuse_empty(embedded: &'static Embedded, target: ConnectionTarget, to: Option<i64>) -> Result<()> {
    if embedded.migrations.iter().all(|migration| !migration.up.statements.is_empty()) {
        return Ok(());
    }
    let context = Context::new(embedded, Terminal::silent(), target, None);
    // Why there is no connection, the migrator says.
    let Ok(session) = developer::block_on(context.connect())? else { return Ok(()) };
    Ok(session.refuse_empty(to)?)
}

/// Whether a URL, if one was set, is that of the workspace's own database.
fn is_own(workspace: &Workspace, url: Option<&str>) -> Result<bool> {
    let Some(url) = url else { return Ok(true) };
    Ok(match Cluster::of_workspace(&workspace.root)?.status()? {
        Status::Running(running) => running.url(running.database()) == url,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_of_the_tasks_by_its_command_alone() {
        let of_tasks = |line: &str| is_of_tasks(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for line in [
            "create",
            "--color never drop --yes",
            "reset --nonesuch",
            "plan --locks",
            "plan --help",
            "drop -h",
            "stamp --to 3 --verify",
        ] {
            assert!(of_tasks(line), "{line}");
        }
        for line in [
            "seed reset",
            "show drop",
            "up --approved-by drop",
            "plan",
            "environment set reset",
            "up",
            "help drop",
            "stamp --to 3",
            "stamp --all --verify",
        ] {
            assert!(!of_tasks(line), "{line}");
        }
    }
}

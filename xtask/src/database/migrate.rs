//! `cargo xtask migrate` and its short forms.

mod arguments;

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::child;
use crate::environment::Environment;
use crate::migrator::{self, DATA_DIRECTORY, SCRATCH_DATA_DIRECTORY};
use crate::output;
use crate::prove::dump;
use crate::workspace::Workspace;
use arguments::Arguments;
use migrator_postgres::{Cluster, Status, TemporaryServer, remove_postgres_variables};

/// Tells the engine where the schema is that `reset --from-dump` loads: it reads no directory by itself.
const SCHEMA_FILE: &str = "MIGRATOR_WORKSPACE_SCHEMA";

/// Tells the migrator where it may make the copy that `plan --locks` runs on.
const SCRATCH_URL: &str = "MIGRATOR_SCRATCH_URL";

/// Tells the engine, which has no lexer, at which bytes the statements in it start.
const SCHEMA_STATEMENTS: &str = "MIGRATOR_WORKSPACE_SCHEMA_STATEMENTS";

/// A variable may have 128 KiB on Linux; without it an error in a larger schema has a message, but perhaps no place.
const LARGEST_VARIABLE: usize = 100_000;

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
                        `plan --locks` runs what is pending on a scratch copy of the schema, on a throwaway server.\n\n\
                        Example: cargo xtask migrate plan --locks\n\
                        Example: cargo xtask migrate --env test up"
)]
pub struct Args {
    /// Also read .env.NAME, which wins over .env
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

/// Builds the migrator and becomes it; where something is left to do after it, runs it.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    let arguments = Arguments::divide(args.rest)?;
    let workspace = Workspace::locate()?;
    let environment = Environment::read(&workspace.root, args.env.as_deref().or(arguments.env.as_deref()))?;
    let no_dump = args.no_dump || arguments.no_dump || switched_on(environment.get(NO_DUMP).as_deref())?;
    let Some(fresh) = migrator::build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };

    let mut migrator = Command::new(&fresh.executable);
    migrator.envs(environment.additions()).env_remove(DATA_DIRECTORY).env_remove(SCRATCH_DATA_DIRECTORY);
    point_at_the_schema(&mut migrator, &workspace, &arguments);
    migrator.args(&arguments.rest);
    let url = environment.get("DATABASE_URL");
    if url.is_none()
        && arguments.need_database()
        && let Some(failed) = use_own_cluster(&workspace, &mut migrator, &fresh.executable, &arguments)?
    {
        return Ok(failed);
    }
    let shown = fresh.executable.display();
    if arguments.need_scratch() && environment.get(SCRATCH_URL).is_none() {
        let server = TemporaryServer::start().context("failed to start the server to trace the locks on")?;
        migrator.env(SCRATCH_URL, server.url("postgres")).env(SCRATCH_DATA_DIRECTORY, server.data_directory());
        let ended = child::run(&mut migrator).with_context(|| format!("failed to run `{shown}`"))?;
        return Ok(ExitCode::from(ended));
    }
    if no_dump || !arguments.go_up() || !arguments.need_database() || !is_own(&workspace, url.as_deref())? {
        // We become the migrator: its exit code, its signals and its terminal are ours without a detour.
        let error = migrator.exec();
        return Err(error).with_context(|| format!("failed to run `{shown}`"));
    }
    let ended = child::run(&mut migrator).with_context(|| format!("failed to run `{shown}`"))?;
    if ended == 0
        && let Err(error) = dump::refresh(&workspace, &fresh)
    {
        output::note(format!(
            "warning: db/schema.sql and the facts could not be updated: {}\nhelp: run `cargo xtask dump` \
             to try again, or pass `--no-dump` to skip this",
            output::describe(&error)
        ));
    }
    Ok(ExitCode::from(ended))
}

/// Says where the committed schema is, and where its statements start.
fn point_at_the_schema(migrator: &mut Command, workspace: &Workspace, arguments: &Arguments) {
    let schema = workspace.db().join(dump::SCHEMA);
    if arguments.load_the_schema()
        // The engine, which loads it, says why it cannot be read.
        && let Ok(text) = fs::read_to_string(&schema)
    {
        let starts: Vec<String> = migrator_build::statement_starts(&text).iter().map(usize::to_string).collect();
        let starts = starts.join(",");
        if !starts.is_empty() && starts.len() < LARGEST_VARIABLE {
            migrator.env(SCHEMA_STATEMENTS, starts);
        }
    }
    migrator.env(SCHEMA_FILE, schema);
}

/// Whether a URL, if one was set, is that of the workspace's own database.
fn is_own(workspace: &Workspace, url: Option<&str>) -> Result<bool> {
    let Some(url) = url else { return Ok(true) };
    Ok(match Cluster::of_workspace(&workspace.root)?.status()? {
        Status::Running(running) => running.url(running.database()) == url,
        _ => false,
    })
}

/// What a variable says that is a switch, in the words that the migrator's own switches take.
fn switched_on(value: Option<&str>) -> Result<bool> {
    match value.map(str::to_lowercase).as_deref() {
        None | Some("0" | "false" | "f" | "no" | "n" | "off") => Ok(false),
        Some("1" | "true" | "t" | "yes" | "y" | "on") => Ok(true),
        Some(other) => {
            Err(output::Usage(format!("invalid value `{other}` for `{NO_DUMP}`\nhelp: set it to `true` or `false`"))
                .into())
        }
    }
}

/// Points the migrator at the workspace's own server, with the database in it. Some: how creating it failed.
fn use_own_cluster(
    workspace: &Workspace,
    migrator: &mut Command,
    executable: &Path,
    arguments: &Arguments,
) -> Result<Option<ExitCode>> {
    let cluster = Cluster::of_workspace(&workspace.root)?;
    let was_running = matches!(cluster.status()?, Status::Running(_));
    let running = cluster.start()?;
    if !was_running {
        output::note("started this workspace's PostgreSQL; `cargo xtask db stop` stops it");
    }
    let prepare = |command: &mut Command| {
        remove_postgres_variables(command);
        command.env("DATABASE_URL", running.url(running.database())).env(DATA_DIRECTORY, running.data_directory());
    };
    prepare(migrator);
    if arguments.find_database() {
        return Ok(None);
    }
    let mut create = Command::new(executable);
    prepare(&mut create);
    let created = create
        .args(["create", "--if-missing"])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to run `{} create`", executable.display()))?;
    if created.status.success() {
        return Ok(None);
    }
    // Said only now: that the database is there already is no news.
    output::pass_on(&created.stderr);
    Ok(Some(output::exit_code_of(created.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_in_the_environment_is_on_off_or_an_error() {
        for (value, expected) in [(None, false), (Some("1"), true), (Some("True"), true), (Some("0"), false)] {
            assert_eq!(switched_on(value).unwrap(), expected, "{value:?}");
        }
        let error = switched_on(Some("perhaps")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid value `perhaps` for `MIGRATOR_NO_DUMP`\nhelp: set it to `true` or `false`"
        );
        assert!(error.is::<output::Usage>());
    }
}

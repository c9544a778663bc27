//! `cargo xtask migrate` and its short forms.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::environment::Environment;
use crate::output;
use crate::postgres::{Cluster, remove_postgres_variables};
use crate::workspace::Workspace;

/// Tells the engine which cluster it may drop databases in, without a tunnel to production looking like one.
pub(crate) const DATA_DIRECTORY: &str = "MIGRATOR_WORKSPACE_DATA_DIRECTORY";

/// Migrator commands that never connect: no server is started for them.
const OFFLINE: &[&str] = &["version", "list", "show", "completions", "man", "help"];

/// Migrator commands that decide themselves whether the database exists.
const OWN_DATABASE: &[&str] = &["create", "drop"];

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The database is DATABASE_URL (the environment, then .env), else the workspace's own PostgreSQL, \
                        which is started. The exit code is the migrator's.\n\n\
                        Example: cargo xtask migrate plan --sql\n\
                        Example: cargo xtask migrate --env test up"
)]
pub struct Args {
    /// Also read .env.NAME, which wins over .env
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The migrator's command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "COMMAND")]
    rest: Vec<OsString>,
}

/// Arguments of a short form: all of them are the migrator's, but for `--env NAME`.
#[derive(Debug, clap::Args)]
#[command(after_help = "`--help` shows the migrator's own help.\n\n\
                        Example: cargo xtask up\n\
                        Example: cargo xtask reset --seed development --yes\n\
                        Example: cargo xtask status --env test")]
pub struct Rest {
    /// The migrator's arguments; `--env NAME` also reads .env.NAME
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<OsString>,
}

/// `cargo xtask up ...` and the like.
pub(crate) fn short(command: &str, rest: Rest) -> Result<ExitCode> {
    let rest = std::iter::once(command.into()).chain(rest.rest).collect();
    run(Args { env: None, rest })
}

/// Builds the migrator and becomes it.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    let (named, arguments) = take_env(args.rest)?;
    let workspace = Workspace::locate()?;
    let environment = Environment::read(&workspace.root, args.env.or(named).as_deref())?;
    let Some(executable) = build(&workspace)? else { return Ok(ExitCode::from(output::FAILED)) };

    let mut migrator = Command::new(&executable);
    migrator.envs(environment.additions()).env_remove(DATA_DIRECTORY);
    if environment.get("DATABASE_URL").is_none()
        && needs_database(&arguments)
        && let Some(failed) = use_own_cluster(&workspace, &mut migrator, &executable, &arguments)?
    {
        return Ok(failed);
    }
    // We become the migrator: its exit code, its signals and its terminal are ours without a detour.
    let error = migrator.args(&arguments).exec();
    Err(error).with_context(|| format!("failed to run `{}`", executable.display()))
}

/// Points the migrator at the workspace's own server, with the database in it. Some: how creating it failed.
fn use_own_cluster(
    workspace: &Workspace,
    migrator: &mut Command,
    executable: &Path,
    arguments: &[OsString],
) -> Result<Option<ExitCode>> {
    let running = Cluster::of_workspace(&workspace.root)?.start()?;
    let prepare = |command: &mut Command| {
        remove_postgres_variables(command);
        command.env("DATABASE_URL", running.url(running.database())).env(DATA_DIRECTORY, running.data_directory());
    };
    prepare(migrator);
    if arguments.iter().any(|argument| OWN_DATABASE.iter().any(|own| argument == own)) {
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
    output::note(String::from_utf8_lossy(&created.stderr).trim_end());
    Ok(Some(output::exit_code_of(created.status)))
}

/// The migrator on a throw-away server: nothing that was set for another database reaches it.
pub(super) fn on_throw_away(executable: &Path, url: &str) -> Command {
    let mut migrator = Command::new(executable);
    remove_postgres_variables(&mut migrator);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MIGRATOR_")) {
        // An approval, a deadline or an environment is meant for another database.
        migrator.env_remove(name);
    }
    migrator.env("DATABASE_URL", url);
    migrator
}

/// Builds until the SQL inside the binary is the SQL on disk. `None`: cargo has said why it failed.
pub(crate) fn build(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let built = || workspace.build_migrator(&["--features", "dev"], &[]);
    let Some(first) = built()? else { return Ok(None) };
    let on_disk = match migrator_build::load(&workspace.db()) {
        Ok(loaded) => loaded.set.digest,
        Err(problems) => bail!("the db directory has errors that the build did not see\n{problems}"),
    };
    if digest_inside(&first.executable)? == on_disk {
        return Ok(Some(first.executable));
    }
    // Cargo compares times, and a checkout, a copy or a clock can make a changed file look old.
    for directory in [workspace.db(), workspace.db().join("migrations")] {
        let touch = || File::open(&directory)?.set_modified(SystemTime::now());
        touch().with_context(|| format!("failed to touch `{}`", directory.display()))?;
    }
    let Some(second) = built()? else { return Ok(None) };
    let inside = digest_inside(&second.executable)?;
    if inside != on_disk {
        bail!(
            "the migrator was built from other SQL than `{}` holds (digest {inside}, expected {on_disk})\nhelp: the \
             package `migrator` needs a build.rs with `migrator_build::embed(\"../db\")`; if it has one, `cargo clean \
             --package migrator`",
            workspace.db().display()
        );
    }
    Ok(Some(second.executable))
}

fn digest_inside(executable: &Path) -> Result<String> {
    let shown = executable.display();
    let output = Command::new(executable)
        .args(["version", "--json"])
        .output()
        .with_context(|| format!("failed to run `{shown} version --json`"))?;
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let digest = answer.as_ref().and_then(|answer| answer["digest"].as_str());
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(digest.with_context(|| format!("`{shown} version --json` gave no digest: {}", said.trim()))?.to_owned())
}

/// Takes `--env NAME` or `--env=NAME` out of the migrator's arguments, wherever it stands before a `--`.
fn take_env(arguments: Vec<OsString>) -> Result<(Option<String>, Vec<OsString>)> {
    let mut env = None;
    let mut rest = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            rest.push(argument);
            break;
        }
        if argument == "--env" {
            let name = arguments.next().and_then(|name| name.into_string().ok());
            env = Some(name.ok_or_else(|| output::Usage("`--env` needs a name".to_owned()))?);
        } else if let Some(name) = argument.to_str().and_then(|argument| argument.strip_prefix("--env=")) {
            env = Some(name.to_owned());
        } else {
            rest.push(argument);
        }
    }
    rest.extend(arguments);
    Ok((env, rest))
}

/// Whether a command line connects to a database that it does not name itself.
fn needs_database(arguments: &[OsString]) -> bool {
    let is = |argument: &OsStr, words: &[&str]| words.iter().any(|word| argument == *word);
    let names_one = |argument: &OsString| {
        is(argument, &["--database-url"]) || argument.to_string_lossy().starts_with("--database-url=")
    };
    let asks_for_help = |argument: &OsString| is(argument, &["--help", "-h", "--version", "-V"]);
    let command = arguments.iter().find(|argument| !argument.to_string_lossy().starts_with('-'));
    command.is_some_and(|command| !is(command, OFFLINE))
        && !arguments.iter().any(|argument| names_one(argument) || asks_for_help(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn takes_the_environments_name_wherever_it_stands() {
        for (line, env, rest) in [
            ("up --to 3", None, "up --to 3"),
            ("up --env test --to 3", Some("test"), "up --to 3"),
            ("--env=test status", Some("test"), "status"),
            ("show -- --env test", None, "show -- --env test"),
        ] {
            assert_eq!(take_env(words(line)).unwrap(), (env.map(str::to_owned), words(rest)), "{line}");
        }
        assert!(take_env(words("up --env")).unwrap_err().is::<output::Usage>());
    }

    #[test]
    fn starts_no_server_for_commands_that_do_not_connect() {
        for (line, expected) in [
            ("up", true),
            ("--json status", true),
            ("reset --yes", true),
            ("version --verbose", false),
            ("up --help", false),
            ("--version", false),
            ("show 001", false),
            ("up --database-url postgresql://x", false),
            ("up --database-url=postgresql://x", false),
        ] {
            assert_eq!(needs_database(&words(line)), expected, "{line}");
        }
    }
}

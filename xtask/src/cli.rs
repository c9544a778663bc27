//! The command line.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::author::{fix, import, init, new, squash};
use crate::check;
use crate::database::{db, migrate};
use crate::docs;
use crate::manual;
use crate::output;
use crate::prove::{bench, chaos, compat, dump, verify};
use crate::release::{ci, dist};
use crate::usage;
use migrator_engine::output::speak_json;
use migrator_engine::{asks_for_json, is_command, named};

/// The tasks as a whole program; a workspace with tasks of its own flattens [`Command`] instead.
#[derive(Debug, Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    about = "Develop the db directory: write, check, apply and release migrations"
)]
#[command(after_help = "Example: cargo xtask new add_users_locale\nExample: cargo xtask migrate up")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One task.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set up a workspace: db/, the migrator, the tasks.
    Init(init::Args),
    /// Write the next migration file from a template.
    New(new::Args),
    /// Replace the migrations up to a version by one baseline, proved to make the same schema.
    Squash(squash::Args),
    /// Import the migrations of another tool into db/migrations.
    Import(import::Args),
    /// Build the migrator and run it, by default on the workspace's own PostgreSQL.
    Migrate(migrate::Args),
    /// Short for `migrate up`.
    #[command(disable_help_flag = true)]
    Up(migrate::Rest),
    /// Short for `migrate down`.
    #[command(disable_help_flag = true)]
    Down(migrate::Rest),
    /// Short for `migrate status`.
    #[command(disable_help_flag = true)]
    Status(migrate::Rest),
    /// Short for `migrate reset`.
    #[command(disable_help_flag = true)]
    Reset(migrate::Rest),
    /// Short for `migrate seed`.
    #[command(disable_help_flag = true)]
    Seed(migrate::Rest),
    /// Manage the workspace's own PostgreSQL for development.
    #[command(subcommand)]
    Db(db::Command),
    /// Check the db directory, and that no backend depends on the engine; needs no database.
    Check(check::Args),
    /// Prove on a throwaway server that the migrations go up, down and up again.
    Verify(verify::Args),
    /// Find the queries of the running release that break on the new schema.
    Compat(compat::Args),
    /// Run what CI runs.
    Ci(ci::Args),
    /// Break the migrator's connection, process and server at every message, and check that its promises hold.
    Chaos(chaos::Args),
    /// Measure the migrator beside other tools, and write docs/evidence/speed.md.
    Bench(bench::Args),
    /// Write db/schema.sql, the facts for `migrator drift` and the locks for `migrator plan`, from a throwaway server.
    Dump(dump::Args),
    /// Build the migrator that ships with the release.
    Dist(dist::Args),
    /// Check the links of all pages, and make the site of docs/.
    Docs(docs::Args),
    /// Print the completions of these tasks for a shell.
    Completions(manual::Completions),
    /// Print a man page, or write one for each task.
    Man(manual::Pages),
}

impl Command {
    /// Runs the task, prints the error, if any, and returns the exit code of the process.
    #[must_use]
    pub fn run(self) -> ExitCode {
        output::exit_code(match self {
            Command::Init(args) => init::run(&args, &names().iter().map(String::as_str).collect::<Vec<_>>()),
            Command::New(args) => new::run(&args),
            Command::Squash(args) => squash::run(&args),
            Command::Import(args) => import::run(&args),
            Command::Migrate(args) => migrate::run(args),
            Command::Up(rest) => migrate::short("up", rest),
            Command::Down(rest) => migrate::short("down", rest),
            Command::Status(rest) => migrate::short("status", rest),
            Command::Reset(rest) => migrate::short("reset", rest),
            Command::Seed(rest) => migrate::short("seed", rest),
            Command::Db(command) => db::run(command),
            Command::Check(args) if args.is_fix() => fix::run(&args),
            Command::Check(args) => check::run(&args),
            Command::Verify(args) => verify::run(&args),
            Command::Compat(args) => compat::run(&args),
            Command::Ci(args) => ci::run(&args),
            Command::Chaos(args) => chaos::run(&args),
            Command::Bench(args) => bench::run(&args),
            Command::Dump(args) => dump::run(&args),
            Command::Dist(args) => dist::run(&args),
            Command::Docs(args) => docs::run(&args),
            Command::Completions(args) => manual::completions(Cli::command(), &args),
            Command::Man(args) => manual::pages(Cli::command(), &args),
        })
    }
}

/// The names of all tasks.
fn names() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// The whole program: parses the command line, runs the task, returns the exit code of the process.
#[must_use]
pub fn main() -> ExitCode {
    // Installed, and not run by cargo: it is called by its own name.
    let is_installed = std::env::var_os("CARGO").is_none();
    run(std::env::args_os(), if is_installed { env!("CARGO_PKG_NAME") } else { "cargo xtask" })
}

fn run(line: impl Iterator<Item = OsString>, name: &'static str) -> ExitCode {
    let mut line: Vec<OsString> = line.collect();
    if asks_for_json(&line) {
        speak_json(task(&line).as_deref());
    }
    if line.get(1).is_some_and(|word| word == "help") {
        let is_task = |word: &OsString| names().iter().any(|name| word == name.as_str());
        let own = line[2..].first().filter(|word| is_task(word) && line.len() == 3);
        let short = own.is_none_or(|word| migrate::is_short(word));
        if short && let Some(words) = migrate::help(&line[2..], migrate::is_of_tasks) {
            line.truncate(1);
            line.push("migrate".into());
            line.extend(words);
        }
    }
    let cli = Cli::command().bin_name(name).try_get_matches_from(&line).and_then(|line| Cli::from_arg_matches(&line));
    match cli {
        Ok(cli) => cli.command.run(),
        Err(error) => usage::report(error, &Cli::command(), &line, name),
    }
}

/// What a command line asks for: of `migrate up`, it is `up`.
fn task(line: &[OsString]) -> Option<String> {
    let task = named(&Cli::command(), line)?;
    let words = line.iter().skip_while(|word| *word != "migrate").skip(1).filter_map(|word| word.to_str());
    let mut commands = words.filter(|word| is_command(word) || ["create", "drop", "reset"].contains(word));
    match &*task {
        "migrate" => Some(commands.next().unwrap_or("migrate").to_owned()),
        _ => Some(task),
    }
}

/// The word before a task of ours that a workspace's own xtask has too.
const PREFIX: &str = "migrator";

/// Our tasks in a workspace's own xtask: first in its `main`, whatever that returns.
///
/// Runs the task that the command line names, and returns the exit code of the process; `None`: it names none of ours. Those in
/// `theirs` are left to the caller. After the word `migrator` all of them are ours: `cargo xtask migrator check`.
///
/// ```no_run
/// fn main() -> Result<(), std::io::Error> {
///     if let Some(code) = migrator_xtask::intercept(&["ci"]) {
///         std::process::exit(code);
///     }
///     // The workspace's own tasks.
///     Ok(())
/// }
/// ```
#[must_use]
pub fn intercept(theirs: &[&str]) -> Option<i32> {
    let mut line: Vec<OsString> = std::env::args_os().collect();
    let name = if is_prefixed(&mut line) {
        "cargo xtask migrator"
    } else {
        let task = line.get(1)?.to_str()?;
        if theirs.contains(&task) || !names().iter().any(|name| name == task) {
            return None;
        }
        "cargo xtask"
    };
    let work = move || run(line.into_iter(), name);
    let ended = match tokio::runtime::Handle::try_current() {
        Err(_) => work(),
        // Within an `async fn main`: a thread may have only one runtime.
        Ok(_) => {
            let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(work);
            thread.ok().and_then(|thread| thread.join().ok()).unwrap_or(ExitCode::from(output::FAILED))
        }
    };
    Some(i32::from(output::number(ended)))
}

/// Takes the word that stands for our tasks out of a command line; false: it is not in it.
fn is_prefixed(line: &mut Vec<OsString>) -> bool {
    let is_prefixed = line.get(1).is_some_and(|word| word == PREFIX);
    if is_prefixed {
        line.remove(1);
    }
    is_prefixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        fn check(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Example: ") && help.contains("cargo xtask"), "{help}");
            command.get_subcommands_mut().filter(|command| command.get_name() != "help").for_each(check);
        }
        let mut cli = Cli::command();
        cli.build();
        check(&mut cli);
    }
}

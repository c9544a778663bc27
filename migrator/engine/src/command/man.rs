//! `man`: the man pages.

use std::path::PathBuf;

use super::context::Program;
use crate::error::{Error, Exit};
use crate::output::file;
use crate::place::Place;
use crate::reference;

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator man up | man -l -\nExample: migrator man --out /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// The command that the page is about [default: the whole program].
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    pub command: Vec<String>,
    /// Write one page for each command into this directory, which must exist.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Prints one or writes all.
///
/// # Errors
/// There is no such command; a page cannot be written.
pub(crate) fn run(program: &Program, args: &Args) -> Result<Exit, Error> {
    let pages = reference::pages((program.grammar)(), "migrator");
    let Some(directory) = &args.out else {
        let name = format!("{}.1", [&["migrator".to_owned()], &*args.command].concat().join("-"));
        let Some((_, page)) = pages.into_iter().find(|(page, _)| *page == name) else {
            let command = args.command.join(" ");
            return Err(
                Error::usage(format!("there is no command `{command}`")).help("`migrator help` lists the commands")
            );
        };
        file(page.trim_end());
        return Ok(Exit::Done);
    };
    for (name, page) in &pages {
        Place::open(&directory.join(name), "the man page")?.write(page)?;
    }
    program.terminal.say(&format!("wrote {} pages to {}", pages.len(), directory.display()));
    Ok(Exit::Done)
}

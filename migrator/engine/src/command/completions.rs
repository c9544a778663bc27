//! `completions`: the script with which a shell completes the command line.

use clap_complete::Shell;

use super::context::Program;
use crate::error::Exit;
use crate::output::file;
use crate::reference;

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator completions bash > ~/.local/share/bash-completion/completions/migrator")]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints it.
pub(crate) fn run(program: &Program, args: &Args) -> Exit {
    file(reference::completions((program.grammar)(), "migrator", args.shell).trim_end());
    Exit::Done
}

//! `completions` and `man`: what a shell and a reader are told of the tasks.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use migrator_engine::output as print;
use migrator_engine::{Shell, reference};

use crate::output::{self, Usage};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "They complete `migrator-xtask`, and in bash `cargo xtask` too.\n\n\
                        Example: cargo xtask completions bash >> ~/.bashrc")]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: cargo xtask man verify | man -l -\nExample: cargo xtask man --out target/man")]
pub struct Pages {
    /// The task that the page is about [default: all of them]
    #[arg(value_name = "TASK", conflicts_with = "out")]
    task: Vec<String>,
    /// Write one page for each task into this directory, which is created
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The name of the program where it is installed.
const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Lets `cargo xtask` be completed as the program is, and everything else of cargo as before.
const CARGO: &str = include_str!("manual/cargo.bash");

/// Prints the script.
pub(crate) fn completions(tasks: clap::Command, args: &Completions) -> Result<ExitCode> {
    let mut script = reference::completions(tasks, PROGRAM, args.shell);
    if args.shell == Shell::Bash {
        // The generator spells the name of a program with a hyphen in two ways, and finds no command below it.
        script = script.replace("migrator__subcmd__xtask", "migrator__xtask");
        script.push_str(CARGO);
    }
    print::file(script.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Prints a page or writes all.
pub(crate) fn pages(tasks: clap::Command, args: &Pages) -> Result<ExitCode> {
    let pages = reference::pages(tasks, PROGRAM);
    let Some(directory) = &args.out else {
        let name = format!("{}.1", [&[PROGRAM.to_owned()], &*args.task].concat().join("-"));
        let found = pages.into_iter().find(|(page, _)| *page == name);
        let unknown = || {
            let task = args.task.join(" ");
            Usage(format!("there is no task `{task}`\nhelp: `cargo xtask help` lists the tasks"))
        };
        print::file(found.ok_or_else(unknown)?.1.trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let shown = directory.display();
    fs::create_dir_all(directory).with_context(|| format!("failed to create `{shown}`"))?;
    for (name, page) in &pages {
        fs::write(directory.join(name), page).with_context(|| format!("failed to write `{name}` to `{shown}`"))?;
    }
    output::note(format!("wrote {} pages to {shown}", pages.len()));
    Ok(ExitCode::SUCCESS)
}

//! `cargo xtask ci`.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::check;
use crate::docs;
use crate::output;
use crate::prove::{dump, verify};
use crate::workspace::{Workspace, cargo};

/// Arguments of `ci`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every step runs, even after one that failed. A step that cannot run here says why; that is not a failure. Exit code \
                        1: a step found something; 9: a step failed.\n\n\
                        Example: cargo xtask ci\n\
                        Example: cargo xtask ci --skip test --skip verify"
)]
pub struct Args {
    /// Skip a step; repeat to skip several
    #[arg(long, value_name = "STEP", value_parser = STEPS.map(|step| step.name))]
    skip: Vec<String>,
    /// Print the steps as command lines without running them
    #[arg(long)]
    list: bool,
}

/// One step.
struct Step {
    name: &'static str,
    /// What a person would type for it.
    line: &'static str,
    run: Run,
    /// Why it cannot run in this workspace, or on this machine.
    obstacle: fn(&Workspace) -> Option<String>,
}

enum Run {
    /// The line itself, which is one of cargo's.
    Line,
    Task(fn() -> Result<ExitCode>),
}

/// What CI runs, in this order. There is no other list: `.ci/run` installs what is missing and calls this.
const STEPS: [Step; 10] = [
    Step { name: "fmt", line: "cargo fmt --all --check", run: Run::Line, obstacle: none },
    Step {
        name: "clippy",
        line: "cargo clippy --workspace --all-targets --locked -- -D warnings",
        run: Run::Line,
        obstacle: none,
    },
    // One failing test binary must not hide what the others say.
    Step { name: "test", line: "cargo test --workspace --locked --no-fail-fast", run: Run::Line, obstacle: none },
    Step {
        name: "check",
        line: "cargo xtask check",
        run: Run::Task(|| check::run(&check::Args::default())),
        obstacle: none,
    },
    Step {
        name: "dump",
        line: "cargo xtask dump --check",
        run: Run::Task(|| dump::run(&dump::Args { check: true, ..dump::Args::default() })),
        obstacle: without_schema,
    },
    Step {
        name: "verify",
        line: "cargo xtask verify",
        run: Run::Task(|| verify::run(&verify::Args::default())),
        obstacle: none,
    },
    // Without mdBook, which not every machine has: what is wrong with the pages is found without it.
    Step {
        name: "docs",
        line: "cargo xtask docs --check",
        run: Run::Task(|| docs::run(&docs::Args { check: true, ..docs::Args::default() })),
        obstacle: without_docs,
    },
    // Not the advisories: a new one there must not turn an old commit red.
    Step { name: "deny", line: "cargo deny check licenses bans sources", run: Run::Line, obstacle: without_deny },
    // As a registry would take them; `tests/it/packaged.rs` builds from what is in the packages. What is not committed is another
    // check's business.
    Step {
        name: "package",
        line: "cargo package --locked --allow-dirty --no-verify --package migrator-build --package migrator-diagnostic --package migrator-engine \
               --package migrator-lint --package migrator-model --package migrator-postgres --package migrator-sql --package migrator-xtask",
        run: Run::Line,
        obstacle: without_libraries,
    },
    // libFuzzer is C++. Only whether the target still compiles is checked; it is run by hand.
    Step {
        name: "fuzz",
        line: "cargo check --manifest-path tests/fuzz/Cargo.toml --locked --target-dir target/fuzz",
        run: Run::Line,
        obstacle: without_fuzzing,
    },
];

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Found,
    Failed,
}

/// Runs the steps in order, each under its command line, and reports at the end which of them did not pass.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let steps = || STEPS.iter().filter(|step| !args.skip.iter().any(|name| name == step.name));
    if args.list {
        steps().for_each(|step| output::result(step.line));
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::locate()?;
    let before = tree(&workspace);
    let mut bad: Vec<(&str, End)> = Vec::new();
    for step in steps() {
        let end = step.run(&workspace);
        if end != End::Passed {
            bad.push((step.line, end));
        }
    }
    if let Some(changed) = changed(before.as_deref(), tree(&workspace).as_deref()) {
        output::note(format!("error: these files were changed or left behind:\n{}", changed.trim_end()));
        bad.push(("the tree is as it was", End::Failed));
    }
    for (line, _) in &bad {
        output::note(format!("failed: {line}"));
    }
    Ok(match bad.iter().map(|(_, end)| *end).collect::<Vec<_>>() {
        ends if ends.is_empty() => ExitCode::SUCCESS,
        ends if ends.contains(&End::Failed) => ExitCode::from(output::FAILED),
        _ => ExitCode::from(output::FOUND),
    })
}

impl Step {
    fn run(&self, workspace: &Workspace) -> End {
        output::note("");
        output::note(format!("=== {}", self.line));
        if let Some(obstacle) = (self.obstacle)(workspace) {
            output::note(format!("not run: {obstacle}"));
            return End::Passed;
        }
        let began = Instant::now();
        let end = match self.run {
            Run::Line => run_line(workspace, self.line),
            Run::Task(task) => task().map(|code| match code {
                ExitCode::SUCCESS => End::Passed,
                code if code == ExitCode::from(output::FOUND) => End::Found,
                _ => End::Failed,
            }),
        };
        let end = end.unwrap_or_else(|error| {
            output::note(format!("error: {}", output::describe(&error)));
            End::Failed
        });
        let word = if end == End::Passed { "passed" } else { "failed" };
        output::note(format!("{}: {word} ({:.1} s)", self.name, began.elapsed().as_secs_f64()));
        end
    }
}

/// The words of a line are separated by spaces, and none of them holds one.
fn run_line(workspace: &Workspace, line: &str) -> Result<End> {
    let arguments = line.split(' ').skip(1);
    let mut command = cargo();
    command.args(arguments).current_dir(&workspace.root).stdin(Stdio::null());
    let status = command.status().with_context(|| format!("failed to run `{line}`"))?;
    Ok(if status.success() { End::Passed } else { End::Failed })
}

/// What git says of the files; `None` where git is missing, or refuses to read a tree that belongs to another user.
fn tree(workspace: &Workspace) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["status", "--porcelain"]).current_dir(&workspace.root);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What is different, where both are known.
fn changed<'a>(before: Option<&str>, after: Option<&'a str>) -> Option<&'a str> {
    let (before, after) = before.zip(after)?;
    (before != after).then_some(after)
}

fn none(_: &Workspace) -> Option<String> {
    None
}

fn without_schema(workspace: &Workspace) -> Option<String> {
    let missing = !workspace.db().join(dump::SCHEMA).exists();
    missing.then(|| "there is no db/schema.sql; `cargo xtask dump` writes it".to_owned())
}

fn without_docs(workspace: &Workspace) -> Option<String> {
    let missing = !workspace.root.join(docs::MANIFEST).exists();
    missing.then(|| format!("the workspace has no {}", docs::MANIFEST))
}

fn without_deny(workspace: &Workspace) -> Option<String> {
    if !workspace.root.join("deny.toml").exists() {
        return Some("the workspace has no deny.toml".to_owned());
    }
    let version = cargo().args(["deny", "--version"]).output();
    let installed = version.is_ok_and(|output| output.status.success());
    (!installed).then(|| "cargo-deny is not installed; `cargo install --locked cargo-deny` installs it".to_owned())
}

fn without_libraries(workspace: &Workspace) -> Option<String> {
    let missing = !workspace.root.join("migrator/postgres/Cargo.toml").exists();
    missing.then(|| "the workspace has none of migrator's libraries".to_owned())
}

fn without_fuzzing(workspace: &Workspace) -> Option<String> {
    if !workspace.root.join("tests/fuzz/Cargo.toml").exists() {
        return Some("the workspace has no tests/fuzz".to_owned());
    }
    let compiler = Command::new("c++").arg("--version").output();
    let installed = compiler.is_ok_and(|output| output.status.success());
    (!installed).then(|| "there is no C++ compiler".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_git_cannot_read_is_not_called_changed() {
        assert_eq!(changed(Some(""), Some("")), None);
        assert_eq!(changed(Some(" M a\n"), Some(" M a\n")), None);
        assert_eq!(changed(Some(""), Some("?? a\n")), Some("?? a\n"));
        assert_eq!((changed(None, Some("?? a\n")), changed(Some(""), None)), (None, None));
    }
}

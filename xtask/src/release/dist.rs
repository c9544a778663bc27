//! `cargo xtask dist`.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use xshell::cmd;

use crate::maintenance::MARK;
use crate::output;
use crate::workspace::{Workspace, shown};

/// Commands that must not ship with a release.
const FORBIDDEN: &[&str] = &["create", "drop", "reset", "verify"];

/// Names that only code reads which must not ship, and what that code is. Seen in the binary's bytes, so also for another platform.
const TELLTALES: &[(&str, &str)] =
    &[(MARK, "a statement that drops databases"), ("MIGRATOR_PLANTED_BUG", "the planted defects of the tests")];

/// Arguments of `dist`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes the binary `migrator` and SHA256SUMS to target/dist. MIGRATOR_COMMIT is the git commit, with \
                        -dirty appended if the tree has changes, unless the environment sets it.\n\n\
                        Example: cargo xtask dist\n\
                        Example: cargo xtask dist --target x86_64-unknown-linux-musl"
)]
pub struct Args {
    /// Build for another platform of `rustc --print target-list`
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// Builds, proves, copies.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let mut arguments = vec!["--release"];
    arguments.extend(args.target.iter().flat_map(|target| ["--target", target.as_str()]));
    let commit = commit(&workspace)?;
    let variables: Vec<_> = commit.iter().map(|commit| ("MIGRATOR_COMMIT", commit.as_str())).collect();
    let Some(built) = workspace.build_migrator(&arguments, &variables)? else {
        return Ok(ExitCode::from(output::FAILED));
    };
    refuse_telltales(&built.executable)?;
    match &args.target {
        Some(target) if *target != host()? => {
            output::note(format!("not run, because it was built for {target}: {}", shown(&built.executable).display()));
        }
        _ => refuse_forbidden_commands(&built.executable)?,
    }
    let directory = workspace.metadata()?.target_directory.join("dist").into_std_path_buf();
    copy(&built.executable, &directory)?;
    output::result(shown(&directory.join("migrator")).display());
    output::result(shown(&directory.join("SHA256SUMS")).display());
    Ok(ExitCode::SUCCESS)
}

/// The commit for the binary to name; `None` outside git, or where the environment says it already.
fn commit(workspace: &Workspace) -> Result<Option<String>> {
    if std::env::var_os("MIGRATOR_COMMIT").is_some_and(|commit| !commit.is_empty()) {
        return Ok(None);
    }
    let shell = workspace.shell()?;
    let Ok(commit) = cmd!(shell, "git rev-parse --verify HEAD").quiet().ignore_stderr().read() else {
        output::note("no git commit found, so the binary names none\nhelp: set MIGRATOR_COMMIT");
        return Ok(None);
    };
    // A file that git does not know yet is inside the binary as well.
    let changes = cmd!(shell, "git status --porcelain").quiet().read()?;
    Ok(Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") }))
}

fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("failed to run `rustc -vV`")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` named no host")?.to_owned())
}

/// Searches the binary's bytes: what is hidden from its help is found here.
fn refuse_telltales(executable: &Path) -> Result<()> {
    let bytes = fs::read(executable).with_context(|| format!("failed to read `{}`", shown(executable).display()))?;
    let holds = |name: &str| bytes.windows(name.len()).any(|window| window == name.as_bytes());
    match TELLTALES.iter().find(|(name, _)| holds(name)) {
        Some((name, what)) => bail!(
            "the release binary contains {what}, which must not ship: found `{name}`\nhelp: remove the dependency \
             that brings them from the package `migrator`"
        ),
        None => Ok(()),
    }
}

/// The binary itself is asked: what it does not list it does not have.
fn refuse_forbidden_commands(executable: &Path) -> Result<()> {
    let name = shown(executable);
    let name = name.display();
    let output = Command::new(executable)
        .arg("--help")
        .env("NO_COLOR", "1")
        .output()
        .with_context(|| format!("failed to run `{name} --help`"))?;
    let help = String::from_utf8_lossy(&output.stdout);
    let commands = commands(&help);
    if commands.is_empty() {
        bail!("`{name} --help` lists no commands: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    match commands.iter().find(|command| FORBIDDEN.contains(command)) {
        Some(command) => bail!("the release binary has the command `{command}`, which must not ship"),
        None => Ok(()),
    }
}

/// The commands that clap's help lists.
fn commands(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| line.trim() != "Commands:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        // A name is indented by two spaces; what is indented further is the rest of a description.
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

fn copy(executable: &Path, directory: &Path) -> Result<()> {
    let target = directory.join("migrator");
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(directory)?;
        // Removed first: a running one cannot be written over.
        let _ = fs::remove_file(&target);
        fs::copy(executable, &target)?;
        let digest = Sha256::digest(fs::read(&target)?);
        fs::write(directory.join("SHA256SUMS"), format!("{}  migrator\n", hex::encode(digest)))
    };
    write().with_context(|| format!("failed to write into `{}`", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_commands_out_of_the_help() {
        let help = "Migrations\n\nUsage: migrator [OPTIONS] <COMMAND>\n\nCommands:\n  up      Applies what is pending,\n          \
                    drop nothing\n  reset\n\n  help    Print this message\n\nOptions:\n  create\n";
        assert_eq!(commands(help), ["up", "reset", "help"]);
        assert_eq!(commands("error"), Vec::<&str>::new());
    }

    #[test]
    fn writes_sums_that_sha256sum_can_check() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("built");
        fs::write(&executable, "abc").unwrap();
        let dist = folder.path().join("dist");
        for _ in 0..2 {
            copy(&executable, &dist).unwrap();
        }
        assert_eq!(
            fs::read_to_string(dist.join("SHA256SUMS")).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  migrator\n"
        );
        assert_eq!(fs::read_to_string(dist.join("migrator")).unwrap(), "abc");
    }
}

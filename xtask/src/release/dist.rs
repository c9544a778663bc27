//! `cargo xtask dist`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use xshell::cmd;

use super::archive::{self, Entry};
use super::reproducible::Recipe;
use super::{contents, sbom, usage};
use crate::maintenance::MARK;
use crate::output;
use crate::workspace::{Workspace, shown};

/// The package of the tasks, where it is a member.
const TASKS: &str = env!("CARGO_PKG_NAME");

/// Commands that must not ship with a release.
const FORBIDDEN: &[&str] = &["create", "drop", "reset", "verify"];

/// Names that only code reads which must not ship, and what that code is. Seen in the binary's bytes, so also for another platform.
const TELLTALES: &[(&str, &str)] =
    &[(MARK, "a statement that drops databases"), ("MIGRATOR_PLANTED_BUG", "the planted defects of the tests")];

/// Arguments of `dist`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes to target/dist: the binary `migrator`; sbom.cdx.json, which packages are inside it (CycloneDX); plan.json, \
                        what it does to an empty database, with the SQL; completions/, for bash, elvish, fish, PowerShell and zsh; \
                        man/man1/, a man page for each command; an archive of these and of the files of db/; SHA256SUMS. \
                        MIGRATOR_COMMIT is the git commit, with -dirty appended if the tree has changes, unless the environment \
                        sets it.\n\n\
                        The bytes depend on the commit, the compiler and the target, and on no folder, clock or account: paths are \
                        remapped, and all times are SOURCE_DATE_EPOCH, by default that of the commit.\n\n\
                        In a workspace that has the package `migrator-xtask`, such as migrator's own, also the archive of that \
                        program, for people who have no workspace yet.\n\n\
                        Example: cargo xtask dist\n\
                        Example: cargo xtask dist --target x86_64-unknown-linux-musl"
)]
pub struct Args {
    /// Build for another platform of `rustc --print target-list`
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Do not make the archive of `migrator-xtask`
    #[arg(long)]
    only_migrator: bool,
}

/// Builds, proves, copies.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let recipe = Recipe::of(&workspace)?;
    let mut arguments = vec!["--release"];
    arguments.extend(args.target.iter().flat_map(|target| ["--target", target.as_str()]));
    arguments.extend(recipe.arguments.iter().map(String::as_str));
    let commit = commit(&workspace)?;
    let variables =
        |own| recipe.variables.iter().map(|(name, value)| (&**name, &**value)).chain([own]).collect::<Vec<_>>();
    let Some(built) = workspace.build_migrator(&arguments, &variables(("MIGRATOR_COMMIT", &commit)))? else {
        return Ok(ExitCode::from(output::FAILED));
    };
    refuse_telltales(&built.executable)?;
    match &args.target {
        Some(target) if *target != host()? => {
            output::note(format!("not run, because it was built for {target}: {}", shown(&built.executable).display()));
        }
        _ => refuse_forbidden_commands(&built.executable)?,
    }
    let target = args.target.clone().map_or_else(host, Ok)?;
    let mut files = of_migrator(&workspace, &recipe, &commit, &target, read(&built.executable)?)?;
    if !args.only_migrator && workspace.members()?.iter().any(|package| package.name == TASKS) {
        let Some(tasks) = workspace.build(TASKS, &arguments, &variables(("MIGRATOR_DIST", "1")))? else {
            return Ok(ExitCode::from(output::FAILED));
        };
        let name = format!("{TASKS}-{}-{target}", env!("CARGO_PKG_VERSION"));
        files.push((format!("{name}.tar.gz"), archive_of_tasks(&workspace, &recipe, &name, &tasks.executable)?, 0o644));
    }
    let directory = workspace.metadata()?.target_directory.join("dist").into_std_path_buf();
    write(&directory, &files)?;
    let mut names: Vec<&str> = files.iter().filter_map(|(name, ..)| name.split('/').next()).collect();
    names.dedup();
    names.iter().for_each(|name| output::result(shown(&directory.join(name)).display()));
    output::result(shown(&directory.join("SHA256SUMS")).display());
    Ok(ExitCode::SUCCESS)
}

/// A file of the release: its name, its bytes and its mode.
type Made = (String, Vec<u8>, u32);

/// Says where a program names a folder of this machine.
fn note_folder(recipe: &Recipe, program: &str, binary: &[u8]) {
    if let Some(folder) = recipe.folder_in(binary) {
        output::note(format!(
            "the binary `{program}` names the folder `{}`, so a build elsewhere has other bytes\nhelp: move `rustflags` of a \
             [target] in .cargo/config.toml to [build], or remap the folder there with `--remap-path-prefix`; \
             `env!(\"CARGO_MANIFEST_DIR\")` and the like are not remapped",
            folder.display()
        ));
    }
}

/// The migrator, what is said of it, and the archive of all of that.
fn of_migrator(
    workspace: &Workspace,
    recipe: &Recipe,
    commit: &str,
    target: &str,
    binary: Vec<u8>,
) -> Result<Vec<Made>> {
    note_folder(recipe, "migrator", &binary);
    let release = workspace.release()?;
    let sbom = sbom::write(workspace, "migrator", target, &binary)?;
    let plan = contents::plan(workspace, &release, commit)?;
    let mut files: Vec<Made> = vec![
        ("migrator".to_owned(), binary, 0o755),
        ("plan.json".to_owned(), plan, 0o644),
        ("sbom.cdx.json".to_owned(), sbom, 0o644),
    ];
    files.extend(usage::files().into_iter().map(|(name, text)| (name, text.into_bytes(), 0o644)));
    let name = format!("migrator-{release}-{target}");
    let entry =
        |(path, bytes, mode): &Made| Entry { path: format!("{name}/{path}"), bytes: bytes.clone(), mode: *mode };
    let mut entries: Vec<Entry> = files.iter().map(entry).collect();
    entries.extend(contents::files(workspace, &name)?);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let archive =
        archive::tar_gz(&entries, recipe.epoch).with_context(|| format!("failed to make the archive `{name}`"))?;
    Ok(files.into_iter().chain([(format!("{name}.tar.gz"), archive, 0o644)]).collect())
}

/// The program, with what its licence asks for.
fn archive_of_tasks(workspace: &Workspace, recipe: &Recipe, name: &str, executable: &Path) -> Result<Vec<u8>> {
    let bytes = read(executable)?;
    note_folder(recipe, TASKS, &bytes);
    let mut entries = vec![Entry { path: format!("{name}/{TASKS}"), bytes, mode: 0o755 }];
    for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        let text = workspace.root.join("xtask").join(file);
        if text.exists() {
            entries.push(Entry { path: format!("{name}/{file}"), bytes: read(&text)?, mode: 0o644 });
        }
    }
    archive::tar_gz(&entries, recipe.epoch).with_context(|| format!("failed to make the archive `{name}`"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("failed to read `{}`", shown(path).display()))
}

/// The commit for the binary to name: that of the environment, else of git; `dev` outside git.
fn commit(workspace: &Workspace) -> Result<String> {
    if let Some(given) = std::env::var("MIGRATOR_COMMIT").ok().filter(|commit| !commit.is_empty()) {
        return Ok(given);
    }
    let shell = workspace.shell()?;
    let Ok(commit) = cmd!(shell, "git rev-parse --verify HEAD").quiet().ignore_stderr().read() else {
        output::note("no git commit found, so the binary names none\nhelp: set MIGRATOR_COMMIT");
        return Ok("dev".to_owned());
    };
    // A file that git does not know yet is inside the binary as well.
    let changes = cmd!(shell, "git status --porcelain").quiet().read()?;
    Ok(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
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

/// Names, contents and modes, and the sums of all of them.
fn write(directory: &Path, files: &[Made]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(directory)?;
        for folder in usage::FOLDERS.map(|folder| directory.join(folder)).iter().filter(|folder| folder.exists()) {
            // A command that is no more has no page.
            fs::remove_dir_all(folder)?;
        }
        let mut sums = String::new();
        for (name, bytes, mode) in files {
            let target = directory.join(name);
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            // Removed first: a running one cannot be written over.
            let _ = fs::remove_file(&target);
            fs::write(&target, bytes)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(*mode))?;
            sums.push_str(&format!("{}  {name}\n", hex::encode(Sha256::digest(bytes))));
        }
        fs::write(directory.join("SHA256SUMS"), sums)
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
        let dist = folder.path().join("dist");
        let file = |name: &str, text: &str, mode| (name.to_owned(), text.as_bytes().to_vec(), mode);
        write(&dist, &[file("man/man1/old.1", "", 0o644)]).unwrap();
        let files = [file("migrator", "abc", 0o755), file("man/man1/new.1", "abc", 0o644), file("a.tar.gz", "", 0o644)];
        for _ in 0..2 {
            write(&dist, &files).unwrap();
        }
        assert!(dist.join("man/man1/new.1").exists() && !dist.join("man/man1/old.1").exists());
        assert_eq!(
            fs::read_to_string(dist.join("SHA256SUMS")).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  migrator\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  man/man1/new.1\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a.tar.gz\n"
        );
        assert_eq!(fs::read_to_string(dist.join("migrator")).unwrap(), "abc");
        let mode = |name: &str| fs::metadata(dist.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("migrator"), mode("a.tar.gz")), (0o755, 0o644));
    }
}

//! Someone who does what a page says, in a shell, with a database of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::console::{Names, presentable};
use super::incident::{Incidents, Network};
use crate::support::{Project, heed_signals, place, server};

/// A shell, the programs in it, and what is going on.
pub(super) struct Reader {
    pub(super) project: Project,
    /// A folder with the programs that the shell finds first.
    programs: TempDir,
    /// The command that was sent to the background, and its process.
    pub(super) job: Option<(String, Child)>,
    /// The way to the server, where it is not the straight one.
    pub(super) network: Option<Network>,
    pub(super) incidents: Incidents,
}

/// What brings a job back and says how it ended.
const FOREGROUND: &str = "fg; echo \"exit code $?\"";

impl Reader {
    pub(super) fn new() -> Reader {
        let project = Project::new();
        // What dbmate thinks of a block would be said each time that a test reads the files, instead of once in a build.
        project.file("migrator.toml", "[check]\ndbmate = \"allow\"\n");
        let reader = Reader {
            project,
            programs: TempDir::new().unwrap(),
            job: None,
            network: None,
            incidents: Incidents::default(),
        };
        reader.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n");
        reader
            .write("migrator/Cargo.toml", "[package]\nname = \"migrator\"\nversion = \"1.22.0\"\nedition = \"2024\"\n");
        reader.write("migrator/src/main.rs", "fn main() {}\n");
        reader.write(".gitignore", "/target\n");
        reader.install();
        reader
    }

    /// Where the shell is: the root of the workspace.
    pub(super) fn home(&self) -> PathBuf {
        self.project.db().parent().unwrap().to_owned()
    }

    /// The programs: the migrator over the files as they are, the tasks, and clients of the server, for which the database is `crm`.
    fn install(&self) {
        let own = self.programs.path();
        let migrator = format!(
            "exec env DIR_MIGRATOR_RELEASE=1.22.0 {} {} \"$@\"",
            env!("CARGO_BIN_EXE_dir-migrator"),
            self.project.db().display()
        );
        script(&own.join("migrator"), &migrator);
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        // Behind it in the path is the real one.
        let tasks = format!(
            "PATH=${{PATH#*:}}\n[ \"$1\" = xtask ] || exec {cargo} \"$@\"\nshift\nCARGO={cargo} exec {} \"$@\"",
            env!("CARGO_BIN_EXE_xtask")
        );
        script(&own.join("cargo"), &tasks);
        let (database, programs) = (self.project.database(), server().program_directory().display().to_string());
        let (socket, port) = (server().socket_directory().display().to_string(), server().port());
        for program in ["createdb", "dropdb", "pg_dump", "psql"] {
            let text = format!(
                "for word; do shift; [ \"$word\" = crm ] && word={database}; set -- \"$@\" \"$word\"; done\n\
                 PGHOST={socket} PGPORT={port} PGUSER=postgres PSQLRC=/dev/null exec {programs}/{program} \"$@\""
            );
            script(&own.join(program), &text);
        }
    }

    /// Writes a file of the workspace.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds a release of the files as they are: `1.22.0/migrator`.
    pub(super) fn build(&self, release: &str) {
        let folder = self.home().join(release);
        fs::create_dir_all(&folder).unwrap();
        let copied = Command::new("cp").arg("-r").arg(self.project.db()).arg(folder.join("db")).status().unwrap();
        assert!(copied.success());
        let migrator = format!(
            "exec env DIR_MIGRATOR_RELEASE={release} {} {} \"$@\"",
            env!("CARGO_BIN_EXE_dir-migrator"),
            folder.join("db").display()
        );
        script(&folder.join("migrator"), &migrator);
    }

    /// Runs a line in the shell, and gives what a terminal would show. `line &` goes to the background, `fg` brings it back.
    pub(super) fn run(&mut self, line: &str) -> String {
        if let Some(line) = line.strip_suffix(" &") {
            assert!(self.job.is_none(), "{line}: there is a job already");
            // The shell becomes the program, so that a signal for it is one for the program.
            self.job = Some((line.to_owned(), self.shell(&format!("exec {line}")).spawn().unwrap()));
            return String::new();
        }
        let is_job = line == "fg" || line == FOREGROUND;
        let (job, child) = match is_job {
            true => self.job.take().expect("there is no job"),
            false => (line.to_owned(), self.shell(line).spawn().unwrap()),
        };
        let output = child.wait_with_output().unwrap();
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        if is_job {
            // As a shell does, which says first what it brings back.
            said = format!("{job}\n{said}");
        }
        if line == FOREGROUND {
            said.push_str(&format!("exit code {}\n", output.status.code().unwrap_or(-1)));
        }
        let said = presentable(&said, &self.names());
        assert!(output.status.success() || !said.is_empty(), "{line}: {:?} without a word", output.status);
        said
    }

    fn shell(&self, line: &str) -> Command {
        heed_signals();
        let mut shell = Command::new("sh");
        for (name, _) in std::env::vars() {
            // PG_BIN and PG_OS_USER say where servers come from.
            let leads_elsewhere = name.starts_with("PG") && !name.starts_with("PG_") || name.starts_with("MIGRATOR_");
            if leads_elsewhere || name.starts_with("CARGO_") {
                shell.env_remove(name);
            }
        }
        let url =
            self.network.as_ref().map_or_else(|| self.project.url(), |network| network.url(self.project.database()));
        let path = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{path}", self.programs.path().display())).env("DATABASE_URL", url);
        let git = [
            ("user.name", "Ada"),
            ("user.email", "ada@localhost"),
            ("commit.gpgsign", "false"),
            ("init.defaultBranch", "main"),
        ];
        shell.env("GIT_CONFIG_COUNT", git.len().to_string()).env("GIT_CEILING_DIRECTORIES", "/");
        for (index, (name, value)) in git.iter().enumerate() {
            shell.env(format!("GIT_CONFIG_KEY_{index}"), name).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        // Both streams in their order.
        shell.args(["-c", &format!("exec 2>&1\n{line}")]).current_dir(self.home());
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        shell
    }

    /// What is here, and what the reader of the page has instead.
    fn names(&self) -> Names {
        let mut names = vec![
            (place(server()), "db1:5432"),
            (self.project.database().to_owned(), "crm"),
            (format!("{}/", self.home().display()), ""),
            (self.home().display().to_string(), "."),
        ];
        names.extend(self.incidents.places().into_iter().map(|place| (place, "db1:5432")));
        names
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some((_, child)) = &mut self.job {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

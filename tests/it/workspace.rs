//! Cargo workspaces of other people: copied into a folder of their own, built there, with one target directory for all.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use migrator_postgres::Cluster;

use crate::support::{heed_signals, normalise_line, schema};

/// Lies below target/, so that a second run compiles only what has changed.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/foreign");

/// How a program ended and what it said, without what differs from run to run.
pub(crate) struct Output {
    pub(crate) code: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A workspace that nobody else uses while it lives.
pub(crate) struct Workspace {
    root: PathBuf,
    watchdog: Child,
    /// Two builds at once would each replace the other's executables in the target directory.
    _lock: File,
}

impl Workspace {
    /// A copy of tests/foreign in a folder called `name`, which also names its development database.
    pub(crate) fn foreign(name: &str) -> Workspace {
        Workspace::of(name, &files(&repository().join("tests/foreign")))
    }

    /// A workspace of these files: path and content. `<repository>` in a manifest is this checkout.
    pub(crate) fn of(name: &str, files: &[(PathBuf, Vec<u8>)]) -> Workspace {
        fs::create_dir_all(HOME).unwrap();
        let lock = File::create(Path::new(HOME).join("lock")).unwrap();
        lock.lock().unwrap();
        let root = Path::new(HOME).join(name);
        fs::create_dir_all(&root).unwrap();
        let cluster = Cluster::of_workspace(&root).unwrap();
        cluster.destroy().unwrap();
        // What an earlier run has left there, `init` would see.
        let _ = fs::remove_dir_all(root.join(".dev"));
        let workspace = Workspace { watchdog: watchdog(&cluster.data_directory()), root, _lock: lock };
        workspace.become_copy(files);
        // The versions that this repository is built with: nothing else has to be on the machine.
        fs::copy(repository().join("Cargo.lock"), workspace.path("Cargo.lock")).unwrap();
        // All workspaces have one target directory: what the build said of another one's db directory is not of this one.
        if let Ok(db) = File::open(workspace.path("db")) {
            db.set_modified(SystemTime::now()).unwrap();
        }
        workspace
    }

    /// Files that are as they should be keep their time: cargo need not build them again.
    fn become_copy(&self, wanted: &[(PathBuf, Vec<u8>)]) {
        let wanted: Vec<_> = wanted.iter().map(|(path, bytes)| (path, self.localise(path, bytes))).collect();
        for (path, _) in files(&self.root) {
            if !wanted.iter().any(|(wanted, _)| **wanted == path) {
                fs::remove_file(self.path(&path)).unwrap();
            }
        }
        remove_empty_folders(&self.root);
        for (path, bytes) in wanted {
            if fs::read(self.path(path)).is_ok_and(|old| old == bytes) {
                continue;
            }
            self.write(path, bytes);
        }
    }

    fn localise(&self, path: &Path, bytes: &[u8]) -> Vec<u8> {
        if path.file_name().is_none_or(|name| name != "Cargo.toml") {
            return bytes.to_vec();
        }
        let text = str::from_utf8(bytes).unwrap();
        let repository = repository().display().to_string();
        text.replace("\"../../..", &format!("\"{repository}")).replace("<repository>", &repository).into_bytes()
    }

    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The development server that `cargo xtask` starts for it.
    fn cluster(&self) -> Cluster {
        Cluster::of_workspace(&self.root).unwrap()
    }

    /// A program in the workspace, with nothing of the environment that would lead it elsewhere.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        heed_signals();
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            // PG_BIN and PG_OS_USER say where servers come from, not where they are.
            // What cargo says of the package of these tests: build scripts would run again for it.
            let leads_elsewhere = name.starts_with("PG") && !name.starts_with("PG_")
                || ["MIGRATOR_", "CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
                    .iter()
                    .any(|start| name.starts_with(start))
                || ["DATABASE_URL", "CLICOLOR_FORCE", "MAKEFLAGS", "CARGO_MAKEFLAGS"].contains(&&*name);
            if leads_elsewhere {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.root).stdin(Stdio::null());
        command
            .env("CARGO_TARGET_DIR", Path::new(HOME).join("target"))
            .env("CARGO_TERM_COLOR", "never")
            // Less to write and to link.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_BUILD_OVERRIDE_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            // It lies within our repository and is none of it.
            .env("GIT_CEILING_DIRECTORIES", HOME);
        command
    }

    /// Cargo with the arguments of a line.
    pub(crate) fn cargo(&self, line: &str) -> Command {
        let mut command = self.program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(line.split_whitespace());
        command
    }

    /// This checkout in a folder beside the workspace.
    pub(crate) fn clone_beside(&self, folder: &str) {
        let link = Path::new(HOME).join(folder);
        if !link.exists() {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(repository(), link).unwrap();
        }
    }

    /// Cargo in a world where `url` leads to a git repository with the files of this checkout; `None` where git cannot list them.
    ///
    /// Its own cache of git repositories, with the user's cache of crates; the lock file is complete, so no registry is asked.
    pub(crate) fn cargo_with_git(&self, line: &str, url: &str) -> Option<Command> {
        let (upstream, commit) = upstream(&tracked()?);
        let home = Path::new(HOME).join("cargo-home");
        fs::create_dir_all(&home).unwrap();
        let users = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let users = users.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).unwrap();
        for shared in ["registry", "config.toml"] {
            if users.join(shared).exists() && !home.join(shared).exists() {
                std::os::unix::fs::symlink(users.join(shared), home.join(shared)).unwrap();
            }
        }
        let lock = fs::read_to_string(self.path("Cargo.lock")).unwrap();
        let mut from_git = String::new();
        for package in lock.split_inclusive("\n\n") {
            let own = package.contains("name = \"migrator") && !package.contains("\nsource = ");
            match package.split_once("\ndependencies") {
                Some((head, rest)) if own => {
                    from_git.push_str(&format!("{head}\nsource = \"git+{url}#{commit}\"\ndependencies{rest}"));
                }
                _ => from_git.push_str(package),
            }
        }
        self.write("Cargo.lock", from_git);
        let mut cargo = self.cargo(line);
        cargo.env("CARGO_HOME", home).env("CARGO_NET_GIT_FETCH_WITH_CLI", "true");
        cargo.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_VALUE_0", url);
        cargo.env("GIT_CONFIG_KEY_0", format!("url.file://{}.insteadOf", upstream.display()));
        Some(cargo)
    }

    /// Exit code, stdout and stderr in one text, without what differs from run to run.
    pub(crate) fn run(&self, command: &mut Command) -> String {
        let Output { code, stdout, stderr } = self.output(command);
        let mut text = format!("exit {code}\n");
        for (name, part) in [("stdout", stdout), ("stderr", stderr)] {
            if !part.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", part.trim_end()));
            }
        }
        text
    }

    /// The same in its parts.
    pub(crate) fn output(&self, command: &mut Command) -> Output {
        let output = command.output().unwrap();
        schema::check(&String::from_utf8_lossy(&output.stdout));
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        let text = |bytes: &[u8]| self.normalise(&String::from_utf8_lossy(bytes));
        Output { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Takes out what differs from run to run.
    pub(crate) fn normalise(&self, text: &str) -> String {
        let text = text
            .replace(&self.cluster().data_directory().display().to_string(), "<data>")
            .replace(&self.root.display().to_string(), "<root>")
            .replace(HOME, "<home>")
            .replace(&repository().display().to_string(), "<repository>");
        // The release of whatever server the machine has.
        let own_facts = format!("schema.facts.{}", crate::dump::major());
        let own_locks = format!("db/locks.{}", crate::dump::major());
        let text = text.replace(&own_facts, "schema.facts.MAJOR").replace(&own_locks, "db/locks.MAJOR");
        let without_port = |line: &str| match line.split_once("127.0.0.1:") {
            Some((before, after)) => {
                format!("{before}SERVER{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            None => line.to_owned(),
        };
        text.lines().filter(|line| !is_of_cargo(line)).map(|line| normalise_line(&without_port(line)) + "\n").collect()
    }
}

/// What cargo says while it builds and starts something, which differs from run to run.
fn is_of_cargo(line: &str) -> bool {
    let line = line.trim_start();
    let said = [
        "Compiling ",
        "Finished `",
        "Running `",
        "Blocking waiting for file lock",
        "building the migrator and its dependencies",
    ];
    said.iter().any(|start| line.starts_with(start))
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Nothing may be left running, also when the test fails.
        let destroyed = self.cluster().destroy();
        drop(self.watchdog.stdin.take());
        let ended = self.watchdog.wait();
        if !std::thread::panicking() {
            destroyed.unwrap();
            ended.unwrap();
        }
    }
}

/// Stops the server over `data` when this process ends, however it ends: then the pipe to it closes.
///
/// It has a process group of its own, because Ctrl-C is meant for the tests.
fn watchdog(data: &Path) -> Child {
    let script = "cat; if [ -f \"$1\" ]; then kill -INT \"$(head -n 1 \"$1\")\"; fi";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(data.join("postmaster.pid")).stdin(Stdio::piped()).process_group(0);
    command.spawn().unwrap()
}

pub(crate) fn repository() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// What the README has under a heading, up to the next one of its level or above.
pub(crate) fn section(heading: &str) -> String {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, below) = readme.split_once(&format!("\n{heading}\n")).unwrap();
    let level = heading.split(' ').next().unwrap().len();
    let mut fenced = false;
    let ends = |line: &&str| {
        fenced ^= line.starts_with("```");
        fenced || !(2..=level).any(|level| line.starts_with(&format!("{} ", "#".repeat(level))))
    };
    below.lines().take_while(ends).map(|line| format!("{line}\n")).collect()
}

/// What git tracks here, with what it would track next, by its path in the repository; `None` where git cannot read this tree.
pub(crate) fn tracked() -> Option<Vec<String>> {
    // The tree may belong to another user than the tests.
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(repository()).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).unwrap();
    let exists = |path: &&str| !path.is_empty() && repository().join(path).symlink_metadata().is_ok();
    Some(text.split('\0').filter(exists).map(str::to_owned).collect())
}

/// A git repository of one commit with these files of this checkout, and the commit: the same files give the same one.
fn upstream(tracked: &[String]) -> (PathBuf, String) {
    let folder = Path::new(HOME).join("upstream");
    let _ = fs::remove_dir_all(&folder);
    for path in tracked {
        let (from, to) = (repository().join(path), folder.join(path));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        match fs::read_link(&from) {
            Ok(target) => std::os::unix::fs::symlink(target, to).unwrap(),
            Err(_) => drop(fs::copy(from, to).unwrap()),
        }
    }
    let git = |line: &str| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false"]);
        for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            git.env(name, "2026-01-01T00:00:00Z");
        }
        let output = git.args(line.split(' ')).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "git {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for line in ["init --quiet", "add --all --force", "commit --quiet --message upstream"] {
        git(line);
    }
    let commit = git("rev-parse HEAD");
    (folder, commit)
}

/// What a test has moved away or added leaves its folders behind.
fn remove_empty_folders(directory: &Path) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove_empty_folders(&path);
            // Fails where something is left, as it should.
            let _ = fs::remove_dir(&path);
        }
    }
}

/// Every file below a directory by its path in it, without what cargo and the development server put there.
pub(crate) fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    fn walk(root: &Path, directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            if ["target", ".dev", "Cargo.lock"].iter().any(|generated| name.starts_with(generated)) {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(directory, directory, &mut found);
    found
}

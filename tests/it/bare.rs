//! A machine without PostgreSQL: the first task fetches one, before it builds anything.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::workspace::Workspace;

/// Where distributions install servers.
const INSTALLED: &[&str] = &["/usr/lib/postgresql", "/usr/libexec/postgresql"];

/// Hides what is there from the program after it, which no other process notices.
const HIDE: &str = r#"for directory in $HIDDEN; do mount -t tmpfs none "$directory" || exit 99; done; exec "$@""#;

/// A task in the workspace where no server is installed, and with a cache of its own.
fn task(workspace: &Workspace, cache: &Path, line: &str) -> Command {
    let mut command = workspace.program("unshare");
    command.args(["--mount", "sh", "-c", HIDE, "hide"]);
    command.arg(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).arg("xtask");
    command.args(line.split(' ')).env_remove("PG_BIN");
    let installed = INSTALLED.iter().copied().filter(|directory| Path::new(directory).is_dir());
    command.env("HIDDEN", installed.collect::<Vec<_>>().join(" "));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let without = std::env::split_paths(&path).filter(|directory| !directory.join("initdb").exists());
    command.env("PATH", std::env::join_paths(without).unwrap()).env("XDG_CACHE_HOME", cache);
    command
}

#[test]
fn a_machine_without_postgresql_fetches_one_before_it_builds() {
    if std::env::var_os("MIGRATOR_TEST_FETCH").is_none() {
        eprintln!("not run: without MIGRATOR_TEST_FETCH=1 nothing is fetched (.ci/run sets it)");
        return;
    }
    let cache = tempfile::Builder::new().prefix("migrator-cache").tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let workspace = Workspace::foreign("bare");
    let run = |line: &str| workspace.run(&mut task(&workspace, cache.path(), line));
    let offline = |line: &str| workspace.run(task(&workspace, cache.path(), line).env("MIGRATOR_OFFLINE", "1"));

    let forbidden = offline("up");
    assert!(forbidden.starts_with("exit 9") && forbidden.contains("MIGRATOR_OFFLINE forbids"), "{forbidden}");
    assert!(!forbidden.contains("migrator v0.1.0"), "it is said before anything is built: {forbidden}");
    assert!(fs::read_dir(cache.path()).unwrap().next().is_none(), "it leaves nothing behind");

    let first = run("up --no-dump");
    assert!(first.starts_with("exit 0") && first.contains("applied 001_init"), "{first}");
    assert!(first.contains("fetching PostgreSQL") && first.contains("started this workspace's PostgreSQL"), "{first}");
    assert!(run("db destroy --yes").starts_with("exit 0"));
    // From now on the network is not needed: neither for the client programs, nor for throwaway servers.
    for line in ["up", "dump --check", "verify", "db install", "db psql -c SELECT", "reset --yes"] {
        let again = offline(line);
        assert!(again.starts_with("exit 0") && !again.contains("fetching"), "{line}: {again}");
    }
}

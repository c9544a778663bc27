//! Another user of the machine, also the one that a server runs as for root, gets nothing from us: no connection, no file of ours.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test, also in its helpers")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use migrator_postgres::{Cluster, TemporaryServer};
use tempfile::TempDir;

/// Why something could not be tested here, also where the output of a test that passes is not shown.
fn not_tested(what: &str) {
    let _ = writeln!(std::io::stderr(), "NOT TESTED: {what}: only root can become another user");
}

/// `nobody`, unless the servers run as that user.
fn stranger() -> Option<u32> {
    let id = |name: &str| {
        let output = Command::new("id").args(["-u", name]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    let server = TemporaryServer::start().unwrap();
    let taken = fs::metadata(server.data_directory()).unwrap().uid();
    let is_root = rustix::process::geteuid().is_root();
    let names = ["nobody", "daemon"].into_iter().filter(|_| is_root);
    names.filter_map(id).find(|uid| *uid != taken && *uid != 0)
}

/// A shell of another user; `$1`, `$2` are the arguments.
fn shell(uid: u32, script: &str, arguments: &[&Path]) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).args(arguments).current_dir("/").uid(uid).gid(uid);
    shell.output().unwrap()
}

/// The user that the server runs as, where that is not ours.
fn server_user(data: &Path) -> Option<u32> {
    let uid = fs::metadata(data).unwrap().uid();
    (uid != rustix::process::geteuid().as_raw()).then_some(uid)
}

fn psql(server: &TemporaryServer, url: &str, sql: &str) -> Output {
    let mut psql = Command::new(server.program_directory().join("psql"));
    psql.args(["-wXAtc", sql, url]).env("HOME", "/nowhere").env_remove("PGPASSWORD").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim().to_owned()
}

#[test]
fn a_server_trusts_no_one_who_comes_by_tcp() {
    let server = TemporaryServer::builder().tcp().start().unwrap();
    let rules = "SELECT string_agg(concat_ws(' ', type, database, user_name, address, auth_method), ', ' ORDER BY line_number) FROM pg_hba_file_rules";
    assert_eq!(
        said(&psql(&server, &server.url("postgres"), rules)),
        "local {all} {all} trust, local {replication} {all} trust, host {all} {all} 127.0.0.1 scram-sha-256"
    );
    let stored = "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'postgres'";
    assert_eq!(said(&psql(&server, &server.url("postgres"), stored)), "SCRAM-SHA-256$");
    let right = server.tcp_url("postgres").unwrap();
    assert_eq!(said(&psql(&server, &right, "SELECT 1")), "1");
    let password = server.password().unwrap();
    for wrong in [right.replace(password, "postgres"), right.replace(&format!(":{password}"), "")] {
        assert!(!psql(&server, &wrong, "SELECT 1").status.success(), "{wrong}");
    }
    let other = TemporaryServer::builder().tcp().start().unwrap();
    assert_ne!(other.password(), server.password());
}

#[test]
fn the_password_is_in_no_command_line_and_no_log() {
    let server = TemporaryServer::builder().tcp().setting("log_statement", "all").start().unwrap();
    let password = server.password().unwrap();
    assert!(!server.log().contains(password), "{}", server.log());
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!line.contains(password), "{line}");
    }
}

#[test]
fn what_is_in_our_environment_is_not_in_that_of_another_users_server() {
    // Not a variable of this process: other tests run in it at the same time.
    let server = TemporaryServer::start().unwrap();
    if server_user(&server.data_directory()).is_none() {
        return not_tested("the environment of the server's user");
    }
    let pid = fs::read_to_string(server.data_directory().join("postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    let names: Vec<&str> = environment.split('\0').filter_map(|variable| Some(variable.split_once('=')?.0)).collect();
    // `PG_GRANDPARENT_PID` is postgres's own.
    let allowed = ["PATH", "LD_LIBRARY_PATH", "LOCALE_ARCHIVE", "TZ", "TZDIR", "LC_ALL"];
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && names.contains(&"LC_ALL"), "{names:?}");
    assert!(names.iter().all(|name| allowed.contains(name) || name.starts_with("PG")), "{names:?}");
}

#[test]
fn a_stranger_reaches_neither_socket_nor_port_nor_file() {
    let Some(stranger) = stranger() else { return not_tested("a stranger beside a throwaway server") };
    let server = TemporaryServer::builder().tcp().start().unwrap();
    let psql = server.program_directory().join("psql");
    let connect = "HOME=/ \"$1\" -wXAtc 'SELECT 1' -U postgres -d postgres -h \"$2\" -p \"$3\"";
    let port = PathBuf::from(server.port().to_string());
    for host in [server.socket_directory(), PathBuf::from("127.0.0.1"), PathBuf::from("localhost")] {
        let output = shell(stranger, connect, &[&psql, &host, &port]);
        assert!(!output.status.success(), "{}", said(&output));
    }
    let around = server.data_directory().parent().unwrap().to_owned();
    for directory in [&around, &server.data_directory(), &server.socket_directory()] {
        for script in [
            "ls \"$1\"",
            "cat \"$1/log\"",
            "ln -s /etc/passwd \"$1/planted\"",
            "ln -sf /etc/passwd \"$1/log\"",
            ": > \"$1/pg_hba.conf\"",
            "mv \"$1\" \"$1.taken\"",
            "rm -rf \"$1\"",
        ] {
            assert!(!shell(stranger, script, &[directory]).status.success(), "{script} {}", directory.display());
        }
    }
}

/// A file of ours that no one else may read or change.
struct Victim(TempDir);

const SECRET: &str = "17 is what we keep from the server's user\n\n\n1\n";

impl Victim {
    fn new() -> Victim {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        fs::write(folder.path().join("victim"), SECRET).unwrap();
        // The way to it is open: only the file's own mode keeps it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(folder.path().join("victim"), fs::Permissions::from_mode(0o600)).unwrap();
        Victim(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("victim")
    }

    #[track_caller]
    fn is_untouched(&self) {
        let metadata = fs::symlink_metadata(self.path()).unwrap();
        assert_eq!(fs::read_to_string(self.path()).unwrap(), SECRET);
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (rustix::process::geteuid().as_raw(), 0o600));
        assert_eq!(fs::read_dir(self.0.path()).unwrap().count(), 1);
    }
}

#[test]
fn links_of_the_servers_user_lead_a_throwaway_server_to_no_file_of_ours() {
    let mut server = TemporaryServer::builder().file("extra.conf", "# ours\n").start().unwrap();
    let Some(user) = server_user(&server.data_directory()) else {
        return not_tested("links in a throwaway server's directory");
    };
    let (victim, around) = (Victim::new(), server.data_directory().parent().unwrap().to_owned());
    server.crash().unwrap();
    let plant = "cd \"$1\"; ln -sfn \"$2\" log; ln -sfn \"$2\" data/postmaster.pid; ln -sfn \"$2\" data/extra.conf; \
                 rm -rf socket/*; ln -sfn \"$2\" socket/.s.PGSQL.5432; ln -sfn \"${2%/*}\" socket/inside; \
                 ln -sfn \"${2%/*}\" data/inside; mv data data.away; ln -s \"${2%/*}\" data; true";
    shell(user, plant, &[&around, &victim.path()]);
    let started = server.start_again();
    victim.is_untouched();
    if let Err(error) = started {
        assert!(!format!("{error:#}").contains("what we keep"), "{error:#}");
    }
    assert!(!server.log().contains("what we keep"));
    drop(server);
    victim.is_untouched();
    assert!(!around.exists());
}

#[test]
fn links_of_the_servers_user_lead_the_kept_clusters_to_no_file_of_ours() {
    let first = TemporaryServer::start().unwrap();
    let Some(user) = server_user(&first.data_directory()) else { return not_tested("links among the kept clusters") };
    let place = tempfile::Builder::new().prefix("kept").tempdir_in("/tmp").unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let victim = Victim::new();
    let start = || {
        let mut start = Command::new(std::env::current_exe().unwrap());
        start.args(["--exact", "start_a_server", "--ignored"]).env("TMPDIR", place.path());
        assert!(start.output().unwrap().status.success());
    };
    start();
    // In place of the kept cluster, and of what a killed process has left, an hour ago.
    let plant = "cd \"$1\"/migrator-clusters-*; for entry in *; do rm -rf \"$entry\"; ln -s \"$2\" \"$entry\"; \
                 ln -s \"$2\" \"$entry.01\"; touch -h -d '1 hour ago' \"$entry.01\"; done";
    shell(user, plant, &[place.path(), victim.0.path()]);
    start();
    victim.is_untouched();
    // The directory itself, as root sees it by its name.
    let replace = "cd \"$1\" && mv migrator-clusters-* away && ln -s \"$2\" \"migrator-clusters-$(id -u)\"";
    assert!(shell(user, replace, &[place.path(), victim.0.path()]).status.success());
    start();
    victim.is_untouched();
}

/// Not a test: a process with a directory for temporary files of its own.
#[test]
#[ignore = "started by the other tests"]
fn start_a_server() {
    TemporaryServer::start().unwrap();
}

/// The development server of a workspace, which ends with the test.
struct Workspace {
    cluster: Cluster,
    _folder: TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().unwrap();
        Workspace { cluster: Cluster::of_workspace(folder.path()).unwrap(), _folder: folder }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = self.cluster.destroy();
    }
}

#[test]
fn links_of_the_servers_user_lead_the_development_server_to_no_file_of_ours() {
    let workspace = Workspace::new();
    let cluster = &workspace.cluster;
    cluster.start().unwrap();
    let data = cluster.data_directory();
    let Some(user) = server_user(&data) else { return not_tested("links in the development server's directory") };
    cluster.stop().unwrap();
    let victim = Victim::new();
    let plant = "cd \"$1\"; ln -sfn \"$2\" postmaster.pid; mv PG_VERSION kept; ln -sfn \"$2\" PG_VERSION; \
                 ln -sfn \"${2%/*}\" base/inside; ln -sfn \"$2\" ../log; ln -sfn \"$2\" ../password; true";
    shell(user, plant, &[&data, &victim.path()]);
    let message = format!("{:#}", cluster.start().unwrap_err());
    assert!(message.starts_with(&format!("failed to read `{}/PG_VERSION`", data.display())), "{message}");
    assert!(!message.contains("what we keep"), "{message}");
    victim.is_untouched();
    // A pipe without a writer would be waited for.
    shell(user, "cd \"$1\"; rm postmaster.pid; mkfifo postmaster.pid; mv -f kept PG_VERSION", &[&data]);
    assert!(!cluster.stop().unwrap());
    cluster.destroy().unwrap();
    victim.is_untouched();
}

#[test]
fn only_a_postgres_of_the_servers_user_is_taken_for_the_server_and_ended() {
    let workspace = Workspace::new();
    let cluster = &workspace.cluster;
    cluster.start().unwrap();
    let data = cluster.data_directory();
    let Some(user) = server_user(&data) else { return not_tested("another user's process named as the server") };
    cluster.stop().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("postgres");
    fs::copy("/bin/sleep", &program).unwrap();
    let mut ours = Command::new(&program).arg("600").spawn().unwrap();
    let write = "printf '%s\\n/data\\n0\\n1\\n\\n127.0.0.1\\n 1 2\\nready\\n' \"$2\" > \"$1/postmaster.pid\"";
    shell(user, write, &[&data, Path::new(&ours.id().to_string())]);
    let ended = cluster.stop();
    let lives = ours.try_wait().unwrap().is_none();
    ours.kill().unwrap();
    ours.wait().unwrap();
    assert!(lives, "root has ended a process that the server's user has named");
    assert!(!ended.unwrap());
}

#[test]
fn no_one_else_reads_the_development_servers_files_or_holds_its_lock() {
    let workspace = Workspace::new();
    workspace.cluster.start().unwrap();
    let data = workspace.cluster.data_directory();
    let home = data.parent().unwrap();
    for name in ["log", "lock", "password", "port"] {
        assert_eq!(fs::metadata(home.join(name)).unwrap().mode() & 0o777, 0o600, "{name}");
    }
    assert!(!home.join("password.initdb").exists());
    assert_eq!(fs::metadata(&data).unwrap().mode() & 0o777, 0o700);
    let rules = "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules";
    let running = workspace.cluster.start().unwrap();
    assert_eq!(said(&running.psql("postgres").args(["-XAtc", rules]).output().unwrap()), "scram-sha-256");
}

//! Servers for development and tests, started for real.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test, also in its helpers")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use migrator_postgres::{Cluster, Running, Status, TemporaryServer};
use rustix::process::{Pid, Signal, kill_process};

/// What psql says to one statement.
fn ask(server: &TemporaryServer, url: &str, sql: &str) -> String {
    let psql = server.program_directory().join("psql");
    let output = Command::new(psql).args(["-XAtc", sql, url]).output().expect("install the PostgreSQL client `psql`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn ask_cluster(running: &Running, sql: &str) -> String {
    let output = running.psql("postgres").args(["-XAtc", sql]).output().expect("install the PostgreSQL client `psql`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "not within 20 seconds: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn postmaster(data: &Path) -> Pid {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

#[test]
fn a_temporary_server_takes_connections_through_its_socket_and_where_asked_for_through_tcp() {
    let server = TemporaryServer::start().unwrap();
    assert_eq!(server.tcp_url("postgres"), None);
    assert_eq!(ask(&server, &server.url("postgres"), "SHOW listen_addresses"), "");
    let server = TemporaryServer::builder().tcp().start().unwrap();
    assert_eq!(ask(&server, &server.url("postgres"), "SELECT inet_client_addr() IS NULL"), "t");
    let url = server.tcp_url("postgres").unwrap();
    assert_eq!(ask(&server, &url, "SELECT host(inet_client_addr())"), "127.0.0.1");
    assert_eq!(ask(&server, &server.url("postgres"), "SHOW data_directory"), server.data_directory().to_str().unwrap());
    assert_eq!(ask(&server, &server.url("postgres"), "SELECT upper('ä')"), "Ä");
}

#[test]
fn a_standby_follows_its_primary_and_takes_no_writes() {
    let primary = TemporaryServer::start().unwrap();
    let standby = primary.standby().unwrap();
    let (primary_url, standby_url) = (primary.url("postgres"), standby.url("postgres"));
    assert_eq!(ask(&standby, &standby_url, "SELECT pg_is_in_recovery()"), "t");
    ask(&primary, &primary_url, "CREATE TABLE written_later ()");
    eventually("the standby has the table", || {
        ask(&standby, &standby_url, "SELECT to_regclass('written_later') IS NOT NULL") == "t"
    });
    drop(primary);
    assert_eq!(ask(&standby, &standby_url, "SELECT pg_is_in_recovery()"), "t");
}

#[test]
fn a_temporary_server_has_the_settings_of_its_builder_and_room_for_many_connections() {
    let server = TemporaryServer::builder().setting("wal_level", "logical").setting("work_mem", "1MB").start().unwrap();
    let settings = "SELECT string_agg(current_setting(name), ' ' ORDER BY n) FROM unnest(ARRAY['wal_level', \
                    'work_mem', 'max_connections', 'fsync']) WITH ORDINALITY AS wanted (name, n)";
    assert_eq!(ask(&server, &server.url("postgres"), settings), "logical 1MB 200 off");
}

#[test]
fn a_temporary_server_is_private() {
    let server = TemporaryServer::start().unwrap();
    let directory = server.data_directory().parent().unwrap().to_owned();
    let (around, log) = (fs::metadata(&directory).unwrap(), fs::metadata(directory.join("log")).unwrap());
    let own = rustix::process::geteuid().as_raw();
    assert_eq!((around.uid(), around.mode() & 0o067), (own, 0), "{:o}", around.mode());
    assert_eq!((log.uid(), log.mode() & 0o777), (own, 0o600));
    let data = fs::metadata(server.data_directory()).unwrap();
    for path in [server.data_directory(), server.socket_directory()] {
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (data.uid(), 0o700), "{}", path.display());
    }
}

#[test]
fn the_sockets_name_is_short_enough_for_every_system() {
    let server = TemporaryServer::start().unwrap();
    let socket = server.socket_directory().join(".s.PGSQL.65535");
    assert!(socket.as_os_str().len() < 100, "{}", socket.display());
}

#[test]
fn a_dropped_temporary_server_leaves_neither_process_nor_directory() {
    let server = TemporaryServer::start().unwrap();
    let directory = server.data_directory().parent().unwrap().to_owned();
    let pid = postmaster(&server.data_directory());
    drop(server);
    assert!(!directory.exists());
    assert!(rustix::process::test_kill_process(pid).is_err());
}

#[test]
fn a_crashed_temporary_server_starts_again_with_its_data() {
    let mut server = TemporaryServer::builder().setting("synchronous_commit", "on").start().unwrap();
    ask(&server, &server.url("postgres"), "CREATE TABLE kept ()");
    server.crash().unwrap();
    server.start_again().unwrap();
    assert_eq!(ask(&server, &server.url("postgres"), "SELECT to_regclass('kept')"), "kept");
    server.stop().unwrap();
    server.start_again().unwrap();
    assert_eq!(ask(&server, &server.url("postgres"), "SELECT to_regclass('kept')"), "kept");
}

#[test]
fn a_broken_setting_is_an_error_with_the_log_and_leaves_nothing() {
    let error = TemporaryServer::builder().setting("max_connections", "many").start().unwrap_err();
    let message = format!("{error:#}");
    assert!(message.contains("invalid value for parameter \"max_connections\""), "{message}");
    let directory = PathBuf::from(message.split('`').nth(1).unwrap());
    assert!(!directory.exists());
}

/// Not a test: the process that the next test kills. It says where its server is and waits for its standard input.
#[test]
#[ignore = "started by a_temporary_server_ends_when_its_process_is_killed"]
fn owner_of_a_server() {
    let server = TemporaryServer::start().unwrap();
    println!("\nserver {}", server.data_directory().display());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_temporary_server_ends_when_its_process_is_killed() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner_of_a_server", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
    let data = lines.find_map(|line| line.strip_prefix("server ").map(PathBuf::from)).unwrap();
    let pid = postmaster(&data);
    assert!(data.exists());

    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the directory is removed", || !data.parent().unwrap().exists());
    eventually("the server has ended", || is_gone(pid));
}

/// Gone, or dead and waiting for an init that never looks, as in many containers.
fn is_gone(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    rustix::process::test_kill_process(pid).is_err() || stat.contains(") Z ")
}

/// A workspace folder with a cluster that is destroyed at the end, also when the test fails.
struct Workspace {
    folder: tempfile::TempDir,
    cluster: Cluster,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().unwrap();
        let cluster = Cluster::of_workspace(folder.path()).unwrap();
        Workspace { folder, cluster }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.cluster.destroy().unwrap();
    }
}

#[test]
fn a_workspace_keeps_its_data_its_port_and_its_password() {
    let workspace = Workspace::new();
    let cluster = &workspace.cluster;
    assert!(matches!(cluster.status().unwrap(), Status::Absent));

    let first = cluster.start().unwrap();
    ask_cluster(&first, "CREATE TABLE kept ()");
    assert_eq!(ask_cluster(&first, "SHOW data_directory"), cluster.data_directory().to_str().unwrap());
    assert!(matches!(cluster.status().unwrap(), Status::Running(_)));

    let again = cluster.start().unwrap();
    assert_eq!(again.url("x"), first.url("x"), "a second start finds the running server");

    assert!(cluster.stop().unwrap());
    assert!(!cluster.stop().unwrap());
    assert!(matches!(cluster.status().unwrap(), Status::Stopped));

    let after = Cluster::of_workspace(workspace.folder.path()).unwrap().start().unwrap();
    assert_eq!(after.url("x"), first.url("x"));
    assert_eq!(ask_cluster(&after, "SELECT to_regclass('kept')"), "kept");

    assert!(cluster.destroy().unwrap());
    assert!(!cluster.destroy().unwrap());
    assert!(!cluster.data_directory().parent().unwrap().exists(), "nothing stays");
    assert!(matches!(cluster.status().unwrap(), Status::Absent));
}

#[test]
fn a_workspace_lets_nobody_in_without_the_password() {
    let workspace = Workspace::new();
    let running = workspace.cluster.start().unwrap();
    let refused = running.psql("postgres").env("PGPASSWORD", "wrong").args(["-XAtc", "SELECT 1"]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("password authentication failed"), "{said}");

    let password = workspace.cluster.data_directory().with_file_name("password");
    let metadata = fs::metadata(password).unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.uid()), (0o600, rustix::process::geteuid().as_raw()));
}

#[test]
fn a_killed_server_starts_again() {
    let workspace = Workspace::new();
    let running = workspace.cluster.start().unwrap();
    ask_cluster(&running, "CREATE TABLE kept ()");
    // We are its parent and do not wait for it, so it stays as a zombie under the number in postmaster.pid.
    kill_process(postmaster(running.data_directory()), Signal::KILL).unwrap();
    eventually("the kill is seen", || matches!(workspace.cluster.status().unwrap(), Status::Stopped));
    let again = workspace.cluster.start().unwrap();
    assert_eq!(ask_cluster(&again, "SELECT to_regclass('kept')"), "kept");
}

#[test]
fn two_first_starts_at_once_give_one_server() {
    let workspace = Workspace::new();
    let urls: Vec<String> = thread::scope(|scope| {
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(|| workspace.cluster.start().unwrap().url("x"))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(urls.windows(2).all(|pair| pair[0] == pair[1]), "{urls:?}");
}

#[test]
fn what_a_killed_initdb_leaves_is_not_taken_for_a_cluster() {
    let workspace = Workspace::new();
    let fresh = workspace.cluster.data_directory().with_file_name("data.new");
    fs::create_dir_all(&fresh).unwrap();
    fs::set_permissions(fresh.parent().unwrap(), fs::Permissions::from_mode(0o711)).unwrap();
    fs::write(fresh.join("PG_VERSION"), "9\n").unwrap();
    let running = workspace.cluster.start().unwrap();
    assert_eq!(ask_cluster(&running, "SELECT 1"), "1");
    assert!(!fresh.exists());
}

#[test]
fn refuses_a_directory_that_others_can_write_to() {
    let workspace = Workspace::new();
    let home = workspace.cluster.data_directory().parent().unwrap().to_owned();
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
    let message = format!("{:#}", workspace.cluster.start().unwrap_err());
    assert!(message.contains("is not a directory that only this user"), "{message}");
    assert!(message.lines().last().unwrap().starts_with("help: "), "{message}");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o711)).unwrap();
}

//! The real PgBouncer between us and the server, where the environment says that it is there.
#![expect(clippy::print_stderr, reason = "what does not run is said, not passed over in silence")]

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use expect_test::expect;
use tempfile::TempDir;

use crate::support::{Project, fingerprint, query_at, server};

/// A PgBouncer of one test; it ends with it. It trusts its clients, who come through a socket in a private directory.
struct Pooler {
    process: Child,
    directory: TempDir,
}

impl Pooler {
    /// Starts one in a pool mode; `None`, and a line that says so, where `MIGRATOR_TEST_PGBOUNCER` is not 1.
    fn start(mode: &str) -> Option<Pooler> {
        if std::env::var_os("MIGRATOR_TEST_PGBOUNCER").is_none_or(|value| value != "1") {
            eprintln!(
                "not run, because MIGRATOR_TEST_PGBOUNCER is not 1 and .ci/run alone sets it: PgBouncer, {mode} mode"
            );
            return None;
        }
        // It lets everyone in who reaches its socket.
        let private = Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("pooler-").permissions(private).tempdir_in("/tmp").unwrap();
        let users = directory.path().join("users.txt");
        std::fs::write(&users, "\"postgres\" \"\"\n").unwrap();
        let settings = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_port = 5432\nunix_socket_dir = {}\n\
             auth_type = trust\nauth_file = {}\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n",
            server().socket_directory().display(),
            server().port(),
            directory.path().display(),
            users.display()
        );
        let file = directory.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("pgbouncer");
        let owner = std::fs::metadata(server().socket_directory()).unwrap();
        if owner.uid() != std::fs::metadata(directory.path()).unwrap().uid() {
            // It refuses to be root; so all of it is the server's user's.
            for path in [users.as_path(), &file, directory.path()] {
                chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
            }
            command.uid(owner.uid()).gid(owner.gid());
        }
        let process = command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.expect("MIGRATOR_TEST_PGBOUNCER=1 needs the program `pgbouncer` in the PATH");
        let pooler = Pooler { process, directory };
        for _ in 0..200 {
            if UnixStream::connect(pooler.directory.path().join(".s.PGSQL.5432")).is_ok() {
                return Some(pooler);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PgBouncer does not listen");
    }

    fn url(&self, project: &Project) -> String {
        let socket = self.directory.path().display().to_string().replace('/', "%2F");
        format!("postgresql://postgres@{socket}:5432/{}", project.database())
    }

    fn run(&self, project: &Project, arguments: &[&str]) -> String {
        let output = project.run_with(arguments, &[("DATABASE_URL", &self.url(project))]);
        output.replace(&format!("{}:5432", self.directory.path().display()), "POOLER")
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn project() -> Project {
    let project = Project::new();
    project.tables(2).file(
        "migrations/003_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t1_id ON t1 (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t1_id;\n",
    );
    project
}

#[test]
fn a_transaction_pooler_is_refused_before_anything_is_written() {
    let Some(pooler) = Pooler::start("transaction") else { return };
    let project = project();
    let before = fingerprint(&project);
    // Which backend a pooler gives out may differ from time to time.
    let outputs: Vec<String> = (0..5).map(|_| pooler.run(&project, &["up"])).collect();
    expect![[r#"
        exit 8
        --- stderr
        POOLER · database DB · user postgres · PostgreSQL X
        error: the connection goes through a transaction pooler, which cannot hold the migration lock
          = help: connect directly to the server at its socket:5432, or through a pool in session mode
    "#]]
    .assert_eq(&outputs[0]);
    assert!(outputs.iter().all(|output| *output == outputs[0]), "{outputs:?}");
    assert_eq!(fingerprint(&project), before);
    let settings = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(query_at(&pooler.url(&project), settings), "0|0|0\n");
    // Whoever only looks is served.
    assert!(pooler.run(&project, &["status"]).starts_with("exit 0"));
}

#[test]
fn a_pooler_that_is_not_noticed_is_caught() {
    let Some(pooler) = Pooler::start("transaction") else { return };
    let project = project();
    let before = fingerprint(&project);
    // The test above can fail: without the look at the backend, a run writes through a session that it does not hold.
    // What it leaves in that session is not asked for: a pooler closes it where the client went before the answer.
    let url = pooler.url(&project);
    project.run_with(&["up"], &[("DATABASE_URL", &url), ("MIGRATOR_PLANTED_BUG", "pooler-unseen")]);
    assert_ne!(fingerprint(&project), before);
}

#[test]
fn a_session_pooler_works() {
    let Some(pooler) = Pooler::start("session") else { return };
    let project = project();
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 002_t2 (N ms)
        applied 003_index (N ms)
        applied 3 migrations in N ms; the database is at 003
        --- stderr
        POOLER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&pooler.run(&project, &["up"]));
    assert!(pooler.run(&project, &["up"]).contains("nothing to apply"));
    assert!(pooler.run(&project, &["down", "--to", "0", "--yes"]).starts_with("exit 0"));
}

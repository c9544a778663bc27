//! A disk that is full.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::Command;

use expect_test::expect;
use migrator_postgres::TemporaryServer;
use tempfile::TempDir;

use crate::claims::Said;
use crate::migrator;
use crate::not_tested;
use crate::server::Session;

/// A small file system in memory, which only root can mount.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Below the server's directory, for the user that it runs as. `Err`: why there can be none.
    fn mount(server: &TemporaryServer, size: &str) -> Result<SmallDisk, String> {
        let data = server.data_directory();
        let owner = std::fs::metadata(&data).unwrap();
        let path = data.parent().unwrap().join("small");
        std::fs::create_dir(&path).unwrap();
        let disk = SmallDisk { path };
        let options = format!("size={size},mode=0700,uid={},gid={}", owner.uid(), owner.gid());
        disk.call(&["-t", "tmpfs", "-o", &options, "tmpfs"]).map(|()| disk)
    }

    fn resize(&self, size: &str) {
        self.call(&["-o", &format!("remount,size={size}"), "tmpfs"]).unwrap();
    }

    fn call(&self, arguments: &[&str]) -> Result<(), String> {
        let output =
            Command::new("mount").args(arguments).arg(&self.path).output().map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server still has files open there; it is gone for everybody else at once.
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).output();
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// What was said, without what differs from run to run: times, and the names of the server's files.
fn text(said: &Said) -> String {
    let steady = |line: &str| {
        let line = match line.split_once("file \"").and_then(|(before, rest)| Some((before, rest.split_once('"')?.1))) {
            // Which call of the system it was, releases from 16 on say.
            Some((before, behind)) => format!("{before}file FILE{}", behind.replace(" with FileFallocate()", "")),
            None => line.to_owned(),
        };
        let time = if line.starts_with("applied ") { line.find(" (").or(line.find(" in ")) } else { None };
        line[..time.unwrap_or(line.len())].to_owned() + "\n"
    };
    // Nor how far the build of an index is: that is said where it takes its time, as any does on a busy machine.
    let varies = |line: &str| line.contains(" · ") || line.contains(": index build: ");
    said.text().lines().filter(|line| !varies(line)).map(steady).collect()
}

/// A server with a tablespace on a small disk, and a db directory.
struct Small {
    // Before the server, whose directory it is mounted in: fields are dropped in their order.
    disk: SmallDisk,
    server: TemporaryServer,
    directory: TempDir,
    session: Session,
}

/// Four megabytes that cannot be compressed, also not in an index.
const BIG: &str = "CREATE TABLE big TABLESPACE small AS SELECT n, (SELECT string_agg(md5(m || ' ' || n), '') FROM generate_series(1, 30) AS m) AS text FROM generate_series(1, 4000) AS n;";

impl Small {
    /// `None`, after saying so: there can be no small disk.
    fn new(size: &str) -> Option<Small> {
        let server = TemporaryServer::start().unwrap();
        let disk = match SmallDisk::mount(&server, size) {
            Ok(disk) => disk,
            Err(reason) => {
                not_tested(&format!("a full disk: a small file system cannot be mounted here: {reason}"));
                return None;
            }
        };
        let session = Session::open(&server.url("postgres")).unwrap();
        session.rows(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.path.display()));
        let directory = TempDir::new().unwrap();
        std::fs::create_dir_all(directory.path().join("db/migrations")).unwrap();
        Some(Small { disk, server, directory, session })
    }

    fn file(&self, name: &str, options: &str, up: &str) {
        let text = format!("-- migrate:up{options}\n{up}\n-- migrate:down\n");
        std::fs::write(self.directory.path().join(format!("db/migrations/{name}.sql")), text).unwrap();
    }

    fn up(&self) -> String {
        text(&migrator::run(&self.directory.path().join("db"), &self.server.url("postgres"), &["up"]))
    }
}

#[test]
fn a_full_disk_leaves_nothing_half_done_and_the_next_run_goes_on() {
    let Some(small) = Small::new("2m") else { return };
    small.file("001_a", "", "CREATE TABLE a ();");
    small.file("002_big", "", BIG);
    small.file("003_b", "", "CREATE TABLE b ();");
    expect![[r#"
        exit 3
        --- stdout
        applied 001_a
        --- stderr
        error: migration 002_big failed and was rolled back
         --> db/migrations/002_big.sql:2:1
          |
        2 | CREATE TABLE big TABLESPACE small AS SELECT n, (SELECT string_agg(md5(m || ' ' || n), '') FROM generate_series(1, 30) AS m) AS text F...
          | ^ could not extend file FILE: No space left on device [53100]
          |
          = note: HINT: Check free disk space.
          = note: applied before it in this run: 001_a. Not run: 003_b.
          = help: the file may be correct: make room on the server's disk, then run it again
    "#]].assert_eq(&small.up());
    let history = "SELECT string_agg(version, ',' ORDER BY version) || ' ' || (to_regclass('big') IS NULL) FROM schema_migrations";
    assert_eq!(small.session.value(history), "001 true");
    small.disk.resize("64m");
    expect![[r#"
        exit 0
        --- stdout
        applied 002_big
        applied 003_b
        applied 2 migrations
        --- stderr
    "#]]
    .assert_eq(&small.up());
}

#[test]
fn an_index_that_a_full_disk_left_invalid_is_built_by_the_next_run() {
    let Some(small) = Small::new("8m") else { return };
    small.session.rows(BIG);
    let index = "CREATE INDEX CONCURRENTLY big_text ON big (n, text) TABLESPACE small;";
    small.file("001_index", " transaction:false", index);
    expect![[r#"
        exit 3
        --- stdout
        --- stderr
        error: migration 001_index failed at statement 1 of 1
         --> db/migrations/001_index.sql:2:1
          |
        2 | CREATE INDEX CONCURRENTLY big_text ON big (n, text) TABLESPACE small;
          | ^ could not extend file FILE: No space left on device [53100]
          |
          = note: HINT: Check free disk space.
          = note: applied before it in this run: none. Not run: none.
          = help: the file may be correct: make room on the server's disk, then run it again
          = help: correct statement 1 or its cause, build, and run `up` again: it continues at statement 1
    "#]]
    .assert_eq(&small.up());
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(small.session.value(invalid), "1");
    small.disk.resize("64m");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_index
        applied 1 migration
        --- stderr
        001_index: index public.big_text is invalid, left by an unfinished build: dropping it and building it again
    "#]]
    .assert_eq(&small.up());
    assert_eq!(small.session.value(invalid), "0");
}

//! What a run needs on top of the migrations that are in the binary anyway: no more for long answers and many notices.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use migrator_postgres::TemporaryServer;
use tempfile::TempDir;

use crate::fault::wait_for;
use crate::migrator;
use crate::proxy::{Harm, Place, Proxy, Strike};
use crate::server::Server;
use crate::sweep::is_full;

/// A line of /proc/<pid>/status in kilobytes; `None`: the process has ended.
fn memory(pid: i32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|text| text.strip_prefix(line))?.split_whitespace().next()?.parse().ok()
}

/// By how many kilobytes `up` grows at most, from its first message to the server on.
///
/// The program of the tests reads and checks the directory when it starts, which needs memory that a real binary does
/// not: the peak is reset when that is over.
fn growth(server: &Server, database: &str, migration: &str) -> u64 {
    server.session("postgres").rows(&format!("CREATE DATABASE {database}"));
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("migrations")).unwrap();
    let text = format!("-- migrate:up\n{migration}\n-- migrate:down\n");
    std::fs::write(directory.path().join("migrations/001_m.sql"), text).unwrap();
    let (pid, loaded) = (Arc::new(AtomicI32::new(0)), Arc::new(AtomicU64::new(0)));
    let strike = {
        let (pid, loaded) = (Arc::clone(&pid), Arc::clone(&loaded));
        move |_| {
            let pid = wait_for(&pid);
            std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
            loaded.store(memory(pid, "VmHWM:").unwrap(), Ordering::SeqCst);
        }
    };
    let place = Place { connection: 0, message: 0 };
    let harm = Harm::Strike(Strike { behind: true, ends: false, act: Arc::new(strike) });
    let proxy = Proxy::harming(server.address(), vec![(place, harm)]);
    let peak = peak(directory.path(), &proxy.url(database), &pid);
    let loaded = loaded.load(Ordering::SeqCst);
    assert!(loaded > 0 && peak >= loaded, "loaded with {loaded} kB, a peak of {peak} kB");
    peak - loaded
}

/// Runs `up` and returns its peak.
fn peak(db: &Path, url: &str, pid: &AtomicI32) -> u64 {
    let mut command = migrator::command(db, url, &["up"]);
    let output = tempfile::tempfile().unwrap();
    // Nobody reads a pipe while we look at the process.
    command.stdout(output.try_clone().unwrap()).stderr(output);
    let mut child = command.spawn().unwrap();
    let id = migrator::pid(&child).as_raw_nonzero().get();
    pid.store(id, Ordering::SeqCst);
    let mut peak = 0;
    let status = loop {
        peak = memory(id, "VmHWM:").unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(status.code(), Some(0));
    peak
}

#[test]
fn memory_does_not_grow_with_what_the_server_says() {
    let server = Server::start(TemporaryServer::builder());
    let small = growth(&server, "small", "CREATE TABLE a (id int);");
    let notices =
        "DO $$ BEGIN FOR n IN 1..10000 LOOP RAISE NOTICE 'row % of many, and some more words', n; END LOOP; END $$;";
    let notices = growth(&server, "notices", notices);
    let rows = growth(&server, "rows", "SELECT repeat('x', 1000) FROM generate_series(1, 100000);");
    eprintln!("memory of a run: small {small} kB, 10,000 notices {notices} kB, 100 MB of rows {rows} kB");
    for more in [notices, rows] {
        assert!(more < small + 16_000, "{more} kB more, instead of {small} kB");
    }
}

#[test]
fn a_long_migration_needs_a_few_copies_of_itself() {
    let server = Server::start(TemporaryServer::builder());
    let mut migration = "CREATE TABLE a (id int, text text);\n".to_owned();
    let megabytes = if is_full() { 50 } else { 10 };
    for n in 1..=megabytes {
        writeln!(migration, "INSERT INTO a VALUES ({n}, '{}');", "x".repeat(1 << 20)).unwrap();
    }
    let growth = growth(&server, "long", &migration);
    eprintln!("memory of a run: a migration of {megabytes} MB {growth} kB");
    // The message as it is queued, and the client's buffer from which it is sent, which doubles as it grows: the text
    // itself is let go.
    assert!(growth < 4 * megabytes * 1_024, "{growth} kB");
    assert_eq!(
        server.session("long").value("SELECT count(*) || ' ' || sum(length(text)) FROM a"),
        format!("{megabytes} {}", megabytes << 20)
    );
}

//! How often the migrator waits for an answer, and how often it makes the server wait for the disk.

use std::path::Path;

use migrator_xtask::postgres::TemporaryServer;
use tempfile::TempDir;

use crate::facts::wait_for_quiet;
use crate::migrator;
use crate::not_tested;
use crate::proxy::{Proxy, Traffic};
use crate::server::{Server, Session};
use crate::sweep::is_full;

/// A db directory with so many migrations of a table and an index each.
fn tables(count: usize) -> TempDir {
    let directory = TempDir::new().unwrap();
    let migrations = directory.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    for n in 1..=count {
        let up = format!("CREATE TABLE t{n} (id bigint PRIMARY KEY, name text);\nCREATE INDEX ON t{n} (name);");
        let text = format!("-- migrate:up\n{up}\n-- migrate:down\nDROP TABLE t{n};\n");
        std::fs::write(migrations.join(format!("{n:04}_t{n}.sql")), text).unwrap();
    }
    directory
}

/// Runs `up` through a proxy; the traffic of each connection.
fn up(db: &Path, server: &Server) -> Vec<Traffic> {
    let proxy = Proxy::watching(server.address());
    let said = migrator::run(db, &proxy.url("postgres"), &["up"]);
    assert_eq!(said.exit, Some(0), "{}", said.text());
    proxy.traffic()
}

/// The round trips of a run as it would be by TCP, where each connection begins with the question for TLS, without the looks of the second connection at a statement that takes its time: how many
/// there are depends on the machine.
fn round_trips(traffic: &[Traffic]) -> usize {
    let is_look =
        |message: &&String| message.contains("pg_blocking_pids") || message.contains("pg_logical_emit_message");
    let looks = traffic.get(1).map_or(0, |second| second.messages.iter().filter(is_look).count());
    traffic.iter().map(|traffic| 1 + traffic.round_trips).sum::<usize>() - looks
}

/// How often the log was flushed, without the flushes that the end of a segment demands, whoever writes: the segments
/// of a temporary server are small. `None`: the server does not count them.
fn flushes(session: &Session) -> Option<i64> {
    let count = match session.value("SELECT current_setting('server_version_num')::int / 10000").parse().unwrap() {
        ..14 => return None,
        14..18 => "SELECT wal_sync FROM pg_stat_wal",
        18.. => "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal' AND context = 'normal'",
    };
    let segment = "(SELECT setting::numeric FROM pg_settings WHERE name = 'wal_segment_size')";
    let count = format!("SELECT ({count}) - div(pg_current_wal_insert_lsn() - '0/0', {segment})");
    Some(session.value(&count).parse().unwrap())
}

#[test]
fn many_migrations_take_twenty_round_trips_and_twenty_flushes() {
    let count = if is_full() { 1_000 } else { 200 };
    let server = Server::start(
        // Nobody but the migrator writes or flushes.
        TemporaryServer::builder()
            .setting("fsync", "on")
            .setting("synchronous_commit", "on")
            .setting("wal_writer_delay", "10s")
            .setting("wal_writer_flush_after", "1GB")
            .setting("autovacuum", "off")
            .setting("checkpoint_timeout", "1h")
            .setting("max_wal_size", "4GB"),
    );
    let session = server.session("postgres");
    let db = tables(count);
    let before = flushes(&session);
    let traffic = up(db.path(), &server);
    assert_eq!(wait_for_quiet(&session), Vec::<String>::new());
    assert_eq!(session.value("SELECT count(*) FROM schema_migrations"), count.to_string());
    let trips = round_trips(&traffic);
    eprintln!("{count} migrations: {trips} round trips, {} messages", traffic[0].messages.len());
    assert!(trips <= 20, "{trips} round trips");
    match (before, flushes(&session)) {
        (Some(before), Some(after)) => {
            eprintln!("{count} migrations: {} flushes", after - before);
            assert!(after - before <= 20, "{} flushes", after - before);
        }
        _ => not_tested("flushes: a server before 14 does not count them"),
    }
    let traffic = up(db.path(), &server);
    let trips = round_trips(&traffic);
    eprintln!("nothing to do: {trips} round trips");
    assert!(trips <= 3, "{trips} round trips: {:?}", traffic[0].messages);
}

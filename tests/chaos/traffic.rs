//! How often the migrator waits for an answer, and how often it makes the server wait for the disk.

use std::path::Path;
use std::time::Duration;

use migrator_postgres::TemporaryServer;
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

/// How far away the server is.
const LATENCY: Duration = Duration::from_millis(20);

/// Runs `up` through a proxy; the traffic of each connection.
fn up(db: &Path, server: &Server, database: &str) -> Vec<Traffic> {
    let proxy = Proxy::distant(server.address(), LATENCY);
    let said = migrator::run(db, &proxy.url(database), &["up"]);
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
fn many_migrations_take_six_round_trips_and_six_flushes() {
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
    let mut one = Vec::new();
    while one.len() < TRIES && !one.last().is_some_and(Cost::is_low) {
        one.push(cost(&server, tables(1).path(), 1, TRIES + one.len()));
    }
    assert!(one.iter().any(Cost::is_low), "{one:?}");
    let db = tables(count);
    // What is counted has a lower bound in the migrator and none above on a busy machine: where the migrator is not let run for longer than
    // the latency between two messages that it sends together, the answer to the first is back before the second is seen, and a look of
    // the second connection makes the server write. So the best of a few runs counts.
    let mut costs = Vec::new();
    while costs.len() < TRIES && !costs.last().is_some_and(Cost::is_low) {
        costs.push(cost(&server, db.path(), count, costs.len()));
    }
    let least = |of: fn(&Cost) -> Option<usize>| costs.iter().filter_map(of).min();
    assert_eq!(least(|cost| Some(cost.connections)), Some(1), "{costs:?}");
    let trips = least(|cost| Some(cost.trips));
    assert!(trips.is_some_and(|trips| trips <= MOST), "{costs:?}");
    match least(|cost| cost.flushes) {
        Some(flushes) => assert!(flushes <= MOST, "{costs:?}"),
        None => not_tested("flushes: a server before 14 does not count them"),
    }
    let trips: Vec<usize> = (0..4).map(|_| round_trips(&up(db.path(), &server, "run0"))).collect();
    eprintln!("nothing to do: {trips:?} round trips");
    assert!(trips.iter().any(|trips| *trips <= 3), "{trips:?}");
}

/// How many round trips and flushes a run may take, however many migrations there are.
const MOST: usize = 6;

/// How often it may be tried on a busy machine.
const TRIES: usize = 12;

/// What a run has taken.
#[derive(Debug)]
struct Cost {
    /// The second one looks at a statement that takes its time, as it may on a busy machine.
    connections: usize,
    trips: usize,
    flushes: Option<usize>,
}

impl Cost {
    fn is_low(&self) -> bool {
        self.connections == 1 && self.trips <= MOST && self.flushes.is_none_or(|flushes| flushes <= MOST)
    }
}

/// Runs everything in a new database.
fn cost(server: &Server, db: &Path, count: usize, number: usize) -> Cost {
    let database = format!("run{number}");
    server.session("postgres").rows(&format!("CREATE DATABASE {database}"));
    let session = server.session(&database);
    let before = flushes(&session);
    let traffic = up(db, server, &database);
    assert_eq!(wait_for_quiet(&session), Vec::<String>::new());
    assert_eq!(session.value("SELECT count(*) FROM schema_migrations"), count.to_string());
    let took = flushes(&session).zip(before).map(|(after, before)| usize::try_from(after - before).unwrap());
    let cost = Cost { connections: traffic.len(), trips: round_trips(&traffic), flushes: took };
    eprintln!("{count} migrations: {} messages, {cost:?}", traffic[0].messages.len());
    cost
}

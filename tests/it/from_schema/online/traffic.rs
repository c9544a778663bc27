//! An application that reads and writes the tables while `up` runs, and one session that is slow.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use migrator_xtask::engine::operation::UpOptions;
use tokio_postgres::{Client, NoTls};

use super::Base;
use crate::from_schema::kinds::{block_on, on};
use crate::support::{query_on, server};

/// How long a statement of the migrations waits for a lock.
const LOCK_TIMEOUT: Duration = Duration::from_millis(1_500);

/// How long a transaction keeps what it has read: longer than anyone may wait.
const SLOW: Duration = Duration::from_millis(4_500);

/// The first thing that it needs is what the slow session has: an index that is dropped would only wait until that is over.
const CHANGE: &str = "
ALTER TABLE core.users ADD token uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT users_token_key UNIQUE,
    ADD number bigint GENERATED ALWAYS AS IDENTITY, ALTER name SET NOT NULL,
    ADD CONSTRAINT grown CHECK (age > 0), ADD CONSTRAINT users_email_key UNIQUE (email), DROP CONSTRAINT users_old_key;
ALTER TABLE core.orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES core.users,
    ADD CONSTRAINT orders_email_fkey FOREIGN KEY (email) REFERENCES core.users (email);
CREATE INDEX orders_user_idx ON core.orders (user_id);";

async fn session(database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&server().url(database), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Runs a statement again and again; how often, and how long the slowest took.
fn work(database: &str, done: &AtomicBool, statement: impl Fn(u64) -> String) -> (u64, Duration) {
    block_on(async {
        let client = session(database).await;
        let (mut count, mut slowest) = (0, Duration::ZERO);
        while !done.load(Ordering::Relaxed) {
            count += 1;
            let (sql, begun) = (statement(count), Instant::now());
            client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            slowest = slowest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (count, slowest)
    })
}

#[test]
fn no_statement_of_an_application_waits_twice_the_lock_timeout() {
    let base = Base::new();
    let database = base.project.database();
    let after = base.wanted(&format!("{database}_wanted"), CHANGE);
    let set = base.written(&after, true);
    let mut all = set.embedded.clone();
    all.settings.lock_timeout_ms = LOCK_TIMEOUT.as_millis() as u64;
    all.settings.retry_for_ms = 300_000;
    let embedded = &*Box::leak(Box::new(all));
    query_on(
        database,
        "INSERT INTO core.users SELECT n, 'name', n || '@example.com', n, 'old ' || n, 'kept ' || n FROM generate_series(1000, 20000) n",
    );
    let (done, has_read) = (AtomicBool::new(false), Barrier::new(2));
    let (up, slowest) = thread::scope(|scope| {
        let (done, has_read) = (&done, &has_read);
        let start = |statement: fn(u64) -> String| scope.spawn(move || work(database, done, statement));
        let workers = [
            start(|n| format!("SELECT name FROM core.users WHERE id = {}", n % 300 + 1)),
            start(|n| format!("UPDATE core.users SET name = name || 'x' WHERE id = {}", n % 300 + 1)),
            start(|n| {
                format!("INSERT INTO core.users (id, name, email, age) VALUES ({0}, 'new', 'new {0}', 1)", n + 100_000)
            }),
            start(|n| format!("INSERT INTO core.orders (id, user_id) VALUES ({}, {})", n + 100_000, n % 300 + 1)),
            start(|n| format!("DELETE FROM core.orders WHERE id = {}", n % 300 + 1)),
        ];
        let slow = scope.spawn(|| {
            block_on(async {
                let client = session(database).await;
                client
                    .batch_execute(
                        "BEGIN; SELECT count(*) FROM core.users, core.orders WHERE core.users.id = core.orders.id",
                    )
                    .await
                    .unwrap();
                has_read.wait();
                tokio::time::sleep(SLOW).await;
                client.batch_execute("COMMIT").await.unwrap();
            });
        });
        let context = on(embedded, database);
        has_read.wait();
        let up = block_on(async { context.connect().await?.up(&UpOptions::default()).await });
        done.store(true, Ordering::Relaxed);
        slow.join().unwrap();
        (up.map(|_| ()).map_err(|error| error.render(false)), workers.map(|worker| worker.join().unwrap()))
    });
    assert_eq!(up, Ok(()));
    assert_eq!(super::facts(embedded, database), after.facts().without_order());
    for (count, slowest) in slowest {
        assert!(count > 20 && slowest < 2 * LOCK_TIMEOUT, "{count} statements, the slowest {slowest:?}");
    }
}

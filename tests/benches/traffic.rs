//! What the application feels while a migration waits behind a long reader: the longest answer of a small query, with a
//! plain `ALTER TABLE` and with `migrator up`, in one run. A figure of one run says nothing; the two beside each other do.

// The figures are the result.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use migrator_postgres::TemporaryServer;
use tokio_postgres::NoTls;

const READER_HOLDS: Duration = Duration::from_secs(6);

fn main() -> anyhow::Result<()> {
    let server = TemporaryServer::start()?;
    let directory = tempfile::TempDir::new()?;
    let migrations = directory.path().join("migrations");
    std::fs::create_dir(&migrations)?;
    std::fs::write(
        migrations.join("001_b.sql"),
        "-- migrate:up\nALTER TABLE a ADD COLUMN b int;\n-- migrate:down\nALTER TABLE a DROP COLUMN b;\n",
    )?;
    println!("a reader holds its lock for {READER_HOLDS:?}; lock_timeout of migrator: 500 ms");
    println!("{:<14} {:>22} {:>16}", "", "longest answer, ms", "migration, ms");
    let plain = measure(&server, "plain", |url| query(url, "ALTER TABLE a ADD COLUMN b int"))?;
    let ours = measure(&server, "migrator up", |url| up(directory.path(), url))?;
    println!("{:<14} {:>21.1}%", "ratio", 100.0 * ours.as_secs_f64() / plain.as_secs_f64());
    Ok(())
}

/// The longest answer of the application while `migrate` works behind a reader.
fn measure(
    server: &TemporaryServer,
    name: &str,
    migrate: impl FnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<Duration> {
    let database = name.replace(' ', "_");
    query(&server.url("postgres"), &format!("CREATE DATABASE {database}"))?;
    let url = server.url(&database);
    query(&url, "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 1000)")?;
    let reader = spawn(&url, |url| {
        query(&url, &format!("BEGIN; SELECT count(*) FROM a; SELECT pg_sleep({}); COMMIT", READER_HOLDS.as_secs()))
    });
    thread::sleep(Duration::from_millis(500));
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let application = spawn(&url, move |url| longest_answer(&url, &stop));
    let begun = Instant::now();
    migrate(&url)?;
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    let longest = application.join().map_err(|_| anyhow::anyhow!("the application failed"))??;
    reader.join().map_err(|_| anyhow::anyhow!("the reader failed"))??;
    println!("{name:<14} {:>22} {:>16}", longest.as_millis(), took.as_millis());
    Ok(longest)
}

fn spawn<T: Send + 'static>(url: &str, work: impl FnOnce(String) -> T + Send + 'static) -> thread::JoinHandle<T> {
    let url = url.to_owned();
    thread::spawn(move || work(url))
}

fn longest_answer(url: &str, over: &AtomicBool) -> anyhow::Result<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let mut longest = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let begun = Instant::now();
            client.simple_query("SELECT id FROM a WHERE id = 7").await?;
            longest = longest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(longest)
    })
}

fn query(url: &str, sql: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client.batch_execute(sql).await?)
    })
}

fn up(directory: &Path, url: &str) -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dir-migrator"));
    let output = command.arg(directory).arg("up").env("DATABASE_URL", url).stdin(Stdio::null()).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

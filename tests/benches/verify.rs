//! What a proof costs: `verify` of many small migrations beside a plain `up` of the same ones, in one run. A figure of one run
//! says nothing; the two beside each other do.
//!
//! `cargo bench -p migrator-tests --bench verify [-- NUMBER]`; 200 migrations, unless told otherwise.

// The figures are the result.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use migrator_postgres::TemporaryServer;

fn main() -> anyhow::Result<()> {
    let count = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200_u32);
    let begun = Instant::now();
    let server = TemporaryServer::start()?;
    println!("server started in {} ms", begun.elapsed().as_millis());
    let directory = tempfile::TempDir::new()?;
    write(directory.path(), count)?;
    println!("{count} migrations: a table with an index, and back");
    println!("{:<10} {:>10} {:>18}", "", "s", "ms per migration");
    // The first run of all warms up the server's and the machine's caches.
    measure(&server, directory.path(), "up", count)?;
    let up = measure(&server, directory.path(), "up", count)?;
    let verify = measure(&server, directory.path(), "verify", count)?;
    println!("{:<10} {:>9.1}x", "ratio", verify.as_secs_f64() / up.as_secs_f64());
    Ok(())
}

fn write(directory: &Path, count: u32) -> anyhow::Result<()> {
    let migrations = directory.join("migrations");
    std::fs::create_dir(&migrations)?;
    for number in 1..=count {
        let text = format!(
            "-- migrate:up\nCREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL);\n\
             CREATE INDEX t{number}_name ON t{number} (name);\n\n-- migrate:down\nDROP TABLE t{number};\n"
        );
        std::fs::write(migrations.join(format!("{number:06}_t{number}.sql")), text)?;
    }
    Ok(())
}

/// Runs the command on a new database.
fn measure(server: &TemporaryServer, directory: &Path, command: &str, count: u32) -> anyhow::Result<Duration> {
    let database = "bench";
    let maintenance = server.url("postgres");
    psql(server, &maintenance, &format!("CREATE DATABASE {database}"))?;
    let begun = Instant::now();
    let mut migrator = Command::new(env!("CARGO_BIN_EXE_dir-migrator"));
    migrator.arg(directory).arg(command).env("DATABASE_URL", server.url(database)).stdin(Stdio::null());
    let output = migrator.output()?;
    let took = begun.elapsed();
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("{command:<10} {:>10.2} {:>18.2}", took.as_secs_f64(), 1_000.0 * took.as_secs_f64() / f64::from(count));
    psql(server, &maintenance, &format!("DROP DATABASE {database}"))?;
    Ok(took)
}

fn psql(server: &TemporaryServer, url: &str, statement: &str) -> anyhow::Result<()> {
    let output = Command::new(server.program_directory().join("psql")).args(["-Xqc", statement, url]).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

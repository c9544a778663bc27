//! A second judge, which knows nothing of the facts: what pg_dump shows.

use std::process::Command;

use anyhow::{Result, ensure};
use migrator_postgres::TemporaryServer;

/// The lines of a dump of the schema, sorted: the columns of a table may come in another order.
///
/// # Errors
/// pg_dump fails.
pub fn lines(server: &TemporaryServer, database: &str) -> Result<Vec<String>> {
    let mut command = Command::new(server.program_directory().join("pg_dump"));
    let output = command.args(["--schema-only", "--no-owner"]).arg(server.url(database)).output()?;
    ensure!(output.status.success(), "pg_dump of `{database}`: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8_lossy(&output.stdout);
    // The lines that newer releases restrict psql with hold a random word.
    let is_noise = |line: &str| line.is_empty() || line.starts_with("--") || line.starts_with('\\');
    let mut lines: Vec<String> =
        text.lines().map(|line| line.trim_end_matches(',').to_owned()).filter(|line| !is_noise(line)).collect();
    lines.sort();
    Ok(lines)
}

//! Whether the committed schema is what the migrations give: the one question of `verify` that needs pg_dump.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::output;
use crate::prove::dump::{self, Comparison, Migrated};
use crate::prove::proof::{Answer, Verdict};
use migrator_engine::Embedded;
use migrator_postgres::TemporaryServer;

/// Asks on a server of its own.
///
/// # Errors
/// There is no such server.
pub(super) fn ask(db: &Path, embedded: &'static Embedded) -> Result<(Answer, Duration)> {
    let begun = Instant::now();
    if !db.join(dump::SCHEMA).exists() {
        let lines = vec!["there is no db/schema.sql; `cargo xtask dump` writes it".to_owned()];
        return Ok(((Verdict::Skipped, lines), Duration::ZERO));
    }
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let answer = answer(db, embedded, &server)
        .unwrap_or_else(|error| (Verdict::Skipped, output::describe(&error).lines().map(str::to_owned).collect()));
    Ok((answer, begun.elapsed()))
}

fn answer(db: &Path, embedded: &'static Embedded, server: &TemporaryServer) -> Result<Answer> {
    let skip = |reason: &str| Ok((Verdict::Skipped, vec![reason.to_owned()]));
    dump::refuse_without_pg_dump(server.program_directory())?;
    let dump = Migrated::on(server, embedded).map(Migrated::dump);
    // Why they do not is another question's answer.
    let Ok(dump) = dump else { return skip("the migrations do not go up") };
    let Comparison { stale, skipped, same } = dump::compare(db, &dump?)?;
    let lines = |first: &str, rest: Vec<String>| {
        let rest = rest.iter().flat_map(|text| text.lines().map(str::to_owned)).collect::<Vec<_>>();
        std::iter::once(first.to_owned()).chain(rest).collect()
    };
    Ok(if !stale.is_empty() {
        let first = "the migrations produce a different schema: run `cargo xtask dump` and commit the files";
        (Verdict::Failed, lines(first, [stale, skipped].concat()))
    } else if same.is_empty() {
        (Verdict::Skipped, skipped)
    } else {
        (Verdict::Ok, lines(&format!("{} as the migrations produce them", same.join(" and ")), skipped))
    })
}

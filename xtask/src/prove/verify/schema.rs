//! Whether the committed schema is what the migrations give: the one question of `verify` that needs pg_dump.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::migrator::Fresh;
use crate::output;
use crate::prove::dump::{self, Comparison, Migrated};
use migrator_postgres::TemporaryServer;

/// The outcome is one argument of a program, which Linux limits to 128 KiB: so many lines are handed over, ...
const LINES: usize = 60;

/// ... and so many characters of each, six bytes at most in JSON. A function is one line of the facts.
const CHARACTERS: usize = 300;

/// A verdict as the migrator's `verify` takes it, and one line, followed by its details.
type Answer = (&'static str, Vec<String>);

/// Asks on a server of its own, and puts the outcome into the form that the migrator takes.
///
/// # Errors
/// The server does not start.
pub(super) fn ask(db: &Path, fresh: &Fresh) -> Result<Value> {
    let begun = Instant::now();
    if !db.join(dump::SCHEMA).exists() {
        let lines = ["there is no db/schema.sql; `cargo xtask dump` writes it"];
        return Ok(json!({ "verdict": "not asked", "lines": lines, "ms": 0 }));
    }
    let server = TemporaryServer::start().context("failed to start the server to verify on")?;
    let (verdict, lines) = answer(db, fresh, &server)
        .unwrap_or_else(|error| ("not asked", output::describe(&error).lines().map(str::to_owned).collect()));
    let lines: Vec<String> = lines.iter().take(LINES).map(|line| cut(line)).collect();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(json!({ "verdict": verdict, "lines": lines, "ms": ms }))
}

fn answer(db: &Path, fresh: &Fresh, server: &TemporaryServer) -> Result<Answer> {
    let not_asked = |reason: &str| Ok(("not asked", vec![reason.to_owned()]));
    dump::refuse_without_pg_dump(server.program_directory())?;
    let dump = Migrated::on(server, fresh).map(|migrated| migrated.dump());
    // Why they do not is another question's answer.
    let Ok(dump) = dump else { return not_asked("the migrations do not go up") };
    let Comparison { stale, skipped, same } = dump::compare(db, &dump?)?;
    let lines = |first: &str, rest: Vec<String>| {
        let rest = rest.iter().flat_map(|text| text.lines().map(str::to_owned)).collect::<Vec<_>>();
        std::iter::once(first.to_owned()).chain(rest).collect()
    };
    Ok(if !stale.is_empty() {
        let first = "the migrations produce another schema: run `cargo xtask dump` and commit the files";
        ("failed", lines(first, [stale, skipped].concat()))
    } else if same.is_empty() {
        ("not asked", skipped)
    } else {
        ("ok", lines(&format!("{} as the migrations produce them", same.join(" and ")), skipped))
    })
}

/// The beginning of a line that is too long.
fn cut(line: &str) -> String {
    match line.char_indices().nth(CHARACTERS) {
        None => line.to_owned(),
        Some((end, _)) => format!("{} ...", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        let fits = "é".repeat(CHARACTERS);
        assert_eq!(cut(&fits), fits);
        assert_eq!(cut(&format!("{fits}é")), format!("{fits} ..."));
    }
}

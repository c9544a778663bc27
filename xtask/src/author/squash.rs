//! `squash`: one baseline instead of the migrations up to a version, proved to make the same schema before a file is touched.
//!
//! New databases begin with the baseline. Those that are older keep to the migrations that it stands for, which move to db/squashed.

mod data;
mod files;
mod given;
mod make;
mod part;
mod roles;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use migrator_engine::Embedded;
use migrator_engine::facts::{diff, report};
use migrator_engine::words::count;
use migrator_postgres::TemporaryServer;

use crate::migrator;
use crate::output::{self, Json};
use crate::prove::dump::{self, SCHEMA};
use crate::workspace::Workspace;
use files::Change;
use make::{End, Original};
use part::{Part, Refused};

/// Arguments of `squash`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes db/migrations/VERSION_baseline.sql, which makes the schema of the migrations up to that version, and \
                  moves these to db/squashed. New databases begin with the baseline; a database that has begun with a squashed \
                  migration goes on with those that it lacks. db/squashed.txt lists all of them with their checksums.\n\n\
                  Nothing is written unless the baseline and what follows it make the same schema on a throwaway server as all \
                  migrations do. A baseline holds no rows: statements that write some are listed (exit code 1). What new databases \
                  need belongs in db/seeds; then pass --drop-data.\n\n\
                  Example: cargo xtask squash --to 030\n\
                  Example: cargo xtask squash --to 030 --drop-data"
)]
pub struct Args {
    /// The last migration that the baseline stands for
    #[arg(long, value_name = "VERSION")]
    to: i64,
    /// Leave out what the migrations write into tables
    #[arg(long)]
    drop_data: bool,
    /// The branch that has the migrations already [default: origin/main]
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Proves, then writes.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    match squash(args) {
        Err(error) if error.is::<Refused>() => {
            output::note(format!("error: {error}"));
            Ok(ExitCode::from(output::FOUND))
        }
        done => done,
    }
}

fn squash(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let part = Part::of(migrator::load(&workspace)?, args.to)?;
    given::refuse(&workspace, args.base.as_deref(), &part)?;
    let server = TemporaryServer::start().context("failed to start the server to make the schema on")?;
    let original = Original::of(&server, &part)?;
    let written = data::statements(part.written());
    let has_data = !written.is_empty() || !original.rows.is_empty();
    if has_data && !args.drop_data {
        written.iter().for_each(output::result);
        bail!(Refused(refusal(written.len(), &original)));
    }
    let ordered = original.statements(&server)?;
    let db = workspace.db();
    let change = Change::of(&db, &part, &ordered)?;
    let (new, change) = change.tried(&db)?;
    prove(new, &original)?;
    change
        .apply(&db)
        .context("the squash is half done; `git checkout -- db` and `git clean -d db` bring back what was")?;
    tell(&part, &change, written.len());
    if db.join(SCHEMA).exists() {
        dump::run(&dump::Args::default())?;
    }
    output::note("help: run `cargo xtask verify`, then commit db with all that was moved: `git add --all db`");
    Ok(ExitCode::SUCCESS)
}

/// What new databases would lack.
fn refusal(statements: usize, original: &Original) -> String {
    let mut lines = vec![match statements {
        0 => "the squashed migrations leave rows, and a baseline holds none; nothing was written".to_owned(),
        1 => "a statement of the squashed migrations may write data, and a baseline holds none; nothing was written"
            .to_owned(),
        _ => format!(
            "{} of the squashed migrations may write data, and a baseline holds none; nothing was written",
            count(statements, "statement")
        ),
    }];
    let rows = original.rows.iter().map(|(table, rows)| {
        let noun = if *rows == 1 { "row" } else { "rows" };
        format!("`{table}` holds {rows} {noun} after them")
    });
    lines.extend(rows);
    lines.push(
        "help: put what new databases need into db/seeds, then pass `--drop-data`; databases that are there keep their rows"
            .to_owned(),
    );
    lines.join("\n")
}

/// Runs the new files on a server of their own, where nothing of the old ones is.
fn prove(new: &'static Embedded, original: &Original) -> Result<()> {
    let server = TemporaryServer::start().context("failed to start the server to prove the baseline on")?;
    let made = End::of(&server, new, "the baseline, or a migration after it, fails on a throwaway server")?;
    let differences = diff(&original.end.facts, &made.facts);
    if !differences.is_empty() {
        bail!(Refused(format!(
            "the baseline and the migrations after it do not make the same schema as all migrations; nothing was written:\n{}\n\
             help: move what a baseline cannot hold to a repeatable, or to a new migration that changes nothing where it exists already",
            report(&differences)
        )));
    }
    let shared = |end: &End, other: &End| {
        let only = end.shared.iter().filter(|entry| !other.shared.contains(entry));
        only.map(|(kind, key, _)| format!("the {kind} `{key}`")).collect::<Vec<_>>()
    };
    let mut differing = shared(&original.end, &made);
    differing.extend(shared(&made, &original.end));
    differing.sort();
    differing.dedup();
    if !differing.is_empty() {
        bail!(Refused(format!(
            "what all databases of a server share would differ: {}; nothing was written\n\
             help: set it in a repeatable, or in a new migration that changes nothing where it is there already",
            differing.join(", ")
        )));
    }
    Ok(())
}

/// What was done.
fn tell(part: &Part, change: &Change, dropped: usize) {
    output::files(change.written.iter().map(|(path, _)| format!("db/{path}")));
    output::note(format!(
        "moved {} to db/squashed: databases that are older than {} still run them",
        count(part.migrations.len(), "migration"),
        part.last.version
    ));
    if !change.removed.is_empty() {
        let files: Vec<String> = change.removed.iter().map(|path| format!("db/{path}")).collect();
        output::note(format!("removed tests of squashed migrations: {}", files.join(", ")));
    }
    if dropped > 0 {
        output::note(format!("new databases do without the data of {}", count(dropped, "statement")));
    }
}

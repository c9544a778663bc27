//! Runs the plan on copies with rows in up to three sizes.

use std::collections::{BTreeMap, BTreeSet};

use super::calibrate::Place;
use super::fill::{Careful, careful, fill};
use super::interval::Target;
use super::judge::{Known, Seen};
use super::outcome::Forecast;
use super::work::needs_rows;
use crate::prove::data::takes::{self, Takes};
use crate::prove::scratch::{Database, Scratch};
use crate::prove::trace::Trace;
use migrator_engine::Error;
use migrator_engine::client::query;
use migrator_engine::stats::{Stats, TableKind};
use migrator_engine::words::{list, thousands};

/// No table of a copy has more rows.
const MOST: u64 = 1_000_000;

/// Nor have all tables together.
const MOST_TOGETHER: u64 = 4_000_000;

/// A smaller table has all its rows in every copy.
const SMALL: u64 = 2_000;

/// What part of the largest copy each copy has.
const PARTS: [u64; 3] = [16, 4, 1];

/// Measures and judges; `after` is an empty copy on which the plan has run, with these traces. `make` makes another one as it was before,
/// `run` runs the plan there and adds what it sees.
///
/// # Errors
/// A copy cannot be made, a lost connection, a signal. A statement that only fails on invented rows has an unknown time.
pub(crate) async fn measure(
    (stats, place): (&Stats, &Place),
    scratch: &Scratch<'_>,
    (after, traces): (&Database, &[Trace]),
    make: impl AsyncFn() -> Result<Database, Error>,
    run: impl AsyncFn(&Database, &mut Vec<Trace>) -> Result<(), Error>,
) -> Result<Forecast, Error> {
    let calibration = place.compare(after).await?;
    let tables = with_rows(after, traces, stats).await?;
    let touched = touched(traces, &tables, stats);
    let takes = taken(scratch, &make, after, &touched).await?;
    let mut wanted = touched.clone();
    wanted.extend(takes.keys().filter(|name| stats.table(name).is_some()).cloned());
    let largest = sizes(&wanted, stats);
    let careful = careful(after, &takes, stats, &largest).await?;
    let mut seen = Vec::new();
    for part in PARTS.into_iter().filter(|&part| part == 1 || largest.values().any(|&rows| rows > SMALL)) {
        if largest.is_empty() {
            break;
        }
        let sizes = largest.iter().map(|(name, rows)| (name.clone(), (rows / part).max(SMALL.min(*rows)))).collect();
        let database = make().await?;
        let outcome = one(&database, &takes, (stats, &careful), &sizes, &run).await;
        scratch.discard(database).await;
        seen.push(outcome?);
    }
    let target = Target { ratio: calibration.ratio, cache: calibration.cache };
    let steps = Known { stats, traces, tables: &tables, seen: &seen, target }.steps();
    let mut notes = vec![format!(
        "the forecast rests on statistics of `{}` as of {}; {}",
        stats.database, stats.taken_at, calibration.note
    )];
    if let Some(largest) = seen.last().filter(|seen| !seen.rows.is_empty()) {
        let filled: Vec<String> = largest
            .rows
            .iter()
            .map(|(name, rows)| format!("{name} ({})", thousands(i64::try_from(*rows).unwrap_or(i64::MAX))))
            .collect();
        notes.push(format!("run on copies with rows that were made up: {}", list(&filled)));
    }
    notes.extend(seen.iter().rev().find_map(|seen| seen.failed.clone()));
    Ok(Forecast { steps, notes })
}

/// What rows the tables take that are there before the plan, so that the plan goes through.
async fn taken(
    scratch: &Scratch<'_>,
    make: impl AsyncFn() -> Result<Database, Error>,
    after: &Database,
    touched: &BTreeSet<String>,
) -> Result<BTreeMap<String, Takes>, Error> {
    if touched.is_empty() {
        return Ok(BTreeMap::new());
    }
    let later = takes::read(after, touched).await?;
    let mut all = touched.clone();
    all.extend(later.keys().cloned());
    let before = make().await?;
    let takes = takes::read(&before, &all).await;
    scratch.discard(before).await;
    let with_later = |(name, takes): (String, Takes)| match later.get(&name) {
        Some(later) => (name, takes.and(later)),
        None => (name, takes),
    };
    Ok(takes?.into_iter().map(with_later).collect())
}

/// Fills one copy and runs the plan on it.
async fn one(
    database: &Database,
    takes: &BTreeMap<String, Takes>,
    known: (&Stats, &Careful),
    sizes: &BTreeMap<String, u64>,
    run: impl AsyncFn(&Database, &mut Vec<Trace>) -> Result<(), Error>,
) -> Result<Seen, Error> {
    let filled = fill(database, takes, known, sizes).await?;
    let mut seen = Seen { rows: filled.rows, refused: filled.refused, ..Seen::default() };
    if let Err(error) = run(database, &mut seen.traces).await {
        if database.context.migrator.stop().is_requested() {
            return Err(error);
        }
        // Made up rows may break what the real ones keep.
        seen.failed = Some(format!("a statement fails on rows that were made up: {}", error.kind().cause()));
    }
    Ok(seen)
}

/// The relations that have rows, before the plan or after it, as opposed to indexes, views and sequences.
async fn with_rows(after: &Database, traces: &[Trace], stats: &Stats) -> Result<BTreeSet<String>, Error> {
    let question = "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relkind AS kind FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace";
    let rows = query(after.locked.client(), "reading the relations of a scratch database", question).await?;
    let is_of = |row: &&tokio_postgres::SimpleQueryRow, with_rows: bool| {
        matches!(row.get("kind"), Some("r" | "p" | "m")) == with_rows
    };
    let of = |with_rows: bool| rows.iter().filter(move |row| is_of(row, with_rows)).filter_map(|row| row.get("name"));
    let mut others: BTreeSet<String> = of(false).map(str::to_owned).collect();
    for table in &stats.tables {
        let schema = table.name.split('.').next().unwrap_or_default();
        others.extend(table.indexes.iter().map(|index| format!("{schema}.{}", index.name)));
    }
    let mut tables: BTreeSet<String> = of(true).map(str::to_owned).collect();
    // One that the plan has dropped or renamed is in its traces only.
    let effects = traces.iter().flat_map(|trace| &trace.statements).flat_map(|statement| &statement.effects);
    tables.extend(effects.map(|effect| effect.relation.clone()).filter(|name| !others.contains(name)));
    Ok(tables)
}

/// The tables whose rows matter to the plan, as far as the statistics know them.
fn touched(traces: &[Trace], tables: &BTreeSet<String>, stats: &Stats) -> BTreeSet<String> {
    let statements = traces.iter().flat_map(|trace| &trace.statements);
    let effects = statements.flat_map(|statement| {
        statement.effects.iter().filter(move |effect| needs_rows(statement, effect)).map(|effect| &effect.relation)
    });
    effects.filter(|name| tables.contains(*name) && stats.table(name).is_some()).cloned().collect()
}

/// How many rows each table gets in the largest copy.
fn sizes(wanted: &BTreeSet<String>, stats: &Stats) -> BTreeMap<String, u64> {
    let filled = wanted
        .iter()
        .filter_map(|name| stats.table(name))
        .filter(|table| table.rows > 0 && matches!(table.kind, TableKind::Table | TableKind::Partition));
    let filled: Vec<_> = filled.collect();
    let most = MOST.min(MOST_TOGETHER / (filled.len() as u64).max(1)).max(SMALL);
    // Wide rows are as much work as many.
    let rows = |table: &migrator_engine::stats::Table| {
        let width = (table.width.unwrap_or(60) + 28).max(1) as u64;
        let most = most.min((1_000_000_000 / width).max(SMALL));
        (table.rows as u64).min(most)
    };
    filled.into_iter().map(|table| (table.name.clone(), rows(table))).collect()
}

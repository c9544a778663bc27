//! Nothing to do: the run that happens most often.

use anyhow::{Result, ensure};

use super::Bench;
use crate::figures::Figures;
use crate::run::{Taken, run};
use crate::series::{is_warm_up, order};
use crate::server::{Place, Server, Session};
use crate::tool::Tool;
use crate::workload::{Workload, tables, tiny};

/// With 1, 1,000 and 10,000 applied, and with a long history.
pub(crate) fn run_part(bench: &Bench, figures: &mut Figures) -> Result<()> {
    for workload in [tables(1), tables(1_000), tiny(10_000)] {
        of(bench, &workload, rounds(bench, 15), figures)?;
    }
    behind_events(bench, figures)
}

/// A round takes no time: three of them also where one would do.
fn rounds(bench: &Bench, full: usize) -> usize {
    bench.options.rounds(full).max(3)
}

fn of(bench: &Bench, workload: &Workload, rounds: usize, figures: &mut Figures) -> Result<()> {
    let folder = bench.embed(workload)?;
    let server = Server::start()?;
    let case = format!("no-op, {} applied", workload.title);
    let mut ready: Vec<(Tool, Place)> = Vec::new();
    for tool in bench.tools(&server, workload, &case, figures) {
        if !tool.kind.has_history() {
            continue;
        }
        let place = server.database()?;
        // Not measured yet, and a no-op commits nothing.
        server.session().run(&format!("ALTER DATABASE {} SET synchronous_commit = off", place.database))?;
        match bench.up(&tool, &folder, &place) {
            Ok(_) => ready.push((tool, place)),
            Err(error) => figures.leave_out(&case, tool.kind.name(), &format!("{error:#}")),
        }
    }
    // As in production, where the history has been there for a while.
    for (_, place) in &ready {
        Session::open(&place.url())?.run("VACUUM ANALYZE")?;
    }
    for round in 0..=rounds {
        for index in order(ready.len(), round) {
            let (tool, place) = &ready[index];
            let taken = bench.up(tool, &folder, place)?;
            add(figures, &case, tool.kind.name(), round, taken);
        }
    }
    Ok(())
}

fn add(figures: &mut Figures, case: &str, tool: &str, round: usize, taken: Taken) {
    if !is_warm_up(round) {
        figures.add(case, tool, "wall s", taken.wall);
        figures.add(case, tool, "peak memory MB", taken.megabytes());
    }
}

/// Each migration rolled back and applied again fifty times, as the event log would have it.
pub(crate) const EVENTS: &str = "DO $$
DECLARE columns text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
    WHERE attrelid = 'schema_migration_events'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'action');
    EXECUTE format('INSERT INTO schema_migration_events (action, %1$s)
        SELECT CASE n %% 2 WHEN 1 THEN ''down'' ELSE ''up'' END, %1$s
        FROM generate_series(1, 100) AS n, (SELECT * FROM schema_migration_events ORDER BY id) AS event', columns);
END $$";

/// The same database with the events of 1,000 migrations, and with 100,000 more.
fn behind_events(bench: &Bench, figures: &mut Figures) -> Result<()> {
    let workload = tables(1_000);
    let folder = bench.embed(&workload)?;
    let server = Server::start()?;
    let tool = bench.us(&workload);
    let mut places = Vec::new();
    for case in ["no-op behind 1,000 events", "no-op behind 100,000 events"] {
        let place = server.database()?;
        bench.up(&tool, &folder, &place)?;
        let session = Session::open(&place.url())?;
        if case.contains("100,000") {
            session.run(EVENTS)?;
            let count: u64 = session.value("SELECT count(*) FROM schema_migration_events")?.parse()?;
            ensure!(count > 100_000, "only {count} events");
        }
        session.run("VACUUM ANALYZE")?;
        places.push((case, place));
    }
    for round in 0..=rounds(bench, 11) {
        for index in order(places.len(), round) {
            let (case, place) = &places[index];
            let taken = run(&bench.floor, &tool.up(&folder, place, None))?;
            add(figures, case, tool.kind.name(), round, taken);
        }
    }
    Ok(())
}

//! What the proof costs on a busy server: another session holds 2,000 locks.

use anyhow::Result;

use super::Bench;
use crate::figures::Figures;
use crate::series::{is_warm_up, order};
use crate::server::{Server, Session};
use crate::tool::{Kind, Tool};
use crate::workload::tiny;

/// Held by a session that does nothing else meanwhile.
pub(crate) const LOCKS: &str = "BEGIN; SELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, 2000) AS n";

pub(crate) fn run(bench: &Bench, figures: &mut Figures) -> Result<()> {
    let workload = tiny(10_000);
    let folder = bench.embed(&workload)?;
    let server = Server::start()?;
    let floor = Tool { kind: Kind::FloorExtended, program: bench.floor.clone() };
    let tools = [bench.us(&workload), floor];
    let holder = Session::open(&server.database()?.url())?;
    for round in 0..=bench.options.rounds(4) {
        // Which of the two comes first changes with the rounds.
        for half in order(2, round) {
            let case = ["no other locks", "2,000 locks of another session"][half];
            if half == 1 {
                holder.run(LOCKS)?;
            }
            for index in order(tools.len(), round) {
                let (tool, place) = (&tools[index], server.database()?);
                let before = server.processor_time()?;
                let taken = bench.up(tool, &folder, &place)?;
                let server_time = server.processor_time()? - before;
                if !is_warm_up(round) {
                    let per_migration = server_time * 1e6 / workload.migrations.len() as f64;
                    figures.add(case, tool.kind.name(), "server CPU us per migration", per_migration);
                    figures.add(case, tool.kind.name(), "wall s", taken.wall);
                }
            }
            if half == 1 {
                holder.run("ROLLBACK")?;
            }
        }
    }
    Ok(())
}

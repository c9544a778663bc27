//! Many migrations from zero: what they take.

use anyhow::Result;

use super::Bench;
use crate::figures::Figures;
use crate::run::Taken;
use crate::series::{is_warm_up, order};
use crate::server::Server;
use crate::tool::Kind;
use crate::workload::{Workload, tables, tiny};

/// 1,000 tables with an index, and 10,000 that do next to nothing.
pub(crate) fn run(bench: &Bench, figures: &mut Figures) -> Result<()> {
    // Each has a server whose memory is its own, and which stays: while the file system still works on the files of one that has gone, a
    // table takes twice as long.
    let mut servers = Vec::new();
    for workload in [tables(1_000), tiny(10_000)] {
        let server = Server::start()?;
        of_those(bench, &server, &workload, bench.options.rounds(5), |_| true, figures)?;
        // The ratio that is promised is smaller than the noise of a few runs. A series of its own: only what took turns is compared.
        let is_of_ratio = |kind| [Kind::Ours, Kind::FloorExtended].contains(&kind);
        of_those(bench, &server, &workload.alone(), bench.options.rounds(25), is_of_ratio, figures)?;
        servers.push(server);
    }
    Ok(())
}

/// The tools of some kinds over one workload, each time in a new database.
pub(crate) fn of_those(
    bench: &Bench,
    server: &Server,
    workload: &Workload,
    rounds: usize,
    runs: impl Fn(Kind) -> bool,
    figures: &mut Figures,
) -> Result<()> {
    let folder = bench.embed(workload)?;
    let case = &workload.title;
    let mut tools = bench.tools(server, workload, case, figures);
    tools.retain(|tool| runs(tool.kind));
    for round in 0..=rounds {
        let mut done = Vec::new();
        for index in order(tools.len(), round) {
            let (tool, place) = (&tools[index], server.database()?);
            let before = server.processor_time()?;
            let taken = match bench.up(tool, &folder, &place) {
                Ok(taken) => taken,
                Err(error) => {
                    figures.leave_out(case, tool.kind.name(), &format!("{error:#}"));
                    done.push(tool.kind);
                    continue;
                }
            };
            let after = server.processor_time()?;
            if !is_warm_up(round) {
                add(figures, workload, tool.kind, taken, after - before);
                done.extend((taken.wall > LONG).then_some(tool.kind));
            }
        }
        tools.retain(|tool| !done.contains(&tool.kind));
    }
    Ok(())
}

/// What takes longer, in seconds, is measured once, after its warm-up: many flushes on a slow disk.
const LONG: f64 = 20.0;

fn add(figures: &mut Figures, workload: &Workload, kind: Kind, taken: Taken, server: f64) {
    let mut add = |metric: &str, value| figures.add(&workload.title, kind.name(), metric, value);
    add("wall s", taken.wall);
    add("client CPU s", taken.processor());
    add("server CPU s", server);
    if workload.migrations.len() > 1 {
        add("server CPU us per migration", server * 1e6 / workload.migrations.len() as f64);
    }
    add("peak memory MB", taken.megabytes());
}

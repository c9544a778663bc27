//! How often a tool waits for an answer, what it sends, and how often it makes the server wait for the disk: counts, exact at any load.

use std::time::Duration;

use anyhow::Result;

use super::Bench;
use crate::figures::Figures;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::workload::{Workload, tables, tiny};

/// `up` of 1, 100, 1,000 and 10,000 migrations, and once more with nothing to do.
pub(crate) fn run(bench: &Bench, figures: &mut Figures) -> Result<()> {
    for workload in [tables(1), tables(100), tables(1_000)] {
        of(bench, &workload, figures)?;
    }
    // The peers flush their log for each of them.
    if bench.options.quick { Ok(()) } else { of(bench, &tiny(10_000), figures) }
}

/// Every tool once over one workload.
pub(crate) fn of(bench: &Bench, workload: &Workload, figures: &mut Figures) -> Result<()> {
    let folder = bench.embed(workload)?;
    let server = Server::start()?;
    for tool in bench.tools(&server, workload, &workload.title, figures) {
        let place = server.database()?;
        for case in [format!("up, {}", workload.title), format!("no-op, {}", workload.title)] {
            let is_again = case.starts_with("no-op");
            if is_again && !tool.kind.has_history() {
                continue;
            }
            let proxy = Proxy::before(&place, Duration::ZERO)?;
            let before = server.flushes();
            if let Err(error) = bench.up(&tool, &folder, proxy.place()) {
                figures.leave_out(&case, tool.kind.name(), &format!("{error:#}"));
                break;
            }
            // The sessions have ended: what they flush is flushed.
            server.processor_time()?;
            let (counted, name) = (proxy.counted(), tool.kind.name());
            figures.add(&case, name, "round trips", counted.round_trips as f64);
            figures.add(&case, name, "connections", counted.connections as f64);
            figures.add(&case, name, "bytes to the server", counted.bytes_to_server as f64);
            figures.add(&case, name, "bytes to the client", counted.bytes_to_client as f64);
            match (before, server.flushes()) {
                (Ok(before), Ok(after)) => figures.add(&case, name, "flushes", after - before),
                (Err(error), _) | (_, Err(error)) => figures.leave_out(&case, "flushes", &format!("{error:#}")),
            }
        }
    }
    Ok(())
}

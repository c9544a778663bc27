//! `cargo xtask bench`: how fast the migrator is beside its peers and beside the least that a client can do.
//!
//! A run is divided into parts; each leaves its figures in target/bench/figures, and the page is written from all that are there. So a
//! part can be measured again by itself. No test asserts a time: without the environment of the task only the machinery is tested.

#![expect(clippy::print_stderr, reason = "the task passes on what is said on the way")]

mod acceptance;
mod chart;
mod figures;
mod layout;
mod machine;
mod options;
mod page;
mod part;
mod peers;
mod proxy;
mod run;
mod series;
mod server;
mod smoke;
mod stats;
mod tool;
mod wire;
mod workload;
mod workspace;

use std::time::Instant;

use anyhow::{Context as _, Result};

use figures::Figures;
use options::Options;

#[test]
fn figures() {
    let Some(options) = Options::from_environment() else {
        eprintln!("not measured: `cargo xtask bench` does");
        return;
    };
    if let Err(error) = measure(&options) {
        panic!("{error:#}");
    }
}

/// Runs the parts that were asked for, each to its end, and writes the page.
fn measure(options: &Options) -> Result<()> {
    for name in &options.only {
        let names: Vec<&str> = part::ALL.iter().map(|part| part.name).collect();
        anyhow::ensure!(names.contains(&name.as_str()), "unknown part `{name}`: there are {}", names.join(", "));
    }
    let bench = part::Bench::prepare(options)?;
    let mut failed = Vec::new();
    for part in part::ALL.iter().filter(|part| options.includes(part)) {
        let begun = Instant::now();
        eprintln!("=== {}", part.name);
        let mut figures = Figures::begin(part.name, options);
        figures.stamp.versions.clone_from(&bench.versions);
        match (part.run)(&bench, &mut figures) {
            Ok(()) => figures.save()?,
            Err(error) => {
                eprintln!("error: {}: {error:#}", part.name);
                failed.push(part.name);
                // What was measured until then is worth keeping.
                if !figures.figures.is_empty() {
                    figures.leave_out("the rest", "all", &format!("{error:#}"));
                    figures.save()?;
                }
            }
        }
        eprintln!("=== {} took {:.0} s", part.name, begun.elapsed().as_secs_f64());
    }
    let parts = Figures::load_all()?;
    let written = page::write(&parts).context("failed to write the page")?;
    eprintln!("wrote {}", written.display());
    anyhow::ensure!(failed.is_empty(), "these parts failed, and were not measured to their end: {failed:?}");
    Ok(())
}

//! `cargo xtask bench`.

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, Target};

use crate::workspace::{Workspace, cargo};

/// The test target that measures.
const TARGET: &str = "speed";

/// The test that measures; the others of the target are about the machinery.
const TEST: &str = "figures";

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Builds release migrators with the workloads, starts its own servers, and runs us, a bare client, psql and the peers that \
                  are installed in turn. Writes docs/evidence/speed.md from all parts that have ever been measured here; their figures are \
                  kept in target/bench. Nothing else should run meanwhile. Peers that are not installed are named on the page.\n\n\
                  Parts: many, noop, counts, delay, plain, histories, fence, library, builds, objects.\n\n\
                  Example: cargo xtask bench --peers\nExample: cargo xtask bench --quick --only many counts"
)]
pub struct Args {
    /// Run only the parts that take seconds, each once
    #[arg(long)]
    quick: bool,
    /// First install dbmate, sqlx-cli, refinery_cli and diesel_cli where they are missing, below target/bench
    #[arg(long)]
    peers: bool,
    /// Measure only these parts again
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
}

/// Builds the measurement, then runs it with everything that it prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    if !has_target(&workspace.metadata()?) {
        bail!(
            "no package of the workspace has a test target `{TARGET}`\nhelp: the benchmark is part of migrator's own workspace; \
             run it in a checkout of migrator"
        );
    }
    let test = |rest: &[&str]| {
        let mut test = cargo();
        // The whole workspace: what its tests have built is used as it is.
        test.args(["test", "--quiet", "--workspace", "--test", TARGET]).args(rest);
        test.current_dir(&workspace.root).stdin(Stdio::null());
        test.env("MIGRATOR_BENCH", if args.quick { "quick" } else { "full" });
        test.env("MIGRATOR_BENCH_ONLY", args.only.join(","));
        test.env("MIGRATOR_BENCH_PEERS", if args.peers { "1" } else { "0" });
        test.status().context("failed to run `cargo test`")
    };
    if !test(&["--no-run"])?.success() {
        bail!("the measurement does not compile");
    }
    if !test(&["--", "--nocapture", "--exact", TEST])?.success() {
        bail!(
            "the output above names the parts that failed\nhelp: to measure them again: cargo xtask bench --only NAME.."
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn has_target(metadata: &Metadata) -> bool {
    let is_target = |target: &Target| target.name == TARGET && target.is_test();
    metadata.workspace_packages().into_iter().any(|package| package.targets.iter().any(is_target))
}

//! `cargo xtask chaos`.

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::{Metadata, Target};

use crate::output;
use crate::workspace::{Workspace, cargo};

/// The test target that breaks things.
const TARGET: &str = "chaos";

/// The test that runs the points.
const SWEEP: &str = "no_fault_at_any_message_breaks_a_promise";

/// Arguments of `chaos`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Runs every fault at every message: all of the test target `chaos`, of which `cargo test` runs a part. It \
                        starts its own servers, and writes docs/evidence/faults.md, unless only some points are run. Exit code 1: a promise was \
                        broken, or another test of the target failed.\n\n\
                        Example: cargo xtask chaos --seed 7 --only 'down: reply lost'"
)]
pub struct Args {
    /// Choose the sampled points, and whether a fault strikes before or after a message
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Run only the points whose line in the table contains these words, and no other test
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
    /// How many points to run at a time [default: the number of processors]
    #[arg(long, value_name = "N")]
    jobs: Option<u16>,
}

/// Builds the tests, then runs them with everything that they print.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let Some(package) = package_with_target(&workspace.metadata()?) else {
        bail!(
            "no package of the workspace has a test target `{TARGET}`\nhelp: the sweep is part of migrator's own workspace; \
             run it in a checkout of migrator"
        );
    };
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let test = |rest: &[&str]| {
        let mut test = cargo();
        test.args(["test", "--quiet", "--package", &package, "--test", TARGET]).args(rest);
        test.current_dir(&workspace.root).stdin(Stdio::null());
        test.env("MIGRATOR_CHAOS", "full");
        test.env("MIGRATOR_CHAOS_SEED", args.seed.to_string()).env("MIGRATOR_CHAOS_JOBS", jobs.to_string());
        match &args.only {
            Some(words) => test.env("MIGRATOR_CHAOS_ONLY", words),
            // What a part of the points comes to is no evidence.
            None => test.env("MIGRATOR_CHAOS_PAGE", workspace.root.join("docs/evidence/faults.md")),
        };
        test.status().context("failed to run `cargo test`")
    };
    if !test(&["--no-run"])?.success() {
        bail!("the tests of the package `{package}` do not compile");
    }
    let all: &[&str] = &["--", "--nocapture"];
    let passed = test(if args.only.is_some() { &["--", "--nocapture", SWEEP] } else { all })?.success();
    if !passed {
        let only = args.only.as_ref().map(|words| format!(" --only '{words}'")).unwrap_or_default();
        output::note(format!(
            "the output above names what failed: a point with a broken promise, or a test beside the sweep; to run the same \
             points again: cargo xtask chaos --seed {}{only}",
            args.seed
        ));
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(output::FOUND) })
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The member of the workspace that has the target.
fn package_with_target(metadata: &Metadata) -> Option<String> {
    let is_target = |target: &Target| target.name == TARGET && target.is_test();
    let found = metadata.workspace_packages().into_iter().find(|package| package.targets.iter().any(is_target))?;
    Some(found.name.to_string())
}

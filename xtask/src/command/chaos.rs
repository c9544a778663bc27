//! `cargo xtask chaos`.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::output;
use crate::workspace::{Workspace, cargo};

/// The test target that breaks things.
const TARGET: &str = "chaos";

/// The test that runs the points.
const SWEEP: &str = "no_fault_at_any_message_breaks_a_promise";

/// Arguments of `chaos`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every fault at every message of a run: the whole of the test target `chaos`, of which `cargo test` runs a \
                        part. The servers are its own. Exit code 1: a promise was broken, or a test beside the sweep has failed.\n\n\
                        Example: cargo xtask chaos --seed 7 --only 'down: reply lost'"
)]
pub struct Args {
    /// Chooses the sampled points, and whether a blow falls before a message or behind it
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Run those points alone in whose line of the table these words are, and no test beside them
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
    /// How many points at a time [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<u16>,
}

/// Builds the tests, then runs them with everything that they print.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let Some(package) = package_with_target(&workspace.metadata()?) else {
        bail!(
            "no package of the workspace has a test target `{TARGET}`\nhelp: the sweep is a part of migrator's own \
             workspace; run it in a checkout of that"
        );
    };
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let test = |rest: &[&str]| {
        let mut test = Command::new(cargo());
        test.args(["test", "--quiet", "--package", &package, "--test", TARGET]).args(rest);
        test.current_dir(&workspace.root).stdin(Stdio::null());
        test.env("MIGRATOR_CHAOS", "full");
        test.env("MIGRATOR_CHAOS_SEED", args.seed.to_string()).env("MIGRATOR_CHAOS_JOBS", jobs.to_string());
        if let Some(words) = &args.only {
            test.env("MIGRATOR_CHAOS_ONLY", words);
        }
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
            "what failed is above: a point with a broken promise, or a test beside the sweep; the same points again: \
             cargo xtask chaos --seed {}{only}",
            args.seed
        ));
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(output::FOUND) })
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The member of the workspace that has the target.
fn package_with_target(metadata: &Value) -> Option<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let members = list(&metadata["workspace_members"]);
    let is_target = |target: &Value| target["name"] == TARGET && target["kind"][0] == "test";
    let matches =
        |package: &&Value| members.contains(&package["id"]) && list(&package["targets"]).iter().any(is_target);
    Some(list(&metadata["packages"]).iter().find(matches)?["name"].as_str()?.to_owned())
}

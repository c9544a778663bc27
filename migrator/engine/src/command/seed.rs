//! `seed`: run a compiled seed file in one transaction.

use std::time::Instant;

use crate::apply::{failure, retrying, run_script};
use crate::command::{Context, Wait};
use crate::error::{Error, Exit};
use crate::history::Direction;
use crate::output::{duration, result};

/// The arguments of `seed`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator seed test")]
pub(crate) struct Args {
    /// Which seed file.
    #[arg(default_value = "development", value_name = "NAME")]
    pub name: String,
    /// How long to wait for another migrator.
    #[command(flatten)]
    pub wait: Wait,
}

/// Locks and runs it.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    let Some(script) = context.embedded.seeds.iter().find(|script| script.name == args.name) else {
        let known: Vec<&str> = context.embedded.seeds.iter().map(|script| script.name).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Error::new(Exit::Usage, format!("there is no seed `{}` in this binary", args.name))
            .note(format!("seeds in this binary: {known}"))
            .help(format!("write `db/seeds/{}.sql` and build again", args.name)));
    };
    let session = context.open().await?;
    context.announce(&session);
    let (executor, history) = context.lock(session, args.wait.wait_lock).await?;
    let policy = context.policy(&history);
    if let Some(policy) = policy
        && policy.seeds.is_some_and(|allowed| !allowed.contains(&script.name))
    {
        return Err(Error::new(
            Exit::Refused,
            format!("the seed `{}` is forbidden in the environment `{}`", script.name, policy.name),
        )
        .help("the policy is `seeds` under that environment in db/migrator.toml"));
    }
    executor.prepare(&history).await?;
    executor.progress.begin(script.name, 1, 1);
    let begun = Instant::now();
    let outcome = retrying(&executor, script.name, || run_script(&executor, script, "seed")).await;
    executor.progress.end();
    if let Err(failed) = outcome {
        let error = failure::describe(&format!("seed {}", script.name), Direction::Up, &failed);
        return Err(if failed.lost {
            error
        } else {
            error.help("correct the file, build, and run `seed` again: nothing of it is in the database")
        });
    }
    executor.finish().await;
    result(&format!("seeded {} ({})", script.name, duration(begun.elapsed())));
    Ok(Exit::Done)
}

//! `seed`: run a compiled seed file in one transaction.

use std::time::Instant;

use crate::apply;
use crate::command::{Beside, Context, Wait};
use crate::error::{Error, Exit};
use crate::output::{self, duration, result};

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
        let known = output::list(&known);
        return Err(Error::new(Exit::Usage, format!("there is no seed `{}` in this binary", args.name))
            .note(format!("seeds in this binary: {known}"))
            .help(format!("write `db/seeds/{}.sql` and build again", args.name)));
    };
    let session = context.open_within(args.wait.wait_lock).await?;
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
    executor.prepare(&history, Beside::Refused).await?;
    let begun = Instant::now();
    apply::seed(&executor, script).await?;
    executor.finish().await;
    result(&format!("seeded {} ({})", script.name, duration(begun.elapsed())));
    Ok(Exit::Done)
}

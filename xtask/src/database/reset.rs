//! `reset`: drop, create, load the dump if asked, up, and, if asked, seed.

use std::path::Path;

use crate::database::guard::{self, Guard};
use crate::developer::Context;
use crate::maintenance;
use load::Dump;
use migrator_engine::operation::{SeedOptions, UpOptions};
use migrator_engine::output::result;
use migrator_engine::{Error, Exit};

mod load;

/// The arguments of `reset`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With --from-dump, db/schema.sql is loaded, then newer migrations and the repeatables are applied. The dump \
                        contains neither the rows that migrations write, nor roles, which belong to the server, nor checksums: \
                        the migrations in the dump are recorded as applied, and their files are not compared again.\n\n\
                        Example: cargo xtask migrate reset --seed development --yes\n\
                        Example: cargo xtask migrate reset --from-dump --yes"
)]
pub struct Args {
    /// Run this seed afterwards
    #[arg(long, value_name = "NAME")]
    pub seed: Option<String>,
    /// Load db/schema.sql, then apply newer migrations and the repeatables
    #[arg(long)]
    pub from_dump: bool,
    /// What must be said before anything is destroyed.
    #[command(flatten)]
    pub guard: Guard,
}

/// Drops, creates, loads, applies, seeds.
pub async fn run(context: &Context, args: &Args, schema: &Path) -> Result<Exit, Error> {
    if let Some(name) = &args.seed
        && !context.migrator.embedded().seeds.iter().any(|script| script.name == *name)
    {
        return Err(Error::usage(format!("unknown seed `{name}`"))
            .help("nothing was dropped; `cargo xtask migrate list` shows the seeds"));
    }
    let dump = args.from_dump.then(|| Dump::read(schema, context.migrator.embedded())).transpose()?;
    let target = context.target.clone();
    let connection = maintenance::connect(context, &target).await?;
    guard::permit(context, &connection, &target, &args.guard, "reset").await?;
    maintenance::drop(&connection, &target).await?;
    maintenance::create(&connection, &target).await?;
    result(&format!("dropped and created database `{}`", target.database()));
    if let Some(dump) = dump {
        result(&format!("loaded {}", dump.load(context, &target).await?));
    }
    let report = context.connect().await?.up(&UpOptions::default().refuse_empty(true)).await?;
    result(&report.sentence());
    if let Some(name) = &args.seed {
        let report = context.connect().await?.seed(name, &SeedOptions::default()).await?;
        result(&report.sentence());
    }
    Ok(Exit::Done)
}

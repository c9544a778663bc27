//! `reset`: drop, create, load the dump if asked, up, and, if asked, seed. Development builds only.

use std::path::PathBuf;

use crate::command::development::{self, Guard};
use crate::command::{Context, seed, up};
use crate::error::{Error, Exit};
use crate::operation::seed::SeedOptions;
use crate::operation::up::UpOptions;
use crate::output::result;
use dump::Dump;

mod dump;

/// The arguments of `reset`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With --from-dump the schema is loaded as db/schema.sql has it, and only what is behind that is applied. Rows that \
                        migrations write are not in the dump, and the new database is without them; neither are roles, which \
                        belong to the server, nor checksums: what was loaded is taken as applied, and not looked at again.\n\n\
                        Example: cargo xtask migrate reset --seed development --yes\n\
                        Example: cargo xtask migrate reset --from-dump --yes"
)]
pub(crate) struct Args {
    /// Run this seed afterwards.
    #[arg(long, value_name = "NAME")]
    pub seed: Option<String>,
    /// Load db/schema.sql, then apply what it does not hold: newer migrations and repeatables.
    #[arg(long)]
    pub from_dump: bool,
    /// Where that file is: a directory is read for nobody but the developer, whose tasks know it.
    #[arg(long, hide = true, value_name = "FILE", env = "MIGRATOR_WORKSPACE_SCHEMA", hide_env = true)]
    pub schema: Option<PathBuf>,
    /// The bytes at which its statements start: they place an error that the server gives no position for.
    #[arg(
        long,
        hide = true,
        value_name = "BYTES",
        value_delimiter = ',',
        env = "MIGRATOR_WORKSPACE_SCHEMA_STATEMENTS",
        hide_env = true
    )]
    pub schema_statements: Vec<usize>,
    /// What must be said before anything is destroyed.
    #[command(flatten)]
    pub guard: Guard,
}

impl Args {
    /// The dump, if it is wanted.
    fn dump(&self, context: &Context) -> Result<Option<Dump>, Error> {
        match (self.from_dump, &self.schema) {
            (false, _) => Ok(None),
            (true, Some(path)) => Dump::read(path, &self.schema_statements, context.migrator.embedded).map(Some),
            (true, None) => Err(Error::usage("cannot reset from the dump: nobody has said where it is")
                .note("nothing was dropped")
                .help("`cargo xtask migrate reset --from-dump` knows")),
        }
    }
}

/// Drops, creates, loads, applies, seeds.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Error> {
    if let Some(name) = &args.seed
        && !context.migrator.embedded.seeds.iter().any(|script| script.name == *name)
    {
        return Err(Error::usage(format!("there is no seed `{name}` in this binary"))
            .help("nothing was dropped; `migrator list` shows the seeds"));
    }
    let dump = args.dump(context)?;
    let target = context.target()?;
    let connection = development::maintenance(context, &target).await?;
    development::permit(context, &connection, &target, &args.guard, "reset").await?;
    development::drop(&connection, &target).await?;
    development::create(&connection, &target).await?;
    result(&format!("dropped and created database `{}`", target.database()));
    if let Some(dump) = dump {
        result(&format!("loaded {}", dump.load(context, &target).await?));
    }
    let report = context.connect().await?.up(&UpOptions::default().refuse_empty(true)).await?;
    result(&up::summary(&report));
    if let Some(name) = &args.seed {
        let report = context.connect().await?.seed(name, &SeedOptions::default()).await?;
        result(&seed::summary(&report));
    }
    Ok(Exit::Done)
}

//! `new --from-schema` and `--from-database`: the migration that makes a schema, proved on a throwaway server before it is written.

mod place;
mod rename;
mod wanted;

use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_engine::client::failed;
use migrator_engine::facts::{diff, report};
use migrator_engine::operation::UpOptions;
use migrator_engine::{ConnectionTarget, Embedded, Error, Terminal};
use migrator_postgres::TemporaryServer;

use super::diff::{Catalog, Draft, Proof, Reached, Set};
use crate::developer::{self, Context};
use crate::maintenance;
use crate::migrator;
use crate::output::{self, Usage};
use crate::workspace::Workspace;
pub(crate) use place::Partial;
use rename::Rename;
use wanted::Wanted;

/// What the migration is made of.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Write what makes this schema of the one that the migrations make: db/schema.sql as you have edited it, another file, or a
    /// directory of files
    #[arg(long, value_name = "PATH", num_args = 0..=1, conflicts_with = "template")]
    from_schema: Option<Option<PathBuf>>,
    /// The same with the schema of a database, by default your own
    #[arg(long, value_name = "URL", num_args = 0..=1, conflicts_with_all = ["template", "from_schema"])]
    from_database: Option<Option<String>>,
    /// With --from-schema or --from-database: also drop tables, columns and labels of enums, with what they hold
    #[arg(long)]
    allow_drop: bool,
    /// With --from-schema or --from-database: what has another name, `core.users.name=full_name` or `core.users=people`
    #[arg(long, value_name = "OLD=NEW")]
    renamed: Vec<String>,
    /// With --from-schema or --from-database: one file, with locks that are held as long as the work takes
    #[arg(long)]
    offline: bool,
}

/// What has come of it.
pub(crate) enum Outcome {
    /// Name and text of each file.
    Files(Vec<(String, String)>),
    /// The schemas are the same.
    Nothing,
    /// What remains has been said; the files as far as they go.
    Refused(Option<Partial>),
}

impl Args {
    /// Whether there is a schema to start from.
    ///
    /// # Errors
    /// Options that only make sense with one.
    pub(crate) fn is_asked(&self) -> Result<bool> {
        let is_asked = self.from_schema.is_some() || self.from_database.is_some();
        if !is_asked && (self.allow_drop || self.offline || !self.renamed.is_empty()) {
            let message = "`--allow-drop`, `--renamed` and `--offline` belong to `--from-schema` or `--from-database`";
            bail!(Usage(message.to_owned()));
        }
        Ok(is_asked)
    }
}

/// Finds the files and proves them. `next`: the version of the next new file; `name` and `purpose` are those of the migration.
///
/// # Errors
/// A schema that cannot be made on a throwaway server, and why; a server that does not start.
pub(crate) fn make(
    workspace: &Workspace,
    args: &Args,
    (name, purpose): (&str, &str),
    next: impl FnMut() -> Result<String>,
) -> Result<Outcome> {
    let renames = args.renamed.iter().map(|text| Rename::parse(text)).collect::<Result<Vec<_>>>()?;
    let embedded = migrator::load(workspace)?;
    let wanted = match &args.from_database {
        Some(url) => Wanted::database(workspace, url.as_deref().unwrap_or_default())?,
        None => Wanted::files(workspace, args.from_schema.as_ref().and_then(|path| path.as_deref()), embedded)?,
    };
    let server = TemporaryServer::start().context("failed to start the server to prove the migration on")?;
    let room = Room { server: &server, embedded };
    let is = room.migrated()?;
    let renamed = if renames.is_empty() { None } else { Some(room.renamed(&renames)?) };
    let target = room.wanted(wanted)?;
    let mut draft = Draft::between(renamed.as_ref().unwrap_or(&is), &target, !args.offline);
    draft.rename(&renames.iter().map(|rename| (rename.up(), rename.down())).collect::<Vec<_>>());
    if draft.files.is_empty() {
        return Ok(unwritten(&is, &target));
    }
    if !draft.losses.is_empty() && !args.allow_drop {
        output::note(refusal(&draft, args));
        return Ok(Outcome::Refused(None));
    }
    room.proved(&draft, (name, purpose), next, (&is, &target))
}

/// No statement is known that would do anything, which is not to say that there is nothing to do.
fn unwritten(from: &Catalog, to: &Catalog) -> Outcome {
    if from.facts().without_order() == to.facts().without_order() {
        return Outcome::Nothing;
    }
    let remains = report(&diff(from.facts(), to.facts()));
    output::note(format!("error: nothing is known that makes this schema; nothing was written:\n{remains}"));
    Outcome::Refused(None)
}

/// Why nothing was written that drops what holds data.
fn refusal(draft: &Draft, args: &Args) -> String {
    let lost = draft.losses.iter().map(|loss| format!("`{loss}`")).collect::<Vec<_>>().join(", ");
    let also =
        if args.renamed.is_empty() { "; what has only another name is said with `--renamed OLD=NEW`" } else { "" };
    format!(
        "error: the schema lacks what may hold data: {lost}; nothing was written\n\
         help: `--allow-drop` drops it, with its data{also}"
    )
}

/// The throwaway server, and the databases on it.
struct Room<'a> {
    server: &'a TemporaryServer,
    embedded: &'static Embedded,
}

/// As the migrations make it.
const MIGRATED: &str = "migrated";

impl Room<'_> {
    fn context(&self, embedded: &'static Embedded, database: &str) -> Result<Context, Error> {
        let context = Context::on_throwaway(self.server, embedded, Terminal::silent())?;
        let target = context.target.with_database(database);
        Ok(context.at(target))
    }

    /// What the migrations and repeatables make.
    fn migrated(&self) -> Result<Catalog> {
        let context = self.context(self.embedded, MIGRATED)?;
        let up = developer::block_on(async {
            maintenance::create_missing(&context).await?;
            context.connect().await?.up(&UpOptions::default()).await.map(|_| ())
        })?;
        up.map_err(|error| anyhow!("the migrations fail on the throwaway server:\n{}", error.render(false)))?;
        self.read(&context)
    }

    /// The same with other names.
    fn renamed(&self, renames: &[Rename]) -> Result<Catalog> {
        let context = self.copy("renamed")?;
        developer::block_on(async {
            let connection = context.migrator.open(&context.target).await?;
            for rename in renames {
                let done = connection.client().batch_execute(&rename.up()).await;
                done.map_err(|error| failed("renaming what has another name", error))?;
            }
            Ok::<_, Error>(())
        })??;
        self.read(&context)
    }

    /// A copy of what the migrations make.
    fn copy(&self, name: &str) -> Result<Context> {
        let context = self.context(self.embedded, name)?;
        developer::block_on(async {
            let connection = maintenance::connect(&context, &context.target).await?;
            let version = connection.major() * 10_000;
            maintenance::copy(&connection, &context.target.with_database(MIGRATED), &context.target, version).await
        })??;
        Ok(context)
    }

    fn wanted(&self, wanted: Wanted) -> Result<Catalog> {
        let context = self.context(self.embedded, "wanted")?;
        match wanted {
            Wanted::Text(text) => {
                developer::block_on(async {
                    maintenance::create_missing(&context).await?;
                    text.load(&context).await
                })??;
                self.read(&context)
            }
            Wanted::Database(target) => self.read(&self.elsewhere(*target)?),
        }
    }

    /// A database of another server, which must be of this one's release.
    fn elsewhere(&self, target: ConnectionTarget) -> Result<Context> {
        let (here, there) =
            (self.context(self.embedded, MIGRATED)?, Context::new(self.embedded, Terminal::silent(), target, None));
        let majors = developer::block_on(async {
            let here = here.migrator.open(&here.target).await?.major();
            Ok::<_, Error>((here, there.migrator.open(&there.target).await?.major()))
        })??;
        if majors.0 != majors.1 {
            bail!(
                "`{}` is PostgreSQL {}, and the throwaway server PostgreSQL {}: their schemas cannot be compared\n\
                 help: set PG_BIN to the programs of PostgreSQL {}",
                there.target,
                majors.1,
                majors.0,
                majors.1
            );
        }
        Ok(there)
    }

    fn read(&self, context: &Context) -> Result<Catalog> {
        let programs = self.server.program_directory();
        crate::prove::dump::refuse_without_pg_dump(programs)?;
        developer::block_on(async {
            let connection = context.migrator.open(&context.target).await?;
            Catalog::read(&connection, &context.target, &context.migrator.tables(), programs).await
        })?
    }

    /// The files, if they lead where they should, and back.
    fn proved(
        &self,
        draft: &Draft,
        (name, purpose): (&str, &str),
        mut next: impl FnMut() -> Result<String>,
        (from, to): (&Catalog, &Catalog),
    ) -> Result<Outcome> {
        let names = draft.files.iter().map(|_| Ok((next()?, name.to_owned()))).collect::<Result<Vec<_>>>()?;
        let set = Set::new(self.embedded, &names, &draft.files, purpose)?;
        self.copy("proved")?;
        let context = self.context(set.embedded, "proved")?;
        let proof = developer::block_on(set.prove(&context, from.facts(), to.facts()))??;
        let (up, down) = (said("up", &proof.up), said("the rollback", &proof.down));
        if up.is_some() || down.is_some() {
            up.into_iter().chain(down).for_each(output::note);
            return Ok(Outcome::Refused(Some(Partial { files: set.files })));
        }
        tell_of_order(&proof);
        for column in &draft.required {
            output::note(format!(
                "note: `{column}` is required and has no default: `up` fails where the table has rows"
            ));
        }
        Ok(Outcome::Files(set.files))
    }
}

/// Why a way does not lead where it should; `None`: it does.
fn said(way: &str, reached: &Reached) -> Option<String> {
    match reached {
        Reached::Same(_) | Reached::Untried => None,
        Reached::Other(differences) => Some(format!("error: {way} leads to another schema:\n{}", report(differences))),
        Reached::Failed(error) => Some(format!("error: {way} fails on the throwaway server:\n{error}")),
    }
}

fn tell_of_order(proof: &Proof) {
    for (reached, text) in [
        (&proof.up, "the columns come in another order than in the schema"),
        (&proof.down, "after a rollback the columns have another order than before"),
    ] {
        if matches!(reached, Reached::Same(false)) {
            output::note(format!("note: {text}: a column can only be added at the end"));
        }
    }
}

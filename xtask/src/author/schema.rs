//! `new --from-schema` and `--from-database`: the migration that makes a schema, proved on a throwaway server before it is written.

mod ask;
mod mark;
mod place;
mod rename;
mod text;
mod traced;
mod wanted;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use migrator_engine::client::failed;
use migrator_engine::facts::{Difference, diff, report};
use migrator_engine::operation::UpOptions;
use migrator_engine::{ConnectionTarget, Embedded, Error, Terminal};
use migrator_postgres::TemporaryServer;

use super::diff::{Alike, Catalog, Draft, Proof, Reached, Set, alike, hint, twins};
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
    /// With --from-schema or --from-database: what has another name, `core.users.name=full_name` or `core.users=people`; also a label of
    /// an enum, `core.state.open=ready`
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
    let mut renames = args.renamed.iter().map(|text| Rename::parse(text)).collect::<Result<Vec<_>>>()?;
    let embedded = migrator::load(workspace)?;
    let wanted = match &args.from_database {
        Some(url) => Wanted::database(workspace, url.as_deref().unwrap_or_default())?,
        None => Wanted::files(workspace, args.from_schema.as_ref().and_then(|path| path.as_deref()), embedded)?,
    };
    if let Wanted::Text(text) = &wanted {
        renames.extend(text.renames.iter().cloned());
    }
    // A schema is made in one transaction, and each of its objects has a lock there.
    let server = TemporaryServer::builder().setting("max_locks_per_transaction", "1024").start();
    let server = server.context("failed to start the server to prove the migration on")?;
    let room = Room { server: &server, embedded };
    let (is, target) = room.both(wanted)?;
    let (from, statements, open) = room.named(&is, &target, renames)?;
    let (mut draft, labelled) = room.draft(from.as_ref().unwrap_or(&is), &target, !args.offline, &statements)?;
    if !labelled {
        draft.rename(&statements);
    }
    if draft.files.is_empty() {
        return Ok(unwritten(&is, &target));
    }
    if !draft.losses.is_empty() && !args.allow_drop {
        output::note(refusal(&draft, &open));
        return Ok(Outcome::Refused(None));
    }
    for option in ask::options(&open, &draft.losses) {
        output::note(format!("note: what is dropped may only have another name; {option} keeps what it holds"));
    }
    room.proved(&draft, (name, purpose), next, (&is, &target))
}

/// No statement is known that would do anything, which is not to say that there is nothing to do.
fn unwritten(from: &Catalog, to: &Catalog) -> Outcome {
    if from.facts().without_order() == to.facts().without_order() {
        return Outcome::Nothing;
    }
    let remains = report(&diff(from.facts(), to.facts()));
    let hints = ways_out(&diff(to.facts(), from.facts()));
    output::note(format!("error: nothing is known that makes this schema; nothing was written:\n{remains}{hints}"));
    Outcome::Refused(None)
}

/// Why nothing was written that drops what holds data. `open`: what may only have another name.
fn refusal(draft: &Draft, open: &[Alike]) -> String {
    let lost = draft.losses.iter().map(|loss| format!("`{loss}`")).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "error: the schema lacks what may hold data: {lost}; nothing was written\n\
         help: `--allow-drop` drops it, with its data; what has only another name is said with `--renamed OLD=NEW`"
    );
    for option in ask::options(open, &draft.losses) {
        text.push_str(&format!("\nhelp: {option} keeps what it holds, if it only has another name"));
    }
    text
}

/// What is to be done by hand about what remains; `expected` is what is wanted.
fn ways_out(remains: &[Difference]) -> String {
    let mut hints: Vec<&str> = remains.iter().filter_map(hint).collect();
    hints.sort_unstable();
    hints.dedup();
    hints.iter().map(|hint| format!("\nhelp: {hint}")).collect()
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

    /// What the migrations and repeatables make, and what is wanted. The one is read while the other is made, with the roles of the
    /// migrations.
    fn both(&self, wanted: Wanted) -> Result<(Catalog, Catalog)> {
        let migrated = self.migrated()?;
        thread::scope(|scope| {
            let is = scope.spawn(|| self.read(&migrated));
            let target = self.wanted(wanted);
            let is = is.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok((is?, target?))
        })
    }

    /// The database in which the migrations and repeatables have been applied.
    fn migrated(&self) -> Result<Context> {
        let context = self.context(self.embedded, MIGRATED)?;
        let up = developer::block_on(async {
            maintenance::create_missing(&context).await?;
            context.connect().await?.up(&UpOptions::default()).await.map(|_| ())
        })?;
        up.map_err(|error| anyhow!("the migrations fail on the throwaway server:\n{}", error.render(false)))?;
        Ok(context)
    }

    /// What has another name: as it is said, and as it is answered. The schema with those names, if there are any; the statements; the
    /// pairs that may still be one and the same.
    #[expect(clippy::type_complexity, reason = "used once")]
    fn named(
        &self,
        is: &Catalog,
        wanted: &Catalog,
        mut renames: Vec<Rename>,
    ) -> Result<(Option<Catalog>, Vec<(String, String)>, Vec<Alike>)> {
        let mut statements = rename::statements(&renames, is, wanted)?;
        let mut named = self.changed("renamed", &statements)?;
        let open = alike(named.as_ref().unwrap_or(is), wanted);
        let answers = ask::ask(&open);
        if !answers.is_empty() {
            renames.extend(answers);
            statements = rename::statements(&renames, is, wanted)?;
            named = self.changed("renamed_as_answered", &statements)?;
        }
        let twins = twins(named.as_ref().unwrap_or(is), wanted);
        if !twins.is_empty() {
            statements.extend(twins);
            named = self.changed("renamed_with_parts", &statements)?;
        }
        let open = alike(named.as_ref().unwrap_or(is), wanted);
        Ok((named, statements, open))
    }

    /// A copy of what the migrations make, after these statements; `None`: there are none.
    fn changed(&self, name: &str, statements: &[(String, String)]) -> Result<Option<Catalog>> {
        if statements.is_empty() {
            return Ok(None);
        }
        let context = self.copy(name)?;
        developer::block_on(async {
            let connection = context.migrator.open(&context.target).await?;
            for (statement, _) in statements {
                let done = connection.client().batch_execute(statement).await;
                done.map_err(|error| failed("changing the schema that the migrations make", error))?;
            }
            Ok::<_, Error>(())
        })??;
        self.read(&context).map(Some)
    }

    /// The files. A label of an enum cannot be used before it is committed: where something uses a new one, it has a file of its own,
    /// and `true` says that the renames are in there.
    fn draft(&self, from: &Catalog, to: &Catalog, online: bool, renames: &[(String, String)]) -> Result<(Draft, bool)> {
        let draft = Draft::between(from, to, online);
        let labels = draft.used_labels();
        if labels.is_empty() {
            return Ok((draft, false));
        }
        let statements: Vec<(String, String)> =
            renames.iter().cloned().chain(labels.into_iter().map(|label| (label, String::new()))).collect();
        let Some(between) = self.changed("labelled", &statements)? else { return Ok((draft, false)) };
        let mut first = Draft::between(from, &between, online);
        first.rename(renames);
        Ok((first.then("labels", Draft::between(&between, to, online)), true))
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

    /// Whether the files lead where they should, and back; and what they lock. They are applied while their locks are looked at; where
    /// that fails, as `up` does it, whose error is the one to show.
    fn proof(&self, set: &Set, from: &Catalog, to: &Catalog) -> Result<(Proof, Vec<String>)> {
        let name = "proved";
        self.copy(name)?;
        let context = self.context(set.embedded, name)?;
        let lines = developer::block_on(traced::lines(&context, set.new_migrations()))?;
        let (from, to) = (from.facts(), to.facts());
        match lines {
            Ok(lines) => Ok((developer::block_on(set.prove_applied(&context, from, to))??, lines)),
            Err(error) => {
                let name = "proved_without_locks";
                self.copy(name)?;
                let context = self.context(set.embedded, name)?;
                let proof = developer::block_on(set.prove(&context, from, to))??;
                Ok((proof, vec![format!("note: the locks could not be seen: {}", error.render(false))]))
            }
        }
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
        let (proof, locks) = self.proof(&set, from, to)?;
        let (up, down) = (said("up", &proof.up), said("the rollback", &proof.down));
        if up.is_some() || down.is_some() {
            up.into_iter().chain(down).for_each(output::note);
            return Ok(Outcome::Refused(Some(Partial { files: set.files })));
        }
        tell_of_order(&proof);
        draft.notes.iter().for_each(|note| output::note(format!("note: {note}")));
        locks.iter().for_each(output::note);
        Ok(Outcome::Files(set.files))
    }
}

/// Why a way does not lead where it should; `None`: it does.
fn said(way: &str, reached: &Reached) -> Option<String> {
    match reached {
        Reached::Same(_) | Reached::Untried => None,
        Reached::Other(differences) => {
            Some(format!("error: {way} leads to another schema:\n{}{}", report(differences), ways_out(differences)))
        }
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

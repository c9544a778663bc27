//! Whether the files lead from one schema to the other, and back: they are run by the migrator.

use std::fs;

use anyhow::{Context as _, Result, anyhow};
use migrator_engine::embedded::Migration;
use migrator_engine::facts::{Difference, Facts, diff};
use migrator_engine::operation::{DownOptions, UpOptions};
use migrator_engine::{Embedded, Error};

use super::accept;
use super::write::File;
use crate::developer::Context;

/// Migrations with the new files after them.
pub struct Set {
    /// All of them.
    pub embedded: &'static Embedded,
    /// Name and text of each new file.
    pub files: Vec<(String, String)>,
    /// The newest version before them.
    before: i64,
}

/// Where a way has led.
#[derive(Debug, Clone)]
pub enum Reached {
    /// To the same facts; `false`: but for the order of columns.
    Same(bool),
    /// To another schema: `expected` is the one that was wanted.
    Other(Vec<Difference>),
    /// Nowhere; the server's words.
    Failed(String),
    /// It was not tried, since the way there has failed.
    Untried,
}

/// What came of both ways.
#[derive(Debug, Clone)]
pub struct Proof {
    /// From the old schema to the new one.
    pub up: Reached,
    /// And back.
    pub down: Reached,
}

impl Reached {
    /// The right schema.
    pub fn is_same(&self) -> bool {
        matches!(self, Reached::Same(_))
    }
}

impl Set {
    /// Writes the files and has them read as a build does, behind those of the set. `names`: version and name of each.
    ///
    /// # Errors
    /// A file that no build takes, which is a defect of ours.
    pub fn new(set: &Embedded, names: &[(String, String)], files: &[File], purpose: &str) -> Result<Set> {
        let mut files = files.to_vec();
        let mut all = with(set, written(names, &files, purpose)?);
        let before = set.migrations.last().map_or(0, |migration| migration.number);
        if accept::accept(&all, before, &mut files) {
            all = with(set, written(names, &files, purpose)?);
        }
        let texts = all.migrations.iter().filter(|migration| migration.number > before);
        let files = texts.map(|migration| (format!("{}.sql", migration.label()), migration.text.to_string())).collect();
        Ok(Set { embedded: Box::leak(Box::new(all)), files, before })
    }

    /// A set that has everything already; `before`: the newest version that is applied before it is proved.
    pub fn of(embedded: &'static Embedded, before: i64) -> Set {
        Set { embedded, files: Vec::new(), before }
    }

    /// The new files as migrations.
    pub(crate) fn new_migrations(&self) -> impl Iterator<Item = &'static Migration> + use<> {
        let (embedded, before) = (self.embedded, self.before);
        embedded.migrations.iter().filter(move |migration| migration.number > before)
    }

    /// Goes up and down again, on a database that is as the old schema is. `context` is of this set.
    ///
    /// # Errors
    /// A lost connection. What the server refuses is an answer.
    pub async fn prove(&self, context: &Context, from: &Facts, to: &Facts) -> Result<Proof, Error> {
        let up = up(context, to).await?;
        self.and_back(context, up, from).await
    }

    /// The same on a database in which the new files were applied just now. Where they are not too many statements for that, they go up
    /// once more after the rollback: it may have left something that is in their way.
    ///
    /// # Errors
    /// Those of [`Set::prove`].
    pub(crate) async fn prove_applied(&self, context: &Context, from: &Facts, to: &Facts) -> Result<Proof, Error> {
        let there = reached(context, to).await?;
        let mut proof = self.and_back(context, there, from).await?;
        let count: usize = self.new_migrations().map(|migration| migration.up.statements.len()).sum();
        if proof.up.is_same() && proof.down.is_same() && count <= REPEATED {
            proof.up = up(context, to).await?;
        }
        Ok(proof)
    }

    /// Goes down, unless there is nothing to go down from.
    async fn and_back(&self, context: &Context, up: Reached, from: &Facts) -> Result<Proof, Error> {
        if matches!(up, Reached::Failed(_)) {
            return Ok(Proof { up, down: Reached::Untried });
        }
        let down = context.connect().await?.down(&DownOptions::default().to(self.before), |_| Ok(())).await;
        let down = match down {
            Ok(_) => reached(context, from).await?,
            Err(error) => Reached::Failed(error.render(false)),
        };
        Ok(Proof { up, down })
    }
}

/// So many statements are applied a second time.
const REPEATED: usize = 1_000;

/// Applies the new files and compares.
async fn up(context: &Context, to: &Facts) -> Result<Reached, Error> {
    Ok(match context.connect().await?.up(&UpOptions::default()).await {
        Ok(_) => reached(context, to).await?,
        Err(error) => Reached::Failed(error.render(false)),
    })
}

/// The new files as a build reads them.
fn written(names: &[(String, String)], files: &[File], purpose: &str) -> Result<Embedded> {
    let scratch = tempfile::tempdir().context("failed to create a temporary directory")?;
    let migrations = scratch.path().join("migrations");
    fs::create_dir_all(&migrations).context("failed to write into a temporary directory")?;
    let mut unchecked = false;
    loop {
        for ((version, name), file) in names.iter().zip(files) {
            let more = if file.does.is_empty() { String::new() } else { format!("_{}", file.does) };
            let path = migrations.join(format!("{version}_{name}{more}.sql"));
            fs::write(path, file.text(purpose, unchecked)).context("failed to write into a temporary directory")?;
        }
        match migrator_build::load(scratch.path()) {
            Ok(loaded) => return Ok(loaded.set),
            Err(problems) if !unchecked && problems.0.iter().all(|problem| problem.code.as_str() == "M020") => {
                unchecked = true
            }
            Err(problems) => return Err(anyhow!("a build would refuse the new files\n{problems}")),
        }
    }
}

/// The set with the new files after its own.
fn with(set: &Embedded, new: Embedded) -> Embedded {
    let mut all = set.clone();
    // No other session is there: a lock that is not free will not be.
    all.settings.retry_for_ms = 1_000;
    all.migrations.to_mut().extend(new.migrations.iter().cloned());
    all
}

/// Compares what is there with what should be.
async fn reached(context: &Context, wanted: &Facts) -> Result<Reached, Error> {
    let connection = context.migrator.open(&context.target).await?;
    let mut found = connection.facts(&context.migrator.tables()).await?;
    found.ignore(&[], false);
    Ok(if found == *wanted {
        Reached::Same(true)
    } else if found.without_order() == wanted.without_order() {
        Reached::Same(false)
    } else {
        Reached::Other(diff(wanted, &found))
    })
}

//! The road of the next release: production is where the base branch is, with its repeatables in place; the new migrations and
//! repeatables go up on it, the new migrations are rolled back, with all repeatables in place, and go up again. What is there then must be
//! what is there from zero.
//!
//! Each of the two runs is planned as `up` and `down` plan them, so that repeatables are applied when production would.

use super::answer::{Answer, Verdict, error_lines};
use super::before::Base;
use crate::prove::scratch::{Database, Scratch};
use migrator_engine::Error;
use migrator_engine::embedded::{Migration, Script};
use migrator_engine::facts::Facts;
use migrator_engine::plan::{self, Plan, Step, Target};
use migrator_engine::words::count;

/// What is to be said so far.
struct Road<'a> {
    base: &'a Base,
    database: Database,
    /// The migrations that the base branch does not have.
    new: Vec<&'static Migration>,
    /// What of the base branch could not be brought about.
    mild: Vec<String>,
    /// What is worth knowing.
    notes: Vec<String>,
}

/// Why it ends: a line, and what belongs to it.
struct Stop(String, Vec<String>);

/// Walks it; `zero` is what is there after an `up` from zero.
pub(super) async fn walk(scratch: &Scratch<'_>, base: &Base, zero: &Facts) -> Result<Answer, Error> {
    let embedded = base.road;
    let at = base.name();
    if !base.unknown.is_empty() {
        let lost = format!(
            "{at} has {}, which is not in the db directory: `up` refuses a database that has it",
            base.unknown.join(", ")
        );
        return Ok((Verdict::Failed, vec![lost]));
    }
    if embedded.migrations.is_empty() {
        return Ok((Verdict::Skipped, vec!["there are no migrations".to_owned()]));
    }
    let is_new = |migration: &&Migration| !base.versions.contains(&migration.number);
    let new = embedded.migrations.iter().filter(is_new).collect();
    let mut road = Road { base, database: scratch.database().await?, new, mild: Vec::new(), notes: Vec::new() };
    let walked = road.walk(zero).await?;
    let Road { database, mild, mut notes, .. } = road;
    scratch.discard(database).await;
    notes.extend(base.reason.iter().map(|reason| format!("without a base branch: {reason}")));
    let verdict = if mild.is_empty() { Verdict::Ok } else { Verdict::Mild };
    Ok(match walked {
        Ok(head) => (verdict, [vec![head], mild, notes].concat()),
        Err(Stop(head, lines)) => (Verdict::Failed, [vec![head], lines, mild, notes].concat()),
    })
}

impl Base {
    fn name(&self) -> String {
        self.branch.as_ref().map_or_else(|| "all but the newest".to_owned(), |branch| format!("`{branch}`"))
    }
}

impl Road<'_> {
    async fn walk(&mut self, zero: &Facts) -> Result<Result<String, Stop>, Error> {
        self.go_to_base().await?;
        let (what, at) = (self.what(), self.base.name());
        if let Err(error) = self.up().await {
            return Ok(Err(Stop(format!("{what} on {at}: the up block fails"), error_lines(&error))));
        }
        if let Some(lines) = self.differs(zero, false).await? {
            let head = format!("{what} on {at}: the schema differs from the one built from zero (-)");
            return Ok(Err(Stop(head, lines)));
        }
        let in_place = match self.database.context.migrator.embedded().repeatables.len() {
            0 => String::new(),
            number => format!(" with {} in place", count(number, "repeatable")),
        };
        let (back, none) = self.ways_back();
        let without = |migration: &Migration| format!("not rolled back: {} has no down block", migration.label());
        self.notes.extend(none.map(without));
        if back == 0 {
            return Ok(Ok(format!("{what} on {at}, up")));
        }
        if let Err(error) = self.down(back).await {
            let head = format!("{what} on {at}: the rollback fails{in_place}");
            return Ok(Err(Stop(head, error_lines(&error))));
        }
        if let Err(error) = self.up().await {
            let head = format!("{what} on {at}: after the rollback it does not go up again");
            return Ok(Err(Stop(head, error_lines(&error))));
        }
        if let Some(lines) = self.differs(zero, true).await? {
            let head =
                format!("{what} on {at}: up, down and up again, the schema differs from the one built from zero (-)");
            return Ok(Err(Stop(head, lines)));
        }
        Ok(Ok(format!("{what} on {at}, up, down and up again{in_place}")))
    }

    /// What is new, in words.
    fn what(&self) -> String {
        match &self.new[..] {
            [] => "nothing new".to_owned(),
            [migration] => migration.label(),
            several => count(several.len(), "migration"),
        }
    }

    /// Brings the database to where production is.
    async fn go_to_base(&mut self) -> Result<(), Error> {
        let history = self.database.history().await?;
        let mut plan = plan::up(self.base.road, &history, Target::Newest, false)?;
        let is_there = |step: &Step| match step {
            Step::Migration { migration, .. } => self.base.versions.contains(&migration.number),
            Step::Repeatable(_) => false,
        };
        plan.steps.retain(is_there);
        self.database.locked.apply(&plan).await?;
        for script in &self.base.repeatables {
            let Err(error) = self.put_in(script).await else { continue };
            if self.base.branch.is_none() {
                // As it is now it needs what is new: it cannot have been there.
                continue;
            }
            let name = self.base.name();
            self.mild.push(format!("without the repeatable {} of {name}, which fails there:", script.name));
            self.mild.extend(error_lines(&error));
        }
        Ok(())
    }

    async fn put_in(&self, script: &'static Script) -> Result<(), Error> {
        self.database.locked.apply(&Plan::new([Step::Repeatable(script)])).await.map(|_| ())
    }

    async fn up(&mut self) -> Result<(), Error> {
        let history = self.database.history().await?;
        let plan = plan::up(self.base.road, &history, Target::Newest, false)?;
        self.database.locked.apply(&plan).await.map(|_| ())
    }

    async fn down(&mut self, steps: usize) -> Result<(), Error> {
        let history = self.database.history().await?;
        let plan = plan::down(self.base.road, &history, Target::Steps(steps))?;
        self.database.locked.apply(&plan).await.map(|_| ())
    }

    /// How many of the new migrations can be rolled back, newest first, and the one that cannot. Where none is new it is the newest
    /// one: that is what `down` would roll back.
    fn ways_back(&self) -> (usize, Option<&'static Migration>) {
        let migrations = &*self.base.road.migrations;
        let mut newest = migrations.iter().rev().take(self.new.len().max(1));
        let none = newest.clone().find(|migration| migration.down.is_none());
        (newest.by_ref().take_while(|migration| migration.down.is_some()).count(), none)
    }

    /// In what the schema differs from that from zero. Behind a rollback a column may be in another place.
    async fn differs(&self, zero: &Facts, but_for_order: bool) -> Result<Option<Vec<String>>, Error> {
        let now = self.database.locked.facts().await?;
        let differences = zero.differences(&now);
        let same = differences.is_empty() || but_for_order && zero.without_order() == now.without_order();
        Ok((!same).then_some(differences))
    }
}

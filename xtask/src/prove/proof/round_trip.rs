//! Each migration up, down and up again: the rollback must restore the schema, the way up must lead to the same place.
//!
//! Two databases share the work where that cannot change the outcome: see [`every_migration`].

use std::cell::{Cell, RefCell};
use std::ops::Range;

use futures_util::future::join;

use super::answer::{Answer, RolledBack, Verdict, error_lines};
use super::counted::{self, Experience, Trip};
use super::mark::Mark;
use super::place::{Place, Template};
use super::reading::Reading;
use crate::prove::scratch::Scratch;
use migrator_engine::Error;
use migrator_engine::embedded::Migration;

/// So many migrations one database takes at least before it looks which are left. Fewer: both go up twice as often to catch up with
/// the other. More: at the end one waits longer for the other.
const PORTION: usize = 16;

/// As long as many are left it takes this part of them: with every portion the whole history is read.
const PART: usize = 8;

/// How one rollback came out.
enum Outcome {
    WithoutOne,
    Exact,
    /// Only the order of columns differs: no one loses data, but `SELECT *` reads otherwise.
    OrderOfColumns(Vec<String>),
    /// In what way, and the differences or the error.
    Broken(&'static str, Vec<String>),
}

impl Outcome {
    /// For this migration alone.
    fn verdict(&self) -> RolledBack {
        let (verdict, what, lines) = match self {
            Outcome::WithoutOne => (Verdict::Skipped, "there is none", &[][..]),
            Outcome::Exact => (Verdict::Ok, "exact", &[][..]),
            Outcome::OrderOfColumns(lines) => (Verdict::Mild, ORDER, &lines[..]),
            Outcome::Broken(what, lines) => (Verdict::Failed, *what, &lines[..]),
        };
        RolledBack { verdict, what, lines: lines.to_vec() }
    }
}

const ORDER: &str = "only the order of columns is not restored";

const FAILS: &str = "the rollback fails";

/// What is to be done, and what has come of it.
struct Work<'a> {
    scratch: &'a Scratch<'a>,
    migrations: &'static [Migration],
    /// The first one that no one has taken.
    next: Cell<usize>,
    portion: usize,
    finished: Cell<usize>,
    /// One for each migration.
    outcomes: RefCell<Vec<Option<Outcome>>>,
    /// The migration that did not go up the first time.
    stopped: RefCell<Option<(usize, Error)>>,
    /// What is there in the end in a database that has only gone up. `None`: nothing is counted instead of read.
    goal: Option<&'a Reading>,
    experience: RefCell<Experience>,
    /// So many were proved by counting.
    counted: Cell<usize>,
    /// What was there in the end was not the goal.
    contradicted: Cell<bool>,
}

/// One database on its way through the migrations.
struct Walk {
    place: Place,
    template: Template,
    /// What the schema is at this moment, where that is known.
    here: Option<Reading>,
}

impl Walk {
    async fn go_on_to(&mut self, count: usize) -> Result<(), Error> {
        self.here = None;
        self.place.go_on_to(count).await
    }
}

/// Every migration that has a rollback, in its place in the history.
///
/// Two databases at once, each with every other portion of the migrations, where all of them have gone up before to the schema `goal`
/// and nothing was changed that databases share, such as a role. Should that turn out only now, or should one
/// not go up this time, everything is asked again, by one.
///
/// Where it can be, what a migration changes is counted instead of read. Should that lead to another schema than `goal`, everything
/// is asked again, by reading.
pub(super) async fn every_migration(
    scratch: &Scratch<'_>,
    goal: Option<&Reading>,
    ways: &mut Vec<RolledBack>,
) -> Result<Answer, Error> {
    let progress = &scratch.context.terminal;
    let stops = || scratch.context.migrator.stop().is_requested();
    let mut by_counting = goal;
    let work = Work::new(scratch, PORTION, goal);
    if goal.is_some() && work.migrations.len() > PORTION && scratch.shares_nothing().await {
        progress.detail("round trip: in two databases at once");
        let (first, second) = join(work.run(), work.run()).await;
        let alone = work.stopped.borrow().is_none() && scratch.shares_nothing().await;
        let is_done = alone && first.is_ok() && second.is_ok() && !work.contradicted.get();
        if is_done || stops() {
            return first.and(second).map(|()| work.answer(ways));
        }
        by_counting = by_counting.filter(|_| !work.contradicted.get());
    }
    loop {
        progress.detail("round trip: in one database after the other");
        let work = Work::new(scratch, usize::MAX, by_counting);
        work.run().await?;
        if !work.contradicted.get() || stops() {
            return Ok(work.answer(ways));
        }
        by_counting = None;
    }
}

impl<'a> Work<'a> {
    fn new(scratch: &'a Scratch<'a>, portion: usize, goal: Option<&'a Reading>) -> Work<'a> {
        let migrations = &scratch.context.migrator.embedded().migrations;
        Work {
            scratch,
            migrations,
            next: Cell::new(0),
            portion,
            finished: Cell::new(0),
            outcomes: RefCell::new(migrations.iter().map(|_| None).collect()),
            stopped: RefCell::new(None),
            goal,
            experience: RefCell::default(),
            counted: Cell::new(0),
            contradicted: Cell::new(false),
        }
    }

    /// The next portion that no one has taken.
    fn take(&self) -> Option<Range<usize>> {
        let from = self.next.get();
        let left = self.migrations.len().saturating_sub(from);
        let to = from + self.portion.max(left / PART).min(left);
        self.next.set(to);
        (from < to).then_some(from..to)
    }

    /// Goes through portions until there are none.
    async fn run(&self) -> Result<(), Error> {
        let Some(mut portion) = self.take() else { return Ok(()) };
        let place = Place::new(self.scratch, portion.start).await?;
        let mut walk = Walk { place, template: Template::default(), here: None };
        loop {
            walk.go_on_to(portion.start).await?;
            for index in portion {
                let outcome;
                (walk, outcome) = self.one(walk, index).await?;
                match outcome {
                    Ok(outcome) => self.finish(index, outcome),
                    Err(error) => {
                        *self.stopped.borrow_mut() = Some((index, error));
                        self.next.set(self.migrations.len());
                        walk.place.close(self.scratch).await;
                        return Ok(());
                    }
                }
            }
            match self.take() {
                Some(next) => portion = next,
                None => break,
            }
        }
        // Looks into the history for the last time.
        walk.go_on_to(0).await?;
        if let Some(goal) = self.goal.filter(|_| self.counted.get() > 0) {
            walk.go_on_to(self.migrations.len()).await?;
            let (differences, _) = compare(goal, &walk.place.read().await?)?;
            if !differences.is_empty() {
                self.contradicted.set(true);
                let progress = &self.scratch.context.terminal;
                progress.detail("the schema that was counted is not the one that only going up leads to: reading it");
            }
        }
        walk.place.close(self.scratch).await;
        Ok(())
    }

    /// One migration, in a database in which those before it are applied; in the end it is applied too. The inner error: it does not go
    /// up.
    async fn one(&self, mut walk: Walk, index: usize) -> Result<(Walk, Result<Outcome, Error>), Error> {
        let migration = &self.migrations[index];
        if migration.down.is_none() {
            walk.here = None;
            let gone = walk.place.up().await.map(|()| Outcome::WithoutOne);
            return Ok((walk, gone));
        }
        if self.goal.is_some() && self.experience.borrow().speaks_for(migration) {
            walk.here = None;
            match counted::round_trip(&mut walk.place).await? {
                Trip::Exact => {
                    self.counted.set(self.counted.get() + 1);
                    return Ok((walk, Ok(Outcome::Exact)));
                }
                Trip::Stopped(error) => return Ok((walk, Err(error))),
                Trip::Unknown => {
                    self.experience.borrow_mut().miss(migration);
                    walk = self.another(walk, index).await?;
                }
            }
        }
        self.read(walk, index).await
    }

    /// The same, by reading the schema before and after each step.
    async fn read(&self, mut walk: Walk, index: usize) -> Result<(Walk, Result<Outcome, Error>), Error> {
        let before = match walk.here.take() {
            Some(before) => before,
            None => walk.place.read().await?,
        };
        let mark = walk.place.mark().await?;
        if let Err(error) = walk.place.up().await {
            return Ok((walk, Err(error)));
        }
        let after = walk.place.read().await?;
        let mut outcome = round_trip(&mut walk.place, (&before, mark.as_ref()), &after).await?;
        if matches!(outcome, Outcome::Broken(FAILS, _)) && self.has_repeatables() {
            // In production they are in place: a down block may rely on it.
            walk = self.another(walk, index + 1).await?;
            if with_repeatables(&mut walk.place, &before, &after).await? {
                outcome = Outcome::Exact;
            }
            walk = self.another(walk, index + 1).await?;
        } else if !matches!(outcome, Outcome::Exact) {
            // What follows is looked at in a database that has not been through this.
            walk = self.another(walk, index + 1).await?;
        }
        walk.here = Some(after);
        Ok((walk, Ok(outcome)))
    }

    fn has_repeatables(&self) -> bool {
        !self.scratch.context.migrator.embedded().repeatables.is_empty()
    }

    /// Another database in place of one that is not to be used any more, with the first `count` migrations applied.
    async fn another(&self, walk: Walk, count: usize) -> Result<Walk, Error> {
        let Walk { place, mut template, .. } = walk;
        place.close(self.scratch).await;
        let place = match self.scratch.shares_nothing().await {
            true => template.place(self.scratch, count).await?,
            // A template that lies there could keep a role from being dropped.
            false => Place::new(self.scratch, count).await?,
        };
        Ok(Walk { place, template, here: None })
    }

    fn finish(&self, index: usize, outcome: Outcome) {
        self.outcomes.borrow_mut()[index] = Some(outcome);
        self.finished.set(self.finished.get() + 1);
        self.scratch.context.terminal.reached(self.finished.get(), self.migrations.len());
    }

    /// In the order of the migrations, whichever of the two has looked at them; `ways` gets one verdict for each that was looked at.
    fn answer(self, ways: &mut Vec<RolledBack>) -> Answer {
        let (counted, finished) = (self.counted.get(), self.finished.get());
        self.scratch.context.terminal.detail(&format!("proved by counting what was written: {counted} of {finished}"));
        let (mut exact, mut without) = (0, 0);
        let (mut mild, mut broken) = (Vec::new(), Vec::new());
        for (migration, outcome) in self.migrations.iter().zip(self.outcomes.into_inner()) {
            ways.extend(outcome.as_ref().map(Outcome::verdict));
            match outcome {
                None => break,
                Some(Outcome::WithoutOne) => without += 1,
                Some(Outcome::Exact) => exact += 1,
                Some(Outcome::OrderOfColumns(lines)) => {
                    mild.push(format!("{}: {ORDER}", migration.label()));
                    mild.extend(lines);
                }
                Some(Outcome::Broken(what, lines)) => {
                    broken.push(format!("{}: {what}", migration.label()));
                    broken.extend(lines);
                }
            }
        }
        if let Some((index, error)) = self.stopped.into_inner() {
            let label = self.migrations[index].label();
            broken.push(format!("skipped: {label} and what follows, because it does not go up"));
            broken.extend(error_lines(&error));
        }
        let with = self.migrations.len() - without;
        let head = format!(
            "{exact} of {with} rollbacks restore the schema exactly; migrations without a down block: {without}"
        );
        let verdict = match (broken.is_empty(), mild.is_empty()) {
            (false, _) => Verdict::Failed,
            (true, false) => Verdict::Mild,
            (true, true) => Verdict::Ok,
        };
        (verdict, std::iter::once(head).chain(broken).chain(mild).collect())
    }
}

/// Down and up again; where something is broken the database is not to be used any more.
async fn round_trip(
    place: &mut Place,
    (before, mark): (&Reading, Option<&Mark>),
    after: &Reading,
) -> Result<Outcome, Error> {
    if let Err(error) = place.down().await {
        return Ok(Outcome::Broken(FAILS, error_lines(&error)));
    }
    let (differences, only_order) = match place.is_back_at(mark).await? {
        true => (Vec::new(), false),
        false => compare(before, &place.read().await?)?,
    };
    if !differences.is_empty() && !only_order {
        return Ok(Outcome::Broken("the rollback does not restore the schema", differences));
    }
    if let Err(error) = place.up().await {
        return Ok(Outcome::Broken("after the rollback it does not go up again", error_lines(&error)));
    }
    let again = place.read().await?;
    let (after_again, again_only_order) = compare(after, &again)?;
    // A column that comes back in another place is in another place the second time too.
    let excused = only_order && again_only_order;
    if !excused && !after_again.is_empty() {
        return Ok(Outcome::Broken("the second up produces another schema", after_again));
    }
    Ok(if only_order { Outcome::OrderOfColumns(differences) } else { Outcome::Exact })
}

/// Down and up again with those repeatables in place that fit there. A rollback may take what they have made with it, as every `up`
/// brings it again; everything else must be as before.
async fn with_repeatables(place: &mut Place, before: &Reading, after: &Reading) -> Result<bool, Error> {
    place.put_in_repeatables().await?;
    let (theirs, _) = compare(after, &place.read().await?)?;
    let but_for_theirs = |ours: &Reading, now: &Reading| {
        let (differences, _) = compare(ours, now)?;
        Ok::<_, Error>(differences.iter().all(|line| line.starts_with('+') && theirs.contains(line)))
    };
    if place.down().await.is_err() || !but_for_theirs(before, &place.read().await?)? || place.up().await.is_err() {
        return Ok(false);
    }
    but_for_theirs(after, &place.read().await?)
}

/// The lines in which two schemas differ, and whether that is the order of columns only.
fn compare(ours: &Reading, other: &Reading) -> Result<(Vec<String>, bool), Error> {
    if ours == other {
        return Ok((Vec::new(), false));
    }
    let (ours, other) = (ours.facts()?, other.facts()?);
    let differences = ours.differences(&other);
    let only_order = !differences.is_empty() && ours.without_order() == other.without_order();
    Ok((differences, only_order))
}

//! One database of the round trip: how far it has gone up, what its history says, what its schema is.

use super::counting::Counter;
use super::mark::{Mark, Marker};
use super::reading::{Reader, Reading};
use super::tally::{Catalog, Tally};
use crate::developer::Context;
use crate::prove::scratch::{Database, Scratch};
use migrator_engine::Error;
use migrator_engine::embedded::{Block, Migration};
use migrator_engine::history::{Direction, History};
use migrator_engine::plan::{self, Plan, Step, Target};

/// A database that only ever goes up, to be copied where another one is not to be used any more: going up from zero for each of
/// them would cost the square of their number.
#[derive(Default)]
pub(super) struct Template(Option<(Context, usize, Vec<Step>)>);

impl Template {
    /// A new database in which the first `count` migrations are applied, without rolling back in between; no fewer than before.
    ///
    /// # Errors
    /// One of them does not go up, a lost connection.
    pub(super) async fn place(&mut self, scratch: &Scratch<'_>, count: usize) -> Result<Place, Error> {
        let mut place = match self.0.take() {
            Some((context, at, ways_up)) => Place::open(context, at, ways_up).await?,
            None => Place::new(scratch, 0).await?,
        };
        place.go_on_to(count).await?;
        let Place { database, ways_up, .. } = place;
        let context = database.context.clone();
        let server_version = database.locked.server().version_number;
        database.close().await;
        let copy = scratch.copy(&context, server_version).await?;
        self.0 = Some((context, count, ways_up.clone()));
        match copy {
            Some(copy) => Place::open(copy, count, ways_up).await,
            None => Place::new(scratch, count).await,
        }
    }
}

/// What the server counts in this database.
#[derive(Default)]
enum Counting {
    /// It was not asked for yet.
    #[default]
    Unasked,
    /// This server does not count.
    Absent,
    /// It does.
    Present(Counter),
}

/// A database in which the migrations up to a certain one are applied.
pub(super) struct Place {
    database: Database,
    reader: Reader,
    marker: Marker,
    counter: Counting,
    /// What was counted last, as long as nothing has been done since.
    counted: Option<Tally>,
    /// No key was higher when that was last found out.
    top: u32,
    /// How many migrations are applied.
    at: usize,
    /// All ways up, in one plan made on the empty database: planning each of them anew would cost the square of their number.
    ways_up: Vec<Step>,
    /// As it was read, but for what has been done since.
    history: History,
    since: Vec<(Direction, &'static Migration)>,
}

impl Place {
    /// A new database in which the first `count` migrations are applied, without rolling back in between.
    ///
    /// # Errors
    /// One of them does not go up, a lost connection.
    pub(super) async fn new(scratch: &Scratch<'_>, count: usize) -> Result<Place, Error> {
        let mut database = scratch.database().await?;
        let history = database.history().await?;
        let mut ways_up = plan::up(database.context.migrator.embedded(), &history, Target::Newest, false)?.steps;
        ways_up.retain(|step| matches!(step, Step::Migration { .. }));
        let mut place = Place::over(database, 0, ways_up, history);
        place.go_on_to(count).await?;
        Ok(place)
    }

    /// A session in a database that is there, with the first `at` migrations applied.
    async fn open(context: Context, at: usize, ways_up: Vec<Step>) -> Result<Place, Error> {
        let mut database = Database::open(context).await?;
        let history = database.history().await?;
        Ok(Place::over(database, at, ways_up, history))
    }

    fn over(database: Database, at: usize, ways_up: Vec<Step>, history: History) -> Place {
        let (reader, marker, counter, counted) = (Reader::default(), Marker::default(), Counting::default(), None);
        Place { database, reader, marker, counter, counted, top: 0, at, ways_up, history, since: Vec::new() }
    }

    /// Applies what lies between, as an `up` does, and checks whether the history says what it should.
    ///
    /// # Errors
    /// One of them does not go up, a lost connection.
    pub(super) async fn go_on_to(&mut self, count: usize) -> Result<(), Error> {
        self.counted = None;
        let read = self.database.history().await?;
        if !read.agrees_with(self.history()) {
            let message =
                format!("the history in `{}` does not match what was applied", self.database.locked.tables().state);
            return Err(Error::diverged(message).help("no migration may write to the history tables"));
        }
        self.history = read;
        if self.at < count {
            let steps = self.ways_up[self.at..count].to_vec();
            self.database.locked.apply(&Plan::new(steps)).await?;
            self.history = self.database.history().await?;
            self.at = count;
        }
        Ok(())
    }

    /// Applies the next one.
    ///
    /// # Errors
    /// It does not go up, a lost connection.
    pub(super) async fn up(&mut self) -> Result<(), Error> {
        self.counted = None;
        let planned = self.ways_up[self.at].clone();
        let Step::Migration { migration, .. } = &planned else { return Ok(()) };
        let mut plan = match migration.up.options.transaction {
            true => Plan::new([planned.clone()]),
            // Such a step depends on how far it got before.
            false => plan::up(
                self.database.context.migrator.embedded(),
                self.history(),
                Target::Version(migration.number),
                false,
            )?,
        };
        // The repeatables follow the newest one, and its rollback does not take them with it.
        plan.steps.retain(|step| matches!(step, Step::Migration { .. }));
        self.database.locked.apply(&plan).await?;
        self.at += 1;
        self.record(migration, Direction::Up).await
    }

    /// Takes the newest one back.
    ///
    /// # Errors
    /// It has no way back or the rollback fails; a lost connection.
    pub(super) async fn down(&mut self) -> Result<(), Error> {
        self.counted = None;
        let newest = self.at.checked_sub(1).map(|at| &self.ways_up[at]);
        let plan = match newest {
            // What it depends on is known: planning it would read the history again.
            Some(Step::Migration { migration, attempt, .. }) if migration.down.as_ref().is_some_and(is_transaction) => {
                let (migration, attempt) = (*migration, *attempt);
                Plan::new([Step::Migration { migration, direction: Direction::Down, resume: None, attempt }])
            }
            _ => plan::down(self.database.context.migrator.embedded(), self.history(), Target::Steps(1))?,
        };
        self.database.locked.apply(&plan).await?;
        self.at -= 1;
        for step in &plan.steps {
            if let Step::Migration { migration, .. } = step {
                self.record(migration, Direction::Down).await?;
            }
        }
        Ok(())
    }

    /// Puts those repeatables in place that fit here: they are written for the newest schema.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn put_in_repeatables(&mut self) -> Result<(), Error> {
        self.counted = None;
        for script in self.database.context.migrator.embedded().repeatables.iter() {
            // One that needs what comes later cannot have been there in this form.
            let _ = self.database.locked.apply(&Plan::new([Step::Repeatable(script)])).await;
        }
        self.since.clear();
        self.history = self.database.history().await?;
        Ok(())
    }

    /// What the schema is now; read by the second session, in which nothing is put back between migrations.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn read(&mut self) -> Result<Reading, Error> {
        let locked = &self.database.locked;
        self.reader.read(locked.monitor().await?, locked.server().version_number, locked.tables()).await
    }

    /// What the catalogs hold now; `None` where that cannot be told.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn mark(&mut self) -> Result<Option<Mark>, Error> {
        self.marker.mark(self.database.locked.monitor().await?).await
    }

    /// Whether the catalogs hold what they held then, for certain.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn is_back_at(&mut self, mark: Option<&Mark>) -> Result<bool, Error> {
        let Some(mark) = mark else { return Ok(false) };
        self.marker.unchanged(self.database.locked.monitor().await?, mark).await
    }

    /// What was written to the catalogs so far; `None` where that cannot be told.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn start_counting(&mut self) -> Result<Option<Tally>, Error> {
        if let Some(counted) = self.counted.take() {
            return Ok(Some(counted.into_start()));
        }
        let (session, monitor) = (self.database.locked.client(), self.database.locked.monitor().await?);
        if matches!(self.counter, Counting::Unasked) {
            let counter = Counter::new(monitor, self.database.locked.server().version_number).await?;
            self.counter = counter.map_or(Counting::Absent, Counting::Present);
        }
        let Counting::Present(counter) = &self.counter else { return Ok(None) };
        let Some(tally) = counter.start(session, monitor, self.top).await? else { return Ok(None) };
        self.top = tally.new.top;
        match tally.is_start() {
            true => Ok(Some(tally)),
            false => counter.start(session, monitor, self.top).await,
        }
    }

    /// The same since a start.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn tally(&mut self, start: &Tally) -> Result<Option<Tally>, Error> {
        let Counting::Present(counter) = &mut self.counter else { return Ok(None) };
        counter.tally(self.database.locked.client(), self.database.locked.monitor().await?, start).await
    }

    /// The next migration starts from there, if it comes next.
    pub(super) fn go_on_from(&mut self, tally: Tally) {
        self.counted = Some(tally);
    }

    /// The catalogs in which is counted.
    pub(super) fn catalogs(&self) -> &[Catalog] {
        match &self.counter {
            Counting::Present(counter) => &counter.catalogs,
            Counting::Unasked | Counting::Absent => &[],
        }
    }

    /// Whether none of these catalogs has a row that was written between the two, for certain.
    ///
    /// # Errors
    /// A lost connection.
    pub(super) async fn none_is_of(&self, catalogs: &[&Catalog], (from, to): (&Tally, &Tally)) -> Result<bool, Error> {
        let Counting::Present(counter) = &self.counter else { return Ok(false) };
        counter.none_is_of(self.database.locked.monitor().await?, catalogs, (from, to)).await
    }

    /// The database alone, for other questions.
    pub(super) fn into_database(self) -> Database {
        self.database
    }

    /// Ends the sessions and drops the database, soon or at once.
    pub(super) async fn close(self, scratch: &Scratch<'_>) {
        match scratch.shares_nothing().await {
            true => scratch.leave(self.database).await,
            // What lies around could keep a role from being dropped.
            false => scratch.discard(self.database).await,
        }
    }

    async fn record(&mut self, migration: &'static Migration, direction: Direction) -> Result<(), Error> {
        if migration.block(direction).is_some_and(is_transaction) {
            self.since.push((direction, migration));
        } else {
            self.since.clear();
            self.history = self.database.history().await?;
        }
        Ok(())
    }

    /// What the history is by now. To bring it up to date takes as long as it is, so that is not done for every step.
    fn history(&mut self) -> &History {
        let label = |migration: &'static Migration| (&*migration.version, &*migration.name, &*migration.checksum);
        self.history.record_all(self.since.drain(..).map(|(direction, migration)| (direction, label(migration))));
        &self.history
    }
}

fn is_transaction(block: &Block) -> bool {
    block.options.transaction
}

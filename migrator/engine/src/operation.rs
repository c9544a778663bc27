//! The operations on a database: options in, a report out, an observer on the way. No command line, no printing.

pub(crate) mod adopt;
pub(crate) mod audit;
mod backup;
pub(crate) mod down;
pub(crate) mod drift;
pub(crate) mod environment;
pub(crate) mod history;
pub(crate) mod locks;
mod newer;
mod obstacle;
mod options;
pub(crate) mod plan;
pub(crate) mod provenance;
pub(crate) mod redo;
pub(crate) mod resolve;
pub(crate) mod seed;
pub(crate) mod stamp;
pub(crate) mod stats;
pub(crate) mod up;
pub(crate) mod wait;

use std::time::Duration;

use crate::conninfo::ConnectionTarget;
use crate::embedded::Tool;
use crate::error::Error;
use crate::history::Provenance;
use crate::migrator::Migrator;
use crate::plan::{Plan, Survey, survey};
use crate::session::Session;
use crate::stats::Stats;
pub use adopt::{AdoptOptions, AdoptReport};
pub use audit::AuditReport;
pub use down::{DownOptions, DownReport};
pub use drift::DriftReport;
pub use environment::{EnvironmentOptions, EnvironmentReport};
pub use history::{LogEvent, LogOptions, LogReport};
pub use locks::{LockReport, LockingStatement, Size};
pub use newer::NewerRollback;
pub use plan::PlanOptions;
pub use redo::{RedoOptions, RedoReport};
pub use resolve::{Decision, ResolveOptions, ResolveReport};
pub use seed::{SeedOptions, SeedReport};
pub use stamp::{StampOptions, StampReport};
pub use up::{UpOptions, UpReport};
pub use wait::WaitReport;

impl Migrator {
    /// Waits until the server accepts connections to the database, for at most `timeout`.
    ///
    /// # Errors
    /// At once, what does not pass by itself, such as a wrong password; otherwise the last error after `timeout`.
    pub async fn wait(&self, target: &ConnectionTarget, timeout: Duration) -> Result<WaitReport, Error> {
        wait::run(self, target, timeout).await
    }

    /// Reads how large the tables of a database are and how busy, and nothing of what is in them; reads no history, and writes nothing.
    ///
    /// # Errors
    /// No connection; a lost one. What this role may not read is left out and named.
    pub async fn stats(&self, target: &ConnectionTarget) -> Result<Stats, Error> {
        stats::run(self, target).await
    }
}

impl Session {
    /// Returns the state of every version, from the history that was read when the session was opened.
    pub fn status(&self) -> Survey {
        self.warn_of_others();
        survey(self.migrator.embedded, &self.history)
    }

    /// Whether this binary can roll back what a newer release has applied; `None`: there is nothing of a newer release. Writes nothing.
    ///
    /// # Errors
    /// A lost connection.
    pub async fn rollback_of_newer(&self) -> Result<Option<NewerRollback>, Error> {
        newer::run(self).await
    }

    /// Reads what the event log says of what [`Session::status`] returns; writes nothing.
    ///
    /// # Errors
    /// A lost connection.
    pub async fn provenance(&self) -> Result<Provenance, Error> {
        provenance::run(self).await
    }

    /// Reads the event log, newest first, and hands it over in portions, so that its length does not matter; writes nothing.
    ///
    /// # Errors
    /// A lost connection.
    pub async fn log(&self, options: &LogOptions, each: impl FnMut(&[LogEvent])) -> Result<LogReport, Error> {
        history::run(self, options, each).await
    }

    /// Plans what [`Session::up`] would do; writes nothing.
    ///
    /// # Errors
    /// The history does not fit the binary, or another migrator is at work.
    pub async fn plan(&self, options: &PlanOptions) -> Result<Plan, Error> {
        plan::run(self, options).await
    }

    /// Which locks the steps of a plan take on relations of this database, as they were seen when `cargo xtask dump` wrote
    /// `db/locks.<major>`, with the sizes that these have now; writes nothing. Nothing is asked where nothing is compiled in.
    ///
    /// # Errors
    /// A lost connection.
    pub async fn locks(&self, plan: &Plan) -> Result<LockReport, Error> {
        locks::run(self, plan).await
    }

    /// Refuses a pending migration without a statement, up to and including `to`: it is not written yet, and once applied it can no
    /// longer be changed. Unlike [`Session::plan`] with `refuse_empty` it asks nothing else of the history.
    ///
    /// # Errors
    /// There is one.
    pub fn refuse_empty(&self, to: Option<i64>) -> Result<(), Error> {
        plan::refuse_pending_empty(self, to)
    }

    /// Applies what is pending.
    ///
    /// # Errors
    /// The history does not fit the binary, another migrator holds the lock, a policy forbids it, or a migration fails.
    pub async fn up(self, options: &UpOptions) -> Result<UpReport, Error> {
        up::run(self, options).await
    }

    /// Rolls back, newest first, if `permit` accepts the plan; pass `|_| Ok(())` to accept any.
    ///
    /// # Errors
    /// Same as for [`Session::up`]; a migration without a down block; the error of `permit`.
    pub async fn down(
        self,
        options: &DownOptions,
        permit: impl FnOnce(&Plan) -> Result<(), Error>,
    ) -> Result<DownReport, Error> {
        down::run(self, options, permit).await
    }

    /// Rolls the newest migration back and applies it again, if `permit` accepts the plan.
    ///
    /// # Errors
    /// Same as for [`Session::down`].
    pub async fn redo(
        self,
        options: &RedoOptions,
        permit: impl FnOnce(&Plan) -> Result<(), Error>,
    ) -> Result<RedoReport, Error> {
        redo::run(self, options, permit).await
    }

    /// Runs the embedded seed of that name in one transaction.
    ///
    /// # Errors
    /// The binary has no such seed; a policy forbids it; the seed fails.
    pub async fn seed(self, name: &str, options: &SeedOptions) -> Result<SeedReport, Error> {
        seed::run(self, name, options).await
    }

    /// Records migrations as applied without running them.
    ///
    /// # Errors
    /// Same as for [`Session::up`].
    pub async fn stamp(self, options: &StampOptions) -> Result<StampReport, Error> {
        stamp::run(self, options).await
    }

    /// Records what another tool has applied, as its own history says it; runs nothing.
    ///
    /// # Errors
    /// The other history has a row that is not in order or that no migration explains, or a checksum that is not that of the imported
    /// file; same as for [`Session::up`].
    pub async fn adopt(self, tool: Tool, options: &AdoptOptions) -> Result<AdoptReport, Error> {
        adopt::run(self, tool, options).await
    }

    /// Records the decision about a statement whose outcome is unknown, given its migration's version and its number.
    ///
    /// # Errors
    /// The statement is not open.
    pub async fn resolve(
        self,
        version: i64,
        statement: i32,
        decision: Decision,
        options: &ResolveOptions,
    ) -> Result<ResolveReport, Error> {
        resolve::run(self, (version, statement), decision, options).await
    }

    /// Records which environment the database is.
    ///
    /// # Errors
    /// The name is invalid; another migrator holds the lock.
    pub async fn set_environment(self, name: &str, options: &EnvironmentOptions) -> Result<EnvironmentReport, Error> {
        environment::set(self, name, options).await
    }

    /// Runs the compiled data check of that name, or all of them, in one read-only snapshot.
    ///
    /// # Errors
    /// The binary has no such check; a lost connection. A check that fails is a result, not an error.
    pub async fn audit(&self, name: Option<&str>) -> Result<AuditReport, Error> {
        audit::run(self, name).await
    }

    /// The facts of the live schema as `db/schema.facts.<major>` holds them.
    ///
    /// # Errors
    /// As of [`Session::facts`]; an object of a kind that is not known.
    pub async fn facts_file(&self) -> Result<String, Error> {
        drift::facts_file(self).await
    }

    /// Compares the live schema with the compiled facts.
    ///
    /// # Errors
    /// No facts are compiled in for the server's major release; as of [`Session::facts`].
    pub async fn drift(&self) -> Result<DriftReport, Error> {
        drift::run(self).await
    }
}

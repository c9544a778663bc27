//! The entry point of the library: what is embedded, who listens, what stops it.

use std::sync::{Arc, OnceLock};

use crate::cancel::Cancellation;
use crate::connect::NoticeSink;
use crate::embedded::{Embedded, Environment, Migration, Release};
use crate::error::Error;
use crate::event::{Event, Notice, Observer, Silent};
use crate::history::History;
use crate::plan::road;

/// Migrates databases with what is embedded in this binary.
///
/// Cheap to clone; clones share the observer and the cancellation.
#[derive(Clone)]
pub struct Migrator {
    /// What is compiled in; in a session, on the road of its database.
    pub(crate) embedded: &'static Embedded,
    pub(crate) roads: Arc<Roads>,
    pub(crate) release: Release,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) cancellation: Cancellation,
    pub(crate) environment: Option<String>,
}

/// What is compiled in, and its roads once a database needs them.
pub(crate) struct Roads {
    pub(crate) compiled: &'static Embedded,
    all: OnceLock<Vec<&'static Embedded>>,
}

impl Roads {
    fn all(&self) -> &[&'static Embedded] {
        self.all.get_or_init(|| road::all(self.compiled))
    }

    /// The road by which other tools have come.
    pub(crate) fn original(&self) -> &'static Embedded {
        road::original(self.all()).unwrap_or(self.compiled)
    }

    /// The road on which a database without a history can have that version.
    pub(crate) fn to(&self, version: i64) -> &'static Embedded {
        let has = |road: &&&'static Embedded| road.migrations.iter().any(|migration| migration.number == version);
        self.all().iter().find(has).copied().unwrap_or(self.compiled)
    }
}

impl Migrator {
    /// A migrator over an embedded set, without an observer.
    pub fn new(embedded: &'static Embedded) -> Migrator {
        Migrator {
            embedded,
            roads: Arc::new(Roads { compiled: embedded, all: OnceLock::new() }),
            release: Release::new("dev", "dev"),
            observer: Arc::new(Silent),
            cancellation: Cancellation::new(),
            environment: None,
        }
    }

    /// The release that the history records; `dev` by default.
    #[must_use]
    pub fn release(mut self, release: Release) -> Migrator {
        self.release = release;
        self
    }

    /// Sets the observer, which hears everything from connecting on.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Migrator {
        self.observer = Arc::new(observer);
        self
    }

    /// Sets what stops the operations.
    #[must_use]
    pub fn cancellation(mut self, cancellation: &Cancellation) -> Migrator {
        self.cancellation = cancellation.clone();
        self
    }

    /// The environment of databases that have recorded none; its policy in `migrator.toml` applies.
    #[must_use]
    pub fn environment(mut self, name: Option<String>) -> Migrator {
        self.environment = name;
        self
    }

    /// The version of the release.
    pub fn version(&self) -> &'static str {
        self.release.version
    }

    /// What stops it.
    pub fn stop(&self) -> &Cancellation {
        &self.cancellation
    }

    /// What is embedded.
    pub fn embedded(&self) -> &'static Embedded {
        self.embedded
    }

    /// Returns the embedded migration of that version.
    ///
    /// # Errors
    /// The binary has no such migration.
    pub fn migration(&self, version: i64) -> Result<&'static Migration, Error> {
        let squashed = self.embedded.squashed.iter().map(|squashed| &squashed.migration);
        let found = self.embedded.migrations.iter().chain(squashed).find(|migration| migration.number == version);
        found.ok_or_else(|| {
            Error::usage(format!("there is no migration {version} in this binary"))
                .help("`migrator list` shows the migrations of this binary")
        })
    }

    /// The same on the road that a database has begun.
    pub(crate) fn on_road_of(mut self, history: &History) -> Migrator {
        if !self.roads.compiled.squashed.is_empty() {
            self.embedded = road::of_history(self.roads.all(), history);
        }
        self
    }

    /// The same for databases that are to be brought to that version, also where a baseline stands for it in new ones.
    #[must_use]
    pub fn on_road_to(mut self, version: i64) -> Migrator {
        let road = self.roads.to(version);
        if !std::ptr::eq(road, self.roads.compiled) {
            // It lives until the process ends, as a compiled one does.
            self.embedded = Box::leak(Box::new(road.clone().with_squashed(Vec::new().into())));
            self.roads = Arc::new(Roads { compiled: self.embedded, all: OnceLock::new() });
        }
        self
    }

    /// Tells the observer.
    pub(crate) fn tell(&self, event: Event<'_>) {
        self.observer.event(&event);
    }

    /// Reports that a newer release has migrated this database.
    pub fn warn_ahead(&self, ahead: &[String]) {
        if !ahead.is_empty() {
            self.tell(Event::Ahead(ahead));
        }
    }

    /// Where the server's notices go.
    pub(crate) fn notices(&self) -> NoticeSink {
        let observer = Arc::clone(&self.observer);
        Arc::new(move |notice| observer.event(&Event::Notice(Notice::from(notice))))
    }

    /// The environment that the database records, otherwise the one that was given.
    pub(crate) fn environment_of(&self, history: &History) -> Option<String> {
        history.environment().map(str::to_owned).or_else(|| self.environment.clone())
    }

    /// The policy of the database's environment.
    pub(crate) fn policy(&self, history: &History) -> Option<&'static Environment> {
        let name = self.environment_of(history)?;
        self.embedded.settings.environments.iter().find(|policy| policy.name == name)
    }
}

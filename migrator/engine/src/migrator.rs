//! The entry point of the library: what is embedded, who listens, what stops it.

use std::sync::Arc;

use crate::cancel::Cancellation;
use crate::connect::NoticeSink;
use crate::embedded::{Embedded, Environment, Migration, Release};
use crate::error::Error;
use crate::event::{Event, Notice, Observer, Silent};
use crate::history::History;

/// Migrates databases with what is embedded in this binary.
///
/// Cheap to clone; clones share the observer and the cancellation.
#[derive(Clone)]
pub struct Migrator {
    pub(crate) embedded: &'static Embedded,
    pub(crate) release: Release,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) cancellation: Cancellation,
    pub(crate) environment: Option<String>,
}

impl Migrator {
    /// A migrator over an embedded set, without an observer.
    pub fn new(embedded: &'static Embedded) -> Migrator {
        Migrator {
            embedded,
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
        let found = self.embedded.migrations.iter().find(|migration| migration.number == version);
        found.ok_or_else(|| {
            Error::usage(format!("there is no migration {version} in this binary"))
                .help("`migrator list` shows the migrations of this binary")
        })
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

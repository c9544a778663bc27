//! How far a run has got.

use std::time::Duration;

use crate::event::{Applied, Event, Observer};
use crate::plan::Step;

/// How far a run has got.
#[derive(Default)]
pub(super) struct Done {
    /// The steps whose commit the server has answered, in order.
    pub(super) steps: Vec<Applied>,
    /// How many of the last ones have not been announced yet: they may not be durable.
    unannounced: usize,
}

impl Done {
    /// A step whose commit the server has answered.
    pub(super) fn add(&mut self, step: &Step, took: Duration) {
        let (version, direction) = match step {
            Step::Migration { migration, direction, .. } => (Some(migration.version.to_string()), Some(*direction)),
            Step::Repeatable(_) => (None, None),
        };
        self.steps.push(Applied { step: step.label(), version, direction, took });
        self.unannounced += 1;
    }

    /// The names of the steps.
    pub(super) fn labels(&self) -> Vec<&str> {
        self.steps.iter().map(|applied| &*applied.step).collect()
    }

    /// How many of them have been announced, and are durable.
    pub(super) fn announced(&self) -> usize {
        self.steps.len() - self.unannounced
    }

    /// Whether there is anything to announce once it is durable.
    pub(super) fn is_unannounced(&self) -> bool {
        self.unannounced > 0
    }

    /// Forgets the steps after the first `count`: the server had answered their commits, but would have written them to
    /// disk with a later one, and has crashed before.
    pub(super) fn keep(&mut self, count: usize) {
        let lost = self.steps.len().saturating_sub(count);
        self.steps.truncate(count);
        self.unannounced = self.unannounced.saturating_sub(lost);
    }

    /// Announces what is durable now.
    pub(super) fn announce(&mut self, observer: &dyn Observer) {
        for applied in &self.steps[self.announced()..] {
            observer.event(&Event::Applied(applied));
        }
        self.unannounced = 0;
    }
}

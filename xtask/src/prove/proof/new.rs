//! Which migrations the questions about data are asked of.

use super::before::Base;
use migrator_engine::embedded::{Embedded, Migration};

/// How far the questions about data go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Extent {
    /// The migrations that the base branch does not have; without a base branch, the newest one
    #[default]
    New,
    /// All migrations
    All,
}

/// The migrations with their places in the history.
pub(super) fn new(embedded: &'static Embedded, base: &Base, extent: Extent) -> Vec<(usize, &'static Migration)> {
    let is_new = |migration: &Migration| extent == Extent::All || !base.versions.contains(&migration.number);
    embedded.migrations.iter().enumerate().filter(|(_, migration)| is_new(migration)).collect()
}
